"""Finds what was handed in and reads it, once. What was read is copied and its SHA-256 kept, and the copy is graded.

Whatever lies in a student's folder may be meant to do harm, its name included. Nothing is followed through a link.
"""

import hashlib
import os
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from checks import script
from checks.feedback import printable
from checks.script import LOGITS, SCRIPT
from course_lib.errors import CourseError
from course_lib.storage import atomic_file
from course_tools.grading.classes import handing_in

MISSING = f"no {SCRIPT}"
_WINDOWS = {"con", "prn", "aux", "nul", *(f"{kind}{i}" for kind in ("com", "lpt") for i in range(10))}


@dataclass(frozen=True)
class Place:
    """A folder that was handed in, and what it is called."""

    name: str
    folder: Path


@dataclass(frozen=True)
class Submission:
    """What was read of a folder.

    ``digest`` is the SHA-256 of all of it. ``refusal`` says why none of it is graded, and ``logits_problem`` why the
    logits are not; both are empty where there is nothing to say.
    """

    digest: str
    refusal: str = ""
    logits_problem: str = ""
    handed_in: handing_in.Time | None = None


def find(arguments: Sequence[Path]) -> tuple[list[Place], list[str]]:
    """The folders to grade, sorted by name, and the names of what lies beside them and is no folder.

    Each argument is a submission. One argument alone that holds no ``answers.py`` is the folder of a class: each folder
    in it is a submission.

    Raises: CourseError where an argument is no folder, or there is nothing to grade.
    """
    folders = list(dict.fromkeys(map(absolute, arguments)))
    if not folders:
        raise CourseError("No folder is named: name those that were handed in, or the one that holds them all.")
    for folder in folders:
        if not folder.is_symlink() and not folder.is_dir():
            what = "is no folder: unpack it, or leave it out" if folder.exists() else "does not exist: look at its name"
            raise CourseError(f"{printable(str(folder))} {what}.")
    left_out: list[str] = []
    if len(folders) == 1 and not folders[0].is_symlink() and not _holds(folders[0]):
        folders, left_out = _within(folders[0])
    places = [Place(folder.name, folder) for folder in folders]
    return sorted(places, key=lambda place: (place.name, place.folder)), left_out


def absolute(folder: Path) -> Path:
    """The same folder from the root on, with its own name, and no link resolved."""
    return Path(os.path.normpath(folder.absolute()))


def _within(parent: Path) -> tuple[list[Path], list[str]]:
    try:
        # A hidden folder is a tool's, such as .git, unless there are answers in it.
        names = sorted(one.name for one in parent.iterdir() if one.name[0] != "." or _holds(one))
    except OSError as error:
        raise CourseError(f"{printable(str(parent))} cannot be opened ({error.strerror}).") from error
    folders = [parent / name for name in names if (parent / name).is_dir() or (parent / name).is_symlink()]
    if not folders:
        raise CourseError(f"There is no submission in {printable(str(parent))}: neither {SCRIPT} nor a folder.")
    others = [shown(name) for name in names if parent / name not in folders]
    return folders, [name for name in others if not name.endswith(".csv")]  # the roster may lie there


def _holds(folder: Path) -> bool:
    return os.path.lexists(folder / SCRIPT)


def read(folder: Path, shelf: Path) -> Submission:
    """Read what a folder holds and put a copy into ``shelf``, in a folder that is named by its digest.

    Returns: the submission; where it may not be graded, with its refusal, and without a copy.
    Raises: OSError where the copy cannot be written.
    """
    try:
        folder = _with_files(folder)
        if not _holds(folder):
            return Submission("", MISSING)
        content = {SCRIPT: script.read_file(folder, SCRIPT)}
    except CourseError as error:
        return Submission("", f"refused: {error}")
    handed_in = handing_in.time_of(folder, content[SCRIPT])
    logits_problem = ""
    try:
        if os.path.lexists(folder / LOGITS):
            content[LOGITS] = script.read_file(folder, LOGITS)
    except CourseError as error:
        logits_problem = str(error)
    digest = _digest([*content.values(), logits_problem.encode()])
    for name, one in content.items():
        _put(shelf / digest / name, one)
    return Submission(digest, "", logits_problem, handed_in)


def _with_files(folder: Path) -> Path:
    """The folder, or the only one in it that has an ``answers.py`` where it has none itself, as archives often have it.

    Raises: CourseError where it is a link or cannot be opened.
    """
    if folder.is_symlink():
        raise CourseError("the folder is a link.")
    if _holds(folder):
        return folder
    try:
        with os.scandir(folder) as entries:
            inner = [Path(one.path) for one in entries if one.is_dir(follow_symlinks=False) and one.name[0] != "."]
    except OSError as error:
        raise CourseError(f"the folder cannot be opened ({error.strerror}).") from error
    inner = [one for one in inner if _holds(one)]
    return inner[0] if len(inner) == 1 else folder


def _put(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(file) as scratch:
        scratch.write_bytes(content)


def _digest(parts: Iterable[bytes]) -> str:
    whole = hashlib.sha256()
    for part in parts:
        whole.update(hashlib.sha256(part).digest())
    return whole.hexdigest()


def shown(name: str) -> str:
    """A name as it may stand in a message or on a page, which has to escape it."""
    text = printable(name)
    return text if len(text) <= 60 else f"{text[:59]}…"


def stems(names: Sequence[tuple[str, Path]]) -> list[str]:
    """A file name, without ending, for each name and its folder: plain letters, no two alike, on any system.

    What is plain already stays as it is. Anything else becomes plain and gets eight digits of its SHA-256.
    """
    made = [_plain(name) for name, _ in names]
    alike = [one.casefold() for one in made]
    return [
        stem if alike.count(stem.casefold()) == 1 else f"{stem}-{_hash(os.fspath(folder))}"
        for stem, (_, folder) in zip(made, names, strict=True)
    ]


def _plain(name: str) -> str:
    letters = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^A-Za-z0-9._-]+", "_", letters).strip("._-")[:48].rstrip("._-")
    if plain and plain == name and plain.partition(".")[0].casefold() not in _WINDOWS:
        return plain
    return f"{plain.replace('.', '_') or 'submission'}-{_hash(name)}"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
