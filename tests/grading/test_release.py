"""The student's repository: what is in it, and that nothing else is."""

import os
import re
import shutil
import stat
import subprocess
import zipfile
from pathlib import Path

import jupytext
import pytest
import yaml

from checks import feedback, script
from course_lib.errors import CourseError
from course_tools import cli
from course_tools.grading import release
from course_tools.publishing.project import Project

ROOT = Path(__file__).parents[2]


def git(folder, *words):
    return subprocess.run(["git", "-C", folder, *words], check=True, capture_output=True, text=True).stdout.strip()


def test_it_is_a_repository_of_one_commit_with_nothing_of_the_masters(released):
    assert git(released, "rev-list", "--all", "--count") == "1"
    assert git(released, "branch", "--format", "%(refname:short)") == "main"
    assert git(released, "remote") == "" and git(released, "status", "--porcelain") == ""
    masters = git(ROOT, "rev-list", "--all").split()
    assert not set(git(released, "rev-list", "--all").split()) & set(masters)
    names = sorted(git(released, "ls-files").splitlines())
    wheel = next(name for name in names if name.endswith(".whl"))
    checks = git(ROOT / "assignments" / "cifar10", "ls-files", "checks").splitlines()
    assert names == sorted(
        [
            ".github/workflows/feedback.yml",
            ".gitignore",
            "LICENSE",
            "README.md",
            "answers.ipynb",
            "answers.py",
            "check.py",
            *checks,
            "feedback.safetensors",
            "requirements.txt",
            wheel,
        ]
    )


def test_the_wheel_is_the_one_that_requirements_name_and_holds_no_assignment(released):
    (wheel,) = (released / "wheel").iterdir()
    assert f"./wheel/{wheel.name}[assignment]" in (released / "requirements.txt").read_text()
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        metadata = archive.read(next(name for name in names if name.endswith("METADATA"))).decode()
    assert "course_lib/errors.py" in names
    assert not [name for name in names if re.search(r"assignments|reference\.py|grading|check\.py|checks/", name)]
    assert "Provides-Extra: assignment" in metadata


def test_the_pair_is_in_step_and_jupyter_will_keep_it_so(released):
    assert script.difference_of_the_pair(released) is None
    notebook = jupytext.read(released / "answers.ipynb")
    assert notebook.metadata["jupytext"]["formats"] == "ipynb,py:percent"
    assert not [cell for cell in notebook.cells if cell.cell_type == "code" and cell.outputs]


def test_the_public_questions_are_small_and_no_secret(released):
    assert (released / feedback.PUBLIC).stat().st_size < 2_000_000
    assert feedback.read(released / feedback.PUBLIC)


def test_the_workflow_may_only_read_and_runs_the_readmes_command(released):
    workflow = yaml.safe_load((released / ".github/workflows/feedback.yml").read_text())
    assert workflow["permissions"] == {"contents": "read"}
    (job,) = workflow["jobs"].values()
    assert "permissions" not in job and job["timeout-minutes"] <= 30
    commands = [step["run"] for step in job["steps"] if "run" in step]
    readme = (released / "README.md").read_text(encoding="utf-8")
    assert commands[-1] == "python check.py" and commands[-1] in readme
    for step in job["steps"]:
        if "uses" in step:
            assert len(step["uses"].partition("@")[2].split()[0]) == 40
    assert job["steps"][0]["with"]["persist-credentials"] is False
    pinned = (ROOT / ".github/workflows/ci.yml").read_text()
    assert all(step["uses"] in pinned for step in job["steps"] if "uses" in step)


def test_the_command_says_what_it_made_and_a_second_release_is_the_same_but_for_its_date(
    released, tmp_path, capsys, monkeypatch
):
    """Whatever the user's own git settings are: they leave no trace."""
    hooks = tmp_path / "settings" / "hooks"
    hooks.mkdir(parents=True)
    (hooks / "pre-commit").write_text("#!/bin/sh\nexit 1\n")
    (hooks / "pre-commit").chmod(0o755)
    settings = f"[core]\nhooksPath = {hooks}\n[user]\nname = Prof\nemail = prof@example.org\n"
    (tmp_path / "settings" / "gitconfig").write_text(settings)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "settings" / "gitconfig"))
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Prof")
    monkeypatch.chdir(ROOT)
    made = tmp_path / "made"
    assert cli.main(["assignment", "release", str(made)]) == 0
    assert f"{len(git(released, 'ls-files').splitlines())} files, one commit, nothing secret" in capsys.readouterr().out
    assert sorted(file.name for file in tmp_path.iterdir()) == ["made", "settings"]
    assert stat.S_IMODE(made.stat().st_mode) & 0o700 == 0o700 and os.access(made / "README.md", os.R_OK)
    assert git(made, "rev-parse", "HEAD^{tree}") == git(released, "rev-parse", "HEAD^{tree}")
    assert "Prof" not in git(made, "log", "--format=%an %ae %cn %ce")


def refused(said, target, project=None):
    with pytest.raises(CourseError, match=said) as error:
        release.release(project or Project(ROOT), target)
    assert "\n" not in str(error.value)


def test_a_folder_with_something_in_it_stays_as_it_is(tmp_path):
    (tmp_path / "mine.txt").write_text("keep")
    refused("exists and is not empty", tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["mine.txt"]


def test_an_empty_folder_is_welcome_and_a_file_is_not(tmp_path):
    (tmp_path / "file").write_text("keep")
    refused("exists and is not empty", tmp_path / "file")


def test_not_inside_the_checkout():
    refused("lies in the checkout", ROOT / "_build" / "assignment")
    assert not (ROOT / "_build" / "assignment").exists()


def test_git_is_needed_and_named(tmp_path, monkeypatch):
    monkeypatch.setattr(release.shutil, "which", lambda name: None)
    refused("install git", tmp_path / "made")


@pytest.fixture
def filled(released, monkeypatch):
    """A release is filled with what an earlier one held, which takes no time; after that, ``filled`` are called."""
    then = []

    def fill(project, master, made):
        shutil.copytree(released, made, ignore=shutil.ignore_patterns(".git"))
        for act in then:
            act(made)

    monkeypatch.setattr(release, "_fill", fill)
    return then


def test_a_failure_on_the_way_leaves_nothing(tmp_path, monkeypatch, filled):
    def fail(made):
        raise CourseError("the disk is full: free some space.")

    monkeypatch.setattr(release, "_commit", fail)
    refused("disk is full", tmp_path / "made")
    assert list(tmp_path.iterdir()) == []


def test_a_leak_in_a_file_stops_the_release(tmp_path, filled, reference):
    filled.append(lambda made: (made / "README.md").write_text(reference, encoding="utf-8"))
    refused("README.md is a secret file: nothing was released", tmp_path / "made")
    assert list(tmp_path.iterdir()) == []


def test_a_leak_in_the_history_stops_the_release(tmp_path, monkeypatch, filled, reference):
    commit = release._commit

    def leak(made):
        commit(made)
        words = ["git", "-C", made, "hash-object", "-w", "--stdin"]
        subprocess.run(words, input=reference, text=True, check=True, capture_output=True)

    monkeypatch.setattr(release, "_commit", leak)
    refused("holds objects of no commit: nothing was released", tmp_path / "made")
    assert list(tmp_path.iterdir()) == []


def test_a_checkout_without_the_assignment(tmp_path):
    refused("There is no assignment in assignments/cifar10", tmp_path / "made", Project(tmp_path))
