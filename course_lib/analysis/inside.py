"""Look inside: the filters of a layer, and the maps that it makes of images."""

import difflib

import torch
from torch import nn

from course_lib.models import in_mode


def feature_maps(model: nn.Module, images: torch.Tensor, layer: str) -> torch.Tensor:
    """What the layer of that name makes of ``images``, in evaluation mode and without gradients.

    Args:
        model: any network; the mode of each layer is put back.
        images: what the network takes, (N, C, H, W), on any device.
        layer: a name as in ``layer_table``, such as ``features.0``.

    Returns: the layer's first output, on the CPU: (N, M, H, W) for a convolution.
    Raises: ValueError for a name that the network does not have, or a layer that does not run.
    """
    chosen, made = _layer(model, layer), []
    device = next((parameter.device for parameter in model.parameters()), images.device)
    # a copy, for the next layer may work in place
    handle = chosen.register_forward_hook(lambda _layer, _inputs, output: made.append(output.detach().clone()))
    try:
        with in_mode(model, training=False), torch.no_grad():
            model(images.to(device))
    finally:
        handle.remove()
    if not made:
        raise ValueError(f"{layer} did not run, so it has no feature maps")
    return made[0].cpu()


def filters(model: nn.Module, layer: str | None = None) -> torch.Tensor:
    """The weights of a convolution, (M, C, H, W), on the CPU: of the named one, or of the network's first.

    Raises: ValueError for a name that the network does not have, or a layer that is not a convolution.
    """
    if layer is not None:
        chosen = _layer(model, layer)
    else:
        chosen = next((one for one in model.modules() if isinstance(one, nn.Conv2d)), model)
    if not isinstance(chosen, nn.Conv2d):
        raise ValueError(f"{layer or type(model).__name__} ({type(chosen).__name__}) has no convolution's filters")
    return chosen.weight.detach().cpu().clone()


def _layer(model: nn.Module, name: str) -> nn.Module:
    named = dict(model.named_modules())
    if name not in named:
        near = difflib.get_close_matches(name, [one for one in named if one], n=3, cutoff=0.4)
        mend = f"did you mean {', '.join(near)}?" if near else "layer_table lists its layers"
        raise ValueError(f"{type(model).__name__} has no layer {name!r}: {mend}")
    return named[name]
