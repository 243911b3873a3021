"""The published weights, and ``records.weights``, with which a reader loads them."""

import re
from pathlib import Path

import pytest
import safetensors.torch
import torch

from course_lib import models, records, training
from course_lib.errors import CourseError
from course_lib.records.weights import checksums, read_weights, runs_with_weights, weights_file
from course_tools.publishing.project import Project
from course_tools.verification.reruns import planned_run
from course_tools.verification.verify import verify

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "results"
PUBLISHED = runs_with_weights(RESULTS)


def test_a_reader_loads_weights_into_the_network(digits):
    network = models.lenet5()
    weights = records.weights("study-lenet-fair/LeNet-5, modern")
    assert {tensor.dtype for tensor in weights.values()} == {torch.float32}
    network.load_state_dict(weights)
    assert training.evaluate(network, digits.val).accuracy > 0.98


# The second is a file's name.
@pytest.mark.parametrize("run", ["03-alexnet/AlexNet, small", "study-lenet-fair/lenet-5-modern"])
def test_runs_without_weights_are_refused_with_those_that_have_some(run):
    with pytest.raises(CourseError, match=rf"^No weights of '{run}' are kept\. Runs with weights: .*LeNet-5, mod"):
        records.weights(run)


def test_the_table_of_checksums_is_that_of_the_folder():
    files = {weights_file(run, RESULTS) for run in PUBLISHED}
    assert len(files) == len(PUBLISHED) >= 3
    assert {file.name for file in files} == set(checksums(RESULTS))
    assert {file.name for file in (RESULTS / "weights").iterdir()} == {"SHA256SUMS", *checksums(RESULTS)}
    assert sum(file.stat().st_size for file in files) < 3_000_000


@pytest.mark.parametrize("run", PUBLISHED)
def test_published_weights_are_the_first_seed_s_and_fit_its_network(run, digits):
    kept = read_weights(run, RESULTS)
    same = [
        one for one in records.read(RESULTS / f"{run.partition('/')[0]}.jsonl") if one["name"] == kept.record["name"]
    ]
    assert kept.record["seed"] == min(one["seed"] for one in same) and len(same) >= 5
    assert kept.file.stat().st_size <= 1_200_000
    kinds = {tensor.dtype for tensor in safetensors.torch.load_file(kept.file).values()}
    assert torch.float16 in kinds and kinds <= {torch.float16, torch.int64}
    planned = planned_run(kept.record)
    network = planned.network()
    network.load_state_dict(kept.tensors)
    assert training.evaluate(network, planned._scaled(digits.open_test())).accuracy > 0.97


@pytest.mark.nightly
@pytest.mark.parametrize("run", PUBLISHED)
def test_published_weights_agree_with_their_records_on_all_test_images(run):
    assert [line.split()[0] for line in verify(Project(ROOT), run)][-1] == "opened"


PAGE = (ROOT / "book" / "how-to-use.md").read_text(encoding="utf-8")
# What the page prints for a name; a second example of the same name has a record that was changed.
EXAMPLES = dict(reversed(re.findall(r"\$ course verify (\S+)\n(.*?)```", PAGE, re.DOTALL)))


def printed(name: str, whole: bool = False) -> str:
    """What the command prints: without ``whole`` up to the line for which it needs all test images."""
    text = ""
    try:
        for line in verify(Project(ROOT), name):
            text += f"{line}\n"
            if line.startswith("weights") and not whole:
                break
    except CourseError as error:
        text += f"course: {error}\n"
    return text


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_page_shows_what_the_command_prints(name):
    assert EXAMPLES[name].startswith(printed(name))


@pytest.mark.nightly
@pytest.mark.parametrize("name", EXAMPLES)
def test_the_page_shows_all_that_the_command_prints(name):
    assert EXAMPLES[name] == printed(name, whole=True)
