"""Work is measured in turn; the stopwatch here is a list of numbers, so nothing depends on the machine."""

import pandas as pd
import pytest

from course_lib import training


@pytest.fixture
def works():
    """Two pieces of work that answer with numbers of their own, and a log of who was called when."""
    log = []

    def work(name, numbers):
        numbers = iter(numbers)

        def answer():
            log.append(name)
            return next(numbers)

        return answer

    made = {"slow": work("slow", [100.0, 2.0, 4.0, 9.0]), "fast": work("fast", [200.0, 1.0, 8.0, 3.0])}
    return made, log


@pytest.fixture
def seconds():
    """Round by round ``fast`` is 2, ½ and 3 times as fast; by their medians it would be 4/3 times."""
    return pd.DataFrame({"slow": [2.0, 4.0, 9.0], "fast": [1.0, 8.0, 3.0]})


def test_all_run_once_to_warm_up_and_then_in_turn(works):
    made, log = works
    training.interleave(made, rounds=3)
    assert log == ["slow", "fast"] * 4


def test_a_row_a_round_and_the_warm_up_is_in_none(works, seconds):
    made, _ = works
    pd.testing.assert_frame_equal(training.interleave(made, rounds=3), seconds)


def test_five_rounds_unless_another_number_is_asked_for():
    calls = []
    assert training.interleave({"it": lambda: calls.append(1) or 0.5})["it"].tolist() == [0.5] * 5
    assert len(calls) == 6


@pytest.mark.parametrize("rounds", [0, -1])
def test_no_round_and_nothing_to_time_are_refused_before_anything_runs(works, rounds):
    made, log = works
    for asked, number in ((made, rounds), ({}, 3)):
        with pytest.raises(ValueError, match=r"^there must be something to time, and at least one round$"):
            training.interleave(asked, number)
    assert log == []


def test_works_that_fail_are_not_hidden(works):
    made, _ = works
    with pytest.raises(ZeroDivisionError):
        training.interleave(made | {"broken": lambda: 1 / 0}, rounds=1)


def test_speedups_are_taken_round_by_round(seconds):
    table = training.speedups(seconds)
    assert table.index.tolist() == ["slow", "fast"]
    assert table.loc["fast"].to_dict() == {"seconds": 3.0, "median": 2.0, "least": 0.5, "most": 3.0}
    assert table.loc["slow"].to_dict() == {"seconds": 4.0, "median": 1.0, "least": 1.0, "most": 1.0}
    assert table.loc["slow", "seconds"] / table.loc["fast", "seconds"] != 2, "else this test could not fail"


def test_against_another_column(seconds):
    table = training.speedups(seconds, against="fast")
    assert table.loc["slow"].tolist() == pytest.approx([4, 1 / 2, 1 / 3, 2])
    assert table.loc["fast"].tolist() == [3, 1, 1, 1]


def test_what_was_measured_stays_as_it_is(seconds):
    before = seconds.copy()
    training.speedups(seconds, against="fast")
    pd.testing.assert_frame_equal(seconds, before)
