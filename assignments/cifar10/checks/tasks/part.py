"""What a task is made of: parts, each a function or a constant of ``answers.py``, with its points."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

# A question is a dictionary of JSON values and tensors. "aspect" names the one idea that it asks about.
Question = dict[str, Any]


class Draw:
    """Everything random in questions: one seed, one stream."""

    def __init__(self, seed: int):
        self._whole, self._tensors = random.Random(seed), torch.Generator().manual_seed(seed)

    def whole(self, low: int, high: int) -> int:
        """A whole number from ``low`` to ``high``, both included."""
        return self._whole.randint(low, high)

    def one_of(self, choices: Sequence) -> Any:
        """One of the choices."""
        return self._whole.choice(choices)

    def normal(self, *shape: int) -> torch.Tensor:
        """A float32 tensor from the standard normal distribution."""
        return torch.randn(*shape, generator=self._tensors)

    def labels(self, count: int, classes: int) -> torch.Tensor:
        """``count`` class numbers, int64, in which each class stands when there is room for all."""
        firsts = torch.arange(classes).repeat(-(-count // classes))[:count]
        return firsts[torch.randperm(count, generator=self._tensors)]


@dataclass(frozen=True)
class Part:
    """One function or constant that a student writes.

    ``questions`` draws what to ask, the easiest first. ``answer`` runs in the worker: it puts one question to the
    student's object and returns a reply of JSON values and tensors. ``judge`` runs where the student's code cannot
    reach: it holds a reply against the reference's and returns a hint, or None where the reply is right; the first
    hint is shown. It finds in the question what else was handed in: ``logits``, tensors by name, or None, and then
    ``logits_problem``. ``compares`` is False where it needs no reference, because it works with the reply itself.

    ``seconds`` is what all questions together may take. ``key`` tells apart two parts that ask for one function.
    ``by_person`` marks what a program can only see handed in: its points are given by somebody who reads it.
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

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", self.key or self.function)


@dataclass(frozen=True)
class Task:
    """Some parts that belong together. ``number`` is the one that students read, and the tag of its cells."""

    number: int
    title: str
    parts: tuple[Part, ...]

    @property
    def points(self) -> int:
        return sum(part.points for part in self.parts)
