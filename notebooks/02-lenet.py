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
# What does a network gain if it is told which pixels are neighbours?
#
# Drag the zero below to the left and right. Two networks read it. Both learned from the same 48,000 digits, all in the middle of the frame.
# When test digits move by four pixels, a perceptron like that of chapter 1 still reads 39.9 % <!-- claim: shift-4-perceptron --> of them.
# LeNet-5, with a ninth of its parameters, <!-- claim: lenet5-a-ninth --> reads most. In this chapter you build LeNet-5, and measure what
# its ideas are worth.

# %% tags=["install"]
import sys

if "google.colab" in sys.modules:
    address = "git+https://github.com/convnets-measured/convnets-measured"
    get_ipython().run_line_magic("pip", f"install --quiet {address}")

# %% tags=["drawn", "remove-input"]
from course_lib import live

live.drag_a_digit()

# %% [markdown]
# > **What you will be able to do.**
# > Each goal is answered by the cell whose first line has its number.
# >
# > 1. Write a convolution in two loops.
# > 2. Build and train LeNet-5, and work out the sides of its maps.
# > 3. Say what sharing weights saves, and read a convolution as one matrix product.
# > 4. Compare networks on equal terms.
# > 5. Measure how far a digit may move, and what pooling has to do with it.
# > 6. Work out which pixels a unit sees, and check it with a gradient.
# > 7. Show by experiment what a convolution assumes about images.
#
# To run it yourself, open it in Colab: 3 min <!-- claim: lenet-time --> on two CPU cores, 0.8 GB <!-- claim: lenet-memory --> of memory.
# `PROFILE = "quick"` takes a quarter of a minute, on a sample, and gives other numbers.

# %% tags=["parameters"]
PROFILE = "auto"

# %% tags=["hide-input"]
import torch
from course_lib import analysis, data, live, models, plots, records, training
from course_lib.profiles import resolve_profile
from torch import nn
from torch.nn import functional as F

profile = resolve_profile(PROFILE, without_gpu="cpu")

# %% [markdown]
# ## A template that moves
#
# In chapter 1 a hidden unit was a template as large as the image, fixed in its place. If it finds a stroke at the top, it can't find it at
# the bottom: that takes another unit, which learns from other examples.
#
# A *convolution* moves a small template, called a *kernel* or a *filter*, over the image. At each position it does what a hidden unit does:
# multiply the weights with the pixels below them, and add up. The sums form a new image, the *feature map*: it says where the kernel fits.
#
# Move the window, and read how its sum comes about. Before you choose *horizontal edge*: where will its numbers be positive? (Stride and
# padding come below; *dilation* stays at 1.)

# %% tags=["drawn"]
live.moving_window()

# %% [markdown]
# *Horizontal edge* has −1 in its upper row and 1 in its lower row. In the figure ink is 2 and paper 0. A window of ink gives
# $3 \cdot 2 - 3 \cdot 2 = 0$, one of paper 0 as well. Paper above ink gives $3 \cdot 2 - 3 \cdot 0 = 6$. So it finds the upper edges of
# strokes.

# %%
kernel = torch.tensor([[-1.0, -1.0, -1.0], [0.0, 0.0, 0.0], [1.0, 1.0, 1.0]])
digits = data.load("mnist", size="sample" if profile == "quick" else "full")
five = data.load("mnist", size="sample").val.images[80, 0] / 255  # 28 × 28

# %% [markdown]
# > **Your turn.** Write the convolution of one image with one kernel, in two loops. In 28 rows, a window of 3 rows fits at
# > $28 - 3 + 1 = 26$ places. If no assert complains, skip the folded cell.


# %% tags=["your-turn"]
def conv2d(image, kernel):
    # 1. result = torch.zeros(rows, columns): at how many places does a
    #    window of kernel.shape fit into image.shape?
    # 2. for each row and column: cut the window out, as in
    #    image[2:5, 7:10], multiply it by the kernel, and .sum()
    ...  # and return the result


ramp, copy = torch.arange(20.0).view(4, 5), torch.zeros(2, 3)
copy[0, 0] = 1.0  # a kernel that copies the upper left pixel of its window
copied = conv2d(ramp, copy)
assert copied is not None, "return the result"
assert copied.shape == (3, 3), "2 × 3 fits into 4 × 5 at 3 × 3 places"
total = conv2d(ramp, torch.ones(2, 3))[0, 0]
assert total == 21, "add up all products of the window: .sum()"
assert copied[0, 0] == 0, "don't turn the kernel: upper left meets upper left"
assert torch.equal(copied, ramp[:3, :3]), "the window moves by one pixel"


# %% tags=["finished"] cellView="form" jupyter={"source_hidden": true}
# @title One way to write it
def conv2d(image, kernel):
    height, width = kernel.shape
    rows = image.shape[0] - height + 1
    columns = image.shape[1] - width + 1
    result = torch.zeros(rows, columns)
    for row in range(rows):
        for column in range(columns):
            window = image[row : row + height, column : column + width]
            result[row, column] = (window * kernel).sum()
    return result


# %% tags=["card"]
# Goal 1: a convolution by hand, equal to PyTorch's
feature_map = conv2d(five, kernel)
# F.conv2d wants four axes: images, channels, rows, columns. None adds one.
by_torch = F.conv2d(five[None, None], kernel[None, None])[0, 0]
assert torch.allclose(feature_map, by_torch, atol=1e-5)
plots.convolution_result(five, kernel, feature_map)

# %% [markdown]
# Red marks upper edges, blue lower ones, wherever they are. We chose these nine numbers; in a network they are weights, and training
# chooses them.
#
# ## Many channels
#
# A colour image has three *channels*, and a layer with six feature maps passes on six. A kernel then has one sheet of weights for each
# channel. Each sheet gives a sum over its own channel's window. These sums and one bias add up to *one* number of *one* map: sums of 3, −1
# and 2 and a bias of 0.5 give 4.5. Set *Input channels* to 2 above, and find both sums. A layer that outputs 16 maps has 16 such kernels.
#
# ## Shift in, shift out
#
# If the image moves, its feature maps move along, because the same window now stands somewhere else. This is called *equivariance*. We
# check it, away from the rim, with random weights:

# %%
layer = nn.Conv2d(1, 6, kernel_size=5, padding=2)
image = five[None, None]  # one image, one channel
moved = torch.roll(image, shifts=(2, 3), dims=(2, 3))  # 2 down, 3 right
with torch.no_grad():
    expected = torch.roll(layer(image), shifts=(2, 3), dims=(2, 3))
    change = (layer(moved) - expected)[..., 6:-6, 6:-6].abs().max().item()
print(f"largest difference: {change:.1e}")
assert change < 1e-5

# %% [markdown]
# So the maps follow the digit. The layers behind them should not care too much where they are: a seven two pixels further is still a seven.
# *Pooling* makes one number of each window of 2 × 2: the mean, or, today, the maximum. The map shrinks to half its side. Here is what
# pooling makes of a moving stroke:

# %% tags=["drawn", "hide-input"]
stroke = torch.zeros(6, 6)
stroke[:, 2] = torch.tensor([2.0, 4.0, 5.0, 4.0, 5.0, 3.0])
plots.pooling_windows(stroke, shifts=(0, 1, 2))

# %% [markdown]
# Moved by one pixel, this stroke stays in its windows, and the pooled map does not change. One pixel more shifts the map by one place. Had
# the stroke stood at the right of its windows, the first pixel would have shifted the map. So a pool forgets a thin stroke's shift by one
# pixel in half of all cases.
#
# ## LeNet-5
#
# Two *blocks* of a convolution, an activation function and pooling, then three linear layers: that is LeNet-5 ([LeCun et al.,
# 1998](https://doi.org/10.1109/5.726791)), which read digits on cheques in the 1990s.

# %% tags=["drawn"]
plots.architecture_drawing(models.lenet5(), (1, 28, 28))

# %% [markdown]
# From left to right the sides shrink and the channels grow: less about *where*, more about *what*. How large is a map? A window of $k$ on a
# side of $n$ fits at $n - k + 1$ places. *Padding* adds $p$ zeros on each side of the image, and a *stride* of $s$ takes only every $s$-th
# place:
#
# $$ \text{side} = \left\lfloor \frac{n + 2p - k}{s} \right\rfloor + 1 . $$
#
# LeNet-5's first convolution pads by 2: $28 + 4 - 5 + 1 = 28$. A pool has $k = s = 2$: $\lfloor (28 - 2)/2 \rfloor + 1 = 14$. The second
# convolution makes 16 maps and does not pad: $14 - 5 + 1 = 10$. The second pool leaves $5$. (The bent brackets round down.) So 16 maps of 5
# × 5, or 400 numbers, reach the first linear layer.
#
# > **Your turn.** Build it as an `nn.Sequential`, which calls its layers one after the other. In place of the `...`, add a convolution to 16 channels without padding,
# > with its ReLU and pool; then `nn.Flatten()`; then linear layers of 120, 84 and 10 units, with a ReLU after the first two.


# %% tags=["your-turn"]
def lenet():
    return nn.Sequential(
        nn.Conv2d(1, 6, kernel_size=5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        ...,
    )


mine = lenet()
kinds = " ".join(type(layer).__name__ for layer in mine)
wanted = "Conv2d ReLU MaxPool2d " * 2 + "Flatten " + "Linear ReLU " * 2
assert kinds == wanted + "Linear", f"the layers are {kinds}"
maps = mine[:6](torch.zeros(1, 1, 28, 28))
assert maps.shape == (1, 16, 5, 5), f"two blocks give {tuple(maps.shape)}"
count = analysis.count_parameters(mine)
assert count == 61_706, f"{count:,} parameters, not 61,706: which layer?"


# %% tags=["finished"] cellView="form" jupyter={"source_hidden": true}
# @title One way to write it
def lenet():
    return nn.Sequential(
        nn.Conv2d(1, 6, kernel_size=5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 16, kernel_size=5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(16 * 5 * 5, 120),
        nn.ReLU(),
        nn.Linear(120, 84),
        nn.ReLU(),
        nn.Linear(84, 10),
    )


# %%
# Goal 2a: the library's LeNet-5 is yours, and these are its layers
training.set_seed(0)
mine = lenet()
training.set_seed(0)
network = models.lenet5()
assert torch.equal(mine(image), network(image))
analysis.layer_table(network, (1, 28, 28)).iloc[:, :3]

# %% [markdown]
# Most of the parameters sit in the first linear layer, which maps 400 numbers to 120, and less than a twentieth in both
# convolutions. <!-- claim: lenet5-first-linear-layer -->
#
# > **Your guess.** On 10,000 <!-- claim: A.4 --> test digits the perceptron of chapter 1 makes about 150 errors. How many
# > will LeNet-5 make? <!-- guess: lenet5-errors, 0 to 300 -->
#
# Now train it for eight epochs. The learning rate rises to 0.004 in the first fifth of the steps, so that early steps do no harm, then
# falls to zero along a cosine.

# %%
# Goal 2b: LeNet-5 learns
options = {"epochs": 3 if profile == "quick" else 8, "learning_rate": 0.004}
options |= {"schedule": training.one_cycle}
history = training.fit(network, digits.train, digits.val, **options)

# %%
plots.learning_curves(history)

# %% [markdown]
# At first the training errors are higher: they average over an epoch in which the network improved. Later they fall below the validation
# errors, which is overfitting. Four more networks, from other seeds, and we open the test set.

# %%
networks, histories = [network], [history]
for seed in range(1, 2 if profile == "quick" else 5):
    training.set_seed(seed)
    another = models.lenet5()
    quiet = options | {"seed": seed, "show": False}
    histories.append(training.fit(another, digits.train, **quiet))
    networks.append(another)

# %%
test = digits.open_test()
scores = []
for network, history in zip(networks, histories, strict=True):
    answers = training.predict(network, test)
    training.record("LeNet-5, modern", history, answers, digits)
    scores.append(answers.accuracy)
print("test accuracy", records.mean_and_spread(scores))
print(f"errors: {10_000 * (1 - sum(scores) / len(scores)):.0f} of 10,000")

# %% [markdown]
# <details><summary>What we found</summary>
#
# 75 <!-- claim: lenet5-errors --> errors, about half of the perceptron's. The accuracy is 99.25 ± 0.02 % <!-- claim: lenet5-mnist --> over
# five seeds. So close to a perfect score, errors say more than "from 98.50 to 99.25".
#
# </details>

# %% [markdown]
# ## What sharing saves
#
# Python loops are slow. Lay each window out as a column, and a whole layer is one product of two matrices, which computers do best. Here a
# row of the weights has $6 \cdot 5 \cdot 5 = 150$ numbers, and so has each of the $10 \cdot 10 = 100$ windows:

# %%
# Goal 3a: a convolution from 6 to 16 channels, as a matrix product
layer = nn.Conv2d(in_channels=6, out_channels=16, kernel_size=5)
maps = torch.rand(1, 6, 14, 14)  # one image, six channels
windows = F.unfold(maps, kernel_size=5)[0]  # a column for each window
sums = layer.weight.view(16, 6 * 5 * 5) @ windows + layer.bias[:, None]
assert torch.allclose(sums.view(1, 16, 10, 10), layer(maps), atol=1e-5)
print("windows", tuple(windows.shape), "→ sums", tuple(sums.shape))

# %% [markdown]
# Each output is a weighted sum of inputs and a bias, as in a linear layer. There are two restrictions: each output sees only a window, and
# all positions share the same weights. What does that save?
#
# > **Your guess.** LeNet-5's first layer makes 6 maps of 28 × 28 from an image of 28 × 28. How many times as many parameters
# > does a linear layer with the same inputs and outputs have?
# >
# > - About 30 times: a weight for each row.
# > - About 800 times: a weight for each pixel.
# > - About 24,000 times. <!-- answer: lenet5-linear-over-convolution -->

# %% tags=["nbval-check-output"]
# Goal 3b: parameters, with windows and sharing, and without
convolution = 6 * (5 * 5 + 1)
own_weights = 6 * 28 * 28 * (5 * 5 + 1)
linear = 6 * 28 * 28 * (28 * 28 + 1)
layer = nn.Conv2d(1, 6, kernel_size=5, padding=2)
assert analysis.count_parameters(layer) == convolution
print(f"windows, shared weights: {convolution:,}")
print(f"windows, each with weights of its own: {own_weights:,}")
print(f"a linear layer with as many outputs: {linear:,}")

# %% [markdown]
# <details><summary>What we found</summary>
#
# 23,671 times. <!-- claim: lenet5-linear-over-convolution --> Six kernels of 5 × 5, and a bias for each, are
# 156 parameters. <!-- claim: lenet5-first-convolution --> Windows without sharing would take 122,304, <!-- claim: lenet5-windows-unshared -->
# and the linear layer 3,692,640. <!-- claim: lenet5-first-as-linear --> With sharing, what is learned in one place holds in every place.
# The size of the image doesn't enter: from $c$ channels to $d$, with kernels of $k \times k$, there are $d \, (c k^2 + 1)$ parameters.
#
# </details>

# %% [markdown]
# ## A fair comparison
#
# Half of the errors are gone. Is that due to the network, or to the recipe? Chapter 1's perceptron had 12 epochs, dropout, and an untuned
# rate. A fair comparison makes everything else equal, the tuning too. A study trains six networks on the same digits, for eight epochs,
# with one schedule and no dropout. Each tries at least seven learning rates, with one seed, on validation images: 0.004 was best for your
# LeNet-5, 0.002 for the perceptron, and no choice is the lowest or highest rate tried. <!-- claim: fair-rates-inside --> Then each gets
# five seeds, and the test images.
#
# - LeNet-5, *modern*, yours: ReLU, and pooling by the maximum;
# - LeNet-5, *1998*: tanh, a smooth curve from −1 to 1, and the average;
# - the two mixtures: tanh with the maximum, ReLU with the average;
# - LeNet-5, *strided*: convolutions of stride 2 in place of pooling, so behind each block its maps have the same size;
# - the perceptron of chapter 1.

# %% tags=["drawn"]
# Goal 4: six networks on equal terms
tests = records.studies.table("lenet-shifts").query("split == 'test'")
shuffled = tests["name"].str.contains("shuffled")
in_place = tests[~shuffled].groupby("name", sort=False)
plots.run_dots(in_place["accuracy"], "test")

# %% [markdown]
# > **What we found.** The modern LeNet-5 leads the perceptron by 0.73 ± 0.07 points, <!-- claim: fair-lenet-over-perceptron --> and the
# > form of 1998 by 0.32 ± 0.07 points. <!-- claim: fair-lenet-over-1998 --> The second lead comes mostly from ReLU, which leads tanh by
# > 0.21 ± 0.11 points <!-- claim: relu-over-tanh --> with the maximum, and by 0.30 ± 0.11 points <!-- claim: relu-over-tanh-average -->
# > with the average. The maximum in place of the average brings nothing that five seeds can see. So most of the gain over the perceptron is
# > the network's.
#
# And pooling itself? The modern form leads the strided one by 0.22 ± 0.18 points. <!-- claim: fair-lenet-over-strided --> Alone, that would
# count. But it is one of five comparisons, of the modern form with each of the others. Among six equal networks, at least one of five
# intervals would still leave out zero in 19 % <!-- claim: false-alarms-among-five --> of all tries. [Holm's rule](../book/comparing.md)
# asks for more. A 95 % interval may miss the truth in 0.05 of all tries; that of the clearest of the five may miss it in $0.05/5$ only, so
# it is wider, the next in $0.05/4$, and so on. ReLU passes, and pooling narrowly doesn't. <!-- claim: pooling-by-holm --> It probably helps
# a little, but we can't claim it.
#
# The intervals are over seeds, and say nothing about other images.
#
# ## Digits that have moved
#
# Now we move the test digits to the right.
#
# > **Your guess.** In place, the form with pooling led the strided one by 0.22 points, <!-- claim: fair-lenet-over-strided --> which
# > may be luck. By how many points does it lead on digits that are moved by 4 pixels? <!-- guess: pooling-at-4, 0 to 30 points -->

# %%
# Goal 5a: how far may a digit move?
perceptron = models.mlp()
perceptron.load_state_dict(records.weights("study-lenet-fair/perceptron"))
lenet5 = networks[0]
for right in range(7):
    moved = data.shift_images(test, right)
    old = training.evaluate(perceptron, moved).accuracy
    new = training.evaluate(lenet5, moved).accuracy
    print(f"moved by {right}: perceptron {old:6.1%}, LeNet-5 {new:6.1%}")

# %% [markdown]
# That was one network each. The figure shows the study's five seeds, with their standard deviation as bars. Its right half leaves out
# digits that lose ink when moved by six pixels, 46 % <!-- claim: shift-6-digits-without-ink --> of all.

# %% tags=["drawn"]
# Goal 5b: four networks under shift, with lost ink and without
moves = records.studies.shifts("lenet-shifts")
mixtures = moves["name"].str.contains(" and ")
plots.shift_lines(moves[~mixtures])

# %% [markdown]
# > **What we found.** Moved by four pixels, the perceptron reads 39.9 %, <!-- claim: shift-4-perceptron --> the strided LeNet-5
# > 63.4 %, <!-- claim: shift-4-strided --> and the modern one, with pooling, 74.5 %. <!-- claim: shift-4-modern --> Pooling in
# > place of strides is worth 0.47 ± 0.25 points <!-- claim: pooling-at-1 --> at one pixel, and
# > 11.1 ± 5.1 points <!-- claim: pooling-at-4 --> at four, where the other three forms with pooling are ahead of strides,
# > too. <!-- claim: all-pooled-ahead-at-4 -->
#
# At one pixel this may be the pool's forgetting. At four it can't be: two halvings make four pixels exactly one place on the last maps of
# both networks, so both just move by a place, and nothing is left to forget. Our runs don't say why pooling helps there.
#
# Why does accuracy fall at all? Lost ink is not the reason: digits that keep all of theirs fall at least as
# far. <!-- claim: whole-digits-fall-as-far --> The maps follow a shift by four pixels. But the linear layers behind them are a perceptron
# on 5 × 5 maps, and learned each stroke in its old place. If that is why, moving *the maps* back must repair it, and moving the maps of a
# digit in place must do the same harm:


# %%
# Goal 5c: move the digits, their last maps, or both
def accuracy_of(split, places):
    batch = split.normalize(split.images[:2000]).to(training.best_device())
    with torch.no_grad():
        maps = lenet5.features(batch)  # (2000, 16, 5, 5)
        maps = F.pad(maps, (places, -places))  # to the right; −1: to the left
        predicted = lenet5.classifier(maps).argmax(dim=1).cpu()
    return (predicted == split.labels[:2000]).double().mean().item()


moved = data.shift_images(test, 4)
print(f"digits in place: {accuracy_of(test, 0):.1%}")
print(f"digits moved: {accuracy_of(moved, 0):.1%}")
print(f"digits moved, maps moved back: {accuracy_of(moved, -1):.1%}")
print(f"digits in place, maps moved: {accuracy_of(test, 1):.1%}")

# %% [markdown]
# > **What we found.** Of 2,000 digits LeNet-5 reads 99.0 % <!-- claim: maps-in-place --> in place, and 76.2 % <!-- claim: digits-moved -->
# > moved. With the maps moved back it is 98.2 %, <!-- claim: maps-moved-back --> and digits in place with moved maps give
# > 74.8 %. <!-- claim: maps-moved --> So the linear layers account for nearly all the fall. (A little is lost at the rim.)
#
# So LeNet-5 is *tolerant* of small shifts, and not *invariant*, which would mean: shift in, same answer out.
#
# %% [markdown]
# ## What a unit sees
#
# The *receptive field* of a unit is the part of the image that it depends on. A unit of the first convolution sees 5 × 5 pixels. A unit of
# the second has a window of 5 × 5 pooled units. These stand 2 pixels apart, so the window is wider than it looks. Count along one side:
#
# - The *jump* is the number of pixels between neighbouring units. It starts at 1, and each stride multiplies it.
# - The field starts at 1. A window of $k$ adds $(k - 1) \cdot \text{jump}$, with the jump before the layer.
#
# The first convolution sees $1 + 4 \cdot 1 = 5$ pixels. The pool sees $5 + 1 \cdot 1 = 6$, and now the jump is 2. The second
# convolution sees $6 + 4 \cdot 2 = 14$, and its pool $14 + 1 \cdot 2 = 16$.
#
# To check, take the derivative of one place on the last maps by every pixel: it is zero for unseen pixels. In a single image a ReLU or a
# maximum hides some pixels, too, so we take 500 images of noise.

# %% tags=["nbval-check-output"]
# Goal 6: the receptive field by gradient, and by arithmetic
training.set_seed(0)
features = models.lenet5().features
pixels = torch.randn(500, 1, 28, 28, requires_grad=True)
features(pixels)[:, :, 2, 2].sum().backward()  # the middle of all 16 maps
seen = pixels.grad.abs().amax(dim=(0, 1)) > 0  # 28 × 28: by any image?
rows, columns = seen.any(dim=1).sum().item(), seen.any(dim=0).sum().item()
print(f"by gradient: {rows} rows, {columns} columns")
analysis.receptive_field(features)

# %% [markdown]
# After two blocks a unit sees 16 × 16 <!-- claim: lenet5-field --> of 28 × 28 pixels: strokes with their surroundings. Choose a layer, and
# click a unit: the shade shows on how many paths a pixel reaches it. (MiniVGG is a later chapter's network.)

# %% tags=["drawn"]
live.receptive_fields(["LeNet-5", "MiniVGG"], "LeNet-5")

# %% [markdown]
# ## Without neighbours
#
# Shuffled pixels cost the perceptron nothing. <!-- claim: mlp-reads-shuffled-digits --> And LeNet-5?
#
# > **Your guess.** We train and test LeNet-5 on shuffled digits. What becomes of its lead over the perceptron?
# >
# > - It stays: the kernels adapt to the new order.
# > - It shrinks to nothing: both read the same.
# > - It turns round: LeNet-5 falls behind the perceptron. <!-- answer: lenet5-shuffled-under-perceptron -->

# %%
# Goal 7: LeNet-5 on shuffled pixels, one run
training.set_seed(0)
lost, train = models.lenet5(), data.shuffle_pixels(digits.train)
training.fit(lost, train, **options | {"show": False})
score = training.evaluate(lost, data.shuffle_pixels(test))
print(f"test accuracy on shuffled pixels: {score.accuracy:.2%}")

# %% [markdown]
# Our rate, 0.004, was best with pixels in place. In the study both networks tried all rates on shuffled pixels, too:

# %% tags=["drawn"]
pair = tests["name"].isin(["perceptron", "LeNet-5, modern"])
four = tests[pair | shuffled].groupby("name", sort=False)
plots.run_dots(four["accuracy"], "test")

# %% [markdown]
# > **What we found.** Shuffled, LeNet-5 reads 96.4 %, <!-- claim: lenet5-shuffled --> the perceptron
# > 98.4 %. <!-- claim: perceptron-shuffled --> The lead of 0.73 points <!-- claim: fair-lenet-over-perceptron --> has become a lag of
# > 2.1 ± 0.1 points, <!-- claim: lenet5-shuffled-under-perceptron --> before rounding.
#
# All pixels are still there, only not in their places. Two assumptions are built into LeNet-5: nearby pixels belong together (the windows),
# and what holds here holds there (the shared weights). With no order left, no pattern holds from place to place either: shuffling breaks
# both, so we don't know which costs more.
#
# ## A look inside
#
# These are the six kernels of the first layer. Red likes ink, blue likes paper.

# %% tags=["hide-input"]
weights = lenet5.features[0].weight[:, 0]
plots.weight_grid(weights, [f"kernel {n}" for n in range(1, 7)], "weights")

# %% [markdown]
# Their feature maps for one digit, a seven, behind the ReLU, are dark where the kernel fits:

# %%
one = test.normalize(test.images[:1]).to(training.best_device())
with torch.no_grad():
    maps = lenet5.features[:2](one)[0]
plots.feature_map_grid(maps, [f"map {number}" for number in range(1, 7)])

# %% [markdown]
# Map 2 finds the upper and the lower edge of the bar, map 4 the right flank of the slanted stroke. The grey background is paper: its pixels
# are −0.424, <!-- claim: mnist-paper --> so its sums are not 0. The frames come from the padding, which is 0.

# %% [markdown]
# > **Reference card.**
# >
# > From $c$ channels of side $n$ to $d$ channels, kernels of $k \times k$, stride $s$, padding $p$:
# >
# > | what | formula | LeNet-5 |
# > |---|---|---|
# > | side of a map | $\lfloor (n + 2p - k)/s \rfloor + 1$ | first: $28 + 4 - 5 + 1 = 28$; second: $14 - 5 + 1 = 10$ |
# > | side behind a pool | the same, $k = s = 2$ | $\lfloor (28 - 2)/2 \rfloor + 1 = 14$ |
# > | parameters of a convolution | $d\,(c k^2 + 1)$ | first: $6\,(1 \cdot 25 + 1) = 156$; second: $16\,(6 \cdot 25 + 1) = 2{,}416$ |
# > | multiplications | $d\,c\,k^2$ at each place | first: $6 \cdot 25 \cdot 28^2 = 117{,}600$ |
# > | jump, in pixels | times $s$ at each layer | $1, 2, 2, 4$ |
# > | receptive field | $+\,(k - 1)$ times the jump before the layer | $5, 6, 14, 16$ |
# > | padding that keeps the side | $p = (k - 1)/2$, with $s = 1$ | $k = 5$: $p = 2$ |
# >
# > In plain PyTorch, without this course's library, where `loader` gives shuffled, normalised batches of 128:
# >
# > ```python
# > lenet5 = nn.Sequential(
# >     nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
# >     nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
# >     nn.Flatten(), nn.Linear(400, 120), nn.ReLU(),
# >     nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
# > )
# >
# > def factor(step):  # of the rate: up for a fifth, then down along a cosine
# >     done = step / (8 * len(loader))
# >     return done / 0.2 if done < 0.2 else (1 + math.cos(math.pi * (done - 0.2) / 0.8)) / 2
# >
# > optimizer = torch.optim.Adam(lenet5.parameters(), lr=0.004)
# > schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
# > for epoch in range(8):
# >     for images, labels in loader:
# >         loss = F.cross_entropy(lenet5(images), labels)
# >         optimizer.zero_grad()
# >         loss.backward()
# >         optimizer.step()
# >         schedule.step()
# > ```

# %% [markdown]
# ## Going further
#
# <details><summary>How our LeNet-5 differs from the paper's</summary>
#
# Even our form of 1998 is not the paper's network:
#
# - The paper's second convolution, C3, connects each map with *chosen* maps before it:
#   1,516 parameters. <!-- claim: lenet5-c3-paper --> Ours connects all with all: 2,416. <!-- claim: lenet5-c3 -->
# - The paper's pooling has a learned factor and bias for each map, and then goes through the activation function. Ours does
#   neither.
# - The paper's last layer compares 84 numbers with drawn pictures of the digits, which are fixed. Ours learns ten logits,
#   with 850 parameters, <!-- claim: lenet5-last-layer --> and takes cross-entropy.
# - The paper rescales its tanh, and pads with paper. Ours does not rescale, and pads with zeros, which are a light grey after
#   normalisation.
# - The paper trains with another loss and another optimiser. Ours gets today's recipe, so its accuracy is not the paper's.
#
# The counts can be checked. Ours has 61,706 parameters, <!-- claim: lenet5-parameters --> in both
# forms. <!-- claim: lenet5-two-forms --> Take away 900 <!-- claim: lenet5-c3-more --> in C3 and
# 850 <!-- claim: lenet5-last-layer --> in the last layer, add 44 <!-- claim: lenet5-pooling-paper --> for the paper's pooling,
# and you have 60,000, <!-- claim: lenet5-parameters-paper --> which is the paper's number.
#
# </details>
#
# <details><summary>Convolution, or cross-correlation?</summary>
#
# In mathematics a convolution first turns the kernel by half a circle. What networks compute is called cross-correlation
# there. For learned weights it makes no difference: training would learn the turned kernel.
#
# </details>
#
# <details><summary>At six pixels the lines cross</summary>
#
# In place, five runs of the form of 1998 lie within 0.24 points. <!-- claim: spread-in-place --> At six pixels they lie
# 12 points <!-- claim: spread-at-6 --> apart. On average they read more there than the modern form, whose line they cross. Is the
# old form more tolerant? The difference is 2.7 ± 7.7 points, <!-- claim: lenet5-1998-over-modern-at-6 --> so we can't tell. Training
# never asked for such images, so what a network does there is left to chance.
#
# </details>
#
# <details><summary>The maximum or the average?</summary>
#
# On equal terms the maximum leads the average by 0.02 ± 0.09 points <!-- claim: maximum-over-average --> with ReLU, and by
# 0.11 ± 0.15 points <!-- claim: maximum-over-average-tanh --> with tanh.
#
# </details>
#
# <details><summary>Why does pooling help at four pixels?</summary>
#
# Perhaps it is the wider receptive field: a pool adds pixels to what a unit sees, and a stride in its place does not. We have not tested
# it.
#
# </details>
#
# <details><summary>How much does the recipe matter?</summary>
#
# Each network with the recipe of its chapter gives LeNet-5 a lead of 0.75 ± 0.03 points. <!-- claim: lenet5-over-perceptron --> With one
# recipe that was tuned for neither, Adam at 0.001 for five epochs, it is
# 0.77 ± 0.43 points. <!-- claim: lenet5-over-perceptron-same-recipe --> With *A fair comparison* that makes three recipes, and LeNet-5
# leads with each. The three leads do not differ by more than their intervals.
#
# In the study of *A fair comparison* the modern form makes 80 errors, and your five networks made 75. <!-- claim: lenet5-errors --> Studies
# train in bfloat16, which is faster and rounds more coarsely, so these are not the same five runs.
#
# </details>
#
# <details><summary>Parameters are not work</summary>
#
# A ninth of the perceptron's parameters is not a ninth of its work. Each weight of the convolutions is used at 100 positions or
# more, <!-- claim: lenet5-places --> so an image costs 0.42 million <!-- claim: lenet5-multiply-adds --> multiplications, against the
# perceptron's 0.54 million. <!-- claim: mlp-multiply-adds --> The strided LeNet-5 takes about a third of LeNet-5's multiplications, for
# maps of the same size. <!-- claim: strided-a-third -->
#
# </details>

# %% [markdown]
# ## Exercises
#
# ● by hand, ●● change and run, ●●● design an experiment. Guess first, then run, then open the solution.

# %% [markdown]
# ### Exercise 1: Count a convolution
#
# ● *5 min.* A convolution goes from 8 to 32 channels with kernels of 3 × 3, without padding. How many parameters does it
# have? How large are its maps for an image of 32 × 32? And both once more, for an image that is twice as large.

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# Each of the 32 kernels has $8 \cdot 3 \cdot 3$ weights, because it looks at all 8 channels, and one bias. The size of
# the image does not enter: the same kernels move over a larger field. The maps have $32 - 3 + 1 = 30$ pixels a side, or
# $64 - 3 + 1 = 62$.
#
# </details>

# %% tags=["solution", "nbval-check-output"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
layer = nn.Conv2d(8, 32, kernel_size=3)
count = analysis.count_parameters(layer)
assert count == 32 * (8 * 3 * 3 + 1)
for side in (32, 64):
    shape = tuple(layer(torch.zeros(1, 8, side, side)).shape)
    print(f"{count:,} parameters, output {shape}")

# %% [markdown]
# ### Exercise 2: Two small or one large
#
# ● *10 min.* Two convolutions of 3 × 3, one after the other: how large is their receptive field? Which single convolution
# has the same, and which of the two ways has fewer parameters, from 16 channels to 16?

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# The second sees 3 × 3 units that each see 3 × 3 pixels and stand one pixel apart: 5 × 5. <!-- claim: B.3 --> Two small
# kernels have $2 \cdot 9 = 18$ weights for each pair of channels, one large kernel has 25. And there is room for one more
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
# ### Exercise 3: The paper's C3
#
# ● *10 min.* In the paper, six of the 16 maps of C3 see 3 of the maps before, nine see 4, and one sees all 6. Kernels are
# 5 × 5. Count the parameters. How many does that save against ours, in percent of C3?

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
# ### Exercise 4: Kernels that nobody trained
#
# ●● *15 min.* Do the kernels have to be learned? Train LeNet-5 for four epochs, once as it is, and once with both
# convolutions left as they were drawn at random. Hint: `weight.requires_grad_(False)` for every weight of
# `network.features.parameters()` keeps it as it is.

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# With learned kernels it reads 99.1 % <!-- claim: lenet5-learned-kernels --> of the validation images, with random ones
# 96.8 % <!-- claim: lenet5-random-kernels --> (one seed each). So random kernels, with ReLU and pooling behind them, already give
# maps from which linear layers can read most digits. Learning the kernels avoids more than two of three errors that random
# kernels leave. <!-- claim: lenet5-kernels-avoid -->
#
# </details>

# %% tags=["solution"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
for words in ("learned", "random"):
    training.set_seed(0)
    candidate = models.lenet5()
    for weight in candidate.features.parameters():
        weight.requires_grad_(words == "learned")
    four = options | {"epochs": 4, "show": False}
    training.fit(candidate, digits.train, **four)
    accuracy = training.evaluate(candidate, digits.val).accuracy
    print(f"{words} kernels: {accuracy:.2%}")

# %% [markdown]
# ### Exercise 5: A vote
#
# ●● *20 min.* Make LeNet-5 more tolerant without training it again. Give it each image five times, moved by −4, −2, 0, 2 and
# 4 pixels, add up the five answers' probabilities, and take the class with the largest sum. What does that do to digits that
# are moved by 4, and what to digits in their place? Judge on validation images.

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# On digits that are moved by 4, it lifts the accuracy from 78.4 % <!-- claim: lenet5-alone-4 --> to
# 89.1 %. <!-- claim: lenet5-by-vote-4 --> One of the five copies brings the digit back to the middle. In place the vote reads
# 99.2 %, <!-- claim: lenet5-by-vote-0 --> as before. The price is five times the work for each answer. (One seed.)
#
# </details>


# %% tags=["solution"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
def vote(split):
    moves = (-4, -2, 0, 2, 4)
    copies = [data.shift_images(split, right) for right in moves]
    answers = [training.predict(lenet5, copy) for copy in copies]
    total = sum(answer.probabilities for answer in answers)
    return (total.argmax(dim=1) == answers[0].labels).double().mean().item()


for right in (0, 4):
    moved = data.shift_images(digits.val, right)
    alone = training.evaluate(lenet5, moved).accuracy
    print(f"alone, moved by {right}: {alone:.1%}")
    print(f"by vote, moved by {right}: {vote(moved):.1%}")

# %% [markdown]
# ### Exercise 6: Teach it to shift
#
# ●●● *30 min.* Can LeNet-5 learn what its layers did not give it? Train it on digits that are moved at random by up to 4
# pixels to either side, and measure it on validation images that are moved by 0 to 6. Plan the comparison before you run it:
# what stays equal? Hint: make a moved copy of the training images before you train; `data.shift_images` takes negative
# shifts, too, and `dataclasses.replace(split, images=pixels)` makes a split with other images. Where a tensor `by` holds
# a random shift for each image, `pixels[by == right] = moved[by == right]` fills in the images whose shift is `right`.

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# The same network, seed, epochs and number of images; only where the digits stand differs. It does learn it, in our run of one
# seed. At a shift of 4, accuracy rises from 78.4 % <!-- claim: lenet5-shifts-before-4 --> to
# 98.5 %. <!-- claim: lenet5-shifts-after-4 --> At 6, which it never saw, it rises from
# 28.5 % <!-- claim: lenet5-shifts-before-6 --> to 94.1 %. <!-- claim: lenet5-shifts-after-6 --> What a network's layers
# do not give, examples can, at no cost in time, because there are no more steps than before. Whether it costs accuracy on
# digits in the middle, one seed cannot tell. And nothing promises that it holds much further out.
#
# </details>

# %% tags=["solution"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
from dataclasses import replace

training.set_seed(0)
by = torch.randint(-4, 5, (len(digits.train),))
pixels = digits.train.images.clone()
for right in range(-4, 5):
    moved = data.shift_images(digits.train, right).images
    pixels[by == right] = moved[by == right]
taught, train = models.lenet5(), replace(digits.train, images=pixels)
training.fit(taught, train, **options | {"show": False})
for right in range(7):
    moved = data.shift_images(digits.val, right)
    for words, network in (("before", lenet5), ("after", taught)):
        accuracy = training.evaluate(network, moved).accuracy
        print(f"{words}, moved by {right}: {accuracy:.1%}")

# %% [markdown]
# ## What to remember
#
# 1. A convolution is a small template that moves: it looks at neighbours only, and uses the same weights everywhere.
# 2. Its parameters do not depend on the size of the image: from $c$ channels to $d$ they are $d\,(c k^2 + 1)$.
# 3. Convolutions follow a shift, pooling forgets a little of it, linear layers do neither. LeNet-5 is tolerant, not invariant.
# 4. A window of $k$ adds $(k-1) \cdot \text{jump}$ pixels to the receptive field, and a stride multiplies the jump.
# 5. A network's layers are an assumption about the data. Test it by breaking it: move, shuffle.

# %% [markdown]
# ## Quiz
#
# Six questions. Each wrong choice is a common belief, and its answer names the place that refutes it.
#
# **Question 1.** The images become twice as large. What happens to the number of parameters of a convolution?
#
# 1. It grows fourfold: there are four times as many pixels.
# 2. It stays.
# 3. It doubles.
#
# <details><summary>Answer</summary>
#
# 1. The belief is that each pixel needs a weight. That holds for a linear layer. Goal 3b counts a convolution's: the size of
#    the image does not enter.
# 2. **Right.** The kernels stay as they are, and move over a larger field. The work grows, the parameters don't.
# 3. The belief is that weights belong to rows or columns. They belong to the kernel: see goal 3b.
#
# </details>
#
# **Question 2.** A convolution goes from 6 to 16 channels with kernels of 5 × 5. How many weights does one of its kernels have?
#
# 1. 25
# 2. 150
# 3. 2,400
#
# <details><summary>Answer</summary>
#
# 1. The belief is that a kernel looks at one channel. It has a sheet of 5 × 5 for each of the six, and adds up over all:
#    goal 3a multiplies rows of 6 · 5 · 5.
# 2. **Right.** Six sheets of 25.
# 3. That is what all 16 kernels have together.
#
# </details>
#
# **Question 3.** LeNet-5, trained on centred digits, gives the same answer wherever a digit stands. Is that so?
#
# 1. Yes: its convolutions share their weights, so they do not care about the place.
# 2. Yes: pooling forgets where in its window a stroke was.
# 3. No.
#
# <details><summary>Answer</summary>
#
# 1. The belief mixes up equivariance and invariance. The maps *move* with the digit, and the linear layers behind them know
#    places. Goal 5a shows how far the accuracy falls.
# 2. A pool forgets one pixel of a thin stroke's shift, in half of all cases. Goal 5b compares with a LeNet-5 that has none: pooling helps, and not far.
# 3. **Right.** It is tolerant of small shifts, not invariant. Exercise 6 shows what examples can add.
#
# </details>
#
# **Question 4.** What did pooling, in place of strides, give LeNet-5 in our runs?
#
# 1. Smaller maps and less work for the layers behind, and nothing else.
# 2. Tolerance of shifts.
# 3. Most of its lead over the perceptron on digits in their place.
#
# <details><summary>Answer</summary>
#
# 1. The strided network has maps of the same size, and reads fewer of the digits that have moved: goal 5b.
# 2. **Right.** Five seeds can't tell whether it helps in place. At four pixels it is worth
#    11.1 ± 5.1 points. <!-- claim: pooling-at-4 -->
# 3. Without pooling LeNet-5 is ahead of the perceptron, too: goal 4.
#
# </details>
#
# **Question 5.** Network A, trained for 12 epochs at its best of seven rates, beats network B, trained for 8 epochs at the
# rate that nobody tuned. What do you conclude?
#
# 1. A is the better network.
# 2. Nothing about the networks: their recipes differ.
# 3. B needs more parameters.
#
# <details><summary>Answer</summary>
#
# 1. The belief is that a result belongs to the network. It belongs to network *and* recipe: in chapter 1 a falling rate alone
#    made the perceptron better.
# 2. **Right.** Give both the same images, epochs and tuning first. *A fair comparison* does.
# 3. The perceptron has nine times LeNet-5's parameters, <!-- claim: lenet5-a-ninth --> and reads fewer digits.
#
# </details>
#
# **Question 6.** Why does LeNet-5 fall behind the perceptron on shuffled digits?
#
# 1. It has fewer parameters than the perceptron, and shuffled digits are harder, so it needs more.
# 2. Its learning rate was chosen on digits whose pixels are in their place.
# 3. What its layers assume about pixels is false there.
#
# <details><summary>Answer</summary>
#
# 1. Shuffled digits are not harder as such: the perceptron reads about as many. And with as few parameters LeNet-5 leads in place: goal 4.
# 2. In the study below goal 7 it tried its rates on shuffled pixels, and still fell behind.
# 3. **Right.** Its windows join pixels that have nothing to do with each other, and its sharing assumes that all places are alike.
#
# </details>

# %% [markdown]
# ## References
#
# - LeNet-5 and MNIST: [LeCun et al., 1998](https://doi.org/10.1109/5.726791).
# - Receptive fields: [Araujo et al., 2019](https://distill.pub/2019/computing-receptive-fields/).
# - ReLU: [Glorot et al., 2011](https://proceedings.mlr.press/v15/glorot11a.html).
