"""The result of a training run: its epochs, its recipe in words and numbers, and its record."""

import math
import os
import platform
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import torch
from torch import nn
from torch.nn import functional as F

from course_lib import records, storage
from course_lib.analysis.layers import count_multiply_adds
from course_lib.analysis.predictions import Predictions, class_report, confusion_matrix
from course_lib.data import SPLIT_SEED, ImageData, Split
from course_lib.machine import processor
from course_lib.training.distributed import processes

DIAGNOSIS = "https://github.com/convnets-measured/convnets-measured/blob/main/book/diagnosis.md"
MEASURES = ("precision", "recall", "f1")


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
    """All epochs of one run, its device and precision, and the recipe: the arguments of ``fit``, by name.

    ``setup`` is everything that ``fit`` chose for this machine, in one line. ``warnings`` holds what went wrong and did
    not end the run, by symptom: ``loss-at-ln-k``, ``not-a-number``, ``dead-layers``, ``out-of-memory``. The diagnosis
    card of the book has a part for each.
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
        """Training time of all epochs, without validation."""
        return sum(epoch.seconds for epoch in self.epochs)

    def to_frame(self) -> pd.DataFrame:
        """A table with a row for each epoch, indexed by ``epoch``."""
        columns = [field.name for field in fields(Epoch)]
        return pd.DataFrame([asdict(epoch) for epoch in self.epochs], columns=columns).set_index("epoch")

    def to_rows(self) -> tuple[list[str], list[list[str]]]:
        """Headings and formatted cells; the validation columns only where there was validation."""
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


def describe_optimizer(optimizer: torch.optim.Optimizer) -> str:
    """Name and settings of an optimiser in one line, without the learning rate: the schedule sets that."""
    plain = int | float | tuple
    settings = {key: value for key, value in optimizer.defaults.items() if key != "lr" and isinstance(value, plain)}
    return f"{type(optimizer).__name__}({', '.join(f'{key}={value}' for key, value in sorted(settings.items()))})"


def name_of(function: Callable) -> str:
    """The name of a function in a record; of a ``functools.partial``, with its keyword arguments."""
    if hasattr(function, "func"):
        settings = ", ".join(f"{key}={value}" for key, value in sorted(function.keywords.items()))
        return f"{name_of(function.func)}({settings})"
    return getattr(function, "__name__", type(function).__name__)


def cost_of_image(model: nn.Module, split: Split) -> int | None:
    """Multiply-adds of one image; None for a network that cannot be traced, which can still be trained."""
    try:
        return count_multiply_adds(model, split.images.shape[1:])
    except (RuntimeError, ValueError, TypeError):
        return None


def record(
    name: str,
    history: History,
    answers: Predictions,
    data: ImageData,
    *,
    split: str = "test",
    images: str = "as they are",
) -> dict[str, Any]:
    """The complete record of one training run: recipe, metrics, machine.

    In the pipeline (``COURSE_RECORDS`` names a file) it is also appended to that file, from which ``course publish``
    moves it to ``results/``; of several processes that trained together, the first does that.

    Args:
        name: the name of all runs that differ in their seed only, such as ``lenet-1998``.
        history: what ``fit`` returned.
        answers: the trained network's predictions for the images that it is evaluated on.
        data: the data set that it was trained on.
        split: which images those are, ``"test"`` or, where a choice is still to be made, ``"validation"``.
        images: what was done to all images, in training and evaluation, in a few words.

    Raises: ValueError for a run without a finished epoch.
    """
    if not history.epochs:
        raise ValueError("this history has no epoch, so there is nothing to record: train for at least one")
    report = class_report(answers)
    recipe = history.recipe
    run = {
        "chapter": os.environ.get("COURSE_CHAPTER", "00-none"),
        "name": name,
        "seed": recipe["seed"],
        "profile": os.environ.get("COURSE_PROFILE", "quick"),
        "commit": os.environ.get("COURSE_COMMIT", "unknown"),
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "recipe": {
            **recipe,
            "data": f"{data.spec.name} ({data.size})",
            "images": images,
            "validation": len(data.val),
            "split_seed": SPLIT_SEED,
        },
        "epochs": [asdict(epoch) for epoch in history.epochs],
        "final": {
            "split": split,
            "images": len(answers.labels),
            "accuracy": answers.accuracy,
            "loss": F.cross_entropy(answers.logits.double(), answers.labels).item(),
            **{f"macro_{measure}": float(report[measure].iloc[-1]) for measure in MEASURES},
            "classes": [
                {"name": str(label), "images": int(row["images"])}
                | {measure: float(row[measure]) for measure in MEASURES}
                for label, row in report.iloc[:-1].iterrows()
            ],
        },
        "confusion": confusion_matrix(answers).to_numpy().tolist(),
        "seconds": {"epochs": [epoch.seconds for epoch in history.epochs], "total": history.seconds},
        "peak_memory_mb": max(epoch.peak_memory_mb for epoch in history.epochs),
        "machine": {
            "device": history.device.partition(",")[0],
            "processor": processor(),
            "torch": torch.__version__,
            "cuda": torch.version.cuda if torch.cuda.is_available() else None,
            "threads": torch.get_num_threads(),
            "python": platform.python_version(),
        },
    }
    file = os.environ.get("COURSE_RECORDS") if processes().is_first else None
    return records.append(storage.user_path(file), run) if file else run
