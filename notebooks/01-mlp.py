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
# # 1 · The multilayer perceptron
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/convnets-measured/convnets-measured/blob/main/notebooks/01-mlp.ipynb)
#
# How far does a network get on pictures if nobody tells it that they are pictures?
#
# The multilayer perceptron is a plain neural network: layers of weighted sums, with a ReLU, max(0, z), after each
# hidden layer. We say *perceptron* for short; the historical one had a single layer. It sees an image as a list of
# numbers and knows nothing of left, right or near.
#
# We teach it to read handwritten digits, first with a loop that we write ourselves, line by line. Then we look at what
# it learned and where it fails. Every later chapter is measured against it.
#
# > **What you will be able to do.**
# > Each goal is answered by the cell whose first line bears its number.
# >
# > 1. Say what a batch of images is, in shapes and units.
# > 2. Count a network's parameters by hand, and check the count.
# > 3. Say what loss an untrained network has, before you run it.
# > 4. Write one training step, and the loop around it.
# > 5. Replace that loop by the library's, and prove that nothing changed but the time.
# > 6. Choose a recipe on validation images, and report its accuracy with both of its errors.
# > 7. Find out which mistakes a network makes, and how sure it was.
# > 8. Show by experiment what a perceptron does not know about images.

# %% [markdown]
# > **Time and memory.**
# > The whole notebook, with every exercise's solution:
# >
# > | profile | data | on | time | memory |
# > |---|---|---|---|---|
# > | `quick` | 6,000 digits, in the package | two CPU cores | half a minute | 0.6 GB |
# > | `cpu` | all 70,000 | two CPU cores | 6 min <!-- claim: mlp-time --> | 0.8 GB <!-- claim: mlp-memory --> |
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
# The course runs in three sizes, called profiles. `auto` takes `full` where there is a GPU and `quick` elsewhere.
# Write `"cpu"` to train on all the data without a GPU. With `quick` your numbers will not be those of the text, which
# speaks of the full data.

# %% tags=["parameters"]
PROFILE = "auto"

# %%
import copy
import itertools
import time
from dataclasses import replace

import pandas as pd
import torch
from course_lib import analysis, data, live, models, plots, records, training
from course_lib.profiles import resolve_profile
from torch import nn
from torch.nn import functional as F

profile = resolve_profile(PROFILE)
size = "sample" if profile == "quick" else "full"
epochs = {"quick": 3, "cpu": 12, "full": 12}[profile]
seeds = range(2 if profile == "quick" else 5)
device = training.best_device()
print(f"profile {profile}: {size} data, {epochs} epochs, {len(seeds)} seeds")
print("trains on", training.describe_device(device))

# %% [markdown]
# ## The data: look before you compute
#
# MNIST is 70,000 handwritten digits: scanned, shrunk to fit 20 × 20 grey pixels, and centred in a frame of 28 × 28
# ([LeCun et al., 1998](https://doi.org/10.1109/5.726791)).
#
# Of its 60,000 <!-- claim: A.4 --> training images we set 12,000 <!-- claim: mnist-validation-images --> apart for
# *validation*: every choice in this chapter is made on those. The 10,000 <!-- claim: A.4 --> test images stay sealed
# until all choices are made. Why? If we picked the best of many networks by their test results, we would partly pick
# luck, and report it as skill.

# %%
digits = data.load("mnist", size=size)
digits

# %% [markdown]
# What does the network get to see? A *batch*: some images at once, as one *tensor*, which is a table of numbers with any
# number of axes.

# %% tags=["nbval-check-output"]
# Goal 1: a batch of images, in shapes and units
images, labels = next(iter(data.Batches(digits.train, batch_size=128)))
print("images", tuple(images.shape), images.dtype)
print("labels", tuple(labels.shape), labels.dtype)

# %% [markdown]
# Read the shape so: 128 images, 1 channel (grey; colour has 3), 28 rows, 28 columns. The course writes it (N, C, H, W).
# `float32` means decimal numbers, and each label is the whole number that the digit stands for.
#
# Shapes say little. Look at the images, with their labels.

# %%
plots.image_grid(digits.train, range(24))

# %% [markdown]
# The files hold whole numbers from 0 (paper) to 255 (ink). Training is usually faster when the inputs have a mean near
# zero and a spread near one. So a batch is *normalised* on its way to the network: divided by 255, less the mean of
# MNIST's training pixels, over their standard deviation,
#
# $$ x = \frac{\text{pixel}/255 - 0.1307}{0.3081} . $$

# %% tags=["nbval-check-output"]
paper_and_ink = torch.tensor([0, 255], dtype=torch.uint8).view(2, 1, 1, 1)
paper, ink = digits.train.normalize(paper_and_ink).flatten().tolist()
print(f"paper becomes {paper:.3f}, ink {ink:.3f}")

# %% [markdown]
# ## The idea
#
# How can a sum recognise a seven?
#
# Take all 784 pixels $x_1 \dots x_{784}$ of an image. Multiply each by a weight, add everything up, add a number $b$, the
# bias:
#
# $$ z = w_1 x_1 + w_2 x_2 + \dots + w_{784} x_{784} + b . $$
#
# The sum $z$ is large when there is ink where the weights are positive, and none where they are negative. So a set of
# weights is a stencil (the usual word is template), and $z$ says how well the image fits it. Positive weights along a
# bar at the top and a slanting stroke below make a stencil for sevens.
#
# If $z$ is negative, we put zero in its place: $h = \max(0, z)$. That is a hidden *unit*, and the cut is called ReLU, the
# rectified linear unit ([Nair and Hinton, 2010](https://icml.cc/Conferences/2010/papers/432.pdf);
# [Glorot et al., 2011](https://proceedings.mlr.press/v15/glorot11a.html)). Why cut? Without it, a sum of sums would be
# one sum, and many layers would do no more than a single one. Exercise 2 tries it.
#
# Build 512 such units, each with its own stencil. Feed their 512 answers to 256 more units, which look for combinations
# of stencils. The last layer outputs ten scores, one per digit. We call them *logits*.

# %% tags=["hide-input"]
z = torch.linspace(-3, 3, 200)
figure, axes = plots.new_figure(width=5, height=2.6)
axes.plot(z, z, color="#999999", linestyle="--", label="the sum itself")
axes.plot(z, z.relu(), color=plots.BLUE, linewidth=2.5, label="ReLU")
axes.set(xlabel="z, how well the image fits", ylabel="h, what the unit says")
axes.legend(frameon=False)
said = "ReLU: zero for every negative sum, the sum itself for every positive one."
plots.finish(figure, said)

# %% [markdown]
# It is often said that a perceptron treats the pixels independently. <!-- claim: A.1 --> That is wrong: read the formula
# again, each hidden unit mixes all 784 of them.
#
# What it lacks is something else. Number the pixels in any other order, and the weights with them: the formula stays the
# same. It does not know which pixel lies next to which. We test that at the end.

# %% [markdown]
# ## The model
#
# This is the class that trains below, printed from the library by Python itself. So it cannot differ from what runs.

# %%
analysis.Source(models.MLP)

# %% [markdown]
# The first thing that `forward` does is to flatten the image to a list. From there on, the picture is gone.
#
# How many *parameters*, that is, weights and biases to be learned, does our network have? A layer from $n$ numbers to
# $m$ has $n \cdot m$ weights and $m$ biases.
#
# > **Your guess.** Our network is 784 → 512 → 256 → 10. Where do most of its parameters sit?
# >
# > - In the first layer, which reads the pixels. <!-- answer: mlp-first-layer -->
# > - In the second layer, between the hidden units.
# > - In the last layer, which decides.
# > - They are spread evenly over the three.
#
# > **Your turn.** Cover the next cell, and work out the number by hand.

# %% tags=["nbval-check-output"]
# Goal 2: the parameters, counted by hand
count_by_hand = (784 * 512 + 512) + (512 * 256 + 256) + (256 * 10 + 10)
print(f"{count_by_hand:,}")

# %% tags=["nbval-check-output"]
network = models.mlp(hidden=(512, 256))  # the default
assert analysis.count_parameters(network) == count_by_hand
table = analysis.layer_table(network, input_shape=(1, 28, 28))
table.assign(parameters=table["parameters"].map("{:,}".format))

# %%
plots.unit_diagram(network, input_shape=(1, 28, 28))

# %% [markdown]
# <details><summary>What we found</summary>
#
# Three quarters of all parameters sit in the first layer, because it is joined to every
# pixel. <!-- claim: mlp-first-layer --> Chapter 2 is about getting rid of most of them.
#
# </details>

# %% [markdown]
# ## From ten numbers to one loss
#
# The network gives ten logits $z_0 \dots z_9$. How do we tell it how wrong it is?
#
# *Softmax* turns logits into probabilities: raise $e$ to each, then divide by the sum,
# $p_k = e^{z_k} / \sum_j e^{z_j}$. For three classes:

# %% tags=["nbval-check-output"]
torch.tensor([2.0, 1.0, -1.0]).softmax(dim=0)

# %% [markdown]
# The *cross-entropy* loss of an image is $-\ln p$, where $p$ is the probability that the network gave to the right
# digit. A right answer given with certainty costs nothing. The loss grows without bound as $p$ goes to zero. Being
# confidently wrong costs the most.

# %% tags=["hide-input"]
p = torch.linspace(0.005, 1, 400)
figure, axes = plots.new_figure(width=5, height=2.8)
axes.plot(p, -p.log(), color=plots.BLUE, linewidth=2.5)
axes.plot([0.1], [2.303], "o", color=plots.ORANGE)
axes.annotate(
    "a guess among ten:\np = 0.1, loss ln 10 = 2.303",
    (0.1, 2.303),
    (0.3, 3.2),
    arrowprops={"arrowstyle": "-", "color": plots.ORANGE},
)
axes.set(xlabel="p, the probability of the right digit", ylabel="loss  −ln p")
said = "The loss −ln p falls from above 5 near p = 0, through 2.303 at 0.1, to 0 at 1."
plots.finish(figure, said)

# %% [markdown]
# One warning, because this is a common bug. PyTorch's `F.cross_entropy` takes the *logits* and does all of it: softmax,
# $-\ln p$, and the mean over the batch. So the network ends in ten plain sums, with no softmax of its own.
#
# What is the loss before any training? A new network's weights are small random numbers, so all ten logits are near
# zero. Softmax of ten nearly equal numbers is about one tenth each. The loss should be near $\ln 10 = 2.303$.
#
# Random numbers come from a generator that starts at a *seed*. The same seed gives the same first weights.

# %%
# Goal 3: the loss of an untrained network
training.set_seed(0)
network = models.mlp()
print("untrained:", training.evaluate(network, digits.val, device=device))

# %% [markdown]
# Keep 2.303 <!-- claim: E.5 --> in mind. A first loss far above it means that something is wrong: the scale of the
# inputs or of the first weights. A loss that *stays* there means a network that does not learn.

# %% [markdown]
# ## One step by hand
#
# The loss is a function of all the weights. For each weight $w$ there is a derivative $\partial L / \partial w$: how fast
# the loss grows when $w$ grows. All these derivatives together are the *gradient*. Where it is positive, make the weight
# smaller; where it is negative, larger:
#
# $$ w \leftarrow w - \eta \, \frac{\partial L}{\partial w} . $$
#
# The *learning rate* $\eta$ says how far to go. `backward` computes all derivatives at once, by the chain rule, from the
# last layer back to the first, and stores each beside its weight
# ([Rumelhart et al., 1986](https://doi.org/10.1038/323533a0)).

# %%
# Goal 4a: one training step
images, labels = next(iter(data.Batches(digits.train, batch_size=128)))
network = models.mlp()

logits = network(images)  # (128, 1, 28, 28) in, (128, 10) out
loss = F.cross_entropy(logits, labels)  # one number, the mean over the batch
loss.backward()  # fills weight.grad for every weight
with torch.no_grad():  # the step itself is nothing to differentiate
    for weight in network.parameters():
        weight -= 0.1 * weight.grad

loss_after = F.cross_entropy(network(images), labels)
print(
    f"loss on this batch: {loss:.3f} before the step, {loss_after:.3f} after it"
)

# %% [markdown]
# After one step, the loss on this batch should be smaller. In our run it fell from
# 2.317 <!-- claim: mlp-loss-before --> to 2.232. <!-- claim: mlp-loss-after --> Training is nothing but this, repeated
# with other batches. Why with batches, not with all images at once? A gradient from 128 images points only roughly the
# right way, but it costs a small part of the work, so we can take many more steps.
#
# In practice a ready-made *optimiser* takes the step. We use `Adam`
# ([Kingma and Ba, 2015](https://arxiv.org/abs/1412.6980)). It moves along a running mean of each weight's derivative,
# divided by the root of a running mean of its square. So a weight with a small derivative moves as far as one with a
# large one: by about the learning rate while its derivatives agree, and by less where their signs change from step to
# step.

# %% [markdown]
# ## The loop by hand
#
# Now the loop that you will read in a hundred tutorials. A `Dataset` hands out one image and label at a time,
# `transforms` turn the image into a normalised tensor, and a `DataLoader` stacks images to batches. One pass over all
# training images is an *epoch*.

# %%
from torch.utils.data import DataLoader
from torchvision import transforms

to_normalised_tensor = transforms.Compose(
    [
        transforms.ToTensor(),
        transforms.Normalize(digits.train.mean, digits.train.std),
    ]
)
train_images = data.DatasetView(digits.train, transform=to_normalised_tensor)
val_images = data.DatasetView(digits.val, transform=to_normalised_tensor)


# %%
# Goal 4b: the loop around the step
def train_by_hand(network, dataset, rounds, seed):
    """Train, and return the mean loss of each epoch."""
    network.to(device)
    network.train()  # dropout on, where a network has it
    optimizer = torch.optim.Adam(network.parameters(), lr=0.001)
    chance = torch.Generator().manual_seed(seed)
    losses = []
    for _ in range(rounds):
        order = torch.randperm(len(dataset), generator=chance).tolist()
        total = 0.0
        for images, labels in DataLoader(
            dataset, batch_size=128, sampler=order
        ):
            images, labels = images.to(device), labels.to(device)
            loss = F.cross_entropy(network(images), labels)
            optimizer.zero_grad()  # forget the derivatives of the last step
            loss.backward()
            optimizer.step()
            total += loss.item() * len(labels)
        losses.append(total / len(dataset))
    return losses


# %% [markdown]
# Usually one writes `DataLoader(dataset, batch_size=128, shuffle=True)` once, before the loop. We draw the order
# ourselves for one reason: the library will draw the same one, so that we can compare.
#
# To judge a network we need a second, shorter loop, without steps.


# %%
@torch.no_grad()  # keep no notes for backward
def accuracy_by_hand(network, dataset):
    network.eval()  # dropout off
    right = 0
    for images, labels in DataLoader(dataset, batch_size=1000):
        predicted = network(images.to(device)).argmax(dim=1)
        right += (predicted == labels.to(device)).sum().item()
    return right / len(dataset)


# %% [markdown]
# Three details are easy to get wrong, and nothing tells you.
#
# - **The mean.** `loss` is a mean over its batch, and the last batch of an epoch may be smaller. So we multiply by
#   `len(labels)`, and divide by the number of images at the end.
# - **The moving target.** The training loss is gathered *while* the weights change. It is a mean over an epoch, not a
#   property of the network at its end.
# - **The mode.** Without `eval`, dropout stays on: the score is that of a network with parts missing, and changes from
#   call to call.

# %%
training.set_seed(0)
network_by_hand = models.mlp()
began = time.perf_counter()
losses_by_hand = train_by_hand(
    network_by_hand, train_images, rounds=2, seed=0
)
seconds_by_hand = time.perf_counter() - began
accuracy = accuracy_by_hand(network_by_hand, val_images)
print(f"{seconds_by_hand:.1f} s, validation accuracy {accuracy:.2%}")

# %% [markdown]
# ## The same loop from the library
#
# `training.fit` does what our loop does. It also judges each epoch on the validation images, keeps a history, can save
# and resume a run, and draws a table while it works. We give it the same seed: the same first weights, and the same
# order of images.

# %%
# Goal 5: the library's loop, with the same seed
training.set_seed(0)
network_by_library = models.mlp()
two_epochs = training.fit(
    network_by_library,
    digits.train,
    digits.val,
    epochs=2,
    learning_rate=0.001,
    seed=0,
)

# %% [markdown]
# Did anything change? Do not believe it: compare the losses, and every weight of the two networks.

# %%
pairs = zip(
    network_by_hand.parameters(), network_by_library.parameters(), strict=True
)
difference = max((one - other).abs().max().item() for one, other in pairs)
for by_hand, row in zip(losses_by_hand, two_epochs.epochs, strict=True):
    print(f"epoch {row.epoch}: loss {by_hand:.6f} and {row.train_loss:.6f}")
    assert abs(by_hand - row.train_loss) < 1e-4
print(f"largest difference in any weight: {difference:.1e}")
print(
    f"seconds: {seconds_by_hand:.1f} by hand, {two_epochs.seconds:.1f} by the library"
)

# %% [markdown]
# The same numbers, in less time: <!-- claim: fit-beats-loop-by-hand --> 8.0 s <!-- claim: mlp-seconds-by-hand --> by
# hand, 2.0 s <!-- claim: mlp-seconds-by-library --> by the library, in the one run of this page. Where did the time go?
#
# The loop by hand takes each image from an array in memory, makes a picture object of it, makes a tensor of that,
# normalises it and stacks it with 127 others. It does so again in every epoch. (Helper processes, `num_workers`, would
# hide a part of that; we used none, as is the default.) The library keeps all images in one tensor of whole numbers, on
# the device that trains. A batch is then one indexing operation and one normalisation.

# %% [markdown]
# ## A better recipe, chosen on validation
#
# Two epochs are a beginning. Three changes are common:
#
# - **More epochs.**
# - **A falling learning rate**, along half a cosine from 0.001 to zero: large steps first, fine ones at the end
#   ([Loshchilov and Hutter, 2017](https://arxiv.org/abs/1608.03983), here without the restarts of that paper).
# - **Dropout**: in each training step every hidden unit is switched off with probability 0.2, and the others are scaled
#   up by 1/0.8, so that sums keep their size. The network cannot lean on any single unit. When it is judged, all units
#   are on ([Srivastava et al., 2014](https://jmlr.org/papers/v15/srivastava14a.html)).
#
# Which of them help? We add one after the other, with several seeds each, and judge them on the validation images. The
# widths, the batch size and the rate we take as given; we did not search for them.


# %%
def train_one(
    seed,
    train=digits.train,
    val=None,
    rounds=epochs,
    dropout=0.2,
    schedule=training.cosine,
    show=False,
):
    training.set_seed(seed)
    network = models.mlp(dropout=dropout)
    history = training.fit(
        network,
        train,
        val,
        epochs=rounds,
        schedule=schedule,
        seed=seed,
        show=show,
    )
    return network, history


recipes = {
    "two epochs": {"rounds": 2, "dropout": 0, "schedule": training.constant},
    "more epochs": {"dropout": 0, "schedule": training.constant},
    "and a falling rate": {"dropout": 0},
    "and dropout": {},
}

# %%
# Goal 6a: a recipe, chosen on validation
results, runs = {}, {}
for name, recipe in recipes.items():
    runs[name] = [train_one(seed, **recipe) for seed in seeds]
    results[name] = []
    for one, one_history in runs[name]:
        answers = training.predict(one, digits.val)
        training.record(
            name, one_history, answers, digits, split="validation"
        )
        results[name].append(answers.accuracy)
    print(f"{name}: done for {len(seeds)} seeds")
comparison = pd.DataFrame(results).T
pd.DataFrame(
    {
        "validation accuracy": comparison.mean(axis=1).map("{:.2%}".format),
        "spread over seeds": comparison.std(axis=1).map("{:.2%}".format),
    }
)

# %% [markdown]
# The spread is the standard deviation over seeds: another seed draws other first weights, another order of images, and
# other units to drop. Is a difference between two rows more than luck? The book has one rule. We compute the
# 95 % t interval of the mean difference, and pair the runs by seed where both rows
# have the same seeds. A difference counts if this interval leaves out zero. With two seeds, as in the `quick` profile,
# the interval is so wide that hardly anything counts.
#
# On all the data each change counts. More epochs add 0.70 ± 0.17 points, <!-- claim: mlp-more-epochs --> the falling
# rate 0.42 ± 0.16 points, <!-- claim: mlp-falling-rate --> and dropout 0.08 ± 0.05 points, <!-- claim: mlp-dropout -->
# where ± is half the interval. So we keep the last recipe. <!-- claim: mlp-best-recipe --> Here is one of its runs,
# epoch by epoch.

# %%
trained, history = train_one(seed=0, val=digits.val, show=True)

# %%
plots.learning_curves(history)

# %% [markdown]
# Look at the first epochs. Where training accuracy lies *below* validation accuracy, is the network better on images
# that it has never seen? No. The training figure is gathered during the epoch, with a fifth of the units switched off
# and weights that are still bad at its start. The validation figure is taken at the epoch's end, with every unit on.
#
# Now look at the last ones. Over all seeds, training accuracy ends at
# 99.79 %, <!-- claim: mlp-last-training-accuracy --> still gathered with dropout on, and validation accuracy at
# 98.46 %. <!-- claim: mlp-validation --> So this gap is not the full one:
# `training.evaluate(trained, digits.train, device=device)` would judge the training images as the others are judged. The
# gap is *overfitting*: part of what the network learned is about these images, not about digits. That is why we judge
# on images that it did not train on.

# %% [markdown]
# ## How good is it?
#
# Every choice is made. Now, and only now, we open the test set.
#
# > **Your guess.** Two things make a test accuracy uncertain: we could train again with another seed, and we could test on
# > other images. We have 10,000 <!-- claim: A.4 --> test images. Which moves the number more?
# >
# > - Training again, with another seed.
# > - Testing on as many other images. <!-- answer: mlp-larger-error -->
# > - Both about equally.

# %%
# Goal 6b: a test accuracy with both of its errors
test = digits.open_test()
finals = [
    (history, training.predict(one, test))
    for one, history in runs["and dropout"]
]
for final_history, answers in finals:
    training.record("perceptron", final_history, answers, digits)
scores = pd.Series([answers.accuracy for _, answers in finals])
mean, spread = scores.mean(), scores.std()
sampling = (mean * (1 - mean) / len(test)) ** 0.5
print(f"test accuracy {mean:.2%}, mean of {len(seeds)} seeds")
print(f"± {spread:.2%} if we train again (standard deviation over seeds)")
print(
    f"± {sampling:.2%} on other test images (standard error, {len(test):,} images)"
)

# %% [markdown]
# <details><summary>What we found</summary>
#
# Two errors, two questions. How much does the number move if we train again? How much would it move with other test
# images? Here the second is the larger, <!-- claim: mlp-larger-error --> and no number of seeds makes it smaller. It
# matters little when two networks are judged on the *same* images, and much when you ask how well a network reads
# digits in general.
#
# </details>
#
# Tutorials usually give 97–98 % <!-- claim: A.1 --> for a multilayer perceptron on MNIST. Two epochs are enough for
# that: they got 97.27 ± 0.10 % <!-- claim: mlp-two-epochs --> of the validation images right.
#
# Every run above that is compared with another left a record: recipe, results, machine. The published records come with
# the library. When you run the chapter, the next line puts them beside your result. On this page your run and the
# published one are the same, so the line confirms nothing.

# %%
print(records.compare("01-mlp", "perceptron", scores, digits.title))

# %% [markdown]
# ## Which mistakes?
#
# One number hides all that is interesting. Which digits are taken for which? Rows are what the image is, columns what
# the network said. Only mistakes are coloured.

# %%
# Goal 7: which mistakes, and how sure was the network?
answers = training.predict(trained, test)
plots.confusion_heatmap(analysis.confusion_matrix(answers))

# %% [markdown]
# Find the darkest squares. Can you say why these digits are mixed up? In our run with seed 0,
# 9 times <!-- claim: mlp-4-for-9 --> a 4 was taken for a 9, and 8 times <!-- claim: mlp-9-for-4 --> a 9 for a 4. Close
# the top of a 4, and it nearly is a 9. Next come sevens taken for a 2. The worst of them, below, have a bar through the
# stem.
#
# Two numbers per class tell two ways to be wrong. *Precision*: of the images called 4, how many are a 4? *Recall*: of all
# the 4s, how many were called 4? *F1* joins the two: it is 2 · precision · recall / (precision + recall), and near the
# smaller one. The row `macro` is the plain mean over the classes.

# %%
analysis.class_report(answers).round(4)

# %% [markdown]
# Now the worst ones: the wrong answers that the network was most sure of.

# %%
mistakes = analysis.worst_mistakes(answers, count=16)
plots.mistake_grid(test, mistakes)

# %% [markdown]
# Some are hard for anyone. Others are not, and still the network is almost certain. Why so sure?
#
# When nearly all training images are right, the loss can fall only by pushing their probabilities towards one, and
# training does just that. Nothing checks whether the network is right as often as it is sure. A high probability from a
# softmax is not a promise.
#
# We look at test mistakes only to describe this network. If you want to improve it, look at validation mistakes instead.

# %% [markdown]
# ## A first look inside
#
# The first layer's weights are stencils as large as the image. So we can look at them. Red: ink here speaks for me. Blue:
# ink here speaks against me. These are the 24 of 512 with the largest weights, so the clearest ones.

# %% tags=["card"]
stencils = trained.features[0].weight.detach().view(-1, 28, 28)
strength = stencils.flatten(1).norm(dim=1)
clearest = strength.argsort(descending=True)[:24].cpu()
plots.weight_grid(stencils[clearest], what="first-layer weights")

# %% [markdown]
# Did you expect whole digits? These units look for less, and mostly for absence: in nearly all of them the strongest
# weights are blue, a short bar where ink speaks against the unit. Near the rim the weights look like the small random
# numbers that they started as, but not quite: in nearly every map their mean is a little above zero. Why? How many
# pixels never hold ink?

# %%
inked = digits.train.images.amax(dim=0) > 0
print(f"{(~inked).sum()} of 784 pixels are paper in every training image")

# %% [markdown]
# Such a pixel always has the same value, −0.424. <!-- claim: mnist-paper --> So its weight can only do what the bias
# does already: a positive one takes the same amount from the sum of every image. Its derivative is the bias's, times
# that value. Adam divides the size away, so the weight moves about as far as the bias, in the other direction. That is
# the slight shift at the rim: many weights in each of the 512 units, all acting as one bias.

# %% [markdown]
# ## What the perceptron does not know
#
# We said that the perceptron does not know which pixels are neighbours. Here is the test. Choose one random order of the
# 784 pixels, and shuffle every image in that same way. To our eyes the digits are destroyed.

# %%
shuffle = torch.randperm(28 * 28, generator=torch.Generator().manual_seed(0))


def shuffled(split):
    pixels = split.images.flatten(1)[:, shuffle]
    return replace(split, images=pixels.view_as(split.images))


plots.image_grid(shuffled(digits.train), range(8))

# %% [markdown]
# > **Your guess.** With the pixels in place, the network reads about 98 of 100 digits. We train it again on shuffled
# > images, and test it on images that are shuffled in the same way. How many of 100 does it read
# > now? <!-- guess: mlp-shuffled, 0 to 100 % -->

# %%
# Goal 8: the same training on shuffled pixels
train_shuffled, test_shuffled = shuffled(digits.train), shuffled(test)
scores_shuffled = []
for seed in seeds:
    one, one_history = train_one(seed, train_shuffled)
    answers = training.predict(one, test_shuffled)
    training.record(
        "shuffled", one_history, answers, digits, images="pixels shuffled"
    )
    scores_shuffled.append(answers.accuracy)
scores_shuffled = pd.Series(scores_shuffled)
print(f"pixels in place: {mean:.2%}, spread {spread:.2%}")
print(
    f"pixels shuffled: {scores_shuffled.mean():.2%}, spread {scores_shuffled.std():.2%}"
)

# %% [markdown]
# <details><summary>What we found</summary>
#
# Shuffled, it reads 98.50 % <!-- claim: mlp-shuffled --> of the test digits. The accuracy hardly
# moves, <!-- claim: mlp-reads-shuffled-digits --> by −0.02 ± 0.07 points: <!-- claim: mlp-shuffled-difference --> the
# network never knew which pixels are neighbours.
#
# </details>
#
# Should it move at all? Take the trained network, and shuffle the weights of its first layer just as we shuffled the
# pixels. Each weight meets its pixel again, and every sum is what it was.

# %%
twin = copy.deepcopy(trained)
twin.features[0].weight.data = trained.features[0].weight.data[:, shuffle]
here = training.predict(trained, digits.val)
there = training.predict(twin, shuffled(digits.val))
change = (here.logits - there.logits).abs().max().item()
print(f"largest change in any logit: {change:.1e}")
print("same answers:", torch.equal(here.predicted, there.predicted))

# %% [markdown]
# So shuffled images are exactly as easy. The first weights are drawn independently, all in the same way: a shuffled
# start is as likely as any other, and so is all that follows from it. The small difference above comes from other
# draws, and its interval holds zero.
#
# All that makes an image a picture to us, this network never used. For data without any order that is right. For pictures
# it is a waste, and you can feel it. Below, a test digit is moved to the right by three pixels. Drag it: the perceptron's
# answer flips, while that of LeNet-5, the network of chapter 2, holds much longer. *Put it back*, or draw a digit of your
# own, large and off the middle. Both learned digits that stand in the middle. Tick *Centre it first*, and your drawing
# is moved there, as MNIST's makers did with every digit: then the perceptron can read it again.

# %% tags=["drawn"]
live.drag_a_digit()

# %% [markdown]
# Nobody told the perceptron that a zero three pixels further right is still a zero. It would have to learn it again for
# each place. Chapter 2 builds a network that knows what a neighbour is.

# %% [markdown]
# ## Keep a long run safe
#
# Colab may cut you off, and laptops fall asleep. Give `fit` a file. It saves there every half minute, and when the same
# cell is run again it goes on from the last save, in the middle of an epoch if need be. Build the network in that cell,
# from the same seed: a checkpoint knows its run by the first weights.
#
# ```python
# training.set_seed(0)
# mine = models.mlp(dropout=0.2)
# training.fit(
#     mine, digits.train, digits.val, epochs=12, schedule=training.cosine,
#     checkpoint=training.checkpoint_path("my-first-run"),
# )
# ```
#
# In Colab, mount your drive before you load the data. Data and checkpoints then outlive the session:
#
# ```python
# from google.colab import drive
#
# drive.mount("/content/drive")
# %env COURSE_HOME=/content/drive/MyDrive/convnets
# ```

# %% [markdown]
# ## Exercises
#
# Write down your guess first. Then run your code. Then open the solution.

# %% [markdown]
# ### Exercise 1: Predict the parameters
#
# A perceptron with one hidden layer of 128 units, for 32 × 32 colour images and 10 classes: how many parameters has it?
# Work it out on paper. Then fill in `models.mlp(in_channels=…, image_size=…, hidden=(…,))` and check it with
# `analysis.count_parameters`.

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# The image has $3 \cdot 32 \cdot 32 = 3{,}072$ numbers. Each of the 128 units has one weight per number, and one bias.
#
# </details>

# %% tags=["solution", "nbval-check-output"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
on_paper = (3 * 32 * 32 * 128 + 128) + (128 * 10 + 10)
small = models.mlp(in_channels=3, image_size=32, hidden=(128,))
assert analysis.count_parameters(small) == on_paper
print(f"{on_paper:,} parameters")

# %% [markdown]
# ### Exercise 2: Without ReLU
#
# Take the ReLUs out of the network and leave everything else. How many layers does it have *in effect*, and what does
# that cost in accuracy? Hint: `network.features` is a list of layers, and `nn.Identity()` passes on what it gets.

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# A weighted sum of weighted sums is a weighted sum. Without the cut at zero, three linear layers can express no more
# than one: the network is a linear classifier, with one stencil per digit. In our run, of one seed each, accuracy falls
# from 98.05 % <!-- claim: mlp-with-relu --> to 92.37 %. <!-- claim: mlp-without-relu -->
#
# </details>


# %% tags=["solution"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
def validation_accuracy(relu):
    training.set_seed(0)
    network = models.mlp()
    for place, layer in enumerate(network.features):
        if isinstance(layer, nn.ReLU) and not relu:
            network.features[place] = nn.Identity()
    training.fit(
        network, digits.train, epochs=4, schedule=training.cosine, show=False
    )
    return training.evaluate(network, digits.val).accuracy


print(f"with ReLU    {validation_accuracy(relu=True):.2%}")
print(f"without ReLU {validation_accuracy(relu=False):.2%}")

# %% [markdown]
# ### Exercise 3: The forgotten line
#
# Leave `optimizer.zero_grad()` out of the loop by hand. No error is raised. What does the optimiser see from the second
# step on, and what happens to the loss? Try it on the first 20 batches: `break` ends a loop early.

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# `backward` *adds* to the derivatives that are there. So without `zero_grad`, step $t$ follows the sum of all gradients
# since the first step. As long as old and new ones point the same way, the loss falls: in our run, until step 12. Then
# it climbs, to 3.04 <!-- claim: mlp-forgotten-loss --> at step 20, against 0.52 <!-- claim: mlp-remembered-loss -->
# with `zero_grad`. The old gradients outweigh the new one: the steps go on in a direction that was right long ago.
#
# Such a silent bug is found by comparing with a run that is known to be right.
#
# </details>


# %% tags=["solution"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
def first_losses(forget, steps=20):
    training.set_seed(0)
    network = models.mlp()
    optimizer = torch.optim.Adam(network.parameters(), lr=0.001)
    losses = []
    batches = data.Batches(digits.train, batch_size=128)
    for images, labels in itertools.islice(batches, steps):
        loss = F.cross_entropy(network(images), labels)
        if not forget:
            optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


right, wrong = first_losses(forget=False), first_losses(forget=True)
figure, axes = plots.new_figure(width=6, height=2.8)
axes.plot(range(1, 21), right, color=plots.BLUE, label="with zero_grad")
axes.plot(
    range(1, 21), wrong, color=plots.ORANGE, linestyle="--", label="without"
)
axes.set(xlabel="step", ylabel="loss of the batch", xticks=range(0, 21, 4))
axes.legend(frameon=False)
said = f"Loss over 20 steps: ends at {right[-1]:.2f} with zero_grad, {wrong[-1]:.2f} without."
plots.finish(figure, said)

# %% [markdown]
# ### Exercise 4: The mean of means
#
# Take `network_by_library` and its answers on the validation images, `training.predict(network_by_library, digits.val)`.
# Split them into batches of 999. Compute the accuracy twice: over all images, and as the mean of the batches'
# accuracies. When do the two differ, and which one is right?

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# They can differ only if the batches are not all of one size. Then each image of the small batch counts for more, and
# if that batch is better or worse than the others, it pulls the mean. In our run all 12 images of the last batch were
# right: they lift the mean of means to 97.621 %, <!-- claim: mlp-mean-of-means --> and
# 97.425 % <!-- claim: mlp-mean-over-images --> of the images are right. The accuracy over all images is the one to
# report: it does not depend on the batch size.
#
# </details>

# %% tags=["solution"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
answers_val = training.predict(network_by_library, digits.val)
correct = (answers_val.predicted == answers_val.labels).double()
batches = correct.split(999)
means = torch.stack([batch.mean() for batch in batches])
print(f"{len(batches)} batches, the last of {len(batches[-1])} images")
print(
    f"over all images {correct.mean():.4%}, mean of batches {means.mean():.4%}"
)

# %% [markdown]
# ### Exercise 5: A loop of your own
#
# Write a training loop for a network without hidden layers, `models.mlp(hidden=())`, with plain gradient descent,
# `torch.optim.SGD`. Train for two epochs with the learning rates 0.001, 0.1 and 10, and judge each on the validation
# images with a loop of your own. What goes wrong at either end?

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# At 0.001 the steps are too short. The network learns, and is not done after two epochs: its loss is
# 0.664 <!-- claim: mlp-short-steps-loss --> against 0.300 <!-- claim: mlp-middle-steps-loss --> at 0.1. At 10 they are
# too long: each jumps past the place that it aims for. The loss is 11.642, <!-- claim: mlp-long-steps-loss --> five
# times $\ln 10$.
#
# And yet 87.96 % <!-- claim: mlp-long-steps --> of the answers at 10 are right, more than the
# 84.67 % <!-- claim: mlp-short-steps --> at 0.001 (one seed each). How can both be? Accuracy asks only which logit is
# the largest. The loss also asks by how much. Long steps make large weights, and those make large logits: the network
# is certain where it is wrong, too, and each mistake costs about 97, <!-- claim: mlp-cost-of-a-mistake --> if right
# answers cost nothing. In between lies a rate that is better by both measures, and the first thing to try on any new
# problem is to find it.
#
# </details>


# %% tags=["solution"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
def descend(rate, rounds=2):
    training.set_seed(0)
    network = models.mlp(hidden=())
    optimizer = torch.optim.SGD(network.parameters(), lr=rate)
    batches = data.Batches(digits.train, batch_size=128, shuffle=True)
    for _ in range(rounds):
        for images, labels in batches:
            loss = F.cross_entropy(network(images), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    with torch.no_grad():
        images, labels = next(iter(data.Batches(digits.val, len(digits.val))))
        logits = network(images)
        accuracy = (logits.argmax(dim=1) == labels).double().mean().item()
    return F.cross_entropy(logits, labels).item(), accuracy


for rate in (0.001, 0.1, 10):
    loss, accuracy = descend(rate)
    print(
        f"rate {rate:<6} validation loss {loss:8.3f}, accuracy {accuracy:.2%}"
    )

# %% [markdown]
# ### Exercise 6: A step to the right
#
# How well does `trained` read digits that have moved? Shift the validation images by 0 to 4 pixels with
# `torch.roll(split.images, shift, dims=-1)`, and measure. Guess first: one pixel, how much does it cost? Four?

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# A stencil stays where it is. If the digit moves, it fits less, and soon not at all. In our run one pixel costs little,
# 97.0 % <!-- claim: mlp-shifted-by-1 --> are still right, and at four pixels 36.6 % <!-- claim: mlp-shifted-by-4 -->
# are left. The network learned each stroke in the place where it saw it, and nowhere else. Chapter 2 begins here.
#
# </details>

# %% tags=["solution"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
shifts = range(5)
moved = [
    replace(digits.val, images=torch.roll(digits.val.images, shift, dims=-1))
    for shift in shifts
]
accuracies = [training.evaluate(trained, split).accuracy for split in moved]
figure, axes = plots.new_figure(width=5, height=2.6)
axes.plot(shifts, accuracies, marker="o", color=plots.BLUE)
axes.set(
    xlabel="shift to the right, in pixels", ylabel="accuracy", xticks=shifts
)
axes.set_ylim(0, 1.02)
said = ", ".join(
    f"{shift}: {value:.1%}"
    for shift, value in zip(shifts, accuracies, strict=True)
)
plots.finish(figure, f"Validation accuracy by shift in pixels: {said}.")

# %% [markdown]
# ## What to remember
#
# - A hidden unit is a stencil over the whole image. It mixes all pixels, and knows no neighbours.
# - A layer from $n$ to $m$ numbers has $n m + m$ parameters. In our perceptron, most are in the first
#   layer. <!-- claim: mlp-first-layer -->
# - An untrained classifier of ten classes has a loss near $\ln 10 = 2.303$. If it stays there, nothing was learned.
# - A step is: forward, loss, `zero_grad`, `backward`, `step`.
# - Means are over images, not over batches. Judge in `eval` mode.
# - Choose on validation images. Open the test set when every choice is made, and choose nothing after it.
# - An accuracy has two errors: another training run, and other test images.
# - A high softmax probability is not a promise.

# %% [markdown]
# ## Quiz
#
# Six questions. Each wrong choice is a common belief, and its answer names the place that refutes it.
#
# **Question 1.** What does the perceptron know about which pixels are neighbours?
#
# 1. It learns from the images which pixels lie side by side.
# 2. It treats each pixel by itself.
# 3. Nothing: any order of the pixels would serve it as well.
#
# <details><summary>Answer</summary>
#
# 1. The belief is that a network finds the geometry by itself. *What the perceptron does not know* refutes it: on
#    shuffled images it reads as many digits. <!-- claim: mlp-reads-shuffled-digits -->
# 2. The belief mixes two things up. Each hidden unit adds up all 784 pixels: see the formula in *The idea*.
# 3. **Right.** Shuffle the pixels, and the weights of the first layer with them: every sum stays what it was.
#
# </details>
#
# **Question 2.** How many parameters has a layer that maps 512 numbers to 256?
#
# 1. 512 + 256
# 2. 512 × 256
# 3. 512 × 256 + 256
#
# <details><summary>Answer</summary>
#
# 1. The belief is that parameters are a property of units. They belong to connections: goal 2 counts them.
# 2. That leaves the biases out. The assertion below goal 2 would fail.
# 3. **Right.** One weight for each pair, and one bias for each output.
#
# </details>
#
# **Question 3.** You build a network for ten classes. Before any training its loss is 30. What do you conclude?
#
# 1. Nothing: the first weights are random, so the first loss can be anything.
# 2. The scale of the inputs or of the first weights is wrong.
# 3. The learning rate is too high.
#
# <details><summary>Answer</summary>
#
# 1. The belief is that random means arbitrary. Small random weights give nearly equal logits, and goal 3 finds a loss near
#    $\ln 10 = 2.303$.
# 2. **Right.** Large sums make large logits, and the network is confidently wrong before it has learned anything.
# 3. No step was taken yet, so no rate has played a part. Exercise 5 shows what a high rate does later.
#
# </details>
#
# **Question 4.** Someone leaves out `optimizer.zero_grad()`. What happens?
#
# 1. PyTorch raises an error.
# 2. Nothing: `backward` overwrites the old derivatives.
# 3. Each step follows the sum of all gradients so far.
#
# <details><summary>Answer</summary>
#
# 1. The belief is that serious bugs announce themselves. The solution of exercise 3 runs to its end without a word.
# 2. `backward` adds to what is there. In exercise 3 the loss is 3.04 <!-- claim: mlp-forgotten-loss --> after 20 steps,
#    against 0.52. <!-- claim: mlp-remembered-loss -->
# 3. **Right.** At first old and new gradients agree. Then the old ones drive the weights on in a direction that was right
#    long ago.
#
# </details>
#
# **Question 5.** You train forty networks, test all of them on the test set, and report the best accuracy. Is it honest?
#
# 1. Yes: no network was trained on the test images.
# 2. No: choosing by the test set picks luck, too, and reports it as skill.
# 3. Yes, if the test set is large.
#
# <details><summary>Answer</summary>
#
# 1. The belief is that only training uses images up. Choosing does, too. That is why goal 6a chooses on validation
#    images, and goal 6b opens the test set after it.
# 2. **Right.** The best of many is partly the luckiest of many. Choose on validation images, and test once.
# 3. A larger test set makes the luck smaller, and never zero. Goal 6b computes how large it still is
#    with 10,000 <!-- claim: A.4 --> images.
#
# </details>
#
# **Question 6.** The network gives a digit's class a probability of almost 1. What do you know?
#
# 1. The answer is right.
# 2. The digit is an easy one.
# 3. One logit is much larger than the others.
#
# <details><summary>Answer</summary>
#
# 1. The belief is that a softmax reports how often the network is right. *Which mistakes?* shows digits that it misread
#    with near certainty.
# 2. Some of the worst mistakes there are hard for people, too.
# 3. **Right.** That is all a softmax says. Nothing in training checks it against how often the network is right.
#
# </details>

# %% [markdown]
# ## References
#
# - Backpropagation: [Rumelhart et al., 1986](https://doi.org/10.1038/323533a0).
# - MNIST, and the network of chapter 2: [LeCun et al., 1998](https://doi.org/10.1109/5.726791).
# - ReLU: [Nair and Hinton, 2010](https://icml.cc/Conferences/2010/papers/432.pdf);
#   [Glorot et al., 2011](https://proceedings.mlr.press/v15/glorot11a.html).
# - Dropout: [Srivastava et al., 2014](https://jmlr.org/papers/v15/srivastava14a.html).
# - Adam: [Kingma and Ba, 2015](https://arxiv.org/abs/1412.6980).
# - Cosine schedule: [Loshchilov and Hutter, 2017](https://arxiv.org/abs/1608.03983).
