"""Passages where a claim may be missing, for a person to look at. This lists, and fails nothing."""

import ast
import inspect
import math
import re
from collections import defaultdict
from collections.abc import Iterator

from course_tools.claims import prose
from course_tools.claims.evidence import look_up
from course_tools.claims.ledger import Claim, Fact
from course_tools.publishing import literals, pairs
from course_tools.publishing.project import Project

_COMPARES = re.compile(
    r"\b(?:better|best|worse|worst|faster|fastest|slower|slowest|more|less|fewer|higher|highest|lower|lowest|larger|smaller"
    r"|longer|shorter|above|below|ahead|behind|wins?|won|beats?|loses?|lost|gains?|helps?|helped|costs?|saves?|improves?"
    r"|no difference|as (?:good|many|much|well|fast|long)|level|alike|tie[sd]?|twice|half)\b",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"(?<=[.!?:])\s+(?=[A-Z\[*|`#>-])|\n\s*\n|\n(?=[-*|>#])")
_DECIMAL = re.compile(r"(?<![\w.,])−?\d[\d,]*\.\d+(?![\w.])")
# Calls of chapters whose strings a reader sees under or over a figure.
_CAPTIONS = ("finish", "set_title", "suptitle", "set_xlabel", "set_ylabel", "annotate", "text")


def passages(project: Project, claims: dict[str, Claim]) -> dict[str, list[str]]:
    """Passages to look at, by what may be missing; one line each."""
    return {
        "a number in a table or a caption, without a claim": list(_unclaimed(project)),
        "a comparison beside a number, without order, level or difference": list(_comparisons(project, claims)),
        "one claim in several roundings": list(_roundings(project, claims)),
    }


def _unclaimed(project: Project) -> Iterator[str]:
    for text in prose.texts(project):
        for line in literals.blanked(text.content).splitlines():
            if line.lstrip().startswith("|") and not set(line) <= set("|-: "):
                for cell in line.strip().strip("|").split("|"):
                    if _DECIMAL.search(cell) and not literals.CLAIM.search(cell):
                        yield f"{text.where}: {' '.join(cell.split())!r}"
    for chapter in project.chapters():
        for number, cell in enumerate(pairs.read_source(chapter).cells, 1):
            if cell.cell_type == "code":
                for caption in _captions(cell.source):
                    for missing in literals.uncovered(caption):
                        yield f"{chapter.source.name}, cell {number}, caption: {missing}"


def _captions(source: str) -> Iterator[str]:
    """The strings, f-strings with their gaps blank, that a code cell gives to a figure."""
    try:
        tree = ast.parse(re.sub(r"(?m)^\s*[%!].*$", "", source))
    except SyntaxError:
        return
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and getattr(call.func, "attr", getattr(call.func, "id", "")) in _CAPTIONS:
            for argument in [*call.args, *(keyword.value for keyword in call.keywords)]:
                parts = [part.value for part in ast.walk(argument) if isinstance(part, ast.Constant)]
                yield " ".join(part for part in parts if isinstance(part, str))


def _comparisons(project: Project, claims: dict[str, Claim]) -> Iterator[str]:
    kinds = {name: {_kind(project, fact) for fact in claim.facts} for name, claim in claims.items()}
    measured = {name for name, kind in kinds.items() if kind & {"mean", "setting", "printed"}}
    compares = {name for name, kind in kinds.items() if kind & {"order", "level", "difference"}}
    for text in prose.texts(project):
        for sentence in _SENTENCE.split(literals.blanked(text.content)):
            plain, named = literals.CLAIM.sub("", sentence), set(literals.named(sentence))
            word = _COMPARES.search(plain)
            if word and named & measured and not named & compares:
                yield f"{text.where}: {word[0]!r} in {' '.join(plain.split())[:160]!r}"


def _kind(project: Project, fact: Fact) -> str:
    """The kind of a fact's evidence; a calculation over records that is true or false compares them, as ``order`` does.

    What other calculations take out of records is a ``mean`` of them.
    """
    evidence = look_up(project, fact) if fact.verdict != "awaiting" else None
    if evidence is None or evidence.kind != "calculation":
        return evidence.kind if evidence else ""
    names = inspect.unwrap(fact.evidence).__code__.co_names
    if not {"records", "record", "studies"} & set(names):
        return "calculation"
    return "order" if isinstance(evidence.value, bool) else "mean"


def _roundings(project: Project, claims: dict[str, Claim]) -> Iterator[str]:
    quoted: dict[tuple, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for text in prose.texts(project):
        for place in literals.claimed(text.content):
            literal, claim = literals.read(place.text), claims.get(place.claim)
            known = prose.values_of(project, claim, literal.is_range) if claim else []
            exact = [values for values in known if values == literal.values]
            for values in exact or [values for values in known if literal.matches(*values)]:
                if not float(values[0]).is_integer():
                    quoted[place.claim, values][place.text].append(text.where)
    for (name, _), forms in quoted.items():
        styles = [literals.read(form) for form in forms]
        if len({round(style.decimals - math.log10(style.scale)) for style in styles}) > 1:
            yield f"{name}: " + "; ".join(f"{form} in {', '.join(where)}" for form, where in forms.items())
