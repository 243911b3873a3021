"""Web pages for whoever grades: one file each, light and dark, no scripts. Nothing that a student wrote is markup."""

import base64
import hashlib
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from course_lib.storage import atomic_file

# Blue on white and light blue on black: apart from grey for every kind of colour vision.
_STYLE = """
:root { color-scheme: light dark; --text: #1a1a1a; --back: #fff; --quiet: #595959; --line: #d0d0d0; --bar: #0072b2;
  --rest: #e4e4e4; --link: #00558a; }
@media (prefers-color-scheme: dark) { :root { --text: #eaeaea; --back: #16181b; --quiet: #b0b0b0; --line: #44484d;
  --bar: #56b4e9; --rest: #33373c; --link: #7cc4f2; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 64rem; padding: 1rem; background: var(--back); color: var(--text);
  font: 1rem/1.5 system-ui, sans-serif; }
h1, h2, h3 { line-height: 1.2; overflow-wrap: anywhere; }
a { color: var(--link); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--quiet); padding-bottom: 0.3rem; }
th, td { padding: 0.3rem 0.7rem 0.3rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
td { overflow-wrap: break-word; }
td.text { min-width: 8rem; max-width: 34rem; }
.number { text-align: right; white-space: nowrap; }
.said { min-width: 15rem; }
.pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 20rem), 1fr)); gap: 1rem;
  margin-top: 1rem; }
figure { margin: 0; }
.words { white-space: pre-wrap; overflow-wrap: anywhere; border-left: 4px solid var(--line); padding-left: 0.8rem; }
.quiet { color: var(--quiet); }
ul { margin: 0; padding-left: 1.1rem; }
pre { overflow-x: auto; border: 1px solid var(--line); padding: 0.6rem; }
svg { display: block; }
figure svg { max-width: 100%; height: auto; }
svg .bar { fill: var(--bar); } svg .rest { fill: var(--rest); } svg text { fill: var(--text); font: 10px sans-serif; }
@media print { body { max-width: none; } .wide { overflow: visible; } }
"""


def write(file: Path, title: str, body: str) -> None:
    """Write a page, whole or not at all. ``body`` is HTML in which all text is escaped."""
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    with atomic_file(file) as scratch:
        scratch.write_text(
            f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            '<meta name="referrer" content="no-referrer">\n'
            f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n"
            f"<body>\n<main>\n<h1>{escape(title)}</h1>\n{body}\n</main>\n</body>\n</html>\n",
            encoding="utf-8",
        )


def table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[str]], numbers: Sequence[str] = ()) -> str:
    """A table that scrolls by itself where the screen is narrow. Cells are HTML; columns in ``numbers`` align right."""

    def attributes(column: str) -> str:
        return f' class="{"number" if column in numbers else "text"}"'

    head = "".join(f'<th scope="col"{attributes(column)}>{escape(column)}</th>' for column in columns)
    body = "\n".join(
        "<tr>"
        + "".join(f"<td{attributes(column)}>{cell}</td>" for column, cell in zip(columns, row, strict=True))
        + "</tr>"
        for row in rows
    )
    return (
        f'<div class="wide" role="region" aria-label="{escape(caption)}" tabindex="0"><table>\n'
        f"<caption>{escape(caption)}</caption>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>"
    )


def distribution(title: str, counts: Sequence[tuple[str, int]]) -> str:
    """A picture: a column for each value, its count above it. Says the same in words to whoever cannot see it."""
    width, height = max(22, 7 * max(len(label) for label, _ in counts)), 40
    most = max(1, *(count for _, count in counts))
    said = ", ".join(f"{label}: {count}" for label, count in counts if count) or "nothing"
    columns = []
    for i, (label, count) in enumerate(counts):
        tall, middle = height * count / most, i * width + width / 2
        columns.append(
            f'<rect class="bar" x="{i * width + 1}" y="{12 + height - tall:.1f}" '
            f'width="{width - 2}" height="{tall:.1f}"/>'
        )
        if count:
            columns.append(f'<text x="{middle}" y="{9 + height - tall:.1f}" text-anchor="middle">{count}</text>')
        columns.append(f'<text x="{middle}" y="{height + 23}" text-anchor="middle">{escape(label)}</text>')
    picture = _picture(f"{title}. Points, and how many got them: {said}.", len(counts) * width, height + 26, columns)
    return f"<figure><figcaption>{escape(title)}</figcaption>{picture}</figure>"


def share(title: str, part: int, whole: int) -> str:
    """A bar that is full where all of ``whole`` are in ``part``."""
    filled = 120 * part / whole if whole else 0
    bars = [
        '<rect class="rest" x="0" y="0" width="120" height="12"/>',
        f'<rect class="bar" x="0" y="0" width="{filled:.1f}" height="12"/>',
    ]
    return _picture(f"{title}: {part} of {whole}", 120, 12, bars)


def _picture(said: str, width: float, height: float, content: Sequence[str]) -> str:
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    return f'<svg role="img" aria-label="{escape(said)}" {size}>{"".join(content)}</svg>'
