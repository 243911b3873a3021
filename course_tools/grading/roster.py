"""Who is in the class, and whose folder is whose: a table with the columns folder, student and handed_in."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from course_lib.errors import CourseError
from course_tools.grading import tables
from course_tools.grading.submissions import shown

_COLUMNS = ("folder", "student", "handed_in")


@dataclass(frozen=True)
class Student:
    """One line: a student, the name of the folder (empty where there is none), and when it came, if that is known."""

    id: str
    folder: str = ""
    handed_in: datetime | None = None


def moment(text: str, what: str) -> datetime:
    """A time with its zone, such as ``2026-06-30T23:59+02:00``. Raises CourseError, naming ``what``, for any other."""
    example = "write it as 2026-06-30T23:59+02:00, or with Z for UTC"
    try:
        time = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise CourseError(f"{what} is {text[:40]!r}, which is no time: {example}.") from error
    if time.tzinfo is None:
        raise CourseError(f"{what} is {text[:40]!r}, which names no time zone: {example}.")
    return time


def read(file: Path) -> list[Student]:
    """The roster's lines. Raises CourseError that names the line where a student or a folder is wrong."""
    students: list[Student] = []
    seen: dict[str, int] = {}
    for line in tables.read(file, _COLUMNS, needed=("folder", "student")):
        folder, student = _key(line.cells["folder"].rstrip("/\\")), line.cells["student"]
        if not student:
            raise CourseError(f"{file}, line {line.number} names no student.")
        if folder and folder in seen:
            raise CourseError(
                f"{file}, lines {seen[folder]} and {line.number} both name the folder {shown(folder)}: take one out."
            )
        seen[folder] = line.number
        time = line.cells.get("handed_in")
        when = moment(time, f"{file}, line {line.number}: handed_in") if time else None
        students.append(Student(student, folder, when))
    return students


def match(students: Sequence[Student], folders: Sequence[Path], file: Path) -> tuple[list[Student], list[Student]]:
    """The student of each folder, in the folders' order; and those who handed in nothing.

    Raises: CourseError that lists the folders without a student and, for they may be the same misspelt, the students'
        folders that are not there.
    """
    by_folder = {student.folder: student for student in students if student.folder}
    keys = [_key(folder.name) for folder in folders]
    missing = [student for student in students if student.folder not in keys]
    unknown = [shown(folder.name) for folder, key in zip(folders, keys, strict=True) if key not in by_folder]
    if unknown:
        absent = [shown(student.folder) for student in missing if student.folder]
        also = f" It names folders that are not there: {tables.listed(absent)}." if absent else ""
        raise CourseError(
            f"{file} does not say whose these folders are: {tables.listed(unknown)}.{also} Correct the "
            "roster, or leave these folders out."
        )
    present = [by_folder[key] for key in keys]
    ids = {student.id for student in present}
    return present, [student for student in missing if student.id not in ids]


def _key(name: str) -> str:
    # Some systems write ä as two characters, and others drop spaces and dots at a name's end.
    return unicodedata.normalize("NFC", name).strip().rstrip(". ")
