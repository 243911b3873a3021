"""Build the website with jupyter-book; a warning is an error."""

import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from course_lib.errors import CourseError
from course_tools.publishing.html import finish
from course_tools.publishing.project import Project

# Of the theme: icons as a script, its scripts' maps, its texts in other languages.
_UNUSED = ("fontawesome.js*", "bootstrap.js*", "*.map", "*.LICENSE.txt", "locales", "design-tabs.js", "sphinx-thebe.js")
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_PROBLEM = re.compile("WARNING|ERROR|ExtensionError")


def build_site(project: Project) -> Path:
    """Turn ``_build/stage`` into ``_build/html`` and return its front page. The last good site stays if this fails.

    After a build that was killed, Sphinx begins again, for half a page is newer than its source, and would stay; and so
    it does after one that is of tomorrow by today's clock, where a page edited today would stay as it was.

    Raises: CourseError; jupyter-book's own warnings are printed.
    """
    work, unfinished = project.build / "sphinx", project.build / "sphinx.unfinished"
    log_file = project.build / "site.log"
    if unfinished.exists() or (log_file.exists() and log_file.stat().st_mtime > time.time()):
        shutil.rmtree(work, ignore_errors=True)
    unfinished.touch()
    words = ["build", str(project.stage), "--path-output", str(work), "-W", "-n", "--keep-going"]
    build = subprocess.run(
        [sys.executable, "-c", "from jupyter_book.cli.main import main; main()", *words],
        cwd=project.root,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        stdin=subprocess.DEVNULL,
    )
    unfinished.unlink()
    log = _COLOURS.sub("", build.stdout + build.stderr)
    log_file.write_text(log, encoding="utf-8")
    if build.returncode != 0:
        problems = [line for line in log.splitlines() if _PROBLEM.search(line)] or log.splitlines()[-12:]
        print("\n".join(problems).replace(f"{project.stage}/", ""), file=sys.stderr)
        raise CourseError("jupyter-book found errors in the pages (above): fix them and run `course book` again.")
    fresh = project.html.with_name(".html.new")
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.copytree(work / "_build" / "html", fresh, ignore=shutil.ignore_patterns(*_UNUSED))
    if (own := project.stage / "book" / "_static").is_dir():  # Sphinx copies these only where a page changed too
        shutil.copytree(own, fresh / "_static", dirs_exist_ok=True)
    finish(fresh)
    old = project.html.with_name(".html.old")
    shutil.rmtree(old, ignore_errors=True)
    if project.html.exists():  # not deleted in place: half a site could be taken for a whole one
        project.html.rename(old)
    fresh.rename(project.html)
    shutil.rmtree(old, ignore_errors=True)
    return project.html / "index.html"
