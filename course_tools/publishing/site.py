"""Build the website with jupyter-book; a warning is an error."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from course_lib.errors import CourseError
from course_tools.publishing.project import Project

_NOISE = re.compile(r"\x1b\[[0-9;]*m")


def build_site(project: Project) -> Path:
    """Turn ``_build/stage`` into ``_build/html`` and return its front page. The last good site stays if this fails.

    Raises: CourseError with jupyter-book's own warnings.
    """
    work = project.build / "sphinx"
    words = ["build", str(project.stage), "--path-output", str(work), "-W", "-n", "--keep-going"]
    done = subprocess.run(
        [sys.executable, "-c", "from jupyter_book.cli.main import main; main()", *words],
        cwd=project.root,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    log = _NOISE.sub("", done.stdout + done.stderr)
    (project.build / "site.log").write_text(log)
    if done.returncode != 0:
        problems = [line for line in log.splitlines() if "WARNING" in line or "ERROR" in line] or log.splitlines()[-12:]
        shown = "\n".join(problems).replace(f"{project.stage}/", "")
        print(shown, file=sys.stderr)
        raise CourseError("jupyter-book found fault with the pages (above): mend them and run `course book` again.")
    publish_folder(work / "_build" / "html", project.html)
    return project.html / "index.html"


def publish_folder(built: Path, public: Path) -> None:
    """Copy the built site beside the public one, then swap the two."""
    fresh = public.with_name(f".{public.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.copytree(built, fresh)
    old = public.with_name(f".{public.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if public.exists():
        public.rename(old)
    fresh.rename(public)
    shutil.rmtree(old, ignore_errors=True)
