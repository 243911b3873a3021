import numpy as np
import pytest
import torch
from PIL import Image

from course_lib import data
from course_lib.data import sample
from course_lib.data.catalog import CATALOG, CIFAR10, MNIST
from course_lib.errors import CourseError


@pytest.mark.parametrize("spec", CATALOG.values(), ids=CATALOG)
def test_the_sample_has_every_class_and_the_full_sets_mean(spec):
    loaded = data.load(spec.name, size="sample")
    for split in (loaded.train, loaded.val, loaded.open_test()):
        assert split.images.dtype == torch.uint8
        assert split.images.shape[1:] == spec.shape
        share = np.bincount(split.labels) / len(split)
        assert share.min() > 0.08
    pixels = loaded.train.images.double().div(255)
    assert torch.allclose(pixels.mean(dim=(0, 2, 3)), torch.tensor(spec.mean, dtype=torch.float64), atol=0.01)
    assert torch.allclose(pixels.std(dim=(0, 2, 3)), torch.tensor(spec.std, dtype=torch.float64), atol=0.01)


@pytest.mark.parametrize("spec", CATALOG.values(), ids=CATALOG)
def test_training_validation_and_test_images_are_different_images(spec):
    entry = sample.index()[spec.name]
    assert not set(entry["train"]["places"]) & set(entry["val"]["places"])
    assert (entry["train"]["of"], entry["val"]["of"], entry["test"]["of"]) == ("train", "train", "test")


def test_cut_undoes_paste():
    images = np.random.RandomState(0).randint(0, 256, (200, 32, 32, 3)).astype(np.uint8)
    assert np.array_equal(sample.cut(sample.paste(images), CIFAR10, 200), images)


@pytest.mark.parametrize("harm", ["truncated", "one pixel changed"])
def test_a_damaged_sample_is_refused(tmp_path, monkeypatch, harm):
    file = sample.FOLDER / "mnist-val.webp"
    if harm == "truncated":
        (tmp_path / file.name).write_bytes(file.read_bytes()[:1_000])
    else:
        picture = Image.open(file).convert("RGB")
        picture.putpixel((3, 3), (9, 9, 9))
        picture.save(tmp_path / file.name, lossless=True)
    monkeypatch.setattr(sample, "FOLDER", tmp_path)
    with pytest.raises(CourseError, match="install the package again"):
        sample.read(MNIST, "val")


def test_the_sample_is_small():
    assert sum(file.stat().st_size for file in sample.FOLDER.iterdir() if file.is_file()) < 6e6
