"""What published training runs left behind: one JSON line a run, in ``results/``. The only source of numbers in prose.

This room imports none of the others; :mod:`course_lib.training` writes through it, chapters and backstage read.
"""

from course_lib.records.comparison import compare
from course_lib.records.intervals import difference, interval
from course_lib.records.lines import append, digest, read, results_folder
from course_lib.records.measurements import bench
from course_lib.records.table import summary, table

__all__ = [
    "append",
    "bench",
    "compare",
    "difference",
    "digest",
    "interval",
    "read",
    "results_folder",
    "summary",
    "table",
]
