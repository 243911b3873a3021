import math
import statistics

import pytest
from scipy import stats

from course_lib.errors import CourseError
from course_tools.claims.evidence import NoEvidence, look_up
from course_tools.claims.ledger import Fact
from course_tools.claims.measurements import difference, higher, level, mean, record


def found(checkout, function, *of, **which):
    return look_up(checkout.project, Fact("A.8", "so", lambda: function(*of, **which), verdict="reproduced"))


def measured(checkout, measure, of="study-new/net", **more):
    return found(checkout, mean, of, measure, **more)


def test_mean_and_spread_over_the_seeds(checkout):
    accuracies = [0.981, 0.985, 0.992]
    for seed, accuracy in enumerate(accuracies):
        checkout.record("study-new/net", accuracy, seed=seed)
    checkout.record("study-new/net, wider", 0.5)
    seen = measured(checkout, "accuracy")
    assert seen.value == pytest.approx(statistics.mean(accuracies))
    assert seen.spread == pytest.approx(statistics.stdev(accuracies))
    assert (seen.count, seen.devices, seen.numbers) == (3, "CPU", (seen.value, seen.spread))


def test_evidence_names_the_runs_that_it_was_computed_from(checkout):
    for name in ("one", "two", "three"):
        for seed in range(5):
            checkout.record(f"study-new/{name}", 0.9 + seed / 1_000, seed=seed)
    seconds = found(checkout, mean, "study-new/one", "seconds")
    assert (seconds.measure, [run["seed"] for run in seconds.runs]) == ("seconds", [0, 1, 2, 3, 4])
    order = found(checkout, higher, "study-new/one", "study-new/two", "study-new/three")
    assert {run["name"] for run in order.runs} == {"one", "two", "three"}


def test_test_images_and_all_profiles_are_meant_unless_others_are_asked_for(checkout):
    checkout.record("study-new/net", 0.98, profile="cpu")
    checkout.record("study-new/net", 0.99, profile="full", device="H100")
    checkout.record("study-new/net", 0.97, split="validation", seed=1)
    full, both = measured(checkout, "accuracy", profile="full"), measured(checkout, "accuracy")
    assert (full.value, full.devices) == (0.99, "H100")
    assert (both.value, both.devices) == (pytest.approx(0.985), "CPU, H100")
    assert measured(checkout, "accuracy", split="validation").value == 0.97
    assert measured(checkout, "accuracy", split=None).count == 3


EPOCHS = (
    {"train_loss": 0.6, "train_accuracy": 0.90, "val_loss": 0.4, "val_accuracy": 0.94},
    {"train_loss": 0.2, "train_accuracy": 0.97, "val_loss": 0.3, "val_accuracy": 0.96},
    {"train_loss": 0.1, "train_accuracy": 0.99, "val_loss": 0.5, "val_accuracy": 0.95},
)


@pytest.mark.parametrize(
    ("measure", "more", "value"),
    [
        ("train_loss", {"epoch": 1}, 0.6),
        ("train_loss", {"epoch": -1}, 0.1),
        ("val_accuracy", {"epoch": -2}, 0.96),
        ("gap", {"epoch": 1}, -0.04),
        ("loss_gap", {"epoch": 1}, 0.2),
        ("val_fluctuation", {}, 0.01),
        ("seconds", {}, 90.0),
        ("seconds", {"per": "epoch"}, 30.0),
        ("learning_rate", {}, 0.25),
        ("learning_rate", {"epoch": 2}, 0.001),
    ],
)
def test_what_can_be_asked_of_a_record(checkout, measure, more, value):
    each = [one | {"learning_rate": 0.001} for one in EPOCHS]
    checkout.record("study-new/net", epochs=each, seconds=90.0, learning_rate=0.25)
    assert measured(checkout, measure, **more).value == pytest.approx(value)


@pytest.mark.parametrize(
    ("measure", "more", "said"),
    [
        ("brilliance", {}, "no number 'brilliance': see course_lib/records/schema.json"),
        ("train_loss", {}, "no number 'train_loss'"),
        ("train_loss", {"epoch": 4}, "'net' has no epoch 4, it has 3"),
        ("train_loss", {"epoch": 0}, "'net' has no epoch 0, it has 3"),
        ("gap", {"epoch": 3}, "no number 'gap'"),
        ("val_fluctuation", {}, "no number 'val_fluctuation'"),
    ],
)
def test_what_no_record_can_say(checkout, measure, more, said):
    without_validation = {"val_loss": None, "val_accuracy": None}
    checkout.record("study-new/net", epochs=[*EPOCHS[:2], EPOCHS[2] | without_validation])
    with pytest.raises(CourseError, match=said) as caught:
        measured(checkout, measure, **more)
    assert not isinstance(caught.value, NoEvidence)


@pytest.mark.parametrize(
    ("of", "more", "said"),
    [
        ("study-none/net", {}, "there is no results/study-none.jsonl: call `course study none --publish`."),
        ("02-none/net", {}, "there is no results/02-none.jsonl: run and publish 02-none."),
        ("study-small/ne", {}, "no run 'ne' judged on test images: call `course study small --publish`."),
        ("study-small/net", {"split": "validation"}, "no run 'net' judged on validation images: "),
        ("study-small/net", {"profile": "full"}, "no run 'net' judged on test images in profile full: "),
        ("01-small/net", {}, "no run 'net' judged on test images: run and publish 01-small."),
    ],
)
def test_what_was_not_recorded_is_told_with_its_mend(checkout, of, more, said):
    with pytest.raises(NoEvidence) as caught:
        found(checkout, mean, of, **more)
    assert str(caught.value).startswith("A.8, so: ") and said in str(caught.value)


def test_two_records_of_one_recipe_and_seed_must_agree(checkout):
    checkout.record("study-new/net", 0.9800)
    checkout.record("study-new/net", 0.9848)
    assert measured(checkout, "accuracy").count == 1, "a run that was made twice counts once"
    checkout.record("study-new/net", 0.9852)
    with pytest.raises(CourseError, match=r"one recipe and seed of 'net' that disagree: 98\.00% and 98\.52%"):
        measured(checkout, "accuracy")


@pytest.mark.parametrize("other", [{"seed": 1}, {"profile": "full"}, {"learning_rate": 0.5}])
def test_other_seeds_machines_and_recipes_may_differ(checkout, other):
    checkout.record("study-new/net", 0.98)
    checkout.record("study-new/net", 0.60, **other)
    assert measured(checkout, "accuracy").value == pytest.approx(0.79)


def runs(checkout, name, *accuracies):
    for seed, accuracy in enumerate(accuracies):
        checkout.record(f"study-new/{name}", accuracy, seed=seed)
    return f"study-new/{name}"


@pytest.mark.parametrize(
    ("first", "second", "holds"),
    [
        ((0.90, 0.92, 0.94, 0.92, 0.92), (0.88, 0.90, 0.921, 0.90, 0.90), True),  # seed by seed, far apart
        (
            (0.90, 0.92, 0.94, 0.92, 0.92),
            (0.921, 0.90, 0.88, 0.90, 0.90),
            "undecided",
        ),  # the same values, paired otherwise
        ((0.91,) * 5, (0.90,) * 5, True),
        ((0.90,) * 5, (0.91,) * 5, False),
        ((0.91,) * 5, (0.91,) * 5, "undecided"),
        ((0.91,) * 4, (0.90,) * 4, "undecided"),
        ((0.91,) * 5, (0.90,) * 4, "undecided"),
    ],
)
def test_a_mean_lies_above_another_where_the_interval_of_five_pairs_does(checkout, first, second, holds):
    one, other = runs(checkout, "one", *first), runs(checkout, "other", *second)
    assert found(checkout, higher, one, other).value == holds


def test_what_is_undecided_has_the_difference_with_its_interval(checkout):
    one, other = runs(checkout, "one", 0.90, 0.92, 0.94), runs(checkout, "other", 0.89, 0.90, 0.91)
    assert found(checkout, higher, one, other).note == "+2.0 ± 2.5 points in 3 seeds"
    assert found(checkout, higher, one, other, measure="seconds").note == "+0.00 ± 0.00 s in 3 seeds"


@pytest.mark.parametrize("kind", ["precision", "processor"])
def test_runs_of_two_machines_or_precisions_are_not_compared(checkout, kind):
    one, other = runs(checkout, "one", 0.9, 0.9), "study-new/other"
    for seed in (0, 1):
        settings = {"precision": "float16"} if kind == "precision" else {"processor": "Another"}
        checkout.record(other, 0.8, seed=seed, **settings)
    with pytest.raises(CourseError, match=f"more than one {kind}"):
        found(checkout, difference, one, other)
    assert found(checkout, difference, one, other, mixed=kind).value == pytest.approx(0.1)


def test_a_difference_has_the_half_width_of_its_interval(checkout):
    one, other = runs(checkout, "one", 0.90, 0.92, 0.94), runs(checkout, "other", 0.89, 0.90, 0.91)
    seen = found(checkout, difference, one, other)
    assert seen.value == pytest.approx(0.02) and seen.count == 3
    assert seen.spread == pytest.approx(stats.t.ppf(0.975, 2) * 0.01 / math.sqrt(3))  # of 0.01, 0.02, 0.03


def test_one_lies_above_all_others_or_it_does_not_hold(checkout):
    high, low, middle = (runs(checkout, *one) for one in (("a", *[0.9] * 5), ("b", *[0.8] * 5), ("c", *[0.85] * 5)))
    assert found(checkout, higher, high, low, middle).value is True
    assert found(checkout, higher, middle, low, high).value is False


@pytest.mark.parametrize("second", [(0.8,), (0.8, 0.81)])
def test_one_seed_supports_no_comparison(checkout, second):
    one, other = runs(checkout, "one", 0.9), runs(checkout, "other", *second)
    with pytest.raises(CourseError, match="has one seed: that supports no comparison"):
        found(checkout, difference, one, other)
    order = found(checkout, higher, one, other)
    assert order.value == "undecided" and order.note.startswith("90.00 % in 1 and 80.")


@pytest.mark.parametrize(("within", "holds"), [(0.012, True), (0.008, False)])
def test_two_means_are_level_within_a_distance(checkout, within, holds):
    one, other = runs(checkout, "one", 0.90, 0.92), runs(checkout, "other", 0.89, 0.91)
    for between in ([one, other], [other, one]):
        assert found(checkout, level, *between, within=within).value is holds


def test_the_record_of_one_seed(checkout):
    seen = look_up(checkout.project, Fact("A.8", "so", lambda: record("study-small/net", seed=1)["final"]["accuracy"]))
    assert seen.value == 0.9850
