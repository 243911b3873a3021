"""What many tests share: an empty home directory for the course, and the embedded sample."""

import pytest

from course_lib import data, runlog


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty COURSE_HOME."""
    folder = tmp_path / "home"
    monkeypatch.setenv("COURSE_HOME", str(folder))
    return folder


@pytest.fixture
def logged(tmp_path, monkeypatch):
    """What this process notes in a run log from here on: ``logged("weights")`` names the weights that were loaded."""
    log = tmp_path / "runlog"
    monkeypatch.setenv("COURSE_RUNLOG", str(log))
    return lambda kind: sorted(set(runlog.read(log)[kind]))


@pytest.fixture(scope="session")
def digits():
    """The embedded MNIST sample."""
    return data.load("mnist", size="sample")


@pytest.fixture(scope="session")
def few(digits):
    """300 training digits: 2 batches of 128 and a last one of 44."""
    return digits.train.select(range(300))
