"""Where a network trains, and in which precision."""

import contextlib
import sys
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn


def best_device() -> torch.device:
    """A CUDA GPU if there is one, else Apple's MPS, else the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def describe_device(device: torch.device) -> str:
    """A few words for people: ``NVIDIA H200``, ``Apple MPS`` or ``CPU, 2 threads``."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return "Apple MPS" if device.type == "mps" else f"CPU, {torch.get_num_threads()} threads"


@dataclass(frozen=True)
class Precision:
    """The number format of the matrix work. ``dtype`` is None for plain float32."""

    name: str
    dtype: torch.dtype | None

    def autocast(self, device: torch.device) -> contextlib.AbstractContextManager:
        """The context in which a forward pass runs."""
        return contextlib.nullcontext() if self.dtype is None else torch.autocast(device.type, self.dtype)


def choose_precision(asked: str, device: torch.device) -> Precision:
    """``float32`` is what it says. ``auto`` takes half precision where the device is built for it.

    On CUDA that is bfloat16 from compute capability 8.0 on, and float16 before (such a GPU emulates bfloat16, slowly).
    On a CPU it is bfloat16 where there are instructions for it (AVX512-BF16 or AMX). Anywhere else it is float32.

    Raises: ValueError for any other word.
    """
    if asked not in ("float32", "auto"):
        raise ValueError(f"precision must be 'float32' or 'auto', not {asked!r}")
    single, half = Precision("float32", None), Precision("bfloat16", torch.bfloat16)
    if asked == "float32" or device.type not in ("cuda", "cpu"):
        return single
    if device.type == "cpu":
        return half if _cpu_multiplies_bfloat16() else single
    return half if torch.cuda.get_device_capability(device) >= (8, 0) else Precision("float16", torch.float16)


def _cpu_multiplies_bfloat16() -> bool:
    """Torch knows, but says so in names of its own only; where they are missing, take it for a no."""
    questions = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, question, bool)() for question in questions)


def choose_memory_format(model: nn.Module, precision: Precision, device: torch.device) -> torch.memory_format:
    """Channels last for convolutions on a CPU, and on CUDA in half precision: it is faster there; no result changes.

    Else the channels stay first, as the shapes are written.
    """
    convolves = any(isinstance(layer, nn.Conv2d) for layer in model.modules())
    fits = device.type == "cpu" or (device.type == "cuda" and precision.dtype is not None)
    return torch.channels_last if convolves and fits else torch.contiguous_format


def synchronize(device: torch.device) -> None:
    """Wait until the device has done what it was given, so that a clock read afterwards tells the truth."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


_highest_mb = 0.0  # the highest peak of this process that a reset has wiped out so far


def reset_peak_memory(device: torch.device) -> None:
    """Begin a new measurement of peak memory, where the system allows it."""
    global _highest_mb
    _highest_mb = highest_memory_mb(device)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    elif sys.platform == "linux":
        with contextlib.suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")


def highest_memory_mb(device: torch.device) -> float:
    """Peak memory since the process started, in MB, whatever was reset in between."""
    return max(_highest_mb, peak_memory_mb(device))


def peak_memory_mb(device: torch.device) -> float:
    """Peak memory since the last reset, in MB (10⁶ bytes).

    On CUDA: what torch's tensors took on the GPU. Elsewhere: what the whole process took; macOS and Windows cannot
    reset that, so there it is the peak since the process started (NaN where the system does not tell).
    """
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 1e6
    if sys.platform == "linux":
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    try:
        import resource
    except ImportError:  # Windows
        return float("nan")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return (peak if sys.platform == "darwin" else peak * 1024) / 1e6
