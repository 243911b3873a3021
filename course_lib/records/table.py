"""Records as a pandas table: one run a row."""

import pandas as pd

from course_lib.records import lines


def table(chapter: str | None = None) -> pd.DataFrame:
    """Published runs, one a row, oldest chapter first.

    Args:
        chapter: such as ``02-lenet``; None for all chapters.

    Returns: columns ``chapter``, ``name`` (of the run in its chapter), ``seed``, ``data``, ``epochs``, ``parameters``,
        ``multiply_adds`` (of one image);
        ``split`` (what it was judged by, ``test`` or ``validation``), and on those images ``accuracy``, ``macro_f1``,
        ``macro_precision``, ``macro_recall`` (shares in [0, 1]) and ``loss``; ``seconds``, ``peak_memory_mb``,
        ``device``, ``profile``, ``date``, ``commit`` and ``sha256``. No rows where nothing was published yet.
    Raises: CourseError for a line that is malformed or was changed.
    """
    columns = [
        "chapter",
        "name",
        "seed",
        "data",
        "epochs",
        "parameters",
        "multiply_adds",
        "split",
        "accuracy",
        "macro_f1",
        "macro_precision",
    ]
    columns += ["macro_recall", "loss", "seconds", "peak_memory_mb", "device", "profile", "date", "commit", "sha256"]
    rows = []
    for path in sorted(lines.results_folder().glob("*.jsonl")):
        if chapter in (None, path.stem):
            for record in lines.read(path):
                flat = {**record["recipe"], **record["final"], **record["machine"], **record}
                flat |= {"seconds": record["seconds"]["total"], "epochs": len(record["epochs"])}
                rows.append({column: flat[column] for column in columns})
    return pd.DataFrame(rows, columns=columns)
