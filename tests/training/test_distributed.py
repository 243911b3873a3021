"""Several processes train as one does. ``ranks.py`` has the networks, and runs each case in two or three of them."""

import copy
import dataclasses
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import ranks
import torch
from torch import nn
from torch.nn import functional as F

from course_lib import models, training
from course_lib.errors import CourseError
from course_lib.training import launch
from course_tools.publishing.publish import check_records

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="ranks are forked")


@pytest.fixture(scope="module")
def ranked(tmp_path_factory):
    """What each rank of each case returned, by ``CASE-COUNT``, and how the ranks ended."""
    folder = tmp_path_factory.mktemp("ranks")
    script = Path(ranks.__file__)
    done = subprocess.run([sys.executable, script, folder], capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr
    statuses = json.loads((folder / "statuses.json").read_text())
    results = {}
    for case, ended in statuses.items():
        files = [folder / f"{case}-{rank}.json" for rank in range(len(ended))]
        results[case] = [json.loads(file.read_text()) if file.exists() else None for file in files]
    return SimpleNamespace(folder=folder, statuses=statuses, results=results, printed=done.stdout + done.stderr)


@pytest.fixture
def alone():
    """Do a case in this process: what the ranks' numbers must be."""

    def act(case):
        ranks.AUGMENTED.clear()
        return copy.deepcopy(case())

    return act


# ---- they compute what one process computes


@pytest.mark.parametrize("case", ["perceptron", "lenet"])
@pytest.mark.parametrize("count", [2, 3])
def test_every_epoch_of_several_processes_is_that_of_one(ranked, alone, case, count):
    """With uneven shares, a last batch of one image, and, for LeNet, augmentation."""
    expected = alone(getattr(ranks, case))
    for result in ranked.results[f"{case}-{count}"]:
        for row, other in zip(result["epochs"], expected["epochs"], strict=True):
            assert row == pytest.approx(other, abs=1e-8, rel=0)
        assert result["augmented"] == expected["augmented"]
        assert result["recipe"] == expected["recipe"] | {"processes": count}
        assert result["setup"] == f"{expected['setup']}, {count} processes"


def test_all_ranks_end_with_the_same_weights_and_those_of_the_first_where_they_begin_apart(ranked):
    for case, results in ranked.results.items():
        if 1 not in ranked.statuses[case]:
            assert len({result["weights"] for result in results}) == 1, case
    assert ranked.results["unseeded-2"][0]["weights"] == ranked.results["perceptron-2"][0]["weights"]


@pytest.mark.filterwarnings("ignore::course_lib.training.TrainingWarning")
def test_a_layer_without_gradient_is_warned_of_and_does_not_end_the_run(ranked, alone):
    for result in ranked.results["partly-used-2"]:
        assert result["epochs"] == [pytest.approx(row, abs=1e-8) for row in alone(ranks.partly_used)["epochs"]]


def test_dropout_draws_from_a_stream_of_each_rank_and_augmentation_from_that_of_all(ranked, alone):
    first, second = ranked.results["dropout-2"]
    assert first["masks"][0] != second["masks"][0], "of 32 images each"
    assert len({str(mask) for mask in first["masks"]}) == len(first["masks"]) > 3, "and another one in each step"
    without = alone(
        lambda: ranks.fit(models.mlp(hidden=(8,)), ranks.DIGITS.train.select(range(67)), augment=ranks.augment)
    )
    assert first["augmented"] == second["augmented"] == without["augmented"]


# ---- batch norm


def one_step_by_hand(shares):
    """Loss, gradient and running mean of the network of ``ranks.norm``, with batch norm over each share by itself."""
    network = ranks.Double(ranks.built(ranks.normed))
    order = torch.randperm(63, generator=torch.Generator().manual_seed(0))
    images, labels = ranks.FEW.normalize(ranks.FEW.images[order]), ranks.FEW.labels[order]
    before = network.network[1].running_mean.clone()
    total, first = 0.0, None
    for x, y in zip(images.split(shares), labels.split(shares), strict=True):
        network.network[1].running_mean.copy_(before)
        loss = F.cross_entropy(network(x), y, reduction="sum") / 63
        loss.backward()
        total += loss.item()
        first = network.network[1].running_mean.tolist() if first is None else first
    return total, network, first


def check_step(results, shares):
    loss, network, running_mean = one_step_by_hand(shares)
    gradients = [weight.grad for weight in network.parameters()]
    for result in results:
        assert result["epochs"][0]["train_loss"] == pytest.approx(loss, abs=1e-10)
        after = [torch.tensor(weight, dtype=torch.float64) for weight in result["weights after"]]
        taken = [
            weight.detach() - new for weight, new in zip(network.parameters(), after, strict=True)
        ]  # at a rate of 1
        assert nn.utils.get_total_norm(taken).item() == pytest.approx(
            nn.utils.get_total_norm(gradients).item(), abs=1e-10
        )
        assert all(torch.allclose(one, other, atol=1e-10) for one, other in zip(taken, gradients, strict=True))
        assert result["running_mean"] == pytest.approx(running_mean, abs=1e-10)


def test_batch_norm_takes_the_images_of_each_process(ranked):
    check_step(ranked.results["norm-2"], [32, 31])
    assert abs(one_step_by_hand([32, 31])[0] - one_step_by_hand([63])[0]) > 1e-3, "it makes a difference"


@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="torch.nn.SyncBatchNorm needs two GPUs")
def test_batch_norm_takes_the_images_of_all_processes_where_that_is_asked_for(ranked):
    check_step(ranked.results["norm-of-all-2"], [63])
    assert ranked.results["norm-of-all-2"][0]["recipe"]["batch_norm"] == "of all processes"


def test_the_record_holds_the_choice_and_the_number_of_processes_and_is_written_once(ranked):
    check_records(ranked.folder / "records.jsonl", "quick", "00-none")
    line, *more = (ranked.folder / "records.jsonl").read_text().splitlines()
    recipe = json.loads(line)["recipe"]
    assert (recipe["processes"], recipe["batch_norm"]) == (2, "of each process")
    assert len(more) == (torch.cuda.device_count() > 1)
    assert "batch_norm" not in ranked.results["lenet-2"][0]["recipe"]


# ---- checkpoints and ranks that die


def test_after_a_rank_was_killed_the_same_call_ends_as_if_nothing_had_happened(ranked):
    assert ranked.statuses["killed-2"] == [1, -signal.SIGKILL]
    whole, resumed = ranked.results["whole-2"], ranked.results["resumed-2"]
    assert [len(result["augmented"]) for result in whole + resumed] == [12, 12, 6, 6], "in the middle of epoch 2"
    for result, other in zip(whole, resumed, strict=True):
        assert (result["epochs"], result["weights"]) == (other["epochs"], other["weights"])


def test_the_first_rank_alone_reads_and_writes_the_checkpoint_and_shows_the_table(ranked):
    assert {file.name for file in (ranked.folder / "here").iterdir()} == {"whole.pt", "killed.pt"}
    assert not (ranked.folder / "elsewhere").exists()


def test_a_rank_that_lost_another_one_names_the_remedy_in_one_line(ranked):
    lost = ranked.results["killed-2"][0]
    path = ranked.folder / "here" / "killed.pt"
    assert lost == {
        "kind": "CourseError",
        "error": "Rank 0 of 2 processes lost another one: run the same command again, and training goes on from "
        f"{path}.",
    }


def test_warnings_are_issued_by_the_first_rank_alone(ranked):
    assert ranked.printed.count("TrainingWarning") == 1, ranked.printed


SCRIPT = """
import os, signal, sys, time
print("rank", os.environ["RANK"], os.environ["OMP_NUM_THREADS"], sys.argv[1:], flush=True)
if os.environ["RANK"] == "0":
    open(f"{sys.argv[0]} has printed", "w").close()
if os.environ["RANK"] == sys.argv[1]:
    while not os.path.exists(f"{sys.argv[0]} has printed"):
        time.sleep(0.01)
    sys.exit("course: no luck") if sys.argv[2] == "exit" else os.kill(os.getpid(), signal.SIGKILL)
time.sleep(60 if sys.argv[1] in "012" else 0)
"""


@pytest.fixture
def script(tmp_path, monkeypatch):
    """A program whose rank of a given number ends early; signal handlers are restored, which the launcher sets."""
    names = [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT]
    before = {name: signal.getsignal(name) for name in names}
    (tmp_path / "script.py").write_text(SCRIPT)
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    yield str(tmp_path / "script.py")
    for name, handler in before.items():
        signal.signal(name, handler)


@pytest.mark.parametrize(
    ("words", "status", "printed"),
    [
        (["none"], 0, ""),
        (
            ["1", "kill"],
            1,
            "Rank 1 of 2 processes was killed (signal 9), perhaps out of memory, and the others were ended: run the "
            "same command again, and training goes on from its checkpoint.\n",
        ),
        (["1", "exit"], 1, "Rank 1 of 2 processes ended with status 1: no luck\n"),
        (["0", "exit"], 1, "course: no luck\n"),
    ],
)
def test_the_launcher_prints_one_line_where_a_rank_ends_early(script, capfd, words, status, printed):
    try:
        ended = launch.main(["2", script, *words])
    except SystemExit as ending:
        ended = ending.code
    assert ended == status
    said = capfd.readouterr()
    assert said.out == f"rank 0 3 {words}\n", "the other one's output is not shown"
    assert said.err == printed


# ---- what cannot work ends before any work


@pytest.fixture
def two(monkeypatch):
    """As torchrun starts the first of two; nothing may connect to the other one."""
    for name, value in {"RANK": "0", "WORLD_SIZE": "2", "LOCAL_RANK": "0", "MASTER_ADDR": "localhost"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("course_lib.training.distributed.Processes.join", lambda *_: pytest.fail("it began"))


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        (ValueError, {"batch_size": 1}, "batch_size must be an image for each of 2 processes at least, not 1"),
        (ValueError, {"micro_batch": 8}, "micro_batch is for one process, and these are 2; each of them takes a part"),
        (ValueError, {"val": 1}, "val must have an image for each of 2 processes at least, not 1"),
        (
            CourseError,
            {"sync_batch_norm": True},
            "torch.nn.SyncBatchNorm computes on CUDA only: leave out sync_batch_norm",
        ),
    ],
)
def test_what_several_processes_cannot_share_is_refused_in_one_line(two, few, kind, options, message):
    options = dict(options)
    val = few.select(range(options.pop("val", 9)))
    with pytest.raises(kind, match=message) as caught:
        training.fit(models.mlp(hidden=(4,)), few, val, epochs=1, device="cpu", show=False, **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("device", "gpus", "kind", "message"),
    [
        ("cuda:0", 2, ValueError, "device='cuda:0', but each process takes a GPU of its own: write device='cuda'"),
        ("cuda", 0, CourseError, "Of 2 processes each needs a GPU, and here are 0: start 0 processes"),
        ("mps", 0, CourseError, "Several processes train on CPUs or on CUDA, not on Apple MPS: start one process"),
    ],
)
def test_devices_that_several_processes_cannot_use(two, few, monkeypatch, device, gpus, kind, message):
    from course_lib.training.checks import check_processes
    from course_lib.training.run import Recipe
    from course_lib.training.setup import Setup

    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    recipe = Recipe(1, 0.1, 32, torch.optim.SGD, training.constant, F.cross_entropy, None, 0)
    with pytest.raises(kind, match=message):
        check_processes(few, None, recipe, Setup(torch.device(device), processes=training.processes()))


def test_synchronised_batch_norm_needs_an_image_of_the_last_batch_for_each_process(two, few, monkeypatch):
    from course_lib.training.checks import check_processes
    from course_lib.training.run import Recipe
    from course_lib.training.setup import Setup

    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    recipe = Recipe(1, 0.1, 299, torch.optim.SGD, training.constant, F.cross_entropy, None, 0, sync_batch_norm=True)
    setup = Setup(torch.device("cuda"), processes=training.processes())
    with pytest.raises(
        ValueError, match="the last batch holds 1 images, of 300 in batches of 299, and sync_batch_norm"
    ):
        check_processes(few, None, recipe, setup)
    check_processes(few, None, dataclasses.replace(recipe, batch_size=298), setup)


def test_ranks_with_other_arguments_are_named(ranked):
    for result in ranked.results["other-seed-2"]:
        assert result["kind"] == "CourseError"
        assert "trains by another recipe than rank" in result["error"] and "(different seed)" in result["error"]


def test_one_process_is_alone_and_its_batch_norm_has_all_images_anyway(few):
    assert training.processes() == training.Processes(rank=0, count=1)
    network, other = ranks.built(ranks.normed), ranks.built(ranks.normed)
    options = {"epochs": 1, "device": "cpu", "show": False}
    history = training.fit(network, few, sync_batch_norm=True, **options)
    assert history.epochs[0].train_loss == training.fit(other, few, **options).epochs[0].train_loss
    assert not {"processes", "batch_norm"} & history.recipe.keys() and "processes" not in history.setup
