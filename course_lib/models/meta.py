"""A network's weights on torch's ``meta`` device, where tensors have a shape and no numbers."""

import torch
from torch import nn


def weights_without_numbers(model: nn.Module) -> dict[str, torch.Tensor]:
    """Parameters, then buffers of ``model`` on the ``meta`` device, by name: for ``torch.func.functional_call``.

    Each has the shape, the type and the memory format of the real one, and needs a gradient where that needs one. A
    tensor that two layers share is there once. They take no memory, and the model stays as it is.
    """
    tensors = [*model.named_parameters(), *model.named_buffers()]
    return {
        name: torch.empty_like(tensor, device="meta", requires_grad=tensor.requires_grad) for name, tensor in tensors
    }
