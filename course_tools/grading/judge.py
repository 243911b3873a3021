"""The marks of submissions, found side by side. A process that judges holds the questions and the right replies.

So no student's code runs in it. That runs in a sandbox, which each such process opens once for all its submissions.
"""

import contextlib
import functools
import hashlib
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from joblib import Parallel, delayed
from tqdm import tqdm

from checks import logits, marking
from checks.marking import Asked, Runner
from checks.process import Worker, WorkerGone
from checks.script import LOGITS, SCRIPT, Cell
from checks.tasks import PARTS, Question
from course_lib.errors import CourseError, printable
from course_tools.grading import fork_server, release, sandbox
from course_tools.grading.sandbox import ForkServer

_LONGEST = 10_000  # characters of an answer in words that are kept
TOTAL = 30.0  # seconds by the clock that all answers of one submission may take together, in each of its two tries
_SPENT = f"all answers together took longer than {TOTAL:g} seconds, so this one was not run."
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
    ``late`` are parts to try again, for they took too long or were not reached, and ``tried_again`` says that they had
    their second chance. ``refusal`` says why nothing was run, and ``failure`` why nothing could be, for no fault of the
    student's.
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
    """The marks of all jobs, by their names. What was too slow is tried once more, after what is waiting then.

    Args:
        exam: what the jobs have in common.
        jobs: each name once.
        known: marks of an earlier run, which are not found again.
        keep: is called with each job's marks as soon as they are found. Failures are no marks: they are not kept.
        processes: how many judge at a time.

    Raises: CourseError where there is no sandbox; whatever ``keep`` raises.
    """
    waiting = deque(job for job in jobs if job.name not in known)
    waiting += [replace(job, parts=late) for job in jobs if (late := _to_try_again(known.get(job.name)))]
    by_name = {job.name: job for job in jobs}
    processes = max(1, min(processes, len(waiting)))
    if waiting and not exam.trusted:
        if processes == 1:  # the judge is this process: the sandbox that it opens is the one that it goes on with
            _fork_server().run({"cells": []}, marking.LOADING)
        else:
            sandbox.check()
    marks = dict(known)
    with tqdm(total=len(known) + len(waiting), initial=len(known), desc="grading", unit="submission") as bar:
        for name, fresh in _judge_many(exam, waiting, processes):
            bar.update()
            if first := marks.get(name):
                if fresh.failure:
                    continue  # what the first try found stays, and the next run tries again
                hints, texts = first.hints | fresh.hints, first.texts | fresh.texts
                fresh = replace(first, hints=hints, texts=texts, tried_again=True)
            marks[name] = fresh
            if not fresh.failure:
                keep(name, fresh)
            if late := _to_try_again(fresh):
                waiting.append(replace(by_name[name], parts=late))
                bar.total += 1
    return marks


def _to_try_again(marks: Marks | None) -> tuple[str, ...]:
    return marks.late if marks and marks.late and not marks.tried_again else ()


def _judge_many(exam: Exam, waiting: deque[Job], processes: int) -> Iterator[tuple[str, Marks]]:
    """The marks of the jobs that are waiting; others may be added while it yields."""
    while waiting:
        begun: dict[str, Job] = {}
        try:
            for name, marks in _parallel(exam, _taken(waiting, begun), processes):
                del begun[name]
                yield name, marks
        except BrokenExecutor:  # a judge's process died, and all others with it: the one that is to blame dies alone
            for job in begun.values():
                yield job.name, _judge_alone(exam, job, processes)


def _taken(waiting: deque[Job], begun: dict[str, Job]) -> Iterator[Job]:
    while waiting:
        job = waiting.popleft()
        begun[job.name] = job
        yield job


def _judge_alone(exam: Exam, job: Job, processes: int) -> Marks:
    try:
        ((_, marks),) = _parallel(exam, [job], processes)
        return marks
    except BrokenExecutor:
        return Marks(failure=_DIED)


def _parallel(exam: Exam, jobs: Iterable[Job], processes: int) -> Iterator[tuple[str, Marks]]:
    workers = Parallel(n_jobs=processes, return_as="generator_unordered", batch_size=1)
    return workers(delayed(judge)(exam, job) for job in jobs)


def judge(exam: Exam, job: Job) -> tuple[str, Marks]:
    """The marks of one submission, under its name. Whatever goes wrong goes wrong for this one alone.

    A failure is what comes of this machine or of the assignment. Any other exception is the submission's doing.
    """
    try:
        asked, labels = _asked(exam.master, exam.seed, exam.version), _labels(exam.master)
    except Exception as error:
        return job.name, _failed(error)
    try:
        return job.name, _judge(exam, job, asked, labels)
    except (CourseError, OSError, MemoryError, WorkerGone) as error:  # gone: before it had any code of a student's
        return job.name, _failed(error)
    except Exception as error:
        return job.name, Marks(refusal=f"refused: judging it raised {type(error).__name__}: hand in other answers.")


def _failed(error: Exception) -> Marks:
    text = str(error) if isinstance(error, CourseError) else f"{type(error).__name__}: {error}"
    return Marks(failure=printable(" ".join(text.split()))[:300])


def _judge(exam: Exam, job: Job, asked: dict[str, Asked], labels: dict[str, torch.Tensor]) -> Marks:
    torch.set_num_threads(1)  # there is a process a core
    read = fork_server.contents if exam.trusted else _fork_server().read
    try:
        script = read(job.copy, SCRIPT)
    except WorkerGone as gone:
        script = {"refusal": f"{SCRIPT} cannot be read: {gone}"}
    if "refusal" in script:
        return Marks(refusal=f"refused: {printable(script['refusal'])}")
    cells = [Cell(**{**cell, "tags": tuple(cell["tags"])}) for cell in script["cells"]]
    handed_in = {"logits": None, "logits_problem": job.logits_problem}
    if not job.logits_problem:
        try:
            handed_in = read(job.copy, LOGITS)
        except WorkerGone as gone:
            handed_in["logits_problem"] = f"{LOGITS} cannot be read: {gone}"
    if job.parts:
        asked = {key: asked[key] for key in job.parts}
    log = _Log()
    start = functools.partial(_Logged, Worker if exam.trusted else _fork_server().runner, log)
    # Workers' seed of torch's generator differs from that of the questions, for a student's code sees it.
    seed = int.from_bytes(hashlib.sha256(f"workers {exam.seed}".encode()).digest()[:6], "big")
    hints = {
        verdict.part.key: verdict.hint and printable(verdict.hint)
        for verdict in marking.mark(cells, asked, start, {**handed_in, "own_labels": labels}, seed, quote=False)
    }
    late = {key for key, hint in hints.items() if key in log.late or (hint and log.a_cell_was_late)}
    again = log.skipped or late  # where time was up, it goes to those that had none
    return Marks(hints, log.texts, tuple(key for key in hints if key in again))


@functools.cache
def _asked(master: Path, seed: int, version: str) -> dict[str, Asked]:
    return marking.ask(release.reference_of(master), seed)


@functools.cache
def _labels(master: Path) -> dict[str, torch.Tensor]:
    return logits.labels(safetensors.torch.load_file(release.labels_of(master))["labels"])


@functools.cache
def _fork_server() -> ForkServer:
    return ForkServer()  # its sandbox ends with this process


@dataclass
class _Log:
    """What a verdict does not have: which parts took too long or were not run, and what a person has to read."""

    late: set[str] = field(default_factory=set)
    skipped: set[str] = field(default_factory=set)
    texts: dict[str, str] = field(default_factory=dict)
    a_cell_was_late: bool = False
    spent: float = 0.0  # seconds by the clock


class _Logged:
    """A runner whose late and written answers go into a log, and which runs nothing when a submission's time is up."""

    def __init__(self, start: Callable[[], Runner], log: _Log):
        self._runner, self._log = start(), log

    def load_all(self, cells: list[tuple[str, int]], seconds: float) -> bool:
        if not hasattr(self._runner, "load_all"):
            return False
        with self._timed():
            return self._runner.load_all(cells, seconds)

    def load(self, source: str, line: int, seconds: float) -> dict[str, Any] | None:
        try:
            with self._timed():
                return self._runner.load(source, line, seconds)
        except WorkerGone as gone:
            self._log.a_cell_was_late |= gone.timed_out
            raise

    def answer(self, key: str, questions: list[Question], seed: int, seconds: float) -> list[dict[str, Any]]:
        try:
            with self._timed():
                replies = self._runner.answer(key, questions, seed, seconds)
        except WorkerGone as gone:
            if gone.timed_out:
                (self._log.skipped if str(gone) == _SPENT else self._log.late).add(key)
            raise
        if PARTS[key].by_person and (text := _text(replies)):
            self._log.texts[key] = text
        return replies

    @contextlib.contextmanager
    def _timed(self) -> Iterator[None]:
        if self._log.spent > TOTAL:
            raise WorkerGone(_SPENT, timed_out=True)
        begun = time.monotonic()
        try:
            yield
        finally:
            self._log.spent += time.monotonic() - begun

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
