"""The prose of the book: whether every number has a claim, and equals the claim's evidence."""

import re
from dataclasses import dataclass
from pathlib import Path

from course_lib.errors import CourseError
from course_lib.storage import atomic_file
from course_tools.claims.evidence import look_up
from course_tools.claims.ledger import Claim
from course_tools.publishing import literals
from course_tools.publishing.project import Project
from course_tools.publishing.questions import without_wrong_choices
from course_tools.publishing.tables import places

_CELL = re.compile(r"(?m)^# %%.*$")
_PREFIX = re.compile(r"(?m)^# ?")
_BROKEN = re.compile(r"(?m)^[ >]*<!-- claim: [^>]*-->")  # CommonMark: a line that begins so is a block of HTML
_GENERATED = ("conformance", "claims")  # tables that a program writes and a test holds


@dataclass(frozen=True)
class Text:
    """A piece of prose: a page, or one Markdown cell of a chapter, whose lines begin with ``prefix`` in its file."""

    file: Path
    number: int
    content: str
    prefix: str = ""

    @property
    def where(self) -> str:
        return f"{self.file.name}, cell {self.number}" if self.prefix else self.file.name


def texts(project: Project) -> list[Text]:
    """All prose, in the order of the book. Blank: tables made by programs, wrong choices of guesses and quizzes."""
    texts = []
    for file in [project.root / "README.md", *sorted((project.root / "book").glob("*.md"))]:
        if file.is_file():
            content = file.read_text(encoding="utf-8")
            for word in _GENERATED:
                content = places(word).sub(lambda place: re.sub(r"[^\n]", " ", place[0]), content)
            texts.append(Text(file, 0, content))
    for chapter in project.chapters():
        source = chapter.source.read_text(encoding="utf-8")
        for number, start, end in _markdown_cells(source):
            content = without_wrong_choices(_PREFIX.sub("", source[start:end]))
            texts.append(Text(chapter.source, number, content, "# "))
    return texts


def _markdown_cells(source: str) -> list[tuple[int, int, int]]:
    """Number, start and end of the text of each Markdown cell in a percent script."""
    marks = list(_CELL.finditer(source))
    ends = [mark.start() for mark in marks[1:]] + [len(source)]
    return [
        (number, mark.end() + 1, end)
        for number, (mark, end) in enumerate(zip(marks, ends, strict=True), 1)
        if "[markdown]" in mark[0]
    ]


def problems(project: Project, claims: dict[str, Claim]) -> list[str]:
    """Numbers without a claim, unknown claims, literals that differ from their evidence."""
    lines = []
    for text in texts(project):
        lines += [
            f"{text.where}: {what} has no claim: add `<!-- claim: NAME -->` behind it, and a claim to book/claims."
            for what in literals.uncovered(text.content)
        ]
        lines += [
            f"{text.where} names the claim {name!r}, which book/claims does not have."
            for name in literals.named(text.content)
            if name not in claims
        ]
        lines += [
            f"{text.where}: a line begins with {line[0]!r}, which ends the paragraph: put it behind its number."
            for line in _BROKEN.finditer(text.content)
        ]
        for place in literals.claimed(text.content):
            if place.claim in claims:
                try:
                    right = corrected(project, claims[place.claim], place.text)
                except CourseError as error:
                    lines.append(f"{text.where}: {error}")
                    continue
                if right != place.text:
                    lines.append(f"{text.where} says {place.text}, and {place.claim} is {right}.")
    return lines


def corrected(project: Project, claim: Claim, text: str) -> str:
    """A literal as it should be: itself where it equals one of the claim's values, else the claim's value in its style.

    Raises: CourseError where the claim has several values, none of which the literal equals, or none at all.
    """
    literal = literals.read(text)
    values = values_of(project, claim, literal.is_range)
    if not values:
        raise CourseError(f"{claim.name} holds no number, but the prose says {text} and names it.")
    if any(literal.matches(*numbers) for numbers in values):
        return text
    if len(values) > 1:
        known = " or ".join(sorted({literal.write(*numbers) for numbers in values}))
        raise CourseError(f"the prose says {text}, and {claim.name} has only {known}.")
    return literal.write(*values[0])


def values_of(project: Project, claim: Claim, for_range: bool) -> list[tuple[float, ...]]:
    """All numbers that a claim stands for: the source's, and ours.

    A range in the prose is a source's range; only where no source gives one may it be a range that holds the number.
    """
    ranges = [fact.literal.values for fact in claim.facts if fact.literal is not None and fact.literal.is_range]
    if for_range and ranges:
        return ranges
    values = []
    for fact in claim.facts:
        if fact.literal is not None:
            values.append(fact.literal.values)
            if fact.literal.is_range:
                values += [(value,) for value in fact.literal.values]
        evidence = look_up(project, fact) if fact.verdict != "awaiting" else None
        if evidence is not None and not isinstance(evidence.value, bool | str):
            values.append(evidence.numbers[:1] if for_range else evidence.numbers)
    return values


def rewrite(project: Project, claims: dict[str, Claim]) -> list[str]:
    """Bring every literal up to date. Returns what changed, a line each; files without a change are not touched."""
    changes: list[str] = []
    for file in dict.fromkeys(text.file for text in texts(project)):
        source = file.read_text(encoding="utf-8")
        fresh = source
        pieces = _markdown_cells(source) if file.suffix == ".py" else [(0, 0, len(source))]
        for _, start, end in reversed(pieces):
            piece = source[start:end]
            if file.suffix == ".py":  # a claim may begin a line, and its number end the line above
                piece = _PREFIX.sub(lambda prefix: " " * len(prefix[0]), piece)
            for place in reversed(literals.claimed(piece)):
                if place.claim not in claims:
                    continue
                right = corrected(project, claims[place.claim], place.text)
                if right != place.text:
                    fresh = fresh[: start + place.start] + right + fresh[start + place.end :]
                    changes.append(f"{file.name}: {place.text} is now {right} ({place.claim})")
        if fresh != source:
            with atomic_file(file) as scratch:
                scratch.write_text(fresh, encoding="utf-8")
    return changes
