"""What frozen layers say of each image, computed once and kept: the head is then trained in seconds.

That is legal where nothing below the head can change from one epoch to the next: no weight learns, no batch norm takes
up statistics, no image is augmented. Then each epoch would compute the same numbers again.
"""

import hashlib
import pickle
import time
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from course_lib import storage
from course_lib.data import Batches, Split
from course_lib.models import in_mode
from course_lib.training import Setup
from course_lib.training.checkpoints import digest_of_split, digest_of_weights
from course_lib.transfer.networks import Transferred

BATCH = 100


class FeatureSplit(Split):
    """A split whose ``images`` are numbers (N, D), float32: what frozen layers said of each image. Nothing to scale."""

    def normalize(self, images: torch.Tensor) -> torch.Tensor:
        return images


@dataclass(frozen=True)
class Kept:
    """Features, and the ``seconds`` that computing them took, also where they came from the cache this time."""

    split: FeatureSplit
    seconds: float


def features_of(network: Transferred, split: Split, setup: Setup) -> Kept:
    """What the head of ``network`` gets of each image of ``split``, from the cache where it was computed before.

    ``setup`` says how to compute. Raises: ValueError where something below the head changes in training, so that it may
    not be computed once; CourseError where the cache cannot be written.
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
            torch.save({"numbers": numbers, "seconds": seconds}, scratch)
    fields = {name: getattr(split, name) for name in ("name", "labels", "classes", "mean", "std")}
    return Kept(FeatureSplit(images=numbers, **fields), seconds)


def path_of(network: Transferred, split: Split, setup: Setup) -> Path:
    """Where these features are kept: the name has a digest of all that they depend on."""
    asked = hashlib.sha256()
    for part in (
        repr(network.features),
        digest_of_weights(network.features),
        repr(network.gather),
        digest_of_split(replace(split, labels=split.labels[:0])),
        repr((split.mean, split.std, setup.precision, setup.device.type)),
    ):
        asked.update(part.encode())
    return storage.home() / "features" / f"{asked.hexdigest()[:24]}.pt"


def _compute(network: Transferred, split: Split, setup: Setup) -> torch.Tensor:
    network.to(setup.device, memory_format=setup.memory_format)
    with setup.at_work(), in_mode(network, training=False), torch.inference_mode(), setup.autocast():
        found = [
            network.numbers(images.contiguous(memory_format=setup.memory_format)).float().cpu()
            for images, _ in Batches(split, BATCH, device=setup.device)
        ]
    return torch.cat(found).clone()


def _read(path: Path) -> tuple[torch.Tensor, float] | None:
    """A file that is damaged is as good as none: it is computed again."""
    if not path.exists():
        return None
    try:
        kept = torch.load(path, map_location="cpu", weights_only=True)
        return kept["numbers"], kept["seconds"]
    except (RuntimeError, pickle.UnpicklingError, EOFError, zipfile.BadZipFile, ValueError, KeyError, TypeError):
        return None
