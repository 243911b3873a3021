# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # CIFAR-10, measured: the assignment
#
# Can you build a convolutional network from its parts, see why one does not learn, fix it, and say in numbers what it is
# worth? That is the way of this notebook, in eight tasks. Each builds on what the ones before it taught; none needs
# their code, apart from task 6, where you train a network of your own.
#
# | task | about | points |
# |---|---|---|
# | 1 | sizes and receptive fields | 12 |
# | 2 | AlexNet for 32 × 32 pixels, from a table | 14 |
# | 3 | VGG from a list of blocks | 14 |
# | 4 | one training step | 14 |
# | 5 | why a plain VGG stays at ln 10 | 14 |
# | 6 | metrics, and a network of your own | 14 |
# | 7 | looking inside | 10 |
# | 8 | two short answers in your own words, marked by a person | 8 |
#
# **What is graded.** The cells tagged `answer`, as they stand in `answers.py`. They may import `torch`, `numpy` and
# Python's standard library, and nothing else. What an answer uses must be defined in such a cell. All other cells are
# for trying things out: change them as you like.
#
# **How it is graded.** A program calls your functions with arguments of its own and looks at what they return. A part is
# right or not; there are no half points within one. `python check.py` tells you, in seconds, what is right and
# gives a hint for the rest. Marks come from the same questions with other numbers.
#
# **In Colab**, upload the wheel that lies in the folder `wheel` (Files, on the left), and install it with
# `%pip install convnets_measured-0.1.0-py3-none-any.whl[assignment]`. On your own machine the README's three commands
# have done that.

# %% tags=["answer"]
import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

# %% [markdown]
# That cell is tagged `answer`, so what it imports is there for all your answers. The next one is for pictures only.

# %%
import matplotlib.pyplot as plt

# %% [markdown]
# ## Task 1: Sizes and receptive fields (12 points)
#
# How many units does a stack of layers leave, and how much of the image does one of them see? Both follow from five
# numbers a layer, before anything is trained.
#
# A layer is a dictionary such as `{"kernel": 3, "stride": 2, "padding": 1, "dilation": 1, "ceil": False}`. It is a
# convolution or a pool; for sizes that makes no difference. `dilation` is the step between two neighbouring weights of a
# kernel. With `ceil`, a last window that does not fit whole is taken too, just as `ceil_mode=True` of PyTorch's
# `MaxPool2d` does it.
#
# 1. `output_size(size, layers)`, 5 points: how many units lie along one side of the last layer's output, when `size`
#    pixels lie along one side of the image. Where a window does not fit at all, the answer is 0.
# 2. `receptive_field(layers)`, 7 points: `(field, jump)`, two ints. The field is how many pixels along one side one unit
#    of the last layer sees, with padding counted as if it were image. The jump is how many pixels lie between what two
#    neighbouring units see.
#
# *How it is graded:* on single layers first, then on stacks; also on layers that no known network has.


# %% tags=["answer", "task-1"]
def output_size(size, layers):
    """How many units lie along one side of the output, as an int."""
    raise NotImplementedError


def receptive_field(layers):
    """The receptive field and the jump of the last layer's units, two ints."""
    raise NotImplementedError


# %% [markdown]
# Try it on a stack that you know. VGG-16's convolutions and pools should leave 7 units of 224 pixels, and one unit should
# see 212 of them. What about AlexNet?

# %%
conv = {"kernel": 3, "stride": 1, "padding": 1, "dilation": 1, "ceil": False}
pool = {"kernel": 2, "stride": 2, "padding": 0, "dilation": 1, "ceil": False}
vgg16 = [layer for count in (2, 2, 3, 3, 3) for layer in [conv] * count + [pool]]

print(output_size(224, vgg16), receptive_field(vgg16))

# %% [markdown]
# ## Task 2: AlexNet from a table (14 points)
#
# What makes a network an AlexNet? Not one list of sizes. Published forms differ in almost every number, and a 32 × 32
# image leaves no room for a window of 11 pixels. So describe the network as a table, and build whatever the table
# says.
#
# A table is a list of rows. An image passes them from the first to the last. There are three kinds:
#
# - `{"layer": "conv", "channels": 64, "kernel": 3, "stride": 1, "padding": 1, "groups": 1}`: a convolution with a
#   bias, followed by ReLU. `groups` is PyTorch's: with 2, each half of the filters sees only half of the channels, as
#   in the form that was split over two GPUs.
# - `{"layer": "pool", "kernel": 3, "stride": 2}`: a max-pool without padding. Where the stride is smaller than the
#   kernel, windows overlap. A window that does not fit whole is left out.
# - `{"layer": "linear", "units": 512, "dropout": 0.5}`: a linear layer with a bias, followed by ReLU. `dropout` is
#   the share of this layer's *inputs* that is dropped in training: dropout stands in front of the layer, not behind
#   it. What is kept is enlarged, as PyTorch's `nn.Dropout` does it.
#
# Four rules hold for every table:
#
# 1. Convolutions and pools come first, linear rows last. There is at least one convolution, and there may be no pool
#    and no linear row.
# 2. Between the two the maps are flattened. How many numbers that leaves for the next linear layer follows from the
#    table and the side of the image; no row says it.
# 3. Behind the last row comes one more linear layer with a bias, which gives the logits. Nothing stands between it
#    and the row before (no dropout), and nothing behind it (no ReLU, no softmax).
# 4. There is nothing else: no local response normalisation, no batch norm.
#
# Write `build_alexnet(table, side, in_channels, num_classes)`. It returns an `nn.Module` that takes images (N,
# in_channels, side, side) and gives logits (N, num_classes).
#
# Create the layers in the order in which an image passes them, so that `network.parameters()` gives them in that
# order, each weight before its bias. Every layer knows its sizes from the start: no lazy layers. How you initialise
# weights is up to you.
#
# *How it is graded:* 8 points for convolutions, pools and what follows from them, 6 points for the linear layers and
# their dropout; a mistake in one half costs only that half where the other can be seen without it. Tables, sides,
# channels and classes are drawn. First the shapes of the parameters are compared. Then the parameters are set, and
# the logits are compared, in evaluation and in training. Dropout is judged by what it leaves: features that are all 1
# go through layers that pass them on, and the share of those missing must lie within what chance allows.


# %% tags=["answer", "task-2"]
def build_alexnet(table, side, in_channels, num_classes):
    """A network from its table.

    Args:
        table: a list of rows, each a dictionary, in the order in which an
            image passes them.
        side: how many pixels lie along one side of an image.
        in_channels: channels of an image, 1 or more.
        num_classes: how many logits there are.

    Returns: an nn.Module; images (N, in_channels, side, side) in, logits
    (N, num_classes) out.
    """
    raise NotImplementedError


# %% [markdown]
# Here is an AlexNet for 32 × 32 images. The first window has shrunk from 11 pixels to 5 and its stride from 4 to 1;
# everything else is as in the form for two GPUs. How many parameters does it have, and where are they? The original,
# on images of 224 × 224 and 1,000 classes, has about 60 million. Guess which layers have lost most before you look.

# %%
conv = {"layer": "conv", "stride": 1, "groups": 1}
pool = {"layer": "pool", "kernel": 3, "stride": 2}
hidden = {"layer": "linear", "units": 4096, "dropout": 0.5}
two_gpus = {**conv, "groups": 2}
alexnet_table = [
    {**conv, "channels": 96, "kernel": 5, "padding": 2},
    pool,
    {**two_gpus, "channels": 256, "kernel": 5, "padding": 2},
    pool,
    {**conv, "channels": 384, "kernel": 3, "padding": 1},
    {**two_gpus, "channels": 384, "kernel": 3, "padding": 1},
    {**two_gpus, "channels": 256, "kernel": 3, "padding": 1},
    pool,
    hidden,
    hidden,
]
alexnet = build_alexnet(alexnet_table, 32, in_channels=3, num_classes=10)

for name, parameter in alexnet.named_parameters():
    print(f"{name:24} {parameter.numel():12,} {tuple(parameter.shape)}")
print(f"{sum(p.numel() for p in alexnet.parameters()):,} parameters")

# %% [markdown]
# Does dropout know when training is over? Send one image twice, in training and then in evaluation. Where should the
# two logits be equal, and where not?

# %%
image = torch.randn(1, 3, 32, 32)

with torch.no_grad():
    for mode in (True, False):
        alexnet.train(mode)
        one, other = alexnet(image), alexnet(image)
        print("training" if mode else "evaluation", torch.equal(one, other))

# %% [markdown]
# ## Task 3: VGG from a list of blocks (14 points)
#
# VGG's idea fits in one line: what is a network, if all its windows are alike? A list of blocks. Each block says how
# many convolutions it has, and how many channels each of them gives.
# `[[2, 64], [2, 128], [3, 256], [3, 512], [3, 512]]` is all that tells the convolutions of VGG-16 from those of
# another VGG.
#
# A block `[convs, channels]` is
#
# - `convs` times: a 3 × 3 convolution with padding 1 and stride 1, then batch norm if `batch_norm` is true, then
#   ReLU;
# - one max-pool of 2 × 2 with stride 2. Where a side is odd, its last row or column is left out.
#
# Without batch norm each convolution has a bias. With batch norm none has one, because the norm brings its own. The
# norm is PyTorch's `nn.BatchNorm2d` as it comes, with a weight, a bias and running statistics.
#
# The head is smaller than VGG's. Behind the last block, each channel becomes its mean over the whole map, whatever
# its side (global average pooling). One linear layer with a bias turns these means into the logits. Nothing else: no
# hidden layers, no dropout.
#
# 1. `build_vgg(blocks, batch_norm, in_channels, num_classes)`, 9 points. It returns an `nn.Module` that takes images
#    (N, in_channels, side, side), with any side that all the pools leave something of, and gives logits (N,
#    num_classes). Create the layers in the order in which an image passes them, so that `network.parameters()` gives
#    them in that order, each weight before its bias. No lazy layers.
# 2. `count_parameters(blocks, batch_norm, in_channels, num_classes)`, 5 points. It returns a dictionary with three
#    ints: `"conv"`, `"norm"` and `"linear"`, the trained parameters in layers of each kind. A kind that the network
#    does not have counts 0. Count by arithmetic: no layer may be built in this function.
#
# *How it is graded:* for the network, the shapes of its parameters are compared first. Then parameters and running
# statistics are set, and the logits are compared, in evaluation and in training, for images of several sides, odd
# ones among them. The counts must be exact. Blocks, channels and classes are drawn.


# %% tags=["answer", "task-3"]
def build_vgg(blocks, batch_norm, in_channels, num_classes):
    """A VGG with global average pooling and one linear layer as its head.

    Args:
        blocks: a list of [convs, channels], one pair a block.
        batch_norm: whether each convolution is followed by batch norm.
        in_channels: channels of an image, 1 or more.
        num_classes: how many logits there are.

    Returns: an nn.Module; images (N, in_channels, side, side) in, logits
    (N, num_classes) out.
    """
    raise NotImplementedError


def count_parameters(blocks, batch_norm, in_channels, num_classes):
    """How many trained parameters build_vgg's network has.

    Args: as of build_vgg.

    Returns: {"conv": int, "norm": int, "linear": int}.
    """
    raise NotImplementedError


# %% [markdown]
# Do the two agree? Count a small network by arithmetic, and then by looking.

# %%
small = [[1, 16], [2, 32], [2, 64]]

for batch_norm in (False, True):
    counted = count_parameters(small, batch_norm, 3, 10)
    network = build_vgg(small, batch_norm, in_channels=3, num_classes=10)
    found = sum(parameter.numel() for parameter in network.parameters())
    print(counted, sum(counted.values()), found)

# %% [markdown]
# VGG-16 on ImageNet has about 138 million parameters: 14.7 million in its convolutions and 123.6 million in its three
# linear layers. What does it have with this head, and where? Say first which of the two numbers stays.

# %%
vgg16 = [[2, 64], [2, 128], [3, 256], [3, 512], [3, 512]]

for kind, count in count_parameters(vgg16, False, 3, 1000).items():
    print(f"{kind:8} {count:12,}")

# %% [markdown]
# ## Task 4: One training step (14 points)
#
# Training is one step, many times over. If the step is wrong, a network often learns all the same, only worse, and no
# error message tells you. So how do you know that a step is right? Ask for numbers that can be checked: the loss
# before the step, and every weight after it.
#
# 1. `train_step(network, optimizer, images, labels)`, 10 points: one step on the mean cross-entropy of one batch. It
#    returns the loss before the step, as a Python float, and it changes the network in place.
#
#    - The network gives logits: numbers of any size, no probabilities.
#    - The step is made with the network in training mode, whatever mode it comes in. The mode it is left in does not
#      matter.
#    - The images go through the network once.
#    - The optimizer that is given makes the step, and makes one step. It may be SGD, with or without momentum, or
#      Adam.
#    - Gradients that an earlier batch left behind must not matter.
#
# 2. `memorise(network, images, labels)`, 4 points: train the network, in place, until it has one small batch of 16
#    images by heart. Its mean cross-entropy on them must end below 0.05, with all 16 right. Optimizer, learning rate
#    and number of steps are up to you. It may use your `train_step`; if that one is wrong, this part may fall with
#    it. What it returns does not matter.
#
# Why learn 16 images by heart? It says nothing about new images. It is the cheapest test of a training loop that
# there is: one that cannot do this has a mistake in it, and no amount of data will help.
#
# *How it is graded:* `train_step` gets small networks, some with batch norm, none with dropout. It is called once, or
# twice in a row with two batches. Compared are what it returns and all parameters and running statistics after each
# call. `memorise` gets two networks of a convolution, a pool and a linear layer, without batch norm and dropout, with
# random images of 6 to 8 pixels a side and random labels. The weights that it leaves are loaded into another network
# of the same form, and that one is tested. Both networks together must be done within 10 seconds on one CPU core. A
# good solution takes well below one.


# %% tags=["answer", "task-4"]
def train_step(network, optimizer, images, labels):
    """One step of training on one batch, in place.

    Args:
        network: an nn.Module; images (N, C, H, W) in, logits (N, K) out.
        optimizer: a torch optimizer that holds the network's parameters.
        images: float32, shape (N, C, H, W).
        labels: int64, shape (N,), from 0 to K - 1.

    Returns: the mean cross-entropy of the batch before the step, as a float.
    """
    raise NotImplementedError


def memorise(network, images, labels):
    """Train the network, in place, until it has the batch by heart.

    Args:
        network: an nn.Module; images (16, 1, H, W) in, logits (16, K) out.
        images: float32, shape (16, 1, H, W).
        labels: int64, shape (16,), from 0 to K - 1.
    """
    raise NotImplementedError


# %% [markdown]
# Try a step, again and again, on one batch of noise. Where should the loss begin with 4 classes? Where should it end,
# and is there anything to learn in noise?

# %%
torch.manual_seed(0)
images, labels = torch.randn(16, 1, 8, 8), torch.arange(16) % 4
small = nn.Sequential(
    *(nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU()),
    *(nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8 * 4 * 4, 4)),
)
sgd = torch.optim.SGD(small.parameters(), lr=0.05, momentum=0.9)
losses = [train_step(small, sgd, images, labels) for _ in range(40)]

plt.plot(losses)
plt.xlabel("step")
plt.ylabel("loss before the step")
plt.yscale("log")

# %% [markdown]
# Two questions that a falling curve does not answer. Did the running statistics of batch norm move, from 0 and 1? And
# is what you return a plain number?

# %%
print("running mean:", small[1].running_mean)
print("running variance:", small[1].running_var)
print(type(losses[0]))

# %% [markdown]
# Now by heart. How many of 16 are right before, and after? Time it.

# %%
import time


def right_and_loss(network):
    """How many of the 16 are right, and the mean cross-entropy."""
    with torch.no_grad():
        logits = network(images)
    right = (logits.argmax(1) == labels).sum().item()
    return right, nn.CrossEntropyLoss()(logits, labels).item()


learner = nn.Sequential(
    *(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU()),
    *(nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8 * 4 * 4, 4)),
)
print("before:", right_and_loss(learner))
start = time.perf_counter()
memorise(learner, images, labels)
print("after:", right_and_loss(learner))
print(f"{time.perf_counter() - start:.2f} seconds")

# %% [markdown]
# ## Task 5: Why a plain VGG stays at ln 10 (14 points)
#
# A plain VGG, without batch norm, is trained on CIFAR-10. Epoch after epoch its loss stands at 2.303 and its accuracy
# at 10 %. The training loss stands there too. What is wrong? A loss curve cannot say, so look inside: how strong is
# the signal behind each convolution, and how strong is the gradient that comes back?
#
# 1. `chance_loss(num_classes)`, 2 points: the cross-entropy of a network that knows nothing and says so, which means
#    that it gives every class the same probability. A float.
#
# 2. `signal_strength(network, images)`, 4 points: send the images through the network once, and return the standard
#    deviation of the output of each `nn.Conv2d`, before ReLU.
#
#    - It is taken over everything in that output: images, channels and places together. Divide by n or by n - 1, both
#      count as right.
#    - A list of floats, in the order in which an image passes the convolutions. Networks may have a `forward` of
#      their own and may define layers in another order. Each convolution is used once.
#    - Convolutions may lie in blocks, and blocks in blocks.
#    - A trap: many networks have `nn.ReLU(inplace=True)`. It writes its result into the tensor that it gets.
#
# 3. `gradient_strength(network, images, labels)`, 3 points: the root mean square of the gradient of the batch's mean
#    cross-entropy by the weight of each `nn.Conv2d`. That is: square all entries, take their mean, then the root.
#    Biases do not count.
#
#    - A list of floats, in the order in which `network.modules()` gives the convolutions.
#    - Gradients that are in the network already must not matter.
#
# 4. `initialise(network)`, 5 points: draw the weights of all `nn.Conv2d` and `nn.Linear` again, in place, so that the
#    signal neither dies nor explodes in a plain VGG of any depth and width. Set all their biases to 0. What the
#    weights were before must not matter.
#
# Parts 2 and 3 leave the network as they found it: its weights, its layers, the mode of every single module, and no
# hook stays behind. Only what lies in `.grad` may change. The networks of parts 2 and 3 have neither batch norm nor
# dropout, so the numbers are the same in both modes, and there is no need to switch.
#
# *How it is graded:* parts 1 to 3 are compared within 0.4 %. Part 4 gets networks of 12 and 20 convolutions of 3 × 3,
# 16 to 44 channels wide, each followed by ReLU, on images of 8 × 8 that keep their side. Behind them stand one pool
# and two linear layers. Then, for normal images of standard deviation 1:
#
# - the first convolution gives a signal between 1/10 and 10,
# - the last convolution's is between 1/30 of the first one's and 10 times it,
# - the logits' is at most 30 times the last convolution's,
# - in each layer all biases are 0, no two units have equal weights, and the mean of the weights lies within a quarter
#   of their standard deviation of 0.
#
# Each strength is a mean over several draws, so a right rule does not depend on luck.


# %% tags=["answer", "task-5"]
def chance_loss(num_classes):
    """The cross-entropy of a network that knows nothing, as a float."""
    raise NotImplementedError


# %% tags=["answer", "task-5"]
def signal_strength(network, images):
    """The standard deviation of what leaves each convolution, before ReLU.

    Args:
        network: an nn.Module; it is left as it was.
        images: float32, shape (N, C, H, W).

    Returns: a list of floats, one for each nn.Conv2d, in the order in which
    an image passes them.
    """
    raise NotImplementedError


# %% tags=["answer", "task-5"]
def gradient_strength(network, images, labels):
    """Root mean square of the loss's gradient by each convolution's weight.

    Args:
        network: an nn.Module; all but its gradients is left as it was.
        images: float32, shape (N, C, H, W).
        labels: int64, shape (N,).

    Returns: a list of floats, one for each nn.Conv2d, in the order in which
    network.modules() gives them.
    """
    raise NotImplementedError


# %% [markdown]
# ### The patient
#
# Here is a plain stack of 16 convolutions, with the weights that PyTorch gives it, and 50 images of noise. Noise will
# do: the question is what the layers do to a signal, whatever it shows.

# %%
torch.manual_seed(0)
layers, channels = [], 3
for _ in range(16):
    conv = nn.Conv2d(channels, 32, 3, padding=1)
    layers += [conv, nn.ReLU(inplace=True)]
    channels = 32
head = [nn.MaxPool2d(8), nn.Flatten(), nn.Linear(32 * 2 * 2, 10)]
plain = nn.Sequential(*layers, *head)

noise, targets = torch.randn(50, 3, 16, 16), torch.arange(50) % 10


def look_at(network, name):
    """Its loss and its logits; returns signals and gradients by layer."""
    with torch.no_grad():
        logits = network(noise)
    loss = nn.CrossEntropyLoss()(logits, targets)
    print(f"{name}: loss {loss:.4f}, by chance {chance_loss(10):.4f}")
    print(f"  logits differ between images by {logits.std(0).mean():.1e}")
    signals = signal_strength(network, noise)
    gradients = gradient_strength(network, noise, targets)
    print(f"  signal: first {signals[0]:.2g}, last {signals[-1]:.2g}")
    print(f"  gradient: first {gradients[0]:.2g}, last {gradients[-1]:.2g}")
    return name, signals, gradients


seen = [look_at(plain, "PyTorch's own")]

# %% [markdown]
# Read the numbers before you go on. How strong is the gradient of the first convolution? How far would SGD with a
# learning rate of 0.01 move a weight of about 0.1? And if the logits are the same for every image, what is the best
# that the loss can be on ten equally frequent classes?


# %%
def plot(seen):
    """Signals on the left, gradients on the right, a line a network."""
    figure, places = plt.subplots(1, 2, figsize=(10, 4))
    titles = ("signal, standard deviation", "gradient, root mean square")
    for place, title, which in zip(places, titles, (1, 2)):
        for one in seen:
            depth = range(1, len(one[which]) + 1)
            place.plot(depth, one[which], label=one[0])
        place.set(title=title, xlabel="convolution", yscale="log")
    places[0].legend()
    figure.tight_layout()


plot(seen)

# %% [markdown]
# After how many layers has the signal gone? The left curve falls, and then it stops falling. But the logits hardly
# differ between images. So what is it that is left? Think of what in a convolution's output does not depend on the
# image. Take that away, and look again.

# %%
with torch.no_grad():
    for name, parameter in plain.named_parameters():
        if name.endswith("bias"):
            parameter.zero_()

seen.append(look_at(plain, "PyTorch's weights, no biases"))
plot(seen)

# %% [markdown]
# By which factor does a layer weaken the signal, about? A straight line on a logarithmic axis means the same factor
# every time.
#
# ### The cure
#
# Where does that factor come from? One output of a convolution is a sum. How many terms does it have, and what is the
# variance of a sum of so many independent terms? Then comes ReLU: what does it leave of the mean square of a signal
# that is as often below 0 as above? Choose the weights so that both together leave the signal as it was.


# %% tags=["answer", "task-5"]
def initialise(network):
    """Draw the weights of all nn.Conv2d and nn.Linear again, in place.

    Biases become 0.
    """
    raise NotImplementedError


# %%
initialise(plain)
seen.append(look_at(plain, "initialised"))
plot(seen)

# %% [markdown]
# Is the first convolution's gradient of a size now that an optimizer can use? The loss may well be above ln 10 at the
# start: a network that says different things about different images is often wrong, and can learn from it. Keep these
# numbers. Task 8 asks you to explain them.

# %% [markdown]
# ## Task 6: Metrics, and a network of your own (14 points)
#
# A network has learned. Is it good? That question needs numbers, and each number hides something. Accuracy hides
# which classes are confused. A mean over classes hides how many images each one has. Training accuracy hides what
# happens on images that the network has not seen.
#
# First write four functions. In all of them, the predicted class of an image is the one with the largest logit. The
# logits are drawn so that no two largest ones are equal.
#
# 1. `accuracy(logits, labels)`, 1 point: the share of right predictions, a float from 0 to 1.
# 2. `confusion_matrix(logits, labels, num_classes)`, 3 points: an int64 tensor (K, K) of counts. Row i, column j says
#    how many images of class i were taken for class j. All K = `num_classes` classes have a row and a column, whether
#    or not they occur.
# 3. `macro_f1(logits, labels, num_classes)`, 4 points: precision of a class is the share of right ones among its
#    predictions, recall is the share of right ones among its images. F1 of the class is their harmonic mean, twice
#    their product over their sum. Macro F1 is the plain mean of F1 over all K classes, so each class counts the same.
#    Where F1 is a division by 0, or precision or recall is, F1 of the class is 0, and the class counts in the mean:
#    one that was never predicted, one without images, one that is neither.
# 4. `generalisation_gap(train_logits, train_labels, val_logits, val_labels)`, 2 points: training accuracy minus
#    validation accuracy, in percentage points. From 80 % on training images to 70 % on validation images it is 10.0.
#    Where validation is better, it is below zero.
#
# *How it is graded:* on drawn logits of few images, with classes of very different size, and with classes that have
# no image or are never predicted. Numbers may be off by 0.0001, the gap by 0.01 points.


# %% tags=["answer", "task-6"]
def accuracy(logits, labels):
    """The share of right predictions.

    Args:
        logits: float (N, K), a row an image.
        labels: int64 (N,), the true classes.

    Returns: a float from 0 to 1.
    """
    raise NotImplementedError


def confusion_matrix(logits, labels, num_classes):
    """How many images of each true class got each predicted class.

    Args:
        logits: float (N, K), a row an image.
        labels: int64 (N,), the true classes.
        num_classes: K.

    Returns: an int64 tensor (K, K); a row is a true class, a column a
    predicted one.
    """
    raise NotImplementedError


def macro_f1(logits, labels, num_classes):
    """The unweighted mean of F1 over all classes.

    Args: as of confusion_matrix.

    Returns: a float from 0 to 1.
    """
    raise NotImplementedError


def generalisation_gap(train_logits, train_labels, val_logits, val_labels):
    """Training accuracy minus validation accuracy, in percentage points.

    Args:
        train_logits, train_labels: float (N, K) and int64 (N,), of training
            images.
        val_logits, val_labels: float (M, K) and int64 (M,), of validation
            images.

    Returns: a float, above zero where validation is worse.
    """
    raise NotImplementedError


# %% [markdown]
# Try them on six images and three classes. Work out macro F1 on paper first. Why is it so far below accuracy?

# %%
labels = torch.tensor([0, 0, 0, 0, 1, 2])
guesses = torch.tensor([0, 0, 0, 1, 1, 0])
logits = torch.eye(3)[guesses]

print(accuracy(logits, labels), macro_f1(logits, labels, 3))
confusion_matrix(logits, labels, 3)

# %% [markdown]
# ### Your own network
#
# How much does a network gain from more data? Train one on 5 % of the training images, and a second one, from new
# weights, on all of them. Everything that you wrote comes together here: the network is your `build_vgg` of task 3,
# and a step is your `train_step` of task 4.
#
# **Where to run it.** On any laptop, or in Colab, where a GPU makes it faster (Runtime, Change runtime type). Nothing
# here needs one. Where there is a GPU, the cells use it.
#
# **What it takes.** The first time, CIFAR-10 is fetched, about 170 MB. It is kept for the next time. The training is
# made for two CPU cores and a few minutes. Is your machine slower? Set `EPOCHS` lower before you wait. A network with
# half the epochs learns enough for this task.
#
# The course's library hands out 45,000 training images and 5,000 validation images, the same ones for everybody. The
# first 2,250 training images are the 5 %. They come in random order, so all classes are among them.

# %%
from course_lib import data

cifar = data.load("cifar10")
few = cifar.train.select(range(2_250))
print(cifar)
print("of each class in the 5 %:", few.labels.bincount().tolist())

# %% [markdown]
# The network is small: one convolution a block, each followed by batch norm. Set the numbers here.

# %%
BLOCKS = [[1, 16], [1, 32], [1, 64], [1, 128]]
EPOCHS = {"5": 20, "100": 5}  # passes over 5 % and over 100 %
BATCH = 128
SEED = 0
device = "cuda" if torch.cuda.is_available() else "cpu"


# %%
def learn(split, epochs):
    """A new network, trained on a split."""
    torch.manual_seed(SEED)
    network = build_vgg(BLOCKS, True, 3, 10).to(device)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    shuffle = torch.Generator().manual_seed(SEED)
    split = split.to(device)
    for epoch in range(1, epochs + 1):
        network.train()
        order = torch.randperm(len(split), generator=shuffle).to(device)
        losses = []
        for batch in order.split(BATCH):
            images = split.normalize(split.images[batch])
            labels = split.labels[batch]
            losses.append(train_step(network, optimizer, images, labels))
        print(f"epoch {epoch}: mean loss {sum(losses) / len(losses):.3f}")
    return network


# %% [markdown]
# What is the loss before anything is learned? If the first epoch's mean is not below that, stop and look for the
# reason.

# %%
networks = {"5": learn(few, EPOCHS["5"])}

# %% [markdown]
# The second one takes longer: each of its epochs has twenty times as many steps.

# %%
networks["100"] = learn(cifar.train, EPOCHS["100"])

# %% [markdown]
# What you hand in of a network is neither its weights nor its code. It is its logits: for the same 2,250 training
# images in both cases, and for all validation images. They are taken in evaluation mode, and saved with 16 bits each,
# so the file is small. `logits.safetensors` belongs into the folder of your assignment. In Colab, download it (Files,
# on the left).


# %%
@torch.no_grad()
def logits_of(network, split):
    """Logits (N, 10) of a whole split, in evaluation mode, float16."""
    network.eval()
    parts = [network(split.normalize(images.to(device))) for images in split.images.split(500)]
    return torch.cat(parts).half().cpu()


# %%
from safetensors.torch import load_file, save_file

saved = {}
for share, network in networks.items():
    saved[f"train_{share}"] = logits_of(network, few)
    saved[f"val_{share}"] = logits_of(network, cifar.val)
save_file(saved, "logits.safetensors")

# %% [markdown]
# Now your functions measure your network, by what stands in the file.

# %%
saved = load_file("logits.safetensors")
seen = {name: rows.float() for name, rows in saved.items()}
truth = {"train": few.labels, "val": cifar.val.labels}

for share in ("5", "100"):
    train, val = seen[f"train_{share}"], seen[f"val_{share}"]
    gap = generalisation_gap(train, truth["train"], val, truth["val"])
    print(f'"accuracy_{share}": {accuracy(val, truth["val"]):.4f},')
    print(f'"macro_f1_{share}": {macro_f1(val, truth["val"], 10):.4f},')
    print(f'"gap_{share}": {gap:.2f},')

# %% [markdown]
# `RESULTS`, 4 points: copy the six numbers from above in place of `None`. Accuracy and macro F1 are those on
# validation images, as shares from 0 to 1. The gap is in percentage points, between the 2,250 training images and the
# validation images, for both networks.
#
# *How it is graded:* the numbers must be those that `logits.safetensors` gives: accuracy and macro F1 within 0.002,
# the gap within 0.2 points. And the logits must come from a network that learned: validation accuracy at least 0.20
# from 5 % and at least 0.50 from 100 %, better from 100 % than from 5 %, and neither above 0.97, because this network
# does not reach that on images that it has not been trained on. How much better it is earns no points.

# %% tags=["answer", "task-6"]
RESULTS = {
    "accuracy_5": None,
    "accuracy_100": None,
    "macro_f1_5": None,
    "macro_f1_100": None,
    "gap_5": None,
    "gap_100": None,
}

# %% [markdown]
# Which classes does each network confuse? Look for pairs that stay dark in the second picture, and say what their
# images have in common.

# %%
figure, places = plt.subplots(1, 2, figsize=(11, 5), layout="constrained")
for place, share in zip(places, ("5", "100")):
    counts = confusion_matrix(seen[f"val_{share}"], truth["val"], 10)
    place.imshow(counts, cmap="Blues")
    place.set_title(f"{share} % of the training images")
    place.set_xticks(range(10), cifar.classes, rotation=90)
    place.set_yticks(range(10), cifar.classes)
    place.set_xlabel("predicted")
places[0].set_ylabel("true")
plt.show()

# %% [markdown]
# What did twenty times the data change? Which of the three numbers changed most? Keep the answer: task 8 asks for it.

# %%
for name in ("accuracy", "macro_f1", "gap"):
    at_5, at_100 = RESULTS[f"{name}_5"], RESULTS[f"{name}_100"]
    if at_5 is not None and at_100 is not None:
        print(f"{name:9} {at_5:8.4g} {at_100:8.4g}  {at_100 - at_5:+.4g}")

# %% [markdown]
# ## Task 7: Looking inside (10 points)
#
# Numbers say how good a network is. Pictures say what it does: which colours and edges its first filters wait for,
# where in an image a map is active, and which images it gets wrong while it is sure. Write the three functions that
# such pictures need.
#
# 1. `filter_picture(weights, columns)`, 3 points: all filters (N, 3, k, k) of a first layer as one picture, a float
#    tensor (height, width, 3) with values from 0 to 1.
#    - Each filter becomes a tile of k × k pixels. Its channels are red, green and blue, and its rows stay rows.
#    - Each filter is stretched by its own numbers: the smallest of its 3·k·k weights becomes 0 and the largest 1. A
#      filter whose weights are all equal becomes grey, 0.5.
#    - Tiles are laid out row by row, from left to right, `columns` in a row. Between two neighbouring tiles lies one
#      white pixel, 1.0. There is no white border around the picture.
#    - The picture is always `columns` tiles wide. Places that no filter fills are white.
#    - The weights that the function gets stay as they are.
# 2. `maps_of(network, name, images)`, 4 points: what the module called `name` gives when these images run through the
#    network, a tensor (N, channels, height, width). The module is a convolution or a norm, `name` is as
#    `network.named_modules()` has it, such as `"features.3"`, and the network uses it once.
#    - The network works as in evaluation, whatever mode it is in, and no gradient is recorded.
#    - The maps are what the module gave, even if a layer behind it works in place.
#    - Afterwards the network is as before: each module is in its own old mode, no hook is left, no weight and no
#      running statistic has changed.
# 3. `worst_mistakes(logits, labels, count)`, 3 points: the places of wrong predictions among all N images, as a list
#    of ints. Those come first in which the network gave its predicted class the highest probability, by softmax.
#    Where there are fewer than `count` mistakes, the list is shorter. The logits are drawn so that no two of these
#    probabilities are equal.
#
# *How it is graded:* filters, networks, images and logits are drawn. A picture's pixels may be off by 0.002, maps by
# what rounding does. The networks are not only chains of layers: some have modules within modules, and one has a
# `forward` of its own.


# %% tags=["answer", "task-7"]
def filter_picture(weights, columns):
    """All filters of a first layer in one picture.

    Args:
        weights: float (N, 3, k, k).
        columns: how many tiles lie in a row, 1 or more.

    Returns: a float tensor (height, width, 3), from 0 to 1.
    """
    raise NotImplementedError


# %% tags=["answer", "task-7"]
def maps_of(network, name, images):
    """What one module of a network gives for these images.

    Args:
        network: an nn.Module that takes images.
        name: a convolution or norm, as network.named_modules() names it.
        images: float (N, C, H, W).

    Returns: a float tensor (N, channels, height, width), without gradient.
    """
    raise NotImplementedError


# %% tags=["answer", "task-7"]
def worst_mistakes(logits, labels, count):
    """The wrong predictions in which the network was most sure.

    Args:
        logits: float (N, K), a row an image.
        labels: int64 (N,), the true classes.
        count: how many to give, 1 or more.

    Returns: a list of ints, places among the N images, the most confident
    first; fewer than count where there are fewer mistakes.
    """
    raise NotImplementedError


# %% [markdown]
# ### Your own network
#
# The cells below look into the networks of task 6, so run its cells first. First the filters: at the start, after 5 %
# and after 100 % of the training images. All three began with the same weights. Which filters did training change, and
# which are still as chance drew them?


# %%
def first_weights(network):
    """The weights of a network's first convolution."""
    return next(network.parameters()).detach().cpu()


torch.manual_seed(SEED)
fresh = build_vgg(BLOCKS, True, 3, 10)

figure, places = plt.subplots(1, 3, figsize=(11, 4))
shown = {"at the start": fresh, **networks}
for place, (name, network) in zip(places, shown.items()):
    place.imshow(filter_picture(first_weights(network), columns=4))
    place.set_title(name if network is fresh else f"{name} % of the images")
    place.axis("off")
plt.show()

# %% [markdown]
# Then the maps: one validation image, and the first eight maps of two convolutions. Take another image with `WHICH`.
# What do later maps lose, and why?

# %%
WHICH = 0
network = networks["100"]
image = cifar.val.images[WHICH : WHICH + 1]
convolutions = [name for name, module in network.named_modules() if isinstance(module, torch.nn.Conv2d)]

figure, places = plt.subplots(2, 9, figsize=(11, 3), layout="constrained")
for row, name in zip(places, (convolutions[0], convolutions[-1])):
    row[0].imshow(image[0].permute(1, 2, 0))
    row[0].set_title(name)
    maps = maps_of(network, name, cifar.val.normalize(image.to(device)))[0]
    for place, one in zip(row[1:], maps.cpu()):
        place.imshow(one, cmap="gray")
for place in places.flat:
    place.axis("off")
plt.show()

# %% [markdown]
# Last the mistakes of which the network is most sure. Would you have been sure? Is each label right?

# %%
rows = seen["val_100"]
chances, guessed = rows.softmax(1).max(1)

figure, places = plt.subplots(2, 6, figsize=(11, 4.6), layout="constrained")
worst = worst_mistakes(rows, cifar.val.labels, places.size)
for place, i in zip(places.flat, worst):
    place.imshow(cifar.val.images[i].permute(1, 2, 0))
    true = cifar.classes[cifar.val.labels[i]]
    taken = cifar.classes[guessed[i]]
    title = f"{true},\ntaken for {taken}\n({chances[i]:.1%})"
    place.set_title(title, fontsize=9)
for place in places.flat:
    place.axis("off")
plt.show()

# %% [markdown]
# ## Task 8: In your own words (8 points)
#
# Numbers do not explain themselves. Write two short texts, of 80 to 250 words each. A person reads and marks them.
# The check sees only that they are there, and counts their words.
#
# Write whole sentences, in your own words, and give your own measured numbers where the question asks for them. A
# number needs its unit, and where you compare, both numbers.
#
# `WHY_STUCK`, 4 points: why does a deep plain VGG at PyTorch's default initialisation stay at a loss of ln 10? And
# why do batch norm and a right initialisation each free it? Refer to what you measured in task 5.
#
# | one point for | what must be there |
# |---|---|
# | the symptom | what a loss of ln 10 says about predictions, and why it is a failure to train, no lack of data |
# | the cause | what happens to signals from layer to layer, and to gradients on their way back, with your numbers |
# | initialisation | what a right one keeps the same from layer to layer, by which choice of weights, and your number |
# | batch norm | what it does in each layer that does not depend on how large the weights are, with your number |
#
# `WHAT_DATA_BUYS`, 4 points: what changes from 5 % to 100 % of the training images in accuracy, macro F1 and gap?
# Which of these numbers would you trust to decide between two networks, each trained once, with one seed?
#
# | one point for | what must be there |
# |---|---|
# | the change | all three numbers of `RESULTS` at 5 % and at 100 %, and in which direction each moved |
# | the gap | why training and validation accuracy lie apart with few images, and what more images change about it |
# | the measures | what macro F1 says that accuracy does not, and whether it did so in your results |
# | the decision | which number you would use, why not the others, and how large a difference one seed can prove |
#
# A point is given where the reason is right, also where your numbers are unusual. It is not given for a number
# without a reason, or for a reason that contradicts your numbers.

# %% tags=["answer", "task-8"]
WHY_STUCK = """
"""

WHAT_DATA_BUYS = """
"""

# %%
for text in (WHY_STUCK, WHAT_DATA_BUYS):
    print(len(text.split()), "words")
