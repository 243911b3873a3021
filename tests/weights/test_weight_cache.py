"""The cache: whole or not at all, and checked at every read."""

import errno

import pytest
import torch

from course_lib import weights
from course_lib.errors import CourseError
from course_lib.weights import cache, roads


def test_what_was_written_is_read_and_verified(tiny, tensors, home):
    path = cache.write(tiny, tensors)
    assert path == home / "weights" / "tiny.pt" == weights.path_of("tiny")
    assert [file.name for file in path.parent.iterdir()] == ["tiny.pt"]
    found = cache.read(tiny)
    assert list(found) == list(tensors) and all(torch.equal(found[key], tensors[key]) for key in tensors)
    assert weights.verify("tiny") and weights.available("tiny")


def test_before_anything_was_fetched(tiny):
    assert not weights.available("tiny") and not weights.verify("tiny")
    with pytest.raises(FileNotFoundError):
        cache.read(tiny)


@pytest.mark.parametrize("change", ["value", "shape", "key", "type", "missing"])
def test_the_digest_tells_every_change(tensors, change):
    before = cache.digest(tensors)
    assert cache.digest(dict(reversed(tensors.items()))) == before, "the order of a dictionary is no change"
    key = "features.0.bias"
    if change == "value":
        tensors[key] = tensors[key] + 1e-6
    elif change == "shape":
        tensors[key] = tensors[key].reshape(2, 2)
    elif change == "type":
        tensors[key] = tensors[key].view(torch.int32)
    else:
        kept = tensors.pop(key)
        if change == "key":
            tensors["features.0.biases"] = kept
    assert cache.digest(tensors) != before


@pytest.mark.parametrize("harm", ["truncate", "flip", "replace", "empty", "rubbish"])
def test_a_damaged_file_is_named_with_its_mend(tiny, tensors, harm):
    path = cache.write(tiny, tensors)
    content = bytearray(path.read_bytes())
    if harm == "truncate":
        path.write_bytes(content[: len(content) // 2])
    elif harm == "flip":
        place = content.index(tensors["features.0.weight"].numpy().tobytes())
        content[place] ^= 0xFF
        path.write_bytes(content)
    elif harm == "replace":
        torch.save(tensors | {"features.0.bias": torch.zeros(4)}, path)
    else:
        path.write_bytes(b"" if harm == "empty" else b"rubbish")
    for read in (weights.load, weights.verify):
        with pytest.raises(CourseError, match="is damaged: run `course data fetch tiny` to replace it") as caught:
            read("tiny")
        assert "\n" not in str(caught.value) and str(path) in str(caught.value)


def test_wrong_weights_are_not_kept(tiny, tensors):
    with pytest.raises(CourseError, match="wrong SHA-256; nothing was kept"):
        cache.write(tiny, tensors | {"features.0.bias": torch.zeros(4)})
    assert not cache.path_of("tiny").exists()


def test_a_disk_that_fills_up_while_writing_keeps_the_old_file(tiny, tensors, monkeypatch):
    path = cache.write(tiny, tensors)
    before = path.read_bytes()

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(cache.torch, "save", full)
    with pytest.raises(CourseError, match="is full"):
        cache.write(tiny, tensors)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ["tiny.pt"], "no half-written file is left"


def test_a_killed_writers_leftovers_are_swept(tiny, tensors, monkeypatch):
    leftover = cache.path_of("tiny").parent / ".tiny.pt.999.part"
    leftover.parent.mkdir(parents=True)
    leftover.write_bytes(b"half")
    monkeypatch.setattr(roads, "fetch", lambda spec: tensors)
    weights.ensure("tiny")
    assert not leftover.exists()


def test_unknown_names_are_refused():
    for ask in (weights.load, weights.available, weights.ensure, weights.verify, weights.path_of, weights.checksum):
        with pytest.raises(CourseError, match="There are no weights 'vgg61': choose from vgg16-features, alexnet"):
            ask("vgg61")
