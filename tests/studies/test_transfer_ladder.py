"""The plan of the study of transfer, its keys, and a run of it in small."""

import json
from collections import Counter
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from course_lib import models, records, transfer
from course_lib.transfer import Choices
from course_lib.transfer import cases as rungs
from course_tools import studies
from course_tools.publishing import promoting
from course_tools.studies import running, transfer_ladder, worker
from course_tools.studies.transferring import TransferRun

SIZES = ("quick", "cpu", "full")
pytestmark = pytest.mark.usefixtures("fingerprinted")


@pytest.fixture(autouse=True)
def own_home(home):
    """Features are kept there."""


def plan(size, seeds=None):
    return studies.plan("transfer-ladder", size, seeds)


def test_every_rung_every_cell_and_every_cut_is_planned():
    for size in SIZES:
        names = [one.name for one in plan(size, 1)]
        assert set(names) == rungs.runs().keys() | transfer.GRID.keys() | transfer.CUT_RUNS.keys()
        assert len(names) == len(set(names))


def test_on_two_cores_large_runs_have_one_seed_and_small_ones_more():
    counts = Counter(one.name for one in plan("cpu"))
    assert counts.pop("LeNet from scratch") == 5 and counts.pop("right-sized backbone") == 3
    assert set(counts.values()) == {1}
    assert min(Counter(one.name for one in plan("full")).values()) == 3


@pytest.mark.parametrize("size", SIZES)
def test_keys_are_unique_and_the_same_however_many_seeds_are_asked_for(size):
    planned = plan(size, 3)
    assert len({one.key for one in planned}) == len(planned)
    assert [one.key for one in plan(size, 2)] == [one.key for one in planned if one.seed < 2]
    assert all(len(one.key) == 12 for one in planned)


def test_the_ladder_learns_from_ten_thousand_digits_and_all_cells_from_the_same_number():
    planned = plan("cpu", 1)
    assert {one.digits for one in planned if one.name in rungs.runs()} == {10_000}
    assert {one.judged_by for one in planned} == {1_000}
    assert len({one.digits for one in planned if one.name in transfer.GRID}) == 1
    assert {one.sample for one in planned} == {False} and {one.sample for one in plan("quick")} == {True}


def test_quick_needs_no_weights(monkeypatch):
    monkeypatch.setattr(models, "backbone", None)
    assert {one.choices.backbone for one in plan("quick", 1)} == {
        "vgg16, narrow and untrained",
        "mobilenet-v2, untrained",
        "none",
    }
    one_on_two_cores = next(one for one in plan("cpu", 1) if one.name == "nothing wrong")
    assert sum(one.work for one in plan("quick", 1)) < one_on_two_cores.work / 1_000


@pytest.fixture
def asked():
    return TransferRun("refilled images", 3, Choices(resize="refill"), 100, 50, options={"batch_size": 50})


CHANGES = {
    "name": {"name": "other"},
    "seed": {"seed": 4},
    "choices": {"choices": Choices()},
    "rate": {"choices": Choices(resize="refill", learning_rate=1e-3)},
    "digits": {"digits": 101},
    "judged by": {"judged_by": 51},
    "sample": {"sample": True},
    "options": {"options": {"batch_size": 25}},
    "epochs": {"options": {"batch_size": 50, "epochs": 2}},
}


def test_the_key_changes_with_anything_that_was_asked_for(asked):
    keys = {asked.key, *(replace(asked, **changes).key for changes in CHANGES.values())}
    assert len(keys) == 1 + len(CHANGES) and replace(asked).key == asked.key


def test_a_rate_that_is_another_default_is_another_key(asked, monkeypatch):
    before = asked.key
    monkeypatch.setitem(transfer.choices.RATES, "last blocks", 2e-4)
    assert replace(asked).key != before


def test_work_counts_what_is_computed():
    head, blocks = (
        TransferRun("x", 0, Choices(backbone="mobilenet-v2", trained=one), 100, 0) for one in ("head", "last blocks")
    )
    updated = replace(head, choices=replace(head.choices, freeze_batch_norm=False))
    assert head.work > 0
    assert updated.work == head.epochs * head.work and blocks.work == 3 * blocks.epochs * head.work


@pytest.mark.parametrize("name", ["frozen backbone", "LeNet from scratch", "statistics updated", "refilled images"])
def test_a_run_leaves_a_record_that_is_valid(name):
    planned = replace(next(one for one in plan("quick", 1) if one.name == name), digits=64, judged_by=32)
    made = planned.train() | {"study_key": planned.key}
    schema = json.loads((Path(records.__file__).parent / "schema.json").read_text())
    problems = Draft202012Validator(schema).iter_errors(made | {"sha256": 64 * "0", "chapter": "study-transfer-ladder"})
    assert [problem.message for problem in problems] == []
    assert (made["name"], made["seed"]) == (name, 0)
    assert made["recipe"]["train"] == planned.digits and made["final"]["images"] == planned.judged_by
    assert made["final"]["split"] == "test" and made["recipe"]["data"] == "mnist (sample)"
    assert made["recipe"]["transfer"]["resize"] == planned.choices.resize


def test_runs_of_it_go_one_after_another_on_all_cores(project, orders, monkeypatch):
    planned = [one for one in plan("quick", 1) if one.name in ("frozen backbone", "LeNet from scratch")]
    monkeypatch.setattr(running, "usable_cores", lambda: 6)
    orders.give({"all": 3})
    run = partial(running.run_study, project, "transfer-ladder", "quick", planned, show=False)
    run()
    assert [one["threads"] for one in orders.started()] == ["6", "6"] and transfer_ladder.JOBS == 1
    orders.give({"all": 3})
    run(jobs=2)
    assert [one["threads"] for one in orders.started()] == ["3", "3"]


@pytest.fixture
def frozen():
    """The cheapest of them."""
    return next(one for one in plan("quick", 1) if one.name == "frozen backbone")


def test_a_worker_trains_one_of_them(frozen, tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_CHAPTER", "study-transfer-ladder")
    monkeypatch.setenv("COURSE_PROFILE", "quick")
    file = tmp_path / "made.jsonl"
    assert worker.main("transfer-ladder", "quick", "0", frozen.key, str(file)) == 0
    promoting.check_records(file, "quick", "study-transfer-ladder")
    assert records.read(file)[0]["study_key"] == frozen.key


@pytest.mark.nightly
def test_a_worker_in_a_process_of_its_own_trains_one_of_them(project, frozen):
    (ended,) = running.run_study(project, "transfer-ladder", "quick", [frozen], show=False)
    assert not ended.problem
    file = running.folder_of(project, "transfer-ladder", "quick") / f"{frozen.key}.jsonl"
    promoting.check_records(file, "quick", "study-transfer-ladder")
