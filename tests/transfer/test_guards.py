"""Each guard trips on its bug, names its rung, and is silent without the bug."""

import pytest
import torch

from course_lib import models, transfer
from course_lib.errors import CourseError
from course_lib.transfer import Choices
from course_lib.transfer import cases as rungs
from course_lib.transfer.networks import BACKBONES


@pytest.fixture
def some(digits):
    return digits.train.select(range(40))


def trips(rung, call):
    with pytest.raises(CourseError, match=f"^{rung}") as caught:
        call()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("side", [28, 32, 56, 112, 224])
def test_images_that_were_refilled(some, side):
    transfer.one_image_each(some, transfer.prepare(some, Choices(side=side)))
    if side != 28:
        refilled = transfer.prepare(some, Choices(side=side, resize="refill"))
        trips("rung 1, refilled images: image ", lambda: transfer.one_image_each(some, refilled))


@pytest.mark.parametrize("other", [{"channels": "one"}, {"normalise": False}])
def test_the_first_guard_sees_no_other_bug(some, other):
    transfer.one_image_each(some, transfer.prepare(some, Choices(**other)))


def test_labels_that_slid_by_one(some):
    slid = some.select([*range(1, 40), 0])
    trips("rung 1", lambda: transfer.one_image_each(some, transfer.prepare(slid, Choices())))


@pytest.mark.parametrize("other", [{}, {"resize": "refill"}, {"normalise": False}])
def test_channels_that_were_not_repeated(some, other):
    transfer.three_equal_channels(transfer.prepare(some, Choices(**other)).images)
    wrong = transfer.prepare(some, Choices(**other | {"channels": "one"})).images
    trips("rung 2, grey not repeated: .* differ", lambda: transfer.three_equal_channels(wrong))
    trips("rung 2, grey not repeated: .* are 1", lambda: transfer.three_equal_channels(some.images))


@pytest.mark.parametrize("other", [{}, {"resize": "refill"}, {"channels": "one"}])
def test_pixels_that_were_not_normalised(some, other):
    right = transfer.prepare(some, Choices(**other))
    transfer.normalised(right.normalize(right.images))
    wrong = transfer.prepare(some, Choices(**other | {"normalise": False}))
    trips("rung 3, not normalised: .* 255.00", lambda: transfer.normalised(wrong.normalize(wrong.images)))
    trips("rung 3, not normalised: .* 1.00", lambda: transfer.normalised(right.images / 255))
    trips("rung 3, not normalised", lambda: transfer.normalised(5 * right.normalize(right.images)))


def test_weights_that_leave_at_once(digits, small):
    near, gone = (
        transfer.first_steps(digits.train, small(trained="all", **rate), device="cpu")
        for rate in ({}, {"learning_rate": 1e-3})
    )
    moved = [max(transfer.movement(one.before, one.network).values()) for one in (near, gone)]
    limit = (moved[0] * moved[1]) ** 0.5  # the stand-in's weights are larger than those of VGG-16
    transfer.still_near_the_start(near.before, near.network, limit)
    trips(
        "rung 4, everything at 0.001: features", lambda: transfer.still_near_the_start(gone.before, gone.network, limit)
    )
    with torch.no_grad():
        gone.network.features[0].weight.fill_(float("nan"))
    trips("rung 4", lambda: transfer.still_near_the_start(gone.before, gone.network, 10.0))


def test_frozen_layers_do_not_move(digits, small):
    begun = transfer.first_steps(digits.train, small(), steps=2, device="cpu")
    moved = list(transfer.movement(begun.before, begun.network).values())
    assert moved[:7] == [0.0] * 7 and min(moved[7:]) > 0 and len(moved) == 13
    assert len(begun.history) == 1 and begun.history.recipe["train"] == 64


@pytest.mark.parametrize(
    ("accuracies", "sees"),
    [
        ({"early": 0.99, "late": 0.95}, True),
        ({"early": 0.95, "late": 0.99}, False),
        ({"early": 0.951, "late": 0.95}, False),
        ({"early": 0.6, "middle": 0.98, "late": 0.95}, True),
    ],
)
def test_layers_that_are_about_something_else(accuracies, sees):
    def guard():
        transfer.frozen_at_the_best_cut(accuracies, 1_000)

    trips("rung 5, frozen too much: a head on ", guard) if sees else guard()


def test_a_difference_that_few_images_do_not_show():
    transfer.frozen_at_the_best_cut({"early": 0.99, "late": 0.95}, 50)


def test_statistics_that_change_under_frozen_weights(digits, small):
    for kept in (True, False):
        choices = small(backbone="mobilenet-v2", trained="head", freeze_batch_norm=kept)
        begun = transfer.first_steps(digits.train, choices, steps=2, device="cpu")
        assert max(transfer.movement(begun.before, begun.network).values()) == 0, "no weight learns"

        def guard(begun=begun):
            transfer.statistics_stand_still(begun.before, begun.network)

        guard() if kept else trips("rung 6, statistics updated: features.0.1.running_mean", guard)


@pytest.mark.parametrize(("name", "side", "sees"), [("vgg16", 112, True), ("vgg16", 224, False)])
def test_a_backbone_that_looks_at_more_than_there_is(name, side, sees):
    features = models.backbone(name).features

    def guard():
        transfer.sees_no_more_than_the_image(features, side)

    trips("rung 7, too large a backbone: .* 212 × 212 .* 112 × 112", guard) if sees else guard()


def test_the_right_sized_backbone_is_one():
    right = rungs.RIGHT_SIZED
    with torch.device("meta"):
        features = BACKBONES[right.backbone].features()
    transfer.sees_no_more_than_the_image(features, right.side)


def test_transfer_that_is_not_worth_it():
    transfer.better_than_from_scratch(0.99, 0.95, 1_000)
    trips("rung 8, no need to transfer: 98.00%", lambda: transfer.better_than_from_scratch(0.98, 0.99, 1_000))
    trips("rung 8, no need to transfer", lambda: transfer.better_than_from_scratch(0.991, 0.99, 1_000))


@pytest.mark.parametrize(
    ("bug", "rung"),
    [
        ({"resize": "refill"}, "rung 1"),
        ({"channels": "one"}, "rung 2"),
        ({"normalise": False}, "rung 3"),
        ({"backbone": "mobilenet-v2", "trained": "head", "freeze_batch_norm": False}, "rung 6"),
    ],
)
def test_a_guarded_run_stops_at_the_bug(few, val, small, bug, rung):
    trips(rung, lambda: transfer.run(few, val, small(**bug), guarded=True, epochs=1, device="cpu"))


@pytest.mark.parametrize("right", [{"trained": "head"}, {"backbone": "mobilenet-v2", "trained": "head"}])
def test_a_guarded_run_without_a_bug_goes_through(few, val, small, right):
    assert transfer.run(few, val, small(**right), guarded=True, epochs=1, device="cpu").answers.logits.shape == (60, 10)


def test_with_real_weights(real_cache, monkeypatch, digits):
    """The statistics of the real MobileNetV2, where its weights are at hand."""
    if real_cache is None:
        pytest.skip("the weights are not in the cache: course data fetch mobilenet-v2")
    monkeypatch.setenv("COURSE_HOME", str(real_cache))
    monkeypatch.setattr(models, "backbone", models.backbones.backbone)
    for kept in (True, False):
        choices = Choices(backbone="mobilenet-v2", side=32, trained="head", freeze_batch_norm=kept)
        begun = transfer.first_steps(digits.train, choices, steps=1, device="cpu")
        if kept:
            transfer.statistics_stand_still(begun.before, begun.network)
        else:
            trips("rung 6", lambda begun=begun: transfer.statistics_stand_still(begun.before, begun.network))
