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
# # 2 · LeNet-5
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/convnets-measured/convnets-measured/blob/main/notebooks/02-lenet.ipynb)
#
# What does a network gain if it knows which pixels are neighbours?
#
# The perceptron of chapter 1 read shuffled images as well as whole ones. <!-- claim: mlp-reads-shuffled-digits --> This
# chapter puts the picture back. We build the convolution by hand, and stack two of them to LeNet-5, the best known of
# the networks that read American cheques in the 1990s. Then we measure what its ideas are worth together: against the
# perceptron, on digits in their place, on shifted digits, and on shuffled ones. We do not take them apart.
#
# > **What you will be able to do.**
# > Each goal is answered by the cell whose first line bears its number.
# >
# > 1. Compute a convolution by hand, and check it.
# > 2. Say what sharing weights saves, in parameters.
# > 3. Show that a convolution follows a shift of its input.
# > 4. Read LeNet-5's shapes, and say where ours differs from the paper's.
# > 5. Work out a receptive field, and check it with a gradient.
# > 6. Compare three networks over several seeds, with cost, and say what else differed between them.
# > 7. Measure how much shift each network tolerates.
# > 8. Look at filters and at what they find.

# %% [markdown]
# > **Time and memory.**
# > The whole notebook, with every exercise's solution:
# >
# > | profile | data | on | time | memory |
# > |---|---|---|---|---|
# > | `quick` | a part of the 6,000 digits in the package | two CPU cores | half a minute | 0.6 GB |
# > | `cpu` | all 70,000 | two CPU cores | 9 min <!-- claim: lenet-time --> | 0.8 GB <!-- claim: lenet-memory --> |
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
# Want data and checkpoints to survive a disconnect? Mount your drive and set `COURSE_HOME` before you load the data, as
# in chapter 1.

# %% tags=["parameters"]
PROFILE = "auto"

# %%
from dataclasses import replace

import pandas as pd
import torch
from course_lib import analysis, data, live, models, plots, records, training
from course_lib.profiles import resolve_profile
from torch import nn
from torch.nn import functional as F

profile = resolve_profile(PROFILE)
size = "sample" if profile == "quick" else "full"
epochs = {"quick": 2, "cpu": 8, "full": 8}[profile]
seeds = range(2 if profile == "quick" else 5)
digits = data.load("mnist", size=size)
if profile == "quick":
    digits = digits.part(800)  # enough to see that the code works
print(f"profile {profile}: {epochs} epochs, {len(seeds)} seeds")
print("trains on", training.describe_device(training.best_device()))
digits

# %% [markdown]
# ## Drag a digit
#
# Before we build anything, try the question. The two networks below learned the same 48,000 digits, all of them in the
# middle of the frame. A zero is moved to the right by three pixels: the perceptron says 2 and is sure of it, LeNet-5
# still reads a zero. Drag it further. When does LeNet-5 fail, and does it matter in which direction?

# %% tags=["drawn"]
live.drag_a_digit()

# %% [markdown]
# Its feature maps move with the digit: the same strokes light up in another place. That is the idea of this chapter. We
# measure over all test digits what it is worth, below under *Shifted digits*.

# %% [markdown]
# ## A stencil that moves
#
# A hidden unit of the perceptron is a stencil as large as the image, fixed in its place. Suppose it looks for a
# horizontal stroke at the top. To find the same stroke one row lower, the network needs another unit, and must learn it
# from other examples.
#
# What if we cut out a *small* stencil and move it over the image? At each place we multiply the weights with the pixels
# below them and add up. The sums form a new image, a *feature map*: it says where the stencil fits. The stencil is called
# a *filter* (PyTorch says kernel), and the operation a *convolution*. In mathematics a convolution first turns the filter
# by half a circle, and what we do is called cross-correlation. For learned weights it makes no difference.
#
# Let us do it by hand, with a filter of 3 × 3 that likes ink above and dislikes ink below: a filter for lower edges.

# %% [markdown]
# Move the window over the picture, and read how each number comes about. Then edit the filter: which one finds the
# left edge of the square, which one its corners? Larger strides skip places, padding lets the window hang over the
# rim, and with several channels the sum goes over all of them.

# %% tags=["drawn"]
live.moving_window()

# %% [markdown]
# In PyTorch's terms, and for a real digit:

# %%
# Goal 1: a convolution by hand
kernel = torch.tensor([[1.0, 1.0, 1.0], [0.0, 0.0, 0.0], [-1.0, -1.0, -1.0]])
five = (digits.train.labels == 5).nonzero()[0, 0]  # the first five
digit = digits.train.images[five, 0].float() / 255


def convolve_by_hand(image, kernel):
    height, width = image.shape
    rows, columns = kernel.shape
    result = torch.empty(height - rows + 1, width - columns + 1)
    for row in range(result.shape[0]):
        for column in range(result.shape[1]):
            window = image[row : row + rows, column : column + columns]
            result[row, column] = (window * kernel).sum()
    return result


by_hand = convolve_by_hand(digit, kernel)
by_torch = F.conv2d(digit[None, None], kernel[None, None])[
    0, 0
]  # wants (N, C, H, W)
print("image", tuple(digit.shape), "→ feature map", tuple(by_hand.shape))
assert torch.allclose(by_hand, by_torch, atol=1e-5)

# %% tags=["card"]
figure, axes = plots.new_figure(1, 2, width=5.5, height=2.6)
axes[0].imshow(digit.numpy(), cmap="gray_r")
axes[0].set_title("the image")
axes[1].imshow(by_hand.numpy(), cmap="RdBu_r", vmin=-3, vmax=3)
axes[1].set_title("where the filter fits")
for one in axes:
    one.set_axis_off()
plots.finish(
    figure,
    "A digit, and its feature map: red below its strokes, blue above them.",
)

# %% [markdown]
# Red marks places where ink stands above and paper below, so the lower edges of strokes. Blue marks upper edges. One small
# filter found them all, wherever they were.
#
# Two words for later. Without *padding*, a map is smaller than its image, because the window must fit inside. With a rim
# of zeros of the right width, 2 pixels for a window of 5 × 5, it keeps its size. The *stride* is how far the window moves
# at a time, here one pixel.

# %% [markdown]
# ## What sharing saves
#
# A convolution is a linear layer with two restrictions. Each output sees only a small window. And all outputs of one map
# use the *same* weights, and one bias. How much does that save? LeNet's first layer makes 6 maps of 28 × 28 from an image
# of 28 × 28, with filters of 5 × 5. Work out its parameters, and those of a linear layer with the same outputs, before you
# look.

# %% tags=["nbval-check-output"]
# Goal 2: parameters, shared and not shared
shared = 6 * (5 * 5 + 1)
everything = (28 * 28) * (6 * 28 * 28) + 6 * 28 * 28
layer = nn.Conv2d(1, 6, kernel_size=5, padding=2)
assert analysis.count_parameters(layer) == shared
print(f"convolution: {shared:,} parameters")
print(f"linear layer with the same outputs: {everything:,}")

# %% [markdown]
# Fewer parameters are not the main gain. The main gain is what they *mean*: whatever is learned in one place holds in
# every place.
#
# What if the input is not one image but several maps? Then a filter has a sheet of 5 × 5 weights for each of them, and the
# sums of all sheets are added, with one bias. So a layer from $m$ maps to $n$ maps, with windows of $k \times k$, has
# $n \, (m k^2 + 1)$ parameters.

# %% [markdown]
# ## Shift in, shift out
#
# Move the image, and the feature map moves along. This is called equivariance, and it follows from the formula: the same
# window stands somewhere else. We check it, away from the rim, where the padding differs.

# %%
# Goal 3: a convolution follows a shift
image = digits.train.normalize(digits.train.images[five : five + 1])
moved = torch.roll(image, shifts=(2, 3), dims=(2, 3))
with torch.no_grad():
    maps, maps_of_moved = layer(image), layer(moved)
expected = torch.roll(maps, shifts=(2, 3), dims=(2, 3))
inside = (slice(None), slice(None), slice(6, -6), slice(6, -6))
difference = (expected - maps_of_moved)[inside].abs().max().item()
print(f"largest difference: {difference:.1e}")
assert difference < 1e-5

# %% [markdown]
# The maps move, and a linear layer behind them would again be lost. So LeNet does a second thing. *Pooling* takes each
# window of 2 × 2 and keeps one number, the mean or the largest. The map shrinks to half its side, and a pixel that
# moves by one stays in its window in half of all cases. So each pooling can forget a little shift.

# %% [markdown]
# ## LeNet-5
#
# Two convolutions, each followed by pooling, then three linear layers
# ([LeCun et al., 1998](https://doi.org/10.1109/5.726791)).

# %%
analysis.Source(models.LeNet5)

# %%
# Goal 4: LeNet-5, layer by layer
network = models.lenet5()
table = analysis.layer_table(network, input_shape=(1, 28, 28))
table.assign(parameters=table["parameters"].map("{:,}".format))

# %% [markdown]
# Read it from top to bottom. The side shrinks, 28, 14, 10, 5, and the number of maps grows, 1, 6, 16. What is lost in
# *where* is gained in *what*.
#
# The two convolutions have few parameters. Most of them sit in the first linear layer, which maps 400 numbers to 120
# others. <!-- claim: lenet5-first-linear-layer --> It is the perceptron's disease in a mild form, and chapter 4 meets
# it again in a severe one.
#
# We train two forms. They have the same layers and the same number of parameters, <!-- claim: lenet5-two-forms --> and
# differ in two choices. *tanh* is a smooth cut: it presses any sum into the range from −1 to 1.
#
# | | activation | pooling |
# |---|---|---|
# | `form="1998"` | tanh | average |
# | `form="modern"` | ReLU | maximum |
#
# Even our form of 1998 differs from the paper's network:
#
# - The paper's second convolution, C3, connects each map with *chosen* maps before it:
#   1,516 parameters. <!-- claim: lenet5-c3-paper --> Ours connects all with all: 2,416. <!-- claim: lenet5-c3 -->
# - The paper's pooling has a learned factor and bias for each map, and then goes through the squashing function. Ours does
#   neither.
# - The paper's last layer compares 84 numbers with drawn pictures of the digits, which are fixed. Ours learns ten logits,
#   with 850 parameters, <!-- claim: lenet5-last-layer --> and takes cross-entropy.
# - The paper rescales its tanh, and pads with paper. Ours does not rescale, and pads with zeros, which after normalisation
#   are a light grey.
# - The paper trains with another loss and another optimiser. Ours gets today's recipe, so its accuracy is not the paper's.
#
# The counts can be checked. Ours has 61,706 parameters. <!-- claim: lenet5-parameters --> Take away
# 900 <!-- claim: lenet5-c3-more --> in C3 and 850 <!-- claim: lenet5-last-layer --> in the last layer, add
# 44 <!-- claim: lenet5-pooling-paper --> for the paper's pooling, and you have
# 60,000, <!-- claim: lenet5-parameters-paper --> which is the paper's number.

# %% [markdown]
# ## What a unit sees
#
# The *receptive field* of a unit is the part of the image that it depends on. A unit of the first convolution sees 5 × 5
# pixels. And one of the second? Each of its 5 × 5 inputs is a pooled unit. Let us count in pixels, along one side:
#
# - The *jump* says how many pixels apart neighbouring units stand. It starts at 1.
# - The field starts at 1, too. A window of $k$ units adds $(k-1) \cdot \text{jump}$ pixels, with the jump *before* the layer.
# - Then the layer's stride multiplies the jump.
#
# So the first convolution sees 1 + 4 · 1 = 5 pixels, the pooling 5 + 1 · 1 = 6, and then the jump is 2. Go on yourself. The
# table shows the jump after each layer.

# %% tags=["nbval-check-output"]
# Goal 5: the receptive field, by arithmetic
fields = analysis.receptive_field(network.features)
fields

# %% [markdown]
# Arithmetic can be wrong. So we measure. Take one unit, and its derivative by every *pixel*: where the unit does not look,
# the derivative is zero. We use a copy of the layers with all weights one, means in place of maxima, and no ReLU. In the
# real network a maximum or a ReLU hides some pixels, for this one image.

# %% tags=["nbval-check-output"]
for name in fields.index:
    part = network.features[: int(name) + 1]
    side = analysis.receptive_field_by_gradient(part)
    print(f"layer {name}: {side}×{side}")
    assert side == fields.loc[name, "receptive field"]

# %%
plots.receptive_field_boxes(digits.train.images[five, 0], fields)

# %% [markdown]
# After two blocks a unit sees 16 × 16 <!-- claim: lenet5-field --> of 28 × 28 pixels: a stroke with its surroundings,
# not yet a digit. The linear layers put these parts together.
#
# Which pixels count how much? Choose a layer, and click a unit. The square is the arithmetic. The shade says on how many
# paths a pixel reaches the unit: those in the middle on many, those at the rim of the square on few.

# %% tags=["drawn"]
live.receptive_fields(["LeNet-5", "MiniVGG"], "LeNet-5")

# %% [markdown]
# ## The race
#
# Three networks: the perceptron with the recipe of chapter 1, and LeNet in both forms. LeNet's learning rate rises in
# the first fifth of training, a common precaution against harm from the first steps, and then falls to zero along a
# cosine.
#
# So more than the network differs. The perceptron has 12 epochs, dropout and another schedule; LeNet has 8 epochs and
# no dropout. We compare each network *with its recipe*, and come back to that.

# %%
contestants = {
    "perceptron": {
        "build": lambda: models.mlp(dropout=0.2),
        "schedule": training.cosine,
        "epochs": 2 if profile == "quick" else 12,  # as in chapter 1
    },
    "LeNet-5, 1998": {
        "build": lambda: models.lenet5(form="1998"),
        "schedule": training.one_cycle,
        "epochs": epochs,
    },
    "LeNet-5, modern": {
        "build": lambda: models.lenet5(form="modern"),
        "schedule": training.one_cycle,
        "epochs": epochs,
    },
}


def train_one(name, seed, rate, train=digits.train, val=None, show=False):
    recipe = dict(contestants[name])
    training.set_seed(seed)
    network = recipe.pop("build")()
    history = training.fit(
        network,
        train,
        val,
        learning_rate=rate,
        seed=seed,
        show=show,
        **recipe,
    )
    return network, history


# %% [markdown]
# Which learning rate? A rate that suits one network may harm another. So each gets the same rates to try, and goes into
# the race with the one that does best on the validation images.

# %%
rates = (0.001, 0.002, 0.004, 0.008) if profile == "full" else (0.001, 0.004)
found = pd.DataFrame(index=list(contestants), columns=rates, dtype=float)
for name in contestants:
    for rate in rates:
        candidate, history = train_one(name, seed=0, rate=rate)
        answer = training.predict(candidate, digits.val)
        tried = f"{name}, rate {rate}"
        training.record(tried, history, answer, digits, split="validation")
        found.loc[name, rate] = answer.accuracy
best_rate = found.idxmax(axis=1)
found.map("{:.2%}".format).assign(best=best_rate)

# %% [markdown]
# In our run the modern LeNet takes 0.004, with 99.25 % <!-- claim: lenet5-rate-4 --> against
# 98.92 %, <!-- claim: lenet5-rate-1 --> and the perceptron 0.001, with 98.51 % <!-- claim: perceptron-rate-1 -->
# against 98.34 %. <!-- claim: perceptron-rate-4 --> This is a coarse search: two rates without a GPU, one seed each,
# and every winner lies at an edge of the grid. A better rate may lie outside, for any of the three.
#
# Here is one run of today's LeNet at its rate.

# %%
modern = "LeNet-5, modern"
network, history = train_one(
    modern, seed=0, rate=best_rate[modern], val=digits.val, show=True
)

# %%
plots.learning_curves(history)

# %% [markdown]
# The gap between training and new images is smaller than the perceptron's, <!-- claim: lenet5-smaller-gap --> although
# dropout holds down the perceptron's training accuracy, and this network has none. Every choice is made. We train all
# of them with several seeds, and open the test set. Each run leaves a record: recipe, results, machine.

# %%
test = digits.open_test()
networks, histories, answers = {}, {}, {}
for name in contestants:
    runs = [train_one(name, seed, best_rate[name]) for seed in seeds]
    networks[name] = [network for network, _ in runs]
    histories[name] = [history for _, history in runs]
    answers[name] = [
        training.predict(network, test) for network in networks[name]
    ]
    for history, answer in zip(histories[name], answers[name], strict=True):
        training.record(name, history, answer, digits)
    print(f"{name}: done for {len(seeds)} seeds")

# %%
# Goal 6: three networks, several seeds
accuracies = {
    name: pd.Series([one.accuracy for one in answers[name]])
    for name in answers
}
rows = {}
for name, series in accuracies.items():
    rows[name] = {
        "parameters": f"{analysis.count_parameters(networks[name][0]):,}",
        "epochs": contestants[name]["epochs"],
        "test accuracy": f"{series.mean():.2%}",
        "spread": f"{series.std():.2%}",
        "errors": f"{(1 - series.mean()) * len(test):.0f} of {len(test):,}",
        "seconds": f"{sum(one.seconds for one in histories[name]) / len(seeds):.1f}",
    }
pd.DataFrame(rows).T

# %% [markdown]
# Look at the errors rather than at the accuracies. LeNet of 1998 avoids
# 28 % <!-- claim: lenet5-fraction-of-errors-1998 --> of the perceptron's errors, the modern one
# 44 %. <!-- claim: lenet5-fraction-of-errors --> In points of accuracy, with the intervals of chapter 1, they lie above
# the perceptron by 0.41 ± 0.20 points <!-- claim: lenet5-1998-over-perceptron --> and
# 0.66 ± 0.08 points. <!-- claim: lenet5-over-perceptron --> The modern form, with the same recipe, beats that of 1998
# by 0.25 ± 0.16 points. <!-- claim: lenet5-over-1998 -->
#
# How much of the perceptron's gap is due to the recipes? We also trained both by *one* recipe, with five seeds: Adam at
# 0.001, five epochs, no dropout. There the modern LeNet leads by
# 0.84 ± 0.48 points. <!-- claim: lenet5-over-perceptron-same-recipe --> So it leads under either recipe.
#
# The fairest comparison is the study `lenet-fair`: the same digits, eight epochs and one schedule for all, no dropout,
# seven rates tried for each network, none of the best at an edge, and five seeds. There the modern LeNet leads the
# perceptron by 0.73 ± 0.07 points, <!-- claim: fair-lenet-over-perceptron --> and the form of 1998 by
# 0.32 ± 0.07 points. <!-- claim: fair-lenet-over-1998 --> A twin without pooling, whose convolutions take steps of two
# instead, has the same parameters. The modern LeNet beats it by 0.22 ± 0.18 points. <!-- claim: fair-lenet-over-strided -->
#
# LeNet has about a ninth of the perceptron's parameters. <!-- claim: lenet5-a-ninth --> Yet its epochs take longer: on
# top of the perceptron's 1.3 s <!-- claim: perceptron-epoch --> come 0.97 ± 0.22 s. <!-- claim: lenet5-epoch-longer -->
# Each shared weight is used in a hundred places or more, <!-- claim: lenet5-places --> so one image costs
# 0.42 million <!-- claim: lenet5-multiply-adds --> multiplications, not so far below
# 0.54 million. <!-- claim: mlp-multiply-adds --> And its maps are larger than the perceptron's layers, so more numbers
# are written and read. We did not measure how much each of these takes.
#
# When you run the chapter, the next lines put the published results beside yours. On this page both are the same runs.

# %%
for name, series in accuracies.items():
    print(
        f"{name}: {records.compare('02-lenet', name, series, digits.title)}"
    )

# %% [markdown]
# ## Shifted digits
#
# Now the question from the beginning. All three networks have learned digits in the middle of the frame. We move the test
# digits to the right, by 0 to 6 pixels. A few lose ink at the rim from the first pixel on, and with each pixel more of
# them do. <!-- claim: shift-loses-ink -->
#
# > **Your guess.** In place, the modern LeNet reads about 99 of 100 test digits. How many of 100 does it read when they are
# > shifted by 4 pixels? <!-- guess: shift-4-modern, 0 to 100 % -->
#
# > **Your guess.** And the perceptron, which reads about 98 of 100 in
# > place? <!-- guess: shift-4-perceptron, 0 to 100 % -->

# %%
# Goal 7: how much shift does each network tolerate?
shifts = range(7)


def move_right(images, shift):
    """Paper comes in on the left; what leaves on the right is gone."""
    return F.pad(images, (shift, -shift))


shifted = [
    replace(test, images=move_right(test.images, shift)) for shift in shifts
]
under_shift = {
    name: pd.DataFrame(
        [
            [training.evaluate(one, split).accuracy for one in networks[name]]
            for split in shifted
        ]
    )
    for name in contestants
}
pd.DataFrame(
    {
        name: frame.mean(axis=1).map("{:.1%}".format)
        for name, frame in under_shift.items()
    }
).rename_axis("shift in pixels")

# %% tags=["hide-input"]
figure, axes = plots.new_figure(width=6.5, height=3.2)
said = []
for (name, frame), marker in zip(under_shift.items(), "os^", strict=True):
    mean, spread = frame.mean(axis=1), frame.std(axis=1)
    axes.errorbar(
        shifts, mean, yerr=spread, marker=marker, capsize=3, label=name
    )
    said.append(f"{name} falls from {mean[0]:.1%} to {mean[6]:.1%}")
axes.set(
    xlabel="shift to the right, in pixels",
    ylabel="test accuracy",
    ylim=(0, 1.02),
)
axes.legend(frameon=False)
plots.finish(
    figure, f"Accuracy by shift for three networks: {'; '.join(said)}."
)

# %% [markdown]
# <details><summary>What we found</summary>
#
# Which holds out longest? The perceptron falls below half between 3 and 4 pixels, LeNet of 1998 between 4 and 5, the
# modern one between 5 and 6 pixels. <!-- claim: shift-half --> At 4 pixels they read
# 40.4 %, <!-- claim: shift-4-perceptron --> 67.3 % <!-- claim: shift-4-1998 --> and
# 74.2 %. <!-- claim: shift-4-modern --> At 6 pixels the two LeNets change places, with
# 32.6 % <!-- claim: shift-6-1998 --> for 1998 and 30.7 % <!-- claim: shift-6-modern --> for modern. Their error bars
# overlap there, and runs on shifted digits leave no record by seed, so we call it undecided. Some of the fall is lost
# ink: at 6 pixels, 46 % <!-- claim: shift-6-digits-without-ink --> of the sample's test digits have lost some, though
# only 2.6 % <!-- claim: shift-6-ink --> of all ink is gone.
#
# </details>
#
# Where LeNet falls as well, is that a failure of the theory? No. The convolutions follow any shift. Pooling can forget
# a pixel or so. How much it forgives here we did not isolate: that would take a LeNet without it. But the linear layers
# behind are a perceptron on the 5 × 5 maps that are left: they know places, and have seen none but the middle. A shift
# by 4 <!-- claim: lenet5-jump --> pixels moves those maps by a whole place. *Invariance* would mean: shift in, same
# answer out. The most that LeNet can have is tolerance.

# %% [markdown]
# ## Shuffled digits, once more
#
# The perceptron did not mind shuffled pixels. <!-- claim: mlp-reads-shuffled-digits --> LeNet assumes that neighbours
# belong together. What does it lose if they do not?
#
# > **Your guess.** We train and test the modern LeNet on shuffled digits. What becomes of its lead over the perceptron?
# >
# > - It stays: the convolutions adapt to the new order.
# > - It shrinks to nothing: both read the same.
# > - It turns round: LeNet falls behind the perceptron. <!-- answer: lenet5-shuffled-under-perceptron -->

# %%
shuffle = torch.randperm(28 * 28, generator=torch.Generator().manual_seed(0))


def shuffled(split):
    pixels = split.images.flatten(1)[:, shuffle]
    return replace(split, images=pixels.view_as(split.images))


train_shuffled, test_shuffled = shuffled(digits.train), shuffled(test)
on_shuffled = []
for seed in seeds[:3]:
    network, history = train_one(
        modern, seed, best_rate[modern], train=train_shuffled
    )
    answer = training.predict(network, test_shuffled)
    name = f"{modern}, shuffled"
    training.record(name, history, answer, digits, images="pixels shuffled")
    on_shuffled.append(answer.accuracy)
on_shuffled, in_place = pd.Series(on_shuffled), accuracies[modern]
print(f"LeNet, pixels in place: {in_place.mean():.2%} ± {in_place.std():.2%}")
print(
    f"LeNet, pixels shuffled: {on_shuffled.mean():.2%} ± {on_shuffled.std():.2%}"
)
print(f"perceptron (shuffled or not): {accuracies['perceptron'].mean():.2%}")

# %% [markdown]
# <details><summary>What we found</summary>
#
# Same layers, same parameters, same recipe: only the neighbours are gone, and the lead with them. LeNet reaches
# 96.15 ± 0.14 % <!-- claim: lenet5-shuffled --> over three seeds. That is 3.0 ± 0.4 points <!-- claim: lenet5-shuffled-under-itself --> below its own result in place,
# and 2.4 ± 0.4 points <!-- claim: lenet5-shuffled-under-perceptron --> below the perceptron. Its learning rate was
# chosen on digits in place; a search on shuffled ones might win some of that back, and we did not try. What made LeNet
# better is an assumption built into its layers, that near pixels belong together and that what holds here holds there.
# Where it is true, it helps. Where it is false, it hurts.
#
# </details>

# %% [markdown]
# ## A look inside
#
# The first layer has six filters of 5 × 5. Red likes ink, blue likes paper.

# %%
# Goal 8: filters, and what they find
lenet = networks[modern][0]
titles = [f"filter {number}" for number in range(1, 7)]
plots.weight_grid(
    lenet.features[0].weight[:, 0], titles, what="filter weights"
)

# %% [markdown]
# And these are their feature maps for one digit, after ReLU: dark where the filter fits.

# %%
device = training.best_device()
one = test.normalize(test.images[:1]).to(device)
with torch.no_grad():
    maps = lenet.to(device).features[:2](one)[0]
plots.feature_map_grid(maps, [f"map {number}" for number in range(1, 7)])

# %% [markdown]
# Which maps mark one side of a stroke, which its body, which the background? In our run maps 1, 3 and 6 are dark along
# the body of the seven. Map 4 marks its slanting stroke, map 5 the two sides of that stroke, and map 2 the upper and
# lower side of the bar. Maps 2 and 4 are also grey over the background. The faint frame comes from the padding: zero is
# not paper. Nobody asked for any of this. It is what cross-entropy and many digits make of random numbers.
#
# After the second convolution, the maps are harder to name.

# %%
with torch.no_grad():
    maps = lenet.features[:5](one)[0]
plots.feature_map_grid(maps)

# %% [markdown]
# Last, what it still gets wrong, and most confidently.

# %%
worst = analysis.worst_mistakes(answers[modern][0], count=8)
plots.mistake_grid(test, worst)

# %% [markdown]
# ## Exercises
#
# Write down your guess first. Then run your code. Then open the solution.

# %% [markdown]
# ### Exercise 1: Count a convolution
#
# How many parameters has a convolution from 16 to 32 maps with filters of 3 × 3? And how many has it for an image that is
# twice as large?

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# Each of 32 filters has $16 \cdot 3 \cdot 3$ weights, for it looks at all 16 maps, and one bias. The size of the image does
# not enter: the same filters move over a larger field.
#
# </details>

# %% tags=["solution", "nbval-check-output"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
count = analysis.count_parameters(nn.Conv2d(16, 32, kernel_size=3))
assert count == 32 * (16 * 3 * 3 + 1)
print(f"{count:,}, for any image")

# %% [markdown]
# ### Exercise 2: The paper's C3
#
# In the paper, six of the 16 maps of C3 see 3 of the maps before, nine see 4, and one sees all 6. Filters are 5 × 5. Count
# the parameters. How many does that save against ours, in percent of C3?

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# Count the connections from map to map, $6 \cdot 3 + 9 \cdot 4 + 1 \cdot 6 = 60$ instead of $6 \cdot 16 = 96$. Each has
# 25 weights, <!-- claim: lenet5-c3-weights --> and each map of C3 has one bias.
#
# </details>

# %% tags=["solution", "nbval-check-output"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
paper = (6 * 3 + 9 * 4 + 1 * 6) * 25 + 16
ours = analysis.count_parameters(models.lenet5().features[3])
print(f"the paper's C3 {paper:,}, ours {ours:,}: {1 - paper / ours:.1%} less")

# %% [markdown]
# ### Exercise 3: Two small or one large
#
# Two convolutions of 3 × 3, one after the other: how large is their receptive field? Which single convolution has the
# same, and which of the two ways has fewer parameters, from 16 maps to 16 maps?

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# The second sees 3 × 3 units that each see 3 × 3 pixels and stand one pixel apart: 5 × 5. <!-- claim: B.3 --> Two small
# filters have $2 \cdot 9 = 18$ weights for each pair of maps, one large filter has 25. And there is room for one more
# ReLU. Chapter 4 is built on this.
#
# </details>

# %% tags=["solution", "nbval-check-output"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
small = nn.Sequential(nn.Conv2d(16, 16, 3), nn.ReLU(), nn.Conv2d(16, 16, 3))
large = nn.Conv2d(16, 16, 5)
side = analysis.receptive_field_by_gradient(small)
print(f"receptive field of the two small ones: {side}×{side}")
print(f"two of 3×3: {analysis.count_parameters(small):,} parameters")
print(f"one of 5×5: {analysis.count_parameters(large):,} parameters")

# %% [markdown]
# ### Exercise 4: Which change was it?
#
# Between 1998 and today, two things changed at once: ReLU for tanh, and maximum for average. Train all four combinations,
# with two seeds, half the epochs and a learning rate of 0.004, judge them on validation images, and say which change matters more.
# `models.LeNet5` takes `activation=` and `pool=`.

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# Compare rows that differ in one choice only. In our run all eight accuracies lie between
# 98.80 % <!-- claim: lenet5-four-forms-lowest --> and 99.12 %, <!-- claim: lenet5-four-forms-highest --> and two seeds
# of one row differ by up to 0.20 points. <!-- claim: lenet5-four-forms-seeds --> With two seeds, an interval of chapter
# 1 is far wider than any difference between these rows. So neither change can be called. That is an answer, too.
#
# </details>

# %% tags=["solution"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
mixed = {}
for activation in (nn.Tanh, nn.ReLU):
    for pool in (nn.AvgPool2d, nn.MaxPool2d):
        scores = []
        for seed in range(2):
            training.set_seed(seed)
            candidate = models.LeNet5(
                1, 28, 10, activation=activation, pool=pool
            )
            training.fit(
                candidate,
                digits.train,
                epochs=epochs // 2,
                learning_rate=0.004,
                schedule=training.one_cycle,
                seed=seed,
                show=False,
            )
            scores.append(training.evaluate(candidate, digits.val).accuracy)
        mixed[activation.__name__, pool.__name__] = scores
pd.DataFrame(mixed, index=["seed 0", "seed 1"]).T.map("{:.2%}".format)

# %% [markdown]
# ### Exercise 5: Teach it to shift
#
# Train the modern LeNet on digits that are shifted at random by up to 4 pixels to either side, and measure it on validation
# images shifted by 0 to 6. Does it learn what its layers did not give it? Hint: make a shifted copy of the training images
# before you train; `move_right` takes negative shifts, too.

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# It does, in our run of one seed. At a shift of 4, accuracy rises from 77.7 % <!-- claim: lenet5-shifts-before-4 --> to
# 98.6 %. <!-- claim: lenet5-shifts-after-4 --> At 6, which it never saw, it rises from
# 28.5 % <!-- claim: lenet5-shifts-before-6 --> to 95.4 %. <!-- claim: lenet5-shifts-after-6 --> What a network's layers
# do not give, examples can. That costs no time, for there are no more steps than before. Whether it costs accuracy on
# digits in the middle, one seed cannot tell. And nothing promises that it holds much further out.
#
# </details>

# %% tags=["solution"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
chance = torch.Generator().manual_seed(0)
by = torch.randint(-4, 5, (len(digits.train),), generator=chance)
pixels = digits.train.images.clone()
for shift in range(-4, 5):
    chosen = by == shift
    pixels[chosen] = move_right(pixels[chosen], shift)
moved_train = replace(digits.train, images=pixels)
taught, _ = train_one(
    modern, seed=0, rate=best_rate[modern], train=moved_train
)
for shift in shifts:
    moved_val = replace(
        digits.val, images=move_right(digits.val.images, shift)
    )
    before = training.evaluate(lenet, moved_val).accuracy
    after = training.evaluate(taught, moved_val).accuracy
    print(f"shift {shift}: {before:.1%} before, {after:.1%} after")

# %% [markdown]
# ## What to remember
#
# - A convolution is a small stencil that moves. It looks at neighbours only, and uses the same weights everywhere.
# - Its parameters do not depend on the size of the image.
# - Convolution follows a shift; pooling can forget a little of it; linear layers do neither.
# - A window of $k$ adds $(k-1) \cdot \text{jump}$ pixels to the receptive field, and a stride multiplies the jump.
# - An architecture is an assumption about the data. Test it by breaking it: shift, shuffle.
# - Compare errors rather than accuracies, and name the spread.

# %% [markdown]
# ## References
#
# - LeNet-5 and MNIST: [LeCun et al., 1998](https://doi.org/10.1109/5.726791).
# - Receptive fields: [Araujo et al., 2019](https://distill.pub/2019/computing-receptive-fields/).
# - ReLU: [Glorot et al., 2011](https://proceedings.mlr.press/v15/glorot11a.html).
