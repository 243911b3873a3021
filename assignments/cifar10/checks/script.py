"""Reads the files that a student hands in, without trusting them.

Of ``answers.py`` only the cells tagged ``answer`` count. They are read here and executed elsewhere.
"""

import ast
import json
import os
import re
import stat
import sys
from dataclasses import dataclass, field
from pathlib import Path

from course_lib.errors import CourseError

SCRIPT, NOTEBOOK, LOGITS = "answers.py", "answers.ipynb", "logits.safetensors"
_MOST = {SCRIPT: 10**6, NOTEBOOK: 20 * 10**6, LOGITS: 2 * 10**6}  # bytes
MOST_CELLS = 50  # each may take its time, so a submission of thousands would hold up a class
ALLOWED = ("torch", "numpy")
_HEAD = re.compile(r"#\s*%%(?![%\w])(?P<rest>.*)")
_TAGS = re.compile(r"""["']?tags["']?\s*[=:]\s*(\[[^\[\]]*\])""")  # no [ within: a line of many would take hours
_TASK = re.compile(r"task-(\d{1,3})")


@dataclass(frozen=True)
class Cell:
    """One answer cell. ``line`` is where its source begins in ``answers.py``; ``problem`` says why it may not run."""

    source: str
    line: int
    tags: tuple[str, ...] = ()
    problem: str | None = field(default=None, compare=False)

    @property
    def task(self) -> int | None:
        """The number of the task that it answers; None for a cell that belongs to none."""
        return next((int(match[1]) for tag in self.tags if (match := _TASK.fullmatch(tag))), None)


def read_script(folder: Path) -> list[Cell]:
    """The answer cells of a folder's ``answers.py``, in order.

    Raises: CourseError where there is none, it is a link, too large, no text, or has no answer cell, or too many.
    """
    try:
        text = read_file(folder, SCRIPT).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CourseError(f"{SCRIPT} is not UTF-8 text (byte {error.start:,}): save it as UTF-8.") from error
    cells = cells_of(text)
    if not cells:
        raise CourseError(f"{SCRIPT} has no cell tagged answer: copy the cells' first lines from the original file.")
    if len(cells) > MOST_CELLS:
        raise CourseError(f"{SCRIPT} has {len(cells):,} answer cells, and {MOST_CELLS} are the most: join some.")
    return cells


def read_file(folder: Path, name: str) -> bytes:
    """A file of the folder. Raises CourseError where it is missing, no regular file, or too large."""
    path = folder / name
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode):
            raise CourseError(f"{name} is a link or no regular file: put the file itself there.")
        # O_NOFOLLOW and O_NONBLOCK: nobody may swap the file for a link or a pipe in between.
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        with os.fdopen(os.open(path, flags), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise CourseError(f"{name} is no regular file: put the file itself there.")
            content = file.read(_MOST[name] + 1)
    except FileNotFoundError as error:
        raise CourseError(f"There is no {name} here: run this in the folder of your assignment.") from error
    except OSError as error:
        raise CourseError(f"{name} cannot be read: {error.strerror}.") from error
    if len(content) > _MOST[name]:
        raise CourseError(f"{name} is larger than {_MOST[name] / 1e6:g} MB: keep your answers in it and nothing else.")
    return content


def cells_of(text: str) -> list[Cell]:
    """The answer cells of a percent script."""
    cells, start, tags = [], 0, None
    lines = text.splitlines()
    for number, line in enumerate([*lines, "# %%"]):
        head = _HEAD.match(line)
        if not head:
            continue
        if tags is not None and "answer" in tags:
            source = "\n".join(lines[start:number]).rstrip()
            cells.append(Cell(source, start + 1, tags, _why_it_may_not_run(source, start)))
        start = number + 1
        tags = None if re.match(r"[^=]*\[(markdown|md|raw)\]", head["rest"]) else _tags_in(head["rest"])
    return cells


def _tags_in(head: str) -> tuple[str, ...]:
    match = _TAGS.search(head)
    try:
        tags = json.loads(match[1]) if match else []
    except ValueError:
        return ()
    return tuple(tag for tag in tags if isinstance(tag, str))


def _why_it_may_not_run(source: str, lines_before: int) -> str | None:
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        where = f"line {(error.lineno or 1) + lines_before} of {SCRIPT}"
        return f"Python cannot read this cell: {error.msg}, {where}."
    except (ValueError, RecursionError, MemoryError):
        return "Python cannot read this cell: it holds a null byte, or is nested too deeply."
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            names = [node.module if not node.level else ""]
        for name in names:
            if name.partition(".")[0] not in {*ALLOWED, *sys.stdlib_module_names}:
                return (
                    f"line {node.lineno + lines_before} of {SCRIPT} imports {name or 'a neighbouring file'}, and an "
                    f"answer may import only {', '.join(ALLOWED)} and Python's standard library."
                )
    return None


def difference_of_the_pair(folder: Path) -> str | None:
    """How ``answers.ipynb`` and ``answers.py`` differ, and what to do; None where they do not, or there is no notebook.

    Raises: CourseError where the notebook is none.
    """
    if not os.path.lexists(folder / NOTEBOOK):
        return None
    try:
        cells = [cell for cell in json.loads(read_file(folder, NOTEBOOK))["cells"] if cell["cell_type"] == "code"]
        answers = [cell for cell in cells if "answer" in cell.get("metadata", {}).get("tags", [])]
        notebook = ["".join(cell["source"]).rstrip() for cell in answers]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise CourseError(f"{NOTEBOOK} is not a notebook: delete it; {SCRIPT} is what is graded.") from error
    script = [cell.source.rstrip() for cell in read_script(folder)]
    if notebook == script:
        return None
    differ = [i + 1 for i, (theirs, ours) in enumerate(zip(notebook, script, strict=False)) if theirs != ours]
    where = f"differ in answer cell {differ[0]}" if differ else "differ in the number of answer cells"
    newer = max((SCRIPT, NOTEBOOK), key=lambda name: (folder / name).stat().st_mtime)
    return (
        f"{NOTEBOOK} and {SCRIPT} {where}; {newer} was saved last, and {SCRIPT} is what is graded. To keep the "
        f"notebook's cells: jupytext --to py:percent {NOTEBOOK}. To keep the script's: jupytext --update --to ipynb "
        f"{SCRIPT}. If you work in the script alone, you may delete {NOTEBOOK}."
    )
