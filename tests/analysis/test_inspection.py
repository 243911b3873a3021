import pytest
import torch
from torch import nn

from course_lib import models
from course_lib.analysis import feature_maps, filters


@pytest.fixture
def net():
    torch.manual_seed(0)
    return models.vgg8_bn(10, in_channels=1, width=1 / 16).train()


def test_feature_maps_are_the_layers_output_also_before_an_in_place_layer(net):
    images = torch.rand(2, 1, 32, 32)
    maps = feature_maps(net, images, "features.1")
    net.eval()
    with torch.no_grad():
        by_hand = net.features[1](net.features[0](images))
    assert (by_hand < 0).any(), "else a ReLU that works in place could not be seen"
    assert torch.equal(maps, by_hand)
    assert maps.shape == (2, 4, 32, 32) and not maps.requires_grad


def test_network_is_unchanged(net, unchanged):
    net.features.eval()
    with unchanged(net):
        feature_maps(net, torch.zeros(2, 1, 32, 32), "features.0")
        filters(net).zero_()
        with pytest.raises(ValueError, match="does not fit"):
            feature_maps(net, torch.zeros(2, 3, 32, 32), "features.0")


class Twice(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer, self.idle = nn.Linear(3, 3), nn.Linear(3, 3)

    def forward(self, numbers):
        return self.layer(self.layer(numbers))


def test_first_output_of_a_layer_that_runs_twice():
    model, numbers = Twice(), torch.rand(2, 3)
    assert torch.equal(feature_maps(model, numbers, "layer"), model.layer(numbers).detach())
    with pytest.raises(ValueError, match="idle did not run"):
        feature_maps(model, numbers, "idle")


def test_filters_are_the_weights(net):
    assert torch.equal(filters(net), net.features[0].weight)
    assert filters(net).shape == (4, 1, 3, 3) and not filters(net).requires_grad
    assert torch.equal(filters(net, "features.4"), net.features[4].weight)
    assert torch.equal(filters(net.features[4]), net.features[4].weight)


def test_unknown_layers_get_a_suggestion(net):
    with pytest.raises(ValueError, match=r"VGG has no layer 'feature\.0': did you mean features\.0"):
        feature_maps(net, torch.rand(2, 1, 32, 32), "feature.0")
    with pytest.raises(ValueError, match="VGG has no layer 'xyz': layer_table lists its layers"):
        filters(net, "xyz")


def test_refuses_layers_without_filters(net):
    with pytest.raises(ValueError, match=r"classifier\.0 \(Linear\) has no convolution's filters"):
        filters(net, "classifier.0")
    with pytest.raises(ValueError, match="MLP"):
        filters(models.mlp())
