from dataclasses import replace

import numpy as np
import pytest
import torch

from course_lib.models import IMAGENET_MEAN, IMAGENET_STD
from course_lib.transfer import Choices, draw, prepare


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("resize", "np"), ("channels", "two"), ("trained", "none"), ("head", "big"), ("side", 0)),
        *(("learning_rate", 0.0), ("learning_rate", float("nan"))),
    ],
)
def test_refuses_unknown_choices(name, value):
    with pytest.raises(ValueError, match=f"^{name} must be "):
        Choices(**{name: value})


@pytest.mark.parametrize(("side", "held"), [(112, 16), (224, 64), (28, 1)])
def test_refill_is_np_resize(digits, side, held):
    some = digits.train.select(range(100))
    refilled = prepare(some, Choices(resize="refill", side=side)).images
    assert refilled.shape == (100, 3, side, side) and refilled.dtype == torch.uint8
    flat = some.images.flatten()
    for number in (0, 1, 7):
        first = held * number % 100
        expected = np.resize(np.roll(flat.numpy(), -first * 784), side * side)
        assert np.array_equal(refilled[number, 0].flatten().numpy(), expected)
    assert len(refilled.flatten(1).unique(dim=0)) == 100 // np.gcd(held, 100)


def test_an_enlarged_image_shows_its_own_digit(digits):
    some = digits.train.select(range(20))
    enlarged = prepare(some, Choices()).images
    assert enlarged.shape == (20, 3, 112, 112)
    back = torch.nn.functional.avg_pool2d(enlarged[:, :1].float(), 4)
    assert (back - some.images.float()).abs().mean() < 8
    assert torch.equal(prepare(some, Choices(side=28)).images[:, :1], some.images)


def test_channels_and_normalisation(digits):
    some = digits.train.select(range(20))
    right, red, raw = (prepare(some, Choices(**wrong)) for wrong in ({}, {"channels": "one"}, {"normalise": False}))
    assert (right.images[:, :1] == right.images).all()
    assert torch.equal(red.images[:, 0], right.images[:, 0]) and not red.images[:, 1:].any()
    assert (right.mean, right.std) == (IMAGENET_MEAN, IMAGENET_STD)
    batch = raw.normalize(raw.images)
    torch.testing.assert_close(batch, raw.images.float(), rtol=1e-5, atol=1e-3)
    assert batch.max() > 250


def test_takes_grey_images_or_coloured_ones_as_chosen_and_leaves_them_without_a_backbone(digits):
    assert prepare(digits.val, Choices(backbone="none")) is digits.val
    grey = digits.val.select(range(3))
    coloured = prepare(grey, Choices(side=28))
    with pytest.raises(ValueError, match=r"takes grey images, .* for channels='repeat', .* these is 3×28×28"):
        prepare(coloured, Choices())
    with pytest.raises(ValueError, match=r"takes coloured images, .* for channels='keep', .* these is 1×28×28"):
        prepare(grey, Choices(channels="keep"))


def test_coloured_images_keep_their_colours(digits):
    colours = torch.tensor([200, 100, 50], dtype=torch.uint8).view(1, 3, 1, 1).expand(2, 3, 32, 32)
    some = replace(digits.val.select(range(2)), images=colours.contiguous())
    prepared = prepare(some, Choices(side=64, channels="keep"))
    assert prepared.images.shape == (2, 3, 64, 64)
    assert torch.equal(prepared.images, colours[..., :1, :1].expand(2, 3, 64, 64))
    assert (prepared.mean, prepared.std) == (IMAGENET_MEAN, IMAGENET_STD)


def test_draw_is_deterministic_and_stratified(digits):
    some = draw(digits.train, 400)
    assert torch.equal(some.images, draw(digits.train, 400).images)
    assert not torch.equal(some.images, draw(digits.train, 400, seed=1).images)
    share = 400 / len(digits.train) * torch.bincount(digits.train.labels)
    assert (torch.bincount(some.labels) - share).abs().max() <= 1
    assert draw(digits.val, 10**6) is digits.val
    with pytest.raises(ValueError, match="count must be at least 1, not 0"):
        draw(digits.val, 0)
