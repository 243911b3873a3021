"""What counts as a submission, what is read of it, when it came, and what it is called afterwards."""

import json
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
    assert read(folder).note == "graded: assignment/answers.py"
    make(folder, "assignment (1)")
    assert "could be answers.py: assignment/answers.py, assignment (1)/answers.py." in read(folder).refusal


NOTEBOOK = json.dumps({"cells": [{"cell_type": "code", "metadata": {"tags": ["answer"]}, "source": "x = 1"}]})
NAMES = """
answers (1).py|answers-1.py|Answers.py|ANSWERS.PY|answers.py.txt|Copy of answers.py|answer.py|ａｎｓｗｅｒｓ.py
doe_LATE_123_456_answers-2.py|a/answers.py|a b/deep./answers.py|a/answers.py/answers.py|u\u0308/日本/answers (1).ipynb
answers.ipynb|answers (2).ipynb|answers-Copy1.ipynb|answers.ipynb.txt|Answers.ipynb.json
"""
NAMES = NAMES.strip().replace("\n", "|").split("|")
OF_SYSTEMS = ["__MACOSX/._answers.py", "__MACOSX/answers.py", ".DS_Store", "._answers.py", "Thumbs.db", "notes.txt"]
OF_SYSTEMS += [".ipynb_checkpoints/answers-checkpoint.ipynb", ".git/answers.py", "answers.zip", "answers.py~"]


def put(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(NOTEBOOK if "ipynb" in name else CELL, encoding="utf-8")
    return folder


@pytest.mark.parametrize("name", NAMES)
def test_what_a_platform_or_a_browser_renames_is_found_and_named(tmp_path, name):
    folder = put(tmp_path / "ann", name, *OF_SYSTEMS, "Logits (1).safetensors")
    submission = read(folder)
    assert submission.refusal == "" and submission.note.startswith(f"graded: {name}")
    assert "not graded" not in submission.note and ("one of a cell" in submission.note) == ("ipynb" in name)
    copy = tmp_path / "copies" / submission.digest
    assert [cell.source for cell in script.read_script(copy)] == ["x = 1"] and (copy / "logits.safetensors").exists()
    assert submissions.find([folder])[0] == [folder] or "/" in name
    assert names(submissions.find([put(tmp_path / "class" / "bob", name).parent])[0]) == ["bob"]


@pytest.mark.parametrize(
    ("lie_there", "graded", "others"),
    [
        (["answers.py", "answers.ipynb"], "answers.py", "answers.ipynb"),
        (["answers.py", "old/answers.py", "answers (1).py"], "answers.py", "answers (1).py, old/answers.py"),
        (["a/answers.py", "a/answers (1).py"], "a/answers.py", "a/answers (1).py"),
        (["Answers.py", "answers.ipynb"], "Answers.py", "answers.ipynb"),
        (["answers.ipynb", "answers-Copy1.ipynb"], "answers.ipynb", "answers-Copy1.ipynb"),
    ],
)
def test_of_several_files_that_with_the_right_name_counts_and_the_others_are_named(tmp_path, lie_there, graded, others):
    submission = read(put(tmp_path / "ann", *lie_there))
    assert submission.note.startswith(f"graded: {graded}") and submission.note.endswith(f"not graded: {others}")


@pytest.mark.parametrize(
    ("lie_there", "said"),
    [
        (["solution.py", "b/notes.txt"], "no answers.py: there is only solution.py, b/notes.txt"),
        (["answers.zip", "__MACOSX/answers.py"], "no answers.py: there is only answers.zip"),
        (["answers (1).py", "b/Answers.py"], "could be answers.py: answers (1).py, b/Answers.py. Leave one"),
        (["a/answers.ipynb", "b/answers.ipynb"], "could be answers.ipynb: a/answers.ipynb, b/answers.ipynb. Leave one"),
        (["a/b/c/d/e/f/answers.py"], "no answers.py"),
    ],
)
def test_what_cannot_be_graded_is_refused_with_what_lies_there(tmp_path, lie_there, said):
    assert said in read(put(make(tmp_path, "ann", None), *lie_there)).refusal


def test_one_students_folder_may_be_named_alone(tmp_path):
    folder = put(tmp_path / "ann", "Answers.py", "answers.ipynb", "wheel/x.whl")
    assert submissions.find([folder])[0] == [folder]


def test_several_logits_cost_the_logits_alone(tmp_path):
    submission = read(put(tmp_path / "ann", "answers.py", "logits (1).safetensors", "logits (2).safetensors"))
    assert submission.refusal == "" and "logits (1).safetensors, logits (2).safetensors" in submission.logits_problem
    submission = read(put(tmp_path / "ann", "logits.safetensors"))
    assert submission.logits_problem == ""


def test_a_class_as_platforms_make_it(tmp_path):
    """Students' folders with what systems leave beside them; and one in which nobody has a folder."""
    parent = put(
        tmp_path / "class", "Jos\u00e9_1/Answers.py", "李 小龍/a/answers.py", "bob./answers.ipynb", "eve/x.txt"
    )
    put(parent, "__MACOSX/bob/._answers.py", ".DS_Store", "metadata.yml", "roster.csv")
    folders, left_out = submissions.find([parent])
    assert names(folders) == ["Jos\u00e9_1", "bob.", "eve", "李 小龍"] and left_out == ["metadata.yml"]
    flat = put(tmp_path / "flat", "doe_1_answers.py", "roe_2_answers.py")
    with pytest.raises(CourseError, match=r"but doe_1_answers.py, roe_2_answers.py. Put each student's files into"):
        submissions.find([flat])


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
        (folder_within_is_a_link, "no answers.py: there is only assignment"),
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
