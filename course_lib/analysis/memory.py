"""Memory that a training step takes, counted before the first step."""

import math
import weakref
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import pandas as pd
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode

from course_lib.analysis.tracing import Step, storage_of, tensors_in, trace
from course_lib.models import dtype_of, meta_copy, shape_mismatch
from course_lib.models.classifier import first_line, logits_in

INDEX_BYTES = 8  # max-pools keep int64 indices, whatever the precision


@dataclass(frozen=True)
class TrainingMemory:
    """Bytes that training holds at the peak of a step, part by part.

    ``saved`` is what the forward pass keeps for the backward pass. ``working`` is what comes on top at the peak:
    gradients of activations, or temporary tensors of the optimiser.
    """

    weights: int
    gradients: int
    optimizer: int
    saved: int
    working: int

    @property
    def total(self) -> int:
        """Their sum: an estimate of peak memory without the scratch space of libraries such as cuDNN."""
        return self.weights + self.gradients + self.optimizer + self.saved + self.working

    def __str__(self) -> str:
        parts = ", ".join(f"{name} {getattr(self, name) / 1e6:,.0f}" for name in self.__dataclass_fields__)
        return f"{self.total / 1e6:,.0f} MB ({parts})"


def training_memory(
    model: nn.Module,
    input_shape: tuple[int, ...],
    batch_size: int,
    optimizer: Callable[..., torch.optim.Optimizer] = torch.optim.Adam,
) -> TrainingMemory:
    """Estimate the memory that a float32 training step of ``fit`` with a batch of that size takes.

    The step runs on torch's ``meta`` device, where tensors have a size and no values, so a CPU can do it. A hook of
    autograd counts what the forward pass saves: what two layers share, and what an in-place layer overwrites, counts
    once. Then whole steps run, and the peak of all live tensors is the total. On a GPU torch's optimisers update all
    weights at once, which can take another copy of them.

    Args:
        model: any network; it stays as it is.
        input_shape: shape of one image, (C, H, W).
        batch_size: images a step.
        optimizer: as for ``fit``; what it keeps for each weight is counted from the optimiser itself.

    Raises: ValueError where the image does not fit, the batch size is below 1, or the optimiser needs real values.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, not {batch_size}")
    with torch.inference_mode(False), torch.enable_grad():
        step = _MetaStep(model, tuple(input_shape), batch_size, optimizer)
        saved = step.saved()
        peak = step.peak()
    weights, gradients, state = _bytes(step.weights), _bytes(step.trained), _bytes(step.optimizer_state())
    working = max(0, peak - weights - gradients - state - saved)
    return TrainingMemory(weights, gradients, state, saved, working)


class _MetaStep:
    """A training step of ``fit`` on the meta device."""

    def __init__(self, model: nn.Module, input_shape: tuple[int, ...], batch_size: int, optimizer: Callable):
        self.model = model
        self.twin = meta_copy(model).train()
        self.weights = [*self.twin.parameters(), *self.twin.buffers()]
        self.trained = [weight for weight in self.twin.parameters() if weight.requires_grad]
        self.optimizer = optimizer(self.trained, lr=0.1)
        self.images = torch.empty(batch_size, *input_shape, dtype=dtype_of(model), device="meta")
        self.labels = torch.empty(batch_size, dtype=torch.int64, device="meta")

    def loss(self) -> torch.Tensor:
        with torch.device("meta"):
            logits = logits_in(self.twin(self.images), len(self.images), type(self.model).__name__)
            return F.cross_entropy(logits, self.labels)

    def saved(self) -> int:
        """Bytes of the images and of what autograd saves, apart from the weights themselves."""
        weights = {storage_of(tensor) for tensor in self.weights}
        sizes = {storage_of(self.images): _bytes([self.images])}
        alive = []

        def pack(tensor: torch.Tensor) -> torch.Tensor:
            if storage_of(tensor) not in weights:
                sizes[storage_of(tensor)] = tensor.untyped_storage().nbytes()
            alive.append(tensor)  # a storage's address may be used again once it is freed
            return tensor

        try:
            with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
                self.loss()
        except RuntimeError as error:
            reason = shape_mismatch(self.model, self.images)
            raise ValueError(reason or first_line(error)) from error
        return sum(sizes.values())

    def peak(self) -> int:
        """Most bytes alive at once in two steps; in the second, gradients and optimiser state exist already."""
        with _LiveBytes() as live:
            live.add([*self.weights, self.images, self.labels])
            for _ in range(2):
                loss = self.loss()
                self.optimizer.zero_grad()
                loss.backward()
                del loss
                try:
                    self.optimizer.step()
                except RuntimeError as error:
                    name = type(self.optimizer).__name__
                    raise ValueError(f"{name} needs the numbers themselves, so its memory cannot be counted") from error
        return live.peak

    def optimizer_state(self) -> list[torch.Tensor]:
        values = [value for state in self.optimizer.state.values() for value in state.values()]
        return [value for value in values if isinstance(value, torch.Tensor) and value.is_meta]


class _LiveBytes(TorchDispatchMode):
    """Adds up the bytes of all meta tensors that are alive."""

    def __init__(self) -> None:
        super().__init__()
        self.total = self.peak = 0
        self._storages: set[int] = set()

    def add(self, tensors: list[torch.Tensor]) -> None:
        for tensor in tensors:
            storage = tensor.untyped_storage()
            if tensor.is_meta and storage_of(tensor) not in self._storages:
                self._storages.add(storage_of(tensor))
                self.total += storage.nbytes()
                weakref.finalize(storage, self._remove, storage_of(tensor), storage.nbytes())
        self.peak = max(self.peak, self.total)

    def _remove(self, key: int, size: int) -> None:
        self._storages.discard(key)
        self.total -= size

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        self.add(tensors_in(result))
        return result


def tensors_of_size(
    model: nn.Module,
    input_shape: tuple[int, ...],
    size: int,
    batch_sizes: Iterable[int] = (16, 32, 64, 128, 256, 512),
    precisions: Iterable[torch.dtype] = (torch.float32, torch.float16),
) -> pd.DataFrame:
    """List the tensors of exactly ``size`` bytes that a first training step of ``model`` allocates.

    These are candidates for an out-of-memory error that names a size. Counted are the output of each layer, the indices
    that a max-pool keeps for the backward pass, and the float32 weights (gradients and Adam's averages take as much
    again).

    Args:
        model: any network; nothing is computed, so it may be on the ``meta`` device.
        input_shape: shape of one image, (C, H, W).
        size: bytes, such as ``392 * 2**20``.
        batch_sizes: images a step to try.
        precisions: number formats of activations to try. Weights stay in float32, as under autocast.

    Returns: a row for each candidate, in the order of running: ``layer``, ``type``, ``what`` (``output``, ``indices``
        or ``weights``), ``shape`` (without the batch), ``dtype``; ``precision`` and ``batch`` of the run in which it
        has that size; and ``held``: bytes that the step holds just before it allocates that tensor, with weights and
        images, if every output is kept until the backward pass. Batch and ``held`` are missing for weights.
    Raises: ValueError for a size below 1, or where the image does not fit.
    """
    if size < 1:
        raise ValueError(f"size must be at least 1 byte, not {size}")
    steps = trace(model, input_shape).steps
    rows = [
        [name.rpartition(".")[0], "", "weights", tuple(weight.shape), _name(weight.dtype), "any", None, None]
        for name, weight in model.named_parameters()
        if _bytes([weight]) == size
    ]
    fixed = _bytes([*model.parameters(), *model.buffers()])
    for precision in precisions:
        for batch in batch_sizes:
            held = fixed + batch * math.prod(input_shape) * 4  # images come as float32
            for step in steps:
                for what, allocated, dtype in _allocations(step, batch, precision):
                    if allocated == size:
                        row = [step.name, step.type, what, step.shape, _name(dtype), _name(precision), batch, held]
                        rows.append(row)
                    held += allocated
    columns = ["layer", "type", "what", "shape", "dtype", "precision", "batch", "held"]
    table = pd.DataFrame(rows, columns=columns).astype({"batch": "Int64", "held": "Float64"})
    order = {step.name: place for place, step in enumerate(steps)}
    return table.sort_values("layer", key=lambda names: names.map(order), kind="stable").reset_index(drop=True)


def _allocations(step: Step, batch: int, precision: torch.dtype) -> list[tuple[str, int, torch.dtype]]:
    """Tensors that a layer allocates, in order: what it is, bytes, number format. None for a layer that is in place."""
    if not step.activation_bytes:
        return []
    numbers = batch * math.prod(step.shape)
    tensors = [("output", numbers * precision.itemsize, precision)]
    if step.type.startswith("MaxPool"):
        tensors.append(("indices", numbers * INDEX_BYTES, torch.int64))
    return tensors


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def _bytes(tensors: Iterable[torch.Tensor]) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)
