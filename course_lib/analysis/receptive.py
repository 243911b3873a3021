"""How much of the image a unit sees: by arithmetic, and by asking the network itself."""

import copy

import pandas as pd
import torch
from torch import nn
from torch.nn import functional as F

from course_lib.analysis.tracing import Trace, trace

_WINDOWS = (nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d)
_SIDES = (32, 64, 128, 256, 512, 1024, 2048)


def receptive_field(layers: nn.Module, input_shape: tuple[int, int, int] | None = None) -> pd.DataFrame:
    """Receptive field of each convolution and pooling layer, by arithmetic.

    With a jump of j input pixels between neighbouring units, a window of size k and dilation d adds (k - 1) d j to the
    field, and a stride multiplies the jump; where a skip joins, the larger field holds. Source: Araujo, Norris and Sim,
    Distill, 2019.

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
    return pd.DataFrame(rows, columns=columns).set_index("layer")


def receptive_field_by_gradient(layers: nn.Module) -> int:
    """Side of the square of input pixels that one unit of the last layer depends on, measured with a gradient.

    The layers are copied, made linear and positive (equal positive weights, max-pooling replaced by sums, every layer
    that acts on each unit alone left out), so that no dependence can cancel or be hidden. Then the gradient of one unit
    in the middle is not zero exactly where the unit looks.

    Args:
        layers: the convolutional part of a network: convolutions, pools, skips, and layers that act on each unit alone.

    Raises: ValueError where there is no convolution, or the output is not a stack of maps.
    """
    traced = _trace(layers, None)
    last = traced.steps[-1]
    if len(last.shape) != 3 or not isinstance(last.field, int):
        where = f"{last.name} ({last.type}) gives {'×'.join(str(side) for side in last.shape)}"
        raise ValueError(
            f"{where}, and its units see the whole image: give the convolutional part of the network alone"
        )
    side = last.field + 4 * last.jump
    linear = copy.deepcopy(layers).double().eval()
    for parent in list(linear.modules()):
        for name, layer in parent.named_children():
            if isinstance(layer, nn.MaxPool2d):
                setattr(parent, name, _SumPool(layer))
            elif not list(layer.children()) and not isinstance(layer, (*_WINDOWS, nn.ZeroPad2d)):
                setattr(parent, name, nn.Identity())
    for name, parameter in linear.named_parameters():
        nn.init.constant_(parameter, 0.0 if name.endswith("bias") else 1 / parameter[0].numel())
    image = torch.ones(1, _first_convolution(layers).in_channels, side, side, dtype=torch.float64, requires_grad=True)
    output = linear(image)
    output[0, 0, output.shape[2] // 2, output.shape[3] // 2].backward()
    seen = image.grad[0].abs().sum(dim=0) > 0
    rows = seen.any(dim=1).nonzero().flatten()
    return int(rows.max() - rows.min() + 1)


class _SumPool(nn.Module):
    """Takes the windows of a max-pool, and adds up instead."""

    def __init__(self, pool: nn.MaxPool2d):
        super().__init__()
        self.pool = pool

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        size, stride, padding, dilation = (
            (value, value) if isinstance(value, int) else tuple(value)
            for value in (self.pool.kernel_size, self.pool.stride, self.pool.padding, self.pool.dilation)
        )
        if self.pool.ceil_mode:  # a last, incomplete window counts, too
            maps = F.pad(maps, (0, stride[1] - 1, 0, stride[0] - 1))
        ones = torch.ones(maps.shape[1], 1, *size, dtype=maps.dtype) / (size[0] * size[1])
        return F.conv2d(maps, ones, None, stride, padding, dilation, groups=maps.shape[1])


def _first_convolution(layers: nn.Module) -> nn.Conv2d:
    found = next((layer for layer in layers.modules() if isinstance(layer, nn.Conv2d)), None)
    if found is None:
        raise ValueError(f"{type(layers).__name__} has no convolution, so its units have no receptive field")
    return found


def _trace(layers: nn.Module, input_shape: tuple[int, int, int] | None) -> Trace:
    """Trace with the given image, or with the smallest square one that fits."""
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
