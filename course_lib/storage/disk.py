"""The cache folder, and writing to disk: files appear whole or not at all, disk errors become one line."""

import errno
import glob
import os
import platform
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from course_lib.errors import CourseError

_FULL = {errno.ENOSPC, errno.EDQUOT}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR, errno.EEXIST}
_ELSEWHERE = "set COURSE_HOME to a directory where there is room and you may write"


def home() -> Path:
    """The folder for what outlives a run: ``COURSE_HOME``, or ``convnets-measured`` in the user's cache folder."""
    chosen = os.environ.get("COURSE_HOME")
    if chosen:
        return user_path(chosen)
    import platformdirs

    return platformdirs.user_cache_path("convnets-measured")


def user_path(text: Path | str) -> Path:
    """A path as a person wrote it, ``~`` included, made absolute. Raises CourseError where ``~`` has no folder."""
    try:
        return Path(text).expanduser().absolute()
    except (RuntimeError, OSError) as error:  # no such user, or the current directory was deleted
        raise CourseError(f"{text} is no path that can be found ({error}): write it from the root on.") from error


@contextmanager
def writable_folder(folder: Path, needed_bytes: int = 0) -> Iterator[Path]:
    """Create ``folder``, check that it takes a file and has room, and turn disk errors inside the block into one line.

    Raises: CourseError where the folder cannot be created or written, or the disk is full.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
        free = shutil.disk_usage(folder).free
    except (OSError, ValueError) as error:  # ValueError for a null byte
        raise _not_written(folder, error) from error
    if free < needed_bytes:
        raise CourseError(
            f"{folder} has {free / 1e6:,.0f} MB free and {needed_bytes / 1e6:,.0f} MB are needed: "
            f"free some space, or {_ELSEWHERE}."
        )
    try:
        yield folder
    except OSError as error:
        if is_disk_error(error):
            raise _not_written(error.filename2 or error.filename or folder, error) from error
        raise


def _not_written(path: Path | str, error: Exception) -> CourseError:
    if getattr(error, "errno", None) in _FULL:
        return CourseError(f"The disk that holds {path} is full: free some space, or {_ELSEWHERE}.")
    return CourseError(f"{path} cannot be written ({getattr(error, 'strerror', error)}): {_ELSEWHERE}.")


def is_disk_error(error: Exception) -> bool:
    """Whether an error means that the disk is full or not writable, rather than that a host does not answer."""
    return isinstance(error, OSError) and error.errno in _FULL | _FORBIDDEN


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """A temporary path beside ``path``, renamed onto ``path`` on success and deleted on failure.

    What a process of this machine left there when it was killed is deleted first.
    """
    mine = f".{path.name}.{platform.node()}"  # so that no other machine of a shared disk takes it for its own
    for leftover in path.parent.glob(f"{glob.escape(mine)}.*.part"):
        if not _is_alive(leftover.name.removeprefix(f"{mine}.").removesuffix(".part")):
            leftover.unlink(missing_ok=True)
    temporary = path.with_name(f"{mine}.{os.getpid()}.part")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _is_alive(process: str) -> bool:
    """Whether a process may still be at work; True where that cannot be found out, as on Windows."""
    if os.name != "posix" or not process.isdecimal():
        return True
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
