"""The reference passes, the stub earns nothing, and a known mistake loses its own part, no other, with its hint."""

import importlib
from pathlib import Path

import pytest
from known_mistakes import Mistake
from running_here import nightly

from checks.tasks import TASKS

MODULES = sorted(file.stem for file in Path(__file__).parent.glob("mistakes_in_*.py"))
MISTAKES = [mistake for module in MODULES for mistake in importlib.import_module(module).MISTAKES]


@pytest.mark.parametrize("seed", [0, 2026, *nightly(7, 123_456_789)])
def test_the_reference_gets_full_marks(hints, reference, seed):
    assert hints(reference, seed) == {}


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.title)
def test_no_task_needs_another_tasks_cells(hints, reference, task):
    """So a mistake in a cell can cost its own task alone, and it is enough to mark that one."""
    assert hints(reference, task=task) == {}


EVERY_MISTAKE = pytest.mark.parametrize(
    ("mistake", "seed"),
    [(mistake, (2026, 99)[at % 2]) for at, mistake in enumerate(MISTAKES)],
    ids=lambda value: f"{value.part}: {value.hint}" if isinstance(value, Mistake) else str(value),
)


@EVERY_MISTAKE
def test_a_mistake_loses_its_own_part_with_its_hint(hints, reference, mistake, seed):
    (task,) = (task for task in TASKS if task.number == mistake.task)
    lost = hints(mistake.made_in(reference), seed, task)
    assert set(lost) == {mistake.part}, lost
    assert mistake.hint in lost[mistake.part]


@pytest.mark.nightly
@EVERY_MISTAKE
def test_a_mistake_costs_no_part_of_another_task(hints, reference, mistake, seed):
    assert set(hints(mistake.made_in(reference), seed)) == {mistake.part}


def test_the_points_are_those_that_students_read(master):
    """The master's table, and 100 in all."""
    text = (master / "answers.py").read_text(encoding="utf-8")
    for task in TASKS:
        row = next(line for line in text.splitlines() if line.startswith(f"# | {task.number} |"))
        assert row.endswith(f"| {task.points} |")
        assert f"# ## Task {task.number}: {task.title} ({task.points} points)" in text
        for part in task.parts:
            assert f"{part.function}" in text
    assert sum(task.points for task in TASKS) == 100
