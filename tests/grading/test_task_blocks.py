"""Task 3: other right answers pass, odd replies never do, and counting means counting."""

import math

import pytest
import torch
from torch import nn

from checks import messages
from checks.tasks.vgg import TASK

NETWORK, COUNT = TASK.parts
SEED = 2026

OTHER_STYLE = """
# %% tags=["answer", "task-3"]
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


class Block(nn.Module):
    def __init__(self, convs, before, channels, batch_norm):
        super().__init__()
        self.convs, self.norms = nn.ModuleList(), []
        for i in range(convs):
            layer = nn.Sequential()
            layer.add_module("conv", nn.Conv2d(before if i == 0 else channels, channels, 3, 1, 1, bias=not batch_norm))
            if batch_norm:
                layer.add_module("norm", nn.BatchNorm2d(channels))
            self.convs.append(layer)

    def forward(self, x):
        for conv in self.convs:
            x = conv(x).relu()
        return F.max_pool2d(x, 2)


class VGG(nn.Module):
    def __init__(self, blocks, batch_norm, in_channels, num_classes):
        super().__init__()
        ends = [in_channels, *[channels for _, channels in blocks]]
        self.blocks = nn.ModuleList(Block(n, ends[i], c, batch_norm) for i, (n, c) in enumerate(blocks))
        self.head = nn.Linear(ends[-1], num_classes)

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return self.head(x.mean(dim=(2, 3)))


def build_vgg(blocks, batch_norm, in_channels, num_classes):
    return VGG(blocks, batch_norm, in_channels, num_classes)


def count_parameters(blocks, batch_norm, in_channels, num_classes):
    gives = np.repeat([c for _, c in blocks], [n for n, _ in blocks])
    takes = np.concatenate([[in_channels], gives[:-1]])
    conv = 9 * takes @ gives + (0 if batch_norm else gives.sum())
    return {"linear": int(gives[-1] + 1) * num_classes, "conv": conv, "norm": 2 * gives.sum() * bool(batch_norm)}
"""

ODD = [
    None,
    False,
    10**400,
    math.nan,
    "conv",
    [],
    [[]],
    [[10**30], None],
    [torch.ones(2)],
    {},
    {"returned": 3},
    {"$type": "VGG"},
    {"conv": 1, "norm": 2},
    {"conv": 10**400, "norm": 0, "linear": 0},
    {"conv": True, "norm": False, "linear": True},
    {"conv": math.nan, "norm": math.inf, "linear": 0.5},
    {"conv": torch.ones(3), "norm": None, "linear": []},
    {"conv": 0, "norm": 0, "linear": 0},
    torch.tensor(1.0),
    torch.zeros(0),
    torch.zeros(3, 10),
    torch.full((3, 10), math.nan),
    torch.zeros(3, 10, dtype=torch.int64),
    torch.zeros(3, 10, dtype=torch.complex64),
    torch.zeros(3, 10, dtype=torch.float8_e4m3fn),
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


def test_a_right_reply_with_one_wrong_number_gets_a_hint(asked):
    for question, expected in zip(asked(SEED)[NETWORK.key].questions, asked(SEED)[NETWORK.key].expected, strict=True):
        if question["asked"] == "shapes":
            spoiled = [[*expected[0][:-1], expected[0][-1] + 1], *expected[1:]]
        else:
            spoiled = expected.clone()
            spoiled[-1, -1] += 0.1 * expected.abs().max()
        assert NETWORK.judge(question, expected, expected) is None
        assert NETWORK.judge(question, expected, spoiled)


@pytest.mark.parametrize("kind", ["conv", "norm", "linear"])
def test_a_count_that_is_off_by_one_gets_a_hint(asked, kind):
    for question, expected in zip(asked(SEED)[COUNT.key].questions, asked(SEED)[COUNT.key].expected, strict=True):
        assert COUNT.judge(question, expected, {**expected, kind: expected[kind] + 1})
        assert "should be an int" in COUNT.judge(question, expected, {**expected, kind: float(expected[kind])})


def test_no_layer_can_be_built_while_counting(asked):
    """And afterwards one can."""
    question = asked(SEED)[COUNT.key].questions[0]
    with pytest.raises(RuntimeError, match="without building"):
        COUNT.answer(lambda *_: nn.Linear(2, 2), question)
    assert nn.Linear(2, 2).weight.shape == (2, 2)


def test_the_counts_of_vgg16(asked):
    """What the notebook's last question leads to: the convolutions keep their 14,714,688."""
    at = [question["aspect"] for question in asked(SEED)[COUNT.key].questions].index("whole")
    assert asked(SEED)[COUNT.key].expected[at] == {"conv": 14_714_688, "norm": 0, "linear": 513_000}


@pytest.mark.parametrize("part", TASK.parts, ids=lambda part: part.key)
def test_questions_are_small(asked, part):
    content = {"questions": asked(SEED)[part.key].questions, "expected": asked(SEED)[part.key].expected}
    assert len(messages.pack(content)) < 110_000
