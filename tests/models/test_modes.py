"""Layers are put into one mode for a while, and weights are made without their numbers."""

import pytest
import torch
from torch import nn

from course_lib import models


@pytest.fixture
def mixed():
    """A network whose layers are in different modes."""
    net = models.vgg8_bn(10, in_channels=1, width=1 / 16).train()
    net.features.eval()
    net.features[1].train()
    return net


def modes_of(net):
    return [layer.training for layer in net.modules()]


@pytest.mark.parametrize("training", [True, False])
def test_all_layers_are_in_one_mode_and_then_each_in_its_own(mixed, training):
    before = modes_of(mixed)
    assert set(before) == {True, False}
    with models.in_mode(mixed, training):
        assert set(modes_of(mixed)) == {training}
    assert modes_of(mixed) == before


@pytest.mark.parametrize("training", [True, False])
def test_also_after_an_error_which_is_handed_on(mixed, training):
    before = modes_of(mixed)
    with pytest.raises(ZeroDivisionError), models.in_mode(mixed, training):
        raise ZeroDivisionError
    assert modes_of(mixed) == before


def test_also_where_a_layer_refuses_the_mode(mixed):
    class Stubborn(nn.ReLU):
        def train(self, mode=True):
            raise ZeroDivisionError

    net = nn.Sequential(mixed, Stubborn())
    before = modes_of(net)
    with pytest.raises(ZeroDivisionError), models.in_mode(net, training=True):
        pass
    assert modes_of(net) == before


def test_one_mode_within_the_other(mixed):
    before = modes_of(mixed)
    with models.in_mode(mixed, training=True):
        with models.in_mode(mixed, training=False):
            assert set(modes_of(mixed)) == {False}
        assert set(modes_of(mixed)) == {True}
    assert modes_of(mixed) == before


def test_meta_weights_are_the_real_ones_in_all_but_their_numbers():
    net = models.vgg8_bn(10, in_channels=3, width=1 / 16).to(memory_format=torch.channels_last)
    net.features[0].requires_grad_(False)
    net.classifier.to(torch.bfloat16)
    real = {**dict(net.named_parameters()), **dict(net.named_buffers())}
    made = models.meta_weights(net)
    assert list(made) == list(real)
    assert all(one.is_meta for one in made.values()) and not any(one.is_meta for one in real.values())
    for name, one in made.items():
        about = [(of.shape, of.stride(), of.dtype, of.requires_grad) for of in (one, real[name])]
        assert about[0] == about[1], name
    assert {one.requires_grad for one in made.values()} == {True, False}
    assert {one.dtype for one in made.values()} == {torch.float32, torch.bfloat16, torch.int64}


def test_a_weight_that_two_layers_share_is_there_once():
    first, second = nn.Linear(3, 3), nn.Linear(3, 3)
    second.weight = first.weight
    assert list(models.meta_weights(nn.Sequential(first, second))) == ["0.weight", "0.bias", "1.bias"]


@pytest.mark.parametrize("around", [torch.no_grad, torch.inference_mode])
def test_the_surroundings_do_not_matter(around):
    with around():
        made = models.meta_weights(models.lenet5())
    assert all(one.is_meta and one.requires_grad for one in made.values())
