"""The Scorecard and the Errata: what became of each claim of the sources, from the ledger and its evidence."""

from collections import Counter
from functools import partial
from pathlib import Path

from course_tools.claims.evidence import Evidence, NoEvidence, look_up
from course_tools.claims.ledger import DOCUMENTS, VERDICTS, Claim, Fact
from course_tools.claims.verdicts import in_words
from course_tools.publishing.project import Project
from course_tools.publishing.tables import TablePage

COMMAND = "course claims --update"
NONE = "—"
ERRORS_ABOVE = 0.95  # near 100 % an accuracy hides what its errors show


def pages_of(project: Project, claims: dict[str, Claim]) -> list[TablePage]:
    """Both pages, with their tables of today."""
    return [
        TablePage(Path("book") / "scorecard.md", "claims", COMMAND, partial(_scorecard, project, claims)),
        TablePage(Path("book") / "errata.md", "claims", COMMAND, partial(_errata, project, claims)),
    ]


def _scorecard(project: Project, claims: dict[str, Claim]) -> dict[str, str]:
    tables = {"summary": _summary(claims)}
    for document in DOCUMENTS:
        facts = _facts(claims, document)
        compared = [fact for fact in facts if fact.verdict not in ("ours", "awaiting")]
        own = [fact for fact in facts if fact.verdict == "ours"]
        awaiting = [fact for fact in facts if fact.verdict == "awaiting"]
        text = _compared_table(project, compared)
        if own:
            text += f"\n**Ours, beyond the source.** No document states these.\n\n{_own_table(project, own)}"
        if awaiting:
            text += f"\n```{{dropdown}} Awaiting a run: {len(awaiting)}\n{_awaiting_table(awaiting)}```\n"
        tables[document.lower()] = text
    return tables


def _compared_table(project: Project, facts: list[Fact]) -> str:
    rows = []
    for fact in facts:
        evidence = _evidence(project, fact)
        source = (f"⚠ {_cell(fact.source)}" if fact.verdict == "corrected" else _cell(fact.source)) or NONE
        rows.append([_cell(fact.what), source, _ours(fact, evidence), _cell(_verdict(fact, evidence)), _runs(evidence)])
    return _table(["what", "source", "ours", "verdict", "runs"], facts, rows)


def _own_table(project: Project, facts: list[Fact]) -> str:
    rows = []
    for fact in facts:
        evidence = _evidence(project, fact)
        rows.append([_cell(fact.what), _ours(fact, evidence), _cell(fact.note) or NONE, _runs(evidence)])
    return _table(["what", "ours", "note", "runs"], facts, rows)


def _awaiting_table(facts: list[Fact]) -> str:
    rows = [[_cell(fact.what), _cell(fact.source), _cell(fact.note) or "a GPU"] for fact in facts]
    return _table(["what", "source", "needs"], facts, rows)


def _table(head: list[str], facts: list[Fact], rows: list[list[str]]) -> str:
    """A Markdown table; the first row of each claim has its name."""
    names = [fact.claim for fact in facts]
    lines = [f"| | {' | '.join(head)} |", f"|---|{'---|' * len(head)}"]
    for place, row in enumerate(rows):
        name = "" if place and names[place] == names[place - 1] else f"**{names[place]}**"
        lines.append(f"| {name} | {' | '.join(row)} |")
    return "\n".join(lines) + "\n"


def _verdict(fact: Fact, evidence: Evidence | None) -> str:
    """The verdict with its tolerance, and what is special about the run."""
    text = fact.verdict
    if evidence is not None and evidence.kind == "figures":
        text += f", {evidence.note}"
    if fact.band is not None:
        unit = fact.literal.unit.replace("%", "points")
        band = f"{fact.band / fact.literal.scale:g}{unit}"
        text += f" by more than {band}" if fact.verdict == "differs" else f" within ±{band}"
    return f"{text}: {fact.note}" if fact.note else text


def _summary(claims: dict[str, Claim]) -> str:
    lines = [f"| | {' | '.join(VERDICTS)} |", f"|---|{'---:|' * len(VERDICTS)}"]
    for document in DOCUMENTS:
        counted = Counter(fact.verdict for fact in _facts(claims, document))
        lines.append(f"| {document} | {' | '.join(str(counted[verdict]) for verdict in VERDICTS)} |")
    return "\n".join(lines) + "\n"


def _errata(project: Project, claims: dict[str, Claim]) -> dict[str, str]:
    return {
        document.lower(): "\n".join(
            _erratum(project, fact) for fact in _facts(claims, document) if fact.verdict == "corrected"
        )
        for document in DOCUMENTS
    }


def _erratum(project: Project, fact: Fact) -> str:
    evidence = _evidence(project, fact)
    lines = [f"### {fact.claim}: {fact.what}", ""]
    lines += [f"Source: **{fact.source}**. Right: **{_ours(fact, evidence)}**.", "", fact.because, ""]
    if evidence is not None and evidence.kind == "calculation":
        counted = isinstance(evidence.value, int) and not isinstance(evidence.value, bool)
        output = evidence.printed + (f"{evidence.value:,}" if counted else str(evidence.value))
        lines += ["```python", fact.code, "```", "", "```text", output.rstrip(), "```", ""]
    elif evidence is not None and evidence.printed:
        lines += [evidence.printed, ""]
    if fact.cite:
        lines += [f"See {', '.join(f'{{cite:t}}`{key}`' for key in fact.cite)}.", ""]
    return "\n".join(lines)


def _facts(claims: dict[str, Claim], document: str) -> list[Fact]:
    own = [claim for claim in claims.values() if claim.document == document]
    return [fact for claim in sorted(own, key=lambda claim: int(claim.name[2:])) for fact in claim.facts]


def _evidence(project: Project, fact: Fact) -> Evidence | None:
    try:
        return look_up(project, fact)
    except NoEvidence:
        return None


def _ours(fact: Fact, evidence: Evidence | None) -> str:
    if fact.verdict == "explained" and fact.cite:
        return ", ".join(f"{{cite:t}}`{key}`" for key in fact.cite)
    if fact.ours or evidence is None:
        return _cell(fact.ours or NONE)
    percent = fact.literal is not None and fact.literal.unit.strip() == "%"
    if evidence.kind == "mean" and percent and ERRORS_ABOVE < evidence.value < 1:
        return f"{in_words(evidence, fact)}, errors {1 - evidence.value:.2%}".replace("%", " %").replace("  %", " %")
    return _cell(in_words(evidence, fact))


def _runs(evidence: Evidence | None) -> str:
    return f"{evidence.count}, {evidence.devices}" if evidence and evidence.count else NONE


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
