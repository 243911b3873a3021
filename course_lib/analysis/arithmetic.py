"""Receptive-field arithmetic: what each operation does to the part of the image that a unit sees.

Along one side of the image, unit number i of a map sees the ``size`` pixels from ``start + i · jump`` on. A window of k
units with dilation d adds (k - 1) d jumps, a padding of p moves the start back by p jumps, and a stride multiplies the
jump. Where paths meet, a unit sees all that it sees by any of them. Source: Araujo, Norris and Sim, Distill, 2019.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import nn

aten = torch.ops.aten
ADDITIONS = (aten.add, aten.add_)
_KEEP = (  # these copy or reshape; each unit keeps its place where height and width stay the same
    *(aten.view, aten._unsafe_view, aten.reshape, aten.unsqueeze, aten.squeeze, aten.expand, aten.clone, aten.detach),
    *(aten.alias, aten.split, aten.split_with_sizes, aten.chunk, aten.select, aten.cat, aten.avg_pool3d, aten._to_copy),
)
_POINTWISE = (
    aten._prelu_kernel,
    aten.prelu,
    aten.hardswish,
    aten.hardsigmoid,
    aten.hardtanh,
)  # torch has no tag for these
_NORMS = (aten.native_batch_norm, aten._native_batch_norm_legit_no_training, aten.cudnn_batch_norm)


@dataclass(frozen=True)
class Side:
    """What the units of one side of a map see, in pixels; by default those of the image, which see themselves."""

    start: int = 0
    size: int = 1
    jump: int = 1

    def window(self, size: int, stride: int, padding: int, dilation: int) -> "Side":
        return Side(self.start - padding * self.jump, self.size + (size - 1) * dilation * self.jump, self.jump * stride)


@dataclass(frozen=True)
class Path:
    """What a unit sees (None: the whole image, or unknown), and the indices of the layers between it and the image."""

    sides: tuple[Side, ...] | None
    steps: frozenset[int] = frozenset()

    def through(self, step: int) -> "Path":
        return replace(self, steps=self.steps | {step})

    @property
    def field(self) -> int | str | None:
        return None if self.sides is None else square([side.size for side in self.sides])

    @property
    def jump(self) -> int | str | None:
        return None if self.sides is None else square([side.jump for side in self.sides])


def path_after(function: Any, args: tuple, kwargs: dict, result: Any, inputs: list[Path]) -> Path:
    """The path of the output of ``function``, an aten operation, from the paths of its ``inputs``."""
    steps = frozenset().union(*(path.steps for path in inputs))
    sides = _join(inputs)
    if sides is None:
        return Path(None, steps)
    named = dict(zip([argument.name for argument in function._schema.arguments], args, strict=False)) | kwargs
    output = result[0] if isinstance(result, list | tuple) else result
    return Path(_sides(function, named, output, sides), steps)


def _join(inputs: list[Path]) -> tuple[Side, ...] | None:
    """What is seen by any of several paths; None where their jumps differ."""
    if any(path.sides is None for path in inputs):
        return None
    joined = []
    for sides in zip(*(path.sides for path in inputs), strict=True):
        if len({side.jump for side in sides}) > 1:
            return None
        start = min(side.start for side in sides)
        joined.append(Side(start, max(side.start + side.size for side in sides) - start, sides[0].jump))
    return tuple(joined)


def _sides(function: Any, named: dict, output: torch.Tensor, sides: tuple[Side, ...]) -> tuple[Side, ...] | None:
    operation = function._overloadpacket
    count = len(sides)
    if operation is aten.convolution and not named["transposed"]:
        window = named["weight"].shape[2:]
        return _slide(sides, window, named["stride"], named["padding"], named["dilation"])
    if operation in (aten.max_pool2d_with_indices, aten.avg_pool2d, aten.max_pool2d):
        window = named["kernel_size"]
        stride = named.get("stride") or window
        return _slide(sides, window, stride, named.get("padding", 0), named.get("dilation", 1))
    if operation in (aten._adaptive_avg_pool2d, aten.adaptive_avg_pool2d, aten.adaptive_max_pool2d):
        before = named["self"].shape[-count:]
        return _adaptive(sides, before, output.shape[-count:])
    if operation is aten.constant_pad_nd:
        pads = [*named["pad"], 0, 0, 0, 0]
        left = [pads[2 * (count - 1 - place)] for place in range(count)]
        return tuple(replace(side, start=side.start - pad * side.jump) for side, pad in zip(sides, left, strict=True))
    if operation is aten.slice:
        axis = _spatial_axis(named["self"], named.get("dim", 0), count)
        step = named.get("step", 1)
        start = named.get("start") or 0
        start += named["self"].shape[named.get("dim", 0)] if start < 0 else 0
        return tuple(
            Side(side.start + start * side.jump, side.size, side.jump * step) if place == axis else side
            for place, side in enumerate(sides)
        )
    if operation is aten.cat and _spatial_axis(output, named.get("dim", 0), count) >= 0:
        return None
    pointwise = (
        torch.Tag.pointwise in function.tags
        or operation in _POINTWISE
        or (operation in _NORMS and not named.get("training"))
    )
    if not (pointwise or operation in _KEEP):
        return None
    tensors = [value for value in named.values() if isinstance(value, torch.Tensor)]
    same = all(tensor.shape[-count:] == output.shape[-count:] for tensor in tensors)
    return sides if pointwise or same else None


def _spatial_axis(maps: torch.Tensor, dim: int, count: int) -> int:
    """Which of the last ``count`` axes ``dim`` is; negative for batch and channels."""
    return dim % maps.dim() - (maps.dim() - count)


def _slide(sides: tuple[Side, ...], *settings: int | Sequence[int]) -> tuple[Side, ...]:
    """Move a window over the maps; ``settings`` are size, stride, padding, dilation: one number or one a side."""
    by_side = [[value] if isinstance(value, int) else list(value) for value in settings]
    by_side = [value * len(sides) if len(value) == 1 else value for value in by_side]
    return tuple(side.window(*setting) for side, *setting in zip(sides, *by_side, strict=True))


def _adaptive(sides: tuple[Side, ...], before: Sequence[int], after: Sequence[int]) -> tuple[Side, ...] | None:
    """Adaptive pooling has windows of one size only where the new side divides the old one."""
    if any(old % new or new == 1 < old for old, new in zip(before, after, strict=True)):
        return None
    return tuple(side.window(old // new, old // new, 0, 1) for side, old, new in zip(sides, before, after, strict=True))


def side_of(layer: nn.Module, setting: str) -> int | str | None:
    """``kernel_size`` or ``stride`` of a convolution or pool, as a number or ``"7×3"``; None for other layers."""
    value = getattr(layer, setting, None)
    return value if value is None or isinstance(value, int) else square(list(value))


def square(values: list[int]) -> int | str:
    """One number for a square, ``"7×3"`` (height × width) else."""
    return values[0] if len(set(values)) == 1 else "×".join(map(str, values))
