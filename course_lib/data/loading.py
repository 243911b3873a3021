"""``load`` a data set: training and validation images, and a test set that opens through one explicit call."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch

from course_lib import runlog
from course_lib.data import cache, sample
from course_lib.data.catalog import DataSpec, spec_of
from course_lib.data.splits import Split, as_split, stratified_holdout
from course_lib.errors import CourseError


@dataclass(frozen=True)
class ImageData:
    """A data set whose test images are sealed: only :meth:`open_test` reads them.

    ``size`` is ``"full"`` or ``"sample"``; ``train`` and ``val`` are ready to use.
    """

    spec: DataSpec
    size: str
    train: Split
    val: Split
    _read_test: Callable[[], Split]

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names, in the order of their numbers."""
        return self.spec.classes

    @property
    def title(self) -> str:
        """Name and size, such as ``MNIST (sample)``."""
        return f"{self.spec.title} ({self.size})"

    def train_and_val(self) -> Split:
        """Training and validation images as one split, for the last training, when every choice has been made."""
        both = self.train, self.val
        return replace(
            self.train,
            name="train and val",
            images=torch.cat([split.images for split in both]),
            labels=torch.cat([split.labels for split in both]),
        )

    def part(self, images: int) -> "ImageData":
        """The same data set with at most ``images`` images in each split, every class in proportion.

        Raises: ValueError for less than one image.
        """
        if images < 1:
            raise ValueError(f"images must be at least 1, not {images}")

        def kept(split: Split) -> Split:
            if images >= len(split):
                return split
            return split.select(stratified_holdout(split.labels.numpy(), images)[1])

        return replace(self, train=kept(self.train), val=kept(self.val), _read_test=lambda: kept(self._read_test()))

    def open_test(self) -> Split:
        """The test set: to be read once, at the end, when every choice has been made on ``val``."""
        return self._read_test()

    def __repr__(self) -> str:
        return f"{self.title}: {len(self.train):,} training and {len(self.val):,} validation images, test set sealed"


def load(name: str, size: str = "full") -> ImageData:
    """Load ``mnist`` or ``cifar10``.

    Args:
        name: which data set.
        size: ``"full"``, the whole set, from the cache, or fetched into it the first time;
            ``"sample"``, the small real sample inside the package, which needs no network.

    Returns: training and validation images (MNIST 48,000 and 12,000, CIFAR-10 45,000 and 5,000 in full; stratified,
        the same for everybody), and a test set that opens only through ``open_test()``.
    Raises: CourseError for an unknown name or size, a damaged cache, or full data that cannot be had. The sample is
        never silently used in place of the full set.
    """
    spec = spec_of(name)
    if size not in ("full", "sample"):
        raise CourseError(f"There is no size {size!r}: choose 'full' or 'sample'.")
    runlog.note("data", f"{name} ({size})")
    if size == "sample":
        return ImageData(
            spec=spec,
            size=size,
            train=sample.read(spec, "train"),
            val=sample.read(spec, "val"),
            _read_test=lambda: sample.read(spec, "test"),
        )

    cache.download(spec).ensure()
    images, labels = cache.read_array(spec, "train_images"), cache.read_array(spec, "train_labels")
    train, val = stratified_holdout(labels, spec.validation)
    return ImageData(
        spec=spec,
        size=size,
        train=as_split(spec, "train", images[train], labels[train]),
        val=as_split(spec, "val", images[val], labels[val]),
        _read_test=lambda: as_split(
            spec, "test", cache.read_array(spec, "test_images"), cache.read_array(spec, "test_labels")
        ),
    )


def checksum(label: str) -> str:
    """One SHA-256 for all arrays behind a label such as ``mnist (full)``. Raises CourseError for an unknown name."""
    name, _, size = label.removesuffix(")").partition(" (")
    spec = spec_of(name)
    parts = spec.sha256 if size == "full" else {part: sample.index()[name][part]["sha256"] for part in sample.PARTS}
    return hashlib.sha256("".join(parts[key] for key in sorted(parts)).encode()).hexdigest()
