"""``book/claims.yml``: what the sources claim, what the book says of itself, and what proves it."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator

from course_lib.errors import CourseError
from course_tools.claims import literals
from course_tools.publishing.project import Project

FILE = Path("book") / "claims.yml"
# Every claim of the five documents that the course began with. None may be left out.
DOCUMENTS = {"A": 9, "B": 12, "C": 9, "D": 5, "E": 10}
# The historical and the general: only these may be explained instead of measured.
MAY_BE_EXPLAINED = {"A.1", "A.9", "B.1", *(f"B.{number}" for number in range(6, 12))}
# VGG-16 and ResNet-34 at 224 × 224: nothing smaller stands for them.
ONLY_FULL = {"C.3", "C.4"}
PROOFS = ("records", "order", "level", "difference", "calculate", "figures", "run", "printed")
# Settings of a run; all other measures of a record are its results.
SETTINGS = ("epochs", "batch_size", "learning_rate")
MEASURED = ("records", "order", "level", "difference")


@dataclass(frozen=True)
class Fact:
    """One statement and what proves it.

    ``claim`` is its claim's name and ``what`` says which of the claim's facts it is. ``source`` is the source's own
    value, as a literal or in words; of an ``ours`` fact, which no source states, it is our own. ``wrong`` marks an
    error of the source, which the Errata explain. ``proof`` is the kind of evidence (one of ``PROOFS``, or empty for
    what is explained or cited) and ``query`` what the ledger says of it. ``band`` is how far a measured value may lie
    from the source's, in units of 1. ``note`` says what is smaller in our run, or whose setting it is. ``ours`` puts
    into words what is no number. ``needs_numbers`` calculations run on the CPU; the others on torch's meta device, in
    no time.
    """

    claim: str
    what: str
    source: str = ""
    verdict: str = ""
    wrong: bool = False
    proof: str = ""
    query: Any = None
    band: float | None = None
    because: str = ""
    note: str = ""
    ours: str = ""
    cite: tuple[str, ...] = ()
    needs_numbers: bool = False

    @property
    def title(self) -> str:
        return f"{self.claim}, {self.what}" if self.what else self.claim

    @cached_property
    def literal(self) -> literals.Literal | None:
        """The source's value, read; None where it is put in words."""
        try:
            return literals.read(self.source)
        except ValueError:
            return None


@dataclass(frozen=True)
class Claim:
    """A claim of a document (``A.8``), or one of the book's own (``lenet5-parameters``)."""

    name: str
    facts: list[Fact]

    @property
    def document(self) -> str:
        """``A`` to ``E``; empty for one of the book's own."""
        return self.name[0] if self.name[0].isupper() else ""


def read(project: Project) -> dict[str, Claim]:
    """All claims by name, the documents' first.

    Raises: CourseError, naming the place, for a ledger that is missing, malformed or incomplete.
    """
    file = project.root / FILE
    if not file.is_file():
        raise CourseError(f"There is no {FILE}: it belongs to the book, so bring it back with `git checkout`.")
    try:
        ledger = yaml.load(file.read_text(encoding="utf-8"), Loader=_NoDuplicates)
    except yaml.YAMLError as error:
        place = getattr(error, "problem_mark", None)
        where = f", line {place.line + 1}" if place else ""
        raise CourseError(f"{FILE}{where}: {getattr(error, 'problem', error)}: fix it.") from error
    schema = json.loads((Path(__file__).parent / "schema.json").read_text(encoding="utf-8"))
    problem = next(iter(sorted(Draft202012Validator(schema).iter_errors(ledger), key=lambda error: error.path)), None)
    if problem is not None:
        raise CourseError(f"{FILE}: {_place_of(problem)}: {problem.message[:200]}: fix it.")
    claims = {
        name: Claim(name, [_fact(name, fact) for fact in entry["facts"]]) for name, entry in ledger["sources"].items()
    }
    claims |= {name: Claim(name, [_fact(name, entry)]) for name, entry in (ledger["book"] or {}).items()}
    _refuse_what_is_missing(claims)
    return claims


def _fact(claim: str, entry: dict) -> Fact:
    proof = next((kind for kind in PROOFS if kind in entry), "")
    return Fact(
        claim=claim,
        what=entry.get("what", ""),
        source=entry.get("source", entry.get("value", "")),
        verdict=entry.get("verdict", ""),
        wrong=entry.get("wrong", False),
        proof=proof,
        query=entry.get(proof),
        band=entry.get("band"),
        because=" ".join(entry.get("because", "").split()),
        note=entry.get("note", ""),
        ours=entry.get("ours", ""),
        cite=tuple(entry.get("cite", ())),
        needs_numbers=entry.get("numbers", False),
    )


def _refuse_what_is_missing(claims: dict[str, Claim]) -> None:
    wanted = [f"{document}.{number}" for document, count in DOCUMENTS.items() for number in range(1, count + 1)]
    for name in wanted:
        if name not in claims:
            raise CourseError(f"{FILE} has no {name}: every claim of the documents needs a verdict.")
    for claim in claims.values():
        if claim.document and claim.name not in wanted:
            raise CourseError(f"{FILE} has {claim.name}, which no document holds: take it out.")
        for fact in claim.facts:
            if fact.verdict == "explained" and claim.name not in MAY_BE_EXPLAINED:
                raise CourseError(f"{FILE}: {fact.title} may not be explained only: give the evidence.")
            if claim.name in ONLY_FULL and fact.proof in MEASURED and fact.query.get("profile") != "full":
                raise CourseError(f"{FILE}: {fact.title} is proven by a full run only: ask for `profile: full`.")
            agrees = fact.verdict in ("reproduced", "partly")
            setting = fact.proof == "records" and fact.query["measure"] in SETTINGS
            if fact.proof == "records" and agrees and fact.band is None and not setting:
                raise CourseError(f"{FILE}: {fact.title} is measured, so it needs a band: how near is near enough?")
            if agrees and fact.band is not None and fact.literal is None:
                raise CourseError(f"{FILE}: {fact.title} has a band, but no number of the source's.")


def _place_of(problem) -> str:
    path = list(problem.absolute_path)
    if len(path) > 3 and path[2] == "facts":
        return f"{path[1]}, fact {path[3] + 1}" + "".join(f", {part}" for part in path[4:])
    return ", ".join(map(str, path)) or "the file"


class _NoDuplicates(yaml.SafeLoader):
    """YAML lets the last of two equal keys win, silently. Here the second is an error."""


def _mapping(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict:
    loader.flatten_mapping(node)
    seen = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node)
        if not isinstance(key, str):
            raise yaml.constructor.ConstructorError(None, None, f"{key} is not a name", key_node.start_mark)
        if key in seen:
            raise yaml.constructor.ConstructorError(None, None, f"{key} stands there twice", key_node.start_mark)
        seen[key] = loader.construct_object(value_node, deep=True)
    return seen


_NoDuplicates.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)
