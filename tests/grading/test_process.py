"""A worker replies, takes too long, waits for ever, or ends."""

import pytest

from checks import process
from checks.process import Worker, WorkerGone


@pytest.fixture(scope="module")
def started():
    """Workers, the last of which may still be of use."""
    workers = []
    yield workers
    for worker in workers:
        worker.stop()


@pytest.fixture
def worker(started):
    """One that runs: that of the test before, where it is still alive."""
    if not started or started[-1]._process.poll() is not None:
        started.append(Worker())
    return started[-1]


def gone(worker, source, seconds=10):
    with pytest.raises(WorkerGone) as error:
        worker.load(source, 1, seconds)
    return error.value


def test_a_cell_runs_and_its_problem_has_the_line(worker):
    assert worker.load("def f():\n    return 1", 5, 10) is None
    problem = worker.load("x = 1\nf() + None", 7, 10)
    assert problem["type"] == "TypeError" and problem["line"] == 8
    assert worker.load("import sys\nsys.exit(3)", 1, 10)["type"] == "SystemExit"


def test_processor_time_starts_at_zero_for_each_request(worker):
    """Three cells of 0.4 seconds each, with one second for each."""
    source = "import time\nend = time.process_time() + 0.4\nwhile time.process_time() < end:\n    pass"
    for _ in range(3):
        assert worker.load(source, 1, 1) is None


def test_a_loop_that_never_ends_uses_up_its_processor_time(worker):
    reason = gone(worker, "while True:\n    pass", 1)
    assert reason.timed_out and "longer than 1 seconds" in str(reason)
    assert worker._process.poll() == process.OUT_OF_TIME  # its own timer ended it, not the clock


def test_what_waits_for_ever_is_ended_by_the_clock(worker, monkeypatch):
    monkeypatch.setattr(process, "PATIENCE", 0.5)
    assert gone(worker, "import time\ntime.sleep(99)", 1).timed_out
    worker.stop()


def test_a_process_that_ends_is_no_timeout(worker):
    reason = gone(worker, "import os\nos._exit(0)")
    assert not reason.timed_out and "ended Python" in str(reason)
    assert "ended Python" in str(gone(worker, "x = 1"))
