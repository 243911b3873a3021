"""Show the built site on this machine; after an edit of a page, build what changed and reload it in the browser."""

import http.server
import sys
import threading
import time
from functools import partial
from pathlib import Path

from course_lib.errors import CourseError
from course_tools.publishing import pairs
from course_tools.publishing.project import Project
from course_tools.publishing.site import build_site
from course_tools.publishing.stage import stage

_ADDRESS = "/.reload"
_RELOAD = f'<script>new EventSource("{_ADDRESS}").onmessage = () => location.reload()</script>'.encode()
_PAUSE = 0.3  # seconds between two looks at the files


def serve(project: Project, port: int) -> None:
    """Serve the site at localhost until Control-C.

    Raises: CourseError where no site was built, or the port is taken.
    """
    if not (project.html / "index.html").is_file():
        raise CourseError("There is no website yet: run `make book` or `make site`.")
    try:
        server = _Server(("127.0.0.1", port), partial(_Handler, directory=str(project.html)))
    except OSError as error:
        raise CourseError(
            f"Port {port} cannot be used ({error.strerror}): take another, `make serve PORT=8001`."
        ) from None
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"The site is at http://localhost:{port}; an edit of a page shows in it. Control-C ends this.", flush=True)
    before = sources(project)
    try:
        while True:
            time.sleep(_PAUSE)
            now = sources(project)
            changed = [file for file in now.keys() | before.keys() if now.get(file) != before.get(file)]
            before = now
            if changed and rebuild(project, changed):
                server.builds += 1
    except KeyboardInterrupt:
        print()
    finally:
        server.shutdown()
        server.server_close()


def sources(project: Project) -> dict[Path, int]:
    """Every file that a page of the site is written in, with the time of its last edit."""
    files = [project.root / "_config.yml", project.root / "_toc.yml", *project.notebooks.glob("*.py")]
    files += [file for file in (project.root / "book").rglob("*") if file.is_file() and "__pycache__" not in file.parts]
    times = {}
    for file in files:
        try:
            times[file] = file.stat().st_mtime_ns
        except OSError:  # an editor is replacing it
            continue
    return times


def rebuild(project: Project, changed: list[Path]) -> bool:
    """Bring pairs and site up to date. Returns whether that worked; what did not is printed, and the old site stays."""
    start = time.monotonic()
    try:
        for chapter in project.chapters():
            if chapter.source in changed:
                pairs.pair(chapter)
        with project.alone("book"):
            stage(project, project.shown)
            build_site(project)
    except CourseError as error:
        print(error, file=sys.stderr, flush=True)
        return False
    names = ", ".join(sorted(file.name for file in changed))
    print(f"{names}: built in {time.monotonic() - start:.1f} s", flush=True)
    return True


class _Server(http.server.ThreadingHTTPServer):
    builds = 0
    daemon_threads = True


class _Handler(http.server.SimpleHTTPRequestHandler):
    """Python's own file server; to a page it adds the line that waits for the next build."""

    server: _Server

    def do_GET(self) -> None:
        file = Path(self.translate_path(self.path))
        file = file / "index.html" if file.is_dir() and self.path.partition("?")[0].endswith("/") else file
        if self.path == _ADDRESS:
            self._wait_for_build()
        elif file.suffix == ".html" and file.is_file():
            page = file.read_bytes() + _RELOAD
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)
        else:
            super().do_GET()

    def _wait_for_build(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        shown = self.server.builds
        try:
            while self.server.builds == shown:
                self.wfile.write(b":\n\n")  # fails when the reader has left the page
                time.sleep(_PAUSE)
            self.wfile.write(b"data:\n\n")
        except OSError:
            return

    def log_message(self, *words: object) -> None:
        """Print no line for each file that is asked for."""
