"""Backstage of ``course data``: all that the course fetches from elsewhere, data sets and pretrained weights alike.

Without names, ``fetch`` brings what most chapters need, ``verify`` checks that and whatever else is there, and
``where`` lists everything.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from course_lib import weights
from course_lib.data import cache, catalog, sources
from course_lib.errors import CourseError
from course_lib.weights.catalog import CATALOG as WEIGHTS

USUAL = (*catalog.CATALOG, "mobilenet-v2")


@dataclass(frozen=True)
class Download:
    """One thing to fetch: ``fetch`` replaces a damaged file, ``verify`` says whether it is there or raises."""

    name: str
    title: str
    path: Path
    fetch: Callable[[], Path]
    verify: Callable[[], bool]


def every() -> dict[str, Download]:
    """All data sets and all weights, by name."""
    data = [
        Download(
            name=spec.name,
            title=spec.title,
            path=cache.path_of(spec),
            fetch=lambda spec=spec: sources.ensure(spec, again=True),
            verify=lambda spec=spec: cache.verify(spec),
        )
        for spec in catalog.CATALOG.values()
    ]
    trained = [
        Download(
            name=name,
            title=f"Weights {name}",
            path=weights.path_of(name),
            fetch=lambda name=name: weights.ensure(name, again=True),
            verify=lambda name=name: weights.verify(name),
        )
        for name in WEIGHTS
    ]
    return {one.name: one for one in (*data, *trained)}


def pick(names: Sequence[str]) -> list[Download]:
    """The downloads of these names. Raises CourseError for a name that is neither data set nor weights."""
    known = every()
    for name in names:
        if name not in known:
            raise CourseError(f"No data set and no weights are called {name!r}: choose from {', '.join(known)}.")
    return [known[name] for name in names]


def fetch(names: Sequence[str]) -> Iterator[str]:
    """Fetch, or replace what is damaged; one line each. Raises CourseError where that cannot be done."""
    for one in pick(names or USUAL):
        yield f"{one.title}: {one.fetch()}"


def verify(names: Sequence[str]) -> Iterator[str]:
    """Check every SHA-256; one line for each that is right. Raises CourseError, at the end, for all that are not."""
    problems = []
    for one in pick(names) or [one for one in every().values() if one.name in USUAL or one.path.exists()]:
        try:
            if one.verify():
                yield f"{one.title}: every SHA-256 is right ({one.path})"
            else:
                verb = "are" if one.name in WEIGHTS else "is"
                problems.append(f"{one.title} {verb} not in the cache: run `course data fetch {one.name}`.")
        except CourseError as error:
            problems.append(str(error))
    if problems:
        raise CourseError(" ".join(problems))


def where(names: Sequence[str]) -> Iterator[str]:
    """The file of each, and whether it is there."""
    for one in pick(names) or every().values():
        yield f"{one.title}: {one.path} ({'present' if one.path.exists() else 'not fetched yet'})"
