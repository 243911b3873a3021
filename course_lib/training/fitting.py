"""``fit``: the one training loop of the course. Nothing in it knows which network it trains."""

import math
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from course_lib.analysis.layers import count_multiply_adds
from course_lib.data import Batches, Split
from course_lib.training import schedules
from course_lib.training.checkpoints import (
    digest_of_split,
    digest_of_weights,
    load_checkpoint,
    save_checkpoint,
)
from course_lib.training.devices import (
    best_device,
    choose_memory_format,
    choose_precision,
    describe_device,
    peak_memory_mb,
    reset_peak_memory,
    synchronize,
)
from course_lib.training.history import Epoch, History
from course_lib.training.inference import evaluate
from course_lib.training.live import choose_display
from course_lib.training.seeds import random_state, reproducible, restore_random_state

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
Augmentation = Callable[[torch.Tensor], torch.Tensor]


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
    checkpoint: Path | str | None = None,
    checkpoint_seconds: float = 30.0,
    show: bool = True,
) -> History:
    """Train ``model`` in place and return what happened, epoch by epoch.

    Args:
        model: takes images (N, C, H, W), returns logits (N, K). It is moved to ``device`` and stays there.
        train: the images to learn from, in a new random order each epoch.
        val: the images to judge each epoch by; None skips that.
        epochs: passes over ``train``, at least 1.
        learning_rate: the peak rate; ``schedule`` scales it.
        batch_size: images a step; the last step of an epoch takes what is left.
        optimizer: called as ``optimizer(model.parameters(), lr=learning_rate)``.
        schedule: from the share of training done to a factor of the rate.
        loss: takes logits (N, K) and labels (N,), returns the mean over the batch.
        augment: changes each training batch, normalised (N, C, H, W), at random; see ``course_lib.data.augmentation``.
        seed: of the order of images, of dropout and of augmentation. The first weights are the model's own.
        device: default is CUDA, else MPS, else the CPU.
        precision: ``"float32"``, or ``"auto"`` for half precision where GPU or CPU are built for it.
        checkpoint: a file to save the run in, and to go on from if it holds the same run.
        checkpoint_seconds: how often to save within an epoch; every epoch's end is saved anyway.
        show: draw the live table.

    Raises: ValueError for sizes that make no sense; CourseError for a checkpoint that is damaged, belongs to another
        run or cannot be written.
    """
    if epochs < 1:
        raise ValueError(f"epochs must be at least 1, not {epochs}")
    device = torch.device(device) if device is not None else best_device()
    number_format = choose_precision(precision, device)
    memory_format = choose_memory_format(model, number_format, device)
    model.to(device, memory_format=memory_format)
    order = torch.Generator().manual_seed(seed)
    batches = Batches(train, batch_size, shuffle=True, generator=order, device=device)
    if val is not None:
        val = val.to(device)
    engine = optimizer(model.parameters(), lr=learning_rate)
    scaler = torch.amp.GradScaler(device.type, enabled=number_format.dtype is torch.float16)
    recipe = {
        "model": type(model).__name__,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "multiply_adds": _multiply_adds(model, train),
        "train": len(train),
        "epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "optimizer": _describe(engine),
        "schedule": _name(schedule),
        "loss": _name(loss),
        "augment": _name(augment) if augment is not None else "none",
        "precision": number_format.name,
        "seed": seed,
    }
    history = History(device=describe_device(device), precision=number_format.name, recipe=recipe)
    sums = _Sums(device)
    first_epoch = first_step = 0
    order_at_epoch_start = order.get_state()

    with reproducible(seed, device):
        if checkpoint is not None:
            checkpoint = Path(checkpoint)
            fingerprint = recipe | {
                "training images": digest_of_split(train),
                "first weights": digest_of_weights(model),
            }
            saved = load_checkpoint(checkpoint, fingerprint, device)
            if saved is not None:
                model.load_state_dict(saved["model"])
                engine.load_state_dict(saved["optimizer"])
                scaler.load_state_dict(saved["scaler"])
                restore_random_state({key: value.cpu() for key, value in saved["random"].items()}, device)
                order_at_epoch_start = saved["order"].cpu()
                order.set_state(order_at_epoch_start)
                history.epochs = [Epoch(**row) for row in saved["history"]]
                sums = _Sums(device, **saved["sums"])
                first_epoch, first_step = saved["epoch"], saved["step"]

        def save(epoch: int, step: int) -> None:
            state: dict[str, Any] = {
                "fingerprint": fingerprint,
                "model": model.state_dict(),
                "optimizer": engine.state_dict(),
                "scaler": scaler.state_dict(),
                "random": random_state(device),
                "order": order_at_epoch_start,
                "history": [asdict(row) for row in history.epochs],
                "sums": sums.state(),
                "epoch": epoch,
                "step": step,
            }
            save_checkpoint(checkpoint, state)

        display = choose_display(show, epochs, len(batches))
        last_save = time.monotonic()
        for epoch in range(first_epoch, epochs):
            reset_peak_memory(device)
            model.train()
            synchronize(device)
            began = time.perf_counter() - sums.seconds
            for step, (images, labels) in enumerate(batches.along(batches.draw_order(), first_step), first_step):
                progress = (epoch * len(batches) + step) / (epochs * len(batches))
                for group in engine.param_groups:
                    group["lr"] = learning_rate * schedule(progress)

                if augment is not None:
                    images = augment(images)
                images = images.contiguous(memory_format=memory_format)
                with number_format.autocast(device):
                    logits = model(images)
                    batch_loss = loss(logits, labels)
                engine.zero_grad(set_to_none=True)
                scaler.scale(batch_loss).backward()
                scaler.step(engine)
                scaler.update()

                sums.add(batch_loss, logits, labels)
                display.step(history, epoch, step)
                if checkpoint is not None and time.monotonic() - last_save >= checkpoint_seconds:
                    sums.seconds = time.perf_counter() - began
                    save(epoch, step + 1)
                    last_save = time.monotonic()
            synchronize(device)
            seconds = time.perf_counter() - began
            peak = peak_memory_mb(device)

            judged = evaluate(model, val, device=device, loss=loss) if val is not None else None
            history.epochs.append(
                Epoch(
                    epoch=epoch + 1,
                    train_loss=sums.mean_loss(),
                    train_accuracy=sums.accuracy(),
                    val_loss=judged.loss if judged else math.nan,
                    val_accuracy=judged.accuracy if judged else math.nan,
                    learning_rate=engine.param_groups[0]["lr"],
                    seconds=seconds,
                    peak_memory_mb=peak,
                )
            )
            display.epoch(history)
            sums, first_step = _Sums(device), 0
            order_at_epoch_start = order.get_state()
            if checkpoint is not None:
                save(epoch + 1, 0)
                last_save = time.monotonic()
        display.close(
            history,
            f"{len(history)} epochs in {history.seconds:.1f} s on {history.device}, {history.precision}",
        )
    return history


def _describe(optimizer: torch.optim.Optimizer) -> str:
    """Name and settings of an optimiser in one line, the learning rate left out: the schedule owns that."""
    plain = int | float | tuple
    settings = {key: value for key, value in optimizer.defaults.items() if key != "lr" and isinstance(value, plain)}
    return f"{type(optimizer).__name__}({', '.join(f'{key}={value}' for key, value in sorted(settings.items()))})"


def _name(function: Callable) -> str:
    """How a record calls a function; of a ``functools.partial`` the settings are part of the name."""
    if hasattr(function, "func"):
        settings = ", ".join(f"{key}={value}" for key, value in sorted(function.keywords.items()))
        return f"{_name(function.func)}({settings})"
    return getattr(function, "__name__", type(function).__name__)


def _multiply_adds(model: nn.Module, train: Split) -> int | None:
    """What one image costs; None for a network that cannot be traced, which can still be trained."""
    try:
        return count_multiply_adds(model, train.images.shape[1:])
    except (RuntimeError, ValueError, TypeError):
        return None


class _Sums:
    """Running totals of one epoch, kept on the device so that no step waits for them."""

    def __init__(self, device: torch.device, loss: float = 0.0, right: int = 0, count: int = 0, seconds: float = 0.0):
        exact = torch.float32 if device.type == "mps" else torch.float64
        self._loss = torch.tensor(loss, dtype=exact, device=device)
        self._right = torch.tensor(right, dtype=torch.int64, device=device)
        self.count = count
        self.seconds = seconds

    def add(self, batch_loss: torch.Tensor, logits: torch.Tensor, labels: torch.Tensor) -> None:
        self._loss += batch_loss.detach().to(self._loss.dtype) * len(labels)
        self._right += (logits.detach().argmax(dim=1) == labels).sum()
        self.count += len(labels)

    def mean_loss(self) -> float:
        return self._loss.item() / self.count

    def accuracy(self) -> float:
        return self._right.item() / self.count

    def state(self) -> dict[str, float]:
        return {
            "loss": self._loss.item(),
            "right": self._right.item(),
            "count": self.count,
            "seconds": self.seconds,
        }
