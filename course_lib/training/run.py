"""A training run: its recipe, and everything that changes from step to step and belongs into a checkpoint."""

import contextlib
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import torch
from torch import nn

from course_lib.data import Batches, Split
from course_lib.training.distributed import ALONE, Processes
from course_lib.training.history import Epoch, History, cost_of_image, describe_optimizer, name_of
from course_lib.training.memory import halve_until_it_fits, peak_memory_mb, reset_peak_memory
from course_lib.training.predict import Score
from course_lib.training.schedules import Schedule
from course_lib.training.seeds import random_state, restore_random_state
from course_lib.training.setup import Setup, synchronize

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
Augmentation = Callable[[torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class Recipe:
    """The arguments of :func:`course_lib.training.fit` that decide what a run computes."""

    epochs: int
    learning_rate: float
    batch_size: int
    optimizer: Callable[..., torch.optim.Optimizer]
    schedule: Schedule
    loss: Loss
    augment: Augmentation | None
    seed: int
    micro_batch: int | None = None
    sync_batch_norm: bool = False


class RunningTotals:
    """Loss, correct answers and images of an epoch so far, kept on the device so that no step waits for them.

    ``seconds`` is the time that the steps took; ``classes`` is the number of logits an image, 0 before the first step.
    """

    classes = 0

    def __init__(
        self,
        device: torch.device,
        loss: float = 0.0,
        right: int = 0,
        count: int = 0,
        seconds: float = 0.0,
        processes: Processes = ALONE,
    ):
        widest = torch.float32 if device.type == "mps" else torch.float64
        self._loss = torch.tensor(loss, dtype=widest, device=device)
        self._right = torch.tensor(right, dtype=torch.int64, device=device)
        self.count = count
        self.seconds = seconds
        self.processes = processes

    def add(self, loss: torch.Tensor, logits: torch.Tensor, labels: torch.Tensor) -> None:
        """Add a batch: its mean loss, logits (N, K) and labels (N,). Several processes add their shares at once."""
        right = (logits.argmax(dim=1) == labels).sum()
        self.classes = logits.shape[1]
        if self.processes.count == 1:
            self._loss.add_(loss.to(self._loss.dtype), alpha=len(labels))
            self._right += right
            self.count += len(labels)
            return
        shares = loss * len(labels), right, right.new_tensor(len(labels))
        loss, right, count = self.processes.add_up(*(share.to(self._loss.dtype) for share in shares))
        self._loss += loss
        self._right += right.long()
        self.count = self.count + count.long()

    def reset(self) -> None:
        """Start the next epoch."""
        self._loss.zero_()
        self._right.zero_()
        self.count, self.seconds = 0, 0.0

    def mean_loss(self) -> float:
        """The mean over images, not over batches: the last batch may be smaller."""
        return self._loss.item() / int(self.count)

    def accuracy(self) -> float:
        """The share of correct answers, in [0, 1]."""
        return self._right.item() / int(self.count)

    def state(self) -> dict[str, float]:
        """The constructor's arguments that continue these totals."""
        sums = {"loss": self._loss.item(), "right": self._right.item(), "count": int(self.count)}
        return sums | {"seconds": self.seconds}


class Run:
    """The state of a training run. A new one is before its first step.

    ``epoch`` and ``step`` count what is done: ``step`` batches of the epoch after the first ``epoch`` ones.
    """

    def __init__(self, model: nn.Module, train: Split, setup: Setup, recipe: Recipe):
        self.model = model.to(setup.device, memory_format=setup.memory_format)
        norms = any(isinstance(layer, nn.modules.batchnorm._BatchNorm) for layer in model.modules())
        if setup.processes.count > 1 and recipe.sync_batch_norm:
            nn.SyncBatchNorm.convert_sync_batchnorm(model)
        self.setup, self.recipe = setup, recipe
        self.order = torch.Generator().manual_seed(recipe.seed)
        self.batches = Batches(train, recipe.batch_size, shuffle=True, generator=self.order, device=setup.device)
        self.optimizer = setup.build(recipe.optimizer, model.parameters(), lr=recipe.learning_rate)
        self.peak_rates = [group["lr"] for group in self.optimizer.param_groups]
        self.scaler = torch.amp.GradScaler(setup.device.type, enabled=setup.precision == "float16")
        self.frozen = [layer for layer in model.modules() if model.training and not layer.training]
        self.micro_batch = recipe.micro_batch
        self.epoch = self.step = 0
        self.peak_memory_mb = math.nan
        self.totals = RunningTotals(setup.device, processes=setup.processes)
        self.order_at_epoch_start = self.order.get_state()
        described = {
            "model": type(model).__name__,
            "parameters": sum(parameter.numel() for parameter in model.parameters()),
            "multiply_adds": cost_of_image(model, train),
            "train": len(train),
            "epochs": recipe.epochs,
            "batch_size": recipe.batch_size,
            "learning_rate": recipe.learning_rate,
            "optimizer": describe_optimizer(self.optimizer),
            "schedule": name_of(recipe.schedule),
            "loss": name_of(recipe.loss),
            "augment": name_of(recipe.augment) if recipe.augment is not None else "none",
            "precision": setup.precision,
            "seed": recipe.seed,
        }
        if setup.processes.count > 1:
            described["processes"] = setup.processes.count
            if norms:
                described["batch_norm"] = "of all processes" if recipe.sync_batch_norm else "of each process"
        self.history = History(setup.machine, setup.precision, str(setup), described)
        setup.processes.check_alike(described)
        network = setup.processes.wrap(model)
        self.network = torch.compile(network) if setup.compiled else network

    @contextlib.contextmanager
    def measured(self) -> Iterator[None]:
        """Measure the time and the peak memory of the steps inside."""
        reset_peak_memory(self.setup.device)
        synchronize(self.setup.device)
        self._began = time.perf_counter() - self.totals.seconds
        yield
        synchronize(self.setup.device)
        self.totals.seconds = time.perf_counter() - self._began
        self.peak_memory_mb = peak_memory_mb(self.setup.device)

    def enter_training_mode(self) -> None:
        """Put the model into training mode, except for layers that were in evaluation mode by themselves."""
        self.model.train()
        for layer in self.frozen:
            layer.eval()

    def set_learning_rate(self) -> None:
        """Set the rate of the next step: the schedule's factor times each parameter group's peak rate."""
        steps = len(self.batches)
        factor = self.recipe.schedule((self.epoch * steps + self.step) / (self.recipe.epochs * steps))
        for group, peak in zip(self.optimizer.param_groups, self.peak_rates, strict=True):
            group["lr"] = peak * factor

    def in_parts_that_fit(self, backpropagate: Callable, images: torch.Tensor, labels: torch.Tensor) -> list:
        """Call ``backpropagate(images, labels, size)`` with parts of at most ``micro_batch`` images.

        Where the device has not enough memory, ``micro_batch`` is halved, with a warning. What stays of the attempt:
        batch norms have averaged these images into their running means once more, and dropout has drawn. Several
        processes do not try again: the others wait for the first attempt's gradients.
        """
        if self.setup.processes.count > 1:
            return backpropagate(images, labels, len(images))
        whole = min(self.micro_batch or len(images), len(images))
        outputs, size = halve_until_it_fits(partial(backpropagate, images, labels), whole, self.setup.device)
        if size < whole:
            self.micro_batch = size
            normalizes = any(isinstance(layer, nn.modules.batchnorm._BatchNorm) for layer in self.model.modules())
            effect = "batch norm takes its statistics from these, so results change"
            self.history.warnings["out-of-memory"] = (
                f"Epoch {self.epoch + 1}: a batch of {len(images)} images did not fit into memory. It goes through the "
                f"network in parts of at most {size} now, and their gradients are added up; "
                f"{effect if normalizes else 'the step is the same, dropout apart'}."
            )
        return outputs

    def end_epoch(self, score: Score | None) -> None:
        """Add the epoch to the history, with its validation score, and move to the start of the next."""
        self.epoch += 1
        if self.micro_batch is not None:
            self.history.recipe["micro_batch"] = self.micro_batch
        self.history.epochs.append(
            Epoch(
                epoch=self.epoch,
                train_loss=self.totals.mean_loss(),
                train_accuracy=self.totals.accuracy(),
                val_loss=score.loss if score else math.nan,
                val_accuracy=score.accuracy if score else math.nan,
                learning_rate=self.optimizer.param_groups[0]["lr"],
                seconds=self.totals.seconds,
                peak_memory_mb=self.peak_memory_mb,
            )
        )
        self.step = 0
        self.totals.reset()
        self.order_at_epoch_start = self.order.get_state()

    def state(self) -> dict[str, Any]:
        """Everything that :meth:`restore` needs to continue from here, to the bit."""
        if self.step:
            self.totals.seconds = time.perf_counter() - self._began
        return {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.scaler.state_dict(),
            "random": random_state(self.setup.device),
            "order": self.order_at_epoch_start,
            "history": [asdict(row) for row in self.history.epochs],
            "sums": self.totals.state(),
            "epoch": self.epoch,
            "step": self.step,
            "micro_batch": self.micro_batch,
            "warnings": self.history.warnings,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from where :meth:`state` was taken. It restores torch's random streams as well."""
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.scaler.load_state_dict(state["scaler"])
        restore_random_state({key: value.cpu() for key, value in state["random"].items()}, self.setup.device)
        self.order_at_epoch_start = state["order"].cpu()
        self.order.set_state(self.order_at_epoch_start)
        self.history.epochs = [Epoch(**row) for row in state["history"]]
        self.totals = RunningTotals(self.setup.device, **state["sums"], processes=self.setup.processes)
        self.epoch, self.step = state["epoch"], state["step"]
        self.micro_batch = self.micro_batch or state.get("micro_batch")
        self.history.warnings |= state.get("warnings", {})
