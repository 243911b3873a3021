"""Task 8: a program sees that something is there, and how long it is."""

import pytest
import torch

from checks.tasks import Draw, texts

PARTS = {part.key: part for part in texts.TASK.parts}


def judged(key, text):
    part = PARTS[key]
    (question,) = part.questions(Draw(1))
    return part.judge(question, None, part.answer(text, question))


@pytest.mark.parametrize("key", PARTS)
@pytest.mark.parametrize("words", [80, 250])
def test_a_text_of_the_right_length_is_handed_in(key, words):
    assert judged(key, "\n\nLoss, 2.303.  " + "word\n" * (words - 2)) is None


@pytest.mark.parametrize("key", PARTS)
@pytest.mark.parametrize(("words", "hint"), [(0, "empty"), (79, "are the fewest"), (251, "are the most")])
def test_a_text_of_another_length_gets_a_hint(key, words, hint):
    assert hint in judged(key, "word " * words)
    assert judged(key, "word " * words).startswith(key)


@pytest.mark.parametrize("key", PARTS)
@pytest.mark.parametrize("odd", [None, True, 10**400, [], ["word"] * 100, {}, {"$type": "Text"}, torch.ones(100)])
def test_what_is_no_text_gets_a_hint(key, odd):
    assert "should be a string" in judged(key, odd)


def test_a_person_gives_the_points():
    assert all(part.by_person and part.points == 4 for part in texts.TASK.parts)
