"""One run of a study, before it is run."""

import hashlib
import inspect
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any, Protocol

import torch
from torch import nn

from course_lib import analysis, data, runlog, training
from course_lib.data import ImageData, Split
from course_lib.data.catalog import spec_of
from course_lib.training.describing import name_of
from course_lib.training.fingerprint import ASKED, fingerprint
from course_tools.studies.preparing import Resized, part_of


class Run(Protocol):
    """What a study is made of: a run that knows its key, what it costs, and how to train itself."""

    @property
    def name(self) -> str:
        """Shared by the runs that differ in their seed only."""

    @property
    def seed(self) -> int: ...

    @property
    def key(self) -> str:
        """12 hexadecimal digits over all that was asked for: a finished run with this key need not be repeated."""

    @property
    def work(self) -> float:
        """Multiply-adds, about: what the run costs, for the progress bar only."""

    def train(self) -> dict[str, Any]:
        """Train, judge on test images, and describe the run as a record, which has yet to learn the key."""

    def begin(self) -> None:
        """Do as much of the training as it takes to write its fingerprint into the run log."""


@dataclass(frozen=True)
class Planned:
    """What will be trained, on what, and how.

    ``name`` is shared by the runs that differ in their seed only. ``build`` makes the network, ``recipe`` holds the
    options of :func:`course_lib.training.fit`. Images come from ``data``; its small sample is used where ``sample`` is
    set. A stratified ``fraction`` of the training images is drawn by ``seed``. ``side`` and ``channels`` are what
    the images are brought to; None leaves them as they are. ``normalised`` says whether the data set's mean is taken
    away and the result divided by its standard deviation, or pixels are only scaled to [0, 1]. ``judge`` is ``test``,
    or ``validation`` for a run that serves a choice.
    """

    name: str
    seed: int
    build: Callable[[], nn.Module]
    data: str
    recipe: dict[str, Any] = field(hash=False)
    sample: bool = False
    fraction: float = 1.0
    side: int | None = None
    channels: int | None = None
    normalised: bool = True
    judge: str = "test"

    def network(self) -> nn.Module:
        """The network, with first weights from torch's generator, behind what brings images to its size."""
        network = self.build()
        if self.side is None and self.channels is None:
            return network
        _, own_side, _ = spec_of(self.data).shape
        return Resized(network, self.side or own_side, self.channels)

    @property
    def images(self) -> str:
        """In a few words, what is done to all images."""
        done = [f"resized to {self.side} × {self.side}"] if self.side else []
        done += [f"{self.channels} channels"] if self.channels else []
        done += [] if self.normalised else ["scaled, not normalised"]
        return ", ".join(done) or "as they are"

    @cached_property
    def key(self) -> str:
        """12 hexadecimal digits over all that was asked for: a finished run with this key need not be repeated."""
        asked = {
            "name": self.name,
            "seed": self.seed,
            "network": _in_full(self.build),
            "data": [self.data, self.sample, self.fraction],
            "images": self.images,
            "recipe": {option: _in_full(value) if callable(value) else value for option, value in self.recipe.items()},
        }
        if self.judge != "test":
            asked["judge"] = self.judge
        return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:12]

    @cached_property
    def work(self) -> float:
        """Multiply-adds of all forward passes in training: what the run costs, for the progress bar only."""
        spec = spec_of(self.data)
        images = 4_000 if self.sample else spec.train - spec.validation
        with torch.device("meta"):
            cost = analysis.count_multiply_adds(self.network(), spec.shape)
        return cost * self.fraction * images * self.recipe["epochs"]

    def train(self) -> dict[str, Any]:
        """Train, judge on test or validation images, and describe the run as a record."""
        images = data.load(self.data, size="sample" if self.sample else "full")
        network, train, val = self._prepared(images)
        history = training.fit(network, train, val, seed=self.seed, show=False, **self.recipe)
        history.recipe["model"] = type(getattr(network, "network", network)).__name__
        judged = self._scaled(images.open_test()) if self.judge == "test" else val
        answers = training.predict(network, judged, precision=history.precision)
        return training.record(self.name, history, answers, images, images=self.images, split=self.judge)

    def begin(self) -> None:
        """Write the fingerprint into the run log, and train nothing."""
        images = data.load(self.data, size="sample" if self.sample else "full")
        parameters = inspect.signature(training.fit).parameters
        asked = {name: self.recipe.get(name, parameters[name].default) for name in ASKED} | {"seed": self.seed}
        runlog.note("fit", fingerprint(*self._prepared(images), **asked))

    def _prepared(self, images: ImageData) -> tuple[nn.Module, Split, Split]:
        """The network with its first weights, training and validation images."""
        training.set_seed(self.seed)
        part = part_of(images.train, self.fraction, self.seed)
        return self.network(), self._scaled(part), self._scaled(images.val)

    def _scaled(self, split: Split) -> Split:
        if self.normalised:
            return split
        return replace(split, mean=(0.0,) * len(split.mean), std=(1.0,) * len(split.std))


def _in_full(function: Callable) -> str:
    """Its name in a record, and what a ``functools.partial`` holds by position, such as a width: that has no name."""
    return name_of(function) + (str(function.args) if isinstance(function, partial) and function.args else "")
