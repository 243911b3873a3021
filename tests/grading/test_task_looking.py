"""Task 7: what its judges make of right answers in another style, and of odd replies."""

import math

import numpy as np
import pytest
import torch
from running_here import hint_for, replies_to
from torch.nn import functional as F

from checks import messages
from checks.tasks import Draw, inspection

PARTS = {part.key: part for part in inspection.TASK.parts}
ODD = [
    None,
    True,
    "picture",
    [],
    {},
    [[1, 0], [0, 1]],
    [10**400],
    [-1, 2.0],
    [True],
    ["1"],
    [torch.tensor(1)],
    math.nan,
    {"$type": "Picture"},
    torch.full((4, 4, 3), math.nan),
    torch.zeros(0),
    torch.zeros(4, 4, 3, dtype=torch.uint8),
    torch.zeros(4, 4, 3, dtype=torch.complex64),
    torch.zeros(4, 4, 3, dtype=torch.float8_e4m3fn),
    torch.full((3, 5, 5, 7), math.inf),
]


# Right answers in two styles.
def picture_by_pixel(weights, columns):
    count, _, side, _ = weights.shape
    rows = math.ceil(count / columns)
    picture = np.ones((rows * (side + 1) - 1, columns * (side + 1) - 1, 3))
    for n in range(count):
        numbers = weights[n].numpy().astype(float)
        low, span = numbers.min(), np.ptp(numbers)
        for (channel, y, x), number in np.ndenumerate(numbers):
            place = n // columns * (side + 1) + y, n % columns * (side + 1) + x
            picture[(*place, channel)] = (number - low) / span if span else 0.5
    return picture


def picture_by_fold(weights, columns):
    low, high = weights.amin((1, 2, 3), keepdim=True), weights.amax((1, 2, 3), keepdim=True)
    tiles = torch.where(high > low, (weights - low) / (high - low), torch.tensor(0.5))
    missing = -len(tiles) % columns
    tiles = F.pad(F.pad(tiles, (0, 1, 0, 1), value=1), (0, 0, 0, 0, 0, 0, 0, missing), value=1)
    rows = [torch.cat(tuple(row), 2) for row in tiles.split(columns)]
    return torch.cat(rows, 1)[:, :-1, :-1].permute(1, 2, 0)


class Stop(Exception):
    """Ends a network's run at the module that is asked for."""


def maps_by_stopping(network, name, images):
    kept, modes = {}, [module.training for module in network.modules()]

    def keep(module, inputs, output):
        kept["maps"] = output.detach()
        raise Stop

    hook = dict(network.named_modules())[name].register_forward_hook(keep)
    try:
        network.eval()(images)
    except Stop:
        pass
    finally:
        hook.remove()
        for module, mode in zip(network.modules(), modes, strict=True):
            module.training = mode
    return kept["maps"]


def maps_by_copy(network, name, images):
    from copy import deepcopy

    twin = deepcopy(network).eval()
    module, kept = twin.get_submodule(name), []
    forward = module.forward

    def keep(inputs):
        output = forward(inputs)
        kept.append(output.clone())
        return output

    module.forward = keep
    with torch.inference_mode():
        twin(images)
    return kept[0].clone().numpy()


def mistakes_by_sorting(logits, labels, count):
    found = []
    for i, (row, label) in enumerate(zip(logits.double().tolist(), labels.tolist(), strict=True)):
        most = max(row)
        if row.index(most) != label:
            found.append((1 / sum(math.exp(one - most) for one in row), i))
    return [i for _, i in sorted(found, reverse=True)[:count]]


def mistakes_by_masking(logits, labels, count):
    chances = F.log_softmax(logits, 1)
    best, guess = chances.max(1)
    best = best.masked_fill(guess == labels, -math.inf)
    return best.topk(min(count, int((guess != labels).sum()))).indices.tolist()


ONE = {"filter_picture": picture_by_pixel, "maps_of": maps_by_stopping, "worst_mistakes": mistakes_by_sorting}
OTHER = {"filter_picture": picture_by_fold, "maps_of": maps_by_copy, "worst_mistakes": mistakes_by_masking}


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("key", PARTS)
def test_a_right_answer_in_another_style_is_right(key, seed):
    part = PARTS[key]
    questions = part.questions(Draw(seed))
    one, other = (replies_to(style[key], part, questions) for style in (ONE, OTHER))
    assert hint_for(part, questions, one, other) is None
    assert hint_for(part, questions, other, one) is None


def forged(key, odd, reply):
    """The odd value as a reply, and in the place of what matters within a reply."""
    inner = {"filter_picture": "picture", "maps_of": "maps"}.get(key)
    return [odd] if inner is None else [odd, reply | {inner: odd}]


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: messages.type_of(odd)[:40])
@pytest.mark.parametrize("key", PARTS)
def test_an_odd_reply_gets_a_hint(key, odd):
    part = PARTS[key]
    questions = part.questions(Draw(3))
    expected = replies_to(ONE[key], part, questions)
    for number in range(len(forged(key, odd, expected[0]))):
        hint = hint_for(part, questions, expected, [forged(key, odd, reply)[number] for reply in expected])
        assert hint and len(hint) < 600


@pytest.mark.parametrize("name", ["gradient", "modes", "hooks", "same"])
def test_what_is_said_of_the_network_must_be_there(name):
    part = PARTS["maps_of"]
    questions = part.questions(Draw(3))
    expected = replies_to(maps_by_stopping, part, questions)
    for odd in (None, "", [], {}, 2, [1] * 9):
        assert hint_for(part, questions, expected, [reply | {name: odd} for reply in expected])
    assert hint_for(part, questions, expected, [{"maps": reply["maps"]} for reply in expected])


def test_a_picture_alone_is_no_reply():
    part = PARTS["filter_picture"]
    questions = part.questions(Draw(3))
    expected = replies_to(picture_by_fold, part, questions)
    assert hint_for(part, questions, expected, [reply["picture"] for reply in expected])
    assert hint_for(part, questions, expected, [reply | {"kept": 1} for reply in expected])


@pytest.mark.parametrize(("key", "inner"), [("filter_picture", "picture"), ("maps_of", "maps")])
def test_right_numbers_of_another_type_get_a_hint(key, inner):
    part = PARTS[key]
    questions = part.questions(Draw(3))
    expected = replies_to(ONE[key], part, questions)
    replies = [reply | {inner: torch.as_tensor(reply[inner]).to(torch.complex128)} for reply in expected]
    assert "a tensor of floats" in hint_for(part, questions, expected, replies)


def test_a_bool_is_no_place():
    assert "a list of ints" in PARTS["worst_mistakes"].judge({"aspect": "wrong"}, [1], [True])


def test_questions_are_small():
    assert sum(len(messages.pack(part.questions(Draw(1)))) for part in PARTS.values()) < 60_000
