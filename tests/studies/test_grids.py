"""The plans of the studies that train networks from scratch, and the key of a planned run."""

import itertools
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch
from torch import nn

from course_lib import data, models
from course_lib.analysis import count_multiply_adds
from course_lib.data.catalog import spec_of
from course_lib.errors import CourseError
from course_tools import studies
from course_tools.studies import cifar_augment, little_data
from course_tools.studies.planned import Planned
from course_tools.studies.preparing import Resized

NAMES = ("mnist-six", "vgg-vs-resnet", "cifar-augment", "little-data")
ALL = (*NAMES, "transfer-ladder")
SIZES = ("quick", "cpu", "full")
GRIDS = [pytest.param(name, size, id=f"{name}-{size}") for name in NAMES for size in SIZES]


def grid(name, size, seed=0):
    return studies.take(name).grid(size, seed)


def by_name(name, size):
    return {one.name: one for one in grid(name, size)}


# ---- what there is


def test_there_are_five_and_each_file_is_one_of_them():
    assert studies.NAMES == ALL
    shared = {"__init__", "planned", "preparing", "transferring", "worker", "running", "promoting"}
    files = {file.stem for file in Path(studies.__file__).parent.glob("*.py")}
    assert files - shared == {name.replace("-", "_") for name in ALL}


@pytest.mark.parametrize("name", ["mnist-seven", "mnist_six", "running", "", "Mnist-six"])
def test_any_other_name_is_refused_in_one_line(name):
    said = f"There is no study {name!r}: choose {', '.join(ALL)}."
    for ask in (lambda: studies.take(name), lambda: studies.plan(name, "quick")):
        with pytest.raises(CourseError) as caught:
            ask()
        assert str(caught.value) == said


def test_any_other_size_is_refused_in_one_line():
    with pytest.raises(CourseError) as caught:
        studies.plan("mnist-six", "huge")
    assert str(caught.value) == "There is no size 'huge': choose quick, cpu, full."


@pytest.mark.parametrize(("name", "size"), GRIDS)
def test_a_plan_has_as_many_seeds_as_the_study_wants_or_as_were_asked_for(name, size):
    wanted = studies.take(name).SEEDS
    assert wanted >= 3, "fewer support no comparison"
    for asked, count in ((None, 2 if size == "quick" else wanted), (1, 1), (4, 4)):
        planned = studies.plan(name, size, asked)
        seeds = [one.seed for one in planned]
        assert seeds == sorted(seeds) and set(seeds) == set(range(count))
        assert set(Counter(one.name for one in planned).values()) == {count}


@pytest.mark.parametrize(("name", "size"), GRIDS)
def test_keys_and_names_are_unique_and_names_stay_from_seed_to_seed(name, size):
    planned = studies.plan(name, size, 3)
    assert len({one.key for one in planned}) == len(planned)
    first, other = grid(name, size, 0), grid(name, size, 7)
    assert len({one.name for one in first}) == len(first)
    assert [one.name for one in other] == [one.name for one in first]
    assert {one.seed for one in other} == {7}


@pytest.mark.parametrize(("name", "size"), GRIDS)
def test_the_same_seeds_get_the_same_keys_however_many_are_asked_for(name, size):
    """The worker plans anew, up to its own seed, and finds its run by the key."""
    many = studies.plan(name, size, 3)
    assert [one.key for one in studies.plan(name, size, 2)] == [one.key for one in many if one.seed < 2]


@pytest.mark.parametrize(("name", "size"), GRIDS)
def test_quick_is_on_the_sample_and_the_others_on_all_images(name, size):
    assert {one.sample for one in studies.plan(name, size)} == {size == "quick"}
    assert {one.data for one in studies.plan(name, size)} == {"mnist" if "six" in name or "vgg" in name else "cifar10"}


@pytest.mark.parametrize("name", NAMES)
def test_quick_is_what_takes_least(name):
    costs = {size: sum(one.work for one in grid(name, size)) for size in SIZES}
    assert costs["quick"] < costs["cpu"] / 10 and costs["cpu"] <= costs["full"]


@pytest.mark.parametrize(("name", "size"), GRIDS)
def test_each_network_takes_an_image_and_gets_it_in_the_size_it_was_planned_for(name, size):
    for one in grid(name, size):
        channels, side, _ = spec_of(one.data).shape
        got = []
        with torch.device("meta"):
            network = one.network()
            inner = network.network if isinstance(network, Resized) else network
            inner.register_forward_pre_hook(lambda layer, images, got=got: got.append(images[0].shape))
            assert network(torch.empty(2, channels, side, side)).shape == (2, 10), one.name
        sides = one.side or side
        assert got == [(2, one.channels or channels, sides, sides)], one.name


@pytest.mark.parametrize("name", NAMES)
def test_what_runs_on_a_cpu_stands_in_the_plan_of_a_gpu_in_the_same_order(name):
    """Published lines are ordered by it."""
    cpu = [one.name for one in grid(name, "cpu")]
    assert [one.name for one in grid(name, "full") if one.name in cpu] == cpu


# ---- each of them


@pytest.mark.parametrize("size", ["cpu", "full"])
def test_mnist_six_is_the_tutorials_recipe_and_nothing_but_the_network_differs(size):
    planned = by_name("mnist-six", size)
    assert len(planned) == 6
    for one in planned.values():
        assert one.recipe == {"epochs": 5, "batch_size": 128, "learning_rate": 1e-3, "precision": "auto"}
        assert not one.normalised and one.fraction == 1.0 and one.channels is None
    assert {name for name, one in planned.items() if one.side} == {"VGG8-BN, half width"}
    assert planned["VGG8-BN, half width"].side == 32


def test_mnist_six_has_the_networks_of_the_six_chapters():
    types = {name: type(one.build()).__name__ for name, one in by_name("mnist-six", "quick").items()}
    assert types == {
        "perceptron": "MLP",
        "LeNet-5, modern": "LeNet5",
        "AlexNet, small": "AlexNet",
        "VGG8-BN, half width": "VGG",
        "MiniVGG": "VGG",
        "ResNet, small": "ResNet",
    }


def test_vgg_vs_resnet_is_the_reports_protocol():
    for size in ("cpu", "full"):
        for one in grid("vgg-vs-resnet", size):
            assert one.recipe == {"epochs": 10, "batch_size": 128, "learning_rate": 1e-3, "precision": "auto"}
            assert one.fraction == 1.0 and one.normalised
    mnist = spec_of("mnist")
    assert mnist.validation / mnist.train == 0.2, "80 % to learn from, 20 % for validation"


def test_vgg_vs_resnet_leaves_the_large_networks_to_a_gpu():
    cpu, full = by_name("vgg-vs-resnet", "cpu"), by_name("vgg-vs-resnet", "full")
    assert set(cpu) == {"modified VGG", "modified ResNet"}
    assert {one.side for one in cpu.values()} == {None}
    large = {"VGG-16", "VGG-16 with batch norm", "ResNet-34"}
    assert {name for name, one in full.items() if (one.side, one.channels) == (224, 3)} == large
    assert set(full) - set(cpu) == large | {"modified ResNet, full width", "modified VGG, enlarged"}
    assert full["modified VGG, enlarged"].side == 224
    assert all(full[name].key == one.key for name, one in cpu.items()), "the same runs on any machine"


@pytest.mark.parametrize(
    ("name", "parameters"),
    [("VGG-16", 134_301_514), ("VGG-16 with batch norm", 134_309_962), ("ResNet-34", 21_289_802)],
)
def test_the_large_networks_are_those_of_the_papers_with_ten_classes(name, parameters):
    with torch.device("meta"):
        network = by_name("vgg-vs-resnet", "full")[name].build()
    assert sum(one.numel() for one in network.parameters()) == parameters


@pytest.mark.parametrize("size", SIZES)
def test_cifar_augment_tries_each_augmentation_by_itself(size):
    planned = by_name("cifar-augment", size)
    whole = planned.pop("modified VGG, CIFAR-10")
    assert "augment" not in whole.recipe and whole.fraction == 1.0
    assert {name: one.recipe["augment"] for name, one in planned.items()} == {
        "augmented by nothing": None,
        "augmented by rotation": data.random_rotation,
        "augmented by scaling": data.random_scale,
        "augmented by cropping": data.random_crop,
        "augmented by elastic": data.elastic,
        "augmented by flipping": data.random_flip,
    }
    for one in planned.values():
        assert {**one.recipe, "augment": None} == {**whole.recipe, "augment": None}
        assert one.fraction == (0.2 if size == "cpu" else 1.0)
        assert replace(one, name="", recipe={}, fraction=1.0) == replace(whole, name="", recipe={})
    assert whole.side == 28 and whole.recipe["epochs"] == (2 if size == "quick" else 10)


def test_augmentations_change_images_but_not_their_shape():
    images = torch.rand(4, 3, 28, 28, generator=torch.Generator().manual_seed(0))
    for name, augment in cifar_augment.AUGMENTATIONS.items():
        if augment is not None:
            torch.manual_seed(1)
            changed = augment(images)
            assert changed.shape == images.shape and not torch.equal(changed, images), name


@pytest.mark.parametrize("size", ["cpu", "full"])
def test_little_data_has_every_network_at_every_share(size):
    planned = grid("little-data", size)
    networks = ["VGG8, half width", "AlexNet, half width"]
    if size == "full":
        networks += [f"{name}, 224 × 224" for name in ("AlexNet", "VGG-16", "VGG-16 with batch norm", "VGG8")]
    shares = {"5%": 0.05, "10%": 0.10, "25%": 0.25, "100%": 1.0}
    assert [(one.name, one.fraction) for one in planned] == [
        (f"{name}, {share}", fraction) for (share, fraction), name in itertools.product(shares.items(), networks)
    ]
    for one in planned:
        assert one.recipe == {"epochs": 10, "batch_size": 128, "learning_rate": 1e-3, "precision": "auto"}
        assert one.side == (224 if "224" in one.name else None) and one.channels is None


def test_little_data_leaves_enough_images_for_a_batch():
    """``fit`` refuses a batch that is larger than the data."""
    train = spec_of("cifar10").train - spec_of("cifar10").validation
    assert min(little_data.FRACTIONS) * train >= 128
    sample = len(data.load("cifar10", size="sample").train)
    for one in grid("little-data", "quick"):
        assert one.fraction * sample >= one.recipe["batch_size"]


# ---- one planned run


@pytest.fixture
def planned():
    """A run with something asked for in every place."""
    return Planned(
        "small",
        3,
        partial(models.alexnet, 10, 1, 0.25, stem="small"),
        "mnist",
        {"epochs": 2, "learning_rate": 1e-3, "augment": partial(data.random_crop, 4)},
        fraction=0.5,
        side=32,
    )


def asked(planned, **changes):
    return replace(planned, recipe=planned.recipe | changes)


CHANGES = {
    "name": lambda one: replace(one, name="large"),
    "seed": lambda one: replace(one, seed=4),
    "network": lambda one: replace(one, build=partial(models.vgg8, 10, 1, 0.25, stem="small")),
    "width, by position": lambda one: replace(one, build=partial(models.alexnet, 10, 1, 0.5, stem="small")),
    "width, by name": lambda one: replace(one, build=partial(models.alexnet, 10, 1, width=0.5, stem="small")),
    "stem": lambda one: replace(one, build=partial(models.alexnet, 10, 1, 0.25, stem="imagenet")),
    "data": lambda one: replace(one, data="cifar10"),
    "sample": lambda one: replace(one, sample=True),
    "fraction": lambda one: replace(one, fraction=0.25),
    "side": lambda one: replace(one, side=64),
    "no side": lambda one: replace(one, side=None),
    "channels": lambda one: replace(one, channels=3),
    "not normalised": lambda one: replace(one, normalised=False),
    "epochs": lambda one: asked(one, epochs=3),
    "learning rate": lambda one: asked(one, learning_rate=2e-3),
    "one more option": lambda one: asked(one, batch_size=64),
    "augmentation": lambda one: asked(one, augment=partial(data.random_translate, 4)),
    "strength, by position": lambda one: asked(one, augment=partial(data.random_crop, 2)),
    "strength, by name": lambda one: asked(one, augment=partial(data.random_crop, padding=2)),
    "strength, left out": lambda one: asked(one, augment=data.random_crop),
    "no augmentation": lambda one: asked(one, augment=None),
}


def test_the_key_changes_with_anything_that_was_asked_for(planned):
    keys = {"as it was": planned.key} | {change: make(planned).key for change, make in CHANGES.items()}
    shared = {key: [change for change, own in keys.items() if own == key] for key in keys.values()}
    assert [changes for changes in shared.values() if len(changes) > 1] == []
    assert all(len(key) == 12 and set(key) <= set("0123456789abcdef") for key in keys.values())


def test_the_key_does_not_change_with_the_order_of_the_recipe(planned):
    turned = replace(planned, recipe=dict(reversed(planned.recipe.items())))
    assert list(turned.recipe) != list(planned.recipe) and turned.key == planned.key
    assert replace(planned).key == planned.key


def test_keys_are_the_same_in_another_process():
    """A worker finds its run by the key: no address in memory, no order of a set may be part of it."""
    program = (
        "from course_tools import studies\n"
        "print(*(one.key for name in studies.NAMES for size in ('quick', 'cpu', 'full')"
        " for one in studies.plan(name, size, 1)))"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert told == [one.key for name in ALL for size in SIZES for one in studies.plan(name, size, 1)]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "as they are"),
        ({"side": 224, "channels": 3}, "resized to 224 × 224, 3 channels"),
        ({"side": 32, "normalised": False}, "resized to 32 × 32, scaled, not normalised"),
        ({"channels": 3}, "3 channels"),
    ],
)
def test_what_is_done_to_images_in_words(planned, changes, said):
    assert replace(planned, **({"side": None} | changes)).images == said


def test_only_a_network_that_needs_it_stands_behind_a_resize(planned):
    assert type(replace(planned, side=None).network()) is models.AlexNet
    resized = replace(planned, channels=3, side=None).network()
    assert isinstance(resized, Resized) and (resized.side, resized.channels) == (28, 3)
    assert isinstance(planned.network().network, models.AlexNet)


def test_first_weights_come_from_torchs_generator(planned):
    weights = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        weights.append(nn.utils.parameters_to_vector(planned.network().parameters()))
    assert torch.equal(weights[0], weights[1]) and not torch.equal(weights[0], weights[2])


def test_work_counts_images_epochs_and_what_one_costs(planned):
    cost = count_multiply_adds(planned.build(), (1, 32, 32))
    assert planned.work == cost * 0.5 * 48_000 * 2
    assert replace(planned, sample=True).work == cost * 0.5 * len(data.load("mnist", size="sample").train) * 2
    assert asked(planned, epochs=6).work == 3 * planned.work
