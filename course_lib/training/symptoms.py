"""What a run suffers from, as far as the run itself can see it: plain warnings that link to the diagnosis card.

Each looks at numbers that training has made anyway, once an epoch: no step waits for them, and no result changes.
"""

import functools
import math

import torch
from torch import nn
from torch.nn import functional as F

from course_lib.training.run import Run

NEAR = 0.01  # how far a loss may be from ln K and still count as sitting there
CHANCE = 1.5  # how many times better than guessing its answers may be
PATIENCE = 20  # steps: before that, a network may stand where it began
ENOUGH = 16  # images: in a smaller last batch a healthy layer may be silent by chance


def look(run: Run) -> None:
    """Add to ``run.history.warnings`` what the epoch that just ended shows. Each symptom is told once a run."""
    history = run.history
    for symptom, seen in (("not-a-number", not_a_number), ("loss-at-ln-k", loss_at_ln_k), ("dead-layers", dead_layers)):
        text = seen(run) if symptom not in history.warnings else None
        if text is not None:
            history.warnings[symptom] = f"Epoch {history[-1].epoch}: {text}"


def not_a_number(run: Run) -> str | None:
    """The mean training loss is NaN or infinite."""
    loss = run.history[-1].train_loss
    if math.isfinite(loss):
        return None
    weights = list(run.model.named_parameters())
    broken = [name for name, weight in weights if not bool(torch.isfinite(weight).all())]
    if not broken:
        return f"the training loss is {loss}, though all weights are finite still. Look at images, loss and precision."
    return (
        f"the training loss is {loss}, and {len(broken)} of {len(weights)} weight tensors are not finite "
        f"({broken[0]} first). Further steps cannot mend that: build the network again, and lower the learning rate."
    )


def loss_at_ln_k(run: Run) -> str | None:
    """The mean training loss is what a network scores that gives each class the same chance."""
    loss, accuracy, classes = run.history[-1].train_loss, run.history[-1].train_accuracy, run.outputs
    if _plain(run.loss) is not F.cross_entropy or classes < 2 or run.epoch * len(run.batches) < PATIENCE:
        return None
    if not abs(loss - math.log(classes)) <= NEAR or accuracy > CHANCE / classes:  # NaN is not near anything
        return None
    return (
        f"the training loss is {loss:.3f}. That is ln {classes}, the loss of a network that gives each of {classes} "
        "classes the same chance: so far it has learned next to nothing."
    )


def dead_layers(run: Run) -> str | None:
    """In the last step the gradients of some layers were exactly zero, while others had some."""
    layers = [
        (name, layer.weight.grad)
        for name, layer in run.model.named_modules()
        if isinstance(getattr(layer, "weight", None), nn.Parameter) and layer.weight.requires_grad
    ]
    alive = [one for one in run.model.parameters() if one.grad is not None]
    last = len(run.batches.split) - (len(run.batches) - 1) * run.batches.batch_size
    if last < ENOUGH or not layers or not any(_any_nonzero(one.grad for one in alive)):
        return None  # a loss of exactly zero sends nothing back: nothing is dead, all is learned
    learns = iter(_any_nonzero(gradient for _, gradient in layers if gradient is not None))
    dead = [name for name, gradient in layers if gradient is None or not next(learns)]
    if not dead:
        return None
    doubt = " In float16 a tiny gradient looks the same." if run.setup.precision == "float16" else ""
    which = dead[0] if len(dead) == 1 else f"{dead[0]} to {dead[-1]}"
    return (
        f"{len(dead)} of {len(layers)} layers with weights ({which}) got a gradient of exactly zero in the last step. "
        f"Nothing reaches them, so they do not learn.{doubt}"
    )


def _plain(loss) -> object:
    """The function inside a ``functools.partial``, or behind torch's loss as a layer."""
    if isinstance(loss, nn.CrossEntropyLoss):
        return F.cross_entropy
    return loss.func if isinstance(loss, functools.partial) else loss


def _any_nonzero(gradients) -> list[bool]:
    """For each tensor, whether it holds anything but zeros; the device is asked once."""
    found = [(gradient != 0).any() for gradient in gradients]
    return torch.stack(found).tolist() if found else []
