"""How much memory training takes: counted before the first step."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

from course_lib.analysis.tracing import storage_of
from course_lib.models import why_it_does_not_fit


@dataclass(frozen=True)
class TrainingMemory:
    """Bytes that training holds at the height of a step, part by part.

    ``saved`` is what the forward pass keeps for the backward one. ``working`` is the largest gradient on its way back
    with the one that is made from it.
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
    """Estimate what a float32 training step with a batch of that size holds in memory.

    One batch goes forward on torch's ``meta`` device, where nothing is computed, and autograd is asked what it would
    keep: what two layers share, and what an in-place layer overwrites, is counted once.

    Args:
        model: any network; it stays as it is.
        input_shape: shape of one image, (C, H, W).
        batch_size: images a step.
        optimizer: as for ``fit``; its state for each weight is counted from the optimiser itself.

    Raises: ValueError where the image does not fit, or the batch size is below 1.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, not {batch_size}")
    nowhere = {
        name: torch.empty_like(tensor, device="meta")
        for name, tensor in [*model.named_parameters(), *model.named_buffers()]
    }
    for name, parameter in model.named_parameters():
        nowhere[name].requires_grad_(parameter.requires_grad)
    own = {storage_of(tensor) for tensor in nowhere.values()}
    kept: dict[int, int] = {}
    made: list[int] = []

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        if storage_of(tensor) not in own:
            kept[storage_of(tensor)] = tensor.untyped_storage().nbytes()
        held.append(tensor)  # a storage's address is its own only while it lives
        return tensor

    def note(_layer: nn.Module, _inputs: tuple, output: object) -> None:
        if isinstance(output, torch.Tensor):
            made.append(output.numel() * output.element_size())

    held: list[torch.Tensor] = []
    images = torch.empty(batch_size, *input_shape, device="meta")
    held.append(images)
    kept[storage_of(images)] = images.untyped_storage().nbytes()
    labels = torch.empty(batch_size, dtype=torch.int64, device="meta")
    modes = {layer: layer.training for layer in model.modules()}
    hooks = [layer.register_forward_hook(note) for layer in model.modules()]
    try:
        model.train()
        with torch.enable_grad(), torch.device("meta"), torch.autograd.graph.saved_tensors_hooks(keep, lambda one: one):
            F.cross_entropy(torch.func.functional_call(model, nowhere, (images,)), labels)
    except RuntimeError as error:
        device = next((parameter.device for parameter in model.parameters()), torch.device("cpu"))
        reason = why_it_does_not_fit(model, torch.zeros(1, *input_shape, device=device))
        raise ValueError(reason or str(error).splitlines()[0]) from error
    finally:
        for hook in hooks:
            hook.remove()
        for layer, mode in modes.items():
            layer.training = mode

    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    return TrainingMemory(
        weights=sum(tensor.numel() * tensor.element_size() for tensor in [*model.parameters(), *model.buffers()]),
        gradients=sum(parameter.numel() * parameter.element_size() for parameter in trained),
        optimizer=_optimizer_bytes(optimizer, trained),
        saved=sum(kept.values()),
        working=2 * max(made, default=0),
    )


def _optimizer_bytes(optimizer: Callable[..., torch.optim.Optimizer], parameters: list[nn.Parameter]) -> int:
    """Let the optimiser take one step with a single number, and see what it keeps for each weight."""
    one = nn.Parameter(torch.zeros(1_000))
    one.grad = torch.ones(1_000)
    engine = optimizer([one], lr=0.1)
    engine.step()
    tensors = [value for value in engine.state[one].values() if isinstance(value, torch.Tensor) and value.numel() > 1]
    return sum(len(tensors) * parameter.numel() * parameter.element_size() for parameter in parameters)
