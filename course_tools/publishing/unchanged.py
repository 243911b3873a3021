"""Whether the built site shows today's files already: then there is nothing to stage and nothing to build."""

import hashlib
import os
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from course_tools.publishing.project import Project


def state(project: Project, profile: str | None) -> str:
    """A digest of the names, sizes and times of all files that the site may depend on.

    They are the checkout's own, the runs in ``profile``, fingerprints of today's library, and the installed packages.
    """
    digest = hashlib.sha256(f"{profile}\n".encode())
    for file in _files(project, profile):
        about = file.stat()
        digest.update(f"{file} {about.st_size} {about.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def is_built(project: Project, state: str) -> bool:
    """Whether the site was built from files in this state."""
    file = _file(project)
    return (project.html / "index.html").is_file() and file.is_file() and file.read_text(encoding="utf-8") == state


def keep(project: Project, state: str) -> None:
    """Note the state of the files that the site was built from."""
    _file(project).write_text(state, encoding="utf-8")


def _file(project: Project) -> Path:
    return project.build / "site.state"


def _files(project: Project, profile: str | None) -> Iterator[Path]:
    for folder, below, names in os.walk(project.root):
        below[:] = sorted(name for name in below if not name.startswith((".", "_build", "__pycache__")))
        yield from (Path(folder, name) for name in sorted(names))
    yield from sorted((project.build / "fingerprints").glob("*.json"))
    if profile is not None:
        yield from sorted(file for file in project.run_folder(profile).glob("*") if file.is_file())
    yield Path(sysconfig.get_path("purelib"))  # its time is that of the last package that came or went
