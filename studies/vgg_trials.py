"""Chapter 4's trials: kinds of windows, and first weights under batch norm.

Windows: small networks whose units have the same receptive field, on 8,000 photographs for eight epochs. Starts: narrow
VGGs with batch norm from the library's first weights, with He's in the head, or with He's in all layers, for four
epochs. Each tries rates on validation images with one seed, and is judged on test images with five at the best of them.
"""

from collections.abc import Callable
from functools import partial

from torch import nn

from course_lib import models
from course_lib.training import one_cycle
from course_tools.studies.changes import with_he_weights
from course_tools.studies.plan import Planned

SEEDS = 5
IMAGES = 8_000
# Of each stage the windows, whether a ReLU stands between them, and whether a batch norm does.
STAGES = {
    "one 7×7": ([7], True, True),
    "three 3×3": ([3, 3, 3], True, True),
    "three 3×3, no ReLU between": ([3, 3, 3], False, True),
    "three 3×3, one batch norm": ([3, 3, 3], True, False),
}
STARTS = ("old weights", "He's in the head", "He's weights")
RATES = (0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032)
# More where the best of these was at an edge.
WIDER = {"one 7×7": (0.064, 0.128, 0.256)}
# The rate with the highest validation accuracy of the runs that are named after rates; the lower one of a tie.
BEST: dict[str, float] = {
    "one 7×7": 0.064,
    "three 3×3": 0.004,
    "three 3×3, no ReLU between": 0.002,
    "three 3×3, one batch norm": 0.002,
    "VGG8, old weights": 0.008,
    "VGG8, He's in the head": 0.002,
    "VGG8, He's weights": 0.004,
    "VGG-11, old weights": 0.001,
    "VGG-11, He's in the head": 0.004,
    "VGG-11, He's weights": 0.002,
}


def window_network(stage: str, channels: int) -> nn.Sequential:
    """A first convolution and two of ``STAGES``, for photographs of 32 × 32 pixels: scores (N, 10)."""
    windows, relu, norm = STAGES[stage]
    layers = [nn.Conv2d(3, channels, 3, padding=1), nn.BatchNorm2d(channels), nn.ReLU()]
    for _ in range(2):
        layers += [nn.MaxPool2d(2)]
        for place, window in enumerate(windows):
            last = place == len(windows) - 1
            layers += [nn.Conv2d(channels, channels, window, padding=window // 2)]
            layers += [nn.BatchNorm2d(channels)] if norm or last else []
            layers += [nn.ReLU()] if relu or last else []
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 10))


def narrow(configuration: str, start: str, width: float, batch_norm: bool = True) -> nn.Module:
    """A VGG for 32 × 32 photographs under the head of VGG8, from one of ``STARTS``."""
    options = {"num_classes": 10, "pooled": 1, "hidden": (512, 512), "batch_norm": batch_norm}
    built = models.VGG(models.CONFIGURATIONS[configuration], width=width, **options)
    if start != "old weights":
        with_he_weights(built if start == "He's weights" else built.classifier)
    return built


def grid(size: str, seed: int) -> list[Planned]:
    """The runs of one seed. ``quick``: one epoch of narrow networks on the sample."""
    quick = size == "quick"
    width = 1 / 16 if quick else 0.25
    few = 1.0 if quick else IMAGES / 45_000

    def planned(name: str, build: Callable[[], nn.Module], epochs: int, rate: float, judge: str) -> Planned:
        recipe = {"epochs": 1 if quick else epochs, "batch_size": 128, "learning_rate": rate}
        recipe |= {"schedule": one_cycle, "precision": "auto"}
        return Planned(name, seed, build, "cifar10", recipe, quick, few, judge=judge)

    # Of each network how it is built, and its epochs.
    networks = {stage: (partial(window_network, stage, 8 if quick else 32), 8) for stage in STAGES} | {
        f"{name}, {start}": (partial(narrow, letter, start, width), 4)
        for name, letter in {"VGG8": "8", "VGG-11": "A"}.items()
        for start in STARTS
    }
    tried = [
        planned(f"{name}, rate {rate:g}", build, epochs, rate, "validation")
        for name, (build, epochs) in networks.items()
        for rate in (*RATES, *WIDER.get(name, ()))
    ]
    judged = [planned(name, *networks[name], rate, "test") for name, rate in BEST.items()]
    return (tried if seed == 0 else []) + judged
