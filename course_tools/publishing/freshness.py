"""Are a chapter's outputs still those of its code? Two questions, one read from files, one answered by running.

*Has what went into the run changed?* Its key covers what it computes in its profile, and the data, the pretrained
weights and the records that the computation used. Prose, layout, import lines, other profiles' values, and tables and
figures that are drawn when the page is staged are no part of it.

*Does the library still compute the same?* See :mod:`course_tools.publishing.fingerprints`.
"""

import hashlib
import json

import nbformat
from nbformat import NotebookNode

from course_lib import records, weights
from course_lib.data.loading import checksum
from course_lib.errors import CourseError
from course_tools.publishing import fingerprints, pairs
from course_tools.publishing.computation import computation
from course_tools.publishing.project import Chapter, Project

_MISSING = "missing"


def ingredients(
    project: Project, chapter: Chapter, profile: str, used: dict[str, list[str]], notebook: NotebookNode
) -> dict[str, str]:
    """A digest of each thing that went into a run.

    Args:
        project: the checkout.
        chapter: which ran.
        profile: in which it ran.
        used: names of the ``data``, ``weights`` and ``records`` that it used, from its run log.
        notebook: its cells.
    """
    found = {"profile": profile, "code cells": _sha(json.dumps(computation(notebook, profile)))}
    found |= {f"data {label}": _checksum(label) for label in used["data"]}
    found |= {f"weights {name}": _weights_checksum(name) for name in used["weights"]}
    for name in used["records"]:
        if name != chapter.name:  # its own: they are made by the run, and shown beside it
            found[f"records of {name}"] = _records_digest(project, name)
    return found


def key_of(found: dict[str, str]) -> str:
    """The key over all ingredients: 16 hexadecimal digits."""
    return _sha(json.dumps(found, sort_keys=True))[:16]


def add_key(project: Project, chapter: Chapter, notebook: NotebookNode) -> None:
    """Write ingredients and key into what a notebook knows of its run."""
    run = notebook.metadata.course.run
    run["ingredients"] = ingredients(project, chapter, run["profile"], run["used"], notebook)
    run["key"] = key_of(run["ingredients"])


def what_changed(project: Project, chapter: Chapter, notebook: NotebookNode, fingerprint: dict | None) -> list[str]:
    """Why a run's outputs are stale, a few words each; empty where nothing says so.

    ``fingerprint`` is the run's. It is held against that of a quick run of today's library, where there is one here.
    """
    changed = inputs_changed(project, chapter, notebook)
    if changed:
        return changed
    if fingerprint is None:
        return ["fingerprint (it is missing)"]
    today = fingerprints.current(project, chapter, pairs.read_source(chapter))
    return [] if today is None else fingerprints.differences(fingerprint, today)


def inputs_changed(project: Project, chapter: Chapter, notebook: NotebookNode) -> list[str]:
    """Names of what went into a run and is another today."""
    run = notebook.metadata.get("course", {}).get("run", {})
    if "ingredients" not in run:
        return ["it never ran"]
    source = pairs.read_source(chapter)
    before, now = run["ingredients"], ingredients(project, chapter, run["profile"], run["used"], source)
    return sorted(name for name in now.keys() | before.keys() if now.get(name) != before.get(name))


def fresh_run(project: Project, chapter: Chapter, profile: str) -> bool:
    """Whether ``_build/runs`` holds a run of this chapter in this profile that need not be repeated.

    A quick run is repeated after every change in the library: it is the one that finds out what the change did.
    """
    file = project.run_folder(profile) / f"{chapter.name}.ipynb"
    try:
        notebook = nbformat.read(file, as_version=4)
    except Exception:  # no such file, or one that is no notebook: run the chapter
        return False
    fingerprint = fingerprints.read(project.run_folder(profile) / f"{chapter.name}.fingerprint.json")
    if fingerprint is None or notebook.metadata.get("course", {}).get("run", {}).get("profile") != profile:
        return False
    if profile == "quick" and fingerprint["library"] != fingerprints.library_digest():
        return False
    return not what_changed(project, chapter, notebook, fingerprint)


def _checksum(label: str) -> str:
    try:
        return checksum(label)
    except (CourseError, KeyError):
        return _MISSING


def _weights_checksum(name: str) -> str:
    try:
        return weights.checksum(name)
    except CourseError:
        return _MISSING


def _records_digest(project: Project, name: str) -> str:
    path = project.results / f"{name}.jsonl"
    if not path.exists():
        return _MISSING
    return _sha("".join(record["sha256"] for record in records.read(path)))


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
