"""What live figures load: trained weights and digits, as safetensors, and tables, as JSON."""

import gzip
from collections.abc import Callable
from functools import partial

import safetensors.torch
import torch

from course_lib.data import sample
from course_lib.data.catalog import spec_of
from course_lib.errors import CourseError
from course_lib.live.windows import networks_table
from course_lib.records.weights import read_weights

TEST_DIGITS = 200


def read_file(name: str) -> bytes:
    """The content of a file of :data:`FILES`. Raises CourseError for another name."""
    if name not in FILES:
        raise CourseError(f"No live figure has a file {name!r}: choose one of {', '.join(FILES)}.")
    return FILES[name]()


def _weights(run: str) -> bytes:
    return read_weights(run).file.read_bytes()


def _digits(part: str, count: int) -> bytes:
    """Digits of the embedded sample: ``images`` (N, 28, 28) and ``labels`` (N,), whole numbers of 8 bits."""
    split = sample.read(spec_of("mnist"), part)
    tensors = {"images": split.images[:count, 0].contiguous(), "labels": split.labels[:count].to(torch.uint8)}
    return gzip.compress(safetensors.torch.save(tensors), mtime=0)


def _training_digits() -> bytes:
    """The sample's 4,000 training digits, and its 1,000 validation digits under names that begin with ``val_``."""
    tensors = {}
    for part, before in (("train", ""), ("val", "val_")):
        split = sample.read(spec_of("mnist"), part)
        tensors[f"{before}images"] = split.images[:, 0].contiguous()
        tensors[f"{before}labels"] = split.labels.to(torch.uint8)
    return gzip.compress(safetensors.torch.save(tensors), mtime=0)


FILES: dict[str, Callable[[], bytes]] = {
    "perceptron.safetensors": partial(_weights, "study-lenet-fair/perceptron"),
    "lenet-5.safetensors": partial(_weights, "study-lenet-fair/LeNet-5, modern"),
    "test-digits.safetensors.gz": partial(_digits, "test", TEST_DIGITS),
    "train-digits.safetensors.gz": _training_digits,
    "windows.json": networks_table,
}
