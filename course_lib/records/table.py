"""Records as pandas tables: one run, one network or one measurement a row."""

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from course_lib.records import lines

COLUMNS = [
    *("chapter", "name", "seed", "data", "train", "epochs", "learning_rate", "precision", "parameters"),
    *("multiply_adds", "split"),
    *("accuracy", "macro_f1", "macro_precision", "macro_recall", "loss", "seconds", "peak_memory_mb"),
    *("device", "processor", "profile", "date", "commit", "sha256"),
]
BENCH_KINDS = ("machine", "roof", "step", "processes", "target")  # of measurement by `make bench`


def table(chapter: str | None = None) -> pd.DataFrame:
    """Published runs, one a row, oldest chapter first.

    Args:
        chapter: such as ``02-lenet``, or a study such as ``study-mnist-small``; None for all chapters.

    Returns: columns ``chapter``, ``name`` (of the run in its chapter), ``seed``, ``data``, ``train`` (number of
        training images), ``epochs``, ``learning_rate`` (its peak), ``precision`` (``float32``, ``bfloat16`` or
        ``float16``), ``parameters``,
        ``multiply_adds`` (of one image); ``split`` (what it was evaluated on, ``test`` or ``validation``), and on those
        images ``accuracy``, ``macro_f1``, ``macro_precision``, ``macro_recall`` (shares in [0, 1]) and ``loss``;
        ``seconds``, ``peak_memory_mb``, ``device``, ``processor`` (its model and instructions, None in old records),
        ``profile``, ``date``, ``commit`` and ``sha256``. No rows where nothing was published yet.
    Raises: CourseError for a line that is malformed or was changed.
    """
    files = lines.chapter_files() if chapter is None else [lines.results_folder() / f"{chapter}.jsonl"]
    return as_table(record for file in files for record in lines.read_if_there(file))


def summary(runs: Mapping[str, str], split: str = "test") -> pd.DataFrame:
    """Published results of some networks, one network a row: means over its seeds.

    Args:
        runs: chapter or study of each name of a run, such as ``{"LeNet-5, modern": "02-lenet"}``.
        split: which images they were evaluated on.

    Returns: indexed by name, in the order of ``runs``: ``data``, ``judged on``, ``epochs``, ``seeds``, ``accuracy`` and
        its ``spread`` (standard deviation, missing for one seed), ``parameters``, ``multiply_adds`` of one image,
        ``seconds`` of training and the ``machine`` that they were taken on: its processor, or the chapter whose run
        did not record it. Networks without a record have no row.
    Raises: CourseError for a line that is malformed or was changed.
    """
    every = pd.concat([table(chapter) for chapter in dict.fromkeys(runs.values())])
    chosen = every[(every["chapter"] == every["name"].map(runs)) & (every["split"] == split)]
    chosen = chosen.assign(machine=chosen["processor"].fillna("unnamed, " + chosen["chapter"]))
    means = chosen.groupby("name", sort=False).agg(
        data=("data", "first"),
        epochs=("epochs", "first"),
        seeds=("seed", "size"),
        accuracy=("accuracy", "mean"),
        spread=("accuracy", "std"),
        parameters=("parameters", "first"),
        multiply_adds=("multiply_adds", "first"),
        seconds=("seconds", "mean"),
        machine=("machine", "first"),
    )
    means.insert(1, "judged on", split)
    return means.loc[[name for name in runs if name in means.index]]


def bench(kind: str, device: str = "cpu") -> pd.DataFrame:
    """The measurements of ``make bench`` of one kind on one kind of machine, one a row.

    Args:
        kind: ``"machine"``, where and when they were made; ``"roof"``, multiply-adds a second at best; ``"step"``,
            milliseconds for 128 images; ``"processes"``, seconds of one process and of one for each core;
            ``"target"``, seconds to an accuracy, one row a run.
        device: ``"cpu"`` or ``"gpu"``.

    Returns: no rows where nothing was measured yet.
    Raises: ValueError for another kind; CourseError for a line that is malformed or was changed.
    """
    if kind not in BENCH_KINDS:
        raise ValueError(f"kind must be one of {', '.join(BENCH_KINDS)}, not {kind!r}")
    measurements = lines.read_if_there(lines.results_folder() / f"bench-{device}.jsonl")
    return pd.DataFrame([line for line in measurements if line.get("kind") == kind])


def compare(chapter: str, name: str, yours: Sequence[float], data: str) -> str:
    """One line: your accuracy, and the recorded one with its spread, number of training images and device.

    Where the recorded runs differ in their training images or device, it lists each. While a chapter is run for
    publishing, your runs are the ones that will be recorded: they stand alone.

    Args:
        chapter: whose records, such as ``02-lenet``.
        name: which runs of that chapter.
        yours: your accuracies in [0, 1], one a seed.
        data: what you trained on, in a few words, such as ``MNIST (sample)``.
    """
    own = mean_and_spread(yours)
    if os.environ.get("COURSE_RECORDS") and os.environ.get("COURSE_PROFILE") != "quick":
        return f"{own} on {data}; this is the run that the book records"
    runs = table(chapter)
    runs = runs[(runs["name"] == name) & (runs["split"] == "test")]
    if runs.empty:
        return f"yours {own} on {data}; nothing is recorded yet"
    images = " and ".join(f"{count:,}" for count in sorted(set(runs["train"])))
    devices = ", ".join(sorted(set(runs["device"])))
    return f"yours {own} on {data}; recorded {mean_and_spread(runs['accuracy'])} on {images} images, {devices}"


def mean_and_spread(values: Sequence[float]) -> str:
    """Accuracies in [0, 1], one a seed, as ``99.10 ± 0.05 % (5 seeds)``; ``99.10 % (one seed)`` for a single run."""
    values = pd.Series(values, dtype=float)
    if len(values) == 1:
        return f"{values.iloc[0]:.2%} (one seed)".replace("%", " %")
    return f"{100 * values.mean():.2f} ± {100 * values.std():.2f} % ({len(values)} seeds)"


def as_table(records: Iterable[dict[str, Any]]) -> pd.DataFrame:
    """Records as rows of the columns that :func:`table` lists."""
    rows = []
    for record in records:
        flat = {**record["recipe"], **record["final"], **record["machine"], **record}
        flat |= {"seconds": record["seconds"]["total"], "epochs": len(record["epochs"])}
        rows.append({column: flat.get(column) for column in COLUMNS})
    return pd.DataFrame(rows, columns=COLUMNS)
