"""Chapter 9, training that fails."""

import math
import re

import pandas as pd
import torch
from torch import nn
from torch.nn import functional as F

from course_lib import analysis, data, models, records, training
from course_lib.analysis import memory as suspects
from course_lib.data.catalog import CIFAR10
from course_lib.records import studies
from course_tools.claims.ledger import claim
from course_tools.claims.measurements import difference, mean
from course_tools.claims.published import memory, output, printed, seconds

LAST = {"measure": "val_accuracy", "epoch": -1, "split": None}  # on validation images, after the last epoch


@claim
def training_failures_time():
    """What chapter 9's published run took."""
    return seconds("09-training-failures")


@claim
def training_failures_memory():
    """The most memory that chapter 9's published run held."""
    return memory("09-training-failures")


@claim
def little_data_share():
    """2,250 of CIFAR-10's pictures, validation left out, are a twentieth."""
    return 2_250 / (CIFAR10.train - CIFAR10.validation)


@claim
def by_heart_he():
    """The training loss at which He's weights end, thirty pictures by heart, in the published figure."""
    page = output("09-training-failures")
    return float(re.search(r"At the end: torch's weights [\d.]+, He's weights ([\d.]+)\.", page)[1])


@claim
def by_heart_torch():
    """The same with torch's weights."""
    page = output("09-training-failures")
    return float(re.search(r"At the end: torch's weights ([\d.]+), He's weights", page)[1])


@claim
def he_gradient_shrinks():
    """How many times smaller the gradient of the first layer's outputs is than that of the last's, with He's weights,
    in the published figure.
    """
    page = output("09-training-failures")
    return float(
        re.search(r"He's: [\d.e+-]+ in layer 1 and [\d.e+-]+ in layer 16, the last ([\d.e+]+) times the first", page)[1]
    )


@claim
def torch_gradient_shrinks():
    """The same with torch's own weights."""
    page = output("09-training-failures")
    return float(
        re.search(
            r"torch's own: [\d.e+-]+ in layer 1 and [\d.e+-]+ in layer 16, the last ([\d.e+]+) times the first", page
        )[1]
    )


@claim
def front_gradients_below_epsilon():
    """In the deep plain VGG with torch's weights the gradients of the first six layers' weights have a root mean
    square between 1e-9 and 1e-8 (pictures of the sample).
    """
    with torch.device("cpu"):
        photos = data.load("cifar10", size="sample").train.select(range(64))
        training.set_seed(0)
        network = models.VGG(
            models.CONFIGURATIONS["D"],
            num_classes=10,
            width=0.25,
            batch_norm=False,
            pooled=1,
            hidden=(512, 512),
            dropout=0.0,
        )
        for layer in network.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                layer.reset_parameters()
        arriving = analysis.signals(network, photos.normalize(photos.images), photos.labels)["weight gradient rms"]
    print([f"{one:.0e}" for one in arriving])
    return bool(arriving.iloc[:6].between(1e-9, 1e-8).all())


@claim
def slow_seeds_leave_late():
    """Without a remedy two of three seeds get a tenth below ln 10, in epochs 9 and 10."""
    lines = records.read(records.results_folder() / "09-training-failures.jsonl")
    runs = {one["seed"]: one["epochs"] for one in lines if one["name"] == "deep, torch's weights, rate 0.001"}
    first = [
        next((end["epoch"] for end in epochs if end["train_loss"] < math.log(10) - 0.1), None)
        for epochs in runs.values()
    ]
    return first == [None, 9, 10]


@claim
def who_leaves_first():
    """All seeds with batch norm get a tenth below ln 10 in epoch 1, those with He's weights in epoch 2 or 3, and none
    of the others as early.
    """
    lines = records.read(records.results_folder() / "09-training-failures.jsonl")

    def leaves(name):
        runs = {one["seed"]: one["epochs"] for one in lines if one["name"] == "deep, " + name}
        return {
            next((end["epoch"] for end in epochs if end["train_loss"] < math.log(10) - 0.1), 99)
            for epochs in runs.values()
        }

    others = [leaves("torch's weights, rate " + one) for one in ("0.001", "0.0001", "0.001, warm-up")]
    return (
        leaves("torch's weights, rate 0.001, batch norm") == {1}
        and leaves("He's weights, rate 0.001") == {2, 3}
        and min(map(min, others)) > 3
    )


@claim
def two_remedies_help():
    """He's weights and batch norm each end with a lower training loss than no remedy, a lower rate and a warm-up: six
    t intervals, paired by seed, lie above zero.
    """
    lines = records.read(records.results_folder() / "09-training-failures.jsonl")

    def ends(name):
        return pd.Series(
            {one["seed"]: one["epochs"][-1]["train_loss"] for one in lines if one["name"] == "deep, " + name}
        )

    helps = [ends("He's weights, rate 0.001"), ends("torch's weights, rate 0.001, batch norm")]
    not_so = [ends("torch's weights, rate " + one) for one in ("0.001", "0.0001", "0.001, warm-up")]
    apart = [records.difference(high, low) for high in not_so for low in helps]
    print([f"{mean:.2f} ± {half:.2f}" for mean, half in apart])
    return all(mean > half for mean, half in apart)


@claim
def too_fast_ends_at_ln_10():
    """At a rate of 0.01 the deep plain VGG's last training loss is within 0.02 of ln 10, with either kind of first
    weights.
    """
    lines = records.read(records.results_folder() / "09-training-failures.jsonl")
    ends = [
        one["epochs"][-1]["train_loss"]
        for one in lines
        if one["name"].startswith("deep, ") and one["name"].endswith(", rate 0.01")
    ]
    return len(ends) == 2 and all(abs(one - math.log(10)) < 0.02 for one in ends)


@claim
def alexnet_on_little_data():
    """AlexNet's validation accuracy on a twentieth of the data."""
    return mean("study-little-data/AlexNet, half width, 5%", **LAST)


@claim
def vgg8_on_little_data():
    """VGG8's validation accuracy on a twentieth of the data."""
    return mean("study-little-data/VGG8, half width, 5%", **LAST)


@claim
def thrown_about_first():
    """Training loss of the deep plain VGG with He's weights at a rate of 0.01, epoch 1."""
    return mean("09-training-failures/deep, He's weights, rate 0.01", "train_loss", epoch=1, split="validation")


@claim
def thrown_about_second():
    """The same, epoch 2."""
    return mean("09-training-failures/deep, He's weights, rate 0.01", "train_loss", epoch=2, split="validation")


@claim
def alexnet_less_vgg8_little():
    """AlexNet less VGG8 on a twentieth of the data."""
    return difference("study-little-data/AlexNet, half width, 5%", "study-little-data/VGG8, half width, 5%", **LAST)


@claim
def alexnet_less_vgg8_quarter():
    """AlexNet less VGG8 on a quarter of the data."""
    return difference("study-little-data/AlexNet, half width, 25%", "study-little-data/VGG8, half width, 25%", **LAST)


@claim
def alexnet_less_vgg8_all():
    """AlexNet less VGG8 on all of the data."""
    return difference("study-little-data/AlexNet, half width, 100%", "study-little-data/VGG8, half width, 100%", **LAST)


@claim
def he_helps_vgg8_by():
    """VGG8 with He's weights in its head less VGG8 as it is, on a twentieth of the data."""
    return difference(
        "09-training-failures/VGG8, He's weights, 5%",
        "study-little-data/VGG8, half width, 5%",
        mixed="processor",
        **LAST,
    )


@claim
def he_vgg8_less_alexnet():
    """VGG8 with He's weights in its head less AlexNet, on a twentieth of the data."""
    return difference(
        "09-training-failures/VGG8, He's weights, 5%",
        "study-little-data/AlexNet, half width, 5%",
        mixed="processor",
        **LAST,
    )


@claim
def steps_help_vgg8():
    """VGG8 after twice the steps less VGG8 as it is, on a twentieth of the data."""
    return difference(
        "09-training-failures/VGG8, twice the steps, 5%",
        "study-little-data/VGG8, half width, 5%",
        mixed="processor",
        **LAST,
    )


@claim
def suspect_leaves():
    """Of 14.08 GiB, what is left beside both earlier networks and what VGG-16 with batch norm holds at its second
    pool, at batch 128 in float32.
    """
    with torch.device("meta"):
        network, earlier = models.vgg16_bn(10), (models.alexnet(10), models.vgg16(10))
    left = 4 * 4 * sum(analysis.count_parameters(one) for one in earlier)
    found = suspects.tensors_of_size(network, (3, 224, 224), 392 * 2**20)
    row = found[(found["layer"] == "features.13") & (found["what"] == "indices") & (found["precision"] == "float32")]
    return 14.08 * 2**30 - left - row["held"].item()


@claim
def one_suspect_fits():
    """With both earlier networks on the device, one max-pool alone asks for 392 MiB when between 13.5 and 14.74 GiB
    are held: the second, for its indices, at batch 128 in float32.
    """
    with torch.device("meta"):
        network, earlier = models.vgg16_bn(10), (models.alexnet(10), models.vgg16(10))
    left = 4 * 4 * sum(analysis.count_parameters(one) for one in earlier)
    found = suspects.tensors_of_size(network, (3, 224, 224), 392 * 2**20)
    pools = found[found["type"] == "MaxPool2d"]
    near = pools[((pools["held"] + left) / 2**30).between(13.5, 14.74)]
    return near[["layer", "what", "precision", "batch"]].values.tolist() == [["features.13", "indices", "float32", 128]]


@claim
def batch_128_cannot_fit():
    """A step of VGG-16 with batch norm on 128 pictures of 224 × 224 holds more than 14.74 GiB in float32."""
    with torch.device("meta"):
        network = models.vgg16_bn(10)
    return analysis.training_memory(network, (3, 224, 224), 128).total > 14.74 * 2**30


@claim
def micro_batches_are_equal():
    """Without batch norm, gradients of four pieces add up to that of the whole batch, but for rounding."""
    with torch.device("cpu"):
        torch.manual_seed(0)
        network = models.vgg8(10, 3, 0.125, dropout=0.0).double()
        images, labels = torch.randn(12, 3, 32, 32, dtype=torch.float64), torch.arange(12) % 10

        def gradients(pieces):
            network.zero_grad()
            for shown, told in zip(images.tensor_split(pieces), labels.tensor_split(pieces), strict=False):
                (F.cross_entropy(network(shown), told) * len(told) / 12).backward()
            return [one.grad.clone() for one in network.parameters()]

        whole, split = gradients(1), gradients(4)
    largest = max(one.abs().max().item() for one in whole)
    return max((a - b).abs().max().item() for a, b in zip(whole, split, strict=False)) < 1e-12 * largest


@claim
def batch_memory_predicted():
    """By how much 512 images need more memory than 128, predicted, on the published page."""
    page = output("09-training-failures")
    return 1e6 * float(re.search(r"predicted, MB +[\d.]+ +[\d.]+ +([\d.]+)", page)[1])


@claim
def batch_memory_measured():
    """The same, measured."""
    page = output("09-training-failures")
    return 1e6 * float(re.search(r"measured, MB +[\d.]+ +[\d.]+ +([\d.]+)", page)[1])


@claim
def alexnet_with_he():
    """AlexNet with He's weights on a twentieth of the data, one seed."""
    return printed("09-training-failures", "AlexNet, He's weights, one seed: ")


@claim
def alexnet_without_he():
    """AlexNet with torch's weights on the same pictures, the same seed."""
    runs = studies.curves("little-data").query("name == 'AlexNet, half width, 5%' and seed == 0")
    return runs["val_accuracy"].iloc[-1].item()


@claim
def unequal_pieces():
    """By how much of its largest value the gradient is off, four pictures and three."""
    return printed("09-training-failures", "off by ")


@claim
def resnet_98_numbers():
    """Numbers of 4 bytes that one of 16 pictures has in 98 MiB."""
    return 98 * 2**20 / 16 / 4


@claim
def nan_everywhere():
    """What fit finds after an epoch at a rate of 10, on the published page."""
    page = output("09-training-failures")
    lines = [" ".join(line.split()) for line in page.replace("\n", "\n").splitlines()]
    rows = [
        "32 of 32 weight tensors are not finite",
    ]
    return all(any(row in line for line in lines) for row in rows)


FOUR = "study-alexnet-vs-vgg-224"


def _at_a_guess(name: str, epoch: int) -> int:
    """How many of a network's five seeds have exactly 10 % of the validation images right after an epoch."""
    at = studies.curves("alexnet-vs-vgg-224").query("name == @name and epoch == @epoch")["val_accuracy"]
    return (at.round(3) == 0.1).sum() if len(at) == 5 else -1


@claim
def four_vgg16_he():
    """Validation accuracy of VGG-16 without batch norm on 2,500 images, with He's weights in all layers."""
    return mean(f"{FOUR}/VGG-16, He's weights", **LAST)


@claim
def four_vgg16_torch():
    """With torch's own weights all five such networks are at 10 % after two epochs, and three after ten."""
    return [_at_a_guess("VGG-16, torch's weights", epoch) for epoch in (2, 10)] == [5, 3]


@claim
def four_alexnet_he_dead():
    """With He's weights in all layers two of five AlexNets end at 10 %; one of them was above 15 % before."""
    curves = studies.curves("alexnet-vs-vgg-224").query('name == "AlexNet, He\'s weights"')
    best = curves.groupby("seed")["val_accuracy"].agg(["max", "last"])
    fallen = best[best["last"].round(3) == 0.1]
    return len(best) == 5 and len(fallen) == 2 and (fallen["max"] > 0.15).sum() == 1


@claim
def four_alexnet_torch():
    """Validation accuracy of AlexNet on 2,500 images, with torch's own weights."""
    return mean(f"{FOUR}/AlexNet, torch's weights", **LAST)


@claim
def four_he_undecided():
    """The interval of VGG8 less AlexNet, both with He's weights, contains zero."""
    apart = difference(f"{FOUR}/VGG8, He's weights", f"{FOUR}/AlexNet, He's weights")
    return abs(apart.value) < apart.spread


@claim
def four_alexnet_less_vgg8():
    """AlexNet less VGG8, both with torch's own weights, on test images."""
    return difference(f"{FOUR}/AlexNet, torch's weights", f"{FOUR}/VGG8, torch's weights")


@claim
def four_alexnet_less_vgg8_he():
    """AlexNet with torch's own weights less VGG8 with He's, on test images."""
    return difference(f"{FOUR}/AlexNet, torch's weights", f"{FOUR}/VGG8, He's weights")


def _deep(weights: str) -> pd.DataFrame:
    """Runs of the deep network without batch norm in study failures, with torch's or He's first weights."""
    runs = records.studies.table("failures")
    return runs[runs["name"].str.contains(weights) & ~runs["name"].str.contains("batch norm")]


@claim
def deep_torch_best():
    """The best of 30 runs of the deep network with torch's first weights, six rates, on validation images."""
    runs = _deep("torch's weights")
    return float(runs["accuracy"].max()) if len(runs) == 30 else None


@claim
def deep_he_at_best():
    """Accuracy of the deep network with He's first weights at rate 0.0003, five seeds."""
    return mean("study-failures/deep, He's weights, rate 0.0003", split="validation")


@claim
def deep_he_too_fast():
    """With He's weights all runs up to rate 0.001 read above 30 %, and the ten runs at 0.01 and 0.03 read 10 %."""
    runs = _deep("He's weights")
    slow, fast = runs[runs["learning_rate"] <= 0.001], runs[runs["learning_rate"] >= 0.01]
    return bool((slow["accuracy"] > 0.3).all() and len(fast) == 10 and (fast["accuracy"] == 0.1).all())
