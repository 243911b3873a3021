"""What a training run leaves behind: one row an epoch."""

import math
from dataclasses import asdict, dataclass, field
from typing import Any

import pandas as pd

DIAGNOSIS = "https://github.com/convnets-measured/convnets-measured/blob/main/book/diagnosis.md"


@dataclass(frozen=True)
class Epoch:
    """The numbers of one epoch.

    Losses are means over images (not over batches: the last batch may be smaller), accuracies are in [0, 1]. The
    training figures are gathered while the weights change and with dropout on. ``learning_rate`` is that of the last
    step, ``seconds`` is the training pass without validation, ``peak_memory_mb`` is in 10⁶ bytes.
    """

    epoch: int
    train_loss: float
    train_accuracy: float
    val_loss: float
    val_accuracy: float
    learning_rate: float
    seconds: float
    peak_memory_mb: float


@dataclass
class History:
    """All epochs of one run, where and how it ran, and the recipe: what ``fit`` was asked to do, by name.

    ``device`` and ``precision`` are words for people; ``setup`` is all that ``fit`` chose here, in one line.
    ``warnings`` holds what went wrong and did not end the run, by symptom: ``loss-at-ln-k``, ``not-a-number``,
    ``dead-layers``, ``out-of-memory``. The diagnosis card of the book has a part for each.
    """

    device: str = ""
    precision: str = ""
    setup: str = ""
    recipe: dict[str, Any] = field(default_factory=dict)
    epochs: list[Epoch] = field(default_factory=list)
    warnings: dict[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.epochs)

    def __getitem__(self, index: int) -> Epoch:
        return self.epochs[index]

    @property
    def seconds(self) -> float:
        """Training time of all epochs, validation left out."""
        return sum(epoch.seconds for epoch in self.epochs)

    def to_frame(self) -> pd.DataFrame:
        """A table with a row for each epoch, indexed by ``epoch``."""
        return pd.DataFrame([asdict(epoch) for epoch in self.epochs]).set_index("epoch")

    def to_rows(self) -> tuple[list[str], list[list[str]]]:
        """Headings and formatted cells, for people: validation and memory columns only where they were measured."""
        columns = {
            "epoch": lambda row: str(row.epoch),
            "train loss": lambda row: f"{row.train_loss:.4f}",
            "train acc": lambda row: f"{row.train_accuracy:.2%}",
            "val loss": lambda row: f"{row.val_loss:.4f}",
            "val acc": lambda row: f"{row.val_accuracy:.2%}",
            "learning rate": lambda row: f"{row.learning_rate:.2e}",
            "seconds": lambda row: f"{row.seconds:.1f}",
            "peak MB": lambda row: f"{row.peak_memory_mb:,.0f}",
        }
        if all(math.isnan(row.val_loss) for row in self.epochs):
            del columns["val loss"], columns["val acc"]
        return list(columns), [[cell(row) for cell in columns.values()] for row in self.epochs]


def help_link(symptom: str) -> str:
    """The address of the diagnosis card's part on a symptom, which is a key of ``history.warnings``."""
    return f"{DIAGNOSIS}#{symptom}"
