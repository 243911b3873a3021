"""``book/claims/*.py``: what the sources claim, what the book says of itself, and what proves it.

A claim is a function that returns its evidence. Its docstring says what it is about; a second paragraph says why the
value differs from the source's::

    @fact("C.6", source="93 %", verdict="corrected")
    def share_of_time_saved():
        \"\"\"Share of ResNet-34's time that the modified network saves.

        235 of 2,815 seconds are left.
        \"\"\"
        return 1 - 235 / 2_815


    @claim
    def minivgg_epoch_seconds():  # in the prose: <!-- claim: minivgg-epoch-seconds -->
        \"\"\"An epoch of MiniVGG, in chapter 5.\"\"\"
        return mean("05-minivgg/MiniVGG, on validation", "seconds", per="epoch", split="validation")
"""

import ast
import importlib.util
import inspect
import textwrap
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from course_lib.errors import CourseError
from course_tools.publishing import literals
from course_tools.publishing.project import Project

FOLDER = Path("book") / "claims"
# Every claim of the five documents that the course began with. None may be left out.
DOCUMENTS = {"A": 9, "B": 15, "C": 12, "D": 7, "E": 11}
# The historical and the general: only these, and times of other machines, may be explained instead of measured.
MAY_BE_EXPLAINED = {"A.1", "A.9", "B.1", *(f"B.{number}" for number in range(6, 12)), "B.14", "C.12", "E.11"}
VERDICTS = ("reproduced", "partly", "corrected", "differs", "undecided", "explained", "ours", "awaiting")


@dataclass(frozen=True, eq=False)
class Fact:
    """One statement and what proves it.

    Args:
        claim: its claim's name, such as ``A.8``.
        what: which of the claim's facts it is.
        evidence: returns a number, a text, True or False, or an :class:`Evidence`; None where papers alone are cited.
        source: the source's own value, as a literal or in words; of an ``ours`` fact, which no source states, our own.
        verdict: one of ``VERDICTS``; empty for a claim of the book's own.
        band: how far a measured value may lie from the source's, in units of 1; set before the run.
        because: why the value is not the source's, or what a paper says.
        note: what is smaller in our run, or whose setting it is.
        ours: what is no number, in words.
        cite: keys of ``references.bib``.
        device: on which the evidence computes: ``meta`` takes no time, and ``cpu`` has numbers.
    """

    claim: str
    what: str = ""
    evidence: Callable[[], Any] = lambda: None
    source: str = ""
    verdict: str = ""
    band: float | None = None
    because: str = ""
    note: str = ""
    ours: str = ""
    cite: tuple[str, ...] = ()
    device: str = "meta"

    @property
    def title(self) -> str:
        return f"{self.claim}, {self.what}" if self.verdict else self.claim

    @cached_property
    def literal(self) -> literals.Literal | None:
        """The source's value, read; None where it is put in words."""
        try:
            return literals.read(self.source)
        except ValueError:
            return None

    @property
    def code(self) -> str:
        """The lines that compute the evidence, without docstring and the last ``return``."""
        source = textwrap.dedent(inspect.getsource(inspect.unwrap(self.evidence)))
        (function,) = ast.parse(source).body
        lines = source.split("\n")[function.body[1].lineno - 1 :]
        last = function.body[-1].lineno - function.body[1].lineno
        lines[last] = lines[last].replace("return ", "", 1)
        return textwrap.dedent("\n".join(lines)).strip()


@dataclass(frozen=True)
class Claim:
    """A claim of a document (``A.8``), or one of the book's own (``lenet5-parameters``)."""

    name: str
    facts: list[Fact]

    @property
    def document(self) -> str:
        """``A`` to ``E``; empty for one of the book's own."""
        return self.name[0] if self.name[0].isupper() else ""


def fact(name: str, *, source: str = "", value: str = "", verdict: str, cite: Sequence[str] = (), **more: Any):
    """Make a function the evidence for one fact of a document's claim, such as ``A.8``.

    ``source`` is the source's value, ``value`` ours where no source has any; the rest as in :class:`Fact`.
    Raises: ValueError for what does not fit the verdict.
    """

    def decorate(function):
        what, _, because = inspect.getdoc(function).partition("\n\n")
        made = Fact(
            name,
            what.removesuffix(".").replace("\n", " "),
            function,
            source or value,
            verdict,
            because=because.replace("\n", " "),
            cite=tuple(cite),
            **more,
        )
        problem = _misfit(made, bool(source), bool(value), _is_empty(function))
        if problem:
            raise ValueError(f"{made.title}: {problem}")
        function.fact = made
        return function

    return decorate


def claim(function=None, *, value: str = "", cite: Sequence[str] = ()):
    """Make a function the evidence for a claim of the book's own, named after it: ``vgg_time`` is ``vgg-time``.

    ``value`` is a number that the papers of ``cite`` state; the function is empty then.
    """
    if function is None:
        return lambda function: claim(function, value=value, cite=cite)
    name = function.__name__.replace("_", "-")
    if not (value and cite) if _is_empty(function) else value or cite:
        raise ValueError(f"{name} needs evidence: a value to return, or `value` and `cite` of a paper")
    function.fact = Fact(name, evidence=function, source=value, cite=tuple(cite))
    return function


def read(project: Project) -> dict[str, Claim]:
    """All claims by name, the documents' first.

    Raises: CourseError, naming the place, for claims that are missing, malformed or incomplete.
    """
    facts = [fact for file in sorted((project.root / FOLDER).glob("*.py")) for fact in _facts_of(project, file)]
    own, claims = {}, {}
    for fact in facts:
        if not fact.verdict and fact.claim in own:
            raise CourseError(f"{FOLDER}: {fact.claim} stands there twice: rename one.")
        (claims if fact.verdict else own).setdefault(fact.claim, Claim(fact.claim, [])).facts.append(fact)
    wanted = [f"{document}.{number}" for document, count in DOCUMENTS.items() for number in range(1, count + 1)]
    for name in wanted:
        if name not in claims:
            raise CourseError(f"{FOLDER} has no {name}: every claim of the documents needs a verdict.")
    for name in claims:
        if name not in wanted:
            raise CourseError(f"{FOLDER} has {name}, which no document holds: take it out.")
    return claims | own


def _facts_of(project: Project, file: Path) -> list[Fact]:
    """The facts of one file, in its order. Raises CourseError for a file that cannot be imported."""
    spec = importlib.util.spec_from_file_location(f"book_claims_{file.stem}", file)
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        place = file.relative_to(project.root)
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(file)]
        what, line = (error.msg, error.lineno) if isinstance(error, SyntaxError) else (error, lines[-1])
        raise CourseError(f"{place}, line {line}: {type(error).__name__}: {what}: fix it.") from error
    return [thing.fact for thing in vars(module).values() if hasattr(thing, "fact") and callable(thing)]


def _is_empty(function) -> bool:
    """Whether a function holds a docstring and nothing else."""

    def empty():
        """Nothing."""

    code = inspect.unwrap(function).__code__
    return code.co_code == empty.__code__.co_code and code.co_consts[-1] is None


def _misfit(fact: Fact, has_source: bool, has_value: bool, is_empty: bool) -> str | None:
    """Why a fact does not fit its verdict; None where it does."""
    explained = fact.verdict == "explained"
    times = fact.source.endswith(" s")  # on a source's own machine: no run of ours can repeat them
    rules = {
        f"a verdict is one of {', '.join(VERDICTS)}": fact.verdict in VERDICTS,
        "no source states what is ours: give `value`": not (fact.verdict == "ours" and has_source),
        "what a source states has a `source`": not (fact.verdict != "ours" and has_value),
        "give the source's value": has_source or fact.verdict in ("ours", "explained"),
        "say in the docstring's second paragraph why": fact.because
        or fact.verdict not in ("explained", "corrected", "differs"),
        "say in `note` what is smaller": fact.note or fact.verdict != "partly",
        "cite a paper": fact.cite or not explained or times,
        "it may not be explained only: return the evidence": not explained or times or fact.claim in MAY_BE_EXPLAINED,
        "return the evidence": not is_empty
        or fact.verdict in ("explained", "awaiting")
        or (fact.verdict == "corrected" and fact.ours),
        "a band lies around a number of the source's": fact.band is None or fact.literal is not None,
        "a band is above 0": fact.band is None or fact.band > 0,
    }
    return next((problem for problem, holds in rules.items() if not holds), None)
