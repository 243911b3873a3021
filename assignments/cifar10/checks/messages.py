"""Messages between a worker and its judge: JSON values with tensors among them, as one safetensors blob.

Nothing here executes what it reads, so a forged message can be wrong, but no more than that.
"""

import builtins
import collections
import json
import math
import numbers
import types
from collections.abc import Iterator, Mapping, Sequence, ValuesView
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import safetensors.torch
import torch

MAXIMUM = 64 * 2**20  # bytes of one message, and
TEXT = 2**20  # of its text, which takes far more memory and time than its length
_DEPTH = 12
_ITEMS = 100_000  # of an iterator, which may never end
_MODULES = (builtins, types, collections, np, torch, torch.nn)
_KNOWN = {kind.__name__ for module in _MODULES for kind in vars(module).values() if isinstance(kind, type)}
_TENSOR, _FLOAT, _OTHER = "$tensor", "$float", "$type"


class MessageError(ValueError):
    """Raised for bytes that are no message, or too many."""


@dataclass(frozen=True)
class Other:
    """Stands for a value that could not be sent, by the name of its type."""

    type: str


def pack(content: Any) -> bytes:
    """Dictionaries, lists, numbers, strings and tensors, nested as they like, as bytes.

    Each kind arrives as its plainest type: mappings as dictionaries with strings as keys, sequences and iterators as
    lists, whole and real numbers as ints and floats, NumPy's arrays as tensors. What is none of these arrives as
    :class:`Other`, so that a hint can name it. Raises what an iterator raises.
    """
    tensors: dict[str, torch.Tensor] = {}
    text = json.dumps(_plain(content, tensors, _DEPTH))
    return safetensors.torch.save(tensors, metadata={"content": text})


def unpack(blob: bytes, text: int = TEXT) -> Any:
    """What :func:`pack` was given, with so many bytes of text at most. Raises MessageError for anything else."""
    if len(blob) > MAXIMUM:
        raise MessageError(f"a message of {len(blob):,} bytes, and {MAXIMUM:,} are the most")
    try:
        size = int.from_bytes(blob[:8], "little")
        if size > text:
            raise ValueError(f"{size:,} bytes of text, and {text:,} are the most")
        header = json.loads(blob[8 : 8 + size])
        tensors = safetensors.torch.load(blob)
        return _restored(json.loads(header["__metadata__"]["content"]), tensors, 2 * _DEPTH)
    except Exception as error:  # whatever JSON and safetensors make of bytes that could be any
        raise MessageError(f"not a message: {error}") from error


def _plain(value: Any, tensors: dict[str, torch.Tensor], depth: int) -> Any:
    if value is None or isinstance(value, bool | np.bool_):
        return value if value is None else bool(value)
    if isinstance(value, str):
        return str.__str__(value)  # a subclass may have another __str__
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real):
        return float(value) if math.isfinite(value) else {_FLOAT: str(float(value))}
    if isinstance(value, np.ndarray | torch.Tensor):
        return _sent_apart(value, tensors)
    if depth and isinstance(value, Mapping):
        return {_key(key): _plain(item, tensors, depth - 1) for key, item in value.items()}
    if depth and isinstance(value, Sequence | ValuesView) and not isinstance(value, bytes | bytearray | memoryview):
        return [_plain(item, tensors, depth - 1) for item in value]
    if depth and isinstance(value, Iterator):
        return [_plain(item, tensors, depth - 1) for item in islice(value, _ITEMS)]
    return {_OTHER: value.type if isinstance(value, Other) else type(value).__name__}


def _key(key: Any) -> str:
    return str.__str__(key) if isinstance(key, str) else str(key)


def _sent_apart(value: np.ndarray | torch.Tensor, tensors: dict[str, torch.Tensor]) -> Any:
    try:
        if isinstance(value, np.ndarray) and value.ndim == 0:
            return _plain(value[()], tensors, 0)
        if isinstance(value, np.ndarray):
            value = torch.from_numpy(value.astype(value.dtype.newbyteorder("=")))
        name = f"t{len(tensors)}"
        tensors[name] = value.detach().cpu().to_dense().contiguous().clone()
        return {_TENSOR: name}
    except (TypeError, ValueError, RuntimeError):  # an array of objects, a tensor without numbers
        return {_OTHER: type(value).__name__}


def _restored(value: Any, tensors: dict[str, torch.Tensor], depth: int) -> Any:
    if not depth:
        raise ValueError("it is nested too deeply")
    if isinstance(value, str):
        return value.encode(errors="replace").decode()  # half a character could not be written anywhere
    if isinstance(value, list):
        return [_restored(item, tensors, depth - 1) for item in value]
    if isinstance(value, dict) and set(value) == {_TENSOR}:
        return tensors[value[_TENSOR]]
    if isinstance(value, dict) and set(value) == {_FLOAT}:
        return float(value[_FLOAT])
    if isinstance(value, dict) and set(value) == {_OTHER}:
        return Other(str(value[_OTHER])[:40])
    if isinstance(value, dict):
        return {_restored(key, tensors, depth): _restored(item, tensors, depth - 1) for key, item in value.items()}
    return value


def type_of(reply: Any) -> str:
    """What a reply is, in a student's words: ``a tensor or array of shape (3, 4) and type int8``, ``an int``.

    No name or size is in it that a student's code could choose freely: it could carry a question out.
    """
    if isinstance(reply, torch.Tensor):
        usual = reply.ndim <= 6 and all(size < 10**5 for size in reply.shape)
        shape = f"shape {tuple(reply.shape)}" if usual else "an odd shape"
        return f"a tensor or array of {shape} and type {str(reply.dtype).removeprefix('torch.')}"
    if isinstance(reply, Other):
        known = reply.type in _KNOWN
        return f"an object of type {reply.type}" if known else "an object of a class of your own"
    names = {type(None): "None", bool: "a bool", int: "an int", float: "a float", str: "a string"}
    return names.get(type(reply), "a list or tuple" if isinstance(reply, list) else "a dictionary")


def number_of(reply: int) -> str:
    """A whole number in a hint, unless it has so many digits that they could say something else."""
    return f"{reply}" if abs(reply) < 10**9 else "a number of ten digits or more"
