"""Warnings of runs that go wrong, none of runs that do not, and where they are shown."""

import functools
import math
import warnings

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from course_lib import models, training
from course_lib.training import display
from course_lib.training.history import Epoch, History, help_link


def diagnosis(model, split, **options):
    """The warnings of two epochs of 10 steps."""
    options = {"epochs": 2, "batch_size": 30, "show": False, "device": "cpu", **options}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", training.TrainingWarning)
        return training.fit(model, split, **options).warnings


def perceptron(undecided=False):
    """``undecided`` gives each class the same chance, to the last bit."""
    training.set_seed(0)
    model = models.mlp(hidden=(24,))
    for parameter in list(model.parameters())[-2:] if undecided else []:
        nn.init.zeros_(parameter)
    return model


class Cut(nn.Module):
    """Two layers with a dead ReLU between them: the second learns its bias, the first nothing."""

    def __init__(self, first_bias=-1e6):
        super().__init__()
        self.first, self.second = nn.Linear(784, 8), nn.Linear(8, 10)
        nn.init.constant_(self.first.bias, first_bias)

    def forward(self, images):
        return self.second(torch.relu(self.first(images.flatten(1))))


@pytest.fixture(scope="module")
def even(digits):
    """30 digits of each class: no constant answer is better than chance."""
    labels = digits.train.labels
    return digits.train.select(torch.cat([(labels == digit).nonzero().flatten()[:30] for digit in range(10)]))


def test_a_healthy_run_has_no_warnings(few):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        history = training.fit(perceptron(), few, few, epochs=3, batch_size=30, show=False, device="cpu")
    assert history.warnings == {}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, True),
        ({"epochs": 1}, False),  # ten steps: too early
        ({"loss": functools.partial(F.cross_entropy, label_smoothing=0.1)}, True),
        ({"loss": nn.CrossEntropyLoss()}, True),
        ({"loss": lambda logits, labels: F.cross_entropy(logits, labels)}, False),  # it may be anything
    ],
)
def test_loss_at_ln_k(even, options, expected):
    text = diagnosis(perceptron(undecided=True), even, **{"learning_rate": 0.0, **options}).get("loss-at-ln-k", "")
    assert text.startswith("Epoch 2: the training loss is 2.303. That is ln 10,") == expected
    assert diagnosis(perceptron(), even, learning_rate=0.0) == {}, "a fresh perceptron is not quite at ln 10"


def test_good_answers_at_a_loss_of_ln_k_are_no_symptom(few):
    zeros = few.select((few.labels == 0).nonzero().flatten()[:25].tolist() * 12)
    assert "loss-at-ln-k" not in diagnosis(perceptron(undecided=True), zeros, learning_rate=0.0)


@pytest.mark.parametrize("epochs", [1, 3])
def test_not_a_number_names_the_first_broken_weights(few, epochs):
    symptoms = diagnosis(perceptron(), few, epochs=epochs, learning_rate=math.inf)
    assert list(symptoms) == ["not-a-number"]
    assert symptoms["not-a-number"].startswith(
        "Epoch 1: the training loss is nan, and 4 of 4 weight tensors are not finite (features.0.weight first)."
    )


def test_a_loss_that_is_infinite_by_itself_leaves_the_weights(few):
    symptoms = diagnosis(perceptron(), few, loss=lambda logits, labels: F.cross_entropy(logits, labels) + math.inf)
    assert "inf, though all weights are still finite" in symptoms["not-a-number"]


def test_dead_layers_are_named(few):
    assert "2 of 2 layers with weights (first to second)" in diagnosis(Cut(), few)["dead-layers"]
    assert diagnosis(Cut(first_bias=0), few) == {}
    assert "dead-layers" not in diagnosis(Cut(), few.select(range(250)), batch_size=48), "the last batch has 10"
    nothing_left = diagnosis(perceptron(), few, loss=lambda logits, labels: (logits * 0).sum())
    assert nothing_left == {}, "a loss of exactly zero"


def test_a_layer_that_takes_no_part_is_dead_and_a_frozen_one_is_not(few):
    model = Cut(first_bias=0)
    model.spare = nn.Linear(3, 3)
    assert "1 of 3 layers with weights (spare)" in diagnosis(model, few)["dead-layers"]
    model.spare.requires_grad_(False)
    model.first.requires_grad_(False)
    assert diagnosis(model, few) == {}


def history_with(**symptoms):
    return History(epochs=[Epoch(1, 2.3, 0.1, math.nan, math.nan, 1e-3, 0.1, 9.0)], warnings=symptoms)


def test_without_a_table_a_warning_is_pythons_and_names_the_caller(few):
    with pytest.warns(training.TrainingWarning, match=r"exactly zero .*diagnosis\.md#dead-layers$") as caught:
        training.fit(Cut(), few, epochs=1, batch_size=30, show=False, device="cpu")
    assert [warning.filename for warning in caught] == [__file__]


def test_a_warning_that_changes_is_shown_again():
    hidden = display.Display()
    new = [hidden.new_warnings(history_with(**{"out-of-memory": f"parts of {size}"})) for size in (50, 50, 25)]
    assert [len(texts) for texts in new] == [1, 0, 1]


def test_the_terminal_shows_the_table_and_each_warning_once(few, capsys):
    history = training.fit(Cut(), few, few, epochs=2, batch_size=30, device="cpu", keep_memory=False, threads=1)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:5] == ["epoch", "train", "loss", "train", "acc"]
    assert [line.split()[0] for line in lines[1:]] == ["1", "Epoch", "2", "2"]
    assert lines[2] == f"{history.warnings['dead-layers']} See {help_link('dead-layers')}"
    assert lines[4].startswith("2 epochs in ") and lines[4].endswith("s on CPU, 1 thread, float32")


def test_the_notebook_updates_one_output(monkeypatch):
    IPython = pytest.importorskip("IPython")
    pages = []

    class Handle:
        def update(self, page):
            pages.append(page.data)

    monkeypatch.setattr(IPython.display, "display", lambda page, display_id: pages.append(page.data) or Handle())
    monkeypatch.setattr(IPython, "get_ipython", lambda: type("Shell", (), {"kernel": None})())
    notebook = display.choose_display(True, 1, 4)
    notebook.step(History(), 3)
    history = history_with(**{"dead-layers": "Epoch 1: <none> learns."})
    notebook.epoch(history)
    notebook.close(history, "done")
    empty, step, epoch, final = pages
    assert "0 of 4 batches" in empty and "3 of 4 batches" in step and "4 of 4 batches" in epoch
    assert "<td>2.3000</td>" in epoch and "<td>2.3000</td>" in final and final.endswith("<p>done</p></div>")
    link = f'<a href="{help_link("dead-layers")}">Diagnosis card</a>'
    assert all(f"Epoch 1: &lt;none&gt; learns. {link}" in page for page in (epoch, final))
    assert "course-warning" not in step
