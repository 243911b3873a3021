"""Chapter 2, LeNet."""

import torch
from torch import nn

from course_lib import analysis, data, models, records
from course_tools.claims.ledger import claim
from course_tools.claims.measurements import difference, mean
from course_tools.claims.published import memory, printed, seconds
from studies import lenet_fair, lenet_shifts


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
def lenet5_over_perceptron():
    """LeNet-5, modern form, less the perceptron, each with the recipe of its chapter."""
    return difference("02-lenet/LeNet-5, modern", "01-mlp/perceptron")


@claim
def lenet5_over_perceptron_same_recipe():
    """LeNet-5, modern form, less the perceptron, both with the recipe of the study mnist-six."""
    return difference("study-mnist-six/LeNet-5, modern", "study-mnist-six/perceptron")


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
def shift_6_digits_without_ink():
    """The part of the sample's test digits that lose some ink when they are shifted by 6 pixels."""
    with torch.device("cpu"):
        images = data.load("mnist", size="sample").open_test().images.float()
        lost = (images[..., -6:].amax(dim=(1, 2, 3)) > 0).float().mean().item()
    return lost


@claim
def lenet5_c3_weights():
    """Weights that join one map to one map in C3."""
    return 5 * 5


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


@claim
def fair_rates_inside():
    """In study lenet-shifts every network is judged at a rate that is neither the lowest nor the highest it tried."""
    tried: dict[str, list[float]] = {}
    for study in (lenet_fair, lenet_shifts):
        for run in study.grid("cpu", 0):
            network, found, rate = run.name.partition(", rate ")
            if found:
                tried.setdefault(network, []).append(float(rate))
    return all(min(tried[name]) < rate < max(tried[name]) for name, rate in lenet_shifts.BEST.items())


@claim
def relu_over_tanh():
    """LeNet-5 with ReLU less that with tanh, both with max pooling, on equal terms."""
    return difference("study-lenet-shifts/LeNet-5, modern", "study-lenet-shifts/LeNet-5, tanh and maximum")


@claim
def maximum_over_average():
    """LeNet-5 with max pooling less that with average pooling, both with ReLU, on equal terms."""
    return difference("study-lenet-shifts/LeNet-5, modern", "study-lenet-shifts/LeNet-5, ReLU and average")


@claim
def pooling_by_holm():
    """Of five comparisons with LeNet-5, modern, by Holm's rule tanh with the maximum counts, and strides do not."""
    runs = records.studies.table("lenet-shifts").query("split == 'test'")
    names = [name for name in lenet_shifts.BEST if "shuffled" not in name]
    scores = {name: runs[runs["name"] == name].set_index("seed")["accuracy"] for name in names}
    five = records.family(scores.pop("LeNet-5, modern"), scores)["p_holm"]
    return bool(five["LeNet-5, tanh and maximum"] < 0.05 < five["LeNet-5, strided"] < 0.06)


@claim
def strided_a_third():
    """LeNet-5 without pooling takes about a third of LeNet-5's multiply-adds, and has maps of the same size."""
    networks = lenet_fair.lenet5_strided(), models.lenet5()
    strided, pooled = (analysis.count_multiply_adds(network, (1, 28, 28)) for network in networks)
    shapes = [network.features(torch.zeros(1, 1, 28, 28)).shape for network in networks]
    return round(pooled / strided) == 3 and shapes[0] == shapes[1]


@claim
def lenet5_linear_over_convolution():
    """Parameters of a linear layer with the outputs of LeNet-5's first convolution, over that convolution's."""
    linear = analysis.count_parameters(nn.Linear(28 * 28, 6 * 28 * 28, device="meta"))
    return round(linear / analysis.count_parameters(models.lenet5().features[0]))


@claim
def all_pooled_ahead_at_4():
    """On digits moved by 4 pixels each of three other LeNets with pooling is above the one with strides."""
    names = ("LeNet-5, 1998", "LeNet-5, tanh and maximum", "LeNet-5, ReLU and average")
    study = "study-lenet-shifts"
    apart = [difference(f"{study}/{name}", f"{study}/LeNet-5, strided", "moved_4") for name in names]
    return all(one.value > one.spread for one in apart)


@claim
def maps_in_place():
    """Accuracy on 2,000 test digits in place, one run, in chapter 2's published run."""
    return printed("02-lenet", "digits in place: ")


@claim
def digits_moved():
    """The same with the digits moved by 4 pixels."""
    return printed("02-lenet", "digits moved: ")


@claim
def maps_moved_back():
    """The same with the digits moved by 4 pixels, and their last maps moved back by one place."""
    return printed("02-lenet", "digits moved, maps moved back: ")


@claim
def maps_moved():
    """The same with the digits in place, and their last maps moved by one place."""
    return printed("02-lenet", "digits in place, maps moved: ")


@claim
def pooling_at_1():
    """LeNet-5, modern form, less its twin without pooling, on digits moved by one pixel."""
    return difference("study-lenet-shifts/LeNet-5, modern", "study-lenet-shifts/LeNet-5, strided", "moved_1")


@claim
def relu_over_tanh_average():
    """LeNet-5 with ReLU less that with tanh, both with average pooling, on equal terms."""
    return difference("study-lenet-shifts/LeNet-5, ReLU and average", "study-lenet-shifts/LeNet-5, 1998")


@claim
def maximum_over_average_tanh():
    """LeNet-5 with max pooling less that with average pooling, both with tanh, on equal terms."""
    return difference("study-lenet-shifts/LeNet-5, tanh and maximum", "study-lenet-shifts/LeNet-5, 1998")


@claim
def whole_digits_fall_as_far():
    """Moved by four pixels, digits that lose no ink are misread at least as often as all, by each of four networks."""
    moves = records.studies.shifts("lenet-shifts").query("right == 4")
    means = moves[moves["name"].isin(lenet_fair.BEST)].groupby("name")[["accuracy", "accuracy_whole"]].mean()
    return bool((means["accuracy_whole"] <= means["accuracy"]).all())


@claim
def lenet5_1998_over_modern_at_6():
    """LeNet-5 of 1998 less the modern form, on digits moved by 6 pixels."""
    return difference("study-lenet-shifts/LeNet-5, 1998", "study-lenet-shifts/LeNet-5, modern", "moved_6")


def _range_of_1998(right: int) -> float:
    """The largest less the smallest accuracy of five runs of LeNet-5, 1998."""
    moves = records.studies.shifts("lenet-shifts")
    runs = moves[(moves["name"] == "LeNet-5, 1998") & (moves["right"] == right)]["accuracy"]
    return float(runs.max() - runs.min())


@claim
def spread_in_place():
    """How far five runs of LeNet-5, 1998, lie apart on digits in their place."""
    return _range_of_1998(0)


@claim
def spread_at_6():
    """How far they lie apart on digits moved by 6 pixels."""
    return _range_of_1998(6)


@claim
def lenet5_errors():
    """Errors of LeNet-5, modern form, on 10,000 test digits, mean of five seeds."""
    return 10_000 * (1 - mean("02-lenet/LeNet-5, modern").value)


@claim
def lenet5_first_convolution():
    """Parameters of LeNet-5's first convolution."""
    return analysis.count_parameters(models.lenet5().features[0])


@claim
def shift_4_perceptron():
    """Test accuracy of the perceptron on digits moved by 4 pixels."""
    return mean("study-lenet-shifts/perceptron", "moved_4")


@claim
def shift_4_strided():
    """Test accuracy of LeNet-5 without pooling on digits moved by 4 pixels."""
    return mean("study-lenet-shifts/LeNet-5, strided", "moved_4")


@claim
def shift_4_modern():
    """Test accuracy of LeNet-5, modern form, on digits moved by 4 pixels."""
    return mean("study-lenet-shifts/LeNet-5, modern", "moved_4")


@claim
def pooling_at_4():
    """LeNet-5, modern form, less its twin without pooling, on digits moved by 4 pixels."""
    return difference("study-lenet-shifts/LeNet-5, modern", "study-lenet-shifts/LeNet-5, strided", "moved_4")


@claim
def lenet5_shuffled():
    """Test accuracy of LeNet-5, modern form, on shuffled digits, at the best of seven rates."""
    return mean("study-lenet-shifts/LeNet-5, modern, shuffled")


@claim
def perceptron_shuffled():
    """Test accuracy of the perceptron on shuffled digits, at the best of seven rates."""
    return mean("study-lenet-shifts/perceptron, shuffled")


@claim
def lenet5_shuffled_under_perceptron():
    """The perceptron less LeNet-5, modern form, both on shuffled digits."""
    return difference("study-lenet-shifts/perceptron, shuffled", "study-lenet-shifts/LeNet-5, modern, shuffled")


@claim
def lenet5_learned_kernels():
    """Validation accuracy of LeNet-5 after four epochs, exercise 4 of chapter 2, one seed."""
    return printed("02-lenet", "learned kernels: ")


@claim
def lenet5_random_kernels():
    """The same with convolutions as they were drawn."""
    return printed("02-lenet", "random kernels: ")


@claim
def lenet5_shifts_before_4():
    """Validation accuracy of LeNet-5, taught in place, on digits moved by 4 pixels, exercise 6, one seed."""
    return printed("02-lenet", "before, moved by 4: ")


@claim
def lenet5_shifts_before_6():
    """Validation accuracy of LeNet-5, taught in place, on digits moved by 6 pixels, exercise 6, one seed."""
    return printed("02-lenet", "before, moved by 6: ")


@claim
def lenet5_shifts_after_4():
    """Validation accuracy of LeNet-5, taught with moved digits, on digits moved by 4 pixels, exercise 6, one seed."""
    return printed("02-lenet", "after, moved by 4: ")


@claim
def lenet5_shifts_after_6():
    """Validation accuracy of LeNet-5, taught with moved digits, on digits moved by 6 pixels, exercise 6, one seed."""
    return printed("02-lenet", "after, moved by 6: ")


@claim
def lenet5_alone_4():
    """Validation accuracy of LeNet-5 by one image, on digits moved by 4, exercise 5, one seed."""
    return printed("02-lenet", "alone, moved by 4: ")


@claim
def lenet5_by_vote_0():
    """Validation accuracy of LeNet-5 by a vote of five moved copies, on digits moved by 0, exercise 5, one seed."""
    return printed("02-lenet", "by vote, moved by 0: ")


@claim
def lenet5_by_vote_4():
    """Validation accuracy of LeNet-5 by a vote of five moved copies, on digits moved by 4, exercise 5, one seed."""
    return printed("02-lenet", "by vote, moved by 4: ")


@claim
def lenet5_kernels_avoid():
    """Of the errors with random kernels, learned ones avoid more than two of three, exercise 4 of chapter 2."""
    learned, random = (printed("02-lenet", f"{words} kernels: ").value for words in ("learned", "random"))
    return (1 - learned) < (1 - random) / 3


@claim
def lenet5_windows_unshared():
    """Parameters of LeNet-5's first layer if each window had weights of its own."""
    return 6 * 28 * 28 * (5 * 5 + 1)


@claim
def lenet5_first_as_linear():
    """Parameters of a linear layer with the outputs of LeNet-5's first convolution."""
    return analysis.count_parameters(nn.Linear(28 * 28, 6 * 28 * 28, device="meta"))
