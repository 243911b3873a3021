"""Signal propagation in training: statistics of activations, gradients and weights, layer by layer."""

from collections.abc import Iterator
from contextlib import contextmanager

import pandas as pd
import torch
from torch import nn
from torch.nn import functional as F

from course_lib.models import in_mode

COLUMNS = ["activation mean", "activation std", "zeros", "gradient rms", "weight rms", "weight gradient rms"]


class Signals:
    """Statistics that :func:`watch` recorded. They stay on the device until ``table`` is called, so no step waits."""

    def __init__(self) -> None:
        self._values: dict[tuple[int, str], dict[str, torch.Tensor]] = {}
        self._types: dict[str, str] = {}

    def record(self, step: int, name: str, layer: nn.Module, values: dict[str, torch.Tensor]) -> None:
        self._types[name] = type(layer).__name__
        self._values.setdefault((step, name), {}).update(values)

    def table(self) -> pd.DataFrame:
        """A row for each step and layer, indexed by the layer's name, with ``step``, ``type`` and :data:`COLUMNS`.

        ``activation mean`` and ``activation std`` are over batch and units, ``zeros`` is the share of outputs that are
        exactly zero. ``gradient rms`` is the root mean square of the gradient of the loss with respect to the layer's
        output. NaN stands for the weights of a layer without any, and the gradients of a pass without backward.
        """
        rows = []
        for (step, name), values in self._values.items():
            numbers = {column: values[column].item() if column in values else float("nan") for column in COLUMNS}
            rows.append({"layer": name, "step": step, "type": self._types[name], **numbers})
        return pd.DataFrame(rows, columns=["layer", "step", "type", *COLUMNS]).set_index("layer")


@contextmanager
def watch(
    model: nn.Module, layers: tuple[type[nn.Module], ...] = (nn.Conv2d, nn.Linear), every: int = 1
) -> Iterator[Signals]:
    """Record statistics of each layer in every ``every``-th training step that runs inside the ``with`` block.

    Args:
        model: any network. Only passes in training mode count; evaluation in between is ignored.
        layers: types of layer to watch.
        every: 1 for every step, 10 for steps 0, 10, 20 …

    Yields: a :class:`Signals`. A layer that runs more than once in a pass has the number of the run after its name.
    Raises: ValueError where the model has no such layer, or ``every`` is below 1.
    """
    if every < 1:
        raise ValueError(f"every must be at least 1, not {every}")
    watched = {
        name or type(module).__name__: module for name, module in model.named_modules() if isinstance(module, layers)
    }
    if not watched:
        types = ", ".join(layer.__name__ for layer in layers)
        raise ValueError(f"{type(model).__name__} has no layer of type {types} to watch")
    signals, step, runs = Signals(), -1, dict.fromkeys(watched, 0)

    def begin_step(module: nn.Module, _inputs: tuple) -> None:
        nonlocal step
        if module.training:
            step += 1
            runs.update(dict.fromkeys(runs, 0))

    def record_forward(name: str):
        def hook(layer: nn.Module, _inputs: tuple, output: torch.Tensor) -> None:
            if not model.training or step % every:
                return
            runs[name] += 1
            label, this_step = name if runs[name] == 1 else f"{name} ({runs[name]})", step
            values = output.detach().float()
            statistics = {"activation mean": values.mean(), "activation std": values.std()}
            signals.record(this_step, label, layer, statistics | {"zeros": (values == 0).float().mean()})
            if output.requires_grad:
                output.register_hook(
                    lambda gradient: signals.record(this_step, label, layer, {"gradient rms": _rms(gradient)})
                )

        return hook

    def record_backward(name: str):
        def hook(weight: nn.Parameter) -> None:
            if step % every == 0:
                statistics = {"weight rms": _rms(weight), "weight gradient rms": _rms(weight.grad)}
                signals.record(step, name, watched[name], statistics)

        return hook

    hooks = [model.register_forward_pre_hook(begin_step)]
    for name, layer in watched.items():
        hooks.append(layer.register_forward_hook(record_forward(name)))
        weight = getattr(layer, "weight", None)
        if isinstance(weight, nn.Parameter) and weight.requires_grad:
            hooks.append(weight.register_post_accumulate_grad_hook(record_backward(name)))
    try:
        yield signals
    finally:
        for hook in hooks:
            hook.remove()


def signals(model: nn.Module, images: torch.Tensor, labels: torch.Tensor) -> pd.DataFrame:
    """Statistics of one forward and backward pass, as :func:`watch` records them. Weights and gradients stay as is.

    Args:
        model: in either mode; it runs in training mode, and its batch-norm statistics are put back.
        images: normalised float32, shape (N, C, H, W).
        labels: int64, shape (N,).
    """
    buffers = {name: buffer.clone() for name, buffer in model.named_buffers()}
    gradients = {parameter: parameter.grad for parameter in model.parameters()}
    try:
        for parameter in gradients:
            parameter.grad = None
        with in_mode(model, training=True), watch(model) as recorded, torch.enable_grad():
            F.cross_entropy(model(images), labels).backward()
    finally:
        with torch.no_grad():
            for name, buffer in model.named_buffers():
                buffer.copy_(buffers[name])
        for parameter, gradient in gradients.items():
            parameter.grad = gradient
    return recorded.table().drop(columns="step")


def _rms(values: torch.Tensor) -> torch.Tensor:
    return values.detach().float().square().mean().sqrt()
