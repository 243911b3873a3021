"""Looking at a network leaves it as it was, also where layers or weights stand in several places."""

import threading

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils import parametrizations, prune

from course_lib import analysis, models, plots, training
from course_lib.data import Split
from course_lib.training.checks import check_pieces
from course_lib.training.run import Recipe

SHAPE = (1, 12, 12)


class Kept(nn.Module):
    """Keeps what it computed, with its gradient, in a list, and counts its calls."""

    def __init__(self):
        super().__init__()
        self.layer, self.kept, self.calls = nn.Conv2d(4, 4, 1), [], 0
        self.register_buffer("total", torch.zeros(4))

    def forward(self, maps):
        self.calls += 1
        self.total += 1
        self.kept.append(self.layer(maps))
        return self.kept[-1]


def tied():
    one, other = nn.Conv2d(4, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)
    other.weight = one.weight
    return nn.Sequential(one, nn.ReLU(), other)


SHARED = nn.Conv2d(4, 4, 3, padding=1)  # the same layer wherever it is drawn
PARTS = {
    "convolution": lambda: nn.Conv2d(4, 4, 3, padding=1),
    "shared": lambda: SHARED,
    "tied": tied,
    "nested": lambda: nn.Sequential(nn.Sequential(SHARED, nn.BatchNorm2d(4)), nn.ReLU()),
    "norm": lambda: nn.BatchNorm2d(4),
    "dropout": lambda: nn.Dropout(),
    "weight norm": lambda: parametrizations.weight_norm(nn.Conv2d(4, 4, 3, padding=1)),
    "spectral norm": lambda: parametrizations.spectral_norm(nn.Conv2d(4, 4, 1)),
    "old weight norm": lambda: nn.utils.weight_norm(nn.Conv2d(4, 4, 1)),
    "pruned": lambda: prune.l1_unstructured(nn.Conv2d(4, 4, 1), "weight", 0.5),
    "kept": Kept,
}
LOOKS = {
    "table": lambda network: analysis.layer_table(network, SHAPE),
    "count": lambda network: analysis.count_multiply_adds(network, SHAPE),
    "field": lambda network: analysis.receptive_field(network, SHAPE),
    "gradient": lambda network: analysis.receptive_field_by_gradient(network[0]),
    "memory": lambda network: analysis.training_memory(network, SHAPE, 4),
    "tensors": lambda network: analysis.tensors_of_size(network, SHAPE, 400),
    "mismatch": lambda network: models.shape_mismatch(network, torch.zeros(1, *SHAPE)),
    "drawing": lambda network: plots.architecture_drawing(network, SHAPE),
    "signals": lambda network: analysis.signals(network, torch.rand(2, *SHAPE), torch.tensor([0, 1])),
    "feature maps": lambda network: analysis.feature_maps(network, torch.rand(2, *SHAPE), "0.0"),
    "checks": lambda network: check_pieces(network, FEW, FEW, RECIPE, torch.device("cpu")),
}
RUNS = ("signals", "feature maps")  # these compute with the network itself, so its hooks run
FEW = Split("few", torch.zeros(8, *SHAPE, dtype=torch.uint8), torch.arange(8), tuple("abcdefghij"), (0.5,), (0.25,))
RECIPE = Recipe(1, 0.1, 4, torch.optim.SGD, training.constant, nn.CrossEntropyLoss(), None, 0)


@st.composite
def networks(draw):
    """A network of random parts, some frozen, in mixed modes, with a gradient and hooks; and what its hooks saw."""
    parts = [PARTS[name]() for name in draw(st.lists(st.sampled_from(list(PARTS)), min_size=1, max_size=4))]
    maps = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), *parts)
    network = nn.Sequential(maps, nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(16, 10))
    network(torch.rand(2, *SHAPE)).sum().backward()
    seen = []
    for layer in network.modules():
        layer.train(draw(st.booleans()))
    for weight in network.parameters():
        weight.requires_grad_(draw(st.booleans()))
    network[3].requires_grad_(True)
    layer = draw(st.sampled_from([layer for layer in network.modules() if not list(layer.children())]))
    hooks = [layer.register_forward_hook(lambda *_: seen.append("after"))]
    hooks.append(network.register_forward_pre_hook(lambda *_: seen.append("before")))
    return network, seen, hooks


def state_of(network):
    tensors = [*network.named_parameters(remove_duplicate=False), *network.named_buffers(remove_duplicate=False)]
    held = [
        (name, id(tensor), tensor.device, tensor.dtype, tensor.requires_grad, id(tensor.grad), tensor.tolist())
        for name, tensor in tensors
    ]
    layers = [
        (
            name,
            id(layer),
            layer.training,
            list(layer._forward_hooks),
            list(layer._forward_pre_hooks),
            layer.extra_repr(),
        )
        for name, layer in network.named_modules(remove_duplicate=False)
    ]
    own = [(layer.calls, len(layer.kept)) for layer in network.modules() if isinstance(layer, Kept)]
    return held, layers, own


@pytest.mark.parametrize("look", LOOKS)
@given(networks())
def test_what_is_looked_at_stays_as_it_was(look, drawn):
    network, seen, hooks = drawn
    seen.clear()
    assume(look not in RUNS or not any(isinstance(layer, Kept) for layer in network.modules()))
    before, generator = state_of(network), torch.get_rng_state()
    LOOKS[look](network)
    assert state_of(network) == before
    if look not in RUNS:
        assert seen == [] and torch.equal(torch.get_rng_state(), generator)
    assert network(torch.zeros(2, *SHAPE)).shape == (2, 10)
    for hook in hooks:
        hook.remove()


def test_a_layer_that_runs_twice_costs_twice_and_has_its_parameters_once():
    layer = nn.Conv2d(4, 4, 3, padding=1)
    network = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), layer, nn.BatchNorm2d(4), layer)
    table = analysis.layer_table(network, SHAPE)
    assert table.loc["1", "multiply-adds"].tolist() == [144 * 144, 144 * 144]
    assert table.loc["1", "parameters"].tolist() == [148, 0]


@pytest.mark.parametrize(
    "parametrize",
    [parametrizations.weight_norm, parametrizations.spectral_norm, parametrizations.orthogonal, nn.utils.weight_norm],
)
def test_a_parametrized_layer_is_a_layer(parametrize):
    network = nn.Sequential(parametrize(nn.Conv2d(1, 8, 3, padding=1)), nn.ReLU())
    table = analysis.layer_table(network, SHAPE)
    assert table["type"].tolist()[:2] == ["Conv2d", "ReLU"] and table.loc["0", "multiply-adds"] >= 144 * 72
    assert analysis.receptive_field(network)["receptive field"].tolist() == [3]
    assert analysis.receptive_field_by_gradient(network) == 3


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_counts_do_not_depend_on_the_number_format(dtype):
    network = models.lenet5().to(dtype)
    assert analysis.count_multiply_adds(network, (1, 28, 28)) == 416_520
    assert analysis.receptive_field_by_gradient(network.features) == 16
    assert analysis.training_memory(network, (1, 28, 28), 4).weights == 61_706 * dtype.itemsize


class Pair(nn.Module):
    def forward(self, left, right):
        return left + right


@pytest.mark.parametrize("look", [look for look in LOOKS if look not in (*RUNS, "gradient", "checks")])
@pytest.mark.parametrize(
    ("build", "words"),
    [
        (Pair, r"takes 2 inputs \(left, right\)"),
        (lambda: nn.Sequential(nn.LazyConv2d(4, 3)), "has lazy layers"),
        (lambda: torch.jit.script(nn.Sequential(nn.Conv2d(1, 4, 3))), "is a script"),
        (lambda: nn.Sequential(Holding()), "cannot be copied"),
    ],
)
def test_what_cannot_be_traced_is_refused_in_one_line(build, words, look):
    with pytest.raises((ValueError, TypeError), match=words) as caught:
        LOOKS[look](build())
    assert "\n" not in str(caught.value)


class Holding(nn.Conv2d):
    def __init__(self):
        super().__init__(1, 4, 3)
        self.lock = threading.Lock()


@pytest.mark.parametrize("wrap", [lambda network: torch.compile(network, backend="eager"), nn.DataParallel])
def test_a_wrapped_network_counts_as_the_one_inside(wrap):
    network = models.lenet5()
    table = analysis.layer_table(wrap(network), (1, 28, 28))
    assert table.equals(analysis.layer_table(network, (1, 28, 28)))
