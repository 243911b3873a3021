"""Seconds to an accuracy: each recipe, and the beginner's loop beside the one for MNIST.

All choices were made on validation images with other seeds than these. Here everybody trains on all training images
and is judged on test images, once a seed.
"""

import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from functools import partial
from typing import Any

import torch

from benchmarks import beginner
from course_lib import data, models, recipes, training

CHOOSING = range(100, 105)  # seeds to choose the beginner's epochs with
FRESH = range(10, 15)  # seeds for what is published
ON_A_CPU = ("mnist-99", "cifar10-80", "cifar10-90")  # the others take ten minutes and more for each seed
MOST_EPOCHS = 12


def beginner_epochs(target: float, device: str, seeds: Iterable[int] = CHOOSING, size: str = "full") -> int:
    """After how many epochs LeNet-5 has the mean accuracy ``target`` on validation, trained as beginners do.

    If it never has within 12: the epoch at which it is best. ``fit`` does the same arithmetic as the beginner's loop,
    so it may stand in for it here.
    """
    digits = data.load("mnist", size=size)
    curves = []
    for seed in seeds:
        training.set_seed(seed)
        options = {"epochs": MOST_EPOCHS, "seed": seed, "device": device, "show": False}
        history = training.fit(models.lenet5(), digits.train, digits.val, **options)
        curves.append([epoch.val_accuracy for epoch in history.epochs])
    mean = torch.tensor(curves, dtype=torch.float64).mean(dim=0)
    reached = (mean >= target).nonzero().flatten().tolist()
    return 1 + (reached[0] if reached else int(mean.argmax()))


def beginner_run(seed: int, epochs: int, target: float, device: str, size: str = "full") -> dict[str, Any]:
    """One run of the beginner's loop, as a line."""
    digits = data.load("mnist", size=size)
    images = digits.train_and_val()
    training.set_seed(seed)
    began = time.perf_counter()
    model = models.lenet5()
    beginner.train(model, images, epochs, device)
    seconds = time.perf_counter() - began
    accuracy = training.evaluate(model, digits.open_test()).accuracy
    return _line("beginner", target, seed, len(images), epochs, seconds, accuracy) | {"setup": "the beginner's"}


def recipe_run(name: str, seed: int, roof: dict[str, float], device: str, size: str = "full") -> dict[str, Any]:
    """One run of a recipe, as a line. ``roof`` has the multiply-adds a second of a convolution for each precision."""
    result = recipes.run(name, seed=seed, test=True, size=size, device=device, show=False)
    line = {"kind": "target", "target": recipes.take(name).TARGET} | asdict(result)
    precision = next(one for one in roof if one in result.setup)
    speed = result.images * result.epochs / result.seconds
    return line | {"share_of_roof": training.share_of_roof(result.multiply_adds, speed, roof[precision])}


def resnet18_run(
    seed: int, roof: dict[str, float], device: str, epochs: int = 200, size: str = "full"
) -> dict[str, Any]:
    """ResNet-18 as it is usually trained on CIFAR-10: SGD from 0.1 along half a cosine, flips and crops, 200 epochs."""
    pictures = data.load("cifar10", size=size)
    images = pictures.train_and_val()
    training.set_seed(seed)
    began = time.perf_counter()
    model = models.resnet18(num_classes=10, stem="cifar")
    history = training.fit(
        model,
        images,
        epochs=epochs,
        learning_rate=0.1,
        optimizer=partial(torch.optim.SGD, momentum=0.9, nesterov=True, weight_decay=5e-4),
        schedule=training.cosine,
        augment=data.flip_and_crop,
        precision="auto",
        seed=seed,
        device=device,
        show=False,
    )
    seconds = time.perf_counter() - began
    accuracy = training.evaluate(model, pictures.open_test()).accuracy
    cost = history.recipe["multiply_adds"]
    share = training.share_of_roof(cost, len(images) * epochs / seconds, roof[history.precision])
    line = _line("ResNet-18, as usual", 0.95, seed, len(images), epochs, seconds, accuracy)
    return line | {"multiply_adds": cost, "share_of_roof": share, "setup": history.setup}


def _line(recipe: str, target: float, seed: int, images: int, epochs: int, seconds: float, accuracy: float) -> dict:
    """What :class:`course_lib.recipes.Result` says, for a loop that is no recipe."""
    about = {"kind": "target", "recipe": recipe, "target": target, "seed": seed, "images": images, "epochs": epochs}
    return about | {
        "seconds": seconds,
        "judged_on": "test",
        "accuracy": accuracy,
        "alone": accuracy,
        "views": "one",
    }


def measure(device: str, roof: dict[str, float], seeds: Iterable[int], names: Iterable[str]) -> Iterator[dict]:
    """A line for each run: recipe by recipe, seed by seed; beside ``mnist-99`` the beginner's loop, in turn."""
    for name in names:
        epochs = beginner_epochs(recipes.take(name).TARGET, device) if name == "mnist-99" else 0
        for seed in seeds:
            if name == "mnist-99":
                yield beginner_run(seed, epochs, recipes.take(name).TARGET, device)
            yield recipe_run(name, seed, roof, device)
    if device != "cpu":
        yield resnet18_run(min(seeds), roof, device)
