"""Train one planned run and write its record: ``python -m course_tools.studies.worker STUDY SIZE SEED KEY FILE``."""

import sys
from pathlib import Path

from course_lib import records
from course_lib.errors import CourseError
from course_tools.studies.plan import plan


def main(study: str, size: str, seed: str, key: str, file: str) -> int:
    """Returns the exit status. A process of its own, so that a crash costs this run only."""
    try:
        planned = next((run for run in plan(study, size, int(seed) + 1) if run.key == key), None)
        if planned is None:
            raise CourseError(f"The plan of {study} was changed since it began: call `course study {study}` again.")
        records.append(Path(file), planned.train() | {"study_key": planned.key})
    except CourseError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
