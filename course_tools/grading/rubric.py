"""Points that a person gives: a table with a row a submission, and a column for each part that the person marks.

The same table moderates: a column of a part that a program marks changes that part's points, and then the row needs a
reason, which the student reads.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from checks.tasks import PARTS
from course_lib.errors import CourseError
from course_tools.grading import tables
from course_tools.grading.submissions import shown

_WHO = {"code": "code", "student": "id", "folder": "name"}  # a column, and the attribute that it names


@dataclass(frozen=True)
class Given:
    """What a person decided on one submission: points by a part's key, and why where a program gave others."""

    points: dict[str, float] = field(default_factory=dict)
    reason: str = ""


def read(file: Path, entries: Sequence[Any]) -> dict[str, Given]:
    """The points of each submission, by its stem.

    Args:
        file: the table. A row names its submission by ``code``, ``student`` or ``folder``.
        entries: the submissions that there are: :class:`course_tools.grading.state.Entry`. A student with two gets the
            points for both.

    Raises: CourseError that names the line: nobody of that name, points out of range, no reason, somebody twice.
    """
    lines = tables.read(file, (*_WHO, *PARTS, "reason"))
    if lines and not {*lines[0].cells} & {*_WHO}:
        raise CourseError(f"{file} has none of the columns {', '.join(_WHO)}: one should say whose points these are.")
    given: dict[str, Given] = {}
    for line in lines:
        points = {key: _points(file, line, key) for key in PARTS if line.cells.get(key)}
        reason = line.cells.get("reason", "")
        changed = [key for key in points if not PARTS[key].by_person]
        if changed and not reason:
            raise CourseError(f"{file}, line {line.number} changes {changed[0]} and gives no reason: write one.")
        for entry in _named(file, line, entries):
            if entry.stem in given:
                raise CourseError(f"{file}, line {line.number}: {shown(entry.id)} has a line already: join the two.")
            given[entry.stem] = Given(points, reason)
    return given


def _points(file: Path, line: tables.Line, key: str) -> float:
    text, most = line.cells[key], PARTS[key].points
    try:
        points = float(text.replace(",", "."))
    except ValueError:
        points = math.nan
    if not 0 <= points <= most:
        raise CourseError(f"{file}, line {line.number}: {key} is {shown(text)}; write a number from 0 to {most}.")
    return points


def _named(file: Path, line: tables.Line, entries: Sequence[Any]) -> list[Any]:
    for column, attribute in _WHO.items():
        if wanted := line.cells.get(column):
            named = [entry for entry in entries if getattr(entry, attribute) == wanted]
            if not named:
                raise CourseError(f"{file}, line {line.number}: no submission has the {column} {shown(wanted)}.")
            return named
    raise CourseError(f"{file}, line {line.number} does not say whose points these are.")
