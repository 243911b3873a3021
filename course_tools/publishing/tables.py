"""Pages of the book with tables that a program writes, between comments that mark their places; the rest is prose."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from course_lib.errors import CourseError
from course_lib.storage import atomic_file
from course_tools.publishing.project import Project


@dataclass(frozen=True)
class TablePage:
    """A page with generated tables.

    ``file`` is its path in the checkout; ``word`` marks its places, ``<!-- word: name -->`` to ``<!-- word: end -->``;
    ``command`` brings it up to date; ``tables`` makes the Markdown of each place.
    """

    file: Path
    word: str
    command: str
    tables: Callable[[], Mapping[str, str]]

    def write(self, project: Project) -> list[str]:
        """Bring the page up to date. Returns the names of the tables that changed."""
        text, changed = self._updated(project)
        if changed:
            with atomic_file(project.root / self.file) as scratch:
                scratch.write_text(text, encoding="utf-8")
        return changed

    def check(self, project: Project) -> None:
        """Raise CourseError, naming the tables, where the page is out of date."""
        _, changed = self._updated(project)
        if changed:
            raise CourseError(f"{self.file} is out of date ({', '.join(changed)}): run `{self.command}`.")

    def _updated(self, project: Project) -> tuple[str, list[str]]:
        """The page's text with today's tables, and the names of the tables that changed."""
        file = project.root / self.file
        if not file.is_file():
            raise CourseError(f"There is no {self.file}: it belongs to the book, so bring it back with `git checkout`.")
        text, marks, new = file.read_text(encoding="utf-8"), places(self.word), self.tables()
        old = {place["name"]: place["text"] for place in marks.finditer(text)}
        for name in [name for name in new if name not in old]:
            raise CourseError(
                f"{self.file} has no place for the table {name!r}: write <!-- {self.word}: {name} --> on a line of its "
                f"own, and below it <!-- {self.word}: end -->."
            )
        for name in [name for name in old if name not in new]:
            raise CourseError(f"{self.file} has a place for an unknown table {name!r}: choose from {', '.join(new)}.")
        updated = marks.sub(lambda place: f"{place[1]}\n{new[place['name']]}\n{place[4]}", text)
        return updated, [name for name in new if old[name] != f"\n{new[name]}\n"]


def places(word: str) -> re.Pattern:
    """A pattern of the places that ``word`` marks, with their ``name`` and ``text``."""
    return re.compile(rf"(<!-- {word}: (?P<name>[a-z-]+) -->\n)(?P<text>.*?)(<!-- {word}: end -->)", re.DOTALL)
