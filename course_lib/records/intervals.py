"""How far means over seeds can be trusted: 95 % t intervals, the one rule by which the book compares runs.

A difference counts where its interval leaves zero out. Runs are paired by seed wherever both sides have the same seeds:
a seed fixes the order of the images, so its luck falls on both. Else the interval is Welch's (1947).
"""

import math

import pandas as pd

# The 0.975 quantile of Student's t with 1, 2, 3, ... degrees of freedom.
_T = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131]
_T += [2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042]


def interval(values: pd.Series) -> tuple[float, float]:
    """Mean of some runs, and half the width of its 95 % t interval.

    Raises: ValueError for fewer than two values.
    """
    _refuse_one(values)
    return float(values.mean()), _t(len(values) - 1) * float(values.sem())


def difference(of: pd.Series, minus: pd.Series) -> tuple[float, float]:
    """Mean of ``of`` less mean of ``minus``, and half the width of the difference's 95 % t interval.

    Args:
        of, minus: a value a run, indexed by seed, such as ``runs.set_index("seed")["accuracy"]``. The same seeds on
            both sides are paired; for others the degrees of freedom are Welch's, rounded down.

    Raises: ValueError where a side has fewer than two values.
    """
    _refuse_one(of, minus)
    if of.index.is_unique and minus.index.is_unique and set(of.index) == set(minus.index):
        return interval(of - minus)
    first, second = float(of.sem()) ** 2, float(minus.sem()) ** 2
    apart = float(of.mean() - minus.mean())
    if first + second == 0:
        return apart, 0.0
    freedom = (first + second) ** 2 / (first**2 / (len(of) - 1) + second**2 / (len(minus) - 1))
    return apart, _t(math.floor(freedom)) * math.sqrt(first + second)


def _refuse_one(*sides: pd.Series) -> None:
    if min(map(len, sides)) < 2:
        raise ValueError("an interval needs at least two runs, with different seeds")


def _t(freedom: int) -> float:
    """The quantile; beyond the table its last value, which is a little too wide."""
    return _T[min(freedom, len(_T)) - 1]
