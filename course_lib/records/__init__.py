"""Records of published training runs: JSON lines in ``results/``, the only source of numbers in prose.

:mod:`course_lib.training` writes them, chapters and tools read them.
"""

from course_lib.records import studies
from course_lib.records.comparison import difference, differences, family, holm, interval, mcnemar, p_value
from course_lib.records.lines import append, digest, read, results_folder
from course_lib.records.table import bench, compare, mean_and_spread, summary, table
from course_lib.records.weights import weights
