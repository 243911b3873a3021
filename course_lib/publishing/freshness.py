"""Are a chapter's outputs still those of its code? A key over everything that could change them, and nothing else.

The key covers the code cells (their syntax trees, the install cell left out), the ``course_lib`` modules that the run
really loaded (docstrings and comments stripped), the checksums of the data, the pretrained weights and the records
that it used, and the profile. Prose, layout and versions of torch are no part of it.

A chapter builds on those before it. Its own records and those of later chapters are no part of its key, though a table
of all records may have read them: else two chapters that show such a table would make each other stale for ever.
"""

import ast
import hashlib
import json
import re
from pathlib import Path

import nbformat
from nbformat import NotebookNode

import course_lib
from course_lib import records, weights
from course_lib.data.loading import checksum
from course_lib.errors import CourseError
from course_lib.publishing import pairs
from course_lib.publishing.project import Chapter, Project

_MISSING = "missing"


def ingredients(
    project: Project,
    chapter: Chapter,
    profile: str,
    used: dict[str, list[str]],
    code: list[str],
    modules: dict[str, str],
) -> dict[str, str]:
    """A digest of each thing that the outputs depend on.

    Args:
        project: the checkout.
        chapter: whose outputs.
        profile: in which they were made.
        used: names of the ``modules``, ``data``, ``weights`` and ``records`` that the run used, from its own kernel;
            runs from before there were weights name none.
        code: the syntax trees of the code cells.
        modules: digest of each module of the library.
    """
    found = {"profile": profile, "code cells": _sha(json.dumps(code))}
    found |= {module: modules.get(module, _MISSING) for module in used["modules"]}
    found |= {f"data {label}": _checksum(label) for label in used["data"]}
    found |= {label: _weights_checksum(label) for label in used.get("weights", [])}
    for name in used["records"]:
        if not _is_own_or_later(name, chapter):
            found[f"records of {name}"] = _file_digest(project.results / f"{name}.jsonl")
    return found


def key_of(found: dict[str, str]) -> str:
    """The key over all ingredients: 16 hexadecimal digits."""
    return _sha(json.dumps(found, sort_keys=True))[:16]


def what_changed(project: Project, chapter: Chapter, notebook: NotebookNode) -> list[str]:
    """Names of the ingredients that are not what they were at the notebook's run; empty where it is fresh."""
    run = notebook.metadata.get("course", {}).get("run", {})
    if "ingredients" not in run:
        return ["it never ran"]
    code = pairs.code_of(pairs.read_source(chapter))
    before, now = run["ingredients"], ingredients(project, chapter, run["profile"], run["used"], code, all_modules())
    left_out = {f"records of {name}" for name in run["used"]["records"] if _is_own_or_later(name, chapter)}
    return sorted(name for name in (now.keys() | before.keys()) - left_out if now.get(name) != before.get(name))


def _is_own_or_later(records_of: str, chapter: Chapter) -> bool:
    """``bench-cpu`` and the like belong to no chapter, so they are neither."""
    return re.match(r"\d\d-", records_of) is not None and records_of >= chapter.name


def fresh_run(project: Project, chapter: Chapter, profile: str) -> bool:
    """Whether ``_build/runs`` holds a run of this chapter in this profile that need not be repeated."""
    file = project.run_folder(profile) / f"{chapter.name}.ipynb"
    try:
        notebook = nbformat.read(file, as_version=4)
    except Exception:  # no such file, or one that is no notebook: run the chapter
        return False
    return not what_changed(project, chapter, notebook) and notebook.metadata.course.run.profile == profile


def all_modules() -> dict[str, str]:
    """Digest of every module of the library, by its dotted name: see :func:`source_digest`."""
    package = Path(course_lib.__file__).parent
    digests = {}
    for file in sorted(package.rglob("*.py")):
        parts = file.relative_to(package.parent).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        digests[name] = source_digest(file.read_text(encoding="utf-8"))
    return digests


def source_digest(source: str) -> str:
    """SHA-256 of Python source, docstrings and comments stripped."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        documented = isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        if documented and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return _sha(ast.dump(tree))


def add_key(project: Project, chapter: Chapter, notebook: NotebookNode, modules: dict[str, str]) -> None:
    """Write ingredients and key into what a notebook knows of its run."""
    run = notebook.metadata.course.run
    run["ingredients"] = ingredients(project, chapter, run["profile"], run["used"], pairs.code_of(notebook), modules)
    run["key"] = key_of(run["ingredients"])


def _checksum(label: str) -> str:
    try:
        return checksum(label)
    except (CourseError, KeyError):
        return _MISSING


def _weights_checksum(label: str) -> str:
    try:
        return weights.checksum(label.removeprefix("weights "))
    except CourseError:
        return _MISSING


def _file_digest(path: Path) -> str:
    if not path.exists():
        return _MISSING
    return _sha("".join(record["sha256"] for record in records.read(path)))


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
