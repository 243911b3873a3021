"""Whole batches at once, against torchvision image by image with the same draws."""

import numpy as np
import pytest
import torch

from course_lib.data.warping import elastic, random_rotation, random_scale, smooth, warp
from course_lib.torchvision_fix import import_torchvision

transforms = import_torchvision().transforms
transform, BILINEAR = transforms.functional, transforms.InterpolationMode.BILINEAR


@pytest.fixture
def images():
    return torch.randn(16, 3, 9, 12, generator=torch.Generator().manual_seed(0))


def blurred(fields, sigma):
    """As ``ElasticTransform`` does it: the kernel reaches 4 × sigma to each side, an odd number of pixels in all."""
    size = int(8 * sigma + 1) | 1
    return transform.gaussian_blur(fields, [size, size], [sigma, sigma])


@pytest.mark.parametrize(("options", "most"), [([], 15), ([180], 180)])
def test_a_rotation_is_torchvisions(images, options, most):
    torch.manual_seed(1)
    made = random_rotation(images, *options)
    torch.manual_seed(1)
    degrees = (most * (2 * torch.rand(16) - 1)).tolist()
    by_hand = [transform.rotate(image, angle, BILINEAR) for image, angle in zip(images, degrees, strict=True)]
    torch.testing.assert_close(made, torch.stack(by_hand), atol=1e-4, rtol=0)


@pytest.mark.parametrize(("options", "least", "most"), [([], 0.9, 1.1), ([0.3, 3], 0.3, 3)])
def test_a_scaling_is_torchvisions(images, options, least, most):
    torch.manual_seed(1)
    made = random_scale(images, *options)
    torch.manual_seed(1)
    factors = (least + (most - least) * torch.rand(16)).tolist()
    by_hand = [
        transform.affine(image, 0, [0, 0], factor, [0.0, 0.0], BILINEAR)
        for image, factor in zip(images, factors, strict=True)
    ]
    torch.testing.assert_close(made, torch.stack(by_hand), atol=1e-4, rtol=0)


def test_a_warp_is_torchvisions(images):
    """torchvision counts 2 from border to border, so a pixel is 2 / 12 across and 2 / 9 down."""
    displacement = 3 * torch.randn(16, 9, 12, 2, generator=torch.Generator().manual_seed(1))
    theirs = displacement * torch.tensor([2 / 12, 2 / 9])
    by_hand = [
        transform.elastic_transform(image, field[None], BILINEAR) for image, field in zip(images, theirs, strict=True)
    ]
    torch.testing.assert_close(warp(images, displacement), torch.stack(by_hand), atol=1e-4, rtol=0)


@pytest.mark.parametrize("sigma", [0.1, 0.5, 1.2, 1.3, 2.0])
def test_smoothing_is_torchvisions(images, sigma):
    torch.testing.assert_close(smooth(images, sigma), blurred(images, sigma), atol=1e-5, rtol=0)


def test_a_wide_gaussian_is_mirrored_as_often_as_it_takes(images):
    """torchvision refuses to reflect 9 pixels by 16 or more; NumPy goes to and fro."""
    wide = torch.from_numpy(np.pad(images.numpy(), ((0, 0), (0, 0), (16, 16), (16, 16)), "reflect"))
    torch.testing.assert_close(smooth(images, 4.0), blurred(wide, 4.0)[:, :, 16:-16, 16:-16], atol=1e-5, rtol=0)
    assert torch.equal(smooth(torch.ones(2, 1, 1), 4.0), torch.ones(2, 1, 1)), "one pixel is its own mirror image"


def test_an_elastic_deformation_is_torchvisions():
    images = torch.randn(4, 3, 28, 32, generator=torch.Generator().manual_seed(2))
    torch.manual_seed(3)
    made = elastic(images)
    torch.manual_seed(3)
    field = blurred(2 * torch.rand(4, 2, 28, 32) - 1, 4.0).permute(0, 2, 3, 1)
    theirs = 68 * field / torch.tensor([32, 28])  # ElasticTransform.get_params
    by_hand = [transform.elastic_transform(image, f[None], BILINEAR) for image, f in zip(images, theirs, strict=True)]
    torch.testing.assert_close(made, torch.stack(by_hand), atol=1e-3, rtol=0)


@pytest.mark.parametrize(("number_format", "error"), [(torch.bfloat16, 0.01), (torch.float64, 1e-9)])
def test_places_are_exact_in_every_number_format(number_format, error):
    """Of 600 columns bfloat16 cannot count the outer ones in halves: they would blur into their neighbours."""
    wide = torch.randn(1, 1, 3, 600, generator=torch.Generator().manual_seed(7)).to(number_format)
    made = warp(wide, torch.zeros(1, 3, 600, 2))
    torch.testing.assert_close(made, wide, atol=error, rtol=0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda images: random_rotation(images, -1), "degrees must be between 0 and 180, not -1"),
        (lambda images: random_rotation(images, 360), "degrees must be between 0 and 180, not 360"),
        (lambda images: random_scale(images, 0), "least must be above 0, not 0"),
        (lambda images: random_scale(images, 1.2, 1.1), "most must not be below least, 1.2, as 1.1 is"),
        (lambda images: elastic(images, alpha=-1), "alpha must be at least 0, not -1"),
        (lambda images: elastic(images, sigma=0), "sigma must be above 0, not 0"),
        (lambda images: smooth(images, -1), "sigma must be above 0, not -1"),
    ],
)
def test_wrong_arguments_are_refused(images, change, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        change(images)
