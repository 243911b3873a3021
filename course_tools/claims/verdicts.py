"""Whether a claim agrees with its evidence. Each problem is one line."""

from collections.abc import Iterable

from course_lib.errors import CourseError
from course_tools.claims.evidence import UNDECIDED, Evidence, NoEvidence, look_up
from course_tools.claims.ledger import Claim, Fact
from course_tools.publishing.project import Project


def problems(project: Project, claims: Iterable[Claim], papers: set[str]) -> list[str]:
    """What is wrong with the verdicts. ``papers`` are the keys of ``references.bib``."""
    lines = []
    for claim in claims:
        for fact in claim.facts:
            lines += [f"{fact.title}: {key} is not in references.bib." for key in fact.cite if key not in papers]
            try:
                problem = problem_of(project, fact)
            except CourseError as error:
                problem = str(error)
            if problem:
                lines.append(problem)
    return lines


def problem_of(project: Project, fact: Fact) -> str | None:
    """Why a fact's verdict does not follow from its evidence; None where it does.

    Raises: CourseError where the evidence itself is wrong or missing.
    """
    try:
        evidence = look_up(project, fact)
    except NoEvidence:
        if fact.verdict == "awaiting":
            return None
        raise
    if evidence is None:  # explained, or cited: the paper is the evidence
        return None
    if fact.verdict == "awaiting":
        return f"{fact.title} awaits a run, but it was measured: {in_words(evidence, fact)}. Give it its verdict."
    if (evidence.value == UNDECIDED) != (fact.verdict == UNDECIDED):
        if evidence.value == UNDECIDED:
            return f"{fact.title} is undecided: {evidence.note}. Run more seeds, or quote the difference."
        return f"{fact.title} is decided by now: {in_words(evidence, fact)}. Give it its verdict."
    if not fact.verdict:  # the book's own: a comparison must hold, a number is held against the prose
        return f"{fact.claim} does not hold any more: say so in the prose." if evidence.value is False else None
    if fact.verdict == "ours" and evidence.kind in ("mean", "difference"):  # a measurement of ours is no forecast
        return None
    if fact.verdict in ("reproduced", "partly") and fact.band is None and evidence.kind == "mean":
        return f"{fact.title} is measured, so it needs a band: how near is near enough?"
    if fact.verdict == UNDECIDED:
        return None
    agrees, ours = _agrees(fact, evidence), in_words(evidence, fact)
    if fact.verdict in ("reproduced", "partly") and not agrees:
        return f"{fact.title}: the source says {fact.source or 'so'}, and ours is {ours}: not reproduced."
    if fact.verdict in ("corrected", "differs") and agrees:
        return f"{fact.title}: ours is {ours}, as the source says: there is nothing to correct."
    if fact.verdict == "ours" and not agrees:
        return f"{fact.title}: we say {fact.source or 'so'}, and the evidence is {ours}: fix the value."
    return None


def _agrees(fact: Fact, evidence: Evidence) -> bool:
    if isinstance(evidence.value, bool):
        return evidence.value
    if isinstance(evidence.value, str):
        return evidence.value == fact.source
    if fact.literal is None:
        raise CourseError(
            f"{fact.title}: its evidence is the number {evidence.value:g}, but the source's is no number."
        )
    if fact.band is None:
        return fact.literal.matches(evidence.value)
    values = fact.literal.values
    return min(values) - fact.band <= evidence.value <= max(values) + fact.band


def in_words(evidence: Evidence, fact: Fact) -> str:
    """The evidence as the Scorecard shows it: in the style of the source's value."""
    if fact.ours:
        return fact.ours
    if evidence.value == UNDECIDED:
        return evidence.note
    if isinstance(evidence.value, bool):
        return "holds" if evidence.value else "does not hold"
    if isinstance(evidence.value, str):
        return evidence.value
    style = fact.literal
    if style is None:
        return f"{evidence.value:,.6g}"
    other = fact.verdict in ("corrected", "differs") and style.decimals == 0
    finer = other or (style.is_range and not fact.band) or (evidence.count > 1 and style.decimals < 2)
    decimals = style.decimals + (1 if finer and style.unit.strip() == "%" else 0)
    scale = style.scale
    text = f"{evidence.value / scale:,.{decimals}f}"
    if not style.matches(evidence.value) and float(text.replace(",", "")) == style.values[0] / scale:
        text = f"{evidence.value / scale:,.{decimals + 1}f}"
    if evidence.spread:
        text += f" ± {evidence.spread / scale:,.{decimals}f}"
    return text.replace("-", "−") + style.unit
