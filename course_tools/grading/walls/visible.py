"""What a student's code can see of the machine: a file system of its own, with little in it, and nothing to write."""

import os
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType

from course_tools.grading.walls import linux

SCRATCH = "/scratch-of-the-answers"  # the one folder that may be written: empty for each part, held in memory
_DEVICES = ("null", "zero", "random", "urandom")
_SITES = {"site-packages", "dist-packages"}  # folders of packages that may lie in the standard library's
_STAGE = "/tmp"  # any folder that every Linux has; only this process sees what is mounted there


def installed() -> list[str]:
    """What the modules that were imported so far lie in: the standard library, and of other packages just these.

    The folder around a package is not among them: around the course's own lie the assignment and its reference.
    """
    library = {sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")}
    found = {path for name, module in sys.modules.items() if "." not in name for path in _places(module)}
    return sorted(library | {path for path in found if not _is_of(library, path)})


def _places(module: ModuleType) -> Iterator[str]:
    if module.__name__ == "__main__":
        return
    for path in getattr(module, "__path__", None) or [getattr(module, "__file__", None)]:
        if path and Path(path).is_absolute() and Path(path).exists():
            yield str(path)


def _is_of(library: Iterable[str], path: str) -> bool:
    return any(Path(path).is_relative_to(one) for one in library) and not _SITES & set(Path(path).parts)


def show_only(paths: Iterable[str]) -> None:
    """Make the paths, where they are but read-only, all that this process and its children see of the file system.

    Needs a mount namespace of its own, and the right to mount there. Raises OSError.
    """
    kept = {path: os.path.realpath(path) for path in sorted(paths)}  # as links lead: they do not, once the root is new
    linux.mount("none", "/", flags=linux.RECURSIVE | linux.PRIVATE)
    linux.mount("tmpfs", _STAGE, "tmpfs", linux.NOSUID | linux.NODEV, "mode=755")
    for name in ("new", "old"):
        Path(_STAGE, name).mkdir()
    linux.pivot_root(_STAGE, f"{_STAGE}/old")
    os.chdir("/")
    linux.mount("tmpfs", "/new", "tmpfs", linux.NOSUID | linux.NODEV, "mode=755")
    for path, real in kept.items():  # in the order of their names, so a folder comes before what is in it
        _show(path, real)
    for name in _DEVICES:
        _bind(f"/old/dev/{name}", Path(f"/new/dev/{name}"), with_devices=True)
    Path(f"/new{SCRATCH}").mkdir()
    linux.make_read_only("/new", with_devices=True)
    linux.change_root("/new")


def _show(path: str, real: str) -> None:
    target = Path(f"/new{path}")
    if not target.exists():
        _bind(f"/old{real}", target)
    for name in _SITES:  # other packages, of which only some are shown
        if (target / name).is_dir():
            linux.mount("tmpfs", f"{target}/{name}", "tmpfs", linux.NOSUID | linux.NODEV, "mode=755")


def _bind(source: str, target: Path, with_devices: bool = False) -> None:
    if Path(source).is_dir():
        target.mkdir(parents=True, exist_ok=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
    linux.mount(source, str(target), flags=linux.BIND | linux.RECURSIVE)
    linux.make_read_only(str(target), with_devices)
