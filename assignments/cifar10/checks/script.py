"""Reads the files that a student hands in, without trusting them.

Of ``answers.py`` only the cells tagged ``answer`` count. They are read here and executed elsewhere.
"""

import ast
import io
import json
import os
import re
import stat
import sys
import tokenize
from dataclasses import dataclass, field
from pathlib import Path

from course_lib.errors import CourseError

SCRIPT, NOTEBOOK, LOGITS = "answers.py", "answers.ipynb", "logits.safetensors"
_MOST = {SCRIPT: 10**6, NOTEBOOK: 15 * 10**6, LOGITS: 2 * 10**6}  # bytes
MOST_CELLS = 50  # each may take its time, so a submission of thousands would hold up a class
ALLOWED = ("torch", "numpy")
_HEAD = re.compile(r"#\s*%%(?![%\w])(?P<rest>.*)")
_TAGS = re.compile(r"""["']?tags["']?\s*[=:]\s*(\[[^\[\]]*\])""")  # no [ within: a line of many would take hours
_METADATA = re.compile(r"\s*$|.*[\[{]|.*\b\w+=")  # of a cell's first line; anything else there is a comment
_IPYTHON = re.compile(r"(\s*)((?:[\w., ]+=\s*)?[%!?].*|[\w.]+\?\??\s*)")  # a line such as %%time, x = !ls, torch.cat?
_MOST_IPYTHON, _MOST_MARKERS = 20, 5  # such lines, and markers within strings, of a cell: each takes a parse of it
_DEFINITIONS = (ast.FunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign)
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
    """The answer cells of a folder's ``answers.py``, in order. It may hold a notebook, too.

    Raises: CourseError where there is none, it is a link, too large, or has no answer cell, or too many.
    """
    content = read_file(folder, SCRIPT)
    text = _decoded(content)
    if text.lstrip().startswith("{"):
        cells = cells_of_notebook(text)
    elif len(content) > _MOST[SCRIPT]:
        raise _too_large(SCRIPT, SCRIPT)
    else:
        cells = cells_of(text)
    if not cells:
        _check_is_utf8(content)
        raise CourseError(f"{SCRIPT} has no cell tagged answer: copy the cells' first lines from the original file.")
    if len(cells) > MOST_CELLS:
        raise CourseError(f"{SCRIPT} has {len(cells):,} answer cells, and {MOST_CELLS} are the most: join some.")
    return cells


def read_file(folder: Path, name: str) -> bytes:
    """A file of the folder. Raises CourseError where it is missing, no regular file, or too large."""
    path = folder / name
    kind = LOGITS if name.endswith(Path(LOGITS).suffix) else NOTEBOOK  # what is called a script may be a notebook
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode):
            raise CourseError(f"{name} is a link or no regular file: put the file itself there.")
        # O_NOFOLLOW and O_NONBLOCK: nobody may swap the file for a link or a pipe in between.
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        with os.fdopen(os.open(path, flags), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise CourseError(f"{name} is no regular file: put the file itself there.")
            content = file.read(_MOST[kind] + 1)
    except FileNotFoundError as error:
        raise CourseError(f"There is no {name} here: run this in the folder of your assignment.") from error
    except OSError as error:
        raise CourseError(f"{name} cannot be read: {error.strerror}.") from error
    if len(content) > _MOST[kind]:
        raise _too_large(name, kind)
    return content


def _too_large(name: str, kind: str) -> CourseError:
    return CourseError(f"{name} is larger than {_MOST[kind] / 1e6:g} MB: keep your answers in it and nothing else.")


def _decoded(content: bytes) -> str:
    """Text as Python reads it: UTF-8, or what its first lines name. What is neither is from an older Windows editor."""
    try:
        return content.decode(tokenize.detect_encoding(io.BytesIO(content).readline)[0])
    except (SyntaxError, ValueError, LookupError):
        return content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "cp1252", errors="replace")


def _check_is_utf8(content: bytes) -> None:
    try:
        content.decode()
    except UnicodeDecodeError as error:
        raise CourseError(f"{SCRIPT} is not UTF-8 text (byte {error.start:,}): save it as UTF-8.") from error


def cells_of(text: str) -> list[Cell]:
    """The answer cells of a percent script.

    A comment ``# %% like this`` in an answer cell looks like another cell's first line, in jupytext's script too. What
    follows belongs to the answer where it only defines something.
    """
    lines = re.split(r"\r\n?|\n", text)  # and nowhere else: str.splitlines ends lines within a string, too
    heads = [(number, head["rest"]) for number, line in enumerate(lines) if (head := _HEAD.match(line))]
    heads.append((len(lines), ""))
    cells: list[Cell] = []
    tags: tuple[str, ...] = ()
    begin, i = 0, 0
    while i < len(heads) - 1:
        place, rest = heads[i]
        i += 1
        is_comment = "answer" in tags and not _METADATA.match(rest)
        if not is_comment:
            begin, tags = place + 1, () if re.match(r"[^=]*\[(markdown|md|raw)\]", rest) else _tags_in(rest)
        if "answer" not in tags:
            continue
        end, cell, tree = _longest(lines, place + 1, heads[i : i + _MOST_MARKERS], tags)
        i += end
        if is_comment and not tree:
            _, joined, tree = _longest(lines, begin, heads[i : i + 1], tags)
            cells[-1:] = [joined] if tree else cells[-1:]
        elif not is_comment or all(isinstance(node, _DEFINITIONS) for node in tree.body):
            cells.append(cell)
    return cells


def _longest(
    lines: list[str], begin: int, heads: list[tuple[int, str]], tags: tuple[str, ...]
) -> tuple[int, Cell, ast.Module | None]:
    """A cell up to the first of the heads at which Python can read it, for a head may lie in a string.

    Returns: how many heads lie in it, the cell, and its syntax tree; up to the first head and None where it never can.
    """
    read = []
    for number, (end, rest) in enumerate(heads):
        read.append(_cell("\n".join(lines[begin:end]).rstrip(), begin + 1, tags))
        if read[-1][1]:
            return number, *read[-1]
        if "answer" in _tags_in(rest):
            break
    return 0, *read[0]


def cells_of_notebook(text: str) -> list[Cell]:
    """The answer cells of a notebook. Lines are counted in each cell. Raises CourseError where it is no notebook."""
    try:
        code = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
        pairs = [("".join(cell["source"]), (cell.get("metadata") or {}).get("tags") or ()) for cell in code]
        pairs = [(source, tuple(tag for tag in tags if isinstance(tag, str))) for source, tags in pairs]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise CourseError("the notebook cannot be read: open it in Jupyter, and save it once more.") from error
    return [_cell(re.sub(r"\r\n?", "\n", source), 1, tags)[0] for source, tags in pairs if "answer" in tags]


def _tags_in(head: str) -> tuple[str, ...]:
    match = _TAGS.search(head)
    try:
        tags = json.loads(match[1]) if match else []
    except ValueError:
        return ()
    return tuple(tag for tag in tags if isinstance(tag, str))


def _cell(source: str, line: int, tags: tuple[str, ...]) -> tuple[Cell, ast.Module | None]:
    """A cell, and its syntax tree where it has one. What only IPython can read is left out, line by line."""
    lines = source.split("\n")
    for _ in range(_MOST_IPYTHON):
        try:
            source = "\n".join(lines)
            tree = ast.parse(source)
            return Cell(source, line, tags, _foreign_import(tree, line)), tree
        except SyntaxError as error:
            at = (error.lineno or 1) - 1
            problem = f"Python cannot read this cell: {error.msg}, line {at + line} of {SCRIPT}."
            if at >= len(lines) or not (match := _IPYTHON.fullmatch(lines[at])):
                break
            lines[at] = f"{match[1]}pass  # {match[2]}"
        except (ValueError, RecursionError, MemoryError):
            problem = "Python cannot read this cell: it holds a null byte, or is nested too deeply."
            break
    return Cell(source, line, tags, problem), None


def _foreign_import(tree: ast.Module, line: int) -> str | None:
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            names = [node.module if not node.level else ""]
        for name in names:
            if name.partition(".")[0] not in {*ALLOWED, *sys.stdlib_module_names}:
                return (
                    f"line {node.lineno + line - 1} of {SCRIPT} imports {name or 'a neighbouring file'}, and an "
                    f"answer may import only {', '.join(ALLOWED)} and Python's standard library."
                )
    return None
