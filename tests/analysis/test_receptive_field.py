"""Receptive fields by arithmetic on windows and strides, against the gradient of one unit."""

import random

import pytest
import torch
from torch import nn

from course_lib import models
from course_lib.analysis import receptive_field, receptive_field_by_gradient, trace

CHAINS = {
    "stride": nn.Sequential(nn.Conv2d(2, 3, 7, stride=2, padding=3), nn.MaxPool2d(3, 2, 1), nn.Conv2d(3, 3, 3)),
    "overlapping pools": nn.Sequential(nn.Conv2d(2, 3, 5), nn.MaxPool2d(3, 2), nn.AvgPool2d(3, 2), nn.Conv2d(3, 4, 3)),
    "dropout and norm": nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.Dropout(), nn.Conv2d(3, 3, 3)),
    "channel by channel": nn.Sequential(nn.Conv2d(2, 3, 3), nn.LocalResponseNorm(3), nn.Tanh(), nn.Conv2d(3, 3, 3)),
    "a threshold that nothing passes": nn.Sequential(nn.Conv2d(2, 3, 3), nn.Threshold(20, 0), nn.Conv2d(3, 3, 3)),
    "a thick rim": nn.Sequential(nn.ZeroPad2d((40, 0, 0, 40)), nn.Conv2d(2, 3, 3)),
}


@pytest.mark.parametrize("layers", CHAINS.values(), ids=CHAINS)
def test_arithmetic_and_gradient_agree(layers):
    assert receptive_field_by_gradient(layers) == receptive_field(layers)["receptive field"].iloc[-1]


class Skip(nn.Module):
    """Adds or concatenates branches, cut to the smallest size."""

    def __init__(self, *branches, last="add"):
        super().__init__()
        self.branches, self.last = nn.ModuleList(branches), last

    def forward(self, maps):
        outputs = [branch(maps) for branch in self.branches]
        height, width = (min(output.shape[axis] for output in outputs) for axis in (2, 3))
        outputs = [output[:, :, :height, :width] for output in outputs]
        return torch.cat(outputs, 1) if self.last == "cat" else outputs[0] + outputs[1]


def window(generator, kind):
    size = generator.choice([1, 2, 3, 4, 5])
    stride, dilation = generator.choice([1, 1, 2, 3]), generator.choice([1, 1, 2])
    padding = generator.randint(0, size // 2)
    if kind is nn.Conv2d:
        return nn.Conv2d(2, 2, size, stride, padding, dilation, groups=generator.choice([1, 2]))
    if kind is nn.MaxPool2d:
        return nn.MaxPool2d(size, stride, padding, dilation, ceil_mode=generator.random() < 0.5)
    return nn.AvgPool2d(size, stride, padding, ceil_mode=generator.random() < 0.5)


def same_size(generator):
    size, dilation = generator.choice([1, 3, 5]), generator.choice([1, 2])
    return nn.Conv2d(2, 2, size, padding=dilation * (size // 2), dilation=dilation)


def random_chain(seed):
    """Up to five layers of any kind, each followed by some that act on each unit alone."""
    generator = random.Random(seed)
    layers = [nn.Conv2d(2, 2, generator.choice([1, 3, 5]), padding=1)]
    for _ in range(generator.randint(2, 4)):
        kind = generator.choice([nn.Conv2d, nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d, Skip, "slice"])
        if kind is Skip:
            layers.append(
                Skip(nn.Sequential(same_size(generator), nn.ReLU(), same_size(generator)), same_size(generator))
            )
        elif kind == "slice":
            layers.append(EveryOther())
        else:
            layers.append(window(generator, kind))
        layers.append(generator.choice([nn.ReLU, nn.Identity, nn.Tanh, nn.Dropout])())
    return nn.Sequential(*layers)


class EveryOther(nn.Module):
    def forward(self, maps):
        return maps[:, :, ::2, ::2]


@pytest.mark.parametrize("seed", range(16))
def test_random_chains_with_skips_both_ways(seed):
    layers = random_chain(seed)
    assert receptive_field_by_gradient(layers) == trace(layers, (2, 256, 256)).steps[-1].field


def test_windows_that_are_not_square():
    layers = nn.Sequential(nn.Conv2d(1, 1, (3, 5)), nn.MaxPool2d((2, 1)), nn.Conv2d(1, 1, (3, 3)))
    table = receptive_field(layers)
    assert table["window"].tolist() == ["3×5", "2×1", 3]
    assert table["stride"].tolist() == [1, "2×1", 1]
    assert table["receptive field"].tolist() == ["3×5", "4×5", "8×7"]
    assert table["jump"].tolist() == [1, "2×1", "2×1"]
    assert receptive_field_by_gradient(layers) == "8×7"


@pytest.mark.parametrize(("network", "shape"), [(models.lenet5().features, None), (models.lenet5(), (1, 28, 28))])
def test_table_of_lenet(network, shape):
    table = receptive_field(network, shape)
    assert table["receptive field"].tolist() == [5, 6, 14, 16]
    assert table["jump"].tolist() == [1, 2, 2, 4]
    assert table["window"].tolist() == [5, 2, 5, 2] and table["stride"].tolist() == [1, 2, 1, 2]


@pytest.mark.parametrize("last", ["add", "cat"])
@pytest.mark.parametrize("sizes", [(1, 7), (7, 1)])
def test_the_larger_of_two_branches_counts(sizes, last):
    branches = [nn.Conv2d(1, 1, size, padding=size // 2) for size in sizes]
    layers = nn.Sequential(Skip(*branches, last=last), nn.Identity())
    assert trace(layers, (1, 32, 32)).steps[-1].field == 7
    assert receptive_field_by_gradient(layers) == receptive_field_by_gradient(layers[0]) == 7


@pytest.mark.parametrize("scale", [torch.ones(()), torch.ones(2, 1, 1)])
def test_negative_weights_outside_of_layers_do_not_matter(scale):
    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.scale = nn.Conv2d(2, 2, 5), nn.Parameter(-scale)

        def forward(self, images):
            return self.conv(images) * self.scale

    assert receptive_field_by_gradient(Scaled()) == 5


def test_network_is_unchanged_also_in_inference_mode(unchanged):
    layers = CHAINS["dropout and norm"].train()
    with unchanged(layers), torch.inference_mode():
        receptive_field(layers)
        receptive_field_by_gradient(layers)
    assert isinstance(layers[2], nn.Dropout)


def test_refuses_networks_without_a_finite_receptive_field():
    for measure in (receptive_field, receptive_field_by_gradient):
        with pytest.raises(ValueError, match="MLP has no convolution, so its units have no receptive field"):
            measure(models.mlp())
    with pytest.raises(ValueError, match=r"classifier\.6 \(Linear\) gives 10, and its units see the whole image"):
        receptive_field_by_gradient(models.minivgg(width=1 / 32))
    with pytest.raises(ValueError, match=r"say which image it was built for with input_shape=\(C, H, W\)"):
        receptive_field(models.lenet5())
    transposed = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ConvTranspose2d(2, 2, 2), nn.Conv2d(2, 2, 3), nn.MaxPool2d(2))
    assert receptive_field(transposed)["receptive field"].tolist() == [3, "unknown", "unknown"]
