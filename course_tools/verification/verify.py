"""Number, evidence, record, weights, and these weights evaluated again: ``course verify NAME``."""

import difflib
import inspect
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from course_lib import analysis, records, training
from course_lib.data import Split
from course_lib.errors import CourseError
from course_lib.records.table import mean_and_spread
from course_lib.records.weights import read_weights, runs_with_weights
from course_tools.claims import ledger, prose
from course_tools.claims.evidence import Evidence, look_up
from course_tools.claims.ledger import Fact
from course_tools.claims.measurements import mean
from course_tools.publishing import literals
from course_tools.publishing.project import Project
from course_tools.verification.reruns import planned_run, run_name

MOST = 5  # answers that may differ from the record's: weights are rounded, and processors round otherwise, too

# The kinds of evidence without runs.
_OTHER = {
    "calculation": "calculation",
    "figures": "statement about figures",
    "printed": "number that a chapter printed",
    "run": "measurement of a chapter's run",
}


def verifiable(project: Project) -> dict[str, list[str]]:
    """The runs whose weights are kept, with the claims that are their mean accuracy."""
    claims = ledger.read(project)
    facts = [(name, fact) for name, claim in claims.items() for fact in claim.facts if fact.verdict != "awaiting"]

    def stand_on(run: str) -> Iterator[str]:
        for name, fact in facts:
            if run in inspect.unwrap(fact.evidence).__code__.co_consts and _is_accuracy(look_up(project, fact)):
                yield name

    return {run: list(stand_on(run)) for run in runs_with_weights(project.results)}


def verify(project: Project, name: str) -> Iterator[str]:
    """Follow a number down to its weights, evaluate them on the CPU, and say in a line each what was found.

    Args:
        project: the checkout.
        name: a claim, such as ``readme-resnet``, or runs, such as ``study-lenet-fair/perceptron``.

    Raises: CourseError for an unknown name, a number that is no mean accuracy of one network's runs or has no weights,
        a record or weights that were changed, and where the weights answer more than ``MOST`` images otherwise.
    """
    evidence = accuracy_of(project, name)
    if "/" not in name:
        yield f"number    {_in_the_book(project, name, evidence)}"
    of = run_name(evidence.runs[0])
    accuracies = pd.Series([run["final"]["accuracy"] for run in evidence.runs])
    yield f"evidence  {mean_and_spread(accuracies)}: the runs {of}"
    kept = read_weights(of, project.results)
    record = kept.record
    if record["sha256"] not in {run["sha256"] for run in evidence.runs}:
        raise CourseError(f"The weights of {of!r} are of a run that {name} does not count: verify {of!r}.")
    yield f"record    seed {record['seed']}: {_errors(record)}; SHA-256 {record['sha256'][:12]}… is right"
    file = kept.file.relative_to(project.root)
    yield f"weights   {file}, {kept.file.stat().st_size / 1e6:.2f} MB; SHA-256 {kept.sha256[:12]}… is right"
    run = planned_run(record)
    network = run.network()
    network.load_state_dict(kept.tensors)
    apart, errors = compare(network, run.judged(run.load()), record)
    yield f"again     {errors:,} errors, by these weights on this CPU"
    require_agreement(of, apart)
    yield f"agrees    at least {apart} answers differ from the record's, and up to {MOST} may"
    yield f"opened    one of {len(evidence.runs)} runs; the test images check a number here, and choose nothing"


def accuracy_of(project: Project, name: str) -> Evidence:
    """The mean accuracy of the runs that a name means: a claim, or FILE/NAME.

    Raises: CourseError for an unknown name, and for a claim that is anything else.
    """
    if "/" in name:
        facts, known, kind = [Fact(name, evidence=lambda: mean(name))], _runs(project), "runs"
    else:
        claims = ledger.read(project)
        facts, known, kind = claims[name].facts if name in claims else [], list(claims), "claim"
    if name not in known:
        close = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
        nearest = f" The nearest are {'; '.join(close)}." if close else ""
        raise CourseError(f"No {kind} {name!r} is known.{nearest} `course verify` lists what has weights.")
    found = [look_up(project, fact) for fact in facts if fact.verdict != "awaiting"]
    accuracies = [evidence for evidence in found if _is_accuracy(evidence)]
    if len(accuracies) == 1:
        return accuracies[0]
    if accuracies:
        names = "; ".join(run_name(evidence.runs[0]) for evidence in accuracies)
        raise CourseError(f"{name} holds {len(accuracies)} accuracies: verify the runs of one, {names}.")
    evidence = next(filter(None, found), None)
    kind = f"a {_kind(evidence)}" if evidence else "what a source or a paper says"
    read = "; ".join(dict.fromkeys(run_name(run) for run in evidence.runs)) if evidence else ""
    reads = f", which reads the records of {read}" if read else ""
    raise CourseError(f"{name} is {kind}{reads}: weights prove the mean accuracy of one network's runs, and no more.")


def compare(network, judged: Split, record: dict[str, Any], precision: str = "float32") -> tuple[int, int]:
    """How many answers of a network differ from its record's at least, and its errors.

    A record has no single answers, but how many images of each class got each answer: an answer that changed takes one
    image out of a cell of this matrix and puts it into another.
    """
    answers = training.predict(network, judged, device="cpu", precision=precision)
    now = analysis.confusion_matrix(answers).to_numpy()
    then = np.array(record["confusion"])
    errors = now.sum() - now.trace()
    claimed = round((1 - record["final"]["accuracy"]) * record["final"]["images"])
    return int(max(np.abs(now - then).sum() // 2, abs(errors - claimed))), int(errors)


def require_agreement(of: str, apart: int) -> None:
    """Raise CourseError where too many answers differ."""
    if apart > MOST:
        raise CourseError(
            f"{of}: at least {apart} answers differ from the record's, and up to {MOST} may: these are the weights of "
            "another run."
        )


def _is_accuracy(evidence: Evidence | None) -> bool:
    return evidence is not None and _kind(evidence) == "mean of accuracy on test images"


def _kind(evidence: Evidence) -> str:
    """Such as ``difference of seconds on test images``, or only ``calculation``."""
    splits = " and ".join(sorted({run["final"]["split"] for run in evidence.runs}))
    return (
        f"{evidence.kind} of {evidence.measure} on {splits} images"
        if evidence.runs
        else _OTHER.get(evidence.kind, evidence.kind)
    )


def _errors(record: dict[str, Any]) -> str:
    final = record["final"]
    return f"{round((1 - final['accuracy']) * final['images']):,} errors on {final['images']:,} {final['split']} images"


def _in_the_book(project: Project, name: str, evidence: Evidence) -> str:
    """The number as the prose gives it, and where. Raises CourseError where it gives another one than the claim's."""
    claim, files = ledger.read(project)[name], defaultdict(dict)
    for text in prose.texts(project):
        for place in literals.claimed(text.content):
            if place.claim == name:
                right = prose.corrected(project, claim, place.text)
                if right != place.text:
                    raise CourseError(
                        f"{text.where} says {place.text}, and {name} is {right}: `course claims --update`."
                    )
                if literals.read(place.text).matches(*evidence.numbers):
                    files[place.text][text.file.name] = None
    return "; ".join(f"{number} in {', '.join(names)}" for number, names in files.items()) or "in no page"


def _runs(project: Project) -> list[str]:
    """Every run that was judged on test images, as FILE/NAME."""
    files = [file for file in sorted(project.results.glob("*.jsonl")) if not file.stem.startswith("bench")]
    return [run_name(run) for file in files for run in records.read(file) if run["final"]["split"] == "test"]
