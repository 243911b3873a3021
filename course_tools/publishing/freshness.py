"""Whether a chapter's outputs are still those of its code. Two questions, one read from files, one answered by running.

*Has what went into the run changed?* Its key covers what it computes in its profile, and the data, the pretrained
weights and the records that the computation used. Prose, layout, import lines, other profiles' values, and tables and
figures that are drawn when the page is staged are no part of it.

*Does the library still compute the same?* See :mod:`course_tools.publishing.fingerprints`.
"""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from course_lib import records, weights
from course_lib.data.loading import checksum
from course_lib.errors import CourseError
from course_tools.publishing import fingerprints, pairs
from course_tools.publishing.computation import computation
from course_tools.publishing.project import Chapter, Project


def ingredients(
    project: Project, chapter: Chapter, profile: str, used: dict[str, list[str]], notebook: NotebookNode
) -> dict[str, str]:
    """A digest of each thing that went into a run.

    Args:
        project: the checkout.
        chapter: which ran.
        profile: in which it ran.
        used: names of the ``data``, ``weights`` and ``records`` that the run used, from its run log.
        notebook: its cells.
    """
    digests = {"profile": profile, "code cells": _sha(json.dumps(computation(notebook, profile)))}
    digests |= {f"data {label}": _or_missing(checksum, label) for label in used["data"]}
    digests |= {f"weights {name}": _or_missing(weights.checksum, name) for name in used["weights"]}
    for name in used["records"]:
        if name != chapter.name:  # its own records are made by the run
            digests[f"records of {name}"] = _records_digest(project.results / f"{name}.jsonl")
    return digests


def add_key(project: Project, chapter: Chapter, notebook: NotebookNode) -> None:
    """Add ingredients, and the key over all of them (16 hexadecimal digits), to the metadata of a notebook's run."""
    run = notebook.metadata.course.run
    run["ingredients"] = ingredients(project, chapter, run["profile"], run["used"], notebook)
    run["key"] = _sha(json.dumps(run["ingredients"], sort_keys=True))[:16]


def what_changed(project: Project, chapter: Chapter, notebook: NotebookNode, fingerprint: dict | None) -> list[str]:
    """Why a run's outputs are stale, a few words each; empty where they are not.

    ``fingerprint`` is the run's. It is compared with that of a quick run of today's library, if there is one here.
    """
    changed = inputs_changed(project, chapter, notebook)
    if changed:
        return changed
    if fingerprint is None:
        return ["fingerprint (it is missing)"]
    today = fingerprints.current(project, chapter, pairs.read_source(chapter))
    return [] if today is None else fingerprints.differences(fingerprint, today)


def inputs_changed(project: Project, chapter: Chapter, notebook: NotebookNode) -> list[str]:
    """Names of the ingredients of a run that differ today."""
    run = notebook.metadata.get("course", {}).get("run", {})
    if "ingredients" not in run:
        return ["it never ran"]
    source = pairs.read_source(chapter)
    before, now = run["ingredients"], ingredients(project, chapter, run["profile"], run["used"], source)
    return sorted(name for name in now.keys() | before.keys() if now.get(name) != before.get(name))


def fresh_run(project: Project, chapter: Chapter, profile: str) -> bool:
    """Whether ``_build/runs`` holds a run of this chapter in this profile that need not be repeated.

    A quick run is repeated after every change in the library, to find out what the change did.
    """
    file = project.run_folder(profile) / f"{chapter.name}.ipynb"
    try:
        notebook = nbformat.read(file, as_version=4)
    except Exception:  # missing, or not a notebook: nbformat raises whatever a malformed file leads to
        return False
    fingerprint = fingerprints.read(project.run_folder(profile) / f"{chapter.name}.fingerprint.json")
    if fingerprint is None or notebook.metadata.get("course", {}).get("run", {}).get("profile") != profile:
        return False
    if profile == "quick" and fingerprint["library"] != fingerprints.library_digest():
        return False
    return not what_changed(project, chapter, notebook, fingerprint)


def _or_missing(checksum: Callable[[str], str], name: str) -> str:
    try:
        return checksum(name)
    except (CourseError, KeyError):
        return "missing"


def _records_digest(path: Path) -> str:
    return _sha("".join(record["sha256"] for record in records.read(path))) if path.exists() else "missing"


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
