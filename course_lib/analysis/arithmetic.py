"""Receptive-field arithmetic: what each operation does to the part of the image that a unit sees.

Along one side of the image, unit number i of a map sees the ``size`` pixels from ``start + i · jump`` on. A window of k
units with dilation d adds (k - 1) d jumps, a padding of p moves the start back by p jumps, and a stride multiplies the
jump. Where paths meet, a unit sees all that it sees by any of them. Source: Araujo, Norris and Sim, Distill, 2019.

An operation along other dimensions than height and width, such as a softmax over channels, changes nothing. One that
mixes all places of a side, such as a mean or a linear layer behind a flatten, sees the whole side. After anything else
(a flip, an interpolation) the field is unknown.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import nn

aten = torch.ops.aten
ADDITIONS = (aten.add, aten.add_)
UNKNOWN = "unknown"
_POINTWISE = (  # torch has no tag for these
    *(aten._prelu_kernel, aten.prelu, aten.hardswish, aten.hardswish_, aten.hardsigmoid, aten.hardsigmoid_),
    *(aten.hardtanh, aten.hardtanh_, aten.log_sigmoid_forward, aten.rrelu_with_noise, aten.expand, aten._to_copy),
    *(aten.detach, aten.alias, aten.channel_shuffle, aten.avg_pool3d),  # these two work along channels
)
_VIEWS = (aten.view, aten._unsafe_view, aten.reshape, aten.unsqueeze, aten.squeeze)
_POOLS = (aten.max_pool2d_with_indices, aten.max_pool2d, aten.avg_pool2d)
_ADAPTIVE_POOLS = (aten._adaptive_avg_pool2d, aten.adaptive_avg_pool2d, aten.adaptive_max_pool2d)
_PADS = (aten.constant_pad_nd, aten.reflection_pad2d, aten.replication_pad2d)
_BATCH_NORMS = (aten.native_batch_norm, aten._native_batch_norm_legit_no_training, aten.cudnn_batch_norm)
_MIXERS = (  # each output depends on all places along the dimensions that these work on
    *(aten.mean, aten.sum, aten.amax, aten.amin, aten.max, aten.min, aten.var, aten.std, aten.var_mean, aten.logsumexp),
    *(aten._softmax, aten._log_softmax, aten._safe_softmax, aten.linalg_vector_norm),
    *(aten.native_layer_norm, aten.native_group_norm, *_BATCH_NORMS),
)
_PRODUCTS = {aten.mm: ("self", "mat2"), aten.bmm: ("self", "mat2"), aten.addmm: ("mat1", "mat2")}

# A dimension of a tensor: the factors of its size, each with the side of the image that it holds, or None. Of maps
# (N, C, H, W), a flatten gives the dimensions ((N, None),) and ((C, None), (H, 0), (W, 1)).
Dimension = tuple[tuple[int, int | None], ...]


@dataclass(frozen=True)
class Side:
    """What the units of one side of a map see, in pixels of ``image``; by default those of the image itself."""

    image: int
    start: int = 0
    size: int = 1
    jump: int = 1

    def window(self, size: int, stride: int, padding: int, dilation: int) -> "Side":
        start, size = self.start - padding * self.jump, self.size + (size - 1) * dilation * self.jump
        return Side(self.image, start, size, self.jump * stride)

    def covered_by(self, units: int) -> bool:
        """Whether so many units see the whole side together, but for pixels that the strides left over."""
        return self.start < self.jump and self.start + (units - 1) * self.jump + self.size > self.image - self.jump


@dataclass(frozen=True)
class Path:
    """What a unit of a tensor sees of each side of the image, and the indices of the layers between it and the image.

    A side is None where a unit sees all of it; ``sides`` is None where that is unknown. ``dims`` are the dimensions.
    """

    sides: tuple[Side | None, ...] | None
    dims: tuple[Dimension, ...] = ()
    steps: frozenset[int] = frozenset()

    @classmethod
    def of_image(cls, shape: Sequence[int]) -> "Path":
        """The path of images, (N, C, H, W)."""
        sides = tuple(Side(size) for size in shape[2:])
        return cls(sides, _as_maps(shape, sides))

    def through(self, step: int) -> "Path":
        return replace(self, steps=self.steps | {step})

    @property
    def whole(self) -> bool:
        """Whether a unit sees the whole image."""
        return self.sides is not None and not any(self.sides)

    @property
    def field(self) -> int | str | None:
        return self._in_pixels("size")

    @property
    def jump(self) -> int | str | None:
        return self._in_pixels("jump")

    def _in_pixels(self, measure: str) -> int | str | None:
        if self.sides is None:
            return UNKNOWN
        if self.whole or len(self.dims) == 2:  # a vector, which has no places
            return None
        return square([getattr(side, measure) for side in self.sides]) if all(self.sides) else UNKNOWN


def path_after(function: Any, args: tuple, kwargs: dict, output: torch.Tensor, path_of: Callable) -> Path:
    """The path of an ``output`` of ``function``, an aten operation, from the paths of its inputs.

    ``path_of`` returns the path of a tensor; None for one that does not depend on the image.
    """
    schema = function._schema.arguments
    named = {argument.name: argument.default_value for argument in schema}
    named |= dict(zip(named, args, strict=False)) | kwargs
    values = [value for item in named.values() for value in (item if isinstance(item, list | tuple) else [item])]
    paths = [path for value in values if (path := path_of(value)) is not None]
    steps = frozenset().union(*(path.steps for path in paths))
    if any(path.whole for path in paths):
        sides = next(path.sides for path in paths if path.whole)
        return Path(sides, _as_maps(output.shape, ()), steps)
    sides, dims = _after(function, named, output, paths, path_of) or (None, ())
    fits = dims is not None and [math.prod(size for size, _ in dim) for dim in dims] == list(output.shape)
    return Path(sides, dims, steps) if fits else Path(None, (), steps)


def _after(function: Any, named: dict, output: torch.Tensor, paths: list[Path], path_of: Callable) -> tuple | None:
    """Sides and dimensions of ``output``; either is None where it is unknown."""
    operation, shape = function._overloadpacket, output.shape
    if operation in _PRODUCTS:
        left, right = (path_of(named[name]) for name in _PRODUCTS[operation])
        return _product(left, right, shape) if len(paths) == (left is not None) + (right is not None) else None
    sides = _join([path.sides for path in paths])
    if sides is None:
        return None
    mixes = operation in _MIXERS and (operation not in _BATCH_NORMS or named.get("training"))
    if torch.Tag.pointwise in function.tags or operation in _POINTWISE or (operation in _BATCH_NORMS and not mixes):
        return sides, _broadcast([path.dims for path in paths], shape)
    if operation is aten.cat:
        along = named["dim"] % len(shape)
        others = [(*path.dims[:along], ((1, None),), *path.dims[along + 1 :]) for path in paths]
        joined = None if any(_held(path.dims[along : along + 1]) for path in paths) else _broadcast(others, shape)
        return sides, joined
    if len(paths) > 1:
        return None
    dims = paths[0].dims
    if operation in _VIEWS:
        return sides, _regrouped(dims, shape)
    if operation in (aten.permute, aten.transpose, aten.t):
        order = list(named.get("dims", range(len(dims))))
        if operation is not aten.permute:
            one, other = named.get("dim0", 0), named.get("dim1", -1)
            order[one], order[other] = order[other], order[one]
        return sides, tuple(dims[dim] for dim in order)
    before = [math.prod(size for size, _ in dim) for dim in dims]
    if operation in (*_POOLS, *_ADAPTIVE_POOLS, *_PADS, aten.convolution, aten.pixel_unshuffle):
        lie_last = _are_maps(dims, sides)
        return (_slid(operation, named, before, shape, sides), _as_maps(shape, sides)) if lie_last else None
    along = _dimensions_worked_on(operation, named, before)
    if along is None:
        return None
    held = _held([dims[dim] for dim in along])
    if operation is aten.slice and held:
        return _sliced(named, dims, sides, shape, *along)
    if held and not (mixes and all(sides[side] is None or sides[side].covered_by(size) for size, side in held)):
        return None
    gone = {side for _, side in held}
    sides = tuple(None if place in gone else side for place, side in enumerate(sides))
    if len(shape) < len(dims):
        return sides, tuple(dim for place, dim in enumerate(dims) if place not in along)
    sizes = zip(dims, shape, strict=True)
    return sides, tuple(((size, None),) if place in along else dim for place, (dim, size) in enumerate(sizes))


def _join(paths: list[tuple[Side | None, ...] | None]) -> tuple[Side | None, ...] | None:
    """What is seen by any of several paths; None where one is unknown, or their jumps differ."""
    if None in paths:
        return None
    joined = []
    for sides in zip(*paths, strict=True):
        if None in sides:
            joined.append(None)
            continue
        if len({side.jump for side in sides}) > 1:
            return None
        start = min(side.start for side in sides)
        joined.append(replace(sides[0], start=start, size=max(side.start + side.size for side in sides) - start))
    return tuple(joined)


def _product(left: Path | None, right: Path | None, shape: Sequence[int]) -> tuple | None:
    """A matrix product: it mixes the columns of ``left`` with the rows of ``right``. None is a matrix of constants."""
    known = [path for path in (left, right) if path is not None and path.sides is not None]
    sides = _join([path.sides for path in known]) if known else None
    if sides is None:
        return None
    constant = tuple(((size, None),) for size in shape)
    rows, columns = (path.dims if path in known else constant for path in (left, right))
    mixed = _held(rows[-1:] if left in known else ()) + _held(columns[-2:-1] if right in known else ())
    if not all(sides[side] is None or sides[side].covered_by(size) for size, side in mixed):
        return None
    gone = {side for _, side in mixed}
    sides = tuple(None if place in gone else side for place, side in enumerate(sides))
    if not any(sides):
        return sides, _as_maps(shape, ())
    unknown = any(path is not None and path not in known for path in (left, right))
    twice = {side for _, side in _held(rows[-2:-1])} & {side for _, side in _held(columns[-1:])}
    batch = _broadcast([rows[:-2], columns[:-2]], shape[:-2])
    return None if unknown or twice or batch is None else (sides, (*batch, rows[-2], columns[-1]))


def _slid(operation: Any, named: dict, before: list[int], after: Sequence[int], sides: tuple) -> tuple | None:
    """Move a window over maps, or pad them."""
    count = len(sides)
    if operation in _PADS:
        pads = [*named.get("pad", named.get("padding")), 0, 0, 0, 0]
        left = [pads[2 * (count - 1 - place)] for place in range(count)]
        return tuple(
            side and replace(side, start=side.start - pad * side.jump) for side, pad in zip(sides, left, strict=True)
        )
    if operation in _ADAPTIVE_POOLS:  # their windows have one size only where the new side divides the old one
        shrunk = list(zip(before[-count:], after[-count:], strict=True))
        if any(old % new for old, new in shrunk):
            return None
        windows = [(old // new, old // new, 0, 1) for old, new in shrunk]
        all_of_it = [
            new == 1 < old and side and side.covered_by(old) for side, (old, new) in zip(sides, shrunk, strict=True)
        ]
        moved = zip(sides, windows, all_of_it, strict=True)
        return tuple(None if side is None or whole else side.window(*window) for side, window, whole in moved)
    if operation is aten.convolution:
        if named["transposed"]:
            return None
        settings = named["weight"].shape[2:], named["stride"], named["padding"], named["dilation"]
    elif operation is aten.pixel_unshuffle:
        settings = named["downscale_factor"], named["downscale_factor"], 0, 1
    else:
        window = named["kernel_size"]
        settings = window, named["stride"] or window, named["padding"], named.get("dilation", 1)
    by_side = [[value] if isinstance(value, int) else list(value) for value in settings]
    by_side = [value * count if len(value) == 1 else value for value in by_side]
    return tuple(side and side.window(*setting) for side, *setting in zip(sides, *by_side, strict=True))


def _sliced(named: dict, dims: tuple, sides: tuple, shape: Sequence[int], dim: int) -> tuple | None:
    """Every ``step``-th place from ``start`` on, along a side."""
    if len(dims[dim]) > 1:
        return (sides, dims) if shape[dim] == math.prod(size for size, _ in dims[dim]) else None
    ((size, place),), start = dims[dim], named["start"] or 0
    side = sides[place]
    start += size if start < 0 else 0
    moved = replace(side, start=side.start + start * side.jump, jump=side.jump * named["step"])
    kept = (*dims[:dim], ((shape[dim], place),), *dims[dim + 1 :])
    return (*sides[:place], moved, *sides[place + 1 :]), kept


def _dimensions_worked_on(operation: Any, named: dict, sizes: list[int]) -> list[int] | None:
    """The dimensions of its input that an operation works along; None where it does not state any."""
    count = len(sizes)
    if operation is aten.native_layer_norm:
        return list(range(count - len(named["normalized_shape"]), count))
    if operation in (aten.native_group_norm, *_BATCH_NORMS):
        return [dim for dim in range(count) if dim != (1 if operation in _BATCH_NORMS else 0)]
    if operation is aten.index:
        return [dim for dim, index in enumerate(named["indices"]) if index is not None]
    if operation is aten.repeat:
        repeats = named["repeats"]
        return [dim for dim in range(count) if repeats[dim] != 1] if len(repeats) == count else None
    dims = named.get("dim", named.get("dims"))
    if dims is None or dims == []:
        return list(range(count)) if operation in _MIXERS else None
    return [dim % count for dim in (dims if isinstance(dims, list | tuple) else [dims])]


def _as_maps(shape: Sequence[int], sides: tuple[Side | None, ...]) -> tuple[Dimension, ...]:
    """Dimensions of a tensor whose last ones are the sides of the image."""
    first = len(shape) - len(sides)
    held = [None if dim < first or sides[dim - first] is None else dim - first for dim in range(len(shape))]
    return tuple(((size, side),) for size, side in zip(shape, held, strict=True))


def _are_maps(dims: tuple[Dimension, ...], sides: tuple[Side | None, ...]) -> bool:
    shape = [math.prod(size for size, _ in dim) for dim in dims]
    places = zip(_as_maps(shape, sides), dims, strict=True)
    return len(dims) >= len(sides) and all(
        wanted == dim or (math.prod(wanted[0][:1]) == 1 and not _held([dim])) or not (_held([wanted]) or _held([dim]))
        for wanted, dim in places
    )


def _held(dims: Sequence[Dimension]) -> list[tuple[int, int]]:
    """The factors in ``dims`` that are sides of the image: size and side."""
    return [factor for dim in dims for factor in dim if factor[1] is not None]


def _broadcast(inputs: list[tuple[Dimension, ...]], shape: Sequence[int]) -> tuple[Dimension, ...] | None:
    """Dimensions of a result of that shape, place by place; None where the inputs hold the sides in different ones."""
    result = []
    for place, size in enumerate(reversed(shape), start=1):
        held = {dims[-place] for dims in inputs if place <= len(dims) and _held(dims[-place : len(dims) - place + 1])}
        if len(held) > 1:
            return None
        result.insert(0, next(iter(held), ((size, None),)))
    return tuple(result)


def _regrouped(dims: tuple[Dimension, ...], shape: Sequence[int]) -> tuple[Dimension, ...] | None:
    """Dimensions after a view of that shape; None where it splits a side of the image."""
    factors = [factor for dim in dims for factor in dim if factor != (1, None)]
    result = []
    for size in shape:
        group, left = [], size
        while factors and (left > 1 or (factors[0][0] == 1 and not group)):
            factor, side = factors.pop(0)
            if left % factor and (factor % left or side is not None):
                return None
            if left % factor:
                factors.insert(0, (factor // left, None))
                factor = left
            group.append((factor, side))
            left //= factor
        result.append(tuple(group) or ((size, None),))
    return tuple(result)


def side_of(layer: nn.Module, setting: str) -> int | str | None:
    """``kernel_size`` or ``stride`` of a convolution or pool, as a number or ``"7×3"``; None for other layers."""
    value = getattr(layer, setting, None)
    return value if value is None or isinstance(value, int) else square(list(value))


def square(values: list[int]) -> int | str:
    """One number for a square, ``"7×3"`` (height × width) else."""
    return values[0] if len(set(values)) == 1 else "×".join(map(str, values))
