"""The cache folder, and writing to disk: files appear whole or not at all, disk errors become one line."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from course_lib.errors import CourseError

_FULL = {errno.ENOSPC, errno.EDQUOT}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST}


def home() -> Path:
    """The folder for what outlives a run: ``COURSE_HOME``, or ``convnets-measured`` in the user's cache folder."""
    chosen = os.environ.get("COURSE_HOME")
    if chosen:
        return Path(chosen).expanduser()
    import platformdirs

    return platformdirs.user_cache_path("convnets-measured")


@contextmanager
def writable_folder(folder: Path, needed_bytes: int = 0) -> Iterator[Path]:
    """Create ``folder``, check that it has room, and turn disk errors inside the block into one line.

    Raises: CourseError where the folder cannot be created or written, or the disk is full.
    """
    elsewhere = "set COURSE_HOME to a directory where there is room and you may write"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
        if free < needed_bytes:
            raise CourseError(
                f"{folder} has {free / 1e6:,.0f} MB free and {needed_bytes / 1e6:,.0f} MB are needed: "
                f"free some space, or {elsewhere}."
            )
        yield folder
    except OSError as error:
        if error.errno in _FULL:
            raise CourseError(f"The disk that holds {folder} is full: free some space, or {elsewhere}.") from error
        if error.errno in _FORBIDDEN:
            raise CourseError(f"{folder} cannot be written ({error.strerror}): {elsewhere}.") from error
        raise


def is_disk_error(error: Exception) -> bool:
    """Whether an error means that the disk is full or not writable, rather than that a host does not answer."""
    return isinstance(error, OSError) and error.errno in _FULL | _FORBIDDEN


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """A temporary path beside ``path``, renamed onto ``path`` on success and deleted on failure."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
