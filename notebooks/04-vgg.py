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
# Where one small network has a convolution of 7 × 7, another has a *stack*: three of 3 × 3, one after another. Together they see the same
# 49 places, with little more than half of the weights. Here are the errors of both on test photographs, five runs each:

# %% tags=["install"]
import sys

if "google.colab" in sys.modules:
    address = "git+https://github.com/convnets-measured/convnets-measured"
    get_ipython().run_line_magic("pip", f"install --quiet {address}")

# %% tags=["drawn", "card", "remove-input"]
from course_lib import plots
from course_lib.records import studies

trials = studies.table("vgg-trials").groupby("name")["accuracy"]
pair = ("one 7×7", "three 3×3")
plots.run_dots({name: trials.get_group(name) for name in pair}, "test")

# %% [markdown]
# The stack gets 1.3 ± 0.4 points <!-- claim: windows-stack-less-large --> more of them right. Do small windows pay, then? There is a catch.
#
# AlexNet's windows are 11, 5 and 3 pixels wide, its strides are 4 and 1, and somebody had to choose each number. <!-- claim: E.1 --> In
# 2014 two researchers in Oxford fixed nearly all of them. Convolutions are 3 × 3 with a stride of 1, and every pool halves the
# side. <!-- claim: A.2 --> That left the depth to study. Such networks are called VGG, after Oxford's Visual Geometry Group ([Simonyan and
# Zisserman, 2014](https://arxiv.org/abs/1409.1556)).
#
# > **What you will be able to do.**
# > Each goal is answered by the cell whose first line has its number.
# >
# > 1. Write a VGG block, and read a network from a list of numbers.
# > 2. Say what three small windows see and cost, and test whether they are better.
# > 3. Say where VGG-16 has its parameters, its work and its training memory.
# > 4. Choose first weights that keep a signal's size, and see what happens without them.
# > 5. Write batch norm, and say why it differs between training and evaluation.
# > 6. Test whether depth helps.
# > 7. Train a small VGG on photographs, and doubt a label.
#
# To run it yourself, open it in Colab: 7 min <!-- claim: vgg-time --> on two CPU cores, 1.3 GB <!-- claim: vgg-memory --> of memory.
# `PROFILE = "quick"` takes half a minute, on a sample, and gives other numbers.

# %% tags=["parameters"]
PROFILE = "auto"

# %% tags=["hide-input"]
import torch
from course_lib import analysis, data, live, models, plots, training
from course_lib.profiles import resolve_profile
from course_lib.records import studies
from torch import nn

profile = resolve_profile(PROFILE, without_gpu="cpu")
photos = data.load("cifar10", size="sample" if profile == "quick" else "full")
if profile == "quick":
    photos = photos.part(256)  # enough to see that the code works
few = photos.train.select(range(min(8_000, len(photos.train))))

# %% [markdown]
# ## One block, again and again
#
# A *VGG block* is a few convolutions of 3 × 3 with a padding of 1, so that maps keep their side, each followed by a ReLU. Then a max-pool
# of 2 × 2 with a stride of 2 halves the side. <!-- claim: A.2 -->
#
# > **Your turn.** Write `vgg_block`. Its first convolution goes from `before` to `after` channels, the others from `after` to `after`.


# %% tags=["your-turn"]
def vgg_block(before, after, convolutions):
    # collect the layers in a list: nn.Conv2d(..., 3, padding=1) and
    # nn.ReLU() for each convolution, and at the end nn.MaxPool2d(2);
    # then return nn.Sequential(*layers)
    ...


block = vgg_block(3, 8, convolutions=2)
assert isinstance(block, nn.Sequential), "return nn.Sequential(*layers)"
kinds = [type(layer).__name__ for layer in block]
assert kinds.count("MaxPool2d") == 1, "one pool, at the end of the block"
assert kinds[-1] == "MaxPool2d", "the pool ends the block"
assert kinds[:-1] == ["Conv2d", "ReLU"] * 2, f"{kinds}: a ReLU after each"
sizes = [(one.in_channels, one.out_channels) for one in block[0:3:2]]
assert sizes == [(3, 8), (8, 8)], f"channels {sizes}: the second has `after`"
shape = tuple(block(torch.zeros(1, 3, 32, 32)).shape)
assert shape == (1, 8, 16, 16), f"{shape}: padding=1 keeps the side"


# %% tags=["finished"] cellView="form" jupyter={"source_hidden": true}
# @title One way to write it
def vgg_block(before, after, convolutions):
    layers = []
    for number in range(convolutions):
        start = before if number == 0 else after
        layers += [nn.Conv2d(start, after, 3, padding=1), nn.ReLU()]
    return nn.Sequential(*layers, nn.MaxPool2d(2))


# %% [markdown]
# Three blocks and a linear layer are a network. Train it on 8,000 of CIFAR-10's photographs, 32 × 32 pixels in ten classes.
#
# > **Your guess.** Of a hundred photographs it has not seen, how many will it get right? (Guessing gets 10.)
# > <!-- guess: first-vgg, 10 to 100 % -->

# %%
# The recipe for short trainings: four epochs, a rate that rises and falls
short = {"epochs": 1 if profile == "quick" else 4, "learning_rate": 0.003}
short |= {"schedule": training.one_cycle, "precision": "auto"}

# %%
# Goal 1a: a first VGG
training.set_seed(0)
first_vgg = nn.Sequential(
    vgg_block(3, 32, convolutions=1),
    vgg_block(32, 64, convolutions=1),
    vgg_block(64, 128, convolutions=2),
    nn.Flatten(),
    nn.Linear(128 * 4 * 4, 10),
)
history = training.fit(first_vgg, few, photos.val, **short)
first_answers = training.predict(first_vgg, photos.val)
training.record(
    "a first VGG", history, first_answers, photos, split="validation"
)
print(f"validation accuracy {first_answers.accuracy:.1%}")

# %% [markdown]
# > **What we found.** 56 %. <!-- claim: first-vgg -->
#
# It saw less than a fifth of the photographs, and we tuned nothing.
#
# A whole VGG can be written as a list, which `models.VGG` reads: a number is a convolution with so many channels, and `M` is a pool.

# %% tags=["nbval-check-output"]
# Goal 1b: networks, read from lists
for letter in "8ADE":
    print(letter, *models.CONFIGURATIONS[letter])

# %% [markdown]
# The letters are the paper's. Three linear layers follow each list. A has 8 <!-- claim: vgg11-convolutions --> convolutions, so 11 layers
# with weights: it is VGG-11. D, with 13, <!-- claim: B.2 --> is VGG-16, and E, with 16, <!-- claim: B.2 --> is VGG-19. The first list is
# ours, for photographs of 32 × 32: *VGG8*, with one convolution a block.
#
# ## Three small windows
#
# What does a network lose without large windows? A unit of a 3 × 3 convolution sees three pixels along a side. A second convolution adds
# two pixels, and so does a third: together 7 × 7, as one large window sees. <!-- claim: B.3 -->

# %%
plots.window_comparison()

# %% [markdown]
# So the *receptive field* is the same. Count the weights, from $C$ channels to $C$ channels:

# %% tags=["nbval-check-output"]
# Goal 2a: three small windows against one large
C = 64
three = [nn.Conv2d(C, C, 3, padding=1, bias=False) for _ in range(3)]
one = nn.Conv2d(C, C, 7, padding=3, bias=False)
for name, layers in {"three 3×3": three, "one 7×7": [one]}.items():
    stack = nn.Sequential(*layers)
    side = analysis.receptive_field_by_gradient(stack)
    weights = analysis.count_parameters(stack)
    print(f"{name}: sees {side}×{side}, {weights // C**2} C² weights")

# %% [markdown]
# The stack has 55 % <!-- claim: three-small-windows-weights --> of the weights, and room for two more ReLUs. Is it better? The study
# [`vgg-trials`](https://github.com/convnets-measured/convnets-measured/blob/main/studies/vgg_trials.py) has small networks of two stages,
# each behind a pool. A stage is one 7 × 7, or three 3 × 3, or three 3 × 3 *without* a ReLU between them. Without ReLUs, three convolutions
# are weighted sums of weighted sums: one weighted sum over 7 × 7 places. That is no more than the large window can compute (but for padding
# at the rim).
#
# After each convolution comes *batch norm*, which brings a channel to mean 0 and standard deviation 1; we write it below. So a stack has
# three where the 7 × 7 has one, and a fourth kind has three 3 × 3 and one batch norm. Each network gets 8,000 <!-- claim: trials-images -->
# photographs, eight epochs, five seeds, and the rate that did best on validation images.
#
# > **Your guess.** With three batch norms and its ReLUs the stack gets 65 % <!-- claim: windows-stack --> of the test photographs right.
# > How many with the batch norms, but without the ReLUs?
# > <!-- guess: windows-no-relus, 10 to 100 % -->

# %% tags=["drawn"]
# Goal 2b: do small windows pay?
names = "one 7×7", "three 3×3", "three 3×3, no ReLU between"
names += ("three 3×3, one batch norm",)
plots.run_dots({name: trials.get_group(name) for name in names}, "test")

# %% [markdown]
# > **What we found.** 60 %. <!-- claim: windows-no-relus --> The stack is 4.8 ± 0.3 points <!-- claim: windows-relus-bring --> better with
# > its ReLUs than without. With three batch norms it is 1.3 ± 0.4 points <!-- claim: windows-stack-less-large --> ahead of the large
# > window, and with one 1.7 ± 0.5 points <!-- claim: windows-large-less-one-norm --> behind.
#
# There is the catch: three batch norms against one. Two more bring 2.9 ± 0.8 points. <!-- claim: windows-norms-bring --> Without them the
# stack does not win here, and the VGG of 2014 had no batch norm. But the stack comes close, with
# 55 % <!-- claim: three-small-windows-weights --> of the weights.
#
# ## Three bills
#
# Here is VGG-16, built on torch's *meta* device, where a tensor has a shape and no numbers: 138 million <!-- claim: B.5 --> parameters take
# no memory.

# %%
image = (3, 224, 224)  # what VGG-16 was made for
with torch.device("meta"):
    vgg16 = models.vgg16()
plots.architecture_drawing(vgg16, image, title="VGG-16")

# %% [markdown]
# From block to block the side halves and the channels double, but the last block stays at 512 maps. <!-- claim: B.4 -->
#
# > **Your guess.** Of all its parameters, how many are in the three linear layers, the *head*?
# > <!-- guess: vgg16-head-percent, 0 to 100 % -->

# %%
# Goal 3a: where the parameters are, and where the work is
table = analysis.layer_table(vgg16, image)
plots.layer_bars(table)

# %% [markdown]
# > **What we found.** 89.4 %, <!-- claim: vgg16-head-percent --> and most of those in one layer. <!-- claim: vgg16-head-share -->
#
# Block 5 hands on 512 maps of 7 × 7, or 25,088 <!-- claim: A.5 --> numbers, and the first linear layer joins each of them with each of
# 4,096 units. The work is elsewhere: of an image's 15.5 billion <!-- claim: vgg16-multiply-adds --> multiply-adds,
# 99 % <!-- claim: vgg16-work-in-convolutions --> are in convolutions. A linear layer uses a weight once, a convolution of the first block
# at 224 · 224 = 50,176 places.
#
# After parameters and work, the third bill is *memory*. Training holds the weights, a gradient for each, the optimiser's numbers (Adam
# keeps two per weight), and what the forward pass saves for the backward pass. Count it before anything runs:

# %%
# Goal 3b: memory, before the first step
for batch_size in (1, 32, 128):
    memory = analysis.training_memory(vgg16, image, batch_size)
    print(f"batch of {batch_size}: {memory}")

# %% [markdown]
# What grows with the batch is mostly `saved`. At 128 images it is most of the bill: <!-- claim: vgg16-saved-is-most -->
# 9.4 GB. <!-- claim: vgg16-saved --> (`working` comes on top at the highest moment of the step.) The first two convolutions have
# 0.03 % <!-- claim: vgg16-first-two-parameters --> of the parameters and more than two fifths of all
# outputs, <!-- claim: vgg16-first-two-maps --> since no pool comes before them.
#
# So VGG-16, with batches of 128, pays three bills in three places: parameters in the head, work in all blocks, memory in the first block
# more than in any other. <!-- claim: vgg16-three-bills --> A smaller batch saves only memory. A smaller image saves memory and work.
#
# ## How large should first weights be?
#
# Does a deeper VGG learn better? `vgg-trials` has VGG8 and VGG-11, three convolutions deeper, both with batch norm and a quarter of the
# width. After four epochs on 8,000 photographs, at a rate of 0.008, VGG8 gets 38.2 % <!-- claim: start-vgg8-at-one-rate --> of the
# validation photographs right, and VGG-11 only 25.4 %. <!-- claim: start-vgg11-at-one-rate --> Is depth to blame? Neither does well: the
# first VGG above, without batch norm, had 56 % <!-- claim: first-vgg --> after as many epochs. (It is wider, has no dropout, and had a
# lower rate.)
#
# Look at how they begin. `analysis.signals` sends one batch through a network and measures the standard deviation of each layer's output
# (of a convolution's before its batch norm). The last three layers are linear.


# %%
# Goal 4a: how a signal fares on its way through fresh networks
def narrow(configuration, **options):
    training.set_seed(0)
    shape = {"num_classes": 10, "width": 0.25, "pooled": 1}
    shape |= {"hidden": (512, 512), "batch_norm": True} | options
    return models.VGG(models.CONFIGURATIONS[configuration], **shape)


batch = few.normalize(few.images[:128]), few.labels[:128]
chains = {
    f"{name}, old weights": analysis.signals(
        narrow(configuration, dropout=0.0), *batch
    )
    for name, configuration in (("VGG8", "8"), ("VGG-11", "A"))
}
plots.signal_chain(chains, "activation std")

# %% [markdown]
# The convolutions have batch norm, and the signal keeps its size. The linear layers have none, and it shrinks to nearly nothing: either
# network gives almost the same ten scores to every photograph. The gradient comes back through the same small weights. Why does the signal
# shrink?
#
# A unit sums $n$ products of a weight and an input. Draw the weights around zero with a standard deviation of $\sigma$. They are as often
# positive as negative, so in the square of the sum the mixed products cancel on average, and what is left is $n \sigma^2$ times the mean
# square of the inputs. About half of the sums are negative. ReLU sets them to zero, which halves the mean square. So from layer to layer it
# changes by a factor of
#
# $$ \tfrac{1}{2} \, n \, \sigma^2 , $$
#
# and the size of a signal by its root. Our VGG draws its *old weights* as torchvision does: in the convolutions by a variant of He's rule
# below, in the head with $\sigma = 0.01$. At a quarter of the width 128 numbers enter the head: $\tfrac12 \cdot 128 \cdot 0.0001 = 0.0064$,
# with a root of 0.08. <!-- claim: narrow-head-keeps --> In VGG-16's first linear layer it is $\tfrac12 \cdot 25{,}088 \cdot 0.0001 = 1.25$,
# with a root of 1.12. <!-- claim: vgg16-head-keeps --> So 0.01 fits that layer, and not ours. What keeps the size for any $n$? He's rule,
# $\sigma = \sqrt{2/n}$ ([He et al., 2015](https://arxiv.org/abs/1502.01852)).
#
# > **Your turn.** Write `start_well`, which draws a layer's weights by He's rule and sets its bias to zero.


# %% tags=["your-turn"]
def start_well(layer):
    # n = layer.weight[0].numel() numbers enter the sum of one unit;
    # nn.init.normal_(layer.weight, 0, sigma), nn.init.zeros_(layer.bias)
    ...


for layer in (nn.Linear(800, 500), nn.Conv2d(64, 100, 3)):
    before = layer.weight.std().item()
    start_well(layer)
    n = layer.weight[0].numel()
    spread = layer.weight.std().item()
    assert spread != before, "draw layer.weight in place: normal_"
    ratio = spread / (2 / n) ** 0.5
    assert abs(ratio - 1) < 0.05, f"{ratio:.2f} times as wide as √(2/n)"
    assert layer.weight.mean().abs() < 0.1 * spread, "around zero"
    assert not layer.bias.any(), "the bias begins at zero: zeros_"


# %% tags=["finished"] cellView="form" jupyter={"source_hidden": true}
# @title One way to write it
def start_well(layer):
    n = layer.weight[0].numel()
    nn.init.normal_(layer.weight, 0, (2 / n) ** 0.5)
    nn.init.zeros_(layer.bias)


# %% [markdown]
# > **Your guess.** From the old weights, at its best rate, five runs of VGG-11 reach 29 % <!-- claim: start-vgg11-ours --> of the test
# > photographs on average. And from He's, at its best?
# > <!-- guess: start-vgg11-he, 10 to 100 % -->


# %%
# Goal 4b: the same network, from two kinds of first weights
def restart(network):
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            start_well(layer)
    return network


for words in ("VGG-11, old weights", "VGG-11, He's weights"):
    network = narrow("A") if "old" in words else restart(narrow("A"))
    history = training.fit(network, few, show=False, **short)
    seen = training.evaluate(network, few).accuracy
    answers = training.predict(network, photos.val)
    training.record(words, history, answers, photos, split="validation")
    print(f"{words}: seen {seen:.1%}, unseen {answers.accuracy:.1%}")

# %%
chains = {
    "VGG-11, old weights": chains["VGG-11, old weights"],
    "VGG-11, He's weights": analysis.signals(
        restart(narrow("A", dropout=0.0)), *batch
    ),
}
plots.signal_chain(chains, "activation std")

# %% [markdown]
# > **What we found.** 40 %, <!-- claim: start-vgg11-he --> the mean of five runs of the study on test photographs.
#
# (Goal 4b's cell shows one more run, on validation photographs. In the figure below it, the signal from He's weights keeps its size to the
# end.) The study's third start has He's weights in the head only:

# %% tags=["drawn"]
# Goal 4c: two depths, three starts, each at the best of seven rates
starts = ("old weights", "He's in the head", "He's weights")
names = [
    f"{depth}, {start}" for depth in ("VGG8", "VGG-11") for start in starts
]
plots.run_dots({name: trials.get_group(name) for name in names}, "test")

# %% [markdown]
# From the old weights, VGG-11's runs end anywhere from 19.6 % <!-- claim: start-vgg11-lowest --> to
# 37.4 %, <!-- claim: start-vgg11-highest --> and VGG8's scatter as widely. He's weights bring VGG-11
# 11.6 ± 11.1 points <!-- claim: start-vgg11-gains --> and VGG8 11.8 ± 11.0 points, <!-- claim: start-vgg8-gains --> and the runs lie close
# together. In the head alone they bring VGG-11 about as much, 11.6 ± 9.9 points: <!-- claim: start-vgg11-head-gains --> it was the head
# that failed.
#
# And depth? From He's weights, VGG-11 less VGG8 is −3.9 ± 4.4 points. <!-- claim: start-depth-he --> The deeper one may be worse; five runs
# can't tell. He's weights bring both about as much, so what set them apart at the one rate was mostly that rate, or luck.
#
# ## Batch norm
#
# He's rule makes the first step good, but then the weights change. *Batch norm* ([Ioffe and Szegedy,
# 2015](https://arxiv.org/abs/1502.03167)) restores a signal's size in every step. For each channel it takes the mean $m$ and the variance
# $v$ of the batch, over all its images and places, and returns
#
# $$ y = \gamma \, \frac{x - m}{\sqrt{v + \varepsilon}} + \beta . $$
#
# The gain $\gamma$ and the bias $\beta$ of each channel are learned, so the network can undo what it does not need; $\varepsilon = 10^{-5}$
# avoids a division by zero. A channel with the values 1, 3, 5, 7 has $m = 4$ and $v = 5$, and becomes −1.34, −0.45, 0.45, 1.34. With 0.1,
# 0.3, 0.5, 0.7 it becomes nearly the same: the scale is gone.
#
# > **Your turn.** Write the forward pass for a batch of maps, (N, C, H, W).


# %% tags=["your-turn"]
def batch_norm(maps, gain, bias, epsilon=1e-5):
    # mean and variance over dim=(0, 2, 3), with keepdim=True;
    # the variance divides by the count: maps.var(..., correction=0);
    # gain and bias have one number a channel: .view(1, -1, 1, 1)
    ...


training.set_seed(0)
maps = 3 * torch.randn(4, 2, 5, 5) + torch.tensor([7.0, -2]).view(1, 2, 1, 1)
gain, bias = torch.tensor([1.0, 2.0]), torch.tensor([0.0, 5.0])
mine = batch_norm(maps, gain, bias)
assert mine is not None and mine.shape == maps.shape, "return all maps"
means = mine.mean(dim=(0, 2, 3))
assert (means - bias).abs().max() < 1e-4, f"means {means}, not the biases"
spreads = mine.std(dim=(0, 2, 3), correction=0)
off = (spreads - gain).abs().max()
assert off < 0.1, f"spreads {spreads}: divide by the root of the variance"
assert off < 1e-3, f"spreads {spreads}: correction=0?"
torchs = nn.BatchNorm2d(2)
torchs.weight.data, torchs.bias.data = gain, bias
small = 0.001 * maps  # so small that epsilon counts
apart = (batch_norm(small, gain, bias) - torchs(small)).abs().max()
assert apart < 1e-3, f"{apart:.1e} apart from torch's: dim? epsilon?"


# %% tags=["finished"] cellView="form" jupyter={"source_hidden": true}
# @title One way to write it
def batch_norm(maps, gain, bias, epsilon=1e-5):
    mean = maps.mean(dim=(0, 2, 3), keepdim=True)
    variance = maps.var(dim=(0, 2, 3), keepdim=True, correction=0)
    normalised = (maps - mean) / (variance + epsilon).sqrt()
    return gain.view(1, -1, 1, 1) * normalised + bias.view(1, -1, 1, 1)


# %% [markdown]
# The formula takes $m$ and $v$ from the batch. What does that mean for one photograph?
#
# > **Your guess.** The same photograph goes through goal 4b's VGG-11 from He's weights, once beside 31 photographs, and once beside 31
# > others. Does its largest score change, in training mode and after `network.eval()`?
# >
# > - In neither: the weights are the same.
# > - In training mode only. <!-- answer: batch-norm-modes -->
# > - In both.

# %%
# Goal 5a: one photograph, two sets of neighbours, two modes
for layer in network.modules():
    if isinstance(layer, nn.Dropout):
        layer.p = 0.0  # dropout would change the score as well
shown = photos.val.normalize(photos.val.images[:63])
beside = shown[:32], torch.cat([shown[:1], shown[32:]])  # 0 is first in both
for mode in ("training", "evaluation"):
    network.cpu().train(mode == "training")
    with torch.no_grad():
        one, other = (network(images)[0].max() for images in beside)
    print(f"{mode} mode: largest score {one:.2f} and {other:.2f}")

# %% [markdown]
# > **What we found.** In training mode only: the score was 0.43 <!-- claim: norm-train-a --> and
# > 0.81. <!-- claim: norm-train-b --> In evaluation mode it was 1.02 <!-- claim: norm-eval --> both times.
#
# Neighbours are fine in training, where batches are drawn at random. A prediction should not depend on them. So the layer also keeps
# running means of $m$ and $v$, in which each new batch counts a tenth, and uses those in evaluation. Without `network.eval()` answers
# depend on the batch, and each pass shifts the running means.
#
# What does batch norm do in VGG-16, with its 16 layers? PyTorch's own first weights have $\sigma = \sqrt{1/(3n)}$, so a layer and its ReLU
# keep $\sqrt{1/6} = 0.41$ <!-- claim: relu-keeps --> of a signal.


# %%
# Goal 5b: sixteen layers, with and without batch norm
def torch_start(network):
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            layer.reset_parameters()
            nn.init.zeros_(layer.bias)  # so that only weights count
    return network


plain = {"batch_norm": False, "dropout": 0.0}
deep = {
    "PyTorch's weights": torch_start(narrow("D", **plain)),
    "He's weights": restart(narrow("D", **plain)),
    "PyTorch's, batch norm": torch_start(narrow("D", dropout=0.0)),
}
signals = {name: analysis.signals(one, *batch) for name, one in deep.items()}
plots.signal_chain(signals, "activation std")

# %%
for name, seen in signals.items():
    scores = seen["activation std"].iloc[-1]
    gradient = seen["gradient rms"].iloc[0]
    print(f"{name}: scores {scores:.2e}, first gradient {gradient:.2e}")
plots.signal_chain(signals, "gradient rms")

# %% [markdown]
# > **What we found.** With PyTorch's weights signal and gradient vanish. The ten scores of a fresh network spread
# > 1.5 million <!-- claim: deep-scores-smaller --> times less than with He's. The first layer's gradient is
# > 639 thousand <!-- claim: deep-gradient-smaller-he --> times smaller than with He's, and
# > 3.9 million <!-- claim: deep-gradient-smaller --> times smaller than with batch norm.
#
# ## Does depth pay?
#
# A common belief: 16 to 19 layers of 3 × 3 beat shallower networks with larger filters. <!-- claim: B.13 --> The study
# [`depth`](https://github.com/convnets-measured/convnets-measured/blob/main/studies/depth.py) has four networks, each with and without
# batch norm: VGG8; VGG-13, with two convolutions a block; VGG-16; and *wide windows*, a 5 × 5 in the place of each pair of VGG-13. All have
# the same head, He's weights and a quarter of the width. They learn from 14,000 <!-- claim: depth-images --> photographs, flipped and
# cropped, for fifteen epochs with five seeds, at the rate that is best on validation images. Seven comparisons were planned before the
# first run. VGG-16 has 3.4 times <!-- claim: depth-parameters-grow --> VGG8's parameters and 4.3 times <!-- claim: depth-work-grows --> its
# work.
#
# > **Your guess.** Without batch norm, how does VGG-16 compare with VGG8?
# >
# > - It is ahead: it has twice the layers.
# > - There is nothing between them.
# > - It is behind. <!-- answer: depth-sixteen -->

# %% tags=["drawn"]
# Goal 6: depth, on equal terms
depth = studies.table("depth")
judged = depth[~depth["name"].str.contains("rate")]
plots.run_dots(judged.groupby("name", sort=False)["accuracy"], "test")

# %% [markdown]
# > **What we found.** It is behind, by 5.8 ± 1.4 points. <!-- claim: depth-sixteen --> With batch norm in both it is
# > 5.1 ± 1.7 points <!-- claim: depth-sixteen-norm --> behind: batch norm lifts VGG-16 by
# > 6.6 ± 3.2 points, <!-- claim: depth-norm-helps --> and VGG8 about as much. By Holm's rule these 3 <!-- claim: depth-decided --> of the
# > seven comparisons count. VGG-13 against VGG8, and small windows against wide ones, stay undecided.
#
# Does the deeper network overfit? Without batch norm VGG-16 ends with a training loss of 1.36, <!-- claim: depth-vgg16-loss --> VGG8 with
# 1.18. <!-- claim: depth-vgg8-loss --> VGG-16 fits even its training photographs less well, so it is training that fails, the subject of
# chapter 6. With batch norm the two end near each other, at 1.09 <!-- claim: depth-vgg16-norm-loss --> and
# 1.07, <!-- claim: depth-vgg8-norm-loss --> and still VGG-16 is behind on new photographs. We don't know why.
#
# On these terms VGG-16's depth does not pay, and whether small windows do stays undecided. <!-- claim: B.13 --> The terms are small: narrow
# networks, small photographs, fifteen epochs, and rates chosen by one run each. The paper saw errors fall from 11 to 16 layers, with
# a million images and weeks of training.
#
# ## A small VGG on photographs
#
# Now all training photographs, with chapter 3's flips and crops, for VGG8 with batch norm at half of its width, from He's weights.

# %%
# Goal 7a: VGG8 with batch norm, on CIFAR-10
training.set_seed(0)
vgg8 = restart(models.vgg8_bn(width=0.25 if profile == "quick" else 0.5))
recipe = {"epochs": 2 if profile == "quick" else 8, "learning_rate": 0.002}
recipe |= {"schedule": training.one_cycle, "precision": "auto"}
history = training.fit(
    vgg8, photos.train, photos.val, augment=data.flip_and_crop, **recipe
)
plots.learning_curves(history)

# %% [markdown]
# Training accuracy begins *below* validation accuracy: augmentation and dropout are on, and it is averaged over the epoch. Nothing is left
# to choose for this network, so we test it. (The studies, too, tested only after choosing.)

# %%
# Goal 7b: the test set, and the most confident mistakes
test = photos.open_test()
answers = training.predict(vgg8, test)
training.record("VGG8-BN, half width", history, answers, photos)
print(f"test accuracy {answers.accuracy:.1%}")
worst = analysis.worst_mistakes(answers, count=8)
plots.mistake_grid(test, worst)

# %% [markdown]
# > **What we found.** Five runs of the study [`vgg8`](https://github.com/convnets-measured/convnets-measured/blob/main/studies/vgg8.py), by this
# > recipe, reach 76.27 ± 0.38 %. <!-- claim: readme-vgg8 -->
#
# Find the "cat" that was taken for a frog, with a confidence of 97.5 %. <!-- claim: frog-sure --> What do you see? The label is wrong.
# Wrong labels were found in all of ten test sets in common use ([Northcutt et al., 2021](https://arxiv.org/abs/2103.14749)), so a perfect
# score would be a bad sign. Look for them among the most confident mistakes.
#
# Over the study's five runs cats and dogs are confused at least twice as often as any other pair of
# classes. <!-- claim: cats-and-dogs-first --> In our run:

# %%
plots.confusion_heatmap(analysis.confusion_matrix(answers))


# %% [markdown]
# > **Reference card.**
# >
# > | what | formula | example |
# > |---|---|---|
# > | VGG block | $k$ times (3 × 3, padding 1, ReLU), then a 2 × 2 pool | `[64, 64, "M"]` |
# > | receptive field of $k$ stacked 3 × 3 | $1 + 2k$ | three: $1 + 2 \cdot 3 = 7$ |
# > | weights of $k$ stacked 3 × 3, $c$ to $c$ channels | $9 k c^2$ | three: $27 c^2$; one 7 × 7: $49 c^2$ |
# > | parameters of a 3 × 3, $c$ to $d$ channels | $d\,(9c + 1)$ | first of VGG-16: $64\,(9 \cdot 3 + 1) = 1{,}792$ |
# > | parameters of a linear layer, $c$ to $d$ | $d\,(c + 1)$ | first: $4{,}096\,(512 \cdot 49 + 1) = 102{,}764{,}544$ |
# > | work of a convolution | its weights times the places of its map | first: $1{,}728 \cdot 224^2 = 86{,}704{,}128$ |
# > | memory of a training step | weights, gradients, Adam's two means, saved maps of a batch | `analysis.training_memory` |
# > | factor of a layer and its ReLU on a signal, $n$ inputs | $\sigma \sqrt{n/2}$ | $0.01 \cdot \sqrt{128/2} = 0.08$ |
# > | He's rule | $\sigma = \sqrt{2/n}$ | 3 × 3 on 64 channels, $n = 576$: $\sigma = 0.059$ |
# > | batch norm | $\gamma\,(x - m)/\sqrt{v + \varepsilon} + \beta$, a pair $\gamma, \beta$ a channel | 64 channels: $2 \cdot 64$ numbers to learn |
# > | its running means | $r \leftarrow 0.9\,r + 0.1\,m$, used in evaluation | `network.eval()` |
# >
# > In plain PyTorch, without this course's library, from He's weights:
# >
# > ```python
# > def block(c, d, convolutions):
# >     layers = []
# >     for number in range(convolutions):
# >         layers += [nn.Conv2d(c if number == 0 else d, d, 3, padding=1)]
# >         layers += [nn.BatchNorm2d(d), nn.ReLU()]
# >     return [*layers, nn.MaxPool2d(2)]
# >
# > vgg8 = nn.Sequential(
# >     *block(3, 64, 1), *block(64, 128, 1), *block(128, 256, 1),
# >     *block(256, 512, 1), *block(512, 512, 1), nn.Flatten(),
# >     nn.Linear(512, 512), nn.ReLU(), nn.Dropout(0.5),
# >     nn.Linear(512, 512), nn.ReLU(), nn.Dropout(0.5),
# >     nn.Linear(512, 10),
# > )
# > for layer in vgg8.modules():
# >     if isinstance(layer, (nn.Conv2d, nn.Linear)):
# >         nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
# >         nn.init.zeros_(layer.bias)
# > ```

# %% [markdown]
# ## Going further
#
# <details><summary>You may have read other numbers about VGG-16</summary>
#
# - *The first linear layer has 102 M <!-- claim: B.5 --> parameters; convolutions hold 10.7 % <!-- claim: B.5 -->, the head 89.3 %.* <!-- claim: B.5 --> It has
#   102.8 M, <!-- claim: B.5 --> and the shares are 10.6 % <!-- claim: B.5 --> and 89.4 %. <!-- claim: B.5 --> The first shares come from dividing rounded numbers.
# - *It needs about 500 MB to run.* <!-- claim: B.5 --> A float32 takes four bytes, so the weights alone take
#   553 MB, <!-- claim: B.5 --> and feature maps come on top.
# - *With one grey channel and ten classes it has 134,301,514 parameters.* <!-- claim: A.5 --> That is the sum for three channels. The
#   first convolution has $64\,(9 + 1) = 640$ <!-- claim: vgg16-first-grey-parameters --> parameters then, and not
#   $64\,(27 + 1) = 1{,}792$: <!-- claim: vgg16-first-colour-parameters --> 1,152 fewer, <!-- claim: vgg16-grey-saves --> or 134,300,362. <!-- claim: A.5 -->
# - *Its channels double after each pool.* <!-- claim: B.4 --> Block 5 stays at 512.
# - *VGG-16's error in the contest of 2014 was 7.3 %.* <!-- claim: B.1 --> That was the mean answer of seven networks, an ensemble.
# - *Gradients shrink with depth, and VGG's answers were ReLU and Glorot's or He's weights.* <!-- claim: B.6 --> ReLU, yes. He's rule is of 2015. The authors trained the shallow net A from random numbers,
#   and started the deeper ones from some of its layers. Later they found that Glorot's rule of 2010 makes this detour unnecessary
#   ([Glorot and Bengio, 2010](https://proceedings.mlr.press/v9/glorot10a.html)).
#
# </details>
#
# <details><summary>The contest of 2014</summary>
#
# VGG came second in ImageNet's classification task, and GoogLeNet won ([Szegedy et al., 2014](https://arxiv.org/abs/1409.4842)). The numbers
# that one meets are of different kinds. (Top-5 error: the right class is not among the five with the largest scores.)
#
# | what | top-5 error |
# |---|---|
# | VGG as handed in, seven networks | 7.3 % <!-- claim: B.1 --> |
# | GoogLeNet as handed in, an ensemble, too | 6.7 % <!-- claim: B.1 --> |
# | VGG later, two networks | 6.8 % <!-- claim: vgg-two-networks --> |
# | VGG, the best single network, on many crops of each image | 7.0 % <!-- claim: vgg-best-single --> |
# | a single GoogLeNet | 7.9 % <!-- claim: googlenet-single --> |
# | VGG-16 and VGG-19, each image at one size, validation images | 8.1 % <!-- claim: vgg16-top5-one-size --> and 8.0 % <!-- claim: vgg19-top5-one-size --> |
# | a single AlexNet, and a single VGG, validation images | 18.2 % <!-- claim: alexnet-top5-of-one --> and 7.1 % <!-- claim: vgg-top5-validation --> |
#
# The paper's error stops falling at 19 layers. It is often said that plain networks can't go much deeper, because gradients don't get
# through 50 layers and nothing lets a signal pass a layer by; <!-- claim: B.7 --> chapter 6 measures that. Against overfitting the paper
# had dropout, a weight decay (each step also shrinks the weights a little) of $5 \cdot 10^{-4}$, crops, flips and colours, and not only
# dropout. <!-- claim: E.2 --> One variant, A-LRN, had AlexNet's response normalisation, which did not help. Depth is said both to
# regularise and to need strong regularisation. <!-- claim: E.2 --> The paper tested windows, too: with one 5 × 5 in the place of each pair
# of 3 × 3 in its net B (our VGG-13), the share of images whose highest score is wrong was 7 % <!-- claim: five-by-five-error --> higher.
#
# VGG is simple, uniform and easy to explain, and its features transfer well. It made 3 × 3 the norm, and serves as a benchmark, for teaching,
# for transfer, and for style transfer, where its maps measure what two images have in common ([Gatys et al.,
# 2015](https://arxiv.org/abs/1508.06576)). <!-- claim: B.10 --> But it is slow, and too large for a phone; <!-- claim: B.8 --> its head holds
# nearly all parameters; and its depth ends at about 19.
#
# </details>
#
# **Channels and sides.** The side halves at each pool; the channels double until they stay. A convolution between twice as many maps has
# four times the weights, and a quarter of the places to use them. So the last convolution of each of blocks 1 to 4 does the same
# work. <!-- claim: vgg16-work-of-blocks -->

# %%
plots.channel_progression(vgg16, image)

# %% [markdown]
# **Goal 3a's parameters, as a pie.** The first linear layer alone holds most of VGG-16:

# %%
plots.parameter_pie(table)

# %% [markdown]
# **AlexNet and VGG.** From AlexNet to VGG-16 the parameters little more than double, and the work grows over
# twenty times. <!-- claim: vgg16-against-alexnet --> From VGG-16 to VGG-19 it is mostly work that grows. <!-- claim: vgg19-against-vgg16 -->
#
# | | AlexNet | VGG-16 | VGG-19 |
# |---|---|---|---|
# | convolutions and linear layers <!-- claim: E.2 --> | 5 and 3 | 13 and 3 | 16 and 3 |
# | windows of convolutions | 11, 5, 3 | 3 | 3 |
# | pools | 3 × 3, stride 2: they overlap | 2 × 2, stride 2 | 2 × 2, stride 2 |
# | against overfitting | dropout, weight decay, augmentation | the same | the same |
# | response normalisation | yes | no | no |
#
# AlexNet's use of parameters is called moderate and VGG's poor, <!-- claim: E.2 --> but the shares do not show it: of AlexNet's
# parameters even more are in the head. <!-- claim: alexnet-head-share --> (AlexNet in the form of 2012, split over two GPUs:
# [Krizhevsky et al., 2012](https://papers.nips.cc/paper_files/paper/2012/hash/c399862d3b9d6b76c8436e924a68c45b-Abstract.html).)

# %%
with torch.device("meta"):
    alexnet, vgg19 = models.alexnet(form="2012", groups=2), models.vgg19()
networks = {"AlexNet": alexnet, "VGG-16": vgg16, "VGG-19": vgg19}
plots.share_bars(
    {
        name: analysis.layer_table(network, image)
        for name, network in networks.items()
    }
)

# %% [markdown]
# **How far does a whole network see?** Choose a layer, and click:

# %% tags=["drawn"]
live.receptive_fields(["VGG-16", "AlexNet"], "VGG-16")

# %% [markdown]
# VGG-16 needs 18 <!-- claim: vgg16-layers-that-see --> convolutions and pools for what AlexNet sees after 8: <!-- claim: alexnet-layers-that-see -->
# 212 <!-- claim: E.3 --> pixels against 195. <!-- claim: E.3 --> Thirteen 3 × 3 alone would see $1 + 2 \cdot 13 = 27$ pixels. The five pools do the rest: behind each,
# a step on the map is twice as many pixels of the image.
#
# Layer for layer, VGG-16's view grows more slowly, <!-- claim: E.3 --> and arrives at about the same place:

# %%
growth = {
    name: analysis.receptive_field(networks[name], image)
    for name in ("AlexNet", "VGG-16")
}
plots.receptive_growth(growth, image_side=224)

# %% [markdown]
# **VGG8 and VGG-11 at seven rates, from the old weights.** One run each. Up to 0.002 the two are close; in these runs the deeper one does
# best at a lower rate. Five runs each, in the figure of goal 4c, show how much of that is luck:

# %% tags=["drawn"]
runs = studies.table("vgg-trials")
old = {
    name: runs[runs["name"].str.startswith(f"{name}, old weights, rate")]
    for name in ("VGG8", "VGG-11")
}
plots.accuracy_by("learning_rate", old, "validation")

# %% [markdown]
# **Does batch norm allow higher rates?** It is said to. <!-- claim: B.14 --> VGG8, from He's weights, at five rates with and without it,
# five runs each:

# %% tags=["drawn"]
rates = studies.table("vgg8")
tried = {
    name: rates[rates["name"].str.startswith(f"{name} at")]
    for name in ("no norm", "batch norm")
}
plots.accuracy_by("learning_rate", tried, "validation")

# %% [markdown]
# > **What we found.** Not here: the best of these rates is 0.002 with batch norm and without. But there it brings
# > 6.9 ± 2.8 points. <!-- claim: rates-norm-brings -->
#
# It helps at each rate at which either learns. At 0.032 VGG8 has 22 % <!-- claim: rates-high-norm --> with it and
# 16 % <!-- claim: rates-high-plain --> without. At 0.128 neither learns.
#
# **Why does batch norm help?** That is disputed. Its authors thought that it reduces *internal covariate shift*, the drift of each layer's
# inputs as earlier layers change. <!-- claim: B.14 --> Later work added such shift on purpose, and networks trained no worse; it found that
# the loss becomes smoother ([Santurkar et al., 2018](https://arxiv.org/abs/1805.11604)).
#
# **Keep the blocks, replace the head.** Better networks came within a year, and VGG is still in use: its blocks, trained on a million photographs, turn images into numbers that serve
# other questions. So the usual recipe of *transfer learning* keeps the blocks with their weights, and trains a new
# head. <!-- claim: B.8 --> Here we only look at shapes; chapter 8 does it with real weights.

# %% tags=["nbval-check-output"]
# What is left to train behind frozen blocks
with torch.device("meta"):
    swapped = models.vgg16().requires_grad_(False)  # frozen: no gradient
    swapped.avgpool = nn.AdaptiveAvgPool2d(1)  # each map becomes its mean
    swapped.classifier = nn.Linear(512, 10)
total = sum(one.numel() for one in swapped.parameters())
print(f"{analysis.count_parameters(swapped):,} of {total:,} to train")

# %% [markdown]
# Without its head VGG-16 takes 59 MB <!-- claim: vgg16-pooled-storage --> to store instead of
# 537 MB, <!-- claim: vgg16-ten-classes-storage --> and 5,130 <!-- claim: D.2 --> parameters learn.

# %% [markdown]
# ## Exercises
#
# ● by hand, ●● change and run, ●●● design an experiment. Guess first, then run, then open the solution.

# %% [markdown]
# ### Exercise 1: Five convolutions less
#
# ● *10 min.* VGG-11 has five convolutions fewer than VGG-16. How many parameters fewer is that, in percent? And how many multiply-adds?

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# The five are 64 → 64, 128 → 128, 256 → 256 and two of 512 → 512. Their parameters are
# $36{,}928 + 147{,}584 + 590{,}080 + 2 \cdot 2{,}359{,}808$, or
# 5.5 million: <!-- claim: vgg11-fewer-parameters --> 4 % <!-- claim: vgg11-fewer-share --> of a network whose head has
# 124 million. <!-- claim: B.5 --> But each of the first four does
# 1.85 G multiply-adds, <!-- claim: vgg16-last-of-block-work --> and the last
# 0.46 G. <!-- claim: vgg16-last-of-block-5-work --> Together that is half of the work. <!-- claim: vgg11-half-the-work -->
#
# </details>

# %% tags=["solution", "nbval-check-output"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
with torch.device("meta"):
    vgg11 = models.vgg11()
deeper, shallower = (
    analysis.layer_table(network, image).loc["total"]
    for network in (vgg16, vgg11)
)
for column in ("parameters", "multiply-adds"):
    saved = 1 - shallower[column] / deeper[column]
    print(f"{column}: {shallower[column]:,} in VGG-11, {saved:.1%} less")

# %% [markdown]
# ### Exercise 2: 81 percent
#
# ● *10 min.* The paper says that one 7 × 7 has 81 % <!-- claim: seven-by-seven-more --> more weights than three of 3 × 3. One also reads that three
# of 3 × 3 have 81 % <!-- claim: seven-by-seven-more --> *fewer*. What is the right number? And for two of 3 × 3 against one 5 × 5?

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# "More" divides by the smaller number, "fewer" by the larger: 22/27 is 81 %, <!-- claim: seven-by-seven-more --> and
# 22/49 is 45 %. <!-- claim: three-by-three-fewer --> For 5 × 5 it is 18 against 25:
# 28 % <!-- claim: two-by-three-fewer --> fewer, or 39 % <!-- claim: five-by-five-more --> more. Always ask: percent of what?
#
# </details>

# %% tags=["solution", "nbval-check-output"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
for many, window in ((3, 7), (2, 5)):
    low, high = 9 * many, window**2
    print(f"{window}×{window}: {high / low - 1:.0%} more", end=", ")
    print(f"{many} of 3×3: {1 - low / high:.0%} fewer")

# %% [markdown]
# ### Exercise 3: A larger image
#
# ● *10 min.* Give VGG-16 images of 448 × 448 pixels. By which factors do its parameters, its multiply-adds, and the receptive field at
# the last pool change? (An average pool in front of the head brings any map to 7 × 7.)

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# The filters are the same and move over four times as many places: the work of the convolutions is times 4, that of the head stays. So the
# whole is a little under four times as much. <!-- claim: vgg16-work-at-448 --> Parameters and receptive field stay. A unit sees the same
# 212 <!-- claim: E.3 --> pixels, now less than half of the image's side.
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
# ### Exercise 4: Batch norm for the head
#
# ●● *15 min.* The head of goal 4a lets a signal die because its weights are too small. He's rule is one cure. Is batch norm another? Put an
# `nn.BatchNorm1d` behind each of the first two linear layers of VGG-11, keep the old weights, and train as in goal 4b. Guess first.

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# In one run it does much better: 54.6 % <!-- claim: norm-head-unseen --> of unseen photographs and 62.8 % <!-- claim: norm-head-seen --> of seen ones, where goal
# 4b's run from He's weights had 39.7 %. <!-- claim: start-live-he --> He's rule sets the size of the signal once. Batch norm
# sets it in each step.
#
# </details>

# %% tags=["solution"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
network = narrow("A")
inputs, units = 128, 128  # a quarter of 512
network.classifier = nn.Sequential(
    *(nn.Linear(inputs, units), nn.BatchNorm1d(units), nn.ReLU()),
    *(nn.Dropout(0.5), nn.Linear(units, units), nn.BatchNorm1d(units)),
    *(nn.ReLU(), nn.Dropout(0.5), nn.Linear(units, 10)),
)
for layer in network.classifier:
    if isinstance(layer, nn.Linear):
        nn.init.normal_(layer.weight, 0, 0.01)  # the old weights
        nn.init.zeros_(layer.bias)
training.fit(network, few, show=False, **short)
seen = training.evaluate(network, few).accuracy
unseen = training.evaluate(network, photos.val).accuracy
print(f"batch norm in the head: seen {seen:.1%}, unseen {unseen:.1%}")

# %% [markdown]
# ### Exercise 5: Other first weights for the first network
#
# ●● *15 min.* `first_vgg` began with PyTorch's weights, which shrink a signal in each of its four convolutions. Does He's rule help it? Guess
# the points that it gains, then draw its weights with `start_well` and train it as before. Say what one seed can't tell you.

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# It gains 2.5 points <!-- claim: first-vgg-gains --> in the mean of three seeds, and its gains differ so much that three seeds decide nothing. Four
# layers are few: a signal that shrinks to 0.41 in each is still there at the end. One seed could have told you any of these gains.
#
# </details>

# %% tags=["solution"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
gains = []
for seed in range(1 if profile == "quick" else 3):
    reached = {}
    for rule in ("PyTorch's", "He's"):
        training.set_seed(seed)
        network = nn.Sequential(
            vgg_block(3, 32, 1),
            vgg_block(32, 64, 1),
            vgg_block(64, 128, 2),
            nn.Flatten(),
            nn.Linear(128 * 4 * 4, 10),
        )
        if rule == "He's":
            restart(network)
        training.fit(network, few, seed=seed, show=False, **short)
        reached[rule] = training.evaluate(network, photos.val).accuracy
    gains.append(100 * (reached["He's"] - reached["PyTorch's"]))
    print(f"seed {seed}: He's rule gains {gains[-1]:+.1f} points")
print(f"mean: {sum(gains) / len(gains):+.1f} points")

# %% [markdown]
# ### Exercise 6: Windows on equal terms
#
# ●●● *45 min.* In the study of windows the stack with one batch norm a stage has about half of the 7 × 7 network's parameters. What if it gets as
# many? Design an experiment: what is equal and what is not, which rates, how many seeds, which images, and which result would convince you
# of what?

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# More channels are the simplest way: with 43 instead of 32 the stack has nearly as many parameters as the 7 × 7, and nearly as much work. A
# first look is three rates, far apart, with one seed each on validation images.
#
# In these runs, of four epochs where the study has eight, the 7 × 7 gets 56.0 % <!-- claim: equal-large --> and the stack
# 52.8 %, <!-- claim: equal-stack --> each at the best of three rates. With one seed each, and a stack that does best at the edge of its rates, this only suggests
# that more channels do not close the gap. Next we would take five seeds, lower rates and more epochs.
#
# </details>


# %% tags=["solution"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
def windows(sizes, C):
    layers = [nn.Conv2d(3, C, 3, padding=1), nn.BatchNorm2d(C), nn.ReLU()]
    for _ in range(2):
        layers += [nn.MaxPool2d(2)]
        for place, size in enumerate(sizes):
            layers += [nn.Conv2d(C, C, size, padding=size // 2)]
            if place == len(sizes) - 1:
                layers += [nn.BatchNorm2d(C)]
            layers += [nn.ReLU()]
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(C, 10)]
    return nn.Sequential(*layers, *head)


for name, sizes, C in (("7×7", [7], 32), ("stack", [3, 3, 3], 43)):
    count = analysis.count_parameters(windows(sizes, C))
    work = analysis.count_multiply_adds(windows(sizes, C), (3, 32, 32)) / 1e6
    print(f"{name}: {count:,} parameters, {work:.1f} M work")
    for rate in (0.002, 0.008, 0.032):
        training.set_seed(0)
        network = windows(sizes, C)
        options = short | {"learning_rate": rate}
        training.fit(network, few, show=False, **options)
        score = training.evaluate(network, photos.val).accuracy
        print(f"  rate {rate}: {score:.1%}")

# %% [markdown]
# ## What to remember
#
# 1. A VGG is a list: so many convolutions of 3 × 3, a pool, and again. The side halves, the channels double until 512.
# 2. Three 3 × 3 see what one 7 × 7 sees, with 55 % <!-- claim: three-small-windows-weights --> of the weights and two more
#    ReLUs. The ReLUs paid here. The stack's lead over the 7 × 7 came with two more batch norms.
# 3. Parameters are in the head, work is in the blocks, training memory is in the first maps.
# 4. A layer and its ReLU multiply a signal's size by $\sigma \sqrt{n/2}$. He's rule makes that 1, batch norm repairs it in each step.
# 5. Batch norm uses the batch in training and running means in evaluation: call `eval()` before you predict.
#
# ## Quiz
#
# Six questions. Each wrong choice is a common belief, and its answer names the place that refutes it.
#
# **Question 1.** You want VGG-16 to do less *work* for an image. What do you cut?
#
# 1. The head: nine of ten parameters are there.
# 2. Convolutions: nearly all of the work is there.
# 3. The batch.
#
# <details><summary>Answer</summary>
#
# 1. A linear layer uses each weight once. Without the head 99 % <!-- claim: vgg16-work-in-convolutions --> of the work is left: goal 3a.
# 2. **Right.** The head makes it heavy to store, the blocks do the work.
# 3. That saves memory: goal 3b. The work for an image stays.
#
# </details>
#
# **Question 2.** A stack of three 3 × 3 convolutions without ReLUs between them...
#
# 1. ...is as good as one with them: the view is the same.
# 2. ...can do at most what one 7 × 7 can, rims apart.
# 3. ...is better, since nothing is cut off.
#
# <details><summary>Answer</summary>
#
# 1. Goal 2b: it was worse by 4.8 ± 0.3 points. <!-- claim: windows-relus-bring -->
# 2. **Right.** Weighted sums of weighted sums are weighted sums.
# 3. ReLUs are what lets the stack bend. See goal 2b.
#
# </details>
#
# **Question 3.** At one rate a narrow VGG-11 ends at 25.4 %, <!-- claim: start-vgg11-at-one-rate --> a narrow VGG8 at
# 38.2 %. <!-- claim: start-vgg8-at-one-rate --> So...
#
# 1. ...depth harms small networks.
# 2. ...the deeper one overfits.
# 3. ...give each its own best rate before you say anything about depth.
#
# <details><summary>Answer</summary>
#
# 1. At low rates the two are close, as the figure of seven rates, under Going further, shows. From good first weights it is undecided: goal 4c.
# 2. Goal 4b, at another rate, prints how VGG-11 does on photographs that it learned from: no better.
# 3. **Right.** One rate need not suit both. Then look at the first weights: goal 4a.
#
# </details>
#
# **Question 4.** Weights are drawn with a standard deviation of 0.01. For a layer of 512 inputs and its ReLU that is...
#
# 1. ...safe: small weights are always safe.
# 2. ...too small: the signal shrinks to a sixth.
# 3. ...right, as in torchvision's VGG-16.
#
# <details><summary>Answer</summary>
#
# 1. Goal 4a shows a signal that nearly vanishes.
# 2. **Right.** $0.01 \cdot \sqrt{512/2} = 0.16$.
# 3. There the first linear layer has 25,088 <!-- claim: A.5 --> inputs, and the factor is 1.12; <!-- claim: vgg16-head-keeps --> for the second it is
#    0.45. <!-- claim: vgg16-second-keeps -->
#
# </details>
#
# **Question 5.** A trained network gives the same photograph different scores, depending on the photographs beside it. You...
#
# 1. ...shuffle the test set.
# 2. ...train longer, until it is sure.
# 3. ...call `network.eval()`.
#
# <details><summary>Answer</summary>
#
# 1. Order is not the problem, mode is: goal 5a.
# 2. Goal 5a's network had been trained.
# 3. **Right.** Then batch norm uses its running means.
#
# </details>
#
# **Question 6.** Your network takes a test photograph, labelled "cat", for a frog, and is very sure. The photograph shows...
#
# 1. ...a cat: labels of a test set are true.
# 2. ...perhaps a frog: look at it.
# 3. ...something in between, or it would not be so sure.
#
# <details><summary>Answer</summary>
#
# 1. Ten test sets in common use have wrong labels (Northcutt et al.): see goal 7b.
# 2. **Right.** The most confident mistakes are the first place to look for wrong labels.
# 3. Confidence is the network's. It is not the share of frog in the picture.
#
# </details>

# %% [markdown]
# ## References
#
# - VGG: [Simonyan and Zisserman, 2014](https://arxiv.org/abs/1409.1556).
# - First weights: [Glorot and Bengio, 2010](https://proceedings.mlr.press/v9/glorot10a.html);
#   [He et al., 2015](https://arxiv.org/abs/1502.01852).
# - Batch norm: [Ioffe and Szegedy, 2015](https://arxiv.org/abs/1502.03167); doubts about the reason:
#   [Santurkar et al., 2018](https://arxiv.org/abs/1805.11604).
# - AlexNet: [Krizhevsky et al., 2012](https://papers.nips.cc/paper_files/paper/2012/hash/c399862d3b9d6b76c8436e924a68c45b-Abstract.html);
#   GoogLeNet: [Szegedy et al., 2014](https://arxiv.org/abs/1409.4842).
# - CIFAR-10: [Krizhevsky, 2009](https://www.cs.toronto.edu/~kriz/learning-features-2009-TR.pdf); wrong labels:
#   [Northcutt et al., 2021](https://arxiv.org/abs/2103.14749).
# - Style transfer: [Gatys et al., 2015](https://arxiv.org/abs/1508.06576).
