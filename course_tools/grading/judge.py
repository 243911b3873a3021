"""The marks of submissions, found side by side. A process that judges holds the questions and the right replies.

So no student's code runs in it. That runs in a sandbox, which each such process opens once for all its submissions.
"""

import functools
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from joblib import Parallel, delayed
from tqdm import tqdm

from checks import logits, marking, script
from checks.feedback import printable
from checks.marking import Asked, Runner
from checks.process import Worker, WorkerGone
from checks.tasks import PARTS, Question
from course_lib.errors import CourseError
from course_tools.grading import release, sandbox
from course_tools.grading.sandbox import ForkServer

_LONGEST = 10_000  # characters of an answer in words that are kept
_DIED = "the process that judged it ended, perhaps because memory was short: try --jobs 1"


@dataclass(frozen=True)
class Exam:
    """What all submissions of one run have in common. ``trusted`` code runs with this user's rights, in no sandbox."""

    master: Path
    seed: int
    version: str
    trusted: bool = False


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


def judge_all(
    exam: Exam,
    jobs: Sequence[Job],
    known: Mapping[str, Marks],
    keep: Callable[[str, Marks], None],
    processes: int,
) -> dict[str, Marks]:
    """The marks of all jobs, by their names. What was too slow is tried once more, with nothing beside it.

    Args:
        exam: what the jobs have in common.
        jobs: each name once.
        known: marks of an earlier run, which are not found again.
        keep: is called with each job's marks as soon as they are found. Failures are no marks: they are not kept.
        processes: how many judge at a time.

    Raises: CourseError where there is no sandbox; whatever ``keep`` raises.
    """
    waiting = [job for job in jobs if job.name not in known]
    processes = max(1, min(processes, len(waiting)))
    if waiting and not exam.trusted:
        if processes == 1:  # the judge is this process: the sandbox that it opens is the one that it goes on with
            _fork_server().run({"cells": []}, marking.LOADING)
        else:
            sandbox.check()
    marks = dict(known)
    with tqdm(total=len(jobs), initial=len(known), desc="grading", unit="submission") as bar:
        for name, fresh in _judge_many(exam, waiting, processes):
            marks[name] = fresh
            if not fresh.failure:
                keep(name, fresh)
            bar.update()
        late = [job for job in jobs if marks[job.name].late and not marks[job.name].tried_again]
        bar.total += len(late)
        for job in late:
            first = marks[job.name]
            second = _judge_alone(exam, replace(job, parts=first.late), processes)
            if not second.failure:
                texts = first.texts | second.texts
                second = replace(second, hints=first.hints | second.hints, texts=texts, tried_again=True)
                marks[job.name] = second
                keep(job.name, second)
            bar.update()
    return marks


def _judge_many(exam: Exam, jobs: Sequence[Job], processes: int) -> Iterator[tuple[str, Marks]]:
    done: set[str] = set()
    try:
        for name, marks in _parallel(exam, jobs, processes):
            done.add(name)
            yield name, marks
    except BrokenExecutor:  # a judge's process died, and all others with it: the one that is to blame dies alone
        for job in jobs:
            if job.name not in done:
                yield job.name, _judge_alone(exam, job, processes)


def _judge_alone(exam: Exam, job: Job, processes: int) -> Marks:
    try:
        ((_, marks),) = _parallel(exam, [job], processes)
        return marks
    except BrokenExecutor:
        return Marks(failure=_DIED)


def _parallel(exam: Exam, jobs: Sequence[Job], processes: int) -> Iterator[tuple[str, Marks]]:
    workers = Parallel(n_jobs=processes, return_as="generator_unordered")
    return workers(delayed(judge)(exam, job) for job in jobs)


def judge(exam: Exam, job: Job) -> tuple[str, Marks]:
    """The marks of one submission, under its name. Whatever goes wrong goes wrong for this one alone."""
    try:
        return job.name, _judge(exam, job)
    except Exception as error:
        text = str(error) if isinstance(error, CourseError) else f"{type(error).__name__}: {error}"
        return job.name, Marks(failure=printable(" ".join(text.split()))[:300])


def _judge(exam: Exam, job: Job) -> Marks:
    torch.set_num_threads(1)  # there is a process a core
    try:
        cells = script.read_script(job.copy)
    except CourseError as error:
        return Marks(refusal=f"refused: {error}")
    handed_in = logits.handed_in(job.copy)
    if job.logits_problem:
        handed_in = {"logits": None, "logits_problem": job.logits_problem}
    asked = _asked(exam.master, exam.seed, exam.version)
    if job.parts:
        asked = {key: asked[key] for key in job.parts}
    log = _Log()
    start = functools.partial(_Logged, Worker if exam.trusted else _fork_server().runner, log)
    # Workers' seed of torch's generator differs from that of the questions, for a student's code sees it.
    seed = int.from_bytes(hashlib.sha256(f"workers {exam.seed}".encode()).digest()[:6], "big")
    hints = {
        verdict.part.key: verdict.hint and printable(verdict.hint)
        for verdict in marking.mark(cells, asked, start, handed_in, seed)
    }
    late = tuple(key for key, hint in hints.items() if key in log.late or (hint and log.a_cell_was_late))
    return Marks(hints, log.texts, late)


@functools.cache
def _asked(master: Path, seed: int, version: str) -> dict[str, Asked]:
    return marking.ask(release.reference_of(master), seed)


@functools.cache
def _fork_server() -> ForkServer:
    return ForkServer()  # its sandbox ends with this process


@dataclass
class _Log:
    """What a verdict does not have: which parts took too long, and what a person has to read."""

    late: set[str] = field(default_factory=set)
    texts: dict[str, str] = field(default_factory=dict)
    a_cell_was_late: bool = False


class _Logged:
    """A runner whose late and written answers go into a log."""

    def __init__(self, start: Callable[[], Runner], log: _Log):
        self._runner, self._log = start(), log

    def load(self, source: str, line: int, seconds: float) -> dict[str, Any] | None:
        try:
            return self._runner.load(source, line, seconds)
        except WorkerGone as gone:
            self._log.a_cell_was_late |= gone.timed_out
            raise

    def answer(self, key: str, questions: list[Question], seed: int, seconds: float) -> list[dict[str, Any]]:
        try:
            replies = self._runner.answer(key, questions, seed, seconds)
        except WorkerGone as gone:
            if gone.timed_out:
                self._log.late.add(key)
            raise
        if PARTS[key].by_person and (text := _text(replies)):
            self._log.texts[key] = text
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
