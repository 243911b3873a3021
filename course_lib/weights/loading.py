"""``load``: the one call with which a network gets weights that others trained."""

import torch

from course_lib import runlog
from course_lib.weights import cache, roads
from course_lib.weights.catalog import spec_of


def load(name: str) -> dict[str, torch.Tensor]:
    """Load pretrained weights, from the cache, or fetched into it the first time.

    Args:
        name: one of ``NAMES``.

    Returns: a state dict on the CPU: float32 tensors, and the int64 counters of batch norms. ``vgg16-features`` and
        ``alexnet-features`` hold convolutions only, under torchvision's keys (``features.0.weight`` …);
        ``mobilenet-v2`` and ``efficientnet-lite0`` are whole, with the head of 1000 classes.
    Raises: CourseError for an unknown name, a damaged file, or weights that cannot be had.
    """
    spec = spec_of(name)
    roads.ensure(name)
    tensors = cache.read(spec)
    runlog.note("weights", name)
    return tensors


def available(name: str) -> bool:
    """Whether weights are in the cache. Asks no network and reads no file. Raises CourseError for an unknown name."""
    return cache.path_of(name).exists()
