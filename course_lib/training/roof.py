"""The roof: how many multiply-adds a second this machine reaches when it does nothing else."""

import time
from collections.abc import Callable

import torch
from torch.nn import functional as F

from course_lib.training.devices import synchronize

CONVOLUTIONS = [(128, 64, 32), (128, 128, 16), (128, 256, 8)]  # images, channels in and out, side
PASSES = 3  # forward, the gradient by the input, the gradient by the weights: each costs the same


def convolution_roof(device: torch.device | str = "cpu", dtype: torch.dtype = torch.float32, rounds: int = 5) -> float:
    """Multiply-adds a second of a lone 3×3 convolution, forward and backward, channels last: the best of a few sizes.

    The sizes are those of a ResNet's stages on CIFAR-10. ``rounds`` is how often to try each.
    """
    best = 0.0
    for count, channels, side in CONVOLUTIONS:
        if torch.device(device).type == "cuda":
            count *= 16
        last = torch.channels_last
        images = torch.randn(count, channels, side, side, device=device, dtype=dtype).contiguous(memory_format=last)
        weights = torch.randn(channels, channels, 3, 3, device=device, dtype=dtype).contiguous(memory_format=last)
        images.requires_grad_(), weights.requires_grad_()
        gradient = torch.randn_like(images)

        def work(images=images, weights=weights, gradient=gradient) -> None:
            F.conv2d(images, weights, padding=1).backward(gradient)
            images.grad = weights.grad = None

        best = max(best, PASSES * count * side**2 * channels**2 * 9 / _fastest(work, device, rounds))
    return best


def matmul_roof(device: torch.device | str = "cpu", dtype: torch.dtype = torch.float32, rounds: int = 5) -> float:
    """Multiply-adds a second of a product of two square matrices, of side 2,048 on a CPU and 8,192 elsewhere."""
    side = 2_048 if torch.device(device).type == "cpu" else 8_192
    one, other = (torch.randn(side, side, device=device, dtype=dtype) for _ in range(2))
    return side**3 / _fastest(lambda: one @ other, device, rounds)


def share_of_roof(multiply_adds: int, images_per_second: float, roof: float) -> float:
    """Which share of ``roof`` training reaches, in [0, 1].

    Args:
        multiply_adds: of one image, forward, as in ``layer_table``. A training step costs three times as much.
        images_per_second: how fast it trains.
        roof: multiply-adds a second.
    """
    return PASSES * multiply_adds * images_per_second / roof


def _fastest(work: Callable[[], object], device: torch.device | str, rounds: int) -> float:
    """Seconds of the fastest of ``rounds`` runs, after one to warm up."""
    device, seconds = torch.device(device), []
    for _ in range(rounds + 1):
        synchronize(device)
        began = time.perf_counter()
        work()
        synchronize(device)
        seconds.append(time.perf_counter() - began)
    return min(seconds[1:])
