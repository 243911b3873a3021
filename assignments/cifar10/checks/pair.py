"""Keeps ``answers.ipynb`` in step with ``answers.py``, which is graded: what was edited since they last agreed wins.

Both are compared as jupytext reads the script back, so it does not matter how an editor saved a notebook.
"""

import contextlib
import hashlib
import itertools
import json
import os
import re
from pathlib import Path
from typing import Any

from checks.script import NOTEBOOK, SCRIPT, read_file
from course_lib.errors import CourseError
from course_lib.storage import atomic_file

AGREED = ".answers.sha256"  # the digest of both files when they last agreed
# str.splitlines, and so jupytext, ends a line at these, and Python does not: it gets noncharacters in their place.
_HIDE = {ord(end): 0xFDD0 + place for place, end in enumerate("\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029")}
_SHOW = {hidden: end for end, hidden in _HIDE.items()}
_HEADER = re.compile(r"\A# ---\n(?:#.*\n)*?# ---\n\n*")
_INDENTED = re.compile(r"[ \t]+#\s*(?:%%|In\[|<codecell>)")  # comments that jupytext takes for a cell's first line

Cells = list[tuple[str, str, list[str]]]  # type, source, tags


def synchronise(folder: Path, keep: str | None = None) -> str:
    """Carry what was edited in one of the two files into the other. Returns what was done in one line, or nothing.

    Where it is not known when they last agreed, the file that was saved last counts as edited. The other one is kept
    under another name then, and where ``keep`` names the file to go on with.

    Raises: CourseError where both were edited and their answers differ, or a file cannot be written.
    """
    if not os.path.lexists(folder / NOTEBOOK):
        return ""
    try:
        notebook = _read_notebook(folder)
        script = read_file(folder, SCRIPT).decode("utf-8-sig") if os.path.lexists(folder / SCRIPT) else ""
        ours, theirs = _cells(script), _cells(_script_of(notebook, script))
    except Exception as error:  # jupytext and nbformat raise whatever a malformed file leads to
        return f"{NOTEBOOK} and {SCRIPT} cannot be compared ({_reason(error)}): {SCRIPT} alone is checked."
    for name, cells in ((SCRIPT, ours or theirs), (NOTEBOOK, theirs)):
        if not _answers(cells):
            return f"{name} has no cell tagged answer: {SCRIPT} alone is checked."
    done = ""
    if ours != theirs:
        agreed = _agreed(folder)
        edited = [name for name, cells in ((SCRIPT, ours), (NOTEBOOK, theirs)) if _digest(cells) != agreed]
        if not ours or ours == _cells(_as_jupyter_saves(notebook)):  # which may break a line within a string
            edited = [NOTEBOOK]
        elif keep or not agreed:
            newer = max((SCRIPT, NOTEBOOK), key=lambda name: (folder / name).stat().st_mtime_ns)
            edited = [keep or newer]
            done = f" What was in the other file is in {_set_aside(folder, *{SCRIPT, NOTEBOOK} - {*edited})}."
        if len(edited) == 2:
            if _answers(ours) == _answers(theirs):
                return ""
            raise CourseError(
                f"{NOTEBOOK} and {SCRIPT} were both edited since they last agreed: go on with one of them by `python "
                f"check.py --keep {NOTEBOOK}` or `--keep {SCRIPT}`. The other one is kept under another name."
            )
        if edited == [SCRIPT]:
            _write(folder / NOTEBOOK, _with_cells_of(script, notebook))
            done = f"{SCRIPT} was edited: {NOTEBOOK} follows.{done}"
        else:
            _write(folder / SCRIPT, _script_of(notebook, script))
            ours = theirs
            done = f"{NOTEBOOK} was edited: {SCRIPT} follows.{done}"
    with contextlib.suppress(OSError):
        if _agreed(folder) != _digest(ours):
            (folder / AGREED).write_text(_digest(ours), encoding="utf-8")
    return done


def _read_notebook(folder: Path) -> Any:
    import nbformat

    content = json.loads(read_file(folder, NOTEBOOK).decode("utf-8-sig"))
    content.setdefault("metadata", {})
    for place, cell in enumerate(content.get("cells", [])):
        cell["id"] = f"cell-{place:03d}"
        metadata = cell["metadata"] = cell.get("metadata") or {}
        if tags := [tag for tag in metadata.pop("tags", None) or [] if isinstance(tag, str)]:
            metadata["tags"] = tags
        if cell["cell_type"] == "code":
            cell |= {"outputs": cell.get("outputs") or [], "execution_count": cell.get("execution_count")}
        cell["source"] = re.sub(r"\r\n?", "\n", "".join(cell.get("source") or ""))
    if content.get("nbformat") == 4:
        content["nbformat_minor"] = 5
    return nbformat.reads(json.dumps(content), as_version=4)


def _read_script(text: str) -> Any:
    """A script as a notebook. An indented comment ``# %%`` is no cell, though jupytext takes it for one."""
    import jupytext
    from jupytext.stringparser import StringParser

    strings, lines = StringParser("python"), []
    for line in re.split(r"\r\n?|\n", text):
        lines.append(line.replace("#", "##", 1) if not strings.is_quoted() and _INDENTED.match(line) else line)
        strings.read_line(line)
    notebook = jupytext.reads("\n".join(lines).translate(_HIDE), fmt="py:percent")
    for cell in notebook.cells:
        cell.source = cell.source.translate(_SHOW)
    return notebook


def _script_of(notebook: Any, before: str) -> str:
    """A notebook as a script, under the header of the one that it replaces. Of cells' metadata only tags are in it."""
    import jupytext
    import nbformat

    header = _HEADER.match(before.replace("\r\n", "\n"))
    kept = ("tags", "lines_to_next_cell")
    cells = [
        nbformat.from_dict(
            {
                **cell,
                "source": cell.source.rstrip().translate(_HIDE),
                "metadata": {key: cell.metadata[key] for key in kept if cell.metadata.get(key)},
            }
        )
        for cell in notebook.cells
    ]
    metadata = {"jupytext": {"notebook_metadata_filter": "-all"}} if header else notebook.metadata
    text = jupytext.writes(nbformat.v4.new_notebook(cells=cells, metadata=metadata), fmt="py:percent")
    return (header[0] if header else "") + text.translate(_SHOW)


def _as_jupyter_saves(notebook: Any) -> str:
    import jupytext

    return jupytext.writes(notebook, fmt="py:percent")


def _with_cells_of(script: str, notebook: Any) -> str:
    """The notebook with the script's cells, and its own outputs where these did not change, as JSON."""
    import jupytext
    import nbformat

    combined = jupytext.combine.combine_inputs_with_outputs(_read_script(script), notebook)
    combined.metadata = notebook.metadata
    for place, cell in enumerate(combined.cells):
        cell["id"] = f"cell-{place:03d}"
    return nbformat.writes(combined)


def _cells(script: str) -> Cells:
    """The cells that jupytext reads, without empty ones."""
    cells = []
    for cell in _read_script(script).cells:
        source = "\n".join(line if line.strip() else "" for line in cell.source.split("\n")).rstrip()
        if source:
            cells.append((cell.cell_type, source, list(cell.metadata.get("tags", []))))
    return cells


def _answers(cells: Cells) -> Cells:
    return [cell for cell in cells if "answer" in cell[2]]


def _digest(cells: Cells) -> str:
    return hashlib.sha256(json.dumps(cells).encode()).hexdigest()


def _agreed(folder: Path) -> str:
    try:
        return (folder / AGREED).read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return ""


def _set_aside(folder: Path, name: str) -> str:
    """Copy a file to a name that is free. Returns the name."""
    content, path = read_file(folder, name), folder / name
    names = (f"{path.stem}-before-{number}{path.suffix}" for number in itertools.count(1))
    free = next(name for name in names if not os.path.lexists(folder / name))
    _write(folder / free, content.decode("utf-8", errors="surrogateescape"))
    return free


def _write(path: Path, text: str) -> None:
    try:
        with atomic_file(path) as scratch:
            scratch.write_text(text, encoding="utf-8", errors="surrogateescape", newline="")
    except OSError as error:
        raise CourseError(f"{path.name} cannot be written ({error.strerror}): make the folder writable.") from error


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, CourseError) else f"{type(error).__name__}"
