"""t intervals, compared with scipy's."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from course_lib import records

DRAWN = np.random.default_rng(0)


def series(count, shift=0.0, seeds=None):
    return pd.Series(DRAWN.normal(shift, 1, count), index=seeds or range(count))


@pytest.mark.parametrize("count", [2, 3, 5, 10, 31])
def test_an_interval_is_scipys(count):
    values = series(count)
    low, high = stats.t.interval(0.95, count - 1, values.mean(), values.sem())
    mean, half = records.interval(values)
    assert (mean - half, mean + half) == pytest.approx((low, high), abs=1e-3)


@pytest.mark.parametrize("count", [2, 3, 5])
def test_same_seeds_are_paired_in_whatever_order(count):
    of, minus = series(count), series(count)
    theirs = stats.ttest_rel(of, minus).confidence_interval(0.95)
    apart, half = records.difference(of.sample(frac=1, random_state=1), minus)
    assert (apart - half, apart + half) == pytest.approx((theirs.low, theirs.high), abs=2e-3)


@pytest.mark.parametrize("seeds", [[0, 1, 3], [5, 6, 7, 8], [0, 0, 1, 2]])
def test_other_seeds_are_two_groups(seeds):
    """With degrees of freedom rounded down: never narrower than scipy's, and not much wider."""
    of, minus = series(3), series(len(seeds), seeds=seeds)
    theirs = stats.ttest_ind(of, minus, equal_var=False).confidence_interval(0.95)
    apart, half = records.difference(of, minus)
    assert apart == pytest.approx((theirs.low + theirs.high) / 2)
    assert (theirs.high - theirs.low) / 2 * 0.999 <= half <= (theirs.high - theirs.low) * 1.1


def test_runs_that_do_not_differ_have_no_width():
    same = pd.Series([0.9, 0.9])
    assert records.difference(same, same - 0.1) == pytest.approx((0.1, 0.0))
    assert records.difference(same, pd.Series([0.8, 0.8, 0.8])) == pytest.approx((0.1, 0.0))


def test_one_run_has_no_interval():
    for call in (lambda: records.interval(series(1)), lambda: records.difference(series(3), series(1))):
        with pytest.raises(ValueError, match="at least two runs"):
            call()
