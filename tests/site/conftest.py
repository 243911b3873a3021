"""The published site, built once for all tests, served as GitHub Pages does, and a real browser that visits it."""

import os
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest
import yaml
from book_pages import ROOT
from bs4 import BeautifulSoup
from filelock import FileLock

from course_lib.errors import CourseError
from course_tools.publishing import site, stage
from course_tools.publishing.browser import OPTIONS, find_browser
from course_tools.publishing.project import Project


@pytest.fixture(scope="session")
def built(tmp_path_factory, worker_id):
    """The site of the committed outputs; any warning fails this. One process builds it, and the others wait for it."""
    folder = tmp_path_factory.getbasetemp()
    folder = (folder if worker_id == "master" else folder.parent) / "site"
    project = Project(ROOT, build=folder)
    with FileLock(f"{folder}.lock"):
        if not project.html.is_dir():
            stage.stage(project, None)
            site.build_site(project)
    return project.html


@pytest.fixture(scope="session")
def pages(built):
    """Each page's HTML, by its path below the site's root."""
    return {
        page.relative_to(built): BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
        for page in built.rglob("*.html")
        if "_static" not in page.parts
    }


@pytest.fixture(scope="session")
def chapters(pages):
    found = {path: page for path, page in pages.items() if path.parts[0] == "notebooks"}
    assert len(found) == len(list((ROOT / "notebooks").glob("*.py")))
    return found


@pytest.fixture(scope="session")
def base():
    """The path below which GitHub Pages serves the site, such as ``/convnets-measured/``."""
    return urlsplit(yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["html"]["baseurl"]).path


@pytest.fixture(scope="session")
def address(built, base):
    """The site on this machine, below the same path as on GitHub Pages, with its 404 page."""

    class Pages(SimpleHTTPRequestHandler):
        def translate_path(self, path):
            inside = urlsplit(path).path.startswith(base)
            return super().translate_path("/" + path.removeprefix(base)) if inside else "/nowhere"

        def send_error(self, code, message=None, explain=None):
            body = (built / "404.html").read_bytes()
            self.send_response(code)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Pages, directory=str(built))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}{base}"
        server.shutdown()


@pytest.fixture(scope="session")
def browser():
    """Where no browser is installed, its tests are skipped; they fail where COURSE_REQUIRE_SYSTEM=1."""
    from playwright.sync_api import sync_playwright

    try:
        path = find_browser()
    except CourseError as error:
        stop = pytest.fail if os.environ.get("COURSE_REQUIRE_SYSTEM") == "1" else pytest.skip
        stop(str(error))
    with sync_playwright() as playwright:
        chrome = playwright.chromium.launch(executable_path=path, args=OPTIONS)
        yield chrome
        chrome.close()


@pytest.fixture
def visit(browser, address):
    """``visit("book/glossary", width=390, scheme="dark")`` opens a page and returns it, with ``page.problems``.

    ``problems`` fills with the console's errors, scripts' exceptions, failed requests, and requests to other hosts.
    """
    contexts = []

    def open_page(name, width=1300, scheme="light", javascript=True):
        context = browser.new_context(
            viewport={"width": width, "height": 800}, color_scheme=scheme, java_script_enabled=javascript
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.problems = problems = []
        page.on("console", lambda line: line.type in ("error", "warning") and problems.append(f"console: {line.text}"))
        page.on("pageerror", lambda error: problems.append(f"exception: {error}"))
        page.on("requestfailed", lambda one: _left_behind(one) or problems.append(f"{one.failure}: {one.url}"))
        page.on("response", lambda one: one.status >= 400 and problems.append(f"{one.status}: {one.url}"))
        page.on("request", lambda one: one.url.startswith(("data:", "blob:", address)) or problems.append(one.url))
        path, _, query = name.partition("?")
        page.goto(f"{address}{path}.html?{query}", wait_until="load")
        page.evaluate("() => document.fonts.ready")
        if not javascript:  # scripts that a page announces in its head are refused then
            page.problems = [problem for problem in problems if not problem.startswith("csp: ")]
        return page

    yield open_page
    for context in contexts:
        context.close()


def _left_behind(request) -> bool:
    """Whether a request ended because the reader went on to another page."""
    return request.failure == "net::ERR_ABORTED"
