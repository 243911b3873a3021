"""Task 2 judges dropout by what it leaves: chance costs nobody points, and a wrong share shows."""

import pytest
import torch
from torch.nn.functional import dropout

from checks.tasks import PARTS

PART = PARTS["build_alexnet, classifier"]


@pytest.fixture(scope="module")
def questions(asked):
    return [question for question in asked(2026)[PART.key].questions if question["asked"] == "dropout"]


def left_by(drop, question):
    """What the judge sees where each hidden layer has ``drop(units, share)`` in front of it."""
    units = torch.ones(256, 10)
    for row in question["table"][1:]:
        units = 1 + drop(units, row["dropout"])
    return units


def test_chance_costs_nobody_points(questions):
    for question in questions:
        for seed in range(300):
            torch.manual_seed(seed)
            assert PART.judge(question, None, left_by(dropout, question)) is None


def test_a_share_that_is_off_by_a_tenth_shows(questions):
    """Even if what is kept has the right size for the share in the table."""

    def drops_more(units, share):
        return units * (torch.rand_like(units) >= share + 0.1) / (1 - share)

    for question in questions:
        assert "were dropped" in PART.judge(question, None, left_by(drops_more, question))


def test_every_row_of_two_is_judged(questions):
    units = 1 + dropout(torch.full((256, 10), 2.0), questions[-1]["table"][2]["dropout"])
    assert "a dropout of its own" in PART.judge(questions[-1], None, units)
