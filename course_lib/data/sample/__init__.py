"""The small real sample inside the package, for runs without a network.

Each split is one lossless picture, its images side by side row by row. ``sample.json`` holds the labels, the index of
each image in the full set, and a SHA-256. ``python -m course_lib.data.sample.make`` writes them all.
"""

import json
from functools import cache
from pathlib import Path

import numpy as np

from course_lib.data.cache import digest
from course_lib.data.catalog import DataSpec
from course_lib.data.splits import Split, as_split
from course_lib.errors import CourseError

FOLDER = Path(__file__).parent
PARTS = ("train", "val", "test")
COLUMNS = 100  # images side by side in a picture


@cache
def index() -> dict:
    """``sample.json``: by data set and split, the file, labels, indices in the full set and SHA-256."""
    return json.loads((FOLDER / "sample.json").read_text(encoding="utf-8"))


def read(spec: DataSpec, part: str) -> Split:
    """Decode the ``train``, ``val`` or ``test`` part of the sample. Raises CourseError where it is damaged."""
    from PIL import Image

    entry = index()[spec.name][part]
    try:
        mode = "L" if spec.shape[0] == 1 else "RGB"  # WebP keeps grey pictures as three equal channels
        picture = np.asarray(Image.open(FOLDER / entry["file"]).convert(mode))
        images = cut(picture, spec, len(entry["labels"]))
        intact = digest(images) == entry["sha256"]
    except (OSError, ValueError) as error:
        raise CourseError(f"{FOLDER / entry['file']} does not open: install the package again.") from error
    if not intact:
        raise CourseError(f"{FOLDER / entry['file']} is not the sample that was packed: install the package again.")
    labels = np.array([int(label) for label in entry["labels"]], dtype=np.uint8)
    return as_split(spec, part, images, labels)


def cut(picture: np.ndarray, spec: DataSpec, count: int) -> np.ndarray:
    """Cut a picture back into its first ``count`` images, shape (count, H, W) or (count, H, W, C)."""
    _, height, width = spec.shape
    colour = picture.shape[2:]
    rows = picture.shape[0] // height
    grid = picture.reshape(rows, height, COLUMNS, width, *colour)
    return np.ascontiguousarray(grid.swapaxes(1, 2).reshape(rows * COLUMNS, height, width, *colour)[:count])


def paste(images: np.ndarray) -> np.ndarray:
    """Lay images (N, H, W) or (N, H, W, C) out as one picture; the inverse of :func:`cut`. N fills whole rows."""
    count, height, width, *colour = images.shape
    grid = images.reshape(count // COLUMNS, COLUMNS, height, width, *colour).swapaxes(1, 2)
    return np.ascontiguousarray(grid.reshape(count // COLUMNS * height, COLUMNS * width, *colour))
