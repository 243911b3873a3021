"""Chapter 3, AlexNet."""

import math
import re
from functools import partial

import torch
from torch import nn
from torch.nn import functional as F

from course_lib import analysis, data, models, records, training
from course_lib.records import studies
from course_tools.claims.ledger import claim
from course_tools.claims.measurements import difference, mean
from course_tools.claims.published import memory, output, printed, seconds


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
def alexnet_over_lenet_one_recipe():
    """By how much the small AlexNet is above LeNet-5 on MNIST, with one recipe."""
    return difference("study-mnist-six/AlexNet, small", "study-mnist-six/LeNet-5, modern")


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
def lrn_factor():
    """The smallest factor of LRN in either layer of the small AlexNet, in chapter 3's published run."""
    return min(float(factor) for factor in re.findall(r"(?m)^factor from ([\d.]+) to", output("03-alexnet")))


@claim
def lrn_factor_alone():
    """What LRN makes of a map without neighbours."""
    return 2**-0.75


@claim
def alexnet_live_steps():
    """How many steps each network of chapter 3 trains on photographs."""
    return _steps("03-alexnet", "ReLU")


@claim
def alexnet_tricks_steps():
    """How many steps each network of study alexnet-tricks trains."""
    return _steps("study-alexnet-tricks", "base")


def _steps(file: str, name: str) -> int:
    lines = records.read(records.results_folder() / f"{file}.jsonl")
    recipes = [one["recipe"] for one in lines if one["name"] == name]
    (steps,) = {math.ceil(one["train"] / one["batch_size"]) * one["epochs"] for one in recipes}
    return steps


@claim
def relu_last_loss():
    """Training loss of the ReLU network in its last epoch on photographs, in chapter 3's published run."""
    return mean("03-alexnet/ReLU", "train_loss", epoch=-1, split="validation")


@claim
def tanh_last_loss():
    """The same of the tanh network."""
    return mean("03-alexnet/tanh", "train_loss", epoch=-1, split="validation")


@claim
def tanh_lets_through():
    """The least share of a gradient that tanh lets through in a convolution, in chapter 3's published run."""
    shares = [int(share) for share in re.findall(r"features.*: ReLU .*, tanh (\d+)%", output("03-alexnet"))]
    return min(shares) / 100 if len(shares) == 5 else None


def _colour(of: str, place: int) -> float:
    """The least or the most colour of a filter, as chapter 3's published run prints it."""
    return int(re.search(of + r": (\d+)% to (\d+)% colour", output("03-alexnet"))[1 + place]) / 100


@claim
def least_colour():
    """The least colour of a filter that AlexNet learned from ImageNet."""
    return _colour("ImageNet's", 0)


@claim
def most_colour():
    """The most colour of a filter that AlexNet learned from ImageNet."""
    return _colour("ImageNet's", 1)


@claim
def least_colour_ours():
    """The least colour of a filter of the small AlexNet."""
    return _colour("ours", 0)


@claim
def most_colour_ours():
    """The most colour of a filter of the small AlexNet."""
    return _colour("ours", 1)


@claim
def filters_moved():
    """By how much of their length the small AlexNet's first filters moved, in chapter 3's published run."""
    return printed("03-alexnet", "training moved ours by ")


def _plain(name: str) -> float:
    """The share of its training images that a network without regularisation reads, in chapter 3's published run."""
    return printed("03-alexnet", f"{name}: ")


@claim
def plain_relu_torch():
    """ReLU with PyTorch's first weights, without regularisation, one seed."""
    return _plain("ReLU, PyTorch's weights")


@claim
def plain_tanh_torch():
    """Tanh with PyTorch's first weights, without regularisation, one seed."""
    return _plain("tanh, PyTorch's weights")


@claim
def plain_relu_he():
    """ReLU with He's first weights, without regularisation, one seed."""
    return _plain("ReLU, He's weights")


@claim
def plain_tanh_he():
    """Tanh with He's first weights, without regularisation, one seed."""
    return _plain("tanh, He's weights")


@claim
def relu_he_dropout_only():
    """ReLU with He's first weights and dropout, without flips and crops, one seed."""
    return _plain("dropout only")


@claim
def relu_he_augmented_only():
    """ReLU with He's first weights, flips and crops, without dropout, one seed."""
    return _plain("flips and crops only")


def _factor_at_500(place: int) -> float:
    found = re.search(r"alpha 500: nine of ten factors from ([\d.]+) to ([\d.]+)", output("03-alexnet"))
    return float(found[1 + place])


@claim
def lrn_500_low():
    """The lower end of nine of ten factors of LRN with an alpha of 500, in chapter 3's published run."""
    return _factor_at_500(0)


@claim
def lrn_500_high():
    """The upper end."""
    return _factor_at_500(1)


@claim(value="13 %", cite=["krizhevsky2012"])
def lrn_before():
    """Test error of the paper's four layers on CIFAR-10, without LRN."""


@claim(value="11 %", cite=["krizhevsky2012"])
def lrn_after():
    """The same with LRN."""


@claim
def seven_comparisons():
    """How often chance calls at least one of seven equal, independent comparisons different, at 95 %."""
    return 1 - 0.95**7


VALIDATION = {"split": "validation"}
TRICKS = "study-alexnet-tricks"


@claim
def tricks_relu():
    """Validation accuracy of the small AlexNet with ReLU after 30 epochs: the base of study alexnet-tricks."""
    return mean(f"{TRICKS}/base", **VALIDATION)


@claim
def tricks_tanh():
    """Validation accuracy of the small AlexNet with tanh after 30 epochs."""
    return mean(f"{TRICKS}/tanh", **VALIDATION)


@claim
def tricks_relu_loss():
    """Training loss of the small AlexNet with ReLU in the last of 30 epochs."""
    return mean(f"{TRICKS}/base", "train_loss", epoch=-1, **VALIDATION)


@claim
def tricks_relu_val_loss():
    """Validation loss of the small AlexNet with ReLU after the last of 30 epochs."""
    return mean(f"{TRICKS}/base", "val_loss", epoch=-1, **VALIDATION)


@claim
def tricks_tanh_val_loss():
    """Validation loss of the small AlexNet with tanh after the last of 30 epochs."""
    return mean(f"{TRICKS}/tanh", "val_loss", epoch=-1, **VALIDATION)


@claim
def tricks_tanh_loss():
    """Training loss of the small AlexNet with tanh in the last of 30 epochs."""
    return mean(f"{TRICKS}/tanh", "train_loss", epoch=-1, **VALIDATION)


@claim
def tricks_tanh_loss_less_relu():
    """Training loss of tanh less that of ReLU, in the last of 30 epochs."""
    return difference(f"{TRICKS}/tanh", f"{TRICKS}/base", "train_loss", epoch=-1, **VALIDATION)


@claim
def relu_overtakes_tanh():
    """From which epoch on the mean training loss with ReLU is below that with tanh."""
    losses = studies.curves("alexnet-tricks").groupby(["name", "epoch"])["train_loss"].mean().unstack("name")
    behind = losses.index[losses["base"] >= losses["tanh"]]
    return int(behind.max()) + 1


def _trick(name: str):
    return difference(f"{TRICKS}/{name}", f"{TRICKS}/base", **VALIDATION)


@claim
def tanh_for_relu():
    """What tanh in place of ReLU changes."""
    return _trick("tanh")


@claim
def tiles_for_overlap():
    """What pools that tile cost."""
    return difference(f"{TRICKS}/base", f"{TRICKS}/pools that tile", **VALIDATION)


@claim
def no_dropout():
    """What leaving dropout out changes."""
    return _trick("no dropout")


@claim
def no_crops():
    """What leaving crops out changes."""
    return _trick("no crops")


@claim
def no_flips():
    """What leaving flips out changes."""
    return _trick("no flips")


@claim
def no_crops_loss():
    """Training loss without crops in the last of 30 epochs."""
    return mean(f"{TRICKS}/no crops", "train_loss", epoch=-1, **VALIDATION)


@claim
def no_crops_val_loss():
    """Validation loss without crops after the last of 30 epochs."""
    return mean(f"{TRICKS}/no crops", "val_loss", epoch=-1, **VALIDATION)


@claim
def light_added():
    """What other light changes."""
    return _trick("with light")


@claim
def lrn_cost():
    """What LRN costs."""
    return difference(f"{TRICKS}/base", f"{TRICKS}/with LRN", **VALIDATION)


@claim
def two_changes_count():
    """No flips and no dropout have intervals without zero; by Holm's rule tanh, tiling pools and LRN count alone."""
    by_seed = studies.table("alexnet-tricks").set_index(["name", "seed"])["accuracy"]
    changes = {name: by_seed[name] for name in by_seed.index.unique("name")}
    seven = records.family(changes.pop("base"), changes)
    alone, counting = (set(seven.index[seven[column] < 0.05]) for column in ("p", "p_holm"))
    left = {"tanh", "pools that tile", "with LRN"}
    return len(seven) == 7 and alone - counting == {"no flips", "no dropout"} and counting == left
