import math
import statistics

import nbformat
import pytest

from course_lib.errors import CourseError
from course_tools.claims.evidence import NoEvidence, calculate, look_up, mean
from course_tools.claims.ledger import Fact


def found(checkout, proof, **query):
    return look_up(checkout.project, Fact("A.8", "so", proof=proof, query=query))


def measured(checkout, measure, of="study-new/net", **more):
    return mean(checkout.project, of, {"measure": measure, **more})


def test_mean_and_spread_over_the_seeds(checkout):
    accuracies = [0.981, 0.985, 0.992]
    for seed, accuracy in enumerate(accuracies):
        checkout.record("study-new/net", accuracy, seed=seed)
    checkout.record("study-new/net, wider", 0.5)
    seen = measured(checkout, "accuracy")
    assert seen.value == pytest.approx(statistics.mean(accuracies))
    assert seen.spread == pytest.approx(statistics.stdev(accuracies))
    assert (seen.count, seen.devices, seen.numbers) == (3, "CPU", (seen.value, seen.spread))


def test_test_images_and_all_profiles_are_meant_unless_others_are_asked_for(checkout):
    checkout.record("study-new/net", 0.98, profile="cpu")
    checkout.record("study-new/net", 0.99, profile="full", device="H100")
    checkout.record("study-new/net", 0.97, split="validation")
    full, both = measured(checkout, "accuracy", profile="full"), measured(checkout, "accuracy")
    assert (full.value, full.devices) == (0.99, "H100")
    assert (both.value, both.devices) == (pytest.approx(0.985), "CPU, H100")
    assert measured(checkout, "accuracy", split="validation").value == 0.97


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
        found(checkout, "records", of=of, measure="accuracy", **more)
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
        ((0.90, 0.92, 0.94), (0.88, 0.90, 0.921), True),  # as pairs 0.02, 0.02, 0.019: far apart, seed by seed
        ((0.90, 0.92, 0.94), (0.921, 0.88, 0.90), False),  # the same values, paired otherwise
        ((0.90, 0.92), (0.86, 0.87), False),  # 0.045 apart, in two pairs of 0.04 and 0.05: the factor is 12.7
        ((0.91, 0.91), (0.90, 0.90), True),
        ((0.91, 0.91), (0.91, 0.91), False),
    ],
)
def test_a_mean_lies_above_another_where_the_interval_of_the_pairs_does(checkout, first, second, holds):
    one, other = runs(checkout, "one", *first), runs(checkout, "other", *second)
    assert found(checkout, "order", measure="accuracy", higher=one, than=[other]).value is holds


def test_a_difference_has_the_half_width_of_its_interval(checkout):
    one, other = runs(checkout, "one", 0.90, 0.92, 0.94), runs(checkout, "other", 0.89, 0.90, 0.91)
    seen = found(checkout, "difference", measure="accuracy", of=one, minus=other)
    assert seen.value == pytest.approx(0.02) and seen.count == 3
    assert seen.spread == pytest.approx(4.303 * 0.01 / math.sqrt(3))  # of 0.01, 0.02, 0.03


def test_one_lies_above_all_others_or_it_does_not_hold(checkout):
    high, low, middle = (runs(checkout, *one) for one in (("a", 0.9, 0.9), ("b", 0.8, 0.8), ("c", 0.85, 0.85)))
    assert found(checkout, "order", measure="accuracy", higher=high, than=[low, middle]).value is True
    assert found(checkout, "order", measure="accuracy", higher=middle, than=[low, high]).value is False


@pytest.mark.parametrize("second", [(0.8,), (0.8, 0.81)])
def test_one_seed_supports_no_comparison(checkout, second):
    one, other = runs(checkout, "one", 0.9), runs(checkout, "other", *second)
    with pytest.raises(CourseError, match="has one seed: that supports no comparison"):
        found(checkout, "order", measure="accuracy", higher=one, than=[other])


@pytest.mark.parametrize(("within", "holds"), [(0.012, True), (0.008, False)])
def test_two_means_are_level_within_a_distance(checkout, within, holds):
    one, other = runs(checkout, "one", 0.90, 0.92), runs(checkout, "other", 0.89, 0.91)
    for between in ([one, other], [other, one]):
        assert found(checkout, "level", measure="accuracy", between=between, within=within).value is holds


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("x = 2\nx / 4", 0.5),
        ("'in blocks ' + str(3)", "in blocks 3"),
        ("math.log(10) > 2", True),
        ("analysis.count_parameters(nn.Linear(10, 5))", 55),
        ("torch.tensor([2, 3], device='cpu').sum()", 5),
    ],
)
def test_a_calculation_knows_the_library_and_its_last_expression_is_its_value(code, value):
    assert calculate(code).value == value
    assert type(calculate(code).value) is type(value)


def test_what_a_calculation_prints_is_kept(capsys):
    done = calculate("print('two and two:')\nfor one in (2, 2): print(one)\n4")
    assert (done.value, done.printed) == (4, "two and two:\n2\n2\n")
    assert capsys.readouterr().out == ""


def test_calculations_do_not_see_each_other():
    calculate("left_behind = 3\nleft_behind")
    with pytest.raises(CourseError, match="NameError: name 'left_behind' is not defined"):
        calculate("left_behind + 1")


def test_networks_cost_nothing_unless_numbers_are_asked_for():
    assert calculate("models.vgg16().classifier[0].weight.is_meta").value is True
    assert calculate("torch.zeros(2).is_meta").value is True
    assert calculate("torch.zeros(2).is_meta", needs_numbers=True).value is False


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("1 / 0", "its calculation raised ZeroDivisionError: division by zero"),
        ("assert 1 == 2, 'one is not two'\n3", "its calculation raised AssertionError: one is not two"),
        ("1 +", "its calculation raised SyntaxError"),
        ("", "its calculation raised IndexError"),
        ("x = 3", "its calculation must end with an expression"),
        ("[1, 2]", "its calculation ends with a list, it has to be a number or a word"),
        ("torch.zeros(1)", "its calculation raised RuntimeError"),
    ],
)
def test_a_calculation_that_fails_says_so_in_one_line(code, said):
    with pytest.raises(CourseError) as caught:
        calculate(code)
    assert said in str(caught.value) and "\n" not in str(caught.value)


def test_a_figure_is_shown_by_a_cell_that_calls_its_function(checkout):
    assert found(checkout, "figures", **{"01-small": ["plots.picture"]}).value is True
    with pytest.raises(NoEvidence, match=r"01-small shows no figure of plots\.other, pict\."):
        found(checkout, "figures", **{"01-small": ["plots.picture", "plots.other", "pict"]})


@pytest.mark.parametrize(("measure", "value"), [("seconds", 780.0), ("memory", 392e6)])
def test_what_a_chapters_run_took(checkout, measure, value):
    assert found(checkout, "run", chapter="01-small", profile="cpu", measure=measure).value == value


def printing(checkout, *texts):
    """The chapter's published notebook, which printed these texts."""
    file = checkout.source.with_suffix(".ipynb")
    notebook = nbformat.read(file, as_version=4)
    cell = next(cell for cell in notebook.cells if cell.cell_type == "code")
    cell.outputs = [nbformat.v4.new_output("stream", text=text) for text in texts]
    nbformat.write(notebook, file)


PRINTED = {"chapter": "01-small", "behind": "by heart: ", "profiles": ["cpu", "full"]}


def test_what_a_chapter_printed(checkout):
    printing(checkout, "all in all 7\n", "of 60,000, learned by heart: 19.3 %\nand 4 more\n")
    assert found(checkout, "printed", **PRINTED).value == pytest.approx(0.193)


@pytest.mark.parametrize(
    ("texts", "query", "said"),
    [
        (["by head: 3"], {}, "01-small prints nothing behind 'by heart: '"),
        (["by heart: 3", "by heart: 4"], {}, "01-small prints different numbers behind"),
        (["by heart: none"], {}, "01-small prints no number behind 'by heart: '"),
        (["by heart: 3"], {"profiles": ["full"]}, "01-small is not published from a full run"),
    ],
)
def test_what_a_chapter_did_not_print(checkout, texts, query, said):
    printing(checkout, *texts)
    with pytest.raises(NoEvidence, match=said):
        found(checkout, "printed", **PRINTED | query)


def test_a_chapter_that_is_not_there_is_no_evidence(checkout):
    with pytest.raises(NoEvidence, match="there is no chapter 07-none"):
        found(checkout, "run", chapter="07-none", profile="cpu", measure="seconds")
