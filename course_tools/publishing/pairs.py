"""Keep each ``.py`` source and its ``.ipynb`` pair in step. The source always wins, and no hand edit is lost.

A notebook remembers the digest of the sources it was last made from. So a difference has a culprit: if the notebook's
own cells still have that digest, the ``.py`` was edited and the notebook follows; if not, somebody edited the
notebook by hand, and is told how to carry the change over.
"""

import hashlib
import json
from enum import Enum
from pathlib import Path

import jupytext
import nbformat
from nbformat import NotebookNode

from course_lib.errors import CourseError
from course_lib.storage import atomic_file
from course_tools.publishing.computation import computing_cells
from course_tools.publishing.project import Chapter

# Cell metadata that belongs to the source; whatever a run or an editor adds is left out of comparisons.
_OWN_METADATA = ("tags", "cellView", "jupyter")


def read_source(chapter: Chapter) -> NotebookNode:
    """The ``.py`` as a notebook without outputs. Raises CourseError where it is no percent script."""
    try:
        return jupytext.read(chapter.source, fmt="py:percent")
    except (ValueError, SyntaxError, UnicodeDecodeError) as error:
        raise CourseError(f"{chapter.source.name} does not read as a percent script: {error}") from error


def read_notebook(chapter: Chapter) -> NotebookNode:
    """The ``.ipynb``. Raises CourseError where it is missing or no notebook."""
    try:
        return nbformat.read(chapter.notebook, as_version=4)
    except FileNotFoundError as error:
        raise CourseError(f"{chapter.notebook.name} does not exist: run `course pair` to make it.") from error
    except Exception as error:  # a file that is no notebook can break nbformat in any way
        raise CourseError(
            f"{chapter.notebook.name} is not a notebook: delete it and run `course pair`, or take it from git."
        ) from error


def to_text(notebook: NotebookNode) -> str:
    """A notebook in the one form that git sees: sorted keys, one-space indent, a newline at the end."""
    return json.dumps(notebook, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def write_notebook(notebook: NotebookNode, path: Path) -> None:
    """Write a notebook whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(path) as scratch:
        scratch.write_text(to_text(notebook), encoding="utf-8")


def digest_of_sources(notebook: NotebookNode) -> str:
    """SHA-256 over the cells' types, sources and own metadata: what a pair has in common."""
    cells = []
    for cell in notebook.cells:
        own = {key: cell.metadata[key] for key in _OWN_METADATA if cell.metadata.get(key)}
        cells.append([cell.cell_type, "".join(cell.source).rstrip(), own])
    return hashlib.sha256(json.dumps(cells, sort_keys=True).encode()).hexdigest()


def with_outputs_of(source: NotebookNode, run: NotebookNode) -> NotebookNode:
    """The source's cells with a run's outputs. Both must compute the same in the run's profile."""
    profile = run.metadata["course"]["run"]["profile"]
    for cell in source.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    mine, ran = computing_cells(source, profile), computing_cells(run, profile)
    for (cell, _), (other, _) in zip(mine, ran, strict=True):
        cell.outputs, cell.execution_count = join_streams(other.outputs), other.execution_count
    source.metadata["course"] = run.metadata["course"]
    return source


def join_streams(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Printed lines that reached the notebook one by one, as one output."""
    joined: list[NotebookNode] = []
    for output in outputs:
        before = joined[-1] if joined else None
        if before and output.output_type == before.output_type == "stream" and output.name == before.name:
            before.text += output.text
        else:
            joined.append(NotebookNode(output))
    return joined


class Step(Enum):
    """How a notebook stands to its source."""

    SAME = "same"
    MISSING = "missing"
    BEHIND = "behind"
    EDITED = "edited by hand"
    BOTH_EDITED = "both edited"


def step(chapter: Chapter) -> Step:
    """Compare notebook and source with each other, and with what the notebook was last made from."""
    if not chapter.notebook.exists():
        return Step.MISSING
    notebook = read_notebook(chapter)
    here, there = digest_of_sources(notebook), digest_of_sources(read_source(chapter))
    made_from = notebook.metadata.get("course", {}).get("sources")
    if here == there:
        return Step.SAME
    if here == made_from:
        return Step.BEHIND
    return Step.EDITED if there == made_from or made_from is None else Step.BOTH_EDITED


def out_of_step(chapter: Chapter) -> str | None:
    """Why the pair differs, with the mend, as one line; None where it does not."""
    match step(chapter):
        case Step.SAME:
            return None
        case Step.MISSING:
            return f"{chapter.notebook.name} does not exist: run `course pair` to make it."
        case Step.BEHIND:
            return f"{chapter.notebook.name} is behind {chapter.source.name}: run `course pair`."
    return (
        f"{chapter.notebook.name} was edited by hand: run `course pair --take-notebook {chapter.name}` to carry its "
        f"cells into {chapter.source.name}, or `git checkout notebooks/{chapter.notebook.name}` to drop the edit."
    )


def pair(chapter: Chapter) -> bool:
    """Bring the notebook in step with its source, keeping the outputs of cells that did not change.

    Returns: whether anything was written.
    Raises: CourseError where the notebook was edited by hand; nothing is written then.
    """
    found = step(chapter)
    if found is Step.SAME:
        return False
    if found in (Step.EDITED, Step.BOTH_EDITED):
        raise CourseError(out_of_step(chapter))
    notebook = read_source(chapter)
    if found is Step.BEHIND:
        before = read_notebook(chapter)
        notebook = jupytext.combine.combine_inputs_with_outputs(notebook, before)
        if "course" in before.metadata:
            notebook.metadata["course"] = before.metadata["course"]
    number_cells(notebook)
    stamp(notebook)
    write_notebook(notebook, chapter.notebook)
    return True


def take_notebook(chapter: Chapter, spare: Path) -> None:
    """Carry a hand edit of the notebook into the ``.py``: the one case in which the notebook wins.

    Where both were edited, neither is touched: the notebook's cells go to a file in the folder ``spare``, to be merged.
    Raises CourseError saying so.
    """
    notebook = read_notebook(chapter)
    header = read_source(chapter).metadata
    text = jupytext.writes(nbformat.from_dict({**notebook, "metadata": header}), fmt="py:percent")
    if step(chapter) is Step.BOTH_EDITED:
        spare.mkdir(parents=True, exist_ok=True)
        beside = spare / f"{chapter.name}.from-notebook.py"
        beside.write_text(text, encoding="utf-8")
        raise CourseError(
            f"{chapter.source.name} was edited, too: merge {spare.name}/{beside.name}, which has the notebook's cells, "
            f"into it; then run `git checkout notebooks/{chapter.notebook.name}` and `course pair`."
        )
    with atomic_file(chapter.source) as scratch:
        scratch.write_text(text, encoding="utf-8")
    stamp(notebook)
    write_notebook(notebook, chapter.notebook)


def stamp(notebook: NotebookNode) -> None:
    """Write down which sources the notebook was made from."""
    notebook.metadata.setdefault("course", {})["sources"] = digest_of_sources(notebook)


def number_cells(notebook: NotebookNode) -> None:
    """Give cells ids that depend on their place alone, so that pairing twice changes nothing."""
    for place, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{place:03d}"
