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
# A network of 56 layers that is exactly as good as one of 20 *exists*: take the trained 20, and add 36 that pass on what they get. Does
# training find it? Here both depths learn from 10,000 small photographs. A line is the mean of five runs, a band their range:

# %% tags=["install"]
import sys

if "google.colab" in sys.modules:
    address = "git+https://github.com/convnets-measured/convnets-measured"
    get_ipython().run_line_magic("pip", f"install --quiet {address}")

# %% tags=["drawn", "card", "remove-input"]
from course_lib import plots
from course_lib.records import studies

curves = studies.curves("skip-and-norm")[["name", "epoch", "train_loss"]]
curves = curves[curves["name"].str.startswith(("20", "56"))]
skips = curves["name"].str.contains("skips")
curves["name"] = curves["name"].str.partition(",")[0]
plots.mean_curves(
    {"Layers that replace": curves[~skips], "Layers that add": curves[skips]}
)

# %% [markdown]
# On the left, the deeper network ends at a training loss of 2.13, <!-- claim: plain-56-loss --> the other at
# 1.38. <!-- claim: plain-20-loss --> (Guessing has 2.30.) This is not overfitting: they are judged by the images that they learn from. On
# the right the layers are almost the same, but pairs of them *add* to their input instead of replacing it. The penalty for depth shrinks to
# 0.08 ± 0.06. <!-- claim: skips-56-less-20 -->
#
# In 2015, a year after VGG's 19 layers, networks with this change won ImageNet's contest ([He et al.,
# 2016](https://arxiv.org/abs/1512.03385)), with up to 152 layers. <!-- claim: B.9 --> Why does it work? Many texts answer: because
# gradients would vanish without it. <!-- claim: B.6 --> This chapter tests that.
#
# > **What you will be able to do.**
# > Each goal is answered by the cell whose first line has its number.
# >
# > 1. Turn layers that replace into layers that add, and see a network train that failed to before.
# > 2. Find out, layer by layer, whether gradients vanish, and what brings them back.
# > 3. Tell vanishing gradients from degradation, by training.
# > 4. Write a residual block, and count what its skip costs.
# > 5. Tell the ResNets apart by their layers, parameters and work.
# > 6. Choose the first layers for small images.
# > 7. Train a small ResNet, and place it among the networks of chapters 1 to 5.
#
# To run it yourself, open it in Colab: 5 min <!-- claim: resnet-time --> on two CPU cores, 1.4 GB <!-- claim: resnet-memory --> of memory.
# `PROFILE = "quick"` takes half a minute, on a sample, and gives other numbers.

# %% tags=["parameters"]
PROFILE = "auto"

# %% tags=["hide-input"]
import warnings

import torch
from course_lib import analysis, data, live, models, plots, records, training
from course_lib.profiles import resolve_profile
from course_lib.records import studies
from torch import nn
from torch.nn import functional as F

warnings.filterwarnings("ignore", category=training.TrainingWarning)
profile = resolve_profile(PROFILE, without_gpu="cpu")
size = "sample" if profile == "quick" else "full"
digits, photos = (
    data.load("mnist", size=size),
    data.load("cifar10", size=size),
)
if profile == "quick":  # enough to see that the code works
    digits, photos = digits.part(600), photos.part(300)

# %% [markdown]
# ## One edit
#
# So far, each layer replaced its input $x$ by something else, $F(x)$. A *residual block* adds:
#
# $$ y = \text{ReLU}(x + F(x)) . $$
#
# The path on which $x$ goes past $F$ is a *skip*. Here is ResNet's block, with two convolutions:

# %%
block = models.BasicBlock(64, 64, stride=1, skip=True)
plots.residual_blocks({"a residual block": block})

# %% [markdown]
# We begin with something simpler: twenty convolutions in a row, which all replace their input or all add to it, without batch norm, from
# PyTorch's own first weights. The function `layer` says which.


# %%
class TwentyLayers(nn.Module):
    def __init__(self, layer):
        super().__init__()
        self.layer = layer
        self.first = nn.Conv2d(1, 16, 4, stride=2, padding=1)
        self.twenty = nn.ModuleList(
            nn.Conv2d(16, 16, 3, padding=1) for number in range(20)
        )
        self.last = nn.Linear(16 * 7 * 7, 10)

    def forward(self, x):
        x = self.first(x)
        for convolution in self.twenty:
            x = self.layer(convolution, x)
        return self.last(F.max_pool2d(x, 2).flatten(1))


def plain(convolution, x):
    return convolution(x).relu()


# %% [markdown]
# > **Your turn.** Write `with_skip`, which adds. It is `plain` with one edit.


# %% tags=["your-turn"]
def with_skip(convolution, x):
    # the convolution of x, plus x, and then the ReLU
    ...


x = torch.tensor([-1.0, 2.0])
same = with_skip(torch.zeros_like, x)  # a "convolution" that gives zeros
assert same is not None, "return the result"
assert same[1] == 2, "where the convolution gives 0, x goes on: add x"
assert same[0] == 0, "-1 has to become 0: the ReLU comes last"
none = with_skip(torch.neg, x)  # one that gives -x
assert none[1] == 0, "add first, and take the ReLU of the sum"


# %% tags=["finished"] cellView="form" jupyter={"source_hidden": true}
# @title One way to write it
def with_skip(convolution, x):
    return (convolution(x) + x).relu()


# %% [markdown]
# Both networks start from the same weights, and see 12,000 <!-- claim: twenty-digits --> digits three times, both in the same order.
#
# > **Your guess.** What share of the validation digits does the *plain* network read?
# > <!-- guess: twenty-plain, 0 to 100 % -->

# %%
# Goal 1: twenty layers, with one edit
some = digits.train.select(range(min(12_000, len(digits.train))))
options = {"learning_rate": 0.002, "schedule": training.one_cycle}
options |= {"precision": "auto", "show": False}
histories = {}
for name, layer in {"plain": plain, "with skips": with_skip}.items():
    training.set_seed(0)
    network = TwentyLayers(layer)
    history = training.fit(network, some, digits.val, epochs=3, **options)
    answers = training.predict(network, digits.val)
    words = f"twenty layers, {name}"
    training.record(words, history, answers, digits, split="validation")
    histories[name] = history
plots.compare_curves(histories, "val_accuracy")

# %% [markdown]
# > **What we found.** 11.2 %: <!-- claim: twenty-plain --> it has learned next to nothing, since guessing reads one in ten. With skips the
# > same layers read 96.6 %. <!-- claim: twenty-skips --> (One seed.)
#
# ## Where the gradient goes
#
# Why? On its way back a gradient is multiplied by the derivative of each layer. Take $x$ as a single number, and leave out the ReLU after
# the sum. Then a layer that replaces multiplies by $F'(x)$, and one that adds by $1 + F'(x)$. Over many layers that makes
#
# $$ \frac{\partial L}{\partial x_1} = \frac{\partial L}{\partial x_n} \prod_i F_i'
#    \qquad \text{against} \qquad
#    \frac{\partial L}{\partial x_1} = \frac{\partial L}{\partial x_n} \prod_i \left( 1 + F_i' \right) . $$
#
# PyTorch's weights have a variance of $1/(3n)$ for $n$ inputs, and ReLU halves a mean square, so a layer keeps
# $\sqrt{1/6} = 0.41$ <!-- claim: relu-keeps --> of a signal's size (chapter 3), and, with as many outputs as inputs, of a gradient's.
# Twenty layers keep $6^{-10}$, a sixty-millionth. Now multiply the brackets out: one term is 1, the way along all skips. It never shrinks;
# the others add to it. (They may cancel it, and the ReLUs that we left out close the way where a sum is negative.)
#
# Here is the gradient with respect to each layer's output, for one batch and untrained networks:

# %%
# Goal 2a: the gradient after each layer of both
images = digits.train.normalize(digits.train.images[:128])
labels = digits.train.labels[:128]
chains = {}
for name, layer in {"plain": plain, "with skips": with_skip}.items():
    training.set_seed(0)
    chains[name] = analysis.signals(TwentyLayers(layer), images, labels)
    gradient = chains[name]["gradient rms"]
    kept = gradient.iloc[0] / gradient.iloc[-2]
    print(f"{name}, first over last gradient: {kept:.1e}")
plots.signal_chain(chains)

# %% [markdown]
# (A height is the root of a gradient's mean square; on the logarithmic axis a straight slope is the same factor in every layer. Layer 22 is
# the linear one.) The plain network's first layer gets 7.4 <!-- claim: twenty-plain-powers --> powers of ten less than its last
# convolution: its gradient *vanishes*. With skips it does not.
#
# Try it with numbers. Make the weights of $F$ small, and take the skips away:

# %% tags=["drawn"]
live.residual_block()

# %% [markdown]
# ## Is a skip the only cure?
#
# So skips *can* cure vanishing gradients. But the networks that ResNet was compared with already had another cure: *batch norm*, after
# every convolution (chapter 4). It subtracts each map's mean, over a batch's images and all positions, and divides by the standard
# deviation. (Then it multiplies by a learned `weight`, at first 1, and adds a learned `bias`, at first 0.) If a convolution's weights are
# too small, so is the standard deviation of its maps. Signals are divided by it, and so are gradients on their way back.
#
# We take ResNet-34's 34 layers, with and without skips, with and without batch norm, all with PyTorch's small weights. (They are a quarter
# as wide as the paper's, with first layers for small images.)
#
# > **Your guess.** In which of the four does the first convolution get less than a thousandth of the last one's gradient?
# >
# > - In the plain one without batch norm only. <!-- answer: vanishing-of-four -->
# > - In both plain ones.
# > - In both without batch norm.
# > - In all but the one that has both.


# %%
def without_norm(network):
    for name, layer in list(network.named_modules()):
        if isinstance(layer, nn.BatchNorm2d):
            network.set_submodule(name, nn.Identity())
    return network


def with_torch_weights(network):
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            layer.reset_parameters()
    return network


# %%
# Goal 2b: the gradients of four networks of 34 layers
images = photos.train.normalize(photos.train.images[:128])
labels = photos.train.labels[:128]
kinds = {"plain": models.plain34, "skips": models.resnet34}
chains = {}
for norm in (False, True):
    for kind, build in kinds.items():
        training.set_seed(0)
        network = with_torch_weights(build(10, width=0.25, stem="cifar"))
        if not norm:
            network = without_norm(network)
        seen = analysis.signals(network, images, labels)
        name = f"{kind}, {'batch norm' if norm else 'no norm'}"
        chains[name] = seen[~seen.index.str.contains("downsample")]
        gradient = chains[name]["gradient rms"].drop("fc")
        ratio = gradient.iloc[0] / gradient.iloc[-1]
        print(f"{name}, first over last gradient: {ratio:.1e}")
plots.signal_chain(chains)

# %% [markdown]
# > **What we found.** In the plain one without batch norm only: 13.6 <!-- claim: plain-no-norm-powers --> powers of ten less. With skips
# > alone it gets 1.7 <!-- claim: skips-no-norm-powers --> powers of ten less, with batch norm alone
# > 1.7 <!-- claim: plain-norm-powers --> powers of ten *more*.
#
# (With skips the line zigzags: the first convolution of each block is inside $F$, and most of the gradient goes past it.)
#
# So with batch norm, before training at least, there is no vanishing gradient for a skip to cure. In the plain network gradients even
# *grow* on their way back, <!-- claim: gradients-of-34-layers --> by a factor that exercise 4 derives. First weights can be a third cure:
# those of chapter 3, He's weights, keep a gradient's size.
#
# ## Then why do plain networks train badly?
#
# Back to the first figure. Its networks are the paper's for CIFAR-10, half as wide, with batch norm and He's weights. Before training, the
# first convolution of the 56 plain layers gets 2,142 times <!-- claim: plain-56-gradient --> the gradient of the last one, and with skips
# 52 times. <!-- claim: skips-56-gradient --> Nothing vanishes there. Still, 56 plain layers fit their images worse than 20.
#
# That is called *degradation*: more layers, higher *training* error. The paper shows it on CIFAR-10 and ImageNet, with batch
# norm. <!-- claim: degradation-in-the-paper --> On ImageNet it found the gradients healthy, and three times as many steps did not close the
# gap. <!-- claim: longer-training-in-the-paper --> Its authors suspect that plain stacks converge very slowly, and find it hard to learn to
# do *nothing*. If blocks add, doing nothing is easy: $F$ has only to become zero.
#
# Here is that idea as a picture, not a measurement. An area is what training reaches with one depth, the star what we want. Without skips a
# deeper network may miss what a shorter one finds:

# %% tags=["drawn"]
plots.reachable_functions()

# %% [markdown]
# To take skips and batch norm apart, the study `skip-and-norm` also trains 18 and 34 layers, an eighth as wide as the paper's, with and
# without each. All start from He's weights and have the same rate. A third kind of block, *zero start*, has skips and begins by adding
# nothing: the last weights of $F$, its last batch norm's where there is one, are zero.
#
# > **Your guess.** Without batch norm, but with He's weights: what do skips do to the training loss of 34 layers?
# >
# > - They lower it, because every block can easily do nothing.
# > - They hardly change it.
# > - They raise it. <!-- answer: skips-without-norm -->

# %% tags=["drawn"]
# Goal 3a: 34 layers, with and without skips and batch norm
curves = studies.curves("skip-and-norm")[["name", "epoch", "train_loss"]]
deep = curves[curves["name"].str.startswith("34 layers, ")]
deep = deep[deep["epoch"] >= 4]  # one of them begins above 100
norm = deep["name"].str.contains("batch norm")
words = r"34 layers, |, batch norm|, no norm"
deep = deep.assign(name=deep["name"].str.replace(words, "", regex=True))
plots.mean_curves({"No batch norm": deep[~norm], "Batch norm": deep[norm]})

# %% [markdown]
# > **What we found.** They raise it, from 1.51 <!-- claim: plain-34-no-norm-loss --> to 1.76, <!-- claim: skips-34-no-norm-loss --> a
# > difference of 0.25 ± 0.10. <!-- claim: skips-less-plain-no-norm --> With a zero start it ends at
# > 1.00. <!-- claim: zero-34-no-norm-loss -->
#
# Why? With He's weights $F(x)$ is as large as $x$ or larger, so each sum is larger than its block's input. There are sixteen blocks in a
# row:


# %%
# Goal 3b: the size of a signal after the first and the last block, untrained
def with_he_weights(network, zero_start=False):
    for name, layer in network.named_modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        if zero_start and name.endswith("conv2"):
            nn.init.zeros_(layer.weight)
    return network


for name, build, zero_start in (
    ("plain", models.plain34, False),
    ("skips", models.resnet34, False),
    ("zero start", models.resnet34, True),
):
    training.set_seed(0)
    network = without_norm(build(10, width=0.125, stem="cifar"))
    network = with_he_weights(network, zero_start)
    first = analysis.feature_maps(network, images, "layer1.0").std()
    last = analysis.feature_maps(network, images, "layer4.2").std()
    loss = F.cross_entropy(network(images), labels).item()
    print(f"{name}: signal from {first:.1f} to {last:.1f}, loss {loss:,.1f}")

# %% [markdown]
# With skips the signal's standard deviation grows to 488, <!-- claim: skips-he-signal --> where the pixels' is 1, and before the first step
# the loss is 905. <!-- claim: skips-he-loss --> Training has to undo that first: the loss is 88 <!-- claim: skips-no-norm-first --> in the
# first epoch. (The figure begins with the fourth.) With batch norm every $F(x)$ has size 1, so the sum grows slowly. With a zero start
# $F(x)$ begins at 0, and the sum does not grow.
#
# And with batch norm? Without skips it does not help at this one rate: 34 layers end at 1.66. <!-- claim: plain-34-norm-loss --> With skips
# they end at 1.15, <!-- claim: skips-34-norm-loss --> and a zero start changes that by −0.17 ± 0.04. <!-- claim: zero-less-skips-norm -->
# So the two best have skips *and* a start at zero; between them, batch norm makes a difference of
# −0.02 ± 0.03. <!-- claim: zero-norm-less-no-norm -->
#
# ## Does depth help?
#
# Now the networks with batch norm, by pairs. A row is a difference of training losses, seed by seed, with its 95 % interval.

# %% tags=["drawn"]
# Goal 3c: what depth and skips change
curves = studies.curves("skip-and-norm").sort_values("epoch")
curves["name"] = curves["name"].str.replace(", batch norm", "")
losses = curves.groupby(["name", "seed"])["train_loss"].last()
pairs = [
    ("34 layers, plain", "18 layers, plain"),
    ("56 layers, plain", "20 layers, plain"),
    ("34 layers, skips", "18 layers, skips"),
    ("56 layers, skips", "20 layers, skips"),
    ("34 layers, skips", "34 layers, plain"),
    ("56 layers, skips", "56 layers, plain"),
]
records.differences(losses, pairs).round(3)

# %% [markdown]
# > **What we found.** Without skips, 34 layers end 0.44 ± 0.06 <!-- claim: plain-34-less-18 --> above 18, and 56 layers
# > 0.76 ± 0.09 <!-- claim: plain-56-less-20 --> above 20. With skips it is 0.05 ± 0.04 <!-- claim: skips-34-less-18 --> and
# > 0.08 ± 0.06. <!-- claim: skips-56-less-20 -->
#
# So deeper plain networks are behind, even with batch norm and gradients that arrive, and skips take most of that away. Would they stay
# behind? Our runs can't tell: 56 plain layers had hardly begun to learn after 1,264 steps. <!-- claim: steps-56 --> In the paper they stay
# behind over tens of thousands.
#
# And does depth then *pay*? On ImageNet the paper's ResNet-34 has an error of 25.0 %, <!-- claim: resnet34-error-in-the-paper --> its
# ResNet-18 one of 27.9 %. <!-- claim: resnet18-error-in-the-paper --> Ours are narrow, and see few small photographs. On validation images,
# 34 layers with skips differ from 18 by −2.4 ± 1.0 points. <!-- claim: skips-34-less-18-accuracy --> So here depth does not pay, even with
# these skips.
#
# A fair summary: skips *can* cure vanishing gradients, and where there is batch norm they need not. With batch norm, or with blocks that
# begin by adding nothing, they make deep networks easier to train. Exactly why is still debated: each block can easily do nothing, which
# fits our zero start; gradients grow less; the loss has a smoother surface ([Li et al., 2018](https://arxiv.org/abs/1712.09913)).

# %% [markdown]
# ## The block
#
# Time to write it. Both convolutions are 3 × 3 with padding 1, and have no bias, since the batch norm after each has one. The second
# ReLU comes after the sum.
#
# > **Your turn.** Write `Block`, for inputs and outputs of `channels` maps. With the library's weights it has to give the library's maps.


# %% tags=["your-turn"]
class Block(nn.Module):
    def __init__(self, channels):
        super().__init__()
        # self.conv1, self.bn1, self.conv2, self.bn2:
        # nn.Conv2d(..., padding=1, bias=False), nn.BatchNorm2d(channels)

    def forward(self, x):
        # conv1, bn1, ReLU, conv2, bn2; then add x; then ReLU
        ...


theirs, yours = models.BasicBlock(8, 8, stride=1, skip=True), Block(8)
names = [name for name, _ in yours.named_parameters()]
wanted = [name for name, _ in theirs.named_parameters()]
assert names == wanted, f"it has {names}, and needs {wanted}"
assert yours.conv1.kernel_size == (3, 3), "a window is 3 × 3"
assert yours.conv1.padding == (1, 1), "padding=1 keeps the side"
yours.load_state_dict(theirs.state_dict())
x = torch.randn(4, 8, 6, 6)
y = yours(x)
assert y is not None, "forward returns the result"
assert y.min() >= 0, "the last step is a ReLU"
nn.init.zeros_(yours.bn2.weight)  # now F(x) is zero
assert torch.equal(yours(x), x.relu()), "add x after bn2, then ReLU"
assert torch.allclose(y, theirs(x)), "conv1, bn1, ReLU, conv2, bn2, + x"


# %% tags=["finished"] cellView="form" jupyter={"source_hidden": true}
# @title One way to write it
class Block(nn.Module):
    def __init__(self, channels):
        super().__init__()
        shape = {"kernel_size": 3, "padding": 1, "bias": False}
        self.conv1 = nn.Conv2d(channels, channels, **shape)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, **shape)
        self.bn2 = nn.BatchNorm2d(channels)

    def forward(self, x):
        residual = self.bn1(self.conv1(x)).relu()
        residual = self.bn2(self.conv2(residual))
        return (residual + x).relu()


# %% [markdown]
# What if a block halves the side and doubles the channels? Then `x` does not fit. A *projection*, a 1 × 1 convolution with the block's
# stride, brings it into the new shape. ResNet-34 has three: from 64 channels to 128, to 256, to 512, each with a batch norm of two numbers
# a channel. An addition has no parameters, so these are all that its skips cost.
#
# > **Your guess.** By how many percent do its skips raise the parameters of ResNet-34?
# > <!-- guess: skips-cost-parameters, 0 to 20 % -->

# %% tags=["nbval-check-output"]
# Goal 4: what the skips of ResNet-34 cost
without = analysis.count_parameters(models.plain34())
network = models.resnet34()
steps = [(64, 128), (128, 256), (256, 512)]
projections = sum(before * after + 2 * after for before, after in steps)
assert analysis.count_parameters(network) == without + projections
print(f"{projections:,} of {without:,} are {projections / without:.1%}")

# %% [markdown]
# > **What we found.** 0.8 %. <!-- claim: skips-cost-parameters -->
#
# ## A family
#
# ResNet-34 is a *stem*, the layers before the blocks, and four *stages* of 3, 4, 6 and 3 blocks. From the second stage on, the first block
# halves the side and doubles the channels. At the end each map is averaged to one number, and one linear layer follows. (VGG's three held
# most of its parameters.) Follow an arc: it begins after one block and ends after the next.

# %%
plots.architecture_drawing(network, (3, 224, 224), title="ResNet-34")

# %% [markdown]
# From 50 layers on, blocks are *bottlenecks*: a 1 × 1 convolution reduces the channels to a quarter, a 3 × 3 works on these, and a 1 × 1
# brings all channels back. For 256 channels that is a seventeenth <!-- claim: bottleneck-weights --> of a basic block's weights.

# %%
bottleneck = models.Bottleneck(256, 64, stride=1, skip=True)
basic = models.BasicBlock(256, 256, stride=1, skip=True)
plots.residual_blocks({"basic block": basic, "bottleneck": bottleneck})

# %% tags=["nbval-check-output"]
# Goal 5: the family, on torch's meta device, where nothing is allocated
basic, bottleneck = models.BasicBlock, models.Bottleneck
with torch.device("meta"):
    family = {
        "ResNet-18": models.ResNet(basic, (2, 2, 2, 2)),
        "ResNet-34": models.ResNet(basic, (3, 4, 6, 3)),
        "plain-34": models.ResNet(basic, (3, 4, 6, 3), skip=False),
        "ResNet-50": models.ResNet(bottleneck, (3, 4, 6, 3)),
        "ResNet-101": models.ResNet(bottleneck, (3, 4, 23, 3)),
        "ResNet-152": models.ResNet(bottleneck, (3, 8, 36, 3)),
        "VGG-16": models.vgg16(),
    }
for name, network in family.items():
    work = analysis.count_multiply_adds(network, (3, 224, 224)) / 1e9
    parameters = analysis.count_parameters(network)
    print(
        f"{name:10} {parameters:11,} parameters {work:5.1f} G multiply-adds"
    )

# %% [markdown]
# ResNet-152 is almost ten times as deep as VGG-16, and does three quarters of its work. <!-- claim: resnet152-against-vgg16 -->
#
# Is ResNet cheap because of its skips? No: plain-34 does 3.64 billion <!-- claim: plain34-multiply-adds --> multiply-adds, and ResNet-34
# 3.66 billion. <!-- claim: resnet34-multiply-adds --> VGG-16 does 15.5 billion, <!-- claim: vgg16-multiply-adds --> because it works on
# large maps with many channels. ResNet-34 leaves maps of 224 and 112 pixels after a single convolution, and on maps of 56 and 28 it has a
# quarter of VGG's channels.
#
# ## Small images
#
# ImageNet's stem, a window of 7 × 7 with stride 2 and a pool with stride 2, takes 224 pixels to 56, and a digit's 28 to 7. The four stages
# then work on maps of 7, 4, 2 and 1. For small images the paper has another stem: one convolution of 3 × 3, stride 1, no pool. With it the
# first block works on all 28 × 28 places. <!-- claim: imagenet-stem-on-digits -->
#
# > **Your guess.** How many times the work does ResNet-18 do for a digit with the small stem? <!-- guess: small-stem-costs, 1 to 30 times -->

# %% tags=["nbval-check-output"]
# Goal 6: two stems
for stem in ("imagenet", "cifar"):
    network = models.resnet18(num_classes=10, in_channels=1, stem=stem)
    cost = analysis.count_multiply_adds(network, (1, 28, 28))
    print(f"ResNet-18, stem {stem}: {cost / 1e6:.0f} million multiply-adds")

# %% [markdown]
# > **What we found.** 14 times: <!-- claim: small-stem-costs --> nearly all of the network works on maps of about four times the side. (How
# > much accuracy the wrong stem costs, we did not measure.)
#
# What does a unit see? With skips, all that *any* path to it sees. ResNet-34's longest path sees 899 pixels, <!-- claim: resnet34-view -->
# more than the image has; VGG-16 sees 212 <!-- claim: E.3 --> after its last pool. Click on a unit:

# %% tags=["drawn"]
live.receptive_fields(["ResNet-34", "VGG-16"], "ResNet-34")

# %% [markdown]
# ## A small ResNet for digits
#
# Does MNIST need 34 layers? Ours has one block a stage, the small stem, and a quarter of the usual channels: 16, 32, 64, 128. We try three
# rates on a quarter of the digits, and use the one that does best on validation images.


# %%
# Goal 7: a small ResNet on MNIST
def train_small(train, rate):
    training.set_seed(0)
    network = models.resnet_small(width=0.25)
    epochs = {"quick": 2}.get(profile, 3)
    changes = {"epochs": epochs, "learning_rate": rate}
    return network, training.fit(network, train, **options | changes)


quarter = digits.train.select(range(len(digits.train) // 4))
tried = {}
for rate in (0.002, 0.004, 0.008):
    network, history = train_small(quarter, rate)
    answers = training.predict(network, digits.val)
    name = f"ResNet, small, a quarter of the digits, rate {rate}"
    training.record(name, history, answers, digits, split="validation")
    tried[rate] = answers.accuracy
    print(f"rate {rate}: validation accuracy {answers.accuracy:.2%}")

# %%
network, history = train_small(digits.train, max(tried, key=tried.get))
answers = training.predict(network, digits.val)
training.record("ResNet, small", history, answers, digits, split="validation")
print(f"with all digits: validation accuracy {answers.accuracy:.2%}")
plots.architecture_drawing(network, (1, 28, 28), title="ResNet, small")

# %% [markdown]
# 0.008 was the best, by 5 <!-- claim: resnet-small-rates-apart --> of 12,000 <!-- claim: mnist-validation-images --> images; a higher rate
# may be as good. At 0.008 the study `mnist-small` trained five seeds, for the test images.
#
# Here are the networks of chapters 1 to 6 on MNIST, each by its own chapter's recipe:

# %% tags=["drawn"]
racers = {
    "perceptron": "01-mlp",
    "LeNet-5, modern": "02-lenet",
    "AlexNet, small": "03-alexnet",
    "MiniVGG": "study-mnist-small",
    "vgg_small": "study-mnist-small",
    "ResNet, small": "study-mnist-small",
}
race = records.summary(racers).drop(columns="seconds")  # other work disturbed
plots.accuracy_against_cost(race)

# %% [markdown]
# > **What we found.** The small ResNet reaches 99.41 ± 0.04 %, <!-- claim: readme-resnet --> MiniVGG
# > 99.26 ± 0.07 %. <!-- claim: readme-minivgg --> But under one recipe, in chapter 5's study `mnist-six`, the small ResNet minus MiniVGG is
# > −0.33 ± 0.44 points: <!-- claim: six-resnet-less-minivgg --> undecided.
#
# ## What came after

# %% tags=["drawn", "hide-input"]
plots.timeline(
    {
        "AlexNet": (2012, "depth", "large, on a GPU"),
        "VGG": (2014, "depth", "3 × 3 only, deeper"),
        "GoogLeNet": (2014, "scales", "several windows side by side"),
        "batch norm": (
            2015,
            "training",
            "restore a signal's size in each layer",
        ),
        "ResNet": (2015, "depth", "layers that add"),
        "pre-activation": (2016, "depth", "no ReLU after the sum"),
        "DenseNet": (2016, "depth", "put x beside F(x) instead of adding"),
        "ResNeXt": (2016, "scales", "many thin blocks side by side"),
        "MobileNetV2": (2018, "cost", "cheap convolutions, narrow skips"),
        "EfficientNet": (2019, "cost", "depth, width and side in balance"),
        "ConvNeXt": (2022, "scales", "7 × 7 again, a map at a time"),
    },
    {
        "AlexNet": ["VGG", "GoogLeNet"],
        "VGG": ["ResNet"],
        "batch norm": ["ResNet"],
        "ResNet": ["pre-activation", "DenseNet", "ResNeXt", "MobileNetV2"],
        "GoogLeNet": ["ResNeXt"],
        "MobileNetV2": ["EfficientNet"],
        "ResNeXt": ["ConvNeXt"],
    },
)

# %% [markdown]
# Transformers, today's networks for text, are made of residual blocks, too. *Going further* has the networks of the timeline.


# %% [markdown]
# > **Reference card.**
# >
# > | what | formula | example |
# > |---|---|---|
# > | residual block | $y = \text{ReLU}(x + F(x))$ | $F$: conv, batch norm, ReLU, conv, batch norm |
# > | gradient through $n$ blocks, ReLUs apart | $\prod_i (1 + F_i')$ | plain: $\prod_i F_i'$ |
# > | weights of a basic block | $2 \cdot 9 c^2$ | 256 channels: $2 \cdot 9 \cdot 256^2 = 1{,}179{,}648$ |
# > | weights of a bottleneck | $c \cdot c/4 + 9\,(c/4)^2 + c/4 \cdot c$ | 256: $16{,}384 + 36{,}864 + 16{,}384 = 69{,}632$ |
# > | a projection, batch norm included | $c d + 2 d$ | 64 to 128: $64 \cdot 128 + 2 \cdot 128 = 8{,}448$ |
# > | layers of a ResNet | 1 + convolutions in the blocks + 1 | 34: $1 + 2\,(3 + 4 + 6 + 3) + 1$ |
# > | stem for 224 pixels | 7 × 7, stride 2, 64 channels; 3 × 3 pool, stride 2 | 224 → 112 → 56 |
# > | stem for 28 or 32 pixels | 3 × 3, stride 1, no pool | 28 → 28 |
# > | start as identity | `nn.init.zeros_(block.bn2.weight)` | the block returns ReLU(x) |
# >
# > In plain PyTorch, without this course's library:
# >
# > ```python
# > class BasicBlock(nn.Module):
# >     def __init__(self, c, d, stride=1):
# >         super().__init__()
# >         self.conv1 = nn.Conv2d(c, d, 3, stride, padding=1, bias=False)
# >         self.bn1 = nn.BatchNorm2d(d)
# >         self.conv2 = nn.Conv2d(d, d, 3, padding=1, bias=False)
# >         self.bn2 = nn.BatchNorm2d(d)
# >         self.skip = nn.Identity()
# >         if stride != 1 or c != d:
# >             projection = nn.Conv2d(c, d, 1, stride, bias=False)
# >             self.skip = nn.Sequential(projection, nn.BatchNorm2d(d))
# >
# >     def forward(self, x):
# >         residual = self.bn1(self.conv1(x)).relu()
# >         residual = self.bn2(self.conv2(residual))
# >         return (residual + self.skip(x)).relu()
# >
# > small = nn.Sequential(
# >     nn.Conv2d(1, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU(),
# >     BasicBlock(16, 16), BasicBlock(16, 32, 2), BasicBlock(32, 64, 2), BasicBlock(64, 128, 2),
# >     nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, 10),
# > )
# > ```

# %% [markdown]
# ## Going further
#
# <details><summary>How the networks of the study were trained</summary>
#
# All networks of `skip-and-norm` learn from 10,000 photographs, flipped and cropped, by Adam at one rate that falls to zero. (The paper
# takes plain gradient descent with momentum. Batch norm is said to allow higher rates, <!-- claim: B.14 --> which we did not try here.)
# Those of 18 and 34 layers learn for twenty epochs, those of 20 and 56 for sixteen. There are five seeds, and networks of one seed see the
# same images in the same order.
#
# Without batch norm, skips raise the loss of 18 layers by 0.07 ± 0.05. <!-- claim: skips-less-plain-no-norm-at-18 --> With batch norm and a
# zero start 34 layers read 61.8 %, <!-- claim: zero-34-accuracy --> but 18 layers with a zero start did not run.
#
# </details>
#
# <details><summary>More of the paper's results on ImageNet</summary>
#
# In the contest of 2015 an ensemble missed the class in five guesses on 3.57 % <!-- claim: resnet-contest-error --> of the images.
#
# The errors of ResNet-34 and ResNet-18 that the chapter gives are for one answer, ten crops, and skips without parameters. The plain
# networks of 34 and 18 layers have 28.5 % <!-- claim: plain34-error-in-the-paper --> and 27.9 %. <!-- claim: plain18-error-in-the-paper -->
#
# </details>
#
# <details><summary>Where ResNet-34 saves its work</summary>
#
# Of the difference between the multiply-adds of VGG-16 and ResNet-34, the maps of 224 and 112 pixels account for
# 39 %, <!-- claim: resnet-stem-saves --> and those of 56 and 28 for 65 %. <!-- claim: resnet-channels-save --> (On maps of 7 only ResNet
# works, which takes 5 % <!-- claim: resnet-last-stage-costs --> back.)
#
# Work and parameters don't put networks in the same order. In the figure of MNIST the perceptron has more parameters than the small ResNet,
# and does a twenty-fourth of its work. <!-- claim: race-of-costs -->
#
# </details>
#
# <details><summary>The networks of the timeline</summary>
#
# - GoogLeNet ([Szegedy et al., 2014](https://arxiv.org/abs/1409.4842)) is made of *Inception* modules, which look at windows of several
#   sizes at once. It is sometimes called a descendant of VGG. <!-- claim: B.11 --> It is of the same year, and won the contest in which VGG
#   came second. <!-- claim: B.1 -->
# - In our block the ReLU after the sum closes the skip where the sum is negative. The pre-activation ResNet ([He et al.,
#   2016](https://arxiv.org/abs/1603.05027)) moves batch norm and ReLU into $F$, and 1,001 layers became more accurate by it.
# - DenseNet ([Huang et al., 2016](https://arxiv.org/abs/1608.06993)) keeps $x$ beside $F(x)$, as more channels, where ResNet adds.
#   ResNeXt ([Xie et al., 2016](https://arxiv.org/abs/1611.05431)) splits a bottleneck into many thin ones side by side.
# - MobileNet ([Howard et al., 2017](https://arxiv.org/abs/1704.04861)) makes convolutions cheap enough for phones, one map at a
#   time (*depthwise*), and MobileNetV2 ([Sandler et al., 2018](https://arxiv.org/abs/1801.04381)) puts skips between its narrow layers.
#   EfficientNet ([Tan and Le, 2019](https://arxiv.org/abs/1905.11946)) balances depth, width and image size.
# - ConvNeXt ([Liu et al., 2022](https://arxiv.org/abs/2201.03545)) is a ResNet with habits of transformers: depthwise windows of 7 × 7, fewer
#   norms and activations.
#
# </details>
#
# <details><summary>You may have read that skips make ResNet fast, and that a small one loses nothing</summary>
#
# Plain-34 has no skips and does the same work, so skips make nothing fast. The belief comes with numbers, from a report on a small VGG and
# a small ResNet (chapter 7): ten epochs on digits of 224 × 224 took VGG-16 3,460 seconds <!-- claim: C.3 --> and ResNet-34
# 2,815, <!-- claim: C.4 --> "significantly less" in one place and "not significantly faster" in another. <!-- claim: C.4 --> Divide the
# times by the work: per multiply-add, ResNet-34 was more than three times as *slow*. <!-- claim: report-seconds-per-work --> (Faster
# convergence, a reason that one reads, can't shorten a run of a fixed number of epochs.) Counts say what must be computed. They don't say
# how long a machine waits for memory, for many small layers one after the other, for batch norm and additions, which count as no
# multiply-add at all. On the CPU of this page, a quarter as wide, in batches of 16 photographs of 128 × 128, ResNet-34 takes 1.9
# times <!-- claim: resnet34-per-work --> as long per multiply-add as VGG-16, and plain-34, without skips, 1.8
# times: <!-- claim: plain34-per-work --> the cell below.
#
# The same report cuts ResNet-34 down to one block a stage, a stem of 3 × 3 and no first pool, <!-- claim: C.6 --> and says that it saves
# 93 % <!-- claim: C.6 --> of the time with performance not affected. <!-- claim: C.6 --> Check both: 1 − 235/2,815 is
# 91.7 %, <!-- claim: C.6 --> and 98.9 % <!-- claim: C.6 --> of the test images instead of 99.2 % <!-- claim: C.4 --> (F1
# 0.989 <!-- claim: C.6 --> and 0.991 <!-- claim: C.4 -->) is three errors *more* in a thousand, where there were eight. Where nearly all is right, count
# errors. (It took 235 seconds, <!-- claim: C.6 --> its small VGG 199. <!-- claim: C.5 -->)
#
# In the first epochs of ResNet-34 the validation loss lay above the training loss; after the third, both begin to settle and approach
# each other. <!-- claim: C.4 --> The beginning is called overfitting there. But overfitting grows with training. A gap that closes is
# something else. And that ResNet is faster and better than VGG, and more than MNIST needs, <!-- claim: C.9 --> comes without a spread:
# chapter 7 asks how one would know.
#
# </details>
#
# <details><summary>You may have read that a network without skips can't go much deeper than VGG's 19 layers</summary>
#
# Since no gradient would get through 50 layers and more. <!-- claim: B.7 --> Without batch norm, and with small first weights, that is so:
# goal 2b. With batch norm and He's weights the first layer of 56 gets its gradient, and the network learns slowly. One also reads that VGG
# used He's weights, <!-- claim: B.6 --> which came a year later. The same measurement for VGG-16, at a quarter of its width, in no cell
# here: With PyTorch's weights its first convolution gets less than a thousandth of the thirteenth's gradient, with He's about as much,
# within a factor of ten, with batch norm more. <!-- claim: gradients-of-vgg16 --> (Before a pool only one unit in four gets a gradient,
# which halves the root of the mean square. That is taken out.)
#
# </details>

# %% tags=["hide-input"]
# three networks, seconds for the same work
from dataclasses import replace

few = photos.train.select(range(16 if profile == "quick" else 64))
large = few.images.repeat_interleave(4, dim=2).repeat_interleave(4, dim=3)
few = replace(few, images=large)
short = {"epochs": 4, "batch_size": 16, "precision": "auto", "show": False}
for name in ("vgg16", "plain34", "resnet34"):
    width = 0.125 if profile == "quick" else 0.25
    network = getattr(models, name)(num_classes=10, width=width)
    history = training.fit(network, few, **short)
    seconds = min(epoch.seconds for epoch in history.epochs[1:])
    work = 3 * history.recipe["multiply_adds"] * len(few) / 1e11
    print(f"{name}: {seconds / work:.2f} seconds for 100 G multiply-adds")

# %% [markdown]
# ## Exercises
#
# ● by hand, ●● change and run, ●●● design an experiment. Guess first, then run, then open the solution.

# %% [markdown]
# ### Exercise 1: What the skips of ResNet-50 cost
#
# ● *10 min.* In ResNet-50 the first block of *every* stage needs a projection: from 64 to 256 channels, to 512, to 1,024, to 2,048. How
# many parameters is that, batch norms included? Check it against two networks: `models.ResNet` takes `skip=False`.

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# Each projection from $m$ to $n$ channels has $m n$ weights, and its batch norm has $2 n$ parameters. The last one alone has two
# million. <!-- claim: resnet50-last-projection --> A bottleneck is cheap because it is narrow in the middle; a projection goes from wide
# to wide.
#
# </details>

# %% tags=["solution", "nbval-check-output"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
with torch.device("meta"):
    bare = models.ResNet(models.Bottleneck, (3, 4, 6, 3), skip=False)
whole = analysis.count_parameters(family["ResNet-50"])
cost = whole - analysis.count_parameters(bare)
steps = [(64, 256), (256, 512), (512, 1024), (1024, 2048)]
assert cost == sum(m * n + 2 * n for m, n in steps)
print(f"{cost:,}, or {cost / whole:.1%} of ResNet-50")

# %% [markdown]
# ### Exercise 2: Where the stride stands
#
# ● *10 min.* In its authors' code, the first 1 × 1 of a stage of ResNet-50 has the stride of 2. In torchvision and here, the 3 × 3 has it.
# Which form has more parameters? Which does more work? Change a `resnet50` and count. Which positions of a block's input does the authors'
# form never read?

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# A stride is no weight, so the parameters are the same. In the authors' form the first 1 × 1 already works on a quarter of the places, so
# it does 5.7 % <!-- claim: resnet50-stride-saves --> less work. But a window of 1 × 1 with stride 2 reads every other place in each row
# and each column, and the other three quarters are lost to the block. (The projection skips the same ones.) A window of 3 × 3 with
# stride 2 reads them all.
#
# </details>

# %% tags=["solution", "nbval-check-output"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
with torch.device("meta"):
    ours, theirs = models.resnet50(), models.resnet50()
for stage in (theirs.layer2, theirs.layer3, theirs.layer4):
    stage[0].conv1.stride, stage[0].conv2.stride = (2, 2), (1, 1)
few = analysis.count_multiply_adds(theirs, (3, 224, 224))
many = analysis.count_multiply_adds(ours, (3, 224, 224))
assert analysis.count_parameters(theirs) == analysis.count_parameters(ours)
print(f"torchvision's form {many:,} multiply-adds")
print(f"the authors' form  {few:,}, {1 - few / many:.1%} less")

# %% [markdown]
# ### Exercise 3: The shortest path
#
# ● *10 min.* The longest path of ResNet-34 sees 899 <!-- claim: resnet34-view --> pixels. The shortest takes the skip in every block. How
# many pixels does it see? Build that path as an `nn.Sequential`, and check with `analysis.receptive_field_by_gradient(path)`, which sends a
# gradient from one unit back to the pixels.

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# The stem sees 7 pixels, and the pool makes it 11. Most skips do nothing, and the three projections are windows of 1 × 1, which add
# nothing. So 11. <!-- claim: resnet34-shortest-path --> The distance between neighbouring units grows all the same, to 32 pixels: the
# shortest paths see a small window every 32 pixels.
#
# </details>

# %% tags=["solution", "nbval-check-output"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
thin = models.resnet34(width=1 / 64)  # the width does not matter here
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
# ●● *30 min.* In a plain stack with batch norm the gradient grows from layer to layer on its way back. By which factor? Derive it, for
# many channels and random weights:
#
# - ReLU lets half of the units pass. What does that do to the mean square of the gradient?
# - Batch norm divides by the standard deviation of its input, so the gradient is divided by it, too. Its input is a random sum of
#   rectified normal numbers. For a normal number $z$, the variance of $\max(0, z)$ is $\frac{1}{2} - \frac{1}{2\pi}$.
# - A convolution with stride 2 and twice as many filters: each position of its input is read by a quarter of the windows, of twice as many
#   filters.
#
# Then measure it in `layer3` of plain-34, the third stage, whose maps have one size: goal 2b has its `chains`.

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# The weights multiply signals and gradients alike, so they cancel. What is left of the mean square is $\frac{1}{2}$ from ReLU, over
# $\frac{1}{2} - \frac{1}{2\pi}$ from batch norm, which is $\frac{\pi}{\pi - 1} \approx 1.47$. The size is its root,
# 1.21 <!-- claim: plain-growth-a-layer --> a layer: about 460 <!-- claim: plain-growth-in-all --> over the 32 steps between
# 33 convolutions. Three of the steps have a stride of 2, and halve the mean square: $460 / 2^{1.5}$ is
# 163. <!-- claim: plain-growth-with-strides -->
#
# Measured in `layer3`, it is 1.16 <!-- claim: plain-growth-measured --> a layer. Our layers are narrow, so the formula is a little off; and
# 32 factors of 1.162 <!-- claim: plain-growth-measured --> and three strides give 43, <!-- claim: plain-growth-from-measured --> near
# what goal 2b found. With skips it is slower, 1.120, <!-- claim: skips-growth-measured --> because a part of the signal goes past the layers. (We
# compare the first convolutions of blocks, for the second ones of a ResNet get more.)
#
# </details>

# %% tags=["solution"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
print(f"predicted: {(torch.pi / (torch.pi - 1)) ** 0.5:.3f} a layer")
for name in ("plain, batch norm", "skips, batch norm"):
    seen = chains[name]["gradient rms"]
    gradient = seen.filter(regex=r"layer3\.\d\.conv1")
    growth = (gradient.iloc[0] / gradient.iloc[-1]) ** (1 / 10)
    print(f"{name}: {growth:.3f} a layer")

# %% [markdown]
# ### Exercise 5: Start as the identity
#
# ●● *20 min.* In a fresh ResNet-34, set the weight of each block's last batch norm, `bn2.weight`, to zero. What does a block without a
# projection now do to its input? And of 36 convolutions, projections included, how many get a gradient of exactly zero in the first
# step? Is the network stuck?

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# The batch norm's output is its bias, zero. So the block returns ReLU of $x$. Its input came out of a ReLU, so it is $x$ itself: the
# block is the identity, exactly. Backwards the same zero stops the gradient, so both convolutions of all 16 blocks get none, 32 in
# all. The stem and the three projections get theirs. The network is not stuck: `bn2.weight` itself has a gradient, so after one step it is
# not zero any more. Many recipes start ResNets like this ([Goyal et al., 2017](https://arxiv.org/abs/1706.02677)), and grow from a
# shallow network to a deep one. What it brings: below goal 3b.
#
# </details>

# %% tags=["solution", "nbval-check-output"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
training.set_seed(0)
network = models.resnet34(10, width=1 / 16, stem="cifar")
blocks = [m for m in network.modules() if isinstance(m, models.BasicBlock)]
for block in blocks:
    nn.init.zeros_(block.bn2.weight)
x = torch.rand(2, 4, 8, 8)  # not negative, as after ReLU
with torch.no_grad():
    assert torch.equal(network.layer1(x), x)
seen = analysis.signals(network, images, labels)
still = seen["weight gradient rms"][seen["type"] == "Conv2d"] == 0
print("the first stage is the identity")
print(f"{still.sum()} of {len(still)} convolutions get no gradient")
assert still.sum() == 2 * len(blocks)

# %% [markdown]
# ### Exercise 6: Take a block out
#
# ●●● *30 min.* A network with skips is a sum of many paths. What happens to its accuracy if you replace one block of the *trained*
# ResNet-34 by nothing? And in the trained plain-34? Design the experiment: which block can go without a change of shape, which images
# judge, what would you compare? Three epochs of 10,000 photographs at a quarter of the width are enough.

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# In `layer3`, blocks 1 to 5 keep the shape, and validation images judge. A likely reason for a difference: in the plain network each block gets its input in a form of its
# own, which only the block before knows how to make. Take that away and the rest works on something that it never saw. With skips, the
# block after still gets most of what it expects. [Veit et al., 2016](https://arxiv.org/abs/1605.06431) found that single blocks of a
# ResNet can be removed at little loss. On this page plain-34 falls from 34.3 % <!-- claim: plain-34-whole --> to
# 19.7 % <!-- claim: plain-34-best-cut --> at best, ResNet-34 from 50.1 % <!-- claim: resnet-34-whole --> to
# 38.2 % <!-- claim: resnet-34-worst-cut --> at worst, on 1,000 images. So any cut costs the plain network
# more than the worst one costs the ResNet. <!-- claim: cuts-cost-plain-more --> (One seed, and a short training.)
#
# And the gradients of the trained networks? Plain-34's first convolution gets 76 times <!-- claim: trained-plain-gradient --> as much as
# its last one. Whatever holds it back, its gradient does not vanish.
#
# </details>

# %% tags=["solution"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
import copy

some_photos = photos.train.select(range(min(10_000, len(photos.train))))
few_photos = photos.val.select(range(min(1_000, len(photos.val))))
wide = 0.125 if profile == "quick" else 0.25
short_run = options | {"learning_rate": 0.001, "epochs": 3}
if profile == "quick":
    short_run |= {"epochs": 1}
for name, build in {
    "plain-34": models.plain34,
    "ResNet-34": models.resnet34,
}.items():
    training.set_seed(0)
    network = build(10, width=wide, stem="cifar")
    history = training.fit(network, some_photos, **short_run)
    answers = training.predict(network, photos.val)
    training.record(name, history, answers, photos, split="validation")
    cut_accuracies = []
    for place in range(1, 6):
        cut = copy.deepcopy(network)
        cut.layer3[place] = nn.Identity()
        cut_accuracies.append(training.evaluate(cut, few_photos).accuracy)
    print(
        f"{name}, whole: {training.evaluate(network, few_photos).accuracy:.1%}"
    )
    print(f"{name}, without one block, at worst: {min(cut_accuracies):.1%}")
    print(f"{name}, without one block, at best: {max(cut_accuracies):.1%}")
    gradient = analysis.signals(network.cpu(), images, labels)
    gradient = gradient["gradient rms"]
    gradient = gradient[~gradient.index.str.contains("downsample")].drop("fc")
    ratio = gradient.iloc[0] / gradient.iloc[-1]
    print(f"{name}, trained, first over last gradient: {ratio:.1f}")

# %% [markdown]
# ## What to remember
#
# 1. Degradation is a matter of *training* error: a deeper network that fits its training images worse. Overfitting is something else.
# 2. A residual block adds to its input. Doing nothing is easy for it, and ReLUs apart, one term of its gradient never shrinks.
# 3. Measure gradients layer by layer before you speak of them. First weights, batch norm and skips can each keep them from vanishing.
# 4. With batch norm, skips take most of the penalty for depth away. With blocks that begin by adding nothing they help without it, too. Without either, the sum grows from block to block.
# 5. Skips save no work, and in ResNet-34 they cost almost no parameters: ResNets are cheap because they leave large maps early and have few channels on those that are left.

# %% [markdown]
# ## Quiz
#
# Six questions. Each wrong choice is a common belief, and its answer names the place that refutes it.
#
# **Question 1.** A plain network of 56 layers has a higher error than one of 20, on training images and on new ones. What is that?
#
# 1. Overfitting: it has too many parameters for the images.
# 2. Degradation: training does not find the good weights that exist.
# 3. Proof that 56 layers can compute less than 20.
#
# <details><summary>Answer</summary>
#
# 1. The belief is that a large network fails by overfitting. A network that overfits does well on its training images; see the first
#    figure.
# 2. **Right.** 20 layers with 36 behind them that do nothing would be as good.
# 3. They can compute the same, if 36 of them do nothing: the first paragraph.
#
# </details>
#
# **Question 2.** A plain network with batch norm learns badly at 34 layers. Do its gradients vanish?
#
# 1. Yes: that is why skips were invented.
# 2. No: measured before training, they even grow.
# 3. No, gradients never vanish with ReLU.
#
# <details><summary>Answer</summary>
#
# 1. The most common belief about ResNet. Goal 2b measures: with batch norm the first layer gets more than the last.
# 2. **Right.** Goal 2b, and exercise 6 for a trained one.
# 3. Goal 2a has twenty layers with ReLU whose gradients vanish, because their first weights are small.
#
# </details>
#
# **Question 3.** In a block, $x$ is a single number, and $F$'s derivative is 0.01 everywhere. Ten such blocks follow each other, without
# ReLUs. By what is the gradient multiplied, without skips and with?
#
# 1. By 10⁻²⁰ without, and by about 1.1 with.
# 2. By 10⁻²⁰ without, and by exactly 1 with.
# 3. By 0.1 without, and by 1.1 with.
#
# <details><summary>Answer</summary>
#
# 1. **Right.** $0.01^{10}$, and $1.01^{10} = 1.105$.
# 2. One *term* of the product is 1, the way along all skips. The others are added: the formula above goal 2a.
# 3. Factors of layers in a row are multiplied, not added: goal 2a shows twenty of them.
#
# </details>
#
# **Question 4.** You take the batch norms out of a ResNet-34 and give it He's weights, as in goal 3b. Before the first step its loss
# is in the hundreds. Why?
#
# 1. Without batch norm the gradients vanish.
# 2. Each block adds to its signal about as much as it had, or more, so it grows from block to block.
# 3. The learning rate is too high.
#
# <details><summary>Answer</summary>
#
# 1. With skips they arrive, even with small weights: goal 2b. And a vanishing gradient makes no loss large.
# 2. **Right.** Goal 3b measures it. If the blocks begin by adding nothing, the first loss is near that of guessing.
# 3. No step has been taken yet: goal 3b.
#
# </details>
#
# **Question 5.** ResNet-34 does a quarter of VGG-16's work. Why?
#
# 1. Because of its skips.
# 2. Because it has fewer layers.
# 3. Because it leaves large maps early, and has few channels on those that are left.
#
# <details><summary>Answer</summary>
#
# 1. The belief is that skips save work. Plain-34 has none and does the same work: goal 5.
# 2. It has twice as many: 34 against 16.
# 3. **Right.** See below goal 5.
#
# </details>
#
# **Question 6.** You give digits of 28 × 28, copied to three channels, to `torchvision.models.resnet18`. What do you get?
#
# 1. A network most of whose layers work on maps of 4 × 4 places and fewer.
# 2. An error message: it is made for 224 × 224.
# 3. A run that takes many times as long as with a stem for small images.
#
# <details><summary>Answer</summary>
#
# 1. **Right.** Its stages work on maps of 7, 4, 2 and 1: goal 6. A stem belongs to the size of its images.
# 2. Convolutions and the average at the end take any size: goal 6 counts its work for a digit. So nobody warns you.
# 3. The other way round: the stem for small images makes 14 times <!-- claim: small-stem-costs --> the work.
#
# </details>

# %% [markdown]
# ## References
#
# - ResNet: [He et al., 2016](https://arxiv.org/abs/1512.03385). Pre-activation: [He et al.,
#   2016](https://arxiv.org/abs/1603.05027). Highway networks, an earlier skip with a gate: [Srivastava et al.,
#   2015](https://arxiv.org/abs/1505.00387).
# - Blocks that can be left out: [Veit et al., 2016](https://arxiv.org/abs/1605.06431). Loss surfaces, which skips make smoother:
#   [Li et al., 2018](https://arxiv.org/abs/1712.09913). A start at zero: [Goyal et al., 2017](https://arxiv.org/abs/1706.02677);
#   a related one without batch norm: [Zhang et al., 2019](https://arxiv.org/abs/1901.09321).
# - First weights: [He et al., 2015](https://arxiv.org/abs/1502.01852). Batch norm:
#   [Ioffe and Szegedy, 2015](https://arxiv.org/abs/1502.03167); its gradients: [Yang et al., 2019](https://arxiv.org/abs/1902.08129).
# - VGG: [Simonyan and Zisserman, 2014](https://arxiv.org/abs/1409.1556). GoogLeNet: [Szegedy et al.,
#   2014](https://arxiv.org/abs/1409.4842).
