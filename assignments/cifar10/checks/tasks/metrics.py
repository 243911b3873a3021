"""Task 6: what predictions are worth, in functions, and then in the numbers of the student's own network."""

from collections.abc import Callable
from typing import Any

import torch

from checks.messages import type_of
from checks.tasks.comparison import FLOATS, WHOLE, number_in
from checks.tasks.part import Draw, Part, Question, Task
from checks.tasks.results import judge_results

# How many images of a class (row) were taken for a class (column).
Plan = list[list[int]]

Judge = Callable[[Question, Any, Any], str | None]
_NEAR = 1e-4  # of a number from 0 to 1


def _asked(draw: Draw, aspect: str, plan: Plan, seconds: int = 0) -> Question:
    """Logits and labels that have this confusion matrix, in a random order.

    Where the guess is wrong, the true class has the smallest logit; in ``seconds`` of these images the second largest.
    """
    size = range(len(plan))
    pairs = [(true, guess) for true in size for guess in size for _ in range(plan[true][guess])]
    order = draw.normal(len(pairs)).argsort()
    labels, guesses = torch.tensor(pairs)[order].unbind(1)
    rows = torch.arange(len(pairs))
    logits = -draw.normal(len(pairs), len(plan)).abs()
    wrong = (labels != guesses).nonzero().flatten()
    logits[wrong, labels[wrong]] = -5
    logits[wrong[:seconds], labels[wrong[:seconds]]] = 0.05
    logits[rows, guesses] = draw.normal(len(pairs)).abs() + 0.1
    logits += 2 * draw.normal(len(pairs), 1)
    return {"aspect": aspect, "logits": logits, "labels": labels.contiguous(), "classes": len(plan)}


def _judge_of_number(
    name: str,
    hints: dict[str, str],
    mistakes: Callable[[Question, float], list[tuple[float, str]]],
    near: float = _NEAR,
    digits: int = 4,
) -> Judge:
    """The judge of a function that returns a number.

    ``mistakes`` are the numbers that come out of common mistakes, with their hints; for others, each question has its
    own hint.
    """

    def judge(question: Question, expected: Any, reply: Any) -> str | None:
        value = number_in(reply)
        if value is None:
            return f"{name} should return a float; it returned {type_of(reply)}."
        if abs(value - expected) <= near:
            return None
        hint = hints[question["aspect"]]
        for wrong, its_hint in reversed(mistakes(question, expected)):
            hint = its_hint if abs(value - wrong) <= _NEAR * max(1, abs(wrong)) else hint
        return f"Expected {expected:.{digits}f}, got {value:.{digits}f}. {hint}"

    return judge


def _questions_on_accuracy(draw: Draw) -> list[Question]:
    # As many images as classes, image i taken for class i + step: along the wrong dimension it would be i - step.
    size, step = 7, draw.whole(1, 3)
    logits = -draw.normal(size, size).abs()
    images = torch.arange(size)
    guesses = (images + step) % size
    logits[images, guesses] += 4
    labels = guesses.clone()
    one = draw.whole(0, 3)
    wrong = [one, one + 2]
    labels[wrong] = guesses[wrong[::-1]]
    logits[wrong, labels[wrong]] = -5
    square = {"aspect": "rows", "logits": logits, "labels": labels, "classes": size}
    uneven = [[draw.whole(12, 18), 1, 0], [2, draw.whole(1, 2), 1], [3, 0, draw.whole(1, 2)]]
    close = [[draw.whole(3, 6), 2, 1, 0], [1, draw.whole(3, 6), 0, 2], [0, 1, draw.whole(3, 6), 1], [1, 0, 1, 2]]
    return [square, _asked(draw, "share", uneven), _asked(draw, "second", close, seconds=5)]


_ACCURACY_HINTS = {
    "rows": "A row of logits belongs to one image: which dimension do you search for its largest value?",
    "share": "Every image counts the same: how many predictions are right, of how many?",
    "second": "A prediction is one class, that of the largest logit. To be second does not count.",
}


def _mistakes_in_accuracy(question: Question, expected: float) -> list[tuple[float, str]]:
    return [
        (100 * expected, "The task asks for a share from 0 to 1, not for percent."),
        (len(question["labels"]) * expected, "That is how many are right; the task asks for the share."),
    ]


def _questions_on_matrix(draw: Draw) -> list[Question]:
    def some() -> int:
        return draw.whole(2, 6)

    right = [[some(), 0, 0], [0, some(), 0], [0, 0, some()]]
    above = draw.whole(4, 7)  # class 0 is taken for class 1 more often than the other way round
    crossed = [[some(), above, 1], [draw.whole(0, 2), some(), draw.whole(0, 2)], [3, draw.whole(3, 4), some()]]
    absent = [[some(), 0, 1, 1, 0], [2, 0, 1, 0, 0], [0, 0, some(), 3, 0], [1, 0, 0, some(), 0], [0] * 5]
    return [_asked(draw, "counts", right), _asked(draw, "rows", crossed), _asked(draw, "absent", absent)]


_MATRIX_HINTS = {
    "counts": "Here every prediction is right: each class has the number of its images on the diagonal, and else 0.",
    "rows": "An entry is the number of images of one true class that got one predicted class.",
    "absent": "A class that is never predicted has a column of zeros, and one without images a row of zeros.",
}


def _judge_matrix(question: Question, expected: Any, reply: Any) -> str | None:
    if not isinstance(reply, torch.Tensor) or reply.dtype not in (*WHOLE, *FLOATS):
        return f"confusion_matrix should return a tensor of type int64; it returned {type_of(reply)}."
    if reply.shape != expected.shape:
        size = question["classes"]
        return (
            f"confusion_matrix returned shape {tuple(reply.shape)}, and num_classes is {size}: it should be "
            f"({size}, {size}) whichever classes stand in the labels."
        )
    if reply.dtype in FLOATS:
        if torch.equal(reply.double(), expected.double()):
            return f"The counts are right, but their type is {reply.dtype}; the task asks for int64."
        return "An entry should be a number of images, of type int64, and not a share of them."
    reply = reply.long()
    if torch.equal(reply, expected):
        return None
    if torch.equal(reply, expected.T):
        return "Rows and columns are exchanged: a row is about one true class, a column about one predicted class."
    if torch.equal(reply, (expected > 0).long()):
        return (
            "No entry is above 1: each pair of classes was counted once only. What does PyTorch do with "
            "matrix[rows, columns] += 1 where the same place comes twice?"
        )
    return f"Expected {expected.tolist()}, got other counts. {_MATRIX_HINTS[question['aspect']]}"


def _questions_on_f1(draw: Draw) -> list[Question]:
    def some() -> int:
        return draw.whole(4, 8)

    images, right = draw.whole(7, 9), draw.whole(3, 5)
    wrong = images - right
    ring = [[right, wrong, 0], [0, right, wrong], [wrong, 0, right]]  # precision and recall equal in all classes
    many = draw.whole(10, 14)  # classes of one size, and one of them is predicted too often
    few = draw.whole(2, 3)
    greedy = [[many - 1, 1, 0], [many - few, few, 0], [many // 2, 0, many - many // 2]]
    mirrored = [[draw.whole(15, 25), 2, 1], [2, draw.whole(1, 2), 1], [1, 1, draw.whole(3, 5)]]
    pooled = {"share": (2 * many - 1 - many // 2 + few) / (3 * many)}  # of right predictions in greedy
    return [
        _asked(draw, "ring", ring),
        _asked(draw, "own", greedy) | pooled,
        _asked(draw, "mean", mirrored),
        _asked(draw, "never right", [[some(), 1, 1], [1, some(), 2], [2, 1, 0]]),
        _asked(draw, "never predicted", [[some(), 1, 0], [2, some(), 0], [1, 2, 0]]),
        _asked(draw, "no images", [[some(), 1, 1], [0, some(), 2], [0, 0, 0]]),
        _asked(draw, "absent", [[some(), 0, 1, 0], [0, 0, 0, 0], [1, 0, some(), 2], [2, 0, 1, some()]]),
    ]


_F1_HINTS = {
    "ring": "Here precision and recall are equal in every class, and so F1 is that same number.",
    "own": "Each class has an F1 of its own, the harmonic mean of its precision and its recall. The mean over classes "
    "comes last.",
    "mean": "In the mean every class counts the same, however few images it has.",
    "never right": "One class was predicted and has images, but no prediction of it is right. Its precision and recall "
    "are 0, and the task sets its F1 to 0.",
    "never predicted": "One class is never predicted: its precision is 0 of 0, and the task sets its F1 to 0.",
    "no images": "One class is predicted but has no image: its recall is 0 of 0, the task sets its F1 to 0, and it "
    "counts in the mean.",
    "absent": "One class has no image and is never predicted. Its F1 is 0, and the mean is over all num_classes.",
}


def _mistakes_in_f1(question: Question, expected: float) -> list[tuple[float, str]]:
    mistakes = [(100 * expected, "The task asks for a number from 0 to 1, not for percent.")]
    if "share" in question:
        pooled = "That is the share of right predictions, and F1 over all images pooled is always just that."
        mistakes.append((question["share"], pooled))
    return mistakes


def _questions_on_gap(draw: Draw) -> list[Question]:
    def ask(aspect: str, train: Plan, val: Plan) -> Question:
        halves = {"train": _asked(draw, aspect, train), "val": _asked(draw, aspect, val)}
        named = {f"{half}_{name}": asked[name] for half, asked in halves.items() for name in ("logits", "labels")}
        return {"aspect": aspect, **named}

    good = [[draw.whole(8, 12), 1, 0], [1, draw.whole(8, 12), 0], [0, 1, draw.whole(8, 12)]]
    bad = [[draw.whole(3, 5), 2, 1], [2, draw.whole(3, 5), 1], [1, 1, draw.whole(2, 3)]]
    return [ask("better", good, bad), ask("worse", bad, good)]


_GAP_HINTS = {
    "better": "It is one accuracy minus the other, both in percent, each over its own images.",
    "worse": "Here validation is better than training, and so the gap is below zero.",
}


def _mistakes_in_gap(question: Question, expected: float) -> list[tuple[float, str]]:
    mistakes = [(expected / 100, "The task asks for percentage points: from 80 % to 70 % it is 10 points.")]
    if question["aspect"] == "better":
        mistakes.append((-expected, "The gap is above zero where the network is worse on validation images."))
    return mistakes


def _answer(*names: str) -> Callable[[Any, Question], Any]:
    return lambda function, question: function(*(question[name] for name in names))


_ASKED = ("logits", "labels", "classes")
_GAP_ASKED = ("train_logits", "train_labels", "val_logits", "val_labels")
_judge_accuracy = _judge_of_number("accuracy", _ACCURACY_HINTS, _mistakes_in_accuracy)
_judge_f1 = _judge_of_number("macro_f1", _F1_HINTS, _mistakes_in_f1)
_judge_gap = _judge_of_number("generalisation_gap", _GAP_HINTS, _mistakes_in_gap, near=100 * _NEAR, digits=2)
_OWN = [{"aspect": "own network"}]

TASK = Task(
    number=6,
    title="Metrics, and a network of your own",
    parts=(
        Part("accuracy", 1, _questions_on_accuracy, _answer("logits", "labels"), _judge_accuracy),
        Part("confusion_matrix", 3, _questions_on_matrix, _answer(*_ASKED), _judge_matrix),
        Part("macro_f1", 4, _questions_on_f1, _answer(*_ASKED), _judge_f1),
        Part("generalisation_gap", 2, _questions_on_gap, _answer(*_GAP_ASKED), _judge_gap),
        Part("RESULTS", 4, lambda _: _OWN, lambda it, _: it, judge_results, compares=False, needs_labels=True),
    ),
)
