"""The plans of the studies, the key of a planned run, and what a planned run does to images."""

import subprocess
import sys
from collections import Counter
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from course_lib import data, models, transfer
from course_lib.analysis import count_multiply_adds
from course_lib.data.catalog import spec_of
from course_lib.errors import CourseError
from course_lib.transfer import Choices, cases
from course_tools.studies.plan import Planned, Resized, TransferRun, names, part_of, plan, study_module
from studies import cifar_augment, little_data

ROOT = Path(__file__).parents[2]
FROM_SCRATCH = tuple(name for name in names() if name != "transfer-ladder")
UNEVEN = (
    "alexnet-start",
    "lenet-fair",
    "many-seeds",
)  # single runs that serve a choice, or more seeds of some networks
SIZES = ("quick", "cpu", "full")
ALL = [pytest.param(name, size, id=f"{name}-{size}") for name in (*FROM_SCRATCH, "transfer-ladder") for size in SIZES]
GRIDS = [pytest.param(name, size, id=f"{name}-{size}") for name in FROM_SCRATCH for size in SIZES]


def by_name(name, size):
    return {run.name: run for run in study_module(name).grid(size, 0)}


# ---- all plans


def test_studies_are_the_files_with_a_grid():
    files = {file.stem.replace("_", "-") for file in (ROOT / "studies").glob("*.py")}
    assert names() == sorted(files - {"--init--", "benchmark"})


@pytest.mark.parametrize("name", ["mnist-seven", "mnist_six", "benchmark", ""])
def test_refuses_unknown_study_or_size(name):
    with pytest.raises(CourseError, match=rf"^There is no study {name!r}: choose alexnet-start, .*"):
        plan(name, "quick")
    with pytest.raises(CourseError, match=r"^There is no size 'huge': choose quick, cpu, full\.$"):
        plan("mnist-six", "huge")


@pytest.mark.parametrize(("name", "size"), [grid for grid in GRIDS if grid.values[0] not in UNEVEN])
def test_plan_has_as_many_seeds_as_the_study_wants_or_as_were_asked_for(name, size):
    wanted = study_module(name).SEEDS
    assert wanted >= 3, "fewer support no comparison"
    for seeds, count in ((None, 2 if size == "quick" else wanted), (1, 1), (4, 4)):
        planned = plan(name, size, seeds)
        assert [run.seed for run in planned] == sorted(run.seed for run in planned)
        assert set(Counter(run.name for run in planned).values()) == {count}
        assert {run.sample for run in planned} == {size == "quick"}


@pytest.mark.parametrize(("name", "size"), ALL)
def test_keys_are_unique_and_the_same_however_many_seeds_are_asked_for(name, size):
    """The worker plans again, up to its own seed, and finds its run by the key."""
    many = plan(name, size, 3)
    assert len({run.key for run in many}) == len({(run.name, run.seed) for run in many}) == len(many)
    assert [run.key for run in plan(name, size, 2)] == [run.key for run in many if run.seed < 2]


def test_keys_are_the_same_in_another_process():
    """No address in memory and no order of a set may be part of a key."""
    program = (
        "from course_tools.studies.plan import names, plan\n"
        "print(*(run.key for name in names() for size in ('quick', 'cpu', 'full') for run in plan(name, size, 1)))"
    )
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert printed == [run.key for name in names() for size in SIZES for run in plan(name, size, 1)]


@pytest.mark.parametrize("name", FROM_SCRATCH)
def test_sizes_cost_more_and_more_and_keep_the_order_of_names(name):
    quick, cpu, full = (study_module(name).grid(size, 0) for size in SIZES)
    work = [sum(run.work for run in runs) for runs in (quick, cpu, full)]
    assert work[0] < work[1] / 10 and work[1] <= work[2]
    in_cpu = [run.name for run in cpu]
    assert [run.name for run in full if run.name in in_cpu] == in_cpu, "published lines are ordered by it"


@pytest.mark.parametrize(("name", "size"), GRIDS)
def test_each_network_gets_images_in_the_size_that_it_was_planned_for(name, size):
    for run in study_module(name).grid(size, 0):
        channels, side, _ = spec_of(run.data).shape
        shapes = []
        with torch.device("meta"):
            network = run.network()
            inner = network.network if isinstance(network, Resized) else network
            inner.register_forward_pre_hook(lambda layer, images, shapes=shapes: shapes.append(images[0].shape))
            assert network(torch.empty(2, channels, side, side)).shape == (2, 10), run.name
        sides = run.side or side
        assert shapes == [(2, run.channels or channels, sides, sides)], run.name


# ---- single plans


def test_mnist_six_differs_in_nothing_but_the_network():
    for run in study_module("mnist-six").grid("full", 0):
        assert run.recipe == {"epochs": 5, "batch_size": 128, "learning_rate": 1e-3, "precision": "auto"}
        assert not run.normalised and run.fraction == 1.0 and run.channels is None
        assert run.side == (32 if run.name == "VGG8-BN, half width" else None)


def test_vgg_vs_resnet_trains_the_large_networks_in_full_only():
    cpu, full = by_name("vgg-vs-resnet", "cpu"), by_name("vgg-vs-resnet", "full")
    assert all(full[name].key == run.key for name, run in cpu.items()), "the same runs on any machine"
    large = {"VGG-16": 134_301_514, "VGG-16 with batch norm": 134_309_962, "ResNet-34": 21_289_802}
    assert {name for name, run in full.items() if (run.side, run.channels) == (224, 3)} == set(large)
    for name, parameters in large.items():
        with torch.device("meta"):
            assert sum(weights.numel() for weights in full[name].build().parameters()) == parameters


@pytest.mark.parametrize("size", SIZES)
def test_cifar_augment_tries_one_augmentation_at_a_time(size):
    planned = by_name("cifar-augment", size)
    whole = planned.pop("modified VGG, CIFAR-10")
    assert [run.recipe["augment"] for run in planned.values()] == list(cifar_augment.AUGMENTATIONS.values())
    for run in planned.values():
        assert {**run.recipe, "augment": None} == {**whole.recipe, "augment": None}
        assert replace(run, name="", recipe={}, fraction=1.0) == replace(whole, name="", recipe={})


def test_little_data_leaves_enough_images_for_a_batch():
    """``fit`` refuses a batch that is larger than the data."""
    train = spec_of("cifar10").train - spec_of("cifar10").validation
    assert min(little_data.FRACTIONS) * train >= 128
    sample = len(data.load("cifar10", size="sample").train)
    for run in study_module("little-data").grid("quick", 0):
        assert run.fraction * sample >= run.recipe["batch_size"]


def test_transfer_ladder_plans_every_rung_cell_and_cut(monkeypatch):
    for size in SIZES:
        assert {run.name for run in plan("transfer-ladder", size, 1)} == {
            *cases.runs(),
            *transfer.GRID,
            *transfer.CUT_RUNS,
        }
    counts = Counter(run.name for run in plan("transfer-ladder", "cpu"))
    assert (
        counts.pop("LeNet from scratch") == 5
        and counts.pop("right-sized backbone") == 3
        and set(counts.values()) == {1}
    )
    assert min(Counter(run.name for run in plan("transfer-ladder", "full")).values()) == 3
    monkeypatch.setattr(models, "backbone", None)
    assert all(
        "untrained" in run.choices.backbone or run.choices.backbone == "none"
        for run in plan("transfer-ladder", "quick")
    )


# ---- the key of a planned run


@pytest.fixture
def planned():
    """A run in which every setting has a value."""
    recipe = {"epochs": 2, "learning_rate": 1e-3, "augment": partial(data.random_crop, 4)}
    build = partial(models.alexnet, 10, 1, 0.25, stem="small")
    return Planned("small", 3, build, "mnist", recipe, fraction=0.5, side=32)


def with_recipe(run, **changes):
    return replace(run, recipe=run.recipe | changes)


CHANGES = {
    "name": lambda run: replace(run, name="large"),
    "seed": lambda run: replace(run, seed=4),
    "network": lambda run: replace(run, build=partial(models.vgg8, 10, 1, 0.25, stem="small")),
    "width, by position": lambda run: replace(run, build=partial(models.alexnet, 10, 1, 0.5, stem="small")),
    "width, by name": lambda run: replace(run, build=partial(models.alexnet, 10, 1, width=0.5, stem="small")),
    "stem": lambda run: replace(run, build=partial(models.alexnet, 10, 1, 0.25, stem="imagenet")),
    "data": lambda run: replace(run, data="cifar10"),
    "sample": lambda run: replace(run, sample=True),
    "fraction": lambda run: replace(run, fraction=0.25),
    "side": lambda run: replace(run, side=64),
    "no side": lambda run: replace(run, side=None),
    "channels": lambda run: replace(run, channels=3),
    "not normalised": lambda run: replace(run, normalised=False),
    "epochs": lambda run: with_recipe(run, epochs=3),
    "learning rate": lambda run: with_recipe(run, learning_rate=2e-3),
    "one more option": lambda run: with_recipe(run, batch_size=64),
    "augmentation": lambda run: with_recipe(run, augment=partial(data.random_translate, 4)),
    "strength, by position": lambda run: with_recipe(run, augment=partial(data.random_crop, 2)),
    "strength, by name": lambda run: with_recipe(run, augment=partial(data.random_crop, padding=2)),
    "strength, left out": lambda run: with_recipe(run, augment=data.random_crop),
    "no augmentation": lambda run: with_recipe(run, augment=None),
}
TRANSFER_CHANGES = [
    {"name": "other"},
    {"seed": 4},
    {"choices": Choices()},
    {"choices": Choices(resize="refill", learning_rate=1e-3)},
    {"digits": 101},
    {"judged_by": 51},
    {"sample": True},
    {"options": {"batch_size": 25}},
    {"options": {"batch_size": 50, "epochs": 2}},
]


def test_key_covers_every_setting(planned):
    keys = [planned.key, *(change(planned).key for change in CHANGES.values())]
    assert len(set(keys)) == len(keys) and all(len(key) == 12 for key in keys)
    assert replace(planned, recipe=dict(reversed(planned.recipe.items()))).key == planned.key


def test_key_of_a_transfer_run_covers_every_setting(monkeypatch):
    run = TransferRun("refilled images", 3, Choices(resize="refill"), 100, 50, options={"batch_size": 50})
    keys = [run.key, *(replace(run, **changes).key for changes in TRANSFER_CHANGES)]
    monkeypatch.setitem(transfer.cases.RATES, "last blocks", 2e-4)
    keys.append(replace(run).key)  # with another default learning rate
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "as they are"),
        ({"side": 224, "channels": 3}, "resized to 224 × 224, 3 channels"),
        ({"side": 32, "normalised": False}, "resized to 32 × 32, scaled, not normalised"),
    ],
)
def test_what_is_done_to_images_in_words(planned, changes, words):
    assert replace(planned, **({"side": None} | changes)).images == words


def test_first_weights_come_from_torchs_generator(planned):
    weights = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        weights.append(nn.utils.parameters_to_vector(planned.network().parameters()))
    assert torch.equal(weights[0], weights[1]) and not torch.equal(weights[0], weights[2])


def test_work_counts_images_epochs_and_the_cost_of_an_image(planned):
    cost = count_multiply_adds(planned.build(), (1, 32, 32))
    assert planned.work == cost * 0.5 * 48_000 * 2
    assert replace(planned, sample=True).work == cost * 0.5 * len(data.load("mnist", size="sample").train) * 2
    head, blocks = (TransferRun("x", 0, Choices(trained=trained), 100, 0) for trained in ("head", "last blocks"))
    assert 0 < head.work < blocks.work


# ---- images


class Echo(nn.Module):
    """Returns its input."""

    def forward(self, images):
        return images


def picture(side, channels=1, count=2):
    return torch.rand(count, channels, side, side, generator=torch.Generator().manual_seed(side))


@pytest.mark.parametrize("side", [14, 28, 224])
@pytest.mark.parametrize("channels", [None, 1, 3])
def test_resized_has_the_size_and_channels_that_were_asked_for(side, channels):
    assert Resized(Echo(), side, channels)(picture(28)).shape == (2, channels or 1, side, side)
    assert Resized(Echo(), side)(picture(32, channels=3)).shape == (2, 3, side, side)


def test_resized_keeps_repeats_interpolates_and_averages():
    images = picture(28)
    assert torch.equal(Resized(Echo(), 28)(images), images)
    repeated = Resized(Echo(), 28, 3)(images)
    assert all(torch.equal(repeated[:, [channel]], images) for channel in range(3))
    grown = F.interpolate(images, size=(56, 56), mode="bilinear")
    assert torch.equal(Resized(Echo(), 56)(images), grown)
    point = torch.zeros(1, 1, 32, 32)
    point[..., 15, 15] = 64.0
    shrunk = Resized(Echo(), 4)(point)
    assert shrunk.mean() == pytest.approx(point.mean().item(), rel=0.2), "shrinking must pass over no pixel"


def test_image_that_does_not_fit_is_explained():
    with pytest.raises(ValueError, match="an image of 3×32×32 does not fit LeNet5"):
        Resized(models.lenet5(10, 1, 32), 32, 3)(picture(28))


@pytest.mark.parametrize("fraction", [0.05, 0.25, 0.999])
def test_share_has_its_size_and_every_class_in_proportion(digits, fraction):
    part = part_of(digits.train, fraction, seed=0)
    assert len(part) == len(part.images) == round(fraction * len(digits.train))
    count = partial(torch.bincount, minlength=10)
    assert (count(part.labels) - fraction * count(digits.train.labels)).abs().max() <= 1
    assert part_of(digits.train, 1.0, seed=5) is digits.train


def test_share_is_drawn_by_its_seed_and_keeps_labels(digits):
    numbered = replace(digits.train, images=torch.arange(len(digits.train)))
    first, same, other = (part_of(numbered, 0.1, seed) for seed in (0, 0, 1))
    assert torch.equal(first.images, same.images) and not torch.equal(first.images, other.images)
    assert len(set(first.images.tolist())) == len(first) and torch.equal(
        first.labels, digits.train.labels[first.images]
    )


@pytest.mark.parametrize("fraction", [0, -0.5, 1.01, float("nan")])
def test_refuses_a_share_outside_of_0_to_1(digits, fraction):
    with pytest.raises(ValueError, match=f"^fraction must be above 0 and at most 1, not {fraction}$"):
        part_of(digits.train, fraction, seed=0)
