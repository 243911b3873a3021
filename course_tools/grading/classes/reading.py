"""The page for whoever marks the answers in words: all of them, by code, without names."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

from checks.tasks import PARTS, Part
from course_tools.grading.classes import pages
from course_tools.grading.classes.grades import Row

_PARTS = [part for part in PARTS.values() if part.by_person]


def write(file: Path, rows: Sequence[Row]) -> None:
    """Write the page, in the order of the codes, which is nobody's order."""
    rows = sorted((row for row in rows if row.is_graded and row.marks.texts), key=lambda row: row.entry.code)
    names = [part.key for part in _PARTS]
    intro = (
        f"<p>{len(rows)} submissions. Write the points into a table like the one at the end, and hand it to "
        "<code>course assignment grade --rubric</code>. What a full answer contains, "
        "<code>assignments/cifar10/model-answers.md</code> says.</p>"
    )
    blank = "\n".join([",".join(["code", *names]), *(f"{row.entry.code}{',' * len(names)}" for row in rows)])
    body = [intro, *map(_answers, rows), "<h2>The table</h2>", f"<pre>{escape(blank)}</pre>"]
    pages.write(file, "Answers in words", "\n".join(body))


def _answers(row: Row) -> str:
    return "\n".join([f"<h2>{escape(row.entry.code)}</h2>", *(_answer(row, part) for part in _PARTS)])


def _answer(row: Row, part: Part) -> str:
    text, hint = row.marks.texts.get(part.key, ""), row.marks.hints[part.key]
    remark = f" · {escape(hint)}" if hint else ""
    return (
        f"<h3>{escape(part.key)}, of {part.points} points</h3>\n"
        f'<p class="quiet">{len(text.split())} words{remark}</p>\n<div class="words">{escape(text)}</div>'
    )
