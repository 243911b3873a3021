"""How fast a machine computes: its peak throughput, and fair timing of alternatives."""

import time
from collections.abc import Callable, Mapping

import pandas as pd
import torch
from torch.nn import functional as F

from course_lib.training.setup import synchronize

CONVOLUTIONS = [(128, 64, 32), (128, 128, 16), (128, 256, 8)]  # images, channels in and out, side: a ResNet's stages
PASSES = 3  # forward, the gradient by the input, the gradient by the weights: each costs the same


def convolution_roof(device: torch.device | str = "cpu", dtype: torch.dtype = torch.float32, rounds: int = 5) -> float:
    """Peak throughput of a lone 3×3 convolution, forward and backward, channels last: multiply-adds a second.

    It is the best of a few sizes, those of a ResNet's stages on CIFAR-10, each timed ``rounds`` times. In a roofline
    model such a peak is the *roof*.
    """
    best = 0.0
    for count, channels, side in CONVOLUTIONS:
        if torch.device(device).type == "cuda":
            count *= 16
        layout = torch.channels_last
        images = torch.randn(count, channels, side, side, device=device, dtype=dtype).contiguous(memory_format=layout)
        weights = torch.randn(channels, channels, 3, 3, device=device, dtype=dtype).contiguous(memory_format=layout)
        images.requires_grad_(), weights.requires_grad_()
        gradient = torch.randn_like(images)

        def work(images=images, weights=weights, gradient=gradient) -> None:
            F.conv2d(images, weights, padding=1).backward(gradient)
            images.grad = weights.grad = None

        best = max(best, PASSES * count * side**2 * channels**2 * 9 / _fastest(work, device, rounds))
    return best


def matmul_roof(device: torch.device | str = "cpu", dtype: torch.dtype = torch.float32, rounds: int = 5) -> float:
    """Peak throughput of a product of two square matrices, of side 2,048 on a CPU and 8,192 elsewhere."""
    side = 2_048 if torch.device(device).type == "cpu" else 8_192
    left, right = (torch.randn(side, side, device=device, dtype=dtype) for _ in range(2))
    return side**3 / _fastest(lambda: left @ right, device, rounds)


def share_of_roof(multiply_adds: int, images_per_second: float, roof: float) -> float:
    """The share of peak throughput that training reaches, in [0, 1].

    Args:
        multiply_adds: of one image, forward, as in ``layer_table``. A training step costs three times as much.
        images_per_second: the speed of training.
        roof: peak throughput, in multiply-adds a second.
    """
    return PASSES * multiply_adds * images_per_second / roof


def _fastest(work: Callable[[], object], device: torch.device | str, rounds: int) -> float:
    """Seconds of the fastest of ``rounds`` runs, after one to warm up."""
    device, seconds = torch.device(device), []
    for _ in range(rounds + 1):
        synchronize(device)
        start = time.perf_counter()
        work()
        synchronize(device)
        seconds.append(time.perf_counter() - start)
    return min(seconds[1:])


def interleave(works: Mapping[str, Callable[[], float]], rounds: int = 5) -> pd.DataFrame:
    """Time pieces of work in turn, so that what disturbs the machine disturbs all alike.

    Args:
        works: for each name a function that does its work and returns the seconds that count.
        rounds: how often to time each, after one run to warm up.

    Returns: seconds, one column a piece of work, one row a round.
    Raises: ValueError for fewer than one round, or nothing to time.
    """
    if rounds < 1 or not works:
        raise ValueError("there must be something to time, and at least one round")
    for work in works.values():
        work()
    return pd.DataFrame([{name: work() for name, work in works.items()} for _ in range(rounds)])


def speedups(seconds: pd.DataFrame) -> pd.DataFrame:
    """How many times faster than the first each piece of work was, round by round, from a table of :func:`interleave`.

    Returns: a row for each piece of work: ``seconds`` (the median), and the ratio's ``median``, ``least`` and ``most``.
    """
    ratios = 1 / seconds.div(seconds.iloc[:, 0], axis=0)
    table = {"seconds": seconds.median(), "median": ratios.median(), "least": ratios.min(), "most": ratios.max()}
    return pd.DataFrame(table)
