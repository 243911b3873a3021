"""Fingerprints: what the library computes in a chapter's quick run, compared with what it computed when published.

A quick run leaves a fingerprint in ``_build/fingerprints``: of every training run what
:mod:`course_lib.training.fingerprint` measures, a digest of each output that must not change, and the results of its
records. The fingerprint that a page was published with lies in ``results/fingerprints``. Where the two differ, the page
is stale.

How far two numbers may lie apart was measured: ``tests/publishing/bands.md`` has the runs, over processors' instruction
sets, numbers of threads and two versions of torch.
"""

import ast
import hashlib
import json
import math
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

import course_lib
from course_lib import records, runlog, storage
from course_tools.publishing.computation import DRAWN, canonical, computation, has_tag, parsed
from course_tools.publishing.project import Chapter, Project

# Tolerances: relative, except RESULT.
EXACT = 1e-9  # of learning rates: Python's own floats
FIRST = 1e-5  # of the first loss and gradient: float64 from the same first weights and images
LATER = 1e-2  # of the next three losses: Adam makes 1e-3 of a difference of 2e-7 in the first weights
JUDGED = 1e-4  # of the mean loss over 64 images, which evaluate rounds to float32 on its way
RESULT = 0.1  # absolute, of accuracies in [0, 1] after a quick run in float32


def of_run(notebook: NotebookNode, log: Path, kept: Path) -> dict[str, Any]:
    """The fingerprint of a quick run; :func:`library_digest` is added by the caller.

    Args:
        notebook: with the outputs of its run.
        log: its run log.
        kept: the records that it wrote; the file need not be there.
    """
    results = {
        f"{record['name']}, seed {record['seed']}": {"accuracy": round(record["final"]["accuracy"], 4)}
        for record in (records.read(kept) if kept.exists() else [])
    }
    logged = runlog.read(log)
    return {
        "code": code_digest(notebook),
        "weights": sorted(set(logged["weights"])),
        "fits": logged["fit"],
        "outputs": dict(_fixed_outputs(notebook)),
        "results": results,
    }


def code_digest(notebook: NotebookNode) -> str:
    """A digest of what a chapter computes in the quick profile."""
    return _sha(json.dumps(computation(notebook, "quick")))


def library_digest() -> str:
    """A digest of the code of everything that chapters import, docstrings and comments left out.

    It only decides whether a quick run has to be repeated. A page's freshness does not depend on it.
    """
    package = Path(course_lib.__file__).parent
    lines = []
    for file in sorted(package.rglob("*.py")):
        name, stat = file.relative_to(package), file.stat()
        if name.stem != "__main__":
            lines.append(f"{name} {_code_digest(file, stat.st_mtime_ns, stat.st_size)}\n")
    return _sha("".join(lines))


def current_file(project: Project, chapter: Chapter) -> Path:
    """Where the fingerprint of the latest quick run here lies."""
    return project.build / "fingerprints" / f"{chapter.name}.json"


def published_file(project: Project, name: str) -> Path:
    """Where the fingerprint of a published chapter or study lies."""
    return project.results / "fingerprints" / f"{name}.json"


def read(file: Path) -> dict[str, Any] | None:
    """A fingerprint, or None where there is none that can be read."""
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def write(fingerprint: dict[str, Any], file: Path) -> None:
    """Write a fingerprint, whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with storage.atomic_file(file) as scratch:
        scratch.write_text(json.dumps(fingerprint), encoding="utf-8")


def to_text(fingerprint: dict[str, Any]) -> str:
    """A fingerprint as it is published: one line per training run, and without the digest of the library."""
    rows = {key: value for key, value in fingerprint.items() if key not in ("fits", "library")}
    fits = ",\n  ".join(map(json.dumps, fingerprint["fits"]))
    return json.dumps(rows, indent=1)[:-2] + f',\n "fits": [\n  {fits}\n ]\n}}\n'


def current(project: Project, chapter: Chapter, source: NotebookNode) -> dict[str, Any] | None:
    """The fingerprint of a quick run of exactly this code and library; None where there was no such run yet."""
    latest = read(current_file(project, chapter))
    if latest is None or latest["code"] != code_digest(source) or latest.get("library") != library_digest():
        return None
    return latest


def differences(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """What the library no longer computes as it did, a few words each; empty where all of it agrees."""
    if before["code"] != now["code"]:
        return ["the cells of its quick profile"]
    if before["weights"] != now["weights"]:
        return []  # nothing to compare: the one run had pretrained weights that the other had not
    if len(before["fits"]) != len(now["fits"]):
        return [f"the number of training runs, {len(now['fits'])} in place of {len(before['fits'])}"]
    changed = []
    for number, (old, new) in enumerate(zip(before["fits"], now["fits"], strict=True), 1):
        changed += [f"training run {number} ({old['recipe']['model']}): {what}" for what in _fit_differences(old, new)]
    for kind in ("outputs", "results"):
        for name in sorted(before[kind].keys() | now[kind].keys()):
            old, new = before[kind].get(name), now[kind].get(name)
            missing = old is None or new is None
            if missing or (old != new if kind == "outputs" else abs(old["accuracy"] - new["accuracy"]) > RESULT):
                changed.append(f"{kind[:-1]} {name}")
    return changed


def _fit_differences(old: dict, new: dict) -> Iterator[str]:
    for key in sorted(old["recipe"].keys() | new["recipe"].keys()):
        if old["recipe"].get(key) != new["recipe"].get(key):
            yield f"{key} {new['recipe'].get(key)} in place of {old['recipe'].get(key)}"
    if not all(_near(a, b, EXACT) for a, b in zip(old["schedule"], new["schedule"], strict=True)):
        yield "schedule"
    if len(old["loss"]) != len(new["loss"]):
        yield "number of steps"
        return
    if not all(_near(a, b, EXACT) for a, b in zip(old["rates"], new["rates"], strict=True)):
        yield f"learning rates {new['rates']} in place of {old['rates']}"
    if not _near(old["loss"][0], new["loss"][0], FIRST):
        yield f"first loss {new['loss'][0]} in place of {old['loss'][0]}"
    elif not all(_near(a, b, LATER) for a, b in zip(old["loss"], new["loss"], strict=True)):
        yield f"losses {new['loss']} in place of {old['loss']}"
    if not _near(old["gradient"], new["gradient"], FIRST):
        yield f"first gradient {new['gradient']} in place of {old['gradient']}"
    if old["judged"]["images"] != new["judged"]["images"]:
        yield "number of images judged"
    elif not _near(old["judged"]["loss"], new["judged"]["loss"], JUDGED):
        yield f"loss judged {new['judged']['loss']} in place of {old['judged']['loss']}"
    elif abs(old["judged"]["accuracy"] - new["judged"]["accuracy"]) * old["judged"]["images"] > 1.5:
        yield f"accuracy judged {new['judged']['accuracy']} in place of {old['judged']['accuracy']}"


def _near(a: float | None, b: float | None, within: float) -> bool:
    """Whether two numbers agree, or both are None."""
    if a is None or b is None:
        return a is b
    return math.isclose(a, b, rel_tol=within, abs_tol=within * 1e-3)


def _fixed_outputs(notebook: NotebookNode) -> Iterator[tuple[str, str]]:
    """A digest of what each cell tagged ``nbval-check-output`` printed and showed as text, counted from 1."""
    cells = [
        cell
        for cell in notebook.cells
        if cell.cell_type == "code" and has_tag(cell, "nbval-check-output") and not has_tag(cell, DRAWN)
    ]
    for number, cell in enumerate(cells, 1):
        texts = [output.get("text", "") or output.get("data", {}).get("text/plain", "") for output in cell.outputs]
        yield f"of checked cell {number}", _sha("".join("".join(text) for text in texts))[:16]


@cache
def _code_digest(file: Path, _changed: int, _size: int) -> str:
    """Each version of a file is parsed once."""
    tree = parsed(file.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        documented = isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        if documented and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return _sha(canonical(tree))


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
