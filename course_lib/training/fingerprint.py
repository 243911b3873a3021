"""The fingerprint of a training run: what it computes, in a few numbers that do not depend on the machine.

The pipeline takes a fingerprint of every ``fit`` in the quick profile and keeps it with the published page. Where a
later version of the library gives the same numbers, the page is still true, however much code was rewritten.

Everything is computed in float64, on one thread, on a copy of the network and with generators of its own, so the run
itself is not touched. Float32 would not do: its rounding differs from processor to processor, and after four steps of
ResNet-18 that noise (1 %) hides a learning rate that is 1 % off.
"""

import contextlib
import copy
import inspect
import math
import warnings
import weakref
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from course_lib.data import Split
from course_lib.training.display import Display
from course_lib.training.history import History
from course_lib.training.loop import training_loop
from course_lib.training.predict import evaluate
from course_lib.training.run import Recipe, Run
from course_lib.training.seeds import reproducible
from course_lib.training.setup import Setup

STEPS = 4
IMAGES = 8  # of each batch
EVALUATED = 64
_taken: weakref.WeakKeyDictionary[nn.Module, set[str]] = weakref.WeakKeyDictionary()


class _Float64(nn.Module):
    """A copy of a network that computes in float64, without the hooks of the original."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = copy.deepcopy(network).cpu().double()
        for module in self.network.modules():
            for hooks in (module._forward_hooks, module._forward_pre_hooks, module._backward_hooks):
                hooks.clear()

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.network(images.double())


class _Enough(Exception):
    """Ends the training loop after the steps of a fingerprint."""


class _FirstSteps(Display):
    """Keeps loss and learning rate of each of the first steps, at most one epoch, and the first gradient's norm."""

    def __init__(self, run: Run):
        super().__init__()
        self.run, self.losses, self.rates, self.gradient = run, [], [], math.nan

    def step(self, history: History, done: int) -> None:
        self.losses.append(self.run.totals.mean_loss())
        self.rates.append(self.run.optimizer.param_groups[0]["lr"])
        self.run.totals.reset()
        if done == 1:
            gradients = [parameter.grad for parameter in self.run.model.parameters() if parameter.grad is not None]
            self.gradient = math.sqrt(sum(gradient.double().square().sum().item() for gradient in gradients))
        if done == min(STEPS, len(self.run.batches)):
            raise _Enough


def fingerprint(model: nn.Module, train: Split, val: Split | None, recipe: Recipe) -> dict[str, Any] | None:
    """The fingerprint of the run that ``fit`` is about to start; None where this network had the same one before.

    Args:
        model: as it is before the first step. It is not changed.
        train, val, recipe: those of the run.

    Returns: ``recipe``, in words; ``loss`` of the first four steps on 8 images each, and their learning ``rates``;
        ``gradient``, the norm of the first step's; ``schedule``, its factor at 11 points; ``judged``, the loss and
        accuracy that ``evaluate`` gives on 64 images before training. Not-a-number and what is beyond 10⁴ are None.
    """
    device = torch.device("cpu")
    network = _Float64(model)
    if isinstance(recipe.loss, nn.Module):
        recipe = replace(recipe, loss=copy.deepcopy(recipe.loss).double())
    with warnings.catch_warnings(), reproducible(recipe.seed, device):
        warnings.simplefilter("ignore")
        setup = Setup(device, threads=1)
        run = Run(network, train, setup, recipe)
        words = run.history.recipe | {"model": type(model).__name__, "optimizer": _unusual_settings(run.optimizer)}
        words.pop("precision")  # which depends on the machine
        if repr(words) in _taken.setdefault(model, set()):
            return None
        _taken[model].add(repr(words))
        with setup.at_work():
            evaluated = (val if val is not None else train).to(device)
            score = evaluate(network, evaluated.select(range(min(EVALUATED, len(evaluated)))), loss=recipe.loss)
            torch.manual_seed(recipe.seed)
            along, first = run.batches.along, _FirstSteps(run)
            run.batches.along = lambda *args, **options: ((x[:IMAGES], y[:IMAGES]) for x, y in along(*args, **options))
            with contextlib.suppress(_Enough):
                training_loop(run, None, first, None)
    return {
        "recipe": words,
        "loss": [_rounded(loss) for loss in first.losses],
        "gradient": _rounded(first.gradient),
        "rates": [_rounded(rate) for rate in first.rates],
        "schedule": [_rounded(recipe.schedule(min(tenths / 10, 0.99))) for tenths in range(11)],
        "judged": {"images": score.count, "loss": _rounded(score.loss), "accuracy": _rounded(score.accuracy)},
    }


def _unusual_settings(optimizer: torch.optim.Optimizer) -> str:
    """Its name, and the settings that are not torch's defaults: versions of torch differ in how many there are."""
    parameters = inspect.signature(type(optimizer)).parameters
    unusual = {
        name: value
        for name, value in sorted(optimizer.defaults.items())
        if name != "lr" and name in parameters and value != parameters[name].default
    }
    return f"{type(optimizer).__name__}({', '.join(f'{name}={value}' for name, value in unusual.items())})"


def _rounded(value: float) -> float | None:
    """Ten significant digits; None for a loss that is far beyond all use, whose digits are noise."""
    return float(f"{value:.10g}") if math.isfinite(value) and abs(value) < 1e4 else None
