"""The published records of studies, the long grids of runs of ``course study``."""

from typing import Any

import pandas as pd

from course_lib.records import lines
from course_lib.records.table import as_table


def read(name: str) -> list[dict[str, Any]]:
    """All published records of a study, such as ``vgg-vs-resnet``; empty where nothing was published yet.

    Raises: CourseError for a line that is malformed or was changed.
    """
    return lines.read_if_there(lines.results_folder() / f"study-{name}.jsonl")


def table(name: str) -> pd.DataFrame:
    """One run a row, in the columns of :func:`course_lib.records.table`."""
    return as_table(read(name))


def curves(name: str) -> pd.DataFrame:
    """The course of each run of a study: a row a run and epoch.

    Returns: ``name``, ``seed``, ``epoch`` from 1, and what was measured in each epoch: ``train_loss``,
        ``train_accuracy``, ``val_loss``, ``val_accuracy``, ``learning_rate``, ``seconds``.
    """
    rows = [{"name": run["name"], "seed": run["seed"], **epoch} for run in read(name) for epoch in run["epochs"]]
    return pd.DataFrame(rows)


def shifts(name: str) -> pd.DataFrame:
    """Accuracies on moved images, of the runs of a study that were evaluated on such.

    Returns: a row a run and shift: ``name``, ``seed``, ``right`` (pixels), ``accuracy`` of all images, and
        ``accuracy_whole`` of those that lose no ink at the largest shift; shares in [0, 1].
    """
    rows = [{"name": run["name"], "seed": run["seed"], **moved} for run in read(name) for moved in run.get("moved", [])]
    return pd.DataFrame(rows, columns=["name", "seed", "right", "accuracy", "accuracy_whole"])
