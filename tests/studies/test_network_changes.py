"""The changes to networks that studies make: first weights, no batch norm, blocks that begin as identity."""

import pytest
import torch
from torch import nn

from course_lib import models
from course_lib.models import BasicBlock
from course_tools.studies.changes import (
    with_he_weights,
    with_torch_weights,
    with_zero_last_gain,
    without_batch_norm,
)


@pytest.fixture
def resnet():
    torch.manual_seed(0)
    return models.resnet18(10, width=0.125, stem="cifar")


@pytest.mark.parametrize(("change", "gain"), [(with_he_weights, 2), (with_torch_weights, 1 / 3)])
def test_first_weights_have_the_variance_of_their_rule(change, gain):
    torch.manual_seed(0)
    network = change(models.vgg8(width=0.5))
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear) and layer.weight.numel() > 10_000:
            fan_in = layer.weight[0].numel()
            assert layer.weight.var().item() * fan_in == pytest.approx(gain, rel=0.1)


def test_without_batch_norm_convolutions_have_a_bias_that_learns(resnet):
    network = without_batch_norm(resnet)
    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in network.modules())
    assert all(layer.bias is not None for layer in network.modules() if isinstance(layer, nn.Conv2d))
    network(torch.zeros(2, 3, 32, 32)).sum().backward()
    assert network.conv1.bias.grad is not None


@pytest.mark.parametrize("norm", [True, False])
def test_blocks_with_a_zero_last_gain_hand_on_their_input(resnet, norm):
    network = with_zero_last_gain(resnet if norm else without_batch_norm(resnet))
    x = torch.rand(2, 8, 16, 16)  # not negative, as behind a ReLU
    block = next(layer for layer in network.modules() if isinstance(layer, BasicBlock))
    assert torch.equal(block(x), x)
