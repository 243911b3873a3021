"""What a chapter calls, and what its freshness key learns from it."""

import pytest

from course_lib import weights
from course_lib.weights import cache, catalog, roads


def test_names():
    assert weights.NAMES == ("vgg16-features", "alexnet-features", "mobilenet-v2", "efficientnet-lite0")
    assert tuple(catalog.CATALOG) == weights.NAMES


def test_only_what_was_loaded_is_logged(tiny, tensors, logged):
    cache.write(tiny, tensors)
    weights.ensure("tiny")
    assert weights.verify("tiny") and weights.available("tiny")
    assert logged("weights") == []
    weights.load("tiny")
    weights.load("tiny")
    assert logged("weights") == ["tiny"]
    assert weights.checksum("tiny") == cache.digest(tensors)


def test_asking_whether_they_are_there_fetches_nothing(home, monkeypatch):
    monkeypatch.setattr(roads, "fetch", lambda spec: pytest.fail("no network, please"))
    assert not any(map(weights.available, weights.NAMES))
    assert not home.exists()


def test_each_load_is_ones_own(tiny, tensors):
    cache.write(tiny, tensors)
    weights.load("tiny")["features.0.bias"].zero_()
    assert weights.load("tiny")["features.0.bias"].abs().sum() > 0


def test_checksums_differ():
    checksums = {weights.checksum(name) for name in weights.NAMES}
    assert len(checksums) == 4 and {len(one) for one in checksums} == {64}


def test_the_thousand_classes():
    classes = weights.imagenet_classes()
    assert len(classes) == 1000
    assert [classes[number] for number in (0, 281, 999)] == ["tench", "tabby", "toilet tissue"]
