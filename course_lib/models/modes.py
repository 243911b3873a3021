"""Training or evaluation mode for a while."""

import contextlib
from collections.abc import Iterator

from torch import nn


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
