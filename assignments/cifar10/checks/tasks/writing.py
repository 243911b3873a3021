"""Task 8: two short answers in words. A program sees that they are there and how long; a person gives the points."""

from typing import Any

from checks.messages import type_of
from checks.tasks.part import Part, Question, Task

FEWEST, MOST = 80, 250  # words


def _judge_words(question: Question, expected: Any, reply: Any) -> str | None:
    name = question["name"]
    if not isinstance(reply, str):
        return f"{name} should be a string; it is {type_of(reply)}."
    words = len(reply.split())
    if words == 0:
        return f"{name} is still empty."
    if words < FEWEST:
        return f"{name} has {words:,} words, and {FEWEST} are the fewest. Are your numbers in it, and the reasons?"
    if words > MOST:
        return f"{name} has {words:,} words, and {MOST} are the most. What could a reader do without?"
    return None


def _in_words(name: str, points: int) -> Part:
    return Part(
        function=name,
        points=points,
        questions=lambda draw: [{"aspect": "words", "name": name}],
        answer=lambda text, question: text,
        judge=_judge_words,
        compares=False,
        by_person=True,
    )


TASK = Task(number=8, title="In your own words", parts=(_in_words("WHY_STUCK", 4), _in_words("WHAT_DATA_BUYS", 4)))
