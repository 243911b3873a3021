"""Time pieces of work fairly: in turn, round after round, so that what disturbs the machine disturbs all alike."""

from collections.abc import Callable, Mapping

import pandas as pd


def interleave(works: Mapping[str, Callable[[], float]], rounds: int = 5) -> pd.DataFrame:
    """Run each piece of work once to warm up, then all of them in turn, ``rounds`` times.

    Args:
        works: for each name a function that does its work and returns the seconds that count.
        rounds: how often to measure each.

    Returns: seconds, one column a piece of work, one row a round.
    Raises: ValueError for fewer than one round, or nothing to time.
    """
    if rounds < 1 or not works:
        raise ValueError("there must be something to time, and at least one round")
    for work in works.values():
        work()
    return pd.DataFrame([{name: work() for name, work in works.items()} for _ in range(rounds)])


def speedups(seconds: pd.DataFrame, against: str | None = None) -> pd.DataFrame:
    """How many times faster than ``against`` each piece of work was, round by round.

    Args:
        seconds: what :func:`interleave` returned.
        against: a column; default the first.

    Returns: a row for each piece of work: ``seconds`` (the median), and the ratio's ``median``, ``least`` and ``most``.
    """
    ratios = 1 / seconds.div(seconds[against or seconds.columns[0]], axis=0)
    table = {"seconds": seconds.median(), "median": ratios.median(), "least": ratios.min(), "most": ratios.max()}
    return pd.DataFrame(table)
