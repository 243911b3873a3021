"""Planned runs: what a study will train, on what and how, with a key over all of it."""

import hashlib
import importlib
import inspect
import json
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from functools import cache, cached_property, partial
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

import studies
from course_lib import analysis, data, runlog, training, transfer
from course_lib.data import ImageData, Split, stratified_holdout
from course_lib.data.catalog import spec_of
from course_lib.errors import CourseError
from course_lib.models import Classifier
from course_lib.profiles import PROFILES
from course_lib.training.fingerprint import fingerprint
from course_lib.training.history import History, name_of
from course_lib.training.run import Recipe
from course_lib.transfer import Choices
from course_lib.transfer.networks import multiply_adds
from course_lib.transfer.run import epochs_for

CHECKPOINT_SECONDS = 300.0
BACKWARD = 2  # a backward pass costs about twice a forward pass


@cache
def names() -> list[str]:
    """The studies' names, from the files in ``studies/`` that define a ``grid``: ``mnist_six.py`` is ``mnist-six``."""
    modules = [module.name for module in pkgutil.iter_modules(studies.__path__)]
    grids = [name for name in modules if hasattr(importlib.import_module(f"studies.{name}"), "grid")]
    return sorted(name.replace("_", "-") for name in grids)


def study_module(name: str) -> ModuleType:
    """The module of a study. Raises CourseError for an unknown name."""
    if name not in names():
        raise CourseError(f"There is no study {name!r}: choose {', '.join(names())}.")
    return importlib.import_module(f"studies.{name.replace('-', '_')}")


def plan(name: str, size: str, seeds: int | None = None) -> list["PlannedRun"]:
    """All runs of a study, in the order in which they are run.

    Args:
        name: one of :func:`names`.
        size: ``quick``, ``cpu`` or ``full``, as the profiles of chapters.
        seeds: how many for each network; None for as many as the study wants in that size.

    Raises: CourseError for an unknown study or size.
    """
    study = study_module(name)
    if size not in PROFILES:
        raise CourseError(f"There is no size {size!r}: choose {', '.join(PROFILES)}.")
    count = seeds or (2 if size == "quick" else study.SEEDS)
    return [planned for seed in range(count) for planned in study.grid(size, seed)]


@dataclass(frozen=True)
class Planned:
    """A network that will be trained from scratch.

    ``name`` is shared by the runs that differ only in their seed. ``build`` makes the network, ``recipe`` holds the
    options of :func:`course_lib.training.fit`. Images come from ``data``, its small sample where ``sample`` is set. A
    stratified ``fraction`` of the training images is drawn by ``seed``. Images are resized to ``side`` and repeated to
    ``channels``; None leaves them as they are. ``normalised`` subtracts the data set's mean and divides by its standard
    deviation; else pixels are only scaled to [0, 1]. ``judge`` is ``test``, or ``validation`` for a run that serves a
    choice. ``judged_by`` draws so many validation and so many test images, the same for all runs; None takes all.
    ``shuffled`` puts the pixels of all images into one random order. ``moved`` evaluates, besides, on the same images
    moved to the right by so many pixels.
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
    judged_by: tuple[int, int] | None = None
    shuffled: bool = False
    moved: tuple[int, ...] = ()

    @cached_property
    def key(self) -> str:
        """12 hexadecimal digits over everything above: a finished run with this key need not be repeated."""
        return _key(
            name=self.name,
            seed=self.seed,
            network=name_in_full(self.build),
            data=[self.data, self.sample, self.fraction],
            images=self.images,
            recipe=_in_words(self.recipe),
            **({} if self.judge == "test" else {"judge": self.judge}),
            **({"judged_by": self.judged_by} if self.judged_by else {}),
            **({"moved": self.moved} if self.moved else {}),
        )

    @property
    def images(self) -> str:
        """What is done to all images, in a few words."""
        changes = [f"resized to {self.side} × {self.side}"] if self.side else []
        changes += [f"{self.channels} channels"] if self.channels else []
        changes += [] if self.normalised else ["scaled, not normalised"]
        changes += ["pixels shuffled"] if self.shuffled else []
        return ", ".join(changes) or "as they are"

    @cached_property
    def work(self) -> float:
        """Multiply-adds of all forward passes in training, for the progress bar."""
        spec = spec_of(self.data)
        images = 4_000 if self.sample else spec.train - spec.validation
        with torch.device("meta"):
            cost = analysis.count_multiply_adds(self.network(), spec.shape)
        return cost * self.fraction * images * self.recipe["epochs"]

    def network(self) -> nn.Module:
        """The network, with first weights from torch's generator, behind what brings images to its size."""
        network = self.build()
        if self.side is None and self.channels is None:
            return network
        _, own_side, _ = spec_of(self.data).shape
        return Resized(network, self.side or own_side, self.channels)

    def train(self, checkpoint: Path | None = None) -> dict[str, Any]:
        """Train, evaluate on test or validation images, and return the run's record, without ``study_key``.

        ``checkpoint`` is a file to save the run in, and to continue from.
        """
        images = self.load()
        network, history = self.fit(images, checkpoint)
        judged = self.judged(images)
        predictions = training.predict(network, judged, precision=history.precision)
        record = training.record(self.name, history, predictions, images, images=self.images, split=self.judge)
        return record | ({"moved": self._moved(network, judged, history.precision)} if self.moved else {})

    def load(self) -> ImageData:
        """The data set, or its sample; of its validation images as many as ``judged_by`` says."""
        images = data.load(self.data, size="sample" if self.sample else "full")
        return replace(images, val=transfer.draw(images.val, self.judged_by[0])) if self.judged_by else images

    def fit(self, images: ImageData, checkpoint: Path | None = None) -> tuple[nn.Module, History]:
        """Train on ``images``. Returns the network and its history."""
        network, train, val = self._prepare(images)
        saving = {"checkpoint": checkpoint, "checkpoint_seconds": CHECKPOINT_SECONDS}
        history = training.fit(network, train, val, seed=self.seed, show=False, **saving, **self.recipe)
        history.recipe["model"] = type(getattr(network, "network", network)).__name__
        return network, history

    def judged(self, images: ImageData) -> Split:
        """The images that the network is evaluated on: those of the test set, which this opens, or of validation."""
        if self.judge == "validation":
            return self._scaled(images.val)
        test = images.open_test()
        return self._scaled(transfer.draw(test, self.judged_by[1]) if self.judged_by else test)

    def log_fingerprint(self) -> None:
        """Write the fingerprint of the training run into the run log, and train nothing."""
        parameters = inspect.signature(training.fit).parameters
        options = self.recipe | {"seed": self.seed}
        recipe = Recipe(*(options.get(option.name, parameters[option.name].default) for option in fields(Recipe)))
        runlog.note("fit", fingerprint(*self._prepare(self.load()), recipe))

    def _moved(self, network: nn.Module, split: Split, precision: str) -> list[dict[str, Any]]:
        """Accuracies on moved images: on all, and on those that lose no ink at the largest of the shifts."""
        largest = max(self.moved)
        whole = (split.images[..., split.images.shape[-1] - largest :].amax(dim=(1, 2, 3)) == 0).cpu()
        accuracies = []
        for right in self.moved:
            answers = training.predict(network, data.shift_images(split, right), precision=precision)
            correct = (answers.predicted == answers.labels).double()
            accuracies.append(
                {"right": right, "accuracy": correct.mean().item(), "accuracy_whole": correct[whole].mean().item()}
            )
        return accuracies

    def _prepare(self, images: ImageData) -> tuple[nn.Module, Split, Split]:
        """The network with its first weights, training and validation images."""
        training.set_seed(self.seed)
        train = part_of(images.train, self.fraction, self.seed)
        return self.network(), self._scaled(train), self._scaled(images.val)

    def _scaled(self, split: Split) -> Split:
        if self.shuffled:
            split = data.shuffle_pixels(split)
        if self.normalised:
            return split
        return replace(split, mean=(0.0,) * len(split.mean), std=(1.0,) * len(split.std))


@dataclass(frozen=True)
class TransferRun:
    """A network that begins with a pretrained backbone.

    So many ``images`` of ``data`` are drawn from the training images, every class in proportion, by the seed ``draw``,
    and ``judged_by`` from the test images, or from the validation images where ``judge`` says so: these are the same
    for all runs. ``sample`` draws from the small sample. ``options`` are further ones of ``transfer.run``.
    """

    name: str
    seed: int
    choices: Choices
    images: int
    judged_by: int
    sample: bool = False
    options: dict[str, Any] = field(default_factory=dict, hash=False)
    data: str = "mnist"
    draw: int = 0
    judge: str = "test"

    @cached_property
    def key(self) -> str:
        """12 hexadecimal digits over everything above: a finished run with this key need not be repeated."""
        return _key(
            name=self.name,
            seed=self.seed,
            choices=self.choices.as_dict(),
            data=[self.data, self.sample, self.images, self.judged_by],
            options=_in_words(self.options | {"epochs": self.epochs}),
            **({"draw": self.draw} if self.draw else {}),
            **({} if self.judge == "test" else {"judge": self.judge}),
        )

    @property
    def epochs(self) -> int:
        """Passes over the images."""
        return self.options.get("epochs") or epochs_for(self.choices)

    @cached_property
    def work(self) -> float:
        """Multiply-adds, about. Where only the head learns, each image goes through the backbone once."""
        passes = self.images * self.epochs * (1 + BACKWARD)
        if self.choices.trained == "head" and self.choices.backbone != "none":
            passes = self.images * (1 if self.choices.freeze_batch_norm else self.epochs)
        return multiply_adds(self.choices) * (passes + self.judged_by)

    def train(self, checkpoint: Path | None = None) -> dict[str, Any]:
        """Train, evaluate on test or validation images, and return the run's record, without ``study_key``.

        It takes a few minutes, and ``checkpoint`` stays unused.
        """
        images = data.load(self.data, size="sample" if self.sample else "full")
        outcome = transfer.run(
            transfer.draw(images.train, self.images, self.draw),
            transfer.draw(images.open_test() if self.judge == "test" else images.val, self.judged_by),
            self.choices,
            seed=self.seed,
            rung=self.name,
            **self.options,
        )
        return transfer.record(self.name, outcome, images, self.judge)

    def log_fingerprint(self) -> None:
        """Train, which takes less than a second in the quick size and leaves the fingerprint in the run log."""
        self.train()


PlannedRun = Planned | TransferRun


class Resized(Classifier):
    """A network behind a resize: images (N, C, H, W) become (N, ``channels``, ``side``, ``side``) in each batch.

    A data set of images with 224 × 224 pixels would not fit into memory; a batch does. The resize is bilinear, and
    averages where it shrinks. A grey image is repeated where ``channels`` is 3.
    """

    def __init__(self, network: nn.Module, side: int, channels: int | None = None):
        super().__init__()
        self.network, self.side, self.channels = network, side, channels

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        if images.shape[2:] != (self.side, self.side):
            shrinks = self.side < images.shape[2]
            images = F.interpolate(images, size=(self.side, self.side), mode="bilinear", antialias=shrinks)
        if self.channels is not None:
            images = images.expand(-1, self.channels, -1, -1)
        return self.network(images)


def part_of(split: Split, fraction: float, seed: int) -> Split:
    """A share of a split, every class in proportion, drawn by ``seed``.

    Raises: ValueError for a fraction that is not in (0, 1].
    """
    if not 0 < fraction <= 1:
        raise ValueError(f"fraction must be above 0 and at most 1, not {fraction}")
    count = round(fraction * len(split))
    if count == len(split):
        return split
    _, kept = stratified_holdout(split.labels.numpy(), count, seed)
    return split.select(kept)


def _key(**settings: Any) -> str:
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:12]


def _in_words(options: dict[str, Any]) -> dict[str, Any]:
    """Options as a key holds them: functions by their names."""
    return {key: name_in_full(value) if callable(value) else value for key, value in options.items()}


def name_in_full(function: Callable) -> str:
    """Its name in a record, with the positional arguments of a ``functools.partial``, such as a width."""
    return name_of(function) + (str(function.args) if isinstance(function, partial) and function.args else "")
