"""The students' repository: what is in it, that nothing secret is, and what is refused."""

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

from checks import feedback, pair
from course_lib.errors import CourseError
from course_tools import cli
from course_tools.grading import guard, release
from course_tools.publishing.project import Project

ROOT = Path(__file__).parents[2]
PROJECT = Project(ROOT)


def git(folder, *words):
    return subprocess.run(["git", "-C", folder, *words], check=True, capture_output=True, text=True).stdout.strip()


def test_is_a_repository_of_one_commit_with_no_other_file(released):
    assert git(released, "rev-list", "--all", "--count") == "1"
    assert git(released, "for-each-ref", "--format", "%(refname)") == "refs/heads/main"
    assert (released / feedback.PUBLIC).stat().st_size < 2_000_000
    assert git(released, "remote") == "" and git(released, "status", "--porcelain", "--ignored") == ""
    names = git(released, "ls-files").splitlines()
    checks = git(ROOT / "assignments" / "cifar10", "ls-files", "check.py", "checks").splitlines()
    own = git(ROOT / "assignments" / "cifar10" / "released", "ls-files").splitlines()
    made = ["LICENSE", "answers.ipynb", "answers.py", "feedback.safetensors"]
    assert {*names} - {name for name in names if name.endswith(".whl")} == {*checks, *own, *made}


def test_wheel_is_the_required_one_and_holds_no_assignment(released):
    (wheel,) = (released / "wheel").iterdir()
    assert f"./wheel/{wheel.name}[assignment]" in (released / "requirements.txt").read_text()
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        metadata = archive.read(next(name for name in names if name.endswith("METADATA"))).decode()
    assert not [name for name in names if re.search(r"assignments|reference\.py|grading|check\.py|checks/", name)]
    assert "Provides-Extra: assignment" in metadata


def test_pair_is_in_step_and_jupyter_will_keep_it_so(released, tmp_path):
    assert pair.synchronise(shutil.copytree(released, tmp_path / "mine")) == ""
    notebook = jupytext.read(released / "answers.ipynb")
    assert notebook.metadata["jupytext"]["formats"] == "ipynb,py:percent"
    assert not [cell for cell in notebook.cells if cell.cell_type == "code" and cell.outputs]


def test_workflow_may_only_read_and_runs_the_readmes_command(released):
    workflow = yaml.safe_load((released / ".github/workflows/feedback.yml").read_text())
    assert workflow["permissions"] == {"contents": "read"}
    (job,) = workflow["jobs"].values()
    assert "permissions" not in job and job["timeout-minutes"] <= 30
    assert job["steps"][0]["with"]["persist-credentials"] is False
    command = job["steps"][-1]["run"]
    assert command == "python check.py" and command in (released / "README.md").read_text(encoding="utf-8")
    pinned = (ROOT / ".github/workflows/ci.yml").read_text()
    used = [step["uses"] for step in job["steps"] if "uses" in step]
    assert all(re.search(r"@[0-9a-f]{40}$", action) and action in pinned for action in used)


def test_a_second_release_is_equal_and_ignores_the_users_git_settings(released, tmp_path, capsys, monkeypatch):
    hooks = tmp_path / "settings" / "hooks"
    hooks.mkdir(parents=True)
    (hooks / "pre-commit").write_text("#!/bin/sh\nexit 1\n")
    (hooks / "pre-commit").chmod(0o755)
    settings = f"[core]\nhooksPath = {hooks}\n[user]\nname = Prof\nemail = prof@example.org\n"
    (tmp_path / "settings" / ".gitconfig").write_text(settings)
    monkeypatch.setenv("HOME", str(tmp_path / "settings"))
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Prof")
    monkeypatch.chdir(ROOT)
    made = tmp_path / "made"
    assert cli.main(["assignment", "release", str(made)]) == 0
    assert f"{len(git(released, 'ls-files').splitlines())} files, one commit" in capsys.readouterr().out
    assert sorted(file.name for file in tmp_path.iterdir()) == ["made", "settings"]
    assert stat.S_IMODE(made.stat().st_mode) & 0o700 == 0o700 and os.access(made / "README.md", os.R_OK)
    assert git(made, "rev-parse", "HEAD^{tree}") == git(released, "rev-parse", "HEAD^{tree}")
    assert "Prof" not in git(made, "log", "--format=%an %ae %cn %ce")


def refused(reason, target, project=PROJECT):
    with pytest.raises(CourseError, match=reason) as error:
        release.release(project, target)
    assert "\n" not in str(error.value)


def test_refuses_a_target_that_holds_something_or_lies_in_the_checkout(tmp_path):
    (tmp_path / "mine.txt").write_text("keep")
    for target in (tmp_path, tmp_path / "mine.txt"):
        refused("exists and is not empty", target)
    assert [file.name for file in tmp_path.iterdir()] == ["mine.txt"]
    refused("lies in the checkout", ROOT / "_build" / "assignment")
    assert not (ROOT / "_build" / "assignment").exists()


def test_refuses_without_the_assignment_or_git(tmp_path, monkeypatch):
    refused("There is no assignment in assignments/cifar10", tmp_path / "made", Project(tmp_path))
    monkeypatch.setattr(release.shutil, "which", lambda name: None)
    refused("install git", tmp_path / "made")


def add(file, text):
    file.parent.mkdir(exist_ok=True, parents=True)
    with file.open("ab") as opened:
        opened.write(text)


def add_to_wheel(made, text):
    (wheel,) = (made / "wheel").iterdir()
    with zipfile.ZipFile(wheel, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("course_lib/old.py", text)


REFERENCE = (ROOT / "assignments" / "cifar10" / "reference.py").read_bytes()
CANARY = guard._CANARY.search(REFERENCE)[0]


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda made: (made / "README.md").write_bytes(REFERENCE), "README.md is a secret file"),
        (lambda made: add(made / "answers.py", REFERENCE), "answers.py holds a secret file's canary"),
        (lambda made: add_to_wheel(made, b"x" + CANARY), r"whl, course_lib/old.py holds a secret file's canary"),
        (lambda made: add(made / "reference.py", b"harmless"), "holds reference.py, which does not belong there"),
        (lambda made: add(made / "wheel/second.whl", b"x"), r"should hold one wheel/\*.whl and holds 2"),
        (lambda made: (made / "LICENSE").unlink(), "should hold one LICENSE and holds 0"),
        (lambda made: (made / "link.py").symlink_to("/etc/passwd"), "holds link.py, which does not belong there"),
    ],
)
def test_a_secret_stops_the_release_and_leaves_nothing(released, tmp_path, monkeypatch, spoil, reason):
    def fill(project, master, made):
        shutil.copytree(released, made, ignore=shutil.ignore_patterns(".git"))
        spoil(made)

    monkeypatch.setattr(release, "_fill", fill)
    refused(f"{reason}: nothing was released", tmp_path / "made")
    assert list(tmp_path.iterdir()) == []


def test_refuses_a_secret_file_without_a_canary(released, master, tmp_path):
    mine = shutil.copytree(master, tmp_path / "cifar10")
    (mine / "hidden.py").write_text("x = 1\n")
    with pytest.raises(CourseError, match=r"hidden.py has no canary"):
        guard.check(released, [], mine, release._PUBLIC)
