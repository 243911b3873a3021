"""The checkout: where its files are, and which chapters and pages it has."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml
from filelock import FileLock, Timeout

from course_lib.errors import CourseError


@dataclass(frozen=True)
class Chapter:
    """One chapter: ``source`` is the percent script that wins, ``notebook`` its pair with the published outputs."""

    name: str
    source: Path
    notebook: Path


@dataclass(frozen=True)
class Project:
    """A checkout of the course. What is built goes below ``build``, by default ``_build`` in the checkout."""

    root: Path
    build: Path = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        if self.build is None:
            object.__setattr__(self, "build", self.root / "_build")

    @classmethod
    def here(cls) -> "Project":
        """The checkout around the current directory. Raises CourseError outside of one."""
        for folder in (Path.cwd(), *Path.cwd().parents):
            if (folder / "_toc.yml").is_file() and (folder / "notebooks").is_dir():
                return cls(folder)
        raise CourseError("This is not a checkout of the course: change into its folder (the one with _toc.yml).")

    @property
    def notebooks(self) -> Path:
        return self.root / "notebooks"

    @property
    def results(self) -> Path:
        return self.root / "results"

    @property
    def stage(self) -> Path:
        return self.build / "stage"

    @property
    def html(self) -> Path:
        return self.build / "html"

    @property
    def shown(self) -> str | None:
        """The profile whose runs the site shows; None: the published outputs."""
        file = self.build / "shown"
        return (file.read_text(encoding="utf-8") or None) if file.is_file() else None

    def run_folder(self, profile: str) -> Path:
        """The folder of one profile's runs; runs of different profiles never share a folder."""
        return self.build / "runs" / profile

    @contextmanager
    def alone(self, command: str) -> Iterator[None]:
        """One process at a time runs this command of ``course`` here: two would write into the same files.

        Raises: CourseError where another one is at work.
        """
        self.build.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(self.build / f".{command.replace(' ', '-')}.lock", timeout=0):
                yield
        except Timeout as error:
            raise CourseError(f"Another `course {command}` is at work here: wait for it.") from error

    def chapters(self) -> list[Chapter]:
        """All chapters, in order."""
        sources = sorted(self.notebooks.glob("*.py"))
        return [Chapter(source.stem, source, source.with_suffix(".ipynb")) for source in sources]

    def pick(self, names: list[str]) -> list[Chapter]:
        """The named chapters (``01-mlp``, ``01`` or ``mlp``) in order, or all where no name is given.

        Raises: CourseError for a name that no chapter has.
        """
        chapters = self.chapters()
        picked = set()
        for name in names:
            stem = Path(name).stem
            matches = [chapter for chapter in chapters if stem in (chapter.name, *chapter.name.split("-", 1))]
            if not matches:
                known = ", ".join(chapter.name for chapter in chapters)
                raise CourseError(f"There is no chapter {name!r}: choose from {known}.")
            picked.update(matches)
        return [chapter for chapter in chapters if chapter in picked or not names]

    def pages(self) -> list[str]:
        """Every page that ``_toc.yml`` names, in order. Raises CourseError where one has no file."""
        try:
            toc = yaml.safe_load((self.root / "_toc.yml").read_text(encoding="utf-8"))
            pages = [toc["root"], *_pages_below(toc)]
        except (yaml.YAMLError, KeyError, TypeError) as error:
            raise CourseError(f"_toc.yml is not a table of contents ({type(error).__name__}): fix it.") from error
        for page in pages:
            if not any((self.root / f"{page}{ending}").is_file() for ending in (".md", ".ipynb")):
                raise CourseError(f"_toc.yml names {page!r}, but there is no such page: add it or take the line out.")
        return pages


def _pages_below(entry: dict | list) -> list[str]:
    if isinstance(entry, list):
        return [page for item in entry for page in _pages_below(item)]
    own = [entry["file"]] if "file" in entry else []
    return own + [page for key in ("parts", "chapters", "sections") for page in _pages_below(entry.get(key, []))]
