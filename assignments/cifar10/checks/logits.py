"""The logits of a student's own network, and the labels of their images."""

from pathlib import Path
from typing import Any

import safetensors.torch
import torch

from checks.script import LOGITS, read_file
from course_lib.errors import CourseError

CLASSES = 10
DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
SHARE = 2_250  # training images that are 5 % of 45,000, the first ones: every "train" tensor is about these
VALIDATION = 5_000  # images that are held out of the 50,000
SHAPES = {"train_5": SHARE, "val_5": VALIDATION, "train_100": SHARE, "val_100": VALIDATION}


def handed_in(folder: Path) -> dict[str, Any]:
    """What judges get of ``logits.safetensors``: ``logits``, float32 (N, 10) by name; or None, and the problem."""
    try:
        return {"logits": _read(folder)}
    except CourseError as error:
        return {"logits": None, "logits_problem": str(error)}


def labels(every: torch.Tensor) -> dict[str, torch.Tensor]:
    """The classes of the images behind each tensor, int64, out of those of all 50,000 images of the training set."""
    from course_lib.data import stratified_holdout  # here, for a sandbox has neither labels nor the library

    train, val = stratified_holdout(every.numpy(), VALIDATION)
    return {name: every[train[:SHARE] if name.startswith("train") else val].long() for name in SHAPES}


def fetched_labels() -> dict[str, torch.Tensor] | None:
    """:func:`labels`, from CIFAR-10 as it was fetched for the training; None where this machine does not have it."""
    from course_lib.data import cache
    from course_lib.data.catalog import CIFAR10

    try:
        return labels(torch.from_numpy(cache.read_array(CIFAR10, "train_labels")))
    except (FileNotFoundError, CourseError):  # not fetched, or damaged
        return None


def _read(folder: Path) -> dict[str, torch.Tensor]:
    if not (folder / LOGITS).exists():
        raise CourseError(f"There is no {LOGITS} yet: the notebook writes it when your network has been trained.")
    try:
        tensors = safetensors.torch.load(read_file(folder, LOGITS))
    except CourseError:
        raise
    except Exception as error:  # SafetensorError, and others for types and shapes that torch does not have
        what = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        raise CourseError(f"{LOGITS} is not a safetensors file ({what}): let the notebook write it again.") from error
    if set(tensors) != set(SHAPES):
        raise CourseError(f"{LOGITS} holds {', '.join(sorted(tensors))[:200]}; it should hold {', '.join(SHAPES)}.")
    for name, count in SHAPES.items():
        tensor = tensors[name]
        if tuple(tensor.shape) != (count, CLASSES) or tensor.dtype not in DTYPES:
            raise CourseError(
                f"{name} in {LOGITS} has shape {tuple(tensor.shape)} and type {tensor.dtype}; it should be float16 "
                f"or float32 of shape ({count}, {CLASSES}), a row an image."
            )
        if not tensor.isfinite().all():
            raise CourseError(f"{name} in {LOGITS} holds NaN or infinity: the training went wrong before it was saved.")
    return {name: tensor.float() for name, tensor in tensors.items()}
