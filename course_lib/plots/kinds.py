"""Kinds of layers, and the colour that each has in every figure."""

from course_lib.plots.figure import BLUE, GREEN, GREY, ORANGE

CONVOLUTION, POOLING, LINEAR, INPUT, OTHER = "convolution", "pooling", "linear", "input", "other"
KIND_COLOURS = {INPUT: GREY, CONVOLUTION: BLUE, POOLING: ORANGE, LINEAR: GREEN, OTHER: GREY}
QUIET = "#444444"  # for second lines of text


def kind_of(layer_type: str) -> str:
    """The kind of a layer from its class name: ``"Conv2d"`` is a convolution, ``"AdaptiveAvgPool2d"`` pooling."""
    if "Conv" in layer_type:
        return CONVOLUTION
    if "Pool" in layer_type:
        return POOLING
    return LINEAR if "Linear" in layer_type else OTHER
