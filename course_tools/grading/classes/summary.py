"""The page on a whole class: how the points are spread, which parts went wrong and why, and who handed in what."""

import statistics
from collections import Counter
from collections.abc import Sequence
from html import escape
from pathlib import Path
from urllib.parse import quote

from checks.tasks import TASKS, Part, Task
from course_tools.grading.classes import letters, pages
from course_tools.grading.classes.grades import Row
from course_tools.grading.classes.submissions import shown

_HINTS = 3  # the most frequent ones of a part that are shown
_BINS = 10


def write(file: Path, rows: Sequence[Row], remarks: Sequence[str]) -> None:
    """Write the page.

    Args:
        file: where to; the letters lie beside it, in ``feedback``.
        rows: the class.
        remarks: what the run has to say, such as what was left out. Plain text.
    """
    graded = [row for row in rows if row.is_graded]
    body = [
        f"<p>{len(rows)} rows, {len(graded)} of them with answers that were run. Averages and bars are of these.</p>",
        _list(remarks),
        "<h2>Points</h2>",
        _of_tasks(graded),
        "<h2>Parts</h2>",
        _of_parts(graded),
        "<h2>Submissions</h2>",
        _submissions(rows),
        _history(file.with_name("history.csv")),
    ]
    pages.write(file, "Grades", "\n".join(filter(None, body)))


def _list(lines: Sequence[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>" if lines else ""


def _history(file: Path) -> str:
    return '<p>Totals that changed are in <a href="history.csv">history.csv</a>.</p>' if file.exists() else ""


def _of_tasks(graded: Sequence[Row]) -> str:
    lines, pictures = [], []
    for task in TASKS:
        known = [points for row in graded if (points := row.of_task(task)) is not None]
        lines.append(_line(f"{task.number} · {task.title}", task.points, known))
        whole = Counter(map(int, known))
        counts = [(f"{points}", whole[points]) for points in range(task.points + 1)]
        pictures.append(pages.distribution(f"Task {task.number}", counts))
    totals = [row.total for row in graded if row.total is not None]
    most = max((row.of for row in graded), default=sum(task.points for task in TASKS))
    lines.append(_line("Total of what is known", most, totals))
    pictures.append(pages.distribution("Total", _in_tenths(totals, most)))
    columns = ("task", "of", "known", "mean", "median")
    table = pages.table("Points by task", columns, lines, numbers=columns[1:])
    return f'{table}\n<div class="pictures">{"".join(pictures)}</div>'


def _line(name: str, most: int, known: Sequence[float]) -> list[str]:
    middle = [f"{statistics.mean(known):.1f}", f"{statistics.median(known):g}"] if known else ["", ""]
    return [escape(name), f"{most}", f"{len(known)}", *middle]


def _in_tenths(totals: Sequence[float], most: int) -> list[tuple[str, int]]:
    width = -(-(most + 1) // _BINS)
    found = Counter(int(total) // width for total in totals)
    return [(f"{i * width}–{min(most, (i + 1) * width - 1)}", found[i]) for i in range(-(-(most + 1) // width))]


def _of_parts(graded: Sequence[Row]) -> str:
    lines = [_part_line(graded, task, part) for task in TASKS for part in task.parts]
    columns = ("task", "part", "right", "", "most frequent hints")
    return pages.table("Parts, and how many got them right", columns, lines, numbers=("task", "right"))


def _part_line(graded: Sequence[Row], task: Task, part: Part) -> list[str]:
    hints = Counter(hint for row in graded if (hint := row.marks.hints[part.key]))
    right = len(graded) - hints.total()
    name = f"{part.key} (handed in)" if part.by_person else part.key
    said = [f"<li>{escape(_cut(hint))} <b>({count})</b></li>" for hint, count in hints.most_common(_HINTS)]
    bar = pages.share(name, right, len(graded))
    listed = f'<ul class="said">{"".join(said)}</ul>' if said else ""
    return [f"{task.number}", escape(name), f"{right} of {len(graded)}", bar, listed]


def _cut(hint: str) -> str:
    """A hint, cut where it is long."""
    return hint if len(hint) <= 200 else f"{hint[:199]}…"


def _submissions(rows: Sequence[Row]) -> str:
    tasks = [f"{task.number}" for task in TASKS]
    lines = []
    for row in rows:
        points = [_number(row.of_task(task)) for task in TASKS]
        total = "" if row.total is None else f"{_number(row.total)} of {row.of}"
        lines.append([_name(row), escape(shown(row.entry.name)), escape(row.status), *points, total, _time(row)])
    columns = ("id", "folder", "status", *tasks, "total", "handed in")
    return pages.table("One row a submission", columns, lines, numbers=(*tasks, "total"))


def _name(row: Row) -> str:
    text = escape(shown(row.entry.id))
    return f'<a href="feedback/{quote(row.entry.stem)}.md">{text}</a>' if letters.has_letter(row) else text


def _time(row: Row) -> str:
    said = f"{row.entry.handed_in} ({row.entry.time_from})" if row.entry.handed_in else ""
    return escape(said)


def _number(points: float | None) -> str:
    return "" if points is None else f"{round(points, 2):g}"
