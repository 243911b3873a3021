"""A split looks at what it is given, and selects by index or by mask."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from course_lib import models
from course_lib.data import Batches, Split
from course_lib.training import predict

IMAGES = torch.zeros(20, 1, 4, 4, dtype=torch.uint8)
GOOD = Split("mine", IMAGES, torch.arange(20) % 10, tuple("0123456789"), (0.5,), (0.25,))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"images": torch.rand(20, 1, 4, 4)}, "images must be uint8"),
        ({"images": IMAGES[:, 0]}, r"of shape \(N, C, H, W\)"),
        ({"labels": torch.arange(20)[:, None] % 10}, r"labels must be whole numbers of shape \(N,\)"),
        ({"labels": torch.rand(20)}, "labels must be whole numbers"),
        ({"labels": torch.ones(20, dtype=torch.bool)}, "labels must be whole numbers"),
        ({"labels": torch.arange(20) % 10 + 1}, "labels from 1 to 10, but the numbers of 10 classes go from 0 to 9"),
        ({"labels": torch.arange(20) % 10 - 1}, "labels from -1 to 8"),
    ],
)
def test_refuses_what_would_give_silent_wrong_numbers(changes, words):
    with pytest.raises(ValueError, match=words) as caught:
        replace(GOOD, **changes)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("use", [Batches, lambda split, size: predict(models.mlp(16), split, batch_size=size)])
def test_refuses_batches_of_unequal_lengths(use):
    with pytest.raises(ValueError, match="20 images and 19 labels: there must be as many"):
        use(replace(GOOD, labels=torch.arange(19) % 10), 8)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64])
def test_labels_of_any_whole_number_type_become_int64(dtype):
    split = replace(GOOD, labels=GOOD.labels.to(dtype))
    assert split.labels.dtype == torch.int64 and torch.equal(split.labels, GOOD.labels)


@pytest.mark.parametrize("make", [torch.as_tensor, np.asarray, list])
def test_a_mask_selects_where_it_is_true(make):
    mask = [label == 3 for label in GOOD.labels.tolist()]
    assert GOOD.select(make(mask)).labels.tolist() == [3, 3]
    assert len(GOOD.select(make([False] * 20))) == 0


def test_indices_select_in_their_order_and_nothing_selects_nothing():
    assert GOOD.select([5, 3, 3]).labels.tolist() == [5, 3, 3] and len(GOOD.select([])) == 0


@pytest.mark.parametrize("wrong", [[True, False], [0.5, 1.0]])
def test_refuses_a_mask_of_another_length_and_broken_indices(wrong):
    with pytest.raises(ValueError, match=r"mask needs one value an image|whole numbers"):
        GOOD.select(wrong)
