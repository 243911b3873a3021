"""Record files: JSON lines, one run a line, each with the SHA-256 of its own canonical JSON."""

import hashlib
import json
import math
import os
from pathlib import Path
from typing import Any

from course_lib import runlog, storage
from course_lib.errors import CourseError


def results_folder() -> Path:
    """The folder of the published records: ``results/`` of the checkout, or the copy inside an installed package.

    The environment variable ``COURSE_RESULTS`` replaces it.
    """
    if os.environ.get("COURSE_RESULTS"):
        return storage.user_path(os.environ["COURSE_RESULTS"])
    package = Path(__file__).parents[1]
    checkout = package.parent / "results"
    return checkout if checkout.is_dir() else package / "results"


def chapter_files() -> list[Path]:
    """The published record files, one a chapter (``02-lenet.jsonl``), in the order of the chapters.

    Studies' records and measurements such as ``bench-cpu.jsonl`` are left out.
    """
    return sorted(results_folder().glob("[0-9][0-9]-*.jsonl"))


def canonical(record: dict[str, Any]) -> str:
    """A record as JSON with sorted keys, no spaces and no NaN, its own ``sha256`` left out."""
    content = {key: value for key, value in record.items() if key != "sha256"}
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest(record: dict[str, Any]) -> str:
    """SHA-256 of a record's canonical JSON, in hexadecimal."""
    return hashlib.sha256(canonical(record).encode()).hexdigest()


def append(path: Path, record: dict[str, Any]) -> dict[str, Any]:
    """Add a record to a file as one line, with its digest. NaN becomes null. Returns the record as written."""
    record = _without_nan({key: value for key, value in record.items() if key != "sha256"})
    record["sha256"] = digest(record)
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    before += "" if before.endswith("\n") or not before else "\n"
    with storage.writable_folder(path.parent), storage.atomic_file(path) as scratch:
        line = json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        scratch.write_text(f"{before}{line}\n", encoding="utf-8")
    return record


def read(path: Path) -> list[dict[str, Any]]:
    """All records of one file, each checked against its own digest.

    Raises: CourseError naming file and line where a line is no record, or was changed after it was written.
    """
    runlog.note("records", path.stem)
    records = []
    text = path.read_text(encoding="utf-8-sig")
    for number, line in enumerate(text.removesuffix("\n").split("\n") if text else [], 1):  # splitlines ends more lines
        where = f"{path.name}, line {number}"
        try:
            record = json.loads(line)
            claimed, actual = record["sha256"], digest(record)
        except (ValueError, TypeError, KeyError) as error:
            raise CourseError(f"{where} is not a record: take the file from git, or publish again.") from error
        if claimed != actual:
            raise CourseError(
                f"{where} was changed after it was written (its SHA-256 is wrong): take the file from git, "
                "or publish the chapter again."
            )
        records.append(record)
    return records


def read_if_there(path: Path) -> list[dict[str, Any]]:
    """:func:`read`, or no records where nothing was published yet. Both are logged: a run depends on either."""
    runlog.note("records", path.stem)
    return read(path) if path.exists() else []


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value
