"""The Scorecard and the Errata: what became of each claim of the sources, from the ledger and its evidence."""

from collections import Counter
from functools import partial
from pathlib import Path

from course_lib.claims.evidence import Found, NoEvidence, look_up, mean
from course_lib.claims.ledger import DOCUMENTS, Claim, Fact
from course_lib.claims.verdicts import say
from course_lib.publishing.generated import Page
from course_lib.publishing.project import Project

COMMAND = "course claims --update"
VERDICTS = ("reproduced", "corrected", "explained", "awaiting a GPU")
NONE = "—"


def pages_of(project: Project, claims: dict[str, Claim]) -> list[Page]:
    """Both pages, with the tables that they should hold."""
    return [
        Page(Path("book") / "scorecard.md", "claims", COMMAND, partial(_scorecard, project, claims)),
        Page(Path("book") / "errata.md", "claims", COMMAND, partial(_errata, project, claims)),
    ]


def _scorecard(project: Project, claims: dict[str, Claim]) -> dict[str, str]:
    tables = {"summary": _summary(claims)}
    for document in DOCUMENTS:
        lines = ["| | what | verdict | source | ours | runs |", "|---|---|---|---:|---:|---:|"]
        for claim in _of(claims, document):
            for place, fact in enumerate(claim.facts):
                found = _found(project, fact)
                cells = [
                    f"**{claim.name}**" if place == 0 else "",
                    _cell(fact.what),
                    fact.verdict,
                    (f"⚠ {_cell(fact.source)}" if fact.wrong else _cell(fact.source)) or NONE,
                    _ours(fact, found),
                    _runs(found),
                ]
                lines.append(f"| {' | '.join(cells)} |")
        tables[document.lower()] = "\n".join(lines) + "\n"
    return tables


def _summary(claims: dict[str, Claim]) -> str:
    lines = [f"| | {' | '.join(VERDICTS)} |", f"|---|{'---:|' * len(VERDICTS)}"]
    for document in DOCUMENTS:
        counted = Counter(fact.verdict for claim in _of(claims, document) for fact in claim.facts)
        lines.append(f"| {document} | {' | '.join(str(counted[verdict]) for verdict in VERDICTS)} |")
    return "\n".join(lines) + "\n"


def _errata(project: Project, claims: dict[str, Claim]) -> dict[str, str]:
    tables = {}
    for document in DOCUMENTS:
        pieces = []
        for claim in _of(claims, document):
            for fact in [fact for fact in claim.facts if fact.wrong]:
                pieces.append(_erratum(project, fact))
        tables[document.lower()] = "\n".join(pieces)
    return tables


def _erratum(project: Project, fact: Fact) -> str:
    found = _found(project, fact)
    lines = [f"### {fact.claim}: {fact.what}", "", f"Source: **{fact.source}**. Right: **{_ours(fact, found)}**.", ""]
    lines += [fact.because, ""]
    if fact.proof == "calculate":
        counted = isinstance(found.value, int) and not isinstance(found.value, bool)
        said = found.said + (f"{found.value:,}" if counted else str(found.value))
        lines += ["```python", fact.asked.rstrip(), "```", "", "```text", said.rstrip(), "```", ""]
    elif fact.proof == "order":
        lines += [_compared(project, fact), ""]
    if fact.cite:
        lines += [f"See {', '.join(f'{{cite:t}}`{key}`' for key in fact.cite)}.", ""]
    return "\n".join(lines)


def _compared(project: Project, fact: Fact) -> str:
    lines = [f"| `results/` | {fact.asked['measure'].replace('_', ' ')} | runs |", "|---|---:|---:|"]
    for one in (fact.asked["higher"], *fact.asked["than"]):
        found = mean(project, one, fact.asked)
        spread = f" ± {found.spread:.4f}" if found.spread is not None else ""
        lines.append(f"| {one} | {found.value:.4f}{spread} | {found.count} |")
    return "\n".join(lines)


def _of(claims: dict[str, Claim], document: str) -> list[Claim]:
    return sorted(
        (claim for claim in claims.values() if claim.document == document), key=lambda claim: int(claim.name[2:])
    )


def _found(project: Project, fact: Fact) -> Found | None:
    if not fact.proof:
        return None
    try:
        return look_up(project, fact)
    except NoEvidence:
        return None


def _ours(fact: Fact, found: Found | None) -> str:
    if fact.verdict == "awaiting a GPU":
        return NONE
    if fact.verdict == "explained":
        return ", ".join(f"{{cite:t}}`{key}`" for key in fact.cite)
    return _cell(fact.ours or (say(found, fact) if found else NONE))


def _runs(found: Found | None) -> str:
    return f"{found.count}, {found.devices}" if found and found.count else NONE


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
