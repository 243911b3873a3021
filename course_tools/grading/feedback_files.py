"""What each student gets back: one Markdown file, in the words of ``check.py``.

It holds nothing of other students and nothing of the seed. Whatever a student could have put markup into stands in a
block of code.
"""

import re
import shutil
import textwrap
from collections.abc import Sequence
from pathlib import Path

from checks import feedback
from checks.tasks import TASKS, Part, Task
from course_lib.errors import printable
from course_tools.grading.gradebook import Row, number
from course_tools.grading.submissions import MISSING


def write(folder: Path, rows: Sequence[Row]) -> None:
    """Write a file for each submission that has points, in the place of all those that ``folder`` held before."""
    fresh, old = (folder.with_name(f".{folder.name}.{age}") for age in ("new", "old"))
    for scratch in (fresh, old):
        shutil.rmtree(scratch, ignore_errors=True)
    fresh.mkdir()
    for row in rows:
        if row.has_feedback:
            (fresh / f"{row.entry.stem}.md").write_text(text(row), encoding="utf-8")
    if folder.exists():
        folder.rename(old)
    fresh.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def text(row: Row) -> str:
    """Points part by part, and a hint for each part that is not right."""
    missing = sum(task.points for task in TASKS) - row.most
    later = f" {missing} more are given by a person." if missing else ""
    head = re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", row.entry.id)
    lines = [f"# Feedback for {head}", "", f"**{number(row.total)} of {row.most} points.**{later}"]
    if row.entry.late:
        lines += ["", "It was handed in after the deadline."]
    if row.refusal:
        reason = row.refusal.replace(MISSING, "There is no answers.py in what you handed in", 1).rstrip(".") + "."
        reason = textwrap.fill(printable(reason), 100)
        return "\n".join([*lines, "", "Nothing could be graded:", "", _code(reason), ""])
    if row.entry.note:
        lines += ["", "Which of your files was read:", "", _code(textwrap.fill(row.entry.note, 100))]
    for task in TASKS:
        points = row.points_of_task(task)
        earned = "" if points is None else f", {number(points)} of {task.points} points"
        lines += ["", f"## Task {task.number}: {task.title}{earned}", ""]
        lines += [_code(_line(row, task, part)) for part in task.parts]
    return "\n".join([*lines, ""])


def _line(row: Row, task: Task, part: Part) -> str:
    line = feedback.line(row.verdict(task, part))
    if part.key not in row.given.points:
        return line
    points = f"{number(row.given.points[part.key])} of {part.points} points"
    if part.by_person:
        return f"  {part.function}: {points}, given by a person"
    return f"{line}\n      Changed by a person to {points}: {printable(row.given.reason)}"


def _code(content: str) -> str:
    """Text that stays as it is, whatever is in it."""
    return textwrap.indent(textwrap.dedent(content), 4 * " ")
