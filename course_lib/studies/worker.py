"""Train one planned run and write its record. A process of its own: whatever happens in it costs this run only."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from course_lib import data, records, training
from course_lib.data import Split
from course_lib.errors import CourseError
from course_lib.studies import plan
from course_lib.studies.planned import Planned
from course_lib.studies.preparing import part_of


def train(planned: Planned) -> dict[str, Any]:
    """Train, judge on the test images, and describe the run as a record that knows its key."""
    images = data.load(planned.data, size="sample" if planned.sample else "full")

    def prepared(split: Split) -> Split:
        return (
            split if planned.normalised else replace(split, mean=(0.0,) * len(split.mean), std=(1.0,) * len(split.std))
        )

    training.set_seed(planned.seed)
    network = planned.network()
    history = training.fit(
        network,
        prepared(part_of(images.train, planned.fraction, planned.seed)),
        prepared(images.val),
        seed=planned.seed,
        show=False,
        **planned.recipe,
    )
    history.recipe["model"] = type(getattr(network, "network", network)).__name__
    answers = training.predict(network, prepared(images.open_test()), precision=history.precision)
    made = training.record(planned.name, history, answers, images, images=planned.images)
    return made | {"study_key": planned.key}


def main(study: str, size: str, seed: str, key: str, file: str) -> int:
    """``python -m course_lib.studies.worker STUDY SIZE SEED KEY FILE``, called by :mod:`course_lib.studies.running`."""
    try:
        planned = next((one for one in plan(study, size, int(seed) + 1) if one.key == key), None)
        if planned is None:
            raise CourseError(f"The plan of {study} was changed since it began: call `course study {study}` again.")
        records.append(Path(file), train(planned))
    except CourseError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
