"""Tables as spreadsheet programs keep them: CSV files, read strictly, and written so that no cell is a formula."""

import csv
import io
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from course_lib.errors import CourseError, printable
from course_lib.storage import atomic_file

_FORMULA = tuple("=+-@＝＋－＠")  # a cell that begins so is computed when the file is opened
_LONGEST = 500  # characters of a cell that is written
_SEPARATOR = re.compile(r"\"?sep=[,;\t]\"?[\r\n]", re.IGNORECASE)
_LARGEST = 10 * 2**20  # bytes of a file that is read


@dataclass(frozen=True)
class Line:
    """One row of a table: the number of its line in the file, and its cells, stripped, by their column's name."""

    number: int
    cells: dict[str, str]


def read(file: Path, known: Collection[str], needed: Collection[str] = ()) -> list[Line]:
    """The rows of a CSV file, empty ones left out. Commas, semicolons or tabs may stand between cells.

    The file may be in UTF-8 or UTF-16, and begin with Excel's line ``sep=;``.

    Args:
        file: the table; its first row names the columns. Upper and lower case are alike there.
        known: all columns that it may have.
        needed: those that it must have.

    Raises: CourseError that names the file, the line, and what is wrong.
    """
    try:
        with file.open("rb") as opened:
            content = opened.read(_LARGEST + 1)
        if len(content) > _LARGEST:
            raise CourseError(f"{file} is larger than {_LARGEST // 2**20} MB: name the table of a class.")
        text = content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise CourseError(f"{file} is not UTF-8 text (byte {error.start:,}): save it as CSV in UTF-8.") from error
    except OSError as error:
        raise CourseError(f"{file} cannot be read ({error.strerror}): name a CSV file.") from error
    skipped = bool(_SEPARATOR.match(text))
    head = text.lstrip("\r\n").partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=head.count), strict=True)
    try:
        rows = (row for row in reader if any(cell.strip() for cell in row) and reader.line_num > skipped)
        columns = _columns(file, next(rows, []), known, needed)
        return [_line(file, reader.line_num, columns, row) for row in rows]
    except csv.Error as error:
        raise CourseError(f"{file}, line {reader.line_num}: {error}. Save it as CSV again.") from error


def _columns(file: Path, head: Sequence[str], known: Collection[str], needed: Collection[str]) -> list[str]:
    names = {name.casefold(): name for name in known}
    columns = []
    for cell in map(str.strip, head[: max((i + 1 for i, cell in enumerate(head) if cell.strip()), default=0)]):
        if cell.casefold() not in names:
            raise CourseError(f"{file} has a column {printable(cell[:40])!r}; it may have {', '.join(known)}.")
        columns.append(names[cell.casefold()])
    if len(set(columns)) < len(columns):
        raise CourseError(f"{file} has two columns of one name: take one out.")
    for name in needed:
        if name not in columns:
            raise CourseError(f"{file} has no column {name}: its first line should name its columns.")
    return columns


def _line(file: Path, number: int, columns: Sequence[str], row: Sequence[str]) -> Line:
    if any(cell.strip() for cell in row[len(columns) :]):
        raise CourseError(f"{file}, line {number} has more cells than the first line names columns.")
    cells = [cell.strip() for cell in row]
    return Line(number, dict(zip(columns, cells + [""] * len(columns), strict=False)))


def write(file: Path, columns: Sequence[str], rows: Iterable[Sequence[str | float | None]]) -> None:
    """Write a table, whole or not at all. Text is quoted, and harmless to whatever program opens it."""
    with atomic_file(file) as scratch, scratch.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.writer(opened, quoting=csv.QUOTE_NONNUMERIC)  # so a ; within a text separates nothing
        writer.writerow(columns)
        writer.writerows([_cell(value) for value in row] for row in rows)


def _cell(value: str | float | None) -> str | float:
    if value is None:
        return ""
    if not isinstance(value, str):
        return int(value) if float(value).is_integer() else round(value, 2)
    text = printable(value)[:_LONGEST]
    return f"'{text}" if text.lstrip().startswith(_FORMULA) else text


def listed(names: Sequence[str]) -> str:
    """Names with commas between; of many, the first twenty."""
    more = f" and {len(names) - 20} more" if len(names) > 20 else ""
    return ", ".join(names[:20]) + more
