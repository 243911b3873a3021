"""Look inside a network: its source code, the filters of a layer, and the feature maps it makes of images."""

import difflib
import inspect
from collections.abc import Callable

import torch
from torch import nn

from course_lib.models import in_mode


class Source:
    """The source text of functions or classes; notebooks show it as highlighted Python.

    Raises: TypeError for an object that has no source, such as a number.
    """

    def __init__(self, *objects: Callable):
        self.text = "\n\n".join(inspect.getsource(item).rstrip() for item in objects)

    def _repr_markdown_(self) -> str:
        return f"```python\n{self.text}\n```"

    def __repr__(self) -> str:
        return self.text


def feature_maps(model: nn.Module, images: torch.Tensor, layer: str) -> torch.Tensor:
    """Output of one layer for ``images``, in evaluation mode and without gradients.

    Args:
        model: any network; the mode of each layer is put back.
        images: what the network takes, (N, C, H, W), on any device.
        layer: a name as in ``layer_table``, such as ``features.0``.

    Returns: the layer's first output, on the CPU: (N, M, H, W) for a convolution.
    Raises: ValueError for a name that the network does not have, or a layer that does not run.
    """
    outputs: list[torch.Tensor] = []
    device = next((parameter.device for parameter in model.parameters()), images.device)
    # a copy, because the next layer may work in place
    hook = _layer(model, layer).register_forward_hook(
        lambda _layer, _inputs, output: outputs.append(output.detach().clone())
    )
    try:
        with in_mode(model, training=False), torch.no_grad():
            model(images.to(device))
    finally:
        hook.remove()
    if not outputs:
        raise ValueError(f"{layer} did not run, so it has no feature maps")
    return outputs[0].cpu()


def filters(model: nn.Module, layer: str | None = None) -> torch.Tensor:
    """Weights of a convolution, (M, C, H, W), on the CPU: of the named one, or of the network's first.

    Raises: ValueError for a name that the network does not have, or a layer that is not a convolution.
    """
    if layer is not None:
        convolution = _layer(model, layer)
    else:
        convolution = next((module for module in model.modules() if isinstance(module, nn.Conv2d)), model)
    if not isinstance(convolution, nn.Conv2d):
        name = layer or type(model).__name__
        raise ValueError(f"{name} ({type(convolution).__name__}) has no convolution's filters")
    return convolution.weight.detach().cpu().clone()


def _layer(model: nn.Module, name: str) -> nn.Module:
    layers = dict(model.named_modules())
    if name not in layers:
        near = difflib.get_close_matches(name, [known for known in layers if known], n=3, cutoff=0.4)
        fix = f"did you mean {', '.join(near)}?" if near else "layer_table lists its layers"
        raise ValueError(f"{type(model).__name__} has no layer {name!r}: {fix}")
    return layers[name]
