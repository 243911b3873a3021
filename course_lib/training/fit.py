"""``fit``: check the arguments, choose how this machine trains, then run the loop."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

from course_lib import runlog
from course_lib.data import Split
from course_lib.errors import CourseError
from course_lib.models import dtype_of, meta_copy
from course_lib.training.checkpoints import Checkpoint
from course_lib.training.display import choose_display
from course_lib.training.fingerprint import fingerprint
from course_lib.training.history import History, help_link
from course_lib.training.loop import training_loop
from course_lib.training.memory import out_of_memory
from course_lib.training.run import Augmentation, Loss, Recipe, Run
from course_lib.training.schedules import Schedule, constant
from course_lib.training.seeds import reproducible
from course_lib.training.setup import choose_setup


def fit(
    model: nn.Module,
    train: Split,
    val: Split | None = None,
    *,
    epochs: int,
    learning_rate: float = 1e-3,
    batch_size: int = 128,
    optimizer: Callable[..., torch.optim.Optimizer] = torch.optim.Adam,
    schedule: Schedule = constant,
    loss: Loss = F.cross_entropy,
    augment: Augmentation | None = None,
    seed: int = 0,
    device: torch.device | str | None = None,
    precision: str = "float32",
    channels_last: bool | None = None,
    fused: bool | None = None,
    compiled: bool | None = None,
    keep_memory: bool | None = None,
    threads: int | None = None,
    micro_batch: int | None = None,
    checkpoint: Path | str | None = None,
    checkpoint_seconds: float = 30.0,
    show: bool = True,
) -> History:
    """Train ``model`` in place and return its history, epoch by epoch.

    Args:
        model: takes images (N, C, H, W), returns logits (N, K). It is moved to ``device`` and stays there.
        train: the images to learn from, in a new random order each epoch.
        val: the images to validate on after each epoch, in the precision of training; None skips that.
        epochs: passes over ``train``, at least 1.
        learning_rate: the peak rate; ``schedule`` scales it.
        batch_size: images a step; the last step of an epoch takes what is left.
        optimizer: called as ``optimizer(model.parameters(), lr=learning_rate)``.
        schedule: from the share of training done to a factor of the rate, or of each parameter group's own rate.
        loss: takes logits (N, K) and labels (N,), returns the mean over the batch.
        augment: changes each training batch, normalised (N, C, H, W), at random; see ``course_lib.data.augmentation``.
        seed: of the order of images, of dropout and of augmentation. The first weights are the model's own.
        device, precision, channels_last, fused, compiled, keep_memory, threads: how to use this machine. None lets
            ``fit`` choose, and ``precision="auto"`` lets it choose what is fast: see
            :func:`course_lib.training.choose_setup`. The choice is shown below the live table and kept in
            ``history.setup``.
        micro_batch: how many images go through the network at once; the gradients of a batch's parts are added up, so
            the step is that of the whole batch. Apart from batch norm, whose statistics are the part's; dropout, which
            draws other units; and a loss that weights classes, which averages over each part. None sends the whole
            batch, and halves that for as long as the device has not enough memory.
        checkpoint: a file to save the run in, and to continue from if it holds the same run.
        checkpoint_seconds: how often to save within an epoch; every epoch's end is saved anyway.
        show: draw the live table.

    What goes wrong without ending the run is shown below the live table, or issued as a :class:`TrainingWarning` where
    none is drawn, and kept in ``history.warnings``: a loss that stays at ln K, a loss that is not a number, layers that
    get no gradient, a batch that had to be split.

    Layers that are in evaluation mode inside a model in training mode, such as frozen batch norms, stay in it.

    Raises: ValueError for arguments that make no sense; CourseError for a precision that the device lacks, for a device
        that has not enough memory for a single image, and for a checkpoint that is damaged, belongs to another run or
        cannot be written.
    """
    for name, value in {"epochs": epochs, "batch_size": batch_size, "micro_batch": micro_batch}.items():
        if value is not None and (not isinstance(value, int) or value < 1):
            raise ValueError(f"{name} must be a whole number of at least 1, not {value!r}")
    if isinstance(loss, type):
        raise ValueError(f"loss is the class {loss.__name__}, not a function: write loss={loss.__name__}()")
    if isinstance(optimizer, torch.optim.Optimizer):
        name = type(optimizer).__name__
        raise ValueError(f"optimizer is a finished {name}: give its class, or functools.partial(torch.optim.{name}, …)")
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise ValueError("the model has no parameter to train: requires_grad is False for all, or it has none")
    if batch_size > len(train):
        raise ValueError(f"batch_size is {batch_size:,}, but there are {len(train):,} images to train on: take fewer")
    _refuse_a_missing_device(device)
    setup = choose_setup(
        model,
        device=device,
        precision=precision,
        channels_last=channels_last,
        optimizer=optimizer,
        fused=fused,
        compiled=compiled,
        keep_memory=keep_memory,
        threads=threads,
    )
    _refuse_a_batch_of_one(model, train, batch_size)
    recipe = Recipe(epochs, learning_rate, batch_size, optimizer, schedule, loss, augment, seed, micro_batch)
    if runlog.wants_fingerprints():
        runlog.note("fit", fingerprint(model, train, val, recipe))
    run = Run(model, train, setup, recipe)
    with setup.at_work(), reproducible(seed, setup.device), _explained_memory_errors(run):
        saver = Checkpoint(checkpoint, checkpoint_seconds, run, train) if checkpoint is not None else None
        display = choose_display(show, epochs, len(run.batches))
        training_loop(run, val.to(setup.device) if val is not None else None, display, saver)
        display.close(run.history, f"{len(run.history)} epochs in {run.history.seconds:.1f} s on {setup}")
    return run.history


def _refuse_a_missing_device(device: torch.device | str | None) -> None:
    kind = torch.device(device).type if device is not None else "cpu"
    if {"cuda": torch.cuda.is_available, "mps": torch.backends.mps.is_available}.get(kind, lambda: True)():
        return
    raise CourseError(f"device={str(device)!r}, but torch finds none here: leave device out, or use 'cpu'.")


def _refuse_a_batch_of_one(model: nn.Module, train: Split, batch_size: int) -> None:
    """Raise ValueError where the last batch of an epoch would be one image, and a batch norm cannot average that."""
    if len(train) % batch_size != 1:
        return
    twin = meta_copy(model)
    image = torch.empty(1, *train.images.shape[1:], dtype=dtype_of(twin), device="meta")
    try:
        with torch.no_grad(), torch.device("meta"):
            twin(image)
    except ValueError as error:
        if "more than 1 value per channel" in str(error):
            raise ValueError(
                f"the last batch would hold 1 image, of {len(train):,} in batches of {batch_size}, and a batch norm of "
                "this model needs two: take another batch_size, or one image less"
            ) from error
    except RuntimeError:
        return  # a network that needs values cannot be tried so


@contextlib.contextmanager
def _explained_memory_errors(run: Run) -> Iterator[None]:
    """Turn a device's memory error into a CourseError with the step that the run reached."""
    try:
        yield
    except RuntimeError as error:
        if not out_of_memory(error):
            raise
        smaller = f"take a batch_size below {run.recipe.batch_size:,}, or fewer pixels or channels"
        raise CourseError(
            f"{run.setup.machine} ran out of memory in epoch {run.epoch + 1}, step {run.step + 1}, so the network is "
            f"not trained: build it again, and {smaller}. See {help_link('out-of-memory')}"
        ) from error
