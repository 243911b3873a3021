"""How we compare: false alarms by simulation, widths, and two examples."""

import math
from functools import cache

import numpy as np
import pandas as pd

from course_lib import records
from course_tools.claims.ledger import claim


@cache
def _false_alarms(rule: str, seeds: int, runs: int = 1, tries: int = 2_000) -> float:
    """How often a rule calls at least one of some runs different from a base that they all equal."""
    generator = np.random.default_rng(0)
    alarms = 0
    for _ in range(tries):
        base, *others = (pd.Series(values) for values in generator.normal(0, 1, (runs + 1, seeds)))
        if rule == "two standard errors":
            alarms += any(abs((other - base).mean()) > 2 * (other - base).sem() for other in others)
        else:
            p_values = pd.Series([records.p_value(other, base) for other in others])
            alarms += ((records.holm(p_values) if rule == "Holm" else p_values) < 0.05).any()
    return alarms / tries


@claim
def false_alarms_of_two_errors():
    """How often two standard errors call equal networks different, three seeds each."""
    return _false_alarms("two standard errors", 3)


@claim
def false_alarms_of_the_interval():
    """How often the t interval calls equal networks different, three seeds each."""
    return _false_alarms("interval", 3)


@claim
def false_alarms_among_five():
    """How often at least one of five networks is called different from a base that they all equal, five seeds each."""
    return _false_alarms("interval", 5, runs=5)


@claim
def false_alarms_among_five_by_holm():
    """The same by Holm's rule."""
    return _false_alarms("Holm", 5, runs=5)


def _half_width(seeds: int) -> float:
    """Half the width of an interval, in standard deviations of the pairs."""
    values = pd.Series(np.arange(seeds), dtype=float)
    return records.interval(values)[1] / values.std()


@claim
def half_width_of_three():
    """Half the width of an interval over three pairs, in their standard deviations."""
    return _half_width(3)


@claim
def half_width_of_five():
    """Half the width of an interval over five pairs, in their standard deviations."""
    return _half_width(5)


@claim
def half_width_of_ten():
    """Half the width of an interval over ten pairs, in their standard deviations."""
    return _half_width(10)


def _price_of_auto(paired: bool) -> float:
    """Half the width, in accuracy, of the interval in chapter 10: automatic precision less float32."""
    runs = records.table("10-speed").set_index("seed")
    auto, exact = (runs[runs["name"] == f"LeNet-5, {precision}"]["accuracy"] for precision in ("auto", "float32"))
    return records.difference(auto, exact if paired else exact.set_axis(exact.index + 100))[1]


@claim
def price_of_auto_in_pairs():
    """Half the width of that interval, in pairs."""
    return _price_of_auto(paired=True)


@claim
def price_of_auto_in_groups():
    """Half the width that it would have if nothing were paired."""
    return _price_of_auto(paired=False)


@claim
def digits_read_by_one_network():
    """Two networks of which 30 digits are read by the first alone and 14 by the second alone: McNemar's p value."""
    first, second = [True] * 30 + [False] * 14, [False] * 30 + [True] * 14
    return records.mcnemar(first, second)


@claim
def error_of_a_test_set():
    """Standard error of an accuracy of 99 % on 10,000 images."""
    return math.sqrt(0.99 * 0.01 / 10_000)
