"""Right answers in another style pass; odd, forged and slightly wrong replies get a hint, and no judge raises."""

import math
from pathlib import Path

import pytest
import torch
from running_here import Here, nightly

from checks import marking, script
from checks.marking import Asked
from checks.messages import Other
from checks.tasks import PARTS, TASKS

OTHER = Path(__file__).with_name("other_answers.py").read_text(encoding="utf-8")
ODD = [
    *(None, True, -1, 10**400, -1.5, math.nan, math.inf, "", "right"),
    *([], [[]], [None, None], [True], ["1.0"], [[10**30]], [torch.zeros(2), torch.zeros(2)]),
    *({}, {"returned": {"$type": 3}}, {"$type": "Trap"}, Other("Trap"), {"conv": 10**400, "norm": 0, "linear": 0}),
    *(torch.tensor(math.nan), torch.tensor(2.9), torch.tensor(1j), torch.zeros(0, 1), torch.full((256, 10), torch.inf)),
    *(torch.zeros(2, 3, dtype=kind) for kind in (torch.bool, torch.uint8, torch.complex64, torch.float8_e4m3fn)),
]
# What a reply also holds, to find the right hint: it decides nothing where the rest is right.
FOR_HINTS = ("gradients", "taken")


@pytest.mark.parametrize("seed", [2026, 5, *nightly(*range(10, 20))])
@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.title)
def test_right_answers_in_another_style_pass(hints, task, seed):
    assert set(hints(OTHER, seed, task)) == ({"RESULTS"} if task.number == 6 else set())


# What a function may return in place of a right value: by its part, code with the value as ``x``.
OTHER_TYPES = {
    "output_size": ("np.int64(x)", "np.uint8(x)", "torch.tensor(x)", "np.array(x)", "int.__new__(Whole, x)"),
    "receptive_field": ("Pair(*x)", "np.array(x)", "torch.tensor(x)", "(n for n in x)", "[*map(torch.tensor, x)]"),
    "count_parameters": ("Counter(x)", "OrderedDict(x)", "defaultdict(int, x)", "{k: torch.tensor(x[k]) for k in x}"),
    "chance_loss": ("np.float32(x)", "torch.tensor(x, requires_grad=True)", "np.longdouble(x)"),
    "signal_strength": ("np.array(x)", "torch.tensor(x)", "[*map(torch.tensor, x)]", "dict(enumerate(x)).values()"),
    "accuracy": ("np.float32(x)", "torch.tensor(x).double()", "Fraction(x)"),
    "confusion_matrix": ("x.numpy().astype('>i4')", "x.to(torch.uint8)", "x.to_sparse()", "KEPT.copy_(x[:3, :3])"),
    "worst_mistakes": ("np.array(x, int)", "torch.tensor(x, dtype=int)", "deque(x)", "[*map(np.int16, x)]"),
    "filter_picture": ("x.numpy()", "x.double()", "x.clone().requires_grad_()", "x.half()"),
    "RESULTS": ("OrderedDict(x)", "{k: np.float32(x[k]) for k in x}", "{k: torch.tensor(x[k]) for k in x}"),
    "WHY_STUCK": ("np.str_(x)", "Text(x)"),
}
IMPORTS = """from collections import *
from fractions import Fraction
import numpy as np, torch
class Whole(int): pass
class Text(str): pass
Pair = namedtuple("Pair", "field jump")
KEPT = torch.zeros(3, 3, dtype=int)
"""


@pytest.mark.parametrize(("key", "other"), [(key, other) for key, others in OTHER_TYPES.items() for other in others])
def test_right_values_in_another_type_pass(reference, asked, handed_in, key, other):
    cells = [*script.cells_of(reference), script.Cell(IMPORTS, 1)]
    name = f"right = {key}\n{key}"
    is_constant = key.isupper()
    code = (
        f"{name} = (lambda x: {other})(right)" if is_constant else f"{name} = lambda *a: (lambda x: {other})(right(*a))"
    )
    asked = asked(2026)[key]
    if "KEPT" in other:  # one object that every call changes: all questions here have three classes
        asked = Asked(asked.questions[:2], asked.expected[:2])
    (verdict,) = marking.mark([*cells, script.Cell(code, 1)], {key: asked}, Here, handed_in)
    assert verdict.hint is None


@pytest.fixture(scope="module")
def rights(asked, reference, handed_in):
    """By a part's key: its questions, as a judge gets them, and the reference's replies."""
    runner, rights = Here(), {}
    for cell in script.cells_of(reference):
        assert runner.load(cell.source, cell.line, 10) is None
    for key, part in asked(2026).items():
        replies = runner.answer(key, part.questions, 0, 10)
        questions = [{**question, **handed_in} for question in part.questions]
        rights[key] = list(zip(questions, [reply["value"] for reply in replies], strict=True))
    return rights


def forged_from(reply, odd):
    """The odd value as the reply, and at every place within it."""
    yield odd
    if isinstance(reply, dict):
        yield from ({**reply, key: odd} for key in reply if key not in FOR_HINTS)
        yield dict.fromkeys(reply, odd)
    if isinstance(reply, list):
        yield [odd] * len(reply)
        yield from ([*reply[:-1], inner] for inner in (forged_from(reply[-1], odd) if reply else ()))
        yield [*reply, odd]


def counts(question, part, key):
    """Whether something of a reply counts in a question at all."""
    if part.key == "train_step" and key == "parameters":
        return question["options"]["lr"] > 0
    return key != "buffers" or question["aspect"] == "mode"


@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)
def test_odd_replies_get_a_hint(part, rights):
    for question, right in rights[part.key][: None if part.compares else 1]:
        for odd in ODD:
            for forged in forged_from(right, odd):
                hint = part.judge(question, right, forged)
                assert is_right(forged, right, question, part) or (isinstance(hint, str) and 0 < len(hint) < 1000)


def is_right(forged, right, question, part):
    """Whether a forged reply differs from a right one only in what does not count."""
    if isinstance(right, list) and isinstance(forged, list) and len(right) == len(forged):
        return all(is_right(*pair, question, part) for pair in zip(forged, right, strict=True))
    if isinstance(right, dict) and isinstance(forged, dict) and {*right} == {*forged}:
        keys = [key for key in right if key not in FOR_HINTS and counts(question, part, key)]
        return all(is_right(forged[key], right[key], question, part) for key in keys)
    if isinstance(right, torch.Tensor) or isinstance(forged, torch.Tensor):
        return forged is right
    return type(forged) is type(right) and forged == right


def spoiled_from(value):
    """A reply with one number changed a little, once for each place."""
    if isinstance(value, torch.Tensor) and value.numel():
        changed = value.clone().flatten()
        changed[-1] += 1 if not value.is_floating_point() else max(0.1 * value.abs().max().item(), 0.01)
        yield changed.reshape(value.shape)
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int | float):
        yield value + (1 if isinstance(value, int) else max(0.03 * abs(value), 1e-3))
    if isinstance(value, list):
        yield from ([*value[:i], new, *value[i + 1 :]] for i, old in enumerate(value) for new in spoiled_from(old))
    if isinstance(value, dict):
        yield from ({**value, key: new} for key, old in value.items() for new in spoiled_from(old))


@pytest.mark.parametrize("part", [part for part in PARTS.values() if part.compares], ids=lambda part: part.key)
def test_a_right_reply_passes_and_one_with_a_wrong_number_does_not(part, rights):
    for question, right in rights[part.key]:
        if question.get("asked") == "dropout":  # a matter of chance: see test_dropout
            continue
        assert part.judge(question, right, right) is None
        for spoiled in spoiled_from(right):
            assert part.judge(question, right, spoiled) or is_right(spoiled, right, question, part), question["aspect"]
