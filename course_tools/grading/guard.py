"""Refuses a release that holds something secret.

Secret is every file beside the assignment that students do not get. Each secret text has a canary of its own, a comment
such as ``canary-0123456789abcdef``, by which a copy is recognised also where it was changed or pasted elsewhere.
"""

import hashlib
import re
import zipfile
from collections.abc import Collection, Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from course_lib.errors import CourseError

_CANARY = re.compile(rb"canary-[0-9a-f]{16}")


def check(release: Path, expected: Sequence[str], master: Path, public: Collection[str]) -> None:
    """Check every file of a release, and each file in its wheel.

    Args:
        release: the folder of the release.
        expected: patterns of the files that belong into it, such as ``wheel/*.whl``; each fits one file.
        master: the folder of the assignment.
        public: what students get of it, as names of files and folders.

    Raises: CourseError that names the file and what is wrong with it, or a secret text that has no canary.
    """
    digests, canaries = _secrets_of(master, public)
    files = [file for file in sorted(release.rglob("*")) if file.is_symlink() or file.is_file()]
    names = [file.relative_to(release).as_posix() for file in files]
    for file, name in zip(files, names, strict=True):
        if file.is_symlink() or not any(_fits(name, pattern) for pattern in expected):
            raise _refusal(f"The release holds {name}, which does not belong there")
    for pattern in expected:
        count = sum(_fits(name, pattern) for name in names)
        if count != 1:
            raise _refusal(f"The release should hold one {pattern} and holds {count}")
    for file, name in zip(files, names, strict=True):
        for part, content in _contents(file, name):
            if hashlib.sha256(content).hexdigest() in digests:
                raise _refusal(f"{part} is a secret file")
            if canaries.intersection(_CANARY.findall(content)):
                raise _refusal(f"{part} holds a secret file's canary")


def _secrets_of(master: Path, public: Collection[str]) -> tuple[set[str], set[bytes]]:
    """The SHA-256 of each secret file, and the canaries in them."""
    digests, canaries = set(), set()
    for file in sorted(master.rglob("*")):
        if file.relative_to(master).parts[0] in public or not file.is_file() or file.suffix == ".pyc":
            continue
        content = file.read_bytes()
        digests.add(hashlib.sha256(content).hexdigest())
        if file.suffix in (".py", ".md"):
            if not _CANARY.search(content):
                raise CourseError(f"{file.name} has no canary: put a comment such as canary-{16 * '0'} into it.")
            canaries.update(_CANARY.findall(content))
    return digests, canaries


def _contents(file: Path, name: str) -> Iterator[tuple[str, bytes]]:
    yield name, file.read_bytes()
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as archive:
            yield from ((f"{name}, {member}", archive.read(member)) for member in archive.namelist())


def _fits(name: str, pattern: str) -> bool:
    return fnmatchcase(name, pattern) and name.count("/") == pattern.count("/")


def _refusal(problem: str) -> CourseError:
    return CourseError(f"{problem}: nothing was released.")
