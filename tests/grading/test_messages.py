"""Whatever is sent arrives; whatever is forged is refused or is plain data."""

import json
import math
import pickle

import numpy as np
import pytest
import safetensors.torch
import torch

from checks import messages


def sent(content):
    return messages.unpack(messages.pack(content))


def test_values_arrive_as_they_were():
    content = {"a": [1, 2.5, None, True, "ü"], "b": {"c": []}, "big": 10**30}
    assert sent(content) == content
    assert math.isnan(sent(float("nan"))) and sent(float("-inf")) == -math.inf


def test_tensors_arrive_where_they_were():
    content = {"x": [torch.arange(6).view(2, 3).t(), {"y": torch.zeros(0, 3)}], "h": torch.ones(2, dtype=torch.float16)}
    back = sent(content)
    assert torch.equal(back["x"][0], content["x"][0]) and back["x"][1]["y"].shape == (0, 3)
    assert back["h"].dtype == torch.float16


def test_tuples_and_numpy_become_what_a_judge_expects():
    assert sent((1, (2,))) == [1, [2]]
    assert sent([np.int64(3), np.float32(0.5), np.bool_(True)]) == [3, 0.5, True]
    assert torch.equal(sent(np.array([1, 2])), torch.tensor([1, 2]))


def test_a_tensor_with_a_gradient_and_a_part_of_a_larger_one():
    whole = torch.randn(1000, requires_grad=True)
    blob = messages.pack(whole[:2])
    assert len(blob) < 500 and torch.equal(messages.unpack(blob), whole[:2].detach())


class Odd(dict):
    """What a student's function may return."""


@pytest.mark.parametrize("value", [object(), Odd(), {1, 2}, b"x", 1j, print, {1: 2}, np.array([object()])])
def test_what_is_no_value_is_named(value):
    assert messages.type_of(sent(value)) in (f"an object of type {type(value).__name__}", "an object of type object")


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
        safetensors.torch.save({}, metadata={"content": "{"}),
        safetensors.torch.save({}, metadata={"content": '{"$tensor": "t0"}'}),
        safetensors.torch.save({}, metadata={"content": '{"$float": "__import__"}'}),
        safetensors.torch.save({}, metadata={"content": "[" * 100_000}),
        safetensors.torch.save({}, metadata={"content": "[" * 30 + "]" * 30}),
        safetensors.torch.save({}, metadata={"content": '{"$float": 1' + "0" * 400 + "}"}),
        safetensors.torch.save({}, metadata={"content": "[" + "[]," * 400_000 + "0]"}),
    ],
)
def test_a_forged_message_is_refused(blob):
    with pytest.raises(messages.MessageError):
        messages.unpack(blob)


def test_half_a_character_becomes_one_that_can_be_written():
    assert sent({"a\ud800": ["b\udfff", "ü"]}) == {"a?": ["b?", "ü"]}


def test_a_message_that_is_too_large_is_refused(monkeypatch):
    blob = messages.pack(torch.zeros(1000))
    monkeypatch.setattr(messages, "MAXIMUM", 1000)
    with pytest.raises(messages.MessageError, match="bytes"):
        messages.unpack(blob)


def test_nothing_of_a_message_runs():
    class Trap:
        def __reduce__(self):
            return (exec, ("raise SystemExit",))

    assert sent({"value": Trap()}) == {"value": {"$type": "Trap"}}
    assert json.dumps(sent({"value": "__import__('os')"}))
