"""Each guard raises for its bug, names its rung, and does nothing without the bug."""

import pytest

from course_lib import transfer
from course_lib.errors import CourseError
from course_lib.transfer import Choices


@pytest.fixture
def some(digits):
    return digits.train.select(range(40))


def raises(rung, call):
    with pytest.raises(CourseError, match=f"^{rung}") as caught:
        call()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("side", [28, 32, 56, 112, 224])
def test_refilled_images(some, side):
    transfer.one_image_each(some, transfer.prepare(some, Choices(side=side, channels="one", normalise=False)))
    if side != 28:
        refilled = transfer.prepare(some, Choices(side=side, resize="refill"))
        raises("rung 1, refilled images: image ", lambda: transfer.one_image_each(some, refilled))
    shifted = transfer.prepare(some.select([*range(1, 40), 0]), Choices(side=side))
    raises("rung 1", lambda: transfer.one_image_each(some, shifted))


@pytest.mark.parametrize("other", [{}, {"resize": "refill"}, {"normalise": False}])
def test_channels_not_repeated(some, other):
    transfer.three_equal_channels(transfer.prepare(some, Choices(**other)).images)
    wrong = transfer.prepare(some, Choices(**other | {"channels": "one"})).images
    raises("rung 2, grey not repeated: .* differ", lambda: transfer.three_equal_channels(wrong))
    raises("rung 2, grey not repeated: .* are 1", lambda: transfer.three_equal_channels(some.images))


@pytest.mark.parametrize("other", [{}, {"resize": "refill"}, {"channels": "one"}])
def test_pixels_not_normalised(some, other):
    right = transfer.prepare(some, Choices(**other))
    transfer.normalised(right.normalize(right.images))
    wrong = transfer.prepare(some, Choices(**other | {"normalise": False}))
    raises("rung 3, not normalised: .* 255.00", lambda: transfer.normalised(wrong.normalize(wrong.images)))
    raises("rung 3, not normalised: .* 1.00", lambda: transfer.normalised(right.images / 255))
    raises("rung 3, not normalised", lambda: transfer.normalised(5 * right.normalize(right.images)))
    raises("rung 3, not normalised", lambda: transfer.normalised(right.normalize(right.images) - 1))
    raises("rung 3, not normalised", lambda: transfer.normalised(right.normalize(right.images) + 1))


def test_frozen_layers_do_not_move(digits, small):
    begun = transfer.first_steps(digits.train, small(), steps=2, device="cpu")
    moved = list(transfer.movement(begun.before, begun.network).values())
    assert moved[:7] == [0.0] * 7 and min(moved[7:]) > 0 and len(moved) == 13
    assert len(begun.history) == 1 and begun.history.recipe["train"] == 64


def test_statistics_updated_under_frozen_weights(digits, small):
    for kept in (True, False):
        choices = small(backbone="mobilenet-v2", trained="head", freeze_batch_norm=kept)
        begun = transfer.first_steps(digits.train, choices, steps=2, device="cpu")
        assert max(transfer.movement(begun.before, begun.network).values()) == 0, "no weight learns"

        def guard(begun=begun):
            transfer.statistics_stand_still(begun.before, begun.network)

        guard() if kept else raises("rung 6, statistics updated: features.0.1.running_mean", guard)


@pytest.mark.parametrize(
    ("bug", "rung"),
    [
        ({"trained": "head"}, None),
        ({"backbone": "mobilenet-v2", "trained": "head"}, None),
        ({"resize": "refill"}, "rung 1"),
        ({"channels": "one"}, "rung 2"),
        ({"normalise": False}, "rung 3"),
        ({"backbone": "mobilenet-v2", "trained": "head", "freeze_batch_norm": False}, "rung 6"),
    ],
)
def test_a_guarded_run_stops_at_a_bug_and_only_there(few, val, small, bug, rung):
    def run():
        return transfer.run(few, val, small(**bug), guarded=True, epochs=1, device="cpu")

    raises(rung, run) if rung else run()
