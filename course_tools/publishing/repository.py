"""The course's address on GitHub: ``_config.yml`` holds it, and one command writes a new one into every mention."""

import json
import re
from pathlib import Path
from typing import NamedTuple

import nbformat
import yaml

from course_lib.errors import CourseError
from course_tools.publishing import pairs
from course_tools.publishing.project import Project
from course_tools.publishing.publish import write_together

# Where the address may be mentioned.
_SEARCHED = (
    "_config.yml",
    "README.md",
    "CONTRIBUTING.md",
    "CITATION.cff",
    "pyproject.toml",
    "book/**/*.md",
    "notebooks/*.py",
    "notebooks/*.ipynb",
    "course_lib/**/*.py",
    "assignments/**/*.md",
    "assignments/**/*.py",
)
_REPOSITORY = re.compile(
    r"(?:(?:https?://)?(?:www\.)?github\.com/|git@github\.com:)?"
    r"(?P<owner>[A-Za-z0-9][A-Za-z0-9_-]*)/(?P<name>[A-Za-z0-9._-]+?)(?:\.git)?/?"
)
_BRANCH = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._/-]*[A-Za-z0-9_-])?")
_BRANCH_LINE = re.compile(r"(?m)^(repository:.*\n(?:[ \t]+.*\n)*?[ \t]+branch:[ \t]*)[^\s#]+")


class Address(NamedTuple):
    """A repository on GitHub, and its default branch."""

    owner: str
    name: str
    branch: str


def parse(text: str) -> tuple[str, str]:
    """Owner and name from ``OWNER/NAME`` or from the repository's address on GitHub. Raises CourseError for others."""
    match = _REPOSITORY.fullmatch(text.strip())
    if not match or match["name"] in (".", "..", ".git"):
        raise CourseError(f"{text!r} is not a repository: write OWNER/NAME, or https://github.com/OWNER/NAME.")
    return match["owner"], match["name"]


def read_address(project: Project) -> Address:
    """The address in ``_config.yml``. Raises CourseError where it has none, or one that is not on GitHub."""
    try:
        repository = yaml.safe_load((project.root / "_config.yml").read_text(encoding="utf-8"))["repository"]
        return Address(*parse(str(repository["url"])), str(repository["branch"]))
    except (OSError, yaml.YAMLError, TypeError, KeyError) as error:
        raise CourseError(
            "_config.yml has no address: add `repository:`, and below it `  url: https://github.com/OWNER/NAME` and "
            "`  branch: main`."
        ) from error
    except CourseError as error:
        raise CourseError(f"_config.yml, `repository: url:`: {error}") from error


def set_address(project: Project, owner: str, name: str, branch: str = "main") -> list[Path]:
    """Write the new address wherever the old one is mentioned. Outputs stay, apart from the address in a link.

    Returns: the files that changed.
    Raises: CourseError for an address that cannot be one, a ``_config.yml`` without an address, and a notebook that is
        out of step with its source. Nothing is written then.
    """
    old = read_address(project)
    if not _BRANCH.fullmatch(branch) or ".." in branch or "//" in branch:
        raise CourseError(f"{branch!r} is not a branch: write its name, such as main.")
    new = Address(*parse(f"{owner}/{name}"), branch)
    for chapter in project.chapters():
        reason = pairs.out_of_step(chapter)
        if reason:
            raise CourseError(reason)
    quoted = branch if yaml.safe_load(branch) == branch else json.dumps(branch)  # YAML reads no and 1.0 as other things
    contents = {}
    for file in sorted({file for pattern in _SEARCHED for file in project.root.glob(pattern)}):
        text = file.read_bytes().decode()  # line ends stay as they are
        updated = _renamed(text, old, new)
        if file.name == "_config.yml":
            updated = _BRANCH_LINE.sub(rf"\g<1>{quoted}", updated, count=1)
        if updated != text:
            contents[file] = _stamped(updated) if file.suffix == ".ipynb" else updated
    write_together(contents)
    return list(contents)


def _renamed(text: str, old: Address, new: Address) -> str:
    """Replace the old address, and the old branch behind it. ``owner/name-more`` is another repository and stays."""
    end = r"(?=\.*(?![\w.-]))"  # a full stop may end a sentence, so it ends a name where no name goes on behind it
    mention = re.compile(
        rf"(?P<host>github\.com[/:]|colab\.research\.google\.com/github/){re.escape(old.owner)}/{re.escape(old.name)}"
        rf"(?:(?P<git>\.git){end}|{end})(?:(?P<way>/(?:blob|tree|edit|raw)/|@)(?-i:{re.escape(old.branch)}){end})?",
        re.IGNORECASE,
    )

    site = re.compile(rf"https://{re.escape(old.owner)}\.github\.io/{re.escape(old.name)}(?=/)", re.IGNORECASE)
    text = site.sub(f"https://{new.owner.lower()}.github.io/{new.name}", text)

    def renamed(match: re.Match) -> str:
        way = f"{match['way']}{new.branch}" if match["way"] else ""
        return f"{match['host']}{new.owner}/{new.name}{match['git'] or ''}{way}"

    return mention.sub(renamed, text)


def _stamped(text: str) -> str:
    """A notebook's text with the digest of its new sources: it is still in step."""
    notebook = nbformat.reads(text, as_version=4)
    pairs.stamp(notebook)
    return pairs.to_text(notebook)
