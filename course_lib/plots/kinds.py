"""Kinds of layers, and the colour that each has in every figure; numbers written as people say them."""

from course_lib.plots.figure import BLUE, GREEN, GREY, ORANGE

CONVOLUTION, POOLING, LINEAR, INPUT, OTHER = "convolution", "pooling", "linear", "input", "other"
KIND_COLOURS = {INPUT: GREY, CONVOLUTION: BLUE, POOLING: ORANGE, LINEAR: GREEN, OTHER: GREY}


def kind_of(layer_type: str) -> str:
    """The kind of a layer from its class name: ``"Conv2d"`` is a convolution, ``"AdaptiveAvgPool2d"`` pooling."""
    if "Conv" in layer_type:
        return CONVOLUTION
    if "Pool" in layer_type:
        return POOLING
    return LINEAR if "Linear" in layer_type else OTHER


def is_norm(layer_type: str) -> bool:
    """Whether a class name is that of a normalisation."""
    return "Norm" in layer_type


def spoken(number: float) -> str:
    """A count in three digits: 640, 1.8 k, 29.8 M, 138 M, 15.5 G."""
    for unit in ("", " k", " M", " G"):
        if number < 999.5 or unit == " G":
            break
        number /= 1000
    decimals = 0 if not unit or number >= 99.95 else 1
    return f"{number:,.{decimals}f}{unit}"


def percent(share: float) -> str:
    """A share in percent that is never rounded to nothing or to all."""
    if 0 < share < 0.001:
        return "<0.1 %"
    if 0.999 < share < 1:
        return ">99.9 %"
    return f"{share:.0%}".replace("%", " %") if share in (0, 1) else f"{100 * share:.1f} %"
