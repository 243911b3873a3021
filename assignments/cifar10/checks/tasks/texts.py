"""Task 8: two short answers in words. A program counts their words; a person gives the points."""

import re
from typing import Any

from checks.messages import type_of
from checks.tasks.part import Part, Question, Task

FEWEST, MOST = 80, 250  # words
# Scripts that put no spaces between words, and how many of their characters a word has at least and at most.
_UNSPACED = (
    ("[\u3041-\u3096\u30a1-\u30fa\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]", 1, 3),  # Chinese, Japanese
    ("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]", 3, 6),  # Thai, Lao, Burmese, Khmer
)


def words_in(text: str) -> tuple[int, int]:
    """The fewest and the most words that a text can have. They differ where words have no spaces between them."""
    low = high = 0
    for script, shortest, longest in _UNSPACED:
        text, characters = re.subn(script, " ", text)
        low, high = low + -(-characters // longest), high + characters // shortest
    words = len(text.split()) if not high else len(re.findall(r"\w\S*", text))
    return low + words, high + words


def _judge(question: Question, expected: Any, reply: Any) -> str | None:
    name = question["name"]
    if not isinstance(reply, str):
        return f"{name} should be a string; it is {type_of(reply)}."
    low, high = words_in(reply)
    if high == 0:
        return f"{name} is still empty."
    if high < FEWEST:
        return f"{name} has {high:,} words, and {FEWEST} are the fewest. Are your numbers in it, and the reasons?"
    if low > MOST:
        return f"{name} has {low:,} words, and {MOST} are the most. What could a reader do without?"
    return None


def _text(name: str) -> Part:
    questions = [{"aspect": "words", "name": name}]
    return Part(name, 4, lambda _: questions, lambda text, _: text, _judge, compares=False, by_person=True)


TASK = Task(8, "In your own words", (_text("WHY_STUCK"), _text("WHAT_DATA_BUYS")))
