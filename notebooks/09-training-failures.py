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
# Two networks of 16 layers learn from the same 2,250 photographs by the same recipe. They differ in the function that draws the first
# weights. Each line is the mean of five runs, with a band from the lowest to the highest:

# %% tags=["install"]
import sys

if "google.colab" in sys.modules:
    address = "git+https://github.com/convnets-measured/convnets-measured"
    get_ipython().run_line_magic("pip", f"install --quiet {address}")

# %% tags=["drawn", "card", "remove-input"]
from course_lib import plots
from course_lib.records import studies

curves = studies.curves("failures")[["name", "epoch", "train_loss"]]
curves = curves[curves["name"].str.endswith("weights, rate 0.001")]
curves["name"] = curves["name"].map(
    lambda name: "one line changed" if "He" in name else "as it was"
)
plots.mean_curves({"Sixteen layers, 2,250 photographs": curves})

# %% [markdown]
# After ten epochs the changed one reads 36.0 ± 1.9 % <!-- claim: deep-he --> of the validation images, the other
# 15.9 ± 3.6 %. <!-- claim: deep-torch --> Guessing would read one in ten. Four cases follow, with short checks that would have helped.
#
# > **What you will be able to do.** Each goal is answered by the cell whose first line has its number.
# >
# > 1. Recognise a network that guesses by its loss.
# > 2. Tell, in seconds, a failed optimisation from too little data.
# > 3. Follow the gradient through the layers and the steps of a run.
# > 4. Tell three failures apart that have the same loss.
# > 5. Compare two networks on little data.
# > 6. Find tensors that may not have fitted into memory, and take the step of a large batch in small pieces.
# > 7. Catch silent mistakes, each with one line.
#
# To run it yourself, open it in Colab: `PROFILE = "auto"` is the run that you see, 2 min <!-- claim: training-failures-time --> on two CPU
# cores, and 1.6 GB <!-- claim: training-failures-memory --> of memory. `"quick"` takes a sample, half a minute, and other numbers than the
# text.

# %% tags=["parameters"]
PROFILE = "auto"

# %% tags=["hide-input"]
import math
import warnings

import torch
from course_lib import analysis, data, live, models, plots, training
from course_lib.profiles import resolve_profile
from torch import nn
from torch.nn import functional as F

warnings.filterwarnings("ignore", category=training.TrainingWarning)
profile = resolve_profile(PROFILE, without_gpu="cpu")
quick = profile == "quick"
photos = data.load("cifar10", size="sample" if quick else "full")
photos = photos.part(512 if quick else 2_250)  # 5 % of the training images
recipe = {"epochs": 1, "batch_size": 32} if quick else {"epochs": 10}
recipe |= {"precision": "auto"}

# %% [markdown]
# ## Case 1: stuck at ln 10
#
# The network is a plain VGG: VGG-16's convolutions at a quarter of the width, two hidden layers of 128 units, no batch norm, no dropout.
# Its sixteen layers start with PyTorch's default weights. It trains with Adam at a rate of 0.001 for ten epochs of 18 steps, 128
# photographs each.


# %%
def plain_vgg(first_weights, seed=0):
    training.set_seed(seed)
    options = {"pooled": 1, "hidden": (512, 512), "dropout": 0.0}
    layers = models.CONFIGURATIONS["D"]
    network = models.VGG(layers, num_classes=10, width=0.25, **options)
    return network.apply(first_weights)  # which is called with each layer


def torchs_weights(layer):  # our VGG draws them as torchvision does
    if isinstance(layer, nn.Conv2d | nn.Linear):
        layer.reset_parameters()


# %%
# Goal 1a: a network that learns nothing
def train(name, first_weights, **options):
    network = plain_vgg(first_weights)
    options = recipe | options
    with analysis.watch(network, every=10) as seen:  # gradients of each layer
        history = training.fit(network, photos.train, photos.val, **options)
    answers = training.predict(network, photos.val)
    training.record(name, history, answers, photos, split="validation")
    return history, seen.table()


stuck, signals = train("slow to start", torchs_weights)

# %% [markdown]
# For four epochs <!-- claim: stuck-epochs --> the loss stands at 2.303. That is chapter 1's $\ln 10$, the loss of a guess among ten
# classes. A fresh network with small scores starts near it. One that stays there has learned nothing, whatever its accuracy.
#
# But $\ln 10$ is for equal classes:
#
# > **Your guess.** Nine in ten images show a cat, one shows a dog. A network knows these shares, and nothing about images. What is its
# > loss? <!-- guess: nine-in-ten, 0 to 2.3 -->

# %% tags=["nbval-check-output"]
# Goal 1b: the loss of a network that knows the shares of the classes only
for shares in ([0.9, 0.1], [0.5, 0.5], [0.1] * 10, [0.001] * 1000):
    shares = torch.tensor(shares)
    entropy = -(shares * shares.log()).sum().item()
    print(f"{len(shares):5,} classes: loss {entropy:.3f}")

# %% [markdown]
# > **What we found.** 0.325, <!-- claim: nine-in-ten --> the *entropy* of the shares, $-\sum_k p_k \ln p_k$. With $K$ equal classes it is
# > $\ln K$.
#
# Compute it for your data before the first run.
#
# Is too little data the reason, as people say? <!-- claim: E.8 --> Too little data shows as a *gap*: a network knows its few images by
# heart, and no others. But this is the *training* loss: the network doesn't even know those few.
#
# ### Check: can it learn one batch by heart?
#
# Take thirty photographs, the same in each step: a healthy network with 955,098 weights <!-- claim: plain-parameters --> learns these
# quickly. Settle beforehand how many steps it gets and what counts as learned: here sixty steps and a loss below 0.1.
#
# > **Your turn.** Write `by_heart`, which trains on one batch and returns the losses.


# %% tags=["your-turn"]
def by_heart(network, images, labels, steps):
    # optimizer = torch.optim.Adam(network.parameters()), network.train()
    # in each step: the loss, zero_grad, backward, step
    # return a list of the losses, as numbers
    ...


images, labels = torch.randn(8, 3072), torch.arange(8)
small = nn.Linear(3072, 10)
F.cross_entropy(small(images), labels).backward()
first = small.weight.grad.norm()  # large: it has learned nothing yet
losses = by_heart(small, images, labels, steps=20)
assert losses and len(losses) == 20, "return a list, one loss a step"
assert not torch.is_tensor(losses[0]), "numbers: loss.item()"
assert losses[-1] < 0.1, "it learns nothing: backward(), then step()"
last = small.weight.grad.norm()  # small, unless gradients were added up
assert last < first, "gradients add up from step to step: zero_grad()"


# %% tags=["finished"] cellView="form" jupyter={"source_hidden": true}
# @title One way to write it
def by_heart(network, images, labels, steps):
    optimizer = torch.optim.Adam(network.parameters())
    network.train()
    losses = []
    for _ in range(steps):
        loss = F.cross_entropy(network(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


# %% [markdown]
# > **Your guess.** Thirty photographs, sixty steps. At which loss is a fresh copy of the stuck network
# > then? <!-- guess: by-heart-torch, 0 to 2.5 -->

# %%
# Goal 2: thirty photographs, again and again
thirty = photos.part(30).train
one_batch = thirty.normalize(thirty.images), thirty.labels
losses = by_heart(plain_vgg(torchs_weights), *one_batch, steps=60)
print(f"torch's weights: {losses[0]:.2f} at first, {losses[-1]:.2f} after 60")

# %% [markdown]
# > **What we found.** 1.49, <!-- claim: by-heart-torch --> far above 0.1: it fails the test.
#
# ### Look inside
#
# Chapter 4 found a suspect: the first weights. A layer with $n$ inputs, weights of variance $v$ and a ReLU multiplies what differs between
# images by $\sqrt{n v / 2}$. PyTorch's $v = 1/(3n)$ makes that 0.41, <!-- claim: torch-factor --> and after fifteen layers about a
# millionth <!-- claim: torch-shrinks --> is left. He's rule, $v = 2/n$, makes it 1. Change the first weights alone (He's rule also sets
# biases to zero):


# %%
def hes_weights(layer):
    if isinstance(layer, nn.Conv2d | nn.Linear):
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        nn.init.zeros_(layer.bias)


losses = by_heart(plain_vgg(hes_weights), *one_batch, steps=60)
print(f"He's weights: {losses[0]:.2f} at first, {losses[-1]:.2f} after 60")

# %% [markdown]
# 0.00, <!-- claim: by-heart-he --> from the same images, layers and steps: neither the data nor the number of weights held it back. This is
# the difference in the first figure. Now watch the stuck run: how strong is the gradient by each layer's output, every tenth step?

# %%
# Goal 3: the stuck run, layer by layer and step by step
plots.signals_over_steps(signals, "gradient rms")

# %% [markdown]
# The loss's gradient enters at the bottom and fades on its way up to the first layer. The front layers are dark for some seventy steps.
# Then a signal gets through, and after step 100 it stays. Such a network is *slow to start*, and chance decides when it does. The study
# `failures` repeats this run with five seeds: four leave $\ln 10$ (get 0.1 below it) in epochs four to nine, and one not within
# ten. <!-- claim: slow-seeds-leave-late --> With few images and epochs, you give up before that.
#
# ### Four remedies, one at a time
#
# People try better first weights; batch norm, with PyTorch's weights; a tenth of the rate; or a *warm-up*, a rate that rises from zero,
# here over the first three tenths of the steps.
#
# > **Your guess.** Which of the four leaves $\ln 10$ in the first epoch?
# >
# > - He's weights.
# > - Batch norm. <!-- answer: who-leaves-first -->
# > - The lower rate.
# > - The warm-up.

# %% tags=["drawn", "hide-input"]
# Goal 4a: four remedies
curves = studies.curves("failures")[["name", "epoch", "train_loss"]]
remedies = {
    "deep, torch's weights, rate 0.001": "none",
    "deep, He's weights, rate 0.001": "He's weights",
    "deep, torch's weights, rate 0.001, batch norm": "batch norm",
    "deep, torch's weights, rate 0.0001": "a tenth of the rate",
    "deep, torch's weights, rate 0.001, warm-up": "warm-up",
}
curves["name"] = curves["name"].map(remedies)
plots.mean_curves({"Four remedies": curves.dropna()})

# %% [markdown]
# > **What we found.** Batch norm, with all five seeds. He's weights follow in the second or third epoch, and no other run before the
# > fourth. <!-- claim: who-leaves-first --> Only these two end at a training loss that is, by more than chance, lower than without a
# > remedy. <!-- claim: two-remedies-help -->
#
# He's weights start the signal at the right size; batch norm brings it there in every layer and every step. The other two only keep steps
# small, which doesn't bring back a signal.
#
# ### Too fast looks the same
#
# > **Your guess.** He's weights, which cured it, and ten times the rate, 0.01. Where does the loss end?
# >
# > - Below 1: it learns faster.
# > - At "not a number".
# > - At ln 10. <!-- answer: too-fast-ends-at-ln-10 -->

# %%
# Goal 4b: three failures, and a network that learns
runs = {"slow to start": (stuck, signals)}
for name, first_weights, rate in (
    ("dead", torchs_weights, 0.01),
    ("thrown about", hes_weights, 0.01),
    ("healthy", hes_weights, 0.001),
):
    options = {"learning_rate": rate, "show": False}
    runs[name] = train(name, first_weights, **options)
histories = {name: history for name, (history, _) in runs.items()}
plots.compare_curves(histories, "train_loss")

# %% [markdown]
# > **What we found.** At $\ln 10$, <!-- claim: too-fast-ends-at-ln-10 --> with either kind of first weights.
#
# In epochs two to four, three lines sit at one height. What sets them apart is the gradient by the first layer's *weights*, then and later
# (one run each):

# %%
# Goal 4c: the first layer's gradient, step by step
tables = {name: table for name, (_, table) in runs.items()}
plots.first_layer_over_steps(tables)

# %% [markdown]
# **Slow to start.** It begins at 0.000000005, <!-- claim: slow-front --> where He's weights begin at 0.01, <!-- claim: healthy-front -->
# and creeps along until a signal gets through.
#
# **Dead.** It begins as small, but at a rate of 0.01 the steps are too large. From step 80 <!-- claim: dead-from --> on it is exactly zero.
# A ReLU that gives zero passes no gradient back. Where a whole layer gives zero for every image, no weight up to it gets a gradient any
# more:

# %%
print(histories["dead"].warnings.get("dead-layers"))

# %% [markdown]
# **Thrown about.** It begins as the healthy network does, but in the first epoch the loss is 3.87, <!-- claim: thrown-about-first --> and
# the gradient falls, to 0.0000003 <!-- claim: thrown-end --> in the end. It is zero at no recorded step, so `fit` warns only of the loss.
# We haven't tested why the network doesn't recover.
#
# A lower rate helps the last two, the dead one only with He's weights. How low? The study `failures` tries six rates, five seeds each:

# %% tags=["drawn", "hide-input"]
# Goal 4d: six rates
table = studies.table("failures")
words = table["name"].str.split(", ")
plain = table[words.str.len() == 3]  # "deep", first weights, rate
by_weights = dict(list(plain.groupby(words.str[1], sort=False)))
plots.accuracy_by("learning_rate", by_weights, "validation")

# %% [markdown]
# > **What we found.** With torch's weights no rate is a remedy within ten epochs: the best of 30 runs reads
# > 19.5 %. <!-- claim: deep-torch-best --> With He's weights the network learns at every rate up to 0.001, with the highest mean,
# > 37.8 ± 1.5 %, <!-- claim: deep-he-at-best --> at 0.0003. At 0.003 four of five runs learn, <!-- claim: deep-he-at-003 --> and from 0.01
# > on all ten only guess. <!-- claim: deep-he-too-fast -->
#
# ## Case 2: little data
#
# Somebody trains AlexNet and VGG8, a VGG of eight layers, on a twentieth of CIFAR-10 for ten epochs. VGG8 wins, <!-- claim: E.8 --> and is
# said to suit little data because it is smaller. Our study `little-data` trains both at half width, five seeds each, on growing shares of
# the data. AlexNet has five times <!-- claim: alexnet-to-vgg8 --> the parameters.
#
# > **Your guess.** On the smallest share, 2,250 photographs, which network reads more of the validation images?
# >
# > - VGG8, the smaller one.
# > - AlexNet, the larger one. <!-- answer: alexnet-less-vgg8-little -->
# > - They are equal.

# %% tags=["drawn", "hide-input"]
# Goal 5a: accuracy by the number of photographs
curves = studies.curves("little-data")
runs = studies.table("little-data").set_index(["name", "seed"])
ends = curves.groupby(["name", "seed"])["val_accuracy"].last()
runs = runs.assign(accuracy=ends).reset_index()
words = runs["name"].str.split(", ")
plain = runs[words.str.len() == 3]  # network, "half width", share
by_network = dict(list(plain.groupby(words.str[0])))
plots.accuracy_by("train", by_network, "validation")

# %% [markdown]
# > **What we found.** AlexNet, the *large* network, by 6.7 ± 3.1 points: <!-- claim: alexnet-less-vgg8-little -->
# > 36.8 % <!-- claim: alexnet-on-little-data --> against 30.1 %. <!-- claim: vgg8-on-little-data -->
#
# (± is half of the difference's 95 % interval.) Why? First look for the mark of little data, a gap between training and validation:

# %% tags=["drawn", "hide-input"]
# Goal 5b: is there a gap?
columns = ["name", "epoch", "train_accuracy", "val_accuracy"]
panels = {}
for share, title in (("5%", "A twentieth"), ("100%", "All")):
    names = {
        f"{kind}, half width, {share}": kind for kind in ("VGG8", "AlexNet")
    }
    some = curves.loc[curves["name"].isin(names), columns]
    panels[f"{title} of the photographs"] = some.replace({"name": names})
plots.mean_curves(panels)

# %% [markdown]
# On the left there is hardly a gap, and all four lines still rise: neither network has learned its own images. (Training accuracy is logged
# with dropout on, which hides some of a gap: chapter 5.) What sets them apart? Two suspects.
#
# **Few steps.** Ten epochs of a twentieth of the data are only 180 steps: "little data" and "little training" are mixed up. **First
# weights.** AlexNet has PyTorch's. VGG8's linear layers, its *head*, start as in torchvision's VGG, with a standard deviation of 0.01:
# chapter 4's weak head, with a factor of $0.01 \sqrt{256/2} = 0.11$ <!-- claim: vgg8-head-factor --> for each of two hidden layers.

# %% tags=["drawn", "hide-input"]
# Goal 5c: first weights or steps?
at_5 = runs[runs["name"].str.endswith(", 5%")]
case = at_5["name"].str.removesuffix(", 5%").str.replace("its ", "")
case = case.str.replace(", half width", "")
plots.run_dots(at_5.groupby(case)["accuracy"], "validation")

# %% [markdown]
# > **What we found.** The head, above all. With He's weights in its head VGG8 gains 15.9 ± 3.7 points, <!-- claim: he-helps-vgg8-by --> and
# > is 9.2 ± 3.0 points <!-- claim: he-vgg8-less-alexnet --> ahead of AlexNet. After three times the steps the difference is
# > 2.4 ± 2.7 points, <!-- claim: vgg8-less-alexnet-longer --> and undecided.
#
# So ten epochs had compared starts, not what suits little data. (At half width and 32 × 32. At full width and 224 × 224 AlexNet stays
# ahead: *Going further*.) A check against $\ln 10$ misses this, since all had begun to learn. Steps matter, too: three times as many bring
# AlexNet 10.4 ± 3.9 points. <!-- claim: steps-help-alexnet --> Little data shows only then: AlexNet knows
# 85.7 % <!-- claim: alexnet-longer-training --> of its own photographs, VGG8 97.5 %, <!-- claim: vgg8-longer-training --> and both read
# less than half of the others. <!-- claim: longer-below-half --> *That* is the gap.
#
# *Compare two networks on little data when both have stopped improving on their own training images.*
#
# ## Case 3: out of memory
#
# A VGG-16 with batch norm, the third network of a session, stops at a max-pool. The GPU has 14.74 GiB:
#
# ```
# CUDA out of memory. Tried to allocate 392.00 MiB. 90.12 MiB is free.
# 14.08 GiB is allocated by PyTorch, 442.04 MiB is reserved but unallocated.
# ```
#
# It had been given 10 % <!-- claim: E.6 --> of the data, twice as much as before, so its author went back to half. But a step holds one
# batch: twice the images make twice the steps, each as large as before. Memory grows with the *batch*:
#
# > **Your guess.** By which factor does the memory of a step grow from a batch of 64 to one of
# > 128? <!-- guess: memory-128-to-64, 1 to 3 times -->

# %% tags=["nbval-check-output"]
# Goal 6a: what memory grows with
with torch.device("meta"):  # shapes, no numbers
    vgg16 = models.vgg16_bn(10)
for size in (32, 64, 128):
    memory = analysis.training_memory(vgg16, (3, 224, 224), size)
    print(f"batch {size}: {memory.total / 2**30:.1f} GiB")

# %% [markdown]
# > **What we found.** 1.8 times: <!-- claim: memory-128-to-64 --> outputs double, and weights, gradients and Adam's means stay.
#
# (The 442.04 MiB lie in pieces, none of them large enough.) Which tensor asked for 392.00 MiB? Few have exactly that size. A max-pool asks
# for its output, and for the *indices* of its largest values, 8 bytes each. The second pool gives 128 maps of 56 × 56, so for a batch of
# 128 its indices take $128 \cdot 128 \cdot 56^2 \cdot 8$ bytes, which are 392 MiB. Others fit as well:

# %% tags=["nbval-check-output"]
# Goal 6b: what a max-pool can ask for that has this size
found = analysis.tensors_of_size(vgg16, (3, 224, 224), 392 * 2**20)
pools = found[found["type"] == "MaxPool2d"].drop(columns=["type", "dtype"])
pools = pools.assign(held=pools["held"] / 2**30).query("held < 14.08")
pools.rename(columns={"held": "GiB held before"}).round(2)

# %% [markdown]
# The last column is what the network holds by then, with all earlier outputs, which wait for the backward pass. But 14.08 GiB were
# allocated: what was the rest? A notebook keeps what has a name, so the session's first two networks, AlexNet and VGG-16, were probably
# still there, with gradients and Adam's two means: 2.85 GiB. <!-- claim: earlier-networks --> With them the second pool's indices, at batch
# 128 in float32, leave only 0.13 GiB <!-- claim: suspect-leaves --> to explain, the others 4 GiB or more. <!-- claim: one-suspect-fits -->
# But a log of an earlier attempt shows float16, not float32.
#
# In any case a smaller batch helps.
#
# ### The same step in small pieces
#
# You need batches of 128, and 32 fit. Send four *micro-batches* through the network, add up their gradients, and step once.
#
# > **Your turn.** Write `gradients_in_pieces`. The loss is a mean, so each piece counts by its share of the batch.


# %% tags=["your-turn"]
def gradients_in_pieces(network, images, labels, pieces):
    network.zero_grad()
    # images.tensor_split(pieces) cuts them; go through the pairs:
    # the mean loss of a piece, times its share, then backward()
    # return torch.cat([w.grad.flatten() for w in network.parameters()])
    ...


linear, labels = nn.Linear(3, 10).double(), torch.arange(7)
images = torch.randn(7, 3, dtype=torch.float64)
F.cross_entropy(linear(images), labels).backward()
whole = torch.cat([w.grad.flatten() for w in linear.parameters()])
pieces = gradients_in_pieces(linear, images, labels, pieces=2)
assert pieces is not None, "return the gradients, as the comment says"
ratio = (pieces.norm() / whole.norm()).item()
assert ratio < 1.5, f"{ratio:.1f} times too large: weight each piece"
assert torch.allclose(pieces, whole), "the share is len(y) / len(labels)"


# %% tags=["finished"] cellView="form" jupyter={"source_hidden": true}
# @title One way to write it
def gradients_in_pieces(network, images, labels, pieces):
    network.zero_grad()
    parts = images.tensor_split(pieces), labels.tensor_split(pieces)
    for x, y in zip(*parts, strict=True):
        loss = F.cross_entropy(network(x), y)
        (loss * len(y) / len(labels)).backward()
    return torch.cat([w.grad.flatten() for w in network.parameters()])


# %%
# Goal 6c: one batch, or four pieces
some = photos.train.select(range(60))
images = some.normalize(some.images).double()
for name, build in {
    "VGG8": models.vgg8,
    "VGG8 with batch norm": models.vgg8_bn,
}.items():
    training.set_seed(0)
    network = build(10, 3, 0.25, dropout=0.0).double()
    split = gradients_in_pieces(network, images, some.labels, pieces=4)
    whole = gradients_in_pieces(network, images, some.labels, pieces=1)
    apart = (split - whole).norm() / whole.norm()
    print(f"{name}: gradients differ by {apart:.0e} of their size")

# %% [markdown]
# Without batch norm it is the same step, but for rounding. <!-- claim: micro-batches-are-equal --> With it, means are over 15 images
# instead of 60, so the step differs.
#
# ## Case 4: silently wrong
#
# These mistakes print numbers that look fine.
#
# ### Softmax twice
#
# `F.cross_entropy` takes logits and applies softmax itself. Given probabilities, the network still learns, but badly.
#
# > **Your guess.** Ten classes, and probabilities in place of logits. What is the loss of a *perfect*
# > answer? <!-- guess: softmax-twice, 0 to 2.3 -->

# %% tags=["nbval-check-output"]
# Goal 7a: what does a perfect answer cost?
labels = torch.arange(10)
perfect = 100.0 * F.one_hot(labels, 10)
once = F.cross_entropy(perfect, labels).item()
twice = F.cross_entropy(perfect.softmax(dim=1), labels).item()
print(f"logits {once:.3f}, probabilities {twice:.3f}")

# %% [markdown]
# > **What we found.** 1.461, <!-- claim: softmax-twice --> or $\ln(e + 9) - 1$, since a one and nine zeros are scores like any others.
#
# A training loss that stops at 1.46 is most likely this. **Check:** a perfect answer costs nothing.
#
# ### `eval()` forgotten
#
# Dropout throws away half of a layer, and batch norm looks at who else is in the batch. **Check:** two passes agree, and two images get the
# same answers by themselves as in company.

# %% tags=["nbval-check-output"]
# Goal 7b: does a network give the same answer twice?
images = torch.randn(8, 3, 32, 32, generator=torch.Generator().manual_seed(0))
for name in ("vgg8", "vgg8_bn"):
    training.set_seed(0)
    network = getattr(models, name)(10, 3, width=0.25)
    for mode in (True, False):
        network.train(mode)
        with torch.no_grad():
            one, two, alone = (
                network(x)[:2] for x in (images, images, images[:2])
            )
        same = torch.allclose(one, two, atol=1e-5)
        same = same and torch.allclose(one, alone, atol=1e-5)
        print(f"{name}, training mode {mode}: the same answer {same}")

# %% [markdown]
# ### Means of means
#
# Many loops take the mean of the batches' mean losses. The last batch is smaller, so its images count more. **Check:** the mean must not
# depend on the batch size.

# %% tags=["nbval-check-output"]
# Goal 7c: does the mean depend on the batch?
losses = torch.linspace(0, 4, 130, dtype=torch.float64)  # 130 images
for size in (130, 128, 10):
    batches = [batch.mean() for batch in losses.split(size)]
    print(f"batches of {size}: {torch.stack(batches).mean():.3f}")

# %% [markdown]
# With 128 the last two images count as much as all the others together.
#
# Two more are under *Going further*.

# %% [markdown]
# ## The diagnosis card
#
# Begin with what takes a second:
#
# 1. Look at a batch, as images with labels (chapter 8).
# 2. The first loss: near $\ln K$, or above it with He's weights, whose first scores are larger?
# 3. Thirty images, at the run's own rate: learned by heart?
# 4. The gradients, layer by layer and step by step: tiny, zero, fading?
# 5. Training against validation, with training accuracy measured in evaluation mode: is there a gap?
# 6. Only then: more data, another network, another rate.
#
# The [diagnosis card](https://github.com/convnets-measured/convnets-measured/blob/main/book/diagnosis.md) has all symptoms of the course.
#
# Practise here: can you tell from the curves which mistake was made?

# %% tags=["drawn"]
live.train_here(bugs=True)

# %% [markdown]
# > **Reference card.**
# >
# > | what | formula | example |
# > |---|---|---|
# > | loss of a guess, $K$ equal classes | $\ln K$ | 10: $\ln 10 = 2.303$; 1,000: $6.908$ |
# > | loss of a guess, classes with shares $p_k$ | $-\sum_k p_k \ln p_k$ | 0.9 and 0.1: $0.095 + 0.230 = 0.325$ |
# > | by heart | 30 images, 60 steps, a loss below 0.1 | PyTorch's weights here: 1.49 <!-- claim: by-heart-torch -->. Look inside |
# > | a layer and its ReLU keep | $\sqrt{n v / 2}$ | PyTorch, $v = 1/(3n)$: $\sqrt{1/6} = 0.41$; He, $v = 2/n$: 1 |
# > | memory of a step | 16 bytes a parameter (Adam) + outputs × batch | VGG-16 with batch norm, 128 images of 224 × 224: 17.2 GiB |
# > | micro-batches | $\sum_i \frac{n_i}{N} L_i$, then one step | 4 and 3 of 7: $\frac47 L_1 + \frac37 L_2$ |
# > | softmax twice, the lowest loss | $\ln(e + K - 1) - 1$ | 10: $1.461$ |
# >
# > | loss at ln K, and the first layer's gradient is... | it is | what helped here |
# > |---|---|---|
# > | tiny from the first step on | slow to start | He's weights, batch norm |
# > | exactly zero in the end | dead | He's weights and a lower rate |
# > | good at first, then small | thrown about | a lower rate |
# >
# > In plain PyTorch, without this course's library:
# >
# > ```python
# > def front_gradient(network, images, labels):
# >     network.zero_grad()
# >     F.cross_entropy(network(images), labels).backward()
# >     return next(network.parameters()).grad.square().mean().sqrt()
# >
# > for layer in network.modules():
# >     if isinstance(layer, nn.Conv2d | nn.Linear):
# >         nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
# >         if layer.bias is not None:
# >             nn.init.zeros_(layer.bias)
# >
# > perfect = 100.0 * F.one_hot(labels, K)  # logits: softmax makes ones and zeros of them
# > assert F.cross_entropy(perfect, labels) < 1e-3  # your loss, in place of F.cross_entropy
# > network.eval()
# > assert torch.allclose(network(images)[:2], network(images[:2]), atol=1e-5)
# > ```

# %% [markdown]
# ## Going further
#
# <details><summary>You may have read a comparison of AlexNet and VGG on little data</summary>
#
# Cases 1 to 3 are taken from a student's report, which compared four networks on CIFAR-10 in four attempts: a twentieth of the data and one
# epoch, a tenth and two, a twentieth and an unstated number, a twentieth and ten. The table in the next cell has its accuracies. In the
# second attempt memory ran out. The loss of VGG stood at 2.303 <!-- claim: E.5 --> in the first, and its training accuracy in the last was
# 1.16 points <!-- claim: E.8 --> above guessing: it never learned its own images, so little data is not the cause. Neither its first
# weights nor its rate are known, so nobody can say which of three failures it was. Its VGG with batch norm learned, which fits all three.
#
# Two slips are in its text. 5 % <!-- claim: little-data-share --> of 50,000 is 2,500, and not 5,000. And its "10 batches" are ten epochs.
# In the first epoch the VGG with batch norm had a validation loss of 6.876, <!-- claim: E.5 --> three times that of guessing, and more
# right answers than any other: a young batch norm's running means lag behind, so it may be wrong, and sure of it. Every epoch was judged by
# the test images. With all data the report expects 80–90 %. <!-- claim: E.8 -->
#
# </details>

# %% tags=["hide-input", "nbval-check-output"]
# the report's four attempts, test accuracy in percent
import pandas as pd

reported = {  # claims: E.5, E.6, E.7, E.8
    "1": [10.00, 10.00, 17.34, 13.64],
    "2": [10.00, 10.00, None, None],
    "3": [10.03, 10.00, 21.38, 10.07],
    "4": [28.94, 10.00, 34.65, 42.66],
    "4, training less test": [-4.36, 1.16, -2.31, 0.19],
}
networks = ["AlexNet", "VGG", "VGG with batch norm", "VGG8"]
pd.DataFrame(reported, index=networks).rename_axis(columns="attempt")

# %% [markdown]
# <details><summary>AlexNet and VGG8 with more photographs, and with He's weights</summary>
#
# With a quarter of the photographs the difference between AlexNet and VGG8 is 0.0 ± 2.5 points, <!-- claim: alexnet-less-vgg8-quarter -->
# and with all −1.1 ± 1.6 points. <!-- claim: alexnet-less-vgg8-all --> (Behind a difference, ± is half of its 95 % interval; behind an
# accuracy, the standard deviation over seeds.)
#
# He's weights in *all* layers don't help everywhere: on a twentieth of the photographs AlexNet loses
# 11.6 ± 5.9 points. <!-- claim: he-hurts-alexnet-by --> We don't know why; a lower rate would be the next thing to try. Of the six
# differences on this share that the chapter gives, all but the undecided one count by Holm's rule. <!-- claim: little-by-holm -->
#
# </details>
#
# <details><summary>The same comparison at its own size</summary>
#
# The study `alexnet-vs-vgg-224` repeats the student's report (the first block here), as far as it is stated: four
# networks at full width, images enlarged to 224 × 224, 2,500 of them, ten epochs. VGG-16, the VGG8, Adam at 0.001 and batches of 128 are
# our choices. All layers of a network begin with torch's weights, or with He's, five seeds each. It ran on a GPU, an NVIDIA H200, in
# bfloat16. The table below has accuracies on 500 validation images.
#
# VGG-16 without batch norm is the network whose loss sat at $\ln 10$. With torch's weights all five seeds are at exactly one in ten after
# two epochs, and three still are after ten. <!-- claim: four-vgg16-torch --> With He's weights all five learn:
# 38.7 ± 1.7 %. <!-- claim: four-vgg16-he --> The first weights alone fix it. Yet the loss alone doesn't tell: it begins far above $\ln 10$,
# comes down to it, and then the network learns. <!-- claim: four-he-starts-high --> With batch norm and torch's weights all five leave a
# guess, too, and end 11.0 ± 3.9 points <!-- claim: E.11 --> below He's weights on test images. But He's rule does not always help: of five
# AlexNets that begin with it, one never leaves one in ten, and one leaves it and falls back, <!-- claim: four-alexnet-he-dead --> where
# with torch's weights all five reach 43.8 ± 0.7 %. <!-- claim: four-alexnet-torch --> A rate too high for these weights is a suspect; we
# have not tested it.
#
# One comparison was planned before the runs: with torch's weights, on test images, AlexNet is
# 13.0 ± 2.4 points <!-- claim: four-alexnet-less-vgg8 --> ahead of VGG8. It stays ahead, by
# 6.6 ± 1.4 points, <!-- claim: four-alexnet-less-vgg8-he --> if VGG8 begins with He's weights and AlexNet with torch's, the better start of
# each. With He's weights for both nothing is decided. <!-- claim: four-he-undecided --> The report's winner was VGG8; perhaps there AlexNet
# had the bad start. We cannot know.
#
# </details>

# %% tags=["drawn", "hide-input"]
# the report's networks, with either kind of first weights
curves = studies.curves("alexnet-vs-vgg-224").groupby(["name", "seed"])
four = curves["val_accuracy"].last().reset_index()
four[["network", "weights"]] = four["name"].str.rsplit(", ", n=1).to_list()
groups = four.groupby(["network", "weights"], sort=False)["val_accuracy"]
groups.agg(lambda runs: f"{runs.mean():.1%} ± {runs.std():.1%}").unstack()

# %% [markdown]
# <details><summary>The slow start in float32, and batch norm on validation images</summary>
#
# The study `failures` ran in bfloat16. In float32 the slow start is much the same: four of five seeds leave $\ln 10$ in epochs five to
# nine, and one not within ten. <!-- claim: slow-in-float32 --> On validation images batch norm and He's weights end level: batch norm reads
# 36.6 ± 1.6 %. <!-- claim: deep-norm -->
#
# </details>
#
# <details><summary>What Adam does with tiny gradients</summary>
#
# Adam divides each gradient by its own size, so a tiny gradient should make as large a step as any other. But it adds $\varepsilon$ to that
# size, $10^{-8}$ unless you change it. In the fresh network with torch's weights the gradients of the first six layers lie below it, at a
# few billionths: <!-- claim: front-gradients-below-epsilon --> there $\varepsilon$ is the larger part of the sum, and steps come out at
# less than half their length. That is still an enormous lift: the gradient is a millionth of a healthy one. Does $\varepsilon$ keep the
# network slow? Or is it that a gradient says little where all images get nearly the same answer? A run with $\varepsilon = 10^{-12}$ would
# tell. We have not made it.
#
# </details>

# %% tags=["hide-input"]
# fresh networks' gradients by their weights
some = photos.train.select(range(64))
images = some.normalize(some.images)
kinds = {"torch's weights": torchs_weights, "He's weights": hes_weights}
fresh = {
    name: analysis.signals(plain_vgg(weights), images, some.labels)
    for name, weights in kinds.items()
}
plots.signal_chain(fresh, "weight gradient rms", mark=("Adam's ε", 1e-8))

# %% [markdown]
# <details><summary>Out of memory: what was measured, and what nobody wrote down</summary>
#
# A larger data set doesn't take more memory. In the study of case 2 AlexNet's process peaked at
# 978 MB <!-- claim: memory-on-a-twentieth --> with a twentieth of the images, and at 965 MB <!-- claim: memory-on-a-tenth --> with a tenth,
# means of five runs.
#
# Was it the second pool that asked for 392.00 MiB? The float16 in the log of an earlier attempt speaks against it. Two lines that nobody
# wrote down would decide it: the batch size, and `torch.cuda.memory_allocated()` before the third network is built. In float32 a whole step
# with 128 images would not have fitted in any case. <!-- claim: batch-128-cannot-fit -->
#
# Where a batch does not fit, `fit` makes micro-batches by itself: it halves the pieces until they do, and says so.
#
# </details>
#
# <details><summary>How to let go of a network</summary>
#
# `del network` takes away a name. The memory goes when the *last* reference goes, and an optimiser holds all the weights of its network. So
# does a list of results, if you put networks into it, and so does the notebook's own memory of outputs, `Out`. On a GPU, torch keeps freed
# memory for its own next tensors; `torch.cuda.empty_cache()` hands it back to others, and frees nothing that still has a reference.
#
# </details>

# %% tags=["hide-input", "nbval-check-output"]
# who holds the weights?
import weakref

old = models.lenet5()
optimizer = torch.optim.Adam(old.parameters())
weights = weakref.ref(next(old.parameters()))
del old
print("network deleted, weights alive:", weights() is not None)
del optimizer
print("optimiser deleted, weights alive:", weights() is not None)

# %% [markdown]
# <details><summary>The test set as a guide</summary>
#
# Whoever takes the best of some runs by the test images has chosen by luck as well, and reports the luck. Below, equally good networks
# compete: each gets any image right with a chance of seven tenths, independently of the others. (The epochs of one run are not independent,
# so there the luck is smaller.) **Check:** the images that choose are not the images that judge.
#
# </details>

# %% tags=["hide-input", "nbval-check-output"]
# Goal 7d: the winner's luck
luck = torch.Generator().manual_seed(0)
for images in (1_000, 10_000):
    error = math.sqrt(0.7 * 0.3 / images)  # of a sum of yes and no
    for runs in (5, 50):
        reads = 0.7 + error * torch.randn(10_000, runs, generator=luck)
        best = reads.amax(dim=1).mean()
        print(f"best of {runs} on {images:,} images: {best:.1%}, not 70%")

# %% [markdown]
# <details><summary>A warning among hundreds</summary>
#
# `torch.cuda.amp` is deprecated. <!-- claim: E.9 --> It still works, and its warning scrolls by in each epoch. **Check:** run once with
# warnings turned into errors. (`torch.amp` takes the device as its first argument.)
#
# </details>

# %% tags=["hide-input"]
# Goal 7e: nobody reads warnings
with warnings.catch_warnings():
    warnings.simplefilter("error", FutureWarning)
    try:
        torch.cuda.amp.GradScaler(enabled=False)
    except FutureWarning as warning:
        print(str(warning).splitlines()[0])
    torch.amp.GradScaler("cuda", enabled=False)  # has nothing to say

# %% [markdown]
# ## Exercises
#
# ● by hand, ●● change and run, ●●● design an experiment. Guess first, then run, then open the solution.

# %% [markdown]
# ### Exercise 1: Three diagnoses
#
# ● *10 min.* Ten equal classes. (a) The training loss falls to 1.46 and stays there. (b) Thirty images are learned by heart, training
# accuracy reaches 99 of a hundred, validation stays at 30. (c) The loss is 2.303 from the second epoch on, and the first layer's gradient
# was 0.01 in the first step and is 0.0000003 now. What is wrong, and what do you try first?

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# (a) Softmax twice: 1.461 <!-- claim: softmax-twice --> is the loss of a perfect answer that went through softmax once too often. Give the
# loss logits. (b) A gap: the network learns, and has too little data for what it can learn by heart. More images, augmentation, dropout,
# fewer epochs. (c) The gradient was good and faded, so the network was thrown about. A new start at a lower rate.
#
# </details>

# %% [markdown]
# ### Exercise 2: One size for all layers
#
# ●● *15 min.* Give all weights of the deep network a standard deviation of 0.01, and biases of zero. By which factor does a layer of 64
# channels change the size of what differs between images, by which one of 512? Does the network learn thirty photographs by heart?

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# With 64 channels $n = 576$, and the factor is $0.01 \sqrt{576/2} = 0.17$. With 512 channels $n = 4{,}608$, and it is 0.48. One size cannot
# suit both. Our network has 16 to 128 channels, so it loses even more. In our run the loss is 2.303 <!-- claim: by-heart-tiny --> after
# sixty steps: it does not move at all. (Three images of each class are in the batch, so not even the last layer's biases have a reason to.)
#
# </details>


# %% tags=["solution"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
def one_size(layer):
    if isinstance(layer, nn.Conv2d | nn.Linear):
        nn.init.normal_(layer.weight, std=0.01)
        nn.init.zeros_(layer.bias)


for channels in (64, 512):
    factor = 0.01 * math.sqrt(9 * channels / 2)
    print(f"{channels} channels: {factor:.2f} a layer")
losses = by_heart(plain_vgg(one_size), *one_batch, steps=60)
print(f"all 0.01: {losses[-1]:.3f} after sixty steps")

# %% [markdown]
# ### Exercise 3: Another message
#
# ● *15 min.* ResNet-34 on images of 224 × 224 fails with "tried to allocate 98.00 MiB". What is the smallest power of two for the batch, in
# float32, and which layers could have asked? (A $7 \times 7$ convolution with stride 2 and 64 channels comes first.)

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# 98 MiB are $98 \cdot 2^{20} / 4$ numbers. At a batch of 16 that would be 1,605,632 <!-- claim: resnet-98-numbers --> an image. The largest
# output, behind the first convolution, has $64 \cdot 112^2 = 802{,}816$, half of that. So the batch was 32 at least, and there the first
# convolution and its batch norm fit. Larger batches have more suspects: sizes halve from stage to stage.
#
# </details>

# %% tags=["solution", "nbval-check-output"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
with torch.device("meta"):
    resnet = models.resnet34()
listed = analysis.tensors_of_size(resnet, (3, 224, 224), 98 * 2**20)
print(listed["batch"].value_counts(sort=False).to_string())
print(listed[listed["batch"] == 32]["layer"].tolist())

# %% [markdown]
# ### Exercise 4: Unequal pieces
#
# ●● *15 min.* Seven images in two pieces, four and three. Somebody adds up the gradients of the two mean losses and divides by two. By
# which weights should they be added instead? How large is the mistake in the last layer's bias, as a share of its largest gradient?

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# By 4/7 and 3/7. Half and half, the three images count a third more each than the four. In our run the gradient is off by
# 12.8 % <!-- claim: unequal-pieces --> of its largest value. Equal pieces make no mistake. It is the mean of means again, in the gradient
# instead of the loss.
#
# </details>

# %% tags=["solution"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
some = photos.train.select(range(7))
images, labels = some.normalize(some.images).double(), some.labels
training.set_seed(0)
network = models.vgg8(10, 3, 0.25, dropout=0.0).double()
right = gradients_in_pieces(network, images, labels, pieces=2)[-10:]
network.zero_grad()
parts = images.tensor_split(2), labels.tensor_split(2)
for x, y in zip(*parts, strict=True):
    (F.cross_entropy(network(x), y) / 2).backward()
wrong = list(network.parameters())[-1].grad
print(f"off by {(wrong - right).abs().max() / right.abs().max():.1%}")

# %% [markdown]
# ### Exercise 5: Not a number
#
# ●● *10 min.* Train the deep VGG with He's weights and plain gradient descent, `torch.optim.SGD`, at a rate of 10. What does the loss do,
# and what does `fit` say? Can further training help?

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# The first step throws the weights far away, the next loss is huge, its gradient larger still: after a few steps numbers overflow. Infinity
# minus infinity is not a number, and every sum with it is not a number either. So it spreads to all weights, and nothing brings it back: in
# our run `fit` finds all 32 weight tensors broken after one epoch. <!-- claim: nan-everywhere --> Build the network again, and lower the
# rate.
#
# </details>

# %% tags=["solution"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
history = training.fit(
    plain_vgg(hes_weights),
    photos.train.select(range(256)),
    epochs=1,
    batch_size=32,
    learning_rate=10.0,
    optimizer=torch.optim.SGD,
    show=False,
)
print(history[-1].train_loss, history.warnings, sep="\n")

# %% [markdown]
# ### Exercise 6: Would a warm-up save it?
#
# ●●● *40 min.* With He's weights and a rate of 0.01 the network is thrown about. A warm-up keeps the first steps small. Does it save this
# network? Design the experiment: what stays the same, how many seeds, what do you look at, and what would convince you?

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# Ours: the recipe of goal 4b with a rate that rises to 0.01 over the first three tenths of the steps; three seeds of first weights and
# order; and a rule set before: it is saved if all three leave $\ln 10$ by a tenth. The study has five runs without the warm-up at this
# rate, which all guess. <!-- claim: deep-he-too-fast --> With it, 0 <!-- claim: warm-up-saves --> of three leave it. So it is not only the
# first steps: the rate is too high for this network in later ones, too. A lower *rate* is the thing to try: at a constant 0.003 four of
# five learn. <!-- claim: deep-he-at-003 -->
#
# </details>


# %% tags=["solution"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
def warm_up(progress):
    return min(1.0, progress / 0.3)


saved = 0
for seed in range(1 if quick else 3):
    network = plain_vgg(hes_weights, seed)
    rising = recipe | {"learning_rate": 0.01, "schedule": warm_up}
    history = training.fit(
        network, photos.train, seed=seed, show=False, **rising
    )
    lowest = min(epoch.train_loss for epoch in history.epochs)
    saved += lowest < math.log(10) - 0.1
    print(f"seed {seed}: the lowest loss of an epoch is {lowest:.3f}")
print(f"saved by a warm-up: {saved}")

# %% [markdown]
# ## What to remember
#
# 1. A loss that sits at $\ln K$ is a network that guesses. Too little data looks different: it shows as a gap.
# 2. Let a network learn one small batch by heart, in a number of steps that you fix beforehand. If it cannot, look inside before you explain.
# 3. Slow to start, dead, thrown about: one loss, three causes. The first layer's gradient over the steps tells them apart.
# 4. Compare two networks on little data when both have stopped improving on their own training images. Before that you compare starts.
# 5. Memory goes by batch, pixels and channels, not by the size of the data set. Micro-batches make the same step, batch norm and dropout apart.

# %% [markdown]
# ## Quiz
#
# Six questions. Each wrong choice is a common belief, and its answer names the place that refutes it.
#
# **Question 1.** The training loss sits at 2.303 with ten equal classes. Which explanation is ruled out?
#
# 1. The first weights are too small.
# 2. The network overfits: there are too few images.
# 3. The rate is too high.
#
# <details><summary>Answer</summary>
#
# 1. That is one cause: goal 2, where other first weights cure it.
# 2. **Right.** Then the training loss would be low: few images are learned by heart.
# 3. That looks the same: goal 4b.
#
# </details>
#
# **Question 2.** Thirty images are learned by heart in sixty steps. Validation accuracy stays at 30 of a hundred. You look at...
#
# 1. ...first weights.
# 2. ...the rate, which must be too high.
# 3. ...data: how many, how varied, and whether there is a gap.
#
# <details><summary>Answer</summary>
#
# 1. A network with first weights that are too small fails this check: goal 2.
# 2. Only if the check ran at a lower rate. Give it the run's own: goal 4b shows what too high a rate does.
# 3. **Right.** The optimisation works.
#
# </details>
#
# **Question 3.** A deep plain network with PyTorch's weights is stuck from the first step on. What helps most?
#
# 1. A tenth of the rate.
# 2. A warm-up.
# 3. He's weights, or batch norm.
#
# <details><summary>Answer</summary>
#
# 1. It keeps steps small. No rate of six is a remedy within ten epochs: goals 4a and 4d.
# 2. It may help a little, and comes nowhere near: goal 4a.
# 3. **Right.** Both bring the signal to its size.
#
# </details>
#
# **Question 4.** The loss sits at 2.303. The first layer's gradient was tiny at first, and is exactly zero now. You...
#
# 1. ...train longer.
# 2. ...start again, with a lower rate and other first weights.
# 3. ...raise the rate, to get it moving.
#
# <details><summary>Answer</summary>
#
# 1. That can help a slow network. A dead one gets no gradient, however long: goal 4c.
# 2. **Right.** A lower rate alone is no remedy: goal 4d.
# 3. A rate that was too high is what killed it: goal 4b.
#
# </details>
#
# **Question 5.** A network without batch norm and dropout runs out of memory in training. Which of these helps, and leaves the step as it
# was?
#
# 1. Half of the images in the data set.
# 2. The batch in two pieces, whose gradients are added up by their shares.
# 3. Half of the images in a batch.
#
# <details><summary>Answer</summary>
#
# 1. A step holds one batch, whatever the size of the data set: goal 6a.
# 2. **Right.** Only rounding differs: goal 6c.
# 3. It helps, but makes another step.
#
# </details>
#
# **Question 6.** On little data one network beats another after ten epochs. Both training accuracies are low, and rise. What follows?
#
# 1. It suits little data better.
# 2. It has fewer parameters.
# 3. It learns faster from these first weights, so far.
#
# <details><summary>Answer</summary>
#
# 1. Other first weights, in one of the two, turned the order round: goal 5c.
# 2. In our study it was the larger one: goal 5a.
# 3. **Right.** What little data does shows later, as a gap.
#
# </details>

# %% [markdown]
# ## References
#
# - First weights: [Glorot and Bengio, 2010](https://proceedings.mlr.press/v9/glorot10a.html),
# [He et al., 2015](https://arxiv.org/abs/1502.01852).
# - Batch norm: [Ioffe and Szegedy, 2015](https://arxiv.org/abs/1502.03167).
# - VGG: [Simonyan and Zisserman, 2014](https://arxiv.org/abs/1409.1556). AlexNet:
# [Krizhevsky et al., 2012](https://papers.nips.cc/paper_files/paper/2012/hash/c399862d3b9d6b76c8436e924a68c45b-Abstract.html).
# - Adam: [Kingma and Ba, 2015](https://arxiv.org/abs/1412.6980).
# - CIFAR-10: [Krizhevsky, 2009](https://www.cs.toronto.edu/~kriz/learning-features-2009-TR.pdf).
