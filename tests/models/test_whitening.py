"""The whitened network against the network written out, and its first filters."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from course_lib import data, models
from course_lib.models.whitening import Group


@pytest.fixture(scope="module")
def pictures():
    """100 training pictures of CIFAR-10, normalised."""
    train = data.load("cifar10", size="sample").train
    return train.normalize(train.images[:100])


def seeded(**options):
    torch.manual_seed(4)
    return models.whitened(**{"width": 1 / 16} | options)


def patches_of(images):
    """All 2 × 2 patches as columns of numbers, (C × 4, places), in double precision."""
    return F.unfold(images.double(), 2).transpose(0, 1).flatten(1)


def all_layers(model, kind):
    return [layer for layer in model.modules() if isinstance(layer, kind)]


@pytest.mark.parametrize(
    ("options", "channels"),
    [
        ({"widths": (8, 12, 20), "width": 1.5}, [8, 12, 12, 18, 18, 30, 30]),
        ({"widths": (64, 32, 16), "width": 1 / 16, "depth": 3}, [8, *[4] * 3, *[2] * 3, *[1] * 3]),
    ],
)
def test_depth_widths_classes_and_channels_are_chosen(options, channels):
    model = models.whitened(num_classes=7, in_channels=1, **options)
    assert model(torch.rand(2, 1, 32, 32)).shape == (2, 7)
    assert [layer.out_channels for layer in all_layers(model, nn.Conv2d)] == channels


def norm_by_hand(maps, layer):
    """Batch norm of a batch, or by the running statistics; its scale is one."""
    mean, variance = maps.mean(dim=(0, 2, 3)), maps.var(dim=(0, 2, 3), unbiased=False)
    if not layer.training:
        mean, variance = layer.running_mean, layer.running_var
    columns = [values[:, None, None] for values in (mean, variance, layer.bias)]
    return (maps - columns[0]) / (columns[1] + 1e-5).sqrt() + columns[2]


def by_hand(model, images):
    """The network written out, from its weights."""
    maps = F.gelu(F.conv2d(images, model.whitening.weight, model.whitening.bias))
    for group in all_layers(model, Group):
        weights = [layer.weight for layer in group.convolutions]
        maps = first = F.gelu(norm_by_hand(F.max_pool2d(F.conv2d(maps, weights[0], padding=1), 2), group.norms[0]))
        maps = norm_by_hand(F.conv2d(maps, weights[1], padding=1), group.norms[1])
        if len(weights) == 3:
            maps = norm_by_hand(F.conv2d(F.gelu(maps), weights[2], padding=1), group.norms[2]) + first
        maps = F.gelu(maps)
    return F.max_pool2d(maps, 3).flatten(1) @ model.classifier.weight.T / 9


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("depth", [2, 3])
def test_output_is_that_of_the_network_written_out(depth, training, pictures):
    model = seeded(depth=depth).double().train(training)
    for layer in all_layers(model, nn.BatchNorm2d):
        nn.init.normal_(layer.bias)
        nn.init.normal_(layer.running_mean), nn.init.uniform_(layer.running_var, 0.5, 2)
    images = pictures[:10].double()
    expected = by_hand(model, images)
    assert expected.std() > 1e-3, "else any two networks would agree"
    torch.testing.assert_close(model(images), expected)


@pytest.mark.parametrize("widths", [(64, 256, 256), (8, 8, 8)])
def test_first_filters_copy_the_channels_and_the_others_are_random(widths):
    _, *convolutions = all_layers(seeded(width=1, widths=widths), nn.Conv2d)
    for layer in convolutions:
        copied = min(layer.in_channels, layer.out_channels)
        maps = torch.rand(2, layer.in_channels, 5, 5)
        assert torch.equal(layer(maps)[:, :copied], maps[:, :copied])
        others = layer.weight[copied:]
        assert others.numel() == 0 or (others != 0).float().mean() > 0.99


def test_scales_are_one_and_frozen_and_everything_else_is_trained(pictures):
    model = seeded(depth=3)
    norms = all_layers(model, nn.BatchNorm2d)
    assert all((norm.weight == 1).all() and norm.momentum == 0.4 for norm in norms)
    model(pictures[:8]).square().sum().backward()
    for name, parameter in model.named_parameters():
        if ".norms." in name and name.endswith("weight"):
            assert parameter.grad is None
        else:
            assert parameter.grad.abs().sum() > 0, name


@pytest.mark.parametrize("smallest", [5e-4, 0.1])
@pytest.mark.parametrize("channels", [3, 1])
def test_whitened_patches_do_not_correlate_and_have_known_variances(pictures, channels, smallest):
    """Of a component with variance v that is divided by √(v + smallest) the variance is v / (v + smallest)."""
    images, count = pictures[:, :channels].double(), 4 * channels
    model = seeded(in_channels=channels).double()
    model.whiten(images, **{} if smallest == 5e-4 else {"smallest": smallest})
    outputs = model.whitening(images).detach().transpose(0, 1).flatten(1)
    filters, bias = model.whitening.weight, model.whitening.bias
    assert torch.equal(filters[count:], -filters[:count]) and (bias == 0).all()
    assert not filters.requires_grad and bias.requires_grad
    variances = torch.linalg.eigvalsh(torch.cov(patches_of(images))).flip(0)
    expected = torch.diag(variances / (variances + smallest))
    torch.testing.assert_close(torch.cov(outputs[:count]), expected, rtol=0, atol=1e-9)
    assert expected.diag()[0] - expected.diag()[-1] > 0.01, "else smallest would not matter"


def test_whitening_changes_the_first_layer_and_nothing_else(pictures):
    model, images = seeded(), pictures.clone()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    model.whiten(images)
    changed = {name for name, tensor in model.state_dict().items() if not torch.equal(tensor, before[name])}
    assert changed == {"features.0.weight", "features.0.bias"}
    assert torch.equal(images, pictures)
