"""Skips and batch norm, with and without each, at 18 and 34 layers; blocks that begin as identity; and 56 layers.

ResNet-18 and -34 at an eighth of the width, 10,000 photographs, 20 epochs; and the paper's CIFAR networks of 20 and 56
layers at half of their width, plain and residual, 16 epochs. He's first weights, five seeds, judged on validation
images: what is asked is how well they train.
"""

from functools import partial

from torch import nn

from course_lib import data
from course_lib.models import BasicBlock, ResNet
from course_lib.training import one_cycle
from course_tools.studies.changes import with_he_weights, with_zero_last_gain, without_batch_norm
from course_tools.studies.plan import Planned

SEEDS = 5
IMAGES = 10_000
RECIPE = {"batch_size": 128, "learning_rate": 1e-3, "schedule": one_cycle, "augment": data.flip_and_crop}
RECIPE |= {"precision": "auto"}
BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 20: (3, 3, 3), 56: (9, 9, 9)}


def network(layers: int, skip: bool, norm: bool, zero: bool, width: float) -> nn.Module:
    """A ResNet or its plain twin for photographs of 32 × 32; ``zero`` makes its blocks begin as identity.

    The networks of 20 and 56 layers have 16, 32 and 64 channels at ``width`` 0.25: He et al., 2016, section 4.2.
    """
    built = ResNet(BasicBlock, BLOCKS[layers], num_classes=10, width=width, stem="cifar", skip=skip)
    if not norm:
        without_batch_norm(built)
    with_he_weights(built)
    return with_zero_last_gain(built) if zero else built


def grid(size: str, seed: int) -> list[Planned]:
    """The runs of one seed. ``quick``: one epoch of narrow networks on the sample."""
    quick = size == "quick"

    def planned(layers: int, skip: bool, norm: bool, zero: bool = False) -> Planned:
        width, epochs = (0.125, 20) if layers in (18, 34) else (0.125, 16)
        words = [f"{layers} layers", "skips" if skip else "plain", "batch norm" if norm else "no norm"]
        return Planned(
            ", ".join(words + (["zero start"] if zero else [])),
            seed,
            partial(network, layers=layers, skip=skip, norm=norm, zero=zero, width=1 / 16 if quick else width),
            "cifar10",
            RECIPE | {"epochs": 1 if quick else epochs},
            sample=quick,
            fraction=1.0 if quick else IMAGES / 45_000,
            judge="validation",
        )

    both = [planned(layers, skip, norm) for layers in (18, 34) for skip in (False, True) for norm in (False, True)]
    both += [planned(34, True, norm, zero=True) for norm in (False, True)]
    return both + [planned(layers, skip, True) for layers in (20, 56) for skip in (False, True)]
