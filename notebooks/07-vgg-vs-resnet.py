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
# A report trained VGG-16 and ResNet-34 on MNIST, once each, and compared them. Then it cut both
# down to the size of a digit, trained these once each, and compared again. It draws conclusions from four numbers.
#
# In this chapter we do the comparison again, and slowly. We write down the protocol before we start. We train the
# networks several times. We ask of each difference whether chance alone could have made it, by one rule that the whole
# book uses. At the end we sort the report's conclusions: what it could know, what it could not, and what we know now.
#
# > **What you will be able to do.**
# > Each goal is answered by the cell whose first line has its number.
# >
# > 1. Read a table of results, and say what is missing from it.
# > 2. Tell two kinds of chance apart: which images are judged, and which seed is trained.
# > 3. Write a protocol down, and find out from two numbers what another one must have been.
# > 4. Compare networks by time per multiply-add.
# > 5. Check a record by repeating a part of it.
# > 6. See overfitting in curves, and tell it from a slow start.
# > 7. Say how many seeds a difference needs.
# > 8. Compare two confusion matrices.
# > 9. Find out which augmentation helps, and whether it does.

# %% [markdown]
# > **Time and memory.**
# > The whole notebook, with every exercise's solution:
# >
# > | profile | data | on | time | memory |
# > |---|---|---|---|---|
# > | `quick` | a few hundred of the digits in the package; narrow networks | two CPU cores | half a minute | about 1 GB |
# > | `cpu` | all 70,000 | one CPU core | 4 min <!-- claim: vgg-vs-resnet-time --> | 3.9 GB <!-- claim: vgg-vs-resnet-memory --> |
# > | `full` | all 70,000 | one GPU | not measured yet | not measured yet |

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
import itertools
import math
from dataclasses import replace

import pandas as pd
import torch
from course_lib import analysis, data, live, models, plots, training
from course_lib.profiles import resolve_profile
from course_lib.records import studies
from torch.nn import functional as F

profile = resolve_profile(PROFILE)
digits = data.load("mnist", size="sample" if profile == "quick" else "full")
if profile == "quick":
    digits = digits.part(600)  # enough to see that the code works
sizes = {
    "quick": {"width": 0.25, "epochs": 1, "large": 0.125, "batch": 4},
    "cpu": {"width": 1.0, "epochs": 2, "large": 1.0, "batch": 16},
    "full": {"width": 1.0, "epochs": 10, "large": 1.0, "batch": 64},
}[profile]
print(f"profile {profile}: {sizes}")
print("trains on", training.describe_device(training.best_device()))
digits

# %% [markdown]
# Several networks, several seeds, ten epochs: that is too long for a chapter. The runs are a *study*. The modified
# networks ran two at a time on a CPU whose model this edition's records do not name, the large ones on a GPU, and the modified
# ResNet at full width with them. Each run left a record, and the chapter reads these records. They come with the library, so the study's numbers are the same for
# everybody, in every profile.
#
# What trains here is small. It checks the study, and it measures time.

# %% tags=["drawn"]
from course_lib import records

study = studies.table("vgg-vs-resnet")
about = ["data", "train", "epochs", "precision", "device", "profile", "date"]
study.groupby("name", sort=False)[about].first().assign(
    seeds=study.groupby("name").size()
)

# %% [markdown]
# ## A report
#
# The report wrote both networks by itself, gave them three input channels, and enlarged the digits to 224 × 224. Then
# came the modified ones, on digits as they are. What we know of its VGG you have met in chapter 5, and of its ResNet in
# chapter 6. Here is its table.

# %% tags=["drawn", "nbval-check-output"]
# Goal 1: the report's table
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
# What is missing? Three columns at least.
#
# - **Seeds.** Each row is one run. Run it again, and you get another number. How different? The table cannot say.
# - **The price.** How many multiply-adds does a second buy? Without them, seconds tell as much about the program as
#   about the network.
# - **The recipe's white spots.** How were the pixels normalised? Did VGG have batch norm? From which weights did they
#   start? Over what was F1 averaged? A reader who wants to repeat it has to guess.
#
# Its text says that ResNet is faster and better than VGG <!-- claim: C.9 -->. It says that the modified networks save
# 96.5 % <!-- claim: C.5 --> of the time, or 93 % <!-- claim: C.6 -->, and that this does not affect performance.
# Chapters 5 and 6 have put the two percentages right. What about the rest?

# %% [markdown]
# ## Two kinds of chance
#
# 99.2 % <!-- claim: C.4 --> against 98.6 % <!-- claim: C.3 -->: is ResNet-34 better? Chance has two ways into such a
# pair of numbers.
#
# **Which images are judged.** The test set is a draw of 10,000 digits. With another draw, both numbers would be a
# little different. This part can be computed. A network that gets a share $p$ of $n$ images wrong has about
# $n p$ errors, give or take $\sqrt{n p (1 - p)}$. The difference of two networks is uncertain by the root of the sum of
# both squares, at most.


# %% tags=["drawn", "nbval-check-output"]
# Goal 2: how much chance is in the choice of test images?
def difference(first, second, images=10_000):
    """Errors of the first less those of the second, and its error."""
    wrong = [1 - reported.loc[name, "accuracy"] for name in (first, second)]
    count = [images * share for share in wrong]
    error = math.sqrt(sum(images * p * (1 - p) for p in wrong))
    return count[0] - count[1], error


pairs = [("VGG-16", "ResNet-34"), ("modified ResNet", "modified VGG")]
for first, second in pairs:
    more, error = difference(first, second)
    print(f"{first} makes {more:+.0f} errors against {second}, ± {error:.0f}")

# %% [markdown]
# A difference of four times its error is hardly an accident of the test images. So the two *trained networks* of the
# first pair differ. The two of the second pair may well be equally good: ten errors, and chance makes more. (Whoever has
# each answer of both networks can do better: both saw the same images, so only those count on which the two disagree.
# That is McNemar's test.)
#
# **Which seed is trained.** First weights, order of images, dropout: train again, and you get another network of the
# same kind. How far do these lie apart? The test set knows nothing of that, and neither does a formula. You have to
# train again. The report did not. So about the two *kinds* of network, one run each says next to nothing.
#
# How bad is it? We trained pairs of networks many times, from 40 seeds and from 10. Draw a few of these runs, as if they
# were all that you had. How often does the worse network win? And how many runs does it take until the interval of the
# difference leaves out zero?

# %% tags=["drawn"]
live.seeds()

# %% [markdown]
# ## The protocol
#
# Write it down before the first run. Then nobody can choose it by the result, not even by accident. This is the
# report's, with our choices where it is silent.
#
# | | report | ours |
# |---|---|---|
# | images | 224 × 224 and 28 × 28, normalised | the same; mean and deviation of the training images |
# | split | training, validation, test | 48,000, 12,000, 10,000 |
# | training | 10 epochs, batches of 128, Adam at 0.001, cross-entropy | the same |
# | first weights | not stated | as torchvision draws them |
# | batch norm in VGG | not stated | the large one with and without, the modified one without |
# | F1 | averaging not stated | macro: the plain mean over the classes |
# | seeds | one | three, and none left out; of VGG-16, one |
# | test images | once, at the end | the same |
#
# One thing of this plan was not run, because the time on the GPU was over: VGG-16 with batch norm at 224 × 224.
#
# How large was the report's split? It gives 375 training batches and 95 validation batches. Can you tell from these
# two numbers?


# %% tags=["nbval-check-output"]
# Goal 3: from two counts of batches to a split
def batches(images, size=128):
    return math.ceil(images / size)


fits = [
    train
    for train in range(1, 60_000)
    if (batches(train), batches(60_000 - train)) == (375, 95)
]
print(f"an exact 80 %: {batches(48_000)} and {batches(12_000)} batches")
print(f"375 and 95: from {fits[0]:,} to {fits[-1]:,} training images")

# %% [markdown]
# So it was almost four fifths, and not quite. The difference is of no importance. But look how much two numbers can tell.

# %% [markdown]
# ## What the networks cost
#
# Before anything is trained: what do they cost for each image? The modified ResNet appears twice. The report does not
# say how many channels it kept. On two cores the study took half of them, on the GPU all.

# %% tags=["nbval-check-output"]
networks = {
    "VGG-16": (models.vgg16, (3, 224, 224), {}),
    "ResNet-34": (models.resnet34, (3, 224, 224), {}),
    "modified VGG": (models.vgg_small, (1, 28, 28), {}),
    "modified ResNet": (models.resnet_small, (1, 28, 28), {"width": 0.5}),
    "modified ResNet, full width": (models.resnet_small, (1, 28, 28), {}),
}
price = {}
for name, (build, shape, options) in networks.items():
    with torch.device("meta"):
        network = build(10, shape[0], **options)
    price[name] = {
        "parameters": analysis.count_parameters(network),
        "multiply-adds": analysis.count_multiply_adds(network, shape),
    }
price = pd.DataFrame(price).T
price.map("{:,}".format)

# %% [markdown]
# ResNet-34 has a quarter of VGG-16's multiply-adds, and took four fifths of its time. So it is fast because there is
# little to compute, and it is slow for what there is. The report gives the skips the credit for its speed. Chapter 6
# has counted: they save nothing. <!-- claim: C.4 -->
#
# How long does a multiply-add take on your machine? We time training steps of both at 224 × 224, in turn, so that
# whatever disturbs the machine disturbs both.

# %%
# Goal 4: time per multiply-add
few = digits.train.select(range(sizes["batch"]))
enlarged = F.interpolate(few.images.float(), size=(224, 224), mode="bilinear")
enlarged = enlarged.round().byte().expand(-1, 3, -1, -1).contiguous()
large = replace(few, images=enlarged, mean=few.mean * 3, std=few.std * 3)


def step_of(build):
    network = build(10, 3, sizes["large"])

    def step():
        options = {"batch_size": len(large), "precision": "auto"}
        return training.fit(network, large, epochs=1, show=False, **options)

    cost = analysis.count_multiply_adds(network, (3, 224, 224)) * len(large)
    return lambda: step().seconds, 3 * cost  # once forward, twice back


steps = {name: step_of(networks[name][0]) for name in ("VGG-16", "ResNet-34")}
clock = training.interleave(
    {name: step for name, (step, _) in steps.items()}, rounds=3
)
for name, (_, cost) in steps.items():
    spent = clock[name].median()
    print(
        f"{name}: {spent:.2f} s a step of {len(large)} images, "
        f"{cost / spent / 1e9:.0f} G multiply-adds a second"
    )
ratio = clock["ResNet-34"].median() / clock["VGG-16"].median()
print(f"ResNet-34 takes {ratio:.2f} of VGG-16's time")

# %% [markdown]
# In the report the ratio was 2,815 of 3,460 seconds <!-- claim: C.3 -->, and the ratio of the multiply-adds is 0.24: a
# multiply-add of ResNet-34 took more than three times as long as one of VGG-16. On one CPU core it is the other way
# round. ResNet-34 took 0.19 <!-- claim: resnet34-time-ratio --> of VGG-16's time, so its multiply-adds went a little
# faster. Why? We did not time the parts of a step, so these are guesses. A GPU has thousands of units, and a network of
# many small layers may leave most of them idle. A core idles less, but it does wait for memory: VGG-16 has
# 134 million <!-- claim: A.5 --> weights, and each step reads and writes them all. With the 16 images of our steps that
# weighs more than with the report's 128.
#
# The study's GPU, with batches of 128 and in bfloat16, is nearer to the report's. There an epoch of ResNet-34 took
# 0.48 <!-- claim: C.4 --> of one of VGG-16, so a multiply-add took twice as long. (The runs were not taken in turn.) Seconds depend on the processor, the batch and the program. Alone they say little
# about a network.

# %% [markdown]
# ## Check a record
#
# The rest of this chapter is about records. Should you believe them? A record can be checked: repeat a part of it. With
# a constant learning rate, the first epochs of a long run are a short run. So we train both modified networks with
# seed 0, and stop early.

# %%
contestants = {
    "modified VGG": lambda: models.vgg_small(10, 1, sizes["width"]),
    "modified ResNet": lambda: models.resnet_small(10, 1, sizes["width"] / 2),
}
own = {}
for name, build in contestants.items():
    training.set_seed(0)
    network = build()
    own[name] = training.fit(
        network,
        digits.train,
        digits.val,
        epochs=sizes["epochs"],
        batch_size=128,
        learning_rate=1e-3,
        precision="auto",
        seed=0,
        show=False,
    )
    answers = training.predict(network, digits.val)
    told = {"name": f"{name}, first epochs", "split": "validation"}
    training.record(history=own[name], answers=answers, data=digits, **told)
    print(f"{name}: {own[name].setup}")

# %%
# Goal 5: the first epochs, here …
columns = ["train_loss", "val_accuracy"]
pd.concat({name: run.to_frame()[columns] for name, run in own.items()})

# %% [markdown]
# And these are the first two epochs of the recorded runs.

# %% tags=["drawn"]
# … and in the records
lines = {
    (line["name"], line["seed"]): line
    for line in studies.read("vgg-vs-resnet")
}
recorded = {
    name: pd.DataFrame(lines[name, 0]["epochs"]).set_index("epoch")
    for name in ("modified VGG", "modified ResNet")
}
columns = ["train_loss", "val_accuracy"]
pd.concat({name: run[columns][:2] for name, run in recorded.items()})

# %% [markdown]
# In the `quick` profile the networks are narrow and see the sample, so the tables have to differ. With all the data
# they should be near each other, and they need not be equal. Our published run of this chapter came days after the
# study, from other code and perhaps on another processor. Its validation accuracies differ by up to
# 0.7 points <!-- claim: first-epochs-apart -->, with the same seed, images and number of threads. Sums that are added up
# in another order are rounded differently, and training makes much of little. This is a third kind of chance, and no
# seed controls it.

# %% [markdown]
# ## Ten epochs, three seeds
#
# Here are the curves of the two modified networks. A line is the mean over the seeds, the band goes from the lowest to the highest.

# %% tags=["drawn"]
# Goal 6: losses and accuracy, by epoch
names = ["modified VGG", "modified ResNet"]
both = ["name", "epoch", "train_loss", "val_loss"]
accuracy = ["name", "epoch", "val_accuracy"]
curves = studies.curves("vgg-vs-resnet")
curves = curves[curves["name"].isin(names)]
plots.mean_curves({"Loss": curves[both], "Accuracy": curves[accuracy]})

# %% [markdown]
# Follow one colour. The training loss falls to the end. The validation loss falls for about three epochs, and then it
# hovers. From there on the gap between them grows with training. *That* is *overfitting*.
#
# The training loss of the modified VGG goes from 0.260 <!-- claim: modified-vgg-first-training-loss --> to
# 0.015 <!-- claim: modified-vgg-last-training-loss -->. Its validation loss stands at
# 0.034 <!-- claim: modified-vgg-third-validation-loss --> after the third epoch, and at
# 0.040 <!-- claim: modified-vgg-last-validation-loss --> after the tenth. Its validation *accuracy* did not get
# worse: it went from 99.06 % <!-- claim: modified-vgg-third-validation --> to
# 99.16 % <!-- claim: modified-vgg-last-validation -->, and the modified ResNet's from
# 98.82 % <!-- claim: modified-resnet-third-validation --> to 99.04 % <!-- claim: modified-resnet-last-validation -->.
# Both gains are small enough to be chance. <!-- claim: seven-epochs-undecided --> Loss and accuracy can part, because a
# network that grows more certain pays more for each of the answers that it still gets wrong.
#
# The report calls something else overfitting. In the first epochs of its ResNet-34 the validation loss lay above the
# training loss; after the third, both began to settle and approached each other <!-- claim: C.4 -->. A gap that closes
# is a slow start, and no overfitting. Where its gap came from we cannot say. In our ResNet-34 the first epoch's
# validation loss lies below the training loss, 0.096 <!-- claim: resnet34-first-validation-loss --> against
# 0.133 <!-- claim: resnet34-first-training-loss -->: the training loss is an average over an epoch in which the
# network was still learning.
#
# Look at the bands, too. Between one epoch and the next the validation accuracy of a single run can jump by more than the
# networks differ: seed 0 of the ResNet gains 0.47 points <!-- claim: modified-resnet-last-jump --> in its last epoch.
# Whoever stops at a lucky epoch reports a lucky number. That is why the protocol says *ten*, and not *the best of ten*.

# %% [markdown]
# ## The result
#
# The test images were opened once for each run. Guess first: three seeds each, by how much will the two modified
# networks differ?

# %% tags=["drawn"]
# Goal 7a: mean and spread
study = study[study["name"].isin(names)]
groups = study.groupby("name", sort=False)
result = groups.agg(
    seeds=("seed", "size"),
    accuracy=("accuracy", "mean"),
    spread=("accuracy", "std"),
    f1=("macro_f1", "mean"),
    parameters=("parameters", "first"),
    multiply_adds=("multiply_adds", "first"),
    seconds=("seconds", "mean"),
)
shown = {
    "seeds": str,
    "accuracy": "{:.2%}".format,
    "spread": "{:.2%}".format,
    "f1": "{:.4f}".format,
    "parameters": "{:,}".format,
    "multiply_adds": "{:,}".format,
    "seconds": "{:.0f}".format,
}
runs = groups["accuracy"].apply(
    lambda each: ", ".join(f"{100 * one:.2f}" for one in each)
)
pd.DataFrame(
    {key: result[key].map(show) for key, show in shown.items()}
    | {"accuracy of each seed, in %": runs}
)

# %% [markdown]
# The modified VGG reads 99.27 ± 0.04 % <!-- claim: modified-vgg-accuracy --> of the test digits, the modified ResNet
# 99.09 ± 0.38 % <!-- claim: modified-resnet-accuracy -->. The report had 99 % <!-- claim: C.5 --> for the one and
# 98.9 % <!-- claim: C.6 --> for the other. Before the runs we had set a band of half a point for "reproduced", and both
# lie within it. That is a wide band where 100 of 10,000 answers are wrong: it is half the errors. Chapter 2's LeNet-5
# would pass as well.
#
# Look at the spreads. One seed of the ResNet made the best of these two networks, another the worst. A mean alone
# would have hidden that. <!-- claim: modified-resnet-best-and-worst --> Chapter 6's small ResNet does not scatter like
# that: 99.41 ± 0.04 % <!-- claim: readme-resnet --> over five seeds. It has half the channels and three epochs, and its
# learning rate falls to almost nothing at the end. Ours stays at 0.001, so each run ends wherever its last jump left it.
# That is a likely reason, and it can be tested alone. In the study `many-seeds` both modified networks train with ten
# seeds at the constant rate, and with the same seeds at one that falls to zero. They learn from a tenth of the digits.

# %% tags=["drawn"]
seeds = studies.table("many-seeds")
seeds = seeds[seeds["name"].str.startswith("modified")]
plots.run_dots(seeds.groupby("name", sort=False)["accuracy"], "test")

# %% [markdown]
# > **What we found.** At a constant rate the modified VGG's spread is 2.9 times <!-- claim: vgg-spread-ratio --> what it
# > is at a falling one: 97.81 ± 0.47 % <!-- claim: modified-vgg-constant --> against
# > 98.01 ± 0.17 %. <!-- claim: modified-vgg-falling --> The 95 % interval of that ratio goes from
# > 1.4 <!-- claim: vgg-spread-ratio-low --> to 5.7. <!-- claim: vgg-spread-ratio-high --> The modified ResNet's spreads,
# > 0.13 points <!-- claim: resnet-constant-spread --> and 0.09 points, <!-- claim: resnet-falling-spread --> cannot be told
# > apart. <!-- claim: resnet-spreads-undecided -->
#
# So the constant rate is a lottery, but not one that ResNet alone plays. Here VGG drew the bad ticket: its worst run reads
# 96.7 %, <!-- claim: worst-of-many-vgg --> ResNet's worst 98.1 %. <!-- claim: worst-of-many-resnet --> Three seeds had told the
# opposite story, and you might have looked for its reason in the architecture.
#
# The spread is over seeds, the second kind of chance. The first kind is not in it: all networks were judged on the same
# images, and a lucky draw of images would be lucky for both.

# %% [markdown]
# ### One rule for all comparisons
#
# How sure is a difference? Wherever this book says that one network is better than another, it follows one rule.
#
# - Where both networks were trained with the same seeds, take the difference **seed by seed**. A seed fixes the order of
#   the images, so its luck falls on both sides, and some of it drops out. Call the mean of the $n$ differences $d$, and
#   their standard deviation $s$.
# - The **95 % interval** is $d \pm t\, s/\sqrt{n}$. For many runs, Student's $t$ is 2. For five it is 2.8 and for
#   three 4.3, because a spread that was itself found from three numbers may be far too small by luck.
# - Where the seeds differ, use Welch's interval, which adds the squared errors of both means.
# - A difference **counts** where its interval leaves out zero. Otherwise the runs do not decide, which is not the same as
#   "no difference".
#
# You may know a simpler rule, twice the standard error. With three pairs of equal networks it would announce a difference
# in 18 of 100 comparisons.

# %% tags=["drawn"]
# Goal 7b: a difference and its 95 % interval
each = study.set_index(["name", "seed"])["accuracy"]
gap, half = records.difference(each[names[1]], each[names[0]])
print(
    f"{names[1]} minus {names[0]}: {100 * gap:+.2f} ± {100 * half:.2f} points"
)
print(f"from {100 * (gap - half):+.2f} to {100 * (gap + half):+.2f}")

# %% [markdown]
# −0.17 ± 0.93 points <!-- claim: modified-resnet-minus-modified-vgg -->: the study does not decide. The ResNet may be a
# point worse, or most of a point better.
#
# ### A spread is uncertain, too
#
# Take one recipe, and the same five seeds twice. In chapter 2, LeNet-5 has 99.25 ± 0.02 %. <!-- claim: lenet5-mnist --> In a run
# three days before, with the same settings, it had 99.17 % <!-- claim: lenet5-mnist-elsewhere --> with a spread of
# 0.06 %. <!-- claim: lenet5-mnist-elsewhere-spread --> That record does not name its processor. Runs of another week agree with
# today's seed by seed, so chance of the third kind does not come from run to run here: most likely it came with another
# processor, which rounds in another order. It made the spread more than three times as large, and moved the mean by more than
# four of the smaller spreads. <!-- claim: lenet5-mnist-again --> So read a spread as a rough number. From five runs, the true one
# may be anything between 0.6 and 2.9 times the one that you see, and from three between half of it and six times (95 %
# intervals, too). This is why the rule does not trust a small spread.
#
# Suppose the report had had our runs, and taken one of each at random. Would it have found the same winner?

# %% tags=["drawn"]
by_name = groups["accuracy"].apply(list)
drawn = list(itertools.product(by_name[names[1]], by_name[names[0]]))
wins = sum(one > other for one, other in drawn)
print(f"{names[1]} wins {wins} of {len(drawn)} single comparisons")
gaps = sorted(100 * (one - other) for one, other in drawn)
print(f"by {gaps[0]:+.2f} to {gaps[-1]:+.2f} points")

# %% [markdown]
# The ResNet wins three of nine, by differences from −0.61 to +0.22 points. A report of one run each would have printed
# one of these numbers, to two decimals, and called it the difference.
#
# How many seeds does a difference need? Say that both networks have the spread $s$, with $n$ seeds each. The standard
# error of their difference is $s \sqrt{2/n}$. If the true difference $d$ is 1.96 of these, the interval leaves out zero
# half of the time, like a coin. To find it four times out of five, $d$ has to be 2.8 of them. So
# $n = 2 \cdot 2.8^2\, s^2/d^2$, and half the difference needs four times the seeds. For $s$ take the root of the mean of
# both *squares*, for it is variances that add up.

# %% tags=["drawn"]
# Goal 7c: seeds that a difference needs
typical = (result.loc[names, "spread"] ** 2).mean() ** 0.5
print(f"typical spread: {100 * typical:.2f} points")
for points in (0.3, 0.1, 0.05):
    coin, good = (
        max(2, math.ceil(2 * (errors * 100 * typical / points) ** 2))
        for errors in (1.96, 2.8)
    )
    print(
        f"{points} points: {coin} seeds each to find it half of the time, "
        f"{good} for four times out of five"
    )

# %% [markdown]
# For a tenth of a point you would train 114 networks of each kind. (Where the answer is below ten, add two or three:
# with few seeds, $t$ is larger than 2.)
#
# And the price? The three panels show the same accuracies over three costs.

# %% tags=["drawn"]
plots.accuracy_against_cost(result)

# %% [markdown]
# The modified ResNet, at half its width, has twice the parameters of the modified VGG and 1.8 times its multiply-adds,
# and it took 2.7 times as long <!-- claim: modified-resnet-time-ratio -->, each on one core while another run of the
# study had the other. In the report it took 1.2 times as long. On digits, three seeds show nothing that the higher price
# would buy.

# %% [markdown]
# ## Which digits?
#
# Two networks can have the same accuracy and fail on other images. Their confusion matrices tell. We add up those of
# all seeds, and draw mistakes only.


# %% tags=["drawn", "hide-input"]
def confusion_pair(matrices, classes):
    """Two confusion matrices side by side, mistakes as colour."""
    figure, axes = plots.new_figure(1, 2, width=8, height=4.2, sharey=True)
    said, most = [], 0
    mistakes = {name: matrix.clone() for name, matrix in matrices.items()}
    for matrix in mistakes.values():
        matrix.fill_diagonal_(0)
        most = max(most, int(matrix.max()))
    for place, (name, matrix) in zip(axes, mistakes.items(), strict=True):
        place.imshow(matrix, cmap="Oranges", vmin=0, vmax=most)
        for row, column in matrix.nonzero().tolist():
            count = int(matrix[row, column])
            dark = "white" if count > 0.6 * most else "#222222"
            style = {"ha": "center", "va": "center", "fontsize": 8}
            place.text(column, row, count, color=dark, **style)
        place.set(title=name, xlabel="predicted")
        place.set_xticks(range(len(classes)), list(classes))
        place.set_yticks(range(len(classes)), list(classes))
        worst = divmod(int(matrix.argmax()), len(classes))
        pair = f"{classes[worst[0]]} taken for {classes[worst[1]]}"
        times, wrong = int(matrix.max()), int(matrix.sum())
        said.append(f"{name}: {wrong} mistakes, most often {pair}, {times}")
    axes[0].set_ylabel("true")
    return plots.finish(figure, f"Two confusion matrices. {'; '.join(said)}.")


def added_up(name):
    """The confusion matrices of all seeds of one network, summed."""
    runs = [
        line["confusion"] for (one, _), line in lines.items() if one == name
    ]
    return torch.tensor(runs).sum(dim=0)


# %% tags=["drawn", "card"]
# Goal 8: two confusion matrices
confusion_pair({name: added_up(name) for name in names}, "0123456789")

# %% tags=["drawn"]
apart = added_up(names[0]) - added_up(names[1])
apart.fill_diagonal_(0)
for sign, who in ((1, names[0]), (-1, names[1])):
    row, column = divmod(int((sign * apart).argmax()), 10)
    count = int(sign * apart[row, column])
    print(f"{who}: {row} taken for {column}, {count} times more often")

# %% [markdown]
# The modified VGG makes 220 <!-- claim: modified-vgg-mistakes --> mistakes in its 30,000 answers, the modified ResNet
# 272 <!-- claim: modified-resnet-mistakes -->, and 131 <!-- claim: modified-resnet-most-mistakes --> of these are one
# seed's. The squares that differ most differ by 8 and by 13. That may well be chance: with ninety squares some will stand
# out, and the three runs of a network were judged on the same images. More can be said of the pairs that *both* find
# hard. 5 is taken for 3, and 4 and 9 for each other, ten times or more in either matrix. That says something about the
# digits.

# %% [markdown]
# ## Modified against original
#
# This comparison needs VGG-16 and ResNet-34 on images of 224 × 224: ten epochs of 48,000 digits. At the speed that was
# measured above, one run of VGG-16 would keep one core busy for 47 hours <!-- claim: vgg16-hours -->. On a GPU, an NVIDIA H200,
# it took 2.3 minutes. <!-- claim: vgg16-gpu-minutes --> So here is the report's experiment in its own size: VGG-16 once,
# ResNet-34 and the modified ResNet at full width with three seeds each. (All on the GPU and in bfloat16.)
#
# Guess first. The report has ResNet-34 ahead, 99.2 % <!-- claim: C.4 --> against 98.6 % <!-- claim: C.3 -->, one run each.
# Will ours be?

# %% tags=["drawn"]
large = studies.table("vgg-vs-resnet").query("profile == 'full'")
plots.run_dots(large.groupby("name", sort=False)["accuracy"], "test")

# %% tags=["drawn"]
large = studies.curves("vgg-vs-resnet")
large = large[~large["name"].isin(names)]
plots.mean_curves({"Loss": large[both], "Accuracy": large[accuracy]})

# %% [markdown]
# > **What we found.** VGG-16 reads 99.33 % <!-- claim: vgg16-at-224 --> of the test digits, ResNet-34
# > 99.11 ± 0.20 %, <!-- claim: resnet34-at-224 --> the modified ResNet 98.98 ± 0.28 %. <!-- claim: modified-resnet-on-gpu -->
# > All lie within a point of the report's numbers. And no winner: VGG-16's one run lies
# > above two of ResNet-34's three, and below the third. <!-- claim: vgg16-between-resnets -->
#
# A point was the band that we had set, and it is a wide one: our VGG-16 makes 67 <!-- claim: vgg16-errors-at-224 --> errors where the
# report's made 140. So its accuracies come out again, roughly, and its sentence is not settled. What it called better was
# one run of each.
#
# Look at the curves. At its constant rate ResNet-34 jumps: in the sixth epoch one seed falls to
# 66.9 %, <!-- claim: resnet34-dip --> and is back an epoch later. The report saw its original fluctuate, too, more than the
# modified one <!-- claim: C.6 -->. Our three seeds of each do not decide it: one seed fell, and of the other two one fluctuates more than the
# modified network, one less. After the third epoch, says the report, both losses approach each
# other <!-- claim: C.4 -->, down to 0.018 and 0.02. Ours end at 0.016 <!-- claim: resnet34-training-loss-at-224 --> and
# 0.041 <!-- claim: resnet34-validation-loss-at-224 -->, and whether they come nearer is undecided.
#
# Three seeds are few. More fit into a smaller experiment: the study `originals` has the same protocol with digits of
# 56 × 56 pixels and 7,500 of them, on CPUs. There ResNet-34 and the modified networks ran with five seeds.

# %% tags=["drawn"]
small = studies.table("originals")
plots.run_dots(small.groupby("name", sort=False)["accuracy"], "test")

# %% [markdown]
# > **What we found.** With a sixth of the digits the original does not win either. ResNet-34 reads
# > 97.6 ± 0.4 % <!-- claim: resnet34-at-56 -->, the modified ResNet 98.7 ± 0.1 % <!-- claim: modified-resnet-in-originals -->
# > at half the width: −1.1 ± 0.5 points <!-- claim: resnet34-less-modified -->, seed by seed. At full width the modified one
# > has 96.4 ± 3.6 %, <!-- claim: modified-resnet-full-in-originals --> because one of its five runs ends at
# > 90.1 %, <!-- claim: worst-full-resnet --> and nothing is decided. <!-- claim: resnet34-less-full-undecided --> VGG-16 has
# > 98.2 % <!-- claim: vgg16-at-56 --> in its one run and 97.0 % <!-- claim: vgg16-bn-at-56 --> with batch norm, the modified VGG
# > 98.4 ± 0.3 %. <!-- claim: modified-vgg-in-originals -->
#
# After these 590 steps ResNet-34's training loss is 0.03 <!-- claim: resnet34-training-loss-at-56 -->, where the smaller of the
# modified ones has 0.0005 <!-- claim: modified-resnet-training-loss-in-originals -->. So the deep network does not fit its
# training digits as well: that is no overfitting. At 224 × 224, with six times the steps, it ends at 0.016, and the modified one of
# full width at 0.009. <!-- claim: modified-resnet-training-loss-on-gpu -->
#
# Two more of the report's sentences can be tested here.
#
# - *The modified VGG suffers on larger images.* Not on these: enlarged to 56 × 56 it reads
#   98.6 ± 0.1 %, <!-- claim: enlarged-vgg-in-originals --> and on the digits as they are
#   98.4 ± 0.3 %, <!-- claim: modified-vgg-in-originals --> which is undecided.
# - *Adam at 0.001 trains VGG-16.* It does in both sizes, without batch norm, from torchvision's first weights: He's in the
#   convolutions, small ones in the head. At 56 × 56 the
#   first epoch ends near guessing, at 22 % <!-- claim: vgg16-at-56-first -->; at 224 × 224, with 375 steps in it, at
#   98.3 % <!-- claim: vgg16-at-224-first -->. So the rate alone doesn't explain a VGG-16 that never leaves $\ln 10$. Chapter 9
#   looks at its first weights.
#
# One sentence of the report can be judged without any run. It says that the modified ResNet, with 98.9 % <!-- claim: C.6 -->
# after 99.2 % <!-- claim: C.4 -->, is not affected in its performance. Among a thousand digits, three errors more where
# there were eight: chapter 6 has counted.

# %% [markdown]
# ## The same on photographs
#
# On digits nearly everything is right, so little is left to tell networks apart. The report gave its modified VGG one
# harder task, CIFAR-10 resized to 28 × 28, and got an accuracy of 55 % <!-- claim: C.7 --> with an F1 of 0.547262. It
# calls this a drop of around 40 % <!-- claim: C.7 -->. From 99 down to 55 it is 44 points.
#
# Our study `augment-all` has our form of that network, the same size and protocol, and three seeds. Its runs without
# augmentation are the ones to look at here.

# %% tags=["drawn"]
photographs = studies.table("augment-all")
whole = photographs[photographs["name"] == "augmented by nothing"]
print(
    f"accuracy {whole['accuracy'].mean():.2%} ± {whole['accuracy'].std():.2%}, "
    f"F1 {whole['macro_f1'].mean():.4f}, {len(whole)} seeds"
)

# %% tags=["drawn"]
pictures = [
    line
    for line in studies.read("augment-all")
    if line["name"] == "augmented by nothing"
]
classes = [one["name"] for one in pictures[0]["final"]["classes"]]
summed = pd.DataFrame(
    torch.tensor([line["confusion"] for line in pictures]).sum(0).numpy(),
    pd.Index(classes, name="true"),
    pd.Index(classes, name="predicted"),
)
plots.confusion_heatmap(summed)

# %% [markdown]
# Ours reads 76.7 ± 0.5 % <!-- claim: modified-vgg-cifar10 --> of the test images. That is
# 22 points <!-- claim: modified-vgg-cifar10-ahead --> more, from a network that fits the same description, with the same
# size of image and the same protocol. Where does the difference come from? Perhaps from the network: the report does not
# list all its layers, so ours need not be the same. Perhaps from normalisation or first weights, which it does not state
# either. Nobody can say which.
#
# The report found its matrix diffuse. Is this one? Find the darkest squares. Cats and dogs, in both directions; and
# means of transport among themselves. A network that confuses what looks alike has learned something.

# %% [markdown]
# ## Does augmentation help?
#
# As a remedy the report suggests augmentation: rotation, scaling, cropping, elastic deformation. It tried none. Which of
# them helps, and how much? We add flipping, for left and right mean nothing to these ten classes.
#
# The study `cifar-augment` tries one augmentation at a time: ten epochs each, five seeds. They learn from a fifth of the
# images, so compare them with each other, and not with the network above. All were judged by test images, once each. Whoever wants
# to *choose* an augmentation by such a table has to judge by validation images.

# %% tags=["drawn"]
# Goal 9: one augmentation at a time
tried = studies.table("cifar-augment")
tried["name"] = tried["name"].str.removeprefix("augmented by ")
plots.run_dots(tried.groupby("name", sort=False)["accuracy"], "test")

# %% tags=["drawn"]
runs = tried.set_index("seed").groupby("name", sort=False)["accuracy"]
runs = dict(list(runs))
five = records.family(runs.pop("nothing"), runs)
shown = 100 * five[["difference", "half_width"]]
shown.columns = ["points above nothing", "± (95 % interval)"]
shown.round(1).assign(**{"p, by Holm": five["p_holm"].round(3)})

# %% [markdown]
# > **What we found.** None of the five counts, once five comparisons are allowed for. <!-- claim: no-augmentation-counts -->
# > Flipping has 1.28 ± 1.21 points, <!-- claim: flipping-gain --> cropping
# > −1.85 ± 1.91 points, <!-- claim: cropping-gain --> and elastic deformation
# > −2.90 ± 1.92 points. <!-- claim: elastic-gain -->
#
# Alone, flipping would count as a gain and elastic deformation as a loss. But whoever tries five remedies finds one that seems
# to work more often than once in twenty. Holm's rule corrects for that, and neither is left.
#
# Augmentation is a remedy against overfitting. Is there any? Compare training and validation loss in the last epoch:

# %% tags=["drawn"]
ends = [
    {
        "by": line["name"].removeprefix("augmented by "),
        "training loss": line["epochs"][-1]["train_loss"],
        "validation loss": line["epochs"][-1]["val_loss"],
    }
    for line in studies.read("cifar-augment")
]
pd.DataFrame(ends).groupby("by", sort=False).mean().round(3)

# %% [markdown]
# There is. Without augmentation, validation loss ends 0.29 <!-- claim: no-augmentation-gap --> above training loss. With
# each augmentation the training loss is higher, <!-- claim: augmentation-raises-training-loss --> and the gap is smaller.
# Some of that is bookkeeping, for the training loss is taken on augmented images, which are harder. So why is there no
# gain in accuracy? We don't know. Ten epochs of 9,000 images are 710 steps, and a network that has had so few may lose
# as much by harder images as it wins by the smaller gap. In chapter 3's study, with 2,370 <!-- claim: alexnet-tricks-steps --> steps,
# leaving out flips changes AlexNet's accuracy by −1.6 ± 1.0 points. <!-- claim: no-flips -->
#
# Where does a network overfit more? On all 45,000 images: there its training loss ends at
# 0.366, <!-- claim: modified-vgg-cifar10-training-loss --> and its validation loss at
# 0.759. <!-- claim: modified-vgg-cifar10-validation-loss --> The study `augment-all` trains it on all of them, with nothing, with
# rotation, and with flips and crops. It is judged on test images, once:

# %% tags=["drawn"]
by = photographs["name"].str.removeprefix("augmented by ")
plots.run_dots(photographs.groupby(by, sort=False)["accuracy"], "test")

# %% [markdown]
# > **What we found.** Flips and crops gain 0.90 ± 0.64 points, <!-- claim: flips-and-crops-on-all --> and rotation
# > −0.3 ± 2.0 points. <!-- claim: rotation-on-all --> (Three seeds, paired; the intervals are wide.) Without augmentation the
# > network ends with 87 % <!-- claim: all-training-accuracy --> of its training images right, with flips and crops with
# > 77 %. <!-- claim: all-training-accuracy-flipped -->
#
# So is the report's advice right? Where the network overfits, flips and crops are ahead, by less than the gap that they close.
# But two augmentations were compared with nothing, and by Holm's rule, which allows for two, three seeds do not settle
# it. <!-- claim: flips-and-crops-by-holm --> An augmentation has to make images that could have been photographed: a mirrored horse is a horse. And our network had
# ten epochs each time; with harder images it may need more of them.

# %% [markdown]
# ## What one run could not say, and what ours can
#
# | the report says | one run each | our runs |
# |---|---|---|
# | ResNet-34 is better than VGG-16 | of these two trained networks, yes; of the two kinds, no | 99.11 ± 0.20 % <!-- claim: resnet34-at-224 --> in three runs, VGG-16 99.33 % <!-- claim: vgg16-at-224 --> in one: not decided |
# | the modified VGG is as good as the modified ResNet | 10 errors, ± 14: cannot be told apart | −0.17 ± 0.93 points <!-- claim: modified-resnet-minus-modified-vgg -->: cannot be told apart either |
# | over the epochs, the original ResNet fluctuates more than the modified one | one curve each | at 224 × 224 one seed of three fell, at 56 × 56, five runs: cannot be told <!-- claim: fluctuation-undecided --> |
# | the modified ResNet is slower than the modified VGG | once | with every seed <!-- claim: modified-resnet-slower --> |
# | smaller networks are as good as large ones | the modified VGG makes 40 errors *fewer* than VGG-16 with its 140, the modified ResNet 30 *more* than ResNet-34 with its 80 | ResNet-34 less the modified one of full width: 0.12 ± 0.66 points <!-- claim: resnet34-less-modified-at-224 -->, not decided; with 7,500 digits at 56 × 56, less the one of half the width: −1.1 ± 0.5 points <!-- claim: resnet34-less-modified --> |
# | CIFAR-10 brings the modified VGG down to 55 % <!-- claim: C.7 --> | one run | 76.7 ± 0.5 % <!-- claim: modified-vgg-cifar10 -->, with our form of the network: the cause is open |
# | augmentation would help | not tried | flips and crops, on all images: 0.90 ± 0.64 points, <!-- claim: flips-and-crops-on-all --> of two that were tried; rotation: cannot be told |
#
# Three seeds are few, and a difference that they do not show may well exist. What they do show is how far one run can
# lead you astray: the best and the worst of these small networks are the same network, with another seed. Their spreads,
# 0.38 % <!-- claim: modified-resnet-spread --> and 0.04 % <!-- claim: modified-vgg-spread -->, say more than their means.

# %% [markdown]
# ## Exercises
#
# Write down your guess first. Then run your code. Then open the solution.

# %% [markdown]
# ### Exercise 1: Which F1?
#
# The report does not say over what its F1 is averaged. Take the summed confusion matrix of the photographs, and compute
# macro F1, F1 weighted by the number of images, and micro F1. Which two must be equal here, and why?

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# Macro and weighted: each class has the same number of test images, so all weights are equal. And micro F1 is the
# accuracy, always, when each image has one class: a wrong answer is a miss for one class and a false alarm for another.
# On MNIST the classes differ in size, and all three differ, though little.
#
# Did you notice that macro F1 is 0.7664 <!-- claim: pooled-f1 --> here, and that the chapter has
# 0.7664 <!-- claim: modified-vgg-cifar10-f1 --> above? There it is the mean of three runs' F1. Here it is the F1 of three
# matrices added up, and F1 is not a linear function. Say which of the two you print.
#
# </details>

# %% tags=["drawn", "solution"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
counts = torch.tensor(summed.to_numpy()).double()
right = counts.diag()
f1 = 2 * right / (counts.sum(0) + counts.sum(1))
weights = counts.sum(1) / counts.sum()
print(f"macro {f1.mean():.4f}, weighted {(f1 * weights).sum():.4f}")
print(f"micro {right.sum() / counts.sum():.4f}")

# %% [markdown]
# ### Exercise 2: The best of five
#
# Somebody trains a network with five seeds, keeps the best run, and reports its accuracy. How much too good is the
# number, on average, in units of the spread? Draw ten thousand such reports from a normal distribution.

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# By more than one spread. The mean of the largest of five draws lies 1.16 standard deviations above the mean of all. So
# a network that is reported by its best of five runs nearly always beats an equal one that is reported by its mean. The
# best of five lies above the true mean unless all five lie below it: in 31 of 32 reports, or
# 97 % <!-- claim: best-of-five-wins -->.
#
# </details>

# %% tags=["solution", "nbval-check-output"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
generator = torch.Generator().manual_seed(0)
draws = torch.randn(10_000, 5, generator=generator)
print(f"best of five: {draws.max(dim=1).values.mean():+.2f} spreads")

# %% [markdown]
# ### Exercise 3: Errors, not percent
#
# Turn the report's four test accuracies into errors among 10,000 digits. Between which two rows is the ratio of the
# errors the largest? Which pairs could be told apart by the test images alone, at two standard errors? (Among 10,000
# images no $t$ is needed: two standard errors are a 95 % interval.)

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# 140, 80, 100 and 110 errors. The ratio is the largest between VGG-16 and ResNet-34, 1.75. At two standard errors,
# ResNet-34 can be told from VGG-16 and from the modified ResNet, and VGG-16 from the modified VGG. The other three
# pairs cannot be told apart, VGG-16 and the modified ResNet only just not.
#
# </details>

# %% tags=["drawn", "solution", "nbval-check-output"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
for one, other in itertools.combinations(reported.index, 2):
    more, error = difference(one, other)
    print(f"{one} against {other}: {abs(more) / error:.1f} standard errors")

# %% [markdown]
# ### Exercise 4: A band that lies
#
# The band around a curve goes from the lowest to the highest seed. Add a fourth seed. Can the band become narrower? And
# a standard deviation? Which of the two would you print for three seeds, which for thirty?

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# The band can only grow: a further run never takes one away. So bands over different numbers of seeds cannot be
# compared. The standard deviation estimates the same thing whatever the number, and can go either way. For three seeds
# print the runs themselves, or lowest and highest, for three numbers are no distribution. For thirty, print mean and
# standard deviation.
#
# </details>

# %% [markdown]
# ### Exercise 5: Augmentation with time
#
# Take 500 photographs of the sample, and `models.vgg_small(10, 3, 0.25)`. Train it for 40 epochs with
# `data.random_flip` and without, and compare training and validation accuracy. Is the gap smaller? Is validation
# accuracy higher? One seed each: what may you conclude?

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# The gap is what augmentation works on, so look at it first. In our run there was hardly one to close. Forty epochs of
# 500 images are 160 steps, after which the narrow network knew 34.6 % <!-- claim: sample-without-flips --> of its
# training images, and with flips 29.4 % <!-- claim: sample-with-flips -->. On the 400 validation images it had 29 and 26
# of 100 right. The choice of images alone makes that uncertain by two points each, and there is one seed. You may
# conclude that nothing was decided, and that a test of augmentation needs a network that overfits first: wider, or
# trained for longer.
#
# </details>

# %% tags=["solution"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
sample = data.load("cifar10", size="sample")
some = sample.train.select(range(500))
for name, augment in {"nothing": None, "flips": data.random_flip}.items():
    training.set_seed(0)
    network = models.vgg_small(10, 3, 0.25)
    history = training.fit(
        network,
        some,
        sample.val,
        epochs={"quick": 3}.get(profile, 40),
        augment=augment,
        precision="auto",
        show=False,
    )
    last = history[-1]
    print(
        f"{name}: {last.train_accuracy:.1%} of the training images, "
        f"{last.val_accuracy:.1%} of {len(sample.val)} validation images"
    )

# %% [markdown]
# ## What to remember
#
# - A number without its seeds is an anecdote. A difference counts when its 95 % interval leaves out zero, paired
#   by seed where seeds can be paired. A spread from few runs is itself a rough number.
# - Two kinds of chance: which images are judged can be computed; which seed is trained has to be tried.
# - Write the protocol down first. State what others leave out: normalisation, first weights, averaging, split.
# - Seconds belong beside multiply-adds. A network can be fast because it does little.
# - A gap between training and validation that closes is a slow start. One that grows is overfitting.
# - Where nearly all is right, count errors.
# - "Not affected" is a claim, too. It needs a band, stated before.

# %% [markdown]
# ## References
#
# - VGG: [Simonyan and Zisserman, 2014](https://arxiv.org/abs/1409.1556).
# - ResNet: [He et al., 2016](https://arxiv.org/abs/1512.03385).
# - Batch norm: [Ioffe and Szegedy, 2015](https://arxiv.org/abs/1502.03167).
# - CIFAR-10: [Krizhevsky, 2009](https://www.cs.toronto.edu/~kriz/learning-features-2009-TR.pdf).
# - Adam: [Kingma and Ba, 2015](https://arxiv.org/abs/1412.6980).
# - Intervals from few numbers: [Student, 1908](https://doi.org/10.1093/biomet/6.1.1), and for two groups of unequal
#   spread [Welch, 1947](https://doi.org/10.1093/biomet/34.1-2.28).
# - Two classifiers on the same images: [McNemar, 1947](https://doi.org/10.1007/BF02295996), and, on which tests to trust,
#   [Dietterich, 1998](https://doi.org/10.1162/089976698300017197).
# - What else varies from run to run: [Bouthillier et al., 2021](https://arxiv.org/abs/2103.03098).
