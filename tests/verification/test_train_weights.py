"""``course verify NAME --train``: weights come from the committed code, and only those of the record's run are kept."""

import json
from pathlib import Path

import pytest
import torch
from torch import nn

from course_lib import analysis, records, training
from course_lib.errors import CourseError
from course_lib.training.history import describe_optimizer, name_of
from course_tools import cli
from course_tools.verification import reruns, train
from course_tools.verification.reruns import NETWORKS, planned_run

RESULTS = Path(__file__).parents[2] / "results"
RUN = "study-lenet-fair/LeNet-5, modern"


@pytest.fixture
def no_training(monkeypatch):
    def fit(*words, **options):
        raise AssertionError("it was refused too late")

    monkeypatch.setattr(training, "fit", fit)


def kept(checkout) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in checkout.weights.parent.iterdir()}


def refusal(checkout, name=RUN) -> str:
    """The error of a training that is refused and leaves everything as it was."""
    before = kept(checkout)
    with pytest.raises(CourseError) as error:
        list(train.train(checkout.project, name))
    assert kept(checkout) == before
    return str(error.value)


def test_training_again_gives_the_same_file(checkout, capsys):
    before = kept(checkout)
    for file in checkout.weights.parent.iterdir():
        file.unlink()
    assert cli.main(["verify", "small-lenet", "--train"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert kept(checkout) == before
    assert [line.split()[0] for line in lines][:5] == ["training", "trained", "rounded", "kept", "number"]
    assert lines[1].split("; ")[1].startswith("at least 0 answers differ"), "the same machine, the same threads"


def test_keeps_the_weights_of_other_runs(checkout):
    other = checkout.weights.with_name("other.safetensors")
    table = checkout.weights.with_name("SHA256SUMS")
    table.write_text(f"{'0' * 64}  {other.name}\n{table.read_text()}")
    before = table.read_text()
    list(train.train(checkout.project, RUN))
    assert sorted(table.read_text().splitlines()) == sorted(before.splitlines())


def test_refuses_a_network_that_answers_otherwise_than_the_record(checkout):
    matrix = [row[:] for row in checkout.record["confusion"]]
    matrix[3][3], matrix[3][5] = matrix[3][3] - 6, matrix[3][5] + 6
    checkout.change(confusion=matrix)
    assert refusal(checkout).startswith(f"{RUN}: at least 6 answers differ from the record's, and up to 5 may")


def test_refuses_another_recipe_than_the_record_s(checkout):
    checkout.change(recipe=checkout.record["recipe"] | {"learning_rate": 0.123})
    assert "did not train by the recipe of its record, learning_rate changed" in refusal(checkout)


@pytest.mark.usefixtures("no_training")
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"study_key": "0" * 12}, "is no plain run of today's plan of lenet-fair"),
        ({"recipe": {"parameters": 600_001}}, "would take 1.2 MB, and 1.2 MB are kept of a network"),
        ({"recipe": {"precision": "float16"}}, "is not built for float16"),
    ],
)
def test_refuses_before_it_trains(checkout, changes, said):
    checkout.change(**{key: checkout.record[key] | new if key == "recipe" else new for key, new in changes.items()})
    assert said in refusal(checkout)


@pytest.mark.usefixtures("no_training")
def test_a_chapter_s_run_needs_its_network_and_a_plain_recipe(checkout, monkeypatch):
    record = {key: value for key, value in checkout.record.items() if key != "study_key"} | {"chapter": "02-lenet"}
    records.append(checkout.project.results / "02-lenet.jsonl", record)
    records.append(
        checkout.project.results / "02-lenet.jsonl",
        record | {"name": "other", "recipe": record["recipe"] | {"images": "pixels shuffled"}},
    )
    assert "'02-lenet/other' cannot be opened" in refusal(checkout, "02-lenet/other")
    monkeypatch.setitem(NETWORKS, "02-lenet/other", NETWORKS["02-lenet/LeNet-5, modern"])
    assert "'02-lenet/other' cannot be opened" in refusal(checkout, "02-lenet/other"), "its pixels were shuffled"


@pytest.mark.parametrize("of", NETWORKS)
def test_a_chapter_s_run_is_planned_as_its_record_says(of):
    file, _, name = of.partition("/")
    record = next(run for run in records.read(RESULTS / f"{file}.jsonl") if run["name"] == name)
    run, recipe = planned_run(record), record["recipe"]
    network = run.network()
    assert (type(network).__name__, analysis.count_parameters(network)) == (recipe["model"], recipe["parameters"])
    optimizer = run.recipe["optimizer"](network.parameters(), lr=1.0)
    assert describe_optimizer(optimizer) == recipe["optimizer"]
    assert name_of(run.recipe["schedule"]) == recipe["schedule"]
    assert (run.data, run.sample, run.seed) == ("mnist", False, record["seed"])
    told = ("epochs", "batch_size", "learning_rate", "precision")
    assert {key: run.recipe[key] for key in told} == {key: recipe[key] for key in told}
    assert run.recipe["threads"] == record["machine"]["threads"]


def test_a_recipe_that_is_over_learns_from_validation_images_too(checkout, digits):
    run = planned_run(checkout.record)
    few, count = checkout.record, len(digits.train) + len(digits.val)
    assert len(reruns.images_of(few, run).train) == len(digits.train)
    whole = few | {"recipe": few["recipe"] | {"train": count}}
    assert len(reruns.images_of(whole, run).train) == count


def test_rounding_keeps_whole_numbers(checkout):
    network = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3))
    assert {key: tensor.dtype for key, tensor in train._rounded(network.state_dict()).items()} == {
        key: torch.int64 if key.endswith("num_batches_tracked") else torch.float16 for key in network.state_dict()
    }


def test_metadata_say_whose_weights_they_are(checkout):
    import safetensors

    with safetensors.safe_open(checkout.weights, "pt") as opened:
        facts = json.loads(opened.metadata()["run"])
    assert facts == {"run": RUN, "seed": 0, "record": checkout.record["sha256"], "network": "lenet5"}
