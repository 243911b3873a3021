"""Source D, question and answer: transfer from VGG-16."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from course_lib import analysis, data, models
from course_lib.torchvision_fix import import_torchvision
from course_tools.claims.ledger import fact
from course_tools.claims.measurements import difference, higher, mean
from course_tools.claims.published import figures, printed

SNIPPET = "672 refilled digits, one pass, one run, 336 refilled test digits, torchvision's weights, Adam at 0.001"


# D.1: The answer: the digits do not suit ImageNet's features, the network is too large, it overfits, and enlarging
# and repeating lose information.
@fact("D.1", source="they do", verdict="corrected", ours="the digit comes back to the last bit", device="cpu")
def enlarging_and_repeating_channels_lose_information():
    """Enlarging and repeating channels lose information.

    Enlarging adds work, and takes nothing away.
    """
    digit = data.load("mnist", size="sample").train.images[:1].float()
    enlarged = F.interpolate(digit, scale_factor=8).expand(-1, 3, -1, -1)
    back = F.avg_pool2d(enlarged, 8).mean(dim=1, keepdim=True)
    print("from", tuple(digit.shape), "to", tuple(enlarged.shape), "and back")
    return not torch.allclose(back, digit)


@fact("D.1", source="overfitting", verdict="corrected", ours="there was nothing to learn")
def it_overfits():
    """It overfits.

    See D.3. With labels that belong to other digits there is nothing to learn by heart but the labels themselves.
    """
    right = sum((i - 64 * i) % 60_000 < 64 for i in range(60_000))
    print(f"{right} of 60,000 images hold the digit of their label")
    return right > 30_000


@fact(
    "D.1",
    source="they do not suit",
    verdict="partly",
    note="500 digits, VGG-16's convolutions at 64 × 64, each at the best of seven rates, five draws",
)
def digits_do_not_suit_features_of_photographs():
    """Digits do not suit features of photographs: frozen ones read fewer than a LeNet-5 from scratch."""
    return higher(
        "study-transfer-pays/digits, from scratch, 500 images", "study-transfer-pays/digits, frozen, 500 images"
    )


# D.2: Three snippets: everything trainable under a flat head; ten layers frozen under pooled maps; MobileNetV2 in
# place of VGG-16.
@fact("D.2", value="250,890", verdict="ours")
def parameters_of_the_flat_head():
    """Parameters of the flat head."""
    return analysis.count_parameters(nn.Linear(512 * 7 * 7, 10))


@fact("D.2", value="5,130", verdict="ours")
def parameters_of_the_pooled_head():
    """Parameters of the pooled head."""
    return analysis.count_parameters(nn.Linear(512, 10))


@fact("D.2", value="12,810", verdict="ours")
def parameters_of_mobilenetv2s_head():
    """Parameters of MobileNetV2's head."""
    return analysis.count_parameters(nn.Linear(1280, 10))


@fact("D.2", value="11.8 %", verdict="ours")
def share_of_vgg_16s_convolutions_that_the_first_ten_layers():
    """Share of VGG-16's convolutions that the first ten layers hold."""
    features = models.vgg16().features
    block, frozen = 1, 0
    for layer in features:
        if block <= 3:  # an input layer, seven convolutions and two pools: Keras counts ten
            frozen += analysis.count_parameters(layer)
        block += isinstance(layer, nn.MaxPool2d)
    return frozen / analysis.count_parameters(features)


@fact("D.2", value="0.16 %", verdict="ours")
def share_of_mobilenetv2_that_the_first_ten_layers_hold():
    """Share of MobileNetV2 that the first ten layers hold."""
    network = import_torchvision().models.mobilenet_v2()
    features = network.features

    def size(part):
        return sum(one.numel() for one in part.state_dict().values() if one.dim())  # Keras counts means, too

    first_ten = size(features[0]) + size(features[1]) + size(features[2].conv[0][0])
    return first_ten / size(features)


# D.3: All three snippets refill the new shape from the flattened digits instead of enlarging each digit.
@fact(
    "D.3",
    source="it does",
    verdict="corrected",
    ours='one "image" holds 64 digits, each smeared over 3.5 rows',
    device="cpu",
)
def np_resize_enlarges_each_image():
    """Np.resize enlarges each image.

    np.resize fills the new shape from the flattened array, and starts over at its end. It interpolates nothing.
    """
    numbers = np.arange(128, dtype=np.uint8)  # digit i is filled with i
    digits = np.broadcast_to(numbers[:, None, None, None], (128, 28, 28, 3))
    filled = np.resize(digits, (2, 224, 224, 3))
    inside = np.unique(filled[0])
    print(f"image 0 holds {len(inside)} digits, {inside[0]} to {inside[-1]}")
    print("rows of 224 that one digit fills:", 28 * 28 / 224)
    return len(inside) == 1


@fact("D.3", value="150,528", verdict="ours")
def values_of_one_enlarged_image():
    """Values of one enlarged image."""
    return 64 * 28 * 28 * 3 if 64 * 28 * 28 * 3 == 224 * 224 * 3 else 0


@fact("D.3", value="1,875", verdict="ours")
def distinct_training_images_that_remain():
    """Distinct training images that remain."""
    return len({64 * i % 60_000 for i in range(60_000)})


@fact("D.3", value="32", verdict="ours")
def labels_under_which_each_stands():
    """Labels under which each stands."""
    return 60_000 // len({64 * i % 60_000 for i in range(60_000)})


@fact("D.3", value="625", verdict="ours")
def distinct_test_images_that_remain():
    """Distinct test images that remain."""
    return len({64 * i % 10_000 for i in range(10_000)})


@fact("D.3", value="16", verdict="ours")
def labels_under_which_each_test_image_stands():
    """Labels under which each test image stands."""
    return 10_000 // len({64 * i % 10_000 for i in range(10_000)})


@fact("D.3", value="66", verdict="ours")
def images_that_hold_their_own_digit():
    """Images that hold their own digit."""
    return sum((i - 64 * i) % 60_000 < 64 for i in range(60_000))


@fact("D.3", value="19.3 %", verdict="ours")
def perfect_memory_of_the_training_images():
    """Perfect memory of the training images."""
    return printed("08-transfer-failures", "images learned by heart: ")


@fact("D.3", value="11.35 %", verdict="ours")
def the_best_constant_guess_on_the_test_images():
    """The best constant guess on the test images."""
    return printed("08-transfer-failures", "always the most frequent digit: ")


@fact("D.3", value="9.03 GB", verdict="ours")
def memory_of_the_arrays_training():
    """Memory of the arrays: training."""
    return 60_000 * 224 * 224 * 3


@fact("D.3", value="1.51 GB", verdict="ours")
def memory_of_the_arrays_test():
    """Memory of the arrays: test."""
    return 10_000 * 224 * 224 * 3


# D.4: The input normalisation and a rate for fine-tuning are missing there, too. The rest is ours.
@fact("D.4", value="89.1 %", verdict="ours", note="10,000 digits of 112 × 112, one run; it does not stay at ln 10")
def pretrained_vgg_16_on_10_000_digits_of_112_x_112_all():
    """Pretrained VGG-16, all trainable, Adam at 0.001, 313 steps: accuracy on 1,000 validation digits."""
    return mean("study-transfer-ladder/everything at 0.001", split="validation")


@fact("D.4", value="2.266", verdict="ours", note="one run; ln 10 is 2.303")
def the_same_on_1_000_digits_mean_training_loss_over_its_31():
    """The same on 1,000 digits: mean training loss over its 31 steps."""
    return mean("study-transfer-ladder/grid: right images, all at 0.001", "train_loss", epoch=-1, split="validation")


@fact("D.4", value="1.76", verdict="ours", note="one run; so the mean hides that it had begun to learn")
def the_same_after_these_steps_loss():
    """The same after these steps: loss on the validation digits."""
    return mean("study-transfer-ladder/grid: right images, all at 0.001", "loss", split="validation")


@fact("D.4", value="39.7 %", verdict="ours", note="one run")
def the_same_after_these_steps_accuracy():
    """The same after these steps: accuracy on the validation digits."""
    return mean("study-transfer-ladder/grid: right images, all at 0.001", split="validation")


@fact("D.4", value="0.02", verdict="ours", note="48,000 digits of 224 × 224, ten epochs, one run")
def vgg_16_without_pretrained_weights_all_trainable():
    """VGG-16 without pretrained weights, all trainable, Adam at 0.001: training loss at the end; ln 10 is 2.303."""
    return mean("study-vgg-vs-resnet/VGG-16", "train_loss", epoch=-1)


# D.5: The chapter's ladder, one bug at a time, and no transfer at all. All of it is ours.
@fact(
    "D.5",
    value="−0.15 points",
    verdict="ours",
    note="95 % t interval, five and three seeds: undecided. LeNet-5 took a twelfth of the seconds",
)
def a_lenet_from_scratch_less_the_right_sized_backbone_10_000():
    """A LeNet from scratch less the right-sized backbone (10,000 digits)."""
    return difference(
        "study-transfer-ladder/LeNet from scratch", "study-transfer-ladder/right-sized backbone", split="validation"
    )


@fact("D.5", verdict="ours")
def figures_of_each_bug_of_the_ladder_and_of_bugs_together():
    """Figures of each bug, of the ladder and of bugs together."""
    return figures(
        {
            "08-transfer-failures": [
                "transfer.batch_as_seen",
                "transfer.channel_pictures",
                "transfer.pixel_histogram",
                "transfer.weight_movement",
                "transfer.cut_curve",
                "transfer.statistics_drift",
                "transfer.ladder_errors",
                "transfer.grid_heatmap",
            ]
        }
    )


# D.6: What the document says of its snippets. They are run as they are written, with the refilled images of D.3.
@fact("D.6", source="low accuracy", verdict="partly", note=f"{SNIPPET}; all trainable, flat head")
def everything_trainable_on_refilled_images_ends_below_20_percent():
    """Everything trainable, on refilled images, ends below 20 %."""
    return mean("study-transfer-snippets/VGG-16, all trainable").value < 0.2


@fact("D.6", source="information is lost", verdict="corrected", ours="labels belong to other digits")
def reason_of_the_low_accuracy():
    """The reason of the low accuracy.

    Enlarging loses nothing (D.1). The snippet does not enlarge: it refills, and nearly all labels are those of other
    digits (D.3).
    """


@fact("D.6", source="it improves", verdict="differs", note=f"{SNIPPET}; averaged head")
def freezing_and_pooling_lift_the_accuracy_above_20_percent():
    """Freezing early layers and pooling lift the accuracy above 20 %.

    The labels belong to other digits (D.3), whatever is frozen. A guess that is always the same reads 11.35 %.
    """
    return mean("study-transfer-snippets/VGG-16, ten layers frozen").value > 0.2


@fact("D.6", source="improves, overfits less", verdict="differs", note=f"{SNIPPET}; nine of ten layers frozen")
def mobilenetv2_reads_more_than_a_constant_guess():
    """MobileNetV2 reads more than a fifth of the test images.

    It gets the same images under the same labels (D.3).
    """
    return mean("study-transfer-snippets/MobileNetV2, ten layers frozen").value > 0.2


# D.7: Early features, and low resolution.
@fact(
    "D.7",
    source="irrelevant",
    verdict="differs",
    note="500 digits, two frozen blocks at 64 × 64 with all places kept, each at the best of its rates, five draws",
)
def early_features_of_vgg_16_say_nothing_about_digits():
    """Early features of VGG-16 give a linear layer no more than the pixels do, or than untrained ones.

    They do, where the head sees every place of the maps: 2.0 ± 0.7 points more than blocks with random weights.
    Averaged maps give it less.
    """
    trained = "study-transfer-pays/two blocks, flat, 500 images"
    others = ("pixels, 500 images", "two blocks, random, flat, 500 images")
    leads = [difference(trained, f"study-transfer-pays/{other}") for other in others]
    return any(lead.value <= lead.spread for lead in leads)


@fact("D.7", source="it does", verdict="undecided", note="both frozen, 50 digits, three draws")
def mobilenetv2_suits_low_resolution_better_than_four_blocks_of():
    """MobileNetV2 suits low resolution better than four blocks of VGG-16."""
    return higher(
        "08-transfer-failures/MobileNetV2, frozen, 50 digits",
        "08-transfer-failures/four blocks of VGG-16, frozen, 50 digits",
        split="validation",
    )
