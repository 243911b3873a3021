"""The receptive field of a unit: by arithmetic on windows and strides, and measured with a gradient."""

import copy

import pandas as pd
import torch
from torch import nn
from torch.nn import functional as F

from course_lib.analysis.arithmetic import square
from course_lib.analysis.tracing import Trace, trace

_WINDOWS = (nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d)
_POINTWISE = tuple(  # modules whose layers act on each unit alone
    f"torch.nn.modules.{kind}" for kind in ("activation", "batchnorm", "dropout", "instancenorm", "normalization")
)
_SIDES = (32, 64, 128, 256, 512, 1024, 2048)


def receptive_field(layers: nn.Module, input_shape: tuple[int, int, int] | None = None) -> pd.DataFrame:
    """Receptive field of each convolution and pooling layer, by arithmetic.

    With a jump of j input pixels between neighbouring units, a window of size k and dilation d adds (k - 1) d j to the
    field, and a stride multiplies the jump; where a skip joins, the larger field counts. Source: Araujo, Norris and
    Sim, Distill, 2019.

    Args:
        layers: a network, or the convolutional part of one.
        input_shape: (C, H, W) of one image; a network whose linear layers fit one size needs it, others find their own.

    Returns: a row a layer, indexed by its name: ``type``, ``window``, ``stride``, ``receptive field`` and ``jump``, all
        in pixels along one side.
    Raises: ValueError where there is no convolution or pooling, or no image fits.
    """
    types = {type(layer).__name__ for layer in layers.modules() if isinstance(layer, _WINDOWS)}
    rows = [
        [step.name, step.type, step.window, step.stride, step.field, step.jump]
        for step in _trace(layers, input_shape).steps
        if step.type in types
    ]
    columns = ["layer", "type", "window", "stride", "receptive field", "jump"]
    table = pd.DataFrame(rows, columns=columns, dtype=object).set_index("layer")
    numbers = [column for column in table if all(isinstance(value, int) for value in table[column])]
    return table.astype(dict.fromkeys(numbers, int))


@torch.inference_mode(False)
@torch.enable_grad()
def receptive_field_by_gradient(layers: nn.Module) -> int | str:
    """Side of the square of input pixels that one unit of the last layer depends on, measured with a gradient.

    A copy of the layers is made linear and positive (equal positive weights, max-pooling replaced by sums, pointwise
    layers left out), so that no dependence cancels or is hidden. Then the gradient of the unit in the middle is nonzero
    exactly at the pixels that it depends on. Where these reach the border, a larger image is taken.

    Args:
        layers: the convolutional part of a network: convolutions, pools, skips, and pointwise layers. Only modules are
            made linear, not functions that a ``forward`` calls, such as ``F.max_pool2d``.

    Returns: the side in pixels, or ``"4×9"`` (height × width) where the part is no square.
    Raises: ValueError where there is no convolution, or the output is not a stack of maps.
    """
    steps = _trace(layers, None).steps
    last = steps[-1]
    if len(last.shape) != 3 or last.field is None:
        where = f"{last.name} ({last.type}) gives {'×'.join(map(str, last.shape))}"
        raise ValueError(
            f"{where}, and its units see the whole image: give the convolutional part of the network alone"
        )
    linear = _made_linear(layers)
    side = max(_larger(step.field) + 4 * _larger(step.jump) for step in steps if step.field is not None)
    while side <= 2 * _SIDES[-1]:
        seen = _seen_by_middle_unit(linear, _first_convolution(layers).in_channels, side)
        axes = [seen.any(dim=other).nonzero().flatten() for other in (1, 0)]
        if all(len(pixels) and pixels.min() > 0 and pixels.max() < side - 1 for pixels in axes):
            return square([int(pixels.max() - pixels.min() + 1) for pixels in axes])
        side *= 2
    raise ValueError(f"{type(layers).__name__} has units that see more than {side // 2} pixels")


def _made_linear(layers: nn.Module) -> nn.Module:
    linear = copy.deepcopy(layers).double().eval().requires_grad_(False)
    for parent in list(linear.modules()):
        for name, layer in parent.named_children():
            if isinstance(layer, nn.MaxPool2d):
                setattr(parent, name, _SumPool(layer))
            elif type(layer).__module__ in _POINTWISE and not list(layer.children()):
                setattr(parent, name, nn.Identity())
    for name, parameter in linear.named_parameters():
        numbers = parameter[0].numel() if parameter.dim() else 1
        nn.init.constant_(parameter, 0.0 if name.endswith("bias") else 1 / numbers)
    return linear


def _seen_by_middle_unit(linear: nn.Module, channels: int, side: int) -> torch.Tensor:
    """Mask, (side, side), of the pixels that the unit in the middle depends on, in any of its channels."""
    image = torch.ones(1, channels, side, side, dtype=torch.float64, requires_grad=True)
    maps = linear(image)
    maps[0, :, maps.shape[2] // 2, maps.shape[3] // 2].sum().backward()
    return image.grad[0].abs().sum(dim=0) > 0


def _larger(sides: int | str) -> int:
    return max(int(side) for side in str(sides).split("×"))


class _SumPool(nn.Module):
    """Averages over the windows of a max-pool."""

    def __init__(self, pool: nn.MaxPool2d):
        super().__init__()
        self.pool = pool

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        size, stride, padding, dilation = (
            (value, value) if isinstance(value, int) else tuple(value)
            for value in (self.pool.kernel_size, self.pool.stride, self.pool.padding, self.pool.dilation)
        )
        height, width = self.pool(maps).shape[2:]
        if self.pool.ceil_mode:  # a last, incomplete window counts too
            maps = F.pad(maps, (0, stride[1] - 1, 0, stride[0] - 1))
        ones = torch.ones(maps.shape[1], 1, *size, dtype=maps.dtype) / (size[0] * size[1])
        return F.conv2d(maps, ones, None, stride, padding, dilation, groups=maps.shape[1])[..., :height, :width]


def _first_convolution(layers: nn.Module) -> nn.Conv2d:
    for layer in layers.modules():
        if isinstance(layer, nn.Conv2d):
            return layer
    raise ValueError(f"{type(layers).__name__} has no convolution, so its units have no receptive field")


def _trace(layers: nn.Module, input_shape: tuple[int, int, int] | None) -> Trace:
    """Trace with the given image shape, or with the smallest square image that fits."""
    first = _first_convolution(layers)
    if input_shape is not None:
        return trace(layers, input_shape)
    problem = None
    for side in _SIDES:
        try:
            return trace(layers, (first.in_channels, side, side))
        except ValueError as error:
            problem = problem or error
    raise ValueError(f"{problem}; say which image it was built for with input_shape=(C, H, W)")
