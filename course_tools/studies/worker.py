"""Train one planned run and write its record. A process of its own: whatever happens in it costs this run only."""

import sys
from pathlib import Path

from course_lib import records
from course_lib.errors import CourseError
from course_tools.studies import plan


def main(study: str, size: str, seed: str, key: str, file: str) -> int:
    """Called by :mod:`.running`, as ``python -m course_tools.studies.worker STUDY SIZE SEED KEY FILE``."""
    try:
        planned = next((one for one in plan(study, size, int(seed) + 1) if one.key == key), None)
        if planned is None:
            raise CourseError(f"The plan of {study} was changed since it began: call `course study {study}` again.")
        records.append(Path(file), planned.train() | {"study_key": planned.key})
    except CourseError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
