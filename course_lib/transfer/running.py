"""``run``: one way of transfer, right or wrong, from grey digits to a judged network."""

from dataclasses import dataclass, replace
from typing import Any

from torch import nn

from course_lib import training
from course_lib.analysis import Predictions
from course_lib.data import ImageData, Split
from course_lib.training import History
from course_lib.transfer import guards
from course_lib.transfer.choices import Choices
from course_lib.transfer.features import features_of
from course_lib.transfer.inputs import prepare
from course_lib.transfer.networks import Transferred, backbone_of, build, multiply_adds, trained_share

FROM_SCRATCH_EPOCHS = 10
BATCH = 32
JUDGING_BATCH = 100


@dataclass(frozen=True)
class Outcome:
    """What came of one run. ``seconds`` are those of training; computing frozen features the first time is part of it.

    ``answers`` are on the images that it was judged by. ``trained`` is the share of parameters that learned.
    """

    choices: Choices
    network: nn.Module
    history: History
    answers: Predictions
    trained: float

    @property
    def accuracy(self) -> float:
        """The share of right answers, in [0, 1]."""
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
    """Transfer a backbone to digits, and judge what came of it.

    Args:
        train: grey digits to learn from.
        judged: grey digits to judge by; the same is done to them as to ``train``.
        choices: what is done right and wrong; None does everything right.
        seed: of the head's first weights and of the order of images.
        epochs: None takes 10 for a LeNet-5 from scratch, else what ``transfer.BACKBONES`` says.
        batch_size: None takes 32.
        precision: as in :func:`course_lib.training.fit`.
        guarded: stop at the first bug that a guard can see, see :mod:`course_lib.transfer.guards`.
        rung: what an error message calls this run.
        show: draw the live table.
        options: more for ``fit``, such as ``device``.

    Raises: CourseError where a backbone is unknown or its weights are missing, and from a guard; ValueError for images
        that do not fit.
    """
    choices = choices or Choices()
    training.set_seed(seed)
    network = build(choices, rung)
    share = trained_share(network)
    prepared, to_judge = prepare(train, choices), prepare(judged, choices)
    if guarded and choices.backbone != "none":
        guards.look_at_inputs(train, prepared)
    epochs, batch_size = epochs or epochs_for(choices), batch_size or min(BATCH, len(train))
    options |= {"epochs": epochs, "batch_size": batch_size, "seed": seed, "show": show}
    options |= {"learning_rate": choices.rate, "precision": precision}
    before = guards.snapshot(network)
    if isinstance(network, Transferred) and network.all_frozen:
        history, answers = _train_head(network, prepared, to_judge, options)
    else:
        history = training.fit(network, prepared, **options)
        answers = training.predict(network, to_judge, batch_size=JUDGING_BATCH, precision=history.precision)
    if guarded and isinstance(network, Transferred):
        guards.statistics_stand_still(before, network)
    history.recipe.update(
        model=choices.backbone if choices.backbone != "none" else type(network).__name__,
        parameters=sum(one.numel() for one in network.parameters()),
        multiply_adds=multiply_adds(choices),
        transfer=choices.as_dict() | {"trained_share": share},
    )
    return Outcome(choices, network, history, answers, share)


def epochs_for(choices: Choices) -> int:
    """How many epochs a run takes where nobody asks for another number."""
    if choices.backbone == "none":
        return FROM_SCRATCH_EPOCHS
    used = backbone_of(choices)
    return used.head_epochs if choices.trained == "head" else used.epochs


def record(name: str, outcome: Outcome, digits: ImageData, split: str = "test") -> dict[str, Any]:
    """The record of a run, as :func:`course_lib.training.record` makes it; its recipe holds the choices, too."""
    return training.record(name, outcome.history, outcome.answers, digits, split=split, images=outcome.choices.images)


def _train_head(
    network: Transferred, prepared: Split, to_judge: Split, options: dict[str, Any]
) -> tuple[History, Predictions]:
    """On features that are computed once; the first epoch is charged for them.

    The head itself is so small that half precision would save nothing.
    """
    asked = {name: options[name] for name in ("device", "precision", "threads") if name in options}
    setup = training.choose_setup(network, **asked)
    kept = features_of(network, prepared, setup)
    history = training.fit(network.head, kept.split, **options | {"precision": "float32"})
    first = history.epochs[0]
    history.epochs[0] = replace(first, seconds=first.seconds + kept.seconds)
    history.recipe["precision"] = history.precision = setup.precision
    answers = training.predict(network.head, features_of(network, to_judge, setup).split)
    return history, answers
