"""Traces, against sums by hand and against torch's own counter."""

from contextlib import nullcontext

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from course_lib import models
from course_lib.analysis import trace


def on_meta(name, **options):
    with torch.device("meta"):
        return getattr(models, name)(**options)


@pytest.mark.parametrize(
    ("layer", "shape", "by_hand"),
    [
        (nn.Conv2d(3, 8, 5), (3, 12, 12), 8 * 8 * 8 * 3 * 25),
        (nn.Conv2d(3, 8, 3, stride=2, padding=1), (3, 12, 12), 8 * 6 * 6 * 3 * 9),
        (nn.Conv2d(4, 8, 3, groups=2), (4, 12, 12), 8 * 10 * 10 * 2 * 9),
        (nn.Conv2d(3, 8, 3, dilation=2), (3, 12, 12), 8 * 8 * 8 * 3 * 9),
        (nn.Conv2d(2, 3, (3, 5), stride=(1, 2)), (2, 12, 13), 3 * 10 * 5 * 2 * 15),
        (nn.ConvTranspose2d(2, 3, 2, stride=2), (2, 5, 5), 2 * 5 * 5 * 3 * 4),
        (nn.Linear(20, 7), (20,), 140),
        (nn.Linear(20, 7), (6, 20), 6 * 140),
        (nn.MaxPool2d(2), (3, 8, 8), 0),
    ],
    ids=lambda value: "" if isinstance(value, tuple | int) else repr(value).replace(" ", ""),
)
def test_multiply_adds_by_hand(layer, shape, by_hand):
    assert trace(layer, shape).multiply_adds == by_hand
    assert [step.multiply_adds for step in trace(nn.Sequential(layer), shape).steps] == [by_hand]


class Attending(nn.Module):
    """A network whose attention has weights of its own, outside of any innermost layer."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.TransformerEncoderLayer(16, nhead=4, dim_feedforward=32, batch_first=True)
        self.head = nn.Linear(16, 3)

    def forward(self, tokens):
        return self.head(self.encoder(tokens).mean(dim=1))


@pytest.mark.parametrize(
    ("model", "shape"),
    [
        (models.lenet5(), (1, 28, 28)),
        (models.mlp(hidden=(20,)), (1, 28, 28)),
        (models.vgg16_bn(10, width=1 / 16), (3, 64, 64)),
        (models.alexnet(10, width=1 / 8, form="2012", groups=2), (3, 96, 96)),
        (models.resnet50(10, width=1 / 8), (3, 64, 64)),
        (models.resnet34(10, width=1 / 8, stem="cifar"), (3, 32, 32)),
        (Attending(), (10, 16)),
    ],
    ids=lambda value: "" if isinstance(value, tuple) else type(value).__name__,
)
def test_multiply_adds_are_those_of_torchs_counter(model, shape, monkeypatch):
    # attention in one piece would hide its work from the counter
    monkeypatch.setattr(torch.backends.mha, "get_fastpath_enabled", lambda: False)
    model.eval()
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        model(torch.zeros(1, *shape))
    traced = trace(model, shape)
    assert traced.multiply_adds == counter.get_total_flops() // 2 > 0
    assert traced.parameters == sum(parameter.numel() for parameter in model.parameters())


def test_steps_of_alexnet():
    steps = {step.name: step for step in trace(models.alexnet(10, in_channels=1, width=1 / 8), (1, 224, 224)).steps}
    first, relu, pool, last = (steps[name] for name in ("features.0", "features.1", "features.2", "classifier.6"))
    assert (first.type, first.shape, first.window, first.stride) == ("Conv2d", (8, 55, 55), 11, 4)
    assert (first.field, first.jump) == (11, 4)
    assert first.parameters == 8 * 11 * 11 + 8
    assert first.activation_bytes == 8 * 55 * 55 * 4
    assert relu.activation_bytes == 0, "it works in place"
    assert (relu.window, relu.stride, relu.field) == (None, None, 11)
    assert (pool.window, pool.stride, pool.field, pool.jump) == (3, 2, 19, 8)
    assert last.shape == (10,) and last.field is None and last.jump is None


@pytest.mark.parametrize("shape", [(1, 8, 8), (1, 9, 9)])
def test_network_and_generator_are_unchanged_also_after_an_error(shape, unchanged):
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Dropout(), nn.Flatten(), nn.Linear(4 * 36, 2))
    model.train()[1].eval()
    model[4].weight.grad = torch.ones(2, 144)
    fits = nullcontext() if shape == (1, 8, 8) else pytest.raises(ValueError, match=r"4 \(Linear\) takes 144 numbers")
    with unchanged(model), fits:
        trace(model, shape)
    assert torch.equal(model[4].weight.grad, torch.ones(2, 144))


class Skip(nn.Module):
    """Two layers, and an operation on their output and their input."""

    def __init__(self, operation):
        super().__init__()
        self.operation = operation
        self.stem, self.one, self.two = (nn.Conv2d(1, 1, 3, padding=1) for _ in range(3))

    def forward(self, images):
        maps = self.stem(images)
        return self.operation(maps, self.two(self.one(maps)))


@pytest.mark.parametrize(
    ("operation", "skips"),
    [
        (lambda x, y: x + y, [("stem", "two")]),
        (lambda x, y: y.add_(x), [("stem", "two")]),
        (lambda x, y: torch.add(y, x), [("stem", "two")]),
        (lambda x, y: y + y, []),
        (lambda x, y: y + 1, []),
        (lambda x, y: y * x, []),
    ],
)
def test_a_skip_goes_from_the_fork_to_the_addition(operation, skips):
    assert trace(Skip(operation), (1, 8, 8)).skips == skips


def test_resnets_skips_end_at_each_blocks_last_norm():
    skips = trace(on_meta("resnet18"), (3, 224, 224)).skips
    assert [end for _, end in skips] == [f"layer{stage}.{block}.bn2" for stage in (1, 2, 3, 4) for block in (0, 1)]
    assert skips[0][0] == "maxpool" and skips[2][0] == "layer1.1.relu"


def test_nothing_is_computed():
    """The image would take 4 PB, each map of the network more."""
    traced = trace(on_meta("vgg16", width=1 / 16).features, (3, 2**24, 2**24))
    assert traced.steps[-1].shape == (32, 2**19, 2**19)


class Shared(nn.Module):
    """One convolution used twice, two linear layers with one weight, and a product outside of any layer."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 1, 3)
        self.one, self.other = nn.Linear(4, 4, bias=False), nn.Linear(4, 4, bias=False)
        self.other.weight = self.one.weight
        self.scale = nn.Parameter(torch.ones(4, 3))

    def forward(self, images):
        return self.other(self.one(self.conv(self.conv(images)))) @ self.scale


def test_shared_weights_count_once_and_work_outside_of_layers_in_the_sums_only():
    traced = trace(Shared(), (1, 8, 8))
    assert [step.name for step in traced.steps] == ["conv", "conv", "one", "other"]
    assert [step.parameters for step in traced.steps] == [10, 0, 16, 0]
    assert (traced.parameters, traced.multiply_adds) == (26 + 12, 36 * 9 + 16 * 9 + 64 + 64 + 48)
    assert [step.multiply_adds for step in traced.steps] == [36 * 9, 16 * 9, 64, 64]


class Counting(nn.Module):
    """Decides by its numbers, which a trace does not have."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 4)

    def forward(self, numbers):
        made = self.layer(numbers)
        return made if made.sum().item() > 0 else -made


def test_refuses_networks_that_depend_on_values_or_return_no_tensor():
    with pytest.raises(ValueError, match="meta") as caught:
        trace(Counting(), (4,))
    assert "does not fit" not in str(caught.value)
    silent = nn.Sequential(nn.Linear(2, 2), nn.Identity())
    silent[1].forward = lambda numbers: None
    with pytest.raises(ValueError, match="returned no tensor"):
        trace(silent, (2,))


def field_of(forward, shape=(2, 24, 24)):
    """Receptive field and jump of a 1 × 1 convolution behind what ``forward`` does."""

    class Around(nn.Module):
        def __init__(self):
            super().__init__()
            self.three, self.seven = nn.Conv2d(2, 2, 3, padding=1), nn.Conv2d(2, 2, 7, padding=3)
            self.norm, self.last = nn.BatchNorm2d(2), nn.LazyConv2d(1, 1)

        def forward(self, images):
            return self.last(forward(self, images))

    model = Around()
    model(torch.zeros(1, *shape))  # the lazy convolution finds its channels
    step = trace(model, shape).steps[-1]
    return step.field, step.jump


UNKNOWN = ("unknown", "unknown")


def _shifted(maps):
    """Another operation for each part of the map."""
    moved = torch.zeros_like(maps)
    moved[:, :, 1:] = maps[:, :, :-1]
    return moved


def _overwritten(maps, others):
    maps[:, :1] = others[:, :1]
    return maps


@pytest.mark.parametrize(
    ("forward", "expected"),
    [
        (lambda net, x: _overwritten(net.three(x), net.seven(x)), UNKNOWN),
        (lambda net, x: net.three(x).view(len(x), 2, 12, 2, 24).mean((2, 3))[:, :, None], UNKNOWN),
        (lambda net, x: net.three(x).view(len(x), 2, 12, 2, 24).mean(3), UNKNOWN),
        (lambda net, x: net.three(x)[:, :, ::2, ::2], (3, 2)),
        (lambda net, x: net.three(net.three(x)[:, :, 1::2, 1::2]), (7, 2)),
        (lambda net, x: net.three(x)[..., -12:] + net.three(x)[..., 12:], (3, 1)),
        (lambda net, x: net.three(x)[..., :-2, :-2] + F.conv2d(x, net.three.weight), (4, 1)),
        (lambda net, x: net.three(x)[:, :1], (3, 1)),
        (lambda net, x: torch.cat([net.three(x), net.seven(x)], 1), (7, 1)),
        (lambda net, x: net.three(x)[..., :-2] + net.three(x)[..., 2:], ("3×5", 1)),
        (lambda net, x: torch.cat([x, net.three(x)], 2), UNKNOWN),
        (lambda net, x: net.three(x)[..., ::2] + x[..., :12], UNKNOWN),
        (lambda net, x: net.three(x) * net.three(x).mean((2, 3), keepdim=True), (None, None)),
        (lambda net, x: net.three(x).flip(3), UNKNOWN),
        (lambda net, x: F.interpolate(net.three(x), scale_factor=2), UNKNOWN),
        (lambda net, x: F.adaptive_avg_pool2d(net.three(x), 8), (5, 3)),
        (lambda net, x: F.adaptive_avg_pool2d(net.three(x), 7), UNKNOWN),
        (lambda net, x: F.avg_pool2d(F.max_pool2d(x, 3, 2, padding=1), 2), (5, 4)),
        (lambda net, x: F.pad(net.three(x), (2, 0, 2, 0)), (3, 1)),
        (lambda net, x: net.norm(net.three(x)).relu().sigmoid() * 2, (3, 1)),
        (lambda net, x: F.local_response_norm(net.three(x), 3), (3, 1)),
        (lambda net, x: F.group_norm(net.three(x), 1), (None, None)),
        (lambda net, x: net.three(x).reshape(len(x), 1, 2, 24, 24).squeeze(1), (3, 1)),
        (lambda net, x: net.three(x).reshape(len(x), 2, 12, 48), UNKNOWN),
        (lambda net, x: torch.stack(net.three(x).chunk(2, 1), 2).flatten(1, 2), UNKNOWN),
        (lambda net, x: _shifted(net.three(x)), UNKNOWN),
        (lambda net, x: net.three(x)[..., :12].mean((2, 3), keepdim=True), UNKNOWN),
        (lambda net, x: net.three(x).softmax(3), UNKNOWN),
        (lambda net, x: net.three(x).transpose(2, 3), UNKNOWN),
        (lambda net, x: net.three(x).unflatten(1, (1, 2)).transpose(1, 2).flatten(1, 2), (3, 1)),
        (lambda net, x: net.three(x).permute(0, 2, 3, 1).matmul(torch.ones(2, 2)).permute(0, 3, 1, 2), (3, 1)),
        (lambda net, x: net.three(x).flatten(2).transpose(1, 2).softmax(2).mT.unflatten(2, (24, 24)), (3, 1)),
        (lambda net, x: net.three(x).flatten(1).relu().view(len(x), 2, 24, 24), (3, 1)),
        (lambda net, x: net.three(x).flatten(1).matmul(torch.ones(1152, 4)).view(len(x), 1, 2, 2), (None, None)),
        (lambda net, x: F.pixel_unshuffle(net.three(x), 2), (4, 2)),
        (lambda net, x: F.pad(net.three(x), (1, 1, 1, 1), mode="circular"), (3, 1)),
        (lambda net, x: net.three(x) + torch.zeros_like(net.three(x)), (3, 1)),
    ],
)
def test_what_a_unit_sees_behind(forward, expected):
    assert field_of(forward) == expected


@pytest.mark.parametrize("forward", [lambda maps: maps.flatten(2).mT @ maps.flatten(2), lambda maps: maps + maps.mT])
def test_what_joins_two_places_has_no_field(forward):
    layers = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Identity())
    layers[1].forward = forward
    assert trace(layers, (1, 8, 8)).steps[-1].field == "unknown"
