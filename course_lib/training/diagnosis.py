"""Warnings of a run that goes wrong, from numbers that training computes anyway: no result depends on them.

Each symptom is a heading of the book's diagnosis card, to which the warning links.
"""

import functools
import math
from collections.abc import Callable, Iterable

import torch
from torch import nn
from torch.nn import functional as F

from course_lib.training.run import Run

LN_K_TOLERANCE = 0.01  # how far a loss may be from ln K
LN_K_ACCURACY = 1.5  # as a multiple of chance
LN_K_STEPS = 20  # before that, a healthy network may still be where it started
DEAD_LAYER_IMAGES = 16  # in a smaller last batch a healthy layer may be silent by chance


def diagnose(run: Run) -> None:
    """Add to ``run.history.warnings`` the symptoms of the epoch that just ended, each at most once a run."""
    history = run.history
    checks = {"not-a-number": not_a_number, "loss-at-ln-k": loss_at_ln_k, "dead-layers": dead_layers}
    for symptom, check in checks.items():
        text = check(run) if symptom not in history.warnings else None
        if text is not None:
            history.warnings[symptom] = f"Epoch {history[-1].epoch}: {text}"


def not_a_number(run: Run) -> str | None:
    """A warning where the mean training loss is NaN or infinite."""
    loss = run.history[-1].train_loss
    if math.isfinite(loss):
        return None
    weights = dict(run.model.named_parameters())
    broken = [name for name, weight in weights.items() if not bool(torch.isfinite(weight).all())]
    if not broken:
        return f"the training loss is {loss}, though all weights are still finite. Check images, loss and precision."
    return (
        f"the training loss is {loss}, and {len(broken)} of {len(weights)} weight tensors are not finite "
        f"({broken[0]} first). Further steps cannot repair that: build the network again, and lower the learning rate."
    )


def loss_at_ln_k(run: Run) -> str | None:
    """A warning where the mean training loss is that of a network that gives each class the same chance."""
    loss, accuracy, classes = run.history[-1].train_loss, run.history[-1].train_accuracy, run.totals.classes
    if not _is_cross_entropy(run.recipe.loss) or classes < 2 or run.epoch * len(run.batches) < LN_K_STEPS:
        return None
    near = abs(loss - math.log(classes)) <= LN_K_TOLERANCE  # False for NaN
    if not near or accuracy > LN_K_ACCURACY / classes:
        return None
    return (
        f"the training loss is {loss:.3f}. That is ln {classes}, the loss of a network that gives each of {classes} "
        "classes the same chance: so far it has learned next to nothing."
    )


def dead_layers(run: Run) -> str | None:
    """A warning where in the last step the gradients of some layers were exactly zero, and those of others were not."""
    gradients = {
        name: layer.weight.grad
        for name, layer in run.model.named_modules()
        if isinstance(getattr(layer, "weight", None), nn.Parameter) and layer.weight.requires_grad
    }
    last_batch = len(run.batches.split) - (len(run.batches) - 1) * run.batches.batch_size
    if last_batch < DEAD_LAYER_IMAGES or not gradients:
        return None
    if not any(_have_nonzero(parameter.grad for parameter in run.model.parameters() if parameter.grad is not None)):
        return None  # a loss of exactly zero has no gradient: nothing is left to learn
    learning = iter(_have_nonzero(gradient for gradient in gradients.values() if gradient is not None))
    dead = [name for name, gradient in gradients.items() if gradient is None or not next(learning)]
    if not dead:
        return None
    doubt = " In float16 a tiny gradient looks the same." if run.setup.precision == "float16" else ""
    names = dead[0] if len(dead) == 1 else f"{dead[0]} to {dead[-1]}"
    return (
        f"{len(dead)} of {len(gradients)} layers with weights ({names}) got a gradient of exactly zero in the last "
        f"step. Nothing reaches them, so they do not learn.{doubt}"
    )


def _is_cross_entropy(loss: Callable) -> bool:
    """Whether ``loss`` is torch's cross-entropy: the function, a ``functools.partial`` of it, or the layer."""
    function = loss.func if isinstance(loss, functools.partial) else loss
    return function is F.cross_entropy or isinstance(function, nn.CrossEntropyLoss)


def _have_nonzero(tensors: Iterable[torch.Tensor]) -> list[bool]:
    """For each tensor, whether it holds anything but zeros, with one transfer from the device."""
    nonzero = [(tensor != 0).any() for tensor in tensors]
    return torch.stack(nonzero).tolist() if nonzero else []
