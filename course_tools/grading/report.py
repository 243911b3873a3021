"""Web pages for whoever grades: the class at a glance, and the answers in words. Nothing a student wrote is markup.

Each page is one file, light and dark, and runs no scripts.
"""

import base64
import hashlib
import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from urllib.parse import quote

from checks.tasks import PARTS, TASKS, Part, Task
from checks.tasks.texts import words_in
from course_lib.storage import atomic_file
from course_tools.grading.gradebook import Row, number
from course_tools.grading.submissions import shown

_HINTS = 3  # the most frequent ones of a part that are shown
_BINS = 10
_WRITTEN = [part for part in PARTS.values() if part.by_person]
_STYLE = """
:root { color-scheme: light dark; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 64rem; padding: 1rem; font: 1rem/1.5 system-ui, sans-serif; }
h1, h2, h3 { line-height: 1.2; overflow-wrap: anywhere; }
.wide { overflow-x: auto; }
.side { display: flex; flex-wrap: wrap; gap: 1rem 2.5rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding-bottom: 0.3rem; }
th, td { padding: 0.3rem 0.7rem 0.3rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid #8888; }
td { overflow-wrap: break-word; }
td.text { max-width: 34rem; }
.number { text-align: right; white-space: nowrap; }
.words { white-space: pre-wrap; overflow-wrap: anywhere; border-left: 4px solid #8888; padding-left: 0.8rem; }
ul { margin: 0; padding-left: 1.1rem; }
pre { overflow-x: auto; border: 1px solid #8888; padding: 0.6rem; }
@media print { body { max-width: none; } .wide { overflow: visible; } }
"""


def write_summary(file: Path, rows: Sequence[Row], remarks: Sequence[str]) -> None:
    """Write the page on a whole class: how the points are spread, which parts went wrong and why, and all rows.

    Args:
        file: where to; the feedback files lie beside it, in ``feedback``.
        rows: the class.
        remarks: what an instructor should see first, such as what was left out. Plain text.
    """
    graded = [row for row in rows if row.is_graded]
    columns = ("id", "folder", "status", *(f"{task.number}" for task in TASKS), "total", "handed in")
    body = [
        f"<p>{len(rows)} rows, {len(graded)} of them with answers that were run. Averages and bars are of these.</p>",
        _list(map(escape, remarks)),
        "<h2>Points</h2>",
        *_points(graded),
        "<h2>Parts</h2>",
        _table(
            "Parts, and how many got them right",
            ("task", "part", "right", "", "most frequent hints"),
            [_part(graded, task, part) for task in TASKS for part in task.parts],
        ),
        "<h2>Submissions</h2>",
        _table("One row a submission", columns, map(_submission, rows)),
    ]
    if file.with_name("history.csv").exists():
        body.append('<p>Totals that changed are in <a href="history.csv">history.csv</a>.</p>')
    _write(file, "Grades", body)


def write_answers(file: Path, rows: Sequence[Row]) -> None:
    """Write the page for whoever marks the answers in words: all of them, by code, without names."""
    rows = sorted((row for row in rows if row.is_graded and row.marks.texts), key=lambda row: row.entry.code)
    names = [part.key for part in _WRITTEN]
    blank = "\n".join([",".join(["code", *names]), *(f"{row.entry.code}{',' * len(names)}" for row in rows)])
    intro = (
        f"<p>{len(rows)} submissions. Write the points into a table like the one at the end, and hand it to "
        "<code>course assignment grade --rubric</code>. What a full answer contains, "
        "<code>assignments/cifar10/model-answers.md</code> says.</p>"
    )
    _write(file, "Answers in words", [intro, *map(_answers, rows), "<h2>The table</h2>", f"<pre>{escape(blank)}</pre>"])


def _answers(row: Row) -> str:
    lines = [f"<h2>{escape(row.entry.code)}</h2>"]
    for part in _WRITTEN:
        text, hint = row.marks.texts.get(part.key, ""), row.marks.hints[part.key]
        lines += [
            f"<h3>{escape(part.key)}, of {part.points} points</h3>",
            f"<p>{'–'.join(map(str, dict.fromkeys(words_in(text))))} words{f' · {escape(hint)}' if hint else ''}</p>",
            f'<div class="words">{escape(text)}</div>',
        ]
    return "\n".join(lines)


def _points(graded: Sequence[Row]) -> list[str]:
    """The table of averages, and the spread of each task's points and of the totals."""
    lines, spreads = [], []
    for task in TASKS:
        known = [points for row in graded if (points := row.points_of_task(task)) is not None]
        lines.append(_averages(f"{task.number} · {task.title}", task.points, known))
        spreads.append(_spread(f"Task {task.number}", known, task.points, 1))
    totals = [row.total for row in graded if row.total is not None]
    most = max((row.most for row in graded), default=sum(task.points for task in TASKS))
    lines.append(_averages("Total of what is known", most, totals))
    spreads.append(_spread("Total", totals, most, -(-(most + 1) // _BINS)))
    table = _table("Points by task", ("task", "of", "known", "mean", "median"), lines)
    return [table, f'<div class="side">{"".join(spreads)}</div>']


def _averages(name: str, most: int, known: Sequence[float]) -> list[str]:
    middle = [f"{statistics.mean(known):.1f}", f"{statistics.median(known):g}"] if known else ["", ""]
    return [escape(name), f"{most}", f"{len(known)}", *middle]


def _spread(title: str, points: Sequence[float], most: int, width: int) -> str:
    """How many submissions got how many points, in ranges of ``width`` points; empty ranges are left out."""
    counts = Counter(int(value) // width for value in points)
    lines = [
        [f"{i}" if width == 1 else f"{i * width}–{min(most, (i + 1) * width - 1)}", _bar(count, len(points))]
        for i, count in sorted(counts.items())
    ]
    return _table(title, ("points", "how many"), lines)


def _part(graded: Sequence[Row], task: Task, part: Part) -> list[str]:
    hints = Counter(hint for row in graded if (hint := row.marks.hints[part.key]))
    right = len(graded) - hints.total()
    name = f"{part.key} (handed in)" if part.by_person else part.key
    frequent = [f"{escape(hint[:200])} <b>({count})</b>" for hint, count in hints.most_common(_HINTS)]
    share = f"{right} of {len(graded)}"
    return [f"{task.number}", escape(name), share, _bar(right, len(graded)), _list(frequent)]


def _submission(row: Row) -> list[str]:
    entry = row.entry
    name = escape(shown(entry.id))
    if row.has_feedback:
        name = f'<a href="feedback/{quote(entry.stem)}.md">{name}</a>'
    points = [number(row.points_of_task(task)) for task in TASKS]
    total = "" if row.total is None else f"{number(row.total)} of {row.most}"
    time = f"{entry.handed_in} ({entry.time_from})" if entry.handed_in else ""
    status = "; ".join(filter(None, (row.status, entry.note)))
    return [name, escape(shown(entry.name)), escape(status), *points, total, escape(time)]


def _list(items: Iterable[str]) -> str:
    lines = "".join(f"<li>{item}</li>" for item in items)
    return f"<ul>{lines}</ul>" if lines else ""


def _bar(part: int, whole: int) -> str:
    return f'<meter min="0" max="{max(whole, 1)}" value="{part}"></meter> {part}'


def _table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table that scrolls by itself where the screen is narrow. Cells are HTML; those of digits align right."""
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in columns)
    lines = []
    for row in rows:
        kinds = ["number" if cell.replace(".", "").isdigit() else "text" for cell in row]
        cells = (f'<td class="{kind}">{cell}</td>' for kind, cell in zip(kinds, row, strict=True))
        lines.append(f"<tr>{''.join(cells)}</tr>")
    body = "\n".join(lines)
    return (
        f'<div class="wide" role="region" aria-label="{escape(caption)}" tabindex="0"><table>\n'
        f"<caption>{escape(caption)}</caption>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>"
    )


def _write(file: Path, title: str, body: Sequence[str]) -> None:
    """Write a page, whole or not at all. ``body`` is HTML in which all text is escaped."""
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    content = "\n".join(filter(None, body))
    with atomic_file(file) as scratch:
        scratch.write_text(
            f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            '<meta name="referrer" content="no-referrer">\n'
            f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n"
            f"<body>\n<main>\n<h1>{escape(title)}</h1>\n{content}\n</main>\n</body>\n</html>\n",
            encoding="utf-8",
        )
