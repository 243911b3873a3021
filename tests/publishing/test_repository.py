"""One command writes the course's new address into every mention of the old one."""

import re
import shutil
from pathlib import Path

import nbformat
import pytest

from course_lib.errors import CourseError
from course_tools import cli
from course_tools.publishing import pairs, repository
from course_tools.publishing.computation import computation
from course_tools.publishing.project import Project
from course_tools.publishing.repository import Address

ROOT = Path(__file__).parents[2]
COPIED = ("_config.yml", "_toc.yml", "README.md", "CONTRIBUTING.md", "pyproject.toml", "notebooks", "book")
COPIED += ("course_lib/training", "assignments")
MENTION = re.compile(r"(?:github\.com[/:]|colab\.research\.google\.com/github/)([\w.-]+/[\w.-]*\w)")
# Other projects that the course may link to, as owner/name in lower case.
ELSEWHERE = {"containers/bubblewrap"}
LINKED = "some-body/my.convnets/blob/trunk"


@pytest.fixture
def fork(tmp_path):
    """A copy of this checkout's pages, chapters and settings."""
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns(".*", "__pycache__"))
        else:
            shutil.copy(ROOT / name, tmp_path / name)
    return Project(tmp_path)


@pytest.fixture
def small(project):
    """The project in miniature, with an address."""
    with (project.root / "_config.yml").open("a") as config:
        config.write(
            "repository: # where it lives\n  url: https://github.com/old/course # not the site\n  branch: main\n"
        )
    pairs.pair(project.chapters()[0])
    return project


def everything(root):
    return {file: file.read_bytes() for file in sorted(root.rglob("*")) if file.is_file()}


def run_of(chapter):
    """A chapter's outputs, and what it computes."""
    cells = [cell for cell in nbformat.read(chapter.notebook, 4).cells if cell.cell_type == "code"]
    return [(cell.outputs, cell.execution_count) for cell in cells], computation(pairs.read_source(chapter), "cpu")


def test_every_mention_follows_and_outputs_stay(fork):
    old, before = repository.read_address(fork), everything(fork.root)
    runs = {chapter.name: run_of(chapter) for chapter in fork.chapters()}
    changed = repository.set_address(fork, "some-body", "my.convnets", "trunk")

    assert repository.read_address(fork) == Address("some-body", "my.convnets", "trunk")
    for file, content in everything(fork.root).items():
        assert f"{old.owner}/{old.name}".encode() not in content, file
        assert f"/blob/{old.branch}/".encode() not in content, file
    assert {"_config.yml", "pyproject.toml"} < {file.name for file in changed}
    for chapter in fork.chapters():
        assert {chapter.source, chapter.notebook} < set(changed)
        assert pairs.out_of_step(chapter) is None
        (outputs, code), (old_outputs, old_code) = run_of(chapter), runs[chapter.name]
        moved = str(old_outputs).replace(f"{old.owner}/{old.name}/blob/{old.branch}", LINKED)
        assert str(outputs) == moved and code == old_code, "an output changes in its links only"
        place = f"/github/some-body/my.convnets/blob/trunk/notebooks/{chapter.name}.ipynb)"
        assert place in chapter.source.read_text() and place in chapter.notebook.read_text()

    assert repository.set_address(fork, "some-body", "my.convnets", "trunk") == []
    repository.set_address(fork, old.owner, old.name, old.branch)
    assert everything(fork.root) == before, "there and back changed something"


@pytest.mark.parametrize(
    ("text", "followed"),
    [
        ("https://github.com/old/course", "https://github.com/me/mine"),
        ("See github.com/old/course.", "See github.com/me/mine."),
        ("<https://github.com/Old/Course/issues>", "<https://github.com/me/mine/issues>"),
        ("git@github.com:old/course.git", "git@github.com:me/mine.git"),
        ('"git+https://github.com/old/course.git@main"', '"git+https://github.com/me/mine.git@1.0"'),
        ("(https://github.com/old/course/blob/main/a.md)", "(https://github.com/me/mine/blob/1.0/a.md)"),
        ("https://github.com/old/course/tree/mainly", "https://github.com/me/mine/tree/mainly"),
        ("https://old.github.io/course/book/a.html", "https://me.github.io/mine/book/a.html"),
        ("https://old.github.io/course-solutions/", None),
        ("https://github.com/old/course-solutions", None),
        ("https://github.com/old/course.github.io", None),
        ("https://github.com/very-old/course", None),
        ("https://example.org/old/course", None),
    ],
)
def test_only_the_whole_name_and_its_branch_are_replaced(small, text, followed):
    page = small.root / "book" / "deep" / "page.md"
    page.parent.mkdir()
    page.write_bytes(text.encode() + b"\r\n")
    changed = repository.set_address(small, "me", "mine", "1.0")
    assert page.read_bytes() == (followed or text).encode() + b"\r\n"
    assert (page in changed) == (followed is not None)
    assert repository.read_address(small) == Address("me", "mine", "1.0"), "YAML would read 1.0 as a number"
    assert (
        "# where it lives\n  url: https://github.com/me/mine # not the site" in (small.root / "_config.yml").read_text()
    )


@pytest.mark.parametrize("words", ["me/mine", "https://github.com/me/mine", "http://www.github.com/me/mine.git/"])
def test_address_may_be_given_whole(words):
    assert repository.parse(words) == ("me", "mine")


def test_refuses_what_is_not_a_repository(small, monkeypatch, capsys):
    monkeypatch.chdir(small.root)
    before = everything(small.root)
    for words in ("mine", "me/", "/mine", "me/my course", "me/..", "a/b/c", "https://gitlab.com/me/mine"):
        assert cli.main(["set-repository", words]) == 1
        assert capsys.readouterr().err.startswith(f"course: {words!r} is not a repository: write OWNER/NAME")
    for branch in ("", "my branch", "-f", "a..b", "main/", "a#b"):
        with pytest.raises(CourseError, match="is not a branch: write its name, such as main"):
            repository.set_address(small, "me", "mine", branch)
    assert everything(small.root) == before


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        ("title: Small\n", r"_config\.yml has no address: add `repository:`"),
        ("repository: [\n", r"_config\.yml has no address"),
        (
            "repository:\n  url: https://gitlab.com/a/b\n  branch: main\n",
            r"_config\.yml, `repository: url:`: .* write OWNER",
        ),
    ],
)
def test_refuses_config_without_an_address(project, config, problem):
    (project.root / "_config.yml").write_text(config)
    with pytest.raises(CourseError, match=problem):
        repository.set_address(project, "me", "mine")


def test_notebook_out_of_step_stops_it_before_anything_is_written(small, write):
    write("1 + 1")
    (small.root / "README.md").write_text("https://github.com/old/course\n")
    before = everything(small.root)
    with pytest.raises(CourseError, match="run `course pair`"):
        repository.set_address(small, "me", "mine")
    assert everything(small.root) == before


def test_this_checkout_has_one_address_everywhere():
    project = Project(ROOT)
    address = repository.read_address(project)
    known = {f"{address.owner}/{address.name}".lower(), "owner/name", *ELSEWHERE}
    files = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "pyproject.toml", "_config.yml")]
    for folder in ("notebooks", "book", "assignments"):
        files += [file for file in (ROOT / folder).rglob("*") if file.suffix in (".py", ".ipynb", ".md")]
    for file in files:
        mentioned = MENTION.findall(file.read_text(encoding="utf-8"))
        others = {name.lower().removesuffix(".git") for name in mentioned} - known
        assert not others, f"{file.name}: run `course set-repository`, or add it to ELSEWHERE: {others}"
    colab = f"https://colab.research.google.com/github/{address.owner}/{address.name}/blob/{address.branch}/notebooks"
    for chapter in project.chapters():
        text = chapter.source.read_text(encoding="utf-8")
        assert f"({colab}/{chapter.name}.ipynb)" in text, f"{chapter.name}: its Colab badge leads elsewhere"
        assert f'"git+https://github.com/{address.owner}/{address.name}"' in text, f"{chapter.name}: its install cell"
