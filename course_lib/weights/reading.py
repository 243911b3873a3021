"""Read weights from files without trusting them: tensors and NumPy arrays come out, and no code runs.

A pickle may name any function of any module and have it called. So torch reads its files with ``weights_only=True``,
and a pickle of NumPy arrays goes through an unpickler that allows three names: those that make an array.
"""

import pickle
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch

from course_lib.errors import CourseError

Tensors = dict[str, torch.Tensor]


def read_torch(file: Path | BinaryIO) -> Tensors:
    """The tensors of a file that torch saved, on the CPU; parameters come out as plain tensors.

    Raises: OSError where the file cannot be opened; CourseError where it is damaged, or holds anything but float32
        tensors (and batch norms' int64 counters) by name.
    """
    try:
        tensors = torch.load(file, map_location="cpu", weights_only=True)
    except OSError:
        raise
    except Exception as error:  # damaged bytes can make the unpickler raise anything
        raise CourseError(f"not a file of torch's that is safe to read ({type(error).__name__})") from error
    if not isinstance(tensors, dict) or not all(map(_is_plain, tensors.values())):
        raise CourseError("the file holds other things than float32 tensors by name")
    return {key: tensor.detach() for key, tensor in tensors.items()}


def _is_plain(value: Any) -> bool:
    plain = isinstance(value, torch.Tensor) and value.layout == torch.strided
    return plain and value.dtype in (torch.float32, torch.int64)


def read_pickled_arrays(file: BinaryIO) -> dict:
    """Nested dictionaries of NumPy arrays out of a pickle.

    Raises: CourseError where the pickle names anything else, holds anything else, or is damaged.
    """
    try:
        arrays = _ArraysOnly(file).load()
    except CourseError:
        raise
    except Exception as error:  # damaged bytes can make the unpickler raise anything
        raise CourseError(f"not a pickle of arrays ({type(error).__name__})") from error
    _check(arrays)
    return arrays


class _ArraysOnly(pickle.Unpickler):
    """Allows what rebuilds an array, under NumPy's names before and after version 2, and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        if name == "_reconstruct" and module in ("numpy.core.multiarray", "numpy._core.multiarray"):
            return np.empty(0).__reduce__()[0]
        if module == "numpy" and name in ("ndarray", "dtype"):
            return getattr(np, name)
        raise CourseError(f"the pickle names {module}.{name}, which is no part of an array: it is not trusted")

    def persistent_load(self, pid: Any) -> Any:
        raise CourseError("the pickle refers to things outside of itself: it is not trusted")


def _check(tree: Any) -> None:
    if isinstance(tree, dict):
        for branch in tree.values():
            _check(branch)
    elif type(tree) is not np.ndarray or tree.dtype.kind != "f":
        raise CourseError("the pickle holds other things than arrays of floating-point numbers")
