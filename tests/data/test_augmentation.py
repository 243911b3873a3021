"""Whole batches at once, against torchvision image by image with the same draws."""

import functools

import pytest
import torch

from course_lib.data.augmentation import (
    cutout,
    flip_and_crop,
    mirrored,
    mirrored_and_shifted,
    random_crop,
    random_flip,
    random_translate,
)
from course_lib.data.warping import elastic, random_rotation, random_scale
from course_lib.torchvision_fix import import_torchvision

transform = import_torchvision().transforms.functional

CHANGES = [
    random_flip,
    random_crop,
    functools.partial(random_crop, mode="reflect"),
    flip_and_crop,
    random_translate,
    cutout,
    random_rotation,
    random_scale,
    elastic,
]


@pytest.fixture
def images():
    return torch.randn(64, 3, 9, 12, generator=torch.Generator().manual_seed(0))


def draws_of_flip(images):
    return torch.rand(len(images)) < 0.5


def draws_of_crop(images, padding):
    return torch.randint(2 * padding + 1, (2, len(images), 1)).squeeze(2).T.tolist()


def cropped(image, top, left, padding, mode="constant"):
    return transform.crop(transform.pad(image, [padding] * 4, padding_mode=mode), top, left, *image.shape[1:])


def test_a_flip_is_torchvisions(images):
    torch.manual_seed(1)
    made = random_flip(images)
    torch.manual_seed(1)
    flipped = draws_of_flip(images)
    assert 0 < flipped.sum() < len(images), "else this test could not fail"
    by_hand = [transform.hflip(image) if flip else image for image, flip in zip(images, flipped, strict=True)]
    assert torch.equal(made, torch.stack(by_hand))


@pytest.mark.parametrize("mode", ["constant", "reflect"])
@pytest.mark.parametrize("padding", [0, 1, 4, 8])
def test_a_crop_is_torchvisions(images, padding, mode):
    torch.manual_seed(2)
    made = random_crop(images, padding, mode)
    torch.manual_seed(2)
    places = draws_of_crop(images, padding)
    by_hand = torch.stack([cropped(image, *place, padding, mode) for image, place in zip(images, places, strict=True)])
    assert torch.equal(made, by_hand)


@pytest.mark.parametrize("pixels", [0, 2, 12])
def test_a_shift_is_torchvisions(images, pixels):
    """Twelve pixels move an image out of itself, to the side or down."""
    torch.manual_seed(2)
    made = random_translate(images, pixels)
    torch.manual_seed(2)
    shifts = [(pixels - left, pixels - top) for top, left in draws_of_crop(images, pixels)]
    by_hand = [transform.affine(image, 0, shift, 1, [0.0, 0.0]) for image, shift in zip(images, shifts, strict=True)]
    assert torch.equal(made, torch.stack(by_hand))


@pytest.mark.parametrize("size", [1, 4, 5, 8, 30])
def test_a_cut_out_square_is_torchvisions(images, size):
    """From one pixel to all of them; an even square reaches one pixel further up and left."""
    torch.manual_seed(6)
    made = cutout(images) if size == 8 else cutout(images, size)
    torch.manual_seed(6)
    middles = torch.stack([torch.randint(side, (len(images),)) for side in (9, 12)], 1).tolist()
    assert {(0, 0), (0, 11), (8, 0), (8, 11)} & {tuple(middle) for middle in middles}, "a corner is among them"
    for image, changed, (row, column) in zip(images, made, middles, strict=True):
        top, left = max(row - size // 2, 0), max(column - size // 2, 0)
        height, width = row - size // 2 + size - top, column - size // 2 + size - left
        assert torch.equal(changed, transform.erase(image, top, left, height, width, torch.zeros(())))


def test_flip_and_crop_does_both_with_four_pixels(images):
    torch.manual_seed(3)
    made = flip_and_crop(images)
    torch.manual_seed(3)
    flipped, places = draws_of_flip(images), draws_of_crop(images, 4)
    by_hand = [
        cropped(transform.hflip(image) if flip else image, top, left, 4)
        for image, flip, (top, left) in zip(images, flipped, places, strict=True)
    ]
    assert torch.equal(made, torch.stack(by_hand))


@pytest.mark.parametrize("change", CHANGES)
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


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("change", CHANGES)
def test_number_format_and_layout_change_nothing_else(images, change, channels):
    """bfloat16 images: computed in float32 and rounded once. Channels last: the same values."""
    rounded = images[:, :channels].bfloat16()
    made = []
    for batch in (rounded.float(), rounded, rounded.float().contiguous(memory_format=torch.channels_last)):
        torch.manual_seed(9)
        made.append(change(batch))
    assert made[1].dtype == torch.bfloat16
    assert torch.equal(made[0].bfloat16(), made[1])
    assert torch.equal(made[0], made[2])


@pytest.mark.parametrize("change", CHANGES)
def test_no_number_comes_back_from_the_device(images, change):
    """Tensors on "meta" have shapes and no values, so whoever reads one fails, as ``.item()`` does."""
    made = change(images.to("meta"))
    assert made.shape == images.shape and made.device.type == "meta"


def test_six_views_are_torchvisions_and_the_unshifted_are_there_twice(images):
    up, down = (torch.stack([cropped(image, place, place, 1, "reflect") for image in images]) for place in (0, 2))
    expected = [view for place in (images, images, up, down) for view in (place, transform.hflip(place))]
    for views, count in ((mirrored, 2), (mirrored_and_shifted, 8)):
        before, made = images.clone(), views(images)
        assert len(made) == count and torch.equal(images, before)
        assert all(torch.equal(view, other) for view, other in zip(made, expected, strict=False))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda images: random_crop(images, -1), "padding must be at least 0, not -1"),
        (lambda images: random_crop(images, 9, "reflect"), "padding must be less than the shorter side, 9, not 9"),
        (lambda images: random_crop(images, 1, "edge"), 'mode must be "constant" or "reflect", not \'edge\''),
        (lambda images: random_translate(images, -1), "pixels must be at least 0, not -1"),
        (lambda images: cutout(images, 0), "size must be at least 1, not 0"),
    ],
)
def test_wrong_arguments_are_refused(images, change, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        change(images)
