"""The base class of the course's networks, and helpers that run any network without changing it."""

import contextlib
import copy
import inspect
from collections.abc import Callable, Iterator

import torch
from torch import nn
from torch.nn.parameter import is_lazy
from torch.utils._pytree import tree_leaves


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
        return lambda layer, inputs: reached.append((name, layer, tuple(getattr((*inputs, 0)[0], "shape", ())[1:])))

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
    cause = first_line(error)
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

    It takes no memory, and whatever runs in it leaves the model as it is: see :func:`copy_of`.
    """
    return copy_of(model, lambda tensor: torch.empty_like(tensor, device="meta"))


def copy_of(model: nn.Module, twin_of: Callable[[torch.Tensor], torch.Tensor]) -> nn.Module:
    """A copy of ``model``, without its hooks, in which each tensor is replaced by ``twin_of(tensor)``.

    Layers and tensors that stand in several places of the model do so in the copy, too. Of a compiled or parallel
    network, the network inside is copied.

    Raises: ValueError where the network has lazy layers that saw no image yet, or takes several inputs; TypeError where
        it is a TorchScript, or holds something that cannot be copied.
    """
    model = getattr(model, "_orig_mod", model)
    model = model.module if isinstance(model, nn.DataParallel) else model
    name = type(model).__name__
    if any(isinstance(layer, torch.jit.ScriptModule) for layer in model.modules()):
        raise TypeError(f"{name} is a script, in which nothing can be traced: give the network that it was made from")
    if any(map(is_lazy, [*model.parameters(), *model.buffers()])):
        raise ValueError(f"{name} has lazy layers, whose sizes are not known yet: call it on a batch of images first")
    required = [
        argument.name
        for argument in inspect.signature(model.forward).parameters.values()
        if argument.default is argument.empty and argument.kind not in (argument.VAR_POSITIONAL, argument.VAR_KEYWORD)
    ]
    if len(required) > 1:
        raise ValueError(
            f"{name} takes {len(required)} inputs ({', '.join(required)}), not images alone: wrap it in a module that "
            "takes images and makes the others"
        )
    copies = {}
    for layer in model.modules():
        copies |= {id(hooks): type(hooks)() for key, hooks in vars(layer).items() if key.endswith("_hooks")}
        for tensor in tree_leaves(vars(layer)):
            if isinstance(tensor, torch.Tensor) and id(tensor) not in copies:
                twin = twin_of(tensor.detach())
                trained = isinstance(tensor, nn.Parameter)
                copies[id(tensor)] = nn.Parameter(twin, tensor.requires_grad) if trained else twin
    try:
        return copy.deepcopy(model, copies)
    except (TypeError, RuntimeError) as error:
        raise TypeError(f"{name} cannot be copied, so nothing can be traced in it: {first_line(error)}") from error


def logits_in(output: object, count: int, name: str) -> torch.Tensor:
    """``output`` of a network of that name for ``count`` images, where it is logits: floats of shape (count, K).

    Raises: ValueError for anything else.
    """
    if isinstance(output, torch.Tensor) and output.is_floating_point() and output.shape[:-1] == (count,):
        return output
    shown = type(output).__name__
    if isinstance(output, torch.Tensor):
        shown = f"{str(output.dtype).removeprefix('torch.')} of shape {tuple(output.shape)}"
    wanted = f"not logits of shape ({count}, classes): wrap it in a module that returns logits alone"
    raise ValueError(f"{name} returns {shown} for {count} images, {wanted}")


def first_line(error: BaseException) -> str:
    """The first line of an error's message, or the error's name where it has none."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


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
