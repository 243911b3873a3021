"""What a training run computes, in a few numbers that do not depend on the machine.

The pipeline takes a fingerprint of every ``fit`` in the quick profile and keeps it with the published page. Where the
library of a later day gives the same numbers, the page is still true, however the library was rewritten in between.

All of it is computed in float64, on one thread, on a copy of the network and with random generators of its own, so the
run itself is not touched. Float32 would not do: its rounding differs from processor to processor, and after four steps
of ResNet-18 that noise (1 %) hides a learning rate that is 1 % off.
"""

import copy
import inspect
import itertools
import math
import warnings
import weakref
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from course_lib.data import Split
from course_lib.training.inference import evaluate
from course_lib.training.run import Run
from course_lib.training.seeds import reproducible
from course_lib.training.setup import Setup
from course_lib.training.sums import Sums

# The arguments of fit that decide what a run computes; the others are about the machine, or show.
ASKED = ("epochs", "learning_rate", "batch_size", "optimizer", "schedule", "loss", "augment", "seed", "micro_batch")
IMAGES = 8  # of each batch
STEPS = 4
JUDGED = 64
_seen: weakref.WeakKeyDictionary[nn.Module, set[str]] = weakref.WeakKeyDictionary()


class _InDouble(nn.Module):
    """A copy of a network that computes in float64, without the hooks of the original."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = copy.deepcopy(network).cpu().double()
        for module in self.network.modules():
            for hooks in (module._forward_hooks, module._forward_pre_hooks, module._backward_hooks):
                hooks.clear()

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.network(images.double())


def fingerprint(
    model: nn.Module, train: Split, val: Split | None, *, loss: Callable, seed: int, **asked: Any
) -> dict[str, Any] | None:
    """The fingerprint of the run that ``fit`` is about to begin; None where this network was trained so before.

    Args:
        model: as it is before the first step. It is not changed.
        train, val, loss, seed: as ``fit`` got them.
        asked: all other arguments of :class:`course_lib.training.run.Run`.

    Returns: ``recipe``, in words; ``loss`` of the first four steps on 8 images each, and their learning ``rates``;
        ``gradient``, the norm of the first step's; ``schedule``, its factor at 11 points; ``judged``, the loss and
        accuracy that ``evaluate`` gives on 64 images before training. Not-a-number and what is beyond 10⁴ are None.
    """
    device = torch.device("cpu")
    network = _InDouble(model)
    loss = copy.deepcopy(loss).double() if isinstance(loss, nn.Module) else loss
    with warnings.catch_warnings(), reproducible(seed, device):
        warnings.simplefilter("ignore")
        setup = Setup(device, threads=1)
        run = Run(network, train, setup, loss=loss, seed=seed, **asked)
        recipe = run.history.recipe | {"model": type(model).__name__, "optimizer": _optimizer(run.optimizer)}
        recipe.pop("precision")  # the machine's own choice
        said = repr(recipe)
        if said in _seen.setdefault(model, set()):
            return None
        _seen[model].add(said)
        with setup.at_work():
            shown = val if val is not None else train
            judged = evaluate(network, shown.to(device).select(range(min(JUDGED, len(shown)))), loss=loss)
            torch.manual_seed(seed)
            losses, rates, gradient = _first_steps(run)
    schedule = asked["schedule"]
    return {
        "recipe": recipe,
        "loss": [_number(one) for one in losses],
        "gradient": _number(gradient),
        "rates": [_number(one) for one in rates],
        "schedule": [_number(schedule(min(tenths / 10, 0.99))) for tenths in range(11)],
        "judged": {"images": judged.count, "loss": _number(judged.loss), "accuracy": _number(judged.accuracy)},
    }


def _first_steps(run: Run) -> tuple[list[float], list[float], float]:
    """Losses and learning rates of the first steps, each on the first images of its batch, and the first gradient."""
    run.model.train()
    losses, rates, gradient = [], [], math.nan
    for images, labels in itertools.islice(run.batches.along(run.batches.draw_order()), STEPS):
        run.sums = Sums(run.setup.device)
        run._train_step(images[:IMAGES], labels[:IMAGES])
        run.step += 1
        losses.append(run.sums.mean_loss())
        rates.append(run.optimizer.param_groups[0]["lr"])
        if len(losses) == 1:
            gradients = [one.grad for one in run.model.parameters() if one.grad is not None]
            gradient = math.sqrt(sum(one.double().square().sum().item() for one in gradients))
    return losses, rates, gradient


def _optimizer(optimizer: torch.optim.Optimizer) -> str:
    """Its name, and the settings that are not the usual ones: versions of torch differ in how many there are."""
    usual = inspect.signature(type(optimizer)).parameters
    unusual = {
        name: value
        for name, value in sorted(optimizer.defaults.items())
        if name != "lr" and name in usual and value != usual[name].default
    }
    return f"{type(optimizer).__name__}({', '.join(f'{name}={value}' for name, value in unusual.items())})"


def _number(value: float) -> float | None:
    """Ten significant digits; None for a loss that is far beyond all use, whose digits are noise."""
    return float(f"{value:.10g}") if math.isfinite(value) and abs(value) < 1e4 else None
