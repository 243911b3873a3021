"""Where a network trains, and how much memory that takes."""

import contextlib
import sys
from pathlib import Path

import torch


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


def out_of_memory(error: RuntimeError) -> bool:
    """Whether a device refused memory. CUDA has an error of its own; the others say it in words."""
    words = ("out of memory", "not enough memory", "can't allocate memory")
    return isinstance(error, torch.cuda.OutOfMemoryError) or any(one in str(error).lower() for one in words)


def release_memory(device: torch.device) -> None:
    """Give freed memory back, so that pieces of another size fit where the old ones lay."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()


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
