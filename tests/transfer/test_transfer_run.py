import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from course_lib import models, records, storage, training, transfer
from course_lib.analysis import count_multiply_adds
from course_lib.errors import CourseError
from course_lib.training import choose_setup
from course_lib.training.checkpoints import digest_of_weights
from course_lib.transfer import features, networks
from course_lib.transfer.features import features_of, path_of

CPU = {"device": "cpu", "precision": "float32"}


@pytest.mark.parametrize(("trained", "layers"), [("head", 0), ("last blocks", 6), ("all", 13)])
def test_trained_layers(small, trained, layers):
    network = transfer.build(small(trained=trained))
    weights = [layer.weight for layer in network.features.modules() if getattr(layer, "weight", None) is not None]
    assert sum(weight.requires_grad for weight in weights) == layers
    assert all(parameter.requires_grad for parameter in network.head.parameters())
    assert 0 < transfer.trained_share(network) <= 1 and (transfer.trained_share(network) == 1) == (trained == "all")


@pytest.mark.parametrize(("head", "side", "numbers"), [("pool", 64, 32), ("flatten", 64, 32 * 4)])
def test_heads(small, head, side, numbers):
    network = transfer.build(small(head=head, side=side))
    assert network.head.in_features == numbers
    assert network(torch.zeros(2, 3, side, side)).shape == (2, 10)


@pytest.mark.parametrize(
    ("call", "error", "problem"),
    [
        (lambda small: transfer.build(small(side=28)), ValueError, "give it a larger image"),
        (
            lambda small: transfer.build(small(backbone="resnet")),
            CourseError,
            "no backbone 'resnet' here: choose from vgg",
        ),
        (
            lambda small: transfer.build(small())(torch.zeros(2, 1, 32, 32)),
            CourseError,
            r"^rung 2, .* 3 channels.* have 1",
        ),
    ],
)
def test_refuses_images_and_backbones(small, call, error, problem):
    with pytest.raises(error, match=problem):
        call(small)


def test_missing_weights_name_the_run(monkeypatch, few, val, small):
    def missing(name):
        raise CourseError(f"{name} is not in the cache: fetch it.")

    monkeypatch.setattr(models, "backbone", missing)
    with pytest.raises(CourseError, match=r"^not normalised: .* not at hand\. vgg16 is not in the cache: fetch it\.$"):
        transfer.run(few, val, small(normalise=False), rung="not normalised")


@pytest.mark.parametrize("backbone", [*networks.BACKBONES])
def test_untrained_backbones_ignore_the_seed_and_costs_need_no_weights(backbone, monkeypatch):
    monkeypatch.setattr(models, "backbone", None)
    choices = transfer.Choices(backbone=backbone, side=64)
    cost = networks.multiply_adds(choices)
    if networks.BACKBONES[backbone].pretrained:
        assert cost > 1e6
        return
    digests, heads = set(), []
    for seed in (0, 1):
        torch.manual_seed(seed)
        network = transfer.build(choices)
        digests.add(digest_of_weights(network.features))
        heads.append(network.head.weight)
    assert len(digests) == 1 and not torch.equal(*heads)
    assert cost == count_multiply_adds(network, (3, 64, 64))


@pytest.mark.parametrize(("backbone", "head"), [("vgg16", "pool"), ("mobilenet-v2", "flatten")])
def test_training_on_cached_features_is_training_the_whole_network(few, val, small, backbone, head):
    choices = small(backbone=backbone, trained="head", head=head)
    cached = transfer.run(few, val, choices, epochs=2, **CPU)
    training.set_seed(0)
    network = transfer.build(choices)
    options = {"epochs": 2, "batch_size": 32, "learning_rate": choices.rate, "seed": 0, "show": False}
    training.fit(network, transfer.prepare(few, choices), **options, **CPU)
    torch.testing.assert_close(cached.network.head.weight, network.head.weight, rtol=1e-4, atol=1e-5)
    answers = training.predict(network, transfer.prepare(val, choices))
    torch.testing.assert_close(cached.answers.logits, answers.logits, rtol=1e-3, atol=1e-4)


def test_features_are_computed_once_and_their_seconds_kept(few, val, small, monkeypatch):
    choices, calls = small(trained="head"), []
    compute = features._compute
    monkeypatch.setattr(features, "_compute", lambda *args: calls.append(1) or compute(*args))
    first = transfer.run(few, val, choices, epochs=1, **CPU)
    assert len(calls) == 2 and len(list((storage.home() / "features").iterdir())) == 2
    network = transfer.build(choices)
    cached = features_of(network, transfer.prepare(few, choices), choose_setup(network, **CPU))
    again = transfer.run(few, val, choices, epochs=1, **CPU)
    assert len(calls) == 2 and torch.equal(first.answers.logits, again.answers.logits)
    assert cached.seconds > 0 and min(first.seconds, again.seconds) > cached.seconds


def test_cache_key_depends_on_everything_that_features_depend_on(few, small, monkeypatch):
    setup = choose_setup(models.lenet5(), **CPU)

    def path(split=few, setup=setup, **changes):
        choices = small(**{"trained": "head"} | changes)
        return path_of(transfer.build(choices), transfer.prepare(split, choices), setup)

    paths = [
        path(),
        path(few.select(range(299))),
        path(resize="refill"),
        path(channels="one"),
        path(normalise=False),
        path(side=64),
        path(head="flatten"),
        path(backbone="mobilenet-v2"),
        path(backbone="vgg16 blocks 1-3"),
        path(setup=replace(setup, precision="bfloat16")),
    ]
    assert len(set(paths)) == len(paths)
    assert path() == paths[0]
    other = models.vgg16(10, 3, 1 / 16)
    monkeypatch.setattr(models, "backbone", lambda name: other)
    assert path() != paths[0], "other weights"


def test_damaged_features_are_computed_again(few, val, small):
    choices = small(trained="head")
    first = transfer.run(few, val, choices, epochs=1, **CPU)
    for file in (storage.home() / "features").iterdir():
        file.write_bytes(b"no tensor")
    assert torch.equal(transfer.run(few, val, choices, epochs=1, **CPU).answers.logits, first.answers.logits)


@pytest.mark.parametrize(
    "changes", [{}, {"trained": "all"}, {"backbone": "mobilenet-v2", "trained": "head", "freeze_batch_norm": False}]
)
def test_features_that_change_are_not_cached(few, val, small, changes):
    network = transfer.build(small(**changes))
    with pytest.raises(ValueError, match="cannot be computed once"):
        features_of(network, transfer.prepare(few, small()), choose_setup(network, **CPU))
    transfer.run(few, val, small(**changes), epochs=1, **CPU)
    assert not (storage.home() / "features").exists()


def test_record_is_valid_and_holds_choices_and_whole_network(few, val, small, digits):
    choices = small(trained="head", channels="one")
    outcome = transfer.run(few, val, choices, seed=3, epochs=2, **CPU)
    made = transfer.record("grey not repeated", outcome, digits)
    schema = json.loads((Path(records.__file__).parent / "schema.json").read_text())
    from jsonschema import Draft202012Validator

    problems = list(Draft202012Validator(schema).iter_errors(made | {"sha256": 64 * "0", "chapter": "study-x"}))
    assert problems == []
    recipe = made["recipe"]
    assert recipe["transfer"] == choices.as_dict() | {"trained_share": outcome.trained}
    assert recipe["parameters"] == sum(parameter.numel() for parameter in outcome.network.parameters())
    assert recipe["multiply_adds"] == networks.multiply_adds(choices)
    assert (recipe["model"], recipe["images"], recipe["train"]) == ("vgg16", choices.images, len(few))
    assert made["final"]["images"] == len(val) and made["seconds"]["total"] == outcome.seconds


def test_lenet_from_scratch(few, val):
    outcome = transfer.run(few, val, transfer.Choices(backbone="none"), epochs=2, **CPU)
    assert type(outcome.network) is models.LeNet5 and outcome.trained == 1.0
    assert outcome.history.recipe["learning_rate"] == 1e-3 and "60 images" in str(outcome)


def test_the_same_seed_gives_the_same_answers(few, val, small):
    first, same, other = (
        transfer.run(few, val, small(), seed=seed, epochs=1, **CPU).answers.logits for seed in (0, 0, 1)
    )
    assert torch.equal(first, same) and not torch.equal(first, other)
