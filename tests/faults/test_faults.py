"""Disks that are full or read-only, clocks that go backwards, damaged files, two at once, and mirrors that fail."""

import itertools
import os
import shutil
import subprocess
import time
from types import SimpleNamespace

import drill
import pytest
import steps
import torch

from course_lib import data, models, records, training, transfer
from course_lib.data import __main__ as data_command
from course_lib.errors import CourseError
from course_lib.storage import atomic_file, fetching
from course_lib.training import choose_setup
from course_lib.training.checkpoints import digest_of_weights, save_checkpoint
from course_lib.transfer import features
from course_tools import commands
from course_tools.publishing import freshness, live, publish
from course_tools.publishing.project import Project
from course_tools.publishing.run import run_chapters
from course_tools.publishing.site import build_site
from course_tools.publishing.stage import stage
from course_tools.studies import run as study_run

# ---- disks


def mount(*words):
    """Mount or unmount as the superuser, or as one who may become it without a password."""
    superuser = [] if os.geteuid() == 0 else ["sudo", "-n"]
    try:
        return subprocess.run([*superuser, *map(str, words)], capture_output=True).returncode == 0
    except OSError:
        return False


@pytest.fixture
def disk(tmp_path):
    """A disk of one megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if not mount("mount", "-t", "tmpfs", "-o", f"size=1m,mode=0777,uid={os.geteuid()}", "tmpfs", folder):
        pytest.skip("no disk can be mounted here")
    yield folder
    mount("umount", "-l", folder)


def fill(disk):
    """Leave room for 8 kB: for a file or two, and for no content that a test writes."""
    free = shutil.disk_usage(disk).free - 8192
    (disk / "ballast").write_bytes(bytes(free))


def listing(folder):
    """Each file's content, but the ballast's."""
    return {
        str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if f.is_file() and f.name != "ballast"
    }


def fit(few, path, epochs=2, **options):
    training.set_seed(0)
    model = models.mlp(hidden=(8,), dropout=0.2)
    return model, training.fit(model, few, few, epochs=epochs, show=False, device="cpu", checkpoint=path, **options)


def write_checkpoint(folder, few, size):
    save_checkpoint(folder / "run.pt", {"fingerprint": {}, "weights": torch.zeros(size)})


def write_record(folder, few, size):
    records.append(folder / "runs.jsonl", {"name": "x" * size})


def write_published(folder, few, size):
    publish.write_together({folder / "first": "1" * 10, folder / "second": "2" * size})


@pytest.mark.parametrize("write", [write_checkpoint, write_record, write_published])
def test_a_full_disk_keeps_what_was_there(disk, few, write):
    write(disk, few, 10)
    before = listing(disk)
    fill(disk)
    with pytest.raises(CourseError, match=r"The disk that holds .* is full: free some space"):
        write(disk, few, 100_000)
    assert listing(disk) == before
    (disk / "ballast").unlink()
    write(disk, few, 100_000)
    assert listing(disk) != before


def test_a_full_disk_keeps_the_cache(disk, monkeypatch, capsys):
    monkeypatch.setenv("COURSE_HOME", str(disk))
    with steps.serving():
        assert data_command.main(["fetch", "mnist"]) == 0
        (disk / "data" / "mnist.npz").write_bytes(b"damaged")
        before = listing(disk)
        fill(disk)
        assert data_command.main(["fetch", "mnist"]) == 1
        assert "free" in capsys.readouterr().err and listing(disk) == before
        (disk / "ballast").unlink()
        assert data_command.main(["fetch", "mnist"]) == 0
        data.load("mnist").open_test()


def test_a_read_only_cache_is_read_and_a_fetch_into_it_is_refused_in_one_line(disk, monkeypatch, capsys):
    monkeypatch.setenv("COURSE_HOME", str(disk))
    with steps.serving():
        data_command.main(["fetch", "mnist"])
        assert mount("mount", "-o", "remount,ro", disk)
        assert len(data.load("mnist").open_test()) == 20
        monkeypatch.setenv("COURSE_HOME", str(disk / "other"))
        capsys.readouterr()
        assert data_command.main(["fetch", "mnist"]) == 1
    said = capsys.readouterr().err
    assert "cannot be written (Read-only file system)" in said and said.count("\n") == 1


# ---- clocks


def test_a_clock_that_goes_backwards_disturbs_no_duration_and_no_resume(few, tmp_path, monkeypatch):
    whole, history = fit(few, tmp_path / "whole.pt")
    now = itertools.count(time.time(), -3600)
    monkeypatch.setattr(time, "time", lambda: float(next(now)))
    fit(few, tmp_path / "run.pt", checkpoint_seconds=0)
    resumed, again = fit(few, tmp_path / "run.pt", checkpoint_seconds=0)
    assert digest_of_weights(resumed) == digest_of_weights(whole)
    assert all(row.seconds > 0 for row in again.epochs) and again.seconds > 0
    assert [row.train_loss for row in again.epochs] == [row.train_loss for row in history.epochs]


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """A checkout whose site was built, by a stand-in for Sphinx."""
    here = tmp_path_factory.mktemp("site") / "here"
    here.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_COMMIT", "of a test")
        steps.Site().prepare(here)
    return here


@pytest.fixture
def site(published, tmp_path, monkeypatch):
    """A copy of it, to be changed."""
    shutil.copytree(published, tmp_path / "here")
    monkeypatch.setattr(live, "site_files", dict)
    monkeypatch.setattr("course_tools.publishing.site.subprocess.run", steps._sphinx)
    return Project(tmp_path / "here")


def page(project):
    return (project.html / "book" / "index.html").read_text()


def test_a_page_that_was_edited_after_the_clock_went_back_is_built(site):
    before, tomorrow = page(site), time.time() + 86_400
    for file in site.build.rglob("*"):
        os.utime(file, (tomorrow, tomorrow))
    stage(site, None)
    build_site(site)
    assert page(site) != before


def test_runs_stay_fresh_whatever_the_clock_says(site):
    for file in [*site.build.rglob("*"), *site.notebooks.iterdir()]:
        os.utime(file, (1e9, 1e9))
    assert all(freshness.fresh_run(site, chapter, "cpu") for chapter in site.chapters())


def test_half_a_page_of_a_killed_site_build_is_built_again(site, monkeypatch):
    stage(site, None)

    def killed(command, **options):
        steps._sphinx(command)
        (site.build / "sphinx" / "_build" / "html" / "book" / "index.html").write_text("<!doctype html><ht")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("course_tools.publishing.site.subprocess.run", killed)
        with pytest.raises(KeyboardInterrupt):
            build_site(site)
    build_site(site)
    assert "<p>" in page(site)


# ---- damaged files


def damage(file, harm):
    content = bytearray(file.read_bytes())
    if harm == "truncated":
        del content[len(content) // 2 :]
    else:
        content[len(content) // 2] ^= 1
    file.write_bytes(content)
    return bytes(content)


@pytest.mark.parametrize("harm", ["truncated", "one bit flipped"])
def test_a_damaged_checkpoint_is_refused_and_kept(few, tmp_path, harm):
    fit(few, tmp_path / "run.pt")
    content = damage(tmp_path / "run.pt", harm)
    with pytest.raises(CourseError, match=r"The checkpoint .*run\.pt is damaged: move it away and start again"):
        fit(few, tmp_path / "run.pt")
    assert (tmp_path / "run.pt").read_bytes() == content


@pytest.mark.parametrize("harm", ["truncated", "one bit flipped"])
def test_damaged_features_are_computed_again(digits, home, harm):
    choices = transfer.Choices(backbone="vgg16, narrow and untrained", side=32, trained="head")
    network = transfer.build(choices)
    images, setup = transfer.prepare(digits.val.select(range(8)), choices), choose_setup(network, device="cpu")
    right = features.features_of(network, images, setup).split.images
    damage(features.path_of(network, images, setup), harm)
    assert torch.equal(features.features_of(network, images, setup).split.images, right)


# ---- two at once


def both(first, second):
    """Run two things in forks, side by side. Returns their exit statuses and what they said."""
    return [drill._ended(*fork) for fork in [drill._fork(act) for act in (first, second)]]


def test_two_processes_fetch_once(home, capsys):
    with steps.serving() as server:
        served, get = [], server.files
        server.files = type("Counted", (dict,), {"__getitem__": lambda self, key: served.append(key) or get[key]})()
        ended = both(*[lambda: data_command.main(["fetch", "mnist"])] * 2)
        assert [status for status, _ in ended] == [0, 0] and sorted(served) == sorted(get)
        data.load("mnist").open_test()


def test_two_processes_publish_and_nothing_is_mixed(published, tmp_path):
    here, step = tmp_path / "here", steps.Publish()
    shutil.copytree(published, here)
    expected = step.files(here)
    for file in [*(here / "results").rglob("*.json*")]:
        file.unlink()
    assert [status for status, _ in both(*[lambda: [step.act(here) for _ in range(20)]] * 2)] == [0, 0]
    assert step.files(here) == expected


def run_a_study(site):
    study_run.run_study(site, "tiny", "cpu", steps.tiny_plan(), show=False)


def run_chapters_quickly(site):
    run_chapters(site, site.chapters(), "quick", force=True)


def build_the_book(site):
    commands.book(SimpleNamespace(published=True))


@pytest.mark.parametrize(
    ("command", "act"),
    [
        ("study tiny --size cpu", run_a_study),
        ("run --profile quick", run_chapters_quickly),
        ("book", build_the_book),
    ],
)
def test_two_calls_of_a_command_do_not_write_into_the_same_files(site, monkeypatch, command, act):
    monkeypatch.setenv("COURSE_COMMIT", "of a test")
    monkeypatch.setattr(study_run, "study_module", lambda name: None)
    monkeypatch.chdir(site.root)

    def files():
        return {file: file.read_bytes() for file in site.root.rglob("*") if file.is_file() and file.suffix != ".lock"}

    before = files()
    with site.alone(command), pytest.raises(CourseError, match=f"Another `course {command}` is at work here: wait"):
        act(site)
    assert files() == before


def test_writers_at_once_leave_each_other_s_files_alone(tmp_path):
    """A scratch file of a process that is alive is not taken for one of a killed process."""
    path = tmp_path / "file"

    def write():
        for _ in range(200):
            with atomic_file(path) as scratch:
                scratch.write_text("whole" * 1000)

    assert [status for status, _ in both(write, write)] == [0, 0]
    assert path.read_text() == "whole" * 1000 and list(tmp_path.iterdir()) == [path]


# ---- mirrors


@pytest.mark.parametrize("fault", ["wrong bytes", "stalls", "drops half-way"])
def test_a_mirror_that_fails_leaves_nothing_and_the_next_fetch_is_whole(home, fault, monkeypatch, capsys):
    monkeypatch.setattr(fetching, "SILENT_SECONDS", 0.3)
    with steps.serving(fault):
        assert data_command.main(["fetch", "mnist"]) == 1
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith("course: MNIST: not in the cache") and "127.0.0.1 did not send train-images" in said
    assert [file.name for file in (home / "data").iterdir()] == [".mnist.lock"]
    with steps.serving():
        assert data_command.main(["fetch", "mnist"]) == 0
        data.load("mnist").open_test()
