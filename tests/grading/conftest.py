"""The assignment as it lies in the checkout, and what becomes of answers to it."""

import os
import shutil
from pathlib import Path

import pytest
import torch
from running_here import Here
from small_class import Counting, answers, hand_in, labels_of

from checks import logits, marking, script
from course_tools.grading import judge, release
from course_tools.publishing.project import Project

MASTER = Path(__file__).parents[2] / "assignments" / "cifar10"


@pytest.fixture(scope="session")
def master():
    return MASTER


@pytest.fixture(scope="session")
def reference(master):
    """The text of the answers that get full marks."""
    return (master / "reference.py").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def asked(reference):
    """Every part's questions and right replies, by seed."""
    kept = {}

    def of(seed):
        if seed not in kept:
            kept[seed] = marking.ask(script.cells_of(reference), seed)
        return kept[seed]

    return of


@pytest.fixture(scope="session")
def handed_in(master):
    """The logits that the reference's own network gave, and their images' labels."""
    return {**logits.handed_in(master), "own_labels": labels_of(master)}


@pytest.fixture(scope="session")
def hints(asked, handed_in):
    """``hints(text, seed, task)``: the hint of each part that a script loses, by the part's key.

    Where a task is named, it is marked alone: its own cells, and those of no task.
    """

    def of(text, seed=2026, task=None):
        torch.set_num_threads(1)
        cells, questions = script.cells_of(text), asked(seed)
        if task is not None:
            cells = [cell for cell in cells if cell.task in (None, task.number)]
            questions = {part.key: questions[part.key] for part in task.parts}
        verdicts = marking.mark(cells, questions, Here, handed_in)
        return {verdict.part.key: verdict.hint for verdict in verdicts if verdict.hint}

    return of


@pytest.fixture(scope="session")
def released(tmp_path_factory):
    """The student's repository, as the command makes it. Copy it before you change it."""
    target = tmp_path_factory.mktemp("release") / "assignment"
    release.release(Project(MASTER.parents[1]), target)
    return target


@pytest.fixture(scope="session")
def bubblewrap():
    """Where bubblewrap is missing, its tests are skipped; they fail where COURSE_REQUIRE_SYSTEM=1."""
    if not shutil.which("bwrap"):
        stop = pytest.fail if os.environ.get("COURSE_REQUIRE_SYSTEM") == "1" else pytest.skip
        stop("bubblewrap is missing: apt install bubblewrap")


@pytest.fixture
def counted_here(monkeypatch):
    """For students' code that is ours, and short: it needs no process of its own, and how often it runs is counted."""
    monkeypatch.setattr(judge, "Worker", Counting)
    monkeypatch.setattr(Counting, "started", 0)
    monkeypatch.setattr(Counting, "seeds", set())


@pytest.fixture
def out(tmp_path):
    return tmp_path / "grades.csv"


@pytest.fixture
def class_of_two(tmp_path, reference):
    """Ann has 12 points, Bob 7."""
    hand_in(tmp_path / "class", "ann", answers(reference))
    hand_in(tmp_path / "class", "bob", answers(reference, size_is_right=False))
    return tmp_path / "class"
