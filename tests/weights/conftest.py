"""Weights of a network with two convolutions, and both roads to them: real files are large, the code is the same."""

import io
import pickle
import tarfile
import types
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from course_lib import torchvision_fix
from course_lib.weights import cache, catalog, naming, roads

MEMBER = "tiny_package/weights/tiny.ckpt"


@pytest.fixture
def tensors():
    """Two convolutions, ``features.0`` and ``features.3``."""
    chance = torch.Generator().manual_seed(0)
    shapes = {"0.weight": (4, 3, 3, 5), "0.bias": (4,), "3.weight": (2, 4, 1, 1), "3.bias": (2,)}
    return {f"features.{key}": torch.rand(shape, generator=chance) for key, shape in shapes.items()}


def flax_pickle(tensors: dict[str, torch.Tensor]) -> bytes:
    """The same as a pickle of arrays in Flax's layout, beside layers that are not wanted."""
    layers = {}
    for order, number in enumerate((0, 3)):
        weight, bias = tensors[f"features.{number}.weight"], tensors[f"features.{number}.bias"]
        layers[f"Conv_{order}"] = {"kernel": weight.permute(2, 3, 1, 0).numpy().copy(), "bias": bias.numpy()}
    return pickle.dumps({"NetLin_0": {"Dense_0": {"kernel": np.ones(1)}}, "Tiny_0": layers}, protocol=3)


@pytest.fixture
def tiny(home, tensors, monkeypatch):
    """The catalog knows ``tiny``, which neither the cache nor any road has yet."""
    spec = catalog.WeightsSpec(
        name="tiny",
        title="Tiny",
        sha256=cache.digest(tensors),
        cache_bytes=1000,
        official="Tiny_Weights",
        official_bytes=1000,
        part="features.",
        package=catalog.Package(
            requirement="tiny_package==1.0",
            sha256="0123",
            bytes=1000,
            member=MEMBER,
            rename=lambda tree: naming.from_flax_convolutions(tree, (0, 3)),
        ),
    )
    monkeypatch.setitem(catalog.CATALOG, "tiny", spec)
    return spec


@pytest.fixture
def tiny_in_torchs_format(tiny, monkeypatch):
    """``tiny`` again, but its package holds a file of torch's."""
    package = replace(tiny.package, member="tiny_package/weights/tiny.pth", rename=naming.as_they_are)
    monkeypatch.setitem(catalog.CATALOG, "tiny", replace(tiny, package=package))


class Host:
    """Torchvision's host: a file that it serves once ``serve`` was called; before, it is away."""

    def __init__(self, file: Path):
        self.file = file

    def serve(self, tensors: dict[str, torch.Tensor]) -> None:
        """The convolutions and a head, in torch's older format, as parameters: as torchvision's oldest files are."""
        whole = {"classifier.0.weight": torch.ones(3)} | tensors
        parameters = {key: torch.nn.Parameter(tensor) for key, tensor in whole.items()}
        torch.save(parameters, self.file, _use_new_zipfile_serialization=False)


@pytest.fixture
def host(tmp_path, monkeypatch):
    """See :class:`Host`."""
    file = tmp_path / "host" / "tiny-0123.pth"
    file.parent.mkdir()
    lead_to(file.as_uri(), monkeypatch)
    return Host(file)


@pytest.fixture
def another_host(monkeypatch):
    """Makes torchvision name another address."""
    return lambda url: lead_to(url, monkeypatch)


def lead_to(url: str, monkeypatch) -> None:
    entry = types.SimpleNamespace(IMAGENET1K_V1=types.SimpleNamespace(url=url))
    stand_in = types.SimpleNamespace(models=types.SimpleNamespace(Tiny_Weights=entry))
    monkeypatch.setattr(torchvision_fix, "import_torchvision", lambda: stand_in)


class Registry:
    """A pip that hands out what is on the shelf, and fails where it is empty."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.shelf = folder / "shelf"
        self.shelf.mkdir(parents=True)

    def offer(self, tensors: dict[str, torch.Tensor], kind: str = "sdist") -> None:
        """Put a package with these tensors on the shelf: an ``sdist`` or ``wheel`` of arrays, or one of ``torch``'s."""
        content, name = flax_pickle(tensors), MEMBER
        if kind == "torch":
            file = io.BytesIO()
            torch.save(tensors, file)
            content, name = file.getvalue(), MEMBER.replace(".ckpt", ".pth")
        self.offer_file(name, content, kind)

    def offer_file(self, name: str, content: bytes, kind: str = "sdist") -> None:
        """Put a package with one file on the shelf."""
        if kind != "sdist":
            with zipfile.ZipFile(self.shelf / "tiny_package-1.0-py3-none-any.whl", "w") as wheel:
                wheel.writestr(name, content)
            return
        with tarfile.open(self.shelf / "tiny_package-1.0.tar.gz", "w:gz") as archive:
            info = tarfile.TarInfo(f"tiny_package-1.0/{name}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))

    @property
    def asked(self) -> list[str]:
        """The words of each call."""
        file = self.folder / "asked"
        return file.read_text().splitlines() if file.exists() else []


@pytest.fixture
def registry(tmp_path, monkeypatch):
    """See :class:`Registry`."""
    made = Registry(tmp_path / "registry")
    program = made.folder / "python"
    program.write_text(
        f"""#!/bin/sh
echo "$@" >> {made.folder}/asked
while [ $# -gt 0 ]; do
    [ "$1" = --dest ] && to=$2
    [ "$1" = --requirement ] && cp "$2" {made.folder}/wanted
    shift
done
if [ -z "$(ls {made.shelf})" ]; then
    printf 'ERROR: No matching distribution found\\nWARNING: there is a newer pip\\n' >&2
    exit 1
fi
mkdir -p "$to"; cp {made.shelf}/* "$to"
"""
    )
    program.chmod(0o755)
    monkeypatch.setattr(roads.sys, "executable", str(program))
    return made
