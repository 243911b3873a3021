"""Looking at a network leaves it as it was, also where layers or weights stand in several places."""

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations

from course_lib import analysis, models

SHAPE = (1, 12, 12)


def shared():
    layer = nn.Conv2d(4, 4, 3, padding=1)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), layer, nn.BatchNorm2d(4), layer, nn.Flatten(), nn.Linear(576, 10)
    )


def tied():
    network = nn.Sequential(nn.Flatten(), nn.Linear(144, 144), nn.ReLU(), nn.Linear(144, 144), nn.Linear(144, 10))
    network[3].weight = network[1].weight
    return network


def nested():
    inner = nn.Sequential(nn.Conv2d(1, 1, 3, padding=1), nn.ReLU())
    return nn.Sequential(inner, nn.Sequential(inner, inner), nn.Flatten(), nn.Linear(144, 10))


def parametrized():
    return nn.Sequential(
        parametrizations.weight_norm(nn.Conv2d(1, 8, 3, padding=1)), nn.ReLU(), nn.Flatten(), nn.Linear(1152, 10)
    )


LOOKS = {
    "table": lambda network: analysis.layer_table(network, SHAPE),
    "count": lambda network: analysis.count_multiply_adds(network, SHAPE),
    "memory": lambda network: analysis.training_memory(network, SHAPE, 4),
    "tensors": lambda network: analysis.tensors_of_size(network, SHAPE, 400),
    "mismatch": lambda network: models.shape_mismatch(network, torch.zeros(1, *SHAPE)),
}


def state_of(network):
    tensors = [*network.named_parameters(remove_duplicate=False), *network.named_buffers(remove_duplicate=False)]
    held = [
        (name, id(tensor), tensor.device, tensor.requires_grad, tensor.grad, tensor.sum().item())
        for name, tensor in tensors
    ]
    layers = [
        (name, id(layer), layer.training, len(layer._forward_hooks))
        for name, layer in network.named_modules(remove_duplicate=False)
    ]
    return held, layers


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("build", [shared, tied, nested, parametrized, models.lenet5])
def test_what_is_looked_at_stays_as_it_was(build, look):
    network = build()
    network.train()
    next(network.children()).eval()
    shape = SHAPE if build is not models.lenet5 else (1, 28, 28)
    before = state_of(network)
    look_at = LOOKS[look]
    if build is models.lenet5:
        analysis.layer_table(network, shape)
    else:
        look_at(network)
    assert state_of(network) == before
    assert network(torch.zeros(2, *shape)).shape == (2, 10)


def test_a_layer_that_runs_twice_costs_twice_and_has_its_parameters_once():
    table = analysis.layer_table(shared(), SHAPE)
    assert table.loc["1", "multiply-adds"].tolist() == [144 * 144, 144 * 144]
    assert table.loc["1", "parameters"].tolist() == [148, 0]


def test_a_parametrized_layer_is_a_layer():
    table = analysis.layer_table(parametrized(), SHAPE)
    assert table["type"].tolist()[:2] == ["Conv2d", "ReLU"] and table.loc["0", "multiply-adds"] == 144 * 72


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_counts_do_not_depend_on_the_number_format(dtype):
    assert analysis.count_multiply_adds(models.lenet5().to(dtype), (1, 28, 28)) == 416_520


@pytest.mark.parametrize("layer", [nn.PReLU(), nn.Hardswish(), nn.Hardsigmoid(), nn.Hardtanh()])
def test_activations_leave_the_receptive_field(layer):
    network = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), layer, nn.Conv2d(4, 2, 3, padding=1))
    assert analysis.receptive_field(network)["receptive field"].iloc[-1] == 5
