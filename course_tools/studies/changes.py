"""Changes to a network that several studies make: first weights, layers exchanged or left out, quiet blocks."""

from collections.abc import Callable

import torch
from torch import nn

from course_lib.models import BasicBlock


def with_he_weights(network: nn.Module) -> nn.Module:
    """The network with He's first weights in all layers, biases zero. Source: He et al., 2015, equation 10 (fan-in)."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return network


def with_torch_weights(network: nn.Module) -> nn.Module:
    """The network with the first weights that torch's layers draw by themselves: uniform, of variance 1/(3 fan-in)."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            layer.reset_parameters()
    return network


WEIGHTS = {"torch's weights": with_torch_weights, "He's weights": with_he_weights}


def without_batch_norm(network: nn.Module) -> nn.Module:
    """The network with its batch norms left out; convolutions that had no bias get one, at zero, in their place."""
    for parent in list(network.modules()):
        for name, layer in list(parent.named_children()):
            if isinstance(layer, nn.BatchNorm2d):
                setattr(parent, name, nn.Identity())
            elif isinstance(layer, nn.Conv2d) and layer.bias is None:
                layer.bias = nn.Parameter(torch.zeros(layer.out_channels))
    return network


def exchange(network: nn.Module, old: type[nn.Module], new: Callable[[], nn.Module]) -> nn.Module:
    """The network with ``new()`` in the place of every layer of type ``old``."""
    for parent in list(network.modules()):
        for name, layer in list(parent.named_children()):
            if isinstance(layer, old):
                setattr(parent, name, new())
    return network


def with_zero_last_gain(network: nn.Module) -> nn.Module:
    """The network with residual blocks that add nothing at first: the last gain of each is zero, or its last weights.

    Source: Goyal et al., 2017, section 5.1, for batch norm; Zhang et al., Fixup, 2019, without.
    """
    for block in network.modules():
        if isinstance(block, BasicBlock):
            last = block.bn2 if isinstance(block.bn2, nn.BatchNorm2d) else block.conv2
            nn.init.zeros_(last.weight)
    return network
