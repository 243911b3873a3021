"""Task 5: other right answers pass, odd replies never do, and rules for weights that are right or wrong always are."""

import math

import pytest
import torch
from running_here import nightly
from torch import nn

from checks import messages
from checks.tasks import Draw
from checks.tasks.initialisation import _BEFORE
from checks.tasks.networks import network_of
from checks.tasks.signals import TASK, _questions_on_signal

CHANCE, SIGNAL, GRADIENT, WEIGHTS = TASK.parts
SEED = 2026
ODD = [
    *(None, True, 10**400, -1, math.nan, math.inf, "2.303", [], {}, [None], [[]], ["1.0"], {"$type": "Sequential"}),
    *(torch.tensor(math.nan), torch.tensor(2.3), torch.zeros(0), torch.tensor(1j)),
    *(torch.zeros(3, dtype=torch.bool), torch.zeros(2, dtype=torch.float8_e4m3fn)),
]


def sent(content):
    return messages.unpack(messages.pack(content))


def by_replacing_forward(network, images):
    """Another style: no hook. Each convolution's forward is wrapped for one pass, and NumPy does the arithmetic."""
    strengths, convolutions = [], [module for module in network.modules() if type(module) is nn.Conv2d]
    for convolution in convolutions:

        def wrapped(inputs, forward=convolution.forward):
            outputs = forward(inputs)
            strengths.append(outputs.detach().numpy().std())
            return outputs

        convolution.forward = wrapped
    network(images)
    for convolution in convolutions:
        del convolution.forward
    return strengths


def by_backward(network, images, labels):
    """Another style: backward into cleared gradients, with a loss of its own."""
    network.zero_grad()
    chosen = network(images).log_softmax(1).gather(1, labels[:, None])
    (-chosen).mean().backward()
    layers = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)]
    return [float(layer.weight.grad.norm() / math.sqrt(layer.weight.grad.numel())) for layer in layers]


def rule(draw, draw_linear=None):
    """A way to initialise, from a way to draw one weight."""

    def initialise(network):
        for name, parameter in network.named_parameters():
            if name.endswith("bias"):
                nn.init.zeros_(parameter)
            elif parameter.ndim == 2 and draw_linear:
                draw_linear(parameter)
            else:
                draw(parameter)

    return initialise


def fan_in(weight):
    return weight[0].numel()


RIGHT = {
    "He, fan_in": rule(lambda w: nn.init.kaiming_normal_(w, nonlinearity="relu")),
    "He, fan_out": rule(lambda w: nn.init.kaiming_normal_(w, mode="fan_out", nonlinearity="relu")),
    "He, uniform": rule(lambda w: nn.init.kaiming_uniform_(w, nonlinearity="relu")),
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
    "constant": rule(lambda w: nn.init.constant_(w, math.sqrt(2 / fan_in(w)))),
    "nothing": lambda network: None,
}


def hint_on_weights(function, seed):
    for question in WEIGHTS.questions(Draw(seed)):
        torch.manual_seed(seed)
        if hint := WEIGHTS.judge(question, None, sent(WEIGHTS.answer(function, sent(question)))):
            return hint
    return None


@pytest.fixture(scope="module")
def right():
    """By part, what right answers in the other style give."""
    functions = {CHANCE: math.log, SIGNAL: by_replacing_forward, GRADIENT: by_backward}
    return {
        part: [sent(part.answer(function, sent(question))) for question in part.questions(Draw(SEED))]
        for part, function in functions.items()
    }


@pytest.mark.parametrize("part, function", [(SIGNAL, by_replacing_forward), (GRADIENT, by_backward)])
def test_another_style_agrees_with_the_reference(asked, part, function):
    right = asked(SEED)[part.key]
    for question, want in zip(right.questions, right.expected, strict=True):
        assert part.judge(question, want, sent(part.answer(function, sent(question)))) is None


@pytest.mark.parametrize("seed", [0, *nightly(1, 2, 3)])
@pytest.mark.parametrize("name", RIGHT)
def test_a_right_rule_passes(name, seed):
    assert hint_on_weights(RIGHT[name], seed) is None


@pytest.mark.parametrize("seed", [0, *nightly(1)])
@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_rule_does_not(name, seed):
    assert hint_on_weights(WRONG[name], seed)


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: str(odd)[:20])
def test_odd_replies_get_a_hint(right, odd):
    for part, expected in right.items():
        for question, want in zip(part.questions(Draw(SEED)), expected, strict=True):
            replies = [odd, [odd], {"values": odd, "changed": []}]
            if part is not CHANCE:
                replies += [{"values": [odd] * len(want["values"]), "changed": []}]
                replies += [{**want, "changed": odd}] if odd != [] else []
            for reply in replies:
                assert part.judge(question, want, sent(reply))
    for question in WEIGHTS.questions(Draw(SEED)):
        count = len(list(network_of(question["layers"]).parameters()))
        for reply in (odd, [odd] * question["draws"], [[odd] * count] * question["draws"]):
            assert WEIGHTS.judge(question, None, sent(reply))


def test_forged_weights_are_refused():
    question = WEIGHTS.questions(Draw(SEED))[0]
    drawn = WEIGHTS.answer(RIGHT["He, fan_in"], question)
    assert WEIGHTS.judge(question, None, drawn) is None
    for change in (torch.zeros_like, lambda w: w * math.nan, lambda w: w * 1e38, lambda w: w.double(), lambda w: w[:1]):
        assert WEIGHTS.judge(question, None, [[change(weight) for weight in one] for one in drawn])
    assert WEIGHTS.judge(question, None, drawn[:-1])


def test_weights_come_all_alike():
    seen = []
    WEIGHTS.answer(lambda network: seen.extend(network.parameters()), WEIGHTS.questions(Draw(SEED))[0])
    assert all((weight == _BEFORE).all() for weight in seen if weight.ndim > 1)


@pytest.mark.parametrize("aspect, change", [("mixed", "mode"), ("training", "mode"), ("evaluation", "mode")])
def test_a_changed_mode_is_seen(right, aspect, change):
    at = [question["modes"] for question in _questions_on_signal(Draw(SEED))].index(aspect)
    question = SIGNAL.questions(Draw(SEED))[at]

    def flips(network, images):
        network.train(aspect != "training")
        return by_replacing_forward(network, images)

    reply = sent(SIGNAL.answer(flips, sent(question)))
    assert change in reply["changed"]
    assert "another mode" in SIGNAL.judge(question, right[SIGNAL][at], reply)


def test_questions_are_small(right):
    assert len(messages.pack([part.questions(Draw(SEED)) for part in TASK.parts])) < 100_000
    assert len(messages.pack(list(right.values()))) < 10_000
