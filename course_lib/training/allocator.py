"""Keep memory from step to step.

The C library hands large pieces of memory back to the system as soon as they are free. A training step frees all its
activations, and the next one asks for as many: the system clears every page again, 4 KB at a time. With MiniVGG that
took a third of each step. Glibc, the C library of most Linux systems, can be told to keep what is free.
"""

import contextlib
import ctypes
import functools
from collections.abc import Iterator

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  # M_TRIM_THRESHOLD and M_MMAP_THRESHOLD of glibc's malloc.h
KEPT = 2**31 - 1  # bytes, the largest number that mallopt takes
USUAL = {MMAP_THRESHOLD: 32 * 2**20, TRIM_THRESHOLD: 64 * 2**20}  # where glibc itself stops raising them


@functools.cache
def _glibc() -> ctypes.CDLL | None:
    """The C library, if it is one that can be told."""
    try:
        library = ctypes.CDLL(None)
        return library if hasattr(library, "mallopt") and hasattr(library, "malloc_trim") else None
    except (OSError, TypeError):  # Windows has no such handle
        return None


def can_keep_memory() -> bool:
    """Whether this system's C library can be told to keep memory."""
    return _glibc() is not None


@contextlib.contextmanager
def memory_kept() -> Iterator[None]:
    """Inside, freed memory stays with this process; afterwards, all that is free goes back to the system."""
    library = _glibc()
    if library is None:
        yield
        return
    for parameter in USUAL:
        library.mallopt(parameter, KEPT)
    try:
        yield
    finally:
        for parameter, size in USUAL.items():
            library.mallopt(parameter, size)
        library.malloc_trim(0)
