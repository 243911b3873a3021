import os
import subprocess
import sys
from pathlib import Path

import platformdirs
import pytest

from course_lib import data, storage, training, weights
from course_lib.errors import CourseError


def test_home_is_the_users_cache_folder_unless_course_home_is_set(monkeypatch):
    monkeypatch.delenv("COURSE_HOME", raising=False)
    assert storage.home() == platformdirs.user_cache_path("convnets-measured")
    monkeypatch.setenv("COURSE_HOME", "~/elsewhere")
    assert storage.home() == Path("~/elsewhere").expanduser()


def test_home_is_absolute_so_that_no_change_of_folder_moves_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COURSE_HOME", "here")
    assert storage.home() == tmp_path / "here"
    monkeypatch.setenv("COURSE_HOME", "")
    assert storage.home() == platformdirs.user_cache_path("convnets-measured")


@pytest.mark.parametrize("home", ["/proc/none/x", "/dev/null/x", "/sys/x", "file", "file/below", "~none/x", "x" * 300])
def test_a_home_that_cannot_be_made_is_one_line_before_any_work(home, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    monkeypatch.setenv("COURSE_HOME", home)
    for use in (lambda: data.load("mnist"), lambda: weights.load("mobilenet-v2"), open_checkpoints):
        with pytest.raises(CourseError) as error:
            use()
        assert home[:20] in str(error.value) and "\n" not in str(error.value)


def test_a_folder_that_takes_no_file_is_refused_at_once():
    with pytest.raises(CourseError, match=r"/sys cannot be written"), storage.writable_folder(Path("/sys")):
        pytest.fail("work had begun")


def open_checkpoints():
    with storage.writable_folder(training.checkpoint_path("mine").parent):
        pytest.fail("there is no such folder")


def test_a_file_that_cannot_be_finished_leaves_the_old_one(tmp_path):
    path = tmp_path / "file"
    for text in ("old", "new"):
        with storage.atomic_file(path) as draft:
            draft.write_text(text)
            assert not path.exists() or path.read_text() == "old"
    with pytest.raises(KeyboardInterrupt), storage.atomic_file(path) as draft:
        draft.write_text("half")
        raise KeyboardInterrupt
    assert path.read_text() == "new" and list(tmp_path.iterdir()) == [path]


def test_what_a_killed_process_left_is_deleted_and_a_living_one_s_scratch_file_is_not(tmp_path):
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    for process in (ended.pid, os.getppid()):
        with storage.atomic_file(tmp_path / "file") as scratch:
            scratch.with_name(scratch.name.replace(str(os.getpid()), str(process))).write_text("half")
            scratch.write_text("whole")
    with storage.atomic_file(tmp_path / "file") as scratch:
        scratch.write_text("whole")
    assert [file.name.split(".")[-2] for file in tmp_path.glob(".file.*")] == [str(os.getppid())]
