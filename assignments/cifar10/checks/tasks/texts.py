"""Task 8: two short answers in words. A program counts their words; a person gives the points."""

from typing import Any

from checks.messages import type_of
from checks.tasks.part import Part, Question, Task

FEWEST, MOST = 80, 250  # words


def _judge(question: Question, expected: Any, reply: Any) -> str | None:
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


def _text(name: str) -> Part:
    questions = [{"aspect": "words", "name": name}]
    return Part(name, 4, lambda _: questions, lambda text, _: text, _judge, compares=False, by_person=True)


TASK = Task(8, "In your own words", (_text("WHY_STUCK"), _text("WHAT_DATA_BUYS")))
