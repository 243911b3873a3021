"""The cache and ``load`` with a tiny data set: the real files are too large for a unit test, the code is the same."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from course_lib import storage
from course_lib.data import cache, catalog, loading
from course_lib.data.catalog import MNIST
from course_lib.errors import CourseError


@pytest.fixture
def arrays():
    draw = np.random.RandomState(0)
    return {
        "train_images": draw.randint(0, 256, (50, 28, 28)).astype(np.uint8),
        "train_labels": (np.arange(50) % 10).astype(np.uint8),
        "test_images": draw.randint(0, 256, (20, 28, 28)).astype(np.uint8),
        "test_labels": (np.arange(20) % 10).astype(np.uint8),
    }


@pytest.fixture
def tiny(arrays, home, monkeypatch):
    """A data set called mnist with 50 and 20 images, whose digests are right."""
    digests = {name: cache.digest(array) for name, array in arrays.items()}
    spec = replace(MNIST, sha256=digests, train=50, test=20, validation=10, cache_bytes=1000, npm_bytes=1000)
    monkeypatch.setitem(catalog.CATALOG, "mnist", spec)
    return spec


@pytest.fixture
def sent(monkeypatch):
    """Sets the arrays that the host sends, and npm has none."""

    def away(spec, folder):
        raise OSError("Name or service not known")

    monkeypatch.setattr(cache.sources, "from_npm", away)
    return lambda arrays: monkeypatch.setattr(cache.sources, "from_host", lambda spec, folder: arrays)


def test_what_was_fetched_is_split_and_the_test_set_stays_sealed(tiny, arrays, sent, monkeypatch):
    sent(arrays)
    opened, read = [], cache.read_array
    monkeypatch.setattr(cache, "read_array", lambda spec, name: opened.append(name) or read(spec, name))
    digits = loading.load("mnist")
    assert (len(digits.train), len(digits.val)) == (40, 10)
    assert not any(name.startswith("test") for name in opened), "loading must not touch the test set"
    assert np.array_equal(digits.open_test().images[:, 0], arrays["test_images"])
    digits.train.images.zero_()
    sent(None)
    assert loading.load("mnist").train.images.any(), "from the cache, and as it was"
    for name, array in arrays.items():
        assert np.array_equal(read(tiny, name), array)


class Evil:
    """Creates a folder in the home when it is unpickled without care."""

    def __reduce__(self):
        return Path.mkdir, (storage.home() / "it-ran",)


@pytest.mark.parametrize("harm", ["truncate", "flip", "replace", "empty", "pickle"])
def test_a_damaged_file_is_named_with_the_command_that_replaces_it(tiny, arrays, sent, harm):
    sent(arrays)
    path = cache.download(tiny).ensure()
    content = bytearray(path.read_bytes())
    if harm == "truncate":
        path.write_bytes(content[: len(content) // 2])
    elif harm == "flip":
        content[len(content) // 3] ^= 0xFF
        path.write_bytes(content)
    elif harm == "replace":
        np.savez(path, **{**arrays, "train_images": arrays["train_images"] + 1})
    elif harm == "pickle":
        np.savez(path, **{**arrays, "train_images": np.array([Evil()], dtype=object)})
    else:
        path.write_bytes(b"")
    for read in (lambda: loading.load("mnist"), cache.download(tiny).verify):
        with pytest.raises(
            CourseError,
            match=rf"^{path} is damaged, or not the course's \(.*\): run `python -m .* fetch mnist` to replace",
        ):
            read()
    assert not (storage.home() / "it-ran").exists()


@pytest.mark.parametrize("part", ["train_images", "test_labels"])
def test_wrong_data_is_not_kept(tiny, arrays, sent, part):
    sent({**arrays, part: arrays[part][::-1].copy()})
    with pytest.raises(CourseError, match=rf"{part} has a wrong SHA-256.*Name or service not known.*size='sample'"):
        loading.load("mnist")
    assert not cache.path_of(tiny).exists()


def test_unknown_names_are_refused():
    with pytest.raises(CourseError, match="choose from mnist, cifar10"):
        loading.load("mnits")
    with pytest.raises(CourseError, match="'full' or 'sample'"):
        loading.load("mnist", size="small")
