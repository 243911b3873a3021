"""A runner that needs no process of its own, the processes that others start, and what waits for the night."""

import contextlib
from pathlib import Path

import pytest

from checks import messages, worker


class Here:
    """Runs cells in this process; what it is asked and what it replies travels as messages all the same."""

    def __init__(self):
        self.answers = worker.Answers()

    def load(self, source, line, seconds):
        return self.answers.load(source, line)

    def answer(self, key, questions, seed, seconds):
        questions = messages.unpack(messages.pack(questions))
        return messages.unpack(messages.pack(self.answers.answer(key, questions, seed)))

    def stop(self):
        pass


def replies_to(function, part, questions):
    """What a function replies to a part's questions, as it arrives."""
    return [messages.unpack(messages.pack(part.answer(function, question))) for question in questions]


def descendants(process):
    """The numbers of the processes that descend from one."""
    with contextlib.suppress(OSError):
        for child in map(int, Path(f"/proc/{process}/task/{process}/children").read_text().split()):
            yield child
            yield from descendants(child)


def nightly(*values):
    """Values of a parameter that only ``make nightly`` tries."""
    return [pytest.param(value, marks=pytest.mark.nightly) for value in values]
