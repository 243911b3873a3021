"""Compare runs: 95 % t intervals of means and differences, families of differences, two networks on the same images.

A difference counts where its interval leaves zero out. Runs are paired by seed wherever both sides have the same seeds:
a seed fixes the images and their order for both sides alike. Otherwise the interval is Welch's (1947).
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd


def interval(values: pd.Series, level: float = 0.95) -> tuple[float, float]:
    """Mean of some runs, and half the width of its t interval.

    Raises: ValueError for fewer than two values.
    """
    _require_two(values)
    return float(values.mean()), t_quantile(level, len(values) - 1) * float(values.sem())


def difference(of: pd.Series, minus: pd.Series, level: float = 0.95) -> tuple[float, float]:
    """Mean of ``of`` less mean of ``minus``, and half the width of the difference's t interval.

    Args:
        of, minus: a value a run, indexed by seed, such as ``runs.set_index("seed")["accuracy"]``. The same seeds on
            both sides are paired; for others the degrees of freedom are Welch's, rounded down.

    Raises: ValueError where a side has fewer than two values.
    """
    apart, error, freedom = _t_test(of, minus)
    return apart, t_quantile(level, freedom) * error


def p_value(of: pd.Series, minus: pd.Series) -> float:
    """How often chance alone sets two means as far apart as these, or farther: the t test of :func:`difference`.

    Raises: ValueError where a side has fewer than two values.
    """
    apart, error, freedom = _t_test(of, minus)
    if error == 0:
        return float(apart == 0)
    return 1 - _within(abs(apart) / error, freedom)


def differences(values: pd.Series, pairs: Sequence[tuple[str, str]]) -> pd.DataFrame:
    """The differences of several pairs of names.

    Args:
        values: a value a run, indexed by name and seed.
        pairs: which name less which other.

    Returns: a row a pair, such as ``"deep − shallow"``, with ``difference`` and ``half_width`` of its 95 % interval.
    Raises: ValueError where a side has fewer than two values.
    """
    rows = {f"{of} − {minus}": difference(values[of], values[minus]) for of, minus in pairs}
    return pd.DataFrame.from_dict(rows, orient="index", columns=["difference", "half_width"])


def family(base: pd.Series, others: Mapping[str, pd.Series]) -> pd.DataFrame:
    """Several runs against one base, as one family: where one of them is called different, chance has 5 % in all.

    Args:
        base: a value a run, indexed by seed.
        others: the same of each run that is compared with it, by name.

    Returns: by name, ``difference`` from the base, ``half_width`` of its own 95 % interval, ``p`` of it alone, and
        ``p_holm``, by Holm's rule for the family: below 0.05, the difference counts.
    Raises: ValueError where a side has fewer than two values.
    """
    rows = {name: (*difference(runs, base), p_value(runs, base)) for name, runs in others.items()}
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["difference", "half_width", "p"])
    return table.assign(p_holm=holm(table["p"]))


def holm(p_values: pd.Series) -> pd.Series:
    """p values adjusted for their number, by the step-down rule of Holm (1979)."""
    ascending = p_values.sort_values()
    factors = np.arange(len(ascending), 0, -1)
    return (ascending * factors).cummax().clip(upper=1.0).reindex(p_values.index)


def mcnemar(first: Sequence[bool], second: Sequence[bool]) -> float:
    """The p value of two networks' different errors on the same images: the exact test of McNemar (1947).

    It takes the two trained networks as they are: other seeds of both may come out otherwise.

    Args:
        first, second: whether each network was right, image by image.

    Raises: ValueError for different numbers of images.
    """
    first, second = np.asarray(first, dtype=bool), np.asarray(second, dtype=bool)
    if first.shape != second.shape:
        raise ValueError(f"both networks must answer the same images, not {first.size} and {second.size}")
    only_first, only_second = int((first & ~second).sum()), int((second & ~first).sum())
    count = only_first + only_second
    ways = sum(math.comb(count, wins) for wins in range(min(only_first, only_second) + 1))
    return min(1.0, 2 * ways / 2**count)


def t_quantile(level: float, freedom: int) -> float:
    """Student's t: a share of ``level`` of the distribution with so many degrees of freedom is in [-t, t]."""
    low, high = 0.0, 1.0
    while _within(high, freedom) < level:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, freedom) < level else (low, middle)
    return high


def _require_two(*sides: pd.Series) -> None:
    if min(map(len, sides)) < 2:
        raise ValueError("an interval needs at least two runs, with different seeds")


def _t_test(of: pd.Series, minus: pd.Series) -> tuple[float, float, int]:
    """Difference of two means, its standard error, and the degrees of freedom."""
    _require_two(of, minus)
    if of.index.is_unique and minus.index.is_unique and set(of.index) == set(minus.index):
        pairs = of - minus
        return float(pairs.mean()), float(pairs.sem()), len(pairs) - 1
    first, second = float(of.sem()) ** 2, float(minus.sem()) ** 2
    apart = float(of.mean() - minus.mean())
    if first + second == 0:
        return apart, 0.0, len(of) + len(minus) - 2
    freedom = (first + second) ** 2 / (first**2 / (len(of) - 1) + second**2 / (len(minus) - 1))
    return apart, math.sqrt(first + second), math.floor(freedom)


def _within(t: float, freedom: int) -> float:
    """The share of Student's t distribution in [-t, t] (Abramowitz and Stegun, 1964, 26.7.3 and 26.7.4)."""
    angle = math.atan2(t, math.sqrt(freedom))
    odd = freedom % 2
    term = math.cos(angle) if odd else 1.0
    total = 0.0
    for power in range(odd, freedom - 1, 2):
        total += term
        term *= math.cos(angle) ** 2 * (power + 1) / (power + 2)
    if odd:
        return 2 / math.pi * (angle + math.sin(angle) * total)
    return math.sin(angle) * total
