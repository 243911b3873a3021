"""What each student gets back: one Markdown file, in the words of ``check.py``.

It knows nothing of other students and nothing of the seed. Whatever a student could have put markup into stands in a
block of code.
"""

import re
import shutil
import textwrap
from collections.abc import Sequence
from pathlib import Path

from checks import feedback
from checks.tasks import TASKS, Part, Task
from course_tools.grading.classes.grades import Row
from course_tools.grading.classes.submissions import MISSING

_CODE = 4 * " "


def write(folder: Path, rows: Sequence[Row]) -> None:
    """Write a letter for each submission that has points, in the place of all those that ``folder`` held before."""
    fresh, old = (folder.with_name(f".{folder.name}.{age}") for age in ("new", "old"))
    for scratch in (fresh, old):
        shutil.rmtree(scratch, ignore_errors=True)
    fresh.mkdir()
    for row in rows:
        if has_letter(row):
            (fresh / f"{row.entry.stem}.md").write_text(letter(row), encoding="utf-8")
    if folder.exists():
        folder.rename(old)
    fresh.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def has_letter(row: Row) -> bool:
    """Whether there is somebody to write to, and something to say."""
    return bool(row.entry.folder) and not row.entry.failure


def letter(row: Row) -> str:
    """What a student is told: points part by part, and a hint for each part that is not right."""
    lines = [f"# Feedback for {_plain(row.entry.id)}", "", f"**{_number(row.total)} of {row.of} points.**{_later(row)}"]
    if row.entry.late:
        lines += ["", "It was handed in after the deadline."]
    if row.refusal:
        return "\n".join([*lines, "", "Nothing could be graded:", "", _code(_why(row.refusal)), ""])
    for task in TASKS:
        lines += ["", f"## Task {task.number}: {task.title}{_sum(row, task)}", ""]
        lines += [_code(_told(row, task, part)) for part in task.parts]
    return "\n".join([*lines, ""])


def _later(row: Row) -> str:
    missing = sum(task.points for task in TASKS) - row.of
    return f" {missing} more are given by a person." if missing else ""


def _sum(row: Row, task: Task) -> str:
    points = row.of_task(task)
    return "" if points is None else f", {_number(points)} of {task.points} points"


def _told(row: Row, task: Task, part: Part) -> str:
    line = feedback.line(row.verdict(task, part))
    if part.key not in row.given.points:
        return line
    points = f"{_number(row.given.points[part.key])} of {part.points} points"
    if part.by_person:
        return f"  {part.function}: {points}, given by a person"
    return f"{line}\n      Changed by a person to {points}: {feedback.printable(row.given.reason)}"


def _why(refusal: str) -> str:
    reason = "There is no answers.py in what you handed in." if refusal == MISSING else refusal
    return textwrap.fill(feedback.printable(reason), 100)


def _code(text: str) -> str:
    """Text that stays as it is, whatever is in it."""
    return textwrap.indent(textwrap.dedent(text), _CODE)


def _plain(text: str) -> str:
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", text)


def _number(points: float) -> str:
    return f"{round(points, 2):g}"
