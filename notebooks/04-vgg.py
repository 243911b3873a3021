# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 4 · VGG
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/convnets-measured/convnets-measured/blob/main/notebooks/04-vgg.ipynb)
#
# What if a network is built from one small block, again and again?
#
# AlexNet's windows are 11, 5 and 3 pixels wide, and its strides are 4 and 1. Somebody chose each of these
# numbers <!-- claim: E.1 -->. In 2014 two researchers in Oxford fixed nearly all of them: convolutions are 3 × 3 with a
# stride of 1, and every pool halves the side <!-- claim: A.2 -->. (One of their networks, configuration C, has three
# windows of 1 × 1 as well.) One number was left to study, the depth. The networks are called VGG, after their group
# ([Simonyan and Zisserman, 2014](https://arxiv.org/abs/1409.1556)).
#
# We read VGG-16 from a list of numbers, and ask where its parameters are, where its work is, and where its memory
# goes: these are three different places. Then we test its main idea by experiment, and train a small VGG on colour
# photographs.
#
# > **What you will be able to do.**
# > Each goal is answered by the cell whose first line has its number.
# >
# > 1. Read a network from a list of numbers.
# > 2. Say where VGG-16 keeps its parameters, and find the misprints about them.
# > 3. Say where its work is, and compare it with AlexNet number by number.
# > 4. Show what three small windows see together, and what they cost.
# > 5. Test by experiment whether small windows are better.
# > 6. Estimate the memory of a training step before it runs out.
# > 7. Measure what a large head costs.
# > 8. Train a small VGG on CIFAR-10, and report it in full.
# > 9. Keep the blocks, and replace the head.

# %% [markdown]
# > **Time and memory.**
# > The whole notebook, with every exercise's solution:
# >
# > | profile | data | on | time | memory |
# > |---|---|---|---|---|
# > | `quick` | a few hundred of the photographs in the package | two CPU cores | half a minute | 0.9 GB |
# > | `cpu` | all 60,000 | two CPU cores | 18 min <!-- claim: vgg-time --> | 3.6 GB <!-- claim: vgg-memory --> |
# > | `full` | all 60,000 | one GPU | not measured yet | not measured yet |
# >
# > The time in `cpu` was taken while other programs ran on the same machine.

# %% [markdown]
# ## Setting up
#
# In Colab the first cell installs the course's library. Anywhere else it does nothing.

# %% tags=["install"]
import sys

if "google.colab" in sys.modules:
    address = "git+https://github.com/convnets-measured/convnets-measured"
    get_ipython().run_line_magic("pip", f"install --quiet {address}")

# %% [markdown]
# Want data and checkpoints to survive a disconnect? Mount your drive and set `COURSE_HOME` before you load the data,
# as in chapter 1.

# %% tags=["parameters"]
PROFILE = "auto"

# %%
import functools

import pandas as pd
import torch
from course_lib import analysis, data, live, models, plots, records, training
from course_lib.profiles import resolve_profile
from torch import nn

profile = resolve_profile(PROFILE)
sizes = {
    "quick": {"data": "sample", "epochs": 2, "width": 0.25, "seeds": 1},
    "cpu": {"data": "full", "epochs": 10, "width": 1.0, "seeds": 1},
    "full": {"data": "full", "epochs": 20, "width": 1.0, "seeds": 3},
}[profile]
trials = {  # the experiments on the side: fewer images, narrow networks
    "quick": {"images": 128, "epochs": 1, "seeds": 2},
    "cpu": {"images": 8_000, "epochs": 4, "seeds": 3},
    "full": {"images": 20_000, "epochs": 8, "seeds": 5},
}[profile]
photos = data.load("cifar10", size=sizes["data"])
if profile == "quick":
    photos = photos.part(256)  # enough to see that the code works
print(f"profile {profile}: {sizes['epochs']} epochs for the main network")
print("trains on", training.describe_device(training.best_device()))
photos

# %% [markdown]
# CIFAR-10 holds 60,000 colour photographs of 32 × 32 pixels in ten classes
# ([Krizhevsky, 2009](https://www.cs.toronto.edu/~kriz/learning-features-2009-TR.pdf)). 50,000 are for training, and
# we set 5,000 of those apart for validation. The test set stays sealed until the end.

# %%
plots.image_grid(photos.train, range(16))

# %% [markdown]
# ## One block, again and again
#
# What is a VGG block? Some convolutions of 3 × 3, each with a rim of one zero, so that the map keeps its side, and
# each followed by ReLU. Then one max-pool of 2 × 2 with a stride of 2, which halves height and width. That is
# all <!-- claim: A.2 -->.
#
# So a whole network can be written as a list. A number is a convolution with so many maps, and `M` is a max-pool.

# %% tags=["nbval-check-output"]
# Goal 1: networks, read from lists
for letter in "ADE":
    print(letter, *models.CONFIGURATIONS[letter])

# %% [markdown]
# The letters are those of the paper's table. A has 8 <!-- claim: vgg11-convolutions --> convolutions, D has
# 13 <!-- claim: B.2 -->, and E has 16 <!-- claim: B.2 -->. Three linear layers follow in each. Layers with weights give
# the names: VGG-11, VGG-16, VGG-19.
#
# This is the class that reads such a list.

# %%
analysis.Source(models.VGG)

# %% [markdown]
# Now we build VGG-16. It has 138 million parameters <!-- claim: B.5 -->, and we want to look at it, not to run it. So
# we build it on torch's `meta` device. There a tensor has a shape, but no numbers, and takes no memory. All our
# instruments for shapes and counts work on it.


# %%
def on_paper(build, **options):
    """Build a network that has shapes and no numbers."""
    with torch.device("meta"):
        return build(**options)


image = (3, 224, 224)  # what VGG-16 was made for
vgg16 = on_paper(models.vgg16)
plots.architecture_drawing(vgg16, image, title="VGG-16")

# %% [markdown]
# Five blocks, one after the other, then the *head*: the linear layers at the end. The drawing groups layers by the side
# of their maps, so each pool, which ends a block, stands at the front of the next group. One block alone, the third,
# looks like this: three convolutions, one pool.

# %%
third_block = vgg16.features[10:17]
plots.architecture_drawing(third_block, (128, 56, 56), title="Block 3")

# %% [markdown]
# What happens from block to block? Two things, in step.

# %%
plots.channel_progression(vgg16, image)

# %% [markdown]
# The side halves at each pool <!-- claim: B.4 -->: 112, 56, 28, 14, 7. The number of maps doubles <!-- claim: B.4 -->:
# 64, 128, 256, 512. Why double? A map of half the side has a quarter of the places. A convolution from twice as many
# maps to twice as many has four times the weights. The two cancel: the last convolution of a block works just as hard
# as that of the block before <!-- claim: vgg16-work-of-blocks -->.
#
# It is often written that the maps double after *each* pool. <!-- claim: B.4 --> They do not: block 5 stays at 512.
# Look at the list.

# %% tags=["nbval-check-output"]
table = analysis.layer_table(vgg16, image)
block = (table["type"] == "MaxPool2d").cumsum() + 1
convolutions = table[table["type"] == "Conv2d"]
last_of_block = convolutions.groupby(block[convolutions.index]).last()
last_of_block = last_of_block[["output shape", "multiply-adds"]]
last_of_block = last_of_block.rename_axis("block")
last_of_block.map(lambda n: f"{n:,}" if isinstance(n, int) else n)

# %% [markdown]
# The last convolutions of blocks 1 to 4 cost the same, to the digit. The fifth costs a quarter of it, for its maps
# shrink and do not double <!-- claim: vgg16-work-of-blocks -->.
#
# And VGG-19? You may read that it has one more convolution in each block. Is that all five of them? Count.

# %% tags=["nbval-check-output"]
vgg19 = on_paper(models.vgg19)


def convolutions_of_blocks(network):
    kinds = [type(layer) for layer in network.features]
    ends = [place for place, kind in enumerate(kinds) if kind is nn.MaxPool2d]
    starts = [0, *ends[:-1]]
    return [
        kinds[start:end].count(nn.Conv2d)
        for start, end in zip(starts, ends, strict=True)
    ]


print("VGG-16", convolutions_of_blocks(vgg16))
print("VGG-19", convolutions_of_blocks(vgg19))
print(f"VGG-19 has {analysis.count_parameters(vgg19):,} parameters")
assert convolutions_of_blocks(vgg19) == [2, 2, 4, 4, 4]
assert analysis.count_parameters(vgg19) == 143_667_240

# %% [markdown]
# The extra ones are in blocks 3, 4 and 5 only. <!-- claim: B.2 --> The total of 16 <!-- claim: B.2 --> convolutions is
# right, and "each block" means each of these three.

# %% [markdown]
# ## Where the parameters are
#
# Here is the whole network as a table, without its ReLUs and dropouts.

# %% tags=["nbval-check-output"]
kinds = ["Conv2d", "MaxPool2d", "Linear"]
rows = table.loc[
    table["type"].isin(kinds), ["type", "output shape", "parameters"]
]
rows.assign(parameters=rows["parameters"].map("{:,}".format))

# %% [markdown]
# 13 convolutions and 3 linear layers <!-- claim: B.2 -->. Which of the two groups holds more parameters? Guess a share
# before you look on.

# %% tags=["nbval-check-output"]
# Goal 2: where the parameters are
parameters = table.groupby("type")["parameters"].sum()
first_linear = table.loc["classifier.0", "parameters"]
total = table.loc["total", "parameters"]
for name, count in {
    "13 convolutions": parameters["Conv2d"],
    "3 linear layers": parameters["Linear"],
    "first linear layer": first_linear,
    "all": total,
}.items():
    print(f"{name:18} {count:>11,}  {count / total:.1%}")
assert total == 138_357_544

# %%
plots.parameter_pie(table)

# %% [markdown]
# Nine of ten parameters are in the head, and most of those in one single layer <!-- claim: vgg16-head-share -->. Why?
# Block 5 hands on 512 maps of 7 × 7, which are 25,088 <!-- claim: A.5 --> numbers. The first linear layer joins each of
# them with each of 4,096 units. It is the perceptron's disease again, in its severe form.
#
# You may read that the head's first layer has 102 M <!-- claim: B.5 --> parameters, and that the shares are
# 10.7 % <!-- claim: B.5 --> and 89.3 % <!-- claim: B.5 -->. Both are a little off. Where does the first share come
# from? From dividing numbers that were rounded before.

# %% tags=["nbval-check-output"]
print(f"first linear layer: 25,088 · 4,096 + 4,096 = {first_linear:,}")
print(f"rounded first: 14.7 / 138 = {14.7 / 138:.1%}")
print(f"rounded last: {parameters['Conv2d'] / total:.1%}")
megabytes, mebibytes = total * 4 / 1e6, total * 4 / 2**20
print(f"weights in float32: {megabytes:.0f} MB, or {mebibytes:.0f} MiB")
assert first_linear == 25_088 * 4_096 + 4_096 == 102_764_544

# %% [markdown]
# So 102.8 M <!-- claim: B.5 -->, and 10.6 % <!-- claim: B.5 --> against 89.4 % <!-- claim: B.5 -->. The last line
# corrects a third number: "about 500 MB" <!-- claim: B.5 --> to run the network. A float32 takes four bytes, so the
# weights *alone* take 553 MB <!-- claim: B.5 -->. The feature maps come on top.
#
# VGG-16 is sometimes built for digits: one grey channel, ten classes. You may read that it then has
# 134,301,514 <!-- claim: A.5 --> parameters. Is that right? Only two layers differ from the network above: the first
# and the last.

# %% tags=["nbval-check-output"]
print("convolutions, block by block, for 3 channels:")
by_block = convolutions["parameters"].groupby(block[convolutions.index])
print(" + ".join(f"{count:,}" for count in by_block.sum()))
for channels in (3, 1):
    digits_vgg = on_paper(models.vgg16, num_classes=10, in_channels=channels)
    counts = analysis.layer_table(digits_vgg, (channels, 224, 224))
    by_kind = counts.groupby("type")["parameters"].sum()
    print(
        f"{channels} channels: first convolution"
        f" {counts['parameters'].iloc[0]:,}, convolutions"
        f" {by_kind['Conv2d']:,}, linear {by_kind['Linear']:,},"
        f" all {counts.loc['total', 'parameters']:,}"
    )
assert counts.loc["total", "parameters"] == 134_300_362

# %% [markdown]
# That total is the one for *three* channels. A first convolution that reads one channel has 64 · (9 + 1) =
# 640 parameters <!-- claim: vgg16-first-grey-parameters -->, not 64 · (27 + 1) =
# 1,792 <!-- claim: vgg16-first-colour-parameters -->. With it, the sum is 134,300,362 <!-- claim: A.5 -->. The difference,
# 1,152 <!-- claim: vgg16-grey-saves --> in 134 million <!-- claim: A.5 -->, is of no importance for anything. But a
# count is either right or wrong, and this one takes a line to check.

# %% [markdown]
# ## Where the work is
#
# Parameters are what a network stores. Multiplications, each with its addition, are what it does. Are they in the
# same place?

# %%
# Goal 3a: where the work is
plots.layer_bars(table)

# %% [markdown]
# No. One image costs 15.5 billion <!-- claim: vgg16-multiply-adds --> *multiply-adds*, and
# 99 % <!-- claim: vgg16-work-in-convolutions --> of them are in the convolutions. A linear layer uses each weight once.
# A convolution uses each weight at every place of its map: in the first block, 224 · 224 = 50,176 times.
#
# So "large" has two meanings. The head makes VGG-16 heavy to store and to send. The blocks make it slow. If you want it
# smaller, cut the head. If you want it faster, cut elsewhere.
#
# How does it compare with AlexNet? We take the form of the 2012 paper, split over two GPUs
# ([Krizhevsky et al., 2012](https://papers.nips.cc/paper_files/paper/2012/hash/c399862d3b9d6b76c8436e924a68c45b-Abstract.html)).
# Every entry is read from the live networks.


# %% tags=["nbval-check-output"]
# Goal 3b: AlexNet and VGG, number by number
def different(numbers):
    return ", ".join(str(number) for number in sorted(set(numbers)))


def facts(network):
    table = analysis.layer_table(network, image)
    layers, total = table["type"].value_counts(), table.loc["total"]
    head = table.loc[table["type"] == "Linear", "parameters"].sum()
    windows = analysis.receptive_field(network, image)
    convolutions = windows[windows["type"] == "Conv2d"]
    pools = windows[windows["type"] == "MaxPool2d"]
    return {
        "convolutions": layers["Conv2d"],
        "linear layers": layers["Linear"],
        "depth": layers["Conv2d"] + layers["Linear"],
        "windows of convolutions": different(convolutions["window"]),
        "strides of convolutions": different(convolutions["stride"]),
        "window and stride of pools": different(
            pools["window"].map(str) + " / " + pools["stride"].map(str)
        ),
        "dropouts": layers["Dropout"],
        "response normalisations": layers.get("LocalResponseNorm", 0),
        "parameters": f"{total['parameters']:,}",
        "of them in linear layers": f"{head / total['parameters']:.1%}",
        "multiply-adds": f"{total['multiply-adds']:,}",
    }


alexnet = on_paper(models.alexnet, form="2012", groups=2)
networks = {"AlexNet": alexnet, "VGG-16": vgg16, "VGG-19": vgg19}
pd.DataFrame({name: facts(network) for name, network in networks.items()})

# %%
plots.share_bars(
    {
        name: analysis.layer_table(network, image)
        for name, network in networks.items()
    }
)

# %% [markdown]
# AlexNet mixes windows of 11, 5 and 3, VGG has one kind. AlexNet's pools overlap, windows of 3 with a stride of 2,
# VGG's do not. <!-- claim: E.2 --> VGG-16 has little more than twice the parameters, and over twenty times the
# work <!-- claim: vgg16-against-alexnet -->. From VGG-16 to VGG-19 it is mostly work that
# grows <!-- claim: vgg19-against-vgg16 -->.
#
# Is that well spent? For that one must know what it buys. The VGG paper's table 7 gives single networks' top-5 errors
# on ImageNet's validation images: 18.2 % <!-- claim: alexnet-top5-of-one --> for AlexNet,
# 7.1 % <!-- claim: vgg-top5-validation --> for VGG. (Top-5 error: the right class is not among the five with the
# largest logits.) And VGG-19 is little better than VGG-16: 8.0 % <!-- claim: vgg19-top5-one-size --> against
# 8.1 % <!-- claim: vgg16-top5-one-size --> in table 3, where both see each image at one size.
#
# Comparisons often call AlexNet's use of its parameters moderate, and VGG's poor <!-- claim: E.2 -->. The row of shares
# does not show it: in VGG-16 nine of ten are in the head, in AlexNet even more <!-- claim: alexnet-head-share -->.

# %% [markdown]
# ## Why three small windows
#
# What does VGG lose by giving up large windows? Think of the *receptive field*. A unit of a 3 × 3 convolution sees
# three pixels along a side. A second convolution on top adds two pixels, and a third adds two more. Three of them see
# 7 × 7, as one large window does. <!-- claim: B.3 -->

# %%
plots.window_comparison()

# %% [markdown]
# And what do they cost, from $C$ maps to $C$ maps? Each 3 × 3 has $9 C^2$ weights, so three have $27 C^2$. One 7 × 7
# has $49 C^2$. We check both claims, with $C = 64$.

# %% tags=["nbval-check-output"]
# Goal 4: three small windows against one large
C = 64
small = nn.Sequential(
    *[nn.Conv2d(C, C, 3, padding=1, bias=False) for _ in range(3)]
)
large = nn.Conv2d(C, C, 7, padding=3, bias=False)
for name, layers in {"three of 3×3": small, "one of 7×7": large}.items():
    field = analysis.receptive_field(nn.Sequential(layers))
    side = field["receptive field"].iloc[-1]
    weights = analysis.count_parameters(layers)
    print(f"{name}: sees {side}×{side}, {weights:,} = {weights // C**2} C²")
assert analysis.count_parameters(small) == 27 * C**2
assert analysis.count_parameters(large) == 49 * C**2

# %% [markdown]
# The same view for 55 % <!-- claim: three-small-windows-weights --> of the weights. And between the small ones there is
# room for two more ReLUs: the stack can bend where a single convolution is straight.
#
# How fast does the view grow in whole networks? Here are AlexNet and VGG-16, layer by layer, pools included.

# %%
growth = {
    name: analysis.receptive_field(networks[name], image)
    for name in ("AlexNet", "VGG-16")
}
plots.receptive_growth(growth, image_side=224)

# %% tags=["nbval-check-output"]
for name, fields in growth.items():
    seen = fields["receptive field"]
    print(
        f"{name}: {seen.iloc[7]} after 8 layers, {seen.iloc[-1]} at the end"
    )
narrow = models.vgg16(width=1 / 64)  # the same windows, few maps
by_gradient = analysis.receptive_field_by_gradient(narrow.features)
print(f"VGG-16, measured with a gradient: {by_gradient}")
assert growth["AlexNet"]["receptive field"].iloc[-1] == 195
assert growth["VGG-16"]["receptive field"].iloc[-1] == by_gradient == 212

# %% [markdown]
# VGG's view grows more slowly, layer for layer. <!-- claim: E.3 --> It needs 18 <!-- claim: vgg16-layers-that-see -->
# layers for what AlexNet does in 8 <!-- claim: alexnet-layers-that-see -->. But it arrives at about the same place:
# 212 <!-- claim: E.3 --> pixels against 195 <!-- claim: E.3 -->, nearly the whole side of the image. Depth is how small
# windows see far. Inside that square, though, the pixels in the middle count far more than those at its rim
# ([Luo et al., 2016](https://arxiv.org/abs/1701.04128)): choose a late layer, and look at the shade.

# %% tags=["drawn"]
live.receptive_fields(["VGG-16", "AlexNet"], "VGG-16")

# %% [markdown]
# ## Does it pay?
#
# Fewer weights and more ReLUs are arguments. Is the network better? We test it, with two networks that differ in their
# stages only. Both have one first convolution, and then two stages, each with the same view of 7 × 7 on its input. In
# one network a stage is a single 7 × 7 convolution, in the other it is three of 3 × 3.
#
# If the stack wins, which of its two advantages was it? A third network tells: three of 3 × 3 again, but no ReLU
# between them. Once trained, such a stage is one weighted sum over 7 × 7 places (but for the rim, where padding comes
# in between), and then a ReLU. It has the small ones' weights, without their bends.
#
# Each convolution is followed by *batch norm*, which makes training less touchy ([Ioffe and Szegedy,
# 2015](https://arxiv.org/abs/1502.03167)): it brings each map to mean 0 and spread 1 over the batch, then multiplies it
# with one learned number and adds another. So the networks differ in one thing more. A stack has three batch norms
# where the 7 × 7 has one.


# %%
def layer(before, after, window, relu=True):
    convolution = nn.Conv2d(before, after, window, padding=window // 2)
    bend = [nn.ReLU(inplace=True)] if relu else []
    return nn.Sequential(convolution, nn.BatchNorm2d(after), *bend)


stages = {
    "one 7×7": lambda C: [layer(C, C, 7)],
    "three 3×3": lambda C: [layer(C, C, 3) for _ in range(3)],
    "three 3×3, no ReLU between": lambda C: [
        *(layer(C, C, 3, relu=False) for _ in range(2)),
        layer(C, C, 3),
    ],
}


def small_network(stage, C=32):
    return nn.Sequential(
        *(layer(3, C, 3), nn.MaxPool2d(2)),
        *(*stage(C), nn.MaxPool2d(2)),
        *stage(C),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(C, 10)),
    )


# %% tags=["nbval-check-output"]
costs = {}
for name, stage in stages.items():
    network = small_network(stage)
    work = analysis.count_multiply_adds(network, (3, 32, 32))
    costs[name] = {
        "parameters": f"{analysis.count_parameters(network):,}",
        "multiply-adds": f"{work:,}",
        "sees": analysis.receptive_field(network)["receptive field"].iloc[-1],
    }
pd.DataFrame(costs).T

# %% [markdown]
# Write down your guess. If only the view counts, all three end level. If weights count, the 7 × 7 wins, for it has
# nearly twice as many <!-- claim: window-networks-weights -->. If the ReLUs count, the second beats the third.
#
# We train on a part of the images, with several seeds, and judge on validation. A learning rate that suits one
# network may harm another, so each gets two. `precision="auto"` computes with short numbers where the machine is
# built for them, as in chapter 3.

# %%
few = photos.train.select(range(trials["images"]))


def try_out(name, build, seed, rate):
    """Train once on few images, judge on validation, leave a record."""
    training.set_seed(seed)
    network = build()
    history = training.fit(
        network,
        few,
        epochs=trials["epochs"],
        learning_rate=rate,
        schedule=training.one_cycle,
        precision="auto",
        seed=seed,
        show=False,
    )
    answers = training.predict(network, photos.val)
    training.record(name, history, answers, photos, split="validation")
    return {
        "model": name,
        "training images": len(few),
        "epochs": trials["epochs"],
        "judged on": "validation",
        "accuracy": answers.accuracy,
        "seconds": history.seconds,
    }


# %%
tried = []
for name, stage in stages.items():
    for rate in (0.003, 0.01):
        for seed in range(trials["seeds"]):
            build = functools.partial(small_network, stage)
            tried.append(try_out(f"{name}, rate {rate}", build, seed, rate))
    print(f"{name}: done")


# %%
# Goal 5: do small windows pay?
def summary(rows):
    """One row a model: how it was trained, mean accuracy, spread, time."""
    runs = pd.DataFrame(rows).groupby("model", sort=False)
    result = runs[["training images", "epochs", "judged on"]].first()
    result["seeds"] = runs.size()
    result["accuracy"] = runs["accuracy"].mean().map("{:.1%}".format)
    spread = runs["accuracy"].std().map("± {:.1%}".format)
    result["spread"] = spread.where(result["seeds"] > 1, "one seed")
    result["seconds"] = runs["seconds"].mean().map("{:.1f}".format)
    return result


summary(tried)

# %% [markdown]
# A difference counts in this book if its 95 % t interval leaves zero out, with runs paired by seed where both
# sides have the same seeds. (In the `quick` profile nothing can be compared: the images are too few, and the epochs too
# short.) At its better rate each network reached:
#
# - three 3 × 3: 56.5 ± 1.5 % <!-- claim: stack-of-three -->,
# - one 7 × 7: 55.8 ± 0.8 % <!-- claim: one-large-window -->,
# - three 3 × 3 without the ReLUs in between: 51.8 ± 1.8 % <!-- claim: stack-without-relus -->.
#
# The stack and the large window are too close to call: the difference is
# +0.7 ± 2.1 points <!-- claim: stack-against-window -->, with three seeds. But the stack needs only
# 56 % <!-- claim: window-networks-share --> of the parameters for it. Whether it owes anything to its additional batch
# norms, we did not isolate.
#
# And the ReLUs? The twin without them has the same weights and the same view, so a difference is theirs. At a rate of
# 0.01 they bring +6.4 ± 3.4 points <!-- claim: relus-at-the-high-rate -->. At 0.003, which suits both networks better,
# it is +4.7 ± 6.0 points <!-- claim: relus-at-the-low-rate -->: the same direction, but three seeds leave it open.
# (Each network's rate was chosen on the images that judge here. And don't read the seconds: other programs ran at the
# same time, and the twin took about twice as long for the same multiply-adds.)
#
# The paper made a test like this on ImageNet. It put one 5 × 5 in the place of each pair of 3 × 3, and reports a top-1
# error that is 7 % <!-- claim: five-by-five-error --> higher.

# %% [markdown]
# ## What a training step holds in memory
#
# VGG-16 is notorious for its hunger. What exactly does it eat? While it trains, a network holds its weights, a
# gradient for each, and what the optimiser keeps: for Adam two more numbers a weight. It also holds the feature maps
# of the whole batch, for the backward pass needs them. We can count all of this before we run anything.

# %%
# Goal 6: memory, estimated before the first step
estimates = {}
for batch in (1, 32, 128):
    memory = analysis.training_memory(vgg16, image, batch_size=batch)
    parts = vars(memory) | {"total": memory.total}
    estimates[f"batch of {batch}"] = parts
megabytes = pd.DataFrame(estimates) / 1e6
megabytes.map("{:,.0f} MB".format)

# %% [markdown]
# `saved` is what the forward pass keeps for the backward pass, and `working` is what comes on top at the step's highest
# moment. The first three rows do not know how large the batch is. `saved` grows in proportion to it, and at 128 images
# it is most of the bill <!-- claim: vgg16-saved-is-most -->: 9.4 GB <!-- claim: vgg16-saved -->, in float32. (With the
# short numbers of `precision="auto"`, most maps take half of that.) A library's own scratch space comes on top.
#
# Which layers' maps are it? Not those of the layers with many parameters.

# %% tags=["nbval-check-output"]
held = table.drop(index="total").nlargest(6, "activations (MB)")
held = held[["type", "output shape", "parameters", "activations (MB)"]]
held.assign(parameters=held["parameters"].map("{:,}".format)).round(1)

# %% [markdown]
# The first two convolutions have 0.03 % <!-- claim: vgg16-first-two-parameters --> of the parameters, and make more
# than two fifths of all numbers that layers hand on <!-- claim: vgg16-first-two-maps -->. Their maps are large, for no
# pool stands before them.
#
# So the three bills of a convolutional network are paid in three places: memory in the first block, work in all blocks,
# parameters in the head <!-- claim: vgg16-three-bills -->. Keep this. It tells you which knob to turn: a smaller batch
# or image helps memory, and does nothing for the parameters.

# %% [markdown]
# ## What the head costs
#
# For images of 32 × 32 five pools leave one single place: 32, 16, 8, 4, 2, 1. A VGG of eight layers with weights,
# *VGG8*, has one convolution a block. <!-- claim: E.4 --> The name is used loosely; this is ours, and it has batch
# norm.

# %%
plots.architecture_drawing(models.vgg8_bn(), (3, 32, 32), title="VGG8-BN")

# %% [markdown]
# Its head goes 512-512-10. Many ports of VGG to small images keep the head of VGG-16 instead. It expects 7 × 7 places.
# So `avgpool` copies the one place 49 times, and the first linear layer gets 49 weights <!-- claim: copied-places -->
# for each number, where one would do. Guess the factors: parameters, multiply-adds, memory.

# %%
# Goal 7a: two heads on the same blocks, counted
heads = {
    "512-512 on 1×1": {},
    "4096-4096 on 7×7": {"pooled": 7, "hidden": (4096, 4096)},
}
counted = {}
for name, options in heads.items():
    network = on_paper(models.vgg8_bn, **options)
    memory = analysis.training_memory(network, (3, 32, 32), batch_size=128)
    work = analysis.count_multiply_adds(network, (3, 32, 32))
    counted[name] = [analysis.count_parameters(network), work, memory.total]
labels = ["parameters", "multiply-adds", "bytes to train, batch of 128"]
counted = pd.DataFrame(counted, index=labels).T
assert counted["parameters"].tolist() == [4_444_170, 123_500_554]
counted.map("{:,}".format)

# %% [markdown]
# Nearly 28 times <!-- claim: large-head-parameters --> the parameters and eleven times the
# memory <!-- claim: large-head-memory -->, for a head that sees not one number more. And the time? The multiply-adds do
# not even triple <!-- claim: large-head-work -->. But each step must also change every weight, and fetch it and its
# gradient from memory. We measure a few training steps in turn, one network after the other, and leave out the first
# turn, in which the machine warms up. (In the `quick` profile both networks have a quarter of the width.)

# %%
# Goal 7b: two heads on the same blocks, timed in turn
width = 0.25 if profile == "quick" else 1.0
timed = {
    name: models.vgg8_bn(width=width, **options)
    for name, options in heads.items()
}
steps = {"quick": 2}.get(profile, 8)  # a turn
few_images = photos.train.select(range(steps * 128))
adam = functools.partial(torch.optim.Adam, fused=True)
seconds = {name: [] for name in timed}
for _ in range(4):
    for name, network in timed.items():
        history = training.fit(
            network,
            few_images,
            epochs=1,
            optimizer=adam,
            precision="auto",
            show=False,
        )
        seconds[name].append(history.seconds / steps)
medians = pd.DataFrame(seconds).iloc[1:].median()
small_head, large_head = medians
print(medians.map("{:.3f} s a step".format).to_string())
print(f"the large head takes {large_head / small_head:.1f} times as long")
del timed, network

# %% [markdown]
# In our published run the large head took 2.3 times <!-- claim: large-head-time --> as long. That is less than the
# factor of the multiply-adds, 2.7 <!-- claim: large-head-work-factor -->, and far from that of the parameters. So this
# run gives no sign that changing and fetching so many weights costs much beyond the arithmetic. It is one machine and a
# few steps, a hint and not a result. (Each turn starts a new optimiser, so its first step also sets up Adam's numbers.
# That counts against the large head.)
#
# Whether the large head learns better is another question, and we leave it open. This section says what it costs.

# %% [markdown]
# ## What happened in 2014
#
# VGG came second in the classification task of ImageNet's challenge of 2014, with a top-5 error of
# 7.3 % <!-- claim: B.1 -->. First was GoogLeNet with 6.7 % <!-- claim: B.1 -->
# ([Szegedy et al., 2014](https://arxiv.org/abs/1409.4842)). You may read that 7.3 % <!-- claim: B.1 --> is VGG-16's
# error. It is not: it is the mean answer of seven networks, an *ensemble*. Later the paper got
# 6.8 % <!-- claim: vgg-two-networks --> from two networks, and 7.0 % <!-- claim: vgg-best-single --> from its best
# single one, judged on many crops of each image. So one network alone was better than the seven that were handed in.
# And one network against one, VGG was ahead: a single GoogLeNet made 7.9 % <!-- claim: googlenet-single -->.
#
# **How were 16 layers trained at all?** Gradients shrink or grow on their way back through many layers; chapter 6
# measures it. One reads that VGG's answers were ReLU and careful first weights, by the rules of Xavier Glorot or
# Kaiming He. <!-- claim: B.6 --> ReLU, yes. But Kaiming He's rule came a year later
# ([He et al., 2015](https://arxiv.org/abs/1502.01852)), and batch norm too. The authors trained the shallow net A
# from random numbers. Then they started the deeper ones from its first four convolutions and its three linear layers.
# Afterwards they found that Glorot's rule of 2010 would have done without it
# ([Glorot and Bengio, 2010](https://proceedings.mlr.press/v9/glorot10a.html)). Our class, like torchvision's, takes
# the rule of 2015. What becomes of a plain VGG on small data is a story of its own, and chapter 9 dissects it.
#
# **What held back overfitting?** Tables often say: dropout only. <!-- claim: E.2 --> The paper had a *weight decay* of
# $5 \cdot 10^{-4}$ as well, which pulls every weight a little towards zero in each step, and it had random crops, flips
# and colours. One variant, A-LRN, had AlexNet's response normalisation. It did not help, and was dropped. Depth itself
# is said to regularise, and to need strong regularisation <!-- claim: E.2 -->. Both cannot be the whole truth. The
# paper only guesses, at one place, that depth and small windows regularise implicitly, because its networks needed
# fewer epochs than AlexNet did.
#
# **How deep can one go?** The paper's error stops falling at 19 layers. <!-- claim: B.7 --> It is often said that plain
# networks can't go much deeper, because gradients don't get through 50 layers, and nothing in a VGG lets a signal pass
# a layer by. Chapter 6 measures what becomes of gradients in 34 layers, with and without such a bypass.

# %% [markdown]
# ## VGG8 on CIFAR-10
#
# Now the small VGG in earnest: all training images, batch norm, and new variants of each image in every epoch. *Flip
# and crop* mirrors an image with a chance of one half, and shifts it by up to four pixels. A mirrored cat is a cat.
# This is *augmentation*: it tells the network what does not matter.

# %%
flipped = photos.train.normalize(photos.train.images[:1]).repeat(8, 1, 1, 1)
training.set_seed(0)
variants = data.flip_and_crop(flipped)
figure, axes = plots.new_figure(1, 8, width=8, height=1.1)
spread = torch.tensor(photos.train.std).view(3, 1, 1)
mean = torch.tensor(photos.train.mean).view(3, 1, 1)
for one, variant in zip(axes, variants * spread + mean, strict=True):
    one.imshow(variant.clamp(0, 1).permute(1, 2, 0).numpy())
    one.set_axis_off()
plots.finish(figure, "One photograph, flipped and shifted eight times.")

# %% [markdown]
# The recipe was fixed before the test set was opened. The rate is one that suits Adam with batch norm; it was not
# searched for, and a search might find a better one.

# %%
recipe = {
    "epochs": sizes["epochs"],
    "learning_rate": 0.002,
    "optimizer": functools.partial(torch.optim.Adam, fused=True),
    "schedule": training.one_cycle,
    "augment": data.flip_and_crop,
    "precision": "auto",
}


def train_vgg8(seed, val=None, show=False):
    training.set_seed(seed)
    network = models.vgg8_bn(width=sizes["width"])
    history = training.fit(
        network, photos.train, val, seed=seed, show=show, **recipe
    )
    return network, history


# %%
runs = [train_vgg8(seed=0, val=photos.val, show=True)]
vgg8, history = runs[0]

# %%
plots.learning_curves(history)

# %% [markdown]
# In the first epochs training accuracy lies *below* validation accuracy. Remember how the two are measured. In
# training, dropout is on, the images are flipped and cropped, and the weights are those of the whole epoch. In
# validation nothing of this holds. The gap that tells of overfitting has the other sign: training above validation.
# With augmentation it comes late. In our published run it is there for good from the eighth epoch
# on <!-- claim: vgg8-gap-comes-late -->, and at the end it is 1.9 points <!-- claim: vgg8-gap -->.
#
# The choices are made. We open the test set.

# %%
# Goal 8a: a small VGG on CIFAR-10, on the test set
test = photos.open_test()
runs += [train_vgg8(seed) for seed in range(1, sizes["seeds"])]
answers = [training.predict(network, test) for network, _ in runs]
for (_, one_history), answer in zip(runs, answers, strict=True):
    training.record("VGG8-BN", one_history, answer, photos)
    tried.append(
        {
            "model": "VGG8-BN",
            "training images": len(photos.train),
            "epochs": recipe["epochs"],
            "judged on": "test",
            "accuracy": answer.accuracy,
            "seconds": one_history.seconds,
        }
    )
scores = pd.Series([answer.accuracy for answer in answers])
print(records.compare("04-vgg", "VGG8-BN", scores, photos.title))

# %% [markdown]
# Our small VGG reaches 84.6 % <!-- claim: readme-vgg8 --> on the test set after ten epochs. (On this page the line
# above is the book's own run. When you run the cell, it sets yours beside it.) A run takes minutes on two cores. So in
# the `quick` and `cpu` profiles it is a single one, and one seed supports no comparison: do not use this number to say
# that one network is better than another. The test set has its own error, too: with 10,000 images and an accuracy $p$,
# chance alone moves it by $\sqrt{p(1-p)/10{,}000}$. Here that is 0.36 points <!-- claim: test-set-error -->.
#
# Which classes are hard? Precision, recall and F1 of each, and their plain means in the row `macro`.

# %%
# Goal 8b: class by class
report = analysis.class_report(answers[0])
report.round(3)

# %%
plots.confusion_heatmap(analysis.confusion_matrix(answers[0]))

# %% [markdown]
# Colour marks mistakes. Look for pairs of squares that mirror each other, such as two animals of about the same size,
# or two things on wheels. Which pair did you expect? In our published run cats and dogs are by far the darkest:
# 263 <!-- claim: cats-and-dogs --> of the 1,540 <!-- claim: vgg8-errors --> mistakes take one for the other. Cats also
# have the lowest F1 of all classes, and automobiles the highest. <!-- claim: hard-and-easy-classes -->
#
# Now the wrong answers that the network was most sure of.

# %% tags=["card"]
# Goal 8c: the most confident mistakes
worst = analysis.worst_mistakes(answers[0], count=16)
titles = [
    f"is {row.true}\nsaid {row.predicted}\n"
    f"{min(row.confidence, 0.999):.1%} sure"  # a softmax never gives 100 %
    for row in worst.itertuples()
]
plots.image_grid(test, worst["index"], titles)

# %% [markdown]
# Look at the pictures before you blame the network. In our published run the first is labelled *cat*, and we see a
# frog, as the network does. So that "mistake" is probably one of the label. The deer, of which only head and antlers
# are in the picture, was taken for a bird, and the large bird on two legs for an airplane: an unusual view, or an
# unusual member of the class. And a van is an automobile for one person and a truck for the next.
#
# And a look inside. These are the filters of the first convolution, as colours.

# %%
plots.filter_grid(analysis.filters(vgg8))

# %% [markdown]
# Nine pixels are little to look at. In our published run a few filters have one colour throughout, such as the violet
# one at the end of the second row, or are bright on one side and dark on the other. Most look like random numbers,
# which they were at the start. What the network knows is in how it combines them. So look at the maps of the first test
# image, first those of block 1, after ReLU.

# %%
plots.image_grid(test, [0])

# %%
one = test.normalize(test.images[:1])
maps = analysis.feature_maps(vgg8, one, "features.2")[0, :16]
plots.feature_map_grid(maps)

# %% [markdown]
# The outline of the image is still in them. At the ReLU of block 3 the maps have a side of 8, and a unit sees 18 × 18
# pixels <!-- claim: vgg8-block-3-view -->.

# %%
maps = analysis.feature_maps(vgg8, one, "features.10")[0, :16]
plots.feature_map_grid(maps)

# %% [markdown]
# Can you still say what the image is? We can't. A map marks some places. What it marks them for, one image cannot tell.
# There is less *where* in these maps, and more *what*, as in LeNet.

# %% [markdown]
# ## Keep the blocks, replace the head
#
# Better networks came within a year, and VGG is still in use. Why? Its blocks, trained once on a million photographs,
# turn images into numbers that are of use for other questions. So the usual recipe of *transfer
# learning* is this: keep the blocks with their weights, and train a new head for your classes. <!-- claim: B.8 -->
#
# How is a head replaced? A network is made of named parts, and a part can be assigned. There are two usual ways. We
# only look at shapes here; chapter 8 does it with real weights.

# %% tags=["nbval-check-output"]
# Goal 9: keep the blocks, replace the head
swapped = on_paper(models.vgg16).requires_grad_(False)  # frozen
swapped.classifier[6] = nn.Linear(4096, 10)
print(f"new last layer: {analysis.count_parameters(swapped):,} to train")

swapped = on_paper(models.vgg16).requires_grad_(False)
swapped.avgpool = nn.AdaptiveAvgPool2d(1)  # each map becomes its mean
swapped.classifier = nn.Linear(512, 10)
total = sum(one.numel() for one in swapped.parameters())
print(f"new head: {analysis.count_parameters(swapped):,} to train", end=" ")
print(f"of {total:,} in all")

# %% [markdown]
# The first way keeps 4,096 ready-made features and trains 40,970 parameters <!-- claim: vgg16-new-last-layer -->. The
# second throws the whole head away, and with it nine tenths of the network <!-- claim: vgg16-head-share -->:
# 5,130 <!-- claim: D.2 --> to train, and 59 MB <!-- claim: vgg16-pooled-storage --> to store instead of
# 537 MB <!-- claim: vgg16-ten-classes-storage -->. `requires_grad_(False)` *freezes* a part: it gets no gradient, so it
# stays as it is.
#
# **For VGG:** simple, uniform, easy to explain, and features that transfer well. It made 3 × 3 the norm. It still
# serves as a benchmark, for teaching, for transfer, and for style transfer, where its maps measure what
# two images have in common ([Gatys et al., 2015](https://arxiv.org/abs/1508.06576)). <!-- claim: B.10 -->
#
# **Against it:** work and size, too much for a phone <!-- claim: B.8 -->; a head that holds nearly all parameters; and
# a depth that ends at about 19.

# %% [markdown]
# ## All runs in one table
#
# Every network that was trained above: on how many images, for how long, how well. Accuracies of different rows may be
# compared only where images, epochs and judge are the same, and more than one seed ran. The seconds of the published
# run are no measurement: other programs used the same machine, and an epoch of VGG8-BN took
# 104 s <!-- claim: vgg8-first-epoch-time --> at the beginning and 55 s <!-- claim: vgg8-last-epoch-time --> at the end.

# %%
summary(tried)

# %% [markdown]
# ## Exercises
#
# Write down your guess first, as a number. Then let an instrument check it. Then open the solution.

# %% [markdown]
# ### Exercise 1: Five convolutions less
#
# VGG-11 has five convolutions fewer than VGG-16. How many parameters fewer is that, in percent? And how many
# multiply-adds? `models.vgg11` builds it.

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# The five are 64 → 64, 128 → 128, 256 → 256 and two of 512 → 512. Their parameters are
# $36{,}928 + 147{,}584 + 590{,}080 + 2 \cdot 2{,}359{,}808$, which is
# 5.5 million <!-- claim: vgg11-fewer-parameters -->: 4 % <!-- claim: vgg11-fewer-share --> of a network whose head has
# 124 million <!-- claim: B.5 -->. But each of the first four costs
# 1.85 G multiply-adds <!-- claim: vgg16-last-of-block-work -->, and the last
# 0.46 G <!-- claim: vgg16-last-of-block-5-work -->. Together it is half of the
# work <!-- claim: vgg11-half-the-work -->.
#
# </details>

# %% tags=["solution", "nbval-check-output"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
vgg11 = on_paper(models.vgg11)
deep, shallow = (
    analysis.layer_table(network, image).loc["total"]
    for network in (vgg16, vgg11)
)
for column in ("parameters", "multiply-adds"):
    saved = 1 - shallow[column] / deep[column]
    print(f"{column}: {shallow[column]:,} in VGG-11, {saved:.1%} less")
assert shallow["parameters"] == 132_863_336

# %% [markdown]
# ### Exercise 2: 81 percent
#
# The paper says that one 7 × 7 has 81 % <!-- claim: seven-by-seven-more --> more weights than three of 3 × 3. A summary
# in circulation turns it into "81 % <!-- claim: seven-by-seven-more --> fewer with three of 3 × 3". What is the right
# number? And what is it for two of 3 × 3 against one 5 × 5?

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# "More" divides by the smaller number, "fewer" by the larger: 22/27 is 81 % <!-- claim: seven-by-seven-more -->, and
# 22/49 is 45 % <!-- claim: three-by-three-fewer -->. For 5 × 5 it is 18 against 25, so
# 28 % <!-- claim: two-by-three-fewer --> fewer, or 39 % <!-- claim: five-by-five-more --> more. Always ask: percent of
# what?
#
# </details>

# %% tags=["solution", "nbval-check-output"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
for many, window in ((3, 7), (2, 5)):
    stack = nn.Sequential(
        *[nn.Conv2d(8, 8, 3, bias=False) for _ in range(many)]
    )
    single = nn.Conv2d(8, 8, window, bias=False)
    assert analysis.receptive_field_by_gradient(stack) == window
    low, high = map(analysis.count_parameters, (stack, single))
    print(f"{window}×{window}: {high / low - 1:.0%} more", end=", ")
    print(f"{many} of 3×3: {1 - low / high:.0%} fewer")

# %% [markdown]
# ### Exercise 3: A larger image
#
# Give VGG-16 images of 448 × 448 pixels. What becomes of its parameters, of its multiply-adds, and of the receptive
# field at the last pool? Name three factors.

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# The filters are the same and move over four times as many places: the work of the convolutions is times 4. The head's
# work stays, for `avgpool` brings 14 × 14 places back to 7 × 7. So the work as a whole is a little under four times as
# much <!-- claim: vgg16-work-at-448 -->. Parameters and receptive field stay: factors 1 and 1. A unit sees the same
# 212 <!-- claim: E.3 --> pixels, which are now less than half of the image's side. Without `avgpool`, as in the paper,
# the first linear layer would not fit.
#
# </details>

# %% tags=["solution", "nbval-check-output"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
double = analysis.layer_table(vgg16, (3, 448, 448))
for column in ("parameters", "multiply-adds"):
    factor = double.loc["total", column] / table.loc["total", column]
    print(f"{column}: times {factor:.3f}")
print("sees", double.loc["features.30", "receptive field"], "pixels")

# %% [markdown]
# ### Exercise 4: Frozen blocks
#
# Training all of VGG-16 with batches of 128 takes 9.4 GB <!-- claim: vgg16-saved --> for saved maps alone. Freeze its
# blocks, replace the head by one linear layer on the means of the maps, and train with the same batch. How many MB must
# the forward pass keep for the backward pass now? And what sets the peak?

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# Without a gradient to pass through the blocks, nothing of their maps must be kept: only the batch itself,
# 77 MB <!-- claim: vgg16-frozen-saved -->. Gradients and Adam's numbers exist for 5,130 parameters <!-- claim: D.2 -->
# only. The peak is now set by the forward pass: while the second convolution makes its maps from those of the first,
# both are there. That is twice 128 · 64 · 224 · 224 numbers of four bytes, 3.3 GB <!-- claim: vgg16-frozen-peak -->,
# and a moment later it is gone. A smaller batch helps at once.
#
# </details>

# %% tags=["solution"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
print("all trained:", analysis.training_memory(vgg16, image, 128))
print("head alone: ", analysis.training_memory(swapped, image, 128))

# %% [markdown]
# ### Exercise 5: What the last unit sees
#
# How large is the receptive field of VGG8 at its last pool, for images of 32 × 32? Work it out with the jump, as in
# chapter 2, and say what a field larger than the image means.

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# Each block adds $2 \cdot \text{jump}$ for the convolution and $1 \cdot \text{jump}$ for the pool, with jumps of 1,
# 2, 4, 8 and 16. So $1 + 3 \cdot (1 + 2 + 4 + 8 + 16) = 94$. The image has 32 pixels: the unit sees all of it, and
# the rest of its window is padding. That is as it should be for a last unit. It is also a sign that more depth of
# this kind would add no view.
#
# </details>

# %% tags=["solution", "nbval-check-output"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
side = analysis.receptive_field_by_gradient(
    models.vgg8(width=1 / 16).features
)
assert side == 1 + 3 * (1 + 2 + 4 + 8 + 16)
print(f"{side}×{side}")

# %% [markdown]
# ### Exercise 6: Deeper
#
# VGG's subject is depth. Compare `models.vgg8_bn` with `models.vgg11_bn`, both with `width=0.25` and the small head,
# on the few images of the window experiment: `try_out` trains and judges. How many points of accuracy will the deeper
# one gain? Use two seeds and a rate of 0.003.

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# It loses many. VGG11-BN reaches 21.3 ± 1.1 % <!-- claim: narrow-vgg11 -->, VGG8-BN
# 37.8 ± 0.4 % <!-- claim: narrow-vgg8 -->, a difference of −16.4 ± 14.1 points <!-- claim: narrow-depth --> with two
# seeds. And the three additional convolutions more than double the work <!-- claim: vgg11-against-vgg8 -->.
#
# Is depth bad, then? This run can't tell, because after four epochs both networks have hardly begun to learn: they do
# no better on their training images. One suspect is the start. Our VGG draws the weights of its linear layers with a
# spread of 0.01, as torchvision does. With 128 inputs such a layer and its ReLU pass on a factor of
# 0.08 <!-- claim: narrow-head-keeps --> of the signal, and the head has two of them. So in both networks the logits are
# nearly the same for all images at first. Chapter 9 gives a VGG8 without batch norm a better start, and after as
# many steps it is 16.1 ± 8.4 points <!-- claim: he-mends-vgg8-by --> better, over three seeds. How much of the gap here comes from the start and how much from
# the depth, we did not isolate. What the paper showed, it showed with a million images and 74 epochs.
#
# </details>

# %% tags=["solution"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
depths = {"VGG8-BN": models.vgg8_bn, "VGG11-BN": models.vgg11_bn}
small = {"num_classes": 10, "pooled": 1, "hidden": (512, 512), "width": 0.25}
compared = []
for name, build in depths.items():
    for seed in range(2):
        narrow = functools.partial(build, **small)
        compared.append(
            try_out(f"{name}, quarter width", narrow, seed, 0.003)
        )
summary(compared)

# %% [markdown]
# ## What to remember
#
# - A VGG is a list: so many 3 × 3 convolutions, a pool, and again. The side halves, the maps double until 512.
# - Parameters are in the head, work is in the blocks, memory is in the first maps <!-- claim: vgg16-three-bills -->.
#   Three bills, three places.
# - Three windows of 3 × 3 see what one of 7 × 7 sees, for $27 C^2$ weights instead of $49 C^2$, with three
#   ReLUs <!-- claim: B.3 -->. In our test the stack could not be told from the large window, with about half of the
#   parameters.
# - Depth is how small windows see far: VGG-16 ends at 212 <!-- claim: E.3 --> pixels, AlexNet at
#   195 <!-- claim: E.3 -->.
# - A printed number can be wrong by a channel, by rounding too early, or by taking an ensemble for one network.
# - Keep the blocks and replace the head: that is how VGG lives on.

# %% [markdown]
# ## References
#
# - VGG: [Simonyan and Zisserman, 2014](https://arxiv.org/abs/1409.1556).
# - AlexNet: [Krizhevsky et al., 2012](https://papers.nips.cc/paper_files/paper/2012/hash/c399862d3b9d6b76c8436e924a68c45b-Abstract.html).
# - GoogLeNet: [Szegedy et al., 2014](https://arxiv.org/abs/1409.4842).
# - Batch norm: [Ioffe and Szegedy, 2015](https://arxiv.org/abs/1502.03167).
# - First weights: [Glorot and Bengio, 2010](https://proceedings.mlr.press/v9/glorot10a.html);
#   [He et al., 2015](https://arxiv.org/abs/1502.01852).
# - CIFAR-10: [Krizhevsky, 2009](https://www.cs.toronto.edu/~kriz/learning-features-2009-TR.pdf).
# - Style transfer: [Gatys et al., 2015](https://arxiv.org/abs/1508.06576).
