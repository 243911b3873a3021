"""Kinds of layers with their colours, and the chain of volumes that a network makes of one image."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from torch import nn

from course_lib.analysis.arithmetic import UNKNOWN
from course_lib.analysis.tracing import Step, trace
from course_lib.plots.figure import BLUE, GREEN, GREY, ORANGE

CONVOLUTION, POOLING, LINEAR, INPUT, OTHER = "convolution", "pooling", "linear", "input", "other"
KIND_COLOURS = {INPUT: GREY, CONVOLUTION: BLUE, POOLING: ORANGE, LINEAR: GREEN, OTHER: GREY}  # of layers


@dataclass(frozen=True)
class Volume:
    """Output of one layer: maps of height × width, or (for a linear layer) units, with a side of 1."""

    name: str
    kind: str
    channels: int
    height: int = 1
    width: int = 1

    @property
    def sides(self) -> str:
        return f"{self.height}×{self.width}"


@dataclass(frozen=True)
class Skip:
    """A path that forks after volume ``start`` and is added to volume ``end`` (indices in the chain).

    ``projected`` where a convolution on it changes the shape.
    """

    start: int
    end: int
    projected: bool


@dataclass(frozen=True)
class Chain:
    """The image, then every convolution, pool and linear layer on the main path; and the skips beside it."""

    volumes: list[Volume]
    skips: list[Skip]

    def of_kind(self, kind: str) -> list[Volume]:
        return [volume for volume in self.volumes if volume.kind == kind]

    def groups(self) -> list[list[int]]:
        """Indices of consecutive maps of the same size, group by group; the image is a group of its own."""
        maps = [place for place, volume in enumerate(self.volumes) if volume.kind != LINEAR]
        by_side = groupby(maps, key=lambda place: (place == 0, self.volumes[place].sides))
        return [list(places) for _, places in by_side]


def kind_of(layer_type: str) -> str:
    """Kind of a layer from its class name: ``"Conv2d"`` is a convolution, ``"AdaptiveAvgPool2d"`` pooling."""
    if "Conv" in layer_type:
        return CONVOLUTION
    if "Pool" in layer_type:
        return POOLING
    return LINEAR if "Linear" in layer_type else OTHER


def chain_of_volumes(model: nn.Module, input_shape: tuple[int, int, int]) -> Chain:
    """Chain of volumes of one image (C, H, W) in ``model``.

    Activations, batch norm and dropout belong to the layer before them, and a pool that leaves the sides as they are is
    left out. A convolution whose receptive field is smaller than that of the layer before it belongs to a skip.

    Raises: ValueError naming the layer at which the image stops fitting.
    """
    traced = trace(model, tuple(input_shape))
    volumes = [Volume("image", INPUT, *input_shape)]
    places: list[int] = []  # for each step, the place of the last volume on the main path
    on_skips: list[int] = []  # the steps that belong to a skip
    field = 1.0
    for number, step in enumerate(traced.steps):
        kind, sides = kind_of(step.type), (*step.shape[1:], 1, 1)[:2]
        seen = _pixels(step)
        if kind == CONVOLUTION and seen < field:
            on_skips.append(number)
        elif kind in (CONVOLUTION, LINEAR) or (kind == POOLING and sides != (volumes[-1].height, volumes[-1].width)):
            volumes.append(Volume(step.name, kind, step.shape[0], *sides))
            field = seen
        places.append(len(volumes) - 1)
    return Chain(volumes, _skips(traced.steps, traced.skips, places, on_skips))


def _skips(steps: Sequence[Step], pairs: list[tuple[str, str]], places: list[int], on_skips: list[int]) -> list[Skip]:
    """Skips from named pairs of layers. Of a layer that ran more than once, its last run before the addition counts."""
    names = [step.name for step in steps]
    skips = []
    for first, last in pairs:
        end = len(names) - 1 - names[::-1].index(last)
        start = max(number for number in range(end) if names[number] == first)
        after = next((number for number in range(end + 1, len(names)) if kind_of(steps[number].type) != OTHER), None)
        skips.append(Skip(places[start], places[end], after in on_skips))
    return skips


def _pixels(step: Step) -> float:
    """Longer side of the receptive field, infinite where a unit sees the whole image or that is unknown."""
    if step.field in (None, UNKNOWN):
        return float("inf")
    return float(max(int(side) for side in str(step.field).split("×")))
