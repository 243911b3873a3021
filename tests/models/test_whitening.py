"""The network made for speed: what it computes, by hand, and how its filters begin."""

import functools

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from course_lib import data, models
from course_lib.analysis import count_multiply_adds, count_parameters, layer_table, trace
from course_lib.models.whitening import Group


@pytest.fixture(scope="module")
def pictures():
    """100 training pictures of CIFAR-10, normalised."""
    train = data.load("cifar10", size="sample").train
    return train.normalize(train.images[:100])


def seeded(**options):
    torch.manual_seed(4)
    return models.whitened(**{"width": 1 / 16} | options)


@functools.cache
def unreal(**options):
    """In full width, without numbers."""
    with torch.device("meta"):
        return models.whitened(**options)


def patches_of(images):
    """All 2 × 2 patches as columns of numbers, (C × 4, places), in double precision."""
    return F.unfold(images.double(), 2).transpose(0, 1).flatten(1)


def all_layers(model, kind):
    return [layer for layer in model.modules() if isinstance(layer, kind)]


def groups_of(model):
    return all_layers(model, Group)


# ---- sizes


@pytest.mark.parametrize(
    ("options", "channels"),
    [({}, 3), ({"depth": 3}, 3), ({"num_classes": 7}, 3), ({"in_channels": 1}, 1), ({"width": 1 / 8, "depth": 3}, 3)],
)
def test_a_logit_for_each_class(options, channels):
    logits = seeded(**options)(torch.rand(2, channels, 32, 32))
    assert logits.shape == (2, options.get("num_classes", 10))


def test_parameters_and_multiply_adds_digit_for_digit():
    table = layer_table(unreal(), (3, 32, 32))
    assert table.loc["total", "parameters"] == 1_972_792
    assert table.loc["total", "multiply-adds"] == count_multiply_adds(unreal(), (3, 32, 32)) == 118_147_360
    assert "elsewhere" not in table.index
    assert trace(unreal(widths=(64, 256, 256)), (3, 32, 32)).multiply_adds == 118_147_360


def test_both_counts_layer_by_layer():
    """Each place of an output costs what a filter has weights; only the first layer has biases."""
    layers = [(24, 64, 31), (64, 64, 15), (64, 256, 15), (256, 256, 7), (256, 256, 7), (256, 256, 3)]
    expected = [(12 * 24 + 24, 12 * 24 * 31**2)]
    expected += [(9 * one * other, 9 * one * other * side**2) for one, other, side in layers]
    steps = trace(unreal(), (3, 32, 32)).steps
    made = [(step.parameters, step.multiply_adds) for step in steps if step.type == "Conv2d"]
    assert made == expected


def test_what_is_trained_is_all_but_the_scales_and_once_whitened_the_first_filters(pictures):
    scales = 2 * (64 + 256 + 256)
    assert count_parameters(unreal()) == 1_972_792 - scales
    model = models.whitened()
    model.whiten(pictures)
    assert count_parameters(model) == 1_972_792 - scales - 24 * 12


def test_maps_are_halved_three_times():
    for depth in (2, 3):
        steps = trace(unreal(depth=depth), (3, 32, 32)).steps
        assert [step.shape for step in steps if step.type == "MaxPool2d"] == [
            *((64, 15, 15), (256, 7, 7), (256, 3, 3), (256, 1, 1))
        ]
        assert [step.type for step in steps].count("Conv2d") == 1 + 3 * depth


@pytest.mark.parametrize("depth", [2, 3])
def test_width_scales_all_groups_and_leaves_the_first_layer(depth):
    narrow = models.whitened(depth=depth, width=1 / 16)
    full = [layer.out_channels for layer in all_layers(unreal(depth=depth), nn.Conv2d)]
    made = [layer.out_channels for layer in all_layers(narrow, nn.Conv2d)]
    assert made == [24, *(channels // 16 for channels in full[1:])]
    assert narrow.classifier.in_features == 16
    other = models.whitened(widths=(8, 12, 20), width=1.5)
    assert [layer.out_channels for layer in all_layers(other, nn.Conv2d)] == [24, 12, 12, 18, 18, 30, 30]
    assert models.whitened(width=1e-6)(torch.zeros(1, 3, 32, 32)).shape == (1, 10)


# ---- what it computes


def norm_by_hand(maps, layer):
    """Batch norm of a batch, or by the running statistics; its scale is one."""
    mean, variance = maps.mean(dim=(0, 2, 3)), maps.var(dim=(0, 2, 3), unbiased=False)
    if not layer.training:
        mean, variance = layer.running_mean, layer.running_var
    columns = [one[:, None, None] for one in (mean, variance, layer.bias)]
    return (maps - columns[0]) / (columns[1] + 1e-5).sqrt() + columns[2]


def by_hand(model, images):
    """The network written out, from its weights."""
    maps = F.gelu(F.conv2d(images, model.whitening.weight, model.whitening.bias))
    for group in groups_of(model):
        weights = [layer.weight for layer in group.convolutions]
        maps = first = F.gelu(norm_by_hand(F.max_pool2d(F.conv2d(maps, weights[0], padding=1), 2), group.norms[0]))
        maps = norm_by_hand(F.conv2d(maps, weights[1], padding=1), group.norms[1])
        if len(weights) == 3:
            maps = norm_by_hand(F.conv2d(F.gelu(maps), weights[2], padding=1), group.norms[2]) + first
        maps = F.gelu(maps)
    return F.max_pool2d(maps, 3).flatten(1) @ model.classifier.weight.T / 9


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("depth", [2, 3])
def test_it_is_the_network_written_out(depth, training, pictures):
    model = seeded(depth=depth).double().train(training)
    for layer in all_layers(model, nn.BatchNorm2d):
        nn.init.normal_(layer.bias)
        nn.init.normal_(layer.running_mean), nn.init.uniform_(layer.running_var, 0.5, 2)
    images = pictures[:10].double()
    expected = by_hand(model, images)
    assert expected.std() > 1e-3, "else any two networks would agree"
    torch.testing.assert_close(model(images), expected)


def test_statistics_forget_by_four_tenths_a_step():
    for layer in all_layers(unreal(depth=3), nn.BatchNorm2d):
        assert layer.momentum == 0.4
    norm = seeded().train().features[2].norms[0]
    maps = torch.randn(20, len(norm.bias), 4, 4) + 3
    norm(maps)
    torch.testing.assert_close(norm.running_mean, 0.4 * maps.mean(dim=(0, 2, 3)))


def test_a_group_of_three_has_a_skip_over_the_last_two_and_one_of_two_has_none(pictures):
    assert trace(unreal(), (3, 32, 32)).skips == []
    assert trace(unreal(depth=3), (3, 32, 32)).skips == [
        (f"features.{group}.activation", f"features.{group}.norms.2") for group in (2, 3, 4)
    ]
    for depth in (2, 3):
        group = seeded(depth=depth).eval().features[2]
        maps = torch.rand(3, 24, 8, 8)
        with torch.no_grad():
            nn.init.zeros_(group.norms[-1].weight)
            first = group.activation(group.norms[0](group.pool(group.convolutions[0](maps))))
            assert first.abs().max() > 0.1
            assert torch.equal(group(maps), F.gelu(first) if depth == 3 else torch.zeros_like(first))


# ---- how it begins


def test_as_many_filters_as_there_are_channels_are_copies():
    for model in (seeded(width=1), seeded(width=1, depth=3, widths=(32, 64, 80))):
        first, *others = all_layers(model, nn.Conv2d)
        assert first is model.whitening
        for layer in others:
            count = layer.in_channels
            maps = torch.rand(2, count, 5, 5)
            made = layer(maps)
            assert torch.equal(made[:, :count], maps)
            rest = layer.weight[count:]
            assert rest.numel() == 0 or (rest != 0).float().mean() > 0.99, "the rest begins at random"
        assert others[0].out_channels > others[0].in_channels == 24, "else there were no rest"


def test_a_layer_with_fewer_filters_than_channels_copies_the_first_ones():
    first = seeded(widths=(8, 8, 8), width=1).features[2].convolutions[0]
    maps = torch.rand(2, 24, 5, 5)
    assert torch.equal(first(maps), maps[:, :8])


def test_scales_are_one_and_stay_so_and_biases_are_trained(pictures):
    model = seeded(depth=3)
    norms = all_layers(model, nn.BatchNorm2d)
    assert len(norms) == 9
    assert all((norm.weight == 1).all() and not norm.weight.requires_grad for norm in norms)
    model(pictures[:8]).square().sum().backward()
    for name, one in model.named_parameters():
        if ".norms." in name and name.endswith("weight"):
            assert one.grad is None
        else:
            assert one.grad is not None and one.grad.abs().sum() > 0, name


def test_the_seed_decides_the_first_weights():
    one, same = seeded().state_dict(), seeded().state_dict()
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not torch.equal(one["classifier.weight"], models.whitened(width=1 / 16).state_dict()["classifier.weight"])


# ---- whitening


@pytest.mark.parametrize("smallest", [5e-4, 0.1])
@pytest.mark.parametrize("channels", [3, 1])
def test_whitened_patches_do_not_correlate_and_have_known_variances(pictures, channels, smallest):
    """Of a component with variance v that is divided by √(v + smallest) the variance is v / (v + smallest)."""
    images, count = pictures[:, :channels].double(), 4 * channels
    model = seeded(in_channels=channels).double()
    model.whiten(images, **{} if smallest == 5e-4 else {"smallest": smallest})
    outputs = model.whitening(images).detach().transpose(0, 1).flatten(1)
    assert outputs.shape == (2 * count, 100 * 31 * 31)
    variances = torch.linalg.eigvalsh(torch.cov(patches_of(images))).flip(0)
    expected = torch.diag(variances / (variances + smallest))
    torch.testing.assert_close(torch.cov(outputs[:count]), expected, rtol=0, atol=1e-9)
    assert expected.diag()[0] - expected.diag()[-1] > 0.01, "else smallest would not matter"
    before = torch.corrcoef(patches_of(images)) - torch.eye(count)
    assert before.abs().max() > 0.9, "else there was nothing to do"


def test_the_other_half_of_the_filters_are_the_negatives(pictures):
    model = seeded()
    model.whiten(pictures)
    filters = model.whitening.weight
    assert filters.shape == (24, 3, 2, 2)
    assert torch.equal(filters[12:], -filters[:12]) and (filters[:12].flatten(1).norm(dim=1) > 0).all()


def test_in_single_precision_it_is_the_same_to_the_last_digits(pictures):
    single, double = seeded(), seeded().double()
    single.whiten(pictures), double.whiten(pictures.double())
    assert single.whitening.weight.dtype is torch.float32
    torch.testing.assert_close(single.whitening.weight.double(), double.whitening.weight, rtol=1e-5, atol=1e-5)


def test_whitened_filters_are_not_trained_and_their_biases_are(pictures):
    model = seeded(width=1 / 2)
    assert model.whitening.weight.requires_grad and model.whitening.bias.abs().max() > 0
    model.whiten(pictures)
    assert not model.whitening.weight.requires_grad and model.whitening.bias.requires_grad
    assert (model.whitening.bias == 0).all()
    before = model.whitening.weight.clone()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    F.cross_entropy(model(pictures[:20]), torch.arange(20) % 10).backward()
    optimizer.step()
    assert torch.equal(model.whitening.weight, before)
    assert (model.whitening.bias != 0).all()


def test_whitening_changes_the_first_layer_and_nothing_else(pictures):
    model, images = seeded(), pictures.clone()
    before = {name: one.clone() for name, one in model.state_dict().items()}
    model.whiten(images)
    changed = {name for name, one in model.state_dict().items() if not torch.equal(one, before[name])}
    assert changed == {"features.0.weight", "features.0.bias"}
    assert torch.equal(images, pictures)


# ---- bad input


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"depth": 1}, "^there are three groups of 2 or 3 convolutions, not 3 of 1$"),
        ({"depth": 4}, "^there are three groups of 2 or 3 convolutions, not 3 of 4$"),
        ({"widths": (64, 256)}, "^there are three groups of 2 or 3 convolutions, not 2 of 2$"),
        ({"widths": (64, 64, 64, 64), "depth": 3}, "not 4 of 3$"),
        ({"width": 0}, "^width must be above 0, not 0$"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, said):
    with pytest.raises(ValueError, match=said):
        models.whitened(**options)


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ((1, 32, 32), r"1×32×32 does not fit Whitened: features\.0 \(Conv2d\) takes 3 channels, .* with in_channels=1"),
        ((3, 24, 24), r"3×24×24 does not fit Whitened: pool \(MaxPool2d\) cannot work on 16×2×2; give it a larger"),
    ],
)
def test_an_image_that_does_not_fit_is_answered_in_one_line(shape, said):
    with pytest.raises(ValueError, match=said) as caught:
        seeded()(torch.zeros(2, *shape))
    assert "\n" not in str(caught.value)
