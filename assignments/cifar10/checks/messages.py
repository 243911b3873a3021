"""Messages between a worker and its judge: JSON values with tensors among them, as one safetensors blob.

Nothing here executes what it reads, so a forged message can be wrong, but no more than that.
"""

import builtins
import collections
import json
import math
import types
from typing import Any

import numpy as np
import safetensors.torch
import torch

MAXIMUM = 64 * 2**20  # bytes of one message, and
TEXT = 2**20  # of its text, which takes far more memory and time than its length
_DEPTH = 12
_MODULES = (builtins, types, collections, np, torch, torch.nn)
_KNOWN = {kind.__name__ for module in _MODULES for kind in vars(module).values() if isinstance(kind, type)}
_TENSOR, _FLOAT, _OTHER = "$tensor", "$float", "$type"


class MessageError(ValueError):
    """Raised for bytes that are no message, or too many."""


def pack(content: Any) -> bytes:
    """Dictionaries, lists, numbers, strings and tensors, nested as they like, as bytes.

    Tuples become lists, NumPy's numbers and arrays numbers and tensors. What is none of these becomes
    ``{"$type": its type's name}``, so that a hint can name it.
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
    kind = type(value)
    if depth and kind in (list, tuple):
        return [_plain(item, tensors, depth - 1) for item in value]
    if depth and kind is dict and all(type(key) is str for key in value):
        return {key: _plain(item, tensors, depth - 1) for key, item in value.items()}
    if value is None or kind in (bool, int, str):
        return value
    if kind is float:
        return value if math.isfinite(value) else {_FLOAT: str(value)}
    if kind.__module__ == "numpy":
        return _plain(_from_numpy(value), tensors, depth)
    if isinstance(value, torch.Tensor):
        name = f"t{len(tensors)}"
        tensors[name] = value.detach().cpu().contiguous().clone()
        return {_TENSOR: name}
    return {_OTHER: kind.__name__}


def _from_numpy(value: Any) -> Any:
    if getattr(value, "ndim", None) == 0:
        return value.item()
    try:
        return torch.from_numpy(value.copy())
    except TypeError:  # an array of objects
        return object()


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
    if isinstance(value, dict):
        return {_restored(key, tensors, depth): _restored(item, tensors, depth - 1) for key, item in value.items()}
    return value


def type_of(reply: Any) -> str:
    """What a reply is, in a student's words: ``a tensor of shape (3, 4)``, ``None``, ``a list``.

    No name or size is in it that a student's code could choose freely: it could carry a question out.
    """
    if isinstance(reply, torch.Tensor):
        usual = reply.ndim <= 6 and all(size < 10**5 for size in reply.shape)
        return f"a tensor of shape {tuple(reply.shape)}" if usual else "a tensor of an odd shape"
    if isinstance(reply, dict) and set(reply) == {_OTHER}:
        name = str(reply[_OTHER])
        return f"an object of type {name}" if name in _KNOWN else "an object of a class of your own"
    names = {type(None): "None", bool: "a bool", int: "an int", float: "a float", str: "a string", list: "a list"}
    return names.get(type(reply), "a dictionary")


def number_of(reply: int) -> str:
    """A whole number in a hint, unless it has so many digits that they could say something else."""
    return f"{reply}" if abs(reply) < 10**9 else "a number of ten digits or more"
