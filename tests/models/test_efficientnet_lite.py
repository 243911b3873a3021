"""EfficientNet-Lite0: its sizes, and the padding without which its weights are worth less."""

import pytest
import torch
from torch.nn import functional as F

from course_lib import models
from course_lib.models.efficientnet_lite import SameConv2d, _batch_norm, _conv_bn_relu6
from course_lib.models.mobilenet import InvertedResidual


@pytest.fixture(scope="module")
def unreal():
    """The network without numbers."""
    with torch.device("meta"):
        return models.efficientnet_lite0()


@pytest.mark.parametrize(
    ("kernel", "sides", "padding"),  # left, right, above, below
    [(3, (8, 8), (0, 1, 0, 1)), (3, (9, 7), (1, 1, 1, 1)), (5, (8, 9), (2, 2, 1, 2))],
)
def test_a_stride_of_2_pads_as_tensorflow(kernel, sides, padding):
    layer = SameConv2d(2, 2, kernel, stride=2, groups=2, bias=False)
    images = torch.rand(1, 2, *sides)
    by_hand = F.conv2d(F.pad(images, padding), layer.weight, stride=2, groups=2)
    assert torch.allclose(layer(images), by_hand, atol=1e-6)


def test_batch_norm_and_activation_are_those_of_the_original(unreal):
    norms = [layer for layer in unreal.modules() if isinstance(layer, torch.nn.BatchNorm2d)]
    assert {(layer.eps, layer.momentum) for layer in norms} == {(1e-3, 0.01)}
    assert {type(layer) for layer in unreal.modules() if "ReLU" in type(layer).__name__} == {torch.nn.ReLU6}


@pytest.mark.parametrize("build", [models.mobilenet_v2, models.efficientnet_lite0])
def test_channels_classes_and_sides_are_free(build):
    with torch.device("meta"):
        assert build(num_classes=10, in_channels=1)(torch.empty(2, 1, 33, 47)).shape == (2, 10)


@pytest.mark.parametrize(
    "options", [{"kernel_size": 3}, {"kernel_size": 5, "layer": _conv_bn_relu6, "norm": _batch_norm}]
)
@pytest.mark.parametrize(("channels", "stride", "added"), [(8, 1, True), (8, 2, False), (12, 1, False)])
def test_the_input_is_added_only_where_the_shape_stays(options, channels, stride, added):
    x = torch.rand(1, 8, 6, 6)
    layer = InvertedResidual(8, channels, stride=stride, expansion=6, **options).eval()
    for parameter in layer.conv[-1].parameters():
        parameter.data.zero_()  # the last batch norm gives zeros
    output = layer(x)
    assert torch.equal(output, x if added else torch.zeros_like(output))
