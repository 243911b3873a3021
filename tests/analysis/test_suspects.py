"""Tensors of exactly one size: counted by hand, and held against what autograd really keeps."""

import pytest
import torch
from torch import nn

from course_lib import analysis, models
from course_lib.analysis import memory as suspects


def small():
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1),  # 4×8×8
        nn.ReLU(inplace=True),
        nn.MaxPool2d(2),  # 4×4×4
        nn.Flatten(),
        nn.Linear(64, 128),
    )


def rows(found):
    return list(found[["layer", "what", "precision", "batch"]].astype(object).itertuples(index=False, name=None))


def test_output_and_indices_are_found_in_the_order_of_running():
    found = suspects.tensors_of_size(small(), (3, 8, 8), 4 * 4 * 8 * 8 * 4, batch_sizes=(2, 4, 8))
    assert rows(found) == [
        ("0", "output", "float32", 4),
        ("0", "output", "float16", 8),
        ("2", "indices", "float32", 8),
        ("2", "indices", "float16", 8),
        ("4", "output", "float32", 8),
    ]
    assert found["shape"].tolist() == [(4, 8, 8), (4, 8, 8), (4, 4, 4), (4, 4, 4), (128,)]
    assert found["dtype"].tolist() == ["float32", "float16", "int64", "int64", "float32"]


def test_weights_need_no_batch():
    found = suspects.tensors_of_size(small(), (3, 8, 8), 64 * 128 * 4, batch_sizes=(1,))
    assert found["what"].tolist() == ["weights"] and found["layer"].tolist() == ["4"]
    assert found[["batch", "held"]].isna().all(axis=None)


def test_held_is_what_came_before():
    network = small()
    fixed = 4 * sum(one.numel() for one in network.parameters())
    found = suspects.tensors_of_size(network, (3, 8, 8), 4 * 4 * 4 * 8 * 8, (8,), precisions=[torch.float32])
    indices = found.set_index("layer").loc["2"]
    assert (indices.what, indices.batch) == ("indices", 8)
    before = 8 * (3 * 8 * 8 + 4 * 8 * 8 + 4 * 4 * 4) * 4  # images, convolution, the pool's output; ReLU is in place
    assert indices.held == fixed + before


def test_held_agrees_with_what_autograd_keeps():
    network, image = models.vgg8_bn(10, width=0.25, dropout=0.0), (3, 32, 32)
    last = analysis.trace(network, image).steps[-1]
    (found,) = [
        one
        for one in suspects.tensors_of_size(network, image, 32 * last.shape[0] * 4, (32,), [torch.float32]).itertuples()
        if one.layer == last.name
    ]
    memory = analysis.training_memory(network, image, 32)
    assert found.held == pytest.approx(memory.weights + memory.saved, rel=0.02)


def test_the_392_mib_of_a_vgg16_with_batch_norm():
    with torch.device("meta"):
        network = models.vgg16_bn(10)
    found = suspects.tensors_of_size(network, (3, 224, 224), 392 * 2**20)
    assert found[found["what"] == "weights"]["layer"].tolist() == ["classifier.0"]
    pools = found[(found["type"] == "MaxPool2d") & (found["batch"] == 128)]
    assert rows(pools) == [
        ("features.6", "output", "float32", 128),
        ("features.13", "indices", "float32", 128),
        ("features.13", "indices", "float16", 128),
    ]


def test_nothing_is_found_where_nothing_has_the_size():
    assert suspects.tensors_of_size(small(), (3, 8, 8), 12_345).empty


def test_a_size_that_makes_no_sense_is_refused():
    with pytest.raises(ValueError, match=r"^size must be at least 1 byte, not 0$"):
        suspects.tensors_of_size(small(), (3, 8, 8), 0)
