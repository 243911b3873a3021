"""Keep each ``.py`` source and its ``.ipynb`` pair in step. The source wins, and no hand edit is lost.

A notebook holds the digest of the sources that it was last made from. If its own cells still have that digest, the
``.py`` was edited and the notebook follows. If not, the notebook was edited by hand, and nothing is overwritten.
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

# Cell metadata that belongs to the source; what a run or an editor adds is left out of comparisons.
_OWN_METADATA = ("tags", "cellView", "jupyter")


def read_source(chapter: Chapter) -> NotebookNode:
    """The ``.py`` as a notebook without outputs. Raises CourseError where it is not a percent script."""
    try:
        return jupytext.read(chapter.source, fmt="py:percent")
    except (ValueError, SyntaxError, UnicodeDecodeError) as error:
        raise CourseError(f"{chapter.source.name} does not read as a percent script: {error}") from error


def read_notebook(chapter: Chapter) -> NotebookNode:
    """The ``.ipynb``. Raises CourseError where it is missing or not a notebook."""
    try:
        return nbformat.read(chapter.notebook, as_version=4)
    except FileNotFoundError as error:
        raise CourseError(f"{chapter.notebook.name} does not exist: run `course pair` to make it.") from error
    except Exception as error:  # nbformat raises whatever a malformed file leads to
        raise CourseError(
            f"{chapter.notebook.name} is not a notebook: delete it and run `course pair`, or take it from git."
        ) from error


def to_text(notebook: NotebookNode) -> str:
    """A notebook as it is committed: sorted keys, one-space indent, a newline at the end."""
    return json.dumps(notebook, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def write_notebook(notebook: NotebookNode, path: Path) -> None:
    """Write a notebook whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(path) as scratch:
        scratch.write_text(to_text(notebook), encoding="utf-8")


def digest_of_sources(notebook: NotebookNode) -> str:
    """SHA-256 over the cells' types, sources and own metadata: what both files of a pair contain."""
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
    pairs = zip(computing_cells(source, profile), computing_cells(run, profile), strict=True)
    for (cell, _), (executed, _) in pairs:
        cell.outputs, cell.execution_count = join_streams(executed.outputs), executed.execution_count
    source.metadata["course"] = run.metadata["course"]
    return source


def join_streams(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """The outputs, with printed text that arrived in pieces joined."""
    joined: list[NotebookNode] = []
    for output in outputs:
        last = joined[-1] if joined else None
        if last and output.output_type == last.output_type == "stream" and output.name == last.name:
            last.text += output.text
        else:
            joined.append(NotebookNode(output))
    return joined


class Step(Enum):
    """How a notebook compares with its source."""

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
    own, wanted = digest_of_sources(notebook), digest_of_sources(read_source(chapter))
    made_from = notebook.metadata.get("course", {}).get("sources")
    if own == wanted:
        return Step.SAME
    if own == made_from:
        return Step.BEHIND
    return Step.EDITED if made_from in (wanted, None) else Step.BOTH_EDITED


def out_of_step(chapter: Chapter) -> str | None:
    """Why the pair differs and what to do, in one line; None where it does not differ."""
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

    Returns: whether the notebook was written.
    Raises: CourseError where the notebook was edited by hand; nothing is written then.
    """
    state = step(chapter)
    if state is Step.SAME:
        return False
    if state in (Step.EDITED, Step.BOTH_EDITED):
        raise CourseError(out_of_step(chapter))
    notebook = read_source(chapter)
    if state is Step.BEHIND:
        before = read_notebook(chapter)
        notebook = jupytext.combine.combine_inputs_with_outputs(notebook, before)
        if "course" in before.metadata:
            notebook.metadata["course"] = before.metadata["course"]
    number_cells(notebook)
    stamp(notebook)
    write_notebook(notebook, chapter.notebook)
    return True


def take_notebook(chapter: Chapter) -> None:
    """Carry a hand edit of the notebook into the ``.py``: the only case in which the notebook wins.

    Raises: CourseError where the ``.py`` was edited too; nothing is written then.
    """
    if step(chapter) is Step.BOTH_EDITED:
        raise CourseError(
            f"{chapter.source.name} was edited too: keep a copy of {chapter.notebook.name}, run "
            f"`git checkout notebooks/{chapter.notebook.name}` and `course pair`, then edit it again."
        )
    notebook = read_notebook(chapter)
    header = read_source(chapter).metadata
    text = jupytext.writes(nbformat.from_dict({**notebook, "metadata": header}), fmt="py:percent")
    with atomic_file(chapter.source) as scratch:
        scratch.write_text(text, encoding="utf-8")
    stamp(notebook)
    write_notebook(notebook, chapter.notebook)


def stamp(notebook: NotebookNode) -> None:
    """Record in the notebook's metadata which sources it was made from."""
    notebook.metadata.setdefault("course", {})["sources"] = digest_of_sources(notebook)


def number_cells(notebook: NotebookNode) -> None:
    """Give cells ids that depend on their place only, so that pairing twice changes nothing."""
    for place, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{place:03d}"
