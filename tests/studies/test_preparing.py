"""A resize in front of a network, and a share of a split."""

from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from course_lib import models
from course_tools.studies.preparing import Resized, part_of


class Echo(nn.Module):
    """Returns the images that it got."""

    def forward(self, images):
        return images


def picture(side, channels=1, count=2):
    return torch.rand(count, channels, side, side, generator=torch.Generator().manual_seed(side))


# ---- resize


@pytest.mark.parametrize("side", [14, 28, 32, 56, 224])
@pytest.mark.parametrize("channels", [None, 1, 3])
def test_grey_images_come_out_in_the_size_and_channels_that_were_asked_for(side, channels):
    assert Resized(Echo(), side, channels)(picture(28)).shape == (2, channels or 1, side, side)


def test_images_with_colours_keep_them():
    assert Resized(Echo(), 64)(picture(32, channels=3)).shape == (2, 3, 64, 64)
    assert Resized(Echo(), 64, 3)(picture(32, channels=3)).shape == (2, 3, 64, 64)


def test_images_of_the_right_size_pass_untouched():
    images = picture(28)
    assert torch.equal(Resized(Echo(), 28)(images), images)


def test_a_grey_image_is_repeated_in_each_channel():
    images = picture(28)
    repeated = Resized(Echo(), 28, 3)(images)
    assert all(torch.equal(repeated[:, [channel]], images) for channel in range(3))


def test_there_and_back_gives_the_image_again():
    """Up it is interpolated, down it is averaged: a smooth image survives."""
    one, other = torch.meshgrid(torch.linspace(0, 1, 28), torch.linspace(0, 2, 28), indexing="ij")
    images = (one + other)[None, None]
    back = Resized(Resized(Echo(), 28), 224)(images)
    assert back.shape == images.shape
    torch.testing.assert_close(back[..., 2:-2, 2:-2], images[..., 2:-2, 2:-2], atol=1e-4, rtol=0)


def test_it_averages_where_it_shrinks():
    """Stripes of one pixel become grey, all of them; picking every fourth pixel would leave black, or white."""
    stripes = torch.zeros(1, 1, 32, 32)
    stripes[..., ::2] = 1.0
    shrunk = Resized(Echo(), 8)(stripes)
    assert (shrunk - 0.5).abs().max() < 0.1
    point = torch.zeros(1, 1, 32, 32)
    point[..., 15, 15] = 64.0
    assert Resized(Echo(), 4)(point).mean() == pytest.approx(point.mean().item(), rel=0.2), "no pixel is passed over"


def test_it_interpolates_where_it_grows():
    images = picture(7)
    assert torch.equal(Resized(Echo(), 28)(images), F.interpolate(images, size=(28, 28), mode="bilinear"))


def test_the_network_behind_it_gets_every_gradient_and_is_all_that_learns():
    network = models.lenet5(10, 3, 32)
    resized = Resized(network, 32, 3)
    resized(picture(28)).sum().backward()
    assert all(one.grad is not None for one in network.parameters())
    assert len(list(resized.parameters())) == len(list(network.parameters()))


def test_an_image_that_does_not_fit_is_explained():
    with pytest.raises(ValueError, match="an image of 3×32×32 does not fit LeNet5"):
        Resized(models.lenet5(10, 1, 32), 32, 3)(picture(28))
    with pytest.raises(ValueError, match="an image of 3×28×28 does not fit Resized: "):
        Resized(Echo(), 28, 1)(picture(28, channels=3))


# ---- a share


def counts(split):
    return torch.bincount(split.labels, minlength=10)


@pytest.mark.parametrize("fraction", [0.05, 0.1, 0.25, 0.5, 0.999])
def test_a_share_has_its_size_and_every_class_in_proportion(digits, fraction):
    part = part_of(digits.train, fraction, seed=0)
    assert len(part) == len(part.images) == round(fraction * len(digits.train))
    assert (counts(part) - fraction * counts(digits.train)).abs().max() <= 1
    assert (part.classes, part.mean, part.std) == (digits.train.classes, digits.train.mean, digits.train.std)


def test_classes_of_unlike_size_keep_their_proportion(digits):
    labels = torch.tensor([0] * 90 + [1] * 10)
    lopsided = replace(digits.train, images=digits.train.images[:100], labels=labels)
    assert counts(part_of(lopsided, 0.3, seed=0))[:2].tolist() == [27, 3]


def test_all_of_it_is_the_split_itself(digits):
    assert part_of(digits.train, 1, seed=0) is digits.train
    assert part_of(digits.train, 1.0, seed=5) is digits.train


def test_the_seed_draws_the_share(digits):
    numbered = replace(digits.train, images=torch.arange(len(digits.train)))
    one, same, other = (part_of(numbered, 0.1, seed).images.tolist() for seed in (0, 0, 1))
    assert one == same != other
    assert len(set(one)) == len(one), "no image twice"
    assert len(set(one) & set(other)) < len(one) / 2


def test_images_keep_their_labels(digits):
    numbered = replace(digits.train, images=torch.arange(len(digits.train)))
    part = part_of(numbered, 0.1, seed=2)
    assert torch.equal(part.labels, digits.train.labels[part.images])


@pytest.mark.parametrize("fraction", [0, -0.5, 1.01, 5, float("nan")])
def test_a_share_that_makes_no_sense_is_refused(digits, fraction):
    with pytest.raises(ValueError, match=f"^fraction must be above 0 and at most 1, not {fraction}$"):
        part_of(digits.train, fraction, seed=0)
