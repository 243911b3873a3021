"""Draw tables and figures over records when a page is staged.

A cell tagged ``drawn`` shows published records: of its own chapter, of others, of studies. In a notebook it runs like
any other. In the pipeline no run executes it, and a page gets what the same cell shows over today's records. So new
records make no page stale, and the page never shows old ones.

Such a cell may use the chapter's imports and functions, and the variables of drawn cells before it; no others.
"""

import ast
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

from course_lib.errors import CourseError
from course_lib.live.figure import STILLS
from course_tools.publishing import fingerprints
from course_tools.publishing.computation import DRAWN, INSTALL, has_tag
from course_tools.publishing.kernels import private_kernel
from course_tools.publishing.pairs import join_streams
from course_tools.publishing.project import Project

Outputs = list[list[dict]]  # of each drawn cell
# Before each chapter. Emptying the kernel takes 0.5 s, in which Python looks through all of torch; with the second line
# it does so once.
_EMPTY = "%reset -f\nimport gc; gc.freeze(); del gc"


def draw(project: Project, notebooks: dict[str, NotebookNode], profile: str | None) -> None:
    """Fill each notebook's drawn cells with what they show over today's records.

    What was drawn is kept in ``_build/drawn``, and drawn again where records, cells or library changed.

    Args:
        project: the checkout.
        notebooks: by the chapter's name.
        profile: for these chapters, records of their runs in ``_build/runs`` replace the published ones; None or
            ``quick``: published records only.

    Raises: CourseError with the message of a cell that raised.
    """
    with _results(project, notebooks, profile) as results:
        todo = {}
        for name, notebook in notebooks.items():
            if drawn_cells(notebook):
                key = _key(notebook, results)
                outputs = _read(_kept(project, name, profile), key)
                if outputs is None:
                    todo[name] = key
                else:
                    _fill(notebook, outputs)
        drawn = _execute({name: _script(notebooks[name]) for name in todo}, results) if todo else {}
        for name, outputs in drawn.items():
            _fill(notebooks[name], outputs)
            file = _kept(project, name, profile)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps({"key": todo[name], "outputs": outputs}), encoding="utf-8")


def drawn_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """The cells of a chapter that show records."""
    return [cell for cell in notebook.cells if cell.cell_type == "code" and has_tag(cell, DRAWN)]


def _kept(project: Project, name: str, profile: str | None) -> Path:
    return project.build / "drawn" / (profile or "published") / f"{name}.json"


def _read(file: Path, key: str) -> Outputs | None:
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
        return kept["outputs"] if kept["key"] == key else None
    except (OSError, ValueError, KeyError):
        return None


def _key(notebook: NotebookNode, results: Path) -> str:
    """A digest of the drawn cells, what they use of the chapter, all records, the library and its live figures."""
    digest = hashlib.sha256(json.dumps(_script(notebook)).encode())
    for file in [*sorted(results.glob("*.jsonl")), *sorted(STILLS.glob("*.png"))]:
        digest.update(file.name.encode() + file.read_bytes())
    return digest.hexdigest() + fingerprints.library_digest()


def _script(notebook: NotebookNode) -> list[str]:
    """What is executed: first the chapter's imports and the functions that drawn cells call, then the drawn cells."""
    drawn = ["".join(cell.source) for cell in drawn_cells(notebook)]
    statements = [
        statement
        for cell in notebook.cells
        if cell.cell_type == "code" and not has_tag(cell, INSTALL, DRAWN)
        for statement in ast.parse("".join(cell.source)).body
    ]
    imports = [node for node in statements if isinstance(node, ast.Import | ast.ImportFrom)]
    defined = {node.name: node for node in statements if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    wanted: list[ast.stmt] = []
    todo: list[ast.AST] = [ast.parse(code) for code in drawn]
    while todo:
        used = {node.id for node in ast.walk(todo.pop()) if isinstance(node, ast.Name)}
        for name in [name for name in defined if name in used]:
            todo.append(defined[name])
            wanted.append(defined.pop(name))
    return ["\n".join(ast.unparse(node) for node in (*imports, *wanted)), *drawn]


def _execute(scripts: dict[str, list[str]], results: Path) -> dict[str, Outputs]:
    """The outputs of each chapter's drawn cells. One kernel for all: torch takes a second to load."""
    cells = {name: [new_code_cell(code) for code in (_EMPTY, *script)] for name, script in scripts.items()}
    notebook = new_notebook(cells=[cell for own in cells.values() for cell in own])
    environment = {key: value for key, value in os.environ.items() if key not in ("COURSE_RECORDS", "COURSE_RUNLOG")}
    environment |= {"COURSE_RESULTS": str(results), "COURSE_STILL": "1"}
    with tempfile.TemporaryDirectory() as folder, private_kernel({}) as kernel:
        client = NotebookClient(
            notebook,
            km=kernel,
            timeout=300,
            resources={"metadata": {"path": folder}},
            extra_arguments=["--IPKernelApp.log_level=40"],  # errors only
        )
        try:
            client.execute(env=environment)
        except CellExecutionError as error:
            name = next(name for name, own in cells.items() if any(map(_raised, own)))
            raise CourseError(
                f"{name}: a cell tagged {DRAWN!r} raised {error.ename}: {error.evalue}. It may use the chapter's "
                "imports and functions and other drawn cells: fix it, or remove the tag."
            ) from error
    return {name: [join_streams(cell.outputs) for cell in own[2:]] for name, own in cells.items()}


def _raised(cell: NotebookNode) -> bool:
    return any(output.output_type == "error" for output in cell.outputs)


def _fill(notebook: NotebookNode, outputs: Outputs) -> None:
    for cell, shown in zip(drawn_cells(notebook), outputs, strict=True):
        cell.outputs = [nbformat.from_dict(output) for output in shown]
        cell.execution_count = 0
    executed = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.execution_count is not None]
    for count, cell in enumerate(executed, 1):  # as if all cells, drawn ones included, had run from top to bottom
        cell.execution_count = count
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = count


@contextmanager
def _results(project: Project, chapters: Iterable[str], profile: str | None) -> Iterator[Path]:
    """A folder with what is published; these chapters' own runs in ``profile`` take the place of their records."""
    files = [] if profile in (None, "quick") else [project.run_folder(profile) / f"{name}.jsonl" for name in chapters]
    own = [file for file in files if file.exists()]
    if not own:
        yield project.results
        return
    with tempfile.TemporaryDirectory() as folder:
        for file in [*project.results.glob("*.jsonl"), *own]:
            shutil.copy(file, Path(folder, file.name))
        if (project.results / "weights").is_dir():
            shutil.copytree(project.results / "weights", Path(folder, "weights"))
        yield Path(folder)
