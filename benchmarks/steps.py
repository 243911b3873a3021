"""Milliseconds for 128 images: ``fit`` and the beginner's loop in turn, and their share of the roof."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch
from torch import nn

from benchmarks import beginner
from course_lib import data, models, training
from course_lib.training import memory_kept

BATCH = 128
# name, network, data, and how many steps a measurement has on a CPU and on a GPU
NETWORKS: list[tuple[str, Callable[[], nn.Module], str, int, int]] = [
    ("LeNet-5", models.lenet5, "mnist", 300, 300),
    ("MiniVGG", models.minivgg, "mnist", 16, 300),
    ("VGG8-BN", lambda: models.vgg8_bn(num_classes=10), "cifar10", 16, 300),
    ("ResNet-18", lambda: models.resnet18(num_classes=10, stem="cifar"), "cifar10", 6, 100),
]


def measure(device: str, roof: dict[str, float], rounds: int) -> Iterator[dict[str, Any]]:
    """One line a network. ``roof`` has the multiply-adds a second of a lone convolution for each precision."""
    for name, build, source, cpu_steps, gpu_steps in NETWORKS:
        count = BATCH * (cpu_steps if device == "cpu" else gpu_steps)
        split = data.load(source, size="full").train.select(range(count))
        training.set_seed(0)
        slow, plain, fast = build(), build(), build()
        last: dict[str, training.History] = {}

        def fit(kind: str, model: nn.Module, split=split, last=last, **options) -> float:
            last[kind] = training.fit(model, split, epochs=1, show=False, device=device, **options)
            return last[kind].seconds

        seconds = training.interleave(
            {
                "beginner": cleared(partial(beginner.train, slow, split, device=device)),
                "fit": cleared(partial(fit, "fit", plain)),
                "fit, auto": cleared(partial(fit, "fit, auto", fast, precision="auto")),
            },
            rounds,
        )
        table = training.speedups(seconds)
        cost = last["fit"].recipe["multiply_adds"]
        for kind, row in table.iterrows():
            history = last.get(kind)
            precision = history.precision if history else "float32"
            yield {
                "kind": "step",
                "network": name,
                "loop": kind,
                "setup": history.setup if history else "the beginner's",
                "milliseconds": 1000 * row["seconds"] * BATCH / count,
                "speedup": {key: row[key] for key in ("median", "least", "most")},
                "rounds": rounds,
                "multiply_adds": cost,
                "share_of_roof": training.share_of_roof(cost, count / row["seconds"], roof[precision]),
            }


def cleared(work: Callable[[], float]) -> Callable[[], float]:
    """The same work, begun without the free memory that the work before it left behind."""

    def begin() -> float:
        with memory_kept():  # on leaving, all that is free goes back to the system
            pass
        return work()

    return begin


def roofs(device: str) -> Iterator[dict[str, Any]]:
    """What a lone convolution and a lone matrix product reach, in each precision that the device is built for."""
    chosen = training.choose_setup(models.lenet5(), device=device, precision="auto").precision
    for precision in dict.fromkeys(["float32", chosen]):
        dtype = getattr(torch, precision)
        yield {
            "kind": "roof",
            "precision": precision,
            "convolution": training.convolution_roof(device, dtype),
            "matmul": training.matmul_roof(device, dtype),
        }
