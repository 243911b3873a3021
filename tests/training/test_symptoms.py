"""What ``fit`` tells of a run that goes wrong, and that it is silent where nothing does."""

import math
import warnings
from functools import partial

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from course_lib import models, training
from course_lib.errors import CourseError
from course_lib.training import live
from course_lib.training.history import Epoch, History, help_link


def fit(model, *splits, **options):
    """At least 20 steps on 300 images, and warnings stay in the history."""
    options = {"epochs": 2, "batch_size": 30, "show": False, "device": "cpu", **options}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", training.TrainingWarning)
        return training.fit(model, *splits, **options)


def undecided():
    """A network that gives each class the same chance, to the last bit."""
    model = small()
    for one in list(model.parameters())[-2:]:
        nn.init.zeros_(one)
    return model


def small(**options):
    training.set_seed(0)
    return models.mlp(hidden=(24,), **options)


@pytest.fixture(scope="module")
def even(digits):
    """30 digits of each class: none can be guessed more often than chance."""
    labels = digits.train.labels
    return digits.train.select(torch.cat([(labels == digit).nonzero().flatten()[:30] for digit in range(10)]))


class Cut(nn.Module):
    """Two layers with a dead ReLU between them: the second learns its bias, the first nothing."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(784, 8), nn.Linear(8, 10)
        nn.init.constant_(self.first.bias, -1e6)

    def forward(self, images):
        return self.second(torch.relu(self.first(images.flatten(1))))


class Narrow(nn.Module):
    """Takes at most ``most`` images at a time, or runs out of memory, as a GPU says it."""

    def __init__(self, most, between=None):
        super().__init__()
        self.most, self.seen = most, []
        self.layers = nn.Sequential(
            nn.Flatten(), nn.Linear(784, 12), *([between] if between else []), nn.Linear(12, 10)
        )

    def forward(self, images):
        if not images.is_meta and self.training:
            self.seen.append(len(images))
            if len(images) > self.most:
                raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 392.00 MiB.")
        return self.layers(images)


def narrow(most, between=None):
    training.set_seed(0)
    return Narrow(most, between)


def test_a_healthy_run_has_no_warnings(few):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        history = training.fit(small(), few, few, epochs=3, batch_size=30, show=False, device="cpu")
    assert history.warnings == {}


def test_a_loss_at_ln_k_is_told_once(even):
    history = fit(small(), even, epochs=4, learning_rate=0.0)
    assert history[-1].train_loss > 2.32 and not history.warnings, "a fresh perceptron is not quite at ln 10"
    history = fit(undecided(), even, epochs=4, learning_rate=0.0)
    assert history.warnings["loss-at-ln-k"].startswith("Epoch 2: the training loss is 2.303. That is ln 10,")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, True),
        ({"epochs": 1}, False),  # ten steps: too early to say
        ({"loss": partial(F.cross_entropy, label_smoothing=0.1)}, True),
        ({"loss": nn.CrossEntropyLoss()}, True),
        ({"loss": lambda logits, labels: F.cross_entropy(logits, labels)}, False),  # it may be anything
    ],
)
def test_it_is_told_only_where_ln_k_means_chance(even, options, told):
    history = fit(undecided(), even, **{"learning_rate": 0.0, **options})
    assert ("loss-at-ln-k" in history.warnings) == told


def test_good_answers_at_a_loss_of_ln_k_are_no_symptom(few):
    """A network may pass ln K on its way, or be sure of its errors."""
    zeros = few.select((few.labels == 0).nonzero().flatten()[:25].tolist() * 12)
    history = fit(undecided(), zeros, learning_rate=0.0)
    assert history[-1].train_accuracy == 1 and abs(history[-1].train_loss - math.log(10)) < 0.01
    assert "loss-at-ln-k" not in history.warnings


@pytest.mark.parametrize("epochs", [1, 3])
def test_not_a_number_names_the_first_broken_weights(few, epochs):
    history = fit(small(), few, epochs=epochs, learning_rate=math.inf)
    told = history.warnings["not-a-number"]
    assert told.startswith("Epoch 1: the training loss is nan, and 4 of 4 weight tensors are not finite (")
    assert list(history.warnings) == ["not-a-number"]


def test_a_loss_that_is_infinite_by_itself_leaves_the_weights(few):
    def loss(logits, labels):
        return F.cross_entropy(logits, labels) * 1 + math.inf

    told = fit(small(), few, loss=loss).warnings["not-a-number"]
    assert "inf, though all weights are finite still" in told


def test_dead_layers_are_named(few):
    history = fit(Cut(), few)
    assert "2 of 2 layers with weights (first to second)" in history.warnings["dead-layers"]
    assert "dead-layers" not in fit(Cut(), few.select(range(250)), batch_size=48).warnings, "the last batch has 10"
    alive = Cut()
    nn.init.zeros_(alive.first.bias)
    assert "dead-layers" not in fit(alive, few).warnings


def test_a_layer_that_takes_no_part_is_dead_and_a_frozen_one_is_not(few):
    model = Cut()
    nn.init.zeros_(model.first.bias)
    model.spare = nn.Linear(3, 3)
    assert "1 of 3 layers with weights (spare)" in fit(model, few).warnings["dead-layers"]
    model.spare.requires_grad_(False)
    model.first.requires_grad_(False)
    assert "dead-layers" not in fit(model, few).warnings


def test_a_loss_of_zero_means_nothing_is_left_to_learn(few):
    def nothing(logits, labels):
        return (logits * 0).sum()

    assert fit(small(), few, loss=nothing).warnings == {}


@pytest.mark.parametrize("size", [1, 7, 32, 128, 500])
def test_micro_batches_take_the_same_steps(few, size):
    whole, split = small(), small()
    options = {"batch_size": 128, "optimizer": partial(torch.optim.SGD, momentum=0.9), "learning_rate": 0.1}
    one, other = fit(whole, few, **options), fit(split, few, micro_batch=size, **options)
    for a, b in zip(whole.parameters(), split.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)
    assert other[-1].train_loss == pytest.approx(one[-1].train_loss, rel=1e-5)
    assert other[-1].train_accuracy == one[-1].train_accuracy and other.warnings == {}
    if size >= 128:
        assert all(torch.equal(a, b) for a, b in zip(whole.parameters(), split.parameters(), strict=True))


def test_a_batch_that_does_not_fit_is_halved_and_training_goes_on(few):
    whole, split = narrow(1_000), narrow(20)
    options = {"batch_size": 100, "optimizer": torch.optim.SGD, "learning_rate": 0.1}
    one, other = fit(whole, few, **options), fit(split, few, **options)
    assert split.seen[:12] == [100, 50, 25, 12, *[11] * 8], "halved until it fits, in even parts"
    assert set(split.seen[3:]) == {12, 11}, "and never tried again"
    for a, b in zip(whole.parameters(), split.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)
    assert other[-1].train_accuracy == one[-1].train_accuracy, "what was counted before the halt is not counted twice"
    assert other.warnings["out-of-memory"] == (
        "Epoch 1: a batch of 100 images did not fit into memory. It goes through the network in parts of at most 12 "
        "now, and their gradients are added up; the step is the same, dropout apart."
    )


def test_batch_norm_is_said_to_change(few):
    told = fit(narrow(60, nn.BatchNorm1d(12)), few, batch_size=100).warnings["out-of-memory"]
    assert "parts of at most 50 now" in told and "batch norm takes its statistics from these, so results change" in told


def test_a_split_that_fails_in_mid_batch_starts_the_batch_again(few):
    class Tired(Narrow):
        def forward(self, images):
            if self.training and not images.is_meta and len(self.seen) == 3:
                self.seen.append(0)
                raise RuntimeError("MPS backend out of memory")
            return super().forward(images)

    training.set_seed(0)
    model = Tired(1_000)
    whole = narrow(1_000)
    options = {"batch_size": 100, "optimizer": torch.optim.SGD, "learning_rate": 0.1, "epochs": 1}
    one, other = fit(whole, few, **options), fit(model, few, micro_batch=40, **options)
    assert model.seen == [34, 33, 33, 0, *[20] * 10], "the second batch failed in its first part"
    for a, b in zip(whole.parameters(), model.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)
    assert other[0].train_loss == pytest.approx(one[0].train_loss, rel=1e-5)


def test_where_a_single_image_does_not_fit_the_run_ends(few):
    with pytest.raises(CourseError, match=r"ran out of memory in epoch 1, step 1, .*#out-of-memory$"):
        fit(narrow(0), few, batch_size=100)


def test_judging_takes_fewer_images_where_memory_is_short(few):
    class Cramped(Narrow):
        def forward(self, images):
            if not self.training and len(images) > 70:
                raise torch.cuda.OutOfMemoryError("CUDA out of memory.")
            return super().forward(images)

    training.set_seed(0)
    one, other = fit(Cramped(1_000), few, few), fit(narrow(1_000), few, few)
    assert one[-1].val_loss == pytest.approx(other[-1].val_loss, rel=1e-6)
    assert one[-1].val_accuracy == other[-1].val_accuracy


def test_a_second_split_is_told_too(few):
    with pytest.warns(training.TrainingWarning) as caught:
        training.fit(narrow(30), few, epochs=1, batch_size=100, show=False, device="cpu")
    display = live.Display()
    for parts in (50, 25):
        with pytest.warns(training.TrainingWarning, match=f"parts of {parts}"):
            display.warn(ended(**{"out-of-memory": f"in parts of {parts}"}))
    assert len(caught) == 1


def test_the_recipe_says_how_many_images_went_at_a_time(few):
    assert fit(narrow(30), few, batch_size=100).recipe["micro_batch"] == 25
    assert "micro_batch" not in fit(narrow(100), few, batch_size=100).recipe


@pytest.mark.parametrize("size", [0, -3])
def test_a_micro_batch_without_images_is_refused(few, size):
    with pytest.raises(ValueError, match=f"^micro_batch must be at least 1, not {size}$"):
        fit(small(), few, micro_batch=size)


def test_a_resumed_run_remembers_its_warnings_and_its_parts(few, tmp_path):
    def kill(model, _inputs):
        if len(model.seen) == 40:  # in the second epoch
            raise KeyboardInterrupt

    options = {"batch_size": 100, "checkpoint": tmp_path / "run.pt"}
    killed, again = narrow(20), narrow(20)
    killed.register_forward_pre_hook(kill)
    with pytest.raises(KeyboardInterrupt):
        fit(killed, few, **options)
    history = fit(again, few, **options)
    assert "parts of at most 12 now" in history.warnings["out-of-memory"]
    assert len(history) == 2 and again.seen and max(again.seen) == 12, "a batch that did not fit is not tried again"


def ended(**told):
    return History(epochs=[Epoch(1, 2.3, 0.1, math.nan, math.nan, 1e-3, 0.1, 9.0)], warnings=told)


def test_without_a_table_a_warning_comes_as_python_gives_it_and_names_the_caller(few):
    model = Cut()
    with pytest.warns(training.TrainingWarning, match=r"exactly zero .*diagnosis\.md#dead-layers$") as caught:
        training.fit(model, few, epochs=2, batch_size=30, show=False, device="cpu")
    assert len(caught) == 1 and caught[0].filename == __file__


def test_the_terminal_prints_a_warning_once(capsys):
    terminal = live.Terminal(2, 1)
    for epoch in range(2):
        terminal.step(ended(), epoch, 0)
        terminal.epoch(ended(**{"dead-layers": "Epoch 1: none learns."}))
    terminal.close(ended(), "done")
    printed = capsys.readouterr().out
    assert printed.count(f"Epoch 1: none learns. See {help_link('dead-layers')}") == 1


def test_the_notebook_keeps_a_warning_below_the_table(monkeypatch):
    IPython = pytest.importorskip("IPython")
    shown = []

    class Handle:
        def update(self, page):
            shown.append(page.data)

    monkeypatch.setattr(IPython.display, "display", lambda page, display_id: Handle())
    notebook = live.Notebook(1, 1)
    history = ended(**{"dead-layers": "Epoch 1: <none> learns."})
    notebook.epoch(history)
    notebook.close(history, "done")
    link = f'<a href="{help_link("dead-layers")}">Diagnosis card</a>'
    assert all(f"Epoch 1: &lt;none&gt; learns. {link}" in page for page in shown) and len(shown) == 2
    assert "course-warning" not in notebook._page(ended(), "").data
