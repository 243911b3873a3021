"""Chapter 6, ResNet."""

import math
import re

import torch
from torch import nn

from course_lib import analysis, data, models, records, training
from course_tools.claims.ledger import claim
from course_tools.claims.measurements import difference, mean
from course_tools.claims.published import memory, output, printed, seconds


@claim
def resnet_time():
    """How long chapter 6 takes on two cores."""
    return seconds("06-resnet")


@claim
def resnet_memory():
    """How much memory chapter 6 takes on two cores."""
    return memory("06-resnet")


@claim(value="the deeper one was better", cite=["simonyan2015"])
def vgg_above_alexnet():
    """On ImageNet VGG was better than AlexNet."""


@claim(value="the deeper one is worse", cite=["he2016"])
def degradation_in_the_paper():
    """In the ResNet paper the deeper plain network has the higher training error, and the higher test error."""


@claim(value="the gap stayed", cite=["he2016"])
def longer_training_in_the_paper():
    """The ResNet paper trained the plain networks three times as long, and the deeper one stayed worse."""


@claim
def resnet34_blocks_cost_alike():
    """ResNet-34's blocks cost about the same in each stage, and most of its parameters are in the last stage."""
    table = analysis.layer_table(models.resnet34(), (3, 224, 224)).drop(index="total")
    stages = [table[table.index.str.startswith(f"layer{number}.")] for number in (1, 2, 3, 4)]
    work = [stage["multiply-adds"].sum() / blocks for stage, blocks in zip(stages, (3, 4, 6, 3), strict=False)]
    return (max(work) < 1.1 * min(work) and stages[3]["parameters"].sum() > table["parameters"].sum() / 2).item()


@claim
def resnet152_against_vgg16():
    """ResNet-152 is almost ten times as deep as VGG-16, with less than half its parameters and three quarters of its
    work.
    """
    resnet, vgg, image = models.ResNet(models.Bottleneck, (3, 8, 36, 3)), models.vgg16(), (3, 224, 224)
    parameters = analysis.count_parameters(resnet) / analysis.count_parameters(vgg)
    work = analysis.count_multiply_adds(resnet, image) / analysis.count_multiply_adds(vgg, image)
    return 9 < 152 / 16 < 10 and parameters < 1 / 2 and 0.73 < work < 0.77


@claim
def resnet34_multiply_adds():
    """What an image of 224 × 224 costs ResNet-34."""
    return analysis.count_multiply_adds(models.resnet34(), (3, 224, 224))


@claim
def plain34_multiply_adds():
    """What an image of 224 × 224 costs plain-34."""
    return analysis.count_multiply_adds(models.plain34(), (3, 224, 224))


@claim
def skips_add_a_little():
    """ResNet-34's skips add half a percent to its work, and less than a percent to its parameters."""
    plain, skips, image = models.plain34(), models.resnet34(), (3, 224, 224)
    work = analysis.count_multiply_adds(skips, image) / analysis.count_multiply_adds(plain, image)
    return 0.0045 < work - 1 < 0.0055 and 1 < analysis.count_parameters(skips) / analysis.count_parameters(plain) < 1.01


@claim
def vgg16_work_on_large_maps():
    """VGG-16 does almost five billion multiply-adds on maps of sides 224 and 112, and ResNet-34 has one convolution
    there.
    """

    def on_large_maps(network):
        table = analysis.layer_table(network, (3, 224, 224))
        table = table[table["type"] == "Conv2d"]
        return table[table["output shape"].str.endswith(("×224", "×112"))]

    vgg, resnet = on_large_maps(models.vgg16()), on_large_maps(models.resnet34())
    return (4.5e9 < vgg["multiply-adds"].sum() < 5e9).item() and len(resnet) == 1


@claim
def report_seconds_per_work():
    """In the report, ResNet-34 took more than three times as long per multiply-add as VGG-16."""
    image = (3, 224, 224)
    slow = 2_815 / analysis.count_multiply_adds(models.resnet34(), image)
    return slow > 3 * 3_460 / analysis.count_multiply_adds(models.vgg16(), image)


@claim
def bottleneck_weights():
    """A bottleneck has a seventeenth of a basic block's weights, for 256 channels."""
    return round(2 * 9 * 256**2 / (256 * 64 + 9 * 64**2 + 64 * 256)) == 17


@claim
def imagenet_stem_on_digits():
    """ImageNet's stem leaves 7 × 7 places of a digit, and three of four stages work on 4 × 4 or fewer; the small stem
    leaves all.
    """

    def sides(stem):
        table = analysis.layer_table(models.resnet18(10, in_channels=1, stem=stem), (1, 28, 28))
        ends = ["maxpool" if stem == "imagenet" else "conv1", *(f"layer{stage}.1.conv2" for stage in (1, 2, 3, 4))]
        return [int(table["output shape"][end].rpartition("×")[2]) for end in ends]

    return sides("imagenet") == [7, 7, 4, 2, 1] and sides("cifar")[0] == 28


@claim
def small_stem_costs():
    """How many times the multiply-adds of ImageNet's stem the small one takes, for ResNet-18 and a digit."""
    costs = [
        analysis.count_multiply_adds(models.resnet18(10, in_channels=1, stem=stem), (1, 28, 28))
        for stem in ("cifar", "imagenet")
    ]
    return costs[0] / costs[1]


@claim
def resnet34_view():
    """The longest path of ResNet-34 sees 899 pixels."""
    return analysis.receptive_field(models.resnet34(), (3, 224, 224))["receptive field"]["layer4.2.conv2"].item()


@claim
def resnet34_shortest_path():
    """The shortest path of ResNet-34 sees 11 pixels."""
    network = models.resnet34()
    skips = [stage[0].downsample for stage in (network.layer2, network.layer3, network.layer4)]
    return (
        analysis.receptive_field(nn.Sequential(network.conv1, network.maxpool, *skips))["receptive field"]
        .iloc[-1]
        .item()
    )


@claim
def gradients_of_vgg16():
    """In an untrained VGG-16, PyTorch's own weights lose the gradient; those of He, and batch norm, do not."""
    with torch.device("cpu"):
        photos = data.load("cifar10", size="sample").train
        images, labels = photos.normalize(photos.images[:8]), photos.labels[:8]

        def gradients(build, own=False):
            training.set_seed(0)
            network = build(10, width=0.25, pooled=1)
            for layer in network.modules():
                if own and isinstance(layer, nn.Conv2d | nn.Linear):
                    layer.reset_parameters()
            return analysis.signals(network, images, labels)["gradient rms"]

        chains = [gradients(models.vgg16, own=True), gradients(models.vgg16), gradients(models.vgg16_bn)]
    left = [one.iloc[0] * 2**4 / one.iloc[12] for one in chains]  # four pools take a half each
    shrunk = all(one.iloc[13] < one.iloc[15] for one in chains)  # by the linear layers
    return shrunk and bool(left[0] < 1e-3 and 0.1 < left[1] < 10 and left[2] > 1)


@claim
def gradients_of_34_layers():
    """Without skips and batch norm the gradient is gone at 34 layers; either of the two brings it back, and batch norm
    makes it grow from layer to layer, with PyTorch's weights and with He's.
    """
    with torch.device("cpu"):
        photos = data.load("cifar10", size="sample").train
        images, labels = photos.normalize(photos.images[:8]), photos.labels[:8]

        def gradients(build, norm, own=True):
            training.set_seed(0)
            network = build(10, width=0.25, stem="cifar")
            for parent in list(network.modules()):
                for name, layer in list(parent.named_children()):
                    if not norm and isinstance(layer, nn.BatchNorm2d):
                        setattr(parent, name, nn.Identity())
                    if own and isinstance(layer, nn.Conv2d | nn.Linear):
                        layer.reset_parameters()
            seen = analysis.signals(network, images, labels)["gradient rms"]
            return seen[~seen.index.str.contains("downsample")].drop("fc")

        neither, skips = gradients(models.plain34, norm=False), gradients(models.resnet34, norm=False)
        plain, by_he = gradients(models.plain34, norm=True), gradients(models.plain34, norm=True, own=False)
    neither, skips, norm, he = (float(one.iloc[0] / one.iloc[-1]) for one in (neither, skips, plain, by_he))
    stages = [plain.filter(like=f"layer{number}.") for number in (1, 2, 3, 4)]
    climbs = all(stage.is_monotonic_decreasing for stage in stages)
    return neither < 1e-9 and skips > 1e6 * neither and 1 < norm < 300 and norm / 4 < he < 4 * norm and climbs


@claim(value="600,000", cite=["he2016"])
def imagenet_steps_of_the_paper():
    """The ResNet paper trained for up to 600,000 steps."""


@claim(value="27.9 %", cite=["he2016"])
def plain18_error_in_the_paper():
    """The ResNet paper's plain network of 18 layers has 27.9 % wrong."""


@claim(value="28.5 %", cite=["he2016"])
def plain34_error_in_the_paper():
    """The ResNet paper's plain network of 34 layers has 28.5 % wrong."""


@claim(value="27.9 %", cite=["he2016"])
def resnet18_error_in_the_paper():
    """The ResNet paper's ResNet-18 has 27.9 % wrong."""


@claim(value="25.0 %", cite=["he2016"])
def resnet34_error_in_the_paper():
    """The ResNet paper's ResNet-34 has 25.0 % wrong."""


@claim(value="3.57 %", cite=["he2016"])
def resnet_contest_error():
    """An ensemble of ResNets had 3.57 % wrong in five guesses in the contest of 2015."""


@claim
def resnet50_last_projection():
    """ResNet-50's last projection has two million weights."""
    return round(1024 * 2048 / 1e6) == 2


@claim
def resnet50_stride_saves():
    """With the paper's stride, ResNet-50 costs 5.7 % fewer multiply-adds."""
    ours, paper, image = models.resnet50(), models.resnet50(), (3, 224, 224)
    for stage in (paper.layer2, paper.layer3, paper.layer4):
        stage[0].conv1.stride, stage[0].conv2.stride = (2, 2), (1, 1)
    return 1 - analysis.count_multiply_adds(paper, image) / analysis.count_multiply_adds(ours, image)


@claim
def plain_growth_a_layer():
    """By which factor a gradient grows a layer, in a plain stack with batch norm."""
    return math.sqrt(math.pi / (math.pi - 1))


@claim
def plain_growth_in_all():
    """By which factor it grows over 32 layers."""
    return (math.pi / (math.pi - 1)) ** 16


@claim
def plain_growth_with_strides():
    """By which factor it grows over 32 layers of which three have a stride of 2."""
    return (math.pi / (math.pi - 1)) ** 16 / 2**3


@claim
def resnet_stem_saves():
    """Of the multiply-adds that ResNet-34 saves against VGG-16, the share at sides 224 and 112."""

    def at(network, *sides):
        table = analysis.layer_table(network, (3, 224, 224)).drop(index="total")
        ends = tuple(f"×{side}×{side}" for side in sides)
        return table["multiply-adds"][table["output shape"].str.endswith(ends)].sum().item()

    vgg, resnet, image = models.vgg16(), models.resnet34(), (3, 224, 224)
    saved = analysis.count_multiply_adds(vgg, image) - analysis.count_multiply_adds(resnet, image)
    return (at(vgg, 224, 112) - at(resnet, 224, 112)) / saved


@claim
def resnet_channels_save():
    """The share at sides 56 and 28."""

    def at(network, *sides):
        table = analysis.layer_table(network, (3, 224, 224)).drop(index="total")
        ends = tuple(f"×{side}×{side}" for side in sides)
        return table["multiply-adds"][table["output shape"].str.endswith(ends)].sum().item()

    vgg, resnet, image = models.vgg16(), models.resnet34(), (3, 224, 224)
    saved = analysis.count_multiply_adds(vgg, image) - analysis.count_multiply_adds(resnet, image)
    return (at(vgg, 56, 28) - at(resnet, 56, 28)) / saved


@claim
def resnet_last_stage_costs():
    """The share that ResNet-34 spends at side 7, where VGG-16 has no convolution."""

    def at(network, *sides):
        table = analysis.layer_table(network, (3, 224, 224)).drop(index="total")
        ends = tuple(f"×{side}×{side}" for side in sides)
        return table["multiply-adds"][table["output shape"].str.endswith(ends)].sum().item()

    vgg, resnet, image = models.vgg16(), models.resnet34(), (3, 224, 224)
    saved = analysis.count_multiply_adds(vgg, image) - analysis.count_multiply_adds(resnet, image)
    return (at(resnet, 7) - at(vgg, 7)) / saved


@claim
def resnet_few_channels():
    """At sides 56 and 28 ResNet-34 has a quarter of VGG-16's channels, and more is saved there than at sides 224 and
    112.
    """

    def at(network, *sides):
        table = analysis.layer_table(network, (3, 224, 224)).drop(index="total")
        ends = tuple(f"×{side}×{side}" for side in sides)
        return table["multiply-adds"][table["output shape"].str.endswith(ends)].sum().item()

    def channels(network, side):
        table = analysis.layer_table(network, (3, 224, 224))
        shapes = table["output shape"][
            (table["type"] == "Conv2d") & table["output shape"].str.endswith(f"×{side}×{side}")
        ]
        return max(int(shape.split("×")[0]) for shape in shapes)

    vgg, resnet = models.vgg16(), models.resnet34()
    quarter = all(channels(vgg, side) == 4 * channels(resnet, side) for side in (56, 28))
    return quarter and at(vgg, 56, 28) - at(resnet, 56, 28) > at(vgg, 224, 112) - at(resnet, 224, 112)


@claim
def clocks_of_resnet():
    """On the published page ResNet-34 and plain-34 take about twice as long per multiply-add as VGG-16, and 0.12 and
    0.11 seconds an epoch.
    """
    page = output("06-resnet")
    clocks = [r"vgg16 +62\.59 +0\.23 +0\.36", r"plain34 +15\.67 +0\.11 +0\.73", r"resnet34 +15\.74 +0\.12 +0\.78"]
    return all(re.search(one, page) for one in clocks)


@claim
def gradients_on_the_page():
    """What the published page prints about gradients before training."""
    page = output("06-resnet")
    vgg = [
        "PyTorch's own: conv. 1 gets 9.6e-06 of",
        "He's: conv. 1 gets 0.29 of",
        "He's, batch norm: conv. 1 gets 35 of",
    ]
    deep = ["plain, no batch norm: 2.8e-14", "skips, no batch norm: 2.2e-02", "plain, batch norm: 5.0e+01"]
    return all(one in page for one in [*vgg, *deep, "plain-34, before training: first over last 97,"])


@claim
def gradients_after_training():
    """What the published page prints about plain-34's gradients before and after training."""
    page = output("06-resnet")
    return all(
        f"plain-34, {one}," in page
        for one in ("before training: first over last 97", "after training: first over last 70")
    )


@claim
def losses_on_the_page():
    """Training losses with the final weights, as the published page shows them."""
    page = output("06-resnet")
    losses = [r"plain-18 +1\.111", r"plain-34 +1\.667", r"ResNet-18 +0\.887", r"ResNet-34 +0\.886"]
    return all(re.search(one, page) for one in losses)


@claim
def resnet_steps():
    """Steps of the four deep networks: four epochs of 10,000 images in batches of 128."""
    runs = records.table("06-resnet")
    run = runs[runs["name"] == "plain-34"].iloc[0]
    return int(run["epochs"]) * math.ceil(run["train"] / 128)


@claim
def resnet_pictures():
    """Training images of the four deep networks."""
    return mean("06-resnet/ResNet-34", "train", split="validation")


@claim
def plain_34_first_loss():
    """Plain-34's training loss in the first epoch."""
    return mean("06-resnet/plain-34", "train_loss", epoch=1, split="validation")


@claim
def plain_34_last_loss():
    """The same in the last."""
    return mean("06-resnet/plain-34", "train_loss", epoch=-1, split="validation")


@claim
def plain_34_less_plain_18():
    """Training loss of the last epoch, plain-34 less plain-18."""
    return difference("06-resnet/plain-34", "06-resnet/plain-18", "train_loss", epoch=-1, split="validation")


@claim
def resnet_34_less_resnet_18():
    """The same, ResNet-34 less ResNet-18."""
    return difference("06-resnet/ResNet-34", "06-resnet/ResNet-18", "train_loss", epoch=-1, split="validation")


@claim
def plain_34_less_resnet_34():
    """The same, plain-34 less ResNet-34."""
    return difference("06-resnet/plain-34", "06-resnet/ResNet-34", "train_loss", epoch=-1, split="validation")


@claim
def plain_18_less_resnet_18():
    """The same, plain-18 less ResNet-18."""
    return difference("06-resnet/plain-18", "06-resnet/ResNet-18", "train_loss", epoch=-1, split="validation")


@claim
def resnet_34_accuracy():
    """Validation accuracy of ResNet-34 on CIFAR-10."""
    return mean("06-resnet/ResNet-34", split="validation")


@claim
def resnet_18_accuracy():
    """Validation accuracy of ResNet-18 on CIFAR-10."""
    return mean("06-resnet/ResNet-18", split="validation")


@claim
def resnet_34_accuracy_less_18():
    """Validation accuracy, ResNet-34 less ResNet-18."""
    return difference("06-resnet/ResNet-34", "06-resnet/ResNet-18", split="validation")


@claim
def resnet_small_rate_1():
    """Validation accuracy of the small ResNet at the lower rate, one seed."""
    return mean("06-resnet/ResNet, small, rate 0.001", split="validation")


@claim
def resnet_small_rate_4():
    """The same at the higher rate."""
    return mean("06-resnet/ResNet, small, rate 0.004", split="validation")


@claim
def resnet_small_rates_apart():
    """By how many of 12,000 validation images the two rates differ."""
    runs = records.table("06-resnet").set_index("name")["accuracy"]
    return round(12_000 * (runs["ResNet, small, rate 0.004"] - runs["ResNet, small, rate 0.001"]))


@claim
def race_of_costs():
    """LeNet-5 is the smallest in parameters and work; the perceptron has more parameters than the small ResNet and 24
    times less work.
    """
    racers = {
        "perceptron": "01-mlp",
        "LeNet-5, modern": "02-lenet",
        "AlexNet, small": "03-alexnet",
        "MiniVGG": "05-minivgg",
        "vgg_small": "05-minivgg",
        "ResNet, small": "06-resnet",
    }
    race = records.summary(racers)
    lenet = race["parameters"].idxmin() == race["multiply_adds"].idxmin() == "LeNet-5, modern"
    mlp, resnet = race.loc["perceptron"], race.loc["ResNet, small"]
    return bool(
        lenet
        and mlp["parameters"] > resnet["parameters"]
        and round(resnet["multiply_adds"] / mlp["multiply_adds"]) == 24
    )


@claim
def resnet_small_less_minivgg():
    """The small ResNet less MiniVGG, each by its own recipe."""
    return difference("06-resnet/ResNet, small", "05-minivgg/MiniVGG")


@claim
def resnet_small_less_vgg_small():
    """The small ResNet less vgg_small, each by its own recipe."""
    return difference("06-resnet/ResNet, small", "05-minivgg/vgg_small")


@claim
def plain_growth_measured():
    """By which factor it grows in plain-34's third stage, on the published page."""
    return printed("06-resnet", "a layer\nplain, batch norm:", ("cpu",))


@claim
def skips_growth_measured():
    """The same in ResNet-34."""
    return printed("06-resnet", "a layer\nskips, batch norm:", ("cpu",))


@claim
def plain_34_whole():
    """Validation accuracy of one plain-34, on 1,000 images."""
    return printed("06-resnet", "plain-34: whole", ("cpu",))


@claim
def resnet_34_whole():
    """The same of one ResNet-34."""
    return printed("06-resnet", "ResNet-34: whole", ("cpu",))


@claim
def blocks_out():
    """What two networks reach without one block, on the published page."""
    page = output("06-resnet")
    return all(one in page for one in ("13.1%, 9.9%, 14.7%, 16.2%, 20.2%", "38.1%, 43.6%, 49.7%, 51.1%, 49.6%"))


@claim
def plain_56_loss():
    """Training loss of the last epoch, 56 plain layers with batch norm."""
    return mean("study-skip-and-norm/56 layers, plain, batch norm", "train_loss", epoch=-1, split="validation")


@claim
def plain_20_loss():
    """The same of 20 plain layers."""
    return mean("study-skip-and-norm/20 layers, plain, batch norm", "train_loss", epoch=-1, split="validation")


@claim
def skips_56_loss():
    """The same of 56 layers with skips."""
    return mean("study-skip-and-norm/56 layers, skips, batch norm", "train_loss", epoch=-1, split="validation")


@claim
def plain_56_less_20():
    """Training loss, 56 plain layers less 20."""
    of, minus = "study-skip-and-norm/56 layers, plain, batch norm", "study-skip-and-norm/20 layers, plain, batch norm"
    return difference(of, minus, "train_loss", epoch=-1, split="validation")


@claim
def skips_56_less_20():
    """Training loss, 56 layers with skips less 20."""
    of, minus = "study-skip-and-norm/56 layers, skips, batch norm", "study-skip-and-norm/20 layers, skips, batch norm"
    return difference(of, minus, "train_loss", epoch=-1, split="validation")
