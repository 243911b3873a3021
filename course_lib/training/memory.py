"""Memory of the training device: how much a run takes, what to do where it is short, and how to keep freed pages."""

import contextlib
import ctypes
import functools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch


def out_of_memory(error: RuntimeError) -> bool:
    """Whether a device refused memory. CUDA raises an error of its own; for others only the message shows it."""
    messages = ("out of memory", "not enough memory", "can't allocate memory")
    return isinstance(error, torch.cuda.OutOfMemoryError) or any(text in str(error).lower() for text in messages)


def release_memory(device: torch.device) -> None:
    """Return torch's cached blocks to the device, so that tensors of another size fit in their place."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()


def halve_until_it_fits(work: Callable[[int], Any], size: int, device: torch.device) -> tuple[Any, int]:
    """Call ``work(size)``, with half the size for as long as ``device`` has not enough memory.

    Returns: the result, and the size that fitted.
    Raises: RuntimeError, the device's own, where size 1 does not fit.
    """
    while True:
        try:
            return work(size), size
        except RuntimeError as error:
            if size == 1 or not out_of_memory(error):
                raise
        release_memory(device)  # out here the error is gone, and with it the tensors that its frames held
        size //= 2


_highest_mb = 0.0  # the highest peak of this process before the last reset


def reset_peak_memory(device: torch.device) -> None:
    """Start a new measurement of peak memory, where the system allows it."""
    global _highest_mb
    _highest_mb = highest_memory_mb(device)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    elif sys.platform == "linux":
        with contextlib.suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")


def highest_memory_mb(device: torch.device) -> float:
    """Peak memory since the process started, in MB, across all resets."""
    return max(_highest_mb, peak_memory_mb(device))


def peak_memory_mb(device: torch.device) -> float:
    """Peak memory since the last reset, in MB (10⁶ bytes).

    On CUDA: that of torch's tensors on the GPU. Elsewhere: that of the whole process; macOS and Windows cannot reset
    it, so there it is the peak since the process started (NaN on Windows, which has no such count).
    """
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 1e6
    if sys.platform == "linux":
        for line in Path("/proc/self/status").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    try:
        import resource
    except ImportError:  # Windows
        return float("nan")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return (peak if sys.platform == "darwin" else peak * 1024) / 1e6


# Glibc, the C library of most Linux systems, returns large freed blocks to the system at once. A training step frees
# all its activations and the next one asks for as many, so the system clears every 4 KB page again: a third of each
# step with MiniVGG. mallopt raises the thresholds from which glibc does so.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # M_TRIM_THRESHOLD and M_MMAP_THRESHOLD of glibc's malloc.h
_LARGEST = 2**31 - 1  # bytes, the largest number that mallopt takes
_USUAL = {_MMAP_THRESHOLD: 32 * 2**20, _TRIM_THRESHOLD: 64 * 2**20}  # the highest that glibc sets by itself


@functools.cache
def _glibc() -> ctypes.CDLL | None:
    """The C library, or None where it has no mallopt."""
    try:
        library = ctypes.CDLL(None)
        return library if hasattr(library, "mallopt") and hasattr(library, "malloc_trim") else None
    except (OSError, TypeError):  # Windows has no such handle
        return None


def can_keep_memory() -> bool:
    """Whether :func:`memory_kept` has an effect on this system."""
    return _glibc() is not None


@contextlib.contextmanager
def memory_kept() -> Iterator[None]:
    """Keep freed memory in this process inside the ``with`` block; afterwards return all that is free to the system."""
    library = _glibc()
    if library is None:
        yield
        return
    for threshold in _USUAL:
        library.mallopt(threshold, _LARGEST)
    try:
        yield
    finally:
        for threshold, size in _USUAL.items():
            library.mallopt(threshold, size)
        library.malloc_trim(0)
