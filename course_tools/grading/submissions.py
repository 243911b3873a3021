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
from itertools import islice
from pathlib import Path

from checks import script
from checks.script import LOGITS, NOTEBOOK, SCRIPT
from course_lib.errors import CourseError, printable
from course_lib.storage import atomic_file
from course_tools.grading.tables import listed

MISSING = f"no {SCRIPT}"
# What browsers, learning platforms and file managers make of the names.
_LIKE = {
    SCRIPT: re.compile(r".*answer.*\.py(\.txt)?"),
    NOTEBOOK: re.compile(r".*answer.*\.ipynb(\.txt|\.json)?"),
    LOGITS: re.compile(r".*logits.*\.safetensors(\.txt)?"),
}
_DEEPEST, _MOST = 5, 2_000  # folders, each in the one before, and files, that are searched
LINKED = "is a hard link"
_LAST = 253_370_764_800  # the year 9999; a file may say that it is from a later one


@dataclass(frozen=True)
class Submission:
    """What was read of a folder.

    ``digest`` is the SHA-256 of all of it. ``refusal`` says why none of it is graded, and ``logits_problem`` why the
    logits are not; both are empty where there is no such reason. ``saved`` is the time of what was graded. ``note``
    says which file that is, where it is not the only one or has another name than ``answers.py``.
    """

    digest: str
    refusal: str = ""
    logits_problem: str = ""
    saved: datetime | None = None
    note: str = ""


def find(arguments: Sequence[Path]) -> tuple[list[Path], list[str]]:
    """The folders to grade, sorted by name, and the names of other files that lie beside them.

    Each argument is a submission. One argument alone that holds no answers itself, or several folders that do, is the
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
        paths = sorted(path for path in parent.iterdir() if not _is_a_systems(path.name) or _holds(path))
    except OSError as error:
        raise CourseError(f"{printable(str(parent))} cannot be opened ({error.strerror}).") from error
    folders = [path for path in paths if path.is_dir() or path.is_symlink()]
    if not folders:
        files = f", but {listed([shown(path.name) for path in paths])}" if paths else ""
        raise CourseError(
            f"There is no submission in {printable(str(parent))}: neither {SCRIPT} nor a folder{files}. Put each "
            "student's files into a folder of their own."
        )
    # The roster may lie there, too.
    return folders, [shown(path.name) for path in paths if path not in folders and path.suffix != ".csv"]


def _holds(folder: Path) -> bool:
    return os.path.lexists(folder / SCRIPT)


def _is_submission(folder: Path) -> bool:
    """Whether one student's answers lie in it, and not a class's, beside a file that has strayed."""
    try:
        found = [file for file in _files(folder) if _is_like(file, SCRIPT) or _is_like(file, NOTEBOOK)]
    except CourseError:
        return False
    if _holds(folder):
        return sum(file.name == SCRIPT and file.parent.parent == folder for file in found) < 2
    scripts = [file for file in found if _is_like(file, SCRIPT)]
    return len(scripts or found) == 1 and all(file.parent == folder for file in found)


def read(folder: Path, copies: Path) -> Submission:
    """Read what a folder holds and put a copy into ``copies``, in a folder that is named by its digest.

    The answers and the logits may have other names, and lie in folders within, where there is just one such file. Of
    answers in a script and a notebook, the script is graded. A copy has the usual names.

    Returns: the submission; where it may not be graded, with its refusal, and without a copy.
    Raises: OSError where the copy cannot be written.
    """
    try:
        if folder.is_symlink():
            raise CourseError("the folder is a link.")
        files = _files(folder)
        graded = _find(files, folder, SCRIPT) or _find(files, folder, NOTEBOOK)
        if not graded:
            return Submission("", f"{MISSING}: there is only {_named(files, folder)}" if files else MISSING)
        content = {SCRIPT: _content(graded)}
    except CourseError as error:
        return Submission("", f"refused: {error}")
    seconds = min(max(0, int(os.lstat(graded).st_mtime)), _LAST)
    logits_problem = ""
    try:
        if file := _find(files, graded.parent, LOGITS):
            content[LOGITS] = _content(file)
    except CourseError as error:
        logits_problem = str(error)
    hashes = [hashlib.sha256(part).digest() for part in (*content.values(), logits_problem.encode())]
    digest = hashlib.sha256(b"".join(hashes)).hexdigest()
    (copies / digest).mkdir(parents=True, exist_ok=True)
    for name, part in content.items():
        with atomic_file(copies / digest / name) as scratch:
            scratch.write_bytes(part)
    others = [file for file in files if file != graded and (_is_like(file, SCRIPT) or _is_like(file, NOTEBOOK))]
    note = "" if graded == folder / SCRIPT and not others else f"graded: {_named([graded], folder)}"
    if _is_like(graded, NOTEBOOK):
        note += f", as there is no {SCRIPT}; where a hint names a line, it is one of a cell"
    note += f"; not graded: {_named(others, folder)}" if others else ""
    return Submission(digest, "", logits_problem, datetime.fromtimestamp(seconds, UTC), note)


def _content(file: Path) -> bytes:
    """A file's bytes. Raises CourseError as :func:`script.read_file`, and where the file has other names elsewhere."""
    if os.lstat(file).st_nlink > 1 and not file.is_dir():
        raise CourseError(f"{file.name} {LINKED}: it is one file with somebody else's. Put a copy of your own there.")
    return script.read_file(file.parent, file.name)


def _files(folder: Path) -> list[Path]:
    """What lies in a folder and in those within it, the nearest first, but for what a system keeps there.

    Raises: CourseError where the folder cannot be opened.
    """
    files: list[Path] = []
    level = [folder]
    for _ in range(_DEEPEST):
        below: list[Path] = []
        for place in level:
            try:
                with os.scandir(place) as entries:
                    found = sorted(islice(entries, _MOST), key=lambda entry: entry.name)
            except OSError as error:
                if place == folder:
                    raise CourseError(f"the folder cannot be opened ({error.strerror}).") from error
                continue
            for entry in found:
                if not _is_a_systems(entry.name):
                    (below if entry.is_dir(follow_symlinks=False) else files).append(Path(entry.path))
            if len(files) + len(below) > _MOST:
                return files
        level = below
    return files


def _find(files: Sequence[Path], folder: Path, name: str) -> Path | None:
    """The file of this name: that in the folder, else the only one, else the only one with a name like it; or None.

    Raises: CourseError where it could be several.
    """
    same = [file for file in files if file.name == name]
    for pool in ([folder / name] * (folder / name in same), same, [file for file in files if _is_like(file, name)]):
        if len(pool) > 1:
            raise CourseError(f"several files could be {name}: {_named(pool, folder)}. Leave one of them there.")
        if pool:
            return pool[0]
    return None


def _is_like(file: Path, name: str) -> bool:
    return _LIKE[name].fullmatch(unicodedata.normalize("NFKC", file.name).casefold()) is not None


def _is_a_systems(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"


def _named(files: Sequence[Path], folder: Path) -> str:
    return listed([shown(os.path.relpath(file, folder)) for file in files])


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
