"""Trace one image through a network without computing anything: shapes, costs, receptive fields, skips.

The network runs on torch's ``meta`` device, where tensors have a shape and no values. So a trace takes milliseconds and
no memory, and leaves the model as it is.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.parametrize import is_parametrized
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from course_lib.analysis import arithmetic
from course_lib.models import dtype_of, meta_copy, shape_mismatch
from course_lib.models.classifier import first_line


@dataclass(frozen=True)
class Step:
    """One call of a layer. ``shape`` is its output's, without the batch dimension.

    ``multiply_adds`` are for one image. ``activation_bytes`` is what the output takes, 0 where the layer works in place
    or makes a view. ``field`` and ``jump`` are the receptive field of a unit and the distance of neighbouring units, in
    pixels: a number; ``"7×3"`` where height and width differ; None where the output is a vector or a unit sees all of
    the image; or ``"unknown"``, as after a transposed convolution. ``window`` and ``stride`` are those of convolutions
    and pools, else None.
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
    """A network's innermost layers in the order in which they ran, and its skip connections.

    A skip is a pair of layer names: the path forks after the first, and the output of the second is added to the other
    branch. ``parameters`` and ``multiply_adds`` are those of the whole network; work done outside of any innermost
    layer is in no step, but counts here.
    """

    steps: list[Step]
    skips: list[tuple[str, str]]
    parameters: int
    multiply_adds: int


def trace(model: nn.Module, input_shape: Iterable[int]) -> Trace:
    """Trace one image of ``input_shape`` (C, H, W) through ``model``, in evaluation mode.

    Raises: ValueError naming the layer and the shapes where the image does not fit, and as :func:`copy_of` does.
    """
    input_shape = tuple(input_shape)
    twin = meta_copy(model).eval()
    recorder = _Recorder(twin)
    try:
        # in inference mode a linear layer is one operation, which hides its product from the counter
        with torch.inference_mode(False), torch.no_grad(), torch.device("meta"):
            image = torch.empty(1, *input_shape, dtype=dtype_of(twin))
            recorder.follow(image, arithmetic.Path.of_image(image.shape))
            with recorder, _LocalPads():
                twin(image)
    except Exception as error:  # whatever the network's own code raises
        reason = shape_mismatch(model, torch.empty(1, *input_shape, device="meta"))
        raise ValueError(reason or first_line(error)) from error
    parameters = sum(parameter.numel() for parameter in model.parameters())
    return Trace(recorder.steps, recorder.skips, parameters, recorder.flops // 2)


class _Recorder(TorchDispatchMode):
    """Intercepts every operation of a forward pass; hooks assign it to a layer."""

    def __init__(self, model: nn.Module):
        super().__init__()
        self.steps: list[Step] = []
        self.skips: list[tuple[str, str]] = []
        self.flops = 0
        # by id, with the tensor, so that no other gets its id
        self._paths: dict[int, tuple[torch.Tensor, arithmetic.Path]] = {}
        self._mixed: dict[int, torch.Tensor] = {}  # by storage: a part of it was overwritten, so units differ
        self._counted: set[int] = set()  # ids of parameters that an earlier step has
        # layers whose forward is running: name, its inputs' storages, and the operations counted before it
        self._running: list[tuple[str, set[int], int]] = []
        self._watch(model)

    def follow(self, tensor: torch.Tensor, path: arithmetic.Path) -> None:
        self._paths[id(tensor)] = (tensor, path)

    def path_of(self, value: object) -> arithmetic.Path | None:
        """The path of a tensor that depends on the image, else None."""
        path = self._paths[id(value)][1] if id(value) in self._paths else None
        if isinstance(value, torch.Tensor) and storage_of(value) in self._mixed:
            return arithmetic.Path(None, steps=path.steps if path else frozenset())
        return path

    def _watch(self, model: nn.Module) -> None:
        """Hook the innermost layers; one whose weights are parametrised counts as innermost, too."""
        inside = {
            id(part) for layer in model.modules() if is_parametrized(layer) for part in layer.parametrizations.modules()
        }
        for name, layer in model.named_modules():
            children = {child for child, _ in layer.named_children()} - {"parametrizations"}
            if not children and id(layer) not in inside:
                layer.register_forward_pre_hook(self._begin(name or type(layer).__name__))
                layer.register_forward_hook(self._end)

    def _begin(self, name: str):
        def begin(layer: nn.Module, inputs: tuple) -> None:
            storages = {storage_of(tensor) for tensor in inputs if isinstance(tensor, torch.Tensor)}
            self._running.append((name, storages, self.flops))

        return begin

    def _end(self, layer: nn.Module, inputs: tuple, output: torch.Tensor) -> None:
        name, storages, flops_before = self._running.pop()
        tensors = tensors_in(output)
        if not tensors:
            raise ValueError("a layer returned no tensor, so there is nothing to trace")
        output = tensors[0]
        path = self.path_of(output) or arithmetic.Path(None)
        new = {id(weight): weight.numel() for weight in layer.parameters() if id(weight) not in self._counted}
        self._counted |= set(new)
        in_place = storage_of(output) in storages
        self.steps.append(
            Step(
                name=name,
                type=type_of(layer),
                shape=tuple(output.shape[1:]),
                parameters=sum(new.values()),
                multiply_adds=(self.flops - flops_before) // 2,
                activation_bytes=0 if in_place else output.numel() * output.element_size(),
                field=path.field,
                jump=path.jump,
                window=arithmetic.side_of(layer, "kernel_size"),
                stride=arithmetic.side_of(layer, "stride"),
            )
        )
        self.follow(output, path.through(len(self.steps) - 1))

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        result = function(*args, **kwargs)
        packet = function._overloadpacket
        if packet in flop_registry:
            self.flops += flop_registry[packet](*args, **kwargs, out_val=result)
        inputs = [path for tensor in tensors_in([args, kwargs]) if (path := self.path_of(tensor)) is not None]
        depends = bool(inputs) and not packet.__name__.startswith("new_") and not packet.__name__.endswith("_like")
        if depends:
            if packet in arithmetic.ADDITIONS and len(inputs) == 2:
                self._record_skip(inputs[0].steps, inputs[1].steps)
            for tensor in tensors_in(result):
                before, path = self.path_of(tensor), arithmetic.path_after(function, args, kwargs, tensor, self.path_of)
                self.follow(tensor, path)
                rewritten = function._schema.is_mutable and (before is None or before.sides != path.sides)
                if rewritten and tensor.numel() * tensor.element_size() < tensor.untyped_storage().nbytes():
                    self._mixed[storage_of(tensor)] = tensor
        return result

    def _record_skip(self, left: frozenset[int], right: frozenset[int]) -> None:
        """Two added paths forked at the last layer that both passed; the main path passed more layers since."""
        common = left & right
        if common and left != right:
            main = max(left, right, key=lambda steps: len(steps - common))
            self.skips.append((self.steps[max(common)].name, self.steps[max(main)].name))


def type_of(layer: nn.Module) -> str:
    """The name of a layer's class: where its weights are parametrised, of the one that it had before."""
    return (type(layer).__bases__[0] if is_parametrized(layer) else type(layer)).__name__


class _LocalPads(TorchFunctionMode):
    """Pads with copies of the border instead of circularly. Shapes are the same, and what a unit far from it sees."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if function is F.pad and kwargs.get("mode") == "circular":
            kwargs = kwargs | {"mode": "replicate"}
        return function(*args, **kwargs)


def tensors_in(value: object) -> list[torch.Tensor]:
    """All tensors in a tensor, or in lists, tuples and dictionaries of them."""
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    return [tensor for item in value for tensor in tensors_in(item)] if isinstance(value, list | tuple) else []


def storage_of(tensor: torch.Tensor) -> int:
    """An identifier of a tensor's storage: the same for two tensors if one is a view of the other."""
    return tensor.untyped_storage()._cdata
