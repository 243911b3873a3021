"""A task, its parts and their questions. A part is a function or a constant of ``answers.py``, with its points."""

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

# A question is a dictionary of JSON values and tensors. "aspect" names the one idea that it asks about.
Question = dict[str, Any]


class Draw:
    """Random numbers for questions, from one seed of up to 64 bits.

    Tensors are NumPy's, for torch's generator uses 32 bits of a seed: who has seen one could find out all others.
    """

    def __init__(self, seed: int):
        self._whole, self._tensors = random.Random(seed), np.random.RandomState([seed % 2**32, seed >> 32])

    def whole(self, low: int, high: int) -> int:
        """A whole number from ``low`` to ``high``, both included."""
        return self._whole.randint(low, high)

    def one_of(self, choices: Sequence) -> Any:
        """One of the choices."""
        return self._whole.choice(choices)

    def normal(self, *shape: int) -> torch.Tensor:
        """A float32 tensor from the standard normal distribution."""
        return torch.from_numpy(self._tensors.standard_normal(shape)).float()

    def labels(self, count: int, classes: int) -> torch.Tensor:
        """``count`` class numbers, int64; every class is among them when there is room for all."""
        firsts = torch.arange(classes).repeat(-(-count // classes))[:count]
        return firsts[torch.from_numpy(self._tensors.permutation(count))]


def in_order(questions: Iterable[Question], hints: dict[str, str]) -> list[Question]:
    """The questions in the order of their aspects' hints: the easiest first."""
    return sorted(questions, key=lambda question: list(hints).index(question["aspect"]))


@dataclass(frozen=True)
class Part:
    """One function or constant that a student writes.

    Attributes:
        function: its name in ``answers.py``.
        points: given whole or not at all.
        questions: draws the questions, the easiest first.
        answer: runs in the worker: calls the student's object with one question and returns JSON values and tensors.
        judge: runs where the student's code cannot reach: compares a reply with the reference's and returns a hint, or
            None where it is right; the first hint is shown. Its question also has what else was handed in: ``logits``,
            tensors by name, or None, and then ``logits_problem``; and their images' ``own_labels``, or None.
        compares: False where the judge needs no reference.
        seconds: the most that all questions together may take.
        key: tells apart two parts that ask for one function.
        by_person: a program only sees that it was handed in; a person reads it and gives the points.
        needs_labels: what the judge sees without the labels of CIFAR-10, which only grading always has, is the form.
    """

    function: str
    points: int
    questions: Callable[[Draw], list[Question]]
    answer: Callable[[Any, Question], Any]
    judge: Callable[[Question, Any, Any], str | None]
    compares: bool = True
    seconds: float = 10.0
    key: str = ""
    by_person: bool = False
    needs_labels: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", self.key or self.function)


@dataclass(frozen=True)
class Task:
    """Parts that belong together. ``number`` is the one that students read, and the tag of its cells."""

    number: int
    title: str
    parts: tuple[Part, ...]

    @property
    def points(self) -> int:
        return sum(part.points for part in self.parts)
