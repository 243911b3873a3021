"""Look at the pieces of a run before its first step: what cannot work ends in one line, and no work is lost.

Two images go through a copy of the network, and made-up logits through the loss. Weights, buffers, modes, hooks and
random streams stay as they are.
"""

import contextlib
import inspect
import math
import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import nn

from course_lib.data import Batches, Split
from course_lib.errors import CourseError
from course_lib.models import dtype_of, meta_copy, shape_mismatch
from course_lib.models.classifier import copy_of, first_line, logits_in
from course_lib.training.distributed import local_rank
from course_lib.training.history import name_of
from course_lib.training.memory import out_of_memory
from course_lib.training.run import Recipe
from course_lib.training.setup import Setup


def check_arguments(model: nn.Module, train: Split, val: Split | None, recipe: Recipe) -> None:
    """Raise ValueError for an argument of ``fit`` that makes no sense by itself."""
    for name, value, kind in (("model", model, nn.Module), ("train", train, Split), ("val", val, Split | None)):
        if not isinstance(value, kind):
            shown = getattr(value, "__name__", f"a {type(value).__name__}")
            raise ValueError(f"{name} must be {'a network' if name == 'model' else 'a Split'}, not {shown}")
    for name in ("epochs", "batch_size", "micro_batch"):
        value = getattr(recipe, name)
        if not (isinstance(value, int) and value >= 1) and (name, value) != ("micro_batch", None):
            raise ValueError(f"{name} must be a whole number of at least 1, not {value!r}")
    if isinstance(recipe.loss, type):
        name = recipe.loss.__name__
        raise ValueError(f"loss is the class {name}, not a function: write loss={name}()")
    if isinstance(recipe.optimizer, torch.optim.Optimizer):
        name = type(recipe.optimizer).__name__
        raise ValueError(f"optimizer is a finished {name}: give its class, or functools.partial(torch.optim.{name}, …)")
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise ValueError("the model has no parameter to train: requires_grad is False for all, or it has none")
    if any(parameter.is_meta for parameter in model.parameters()):
        raise ValueError("the model is on the meta device and has no values: build it outside of torch.device('meta')")
    if recipe.batch_size > len(train):
        many = f"there are {len(train):,} images to train on: take fewer"
        raise ValueError(f"batch_size is {recipe.batch_size:,}, but {many}")


def check_device(device: torch.device | str | None) -> None:
    """Raise CourseError for a device that torch does not find here, ValueError for what is none."""
    with _must("device", device, "such as 'cpu' or 'cuda'"):
        wanted = torch.device(device if device is not None else "cpu")
    found = {"cuda": torch.cuda.is_available() and torch.cuda.device_count(), "mps": torch.backends.mps.is_available()}
    if (wanted.index or 0) >= found.get(wanted.type, math.inf):
        raise CourseError(f"device={str(device)!r}, but torch finds none here: leave device out, or use 'cpu'.")


def check_processes(train: Split, val: Split | None, recipe: Recipe, setup: Setup) -> None:
    """Raise ValueError where several processes cannot share this work, CourseError where they cannot do it here."""
    processes, device = setup.processes.count, setup.device
    if processes == 1:
        return
    if recipe.micro_batch is not None:
        more = "each of them takes a part of every batch anyway: leave it out"
        raise ValueError(f"micro_batch is for one process, and these are {processes}; {more}")
    if recipe.batch_size < processes:
        raise ValueError(
            f"batch_size must be an image for each of {processes} processes at least, not {recipe.batch_size}"
        )
    if val is not None and len(val) < processes:
        raise ValueError(f"val must have an image for each of {processes} processes at least, not {len(val)}")
    if device.type == "cuda":
        if device.index is not None:
            raise ValueError(f"device={str(device)!r}, but each process takes a GPU of its own: write device='cuda'")
        if local_rank() >= torch.cuda.device_count():
            gpus = torch.cuda.device_count()
            raise CourseError(
                f"Of {processes} processes each needs a GPU, and here are {gpus}: start {gpus} processes."
            )
    elif device.type != "cpu":
        raise CourseError(f"Several processes train on CPUs or on CUDA, not on {setup.machine}: start one process.")
    elif recipe.sync_batch_norm:
        raise CourseError("torch.nn.SyncBatchNorm computes on CUDA only: leave out sync_batch_norm, or use GPUs.")
    last = len(train) % recipe.batch_size or recipe.batch_size
    if recipe.sync_batch_norm and last < processes:
        raise ValueError(
            f"the last batch holds {last} images, of {len(train):,} in batches of {recipe.batch_size}, and "
            f"sync_batch_norm needs one for each of {processes} processes: take another batch_size"
        )


def check_pieces(
    model: nn.Module, train: Split, val: Split | None, recipe: Recipe, device: torch.device, processes: int = 1
) -> None:
    """Raise ValueError where schedule, optimiser, loss, images and network do not work together."""
    count = min(2, _smallest_part(len(train), recipe, processes))
    with _undisturbed():
        with _must("schedule", recipe.schedule, "a function from the share of training done to a finite factor"):
            math.floor(recipe.schedule(0.0))
        if not (recipe.augment is None or callable(recipe.augment)):
            raise ValueError(f"augment must be a function that changes a batch of images, not {recipe.augment!r}")
        _check_optimizer(model, recipe)
        _check_loss(recipe, len(train.classes), device)
        for split in (train, val):
            if split is None:
                continue
            Batches(split, recipe.batch_size, device=split.images.device)
            images = split.normalize(split.images[:1]).cpu().expand(count, *split.images.shape[1:])
            try:
                output = _dry_run(model, images, device, f"of {len(train):,} in batches of {recipe.batch_size}")
            except (TypeError, RuntimeError):  # what cannot be copied, or has no memory for that, cannot be tried
                return
            logits, classes = logits_in(output, len(images), type(model).__name__), len(split.classes)
            if logits.shape[1] != classes:
                more = "; two classes take two logits and cross-entropy" if logits.shape[1] == 1 else ""
                raise ValueError(
                    f"{type(model).__name__} returns {logits.shape[1]} logits an image, but {split.name} has {classes} "
                    f"classes: build it with {classes}{more}"
                )
            if not logits.requires_grad:
                raise ValueError(f"the logits of {type(model).__name__} have no gradient: leave out detach and no_grad")


def check_augmented(images: object, labels: torch.Tensor) -> None:
    """Raise ValueError where an augmentation returned something else than a batch of as many images."""
    if not isinstance(images, torch.Tensor) or len(images) != len(labels):
        shown = f"{len(images)} of them" if isinstance(images, torch.Tensor) else f"a {type(images).__name__}"
        raise ValueError(f"augment must be a function that returns a batch of {len(labels)} images, not {shown}")


def _check_optimizer(model: nn.Module, recipe: Recipe) -> None:
    with _must("optimizer", recipe.optimizer, f"callable as optimizer(parameters, lr={recipe.learning_rate!r})"):
        optimizer = recipe.optimizer(model.parameters(), lr=recipe.learning_rate)
        closure = inspect.signature(optimizer.step).parameters.get("closure")
        given = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
        if isinstance(optimizer, torch.optim.SparseAdam) or (closure and closure.default is closure.empty):
            raise ValueError("it needs sparse gradients or a closure, and fit has neither; take SGD or Adam")
        if not any(id(parameter) in given for parameter in model.parameters() if parameter.requires_grad):
            raise ValueError("it has no parameter of this model")


def _check_loss(recipe: Recipe, classes: int, device: torch.device) -> None:
    labels = (
        torch.arange(classes + 1, device=device) % classes
    )  # one more than classes: so nothing broadcasts by chance
    logits = torch.linspace(-1, 1, len(labels) * classes, device=device).view(-1, classes).requires_grad_()
    shapes = f"logits of shape {tuple(logits.shape)} and int64 labels of shape {tuple(labels.shape)}"
    with _must("loss", recipe.loss, f"a differentiable mean over the batch, from {shapes}"):
        once = recipe.loss(logits, labels)
        once.reshape(()).backward()
        twice = recipe.loss(torch.cat([logits, logits]), torch.cat([labels, labels]))
        if once and once.isfinite() and torch.isclose(twice, 2 * once, rtol=1e-4):
            raise ValueError("it is the sum")


def _dry_run(model: nn.Module, images: torch.Tensor, device: torch.device, batches: str) -> Any:
    """The output of a copy of ``model`` in the modes of training, on the meta device or, if need be, with its values.

    Raises: TypeError where the model cannot be copied; RuntimeError where the device has not enough memory; ValueError
        where the model does not take the images.
    """
    name, dtype = type(model).__name__, dtype_of(model)
    twin = meta_copy(model)
    try:
        try:
            with torch.device("meta"):
                return _as_in_training(twin)(images.to("meta"))
        except Exception:  # a forward that needs values, say
            return _as_in_training(copy_of(model, lambda tensor: tensor.to(device, copy=True)))(images.to(device))
    except Exception as error:
        if isinstance(error, RuntimeError) and out_of_memory(error):
            raise
        reason = shape_mismatch(model, images)
        if "more than 1 value per channel" in str(error):
            part = f"the last batch would hold 1 image, {batches}, or a part of it, or a process's share"
            fix = "take another batch_size or micro_batch, or one image less"
            reason = f"{part}, and a batch norm of this model needs two: {fix}"
        elif reason is None and dtype not in (None, torch.float32):
            kind = str(dtype).removeprefix("torch.")
            reason = (
                f"the weights of {name} are {kind}, and images float32: call float() on it; precision= is for speed"
            )
        shape = tuple(images.shape)
        raise ValueError(reason or f"{name} does not take images of shape {shape}: {first_line(error)}") from error


def _as_in_training(twin: nn.Module) -> nn.Module:
    return twin if twin.training else twin.train()  # single layers in evaluation mode stay in it


def _smallest_part(images: int, recipe: Recipe, processes: int) -> int:
    """How few images go through the network at once, in the last batch, a part or a process's share of one."""
    batches = {recipe.batch_size, images % recipe.batch_size or recipe.batch_size}
    batches = {max(1, batch // processes) for batch in batches}
    return min(batch // -(-batch // min(recipe.micro_batch or batch, batch)) for batch in batches)


@contextlib.contextmanager
def _must(name: str, value: Any, be: str) -> Iterator[None]:
    """Turn any error inside into a ValueError that names an argument and what it must be."""
    try:
        yield
    except Exception as error:
        shown = repr(value) if value is None or isinstance(value, str | int | float) else name_of(value)
        raise ValueError(f"{name} must be {be}; {shown} is not: {first_line(error)}") from error


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Restore the random streams after the ``with`` block."""
    states = random.getstate(), np.random.get_state()
    with torch.random.fork_rng(devices=[]):
        yield
    random.setstate(states[0])
    np.random.set_state(states[1])
