"""The recorded result beside the reader's own."""

import os
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from course_lib.records import lines
from course_lib.records.table import as_table, table


def compare(chapter: str, name: str, yours: Sequence[float], data: str) -> str:
    """One line: your accuracy, and the recorded one with its spread, number of training images and device.

    Where the recorded runs differ in their training images or device, it lists each. While a chapter is run for
    publishing, its own new records are the ones to be recorded, so they are shown.

    Args:
        chapter: whose records, such as ``02-lenet``.
        name: which runs of that chapter.
        yours: your accuracies in [0, 1], one a seed.
        data: what you trained on, in a few words, such as ``MNIST (sample)``.
    """
    fresh = os.environ.get("COURSE_RECORDS")
    if fresh and os.environ.get("COURSE_PROFILE") != "quick" and Path(fresh).exists():
        runs = as_table(lines.read(Path(fresh)))
    else:
        runs = table(chapter)
    runs = runs[runs["name"] == name]
    own = f"yours {mean_and_spread(pd.Series(yours, dtype=float))} on {data}"
    if runs.empty:
        return f"{own}; nothing is recorded yet"
    images = " and ".join(f"{count:,}" for count in sorted(set(runs["train"])))
    devices = ", ".join(sorted(set(runs["device"])))
    return f"{own}; recorded {mean_and_spread(runs['accuracy'])} on {images} images, {devices}"


def mean_and_spread(values: pd.Series) -> str:
    """Such as ``99.10 ± 0.05 %, 5 seeds``; a single run has no spread and says so."""
    if len(values) == 1:
        return f"{values.iloc[0]:.2%} (one seed)".replace("%", " %")
    return f"{100 * values.mean():.2f} ± {100 * values.std():.2f} % ({len(values)} seeds)"
