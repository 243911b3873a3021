"""Submissions that take no time to grade, a class of them, and rows that need no grading."""

import csv
import os
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

import pytest
import safetensors.torch
from running_here import Here

from checks import logits
from checks.tasks import TASKS
from course_lib.errors import CourseError
from course_tools.grading import grade as grading
from course_tools.grading import release
from course_tools.grading.gradebook import Row
from course_tools.grading.judge import Marks
from course_tools.grading.rubric import Given
from course_tools.grading.state import Entry
from course_tools.publishing.project import Project

ROOT = Path(__file__).parents[2]
SEED = 2**40 + 5
WORDS = "word " * 100
STUBS = """# %% tags=["answer", "task-1"]
def output_size(size, layers):
    raise NotImplementedError
"""


def labels_of(master):
    """The classes of the images behind each tensor of ``logits.safetensors``."""
    return logits.labels(safetensors.torch.load_file(release.labels_of(master))["labels"])


def answers(reference, *, size_is_right=True, code="", words=None):
    """The reference's task 1 alone, worth 12 points, or 7 where the size is wrong; more code; and task 8, if any."""
    cell = re.search(r'(?ms)^# %% tags=\["answer", "task-1"\]\n.*?(?=^# %%)', reference)[0]
    if not size_is_right:
        assert cell.count("        size = steps + 1\n") == 1
        cell = cell.replace("        size = steps + 1\n", "        size = steps\n")
    if words is not None:
        cell += f'# %% tags=["answer", "task-8"]\nWHY_STUCK = {words!r}\nWHAT_DATA_BUYS = {words!r}\n'
    return f'{cell}\n# %% tags=["answer"]\n{code}\n'


def hand_in(parent, name, text):
    """A folder with an ``answers.py``."""
    folder = Path(parent, name)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "answers.py").write_text(text, encoding="utf-8")
    return folder


def grade(folder, out, **more):
    """Grade in this process, with questions that are always the same."""
    folders = folder if isinstance(folder, list) else [folder]
    return grading.grade(Project(ROOT), folders, out, **{"seed": SEED, "jobs": 1, "trusted": True, **more})


def regrade(chosen, out, **more):
    return grading.regrade(Project(ROOT), chosen, out, **{"jobs": 1, "trusted": True, **more})


def lines(out):
    """The rows of a table, in order."""
    with Path(out).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def table(out):
    """The rows of a table, by their id."""
    return {row["id"]: row for row in lines(out)}


PARTS = {part.key: (task, part) for task in TASKS for part in task.parts}
TEXTS = {"WHY_STUCK": "Because.", "WHAT_DATA_BUYS": "A lot."}
ENTRY = Entry(
    "s1", "s1", "c0de", "s1", "ann", "/class/ann", marks="m", handed_in="2026-03-05T10:00:00+00:00", time_from="file"
)


def row(*, wrong=None, texts=TEXTS, points=None, reason="", **entry):
    hints = dict.fromkeys(PARTS) | (wrong or {})
    return Row(replace(ENTRY, **entry), Marks(hints, texts), Given(points or {}, reason))


def refused(**entry):
    return Row(replace(ENTRY, **{"marks": "", "refusal": "no answers.py", **entry}), None, Given())


class Counting(Here):
    """Counts the runs, and notes what it was asked."""

    started = 0
    seeds: ClassVar[set[int]] = set()

    def __init__(self):
        super().__init__()
        Counting.started += 1

    def answer(self, key, questions, seed, seconds):
        Counting.seeds.add(seed)
        return super().answer(key, questions, seed, seconds)


def refuses(said, act, *words, **more):
    """See that something raises one line."""
    with pytest.raises(CourseError, match=said) as error:
        act(*words, **more)
    assert "\n" not in str(error.value)


def everything(folder):
    """The content of each file, by its name, apart from what is private."""
    files = [file for file in folder.rglob("*") if file.is_file() and "state" not in file.parts]
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}


def saved(folder, day):
    """Set the time of a submission's file: a day in March 2026, at noon."""
    stamp = datetime(2026, 3, day, 12, tzinfo=UTC).timestamp()
    os.utime(folder / "answers.py", (stamp, stamp))
