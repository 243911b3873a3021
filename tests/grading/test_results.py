"""RESULTS, the numbers of a student's own network, is compared with the logits that were handed in."""

import math

import other_answers
import pytest
import torch
from small_class import ROOT, labels_of

from checks.tasks import PARTS
from checks.tasks.results import KEYS, MOST

TRUTH = labels_of(ROOT / "assignments" / "cifar10")
SHARES = {"train_5": 0.9, "val_5": 0.4, "train_100": 0.75, "val_100": 0.7}


def made_logits(**shares):
    """Logits that are right for these shares of the images, and for images of every class alike."""
    made = {}
    for name, labels in TRUTH.items():
        draw = torch.Generator().manual_seed(len(made))
        wrong = (labels + 1 + torch.randint(9, labels.shape, generator=draw)) % 10
        right = torch.rand(labels.shape, generator=draw) < shares[name]
        made[name] = 3 * torch.nn.functional.one_hot(torch.where(right, labels, wrong), 10).float()
    return made


@pytest.fixture(scope="module")
def logits():
    return made_logits(**SHARES)


@pytest.fixture(scope="module")
def results(logits):
    reported, truth = {}, TRUTH
    for share in ("5", "100"):
        train, val = f"train_{share}", f"val_{share}"
        reported[f"accuracy_{share}"] = round(float(other_answers.accuracy(logits[val], truth[val])), 3)
        reported[f"macro_f1_{share}"] = round(float(other_answers.macro_f1(logits[val], truth[val], 10)), 3)
        gap = other_answers.generalisation_gap(logits[train], truth[train], logits[val], truth[val])
        reported[f"gap_{share}"] = round(float(gap), 1)
    return reported


def judged(reply, logits):
    return PARTS["RESULTS"].judge({"aspect": "own network", "logits": logits, "own_labels": TRUTH}, None, reply)


def test_results_that_fit_the_logits_are_right_and_without_logits_get_the_files_problem(results, logits):
    assert judged(results, logits) is None
    question = {"aspect": "own network", "logits": None, "logits_problem": "There is no logits.safetensors yet."}
    assert PARTS["RESULTS"].judge(question, None, results) == "There is no logits.safetensors yet."


def exchanged(results):
    return {key: results[key.replace("_100", "_5") if "_100" in key else key.replace("_5", "_100")] for key in KEYS}


@pytest.mark.parametrize(
    ("change", "hint"),
    [
        (lambda results: dict.fromkeys(KEYS), "still to be filled in: accuracy_5, accuracy_100"),
        (exchanged, "were the two exchanged"),
        (lambda results: results | {"accuracy_5": 100 * results["accuracy_5"]}, "looks like percent"),
        (lambda results: results | {"gap_5": results["gap_5"] / 100}, "looks like a share"),
        (lambda results: results | {"gap_100": -results["gap_100"]}, "wrong sign"),
        (lambda results: results | {"macro_f1_5": results["macro_f1_5"] + 0.01}, "Run the cell"),
        (lambda results: results | {"gap_5": results["gap_5"] + 0.4}, "Run the cell"),
        (lambda results: {key: results[key] for key in KEYS[:-1]}, "has no gap_100"),
        (lambda results: results | {"gap_100": math.nan}, "gap_100 in RESULTS should be a plain number"),
    ],
)
def test_wrong_results_get_their_hint(change, hint, results, logits):
    assert hint in judged(change(results), logits)


@pytest.mark.parametrize(
    ("shares", "hint"),
    [
        ({"val_5": 0.1}, "By val_5"),
        ({"val_100": 0.45}, "By val_100"),
        ({"val_5": 0.72}, "no better on validation images"),
        ({"val_100": 0.99}, f"More than {MOST:.0%}"),
    ],
)
def test_logits_of_a_network_that_did_not_learn_get_their_hint(shares, hint, results):
    assert hint in judged(results, made_logits(**SHARES | shares))
