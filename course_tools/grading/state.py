"""What a grading run keeps beside ``grades.csv``: its seed, copies of what was handed in, marks, and the class so far.

For ``grades.csv`` all of it lies in the folder ``grades``. The part ``state`` is private: it holds the seed.
"""

import contextlib
import hashlib
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import filelock
import torch

import course_lib
from checks import marking
from course_lib.errors import CourseError
from course_lib.storage import atomic_file, is_disk_error
from course_tools.grading.judge import Exam, Marks
from course_tools.grading.rubric import Given


@dataclass(frozen=True)
class Entry:
    """One row of the class, apart from its marks.

    ``id`` is what tables call it, ``stem`` its file's name and ``code`` what a marker sees of it. ``student`` is whose
    it is, ``name`` and ``folder`` where it lay, ``also`` what else is from the same student. ``digest`` and ``version``
    are of what was graded, and by what; ``marks`` is the name under which its marks are kept. ``refusal`` and
    ``failure`` say why there are none: the first is the student's doing and costs all points, the second is not.
    ``total`` is what came out, None for nothing. ``note`` is that of the submission.
    """

    id: str
    stem: str
    code: str
    student: str
    name: str
    folder: str
    digest: str = ""
    version: str = ""
    marks: str = ""
    refusal: str = ""
    failure: str = ""
    handed_in: str = ""
    time_from: str = ""
    late: bool = False
    also: tuple[str, ...] = ()
    total: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Register:
    """The class as it was graded last: its rows in order; what persons gave, by a row's stem; and the deadline.

    ``history`` is how many lines ``history.csv`` had then; None where that was not kept: all are.
    """

    entries: list[Entry] = field(default_factory=list)
    given: dict[str, Given] = field(default_factory=dict)
    deadline: str = ""
    history: int | None = None


class State:
    """The folder beside ``grades.csv``. Use it as :func:`opened` hands it out, so that nobody else writes there."""

    def __init__(self, out: Path):
        self.out = out
        self.folder = out.with_suffix("")
        self.private = self.folder / "state"
        self.copies = self.private / "submissions"
        self._marks = self.private / "marks"

    def seed(self, wanted: int | None) -> int:
        """The run's seed: the one that it began with, else the wanted one, else a fresh one of the operating system.

        Raises: CourseError where another one is wanted than the run began with.
        """
        file = self.private / "seed.json"
        kept = _read(file)
        seed = kept.get("seed") if isinstance(kept, dict) else None
        if file.exists() and not isinstance(seed, int):
            raise CourseError(f"{file} is damaged: put it back, or grade into another --out.")
        if seed is None:
            seed = secrets.randbits(62) if wanted is None else wanted
            _write(file, {"seed": seed})
        if wanted not in (None, seed):
            raise CourseError(f"{self.out.name} was begun with another seed: leave --seed out, or name another --out.")
        return seed

    def marks(self, name: str) -> Marks | None:
        """Marks that are kept; None where there are none, or their file is damaged."""
        try:
            return Marks.from_data(_read(self._marks / f"{name}.json"))
        except (TypeError, ValueError, KeyError, AttributeError):
            return None

    def keep(self, name: str, marks: Marks) -> None:
        """Keep marks, so that no later run has to find them again."""
        _write(self._marks / f"{name}.json", asdict(marks))

    def register(self) -> Register:
        """The class as it was graded last; an empty one where it was not. Raises CourseError where it is damaged."""
        file = self.private / "class.json"
        if not file.exists():
            return Register()
        try:
            data = _read(file)
            entries = [Entry(**{**entry, "also": tuple(entry["also"])}) for entry in data["entries"]]
            given = {stem: Given(**points) for stem, points in data["given"].items()}
            return Register(entries, given, data["deadline"], data.get("history"))
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            raise CourseError(
                f"{file}, with the points that you gave by hand, is damaged: bring it back from a backup; or move it "
                "away, and `course assignment grade` starts the class over."
            ) from error

    def write_register(self, register: Register) -> None:
        """Replace the class that is kept."""
        _write(self.private / "class.json", asdict(register))


@contextlib.contextmanager
def opened(out: Path) -> Iterator[State]:
    """Make the folder beside ``out``, and hand it out to one grading run at a time.

    Raises: CourseError where ``out`` is no CSV file's name, another run is at work, or the disk is full or read-only.
    """
    if out.suffix.casefold() != ".csv" or out.is_dir():
        raise CourseError(f"--out {out} is not a table's name: name a file that ends in .csv.")
    state = State(out.absolute())
    for folder in (state.folder, state.private, state.copies, state._marks):
        if folder.is_symlink():
            raise CourseError(f"{folder} is a link, and a grading run writes through none: name another --out.")
    try:
        state.private.mkdir(mode=0o700, parents=True, exist_ok=True)
        state.copies.mkdir(exist_ok=True)
        state._marks.mkdir(exist_ok=True)
        with filelock.FileLock(state.private / "lock", timeout=0):
            yield state
    except filelock.Timeout as error:
        raise CourseError(f"Another grading run writes to {state.folder} now: wait for it.") from error
    except OSError as error:
        if not is_disk_error(error):
            raise
        raise CourseError(
            f"{error.filename or state.folder} cannot be written ({error.strerror}). Make room, or name another --out. "
            "What was graded is kept: the same command goes on from there."
        ) from error


def version_of(reference: Path) -> str:
    """A digest over all that decides a mark besides the answers and the seed: the grader, the reference, torch."""
    library = Path(course_lib.__file__).parent
    folders = [Path(marking.__file__).parent, *(library / name for name in ("analysis", "data", "models"))]
    files = [file for folder in folders for file in folder.rglob("*") if file.suffix in (".py", ".safetensors")]
    whole = hashlib.sha256(torch.__version__.encode())
    for file in (*sorted(files), reference, *sorted(reference.parent.glob("*.safetensors"))):
        whole.update(hashlib.sha256(file.read_bytes()).digest())
    return whole.hexdigest()[:16]


def name_of_marks(digest: str, exam: Exam) -> str:
    """Under which name the marks of one submission are kept: another one for anything that could change them."""
    parts = [digest, exam.seed, exam.version, exam.trusted]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _read(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None


def _write(file: Path, content: Mapping[str, Any]) -> None:
    with atomic_file(file) as scratch:
        descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
            json.dump(content, opened, indent=1)
