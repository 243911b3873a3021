"""What the layers of a network make of one image: a chain of volumes, with the skips that go round some of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from torch import nn

from course_lib.analysis.tracing import Step, trace
from course_lib.plots.kinds import CONVOLUTION, INPUT, LINEAR, OTHER, POOLING, kind_of


@dataclass(frozen=True)
class Volume:
    """What one layer hands on: maps of height × width, or (for a linear layer) units, with a side of 1."""

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
    """A path that leaves behind volume ``start`` and is added to volume ``end`` (places in the chain).

    ``projected`` where a convolution on the way brings it into the new shape.
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
        """Places of the maps that have the same sides, one group after the other; the image is a group of its own."""
        maps = [place for place, volume in enumerate(self.volumes) if volume.kind != LINEAR]
        by_side = groupby(maps, key=lambda place: (place == 0, self.volumes[place].sides))
        return [list(places) for _, places in by_side]


def chain_of_volumes(model: nn.Module, input_shape: tuple[int, int, int]) -> Chain:
    """Follow one image (C, H, W) through ``model`` and keep what can be drawn.

    Activations, batch norm and dropout belong to the layer before them, and a pool that leaves the sides as they are is
    left out. A convolution whose receptive field is smaller than that of the layer before it went round that layer: it
    belongs to a skip.

    Raises: ValueError naming the layer at which the image stops fitting.
    """
    traced = trace(model, tuple(input_shape))
    volumes = [Volume("image", INPUT, *input_shape)]
    places: list[int] = []  # for each step, the place of the last volume on the main path
    beside: list[int] = []  # the steps that belong to a skip
    field = 1.0
    for number, step in enumerate(traced.steps):
        kind, sides = kind_of(step.type), (*step.shape[1:], 1, 1)[:2]
        seen = _pixels(step)
        if kind == CONVOLUTION and seen < field:
            beside.append(number)
        elif kind in (CONVOLUTION, LINEAR) or (kind == POOLING and sides != (volumes[-1].height, volumes[-1].width)):
            volumes.append(Volume(step.name, kind, step.shape[0], *sides))
            field = seen
        places.append(len(volumes) - 1)
    return Chain(volumes, _skips(traced.steps, traced.skips, places, beside))


def _skips(steps: Sequence[Step], pairs: list[tuple[str, str]], places: list[int], beside: list[int]) -> list[Skip]:
    """Find the places of named pairs. A layer that ran more than once is meant as it ran last before the addition."""
    names = [step.name for step in steps]
    skips = []
    for first, last in pairs:
        end = len(names) - 1 - names[::-1].index(last)
        start = max(number for number in range(end) if names[number] == first)
        after = next((number for number in range(end + 1, len(names)) if kind_of(steps[number].type) != OTHER), None)
        skips.append(Skip(places[start], places[end], after in beside))
    return skips


def _pixels(step: Step) -> float:
    """The side of the receptive field (the longer one), infinite where a unit sees the whole image."""
    if step.field is None:
        return float("inf")
    return float(max(int(side) for side in str(step.field).split("×")))
