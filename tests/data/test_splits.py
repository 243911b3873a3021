import hashlib
from dataclasses import replace

import numpy as np
import pytest
import torch

from course_lib.data import stratified_holdout

LABELS = np.repeat(np.arange(3), (37, 41, 22))


def test_parts_are_disjoint_complete_and_every_class_gets_its_share_to_within_one():
    rest, held_out = stratified_holdout(LABELS, 20)
    assert len(held_out) == 20
    assert sorted([*rest, *held_out]) == list(range(100))
    assert np.bincount(LABELS[held_out]).tolist() == [8, 8, 4], "of 7.4, 8.2 and 4.4: the first of equals is rounded up"


def test_the_split_is_the_same_everywhere_and_always():
    """The indices are part of every published number: a new NumPy must not change them."""
    _, held_out = stratified_holdout(np.arange(1000) % 10, 200)
    digest = hashlib.sha256(held_out.astype("<i8").tobytes()).hexdigest()
    assert digest == "357f2ff9ac6578c787df55010d060b1e2e6d3a7e05a5b09df22da808f458e347"


@pytest.mark.parametrize("count", [0, 100, -1])
def test_a_part_must_not_be_empty(count):
    with pytest.raises(ValueError, match="between 0 and 100"):
        stratified_holdout(LABELS, count)


def test_training_and_validation_images_as_one_split(digits):
    before = repr(digits), digits.train.images.clone(), digits.val.labels.clone()
    sealed = replace(digits, _read_test=lambda: pytest.fail("the test set was opened"))
    both = sealed.train_and_val()
    assert repr(both) == "Split(train and val: 5,000 images of 1×28×28, 10 classes)"
    assert torch.equal(both.images, torch.cat([digits.train.images, digits.val.images]))
    assert torch.equal(both.labels, torch.cat([digits.train.labels, digits.val.labels]))
    assert (both.mean, both.std, both.classes) == (digits.train.mean, digits.train.std, digits.train.classes)
    both.images.zero_(), both.labels.zero_()
    assert repr(digits) == before[0]
    assert torch.equal(digits.train.images, before[1]) and torch.equal(digits.val.labels, before[2])


def test_a_part_has_at_most_so_many_images_of_each_split_in_proportion(digits):
    part = digits.part(1_000)
    assert [len(split) for split in (part.train, part.val, part.open_test())] == [1_000, 1_000, 1_000]
    assert part.val is digits.val and len(digits.part(500).open_test()) == 500
    shares = [np.bincount(split.labels) / len(split) for split in (part.train, digits.train)]
    np.testing.assert_allclose(*shares, atol=1e-3)
    with pytest.raises(ValueError, match="at least 1, not 0"):
        digits.part(0)
