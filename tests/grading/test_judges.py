"""A reply may be anything, for the channel may be forged: no judge raises, and none takes it for right."""

import pytest
import torch

from checks.tasks import TASKS

ODD = [
    None,
    True,
    -1.5,
    float("nan"),
    10**400,
    "",
    "right",
    [],
    [None, None],
    [torch.zeros(2), torch.zeros(2)],
    [[], {}],
    {},
    {"value": True, "same": True, "modes": [torch.ones(3)], "weights": [None], "logits": "x"},
    {"$type": "Trap"},
    torch.tensor(float("nan")),
    torch.full((10, 10), torch.inf),
    torch.zeros(0),
    torch.ones(2, 3, dtype=torch.complex64),
    torch.ones(3, dtype=torch.float8_e4m3fn),
]


@pytest.mark.parametrize("part", [part for task in TASKS for part in task.parts], ids=lambda part: part.key)
def test_odd_replies_get_a_hint_and_no_points(part, asked):
    questions = asked(2026)[part.key]
    for i, question in enumerate(questions.questions):
        expected = questions.expected[i] if part.compares else None
        for odd in ODD:
            if expected == [] and isinstance(odd, list) and not odd:  # which is right
                continue
            hint = part.judge({**question, "logits": None, "logits_problem": "none"}, expected, odd)
            assert isinstance(hint, str) and hint, (question["aspect"], odd)
