"""A fingerprint is taken beside a run, and the run does not notice."""

import subprocess
import sys

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from course_lib import models, runlog, training
from course_lib.training.fingerprint import ASKED, fingerprint

COURSE = {"epochs": 1, "batch_size": 64, "show": False, "device": "cpu"}


@pytest.fixture
def pipeline(tmp_path, monkeypatch):
    """The pipeline's quick profile; returns the fingerprints that were written so far."""
    monkeypatch.setenv("COURSE_RUNLOG", str(tmp_path / "log"))
    monkeypatch.setenv("COURSE_PROFILE", "quick")
    return lambda: runlog.read(tmp_path / "log")["fit"]


def network():
    training.set_seed(0)
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.2), nn.Flatten(), nn.Linear(2704, 10))


def trained(few):
    model = network()
    history = training.fit(model, few, few, **COURSE)
    return [history[0].train_loss, history[0].val_loss, torch.rand(1).item(), *model.state_dict().values()]


def test_the_run_is_the_same_with_it_and_without(few, pipeline, monkeypatch):
    taken = trained(few)
    assert len(pipeline()) == 1
    monkeypatch.delenv("COURSE_RUNLOG")
    for one, other in zip(taken, trained(few), strict=True):
        assert torch.equal(torch.as_tensor(one), torch.as_tensor(other))


def test_nothing_is_taken_outside_the_quick_profile(few, pipeline, monkeypatch):
    monkeypatch.setenv("COURSE_PROFILE", "cpu")
    training.fit(network(), few, **COURSE)
    assert pipeline() == []


def test_hooks_of_the_network_do_not_run_and_its_gradients_stay(few, pipeline):
    seen, model = [], network()
    model[0].register_forward_hook(lambda *_: seen.append(1))
    model[0].weight.grad = torch.ones_like(model[0].weight)
    defaults = {"schedule": training.constant, "augment": None, "micro_batch": None, "optimizer": torch.optim.SGD}
    asked = {"epochs": 1, "learning_rate": 0.1, "batch_size": 64, "loss": F.cross_entropy, "seed": 0} | defaults
    assert set(asked) == set(ASKED)
    assert len(fingerprint(model, few, None, **asked)["loss"]) == 4
    assert seen == [] and model[0].weight.grad.eq(1).all() and model[0].weight.dtype == torch.float32


def test_the_same_network_trained_so_again_is_not_taken_again(few, pipeline):
    model = network()
    for seed in (0, 0, 1):
        training.fit(model, few, seed=seed, **COURSE)
    assert [one["recipe"]["seed"] for one in pipeline()] == [0, 1]


def test_a_loss_with_weights_and_one_that_is_no_number(few, pipeline):
    training.fit(network(), few, loss=nn.CrossEntropyLoss(weight=torch.linspace(0.5, 1.5, 10)), **COURSE)
    training.fit(network(), few, learning_rate=1e30, optimizer=torch.optim.SGD, **COURSE)
    weighted, diverged = pipeline()
    assert None not in weighted["loss"] and diverged["loss"][0] is not None and diverged["loss"][-1] is None


def test_precision_does_not_depend_on_the_machine(few, pipeline, monkeypatch):
    monkeypatch.setattr("course_lib.training.setup._half_precision", lambda device: ["bfloat16"])
    assert training.choose_setup(models.mlp(), precision="auto").precision == "float32"
    monkeypatch.setenv("COURSE_PROFILE", "cpu")
    assert training.choose_setup(models.mlp(), device="cpu", precision="auto").precision == "bfloat16"


def test_networks_that_a_chapter_does_not_seed_are_the_same_in_each_run_of_the_pipeline(tmp_path):
    program = "import torch; from course_lib import training; print(torch.rand(1).item())"

    def drawn(**environment):
        command = [sys.executable, "-c", program]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout

    assert drawn(COURSE_RUNLOG=str(tmp_path / "log")) == drawn(COURSE_RUNLOG=str(tmp_path / "log")) != drawn()
