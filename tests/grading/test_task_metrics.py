"""Task 6: what its judges make of right answers in another style, of odd replies, and of RESULTS."""

import math

import numpy as np
import pytest
import torch
from running_here import hint_for, replies_to

from checks import logits as handed_in
from checks import messages
from checks.tasks import Draw, metrics
from checks.tasks.results import KEYS, MOST

PARTS = {part.key: part for part in metrics.TASK.parts}
ODD = [
    None,
    True,
    "0.5",
    [],
    {},
    [[1, 0], [0, 1]],
    10**400,
    -1,
    math.nan,
    math.inf,
    {"$type": "Answer"},
    {"a": [None]},
    torch.full((3, 3), math.nan),
    torch.zeros(0),
    torch.zeros(3, 3, dtype=torch.complex64),
    torch.zeros(3, 3, dtype=torch.float8_e4m3fn),
    torch.ones(3, 3, dtype=torch.bool),
    torch.full((3, 3), 2**62),
    torch.tensor(math.nan),
    torch.tensor(1 + 1j),
]


# Right answers in two styles: one counts by hand, in plain Python, one is an array at a time, in NumPy.
def counts_of(logits, labels, num_classes):
    matrix = [[0] * num_classes for _ in range(num_classes)]
    for row, label in zip(logits.tolist(), labels.tolist(), strict=True):
        matrix[label][row.index(max(row))] += 1
    return matrix


def f1_of(logits, labels, num_classes):
    matrix = counts_of(logits, labels, num_classes)
    scores = []
    for one in range(num_classes):
        both = sum(matrix[one]) + sum(row[one] for row in matrix)
        scores.append(2 * matrix[one][one] / both if both else 0)
    return sum(scores) / num_classes


def share_of(logits, labels):
    matrix = counts_of(logits, labels, logits.shape[1])
    return sum(matrix[i][i] for i in range(len(matrix))) / len(labels)


def gap_of(train_logits, train_labels, val_logits, val_labels):
    return 100 * (share_of(train_logits, train_labels) - share_of(val_logits, val_labels))


BY_HAND = {
    "accuracy": share_of,
    "confusion_matrix": lambda *asked: torch.tensor(counts_of(*asked)),
    "macro_f1": f1_of,
    "generalisation_gap": gap_of,
}


def numpy_accuracy(logits, labels):
    return np.mean(logits.numpy().argmax(1) == labels.numpy())


def numpy_matrix(logits, labels, num_classes):
    matrix = np.zeros((num_classes, num_classes), int)
    np.add.at(matrix, (labels.numpy(), logits.numpy().argmax(1)), 1)
    return matrix


def numpy_f1(logits, labels, num_classes):
    matrix = numpy_matrix(logits, labels, num_classes)
    both = matrix.sum(0) + matrix.sum(1)
    return np.float32(np.divide(2 * matrix.diagonal(), both, out=np.zeros(num_classes), where=both > 0).mean())


def tensor_gap(train_logits, train_labels, val_logits, val_labels):
    train, val = (train_logits.argmax(1) == train_labels).float(), (val_logits.argmax(1) == val_labels).float()
    return (train.mean() - val.mean()) * 100


BY_ARRAY = {
    "accuracy": numpy_accuracy,
    "confusion_matrix": numpy_matrix,
    "macro_f1": numpy_f1,
    "generalisation_gap": tensor_gap,
}


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("key", BY_HAND)
def test_a_right_answer_in_another_style_is_right(key, seed):
    part = PARTS[key]
    questions = part.questions(Draw(seed))
    expected, replies = (replies_to(style[key], part, questions) for style in (BY_HAND, BY_ARRAY))
    assert hint_for(part, questions, expected, replies) is None


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: messages.type_of(odd)[:40])
@pytest.mark.parametrize("key", BY_HAND)
def test_an_odd_reply_gets_a_hint(key, odd):
    part = PARTS[key]
    questions = part.questions(Draw(3))
    hint = hint_for(part, questions, replies_to(BY_HAND[key], part, questions), [odd] * len(questions))
    assert hint and len(hint) < 500


@pytest.mark.parametrize("kind", [torch.complex64, torch.float8_e4m3fn, torch.int16, torch.float64])
def test_right_counts_of_another_type_get_a_hint(kind):
    part = PARTS["confusion_matrix"]
    questions = part.questions(Draw(3))
    expected = replies_to(numpy_matrix, part, questions)
    hint = hint_for(part, questions, expected, [counts.to(kind) for counts in expected])
    assert "int64" in hint


def test_questions_have_classes_of_all_kinds_in_them():
    plans = {question["aspect"]: question for question in PARTS["macro_f1"].questions(Draw(1))}
    absent = plans["absent"]
    matrix = torch.tensor(counts_of(absent["logits"], absent["labels"], absent["classes"]))
    assert not matrix[1].any() and not matrix[:, 1].any()
    never = plans["never predicted"]
    matrix = torch.tensor(counts_of(never["logits"], never["labels"], never["classes"]))
    assert matrix[2].any() and not matrix[:, 2].any()
    greedy = plans["own"]
    assert greedy["share"] == pytest.approx(share_of(greedy["logits"], greedy["labels"]))


def test_questions_are_small():
    assert sum(len(messages.pack(part.questions(Draw(1)))) for part in PARTS.values()) < 50_000


# RESULTS
def made_logits(**shares):
    """Logits that are right for these shares of the images, and for images of every class alike."""
    made = {}
    for name, labels in handed_in.labels().items():
        draw = torch.Generator().manual_seed(len(made))
        wrong = (labels + 1 + torch.randint(9, labels.shape, generator=draw)) % 10
        right = torch.rand(labels.shape, generator=draw) < shares[name]
        made[name] = 3 * torch.nn.functional.one_hot(torch.where(right, labels, wrong), 10).float()
    return made


@pytest.fixture(scope="module")
def logits():
    return made_logits(train_5=0.9, val_5=0.4, train_100=0.75, val_100=0.7)


@pytest.fixture(scope="module")
def results(logits):
    told, truth = {}, handed_in.labels()
    for share in ("5", "100"):
        train, val = f"train_{share}", f"val_{share}"
        told[f"accuracy_{share}"] = round(share_of(logits[val], truth[val]), 3)
        told[f"macro_f1_{share}"] = round(f1_of(logits[val], truth[val], 10), 3)
        told[f"gap_{share}"] = round(gap_of(logits[train], truth[train], logits[val], truth[val]), 1)
    return told


def judged(reply, logits):
    return PARTS["RESULTS"].judge({"aspect": "own network", "logits": logits}, None, reply)


def test_results_that_fit_the_logits_are_right(results, logits):
    assert judged(results, logits) is None


def test_results_without_logits_say_what_is_missing(results):
    question = {"aspect": "own network", "logits": None, "logits_problem": "There is no logits.safetensors yet."}
    assert PARTS["RESULTS"].judge(question, None, results) == "There is no logits.safetensors yet."


def test_results_of_the_stub_are_still_to_be_filled_in(logits):
    assert "still to be filled in: accuracy_5, accuracy_100" in judged(dict.fromkeys(KEYS), logits)


def exchanged(results):
    return {key: results[key.replace("_100", "_5") if "_100" in key else key.replace("_5", "_100")] for key in KEYS}


@pytest.mark.parametrize(
    ("told", "hint"),
    [
        (exchanged, "were the two exchanged"),
        (lambda results: results | {"accuracy_5": 100 * results["accuracy_5"]}, "looks like percent"),
        (lambda results: results | {"macro_f1_100": 100 * results["macro_f1_100"]}, "looks like percent"),
        (lambda results: results | {"gap_5": results["gap_5"] / 100}, "looks like a share"),
        (lambda results: results | {"gap_100": -results["gap_100"]}, "wrong sign"),
        (lambda results: results | {"macro_f1_5": results["macro_f1_5"] + 0.01}, "Run the cell"),
        (lambda results: results | {"gap_5": results["gap_5"] + 0.4}, "Run the cell"),
        (lambda results: {key: results[key] for key in KEYS[:-1]}, "has no gap_100"),
        (lambda results: results | {"gap_100": None}, "still to be filled in: gap_100"),
        (lambda results: results | {"gap_100": "5.2"}, "gap_100 in RESULTS should be a plain number"),
        (lambda results: results | {"gap_100": math.nan}, "gap_100 in RESULTS should be a plain number"),
        (lambda results: results | {"gap_100": 10**400}, "gap_100 in RESULTS should be a plain number"),
        (lambda results: results | {"gap_100": torch.tensor(5.2)}, "gap_100 in RESULTS should be a plain number"),
    ],
)
def test_wrong_results_get_their_hint(told, hint, results, logits):
    assert hint in judged(told(results), logits)


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: messages.type_of(odd)[:40])
def test_odd_results_get_a_hint(odd, logits):
    assert judged(odd, logits)
    assert judged(dict.fromkeys(KEYS, odd), logits)


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
    made = made_logits(**{"train_5": 0.9, "val_5": 0.4, "train_100": 0.75, "val_100": 0.7} | shares)
    assert hint in judged(results, made)
