"""Chapter 6, ResNet."""

import math
import re

import torch
from torch import nn

from course_lib import analysis, data, models, records, training
from course_lib.records import studies
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


@claim(value="the deeper one is worse", cite=["he2016"])
def degradation_in_the_paper():
    """In the ResNet paper the deeper plain network has the higher training error, and the higher test error."""


@claim(value="the gap stayed", cite=["he2016"])
def longer_training_in_the_paper():
    """The ResNet paper trained the plain networks three times as long, and the deeper one stayed worse."""


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
    """By which factor it grows over 32 layers of which three have a stride of 2 and twice as many filters."""
    return (math.pi / (math.pi - 1)) ** 16 / 2**1.5


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
def race_of_costs():
    """LeNet-5 is the smallest in parameters and work; the perceptron has more parameters than the small ResNet and 24
    times less work.
    """
    racers = {
        "perceptron": "01-mlp",
        "LeNet-5, modern": "02-lenet",
        "AlexNet, small": "03-alexnet",
        "MiniVGG": "study-mnist-small",
        "vgg_small": "study-mnist-small",
        "ResNet, small": "study-mnist-small",
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
def plain_growth_measured():
    """By which factor it grows in plain-34's third stage, on the published page."""
    return printed("06-resnet", "a layer\nplain, batch norm:", ("cpu",))


@claim
def skips_growth_measured():
    """The same in ResNet-34."""
    return printed("06-resnet", "a layer\nskips, batch norm:", ("cpu",))


@claim
def plain_56_loss():
    """Training loss of the last epoch, 56 plain layers with batch norm."""
    return mean("study-skip-and-norm/56 layers, plain, batch norm", "train_loss", epoch=-1, split="validation")


@claim
def plain_20_loss():
    """The same of 20 plain layers."""
    return mean("study-skip-and-norm/20 layers, plain, batch norm", "train_loss", epoch=-1, split="validation")


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


@claim
def twenty_digits():
    """Digits that the networks of twenty layers learn from."""
    return mean("06-resnet/twenty layers, plain", "train", split="validation")


@claim
def twenty_plain():
    """Validation accuracy of twenty plain layers, one seed."""
    return mean("06-resnet/twenty layers, plain", split="validation")


@claim
def twenty_skips():
    """The same with skips."""
    return mean("06-resnet/twenty layers, with skips", split="validation")


def _powers(name: str) -> float:
    """How many powers of ten lie between the first layer's gradient and the last one's, as the page prints it."""
    (ratio,) = re.findall(rf"(?m)^{name}, first over last gradient: (\S+)$", output("06-resnet"))
    return abs(math.log10(float(ratio)))


@claim
def twenty_plain_powers():
    """Twenty plain layers."""
    return _powers("plain")


@claim
def plain_no_norm_powers():
    """34 plain layers without batch norm."""
    return _powers("plain, no norm")


@claim
def skips_no_norm_powers():
    """34 layers with skips, without batch norm."""
    return _powers("skips, no norm")


@claim
def plain_norm_powers():
    """34 plain layers with batch norm."""
    return _powers("plain, batch norm")


@claim
def skips_cost_parameters():
    """By which share ResNet-34 has more parameters than plain-34."""
    return analysis.count_parameters(models.resnet34()) / analysis.count_parameters(models.plain34()) - 1


@claim
def resnet34_per_work():
    """Seconds per multiply-add, ResNet-34 over VGG-16, on the published page."""
    return printed("06-resnet", "resnet34: ", ("cpu",)).value / printed("06-resnet", "vgg16: ", ("cpu",)).value


@claim
def plain34_per_work():
    """The same, plain-34 over VGG-16."""
    return printed("06-resnet", "plain34: ", ("cpu",)).value / printed("06-resnet", "vgg16: ", ("cpu",)).value


@claim
def plain_34_whole():
    """Validation accuracy of one plain-34, on 1,000 images."""
    return printed("06-resnet", "plain-34, whole:", ("cpu",))


@claim
def plain_34_best_cut():
    """Without one block, at best."""
    return printed("06-resnet", "plain-34, without one block, at best:", ("cpu",))


@claim
def resnet_34_whole():
    """The same of one ResNet-34."""
    return printed("06-resnet", "ResNet-34, whole:", ("cpu",))


@claim
def resnet_34_worst_cut():
    """Without one block, at worst."""
    return printed("06-resnet", "ResNet-34, without one block, at worst:", ("cpu",))


@claim
def trained_plain_gradient():
    """How many times the last convolution's gradient the first one gets, in a trained plain-34."""
    return printed("06-resnet", "plain-34, trained, first over last gradient:", ("cpu",))


def _loss(name: str):
    return mean(f"study-skip-and-norm/{name}", "train_loss", epoch=-1, split="validation").value


@claim
def plain_34_no_norm_loss():
    """Training loss of the last epoch of 34 plain layers without batch norm."""
    return _loss("34 layers, plain, no norm")


@claim
def skips_34_no_norm_loss():
    """The same with skips."""
    return _loss("34 layers, skips, no norm")


@claim
def zero_34_no_norm_loss():
    """The same with skips and a zero start."""
    return _loss("34 layers, skips, no norm, zero start")


@claim
def plain_34_norm_loss():
    """34 plain layers with batch norm."""
    return _loss("34 layers, plain, batch norm")


@claim
def skips_34_norm_loss():
    """The same with skips."""
    return _loss("34 layers, skips, batch norm")


def _deeper(kind: str, measure: str = "train_loss"):
    """34 layers less 18, both with batch norm."""
    of, minus = (f"study-skip-and-norm/{layers} layers, {kind}, batch norm" for layers in (34, 18))
    epoch = {"epoch": -1} if measure == "train_loss" else {}
    return difference(of, minus, measure, split="validation", **epoch)


@claim
def plain_34_less_18():
    """Training loss, 34 plain layers less 18."""
    return _deeper("plain")


@claim
def skips_34_less_18():
    """Training loss, 34 layers with skips less 18."""
    return _deeper("skips")


@claim
def skips_34_less_18_accuracy():
    """Validation accuracy, 34 layers with skips less 18."""
    return _deeper("skips", "accuracy")


@claim
def skips_he_signal():
    """The spread of the maps behind the last block of an untrained ResNet-34 with He's weights and no batch norm."""
    (value,) = re.findall(r"(?m)^skips: signal from \S+ to (\S+),", output("06-resnet"))
    return float(value)


@claim
def skips_he_loss():
    """Its loss before training."""
    (value,) = re.findall(r"(?m)^skips: signal from .*, loss (\S+)$", output("06-resnet"))
    return float(value.replace(",", ""))


def _change(of: str, minus: str, layers: int = 34):
    """The difference of training losses of the last epoch, by pairs of seeds."""
    of, minus = (f"study-skip-and-norm/{layers} layers, {name}" for name in (of, minus))
    return difference(of, minus, "train_loss", epoch=-1, split="validation")


@claim
def skips_less_plain_no_norm():
    """What skips change without batch norm."""
    return _change("skips, no norm", "plain, no norm")


@claim
def skips_less_plain_no_norm_at_18():
    """The same at 18 layers."""
    return _change("skips, no norm", "plain, no norm", layers=18)


@claim
def zero_less_skips_norm():
    """What a zero start changes with batch norm."""
    return _change("skips, batch norm, zero start", "skips, batch norm")


@claim
def zero_norm_less_no_norm():
    """With a zero start, what batch norm changes."""
    return _change("skips, batch norm, zero start", "skips, no norm, zero start")


@claim
def steps_56():
    """Steps of the networks of 56 layers."""
    run = studies.table("skip-and-norm").set_index("name").loc["56 layers, plain, batch norm"].iloc[0]
    return int(run["epochs"]) * math.ceil(run["train"] / 128)


def _first_over_last(skip: bool) -> float:
    """The gradient by the first convolution's output over the last one's, in 56 layers as the study starts them."""
    with torch.device("cpu"):
        photos = data.load("cifar10", size="sample").train
        images, labels = photos.normalize(photos.images[:128]), photos.labels[:128]
        training.set_seed(0)
        network = models.ResNet(models.BasicBlock, (9, 9, 9), num_classes=10, width=0.125, stem="cifar", skip=skip)
        for layer in network.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        seen = analysis.signals(network, images, labels)["gradient rms"]
    seen = seen[~seen.index.str.contains("downsample")].drop("fc")
    return float(seen.iloc[0] / seen.iloc[-1])


@claim
def plain_56_gradient():
    """Without skips."""
    return _first_over_last(skip=False)


@claim
def skips_56_gradient():
    """With skips."""
    return _first_over_last(skip=True)


@claim
def plain_growth_from_measured():
    """Over 32 steps, three with a stride, by the factor a layer that the page prints for plain-34."""
    factor = printed("06-resnet", "a layer\nplain, batch norm:", ("cpu",)).value
    return factor**32 / 2**1.5


@claim(value="3.57 %", cite=["he2016"])
def resnet_contest_error():
    """An ensemble of ResNets had 3.57 % wrong in five guesses in the contest of 2015."""


@claim
def six_resnet_less_minivgg():
    """The small ResNet less MiniVGG, by one recipe."""
    return difference("study-mnist-six/ResNet, small", "study-mnist-six/MiniVGG")


@claim
def skips_no_norm_first():
    """Training loss of the first epoch of 34 layers with skips, without batch norm."""
    return mean("study-skip-and-norm/34 layers, skips, no norm", "train_loss", epoch=1, split="validation").value


@claim
def resnet_small_rates_apart():
    """By how many of 12,000 validation images the best rate, 0.008, is ahead of the next."""
    runs = records.table("06-resnet").set_index("name")["accuracy"]
    tried = [runs[f"ResNet, small, a quarter of the digits, rate {rate}"] for rate in (0.002, 0.004, 0.008)]
    best, second = sorted(tried)[:-3:-1]
    return round(12_000 * (best - second)) if best == tried[-1] else None


@claim
def cuts_cost_plain_more():
    """Without one block plain-34 loses more, at best, than ResNet-34 at worst."""
    whole, cut = "06-resnet", "{}, without one block, at {}:"
    plain = printed(whole, "plain-34, whole:").value - printed(whole, cut.format("plain-34", "best")).value
    return plain > printed(whole, "ResNet-34, whole:").value - printed(whole, cut.format("ResNet-34", "worst")).value


@claim
def zero_34_accuracy():
    """Validation accuracy of 34 layers with skips, batch norm and a zero start."""
    return mean("study-skip-and-norm/34 layers, skips, batch norm, zero start", split="validation").value
