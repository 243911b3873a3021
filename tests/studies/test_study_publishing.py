"""A study's records reach results/ all together or not at all, and never for less than what lies there."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from course_lib import records
from course_lib.errors import CourseError
from course_lib.records import lines
from course_tools import studies
from course_tools.publishing import fingerprints
from course_tools.publishing import promoting as chapters
from course_tools.studies import promoting, running

STUDY = "vgg-vs-resnet"
SMALL = ("modified VGG", "modified ResNet")
LARGE = ("VGG-16", "VGG-16 with batch norm", "ResNet-34")
pytestmark = pytest.mark.usefixtures("fingerprinted")


def plan(size, *names, study=STUDY, seeds=2):
    return [one for one in studies.plan(study, size, seeds) if not names or one.name in names]


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
    promoting.publish(project, STUDY, "cpu", plan("cpu"))
    return project


def test_finished_runs_are_published_a_line_each(project, run_before):
    planned = plan("cpu")
    run_before(STUDY, "cpu", planned)
    target, count = promoting.publish(project, STUDY, "cpu", planned)
    assert (target, count) == (project.results / "study-vgg-vs-resnet.jsonl", 4)
    chapters.check_records(target, "cpu", "study-vgg-vs-resnet")
    made = "".join((running.folder_of(project, STUDY, "cpu") / f"{one.key}.jsonl").read_text() for one in planned)
    assert sorted(target.read_text().splitlines()) == sorted(made.splitlines()), "each byte as the worker wrote it"
    assert set(everything(project)) == {target, fingerprints.published_file(project, target.stem)}


def test_what_the_library_computed_is_published_with_them(project, run_before, fingerprinted):
    run_before(STUDY, "cpu", plan("cpu"))
    promoting.publish(project, STUDY, "cpu", plan("cpu"))
    assert fingerprints.read(fingerprints.published_file(project, f"study-{STUDY}")) == fingerprinted


def test_a_quick_study_is_not_published(project, run_before):
    run_before(STUDY, "quick", plan("quick"))
    with pytest.raises(CourseError) as caught:
        promoting.publish(project, STUDY, "quick", plan("quick"))
    assert str(caught.value) == ("A quick study is not published: use --size cpu, or full on a machine with a GPU.")
    assert everything(project) == {}


@pytest.mark.parametrize("before", [False, True])
def test_missing_runs_are_counted_and_named_and_nothing_is_written(project, run_before, before):
    planned = plan("cpu", seeds=3)
    if before:
        run_before(STUDY, "cpu", planned[:2])
        promoting.publish(project, STUDY, "cpu", planned[:2])
    kept = everything(project)
    run_before(STUDY, "cpu", planned[:4], accuracy=0.75)
    with pytest.raises(CourseError) as caught:
        promoting.publish(project, STUDY, "cpu", planned)
    assert str(caught.value) == (
        "2 of 6 runs of vgg-vs-resnet are missing, such as modified VGG, seed 2: call "
        "`course study vgg-vs-resnet --size cpu` first."
    )
    assert everything(project) == kept and bool(kept) == before


def test_a_damaged_run_stops_everything(on_cpu):
    before = everything(on_cpu)
    file = running.folder_of(on_cpu, STUDY, "cpu") / f"{plan('cpu')[1].key}.jsonl"
    file.write_text("{")
    with pytest.raises(CourseError, match=f"{file.name}, the record of modified ResNet, seed 0, is damaged"):
        promoting.publish(on_cpu, STUDY, "cpu", plan("cpu"))
    assert everything(on_cpu) == before


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"chapter": "study-mnist-six"}, "is a record of study-mnist-six"),
        ({"profile": "full"}, "is of a full run, not of cpu"),
        ({"confusion": []}, "confusion: "),
        ({"more": 1}, "the record: "),
    ],
)
def test_a_record_that_is_not_valid_stops_everything(on_cpu, pretended, changes, said):
    before = everything(on_cpu)
    one = plan("cpu")[2]
    file = running.folder_of(on_cpu, STUDY, "cpu") / f"{one.key}.jsonl"
    file.unlink()
    pretended(file, STUDY, "cpu", one, **changes)
    with pytest.raises(CourseError, match=rf"^{one.key}\.jsonl, line 1.*{said}"):
        promoting.publish(on_cpu, STUDY, "cpu", plan("cpu"))
    assert everything(on_cpu) == before


def test_runs_of_one_name_are_replaced_together_and_other_names_stay(on_cpu, run_before):
    """Three seeds of one network give way to two; the other network's lines do not change by a byte."""
    three = plan("cpu", "modified VGG", seeds=3)
    run_before(STUDY, "cpu", three, accuracy=0.5)
    assert promoting.publish(on_cpu, STUDY, "cpu", three)[1] == 3
    assert [one[1:] for one in published(on_cpu) if one[0] == "modified VGG"] == [(s, "cpu", 0.5) for s in range(3)]
    other = [line for line in (on_cpu.results / f"study-{STUDY}.jsonl").read_text().splitlines() if "ResNet" in line]
    two = three[:2]
    run_before(STUDY, "cpu", two, accuracy=0.75)
    promoting.publish(on_cpu, STUDY, "cpu", two)
    assert published(on_cpu) == [
        ("modified VGG", 0, "cpu", 0.75),
        ("modified VGG", 1, "cpu", 0.75),
        ("modified ResNet", 0, "cpu", 0.25),
        ("modified ResNet", 1, "cpu", 0.25),
    ]
    after = (on_cpu.results / f"study-{STUDY}.jsonl").read_text().splitlines()
    assert [line for line in after if "ResNet" in line] == other and len(other) == 2


def test_a_gpu_adds_the_large_networks_to_what_two_cores_have_run(on_cpu, run_before):
    large = plan("full", *LARGE)
    run_before(STUDY, "full", large)
    promoting.publish(on_cpu, STUDY, "full", large)
    profiles = {name: profile for name, _, profile, _ in published(on_cpu)}
    assert profiles == dict.fromkeys(SMALL, "cpu") | dict.fromkeys(LARGE, "full")
    again = plan("cpu")
    run_before(STUDY, "cpu", again, accuracy=0.5)
    promoting.publish(on_cpu, STUDY, "cpu", again)
    assert {one[3] for one in published(on_cpu) if one[0] in SMALL} == {0.5}
    assert len(published(on_cpu)) == 2 * 5


def test_lines_stand_in_the_order_of_the_plan_and_of_the_seeds(project, run_before):
    for names in (("ResNet-34",), ("modified ResNet",), ("VGG-16", "modified VGG")):
        planned = plan("full", *names, seeds=12)[::-1]
        run_before(STUDY, "full", planned)
        promoting.publish(project, STUDY, "full", planned)
    order = ["modified VGG", "modified ResNet", "VGG-16", "ResNet-34"]
    assert [one[:2] for one in published(project)] == [(name, seed) for name in order for seed in range(12)]


def test_a_name_that_is_no_longer_planned_stands_at_the_end(on_cpu, pretended, run_before):
    """It is for whoever took it out of the plan to take it out of the results."""
    pretended(on_cpu.results / f"study-{STUDY}.jsonl", STUDY, "cpu", replace(plan("cpu")[0], name="A network of old"))
    run_before(STUDY, "cpu", plan("cpu"))
    promoting.publish(on_cpu, STUDY, "cpu", plan("cpu"))
    assert [one[0] for one in published(on_cpu)][-2:] == ["modified ResNet", "A network of old"]


@pytest.fixture
def on_gpu(on_cpu, run_before):
    """One of the two small networks was published again, from a GPU."""
    better = plan("full", "modified ResNet")
    run_before(STUDY, "full", better, accuracy=0.75)
    promoting.publish(on_cpu, STUDY, "full", better)
    return on_cpu


def test_a_better_run_replaces_a_lesser_one_unasked(on_gpu):
    assert {(name, profile) for name, _, profile, _ in published(on_gpu)} == {
        ("modified VGG", "cpu"),
        ("modified ResNet", "full"),
    }


def test_a_lesser_run_does_not_replace_a_better_one_unasked(on_gpu):
    before = everything(on_gpu)
    with pytest.raises(CourseError) as caught:
        promoting.publish(on_gpu, STUDY, "cpu", plan("cpu"))
    assert str(caught.value) == (
        "vgg-vs-resnet: modified ResNet is published from a full run, which is worth more than cpu: "
        "use --replace-better if you mean it."
    )
    assert everything(on_gpu) == before
    promoting.publish(on_gpu, STUDY, "cpu", plan("cpu", "modified VGG"))  # nothing better lies there
    promoting.publish(on_gpu, STUDY, "cpu", plan("cpu"), replace_better=True)
    assert {profile for _, _, profile, _ in published(on_gpu)} == {"cpu"} and len(published(on_gpu)) == 4


def test_a_full_run_replaces_a_full_one(on_gpu, run_before):
    better = plan("full", "modified ResNet")
    run_before(STUDY, "full", better, accuracy=1.0)
    promoting.publish(on_gpu, STUDY, "full", better)
    assert {one[3] for one in published(on_gpu) if one[0] == "modified ResNet"} == {1.0}


def test_published_lines_that_are_damaged_are_not_copied(on_cpu):
    target = on_cpu.results / f"study-{STUDY}.jsonl"
    target.write_text(target.read_text() + "{}\n")
    with pytest.raises(CourseError, match=r"^study-vgg-vs-resnet\.jsonl, line 5 is not a record"):
        promoting.publish(on_cpu, STUDY, "cpu", plan("cpu", "modified VGG"))
    assert target.read_text().endswith("{}\n")


def test_other_studies_and_chapters_are_left_alone(on_cpu, run_before):
    neighbour = on_cpu.results / "01-mlp.jsonl"
    neighbour.write_text("of the chapter\n")
    before = everything(on_cpu)
    planned = plan("cpu", "perceptron", study="mnist-six")
    run_before("mnist-six", "cpu", planned)
    promoting.publish(on_cpu, "mnist-six", "cpu", planned)
    after = everything(on_cpu)
    assert {file: after[file] for file in before} == before
    new = {file.name for file in after.keys() - before.keys()}
    assert new == {"study-mnist-six.jsonl", "study-mnist-six.json"}, "records, and their fingerprint"


# ---- what is said about it


def test_the_state_of_a_study_in_a_few_words(on_gpu, pretended):
    assert promoting.state(on_gpu, "mnist-six") == "nothing published"
    assert promoting.state(on_gpu, STUDY) == "4 runs of 2 networks, cpu, full; fresh"
    target = on_gpu.results / f"study-{STUDY}.jsonl"
    old = plan("cpu")[0]
    pretended(target, STUDY, "cpu", replace(old, recipe=old.recipe | {"epochs": 9}))
    pretended(target, STUDY, "cpu", replace(old, name="Another"))
    assert promoting.state(on_gpu, STUDY) == "6 runs of 3 networks, cpu, full; stale: Another, modified VGG"


def test_runs_that_only_the_plan_for_a_cpu_has_are_fresh(project, run_before):
    """On a fifth of the images: the plan for a GPU has none of these keys."""
    planned = plan("cpu", "augmented by rotation", study="cifar-augment")
    run_before("cifar-augment", "cpu", planned)
    promoting.publish(project, "cifar-augment", "cpu", planned)
    assert promoting.state(project, "cifar-augment") == "2 runs of 1 networks, cpu; fresh"


def test_more_seeds_than_the_study_wants_are_not_stale(on_cpu, run_before):
    many = plan("cpu", "modified VGG", seeds=5)
    run_before(STUDY, "cpu", many)
    promoting.publish(on_cpu, STUDY, "cpu", many)
    assert promoting.state(on_cpu, STUDY) == "7 runs of 2 networks, cpu; fresh"


# ---- what is published today


def least(study: str, name: str) -> int:
    """How many seeds a network has at least, where the study is run as planned; 3 where no plan has it."""
    counts = [Counter(one.name for one in studies.plan(study, size))[name] for size in ("cpu", "full")]
    return min((count for count in counts if count), default=3)


def faults(file: Path) -> list[str]:
    """What is wrong with a published file, in one word for each fault."""
    study = file.stem.removeprefix("study-")
    if study not in studies.NAMES:
        return ["name"]
    chapters.check_records(file, chapter=file.stem)
    found, seeds = set(), {}
    for record in records.read(file):
        if record["profile"] not in ("cpu", "full"):
            found.add("profile")
        else:
            keys = {one.key for one in studies.plan(study, record["profile"], record["seed"] + 1)}
            if record.get("study_key") not in keys:
                found.add("key")
        if not record["recipe"]["data"].endswith(" (full)"):
            found.add("data")
        seeds.setdefault(record["name"], []).append(record["seed"])
    if any(len(set(own)) < len(own) for own in seeds.values()):
        found.add("twice")
    if any(len(set(own)) < min(3, least(study, name)) for name, own in seeds.items()):
        found.add("seeds")
    return sorted(found)


FAULTS = {
    "profile": {"profile": "quick"},
    "key": {"study_key": "0" * 12},
    "data": {"recipe": {"data": "mnist (sample)"}},
    "seeds": {"name": "modified ResNet"},
}


@pytest.mark.parametrize("fault", [None, *FAULTS])
def test_faults_of_a_published_file_are_found(tmp_path, pretended, template, fault):
    file = tmp_path / f"study-{STUDY}.jsonl"
    for one in plan("cpu", "modified VGG", seeds=3):
        changes = FAULTS.get(fault, {}) if one.seed == 2 else {}
        if "recipe" in changes:
            changes = {"recipe": template["recipe"] | changes["recipe"]}
        pretended(file, STUDY, "cpu", one, **changes)
    assert faults(file) == ([fault] if fault else [])


def test_a_run_that_stands_there_twice_is_found(tmp_path, pretended):
    file = tmp_path / f"study-{STUDY}.jsonl"
    for one in 2 * plan("cpu", "modified VGG", seeds=3):
        pretended(file, STUDY, "cpu", one)
    assert faults(file) == ["twice"]
    assert faults(file.rename(tmp_path / "study-of-old.jsonl")) == ["name"]


def test_the_published_records_are_whole_valid_planned_and_of_enough_seeds():
    folder = lines.results_folder()
    assert folder == Path(__file__).parents[2] / "results"
    files = sorted(folder.glob("study-*"))
    assert {file.name for file in files} <= {f"study-{name}.jsonl" for name in studies.NAMES}
    assert {file.name: faults(file) for file in files} == {file.name: [] for file in files}


def test_published_lines_are_canonical():
    """So that git shows a change where there is one."""
    for file in lines.results_folder().glob("study-*.jsonl"):
        for line in file.read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            again = json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
            assert line == again
