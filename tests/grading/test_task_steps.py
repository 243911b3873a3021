"""Task 4: other right answers pass, odd replies never do, and questions are small."""

import math

import pytest
import torch
from running_here import nightly

from checks import messages
from checks.tasks import Draw
from checks.tasks.training_step import TASK, _questions_on_step, _start, _take_steps

STEP, HEART = TASK.parts
SEED = 2026
ODD = [
    *(None, True, 10**400, -1, math.nan, "loss", [], {}, [None], [[]], [{}, {}, {}], {"$type": "Sequential"}),
    *(
        torch.tensor(math.nan),
        torch.zeros(0),
        torch.zeros(3, dtype=torch.bool),
        torch.tensor(1j),
        torch.zeros(2, dtype=torch.float8_e4m3fn),
    ),
]


class Trainer:
    """Another style: an object that is called, with a mode set part by part and gradients cleared one by one."""

    def __call__(self, network, optimizer, images, labels):
        for module in network.modules():
            module.training = True
        for parameter in network.parameters():
            parameter.grad = None
        log_probabilities = network(images).log_softmax(dim=1)
        loss = -log_probabilities[torch.arange(len(labels)), labels].mean()
        loss.backward()
        optimizer.step()
        network.eval()
        return loss.detach().numpy().astype("float64")[()]


def with_sgd(network, images, labels):
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9)
    for _ in range(200):
        Trainer()(network, optimizer, images, labels)
    return "nothing that counts"


def with_lbfgs(network, images, labels):
    optimizer = torch.optim.LBFGS(network.parameters(), lr=0.5, max_iter=60)

    def closure():
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(network(images), labels)
        loss.backward()
        return loss

    optimizer.step(closure)


def sent(content):
    return messages.unpack(messages.pack(content))


def hints(part, function, expected):
    questions = part.questions(Draw(SEED))
    for question, want in zip(questions, expected or [None] * len(questions), strict=True):
        yield part.judge(question, want, sent(part.answer(function, sent(question))))


@pytest.fixture(scope="module")
def right():
    """What a right step leaves, question by question, by way of the other style."""
    return [sent(STEP.answer(Trainer(), sent(question))) for question in STEP.questions(Draw(SEED))]


def test_another_style_agrees_with_the_reference(asked):
    step = asked(SEED)[STEP.key]
    for question, want in zip(step.questions, step.expected, strict=True):
        assert STEP.judge(question, want, sent(STEP.answer(Trainer(), sent(question)))) is None


@pytest.mark.parametrize("seed", [0, *nightly(*range(1, 8))])
@pytest.mark.parametrize("function", [with_sgd, with_lbfgs])
def test_any_optimizer_may_learn_by_heart(function, seed):
    for question in HEART.questions(Draw(seed)):
        assert HEART.judge(question, None, sent(HEART.answer(function, sent(question)))) is None


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: str(odd)[:20])
def test_odd_replies_get_a_hint(right, odd):
    for question, want in zip(STEP.questions(Draw(SEED)), right, strict=True):
        forged = [odd, [odd] * len(want), [dict.fromkeys(step, odd) for step in want]]
        forged += [[*want[:-1], {**want[-1], "loss": odd}]]
        if question["options"]["lr"]:  # where it is 0, only the loss is asked about
            count = len(want[-1]["parameters"])
            forged += [[*want[:-1], {**want[-1], "parameters": these}] for these in (odd, [odd] * count)]
        for reply in forged:
            assert STEP.judge(question, want, sent(reply))
    for question in HEART.questions(Draw(SEED)):
        count = len(list(_start(question).parameters()))
        for reply in (odd, {"parameters": odd}, {"parameters": [odd] * count}):
            assert HEART.judge(question, None, sent(reply))


def test_weights_of_another_type_or_shape_are_refused():
    question = HEART.questions(Draw(SEED))[0]
    learned = HEART.answer(with_sgd, sent(question))["parameters"]
    assert HEART.judge(question, None, {"parameters": learned}) is None
    forged = [
        [one.double() for one in learned],
        [one.flatten() for one in learned],
        learned[:-1],
        [*learned, learned[0]],
        [one * math.inf for one in learned],
        [one * 1e38 for one in learned],
    ]
    for parameters in forged:
        assert HEART.judge(question, None, {"parameters": parameters})


def test_a_question_with_batch_norm_comes_in_evaluation_mode():
    modes = []

    def look(network, optimizer, images, labels):
        modes.append(network.training)
        return 0.0

    for question in _questions_on_step(Draw(SEED)):
        _take_steps(look, question)
    assert modes and not any(modes)


def test_questions_are_small(right):
    assert len(messages.pack([part.questions(Draw(SEED)) for part in TASK.parts])) < 80_000
    assert len(messages.pack(right)) < 60_000


def test_hints_name_the_first_thing_that_is_wrong(right):
    def nothing(network, optimizer, images, labels):
        return torch.nn.functional.cross_entropy(network(images), labels).item()

    found = list(hints(STEP, nothing, right))
    aspects = [question["aspect"] for question in STEP.questions(Draw(SEED))]
    assert "did not move" in found[aspects.index("step")]
    assert found[: aspects.index("step")] == [None] * aspects.index("step")
