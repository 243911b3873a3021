"""A training run: everything that changes from step to step, and so everything that a checkpoint has to hold."""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

import torch
from torch import nn

from course_lib.data import Batches, Split
from course_lib.training.describing import cost_of_an_image, describe_optimizer, name_of
from course_lib.training.devices import (
    out_of_memory,
    peak_memory_mb,
    release_memory,
    reset_peak_memory,
    synchronize,
)
from course_lib.training.history import Epoch, History
from course_lib.training.inference import Score
from course_lib.training.schedules import Schedule
from course_lib.training.seeds import random_state, restore_random_state
from course_lib.training.setup import Setup
from course_lib.training.sums import Sums

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
Augmentation = Callable[[torch.Tensor], torch.Tensor]


class Run:
    """Trains ``model`` step by step. The arguments are those of :func:`course_lib.training.fit`.

    ``epoch`` and ``step`` count what is done: ``step`` batches of the epoch after the first ``epoch`` ones.
    """

    def __init__(
        self,
        model: nn.Module,
        train: Split,
        setup: Setup,
        *,
        epochs: int,
        learning_rate: float,
        batch_size: int,
        optimizer: Callable[..., torch.optim.Optimizer],
        schedule: Schedule,
        loss: Loss,
        augment: Augmentation | None,
        seed: int,
        micro_batch: int | None = None,
    ):
        self.model = model.to(setup.device, memory_format=setup.memory_format)
        self.setup, self.epochs, self.schedule, self.loss, self.augment = setup, epochs, schedule, loss, augment
        self.order = torch.Generator().manual_seed(seed)
        self.batches = Batches(train, batch_size, shuffle=True, generator=self.order, device=setup.device)
        self.optimizer = setup.build(optimizer, model.parameters(), lr=learning_rate)
        self.peak_rates = [group["lr"] for group in self.optimizer.param_groups]
        self.scaler = torch.amp.GradScaler(setup.device.type, enabled=setup.precision == "float16")
        self.forward = torch.compile(model) if setup.compiled else model
        self.micro_batch = micro_batch
        self.outputs = 0  # logits an image, known after the first step
        self.epoch = self.step = 0
        self.peak_memory_mb = math.nan
        self.sums = Sums(setup.device)
        self.order_at_epoch_start = self.order.get_state()
        recipe = {
            "model": type(model).__name__,
            "parameters": sum(parameter.numel() for parameter in model.parameters()),
            "multiply_adds": cost_of_an_image(model, train),
            "train": len(train),
            "epochs": epochs,
            "batch_size": batch_size,
            "learning_rate": learning_rate,
            "optimizer": describe_optimizer(self.optimizer),
            "schedule": name_of(schedule),
            "loss": name_of(loss),
            "augment": name_of(augment) if augment is not None else "none",
            "precision": setup.precision,
            "seed": seed,
        }
        self.history = History(setup.machine, setup.precision, str(setup), recipe)

    def train_epoch(self) -> Iterator[None]:
        """Train to the end of the epoch, and pause after each step."""
        reset_peak_memory(self.setup.device)
        self.model.train()
        synchronize(self.setup.device)
        began = time.perf_counter() - self.sums.seconds
        for images, labels in self.batches.along(self.batches.draw_order(), self.step):
            self._train_step(images, labels)
            self.step += 1
            self.sums.seconds = time.perf_counter() - began
            yield
        synchronize(self.setup.device)
        self.sums.seconds = time.perf_counter() - began
        self.peak_memory_mb = peak_memory_mb(self.setup.device)

    def _train_step(self, images: torch.Tensor, labels: torch.Tensor) -> None:
        """Nothing in here waits for the device: an accelerator never runs dry."""
        steps = len(self.batches)
        factor = self.schedule((self.epoch * steps + self.step) / (self.epochs * steps))
        for group, peak in zip(self.optimizer.param_groups, self.peak_rates, strict=True):
            group["lr"] = peak * factor

        if self.augment is not None:
            images = self.augment(images)
        images = images.contiguous(memory_format=self.setup.memory_format)
        while not self._find_gradients(images, labels):
            pass
        self.scaler.step(self.optimizer)
        self.scaler.update()

    def _find_gradients(self, images: torch.Tensor, labels: torch.Tensor) -> bool:
        """Forward and back, at most ``micro_batch`` images at a time. Where memory runs out: halve that; return False.

        The parts of a batch are about equal: batch norm would have nothing to average over a single last image.
        """
        at_a_time = min(self.micro_batch or len(images), len(images))
        parts = -(-len(images) // at_a_time)
        answers = []
        try:
            for shown, told in zip(images.tensor_split(parts), labels.tensor_split(parts), strict=True):
                with self.setup.autocast():
                    logits = self.forward(shown)
                    loss = self.loss(logits, told)
                if not answers:
                    self.optimizer.zero_grad(set_to_none=True)
                share = len(told) / len(images)  # the loss is a mean: each part counts by its images
                self.scaler.scale(loss if share == 1 else loss * share).backward()
                answers.append((loss.detach(), logits.detach(), told))
        except RuntimeError as error:
            if at_a_time == 1 or not out_of_memory(error):
                raise
        else:
            for loss, logits, told in answers:
                self.sums.add(loss, logits, told)
                self.outputs = logits.shape[1]
            return True
        # Out here the error is gone, and with it all that its frames held. What stays of the attempt: batch norms have
        # taken these images into their running means once more, and dropout has drawn.
        answers = logits = loss = None
        self.optimizer.zero_grad(set_to_none=True)
        release_memory(self.setup.device)
        self.split(at_a_time // 2, len(images))
        return False

    def split(self, at_a_time: int, batch: int) -> None:
        """From now on send ``at_a_time`` images of each batch through the network at once, and say so."""
        self.micro_batch = at_a_time
        normalises = any(isinstance(layer, nn.modules.batchnorm._BatchNorm) for layer in self.model.modules())
        same = "the step is the same, dropout apart"
        if normalises:
            same = "batch norm takes its statistics from these, so results change"
        self.history.warnings["out-of-memory"] = (
            f"Epoch {self.epoch + 1}: a batch of {batch} images did not fit into memory. It goes through the network "
            f"in parts of at most {at_a_time} now, and their gradients are added up; {same}."
        )

    def close_epoch(self, judged: Score) -> None:
        """Write the epoch down, beside what the network is worth after it, and stand at the start of the next."""
        self.epoch += 1
        if self.micro_batch is not None:
            self.history.recipe["micro_batch"] = self.micro_batch
        self.history.epochs.append(
            Epoch(
                epoch=self.epoch,
                train_loss=self.sums.mean_loss(),
                train_accuracy=self.sums.accuracy(),
                val_loss=judged.loss,
                val_accuracy=judged.accuracy,
                learning_rate=self.optimizer.param_groups[0]["lr"],
                seconds=self.sums.seconds,
                peak_memory_mb=self.peak_memory_mb,
            )
        )
        self.step, self.sums = 0, Sums(self.setup.device)
        self.order_at_epoch_start = self.order.get_state()

    def state(self) -> dict[str, Any]:
        """All that :meth:`load` needs to go on from here, to the bit."""
        return {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.scaler.state_dict(),
            "random": random_state(self.setup.device),
            "order": self.order_at_epoch_start,
            "history": [asdict(row) for row in self.history.epochs],
            "sums": self.sums.state(),
            "epoch": self.epoch,
            "step": self.step,
            "micro_batch": self.micro_batch,
            "warnings": self.history.warnings,
        }

    def load(self, state: dict[str, Any]) -> None:
        """Go back to where :meth:`state` was taken. It restores torch's random streams as well."""
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.scaler.load_state_dict(state["scaler"])
        restore_random_state({key: value.cpu() for key, value in state["random"].items()}, self.setup.device)
        self.order_at_epoch_start = state["order"].cpu()
        self.order.set_state(self.order_at_epoch_start)
        self.history.epochs = [Epoch(**row) for row in state["history"]]
        self.sums = Sums(self.setup.device, **state["sums"])
        self.epoch, self.step = state["epoch"], state["step"]
        self.micro_batch = self.micro_batch or state.get("micro_batch")
        self.history.warnings |= state.get("warnings", {})
