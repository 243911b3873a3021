"""Features of frozen layers, computed once and cached: the head is then trained in seconds.

That is right only where nothing below the head changes from one epoch to the next: no weight is trained, no batch norm
updates its statistics, no image is augmented.
"""

import hashlib
import pickle
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path

import torch

from course_lib import storage
from course_lib.data import Batches, Split
from course_lib.models import in_mode
from course_lib.training import Setup
from course_lib.training.checkpoints import digest_of_weights
from course_lib.transfer.networks import Transferred

BATCH = 100


class FeatureSplit(Split):
    """A split whose ``images`` are features of frozen layers, (N, D), float32; ``normalize`` returns them unchanged."""

    def normalize(self, images: torch.Tensor) -> torch.Tensor:
        return images

    def _check_images(self) -> None:
        if self.images.dim() != 2:
            raise ValueError(f"features must have the shape (N, D), not {tuple(self.images.shape)}")


@dataclass(frozen=True)
class Features:
    """Features of a split, and the ``seconds`` that computing them took, also where they now come from the cache."""

    split: FeatureSplit
    seconds: float


def features_of(network: Transferred, split: Split, setup: Setup) -> Features:
    """The inputs of ``network.head`` for the images of ``split``: from the cache, or computed as ``setup`` says.

    Raises: ValueError where something below the head changes in training; CourseError where the cache cannot be
        written.
    """
    if not network.all_frozen:
        raise ValueError("these features change while the network learns: they cannot be computed once")
    path = path_of(network, split, setup)
    numbers, seconds = _read(path) or (None, 0.0)
    if numbers is None:
        began = time.perf_counter()
        numbers = _compute(network, split, setup)
        seconds = time.perf_counter() - began
        with storage.writable_folder(path.parent, numbers.nbytes), storage.atomic_file(path) as scratch:
            torch.save({"numbers": numbers, "seconds": seconds, "sha256": _digest(numbers)}, scratch)
    fields = {name: getattr(split, name) for name in ("name", "labels", "classes", "mean", "std")}
    return Features(FeatureSplit(images=numbers, **fields), seconds)


def path_of(network: Transferred, split: Split, setup: Setup) -> Path:
    """Path of the cached features; its name has a digest of everything that they depend on."""
    digest = hashlib.sha256()
    for part in (
        repr(network.features),
        digest_of_weights(network.features),
        repr(network.gather),
        hashlib.sha256(split.images.cpu().contiguous().numpy()).hexdigest(),
        repr((split.mean, split.std, setup.precision, setup.device.type)),
    ):
        digest.update(part.encode())
    return storage.home() / "features" / f"{digest.hexdigest()[:24]}.pt"


def _compute(network: Transferred, split: Split, setup: Setup) -> torch.Tensor:
    network.to(setup.device, memory_format=setup.memory_format)
    with setup.at_work(), in_mode(network, training=False), torch.inference_mode(), setup.autocast():
        batches = [
            network.numbers(images.contiguous(memory_format=setup.memory_format)).float().cpu()
            for images, _ in Batches(split, BATCH, device=setup.device)
        ]
    return torch.cat(batches).clone()


def _read(path: Path) -> tuple[torch.Tensor, float] | None:
    """Cached features and seconds; None where there is no file, or a damaged one."""
    if not path.exists():
        return None
    try:
        cached = torch.load(path, map_location="cpu", weights_only=True)
        return (cached["numbers"], cached["seconds"]) if cached["sha256"] == _digest(cached["numbers"]) else None
    except (RuntimeError, pickle.UnpicklingError, EOFError, zipfile.BadZipFile, ValueError, KeyError, TypeError):
        return None


def _digest(numbers: torch.Tensor) -> str:
    """torch reads a file with a flipped bit without an error."""
    return hashlib.sha256(numbers.contiguous().numpy()).hexdigest()
