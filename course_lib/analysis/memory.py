"""How much memory training takes: counted before the first step."""

import weakref
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode

from course_lib.analysis.tracing import storage_of, tensors_in
from course_lib.models import in_mode, weights_without_numbers, why_it_does_not_fit


@dataclass(frozen=True)
class TrainingMemory:
    """Bytes that training holds at the height of a step, part by part.

    ``saved`` is what the forward pass keeps for the backward one. ``working`` is what comes on top where the step is at
    its highest: gradients on their way back through the layers, or the optimiser's scratch paper.
    """

    weights: int
    gradients: int
    optimizer: int
    saved: int
    working: int

    @property
    def total(self) -> int:
        """Their sum: an estimate of peak memory, to which a library's own scratch space is added."""
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
    """Estimate what a float32 training step of ``fit`` with a batch of that size holds in memory.

    The step runs on torch's ``meta`` device, where tensors have a size and no numbers. First autograd is asked what the
    forward pass keeps: what two layers share, and what an in-place layer overwrites, is counted once. Then whole steps
    run, and every tensor is counted from its making to its end: the highest sum is the total. So a CPU does it; on a
    GPU torch's optimisers treat all weights at once, which can take another copy of them.

    Args:
        model: any network; it stays as it is.
        input_shape: shape of one image, (C, H, W).
        batch_size: images a step.
        optimizer: as for ``fit``; what it keeps for each weight is counted from the optimiser itself.

    Raises: ValueError where the image does not fit, the batch size is below 1, or the optimiser needs the numbers.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, not {batch_size}")
    with in_mode(model, training=True), torch.inference_mode(False), torch.enable_grad():
        step = _Step(model, tuple(input_shape), batch_size, optimizer)
        saved = step.saved()
        peak = step.peak()
    weights, gradients, kept = _bytes(step.nowhere.values()), _bytes(step.trained), _bytes(step.kept_by_optimizer())
    working = max(0, peak - weights - gradients - kept - saved)
    return TrainingMemory(weights, gradients, kept, saved, working)


class _Step:
    """A training step of ``fit`` on the meta device."""

    def __init__(self, model: nn.Module, input_shape: tuple[int, ...], batch_size: int, optimizer: Callable):
        self.model = model
        self.nowhere = weights_without_numbers(model)
        self.trained = [self.nowhere[name] for name, one in model.named_parameters() if one.requires_grad]
        self.engine = optimizer(self.trained, lr=0.1)
        self.images = torch.empty(batch_size, *input_shape, device="meta")
        self.labels = torch.empty(batch_size, dtype=torch.int64, device="meta")

    def loss(self) -> torch.Tensor:
        with torch.device("meta"):
            return F.cross_entropy(torch.func.functional_call(self.model, self.nowhere, (self.images,)), self.labels)

    def saved(self) -> int:
        """Bytes of the images and of what autograd keeps, apart from the weights themselves."""
        own = {storage_of(tensor) for tensor in self.nowhere.values()}
        kept = {storage_of(self.images): _bytes([self.images])}
        held = []

        def keep(tensor: torch.Tensor) -> torch.Tensor:
            if storage_of(tensor) not in own:
                kept[storage_of(tensor)] = tensor.untyped_storage().nbytes()
            held.append(tensor)  # a storage's address is its own only while it lives
            return tensor

        try:
            with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
                self.loss()
        except RuntimeError as error:
            reason = why_it_does_not_fit(self.model, self.images)
            raise ValueError(reason or str(error).splitlines()[0]) from error
        return sum(kept.values())

    def peak(self) -> int:
        """The most bytes that were alive at once in the second step, when there are gradients and averages already."""
        with _Ledger() as ledger:
            ledger.enter([*self.nowhere.values(), self.images, self.labels])
            for _ in range(2):
                ledger.peak = ledger.alive
                loss = self.loss()
                self.engine.zero_grad()
                loss.backward()
                del loss
                try:
                    self.engine.step()
                except RuntimeError as error:
                    name = type(self.engine).__name__
                    raise ValueError(f"{name} needs the numbers themselves, so its memory cannot be counted") from error
        return ledger.peak

    def kept_by_optimizer(self) -> list[torch.Tensor]:
        kept = [one for state in self.engine.state.values() for one in state.values()]
        return [one for one in kept if isinstance(one, torch.Tensor) and one.is_meta]


class _Ledger(TorchDispatchMode):
    """Adds up the bytes of all meta tensors that are alive."""

    def __init__(self) -> None:
        super().__init__()
        self.alive = self.peak = 0
        self._known: set[int] = set()

    def enter(self, tensors: list[torch.Tensor]) -> None:
        for tensor in tensors:
            storage = tensor.untyped_storage()
            if tensor.is_meta and storage_of(tensor) not in self._known:
                self._known.add(storage_of(tensor))
                self.alive += storage.nbytes()
                weakref.finalize(storage, self._leave, storage_of(tensor), storage.nbytes())
        self.peak = max(self.peak, self.alive)

    def _leave(self, key: int, size: int) -> None:
        self._known.discard(key)
        self.alive -= size

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        self.enter(tensors_in(result))
        return result


def _bytes(tensors) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)
