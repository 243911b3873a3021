"""The guard of a release: proves that nothing secret is in it, neither in a file, nor in the wheel, nor in its history.

Secret are the reference, the model answers and every other file beside the master that is not handed out. Text is
compared as runs of words and signs, with plain names made equal, so that new names, line breaks and comments hide
nothing; archives, notebooks, base64 and compressed data are opened.
"""

import base64
import binascii
import hashlib
import io
import json
import keyword
import re
import subprocess
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from checks.script import cells_of
from course_lib.errors import CourseError
from course_tools.grading import own_git

CANARY = re.compile(r"canary-[0-9a-f]{16}")
_RUN = 8  # signs or words in a row that are compared at once; a shorter sentence tells nothing
_SHARE = 0.5  # of a function's runs may stand elsewhere by chance; a test says how much the library has of each
_DEPTH = 4  # archives within archives
_NOTHING = "nothing was released."
_SIGN = re.compile(r"[A-Za-z_]\w*|\d+(?:\.\d+)?|[^\s\w]")
_BASE64 = re.compile(rb"[A-Za-z0-9+/\s\\n]{80,}={0,2}")
_KEPT = frozenset(keyword.kwlist)


Runs = frozenset[tuple[str, ...]]


@dataclass(frozen=True)
class Secret:
    """A piece that may not be found: a function of the reference by its signs, or a sentence by its words."""

    name: str
    runs: Runs
    of_words: bool
    share: float  # of its runs that may stand elsewhere by chance


@dataclass(frozen=True)
class Secrets:
    """All that a release may not hold."""

    pieces: Sequence[Secret]
    digests: frozenset[str]  # SHA-256 of whole files
    canaries: frozenset[bytes]

    @classmethod
    def beside(cls, master: Path, public: Sequence[str]) -> "Secrets":
        """What lies in the master's folder and is not public. Raises CourseError where a secret text has no canary."""
        handed_out = _signs("\n".join(cell.source for cell in cells_of((master / "answers.py").read_text("utf-8"))))
        pieces: list[Secret] = []
        digests, canaries = set(), set()
        for file in sorted(file for file in master.rglob("*") if file.is_file() and "__pycache__" not in file.parts):
            if file.relative_to(master).parts[0] in public:
                continue
            content = file.read_bytes()
            digests.add(hashlib.sha256(content).hexdigest())
            if file.suffix not in (".py", ".md"):
                continue
            text = content.decode()
            found = CANARY.findall(text)
            if not found:
                raise CourseError(
                    f"{file.name} has no canary: put a comment such as canary-{16 * '0'} of its own into it."
                )
            canaries.update(canary.encode() for canary in found)
            pieces += _functions(text, handed_out) if file.suffix == ".py" else _sentences(text)
        return cls(pieces, frozenset(digests), frozenset(canaries))


class Guard:
    """Looks into everything that is to be released. What it has looked into once it does not open again."""

    def __init__(self, secrets: Secrets):
        self.secrets = secrets
        self._cleared: set[str] = set()

    def check_files(self, folder: Path, expected: Sequence[str]) -> None:
        """Hold every file of a release against the secrets, and the list of files against what is expected.

        Args:
            folder: the release.
            expected: patterns of the files that belong into it, such as ``wheel/*.whl``; each fits one file.

        Raises: CourseError that names the file and what leaked.
        """
        found = [file for file in sorted(folder.rglob("*")) if file.relative_to(folder).parts[0] != ".git"]
        names = [file.relative_to(folder) for file in found if file.is_symlink() or not file.is_dir()]
        for name in names:
            fits = any(_fits(name.as_posix(), pattern) for pattern in expected)
            if (folder / name).is_symlink() or not fits:
                raise CourseError(f"The release holds {name}, which does not belong there: {_NOTHING}")
        if len(names) != len(expected):
            raise CourseError(f"The release should hold {len(expected)} files and holds {len(names)}: {_NOTHING}")
        for name in names:
            self._refuse(str(name), (folder / name).read_bytes())

    def check_history(self, folder: Path) -> None:
        """A release has one commit, nothing unreachable, no remote, no hook; and no object tells a secret.

        Raises: CourseError that says what is wrong.
        """

        def run(*words: str) -> bytes:
            words = ("git", "-C", str(folder), *words)
            return subprocess.run(words, check=True, capture_output=True, env=own_git.environment()).stdout

        def git(*words: str) -> str:
            return run(*words).decode().strip()

        wrong = [
            (git("rev-list", "--all", "--count") != "1", "has more than one commit"),
            (len(git("for-each-ref").splitlines()) != 1, "has more than one branch or tag"),
            (git("remote") != "", "has a remote"),
            ((folder / ".git" / "objects" / "info" / "alternates").exists(), "borrows objects of another repository"),
            (any((folder / ".git" / "hooks").glob("*")), "has hooks"),
            (
                git("fsck", "--unreachable", "--no-reflogs", "--full", "--no-progress") != "",
                "holds objects of no commit",
            ),
            (git("status", "--porcelain", "--ignored") != "", "holds files that are not committed"),
        ]
        for is_wrong, what in wrong:
            if is_wrong:
                raise CourseError(f"The release's repository {what}: {_NOTHING}")
        for line in git("cat-file", "--batch-all-objects", "--batch-check").splitlines():
            name, kind, _ = line.split()
            self._refuse(f"{kind} {name[:8]} of the history", run("cat-file", kind, name))

    def _refuse(self, name: str, content: bytes) -> None:
        for where, part in _opened(name, content, _DEPTH):
            digest = hashlib.sha256(part).hexdigest()
            if digest in self._cleared:
                continue
            if digest in self.secrets.digests:
                raise CourseError(f"{where} is a secret file: {_NOTHING}")
            if any(canary in part for canary in self.secrets.canaries):
                raise CourseError(f"{where} holds a secret file's canary: {_NOTHING}")
            text = _text(part)
            for secret in secrets_in(text, self.secrets.pieces) if text else ():
                raise CourseError(f"{where} tells {secret.name}: {_NOTHING}")
            self._cleared.add(digest)


def _fits(name: str, pattern: str) -> bool:
    return fnmatchcase(name, pattern) and name.count("/") == pattern.count("/")


def secrets_in(text: str, pieces: Sequence[Secret]) -> Iterator[Secret]:
    """The pieces that a text tells."""
    signs, words = _signs(text), _words(text)
    for piece in pieces:
        found = len(piece.runs & (words if piece.of_words else signs))
        if found > piece.share * len(piece.runs):
            yield piece


def _opened(name: str, content: bytes, depth: int) -> Iterator[tuple[str, bytes]]:
    """The content, and whatever is packed in it."""
    yield name, content
    if not depth:
        return
    if content[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for member in archive.namelist():
                yield from _opened(f"{name}, {member}", archive.read(member), depth - 1)
        return
    if content[:2] in (b"\x1f\x8b", b"\x78\x01", b"\x78\x9c", b"\x78\xda"):
        try:
            yield from _opened(f"{name}, unpacked", zlib.decompress(content, wbits=47), depth - 1)
        except zlib.error:
            return
    for run in _BASE64.findall(content):
        try:
            plain = base64.b64decode(re.sub(rb"\s|\\n", b"", run), validate=True)
        except binascii.Error:
            continue
        yield from _opened(f"{name}, base64", plain, depth - 1)


def _text(content: bytes) -> str | None:
    if b"\x00" in content[:4096]:
        return None
    text = content.decode("utf-8", errors="replace")
    if not text.lstrip().startswith("{"):
        return text
    try:  # JSON hides quotes and line ends
        return "\n".join(_strings(json.loads(text)))
    except (ValueError, RecursionError):
        return text


def _strings(value) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        if value and all(isinstance(one, str) for one in value):  # a notebook's source, line by line
            yield "".join(value)
        else:
            for one in value:
                yield from _strings(one)
    elif isinstance(value, dict):
        for one in value.values():
            yield from _strings(one)


def _signs(text: str) -> Runs:
    """All runs of signs. Comments go; a plain name is any name, the name behind a dot is itself."""
    signs: list[str] = []
    for sign in _SIGN.findall(re.sub(r"#.*", "", text)):
        plain = sign[0].isalpha() or sign[0] == "_"
        own = not plain or sign in _KEPT or (signs and signs[-1] == ".")
        signs.append(sign if own else "name")
    return _in_runs(signs)


def _words(text: str) -> Runs:
    return _in_runs(re.findall(r"\w+", text.lower()))


def _in_runs(signs: Sequence[str]) -> Runs:
    return frozenset(tuple(signs[at : at + _RUN]) for at in range(len(signs) - _RUN + 1))


def _functions(text: str, handed_out: Runs) -> Iterator[Secret]:
    """The functions of the answer cells, and the sentences of answers in words."""
    for cell in cells_of(text):
        for block in re.split(r"(?m)^(?=def |class |[A-Z_]+ = )", cell.source):
            runs, name = _signs(block) - handed_out, re.match(r"(?:def |class )?(\w+)", block)
            if '= """' in block.partition("\n")[0]:
                yield from _sentences(block)
            elif len(runs) > 2 * _RUN and name:
                yield Secret(f"the reference's {name[1]}", runs, of_words=False, share=_SHARE)


def _sentences(text: str) -> Iterator[Secret]:
    for sentence in re.split(r"(?<=[.:?])\s+", re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)):
        runs = _words(sentence)
        if runs:
            start = " ".join(sentence.split()[:5])
            yield Secret(f"the answer in words “{start} …”", runs, of_words=True, share=_SHARE)
