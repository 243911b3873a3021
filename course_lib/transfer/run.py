"""One run of transfer, right or wrong, from images to an evaluated network."""

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import nn

from course_lib import training
from course_lib.analysis import Predictions
from course_lib.data import ImageData, Split
from course_lib.training import History
from course_lib.transfer import guards
from course_lib.transfer.cases import Choices
from course_lib.transfer.features import features_of
from course_lib.transfer.inputs import draw, prepare
from course_lib.transfer.networks import Transferred, backbone_of, build, multiply_adds, trained_share

FROM_SCRATCH_EPOCHS = 10
BATCH = 32
EVALUATION_BATCH = 100


@dataclass(frozen=True)
class Outcome:
    """Result of one run. ``seconds`` are those of training, with computing frozen features the first time.

    ``answers`` are the predictions on the evaluation images. ``trained`` is the share of parameters that were trained.
    """

    choices: Choices
    network: nn.Module
    history: History
    answers: Predictions
    trained: float

    @property
    def accuracy(self) -> float:
        """Share of correct predictions, in [0, 1]."""
        return self.answers.accuracy

    @property
    def seconds(self) -> float:
        return self.history.seconds

    def __str__(self) -> str:
        return f"accuracy {self.accuracy:.2%} ({len(self.answers.labels):,} images), {self.seconds:.1f} s of training"


def run(
    train: Split,
    judged: Split,
    choices: Choices | None = None,
    *,
    seed: int = 0,
    epochs: int | None = None,
    batch_size: int | None = None,
    precision: str = "auto",
    guarded: bool = False,
    rung: str = "",
    show: bool = False,
    **options,
) -> Outcome:
    """Transfer a backbone to digits, or other images, and evaluate it.

    Args:
        train: images to train on: grey, or in colour where ``choices.channels`` is ``"keep"``.
        judged: images to evaluate on, preprocessed as ``train``.
        choices: what is done right and wrong; None does everything right.
        seed: of the head's first weights and of the order of images.
        epochs: None takes :func:`epochs_for`.
        batch_size: None takes 32.
        precision: as in :func:`course_lib.training.fit`.
        guarded: stop at the first bug that a guard finds, see :mod:`course_lib.transfer.guards`.
        rung: name of the run in error messages.
        show: draw the live table.
        options: more for ``fit``, such as ``device``.

    Raises: CourseError for an unknown backbone, missing weights, and from a guard; ValueError for images that do not
        fit.
    """
    choices = choices or Choices()
    training.set_seed(seed)
    network = build(choices, rung)
    share = trained_share(network)
    prepared, evaluated = prepare(train, choices), prepare(judged, choices)
    if guarded and choices.backbone != "none":
        guards.check_inputs(train, prepared)
    epochs, batch_size = epochs or epochs_for(choices), batch_size or min(BATCH, len(train))
    options |= {"epochs": epochs, "batch_size": batch_size, "seed": seed, "show": show}
    options |= {"learning_rate": choices.rate, "precision": precision}
    before = guards.snapshot(network)
    if isinstance(network, Transferred) and network.all_frozen:
        history, answers = _train_head(network, prepared, evaluated, options)
    else:
        history = training.fit(network, prepared, **options)
        answers = training.predict(network, evaluated, batch_size=EVALUATION_BATCH, precision=history.precision)
    if guarded and isinstance(network, Transferred):
        guards.statistics_stand_still(before, network)
    history.recipe.update(
        model=choices.backbone if choices.backbone != "none" else type(network).__name__,
        parameters=sum(parameter.numel() for parameter in network.parameters()),
        multiply_adds=multiply_adds(choices),
        transfer=choices.as_dict() | {"trained_share": share},
    )
    return Outcome(choices, network, history, answers, share)


def epochs_for(choices: Choices) -> int:
    """Default number of epochs: 10 for a LeNet-5 from scratch, else as in ``transfer.BACKBONES``."""
    if choices.backbone == "none":
        return FROM_SCRATCH_EPOCHS
    backbone = backbone_of(choices)
    return backbone.head_epochs if choices.trained == "head" else backbone.epochs


def record(name: str, outcome: Outcome, data: ImageData, split: str = "test") -> dict[str, Any]:
    """Record of a run as from :func:`course_lib.training.record`; its recipe holds the choices too."""
    return training.record(name, outcome.history, outcome.answers, data, split=split, images=outcome.choices.images)


def _train_head(
    network: Transferred, prepared: Split, evaluated: Split, options: dict[str, Any]
) -> tuple[History, Predictions]:
    """Train the head on features that are computed once; their time counts in the first epoch.

    In float32, because the head is so small that half precision saves nothing.
    """
    setup_options = {name: options[name] for name in ("device", "precision", "threads") if name in options}
    setup = training.choose_setup(network, **setup_options)
    features = features_of(network, prepared, setup)
    history = training.fit(network.head, features.split, **options | {"precision": "float32"})
    first = history.epochs[0]
    history.epochs[0] = replace(first, seconds=first.seconds + features.seconds)
    history.recipe["precision"] = history.precision = setup.precision
    answers = training.predict(network.head, features_of(network, evaluated, setup).split)
    return history, answers


@dataclass(frozen=True)
class FirstSteps:
    """A network after its first steps, a :func:`guards.snapshot` from ``before``, and the history of these steps."""

    network: nn.Module
    before: dict[str, torch.Tensor]
    history: History


def first_steps(digits: Split, choices: Choices, steps: int = 10, *, seed: int = 0, **options) -> FirstSteps:
    """Train for a few steps of 32 digits each.

    ``digits`` are grey; ``options`` are for ``fit``. Raises: as :func:`run`, and ValueError for less than one step.
    """
    if steps < 1:
        raise ValueError(f"steps must be at least 1, not {steps}")
    training.set_seed(seed)
    network = build(choices)
    before = guards.snapshot(network)
    few = prepare(draw(digits, steps * BATCH), choices)
    options = {"precision": "auto", "show": False, "batch_size": min(BATCH, len(few))} | options
    history = training.fit(network, few, epochs=1, learning_rate=choices.rate, seed=seed, **options)
    return FirstSteps(network, before, history)
