"""A study on a Dask cluster of four workers here: one is killed, one stops, one comes with another library."""

import os
import shutil
import signal
import socket
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from machines import Machines
from processes import alive, until

import course_lib
from course_lib import records
from course_tools import cli
from course_tools.publishing.publish import check_records
from course_tools.studies import cluster, run
from course_tools.studies.plan import plan

STUDY = "mnist-six"
NO_FINGERPRINT = {"code": "", "weights": [], "fits": [], "outputs": {}, "results": {}}


@pytest.fixture(scope="module")
def planned():
    """Five perceptrons that differ in their seed."""
    return [one for one in plan(STUDY, "quick", 5) if one.name == "perceptron"]


@pytest.fixture(scope="module")
def other_library(tmp_path_factory):
    """A folder with a library in which one character differs."""
    folder = tmp_path_factory.mktemp("other")
    shutil.copytree(Path(course_lib.__file__).parent, folder / "course_lib")
    with (folder / "course_lib" / "errors.py").open("a") as file:
        file.write("#")
    return folder


@pytest.fixture(scope="module")
def story(new_checkout, new_orders, planned, other_library):
    """One study. In mid-run the first run's worker is killed and the second's is stopped, and another library comes.

    The third run raises. Then the first runs in a local process, in a checkout of its own.
    """
    lost, hangs, raises, *_ = (one.key for one in planned)
    orders, project, local = new_orders(), new_checkout("client"), new_checkout("local")
    told = {lost: "stall", hangs: "stall", raises: "raise", "few digits": True}
    outcomes = []

    def began(key):
        return next((one for one in orders.started() if one["key"] == key), None)

    def study():
        outcomes.extend(run.run_study(project, STUDY, "quick", planned, scheduler=machines.address, show=False))

    machines = Machines(new_checkout)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(project.root)
            patch.setenv("PYTHONPATH", orders.path)
            patch.setenv("COURSE_COMMIT", "abc123+")
            patch.setattr(run, "fingerprint_of", lambda study: NO_FINGERPRINT)
            patch.setattr(run, "usable_cores", lambda: 1)  # as many threads as the workers have
            patch.setattr(cluster, "limit_of", lambda planned: 12.0 if planned.key == hangs else 600.0)
            for _ in range(4):
                machines.start()
            machines.wait_for(4)
            orders.give(told)
            thread = threading.Thread(target=study)
            thread.start()
            until(lambda: began(lost) and began(hangs))
            before, stopped = began(lost), began(hangs)
            orders.change(told | {lost: "work"})
            os.kill(before["parent"], signal.SIGKILL)
            os.kill(stopped["parent"], signal.SIGSTOP)
            stranger = machines.start(other_library)
            stranger.wait(timeout=120)
            thread.join(timeout=300)
            assert not thread.is_alive()
            started = orders.started()
            left = list(machines.dask.scheduler.worker_plugins), len(machines.dask.scheduler.workers)
            run.run_study(local, STUDY, "quick", planned[:1], show=False)
        yield SimpleNamespace(**locals())
    finally:
        machines.end()


def record_of(project, planned):
    """A run's record without what another machine, or another minute, would change."""
    record = run.finished(project, STUDY, "quick", planned)
    for measured in (record, *record["epochs"]):
        for part in ("seconds", "peak_memory_mb", "sha256", "date"):
            measured.pop(part, None)
    return record


def test_each_run_leaves_the_record_that_a_local_process_leaves(story, planned):
    assert record_of(story.project, planned[0]) == record_of(story.local, planned[0])
    done = {one.planned.key for one in story.outcomes if not one.problem}
    folder = run.folder_of(story.project, STUDY, "quick")
    assert {file.stem for file in folder.glob("*.jsonl")} == done
    for key in done:
        check_records(folder / f"{key}.jsonl", "quick", f"study-{STUDY}")


def test_the_run_of_a_killed_worker_goes_to_another(story, planned):
    first = story.outcomes[0]
    assert (first.problem, first.moved) == ("", True)
    assert [one.moved for one in story.outcomes[2:]] == [False] * 3
    workers = [one["parent"] for one in story.started if one["key"] == planned[0].key]
    assert len(workers) == 2 and workers[0] != workers[1]


def test_a_killed_worker_leaves_no_process_behind(story):
    until(lambda: not alive(story.before["pid"]), seconds=30)


def test_the_run_of_a_stopped_worker_fails_after_its_limit_and_no_other_does(story):
    hung = story.outcomes[1].problem
    assert hung.startswith("no result from tcp://127.0.0.1:") and "after 0.2 minutes (--limit)" in hung
    assert [bool(one.problem) for one in story.outcomes] == [False, True, True, False, False]
    with_it = [one for one in story.started if one["parent"] == story.stopped["parent"]]
    assert with_it[-1]["key"] == story.stopped["key"], "it was given no other run"


def test_a_run_that_raises_leaves_its_log_here(story, planned):
    log = Path("_build", "studies", "quick", STUDY, f"{planned[2].key}.log")
    assert story.outcomes[2].problem == f"ZeroDivisionError: no such luck (all of it: {log})"
    assert "It came this far." in (story.project.root / log).read_text()
    assert [file.name for file in story.project.build.rglob("*.log")] == [log.name]


def test_a_worker_with_another_library_that_comes_later_ends_with_a_word(story):
    said = (story.stranger.home / "log").read_text()
    assert "Stopping worker at " in said and " has library " in said
    assert not any(one["parent"] == story.stranger.pid for one in story.started)


def test_nothing_is_left_on_the_cluster(story):
    plugins, workers = story.left
    assert cluster.TOPIC not in plugins and workers == 2
    for worker in story.machines.workers[:4]:
        files = [file for file in (worker.home / "_build").rglob("*") if file.is_file()]
        assert not files or worker.pid in (story.before["parent"], story.stopped["parent"])


def test_a_run_that_nobody_waits_for_any_more_is_stopped(story, planned, monkeypatch):
    monkeypatch.chdir(story.project.root)
    story.orders.give({"all": "stall"})
    workers = cluster.Cluster(story.machines.address, story.project, STUDY, "quick")
    ended = []
    thread = threading.Thread(target=lambda: ended.append(workers.run(planned[1])))
    thread.start()
    (started,) = until(story.orders.started)
    workers.kill()
    until(lambda: not alive(started["pid"]), seconds=30)
    thread.join(timeout=60)
    assert ended[0].problem and workers.run(planned[1]).problem
    assert len(story.orders.started()) == 1


def test_a_request_that_is_lost_as_the_client_closes_holds_up_no_run(story, planned, monkeypatch):
    monkeypatch.chdir(story.project.root)
    story.orders.give({"all": "stall"})
    workers = cluster.Cluster(story.machines.address, story.project, STUDY, "quick")
    asked = workers.client.sync

    def lost(request, *words, callback_timeout=None, **options):
        """A request while another thread closes the client: it ends after its limit, or never."""
        if not story.orders.started() or workers.closed.is_set():
            return asked(request, *words, callback_timeout=callback_timeout, **options)
        workers.kill()
        if callback_timeout is None:
            threading.Event().wait()
        raise TimeoutError

    monkeypatch.setattr(workers.client, "sync", lost)
    ended = []
    thread = threading.Thread(target=lambda: ended.append(workers.run(planned[1])), daemon=True)
    thread.start()
    thread.join(timeout=60)
    assert ended and ended[0].problem == cluster.STOPPED


# ---- refused before any run starts


@pytest.fixture
def call(project, orders, fingerprinted, monkeypatch, capsys):
    """Call ``course study`` with a scheduler's address. Returns the one line that it ends with; it runs nothing."""
    monkeypatch.chdir(project.root)

    def call(address):
        assert cli.main(["study", STUDY, "--size", "quick", "--scheduler", address]) == 1
        shown = capsys.readouterr()
        assert not shown.out and not project.build.exists() and not orders.started()
        return shown.err.splitlines()[-1]

    return call


def test_a_scheduler_that_does_not_answer(call, monkeypatch):
    monkeypatch.setattr(cluster, "CONNECT", 0.5)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # it does not listen
        address = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        assert call(address).startswith(f"course: No Dask scheduler answers at {address}: start one with")
    assert call("nonsense://here").startswith("course: No Dask scheduler answers at nonsense://here: ")


def test_workers_that_are_missing_or_have_another_library(call, new_checkout, other_library):
    machines = Machines(new_checkout)
    try:
        assert call(machines.address).startswith(f"course: {machines.address} has no workers: start `dask worker ")
        machines.start(other_library)
        machines.wait_for(1)
        said = call(machines.address)
    finally:
        machines.end()
    assert said.startswith("course: The worker tcp://127.0.0.1:") and " has library " in said
    assert said.endswith("one kind of processor and one device. No run was started.")


HERE = {"library": "a", "torch": "2.9", "processor": "this", "device": "CPU"}


@pytest.mark.parametrize(("part", "value"), [("torch", "2.8"), ("processor", "that"), ("device", "H200")])
def test_workers_that_differ_from_one_another(project, monkeypatch, part, value):
    found = {"tcp://a:1": HERE, "tcp://b:2": HERE | {part: value}}
    fake = SimpleNamespace(
        nthreads=lambda: dict.fromkeys(found, 1), run=lambda function, on_error: found, close=lambda: closed.append(1)
    )
    closed = []
    monkeypatch.setattr(cluster, "Client", lambda *words, **options: fake)
    monkeypatch.setattr(cluster, "environment", lambda: HERE)
    with pytest.raises(cluster.CourseError, match=f"tcp://b:2 has {part} {value}, not {HERE[part]}: ") as caught:
        cluster.Cluster("tcp://s:3", project, STUDY, "quick")
    assert closed and "\n" not in str(caught.value)


def test_earlier_runs_must_come_from_the_workers_processor(done, cheap, monkeypatch, fingerprinted):
    (done.build / "studies" / "quick" / STUDY / f"{cheap[1].key}.jsonl").unlink()
    closed = []
    fake = SimpleNamespace(processor="Another", jobs=1, close=lambda: closed.append(1))
    monkeypatch.setattr(cluster, "Cluster", lambda *words: fake)
    with pytest.raises(cluster.CourseError, match="and this is Another: finish it there"):
        run.run_study(done, STUDY, "quick", cheap, scheduler="tcp://s:3", show=False)
    assert closed


def test_without_dask_the_extra_is_named(project, cheap, monkeypatch):
    monkeypatch.setitem(sys.modules, "course_tools.studies.cluster", None)
    with pytest.raises(cluster.CourseError, match=r"`pip install --editable './course_tools\[cluster\]'`"):
        run.run_study(project, STUDY, "quick", cheap, scheduler="tcp://s:3", show=False)
    assert not project.build.exists()


@pytest.mark.parametrize("study", ["originals", "lenet-fair"])
def test_the_limit_is_five_times_what_a_published_run_took(study):
    published = {record["study_key"]: record for record in records.studies.read(study)}
    planned = [one for one in plan(study, "cpu", 5) if one.key in published]
    assert planned
    for one in planned:
        assert cluster.limit_of(one) > 5 * published[one.key]["seconds"]["total"], one.name
