"""Dropout and weights are a matter of chance: right ones always pass, wrong and forged ones never do."""

import math

import other_answers
import pytest
import torch
from running_here import nightly, replies_to
from torch import nn
from torch.nn.functional import dropout

from checks.tasks import PARTS, Draw

DROPOUT, HEART, WEIGHTS = (PARTS[key] for key in ("build_alexnet, classifier", "memorise", "initialise"))


@pytest.fixture(scope="module")
def on_dropout():
    return [question for question in DROPOUT.questions(Draw(2026)) if question["asked"] == "dropout"]


def left_by(drop, question):
    """What the judge sees where each hidden layer has ``drop(units, share)`` in front of it."""
    units = torch.ones(256, 10)
    for row in question["table"][1:]:
        units = 1 + drop(units, row["dropout"])
    return units


def test_right_dropout_passes_whatever_chance_drops(on_dropout):
    for question in on_dropout:
        for seed in range(300):
            torch.manual_seed(seed)
            assert DROPOUT.judge(question, None, left_by(dropout, question)) is None


def test_a_share_of_dropout_that_is_off_by_a_tenth_shows(on_dropout):
    """Even if what is kept has the right size for the share in the table."""

    def drops_more(units, share):
        return units * (torch.rand_like(units) >= share + 0.1) / (1 - share)

    for question in on_dropout:
        assert "were dropped" in DROPOUT.judge(question, None, left_by(drops_more, question))


def test_every_row_of_dropout_is_judged(on_dropout):
    units = 1 + dropout(torch.full((256, 10), 2.0), on_dropout[-1]["table"][2]["dropout"])
    assert "a dropout of its own" in DROPOUT.judge(on_dropout[-1], None, units)


def hint_for(part, function, seed):
    questions = part.questions(Draw(seed))
    torch.manual_seed(seed)
    replies = replies_to(function, part, questions)
    hints = (part.judge(question, None, reply) for question, reply in zip(questions, replies, strict=True))
    return next((hint for hint in hints if hint), None)


def with_sgd(network, images, labels):
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9)
    for _ in range(200):
        other_answers.train_step(network, optimizer, images, labels)


@pytest.mark.parametrize("seed", [0, *nightly(*range(1, 8))])
@pytest.mark.parametrize("function", [with_sgd, other_answers.memorise])
def test_any_optimizer_may_learn_by_heart(function, seed):
    assert hint_for(HEART, function, seed) is None


def rule(draw, draw_linear=None):
    """A way to initialise, from a way to draw one weight."""

    def initialise(network):
        for name, parameter in network.named_parameters():
            if name.endswith("bias"):
                nn.init.zeros_(parameter)
            else:
                (draw_linear if draw_linear and parameter.ndim == 2 else draw)(parameter)

    return initialise


RIGHT = {
    "He, fan_in": rule(lambda w: nn.init.kaiming_normal_(w, nonlinearity="relu")),
    "He, fan_out": rule(lambda w: nn.init.kaiming_normal_(w, mode="fan_out", nonlinearity="relu")),
    "He, uniform": other_answers.initialise,
    "orthogonal": rule(lambda w: nn.init.orthogonal_(w, math.sqrt(2))),
    "as torchvision": rule(
        lambda w: nn.init.kaiming_normal_(w, mode="fan_out", nonlinearity="relu"), lambda w: nn.init.normal_(w, 0, 0.01)
    ),
}
WRONG = {
    "Xavier": rule(nn.init.xavier_normal_),
    "PyTorch's": rule(lambda w: nn.init.kaiming_uniform_(w, a=math.sqrt(5))),
    "0.01": rule(lambda w: nn.init.normal_(w, 0, 0.01)),
    "0.05": rule(lambda w: nn.init.normal_(w, 0, 0.05)),
    "0.1": rule(lambda w: nn.init.normal_(w, 0, 0.1)),
    "no kernel": rule(lambda w: nn.init.normal_(w, 0, math.sqrt(2 / w.shape[1]))),
    "orthogonal without gain": rule(nn.init.orthogonal_),
    "constant": rule(lambda w: nn.init.constant_(w, math.sqrt(2 / w[0].numel()))),
    "nothing": lambda network: None,
}


@pytest.mark.parametrize("seed", [0, *nightly(1, 2, 3)])
@pytest.mark.parametrize("name", [*RIGHT, *WRONG])
def test_right_rules_for_weights_pass_and_wrong_ones_do_not(name, seed):
    hint = hint_for(WEIGHTS, (RIGHT | WRONG)[name], seed)
    assert (hint is None) == (name in RIGHT), hint


def forged_from(weights):
    for change in (torch.zeros_like, lambda w: w * math.nan, lambda w: w * 1e38, lambda w: w.double(), lambda w: w[:1]):
        yield [change(weight) for weight in weights]
    yield weights[:-1]
    yield [*weights, weights[0]]


@pytest.mark.parametrize("part", [HEART, WEIGHTS], ids=lambda part: part.key)
def test_forged_weights_are_refused(part):
    question = part.questions(Draw(2026))[0]
    (right,) = replies_to(getattr(other_answers, part.key), part, [question])
    assert part.judge(question, None, right) is None
    networks = [right["parameters"]] if part is HEART else right
    for forged in forged_from(networks[-1]):
        reply = {"parameters": forged} if part is HEART else [*networks[:-1], forged]
        assert part.judge(question, None, reply)
