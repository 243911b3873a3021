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
from course_tools.claims.evidence import Evidence
from course_tools.claims.ledger import claim
from course_tools.claims.measurements import difference, mean
from course_tools.claims.published import memory, output, printed, seconds

CHAPTER = "09-training-failures"
LAST = {"measure": "val_accuracy", "epoch": -1, "split": None}  # on validation images, after the last epoch


@claim
def training_failures_time():
    """What chapter 9's published run took."""
    return seconds(CHAPTER)


@claim
def training_failures_memory():
    """The most memory that chapter 9's published run held."""
    return memory(CHAPTER)


@claim
def little_data_share():
    """2,250 of CIFAR-10's pictures, validation left out, are a twentieth."""
    return 2_250 / (CIFAR10.train - CIFAR10.validation)


def _runs(name: str) -> pd.DataFrame:
    """Curves of one network of study failures, five seeds."""
    curves = studies.curves("failures")
    return curves[curves["name"] == f"deep, {name}"]


def _leaves(name: str) -> dict[int, float]:
    """By seed, the first epoch whose training loss is a tenth below ln 10; infinity where there is none."""
    curves = _runs(name)
    below = curves[curves["train_loss"] < math.log(10) - 0.1]
    return below.groupby("seed")["epoch"].min().reindex(curves["seed"].unique()).fillna(math.inf).to_dict()


def _first_layer() -> str:
    """The alt text of the published figure of the first layer's gradient over training steps."""
    (alt,) = (
        line for line in output(CHAPTER).splitlines() if "Line chart of the first layer's weight gradient" in line
    )
    return alt


@claim
def deep_he():
    """Validation accuracy of the deep network with He's first weights, after ten epochs."""
    return mean("study-failures/deep, He's weights, rate 0.001", split="validation")


@claim
def deep_norm():
    """The same with torch's first weights and batch norm."""
    return mean("study-failures/deep, torch's weights, rate 0.001, batch norm", split="validation")


@claim
def plain_parameters():
    """Parameters of the deep network, as the published run counted them."""
    (count,) = {one["recipe"]["parameters"] for one in records.read(records.results_folder() / f"{CHAPTER}.jsonl")}
    return count


@claim
def nine_in_ten():
    """The entropy of two classes with shares of 0.9 and 0.1."""
    return -sum(share * math.log(share) for share in (0.9, 0.1))


@claim
def deep_torch():
    """The same with torch's first weights."""
    return mean("study-failures/deep, torch's weights, rate 0.001", split="validation")


@claim
def stuck_epochs():
    """For how many epochs the published run with torch's weights has a training loss within 0.003 of ln 10."""
    (run,) = (one for one in records.read(records.results_folder() / f"{CHAPTER}.jsonl") if "slow" in one["name"])
    near = [abs(epoch["train_loss"] - math.log(10)) < 0.003 for epoch in run["epochs"]]
    return near.index(False)


@claim
def by_heart_he():
    """The training loss at which He's weights end, thirty images by heart."""
    return _printed_second("He's weights: ")


@claim
def by_heart_torch():
    """The same with torch's weights."""
    return _printed_second("torch's weights: ")


def _printed_second(behind: str) -> float:
    return float(re.search(rf"{behind}[\d.]+ at first, ([\d.]+) after 60", output(CHAPTER))[1])


@claim
def by_heart_tiny():
    """The same with weights of one size, 0.01."""
    return printed(CHAPTER, "all 0.01: ")


@claim
def torch_factor():
    """By which factor a layer with ReLU and weights of variance 1/(3n) changes the size of a signal."""
    return math.sqrt(1 / 6)


@claim
def torch_shrinks():
    """Fifteen such layers leave a millionth, within a factor of two."""
    left = math.sqrt(1 / 6) ** 15
    print(f"{left:.1e}")
    return 0.5e-6 < left < 2e-6


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
    """Without a remedy four of five seeds get a tenth below ln 10, in epochs 4 to 9, and the fifth never does."""
    first = sorted(_leaves("torch's weights, rate 0.001").values())
    print(first)
    return len(first) == 5 and (first[0], first[3], first[4]) == (4, 9, math.inf)


@claim
def slow_in_float32():
    """The same in float32: four in epochs 5 to 9, and the fifth never does."""
    first = sorted(_leaves("torch's weights, rate 0.001, float32").values())
    print(first)
    return len(first) == 5 and (first[0], first[3], first[4]) == (5, 9, math.inf)


@claim
def who_leaves_first():
    """All seeds with batch norm get a tenth below ln 10 in epoch 1, those with He's weights in epoch 2 or 3, and none
    of the others before epoch 4.
    """
    others = [f"torch's weights, rate {one}" for one in ("0.001", "0.0001", "0.001, warm-up")]
    earliest = [_leaves(name).values() for name in others]
    print(earliest)
    return (
        set(_leaves("torch's weights, rate 0.001, batch norm").values()) == {1}
        and set(_leaves("He's weights, rate 0.001").values()) == {2, 3}
        and all(len(epochs) == 5 and not any(epoch < 4 for epoch in epochs) for epochs in earliest)
    )


@claim
def two_remedies_help():
    """Of four remedies, He's weights and batch norm alone end with a lower training loss than none: by Holm's rule."""
    remedies = ["He's weights, rate 0.001", "torch's weights, rate 0.001, batch norm"]
    remedies += ["torch's weights, rate 0.0001", "torch's weights, rate 0.001, warm-up"]
    ends = {name: _runs(name).groupby("seed")["train_loss"].last() for name in remedies}
    table = records.family(_runs("torch's weights, rate 0.001").groupby("seed")["train_loss"].last(), ends)
    print(table)
    return [p < 0.05 for p in table["p_holm"]] == [True, True, False, False] and (table["difference"][:2] < 0).all()


@claim
def too_fast_ends_at_ln_10():
    """At a rate of 0.01 all ten deep networks end within 0.02 of ln 10, and so do both of the published page."""
    ends = [_runs(f"{kind} weights, rate 0.01").groupby("seed")["train_loss"].last() for kind in ("He's", "torch's")]
    lines = records.read(records.results_folder() / f"{CHAPTER}.jsonl")
    here = [one["epochs"][-1]["train_loss"] for one in lines if one["name"] in ("dead", "thrown about")]
    every = [*ends[0], *ends[1], *here]
    return len(every) == 12 and all(abs(end - math.log(10)) < 0.02 for end in every)


def _at_step_0(name: str) -> float:
    return float(re.search(rf"{name}: ([\d.e+-]+) at step 0", _first_layer())[1])


@claim
def slow_front():
    """The gradient of the first layer's weights at the first step of the published run with torch's weights."""
    return _at_step_0("slow to start")


@claim
def healthy_front():
    """The same with He's weights."""
    return _at_step_0("healthy")


@claim
def dead_from():
    """The first recorded step at which it is zero with torch's weights and a rate of 0.01, and ever after."""
    found = re.search(r"dead: [^:]*zero at (\d+) of (\d+) steps, first at (\d+)", _first_layer())
    zeros, steps, first = map(int, found.groups())
    return first if 10 * (steps - zeros) == first else None


@claim
def thrown_end():
    """And the last one that the figure shows."""
    return float(re.search(r"thrown about: .*? and ([\d.e+-]+) at step", _first_layer())[1])


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
    """Mean training loss in the first epoch of the published run with He's weights and a rate of 0.01."""
    return mean(f"{CHAPTER}/thrown about", "train_loss", epoch=1, split="validation")


@claim
def alexnet_to_vgg8():
    """How many times VGG8's parameters AlexNet has, both at half width."""
    pair = models.alexnet(10, 3, 0.5, stem="small"), models.vgg8(10, 3, 0.5)
    return analysis.count_parameters(pair[0]) / analysis.count_parameters(pair[1])


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


HEAD = "VGG8, half width, He's weights in its head"
LONGER = ", three times the steps"


def _less(of: str, minus: str) -> Evidence:
    """A difference on a twentieth of the data."""
    return difference(f"study-little-data/{of}, 5%", f"study-little-data/{minus}, 5%", **LAST)


@claim
def he_helps_vgg8_by():
    """VGG8 with He's weights in its head less VGG8 as it is."""
    return _less(HEAD, "VGG8, half width")


@claim
def he_vgg8_less_alexnet():
    """VGG8 with He's weights in its head less AlexNet as it is."""
    return _less(HEAD, "AlexNet, half width")


@claim
def vgg8_less_alexnet_longer():
    """The same after three times the steps, for both."""
    return _less(HEAD + LONGER, "AlexNet, half width" + LONGER)


@claim
def steps_help_alexnet():
    """AlexNet after three times the steps less AlexNet as it is."""
    return _less("AlexNet, half width" + LONGER, "AlexNet, half width")


@claim
def he_hurts_alexnet_by():
    """AlexNet as it is less AlexNet with He's weights in all layers."""
    return _less("AlexNet, half width", "AlexNet, half width, He's weights")


@claim
def little_by_holm():
    """Of the six differences on a twentieth of the data that the chapter quotes, all count by Holm's rule but that of
    VGG8, with He's weights in its head, and AlexNet after three times the steps.
    """
    ends = studies.curves("little-data").groupby(["name", "seed"])["val_accuracy"].last()
    alexnet, vgg8 = "AlexNet, half width", "VGG8, half width"
    pairs = [(alexnet, vgg8), (HEAD, vgg8), (HEAD, alexnet), (HEAD + LONGER, alexnet + LONGER)]
    pairs += [(alexnet + LONGER, alexnet), (alexnet, alexnet + ", He's weights")]
    values = [records.p_value(ends[f"{of}, 5%"], ends[f"{minus}, 5%"]) for of, minus in pairs]
    adjusted = records.holm(pd.Series(values))
    print(adjusted.round(4).tolist())
    return [p < 0.05 for p in adjusted] == [True, True, True, False, True, True]


@claim
def alexnet_longer_training():
    """AlexNet's accuracy on its own training images after three times the steps, with dropout on."""
    return mean(f"study-little-data/AlexNet, half width{LONGER}, 5%", "train_accuracy", epoch=-1, split=None)


@claim
def vgg8_longer_training():
    """The same for VGG8 with He's weights in its head."""
    return mean(f"study-little-data/{HEAD}{LONGER}, 5%", "train_accuracy", epoch=-1, split=None)


@claim
def longer_below_half():
    """After three times the steps both networks read less than half of the validation images."""
    names = [f"study-little-data/{name}{LONGER}, 5%" for name in ("AlexNet, half width", HEAD)]
    return all(mean(name, **LAST).value < 0.5 for name in names)


@claim
def vgg8_head_factor():
    """By which factor weights of 0.01 change the size of a signal with 256 inputs behind a ReLU."""
    return 0.01 * math.sqrt(256 / 2)


def _peak(share: str) -> float:
    """The most memory in bytes, mean over five runs, that AlexNet's process held on a share of the images."""
    peaks = [
        run["peak_memory_mb"] for run in studies.read("little-data") if run["name"] == f"AlexNet, half width, {share}"
    ]
    return 1e6 * sum(peaks) / len(peaks)


@claim
def memory_on_a_twentieth():
    """On a twentieth of the images."""
    return _peak("5%")


@claim
def memory_on_a_tenth():
    """On a tenth of the images."""
    return _peak("10%")


@claim
def memory_128_to_64():
    """Memory of a step of VGG-16 with batch norm, images of 224 × 224: a batch of 128 over one of 64."""
    with torch.device("meta"):
        network = models.vgg16_bn(10)
    large, small = (analysis.training_memory(network, (3, 224, 224), size).total for size in (128, 64))
    return large / small


@claim
def earlier_networks():
    """What AlexNet and VGG-16 leave behind: weights, gradients and Adam's two means."""
    with torch.device("meta"):
        networks = models.alexnet(10), models.vgg16(10)
    return 4 * 4 * sum(analysis.count_parameters(one) for one in networks)


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
    """With both earlier networks on the device, one max-pool alone asks for 392 MiB when between 10.1 and 14.08 GiB
    are held: the second, for its indices, at batch 128 in float32.
    """
    with torch.device("meta"):
        network, earlier = models.vgg16_bn(10), (models.alexnet(10), models.vgg16(10))
    left = 4 * 4 * sum(analysis.count_parameters(one) for one in earlier)
    found = suspects.tensors_of_size(network, (3, 224, 224), 392 * 2**20)
    pools = found[found["type"] == "MaxPool2d"]
    near = pools[((pools["held"] + left) / 2**30).between(10.1, 14.08)]
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
def softmax_twice():
    """The loss of a perfect answer among ten classes, as probabilities in place of logits."""
    return math.log(math.e + 9) - 1


@claim
def warm_up_saves():
    """How many of three runs at a rate of 0.01 with He's weights a warm-up saves, on the published page."""
    return printed(CHAPTER, "saved by a warm-up: ")


@claim
def unequal_pieces():
    """By how much of its largest value the gradient is off, four pictures and three."""
    return printed(CHAPTER, "off by ")


@claim
def resnet_98_numbers():
    """Numbers of 4 bytes that one of 16 pictures has in 98 MiB."""
    return 98 * 2**20 / 16 / 4


@claim
def nan_everywhere():
    """What fit finds after an epoch at a rate of 10, on the published page."""
    page = output(CHAPTER)
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
def four_he_starts_high():
    """With He's weights in all layers five VGG-16 begin with a mean loss above 10, come down to less than 0.1 above
    ln 10 within five epochs, and read more than 30 % in the end.
    """
    runs = studies.curves("alexnet-vs-vgg-224").query('name == "VGG-16, He\'s weights"').groupby("seed")
    first, low, last = runs["train_loss"].first(), runs["train_loss"].apply(lambda run: run[:5].min()), runs.last()
    print(first.round(1).tolist(), low.round(3).tolist(), last["val_accuracy"].round(3).tolist())
    return len(first) == 5 and first.min() > 10 and low.max() < math.log(10) + 0.1 and last["val_accuracy"].min() > 0.3


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
    return runs[runs["name"].str.fullmatch(f"deep, {weights}, rate [\\d.]+")]


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


@claim
def deep_he_at_003():
    """With He's weights at 0.003, four of five runs leave ln 10."""
    return sum(epoch < math.inf for epoch in _leaves("He's weights, rate 0.003").values()) == 4
