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
# # 5 · MiniVGG
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/convnets-measured/convnets-measured/blob/main/notebooks/05-minivgg.ipynb)
#
# How much of VGG does a small image need?
#
# VGG-16 was built for photographs of 224 × 224 pixels. A digit has 28 × 28. *MiniVGG* is VGG-16, cut down until digits fit, and still has
# 29.8 million <!-- claim: A.6 --> parameters. Here it is beside two smaller networks, `vgg_small` (below) and itself without hidden layers,
# each trained from scratch. A dot is the mean of five runs:

# %% tags=["install"]
import sys

if "google.colab" in sys.modules:
    address = "git+https://github.com/convnets-measured/convnets-measured"
    get_ipython().run_line_magic("pip", f"install --quiet {address}")

# %% tags=["drawn", "card", "remove-input"]
from course_lib import plots, records

names = ("MiniVGG", "vgg_small", "no hidden layer")
ladder = records.summary(dict.fromkeys(names, "study-mnist-small"))
plots.accuracy_against_cost(ladder.drop(columns="seconds"))

# %% [markdown]
# Without its two hidden layers MiniVGG has 133,290 <!-- claim: minivgg-no-hidden-parameters --> parameters, less than half a percent. Of
# a thousand digits it misreads 7 <!-- claim: minivgg-errors-in-a-thousand --> with them, and
# 9 <!-- claim: no-hidden-errors-in-a-thousand --> without. What were the other parameters for? This short chapter cuts a network down step
# by step, solves a puzzle in somebody's log, and asks when one network may be called better than another.
#
# > **What you will be able to do.**
# > Each goal is answered by the cell whose first line has its number.
# >
# > 1. Say where a network stops fitting an image, and what a larger image would cost.
# > 2. Derive MiniVGG from VGG-16 in four steps, and count its parameters exactly.
# > 3. Say where a network's parameters are, and where its work is done.
# > 4. Take apart a training accuracy that lies below validation accuracy.
# > 5. Measure how much of a network can be thrown away.
# > 6. Put "slightly better" to the test.
#
# To run it yourself, open it in Colab: `PROFILE = "auto"` takes all the data, 4 min <!-- claim: minivgg-time --> on two CPU cores, and
# 1.1 GB <!-- claim: minivgg-memory --> of memory. `"quick"` takes half a minute, on a sample, and gives other numbers.

# %% tags=["parameters"]
PROFILE = "auto"

# %% tags=["hide-input"]
import warnings

import torch
from course_lib import analysis, data, live, models, plots, records, training
from course_lib.profiles import resolve_profile
from course_lib.records import studies
from torch.nn import functional as F

warnings.filterwarnings("ignore", category=training.TrainingWarning)
profile = resolve_profile(PROFILE, without_gpu="cpu")
digits = data.load("mnist", size="sample" if profile == "quick" else "full")
if profile == "quick":
    digits = digits.part(600)  # enough to see that the code works
width = 0.25 if profile == "quick" else 1.0  # of what is trained
device = training.best_device()

# %% [markdown]
# ## A network that does not fit
#
# Each of VGG-16's five blocks ends in a pool that halves the side. An image of 224 pixels goes 112, 56, 28, 14, 7. Where does one of 28
# end? Halve it five times, rounding down, before you look. (On torch's *meta* device a tensor has a shape and no numbers, so a large
# network costs no memory.)

# %% tags=["nbval-check-output"]
# Goal 1a: where a digit stops fitting VGG-16
with torch.device("meta"):
    vgg16 = models.vgg16(num_classes=10, in_channels=1)
try:
    analysis.layer_table(vgg16, input_shape=(1, 28, 28))
except ValueError as error:
    print(error)

# %% [markdown]
# 14, 7, 3, 1, and there is nothing left to halve: `features.30` is the fifth pool.
#
# One way out is common: enlarge the digit to 224 × 224, so that each pixel becomes a patch of 8 × 8.
#
# > **Your guess.** How many times as much work is VGG-16 on the enlarged digit as MiniVGG on the digit?
# > <!-- guess: minivgg-work-factor, 1 to 500 times -->

# %% tags=["nbval-check-output"]
# Goal 1b: what enlarging costs
digit = digits.train.images[:1].float()
enlarged = F.interpolate(digit, scale_factor=8)
assert torch.equal(F.avg_pool2d(enlarged, kernel_size=8), digit)
minivgg = models.minivgg()
large = analysis.count_multiply_adds(vgg16, (1, 224, 224))
small = analysis.count_multiply_adds(minivgg, (1, 28, 28))
print(f"VGG-16 on 1×224×224: {large:,} multiply-adds an image")
print(f"MiniVGG on 1×28×28: {small:,}, or {large / small:.0f} times less")

# %% [markdown]
# > **What we found.** 279 times. <!-- claim: minivgg-work-factor -->
#
# Enlarging makes every convolution 64 times as much work, and VGG-16's convolutions are about nine
# times <!-- claim: minivgg-convolutions-nine-times --> as much besides. The head grows far less. And what is gained? Shrink
# the enlarged digit again and you have the old one, to the last bit. <!-- claim: D.1 --> (Each pixel was copied. Smoother ways of
# enlarging blend neighbours.) Nothing was lost, and nothing was added: 64 times the pixels hold the same 784 numbers. With weights that
# were *trained* on large photographs there is a reason to do it (chapter 8). Random weights have none, unless a network would not fit otherwise.
#
# ## Four steps
#
# So we cut the network, which saves computing, and leaves less to overfit with. Three things go, and one is added:
#
# 1. **Three input channels.** A digit is grey: one is enough.
# 2. **That many filters.** Digits are strokes; half as many in each layer may be enough.
# 3. **Five blocks.** Two halvings bring 28 to 7, which is what five make of 224. So two blocks end at the 7 × 7 that the head expects, with fewer maps.
# 4. **And one convolution more**: the second block gets a third one, as VGG-16's later blocks have.
#
# VGG-16's blocks are a list: a number is a convolution with so many filters, and `"M"` is a pool.
#
# > **Your turn.** Write `cut`, which takes steps 2 and 3: half the filters, and only the first few blocks.


# %% tags=["your-turn"]
def cut(configuration, blocks):
    # go through the list: keep "M", append half of a number (// 2)
    # stop as soon as you have appended `blocks` of "M"
    ...


full = [64, 64, "M", 128, 128, "M", 256, 256, 256, "M"]
two = cut(full, blocks=2)
assert isinstance(two, list), "return a list"
assert full[0] == 64, "make a new list, and leave the old one as it is"
assert two.count("M") == 2, f"{two.count('M')} blocks are left, not 2"
assert two[-1] == "M", "the pool belongs to the last block that is kept"
assert two == [32, 32, "M", 64, 64, "M"], f"{two}: half of each number"
assert cut(full, blocks=1) == [32, 32, "M"], "blocks says how many"


# %% tags=["finished"] cellView="form" jupyter={"source_hidden": true}
# @title One way to write it
def cut(configuration, blocks):
    kept = []
    for entry in configuration:
        if kept.count("M") == blocks:
            break
        kept.append(entry if entry == "M" else entry // 2)
    return kept


# %% tags=["nbval-check-output"]
# Goal 2a: from VGG-16 to MiniVGG in four steps
vgg = models.CONFIGURATIONS["D"]
two_blocks = cut(vgg, blocks=2)
third = [*two_blocks[:-1], 64, "M"]
assert third == models.CONFIGURATIONS["mini"]
for name, configuration, shape in (
    ("VGG-16, ten classes", vgg, (3, 224, 224)),
    ("1 one input channel", vgg, (1, 224, 224)),
    ("2 half the filters", cut(vgg, blocks=5), (1, 224, 224)),
    ("3 two blocks", two_blocks, (1, 28, 28)),
    ("4 a third convolution", third, (1, 28, 28)),
):
    with torch.device("meta"):
        step = models.VGG(configuration, in_channels=shape[0], num_classes=10)
    parameters = analysis.count_parameters(step)
    work = analysis.count_multiply_adds(step, shape) / 1e6
    print(f"{name:21} {parameters:11,} parameters {work:9,.1f} M work")

# %% [markdown]
# The first step saves 1,152 weights. <!-- claim: vgg16-grey-saves --> The second saves most parameters, 62 million, <!-- claim: minivgg-second-saves --> and
# three quarters of the work. The third saves 42 million <!-- claim: minivgg-third-saves --> more, mostly in the first linear layer, and nearly all the work that
# is left. <!-- claim: minivgg-three-steps --> The fourth adds 36,928 parameters <!-- claim: minivgg-third-convolution --> and
# 7.2 million <!-- claim: minivgg-third-convolution-work --> multiply-adds. And nearly 30 million <!-- claim: A.6 --> parameters
# remain. More than half of them are in the second linear layer, which no step touched. <!-- claim: minivgg-second-linear -->

# %%
plots.architecture_drawing(minivgg, (1, 28, 28), title="MiniVGG")

# %% [markdown]
# Count them. A convolution from $m$ to $n$ maps has $n \, (9 m + 1)$ parameters, a linear layer from $m$ to $n$ numbers
# $n \, (m + 1)$. Do at least the first and the largest by hand.

# %% tags=["nbval-check-output"]
# Goal 2b: all parameters, exactly
table = analysis.layer_table(minivgg, input_shape=(1, 28, 28))
counts = table["parameters"]
linear = counts[table["type"] == "Linear"]
print(f"convolutions {counts[table['type'] == 'Conv2d'].tolist()}")
print(f"linear layers {linear.tolist()}, together {linear.sum():,}")
print(f"all {counts['total']:,}, in linear layers ", end="")
print(f"{linear.sum() / counts['total']:.1%}")

# %% [markdown]
# 99.7 % <!-- claim: A.6 --> of the parameters are in three layers that don't know which pixels are neighbours.
#
# ## Parameters are memory, work is time
#
# > **Your guess.** The five convolutions hold a third of a percent of MiniVGG's parameters. What share of its work do they do?
# > <!-- guess: minivgg-convolution-work, 0 to 100 % -->

# %%
# Goal 3: where the parameters are, and where the work is
plots.layer_bars(table)

# %% [markdown]
# > **What we found.** 46 %. <!-- claim: minivgg-convolution-work -->
#
# A weight of a linear layer is used once per image. A weight of the first convolution is used 784 times, once at each
# position. Multiply-adds take *time*, though they are not all that does. Parameters take *memory*: training keeps, for each of them, the
# weight, its gradient and Adam's two running means, 16 bytes in all. Activations take memory, too, for every image of a batch. For a
# batch of 128 digits MiniVGG takes 611 MB: <!-- claim: minivgg-training-memory --> 476 MB <!-- claim: minivgg-fixed-memory --> for parameters,
# 74 MB <!-- claim: minivgg-saved-memory --> for activations, and 61 MB <!-- claim: minivgg-working-memory --> of working memory at the peak. The
# parameters of the head alone are 78 % <!-- claim: minivgg-head-memory --> of it. VGG-16 on enlarged digits takes
# 19 times <!-- claim: minivgg-memory-factor --> as much, mostly for activations. (Less work and less memory: two blocks should train faster than
# five. <!-- claim: A.9 --> We counted, and did not time VGG-16.)
#
# What does a unit see? At the end of the features 20 × 20 pixels. <!-- claim: minivgg-view --> MNIST's digits were shrunk into a box of
# 20 × 20 before they were centred, so the unit in the middle can just about see a whole one. A corner unit's window hangs over the rim,
# and holds 12 × 12 pixels of the image. <!-- claim: minivgg-corner-view --> The head puts the parts together. Click:

# %% tags=["drawn"]
live.receptive_fields(["MiniVGG", "LeNet-5"], "MiniVGG")

# %% [markdown]
# ## The puzzle: better on unseen images?
#
# Somebody's MiniVGG left a log. (All of it is under *Going further*.) The recipe: five <!-- claim: A.7 --> epochs, cross-entropy, Adam at a
# constant rate of 0.001, <!-- claim: A.7 --> batches of 128 <!-- claim: A.4 --> and pixels that are scaled and not normalised. After the
# first epoch the log has a training accuracy of 92.7 % <!-- claim: A.8 --> and a test accuracy of 98.2 %. <!-- claim: A.8 --> Up to the
# third epoch the second number stays the higher one. Is the network better on images that it has never seen? The study `mnist-six` follows
# that recipe with five seeds, 48,000 <!-- claim: minivgg-training-images --> of the 60,000 <!-- claim: A.4 --> training images, and
# validation images in place of the test images:

# %% tags=["drawn"]
curves = studies.curves("mnist-six")
curves = curves[curves["name"] == "MiniVGG"]
columns = ["name", "epoch", "train_accuracy", "val_accuracy"]
plots.mean_curves({"MiniVGG, five runs": curves[columns]})

# %% [markdown]
# Ours begins the same: 94.2 % <!-- claim: six-minivgg-first-training --> on training images in the first epoch, and
# 98.4 % <!-- claim: six-minivgg-first-validation --> on validation images after it. The training accuracy of a log differs from the other
# one in three ways: it is *averaged* during the epoch, over weights that were usually worse than those at its end; *dropout* is on, so half
# the hidden units are missing; and, from the second epoch on, it is measured on images that were *trained* on. (Each batch is scored before
# the network learns from it.) We remove them, one after another.
#
# > **Your turn.** Write `accuracy`, which counts the right answers with the weights as they are, and with dropout on or off.
# > `network.train(True)` switches dropout on, `network.train(False)` off.


# %% tags=["your-turn"]
def accuracy(network, split, dropout):
    # network.train(dropout), then with torch.no_grad():
    # for images, labels in data.Batches(split, 1_000, device=device):
    #     count where network(images).argmax(dim=1) == labels
    # return the share of len(split)
    ...


some = digits.val.select(range(150))
training.set_seed(0)
network = models.minivgg(width=0.25).to(device)
share = accuracy(network, some, dropout=False)
assert isinstance(share, float), "return a number: .sum().item()"
assert not network.training, "dropout=False: network.train(dropout) first"
right = training.evaluate(network, some).accuracy
assert abs(share - right) < 1e-6, f"{share:.3f} is not {right:.3f}"
accuracy(network, some, dropout=True)
assert network.training, "dropout=True: network.train(dropout) first"


# %% tags=["finished"] cellView="form" jupyter={"source_hidden": true}
# @title One way to write it
def accuracy(network, split, dropout):
    network.train(dropout)
    right = 0
    with torch.no_grad():
        for images, labels in data.Batches(split, 1_000, device=device):
            right += (network(images).argmax(dim=1) == labels).sum().item()
    return right / len(split)


# %% [markdown]
# A MiniVGG of a quarter of the width takes seconds; its pixels are normalised. `steps` holds four accuracies, and a printed number is the step
# from one to the next. With a constant rate, `epochs=1` stops exactly where the
# first epoch of a longer run ends.
#
# > **Your guess.** By how many points does accuracy rise if we remove the averaging, after one epoch?
# > <!-- guess: puzzle-averaging, 0 to 10 points -->


# %%
# Goal 4: a training accuracy, taken apart
def take_apart(epochs, schedule=training.constant, seed=0):
    training.set_seed(seed)
    network = models.minivgg(width=0.25)
    options = {"epochs": epochs, "schedule": schedule, "seed": seed}
    history = training.fit(network, digits.train, show=False, **options)
    steps = [
        history[-1].train_accuracy,
        accuracy(network, digits.train, dropout=True),
        accuracy(network, digits.train, dropout=False),
        accuracy(network, digits.val, dropout=False),
    ]
    names = ("no averaging", "no dropout", "unseen images")
    for name, before, after in zip(names, steps, steps[1:], strict=False):
        words = f"{schedule.__name__}, epoch {epochs}, {name}"
        print(f"{words}: {100 * (after - before):+.2f} points")


take_apart(epochs=1)
take_apart(epochs=3)

# %% [markdown]
# > **What we found.** By 6.61 points. <!-- claim: puzzle-averaging --> Removing dropout adds
# > 0.56 points, <!-- claim: puzzle-dropout --> and then the unseen images are no better than the seen ones: −0.09 points. <!-- claim: puzzle-unseen -->
#
# The epoch begins with a network that guesses, and its bad first batches count as much as its good last ones. (The first number holds one
# more thing: at the end of the epoch all images have been seen. The last number says that this is worth little. Together they are a gap of
# 7.08 points; <!-- claim: puzzle-gap --> the full MiniVGG, which starts faster, has 4.2 points. <!-- claim: six-minivgg-first-gap -->)
# After three epochs the averaging takes away only 0.32 points, <!-- claim: puzzle-averaging-3 --> probably because the weights change less
# within an epoch, and dropout takes 0.41 points. <!-- claim: puzzle-dropout-3 --> What is left is the opposite of the puzzle: the unseen
# images are 0.34 points <!-- claim: puzzle-unseen-3 --> worse. (One run. Where 98 of a hundred are right, an accuracy on
# 12,000 <!-- claim: mnist-validation-images --> images has a standard error of 0.13 points, <!-- claim: error-near-98 --> so
# −0.09 points <!-- claim: puzzle-unseen --> can't be told from zero.)
#
# The log was not wrong. It put two different things side by side. To speak of *overfitting*, or of its opposite, compare like with like.
#
# ## How much can be thrown away?
#
# Three smaller networks run beside MiniVGG:
#
# - **vgg_small** has one convolution more and a smaller head: three blocks of two convolutions, and one hidden layer of 256 units.
# - **No hidden layer**: MiniVGG's convolutions, and then ten logits straight from their
#   3,136 <!-- claim: minivgg-numbers-into-the-head --> numbers. Both layers of 4,096 units are gone, and dropout with them.
# - **Smallest**: a quarter of the channels in each layer, and no hidden layer either.

# %%
# Goal 5a: where their parameters are, and where their work is
kinds = {
    "MiniVGG": (models.minivgg, {"width": width}),
    "vgg_small": (models.vgg_small, {"width": width}),
    "no hidden layer": (models.minivgg, {"width": width, "hidden": ()}),
    "smallest": (models.minivgg, {"width": 0.25 * width, "hidden": ()}),
}
tables = {
    name: analysis.layer_table(build(**options), (1, 28, 28))
    for name, (build, options) in kinds.items()
}
plots.share_bars(tables)

# %% [markdown]
# All four get the same recipe: two epochs of batches of 256, a rate that rises to 0.002 and falls to zero, and normalised pixels. We did
# not search for rates, and each network might do better with one of its own. Train the one without hidden layers:

# %%
# Goal 5b: MiniVGG without its hidden layers
recipe = {"epochs": 2, "learning_rate": 0.002, "batch_size": 256}
recipe |= {"schedule": training.one_cycle, "precision": "auto"}
build, options = kinds["no hidden layer"]
training.set_seed(0)
network = build(**options)
history = training.fit(network, digits.train, **recipe)
answers = training.predict(network, digits.val)
training.record(
    "no hidden layer", history, answers, digits, split="validation"
)
print(f"validation accuracy {answers.accuracy:.2%}")

# %% [markdown]
# Its training accuracy, 98.75 %, <!-- claim: no-hidden-training --> is hardly below its validation accuracy. There is no dropout here, so
# only the averaging, or chance, can hold it below.
#
# One run is an anecdote, so the study `mnist-small` trained all four with five seeds. Everything in it was fixed before its first run, and
# no choice waited for its results. So it is judged on the 10,000 <!-- claim: A.4 --> test images.
#
# > **Your guess.** Of a thousand test digits, how many does the *smallest* misread?
# > <!-- guess: smallest-errors-in-a-thousand, 0 to 100 -->

# %% tags=["drawn"]
# Goal 5c: what each is worth
small = studies.table("mnist-small")
small = small[small["name"] != "ResNet, small"]  # that is chapter 6's
plots.run_dots(small.groupby("name", sort=False)["accuracy"], "test")

# %% [markdown]
# > **What we found.** 17, <!-- claim: smallest-errors-in-a-thousand --> where MiniVGG misreads
# > 7. <!-- claim: minivgg-errors-in-a-thousand -->
#
# MiniVGG is 0.12 ± 0.10 points <!-- claim: minivgg-less-vgg-small --> above `vgg_small`, and
# 0.20 ± 0.11 points <!-- claim: minivgg-less-no-hidden --> above the network without hidden layers, which is
# 0.82 ± 0.15 points <!-- claim: no-hidden-less-smallest --> above the smallest. (These are differences between runs of the same seed, with
# 95 % t intervals. All three pass Holm's rule for three comparisons. <!-- claim: small-by-holm --> They are about new seeds on these
# images; other images might turn the smallest of them round.) (More than parameters went: two nonlinear layers, and dropout.) By this short
# recipe, leaving out nearly all of MiniVGG's parameters costs about a quarter more errors; <!-- claim: no-hidden-more-errors --> by the
# interval, between an eighth and two fifths. <!-- claim: no-hidden-errors-interval -->
#
# ## Slightly better?
#
# You can read that on digits MLPs reach 97–98 %, <!-- claim: A.1 --> LeNet-5 and AlexNet about 99 %, <!-- claim: A.1 --> and VGG is
# slightly above the last two at most. <!-- claim: A.9 --> Ours has 99.26 ± 0.07 %. <!-- claim: readme-minivgg --> But each chapter so far
# trained its network by a recipe of its own. To ask whether one *network* is slightly better, train them all alike. The study `mnist-six`
# gives six networks the recipe of the log above, and the same five seeds. (VGG8 has five pools, so its digits are enlarged to 32 × 32. No
# rate was searched, for any.)

# %% tags=["drawn"]
six = studies.table("mnist-six")
plots.run_dots(six.groupby("name", sort=False)["accuracy"], "test")

# %% [markdown]
# > **Your guess.** How many of the other five is MiniVGG demonstrably better than, once five comparisons are allowed for? (In the last
# > column of the table below the rule is worked in: below 0.05 passes.)
# >
# > - All five: it has by far the most parameters.
# > - Three. <!-- answer: minivgg-better-than -->
# > - One.
# > - None.

# %% tags=["drawn"]
# Goal 6: six networks, one recipe
by_seed = six.set_index(["name", "seed"])["accuracy"]
others = {name: by_seed[name] for name in by_seed.index.unique("name")}
base = others.pop("MiniVGG")
five = records.family(base, others)  # each of the others less MiniVGG
five["MiniVGG is above by, points"] = -100 * five["difference"]
five["± (95 % interval)"] = 100 * five["half_width"]
five["p, by Holm"] = five["p_holm"]
five.iloc[:, -3:].round(3)

# %% [markdown]
# > **What we found.** Three: the perceptron, by 1.42 ± 0.25 points, <!-- claim: six-minivgg-less-perceptron --> LeNet-5, by
# > 0.65 ± 0.43 points, <!-- claim: six-minivgg-less-lenet --> and VGG8, by 0.30 ± 0.14 points. <!-- claim: six-minivgg-less-vgg8 --> They
# > pass Holm's rule. <!-- claim: six-by-holm --> The other two intervals contain zero: <!-- claim: six-undecided -->
# > 0.13 ± 0.15 points <!-- claim: six-minivgg-less-alexnet --> for the small AlexNet, and
# > 0.33 ± 0.44 points <!-- claim: six-minivgg-less-resnet --> for the small ResNet of chapter 6.
#
# How firm is "three"? We had run the same study before, with the same seeds, on other machines. Probably because processors round a little
# differently, every training ended at other weights, and that time only the lead over the perceptron passed. Five seeds are few: close to
# the limit, a verdict can be luck.
#
# Nor does undecided mean equal. With a constant rate five seeds see only differences of some tenths of a point; the recipe above, with a
# falling rate, saw a tenth; chapter 7 tests whether the rate is why. One recipe also suits some networks better than others: LeNet-5
# reaches 98.47 ± 0.23 % <!-- claim: six-lenet --> here, and 99.25 ± 0.02 % <!-- claim: lenet5-mnist --> by its own recipe, eight epochs, in
# chapter
# 2. That is close to MiniVGG's by the short recipe above, whose rate was not searched. (The ± of an accuracy is a standard deviation over seeds, that of a difference half of
# a 95 % interval.)
#
# Can a log tell networks apart at all? By this recipe MiniVGG gets 99.12 ± 0.19 % <!-- claim: six-minivgg --> of the test images, so the
# log's 99.14 %, <!-- claim: A.8 --> from all 60,000 <!-- claim: A.4 --> training images, is within reach. The small AlexNet, with
# 98.99 ± 0.08 %, <!-- claim: six-alexnet --> is not far off, for the log had a quarter more images to learn from. So one log hardly tells
# the two apart. And look at the price. Compared with LeNet-5, a lead that LeNet's own recipe takes back costs 483
# times <!-- claim: minivgg-to-lenet-parameters --> the parameters and 132 times <!-- claim: minivgg-to-lenet-work --> the work. What VGG is
# worth is rather its systematic design, <!-- claim: A.9 --> one small block again and again. Chapter 6 asks what happens if we stack ever
# more of them.


# %% [markdown]
# > **Reference card.**
# >
# > | what | formula | MiniVGG |
# > |---|---|---|
# > | blocks that fit an image | halve, rounding down, while at least 1 is left | 28 → 14 → 7 → 3 → 1: four; it keeps two |
# > | parameters of a convolution, 3 × 3 | $n\,(9m + 1)$ | first: $32\,(9 \cdot 1 + 1) = 320$ |
# > | parameters of a linear layer | $n\,(m + 1)$ | first: $4{,}096\,(64 \cdot 49 + 1) = 12{,}849{,}152$ |
# > | work of a convolution | its weights times the places of its map | first: $32 \cdot 9 \cdot 28^2 = 225{,}792$ |
# > | work of a linear layer | its weights | second: $4{,}096^2 = 16{,}777{,}216$ |
# > | memory of a parameter in training | 4 bytes each for weight, gradient, Adam's two means | $16 \cdot 29{,}773{,}354 = 476$ MB |
# > | memory of activations | what each layer gives, for every image of the batch | $128 \cdot 0.578 = 74$ MB |
# > | a log's training accuracy | averaged over the epoch, each batch before its step, dropout on | evaluate once more at the end |
# >
# > In plain PyTorch, without this course's library:
# >
# > ```python
# > def block(c, d, convolutions):
# >     layers = []
# >     for number in range(convolutions):
# >         layers += [nn.Conv2d(c if number == 0 else d, d, 3, padding=1), nn.ReLU()]
# >     return [*layers, nn.MaxPool2d(2)]
# >
# > minivgg = nn.Sequential(
# >     *block(1, 32, 2), *block(32, 64, 3), nn.Flatten(),
# >     nn.Linear(64 * 7 * 7, 4096), nn.ReLU(), nn.Dropout(0.5),
# >     nn.Linear(4096, 4096), nn.ReLU(), nn.Dropout(0.5),
# >     nn.Linear(4096, 10),
# > )
# > ```

# %% [markdown]
# ## Going further
#
# <details><summary>You may have read that the linear layers have fewer parameters</summary>
#
# A printed summary of this network says 12,890,122. <!-- claim: A.6 --> It adds two of the three terms, above a total that is right.
#
# </details>
#
# <details><summary>You may have read how much time a small VGG saves</summary>
#
# Not 96.5 %, <!-- claim: C.5 --> but 94.2 %: <!-- claim: C.5 --> that is 1 − 199 / 3,460. You may also read that its first linear layer has 256 units where
# VGG-16's has 512. <!-- claim: C.5 --> VGG-16's has 4,096; <!-- claim: C.5 --> 512 is the number of *maps* that reach it.
#
# The numbers come from a report on a "modified VGG" for digits, with 32 channels at the start instead of 64 and fewer
# blocks; <!-- claim: C.5 --> `vgg_small` is our form of it, since not all its layers are given. VGG-16 saw digits enlarged to 224 × 224. The
# small one begins with a higher loss and settles later, from 94 % <!-- claim: C.5 --> of the validation images after the first epoch to
# 98.9 % <!-- claim: C.5 --> after ten, and reads 99 % <!-- claim: C.5 --> of the test images, with an F1 of
# 0.99, <!-- claim: C.5 --> in 199 seconds <!-- claim: C.5 --> instead of 3,460. <!-- claim: C.3 --> Ours has
# 99.14 ± 0.06 % <!-- claim: vgg-small-test --> of the test images after two epochs. It is said to suffer on larger
# images. <!-- claim: C.5 --> A possible reason: a unit of its last features sees 36 × 36 pixels, a whole digit, and a small corner of a
# photograph. <!-- claim: vgg-small-view --> Chapter 7 gives it small colour photographs.
#
# </details>

# %% tags=["drawn", "hide-input"]
# the whole log of five epochs, beside the mean of our five runs
import pandas as pd

log = pd.DataFrame(  # claim: A.8
    {
        "train_loss": [0.2207, 0.0566, 0.0418, 0.0314, 0.0288],
        "train_accuracy": [0.9274, 0.9835, 0.9878, 0.9906, 0.9917],
        "val_loss": [0.0555, 0.0495, 0.0338, 0.0358, 0.0290],
        "val_accuracy": [0.9818, 0.9846, 0.9913, 0.9883, 0.9914],
    },
    index=pd.RangeIndex(1, 6, name="epoch"),
)
means = curves.groupby("epoch")[list(log)].mean().round(4)
names = [column.replace("val_", "judging_") for column in log]
both = {"log": log.set_axis(names, axis=1)}
pd.concat(both | {"ours": means.set_axis(names, axis=1)}, axis=1)

# %% [markdown]
# (The log judges by test images, ours by validation images. The [Scorecard](../book/scorecard.md) compares the two row by row.) Does the
# loss on judging images rise at the end? Ours goes from 0.042 <!-- claim: six-minivgg-loss-3 --> in the third epoch to
# 0.040 <!-- claim: six-minivgg-loss-5 --> in the fifth, but rises in three runs of five: undecided. <!-- claim: six-loss-undecided --> The
# log's rises in the fourth <!-- claim: A.8 --> epoch, and its fifth is the lowest. Such a rise may be a constant rate that keeps the
# weights moving, or overfitting. In any case, if you stop where the *test* accuracy is highest, you have used the test set to choose. (The
# log's run took CUDA where there was one, else Apple's MPS, else the CPU. <!-- claim: A.7 -->)

# %% [markdown]
# ## Exercises
#
# ● by hand, ●● change and run, ●●● design an experiment. Guess first, then run, then open the solution.

# %% [markdown]
# ### Exercise 1: Deeper and smaller
#
# ● *10 min.* Give MiniVGG a third block of two convolutions with 128 filters, and keep the widths of the head, 4096-4096-10. The side goes 28, 14, 7, 3.
# Does the network get more parameters or fewer? Predict the number.

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# Fewer. <!-- claim: minivgg-third-block --> The two convolutions add
# $128 \, (9 \cdot 64 + 1) + 128 \, (9 \cdot 128 + 1) = 221{,}440$. But the pool brings the side from 7 to 3, and the first linear layer
# now starts from $128 \cdot 3 \cdot 3 = 1{,}152$ numbers instead of 3,136. <!-- claim: minivgg-numbers-into-the-head --> With 4,096 units
# that saves $4096 \cdot 1{,}984 = 8{,}126{,}464$ weights, far more than the convolutions cost. It is the third *pool* that makes the
# network small.
#
# </details>

# %% tags=["solution", "nbval-check-output"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
mini = models.CONFIGURATIONS["mini"]
three_blocks = models.VGG(
    [*mini, 128, 128, "M"], in_channels=1, num_classes=10, pooled=3
)
deeper = analysis.count_parameters(three_blocks)
assert deeper - counts["total"] == 221_440 - 8_126_464
print(f"MiniVGG {counts['total']:,}, with a third block {deeper:,}")

# %% [markdown]
# ### Exercise 2: Until one unit sees all
#
# ● *10 min.* After two blocks, a unit of MiniVGG sees 20 × 20 pixels. <!-- claim: minivgg-view --> How many convolutions of 3 × 3 must
# follow until a unit's receptive field is as large as the image, 28 × 28? (Only a unit in the middle then sees all of it.)

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# After two pools, neighbouring units are 4 pixels apart. A window of 3 adds $2 \cdot 4 = 8$ pixels: 20 + 8 = 28. One is enough. The
# same convolution at the start of the network would have added 2.
#
# </details>

# %% tags=["solution", "nbval-check-output"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
side = analysis.receptive_field(minivgg.features)["receptive field"].iloc[-1]
assert side == 20 == analysis.receptive_field_by_gradient(minivgg.features)
for extra in (1, 2):
    longer = models.VGG([*mini, *[64] * extra], in_channels=1)
    side = analysis.receptive_field_by_gradient(longer.features)
    print(f"{extra} more: {side}×{side}")

# %% [markdown]
# ### Exercise 3: Where the memory goes
#
# ●● *15 min.* For a batch of 128, most of MiniVGG's training memory does not depend on the batch at
# all. <!-- claim: minivgg-memory-is-head --> From which batch size on do the activations that are kept for the backward pass take more
# than weights, gradients and optimiser together? Guess, then use `analysis.training_memory(network, (1, 28, 28), batch)`, which has
# `weights`, `gradients`, `optimizer` and `saved`, the activations, in bytes.

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# Each parameter takes 16 bytes, which makes 476 MB, <!-- claim: minivgg-fixed-memory --> whatever the batch. What is saved grows with the
# batch, by a good half a megabyte per image. <!-- claim: minivgg-saved-an-image --> So the batch must have about
# 824 <!-- claim: minivgg-even-batch --> images. For `vgg_small` it takes 19. <!-- claim: vgg-small-even-batch -->
#
# </details>

# %% tags=["solution"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
for name, network in {
    "MiniVGG": minivgg,
    "small": models.vgg_small(),
}.items():
    one, two = (
        analysis.training_memory(network, (1, 28, 28), batch)
        for batch in (100, 200)
    )
    fixed = one.weights + one.gradients + one.optimizer
    an_image = (two.saved - one.saved) / 100
    print(f"{name}: {fixed / 1e6:.0f} MB, {an_image:,.0f} bytes an image")
    print(f"  as much from a batch of {fixed / an_image:.0f} on")

# %% [markdown]
# ### Exercise 4: Half the width
#
# ● *10 min.* `models.minivgg(width=0.5)` has half the channels and half the hidden units. To what share do parameters and work fall? Which
# layers fall less than the others?

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# To about a quarter, <!-- claim: minivgg-half-width --> because a layer's weights are a product of its inputs and its outputs, and both are
# halved. Two layers break the rule: the first has one input channel, the last has ten outputs, and neither is halved. So those fall to a
# half only. Biases fall to a half, too. These effects are small here.
#
# </details>

# %% tags=["solution", "nbval-check-output"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
half = analysis.layer_table(models.minivgg(width=0.5), (1, 28, 28))
costs = ["parameters", "multiply-adds"]
shares = half[costs] / table[costs]
shares[half["parameters"] > 0].map("{:.3f}".format)

# %% [markdown]
# ### Exercise 5: A rate that falls
#
# ●● *15 min.* Goal 4 keeps the rate constant. If it falls from 0.001 to zero within three epochs (`training.cosine`), does the averaging
# take away more of the last epoch's training accuracy, or less? Guess first, then take it apart.

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# Less here: 0.18 points, <!-- claim: puzzle-averaging-falling --> where it was 0.32 points. <!-- claim: puzzle-averaging-3 --> In its third epoch the rate falls
# from a quarter of 0.001 to zero, so the weights change less. (One run each; that this is the reason, we did not test.)
#
# </details>

# %% tags=["solution"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
take_apart(epochs=3, schedule=training.cosine)

# %% [markdown]
# ### Exercise 6: Few digits
#
# ●●● *30 min.* With all training digits, MiniVGG misreads fewer than the network without hidden layers. With few digits its many
# parameters might overfit. Design an experiment with 1,000 digits and networks of a quarter of the width, with and without hidden layers:
# how many epochs and repetitions, what is drawn again in each, judged on what, and which difference would convince you?

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# Ours: twenty epochs, so that both learn their digits by heart; five draws of digits and first weights, the same for both networks;
# validation digits, since this is a choice; and a rule set before: the 95 % interval of the paired difference leaves out zero. (At a
# quarter of the width the hidden layers have 1,024 units.) Hidden layers, with their dropout, *help*:
# 94.9 % <!-- claim: few-with-hidden --> against 93.9 %, <!-- claim: few-without-hidden --> a difference of
# +0.93 points <!-- claim: few-difference --> with an interval of 0.59 points <!-- claim: few-interval --> to either side. Both read
# 99.8 % <!-- claim: few-seen --> or more of the digits that they trained on, so even where all is learned by heart, more parameters did not
# make it worse. (One rate served both.)
#
# </details>

# %% tags=["solution"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
import pandas as pd

often = {"epochs": 20, "batch_size": 50, "schedule": training.one_cycle}
if profile == "quick":
    often |= {"epochs": 1}
heads = {"with hidden layers": (4096, 4096), "without": ()}
drawn = {name: [] for name in heads}
for seed in range(2 if profile == "quick" else 5):
    training.set_seed(seed)
    few = digits.train.select(torch.randperm(len(digits.train))[:1_000])
    for name, hidden in heads.items():
        training.set_seed(seed)
        network = models.minivgg(width=0.25, hidden=hidden)
        training.fit(network, few, seed=seed, show=False, **often)
        seen, unseen = (
            training.evaluate(network, split).accuracy
            for split in (few, digits.val)
        )
        drawn[name].append(unseen)
        print(f"{seed}, {name}: seen {seen:.1%}, unseen {unseen:.2%}")
for name, accuracies in drawn.items():
    print(f"{name}: {records.mean_and_spread(accuracies)}")
gap, half = records.difference(*map(pd.Series, drawn.values()))
print(f"difference: {100 * gap:+.2f} points, ", end="")
print(f"its interval: {100 * half:.2f} points")

# %% [markdown]
# ## What to remember
#
# 1. Each pool halves the side: count the pools before you choose a network for an image. Enlarging adds work, and no information.
# 2. Parameters cost memory, four numbers each while training, and activations cost it per image. Multiply-adds cost time.
# 3. A log's training accuracy is averaged over changing weights, with dropout on. Measure like with like before you speak of overfitting.
# 4. On digits nearly all parameters of MiniVGG can be left out, for roughly a quarter more errors by one short recipe. Say the price
#    in errors.
# 5. "Slightly better" is a claim about a difference: one recipe or an equal search for both, an interval, and a rule for how many were
#    compared.

# %% [markdown]
# ## Quiz
#
# Six questions. Each wrong choice is a common belief, and its answer names the place that refutes it.
#
# **Question 1.** Enlarging a digit from 28 × 28 to 224 × 224 before a network sees it...
#
# 1. ...loses information.
# 2. ...adds information, for there are 64 times the pixels.
# 3. ...adds work only.
#
# <details><summary>Answer</summary>
#
# 1. Goal 1b shrinks the enlarged digit, and gets the old one, to the last bit.
# 2. The new pixels are copies of the old ones: goal 1b.
# 3. **Right.** Weights that were trained on large photographs may make it worthwhile.
#
# </details>
#
# **Question 2.** How many of VGG-16's blocks fit an image of 32 × 32?
#
# 1. Four, as for a digit.
# 2. Five: 16, 8, 4, 2, 1.
# 3. Any number, since convolutions take images of any size.
#
# <details><summary>Answer</summary>
#
# 1. A digit goes 14, 7, 3, 1: goal 1a. 32 can be halved once more.
# 2. **Right.** After the fifth, a map is a single place.
# 3. Convolutions do, but pools halve the side until nothing is left: goal 1a.
#
# </details>
#
# **Question 3.** The head of MiniVGG holds 99.7 % <!-- claim: A.6 --> of its parameters. Without it an image takes...
#
# 1. ...about half of the work.
# 2. ...almost no work.
# 3. ...as much work as before.
#
# <details><summary>Answer</summary>
#
# 1. **Right.** Each weight of a convolution is used in every place of a map: goal 3.
# 2. The belief is that parameters are work. Goal 3 counts both.
# 3. Each weight of the head does a multiply-add, once an image: goal 3.
#
# </details>
#
# **Question 4.** In a log, training accuracy is below validation accuracy. What follows?
#
# 1. The validation images are easier, or some are in the training set.
# 2. The network generalises so well that it is better on what it has not seen.
# 3. Nothing yet: the two were measured in different ways.
#
# <details><summary>Answer</summary>
#
# 1. It can happen, and it is worth a check. Here, measured alike, unseen images are no easier: goal 4.
# 2. With the same weights and dropout off, it is no better, and after three epochs it is worse: goal 4.
# 3. **Right.** Averaged over the epoch and with dropout on: measure both alike.
#
# </details>
#
# **Question 5.** You compare five networks with a sixth. The clearest of the five differences is 0.5 points, with a 95 % interval from 0.1
# to 0.9 and a p value of 0.03. You say:
#
# 1. That one is better: zero lies outside.
# 2. Not shown yet: the clearest of five has to pass at 0.01.
# 3. They are equal.
#
# <details><summary>Answer</summary>
#
# 1. An interval is made for one comparison. With five, one may exclude zero by luck: chapter 2's rule tests them at 0.05/5, 0.05/4 and so on.
# 2. **Right.** That is Holm's rule: $0.05/5$ for the clearest, $0.05/4$ for the next.
# 3. Undecided is not equal: more seeds might decide it.
#
# </details>
#
# **Question 6.** A network has a quarter of another's channels in each layer. Its work is...
#
# 1. ...a quarter.
# 2. ...about a sixteenth.
# 3. ...the same, since the images are.
#
# <details><summary>Answer</summary>
#
# 1. A quarter of the inputs *and* a quarter of the outputs: a layer's weights are their product. See exercise 4.
# 2. **Right.** Except in the first and the last layer, where one side stays as it was.
# 3. The places are the same, and the weights used in each are fewer: goal 5a.
#
# </details>

# %% [markdown]
# ## References
#
# - VGG: [Simonyan and Zisserman, 2014](https://arxiv.org/abs/1409.1556).
# - Dropout: [Srivastava et al., 2014](https://jmlr.org/papers/v15/srivastava14a.html).
# - Adam: [Kingma and Ba, 2015](https://arxiv.org/abs/1412.6980).
# - A rate that rises and falls: [Smith and Topin, 2018](https://arxiv.org/abs/1708.07120).
# - Receptive fields: [Araujo et al., 2019](https://distill.pub/2019/computing-receptive-fields/).
