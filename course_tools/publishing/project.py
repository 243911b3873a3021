"""Where things are in a checkout, and which chapters there are."""

from dataclasses import dataclass
from pathlib import Path

import yaml

from course_lib.errors import CourseError


@dataclass(frozen=True)
class Chapter:
    """One chapter: ``source`` is the percent script that wins, ``notebook`` its pair with the published outputs."""

    name: str
    source: Path
    notebook: Path


@dataclass(frozen=True)
class Project:
    """A checkout of the course. What is made goes below ``build``, by default ``_build`` in the checkout."""

    root: Path
    build: Path = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        if self.build is None:
            object.__setattr__(self, "build", self.root / "_build")

    @classmethod
    def here(cls) -> "Project":
        """The checkout around the current directory. Raises CourseError outside of one."""
        start = Path.cwd()
        for folder in (start, *start.parents):
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

    def run_folder(self, profile: str) -> Path:
        """Where the runs of one profile lie; runs of different profiles never share a folder."""
        return self.build / "runs" / profile

    def chapters(self) -> list[Chapter]:
        """All chapters, in order."""
        sources = sorted(self.notebooks.glob("*.py"))
        return [Chapter(source.stem, source, source.with_suffix(".ipynb")) for source in sources]

    def pick(self, names: list[str]) -> list[Chapter]:
        """The named chapters (``01-mlp``, ``01`` or ``mlp``), or all where none is named.

        Raises: CourseError for a name that no chapter bears.
        """
        chapters = self.chapters()
        if not names:
            return chapters
        found = {}
        for name in names:
            wanted = Path(name).stem
            matches = [one for one in chapters if wanted in (one.name, *one.name.split("-", 1))]
            if not matches:
                known = ", ".join(one.name for one in chapters)
                raise CourseError(f"There is no chapter {name!r}: choose from {known}.")
            found.update({one.name: one for one in matches})
        return [one for one in chapters if one.name in found]

    def pages(self) -> list[str]:
        """Every page that ``_toc.yml`` names, in order. Raises CourseError where one has no file."""
        toc_file = self.root / "_toc.yml"
        try:
            toc = yaml.safe_load(toc_file.read_text())
            pages = [toc["root"], *_files_below(toc)]
        except (yaml.YAMLError, KeyError, TypeError) as error:
            raise CourseError(f"_toc.yml is not a table of contents ({type(error).__name__}): mend it.") from error
        for page in pages:
            if not any((self.root / f"{page}{ending}").is_file() for ending in (".md", ".ipynb")):
                raise CourseError(f"_toc.yml names {page!r}, but there is no such page: add it or take the line out.")
        return pages


def _files_below(entry: dict | list) -> list[str]:
    if isinstance(entry, list):
        return [page for one in entry for page in _files_below(one)]
    own = [entry["file"]] if "file" in entry else []
    return own + [page for key in ("parts", "chapters", "sections") for page in _files_below(entry.get(key, []))]
