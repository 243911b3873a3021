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
COPIED = (
    "_config.yml",
    "_toc.yml",
    "README.md",
    "CONTRIBUTING.md",
    "pyproject.toml",
    "notebooks",
    "book",
    "course_lib/training",
    "assignments",
)
MENTION = re.compile(r"(?:github\.com[/:]|colab\.research\.google\.com/github/)([\w.-]+/[\w.-]*\w)")
# Other projects that the course may link to, as owner/name in lower case.
ELSEWHERE: set[str] = set()
LINKED = "some-body/my.convnets/blob/trunk"


@pytest.fixture
def fork(tmp_path):
    """The real checkout's pages, chapters and settings, copied."""
    for name in COPIED:
        place = ROOT / name
        if place.is_dir():
            shutil.copytree(place, tmp_path / name, ignore=shutil.ignore_patterns(".*", "__pycache__"))
        elif place.exists():
            shutil.copy(place, tmp_path / name)
    fork = Project(tmp_path)
    for chapter in fork.chapters():
        pairs.pair(chapter)
    return fork


@pytest.fixture
def small(project):
    """The project in miniature, with an address."""
    with (project.root / "_config.yml").open("a") as config:
        config.write(
            "repository: # where it lives\n  url: https://github.com/old/course # not the site\n  branch: main\n"
        )
    return project


def everything(root):
    return {file: file.read_bytes() for file in sorted(root.rglob("*")) if file.is_file()}


def outputs(chapter):
    cells = nbformat.read(chapter.notebook, 4).cells
    return [(cell.outputs, cell.execution_count) for cell in cells if cell.cell_type == "code"]


def refused(project, said, owner="me", name="mine", branch="main"):
    before = everything(project.root)
    with pytest.raises(CourseError, match=said) as error:
        repository.set_address(project, owner, name, branch)
    assert "\n" not in str(error.value)
    assert everything(project.root) == before, "nothing may be written"


def test_a_fork_takes_every_mention_along_and_keeps_its_outputs(fork):
    def run_of(chapter):
        return outputs(chapter), computation(pairs.read_source(chapter), "cpu")

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
        shown, code = run_of(chapter)
        moved = str(runs[chapter.name][0]).replace(f"{old.owner}/{old.name}/blob/{old.branch}", LINKED)
        assert str(shown) == moved and code == runs[chapter.name][1], "an output changes in its links only"
        place = f"/github/some-body/my.convnets/blob/trunk/notebooks/{chapter.name}.ipynb)"
        assert place in chapter.source.read_text() and place in chapter.notebook.read_text()

    after = everything(fork.root)
    assert repository.set_address(fork, "some-body", "my.convnets", "trunk") == []
    assert everything(fork.root) == after
    repository.set_address(fork, old.owner, old.name, old.branch)
    assert everything(fork.root) == before, "there and back changed something"


@pytest.mark.parametrize(
    ("text", "followed"),
    [
        ("https://github.com/old/course", "https://github.com/me/mine"),
        ("See github.com/old/course.", "See github.com/me/mine."),
        ("<https://github.com/Old/Course/issues>", "<https://github.com/me/mine/issues>"),
        ("git@github.com:old/course.git", "git@github.com:me/mine.git"),
        ('"git+https://github.com/old/course.git@main"', '"git+https://github.com/me/mine.git@trunk"'),
        ("(https://github.com/old/course/blob/main/a.md)", "(https://github.com/me/mine/blob/trunk/a.md)"),
        ("https://github.com/old/course/tree/main.", "https://github.com/me/mine/tree/trunk."),
        ("https://github.com/old/course/tree/mainly", "https://github.com/me/mine/tree/mainly"),
        ("https://github.com/old/course-solutions", None),
        ("https://github.com/old/course.github.io", None),
        ("https://github.com/old/course_2/blob/main/a.md", None),
        ("https://github.com/very-old/course", None),
        ("https://example.org/old/course", None),
    ],
)
def test_only_the_whole_name_is_replaced(small, text, followed):
    page = small.root / "book" / "deep" / "page.md"
    page.parent.mkdir()
    page.write_bytes(text.encode() + b"\r\n")
    changed = repository.set_address(small, "me", "mine", "trunk")
    assert page.read_bytes() == (followed or text).encode() + b"\r\n"
    assert (page in changed) == (followed is not None)


def test_a_new_name_that_goes_on_where_the_old_one_ended(small):
    page = small.root / "README.md"
    page.write_text("github.com/old/course\n")
    for _ in range(2):
        repository.set_address(small, "old", "course-2")
        assert page.read_text() == "github.com/old/course-2\n"


def test_comments_in_the_config_stay_and_a_branch_is_added(small):
    config = small.root / "_config.yml"
    repository.set_address(small, "me", "mine", "1.0")
    assert config.read_text().endswith(
        'repository: # where it lives\n  url: https://github.com/me/mine # not the site\n  branch: "1.0"\n'
    )
    assert repository.read_address(small) == Address("me", "mine", "1.0")
    config.write_text("title: Small\nrepository:\n    url: 'https://github.com/me/mine/'\nhtml: {}")
    assert repository.read_address(small).branch == "main"
    repository.set_address(small, "me", "yours", "trunk")
    assert config.read_text() == (
        "title: Small\nrepository:\n    url: 'https://github.com/me/yours/'\n    branch: trunk\nhtml: {}"
    )


def test_assignments_follow_with_or_without_a_py_beside_them(small, write):
    chapter = write('address = "https://github.com/old/course"')
    pairs.pair(chapter)
    folder = small.root / "assignments" / "one"
    folder.mkdir(parents=True)
    for file in (chapter.source, chapter.notebook):
        shutil.copy(file, folder / file.name)
    shutil.copy(chapter.notebook, folder / "alone.ipynb")
    (folder / "grade.py").write_text("# https://github.com/old/course\n")
    repository.set_address(small, "me", "mine")
    assert all(b"old/course" not in content for content in everything(small.root).values())
    copied = type(chapter)(chapter.name, folder / chapter.source.name, folder / chapter.notebook.name)
    assert pairs.out_of_step(copied) is None
    notebook = pairs.read_notebook(copied)
    assert notebook.metadata.course.sources == pairs.digest_of_sources(notebook), (
        "the next edit would look like a hand's"
    )
    assert not (folder / "grade.ipynb").exists()


@pytest.mark.parametrize("words", ["me/mine", "https://github.com/me/mine", "http://www.github.com/me/mine.git/"])
def test_an_address_may_be_given_whole(words):
    assert repository.parse(words) == ("me", "mine")


@pytest.mark.parametrize(
    "words", ["mine", "me/", "/mine", "me/my course", "me/..", "a/b/c", "https://gitlab.com/me/mine"]
)
def test_what_is_no_repository(small, words, monkeypatch, capsys):
    before = everything(small.root)
    monkeypatch.chdir(small.root)
    assert cli.main(["set-repository", words]) == 1
    assert capsys.readouterr().err == (
        f"course: {words!r} is no repository: write OWNER/NAME, or https://github.com/OWNER/NAME.\n"
    )
    assert everything(small.root) == before


@pytest.mark.parametrize("branch", ["", "my branch", "-f", "a..b", "main/", "a#b"])
def test_what_is_no_branch(small, branch):
    refused(small, "is no branch: write its name, such as main", branch=branch)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ("title: Small\n", r"_config\.yml has no `repository: url:`: add `repository:`"),
        ("repository:\n  branch: main\n", r"_config\.yml has no `repository: url:`: add `repository:`"),
        ("- a list\n", r"_config\.yml has no `repository: url:`: add `repository:`"),
        ("repository: [\n", r"_config\.yml is not YAML \(ParserError\): mend it"),
        ("repository:\n  url: https://gitlab.com/a/b\n", r"_config\.yml, `repository: url:`: .* write OWNER/NAME"),
        ("repository: {url: 'https://github.com/a/b', branch: old}\n", "give `url:` and `branch:` a line each"),
    ],
)
def test_a_config_that_says_no_address(project, config, said):
    (project.root / "_config.yml").write_text(config)
    refused(project, said)


def test_no_config_at_all(project):
    (project.root / "_config.yml").unlink()
    refused(project, r"add `repository:`")


def test_a_notebook_edited_by_hand_stops_it_before_anything_is_written(small, write):
    (small.root / "README.md").write_text("https://github.com/old/course\n")
    chapter = write("1 + 1")
    pairs.pair(chapter)
    notebook = nbformat.read(chapter.notebook, 4)
    notebook.cells[-1].source = "1 + 2"
    nbformat.write(notebook, chapter.notebook)
    refused(small, "edited by hand: run `course pair --take-notebook 01-small`")


def test_an_interrupted_change_is_finished_by_the_same_command(small, monkeypatch):
    readme, toml = small.root / "README.md", small.root / "pyproject.toml"
    for file in (readme, toml):
        file.write_text("# https://github.com/old/course\n")
    whole, written = repository.atomic_file, []

    def full_disk(path):
        written.append(path)
        if len(written) > 1:
            raise OSError(28, "No space left on device")
        return whole(path)

    with monkeypatch.context() as patch, pytest.raises(OSError):
        patch.setattr(repository, "atomic_file", full_disk)
        repository.set_address(small, "me", "mine")
    assert repository.read_address(small).owner == "old", "the config is written last"
    repository.set_address(small, "me", "mine")
    assert all(b"old/course" not in content for content in everything(small.root).values())


def test_the_command_says_what_it_changed(small, write, monkeypatch, capsys):
    pairs.pair(write("1 + 1"))
    (small.root / "README.md").write_text("https://github.com/old/course\n")
    monkeypatch.chdir(small.notebooks)
    assert cli.main(["set-repository", "https://github.com/me/mine", "--branch", "trunk"]) == 0
    assert capsys.readouterr().out == (
        "The course lives at github.com/me/mine, branch trunk.\n"
        "Updated: README.md, _config.yml. Look at `git diff --stat`, then commit.\n"
    )
    assert cli.main(["set-repository", "me/mine", "--branch", "trunk"]) == 0
    assert capsys.readouterr().out == "The course lives at github.com/me/mine, branch trunk.\n"


def test_this_checkout_says_one_address_everywhere():
    project = Project(ROOT)
    address = repository.read_address(project)
    here = f"{address.owner}/{address.name}".lower()
    searched = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "pyproject.toml", "_config.yml")]
    for folder in ("notebooks", "book", "assignments"):
        searched += [file for file in (ROOT / folder).rglob("*") if file.suffix in (".py", ".ipynb", ".md")]
    for file in searched:
        found = {re.sub(r"\.git$", "", name.lower()) for name in MENTION.findall(file.read_text(encoding="utf-8"))}
        found -= {here, "owner/name", *ELSEWHERE}
        assert not found, f"{file.name}: run `course set-repository`, or add it to ELSEWHERE: {found}"
    assert f'Repository = "https://github.com/{address.owner}/{address.name}"' in (ROOT / "pyproject.toml").read_text()
    colab = f"https://colab.research.google.com/github/{address.owner}/{address.name}/blob/{address.branch}/notebooks"
    for chapter in project.chapters():
        text = chapter.source.read_text(encoding="utf-8")
        assert f"({colab}/{chapter.name}.ipynb)" in text, f"{chapter.name}: its Colab badge leads elsewhere"
        assert f'"git+https://github.com/{address.owner}/{address.name}"' in text, f"{chapter.name}: its install cell"
