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
# # 9 · When training fails
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/convnets-measured/convnets-measured/blob/main/notebooks/09-training-failures.ipynb)
#
# The program runs, no error is shown, and the network learns nothing. Where do you look?
#
# A student compared AlexNet with VGG on CIFAR-10. It took four attempts. VGG guessed in all of them. One ended in
# the middle, for lack of memory. The smallest network won the last. The report has an explanation for each of
# these, and at least two of them cannot be right.
#
# Failures are worth as much as results, if you take them apart. In this chapter each failure is a case: what
# somebody saw, where to look, what the cause was, what helps, and which check would have caught it. The last
# part adds five mistakes that show no symptom at all.
#
# > **What you will be able to do.**
# > Each goal is answered by the cell whose first line has its number.
# >
# > 1. Recognise a network that guesses by its loss.
# > 2. Tell a failed optimisation from too little data.
# > 3. See what first weights do to signals, layer by layer.
# > 4. Find out by experiment which remedy helps.
# > 5. Compare networks on little data, and find out why one of them wins.
# > 6. Find the tensor that did not fit, and predict how much memory training takes.
# > 7. Take the step of a large batch in small pieces.
# > 8. Catch five silent mistakes, each with one line.

# %% [markdown]
# > **Time and memory.**
# > The whole notebook, with every exercise's solution:
# >
# > | profile | data | on | time | memory |
# > |---|---|---|---|---|
# > | `quick` | a few hundred pictures, in the package; narrow networks | two CPU cores | half a minute | about 1 GB |
# > | `cpu` | 5 % <!-- claim: little-data-share --> of CIFAR-10's training pictures | two CPU cores | 8 min <!-- claim: training-failures-time --> | 1.4 GB <!-- claim: training-failures-memory --> |
# > | `full` | the same, more seeds | one GPU | not measured yet | not measured yet |

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
# Want data and checkpoints to survive a disconnect? Mount your drive and set `COURSE_HOME` before you load the
# data, as in chapter 1.

# %% tags=["parameters"]
PROFILE = "auto"

# %%
import copy
import functools
import math
import warnings
import weakref

import pandas as pd
import torch
from course_lib import analysis, data, live, models, plots, records, training
from course_lib.analysis import memory as suspects
from course_lib.data import stratified_holdout
from course_lib.profiles import resolve_profile
from course_lib.records import studies
from torch import nn
from torch.nn import functional as F

profile = resolve_profile(PROFILE)
size = "sample" if profile == "quick" else "full"
pictures = data.load("cifar10", size=size)
sizes = {
    "quick": {"images": 256, "batch": 32, "width": 0.125, "epochs": 1},
    "cpu": {"images": 2_250, "batch": 128, "width": 0.25, "epochs": 10},
    "full": {"images": 2_250, "batch": 128, "width": 0.25, "epochs": 10},
}[profile]
seeds = range({"quick": 1, "cpu": 3, "full": 5}[profile])
# what fit has to say we read in history.warnings
warnings.filterwarnings("ignore", category=training.TrainingWarning)
print(f"profile {profile}: {sizes}, {len(seeds)} seeds")
print("trains on", training.describe_device(training.best_device()))
pictures


# %% [markdown]
# Like the report, we train on 5 % <!-- claim: little-data-share --> of the pictures. Each class gets its share, and
# the seed decides which ones. A thousand validation pictures judge.


# %%
def part(count, seed):
    """So many training pictures, each class in its share."""
    labels = pictures.train.labels.numpy()
    _, kept = stratified_holdout(labels, count, seed)
    return pictures.train.select(kept)


few = part(sizes["images"], seed=0)
judges = pictures.val.select(range(min(1_000, len(pictures.val))))
few

# %% [markdown]
# ## Case 1: stuck at ln 10
#
# ### What somebody saw
#
# Here is the accuracy of the report's four networks in its four attempts, in percent. The first attempt had one
# epoch, the second two, the last ten. The third does not say. Where the second has no number, memory had run out.

# %% tags=["nbval-check-output"]
# Goal 1: four attempts
reported = pd.DataFrame(  # claims: E.5, E.6, E.7, E.8
    {
        "1": [10.00, 10.00, 17.34, 13.64],
        "2": [10.00, 10.00, None, None],
        "3": [10.03, 10.00, 21.38, 10.07],
        "4": [28.94, 10.00, 34.65, 42.66],
    },
    index=["AlexNet", "VGG", "VGG with batch norm", "VGG8"],
).rename_axis(columns="attempt")
training_4 = reported["4"] + [-4.36, 1.16, -2.31, 0.19]  # the gaps
told = reported.assign(**{"4, training": training_4})
told.map("{:.2f}".format).replace("nan", "")

# %% [markdown]
# The row of VGG is the most regular of all, and nothing in a training run is that regular. Ten classes of the same
# size: a network that always gives the same answer gets exactly one picture in ten. The log has a second number
# that says the same. The loss of VGG stood at 2.303 <!-- claim: E.5 -->.

# %% tags=["nbval-check-output"]
for classes in (2, 10, 100, 1000):
    logits = torch.zeros(1, classes)  # the same chance for each class
    loss = F.cross_entropy(logits, torch.tensor([0])).item()
    print(f"{classes:,} classes: loss {loss:.3f}, ln {math.log(classes):.3f}")

# %% [markdown]
# With $K$ classes and the same chance for each, the loss is $-\ln(1/K) = \ln K$. Know this number for your data by
# heart. It is where a fresh network starts, more or less. A network that stays there has learned nothing, whatever
# the accuracy says.
#
# The report blames little data for it. Is that possible? The table's last column gives the accuracy on the
# *training* pictures. VGG does not know those either. Too little data is something else: a network that knows its
# few pictures by heart, and no others. What failed here is the optimisation.
#
# ### The same in small
#
# We build a plain VGG of 16 layers for small pictures: VGG-16's convolutions, fewer channels, and a small head. We
# leave dropout out, to have one thing less. The report does not say how its own was initialised. Ours gets the
# weights that torch gives to every layer when nobody asks for others.


# %%
def torchs_weights(layer):
    """What a layer of torch is born with."""
    layer.reset_parameters()


def plain_vgg(first_weights, form="D", batch_norm=False, seed=0):
    """A VGG for 32 × 32 pixels; form D has 16 layers, form 8 has 8."""
    training.set_seed(seed)
    network = models.VGG(
        models.CONFIGURATIONS[form],
        num_classes=10,
        width=sizes["width"],
        batch_norm=batch_norm,
        pooled=1,
        hidden=(512, 512),
        dropout=0.0,
    )
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            first_weights(layer)
    return network


options = {"batch_size": sizes["batch"], "precision": "auto"}
stuck = plain_vgg(torchs_weights)
every = 2 if profile == "quick" else 10
with analysis.watch(stuck, every=every) as seen:
    history = training.fit(
        stuck, few, judges, epochs=sizes["epochs"], **options
    )

# %% [markdown]
# There it is, and `fit` says so below its table. It compares the training loss with $\ln K$ after each epoch. The
# warning is kept, too, so that a program can ask for it:

# %%
history.warnings

# %% [markdown]
# ### Check: can it learn one batch by heart?
#
# Before you think about data, take the data away. Thirty pictures, and always the same ones. A network with many
# thousands of weights must be able to learn these. If it cannot, then no amount of data will help it. The check takes
# seconds, and it belongs at the start of every project. Settle beforehand how many steps it gets and what counts as
# learned. Here it is sixty steps, and a loss below 0.1.
#
# Beside the stuck network we check the same one with other first weights, of which more in a moment.


# %%
def hes_weights(layer):
    """Normal numbers of variance 2 / inputs, and no bias."""
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    nn.init.zeros_(layer.bias)


# Goal 2: thirty pictures, again and again
thirty = part(30, seed=0)
steps = {"epochs": 6 if profile == "quick" else 60, "batch_size": 30}
by_heart = {
    name: training.fit(
        plain_vgg(weights), thirty, **steps, show=False, precision="auto"
    )
    for name, weights in {
        "torch's weights": torchs_weights,
        "He's weights": hes_weights,
    }.items()
}
plots.compare_curves(by_heart, "train_loss")

# %% [markdown]
# Both see the same pictures in the same steps, and both have the same layers. With He's weights the network begins to
# learn at once and ends at a loss of 0.00 <!-- claim: by-heart-he -->. With torch's weights it sits at $\ln 10$ for
# about twenty steps, and after sixty it is still at 1.50 <!-- claim: by-heart-torch -->. So neither the data nor the
# size of the network can be at fault. The first weights are all that is left. (A curve that falls may jump once or
# twice: thirty pictures and a constant rate make a rough curve.)

# %% [markdown]
# ### Look inside
#
# A layer adds up $n$ inputs, each times a weight. With weights of variance $v$, and a ReLU before, which lets half
# of the signal pass, the mean square of the sum is $n v / 2$ times that of its inputs. If this factor is not near
# 1, it is multiplied again and again, once a layer.
#
# [He et al., 2015](https://arxiv.org/abs/1502.01852) chose $v = 2/n$, so that the factor is 1. [Glorot and Bengio,
# 2010](https://proceedings.mlr.press/v9/glorot10a.html) had no ReLU in mind, and chose $v = 2/(n + m)$ for $m$
# outputs. Torch's layers are born with $v = 1/(3n)$. What does that make of a signal in 15 layers? We compute the
# factor of the signal's size, the root of $n v / 2$.

# %% tags=["nbval-check-output"]
# Goal 3a: from layer to layer, on paper
variances = {
    "torch's own": lambda n: 1 / (3 * n),
    "Glorot's, n = m": lambda n: 2 / (n + n),
    "He's": lambda n: 2 / n,
    "0.01, n = 4,608": lambda n: 0.01**2 * 4_608 / n,
    "0.01, n = 576": lambda n: 0.01**2 * 576 / n,
}
for name, variance in variances.items():
    factor = math.sqrt(variance(1) / 2)
    print(f"{name:16s} {factor:.2f} a layer, {factor**15:.0e} in 15 layers")

# %% [markdown]
# The last two rows are weights of one fixed size, 0.01, in a layer of 512 channels and in one of 64. In the wide layer
# this is about as weak as torch's own; in the narrow one it loses the signal far faster. One fixed size cannot suit
# both. Keep that in mind for case 2.
#
# Now the real thing. A batch goes through four fresh networks and back. How strong is the gradient that arrives at
# each layer?


# %%
def glorots_weights(layer):
    nn.init.xavier_normal_(layer.weight)
    nn.init.zeros_(layer.bias)


def tiny_weights(layer):
    nn.init.normal_(layer.weight, 0, 0.01)
    nn.init.zeros_(layer.bias)


first_weights = {
    "torch's own": torchs_weights,
    "Glorot's": glorots_weights,
    "He's": hes_weights,
    "all 0.01": tiny_weights,
}
some = few.select(range(64))
batch = some.normalize(some.images), some.labels
chains = {
    name: analysis.signals(plain_vgg(weights), *batch)
    for name, weights in first_weights.items()
}
# Goal 3b: from layer to layer, measured
plots.signal_chain(chains, "gradient rms")

# %% [markdown]
# Read it from right to left, as the gradient runs. With He's weights it is smaller by a factor of
# 110 <!-- claim: he-gradient-shrinks --> when it arrives in front. The five max-pools explain 32 of it: each hands the
# gradient to one position in four, which halves its root mean square. With torch's own weights the factor is
# 150 million <!-- claim: torch-gradient-shrinks -->.
#
# That is the loss's gradient by the *outputs* of each layer. An optimiser works with the gradient by the *weights*, which
# adds up all positions. Plain gradient descent multiplies it by the rate. Adam divides each gradient by its own size, plus
# a small $\varepsilon$ that keeps it from dividing by zero. The usual $\varepsilon$ is $10^{-8}$. Which layers have gradients
# above it?

# %%
adam = "Adam's ε"
plots.signal_chain(chains, "weight gradient rms", mark=(adam, 1e-8))

# %% [markdown]
# With torch's weights the first six layers lie below the line, at a few
# billionths. <!-- claim: front-gradients-below-epsilon --> There $\varepsilon$ is the larger part of the sum that Adam divides
# by, so the steps come out at less than half their length. They are steps all the same. Why do they not help? Look at the
# way forward.

# %%
plots.signal_chain(chains, "activation std")

# %% [markdown]
# The signal shrinks on its way up, too. How much do the answers of a fresh network differ from picture to picture?

# %%
rows = {}
for name, weights in first_weights.items():
    with torch.no_grad():
        logits = plain_vgg(weights)(batch[0])
    rows[name] = {
        "logits differ between pictures by": f"{logits.std(0).mean():.1e}",
        "logits differ between classes by": f"{logits.mean(0).std():.1e}",
        "loss": f"{F.cross_entropy(logits, batch[1]):.3f}",
    }
pd.DataFrame(rows).T

# %% [markdown]
# With torch's weights the network gives all pictures the same answer: that of its biases. The picture is lost on the
# way up. What comes back then says the same about each of them, and Adam's steps follow a direction that means nothing.
#
# Here is the stuck run again, all its layers, step by step.

# %%
plots.signals_over_steps(seen.table(), "gradient rms")

# %% [markdown]
# In our published picture the front layers stay dark to the end: ten epochs were not enough for this seed. Where such a
# picture gets brighter from some step on, you see the moment at which the weights have grown enough to let a signal
# through. A network of this kind is *slow to start*. It may leave $\ln 10$ by itself. In the next experiment two of
# three seeds do, in their ninth and tenth epoch <!-- claim: slow-seeds-leave-late -->: after some 150 steps. With a
# twentieth of the data and a few epochs, a report is written before that.

# %% [markdown]
# ### Four remedies, one at a time
#
# What do people try? Better first weights. Batch norm. A lower rate. A *warm-up*, a rate that rises from zero. We
# try each alone, with several seeds. Guess first: which of the four will leave $\ln 10$ in the first epoch?


# %%
def warm_up(progress):
    """The rate rises to its full height in the first 30 %."""
    return min(1.0, progress / 0.3)


kinds = {"torch's weights": torchs_weights, "He's weights": hes_weights}


done = {}  # histories by name and seed: what has run once is not run again


def run(kind, form="D", *, norm=False, rate=1e-3, rising=False, seed=0):
    """Train one plain VGG on few pictures, and record it."""
    words = ["deep" if form == "D" else "shallow", kind, f"rate {rate:g}"]
    words += ["batch norm"] * norm + ["warm-up"] * rising
    name = ", ".join(words)
    if (name, seed) in done:
        return done[name, seed]
    network = plain_vgg(kinds[kind], form, norm, seed)
    history = training.fit(
        network,
        part(sizes["images"], seed),
        judges,
        epochs=sizes["epochs"],
        learning_rate=rate,
        schedule=warm_up if rising else training.constant,
        seed=seed,
        show=False,
        **options,
    )
    answers = training.predict(network, judges)
    training.record(name, history, answers, pictures, split="validation")
    done[name, seed] = history
    return history


remedies = {
    "none": {"kind": "torch's weights"},
    "He's weights": {"kind": "He's weights"},
    "batch norm": {"kind": "torch's weights", "norm": True},
    "lower rate": {"kind": "torch's weights", "rate": 1e-4},
    "warm-up": {"kind": "torch's weights", "rising": True},
}
tried = {
    name: [run(**chosen, seed=seed) for seed in seeds]
    for name, chosen in remedies.items()
}

# %% tags=["hide-input", "card"]
figure, axes = plots.new_figure(width=7, height=3.6)
said = []
for name, runs in tried.items():
    losses = pd.DataFrame(
        [[epoch.train_loss for epoch in one.epochs] for one in runs]
    )
    losses.columns += 1
    (line,) = axes.plot(
        losses.columns, losses.mean(), marker="o", markersize=4, label=name
    )
    band = {"alpha": 0.15, "color": line.get_color()}
    axes.fill_between(losses.columns, losses.min(), losses.max(), **band)
    first, last = losses.mean().iloc[[0, -1]]
    said.append(f"{name}: from {first:.3f} to {last:.3f}")
axes.axhline(math.log(10), color="#222222", linewidth=0.8, linestyle=":")
axes.text(1, math.log(10) + 0.02, "ln 10", fontsize=10)
axes.set(xlabel="epoch", ylabel="training loss")
axes.set_xticks(range(1, sizes["epochs"] + 1))
axes.legend(frameon=False, fontsize=10)
plots.finish(
    figure,
    "Training loss by epoch for five remedies, mean and range over seeds, "
    f"beside a dotted line at ln 10. {'; '.join(said)}.",
)


# %%
# Goal 4a: which remedy leaves ln 10, and when?
def leaves(history):
    """The first epoch whose loss is a tenth below ln 10."""
    below = [
        one.epoch
        for one in history.epochs
        if one.train_loss < math.log(10) - 0.1
    ]
    return str(below[0]) if below else "never"


pd.DataFrame(
    {
        name: {
            "leaves in epoch": ", ".join(leaves(one) for one in runs),
            "last training loss": ", ".join(
                f"{one[-1].train_loss:.2f}" for one in runs
            ),
            "warnings": ", ".join(
                {key for one in runs for key in one.warnings}
            ),
        }
        for name, runs in tried.items()
    }
).T

# %% [markdown]
# Only batch norm leaves $\ln 10$ in the first epoch. He's weights follow in the second or
# third. <!-- claim: who-leaves-first --> These two cure it: both end with a lower training loss than the untreated
# network and than the other two remedies. We compare by the 95 % t interval of the difference, paired by seed.
# All six intervals lie above zero. <!-- claim: two-remedies-help --> The two work in different ways. He's weights start
# the signal at the right size; batch norm brings it to that size in every layer, whatever the weights.
#
# The lower rate and the warm-up did not cure it. In our published run one seed of three left $\ln 10$ with each of
# them, and two did so without any remedy, all of them late. Both remedies keep steps small, and here the steps were
# never too large. Which seed gets away, and when, is chance: it changes even from one processor to another, which
# rounds otherwise.
#
# (In the `quick` profile there is one seed and one epoch. The statements are those of the published page.)

# %% [markdown]
# ### Too fast looks the same
#
# So is the learning rate never the cause? We draw a map: two kinds of first weights, two depths, three rates. One
# run each: this is a map and no comparison. In the table stands the last training loss.

# %%
# Goal 4b: a map of first weights, depth and rate
spots = {
    (form, kind, rate): run(kind, form, rate=rate)
    for form in ("8", "D")
    for kind in kinds
    for rate in (1e-2, 1e-3, 1e-4)
}
rows = [
    {
        "layers": {"8": 8, "D": 16}[form],
        "first weights": kind,
        "rate": f"{rate:g}",
        "loss": f"{history[-1].train_loss:.3f}"
        + (" ⚠ dead layers" if "dead-layers" in history.warnings else ""),
    }
    for (form, kind, rate), history in spots.items()
]
table = pd.DataFrame(rows).pivot(
    index=["layers", "first weights"], columns="rate", values="loss"
)
table[["0.01", "0.001", "0.0001"]]

# %% [markdown]
# Look at the deep networks at the highest rate. He's weights or not, both end at $\ln
# 10$. <!-- claim: too-fast-ends-at-ln-10 --> The same number, and two other causes.
#
# With torch's weights the table has a ⚠: layers are *dead*. The first large steps threw the weights so far that in some
# layer every ReLU gives zero, for every picture. What is zero in front has a gradient of zero behind: nothing will ever
# come back. `fit` looks at the gradients, finds them exactly zero, and so tells dead layers from slow ones.
#
# With He's weights there is no ⚠. No layer's gradient was exactly zero in a last step, so none was dead. This network
# was *thrown about*: its mean loss was 3.10 <!-- claim: thrown-about-first --> in the first epoch and
# 3.54 <!-- claim: thrown-about-second --> in the second, and then it settled near $\ln 10$. How large its gradients
# were there we did not measure.
#
# With He's weights a tenth of the rate *is* the remedy: in the middle column the network learns. With torch's weights
# it helps eight layers. With sixteen, a network that was dead is merely slow.
#
# One run each is a map. The study `failures` draws the deep rows of it properly: six rates, five seeds each.

# %% tags=["drawn"]
study = records.studies.table("failures")
norm = study["name"].str.contains("batch norm")
by_weights = {
    kind: study[study["name"].str.contains(kind) & ~norm]
    for kind in ("torch's weights", "He's weights")
}
plots.accuracy_by("learning_rate", by_weights, "validation")

# %% [markdown]
# > **What we found.** With torch's weights no rate is a remedy: the best of 30 runs reads
# > 19.5 %. <!-- claim: deep-torch-best --> With He's weights the network learns at every rate up to 0.001. At 0.0003 it reads
# > 37.8 ± 1.5 %, <!-- claim: deep-he-at-best --> and from 0.01 on all ten runs
# > only guess. <!-- claim: deep-he-too-fast -->
#
# So the rate can break a network whose first weights are right. It can't repair one whose first weights are wrong.
#
# A loss at $\ln K$ has three causes at least, and each has its own signs:
#
# | look at | slow to start | dead | thrown about |
# |---|---|---|---|
# | gradients in the front layers | tiny, and not zero | exactly zero | not zero (size not measured here) |
# | the loss at first | sits there from the first step on | higher for a moment, then exactly there | far higher for an epoch or two, then near it |
# | remedy | He's weights, batch norm (both tried above), skips | a lower rate (tried, one run), a warm-up or clipped gradients (not tried here); start again | a lower rate (tried, one run) |
#
# Which of them did the report's VGG have? It names neither its first weights nor its rate, so nobody can say. Its
# VGG with batch norm learned, on the same data and with the same program. That fits both. One line in its log would
# have decided it: the size of a gradient in the first layer.

# %% [markdown]
# ## Case 2: little data
#
# ### What somebody saw
#
# In the last attempt, with ten epochs, the smallest network won: VGG8, with 42.66 % <!-- claim: E.8 -->, before the VGG
# with batch norm, 34.65 % <!-- claim: E.8 -->, and AlexNet, 28.94 % <!-- claim: E.8 -->. A small network for little
# data: that is what one would expect. It is also one seed, on enlarged pictures, and with recipes that we do not know.
# And the order changes from attempt to attempt. In the first, after one epoch, and in the third, whose epochs the
# report does not state, the VGG with batch norm was ahead. (In the second it ran out of memory.) Its first epoch even
# ended with a validation loss of 6.876 <!-- claim: E.5 -->, three times that of guessing, and more right answers than
# any other. A young batch norm can be like that: often wrong, and sure of it.
#
# The report's gaps between training and validation are small, and most are negative. None of its networks overfitted.
# With all pictures it expects 80–90 % <!-- claim: E.8 -->.
#
# Two slips are in the text. 5 % <!-- claim: little-data-share --> of 50,000 is 2,500, and not 5,000. And its "10
# batches" are ten epochs.
#
# Our study `little-data` trains VGG8 and AlexNet, both at half width and on pictures of 32 × 32, on growing shares
# of the data. Ten epochs each, three seeds. We are looking for an explanation, so validation pictures judge: a dot is a run
# after its last epoch, the lines join the means.


# %% tags=["drawn"]
# Goal 5a: accuracy by number of pictures
def judged_at_the_end(study):
    """Its runs, with their accuracy on validation pictures after the last epoch."""
    curves = studies.curves(study).groupby(["name", "seed"])
    runs = studies.table(study).set_index(["name", "seed"])
    return runs.assign(accuracy=curves["val_accuracy"].last()).reset_index()


study = judged_at_the_end("little-data")
study[["network", "share"]] = study["name"].str.rsplit(", ", n=1).to_list()
# the networks for 224 × 224 are there where a GPU has run the study
small = study[~study["network"].str.contains("224")]
plots.accuracy_by("train", dict(list(small.groupby("network"))), "validation")

# %% [markdown]
# With all pictures, and with a quarter of them, three seeds do not tell the two apart. AlexNet less VGG8 is
# −2.7 ± 2.8 points <!-- claim: alexnet-less-vgg8-all --> and
# 0.1 ± 4.0 points <!-- claim: alexnet-less-vgg8-quarter -->, mean and t interval. With a twentieth AlexNet is ahead,
# 36.5 % <!-- claim: alexnet-on-little-data --> against 29.9 % <!-- claim: vgg8-on-little-data -->, by
# 6.6 ± 2.1 points <!-- claim: alexnet-less-vgg8-little -->. So in our study the *large* network wins on little data. It
# has five times the parameters. Why?
#
# First look for the sign of too little data: a gap between training and validation.

# %% tags=["drawn"]
lines = studies.read("little-data")
gaps = pd.DataFrame(
    {
        "run": line["name"],
        "training": line["epochs"][-1]["train_accuracy"],
        "validation": line["epochs"][-1]["val_accuracy"],
        "steps": 10 * math.ceil(line["recipe"]["train"] / 128),
    }
    for line in lines
    if "224" not in line["name"]
)
gaps = gaps.groupby("run", sort=False).mean()
gaps["gap"] = gaps["training"] - gaps["validation"]
shares = ["training", "validation", "gap"]
gaps[shares] = gaps[shares].map("{:.1%}".format)
gaps.astype({"steps": int})

# %% [markdown]
# At the smallest share there is hardly a gap. Neither network has learned its 2,250 pictures. So little data is not
# what holds them back, not yet. What then? Two suspects.
#
# **Few steps.** Ten epochs of a twentieth of the data are a twentieth of the steps: 180. "Little data" and "little
# training" are mixed up, in the report as in our study.
#
# **First weights.** AlexNet has the weights that torch gives. Our VGG8 is initialised as torchvision does it: He's
# weights in the convolutions, and 0.01 in the linear layers. In case 1 we computed what one fixed size means. For
# VGG-16's first linear layer it fits; for its second it halves the signal. Our VGG8 at half width has 256 inputs.

# %% tags=["nbval-check-output"]
for name, inputs in {"VGG-16": [25_088, 4_096], "VGG8, half": [256]}.items():
    for n in inputs:
        print(f"{name}, n = {n:,}: factor {0.01 * math.sqrt(n / 2):.2f}")

# %% [markdown]
# Each of its hidden linear layers passes on a ninth of the signal. That is case 1, in our own library. Nobody had
# noticed, for with more steps the network gets out of it.
#
# Now test both suspects, one at a time: VGG8 as it is and twice the epochs; and VGG8 with He's weights in the
# linear layers, and the epochs of the study.


# %%
def vgg8(repaired=True):
    """The study's VGG8; repaired: with He's weights in its head."""
    width = 0.5 if profile != "quick" else 0.125
    network = models.vgg8(10, 3, width)
    for layer in network.classifier if repaired else []:
        if isinstance(layer, nn.Linear):
            hes_weights(layer)
    return network


def on_little(name, build, epochs, seed, keep=True):
    """Train on the study's 5 %, judge on all validation pictures."""
    training.set_seed(seed)
    network = build()
    history = training.fit(
        network,
        part(sizes["images"], seed),
        pictures.val,
        epochs=epochs,
        seed=seed,
        show=False,
        **options,
    )
    answers = training.predict(network, pictures.val)
    if keep:
        name_of_run = f"{name}, 5%"
        training.record(
            name_of_run, history, answers, pictures, split="validation"
        )
    return {"network": name, "accuracy": answers.accuracy}


rows = []
for seed in seeds:
    epochs = sizes["epochs"]
    rows.append(on_little("VGG8, He's weights", vgg8, epochs, seed))
    as_it_is = functools.partial(vgg8, repaired=False)
    rows.append(
        on_little("VGG8, twice the steps", as_it_is, 2 * epochs, seed)
    )
pd.DataFrame(rows)

# %% [markdown]
# The recorded runs of both, and those of the study.

# %% tags=["drawn"]
# Goal 5b: first weights or steps?
again = records.table("09-training-failures")
again = again[again["name"].str.match("VGG8, .*, 5%")]
again = again.assign(network=again["name"].str.removesuffix(", 5%"))
both = pd.concat([small[small["share"] == "5%"], again])
groups = both.groupby("network", sort=False)["accuracy"]
compared = groups.agg(["mean", "std", "size"])
both_columns = compared[["mean", "std"]].map("{:.1%}".format)
compared[["mean", "std"]] = both_columns.replace("nan%", "")
compared.rename(columns={"std": "spread", "size": "seeds"})

# %% [markdown]
# With He's weights in its head, VGG8 gains 16.1 ± 8.4 points <!-- claim: he-helps-vgg8-by --> in the same number of steps. It is
# ahead of AlexNet, too, with a fifth of the parameters and with all three seeds. But that difference is
# 9.5 ± 10.5 points <!-- claim: he-vgg8-less-alexnet -->, so it is undecided. So is what twice the steps bring,
# 10.6 ± 12.9 points <!-- claim: steps-help-vgg8 -->. (The study's records do not name their processor; these runs may have had
# another.) Our study did not show, then, that AlexNet is better on little data. What it showed is, at least in part, a bad
# start of one of them.
# (It is not yet fair to AlexNet, which keeps torch's weights: exercise 2.)
#
# A second study, `alexnet-vs-vgg-224`, is the report's experiment, as far as it is stated: four networks at full width,
# pictures enlarged to 224 × 224, 2,500 of them, ten epochs. VGG-16, the VGG8, Adam at 0.001 and batches of 128 are our
# choices. All layers of a network begin with torch's weights, or with He's, five seeds each. It ran on a GPU, an NVIDIA H200, in
# bfloat16. Accuracies are those of 500 validation pictures.

# %% tags=["drawn"]
# The report's four networks, with either kind of first weights
four = judged_at_the_end("alexnet-vs-vgg-224")
four[["network", "weights"]] = four["name"].str.rsplit(", ", n=1).to_list()
groups = four.groupby(["network", "weights"], sort=False)["accuracy"]
groups.agg(lambda runs: f"{runs.mean():.1%} ± {runs.std():.1%}").unstack()

# %% [markdown]
# VGG-16 without batch norm is the network whose loss sat at $\ln 10$ in the report. With torch's weights all of our five
# seeds are at exactly one in ten after two epochs, and three still are after ten. <!-- claim: four-vgg16-torch --> With He's
# weights all five learn: 38.7 ± 1.7 % <!-- claim: four-vgg16-he -->. In our rerun the first weights alone fix it. Batch norm
# with torch's weights fixes it as well, and ends 11.0 ± 3.9 points <!-- claim: E.11 --> lower on test pictures. (The number behind a
# difference is half of its 95 % interval, here and below.)
#
# But He's rule is no charm. Of five AlexNets that begin with it, one never leaves one in ten, and one leaves it and falls
# back, <!-- claim: four-alexnet-he-dead --> where with torch's weights all five reach 43.8 ± 0.7 % <!-- claim: four-alexnet-torch -->.
# So that a network has begun to learn is not enough. A rate that is too high for these weights is a suspect; we have not tested it.
#
# And which network is best on little data? One comparison was planned before the runs: with torch's weights, on test pictures,
# AlexNet is 13.0 ± 2.4 points <!-- claim: four-alexnet-less-vgg8 --> ahead of VGG8. It stays ahead, by
# 6.6 ± 1.4 points, <!-- claim: four-alexnet-less-vgg8-he --> if VGG8 begins with He's weights and AlexNet with torch's, the better
# start of each. So at 224 × 224 the bad start of VGG8 is not the reason. With He's weights for both nothing is
# decided. <!-- claim: four-he-undecided -->
#
# Does this explain the report, whose winner was VGG8? Perhaps the other way round: there AlexNet and VGG had the
# bad start. We cannot know. What one can learn is a rule. *Before you compare two networks on little data, check
# that both have begun to learn.* Compare at equal steps, or train each until its validation loss stops falling.

# %% [markdown]
# ## Case 3: out of memory
#
# ### What somebody saw
#
# In the second attempt the VGG with batch norm stopped at a max-pool. The GPU had 14.74 GiB. The message,
# shortened:
#
# ```
# CUDA out of memory. Tried to allocate 392.00 MiB. 90.12 MiB is free. 14.08 GiB is allocated by PyTorch, 442.04 MiB
# is reserved but unallocated.
# ```
#
# The report concludes that 10 % <!-- claim: E.6 --> of the data were too much, and went back to the smaller share.
# Can that be? A step holds one batch. Twice the data means twice the steps, and each is as large as before. All
# that grows are the pictures themselves, if they lie on the device at all:

# %% tags=["nbval-check-output"]
for images in (2_500, 5_000):
    size = images * 3 * 32 * 32 / 2**20
    print(f"{images:,} pictures of 32 × 32, a byte a number: {size:.1f} MiB")

# %% [markdown]
# ### Who asked for 392.00 MiB?
#
# An exact number is a good clue. In a network of known shapes, few tensors have exactly that size. The report does
# not give its batch size, so we try powers of two. Nor does it say whether activations were in float32 or in
# float16, so we try both. What can ask for memory? Each layer for its output; each max-pool for the places of its
# largest values, 8 bytes each; and the weights.
#
# Nothing is computed here. The network has shapes and no numbers.

# %% tags=["nbval-check-output"]
# Goal 6a: everything that has this size
with torch.device("meta"):
    network = models.vgg16_bn(10)
found = suspects.tensors_of_size(network, (3, 224, 224), 392 * 2**20)
print(f"{len(found)} suspects")
found.groupby(["what", "type", "precision"], sort=False).size()

# %% [markdown]
# More than fifty suspects. One of them needs no batch at all: the weights of the first linear layer, 25,088 × 4,096
# numbers. So do its gradient, and each of Adam's two averages. Had the message come from somewhere else, these
# would be worth a thought.
#
# But it came from a max-pool. That leaves these:

# %% tags=["nbval-check-output"]
pools = found[found["type"] == "MaxPool2d"].drop(columns=["type", "dtype"])
pools = pools.assign(held=pools["held"] / 2**30)
pools.rename(columns={"held": "GiB held before"}).round(2)

# %% [markdown]
# The last column is what the network holds when it gets there for the first time: weights, pictures, and all
# outputs on the way, which wait for the backward pass. Compare it with the message: 14.08 GiB were allocated, out
# of 14.74. What needs more than 14.08 is ruled out. What needs much less leaves a question: what was the rest?
#
# Attempt 2 trained AlexNet first, then VGG, then VGG with batch norm. A notebook keeps what has a name. So the
# first two were probably still on the device, each with weights, gradients and Adam's two averages.

# %% tags=["nbval-check-output"]
# Goal 6b: what earlier networks leave behind
left = 0
with torch.device("meta"):
    earlier = {"AlexNet": models.alexnet(10), "VGG": models.vgg16(10)}
for name, one in earlier.items():
    memory = analysis.training_memory(one, (3, 224, 224), batch_size=32)
    kept = memory.weights + memory.gradients + memory.optimizer
    left += kept
    print(f"{name}: {kept / 2**30:.2f} GiB stay")
together = pools.assign(together=pools["held"] + left / 2**30)
together["allocated, less that"] = 14.08 - together["together"]
together.drop(columns="shape").round(2)

# %% [markdown]
# One row leaves only 0.13 GiB <!-- claim: suspect-leaves --> to explain: the *indices of the second pool, at batch 128,
# in float32*, with both earlier networks still there. <!-- claim: one-suspect-fits --> Of the others that fit, none
# leaves less than 4 GiB. But look at what we assumed: VGG-16, pictures of 224 × 224, Adam, and that both earlier
# networks stayed. The report confirms none of these.
#
# Is the case closed? No. The log also shows mixed precision, in the form of warnings (case 4). If activations were
# in float16, that row is out, and several gigabytes must have come from elsewhere. The library behind the
# convolutions has scratch space that nobody lists. And an evaluation that forgot `torch.no_grad()` would have held
# outputs, too. Evidence that would decide:
#
# - the batch size, which is one line of the program;
# - the precision at the place of the error;
# - `torch.cuda.memory_allocated()` before the third network is built: zero, or three gigabytes?
#
# In float32, 128 pictures would not have fitted in any case. A whole step needs more than the device
# has <!-- claim: batch-128-cannot-fit -->, alone and with nothing left behind. In float16 the maps take half, and this
# argument falls:

# %% tags=["nbval-check-output"]
for size in (32, 64, 128):
    memory = analysis.training_memory(network, (3, 224, 224), size)
    print(f"batch {size}: {memory.total / 2**30:.1f} GiB")

# %% [markdown]
# ### Let go
#
# How do you free a network? `del network` takes away a name. The memory goes when the *last* reference goes, and an
# optimiser holds all the weights of its network. So does a list of results, if you put networks into it, and so
# does the notebook's own memory of outputs, `Out`.

# %% tags=["nbval-check-output"]
old = models.lenet5()
optimizer = torch.optim.Adam(old.parameters())
weights = weakref.ref(next(old.parameters()))
del old
print("network deleted, weights alive:", weights() is not None)
del optimizer
print("optimiser deleted, weights alive:", weights() is not None)

# %% [markdown]
# On a GPU, torch keeps freed memory for its own next tensors. `torch.cuda.empty_cache()` hands it back to others.
# It frees nothing that still has a reference.

# %% [markdown]
# ### Predict it, and measure
#
# A layer table tells what a step will hold, before the first step. Is that right? `fit` notes the peak of each
# epoch. On a CPU that is the whole process, with Python and its libraries. So compare two batch sizes: what is the
# same in both drops out of the difference. Which of the two differences do you expect to be larger?


# %%
# Goal 6c: predicted and measured
def peak(batch):
    network = models.vgg8_bn(10, 3, width=0.5)
    many = pictures.train.select(range(512))
    history = training.fit(
        network, many, epochs=1, batch_size=batch, show=False
    )
    predicted = analysis.training_memory(network, (3, 32, 32), batch)
    return predicted.total / 1e6, history[-1].peak_memory_mb


peaks = pd.DataFrame(
    {f"batch {batch}": peak(batch) for batch in (128, 512)},
    index=["predicted, MB", "measured, MB"],
)
peaks.assign(difference=peaks["batch 512"] - peaks["batch 128"]).round(0)

# %% [markdown]
# The measured difference is the larger one: in our published run 335 MB <!-- claim: batch-memory-measured -->, against
# 271 MB <!-- claim: batch-memory-predicted --> predicted. The prediction counts tensors. The libraries below need room
# of their own, such as copies in another order for a fast convolution, and that grows with the batch, too. So take the
# prediction for the least that a step can do with, and leave some room.

# %% [markdown]
# ### The same step in small pieces
#
# You need batches of 128, and 32 fit. Send four *micro-batches* through the network, add up their gradients, and
# step once. The loss is a mean, so each piece counts by its share of the batch. Is that the same step? We compute
# both, in double precision.


# %%
# Goal 7a: one batch, or four pieces
def gradients(network, images, labels, pieces):
    network = copy.deepcopy(network)
    parts = zip(
        images.tensor_split(pieces), labels.tensor_split(pieces), strict=True
    )
    for shown, told in parts:
        loss = F.cross_entropy(network(shown), told)
        (loss * len(told) / len(labels)).backward()
    return [one.grad for one in network.parameters()]


few_images = few.select(range(60))
shown = few_images.normalize(few_images.images).double(), few_images.labels
for name, build in {
    "VGG8": models.vgg8,
    "batch norm": models.vgg8_bn,
}.items():
    training.set_seed(0)
    network = build(10, 3, 0.25, dropout=0.0).double()
    whole, split = (gradients(network, *shown, pieces) for pieces in (1, 4))
    largest = max(one.abs().max() for one in whole)
    apart = max(
        (a - b).abs().max() for a, b in zip(whole, split, strict=True)
    )
    print(f"{name}: gradients differ by {apart / largest:.0e} of the largest")

# %% [markdown]
# Without batch norm, only rounding differs. <!-- claim: micro-batches-are-equal --> With it, the step is another
# one, for its means are now over 15 pictures and not over 60.
#
# `fit` does this by itself. Where a batch does not fit, it halves the pieces until they do, goes on, and says so.
# We can watch that without a GPU, with a network that *claims* to have no room for more than 20 pictures.


# %%
# Goal 7b: fit helps itself
class Cramped(nn.Module):
    """Has room for a few pictures, and else fails as a GPU does."""

    def __init__(self, network, room):
        super().__init__()
        self.network, self.room = network, room

    def forward(self, images):
        if self.training and len(images) > self.room:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory.")
        return self.network(images)


training.set_seed(0)
cramped = Cramped(models.vgg8(10, 3, 0.125), room=20)
history = training.fit(
    cramped, few.select(range(256)), epochs=1, batch_size=64
)

# %% [markdown]
# ## Case 4: deprecated, and silently wrong
#
# So far something was visible: a number that stood still, an error. The following five run, and print numbers that
# look fine. Each has a check of one line, and here each check is tried on the mistake and on the correct form.

# %% [markdown]
# ### A warning among hundreds
#
# The report's log is full of lines which say that `torch.cuda.amp` is deprecated <!-- claim: E.9 -->. It still
# works, so nobody reads them. One day it will not. **Check:** run once with warnings turned into errors. **Fix:**
# `torch.amp`, which takes the device as its first argument.


# %%
# Goal 8a: nobody reads warnings
def complains(call):
    with warnings.catch_warnings():
        warnings.simplefilter("error", FutureWarning)
        try:
            call()
        except FutureWarning as warning:
            return str(warning).splitlines()[0]
    return "nothing to complain about"


print(complains(lambda: torch.cuda.amp.GradScaler(enabled=False)))
print(complains(lambda: torch.amp.GradScaler("cuda", enabled=False)))
print(complains(lambda: torch.amp.autocast("cuda", enabled=False)))

# %% [markdown]
# ### The test set as a guide
#
# The report judges each epoch by the test pictures. Whoever then takes the best epoch, or the best of some runs,
# has chosen by luck as well, and reports the luck. How much is it? We let equally good networks compete: each gets
# any picture right with the same chance. The best of them is no better than the others. **Check:** the pictures
# that chose are not the pictures that judge. In the course the test set opens by one explicit call, and each record
# says by which pictures it was judged.

# %% tags=["nbval-check-output"]
# Goal 8b: the winner's luck
generator = torch.Generator().manual_seed(0)
for images in (1_000, 10_000):
    for runs in (5, 50):
        # errors of a sum of many yes and no: a normal distribution
        noise = torch.randn(10_000, runs, generator=generator)
        best = (0.7 + noise * math.sqrt(0.7 * 0.3 / images)).amax(1).mean()
        print(f"best of {runs} on {images:,} pictures: {best:.1%}, not 70%")

# %% [markdown]
# ### Means of means
#
# Many loops add up the loss of each batch and divide by the number of batches. But the last batch is smaller, and
# its pictures count more. **Check:** the mean must not depend on the batch size. **Fix:** weight each batch by its
# pictures.


# %%
# Goal 8c: does the mean depend on the batch?
def mean_of_means(losses, batch):
    return torch.stack([one.mean() for one in losses.split(batch)]).mean()


judge = pictures.val.select(range(130))
with torch.no_grad():
    logits = stuck.eval().cpu()(judge.normalize(judge.images))
# ten times: a network that guesses has much the same loss everywhere
losses = F.cross_entropy(10 * logits, judge.labels, reduction="none").double()
for batch in (130, 128, 10):
    found = mean_of_means(losses, batch)
    trips = not math.isclose(found, losses.mean())
    print(f"batches of {batch}: {found:.4f}; check trips: {trips}")

# %% [markdown]
# 130 pictures in batches of 128: the last two count as much as all the others together.

# %% [markdown]
# ### `eval()` forgotten
#
# In training mode dropout throws away half of a layer, and batch norm looks at who else is in the batch. A network
# that is judged so gives worse answers, and other ones each time. **Check:** two passes agree, and a picture gets
# the same answer alone as in company. **Fix:** `network.eval()`; our `predict` and `evaluate` do it by themselves.


# %% tags=["nbval-check-output"]
# Goal 8d: does a network give the same answer twice?
def agrees_with_itself(network, images):
    with torch.no_grad():
        one, two, alone = (
            network(part) for part in (images, images, images[:2])
        )
    same = torch.allclose(one, two, atol=1e-5)
    return same and torch.allclose(one[:2], alone, atol=1e-5)


images = torch.randn(8, 3, 32, 32, generator=torch.Generator().manual_seed(0))
for name, build in {
    "dropout": models.vgg8,
    "batch norm": models.vgg8_bn,
}.items():
    training.set_seed(0)
    network = build(10, 3, 0.25)
    kept = [
        agrees_with_itself(network.train(mode), images)
        for mode in (True, False)
    ]
    print(f"{name}: training mode {kept[0]}, evaluation mode {kept[1]}")

# %% [markdown]
# ### Softmax twice
#
# `F.cross_entropy` takes logits, and applies softmax itself. Whoever gives it probabilities applies softmax twice.
# The network learns all the same, only slowly and badly. Probabilities lie between 0 and 1, so even a perfect
# answer, a one and nine zeros, has the loss $\ln(e + 9) - 1$. **Check:** a perfect answer must cost nothing.

# %% tags=["nbval-check-output"]
# Goal 8e: what does a perfect answer cost?
labels = torch.arange(10)
perfect = 100.0 * F.one_hot(labels, 10)
once = F.cross_entropy(perfect, labels).item()
twice = F.cross_entropy(perfect.softmax(1), labels).item()
print(f"logits {once:.3f}, probabilities {twice:.3f}")
print(f"ln(e + 9) − 1 = {math.log(math.e + 9) - 1:.3f}")

# %% [markdown]
# A training loss that falls to 1.46 and no further, with ten classes, is most likely this mistake.

# %% [markdown]
# ## The diagnosis card
#
# What do the cases have in common? Nobody looked inside, and everybody had an explanation. The order matters: first
# what takes a second, last what takes an hour.
#
# 1. Look at a batch, as pictures with labels. Chapter 8 shows why.
# 2. The first loss: is it near $\ln K$?
# 3. Thirty pictures: can it learn them by heart?
# 4. The gradients, layer by layer: tiny, zero, or not a number?
# 5. Training against validation: is there a gap?
# 6. Only then: more data, another network, another rate.
#
# All symptoms of this chapter and the last, with causes and remedies, stand on one page: the [diagnosis
# card](https://github.com/convnets-measured/convnets-measured/blob/main/book/diagnosis.md). Print it. The warnings of
# `fit` link to its parts.
#
# Practise here. Switch a mistake on and train, or let the page choose one in secret: can you tell from the curves which
# it is?

# %% tags=["drawn"]
live.train_here(bugs=True)

# %% [markdown]
# ## Exercises
#
# Write down your guess first. Then run your code. Then open the solution.

# %% [markdown]
# ### Exercise 1: Unequal classes
#
# Of a thousand pictures, 900 show a cat and 100 a dog. A network has learned nothing about pictures, but everything
# about these numbers. What are its loss and its accuracy? Would the warning of `fit` find it?

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# It gives each picture the chances 0.9 and 0.1. Its loss is the *entropy* of the classes, 0.325, well below
# $\ln 2 = 0.693$. Its accuracy is nine in ten. The warning looks for $\ln K$, so it stays silent. With unequal
# classes compare with the entropy, and look at the confusion matrix: one column holds everything.
#
# </details>

# %% tags=["solution", "nbval-check-output"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
shares = torch.tensor([0.9, 0.1])
entropy = -(shares * shares.log()).sum().item()
print(f"entropy {entropy:.3f}, ln 2 {math.log(2):.3f}")

# %% [markdown]
# ### Exercise 2: The other network, too
#
# He's weights have helped VGG8. That is not fair yet: AlexNet still has torch's. Give all its convolutions and
# linear layers He's weights, and train it once on the same pictures. Is it ahead again? What may you conclude from
# one seed?

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# In our run AlexNet with He's weights reaches 32.5 % <!-- claim: alexnet-with-he -->. With torch's weights, the same
# seed and the same pictures, it had 38.5 % <!-- claim: alexnet-without-he -->. So it is *worse*, and VGG8 stays in
# front. We do not know why: a lower rate would be the next thing to try. One seed supports no comparison; it tells
# whether it is worth while to run three. A fair comparison gives each network the recipe that suits it, and the same
# effort in searching for it.
#
# </details>


# %% tags=["solution"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
def alexnet():
    width = 0.5 if profile != "quick" else 0.125
    network = models.alexnet(10, 3, width, stem="small")
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            hes_weights(layer)
    return network


tried_once = on_little("AlexNet", alexnet, sizes["epochs"], 0, keep=False)
print(f"AlexNet, He's weights, one seed: {tried_once['accuracy']:.1%}")

# %% [markdown]
# ### Exercise 3: Another message
#
# ResNet-34 on pictures of 224 × 224 fails with "tried to allocate 98.00 MiB". List the suspects. Which batch sizes
# are possible? Which suspect would need a batch of 16?

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# Sizes halve from stage to stage, so nearly every power of two has its suspects. At batch 16 in float32 a map of 98
# MiB has 1.6 million <!-- claim: resnet-98-numbers --> numbers a picture. ResNet-34's largest map, behind the stem,
# has half of that. So none does at 16, and the smallest batch is 32.
#
# </details>

# %% tags=["solution", "nbval-check-output"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
with torch.device("meta"):
    resnet = models.resnet34()
listed = suspects.tensors_of_size(resnet, (3, 224, 224), 98 * 2**20)
print(listed["batch"].value_counts(sort=False).to_string())
print(listed[listed["batch"] == 32]["layer"].tolist())

# %% [markdown]
# ### Exercise 4: Unequal pieces
#
# Seven pictures in two pieces, four and three. Somebody adds up the gradients of the two mean losses and divides by
# two. How large is the mistake, in the gradient of the last layer's bias? When is there none?

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# The three pictures count a third more each than the four. In our run the gradient is off by
# 7.2 % <!-- claim: unequal-pieces --> of its largest value. Equal pieces make no mistake. It is the mean of means
# again, in the gradient instead of the loss.
#
# </details>

# %% tags=["solution"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
seven = shown[0][:7], shown[1][:7]
training.set_seed(0)
network = models.vgg8(10, 3, 0.25, dropout=0.0).double()
right = gradients(network, *seven, pieces=2)[-1]
naive = copy.deepcopy(network)
for a, b in zip(*(one.tensor_split(2) for one in seven), strict=True):
    (F.cross_entropy(naive(a), b) / 2).backward()
wrong = list(naive.parameters())[-1].grad
print(f"off by {(wrong - right).abs().max() / right.abs().max():.1%}")

# %% [markdown]
# ### Exercise 5: Not a number
#
# Train the deep VGG with He's weights and plain gradient descent, `torch.optim.SGD`, at a rate of 10. What does the
# loss do, and what does `fit` say? Can further training help?

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# The first step throws the weights far away, the next loss is huge, its gradient larger still: after a few steps
# numbers overflow. Infinity minus infinity is not a number, and every sum with it is not a number either. So it spreads
# to all weights, and nothing brings it back: in our run `fit` finds all 32 weight tensors broken after one
# epoch. <!-- claim: nan-everywhere --> Build the network again, lower the rate.
#
# </details>

# %% tags=["solution"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
history = training.fit(
    plain_vgg(hes_weights),
    few.select(range(256)),
    epochs=1,
    batch_size=32,
    learning_rate=10.0,
    optimizer=torch.optim.SGD,
    show=False,
)
print(history[-1].train_loss, history.warnings, sep="\n")

# %% [markdown]
# ## What to remember
#
# - A loss that sits at $\ln K$ is a network that guesses. Too little data never looks like that.
# - Let a network learn one small batch by heart, in a number of steps that you fix beforehand. If it cannot, data are
#   not the problem.
# - First weights decide whether a signal arrives. He's weights or batch norm let deep plain networks start. A lower
#   rate cures steps that are too large. It does not bring back a signal that is lost.
# - The same symptom has several causes. Look inside before you explain.
# - Compare networks on little data only when both have begun to learn.
# - Memory goes by batch, pixels and channels, not by the size of the data set. Old networks keep it until the last
#   reference goes.
# - Micro-batches make the same step, batch norm apart.
# - Turn each silent mistake into a line that fails.

# %% [markdown]
# ## References
#
# - First weights: [Glorot and Bengio, 2010](https://proceedings.mlr.press/v9/glorot10a.html),
#   [He et al., 2015](https://arxiv.org/abs/1502.01852).
# - Batch norm: [Ioffe and Szegedy, 2015](https://arxiv.org/abs/1502.03167).
# - VGG: [Simonyan and Zisserman, 2014](https://arxiv.org/abs/1409.1556). AlexNet:
#   [Krizhevsky et al., 2012](https://papers.nips.cc/paper_files/paper/2012/hash/c399862d3b9d6b76c8436e924a68c45b-Abstract.html).
# - Adam: [Kingma and Ba, 2015](https://arxiv.org/abs/1412.6980).
# - CIFAR-10: [Krizhevsky, 2009](https://www.cs.toronto.edu/~kriz/learning-features-2009-TR.pdf).
