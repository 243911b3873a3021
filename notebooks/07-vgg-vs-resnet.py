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
# # 7 · VGG against ResNet
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/convnets-measured/convnets-measured/blob/main/notebooks/07-vgg-vs-resnet.ipynb)
#
# Which of two networks is better, and how would you know?
#
# A small VGG and a small ResNet read digits. Each was trained five times, by the same recipe, from five seeds. A dot is one trained
# network, and what it misreads of the test digits:

# %% tags=["install"]
import sys

if "google.colab" in sys.modules:
    address = "git+https://github.com/convnets-measured/convnets-measured"
    get_ipython().run_line_magic("pip", f"install --quiet {address}")

# %% tags=["drawn", "card", "remove-input"]
from course_lib import plots
from course_lib.records import studies

study = studies.table("vgg-vs-resnet")
small = study[study["name"].isin(["modified VGG", "modified ResNet"])]
plots.run_dots(small.groupby("name", sort=False)["accuracy"], "test")

# %% [markdown]
# Which wins? Suppose you had trained each once, as many comparisons do, and got one dot of each row. Of the 25 pairs that you might have
# got, the ResNet wins 10, <!-- claim: resnet-wins-pairs --> 3 <!-- claim: pairs-tied --> are ties, and the VGG wins the others. Either
# would have looked like a result, to two decimals. This chapter is about how many runs it takes to say more, and about what to do with one.
#
# > **What you will be able to do.** Each goal is answered by the cell whose first line has its number.
# >
# > 1. Tell two kinds of chance apart: which images are judged, and which seed is trained.
# > 2. Compare two trained networks on the same images.
# > 3. Compare two kinds of network by an interval, and say when a difference counts.
# > 4. Find a suspect for what makes one run a lottery ticket, and test it.
# > 5. Say how many seeds a difference needs.
# > 6. Weigh an accuracy against its price.
# > 7. See overfitting in curves, and test a remedy where there is something to cure.
#
# To run it yourself, open it in Colab: `PROFILE = "auto"` is the run that you see, 4 min <!-- claim: vgg-vs-resnet-time --> on two CPU
# cores, and 4.7 GB <!-- claim: vgg-vs-resnet-memory --> of memory. `"quick"` takes a sample, half a minute, and other numbers than the
# text.

# %% tags=["parameters"]
PROFILE = "auto"

# %% tags=["hide-input"]
import math
from dataclasses import replace

import torch
from course_lib import analysis, data, live, models, plots, records, training
from course_lib.profiles import resolve_profile
from torch.nn import functional as F

profile = resolve_profile(PROFILE, without_gpu="cpu")
quick = profile == "quick"
digits = data.load("mnist", size="sample" if quick else "full")
if quick:
    digits = digits.part(600)  # enough to see that the code works
width = 0.25 if quick else 1.0
recipe = {"epochs": 2, "precision": "auto", "show": False}
judged = {"split": "validation"}

# %% [markdown]
# ## Two trained networks
#
# Begin with one run of each. `vgg_small` is the VGG of chapter 5, six convolutions and one hidden layer. `resnet_small` is chapter 6's
# ResNet with one block a stage, here with half of the usual channels instead of a quarter. Two epochs of Adam at 0.001:

# %%
# Goal 1: one run of each
builders = {
    "VGG": lambda: models.vgg_small(10, 1, width),
    "ResNet": lambda: models.resnet_small(10, 1, width / 2),
}
right, answers = {}, {}
for name, build in builders.items():
    training.set_seed(0)
    network = build()
    history = training.fit(network, digits.train, **recipe)
    answers[name] = training.predict(network, digits.val)
    training.record(name, history, answers[name], digits, **judged)
    right[name] = answers[name].predicted == digits.val.labels
    print(f"{name}: {(~right[name]).sum()} of {len(digits.val):,} wrong")

# %% [markdown]
# One has fewer errors. Two kinds of chance may have made the difference.
#
# **Which images are judged.** Other digits, other errors. A network that gets a share $q$ of $n$ images wrong has about $nq$ errors, give
# or take $\sqrt{nq(1-q)}$ (one standard error). Can the difference be an accident of these images? Both networks saw the same ones, and
# most of them tell nothing: both are right. Only those count on which the two *disagree*. If the networks were equally good, each
# disagreement would be a fair coin.
#
# > **Your turn.** Write `disagree`, which counts the images that only the first network gets right, and those that only the second gets
# > right.


# %% tags=["your-turn"]
def disagree(first, second):
    # first and second are True where a network was right, image by image
    # first & second is True where both were; ~first where the first was not
    # return the two counts, as numbers
    ...


a = torch.tensor([True, True, True, False, False])
b = torch.tensor([True, False, False, True, False])
counts = disagree(a, b)
assert counts is not None, "return the two counts"
assert not torch.is_tensor(counts[0]), "numbers: .sum().item()"
assert tuple(counts) != (3, 2), "leave out the images that both get right"
assert tuple(counts) != (1, 2), "the first network's count comes first"
assert tuple(counts) == (2, 1), f"{tuple(counts)}: only one is right"


# %% tags=["finished"] cellView="form" jupyter={"source_hidden": true}
# @title One way to write it
def disagree(first, second):
    return (first & ~second).sum().item(), (second & ~first).sum().item()


# %% [markdown]
# > **Your guess.** On how many of the 12,000 <!-- claim: mnist-validation-images --> validation digits is one of the two networks right,
# > and the other wrong? <!-- guess: one-right-one-wrong, 0 to 600 -->

# %%
# Goal 2a: the same digits, two networks
only_vgg, only_resnet = disagree(right["VGG"], right["ResNet"])
print(f"only the VGG is right: {only_vgg}, only the ResNet: {only_resnet}")
print(f"one of the two is right: {only_vgg + only_resnet}")
p = records.mcnemar(right["VGG"].numpy(), right["ResNet"].numpy())
print(f"as far apart or farther, by chance: p = {p:.0e}")

# %% [markdown]
# > **What we found.** 240. <!-- claim: one-right-one-wrong --> The VGG is right on 163 <!-- claim: only-vgg-right --> of them, the ResNet
# > on
# > 77. <!-- claim: only-resnet-right -->
#
# How often would a fair coin fall so unevenly? That share is the *p value* of McNemar's test ([1947](https://doi.org/10.1007/BF02295996)):
# less than once in a million times. <!-- claim: mcnemar-tiny --> So of these two *trained networks* the VGG is better, and another
# 12,000 <!-- claim: mnist-validation-images --> digits would hardly turn it round. Look at some of the digits. The ResNet misread them, and
# the VGG did not:

# %%
# Goal 2b: digits that only one of the two misreads
mistakes = analysis.worst_mistakes(answers["ResNet"], len(digits.val))
mistakes = mistakes[right["VGG"][mistakes.index].numpy()]
plots.mistake_grid(digits.val, mistakes.head(8))

# %% [markdown]
# **Which seed is trained.** First weights, order of images, dropout: train again, and you get another network of the same kind. McNemar's
# test knows nothing of that. About the two *kinds* of network one run each says next to nothing, however many images there are. How often
# would one run of each mislead you? Draw a few runs of the same two kinds, from the study `many-seeds`, which has ten of each, as if they
# were all that you had:

# %% tags=["drawn"]
live.seeds("modified networks, constant rate")

# %% [markdown]
# ## Two kinds of network
#
# The study `vgg-vs-resnet` has the five runs of each from the top of the page: ten epochs of batches of 128, 48,000 training digits, Adam
# at a constant 0.001, and the test digits opened once, after the last epoch. Write such a plan down before the first run: nobody can choose
# by a result what was fixed before it, not even by accident.
#
# How sure is the difference? This book follows one rule:
#
# - Take the difference **seed by seed**, where both kinds have the same seeds. A seed fixes the order of the images, so its luck falls on both sides, and some of it may drop out. (Here none does.)
# Call the mean of the $n$ differences $d$, and their standard deviation $s$.
# - The **95 % interval** is $d \pm t \, s / \sqrt{n}$. For many runs, Student's $t$ is 2. For five it is 2.8 and for three 4.3, because a spread that was itself found from three numbers may be far too small by luck.
# - A difference **counts** where its interval leaves out zero, if it is the only comparison; of several, Holm's rule asks for more (chapter 2). Otherwise the runs don't decide. That is not the same as "no difference".
#
# > **Your turn.** Write `interval`, which takes the differences, and returns $d$ and what stands behind ±.


# %% tags=["your-turn"]
def interval(differences, t):
    # d: their mean; s: torch.std, which divides by n - 1
    # return d and t * s / sqrt(n), as numbers
    ...


five = torch.tensor([0.1, 0.3, 0.2, 0.4, 0.0])
found = interval(five, t=2.776)
assert found is not None and len(found) == 2, "return two numbers"
d, half = map(float, found)
assert abs(d - 0.2) < 1e-6, f"{d:.3f} is not the mean"
assert abs(half - 0.4389) > 1e-3, "divide by the root of n"
assert abs(half - 0.1756) > 1e-3, "torch.std divides by n - 1: leave it so"
assert abs(half - 0.1963) < 1e-3, f"{half:.4f}: t * s / sqrt(n)"


# %% tags=["finished"] cellView="form" jupyter={"source_hidden": true}
# @title One way to write it
def interval(differences, t):
    half = t * differences.std() / len(differences) ** 0.5
    return differences.mean().item(), half.item()


# %% [markdown]
# > **Your guess.** Five runs of each. What does the interval of ResNet less VGG say?
# >
# > - The ResNet is better.
# > - The VGG is better.
# > - Undecided. <!-- answer: small-undecided -->

# %% tags=["drawn"]
# Goal 3: five differences and their interval
by_seed = small.pivot(index="seed", columns="name", values="accuracy")
apart = by_seed["modified ResNet"] - by_seed["modified VGG"]
differences = torch.tensor(100 * apart.to_numpy())
print("seed by seed, in points:", [f"{one:+.2f}" for one in differences])
d, half = interval(differences, t=2.776)
print(f"{d:+.2f} ± {half:.2f} points")

# %% [markdown]
# > **What we found.** Undecided: −0.10 ± 0.42 points <!-- claim: modified-resnet-minus-modified-vgg -->, an interval that contains
# > zero. <!-- claim: small-undecided -->
#
# The VGG reads 99.20 ± 0.09 % <!-- claim: modified-vgg-accuracy --> of the test digits, the ResNet
# 99.10 ± 0.30 %. <!-- claim: modified-resnet-accuracy --> (Behind an accuracy, ± is the standard deviation over seeds; behind a difference,
# half of the interval.) You may know a simpler rule, twice the standard error. With three pairs of *equal* networks it announces a
# difference in 18 of 100 comparisons: a spread from few runs is itself a rough number.
#
# ## Why one run is a lottery ticket
#
# Where do the spreads come from? Follow the runs from epoch to epoch. A line is the mean, a band goes from the lowest to the highest run:

# %% tags=["drawn"]
curves = studies.curves("vgg-vs-resnet")
curves = curves[curves["name"].isin(["modified VGG", "modified ResNet"])]
plots.mean_curves({"Validation": curves[["name", "epoch", "val_accuracy"]]})

# %% [markdown]
# A constant rate keeps the weights moving to the end: seed 0 of the ResNet gains 0.63 points <!-- claim: modified-resnet-last-jump --> in
# its last epoch alone, more than the two networks differ. Whoever stops at the tenth epoch draws a ticket. Does a rate that falls to zero
# make the tickets alike? The study `many-seeds` has ten seeds of both networks at either rate, on a tenth of the digits.
#
# > **Your guess.** The VGG's spread at the constant rate, over that at the falling one? <!-- guess: vgg-spread-ratio, 0 to 10 times -->

# %% tags=["drawn"]
# Goal 4: a constant and a falling rate
many = studies.table("many-seeds")
many = many[many["name"].str.startswith("modified")]
plots.run_dots(many.groupby("name", sort=False)["accuracy"], "test")

# %% [markdown]
# > **What we found.** 2.9 times: <!-- claim: vgg-spread-ratio --> 97.81 ± 0.47 % <!-- claim: modified-vgg-constant --> against
# > 98.01 ± 0.17 %. <!-- claim: modified-vgg-falling -->
#
# The 95 % interval of that ratio, by the F distribution, for runs that are normally distributed, goes from
# 1.4 <!-- claim: vgg-spread-ratio-low --> to 5.7. <!-- claim: vgg-spread-ratio-high --> (It leans on one run: without the worst it is
# 1.8, <!-- claim: vgg-spread-ratio-without --> and not decided. <!-- claim: vgg-spread-without-undecided -->) The ResNet's spreads,
# 0.13 points <!-- claim: resnet-constant-spread --> and 0.09 points, <!-- claim: resnet-falling-spread --> cannot be told
# apart. <!-- claim: resnet-spreads-undecided --> Here VGG drew the bad ticket: its worst run reads
# 96.7 %, <!-- claim: worst-of-many-vgg --> ResNet's worst 98.1 %. <!-- claim: worst-of-many-resnet --> In the study at the top, with all
# digits, it was the ResNet. With one or the other you might have looked for the reason in the architecture. The rate is the suspect to test
# first.
#
# ## How many seeds?
#
# Say that both kinds have the spread $s$, and $n$ seeds each. The standard error of their difference is $s \sqrt{2/n}$. The interval leaves
# out zero when the difference found is 1.96 of these. To get there four times out of five, the true difference $d$ has to be 0.84 more, 2.8
# in all, so
#
# $$ n = 2 \cdot 2.8^2 \, \frac{s^2}{d^2} . $$
#
# Half the difference needs four times the seeds. For $s$ take the root of the mean of both *squares*, for variances add up.
#
# > **Your guess.** With the spreads of our two networks: how many seeds of *each* to find a tenth of a
# > point? <!-- guess: seeds-for-a-tenth, 2 to 500 -->

# %% tags=["drawn"]
# Goal 5: seeds that a difference needs
spread = (by_seed.std() ** 2).mean() ** 0.5
for points in (0.5, 0.2, 0.1):
    n = max(2, math.ceil(2 * (2.8 * 100 * spread / points) ** 2))
    print(f"{points} points: {n} seeds each")

# %% [markdown]
# > **What we found.** 75. <!-- claim: seeds-for-a-tenth -->
#
# (Where the answer is below ten, add two or three, since $t$ is larger than 2.) That number is rough: it goes with the square of a spread
# that five runs gave, and the true spread may be 0.6 to 2.9 times as large. Nobody trains so many networks for a tenth of a point on
# digits. Look for a recipe with less spread first, and remember that "undecided" is a result that one can publish.
#
# ## What it costs
#
# Accuracy is half of a comparison. Here are the originals, VGG-16 and ResNet-34, on digits enlarged to 224 × 224. ResNet-34 has
# 0.24 <!-- claim: resnet34-work-ratio --> of VGG-16's multiply-adds.
#
# > **Your guess.** Which share of VGG-16's time does a training step of ResNet-34 take, on the CPU of this
# > page? <!-- guess: resnet34-time-ratio, 0 to 2 times -->


# %% tags=["hide-input"]
def enlarged(split):
    """The digits at 224 × 224, in three channels."""
    images = F.interpolate(
        split.images.float(), size=(224, 224), mode="bilinear"
    )
    images = images.round().byte().expand(-1, 3, -1, -1).contiguous()
    return replace(
        split, images=images, mean=split.mean * 3, std=split.std * 3
    )


few = enlarged(digits.train.select(range(4 if quick else 16)))


# %%
# Goal 6a: a training step of each, in turn
def step_of(build):
    network = build(10, 3, 0.125 if quick else 1.0)
    options = {"batch_size": len(few), "precision": "auto", "show": False}
    # the second of two steps: the first one sets Adam up
    return lambda: training.fit(network, few, epochs=2, **options)[-1].seconds


steps = {"VGG-16": step_of(models.vgg16)}
steps |= {"ResNet-34": step_of(models.resnet34)}
clock = training.interleave(steps, rounds=3).median()
print(f"VGG-16: {clock['VGG-16']:.2f} s a step of {len(few)} images")
share = clock["ResNet-34"] / clock["VGG-16"]
print(f"ResNet-34 takes {share:.2f} of VGG-16's time")

# %% [markdown]
# > **What we found.** 0.25. <!-- claim: resnet34-time-ratio -->
#
# Seconds belong to a network, a batch and a machine. On a GPU, an NVIDIA H200, with batches of 128 instead of 16, an epoch of ResNet-34
# took 0.48 <!-- claim: C.4 --> of one of VGG-16: twice VGG-16's time per multiply-add there, and as much as VGG-16 here. (Those runs were
# not taken in turn.) Why? We guess: a GPU has thousands of units, and a network of many small layers may leave most of them idle.
#
# Does the price buy anything that runs can show? On the GPU VGG-16 ran once, ResNet-34 and the small ResNet at full width three times each:

# %% tags=["drawn"]
# Goal 6b: the originals, on digits of 224 × 224
large = studies.table("vgg-vs-resnet").query("profile == 'full'")
plots.run_dots(large.groupby("name", sort=False)["accuracy"], "test")

# %% [markdown]
# > **What we found.** VGG-16 reads 99.33 % <!-- claim: vgg16-at-224 --> of the test digits, ResNet-34
# > 99.11 ± 0.20 %, <!-- claim: resnet34-at-224 --> the small ResNet 98.98 ± 0.28 %. <!-- claim: modified-resnet-on-gpu --> No winner:
# > VGG-16's one run lies above two of ResNet-34's three, and below the third. <!-- claim: vgg16-between-resnets -->
#
# With three runs each, ResNet-34 and the small one cannot be told apart: 0.12 ± 0.66 points. <!-- claim: resnet34-less-modified-at-224 -->
# Where nearly everything is right, there is little left to tell networks apart.
#
# ## On photographs
#
# So give the small VGG a harder task: CIFAR-10, shrunk to 28 × 28. The study `augment-all` trains it on all 45,000 images, ten epochs,
# three seeds. Which classes does it confuse?

# %% tags=["drawn", "hide-input"]
import pandas as pd

runs = studies.read("augment-all")
plain = [run for run in runs if run["name"] == "augmented by nothing"]
classes = [one["name"] for one in plain[0]["final"]["classes"]]
summed = pd.DataFrame(
    torch.tensor([run["confusion"] for run in plain]).sum(0).numpy(),
    pd.Index(classes, name="true"),
    pd.Index(classes, name="predicted"),
)
plots.confusion_heatmap(summed)

# %% [markdown]
# It reads 76.7 ± 0.5 %. <!-- claim: modified-vgg-cifar10 --> Cats are taken for dogs and dogs for cats, and means of transport for one
# another. A network that confuses what looks alike has learned something. Now the curves:

# %% tags=["drawn"]
# Goal 7a: overfitting, in curves
curves = studies.curves("augment-all")
curves = curves[curves["name"] == "augmented by nothing"]
losses = ["name", "epoch", "train_loss", "val_loss"]
plots.mean_curves({"Loss": curves[losses].replace("augmented by ", "")})

# %% [markdown]
# The training loss falls to the end. The validation loss turns after the seventh epoch. <!-- claim: photographs-turn --> (Validation
# accuracy still creeps up: a network that grows more certain pays more for each answer that it gets wrong.) A gap that grows with training
# is *overfitting*; one that closes is a slow start. In the end the losses are 0.366 <!-- claim: modified-vgg-cifar10-training-loss --> and
# 0.759. <!-- claim: modified-vgg-cifar10-validation-loss --> So, by the loss, there is something to cure. Augmentation shows a new variant
# of each image in each epoch. Two were tried: turning images by a few degrees, and flips with shifted crops.
#
# > **Your guess.** By how many points do flips and crops raise the test accuracy? <!-- guess: flips-and-crops-on-all, 0 to 10 points -->

# %% tags=["drawn"]
# Goal 7b: a remedy, where there is something to cure
photographs = studies.table("augment-all")
by = photographs["name"].str.removeprefix("augmented by ")
plots.run_dots(photographs.groupby(by, sort=False)["accuracy"], "test")

# %% [markdown]
# > **What we found.** By 0.90 ± 0.64 points, <!-- claim: flips-and-crops-on-all --> and rotation by
# > −0.3 ± 2.0 points. <!-- claim: rotation-on-all -->
#
# The validation loss ends at 0.65 <!-- claim: flipped-validation-loss --> in place of 0.76. But this study tried two remedies, so the
# smaller of the two p values (how often equal recipes would lie as far apart) has to be below 0.025. It is
# 0.026, <!-- claim: flips-and-crops-p --> so near, and with three seeds nothing is settled. <!-- claim: flips-and-crops-by-holm --> Of five
# useless remedies, at least one will seem to work in more than one try of twenty. And all of these were judged by test images, once each.
# To *choose* among them, take validation images.

# %% [markdown]
# > **Reference card.**
# >
# > | question | rule | example |
# > |---|---|---|
# > | errors by chance of the images, one standard error | $nq \pm \sqrt{nq(1-q)}$ | 100 of 10,000: ± 10 |
# > | two trained networks, same images | McNemar: disagreements $b + c$ as fair coins | 10 and 25: $p = 0.017$ |
# > | two kinds of network, $n$ paired seeds | $d \pm t \, s / \sqrt{n}$; counts if zero is left out | $t$: 4.3 for three, 2.8 for five, 2.3 for ten |
# > | other seeds on either side | Welch: $\pm t \sqrt{s_1^2/n_1 + s_2^2/n_2}$ | five and three: $t$ of three runs, 4.3, is safe |
# > | several comparisons | Holm: smallest of $k$ p values below $0.05/k$, next below $0.05/(k-1)$ | two: 0.025, then 0.05 |
# > | seeds for a difference $d$, 4 times out of 5 | $2 \cdot 2.8^2 \, s^2 / d^2$, at least 2 | $s = d$: 16 each |
# > | a spread from five runs, from three | the true one is 0.6 to 2.9 times, 0.5 to 6.3 times | 95 % intervals, if runs are normally distributed |
# > | nearly everything is right | count errors, not accuracies | 99.1 and 98.9 of a hundred: 90 and 110 of 10,000 |
# >
# > In plain PyTorch and SciPy, without this course's library:
# >
# > ```python
# > import scipy.stats
# >
# > d = first - second  # accuracies by seed, two tensors
# > half = scipy.stats.t.ppf(0.975, len(d) - 1) * d.std() / len(d) ** 0.5
# > print(f"{d.mean():.4f} ± {half:.4f}")
# >
# > b, c = (right_a & ~right_b).sum().item(), (right_b & ~right_a).sum().item()
# > print(scipy.stats.binomtest(b, b + c).pvalue)  # McNemar, exact
# > ```

# %% [markdown]
# ## Going further
#
# <details><summary>You may have read a comparison of VGG-16, ResNet-34 and two modified networks</summary>
#
# Both small networks of this chapter follow a report on MNIST, which trained four networks once each, and drew its conclusions from four
# numbers: the next table. Its digits were enlarged to 224 × 224 for the originals. What we know of its VGG is in chapter 5, of its ResNet
# in chapter 6. Three things are missing: seeds; the price in multiply-adds, without which seconds tell as much about the program as about
# the network; and some of the recipe, such as normalisation, first weights, batch norm in VGG, and what F1 was averaged over. (Ours: mean
# and deviation of the training images, as torchvision draws them, the large one with and without, macro.) It gives 375 training batches and
# 95 validation batches: almost four fifths of 60,000, since an exact 80/20 split has 375 and 94.
#
# | it says | one run each | our runs |
# |---|---|---|
# | ResNet is better than VGG <!-- claim: C.9 --> | of the two trained originals, yes; of the two kinds, it shows nothing | ResNet-34 99.11 ± 0.20 % <!-- claim: resnet34-at-224 --> in three runs, VGG-16 99.33 % <!-- claim: vgg16-at-224 --> in one: not decided |
# | the modified VGG is as good as the modified ResNet | ten errors, with a standard error of 14: cannot be told apart | −0.10 ± 0.42 points <!-- claim: modified-resnet-minus-modified-vgg -->: nor can ours |
# | the original ResNet fluctuates more than the modified one over the epochs | one curve each | at 224 × 224 one seed of three fell to 66.9 % <!-- claim: resnet34-dip --> in its sixth epoch; at 56 × 56, five runs: cannot be told <!-- claim: fluctuation-undecided --> |
# | the modified ResNet is slower than the modified VGG | once | with every seed, by a factor of 1.9 <!-- claim: modified-resnet-time-ratio --> on one core <!-- claim: modified-resnet-slower --> |
# | smaller networks are as good | the modified VGG has 40 errors *fewer* than VGG-16's 140, the modified ResNet 30 *more* than ResNet-34's 80 | ResNet-34 less the modified one: 0.12 ± 0.66 points <!-- claim: resnet34-less-modified-at-224 --> |
# | CIFAR-10 brings the modified VGG down to 55 %, <!-- claim: C.7 --> a drop of around 40 % <!-- claim: C.7 --> (from 99 down to 55 it is 44 points) | one run | 76.7 ± 0.5 %, <!-- claim: modified-vgg-cifar10 --> 22 points <!-- claim: modified-vgg-cifar10-ahead --> more, with our form of the network: the cause is open |
# | augmentation would help | not tried | flips and crops: 0.90 ± 0.64 points, <!-- claim: flips-and-crops-on-all --> of two that were tried |
# | both losses of ResNet-34 approach each other after the third epoch <!-- claim: C.4 --> | one run | ours end at 0.016 <!-- claim: resnet34-training-loss-at-224 --> and 0.041; <!-- claim: resnet34-validation-loss-at-224 --> whether they come nearer is undecided |
# | its validation loss lies above its training loss at first: overfitting <!-- claim: C.4 --> | a gap that closes is a slow start | ours lies below, 0.096 <!-- claim: resnet34-first-validation-loss --> against 0.133, <!-- claim: resnet34-first-training-loss --> as a training loss that is averaged over an epoch may |
#
# Before the runs we had set a band of half a point for "reproduced" for the small networks, and a point for the large ones. All of ours on
# digits lie within, and so does chapter 2's LeNet-5: where 100 of 10,000 answers are wrong, half a point is half the errors. VGG-16 at 224
# × 224 makes 67 <!-- claim: vgg16-errors-at-224 --> errors where the report's made 140. It needed a GPU,
# 2.3 minutes: <!-- claim: vgg16-gpu-minutes --> at the speed of goal 6a, in batches of 16 on two cores, one run would take
# 31 hours. <!-- claim: vgg16-hours --> VGG-16 with batch norm and an enlarged small VGG at 224 × 224 were planned, and not run.
#
# </details>

# %% tags=["drawn", "hide-input", "nbval-check-output"]
# the report's table
import pandas as pd

reported = pd.DataFrame(  # claims: C.3, C.4, C.5, C.6
    {
        "seconds": [3_460, 2_815, 199, 235],
        "accuracy": [0.986, 0.992, 0.990, 0.989],
        "F1": [0.985, 0.991, 0.990, 0.989],
    },
    index=["VGG-16", "ResNet-34", "modified VGG", "modified ResNet"],
)
reported

# %% [markdown]
# <details><summary>A smaller experiment: digits of 56 × 56</summary>
#
# More seeds fit into it. The study `originals` has 7,500 digits of 56 × 56 pixels, and ran on CPUs. ResNet-34 reads
# 97.6 ± 0.4 %, <!-- claim: resnet34-at-56 --> the modified ResNet 98.7 ± 0.1 % <!-- claim: modified-resnet-in-originals --> at half the
# width: −1.1 ± 0.5 points, <!-- claim: resnet34-less-modified --> seed by seed. At full width the modified one has
# 96.4 ± 3.6 %, <!-- claim: modified-resnet-full-in-originals --> because one of its five runs ends at
# 90.1 %, <!-- claim: worst-full-resnet --> and nothing is decided. <!-- claim: resnet34-less-full-undecided --> VGG-16 has
# 98.2 % <!-- claim: vgg16-at-56 --> in its one run and 97.0 % <!-- claim: vgg16-bn-at-56 --> with batch norm, the modified VGG
# 98.4 ± 0.3 %, <!-- claim: modified-vgg-in-originals --> and enlarged to 56 × 56 98.6 ± 0.1 %: <!-- claim: enlarged-vgg-in-originals --> no
# loss on these larger images shows.
#
# After these 590 steps ResNet-34's training loss is 0.03, <!-- claim: resnet34-training-loss-at-56 --> where the smaller of the modified
# ones has 0.0005: <!-- claim: modified-resnet-training-loss-in-originals --> the deep network does not fit its training digits as well in
# so many steps. Overfitting looks different. At 224 × 224, with six times the steps, it ends at 0.016, and the modified one of full width
# at 0.009. <!-- claim: modified-resnet-training-loss-on-gpu -->
#
# Adam at 0.001 does train VGG-16, in both sizes, without batch norm, from torchvision's first weights. At 56 × 56 the first epoch ends near
# guessing, at 22 %; <!-- claim: vgg16-at-56-first --> at 224 × 224, with 375 steps in it, at 98.3 %. <!-- claim: vgg16-at-224-first --> So
# the rate alone doesn't explain the VGG of chapter 9, which doesn't leave the loss of a guess. Chapter 9 looks at its first weights.
#
# </details>

# %% tags=["drawn", "hide-input"]
# digits of 56 × 56
originals = studies.table("originals")
plots.run_dots(originals.groupby("name", sort=False)["accuracy"], "test")

# %% [markdown]
# <details><summary>A third kind of chance, and a spread that is uncertain</summary>
#
# Take one recipe, and the same five seeds twice. In chapter 2 LeNet-5 has 99.25 ± 0.02 %. <!-- claim: lenet5-mnist --> In an earlier run,
# with the same settings, it had 99.17 % <!-- claim: lenet5-mnist-elsewhere --> with a spread of
# 0.06 %. <!-- claim: lenet5-mnist-elsewhere-spread --> That record does not name its processor. Later runs agree with chapter 2's seed by
# seed, so most likely the difference came with another processor, which rounds sums in another order. It made the spread more than
# three times as large, and moved the mean by more than four of the smaller spreads. <!-- claim: lenet5-mnist-again --> So read a spread as
# a rough number: from five runs, the true one may be anything between 0.6 and 2.9 times the one that you see. No seed controls this kind of
# chance.
#
# </details>

# %% [markdown]
# <details><summary>Do the two kinds misread the same digits?</summary>
#
# In part. Here are the confusion matrices of all their runs, added up: first the VGG's, then the ResNet's. Both find 5 and 3, and 4 and 9
# hard, which says something about the digits. Where they differ, it may be chance, with ninety squares.
#
# </details>


# %% tags=["drawn", "hide-input"]
def added_up(name):
    """The confusion matrices of all runs of one network, summed."""
    lines = studies.read("vgg-vs-resnet")
    runs = [line["confusion"] for line in lines if line["name"] == name]
    counts = torch.tensor(runs).sum(dim=0).numpy()
    names = [pd.Index(range(10), name=side) for side in ("true", "predicted")]
    return pd.DataFrame(counts, *names)


plots.confusion_heatmap(added_up("modified VGG"))

# %% tags=["drawn", "hide-input"]
plots.confusion_heatmap(added_up("modified ResNet"))

# %% [markdown]
# <details><summary>Accuracy over three costs</summary>
#
# Dots are means over the runs of each.
#
# </details>

# %% tags=["drawn", "hide-input"]
# accuracy over parameters, work and time
cost = records.summary(
    dict.fromkeys(small["name"].unique(), "study-vgg-vs-resnet")
)
plots.accuracy_against_cost(cost)

# %% [markdown]
# <details><summary>Five augmentations, on a fifth of the photographs</summary>
#
# The study `cifar-augment` tries one augmentation at a time, ten epochs each, five seeds, on 9,000 images. None of the five counts, once
# five comparisons are allowed for. <!-- claim: no-augmentation-counts --> Flipping has 1.28 ± 1.21 points, <!-- claim: flipping-gain -->
# cropping −1.85 ± 1.91 points, <!-- claim: cropping-gain --> and elastic deformation −2.90 ± 1.92 points. <!-- claim: elastic-gain -->
# Alone, flipping would count as a gain and elastic deformation as a loss. There is a gap to close: without augmentation, validation loss
# ends 0.29 <!-- claim: no-augmentation-gap --> above training loss, and with each augmentation the training loss is
# higher. <!-- claim: augmentation-raises-training-loss --> (Some of that is bookkeeping, since it is taken on augmented images.) Why is
# there no gain that counts? We don't know. Ten epochs are 710 steps, and a network that has had so few may lose as much by harder images as
# it wins. In chapter 3's study, with 2,370 <!-- claim: alexnet-tricks-steps --> steps, leaving out flips changes AlexNet's accuracy by
# −1.6 ± 1.0 points. <!-- claim: no-flips -->
#
# </details>

# %% tags=["drawn", "hide-input"]
# each augmentation less nothing, five seeds
tried = studies.table("cifar-augment")
tried["name"] = tried["name"].str.removeprefix("augmented by ")
runs = tried.set_index("seed").groupby("name", sort=False)["accuracy"]
runs = dict(list(runs))
five = records.family(runs.pop("nothing"), runs)
shown = 100 * five[["difference", "half_width"]]
shown.columns = ["points above nothing", "± (95 % interval)"]
shown.round(1).assign(**{"p, by Holm": five["p_holm"].round(3)})

# %% [markdown]
# ## Exercises
#
# ● by hand, ●● change and run, ●●● design an experiment. Guess first, then run, then open the solution.

# %% [markdown]
# ### Exercise 1: Errors, not percent
#
# ● *15 min.* Turn the four test accuracies of the report (under *Going further*) into errors among 10,000 digits. Which pairs could be told
# apart by the test images alone, at two standard errors? (The standard error of a difference is the root of the sum of both squares, if the
# networks' errors have nothing to do with each other.)

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# 140, 80, 100 and 110 errors. The ratio is the largest between VGG-16 and ResNet-34, 1.75. At two standard errors, ResNet-34 can be told
# from VGG-16 and from the modified ResNet, and VGG-16 from the modified VGG. The other three pairs cannot be told apart, VGG-16 and the
# modified ResNet only just not. But these are six comparisons. By Holm's rule ResNet-34 and the modified ResNet, at 2.2 standard errors, do
# not count any more. And accuracies rounded to a tenth of a percent leave each count of errors uncertain by five.
#
# </details>

# %% tags=["drawn", "solution", "nbval-check-output"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
import itertools

errors = 10_000 * (1 - reported["accuracy"])
variance = errors * reported["accuracy"]
for one, other in itertools.combinations(reported.index, 2):
    error = (variance[one] + variance[other]) ** 0.5
    apart = abs(errors[one] - errors[other]) / error
    print(f"{one} against {other}: {apart:.1f} standard errors")

# %% [markdown]
# ### Exercise 2: Which F1?
#
# ●● *15 min.* Somebody prints an F1 and does not say over what it is averaged. Take the summed confusion matrix of the photographs,
# `summed`, and compute macro F1, F1 weighted by the number of images, and micro F1. Which two must be equal here, and why?

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# Macro and weighted: each class has the same number of test images, so all weights are equal. And micro F1 is the accuracy, always, when
# each image has one class: a wrong answer is a miss for one class and a false alarm for another. On MNIST the classes differ in size, and
# all three differ, though little. Macro F1 is 0.7664 <!-- claim: pooled-f1 --> here; the mean of the three runs' F1 is
# 0.7664, <!-- claim: modified-vgg-cifar10-f1 --> too, and need not be, for F1 is not a linear function. Say which of the two you print.
#
# </details>

# %% tags=["drawn", "solution"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
counts = torch.tensor(summed.to_numpy()).double()
correct = counts.diag()
f1 = 2 * correct / (counts.sum(0) + counts.sum(1))
weights = counts.sum(1) / counts.sum()
print(f"macro {f1.mean():.4f}, weighted {(f1 * weights).sum():.4f}")
print(f"micro {correct.sum() / counts.sum():.4f}")

# %% [markdown]
# ### Exercise 3: The best of five
#
# ●● *10 min.* Somebody trains a network with five seeds, keeps the best run, and reports its accuracy. How much too good is the number, on
# average, in units of the spread? Draw ten thousand such reports from a normal distribution.

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# By more than one spread. The mean of the largest of five draws lies 1.16 standard deviations above the mean of all. So a network that is
# reported by its best of five runs nearly always beats an equal one that is reported by the mean of many: it lies below that mean only if
# all five do, in one report of 32. The other 97 % <!-- claim: best-of-five-wins --> win.
#
# </details>

# %% tags=["solution", "nbval-check-output"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
generator = torch.Generator().manual_seed(0)
draws = torch.randn(10_000, 5, generator=generator)
print(f"best of five: {draws.max(dim=1).values.mean():+.2f} spreads")

# %% [markdown]
# ### Exercise 4: A band that lies
#
# ● *10 min.* The band around a curve goes from the lowest to the highest seed. Add one more seed. Can the band become narrower? And a
# standard deviation? Which of the two would you print for three seeds, which for thirty?

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# The band can only grow: a further run never takes one away. So bands over different numbers of seeds cannot be compared. The standard
# deviation estimates the same thing whatever the number, and can go either way. For three seeds print the runs themselves, or lowest and
# highest, for three numbers are no distribution. For thirty, print mean and standard deviation.
#
# </details>

# %% [markdown]
# ### Exercise 5: Flips on 500 photographs
#
# ●● *15 min.* Take 500 photographs of the sample, and `models.vgg_small(10, 3, 0.25)`. Train it for 40 epochs with `data.random_flip` and
# without, and compare training and validation accuracy. Is the gap smaller? Is validation accuracy higher? One seed each: what may you
# conclude?

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# The gap is what augmentation works on, so look at it first. In our run it was small, and smaller with flips. Forty epochs of 500 images
# are 160 steps, after which the narrow network knew 34.6 % <!-- claim: sample-without-flips --> of its training images, and with flips
# 29.4 %. <!-- claim: sample-with-flips --> On the 400 validation images it had 29 and 26 of 100 right. The choice of images alone makes
# that uncertain by two points each, and there is one seed. Nothing was decided. A test of augmentation needs a network that overfits first:
# wider, or trained for longer.
#
# </details>

# %% tags=["solution"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
sample = data.load("cifar10", size="sample")
some = sample.train.select(range(500))
options = {"epochs": 3 if quick else 40, "precision": "auto", "show": False}
for name, augment in {"nothing": None, "flips": data.random_flip}.items():
    training.set_seed(0)
    network = models.vgg_small(10, 3, 0.25)
    history = training.fit(
        network, some, sample.val, augment=augment, **options
    )
    last = history[-1]
    print(
        f"{name}: {last.train_accuracy:.1%} of the training images, "
        f"{last.val_accuracy:.1%} of {len(sample.val)} validation images"
    )

# %% [markdown]
# ### Exercise 6: Decide it
#
# ●●● *40 min.* Five seeds at a constant rate leave "undecided". Design an experiment that has a chance to decide between the small VGG and
# the small ResNet, and that two CPU cores finish in an hour: which rate, how many digits, how many seeds, and which rule? Which difference
# could it find? Then look into the records of `many-seeds`, which you may read with `studies.table("many-seeds")`.

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# `many-seeds` is such a design: a rate that falls to zero, for small spreads; a tenth of the digits, so that runs are short and more is
# wrong; ten seeds each, paired; the interval leaves out zero. With the spreads that it found, ten seeds have a good chance to find a
# difference of about 0.2 points. The ResNet is ahead by 0.20 ± 0.13 points: <!-- claim: many-falling-difference --> it counts. This is
# about a tenth of the digits and this recipe. With all digits the order may be another: the study at the top does not decide it.
#
# </details>

# %% tags=["drawn", "solution"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
many = studies.table("many-seeds")
falling = many[many["name"].str.match("modified .*falling")]
by_seed = falling.pivot(index="seed", columns="name", values="accuracy")
d, half = records.difference(
    by_seed["modified ResNet, falling rate"],
    by_seed["modified VGG, falling rate"],
)
print(f"{len(by_seed)} seeds: {100 * d:+.2f} ± {100 * half:.2f} points")

# %% [markdown]
# ## What to remember
#
# 1. A number without its seeds is an anecdote. A difference counts when its 95 % interval leaves out zero, paired by seed where seeds can be paired.
# 2. Two trained networks are compared on the images on which they disagree. Two *kinds* of network need several runs of each.
# 3. A constant rate can make the last epoch a lottery. Where runs of one kind scatter, let the rate fall to zero before you look for a reason in the architecture.
# 4. Half the difference needs four times the seeds. "Undecided" is a result.
# 5. Seconds belong beside multiply-adds, and to a batch and a machine. A remedy against overfitting needs a network that overfits.

# %% [markdown]
# ## Quiz
#
# Six questions. Each wrong choice is a common belief, and most answers name the place that refutes it.
#
# **Question 1.** Network A was trained once and misreads 80 of 10,000 test digits, network B once and misreads 110. What is shown?
#
# 1. This kind of network is better than that kind.
# 2. At most that this trained network is better than that one.
# 3. Nothing at all, since the test digits are a draw.
#
# <details><summary>Answer</summary>
#
# 1. Of the pairs in the first figure either kind wins some.
# 2. **Right.** And for that one compares them on the same images: goal 2a.
# 3. That kind of chance can be computed, and may be small: goal 2a.
#
# </details>
#
# **Question 2.** McNemar's test leaves out the images that both networks read, and those that neither does. Why?
#
# 1. They are too easy or too hard to count.
# 2. They say nothing about which of the two is better.
# 3. It does so to save work.
#
# <details><summary>Answer</summary>
#
# 1. Easy or hard does not matter: they add the same to both.
# 2. **Right.** Only disagreements favour one or the other: goal 2a.
# 3. They carry no information about the difference.
#
# </details>
#
# **Question 3.** Three seeds each; the difference is 0.3 points, and twice its standard error is 0.25. You say:
#
# 1. It counts: it is larger than two standard errors.
# 2. Undecided: with three pairs the factor is 4.3, not 2.
# 3. They are equal.
#
# <details><summary>Answer</summary>
#
# 1. With three pairs of equal networks that rule announces a difference in 18 of 100 cases: goal 3.
# 2. **Right.** A spread from three numbers may be far too small by luck.
# 3. Undecided is not equal: more seeds might decide it.
#
# </details>
#
# **Question 4.** One kind of network scatters a lot from seed to seed. What is the first suspect?
#
# 1. Its architecture is unstable.
# 2. The rate, if it does not fall: each run ends wherever its last jump left it.
# 3. Bad luck with the test images.
#
# <details><summary>Answer</summary>
#
# 1. With a tenth of the digits the other one scatters, with the same architectures: goal 4.
# 2. **Right.** It is the one to test first. With a rate that falls to zero one of our two spreads shrank: goal 4.
# 3. All runs are judged on the same images. That luck is the same for all.
#
# </details>
#
# **Question 5.** Ten seeds were needed to find a difference of 0.4 points. How many for 0.1 points?
#
# 1. Forty.
# 2. A hundred and sixty.
# 3. Ten, if the test set is four times as large.
#
# <details><summary>Answer</summary>
#
# 1. A quarter of the difference: the number grows with the square.
# 2. **Right.** $4^2$ times as many: goal 5.
# 3. More images make each run's accuracy more certain, and leave the spread over seeds as it is.
#
# </details>
#
# **Question 6.** Augmentation does not raise the accuracy of your network. What do you look at first?
#
# 1. Whether there is a gap between training and validation that grows.
# 2. Another augmentation, until one helps.
# 3. The test accuracy after each epoch.
#
# <details><summary>Answer</summary>
#
# 1. **Right.** It is a remedy against overfitting: goal 7a.
# 2. Of five useless ones, one or more seem to help in more than one try of twenty: goal 7b and Holm's rule.
# 3. Whoever picks the best epoch by the test images has used them to choose.
#
# </details>

# %% [markdown]
# ## References
#
# - VGG: [Simonyan and Zisserman, 2014](https://arxiv.org/abs/1409.1556).
# - ResNet: [He et al., 2016](https://arxiv.org/abs/1512.03385).
# - Batch norm: [Ioffe and Szegedy, 2015](https://arxiv.org/abs/1502.03167).
# - CIFAR-10: [Krizhevsky, 2009](https://www.cs.toronto.edu/~kriz/learning-features-2009-TR.pdf).
# - Adam: [Kingma and Ba, 2015](https://arxiv.org/abs/1412.6980).
# - Intervals from few numbers: [Student, 1908](https://doi.org/10.1093/biomet/6.1.1), and for two groups of unequal
# spread [Welch, 1947](https://doi.org/10.1093/biomet/34.1-2.28).
# - Two classifiers on the same images: [McNemar, 1947](https://doi.org/10.1007/BF02295996), and, on which tests to trust,
# [Dietterich, 1998](https://doi.org/10.1162/089976698300017197).
# - What else varies from run to run: [Bouthillier et al., 2021](https://arxiv.org/abs/2103.03098).
