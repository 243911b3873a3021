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
# # 6 · ResNet
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/convnets-measured/convnets-measured/blob/main/notebooks/06-resnet.ipynb)
#
# Why did deeper stop being better, and what did the skip change?
#
# VGG had 16 or 19 layers, and stopped there <!-- claim: B.7 -->. A year later networks of up to 152 layers won the same
# competition <!-- claim: B.9 -->. Several things had changed. The one that gave the networks their name is small: a
# block of layers *adds* to its input, where before it replaced it.
#
# Many texts say that this cures vanishing gradients <!-- claim: B.6 -->. It can, and we will measure it. But the paper
# that introduced it had another trouble in view, *degradation*: its plain networks had healthy gradients and trained
# badly all the same. In this chapter we take the block apart, put a network with skips beside the same network without,
# and look at the gradients of both, layer by layer. Then we train them, and look at the training loss.
#
# > **What you will be able to do.**
# > Each goal is answered by the cell whose first line bears its number.
# >
# > 1. Read a residual block, and count what its skips cost.
# > 2. Tell the ResNets apart by their layers, parameters and multiply-adds.
# > 3. Say whether a network with fewer multiply-adds is faster, and check it.
# > 4. See what a stem does to a small image.
# > 5. Work out a receptive field through skips, and check it.
# > 6. Find out, layer by layer, whether gradients vanish.
# > 7. Tell degradation from vanishing gradients, by training.
# > 8. Fit a ResNet to small images, and place it among its predecessors.

# %% [markdown]
# > **Time and memory.**
# > The whole notebook, with every exercise's solution:
# >
# > | profile | data | on | time | memory |
# > |---|---|---|---|---|
# > | `quick` | a few hundred of the digits and pictures in the package; narrow networks | two CPU cores | half a minute | 1.0 GB |
# > | `cpu` | all digits, 10,000 of CIFAR-10's pictures | two CPU cores | 10 min <!-- claim: resnet-time --> | 1.6 GB <!-- claim: resnet-memory --> |
# > | `full` | all digits, all pictures | one GPU | not measured yet | not measured yet |

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
import copy
import functools
import math
from dataclasses import replace

import pandas as pd
import torch
from course_lib import analysis, data, live, models, plots, records, training
from course_lib.profiles import resolve_profile
from torch import nn

profile = resolve_profile(PROFILE)
size = "sample" if profile == "quick" else "full"
digits = data.load("mnist", size=size)
pictures = data.load("cifar10", size=size)
if profile == "quick":  # enough to see that the code works
    digits, pictures = digits.part(400), pictures.part(300)

deep = {
    "quick": {"images": 128, "epochs": 1, "seeds": 2, "width": 0.125},
    "cpu": {"images": 10_000, "epochs": 4, "seeds": 3, "width": 0.25},
    "full": {"images": 45_000, "epochs": 5, "seeds": 3, "width": 0.25},
}[profile]
small = {
    "quick": {"epochs": 2, "seeds": 2},
    "cpu": {"epochs": 3, "seeds": 5},
    "full": {"epochs": 8, "seeds": 5},
}[profile]
device = training.best_device()
adam = functools.partial(torch.optim.Adam, fused=True)
print(f"profile {profile}")
print(digits)
print(pictures)
print("trains on", training.describe_device(device))

# %% [markdown]
# ## Deeper, and worse
#
# AlexNet has 8 layers, VGG has 16 or 19, and on ImageNet the deeper one was the better
# one <!-- claim: vgg-above-alexnet -->. So why not 30 layers, or 50?
#
# People tried. [He et al., 2016](https://arxiv.org/abs/1512.03385) trained plain networks, built like VGG, of 20 and of
# 56 layers on CIFAR-10. The deeper one was worse on the test images. That could be *overfitting*. But it was worse on
# the *training* images, too <!-- claim: degradation-in-the-paper -->. A network that overfits does well there. This one
# did not even learn what it was shown.
#
# Now think of the following network. Take the 20 trained layers, and put 36 more behind them, each of which just hands
# on what it gets. That makes 56 layers that are exactly as good as the 20. So good weights for the deeper network
# *exist*. Training does not find them.
#
# The paper calls this *degradation*: more layers, higher training error. Two stories are told about its cause.
#
# - **Vanishing gradients.** On its way back through the layers the gradient is multiplied again and again. If the
#   factors are small, nothing arrives in front, and the first layers stand still.
# - **Hard to find.** The gradients arrive. But a stack of layers has great trouble in learning to do nothing, and so
#   in being as good as a shorter one.
#
# Most tutorials tell the first. The paper argues against it, in its section 4.1: its plain networks had batch norm, and
# healthy gradients. The second is what it suspects instead. Before we build anything, note what each story predicts:
# which layers would have small gradients, and which loss would be high?

# %% [markdown]
# ## A block that adds
#
# If doing nothing is hard to learn, make it easy. A *residual block* computes something from its input $x$, and adds it
# to $x$:
#
# $$ y = \text{ReLU}(F(x) + x) . $$
#
# To hand $x$ on, the block has only to make $F$ zero. A fresh block does not: its $F$ has random weights. (Exercise 5
# starts it at zero.) What it learns is the difference from doing nothing, the residual. The path on which $x$ passes by
# is called a *skip*.
#
# This is the block as the library has it.

# %%
analysis.Source(models.BasicBlock)

# %% [markdown]
# Two convolutions of 3 × 3 without a bias, for the batch norm behind each of them has one of its own. Then one line
# adds `x`. With `skip=False` that line is left out, and nothing else changes. That is the plain network that we
# compare with.
#
# What if the block changes the shape, to half the side and twice the channels? Then `x` does not fit. A *projection*,
# a convolution of 1 × 1 with the block's stride, brings it into the new shape. The paper calls that option B.
#
# So what do skips cost? An addition has no parameters. Only projections do. ResNet-34 has three of them: from 64 to
# 128 channels, to 256, to 512. Each is followed by a batch norm with two numbers a channel. Work it out before you
# look.

# %% tags=["nbval-check-output"]
# Goal 1: what the skips of ResNet-34 cost
plain = analysis.count_parameters(models.plain34())
with_skips = analysis.count_parameters(models.resnet34())
steps = [(64, 128), (128, 256), (256, 512)]
projections = sum(before * after + 2 * after for before, after in steps)
print(f"plain-34 {plain:,}, ResNet-34 {with_skips:,} parameters")
print(
    f"three projections: {projections:,}, or {projections / plain:.1%} more"
)
assert with_skips - plain == projections

# %% [markdown]
# And one thing more follows from the formula. How does the gradient go back through the block? Leave the last ReLU out
# for a moment. Then
#
# $$ \frac{\partial L}{\partial x} = \frac{\partial L}{\partial y} \left( 1 + \frac{\partial F}{\partial x} \right) . $$
#
# The 1 is the skip. Whatever $F$ does, that part arrives undiminished. Over many blocks such brackets are multiplied,
# and multiplied out, one term of the product is 1: the way along all skips. (The ReLUs that we left out close it where
# they are zero.) So a skip *can* carry gradients past layers that would swallow them. Whether they needed it is the
# question of this chapter.
#
# Try it with numbers. Below is a stack of blocks on four numbers. Make the weights of $F$ small, and take the skips away:
# signal and gradient vanish together. With skips, both survive. With weights of zero, a block with a skip passes on what
# it gets.

# %% tags=["drawn"]
live.residual_block()

# %% [markdown]
# ## ResNet-34
#
# The network is a *stem*, its first layers before the blocks, and four *stages*. In each stage all maps have one size.
# From the second stage on, the first block halves the side, by a stride of 2, and doubles the channels. At the end each
# map is averaged to one number, and a single linear layer follows. VGG's three, with most of its parameters, are gone.
#
# The drawing is made from the live model. Follow an arc: it begins behind one block and ends behind the next.

# %%
plots.architecture_drawing(
    models.resnet34(), (3, 224, 224), title="ResNet-34"
)

# %% [markdown]
# 34 layers have weights, counted as the paper counts, without the projections: one in the stem, two in each of 3 + 4 +
# 6 + 3 = 16 blocks, one at the end. Here they are, a row for the stem, each stage and the head.


# %% tags=["nbval-check-output"]
def stage_table(network, input_shape):
    """The layer table, added up over the parts of a ResNet."""
    table = analysis.layer_table(network, input_shape).drop(index="total")
    names = table.index.str.partition(".").get_level_values(0)
    stem = names.isin(["conv1", "bn1", "relu", "maxpool"])
    part = names.where(~stem, "stem").where(names != "avgpool", "fc")
    groups = table.groupby(part, sort=False)
    return pd.DataFrame(
        {
            "output shape": groups["output shape"].last(),
            "parameters": groups["parameters"].sum().map("{:,}".format),
            "multiply-adds": groups["multiply-adds"].sum().map("{:,}".format),
        }
    )


stage_table(models.resnet34(), (3, 224, 224))

# %% [markdown]
# Divide the arithmetic by the number of blocks, 3, 4, 6 and 3: each block costs about the
# same <!-- claim: resnet34-blocks-cost-alike -->. When the side halves and the channels double, a convolution costs the
# same again, for a quarter of the places and four times the weights. The parameters pile up at the
# end <!-- claim: resnet34-blocks-cost-alike -->.
#
# The same plan makes a whole family. The deeper members have another block, which comes in a moment. We build the
# networks on torch's *meta* device: they get shapes and no numbers, so nothing is allocated.

# %% tags=["nbval-check-output"]
# Goal 2: the family
family = {
    "ResNet-18": (models.BasicBlock, (2, 2, 2, 2)),
    "ResNet-34": (models.BasicBlock, (3, 4, 6, 3)),
    "ResNet-50": (models.Bottleneck, (3, 4, 6, 3)),
    "ResNet-101": (models.Bottleneck, (3, 4, 23, 3)),
    "ResNet-152": (models.Bottleneck, (3, 8, 36, 3)),
}
with torch.device("meta"):
    networks = {
        name: models.ResNet(block, counts)
        for name, (block, counts) in family.items()
    }
    networks["plain-34"] = models.plain34()
    networks["VGG-16"] = models.vgg16()
costs = {
    name: (
        analysis.count_parameters(network),
        analysis.count_multiply_adds(network, (3, 224, 224)),
    )
    for name, network in networks.items()
}
assert costs["ResNet-50"][0] == 25_557_032
columns = ["parameters", "multiply-adds"]
pd.DataFrame(costs, index=columns).T.map("{:,}".format)

# %% [markdown]
# Look down the two columns. ResNet-152 is almost ten times as deep as VGG-16, has less than half of its parameters, and
# costs three quarters of its arithmetic <!-- claim: resnet152-against-vgg16 -->.

# %% [markdown]
# ## Cheap, but not because of its skips
#
# ResNet-34 costs 3.7 billion multiply-adds <!-- claim: resnet34-multiply-adds --> for an image, VGG-16
# 15.5 billion <!-- claim: vgg16-multiply-adds -->. A comparison of the two says that the skips make ResNet
# fast <!-- claim: C.4 -->. The table has a row that tests it: plain-34 has no skips, and costs
# 3.64 billion <!-- claim: plain34-multiply-adds -->. The skips save nothing. They add half a percent, for the
# projections <!-- claim: skips-add-a-little -->.
#
# What saves, then? We sort the arithmetic by the side of the maps on which it is done.

# %% tags=["nbval-check-output"]
by_side = {}
for name in ("VGG-16", "ResNet-34"):
    table = analysis.layer_table(networks[name], (3, 224, 224))
    maps = table[table["output shape"].str.count("×") == 2]
    side = maps["output shape"].str.rpartition("×")[2].astype(int)
    by_side[name] = maps.groupby(side)["multiply-adds"].sum() / 1e9
by_side = pd.DataFrame(by_side).fillna(0).sort_index(ascending=False)
by_side.rename_axis("side of the maps").map("{:.2f} billion".format)

# %% [markdown]
# VGG-16 does almost five billion at sides 224 and 112. ResNet-34 leaves these sizes after a single
# convolution <!-- claim: vgg16-work-on-large-maps -->. So its stem saves 39 % <!-- claim: resnet-stem-saves --> of the
# difference between the two. More is saved behind it: 65 % <!-- claim: resnet-channels-save --> at sides 56 and 28,
# where ResNet-34 has a quarter of VGG's channels. (At side 7 it works and VGG does not, which takes
# 5 % <!-- claim: resnet-last-stage-costs --> back.)
#
# Do fewer multiply-adds mean less time? The same comparison trained both networks for ten epochs on MNIST digits,
# enlarged to 224 × 224: 3,460 seconds <!-- claim: C.3 --> for VGG-16, 2,815 <!-- claim: C.4 --> for ResNet-34. It calls
# that significantly less in one place, and not significantly faster in another <!-- claim: C.4 -->. Divide the work by
# the time. A training step costs about three times the multiply-adds of looking at an image: once forward, and twice
# back, for the gradients of the maps and of the weights.

# %% tags=["nbval-check-output"]
seconds = {"VGG-16": 3_460, "ResNet-34": 2_815}
looks = 10 * 48_000  # ten epochs; an 80/20 split of 60,000 is our guess
less_time = 1 - seconds["ResNet-34"] / seconds["VGG-16"]
less_work = 1 - costs["ResNet-34"][1] / costs["VGG-16"][1]
print(f"ResNet-34: {less_time:.0%} less time for {less_work:.0%} less work")
for name, spent in seconds.items():
    done = 3 * costs[name][1] * looks / spent / 1e12
    print(f"{name}: {done:.1f} trillion multiply-adds a second")

# %% [markdown]
# So per multiply-add, ResNet-34 was more than three times as *slow* <!-- claim: report-seconds-per-work -->. How is it
# on your machine? Three networks at a quarter of their width, images of 128 × 128, one epoch to warm up and three to be
# timed, of which the fastest counts.

# %%
# Goal 3: seconds per multiply-add
few = pictures.train.select(range(16 if profile == "quick" else 64))
large = few.images.repeat_interleave(4, dim=2).repeat_interleave(4, dim=3)
few = replace(few, images=large)
rows = {}
for name in ("vgg16", "plain34", "resnet34"):
    network = getattr(models, name)(
        num_classes=10, width={"quick": 0.125}.get(profile, 0.25)
    )
    history = training.fit(
        network, few, epochs=4, batch_size=16, precision="auto", show=False
    )
    seconds = min(epoch.seconds for epoch in history.epochs[1:])
    work = 3 * history.recipe["multiply_adds"] * len(few)
    rows[name] = {
        "billion multiply-adds": work / 1e9,
        "seconds": seconds,
        "seconds per 100 billion": seconds / (work / 1e11),
    }
pd.DataFrame(rows).T.round(2)

# %% [markdown]
# Compare the last column. On the two cores of this page ResNet-34 takes about twice as long per multiply-add as VGG-16,
# and so does plain-34 <!-- claim: clocks-of-resnet -->. So the skips are not what is slow. Counts say what must be
# computed. They do not say how long a machine waits in between: for memory, for many small layers one after the other,
# for batch norm and additions, which count as no multiply-add at all. Which of these it is here, we did not measure.
#
# Compare plain34 and resnet34, too: what do skips cost in seconds? Here it is a hundredth of a second more for an
# epoch <!-- claim: clocks-of-resnet -->. A few short epochs are a rough clock. Run the cell twice, and believe no
# difference that is smaller than the one between your two runs.

# %% [markdown]
# ## A narrow waist
#
# From 50 layers on, ResNets use another block. A *bottleneck* first reduces the channels to a quarter by a convolution
# of 1 × 1, then does its 3 × 3 there, and a second 1 × 1 brings all channels back.

# %%
analysis.Source(models.Bottleneck)

# %% [markdown]
# What does it save, for 256 channels in and out? Two convolutions of 3 × 3 have $2 \cdot 9 \cdot 256^2$ weights. The
# bottleneck has $256 \cdot 64$, then $9 \cdot 64^2$, then $64 \cdot 256$.


# %% tags=["nbval-check-output"]
def count_weights(block):
    """Weights of the convolutions alone."""
    convolutions = [m for m in block.modules() if isinstance(m, nn.Conv2d)]
    return sum(one.weight.numel() for one in convolutions)


basic = models.BasicBlock(256, 256, stride=1, skip=True)
waisted = models.Bottleneck(256, 64, stride=1, skip=True)
assert count_weights(basic) == 2 * 9 * 256**2
assert count_weights(waisted) == 256 * 64 + 9 * 64**2 + 64 * 256
print(f"basic block {count_weights(basic):,} weights")
print(f"bottleneck  {count_weights(waisted):,} weights")

# %% [markdown]
# A seventeenth <!-- claim: bottleneck-weights -->. For that, ResNet-50 can have three layers a block, and up to 2,048
# channels. A concept note says that it has about 25 million parameters <!-- claim: B.9 -->. Our count is
# 25,557,032 <!-- claim: B.9 -->.
#
# One detail differs from the paper. Where a stage begins, the paper puts the stride of 2 into the first 1 × 1. The
# library follows torchvision, which puts it into the 3 × 3. An exercise asks what that changes.

# %% [markdown]
# ## A stem for small images
#
# ImageNet's stem expects 224 × 224 pixels. A window of 7 × 7 with stride 2 and a pool with stride 2 leave 56 × 56.
# What do they leave of a digit?
#
# For small images the paper has another stem: one convolution of 3 × 3, stride 1, no pool. `stem="cifar"` builds it.


# %% tags=["nbval-check-output"]
# Goal 4: what reaches the blocks
def sides(stem, side):
    """The side of the maps after the stem and after each stage."""
    network = models.resnet18(num_classes=10, width=1 / 16, stem=stem)
    shapes = stage_table(network, (3, side, side))["output shape"]
    return shapes.drop("fc").str.rpartition("×")[2].astype(int)


pd.DataFrame(
    {
        (stem, f"{side}×{side}"): sides(stem, side)
        for stem in ("imagenet", "cifar")
        for side in (28, 32)
    }
).rename_axis("side of the maps after")

# %% [markdown]
# With ImageNet's stem a digit is down to 7 × 7 before the first block has seen it, and to a single place at the end.
# Three of four stages work on 4 × 4 places or fewer. With the small stem the first block sees all of its 28 × 28
# places <!-- claim: imagenet-stem-on-digits -->.
#
# That has a price. Guess the factor between the multiply-adds of the two before you run the cell.

# %% tags=["nbval-check-output"]
for stem in ("imagenet", "cifar"):
    network = models.resnet18(num_classes=10, in_channels=1, stem=stem)
    cost = analysis.count_multiply_adds(network, (1, 28, 28))
    print(f"ResNet-18, stem {stem}: {cost / 1e6:.0f} million multiply-adds")

# %% [markdown]
# The small stem costs 14 times <!-- claim: small-stem-costs --> as much: nearly all of the network works on maps with
# four times the side, which have sixteen times the places.

# %% [markdown]
# ## What a unit sees
#
# The rules of chapter 2 hold: a window of $k$ adds $(k-1) \cdot \text{jump}$ pixels, and a stride multiplies the jump.
# And where a skip joins? A unit sees all that it sees by *any* path. The longest path goes through all convolutions,
# and sees the most.
#
# Do it by hand. Stem: 7 pixels with jump 2, the pool makes it 11 with jump 4. Each convolution of the first stage adds
# $2 \cdot 4$ pixels. There are six. Where a stage begins, its first convolution still counts with the old jump. Go on
# to the end of the fourth stage.

# %% tags=["nbval-check-output"]
# Goal 5: the receptive field through skips, by arithmetic
thin = models.resnet34(width=1 / 64)  # the width does not matter here
fields = analysis.receptive_field(thin, (3, 224, 224))
fields.loc[["conv1", "maxpool", "layer1.2.conv2", "layer2.0.conv1"]]

# %% [markdown]
# And measured, with a gradient from one unit of the last stage back to the pixels.

# %% tags=["nbval-check-output"]
maps_only = nn.Sequential(*list(thin.children())[:-2])  # no average, no fc
measured = analysis.receptive_field_by_gradient(maps_only)
arithmetic = fields.loc["layer4.2.conv2", "receptive field"]
print(f"by arithmetic {arithmetic} pixels, by gradient {measured}")
assert measured == arithmetic == 899

# %%
vgg = analysis.receptive_field(networks["VGG-16"].features, (3, 224, 224))
plots.receptive_growth({"VGG-16": vgg, "ResNet-34": fields}, image_side=224)

# %% [markdown]
# 899 <!-- claim: resnet34-view --> pixels is four times the side of the image, which VGG-16, at
# 212 <!-- claim: E.3 -->, does not quite cover. But that is the longest path. The shortest goes by the skips alone, and
# sees far less. An exercise asks how much. A unit of the last stage is a sum over all of these paths. Plain-34 has the
# longest one only. Compare where the paths of the two networks come from:

# %% tags=["drawn"]
live.receptive_fields(["ResNet-34", "VGG-16"], "ResNet-34")

# %% [markdown]
# ## Do the gradients vanish?
#
# Now to the first story. We send one batch of CIFAR-10 through a network that has not been trained, and back. At each
# layer's output we note the size of the gradient: the root of its mean square.
#
# We begin with VGG-16, at a quarter of its width: 13 convolutions and 3 linear layers. Its first weights can be drawn
# in different ways, and the answer depends on which.
#
# - *PyTorch's own*: what `nn.Conv2d` and `nn.Linear` draw if nobody tells them otherwise.
# - *He's* ([He et al., 2015](https://arxiv.org/abs/1502.01852)): larger, such that a layer followed by ReLU keeps the
#   size of its gradients. It came a year after VGG.
# - With *batch norm* behind each convolution ([Ioffe and Szegedy, 2015](https://arxiv.org/abs/1502.03167)), from the
#   same year.

# %%
count = 64 if profile == "quick" else 128
images = pictures.train.normalize(pictures.train.images[:count]).to(device)
labels = pictures.train.labels[:count].to(device)


def pytorch_own(network):
    """Draw all weights anew, as PyTorch does by itself."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            layer.reset_parameters()
    return network


def chain(build, seed=0):
    """Gradient and signal at each layer of the main path, untrained."""
    training.set_seed(seed)
    seen = analysis.signals(build().to(device), images, labels)
    return seen[~seen.index.str.contains("downsample")]


quarter = {"num_classes": 10, "width": 0.25, "pooled": 1}
vgg_chains = {
    "PyTorch's own": chain(lambda: pytorch_own(models.vgg16(**quarter))),
    "He's": chain(lambda: models.vgg16(**quarter)),
    "He's, batch norm": chain(lambda: models.vgg16_bn(**quarter)),
}
plots.signal_chain(vgg_chains)

# %% [markdown]
# Read a line from right to left, as the gradient goes. The axis is logarithmic: a straight slope means the same factor
# in each layer. The three linear layers, 14 to 16, are torchvision's or PyTorch's, and shrink the gradient in all three
# networks <!-- claim: gradients-of-vgg16 -->. Follow the convolutions, 13 to 1.
#
# Part of their fall means nothing. In front of a pool there are four times as many units as behind it, and only one in
# four gets the gradient. The sum of squares stays. The mean square falls to a quarter, and its root to a half. Four
# pools lie between convolutions 13 and 1, which makes a factor of 16. The next cell takes it out.

# %%
for name, seen in vgg_chains.items():
    gradient = seen["gradient rms"]
    left = gradient.iloc[0] * 2**4 / gradient.iloc[12]
    print(f"{name}: conv. 1 gets {left:.2g} of conv. 13's, pools apart")

# %% [markdown]
# A number near 1 means that the gradient arrives as it set out, above 1, that it has grown. With PyTorch's own weights
# it is a hundred-thousandth, with He's it is 0.29, and with batch norm 35, a
# growth <!-- claim: gradients-on-the-page -->. Write VGG-16 by hand, leave the first weights to PyTorch, and you get
# the first of the three.
#
# What such gradients do depends on the optimiser, too. Adam divides each gradient by its own usual size, so it
# forgives small ones, until they come near the 10⁻⁸ that it adds to the divisor.
#
# VGG's authors knew the danger in 2014. They first trained a network of 11 layers, and started the deeper ones with its
# first and last layers ([Simonyan and Zisserman, 2014](https://arxiv.org/abs/1409.1556), section 3.1). So the first
# story is true of *some* networks: of deep ones whose first weights are too small. (You may have read that VGG used
# He's weights <!-- claim: B.6 -->. It could not: see the years.)
#
# And ResNet's own comparison? Four networks of 34 layers: with and without skips, with and without batch norm. All
# four get PyTorch's own weights, to make it hard for them. Write down what you expect for each, in powers of ten.


# %%
def without_batch_norm(network):
    for parent in list(network.modules()):
        for name, layer in list(parent.named_children()):
            if isinstance(layer, nn.BatchNorm2d):
                setattr(parent, name, nn.Identity())
    return pytorch_own(network)


plain_34 = functools.partial(models.plain34, 10, width=0.25, stem="cifar")
resnet_34 = functools.partial(models.resnet34, 10, width=0.25, stem="cifar")
chains = {
    "plain, no batch norm": chain(lambda: without_batch_norm(plain_34())),
    "skips, no batch norm": chain(lambda: without_batch_norm(resnet_34())),
    "plain, batch norm": chain(lambda: pytorch_own(plain_34())),
    "skips, batch norm": chain(lambda: pytorch_own(resnet_34())),
}
plots.signal_chain(chains)

# %%
# Goal 6: first convolution's gradient over the last one's
ratios = {}
for name, seen in chains.items():
    gradient = seen["gradient rms"].drop("fc")
    ratios[name] = gradient.iloc[0] / gradient.iloc[-1]
    print(f"{name}: {ratios[name]:.1e}")
assert ratios["plain, no batch norm"] < 1e-9 < ratios["skips, no batch norm"]
assert ratios["plain, batch norm"] > 1

# %% [markdown]
# Three answers from one picture. (Read it up to the last convolution, 33. All four lines jump at the end because layer
# 34 is the linear layer behind the average.)
#
# - Without skips and batch norm, and with small weights, the gradient is gone <!-- claim: gradients-of-34-layers -->.
#   The first layer gets 2.8 · 10⁻¹⁴ of what the last one gets <!-- claim: gradients-on-the-page -->.
# - Skips alone bring it back, as the 1 in the formula said <!-- claim: gradients-of-34-layers -->: to 2.2 ·
#   10⁻² <!-- claim: gradients-on-the-page -->. So the first story has a true core: skips *can* cure vanishing
#   gradients.
# - But batch norm alone cures them as well. In the plain network with batch norm the first layers do not get less than
#   the last. They get *more* <!-- claim: gradients-of-34-layers -->, 50 times as
#   much <!-- claim: gradients-on-the-page -->. Where there is batch norm, the skips have nothing to cure. (Batch norm
#   divides by the size of the weights in front of it, so He's weights change this line by a factor of
#   two <!-- claim: gradients-on-the-page -->, and not by powers of ten.)
#
# What we did not do is train the second network, with skips and without batch norm. It would show how far the skips'
# cure carries.
#
# The line of the plain network with batch norm even climbs towards the image, layer by layer within each
# stage <!-- claim: gradients-of-34-layers -->. That is a known effect of batch norm in deep stacks
# ([Yang et al., 2019](https://arxiv.org/abs/1902.08129)), and an exercise derives its slope. If anything is wrong with
# these gradients, they are too uneven, and not too small.

# %% [markdown]
# ## Does deeper get worse?
#
# Now the second story. Degradation is a statement about *training* error: the deeper plain network fits its training
# images less well than the shallower one. So we train four networks, as the paper did in its figure 4: 18 and 34
# layers, plain and with skips. Ours have a fraction of the width, and see some of CIFAR-10 for a few epochs. The paper
# had all of ImageNet, the full width, and up to 600,000 <!-- claim: imagenet-steps-of-the-paper --> steps. Its skips
# were cheaper here, too: where the channels double, it filled up with zeros, its option A. So its pairs had the same
# number of parameters. Ours have projections.
#
# All four get the same recipe: Adam, a rate of 0.001 that rises and falls as in chapter 2, the same images in the same
# order, and 16-bit numbers where the machine is built for them, as in chapter 3. No augmentation: the question is what
# they can fit. Each runs with several seeds.
#
# Write down your guess as an order: which of the four will have the lowest training loss at the end, and which the
# highest?

# %%
draw = torch.Generator().manual_seed(0)
chosen = torch.randperm(len(pictures.train), generator=draw)
pupils = pictures.train.select(chosen[: deep["images"]])
contestants = {
    "plain-18": {"counts": (2, 2, 2, 2), "skip": False},
    "plain-34": {"counts": (3, 4, 6, 3), "skip": False},
    "ResNet-18": {"counts": (2, 2, 2, 2), "skip": True},
    "ResNet-34": {"counts": (3, 4, 6, 3), "skip": True},
}


def build(counts, skip):
    return models.ResNet(
        models.BasicBlock,
        counts,
        num_classes=10,
        width=deep["width"],
        stem="cifar",
        skip=skip,
    )


def train_deep(name, seed):
    training.set_seed(seed)
    network = build(**contestants[name])
    history = training.fit(
        network,
        pupils,
        epochs=deep["epochs"],
        learning_rate=0.001,
        schedule=training.one_cycle,
        optimizer=adam,
        precision="auto",
        seed=seed,
        show=False,
    )
    return network, history


# %%
deep_histories, deep_answers, deep_losses, trained = {}, {}, {}, {}
learned = pupils.select(range(min(2_000, len(pupils))))
for name in contestants:
    deep_histories[name], deep_answers[name], deep_losses[name] = [], [], []
    for seed in range(deep["seeds"]):
        network, history = train_deep(name, seed)
        answer = training.predict(network, pictures.val)
        training.record(name, history, answer, pictures, split="validation")
        deep_histories[name].append(history)
        deep_answers[name].append(answer)
        deep_losses[name].append(training.evaluate(network, learned).loss)
        trained.setdefault(name, network)
    print(f"{name}: done for {deep['seeds']} seeds")

# %% tags=["hide-input", "card"]
figure, panels = plots.new_figure(1, 2, width=7.3, height=3.4, sharey=True)
said = []
for axes, kind in zip(panels, ("plain", "ResNet"), strict=True):
    for depth, colour in ((18, plots.BLUE), (34, plots.ORANGE)):
        name = f"{kind}-{depth}"
        losses = pd.DataFrame(
            {
                seed: history.to_frame()["train_loss"]
                for seed, history in enumerate(deep_histories[name])
            }
        )
        axes.plot(losses, color=colour, linewidth=0.8, alpha=0.5)
        style = {"color": colour, "linewidth": 2.2, "marker": "o"}
        axes.plot(losses.mean(axis=1), label=name, **style)
        start, end = losses.mean(axis=1).iloc[[0, -1]]
        said.append(f"{name} from {start:.3f} to {end:.3f}")
    axes.set(xlabel="epoch", xticks=range(1, deep["epochs"] + 1))
    axes.legend(frameon=False, fontsize=11)
panels[0].set_ylabel("training loss")
plots.finish(
    figure,
    "Training loss by epoch, mean over seeds, plain networks left, "
    f"ResNets right: {'; '.join(said)}.",
)

# %% [markdown]
# Thick lines are means, thin ones single seeds. This loss is gathered during the epoch, over weights that change, as in
# every chapter. To judge, we measure it once more at the end, with the final weights, on 2,000 of the training images.

# %%
losses = pd.DataFrame(deep_losses)
deep_accuracies = pd.DataFrame(
    {
        name: [answer.accuracy for answer in answers]
        for name, answers in deep_answers.items()
    }
)
pd.DataFrame(
    {
        "training loss": losses.mean().map("{:.3f}".format),
        "its spread": losses.std().map("{:.3f}".format),
        "validation accuracy": deep_accuracies.mean().map("{:.1%}".format),
        "spread": deep_accuracies.std().map("{:.1%}".format),
    }
)

# %% [markdown]
# Differences are what the stories are about. Runs with the same seed saw the images in the same order, so we take the
# difference seed by seed.

# %%
# Goal 7: is deeper worse in training, and what do skips change?
pairs = [
    ("plain-34", "plain-18"),
    ("ResNet-34", "ResNet-18"),
    ("ResNet-34", "plain-34"),
    ("ResNet-18", "plain-18"),
]
rows = {}
for one, other in pairs:
    gap = losses[one] - losses[other]
    clear = abs(gap.mean()) > 2 * gap.std() and gap.gt(0).nunique() == 1
    rows[f"{one} less {other}"] = {
        "training loss": f"{gap.mean():+.3f} ± {gap.std():.3f}",
        "seeds in which it is higher": f"{gap.gt(0).sum()} of {len(gap)}",
        "clear": "yes" if clear else "no",
    }
pd.DataFrame(rows).T

# %% [markdown]
# The last column calls a difference clear if it has the same sign in all seeds and is more than twice its spread. That
# is a rule of thumb, and weaker than the rule of this book, by which zero must lie outside the
# 95 % t interval of the pairs. With three seeds its half-width is
# 2.5 <!-- claim: minivgg-three-seeds --> spreads. The next table applies it to the published records: to the loss of
# the last epoch, gathered during training, and to validation accuracy.

# %% tags=["drawn"]
# the published records, with 95 % t intervals of the pairs
recorded = {}
for line in records.read(records.results_folder() / "06-resnet.jsonl"):
    recorded.setdefault(line["name"], {})[line["seed"]] = {
        "loss": line["epochs"][-1]["train_loss"],
        "accuracy": 100 * line["final"]["accuracy"],
    }
intervals = {}
for one, other in (
    ("plain-34", "plain-18"),
    ("ResNet-34", "ResNet-18"),
    ("ResNet-34", "plain-34"),
    ("ResNet-18", "plain-18"),
):
    deep_net, base = (pd.DataFrame(recorded[name]).T for name in (one, other))
    loss, accuracy = (
        records.difference(deep_net[measure], base[measure])
        for measure in ("loss", "accuracy")
    )
    intervals[f"{one} less {other}"] = {
        "loss of the last epoch": f"{loss[0]:+.3f} ± {loss[1]:.3f}",
        "validation accuracy, in points": f"{accuracy[0]:+.1f} "
        f"± {accuracy[1]:.1f}",
    }
pd.DataFrame(intervals).T

# %% [markdown]
# The first row stands: plain-34 has the higher loss, by 0.514 ± 0.142 <!-- claim: plain-34-less-plain-18 -->. With
# skips the penalty is gone or nearly so: 0.053 ± 0.055 <!-- claim: resnet-34-less-resnet-18 -->, which is undecided.
# But there is no gain from depth either.
#
# And the gradients of the two deep networks, now that they are trained?

# %%
for name in ("plain-34", "ResNet-34"):
    training.set_seed(0)
    fresh = build(**contestants[name]).to(device)
    for when, network in (("before", fresh), ("after", trained[name])):
        seen = analysis.signals(network, images, labels)
        gradient = seen["gradient rms"].drop("fc")
        gradient = gradient[~gradient.index.str.contains("downsample")]
        ratio = gradient.iloc[0] / gradient.iloc[-1]
        print(
            f"{name}, {when} training: first over last {ratio:.2g}, "
            f"smallest {gradient.min():.1e}"
        )

# %% [markdown]
# ## Which story holds?
#
# **Vanishing gradients** would show as a first layer that gets far less than the last: a ratio many powers of ten below
# one. Plain-34's first layer gets 97 times as much as its last before training, and 70 times as much after
# it <!-- claim: gradients-after-training -->. (Above it was 50. There we drew PyTorch's weights, and here our library
# draws He's.) So whatever holds plain-34 back, it is not a gradient that fails to arrive.
#
# **Degradation** would show as a first row that is above zero, and it is: at the end the training loss of plain-34 is
# 1.67, against 1.11 for plain-18 <!-- claim: losses-on-the-page -->. More layers, gradients that did not vanish, a
# *higher training* loss. But this is a picture after 316 steps <!-- claim: resnet-steps -->. A network that only learns
# more slowly would look the same, and the table cannot tell the two apart. Plain-34 was still learning: its loss fell
# from 2.23 <!-- claim: plain-34-first-loss --> in the first epoch to 1.72 <!-- claim: plain-34-last-loss --> in the
# last. In the paper the training error of the deeper plain network was higher all
# along <!-- claim: degradation-in-the-paper -->, and three times as many steps did not close the
# gap <!-- claim: longer-training-in-the-paper -->. On validation images the paper's gap is small:
# 27.9 % <!-- claim: plain18-error-in-the-paper --> are wrong with 18 plain layers,
# 28.5 % <!-- claim: plain34-error-in-the-paper --> with 34.
#
# **The skip's effect** is in the other rows. With skips the penalty for depth is gone: the final training losses are
# 0.886 with 34 layers and 0.887 with 18 layers <!-- claim: losses-on-the-page -->. And skips help at both depths.
# ResNet-34 ends 0.71 ± 0.21 <!-- claim: plain-34-less-resnet-34 --> below plain-34, ResNet-18
# 0.25 ± 0.02 <!-- claim: plain-18-less-resnet-18 --> below plain-18, projections included. One result of the paper we
# did not get, its main one: that the deeper ResNet becomes the *better* one,
# 27.9 % <!-- claim: resnet18-error-in-the-paper --> wrong with 18 layers and skips and
# 25.0 % <!-- claim: resnet34-error-in-the-paper --> with 34. On our validation images ResNet-34 has
# 50.1 ± 2.0 % <!-- claim: resnet-34-accuracy -->, ResNet-18 52.8 ± 0.4 % <!-- claim: resnet-18-accuracy -->, a
# difference of −2.7 ± 5.1 points <!-- claim: resnet-34-accuracy-less-18 -->: undecided, and no gain in sight after so
# few steps on 10,000 <!-- claim: resnet-pictures --> images.
#
# You may have read that without skips a network can't go much deeper than VGG's 19 layers <!-- claim: B.7 -->, since no
# gradient would reach its first ones. With batch norm it does, and plain-34 does learn, only worse.
#
# And with more than 50 layers? The study `skip-and-norm` trains the paper's networks for CIFAR-10, of 20 and of 56 layers, at
# half of their width: 10,000 photographs, flipped and cropped, 16 epochs, one rate that falls to zero, five seeds. A line is the
# mean, the band goes from the lowest to the highest.

# %% tags=["drawn"]
from course_lib.records import studies

curves = studies.curves("skip-and-norm")[["name", "epoch", "train_loss"]]
both = curves[curves["name"].str.startswith(("20", "56"))].assign(
    name=lambda rows: rows["name"].str.removesuffix(", batch norm")
)
skips = both["name"].str.endswith("skips")
plots.mean_curves({"without skips": both[~skips], "with skips": both[skips]})

# %% [markdown]
# > **What we found.** The plain network of 56 layers ends at a training loss of 2.13 <!-- claim: plain-56-loss -->, the one of 20 at
# > 1.38 <!-- claim: plain-20-loss -->. The deeper one is 0.76 ± 0.09 <!-- claim: plain-56-less-20 --> higher. With skips the difference
# > is 0.08 ± 0.06, <!-- claim: skips-56-less-20 --> and 56 layers end at 1.30. <!-- claim: skips-56-loss -->
#
# So in these networks the penalty for depth is there after four times as many steps, too, and skips take most of it away.
#
# Two more doubts. Perhaps another learning rate would suit the deeper network better. All four had the same, as in the
# paper. And the paper took its steps by the gradient itself, with momentum. Ours are Adam's, which evens out the sizes
# of gradients.
#
# So what is a fair sentence? Skips *can* cure vanishing gradients. Here they did not need to: batch norm and better
# first weights had done that, months before the paper. Its claim is that skips make deep networks *easier to train*,
# and our rows show that for a few hundred steps. Why exactly is still discussed: doing nothing is within easy reach of
# each block, gradients are more even, the loss has a smoother surface
# ([Li et al., 2018](https://arxiv.org/abs/1712.09913)).

# %% [markdown]
# ## A small ResNet for digits
#
# Does MNIST need 34 layers? The comparison from above says no <!-- claim: C.9 -->, and cut ResNet-34 down: one block a
# stage, a stem of 3 × 3 with a smaller stride, no first pool <!-- claim: C.6 -->. How many channels it kept is not
# stated. It reports 98.9 % <!-- claim: C.6 --> on the test digits after 235 seconds <!-- claim: C.6 -->, where
# ResNet-34 had 99.2 % <!-- claim: C.4 --> after 2,815 <!-- claim: C.4 -->. (F1 is 0.989 <!-- claim: C.6 --> and
# 0.991 <!-- claim: C.4 -->. The same report's small VGG, in chapter 5, took 199 seconds <!-- claim: C.5 -->.) It adds
# two sentences: 93 % <!-- claim: C.6 --> of the time saved, performance not affected <!-- claim: C.6 -->. Check both.

# %% tags=["nbval-check-output"]
saved = 1 - 235 / 2_815
errors_before, errors_after = 1 - 0.992, 1 - 0.989
more = errors_after / errors_before - 1
print(f"time saved: {saved:.1%}, not 93 %")
print(f"errors: {errors_before:.1%} before, {errors_after:.1%} after")
print(f"that is {more:.1%} more errors")

# %% [markdown]
# Three digits in a thousand look like nothing. As errors they are three *more*, where there were eight. Where nearly
# all is right, count errors.
#
# One more sentence can be checked by thinking. In the first epochs of ResNet-34 the validation loss lay above the
# training loss; after the third, both begin to settle and approach each other <!-- claim: C.4 -->. The report calls the
# beginning overfitting. But overfitting grows with training. A gap that closes is something else.
#
# Our small ResNet has the same plan and a quarter of the usual channels: 16, 32, 64, 128.

# %%
plots.architecture_drawing(
    models.resnet_small(width=0.25), (1, 28, 28), title="ResNet, small"
)

# %% [markdown]
# Its rate is chosen on validation images, with one seed and two rates.


# %%
def train_small(seed, rate):
    training.set_seed(seed)
    network = models.resnet_small(width=0.25)
    history = training.fit(
        network,
        digits.train,
        epochs=small["epochs"],
        learning_rate=rate,
        schedule=training.one_cycle,
        optimizer=adam,
        precision="auto",
        seed=seed,
        show=False,
    )
    return network, history


tried = {rate: train_small(seed=0, rate=rate) for rate in (0.001, 0.004)}
on_validation = {}
for rate, (network, history) in tried.items():
    answer = training.predict(network, digits.val)
    name = f"ResNet, small, rate {rate}"
    training.record(name, history, answer, digits, split="validation")
    on_validation[rate] = answer.accuracy
    print(f"rate {rate}: {answer.accuracy:.2%} on validation")
best_rate = max(on_validation, key=on_validation.get)

# %% [markdown]
# That is a weak choice: 99.22 % <!-- claim: resnet-small-rate-1 --> against 99.33 % <!-- claim: resnet-small-rate-4 -->
# is 14 <!-- claim: resnet-small-rates-apart --> of 12,000 <!-- claim: mnist-validation-images --> images, with one seed
# each, and the higher rate is at the edge of what we tried. It is also more than MiniVGG got, whose rate nobody
# searched. Keep that in mind when the two meet.
#
# The run at the better rate is the first of the race, and others follow with more seeds. Now the test set of MNIST is
# opened. That of CIFAR-10 stays sealed; this chapter did not need it.

# %%
runs = [tried[best_rate]]
runs += [train_small(seed, best_rate) for seed in range(1, small["seeds"])]
test = digits.open_test()
answers = [training.predict(network, test) for network, _ in runs]
for (_, history), answer in zip(runs, answers, strict=True):
    training.record("ResNet, small", history, answer, digits)
accuracies = pd.Series([answer.accuracy for answer in answers])
compared = records.compare(
    "06-resnet", "ResNet, small", accuracies, digits.title
)
print(f"ResNet, small: {compared}")

# %% [markdown]
# On this page that line shows the runs that the book records, so it repeats nothing. In your copy the first number is
# yours. Here is everything that this chapter trained for a comparison. The two data sets have different judges:
# validation images for CIFAR-10, where the question was one of training, and the test set for MNIST.


# %%
def row(title, histories, judged, answers):
    accuracy = pd.Series([one.accuracy for one in answers])
    recipe, seconds = histories[0].recipe, [one.seconds for one in histories]
    return {
        "data": title,
        "training images": f"{recipe['train']:,}",
        "epochs": recipe["epochs"],
        "judged by": judged,
        "accuracy": f"{accuracy.mean():.2%} ± {accuracy.std():.2%}",
        "seeds": len(histories),
        "seconds": f"{sum(seconds) / len(seconds):.1f}",
    }


rows = {
    name: row(
        pictures.title, deep_histories[name], "validation", deep_answers[name]
    )
    for name in contestants
}
histories = [history for _, history in runs]
rows["ResNet, small"] = row(digits.title, histories, "test", answers)
pd.DataFrame(rows).T

# %% [markdown]
# ## The race so far
#
# The networks of chapters 1 to 6 on MNIST, from the published records.

# %% tags=["drawn"]
# Goal 8: accuracy against cost
racers = {
    "perceptron": "01-mlp",
    "LeNet-5, modern": "02-lenet",
    "AlexNet, small": "03-alexnet",
    "MiniVGG": "05-minivgg",
    "vgg_small": "05-minivgg",
    "ResNet, small": "06-resnet",
}
plots.accuracy_against_cost(records.summary(racers))

# %% [markdown]
# The two costs do not put the networks in the same order. LeNet-5 has the fewest parameters and the fewest
# multiply-adds. The perceptron has more parameters than the small ResNet, and 24 times fewer multiply-adds than it
# does <!-- claim: race-of-costs -->. If memory is scarce, parameters count; if the battery is, multiply-adds do. Seconds
# are missing, for the chapters did not run on one machine. The bars show spreads over seeds, and a bar is not an
# interval of a difference.
#
# The comparison from above concludes that ResNet is faster and better than VGG <!-- claim: C.9 -->. It gives no spread.
# Here the small ResNet reaches 99.39 ± 0.06 % <!-- claim: readme-resnet -->, MiniVGG
# 99.37 ± 0.06 % <!-- claim: readme-minivgg -->. The difference is
# +0.02 ± 0.12 points <!-- claim: resnet-small-less-minivgg -->, by Welch's interval, since the seeds are not the same:
# undecided. To
# `vgg_small` it is +0.29 ± 0.19 points <!-- claim: resnet-small-less-vgg-small -->, with one epoch more and a rate that
# was chosen. Each network runs here by the recipe of its own chapter, so these numbers compare recipes as well. Under
# one recipe, in chapter 5's study `mnist-six`, MiniVGG less the small ResNet is
# +0.19 ± 0.24 points <!-- claim: six-minivgg-less-resnet -->: undecided again. On MNIST little is left to gain. A
# harder data set may tell these networks further apart.

# %% [markdown]
# ## What came after
#
# A map of the years around. The arcs say which idea a network takes up, the colours which question it asks. Blue: how
# deep? Green: which scales? Grey: how to train it? Orange: how cheap?

# %% tags=["hide-input"]
deeper, scales, cheap = plots.BLUE, plots.GREEN, plots.ORANGE
learning = "#666666"
milestones = [
    ("2012", "AlexNet", "large, on a GPU", deeper),
    ("2014", "VGG", "3×3 only, deeper", deeper),
    ("2014", "GoogLeNet", "Inception: several scales at once", scales),
    ("2015", "He's weights", "keep the size of signals", learning),
    ("2015", "batch norm", "restore it in each layer", learning),
    ("2015", "ResNet", "layers that add", deeper),
    ("2017", "MobileNet", "cheap convolutions, for phones", cheap),
    ("2018", "MobileNetV2", "the same with skips", cheap),
    ("2019", "EfficientNet", "depth, width and side in balance", cheap),
]
links = [(0, 1), (0, 2), (1, 5), (3, 5), (4, 5), (5, 7), (6, 7), (7, 8)]
figure, axes = plots.new_figure(width=7.0, height=4.6)
for start, end in links:
    arrow = {"arrowstyle": "-|>", "color": "#888888", "shrinkB": 5}
    arrow["connectionstyle"] = f"arc3,rad={0.9 / math.sqrt(end - start):.2f}"
    axes.annotate("", (0, -end), (0, -start), arrowprops=arrow)
for place, (year, name, idea, colour) in enumerate(milestones):
    axes.plot(0, -place, "o", color=colour, markersize=10)
    axes.text(0.25, -place, year, va="center", fontsize=13)
    style = {"va": "center", "fontsize": 13, "color": colour}
    axes.text(1.1, -place, name, fontweight="bold", **style)
    axes.text(3.25, -place, idea, va="center", fontsize=13)
axes.set(xlim=(-1.0, 7.6), ylim=(-len(milestones) + 0.4, 0.6))
axes.set_axis_off()
said = [f"{name} ({year}): {idea}" for year, name, idea, _ in milestones]
arcs = [f"{milestones[one][1]} to {milestones[two][1]}" for one, two in links]
plots.finish(
    figure, f"Timeline. {'; '.join(said)}. Arcs go from {', '.join(arcs)}."
)

# %% [markdown]
# - GoogLeNet ([Szegedy et al., 2014](https://arxiv.org/abs/1409.4842)) has blocks that look at 1 × 1, 3 × 3 and 5 × 5
#   at once. A note calls it a descendant of VGG <!-- claim: B.11 -->. It is of the same year, won that year's
#   competition, and VGG came second <!-- claim: B.1 -->.
# - ResNet won in the year after, with 3.57 % <!-- claim: resnet-contest-error --> of the test images wrong in five
#   guesses. That was an ensemble of several ResNets, not one.
# - MobileNet ([Howard et al., 2017](https://arxiv.org/abs/1704.04861)) splits a convolution into a cheap part for each
#   channel and a 1 × 1 that mixes them. MobileNetV2 ([Sandler et al., 2018](https://arxiv.org/abs/1801.04381)) adds
#   skips between its narrow layers.
# - EfficientNet ([Tan and Le, 2019](https://arxiv.org/abs/1905.11946)) asks how to spend a budget: on depth, width or
#   larger images? It grows all three together.
#
# Skips outlived the networks that they came from. Most deep networks since have them.

# %% [markdown]
# ## Exercises
#
# Write down your guess first. Then run your code. Then open the solution.

# %% [markdown]
# ### Exercise 1: What the skips of ResNet-50 cost
#
# In ResNet-50 the first block of *every* stage needs a projection: from 64 to 256 channels, to 512, to 1,024, to
# 2,048. How many parameters is that, batch norms included? Check it against two networks. `models.ResNet` takes
# `skip=False`.

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# Each projection from $m$ to $n$ channels has $m n$ weights, and its batch norm has $2 n$. The last one alone has two
# million <!-- claim: resnet50-last-projection -->. A bottleneck is cheap because it is narrow in the middle; a
# projection goes from wide to wide.
#
# </details>

# %% tags=["solution", "nbval-check-output"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
with torch.device("meta"):
    bare = models.ResNet(models.Bottleneck, (3, 4, 6, 3), skip=False)
cost = costs["ResNet-50"][0] - analysis.count_parameters(bare)
steps = [(64, 256), (256, 512), (512, 1024), (1024, 2048)]
assert cost == sum(m * n + 2 * n for m, n in steps)
print(f"{cost:,}, or {cost / costs['ResNet-50'][0]:.1%} of ResNet-50")

# %% [markdown]
# ### Exercise 2: Where the stride stands
#
# In the paper, the first 1 × 1 of a stage has the stride of 2. In torchvision and here, the 3 × 3 has it. Which form
# has more parameters? Which costs more multiply-adds? Change a `resnet50` and count. Which pixels does the paper's
# form never read?

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# A stride is no weight, so the parameters are the same. In the paper's form the first 1 × 1 already works on a quarter
# of the places, so it is cheaper by 5.7 % <!-- claim: resnet50-stride-saves -->. But a window of 1 × 1 with stride 2
# reads every other place in each row and each column, and the other three quarters are lost to the block. (The
# projection skips the same ones.) A window of 3 × 3 with stride 2 reads them all.
#
# </details>

# %% tags=["solution", "nbval-check-output"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
with torch.device("meta"):
    paper = models.resnet50()
for stage in (paper.layer2, paper.layer3, paper.layer4):
    stage[0].conv1.stride, stage[0].conv2.stride = (2, 2), (1, 1)
theirs = analysis.count_multiply_adds(paper, (3, 224, 224))
parameters, ours = costs["ResNet-50"]
assert analysis.count_parameters(paper) == parameters
print(f"torchvision's form {ours:,} multiply-adds")
print(f"the paper's form   {theirs:,}, {1 - theirs / ours:.1%} less")

# %% [markdown]
# ### Exercise 3: The shortest path
#
# The longest path of ResNet-34 sees 899 <!-- claim: resnet34-view --> pixels. The shortest takes the skip in every
# block. How many pixels does it see? Build that path as an `nn.Sequential` and check.

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# The stem sees 7 pixels and the pool makes it 11. Most skips do nothing, and the three projections are windows of
# 1 × 1, which add nothing. So 11 <!-- claim: resnet34-shortest-path -->. The jump grows all the same, to 32: the
# shortest paths see a small window every 32 pixels.
#
# </details>

# %% tags=["solution", "nbval-check-output"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
stages = (thin.layer2, thin.layer3, thin.layer4)
projections = [stage[0].downsample for stage in stages]
shortest = nn.Sequential(thin.conv1, thin.maxpool, *projections)
side = analysis.receptive_field_by_gradient(shortest)
print(analysis.receptive_field(shortest)["receptive field"].tolist())
print(f"by gradient: {side} pixels")
assert side == 11

# %% [markdown]
# ### Exercise 4: How fast do plain gradients climb?
#
# In a plain stack with batch norm the gradient grows from layer to layer on its way back. By which factor? Derive it,
# for many channels and random weights:
#
# - ReLU lets half of the units pass. What does that do to the mean square of the gradient?
# - Batch norm divides by the standard deviation of its input, so the gradient is divided by it, too. Its input is a
#   random sum of rectified normal numbers. For a normal number $z$, the variance of $\max(0, z)$ is $\frac{1}{2} -
#   \frac{1}{2\pi}$.
#
# Then measure it in `layer3` of plain-34, whose twelve convolutions have maps of one size.

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# The weights multiply signals and gradients alike, so they cancel. What is left of the mean square is $\frac{1}{2}$
# from ReLU, over $\frac{1}{2} - \frac{1}{2\pi}$ from batch norm, which is $\frac{\pi}{\pi - 1} \approx 1.47$. The size
# is its root, 1.21 <!-- claim: plain-growth-a-layer --> a layer: about 460 <!-- claim: plain-growth-in-all --> over the
# 32 steps between 33 convolutions. The ratio that we measured is smaller <!-- claim: gradients-of-34-layers -->. Three
# of the steps have a stride of 2, and take a half each, as VGG's pools did: 460 / 8 is about
# 57 <!-- claim: plain-growth-with-strides -->. Our layers are narrow and our batch is small, so expect no more than its
# order of magnitude. Measured in `layer3`, it is 1.168 <!-- claim: plain-growth-measured --> a layer. With skips it is
# slower, as expected, 1.033 <!-- claim: skips-growth-measured -->, because a part of the signal goes round the layers.
#
# </details>

# %% tags=["solution"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
print(f"predicted: {math.sqrt(math.pi / (math.pi - 1)):.3f} a layer")
for name in ("plain, batch norm", "skips, batch norm"):
    gradient = chains[name]["gradient rms"].filter(like="layer3.")
    growth = (gradient.iloc[0] / gradient.iloc[-1]) ** (1 / 11)
    print(f"{name}: {growth:.3f} a layer")

# %% [markdown]
# ### Exercise 5: Start as the identity
#
# In a fresh ResNet-34, set the weight of each block's last batch norm, `bn2.weight`, to zero. What does a block
# without a projection now do to its input? And of 36 convolutions, projections included, how many get a gradient of
# exactly zero in the first step? Is the network stuck?

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# The batch norm's output is its bias, zero. So the block returns ReLU of $x$. Its input came out of a ReLU, so it is
# $x$ itself: the block is the identity, exactly. Backwards the same zero stops the gradient, so both convolutions of
# all 16 blocks get none, 32 in all. The stem and the three projections get theirs. The network is not stuck:
# `bn2.weight` itself has a gradient, so after one step it is not zero any more. Many recipes start ResNets like this.
# They grow from a shallow network to a deep one.
#
# </details>

# %% tags=["solution", "nbval-check-output"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
training.set_seed(0)
network = models.resnet34(10, width=1 / 16, stem="cifar").to(device)
blocks = [m for m in network.modules() if isinstance(m, models.BasicBlock)]
for block in blocks:
    nn.init.zeros_(block.bn2.weight)
into = torch.rand(2, 4, 8, 8, device=device)  # not negative, as after ReLU
with torch.no_grad():
    assert torch.equal(network.layer1(into), into)
seen = analysis.signals(network, images, labels)
still = seen["weight gradient rms"][seen["type"] == "Conv2d"] == 0
print("the first stage is the identity")
print(f"{still.sum()} of {len(still)} convolutions get no gradient")
assert still.sum() == 2 * len(blocks)

# %% [markdown]
# ### Exercise 6: Take a block out
#
# A network with skips is a sum of many paths. What happens to its accuracy if you replace one block of the *trained*
# ResNet-34 by nothing? And in the trained plain-34? Guess both. Take a block in the middle of `layer3`, where the
# shape does not change, and judge on the validation images of CIFAR-10.

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# In the plain network each block gets its input in a form of its own, which only the block before knows how to make.
# Take that away and the rest works on something that it never saw. With skips, the block after still gets most of what
# it expects. [Veit et al., 2016](https://arxiv.org/abs/1605.06431) found that single blocks of a ResNet can be removed
# at little loss. On this page plain-34 falls from 36.5 % <!-- claim: plain-34-whole --> to something between 10 and 20,
# ResNet-34 from 53.6 % <!-- claim: resnet-34-whole --> to between 38 and 51, on
# 1,000 images <!-- claim: blocks-out -->. The front blocks of the stage cost something, the last ones little. It is one
# seed and a short training, and with a network that has learned little, there is little to lose.
#
# </details>

# %% tags=["solution"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
judges = pictures.val.select(range(min(1_000, len(pictures.val))))
for name in ("plain-34", "ResNet-34"):
    whole = training.evaluate(trained[name], judges).accuracy
    without = []
    for place in range(1, 6):
        cut = copy.deepcopy(trained[name])
        cut.layer3[place] = nn.Identity()
        without.append(training.evaluate(cut, judges).accuracy)
    print(f"{name}: whole {whole:.1%}")
    print("  without one block:", ", ".join(f"{a:.1%}" for a in without))

# %% [markdown]
# ## What to remember
#
# - Degradation is a matter of *training* error: a deeper network that fits its training images worse. Overfitting is
#   something else: a good fit to them, and a bad one to other images.
# - A residual block learns what to add to its input. Doing nothing is its easiest task.
# - Vanishing gradients are measured, layer by layer, and not assumed. Larger first weights, batch norm and skips each
#   help against them. Plain-34 with batch norm did not have them <!-- claim: gradients-of-34-layers -->, and trained
#   worse than plain-18 all the same, as far as 316 steps <!-- claim: resnet-steps --> can show.
# - Skips save no arithmetic, and those of ResNet-34 cost almost no parameters <!-- claim: skips-add-a-little -->. Its
#   arithmetic is low because its first stages have few channels <!-- claim: resnet-few-channels --> and its stem
#   shrinks the image early <!-- claim: vgg16-work-on-large-maps -->.
# - Multiply-adds are not seconds.
# - A stem must fit the image. ImageNet's leaves only 7 × 7 places of a digit <!-- claim: imagenet-stem-on-digits -->.

# %% [markdown]
# ## References
#
# - ResNet: [He et al., 2016](https://arxiv.org/abs/1512.03385). Blocks that can be left out:
#   [Veit et al., 2016](https://arxiv.org/abs/1605.06431). Loss surfaces:
#   [Li et al., 2018](https://arxiv.org/abs/1712.09913).
# - First weights: [He et al., 2015](https://arxiv.org/abs/1502.01852). Batch norm:
#   [Ioffe and Szegedy, 2015](https://arxiv.org/abs/1502.03167); its gradients:
#   [Yang et al., 2019](https://arxiv.org/abs/1902.08129).
# - VGG: [Simonyan and Zisserman, 2014](https://arxiv.org/abs/1409.1556). GoogLeNet:
#   [Szegedy et al., 2014](https://arxiv.org/abs/1409.4842).
# - MobileNet: [Howard et al., 2017](https://arxiv.org/abs/1704.04861),
#   [Sandler et al., 2018](https://arxiv.org/abs/1801.04381). EfficientNet:
#   [Tan and Le, 2019](https://arxiv.org/abs/1905.11946).
