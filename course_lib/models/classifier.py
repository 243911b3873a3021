"""The base class of the course's networks, and helpers that run any network without changing it."""

import contextlib
import copy
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
            reason = None if images.is_meta else shape_mismatch(self, images)
            if reason is None:  # not about shapes: no memory left, say
                raise
            raise ValueError(reason) from error


def shape_mismatch(model: nn.Module, images: torch.Tensor) -> str | None:
    """Describe in one line the layer at which ``images`` (N, C, H, W) stop fitting ``model``; None where they fit.

    One image's shape goes through the network again, in evaluation mode and on torch's ``meta`` device, where tensors
    have no values: it can fail for its shape, and for no other reason. The model stays as it is.
    """
    reached: list[tuple[str, nn.Module, tuple[int, ...]]] = []

    def record(name: str):
        return lambda layer, inputs: reached.append((name, layer, tuple(inputs[0].shape[1:])))

    twin = meta_copy(model).eval()
    for name, layer in twin.named_modules():
        if not list(layer.children()):
            layer.register_forward_pre_hook(record(name))
    try:
        with torch.no_grad(), torch.device("meta"):
            twin(torch.empty(1, *images.shape[1:], dtype=dtype_of(twin)))
    except (NotImplementedError, torch.cuda.OutOfMemoryError):
        return None
    except RuntimeError as error:
        needs_values = "meta tensor" in str(error).lower()
        return None if needs_values else _explain(model, tuple(images.shape[1:]), reached, error)
    return None


def _explain(model: nn.Module, image: tuple[int, ...], reached: list, error: RuntimeError) -> str:
    problem = f"an image of {_shape(image)} does not fit {type(model).__name__}"
    cause = str(error).strip().splitlines()[0]
    if not reached:
        return f"{problem}: {cause}"
    if isinstance(reached[0][1], nn.Conv2d) and len(image) != 3:
        return f"{problem}: it takes a batch of shape (N, C, H, W), and of this one each image is {_shape(image)}"
    name, layer, shape = reached[-1]
    problem += f": {name or 'its only layer'} ({type(layer).__name__})"
    if isinstance(layer, nn.Conv2d) and shape[0] != layer.in_channels:
        fix = f"build the network with in_channels={shape[0]}, or give it images of {layer.in_channels}"
        return f"{problem} takes {layer.in_channels} channels, and {_shape(shape)} reached it; {fix}"
    if isinstance(layer, nn.Linear):
        fix = "give it the image size that it was built for"
        return f"{problem} takes {layer.in_features:,} numbers, and {_shape(shape)} reached it; {fix}"
    return f"{problem} cannot work on {_shape(shape)}; give it a larger image ({cause})"


def _shape(sides: tuple[int, ...]) -> str:
    return "×".join(str(side) for side in sides)


def scaled(channels: int, width: float) -> int:
    """``channels`` times the ``width`` of a network, rounded, at least 1. Source: Howard et al., 2017, section 3.3.

    Raises: ValueError for a width that is not above 0.
    """
    if not width > 0:
        raise ValueError(f"width must be above 0, not {width}")
    return max(1, round(channels * width))


def meta_copy(model: nn.Module) -> nn.Module:
    """A copy of ``model`` whose tensors are on the ``meta`` device: shapes and number formats without values.

    It takes no memory, and whatever runs in it leaves the model as it is. Layers and tensors that stand in several
    places of the model do so in the copy, too.
    """
    tensors = [*model.parameters(), *model.buffers()]
    tensors += [value for layer in model.modules() for value in vars(layer).values() if isinstance(value, torch.Tensor)]
    twins = {}
    for tensor in tensors:
        twin = torch.empty_like(tensor, device="meta")
        twins[id(tensor)] = nn.Parameter(twin, tensor.requires_grad) if isinstance(tensor, nn.Parameter) else twin
    return copy.deepcopy(model, twins)


def dtype_of(model: nn.Module) -> torch.dtype | None:
    """The number format of the first floating-point parameter or buffer; None where there is none."""
    tensors = (*model.parameters(), *model.buffers())
    return next((tensor.dtype for tensor in tensors if tensor.is_floating_point()), None)


@contextlib.contextmanager
def in_mode(model: nn.Module, training: bool) -> Iterator[None]:
    """Put every layer of ``model`` into training or evaluation mode inside the ``with`` block.

    Then each layer has its own mode again: after an error, too, and where the layers' modes differed.
    """
    modes = {layer: layer.training for layer in model.modules()}
    try:
        model.train(training)
        yield
    finally:
        for layer, mode in modes.items():
            layer.training = mode
