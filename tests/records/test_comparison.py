"""Comparisons of runs, held against scipy, and by simulation."""

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from scipy import stats

from course_lib import records

DRAWN = np.random.default_rng(0)


def series(count, shift=0.0, seeds=None):
    return pd.Series(DRAWN.normal(shift, 1, count), index=seeds or range(count))


@pytest.mark.parametrize("level", [0.9, 0.95, 0.99])
@pytest.mark.parametrize("count", [2, 3, 5, 10, 41])
def test_an_interval_is_scipys(count, level):
    values = series(count)
    low, high = stats.t.interval(level, count - 1, values.mean(), values.sem())
    mean, half = records.interval(values, level)
    assert (mean - half, mean + half) == pytest.approx((low, high))


@pytest.mark.parametrize("count", [2, 3, 5])
def test_same_seeds_are_paired_in_whatever_order(count):
    of, minus = series(count), series(count)
    theirs = stats.ttest_rel(of, minus)
    apart, half = records.difference(of.sample(frac=1, random_state=1), minus)
    assert (apart - half, apart + half) == pytest.approx(theirs.confidence_interval(0.95))
    assert records.p_value(of, minus) == pytest.approx(theirs.pvalue)


@pytest.mark.parametrize("seeds", [[0, 1, 3], [5, 6, 7, 8], [0, 0, 1, 2]])
def test_other_seeds_are_two_groups(seeds):
    """With degrees of freedom rounded down: never narrower than scipy's, and not much wider."""
    of, minus = series(3), series(len(seeds), seeds=seeds)
    theirs = stats.ttest_ind(of, minus, equal_var=False).confidence_interval(0.95)
    apart, half = records.difference(of, minus)
    assert apart == pytest.approx((theirs.low + theirs.high) / 2)
    assert (theirs.high - theirs.low) / 2 * 0.999 <= half <= (theirs.high - theirs.low) * 1.1


def test_an_interval_leaves_zero_out_where_its_p_value_is_small():
    for shift in np.linspace(0, 4, 40):
        of, minus = series(4, shift), series(5)
        apart, half = records.difference(of, minus)
        assert (abs(apart) > half) == (records.p_value(of, minus) < 0.05)


def test_runs_that_do_not_differ_have_no_width():
    same = pd.Series([0.9, 0.9])
    for other, p in ((same - 0.1, 0.0), (pd.Series([0.8, 0.8, 0.8]), 0.0), (same.copy(), 1.0)):
        assert records.difference(same, other)[1] == pytest.approx(0, abs=1e-12)
        assert records.p_value(same, other) == pytest.approx(p)


@pytest.mark.parametrize("call", [records.difference, records.p_value, lambda of, minus: records.interval(minus)])
def test_one_run_has_no_interval(call):
    with pytest.raises(ValueError, match="at least two runs"):
        call(series(3), series(1))


def test_holms_rule_on_a_worked_example():
    p_values = pd.Series({"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005})
    assert records.holm(p_values).to_dict() == pytest.approx({"a": 0.03, "b": 0.06, "c": 0.06, "d": 0.02})


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_lies_between_the_p_values_and_bonferronis(values):
    p_values = pd.Series(values)
    adjusted = records.holm(p_values)
    assert (adjusted >= p_values).all() and (adjusted <= (p_values * len(p_values)).clip(upper=1)).all()
    ascending = adjusted[p_values.sort_values().index]
    assert ascending.is_monotonic_increasing


def test_chance_calls_a_member_of_a_family_different_in_one_of_twenty_families():
    """Five runs against a base, and nothing is different: each alone would raise far more false alarms."""
    generator = np.random.default_rng(1)
    alone, together = [], []
    for _ in range(400):
        base, *others = (pd.Series(values) for values in generator.normal(0, 1, (6, 5)))
        table = records.family(base, dict(enumerate(others)))
        alone.append((table["p"] < 0.05).any())
        together.append((table["p_holm"] < 0.05).any())
    assert np.mean(together) < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 400)
    assert np.mean(alone) > 2 * np.mean(together)


def test_differences_are_those_of_each_pair():
    runs = {"low": series(5), "high": series(5, shift=3), "other": series(4)}
    pairs = [("high", "low"), ("other", "high")]
    table = records.differences(pd.concat(runs, names=["name", "seed"]), pairs)
    expected = [records.difference(runs[of], runs[minus]) for of, minus in pairs]
    assert table.index.tolist() == ["high − low", "other − high"]
    assert table.to_numpy().tolist() == [list(each) for each in expected]


def test_a_family_lists_each_run_less_its_base():
    base = pd.Series([0.5, 0.6, 0.7])
    table = records.family(base, {"better": base.add([0.1, 0.11, 0.1]), "equal": base.add([0.01, -0.01, 0.005])})
    assert table["difference"].tolist() == pytest.approx([0.31 / 3, 0.005 / 3])
    assert (table["p_holm"] < 0.05).tolist() == [True, False]


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60))
def test_mcnemar_is_a_sign_test_of_the_images_that_one_network_alone_reads(answers):
    first, second = zip(*answers, strict=True)
    wins = [sum(one and not other for one, other in pair) for pair in (answers, [pair[::-1] for pair in answers])]
    expected = stats.binomtest(wins[0], sum(wins)).pvalue if sum(wins) else 1.0
    assert records.mcnemar(first, second) == pytest.approx(expected)


def test_mcnemar_needs_the_same_images():
    with pytest.raises(ValueError, match="same images, not 3 and 2"):
        records.mcnemar([True, False, True], [True, False])
