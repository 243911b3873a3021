"""What counts as a submission, what is read of it, when it came, and what it is called afterwards."""

import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from checks import script
from course_lib.errors import CourseError
from course_tools.grading import submissions

CELL = '# %% tags=["answer", "task-1"]\nx = 1\n'


def make(parent, name, text=CELL):
    folder = parent / name
    folder.mkdir(parents=True)
    if text is not None:
        (folder / "answers.py").write_text(text, encoding="utf-8")
    return folder


def names(folders):
    return [folder.name for folder in folders]


def test_a_folder_without_answers_holds_a_class(tmp_path):
    for name in ("bob", "ann", ".hidden"):
        make(tmp_path, name)
    for name in ("empty", ".git"):
        make(tmp_path, name, None)
    (tmp_path / "carl.zip").write_bytes(b"PK")
    (tmp_path / "roster.csv").write_text("folder,student\n")
    folders, left_out = submissions.find([tmp_path])
    assert names(folders) == [".hidden", "ann", "bob", "empty"] and left_out == ["carl.zip"]


def test_a_folder_with_answers_is_one_submission_and_so_is_each_of_several(tmp_path):
    make(make(tmp_path, "ann"), "within")
    make(make(tmp_path, "bob", None), "wheel", None)
    folders, left_out = submissions.find([tmp_path / "ann"])
    assert names(folders) == ["ann"] and left_out == []
    assert names(submissions.find([tmp_path / "bob", tmp_path / "ann", tmp_path / "ann/../ann"])[0]) == ["ann", "bob"]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ([], "No folder is named"),
        (["nothing"], "does not exist: look at its name"),
        (["file.zip"], "is not a folder: unpack it"),
        (["empty"], "There is no submission in .*empty: neither answers.py nor a folder"),
    ],
)
def test_nothing_to_grade_is_refused(tmp_path, arguments, problem):
    (tmp_path / "file.zip").write_bytes(b"PK")
    (tmp_path / "empty").mkdir()
    with pytest.raises(CourseError, match=problem):
        submissions.find([tmp_path / name for name in arguments])


def read(folder):
    return submissions.read(folder, folder.parent / "copies")


def test_a_copy_is_kept_of_just_what_was_read_under_its_digest(tmp_path):
    folder, other = make(tmp_path, "ann"), make(tmp_path, "bob")
    assert read(folder).digest == read(other).digest
    (folder / "logits.safetensors").write_bytes(b"logits")
    (folder / "notes.txt").write_text("more")
    first = read(folder)
    (folder / "answers.py").write_text("other")
    copy = tmp_path / "copies" / first.digest
    assert sorted(file.name for file in copy.iterdir()) == ["answers.py", "logits.safetensors"]
    assert (copy / "answers.py").read_text() == CELL and (copy / "logits.safetensors").read_bytes() == b"logits"
    assert first.refusal == first.logits_problem == ""
    assert len({first.digest, read(folder).digest, read(other).digest}) == 3


def test_files_in_a_folder_within_are_read_where_there_is_just_one(tmp_path):
    folder = make(tmp_path, "ann", None)
    make(folder, "assignment")
    make(folder, "__MACOSX", None)
    assert read(folder).refusal == ""
    make(folder, "assignment (1)")
    assert read(folder).refusal == "no answers.py"


def answers_are_a_link(folder, other):
    (folder / "answers.py").unlink()
    (folder / "answers.py").symlink_to(other / "answers.py")


def folder_is_a_link(folder, other):
    folder.rename(folder.with_name("moved"))
    folder.symlink_to(other)


def folder_within_is_a_link(folder, other):
    (folder / "answers.py").unlink()
    (folder / "assignment").symlink_to(other)


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (answers_are_a_link, "answers.py is a link"),
        (folder_is_a_link, "the folder is a link"),
        (folder_within_is_a_link, "no answers.py"),
    ],
)
def test_what_is_not_taken_is_refused_and_not_copied(tmp_path, spoil, problem):
    folder, other = make(tmp_path, "ann"), make(tmp_path / "elsewhere", "other")
    spoil(folder, other)
    submission = read(folder)
    assert problem in submission.refusal and submission.digest == "" and not (tmp_path / "copies").exists()


@pytest.mark.parametrize(
    ("put", "problem"),
    [
        (lambda file: file.symlink_to(file.with_name("answers.py")), "logits.safetensors is a link"),
        (lambda file: file.write_bytes(b"\0" * 2_000_001), "logits.safetensors is larger than 2 MB"),
    ],
)
def test_logits_that_are_not_taken_cost_the_logits_alone(tmp_path, put, problem):
    folder = make(tmp_path, "ann")
    put(folder / "logits.safetensors")
    submission = read(folder)
    assert submission.refusal == "" and problem in submission.logits_problem
    assert not (tmp_path / "copies" / submission.digest / "logits.safetensors").exists()


def test_the_time_is_that_of_the_answers_even_if_it_lies_far_ahead(tmp_path):
    folder = make(tmp_path, "ann")
    when = datetime(2026, 3, 20, tzinfo=UTC)
    os.utime(folder / "answers.py", (0, when.timestamp()))
    assert read(folder).saved == when
    os.utime(folder / "answers.py", (0, 2**33))
    assert read(folder).saved.year > 2200


def test_a_line_of_many_brackets_takes_no_time():
    """In a process with little processor time; a search that begins anew at each bracket takes minutes."""
    words = "import resource; resource.setrlimit(resource.RLIMIT_CPU, (10, 10)); "
    words += "import course_tools.grading; from checks import script; script.cells_of('# %% ' + 'tags=[' * 150_000)"
    subprocess.run([sys.executable, "-c", words], check=True)
    assert script.cells_of('# %% tags=["answer", "task-3"]\nx = 1')[0].task == 3


HOSTILE = ["../../etc/passwd", "..", ".hidden", "=cmd|' /C calc'!A0", "a\nb", "a\x1b[2Jb", "\u202egnp.exe"]
HOSTILE += ["\udcff\udcfe", "x" * 250, "日本", "-rf", "<script>alert(1)</script>", "", "a ", "a."]


def stems(*names):
    return submissions.stems([(name, Path("/class", str(i))) for i, name in enumerate(names)])


def test_file_names_are_plain_and_no_two_alike_on_any_system():
    assert stems("ann", "Ann_B-2.final") == ["ann", "Ann_B-2.final"]
    names = stems(*HOSTILE, "ann", "Ann", "ann", "a?b", "a*b", "Ünal", "Unal", "Unäl")
    assert all(re.fullmatch(r"[a-zA-Z0-9][\w.-]{0,62}", stem, re.ASCII) for stem in names)
    assert len({stem.casefold() for stem in names}) == len(names) and not {*names} & {*HOSTILE}


def test_a_name_in_a_message_steers_no_terminal():
    assert submissions.shown("a\nb\x1b\u202e\udcff") == "a\ufffdb" + 3 * "\ufffd"
    assert len(submissions.shown("x" * 1000)) == 60
