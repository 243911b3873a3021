import pytest
from torch import nn

from course_lib import models
from course_lib.analysis import count_multiply_adds, count_parameters, layer_table


def test_layers_are_in_the_order_of_running():
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(4 * 13 * 13, 10))
    table = layer_table(model, (1, 28, 28))
    assert table.index.tolist() == ["0", "1", "2", "3", "total"]
    assert table["type"].tolist() == ["Conv2d", "MaxPool2d", "Flatten", "Linear", ""]
    assert table["output shape"].tolist() == ["4×26×26", "4×13×13", "676", "10", ""]
    assert table["parameters"].tolist() == [40, 0, 0, 6770, 6810]
    assert table["multiply-adds"].tolist() == [26 * 26 * 36, 0, 0, 6760, 26 * 26 * 36 + 6760]
    assert table["receptive field"].tolist() == [3, 4, None, None, None]
    assert table["jump"].tolist() == [1, 2, None, None, None]


def test_activations_are_in_megabytes_and_in_place_layers_have_none():
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(inplace=True), nn.ReLU(), nn.Flatten())
    held = layer_table(model, (1, 102, 102))["activations (MB)"]
    maps = 4 * 100 * 100 * 4 / 1e6
    assert held.tolist() == pytest.approx([maps, 0, maps, 0, 2 * maps])


class Attending(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(16, 4, batch_first=True)
        self.head = nn.Linear(16, 3)

    def forward(self, tokens):
        return self.head(self.attention(tokens, tokens, tokens)[0].mean(1))


def test_work_outside_of_layers_has_its_own_row():
    """Attention keeps its first three weights itself, and its last layer's module never runs."""
    table = layer_table(Attending(), (10, 16))
    assert table.index.tolist() == ["head", "elsewhere", "total"]
    assert table["parameters"].tolist() == [51, 4 * 16 * 17, 51 + 4 * 16 * 17]
    elsewhere = 3 * 10 * 16 * 16 + 2 * 10 * 10 * 16 + 10 * 16 * 16  # to queries, keys, values; attention; and out
    assert table["multiply-adds"].tolist() == [48, elsewhere, 48 + elsewhere]


def test_names_the_layer_that_does_not_fit():
    plain = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Conv2d(3, 2, 3))
    with pytest.raises(ValueError, match=r"1×9×9 does not fit Sequential: 1 \(Conv2d\) takes 3 channels, and 2×7×7"):
        layer_table(plain, (1, 9, 9))
    with pytest.raises(ValueError, match=r"its only layer \(Conv2d\) takes 3 channels"):
        count_multiply_adds(nn.Conv2d(3, 2, 3), (1, 9, 9))


def test_frozen_parameters_are_not_counted_as_trainable():
    model = models.mlp(hidden=(4,))
    model.features.requires_grad_(False)
    assert count_parameters(model) == 4 * 10 + 10
