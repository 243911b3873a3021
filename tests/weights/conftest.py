"""Weights of a network with two convolutions, and what its host and its package send."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

from course_lib.storage import fetching, registries
from course_lib.weights import catalog, loading, naming

MEMBER = "tiny_package/weights/tiny.ckpt"


@pytest.fixture
def tensors():
    """Two convolutions, ``features.0`` and ``features.3``."""
    generator = torch.Generator().manual_seed(0)
    shapes = {"0.weight": (4, 3, 3, 5), "0.bias": (4,), "3.weight": (2, 4, 1, 1), "3.bias": (2,)}
    return {f"features.{key}": torch.rand(shape, generator=generator) for key, shape in shapes.items()}


@pytest.fixture
def tiny(home, tensors, monkeypatch):
    """The catalog holds ``tiny``; no source has it yet."""
    spec = catalog.WeightsSpec(
        name="tiny",
        sha256=loading.digest(tensors),
        cache_bytes=1000,
        url="https://host.example/tiny-0123.pth",
        url_bytes=1000,
        url_sha256="4567",
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


class Sources:
    """A host and a Python registry that send files, once they have any."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.asked: list[tuple] = []

    def serve(self, tensors: dict[str, torch.Tensor]) -> None:
        """On the host: a head, too, and all as parameters in torch's older format, as torchvision's oldest files."""
        whole = {"classifier.0.weight": torch.ones(3)} | tensors
        parameters = {key: torch.nn.Parameter(tensor) for key, tensor in whole.items()}
        torch.save(parameters, self.folder / "tiny-0123.pth", _use_new_zipfile_serialization=False)

    def pack(self, tensors: dict[str, torch.Tensor]) -> None:
        """In the registry: a pickle of arrays in Flax's layout, beside layers that are not wanted."""
        layers = {}
        for order, number in enumerate((0, 3)):
            weight, bias = tensors[f"features.{number}.weight"], tensors[f"features.{number}.bias"]
            layers[f"Conv_{order}"] = {"kernel": weight.permute(2, 3, 1, 0).numpy().copy(), "bias": bias.numpy()}
        tree = {"NetLin_0": {"Dense_0": {"kernel": np.ones(1)}}, "Tiny_0": layers}
        self.pack_file(MEMBER, pickle.dumps(tree, protocol=3))

    def pack_file(self, name: str, content: bytes, archive: str = "tiny_package-1.0.tar.gz") -> None:
        """In the registry: a package, by default a source archive, with one file."""
        name = name if archive.endswith(".whl") else f"tiny_package-1.0/{name}"
        self.package = self.folder / archive, {name: content}

    package: tuple[Path, dict[str, bytes]] | None = None


@pytest.fixture
def sources(tmp_path, monkeypatch):
    """See :class:`Sources`."""
    made = Sources(tmp_path)

    def download(url, folder, known_hash):
        made.asked.append((url, known_hash))
        return made.folder / url.rpartition("/")[2]

    def pip_package(requirement, sha256, folder):
        made.asked.append((requirement, sha256))
        if made.package is None:
            raise OSError("no matching distribution")
        return made.package[0]

    monkeypatch.setattr(fetching, "download", download)
    monkeypatch.setattr(registries, "pip_package", pip_package)
    monkeypatch.setattr(registries, "read_members", lambda archive, name: [made.package[1][name]])
    return made
