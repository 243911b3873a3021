"""MobileNetV2 against torchvision's, and the reason for its blocks."""

import pytest
import torch

from course_lib import models
from course_lib.analysis import count_parameters
from course_lib.torchvision_fix import import_torchvision

theirs = import_torchvision().models


@pytest.fixture(scope="module")
def pair():
    """Torchvision's network and ours, with the same weights."""
    torch.manual_seed(0)
    other, ours = theirs.mobilenet_v2(), models.mobilenet_v2()
    ours.load_state_dict(other.state_dict())
    return ours, other


def test_every_weight_has_torchvisions_name_place_and_shape(pair):
    ours, other = ([(key, one.shape) for key, one in network.state_dict().items()] for network in pair)
    assert ours == other
    assert count_parameters(pair[0]) == 3_504_872
    ours, other = ([type(one) for one in network.modules() if not list(one.children())] for network in pair)
    assert ours == other, "values above 6 are too rare to show a missing clip in the logits"


@pytest.mark.parametrize("training", [True, False])
def test_the_logits_and_gradients_are_torchvisions(pair, training):
    images = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    logits = []
    for network in pair:
        network.train(training).zero_grad()
        torch.manual_seed(5)  # the same units drop
        logits.append(network(images))
        logits[-1].square().sum().backward()
    assert torch.allclose(*logits, atol=1e-5)
    for (name, one), other in zip(pair[0].named_parameters(), pair[1].parameters(), strict=True):
        assert torch.allclose(one.grad, other.grad, rtol=1e-3, atol=1e-4), name


def test_fresh_weights_are_drawn_as_torchvisions():
    networks = []
    for build in (theirs.mobilenet_v2, models.mobilenet_v2):
        torch.manual_seed(3)
        networks.append(build(num_classes=10))
    ours = networks[1].state_dict()
    for key, other in networks[0].state_dict().items():
        assert torch.equal(ours[key], other), key
