"""The recipes: what they promise, what they pass to ``fit``, and that they learn, on the sample and in small."""

import itertools
import math
from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import pytest
import torch
from torch.nn import functional as F

from course_lib import data, models, recipes, training
from course_lib.analysis import count_multiply_adds
from course_lib.data.augmentation import cutout
from course_lib.errors import CourseError
from course_lib.recipes import cifar10, cifar10_96, mnist_99, result
from course_lib.torchvision_fix import import_torchvision

transform = import_torchvision().transforms.functional

NAMES = recipes.NAMES
HERE = {"device": "cpu", "threads": 1, "show": False}


@pytest.fixture(scope="module", autouse=True)
def without_bfloat16():
    """The same training on every processor, and none is slow at it: "auto" is float32."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"):
            patch.setattr(torch.cpu, name, lambda: False, raising=False)
        yield


@pytest.fixture(scope="module")
def pictures():
    """The embedded sample of CIFAR-10."""
    return data.load("cifar10", size="sample")


@pytest.fixture
def narrow(monkeypatch):
    """The networks for CIFAR-10 with an eighth of their channels."""
    monkeypatch.setattr(cifar10, "whitened", partial(models.whitened, width=1 / 8))


@pytest.fixture
def fits(monkeypatch):
    """Instead of training: the arguments of ``fit``, call by call."""
    calls = []

    def fit(model, images, val=None, **options):
        calls.append(SimpleNamespace(model=model, images=images, val=val, options=options))
        return "history"

    for module in (cifar10, mnist_99):
        monkeypatch.setattr(module, "fit", fit)
    return calls


@pytest.fixture
def forty(pictures, digits):
    """Forty training images for a recipe."""
    return lambda name: (digits if name.startswith("mnist") else pictures).train.select(range(40))


def same_weights(model, other):
    return all(torch.equal(a, b) for a, b in zip(model.parameters(), other.parameters(), strict=True))


# ---- what each recipe promises


@pytest.mark.parametrize("name", ["mnist-98", "mnist_99", "cifar10", "result", ""])
def test_any_other_name_is_refused_before_data_is_loaded(name, monkeypatch):
    monkeypatch.setattr(data, "load", lambda *words, **options: pytest.fail("data were loaded"))
    with pytest.raises(CourseError, match=f"^There is no recipe '{name}': choose from {', '.join(NAMES)}.$"):
        recipes.run(name)


@pytest.mark.parametrize("name", NAMES)
def test_the_name_holds_data_and_target(name):
    recipe = recipes.take(name)
    assert name == f"{recipe.DATA}-{100 * recipe.TARGET:.0f}"


# ---- what is passed to fit


@pytest.mark.parametrize("name", NAMES)
def test_splits_seed_and_options_reach_fit(name, fits, narrow, forty):
    train, images = recipes.take(name).train, forty(name)
    model, history = train(images, images.select(range(9)), seed=7)
    call = fits[0]
    assert call.images is images and len(call.val) == 9 and call.model is model and history == "history"
    assert call.options["seed"] == 7 and call.options["precision"] == "auto"
    chosen = {"epochs": 1, "batch_size": 8, "learning_rate": 0.5, "precision": "float32", "show": False}
    chosen |= {"schedule": training.cosine, "optimizer": torch.optim.Adam, "augment": None}
    train(images, **chosen)
    changed = fits[1]
    assert changed.val is None and changed.options.items() >= (chosen | {"seed": 0}).items()
    assert changed.options.keys() == call.options.keys() | chosen.keys()


@pytest.mark.parametrize("name", NAMES)
def test_the_seed_decides_the_first_weights(name, fits, narrow, forty):
    networks = []
    for before, seed in ((1, 4), (2, 4), (2, 5)):
        torch.manual_seed(before)
        networks.append(recipes.take(name).train(forty(name), seed=seed)[0])
    model, same, other = networks
    assert same_weights(model, same) and not same_weights(model, other)


@pytest.mark.parametrize("name", NAMES[1:])
def test_the_recipes_for_cifar_share_all_but_sizes(name, fits, forty):
    model, _ = recipes.take(name).train(forty(name))
    options = fits[0].options
    augment = cifar10_96.flip_shift_and_cut if name == "cifar10-96" else cifar10.flip_and_shift
    assert (options["optimizer"], options["schedule"], options["augment"]) == (cifar10.sgd, cifar10.triangle, augment)
    convolutions = sum(isinstance(layer, torch.nn.Conv2d) for layer in model.modules())
    assert convolutions == (1 + 3 * 3 if name == "cifar10-96" else 1 + 3 * 2)
    if name == "cifar10-94":
        assert count_multiply_adds(model, (3, 32, 32)) == 118_147_360  # as the source counts


@pytest.mark.parametrize(("chosen", "smoothing"), [({}, 0.1), ({"smoothing": 0.0}, 0.0), ({"smoothing": 0.05}, 0.05)])
def test_labels_are_smoothed(chosen, smoothing, fits, forty):
    recipes.take("cifar10-80").train(forty("cifar10"), **chosen)
    logits, labels = torch.randn(6, 10), torch.arange(6)
    assert fits[0].options["loss"](logits, labels) == F.cross_entropy(logits, labels, label_smoothing=smoothing)
    assert "smoothing" not in fits[0].options


@pytest.mark.parametrize("name", ["mnist-99", "cifar10-80"])
def test_there_is_a_logit_for_each_class_of_the_images(name, fits, forty):
    images = replace(forty(name), labels=forty(name).labels % 3, classes=("this", "that", "other"))
    model, _ = recipes.take(name).train(images)
    assert model(images.normalize(images.images)).shape == (40, 3)


def test_5000_normalised_training_images_are_whitened(fits, monkeypatch):
    numbers = torch.arange(5_010) % 251
    pixels = numbers.to(torch.uint8).reshape(-1, 1, 1, 1)
    split = data.Split("train", pixels, numbers % 10, tuple("0123456789"), (0.5,), (0.25,))
    seen = []
    monkeypatch.setattr(cifar10, "whitened", lambda *sizes, **options: SimpleNamespace(whiten=seen.append))
    recipes.take("cifar10-94").train(split)
    torch.testing.assert_close(seen[0].flatten(), (numbers[:5_000] / 255 - 0.5) / 0.25)
    assert len(seen) == 1 and len(fits[0].images) == 5_010


# ---- the parts


@pytest.fixture
def parameters():
    """A weight, a frozen one, a bias and a frozen bias, all ones."""
    made = [torch.nn.Parameter(torch.ones(shape)) for shape in ((2, 3), (4, 5), (6,), (7,))]
    made[1].requires_grad_(False), made[3].requires_grad_(False)
    return made


def test_biases_learn_64_times_as_fast_with_as_much_decay_a_step_and_frozen_weights_are_left_out(parameters):
    weights, biases = cifar10.sgd(iter(parameters), lr=0.5).param_groups
    assert weights["params"] == [parameters[0]] and biases["params"] == [parameters[2]]
    assert (weights["lr"], biases["lr"], weights["weight_decay"]) == (0.5, 32.0, 1.33e-3)
    assert biases["lr"] * biases["weight_decay"] == pytest.approx(weights["lr"] * weights["weight_decay"])
    for group in (weights, biases):
        assert (group["momentum"], group["nesterov"]) == (0.85, True)


def test_a_fused_kernel_is_used_where_fit_asks_for_one(parameters):
    assert training.choose_setup(models.whitened(width=1 / 16), precision="auto", optimizer=cifar10.sgd).fused is True
    for fused in (True, False, None):
        optimizer = cifar10.sgd(parameters, lr=0.5, fused=fused)
        assert {group["fused"] for group in optimizer.param_groups} == {fused}


def test_the_triangle_rises_to_1_at_23_percent_and_falls_in_straight_lines():
    corners = {0: 0.2, 0.115: 0.6, 0.23: 1, 0.615: 0.535, 1: 0.07}
    assert [cifar10.triangle(progress) for progress in corners] == pytest.approx([*corners.values()], abs=1e-9)
    for part, slope in ((range(230), 0.8 / 230), (range(230, 1_000), -0.93 / 770)):
        values = [cifar10.triangle(step / 1_000) for step in part]
        steps = [after - before for before, after in itertools.pairwise(values)]
        assert steps == pytest.approx([slope] * len(steps), abs=1e-12)


@pytest.mark.parametrize("pixels", [2, 4])
def test_flip_and_shift_is_torchvisions_flip_pad_and_crop(pixels):
    images = torch.randn(30, 3, 9, 12, generator=torch.Generator().manual_seed(0))
    torch.manual_seed(3)
    made = cifar10.flip_and_shift(images, *([] if pixels == 2 else [pixels]))
    torch.manual_seed(3)
    flipped = torch.rand(30) < 0.5
    places = torch.randint(2 * pixels + 1, (2, 30)).T.tolist()
    for image, flip, place, changed in zip(images, flipped, places, made, strict=True):
        padded = transform.pad(transform.hflip(image) if flip else image, [pixels] * 4, padding_mode="reflect")
        assert torch.equal(changed, transform.crop(padded, *place, 9, 12))


def test_the_last_recipe_shifts_by_four_and_cuts_out_twelve():
    images = torch.randn(16, 3, 32, 32)
    torch.manual_seed(5)
    made = cifar10_96.flip_shift_and_cut(images)
    torch.manual_seed(5)
    assert torch.equal(made, cutout(cifar10.flip_and_shift(images, 4), 12))


# ---- training


def test_mnist_is_learnt_from_4000_images_and_the_result_describes_the_run():
    """Ten seeds reached 95 to 97 %; a tenth is chance."""
    made = recipes.run("mnist-99", seed=3, size="sample", **HERE)
    assert made.accuracy == made.alone > 0.85
    assert (made.recipe, made.seed, made.judged_on, made.views) == ("mnist-99", 3, "validation", "one")
    assert (made.images, made.epochs) == (4_000, 2)
    assert made.multiply_adds == count_multiply_adds(mnist_99.Strided(), (1, 28, 28))
    assert made.setup.startswith("CPU, 1 thread, ") and "channels last, fused optimiser" in made.setup


def test_cifar_is_learnt_in_small(narrow):
    """An eighth of the channels, 1,200 images, one epoch: three seeds reached 23 to 31 %; a tenth is chance."""
    made = recipes.run("cifar10-90", size="sample", epochs=1, batch_size=64, **HERE)
    assert made.accuracy > 0.15 and made.alone > 0.15
    assert (made.views, made.images, made.epochs) == ("mirrored", 1_200, 1)


def test_the_seed_decides_everything_and_validation_images_evaluate_each_epoch(few, digits):
    torch.manual_seed(1)
    model, history = mnist_99.train(few, digits.val, seed=4, **HERE)
    torch.manual_seed(2)
    same, again = mnist_99.train(few, seed=4, **HERE)
    assert same_weights(model, same)
    assert [row.train_loss for row in history.epochs] == [row.train_loss for row in again.epochs]
    assert 0 <= history[0].val_accuracy <= 1 and math.isnan(again[0].val_accuracy)


@pytest.mark.parametrize("name", NAMES[1:])
def test_only_the_whitening_filters_stay_as_they_are(name, narrow, pictures):
    images = pictures.train.select(range(96))
    model, history = recipes.take(name).train(images, seed=2, epochs=1, batch_size=32, **HERE)
    fresh = models.whitened()
    fresh.whiten(images.normalize(images.images))
    assert torch.equal(model.whitening.weight, fresh.whitening.weight)
    assert not model.whitening.weight.requires_grad and (model.whitening.bias != 0).any()
    assert math.isfinite(history[0].train_loss)
    assert history.recipe["schedule"] == "triangle" and "nesterov=True" in history.recipe["optimizer"]


# ---- evaluating


@pytest.fixture
def stub(digits, monkeypatch):
    """A recipe that returns an untrained network after two seconds by a clock of its own; evaluating takes ten."""
    training.set_seed(0)
    now = [100.0]
    made = SimpleNamespace(DATA="mnist", VIEWS=None, calls=[], evaluated=[], model=models.lenet5())
    history = training.History("CPU", "float16", "CPU, float16", {"multiply_adds": 12}, [SimpleNamespace()] * 3)

    def train(images, val=None, *, seed=0, **options):
        now[0] += 2
        made.calls.append(SimpleNamespace(images=images, val=val, seed=seed, options=options))
        return made.model, history

    def evaluate(model, split, precision, **options):
        now[0] += 10
        made.evaluated.append(precision)
        return training.evaluate(model, split, **options)

    made.train = train
    made.data = replace(digits, _read_test=lambda: pytest.fail("the test set was opened"))
    monkeypatch.setattr(result, "take", lambda name: made)
    monkeypatch.setattr(result, "evaluate", evaluate)
    monkeypatch.setattr(result, "time", SimpleNamespace(perf_counter=lambda: now[0]))
    monkeypatch.setattr(data, "load", lambda name, size: made.data if (name, size) == ("mnist", "full") else None)
    return made


def upside_down(images):
    return [images, images.flip(2), images.flip(2)]


def test_by_default_it_trains_on_training_images_with_the_test_set_sealed(stub, digits):
    made = recipes.run("any", seed=9, epochs=3)
    (call,) = stub.calls
    assert torch.equal(call.images.images, digits.train.images) and call.val is None
    assert (call.seed, call.options, stub.evaluated) == (9, {"epochs": 3}, ["float16"])
    accuracy = training.evaluate(stub.model, digits.val).accuracy
    where = {"judged_on": "validation", "views": "one", "setup": "CPU, float16"}
    counts = {"seed": 9, "images": 4_000, "epochs": 3, "seconds": 2.0, "multiply_adds": 12}
    assert made == recipes.Result(recipe="any", accuracy=accuracy, alone=accuracy, **where, **counts)


def test_with_test_it_trains_on_both_and_evaluates_on_the_test_set(stub, digits):
    stub.data = replace(digits, _read_test=lambda: digits.val.select(range(50)))
    made = recipes.run("any", test=True)
    assert torch.equal(stub.calls[0].images.labels, digits.train_and_val().labels)
    assert (made.images, made.judged_on) == (5_000, "test")
    assert made.accuracy == training.evaluate(stub.model, digits.val.select(range(50))).accuracy


def test_views_are_averaged_in_the_precision_of_training_and_not_timed(stub, digits):
    stub.VIEWS = upside_down
    made = recipes.run("any")
    assert made.views == "upside_down" and made.seconds == 2 and stub.evaluated == ["float16"] * 2
    assert made.accuracy == training.evaluate(stub.model, digits.val, views=upside_down).accuracy
    assert made.alone == training.evaluate(stub.model, digits.val).accuracy != made.accuracy
