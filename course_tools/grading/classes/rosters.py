"""Who is in the class, and whose folder is whose: a table with the columns ``folder`` and ``student``."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from course_lib.errors import CourseError
from course_tools.grading.classes import handing_in, spreadsheets
from course_tools.grading.classes.handing_in import Time
from course_tools.grading.classes.submissions import Place, shown

_COLUMNS = ("folder", "student", "handed_in")


@dataclass(frozen=True)
class Entry:
    """One line: a student, the name of the folder (empty where there is none), and when it came, if that is known."""

    student: str
    folder: str = ""
    handed_in: Time | None = None


@dataclass(frozen=True)
class Matched:
    """``of`` has the entry of each place, in the places' order; ``absent`` are those who handed in nothing."""

    of: list[Entry]
    absent: list[Entry]


def read(file: Path) -> list[Entry]:
    """The roster's lines. Raises CourseError that names the line where a student or a folder is wrong."""
    entries: list[Entry] = []
    seen: dict[str, int] = {}
    for line in spreadsheets.read(file, _COLUMNS, needed=("folder", "student")):
        folder, student = _key(line.cells["folder"].rstrip("/\\")), line.cells["student"]
        if not student:
            raise CourseError(f"{file}, line {line.number} names no student.")
        if folder and folder in seen:
            raise CourseError(
                f"{file}, lines {seen[folder]} and {line.number} both name the folder {shown(folder)}: take one out."
            )
        seen[folder] = line.number
        entries.append(Entry(student, folder, _time(file, line)))
    return entries


def _time(file: Path, line: spreadsheets.Line) -> Time | None:
    text = line.cells.get("handed_in")
    return Time(handing_in.moment(text, f"{file}, line {line.number}: handed_in"), "roster") if text else None


def match(entries: Sequence[Entry], places: Sequence[Place], file: Path) -> Matched:
    """Find the entry of every place.

    Raises: CourseError that lists the folders without an entry and, for they may be the same misspelt, the entries
        without a folder.
    """
    by_folder = {entry.folder: entry for entry in entries if entry.folder}
    unknown = [place.name for place in places if _key(place.name) not in by_folder]
    found = {_key(place.name) for place in places}
    missing = [entry for entry in entries if entry.folder not in found]
    if unknown:
        not_there = [entry.folder for entry in missing if entry.folder]
        also = f" It names folders that are not there: {_listed(not_there)}." if not_there else ""
        raise CourseError(
            f"{file} does not say whose these folders are: {_listed(unknown)}.{also} Mend the roster, or leave these "
            "folders out."
        )
    present = {by_folder[one].student for one in found}
    absent = [entry for entry in missing if entry.student not in present]
    return Matched([by_folder[_key(place.name)] for place in places], absent)


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name)  # some systems write ä as two characters


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - 20} more" if len(names) > 20 else ""
    return ", ".join(map(shown, names[:20])) + more
