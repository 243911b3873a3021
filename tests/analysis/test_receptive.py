"""Two ways to one number: arithmetic on windows and strides, and the gradient of one unit."""

import random

import pytest
import torch
from torch import nn

from course_lib import models
from course_lib.analysis import receptive_field, receptive_field_by_gradient, trace

CHAINS = {
    "one convolution": nn.Sequential(nn.Conv2d(2, 3, 5)),
    "two small": nn.Sequential(nn.Conv2d(2, 3, 3), nn.ReLU(), nn.Conv2d(3, 3, 3)),
    "padding": nn.Sequential(nn.Conv2d(2, 3, 3, padding=1), nn.Conv2d(3, 3, 3, padding=1)),
    "stride": nn.Sequential(nn.Conv2d(2, 3, 7, stride=2, padding=3), nn.MaxPool2d(3, 2, 1), nn.Conv2d(3, 3, 3)),
    "dilation": nn.Sequential(nn.Conv2d(2, 3, 3, dilation=2), nn.Conv2d(3, 3, 3, dilation=3)),
    "overlapping pools": nn.Sequential(nn.Conv2d(2, 3, 5), nn.MaxPool2d(3, 2), nn.AvgPool2d(3, 2), nn.Conv2d(3, 4, 3)),
    "dropout and norm": nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.Dropout(), nn.Conv2d(3, 3, 3)),
    "channel by channel": nn.Sequential(nn.Conv2d(2, 3, 3), nn.LocalResponseNorm(3), nn.Tanh(), nn.Conv2d(3, 3, 3)),
    "a threshold that nothing passes": nn.Sequential(nn.Conv2d(2, 3, 3), nn.Threshold(20, 0), nn.Conv2d(3, 3, 3)),
    "a dilated pool": nn.Sequential(nn.Conv2d(2, 3, 3), nn.MaxPool2d(3, 2, dilation=2), nn.Conv2d(3, 3, 3)),
    "incomplete windows": nn.Sequential(nn.Conv2d(2, 3, 3), nn.MaxPool2d(2, 3, ceil_mode=True), nn.Conv2d(3, 3, 3)),
    "groups": nn.Sequential(nn.Conv2d(2, 4, 3, groups=2), nn.Conv2d(4, 4, 3, groups=4)),
    "a thick rim": nn.Sequential(nn.ZeroPad2d((40, 0, 0, 40)), nn.Conv2d(2, 3, 3)),
}


def by_arithmetic(layers, **options):
    return receptive_field(layers, **options)["receptive field"].iloc[-1]


@pytest.mark.parametrize("layers", CHAINS.values(), ids=CHAINS)
def test_arithmetic_and_gradient_agree(layers):
    assert receptive_field_by_gradient(layers) == by_arithmetic(layers)


def test_lenets_fields_are_5_6_14_and_16():
    fields = receptive_field(models.lenet5().features)
    assert fields["receptive field"].tolist() == [5, 6, 14, 16]
    assert fields["jump"].tolist() == [1, 2, 2, 4]
    assert fields["window"].tolist() == [5, 2, 5, 2]
    assert fields["stride"].tolist() == [1, 2, 1, 2]


def convolutional_part(model):
    if hasattr(model, "features"):
        return model.features
    return nn.Sequential(*[layer for name, layer in model.named_children() if name not in ("avgpool", "fc")])


@pytest.mark.parametrize(
    ("name", "options", "side"),
    [
        ("lenet5", {}, 16),
        ("minivgg", {}, 20),
        ("vgg_small", {}, 36),
        ("vgg8", {}, 94),
        ("vgg8_bn", {}, 94),
        ("alexnet", {}, 195),
        ("alexnet", {"form": "2012", "groups": 2, "width": 1 / 16}, 195),
        ("vgg11", {}, 150),
        ("vgg16", {}, 212),
        ("vgg19", {}, 268),
        ("resnet_small", {}, 49),
        ("resnet18", {}, 435),
        ("resnet18", {"stem": "cifar"}, 109),
        ("resnet34", {}, 899),
        ("plain34", {}, 899),
        ("resnet50", {}, 427),
    ],
)
def test_every_network_both_ways(name, options, side):
    if name != "lenet5":
        options = {"width": 1 / 32, "in_channels": 1} | options
    layers = convolutional_part(getattr(models, name)(**options))
    assert trace(layers, (1, 64, 64)).steps[-1].field == side
    assert receptive_field_by_gradient(layers) == side


class Skip(nn.Module):
    """Adds two branches; what one of them loses at the border, the other one cuts off."""

    def __init__(self, *branches, last="add"):
        super().__init__()
        self.branches, self.last = nn.ModuleList(branches), last

    def forward(self, maps):
        made = [branch(maps) for branch in self.branches]
        sides = [min(one.shape[axis] for one in made) for axis in (2, 3)]
        made = [one[:, :, : sides[0], : sides[1]] for one in made]
        return torch.cat(made, 1) if self.last == "cat" else made[0] + made[1]


def window(chance, kind):
    size = chance.choice([1, 2, 3, 4, 5])
    stride, dilation = chance.choice([1, 1, 2, 3]), chance.choice([1, 1, 2])
    padding = chance.randint(0, size // 2)
    if kind is nn.Conv2d:
        return nn.Conv2d(2, 2, size, stride, padding, dilation, groups=chance.choice([1, 2]))
    if kind is nn.MaxPool2d:
        return nn.MaxPool2d(size, stride, padding, dilation, ceil_mode=chance.random() < 0.5)
    return nn.AvgPool2d(size, stride, padding, ceil_mode=chance.random() < 0.5)


def same_size(chance):
    size, dilation = chance.choice([1, 3, 5]), chance.choice([1, 2])
    return nn.Conv2d(2, 2, size, padding=dilation * (size // 2), dilation=dilation)


def random_chain(seed):
    """Up to five layers of any kind, each followed by some that act on each unit alone."""
    chance = random.Random(seed)
    layers = [nn.Conv2d(2, 2, chance.choice([1, 3, 5]), padding=1)]
    for _ in range(chance.randint(2, 4)):
        kind = chance.choice([nn.Conv2d, nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d, Skip, "slice"])
        if kind is Skip:
            layers.append(Skip(nn.Sequential(same_size(chance), nn.ReLU(), same_size(chance)), same_size(chance)))
        elif kind == "slice":
            layers.append(EveryOther())
        else:
            layers.append(window(chance, kind))
        layers.append(chance.choice([nn.ReLU, nn.Identity, nn.Tanh, nn.Dropout])())
    return nn.Sequential(*layers)


class EveryOther(nn.Module):
    def forward(self, maps):
        return maps[:, :, ::2, ::2]


@pytest.mark.parametrize("seed", range(24))
def test_random_chains_with_skips_both_ways(seed):
    layers = random_chain(seed)
    assert receptive_field_by_gradient(layers) == trace(layers, (2, 256, 256)).steps[-1].field


def test_the_larger_of_two_branches_holds_whichever_runs_last():
    small, large = nn.Conv2d(1, 1, 1), nn.Conv2d(1, 1, 7, padding=3)
    for branches in ((small, large), (large, small)):
        for last in ("add", "cat"):
            layers = nn.Sequential(Skip(*branches, last=last), nn.Identity())
            assert trace(layers, (1, 32, 32)).steps[-1].field == 7
            assert receptive_field_by_gradient(layers) == 7
            assert receptive_field_by_gradient(layers[0]) == 7, "also where the addition is the last thing"


def test_a_last_window_that_would_begin_outside_is_none():
    """A pool that takes incomplete windows still leaves out the one that holds nothing but padding."""

    class Both(nn.Module):
        def __init__(self):
            super().__init__()
            self.pool, self.conv = nn.MaxPool2d(1, 3, ceil_mode=True), nn.Conv2d(1, 1, 1, stride=3)

        def forward(self, maps):
            return self.pool(maps) + self.conv(maps)

    assert receptive_field_by_gradient(nn.Sequential(nn.Conv2d(1, 1, 3, padding=1), Both())) == 3


def test_branches_that_look_aside_add_up():
    """One branch is cut on the left, so its units stand two pixels to the right."""
    shifted = nn.Sequential(nn.ZeroPad2d((-2, 0, 0, 0)), nn.Conv2d(1, 1, 3))
    assert trace(nn.Sequential(Skip(nn.Conv2d(1, 1, 3), shifted), nn.Identity()), (1, 9, 9)).steps[-1].field == "3×5"


def test_windows_that_are_no_squares():
    layers = nn.Sequential(nn.Conv2d(1, 1, (3, 5)), nn.MaxPool2d((2, 1)), nn.Conv2d(1, 1, (3, 3)))
    table = receptive_field(layers)
    assert table["window"].tolist() == ["3×5", "2×1", 3]
    assert table["stride"].tolist() == [1, "2×1", 1]
    assert table["receptive field"].tolist() == ["3×5", "4×5", "8×7"]
    assert table["jump"].tolist() == [1, "2×1", "2×1"]
    assert receptive_field_by_gradient(layers) == "8×7"


def test_what_sees_everything_or_nobody_knows_is_none():
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ConvTranspose2d(2, 2, 2), nn.Conv2d(2, 2, 3), nn.MaxPool2d(2))
    assert receptive_field(network)["receptive field"].tolist() == [3, None, None]
    with pytest.raises(ValueError, match=r"3 \(MaxPool2d\) gives 2×14×14, and its units see the whole image"):
        receptive_field_by_gradient(network)
    lenet = models.lenet5()
    assert all(step.field is None for step in trace(lenet, (1, 28, 28)).steps if step.type == "Linear")


def test_a_network_for_one_size_of_image_is_told_which():
    fields = receptive_field(models.lenet5(), (1, 28, 28))
    assert fields["receptive field"].tolist() == [5, 6, 14, 16]
    with pytest.raises(ValueError, match=r"say which image it was built for with input_shape=\(C, H, W\)"):
        receptive_field(models.lenet5())


@pytest.mark.parametrize("scale", [torch.ones(()), torch.ones(2, 1, 1)])
def test_weights_of_its_own_do_not_disturb(scale):
    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.scale = nn.Conv2d(2, 2, 5), nn.Parameter(-scale)

        def forward(self, images):
            return self.conv(images) * self.scale

    assert receptive_field_by_gradient(Scaled()) == 5


def test_dependences_that_cancel_are_seen_all_the_same():
    layers = nn.Sequential(nn.Conv2d(1, 1, 3), nn.ReLU())
    with torch.no_grad():
        layers[0].weight.zero_()
        layers[0].bias.fill_(-1)
    assert receptive_field_by_gradient(layers) == 3


def test_the_network_is_left_as_it_was():
    layers = CHAINS["dropout and norm"].train()
    before = {key: one.clone() for key, one in layers.state_dict().items()}
    receptive_field(layers)
    receptive_field_by_gradient(layers)
    assert all(layer.training for layer in layers) and isinstance(layers[2], nn.Dropout)
    assert all(torch.equal(one, before[key]) for key, one in layers.state_dict().items())
    assert all(one.requires_grad and one.grad is None and one.dtype is torch.float32 for one in layers.parameters())


def test_inside_inference_mode():
    layers = nn.Sequential(nn.Conv2d(1, 1, 3))
    with torch.inference_mode():
        assert receptive_field_by_gradient(layers) == 3


def test_what_has_no_receptive_field_says_so():
    for measure in (receptive_field, receptive_field_by_gradient):
        with pytest.raises(ValueError, match="MLP has no convolution, so its units have no receptive field"):
            measure(models.mlp())
    with pytest.raises(ValueError, match=r"classifier\.6 \(Linear\) gives 10, and its units see the whole image"):
        receptive_field_by_gradient(models.minivgg(width=1 / 32))
