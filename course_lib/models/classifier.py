"""What every network of the course is: images in, logits out, and a clear answer where an image does not fit.

Beside it, two ways to look at any network that leave it as it is.
"""

import contextlib
from collections.abc import Iterator

import torch
from torch import nn


class Classifier(nn.Module):
    """Base of the course's networks: takes images (N, C, H, W), returns logits (N, num_classes).

    Calling it raises ValueError, naming the layer and the shapes, where an image has the wrong number of channels or is
    too small for the network.
    """

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        try:
            return super().__call__(images)
        except RuntimeError as error:
            reason = why_it_does_not_fit(self, images)
            if reason is None:  # not about shapes: no memory left, say
                raise
            raise ValueError(reason) from error


def why_it_does_not_fit(model: nn.Module, images: torch.Tensor) -> str | None:
    """Find the layer at which ``images`` (N, C, H, W) stop fitting ``model``, in one line; None where they do fit.

    The shape of one image goes through the network again, in evaluation mode and on torch's ``meta`` device, where
    tensors have no numbers: it can fail for its shape, and for no other reason. The model stays as it is.
    """
    reached: list[tuple[str, nn.Module, tuple[int, ...]]] = []

    def note(name: str):
        return lambda layer, inputs: reached.append((name, layer, tuple(inputs[0].shape[1:])))

    hooks = [
        layer.register_forward_pre_hook(note(name))
        for name, layer in model.named_modules()
        if not list(layer.children())
    ]
    holder = _Held(model)
    try:
        with torch.no_grad(), in_mode(model, training=False), torch.device("meta"):
            nowhere = weights_without_numbers(holder)
            number = next((one.dtype for one in nowhere.values() if one.is_floating_point()), None)
            torch.func.functional_call(holder, nowhere, (torch.empty(1, *images.shape[1:], dtype=number),))
    except (NotImplementedError, torch.cuda.OutOfMemoryError):
        return None
    except RuntimeError as error:
        needs_numbers = "meta tensor" in str(error).lower()
        return None if needs_numbers else _explain(model, tuple(images.shape[1:]), reached, error)
    finally:
        for hook in hooks:
            hook.remove()
    return None


class _Held(nn.Module):
    """Calls a network past :class:`Classifier`'s own ``__call__``, which would ask why it does not fit."""

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return nn.Module.__call__(self.model, images)


def _explain(model: nn.Module, image: tuple[int, ...], reached: list, error: RuntimeError) -> str:
    whole = f"an image of {_shape(image)} does not fit {type(model).__name__}"
    if not reached:
        return f"{whole}: {_first_line(error)}"
    if isinstance(reached[0][1], nn.Conv2d) and len(image) != 3:
        return f"{whole}: it takes a batch of shape (N, C, H, W), and of this one each image is {_shape(image)}"
    name, layer, shape = reached[-1]
    where = f"{whole}: {name or 'its only layer'} ({type(layer).__name__})"
    if isinstance(layer, nn.Conv2d) and shape[0] != layer.in_channels:
        mend = f"build the network with in_channels={shape[0]}, or give it images of {layer.in_channels}"
        return f"{where} takes {layer.in_channels} channels, and {_shape(shape)} reached it; {mend}"
    if isinstance(layer, nn.Linear):
        mend = "give it the image size that it was built for"
        return f"{where} takes {layer.in_features:,} numbers, and {_shape(shape)} reached it; {mend}"
    return f"{where} cannot work on {_shape(shape)}; give it a larger image ({_first_line(error)})"


def _shape(sides: tuple[int, ...]) -> str:
    return "×".join(str(side) for side in sides)


def _first_line(error: RuntimeError) -> str:
    return str(error).strip().splitlines()[0]


def scaled(channels: int, width: float) -> int:
    """``channels`` times the ``width`` of a network, rounded, at least 1. Source: Howard et al., 2017, section 3.3.

    Raises: ValueError for a width that is not above 0.
    """
    if not width > 0:
        raise ValueError(f"width must be above 0, not {width}")
    return max(1, round(channels * width))


def weights_without_numbers(model: nn.Module) -> dict[str, torch.Tensor]:
    """Parameters, then buffers of ``model`` on the ``meta`` device, by name: for ``torch.func.functional_call``.

    Each has the shape, the type and the memory format of the real one, and needs a gradient where that needs one. A
    tensor that two layers share is there once. They take no memory, and the model stays as it is.
    """
    tensors = [*model.named_parameters(), *model.named_buffers()]
    return {
        name: torch.empty_like(tensor, device="meta", requires_grad=tensor.requires_grad) for name, tensor in tensors
    }


@contextlib.contextmanager
def in_mode(model: nn.Module, training: bool) -> Iterator[None]:
    """Put every layer of ``model`` into one mode inside the ``with`` block; then each has its own mode again.

    That holds after an error, too, and where the layers' modes differ, such as frozen layers in evaluation mode.

    Args:
        model: any network.
        training: True for training mode, False for evaluation mode.
    """
    modes = {layer: layer.training for layer in model.modules()}
    try:
        model.train(training)
        yield
    finally:
        for layer, mode in modes.items():
            layer.training = mode
