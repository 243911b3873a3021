"""What a grading run says of itself: what it wrote, what was left out, and what has to be mended."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from course_lib.errors import CourseError
from course_tools.grading.classes.grades import Row
from course_tools.grading.classes.keeping import Entry
from course_tools.grading.classes.rosters import Matched
from course_tools.grading.classes.submissions import shown


@dataclass(frozen=True)
class Outcome:
    """What a run did: the table that it wrote, its rows, and how many submissions had their marks from an earlier run.

    ``remarks`` are lines for the instructor. ``problems`` are those that need somebody to mend something.
    """

    table: Path
    rows: list[Row]
    earlier: int
    remarks: list[str]
    problems: list[str]

    def __str__(self) -> str:
        again = f", {self.earlier} of them run earlier" if self.earlier else ""
        folder = self.table.with_suffix("").name
        files = f"{folder}/summary.html, {folder}/to-read.html and {folder}/feedback"
        return "\n".join([*self.remarks, f"{self.table.name} has {len(self.rows)} rows{again}. Beside it: {files}."])

    def check(self) -> None:
        """Raise CourseError where something is left to mend."""
        if self.problems:
            raise CourseError(" ".join(self.problems))


def remarks(left_out: Sequence[str], listed: Matched | None) -> list[str]:
    """What an instructor should know of a run in which nothing is wrong."""
    remarks = []
    if left_out:
        remarks.append(f"No folders, so not graded: {_listed(left_out)}.")
    if listed and listed.absent:
        remarks.append(f"Nothing was handed in by {_listed([shown(one.student) for one in listed.absent])}.")
    return remarks


def duplicates(entries: Iterable[Entry]) -> list[str]:
    """The students who have two submissions or more, in one line; none where there are none."""
    students: dict[str, list[str]] = {}
    for entry in entries:
        if entry.also:
            students.setdefault(entry.student, []).append(f"{shown(entry.name)} (id {shown(entry.stem)})")
    if not students:
        return []
    said = "; ".join(f"{shown(student)} has {' and '.join(names)}" for student, names in students.items())
    return [f"Two submissions of one student: {said}. All are graded: take out what should not count, and grade again."]


def failures(failed: Iterable[Entry]) -> list[str]:
    """The submissions that could not be graded, and why, in one line; none where there are none."""
    said = [f"{shown(entry.id)} ({entry.failure.rstrip('.')})" for entry in failed]
    if not said:
        return []
    return [f"Not graded, and not for their own fault: {_listed(said)}. The same command tries these again."]


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - 20} more" if len(names) > 20 else ""
    return ", ".join(names[:20]) + more
