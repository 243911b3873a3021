import functools
import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from course_lib import data, models, training
from course_lib.data.augmentation import flip_and_crop, random_crop
from course_lib.errors import CourseError


def small(seed=0, **options):
    training.set_seed(seed)
    return models.mlp(hidden=(24,), **options)


def fit(model, *splits, **options):
    return training.fit(model, *splits, **{"epochs": 2, "show": False, "device": "cpu", **options})


def same_weights(one, other):
    return all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


def test_it_equals_the_loop_written_out(few):
    """The claim of chapter 1: a plain loop over the same order gives the same numbers."""
    by_hand, by_library = small(), small()
    optimizer = torch.optim.Adam(by_hand.parameters(), lr=1e-3)
    chance = torch.Generator().manual_seed(7)
    losses = []
    for _ in range(2):
        order, total = torch.randperm(len(few), generator=chance), 0.0
        for here in order.split(128):
            loss = F.cross_entropy(by_hand(few.normalize(few.images[here])), few.labels[here])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(here)
        losses.append(total / len(few))
    history = fit(by_library, few, batch_size=128, seed=7)
    assert [row.train_loss for row in history.epochs] == pytest.approx(losses, abs=1e-7)
    assert same_weights(by_hand, by_library)


def test_it_learns(digits):
    model = small()
    history = fit(model, digits.train, digits.val, epochs=4)
    assert history[-1].val_accuracy > 0.85
    assert history[-1].train_loss < history[0].train_loss


def test_the_same_seed_gives_the_same_numbers_and_another_one_does_not(few):
    first, again, other = (small(dropout=0.3) for _ in range(3))
    fit(first, few, seed=1), fit(again, few, seed=1), fit(other, few, seed=2)
    assert same_weights(first, again)
    assert not same_weights(first, other)


def test_what_happens_outside_does_not_matter_and_is_not_disturbed(few):
    first, again = small(dropout=0.3), small(dropout=0.3)
    torch.manual_seed(5)
    fit(first, few)
    after = torch.rand(3)
    torch.manual_seed(5)
    assert torch.equal(after, torch.rand(3)), "fit must leave the global random stream as it found it"
    fit(again, few)
    assert same_weights(first, again)


def test_means_count_every_image_once(few):
    """300 images in batches of 128 leave 44: a mean of batch means would be another number."""
    model = small()
    history = fit(model, few, few, epochs=1, learning_rate=0.0)
    exact = F.cross_entropy(model(few.normalize(few.images)), few.labels).item()
    assert history[0].train_loss == pytest.approx(exact, rel=1e-6)
    assert history[0].val_loss == pytest.approx(exact, rel=1e-6)
    batches = [F.cross_entropy(model(x), y).item() for x, y in data.Batches(few, 128)]
    assert abs(sum(batches) / 3 - exact) > 1e-4, "else this test could not fail"


def test_validation_runs_without_dropout_and_the_mode_is_put_back(few):
    model = small(dropout=0.5)
    model.eval()
    one, two = training.evaluate(model.train(), few), training.evaluate(model, few)
    assert one == two
    assert model.training


def test_history_is_a_table(few):
    history = fit(small(), few, few, epochs=3, schedule=training.cosine)
    frame = history.to_frame()
    assert frame.index.tolist() == [1, 2, 3]
    assert frame["learning_rate"].is_monotonic_decreasing
    assert (frame[["seconds", "peak_memory_mb"]] > 0).all().all()
    assert history.seconds == pytest.approx(frame["seconds"].sum())
    headings, rows = history.to_rows()
    assert len(rows) == 3 and len(rows[0]) == len(headings) == 8


def test_without_validation_its_columns_are_left_out(few):
    history = fit(small(), few, epochs=1)
    assert math.isnan(history[0].val_loss)
    assert "val loss" not in history.to_rows()[0]


def test_schedules_begin_and_end_where_they_say():
    assert training.constant(0.0) == training.constant(0.99) == 1
    assert training.cosine(0.0) == 1 and training.cosine(0.5) == pytest.approx(0.5)
    assert training.one_cycle(0.0) == 0 and training.one_cycle(0.2) == 1
    assert training.cosine(1 - 1e-9) == pytest.approx(0) == training.one_cycle(1 - 1e-9)


def test_any_optimizer_and_loss(few):
    sgd = functools.partial(torch.optim.SGD, momentum=0.9)
    smooth = functools.partial(F.cross_entropy, label_smoothing=0.1)
    history = fit(small(), few, few, optimizer=sgd, loss=smooth, learning_rate=0.05)
    assert history[-1].train_loss < history[0].train_loss


@pytest.mark.parametrize("options", [{"epochs": 0}, {"batch_size": 0}])
def test_nonsense_is_refused(few, options):
    with pytest.raises(ValueError, match="at least 1"):
        fit(small(), few, **options)


def test_a_batch_larger_than_the_data_is_refused(few):
    with pytest.raises(ValueError, match=r"^batch_size is 1,000, but there are 300 images to train on: take fewer$"):
        fit(small(), few, batch_size=1_000)
    assert len(fit(small(), few, batch_size=300)) == 2


def test_the_schedule_scales_each_parameter_group_from_its_own_rate(few):
    seen = []

    class Watched(torch.optim.SGD):
        def step(self, closure=None):
            seen.append([group["lr"] for group in self.param_groups])

    def optimizer(parameters, lr):
        weights, *others = parameters
        return Watched([{"params": [weights]}, {"params": others, "lr": 10 * lr}], lr=lr)

    fit(small(), few, epochs=2, batch_size=100, learning_rate=0.2, optimizer=optimizer, schedule=training.cosine)
    factors = [training.cosine(step / 6) for step in range(6)]
    assert seen == [pytest.approx([0.2 * factor, 2 * factor]) for factor in factors]


class Hungry(nn.Module):
    """Runs out of memory in its third step, with the words of the device."""

    def __init__(self, error):
        super().__init__()
        self.layer, self.error, self.steps = nn.Linear(784, 10), error, 0

    def forward(self, images):
        self.steps += not images.is_meta
        if self.steps > 2:
            raise self.error
        return self.layer(images.flatten(1))


@pytest.mark.parametrize(
    "error",
    [
        torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 392.00 MiB."),
        RuntimeError("[enforce fail at alloc_cpu.cpp:121] DefaultCPUAllocator: can't allocate memory"),
        RuntimeError("MPS backend out of memory (MPS allocated: 9.06 GB)"),
    ],
)
def test_a_device_without_memory_ends_the_run_in_clear_words(few, error, tmp_path):
    words = r"^CPU, .* ran out of memory in epoch 2, step 1, .*not trained: .* below 150, .*#out-of-memory$"
    with pytest.raises(CourseError, match=words):
        fit(Hungry(error), few, batch_size=150, checkpoint=tmp_path / "run.pt")
    assert [file.name for file in tmp_path.iterdir()] == ["run.pt"], "what was saved before stays whole"


def test_any_other_error_comes_through_as_it_is(few):
    with pytest.raises(RuntimeError, match=r"^of another kind$"):
        fit(Hungry(RuntimeError("of another kind")), few, batch_size=150)


def test_a_finished_run_is_not_trained_again(few, tmp_path):
    path = tmp_path / "run.pt"
    first, again = small(), small()
    one = fit(first, few, few, checkpoint=path)
    two = fit(again, few, few, checkpoint=path)
    assert same_weights(first, again)
    assert one.epochs == two.epochs


@pytest.mark.parametrize(
    ("change", "named"),
    [({"epochs": 3}, "epochs"), ({"seed": 9}, "seed"), ({"optimizer": torch.optim.SGD}, "optimizer")],
)
def test_a_checkpoint_of_another_recipe_is_refused(few, tmp_path, change, named):
    path = tmp_path / "run.pt"
    fit(small(), few, checkpoint=path)
    kept = path.read_bytes()
    with pytest.raises(CourseError, match=f"another run \\(different .*{named}"):
        fit(small(), few, checkpoint=path, **change)
    assert path.read_bytes() == kept


def test_a_checkpoint_of_other_data_or_first_weights_is_refused(few, tmp_path):
    path = tmp_path / "run.pt"
    fit(small(), few, checkpoint=path)
    with pytest.raises(CourseError, match="training images"):
        fit(small(), few.select(range(200)), checkpoint=path)
    with pytest.raises(CourseError, match="first weights"):
        fit(small(seed=1), few, checkpoint=path)


@pytest.mark.parametrize("rubbish", [b"", b"not a checkpoint", b"PK\x03\x04 half a zip"])
def test_a_damaged_checkpoint_is_named(few, tmp_path, rubbish):
    path = tmp_path / "run.pt"
    path.write_bytes(rubbish)
    with pytest.raises(CourseError, match=r"run\.pt is damaged: delete it"):
        fit(small(), few, checkpoint=path)


def test_a_checkpoint_folder_that_cannot_be_written(few, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CourseError, match="cannot be written"):
        fit(small(), few, checkpoint=tmp_path / "file" / "run.pt")


def test_batch_norm_statistics_are_part_of_the_weights(few, tmp_path):
    training.set_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(784), nn.Linear(784, 10))
    fit(model, few, checkpoint=tmp_path / "run.pt")
    fresh = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(784), nn.Linear(784, 10))
    training.set_seed(0)
    fresh = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(784), nn.Linear(784, 10))
    fit(fresh, few, checkpoint=tmp_path / "run.pt")
    assert torch.equal(model[1].running_mean, fresh[1].running_mean)


def convnet(seed=0):
    training.set_seed(seed)
    return models.lenet5()


def test_half_precision_is_used_where_it_is_chosen(few, monkeypatch):
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA", raising=False)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: True, raising=False)
    model, seen = convnet(), []
    model.features[3].register_forward_hook(lambda layer, inputs, output: seen.append(output))
    history = fit(model, few, epochs=1, precision="auto")
    assert history.precision == history.recipe["precision"] == "bfloat16"
    seen = [output for output in seen if not output.is_meta]  # not the trace that counts multiply-adds
    assert len(seen) == 3 and all(output.dtype is torch.bfloat16 for output in seen)
    assert model.features[3].weight.dtype is torch.float32
    assert fit(convnet(), few, epochs=1).precision == "float32"


def test_fit_really_lays_the_channels_last():
    pictures = data.load("cifar10", size="sample").train.select(range(40))
    model, seen = models.lenet5(in_channels=3, image_size=32), []
    model.features[0].register_forward_pre_hook(lambda layer, inputs: seen.append(inputs[0]))
    fit(model, pictures, epochs=1, batch_size=20)
    seen = [images for images in seen if not images.is_meta]
    assert seen and all(images.is_contiguous(memory_format=torch.channels_last) for images in seen)
    assert model.features[0].weight.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.filterwarnings("ignore::course_lib.training.TrainingWarning")  # nothing to learn from: the layer is dead
def test_augmentation_changes_each_training_batch_and_no_other(few):
    """A change that wipes out the images: training cannot tell them apart, judging sees them whole."""
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


@pytest.mark.parametrize(
    ("augment", "name"),
    [
        (None, "none"),
        (flip_and_crop, "flip_and_crop"),
        (functools.partial(random_crop, padding=2), "random_crop(padding=2)"),
    ],
)
def test_the_recipe_names_the_augmentation(few, augment, name):
    assert fit(small(), few, epochs=1, augment=augment).recipe["augment"] == name


def test_augmentation_follows_the_seed(few):
    first, again, other, without = (convnet() for _ in range(4))
    fit(first, few, augment=flip_and_crop, seed=1), fit(again, few, augment=flip_and_crop, seed=1)
    fit(other, few, augment=flip_and_crop, seed=2), fit(without, few, seed=1)
    assert same_weights(first, again)
    assert not same_weights(first, other) and not same_weights(first, without)


class Stopped(Exception):
    pass


@pytest.mark.parametrize("steps", [1, 3, 4])
def test_a_resumed_run_with_augmentation_equals_an_uninterrupted_one(few, tmp_path, steps):
    """Stopped in mid-epoch, at an epoch's end, and just behind it; with dropout, which draws from the same stream."""
    options = {"epochs": 3, "augment": flip_and_crop, "seed": 5, "checkpoint_seconds": 0}
    whole, resumed = small(dropout=0.3), small(dropout=0.3)
    expected = fit(whole, few, few, checkpoint=tmp_path / "whole.pt", **options)
    taken = []

    def interrupted(images):
        if len(taken) == steps:
            raise Stopped
        taken.append(len(images))
        return flip_and_crop(images)

    interrupted.__name__ = "flip_and_crop"  # the same recipe
    with pytest.raises(Stopped):
        fit(resumed, few, few, checkpoint=tmp_path / "run.pt", **options | {"augment": interrupted})
    fresh = small(dropout=0.3)
    history = fit(fresh, few, few, checkpoint=tmp_path / "run.pt", **options)
    assert same_weights(whole, fresh)
    assert [row.train_loss for row in history.epochs] == [row.train_loss for row in expected.epochs]
    assert [row.val_loss for row in history.epochs] == [row.val_loss for row in expected.epochs]


def test_a_checkpoint_of_another_augmentation_is_refused(few, tmp_path):
    fit(small(), few, checkpoint=tmp_path / "run.pt")
    with pytest.raises(CourseError, match=r"another run \(different augment"):
        fit(small(), few, checkpoint=tmp_path / "run.pt", augment=flip_and_crop)


class LooksAtItsNumbers(nn.Module):
    """Nothing can be said about it beforehand, for it decides by the images that it gets."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(784, 10)

    def forward(self, images):
        logits = self.layer(images.flatten(1))
        return logits if logits.sum().item() > 0 else logits * 2


def test_a_network_that_cannot_be_traced_trains_all_the_same(few):
    training.set_seed(0)
    model = LooksAtItsNumbers()
    history = fit(model, few, epochs=2)
    assert history.recipe["multiply_adds"] is None
    assert history[-1].train_loss < history[0].train_loss
    assert fit(small(), few, epochs=1).recipe["multiply_adds"] == 784 * 24 + 24 * 10
