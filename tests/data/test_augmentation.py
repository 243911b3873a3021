"""Whole batches at once, against torchvision image by image with the same draws."""

import pytest
import torch

from course_lib.data.augmentation import flip_and_crop, random_crop, random_flip
from course_lib.torchvision_mend import import_torchvision

transform = import_torchvision().transforms.functional


@pytest.fixture
def images():
    return torch.randn(64, 3, 9, 12, generator=torch.Generator().manual_seed(0))


def draws_of_flip(images):
    return torch.rand(len(images)) < 0.5


def draws_of_crop(images, padding):
    return torch.randint(2 * padding + 1, (2, len(images), 1)).squeeze(2).T.tolist()


def cropped(image, top, left, padding):
    return transform.crop(transform.pad(image, [padding] * 4), top, left, *image.shape[1:])


def test_a_flip_is_torchvisions(images):
    torch.manual_seed(1)
    made = random_flip(images)
    torch.manual_seed(1)
    flipped = draws_of_flip(images)
    assert 0 < flipped.sum() < len(images), "else this test could not fail"
    by_hand = [transform.hflip(one) if flip else one for one, flip in zip(images, flipped, strict=True)]
    assert torch.equal(made, torch.stack(by_hand))


@pytest.mark.parametrize("padding", [0, 1, 4])
def test_a_crop_is_torchvisions(images, padding):
    torch.manual_seed(2)
    made = random_crop(images, padding)
    torch.manual_seed(2)
    places = draws_of_crop(images, padding)
    by_hand = [cropped(one, top, left, padding) for one, (top, left) in zip(images, places, strict=True)]
    assert torch.equal(made, torch.stack(by_hand))


def test_flip_and_crop_does_both_with_four_pixels(images):
    torch.manual_seed(3)
    made = flip_and_crop(images)
    torch.manual_seed(3)
    flipped, places = draws_of_flip(images), draws_of_crop(images, 4)
    by_hand = [
        cropped(transform.hflip(one) if flip else one, top, left, 4)
        for one, flip, (top, left) in zip(images, flipped, places, strict=True)
    ]
    assert torch.equal(made, torch.stack(by_hand))


def test_half_of_the_images_are_flipped():
    """Of 10,000 images 5,000, give or take five standard deviations of 50."""
    ramp = torch.arange(4.0).expand(10_000, 1, 1, 4)
    torch.manual_seed(4)
    assert abs(int((random_flip(ramp)[:, 0, 0, 0] == 3).sum()) - 5_000) < 250


def test_every_place_is_drawn_alike_and_apart_for_each_image():
    """25 places among 25,000 images: 1,000 each, give or take five standard deviations of 31."""
    images = torch.zeros(25_000, 1, 5, 5)
    images[:, 0, 2, 2] = 1
    torch.manual_seed(5)
    counts = random_crop(images, 2).sum(dim=(0, 1))
    assert ((counts - 1_000).abs() < 155).all()


def test_what_moves_in_is_zero_and_nothing_comes_back_on_the_other_side():
    """Numbers that name their place: each is where its image was moved to, or gone."""
    ones = torch.arange(1.0, 37).reshape(1, 1, 6, 6).repeat(200, 1, 1, 1)
    torch.manual_seed(6)
    made = random_crop(ones, 3)
    torch.manual_seed(6)
    for image, (top, left) in zip(made[:, 0], draws_of_crop(ones, 3), strict=True):
        down, right = 3 - top, 3 - left
        assert (image > 0).sum() == (6 - abs(down)) * (6 - abs(right))
        for row, column in (image > 0).nonzero().tolist():
            assert image[row, column] == ones[0, 0, row - down, column - right]


@pytest.mark.parametrize("change", [random_flip, random_crop, flip_and_crop])
def test_the_seed_decides_and_the_batch_stays(images, change):
    before = images.clone()
    made = []
    for seed in (7, 7, 8):
        torch.manual_seed(seed)
        made.append(change(images))
    assert torch.equal(made[0], made[1])
    assert not torch.equal(made[0], made[2])
    assert torch.equal(images, before)
    assert made[0].shape == images.shape and made[0].dtype == images.dtype


def test_nonsense_is_refused(images):
    with pytest.raises(ValueError, match="padding must be at least 0, not -1"):
        random_crop(images, -1)
