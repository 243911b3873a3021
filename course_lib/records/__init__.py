"""What published training runs left behind: one JSON line a run, in ``results/``. The only source of numbers in prose.

This room imports none of the others; :mod:`course_lib.training` writes through it, chapters and backstage read.
"""

from course_lib.lazy import lazy_names
from course_lib.records.comparison import compare
from course_lib.records.lines import append, digest, read, results_folder
from course_lib.records.table import table

__getattr__, _, _on_demand = lazy_names(__name__, {"measurements": ["bench"]})
__all__ = ["append", "compare", "digest", "read", "results_folder", "table", *_on_demand]


def __dir__() -> list[str]:
    return sorted(__all__)
