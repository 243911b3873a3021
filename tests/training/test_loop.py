import functools
import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from course_lib import data, models, training
from course_lib.data.augmentation import flip_and_crop, random_crop


def small(seed=0, **options):
    training.set_seed(seed)
    return models.mlp(hidden=(24,), **options)


def fit(model, *splits, **options):
    return training.fit(model, *splits, **{"epochs": 2, "show": False, "device": "cpu", **options})


def same_weights(model, other):
    return all(torch.equal(a, b) for a, b in zip(model.parameters(), other.parameters(), strict=True))


def test_fit_equals_a_loop_by_hand(few):
    """The claim of chapter 1: a plain loop over the same order gives the same numbers."""
    by_hand, by_library = small(), small()
    optimizer = torch.optim.Adam(by_hand.parameters(), lr=1e-3)
    generator = torch.Generator().manual_seed(7)
    losses = []
    for _ in range(2):
        order, total = torch.randperm(len(few), generator=generator), 0.0
        for batch in order.split(128):
            loss = F.cross_entropy(by_hand(few.normalize(few.images[batch])), few.labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(batch)
        losses.append(total / len(few))
    history = fit(by_library, few, batch_size=128, seed=7)
    assert [row.train_loss for row in history.epochs] == pytest.approx(losses, abs=1e-7)
    assert same_weights(by_hand, by_library)


@pytest.mark.parametrize("augment", [None, flip_and_crop])
def test_results_follow_the_seed_and_leave_the_global_random_stream_alone(few, augment):
    networks = [models.lenet5() if augment else small(dropout=0.3) for _ in range(3)]
    for network in networks:
        network.load_state_dict(networks[0].state_dict())
    torch.manual_seed(5)
    fit(networks[0], few, seed=1, augment=augment)
    after = torch.rand(3)
    torch.manual_seed(5)
    assert torch.equal(after, torch.rand(3))
    fit(networks[1], few, seed=1, augment=augment)
    fit(networks[2], few, seed=2, augment=augment)
    assert same_weights(networks[0], networks[1]) and not same_weights(networks[0], networks[2])


def test_each_epoch_trains_in_training_mode(few):
    model, modes = small(dropout=0.5), []
    model.register_forward_pre_hook(lambda layer, inputs: modes.append(layer.training))
    fit(model.eval(), few, few)
    assert modes[-8:] == [True, True, True, False] * 2


def test_the_history_is_a_table(few):
    history = fit(small(), few, few, epochs=3, schedule=training.cosine)
    frame = history.to_frame()
    assert frame.index.tolist() == [1, 2, 3]
    assert frame["learning_rate"].is_monotonic_decreasing
    assert (frame[["seconds", "peak_memory_mb"]] > 0).all().all()
    assert history.seconds == pytest.approx(frame["seconds"].sum())
    headings, rows = history.to_rows()
    assert len(rows) == 3 and len(rows[0]) == len(headings) == 8
    history = fit(small(), few, epochs=1)
    assert math.isnan(history[0].val_loss) and "val loss" not in history.to_rows()[0]


def test_schedules_at_their_ends():
    assert training.constant(0.0) == training.constant(0.99) == 1
    assert training.cosine(0.0) == 1 and training.cosine(0.5) == pytest.approx(0.5)
    assert training.one_cycle(0.0) == 0 and training.one_cycle(0.2) == 1
    assert training.cosine(1 - 1e-9) == pytest.approx(0) == training.one_cycle(1 - 1e-9)


def test_the_schedule_scales_each_parameter_group_from_its_own_rate(few):
    rates = []

    class Watched(torch.optim.SGD):
        def step(self, closure=None):
            rates.append([group["lr"] for group in self.param_groups])

    def optimizer(parameters, lr):
        weights, *others = parameters
        return Watched([{"params": [weights]}, {"params": others, "lr": 10 * lr}], lr=lr)

    fit(small(), few, epochs=2, batch_size=100, learning_rate=0.2, optimizer=optimizer, schedule=training.cosine)
    factors = [training.cosine(step / 6) for step in range(6)]
    assert rates == [pytest.approx([0.2 * factor, 2 * factor]) for factor in factors]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": 0}, "epochs must be a whole number of at least 1, not 0"),
        ({"batch_size": 0}, "batch_size must be a whole number of at least 1, not 0"),
        ({"micro_batch": 0}, "micro_batch must be a whole number of at least 1, not 0"),
        ({"batch_size": 301}, "batch_size is 301, but there are 300 images to train on: take fewer"),
    ],
)
def test_refuses_sizes_that_make_no_sense(few, options, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        fit(small(), few, **options)
    assert len(fit(small(), few, batch_size=300)) == 2, "one batch of all images is fine"


@pytest.mark.filterwarnings("ignore::course_lib.training.TrainingWarning")  # nothing to learn from: the layer is dead
def test_augmentation_changes_training_batches_only(few):
    """Images that are wiped out: training cannot tell them apart, validation gets them whole."""
    given = []

    def wiped(images):
        given.append(images.clone())
        return images * 0

    model = small()
    history = fit(model, few, few, epochs=1, learning_rate=0.0, augment=wiped, seed=7)
    order = torch.randperm(len(few), generator=torch.Generator().manual_seed(7))
    assert torch.equal(torch.cat(given), few.normalize(few.images[order]))
    blind = F.cross_entropy(model(torch.zeros(300, 1, 28, 28)), few.labels).item()
    assert history[0].train_loss == pytest.approx(blind, rel=1e-5)
    assert history[0].val_loss == pytest.approx(F.cross_entropy(model(few.normalize(few.images)), few.labels).item())


def test_the_recipe_names_every_choice(few):
    smooth = functools.partial(F.cross_entropy, label_smoothing=0.1)
    crop = functools.partial(random_crop, padding=2)
    sgd = functools.partial(torch.optim.SGD, momentum=0.9)
    options = {"optimizer": sgd, "loss": smooth, "augment": crop, "schedule": training.cosine, "learning_rate": 0.05}
    model = small()
    history = fit(model, few, few, seed=4, **options)
    assert history[-1].val_loss == training.evaluate(model, few, loss=smooth).loss
    optimizer = history.recipe.pop("optimizer")
    assert optimizer.startswith("SGD(") and "momentum=0.9" in optimizer and "lr=" not in optimizer
    assert history.recipe == {
        "model": "MLP",
        "parameters": 784 * 24 + 24 + 24 * 10 + 10,
        "multiply_adds": 784 * 24 + 24 * 10,
        "train": 300,
        "epochs": 2,
        "batch_size": 128,
        "learning_rate": 0.05,
        "schedule": "cosine",
        "loss": "cross_entropy(label_smoothing=0.1)",
        "augment": "random_crop(padding=2)",
        "precision": "float32",
        "seed": 4,
    }
    assert fit(small(), few, epochs=1).recipe["augment"] == "none"


def test_the_setup_is_applied(monkeypatch):
    """Half precision in the forward pass, float32 weights, channels last, two threads; afterwards as before."""
    monkeypatch.setattr("course_lib.training.setup._half_precisions", lambda device: ["bfloat16"])
    pictures = data.load("cifar10", size="sample").train.select(range(48))
    model, inputs, outputs, threads = models.lenet5(in_channels=3, image_size=32), [], [], []
    model.features[0].register_forward_pre_hook(lambda layer, given: inputs.append(given[0]))
    model.features[3].register_forward_hook(lambda layer, given, output: outputs.append(output))
    model.register_forward_pre_hook(lambda layer, given: threads.append(torch.get_num_threads()))
    before = torch.get_num_threads()
    options = {"precision": "auto", "channels_last": True, "fused": True, "threads": before + 1, "keep_memory": False}
    history = fit(model, pictures, epochs=1, batch_size=16, **options)
    assert history.setup == f"CPU, {before + 1} threads, bfloat16, channels last, fused optimiser"
    assert "fused=True" in history.recipe["optimizer"]
    assert history.precision == history.recipe["precision"] == "bfloat16"
    inputs, outputs = ([x for x in tensors if not x.is_meta] for tensors in (inputs, outputs))  # not the trace
    assert len(outputs) == 3 and all(output.dtype is torch.bfloat16 for output in outputs)
    assert all(x.is_contiguous(memory_format=torch.channels_last) for x in (inputs[0], model.features[0].weight))
    assert model.features[3].weight.dtype is torch.float32
    assert threads[-1] == before + 1 and torch.get_num_threads() == before


def test_compiled_means_that_torch_compiles_the_network(few, monkeypatch):
    compiled, model = [], small()
    monkeypatch.setattr(torch, "compile", lambda network: compiled.append(network) or network)
    fit(model, few)
    assert compiled == []
    fit(model, few, compiled=True)
    assert compiled == [model]


class BranchesOnNumbers(nn.Module):
    """Cannot be traced without images."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(784, 10)

    def forward(self, images):
        logits = self.layer(images.flatten(1))
        return logits if logits.sum().item() > 0 else logits * 2


def test_a_network_that_cannot_be_traced_trains(few):
    training.set_seed(0)
    history = fit(BranchesOnNumbers(), few)
    assert history.recipe["multiply_adds"] is None
    assert history[-1].train_loss < history[0].train_loss
