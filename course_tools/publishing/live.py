"""Live figures on the site: where a picture stood, the page gets what ``course_lib/live/start.js`` brings to life."""

import html
import json
import re
import struct
from pathlib import Path

from nbformat import NotebookNode

from course_lib.live.figure import FOLDER, METADATA, STILLS, LiveFigure, still
from course_lib.live.files import FILES, read_file
from course_tools.publishing.stills import WIDTHS, figures

PLACE = Path("book", "_static", "live")  # below the stage; Sphinx copies what is in book/_static
_MARK = re.compile(r"(?m)^<!-- live: ([\w-]+) -->$")


def site_files() -> dict[Path, bytes]:
    """All that live figures need, by its place in the stage: modules, pictures, and the files that they load."""
    files = {PLACE / file.name: file.read_bytes() for file in [*FOLDER.glob("*.js"), *STILLS.glob("*.png")]}
    return files | {PLACE / name: read_file(name) for name in FILES}


def bring_to_life(cells: list[NotebookNode]) -> None:
    """Put a figure in place of the picture that a cell left with the figure's name, in place."""
    for cell in cells:
        for output in cell.get("outputs", []):
            about = output.get("metadata", {}).get(METADATA)
            if about:
                output.data = NotebookNode({"text/html": as_html(LiveFigure(**about)), "text/plain": about["alt"]})


def in_page(text: str) -> str:
    """A page of ``book/`` with its figures: a line ``<!-- live: NAME -->`` stands for the one of that name."""
    return _MARK.sub(lambda mark: f"```{{raw}} html\n{as_html(figures()[mark[1]])}\n```", text)


def as_html(figure: LiveFigure) -> str:
    """A figure as a page of ``book/`` or ``notebooks/`` holds it: until it starts, its picture, wide or narrow."""
    static = "../_static/live"
    width, height = _size(figure.name, narrow=False)
    narrow_width, narrow_height = _size(figure.name, narrow=True)
    options = html.escape(json.dumps(figure.options, ensure_ascii=False))
    return (
        f'<figure class="live-figure"><div data-figure="{figure.name}" data-options="{options}"><picture>'
        f'<source media="(max-width: 600px)" srcset="{static}/{figure.name}-narrow.png" '
        f'width="{narrow_width}" height="{narrow_height}">'
        f'<img src="{static}/{figure.name}.png" alt="{html.escape(figure.alt)}" width="{width}" height="{height}" '
        f'loading="lazy"></picture></div><figcaption>{html.escape(figure.caption)}</figcaption></figure>'
        f'<script type="module" src="{static}/start.js"></script>'
    )


def _size(name: str, narrow: bool) -> tuple[int, int]:
    """Width and height of a figure's picture in CSS pixels."""
    width, height = struct.unpack(">2I", still(name, narrow)[16:24])
    shown = WIDTHS["-narrow" if narrow else ""]
    return shown, round(height * shown / width)
