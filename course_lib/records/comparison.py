"""The recorded result beside the reader's own."""

import os
from collections.abc import Sequence

import pandas as pd

from course_lib.records.table import table


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
    own = mean_and_spread(pd.Series(yours, dtype=float))
    if os.environ.get("COURSE_RECORDS") and os.environ.get("COURSE_PROFILE") != "quick":
        return f"{own} on {data}; this is the run that the book records"
    runs = table(chapter)
    runs = runs[(runs["name"] == name) & (runs["split"] == "test")]
    if runs.empty:
        return f"yours {own} on {data}; nothing is recorded yet"
    images = " and ".join(f"{count:,}" for count in sorted(set(runs["train"])))
    devices = ", ".join(sorted(set(runs["device"])))
    return f"yours {own} on {data}; recorded {mean_and_spread(runs['accuracy'])} on {images} images, {devices}"


def mean_and_spread(values: pd.Series) -> str:
    """Such as ``99.10 ± 0.05 % (5 seeds)``; a single run has no spread and says so."""
    if len(values) == 1:
        return f"{values.iloc[0]:.2%} (one seed)".replace("%", " %")
    return f"{100 * values.mean():.2f} ± {100 * values.std():.2f} % ({len(values)} seeds)"
