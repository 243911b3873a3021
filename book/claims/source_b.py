"""Source B, a concept note on VGG."""

import itertools

import torch
from torch import nn

from course_lib import analysis, data, models, training
from course_lib.records import studies
from course_tools.claims.ledger import fact
from course_tools.claims.measurements import difference, higher
from course_tools.claims.published import figures


# B.1: Second place at ILSVRC 2014 with a top-5 error of 7.3 %, behind GoogLeNet with 6.7 %.
@fact("B.1", source="7.3 %", verdict="explained", cite=["simonyan2015"])
def vgg_top_5_error_in_the_contest():
    """VGG, top-5 error in the contest.

    The submission to the contest of 2014, as the paper gives it.
    """


@fact("B.1", source="6.7 %", verdict="explained", cite=["szegedy2015"])
def googlenet_top_5_error_in_the_contest():
    """GoogLeNet, top-5 error in the contest.

    The winner of 2014, as its paper gives it.
    """


@fact("B.1", source="VGG-16's", verdict="corrected", ours="an ensemble's", cite=["simonyan2015"])
def with_7_3_percent_is_the_error_of_vgg_16():
    """7.3 % is the error of VGG-16.

    The submission averaged several networks. The paper gives 7.0 % for its best single one, from later, denser
    judging.
    """


# B.2: VGG-16 has 13 convolutions and 3 linear layers, VGG-19 has 16 and 3.
@fact("B.2", source="13", verdict="reproduced")
def convolutions_of_vgg_16():
    """Convolutions of VGG-16."""
    return sum(one != "M" for one in models.CONFIGURATIONS["D"])


@fact("B.2", source="16", verdict="reproduced")
def convolutions_of_vgg_19():
    """Convolutions of VGG-19."""
    return sum(one != "M" for one in models.CONFIGURATIONS["E"])


@fact("B.2", source="3", verdict="reproduced")
def linear_layers_of_both():
    """Linear layers of both."""
    return len([one for one in models.vgg19().classifier if isinstance(one, nn.Linear)])


@fact("B.2", source="in blocks 3, 4, 5", verdict="reproduced")
def where_vgg_19_has_one_convolution_more_than_vgg_16():
    """Where VGG-19 has one convolution more than VGG-16."""

    def blocks(letter):
        sizes = [0]
        for entry in models.CONFIGURATIONS[letter]:
            if entry == "M":
                sizes.append(0)
            else:
                sizes[-1] += 1
        return sizes[:-1]

    pairs = enumerate(zip(blocks("D"), blocks("E"), strict=False), 1)
    return f"in blocks {', '.join(str(number) for number, (d, e) in pairs if e > d)}"


# B.3: Two windows of 3 × 3 see 5 × 5, three see 7 × 7, with fewer parameters and more ReLUs.
@fact("B.3", source="5", verdict="reproduced")
def two_of_3_x_3_see():
    """Two of 3 × 3 see."""
    return (
        analysis.receptive_field(nn.Sequential(*[nn.Conv2d(1, 1, 3, padding=1) for _ in range(2)]), (1, 28, 28))[
            "receptive field"
        ]
        .iloc[-1]
        .item()
    )


@fact("B.3", source="7", verdict="reproduced")
def three_of_3_x_3_see():
    """Three of 3 × 3 see."""
    return (
        analysis.receptive_field(nn.Sequential(*[nn.Conv2d(1, 1, 3, padding=1) for _ in range(3)]), (1, 28, 28))[
            "receptive field"
        ]
        .iloc[-1]
        .item()
    )


@fact("B.3", source="27", verdict="reproduced")
def weights_of_three_3_x_3_in_c():
    """Weights of three 3 × 3, in C²."""
    C = 64
    return sum(nn.Conv2d(C, C, 3, bias=False).weight.numel() for _ in range(3)) // C**2


@fact("B.3", source="49", verdict="reproduced")
def weights_of_one_7_x_7_in_c():
    """Weights of one 7 × 7, in C²."""
    C = 64
    return nn.Conv2d(C, C, 7, bias=False).weight.numel() // C**2


# B.4: Channels go 64-128-256-512-512, the side goes 112-56-28-14-7.
@fact("B.4", source="112-56-28-14-7", verdict="reproduced")
def the_side_after_each_block():
    """The side after each block."""
    steps = analysis.trace(models.vgg16(), (3, 224, 224)).steps
    return "-".join(str(one.shape[1]) for one in steps if one.type == "MaxPool2d")


@fact("B.4", source="64-128-256-512-512", verdict="reproduced")
def the_channels_after_each_block():
    """The channels after each block."""
    steps = analysis.trace(models.vgg16(), (3, 224, 224)).steps
    return "-".join(str(one.shape[0]) for one in steps if one.type == "MaxPool2d")


@fact("B.4", source="they do", verdict="corrected", ours="block 5 stays at 512")
def the_channels_double_after_each_pool():
    """The channels double after each pool.

    They double three times, from 64 to 512. The last block has as many as the one before.
    """
    steps = analysis.trace(models.vgg16(), (3, 224, 224)).steps
    channels = [one.shape[0] for one in steps if one.type == "MaxPool2d"]
    print(channels)
    return all(later == 2 * earlier for earlier, later in itertools.pairwise(channels))


# B.5: VGG-16's parameters on ImageNet, where they are, and what memory they take.
@fact("B.5", source="138 M", verdict="reproduced")
def parameters_in_all():
    """Parameters in all."""
    return analysis.count_parameters(models.vgg16())


@fact("B.5", source="14.7 M", verdict="reproduced")
def parameters_of_the_convolutions():
    """Parameters of the convolutions."""
    return analysis.count_parameters(models.vgg16().features)


@fact("B.5", source="123 M", verdict="reproduced", band=1000000, note="123.6 M")
def parameters_of_the_linear_layers():
    """Parameters of the linear layers."""
    return analysis.count_parameters(models.vgg16().classifier)


@fact("B.5", source="102 M", verdict="corrected", ours="102.8 M")
def parameters_of_the_first_linear_layer():
    """Parameters of the first linear layer.

    It was cut off after the third digit, not rounded.
    """
    first = models.vgg16().classifier[0]
    inputs, units = first.in_features, first.out_features
    print(f"{inputs:,} × {units:,} + {units:,}")
    return analysis.count_parameters(first)


@fact("B.5", source="10.7 %", verdict="corrected")
def share_of_the_convolutions():
    """Share of the convolutions.

    The share was taken from numbers that had been rounded before.
    """
    count, network = analysis.count_parameters, models.vgg16()
    print(f"from rounded numbers: {14.7 / (14.7 + 123.0):.1%}")
    return count(network.features) / count(network)


@fact("B.5", source="89.3 %", verdict="corrected")
def share_of_the_linear_layers():
    """Share of the linear layers.

    It is the rest of 10.7 %, which is wrong.
    """
    count, network = analysis.count_parameters, models.vgg16()
    return count(network.classifier) / count(network)


@fact("B.5", source="500 MB", verdict="corrected")
def memory_of_the_weights():
    """Memory of the weights.

    Four bytes for each of 138,357,544 weights make more, and inference holds activations besides.
    """
    weights = 4 * analysis.count_parameters(models.vgg16())
    print(f"{weights / 1e6:.0f} MB, or {weights / 2**20:.0f} MiB")
    return weights


# B.6: Why depth shrinks gradients, and what was done about it.
@fact(
    "B.6", source="both", verdict="corrected", ours="from a trained shallower network", cite=["simonyan2015", "he2015"]
)
def vgg_was_initialised_as_xavier_glorot_and_kaiming_he_propose():
    """VGG was initialised as Xavier Glorot and Kaiming He propose.

    He's rule is of 2015, and VGG of 2014. Its authors trained the shallowest column first, and let its weights
    start the deeper ones; after their deadline they found that Glorot's rule does without.
    """


@fact("B.6", source="later", verdict="explained", cite=["ioffe2015"])
def batch_norm_came_later():
    """Batch norm came later.

    Inputs normalised in each layer, higher learning rates, better flow of gradients: the paper is of 2015.
    """


@fact(
    "B.6",
    source="they do",
    verdict="partly",
    note="first layer's gradient over the last's, 34 layers at a quarter of the width, before training; 2.8e-14 "
    "without skips, 2.2e-02 with them",
    ours="they can, where there is no batch norm",
)
def skips_cure_vanishing_gradients():
    """Skips cure vanishing gradients."""
    with torch.device("cpu"):
        photos = data.load("cifar10", size="sample").train
        images, labels = photos.normalize(photos.images[:8]), photos.labels[:8]

        def first_over_last(build):
            training.set_seed(0)
            network = build(10, width=0.25, stem="cifar")
            for parent in list(network.modules()):
                for name, layer in list(parent.named_children()):
                    if isinstance(layer, nn.BatchNorm2d):
                        setattr(parent, name, nn.Identity())
                    elif isinstance(layer, nn.Conv2d | nn.Linear):
                        layer.reset_parameters()
            seen = analysis.signals(network, images, labels)["gradient rms"]
            seen = seen[~seen.index.str.contains("downsample")]
            return float(seen.iloc[0] / seen.drop("fc").iloc[-1])

        plain, skips = first_over_last(models.plain34), first_over_last(models.resnet34)
    return plain < 1e-9 and skips > 1e6 * plain


@fact("B.6", source="vanishing gradients", verdict="explained", cite=["he2016"])
def what_skips_were_invented_for():
    """What skips were invented for.

    The paper argues that batch norm had already brought the gradients through, and names another trouble,
    degradation. Chapter 6 measures both: with batch norm the plain network's gradients are there, and it trains
    worse all the same.
    """


@fact(
    "B.6",
    source="degradation",
    verdict="partly",
    note="an eighth of the width, 10,000 photographs, 20 epochs, batch norm and He's weights in all",
)
def the_deeper_plain_network_ends_at_a_higher_training_loss():
    """The deeper plain network ends at a higher training loss: 34 layers, 18 layers."""
    return _ends_higher("34 layers, plain", "18 layers, plain")


@fact(
    "B.6",
    source="it does",
    verdict="partly",
    note="an eighth of the width, 10,000 photographs, 20 epochs, batch norm and He's weights in all",
)
def with_skips_it_ends_at_a_lower_one_than_without():
    """With skips it ends at a lower one than without."""
    return _ends_higher("34 layers, plain", "34 layers, skips")


@fact(
    "B.6",
    source="it does",
    verdict="differs",
    note="an eighth of the width, 10,000 photographs, 20 epochs, batch norm and He's weights in all",
)
def the_papers_answer_resnet_34_ends_lower_than_resnet_18():
    """The paper's answer: ResNet-34 ends lower than ResNet-18.

    The paper's networks are eight times as wide, and learn from all of ImageNet.
    """
    return _ends_higher("18 layers, skips", "34 layers, skips")


def _ends_higher(higher_one: str, lower_one: str):
    """Whether the training loss of the last epoch is higher, by the study ``skip-and-norm``, with batch norm."""
    runs = [f"study-skip-and-norm/{name}, batch norm" for name in (higher_one, lower_one)]
    return higher(*runs, measure="train_loss", epoch=-1, split="validation")


# B.7: Very deep plain networks train badly and slowly; VGG, which has no skips, cannot go much deeper, for gradients
# would not flow through 50 layers and more.
@fact("B.7", source="can't go much deeper", verdict="explained", cite=["simonyan2015"])
def vgg_stops_at_19_layers_and_has_no_skips():
    """VGG stops at 19 layers, and has no skips.

    The paper's error stops falling there. It says nothing of a wall.
    """


@fact(
    "B.7",
    source="very deep ones train badly",
    verdict="partly",
    note="an eighth of the width, 10,000 photographs, 20 epochs, batch norm and He's weights in all",
)
def with_34_plain_layers_train_worse_than_18():
    """34 plain layers train worse than 18."""
    return _ends_higher("34 layers, plain", "18 layers, plain")


@fact(
    "B.7",
    source="gradient flow prevents 50 layers and more",
    verdict="partly",
    note="the paper's networks for small images at half of their width, 10,000 photographs, 16 epochs, batch norm",
)
def with_56_plain_layers_train_worse_than_20():
    """56 plain layers train worse than 20.

    They do, but not because gradients do not flow: with batch norm the first layers of a plain network get more than
    the last (chapter 6).
    """
    return _ends_higher("56 layers, plain", "20 layers, plain")


# B.8: Keep the blocks, replace the head. VGG made 3 × 3 the norm; it is large, dear, and narrow at its head.
@fact("B.8", source="the standard recipe", verdict="explained", cite=["simonyan2015"])
def transfer_by_a_new_head():
    """Transfer by a new head.

    The paper's appendix already takes the blocks as they are and trains a new head for other data. Chapter 8 is
    about how that fails.
    """


@fact(
    "B.8",
    source="large and dear",
    verdict="reproduced",
    ours="over five times ResNet-50's parameters and three times its work",
)
def against_it_computing_size_the_head_depth():
    """Against it: computing, size, the head, depth."""
    return analysis.count_parameters(models.vgg16()) > 5 * analysis.count_parameters(
        models.resnet50()
    ) and analysis.count_multiply_adds(models.vgg16(), (3, 224, 224)) > 3 * analysis.count_multiply_adds(
        models.resnet50(), (3, 224, 224)
    )


# B.9: ResNet superseded it, with skips, in 50, 101 and 152 layers, and about 25 million parameters in ResNet-50.
@fact("B.9", source="25 million", verdict="reproduced", band=1000000)
def parameters_of_resnet_50():
    """Parameters of ResNet-50."""
    return analysis.count_parameters(models.resnet50())


@fact("B.9", source="lower", verdict="explained", cite=["he2016"])
def lower_error_with_up_to_152_layers():
    """Lower error with up to 152 layers.

    The paper's tables 3 to 5. The winner of 2015 had an error of 3.57 % in five guesses.
    """


# B.10: VGG is still used for transfer learning, for teaching, and for style transfer.
@fact("B.10", source="for style transfer", verdict="explained", cite=["gatys2015"])
def still_used():
    """Still used.

    The paper takes VGG's maps as a measure of what two images have in common.
    """


# B.11: Where Inception, ResNet, EfficientNet and MobileNet stand beside VGG.
@fact("B.11", source="a descendant", verdict="corrected", ours="of the same year", cite=["szegedy2015"])
def inception_is_a_descendant_of_vgg():
    """Inception is a descendant of VGG.

    Both were made for the contest of 2014, independently, and Inception won it.
    """


@fact(
    "B.11",
    source="skips; depth, width and resolution; mobile",
    verdict="explained",
    cite=["he2016", "tan2019", "howard2017"],
)
def resnet_efficientnet_mobilenet():
    """ResNet, EfficientNet, MobileNet.

    Each in its own paper. Chapter 6 has the map.
    """


# B.12: Diagrams of the stack, of windows, of channels, of parameters, and of gradients.
@fact("B.12", source="five", verdict="reproduced")
def the_five_diagrams():
    """The five diagrams."""
    return figures(
        {
            "04-vgg": [
                "plots.architecture_drawing",
                "plots.window_comparison",
                "plots.channel_progression",
                "plots.parameter_pie",
            ],
            "06-resnet": ["plots.signal_chain"],
        }
    )


# B.13: The note's headline. Depth matters: 16 to 19 layers of 3 × 3 beat shallower networks with larger filters.
_DEPTH = "a quarter of the width, 32 × 32, 14,000 images, 15 epochs, each at its best of five rates"


@fact("B.13", source="deeper is better", verdict="differs", note=_DEPTH)
def vgg_16_is_better_than_vgg8():
    """VGG-16 is better than VGG8.

    It fits its training images less well, too. Chapter 4 says what is small in this experiment.
    """
    return higher("study-depth/VGG-16", "study-depth/VGG8")


@fact("B.13", source="deeper is better", verdict="differs", note=_DEPTH)
def vgg_16_is_better_than_vgg8_with_batch_norm():
    """VGG-16 is better than VGG8, both with batch norm.

    See the row above.
    """
    return higher("study-depth/VGG-16, batch norm", "study-depth/VGG8, batch norm")


@fact("B.13", source="small ones are better", verdict="undecided", note=_DEPTH)
def two_windows_of_3_x_3_are_better_than_one_of_5_x_5():
    """VGG-13 is better than a network with one 5 × 5 in the place of each pair of its 3 × 3."""
    return higher("study-depth/VGG-13", "study-depth/wide windows")


@fact("B.13", source="small ones are better", verdict="undecided", note=_DEPTH)
def two_windows_of_3_x_3_are_better_than_one_of_5_x_5_with_batch_norm():
    """The same, with batch norm."""
    return higher("study-depth/VGG-13, batch norm", "study-depth/wide windows, batch norm")


@fact(
    "B.13",
    source="small ones in stacks are better",
    verdict="partly",
    note="a small network on 8,000 images of 32 × 32; the stack has three batch norms for one: see our own row",
)
def three_windows_of_3_x_3_are_better_than_one_of_7_x_7():
    """Three windows of 3 × 3 are better than one of 7 × 7."""
    return higher("study-vgg-trials/three 3×3", "study-vgg-trials/one 7×7")


@fact("B.13", value="−1.7 points", verdict="ours", note="a small network on 8,000 images of 32 × 32")
def the_stack_with_one_batch_norm_less_one_of_7_x_7():
    """Three windows of 3 × 3 with one batch norm less one of 7 × 7, which has one."""
    return difference("study-vgg-trials/three 3×3, one batch norm", "study-vgg-trials/one 7×7")


# B.14: What batch norm does. It "reduces internal covariate shift" and "allows higher learning rates".
@fact(
    "B.14",
    source="it does",
    verdict="corrected",
    ours="disputed: networks with more shift train as well",
    cite=["ioffe2015", "santurkar2018"],
)
def batch_norm_works_by_reducing_internal_covariate_shift():
    """Batch norm works by reducing internal covariate shift.

    That was the first explanation. Later, noise was added behind each batch norm, so that the distributions shifted
    more than without any, and the networks trained as fast. The later paper finds a smoother loss instead.
    """


_VGG8 = "VGG8, a quarter of the width, 8,000 images, 4 epochs, five rates a factor of 4 apart"


@fact("B.14", source="it does", verdict="differs", note=_VGG8)
def batch_norm_allows_higher_rates():
    """Batch norm allows higher rates: the best of five rates is higher with it than without.

    It helps at each rate at which either learns, and at 0.128 neither does.
    """
    runs = studies.table("vgg8")
    means = runs[runs["name"].str.contains(" at ")].groupby("name")["accuracy"].mean()
    best = {kind: means[means.index.str.startswith(kind)].idxmax() for kind in ("no norm", "batch norm")}
    rate = {kind: float(name.removeprefix(f"{kind} at ")) for kind, name in best.items()}
    print(means.map("{:.1%}".format).to_string())
    return rate["batch norm"] > rate["no norm"]


# B.15: Doubling the channels after each pool keeps the computation balanced.
@fact("B.15", source="balanced", verdict="reproduced", note="second convolution of a block; block 5 has a quarter")
def doubling_channels_keeps_the_cost_of_a_convolution():
    """Doubling the channels after each pool keeps the cost of a convolution."""
    table = analysis.layer_table(models.vgg16(), (3, 224, 224)).drop(index="total")
    convolutions = table[table["type"] == "Conv2d"]["multiply-adds"].tolist()
    second_of_each_block = [convolutions[place] for place in (1, 3, 5, 8, 11)]
    print([f"{work / 1e9:.2f} billion" for work in second_of_each_block])
    return len(set(second_of_each_block[:4])) == 1 and second_of_each_block[4] * 4 == second_of_each_block[3]
