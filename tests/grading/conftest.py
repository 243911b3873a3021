"""The assignment as it lies in the checkout, and what becomes of answers to it."""

from pathlib import Path

import pytest
import torch
from running_here import Here

from course_lib.grading import logits, marking, release, script
from course_lib.publishing.project import Project

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
    """The logits that the reference's own network gave."""
    return logits.handed_in(master)


@pytest.fixture(scope="session")
def hints(asked, handed_in):
    """``hints(text, seed)``: the hint of each part that a script loses, by the part's key."""

    def of(text, seed=2026):
        torch.set_num_threads(1)
        marked = marking.mark(script.cells_of(text), asked(seed), Here, handed_in)
        return {verdict.part.key: verdict.hint for verdict in marked if verdict.hint}

    return of


@pytest.fixture(scope="session")
def released(tmp_path_factory):
    """The student's repository, as the command makes it. Copy it before you change it."""
    target = tmp_path_factory.mktemp("release") / "assignment"
    release.release(Project(MASTER.parents[1]), target)
    return target
