"""``fit``: the one training loop of the course. Nothing in it knows which network it trains."""

import contextlib
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

from course_lib import runlog
from course_lib.data import Split
from course_lib.errors import CourseError
from course_lib.training import schedules, symptoms
from course_lib.training.checkpoints import digest_of_split, digest_of_weights, load_checkpoint, save_checkpoint
from course_lib.training.devices import out_of_memory, release_memory
from course_lib.training.fingerprint import fingerprint
from course_lib.training.history import History, help_link
from course_lib.training.inference import BATCH, Score, evaluate
from course_lib.training.live import choose_display
from course_lib.training.run import Augmentation, Loss, Run
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
    schedule: schedules.Schedule = schedules.constant,
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
    """Train ``model`` in place and return what happened, epoch by epoch.

    Args:
        model: takes images (N, C, H, W), returns logits (N, K). It is moved to ``device`` and stays there.
        train: the images to learn from, in a new random order each epoch.
        val: the images to judge each epoch by, in the precision of training; None skips that.
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
            :func:`course_lib.training.choose_setup`. What was chosen stands in one line below the live table, and in
            ``history.setup``.
        micro_batch: how many images go through the network at once; the gradients of a batch's parts are added up, so
            the step is that of the whole batch. Apart from batch norm, whose statistics are the part's; dropout, which
            draws other units; and a loss that weights classes, which averages over each part. None sends the whole
            batch, and halves that for as long as the device has not enough memory.
        checkpoint: a file to save the run in, and to go on from if it holds the same run.
        checkpoint_seconds: how often to save within an epoch; every epoch's end is saved anyway.
        show: draw the live table.

    What goes wrong without ending the run stands below the live table, or comes as a :class:`TrainingWarning` where
    none is drawn, and stays in ``history.warnings``: a loss that sits at ln K, a loss that is not a number, layers that
    get no gradient, a batch that had to be split.

    Raises: ValueError for sizes that make no sense; CourseError for a precision that the device lacks, for a device
        that has not enough memory for a single image, and for a checkpoint that is damaged, belongs to another run or
        cannot be written.
    """
    if epochs < 1:
        raise ValueError(f"epochs must be at least 1, not {epochs}")
    if micro_batch is not None and micro_batch < 1:
        raise ValueError(f"micro_batch must be at least 1, not {micro_batch}")
    if batch_size > len(train):
        raise ValueError(f"batch_size is {batch_size:,}, but there are {len(train):,} images to train on: take fewer")
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
    asked = {
        "epochs": epochs,
        "learning_rate": learning_rate,
        "batch_size": batch_size,
        "optimizer": optimizer,
        "schedule": schedule,
        "loss": loss,
        "augment": augment,
        "seed": seed,
        "micro_batch": micro_batch,
    }
    if runlog.wants_fingerprints():
        runlog.note("fit", fingerprint(model, train, val, **asked))
    run = Run(model, train, setup, **asked)
    with setup.at_work(), reproducible(seed, setup.device), _memory_errors_explained(run, batch_size):
        keeper = _Keeper(Path(checkpoint), checkpoint_seconds, run, train) if checkpoint is not None else None
        val = val.to(setup.device) if val is not None else None
        display = choose_display(show, epochs, len(run.batches))
        while run.epoch < epochs:
            for _ in run.train_epoch():
                display.step(run.history, run.epoch, run.step - 1)
                if keeper is not None:
                    keeper.save_if_due()
            judged = Score(math.nan, math.nan, 0)
            if val is not None:
                judged = _judge(run, val)
            run.close_epoch(judged)
            symptoms.look(run)
            display.epoch(run.history)
            if keeper is not None:
                keeper.save()
        display.close(run.history, f"{len(run.history)} epochs in {run.history.seconds:.1f} s on {setup}")
    return run.history


def _judge(run: Run, val: Split) -> Score:
    """:func:`evaluate`, with fewer images at a time where the device has not enough memory: no answer depends on it."""
    at_a_time = BATCH
    while True:
        try:
            options = {"loss": run.loss, "precision": run.setup.precision, "batch_size": at_a_time}
            return evaluate(run.model, val, device=run.setup.device, **options)
        except RuntimeError as error:
            if at_a_time == 1 or not out_of_memory(error):
                raise
        release_memory(run.setup.device)
        at_a_time //= 2


class _Keeper:
    """Keeps a run's checkpoint. Made before the first step, it takes the run to where its checkpoint left it."""

    def __init__(self, path: Path, seconds: float, run: Run, train: Split):
        self.path, self.seconds, self.run = path, seconds, run
        self.fingerprint = run.history.recipe | {
            "training images": digest_of_split(train),
            "first weights": digest_of_weights(run.model),
        }
        saved = load_checkpoint(path, self.fingerprint, run.setup.device)
        if saved is not None:
            run.load(saved)
        self.last = time.monotonic()

    def save_if_due(self) -> None:
        if time.monotonic() - self.last >= self.seconds:
            self.save()

    def save(self) -> None:
        save_checkpoint(self.path, {"fingerprint": self.fingerprint, **self.run.state()})
        self.last = time.monotonic()


@contextlib.contextmanager
def _memory_errors_explained(run: Run, batch_size: int) -> Iterator[None]:
    """A device without memory ends the run, and says how far it came: nobody takes the network for a trained one."""
    try:
        yield
    except RuntimeError as error:
        if not out_of_memory(error):
            raise
        smaller = f"take a batch_size below {batch_size:,}, or fewer pixels or channels"
        raise CourseError(
            f"{run.setup.machine} ran out of memory in epoch {run.epoch + 1}, step {run.step + 1}, so the network is "
            f"not trained: build it again, and {smaller}. See {help_link('out-of-memory')}"
        ) from error
