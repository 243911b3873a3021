"""Chapter 5, MiniVGG."""

import re

from torch import nn

from course_lib import analysis, models, records
from course_lib.records import studies
from course_tools.claims.ledger import claim
from course_tools.claims.measurements import difference, mean
from course_tools.claims.published import memory, output, printed, seconds


@claim
def minivgg_time():
    """How long chapter 5 takes on two cores."""
    return seconds("05-minivgg")


@claim
def minivgg_memory():
    """How much memory chapter 5 takes on two cores."""
    return memory("05-minivgg")


@claim
def minivgg_three_steps():
    """From VGG-16 to MiniVGG, half the filters save most of both, and the last step nearly all the work that is
    left.
    """
    full, mini = models.CONFIGURATIONS["D"], models.CONFIGURATIONS["mini"]
    halved = [one if one == "M" else one // 2 for one in full]
    plans = [(full, (3, 224, 224)), (full, (1, 224, 224)), (halved, (1, 224, 224)), (mini, (1, 28, 28))]
    networks = [models.VGG(plan, in_channels=shape[0], num_classes=10) for plan, shape in plans]
    parameters = [analysis.count_parameters(one) for one in networks]
    work = [analysis.count_multiply_adds(one, shape) for one, (_, shape) in zip(networks, plans, strict=False)]
    most = all(one[1] - one[2] > (one[0] - one[3]) / 2 for one in (parameters, work))
    return most and round(work[2] / work[1], 2) == 0.25 and work[3] < 0.02 * work[2]


@claim
def minivgg_second_linear():
    """More than half of MiniVGG's parameters are in its second linear layer."""
    network = models.minivgg()
    second = [one for one in network.classifier if isinstance(one, nn.Linear)][1]
    return analysis.count_parameters(second) > analysis.count_parameters(network) / 2


@claim
def minivgg_memory_factor():
    """How many times MiniVGG's training memory VGG-16 takes on enlarged digits, in batches of 128."""
    large = analysis.training_memory(models.vgg16(10, 1), (1, 224, 224), 128).total
    return large / analysis.training_memory(models.minivgg(), (1, 28, 28), 128).total


@claim
def minivgg_work_factor():
    """How many times MiniVGG's work VGG-16 does on enlarged digits."""
    return analysis.count_multiply_adds(models.vgg16(10, 1), (1, 224, 224)) / analysis.count_multiply_adds(
        models.minivgg(), (1, 28, 28)
    )


@claim
def minivgg_memory_is_head():
    """At 128 digits, most of MiniVGG's training memory is its head, four times over."""
    network = models.minivgg()
    memory = analysis.training_memory(network, (1, 28, 28), 128)
    return 16 * analysis.count_parameters(network.classifier) > 0.7 * memory.total


@claim
def minivgg_view():
    """At the end of MiniVGG's features a unit sees 20 × 20 pixels."""
    return analysis.receptive_field(models.minivgg().features)["receptive field"].iloc[-1].item() == 20


@claim
def minivgg_corner_view():
    """The window of a corner unit holds 12 × 12 pixels of the image."""
    fields = analysis.receptive_field(models.minivgg().features)
    jump_before = fields["jump"].shift(fill_value=1)
    over_the_rim = jump_before[fields["type"] == "Conv2d"].sum()  # each convolution has a rim of one
    return (fields["receptive field"].iloc[-1] - over_the_rim).item() == 12


@claim
def minivgg_numbers_into_the_head():
    """3,136 numbers enter MiniVGG's head."""
    return models.minivgg().classifier[0].in_features


@claim
def vgg_small_view():
    """A unit of vgg_small sees 36 × 36 pixels: a whole digit, and a small corner of a photograph of 224 × 224."""
    side = analysis.receptive_field(models.vgg_small().features)["receptive field"].iloc[-1].item()
    return side == 36 and side > 28 and (side / 224) ** 2 < 0.03


@claim
def minivgg_third_block():
    """With a third block MiniVGG has fewer parameters."""
    plan = [*models.CONFIGURATIONS["mini"], 128, 128, "M"]
    deeper = models.VGG(plan, in_channels=1, num_classes=10, pooled=3)
    return analysis.count_parameters(deeper) - analysis.count_parameters(models.minivgg()) == 221_440 - 8_126_464


@claim
def minivgg_fixed_memory():
    """Weights, gradients and Adam's means of MiniVGG, in float32."""
    return 16 * analysis.count_parameters(models.minivgg())


@claim
def minivgg_saved_an_image():
    """Of each digit MiniVGG keeps a good half a megabyte for the backward pass."""
    small, large = (analysis.training_memory(models.minivgg(), (1, 28, 28), batch).saved for batch in (100, 200))
    return 500_000 < (large - small) / 100 < 600_000


@claim
def minivgg_even_batch():
    """From this batch size on MiniVGG keeps more for the backward pass than weights, gradients and Adam's means
    take.
    """
    small, large = (analysis.training_memory(models.minivgg(), (1, 28, 28), batch).saved for batch in (100, 200))
    return 16 * analysis.count_parameters(models.minivgg()) / ((large - small) / 100)


@claim
def vgg_small_even_batch():
    """From this batch size on vgg_small keeps more for the backward pass than weights, gradients and Adam's means
    take.
    """
    small, large = (analysis.training_memory(models.vgg_small(), (1, 28, 28), batch).saved for batch in (100, 200))
    return 16 * analysis.count_parameters(models.vgg_small()) / ((large - small) / 100)


@claim
def minivgg_half_width():
    """Half the width leaves MiniVGG about a quarter of its parameters and of its work."""
    full, half = (analysis.layer_table(models.minivgg(width=width), (1, 28, 28)).loc["total"] for width in (1, 0.5))
    return all(0.249 < half[one] / full[one] < 0.252 for one in ("parameters", "multiply-adds"))


@claim
def minivgg_third_convolution():
    """What the third convolution of MiniVGG's second block adds in parameters."""
    mini = models.CONFIGURATIONS["mini"]
    plain = [32, 32, "M", 64, 64, "M"]
    return analysis.count_parameters(models.VGG(mini, in_channels=1, num_classes=10)) - analysis.count_parameters(
        models.VGG(plain, in_channels=1, num_classes=10)
    )


@claim
def minivgg_third_convolution_work():
    """What it adds in multiply-adds."""
    plain, image = models.VGG([32, 32, "M", 64, 64, "M"], in_channels=1, num_classes=10), (1, 28, 28)
    return analysis.count_multiply_adds(models.minivgg(), image) - analysis.count_multiply_adds(plain, image)


@claim
def six_minivgg():
    """Test accuracy of MiniVGG by the common recipe."""
    return mean("study-mnist-six/MiniVGG")


@claim
def six_alexnet():
    """Test accuracy of the small AlexNet by the common recipe."""
    return mean("study-mnist-six/AlexNet, small")


@claim
def six_lenet():
    """Test accuracy of LeNet-5 by the common recipe."""
    return mean("study-mnist-six/LeNet-5, modern")


@claim
def six_minivgg_less_perceptron():
    """MiniVGG less the perceptron, by one recipe."""
    return difference("study-mnist-six/MiniVGG", "study-mnist-six/perceptron")


@claim
def six_minivgg_less_lenet():
    """MiniVGG less LeNet-5, by one recipe."""
    return difference("study-mnist-six/MiniVGG", "study-mnist-six/LeNet-5, modern")


@claim
def six_minivgg_less_alexnet():
    """MiniVGG less the small AlexNet, by one recipe."""
    return difference("study-mnist-six/MiniVGG", "study-mnist-six/AlexNet, small")


@claim
def six_minivgg_less_vgg8():
    """MiniVGG less VGG8, by one recipe."""
    return difference("study-mnist-six/MiniVGG", "study-mnist-six/VGG8-BN, half width")


@claim
def six_minivgg_less_resnet():
    """MiniVGG less the small ResNet, by one recipe."""
    return difference("study-mnist-six/MiniVGG", "study-mnist-six/ResNet, small")


@claim
def six_undecided():
    """By one recipe MiniVGG's differences to the small AlexNet and the small ResNet are undecided by the interval."""
    five = _six_family()
    undecided = five.index[five["difference"].abs() <= five["half_width"]]
    return sorted(undecided) == ["AlexNet, small", "ResNet, small"]


@claim
def six_by_holm():
    """Among the five comparisons by one recipe, Holm's rule finds MiniVGG above the perceptron, LeNet-5 and VGG8."""
    five = _six_family()
    behind = five.index[(five["p_holm"] < 0.05) & (five["difference"] < 0)]
    return sorted(behind) == ["LeNet-5, modern", "VGG8-BN, half width", "perceptron"] and len(five) == 5


def _six_family():
    """The five comparisons of another network with MiniVGG in the study ``mnist-six``."""
    runs = {name: one.set_index("seed")["accuracy"] for name, one in studies.table("mnist-six").groupby("name")}
    return records.family(runs.pop("MiniVGG"), runs)


@claim
def minivgg_training_images():
    """Training images of chapter 5."""
    return mean("study-mnist-small/MiniVGG", "train")


@claim
def minivgg_less_vgg_small():
    """MiniVGG less vgg_small, on test images."""
    return difference("study-mnist-small/MiniVGG", "study-mnist-small/vgg_small")


@claim
def minivgg_less_no_hidden():
    """MiniVGG less the network without a hidden layer."""
    return difference("study-mnist-small/MiniVGG", "study-mnist-small/no hidden layer")


@claim
def no_hidden_less_smallest():
    """The network without a hidden layer less the smallest."""
    return difference("study-mnist-small/no hidden layer", "study-mnist-small/smallest")


@claim
def minivgg_no_hidden_parameters():
    """Parameters of MiniVGG without hidden layers."""
    return analysis.count_parameters(models.minivgg(hidden=()))


@claim
def minivgg_to_lenet_parameters():
    """How many times LeNet-5's parameters MiniVGG has."""
    return analysis.count_parameters(models.minivgg()) / analysis.count_parameters(models.lenet5())


@claim
def minivgg_to_lenet_work():
    """How many times LeNet-5's work MiniVGG does."""
    return analysis.count_multiply_adds(models.minivgg(), (1, 28, 28)) / analysis.count_multiply_adds(
        models.lenet5(), (1, 28, 28)
    )


def _errors(name: str) -> int:
    """Of a thousand test images, how many a network of the study misreads, mean of its seeds."""
    return round(1_000 * (1 - mean(f"study-mnist-small/{name}").value))


@claim
def minivgg_errors_in_a_thousand():
    """MiniVGG's errors."""
    return _errors("MiniVGG")


@claim
def no_hidden_errors_in_a_thousand():
    """The same without hidden layers."""
    return _errors("no hidden layer")


@claim
def smallest_errors_in_a_thousand():
    """The same at a quarter of the width, too."""
    return _errors("smallest")


@claim
def no_hidden_more_errors():
    """The network without hidden layers makes about a quarter more errors than MiniVGG."""
    errors = {name: 1 - mean(f"study-mnist-small/{name}").value for name in ("MiniVGG", "no hidden layer")}
    return 1.2 < errors["no hidden layer"] / errors["MiniVGG"] < 1.3


@claim
def minivgg_convolutions_nine_times():
    """On an image 64 times as large VGG-16's convolutions do about nine times the work, place by place."""
    large = analysis.layer_table(models.vgg16(10, 1), (1, 224, 224))
    small = analysis.layer_table(models.minivgg(), (1, 28, 28))
    work = [table["multiply-adds"][table["type"] == "Conv2d"].sum() for table in (large, small)]
    return bool(9 < work[0] / (64 * work[1]) < 10)


def _cut(blocks: int, side: int, factor: int = 1) -> int:
    """Parameters of VGG-16 for grey digits, cut to so many blocks, with channels divided by ``factor``."""
    kept: list[int | str] = []
    for one in models.CONFIGURATIONS["D"]:
        if kept.count("M") < blocks:
            kept.append("M" if one == "M" else int(one) // factor)
    return analysis.count_parameters(models.VGG(kept, in_channels=1, num_classes=10))


@claim
def minivgg_second_saves():
    """Parameters that halving VGG-16's filters saves."""
    return _cut(5, 224) - _cut(5, 224, factor=2)


@claim
def minivgg_third_saves():
    """Parameters that cutting it down to two blocks saves then."""
    return _cut(5, 224, factor=2) - _cut(2, 28, factor=2)


@claim
def minivgg_saved_memory():
    """What MiniVGG keeps of 128 digits for the backward pass."""
    return analysis.training_memory(models.minivgg(), (1, 28, 28), 128).saved


@claim
def minivgg_working_memory():
    """What comes on top at the highest moment of a step with 128 digits."""
    return analysis.training_memory(models.minivgg(), (1, 28, 28), 128).working


@claim
def puzzle_gap():
    """From the log's kind of training accuracy to validation accuracy, after one epoch of the quarter-wide MiniVGG."""
    return sum(_signed(f"constant, epoch 1, {step}") for step in ("no averaging", "no dropout", "unseen images"))


@claim
def six_minivgg_first_gap():
    """The same of the full MiniVGG in the study, in points."""
    return six_minivgg_first_validation() - six_minivgg_first_training()


@claim
def no_hidden_training():
    """Training accuracy of the page's network without hidden layers, in its last epoch."""
    return mean("05-minivgg/no hidden layer", "train_accuracy", epoch=-1, split="validation")


def _small() -> dict:
    """Test accuracies of the study's networks by seed."""
    return {name: runs.set_index("seed")["accuracy"] for name, runs in studies.table("mnist-small").groupby("name")}


@claim
def small_by_holm():
    """The three differences that the page gives pass Holm's rule for three comparisons."""
    runs = _small()
    pairs = [("MiniVGG", "vgg_small"), ("MiniVGG", "no hidden layer"), ("no hidden layer", "smallest")]
    p_values = sorted(records.p_value(runs[of], runs[minus]) for of, minus in pairs)
    return all(p < 0.05 / (3 - place) for place, p in enumerate(p_values))


@claim
def no_hidden_errors_interval():
    """By the interval, the network without hidden layers makes an eighth to two fifths more errors than MiniVGG."""
    runs = _small()
    gap, half = records.difference(runs["MiniVGG"], runs["no hidden layer"])
    errors = 1 - runs["MiniVGG"].mean()
    return 0.11 < (gap - half) / errors < 0.14 and 0.37 < (gap + half) / errors < 0.43


@claim
def six_loss_undecided():
    """From epoch 3 to 5 MiniVGG's validation loss rises in three runs of five: undecided by the interval."""
    curves = studies.curves("mnist-six")
    by_epoch = curves[curves["name"] == "MiniVGG"].pivot(index="seed", columns="epoch", values="val_loss")
    gap, half = records.difference(by_epoch[5], by_epoch[3])
    return int((by_epoch[5] > by_epoch[3]).sum()) == 3 and abs(gap) < half


@claim
def few_seen():
    """The lowest training accuracy of the runs with 1,000 digits."""
    return min(float(one) for one in re.findall(r"seen ([\d.]+)%, unseen", output("05-minivgg"))) / 100


@claim
def minivgg_convolution_work():
    """Of MiniVGG's work, what its convolutions do."""
    table = analysis.layer_table(models.minivgg(), (1, 28, 28))["multiply-adds"]
    return (table.filter(like="features").sum() / table["total"]).item()


@claim
def six_minivgg_first_training():
    """MiniVGG's training accuracy of the first epoch by the common recipe, as a log gives it."""
    return mean("study-mnist-six/MiniVGG", "train_accuracy", epoch=1).value


@claim
def six_minivgg_first_validation():
    """Its validation accuracy after the first epoch."""
    return mean("study-mnist-six/MiniVGG", "val_accuracy", epoch=1).value


@claim
def six_minivgg_loss_3():
    """Its validation loss after the third epoch."""
    return mean("study-mnist-six/MiniVGG", "val_loss", epoch=3).value


@claim
def six_minivgg_loss_5():
    """Its validation loss after the fifth epoch."""
    return mean("study-mnist-six/MiniVGG", "val_loss", epoch=5).value


@claim
def puzzle_averaging():
    """What no averaging adds to the training accuracy of the first epoch."""
    return _signed("constant, epoch 1, no averaging")


@claim
def puzzle_dropout():
    """What no dropout adds to it."""
    return _signed("constant, epoch 1, no dropout")


@claim
def puzzle_averaging_3():
    """What no averaging adds to the training accuracy of the third epoch."""
    return _signed("constant, epoch 3, no averaging")


@claim
def puzzle_dropout_3():
    """What no dropout adds to it."""
    return _signed("constant, epoch 3, no dropout")


@claim
def puzzle_unseen():
    """What unseen images add in the first epoch."""
    return _signed("constant, epoch 1, unseen images")


@claim
def puzzle_unseen_3():
    """What unseen images take away in the third epoch."""
    return -_signed("constant, epoch 3, unseen images")


@claim
def puzzle_averaging_falling():
    """What no averaging adds in the third epoch, with a rate that falls to zero."""
    return _signed("cosine, epoch 3, no averaging")


def _signed(words: str) -> float:
    """Points, with their sign, that the page prints behind some words."""
    (points,) = re.findall(rf"{words}: ([-+][\d.]+) points", output("05-minivgg"))
    return float(points) / 100


@claim
def vgg_small_test():
    """Test accuracy of vgg_small in chapter 5."""
    return mean("study-mnist-small/vgg_small")


@claim
def few_with_hidden():
    """Validation accuracy with hidden layers, from 1,000 training digits."""
    return printed("05-minivgg", "\nwith hidden layers:")


@claim
def few_without_hidden():
    """The same without hidden layers."""
    return printed("05-minivgg", "\nwithout:")


@claim
def few_difference():
    """Their difference."""
    return _signed("difference")


@claim
def few_interval():
    """Half of its 95 % interval."""
    return printed("05-minivgg", "points, its interval:")


@claim
def error_near_98():
    """The standard error of an accuracy of 98 % on 12,000 images."""
    return (0.98 * 0.02 / 12_000) ** 0.5


@claim
def minivgg_training_memory():
    """What MiniVGG takes while training in batches of 128 digits."""
    return analysis.training_memory(models.minivgg(), (1, 28, 28), 128).total


@claim
def minivgg_head_memory():
    """The share of its head: weights, gradients and Adam's means, in float32."""
    network = models.minivgg()
    return (
        16 * analysis.count_parameters(network.classifier) / analysis.training_memory(network, (1, 28, 28), 128).total
    )
