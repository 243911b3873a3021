"""Does the library still compute what a published page shows? The quick profile finds out, by running it.

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
from course_tools.publishing.computation import DRAWN, canonical, computation
from course_tools.publishing.project import Chapter, Project

EXACT = 1e-9  # relative, of learning rates: Python's own floats
FIRST = 1e-5  # relative, of the first loss and gradient: float64 from the same first weights and images
LATER = 1e-2  # relative, of the next three losses: Adam makes 1e-3 of a difference of 2e-7 in the first weights
JUDGED = 1e-4  # of the mean loss over 64 images, which evaluate rounds to float32 on its way
RESULT = 0.1  # of accuracies in [0, 1] after a quick run in float32
BACKSTAGE = ("grading", "check", "__main__")


def of_run(notebook: NotebookNode, log: Path, kept: Path) -> dict[str, Any]:
    """The fingerprint of a quick run, which has yet to learn the ``library``.

    Args:
        notebook: with the outputs of its run.
        log: its run log.
        kept: the records that it wrote; the file need not be there.
    """
    lines = records.read(kept) if kept.exists() else []
    results = {f"{one['name']}, seed {one['seed']}": one["final"] for one in lines}
    logged = runlog.read(log)
    return {
        "code": code_digest(notebook),
        "weights": sorted(set(logged["weights"])),
        "fits": logged["fit"],
        "outputs": dict(_fixed_outputs(notebook)),
        "results": {name: {"accuracy": round(final["accuracy"], 4)} for name, final in results.items()},
    }


def code_digest(notebook: NotebookNode) -> str:
    """A digest of what a chapter computes in the quick profile."""
    return _sha(json.dumps(computation(notebook, "quick")))


def library_digest() -> str:
    """A digest of the code of everything that chapters import, docstrings and comments left out.

    It only says whether a quick run has to be repeated. A page's freshness does not depend on it.
    """
    package = Path(course_lib.__file__).parent
    files = [file for file in sorted(package.rglob("*.py")) if file.relative_to(package).parts[0] not in BACKSTAGE]
    files = [file for file in files if file.stem not in BACKSTAGE]
    stats = [(file, file.stat()) for file in files]
    codes = [_code_digest(file, stat.st_mtime_ns, stat.st_size) for file, stat in stats]
    return _sha("".join(f"{file.relative_to(package)} {code}\n" for file, code in zip(files, codes, strict=True)))


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


def write(found: dict[str, Any], file: Path) -> None:
    """Keep a fingerprint, whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with storage.atomic_file(file) as scratch:
        scratch.write_text(json.dumps(found), encoding="utf-8")


def to_text(found: dict[str, Any]) -> str:
    """As it is published: a line a training run, and without the library, for any that computes the same will do."""
    rows = {key: value for key, value in found.items() if key not in ("fits", "library")}
    fits = ",\n  ".join(json.dumps(one) for one in found["fits"])
    return json.dumps(rows, indent=1)[:-2] + f',\n "fits": [\n  {fits}\n ]\n}}\n'


def current(project: Project, chapter: Chapter, source: NotebookNode) -> dict[str, Any] | None:
    """The fingerprint of a quick run of this very code and library; None where there was no such run yet."""
    found = read(current_file(project, chapter))
    if found is None or found["code"] != code_digest(source) or found.get("library") != library_digest():
        return None
    return found


def differences(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """What the library no longer computes as it did, a few words each; empty where all of it agrees."""
    if before["code"] != now["code"]:
        return ["the cells of its quick profile"]
    if before["weights"] != now["weights"]:
        return []  # nothing to compare: the one run had pretrained weights that the other had not
    if len(before["fits"]) != len(now["fits"]):
        return [f"the number of training runs, {len(now['fits'])} in place of {len(before['fits'])}"]
    found = []
    for number, (old, new) in enumerate(zip(before["fits"], now["fits"], strict=True), 1):
        found += [f"training run {number} ({old['recipe']['model']}): {one}" for one in _of_a_fit(old, new)]
    for what in ("outputs", "results"):
        for name in sorted(before[what].keys() | now[what].keys()):
            old, new = before[what].get(name), now[what].get(name)
            if old is None or new is None or (old != new if what == "outputs" else _far(old, new)):
                found.append(f"{what[:-1]} {name}")
    return found


def _of_a_fit(old: dict, new: dict) -> Iterator[str]:
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


def _near(one: float | None, other: float | None, within: float) -> bool:
    """Whether two numbers agree, or neither is one."""
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=within, abs_tol=within * 1e-3)


def _far(old: dict[str, float], new: dict[str, float]) -> bool:
    return abs(old["accuracy"] - new["accuracy"]) > RESULT


def _fixed_outputs(notebook: NotebookNode) -> Iterator[tuple[str, str]]:
    """A digest of what each cell tagged ``nbval-check-output`` printed and showed as text, counted from 1."""
    tags = [cell.metadata.get("tags", []) for cell in notebook.cells]
    cells = [
        cell
        for cell, has in zip(notebook.cells, tags, strict=True)
        if cell.cell_type == "code" and "nbval-check-output" in has and DRAWN not in has
    ]
    for number, cell in enumerate(cells, 1):
        texts = [output.get("text", "") or output.get("data", {}).get("text/plain", "") for output in cell.outputs]
        yield f"of checked cell {number}", _sha("".join("".join(text) for text in texts))[:16]


@cache
def _code_digest(file: Path, _changed: int, _size: int) -> str:
    """Each version of a file is parsed once."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        documented = isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        if documented and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return _sha(canonical(tree))


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
