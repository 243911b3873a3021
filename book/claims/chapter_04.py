"""Chapter 4, VGG."""

import math
import re

import numpy as np
import pandas as pd
from torch import nn

from course_lib import analysis, models, records
from course_lib.records import studies
from course_tools.claims.ledger import claim
from course_tools.claims.measurements import difference, mean
from course_tools.claims.published import memory, output, printed, seconds


@claim
def vgg_time():
    """How long chapter 4 takes on two cores."""
    return seconds("04-vgg")


@claim
def vgg_memory():
    """How much memory chapter 4 takes on two cores."""
    return memory("04-vgg")


@claim
def vgg11_convolutions():
    """Column A of the paper's table has 8 convolutions."""
    return sum(one != "M" for one in models.CONFIGURATIONS["A"])


@claim
def vgg16_work_of_blocks():
    """The last convolutions of VGG-16's blocks 1 to 4 cost the same, and that of block 5 a quarter of it."""
    table = analysis.layer_table(models.vgg16(), (3, 224, 224))
    block = (table["type"] == "MaxPool2d").cumsum()
    work = table[table["type"] == "Conv2d"]["multiply-adds"]
    last = work.groupby(block[work.index]).last().tolist()
    return len(set(last[:4])) == 1 and last[4] * 4 == last[0]


@claim
def vgg16_last_of_block_work():
    """What the last convolution of VGG-16's block 1 costs."""
    return analysis.layer_table(models.vgg16(), (3, 224, 224))["multiply-adds"]["features.2"].item()


@claim
def vgg16_last_of_block_5_work():
    """What the last convolution of VGG-16's block 5 costs."""
    return analysis.layer_table(models.vgg16(), (3, 224, 224))["multiply-adds"]["features.28"].item()


@claim
def vgg16_head_share():
    """Nine of ten parameters of VGG-16 are in its head, and most of those in the first linear layer."""
    network = models.vgg16()
    everything, head, first = (
        analysis.count_parameters(one) for one in (network, network.classifier, network.classifier[0])
    )
    return round(10 * head / everything) == 9 and first > head / 2


@claim
def vgg16_first_grey_parameters():
    """VGG-16's first convolution has 640 parameters where images are grey."""
    return analysis.count_parameters(models.vgg16(10, in_channels=1).features[0])


@claim
def vgg16_first_colour_parameters():
    """VGG-16's first convolution has 1,792 parameters where images have three channels."""
    return analysis.count_parameters(models.vgg16(10, in_channels=3).features[0])


@claim
def vgg16_grey_saves():
    """VGG-16 has 1,152 weights fewer where images are grey."""
    return analysis.count_parameters(models.vgg16(10, in_channels=3)) - analysis.count_parameters(
        models.vgg16(10, in_channels=1)
    )


@claim
def vgg16_multiply_adds():
    """What an image of 224 × 224 costs VGG-16."""
    return analysis.count_multiply_adds(models.vgg16(), (3, 224, 224))


@claim
def vgg16_work_in_convolutions():
    """Nearly all of VGG-16's work is in its convolutions."""
    table = analysis.layer_table(models.vgg16(), (3, 224, 224)).drop(index="total")
    return (table["multiply-adds"][table["type"] == "Conv2d"].sum() / table["multiply-adds"].sum()).item()


@claim
def vgg16_against_alexnet():
    """VGG-16 has little more than twice AlexNet's parameters, and over twenty times its work."""
    image, alexnet, vgg16 = (3, 224, 224), models.alexnet(form="2012", groups=2), models.vgg16()
    parameters = analysis.count_parameters(vgg16) / analysis.count_parameters(alexnet)
    work = analysis.count_multiply_adds(vgg16, image) / analysis.count_multiply_adds(alexnet, image)
    return 2 < parameters < 2.5 and work > 20


@claim
def vgg19_against_vgg16():
    """From VGG-16 to VGG-19 the work grows by more than a quarter, and the parameters by less than a twentieth."""
    image, vgg16, vgg19 = (3, 224, 224), models.vgg16(), models.vgg19()
    work = analysis.count_multiply_adds(vgg19, image) / analysis.count_multiply_adds(vgg16, image)
    return work > 1.25 and analysis.count_parameters(vgg19) / analysis.count_parameters(vgg16) < 1.05


@claim(value="18.2 %", cite=["simonyan2015"])
def alexnet_top5_of_one():
    """The VGG paper's table 7 gives 18.2 % for one AlexNet."""


@claim(value="7.1 %", cite=["simonyan2015"])
def vgg_top5_validation():
    """The VGG paper's table 7 gives 7.1 % for one VGG on validation images."""


@claim(value="8.0 %", cite=["simonyan2015"])
def vgg19_top5_one_size():
    """The VGG paper's table 3 gives 8.0 % for VGG-19."""


@claim(value="8.1 %", cite=["simonyan2015"])
def vgg16_top5_one_size():
    """The VGG paper's table 3 gives 8.1 % for VGG-16."""


@claim
def alexnet_head_share():
    """AlexNet has an even larger share of its parameters in its head than VGG-16."""
    networks = models.alexnet(form="2012", groups=2), models.vgg16()
    alexnet, vgg16 = (analysis.count_parameters(one.classifier) / analysis.count_parameters(one) for one in networks)
    return alexnet > vgg16


@claim
def three_small_windows_weights():
    """Three windows of 3 × 3 have 55 % of the weights of one of 7 × 7."""
    C = 64
    return 3 * nn.Conv2d(C, C, 3, bias=False).weight.numel() / nn.Conv2d(C, C, 7, bias=False).weight.numel()


@claim
def vgg16_layers_that_see():
    """VGG-16 has 18 convolutions and pools."""
    return len(analysis.receptive_field(models.vgg16().features))


@claim
def alexnet_layers_that_see():
    """AlexNet has 8 convolutions and pools."""
    return len(analysis.receptive_field(models.alexnet().features))


@claim(value="7 %", cite=["simonyan2015"])
def five_by_five_error():
    """In the VGG paper one 5 × 5 in place of two 3 × 3 has a top-1 error that is 7 % higher."""


@claim
def vgg16_saved():
    """What a training step of VGG-16 keeps of 128 images for the backward pass."""
    return analysis.training_memory(models.vgg16(), (3, 224, 224), 128).saved


@claim
def vgg16_saved_is_most():
    """At 128 images, what is kept for the backward pass is most of VGG-16's training memory."""
    memory = analysis.training_memory(models.vgg16(), (3, 224, 224), 128)
    return memory.saved > memory.total / 2


@claim
def vgg16_first_two_parameters():
    """The first two convolutions hold 0.03 % of VGG-16's parameters."""
    network = models.vgg16()
    return analysis.count_parameters(network.features[:3]) / analysis.count_parameters(network)


@claim
def vgg16_first_two_maps():
    """The first two convolutions make more than two fifths of all numbers that VGG-16's layers hand on."""
    made = analysis.layer_table(models.vgg16(), (3, 224, 224))["activations (MB)"].drop("total")
    return bool(2 / 5 < made.iloc[[0, 2]].sum() / made.sum() < 1 / 2)


@claim
def vgg16_three_bills():
    """Most of VGG-16's parameters are in its head, most of its work in its blocks, and the largest part of its maps in
    block 1.
    """
    table = analysis.layer_table(models.vgg16(), (3, 224, 224)).drop(index="total")
    head = table["parameters"][table["type"] == "Linear"].sum() / table["parameters"].sum()
    blocks = table["multiply-adds"][table["type"] == "Conv2d"].sum() / table["multiply-adds"].sum()
    maps = table["activations (MB)"].groupby((table["type"] == "MaxPool2d").shift(fill_value=False).cumsum()).sum()
    return bool(min(head, blocks) > 1 / 2 and maps.idxmax() == 0)


@claim(value="6.8 %", cite=["simonyan2015"])
def vgg_two_networks():
    """The VGG paper gives 6.8 % for two networks."""


@claim(value="7.0 %", cite=["simonyan2015"])
def vgg_best_single():
    """The VGG paper gives 7.0 % for its best single network."""


@claim(value="7.9 %", cite=["simonyan2015"])
def googlenet_single():
    """The VGG paper gives 7.9 % for a single GoogLeNet."""


@claim
def vgg16_pooled_storage():
    """What VGG-16 takes to store with a pooled head, in float32."""
    return 4 * (analysis.count_parameters(models.vgg16().features) + analysis.count_parameters(nn.Linear(512, 10)))


@claim
def vgg16_ten_classes_storage():
    """What VGG-16 for ten classes takes to store, in float32."""
    return 4 * analysis.count_parameters(models.vgg16(10))


@claim
def vgg11_fewer_parameters():
    """How many parameters fewer VGG-11 has than VGG-16."""
    return analysis.count_parameters(models.vgg16()) - analysis.count_parameters(models.vgg11())


@claim
def vgg11_fewer_share():
    """VGG-11 has 4 % fewer parameters than VGG-16."""
    return 1 - analysis.count_parameters(models.vgg11()) / analysis.count_parameters(models.vgg16())


@claim
def vgg11_half_the_work():
    """VGG-11 does half of VGG-16's work."""
    work = [analysis.count_multiply_adds(one(), (3, 224, 224)) for one in (models.vgg16, models.vgg11)]
    return 0.49 < work[1] / work[0] < 0.51


@claim
def seven_by_seven_more():
    """One 7 × 7 has 81 % more weights than three of 3 × 3."""
    return (49 - 27) / 27


@claim
def three_by_three_fewer():
    """Three of 3 × 3 have 45 % fewer weights than one 7 × 7."""
    return (49 - 27) / 49


@claim
def five_by_five_more():
    """One 5 × 5 has 39 % more weights than two of 3 × 3."""
    return (25 - 18) / 18


@claim
def two_by_three_fewer():
    """Two of 3 × 3 have 28 % fewer weights than one 5 × 5."""
    return (25 - 18) / 25


@claim
def vgg16_work_at_448():
    """Images of twice the side cost VGG-16 a little under four times the work."""
    small, large = (analysis.count_multiply_adds(models.vgg16(), (3, side, side)) for side in (224, 448))
    return 3.9 < large / small < 4


@claim
def narrow_head_keeps():
    """What a layer of 128 inputs with weights of 0.01, and its ReLU, keep of a signal's size."""
    return 0.01 * math.sqrt(128 / 2)


@claim
def vgg16_head_keeps():
    """What VGG-16's first linear layer, with weights of 0.01, and its ReLU keep of a signal's size."""
    return 0.01 * math.sqrt(25_088 / 2)


@claim
def vgg16_head_percent():
    """The share of VGG-16's parameters in its head."""
    network = models.vgg16()
    return analysis.count_parameters(network.classifier) / analysis.count_parameters(network)


@claim
def first_vgg():
    """Validation accuracy of the reader's first VGG."""
    return mean("04-vgg/a first VGG", split="validation")


@claim
def windows_stack():
    """Test accuracy of three 3 × 3, at their best rate."""
    return mean("study-vgg-trials/three 3×3")


@claim
def windows_large():
    """Test accuracy of one 7 × 7, at its best rate."""
    return mean("study-vgg-trials/one 7×7")


@claim
def windows_no_relus():
    """Test accuracy of three 3 × 3 without ReLUs between them, at their best rate."""
    return mean("study-vgg-trials/three 3×3, no ReLU between")


@claim
def windows_relus_bring():
    """What ReLUs between them bring three 3 × 3."""
    return difference("study-vgg-trials/three 3×3", "study-vgg-trials/three 3×3, no ReLU between")


@claim
def windows_stack_less_large():
    """Three 3 × 3 less one 7 × 7."""
    return difference("study-vgg-trials/three 3×3", "study-vgg-trials/one 7×7")


@claim
def windows_norms_bring():
    """Three 3 × 3 with three batch norms less those with one."""
    return difference("study-vgg-trials/three 3×3", "study-vgg-trials/three 3×3, one batch norm")


@claim
def windows_large_less_one_norm():
    """One 7 × 7 less three 3 × 3 with one batch norm."""
    return difference("study-vgg-trials/one 7×7", "study-vgg-trials/three 3×3, one batch norm")


@claim
def trials_images():
    """Training images of the trials."""
    return mean("study-vgg-trials/one 7×7", "train")


@claim
def start_vgg11_ours():
    """The same of VGG-11."""
    return mean("study-vgg-trials/VGG-11, old weights")


@claim
def start_vgg11_he():
    """The same of VGG-11."""
    return mean("study-vgg-trials/VGG-11, He's weights")


@claim
def start_vgg11_gains():
    """What He's weights bring VGG-11."""
    return difference("study-vgg-trials/VGG-11, He's weights", "study-vgg-trials/VGG-11, old weights")


@claim
def start_vgg8_gains():
    """What He's weights bring VGG8."""
    return difference("study-vgg-trials/VGG8, He's weights", "study-vgg-trials/VGG8, old weights")


@claim
def start_depth_he():
    """VGG-11 less VGG8, from He's weights."""
    return difference("study-vgg-trials/VGG-11, He's weights", "study-vgg-trials/VGG8, He's weights")


@claim
def vgg16_second_keeps():
    """What VGG-16's second linear layer, with weights of 0.01, and its ReLU keep of a signal's size."""
    return 0.01 * math.sqrt(4_096 / 2)


def _scores(mode: str) -> tuple[float, ...]:
    """The two largest scores that the page prints for one photograph."""
    (found,) = re.findall(rf"{mode} mode: largest score ([\d.]+) and ([\d.]+)", output("04-vgg"))
    return tuple(map(float, found))


@claim
def norm_train_a():
    """The largest score in training mode beside some photographs."""
    return _scores("training")[0]


@claim
def norm_train_b():
    """The same beside others."""
    return _scores("training")[1]


@claim
def norm_eval():
    """The largest score in evaluation mode, beside either."""
    first, second = _scores("evaluation")
    return first if first == second else None


@claim
def depth_images():
    """Training images of the study of depth."""
    return mean("study-depth/VGG8", "train")


def _confused() -> dict[frozenset[str], int]:
    """How often each pair of classes is confused on test images, over all seeds of the study's VGG8."""
    runs = [run for run in studies.read("vgg8") if run["name"] == "VGG8-BN, half width"]
    counts = sum(np.array(run["confusion"]) for run in runs)
    names = [one["name"] for one in runs[0]["final"]["classes"]]
    return {
        frozenset((names[i], names[j])): int(counts[i, j] + counts[j, i]) for i in range(len(names)) for j in range(i)
    }


@claim
def cats_and_dogs_first():
    """Cats and dogs are confused at least twice as often as any other pair of classes."""
    pairs = sorted(_confused().items(), key=lambda pair: pair[1])
    return pairs[-1][0] == {"cat", "dog"} and pairs[-1][1] >= 2 * pairs[-2][1]


DEPTH = "study-depth"
COMPARED = (
    ("VGG-13", "VGG8"),
    ("VGG-16", "VGG8"),
    ("VGG-13", "wide windows"),
    ("VGG-13, batch norm", "VGG8, batch norm"),
    ("VGG-16, batch norm", "VGG8, batch norm"),
    ("VGG-13, batch norm", "wide windows, batch norm"),
    ("VGG-16, batch norm", "VGG-16"),
)  # planned before the first run


def _holm() -> pd.Series:
    """Of each planned comparison of the study of depth its p value by Holm's rule for all seven."""
    runs = studies.table("depth").set_index("seed").groupby("name")["accuracy"]
    alone = {pair: records.p_value(*map(runs.get_group, pair)) for pair in COMPARED}
    return records.holm(pd.Series(list(alone.values()), index=[" less ".join(pair) for pair in alone]))


@claim
def depth_sixteen():
    """VGG8 less VGG-16, without batch norm."""
    return difference(f"{DEPTH}/VGG8", f"{DEPTH}/VGG-16")


@claim
def depth_sixteen_norm():
    """The same, with batch norm."""
    return difference(f"{DEPTH}/VGG8, batch norm", f"{DEPTH}/VGG-16, batch norm")


@claim
def depth_norm_helps():
    """VGG-16 with batch norm less VGG-16 without."""
    return difference(f"{DEPTH}/VGG-16, batch norm", f"{DEPTH}/VGG-16")


@claim
def depth_vgg8_loss():
    """VGG8's training loss in its last epoch, without batch norm."""
    return mean(f"{DEPTH}/VGG8", "train_loss", epoch=-1).value


@claim
def depth_vgg16_loss():
    """The same of VGG-16."""
    return mean(f"{DEPTH}/VGG-16", "train_loss", epoch=-1).value


@claim
def depth_decided():
    """How many of the seven planned comparisons count by Holm's rule."""
    return int((_holm() < 0.05).sum())


@claim
def depth_parameters_grow():
    """VGG-16's parameters over VGG8's, without batch norm."""
    return mean(f"{DEPTH}/VGG-16", "parameters").value / mean(f"{DEPTH}/VGG8", "parameters").value


@claim
def depth_work_grows():
    """The same of multiply-adds."""
    return mean(f"{DEPTH}/VGG-16", "multiply_adds").value / mean(f"{DEPTH}/VGG8", "multiply_adds").value


def _deep(name: str) -> tuple[float, float]:
    """Of a deep network before training the spread of its scores and its first layer's gradient, from the page."""
    (found,) = re.findall(rf"(?m)^{name}: scores (\S+), first gradient (\S+)$", output("04-vgg"))
    return tuple(map(float, found))


@claim
def deep_scores_smaller():
    """How many times as far the deep network's scores spread from He's weights as from PyTorch's."""
    return _deep("He's weights")[0] / _deep("PyTorch's weights")[0]


@claim
def deep_gradient_smaller():
    """How many times as large its first layer's gradient is with batch norm, both from PyTorch's weights."""
    return _deep("PyTorch's, batch norm")[1] / _deep("PyTorch's weights")[1]


@claim
def norm_head_seen():
    """Training accuracy of VGG-11 with batch norm in its head, one run."""
    return printed("04-vgg", "batch norm in the head: seen ")


@claim
def norm_head_unseen():
    """Its validation accuracy."""
    (found,) = re.findall(r"batch norm in the head: seen \S+, unseen ([\d.]+)%", output("04-vgg"))
    return float(found) / 100


@claim
def first_vgg_gains():
    """What He's weights bring the first VGG, mean of three seeds, as the page prints it."""
    (found,) = re.findall(r"(?m)^mean: (\S+) points$", output("04-vgg"))
    return float(found) / 100


def _equal(name: str) -> float:
    """The best of three rates, as the page prints it, for networks of about as many parameters."""
    _, _, behind = output("04-vgg").partition(f"{name}: ")
    return max(float(found) / 100 for found in re.findall(r"rate \S+: ([\d.]+)%", behind)[:3])


@claim
def equal_large():
    """Validation accuracy of one 7 × 7, one seed, best of three rates."""
    return _equal("7×7")


@claim
def equal_stack():
    """The same of three 3 × 3 with 43 channels."""
    return _equal("stack")


@claim
def start_vgg8_at_one_rate():
    """Validation accuracy of VGG8 with batch norm from the old weights at a rate of 0.008, one run."""
    return mean("study-vgg-trials/VGG8, old weights, rate 0.008", split="validation")


@claim
def start_vgg11_at_one_rate():
    """The same of VGG-11."""
    return mean("study-vgg-trials/VGG-11, old weights, rate 0.008", split="validation")


def _start(name: str) -> pd.Series:
    """Test accuracies of the five runs of one start of vgg-trials."""
    return studies.table("vgg-trials").query("name == @name")["accuracy"]


@claim
def start_vgg11_lowest():
    """The lowest of VGG-11's five runs from the old weights."""
    return _start("VGG-11, old weights").min()


@claim
def start_vgg11_highest():
    """The highest of them."""
    return _start("VGG-11, old weights").max()


@claim
def start_vgg11_head_gains():
    """The same of VGG-11."""
    return difference("study-vgg-trials/VGG-11, He's in the head", "study-vgg-trials/VGG-11, old weights")


@claim
def start_live_he():
    """Validation accuracy of VGG-11 from He's weights in the chapter's own run."""
    return mean("04-vgg/VGG-11, He's weights", split="validation")


@claim
def depth_vgg8_norm_loss():
    """VGG8's training loss in its last epoch, with batch norm."""
    return mean(f"{DEPTH}/VGG8, batch norm", "train_loss", epoch=-1).value


@claim
def depth_vgg16_norm_loss():
    """The same of VGG-16."""
    return mean(f"{DEPTH}/VGG-16, batch norm", "train_loss", epoch=-1).value


@claim
def deep_gradient_smaller_he():
    """How many times as large the deep network's first gradient is from He's weights as from PyTorch's."""
    return _deep("He's weights")[1] / _deep("PyTorch's weights")[1]


@claim
def frog_sure():
    """How sure the chapter's VGG8 is of the frog that is labelled a cat."""
    return printed("04-vgg", "a cat taken for frog (")


@claim
def rates_norm_brings():
    """VGG8 with batch norm less VGG8 without, each at a rate of 0.002."""
    return difference("study-vgg8/batch norm at 0.002", "study-vgg8/no norm at 0.002", split="validation")


@claim
def rates_high_norm():
    """Validation accuracy of VGG8 with batch norm at a rate of 0.032."""
    return mean("study-vgg8/batch norm at 0.032", split="validation")


@claim
def rates_high_plain():
    """The same without batch norm."""
    return mean("study-vgg8/no norm at 0.032", split="validation")
