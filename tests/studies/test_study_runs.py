"""Studies run for real, in small: in processes that finish, raise, are killed, fall silent or hang."""

import json
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from functools import partial

import pytest
import torch
from processes import alive, until
from torch import nn

from course_lib import data, models, records, training
from course_lib.errors import CourseError
from course_lib.training.checkpoints import Checkpoint
from course_lib.training.history import History
from course_lib.transfer import Choices
from course_tools.publishing.publish import check_records
from course_tools.studies import local
from course_tools.studies import run as runner
from course_tools.studies.plan import Planned, TransferRun

pytestmark = pytest.mark.usefixtures("fingerprinted")


def run(project, planned, **options):
    return runner.run_study(project, "mnist-six", "quick", planned, show=False, **options)


def files(project):
    return {file: file.stat().st_mtime_ns for file in project.build.rglob("*.jsonl")}


# ---- what a study leaves behind


def test_each_run_leaves_one_valid_record_of_its_own(story):
    assert not story.elsewhere.exists(), "COURSE_RECORDS, which chapters run with, is not for the workers"
    records_of = {f"{one.key}.jsonl" for one in story.planned}
    assert set(story.second.left) == records_of | {runner.FINGERPRINT}, "no log, no scratch file"
    for one in story.planned:
        file = story.folder / f"{one.key}.jsonl"
        check_records(file, "quick", "study-mnist-six")
        (record,) = records.read(file)
        assert (record["name"], record["seed"], record["study_key"]) == (one.name, one.seed, one.key)
        assert record == runner.finished(story.project, "mnist-six", "quick", one)


@pytest.fixture
def one_thread():
    """As many threads as the story's workers had."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def what_was_learned(record):
    clock = ("seconds", "peak_memory_mb")
    epochs = [{key: value for key, value in epoch.items() if key not in clock} for epoch in record["epochs"]]
    return epochs, record["final"], record["confusion"], record["recipe"], record["study_key"]


def test_training_in_this_process_gives_the_same_bit_for_bit(story, one_thread, few_digits):
    planned = story.planned[1]
    here = json.loads(json.dumps(planned.train() | {"study_key": planned.key}))
    assert what_was_learned(here) == what_was_learned(runner.finished(story.project, "mnist-six", "quick", planned))
    assert here["epochs"][0]["train_loss"] > here["epochs"][1]["train_loss"] > 0


def test_a_run_that_was_stopped_goes_on_from_its_checkpoint(story, one_thread, few_digits, tmp_path, monkeypatch):
    planned, file, saves = story.planned[1], tmp_path / "run.pt", []
    assert planned.recipe["epochs"] > 1
    save = Checkpoint.save

    def stop_after_the_first(self):
        save(self)
        saves.append(file.stat().st_size)
        raise KeyboardInterrupt

    monkeypatch.setattr(Checkpoint, "save", stop_after_the_first)
    with pytest.raises(KeyboardInterrupt):
        planned.train(file)
    monkeypatch.setattr(Checkpoint, "save", lambda self: saves.append(None) or save(self))
    record = json.loads(json.dumps(planned.train(file) | {"study_key": planned.key}))
    assert len(saves) == planned.recipe["epochs"], "one epoch before the stop, the others after it"
    whole = runner.finished(story.project, "mnist-six", "quick", planned)
    assert what_was_learned(record) == what_was_learned(whole)


def test_a_worker_keeps_its_checkpoint_beside_its_record(cheap, monkeypatch, tmp_path, capsys):
    def stop(self, checkpoint):
        raise CourseError(str(checkpoint))

    monkeypatch.setattr(Planned, "train", stop)
    assert local.train_one("mnist-six", "quick", "0", cheap[0].key, str(tmp_path / "key.jsonl")) == 1
    assert capsys.readouterr().err.strip() == str(tmp_path / "key.pt")


def test_after_its_hours_no_run_begins_and_the_next_call_goes_on(project, cheap, orders):
    orders.give({"few digits": True})
    outcomes = run(project, cheap[:2], jobs=1, hours=1e-9)
    assert [(one.left, one.problem) for one in outcomes] == [(True, "")] * 2
    assert not files(project)
    assert not any(one.left for one in run(project, cheap[:1], jobs=1, hours=1.0))


# ---- runs that fail


def test_a_run_that_is_killed_costs_only_itself(story):
    killed = story.first.outcomes[1]
    assert killed.problem == "its process was killed (signal 9), perhaps out of memory: try --jobs 1"
    assert str(killed) == f"LeNet-5, modern, seed 0: {killed.problem}"
    assert f"{killed.planned.key}.jsonl" not in story.first.left
    assert (story.first.outcomes[0].problem, str(story.first.outcomes[0])) == ("", "perceptron, seed 0: ok")


def test_a_run_that_raises_costs_only_itself_and_says_where_all_of_it_stands(story):
    raised = story.first.outcomes[2]
    key = story.planned[2].key
    log = f"_build/studies/quick/mnist-six/{key}.log"
    assert raised.problem == f"ZeroDivisionError: no such luck (all of it: {log})"
    assert f"{key}.jsonl" not in story.first.left
    said = story.first.logs[key]
    assert "Traceback" in said and "It came this far." in said
    assert f"{story.planned[0].key}.jsonl" in story.first.left


def test_the_next_call_runs_just_what_is_missing(story):
    first, second = story.first, story.second
    assert sorted(one["key"] for one in first.started) == sorted(one.key for one in story.planned)
    assert sorted(one["key"] for one in second.started) == sorted(one.key for one in story.planned[1:])
    kept = f"{story.planned[0].key}.jsonl"
    assert second.left[kept] == first.left[kept]
    assert [one.skipped for one in first.outcomes] == [False] * 3
    assert [(one.skipped, one.problem) for one in second.outcomes] == [(True, ""), (False, ""), (False, "")]


def test_a_run_that_ends_without_a_word_and_without_a_record(project, cheap, orders):
    orders.give({"all": 0})
    (ended,) = run(project, cheap[:1])
    log = f"_build/studies/quick/mnist-six/{cheap[0].key}.log"
    assert ended.problem == f"ended with status 0 (all of it: {log})"
    assert (project.root / log).exists() and not ended.skipped


DAMAGE = {
    "empty": lambda text: "",
    "cut off": lambda text: text[: len(text) // 2],
    "twice": lambda text: text + text,
    "another digit": lambda text: text.replace('"seed":0', '"seed":5', 1),
    "no text": lambda text: "\udcff\udcfe",
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_record_is_named_with_the_mend_and_nothing_runs(done, cheap, orders, damage):
    missing, broken, _ = (done.build / "studies" / "quick" / "mnist-six" / f"{one.key}.jsonl" for one in cheap)
    missing.unlink()
    broken.write_text(DAMAGE[damage](broken.read_text()), errors="surrogateescape")
    before = files(done)
    orders.give({"all": 3})
    with pytest.raises(CourseError) as caught:
        run(done, cheap)
    assert str(caught.value) == (
        f"_build/studies/quick/mnist-six/{cheap[1].key}.jsonl, the record of LeNet-5, modern, seed 0, is damaged: "
        "delete the file, and `course study` runs it again."
    )
    assert orders.started() == [] and files(done) == before


def test_another_processor_adds_no_runs_to_earlier_ones(done, cheap, orders, monkeypatch):
    (done.build / "studies" / "quick" / "mnist-six" / f"{cheap[1].key}.jsonl").unlink()
    monkeypatch.setattr("course_tools.studies.local.processor", lambda: "Another")
    orders.give({"all": 3})
    with pytest.raises(CourseError, match="and this is Another: finish it there"):
        run(done, cheap)
    assert orders.started() == []


def test_another_number_of_processes_adds_no_runs_to_earlier_ones(done, cheap, orders):
    (done.build / "studies" / "quick" / "mnist-six" / f"{cheap[1].key}.jsonl").unlink()
    orders.give({"all": 3})
    with pytest.raises(
        CourseError, match="mnist-six was begun with --processes 1: call it so again, or delete _build/"
    ):
        run(done, cheap, processes=2)
    assert orders.started() == []


def test_a_library_that_computes_something_else_adds_no_runs_to_earlier_ones(done, cheap, orders, fingerprinted):
    (done.build / "studies" / "quick" / "mnist-six" / f"{cheap[1].key}.jsonl").unlink()
    orders.give({"all": 3})
    run(done, cheap)
    fingerprinted["outputs"]["one"] = "another"
    orders.give({"all": 3})
    with pytest.raises(CourseError) as caught:
        run(done, cheap)
    assert str(caught.value) == (
        "The library no longer computes what earlier runs of mnist-six did (output one): delete "
        "_build/studies/quick/mnist-six, and `course study mnist-six` runs all of it again."
    )
    assert orders.started() == []


# ---- how they share the machine


@pytest.mark.parametrize(("device", "jobs", "threads"), [("cpu", None, 2), ("cuda", None, 6), ("cuda", 3, 2)])
def test_runs_share_the_cores(project, cheap, orders, monkeypatch, device, jobs, threads):
    """Three runs on six cores: side by side on a CPU, one after another on a GPU, or as was asked for."""
    monkeypatch.setattr(runner, "usable_cores", lambda: 6)
    monkeypatch.setattr(runner, "best_device", lambda: torch.device(device))
    orders.give({"all": 3})
    run(project, cheap, jobs=jobs)
    assert Counter(one["threads"] for one in orders.started()) == {str(threads): 3}


@pytest.mark.parametrize(("device", "jobs", "threads"), [("cpu", None, 1), ("cuda", None, 3), ("cpu", 1, 3)])
def test_processes_that_train_together_share_the_cores_too(project, cheap, orders, monkeypatch, device, jobs, threads):
    """Three runs of two processes each, on six cores. The launcher, which starts the two, ends at once."""
    monkeypatch.setattr(runner, "usable_cores", lambda: 6)
    monkeypatch.setattr(runner, "best_device", lambda: torch.device(device))
    orders.give({"all": 3})
    run(project, cheap, jobs=jobs, processes=2)
    assert [one["threads"] for one in orders.started()] == [str(threads)] * 3


def test_a_run_of_two_processes_leaves_one_record_that_says_so(project, cheap, orders):
    orders.give({"few digits": True})
    (ended,) = run(project, cheap[:1], processes=2)
    assert ended.problem == ""
    (left,) = files(project)
    check_records(left, "quick", "study-mnist-six")
    (record,) = records.read(left)
    assert (record["recipe"]["processes"], record["study_key"]) == (2, cheap[0].key)


def test_control_c_leaves_no_worker_behind_and_keeps_what_was_finished(done, orders):
    before, jobs = files(done), 2
    orders.give({"all": "hang"})
    words = ["study", "mnist-six", "--size", "quick", "--seeds", "2", "--jobs", str(jobs)]
    command = subprocess.Popen(
        [sys.executable, "-c", f"from course_tools.cli import main; raise SystemExit(main({words}))"],
        cwd=done.root,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # it may be ignored here
    )
    until(lambda: len(orders.started()) == jobs)
    workers = [one["pid"] for one in orders.started()]
    assert all(alive(pid) for pid in workers)
    command.send_signal(signal.SIGINT)
    _, said = command.communicate(timeout=60)
    assert command.returncode == 130
    assert said.splitlines()[-1] == "course: stopped; what was finished is kept." and "Traceback" not in said
    until(lambda: not any(alive(pid) for pid in workers), seconds=10)
    assert len(orders.started()) == jobs
    assert files(done) == before


def test_one_that_was_still_to_begin_is_not_started_after_control_c(project, cheap, orders):
    workers = local.Local(project, "mnist-six", "quick", 1)
    workers.kill()
    ended = workers.run(cheap[0])
    assert ended.problem == "stopped before it began" and orders.started() == []


# ---- the worker


class Looks(nn.Module):
    """Notes the smallest and largest pixel and the shape of what it sees, and answers with ten logits."""

    def __init__(self, seen):
        super().__init__()
        self.seen, self.last = seen, nn.LazyLinear(10)
        self.last(torch.zeros(1, 1))

    def forward(self, images):
        self.seen.append((images.min().item(), images.max().item(), tuple(images.shape)))
        return self.last(images.mean(dim=(1, 2, 3))[:, None])


def looked(**changes):
    seen = []
    recipe = {"epochs": 1, "batch_size": 128, "device": "cpu"}
    planned = replace(Planned("looks", 3, partial(Looks, seen), "mnist", recipe, sample=True), **changes)
    return planned.train(), seen


def test_pixels_are_scaled_only_where_they_are_not_normalised():
    _, plain = looked(normalised=False)
    assert min(low for low, *_ in plain) == 0.0 and max(high for _, high, _ in plain) == 1.0
    assert all(0 <= low <= high <= 1 for low, high, _ in plain), "in training, in validation and in the test"
    _, normalised = looked()
    assert all(low < 0 and high > 2 for low, high, _ in normalised)


def test_the_network_sees_resized_images_and_the_record_names_the_network():
    record, seen = looked(side=14, channels=3)
    assert {shape[1:] for *_, shape in seen} == {(3, 14, 14)}
    assert (record["recipe"]["model"], record["recipe"]["images"]) == ("Looks", "resized to 14 × 14, 3 channels")


@pytest.mark.parametrize(("judge", "images"), [("validation", 100), ("test", 200)])
def test_a_run_is_judged_by_as_many_images_as_planned(judge, images):
    record, _ = looked(judge=judge, judged_by=(100, 200))
    assert (record["final"]["split"], record["final"]["images"]) == (judge, images)
    assert record["recipe"]["validation"] == 100
    assert {row["images"] for row in record["final"]["classes"]} <= set(range(images // 20, images // 5))


def test_moved_images_are_all_and_those_that_lose_no_ink():
    recipe = {"epochs": 1, "device": "cpu"}
    planned = Planned("small", 3, partial(models.mlp, hidden=(16,)), "mnist", recipe, sample=True, moved=(0, 3, 6))
    record = planned.train()
    images = planned.load()
    test, (network, _) = images.open_test(), planned.fit(images)
    whole = test.select([place for place, image in enumerate(test.images) if image[:, :, 22:].max() == 0])
    assert 0 < len(whole) < len(test)
    assert [moved["right"] for moved in record["moved"]] == [0, 3, 6]
    for moved in record["moved"]:
        for split, measure in ((test, "accuracy"), (whole, "accuracy_whole")):
            expected = training.evaluate(network, data.shift_images(split, moved["right"])).accuracy
            assert moved[measure] == pytest.approx(expected, abs=1e-9)
    assert record["moved"][0]["accuracy"] == pytest.approx(record["final"]["accuracy"])
    assert "moved" not in replace(planned, moved=()).train()


def test_shuffled_pixels_have_one_order_in_training_validation_and_test(monkeypatch):
    seen = []

    def fit(network, train, val, **_):
        seen.extend((train, val))
        return History("", "", "", {})

    monkeypatch.setattr(training, "fit", fit)
    planned = Planned("small", 3, partial(models.mlp, hidden=()), "mnist", {"epochs": 1}, sample=True, shuffled=True)
    images = planned.load()
    planned.fit(images)
    seen.append(planned.judged(images))
    for got, plain in zip(seen, (images.train, images.val, images.open_test()), strict=True):
        assert torch.equal(got.images, data.shuffle_pixels(plain).images) and not torch.equal(got.images, plain.images)
    assert planned.images == "pixels shuffled"


@pytest.mark.parametrize(("judge", "images"), [("validation", 60), ("test", 60)])
def test_a_transfer_run_learns_from_its_draw_and_is_judged_where_it_says(judge, images):
    choices = Choices(backbone="vgg16, narrow and untrained", side=32, channels="keep", trained="head")
    planned = TransferRun("photographs", 0, choices, 50, images, True, {"epochs": 1}, "cifar10", judge=judge)
    records_of = [replace(planned, draw=draw).train() for draw in (0, 1)]
    for record in records_of:
        assert (record["recipe"]["train"], record["recipe"]["data"]) == (50, "cifar10 (sample)")
        assert (record["final"]["split"], record["final"]["images"]) == (judge, images)
        assert record["recipe"]["images"] == "enlarged to 32 × 32, in colour, normalised as for ImageNet"
    losses = [record["epochs"][0]["train_loss"] for record in records_of]
    assert losses[0] != losses[1], "other images"


def test_the_recipe_reaches_fit():
    record, _ = looked(recipe={"epochs": 2, "batch_size": 500, "learning_rate": 0.25, "schedule": training.cosine})
    recipe = record["recipe"]
    assert (recipe["epochs"], recipe["batch_size"], recipe["learning_rate"]) == (2, 500, 0.25)
    assert (recipe["schedule"], recipe["seed"]) == ("cosine", 3)


def test_what_a_reader_can_mend_is_one_line(monkeypatch, tmp_path, capsys):
    planned = Planned("looks", 1, partial(Looks, []), "imagenet", {"epochs": 1}, sample=True)
    monkeypatch.setattr(local, "plan", lambda study, size, seeds: [planned])
    assert local.train_one("any", "quick", "1", planned.key, str(tmp_path / "made.jsonl")) == 1
    said = capsys.readouterr()
    assert said.err.startswith("There is no data set 'imagenet'") and said.err.count("\n") == 1 and not said.out
    assert not (tmp_path / "made.jsonl").exists()
