import numpy as np
import pytest
import torch
from torch.nn import functional as F

from course_lib import models
from course_lib.errors import CourseError
from course_lib.weights import naming


def test_a_flax_kernel_does_in_torch_what_it_did_there():
    """Against the sum that defines a convolution, written out over (height, width, in, out)."""
    draw = np.random.RandomState(0)
    kernel, bias = draw.rand(3, 2, 4, 5), draw.rand(5)  # float64 becomes float32
    image = draw.rand(3, 2, 4).astype(np.float32)  # (height, width, channels), as Flax has it
    renamed = naming.from_flax_convolutions({"params": {"Conv_0": {"kernel": kernel, "bias": bias}}}, (7,))
    assert list(renamed) == ["features.7.weight", "features.7.bias"]
    ours = F.conv2d(torch.from_numpy(image).permute(2, 0, 1)[None], *renamed.values())
    assert np.allclose(ours.flatten(), np.einsum("hwi,hwio->o", image, kernel) + bias, atol=1e-5)
    assert renamed["features.7.weight"].is_contiguous() and renamed["features.7.weight"].dtype == torch.float32


def test_a_tree_without_convolutions():
    with pytest.raises(CourseError, match="no convolutions"):
        naming.from_flax_convolutions({"Dense_0": {"kernel": np.ones(1)}}, (0,))


def test_every_name_of_the_efficientnet_package_has_its_place_in_ours():
    """A swap of layers would show in the shapes: each kind of layer has its own in the package's network."""
    with torch.device("meta"):
        ours = {key: tuple(tensor.shape) for key, tensor in models.efficientnet_lite0().state_dict().items()}
    norm = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    theirs = {f"{layer}.{part}" for layer in ("_bn0", "_bn1") for part in norm}
    theirs |= {"_conv_stem.weight", "_conv_head.weight", "_fc.weight", "_fc.bias"}
    for block in range(16):
        theirs |= {f"_blocks.{block}.{layer}.weight" for layer in ("_depthwise_conv", "_project_conv")}
        theirs |= {f"_blocks.{block}.{layer}.{part}" for layer in ("_bn1", "_bn2") for part in norm}
        if block:
            theirs |= {f"_blocks.{block}._expand_conv.weight"} | {f"_blocks.{block}._bn0.{part}" for part in norm}
    renamed = naming.from_efficientnet_lite({key: key for key in theirs})
    assert renamed.keys() == ours.keys()
    for key, shape in ours.items():
        layer = renamed[key].split(".")[-2]
        if layer == "_depthwise_conv":
            assert shape[1] == 1 and shape[2] in (3, 5)
        elif layer == "_expand_conv":
            assert shape[0] == 6 * shape[1] and shape[2:] == (1, 1)
        elif layer == "_project_conv":
            assert shape[2:] == (1, 1) and shape[1] > shape[0]
