"""A fingerprint describes a run and does not change it."""

import importlib

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from course_lib import models, runlog, training
from course_lib.training import seeds
from course_lib.training.fingerprint import fingerprint
from course_lib.training.run import Recipe

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


def test_the_run_is_bit_identical_with_and_without(few, pipeline, monkeypatch):
    taken = trained(few)
    assert len(pipeline()) == 1
    monkeypatch.delenv("COURSE_RUNLOG")
    for value, other in zip(taken, trained(few), strict=True):
        assert torch.equal(torch.as_tensor(value), torch.as_tensor(other))


def test_only_the_quick_profile_takes_fingerprints(few, pipeline, monkeypatch):
    monkeypatch.setenv("COURSE_PROFILE", "cpu")
    training.fit(network(), few, **COURSE)
    assert pipeline() == []


def test_hooks_do_not_run_and_gradients_stay(few):
    calls, model = [], network()
    model[0].register_forward_hook(lambda *_: calls.append(1))
    model[0].weight.grad = torch.ones_like(model[0].weight)
    recipe = Recipe(1, 0.1, 128, torch.optim.SGD, training.one_cycle, F.cross_entropy, None, seed=0)
    taken = fingerprint(model, few, None, recipe)
    assert len(taken["loss"]) == 3, "of one epoch at most"
    assert taken["rates"] == pytest.approx([0.1 * training.one_cycle(step / 3) for step in range(3)])
    assert calls == [] and model[0].weight.grad.eq(1).all() and model[0].weight.dtype == torch.float32


def test_the_first_steps_by_hand(few):
    """Eight images of each batch, in float64, with dropout from the seed's stream."""
    model, losses, norms = network().double(), [], []
    recipe = Recipe(1, 0.1, 64, torch.optim.SGD, training.constant, F.cross_entropy, None, seed=5)
    taken = fingerprint(network(), few, few.select(range(80)), recipe)
    order = torch.randperm(len(few), generator=torch.Generator().manual_seed(5))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    torch.manual_seed(5)
    for start in range(0, 256, 64):
        images = order[start : start + 8]
        loss = F.cross_entropy(model(few.normalize(few.images[images]).double()), few.labels[images])
        optimizer.zero_grad()
        loss.backward()
        norms.append(torch.cat([parameter.grad.flatten() for parameter in model.parameters()]).norm().item())
        optimizer.step()
        losses.append(loss.item())
    assert taken["loss"] == pytest.approx(losses, rel=1e-9) and taken["gradient"] == pytest.approx(norms[0], rel=1e-9)
    assert taken["judged"]["images"] == 64 and taken["schedule"] == [1.0] * 11


def test_a_network_trained_by_the_same_recipe_is_taken_once(few, pipeline):
    model = network()
    for seed in (0, 0, 1):
        training.fit(model, few, seed=seed, **COURSE)
    assert [taken["recipe"]["seed"] for taken in pipeline()] == [0, 1]


def test_weighted_and_infinite_losses(few, pipeline):
    training.fit(network(), few, loss=nn.CrossEntropyLoss(weight=torch.linspace(0.5, 1.5, 10)), **COURSE)
    training.fit(network(), few, learning_rate=1e30, optimizer=torch.optim.SGD, **COURSE)
    weighted, diverged = pipeline()
    assert None not in weighted["loss"] and diverged["loss"][0] is not None and diverged["loss"][-1] is None


def test_precision_does_not_depend_on_the_machine(few, pipeline, monkeypatch):
    monkeypatch.setattr("course_lib.training.setup._half_precisions", lambda device: ["bfloat16"])
    assert training.choose_setup(models.mlp(), precision="auto").precision == "float32"
    monkeypatch.setenv("COURSE_PROFILE", "cpu")
    assert training.choose_setup(models.mlp(), device="cpu", precision="auto").precision == "bfloat16"


def test_the_pipeline_seeds_networks_that_a_chapter_does_not_seed(pipeline, monkeypatch):
    torch.manual_seed(1)
    importlib.reload(seeds)
    assert torch.initial_seed() == 0
    monkeypatch.delenv("COURSE_RUNLOG")
    torch.manual_seed(1)
    importlib.reload(seeds)
    assert torch.initial_seed() == 1
