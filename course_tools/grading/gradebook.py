"""Points and totals of a class, and the tables that hold them: ``grades.csv`` and the history beside it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from checks.marking import Verdict
from checks.tasks import TASKS, Part, Task
from course_tools.grading import tables
from course_tools.grading.judge import Marks
from course_tools.grading.rubric import Given
from course_tools.grading.state import Entry, Register
from course_tools.grading.submissions import shown

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
    def has_feedback(self) -> bool:
        """Whether there is a student to write to, and something to write."""
        return bool(self.entry.folder) and not self.entry.failure

    @property
    def status(self) -> str:
        """``ok``, or all that is unusual, with semicolons between."""
        parts = [self.refusal, f"failed: {self.entry.failure}" if self.entry.failure else ""]
        parts += ["late"] if self.entry.late else []
        parts += [f"duplicate of {', '.join(map(shown, self.entry.also))}"] if self.entry.also else []
        return "; ".join(filter(None, parts)) or "ok"

    def verdict(self, task: Task, part: Part) -> Verdict:
        """The program's verdict on one part. Only for a row that is graded."""
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
            return None if part.key in self.marks.texts else 0  # nobody has to read what was not written
        return self.verdict(task, part).points

    def points_of_task(self, task: Task) -> float | None:
        """The points of a task; None while those of one of its parts are not known."""
        points = [self.points(task, part) for part in task.parts]
        return None if None in points else sum(points)

    @property
    def total(self) -> float | None:
        """All points that are known; None where there are none."""
        known = [points for _, points in self._known()]
        return sum(known) if known else None

    @property
    def most(self) -> int:
        """The most that ``total`` could be: parts whose points are not known yet are no part of it."""
        return sum(part.points for part, _ in self._known())

    def _known(self) -> list[tuple[Part, float]]:
        pairs = [(part, self.points(task, part)) for task in TASKS for part in task.parts]
        return [(part, points) for part, points in pairs if points is not None]

    @property
    def note(self) -> str:
        """Which file was graded, if that has to be said; what a person changed of the program's points, and why."""
        by_program = [part.key for task in TASKS for part in task.parts if not part.by_person]
        given = self.given.points
        changed = [f"{key}: {given[key]:g} points" for key in by_program if key in given]
        reason = f"{'; '.join(changed)}: {self.given.reason}" if changed else ""
        return "; ".join(filter(None, (self.entry.note, reason)))


def number(points: float | None) -> str:
    """Points as text, with at most two decimals; empty where they are not known."""
    return "" if points is None else f"{round(points, 2):g}"


def write(file: Path, rows: Sequence[Row]) -> None:
    """Write ``grades.csv``: a row a submission."""
    tasks = [f"task_{task.number}" for task in TASKS]
    columns = ("id", "folder", "code", *tasks, "total", "of", "status", "handed_in", "time_from", "note")
    tables.write(file, columns, map(_cells, rows))


def _cells(row: Row) -> list[str | float | None]:
    entry, points = row.entry, [row.points_of_task(task) for task in TASKS]
    last = (row.status, entry.handed_in, entry.time_from, row.note)
    return [entry.id, shown(entry.name), entry.code, *points, row.total, row.most, *last]


def write_history(file: Path, before: Register, new: Sequence[Entry], again: Collection[str] = ()) -> int:
    """Add a line for each total that changed, and for what was graded ``again``, by its stem, whatever came out.

    Lines that ``before`` does not count are of a run that was killed before its end: they are replaced. Returns how
    many lines there are now.
    """
    was_in = {entry.stem: entry for entry in before.entries}
    now = datetime.now(UTC).isoformat(timespec="seconds")
    added = []
    for entry in new:
        was = was_in.get(entry.stem)
        if was and (entry.total != was.total or entry.stem in again):
            why = "graded again" if entry.stem in again else _why(was, entry)
            added.append((now, entry.id, shown(entry.name), was.total, entry.total, why))
    lines = tables.read(file, _HISTORY, _HISTORY) if file.exists() else []
    earlier = [[line.cells[column] for column in _HISTORY] for line in lines[: before.history]]
    if added or len(earlier) < len(lines):
        tables.write(file, _HISTORY, [*earlier, *added])
    return len(earlier) + len(added)


def _why(old: Entry, new: Entry) -> str:
    if old.digest != new.digest:
        return "handed in again"
    if old.version != new.version:
        return "assignment or grader changed"
    return "graded again" if old.marks != new.marks else "points changed by a person"
