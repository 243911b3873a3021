"""Replace several files at once: all of them, or none, whenever the power fails.

New contents are first written beside their places, then a journal lists them, then each is renamed onto its place, then
the journal goes. Interrupted before the journal is in place, nothing happened; after it, the next ``course`` command
finishes the work.
"""

import json
from pathlib import Path

from course_lib import storage
from course_tools.publishing.project import Project

SUFFIX = ".publishing"


def replace_all(project: Project, contents: dict[Path, str]) -> None:
    """Write new contents into files of the checkout. Raises CourseError where a folder cannot be written."""
    for path, text in contents.items():
        with storage.writable_folder(path.parent):
            _fresh(path).write_text(text, encoding="utf-8")
    journal = _journal(project)
    with storage.writable_folder(journal.parent), storage.atomic_file(journal) as draft:
        draft.write_text(json.dumps([str(path.relative_to(project.root)) for path in contents]))
    settle(project)


def settle(project: Project) -> None:
    """Finish a replacement that was interrupted after its journal was written; sweep up one interrupted before."""
    journal = _journal(project)
    if journal.exists():
        for name in json.loads(journal.read_text()):
            path = project.root / name
            if _fresh(path).exists():
                _fresh(path).replace(path)
        journal.unlink()
    for folder in (project.notebooks, project.results, project.results / "fingerprints"):
        for leftover in folder.glob(f"*{SUFFIX}"):
            leftover.unlink()


def _fresh(path: Path) -> Path:
    return path.with_name(path.name + SUFFIX)


def _journal(project: Project) -> Path:
    return project.build / "publish.journal"
