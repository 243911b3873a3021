"""``load``: the one call with which a chapter gets its data."""

import hashlib

from course_lib import runlog
from course_lib.data import cache, sample, sources
from course_lib.data.catalog import spec_of
from course_lib.data.images import ImageData, as_split
from course_lib.data.splits import stratified_holdout
from course_lib.errors import CourseError


def load(name: str, size: str = "full") -> ImageData:
    """Load ``mnist`` or ``cifar10``.

    Args:
        name: which data set.
        size: ``"full"``, the whole set, from the cache, or fetched into it the first time;
            ``"sample"``, the small real sample inside the package, which needs no network.

    Returns: training and validation images (MNIST 48,000 and 12,000, CIFAR-10 45,000 and 5,000 in full; stratified,
        the same for everybody), and a test set that opens only through ``open_test()``.
    Raises: CourseError for an unknown name or size, a damaged cache, or full data that cannot be had. The sample is
        never silently taken for the full set.
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

    sources.ensure(spec)
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
