"""The views of an image against torchvision, image by image."""

import pytest
import torch

from course_lib.data import mirrored, mirrored_and_shifted
from course_lib.torchvision_fix import import_torchvision

transform = import_torchvision().transforms.functional


@pytest.fixture
def images():
    return torch.randn(5, 3, 6, 9, generator=torch.Generator().manual_seed(0))


def shifted(image, top, left):
    """One pixel of its own border, mirrored, on every side; the old size cut out at a place of 0 to 2."""
    return transform.crop(transform.pad(image, [1] * 4, padding_mode="reflect"), top, left, *image.shape[1:])


def by_hand(images, change):
    return torch.stack([change(one) for one in images])


def test_mirrored_is_the_image_and_its_mirror(images):
    straight, mirror = mirrored(images)
    assert torch.equal(straight, images)
    assert torch.equal(mirror, by_hand(images, transform.hflip))
    assert not torch.equal(mirror, images), "else this test could not fail"


def test_six_views_are_torchvisions_and_those_at_their_place_are_there_twice(images):
    places = [images, images, by_hand(images, lambda one: shifted(one, 0, 0))]
    places.append(by_hand(images, lambda one: shifted(one, 2, 2)))
    expected = [view for place in places for view in (place, by_hand(place, transform.hflip))]
    made = mirrored_and_shifted(images)
    assert len(made) == len(expected) == 8
    for one, other in zip(made, expected, strict=True):
        assert torch.equal(one, other)
    different = {one.numpy().tobytes() for one in made}
    assert len(different) == 6


@pytest.mark.parametrize("views", [mirrored, mirrored_and_shifted])
@pytest.mark.parametrize("shape", [(1, 1, 28, 28), (4, 3, 32, 32), (2, 3, 2, 5)])
def test_every_view_has_the_images_shape(views, shape):
    images = torch.rand(shape)
    before = images.clone()
    assert {one.shape for one in views(images)} == {torch.Size(shape)}
    assert torch.equal(images, before)


def test_the_image_at_its_place_counts_for_half():
    """Averages of one bright pixel: at its place, one pixel up left and one down right, and at their mirrors'."""
    image = torch.zeros(1, 1, 7, 8)
    image[0, 0, 3, 2] = 1
    mean = torch.stack(mirrored_and_shifted(image)).mean(dim=0)[0, 0]
    expected = torch.zeros(7, 8)
    expected[3, 2] = expected[3, 5] = 1 / 4
    expected[2, 1] = expected[4, 3] = expected[2, 6] = expected[4, 4] = 1 / 8
    assert torch.equal(mean, expected)


def test_what_moves_in_is_the_mirrored_border():
    """Numbers that name their place: row and column 0 become a copy of row and column 1, the last that of the last but
    one."""
    image = torch.arange(12.0).reshape(1, 1, 3, 4)
    _, _, _, _, down, _, up, _ = mirrored_and_shifted(image)
    assert down[0, 0].tolist() == [[5, 4, 5, 6], [1, 0, 1, 2], [5, 4, 5, 6]]
    assert up[0, 0].tolist() == [[5, 6, 7, 6], [9, 10, 11, 10], [5, 6, 7, 6]]
