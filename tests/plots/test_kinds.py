import pytest
from torch import nn

from course_lib.plots.volumes import CONVOLUTION, KIND_COLOURS, LINEAR, OTHER, POOLING, kind_of


@pytest.mark.parametrize(
    ("kind", "layers"),
    [
        (CONVOLUTION, [nn.Conv2d, nn.ConvTranspose2d]),
        (POOLING, [nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d]),
        (LINEAR, [nn.Linear]),
        (OTHER, [nn.BatchNorm2d, nn.ReLU, nn.Dropout, nn.Flatten]),
    ],
)
def test_kinds_of_torchs_layers(kind, layers):
    assert {kind_of(layer.__name__) for layer in layers} == {kind}


def test_convolution_pooling_and_linear_differ_in_colour():
    assert len({KIND_COLOURS[kind] for kind in (CONVOLUTION, POOLING, LINEAR, OTHER)}) == 4
