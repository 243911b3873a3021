"""What a grading run survives: trouble with one submission, a full disk, a kill, answers that are too slow."""

import errno
import os
import signal
import subprocess
import sys
import textwrap
import time
from types import SimpleNamespace
from typing import ClassVar

import filelock
import pytest
import quick_judge
from running_here import nightly
from small_class import ROOT, Counting, answers, everything, grade, hand_in, lines, refuses, regrade, table

from checks.process import WorkerGone
from course_lib.errors import CourseError
from course_tools.grading import feedback_files, judge, sandbox, state

pytestmark = pytest.mark.usefixtures("counted_here")


def failing_at(name, monkeypatch):
    real = judge.logits.handed_in

    def handed_in(copy):
        if name in (copy / "answers.py").read_text():
            raise MemoryError("no\nmemory")
        return real(copy)

    monkeypatch.setattr(judge.logits, "handed_in", handed_in)


def test_trouble_with_one_is_its_own_and_is_no_grade(class_of_two, out, reference, monkeypatch):
    hand_in(class_of_two, "carl", answers(reference, code="# unlucky"))
    with monkeypatch.context() as patch:
        failing_at("unlucky", patch)
        outcome = grade(class_of_two, out)
    refuses(r"Not graded, through no fault of theirs: carl \(MemoryError: no memory\)", outcome.check)
    rows = table(out)
    assert (rows["carl"]["total"], rows["carl"]["task_1"], rows["carl"]["of"]) == ("", "", "0")
    assert rows["carl"]["status"] == "failed: MemoryError: no memory" and rows["ann"]["total"] == "12"
    outcome = grade(class_of_two, out)
    outcome.check()
    assert outcome.earlier == 2 and table(out)["carl"]["total"] == "12"


def test_a_regrade_that_fails_leaves_the_row(class_of_two, out, monkeypatch):
    grade(class_of_two, out)
    before = table(out)
    failing_at("def", monkeypatch)
    refuses(r"Not graded, .*: ann \(MemoryError", regrade(["ann"], out).check)
    assert table(out) == before


def test_marks_that_are_lost_are_no_zero(class_of_two, out):
    grade(class_of_two, out)
    for file in (out.parent / "grades" / "state" / "marks").iterdir():
        file.write_text("{")
    outcome = regrade(["ann"], out)
    refuses(r"bob \(its marks are lost", outcome.check)
    assert table(out)["ann"]["total"] == "12" and table(out)["bob"]["total"] == ""
    assert grade(class_of_two, out).earlier == 1 and table(out)["bob"]["total"] == "7"


def test_a_state_that_is_damaged_or_in_use_is_refused(class_of_two, out):
    grade(class_of_two, out)
    private = out.parent / "grades" / "state"
    with filelock.FileLock(private / "lock"):
        refuses("Another grading run writes to .*grades now: wait for it", grade, class_of_two, out)
    (private / "class.json").write_text("[]")
    refuses("is damaged: bring it back", grade, class_of_two, out)
    (private / "seed.json").write_text("")
    refuses("seed.json is damaged: put it back", grade, class_of_two, out)


def full_disk(file, content, real=state._write):
    if file.parent.name == "marks" and list(file.parent.glob("*.json")):
        raise OSError(errno.ENOSPC, "No space left on device", str(file))
    real(file, content)


def test_a_full_disk_is_named_in_one_line_and_what_was_judged_is_kept(class_of_two, tmp_path, out, monkeypatch):
    (tmp_path / "file").write_text("")
    refuses("cannot be written", grade, class_of_two, tmp_path / "file" / "grades.csv")
    assert Counting.started == 0
    with monkeypatch.context() as patch:
        patch.setattr(state, "_write", full_disk)
        refuses(r"\(No space left on device\)\. Make room.* goes on from there", grade, class_of_two, out)
    assert {row["id"]: row["total"] for row in lines(out)} == {"ann": "12", "bob": ""}
    assert not [*out.parent.rglob("*.part")]
    assert grade(class_of_two, out).earlier == 1 and table(out)["bob"]["total"] == "7"


def test_a_disk_that_fills_up_at_the_end_leaves_the_earlier_results_whole(class_of_two, out, reference, monkeypatch):
    grade(class_of_two, out)
    before = everything(out.parent / "grades") | {"table": out.read_bytes()}
    hand_in(class_of_two, "bob", answers(reference))

    def text(row):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(feedback_files, "text", text)
        refuses("cannot be written", grade, class_of_two, out)
    assert everything(out.parent / "grades") | {"table": out.read_bytes()} == before
    assert grade(class_of_two, out).earlier == 2 and table(out)["bob"]["total"] == "12"


@pytest.mark.parametrize("jobs", [1, 2])
def test_without_a_sandbox_nothing_is_run(class_of_two, out, monkeypatch, jobs):
    def run(server, request, seconds):
        raise CourseError("no sandbox here.")

    monkeypatch.setattr(sandbox.ForkServer, "run", run)
    refuses("no sandbox here", grade, class_of_two, out, trusted=False, jobs=jobs)
    assert Counting.started == 0 and not out.exists()


class Slow(Counting):
    """Is too slow for one part, or for the cell that says so, as often as ``late`` says."""

    calls: ClassVar[list[str]] = []
    late = 1
    at = "receptive_field"

    def load(self, source, line, seconds):
        self.calls.append("load")
        self._wait("load" if "slow = 1" in source else "")
        return super().load(source, line, seconds)

    def answer(self, key, questions, seed, seconds):
        self.calls.append(key)
        self._wait(key if "slow" in self.answers.names else "")
        return super().answer(key, questions, seed, seconds)

    def _wait(self, where):
        if where == Slow.at and Slow.late:
            Slow.late -= 1
            raise WorkerGone("it took longer than 10 seconds.", timed_out=True)


@pytest.fixture
def slow_class(tmp_path, reference, monkeypatch):
    """Ann is slow, Bob is not."""
    monkeypatch.setattr(judge, "Worker", Slow)
    for name, value in {"calls": [], "late": 1, "at": "receptive_field"}.items():
        monkeypatch.setattr(Slow, name, value)
    hand_in(tmp_path / "class", "ann", answers(reference, code="slow = 1"))
    hand_in(tmp_path / "class", "bob", answers(reference))
    return tmp_path / "class"


@pytest.mark.parametrize(("late", "total"), [(1, "12"), (9, "5")])
def test_what_took_too_long_is_tried_just_once_more_alone_after_all_others(slow_class, out, late, total):
    Slow.late = late
    grade(slow_class, out).check()
    assert table(out)["ann"]["total"] == total and table(out)["bob"]["total"] == "12"
    assert Slow.calls[-3:] == ["load", "load", "receptive_field"]  # this part and no other
    assert grade(slow_class, out).earlier == 2 and Slow.calls.count("receptive_field") == 3


def test_a_second_try_that_a_run_did_not_reach_is_made_by_the_next(slow_class, out, monkeypatch):
    with monkeypatch.context() as patch:
        real = judge.judge
        patch.setattr(judge, "judge", lambda exam, job: pytest.fail("stopped here") if job.parts else real(exam, job))
        with pytest.raises(pytest.fail.Exception, match="stopped here"):
            grade(slow_class, out)
    assert grade(slow_class, out).earlier == 2 and table(out)["ann"]["total"] == "12"


def test_a_cell_that_took_too_long_has_its_parts_tried_again(slow_class, out):
    Slow.at = "load"
    text = (slow_class / "bob" / "answers.py").read_text()
    hand_in(slow_class, "ann", text.replace('"task-1"]\n', '"task-1"]\nslow = 1\n', 1))
    (row, _) = grade(slow_class, out).rows
    assert Slow.late == 0 and row.marks.tried_again and row.total == 12


def test_a_judges_process_that_dies_costs_one_submission(tmp_path, monkeypatch):
    monkeypatch.setattr(judge, "judge", quick_judge.judge)
    exam = SimpleNamespace(master=tmp_path, trusted=True)
    jobs = [SimpleNamespace(name=name) for name in ("one", "deadly")]
    kept = {}
    marks = judge.judge_all(exam, jobs, {}, kept.__setitem__, processes=2)
    assert set(marks) == {"one", "deadly"} and set(kept) == {"one"}
    assert "the process that judged it ended" in marks["deadly"].failure
    assert kept["one"].hints == {"output_size": None}


_RUN = """
    import sys
    from pathlib import Path
    from running_here import Here
    from small_class import grade
    from course_tools.grading import judge
    judge.Worker = Here
    grade(Path(sys.argv[1]), Path(sys.argv[2]))
"""


def test_a_killed_run_goes_on_where_it_was(tmp_path, out, reference):
    hand_in(tmp_path / "class", "ann", answers(reference))
    hand_in(tmp_path / "class", "bob", answers(reference, code="import time\ntime.sleep(60)"))
    words = [sys.executable, "-c", textwrap.dedent(_RUN), str(tmp_path / "class"), str(out)]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(map(str, [ROOT, ROOT / "assignments" / "cifar10", ROOT / "tests" / "grading"])),
    }
    running_now = subprocess.Popen(words, env=environment, start_new_session=True)
    try:
        while not out.exists():
            assert running_now.poll() is None, "it ended by itself"
            time.sleep(0.05)
    finally:
        os.killpg(running_now.pid, signal.SIGKILL)
        running_now.wait()
    assert table(out)["bob"]["status"] == "failed: not judged yet" and table(out)["ann"]["total"] == "12"
    hand_in(tmp_path / "class", "bob", answers(reference, size_is_right=False))
    outcome = grade(tmp_path / "class", out)
    assert outcome.earlier == 1 and Counting.started == 1
    assert {row["id"]: row["total"] for row in lines(out)} == {"ann": "12", "bob": "7"}


@pytest.mark.parametrize("jobs", [1, *nightly(2)])
def test_students_code_runs_in_sandboxes(tmp_path, out, reference, master, bubblewrap, monkeypatch, jobs):
    monkeypatch.setattr(judge, "Worker", lambda: pytest.fail("not in a sandbox"))  # before any of this runs here
    folder = tmp_path / "class"
    whole = hand_in(folder, "whole", reference)
    (whole / "logits.safetensors").write_bytes((master / "logits.safetensors").read_bytes())
    hand_in(folder, "ender", answers(reference, code="import os\ndef receptive_field(layers):\n    os._exit(0)"))
    spy = f"import os\ndef output_size(size, layers):\n    return open({str(master / 'reference.py')!r}).read()"
    hand_in(folder, "spy", answers(reference, code=spy))
    kill = "import os\nif os.getpid() == 1:  # not where there is no sandbox: everybody would be the whole machine\n"
    kill += "    for who in (os.getppid(), -1):\n        os.kill(who, 9)"
    hand_in(folder, "killer", answers(reference, code=kill))
    grade(folder, out, trusted=False, jobs=jobs).check()
    assert {row["id"]: row["total"] for row in lines(out)} == {"whole": "92", "ender": "5", "spy": "7", "killer": "12"}
    hints = {row["id"]: (out.parent / "grades" / "feedback" / f"{row['id']}.md").read_text() for row in lines(out)}
    assert "it ended Python" in hints["ender"] and "FileNotFoundError" in hints["spy"]
