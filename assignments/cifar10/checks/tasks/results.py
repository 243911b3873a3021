"""The numbers of the student's own network, held against the logits that it gave."""

from typing import Any

import torch

from checks.messages import type_of
from checks.tasks.comparison import number_in
from checks.tasks.part import Question

# What a network that learned has at least: accuracy on validation images. Guessing has 0.1.
LEAST = {"val_5": 0.20, "val_100": 0.50}
MOST = 0.97  # more than this network reaches on images that it was not trained on
NEAR_SHARE, NEAR_POINTS = 0.002, 0.2  # how far a number in RESULTS may be off: a share, percentage points
SHARES = ("5", "100")  # percent of the training images
KEYS = tuple(f"{name}_{share}" for name in ("accuracy", "macro_f1", "gap") for share in SHARES)


def judge_results(question: Question, expected: Any, reply: Any) -> str | None:
    """Whether RESULTS is filled in, the network behind the logits learned, and the one fits the other.

    Where the question has no ``own_labels``, only whether RESULTS and the logits have their form, and learning shows.
    """
    if hint := _unreadable(reply):
        return hint
    logits = question.get("logits")
    if logits is None:
        return str(question.get("logits_problem"))
    reported = {key: number_in(reply[key]) for key in KEYS}
    if question.get("own_labels") is None:
        return _unlikely(reported)
    measured = _measured(logits, question["own_labels"])
    return _never_learned(measured) or _differs(measured, reported)


def _unreadable(reply: Any) -> str | None:
    if not isinstance(reply, dict):
        return f"RESULTS should be a dictionary; it is {type_of(reply)}."
    missing = [key for key in KEYS if key not in reply]
    if missing:
        return f"RESULTS has no {missing[0]}: its keys should be {', '.join(KEYS)}."
    empty = [key for key in KEYS if reply[key] is None]
    if empty:
        return f"RESULTS is still to be filled in: {', '.join(empty)}. Train your network, and copy what it reaches."
    for key in KEYS:
        number = number_in(reply[key])
        if number is None or not abs(number) <= 100:  # NaN fails too
            what = type_of(reply[key]) if number is None else f"{number:g}"
            return f"{key} in RESULTS should be a plain number, a share up to 1 or points up to 100; it is {what}."
    return None


def _unlikely(reported: dict[str, float]) -> str | None:
    """What a network that learned cannot have reached, whatever the labels are."""
    for key, value in reported.items():
        if not key.startswith("gap") and not 0 <= value <= 1:
            return f"{key} in RESULTS is {value:g}: the task asks for a share from 0 to 1."
    for share in SHARES:
        if not LEAST[f"val_{share}"] <= (value := reported[f"accuracy_{share}"]) <= MOST:
            return (
                f"accuracy_{share} in RESULTS is {value:g}. A network that learned reaches "
                f"{LEAST[f'val_{share}']:.0%} or more, and none more than {MOST:.0%} on images that it has not seen."
            )
    if reported["accuracy_100"] <= reported["accuracy_5"]:
        return "accuracy_100 in RESULTS is no larger than accuracy_5: were the two exchanged?"
    return None


def _measured(logits: dict[str, torch.Tensor], labels: dict[str, torch.Tensor]) -> dict[str, float]:
    """Validation accuracy as ``val_5`` and ``val_100``, and what RESULTS should hold."""
    from course_lib.analysis.predictions import Predictions, class_report
    from course_lib.data.catalog import CIFAR10

    seen = {name: Predictions(logits[name], right, CIFAR10.classes) for name, right in labels.items()}
    measured = {}
    for share in SHARES:
        train, val = seen[f"train_{share}"], seen[f"val_{share}"]
        measured[f"val_{share}"] = measured[f"accuracy_{share}"] = val.accuracy
        measured[f"macro_f1_{share}"] = float(class_report(val).loc["macro", "f1"])
        measured[f"gap_{share}"] = 100 * (train.accuracy - val.accuracy)
    return measured


def _never_learned(measured: dict[str, float]) -> str | None:
    for name, least in LEAST.items():
        if measured[name] < least:
            return (
                f"By {name} of logits.safetensors your network is right for {measured[name]:.1%} of the validation "
                f"images, and one that learned is right for {least:.0%} or more. Did its training loss leave 2.3? "
                "Were the images normalised, and was it in evaluation mode when it gave the logits?"
            )
        if measured[name] > MOST:
            return (
                f"By {name} of logits.safetensors your network is right for {measured[name]:.1%} of the validation "
                f"images. More than {MOST:.0%} means that it was trained on them: use the training images only."
            )
    if measured["val_100"] <= measured["val_5"]:
        return (
            "logits.safetensors says that your network is no better on validation images after all training images "
            f"({measured['val_100']:.1%}) than after 5 % of them ({measured['val_5']:.1%}). Were the two exchanged, or "
            "was one network trained further instead of a new one?"
        )
    return None


def _differs(measured: dict[str, float], reported: dict[str, float]) -> str | None:
    for key in KEYS:
        near = NEAR_POINTS if key.startswith("gap") else NEAR_SHARE
        if abs(reported[key] - measured[key]) > near:
            why = _why(key, reported[key], measured, near)
            return f"{key} in RESULTS is {reported[key]:g}, and logits.safetensors gives another number. {why}"
    return None


def _why(key: str, reported: float, measured: dict[str, float], near: float) -> str:
    name, share = key.rsplit("_", 1)
    other = measured[f"{name}_{'100' if share == '5' else '5'}"]
    if abs(reported - other) <= near:
        return "It is what the other share of the training images gives: were the two exchanged?"
    if name == "gap" and abs(reported + measured[key]) <= near:
        return "It has the wrong sign: the gap is training accuracy minus validation accuracy."
    if name == "gap" and abs(100 * reported - measured[key]) <= near:
        return "It looks like a share: the task asks for percentage points."
    if name != "gap" and abs(reported / 100 - measured[key]) <= near:
        return "It looks like percent: the task asks for a share from 0 to 1."
    return "Run the cell that prints your metrics again: the numbers belong to the logits that you hand in."
