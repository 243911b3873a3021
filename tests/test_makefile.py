"""``make setup`` with stand-in Pythons: too old, without venv, and one that only writes down what it is asked to do."""

import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]


@pytest.fixture
def make(tmp_path):
    (tmp_path / "course_tools").mkdir()
    for file in ("Makefile", "pyproject.toml", "course_tools/pyproject.toml", "requirements.lock"):
        shutil.copy(ROOT / file, tmp_path / file)

    def run(*words: str) -> subprocess.CompletedProcess:
        command = ["make", "--no-print-directory", *words]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    return run


def python(folder: Path, body: str) -> str:
    script = folder / "python"
    script.write_text(f"#!/bin/sh\n{body}\n")
    script.chmod(0o755)
    return f"PYTHON={script}"


def first_line(done: subprocess.CompletedProcess) -> str:
    return done.stderr.splitlines()[0]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("exit 1", "is not Python 3.11 or newer: install one, then run make PYTHON="),
        ('case "$2" in *ensurepip*) exit 1;; esac', "has no venv module: install it (Debian, Ubuntu: apt install"),
    ],
)
def test_a_python_that_is_too_old_or_has_no_venv_is_named(make, tmp_path, body, problem):
    done = make("setup", python(tmp_path, body))
    assert done.returncode != 0 and problem in first_line(done)
    assert not (tmp_path / ".venv").exists()


def test_setup_installs_once_and_again_only_when_the_lock_changes(make, tmp_path):
    log = tmp_path / "log"
    stand_in = python(
        tmp_path,
        f'echo "$@" >> {log}\nif [ "$1 $2" = "-m venv" ]; then mkdir -p .venv/bin; cp "$0" .venv/bin/python; fi',
    )
    assert make("setup", stand_in).returncode == 0
    calls = log.read_text()
    assert "-m pip install" in calls and "--requirement requirements.lock" in calls and "--editable ." in calls
    assert make("setup", stand_in).returncode == 0
    assert log.read_text() == calls, "a second setup must do nothing"
    lock = tmp_path / "requirements.lock"
    later = lock.stat().st_mtime + 60
    subprocess.run(["touch", "-d", f"@{later:.0f}", lock], check=True)
    assert make("setup", stand_in).returncode == 0
    assert len(log.read_text()) > len(calls)


def test_a_broken_install_is_tried_again(make, tmp_path):
    stand_in = python(
        tmp_path, 'case "$*" in *requirements.lock*) exit 1;; esac\nmkdir -p .venv/bin; cp "$0" .venv/bin/python'
    )
    assert make("setup", stand_in).returncode != 0
    assert not (tmp_path / ".venv" / ".ready").exists()


def stand_in_that_fetches(folder: Path, fetch: str) -> str:
    """A Python that logs its arguments, copies itself into a new .venv, and runs ``fetch`` for course_lib.data."""
    put = 'mkdir -p .venv/bin; cp "$0" .venv/bin/python'
    lines = f'if [ "$1 $2" = "-m venv" ]; then {put}; fi\nif [ "$1 $2" = "-m course_lib.data" ]; then {fetch}; fi'
    return python(folder, f'echo "$@" >> {folder}/log\n{lines}')


def test_setup_fetches_the_small_weights_once_and_says_nothing(make, tmp_path):
    stand_in = stand_in_that_fetches(tmp_path, "echo Weights: /there; echo a progress bar >&2")
    done = make("setup", stand_in)
    assert done.returncode == 0 and done.stderr == "" and "/there" not in done.stdout
    calls = (tmp_path / "log").read_text().splitlines()
    assert calls[-1] == "-m course_lib.data fetch mobilenet-v2", "after everything is installed"
    assert make("setup", stand_in).returncode == 0
    assert (tmp_path / "log").read_text().splitlines() == calls


def test_setup_without_a_network_for_the_weights_is_complete(make, tmp_path):
    stand_in = stand_in_that_fetches(tmp_path, "echo data: no network >&2; exit 1")
    done = make("setup", stand_in)
    assert done.returncode == 0 and (tmp_path / ".venv" / ".ready").exists()
    assert done.stderr.count("\n") == 1
    assert "MobileNetV2's weights could not be fetched now" in done.stderr
    assert ".venv/bin/python -m course_lib.data fetch mobilenet-v2" in done.stderr


@pytest.mark.parametrize("target", ["serve", "pdf"])
def test_before_anything_was_built(make, target):
    done = make(target)
    assert done.returncode != 0
    assert "run make book or make site" in first_line(done)


@pytest.mark.parametrize("file", ["pyproject.toml", "course_tools/pyproject.toml"])
def test_the_lock_has_a_version_that_fits_for_each_package_that_is_asked_for(file):
    lines = [line for line in (ROOT / "requirements.lock").read_text().splitlines() if not line.startswith("#")]
    locked = {one.name.lower(): str(one.specifier).removeprefix("==") for one in map(Requirement, lines)}
    project = tomllib.loads((ROOT / file).read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *extras.get("test", []), *extras.get("cluster", [])]
    wrong = [one for one in map(Requirement, wanted) if not one.specifier.contains(locked.get(one.name.lower(), "0"))]
    assert not wrong, "`make lock` brings requirements.lock in step"
