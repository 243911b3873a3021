"""A site is built again exactly when something that it may depend on has changed."""

import argparse
from pathlib import Path

import pytest

from course_tools import commands
from course_tools.publishing import site, stage, unchanged
from course_tools.publishing.project import Project


@pytest.fixture
def project(tmp_path):
    for name in ("_toc.yml", "book/index.md", "notebooks/01-x.py", "results/01-x.jsonl", "course_lib/a.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("root: book/index\n")
    return Project(tmp_path)


@pytest.fixture
def book(project, monkeypatch):
    """``book()`` runs ``course book --published``, or ``course book`` in a profile; ``builds`` lists what it showed."""
    builds = []

    def build(project):
        project.html.mkdir(parents=True, exist_ok=True)
        (project.html / "index.html").write_text("")

    monkeypatch.chdir(project.root)
    monkeypatch.setattr(stage, "stage", lambda project, profile: builds.append(profile))
    monkeypatch.setattr(site, "build_site", build)

    def book(profile=None):
        commands.book(argparse.Namespace(published=profile is None, profile=profile))

    book.builds = builds
    return book


def write(project, name, text="more\n"):
    file = project.root / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def test_nothing_is_built_where_nothing_changed(project, book, capsys):
    book()
    book()
    for name in ("_build/site.log", "course_lib/__pycache__/a.pyc", ".git/index", "_build/runs/quick/01-x.ipynb"):
        write(project, name)
    book()
    assert book.builds == [None]
    assert capsys.readouterr().out.count("1 pages are in _build/html: open _build/html/index.html.") == 3


SEEN = "_toc.yml book/index.md book/new.md notebooks/01-x.py results/01-x.jsonl course_lib/a.py"


@pytest.mark.parametrize("name", [*SEEN.split(), "_build/fingerprints/01-x.json"])
def test_a_file_that_came_or_changed_is_shown(project, book, name):
    book()
    write(project, name, "root: book/index\n# changed\n")
    book()
    assert len(book.builds) == 2


def test_another_profile_another_run_and_a_site_that_is_gone_are_built(project, book):
    book()
    book("quick")
    write(project, "_build/runs/quick/01-x.ipynb")
    book("quick")
    book("quick")
    (project.html / "index.html").unlink()
    book("quick")
    assert book.builds == [None, "quick", "quick", "quick"]


def test_a_build_that_failed_is_tried_again(project, book, monkeypatch):
    def fail(project):
        raise RuntimeError("warnings")

    book()
    write(project, "book/index.md")
    with monkeypatch.context() as broken, pytest.raises(RuntimeError):
        broken.setattr(site, "build_site", fail)
        book()
    book()
    assert len(book.builds) == 3


def test_a_package_that_came_or_went_changes_the_state(project, tmp_path, monkeypatch):
    before = unchanged.state(project, None)
    monkeypatch.setattr(unchanged.sysconfig, "get_path", lambda name: str(Path(__file__).parent))
    assert unchanged.state(project, None) != before
