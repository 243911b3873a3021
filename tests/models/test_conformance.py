"""Our networks against torchvision's, and against the numbers of the papers."""

import functools
import itertools

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode

from course_lib import models
from course_lib.analysis import count_parameters, trace
from course_lib.torchvision_mend import import_torchvision

theirs = import_torchvision().models

VGGS = ("vgg11", "vgg11_bn", "vgg16", "vgg16_bn", "vgg19", "vgg19_bn")
RESNETS = ("resnet18", "resnet34", "resnet50")
SHARED = ("alexnet", *VGGS, *RESNETS)


@functools.cache
def unreal(name, **options):
    """A network of full width that has shapes and no numbers, so it is built at once."""
    with torch.device("meta"):
        return getattr(models, name)(**options)


@functools.cache
def traced(name, shape=(3, 224, 224), **options):
    return trace(unreal(name, **options), shape)


def sides(name, shape, **options):
    """The sides that the maps have on their way, each once."""
    seen = [step.shape[1] for step in traced(name, shape, **options).steps if len(step.shape) == 3]
    return list(dict.fromkeys(seen))


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
    chance = torch.Generator().manual_seed(len(name))
    with torch.no_grad():
        for key, tensor in other.state_dict().items():
            if "running" in key or "tracked" in key:
                tensor.fill_(1)
            elif tensor.dim() == 1:  # biases, and batch norm's two
                tensor.uniform_(0.1, 1, generator=chance)
            else:
                bound = (6 / tensor[0].numel()) ** 0.5
                tensor.uniform_(-bound, bound, generator=chance)
    shared = dict(other.named_parameters())  # 143 million weights need not lie in memory twice
    state = {key: one if key in shared else one.clone() for key, one in other.state_dict().items()}
    ours.load_state_dict(state, assign=True)
    return ours.train(), other.train()


@pytest.mark.parametrize("name", SHARED)
def test_every_weight_has_torchvisions_name_place_and_shape(name):
    with torch.device("meta"):
        other = getattr(theirs, name)()
    ours = [(key, tuple(one.shape)) for key, one in unreal(name).state_dict().items()]
    assert ours == [(key, tuple(one.shape)) for key, one in other.state_dict().items()]
    assert count_parameters(unreal(name)) == count_parameters(other)


@pytest.mark.parametrize(
    ("name", "whole"),
    [
        *((name, False) for name in ("alexnet", *VGGS)),
        *((name, True) for name in RESNETS),
        *(pytest.param(name, True, marks=pytest.mark.nightly) for name in ("alexnet", *VGGS)),
    ],
)
def test_with_its_weights_the_logits_and_all_gradients_are_torchvisions(name, whole):
    """In training mode, so that dropout and batch norm have their say, too: the same seed, so the same units drop."""
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


class Draws(TorchDispatchMode):
    """Notes what would fill a weight that has no numbers: by which rule, and after how many random ones."""

    def __init__(self):
        super().__init__()
        self.before, self.last = {"normal_": 0, "uniform_": 0}, {}

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        rule = func.overloadpacket.__name__
        if rule in self.before:
            self.last[id(args[0])] = (rule, *args[1:], *self.before.values())
            self.before[rule] += args[0].numel()
        elif rule in ("fill_", "zero_"):
            self.last[id(args[0])] = float(args[1] if rule == "fill_" else 0)
        return func(*args, **kwargs or {})


@pytest.mark.parametrize("name", SHARED)
def test_the_same_random_numbers_are_drawn_for_each_weight_as_torchvision_draws(name):
    noted = []
    for source in (models, theirs):
        with torch.device("meta"), Draws() as draws:
            network = getattr(source, name)()
        noted.append({key: draws.last[id(one)] for key, one in network.named_parameters()})
    assert noted[0] == noted[1]
    places = [drawn[-2:] for drawn in noted[0].values() if isinstance(drawn, tuple)]
    assert len(set(places)) == len(places) > 5, "else one place would be as good as another"


@pytest.mark.parametrize("name", ["alexnet", pytest.param("vgg11_bn", marks=pytest.mark.nightly), *RESNETS])
def test_the_same_seed_gives_torchvisions_first_weights(name):
    """All VGGs are initialised by the same lines, so the smallest stands for them."""
    states = []
    for source in (models, theirs):
        torch.manual_seed(8)
        states.append(getattr(source, name)().state_dict())
    for key, one in states[1].items():
        assert torch.equal(states[0][key], one), key


@pytest.mark.parametrize(
    ("name", "options", "count"),
    [
        ("alexnet", {}, 61_100_840),
        ("alexnet", {"form": "2012"}, 62_378_344),
        ("alexnet", {"form": "2012", "groups": 2}, 60_965_224),
        ("vgg11", {}, 132_863_336),
        ("vgg11_bn", {}, 132_868_840),
        ("vgg16", {}, 138_357_544),
        ("vgg16_bn", {}, 138_365_992),
        ("vgg16", {"num_classes": 10}, 134_301_514),
        ("vgg16", {"num_classes": 10, "in_channels": 1}, 134_300_362),
        ("vgg19", {}, 143_667_240),
        ("vgg19_bn", {}, 143_678_248),
        ("minivgg", {}, 29_773_354),
        ("resnet18", {}, 11_689_512),
        ("resnet34", {}, 21_797_672),
        ("resnet50", {}, 25_557_032),
        ("plain34", {}, 21_623_848),
    ],
)
def test_parameters_digit_for_digit(name, options, count):
    assert count_parameters(unreal(name, **options)) == count


def blocks(name, **options):
    """Parameters of the convolutions between one pool and the next, and of each linear layer."""
    convolutions, linear = [0], []
    for layer in unreal(name, **options).modules():
        own = sum(parameter.numel() for parameter in layer.parameters(recurse=False))
        if isinstance(layer, nn.MaxPool2d):
            convolutions.append(0)
        elif isinstance(layer, nn.Conv2d):
            convolutions[-1] += own
        elif isinstance(layer, nn.Linear):
            linear.append(own)
    return convolutions[:-1], linear


def test_vgg16_block_by_block():
    convolutions, linear = blocks("vgg16", num_classes=10)
    assert convolutions == [38_720, 221_440, 1_475_328, 5_899_776, 7_079_424]
    assert sum(convolutions) == 14_714_688
    assert linear == [102_764_544, 16_781_312, 40_970]
    grey, _ = blocks("vgg16", num_classes=10, in_channels=1)
    assert sum(grey) == 14_713_536
    first = unreal("vgg16", in_channels=1).features[0]
    assert sum(parameter.numel() for parameter in first.parameters()) == 640


def test_minivgg_layer_by_layer():
    counts = [step.parameters for step in traced("minivgg", (1, 28, 28)).steps if step.parameters]
    assert counts == [320, 9_248, 18_496, 36_928, 36_928, 12_849_152, 16_781_312, 40_970]
    convolutions, linear = blocks("minivgg")
    assert sum(convolutions) == 101_920 and sum(linear) == 29_671_434


@pytest.mark.parametrize("name", ["vgg11", "vgg16", "vgg19", "vgg16_bn"])
def test_vggs_sides_are_halved_five_times(name):
    assert sides(name, (3, 224, 224)) == [224, 112, 56, 28, 14, 7]
    pools = [step for step in traced(name).steps if step.type == "MaxPool2d"]
    assert [step.shape[0] for step in pools] == [64, 128, 256, 512, 512]
    assert {(step.window, step.stride) for step in pools} == {(2, 2)}


@pytest.mark.parametrize("name", ["resnet18", "resnet34", "resnet50", "plain34"])
def test_resnets_stages(name):
    assert sides(name, (3, 224, 224)) == [112, 56, 28, 14, 7, 1]
    wide = 4 if name == "resnet50" else 1
    for shape, stem, expected in (((3, 224, 224), "imagenet", [56, 28, 14, 7]), ((3, 32, 32), "cifar", [32, 16, 8, 4])):
        ends = {step.name.partition(".")[0]: step.shape for step in traced(name, shape, stem=stem).steps}
        stages = [ends[f"layer{number}"] for number in (1, 2, 3, 4)]
        assert stages == [(64 * 2**stage * wide, side, side) for stage, side in zip(range(4), expected, strict=True)]


def test_a_cifar_stem_has_a_window_of_3_no_stride_and_no_pool():
    steps = traced("resnet18", (3, 32, 32), stem="cifar").steps
    assert (steps[0].window, steps[0].stride) == (3, 1)
    assert not any(step.type == "MaxPool2d" for step in steps)
    first = traced("resnet18").steps
    assert (first[0].window, first[0].stride) == (7, 2)
    assert [(step.window, step.stride) for step in first if step.type == "MaxPool2d"] == [(3, 2)]


@pytest.mark.parametrize("form", ["torchvision", "2012"])
def test_alexnets_sides_and_windows(form):
    assert sides("alexnet", (3, 224, 224), form=form) == [55, 27, 13, 6]
    steps = [step for step in traced("alexnet", form=form).steps if step.window is not None]
    windows = [(step.window, step.stride) for step in steps]
    assert windows == [(11, 4), (3, 2), (5, 1), (3, 2), (3, 1), (3, 1), (3, 1), (3, 2)]
    channels = [step.shape[0] for step in steps if step.type == "Conv2d"]
    assert channels == ([96, 256, 384, 384, 256] if form == "2012" else [64, 192, 384, 256, 256])


def test_alexnet_2012_normalises_after_the_first_two_relus_as_the_paper_says():
    types = [step.type for step in traced("alexnet", form="2012").steps]
    assert types[:8] == ["Conv2d", "ReLU", "LocalResponseNorm", "MaxPool2d"] * 2
    assert types.count("LocalResponseNorm") == 2
    assert "LocalResponseNorm" not in [step.type for step in traced("alexnet").steps]
    norm = unreal("alexnet", form="2012").features[2]
    maps = torch.rand(1, 9, 1, 1, dtype=torch.float64) * 30
    neighbours = maps[0, 2:7, 0, 0].square().sum()
    assert norm(maps)[0, 4, 0, 0].item() == pytest.approx((maps[0, 4, 0, 0] / (2 + 1e-4 * neighbours) ** 0.75).item())


def test_a_small_stem_keeps_small_images_large():
    model = models.alexnet(10, in_channels=1, width=1 / 16, stem="small")
    assert model(torch.zeros(2, 1, 28, 28)).shape == (2, 10)
    assert [step.shape[1] for step in trace(model, (1, 28, 28)).steps if step.type == "MaxPool2d"] == [13, 6, 2]


def test_plain34_is_resnet34_without_its_skips():
    assert len(traced("resnet34").skips) == 16
    assert traced("plain34").skips == []
    plain = set(unreal("plain34").state_dict())
    missing = set(unreal("resnet34").state_dict()) - plain
    assert missing and all(".downsample." in name for name in missing)
    assert plain < set(unreal("resnet34").state_dict())
    projections = sum(a * b + 2 * b for a, b in ((64, 128), (128, 256), (256, 512)))
    assert count_parameters(unreal("resnet34")) - count_parameters(unreal("plain34")) == projections


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


def test_resnet_small_has_one_block_a_stage_and_no_pool():
    model = unreal("resnet_small")
    assert [len(getattr(model, f"layer{number}")) for number in (1, 2, 3, 4)] == [1, 1, 1, 1]
    assert not any(isinstance(layer, nn.MaxPool2d) for layer in model.modules())
    ends = {step.name.partition(".")[0]: step.shape for step in traced("resnet_small", (1, 28, 28)).steps}
    assert [ends[f"layer{stage}"] for stage in (1, 2, 3, 4)] == [(64, 28, 28), (128, 14, 14), (256, 7, 7), (512, 4, 4)]


def test_small_vggs_fit_their_images():
    assert sides("vgg8", (3, 32, 32)) == [32, 16, 8, 4, 2, 1]
    assert sides("vgg_small", (1, 28, 28)) == [28, 14, 7, 3]
    assert sides("minivgg", (1, 28, 28)) == [28, 14, 7]
    for name, shape in (("vgg8", (3, 32, 32)), ("vgg_small", (1, 28, 28)), ("minivgg", (1, 28, 28))):
        pools = {step.name: step.shape for step in traced(name, shape).steps}
        last = [step.shape for step in traced(name, shape).steps if step.type == "MaxPool2d"][-1]
        assert pools["avgpool"] == last, "the adaptive pool must do nothing to images of the intended size"


BATCH_NORM = [name for name in models.__all__ if name.endswith("_bn")]


@pytest.mark.parametrize("name", BATCH_NORM)
def test_with_batch_norm_one_stands_behind_each_convolution(name):
    layers = list(unreal(name).features)
    plain = [layer for layer in layers if not isinstance(layer, nn.BatchNorm2d)]
    assert [type(one) for one in plain] == [type(one) for one in unreal(name.removesuffix("_bn")).features]
    behind = [type(after) for layer, after in itertools.pairwise(layers) if isinstance(layer, nn.Conv2d)]
    assert set(behind) == {nn.BatchNorm2d}
    assert len(behind) == len(layers) - len(plain)


BUILDERS = ["alexnet", *VGGS, "vgg8", "vgg8_bn", "minivgg", "vgg_small", *RESNETS, "plain34", "resnet_small"]


@pytest.mark.parametrize("name", BUILDERS)
def test_classes_channels_and_width_are_chosen(name):
    side = 64 if name == "alexnet" else 32
    model = getattr(models, name)(num_classes=7, in_channels=2, width=1 / 16)
    assert model(torch.zeros(2, 2, side, side)).shape == (2, 7)
    whole = [(layer, other) for layer, other in zip(model.modules(), unreal(name).modules(), strict=True)]
    narrow = [(a.out_channels, b.out_channels) for a, b in whole if isinstance(a, nn.Conv2d)]
    assert all(ours == max(1, round(full / 16)) for ours, full in narrow)
    hidden = [(a.out_features, b.out_features) for a, b in whole if isinstance(a, nn.Linear)][:-1]
    assert all(ours == full / 16 for ours, full in hidden)


def test_a_width_never_leaves_a_layer_without_channels():
    assert models.vgg8(width=1e-6)(torch.zeros(1, 3, 32, 32)).shape == (1, 10)
    with pytest.raises(ValueError, match="width must be above 0, not 0"):
        models.resnet18(width=0)


# ---- bad input


def narrow(name, **options):
    return getattr(models, name)(**{"width": 1 / 16} | options)


@pytest.mark.parametrize(
    ("model", "shape", "said"),
    [
        (narrow("vgg16"), (1, 32, 32), r"1×32×32 does not fit VGG: features\.0 \(Conv2d\) takes 3 channels, and 1×32"),
        (narrow("resnet18"), (4, 32, 32), r"4×32×32 does not fit ResNet: conv1 \(Conv2d\) takes 3 channels"),
        (narrow("alexnet"), (1, 64, 64), r"does not fit AlexNet: features\.0 \(Conv2d\).*build the network with in_"),
        (narrow("vgg16"), (3, 31, 31), r"3×31×31 does not fit VGG: features\.30 \(MaxPool2d\) cannot work on 32×1×1"),
        (narrow("alexnet"), (3, 62, 62), r"does not fit AlexNet: features\.12 \(MaxPool2d\) cannot work on 16×2×2"),
        (narrow("alexnet"), (3, 5, 5), r"does not fit AlexNet: features\.0 \(Conv2d\) cannot work on 3×5×5; give it a"),
        (
            models.lenet5(),
            (1, 32, 32),
            r"1×32×32 does not fit LeNet5: classifier\.1 \(Linear\) takes 400 numbers, and 5",
        ),
        (models.mlp(), (3, 28, 28), r"3×28×28 does not fit MLP: features\.0 \(Linear\) takes 784 numbers, and 2352"),
    ],
)
def test_an_image_that_does_not_fit_is_answered_in_one_line(model, shape, said):
    with pytest.raises(ValueError, match=said) as caught:
        model(torch.zeros(3, *shape))
    assert "\n" not in str(caught.value)


def test_images_without_a_batch_are_told_so():
    with pytest.raises(ValueError, match=r"of 28×28 does not fit LeNet5: it takes a batch of shape \(N, C, H, W\)"):
        models.lenet5()(torch.zeros(1, 28, 28))


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("alexnet", {"form": "2013"}, "form must be '2012' or 'torchvision', not '2013'"),
        ("alexnet", {"stem": "tiny"}, "stem must be 'imagenet' or 'small', not 'tiny'"),
        ("alexnet", {"groups": 3}, "do not divide into 3 groups"),
        ("alexnet", {"groups": 0}, "groups must be at least 1, not 0"),
        ("resnet34", {"stem": "small"}, "stem must be 'imagenet' or 'cifar', not 'small'"),
    ],
)
def test_options_that_make_no_sense_are_refused(name, options, said):
    with pytest.raises(ValueError, match=said):
        getattr(models, name)(**options)


class OutOfMemory(nn.Module):
    """Fails as a full GPU does, for tensors that take memory."""

    error = torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 392.00 MiB")

    def forward(self, maps):
        if maps.is_meta:
            return maps
        raise self.error


class AlwaysOut(OutOfMemory):
    def forward(self, maps):
        raise self.error


class BrokenDriver(OutOfMemory):
    error = RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED")


@pytest.mark.parametrize("broken", [OutOfMemory, AlwaysOut, BrokenDriver])
def test_an_error_that_is_not_about_shapes_passes_through(broken):
    model = models.lenet5()
    model.features[1] = broken()
    with pytest.raises(RuntimeError) as caught:
        model(torch.zeros(2, 1, 28, 28))
    assert caught.value is broken.error


def test_a_wrong_number_format_is_no_wrong_shape():
    with pytest.raises(RuntimeError, match="type"):
        models.lenet5()(torch.zeros(2, 1, 28, 28, dtype=torch.uint8))


def test_finding_out_why_leaves_the_network_and_chance_as_they_were():
    model = narrow("vgg11_bn", dropout=0.5).train()
    model.classifier.eval()
    modes = [layer.training for layer in model.modules()]
    before = {key: one.clone() for key, one in model.state_dict().items()}
    torch.manual_seed(3)
    chance = torch.get_rng_state()
    assert "takes 3 channels" in models.shape_mismatch(model, torch.zeros(2, 1, 32, 32))
    assert "MaxPool2d" in models.shape_mismatch(model, torch.zeros(2, 3, 31, 31))
    assert models.shape_mismatch(model, torch.zeros(2, 3, 32, 32)) is None
    assert torch.equal(torch.get_rng_state(), chance)
    assert [layer.training for layer in model.modules()] == modes
    assert all(torch.equal(one, before[key]) for key, one in model.state_dict().items())
    assert not any(layer._forward_pre_hooks for layer in model.modules())
