"""The library computes what it computed when the studies' records were published."""

from pathlib import Path

import pytest

from course_tools.publishing import fingerprints
from course_tools.publishing.project import Project
from course_tools.studies.plan import names
from course_tools.studies.run import fingerprint_of

PROJECT = Project(Path(__file__).parents[2])
LONG = "transfer-ladder"  # its 31 runs train; chapter 8 trains some of them on every commit


PUBLISHED = [name for name in names() if (PROJECT.results / f"study-{name}.jsonl").exists()]


@pytest.mark.parametrize(
    "study", [pytest.param(name, marks=pytest.mark.nightly if name == LONG else ()) for name in PUBLISHED]
)
def test_the_library_computes_what_the_study_did(study):
    published = fingerprints.read(fingerprints.published_file(PROJECT, f"study-{study}"))
    changed = fingerprints.differences(published, fingerprint_of(study))
    assert not changed, f"`course study {study}` has to run again: {'; '.join(changed)}"
