"""Compare runs: 95 % t intervals of means and differences, and a reader's accuracies next to the recorded ones.

A difference counts where its interval leaves zero out. Runs are paired by seed wherever both sides have the same seeds:
a seed fixes the order of the images for both sides alike. Otherwise the interval is Welch's (1947).
"""

import math
import os
from collections.abc import Sequence

import pandas as pd

from course_lib.records.table import table

# The 0.975 quantile of Student's t with 1, 2, 3, ... degrees of freedom.
_T = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131]
_T += [2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042]


def interval(values: pd.Series) -> tuple[float, float]:
    """Mean of some runs, and half the width of its 95 % t interval.

    Raises: ValueError for fewer than two values.
    """
    _require_two(values)
    return float(values.mean()), _t(len(values) - 1) * float(values.sem())


def difference(of: pd.Series, minus: pd.Series) -> tuple[float, float]:
    """Mean of ``of`` less mean of ``minus``, and half the width of the difference's 95 % t interval.

    Args:
        of, minus: a value a run, indexed by seed, such as ``runs.set_index("seed")["accuracy"]``. The same seeds on
            both sides are paired; for others the degrees of freedom are Welch's, rounded down.

    Raises: ValueError where a side has fewer than two values.
    """
    _require_two(of, minus)
    if of.index.is_unique and minus.index.is_unique and set(of.index) == set(minus.index):
        return interval(of - minus)
    first, second = float(of.sem()) ** 2, float(minus.sem()) ** 2
    apart = float(of.mean() - minus.mean())
    if first + second == 0:
        return apart, 0.0
    freedom = (first + second) ** 2 / (first**2 / (len(of) - 1) + second**2 / (len(minus) - 1))
    return apart, _t(math.floor(freedom)) * math.sqrt(first + second)


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
    """Such as ``99.10 ± 0.05 % (5 seeds)``; ``99.10 % (one seed)`` for a single run."""
    if len(values) == 1:
        return f"{values.iloc[0]:.2%} (one seed)".replace("%", " %")
    return f"{100 * values.mean():.2f} ± {100 * values.std():.2f} % ({len(values)} seeds)"


def _require_two(*sides: pd.Series) -> None:
    if min(map(len, sides)) < 2:
        raise ValueError("an interval needs at least two runs, with different seeds")


def _t(freedom: int) -> float:
    """The quantile; beyond the table its last value, which is a little too wide."""
    return _T[min(freedom, len(_T)) - 1]
