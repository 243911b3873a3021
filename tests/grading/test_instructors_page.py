"""The instructors' page: its commands exist, its tables can be read, its workflow shows students' code no token."""

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from running_here import Here
from small_class import ENTRY, answers, grade, hand_in, regrade

from course_tools import cli
from course_tools.grading import judge, roster, rubric

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "book" / "instructors.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"(?ms)^```(\w*)\n(.*?)^```$", PAGE)


@pytest.fixture
def workflow():
    (text,) = (text for kind, text in BLOCKS if kind == "yaml")
    return text


def test_its_commands_are_words_that_the_course_knows():
    commands = [line for kind, text in BLOCKS if kind == "bash" for line in text.splitlines()]
    assert [line.split()[:3] for line in commands] == [
        ["course", "assignment", word] for word in ("release", "grade", "grade", "regrade")
    ]
    for line in commands:
        assert callable(cli.parser().parse_args(line.split()[1:]).act)


def test_its_tables_can_be_read(tmp_path):
    file, class_of_three = tmp_path / "table.csv", {"kdptvbqr", "mmgcbtnh", "s1001"}
    entries = [replace(ENTRY, stem=name, code=name, id=name) for name in class_of_three]
    named = []
    for kind, text in BLOCKS:
        if not kind and "," in text.partition("\n")[0]:
            file.write_text(text)
            students = text.startswith("folder")
            named.append([student.id for student in roster.read(file)] if students else [*rubric.read(file, entries)])
    assert sorted(named) == [["kdptvbqr", "mmgcbtnh"], ["s1001"], ["s1001", "s1002", "s1003"]]


def test_it_names_every_file_that_is_made(tmp_path, reference, monkeypatch):
    monkeypatch.setattr(judge, "Worker", Here)
    hand_in(tmp_path / "class", "ID", answers(reference))
    out = tmp_path / "grades.csv"
    grade(tmp_path / "class", out)
    regrade(["ID"], out)
    made = {f"`{file.relative_to(tmp_path)}`" for file in out.with_suffix("").rglob("*.*") if "state" not in file.parts}
    listed = set(re.findall(r"(?m)^\| (`grades[\w./-]*`) \|", PAGE))
    assert listed == {"`grades.csv`", "`grades/state/`", *made}


@pytest.mark.parametrize("schema", ["vendor.github-workflows", "custom.github-workflows-require-timeout"])
def test_its_workflow_is_one(workflow, tmp_path, schema):
    (tmp_path / "grade.yml").write_text(workflow)
    checker = Path(sys.executable).parent / "check-jsonschema"
    words = [checker, "--builtin-schema", schema, tmp_path / "grade.yml"]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_students_code_runs_where_there_is_no_token(workflow):
    jobs = yaml.safe_load(workflow)["jobs"]
    assert yaml.safe_load(workflow)["permissions"] == {} == jobs["grade"]["permissions"]
    assert jobs["collect"]["permissions"] == {"contents": "read"}
    assert "secrets." not in workflow and "token" not in workflow and "${{" not in workflow
    assert all("env" not in one for job in jobs.values() for one in (job, *job["steps"]))
    checkouts = [step["with"] for job in jobs.values() for step in job["steps"] if "checkout@" in step.get("uses", "")]
    assert [step["persist-credentials"] for step in checkouts] == [False, False]
    assert checkouts[1]["repository"] == "OWNER/COURSE"  # whose, an instructor says
    runs = {name: [step["run"] for step in job["steps"] if "run" in step] for name, job in jobs.items()}
    assert runs["collect"] == ["tar --create --file handed-in.tar submissions roster.csv"]
    used = re.findall(r"uses: (.*)", workflow)
    ours = "".join(file.read_text() for file in (ROOT / ".github" / "workflows").iterdir())
    assert len(used) == 6 and all(f"uses: {action}\n" in ours for action in used)
    called = [words.split() for words in runs["grade"] if words.startswith(".venv/bin/course")]
    assert len(called) == 1 and cli.parser().parse_args(called[0][1:]).i_trust_this_code is False


def test_in_the_archive_a_link_stays_a_link(workflow, tmp_path):
    jobs = yaml.safe_load(workflow)["jobs"]
    (packs,) = (step["run"] for step in jobs["collect"]["steps"] if "tar " in step.get("run", ""))
    (unpacks,) = (step["run"] for step in jobs["grade"]["steps"] if "tar " in step.get("run", ""))
    (tmp_path / "submissions" / "ann").mkdir(parents=True)
    (tmp_path / "roster.csv").write_text("secret")
    (tmp_path / "submissions" / "ann" / "answers.py").symlink_to("../../roster.csv")
    subprocess.run(packs, shell=True, check=True, cwd=tmp_path)
    there = tmp_path / "there"
    there.mkdir()
    (tmp_path / "handed-in.tar").rename(there / "handed-in.tar")
    subprocess.run(unpacks, shell=True, check=True, cwd=there)
    assert (there / "submissions" / "ann" / "answers.py").is_symlink()
