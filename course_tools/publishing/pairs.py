"""Keep each ``.py`` source and its ``.ipynb`` pair in step. The source wins, and no hand edit is lost.

A notebook holds the digest of the sources that it was last made from. If its own cells still have that digest, the
``.py`` was edited and the notebook follows. If not, the notebook was edited by hand, and nothing is overwritten.
"""

import copy
import hashlib
import json
import re
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from nbformat import NotebookNode

from course_lib.errors import CourseError
from course_lib.storage import atomic_file
from course_tools.publishing.computation import computing_cells, has_tag
from course_tools.publishing.project import Chapter

# Colab and Jupyter show the code of a solution folded. The tag is the source; whether someone unfolded it is not.
_FOLDED = {"cellView": "form", "jupyter": {"source_hidden": True}}
# str.splitlines, and so jupytext, ends a line at these, and Python does not: it gets noncharacters in their place.
_HIDE = {ord(end): 0xFDD0 + place for place, end in enumerate("\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029")}
_SHOW = {hidden: end for end, hidden in _HIDE.items()}
_HEADER = re.compile(r"\A# ---\n(?:#.*\n)*?# ---\n\n*")
_CONFLICT = re.compile(r"(?m)^(?:<{7} .*|>{7} .*)$")


def read_source(chapter: Chapter) -> NotebookNode:
    """The ``.py`` as a notebook without outputs. Raises CourseError where it is not a percent script."""
    return copy.deepcopy(_parse(chapter.source.name, _read(chapter.source)))


@cache  # one command reads a source three times, and jupytext takes a tenth of a second
def _parse(name: str, text: str) -> NotebookNode:
    try:
        notebook = jupytext.reads(text.translate(_HIDE), fmt="py:percent")
    except (ValueError, SyntaxError) as error:
        raise CourseError(f"{name} does not read as a percent script: {error}") from error
    if not notebook.cells:
        raise CourseError(f"{name} has no cell: take it from git, or begin one with `# %%`.")
    return _translated(notebook, _SHOW)


def read_notebook(chapter: Chapter) -> NotebookNode:
    """The ``.ipynb``, in nbformat 4. Raises CourseError where it is missing or not a notebook."""
    if not chapter.notebook.exists():
        raise CourseError(f"{chapter.notebook.name} does not exist: run `course pair` to make it.")
    text = _read(chapter.notebook)
    try:
        content = json.loads(text)
        content.setdefault("metadata", {})
        for place, cell in enumerate(content.get("cells", [])):
            if "id" in cell:
                cell["id"] = _id(place)  # a merge may have left one twice
            tags = cell.setdefault("metadata", {}).pop("tags", None)
            if isinstance(tags, list) and tags:
                cell["metadata"]["tags"] = [tag for tag in tags if isinstance(tag, str)]
            if cell["cell_type"] == "code":
                cell |= {"outputs": cell.get("outputs", []), "execution_count": cell.get("execution_count")}
        notebook = nbformat.reads(json.dumps(content), as_version=4)
        for cell in notebook.cells:
            cell.source = _unix(cell.source)
        return notebook
    except Exception as error:  # nbformat raises whatever a malformed file leads to
        raise CourseError(
            f"{chapter.notebook.name} does not read as a notebook ({type(error).__name__}): move it away, then run "
            f"`course pair`, which makes it from {chapter.source.name}, or take it from git with its outputs."
        ) from error


def _read(file: Path) -> str:
    try:
        text = _unix(file.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise CourseError(f"{file.name} cannot be read ({error.strerror}): move away what is there.") from error
    except UnicodeDecodeError as error:
        raise CourseError(f"{file.name} is not UTF-8 text (byte {error.start:,}): save it as UTF-8.") from error
    if conflict := _CONFLICT.search(text):
        raise CourseError(
            f"{file.name} holds an open conflict of git ({conflict[0]}): settle it, for example with `git checkout "
            "--ours` or `--theirs` for a notebook, then run `course pair`."
        )
    return text


def _unix(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _translated(notebook: NotebookNode, table: dict[int, int]) -> NotebookNode:
    for cell in notebook.cells:
        cell.source = cell.source.translate(table)
    return notebook


def to_text(notebook: NotebookNode) -> str:
    """A notebook as it is committed: sorted keys, one-space indent, a newline at the end."""
    return json.dumps(notebook, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def write_notebook(notebook: NotebookNode, path: Path) -> None:
    """Write a notebook whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(path) as scratch:
        scratch.write_text(to_text(notebook), encoding="utf-8", newline="\n")


def digest_of_sources(notebook: NotebookNode) -> str:
    """SHA-256 over the cells' types, sources, titles and tags: what both files of a pair contain."""
    cells = [[cell.cell_type, cell.source.rstrip(), own_metadata(cell)] for cell in _source_cells(notebook)]
    return hashlib.sha256(json.dumps(cells, sort_keys=True).encode()).hexdigest()


def own_metadata(cell: NotebookNode) -> dict[str, Any]:
    """The metadata that a source has: a cell's title and tags, and what follows from them."""
    own = {key: cell.metadata[key] for key in ("title", "tags") if cell.metadata.get(key)}
    return own | (_FOLDED if cell.cell_type == "code" and has_tag(cell, "solution") else {})


def _source_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """All cells but those that editors and papermill add: empty ones, and injected parameters."""
    cells = [cell for cell in notebook.cells if cell.source.strip() or own_metadata(cell)]
    return [cell for cell in cells if not has_tag(cell, "injected-parameters")]


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

    What an editor left beside cells and outputs, such as a user's name, is dropped.

    Returns: whether the notebook was written.
    Raises: CourseError where the notebook was edited by hand; nothing is written then.
    """
    state = step(chapter)
    if state in (Step.EDITED, Step.BOTH_EDITED):
        raise CourseError(out_of_step(chapter))
    notebook = _paired(chapter, None if state is Step.MISSING else read_notebook(chapter))
    if state is Step.SAME and to_text(notebook) == _read(chapter.notebook):
        return False
    write_notebook(notebook, chapter.notebook)
    return True


def _paired(chapter: Chapter, before: NotebookNode | None) -> NotebookNode:
    """The source as a notebook, with the outputs, and what we keep about their run, of an earlier one."""
    source = notebook = read_source(chapter)
    if before is not None:
        before.cells = _source_cells(before)
        for cell in before.cells:
            cell.source = cell.source.rstrip()
        notebook = jupytext.combine.combine_inputs_with_outputs(read_source(chapter), before)
        notebook.metadata = source.metadata
        for cell, own in zip(notebook.cells, source.cells, strict=True):
            cell.metadata = own.metadata
            for output in cell.get("outputs", []):
                if "metadata" in output:  # of each picture; an editor's own keys are no types of data
                    output.metadata = {key: value for key, value in output.metadata.items() if "/" in key}
        if "course" in before.metadata:
            notebook.metadata["course"] = before.metadata["course"]
    number_cells(notebook)
    stamp(notebook)
    return notebook


def take_notebook(chapter: Chapter) -> None:
    """Carry a hand edit of the notebook into the ``.py``: the only case in which the notebook wins.

    In the ``.py`` the header and the cells that were not edited stay as they are.

    Raises: CourseError where the ``.py`` was edited, too, or alone; nothing is written then.
    """
    state = step(chapter)
    if state is Step.BOTH_EDITED:
        raise CourseError(
            f"{chapter.source.name} was edited too: keep a copy of {chapter.notebook.name}, run "
            f"`git checkout notebooks/{chapter.notebook.name}` and `course pair`, then edit it again."
        )
    if state is Step.BEHIND:
        raise CourseError(f"{chapter.notebook.name} was not edited, and {chapter.source.name} was: run `course pair`.")
    notebook = read_notebook(chapter)
    if state is Step.EDITED:
        known = {digest_of_sources(NotebookNode(cells=[cell])): cell for cell in read_source(chapter).cells}
        cells = [known.get(digest_of_sources(NotebookNode(cells=[cell])), cell) for cell in _source_cells(notebook)]
        for cell in cells:
            own = own_metadata(cell)
            if "lines_to_next_cell" in cell.metadata:  # jupytext's, of a cell of the source
                own["lines_to_next_cell"] = cell.metadata["lines_to_next_cell"]
            cell.metadata = own
        header = _HEADER.match(_read(chapter.source))
        text = jupytext.writes(_translated(_bare(cells), _HIDE), fmt="py:percent").translate(_SHOW)
        with atomic_file(chapter.source) as scratch:
            scratch.write_text((header[0] if header else "") + text, encoding="utf-8", newline="\n")
    write_notebook(_paired(chapter, notebook), chapter.notebook)


def _bare(cells: list[NotebookNode]) -> NotebookNode:
    """A notebook of which jupytext writes the cells alone, without a header."""
    cells = [{**cell, "source": cell.source.rstrip(), "id": _id(place)} for place, cell in enumerate(cells)]
    metadata = {"jupytext": {"notebook_metadata_filter": "-all"}}
    return nbformat.v4.new_notebook(cells=list(map(nbformat.from_dict, cells)), metadata=metadata)


def stamp(notebook: NotebookNode) -> None:
    """Record in the notebook's metadata which sources it was made from."""
    notebook.metadata.setdefault("course", {})["sources"] = digest_of_sources(notebook)


def number_cells(notebook: NotebookNode) -> None:
    """Give cells ids that depend on their place only, so that pairing twice changes nothing."""
    for place, cell in enumerate(notebook.cells):
        cell["id"] = _id(place)


def _id(place: int) -> str:
    return f"cell-{place:03d}"
