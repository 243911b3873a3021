"""Chapter 7, VGG against ResNet."""

import json
import math
import re

import numpy as np
import pandas as pd
import scipy.stats
import torch

from course_lib import analysis, models, records
from course_lib.records import studies
from course_tools.claims.ledger import claim
from course_tools.claims.measurements import difference, mean
from course_tools.claims.published import memory, output, printed, seconds

CHAPTER = "07-vgg-vs-resnet"


@claim
def modified_vgg_accuracy():
    """Test accuracy of the modified VGG on MNIST."""
    return mean("study-vgg-vs-resnet/modified VGG")


@claim
def modified_resnet_accuracy():
    """Test accuracy of the modified ResNet, half width, on MNIST."""
    return mean("study-vgg-vs-resnet/modified ResNet")


@claim
def modified_resnet_time_ratio():
    """How many times as long the modified ResNet trains as the modified VGG, one core each."""
    seconds = studies.table("vgg-vs-resnet").groupby("name")["seconds"].mean()
    return seconds["modified ResNet"] / seconds["modified VGG"]


@claim
def modified_vgg_constant():
    """Test accuracy of the modified VGG at a constant rate, ten seeds, a tenth of the digits."""
    return mean("study-many-seeds/modified VGG, constant rate")


@claim
def modified_vgg_falling():
    """The same at a falling rate."""
    return mean("study-many-seeds/modified VGG, falling rate")


def _of_many(name: str) -> pd.Series:
    return studies.table("many-seeds").query("name == @name")["accuracy"]


def _ratio(constant: pd.Series, falling: pd.Series) -> tuple[float, float, float]:
    """The ratio of two spreads, and its 95 % interval: an F test."""
    factor = scipy.stats.f.ppf(0.975, len(constant) - 1, len(falling) - 1) ** 0.5
    ratio = constant.std() / falling.std()
    return ratio, ratio / factor, ratio * factor


def _spread_ratio(network: str) -> tuple[float, float, float]:
    """A network's spread at a constant rate over that at a falling one, and its 95 % interval."""
    return _ratio(*(_of_many(f"modified {network}, {rate} rate") for rate in ("constant", "falling")))


@claim
def vgg_spread_ratio():
    """Spread of the modified VGG at a constant rate over that at a falling one."""
    return _spread_ratio("VGG")[0]


@claim
def vgg_spread_ratio_low():
    """The lower end of that ratio's 95 % interval."""
    return _spread_ratio("VGG")[1]


@claim
def vgg_spread_ratio_high():
    """The upper end of that ratio's 95 % interval."""
    return _spread_ratio("VGG")[2]


@claim
def vgg_spread_ratio_without():
    """The ratio without the modified VGG's worst run."""
    return _without_worst()[0]


@claim
def vgg_spread_without_undecided():
    """Its interval contains 1."""
    _, low, high = _without_worst()
    return low < 1 < high


def _without_worst() -> tuple[float, float, float]:
    constant, falling = (
        _of_many(f"modified VGG, {rate} rate").reset_index(drop=True) for rate in ("constant", "falling")
    )
    kept = constant.index != constant.idxmin()
    return _ratio(constant[kept], falling[kept])


@claim
def resnet_constant_spread():
    """Spread of the modified ResNet at a constant rate."""
    return _of_many("modified ResNet, constant rate").std()


@claim
def resnet_falling_spread():
    """Spread of the modified ResNet at a falling rate."""
    return _of_many("modified ResNet, falling rate").std()


@claim
def resnet_spreads_undecided():
    """The interval of the ratio of the modified ResNet's spreads contains 1."""
    _, low, high = _spread_ratio("ResNet")
    return low < 1 < high


@claim
def worst_of_many_vgg():
    """The lowest of ten test accuracies of the modified VGG at a constant rate."""
    return _of_many("modified VGG, constant rate").min()


@claim
def worst_of_many_resnet():
    """The lowest of ten test accuracies of the modified ResNet at a constant rate."""
    return _of_many("modified ResNet, constant rate").min()


@claim
def modified_resnet_minus_modified_vgg():
    """Difference of the modified networks' test accuracies, seed by seed."""
    return difference("study-vgg-vs-resnet/modified ResNet", "study-vgg-vs-resnet/modified VGG")


@claim
def modified_resnet_last_jump():
    """How far the validation accuracy of the modified ResNet's seed 0 rises from the ninth to the tenth epoch."""
    (line,) = (one for one in studies.read("vgg-vs-resnet") if one["name"] == "modified ResNet" and one["seed"] == 0)
    return line["epochs"][-1]["val_accuracy"] - line["epochs"][-2]["val_accuracy"]


# Test accuracies of LeNet-5, modern form, with today's recipe and seeds, as chapter 2 was published on 25 November 2026
# (results/02-lenet.jsonl in commit 25eea81). The records do not name their processor.
ELSEWHERE = [0.9919, 0.9923, 0.9912, 0.9923, 0.9910]


@claim
def lenet5_mnist_elsewhere():
    """Mean test accuracy of LeNet-5 in the run of 25 November 2026."""
    return np.mean(ELSEWHERE)


@claim
def lenet5_mnist_elsewhere_spread():
    """The spread of these five runs."""
    return np.std(ELSEWHERE, ddof=1)


@claim
def lenet5_mnist_again():
    """Today's five runs have the accuracies of 20 November 2026 (commit 1fa2042), one by one.

    Those of 25 November have more than three times their spread, and a mean that lies four of their spreads away.
    """
    runs = records.table("02-lenet").query("name == 'LeNet-5, modern' and split == 'test'").set_index("seed")
    today = runs["accuracy"].sort_index()
    moved = (today.mean() - np.mean(ELSEWHERE)) / today.std()
    same = today.tolist() == [0.9925, 0.9923, 0.9923, 0.9927, 0.9925]
    return bool(same and np.std(ELSEWHERE, ddof=1) > 3 * today.std() and moved > 4)


@claim
def resnet34_time_ratio():
    """The share of VGG-16's time that ResNet-34 took for a training step in chapter 7's published run."""
    return printed(CHAPTER, "ResNet-34 takes ")


@claim
def vgg16_hours():
    """Hours of ten epochs of VGG-16 on 48,000 digits at the speed of chapter 7's published run."""
    page = records.results_folder().parent / "notebooks" / "07-vgg-vs-resnet.ipynb"
    cells = json.loads(page.read_text(encoding="utf-8"))["cells"]
    outputs = [one for cell in cells for one in cell.get("outputs", []) if one["output_type"] == "stream"]
    printed = "".join("".join(one["text"]) for one in outputs)
    seconds, images = re.search(r"VGG-16: ([\d.]+) s a step of (\d+) images", printed).groups()
    return float(seconds) / int(images) * 48_000 * 10


@claim
def vgg16_at_56():
    """Test accuracy of VGG-16 on digits of 56 × 56, one run."""
    return mean("study-originals/VGG-16")


@claim
def modified_resnet_slower():
    """The modified ResNet trained longer than the modified VGG, with every seed."""
    seconds = studies.table("vgg-vs-resnet").pivot_table(index="seed", columns="name", values="seconds")
    return (seconds["modified ResNet"] > seconds["modified VGG"]).all()


@claim
def modified_vgg_cifar10():
    """Test accuracy of the modified VGG on CIFAR-10 at 28 × 28."""
    return mean("study-augment-all/augmented by nothing")


@claim
def modified_vgg_cifar10_ahead():
    """How far our modified VGG is ahead of the report's on CIFAR-10."""
    return mean("study-augment-all/augmented by nothing").value - 0.55


@claim
def modified_vgg_cifar10_f1():
    """Macro F1 of the modified VGG on CIFAR-10, mean of the runs."""
    return mean("study-augment-all/augmented by nothing", "macro_f1")


@claim
def pooled_f1():
    """Macro F1 of the modified VGG on CIFAR-10, of the runs' matrices added up."""
    return printed(CHAPTER, "macro ")


@claim
def modified_vgg_cifar10_training_loss():
    """The modified VGG's training loss on CIFAR-10 in its last epoch."""
    return mean("study-augment-all/augmented by nothing", "train_loss", epoch=-1)


@claim
def modified_vgg_cifar10_validation_loss():
    """The modified VGG's validation loss on CIFAR-10 after its last epoch."""
    return mean("study-augment-all/augmented by nothing", "val_loss", epoch=-1)


@claim
def no_augmentation_gap():
    """How far validation loss lies above training loss in the last epoch without augmentation, on 9,000 images."""
    ends = [one["epochs"][-1] for one in studies.read("cifar-augment") if one["name"] == "augmented by nothing"]
    return np.mean([end["val_loss"] - end["train_loss"] for end in ends])


@claim
def no_augmentation_counts():
    """Of five augmentations none differs from nothing by Holm's rule; flipping and elastic deformation would, alone."""
    runs = dict(list(studies.table("cifar-augment").set_index("seed").groupby("name")["accuracy"]))
    five = records.family(runs.pop("augmented by nothing"), runs)
    alone = five.index[five["p"] < 0.05].str.removeprefix("augmented by ")
    return len(five) == 5 and five["p_holm"].min() > 0.05 and sorted(alone) == ["elastic", "flipping"]


@claim
def flipping_gain():
    """What flipping adds to the test accuracy on CIFAR-10, 9,000 images."""
    return difference("study-cifar-augment/augmented by flipping", "study-cifar-augment/augmented by nothing")


@claim
def elastic_gain():
    """What elastic deformation adds to the test accuracy on CIFAR-10, 9,000 images."""
    return difference("study-cifar-augment/augmented by elastic", "study-cifar-augment/augmented by nothing")


@claim
def cropping_gain():
    """What cropping adds to the test accuracy on CIFAR-10, 9,000 images."""
    return difference("study-cifar-augment/augmented by cropping", "study-cifar-augment/augmented by nothing")


@claim
def best_of_five_wins():
    """How often the best of five draws lies above the mean that they are drawn around."""
    return 1 - 0.5**5


@claim
def sample_without_flips():
    """Training accuracy on 500 photographs without flips, in chapter 7's published run."""
    return printed(CHAPTER, "nothing: ")


@claim
def sample_with_flips():
    """The same with flips."""
    return printed(CHAPTER, "flips: ")


@claim
def augmentation_raises_training_loss():
    """With each augmentation the training loss of the last epoch is higher than without."""
    ends = {}
    for line in studies.read("cifar-augment"):
        ends.setdefault(line["name"], []).append(line["epochs"][-1]["train_loss"])
    means = {name: np.mean(losses) for name, losses in ends.items()}
    return min(means, key=means.get) == "augmented by nothing"


@claim
def vgg_vs_resnet_time():
    """What chapter 7's published run took."""
    return seconds(CHAPTER)


@claim
def vgg_vs_resnet_memory():
    """The most memory that chapter 7's published run held."""
    return memory(CHAPTER)


@claim
def flips_and_crops_on_all():
    """The gain of flips and crops over nothing, modified VGG on all photographs."""
    return difference("study-augment-all/augmented by flips and crops", "study-augment-all/augmented by nothing")


@claim
def flips_and_crops_by_holm():
    """As one of two comparisons with nothing, the gain of flips and crops does not count: Holm's rule."""
    runs = {name: one.set_index("seed")["accuracy"] for name, one in studies.table("augment-all").groupby("name")}
    two = records.family(runs.pop("augmented by nothing"), runs)
    return len(two) == 2 and two["p_holm"].min() > 0.05


@claim
def rotation_on_all():
    """The gain of rotation over nothing, modified VGG on all photographs."""
    return difference("study-augment-all/augmented by rotation", "study-augment-all/augmented by nothing")


@claim
def resnet34_at_56():
    """Test accuracy of ResNet-34 on digits of 56 × 56."""
    return mean("study-originals/ResNet-34")


@claim
def vgg16_bn_at_56():
    """Test accuracy of VGG-16 with batch norm on digits of 56 × 56, one run."""
    return mean("study-originals/VGG-16 with batch norm")


@claim
def vgg16_at_56_first():
    """Validation accuracy of VGG-16 on digits of 56 × 56 after one epoch, one run."""
    return mean("study-originals/VGG-16", "val_accuracy", epoch=1)


@claim
def modified_resnet_in_originals():
    """Test accuracy of the modified ResNet at half the width, 7,500 digits."""
    return mean("study-originals/modified ResNet")


@claim
def modified_resnet_full_in_originals():
    """Test accuracy of the modified ResNet at full width, 7,500 digits."""
    return mean("study-originals/modified ResNet, full width")


@claim
def modified_vgg_in_originals():
    """Test accuracy of the modified VGG, 7,500 digits."""
    return mean("study-originals/modified VGG")


@claim
def enlarged_vgg_in_originals():
    """Test accuracy of the modified VGG on digits enlarged to 56 × 56, 7,500 of them."""
    return mean("study-originals/modified VGG, enlarged")


@claim
def resnet34_less_modified():
    """ResNet-34 on digits of 56 × 56 less the modified ResNet of half the width on the same digits."""
    return difference("study-originals/ResNet-34", "study-originals/modified ResNet")


@claim
def resnet34_less_full_undecided():
    """The interval of ResNet-34 less the modified ResNet of full width contains zero."""
    apart = difference("study-originals/ResNet-34", "study-originals/modified ResNet, full width")
    return abs(apart.value) < apart.spread


@claim
def fluctuation_undecided():
    """So does that of how far their validation accuracies spread over the epochs."""
    names = ("study-originals/ResNet-34", "study-originals/modified ResNet, full width")
    apart = difference(*names, measure="val_fluctuation")
    return abs(apart.value) < apart.spread


@claim
def resnet34_training_loss_at_56():
    """ResNet-34's training loss in its last epoch."""
    return mean("study-originals/ResNet-34", "train_loss", epoch=-1).value


@claim
def modified_resnet_training_loss_in_originals():
    """The modified ResNet's training loss in its last epoch, half the width."""
    return mean("study-originals/modified ResNet", "train_loss", epoch=-1).value


@claim
def worst_full_resnet():
    """The lowest of five test accuracies of the modified ResNet at full width, 7,500 digits."""
    return studies.table("originals").query("name == 'modified ResNet, full width'")["accuracy"].min()


LARGE = "study-vgg-vs-resnet"


@claim
def vgg16_gpu_minutes():
    """Seconds of all steps of VGG-16's one run at 224 × 224, on one GPU."""
    return mean(f"{LARGE}/VGG-16", "seconds").value


@claim
def vgg16_at_224():
    """Test accuracy of VGG-16 on digits of 224 × 224, one run."""
    return mean(f"{LARGE}/VGG-16")


@claim
def vgg16_at_224_first():
    """Its validation accuracy after one epoch."""
    return mean(f"{LARGE}/VGG-16", "val_accuracy", epoch=1)


@claim
def resnet34_at_224():
    """Test accuracy of ResNet-34 on digits of 224 × 224."""
    return mean(f"{LARGE}/ResNet-34")


@claim
def modified_resnet_on_gpu():
    """Test accuracy of the modified ResNet at full width."""
    return mean(f"{LARGE}/modified ResNet, full width")


@claim
def vgg16_between_resnets():
    """VGG-16's run lies above two runs of ResNet-34 and below the third."""
    runs = studies.table("vgg-vs-resnet").set_index("name")["accuracy"]
    return (runs["ResNet-34"] < runs["VGG-16"]).sum() == 2 and len(runs["ResNet-34"]) == 3


@claim
def resnet34_dip():
    """The lowest validation accuracy of ResNet-34's three seeds after the sixth epoch."""
    return studies.curves("vgg-vs-resnet").query("name == 'ResNet-34' and epoch == 6")["val_accuracy"].min()


@claim
def resnet34_training_loss_at_224():
    """ResNet-34's training loss in its last epoch."""
    return mean(f"{LARGE}/ResNet-34", "train_loss", epoch=-1).value


@claim
def resnet34_validation_loss_at_224():
    """Its validation loss after its last epoch."""
    return mean(f"{LARGE}/ResNet-34", "val_loss", epoch=-1).value


@claim
def resnet34_first_validation_loss():
    """Its validation loss after its first epoch."""
    return mean(f"{LARGE}/ResNet-34", "val_loss", epoch=1).value


@claim
def resnet34_first_training_loss():
    """Its training loss in its first epoch."""
    return mean(f"{LARGE}/ResNet-34", "train_loss", epoch=1).value


@claim
def modified_resnet_training_loss_on_gpu():
    """The training loss of the modified ResNet of full width in its last epoch."""
    return mean(f"{LARGE}/modified ResNet, full width", "train_loss", epoch=-1).value


@claim
def resnet34_less_modified_at_224():
    """ResNet-34 on digits of 224 × 224 less the modified ResNet of full width on digits as they are."""
    return difference(f"{LARGE}/ResNet-34", f"{LARGE}/modified ResNet, full width")


@claim
def vgg16_errors_at_224():
    """Errors of VGG-16's run among 10,000 test digits."""
    return round(10_000 * (1 - mean(f"{LARGE}/VGG-16").value))


SMALL = ("modified VGG", "modified ResNet")


def _by_seed() -> pd.DataFrame:
    """Test accuracies of the small networks of study vgg-vs-resnet, a row a seed."""
    runs = studies.table("vgg-vs-resnet")
    return runs[runs["name"].isin(SMALL)].pivot(index="seed", columns="name", values="accuracy")


@claim
def resnet_wins_pairs():
    """Of all pairs of one run each, how many the modified ResNet wins."""
    runs = _by_seed()
    return int((runs["modified ResNet"].to_numpy()[:, None] > runs["modified VGG"].to_numpy()).sum())


@claim
def pairs_tied():
    """Of these pairs, how many are equal."""
    runs = _by_seed()
    return int((runs["modified ResNet"].to_numpy()[:, None] == runs["modified VGG"].to_numpy()).sum())


@claim
def small_undecided():
    """The interval of the modified networks' difference contains zero."""
    apart = difference("study-vgg-vs-resnet/modified ResNet", "study-vgg-vs-resnet/modified VGG")
    return abs(apart.value) < apart.spread


@claim
def seeds_for_a_tenth():
    """Seeds of each kind to find a tenth of a point four times out of five, with the spreads of the small networks."""
    spread = (_by_seed().std() ** 2).mean() ** 0.5
    return math.ceil(2 * (2.8 * spread / 0.001) ** 2)


@claim
def one_right_one_wrong():
    """Validation digits that one of chapter 7's two networks reads and the other does not."""
    return printed(CHAPTER, "one of the two is right: ")


@claim
def only_vgg_right():
    """Those that only the VGG reads."""
    return printed(CHAPTER, "only the VGG is right: ")


@claim
def only_resnet_right():
    """Those that only the ResNet reads."""
    return printed(CHAPTER, "only the ResNet: ")


@claim
def mcnemar_tiny():
    """McNemar's p value of the two, of which the VGG reads more, is below a millionth."""
    p = float(re.search(r"by chance: p = ([\d.e+-]+)", output(CHAPTER))[1])
    return only_vgg_right().value > only_resnet_right().value and p < 1e-6


@claim
def resnet34_work_ratio():
    """ResNet-34's multiply-adds over VGG-16's, at 224 × 224."""
    with torch.device("meta"):
        networks = models.resnet34(10), models.vgg16(10)
    resnet, vgg = (analysis.count_multiply_adds(network, (3, 224, 224)) for network in networks)
    return resnet / vgg


@claim
def many_falling_difference():
    """The modified ResNet less the modified VGG at a falling rate, ten seeds, a tenth of the digits."""
    return difference("study-many-seeds/modified ResNet, falling rate", "study-many-seeds/modified VGG, falling rate")


@claim
def photographs_turn():
    """On all photographs, without augmentation, the mean validation loss is lowest after the seventh of ten epochs, and
    the mean validation accuracy is higher in the end than there.
    """
    curves = studies.curves("augment-all").query("name == 'augmented by nothing'")
    means = curves.groupby("epoch")[["val_loss", "val_accuracy"]].mean()
    accuracy = means["val_accuracy"]
    return means["val_loss"].idxmin() == 7 and bool(accuracy.iloc[-1] > accuracy.loc[7])


@claim
def flipped_validation_loss():
    """The validation loss on CIFAR-10 after the last epoch, with flips and crops."""
    return mean("study-augment-all/augmented by flips and crops", "val_loss", epoch=-1)


@claim
def flips_and_crops_p():
    """The p value of flips and crops against nothing, three pairs."""
    runs = studies.table("augment-all").pivot(index="seed", columns="name", values="accuracy")
    return float(records.p_value(runs["augmented by flips and crops"], runs["augmented by nothing"]))
