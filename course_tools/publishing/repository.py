"""Where the course lives on GitHub. ``_config.yml`` says it; every other mention follows, in one command."""

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from course_lib.errors import CourseError
from course_lib.storage import atomic_file
from course_tools.publishing import pairs
from course_tools.publishing.project import Chapter, Project

_CONFIG = "_config.yml"
# Where the address may be mentioned. A notebook beside a .py of its name follows that.
_SEARCHED = (
    "README.md",
    "CONTRIBUTING.md",
    "pyproject.toml",
    "book/**/*.md",
    "notebooks/*.py",
    "course_lib/training/history.py",
    "assignments/**/*.md",
    "assignments/**/*.py",
    "assignments/**/*.ipynb",
)
_REPOSITORY = re.compile(
    r"(?:(?:https?://)?(?:www\.)?github\.com/|git@github\.com:)?"
    r"(?P<owner>[A-Za-z0-9][A-Za-z0-9_-]*)/(?P<name>[A-Za-z0-9._-]+?)(?:\.git)?/?"
)
_BRANCH = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._/-]*[A-Za-z0-9_-])?")
_BLOCK = re.compile(r"(?m)^repository:[ \t]*(?:#.*)?\r?\n(?:[ \t]+.*(?:\n|\Z)|#.*\n|\r?\n)*")
_BRANCH_LINE = re.compile(r"""(?m)^([ \t]+branch:[ \t]*)("[^"\n]*"|'[^'\n]*'|[^\s#]+)""")
_URL_LINE = re.compile(r"(?m)^([ \t]+)url:.*$")


@dataclass(frozen=True)
class Address:
    """A repository on GitHub, and its default branch."""

    owner: str
    name: str
    branch: str


def parse(text: str) -> tuple[str, str]:
    """Owner and name out of ``OWNER/NAME``, or out of the repository's address on GitHub.

    Raises: CourseError where it is neither.
    """
    found = _REPOSITORY.fullmatch(text.strip())
    if not found or found["name"] in (".", "..", ".git"):
        raise CourseError(f"{text!r} is no repository: write OWNER/NAME, or https://github.com/OWNER/NAME.")
    return found["owner"], found["name"]


def read_address(project: Project) -> Address:
    """The address that ``_config.yml`` says. Raises CourseError where it says none, or one that is not on GitHub."""
    file = project.root / _CONFIG
    return _address_in(file.read_text(encoding="utf-8") if file.is_file() else "")


def set_address(project: Project, owner: str, name: str, branch: str = "main") -> list[Path]:
    """Write the new address wherever the old one stands, and bring the notebooks in step. Outputs stay, apart from
    the address in a link.

    Every new content is made first. ``_config.yml`` is written last: should the disk fill up on the way, the old
    address still stands there, and the same command finishes the work.

    Returns: the files that changed.
    Raises: CourseError for an address that cannot be one, a ``_config.yml`` without an address, a notebook that was
        edited by hand. Nothing is written then.
    """
    old = read_address(project)
    if not _BRANCH.fullmatch(branch) or ".." in branch or "//" in branch:
        raise CourseError(f"{branch!r} is no branch: write its name, such as main.")
    new = Address(*parse(f"{owner}/{name}"), branch)

    contents: dict[Path, str] = {}
    for file in sorted({file for pattern in _SEARCHED for file in project.root.glob(pattern)}):
        contents[file] = _follow(_read(file), old, new)
        notebook = file.with_suffix(".ipynb")  # sorted before its .py, which has the last word
        if file.suffix == ".py" and (file.parent == project.notebooks or notebook.is_file()):
            paired = _paired(Chapter(file.stem, file, notebook), contents[file])
            contents[notebook] = _follow(paired, old, new)  # a warning in an output links to the diagnosis card
    config = project.root / _CONFIG
    contents[config] = _config_with(_read(config), old, new)

    changed = [file for file, text in contents.items() if not file.is_file() or _read(file) != text]
    for file in changed:
        with atomic_file(file) as scratch:
            scratch.write_bytes(contents[file].encode())
    return changed


def _read(file: Path) -> str:
    return file.read_bytes().decode()  # line ends stay as they are


def _address_in(config: str) -> Address:
    try:
        found = yaml.safe_load(config)
    except yaml.YAMLError as error:
        raise CourseError(f"{_CONFIG} is not YAML ({type(error).__name__}): mend it.") from error
    repository = found.get("repository") if isinstance(found, dict) else None
    url = repository.get("url") if isinstance(repository, dict) else None
    if not url:
        raise CourseError(
            f"{_CONFIG} has no `repository: url:`: add `repository:`, and below it `  url: https://github.com/OWNER/NAME`."
        )
    try:
        return Address(*parse(str(url)), str(repository.get("branch") or "main"))
    except CourseError as error:
        raise CourseError(f"{_CONFIG}, `repository: url:`: {error}") from error


def _follow(text: str, old: Address, new: Address) -> str:
    """Replace the old address, and the old branch behind it. ``owner/name-more`` is another repository and stays."""
    end = r"(?=\.*(?![\w.-]))"  # a full stop may end a sentence, so it ends a name where no name goes on behind it
    mention = re.compile(
        rf"(?P<host>github\.com[/:]|colab\.research\.google\.com/github/){re.escape(old.owner)}/{re.escape(old.name)}"
        rf"(?:(?P<git>\.git){end}|{end})(?:(?P<way>/(?:blob|tree|edit|raw)/|@)(?-i:{re.escape(old.branch)}){end})?",
        re.IGNORECASE,
    )

    def renamed(found: re.Match) -> str:
        way = f"{found['way']}{new.branch}" if found["way"] else ""
        return f"{found['host']}{new.owner}/{new.name}{found['git'] or ''}{way}"

    return mention.sub(renamed, text)


def _config_with(text: str, old: Address, new: Address) -> str:
    """``_config.yml`` with the new address; its comments stay."""
    text = _follow(text, old, new)
    block = _BLOCK.search(text)
    if block:
        # A branch such as 1.0 or no needs quotes, or YAML reads something else.
        branch = new.branch if yaml.safe_load(new.branch) == new.branch else json.dumps(new.branch)
        inside, count = _BRANCH_LINE.subn(lambda line: line[1] + branch, block[0], count=1)
        if not count:
            inside = _URL_LINE.sub(lambda line: f"{line[0]}\n{line[1]}branch: {branch}", inside, count=1)
        text = text[: block.start()] + inside + text[block.end() :]
    if _address_in(text) != new:
        raise CourseError(
            f"{_CONFIG}: below `repository:`, give `url:` and `branch:` a line each, then run this again."
        )
    return text


def _paired(chapter: Chapter, source: str) -> str:
    """What the notebook says once its source says ``source``: made on copies, so that nothing is written yet."""
    with TemporaryDirectory() as folder:
        copy = Chapter(chapter.name, Path(folder) / chapter.source.name, Path(folder) / chapter.notebook.name)
        copy.source.write_bytes(source.encode())
        if chapter.notebook.is_file():
            shutil.copy(chapter.notebook, copy.notebook)
        pairs.pair(copy)
        return _read(copy.notebook)
