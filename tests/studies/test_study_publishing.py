"""A study's records reach results/ all together or not at all, and never for less than what lies there."""

import json
from collections import Counter
from dataclasses import replace

import pytest

from course_lib import records
from course_lib.errors import CourseError
from course_lib.records import lines
from course_tools.publishing import fingerprints
from course_tools.publishing.publish import check_records
from course_tools.studies import plan as plans
from course_tools.studies.local import folder_of
from course_tools.studies.plan import names
from course_tools.studies.publish import publish, state

STUDY = "vgg-vs-resnet"
SMALL = ("modified VGG", "modified ResNet")
LARGE = ("VGG-16", "VGG-16 with batch norm", "ResNet-34")
pytestmark = pytest.mark.usefixtures("fingerprinted")


def plan(size, *wanted, study=STUDY, seeds=2):
    return [run for run in plans.plan(study, size, seeds) if not wanted or run.name in wanted]


def published(project, study=STUDY):
    """(name, seed, profile, accuracy) of each line."""
    file = project.results / f"study-{study}.jsonl"
    return [(one["name"], one["seed"], one["profile"], one["final"]["accuracy"]) for one in records.read(file)]


def everything(project):
    return {file: file.read_bytes() for file in project.results.rglob("*") if file.is_file()}


@pytest.fixture
def on_cpu(project, run_before):
    """The two small networks ran on a CPU, and are published."""
    run_before(STUDY, "cpu", plan("cpu"), accuracy=0.25)
    publish(project, STUDY, "cpu", plan("cpu"))
    return project


def test_finished_runs_are_published_a_line_each(project, run_before, fingerprinted):
    planned = plan("cpu")
    run_before(STUDY, "cpu", planned)
    target, count, waiting = publish(project, STUDY, "cpu", planned)
    assert (target, count, waiting) == (project.results / "study-vgg-vs-resnet.jsonl", 4, [])
    check_records(target, "cpu", "study-vgg-vs-resnet")
    made = "".join((folder_of(project, STUDY, "cpu") / f"{one.key}.jsonl").read_text() for one in planned)
    assert sorted(target.read_text().splitlines()) == sorted(made.splitlines()), "each byte as the worker wrote it"
    assert set(everything(project)) == {target, fingerprints.published_file(project, target.stem)}
    assert fingerprints.read(fingerprints.published_file(project, target.stem)) == fingerprinted


def test_a_name_is_published_once_all_of_its_seeds_are_there(on_cpu, run_before):
    planned = plan("cpu", seeds=4)
    run_before(STUDY, "cpu", planned[:6] + planned[7:], accuracy=0.75)
    assert planned[6].name == "modified VGG"
    _, count, waiting = publish(on_cpu, STUDY, "cpu", planned)
    assert (count, waiting) == (4, ["modified VGG"])
    rows = [("modified VGG", seed, "cpu", 0.25) for seed in range(2)]
    assert published(on_cpu) == rows + [("modified ResNet", seed, "cpu", 0.75) for seed in range(4)]


def test_nothing_is_written_where_every_name_waits_for_a_seed(on_cpu, run_before):
    before, planned = everything(on_cpu), plan("cpu", seeds=4)
    run_before(STUDY, "cpu", planned[:6], accuracy=0.75)
    with pytest.raises(CourseError, match=r"^No name of vgg-vs-resnet has all of its seeds yet, such as modified VGG"):
        publish(on_cpu, STUDY, "cpu", planned)
    assert everything(on_cpu) == before


def test_a_record_that_is_not_valid_stops_everything(on_cpu, pretended):
    before, run = everything(on_cpu), plan("cpu")[2]
    file = folder_of(on_cpu, STUDY, "cpu") / f"{run.key}.jsonl"
    file.unlink()
    pretended(file, STUDY, "cpu", run, profile="full")
    with pytest.raises(CourseError, match=rf"^{run.key}\.jsonl, line 1 is of a full run, not of cpu"):
        publish(on_cpu, STUDY, "cpu", plan("cpu"))
    assert everything(on_cpu) == before


def test_runs_of_one_name_are_replaced_together_and_other_names_stay(on_cpu, run_before):
    """Two seeds of one network give way to one; the other network's lines do not change by a byte."""
    target = on_cpu.results / f"study-{STUDY}.jsonl"
    before = target.read_text().splitlines()
    again = plan("cpu", "modified VGG", seeds=1)
    run_before(STUDY, "cpu", again, accuracy=0.75)
    publish(on_cpu, STUDY, "cpu", again)
    assert published(on_cpu) == [
        ("modified VGG", 0, "cpu", 0.75),
        ("modified ResNet", 0, "cpu", 0.25),
        ("modified ResNet", 1, "cpu", 0.25),
    ]
    assert target.read_text().splitlines()[1:] == before[2:]


def test_a_gpu_adds_the_large_networks_to_what_two_cores_have_run(on_cpu, run_before):
    large = plan("full", *LARGE)
    run_before(STUDY, "full", large)
    publish(on_cpu, STUDY, "full", large)
    profiles = {name: profile for name, _, profile, _ in published(on_cpu)}
    assert profiles == dict.fromkeys(SMALL, "cpu") | dict.fromkeys(LARGE, "full")


def test_lines_stand_in_the_order_of_the_plan_and_of_the_seeds(project, run_before):
    for wanted in (("ResNet-34",), ("modified ResNet",), ("modified VGG, enlarged", "modified VGG")):
        planned = plan("full", *wanted, seeds=12)[::-1]
        run_before(STUDY, "full", planned)
        publish(project, STUDY, "full", planned)
    seeds = {"modified VGG": 12, "modified ResNet": 12, "modified VGG, enlarged": 3, "ResNet-34": 3}
    assert [one[:2] for one in published(project)] == [(name, seed) for name in seeds for seed in range(seeds[name])]


@pytest.fixture
def on_gpu(on_cpu, run_before):
    """One of the two small networks was published again, from a GPU."""
    better = plan("full", "modified ResNet")
    run_before(STUDY, "full", better, accuracy=0.75)
    publish(on_cpu, STUDY, "full", better)
    return on_cpu


def test_a_lesser_run_does_not_replace_a_better_one_unasked(on_gpu):
    before = everything(on_gpu)
    with pytest.raises(CourseError) as caught:
        publish(on_gpu, STUDY, "cpu", plan("cpu"))
    assert str(caught.value) == (
        "vgg-vs-resnet: modified ResNet is published from a full run, which is worth more than cpu: "
        "use --replace-better if you mean it."
    )
    assert everything(on_gpu) == before
    publish(on_gpu, STUDY, "cpu", plan("cpu", "modified VGG"))  # nothing better lies there
    publish(on_gpu, STUDY, "cpu", plan("cpu"), replace_better=True)
    assert {profile for _, _, profile, _ in published(on_gpu)} == {"cpu"} and len(published(on_gpu)) == 4


# ---- what is said about it


def test_the_state_of_a_study_in_a_few_words(on_gpu, pretended):
    assert state(on_gpu, "mnist-six") == "nothing published"
    assert state(on_gpu, STUDY) == "4 runs of 2 networks, cpu, full; fresh"
    target = on_gpu.results / f"study-{STUDY}.jsonl"
    old = plan("cpu")[0]
    pretended(target, STUDY, "cpu", replace(old, recipe=old.recipe | {"epochs": 9}))
    pretended(target, STUDY, "cpu", replace(old, name="Another"))
    assert state(on_gpu, STUDY) == "6 runs of 3 networks, cpu, full; stale: Another, modified VGG"


# ---- what is published today


def test_published_records_are_valid_canonical_planned_and_of_enough_seeds():
    files = sorted(lines.results_folder().glob("study-*.jsonl"))
    assert {file.stem.removeprefix("study-") for file in files} <= set(names())
    for file in files:
        study = file.stem.removeprefix("study-")
        check_records(file, chapter=file.stem)
        for line in file.read_text(encoding="utf-8").splitlines():  # canonical, so that git shows only what changed
            assert line == json.dumps(json.loads(line), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        published = records.read(file)
        planned = {(size, run.key) for size in ("cpu", "full") for run in plans.plan(study, size, 40)}
        for record in published:
            assert (record["profile"], record["study_key"]) in planned, f"{file.name}: {record['name']}"
            assert record["recipe"]["data"].endswith(" (full)"), f"{file.name}: {record['name']}"
        assert len({(record["name"], record["seed"]) for record in published}) == len(published), file.name
        for name, count in Counter(record["name"] for record in published).items():
            wanted = [Counter(run.name for run in plans.plan(study, size))[name] for size in ("cpu", "full")]
            assert count >= min(3, *(number for number in wanted if number)), f"{file.name}: {name}"
