"""What ``make bench`` measured: speed, not accuracy alone. One JSON line each, beside the chapters' records."""

import pandas as pd

from course_lib.records import lines

KINDS = ("machine", "roof", "step", "target")


def bench(kind: str, device: str = "cpu") -> pd.DataFrame:
    """The measurements of one kind on one kind of machine, one a row.

    Args:
        kind: ``"machine"``, where and when they were made; ``"roof"``, multiply-adds a second at best; ``"step"``,
            milliseconds for 128 images; ``"target"``, seconds to an accuracy, one row a run.
        device: ``"cpu"`` or ``"gpu"``.

    Returns: no rows where nothing was measured yet.
    Raises: ValueError for another kind; CourseError for a line that is malformed or was changed.
    """
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}, not {kind!r}")
    found = lines.read_if_there(lines.results_folder() / f"bench-{device}.jsonl")
    return pd.DataFrame([one for one in found if one.get("kind") == kind])
