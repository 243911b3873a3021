"""A record's run, planned again: its network, its images, its training."""

import ast
import inspect
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import nn

from course_lib import models, training
from course_lib.data import ImageData
from course_lib.errors import CourseError
from course_lib.recipes import mnist_99
from course_tools.studies.plan import Planned, plan

# The network is what the record of a chapter's run lacks; a study's run has it in its plan.
NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "01-mlp/perceptron": partial(models.mlp, dropout=0.2),
    "02-lenet/LeNet-5, modern": models.lenet5,
    "10-speed/mnist-99": mnist_99.Strided,
}
# What a record of a chapter must say, for nothing else is planned again.
_PLAIN = {"images": "as they are", "loss": "cross_entropy", "augment": "none"}


def run_name(record: dict[str, Any]) -> str:
    """FILE/NAME, such as ``02-lenet/LeNet-5, modern``."""
    return f"{record['chapter']}/{record['name']}"


def planned_run(record: dict[str, Any]) -> Planned:
    """The run that left a record, with as many threads as it had.

    Raises: CourseError for a run of a study whose plan has changed, a network that begins with pretrained weights, and
        a run of a chapter that ``NETWORKS`` lacks or whose recipe is not plain.
    """
    threads = {"threads": record["machine"]["threads"]}
    if "study_key" in record:
        study = record["chapter"].removeprefix("study-")
        planned = next(
            (run for run in plan(study, record["profile"], record["seed"] + 1) if run.key == record["study_key"]), None
        )
        if not isinstance(planned, Planned):
            raise CourseError(
                f"{run_name(record)!r} is no plain run of today's plan of {study}: `course study {study} --publish` "
                "records today's, and pretrained networks are too large to keep."
            )
        return replace(planned, recipe=planned.recipe | threads)
    recipe = record["recipe"]
    if run_name(record) not in NETWORKS or any(recipe[key] != value for key, value in _PLAIN.items()):
        raise CourseError(
            f"{run_name(record)!r} cannot be opened: chosen are {'; '.join(NETWORKS)}, and studies' runs."
        )
    options = {key: recipe[key] for key in ("epochs", "batch_size", "learning_rate", "precision")}
    options |= {"optimizer": _optimizer(recipe["optimizer"]), "schedule": getattr(training, recipe["schedule"])}
    data, _, size = recipe["data"].partition(" ")
    build = NETWORKS[run_name(record)]
    return Planned(record["name"], record["seed"], build, data, options | threads, sample=size == "(sample)")


def images_of(record: dict[str, Any], run: Planned) -> ImageData:
    """The data set, with the training images that the run had: a recipe that is over learns from validation's, too."""
    images = run.load()
    everything = record["recipe"]["train"] == len(images.train) + len(images.val)
    return replace(images, train=images.train_and_val()) if everything else images


def _optimizer(description: str) -> Callable[..., torch.optim.Optimizer]:
    """The optimiser that a record describes, such as ``AdamW(fused=True, weight_decay=0.01)``."""
    call = ast.parse(description, mode="eval").body
    kind = getattr(torch.optim, call.func.id)
    settings = {setting.arg: ast.literal_eval(setting.value) for setting in call.keywords}
    return partial(kind, **{key: settings[key] for key in settings if key in inspect.signature(kind).parameters})
