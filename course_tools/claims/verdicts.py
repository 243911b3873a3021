"""Does a claim agree with its evidence? Each problem is one line."""

from collections.abc import Iterable

from course_lib.errors import CourseError
from course_tools.claims.evidence import Found, NoEvidence, look_up
from course_tools.claims.ledger import Claim, Fact
from course_tools.publishing.project import Project


def problems(project: Project, claims: Iterable[Claim], papers: set[str]) -> list[str]:
    """What is wrong with the verdicts. ``papers`` are the keys of ``references.bib``."""
    found = []
    for claim in claims:
        for fact in claim.facts:
            found += [f"{fact.title}: {key} is not in references.bib." for key in fact.cite if key not in papers]
            try:
                problem = problem_of(project, fact)
            except CourseError as error:
                problem = str(error)
            if problem:
                found.append(problem)
    return found


def problem_of(project: Project, fact: Fact) -> str | None:
    """Why a fact's verdict is not what its evidence says; None where it is.

    Raises: CourseError where the evidence itself is wrong or missing.
    """
    if not fact.proof:  # explained, or cited: the paper is the evidence
        return None
    if fact.verdict == "awaiting":
        try:
            found = look_up(project, fact)
        except NoEvidence:
            return None
        return f"{fact.title} awaits a run, but it was measured: {say(found, fact)}. Give it its verdict."
    found = look_up(project, fact)
    if not fact.verdict:  # the book's own: a comparison must hold, a number is held against the prose
        return f"{fact.claim} does not hold any more: say so in the prose." if found.value is False else None
    if fact.verdict == "ours" and fact.proof in ("records", "difference"):  # what was measured is said, not foretold
        return None
    agrees = _agrees(fact, found)
    if fact.verdict in ("reproduced", "partly") and not agrees:
        return f"{fact.title}: the source says {fact.source or 'so'}, and ours is {say(found, fact)}: not reproduced."
    if fact.verdict in ("corrected", "differs") and agrees:
        return f"{fact.title}: ours is {say(found, fact)}, as the source says: there is nothing to correct."
    if fact.verdict == "ours" and not agrees:
        return f"{fact.title}: we say {fact.source or 'so'}, and the evidence is {say(found, fact)}: mend the value."
    return None


def _agrees(fact: Fact, found: Found) -> bool:
    if isinstance(found.value, bool):
        return found.value
    if isinstance(found.value, str):
        return found.value == fact.source
    if fact.literal is None:
        raise CourseError(f"{fact.title}: its evidence is the number {found.value:g}, but the source's is no number.")
    if fact.band is None:
        return fact.literal.says(found.value)
    values = fact.literal.values
    return min(values) - fact.band <= found.value <= max(values) + fact.band


def say(found: Found, fact: Fact) -> str:
    """The evidence as the Scorecard shows it: in the style of the source's value."""
    if fact.ours:
        return fact.ours
    if isinstance(found.value, bool):
        return "holds" if found.value else "does not hold"
    if isinstance(found.value, str):
        return found.value
    style = fact.literal
    if style is None:
        return f"{found.value:,.6g}"
    unit = style.unit
    other = fact.verdict in ("corrected", "differs") and style.decimals == 0
    finer = other or (style.is_range and not fact.band) or (found.count > 1 and style.decimals < 2)
    decimals = style.decimals + (1 if finer and unit.strip() == "%" else 0)
    scale = style.scale
    text = f"{found.value / scale:,.{decimals}f}"
    if not style.says(found.value) and float(text.replace(",", "")) == style.values[0] / scale:
        text = f"{found.value / scale:,.{decimals + 1}f}"
    if found.spread:
        text += f" ± {found.spread / scale:,.{decimals}f}"
    return text.replace("-", "−") + unit
