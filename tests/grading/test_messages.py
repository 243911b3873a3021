"""Values arrive as they were sent; forged messages are refused, and nothing of one runs."""

import math
import pickle

import numpy as np
import pytest
import safetensors.torch
import torch

from checks import messages


def sent(content):
    return messages.unpack(messages.pack(content))


def forged(content, **tensors):
    return safetensors.torch.save(tensors, metadata={"content": content})


@pytest.mark.parametrize(
    ("value", "arrives"),
    [
        ({"a": [1, 2.5, None, True, "ü"], "b": {"c": []}, "big": 10**30}, None),
        ((1, (2,)), [1, [2]]),
        ([np.int64(3), np.float32(0.5), np.bool_(True)], [3, 0.5, True]),
        ({"a\ud800": ["b\udfff", "ü"]}, {"a?": ["b?", "ü"]}),
        (float("-inf"), None),
    ],
)
def test_values_arrive(value, arrives):
    assert sent(value) == (value if arrives is None else arrives)


def test_tensors_arrive_where_they_were():
    content = {"x": [torch.arange(6).view(2, 3).t(), {"y": torch.zeros(0, 3)}], "h": torch.ones(2, dtype=torch.float16)}
    back = sent(content)
    assert torch.equal(back["x"][0], content["x"][0]) and back["x"][1]["y"].shape == (0, 3)
    assert back["h"].dtype == torch.float16
    assert torch.equal(sent(np.array([1, 2])), torch.tensor([1, 2])) and math.isnan(sent(math.nan))


def test_of_a_view_with_gradients_only_its_numbers_are_sent():
    whole = torch.randn(1000, requires_grad=True)
    blob = messages.pack(whole[:2])
    assert len(blob) < 500 and torch.equal(messages.unpack(blob), whole[:2].detach())


class Odd(dict):
    """What a student's function may return."""

    def __reduce__(self):
        return (exec, ("raise SystemExit",))


@pytest.mark.parametrize("value", [object(), Odd(), {1, 2}, b"x", 1j, print, {1: 2}, np.array([object()])])
def test_what_is_no_value_is_named(value):
    name, own = messages.type_of(sent(value)).removeprefix("an object of "), type(value) is Odd
    assert name in (("a class of your own",) if own else (f"type {type(value).__name__}", "type object"))


def test_endless_nesting_ends():
    value = []
    value.append(value)
    assert sent(value)


@pytest.mark.parametrize(
    "blob",
    [
        b"",
        b"x" * 100,
        (10**9).to_bytes(8, "little") + b"{}",
        pickle.dumps({"value": 1}),
        safetensors.torch.save({"a": torch.ones(1)}),
        forged("{"),
        forged('{"$tensor": "t0"}'),
        forged('{"$float": "__import__"}'),
        forged('{"$float": 1' + "0" * 400 + "}"),
        forged("[" * 100_000),
        forged("[" * 30 + "]" * 30),
        forged("[" + "[]," * 400_000 + "0]"),
    ],
)
def test_refuses_a_forged_message(blob):
    with pytest.raises(messages.MessageError):
        messages.unpack(blob)


def test_refuses_a_message_that_is_too_large(monkeypatch):
    blob = messages.pack(torch.zeros(1000))
    monkeypatch.setattr(messages, "MAXIMUM", 1000)
    with pytest.raises(messages.MessageError, match="bytes"):
        messages.unpack(blob)
