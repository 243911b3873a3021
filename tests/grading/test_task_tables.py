"""Task 2: other right answers pass, odd replies never do, and chance never costs an honest answer its points."""

import math

import pytest
import torch

from checks import messages
from checks.tasks.alexnet import TASK

MAPS, LINEAR = TASK.parts
SEED = 2026

OTHER_STYLE = """
# %% tags=["answer", "task-2"]
import torch
import torch.nn.functional as F
from torch import nn


class Net(nn.Module):
    def __init__(self, table, side, in_channels, num_classes):
        super().__init__()
        self.table = table
        self.learned, self.last = nn.ModuleList(), None
        shape = (1, in_channels, side, side)
        for i, row in enumerate(table):
            if row["layer"] == "conv":
                sizes = {name: row["kernel" if name == "kernel_size" else name]
                         for name in ("kernel_size", "stride", "padding", "groups")}
                self.learned.append(nn.Conv2d(shape[1], row["channels"], **sizes))
            elif row["layer"] == "linear":
                self.learned.append(nn.Linear(shape[1:].numel(), row["units"]))
            shape = self.through(torch.zeros(*shape), [row], list(self.learned[-1:])).shape
        self.last = nn.Linear(shape[1:].numel(), num_classes)

    def through(self, x, rows, learned):
        learned = iter(learned)
        for row in rows:
            if row["layer"] == "pool":
                x = F.max_pool2d(x, row["kernel"], row["stride"])
            elif row["layer"] == "conv":
                x = next(learned)(x).clamp(min=0)
            else:
                x = F.relu(next(learned)(F.dropout(x.flatten(1), row["dropout"], self.training)))
        return x

    def forward(self, x):
        return self.last(self.through(x, self.table, self.learned).flatten(1))


def build_alexnet(table, side, in_channels, num_classes):
    return Net(table, side, in_channels, num_classes)
"""

ODD = [
    None,
    True,
    10**400,
    math.nan,
    "logits",
    [],
    [[]],
    [None, "x"],
    [[True, 3]],
    [[10**30]],
    [torch.ones(2)],
    {},
    {"returned": None},
    {"returned": {"$type": 3}},
    {"shapes": []},
    {"$type": "Net"},
    torch.tensor(1.0),
    torch.zeros(0, 10),
    torch.zeros(256, 10),
    torch.full((256, 10), math.nan),
    torch.full((2, 10), math.inf),
    torch.zeros(2, 10, dtype=torch.int64),
    torch.zeros(256, 10, dtype=torch.complex64),
    torch.zeros(256, 10, dtype=torch.bool),
    torch.zeros(256, 10, dtype=torch.float8_e4m3fn),
]


@pytest.mark.parametrize("seed", [SEED, 5])
def test_another_right_answer_passes(hints, seed):
    assert hints(OTHER_STYLE, seed, TASK) == {}


@pytest.mark.parametrize("part", TASK.parts, ids=lambda part: part.key)
@pytest.mark.parametrize("odd", ODD, ids=lambda odd: messages.type_of(odd))
def test_an_odd_reply_gets_a_hint(asked, part, odd):
    for question, expected in zip(asked(SEED)[part.key].questions, asked(SEED)[part.key].expected, strict=True):
        hint = part.judge({**question, "logits": None}, expected, odd)
        assert isinstance(hint, str) and hint


@pytest.mark.parametrize("part", TASK.parts, ids=lambda part: part.key)
def test_a_right_reply_with_one_wrong_number_gets_a_hint(asked, part):
    for question, expected in zip(asked(SEED)[part.key].questions, asked(SEED)[part.key].expected, strict=True):
        if question["asked"] == "shapes":
            spoiled = [[*expected[0][:-1], expected[0][-1] + 1], *expected[1:]]
        else:
            spoiled = expected.clone()
            spoiled[-1, -1] += 0.1 * expected.abs().max()
        assert part.judge(question, expected, expected) is None
        assert part.judge(question, expected, spoiled)


def questions_on_dropout(asked):
    return [question for question in asked(SEED)[LINEAR.key].questions if question["asked"] == "dropout"]


def left_by(drop, question):
    """What the judge sees where each hidden layer has ``drop(units, share)`` in front of it."""
    units = torch.ones(256, 10)
    for row in question["table"][1:]:
        units = 1 + drop(units, row["dropout"])
    return units


def test_chance_costs_nobody_points(asked):
    for question in questions_on_dropout(asked):
        for seed in range(300):
            torch.manual_seed(seed)
            assert LINEAR.judge(question, None, left_by(torch.nn.functional.dropout, question)) is None


def test_a_share_that_is_off_by_a_tenth_shows(asked):
    """Even if what is kept has the right size for the share in the table."""

    def drops_more(units, share):
        return units * (torch.rand_like(units) >= share + 0.1) / (1 - share)

    for question in questions_on_dropout(asked):
        assert "were dropped" in LINEAR.judge(question, None, left_by(drops_more, question))


def test_every_row_of_two_is_judged(asked):
    question = questions_on_dropout(asked)[-1]
    units = 1 + torch.nn.functional.dropout(torch.full((256, 10), 2.0), question["table"][2]["dropout"])
    assert "a dropout of its own" in LINEAR.judge(question, None, units)


@pytest.mark.parametrize("part", TASK.parts, ids=lambda part: part.key)
def test_questions_are_small(asked, part):
    content = {"questions": asked(SEED)[part.key].questions, "expected": asked(SEED)[part.key].expected}
    assert len(messages.pack(content)) < 80_000
