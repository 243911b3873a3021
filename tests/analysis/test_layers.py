import pytest
import torch
from torch import nn

from course_lib import models
from course_lib.analysis import Source, count_multiply_adds, count_parameters, layer_table


def test_layers_in_the_order_in_which_they_run():
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(4 * 13 * 13, 10))
    table = layer_table(model, (1, 28, 28))
    assert table.index.tolist() == ["0", "1", "2", "3", "total"]
    assert table["type"].tolist() == ["Conv2d", "MaxPool2d", "Flatten", "Linear", ""]
    assert table["output shape"].tolist() == ["4×26×26", "4×13×13", "676", "10", ""]
    assert table["parameters"].tolist() == [40, 0, 0, 6770, 6810]
    assert table["multiply-adds"].tolist() == [26 * 26 * 36, 0, 0, 6760, 26 * 26 * 36 + 6760]
    assert table["receptive field"].tolist() == [3, 4, None, None, None]
    assert table["jump"].tolist() == [1, 2, None, None, None]


def test_activations_are_in_megabytes_and_what_works_in_place_has_none():
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(inplace=True), nn.ReLU(), nn.Flatten())
    held = layer_table(model, (1, 102, 102))["activations (MB)"]
    one = 4 * 100 * 100 * 4 / 1e6
    assert held.tolist() == pytest.approx([one, 0, one, 0, 2 * one])


def test_the_sums_are_those_of_the_whole_network():
    model = models.resnet18(10, width=1 / 8)
    table = layer_table(model, (3, 64, 64))
    assert table.index[-1] == "total" and "elsewhere" not in table.index
    for column, whole in (
        ("parameters", count_parameters(model)),
        ("multiply-adds", count_multiply_adds(model, (3, 64, 64))),
    ):
        assert table.loc["total", column] == table[column].iloc[:-1].sum() == whole


def test_a_layer_used_twice_has_two_rows_and_its_parameters_once():
    layer = nn.Conv2d(1, 1, 3)
    table = layer_table(nn.Sequential(layer, nn.ReLU(), layer), (1, 9, 9))
    assert table["parameters"].tolist() == [10, 0, 0, 10]
    assert table["multiply-adds"].tolist() == [49 * 9, 0, 25 * 9, 74 * 9]


def test_layers_that_share_a_weight_count_it_once():
    model = nn.Sequential(nn.Linear(4, 4, bias=False), nn.Linear(4, 4))
    model[1].weight = model[0].weight
    assert layer_table(model, (4,))["parameters"].to_dict() == {"0": 16, "1": 4, "total": 20}


class Attending(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(16, 4, batch_first=True)
        self.head = nn.Linear(16, 3)

    def forward(self, tokens):
        return self.head(self.attention(tokens, tokens, tokens)[0].mean(1))


def test_work_outside_of_layers_has_a_row_of_its_own():
    """Attention keeps its first three weights itself, and its last layer's module never runs."""
    table = layer_table(Attending(), (10, 16))
    assert table.index.tolist() == ["head", "elsewhere", "total"]
    assert table["parameters"].tolist() == [51, 4 * 16 * 17, 51 + 4 * 16 * 17]
    elsewhere = 3 * 10 * 16 * 16 + 2 * 10 * 10 * 16 + 10 * 16 * 16  # to queries, keys, values; attention; and out
    assert table["multiply-adds"].tolist() == [48, elsewhere, 48 + elsewhere]


class Scaled(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(3))
        self.layer = nn.Linear(3, 2)

    def forward(self, numbers):
        return self.layer(numbers * self.scale)


def test_a_parameter_outside_of_layers_too():
    assert layer_table(Scaled(), (3,))["parameters"].to_dict() == {"layer": 8, "elsewhere": 3, "total": 11}


def test_only_what_is_trained_is_a_trainable_parameter():
    model = models.mlp(hidden=(4,))
    model.features.requires_grad_(False)
    assert count_parameters(model) == 4 * 10 + 10


def test_the_network_is_left_as_it_was():
    model = models.mlp(dropout=0.5).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    layer_table(model, (1, 28, 28))
    assert model.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())


def test_the_layer_that_does_not_fit_is_named():
    with pytest.raises(ValueError, match=r"3×28×28 does not fit MLP: features\.0 \(Linear\) takes 784 numbers"):
        layer_table(models.mlp(), (3, 28, 28))
    plain = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Conv2d(3, 2, 3))
    with pytest.raises(ValueError, match=r"1×9×9 does not fit Sequential: 1 \(Conv2d\) takes 3 channels, and 2×7×7"):
        layer_table(plain, (1, 9, 9))
    with pytest.raises(ValueError, match=r"its only layer \(Conv2d\) takes 3 channels"):
        count_multiply_adds(nn.Conv2d(3, 2, 3), (1, 9, 9))


def test_source_is_what_runs():
    assert "return self.classifier(self.features(self.flatten(images)))" in Source(models.MLP)._repr_markdown_()
