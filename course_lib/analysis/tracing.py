"""Follow one image through a network without computing anything: shapes, costs, receptive fields, skips.

The network runs on torch's ``meta`` device, where tensors have a shape and no numbers. So a trace takes milliseconds,
needs no memory, and leaves the model as it is.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from course_lib.analysis import paths
from course_lib.models import in_mode, weights_without_numbers, why_it_does_not_fit


@dataclass(frozen=True)
class Step:
    """One layer at work. ``shape`` is its output's, without the batch dimension.

    ``multiply_adds`` are for one image. ``activation_bytes`` is what the output takes, 0 where the layer works in place
    or makes a view. ``field`` and ``jump`` are the receptive field of a unit and the distance of neighbouring units, in
    pixels: a number, ``"7×3"`` where height and width differ, or None where a unit sees the whole image (or where no
    arithmetic is known, as behind a transposed convolution). ``window`` and ``stride`` are those of convolutions and
    pools, else None.
    """

    name: str
    type: str
    shape: tuple[int, ...]
    parameters: int
    multiply_adds: int
    activation_bytes: int
    field: int | str | None
    jump: int | str | None
    window: int | str | None
    stride: int | str | None


@dataclass(frozen=True)
class Trace:
    """A network's innermost layers in the order in which they ran, and the places where two paths are added.

    A skip is a pair of layer names: after the first the path forks, and the output of the second meets the other branch
    in an addition. ``parameters`` and ``multiply_adds`` are those of the whole network; work done outside of any
    innermost layer is in no step, but counts here.
    """

    steps: list[Step]
    skips: list[tuple[str, str]]
    parameters: int
    multiply_adds: int


def trace(model: nn.Module, input_shape: Iterable[int]) -> Trace:
    """Send one image of ``input_shape`` (C, H, W) through ``model``, in evaluation mode.

    Raises: ValueError naming the layer and the shapes where the image does not fit.
    """
    input_shape = tuple(input_shape)
    recorder = _Recorder(model)
    hooks = recorder.hooks()
    try:
        # inference mode would hide what a linear layer is made of
        with in_mode(model, training=False), torch.inference_mode(False), torch.no_grad(), torch.device("meta"):
            nowhere = weights_without_numbers(model)
            image = torch.empty(1, *input_shape)
            recorder.follow(image, paths.Path.of_pixels(len(input_shape) - 1))
            with recorder:
                torch.func.functional_call(model, nowhere, (image,))
    except RuntimeError as error:
        reason = why_it_does_not_fit(model, torch.empty(1, *input_shape, device="meta"))
        raise ValueError(reason or str(error).splitlines()[0]) from error
    finally:
        for hook in hooks:
            hook.remove()
    parameters = sum(parameter.numel() for parameter in model.parameters())
    return Trace(recorder.steps, recorder.skips, parameters, recorder.flops // 2)


@dataclass
class _Running:
    """A layer that is just at work."""

    name: str
    storages: set[int]
    before: int


class _Recorder(TorchDispatchMode):
    """Sees every operation of a forward pass, and by hooks which layer it belongs to."""

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model
        self.steps: list[Step] = []
        self.skips: list[tuple[str, str]] = []
        self.flops = 0
        self._paths: dict[int, tuple[torch.Tensor, paths.Path]] = {}  # the tensor is kept, so its id stays its own
        self._counted: set[int] = set()  # the parameters that some step has already
        self._running: list[_Running] = []

    def follow(self, tensor: torch.Tensor, path: paths.Path) -> None:
        self._paths[id(tensor)] = (tensor, path)

    def path_of(self, tensor: object) -> paths.Path | None:
        return self._paths[id(tensor)][1] if id(tensor) in self._paths else None

    def hooks(self) -> list:
        handles = []
        for name, layer in self.model.named_modules():
            if not list(layer.children()):
                label = name or type(layer).__name__
                handles.append(layer.register_forward_pre_hook(self._begin(label)))
                handles.append(layer.register_forward_hook(self._end))
        return handles

    def _begin(self, name: str):
        def begin(layer: nn.Module, inputs: tuple) -> None:
            storages = {storage_of(one) for one in inputs if isinstance(one, torch.Tensor)}
            self._running.append(_Running(name, storages, self.flops))

        return begin

    def _end(self, layer: nn.Module, inputs: tuple, output: torch.Tensor) -> None:
        running = self._running.pop()
        output = output if isinstance(output, torch.Tensor) else _first_tensor(output)
        path = self.path_of(output) or paths.Path(None)
        new = {id(one): one.numel() for one in layer.parameters() if id(one) not in self._counted}
        self._counted |= set(new)
        held = 0 if storage_of(output) in running.storages else output.numel() * output.element_size()
        self.steps.append(
            Step(
                name=running.name,
                type=type(layer).__name__,
                shape=tuple(output.shape[1:]),
                parameters=sum(new.values()),
                multiply_adds=(self.flops - running.before) // 2,
                activation_bytes=held,
                field=path.field,
                jump=path.jump,
                window=paths.side_of(layer, "kernel_size"),
                stride=paths.side_of(layer, "stride"),
            )
        )
        self.follow(output, path.through(len(self.steps) - 1))

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        result = function(*args, **kwargs)
        packet = function._overloadpacket
        if packet in flop_registry:
            self.flops += flop_registry[packet](*args, **kwargs, out_val=result)
        inputs = [self.path_of(one) for one in tensors_in(args)]
        inputs = [path for path in inputs if path is not None]
        if inputs:
            if packet in paths.ADDITIONS and len(inputs) == 2:
                self._note_skip(*inputs)
            path = paths.after(function, args, kwargs, result, inputs)
            for one in tensors_in(result):
                self.follow(one, path)
        return result

    def _note_skip(self, one: paths.Path, other: paths.Path) -> None:
        """Two paths are added: they forked at the last layer that both passed; the main one passed more since."""
        common = one.steps & other.steps
        if common and one.steps != other.steps:
            main = max(one.steps, other.steps, key=lambda steps: len(steps - common))
            self.skips.append((self.steps[max(common)].name, self.steps[max(main)].name))


def tensors_in(value: object) -> list[torch.Tensor]:
    """All tensors in a tensor, or in lists, tuples and dictionaries of them."""
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    return [tensor for one in value for tensor in tensors_in(one)] if isinstance(value, list | tuple) else []


def _first_tensor(output: object) -> torch.Tensor:
    found = tensors_in(output)
    if not found:
        raise ValueError("a layer returned no tensor, so there is nothing to trace")
    return found[0]


def storage_of(tensor: torch.Tensor) -> int:
    """What two tensors share if one is a view of the other."""
    return tensor.untyped_storage()._cdata
