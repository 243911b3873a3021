"""``python -m course_lib.data``: fetch, verify or find data sets and pretrained weights."""

import sys
from collections.abc import Sequence

from course_lib import weights
from course_lib.data import cache, catalog
from course_lib.errors import CourseError, Parser, run_command
from course_lib.storage import Download

USUAL = (*catalog.CATALOG, "mobilenet-v2")  # what most chapters need


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``fetch``, ``verify`` or ``where``. Returns 0, 1 for an error that the reader can fix, or 2 for the usage."""
    known = ", ".join(downloads())
    parser = Parser(
        prog="python -m course_lib.data", description="Fetch, verify or find data sets and pretrained weights."
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION")
    for act, summary, default in (
        (fetch, "bring them into the cache, or replace damaged ones", ", ".join(USUAL)),
        (verify, "check what is in the cache against its SHA-256", "what fetch brings, and whatever else is there"),
        (where, "print where they are, or would be", "all"),
    ):
        action = actions.add_parser(act.__name__, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
        action.add_argument("names", nargs="*", metavar="NAME", help=f"{known}; default: {default}")
        action.set_defaults(act=act)
    options = parser.parse_args(arguments)
    if "act" not in options:
        parser.print_help()
        return 2
    return run_command(lambda: options.act(options.names))


def downloads() -> dict[str, Download]:
    """All data sets and all weights, by name."""
    every = [*map(cache.download, catalog.CATALOG.values()), *map(weights.download, weights.NAMES)]
    return {download.name: download for download in every}


def fetch(names: Sequence[str]) -> None:
    """Fetch, or replace what is damaged."""
    for download in _chosen(names or USUAL):
        print(f"{download.title}: {download.ensure(again=True)}")


def verify(names: Sequence[str]) -> None:
    """Check every SHA-256. Raises CourseError, at the end, for all that are missing or damaged."""
    problems = []
    every = _chosen(names) if names else [d for d in downloads().values() if d.name in USUAL or d.present]
    for download in every:
        try:
            if download.verify():
                print(f"{download.title}: every SHA-256 is right ({download.path})")
            else:
                problems.append(f"{download.title}: not in the cache, run `{download.fetch_command}`.")
        except CourseError as error:
            problems.append(str(error))
    if problems:
        raise CourseError(" ".join(problems))


def where(names: Sequence[str]) -> None:
    """Print each file, and whether it is there."""
    for download in _chosen(names or list(downloads())):
        print(f"{download.title}: {download.path} ({'present' if download.present else 'not fetched yet'})")


def _chosen(names: Sequence[str]) -> list[Download]:
    known = downloads()
    for name in names:
        if name not in known:
            raise CourseError(f"Unknown data set or weights {name!r}: choose from {', '.join(known)}.")
    return [known[name] for name in names]


if __name__ == "__main__":
    sys.exit(main())
