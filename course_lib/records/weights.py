"""Trained weights of a few published runs, beside their records: ``results/weights/FILE.NAME.safetensors``.

A file holds one network's state dict, floats in 16 bits. Its metadata, JSON under the key ``run``, name the ``run``
(FILE/NAME), its ``seed``, the SHA-256 of its ``record``, and the ``network``. ``SHA256SUMS`` lists the files' own.
Safetensors is a format without code: nothing is unpickled.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch

from course_lib.errors import CourseError
from course_lib.records import lines

SUMS = "SHA256SUMS"


@dataclass(frozen=True)
class TrainedWeights:
    """The weights of one run: their ``file``, its ``sha256``, the run's ``record``, and the state dict."""

    file: Path
    sha256: str
    record: dict[str, Any]
    tensors: dict[str, torch.Tensor]


def weights(run: str) -> dict[str, torch.Tensor]:
    """The weights with which a published run ended, for ``load_state_dict``: tensors on the CPU, floats in float32.

    They were rounded to 16 bits. They are of the first seed, so of one run among those whose mean the book gives.

    Args:
        run: FILE/NAME, such as ``study-lenet-fair/LeNet-5, modern``: the runs of that name in ``results/FILE.jsonl``.

    Raises: CourseError for a run without weights, which names those that have some, and for a file that was changed or
        belongs to another record.
    """
    return read_weights(run).tensors


def runs_with_weights(results: Path | None = None) -> list[str]:
    """The runs whose weights are kept, as FILE/NAME. ``results`` is by default the folder of the published records."""
    folder = (results or lines.results_folder()) / "weights"
    return sorted(_metadata(file)["run"] for file in folder.glob("*.safetensors"))


def read_weights(run: str, results: Path | None = None) -> TrainedWeights:
    """The weights of a run with their record, each checked: see :func:`weights`."""
    results = results or lines.results_folder()
    file = weights_file(run, results)
    if not file.exists():
        raise _no_weights(run, results)
    content = file.read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    if sha256 != checksums(results).get(file.name):
        raise CourseError(
            f"results/weights/{file.name} is not the published file (its SHA-256 is wrong): take it from git."
        )
    metadata = _metadata(file)
    if weights_file(metadata["run"], results) == file and metadata["run"] != run:  # such as lenet-5-modern
        raise _no_weights(run, results)
    return TrainedWeights(file, sha256, _record_of(run, metadata, results), _widened(content))


def _no_weights(run: str, results: Path) -> CourseError:
    known = "; ".join(runs_with_weights(results)) or "none so far"
    return CourseError(f"No weights of {run!r} are kept. Runs with weights: {known}.")


def weights_file(run: str, results: Path) -> Path:
    """Where the weights of a run are kept, or would be."""
    chapter, _, name = run.partition("/")
    return results / "weights" / f"{chapter}.{re.sub('[^a-z0-9]+', '-', name.lower()).strip('-')}.safetensors"


def checksums(results: Path) -> dict[str, str]:
    """The published SHA-256 of each file of weights, by its name."""
    path = results / "weights" / SUMS
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return {name: sha256 for sha256, name in (line.split("  ", 1) for line in text.splitlines())}


def _record_of(run: str, metadata: Mapping[str, str], results: Path) -> dict[str, Any]:
    """The record that a file of weights names. Raises CourseError where it is not one of this run's."""
    chapter, _, name = run.partition("/")
    for record in lines.read_if_there(results / f"{chapter}.jsonl"):
        if record["sha256"] == metadata["record"] and (record["name"], metadata["run"]) == (name, run):
            return record
    raise CourseError(
        f"The weights of {run!r} are of the record {metadata['record'][:12]}… of {metadata['run']!r}, which is not in "
        f"results/{chapter}.jsonl: `course verify {run!r} --train` makes them for today's record."
    )


def _metadata(file: Path) -> dict[str, Any]:
    try:
        with safetensors.safe_open(file, "pt") as opened:
            return json.loads(opened.metadata()["run"])
    except (safetensors.SafetensorError, ValueError, TypeError, KeyError) as error:
        raise CourseError(f"results/weights/{file.name} does not name its run: take the file from git.") from error


def _widened(content: bytes) -> dict[str, torch.Tensor]:
    tensors = safetensors.torch.load(content)
    return {key: tensor.float() if tensor.is_floating_point() else tensor for key, tensor in tensors.items()}
