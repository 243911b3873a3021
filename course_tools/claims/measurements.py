"""Evidence from ``results/``: means over seeds, and comparisons of them.

``FILE/NAME``, such as ``02-lenet/LeNet-5, modern``, are the runs of one name in ``results/FILE.jsonl``. A ``measure``
is a number of a record, see ``course_lib/records/schema.json``; ``moved_4`` is the accuracy on images moved by four
pixels, and ``moved_4_whole`` that of the images that lose no ink. All functions raise NoEvidence where nothing was
recorded, and CourseError for a measure that no record has, two records of one recipe that disagree, and a record that
is malformed or was changed.
"""

import json
import math
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from course_lib import records
from course_lib.errors import CourseError
from course_tools.claims.evidence import UNDECIDED, Evidence, NoEvidence, project_of_claims

SAME = 0.005  # two runs of one recipe, seed included, differ by rounding: by so much accuracy at most
SEEDS = 5  # that an order needs
SETTINGS = ("epochs", "batch_size", "learning_rate")  # of a run; all other measures of a record are its results


def mean(
    of: str,
    measure: str = "accuracy",
    *,
    epoch: int | None = None,
    per: str | None = None,
    split: str | None = "test",
    profile: str | None = None,
) -> Evidence:
    """Mean and spread of a measure over the seeds of one run.

    Args:
        of: FILE/NAME.
        measure: such as ``accuracy``, ``parameters``, ``train_loss``, ``gap``.
        epoch: of which epoch, from 1; -1 is the last.
        per: ``epoch`` divides by the number of epochs.
        split: the images on which the run was judged at its end; None for any, where ``epoch`` is given.
        profile: ``cpu`` or ``full``; either, if not given.
    """
    values, runs = _measured(of, measure, epoch, per, split, profile)
    counted = pd.api.types.is_integer_dtype(values) and values.nunique() == 1  # such as epochs: nothing spreads
    spread = float(values.std()) if len(values) > 1 and not counted else None
    kind = "setting" if measure in SETTINGS else "mean"
    return _of_runs(runs, measure, float(values.mean()), spread, len(values), kind)


def difference(of: str, minus: str, measure: str = "accuracy", mixed: str = "", **which) -> Evidence:
    """The difference of two means; its spread is half the width of its 95 % t interval.

    Args:
        of, minus: FILE/NAME.
        measure: as in ``mean``.
        mixed: which of ``precision`` and ``processor`` may differ between the two, because that is what is compared.
        **which: as in ``mean``.

    Raises: CourseError, besides, where the runs come from machines or precisions that are not the same.
    """
    (first, runs), (second, others) = (_measured(name, measure, **which) for name in (of, minus))
    _refuse_mixture(f"{of!r} and {minus!r}", runs + others, mixed)
    try:
        value, half = records.difference(first, second)
    except ValueError as error:
        raise CourseError(f"{of!r} or {minus!r} has one seed: that supports no comparison.") from error
    return _of_runs(runs + others, measure, value, half, min(len(first), len(second)), "difference")


def higher(of: str, *than: str, measure: str = "accuracy", **which) -> Evidence:
    """Whether one mean lies above all others, by the 95 % t interval of each difference.

    It does where all intervals lie above zero, and does not where one lies below. Otherwise the value is "undecided",
    as it is with fewer than five seeds; the note has the differences then.
    """
    means = [mean(name, measure, **which) for name in (of, *than)]
    fewest = min(found.count for found in means)
    runs = tuple(run for found in means for run in found.runs)
    order = replace(means[0], value=UNDECIDED, spread=None, count=fewest, kind="order", runs=runs)
    if fewest == 1:  # that supports no interval
        return replace(order, note=" and ".join(f"{_in_words(each, measure)} in {each.count}" for each in means))
    differences = [difference(of, other, measure, **which) for other in than]
    holds = all(apart.value > apart.spread for apart in differences)
    fails = any(apart.value < -apart.spread for apart in differences)
    if fewest < SEEDS or not (holds or fails):
        apart = ", ".join(_in_words(apart, measure) for apart in differences)
        return replace(order, note=f"{apart} in {fewest} seeds")
    lines = [f"| `results/` | {measure.replace('_', ' ')} | runs |", "|---|---:|---:|"]
    for name, found in zip((of, *than), means, strict=True):
        spread = f" ± {found.spread:.4f}" if found.spread is not None else ""
        lines.append(f"| {name} | {found.value:.4f}{spread} | {found.count} |")
    return replace(order, value=holds, printed="\n".join(lines))


def level(first: str, second: str, *, within: float, measure: str = "accuracy", **which) -> Evidence:
    """Whether two means lie no further apart than ``within``."""
    one, other = (mean(name, measure, **which) for name in (first, second))
    return replace(one, value=abs(one.value - other.value) <= within, spread=None, kind="level")


def record(of: str, seed: int = 0, **which) -> dict:
    """The record of one run, by FILE/NAME and seed."""
    return next(run for run in _runs(of, **which) if run["seed"] == seed)


def _refuse_mixture(names: str, runs: list[dict], mixed: str) -> None:
    kinds = {
        "precision": {run["recipe"]["precision"] for run in runs},
        "processor": {run["machine"].get("processor", run["machine"]["device"]) for run in runs},
    }
    for kind, values in kinds.items():
        if len(values) > 1 and kind != mixed:
            raise CourseError(
                f"{names} ran with more than one {kind}, {' and '.join(sorted(values))}: run one of them again, or "
                f'give `mixed="{kind}"` where that is what is compared.'
            )


def _in_words(evidence: Evidence, measure: str) -> str:
    """A mean with its spread, such as ``91.2 ± 0.5 %``, or a difference with its interval: ``+1.2 ± 0.5 points``."""
    unit, sign = (" points", "+") if evidence.kind == "difference" else (" %", "")
    if measure == "seconds":
        unit = " s"
    elif measure not in ("accuracy", "val_accuracy", "val_fluctuation", "gap"):
        unit = ""
    value, *half = (100 * number if unit in (" points", " %") else number for number in evidence.numbers)
    decimals = max(0, 1 - math.floor(math.log10(half[0]))) if half and half[0] else 2
    text = f"{value:{sign}.{decimals}f}" + "".join(f" ± {number:.{decimals}f}" for number in half)
    return text.replace("-", "−") + unit


def _of_runs(runs: list[dict], measure: str, value: float, spread: float | None, count: int, kind: str) -> Evidence:
    profiles = frozenset(run["profile"] for run in runs)
    devices = ", ".join(sorted({run["machine"]["device"] for run in runs}))
    return Evidence(value, spread, count, kind, profiles, devices, measure=measure, runs=tuple(runs))


def _measured(
    of: str,
    measure: str,
    epoch: int | None = None,
    per: str | None = None,
    split: str | None = "test",
    profile: str | None = None,
) -> tuple[pd.Series, list[dict]]:
    """A measure of each run of one name, indexed by seed, and the runs."""
    runs = _runs(of, split, profile)
    seeds = pd.Index([run["seed"] for run in runs], name="seed")
    return pd.Series([_measure(run, measure, epoch, per) for run in runs], seeds), runs


def _runs(of: str, split: str | None = "test", profile: str | None = None) -> list[dict]:
    file, _, name = of.partition("/")
    path = project_of_claims.get().results / f"{file}.jsonl"
    if not path.exists():
        raise NoEvidence(f"there is no results/{file}.jsonl: {_how_to_get(file)}.")
    runs = [
        run
        for run in _read(path, path.stat().st_mtime_ns, path.stat().st_size)
        if run["name"] == name and split in (None, run["final"]["split"]) and profile in (None, run["profile"])
    ]
    if not runs:
        in_profile = f" in profile {profile}" if profile else ""
        raise NoEvidence(
            f"results/{file}.jsonl has no run {name!r} judged on {split or 'any'} images{in_profile}: "
            f"{_how_to_get(file)}."
        )
    return _one_per_recipe(file, runs)


@cache
def _read(path: Path, _changed: int, _size: int) -> list[dict]:
    """Cached, for hundreds of facts need the same few files; a file that was changed is read again."""
    return records.read(path)


def _one_per_recipe(file: str, records_of_name: list[dict]) -> list[dict]:
    """A recipe holds its seed, so two records of one recipe are one run, made twice: it counts once.

    Raises: CourseError where the two disagree.
    """
    runs: dict[str, list[dict]] = {}
    for record in records_of_name:
        runs.setdefault(json.dumps([record["profile"], record["recipe"]], sort_keys=True), []).append(record)
    for same in runs.values():
        accuracies = [record["final"]["accuracy"] for record in same]
        if max(accuracies) - min(accuracies) > SAME:
            raise CourseError(
                f"results/{file}.jsonl holds two records of one recipe and seed of {same[0]['name']!r} that disagree: "
                f"{min(accuracies):.2%} and {max(accuracies):.2%}. One of them is wrong: run it again."
            )
    return [same[0] for same in runs.values()]


def _how_to_get(file: str) -> str:
    if file.startswith("study-"):
        return f"call `course study {file.removeprefix('study-')} --publish`"
    return f"run and publish {file}"


def _measure(record: dict, measure: str, epoch: int | None, per: str | None) -> float:
    measures = {
        **record,
        **record["machine"],
        **record["recipe"],
        **record["final"],
        "seconds": record["seconds"]["total"],
    }
    for moved in record.get("moved", []):
        measures |= {
            f"moved_{moved['right']}": moved["accuracy"],
            f"moved_{moved['right']}_whole": moved["accuracy_whole"],
        }
    if epoch is not None:
        place = epoch - 1 if epoch > 0 else epoch
        if epoch == 0 or not -len(record["epochs"]) <= place < len(record["epochs"]):
            raise CourseError(f"{record['name']!r} has no epoch {epoch}, it has {len(record['epochs'])}.")
        measures = record["epochs"][place]
        if measures["val_loss"] is not None:
            gap = measures["train_accuracy"] - measures["val_accuracy"]
            measures = measures | {"gap": gap, "loss_gap": measures["train_loss"] - measures["val_loss"]}
    if measure == "val_fluctuation":
        curve = [epoch["val_accuracy"] for epoch in record["epochs"]]
        value = float(np.std(curve, ddof=1)) if len(curve) > 1 and None not in curve else None
    else:
        value = measures.get(measure)
    if not isinstance(value, int | float):
        raise CourseError(
            f"a record of {record['name']!r} has no number {measure!r}: see course_lib/records/schema.json."
        )
    return value / len(record["epochs"]) if per == "epoch" else value
