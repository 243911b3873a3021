"""Finds what was handed in and reads it, once. What was read is copied and its SHA-256 kept, and the copy is graded.

Whatever lies in a student's folder may be meant to do harm, its name included. Nothing is followed through a link.
"""

import hashlib
import os
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from checks import script
from checks.feedback import printable
from checks.script import LOGITS, SCRIPT
from course_lib.errors import CourseError
from course_lib.storage import atomic_file

MISSING = f"no {SCRIPT}"
LINKED = "is a hard link"
_LAST = 253_370_764_800  # the year 9999; a file may say that it is from a later one


@dataclass(frozen=True)
class Submission:
    """What was read of a folder.

    ``digest`` is the SHA-256 of all of it. ``refusal`` says why none of it is graded, and ``logits_problem`` why the
    logits are not; both are empty where there is no such reason. ``saved`` is the time of ``answers.py``.
    """

    digest: str
    refusal: str = ""
    logits_problem: str = ""
    saved: datetime | None = None


def find(arguments: Sequence[Path]) -> tuple[list[Path], list[str]]:
    """The folders to grade, sorted by name, and the names of other files that lie beside them.

    Each argument is a submission. One argument alone that holds no ``answers.py``, or several folders that do, is the
    folder of a class: each folder in it is a submission.

    Raises: CourseError where an argument is no folder, or there is nothing to grade.
    """
    folders = list(dict.fromkeys(map(absolute, arguments)))
    if not folders:
        raise CourseError("No folder is named: name those that were handed in, or the one that holds them all.")
    for folder in folders:
        if not folder.is_symlink() and not folder.is_dir():
            problem = "is not a folder: unpack it" if folder.exists() else "does not exist: look at its name"
            raise CourseError(f"{printable(str(folder))} {problem}.")
    left_out: list[str] = []
    if len(folders) == 1 and not folders[0].is_symlink() and not _is_submission(folders[0]):
        folders, left_out = _within(folders[0])
    return sorted(folders, key=lambda folder: (folder.name, folder)), left_out


def absolute(folder: Path) -> Path:
    """The same folder from the root on, with its own name, and no link resolved."""
    return Path(os.path.normpath(folder.absolute()))


def _within(parent: Path) -> tuple[list[Path], list[str]]:
    try:
        # A hidden folder is a tool's, such as .git, unless there are answers in it.
        paths = sorted(path for path in parent.iterdir() if path.name[0] != "." or _holds(path))
    except OSError as error:
        raise CourseError(f"{printable(str(parent))} cannot be opened ({error.strerror}).") from error
    folders = [path for path in paths if path.is_dir() or path.is_symlink()]
    if not folders:
        raise CourseError(f"There is no submission in {printable(str(parent))}: neither {SCRIPT} nor a folder.")
    # The roster may lie there, too.
    return folders, [shown(path.name) for path in paths if path not in folders and path.suffix != ".csv"]


def _is_submission(folder: Path) -> bool:
    """Whether a folder holds ``answers.py``, and not just because the file has strayed into the folder of a class."""
    return _holds(folder) and len(_inner(folder)) < 2


def _holds(folder: Path) -> bool:
    return os.path.lexists(folder / SCRIPT)


def read(folder: Path, copies: Path) -> Submission:
    """Read what a folder holds and put a copy into ``copies``, in a folder that is named by its digest.

    Returns: the submission; where it may not be graded, with its refusal, and without a copy.
    Raises: OSError where the copy cannot be written.
    """
    try:
        folder = _with_files(folder)
        if not _holds(folder):
            return Submission("", MISSING)
        content = {SCRIPT: _content(folder, SCRIPT)}
    except CourseError as error:
        return Submission("", f"refused: {error}")
    seconds = min(max(0, int(os.lstat(folder / SCRIPT).st_mtime)), _LAST)
    logits_problem = ""
    try:
        if os.path.lexists(folder / LOGITS):
            content[LOGITS] = _content(folder, LOGITS)
    except CourseError as error:
        logits_problem = str(error)
    hashes = [hashlib.sha256(part).digest() for part in (*content.values(), logits_problem.encode())]
    digest = hashlib.sha256(b"".join(hashes)).hexdigest()
    (copies / digest).mkdir(parents=True, exist_ok=True)
    for name, part in content.items():
        with atomic_file(copies / digest / name) as scratch:
            scratch.write_bytes(part)
    return Submission(digest, "", logits_problem, datetime.fromtimestamp(seconds, UTC))


def _content(folder: Path, name: str) -> bytes:
    """A file's bytes. Raises CourseError as :func:`script.read_file`, and where the file has other names elsewhere."""
    if os.lstat(folder / name).st_nlink > 1 and not (folder / name).is_dir():
        raise CourseError(f"{name} {LINKED}: it is one file with somebody else's. Put a copy of your own there.")
    return script.read_file(folder, name)


def _with_files(folder: Path) -> Path:
    """The folder, or the only one in it that has an ``answers.py`` where it has none itself, as archives often have it.

    Raises: CourseError where it is a link or cannot be opened.
    """
    if folder.is_symlink():
        raise CourseError("the folder is a link.")
    if _holds(folder):
        return folder
    inner = _inner(folder)
    return inner[0] if len(inner) == 1 else folder


def _inner(folder: Path) -> list[Path]:
    """The folders in it that hold ``answers.py``, but for hidden ones. Raises CourseError where it cannot be opened."""
    try:
        with os.scandir(folder) as entries:
            inner = [Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError as error:
        raise CourseError(f"the folder cannot be opened ({error.strerror}).") from error
    return [path for path in inner if path.name[0] != "." and _holds(path)]


def shown(name: str) -> str:
    """A name without control characters and not too long, for a message; a page has to escape it."""
    text = printable(name)
    return text if len(text) <= 60 else f"{text[:59]}…"


def stems(names: Sequence[tuple[str, Path]]) -> list[str]:
    """A file name, without ending, for each name and its folder: plain letters, no two alike, on any system.

    What is plain already stays as it is. Anything else becomes plain and gets eight digits of its SHA-256.
    """
    plain = [_plain(name) for name, _ in names]
    alike = [stem.casefold() for stem in plain]
    return [
        stem if alike.count(stem.casefold()) == 1 else f"{stem}-{_hash(os.fspath(folder))}"
        for stem, (_, folder) in zip(plain, names, strict=True)
    ]


def _plain(name: str) -> str:
    letters = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^A-Za-z0-9._-]+", "_", letters).strip("._-")[:48].rstrip("._-")
    return plain if plain and plain == name else f"{plain.replace('.', '_') or 'submission'}-{_hash(name)}"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
