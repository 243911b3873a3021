import pytest
import torch

from course_lib import data


@pytest.fixture(scope="module")
def digits():
    return data.load("mnist", size="sample").val


def test_shuffled_images_have_the_same_pixels_in_one_order_for_all(digits):
    shuffled = data.shuffle_pixels(digits, seed=3)
    order = data.pixel_order(784, seed=3)
    assert sorted(order.tolist()) == list(range(784))
    assert torch.equal(shuffled.images.flatten(1), digits.images.flatten(1)[:, order])
    assert torch.equal(shuffled.labels, digits.labels)
    assert not torch.equal(shuffled.images, data.shuffle_pixels(digits, seed=4).images)


def test_colours_of_a_pixel_move_together():
    images = data.load("cifar10", size="sample").val.select(range(4))
    shuffled = data.shuffle_pixels(images)
    order = data.pixel_order(32 * 32)
    assert torch.equal(shuffled.images.flatten(2), images.images.flatten(2)[..., order])


@pytest.mark.parametrize(("right", "down"), [(0, 0), (3, 0), (-2, 1), (0, -4), (40, 0)])
def test_shifted_images_lose_what_leaves_the_frame(digits, right, down):
    shifted = data.shift_images(digits, right, down).images
    assert shifted.shape == digits.images.shape
    for row, column in [(0, 0), (14, 14), (27, 27), (10, 20)]:
        inside = 0 <= row - down < 28 and 0 <= column - right < 28
        expected = digits.images[:, 0, row - down, column - right] if inside else torch.zeros(len(digits))
        assert torch.equal(shifted[:, 0, row, column], expected.to(torch.uint8))
