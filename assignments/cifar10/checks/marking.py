"""Puts every part's questions to a student's cells, compares the replies with the right ones, and counts points."""

import builtins
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from checks import messages, worker
from checks.process import WorkerGone
from checks.script import SCRIPT, Cell
from checks.tasks import PARTS, TASKS, Draw, Part, Question, Task

LOADING = 10.0  # seconds that a cell may take to define its functions, and
_AT_ONCE = 2.0  # those in which all together mostly do
_LONGEST = 1000  # characters of a hint, which may hold what the student's code returned
_EXCEPTIONS = {
    name for name, kind in vars(builtins).items() if isinstance(kind, type) and issubclass(kind, BaseException)
}


@dataclass(frozen=True)
class Asked:
    """The questions of one part and, where its judge compares, the reference's replies, one for each."""

    questions: list[Question]
    expected: list[Any]


@dataclass(frozen=True)
class Verdict:
    """What one part earned, and the hint where it is not right. A person's points are not counted here."""

    task: Task
    part: Part
    hint: str | None

    @property
    def points(self) -> int:
        return 0 if self.hint or self.part.by_person else self.part.points


class Runner(Protocol):
    """What runs a student's cells: a process, a sandbox, or in tests this process."""

    def load(self, source: str, line: int, seconds: float) -> dict[str, Any] | None: ...
    def answer(self, key: str, questions: list[Question], seed: int, seconds: float) -> list[dict[str, Any]]: ...
    def stop(self) -> None: ...


def ask(reference: Sequence[Cell], seed: int) -> dict[str, Asked]:
    """Draw every part's questions, and let the reference answer them, in this process.

    Raises: RuntimeError where the reference fails, which is a mistake in the assignment.
    """
    answers = worker.Answers()
    for cell in reference:
        if problem := answers.load(cell.source, cell.line):
            raise RuntimeError(f"the reference does not load: {problem}")
    asked = {}
    for number, part in enumerate(PARTS.values()):
        questions = part.questions(Draw(seed + number))
        copied = messages.unpack(messages.pack(questions))  # as a worker gets them, and the replies as it gives them
        replies = messages.unpack(messages.pack(answers.answer(part.key, copied, seed))) if part.compares else []
        if replies and "problem" in replies[-1]:
            raise RuntimeError(f"the reference fails at {part.key}: {replies[-1]['problem']}")
        asked[part.key] = Asked(questions, [reply["value"] for reply in replies])
    return asked


def mark(
    cells: Sequence[Cell],
    asked: Mapping[str, Asked],
    start: Callable[[], Runner],
    handed_in: Mapping[str, Any],
    seed: int = 0,
    quote: bool = True,
) -> Iterator[Verdict]:
    """Judge part by part, in order. A worker that dies or never ends costs only the part that it was busy with.

    Args:
        cells: the student's answer cells.
        asked: by a part's key, its questions and right replies. Other parts are left out.
        start: starts a worker.
        handed_in: what judges see beside the reply: :func:`checks.logits.handed_in`, and ``own_labels``.
        seed: of torch's generator, before each question.
        quote: whether hints quote exceptions. Where marks are given they do not: an exception's text could hold the
            questions, which others are still to be asked, or the paths of whoever grades.
    """
    session = _Session(cells, start, quote)
    try:
        for task in TASKS:
            for part in task.parts:
                if part.key in asked:
                    hint = _judge(session, task, part, asked[part.key], handed_in, seed)
                    yield Verdict(task, part, hint and hint[:_LONGEST])
    finally:
        session.close()


class _Session:
    """A worker with the cells loaded; a new one when the old one is gone. Keeps what was wrong with a cell."""

    def __init__(self, cells: Sequence[Cell], start: Callable[[], Runner], quote: bool):
        self.cells, self.start, self.quote = cells, start, quote
        self.lines = {line for cell in cells for line in range(cell.line, cell.line + cell.source.count("\n") + 1)}
        self.runner: Runner | None = None
        self.problems: dict[int, str] = {i: cell.problem for i, cell in enumerate(cells) if cell.problem}

    def worker(self) -> Runner:
        while self.runner is None:
            self.runner = self.start()
            if self._loads_at_once():
                break
            for i, cell in enumerate(self.cells):
                if i in self.problems:
                    continue
                try:
                    problem = self.runner.load(cell.source, cell.line, LOADING)
                    if problem:
                        self.problems[i] = self.in_words(problem)
                except WorkerGone as gone:
                    self.problems[i] = f"The cell could not be loaded: {gone}"
                    self.close()  # and begin again, without this cell
                    break
        return self.runner

    def _loads_at_once(self) -> bool:
        """Whether the runner loaded all cells in one go, as a sandbox can; if not, each is loaded by itself."""
        load_all = getattr(self.runner, "load_all", None)
        left = [(cell.source, cell.line) for i, cell in enumerate(self.cells) if i not in self.problems]
        try:
            return load_all is not None and load_all(left, _AT_ONCE)
        except WorkerGone:
            return False

    def in_words(self, problem: Any, function: str = "The cell") -> str:
        """A problem of a worker as a hint. Nothing in it is trusted to be what it should be."""
        if not isinstance(problem, dict):
            return f"{function} gave no reply."
        kind, text, line = (problem.get(key) for key in ("type", "text", "line"))
        line = line if type(line) is int and (self.quote or line in self.lines) else None
        try:
            kind, text = str(kind)[:80], " ".join(str(text)[:400].split())
        except Exception:  # such as a tensor that cannot be printed
            kind, text = "an exception", ""
        if not self.quote:
            kind, text = kind if kind in _EXCEPTIONS else "an exception", ""
        where = "" if line is None else f", line {line} of {SCRIPT}"
        if kind == "NotImplementedError":
            return f"{function} is still to be written."
        lost = " Only cells tagged answer are run: what they use must be defined in one." if kind == "NameError" else ""
        return f"{function} raised {kind}{where}: {text}".rstrip(" :.") + f".{lost}"

    def problem_of(self, task: Task) -> str | None:
        """The first problem with a cell of the task."""
        return next((text for i, text in self.problems.items() if self.cells[i].task == task.number), None)

    def close(self) -> None:
        if self.runner is not None:
            self.runner.stop()
            self.runner = None


def _judge(
    session: _Session, task: Task, part: Part, asked: Asked, handed_in: Mapping[str, Any], seed: int
) -> str | None:
    """The first hint, or None where every reply is right."""
    runner, function = session.worker(), part.function
    try:
        replies = runner.answer(part.key, asked.questions, seed, part.seconds)
    except WorkerGone as gone:
        session.close()
        return f"{function} gave no reply: {gone}"
    try:
        return _hint_of(session, task, part, asked, handed_in, replies)
    except Exception:  # a reply may be anything; one that a judge stumbles over must not end the marking
        return f"{function} gave a reply of which nothing can be made."


def _hint_of(
    session: _Session, task: Task, part: Part, asked: Asked, handed_in: Mapping[str, Any], replies: Any
) -> str | None:
    function = part.function
    if not isinstance(replies, list) or not all(isinstance(reply, dict) for reply in replies):
        return f"{function} gave no reply that could be read."
    for i, question in enumerate(asked.questions):
        reply = replies[i] if i < len(replies) else {"problem": None}
        if "value" not in reply:
            problem = reply.get("problem")
            if isinstance(problem, dict) and problem.get("type") == "missing":
                missing = f"No cell tagged answer defines {function}. Was it renamed, or did its cell lose the tag?"
                return session.problem_of(task) or missing
            return session.in_words(problem, function)
        expected = asked.expected[i] if part.compares else None
        if hint := part.judge({**question, **handed_in}, expected, reply["value"]):
            return hint
    return None
