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
from course_lib.training.checkpoints import Checkpoint
from course_lib.training.checks import check_arguments, check_device, check_pieces, check_processes
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
    sync_batch_norm: bool = False,
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
        sync_batch_norm: whether batch norms take their statistics from the images of all processes, as
            ``torch.nn.SyncBatchNorm`` does on GPUs, or from each process's own. One process has all images anyway.
        checkpoint: a file to save the run in, and to continue from if it holds the same run.
        checkpoint_seconds: how often to save within an epoch; every epoch's end is saved anyway.
        show: draw the live table.

    What goes wrong without ending the run is shown below the live table, or issued as a :class:`TrainingWarning` where
    none is drawn, and kept in ``history.warnings``: a loss that stays at ln K, a loss that is not a number, layers that
    get no gradient, a batch that had to be split.

    Layers that are in evaluation mode inside a model in training mode, such as frozen batch norms, stay in it.

    **Several processes.** Where ``torchrun`` started this process, all of its processes train this network together:
    each takes its share of every batch, and the gradient is that of the whole batch, so the order of images, the
    augmentation and the step are those of one process. Except for batch norm, see ``sync_batch_norm``; for its running
    means, which are those of the first process's images; for dropout, which draws from a stream of each process and
    step; and for a loss that weights classes, which averages over each share. Every process must call ``fit`` with the
    same arguments. All return the same numbers, but for seconds and memory, which are their own; the first process
    alone draws the table, reads the checkpoint for all, and writes it. Where a process dies, the others end with an
    error, and the same command continues from the checkpoint.

    Before the first step two images go through a copy of the network, and made-up logits through the loss.

    Raises: ValueError for arguments that make no sense or do not work together; CourseError for a precision that the
        device lacks, for a device that has not enough memory for a single image, for a checkpoint that is damaged,
        belongs to another run or cannot be written, and for processes that have no GPU of their own, differ in their
        arguments, or lost one of them.
    """
    splitting = {"micro_batch": micro_batch, "sync_batch_norm": sync_batch_norm}
    recipe = Recipe(epochs, learning_rate, batch_size, optimizer, schedule, loss, augment, seed, **splitting)
    check_arguments(model, train, val, recipe)
    check_device(device)
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
    check_processes(train, val, recipe, setup)
    processes = setup.processes
    with processes.explained_losses(checkpoint):
        processes.join(setup.device)
        if isinstance(loss, nn.Module):
            loss.to(setup.device)
        check_pieces(model, train, val, recipe, setup.device, processes.count)
        if runlog.wants_fingerprints():
            runlog.note("fit", fingerprint(model, train, val, recipe))
        run = Run(model, train, setup, recipe)
        with setup.at_work(), reproducible(seed, setup.device), _explained_memory_errors(run):
            saver = Checkpoint(checkpoint, checkpoint_seconds, run, train) if checkpoint is not None else None
            display = choose_display(show, epochs, len(run.batches), processes.is_first)
            training_loop(run, val.to(setup.device) if val is not None else None, display, saver)
            display.close(run.history, f"{len(run.history)} epochs in {run.history.seconds:.1f} s on {setup}")
    return run.history


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
