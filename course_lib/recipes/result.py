"""Train by a recipe and evaluate the network."""

import importlib
import time
from dataclasses import dataclass
from types import ModuleType

from course_lib import data
from course_lib.errors import CourseError
from course_lib.training import evaluate

NAMES = ("mnist-99", "cifar10-80", "cifar10-90", "cifar10-94", "cifar10-96")


@dataclass(frozen=True)
class Result:
    """One run of a recipe.

    ``seconds`` go from images in memory to a trained network: building it and all epochs, without evaluation.
    ``accuracy`` is in [0, 1], on the images that ``judged_on`` names, averaged over ``views``; ``alone`` is without.
    ``epochs`` are passes over ``images`` training images; ``setup`` is what ``fit`` chose for the machine.
    """

    recipe: str
    seed: int
    images: int
    epochs: int
    seconds: float
    judged_on: str
    accuracy: float
    alone: float
    views: str
    multiply_adds: int
    setup: str


def take(name: str) -> ModuleType:
    """The module of a recipe. Raises CourseError for an unknown name."""
    if name not in NAMES:
        raise CourseError(f"There is no recipe {name!r}: choose from {', '.join(NAMES)}.")
    return importlib.import_module(f"course_lib.recipes.{name.replace('-', '_')}")


def run(name: str, *, seed: int = 0, test: bool = False, size: str = "full", **options) -> Result:
    """Train by a recipe and evaluate the network.

    Args:
        name: one of ``NAMES``.
        seed: of first weights, order and augmentation.
        test: False trains on the training images and evaluates on validation images: this is how a recipe is chosen.
            True trains on both and opens the test set: for the end, with seeds that no choice was made with.
        size: of the data, ``"full"`` or ``"sample"``.
        options: for ``fit``, such as ``show=False``.

    Raises: CourseError for an unknown name, or data that cannot be fetched.
    """
    recipe = take(name)
    images = data.load(recipe.DATA, size=size)
    train = images.train_and_val() if test else images.train
    began = time.perf_counter()
    model, history = recipe.train(train, seed=seed, **options)
    seconds = time.perf_counter() - began
    judged_on = images.open_test() if test else images.val
    alone = evaluate(model, judged_on, precision=history.precision).accuracy
    accuracy = alone
    if recipe.VIEWS is not None:
        accuracy = evaluate(model, judged_on, precision=history.precision, views=recipe.VIEWS).accuracy
    return Result(
        recipe=name,
        seed=seed,
        images=len(train),
        epochs=len(history),
        seconds=seconds,
        judged_on="test" if test else "validation",
        accuracy=accuracy,
        alone=alone,
        views=recipe.VIEWS.__name__ if recipe.VIEWS else "one",
        multiply_adds=history.recipe["multiply_adds"],
        setup=history.setup,
    )
