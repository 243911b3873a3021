"""Points and totals of a class, and the tables that hold them: ``grades.csv`` and the history beside it."""

import csv
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from checks.marking import Verdict
from checks.tasks import TASKS, Part, Task
from course_tools.grading.classes import spreadsheets
from course_tools.grading.classes.judging import Marks
from course_tools.grading.classes.keeping import Entry
from course_tools.grading.classes.rubrics import Given
from course_tools.grading.classes.submissions import shown

_HISTORY = ("when", "id", "folder", "old_total", "new_total", "why")


@dataclass(frozen=True)
class Row:
    """One submission with its points. ``marks`` is None where nothing was run."""

    entry: Entry
    marks: Marks | None
    given: Given

    @property
    def is_graded(self) -> bool:
        """Whether answers were run."""
        return self.marks is not None and not self.refusal and not self.entry.failure

    @property
    def refusal(self) -> str:
        """Why nothing was run, where that is the student's doing."""
        return self.entry.refusal or (self.marks.refusal if self.marks else "")

    @property
    def status(self) -> str:
        """``ok``, or whatever is to be said of it, with semicolons between."""
        said = [self.refusal, f"failed: {self.entry.failure}" if self.entry.failure else ""]
        said += ["late"] if self.entry.late else []
        said += [f"duplicate of {', '.join(map(shown, self.entry.also))}"] if self.entry.also else []
        return "; ".join(filter(None, said)) or "ok"

    def verdict(self, task: Task, part: Part) -> Verdict:
        """What the program says of one part. Only for a row that is graded."""
        return Verdict(task, part, self.marks.hints[part.key])

    def points(self, task: Task, part: Part) -> float | None:
        """Of one part: what a person decided, else the program; None where that is not known yet."""
        if part.key in self.given.points:
            return self.given.points[part.key]
        if self.entry.failure:
            return None
        if not self.is_graded:
            return 0
        if part.by_person:
            return None if part.key in self.marks.texts else 0  # who wrote nothing needs nobody to read it
        return self.verdict(task, part).points

    def of_task(self, task: Task) -> float | None:
        """The points of a task; None while those of one of its parts are not known."""
        points = [self.points(task, part) for part in task.parts]
        return None if None in points else sum(points)

    @property
    def total(self) -> float | None:
        """All points that are known; None where there are none."""
        known = [points for _, points in self._known()]
        return sum(known) if known else None

    @property
    def of(self) -> int:
        """The most that ``total`` could be: parts whose points are not known yet are no part of it."""
        return sum(part.points for part, _ in self._known())

    def _known(self) -> list[tuple[Part, float]]:
        pairs = [(part, self.points(task, part)) for task in TASKS for part in task.parts]
        return [(part, points) for part, points in pairs if points is not None]

    @property
    def note(self) -> str:
        """What a person changed of the program's points, and why."""
        changed = [
            f"{part.key}: {self.given.points[part.key]:g} points"
            for task in TASKS
            for part in task.parts
            if part.key in self.given.points and not part.by_person
        ]
        return f"{'; '.join(changed)}: {self.given.reason}" if changed else ""


def write(file: Path, rows: Sequence[Row]) -> None:
    """Write ``grades.csv``: a row a submission."""
    tasks = [f"task_{task.number}" for task in TASKS]
    columns = ("id", "folder", "code", *tasks, "total", "of", "status", "handed_in", "time_from", "note")
    spreadsheets.write(file, columns, map(_cells, rows))


def _cells(row: Row) -> list[str | float | None]:
    entry, tasks = row.entry, [row.of_task(task) for task in TASKS]
    last = (row.status, entry.handed_in, entry.time_from, row.note)
    return [entry.id, shown(entry.name), entry.code, *tasks, row.total, row.of, *last]


def write_history(file: Path, old: Sequence[Entry], new: Sequence[Entry], again: Collection[str] = ()) -> int:
    """Add a line for each total that changed, and for what was graded ``again``, by its stem, whatever came out.

    Returns: how many lines were added.
    """
    before = {entry.stem: entry for entry in old}
    now = datetime.now(UTC).isoformat(timespec="seconds")
    added = []
    for one in new:
        was = before.get(one.stem)
        if was and (one.total != was.total or one.stem in again):
            why = "graded again" if one.stem in again else _why(was, one)
            added.append((now, one.id, shown(one.name), was.total, one.total, why))
    if added:
        spreadsheets.write(file, _HISTORY, [*_earlier(file), *added])
    return len(added)


def _earlier(file: Path) -> list[list[str]]:
    if not file.exists():
        return []
    with file.open(encoding="utf-8", newline="") as opened:
        return list(csv.reader(opened))[1:]


def _why(old: Entry, new: Entry) -> str:
    if old.digest != new.digest:
        return "handed in anew"
    if old.version != new.version:
        return "assignment or grader changed"
    return "graded again" if old.marks != new.marks else "points changed by a person"
