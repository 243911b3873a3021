"""Chapter 4, VGG."""

import math

import numpy as np
from torch import nn

from course_lib import analysis, models, records
from course_tools.claims.ledger import claim
from course_tools.claims.measurements import difference, mean, record
from course_tools.claims.published import memory, printed, seconds


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


@claim
def window_networks_weights():
    """The network with windows of 7 × 7 has nearly twice the parameters of the one with stacks of 3 × 3."""

    def layer(before, after, window):
        return nn.Sequential(nn.Conv2d(before, after, window, padding=window // 2), nn.BatchNorm2d(after))

    def network(*stage):
        return nn.Sequential(layer(3, 32, 3), *stage, nn.Linear(32, 10))

    large = network(*(layer(32, 32, 7) for _ in range(2)))
    small = network(*(layer(32, 32, 3) for _ in range(6)))
    assert (analysis.count_parameters(large), analysis.count_parameters(small)) == (101_834, 57_162)
    return 1.7 < analysis.count_parameters(large) / analysis.count_parameters(small) < 2


@claim
def stack_of_three():
    """Validation accuracy of the network with stacks of three 3 × 3, at its better rate."""
    return mean("04-vgg/three 3×3, rate 0.003", split="validation")


@claim
def one_large_window():
    """Validation accuracy of the network with windows of 7 × 7, at its better rate."""
    return mean("04-vgg/one 7×7, rate 0.01", split="validation")


@claim
def stack_without_relus():
    """Validation accuracy of the stacks without ReLUs in between, at their better rate."""
    return mean("04-vgg/three 3×3, no ReLU between, rate 0.003", split="validation")


@claim
def stack_against_window():
    """By how much stacks of 3 × 3 are above a 7 × 7, each at its better rate."""
    return difference("04-vgg/three 3×3, rate 0.003", "04-vgg/one 7×7, rate 0.01", split="validation")


@claim
def relus_at_the_low_rate():
    """What the ReLUs in a stack bring at a rate of 0.003."""
    return difference(
        "04-vgg/three 3×3, rate 0.003", "04-vgg/three 3×3, no ReLU between, rate 0.003", split="validation"
    )


@claim
def relus_at_the_high_rate():
    """What the ReLUs in a stack bring at a rate of 0.01."""
    return difference("04-vgg/three 3×3, rate 0.01", "04-vgg/three 3×3, no ReLU between, rate 0.01", split="validation")


@claim
def window_networks_share():
    """Parameters of the network with stacks of 3 × 3, as a share of those of the one with 7 × 7: both are counted in
    window-networks-weights.
    """
    return 57_162 / 101_834


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


@claim
def copied_places():
    """With 7 × 7 places, VGG8's first linear layer has 49 weights for each map."""
    return models.vgg8_bn(pooled=7, hidden=(4096, 4096)).classifier[0].in_features // 512


@claim
def large_head_parameters():
    """How many times the parameters VGG8 has under VGG-16's head."""
    return analysis.count_parameters(models.vgg8_bn(pooled=7, hidden=(4096, 4096))) / analysis.count_parameters(
        models.vgg8_bn()
    )


@claim
def large_head_memory():
    """Under VGG-16's head, VGG8 takes eleven times the memory for training."""
    small, large = models.vgg8_bn(), models.vgg8_bn(pooled=7, hidden=(4096, 4096))
    needed = [analysis.training_memory(one, (3, 32, 32), 128).total for one in (small, large)]
    return round(needed[1] / needed[0]) == 11


@claim
def large_head_time():
    """How many times as long a step of VGG8 takes under VGG-16's head, in chapter 4's published run."""
    return printed("04-vgg", "the large head takes ")


@claim
def large_head_work_factor():
    """How many times the work VGG8 has under VGG-16's head."""
    small, large = models.vgg8_bn(), models.vgg8_bn(pooled=7, hidden=(4096, 4096))
    return analysis.count_multiply_adds(large, (3, 32, 32)) / analysis.count_multiply_adds(small, (3, 32, 32))


@claim
def large_head_work():
    """Under VGG-16's head, VGG8's work does not triple."""
    small, large = models.vgg8_bn(), models.vgg8_bn(pooled=7, hidden=(4096, 4096))
    return analysis.count_multiply_adds(large, (3, 32, 32)) < 3 * analysis.count_multiply_adds(small, (3, 32, 32))


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
def test_set_error():
    """By how much chance moves 10,000 test images at VGG8's accuracy."""
    runs = records.table("04-vgg")
    p = runs.loc[runs["name"] == "VGG8-BN", "accuracy"].mean()
    return math.sqrt(p * (1 - p) / 10_000)


@claim
def vgg8_gap():
    """VGG8's training accuracy less its validation accuracy in the last epoch."""
    return mean("04-vgg/VGG8-BN", "gap", epoch=-1)


@claim
def vgg8_gap_comes_late():
    """VGG8's training accuracy is below that of validation at first, and above it from the eighth epoch on, not
    before.
    """
    run = record("04-vgg/VGG8-BN")
    above = [one["train_accuracy"] > one["val_accuracy"] for one in run["epochs"]]
    return not any(above[:5]) and not above[6] and all(above[7:])


@claim
def vgg8_errors():
    """Wrong answers of VGG8 on CIFAR-10's test images, seed 0."""
    run = record("04-vgg/VGG8-BN")
    counts = np.array(run["confusion"])
    return counts.sum() - np.trace(counts)


@claim
def cats_and_dogs():
    """How often VGG8 takes a cat for a dog or a dog for a cat, seed 0; no other pair is confused half as often."""
    run = record("04-vgg/VGG8-BN")
    counts = np.array(run["confusion"])
    names = [one["name"] for one in run["final"]["classes"]]
    pairs = sorted((counts[i, j] + counts[j, i], {names[i], names[j]}) for i in range(10) for j in range(i))
    assert pairs[-1][1] == {"cat", "dog"} and 2 * pairs[-2][0] < pairs[-1][0]
    return pairs[-1][0]


@claim
def hard_and_easy_classes():
    """Of all classes VGG8 has the lowest F1 for cats and the highest for automobiles, seed 0."""
    run = record("04-vgg/VGG8-BN")
    ranked = sorted(run["final"]["classes"], key=lambda one: one["f1"])
    return (ranked[0]["name"], ranked[-1]["name"]) == ("cat", "automobile")


@claim
def vgg8_first_epoch_time():
    """The first epoch of chapter 4's VGG8, beside other programs."""
    return mean("04-vgg/VGG8-BN", "seconds", epoch=1)


@claim
def vgg8_last_epoch_time():
    """The last epoch of chapter 4's VGG8."""
    return mean("04-vgg/VGG8-BN", "seconds", epoch=-1)


@claim
def vgg8_block_3_view():
    """At the ReLU of block 3, VGG8's maps have a side of 8, and a unit sees 18 × 18 pixels."""
    blocks = models.vgg8_bn().features[:11]
    sides = [one.shape[1] for one in analysis.trace(blocks, (3, 32, 32)).steps]
    return sides[-1] == 8 and analysis.receptive_field(blocks)["receptive field"].iloc[-1].item() == 18


@claim
def vgg16_new_last_layer():
    """A new last layer for ten classes has 40,970 parameters."""
    return analysis.count_parameters(nn.Linear(4096, 10))


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
def vgg16_frozen_saved():
    """What a batch of 128 photographs of 224 × 224 takes."""
    return 4 * 128 * 3 * 224 * 224


@claim
def vgg16_frozen_peak():
    """What the maps of VGG-16's first two convolutions take for 128 images."""
    return 4 * 2 * 128 * 64 * 224 * 224


@claim
def vgg11_against_vgg8():
    """VGG11's three additional convolutions more than double the work of VGG8 on images of 32 × 32."""
    options = {"num_classes": 10, "pooled": 1, "hidden": (512, 512), "width": 0.25}
    work = [analysis.count_multiply_adds(one(**options), (3, 32, 32)) for one in (models.vgg8_bn, models.vgg11_bn)]
    return work[1] > 2 * work[0]


@claim
def narrow_vgg8():
    """Validation accuracy of VGG8-BN at a quarter of its width, on few images."""
    return mean("04-vgg/VGG8-BN, quarter width", split="validation")


@claim
def narrow_vgg11():
    """Validation accuracy of VGG11-BN at a quarter of its width, on few images."""
    return mean("04-vgg/VGG11-BN, quarter width", split="validation")


@claim
def narrow_depth():
    """By how much narrow VGG11-BN is above narrow VGG8-BN, on few images."""
    return difference("04-vgg/VGG11-BN, quarter width", "04-vgg/VGG8-BN, quarter width", split="validation")


@claim
def narrow_head_keeps():
    """What a layer of 128 inputs with weights of 0.01, and its ReLU, keep of a signal's size."""
    return 0.01 * math.sqrt(128 / 2)
