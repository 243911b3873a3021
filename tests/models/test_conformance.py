"""Our networks against torchvision's, and against the numbers of the papers."""

import functools

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from course_lib import models
from course_lib.analysis import count_parameters, trace
from course_lib.torchvision_fix import import_torchvision

theirs = import_torchvision().models

VGGS = ("vgg11", "vgg11_bn", "vgg16", "vgg16_bn", "vgg19", "vgg19_bn")
RESNETS = ("resnet18", "resnet34", "resnet50")
SHARED = ("alexnet", *VGGS, *RESNETS)


@functools.cache
def on_meta(name, **options):
    """A network of full width on the meta device."""
    with torch.device("meta"):
        return getattr(models, name)(**options)


@functools.cache
def traced(name, shape=(3, 224, 224), **options):
    return trace(on_meta(name, **options), shape)


def narrow_head(network):
    """16 hidden units in place of 4,096, between the same ReLUs and dropouts: a hundredth of the weights."""
    made = None
    for place, layer in enumerate(network.classifier):
        if isinstance(layer, nn.Linear):
            units = 16 if layer.out_features == 4096 else layer.out_features
            network.classifier[place] = made = nn.Linear(made.out_features if made else layer.in_features, units)


def with_torchvisions_weights(name, whole):
    """Torchvision's network with seeded weights, and ours with the very same ones; both in training mode."""
    with torch.device("meta"):
        other, ours = getattr(theirs, name)(), getattr(models, name)()
        if not whole:
            narrow_head(other), narrow_head(ours)
    other.to_empty(device="cpu")
    generator = torch.Generator().manual_seed(len(name))
    with torch.no_grad():
        for key, tensor in other.state_dict().items():
            if "running" in key or "tracked" in key:
                tensor.fill_(1)
            elif tensor.dim() == 1:  # biases, and batch norm's two
                tensor.uniform_(0.1, 1, generator=generator)
            else:
                bound = (6 / tensor[0].numel()) ** 0.5
                tensor.uniform_(-bound, bound, generator=generator)
    shared = dict(other.named_parameters())  # 143 million weights need not lie in memory twice
    state = {key: one if key in shared else one.clone() for key, one in other.state_dict().items()}
    ours.load_state_dict(state, assign=True)
    return ours.train(), other.train()


@pytest.mark.parametrize("name", SHARED)
def test_weights_have_torchvisions_names_order_and_shapes(name):
    with torch.device("meta"):
        other = getattr(theirs, name)()
    ours = [(key, tuple(one.shape)) for key, one in on_meta(name).state_dict().items()]
    assert ours == [(key, tuple(one.shape)) for key, one in other.state_dict().items()]
    assert count_parameters(on_meta(name)) == count_parameters(other)


@pytest.mark.parametrize(
    ("name", "whole"),
    [
        *((name, False) for name in ("alexnet", *VGGS)),
        *((name, True) for name in RESNETS),
        *(pytest.param(name, True, marks=pytest.mark.nightly) for name in ("alexnet", *VGGS)),
    ],
)
def test_logits_and_gradients_are_torchvisions(name, whole):
    """In training mode, so with dropout and batch norm: the same seed drops the same units."""
    ours, other = with_torchvisions_weights(name, whole)
    side = 63 if name == "alexnet" else 64
    images = torch.rand(2, 3, side, side, generator=torch.Generator().manual_seed(1))
    logits = []
    for model in (ours, other):
        torch.manual_seed(5)
        logits.append(model(images))
        F.cross_entropy(logits[-1], torch.tensor([3, 700])).backward()
    assert logits[0].std() > 1e-3, "else any two networks would agree"
    torch.testing.assert_close(*logits, rtol=1e-5, atol=1e-6)
    for (key, mine), one in zip(ours.named_parameters(), other.parameters(), strict=True):
        scale = one.grad.abs().max()
        assert scale > 0, key
        assert (mine.grad - one.grad).abs().max() <= 1e-5 * scale, key
        mine.grad = one.grad = None
    for (key, mine), one in zip(ours.named_buffers(), other.buffers(), strict=True):
        torch.testing.assert_close(mine, one, rtol=1e-5, atol=1e-6, msg=key)


@pytest.mark.parametrize("name", ["alexnet", "vgg11_bn", *RESNETS])
def test_the_same_seed_gives_torchvisions_first_weights(name):
    """All VGGs are initialised by the same lines, so the smallest stands for them."""
    states = []
    for source in (models, theirs):
        torch.manual_seed(8)
        states.append(getattr(source, name)().state_dict())
    for key, one in states[1].items():
        assert torch.equal(states[0][key], one), key


@pytest.mark.parametrize("name", ["vgg8_bn", "vgg11_bn", "vgg16_bn", "vgg19_bn"])
def test_each_convolution_is_followed_by_batch_norm(name):
    types = [type(layer) for layer in on_meta(name).features]
    plain = [type(layer) for layer in on_meta(name.removesuffix("_bn")).features]
    expected = [both for kind in plain for both in ([kind, nn.BatchNorm2d] if kind is nn.Conv2d else [kind])]
    assert types == expected


def test_local_response_norm_is_the_papers_after_the_first_two_relus():
    types = [step.type for step in traced("alexnet", form="2012").steps]
    assert types[:8] == ["Conv2d", "ReLU", "LocalResponseNorm", "MaxPool2d"] * 2
    assert types.count("LocalResponseNorm") == 2
    norm = on_meta("alexnet", form="2012").features[2]
    maps = torch.rand(1, 9, 1, 1, dtype=torch.float64) * 30
    neighbours = maps[0, 2:7, 0, 0].square().sum()
    assert norm(maps)[0, 4, 0, 0].item() == pytest.approx((maps[0, 4, 0, 0] / (2 + 1e-4 * neighbours) ** 0.75).item())


def test_plain34_is_resnet34_without_its_skips():
    assert (len(traced("resnet34").skips), traced("plain34").skips) == (16, [])
    plain, residual = (set(on_meta(name).state_dict()) for name in ("plain34", "resnet34"))
    assert plain < residual and all(".downsample." in name for name in residual - plain)


def test_a_skip_adds_its_input_and_a_plain_block_does_not():
    images = torch.rand(1, 3, 32, 32)
    for name, same in (("resnet18", True), ("plain34", False)):
        model = getattr(models, name)(width=1 / 8).eval()
        block = model.layer1[0]
        with torch.no_grad():
            block.bn2.weight.zero_(), block.bn2.bias.zero_()
            into = model.maxpool(model.relu(model.bn1(model.conv1(images))))
            assert into.abs().max() > 0
            assert torch.equal(block(into), into if same else torch.zeros_like(into))


BUILDERS = ["alexnet", *VGGS, "vgg8", "vgg8_bn", "minivgg", "vgg_small", *RESNETS, "plain34", "resnet_small"]


@pytest.mark.parametrize("name", BUILDERS)
def test_classes_channels_and_width_are_chosen(name):
    side = 64 if name == "alexnet" else 32
    model = getattr(models, name)(num_classes=7, in_channels=2, width=1 / 16)
    assert model(torch.zeros(2, 2, side, side)).shape == (2, 7)
    pairs = list(zip(model.modules(), on_meta(name).modules(), strict=True))
    channels = [(ours.out_channels, full.out_channels) for ours, full in pairs if isinstance(ours, nn.Conv2d)]
    hidden = [(ours.out_features, full.out_features) for ours, full in pairs if isinstance(ours, nn.Linear)][:-1]
    assert all(ours == max(1, round(full / 16)) for ours, full in channels + hidden)


@pytest.mark.parametrize(
    ("name", "options", "problem"),
    [
        ("alexnet", {"form": "2013"}, "form must be '2012' or 'torchvision', not '2013'"),
        ("alexnet", {"stem": "tiny"}, "stem must be 'imagenet' or 'small', not 'tiny'"),
        ("alexnet", {"groups": 3}, "do not divide into 3 groups"),
        ("alexnet", {"groups": 0}, "groups must be at least 1, not 0"),
        ("resnet34", {"stem": "small"}, "stem must be 'imagenet' or 'cifar', not 'small'"),
        ("resnet18", {"width": 0}, "width must be above 0, not 0"),
        ("lenet5", {"form": "1989"}, "'1998' or 'modern', not '1989'"),
        ("lenet5", {"image_size": 8}, "at least 12×12 pixels, not 8×8"),
        ("whitened", {"depth": 4}, "^there are three groups of 2 or 3 convolutions, not 3 of 4$"),
        ("whitened", {"widths": (64, 256)}, "^there are three groups of 2 or 3 convolutions, not 2 of 2$"),
    ],
)
def test_refuses_invalid_options(name, options, problem):
    with pytest.raises(ValueError, match=problem):
        getattr(models, name)(**options)
