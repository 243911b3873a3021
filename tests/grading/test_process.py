"""A worker that is asked, takes too long, waits for ever, or ends."""

import pytest
from running_here import nightly

from checks import process
from checks.process import Worker, WorkerGone


@pytest.fixture(scope="module")
def started():
    """Workers, the last of which may still be of use."""
    workers = []
    yield workers
    for one in workers:
        one.stop()


@pytest.fixture
def worker(started):
    """One that runs: that of the test before, where it left it alive."""
    if not started or started[-1]._process.poll() is not None:
        started.append(Worker())
    return started[-1]


def gone(call, *words):
    with pytest.raises(WorkerGone) as error:
        call(*words)
    return error.value


def test_a_cell_is_run_and_its_problem_told_with_the_line(worker):
    assert worker.load("def f():\n    return 1", 5, 10) is None
    problem = worker.load("x = 1\nf() + None", 7, 10)
    assert problem["type"] == "TypeError" and problem["line"] == 8


def test_processor_time_is_counted_anew_for_each_request(worker):
    """Three cells of 0.4 seconds each, with one second for each."""
    source = "import time\nend = time.process_time() + 0.4\nwhile time.process_time() < end:\n    pass"
    for _ in range(3):
        assert worker.load(source, 1, 1) is None


def test_an_exit_that_can_be_caught_is_a_problem_like_any_other(worker):
    assert worker.load("import sys\nsys.exit(3)", 1, 10)["type"] == "SystemExit"


def test_a_loop_that_never_ends_uses_up_its_processor_time(worker):
    said = gone(worker.load, "while True:\n    pass", 1, 1)
    assert said.timed_out and "longer than 1 seconds" in str(said)
    assert worker._process.poll() == process.OUT_OF_TIME  # it was ended by its own timer, not given up by the clock


def test_what_waits_for_ever_is_given_up_by_the_clock(worker, monkeypatch):
    monkeypatch.setattr(process, "PATIENCE", 0.5)
    said = gone(worker.load, "import time\ntime.sleep(99)", 1, 1)
    assert said.timed_out
    worker.stop()


@pytest.mark.parametrize(
    "source",
    ["import os\nos._exit(0)", *nightly("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")],
)
def test_a_process_that_ends_is_no_timeout_and_after_its_end_says_so_again(worker, source):
    said = gone(worker.load, source, 1, 10)
    assert not said.timed_out and "ended Python" in str(said)
    assert "ended Python" in str(gone(worker.load, "x = 1", 1, 10))
