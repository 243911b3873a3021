"""One run of a study that begins with a pretrained backbone, before it is run."""

import hashlib
import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from course_lib import data, transfer
from course_lib.transfer import Choices, epochs_for, multiply_adds

BACK = 2  # a step back costs about twice a step forward


@dataclass(frozen=True)
class TransferRun:
    """What is transferred, with which choices, on how many digits.

    ``digits`` are drawn from the training images and ``judged_by`` from the test images, every class in proportion, the
    same for all runs; the small sample is used where ``sample`` is set. ``options`` are more for ``transfer.run``.
    """

    name: str
    seed: int
    choices: Choices
    digits: int
    judged_by: int
    sample: bool = False
    options: dict[str, Any] = field(default_factory=dict, hash=False)

    @cached_property
    def key(self) -> str:
        """12 hexadecimal digits over all that was asked for."""
        asked = {
            "name": self.name,
            "seed": self.seed,
            "choices": self.choices.as_dict(),
            "data": ["mnist", self.sample, self.digits, self.judged_by],
            "options": self.options | {"epochs": self.epochs},
        }
        return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:12]

    @property
    def epochs(self) -> int:
        """Passes over the digits."""
        return self.options.get("epochs") or epochs_for(self.choices)

    @cached_property
    def work(self) -> float:
        """Multiply-adds, about. Where only the head learns, each image goes through the backbone once."""
        frozen = self.choices.trained == "head" and self.choices.backbone != "none"
        passes = self.digits * self.epochs * (1 + BACK)
        if frozen:
            passes = self.digits * (1 if self.choices.freeze_batch_norm else self.epochs)
        return multiply_adds(self.choices) * (passes + self.judged_by)

    def begin(self) -> None:
        """In the quick size a run takes less than a second, and what it trains leaves its fingerprint."""
        self.train()

    def train(self) -> dict[str, Any]:
        """Train, judge on test images, and describe the run as a record."""
        digits = data.load("mnist", size="sample" if self.sample else "full")
        outcome = transfer.run(
            transfer.draw(digits.train, self.digits),
            transfer.draw(digits.open_test(), self.judged_by),
            self.choices,
            seed=self.seed,
            rung=self.name,
            **self.options,
        )
        return transfer.record(self.name, outcome, digits)
