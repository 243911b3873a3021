"""Chapter 3, AlexNet."""

import math
from functools import partial

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from course_lib import analysis, data, models, records, training
from course_lib.records import studies
from course_tools.claims.ledger import claim
from course_tools.claims.measurements import difference, mean
from course_tools.claims.published import memory, printed, seconds


@claim
def alexnet_time():
    """What chapter 3's published run took."""
    return seconds("03-alexnet")


@claim
def alexnet_memory():
    """The most memory that chapter 3's published run held."""
    return memory("03-alexnet")


@claim(value="1.2 million", cite=["krizhevsky2012"])
def imagenet_photographs():
    """Training images of ImageNet's contest."""


@claim(value="15.3 %", cite=["krizhevsky2012"])
def alexnet_contest():
    """Top-5 error of AlexNet's seven networks in the contest."""


@claim(value="26.2 %", cite=["krizhevsky2012"])
def alexnet_contest_next():
    """Top-5 error of the next best team."""


@claim
def alexnet_convolution_parameters():
    """The share of AlexNet's parameters in its convolutions."""
    network = models.alexnet(form="2012", groups=2)
    return analysis.count_parameters(network.features) / analysis.count_parameters(network)


@claim
def alexnet_convolution_work():
    """The share of AlexNet's multiply-adds in its convolutions."""
    layers = analysis.layer_table(models.alexnet(form="2012", groups=2), input_shape=(3, 224, 224))
    work = layers[layers["type"] == "Conv2d"]["multiply-adds"].sum() / layers.loc["total", "multiply-adds"]
    return float(work)


@claim
def alexnet_two_groups():
    """Parameters of AlexNet as in its paper."""
    return analysis.count_parameters(models.alexnet(form="2012", groups=2))


@claim
def alexnet_one_group():
    """Parameters of the paper's AlexNet without groups."""
    return analysis.count_parameters(models.alexnet(form="2012"))


@claim
def alexnet_torchvision():
    """Parameters of torchvision's AlexNet."""
    return analysis.count_parameters(models.alexnet())


@claim
def alexnet_last_pool():
    """With 54 places in the first map the last pool has 5 a side, with 55 it has 6."""

    def last(side):
        maps = torch.zeros(1, 64, side, side)
        for layer in list(models.alexnet().features)[1:]:
            maps = layer(maps)
        return maps.shape[-1]

    return (last(54), last(55)) == (5, 6)


@claim
def tanh_at_three():
    """What tanh lets through of a gradient at a sum of 3."""
    return 1 - math.tanh(3) ** 2


@claim(value="25 %", cite=["krizhevsky2012"])
def relu_test_of_the_paper():
    """Training errors down to which the paper compares ReLU and tanh."""


@claim(value="0.4 points", cite=["krizhevsky2012"])
def overlap_in_the_paper():
    """Top-1 error that overlapping pools save in the paper."""


@claim
def lrn_in_torch():
    """Torch's LRN gives the paper's numbers for five times the paper's alpha, and larger ones for alpha itself."""
    with torch.device("cpu"):
        a = torch.tensor([10.0, 20, 40, 80, 160, 80, 40, 20])
        paper = a / (2 + 1e-4 * F.pad(a.square(), (2, 2)).unfold(0, 5, 1).sum(dim=1)) ** 0.75
        copied, five = (
            nn.LocalResponseNorm(5, alpha, 0.75, 2.0)(a.view(1, -1, 1, 1)).flatten() for alpha in (1e-4, 5e-4)
        )
        found = torch.allclose(five, paper) and bool((copied > paper).all())
    return found


@claim
def lrn_takes_time():
    """On the maps of chapter 3 torch's LRN takes more than twice as long as a convolution."""
    lrn = printed("03-alexnet", "LRN, torch's layer: ").value
    return lrn > 2 * printed("03-alexnet", "a convolution on the same maps: ").value


@claim
def alexnet_head():
    """Parameters of AlexNet's linear layers."""
    return analysis.count_parameters(models.alexnet(form="2012", groups=2).classifier)


@claim
def principal_colours():
    """In the sample's photographs the first component is light and dark, the second red against blue, the third green
    against the rest.
    """
    with torch.device("cpu"):
        pixels = data.load("cifar10", size="sample").train.images.permute(1, 0, 2, 3).flatten(1).double() / 255
        variances, directions = torch.linalg.eigh(torch.cov(pixels))
    third, second, first = (one / one.abs().max() for one in directions.T)
    light = bool(first.abs().min() > 0.8 and abs(first.sum()) > 2.4 and variances[2] > 0.5 * variances.sum())
    red, green, blue = second.tolist()
    warm = red * blue < 0 and min(abs(red), abs(blue)) > 0.8 and abs(green) < 0.2
    red, green, blue = third.tolist()
    return light and warm and red * blue > 0 and red * green < 0 and abs(green) == 1


@claim
def light_in_255():
    """With pixels from 0 to 255 most draws would shift a channel by more than its whole range."""
    with torch.device("cpu"):
        pixels = data.load("cifar10", size="sample").train.images.permute(1, 0, 2, 3).flatten(1).double()
        variances, directions = torch.linalg.eigh(torch.cov(pixels))
        spread = (0.1 * variances[-1] * directions[:, -1].abs().max()).item()
    print(f"spread {spread:.0f}")
    return math.erfc(255 / spread / math.sqrt(2)) > 0.5


@claim
def small_alexnet_parameters():
    """Parameters of the small AlexNet, over LeNet-5's."""
    return analysis.count_parameters(models.alexnet(10, 1, width=0.25, stem="small")) / analysis.count_parameters(
        models.lenet5()
    )


@claim
def small_alexnet_work():
    """Multiply-adds of the small AlexNet, over LeNet-5's."""
    return analysis.count_multiply_adds(
        models.alexnet(10, 1, width=0.25, stem="small"), (1, 28, 28)
    ) / analysis.count_multiply_adds(models.lenet5(), (1, 28, 28))


@claim
def tiles_cost_more():
    """Pools that tile leave maps of 16, 8 and 4, ours 15, 7 and 3; that makes about a fifth more multiply-adds."""

    def swapped():
        network = models.alexnet(10, width=0.25, stem="small")
        for place, layer in enumerate(network.features):
            if isinstance(layer, nn.MaxPool2d):
                network.features[place] = nn.MaxPool2d(2, stride=2)
        return network

    def sides(network):
        return [one.shape[1] for one in analysis.trace(network, (3, 32, 32)).steps if one.type == "MaxPool2d"]

    ours, tiles = models.alexnet(10, width=0.25, stem="small"), swapped()
    more = analysis.count_multiply_adds(tiles, (3, 32, 32)) / analysis.count_multiply_adds(ours, (3, 32, 32))
    print(sides(ours), sides(tiles), more)
    return (sides(ours), sides(tiles)) == ([15, 7, 3], [16, 8, 4]) and 1.15 < more < 1.25


@claim(value="1 %", cite=["krizhevsky2012"])
def alexnet_convolution_in_the_paper():
    """The most that a convolution holds of the parameters, as the paper says."""


@claim
def alexnet_convolution_shares():
    """Two of AlexNet's convolutions hold over 1 % of its parameters: the third nearly one and a half, the fourth above
    one.
    """
    network = models.alexnet(form="2012", groups=2)
    sizes = [analysis.count_parameters(one) for one in network.features if isinstance(one, nn.Conv2d)]
    shares = [100 * one / analysis.count_parameters(network) for one in sizes]
    return [one > 1 for one in shares] == [False, False, True, True, False] and 1.4 < shares[2] < 1.5


@claim
def small_alexnet_field():
    """Pixels that a unit of the small AlexNet's last pool sees, along one side."""
    return (
        analysis.receptive_field(models.alexnet(10, 1, width=0.25, stem="small").features)["receptive field"]
        .iloc[-1]
        .item()
    )


@claim(value="2,048", cite=["krizhevsky2012"])
def crops_in_the_paper():
    """How many times as large crops make the training set, as the paper says."""


@claim
def alexnet_step_memory():
    """What a step of AlexNet with 128 photographs holds, as analysis estimates it."""
    sgd = partial(torch.optim.SGD, lr=0.01, momentum=0.9)
    return analysis.training_memory(models.alexnet(form="2012", groups=2), (3, 224, 224), 128, sgd).total


@claim
def alexnet_step_memory_parts():
    """More than half of a step's memory grows with the batch, and without groups a step holds hardly more."""

    def total(groups, batch):
        sgd = partial(torch.optim.SGD, lr=0.01, momentum=0.9)
        return analysis.training_memory(models.alexnet(form="2012", groups=groups), (3, 224, 224), batch, sgd).total

    fixed = 3 * 4 * analysis.count_parameters(models.alexnet(form="2012", groups=2))
    print(total(2, 128) / 1e6, total(1, 128) / 1e6, fixed / 1e6)
    return total(2, 128) > 2 * fixed and 1 < total(1, 128) / total(2, 128) < 1.02


@claim
def enlarged_digit():
    """What an enlarged digit costs in torchvision's AlexNet, over the small one's."""
    small = analysis.count_multiply_adds(models.alexnet(10, 1, width=0.25, stem="small"), (1, 28, 28))
    return analysis.count_multiply_adds(models.alexnet(10, 1), (1, 224, 224)) / small


@claim
def squares_in_255():
    """What a standard deviation of 60 in place of one makes of squares."""
    return 60**2


@claim(value="1.4 points", cite=["krizhevsky2012"])
def lrn_in_the_paper():
    """Top-1 error that LRN saves in the paper."""


@claim
def convolution_time():
    """A convolution on the maps that LRN is timed on, forward and back, in chapter 3's published run."""
    return printed("03-alexnet", "a convolution on the same maps: ")


@claim
def lrn_by_torch_time():
    """Torch's LRN, forward and back, in chapter 3's published run."""
    return printed("03-alexnet", "LRN, torch's layer: ")


@claim
def lrn_by_us_time():
    """Our LRN, forward and back, in chapter 3's published run."""
    return printed("03-alexnet", "LRN, our layer: ")


@claim
def alexnet_over_lenet_one_recipe():
    """By how much the small AlexNet is above LeNet-5 on MNIST, with one recipe."""
    return difference("study-mnist-six/AlexNet, small", "study-mnist-six/LeNet-5, modern")


@claim
def ablation_steps():
    """How many steps each network of chapter 3's ablation trains."""
    lines = records.read(records.results_folder() / "03-alexnet.jsonl")
    recipes = [one["recipe"] for one in lines if one["name"] == "base"]
    steps = {math.ceil(one["train"] / one["batch_size"]) * one["epochs"] for one in recipes}
    return steps.pop() if len(steps) == 1 else "they differ"


@claim
def relu_first_loss():
    """Training loss of the ReLU network in its first epoch on photographs."""
    return mean("03-alexnet/base", "train_loss", epoch=1, split="validation")


@claim
def tanh_first_loss():
    """Training loss of the tanh network in its first epoch on photographs."""
    return mean("03-alexnet/tanh for ReLU", "train_loss", epoch=1, split="validation")


@claim
def relu_last_loss():
    """Training loss of the ReLU network in its last epoch on photographs."""
    return mean("03-alexnet/base", "train_loss", epoch=-1, split="validation")


@claim
def tanh_last_loss():
    """Training loss of the tanh network in its last epoch on photographs."""
    return mean("03-alexnet/tanh for ReLU", "train_loss", epoch=-1, split="validation")


@claim
def tanh_is_ahead():
    """On photographs the ReLU network has the higher training loss, in the first epoch and in the last."""
    lines = [
        one
        for one in records.read(records.results_folder() / "03-alexnet.jsonl")
        if one["final"]["split"] == "validation"
    ]

    def above(epoch):
        relu, tanh = (
            {one["seed"]: one["epochs"][epoch]["train_loss"] for one in lines if one["name"] == name}
            for name in ("base", "tanh for ReLU")
        )
        points = [relu[seed] - tanh[seed] for seed in relu]
        assert len(points) == 3
        return bool(np.mean(points) > 4.303 * np.std(points, ddof=1) / math.sqrt(3))  # t, 2 degrees of freedom

    return above(0) and above(-1)


def _best_start(activation: str, weights: str) -> float:
    """The best of four rates, one seed each."""
    runs = studies.table("alexnet-start")
    return runs[runs["name"].str.startswith(f"{activation}, {weights} weights")]["accuracy"].max()


@claim
def relu_torch_start():
    """ReLU with torch's first weights at the best of four rates."""
    return _best_start("ReLU", "torch")


@claim
def relu_he_start():
    """ReLU with He's first weights at the best of four rates."""
    return _best_start("ReLU", "He")


@claim
def relu_paper_start():
    """ReLU with the paper's first weights and biases at the best of four rates."""
    return _best_start("ReLU", "paper")


@claim
def tanh_torch_start():
    """Tanh with torch's first weights at the best of four rates."""
    return _best_start("tanh", "torch")


@claim
def tanh_he_start():
    """Tanh with He's first weights at the best of four rates."""
    return _best_start("tanh", "He")


@claim
def tanh_paper_start():
    """Tanh with the paper's first weights and biases at the best of four rates."""
    return _best_start("tanh", "paper")


@claim
def tanh_lead_at_the_best_start():
    """Tanh's best of all starts less ReLU's."""
    starts = ("torch", "He", "paper")
    return max(_best_start("tanh", one) for one in starts) - max(_best_start("ReLU", one) for one in starts)


@claim
def relu_keeps():
    """What a layer with torch's first weights and ReLU keeps of a signal's size: weights have a variance of 1/3n, and
    ReLU halves the mean square.
    """
    return math.sqrt(1 / 6)


@claim
def tanh_keeps():
    """What a layer with torch's first weights and tanh keeps of a small signal's size."""
    return math.sqrt(1 / 3)


@claim
def logits_at_the_start():
    """Before training, logits differ from one photograph of the sample to the next about five times as much with tanh
    as with ReLU.
    """

    def spread(seed, tanh):
        training.set_seed(seed)
        network = models.alexnet(10, width=0.25, stem="small").eval()
        for part in (network.features, network.classifier):
            for place, layer in enumerate(part):
                if tanh and isinstance(layer, nn.ReLU):
                    part[place] = nn.Tanh()
        with torch.no_grad():
            return network(images).std(0).mean().item()

    with torch.device("cpu"):
        photos = data.load("cifar10", size="sample").train
        images = photos.normalize(photos.images[:200])
        ratios = [spread(seed, True) / spread(seed, False) for seed in range(3)]
    print([round(one, 1) for one in ratios])
    return 4 < sum(ratios) / 3 < 7


@claim
def alexnet_base():
    """Validation accuracy of the small AlexNet on photographs, as chapter 3's ablation starts from it."""
    return mean("03-alexnet/base", split="validation")


@claim
def tanh_for_relu():
    """What tanh in place of ReLU changes in chapter 3's ablation."""
    return difference("03-alexnet/tanh for ReLU", "03-alexnet/base", split="validation")


@claim
def tiles_for_overlap():
    """What pools that tile change in chapter 3's ablation."""
    return difference("03-alexnet/pools that tile", "03-alexnet/base", split="validation")


@claim
def no_dropout():
    """What leaving dropout out changes in chapter 3's ablation."""
    return difference("03-alexnet/no dropout", "03-alexnet/base", split="validation")


@claim
def no_crops():
    """What leaving flips and crops out changes in chapter 3's ablation."""
    return difference("03-alexnet/no flips and crops", "03-alexnet/base", split="validation")


@claim
def lrn_added():
    """What LRN changes in chapter 3's ablation."""
    return difference("03-alexnet/with LRN", "03-alexnet/base", split="validation")


@claim
def five_comparisons():
    """How often chance calls at least one of five equal and independent comparisons different, at 95 %."""
    return 1 - 0.95**5


@claim
def stricter_rule():
    """By Holm's rule two of chapter 3's five changes differ from the base: tanh and tiling pools."""
    runs = records.table("03-alexnet")
    runs = runs[runs["split"] == "validation"]
    by_name = {name: each.set_index("seed")["accuracy"] for name, each in runs.groupby("name") if len(each) > 1}
    five = records.family(by_name.pop("base"), by_name)
    return set(five.index[five["p_holm"] < 0.05]) == {"tanh for ReLU", "pools that tile"} and len(five) == 5


@claim
def lrn_factor():
    """The smallest factor of LRN in the small AlexNet."""
    return printed("03-alexnet", "factor from ")


@claim
def lrn_factor_alone():
    """What LRN makes of a map without neighbours."""
    return 2**-0.75
