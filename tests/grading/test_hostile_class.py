"""One hostile submission among others: it costs itself, and neither the class, nor the judge, nor the secrets."""

import errno
import json
import os
import socket
import struct

import pytest
import safetensors.torch
import torch
from hypothesis import given
from hypothesis import strategies as st
from running_here import Here
from small_class import SEED, Counting, answers, grade, hand_in, lines, refuses, regrade, table

from checks import logits, marking, script
from checks.process import WorkerGone
from checks.tasks import PARTS, Draw
from course_tools.grading import judge, sandbox, submissions
from course_tools.grading.judge import Exam, Job

CELL = '# %% tags=["answer", "task-1"]\n'


# A folder that cannot be read is a row


def _nested(folder):
    inner = os.open(folder, os.O_RDONLY)
    for _ in range(1500):
        os.mkdir("d" * 100, dir_fd=inner)
        outer, inner = inner, os.open("d" * 100, os.O_RDONLY, dir_fd=inner)
        os.close(outer)
    os.close(inner)


def _socket(folder):
    with socket.socket(socket.AF_UNIX) as made, pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        made.bind("answers.py")


def _terabyte(folder):
    with (folder / "answers.py").open("wb") as file:
        file.truncate(2**40)


FOLDERS = {
    "a loop of links": lambda folder: (folder / "answers.py").symlink_to("answers.py"),
    "a folder of tools that is a loop": lambda folder: (folder / ".git").symlink_to(".git"),
    "1,500 folders in each other": _nested,
    "a pipe": lambda folder: os.mkfifo(folder / "answers.py"),
    "a socket": _socket,
    "a terabyte of nothing": _terabyte,
    "a folder called answers.py": lambda folder: (folder / "answers.py").mkdir(),
    "a hundred folders": lambda folder: [hand_in(folder, f"{i}", "x = 1") for i in range(100)],
}


@pytest.fixture(scope="module", autouse=True)
def _no_trace(tmp_path_factory):
    """What is too deep for pytest to delete."""
    yield
    for folder in tmp_path_factory.getbasetemp().glob("*/class/hostile/d*"):
        inner = os.open(folder, os.O_RDONLY)
        os.close(inner)
        os.system(f"rm -rf '{folder}'")


@pytest.mark.parametrize("make", FOLDERS.values(), ids=FOLDERS)
def test_a_folder_that_cannot_be_read_is_a_row_and_the_class_goes_on(class_of_two, out, counted_here, make):
    (class_of_two / "hostile").mkdir()
    make(class_of_two / "hostile")
    grade(class_of_two, out).check()
    rows = table(out)
    assert (rows["ann"]["total"], rows["bob"]["total"], rows["hostile"]["total"]) == ("12", "7", "0")
    assert rows["hostile"]["status"].startswith(("refused: ", "no answers.py"))


@pytest.mark.parametrize("name", [b"n" * 255, b"\xff\xfe", b"a\nb", b" ", b"-rf", b"=1", b"state", b"grades", b"class"])
def test_a_folder_of_any_name_is_a_row(class_of_two, out, reference, counted_here, name):
    hand_in(class_of_two, os.fsdecode(name), answers(reference))
    grade(class_of_two, out).check()
    assert sorted(row["total"] for row in lines(out)) == ["12", "12", "7"]


@pytest.mark.parametrize(
    "error",
    [
        RecursionError("deep"),
        ValueError("embedded null byte"),
        OSError(errno.ELOOP, "Too many levels of symbolic links", "{}/.git"),
        OSError(errno.ENAMETOOLONG, "File name too long", "{}/a"),
        PermissionError(errno.EACCES, "Permission denied", "{}/answers.py"),
    ],
    ids=repr,
)
def test_whatever_reading_a_folder_raises_is_its_row(class_of_two, out, counted_here, monkeypatch, error):
    real = submissions.read

    def read(folder, copies):
        if folder.name == "bob":
            error.filename = getattr(error, "filename", None) and error.filename.format(folder)
            raise error
        return real(folder, copies)

    monkeypatch.setattr(submissions, "read", read)
    grade(class_of_two, out).check()
    assert table(out)["ann"]["total"] == "12" and table(out)["bob"]["status"].startswith("refused: it cannot be read")


# Texts are read in the sandbox, and what a submission causes is its own

TEXTS = {
    "marks upon a letter, which take hours": CELL + "a" + "\u0301\u0316" * 240_000 + " = 1",
    "a million statements, which take 800 MB": CELL + "a;" * 499_000,
    "brackets": CELL + "(" * 300_000,
    "a chain of attributes": CELL + "a" + ".a" * 400_000,
    "a sum": CELL + "1" + "+1" * 450_000,
    "minus signs": CELL + "-" * 900_000 + "1",
    "branches": CELL + "if 0: pass\n" + "elif 0: pass\n" * 60_000,
    "digits": CELL + "x = " + "9" * 900_000,
    "heads of cells": "# %% [\n" * 120_000,
    "tags": '# %% tags=["answer"' + ', "a"' * 190_000 + "]\nx = 1",
    "a tag of 5,000 digits": CELL.replace("task-1", f"task-{'9' * 5000}") + "x = 1",
    "characters that JSON makes long": CELL + "x = '" + "\u2028" * 300_000 + "'",
    "zeros": CELL + "\0" * 900_000,
}


@pytest.fixture(scope="module")
def server(bubblewrap):
    with sandbox.ForkServer() as server:
        server.run({"cells": []}, 10)
        yield server


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_text_is_parsed_in_the_sandbox_alone(tmp_path, master, asked, server, monkeypatch, text):
    hand_in(tmp_path, "copy", text)
    monkeypatch.setattr(judge, "_fork_server", lambda: server)
    questions = {"output_size": asked(SEED)["output_size"]}
    monkeypatch.setattr(judge, "_asked", lambda *_: questions)
    monkeypatch.setattr(sandbox, "_READING", 1)
    monkeypatch.setattr(marking, "LOADING", 1)
    for name in ("read_script", "cells_of"):
        monkeypatch.setattr(script, name, lambda *_: pytest.fail("parsed by the judge"))
    _, marks = judge.judge(Exam(master, SEED, "v"), Job("one", tmp_path / "copy"))
    assert not marks.failure and (marks.refusal.startswith("refused: answers.py") or marks.hints["output_size"])


HEADERS = {
    **{kind: {"val_5": {"dtype": kind, "shape": [4], "data_offsets": [0, 4]}} for kind in ("F8_E4M3", "BOOL", "X")},
    "F4": {"val_5": {"dtype": "F4", "shape": [8], "data_offsets": [0, 4]}},
    "U16": {"val_5": {"dtype": "U16", "shape": [2], "data_offsets": [0, 4]}},
    "huge": {"val_5": {"dtype": "F32", "shape": [10**18, 10**18], "data_offsets": [0, 4]}},
    "negative": {"val_5": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}},
    "empty": {"val_5": {"dtype": "F32", "shape": [0, 10**18], "data_offsets": [0, 0]}},
    "names": {f"{i}" * 20: {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for i in range(9_000)},
    "no object": [1],
    "digits": {"__metadata__": {"a": 10**4000}},
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
def test_a_file_of_logits_that_is_none_costs_its_part(tmp_path, header):
    text = json.dumps(header).encode()
    (tmp_path / "logits.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + b"1234")
    found = logits.handed_in(tmp_path)
    assert found["logits"] is None and "logits.safetensors" in found["logits_problem"]


@pytest.mark.parametrize("kind", [torch.int64, torch.bool, torch.complex64, torch.uint16, torch.float8_e4m3fn])
def test_logits_of_another_type_cost_their_part(tmp_path, handed_in, kind):
    tensors = handed_in["logits"] | {"val_5": torch.zeros(5000, 10).to(kind)}
    safetensors.torch.save_file(tensors, tmp_path / "logits.safetensors")
    assert "val_5" in logits.handed_in(tmp_path)["logits_problem"]


_TENSORS = [torch.zeros(0, 3), torch.zeros(3, dtype=torch.uint16), torch.zeros(2).to(torch.float8_e4m3fn)]
_TENSORS += [torch.zeros(2, dtype=torch.complex64), torch.full((2, 2), torch.nan), torch.tensor(1 << 62)]
_LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(_TENSORS)
_LEAVES |= st.just(10**4000) | st.just("\ud800")
_KEYS = st.sampled_from(["value", "problem", "type", "text", "line", "maps", "left", "picture", "$type", "loss"])
REPLIES = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEYS, inner, max_size=4), max_leaves=12
)


@given(reply=REPLIES, problem=REPLIES, whole=REPLIES)
def test_no_reply_ends_the_marking(asked, handed_in, reply, problem, whole):
    class Forged(Here):
        def answer(self, key, questions, seed, seconds):
            kind = len(key) % 3
            return [whole, [{"value": reply}] * len(questions), [{"problem": problem}]][kind]

        def load(self, source, line, seconds):
            return problem if line else None

    cells = [script.Cell("", line, ("answer", "task-1")) for line in (0, 1)]
    for verdict in marking.mark(cells, asked(SEED), Forged, handed_in, quote=False):
        assert verdict.hint is None or len(verdict.hint) <= 1000


def test_a_judge_that_stumbles_costs_its_part(asked, reference):
    files = {"logits": {"val_5": torch.zeros(0)}, "own_labels": {"val_5": torch.zeros(3)}}
    cells, questions = script.cells_of(reference), {key: asked(SEED)[key] for key in ("accuracy", "RESULTS")}
    right, wrong = marking.mark(cells, questions, Here, files)
    assert right.hint is None and wrong.hint


@pytest.mark.parametrize(
    ("place", "error", "is_ours"),
    [
        ("mark", ValueError("x"), False),
        ("mark", KeyError("F4"), False),
        ("mark", OSError(errno.ENOSPC, "full"), True),
        ("mark", MemoryError(), True),
        ("ask", ValueError("x"), True),
    ],
)
def test_what_a_submission_causes_is_its_own(class_of_two, out, monkeypatch, counted_here, place, error, is_ours):
    def fails(*_, **__):
        raise error

    monkeypatch.setattr(marking, place, fails)
    monkeypatch.setattr(judge, "_asked", judge._asked.__wrapped__)
    rows = grade(class_of_two, out).rows
    assert {row.status.partition(":")[0] for row in rows} == {"failed" if is_ours else "refused"}
    assert {row.total for row in rows} == {None if is_ours else 0}


def test_a_request_that_the_sandbox_cannot_serve_is_the_students_where_it_serves_others(server, monkeypatch):
    real, bad = sandbox.ForkServer._exchange, {"cells": [("x = 1", 1)]}

    def exchange(self, message, seconds):
        return ({"problem": "it ended"}, b"") if b"x = 1" in message else real(self, message, seconds)

    monkeypatch.setattr(sandbox.ForkServer, "_exchange", exchange)
    with pytest.raises(WorkerGone):
        server.run(bad, 10)


# Time


class Waiting(Counting):
    """Takes twenty seconds for each part, of a clock that the test has."""

    now = 0.0

    def answer(self, key, questions, seed, seconds):
        Waiting.now += 20
        return super().answer(key, questions, seed, seconds)


def test_a_submission_has_a_total_of_time_and_its_second_try_is_for_what_was_not_run(class_of_two, out, monkeypatch):
    monkeypatch.setattr(judge, "Worker", Waiting)
    monkeypatch.setattr(judge.time, "monotonic", lambda: Waiting.now)
    tries = []
    monkeypatch.setattr(judge, "judge", lambda exam, job, real=judge.judge: (tries.append(job), real(exam, job))[1])
    rows = grade(class_of_two, out).rows
    assert [job.copy for job in tries[:2]] == [job.copy for job in tries[2:]]  # second tries come after first ones
    assert [len(job.parts) for job in tries] == [0, 0, len(PARTS) - 2, len(PARTS) - 2]
    assert "so this one was not run" in rows[0].marks.hints["maps_of"] and rows[0].total == 12
    assert all(row.marks.tried_again for row in rows)


# Secrets

CHANNELS = {
    "the text of an exception": "raise ValueError(secret)",
    "the name of an exception": "raise type(secret, (ValueError,), {})",
    "the line of an exception": "exec(compile('\\n' * 28_000 + 'raise ValueError', 'answers.py', 'exec'))",
    "a number": "return int.from_bytes(secret.encode(), 'big')",
    "the name of a type": "return type(secret, (), {})()",
    "a shape": "return torch.zeros(0, *[10**6 + ord(letter) for letter in secret[:2]])",
    "paths": "raise OSError(torch.__file__)",
}
SECRET = "planted" * 4
MARKS = (SECRET[:14], f"{int.from_bytes(SECRET.encode(), 'big')}"[:12], "28001", "1000112", "torch/")


@pytest.mark.parametrize("code", CHANNELS.values(), ids=CHANNELS)
def test_feedback_carries_nothing_that_a_students_code_chose(tmp_path, out, reference, counted_here, code):
    code = f"import torch\ndef output_size(size, layers):\n    secret = {SECRET!r}\n    {code}"
    grade(hand_in(tmp_path / "class", "ann", answers(reference, code=code)).parent, out)
    letter = (out.with_suffix("") / "feedback" / "ann.md").read_text(encoding="utf-8")
    assert "output_size: not yet" in letter and not [mark for mark in MARKS if mark in letter]


def test_questions_depend_on_all_of_the_seed():
    one, other = Draw(SEED), Draw(SEED + 2**33)
    assert not torch.equal(one.normal(9), other.normal(9))
    assert not torch.equal(one.labels(99, 9), other.labels(99, 9))


# What lies beside


@pytest.mark.parametrize("where", ["class/grades.csv", "class/ann/grades.csv", "linked/grades.csv"])
def test_results_do_not_lie_where_students_write(class_of_two, tmp_path, counted_here, where):
    (tmp_path / "linked").symlink_to(class_of_two)
    hand_in(class_of_two, "grades/state", '{"seed": 5}')
    refuses("lies among the submissions", grade, class_of_two, tmp_path / where)
    refuses("lies among the submissions", grade, [class_of_two / "ann"], tmp_path / where)
    assert Counting.started == 0


@pytest.mark.parametrize("name", ["grades", "grades/state", "grades/state/submissions", "grades/state/marks"])
def test_a_state_that_is_a_link_is_refused(class_of_two, tmp_path, out, counted_here, name):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).symlink_to(tmp_path / "elsewhere")
    refuses("is a link", grade, class_of_two, out)
    assert not [*(tmp_path / "elsewhere").iterdir()] and Counting.started == 0


def test_a_hard_link_to_another_earns_nothing_and_both_are_named(class_of_two, out, tmp_path, reference, counted_here):
    for name, other in (("carl", class_of_two / "ann"), ("dora", hand_in(tmp_path, "elsewhere", reference))):
        (class_of_two / name).mkdir()
        (class_of_two / name / "answers.py").hardlink_to(other / "answers.py")
    outcome = grade(class_of_two, out)
    refuses("One file under two names: ann, carl, dora", outcome.check)
    assert {row["id"]: row["total"] for row in lines(out)} == {"ann": "0", "bob": "7", "carl": "0", "dora": "0"}
    refuses("One file under two names", regrade(["carl"], out).check)


def test_a_stray_file_beside_the_folders_of_a_class_is_named_and_the_class_graded(class_of_two, out, counted_here):
    (class_of_two / "answers.py").write_text("x = 1")
    outcome = grade(class_of_two, out)
    assert set(table(out)) == {"ann", "bob"} and "answers.py" in outcome.remarks[0]
