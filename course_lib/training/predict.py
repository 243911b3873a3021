"""Run a trained network: ``predict`` returns all its logits, ``evaluate`` their mean loss and accuracy."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

from course_lib.analysis.predictions import Predictions
from course_lib.data import Batches, Split
from course_lib.models import in_mode
from course_lib.models.classifier import logits_in
from course_lib.training.setup import choose_setup

BATCH = 1_000


@dataclass(frozen=True)
class Score:
    """Mean loss and accuracy (in [0, 1]) over ``count`` images."""

    loss: float
    accuracy: float
    count: int

    def __str__(self) -> str:
        return f"accuracy {self.accuracy:.2%}, loss {self.loss:.4f} ({self.count:,} images)"


def predict(
    model: nn.Module,
    split: Split,
    *,
    device: torch.device | str | None = None,
    batch_size: int = BATCH,
    precision: str = "float32",
    views: Callable[[torch.Tensor], Sequence[torch.Tensor]] | None = None,
) -> Predictions:
    """Run ``model`` over ``split`` in evaluation mode, without gradients; its mode is restored afterwards.

    Args:
        model: takes images (N, C, H, W), returns logits (N, K).
        split: the images.
        device: defaults to where the model is.
        batch_size: images at a time; it changes rounding at most.
        precision: as in ``fit``; ``"auto"`` is faster where the device is built for half precision.
        views: turns a batch into several, such as :func:`course_lib.data.mirrored`; their logits are averaged.

    Returns: logits (N, K) and labels (N,) on the CPU.
    """
    if device is None:
        device = next((parameter.device for parameter in model.parameters()), torch.device("cpu"))
    setup = choose_setup(model, device=device, precision=precision)
    model.to(setup.device)
    name = type(model).__name__

    def averaged_logits(images: torch.Tensor) -> torch.Tensor:
        batches = [images] if views is None else views(images)
        return torch.stack([logits_in(model(batch), len(batch), name).float() for batch in batches]).mean(dim=0)

    with in_mode(model, training=False), torch.inference_mode(), setup.autocast():
        logits = torch.cat([averaged_logits(images) for images, _ in Batches(split, batch_size, device=setup.device)])
    return Predictions(logits=logits.cpu(), labels=split.labels.cpu(), classes=split.classes)


def evaluate(
    model: nn.Module,
    split: Split,
    *,
    device: torch.device | str | None = None,
    loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor] = F.cross_entropy,
    batch_size: int = BATCH,
    precision: str = "float32",
    views: Callable[[torch.Tensor], Sequence[torch.Tensor]] | None = None,
) -> Score:
    """Mean loss and accuracy of ``model`` on ``split``: each image counts once, whatever its batch.

    The arguments are those of :func:`predict`, and the ``loss`` over all logits.
    """
    answers = predict(model, split, device=device, batch_size=batch_size, precision=precision, views=views)
    return score(answers, loss, device or next((parameter.device for parameter in model.parameters()), "cpu"))


def score(
    answers: Predictions,
    loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    device: torch.device | str,
) -> Score:
    """Mean ``loss`` and accuracy of predictions; ``device`` is where the tensors of ``loss`` are."""
    if isinstance(loss, nn.Module):  # a loss with class weights has tensors of its own
        loss = copy.deepcopy(loss).to("cpu", torch.float64)
    logits, labels = answers.logits, answers.labels
    try:
        value = loss(logits.double(), labels)
    except RuntimeError:  # the tensors of a function are where and what they are in training
        value = loss(logits.to(device), labels.to(device))
    return Score(loss=value.item(), accuracy=answers.accuracy, count=len(labels))
