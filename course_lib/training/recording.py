"""Turn a finished run into its record. Nothing is written unless the chapter runs in the pipeline."""

import os
import platform
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional as F

from course_lib import records
from course_lib.analysis.predictions import Predictions, class_report, confusion_matrix
from course_lib.data import ImageData
from course_lib.data.splits import SPLIT_SEED
from course_lib.machine import processor
from course_lib.training.history import History


def record(
    name: str,
    history: History,
    answers: Predictions,
    data: ImageData,
    *,
    split: str = "test",
    images: str = "as they are",
) -> dict[str, Any]:
    """Describe one training run completely: recipe, metrics, machine.

    In the pipeline (``COURSE_RECORDS`` names a file) the record is kept there, and ``course publish`` moves it to
    ``results/``. Anywhere else it is only returned.

    Args:
        name: what the chapter calls the runs that differ in their seed only, such as ``lenet-1998``.
        history: what ``fit`` returned.
        answers: the trained network's answers on the images that it is judged by.
        data: what it was trained on.
        split: which images those are, ``"test"`` or, where a choice is still to be made, ``"validation"``.
        images: what was done to all images, training and judging, in a few words.
    """
    report = class_report(answers)
    recipe = history.recipe
    made = {
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
            **{f"macro_{measure}": float(report.loc["macro", measure]) for measure in ("f1", "precision", "recall")},
            "classes": [
                {
                    "name": str(row.Index),
                    "precision": float(row.precision),
                    "recall": float(row.recall),
                    "f1": float(row.f1),
                    "images": int(row.images),
                }
                for row in report.drop(index="macro").itertuples()
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
    kept = os.environ.get("COURSE_RECORDS")
    return records.append(Path(kept), made) if kept else made
