"""What counts as a submission, what is read of it, when it came, and what it is called afterwards."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
import safetensors.torch
import torch

from checks import script
from course_lib.errors import CourseError
from course_tools.grading.classes import handing_in, submissions

CELL = '# %% tags=["answer", "task-1"]\nx = 1\n'


def make(parent, name, text=CELL):
    folder = parent / name
    folder.mkdir(parents=True)
    if text is not None:
        (folder / "answers.py").write_text(text, encoding="utf-8")
    return folder


def names(places):
    return [place.name for place in places]


def test_a_folder_without_answers_holds_a_class(tmp_path):
    for name in ("bob", "ann", ".hidden"):
        make(tmp_path, name)
    for name in ("empty", ".git"):
        make(tmp_path, name, None)
    (tmp_path / "carl.zip").write_bytes(b"PK")
    (tmp_path / "roster.csv").write_text("folder,student\n")
    places, left_out = submissions.find([tmp_path])
    assert names(places) == [".hidden", "ann", "bob", "empty"] and left_out == ["carl.zip"]


def test_a_folder_with_answers_is_one_submission(tmp_path):
    make(make(tmp_path, "ann"), "within")
    places, left_out = submissions.find([tmp_path / "ann"])
    assert names(places) == ["ann"] and left_out == []


def test_of_several_folders_each_is_one_submission_whatever_it_holds(tmp_path):
    folders = [make(tmp_path, "bob", None), make(tmp_path, "ann"), tmp_path / "ann" / ".." / "ann"]
    make(tmp_path / "bob", "wheel", None)
    assert names(submissions.find(folders)[0]) == ["ann", "bob"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "No folder is named"),
        (["nothing"], "does not exist: look at its name"),
        (["file.zip"], "is no folder: unpack it, or leave it out"),
        (["empty"], "There is no submission in .*empty: neither answers.py nor a folder"),
    ],
)
def test_nothing_to_grade(tmp_path, arguments, said):
    (tmp_path / "file.zip").write_bytes(b"PK")
    (tmp_path / "empty").mkdir()
    with pytest.raises(CourseError, match=said):
        submissions.find([tmp_path / one for one in arguments])


def read(folder):
    return submissions.read(folder, folder.parent / "shelf")


def test_a_copy_is_kept_of_just_what_was_read(tmp_path):
    folder = make(tmp_path, "ann")
    (folder / "logits.safetensors").write_bytes(b"logits")
    (folder / "notes.txt").write_text("more")
    one = read(folder)
    copy = tmp_path / "shelf" / one.digest
    (folder / "answers.py").write_text("other")
    assert sorted(file.name for file in copy.iterdir()) == ["answers.py", "logits.safetensors"]
    assert (copy / "answers.py").read_text() == CELL and (copy / "logits.safetensors").read_bytes() == b"logits"
    assert one.refusal == one.logits_problem == ""
    assert read(folder).digest != one.digest


def test_the_digest_tells_apart_what_is_handed_in_and_nothing_else(tmp_path):
    ann, bob = make(tmp_path, "ann"), make(tmp_path, "bob")
    assert read(ann).digest == read(bob).digest
    (bob / "logits.safetensors").write_bytes(b"")
    assert read(ann).digest != read(bob).digest


def test_files_in_a_folder_within_are_found_where_there_is_just_one(tmp_path):
    folder = make(tmp_path, "ann", None)
    make(folder, "assignment")
    make(folder, "__MACOSX", None)
    assert read(folder).refusal == ""
    make(folder, "assignment (1)")
    assert read(folder).refusal == "no answers.py"


def link(here, there):
    try:
        here.symlink_to(there)
    except OSError:
        pytest.fail("this system makes no links")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda folder, other: (folder / "answers.py").unlink(), "no answers.py"),
        (lambda folder, other: _replace(folder / "answers.py", link, other / "answers.py"), "is a link"),
        (lambda folder, other: _replace(folder / "answers.py", os.mkfifo), "is a link or no regular file"),
        (lambda folder, other: _replace(folder / "answers.py", Path.mkdir), "is a link or no regular file"),
        (lambda folder, other: (folder / "answers.py").write_text("#" * 1_000_001), "larger than 1 MB"),
        (lambda folder, other: _replace(folder, link, other), "the folder is a link"),
    ],
)
def test_what_is_not_taken_is_refused_and_not_copied(tmp_path, spoil, said):
    folder, other = make(tmp_path, "ann"), make(tmp_path / "elsewhere", "other")
    spoil(folder, other)
    one = read(folder)
    assert said in one.refusal and one.digest == "" and not (tmp_path / "shelf").exists()


def _replace(path, make_anew, *words):
    if path.is_dir():
        (path / "answers.py").unlink()
        path.rmdir()
    else:
        path.unlink()
    make_anew(path, *words)


def test_a_link_within_is_not_followed(tmp_path):
    folder = make(tmp_path, "ann", None)
    link(folder / "assignment", make(tmp_path / "elsewhere", "other"))
    assert read(folder).refusal == "no answers.py"


@pytest.mark.parametrize(
    ("put", "said"),
    [
        (lambda file: link(file, file.with_name("answers.py")), "logits.safetensors is a link"),
        (lambda file: file.write_bytes(b"\0" * 2_000_001), "logits.safetensors is larger than 2 MB"),
    ],
)
def test_logits_that_are_not_taken_cost_the_logits_alone(tmp_path, put, said):
    folder = make(tmp_path, "ann")
    put(folder / "logits.safetensors")
    one = read(folder)
    assert one.refusal == "" and said in one.logits_problem
    assert not (tmp_path / "shelf" / one.digest / "logits.safetensors").exists()


def test_a_line_of_many_brackets_takes_no_time():
    """In a process with little processor time; a search that begins anew at each bracket takes minutes."""
    words = "import resource; resource.setrlimit(resource.RLIMIT_CPU, (10, 10)); "
    words += "import course_tools.grading; from checks import script; "
    words += "script.cells_of('# %% ' + 'tags=[' * 150_000)"
    subprocess.run([sys.executable, "-c", words], check=True)
    assert script.cells_of('# %% tags=["answer", "task-3"]\nx = 1')[0].task == 3


# When it came


def git(folder, *words, **environment):
    alone = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, **environment}
    who = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    done = subprocess.run(
        ["git", "-C", folder, *who, *words], env={**os.environ, **alone}, check=True, capture_output=True
    )
    return done.stdout.decode().strip()


def commit(folder, day):
    when = f"2026-03-{day:02}T10:00:00+0000"
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "work", GIT_COMMITTER_DATE=when, GIT_AUTHOR_DATE=when)


@pytest.fixture
def repository(tmp_path):
    """A submission with a history: answers on the 5th, something else on the 9th; its file was saved on the 20th."""
    folder = make(tmp_path, "ann")
    git(folder, "init", "--quiet", "--initial-branch=main")
    commit(folder, 5)
    (folder / "diary.txt").write_text("later")
    commit(folder, 9)
    saved(folder)
    return folder


def saved(folder):
    stamp = datetime(2026, 3, 20, tzinfo=UTC).timestamp()
    os.utime(folder / "answers.py", (stamp, stamp))


def time_of(folder):
    time = handing_in.time_of(folder, (folder / "answers.py").read_bytes())
    return time.when.day, time.source


def test_the_last_commit_of_what_counts(repository):
    assert time_of(repository) == (5, "git")
    safetensors.torch.save_file({"a": torch.zeros(1)}, repository / "logits.safetensors")
    commit(repository, 11)
    assert time_of(repository) == (11, "git")


def test_a_commit_without_a_branch_and_a_packed_branch(repository):
    git(repository, "checkout", "--quiet", "--detach")
    assert time_of(repository) == (5, "git")
    git(repository, "checkout", "--quiet", "main")
    git(repository, "pack-refs", "--all")
    git(repository, "gc", "--quiet")
    assert not (repository / ".git" / "refs" / "heads" / "main").exists()
    assert time_of(repository) == (5, "git")


def test_what_is_not_committed_has_its_files_time(repository):
    (repository / "answers.py").write_text(CELL + "y = 2\n")
    saved(repository)
    assert time_of(repository) == (20, "file")


def test_a_folder_without_a_repository_has_its_files_time(tmp_path):
    folder = make(tmp_path, "ann")
    saved(folder)
    assert time_of(folder) == (20, "file")


def test_a_file_from_the_far_future_ends_nothing(tmp_path):
    folder = make(tmp_path, "ann")
    os.utime(folder / "answers.py", (0, 2**33))
    assert handing_in.time_of(folder, b"").when.year > 2200


@pytest.mark.parametrize(
    "spoil",
    [
        lambda at: (at / "objects" / "info" / "alternates").write_text("/elsewhere\n"),
        lambda at: (at / "HEAD").write_text("ref: refs/heads/../../../elsewhere\n"),
        lambda at: (at / "HEAD").write_text("--upload-pack=evil\n"),
        lambda at: (at / "HEAD").write_bytes(b"\xff"),
        lambda at: (at / "refs" / "heads" / "main").write_text("0" * 40),
        lambda at: link(at / "objects" / "more", at / "objects" / "info"),
        lambda at: (at / "HEAD").rename(at / "other") and link(at / "HEAD", at / "other"),
        lambda at: (at / "refs").rename(at / "other") and link(at / "refs", at / "other"),
        lambda at: at.rename(at.with_name("real")) and link(at, at.with_name("real")),
        lambda at: at.rename(at.with_name("real")) and at.write_text("gitdir: real\n"),
    ],
)
def test_a_repository_that_leads_elsewhere_is_not_followed(repository, spoil):
    spoil(repository / ".git")
    assert time_of(repository) == (20, "file")


def test_a_repository_of_a_student_runs_nothing(repository, tmp_path):
    trap = tmp_path / "trap.sh"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\n")
    trap.chmod(0o755)
    for name in ("core.fsmonitor", "core.pager", "gpg.program", "diff.external", "core.sshCommand"):
        git(repository, "config", name, str(trap))
    git(repository, "config", "log.showSignature", "true")
    git(repository, "config", "core.alternateRefsCommand", str(trap))
    for name in ("post-checkout", "pre-commit", "reference-transaction"):
        (repository / ".git" / "hooks").mkdir(exist_ok=True)
        (repository / ".git" / "hooks" / name).symlink_to(trap)
    signed = git(repository, "cat-file", "commit", "HEAD~1").replace(
        "\n\n", "\ngpgsig -----BEGIN PGP SIGNATURE-----\n\n", 1
    )
    (tmp_path / "commit").write_text(signed)
    made = git(repository, "hash-object", "-t", "commit", "-w", str(tmp_path / "commit"))
    (repository / ".git" / "refs" / "heads" / "main").write_text(made)
    (tmp_path / "sprung").unlink(missing_ok=True)
    assert time_of(repository) == (5, "git")
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("text", ["2026-06-30T23:59+02:00", "2026-06-30T21:59Z", " 2026-06-30 21:59:00+00:00 "])
def test_a_time_with_its_zone(text):
    assert handing_in.moment(text, "--deadline") == datetime(2026, 6, 30, 21, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2026-06-30T23:59", "names no time zone: write it as"),
        ("2026-06-30", "names no time zone"),
        ("tomorrow", "is no time: write it as"),
        ("", "is no time"),
    ],
)
def test_any_other_time(text, said):
    with pytest.raises(CourseError, match=f"^--deadline is .*{said}"):
        handing_in.moment(text, "--deadline")


# What it is called

HOSTILE = [
    "../../etc/passwd",
    "..",
    ".hidden",
    "=cmd|' /C calc'!A0",
    "a\nb",
    "a\x1b[2Jb",
    "\u202egnp.exe",
    "\udcff\udcfe",
    "x" * 250,
    "日本",
    "con",
    "NUL.txt",
    "-rf",
    "<script>alert(1)</script>",
    "",
    "a ",
    "a.",
]


def stems(*names):
    return submissions.stems([(name, Path("/class", str(i))) for i, name in enumerate(names)])


@pytest.mark.parametrize("name", ["ann", "s123456", "Ann_B-2.final"])
def test_a_plain_name_stays(name):
    assert stems(name) == [name]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_becomes_a_plain_one(name):
    (stem,) = stems(name)
    assert stem != name and len(stem) < 64
    assert stem.isascii() and all(letter.isalnum() or letter in "._-" for letter in stem)
    assert stem[0].isalnum() and stem.split(".")[0].casefold() not in ("con", "nul")


def test_no_two_names_are_alike_on_any_system():
    made = stems(*HOSTILE, "ann", "Ann", "ann", "a?b", "a*b", "Ünal", "Unal", "Unäl")
    assert len({stem.casefold() for stem in made}) == len(made)
    assert len({stem.casefold() for stem in stems("ann", "Ann")}) == 2


def test_a_name_in_a_message_steers_no_terminal():
    assert submissions.shown("a\nb\x1b\u202e\udcff") == "a\ufffdb" + 3 * "\ufffd"
    assert len(submissions.shown("x" * 1000)) == 60
