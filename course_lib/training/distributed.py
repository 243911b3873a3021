"""Several processes that train one network together, each on its share of every batch.

``torchrun`` starts them; torch's DistributedDataParallel adds up their gradients, with gloo on CPUs and NCCL on GPUs.
"""

import atexit
import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

from course_lib.errors import CourseError

RUN_ID = "course"  # of processes that course_lib.training.launch starts
SECONDS_TO_BE_ENDED = 10.0
Value = TypeVar("Value")


@dataclass(frozen=True)
class Processes:
    """How many processes train together, and the number of this one, its ``rank``, from 0 on.

    All hold the same weights. Where ``count`` is 1, nothing is exchanged.
    """

    rank: int = 0
    count: int = 1

    def __str__(self) -> str:
        return f"{self.count} processes"

    @property
    def is_first(self) -> bool:
        """Whether this is the process that draws, prints and writes files for all."""
        return self.rank == 0

    def join(self, device: torch.device) -> None:
        """Connect the processes, once, for as long as they run; on CUDA, each takes the GPU of its local rank."""
        if self.count == 1 or distributed.is_initialized():
            return
        if device.type == "cuda":
            torch.cuda.set_device(local_rank())
        distributed.init_process_group()
        atexit.register(distributed.destroy_process_group)

    def check_alike(self, recipe: dict[str, Any]) -> None:
        """Raise CourseError where another process has another recipe, such as a seed of its own."""
        for rank, other in enumerate(self.gather(recipe)):
            different = [key for key in recipe | other if recipe.get(key) != other.get(key)]
            if different:
                raise CourseError(
                    f"Rank {rank} of {self} trains by another recipe than rank {self.rank} (different "
                    f"{', '.join(different)}): call fit with the same arguments in all of them."
                )

    def share(self, images: int) -> slice:
        """Which of so many images are this process's: shares lie one after another, and differ by one at most."""
        start, end = (-(-images * rank // self.count) for rank in (self.rank, self.rank + 1))
        return slice(start, end)

    def share_of_batch(self, images: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, int]:
        """This process's images and labels, and how many of them count.

        A backward pass needs every process. Where no image is left for this one, it takes one that counts for nothing.
        """
        if self.count == 1:
            return images, labels, len(labels)
        share = self.share(len(labels))
        counted = share.stop - share.start
        share = share if counted else slice(1)
        return images[share], labels[share], counted

    def wrap(self, model: nn.Module) -> nn.Module:
        """``model``, whose gradients each backward pass averages over all processes. They begin as the first one's.

        So do the running means of batch norms at each step: those of the first process's images.
        """
        if self.count == 1:
            return model
        return DistributedDataParallel(model, gradient_as_bucket_view=True, static_graph=True)

    @contextlib.contextmanager
    def own_random_stream(self, device: torch.device, seed: int, step: int) -> Iterator[None]:
        """Inside, draw from a stream that only this process has, and only in this step.

        Outside, all processes draw the same, such as augmentation; so the stream there must not depend on how much
        dropout draws, which differs where shares do.
        """
        if self.count == 1:
            yield
            return
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            entropy = np.random.SeedSequence([seed % 2**64, step, self.rank])
            torch.manual_seed(int(entropy.generate_state(1, np.uint64)[0]))
            yield

    def add_up(self, *numbers: torch.Tensor) -> torch.Tensor:
        """The sum of each number over all processes. On CUDA no process waits for it."""
        sums = torch.stack(numbers)
        distributed.all_reduce(sums)
        return sums

    def take_first(self, tensors: Iterable[torch.Tensor]) -> None:
        """Give ``tensors`` of every process the values that the first one has."""
        for tensor in tensors if self.count > 1 else ():
            distributed.broadcast(tensor, src=0)

    def from_first(self, make: Callable[[], Value]) -> Value:
        """What ``make`` returns in the first process, the only one that calls it; an error there ends all of them."""
        if self.count == 1:
            return make()
        values = [make() if self.is_first else None]
        distributed.broadcast_object_list(values)
        return values[0]

    def gather(self, value: Value) -> list[Value]:
        """The values of all processes, by rank."""
        if self.count == 1:
            return [value]
        values: list[Any] = [None] * self.count
        distributed.all_gather_object(values, value)
        return values

    @contextlib.contextmanager
    def explained_losses(self, checkpoint: Path | str | None) -> Iterator[None]:
        """Turn the error of a process that lost another one into a CourseError.

        First it waits for torchrun to end it, so that the process that died is the one that torchrun names.
        """
        try:
            yield
        except RuntimeError as error:
            if self.count == 1 or not _is_lost_connection(error):
                raise
            resume = f"training goes on from {checkpoint}" if checkpoint is not None else "training begins again"
            lost = f"Rank {self.rank} of {self} lost another one: run the same command again, and {resume}."
            if distributed.is_torchelastic_launched():
                if os.environ["TORCHELASTIC_RUN_ID"] != RUN_ID:
                    print(f"course: {lost} Below, torchrun names the one that died.", file=sys.stderr, flush=True)
                time.sleep(SECONDS_TO_BE_ENDED)
            raise CourseError(lost) from error


ALONE = Processes()


def processes() -> Processes:
    """The processes that torchrun started beside this one; this one alone where it did not."""
    if {"RANK", "WORLD_SIZE", "MASTER_ADDR"} <= os.environ.keys():
        return Processes(int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"]))
    return ALONE


def local_rank() -> int:
    """The number of this process among those of its machine."""
    return int(os.environ.get("LOCAL_RANK", "0"))


def _is_lost_connection(error: RuntimeError) -> bool:
    return isinstance(error, distributed.DistError) or "gloo" in str(error)
