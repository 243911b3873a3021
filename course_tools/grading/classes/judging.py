"""One submission's marks. This runs in processes side by side, and each knows the questions and the right replies.

So no student's code runs here. It runs in workers, which come from what a process opens once for all its submissions.
"""

import functools
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from checks import logits, marking, script
from checks.feedback import printable
from checks.marking import Asked, Runner
from checks.process import Worker, WorkerGone
from checks.tasks import PARTS, Question
from course_lib.errors import CourseError
from course_tools.grading import release
from course_tools.grading.walls.sandboxed import Zygote

_BY_PERSON = frozenset(key for key, part in PARTS.items() if part.by_person)
_LONGEST = 10_000  # characters of an answer in words that are kept

# What is called once in each process, and gives what starts a runner.
Opener = Callable[[], Callable[[], Runner]]


def sandbox() -> Callable[[], Runner]:
    """Runners that keep a student's code apart."""
    return Zygote().runner  # it ends with this process, when its socket is closed


def trust() -> Callable[[], Runner]:
    """Runners that keep nothing apart: a student's code may do what this user may do."""
    return Worker


@dataclass(frozen=True)
class Bench:
    """What all submissions of one run have in common."""

    master: Path
    seed: int
    version: str
    opener: Opener

    @property
    def is_trusting(self) -> bool:
        """Whether a student's code is kept apart from nothing."""
        return self.opener is trust


@dataclass(frozen=True)
class Job:
    """One submission to be judged: under which name its marks are kept, where its copy lies, which parts it is about.

    No parts are all of them. ``logits_problem`` says why there is no copy of its logits.
    """

    name: str
    copy: Path
    logits_problem: str = ""
    parts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Marks:
    """What came out, as plain text and numbers.

    ``hints`` has every part's by its key, None where it is right. ``texts`` are the answers that a person marks.
    ``late`` are parts that took too long, and ``tried_again`` says that they had their second chance. ``refusal`` says
    why nothing was run, and ``failure`` why nothing could be, for no fault of the student's.
    """

    hints: dict[str, str | None] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    late: tuple[str, ...] = ()
    tried_again: bool = False
    refusal: str = ""
    failure: str = ""

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "Marks":
        """What :func:`dataclasses.asdict` made of marks. Raises TypeError, KeyError or ValueError for anything else."""
        marks = cls(**{**data, "late": tuple(data["late"])})
        if not marks.refusal and set(marks.hints) != set(PARTS):
            raise ValueError("not every part has its mark")
        return marks


def ready(bench: Bench) -> None:
    """Open what this process runs students' code in. Raises CourseError where there is no sandbox to be had."""
    _runners(bench.opener)().load("", 1, marking.LOADING)


def judge(bench: Bench, job: Job) -> tuple[str, Marks]:
    """The marks of one submission, under its name. Whatever goes wrong goes wrong for this one alone."""
    try:
        return job.name, _judge(bench, job)
    except Exception as error:
        said = str(error) if isinstance(error, CourseError) else f"{type(error).__name__}: {error}"
        return job.name, Marks(failure=printable(" ".join(said.split()))[:300])


def _judge(bench: Bench, job: Job) -> Marks:
    try:
        cells = script.read_script(job.copy)
    except CourseError as error:
        return Marks(refusal=f"refused: {error}")
    handed_in = logits.handed_in(job.copy)
    if job.logits_problem:
        handed_in = {"logits": None, "logits_problem": job.logits_problem}
    asked = _asked(bench.master, bench.seed, bench.version)
    if job.parts:
        asked = {key: asked[key] for key in job.parts}
    seen = _Seen()
    start = functools.partial(_Watched, _runners(bench.opener), seen)
    verdicts = list(marking.mark(cells, asked, start, handed_in, _seed_of_workers(bench.seed)))
    hints = {verdict.part.key: verdict.hint and printable(verdict.hint) for verdict in verdicts}
    late = [key for key, hint in hints.items() if key in seen.late or (hint and seen.a_cell_was_late)]
    return Marks(hints, seen.texts, tuple(late))


def merged(marks: Marks, again: Marks) -> Marks:
    """Marks with those of a second try in the place of the late ones."""
    if again.failure or again.refusal:
        return marks
    return replace(again, hints=marks.hints | again.hints, texts=marks.texts | again.texts, tried_again=True)


@functools.cache
def _asked(master: Path, seed: int, version: str) -> dict[str, Asked]:
    return marking.ask(release.reference_of(master), seed)


@functools.cache
def _runners(opener: Opener) -> Callable[[], Runner]:
    import torch

    torch.set_num_threads(1)  # there is a process a core
    return opener()


def _seed_of_workers(seed: int) -> int:
    """The seed of torch's generator in workers. It differs from that of the questions, for a student's code sees it."""
    return int.from_bytes(hashlib.sha256(f"workers {seed}".encode()).digest()[:6], "big")


@dataclass
class _Seen:
    """What a verdict does not tell: what took too long, and what a person has to read."""

    late: set[str] = field(default_factory=set)
    texts: dict[str, str] = field(default_factory=dict)
    a_cell_was_late: bool = False


class _Watched:
    """A runner, and somebody who writes down what comes of it."""

    def __init__(self, start: Callable[[], Runner], seen: _Seen):
        self._runner, self._seen = start(), seen

    def load(self, source: str, line: int, seconds: float) -> dict[str, Any] | None:
        try:
            return self._runner.load(source, line, seconds)
        except WorkerGone as gone:
            self._seen.a_cell_was_late |= gone.timed_out
            raise

    def answer(self, key: str, questions: list[Question], seed: int, seconds: float) -> list[dict[str, Any]]:
        try:
            replies = self._runner.answer(key, questions, seed, seconds)
        except WorkerGone as gone:
            if gone.timed_out:
                self._seen.late.add(key)
            raise
        if key in _BY_PERSON and (text := _text(replies)):
            self._seen.texts[key] = text
        return replies

    def stop(self) -> None:
        self._runner.stop()


def _text(replies: Any) -> str:
    """An answer in words, out of replies that could be anything, without what cannot be printed."""
    first = replies[0] if isinstance(replies, list) and replies else None
    value = first.get("value") if isinstance(first, dict) else None
    if not isinstance(value, str):
        return ""
    lines = (printable(" ".join(line.split())) for line in value[:_LONGEST].strip().splitlines())
    return "\n".join(lines)
