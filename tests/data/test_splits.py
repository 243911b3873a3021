import hashlib
from dataclasses import replace

import numpy as np
import pytest
import torch

from course_lib.data.splits import stratified_holdout


def labels_of(*sizes):
    return np.repeat(np.arange(len(sizes)), sizes)


def test_parts_are_disjoint_complete_and_exact():
    labels = labels_of(37, 41, 22)
    rest, held_out = stratified_holdout(labels, 20)
    assert len(held_out) == 20
    assert sorted([*rest, *held_out]) == list(range(100))


def test_every_class_gets_its_share_to_within_one():
    labels = labels_of(37, 41, 22)
    _, held_out = stratified_holdout(labels, 20)
    counts = np.bincount(labels[held_out])
    assert np.all(np.abs(counts - np.array([37, 41, 22]) * 0.2) < 1)


def test_the_split_is_the_same_everywhere_and_always():
    """The indices are part of every published number: a new NumPy must not move them."""
    _, held_out = stratified_holdout(np.arange(1000) % 10, 200)
    digest = hashlib.sha256(held_out.astype("<i8").tobytes()).hexdigest()
    assert digest == "357f2ff9ac6578c787df55010d060b1e2e6d3a7e05a5b09df22da808f458e347"


def test_another_seed_gives_another_split():
    labels = labels_of(50, 50)
    assert not np.array_equal(stratified_holdout(labels, 20)[1], stratified_holdout(labels, 20, seed=1)[1])


@pytest.mark.parametrize("count", [0, 10, -1])
def test_a_part_must_not_be_empty(count):
    with pytest.raises(ValueError, match="between 0 and 10"):
        stratified_holdout(labels_of(5, 5), count)


def test_training_and_validation_images_as_one_split(digits):
    both = digits.train_and_val()
    assert len(digits.train) == 4_000 and len(digits.val) == 1_000 and len(both) == len(both.images) == 5_000
    assert torch.equal(both.images[:4_000], digits.train.images) and torch.equal(
        both.labels[:4_000], digits.train.labels
    )
    assert torch.equal(both.images[4_000:], digits.val.images) and torch.equal(both.labels[4_000:], digits.val.labels)
    assert not torch.equal(digits.train.images[:1_000], digits.val.images), "else their order could not be told"


def test_it_is_normalised_and_named_like_training_images_and_they_stay_as_they_are(digits):
    before = repr(digits), digits.train.images.clone(), digits.val.labels.clone()
    both = digits.train_and_val()
    for fact in ("classes", "mean", "std"):
        assert getattr(both, fact) == getattr(digits.train, fact)
    assert (both.images.dtype, both.labels.dtype) == (torch.uint8, torch.int64)
    assert repr(both) == "Split(train and val: 5,000 images of 1×28×28, 10 classes)"
    both.images.zero_(), both.labels.zero_()
    assert repr(digits) == before[0]
    assert torch.equal(digits.train.images, before[1]) and torch.equal(digits.val.labels, before[2])


def test_the_test_set_stays_sealed(digits):
    opened = []
    sealed = replace(digits, _read_test=lambda: opened.append("opened"))
    assert len(sealed.train_and_val()) == 5_000 and opened == []
    sealed.open_test()
    assert opened == ["opened"]
