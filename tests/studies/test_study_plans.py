"""The plans of the studies, the key of a planned run, and what a planned run does to images."""

import math
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
from course_lib.data.catalog import spec_of
from course_lib.errors import CourseError
from course_lib.training import cosine
from course_lib.transfer import Choices, cases
from course_tools.studies.plan import Planned, Resized, TransferRun, names, part_of, plan, study_module

ROOT = Path(__file__).parents[2]
TRANSFER = ("transfer-ladder", "transfer-pays", "transfer-snippets")
# Single runs that serve a choice, or more seeds of some networks; or a single run each, as in the source.
UNEVEN = (
    *("alexnet-start", "alexnet-vs-vgg-224", "depth", "first-recipes", "lenet-fair", "lenet-shifts", "many-seeds"),
    *("originals", "vgg-trials", "vgg-vs-resnet"),
)
TWO_PHASES = (
    "depth",
    "first-recipes",
    "lenet-fair",
    "lenet-shifts",
    "transfer-pays",
    "vgg-trials",
)  # rates are tried, and the best one is judged
SIZES = ("quick", "cpu", "full")
GRIDS = [pytest.param(name, size, id=f"{name}-{size}") for name in names() for size in SIZES]


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


@pytest.mark.parametrize(("name", "size"), [grid for grid in GRIDS if grid.values[0] not in UNEVEN + TRANSFER])
def test_plan_has_as_many_seeds_as_the_study_wants_or_as_were_asked_for(name, size):
    wanted = study_module(name).SEEDS
    assert wanted >= 3, "fewer support no comparison"
    for seeds, count in ((None, 2 if size == "quick" else wanted), (1, 1), (4, 4)):
        planned = plan(name, size, seeds)
        assert [run.seed for run in planned] == sorted(run.seed for run in planned)
        assert set(Counter(run.name for run in planned).values()) == {count}
        assert {run.sample for run in planned} == {size == "quick"}


@pytest.mark.parametrize(("name", "size"), GRIDS)
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


@pytest.mark.parametrize("name", names())
def test_sizes_cost_more_and_more_and_keep_the_order_of_names(name):
    quick, cpu, full = (study_module(name).grid(size, 0) for size in SIZES)
    work = [sum(run.work for run in runs) for runs in (quick, cpu, full)]
    assert work[0] < work[1] / 10 and work[1] <= work[2]
    in_cpu = [run.name for run in cpu]
    assert [run.name for run in full if run.name in in_cpu] == in_cpu, "published lines are ordered by it"


@pytest.mark.parametrize(("name", "size"), GRIDS)
def test_each_network_gets_images_in_the_size_that_it_was_planned_for(name, size):
    for run in (run for run in study_module(name).grid(size, 0) if isinstance(run, Planned)):
        channels, side, _ = spec_of(run.data).shape
        shapes = []
        with torch.device("meta"):
            network = run.network()
            inner = network.network if isinstance(network, Resized) else network
            inner.register_forward_pre_hook(lambda layer, images, shapes=shapes: shapes.append(images[0].shape))
            assert network(torch.empty(2, channels, side, side)).shape == (2, 10), run.name
        sides = run.side or side
        assert shapes == [(2, run.channels or channels, sides, sides)], run.name


@pytest.mark.parametrize("name", TRANSFER)
def test_quick_fetches_no_weights(name, monkeypatch):
    monkeypatch.setattr(models, "backbone", None)
    runs = [run for run in plan(name, "quick") if isinstance(run, TransferRun)]
    assert runs and all(run.choices.backbone == "none" or "untrained" in run.choices.backbone for run in runs)


# ---- rates that are tried first


@pytest.fixture
def phases(monkeypatch):
    """Plan a study as if the middle rate had been the best of each network: rates by network, and all runs."""

    def planned(name):
        study, rates = study_module(name), {}
        for run in study.grid("cpu", 0):
            network, found, _ = run.name.partition(", rate ")
            if found:
                rates.setdefault(network, []).append(rate_of(run))
        best = {network: sorted(tried)[len(tried) // 2] for network, tried in rates.items()}
        monkeypatch.setattr(study, "BEST", best)
        return rates, plan(name, "cpu")

    return planned


def rate_of(run):
    return run.recipe["learning_rate"] if isinstance(run, Planned) else run.choices.rate


@pytest.mark.parametrize("name", TWO_PHASES)
def test_rates_are_tried_with_one_seed_on_validation_images_and_the_best_is_judged_on_test_images(name, phases):
    rates, runs = phases(name)
    assert all(len(set(tried)) == len(tried) >= 5 for tried in rates.values()), "an optimum may lie inside"
    tried = [run for run in runs if ", rate " in run.name]
    judged = [run for run in runs if ", rate " not in run.name]
    assert {(run.seed, run.judge) for run in tried} == {(0, "validation")}
    assert {run.judge for run in judged} == {"test"}
    best = study_module(name).BEST
    assert all(
        any(run.name.startswith(network) and rate_of(run) == best[network] for run in judged) for network in best
    )
    assert set(best.values()) >= {rate_of(run) for run in judged}


@pytest.mark.parametrize("name", TWO_PHASES)
def test_a_best_rate_lies_inside_its_grid(name, phases):
    best = dict(study_module(name).BEST)
    rates, _ = phases(name)
    assert all(min(tried) < best[network] < max(tried) for network, tried in rates.items() if network in best)


# ---- single plans


def test_transfer_pays_compares_on_the_same_images(phases):
    _, runs = phases("transfer-pays")
    assert {type(run) for run in runs} == {Planned, TransferRun}
    for run in runs:
        count = 500 if ", rate " in run.name else int(run.name.split(", ")[-1].split(" ")[0].replace(",", ""))
        assert run.judge in ("validation", "test")
        if isinstance(run, TransferRun):
            assert (run.images, run.draw, run.judged_by) == (count, run.seed, 1_000 if run.judge != "test" else 2_000)
        else:
            spec = spec_of(run.data)
            assert round(run.fraction * (spec.train - spec.validation)) == count and run.judged_by == (1_000, 2_000)
    assert min(Counter(run.name for run in runs if run.judge == "test").values()) == 3


def test_refilled_digits_keep_the_labels_that_an_image_has_in_the_snippets():
    """With 60,000 and 10,000 digits each image stands under 32 labels, and under 16."""
    for run in plan("transfer-snippets", "cpu"):
        labels = [math.gcd(64, count) for count in (run.images, run.judged_by)]
        assert labels == [math.gcd(64, 60_000), math.gcd(64, 10_000)] == [32, 16]
        assert run.choices.images == "refilled to 224 × 224, grey repeated in 3 channels, pixels 0 to 255"


def test_vgg_vs_resnet_adds_the_large_networks_in_full():
    cpu, full = ({run.name: run for run in plan("vgg-vs-resnet", size, 1)} for size in ("cpu", "full"))
    assert all(full[name].key == run.key for name, run in cpu.items()), "the same runs on any machine"
    large = {name for name, run in full.items() if (run.side, run.channels) == (224, 3)}
    assert large == {"VGG-16", "VGG-16 with batch norm", "ResNet-34"} <= full.keys() - cpu.keys()


def test_transfer_ladder_plans_every_rung_cell_and_cut():
    for size in SIZES:
        names_of_runs = {run.name for run in plan("transfer-ladder", size, 1)}
        assert names_of_runs == {*cases.runs(), *transfer.GRID, *transfer.CUT_RUNS}
    assert min(Counter(run.name for run in plan("transfer-ladder", "full")).values()) == 3
    assert {run.judge for run in plan("transfer-ladder", "cpu")} == {"validation"}, "thirty ways to train are compared"


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
    "judged on validation images": lambda run: replace(run, judge="validation"),
    "judged by fewer": lambda run: replace(run, judged_by=(50, 100)),
    "judged by others": lambda run: replace(run, judged_by=(100, 50)),
    "pixels shuffled": lambda run: replace(run, shuffled=True),
    "judged on moved images, too": lambda run: replace(run, moved=(0, 1)),
    "judged on images that moved further": lambda run: replace(run, moved=(0, 2)),
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
    {"images": 101},
    {"data": "cifar10"},
    {"draw": 1},
    {"judge": "validation"},
    {"judged_by": 51},
    {"sample": True},
    {"options": {"batch_size": 25}},
    {"options": {"batch_size": 50, "epochs": 2}},
    {"options": {"batch_size": 50, "schedule": cosine}},
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


# ---- images


def test_a_transfer_run_and_a_network_from_scratch_learn_from_the_same_images(digits):
    for seed in (0, 1):
        drawn = transfer.draw(digits.train, 200, seed)
        assert torch.equal(drawn.images, part_of(digits.train, 200 / len(digits.train), seed).images)


class Echo(nn.Module):
    """Returns its input."""

    def forward(self, images):
        return images


def picture(side, channels=1, count=2):
    return torch.rand(count, channels, side, side, generator=torch.Generator().manual_seed(side))


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


@pytest.mark.parametrize("fraction", [0.05, 0.999])
def test_share_has_its_size_and_every_class_in_proportion(digits, fraction):
    part = part_of(digits.train, fraction, seed=0)
    assert len(part) == len(part.images) == round(fraction * len(digits.train))
    count = partial(torch.bincount, minlength=10)
    assert (count(part.labels) - fraction * count(digits.train.labels)).abs().max() <= 1
    assert part_of(digits.train, 1.0, seed=5) is digits.train


def test_share_is_drawn_by_its_seed_and_keeps_labels(digits):
    first, same, other = (part_of(digits.train, 0.1, seed) for seed in (0, 0, 1))
    assert torch.equal(first.images, same.images) and not torch.equal(first.images, other.images)
    label_of = {
        image.numpy().tobytes(): label for image, label in zip(digits.train.images, digits.train.labels, strict=True)
    }
    assert [label_of[image.numpy().tobytes()] for image in first.images] == first.labels.tolist()
    assert len({image.numpy().tobytes() for image in first.images}) == len(first)


@pytest.mark.parametrize("fraction", [0, 1.01, float("nan")])
def test_refuses_a_share_outside_of_0_to_1(digits, fraction):
    with pytest.raises(ValueError, match=f"^fraction must be above 0 and at most 1, not {fraction}$"):
        part_of(digits.train, fraction, seed=0)
