"""What flows through a network while it trains: activations forward, gradients back, layer by layer."""

from collections.abc import Iterator
from contextlib import contextmanager

import pandas as pd
import torch
from torch import nn
from torch.nn import functional as F

from course_lib.models import in_mode

COLUMNS = ["activation mean", "activation std", "zeros", "gradient rms", "weight rms", "weight gradient rms"]


class Signals:
    """What :func:`watch` saw. The numbers stay on the device until ``table`` asks for them, so no step waits."""

    def __init__(self) -> None:
        self._seen: dict[tuple[int, str], dict[str, torch.Tensor]] = {}
        self._types: dict[str, str] = {}

    def note(self, step: int, name: str, layer: nn.Module, **values: torch.Tensor) -> None:
        self._types[name] = type(layer).__name__
        self._seen.setdefault((step, name), {}).update(values)

    def table(self) -> pd.DataFrame:
        """A row for each step and layer, indexed by the layer's name, with ``step``, ``type`` and :data:`COLUMNS`.

        ``activation mean`` and ``activation std`` are over batch and units, ``zeros`` is the share of outputs that are
        exactly zero. ``gradient rms`` is the root mean square of the loss's gradient by the layer's output. Missing is
        what never was: the weights of a layer without any, the gradients of a pass without a backward one.
        """
        rows = []
        for (step, name), values in self._seen.items():
            numbers = {column: values[column].item() if column in values else float("nan") for column in COLUMNS}
            rows.append({"layer": name, "step": step, "type": self._types[name], **numbers})
        columns = ["layer", "step", "type", *COLUMNS]
        return pd.DataFrame(rows, columns=columns).set_index("layer")


@contextmanager
def watch(
    model: nn.Module, layers: tuple[type[nn.Module], ...] = (nn.Conv2d, nn.Linear), every: int = 1
) -> Iterator[Signals]:
    """Note statistics of each layer in every ``every``-th training step that runs inside the ``with`` block.

    Args:
        model: any network. Only passes in training mode count, so judging in between does not disturb.
        layers: which types of layer to watch.
        every: 1 for every step, 10 for steps 0, 10, 20 …

    Yields: a :class:`Signals`. A layer that runs more than once in a pass has the number of the run behind its name.
    Raises: ValueError where the model has no such layer, or ``every`` is below 1.
    """
    if every < 1:
        raise ValueError(f"every must be at least 1, not {every}")
    signals, handles = Signals(), []
    chosen = [(name or type(one).__name__, one) for name, one in model.named_modules() if isinstance(one, layers)]
    if not chosen:
        kinds = ", ".join(kind.__name__ for kind in layers)
        raise ValueError(f"{type(model).__name__} has no layer of type {kinds} to watch")
    step, runs = -1, dict.fromkeys(chosen, 0)

    def begin(module: nn.Module, inputs: tuple) -> None:
        nonlocal step
        if module.training:
            step += 1
            for one in runs:
                runs[one] = 0

    def forward(key: tuple[str, nn.Module]):
        name, layer = key

        def note(_layer: nn.Module, _inputs: tuple, output: torch.Tensor) -> None:
            if not model.training or step % every:
                return
            runs[key] += 1
            label, now = name if runs[key] == 1 else f"{name} ({runs[key]})", step
            values = output.detach().float()
            signals.note(
                now,
                label,
                layer,
                **{
                    "activation mean": values.mean(),
                    "activation std": values.std(),
                    "zeros": (values == 0).float().mean(),
                },
            )
            if output.requires_grad:
                output.register_hook(
                    lambda gradient: signals.note(now, label, layer, **{"gradient rms": _rms(gradient)})
                )

        return note

    def backward(name: str, layer: nn.Module):
        def note(weight: nn.Parameter) -> None:
            if step % every == 0:
                about = {"weight rms": _rms(weight), "weight gradient rms": _rms(weight.grad)}
                signals.note(step, name, layer, **about)

        return note

    handles.append(model.register_forward_pre_hook(begin))
    for name, layer in chosen:
        handles.append(layer.register_forward_hook(forward((name, layer))))
        weight = getattr(layer, "weight", None)
        if isinstance(weight, nn.Parameter) and weight.requires_grad:
            handles.append(weight.register_post_accumulate_grad_hook(backward(name, layer)))
    try:
        yield signals
    finally:
        for handle in handles:
            handle.remove()


def signals(model: nn.Module, images: torch.Tensor, labels: torch.Tensor) -> pd.DataFrame:
    """Send one batch forward and back, and note what :func:`watch` notes. The weights and gradients stay as they were.

    Args:
        model: in whatever mode; it runs in training mode, and its batch-norm statistics are put back.
        images: normalised float32, shape (N, C, H, W).
        labels: int64, shape (N,).
    """
    buffers = {name: buffer.clone() for name, buffer in model.named_buffers()}
    gradients = {parameter: parameter.grad for parameter in model.parameters()}
    try:
        for parameter in gradients:
            parameter.grad = None
        with in_mode(model, training=True), watch(model) as seen, torch.enable_grad():
            F.cross_entropy(model(images), labels).backward()
    finally:
        with torch.no_grad():
            for name, buffer in model.named_buffers():
                buffer.copy_(buffers[name])
        for parameter, gradient in gradients.items():
            parameter.grad = gradient
    return seen.table().drop(columns="step")


def _rms(values: torch.Tensor) -> torch.Tensor:
    return values.detach().float().square().mean().sqrt()
