"""A split looks at what it is given, and selects by index or by mask."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

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
        ({"labels": list(range(10)) * 2}, "labels must be whole numbers"),
        ({"labels": torch.zeros(20, dtype=torch.complex128)}, "labels must be whole numbers"),
        ({"images": IMAGES.numpy()}, "images must be uint8 .*, not a ndarray"),
        ({"mean": (0.5,) * 3}, "mean and std need a number for each of 1 channels"),
        ({"std": (0.0,)}, "std one above 0"),
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


@pytest.mark.parametrize("wrong", [[True, False], [0.5, 1.0], [[0, 1]], 3, [20], [-21], [2j]])
def test_refuses_a_mask_of_another_length_and_broken_indices(wrong):
    with pytest.raises(
        ValueError, match=r"mask needs one value an image|whole numbers|have numbers from 0 on"
    ) as caught:
        GOOD.select(wrong)
    assert "\n" not in str(caught.value)


INTEGERS = [torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.uint16]


@given(st.integers(1, 150), st.integers(0, 60), st.sampled_from(INTEGERS), st.integers(0, 99), st.data())
def test_a_split_keeps_labels_and_selects_whatever_their_type(classes, count, dtype, seed, data):
    assume(classes <= torch.iinfo(dtype).max)
    draw = torch.Generator().manual_seed(seed)
    labels = torch.randint(classes, (count,), generator=draw)
    images = torch.randint(256, (count, 1, 2, 2), generator=draw, dtype=torch.uint8)
    names = tuple(map(str, range(classes)))
    split = Split("mine", images, labels.to(dtype), names, (0.5,), (0.25,))
    assert split.labels.dtype == torch.int64 and torch.equal(split.labels, labels)
    mask = torch.tensor(data.draw(st.lists(st.booleans(), min_size=count, max_size=count)), dtype=torch.bool)
    for make in (torch.as_tensor, np.asarray, torch.Tensor.tolist):
        assert split.select(make(mask)).labels.tolist() == [
            label for label, keep in zip(labels, mask, strict=True) if keep
        ]
    if count:
        places = torch.tensor(data.draw(st.lists(st.integers(-count, count - 1))), dtype=torch.int64)
        for make in (torch.as_tensor, np.asarray, torch.Tensor.tolist):
            assert torch.equal(split.select(make(places)).images, images[places])
    with pytest.raises(ValueError, match="labels from"):
        replace(split, labels=torch.tensor([0, classes]).to(torch.int64))
