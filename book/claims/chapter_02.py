"""Chapter 2, LeNet."""

import itertools
import re

import pandas as pd
import torch
from torch import nn

from course_lib import analysis, data, models, records
from course_tools.claims.ledger import claim
from course_tools.claims.measurements import difference, mean
from course_tools.claims.published import memory, output, seconds


@claim
def lenet_time():
    """What chapter 2's published run took."""
    return seconds("02-lenet")


@claim
def lenet_memory():
    """The most memory that chapter 2's published run held."""
    return memory("02-lenet")


@claim
def lenet5_first_linear_layer():
    """LeNet-5's convolutions have under a twentieth of its parameters, and its first linear layer has most."""
    network = models.lenet5()
    whole = analysis.count_parameters(network)
    first = next(one for one in network.classifier if isinstance(one, nn.Linear))
    return analysis.count_parameters(network.features) < whole / 20 and analysis.count_parameters(first) > whole / 2


@claim
def lenet5_two_forms():
    """Both forms of LeNet-5 have the same number of parameters."""
    return analysis.count_parameters(models.lenet5(form="1998")) == analysis.count_parameters(
        models.lenet5(form="modern")
    )


@claim
def lenet5_c3_paper():
    """Parameters of C3 in the paper."""
    return (6 * 3 + 9 * 4 + 1 * 6) * 25 + 16


@claim
def lenet5_c3():
    """Parameters of our second convolution."""
    return analysis.count_parameters(models.lenet5().features[3])


@claim
def lenet5_c3_more():
    """What our second convolution has more than the paper's."""
    return analysis.count_parameters(models.lenet5().features[3]) - ((6 * 3 + 9 * 4 + 1 * 6) * 25 + 16)


@claim
def lenet5_last_layer():
    """Parameters of our LeNet-5's last layer."""
    return analysis.count_parameters(models.lenet5().classifier[-1])


@claim
def lenet5_pooling_paper():
    """A factor and a bias for each pooled map of the paper."""
    return 2 * (6 + 16)


@claim
def lenet5_parameters():
    """Parameters of our LeNet-5."""
    return analysis.count_parameters(models.lenet5())


@claim
def lenet5_parameters_paper():
    """Our LeNet-5's parameters, brought to the paper's form."""
    network = models.lenet5()
    more = analysis.count_parameters(network.features[3]) - ((6 * 3 + 9 * 4 + 1 * 6) * 25 + 16)
    return analysis.count_parameters(network) - more - analysis.count_parameters(network.classifier[-1]) + 2 * (6 + 16)


@claim
def lenet5_field():
    """Pixels that a unit of LeNet-5's last pool sees, along one side."""
    return analysis.receptive_field(models.lenet5().features)["receptive field"].iloc[-1].item()


@claim
def lenet5_smaller_gap():
    """LeNet-5's training accuracy ends less far above that on new images than the perceptron's, by the book's rule."""

    def gaps(file, name):
        runs = [one for one in records.read(records.results_folder() / f"{file}.jsonl") if one["name"] == name]
        return pd.Series({one["seed"]: one["epochs"][-1]["train_accuracy"] - one["final"]["accuracy"] for one in runs})

    less, half = records.difference(gaps("01-mlp", "perceptron"), gaps("02-lenet", "LeNet-5, modern"))
    print(f"smaller by {less:.2%} ± {half:.2%}")
    return bool(less > half)


@claim
def lenet5_fraction_of_errors_1998():
    """The part of the perceptron's errors that LeNet-5 of 1998 does not make, in the race of chapter 2."""
    runs = records.table("02-lenet")
    errors = 1 - runs[runs["split"] == "test"].groupby("name")["accuracy"].mean()
    return 1 - errors["LeNet-5, 1998"] / errors["perceptron"]


@claim
def lenet5_fraction_of_errors():
    """The part of the perceptron's errors that LeNet-5, modern form, does not make, in the race of chapter 2."""
    runs = records.table("02-lenet")
    errors = 1 - runs[runs["split"] == "test"].groupby("name")["accuracy"].mean()
    return 1 - errors["LeNet-5, modern"] / errors["perceptron"]


@claim
def lenet5_1998_over_perceptron():
    """LeNet-5 of 1998 less the perceptron, each with its recipe."""
    return difference("02-lenet/LeNet-5, 1998", "02-lenet/perceptron")


@claim
def lenet5_over_perceptron():
    """LeNet-5, modern form, less the perceptron, each with its recipe."""
    return difference("02-lenet/LeNet-5, modern", "02-lenet/perceptron")


@claim
def lenet5_over_1998():
    """LeNet-5, modern form, less that of 1998, with the same recipe."""
    return difference("02-lenet/LeNet-5, modern", "02-lenet/LeNet-5, 1998")


@claim
def lenet5_over_perceptron_same_recipe():
    """LeNet-5, modern form, less the perceptron, both with the recipe of the study mnist-six."""
    return difference("study-mnist-six/LeNet-5, modern", "study-mnist-six/perceptron")


@claim
def perceptron_rate_1():
    """Validation accuracy of the perceptron at rate 0.001, one seed."""
    return mean("02-lenet/perceptron, rate 0.001", split="validation")


@claim
def perceptron_rate_4():
    """Validation accuracy of the perceptron at rate 0.004, one seed."""
    return mean("02-lenet/perceptron, rate 0.004", split="validation")


@claim
def lenet5_rate_1():
    """Validation accuracy of LeNet-5, modern form, at rate 0.001, one seed."""
    return mean("02-lenet/LeNet-5, modern, rate 0.001", split="validation")


@claim
def lenet5_rate_4():
    """Validation accuracy of LeNet-5, modern form, at rate 0.004, one seed."""
    return mean("02-lenet/LeNet-5, modern, rate 0.004", split="validation")


@claim
def perceptron_epoch():
    """Seconds of an epoch of the perceptron in chapter 2."""
    return mean("02-lenet/perceptron", "seconds", per="epoch")


@claim
def lenet5_epoch_longer():
    """Seconds that an epoch of LeNet-5, modern form, takes longer than one of the perceptron."""
    return difference("02-lenet/LeNet-5, modern", "02-lenet/perceptron", "seconds", per="epoch")


@claim
def lenet5_a_ninth():
    """LeNet-5 has about a ninth of the perceptron's parameters."""
    return round(analysis.count_parameters(models.mlp()) / analysis.count_parameters(models.lenet5())) == 9


@claim
def lenet5_places():
    """Each weight of LeNet-5's convolutions is used in a hundred places or more."""
    steps = analysis.trace(models.lenet5(), (1, 28, 28)).steps
    return min(one.shape[1] * one.shape[2] for one in steps if one.type == "Conv2d") >= 100


@claim
def lenet5_multiply_adds():
    """Multiply-adds of LeNet-5 for one digit."""
    return analysis.count_multiply_adds(models.lenet5(), (1, 28, 28))


@claim
def mlp_multiply_adds():
    """Multiply-adds of the perceptron for one digit."""
    return analysis.count_multiply_adds(models.mlp(), (1, 28, 28))


@claim
def shift_loses_ink():
    """Of the sample's test digits some lose ink from a shift by one pixel on, and more with each pixel."""
    with torch.device("cpu"):
        images = data.load("mnist", size="sample").open_test().images
        lost = [int((images[..., 28 - shift :].amax(dim=(1, 2, 3)) > 0).sum()) for shift in range(1, 7)]
    print(lost)
    return lost[0] > 0 and all(less < more for less, more in itertools.pairwise(lost))


@claim
def shift_4_perceptron():
    """Test accuracy of the perceptron on digits shifted by 4 pixels, mean of the seeds."""
    page = output("02-lenet")
    return float(re.search(r"\n4 +([\d.]+)% +([\d.]+)% +([\d.]+)%", page)[1]) / 100


@claim
def shift_4_1998():
    """Test accuracy of LeNet-5, 1998, on digits shifted by 4 pixels, mean of the seeds."""
    page = output("02-lenet")
    return float(re.search(r"\n4 +([\d.]+)% +([\d.]+)% +([\d.]+)%", page)[2]) / 100


@claim
def shift_4_modern():
    """Test accuracy of LeNet-5, modern, on digits shifted by 4 pixels, mean of the seeds."""
    page = output("02-lenet")
    return float(re.search(r"\n4 +([\d.]+)% +([\d.]+)% +([\d.]+)%", page)[3]) / 100


@claim
def shift_6_1998():
    """Test accuracy of LeNet-5, 1998, on digits shifted by 6 pixels, mean of the seeds."""
    page = output("02-lenet")
    return float(re.search(r"\n6 +([\d.]+)% +([\d.]+)% +([\d.]+)%", page)[2]) / 100


@claim
def shift_6_modern():
    """Test accuracy of LeNet-5, modern, on digits shifted by 6 pixels, mean of the seeds."""
    page = output("02-lenet")
    return float(re.search(r"\n6 +([\d.]+)% +([\d.]+)% +([\d.]+)%", page)[3]) / 100


@claim
def shift_half():
    """The perceptron falls below half between shifts of 3 and 4 pixels, LeNet-5 of 1998 between 4 and 5, modern
    between 5 and 6.
    """
    page = output("02-lenet")
    rows = [
        [float(one) for one in re.search(rf"\n{shift} +([\d.]+)% +([\d.]+)% +([\d.]+)%", page).groups()]
        for shift in range(7)
    ]
    return [min(shift for shift in range(7) if rows[shift][place] < 50) for place in range(3)] == [4, 5, 6]


@claim
def shift_6_digits_without_ink():
    """The part of the sample's test digits that lose some ink when they are shifted by 6 pixels."""
    with torch.device("cpu"):
        images = data.load("mnist", size="sample").open_test().images.float()
        lost = (images[..., -6:].amax(dim=(1, 2, 3)) > 0).float().mean().item()
    return lost


@claim
def shift_6_ink():
    """The part of all ink of the sample's test digits that a shift by 6 pixels pushes out."""
    with torch.device("cpu"):
        images = data.load("mnist", size="sample").open_test().images.float()
        lost = (images[..., -6:].sum() / images.sum()).item()
    return lost


@claim
def lenet5_jump():
    """Pixels of the image that neighbouring units of LeNet-5's last maps stand apart."""
    return analysis.receptive_field(models.lenet5().features)["jump"].iloc[-1].item()


@claim
def lenet5_shuffled():
    """Test accuracy of LeNet-5, modern form, on shuffled digits, three seeds."""
    return mean("02-lenet/LeNet-5, modern, shuffled")


@claim
def lenet5_shuffled_under_perceptron():
    """The perceptron less LeNet-5, modern form, on shuffled digits."""
    return difference("02-lenet/perceptron", "02-lenet/LeNet-5, modern, shuffled")


@claim
def lenet5_shuffled_under_itself():
    """LeNet-5, modern form, on digits in place less itself on shuffled ones."""
    return difference("02-lenet/LeNet-5, modern", "02-lenet/LeNet-5, modern, shuffled")


@claim
def lenet5_c3_weights():
    """Weights that join one map to one map in C3."""
    return 5 * 5


def _four_forms():
    """Accuracies of exercise 4: four networks, two seeds each."""
    rows = re.search(r"seed 0 +seed 1\n((?:.+%\n){4})", output("02-lenet"))[1]
    return [float(percent) / 100 for percent in re.findall(r"([\d.]+)%", rows)]


@claim
def lenet5_four_forms_lowest():
    """The lowest of the eight accuracies in exercise 4 of chapter 2."""
    return min(_four_forms())


@claim
def lenet5_four_forms_highest():
    """The highest of the eight accuracies in exercise 4 of chapter 2."""
    return max(_four_forms())


@claim
def lenet5_four_forms_seeds():
    """The largest difference between two seeds of one row in exercise 4 of chapter 2."""
    scores = _four_forms()
    return max(abs(first - second) for first, second in zip(scores[::2], scores[1::2], strict=True))


@claim
def lenet5_shifts_before_4():
    """Validation accuracy of LeNet-5, taught in place, at a shift of 4 pixels, exercise 5 of chapter 2, one seed."""
    page = output("02-lenet")
    return float(re.search(r"shift 4: ([\d.]+)% before, ([\d.]+)% after", page)[1]) / 100


@claim
def lenet5_shifts_after_4():
    """Validation accuracy of LeNet-5, taught with shifted digits, at a shift of 4 pixels, exercise 5 of chapter 2, one
    seed.
    """
    page = output("02-lenet")
    return float(re.search(r"shift 4: ([\d.]+)% before, ([\d.]+)% after", page)[2]) / 100


@claim
def lenet5_shifts_before_6():
    """Validation accuracy of LeNet-5, taught in place, at a shift of 6 pixels, exercise 5 of chapter 2, one seed."""
    page = output("02-lenet")
    return float(re.search(r"shift 6: ([\d.]+)% before, ([\d.]+)% after", page)[1]) / 100


@claim
def lenet5_shifts_after_6():
    """Validation accuracy of LeNet-5, taught with shifted digits, at a shift of 6 pixels, exercise 5 of chapter 2, one
    seed.
    """
    page = output("02-lenet")
    return float(re.search(r"shift 6: ([\d.]+)% before, ([\d.]+)% after", page)[2]) / 100


@claim
def fair_perceptron():
    """Test accuracy of the perceptron, on equal terms."""
    return mean("study-lenet-fair/perceptron")


@claim
def fair_lenet():
    """Test accuracy of the modern LeNet, on equal terms."""
    return mean("study-lenet-fair/LeNet-5, modern")


@claim
def fair_lenet_over_perceptron():
    """The modern LeNet less the perceptron, on equal terms."""
    return difference("study-lenet-fair/LeNet-5, modern", "study-lenet-fair/perceptron")


@claim
def fair_lenet_over_1998():
    """The modern LeNet less that of 1998, on equal terms."""
    return difference("study-lenet-fair/LeNet-5, modern", "study-lenet-fair/LeNet-5, 1998")


@claim
def fair_lenet_over_strided():
    """The modern LeNet less its twin without pooling, on equal terms."""
    return difference("study-lenet-fair/LeNet-5, modern", "study-lenet-fair/LeNet-5, strided")
