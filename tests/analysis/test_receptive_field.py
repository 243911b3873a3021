"""Receptive fields by arithmetic on windows and strides, against the gradient of one unit."""

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

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
        if self.last != "exact":
            outputs = [output[:, :, :height, :width] for output in outputs]
        return torch.cat(outputs, 1) if self.last == "cat" else sum(outputs[1:], outputs[0])


class Call(nn.Module):
    """A function as a layer."""

    def __init__(self, function):
        super().__init__()
        self.forward = function


def normed_by_place(maps):
    return F.layer_norm(maps.permute(0, 2, 3, 1), (2,)).permute(0, 3, 1, 2)


LOCAL = {  # what changes no receptive field
    **{kind.__name__: kind for kind in (nn.ReLU, nn.PReLU, nn.GELU, nn.Hardswish, nn.LogSigmoid, nn.RReLU, nn.Dropout)},
    "batch norm": lambda: nn.BatchNorm2d(2),
    "glu": lambda: nn.Sequential(nn.Conv2d(2, 4, 1), nn.GLU(1)),
    "shuffle": lambda: nn.ChannelShuffle(2),
    "softmax": lambda: nn.Softmax(1),
    "layer norm": lambda: Call(normed_by_place),
    "unit length": lambda: Call(lambda maps: F.normalize(maps, dim=1)),
    "negative relu": lambda: Call(lambda maps: F.relu(-maps)),
    "clamp": lambda: Call(lambda maps: maps.clamp(0, 1)),
    "threshold": lambda: Call(lambda maps: F.threshold(maps, 20, 0)),
    "there and back": lambda: Call(lambda maps: maps.flatten(1).unflatten(1, maps.shape[1:])),
    "linear": lambda: Call(lambda maps: (maps.movedim(1, 3) @ torch.ones(2, 2).to(maps)).movedim(3, 1)),
    "einsum": lambda: Call(lambda maps: torch.einsum("nchw,dc->ndhw", maps, torch.ones(2, 2).to(maps))),
}


@pytest.mark.parametrize("kind", LOCAL)
def test_what_works_on_each_place_alone_leaves_the_field(kind):
    layers = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), LOCAL[kind](), nn.Conv2d(2, 2, 3), nn.Identity())
    assert trace(layers, (1, 32, 32)).steps[-1].field == receptive_field_by_gradient(layers) == 5


@st.composite
def windows(draw):
    size = draw(st.integers(1, 5))
    stride, dilation = draw(st.sampled_from([1, 1, 2, 3])), draw(st.sampled_from([1, 1, 2]))
    padding, round_up = draw(st.integers(0, size // 2)), draw(st.booleans())
    mode = draw(st.sampled_from(["zeros", "reflect", "replicate", "circular"]))
    return draw(
        st.sampled_from(
            [
                nn.Conv2d(2, 2, size, stride, padding, dilation, padding_mode=mode),
                nn.Conv2d(2, 2, size, stride, padding, dilation, groups=2),
                nn.MaxPool2d(size, stride, padding, dilation, ceil_mode=round_up),
                Call(lambda maps: F.max_pool2d(maps, size, stride, padding, ceil_mode=round_up)),
                nn.AvgPool2d(size, stride, padding, ceil_mode=round_up),
                Call(lambda maps: maps[:, :, ::stride, ::stride]),
            ]
        )
    )


@st.composite
def branches(draw):
    """Paths of one stride and several windows; their grids are cut to the smaller one, or are of one size."""
    stride = draw(st.sampled_from([1, 2]))
    paths = [nn.Conv2d(2, 2, 2 * half + 1, stride, half) for half in draw(st.lists(st.integers(0, 3), min_size=1))[:2]]
    pools = [nn.MaxPool2d(3, stride, 1), nn.AvgPool2d(stride, stride), nn.Sequential(nn.ReLU(), nn.MaxPool2d(stride))]
    paths.append(draw(st.sampled_from(pools)))
    last = draw(st.sampled_from(["add", "cat", "exact"]))
    joined = Skip(*paths, last=last)
    return nn.Sequential(joined, nn.Conv2d(2 * len(paths), 2, 1)) if last == "cat" else joined


@given(st.lists(st.one_of(windows(), branches(), st.sampled_from(list(LOCAL))), min_size=1, max_size=4))
def test_random_chains_and_branches_both_ways(parts):
    parts = [LOCAL[part]() if isinstance(part, str) else part for part in parts]
    layers = nn.Sequential(nn.Conv2d(2, 2, 3, padding=1), *parts, nn.Identity())
    try:
        field = trace(layers, (2, 64, 64)).steps[-1].field
    except ValueError:  # paths that meet for images of other sides only
        assume(False)
    assert isinstance(field, int)
    assume(field < 100)  # larger ones take long to measure
    assert receptive_field_by_gradient(layers, (2, 64, 64)) == field


def bad_norm():
    """A norm that lets nothing pass the next ReLU."""
    norm = nn.BatchNorm2d(1)
    norm.running_mean.fill_(1e9)
    return norm


class Residual(nn.Conv2d):
    def forward(self, maps):
        return maps + F.relu6(super().forward(maps))


MEASURED = {
    "sums that saturate": (nn.Sequential(nn.Conv2d(1, 1, 1), *(Residual(1, 1, 3, padding=1) for _ in range(12))), 25),
    "a large pool": (nn.Sequential(nn.Conv2d(1, 1, 1), nn.MaxPool2d(9)), 9),
    "a large functional pool": (nn.Sequential(nn.Conv2d(1, 1, 1), Call(lambda maps: F.max_pool2d(maps, 9))), 9),
    "norms before flat activations": (
        nn.Sequential(*(part() for _ in range(4) for part in (lambda: nn.Conv2d(1, 1, 3), bad_norm, nn.ReLU6))),
        9,
    ),
    "branches that meet at even sides only": (
        nn.Sequential(
            nn.Conv2d(2, 2, 21), Skip(nn.Conv2d(2, 2, 3, 2, 1), nn.MaxPool2d(2), last="exact"), nn.Conv2d(2, 2, 3)
        ),
        27,
    ),
}


@pytest.mark.parametrize("kind", MEASURED)
def test_the_gradient_finds_all_pixels(kind):
    layers, expected = MEASURED[kind]
    assert receptive_field_by_gradient(layers) == expected


WHOLE = {
    "group norm": nn.GroupNorm(1, 2),
    "instance norm": nn.InstanceNorm2d(2),
    "layer norm": nn.LayerNorm([2, 32, 32]),
    "softmax": Call(lambda maps: maps.flatten(2).softmax(2).view_as(maps)),
    "gate": Call(lambda maps: maps * maps.mean((2, 3), keepdim=True).sigmoid()),
    "attention": Call(lambda maps: F.scaled_dot_product_attention(*[maps.flatten(2).mT] * 3).mT.view_as(maps)),
    "linear": nn.Sequential(nn.Flatten(), nn.Linear(2 * 32 * 32, 2), nn.Unflatten(1, (2, 1, 1))),
    "adaptive pool": nn.AdaptiveMaxPool2d(1),
}


@pytest.mark.parametrize("kind", WHOLE)
def test_what_mixes_all_places_sees_the_whole_image(kind):
    layers = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), WHOLE[kind], nn.Conv2d(2, 2, 1))
    table = receptive_field(layers, (1, 32, 32))
    assert table["receptive field"].iloc[-1] is None and table["jump"].iloc[-1] is None
    with pytest.raises(ValueError, match="see the whole image"):
        receptive_field_by_gradient(layers, (1, 32, 32))


UNKNOWN = {  # and what the gradient finds
    "transposed convolution": (nn.ConvTranspose2d(2, 2, 2, 2), 4),
    "flip": (Call(lambda maps: maps.flip(3)), 5),
    "interpolation": (nn.Upsample(scale_factor=2), 4),
    "unfold": (Call(lambda maps: F.unfold(maps, 3, padding=1).view(1, 2, 9, *maps.shape[2:]).sum(2)), 7),
    "softmax of rows": (nn.Softmax(3), None),
}


@pytest.mark.parametrize("kind", UNKNOWN)
def test_an_unknown_field_is_measured(kind):
    layer, expected = UNKNOWN[kind]
    layers = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), layer, nn.Conv2d(2, 2, 3, padding=1))
    assert receptive_field(layers)["receptive field"].iloc[-1] == "unknown"
    if expected is not None:
        assert receptive_field_by_gradient(layers) == expected
        return
    with pytest.raises(ValueError, match="more than 512 pixels, or the whole image"):
        receptive_field_by_gradient(layers)


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
