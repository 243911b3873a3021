"""Compares replies with what is expected. A reply may be anything: no function here raises because of one."""

import math
from collections.abc import Callable
from typing import Any

import torch

from checks.messages import type_of

Shapes = list[list[int]]
FLOATS = (torch.float32, torch.float64, torch.float16, torch.bfloat16)  # torch computes nothing in narrower ones
WHOLE = (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.uint16, torch.uint32, torch.uint64)
_LONGEST = 10_000  # items of a row that is made a list


def is_number(value: Any) -> bool:
    """Whether a reply is an ordinary float, neither NaN nor infinite."""
    return type(value) is float and abs(value) < 1e300


def number_in(reply: Any) -> float | None:
    """A number, also one in a tensor without dimensions; None where there is none."""
    if isinstance(reply, torch.Tensor) and reply.shape == () and reply.dtype in (*FLOATS, *WHOLE):
        reply = reply.item()
    if isinstance(reply, bool) or not isinstance(reply, int | float):
        return None
    try:
        return float(reply)
    except OverflowError:  # an int of hundreds of digits
        return math.inf


def whole_in(reply: Any) -> int | None:
    """A whole number, also one in a tensor without dimensions; None where there is none."""
    if isinstance(reply, torch.Tensor) and reply.shape == () and reply.dtype in WHOLE:
        return reply.item()
    return reply if type(reply) is int else None


def list_in(reply: Any, item_in: Callable[[Any], Any]) -> list | None:
    """The items of a list or of a tensor (N,), as ``item_in`` gives them; None where one of them is none."""
    if isinstance(reply, torch.Tensor):
        is_row = reply.ndim == 1 and len(reply) < _LONGEST and reply.dtype in (*FLOATS, *WHOLE)
        reply = reply.tolist() if is_row else None
    items = [item_in(item) for item in reply] if isinstance(reply, list) else [None]
    return None if None in items else items


def not_items(reply: Any, item_in: Callable[[Any], Any]) -> str:
    """What a reply is that :func:`list_in` makes nothing of, and of a list the first item that is wrong."""
    wrong = [item for item in reply if item_in(item) is None] if isinstance(reply, list) else []
    return f"a list that holds {type_of(wrong[0])}" if wrong else type_of(reply)


def are_floats(reply: Any) -> bool:
    """Whether a reply is a tensor of floating-point numbers."""
    return isinstance(reply, torch.Tensor) and reply.dtype in FLOATS


def are_like(expected: torch.Tensor, reply: Any) -> bool:
    """Whether a reply is a tensor of the same shape and type."""
    return isinstance(reply, torch.Tensor) and reply.shape == expected.shape and reply.dtype == expected.dtype


def are_close(expected: list[torch.Tensor], reply: Any, relative: float = 1e-3, absolute: float = 1e-4) -> bool:
    """Whether a reply is a list of the same tensors, within the rounding of other machines."""
    if not isinstance(reply, list) or len(reply) != len(expected):
        return False
    return all(
        are_like(want, got) and torch.allclose(got.double(), want.double(), rtol=relative, atol=absolute)
        for want, got in zip(expected, reply, strict=True)
    )


def not_a_network(reply: Any, function: str) -> str | None:
    """The hint to a reply ``{"returned": …}``, which stands for anything but an ``nn.Module``."""
    if not isinstance(reply, dict) or set(reply) != {"returned"}:
        return None
    return f"{function} should return an nn.Module; it returned {type_of(reply['returned'])}."


def wrong_network(expected: Shapes | torch.Tensor, reply: Any) -> str | None:
    """What is wrong with the shapes of a network's parameters, or with its logits; None where they are right."""
    return (_wrong_logits if isinstance(expected, torch.Tensor) else _wrong_shapes)(expected, reply)


def _wrong_shapes(expected: Shapes, reply: Any) -> str | None:
    if not _are_shapes(reply):
        return "The shapes of the network's parameters could not be read."
    other = [place for place, (want, got) in enumerate(zip(expected, reply, strict=False)) if got != want]
    if len(reply) != len(expected):
        where = f"; number {other[0] + 1} is the first that differs" if other else ""
        return f"The network has {len(reply)} weights and biases, and should have {len(expected)}{where}."
    if other:
        want, got = tuple(expected[other[0]]), tuple(reply[other[0]])
        return f"Of the network's {len(reply)} weights and biases, number {other[0] + 1} has shape {got}, not {want}."
    return None


def _are_shapes(reply: Any) -> bool:
    return isinstance(reply, list) and all(
        isinstance(shape, list) and len(shape) < 6 and all(type(size) is int and 0 <= size < 10**6 for size in shape)
        for shape in reply
    )


def unreadable_logits(shape: tuple[int, ...], reply: Any) -> str | None:
    """Why a reply cannot be logits of this shape; None where it can."""
    if not are_floats(reply) or reply.shape != shape:
        return f"The network should give logits of shape {tuple(shape)}, floating point; it gave {type_of(reply)}."
    return None if reply.isfinite().all() else "The logits hold NaN or infinity."


def _wrong_logits(expected: torch.Tensor, reply: Any) -> str | None:
    if problem := unreadable_logits(expected.shape, reply):
        return problem
    want, got = expected.double(), reply.double()
    if torch.allclose(got, want, rtol=1e-3, atol=1e-4 * max(1.0, want.abs().max().item())):
        return None
    for name, form in (("probabilities", torch.softmax), ("logarithms of probabilities", torch.log_softmax)):
        if torch.allclose(got, form(want, dim=1), rtol=1e-3, atol=1e-4):
            return f"These are {name}: a network gives its logits, and the loss does the rest."
    return "The shapes of all parameters are right, and the logits are not."
