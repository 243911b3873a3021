"""``course serve``: Python's file server, a page that waits for the next build, and errors that end nothing."""

import os
import threading
import urllib.request
from functools import partial

import pytest

from course_lib.errors import CourseError
from course_tools.publishing import serve
from course_tools.publishing.project import Project


@pytest.fixture
def server(tmp_path):
    (tmp_path / "index.html").write_text("<p>front</p>")
    (tmp_path / "site.css").write_text("p{}")
    server = serve._Server(("127.0.0.1", 0), partial(serve._Handler, directory=str(tmp_path)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def get(server, path: str) -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}{path}", timeout=30) as answer:
        return answer.read()


def test_only_pages_get_the_line_that_reloads_them(server):
    assert get(server, "/") == get(server, "/index.html") == b"<p>front</p>" + serve._RELOAD
    assert get(server, "/site.css") == b"p{}"


def test_a_page_hears_of_the_next_build_and_not_before(server):
    address = f"http://127.0.0.1:{server.server_port}{serve._ADDRESS}"
    with urllib.request.urlopen(address, timeout=30) as answer:
        assert answer.readline() == b":\n"
        server.builds += 1
        assert b"data:" in answer.read()


def test_refuses_to_serve_nothing(tmp_path):
    with pytest.raises(CourseError, match="no website yet: run `make book`"):
        serve.serve(Project(tmp_path), 1)


def test_an_error_in_a_page_is_printed_and_the_old_site_stays(tmp_path, monkeypatch, capsys):
    def fail(*_):
        raise CourseError("page 3 is wrong")

    (tmp_path / "notebooks").mkdir()
    monkeypatch.setattr(serve, "stage", fail)
    assert not serve.rebuild(Project(tmp_path), [])
    assert "page 3 is wrong" in capsys.readouterr().err


def test_an_edit_is_seen(tmp_path):
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "book").mkdir()
    page = tmp_path / "book" / "page.md"
    page.write_text("a")
    before = serve.sources(Project(tmp_path))
    os.utime(page, (1, 1))
    assert serve.sources(Project(tmp_path)) != before
