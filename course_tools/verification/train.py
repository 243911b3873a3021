"""The weights themselves: the first seed of a run trained again, rounded to 16 bits, kept beside its record."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import safetensors.torch
import torch

from course_lib import training
from course_lib.errors import CourseError
from course_lib.records.weights import SUMS, checksums, weights_file
from course_lib.storage import atomic_file, writable_folder
from course_tools.publishing.project import Project
from course_tools.studies.plan import Planned, name_in_full
from course_tools.verification.reruns import images_of, planned_run, run_name
from course_tools.verification.verify import accuracy_of, compare, require_agreement

MOST_BYTES = 1_200_000  # of a file


def train(project: Project, name: str) -> Iterator[str]:
    """Train the first seed of a run as its record says, and keep its weights. Says in a line each what it does.

    Args:
        project: the checkout.
        name: as in :func:`course_tools.verification.verify.verify`.

    Raises: CourseError for a name, a run or a machine that will not do, a network that is too large, and where the
        trained network, or the rounded one, answers too many images otherwise than the record. Nothing is kept then.
    """
    record = min(accuracy_of(project, name).runs, key=lambda run: run["seed"])
    of, run = run_name(record), planned_run(record)
    size = 2 * record["recipe"]["parameters"]
    if size > MOST_BYTES:
        raise CourseError(
            f"{of!r} would take {size / 1e6:.1f} MB, and {MOST_BYTES / 1e6:.1f} MB are kept of a network."
        )
    training.choose_setup(run.network(), precision=record["recipe"]["precision"])
    images = images_of(record, run)
    yield f"training  {of}, seed {run.seed}; it took {record['seconds']['total']:.0f} s for the record"
    network, history = run.fit(images)
    changed = [key for key, value in history.recipe.items() if value != record["recipe"][key]]
    if changed:
        raise CourseError(
            f"{of!r} did not train by the recipe of its record, {', '.join(changed)} changed: nothing kept."
        )
    judged = run.judged(images)
    for state, precision in (("trained", history.precision), ("rounded", "float32")):
        if state == "rounded":
            network.load_state_dict(_rounded(network.state_dict()))
        apart, errors = compare(network, judged, record, precision)
        yield f"{state}   {errors:,} errors in {precision}; at least {apart} answers differ from the record's"
        require_agreement(of, apart)
    yield f"kept      {_keep(project, record, run, _rounded(network.state_dict()))}"


def _rounded(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Floats in 16 bits; the counters of batch norms are whole numbers and stay."""
    return {
        key: (tensor.half() if tensor.is_floating_point() else tensor).contiguous() for key, tensor in tensors.items()
    }


def _keep(project: Project, record: dict[str, Any], run: Planned, tensors: dict[str, torch.Tensor]) -> str:
    """Write the file and its SHA-256. Returns its path in the checkout."""
    of = run_name(record)
    facts = {"run": of, "seed": run.seed, "record": record["sha256"], "network": name_in_full(run.build)}
    # One key, for safetensors writes several in an order of chance, and equal weights should make equal files.
    content = safetensors.torch.save(tensors, {"run": json.dumps(facts)})
    file = weights_file(of, project.results)
    sums = checksums(project.results) | {file.name: hashlib.sha256(content).hexdigest()}
    with writable_folder(file.parent), atomic_file(file) as weights, atomic_file(file.with_name(SUMS)) as table:
        weights.write_bytes(content)
        table.write_text("".join(f"{sums[name]}  {name}\n" for name in sorted(sums)), encoding="utf-8")
    return str(file.relative_to(project.root))
