"""The evidence for a fact of the ledger: from records, calculations and published runs."""

import ast
import contextlib
import io
import json
import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.nn import functional as F

from course_lib import analysis, data, models, plots, records, training
from course_lib.errors import CourseError
from course_tools.claims import literals
from course_tools.claims.ledger import Fact
from course_tools.publishing import pairs
from course_tools.publishing.project import Chapter, Project

SAME = 0.005  # two runs of one recipe, seed included, differ by rounding: by so much accuracy at most


class NoEvidence(CourseError):
    """Nothing was recorded yet that could prove a fact."""


@dataclass(frozen=True)
class Evidence:
    """A number, with its ``spread`` over ``count`` runs, or whether a statement holds.

    ``value`` is a number, a text, or True and False; ``printed`` is what a calculation printed. A difference's
    ``spread`` is half the width of its 95 % t interval.
    """

    value: float | str | bool
    spread: float | None = None
    count: int = 0
    printed: str = ""
    devices: str = ""

    @property
    def numbers(self) -> tuple[float, ...]:
        """Value and spread, as a literal takes them."""
        return (self.value,) if self.spread is None else (self.value, self.spread)


def look_up(project: Project, fact: Fact) -> Evidence:
    """The evidence for a fact.

    Raises: NoEvidence where nothing was recorded; CourseError for a measure that no record has, a calculation
        that fails, two records of one recipe that disagree, and a record that is malformed or was changed.
    """
    query = fact.query
    proofs = {
        "records": lambda: mean(project, query["of"], query),
        "order": lambda: _order(project, query),
        "level": lambda: _level(project, query),
        "difference": lambda: _minus(project, query["of"], query["minus"], query),
        "calculate": lambda: calculate(query, fact.needs_numbers),
        "figures": lambda: _figures(project, query),
        "run": lambda: _run(project, query),
        "printed": lambda: _printed(project, query),
    }
    try:
        return proofs[fact.proof]()
    except CourseError as error:
        raise type(error)(f"{fact.title}: {error}") from error


def mean(project: Project, of: str, query: dict[str, Any]) -> Evidence:
    """Mean and spread of a measure over the seeds of one run, ``FILE/NAME`` such as ``02-lenet/LeNet-5, modern``."""
    values, devices = _measured(project, of, query)
    counted = pd.api.types.is_integer_dtype(values) and values.nunique() == 1  # such as epochs: nothing spreads
    spread = float(values.std()) if len(values) > 1 and not counted else None
    return Evidence(float(values.mean()), spread, len(values), devices=devices)


def _measured(project: Project, of: str, query: dict[str, Any]) -> tuple[pd.Series, str]:
    """A measure of each run of one name, indexed by seed, and the devices that ran them."""
    runs = _runs(project, of, query.get("split", "test"), query.get("profile"))
    values = [_measure(record, query["measure"], query.get("epoch"), query.get("per")) for record in runs]
    seeds = pd.Index([record["seed"] for record in runs], name="seed")
    return pd.Series(values, seeds), ", ".join(sorted({record["machine"]["device"] for record in runs}))


def _runs(project: Project, of: str, split: str, profile: str | None) -> list[dict]:
    file, _, name = of.partition("/")
    path = project.results / f"{file}.jsonl"
    if not path.exists():
        raise NoEvidence(f"there is no results/{file}.jsonl: {_how_to_get(file)}.")
    runs = [
        record
        for record in _read(path, path.stat().st_mtime_ns, path.stat().st_size)
        if record["name"] == name and record["final"]["split"] == split and profile in (None, record["profile"])
    ]
    if not runs:
        in_profile = f" in profile {profile}" if profile else ""
        raise NoEvidence(
            f"results/{file}.jsonl has no run {name!r} judged on {split} images{in_profile}: {_how_to_get(file)}."
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


def _order(project: Project, query: dict[str, Any]) -> Evidence:
    """Whether one mean lies above all others: the 95 % t interval of each difference lies above zero."""
    differences = [_minus(project, query["higher"], other, query) for other in query["than"]]
    holds = all(difference.value > difference.spread for difference in differences)
    return Evidence(holds, count=differences[0].count, devices=differences[0].devices)


def _minus(project: Project, of: str, minus: str, query: dict[str, Any]) -> Evidence:
    """The difference of two means; its spread is half the width of its 95 % t interval."""
    first, devices = _measured(project, of, query)
    second, _ = _measured(project, minus, query)
    try:
        value, half = records.difference(first, second)
    except ValueError as error:
        raise CourseError(f"{of!r} or {minus!r} has one seed: that supports no comparison.") from error
    return Evidence(value, half, min(len(first), len(second)), devices=devices)


def _level(project: Project, query: dict[str, Any]) -> Evidence:
    """Whether two means lie no further apart than ``within``."""
    first, second = (mean(project, name, query) for name in query["between"])
    near = abs(first.value - second.value) <= query["within"]
    return Evidence(near, count=first.count, devices=first.devices)


@cache
def calculate(code: str, needs_numbers: bool = False) -> Evidence:
    """Run a few lines of Python over the library. Their last expression is the value.

    Raises: CourseError, with Python's own words, where they fail.
    """
    names = {"torch": torch, "nn": nn, "F": F, "math": math, "np": np}
    names |= {"models": models, "analysis": analysis, "data": data, "training": training, "plots": plots}
    printed = io.StringIO()
    try:
        tree = ast.parse(code)
        last = tree.body.pop()
        if not isinstance(last, ast.Expr):
            raise CourseError("its calculation must end with an expression.")
        with torch.device("cpu" if needs_numbers else "meta"), contextlib.redirect_stdout(printed):
            exec(compile(tree, "<calculation>", "exec"), names)
            value = eval(compile(ast.Expression(last.value), "<calculation>", "eval"), names)
            value = value.item() if isinstance(value, torch.Tensor | np.generic) else value
    except CourseError:
        raise
    except Exception as error:
        raise CourseError(f"its calculation raised {type(error).__name__}: {error}") from error
    if not isinstance(value, bool | int | float | str):
        raise CourseError(f"its calculation ends with a {type(value).__name__}, it has to be a number or a word.")
    return Evidence(value, printed=printed.getvalue())


def _figures(project: Project, query: dict[str, Any]) -> Evidence:
    """Whether the published chapters hold the figures: a cell that calls the function and shows a picture."""
    for name, functions in query.items():
        chapter = _chapter(project, name)
        cells = [
            cell.source
            for cell in pairs.read_notebook(chapter).cells
            if cell.cell_type == "code" and any("image/png" in output.get("data", {}) for output in cell.outputs)
        ]
        missing = [function for function in functions if not any(f"{function}(" in source for source in cells)]
        if missing:
            raise NoEvidence(f"{name} shows no figure of {', '.join(missing)}.")
    return Evidence(True)


def _printed(project: Project, query: dict[str, Any]) -> Evidence:
    """The number after some words in what the published chapter printed, from a run in one of ``profiles``."""
    chapter, words = _chapter(project, query["chapter"]), query["behind"]
    notebook = pairs.read_notebook(chapter)
    if notebook.metadata.get("course", {}).get("run", {}).get("profile") not in query["profiles"]:
        raise NoEvidence(f"{chapter.name} is not published from a {' or '.join(query['profiles'])} run.")
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    printed = [output.get("text", "") for output in outputs if output.output_type == "stream"]
    try:
        values = {literals.read(text.partition(words)[2]).values for text in printed if words in text}
    except ValueError as error:
        raise NoEvidence(f"{chapter.name} prints no number behind {words!r}: {error}.") from error
    if len(values) != 1:
        seen = "different numbers" if values else "nothing"
        raise NoEvidence(f"{chapter.name} prints {seen} behind {words!r}.")
    return Evidence(values.pop()[0])


def _chapter(project: Project, name: str) -> Chapter:
    for chapter in project.chapters():
        if chapter.name == name and chapter.notebook.is_file():
            return chapter
    raise NoEvidence(f"there is no chapter {name}.")


def _run(project: Project, query: dict[str, Any]) -> Evidence:
    """What a chapter's published run took: seconds, or bytes of memory."""
    chapter = _chapter(project, query["chapter"])
    run = pairs.read_notebook(chapter).metadata.get("course", {}).get("run", {})
    if run.get("profile") != query["profile"]:
        raise NoEvidence(f"{chapter.name} is not published from a {query['profile']} run.")
    return Evidence(float(run["seconds"]) if query["measure"] == "seconds" else run["peak_memory_mb"] * 1e6)
