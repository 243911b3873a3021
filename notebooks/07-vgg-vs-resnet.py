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
# In this chapter we do the comparison again, and slowly. We write down the protocol before we start. We train each
# network several times. We ask of each difference whether chance alone could have made it. At the end we sort the
# report's conclusions into three heaps: what it could know, what it could not, and what we know now.
#
# > **What you will be able to do.**
# > Each goal is answered by the cell whose first line bears its number.
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
from course_lib import analysis, data, models, plots, training
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
# Several networks, several seeds, ten epochs: that is too long for a chapter. The runs are a *study*. It was run once,
# on the machine that the table below names, and each of its runs left a record. The chapter reads these records. They
# come with the library, so the numbers of the study are the same for everybody, in every profile.
#
# What trains here is small. It checks the study, and it measures time.

# %% tags=["drawn"]
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
# first pair differ. The two of the second pair may well be equally good: ten errors, and chance makes more.
#
# **Which seed is trained.** First weights, order of images, dropout: train again, and you get another network of the
# same kind. How far do these lie apart? The test set knows nothing of that, and neither does a formula. You have to
# train again. The report did not. So about the two *kinds* of network, one run each says next to nothing.

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
# | seeds | one | three, and none left out |
# | test images | once, at the end | the same |
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
# say how many channels it kept. The study on two cores took half of them.

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
# Compare the ratio with the report's, 2,815 of 3,460 seconds <!-- claim: C.3 -->, and with the ratio of the
# multiply-adds, 0.24. In the report a multiply-add of ResNet-34 took more than three times as long as one of VGG-16. Is
# it so here? A GPU has thousands of units, and a network of many small layers may leave most of them idle. A single core
# is never idle. And VGG-16 has 134 million <!-- claim: A.5 --> weights, which every step has to
# change. Seconds alone say so little, because they depend on the processor, on the batch and on the program.

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
# they should be near each other, and they need not be equal. The study ran on another processor than our published run
# of this chapter, and validation accuracies differ by up to 0.2 points <!-- claim: first-epochs-apart -->, with the same
# seed, images and number of threads. Another processor adds up in another order, which is rounded otherwise, and
# training makes much of little. This is a third kind of chance, and no seed controls it.

# %% [markdown]
# ## Ten epochs, three seeds
#
# Here are the study's curves. A line is the mean over the seeds, the band goes from the lowest to the highest.


# %% tags=["drawn", "hide-input"]
def study_curves(names, panels):
    """Curves of a study: for each panel, measures by epoch with bands."""
    figure, axes = plots.new_figure(1, len(panels), width=8, height=3.6)
    colours, said = [plots.BLUE, plots.ORANGE, plots.GREEN], []
    for place, (title, measures) in zip(axes, panels.items(), strict=True):
        for (name, colour), (measure, style) in itertools.product(
            zip(names, colours, strict=False), measures.items()
        ):
            runs = [line for (one, _), line in lines.items() if one == name]
            if not runs:
                continue
            frame = pd.DataFrame(
                [[epoch[measure] for epoch in run["epochs"]] for run in runs]
            )
            frame.columns += 1
            word = "training" if measure.startswith("train") else "validation"
            label = f"{name}, {word}" if len(measures) > 1 else name
            place.plot(
                frame.columns, frame.mean(), style, color=colour, label=label
            )
            place.fill_between(
                frame.columns,
                frame.min(),
                frame.max(),
                color=colour,
                alpha=0.15,
            )
            first, last = frame.mean().iloc[[0, -1]]
            said.append(f"{title}, {label}: from {first:.3f} to {last:.3f}")
        place.set(title=title, xlabel="epoch")
        place.legend(frameon=False, fontsize=9)
    return plots.finish(figure, f"Curves by epoch. {'; '.join(said)}.")


both = {"train_loss": "--", "val_loss": "-"}
names = ["modified VGG", "modified ResNet"]

# %% tags=["drawn"]
# Goal 6: losses and accuracy, by epoch
study_curves(names, {"Loss": both, "Accuracy": {"val_accuracy": "-"}})

# %% [markdown]
# Follow one colour. The training loss falls to the end. The validation loss falls for about three epochs, and then it
# hovers. From there on the network learns its training images better, and the others no better. *That* is
# *overfitting*: a gap that grows with training.
#
# The training loss of the modified VGG goes from 0.260 <!-- claim: modified-vgg-first-training-loss --> to
# 0.015 <!-- claim: modified-vgg-last-training-loss -->. Its validation loss stands at
# 0.034 <!-- claim: modified-vgg-third-validation-loss --> after the third epoch, and at
# 0.040 <!-- claim: modified-vgg-last-validation-loss --> after the tenth. Seven epochs of learning did nothing for
# images that the network has not seen.
#
# The report calls something else overfitting. In the first epochs of its ResNet-34 the validation loss lay above the
# training loss, and from the third on they were level <!-- claim: C.4 -->. A gap that closes is a start, and no
# overfitting. One cause is at hand: batch norm judges with averages over many batches, and in the first epoch these
# averages lag behind the weights.
#
# Look at the bands, too. Between one epoch and the next the validation accuracy of a single run jumps by more than the
# networks differ. Whoever stops at a lucky epoch reports a lucky number. That is why the protocol says *ten*, and not
# *the best of ten*.

# %% [markdown]
# ## The result
#
# The test images were opened once for each run. Guess first: three seeds each, by how much will the two modified
# networks differ?

# %% tags=["drawn"]
# Goal 7a: mean and spread
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
pd.DataFrame({key: result[key].map(show) for key, show in shown.items()})

# %% [markdown]
# The modified VGG reads 99.27 ± 0.04 % <!-- claim: modified-vgg-accuracy --> of the test digits, the modified ResNet
# 99.09 ± 0.38 % <!-- claim: modified-resnet-accuracy -->. The report had 99 % <!-- claim: C.5 --> for the one and
# 98.9 % <!-- claim: C.6 --> for the other. Within half a point, both are reproduced.
#
# But look at the spreads. One seed of the ResNet made the best of all these networks, another the worst. A mean alone
# would have hidden that. <!-- claim: modified-resnet-best-and-worst -->
#
# The spread is over seeds, the second kind of chance. The first kind is not in it: all networks were judged on the same
# images, and a lucky draw of images would be lucky for both.
#
# How sure is the difference? Its standard error is $\sqrt{s_1^2/n_1 + s_2^2/n_2}$, as in chapter 5.

# %% tags=["drawn"]
# Goal 7b: a difference and its error
first, second = (result.loc[name] for name in names[::-1])
gap = first["accuracy"] - second["accuracy"]
error = math.sqrt(
    first["spread"] ** 2 / first["seeds"]
    + second["spread"] ** 2 / second["seeds"]
)
print(f"{names[1]} minus {names[0]}: {100 * gap:+.2f} points")
print(f"standard error {100 * error:.2f} points: {gap / error:.1f} of them")

# %% [markdown]
# Suppose the report had had our runs, and taken one of each at random. Would it have found the same winner?

# %% tags=["drawn"]
by_name = groups["accuracy"].apply(list)
drawn = list(itertools.product(by_name[names[1]], by_name[names[0]]))
wins = sum(one > other for one, other in drawn)
print(f"{names[1]} wins {wins} of {len(drawn)} single comparisons")
gaps = sorted(100 * (one - other) for one, other in drawn)
print(f"by {gaps[0]:+.2f} to {gaps[-1]:+.2f} points")

# %% [markdown]
# The number of wins hides how lucky a single pair can be: compare the smallest and the largest difference. A report of
# one run each would have printed one of these numbers, to two decimals, and called it the difference.
#
# How many seeds does a difference need? It has to be twice its standard error. With the same spread $s$ for both and
# $n$ seeds each, that is $d = 2 s \sqrt{2/n}$, so $n = 8 s^2/d^2$. Half the difference needs four times the seeds.

# %% tags=["drawn"]
# Goal 7c: seeds that a difference needs
typical = result["spread"].mean()
for points in (0.3, 0.1, 0.05):
    needed = 8 * (100 * typical) ** 2 / points**2
    print(f"{points} points: {max(2, math.ceil(needed))} seeds each")

# %% [markdown]
# And the price? The three panels show the same accuracies over three costs.

# %% tags=["drawn"]
plots.accuracy_against_cost(result)

# %% [markdown]
# The modified ResNet, at half its width, has twice the parameters of the modified VGG and 1.8 times its multiply-adds,
# and it took 2.7 times as long <!-- claim: modified-resnet-time-ratio -->, on one core each. In the report it took 1.2
# times as long. On digits, three seeds show nothing that the higher price would buy.

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


# %% tags=["drawn"]
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
# Where is the other network better, and by how many mistakes in 30,000 answers? A difference of a few mistakes in one
# square is chance again: with a hundred squares, some will stand out. Look for pairs that *both* find hard. They say
# something about the digits.

# %% [markdown]
# ## Modified against original
#
# This comparison needs VGG-16 and ResNet-34 on images of 224 × 224: ten epochs, three seeds each. At the
# speed that was measured above, one run of VGG-16 would keep two cores busy for most of a day, and a smaller image would
# be another experiment. So it waits for a GPU.

# %% tags=["drawn"]
originals = ["VGG-16", "VGG-16 with batch norm", "ResNet-34"]
present = [name for name in originals if name in result.index]
if not present:
    print("Not recorded yet. With a GPU:")
    print("course study vgg-vs-resnet --size full --publish")
pd.DataFrame(
    {
        "reported": reported["accuracy"].map("{:.1%}".format),
        "recorded here": [
            f"{result.loc[name, 'accuracy']:.2%} ± "
            f"{result.loc[name, 'spread']:.2%}"
            if name in result.index
            else "awaiting a GPU"
            for name in reported.index
        ],
    }
)

# %% [markdown]
# One sentence of the report can be judged without it. It says that the modified ResNet, with 98.9 % <!-- claim: C.6 -->
# after 99.2 % <!-- claim: C.4 -->, is not affected in its performance. Among a thousand digits, three errors more where
# there were eight: chapter 6 has counted.

# %% [markdown]
# ## The same on photographs
#
# On digits nearly everything is right, so little is left to tell networks apart. The report gave its modified VGG one
# harder task, CIFAR-10 resized to 28 × 28, and got an accuracy of 55 % <!-- claim: C.7 --> with an F1 of 0.547262. It
# calls that a drop of around 40 % <!-- claim: C.7 --> points; from 99 to 55 they are 44.
#
# Our study `cifar-augment` has the same network, size and protocol, three seeds.

# %% tags=["drawn"]
photographs = studies.table("cifar-augment")
whole = photographs[photographs["name"] == "modified VGG, CIFAR-10"]
print(
    f"accuracy {whole['accuracy'].mean():.2%} ± {whole['accuracy'].std():.2%}, "
    f"F1 {whole['macro_f1'].mean():.4f}, {len(whole)} seeds"
)

# %% tags=["drawn"]
pictures = [
    line
    for line in studies.read("cifar-augment")
    if line["name"] == "modified VGG, CIFAR-10"
]
classes = [one["name"] for one in pictures[0]["final"]["classes"]]
summed = pd.DataFrame(
    torch.tensor([line["confusion"] for line in pictures]).sum(0).numpy(),
    pd.Index(classes, name="true"),
    pd.Index(classes, name="predicted"),
)
plots.confusion_heatmap(summed)

# %% [markdown]
# Ours reads 76.3 ± 1.6 % <!-- claim: modified-vgg-cifar10 --> of the test images. That is
# 21 points <!-- claim: modified-vgg-cifar10-ahead --> more, with a network of the same description, the same size of image and
# the same protocol. So its low accuracy is no property of the network. The white spots must hold the difference: normalisation,
# first weights, layers that the report does not list. Nobody can say which.
#
# The report found its matrix diffuse. Is this one? Find the darkest squares. Cats and dogs, in both directions; and
# means of transport among themselves. A network that confuses what looks alike has learned something.

# %% [markdown]
# ## Does augmentation help?
#
# As a remedy the report suggests augmentation: rotation, scaling, cropping, elastic deformation. It tried none. Which of
# them helps, and how much? We add flipping, for left and right mean nothing to these ten classes.
#
# Ten epochs each, three seeds, one augmentation at a time. In the `cpu` study they learn from a fifth of the images, so
# compare them with each other, and not with the network above.

# %% tags=["drawn"]
# Goal 9: one augmentation at a time
tried = photographs[photographs["name"].str.startswith("augmented by ")]
tried = tried.assign(by=tried["name"].str.removeprefix("augmented by "))
table = tried.groupby("by", sort=False).agg(
    images=("train", "first"),
    seeds=("seed", "size"),
    accuracy=("accuracy", "mean"),
    spread=("accuracy", "std"),
)
by_seed = tried.pivot(index="seed", columns="by", values="accuracy")
gains = by_seed.sub(by_seed["nothing"], axis="index")  # seed by seed
table["gain"] = gains.mean()
table["error"] = gains.std() / gains.count() ** 0.5
percent = {key: table[key].map("{:.2%}".format) for key in table.columns[2:]}
table.assign(**percent)

# %% tags=["drawn", "hide-input"]
figure, axes = plots.new_figure(width=7, height=3)
gained = table.drop(index="nothing").sort_values("gain")
axes.barh(
    gained.index,
    100 * gained["gain"],
    xerr=200 * gained["error"],
    color=plots.BLUE,
    ecolor="#222222",
    capsize=3,
)
axes.axvline(0, color="#222222", linewidth=0.8)
axes.set(xlabel="gain in accuracy, in points (bars: two standard errors)")
said = [
    f"{name} {100 * row.gain:+.1f} ± {200 * row.error:.1f}"
    for name, row in gained[::-1].iterrows()
]
plots.finish(
    figure,
    "Bars: gain in accuracy over training without augmentation, in points, "
    f"with two standard errors. {'; '.join(said)}.",
)

# %% [markdown]
# None of the five is ahead by two standard errors. <!-- claim: no-augmentation-helps --> Why? Augmentation is a remedy
# against overfitting. Is there any? Compare training and validation loss in the last epoch:

# %% tags=["drawn"]
ends = [
    {
        "by": line["name"].removeprefix("augmented by "),
        "training loss": line["epochs"][-1]["train_loss"],
        "validation loss": line["epochs"][-1]["val_loss"],
    }
    for line in studies.read("cifar-augment")
    if line["name"].startswith("augmented by ")
]
pd.DataFrame(ends).groupby("by", sort=False).mean().round(3)

# %% [markdown]
# It does what it is for. With each augmentation the training loss is higher <!-- claim: augmentation-raises-training-loss -->,
# and the gap is smaller. But the remedy has a price: images are harder
# to learn, and ten epochs of 9,000 images are 710 steps. In so few, the network is far from having learned its training
# images, and nothing is left to be cured. Chapter 3's ablation points the same way: in its short runs, flips and crops
# did not help either. <!-- claim: flips-and-crops-do-not-help-in-a-short-run -->
#
# So the report's advice is not wrong. It is advice for longer training, and it was not tested. Exercise 5 tests it a
# little.
#
# One trick is in the last column of the table. Runs with the same seed share their images and their first weights. So
# we took the difference seed by seed, and then its spread. What a seed adds to both runs drops out. Compare the errors
# with the spreads: such *pairs* can tell apart what two separate means cannot.

# %% [markdown]
# ## What one run could not say, and what ours can
#
# | the report says | one run each | three runs each |
# |---|---|---|
# | ResNet-34 is better than VGG-16 | of these two trained networks, yes; of the two kinds, no | awaits a GPU |
# | the modified VGG is as good as the modified ResNet | 10 errors, ± 14: cannot be told apart | −0.2 points <!-- claim: modified-resnet-minus-modified-vgg -->, standard error 0.2: cannot be told apart either |
# | ResNet fluctuates more | one curve | over seeds it does: a spread of 0.38 % <!-- claim: modified-resnet-spread --> against 0.04 % <!-- claim: modified-vgg-spread --> |
# | the modified ResNet is slower | once | with every seed <!-- claim: modified-resnet-slower --> |
# | smaller networks are as good as large ones | 10 to 30 errors more, of 80 | awaits a GPU |
# | CIFAR-10 brings the modified VGG down to 55 % <!-- claim: C.7 --> | one run | 76 % <!-- claim: modified-vgg-cifar10 -->: not the network's fault |
# | augmentation would help | not tried | not in ten epochs of 9,000 images |
#
# Three seeds are few. The spread of three runs is itself a rough number, and a difference that they do not show may
# well exist. What they do show is how far one run can lead you astray: the best and the worst of these small networks
# are the same network, with another seed.

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
# a network that is reported by its best run beats an equal one that is reported by its mean, every time.
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
# errors the largest? Which pairs could be told apart by the test images alone, at two standard errors?

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
# The gap is what augmentation works on, so look at it first. If validation accuracy is higher as well, it is so for one
# seed, on a thousand images or fewer: the standard error from the choice of images alone is about two points. You may
# conclude that you have to repeat it.
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
# - A number without its seeds is an anecdote. A difference counts when it is twice its standard error.
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
