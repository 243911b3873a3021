"""Save a run so that it can continue exactly where it was, whatever killed it and whenever."""

import hashlib
import os
import pickle
import time
import zipfile
from pathlib import Path
from typing import Any

import torch

from course_lib import storage
from course_lib.data import Split
from course_lib.errors import CourseError
from course_lib.training.run import Run

_DAMAGED = (RuntimeError, pickle.UnpicklingError, EOFError, zipfile.BadZipFile, ValueError, KeyError)


def checkpoint_path(name: str) -> Path:
    """The default place of a checkpoint: ``checkpoints/NAME.pt`` under ``COURSE_HOME`` or the user's cache."""
    return storage.home() / "checkpoints" / f"{name}.pt"


class Checkpoint:
    """The checkpoint file of a run. Made before the first step, it restores the run from the file, if there is one.

    Args:
        path: the file.
        seconds: how often :meth:`save_if_due` saves.
        run: the run, not yet trained.
        train: its training images. Their digest, that of the first weights and the recipe identify the run.

    Raises: CourseError as :func:`load_checkpoint` and :func:`save_checkpoint`.
    """

    def __init__(self, path: Path, seconds: float, run: Run, train: Split):
        self.path, self.seconds, self.run = path, seconds, run
        self.fingerprint = run.history.recipe | {
            "training images": digest_of_split(train),
            "first weights": digest_of_weights(run.model),
        }
        state = load_checkpoint(path, self.fingerprint, run.setup.device)
        if state is not None:
            run.restore(state)
        self.saved_at = time.monotonic()

    def save_if_due(self) -> None:
        if time.monotonic() - self.saved_at >= self.seconds:
            self.save()

    def save(self) -> None:
        save_checkpoint(self.path, {"fingerprint": self.fingerprint, **self.run.state()})
        self.saved_at = time.monotonic()


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write ``state`` to ``path``: flushed to disk beside it, then renamed, so that ``path`` is a whole file always.

    Raises: CourseError where the folder cannot be written.
    """
    with storage.writable_folder(path.parent), storage.atomic_file(path) as scratch, scratch.open("wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())


def load_checkpoint(path: Path, fingerprint: dict[str, Any], device: torch.device) -> dict[str, Any] | None:
    """Read the checkpoint of the run that ``fingerprint`` identifies.

    Returns: the saved state, or None where there is no file yet.
    Raises: CourseError where the file is damaged, or belongs to a run with another recipe, data or first weights.
    """
    for leftover in path.parent.glob(f".{path.name}.*.part"):
        leftover.unlink(missing_ok=True)  # half a checkpoint, from a run that was killed while it wrote
    if not path.exists():
        return None
    try:
        state = torch.load(path, map_location=device, weights_only=True)
    except _DAMAGED as error:
        raise CourseError(f"The checkpoint {path} is damaged: delete it and start again.") from error
    changed = [key for key, value in fingerprint.items() if state["fingerprint"].get(key) != value]
    if changed:
        raise CourseError(
            f"The checkpoint {path} belongs to another run (different {', '.join(changed)}): "
            "delete it, or give this run a path of its own."
        )
    return state


def digest_of_weights(model: torch.nn.Module) -> str:
    """SHA-256 over every parameter and buffer with its name."""
    total = hashlib.sha256()
    for name, tensor in model.state_dict().items():
        total.update(name.encode())
        total.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    return total.hexdigest()


def digest_of_split(split: Split) -> str:
    """SHA-256 over a split's images and labels."""
    total = hashlib.sha256(split.images.cpu().numpy())
    total.update(split.labels.cpu().numpy())
    return total.hexdigest()
