"""The receptive field of a unit: by arithmetic on windows and strides, and measured with a gradient."""

import math

import pandas as pd
import torch
from torch import nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from course_lib.analysis.arithmetic import UNKNOWN, square
from course_lib.analysis.tracing import Step, tensors_in, trace, type_of
from course_lib.models.classifier import copy_of

_WINDOWS = (nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d)
_BRIGHTNESS = (1e-6, -1, 100)  # nothing saturates at the first; what is dead there lives at another
_SIDES = (32, 64, 128, 256, 512, 1024, 2048)
_UNKNOWN_SIDE = 256  # where it is not known whether a unit sees the whole image, larger ones are not tried


def receptive_field(layers: nn.Module, input_shape: tuple[int, int, int] | None = None) -> pd.DataFrame:
    """Receptive field of each convolution and pooling layer, by arithmetic.

    With a jump of j input pixels between neighbouring units, a window of size k and dilation d adds (k - 1) d j to the
    field, and a stride multiplies the jump; where a skip joins, the larger field counts. Source: Araujo, Norris and
    Sim, Distill, 2019.

    Args:
        layers: a network, or the convolutional part of one.
        input_shape: (C, H, W) of one image; a network whose linear layers fit one size needs it, others find their own.

    Returns: a row a layer, indexed by its name: ``type``, ``window``, ``stride``, ``receptive field`` and ``jump``, all
        in pixels along one side. The last two are None where a unit sees the whole image, and ``unknown`` behind an
        operation that the arithmetic does not cover, such as a flip.
    Raises: ValueError where there is no convolution or pooling, or no image fits.
    """
    types = {type_of(layer) for layer in layers.modules() if isinstance(layer, _WINDOWS)}
    rows = [
        [step.name, step.type, step.window, step.stride, step.field, step.jump]
        for step in _trace(layers, input_shape)[0]
        if step.type in types
    ]
    columns = ["layer", "type", "window", "stride", "receptive field", "jump"]
    table = pd.DataFrame(rows, columns=columns, dtype=object).set_index("layer")
    numbers = [column for column in table if all(isinstance(value, int) for value in table[column])]
    return table.astype(dict.fromkeys(numbers, int))


@torch.inference_mode(False)
@torch.enable_grad()
def receptive_field_by_gradient(layers: nn.Module, input_shape: tuple[int, int, int] | None = None) -> int | str:
    """Side of the square of input pixels that one unit of the last layer depends on, measured with a gradient.

    A copy of the layers gets positive weights, and averages take the place of maxima, so that no dependence cancels or
    is hidden. Then the gradient of the unit in the middle is nonzero exactly at the pixels that it depends on. Since
    activations are flat at some values, images of different brightness are tried. Where the pixels reach the border, a
    larger image is taken.

    Args:
        layers: the convolutional part of a network: convolutions, pools, skips, and pointwise layers.
        input_shape: (C, H, W) of an image that fits, for layers that do not find one by themselves.

    Returns: the side in pixels, or ``"4×9"`` (height × width) where the part is no square.
    Raises: ValueError where there is no convolution, the output is not a stack of maps, or a unit sees the whole image.
    """
    steps, shape = _trace(layers, input_shape)
    last = steps[-1]
    if len(last.shape) != 3 or last.field is None:
        where = f"{last.name} ({last.type}) gives {'×'.join(map(str, last.shape))}"
        raise ValueError(
            f"{where}, and its units see the whole image: give the convolutional part of the network alone"
        )
    known = [step for step in steps if step.field not in (None, UNKNOWN)]
    side = max(*shape[1:], *(_larger(step.field) + 4 * _larger(step.jump) for step in known))
    linear = _made_linear(layers)
    while side <= 2 * (_SIDES[-1] if last.field != UNKNOWN else _UNKNOWN_SIDE):
        side = _fitting_side(layers, shape[0], side)
        seen = _seen_by_middle_unit(linear, shape[0], side)
        axes = [seen.any(dim=other).nonzero().flatten() for other in (1, 0)]
        if all(len(pixels) and pixels.min() > 0 and pixels.max() < side - 1 for pixels in axes):
            return square([int(pixels.max() - pixels.min() + 1) for pixels in axes])
        side *= 2
    raise ValueError(f"{type(layers).__name__} has units that see more than {side // 2} pixels, or the whole image")


def _made_linear(layers: nn.Module) -> nn.Module:
    draw = torch.Generator().manual_seed(0)

    def positive(tensor: torch.Tensor) -> torch.Tensor:
        if not tensor.is_floating_point():
            return tensor.cpu().clone()
        numbers = tensor[0].numel() if tensor.dim() else 1
        return (torch.rand(tensor.shape, generator=draw, dtype=torch.float64) + 0.5) / numbers  # unequal: none cancel

    linear = copy_of(layers, positive).eval().requires_grad_(False)
    for name, parameter in linear.named_parameters():
        if name.endswith("bias"):
            parameter.zero_()
    for layer in linear.modules():
        if isinstance(layer, nn.modules.batchnorm._NormBase):
            layer.reset_running_stats()
    return linear


def _seen_by_middle_unit(linear: nn.Module, channels: int, side: int) -> torch.Tensor:
    """Mask, (side, side), of the pixels that the unit in the middle depends on, in any of its channels."""
    seen = torch.zeros(side, side, dtype=torch.bool)
    draw = torch.Generator().manual_seed(0)
    for brightness in _BRIGHTNESS:
        image = brightness * (torch.rand(1, channels, side, side, generator=draw, dtype=torch.float64) + 0.5)
        with _AveragePools():
            maps = tensors_in(linear(image.requires_grad_()))[0]
        unit = maps[0, :, maps.shape[2] // 2, maps.shape[3] // 2]
        (unit @ torch.rand(len(unit), generator=draw, dtype=torch.float64)).backward()
        seen |= (image.grad[0] != 0).any(dim=0)
    return seen


def _fitting_side(layers: nn.Module, channels: int, at_least: int) -> int:
    """The smallest side of a square image that fits: branches with strides can meet at some sides only."""
    problem = None
    for side in range(at_least, at_least + 64):
        try:
            trace(layers, (channels, side, side))
            return side
        except ValueError as error:
            problem = problem or error
    raise problem


def _larger(sides: int | str) -> int:
    return max(int(side) for side in str(sides).split("×"))


class _AveragePools(TorchFunctionMode):
    """Replaces max-pooling by averages over the same windows."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        name = getattr(function, "__name__", "")
        if name.startswith("adaptive_max_pool2d"):
            return F.adaptive_avg_pool2d(args[0], args[1])
        if name.startswith("max_pool2d"):
            return _averages(*args, **(kwargs or {}))
        return function(*args, **(kwargs or {}))


def _averages(maps, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    """The arguments of ``F.max_pool2d``, with averages instead of maxima."""
    pooled, indices = F.max_pool2d(maps, kernel_size, stride, padding, dilation, ceil_mode, return_indices=True)
    settings = (kernel_size, stride or kernel_size, padding, dilation)
    size, stride, padding, dilation = ((value, value) if isinstance(value, int) else tuple(value) for value in settings)
    height, width = pooled.shape[2:]
    if ceil_mode:  # a last, incomplete window counts too
        maps = F.pad(maps, (0, stride[1] - 1, 0, stride[0] - 1))
    ones = torch.ones(maps.shape[1], 1, *size, dtype=maps.dtype) / math.prod(size)
    pooled = F.conv2d(maps, ones, None, stride, padding, dilation, groups=maps.shape[1])[..., :height, :width]
    return (pooled, indices) if return_indices else pooled


def _first_convolution(layers: nn.Module) -> nn.Conv2d:
    for layer in layers.modules():
        if isinstance(layer, nn.Conv2d):
            return layer
    raise ValueError(f"{type(layers).__name__} has no convolution, so its units have no receptive field")


def _trace(layers: nn.Module, input_shape: tuple[int, int, int] | None) -> tuple[list[Step], tuple[int, int, int]]:
    """Trace an image of the given shape, or the smallest square one that fits, and return its shape as well."""
    if input_shape is not None:
        return trace(layers, input_shape).steps, tuple(input_shape)
    channels, problem = _first_convolution(layers).in_channels, None
    for side in (*_SIDES, *range(_SIDES[0] + 1, _SIDES[1])):
        try:
            return trace(layers, (channels, side, side)).steps, (channels, side, side)
        except ValueError as error:
            problem = problem or error
    misfit = "does not fit" in str(problem)
    raise ValueError(f"{problem}; say which image it was built for with input_shape=(C, H, W)") if misfit else problem
