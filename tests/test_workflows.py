"""What GitHub runs: the files are valid, may do no more than they must, and call only what exists."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from course_tools import cli

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / ".github" / "workflows").glob("*.y*ml"))
# Every job that may do more than read, and what it may do.
MAY_WRITE = {
    ("pages", "deploy"): {"pages": "write", "id-token": "write"},
    ("gpu", "pull-request"): {"contents": "write", "pull-requests": "write"},
}


@pytest.fixture(params=FILES, ids=lambda file: file.stem)
def file(request):
    return request.param


def load(name):
    return yaml.safe_load((ROOT / ".github" / "workflows" / f"{name}.yml").read_text())


def scripts(file):
    """Every shell script of a workflow."""
    return [step["run"] for job in load(file.stem)["jobs"].values() for step in job["steps"] if "run" in step]


def script(workflow, job, words):
    """The one script of a job that holds these words."""
    (found,) = (step["run"] for step in load(workflow)["jobs"][job]["steps"] if words in step.get("run", ""))
    return found


def bash(text, folder, **environment):
    """Run a script as GitHub does where ``shell: bash`` is set."""
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", text],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("schema", ["vendor.github-workflows", "custom.github-workflows-require-timeout"])
def test_the_files_are_workflows_and_every_job_has_a_time_limit(schema):
    checker = Path(sys.executable).parent / "check-jsonschema"
    done = subprocess.run([checker, "--builtin-schema", schema, *FILES], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_actions_are_githubs_own_and_pinned_to_a_commit():
    pins = {}
    for file in FILES:
        for line in re.findall(r".*\buses:.*", file.read_text()):
            pin = re.fullmatch(r"\s+(?:- )?uses: (actions/[a-z-]+)@([0-9a-f]{40}) # (v\d+\.\d+\.\d+)", line)
            assert pin, f"{file.name}: {line.strip()}: pin it as `actions/NAME@COMMIT # v1.2.3`"
            assert pins.setdefault(pin[1], pin.groups()) == pin.groups(), f"{pin[1]} is pinned in two versions"
    assert len(pins) > 3


def test_nobody_from_outside_starts_a_workflow_that_has_more_rights(file):
    """``pull_request_target``, ``issue_comment`` and ``workflow_run`` start with a token that may write."""
    events = load(file.stem)[True]  # YAML reads `on` as a truth value
    assert set(events) <= {"push", "pull_request", "schedule", "workflow_dispatch"}


def test_no_script_is_put_together_from_what_others_wrote(file):
    for text in scripts(file):
        assert "${{" not in text, f"{file.name}: hand it over through env: {text}"


def test_workflows_may_read_and_two_jobs_may_write(file):
    workflow = load(file.stem)
    assert workflow["permissions"] in ({}, {"contents": "read"})
    for name, job in workflow["jobs"].items():
        assert job.get("permissions") == MAY_WRITE.get((file.stem, name)), name
        for step in job["steps"]:
            if "actions/checkout@" in step.get("uses", ""):
                assert step["with"]["persist-credentials"] is False, f"{name}: no step needs the token in .git"


def test_what_they_call_exists(file):
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"(?m)^([a-z]+):", makefile))
    called = []
    for text in scripts(file):
        for words in (line.split() for line in text.replace("$CHAPTERS", "01-mlp").splitlines()):
            if words[:1] == ["make"]:
                assert set(words[1:]) <= targets, words
                called.append(words)
            elif words[:1] == [".venv/bin/course"]:
                assert callable(cli.parser().parse_args(words[1:]).act), words
                called.append(words)
    assert called, "this workflow calls nothing of ours"


@pytest.mark.parametrize("names", ["", "01-mlp lenet 03", "vgg-vs-resnet mnist-six"])
def test_names_of_chapters_and_studies_pass(names, tmp_path):
    check = script("gpu", "run", "chapters takes names")
    assert bash(check, tmp_path, CHAPTERS=names, STUDIES=names).returncode == 0


@pytest.mark.parametrize("asked", ["chapters", "studies"])
@pytest.mark.parametrize("names", ["--jobs 9", "a;id", "$(id)", "`id`", "a\nb", "*", "../a", " "])
def test_anything_else_does_not(names, asked, tmp_path):
    given = {"CHAPTERS": "", "STUDIES": ""} | {asked.upper(): names}
    done = bash(script("gpu", "run", "chapters takes names"), tmp_path, **given)
    assert done.returncode == 1 and done.stdout.startswith(f"::error::{asked} takes names such as ")


@pytest.fixture
def checkouts(tmp_path, monkeypatch):
    """Two clones of a small repository, and a stand-in for gh that writes down its words."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    origin = tmp_path / "origin"
    (origin / "notebooks").mkdir(parents=True)
    (origin / "notebooks" / "01.ipynb").write_text("old\n")
    (origin / "code.py").write_text("old\n")
    (origin / ".gitignore").write_text("/_build/\n")
    who = "-c user.name=A -c user.email=a@example.org"
    setup = f"git init --quiet --initial-branch main; git add --all; git {who} commit --quiet --message start"
    assert bash(setup, origin).returncode == 0
    assert bash("git clone --quiet origin runner && git clone --quiet origin writer", tmp_path).returncode == 0
    gh = tmp_path / "bin" / "gh"
    gh.parent.mkdir()
    gh.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {tmp_path}/gh.log\n')
    gh.chmod(0o755)
    monkeypatch.setenv("PATH", f"{gh.parent}:{os.environ['PATH']}")
    return tmp_path


def test_outputs_and_records_go_into_a_pull_request_and_nothing_else_does(checkouts):
    runner, writer = checkouts / "runner", checkouts / "writer"
    pack, offer = script("gpu", "run", "published.patch"), script("gpu", "pull-request", "gh pr create")
    (runner / "results").mkdir()
    for name, content in {"notebooks/01.ipynb": "new\n", "results/01.jsonl": "{}\n", "code.py": "new\n"}.items():
        (runner / name).write_text(content)
    assert bash(pack, runner).returncode == 0
    patch = runner / "published.patch"
    assert "code.py" not in patch.read_text()

    # A runner that went bad may write what it likes into the patch.
    forged = patch.read_text() + bash("git diff --cached -- code.py", runner).stdout
    assert "code.py" in forged
    (writer / "_build").mkdir()
    (writer / "_build" / "published.patch").write_text(forged)
    environment = {"GITHUB_RUN_ID": "7", "GITHUB_RUN_ATTEMPT": "1", "GITHUB_REF_NAME": "trunk", "CHAPTERS": "01"}
    done = bash(offer, writer, GITHUB_REPOSITORY="me/mine", **environment)
    assert done.returncode == 0, done.stderr
    changed = bash("git diff --name-only main published/7-1", checkouts / "origin").stdout.split()
    assert changed == ["notebooks/01.ipynb", "results/01.jsonl"]
    assert bash("git log -1 --format=%an published/7-1", checkouts / "origin").stdout == "github-actions[bot]\n"
    words = (checkouts / "gh.log").read_text().splitlines()
    assert words[:8] == ["pr", "create", "--repo", "me/mine", "--base", "trunk", "--head", "published/7-1"]
    assert "Publish full runs: 01" in words


def test_a_run_that_changed_nothing_says_so(checkouts):
    done = bash(script("gpu", "run", "published.patch"), checkouts / "runner")
    assert done.returncode == 1 and "::error::nothing changed" in done.stdout
