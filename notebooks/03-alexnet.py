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
# # 3 · AlexNet
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/convnets-measured/convnets-measured/blob/main/notebooks/03-alexnet.ipynb)
#
# ReLU helped to make AlexNet famous. Why does ours read more photographs with tanh?
#
# In 2012 AlexNet won ImageNet's contest, where 1.2 million <!-- claim: imagenet-photographs --> photographs show 1,000 kinds of things.
# Seven such networks together missed the answer with all five guesses in 15.3 % <!-- claim: alexnet-contest --> of cases, the next best
# team in 26.2 % <!-- claim: alexnet-contest-next --> ([Krizhevsky et al.,
# 2012](https://papers.nips.cc/paper_files/paper/2012/hash/c399862d3b9d6b76c8436e924a68c45b-Abstract.html)). Its authors write that networks
# learn several times faster with ReLU than with tanh. In chapter 2 ReLU was ahead, too. Here is a small AlexNet on small photographs, with
# either activation function. A line is the mean of five runs:

# %% tags=["install"]
import sys

if "google.colab" in sys.modules:
    address = "git+https://github.com/convnets-measured/convnets-measured"
    get_ipython().run_line_magic("pip", f"install --quiet {address}")

# %% tags=["drawn", "card", "remove-input"]
from course_lib import plots
from course_lib.records import studies

curves = studies.curves("alexnet-tricks").replace({"name": {"base": "ReLU"}})
curves = curves[curves["name"].isin(["ReLU", "tanh"])]
plots.mean_curves(
    {"Validation images": curves[["name", "epoch", "val_accuracy"]]}
)

# %% [markdown]
# Tanh is ahead in every epoch. That raises two questions: why does it get ahead so early, and why does it read more *in the end*? We
# question five suspects. Two of them, together, explain much of the first; the second question stays open. Then we ask which of AlexNet's
# other tricks help here.
#
# > **What you will be able to do.**
# > Each goal is answered by the cell whose first line has its number.
# >
# > 1. Say where AlexNet's parameters are, and where its work is done.
# > 2. Fit AlexNet to small images, and exchange a layer in a network that is already built.
# > 3. Question suspects by experiment: saturation, first weights, rate, regularisation, number of steps.
# > 4. Say which tricks help a network that has learned, and with what certainty.
# > 5. Compute a local response normalisation by hand, and find out what it does here.
# > 6. Train AlexNet on MNIST, and set its errors and its work beside LeNet's.
# > 7. Measure how much colour is in a filter.
#
# To run it yourself, open it in Colab: `PROFILE = "auto"` takes all the data, 8 min <!-- claim: alexnet-time --> on two CPU cores, and
# 3.1 GB <!-- claim: alexnet-memory --> of memory. `"quick"` takes half a minute, on a sample, and gives other numbers.

# %% tags=["parameters"]
PROFILE = "auto"

# %% tags=["hide-input"]
from dataclasses import replace

import torch
from course_lib import analysis, data, live, models, plots, records, training
from course_lib.models import backbones
from course_lib.profiles import resolve_profile
from course_lib.records import studies
from torch import nn

profile = resolve_profile(PROFILE, without_gpu="cpu")
size = "sample" if profile == "quick" else "full"
digits, photos = (
    data.load("mnist", size=size),
    data.load("cifar10", size=size),
)
if profile == "quick":  # enough to see that the code works
    digits, photos = digits.part(600), photos.part(200)

# %% [markdown]
# ## The network
#
# Five convolutions, three of them with pooling, then three linear layers: LeNet's plan, made large.

# %%
with torch.device("meta"):
    paper = models.alexnet(form="2012", groups=2)
plots.architecture_drawing(paper, (3, 224, 224), title="AlexNet, 2012")

# %% [markdown]
# The first filter is 11 × 11 pixels wide and moves by 4 pixels at a time. So 224 pixels become 55, and every later layer is cheaper. (In
# the code, `groups=2` means that in three convolutions each half of the filters sees half of the maps, and `meta` that tensors have shapes
# and no numbers.)
#
# > **Your guess.** An image costs AlexNet many *multiply-adds*, that is, multiplications with their additions. What share of them do
# > the five convolutions do? <!-- guess: alexnet-convolution-work, 0 to 100 % -->

# %%
# Goal 1: where parameters are, and where the work is
layers = analysis.layer_table(paper, input_shape=(3, 224, 224))
plots.layer_bars(layers)

# %% [markdown]
# > **What we found.** Convolutions do 92 % <!-- claim: alexnet-convolution-work --> of the work, with
# > 4 % <!-- claim: alexnet-convolution-parameters --> of the parameters.
#
# A convolution uses each of its weights in every place of a map, hundreds or thousands of times. A linear layer uses each once per image.
# So "large" can mean large to store, or slow to run. AlexNet has about 60 million <!-- claim: E.1 --> parameters.
#
# After the first stride, neighbouring units are 4 pixels apart, so each later window reaches four times as far on the image. A unit
# of the last pool sees 195 <!-- claim: E.3 --> of the 224 pixels along each side. Click on one:

# %% tags=["drawn"]
live.receptive_fields(["AlexNet", "LeNet-5"], "AlexNet")

# %% [markdown]
# ## Small photographs
#
# ImageNet is too large for this course. CIFAR-10 takes its place: 60,000 colour photographs of 32 × 32 pixels, in ten classes ([Krizhevsky,
# 2009](https://www.cs.toronto.edu/~kriz/learning-features-2009-TR.pdf)).

# %%
plots.image_grid(photos.train, range(16))

# %% [markdown]
# AlexNet doesn't take an image of 32 × 32: after two blocks its maps have a single pixel, and the third pool's 3 × 3 windows don't fit. So
# we shrink the network. With `stem="small"` the first window is 5 × 5 with stride 1, and `width=0.25` keeps a quarter of all maps and
# units.

# %% tags=["nbval-check-output"]
# Goal 2a: AlexNet for small images
small = models.alexnet(10, width=0.25, stem="small")
table = analysis.layer_table(small, input_shape=(3, 32, 32)).iloc[:, :3]
table[table["type"].isin(["Conv2d", "MaxPool2d", "Linear"])]

# %% [markdown]
# ## The case
#
# We need a second network that differs in its activation functions only. `network.features` and `network.classifier` are both
# `nn.Sequential`: you can loop over their layers, and exchange one with `part[place] = ...`.
#
# > **Your turn.** Write `use_tanh`, which puts `nn.Tanh()` in the place of every ReLU of an AlexNet.


# %% tags=["your-turn"]
def use_tanh(network):
    # 1. for both parts, network.features and network.classifier:
    #    loop over enumerate(part), which gives places and layers
    # 2. is it an nn.ReLU? isinstance(layer, nn.ReLU) says so.
    #    Then put nn.Tanh() at its place.
    ...


changed = models.alexnet(10, width=0.25, stem="small")
before = changed.features[0].weight
use_tanh(changed)
parts = [*changed.features, *changed.classifier]
kinds = [type(layer).__name__ for layer in parts]
assert "Tanh" in kinds, "nothing changed: part[place] = nn.Tanh()"
left = kinds.count("ReLU")
assert left == 0, f"{left} ReLUs are left: both parts have some"
assert kinds.count("Tanh") == 7, "only the place of a ReLU gets a tanh"
assert changed.features[0].weight is before, "leave the other layers alone"


# %% tags=["finished"] cellView="form" jupyter={"source_hidden": true}
# @title One way to write it
def use_tanh(network):
    for part in (network.features, network.classifier):
        for place, layer in enumerate(part):
            if isinstance(layer, nn.ReLU):
                part[place] = nn.Tanh()


# %% [markdown]
# Both networks start from the same first weights and see the same 8,000 photographs in the same order, flipped and cropped at random, seven
# times, with batches of 128, which is 441 <!-- claim: alexnet-live-steps --> steps. We judge on validation images; CIFAR-10's test images
# stay closed.

# %%
# Goal 2b: one run each, ReLU and tanh
recipe = {"epochs": {"quick": 2}.get(profile, 7), "learning_rate": 0.001}
recipe |= {"schedule": training.one_cycle, "precision": "auto", "show": False}
some = photos.train.select(range(min(8_000, len(photos.train))))


def train_on_photos(name, *changes, augment=data.flip_and_crop):
    training.set_seed(0)
    network = models.alexnet(10, width=0.25, stem="small")
    for change in changes:
        change(network)
    history = training.fit(network, some, augment=augment, **recipe)
    answers = training.predict(network, photos.val)
    training.record(name, history, answers, photos, split="validation")
    return network, history


# %%
relu, relu_history = train_on_photos("ReLU")
tanh, tanh_history = train_on_photos("tanh", use_tanh)
plots.compare_curves(
    {"ReLU": relu_history, "tanh": tanh_history}, "train_loss"
)

# %% [markdown]
# Tanh ends at a training loss of 1.30, <!-- claim: tanh-last-loss --> ReLU at 1.57. <!-- claim: relu-last-loss --> Guessing gives a loss of
# $\ln 10 = 2.30$, and ReLU spends its first epoch near that. (One seed. A training loss is a running mean, with dropout, flips and crops
# on.)
#
# ### Suspect 1: saturation
#
# This is the paper's argument for why tanh should be slow. Does it hold here? On its way back, a gradient is multiplied by the derivative
# of every activation function:

# %% tags=["hide-input"]
z = torch.linspace(-4, 4, 300)
figure, axes = plots.new_figure(width=6, height=2.8)
slope = 1 - z.tanh().square()
axes.plot(z, slope, color=plots.ORANGE, linestyle="--", label="tanh")
axes.plot(z, (z > 0).float(), color=plots.BLUE, linewidth=2.5, label="ReLU")
axes.set(xlabel="z, a unit's sum", ylabel="derivative")
axes.legend(frameon=False)
words = "Derivative by z: tanh peaks at 1 for z = 0 and is near 0 beyond ±3; "
words += "that of ReLU is 0 for negative and 1 for positive z."
plots.finish(figure, words)

# %% [markdown]
# For a sum of 3, tanh lets 1 % <!-- claim: tanh-at-three --> of the gradient through: the unit is *saturated*, and can hardly learn. ReLU
# lets everything through where it is on, and nothing elsewhere. So tanh suffers from *large* sums. Are ours large? We send unseen
# photographs through the trained networks.
#
# > **Your guess.** In the convolution where tanh blocks the most, what share of the gradient does it let through, on average?
# > <!-- guess: tanh-lets-through, 0 to 100 % -->

# %%
# Goal 3a: how much of a gradient gets through?
images = photos.val.normalize(photos.val.images[:200])
for place in (1, 4, 7, 9, 11):
    on = analysis.feature_maps(relu, images, f"features.{place}") > 0
    out = analysis.feature_maps(tanh, images, f"features.{place}")
    slope = 1 - out.square()
    where = f"features.{place}"
    print(f"{where}: ReLU {on.float().mean():.0%}, tanh {slope.mean():.0%}")

# %% [markdown]
# > **What we found.** 90 % <!-- claim: tanh-lets-through --> and more. Tanh is hardly saturated in these convolutions.
#
# Normalised pixels, small first weights and few steps may keep the sums small. ReLU lets less through, but a gradient also passes through
# the weights, and somebody chose their size.
#
# ### Suspects 2 and 3: the first weights, and the rate
#
# PyTorch's own first weights have a variance of $1/(3n)$ for $n$ inputs. A sum of $n$ products of a weight and an input has a third of the
# inputs' mean square, and ReLU halves that. So from layer to layer a signal keeps $\sqrt{1/6} = 0.41$ <!-- claim: relu-keeps --> of its
# size, the root of its mean square. Tanh, near zero, changes nothing, and keeps $\sqrt{1/3} = 0.58$. <!-- claim: tanh-keeps --> This goes
# on from layer to layer: before training, the tanh network's logits differ about five times as much from one photograph to the next as
# ReLU's. <!-- claim: logits-at-the-start --> [He et al., 2015](https://arxiv.org/abs/1502.01852) give the weights a variance of $2/n$,
# which keeps a ReLU signal at its size.
#
# The study `alexnet-start` tries PyTorch's first weights, He's, and the smaller ones of AlexNet's paper, which starts most biases at 1, so
# that ReLUs are on. Each tries four learning rates, for fifteen epochs of 10,000 photographs, flipped and cropped, with dropout and one
# seed.
#
# > **Your guess.** Tanh reaches 65 % <!-- claim: tanh-torch-start --> with PyTorch's weights. Where does ReLU end with He's, at the best
# > of four rates? <!-- guess: relu-he-start, 40 to 80 % -->

# %% tags=["drawn"]
# Goal 3b: first weights and rate
starts = studies.table("alexnet-start")
starts["start"] = starts["name"].str.rpartition(", rate")[0]
starts = dict(list(starts.groupby("start")))
plots.accuracy_by("learning_rate", starts, "validation")

# %% [markdown]
# > **What we found.** At its best rate ReLU reaches 57.6 % <!-- claim: relu-he-start --> with He's weights,
# > 57.5 % <!-- claim: relu-torch-start --> with PyTorch's, and 48.9 % <!-- claim: relu-paper-start --> with the paper's. Tanh reaches
# > 57.6 %, <!-- claim: tanh-he-start --> 65.2 %, <!-- claim: tanh-torch-start --> and 42.7 %. <!-- claim: tanh-paper-start -->
#
# So the order depends on the start. But He's start removes the shrinking, and ReLU stays where it was: shrinking alone is not it. Nor is
# the rate alone: with PyTorch's weights each has its best rate, inside the grid, and tanh leads. (With He's and the paper's, ReLU's best is
# the highest of the four, so a higher one may be better.) He's weights were made for ReLU. Why don't they help it?
#
# ### Suspect 4: dropout, flips and crops
#
# The paper's own comparison, with four layers on CIFAR-10, had none of them, nor any other *regularisation*, which is whatever keeps a
# network from fitting its training images too closely. So we repeat the 441 steps of *The case* without it, with both activations, from
# PyTorch's and from He's weights.
#
# > **Your guess.** Without regularisation, tanh with PyTorch's weights reads 68 % <!-- claim: plain-tanh-torch --> of its training
# > images. How many does ReLU with He's weights read? <!-- guess: plain-relu-he, 30 to 100 % -->


# %%
# Goal 3c: without regularisation
def no_dropout(network):
    for layer in network.classifier:
        if isinstance(layer, nn.Dropout):
            layer.p = 0.0


def he_weights(network):
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)


# %%
for name, changes in {
    "ReLU, PyTorch's weights": [],
    "tanh, PyTorch's weights": [use_tanh],
    "ReLU, He's weights": [he_weights],
    "tanh, He's weights": [he_weights, use_tanh],
}.items():
    words = f"{name}, no regularisation"
    network, _ = train_on_photos(words, no_dropout, *changes, augment=None)
    accuracy = training.evaluate(network, some).accuracy
    print(f"{name}: {accuracy:.1%} of the training images")

# %% [markdown]
# > **What we found.** With PyTorch's weights ReLU reads 53 % <!-- claim: plain-relu-torch --> of the training images and tanh
# > 68 %. <!-- claim: plain-tanh-torch --> With He's weights ReLU reads 73 %, <!-- claim: plain-relu-he --> and tanh
# > 77 %. <!-- claim: plain-tanh-he --> (One seed each.)
#
# So these are the two, acting together: regularisation seems to hide what better first weights bring. With it, in the study, they gave ReLU
# nothing. Without it, they lift ReLU by far, and tanh too. We don't know why. Exercise 6 asks which part holds ReLU back.
#
# Still, ReLU only comes close to tanh; it is not several times faster. The paper's network had other layers and another recipe. *Going
# further* lists what our comparisons leave open.
#
# ### Suspect 5: too few steps
#
# Regularisation is meant for long runs. The study `alexnet-tricks`, which made the first figure, has it, and PyTorch's weights. It takes 30
# epochs of 10,000 photographs, 2,370 <!-- claim: alexnet-tricks-steps --> steps, with five seeds. Its training losses:

# %% tags=["drawn"]
# Goal 3d: the same networks, five times as many steps
curves = studies.curves("alexnet-tricks").replace({"name": {"base": "ReLU"}})
curves = curves[curves["name"].isin(["ReLU", "tanh"])]
plots.mean_curves(
    {"Training images": curves[["name", "epoch", "train_loss"]]}
)

# %% [markdown]
# > **What we found.** From epoch 15 <!-- claim: relu-overtakes-tanh --> on ReLU has the lower training loss. It ends at
# > 0.78, <!-- claim: tricks-relu-loss --> tanh at 0.82, <!-- claim: tricks-tanh-loss --> a difference of
# > 0.04 ± 0.02. <!-- claim: tricks-tanh-loss-less-relu --> On validation images tanh is ahead to the end: 70.1 % <!-- claim: tricks-tanh -->
# > against 66.8 %. <!-- claim: tricks-relu -->
#
# So ReLU catches up, given steps, even with PyTorch's weights and regularisation.
#
# The second question stays. On new images tanh is 3.3 ± 0.7 points <!-- claim: tanh-for-relu --> ahead, and its validation loss is
# 0.85 <!-- claim: tricks-tanh-val-loss --> against 0.97. <!-- claim: tricks-relu-val-loss --> Why? We don't know. Next we would judge both
# on their training images without dropout, to see whether ReLU overfits more.
#
# ## Which tricks count?
#
# The base is this ReLU network, trained for 2,370 steps, with the first three of these tricks:
#
# - **Overlapping pools.** LeNet's pools are 2 × 2 with stride 2: the windows tile the map. AlexNet's are 3 × 3 with stride 2, so
#   neighbours share a row or a column.
# - **Dropout** with probability 0.5, here before the first two linear layers. The paper's network overfits badly without it,
#   and needs twice as many steps with it.
# - **Flips and crops**: a mirror image or another cut-out is another array of numbers, and still a frog. Drawing such a change in
#   each step is called *augmentation*.
# - **Other light**: all pixels of an image get the same random change of brightness and colour (*Going further*).
# - **Local response normalisation**, LRN: a value is divided by a sum over neighbouring maps.
#
# Here is one photograph, flipped and cropped, and in other light, thirty times as strong as in our study:

# %%
training.set_seed(0)
car = photos.train.images[(photos.train.labels == 1).nonzero()[0, 0]].double()
# A crop's rim is zero, which shall be grey: so we move grey to zero and back.
moved = data.flip_and_crop((car - 128).repeat(8, 1, 1, 1)) + 128
colours = photos.train.images.permute(1, 0, 2, 3).flatten(1).double() / 255
variances, directions = torch.linalg.eigh(torch.cov(colours))
shifts = (3 * torch.randn(8, 3).double() * variances) @ directions.T
lit = car + 255 * shifts[:, :, None, None]
eight = torch.cat([moved, lit]).round().clamp(0, 255).to(torch.uint8)
shown = replace(photos.train, images=eight)
titles = ["flipped, cropped"] * 8 + ["other light"] * 8
plots.finish(
    plots.image_grid(shown, range(16), titles),
    "A car eight times, each shifted by up to 4 pixels with a grey rim, some "
    "of them mirrored; below, eight times darker, lighter, warmer or colder.",
)

# %% [markdown]
# The plan is an *ablation*: change one thing in the base at a time. Pools that tile, no dropout, no flips, no crops, other light, LRN,
# tanh: these are seven. Photographs, epochs, rate and five seeds are the same for all, so we compare seed by seed.
#
# > **Your guess.** Three of the tricks are meant against overfitting: dropout, flips and crops. After 30 epochs the base has a
# > training loss of 0.78 <!-- claim: tricks-relu-loss --> and a validation loss of 0.97. <!-- claim: tricks-relu-val-loss --> How
# > many of the three demonstrably raise its validation accuracy?
# >
# > - All three: the gap says that it overfits.
# > - Two.
# > - One.
# > - None. <!-- answer: tricks-against-overfitting -->

# %% tags=["drawn"]
tricks = studies.table("alexnet-tricks")
plots.run_dots(tricks.groupby("name", sort=False)["accuracy"], "validation")

# %% [markdown]
# If no change mattered, chance would still flag at least one of seven in up to 30 % <!-- claim: seven-comparisons --> of such tables. So
# here a difference counts only by [Holm's rule](../book/comparing.md) of chapter 2: where the last column is below 0.05.

# %% tags=["drawn"]
# Goal 4: one trick at a time
by_seed = tricks.set_index(["name", "seed"])["accuracy"]
changes = {name: by_seed[name] for name in by_seed.index.unique("name")}
seven = records.family(changes.pop("base"), changes)
shown = 100 * seven[["difference", "half_width"]]
shown.columns = ["points above the base", "± (95 % interval)"]
shown.round(1).assign(**{"p, by Holm": seven["p_holm"].round(3)})

# %% [markdown]
# > **What we found.** None, once seven comparisons are allowed for. Leaving out flips changes accuracy by
# > −1.6 ± 1.0 points, <!-- claim: no-flips --> leaving out dropout by 1.3 ± 0.9 points. <!-- claim: no-dropout --> Either would count
# > alone, and by Holm's rule both just miss. <!-- claim: two-changes-count --> Leaving out crops changes it by
# > 0.1 ± 0.3 points, <!-- claim: no-crops --> and adding other light by −0.2 ± 0.7 points. <!-- claim: light-added --> What does count,
# > beside tanh: pools that tile cost 2.8 ± 1.6 points, <!-- claim: tiles-for-overlap --> and LRN costs
# > 2.1 ± 0.9 points. <!-- claim: lrn-cost -->
#
# So we see no gain from dropout here, though the validation loss is above the training loss. We don't know why.
#
# ## LRN, taken apart
#
# Let $a_i$ be the value of map $i$ in one place. LRN divides it by a power of a sum over five neighbouring maps, in that place:
#
# $$ b_i = a_i / \left( k + \alpha \sum_{j=i-2}^{i+2} a_j^2 \right)^{\beta} ,
#    \qquad k = 2, \quad \alpha = 10^{-4}, \quad \beta = 0.75 . $$
#
# With values 100, 0, 100 in three maps and zeros around, the sum for the first is $100^2 + 0 + 100^2$, and 100 is divided by
# $(2 + 2)^{0.75} = 2.83$.
#
# > **Your turn.** Compute it, for a vector with the values of all maps in one place. Maps that don't exist count as zero.


# %% tags=["your-turn"]
def respond(a, k=2.0, alpha=1e-4, beta=0.75):
    # 1. squares of a, with two zeros on either side:
    #    nn.functional.pad(..., (2, 2))
    # 2. .unfold(0, 5, 1) has five neighbours a row: .sum(dim=1)
    # 3. divide a by (k + alpha · sums) to the power of beta
    ...


a = torch.tensor([10.0, 20, 40, 80, 160, 80, 40, 20])
b = respond(a)
assert b is not None, "return the result"
assert b.shape == a.shape, f"{len(a)} maps in, {len(b)} out: pad by 2, 2"
alone = respond(torch.tensor([100.0]))
assert abs(alone - 100 / 3**0.75) < 0.01, "100 alone: 100 / (2 + 1)^0.75"
near = respond(torch.tensor([100.0, 0, 100]))
assert abs(near[0] - 100 / 4**0.75) < 0.01, "two maps away still counts"
far = respond(torch.tensor([100.0, 0, 0, 1, 0, 0, 100]))
assert abs(far[3] - 2**-0.75) < 0.01, "three maps away does not count"


# %% tags=["finished"] cellView="form" jupyter={"source_hidden": true}
# @title One way to write it
def respond(a, k=2.0, alpha=1e-4, beta=0.75):
    squares = nn.functional.pad(a.square(), (2, 2))
    sums = squares.unfold(0, 5, 1).sum(dim=1)
    return a / (k + alpha * sums) ** beta


# %% tags=["nbval-check-output"]
# Goal 5a: by hand, and by PyTorch with two values of alpha
a = torch.tensor([10.0, 20, 40, 80, 160, 80, 40, 20])
print("by hand", *[f"{value:5.1f}" for value in respond(a)])
for alpha in (1e-4, 5e-4):
    norm = nn.LocalResponseNorm(5, alpha=alpha, beta=0.75, k=2.0)
    by_torch = norm(a.view(1, -1, 1, 1)).flatten()
    print(f"{alpha:7.4f}", *[f"{value:5.1f}" for value in by_torch])
assert torch.allclose(respond(a), by_torch)

# %% [markdown]
# PyTorch takes the *mean* over the five maps where the paper takes the sum. Whoever copies the paper's $\alpha$ gets a weaker effect, and
# no error message. Five times $\alpha$ gives the paper's numbers. <!-- claim: lrn-in-torch -->
#
# > **Your guess.** We put LRN behind the first two ReLUs, with the paper's constants, and train for 441 steps. If all values are tiny, LRN
# > multiplies them by $2^{-0.75} = 0.595$. What is the smallest factor that we find in either layer?
# >
# > - Below 0.3: strong neighbours push a value down.
# > - About 0.5.
# > - Above 0.59. <!-- answer: lrn-does-nothing-here -->


# %%
# Goal 5b: how much does it normalise?
def add_norm(network):
    layers = list(network.features)
    for place in (5, 2):  # behind the second ReLU, and behind the first
        norm = nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0)
        layers.insert(place, norm)
    network.features = nn.Sequential(*layers)


network, _ = train_on_photos("with LRN", add_norm)
for place in (1, 5):
    before = analysis.feature_maps(network, images, f"features.{place}")
    after = analysis.feature_maps(network, images, f"features.{place + 1}")
    factor = (after / before)[before > 0.1]
    print(f"factor from {factor.min():.3f} to {factor.max():.3f}")

# %% [markdown]
# > **What we found.** 0.594, <!-- claim: lrn-factor --> and the largest is 0.595. <!-- claim: lrn-factor-alone --> Here LRN multiplies
# > by a constant. It normalises nothing.
#
# With the factor $\alpha = 10^{-4}$ the sum counts only where values are large. Ours are not: our pixels are normalised, the paper's had
# only their mean taken off. Why LRN costs accuracy in the table we don't know. Two such layers shrink the signal to $0.595^2 = 0.35$ of its
# size; whether that is the reason we did not test. Today LRN is out of use (*Going further*).
#
# ## AlexNet on digits
#
# AlexNet is said to reach about 99 % <!-- claim: A.1 --> on MNIST. We take chapter 2's recipe, for five epochs. Three rates are tried on a
# quarter of the digits; the best on validation images goes on.


# %%
# Goal 6: AlexNet on MNIST
def train_on_digits(train, rate, seed=0):
    training.set_seed(seed)
    network = models.alexnet(10, 1, width=0.25, stem="small")
    options = {"epochs": {"quick": 2}.get(profile, 5), "seed": seed}
    options = recipe | options | {"learning_rate": rate}
    return network, training.fit(network, train, digits.val, **options)


quarter = digits.train.select(range(len(digits.train) // 4))
tried = {}
for rate in (0.001, 0.002, 0.004):
    network, history = train_on_digits(quarter, rate)
    answers = training.predict(network, digits.val)
    name = f"AlexNet, small, a quarter of the digits, rate {rate}"
    training.record(name, history, answers, digits, split="validation")
    tried[rate] = answers.accuracy
    print(f"rate {rate}: validation accuracy {answers.accuracy:.2%}")

# %%
best, scores = max(tried, key=tried.get), []
test = digits.open_test()
for seed in range(3):
    network, history = train_on_digits(digits.train, best, seed)
    answers = training.predict(network, test)
    training.record("AlexNet, small", history, answers, digits)
    scores.append(answers.accuracy)
print("test accuracy", records.mean_and_spread(scores))
plots.learning_curves(history)

# %% [markdown]
# 99.38 ± 0.04 % <!-- claim: alexnet-mnist --> over three seeds, so about 99 % <!-- claim: A.1 --> is right.
#
# It costs 23 times <!-- claim: small-alexnet-work --> LeNet-5's multiply-adds. Chapter 2's LeNet-5 comes close with a rate of its own and
# more epochs. With one recipe for both, in the study `mnist-six`, AlexNet is
# 0.52 ± 0.32 points <!-- claim: alexnet-over-lenet-one-recipe --> ahead.
#
# ## A look inside
#
# AlexNet's first filters have three sheets each, red, green and blue, so each makes a small colour picture. Mid-grey means zero.
# Torchvision's AlexNet learned these 64 from ImageNet:

# %%
training.set_seed(0)  # as ours began
untrained = models.alexnet(10, width=0.25, stem="small")
networks = {"untrained": untrained, "ours": relu}
if profile != "quick":  # 64 MB, fetched once
    networks["ImageNet's"] = backbones.backbone("alexnet")
plots.filter_grid(analysis.filters(list(networks.values())[-1]))

# %% [markdown]
# Edges in many directions, fine stripes, and blobs of colour: nobody designed them. These are ours, of 5 × 5:

# %%
plots.filter_grid(analysis.filters(networks["ours"]))

# %% [markdown]
# Confetti. Some of ImageNet's filters are grey, others coloured. Can we measure that? A filter's grey part is the mean of its three sheets,
# and the rest is colour. In independent random numbers, colour has about two thirds of the sum of squares, because one of three directions
# is grey.


# %%
# Goal 7: how much colour is in the filters?
def colour_share(filters):
    """The share of each filter's squared weights that is not grey."""
    rest = filters - filters.mean(dim=1, keepdim=True)
    squares = rest.square().sum(dim=(1, 2, 3))
    return squares / filters.square().sum(dim=(1, 2, 3))


for name, network in networks.items():
    share = colour_share(analysis.filters(network))
    print(f"{name}: {share.min():.0%} to {share.max():.0%} colour")
start = analysis.filters(untrained)
moved = (analysis.filters(relu) - start).norm() / start.norm()
print(f"training moved ours by {moved:.0%} of their length")

# %% [markdown]
# > **What we found.** ImageNet's filters go from 3 % <!-- claim: least-colour --> to 100 %, <!-- claim: most-colour --> ours from
# > 44 % <!-- claim: least-colour-ours --> to 87 %. <!-- claim: most-colour-ours --> In 441 steps ours moved by
# > 22 % <!-- claim: filters-moved --> of their initial length: most of what you see is their random start.
#
# These are our filters' maps of a truck, behind the ReLU. Even nearly random filters find edges:

# %%
maps = analysis.feature_maps(relu, images[:1], "features.1")[0]
titles = [f"filter {number}" for number in range(1, len(maps) + 1)]
plots.feature_map_grid(maps, titles)

# %% [markdown]
# > **Reference card.**
# >
# > | what | formula | AlexNet |
# > |---|---|---|
# > | side of a map | $\lfloor (n + 2p - k)/s \rfloor + 1$ | first: $\lfloor (224 + 4 - 11)/4 \rfloor + 1 = 55$ |
# > | parameters of a convolution | $d\,(c k^2 + 1)$ | first, one group: $96\,(3 \cdot 121 + 1) = 34{,}944$ |
# > | the same with $g$ groups | $d\,(c k^2 / g + 1)$ | second, two groups: $256\,(96 \cdot 25 / 2 + 1) = 307{,}456$ |
# > | parameters of a linear layer | $d\,(c + 1)$ | first: $4{,}096\,(256 \cdot 36 + 1) = 37{,}752{,}832$ |
# > | multiply-adds of a convolution | its weights times the places of its map | first: $96 \cdot 363 \cdot 55^2 = 105{,}415{,}200$ |
# > | derivative of tanh, of ReLU | $1 - \tanh^2 z$; 1 for $z > 0$, else 0 | at 3: 0.01; 1 |
# > | LRN, in the paper | $a_i / (k + \alpha \sum a_j^2)^\beta$ | `nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2)` |
# > | is a difference real? | mean of paired differences ± $2.78\, s/\sqrt{5}$; Holm's rule for several | `records.family(base, others)` |
# >
# > In plain PyTorch, without this course's library, the network for images of 32 × 32, at full width:
# >
# > ```python
# > def block(c, d, k, padding):
# >     return [nn.Conv2d(c, d, k, padding=padding), nn.ReLU()]
# >
# > alexnet = nn.Sequential(
# >     *block(3, 64, 5, 2), nn.MaxPool2d(3, 2),
# >     *block(64, 192, 5, 2), nn.MaxPool2d(3, 2),
# >     *block(192, 384, 3, 1), *block(384, 256, 3, 1), *block(256, 256, 3, 1),
# >     nn.MaxPool2d(3, 2), nn.AdaptiveAvgPool2d(2), nn.Flatten(),
# >     nn.Dropout(0.5), nn.Linear(1024, 4096), nn.ReLU(),
# >     nn.Dropout(0.5), nn.Linear(4096, 4096), nn.ReLU(),
# >     nn.Linear(4096, 10),
# > )
# > ```

# %% [markdown]
# ## Going further
#
# <details><summary>What our comparisons leave open</summary>
#
# - *Suspect 4.* The two comparisons of first weights differ in more than regularisation: the study's shows validation accuracy, at the
#   best of four rates. And the paper's own comparison of ReLU and tanh had a network with other layers, a rate of its own for each
#   function, plain gradient descent with momentum, and pixels that were not scaled. Those we did not test.
# - *Suspect 5.* A longer run has a schedule that falls more slowly, so it is not the short one with steps added.
# - *The table of tricks.* The rate is the same for all. Another one might suit some of them better.
# - *Digits.* The best rate is the highest of the three, by two or three digits of 12,000, so a higher one may be as good.
#
# </details>
#
# <details><summary>More from the table of tricks, and what became of LRN</summary>
#
# Without crops the training loss ends at 0.49 <!-- claim: no-crops-loss --> and the validation loss at
# 1.07: <!-- claim: no-crops-val-loss --> about as many right answers as the base, with less probability on the right class. The tiling
# pools leave slightly larger maps, so their network does about a fifth more multiply-adds, <!-- claim: tiles-cost-more --> and loses all
# the same.
#
# The paper reports that LRN lowered a small network's test error on CIFAR-10 from 13 % <!-- claim: lrn-before --> to
# 11 %. <!-- claim: lrn-after --> VGG's authors saw no gain from it ([Simonyan and Zisserman, 2014](https://arxiv.org/abs/1409.1556)). ReLU,
# augmentation and dropout are in use to this day, LRN is not.
#
# </details>
#
# <details><summary>Three networks with one name</summary>
#
# AlexNet has about 60 million parameters. <!-- claim: E.1 --> You find the number everywhere, and next to it code that has
# another one. All of them are right, each about another network.
#
# - The paper's own has two groups: 60,965,224. <!-- claim: alexnet-two-groups --> (One graphics card of that time had 3 GB, so the
#   authors split the network over two. In three of its convolutions each half of the filters sees the maps on its own card only.)
# - Without groups, every filter sees all maps before it: 62,378,344. <!-- claim: alexnet-one-group -->
# - What `torchvision.models.alexnet` builds follows a later variant, for one card, with 64 first filters instead of 96
#   ([Krizhevsky, 2014](https://arxiv.org/abs/1404.5997)): 61,100,840. <!-- claim: alexnet-torchvision --> It has no
#   local response normalisation, either. We train this form, made small.
#
# Two groups halve the weights of three convolutions, $256 \cdot 96 \cdot 25$, $384 \cdot 384 \cdot 9$ and $256 \cdot 384 \cdot 9$. That
# saves $1{,}413{,}120$, which is the difference between the first two.
#
# </details>
#
# <details><summary>224 does not fit</summary>
#
# The paper says: images of 224, windows of 11, stride 4. Its drawing has maps of 55, and it does not mention padding. Without
# padding the window can make $(224 - 11)/4 = 53.25$ steps, so the map has a side of 54. With images of 227 it makes 54 steps, which
# gives 55 places and leaves nothing over, and many reports take 227 for what was really used. With 2 pixels of padding, as in
# torchvision, it makes 54.25: PyTorch rounds down, so the map has 55, and one column of padding is never looked at. Does it
# matter? With 54 places instead of 55, the last pool has 5 × 5 places instead of 6 × 6, and trained weights of the first
# linear layer no longer fit. <!-- claim: alexnet-last-pool -->
#
# </details>
#
# <details><summary>Light, and the unit of a variance</summary>
#
# Take every pixel of every training image as a point in three dimensions. The direction in which they vary most, the first *principal
# component*, has nearly equal parts of red, green and blue: it is light and dark, and has most of the variance. The second weighs red
# against blue, warm against cold light. The third, green against the rest. <!-- claim: principal-colours --> The paper draws three numbers
# $\alpha_i$ for each image, with mean 0 and standard deviation 0.1, and adds $\sum_i \alpha_i \lambda_i \, p_i$ to all of its pixels, where
# $p_i$ is a component and $\lambda_i$ the variance along it.
#
# A variance scales with the square of the unit, a pixel with the unit. So the same 0.1 means something else in another unit: with pixels
# from 0 to 255, most draws would turn any photograph nearly black or white. <!-- claim: light-in-255 --> The paper does not say which unit
# its formula means, and the usual implementations work in 0 to 1, as our study does. Look at the pictures before you train with such a
# formula.
#
# </details>
#
# <details><summary>Shorter numbers</summary>
#
# A `float32` number has 24 binary digits. Some processors multiply much faster if a number has only 8 of them. Such a number is
# called *bfloat16*; its range is the same, its precision is between two and three decimal digits ([Kalamkar et al.,
# 2019](https://arxiv.org/abs/1905.12322)). In it, $1 + 1/256$ is rounded to 1, so a weight of 1 that grows by so little in a step
# would never grow at all. That is why only the convolutions and linear layers of a training step are computed in bfloat16.
# Weights and their changes stay in float32, and so do the answers that `predict` gives for the recorded accuracies.
#
# `precision="auto"` asks for bfloat16 where CPU or GPU are built for it, and for float32 elsewhere. (GPUs before 2020 get another short
# format, float16, which has less range, and `fit` scales the loss to make up for it.) Every record says which it was.
#
# </details>

# %% [markdown]
# ## Exercises
#
# ● by hand, ●● change and run, ●●● design an experiment. Guess first, then run, then open the solution.

# %% [markdown]
# ### Exercise 1: No more than one percent?
#
# ● *10 min.* The paper says that each convolution holds no more than 1 % <!-- claim: alexnet-convolution-in-the-paper --> of the
# parameters, and that taking any one out does harm. Work out the share of the third convolution, 384 filters of 3 × 3
# over 256 maps, in the network with two groups. (The third is not grouped.) Then check all five.

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# $384 \cdot (256 \cdot 9 + 1) = 885{,}120$ parameters, of 61 million. <!-- claim: alexnet-two-groups --> That is nearly
# one and a half percent, and the fourth is above one, too. The paper's point stands: the convolutions are a small part.
# Its number is too low for two of the five. <!-- claim: alexnet-convolution-shares -->
#
# </details>

# %% tags=["solution", "nbval-check-output"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
convolutions = layers[layers["type"] == "Conv2d"]["parameters"]
assert convolutions["features.8"] == 384 * (256 * 9 + 1)
shares = convolutions / layers.loc["total", "parameters"]
shares.map("{:.2%}".format).to_frame("share of the parameters")

# %% [markdown]
# ### Exercise 2: The small network's view
#
# ● *10 min.* How many pixels does a unit of the last pool see in the network for small images? Its first window is 5 with
# stride 1, everything else is as before. Compare your number with the image's side.

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# 5, then the pool adds 2 · 1, and the jump is 2. The convolution of 5 × 5 adds 4 · 2, the pool 2 · 2, and the jump
# becomes 4. Three convolutions of 3 × 3 add 2 · 4 each, the last pool another 2 · 4:
# 5 + 2 + 8 + 4 + 24 + 8 = 51. <!-- claim: small-alexnet-field --> More than the 28 or 32 pixels that there are. Every
# unit sees the whole image, and the rest of its field is padding.
#
# </details>

# %% tags=["solution", "nbval-check-output"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
by_arithmetic = analysis.receptive_field(small.features)
side = analysis.receptive_field_by_gradient(small.features)
assert side == by_arithmetic["receptive field"].iloc[-1] == 51
print(f"{side}×{side}")

# %% [markdown]
# ### Exercise 3: From 28 to 224
#
# ● *10 min.* Enlarge a digit to 224 × 224 and send it through torchvision's AlexNet: how many times the multiply-adds of our
# small network is that? Pixels alone give a factor of 64. Is it more or less? Guess, then use `analysis.count_multiply_adds`.

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# The first stride of 4 takes back a factor of 16 in places. But the network is four times as wide, which costs about
# $4^2$ in every layer except the first and the last. So the factor comes out at 68, <!-- claim: enlarged-digit -->
# close to that of the pixels, by accident: two changes pull in opposite directions.
#
# </details>

# %% tags=["solution", "nbval-check-output"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
network = models.alexnet(10, 1, width=0.25, stem="small")
here = analysis.count_multiply_adds(network, (1, 28, 28))
with torch.device("meta"):
    large = models.alexnet(num_classes=10, in_channels=1)
there = analysis.count_multiply_adds(large, (1, 224, 224))
print(f"{there:,} against {here:,}: {there / here:.0f} times")

# %% [markdown]
# ### Exercise 4: Three gigabytes
#
# ●● *15 min.* Training holds the weights, a gradient for each, and a running sum of past gradients for each, with 4 bytes a
# number. (The paper's optimiser, SGD with momentum, steps along that sum.) How many megabytes is that for
# 61 million <!-- claim: alexnet-two-groups --> parameters? Then there is what the forward pass saves for the backward
# one. With `from functools import partial`, check by
# `analysis.training_memory(paper, (3, 224, 224), 128, partial(torch.optim.SGD, lr=0.01, momentum=0.9))`. Would a batch
# of 128 fit one card of 3 GB, as the authors had? And without groups?

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# $3 \cdot 4 \cdot 61 = 732$ MB, whatever the batch. The rest grows with it and is the larger part. The estimate for a whole step is
# 2.5 GB. <!-- claim: alexnet-step-memory --> So it would just fit, if the ReLUs are computed in place. But the estimate leaves out the
# scratch space of the convolutions, and leaves little for a larger network. Without groups it gets only a little
# more: <!-- claim: alexnet-step-memory-parts --> the groups save few parameters. It is the split over *two cards* that halves what each
# must hold.
#
# </details>

# %% tags=["solution"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
from functools import partial

sgd = partial(torch.optim.SGD, lr=0.01, momentum=0.9)
with torch.device("meta"):
    whole = models.alexnet(form="2012")
for name, model in {"two groups": paper, "one group": whole}.items():
    needed = analysis.training_memory(model, (3, 224, 224), 128, sgd)
    print(f"{name}: {needed}")

# %% [markdown]
# ### Exercise 5: Make LRN bite
#
# ●● *20 min.* In our network LRN multiplies by a constant, because the squares of its inputs are small. How large would
# $\alpha$ have to be? Put the maps `before` of goal 5b through `nn.LocalResponseNorm` with an `alpha` of 0.0005, 0.05, 5 and 500,
# and look at the range of the factor. Which one would you take for a test of the trick?

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# At 0.0005 and at 0.05 the factor is a constant. At 5 it begins to vary, and at 500 nine of ten factors lie between
# 0.062 <!-- claim: lrn-500-low --> and 0.408. <!-- claim: lrn-500-high --> So a test of the trick would try several, from 5 on, with
# five seeds each, and choose on validation images. The paper's own number belongs to the size of its values, which nobody can
# look up.
#
# </details>

# %% tags=["solution"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
for alpha in (0.0005, 0.05, 5.0, 500.0):
    norm = nn.LocalResponseNorm(5, alpha=alpha, beta=0.75, k=2.0)
    factor = (norm(before) / before)[before > 0.1]
    low, high = factor.quantile(0.05), factor.quantile(0.95)
    print(
        f"alpha {alpha:g}: nine of ten factors from {low:.3f} to {high:.3f}"
    )

# %% [markdown]
# ### Exercise 6: Which of the accomplices?
#
# ●●● *30 min.* Suspect 4 was three tricks at once: dropout, flips, and crops. Which of them held ReLU back, with He's weights? Plan
# the experiment before you run it: which networks, what stays equal, and what would speak for dropout, what for augmentation?
# `train_on_photos` takes all that you need.

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# Two more runs with He's weights and ReLU, one with dropout only, one with flips and crops only, beside the run of goal 3c that
# has neither. With dropout only it reads 49 % <!-- claim: relu-he-dropout-only --> of the training images, with flips and crops only
# 57 %, <!-- claim: relu-he-augmented-only --> with neither 73 %. <!-- claim: plain-relu-he --> So both hold it back, dropout more.
# (All are judged without dropout, on images as they are. One seed each is a first look: to say that a difference is real, take five,
# and a tanh network beside each.)
#
# </details>

# %% tags=["solution"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
for name, changes, augment in (
    ("dropout only", [he_weights], None),
    ("flips and crops only", [he_weights, no_dropout], data.flip_and_crop),
):
    words = f"ReLU, He's weights, {name}"
    network, _ = train_on_photos(words, *changes, augment=augment)
    accuracy = training.evaluate(network, some).accuracy
    print(f"{name}: {accuracy:.1%} of the training images")

# %% [markdown]
# ## What to remember
#
# 1. Linear layers hold AlexNet's parameters, convolutions do its work.
# 2. When a network loses, question its suspects by experiment: saturation, first weights, rate, regularisation, steps. Two may act
#    together, so vary them together, too.
# 3. Learning and generalising are two questions. ReLU has the lower training loss in the end, and tanh reads more new images.
# 4. A trick belongs to the conditions that it was made for: its units, its first weights, its number of steps.
# 5. Compare one change at a time with the same seeds, give an interval, and correct for how many you compared.

# %% [markdown]
# ## Quiz
#
# Six questions. Each wrong choice is a common belief, and its answer names the place that refutes it.
#
# **Question 1.** You replace AlexNet's linear layers, which hold nearly all of its parameters, by small ones. What happens to the
# multiply-adds of an image?
#
# 1. They fall by about as much as the parameters.
# 2. They fall by less than a tenth.
# 3. They grow.
#
# <details><summary>Answer</summary>
#
# 1. The belief is that parameters are work. Goal 1 counts both: the linear layers hold nearly all parameters and do less than a
#    tenth of the multiply-adds.
# 2. **Right.** The work is in the convolutions, whose few weights are used in every place.
# 3. Nothing was added: see goal 1.
#
# </details>
#
# **Question 2.** A network with ReLU learns slowly, and the same one with tanh learns faster. What follows?
#
# 1. The ReLUs are saturated.
# 2. ReLU is the worse activation function.
# 3. Nothing yet about ReLU: the first weights, the rate and regularisation are suspects, too.
#
# <details><summary>Answer</summary>
#
# 1. Saturation is tanh's disease: where a ReLU is on, its derivative is 1, however large the sum. And goal 3a finds none here.
# 2. With other first weights and without regularisation ReLU comes close to tanh: goal 3c. A result belongs to the network *and*
#    its recipe.
# 3. **Right.** And they may act together: goals 3b and 3c.
#
# </details>
#
# **Question 3.** After 30 epochs ReLU has the lower training loss, and tanh reads more of the validation images. How can that be?
#
# 1. One of the two must be a mistake: a lower loss means more right answers.
# 2. One says how well a network fits the images that it learns from, the other how well it reads new ones.
# 3. Five seeds are too few to say anything.
#
# <details><summary>Answer</summary>
#
# 1. A lower loss *on the same images* mostly means more right answers. These are different images: see goal 3d.
# 2. **Right.** Learning and generalising are two questions.
# 3. Both intervals leave out zero. Five seeds are too few for *smaller* differences: see goal 4.
#
# </details>
#
# **Question 4.** You copy $\alpha = 10^{-4}$ from the paper into `nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=2.0)`. What do
# you get?
#
# 1. The paper's normalisation.
# 2. A normalisation that is weaker than the paper's, and no error message.
# 3. An error message.
#
# <details><summary>Answer</summary>
#
# 1. The belief is that equal names mean equal numbers. PyTorch divides $\alpha$ by the size of the window, 5: goal 5a.
# 2. **Right.** Check one case by hand before you trust a name.
# 3. Both are numbers, so nothing can complain: goal 5a.
#
# </details>
#
# **Question 5.** In a table of seven changes, one has a 95 % interval that just leaves out zero. What do you say?
#
# 1. This change makes a difference: the interval says so.
# 2. The other six do nothing.
# 3. Among seven comparisons such an interval is no surprise; by Holm's rule it has to be clearer.
#
# <details><summary>Answer</summary>
#
# 1. The belief is that an interval's level holds for the whole table. It holds for one comparison: above goal 4, if nothing
#    matters, up to 30 % <!-- claim: seven-comparisons --> of such tables have at least one.
# 2. An interval that holds zero is no proof of nothing. It says that the difference is too small for five seeds to see.
# 3. **Right.** The clearest of seven has to pass at $0.05/7$, the next at $0.05/6$, and so on.
#
# </details>
#
# **Question 6.** AlexNet's first layer has a stride of 4. What does it do to the *later* layers?
#
# 1. Nothing: a stride belongs to its layer.
# 2. Their windows reach four times as far on the image, and they have a sixteenth of the places to work on.
# 3. They need four times as many parameters.
#
# <details><summary>Answer</summary>
#
# 1. The belief is that a layer acts alone. Neighbouring units behind it are 4 pixels apart, so every later window is wider on the
#    image: click through the receptive fields.
# 2. **Right.** That is how five convolutions and three pools see 195 <!-- claim: E.3 --> of 224 pixels.
# 3. A convolution's parameters depend on its window and its channels. The size of its maps doesn't enter, and the first linear layer
#    needs fewer.
#
# </details>

# %% [markdown]
# ## References
#
# - AlexNet: [Krizhevsky et al.,
#   2012](https://papers.nips.cc/paper_files/paper/2012/hash/c399862d3b9d6b76c8436e924a68c45b-Abstract.html); its
#   one-column variant: [Krizhevsky, 2014](https://arxiv.org/abs/1404.5997).
# - ImageNet and its contest: [Russakovsky et al., 2015](https://arxiv.org/abs/1409.0575).
# - CIFAR-10: [Krizhevsky, 2009](https://www.cs.toronto.edu/~kriz/learning-features-2009-TR.pdf).
# - VGG, and what it found about LRN: [Simonyan and Zisserman, 2014](https://arxiv.org/abs/1409.1556).
# - bfloat16: [Kalamkar et al., 2019](https://arxiv.org/abs/1905.12322).
# - Dropout: [Srivastava et al., 2014](https://jmlr.org/papers/v15/srivastava14a.html).
# - Receptive fields: [Araujo et al., 2019](https://distill.pub/2019/computing-receptive-fields/).
