"""A Chrome or Chromium on this machine: it prints the book, and the tests drive it."""

import os
import shutil
from pathlib import Path

from course_lib.errors import CourseError

_COMMANDS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome", "msedge")
_PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
)
# Root inside a container has no user namespaces for Chromium's own sandbox; the pages are ours.
OPTIONS = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []


def find_browser() -> str:
    """The path of the first Chrome or Chromium that is installed; ``COURSE_BROWSER`` names another.

    Raises: CourseError where there is none.
    """
    chosen = os.environ.get("COURSE_BROWSER")
    if chosen:
        if not shutil.which(chosen):
            raise CourseError(f"COURSE_BROWSER names {chosen!r}, which is not a program: give the path of a browser.")
        return chosen
    found = [*filter(None, map(shutil.which, _COMMANDS)), *(place for place in _PLACES if Path(place).is_file())]
    if not found:
        raise CourseError(
            "There is no Chrome or Chromium here: install one (Debian: apt install chromium; macOS: brew install "
            "--cask chromium), or put its path into COURSE_BROWSER."
        )
    return found[0]
