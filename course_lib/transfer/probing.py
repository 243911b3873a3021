"""Short looks at a network on its way: a head on each cut of a backbone, and the first steps of training."""

from dataclasses import dataclass, replace

import torch
from torch import nn

from course_lib import training
from course_lib.data import Split
from course_lib.training import History
from course_lib.transfer.choices import Choices
from course_lib.transfer.guards import snapshot
from course_lib.transfer.inputs import draw, prepare
from course_lib.transfer.networks import build
from course_lib.transfer.rungs import CUTS
from course_lib.transfer.running import BATCH, run


def accuracy_by_cut(
    train: Split, judged: Split, choices: Choices, cuts: tuple[str, ...] = CUTS, **options
) -> dict[str, float]:
    """The accuracy of a new head on frozen features, for a backbone that ends earlier or later.

    Args:
        train, judged: grey digits, as for :func:`course_lib.transfer.run`, which takes the ``options``.
        choices: all others than the backbone, and what is trained.
        cuts: names of backbones, from the shortest to the whole.
    """
    heads = {cut: replace(choices, backbone=cut, trained="head") for cut in cuts}
    return {cut: run(train, judged, one, **options).accuracy for cut, one in heads.items()}


@dataclass(frozen=True)
class FirstSteps:
    """A network after its first steps, a copy of what it was ``before``, and the history of these steps."""

    network: nn.Module
    before: dict[str, torch.Tensor]
    history: History


def first_steps(digits: Split, choices: Choices, steps: int = 10, *, seed: int = 0, **options) -> FirstSteps:
    """Train for a few steps of 32 digits each, to see where the weights go.

    ``digits`` are grey; ``options`` are for ``fit``. Raises: as :func:`course_lib.transfer.run`; ValueError for less
    than one step.
    """
    if steps < 1:
        raise ValueError(f"steps must be at least 1, not {steps}")
    training.set_seed(seed)
    network = build(choices)
    before = snapshot(network)
    few = prepare(draw(digits, steps * BATCH), choices)
    options = {"precision": "auto", "show": False, "batch_size": min(BATCH, len(few))} | options
    history = training.fit(network, few, epochs=1, learning_rate=choices.rate, seed=seed, **options)
    return FirstSteps(network, before, history)
