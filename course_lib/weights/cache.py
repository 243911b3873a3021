"""The directory outside the repository that holds pretrained weights, one ``.pt`` file each.

A file appears whole or not at all, one process writes at a time (a lock file), and the tensors are checked against
their SHA-256 each time they are read.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from course_lib import storage
from course_lib.errors import CourseError
from course_lib.weights.catalog import WeightsSpec, spec_of
from course_lib.weights.reading import read_torch

Tensors = dict[str, torch.Tensor]


def path_of(name: str) -> Path:
    """The file that holds weights, whether or not it exists yet. Raises CourseError for an unknown name."""
    return storage.home() / "weights" / f"{spec_of(name).name}.pt"


def digest(tensors: Tensors) -> str:
    """SHA-256 over each tensor's key, type, shape and bytes, in the order of the keys, in hexadecimal."""
    running = hashlib.sha256()
    for key in sorted(tensors):
        tensor = tensors[key]
        running.update(f"{key} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        running.update(tensor.contiguous().numpy().tobytes())
    return running.hexdigest()


def read(spec: WeightsSpec) -> Tensors:
    """The weights from the cache, checked.

    Raises: FileNotFoundError where they were never fetched; CourseError where their file is damaged.
    """
    try:
        tensors = read_torch(path_of(spec.name))
    except FileNotFoundError:
        raise
    except (CourseError, OSError) as error:
        raise CourseError(f"{_damaged(spec)} ({error})") from error
    if digest(tensors) != spec.sha256:
        raise CourseError(f"{_damaged(spec)} (wrong SHA-256)")
    return tensors


def _damaged(spec: WeightsSpec) -> str:
    return f"{path_of(spec.name)} is damaged: run `course data fetch {spec.name}` to replace it."


def verify(name: str) -> bool:
    """Check the weights in the cache. Returns False where they were never fetched; raises CourseError if damaged."""
    spec = spec_of(name)
    if not path_of(name).exists():
        return False
    read(spec)
    return True


def write(spec: WeightsSpec, tensors: Tensors) -> Path:
    """Put weights in the cache, whole or not at all.

    Raises: CourseError where they are not those that the catalog knows, or the cache cannot be written.
    """
    if digest(tensors) != spec.sha256:
        raise CourseError(f"{spec.title}: the fetched weights have a wrong SHA-256; nothing was kept, fetch again.")
    path = path_of(spec.name)
    with (
        storage.writable_folder(path.parent, spec.cache_bytes),
        storage.atomic_file(path) as scratch,
        scratch.open("wb") as file,
    ):
        torch.save(tensors, file)
        file.flush()
        os.fsync(file.fileno())
    return path


@contextmanager
def only_writer(spec: WeightsSpec) -> Iterator[None]:
    """Hold the weights' lock, so that chapters running side by side fetch them once and not each."""
    from filelock import FileLock

    path = path_of(spec.name)
    with storage.writable_folder(path.parent) as folder, FileLock(folder / f".{spec.name}.lock"):
        for leftover in folder.glob(f".{path.name}.*.part"):
            leftover.unlink(missing_ok=True)  # a killed run's half-written file; nobody else writes now
        yield
