"""When something was handed in: by its commit, else by its file's time. Neither is proof: both can be set at will."""

import hashlib
import os
import re
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from checks.script import LOGITS, SCRIPT
from course_lib.errors import CourseError

_COMMIT = re.compile(r"[0-9a-f]{40}")
_BRANCH = re.compile(r"ref: (refs/heads/[\w./-]+)")
_SECONDS = 20  # for git, with a repository that somebody else made
_LAST = 253_370_764_800  # the year 9999; a file may say that it is from a later one
_LARGEST = 2**20  # bytes of a file that names branches


@dataclass(frozen=True)
class Time:
    """A moment, and where it was read: ``git``, ``file`` or ``roster``."""

    when: datetime
    source: str


def moment(text: str, what: str) -> datetime:
    """A time with its zone, such as ``2026-06-30T23:59+02:00``. Raises CourseError, naming ``what``, for any other."""
    example = "write it as 2026-06-30T23:59+02:00, or with Z for UTC"
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise CourseError(f"{what} is {text[:40]!r}, which is no time: {example}.") from error
    if found.tzinfo is None:
        raise CourseError(f"{what} is {text[:40]!r}, which names no time zone: {example}.")
    return found


def time_of(folder: Path, script: bytes) -> Time:
    """When ``answers.py`` was handed in: its last commit where the folder's own repository holds just these bytes."""
    committed = _committed(folder, script)
    if committed:
        return Time(committed, "git")
    seconds = min(max(0, int(os.lstat(folder / SCRIPT).st_mtime)), _LAST)
    return Time(datetime.fromtimestamp(seconds, UTC), "file")


def _committed(folder: Path, script: bytes) -> datetime | None:
    """The time of the last commit of what is handed in.

    A student's repository can hold settings that run programs. So git never sees it: it reads the objects alone,
    through an empty repository of ours, and which commit is the newest is read here.
    """
    repository = folder / ".git"
    objects = repository / "objects"
    if not shutil.which("git") or not _is_plain(repository) or not _is_plain(objects) or _leads_elsewhere(objects):
        return None
    commit = _newest(repository)
    if not commit:
        return None
    blob = hashlib.sha1(b"blob %d\0" % len(script) + script, usedforsecurity=False).hexdigest()
    try:
        with tempfile.TemporaryDirectory() as ours:
            _git(ours, objects, "init", "--quiet", "--bare", "--template=", ours)
            if _git(ours, objects, "rev-parse", f"{commit}:{SCRIPT}") != blob:
                return None
            return datetime.fromtimestamp(
                int(_git(ours, objects, "log", "-1", "--format=%ct", commit, "--", SCRIPT, LOGITS)), UTC
            )
    except (subprocess.SubprocessError, ValueError, OverflowError, OSError):
        return None


def _is_plain(folder: Path) -> bool:
    try:
        return stat.S_ISDIR(os.lstat(folder).st_mode)
    except OSError:
        return False


def _leads_elsewhere(objects: Path) -> bool:
    if os.path.lexists(objects / "info" / "alternates"):
        return True
    return any(Path(top, name).is_symlink() for top, *names in os.walk(objects) for name in (*names[0], *names[1]))


def _newest(repository: Path) -> str | None:
    """The commit that HEAD stands for."""
    head = _text(repository, "HEAD").strip()
    branch = _BRANCH.fullmatch(head)
    if branch and ".." not in branch[1]:
        packed = re.search(rf"(?m)^([0-9a-f]{{40}}) {re.escape(branch[1])}$", _text(repository, "packed-refs"))
        head = _text(repository, branch[1]).strip() or (packed[1] if packed else "")
    return head if _COMMIT.fullmatch(head) else None


def _text(repository: Path, name: str) -> str:
    """A small file of the repository; empty where there is none, or a link on the way to it."""
    file = repository / name
    try:
        if file.resolve() != repository.resolve() / name or not stat.S_ISREG(os.lstat(file).st_mode):
            return ""
        with file.open("rb") as opened:
            return opened.read(_LARGEST).decode("utf-8", "replace")
    except OSError:
        return ""


def _environment() -> dict[str, str]:
    """The environment without git's variables and without the user's settings of git."""
    alone = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return alone | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, "GIT_TERMINAL_PROMPT": "0"}


def _git(ours: str, objects: Path, *words: str) -> str:
    limits = {"GIT_OBJECT_DIRECTORY": str(objects), "GIT_ALLOC_LIMIT": "64m", "GIT_NO_REPLACE_OBJECTS": "1"}
    done = subprocess.run(
        ["git", f"--git-dir={ours}", "-c", "core.commitGraph=false", *words],
        cwd=ours,
        env=_environment() | limits,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
        timeout=_SECONDS,
    )
    return done.stdout.strip()
