"""Statistics of signals, against plain autograd."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from course_lib import models, training
from course_lib.analysis import signals, watch


@pytest.fixture
def net():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(3 * 36, 4)
    )


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(1)
    return torch.rand(5, 1, 8, 8, generator=generator), torch.randint(4, (5,), generator=generator)


def rms(values):
    return values.square().mean().sqrt().item()


def test_signals_are_those_of_autograd(net, batch):
    images, labels = batch
    table = signals(net, images, labels)
    maps = net[0](images)
    maps.retain_grad()
    logits = net[4](net[3](F.relu(net[1](maps))))
    logits.retain_grad()
    F.cross_entropy(logits, labels).backward()
    assert table.index.tolist() == ["0", "4"] and table["type"].tolist() == ["Conv2d", "Linear"]
    for name, values, layer in (("0", maps, net[0]), ("4", logits, net[4])):
        row = table.loc[name]
        assert row["activation mean"] == pytest.approx(values.mean().item(), rel=1e-5)
        assert row["activation std"] == pytest.approx(values.std().item(), rel=1e-5)
        assert row["gradient rms"] == pytest.approx(rms(values.grad), rel=1e-5)
        assert row["weight rms"] == pytest.approx(rms(layer.weight.detach()), rel=1e-5)
        assert row["weight gradient rms"] == pytest.approx(rms(layer.weight.grad), rel=1e-4)
        assert row["zeros"] == 0


def test_network_is_unchanged(net, batch, unchanged):
    net.eval()
    net[4].train()
    net[0].weight.grad = torch.ones_like(net[0].weight)
    with unchanged(net), torch.no_grad():
        signals(net, *batch)
        with pytest.raises((RuntimeError, ValueError)):
            signals(net, batch[0][:, :, :7], batch[1])
    assert torch.equal(net[0].weight.grad, torch.ones_like(net[0].weight))


def one_step(net, images, labels, rate=0.1):
    net.zero_grad()
    F.cross_entropy(net(images), labels).backward()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter -= rate * parameter.grad
    return {name: rms(one.grad) for name, one in net.named_parameters()}


@pytest.mark.parametrize("every", [1, 3])
def test_every_so_many_steps_have_their_own_gradients(net, batch, every):
    with watch(net, every=every) as recorded:
        by_hand = [one_step(net, *batch) for _ in range(7)]
    table, steps = recorded.table(), range(0, 7, every)
    assert table["step"].tolist() == [step for step in steps for _ in range(2)] and not table.isna().any().any()
    for name in ("0", "4"):
        found = table.loc[name, "weight gradient rms"].tolist()
        assert found == pytest.approx([by_hand[step][f"{name}.weight"] for step in steps], rel=1e-5)
    assert len(set(found)) == len(steps), "else any step's gradients would do"


def test_evaluation_in_between_does_not_count(net, batch):
    with watch(net, every=2) as recorded:
        for _ in range(4):
            net.train()
            loss = F.cross_entropy(net(batch[0]), batch[1])
            net.eval()
            net(batch[0] + 100)  # even between forward and backward
            net.train()
            loss.backward()
    table = recorded.table()
    assert table["step"].tolist() == [0, 0, 2, 2]
    assert table["activation mean"].abs().max() < 50
    assert not table["weight gradient rms"].isna().any()


def test_inside_fit(few):
    training.set_seed(0)
    model = models.lenet5()
    with watch(model, every=2) as recorded:
        training.fit(model, few, few, epochs=2, batch_size=128, device="cpu", show=False)
    table = recorded.table()
    assert sorted(set(table["step"])) == [0, 2, 4], "two epochs of three steps; validation is none"
    assert table.loc["features.0", "step"].tolist() == [0, 2, 4]
    assert not table[["activation std", "gradient rms", "weight rms", "weight gradient rms"]].isna().any().any()
    assert table.loc["features.0", "weight rms"].nunique() == 3, "the weights move"


class Twice(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 3)

    def forward(self, numbers):
        return self.layer(self.layer(numbers))


def test_a_layer_that_runs_twice_has_two_rows():
    model, numbers = Twice(), torch.rand(4, 3)
    with watch(model) as recorded:
        for _ in range(2):
            model(numbers).sum().backward()
    table = recorded.table()
    assert table.index.tolist() == ["layer", "layer (2)"] * 2
    assert table["step"].tolist() == [0, 0, 1, 1]
    assert table.loc["layer (2)", "activation mean"].iloc[0] == pytest.approx(model(numbers).mean().item(), rel=1e-5)
    assert table.loc["layer", "activation mean"].iloc[0] == pytest.approx(model.layer(numbers).mean().item(), rel=1e-5)


def test_missing_values_are_nan(net, batch):
    net.requires_grad_(False)
    with watch(net, layers=(nn.ReLU, nn.Linear)) as recorded:
        net(batch[0])
    table = recorded.table()
    assert table.index.tolist() == ["2", "4"]
    assert all(math.isnan(value) for value in table["gradient rms"])
    assert all(math.isnan(value) for value in table["weight rms"])
    assert table.loc["2", "zeros"] == pytest.approx((net[2](net[1](net[0](batch[0]))) == 0).float().mean().item())


def test_recording_ends_with_the_block(net, batch):
    with pytest.raises(RuntimeError, match="stopped"), watch(net) as recorded:
        one_step(net, *batch)
        raise RuntimeError("stopped")
    one_step(net, *batch)
    assert set(recorded.table()["step"]) == {0}


@pytest.mark.parametrize(
    ("layer", "every", "problem"),
    [(nn.ReLU(), 1, "has no layer of type Conv2d, Linear"), (nn.Linear(1, 1), 0, "every must")],
)
def test_refuses_networks_without_such_layers_and_no_step(layer, every, problem):
    with pytest.raises(ValueError, match=problem), watch(nn.Sequential(layer), every=every):
        pass
