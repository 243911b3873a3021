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
# # 10 · Speed
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/convnets-measured/convnets-measured/blob/main/notebooks/10-speed.ipynb)
#
# How fast could this machine train, and how close does the usual loop come? The same network, digits and cores; only the training loop
# differs:

# %% tags=["install"]
import sys

if "google.colab" in sys.modules:
    address = "git+https://github.com/convnets-measured/convnets-measured"
    get_ipython().run_line_magic("pip", f"install --quiet {address}")

# %% tags=["drawn", "remove-input"]
from course_lib import plots, records

paces = records.bench("step", "cpu").set_index("network").loc["MiniVGG"]
paces = paces.set_index("loop")[["milliseconds", "share_of_roof"]]
paces.index = ["the tutorial's loop", "fit, float32", "fit, bfloat16"]
plots.speed_ladder(paces, "milliseconds for 128 images, MiniVGG")

# %% [markdown]
# The loop of most tutorials takes three times as long <!-- claim: bench-three-times --> as it needs to, and reaches a
# quarter <!-- claim: bench-quarter --> of the *roof*, the best that this processor can do in that kind of number. (The last bar is held
# against a higher roof, and has a faster optimiser, too.) Where do the seconds go? You will change one thing at a time. Which changes pay
# depends on the network. <!-- claim: benchmark-what-each-gains-from -->
#
# > **What you will be able to do.** Each goal is answered by the cell whose first line has its number.
# >
# > 1. Find out where a training loop spends its time.
# > 2. Say what a machine can do at best, and which share of that a loop reaches.
# > 3. Time two loops fairly, and say whether they differ.
# > 4. Climb from the tutorial's loop to a fast one, and see which change pays for which network.
# > 5. Check that a faster training is as good a training.
# > 6. Test advice on speed instead of believing it.
# > 7. Reach an accuracy in fewer steps, not only in faster ones.
# > 8. Read a benchmark: on what, how often, judged by what.
#
# To run it yourself, open it in Colab: `PROFILE = "cpu"` is the run that you see, 7 min <!-- claim: speed-time --> on two CPU cores, and
# 1.8 GB <!-- claim: speed-memory --> of memory. `"quick"` takes a sample, a quarter of MiniVGG's width and a minute, and gives other
# numbers than the text. Close other programs first.

# %% tags=["parameters"]
PROFILE = "auto"

# %% tags=["hide-input"]
import contextlib
import time
from functools import partial

import pandas as pd
import torch
from course_lib import (
    analysis,
    data,
    models,
    plots,
    recipes,
    records,
    training,
)
from course_lib.profiles import resolve_profile
from course_lib.training import memory_kept, synchronize
from torch import nn
from torch.nn import functional as F

profile = resolve_profile(PROFILE)
size = "sample" if profile == "quick" else "full"
digits = data.load("mnist", size=size)
pictures = data.load("cifar10", size="sample")  # to look at, not to train on

sizes = {
    "quick": {"many": 1_280, "few": 512, "width": 0.25, "rounds": 2},
    "cpu": {"many": 12_800, "few": 1_024, "width": 1.0, "rounds": 5},
    "full": {"many": 25_600, "few": 25_600, "width": 1.0, "rounds": 5},
}[profile]
rounds = sizes["rounds"]
seeds = range(2 if profile == "quick" else 5)
device = training.best_device()
print(f"profile {profile}")
print(digits)
print("trains on", training.describe_device(device))

# %% [markdown]
# ## The loop of most tutorials
#
# Two networks race: the small LeNet-5 of chapter 2 and the large MiniVGG of chapter 5.


# %%
def lenet():
    training.set_seed(0)
    return models.lenet5()


def minivgg():
    training.set_seed(0)
    return models.minivgg(width=sizes["width"])


many = digits.train.select(range(sizes["many"]))
few = digits.train.select(range(sizes["few"]))
racers = {"LeNet-5": (lenet, many), "MiniVGG": (minivgg, few)}

# %% [markdown]
# Most tutorials load like this: a data set hands out one picture at a time, `ToTensor` and `Normalize` make it a tensor, a `DataLoader`
# stacks 128 of them. The steps are chapter 1's, with `.item()` in each, to watch loss and accuracy.

# %%
from torch.utils.data import DataLoader
from torchvision import transforms

to_normalised_tensor = transforms.Compose(
    [
        transforms.ToTensor(),
        transforms.Normalize(digits.train.mean, digits.train.std),
    ]
)


def tutorial_loader(split, workers=0):
    dataset = data.DatasetView(split, transform=to_normalised_tensor)
    return DataLoader(
        dataset, batch_size=128, shuffle=True, num_workers=workers
    )


# %% [markdown]
# > **Your turn.** Write `tutorial_pass`, which trains for one epoch with Adam at 0.001, and returns the seconds.


# %% tags=["your-turn"]
def tutorial_pass(network, loader):
    # network.to(device), network.train(), an optimiser
    # began = time.perf_counter()
    # in each step: the batch to the device, the loss, zero_grad, backward,
    # step; add up loss.item() and the right answers, as tutorials print them
    # return the seconds
    ...


small = nn.Sequential(nn.Flatten(), nn.Linear(784, 10)).eval()
before = small[1].weight.detach().clone()
x, y = torch.randn(128, 1, 28, 28), torch.arange(128) % 10
began = time.perf_counter()
spent = tutorial_pass(small, [(x, y)] * 3)
assert spent is not None, "return the seconds"
assert 0 < spent <= time.perf_counter() - began, "a difference of two clocks"
moved = (small[1].weight.cpu() - before).abs().max().item()
assert moved > 0, "it learns nothing: backward(), then step()"
assert 0.002 < moved < 0.004, "three steps of Adam, each of about 0.001"
assert small.training, "network.train() comes first"
left = [
    w.grad.norm().item() for w in small.parameters() if w.grad is not None
]
assert not left or max(left) < 4, "three gradients added up: zero_grad()"


# %% tags=["finished"] cellView="form" jupyter={"source_hidden": true}
# @title One way to write it
def tutorial_pass(network, loader):
    """Train for one epoch as most tutorials do; return the seconds."""
    network.to(device)
    network.train()
    optimizer = torch.optim.Adam(network.parameters(), lr=0.001)
    began = time.perf_counter()
    running_loss, right = 0.0, 0
    for images, labels in loader:
        images, labels = images.to(device), labels.to(device)
        optimizer.zero_grad()
        logits = network(images)
        loss = F.cross_entropy(logits, labels)
        loss.backward()
        optimizer.step()
        running_loss += loss.item()
        right += (logits.argmax(dim=1) == labels).sum().item()
    return time.perf_counter() - began


# %% [markdown]
# Nothing in it is wrong. Where does its time go? To time loading alone, walk over the loader and do nothing. To time computing alone, make
# a list of the batches first, and hand that to the loop.
#
# > **Your guess.** LeNet-5 and one-channel digits: how much of the time goes into getting the
# > images? <!-- guess: speed-loading-lenet, 0 to 100 % -->


# %%
# Goal 1: loading alone, computing alone
def per_batch(seconds, split):
    """Milliseconds for 128 images."""
    return 1000 * seconds * 128 / len(split)


def take_apart(build, split):
    loader = tutorial_loader(split)
    ready = list(loader)

    def load():
        began = time.perf_counter()
        for _ in loader:
            pass
        return time.perf_counter() - began

    seconds = training.interleave(
        {
            "loading": load,
            "computing": lambda: tutorial_pass(build(), ready),
            "both, as it runs": lambda: tutorial_pass(build(), loader),
        },
        rounds,
    )
    return per_batch(seconds.median(), split)


parts = pd.DataFrame({name: take_apart(*one) for name, one in racers.items()})
parts.T.map("{:.1f} ms".format)

# %% tags=["hide-input"]
figure, axes = plots.new_figure(width=7, height=2.0)
shares = (parts / parts.loc[["loading", "computing"]].sum()).T
left = 0.0
for part, colour in (("loading", plots.ORANGE), ("computing", plots.BLUE)):
    axes.barh(shares.index, shares[part], left=left, color=colour, label=part)
    for place, (name, share) in enumerate(shares[part].items()):
        start = left if isinstance(left, float) else left[name]
        text = f"{share:.0%}" if share > 0.06 else ""
        axes.text(
            start + share / 2,
            place,
            text,
            ha="center",
            va="center",
            color="white",
            fontsize=13,
        )
    left = left + shares[part]
axes.set(xlim=(0, 1), xticks=[])
axes.invert_yaxis()
axes.tick_params(left=False)
axes.legend(
    frameon=False, ncols=2, loc="lower center", bbox_to_anchor=(0.5, 1)
)
said = [f"{name} {share:.0%}" for name, share in shares["loading"].items()]
plots.finish(
    figure,
    f"Share of loading in loading and computing: {', '.join(said)}.",
)

# %% [markdown]
# > **What we found.** 45 %. <!-- claim: speed-loading-lenet --> For MiniVGG it is 1 %. <!-- claim: speed-loading-minivgg -->
#
# The answer depends on the network. It also bounds what can be won: if computing took no time, loading (orange) would remain; if loading
# took none, computing (blue) would.

# %%
whole = parts.loc["loading"] + parts.loc["computing"]
for name in racers:
    print(
        f"{name}: at most ×{whole[name] / parts.loc['loading', name]:.1f} by "
        f"computing faster, "
        f"×{whole[name] / parts.loc['computing', name]:.1f} by loading faster"
    )

# %% [markdown]
# ## The roof
#
# Is the tutorial's loop fast or slow? A processor can do only so many *multiply-adds* a second: its *roof* ([Williams et al.,
# 2009](https://doi.org/10.1145/1498765.1498785)). No program reaches the one on the data sheet, so we measure: one convolution of a size
# that suits the machine, forward and back, and then a product of two large matrices. The roof depends on the kind of number. Some
# processors multiply *bfloat16*, with 8 binary digits, much faster than float32 with 24. What does `precision="auto"` choose here?

# %%
fast = training.choose_setup(
    lenet(), precision="auto", optimizer=torch.optim.Adam
)
half = fast.precision
print(fast)

# %%
roofs = pd.DataFrame(
    {
        precision: {
            "convolution": training.convolution_roof(
                device, getattr(torch, precision), rounds
            ),
            "matrix product": training.matmul_roof(
                device, getattr(torch, precision), rounds
            ),
        }
        for precision in dict.fromkeys(["float32", half])
    }
)
(roofs / 1e9).map("{:,.0f} billion a second".format)

# %% [markdown]
# `count_multiply_adds` adds up the work, layer by layer, for one image going forward. A training step costs about three such passes:
# forward, back for the gradients of the maps, back for those of the weights.

# %% tags=["nbval-check-output"]
for name, build in (("LeNet-5", models.lenet5), ("MiniVGG", models.minivgg)):
    cost = analysis.count_multiply_adds(build(), (1, 28, 28))
    step = 3 * 128 * cost
    print(f"{name}: {cost:,} multiply-adds an image")
    print(f"         {step / 1e9:.2f} billion a step of 128")

# %% [markdown]
# Our roof is the convolution's, the higher row of the table of roofs. Work over time is speed, and speed over roof is the share of the
# machine that the loop uses. You can estimate LeNet-5's from its milliseconds, the work of a step and the roof.
#
# > **Your guess.** LeNet-5 in the tutorial's loop: which share of the float32 roof does it
# > reach? <!-- guess: speed-roof-share-lenet, 0 to 100 % -->

# %%
# Goal 2: which share of the roof does the tutorial's loop reach?
costs = {
    name: analysis.count_multiply_adds(build(), (1, 28, 28))
    for name, (build, _) in racers.items()
}


def share_of_roof(name, milliseconds, precision="float32"):
    speed = 128 / (milliseconds / 1000)
    roof = roofs.loc["convolution", precision]
    return training.share_of_roof(costs[name], speed, roof)


reached = {
    name: share_of_roof(name, parts.loc["both, as it runs", name])
    for name in racers
}
for name, share in reached.items():
    print(f"{name}: {share:.1%} of the float32 roof")

# %% tags=["hide-input"]
figure, axes = plots.new_figure(width=7, height=2.4)
peaks = roofs.loc["convolution"] / 1e9
for place, share in enumerate(reached.values()):
    speed = share * peaks["float32"]
    axes.plot([speed, peaks["float32"]], [place, place], color="#bbbbbb")
    axes.plot(speed, place, "o", color=plots.BLUE, markersize=12)
for place, (precision, peak) in enumerate(peaks.items()):
    colour, label = (plots.ORANGE, plots.GREEN)[place], f"roof, {precision}"
    axes.axvline(peak, color=colour, linewidth=4, label=label)
axes.set(xscale="log", xlabel="billion multiply-adds a second")
axes.set(ylim=(1.6, -0.6))
axes.set_yticks([0, 1], list(reached))
axes.xaxis.set_major_formatter("{x:g}")
axes.legend(
    frameon=False, ncols=2, loc="lower center", bbox_to_anchor=(0.5, 1)
)
said = [f"{name} {share:.1%}" for name, share in reached.items()]
said += [f"roof in {name} {peak:.0f} billion" for name, peak in peaks.items()]
plots.finish(
    figure,
    "Multiply-adds a second of the tutorial's loop and the roofs, on a log "
    f"scale. Share of the float32 roof: {'; '.join(said)}.",
)

# %% [markdown]
# > **What we found.** 5.4 %. <!-- claim: speed-roof-share-lenet --> With MiniVGG it is 21.9 %. <!-- claim: speed-roof-share-minivgg -->
#
# (The axis is logarithmic.) ReLU, pooling, loss and optimiser cost time and are no multiply-adds, so don't expect the whole roof. But the
# share says whether it is worth looking further.

# %% [markdown]
# ## How to time fairly
#
# Can we tell a faster loop from a lucky one? Clocks are exact, but machines are not steady: a laptop grows warm, an e-mail arrives, and the
# first pass pays for things that the others find ready. Three habits help.
#
# - **Warm up.** Run each loop once and forget that time.
# - **In turn.** Run one, the other, one, the other, so that a disturbance hits both and not only one. Divide within each round.
# - **Middle and range.** Report the median of the ratios, and the smallest and the largest.
#
# `training.interleave` does the first two, `training.speedups` the third. To test them, time a loop against *itself*: the truth is a ratio
# of 1.

# %%
# Goal 3: a loop against itself
twins = training.interleave(
    {
        "LeNet-5": lambda: tutorial_pass(lenet(), tutorial_loader(many)),
        "the same": lambda: tutorial_pass(lenet(), tutorial_loader(many)),
    },
    rounds,
)
training.speedups(twins).round(3)

# %% [markdown]
# > **What we found.** Single rounds of the same loop come out between ×0.97 <!-- claim: speed-twins-least --> and
# > ×1.02 <!-- claim: speed-twins-most --> of each other.
#
# That range is the noise of this machine, for this loop, in five rounds. One ratio within it says nothing. Several that all lean to one
# side can, and the verdicts below count that.

# %% [markdown]
# ## A ladder
#
# Six changes to the loop, from the outside in, leave network and method alone:
#
# 1. **Images in memory.** All digits lie in one tensor of whole numbers, and a batch is cut out and normalised at once: chapter 1's
# `data.Batches`.
# 2. **Sums on the device.** Loss and right answers are added up where they are made. `.item()`, which Python must wait for, comes once, at
# the end.
# 3. **Channels last.** A tensor (N, C, H, W) can lie in memory map by map, or pixel by pixel with all its channels side by side.
# Convolutions sum over channels, and most fast ones want the second. The shape stays.
# 4. **Half precision.** Convolutions and linear layers multiply in 16 bits where the machine is built for it; weights stay in float32
# ([Micikevicius et al., 2018](https://arxiv.org/abs/1710.03740)). `torch.autocast` does that.
# 5. **Fused Adam.** Adam is some ten operations on all weights. One after the other, each fetches them from memory again. Fused, they are
# fetched once.
# 6. **Memory kept.** The section *Pages* explains it.
#
# Here they are as switches of your loop.


# %%
def one_pass(
    network,
    split,
    in_memory=False,
    wait=True,
    channels_last=False,
    half=False,
    fused=False,
    keep=False,
    batch_size=128,
):
    """Train for one epoch; every rung of the ladder is a switch."""
    if in_memory:
        batches = data.Batches(split, batch_size, shuffle=True, device=device)
    else:
        batches = tutorial_loader(split)
    contiguous, last = torch.contiguous_format, torch.channels_last
    layout = last if channels_last else contiguous
    network.to(device, memory_format=layout)
    network.train()
    optimizer = torch.optim.Adam(
        network.parameters(), lr=0.001, fused=(fused and fast.fused) or None
    )
    needs_scaling = half and fast.precision == "float16"
    scaler = torch.amp.GradScaler(device.type, enabled=needs_scaling)
    nothing = contextlib.nullcontext
    running_loss = torch.zeros((), device=device)
    right = torch.zeros((), dtype=torch.int64, device=device)

    synchronize(device)
    began = time.perf_counter()
    with memory_kept() if keep else nothing():
        for images, labels in batches:
            images, labels = images.to(device), labels.to(device)
            images = images.contiguous(memory_format=layout)
            optimizer.zero_grad()
            with fast.autocast() if half else nothing():
                logits = network(images)
                loss = F.cross_entropy(logits, labels)
            scaler.scale(loss).backward()  # does nothing unless float16
            scaler.step(optimizer)
            scaler.update()
            running_loss += loss.item() if wait else loss.detach()
            hits = (logits.argmax(dim=1) == labels).sum()
            right += hits.item() if wait else hits
        synchronize(device)
        return time.perf_counter() - began


# %% [markdown]
# The ladder ends with `training.fit`, which has trained the networks of this book, here with `precision="auto"`.


# %% tags=["hide-input"]
def in_turn(works):
    """Seconds of each work, round after round."""

    def cleared(work):
        with memory_kept():
            pass  # on leaving, all free memory goes back to the system
        return work()

    works = {name: partial(cleared, work) for name, work in works.items()}
    return training.interleave(works, rounds)


changes = {
    "images in memory": {"in_memory": True},
    "sums on the device": {"wait": False},
    "channels last": {"channels_last": True},
    half if half != "float32" else "no half here": {"half": True},
    "fused Adam": {"fused": True},
    "memory kept": {"keep": True},
}
every_rung, rungs = {}, {}
for name, change in changes.items():
    every_rung = every_rung | change
    rungs[name] = every_rung  # this change and all before it


def climb(build, split):
    """Seconds of each rung, in turn, round after round."""

    def library():
        network = build()
        return training.fit(
            network, split, epochs=1, precision="auto", show=False
        ).seconds

    works = {
        "as in tutorials": lambda: tutorial_pass(
            build(), tutorial_loader(split)
        )
    }
    for name, switches in rungs.items():
        works[name] = lambda on=switches: one_pass(build(), split, **on)
    return in_turn(works | {"training.fit": library})


# %% [markdown]
# > **Your guess.** Which rung divides MiniVGG's time by the largest factor, in the ladder's order?
# >
# > - Images in memory.
# > - Half precision.
# > - Fused Adam. <!-- answer: tallest-step-minivgg -->

# %% tags=["hide-input"]
climbed = {name: climb(*one) for name, one in racers.items()}


def ladder(name):
    """What plots.speed_ladder draws."""
    milliseconds = per_batch(climbed[name], racers[name][1])
    frame = pd.DataFrame(
        {
            "milliseconds": milliseconds.median(),
            "least": milliseconds.min(),
            "most": milliseconds.max(),
        }
    )
    frame["share_of_roof"] = [
        share_of_roof(name, spent, half if on_half(rung) else "float32")
        for rung, spent in frame["milliseconds"].items()
    ]
    return frame


def on_half(rung):
    return rungs.get(rung, {}).get("half", rung == "training.fit")


plots.speed_ladder(ladder("LeNet-5"), "LeNet-5: milliseconds for 128 images")

# %%
plots.speed_ladder(ladder("MiniVGG"), "MiniVGG: milliseconds for 128 images")

# %% [markdown]
# The whiskers are the fastest and the slowest round. An orange rung is slower than the one before. The share is of the roof *in its own
# precision*: half precision lifts the roof, so a bar may become shorter while its share falls.
#
# The next table compares each rung with the one before: it *paid* if it was faster in every round, and *cost* if it was slower in every
# round. Anything else is no clear difference. Between equal loops every round is the toss of a coin, and five of five fall on the same side
# once in 16. So if none of the 14 changes in the table did anything, about one would still get a verdict. The same holds for the next table
# of verdicts.


# %% tags=["hide-input"]
# Goal 4: which change pays for which network?
def verdict(ratios):
    """Ratios are seconds before over seconds after, one a round."""
    if ratios.min() > 1:
        return "paid"
    return "cost" if ratios.max() < 1 else "no clear difference"


steps = {}
for name, seconds in climbed.items():
    ratios = (seconds.shift(axis="columns") / seconds).iloc[:, 1:]
    steps[name] = "×" + ratios.median().map("{:.2f}".format)
    steps[name, "verdict"] = ratios.apply(verdict)
    tallest = ratios.median().idxmax()
    total = (seconds["as in tutorials"] / seconds["training.fit"]).median()
    print(f"{name}: tallest step {tallest!r}; ×{total:.1f} in all")
pd.DataFrame(
    {
        "LeNet-5": steps["LeNet-5"],
        "": steps["LeNet-5", "verdict"],
        "MiniVGG": steps["MiniVGG"],
        " ": steps["MiniVGG", "verdict"],
    }
)

# %% [markdown]
# > **What we found.** Fused Adam, ×1.59, <!-- claim: step-adam-minivgg --> ahead of bfloat16, ×1.39, <!-- claim: step-half-minivgg --> and
# > kept memory, ×1.39. <!-- claim: step-kept-minivgg --> (In another order the first two might swap: see *Going further*.) MiniVGG waits
# > for memory and arithmetic. LeNet-5 waits for images: having them in memory makes it ×2.06 <!-- claim: step-images-lenet --> as fast.
#
# Sums on the device give next to nothing on two cores, where nobody waits for a GPU. <!-- claim: speed-verdicts -->
#
# LeNet-5's ×2.06 <!-- claim: step-images-lenet --> beats the ×1.8 <!-- claim: bound-loading-lenet --> printed above as the most: see Going
# further.

# %% [markdown]
# ## Pages
#
# What is "memory kept"? A step writes its feature maps and gradients to memory, and lets all of them go. The next step needs just as much.
# Why is that slow?
#
# The C library, from which torch gets its memory, hands large pieces back to the operating system as soon as they are free. New memory
# comes in *pages*, mostly of 4 KB, at the first touch of each: the program is interrupted, the system finds a page, fills it with zeros,
# and goes on. That is a *page fault*.
#
# > **Your guess.** At least how many page faults are in a step of MiniVGG, the first step apart? <!-- guess: faults-least, 0 to 100,000 -->


# %%
def page_faults(keep, steps=6):
    """Page faults of each step but the last."""
    training.set_seed(0)
    network, noted = models.minivgg(), []  # in full width
    network.register_forward_pre_hook(
        lambda *_: noted.append(
            resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        )
    )
    split = digits.train.select(range(128 * steps))
    one_pass(network, split, **(every_rung | {"keep": keep}))
    return pd.Series(noted).diff().dropna()


try:
    import resource

    faults = {"as usual": page_faults(False), "kept": page_faults(True)}
    page = resource.getpagesize()
    print(f"page faults of each step, a page has {page:,} bytes")
    for name, counts in faults.items():
        print(f"{name}: {', '.join(f'{count:,.0f}' for count in counts)}")
except ImportError:
    faults = {}
    print("this system does not count page faults for Python")


# %% tags=["hide-input"]
def fault_figure():
    figure, axes = plots.new_figure(width=6, height=3)
    styles = {"as usual": ("o-", plots.ORANGE), "kept": ("s-", plots.BLUE)}
    said = []
    for name, counts in faults.items():
        style, colour = styles[name]
        axes.plot(counts / 1000, style, color=colour, label=name)
        listed = ", ".join(f"{count:,.0f}" for count in counts)
        said.append(f"{name} {listed}")
    axes.set(xlabel="step", ylabel="thousand page faults", ylim=(0, None))
    axes.set_xticks(range(1, 6))
    axes.legend(frameon=False)
    return plots.finish(figure, f"Page faults by step: {'; '.join(said)}.")


fault_figure() if faults else None

# %% [markdown]
# > **What we found.** 46,884 <!-- claim: faults-least --> or more in each step after the first, which are
# > 192 MB <!-- claim: faults-bytes --> that the system fills with zeros. With memory kept it is at most 4 <!-- claim: faults-kept --> from
# > the third step on.
#
# (The first step is high in any case: Adam's means are made.) Why so many? MiniVGG has large linear layers, and so large gradients: those
# of all its weights fill 29,076 <!-- claim: faults-gradients --> pages, maps come on top. The fix is two calls of the C library: keep what
# is free.

# %% [markdown]
# ## Does it change the results?
#
# Faster is no use if the network is worse. Five of the six rungs compute the same numbers, or sum them in another order. Only half
# precision rounds each of them, and it rounds a lot.

# %% tags=["nbval-check-output"]
one = torch.tensor(1.0)
for step in (2**-6, 2**-7, 2**-8):
    single, short = one + step, (one + step).bfloat16().float()
    print(f"1 + {step:.5f}: float32 {single:.5f}, bfloat16 {short:.5f}")

# %% [markdown]
# Even the same numbers in another order give another sum, and two trainings that differ by a rounding drift apart. The question is not
# whether the results are equal, but whether they are equally *good*. We train LeNet-5 in float32 and with `precision="auto"`, with the same
# seeds: the same first weights and order of images.
#
# > **Your guess.** bfloat16 keeps 8 binary digits of each number. What does that cost LeNet-5?
# >
# > - Half a point of accuracy, or more.
# > - About a tenth of a point.
# > - Nothing that five seeds can see. <!-- answer: price-of-auto -->


# %%
# Goal 5: is a faster training as good?
def train_lenet(seed, precision):
    training.set_seed(seed)
    network = models.lenet5()
    history = training.fit(
        network,
        digits.train,
        epochs=2,
        precision=precision,
        seed=seed,
        show=False,
    )
    return history, training.predict(network, digits.val)


lenets = {}
for precision in ("float32", "auto"):
    name = f"LeNet-5, {precision}"
    lenets[name] = [train_lenet(seed, precision) for seed in seeds]
    for history, answers in lenets[name]:
        training.record(name, history, answers, digits, split="validation")
accuracies = pd.DataFrame(
    {
        name: [answers.accuracy for _, answers in runs]
        for name, runs in lenets.items()
    }
)
gap = accuracies["LeNet-5, auto"] - accuracies["LeNet-5, float32"]
print(f"float32: spread over seeds {accuracies.iloc[:, 0].std():.2%}")
print(f"auto less float32, same seed: {gap.mean():+.2%} ± {gap.std():.2%}")
accuracies.map("{:.2%}".format).rename_axis("seed")

# %% tags=["hide-input"]
figure, axes = plots.new_figure(width=5.5, height=3.2)
for seed, row in accuracies.iterrows():
    axes.plot(
        [0, 1], 100 * row, "o-", color=plots.BLUE, linewidth=1, alpha=0.7
    )
    axes.text(1.04, 100 * row.iloc[1], f"seed {seed}", va="center")
axes.plot([0, 1], 100 * accuracies.mean(), "D-", color=plots.ORANGE)
axes.set(xlim=(-0.2, 1.45), ylabel="validation accuracy, %")
axes.set_xticks([0, 1], ["float32", f"auto: {half}"])
said = [f"{name} {mean:.2%}" for name, mean in accuracies.mean().items()]
plots.finish(
    figure,
    f"Validation accuracy of {len(accuracies)} seeds in two precisions, one "
    f"line a seed; orange is the mean. Means: {', '.join(said)}.",
)

# %% [markdown]
# > **What we found.** Nothing that five seeds can see: <!-- claim: speed-price-undecided --> `auto` less float32 is
# > −0.02 ± 0.07 points, <!-- claim: speed-price-of-auto --> paired by seed. It takes 2.66 ± 0.02 s <!-- claim: speed-lenet-auto-seconds -->
# > in place of 3.10 ± 0.05 s. <!-- claim: speed-lenet-float32-seconds -->
#
# The interval contains zero, and doesn't exclude a small price. (± is half of the 95 % interval; in the cell and behind seconds, a standard
# deviation.)

# %% [markdown]
# ## What may not pay
#
# More advice, one change at a time, timed and judged as above:
#
# - *Half precision* without channels last.
# - *Workers*: two processes that prepare images while the network computes, for the tutorial's loop.
# - *Larger batches*: 512 digits at a time.
# - *One thread* in place of two.
# - *Matmul precision*: `torch.set_float32_matmul_precision("medium")` lets a processor multiply float32 matrices in fewer bits, if it can.
# It is held against float32.
# - `torch.compile`: torch translates the network to a program of its own. (LeNet-5 only.)
#
# > **Your guess.** Which of these paid for LeNet-5?
# >
# > - Two workers.
# > - Batches of 512. <!-- answer: advice-that-paid -->
# > - torch.compile.


# %% tags=["hide-input"]
@contextlib.contextmanager
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@contextlib.contextmanager
def medium_precision():
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    yield
    torch.set_float32_matmul_precision(before)


def compiled_lenet():
    """A compiled LeNet-5 that has made its first steps."""
    network = torch.compile(lenet())
    spent = one_pass(network, many.select(range(256)), **every_rung)
    print(f"torch.compile: {spent:.1f} s for its first two steps")
    return network


compiled = None
if profile == "quick":
    print("torch.compile: left out in quick")
else:
    try:
        compiled = compiled_lenet()
    except Exception as error:  # often there is no C++ compiler
        print(f"torch.compile does not work here: {type(error).__name__}")


# %% tags=["hide-input"]
def attempts(build, split):
    """Seconds of each attempt and of what it is held against, in turn."""

    def run(**switches):
        return one_pass(build(), split, **(every_rung | switches))

    def within(context, **switches):
        with context():
            return run(**switches)

    works = {
        "every rung": run,
        "no channels last": partial(run, channels_last=False),
        "batches of 512": partial(run, batch_size=512),
        "one thread": partial(within, one_thread),
        "float32": partial(run, half=False),
        "matmul precision medium": partial(
            within, medium_precision, half=False
        ),
        "tutorial": lambda: tutorial_pass(build(), tutorial_loader(split)),
        "two workers": lambda: tutorial_pass(
            build(), tutorial_loader(split, workers=2)
        ),
    }
    if compiled is not None and build is lenet:
        works["torch.compile"] = lambda: one_pass(
            compiled, split, **every_rung
        )
    return in_turn(works)


tried = {name: attempts(*one) for name, one in racers.items()}

# %% tags=["hide-input"]
# Goal 6: did it pay, here and now?
against = {"matmul precision medium": "float32", "two workers": "tutorial"}
rows = []
for name, seconds in tried.items():
    for attempt in seconds.columns.drop(
        ["every rung", "float32", "tutorial"]
    ):
        other = against.get(attempt, "every rung")
        ratios = seconds[other] / seconds[attempt]
        rows.append(
            {
                "attempt": attempt,
                "network": name,
                "against": other,
                "speed": f"×{ratios.median():.2f}",
                "range": f"{ratios.min():.2f} to {ratios.max():.2f}",
                "here it": verdict(ratios),
            }
        )
rows = pd.DataFrame(rows).sort_values("attempt", kind="stable")
rows.set_index(["attempt", "network"])

# %% [markdown]
# > **What we found.** Batches of 512, ×1.09 <!-- claim: advice-large-lenet --> for LeNet-5 and ×1.16 <!-- claim: advice-large-minivgg -->
# > for MiniVGG. And `"medium"` for MiniVGG, ×1.54. <!-- claim: advice-medium-minivgg --> For LeNet-5 `"medium"` made no clear difference,
# > and all else cost time: <!-- claim: speed-advice --> `torch.compile` comes to ×0.61, <!-- claim: advice-compile --> after
# > 7.9 s <!-- claim: speed-compile-seconds --> of compiling.
#
# Workers must be started, send their images between processes, and here take the two cores from the arithmetic. They pay where images are
# costly to prepare, such as large JPEGs. A batch of 512 learns differently: an epoch has a quarter of the steps. All of this is for two
# cores: on a GPU test `torch.compile` again.

# %% [markdown]
# ## Fewer steps
#
# So far every step got faster. But how many steps does a network need for 99 % <!-- claim: mnist-99-target --> of MNIST? The library has
# *recipes*, each the shortest way that we know to the accuracy in its name. This is `mnist-99`: its network, and its training.

# %%
recipe = recipes.take("mnist-99")
analysis.Source(recipe.Strided)

# %%
analysis.Source(recipe.train)

# %% [markdown]
# Three ideas.
#
# 1. **Shrink at once.** LeNet-5 computes its maps in full size, and then a pool throws three quarters away. With a stride of 2 those are
# never computed.
# 2. **Go fast.** *Batch norm* keeps the size of the signals in order. The learning rate climbs to 15 times ours.
# 3. **Come to rest.** A high rate keeps jumping about. One cycle, up and then down to zero, lets it settle, and ends after two epochs
# ([Smith and Topin, 2018](https://arxiv.org/abs/1708.07120)).
#
# > **Your guess.** How does its arithmetic for one image compare with LeNet-5's?
# >
# > - Half.
# > - About the same.
# > - Twice. <!-- answer: recipe-work -->

# %% tags=["nbval-check-output"]
for name, network in (("LeNet-5", lenet()), ("mnist-99", recipe.Strided())):
    cost = analysis.count_multiply_adds(network, (1, 28, 28))
    count = analysis.count_parameters(network)
    print(f"{name}: {cost:,} multiply-adds, {count:,} parameters")

# %% [markdown]
# > **What we found.** Twice: <!-- claim: mnist-99-work --> its maps are smaller, but there are many more of them.
#
# Let both race by the clock: LeNet-5 at a constant 0.001 (blue) and the recipe (orange), each with one seed. The grey curve is the blue
# one, slowed to the pace of the tutorial's loop. Between grey and blue only the steps are faster; between blue and orange they are fewer.

# %% tags=["hide-input"]
training.set_seed(0)
slow_and_steady = training.fit(
    models.lenet5(),
    digits.train,
    digits.val,
    epochs=6 if profile == "quick" else 8,
    precision="auto",
    show=False,
)
_, cycle = recipe.train(digits.train, digits.val, seed=0, show=False)


def errors(history):
    """Percent wrong on validation images, by seconds of training."""
    frame = history.to_frame()
    wrong = 100 * (1 - frame["val_accuracy"])
    return wrong.set_axis(frame["seconds"].cumsum())


pace = climbed["LeNet-5"].median()["as in tutorials"] / len(many)
grey = errors(slow_and_steady)
grey.index = [
    pace * len(digits.train) * epoch for epoch in range(1, len(grey) + 1)
]
curves = {
    "LeNet-5 at the tutorial's pace": (grey, "#777777"),
    "LeNet-5, training.fit": (errors(slow_and_steady), plots.BLUE),
    "mnist-99": (errors(cycle), plots.ORANGE),
}

# %% tags=["hide-input", "card"]
from matplotlib.ticker import LogLocator

figure, axes = plots.new_figure(width=7, height=4)
said = []
for name, (curve, colour) in curves.items():
    axes.plot(curve, "o-", color=colour, label=name)
    said.append(f"{name} {curve.iloc[-1]:.1f} % at {curve.index[-1]:.2g} s")
axes.axhline(1, color=plots.GREEN, linestyle="--")
axes.text(axes.get_xlim()[1], 1, "99 % right", ha="right", va="bottom")
axes.set(
    xscale="log",
    yscale="log",
    xlabel="seconds of training",
    ylabel="validation errors, %",
)
axes.set_ylim(bottom=0.6)
for axis in (axes.xaxis, axes.yaxis):
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter("{x:g}")
axes.minorticks_off()
axes.legend(
    frameon=False, ncols=2, loc="lower center", bbox_to_anchor=(0.45, 1)
)
plots.finish(
    figure,
    f"Validation errors against seconds, both on log scales. Ends: "
    f"{'; '.join(said)}.",
)

# %% [markdown]
# LeNet-5 ends a little short of 99 %, <!-- claim: mnist-99-target --> after 30 s <!-- claim: race-tutorial --> at the tutorial's pace and
# after 12 s <!-- claim: race-fit --> at that of `fit`. The recipe ends just short of it, too, after 4 s. <!-- claim: race-recipe --> The
# race isn't fair: with one cycle, up to four times our rate, LeNet-5 reads 99.25 ± 0.02 % <!-- claim: lenet5-mnist --> of the test images
# in chapter 2. So a part of the orange gain is probably the schedule's. `recipes.run` judges the recipe on validation images, seed by seed:

# %%
tried_seeds = [
    recipes.run("mnist-99", seed=seed, size=size, show=False)
    for seed in seeds
]
results = pd.DataFrame(tried_seeds).set_index("seed")
print(tried_seeds[0].setup)
for column, form in (("seconds", "{:.2f} s"), ("accuracy", "{:.2%}")):
    mean, spread = results[column].mean(), results[column].std()
    print(f"{column}: {form.format(mean)} ± {form.format(spread)}")
results[["images", "epochs", "seconds", "accuracy", "judged_on"]].round(4)

# %% [markdown]
# There it reads 98.98 % <!-- claim: recipe-validation --> on average, a hair too little. Its rate, widths and epochs were chosen on these
# images, with other runs. So now come fresh seeds, training on training *and* validation images, and the test set, opened once.

# %%
# Goal 7: 99 % in how many seconds?
everything = digits.train_and_val()
trained = [
    recipe.train(everything, seed=10 + seed, show=False) for seed in seeds
]
test = digits.open_test()
finals = [
    (history, training.predict(network, test, precision=history.precision))
    for network, history in trained
]
for history, answers in finals:
    training.record("mnist-99", history, answers, digits)
scores = pd.Series([answers.accuracy for _, answers in finals])
spent = pd.Series([history.seconds for history, _ in finals])
print(f"test accuracy {scores.mean():.2%} ± {scores.std():.2%}")
print(f"seconds {spent.mean():.2f} ± {spent.std():.2f}")
print(records.compare("10-speed", "mnist-99", scores, digits.title))

# %% [markdown]
# > **What we found.** On the test images the recipe reaches 99.12 ± 0.03 % <!-- claim: speed-recipe-accuracy --> in
# > 4.47 ± 0.08 s. <!-- claim: speed-recipe-seconds -->
#
# (It had a quarter more images to learn from than on validation images, so the two accuracies don't compare.)
#
# This chapter's trainings, in one table:


# %% tags=["hide-input"]
def row(runs, judged):
    accuracy = pd.Series([answers.accuracy for _, answers in runs])
    spent = pd.Series([history.seconds for history, _ in runs])
    recipe = runs[0][0].recipe
    return {
        "data": digits.title,
        "training images": f"{recipe['train']:,}",
        "epochs": recipe["epochs"],
        "judged by": judged,
        "accuracy": f"{accuracy.mean():.2%} ± {accuracy.std():.2%}",
        "seeds": len(runs),
        "seconds": f"{spent.mean():.2f} ± {spent.std():.2f}",
    }


rows = {name: row(runs, "validation") for name, runs in lenets.items()}
rows["mnist-99"] = row(finals, "test")
pd.DataFrame(rows).T

# %% [markdown]
# > **Reference card.**
# >
# > | what | formula | example |
# > |---|---|---|
# > | the most that a part can bring, about | whole / (whole − part) | loading 45 %: <!-- claim: speed-loading-lenet --> ×1.8 <!-- claim: bound-loading-lenet --> |
# > | work of a training step | 3 · batch · multiply-adds | LeNet-5: $3 \cdot 128 \cdot 416{,}520 = 1.6 \cdot 10^8$ |
# > | share of the roof | work / seconds / roof | in its own precision |
# > | false alarms, all of $n$ rounds on one side | $2 / 2^n$ | five rounds: $2/32$, once in 16 |
# > | bytes of a step of Adam | 7 numbers · 4 bytes · parameters | MiniVGG: 834 MB <!-- claim: adam-bytes-a-step --> |
# > | binary digits | bfloat16: 8, float32: 24 | $1 + 2^{-8}$ in bfloat16 is 1 |
# >
# > | where time goes | look at | what helps |
# > |---|---|---|
# > | images | loading alone, computing alone | images in memory |
# > | arithmetic | share of the roof | half precision with channels last |
# > | memory | bytes of a step, page faults | fused Adam, memory kept |
# > | waiting | `.item()` in the loop | sums on the device (on a GPU) |
# > | too many steps | errors against seconds | a higher rate that falls to zero, batch norm |
# >
# > In plain PyTorch, without this course's library:
# >
# > ```python
# > network = network.to(device, memory_format=torch.channels_last)
# > optimizer = torch.optim.Adam(network.parameters(), lr=0.001, fused=True)
# > total = torch.zeros((), device=device)
# > for images, labels in batches:
# >     images, labels = images.to(device), labels.to(device)
# >     images = images.contiguous(memory_format=torch.channels_last)
# >     with torch.autocast(device.type, torch.bfloat16):  # where it is fast
# >         loss = F.cross_entropy(network(images), labels)
# >     optimizer.zero_grad()
# >     loss.backward()
# >     optimizer.step()
# >     total += loss.detach()
# > if device.type == "cuda":
# >     torch.cuda.synchronize()  # before you read the clock, each time
# > ```

# %% [markdown]
# ## Going further
#
# **On a GPU.** Python hands a GPU orders and goes on at once, while it works. A clock that is read then has timed the giving of orders. So
# wait until all is done, `torch.cuda.synchronize()`, before you read it. The tutorial's loop waits in each step, because `.item()` needs
# the number. Ours will wait once, at the end.
#
# A T4 of 2018, which Colab lends out, says yes to `torch.cuda.is_bf16_supported()`. It has no instructions for bfloat16; torch emulates
# them, slowly. So the library asks for compute capability 8.0 instead, NVIDIA's number for a GPU's generation, and takes float16 below it.
#
# **What `fit` changes without being asked.** Only what at most rounds differently: the layout of channels, kept memory where that is
# possible, and no more threads than cores. It gives the memory back when it is done. Float32 is its default. Half precision and the fused
# optimiser come with `precision="auto"`, and the line below each table of `fit` says what was chosen. On a processor without fast bfloat16
# `auto` is float32, and there is nothing to compare. `fit` also checks and records, which is probably why it is a little slower than the
# ladder's last rung. ("As usual" in the picture of page faults is not quite the system's own way: the library has already set and reset two
# limits of the C library in this process, to 32 and 64 MiB, the highest that it would choose by itself.)
#
# **A rung above its bound.** Images in memory made LeNet-5 ×2.06 <!-- claim: step-images-lenet --> as fast, and we had printed
# ×1.8 <!-- claim: bound-loading-lenet --> as the most. Computing alone took 5.5 ms, <!-- claim: computing-lenet --> and on the ladder the
# whole rung takes 4.93 ms. <!-- claim: rung-images-lenet --> So the parts, timed alone, don't quite add up to the whole: a step depends on
# what was done before it. Perhaps a batch that was cut out a moment ago is still in the processor's small fast memory, the cache. We did
# not test it.
#
# **How the ladder was timed.** A pass could find memory that the pass before it has left, and be faster for it. So each pass begins with
# none. In milliseconds bfloat16 saves MiniVGG a little more than Adam, and in the other order the factors might swap: a factor counts for
# more on a shorter bar (exercise 5). With the two rounds of `quick`, every second comparison of equal loops gets a verdict by chance.
#
# **A cautious share.** More than half of MiniVGG's work is matrix products in its linear layers, which reach less than the roof even alone.
# So its share of the roof is a cautious one.
#
# ### A network made for speed
#
# CIFAR-10 is harder, and has a speed record of its own: 94 % <!-- claim: cifar10-speed-record-accuracy --> of its test images in
# 3.29 seconds <!-- claim: cifar10-speed-record -->, on one GPU ([Jordan, 2024](https://arxiv.org/abs/2404.00498)). Our recipes for CIFAR-10
# follow that paper. Two of its ideas can be seen.
#
# **A first layer that need not be trained.** Neighbouring pixels are nearly equal, so most of a patch's variance is its brightness, and
# little is left for edges and colours. <!-- claim: patches-of-four-pixels --> A network spends its first steps on finding that out. But it
# can be computed: take all patches of 2 × 2 pixels, find their *principal components*, and divide each by its spread. The results do not
# correlate, and are all of one size. That is called *whitening*. The filters are set once and then left alone.

# %%
network = models.whitened()
images = pictures.train.normalize(pictures.train.images)
network.whiten(images)
plots.filter_grid(network.whitening.weight[:12])

# %% [markdown]
# Twelve filters of 2 × 2, for twelve numbers: 4 pixels in 3 colours, in the order of their variance. The first is brightness, and so it is
# white all over; the second is a colour against its opposite <!-- claim: patches-of-four-pixels -->; then come edges of brightness, and so
# on to checks of colour. (The network has their twelve negatives, too, because its activation lets next to nothing of a negative sum
# through.)
#
# Do they do what they should? Here are the correlations between the twelve numbers of a patch, before and after.

# %%
with torch.no_grad():
    after = F.conv2d(images, network.whitening.weight[:12])
patches = F.unfold(images, 2)
before = patches.transpose(0, 1).flatten(1).corrcoef()
after = after.transpose(0, 1).flatten(1).corrcoef()
figure, panels = plots.new_figure(1, 2, width=7, height=3.3)
said = []
for axes, (name, table) in zip(
    panels, (("pixels", before), ("whitened", after)), strict=True
):
    shown = axes.imshow(table, cmap="RdBu_r", vmin=-1, vmax=1)
    axes.set(title=name, xticks=[], yticks=[])
    off = (table - torch.eye(12)).abs().max()
    said.append(f"{name}: up to {off:.2f} off the diagonal")
figure.colorbar(shown, ax=panels, shrink=0.8, label="correlation")
plots.finish(figure, f"Correlations of 12 numbers. {'; '.join(said)}.")

# %% [markdown]
# **Filters that begin as copies.** The other convolutions begin in part as the identity: in each, as many filters as there are channels
# have a 1 in the middle of one channel, and zeros elsewhere. So they hand on what they get, and an untrained network passes whitened
# patches to its end. You know the thought from chapter 6: make doing nothing the start. Below are the middles of the filters of the first
# convolution after the whitening.

# %%
convolutions = [
    layer for layer in network.modules() if isinstance(layer, torch.nn.Conv2d)
]
middles = convolutions[1].weight.detach()[:, :, 1, 1]
figure, axes = plots.new_figure(width=4, height=4.6)
axes.imshow(middles, cmap="RdBu_r", vmin=-1, vmax=1)
axes.set(xlabel="channel in", ylabel="filter")
copies = int((middles == 1).sum())
plots.finish(
    figure,
    f"The middle weights of {len(middles)} filters for {middles.shape[1]} "
    f"channels: {copies} are 1, on the diagonal; the other filters are small "
    "and random.",
)

# %% [markdown]
# The rest of the recipes is chapter 4's and this one's: mirrored and shifted pictures, a high rate that rises and falls, half precision.
# The paper also averages the answers to several *views* of a test image, as it is, mirrored and shifted. That raises the accuracy and costs
# time when judging. So a number that was averaged must say so.

# %% [markdown]
# ### The recorded benchmark
#
# Training on CIFAR-10 takes long on two cores. So the library has a benchmark, `make bench`, whose results are recorded like those of the
# chapters. It times the tutorial's loop and `fit` in turn, on four networks, and then runs each recipe with five fresh seeds, on all
# training images, judged by the test set.
#
# A benchmark means nothing without its machine.


# %% tags=["drawn"]
def recorded(kind):
    """Rows of both benchmarks; none where nothing was measured yet."""
    rows = {name: records.bench(kind, name) for name in ("cpu", "gpu")}
    rows = {name: one for name, one in rows.items() if not one.empty}
    if not rows:
        return pd.DataFrame()
    return pd.concat(rows, names=["on", "row"]).reset_index("on")


def show(table, *columns):
    """These columns, or that there is nothing to show."""
    if table.empty:
        print("not measured yet")
        return None
    return table.set_index([*columns[:1]])[[*columns[1:]]]


show(recorded("machine"), "on", "processor", "cores", "torch", "date")

# %% tags=["drawn"]
peaks = recorded("roof")
for measure in ("convolution", "matmul"):
    if measure in peaks:
        peaks[measure] = (peaks[measure] / 1e9).map("{:,.0f} billion".format)
show(peaks, "on", "precision", "convolution", "matmul")


# %% [markdown]
# The benchmark ran on the kind of processor that this page ran on, and the roofs agree: 265 billion <!-- claim: bench-roof-float32 -->
# multiply-adds a second in float32 and 487 billion <!-- claim: bench-roof-bfloat16 --> in bfloat16 in the benchmark,
# 266 billion <!-- claim: speed-roof-float32 --> and 495 billion <!-- claim: speed-roof-bfloat16 --> on this page. On another processor
# compare within a table, and not across.
#
# Milliseconds for 128 images. `beginner` is the tutorial's loop, `fit` is in float32, and `fit, auto` in the precision of the machine. The
# speed-up is against the beginner, the median over rounds, with its range.


# %% tags=["drawn"]
# Goal 8: read a benchmark
def in_words(speedup):
    return "×{median:.2f} ({least:.2f} to {most:.2f})".format(**speedup)


paces = recorded("step")
if not paces.empty:
    paces["milliseconds"] = [
        f"{time:,.0f}" if time >= 100 else f"{time:.3g}"
        for time in paces["milliseconds"]
    ]
    paces["speed-up"] = paces["speedup"].map(in_words)
    paces["of the roof"] = paces["share_of_roof"].map("{:.0%}".format)
columns = ("loop", "on", "milliseconds", "speed-up", "of the roof", "rounds")
show(paces, "network", *columns)

# %% [markdown]
# And the recipes. Read a row from left to right: which accuracy was promised, what was reached, with which averaging, and what is left
# without it.

# %% tags=["drawn"]
runs = recorded("target")
rows = []
names = list(runs["recipe"].unique()) if not runs.empty else []
for name in [*names, *(one for one in recipes.NAMES if one not in names)]:
    if name not in names:
        target = recipes.take(name).TARGET
        large = name in ("cifar10-94", "cifar10-96")
        note = "needs a GPU" if large else "not measured yet"
        rows.append({"recipe": name, "target": target, "seconds": note})
        continue
    for place, group in runs[runs["recipe"] == name].groupby("on"):
        line = {"recipe": name, "target": group["target"].iloc[0]}
        line |= {"on": place, "epochs": str(group["epochs"].iloc[0])}
        for column, form in (
            ("seconds", "{:.2f}"),
            ("accuracy", "{:.2%}"),
            ("alone", "{:.2%}"),
        ):
            mean, spread = group[column].mean(), group[column].std()
            line[column] = f"{form.format(mean)} ± {form.format(spread)}"
        line |= {"views": group["views"].iloc[0], "seeds": str(len(group))}
        rows.append(line)
table = pd.DataFrame(rows).set_index("recipe")
table["target"] = table["target"].map("{:.0%}".format)
table.fillna("")

# %% [markdown]
# `beginner`, where it is there, is LeNet-5 in the tutorial's loop, for as many epochs as it needs on validation images to get to
# 99 % <!-- claim: mnist-99-target -->, or for the best of twelve if it does not get there. On two cores it misses: its mean on test images
# is 98.90 % <!-- claim: bench-beginner-accuracy -->, and three of five seeds hit. <!-- claim: bench-beginner-hits --> So its seconds,
# divided by those of `mnist-99`, compare a miss with a hit. Part of that factor is the steps' speed, part is their number, and this chapter
# has taken it apart. And `cifar10-90` reaches 90.28 % <!-- claim: bench-90-accuracy --> only because each answer is averaged with that of
# the mirrored image. Alone it is 89.35 % <!-- claim: bench-90-alone -->, short of its name.
#
# When you read somebody else's benchmark, look for the same things. On which machine? How often, with which spread? Is fetching or
# compiling left out? Judged on which images, and were choices made on them? One answer an image, or several averaged?

# %% [markdown]
# ## Exercises
#
# ● by hand, ●● change and run, ●●● design an experiment. Guess first, then run, then open the solution.

# %% [markdown]
# ### Exercise 1: The pass that is not made
#
# ● *10 min.* A training step costs three passes, we said. But nobody needs the gradient of the *pixels*. So the first layer makes one pass
# less. By how much do three passes overstate the work of LeNet-5? And of MiniVGG?

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# The first convolution of LeNet-5 has $28 \cdot 28 \cdot 6 \cdot 25 = 117{,}600$ multiply-adds, of
# 416,520 <!-- claim: speed-lenet5-work -->. That is more than a quarter of a pass, and nearly a tenth of three. So LeNet-5's share of the
# roof is overstated by a tenth <!-- claim: lenet5-first-layer-work -->. MiniVGG's first layer has
# 225,792 <!-- claim: minivgg-first-layer-work --> of 55 million <!-- claim: minivgg-multiply-adds -->: less than half a percent of a
# pass <!-- claim: minivgg-first-layer-share -->. For such networks three is a good number.
#
# </details>

# %% tags=["solution", "nbval-check-output"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
for name, build in (("LeNet-5", models.lenet5), ("MiniVGG", models.minivgg)):
    table = analysis.layer_table(build(), (1, 28, 28))
    first = table["multiply-adds"].iloc[0]
    total = table.loc["total", "multiply-adds"]
    print(f"{name}: {first:,} of {total:,}")
    print(f"  three passes say {3 * total / (3 * total - first):.3f} times")

# %% [markdown]
# ### Exercise 2: A digit's way
#
# ●● *15 min.* How many microseconds does a single digit cost in the tutorial's loader? It passes four stations: an array becomes a picture,
# `ToTensor` makes a tensor of it, `Normalize` shifts and scales that, and at the end 128 of them are stacked. Which station costs most? And
# what does the same digit cost in `data.Batches`?

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# On this page `ToTensor` costs 14.8 µs <!-- claim: digit-to-tensor --> and `Normalize` 14.33 µs. <!-- claim: digit-normalize --> A digit
# costs 36.76 µs <!-- claim: digit-in-all --> in all, and 3.89 µs <!-- claim: digit-in-batches --> in `data.Batches`, everything included.
# Its 784 numbers are next to nothing. What costs is everything around: objects to make, types to check, calls to find their way through
# Python. Each of 48,000 digits pays for it in every epoch. In `Batches` 128 digits share one call. That is why the loader's time has little
# to do with the size of the images, as long as they are small.
#
# </details>


# %% tags=["solution"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
def microseconds(work, items):
    began = time.perf_counter()
    done = [work(item) for item in items]
    return done, 1e6 * (time.perf_counter() - began) / 1_280


dataset = data.DatasetView(digits.train)
to_tensor, normalise = to_normalised_tensor.transforms
photos, first = microseconds(lambda place: dataset[place][0], range(1_280))
tensors, second = microseconds(to_tensor, photos)
tensors, third = microseconds(normalise, tensors)
groups = [tensors[start : start + 128] for start in range(0, 1_280, 128)]
_, fourth = microseconds(torch.stack, groups)
loader = data.Batches(digits.train.select(range(1_280)), 128, shuffle=True)
_, all_at_once = microseconds(list, [loader])
pd.Series(
    {
        "to a picture": first,
        "ToTensor": second,
        "Normalize": third,
        "stacked": fourth,
        "data.Batches, everything": all_at_once,
    }
).map("{:.2f} µs a digit".format)

# %% [markdown]
# ### Exercise 3: A thousand ones
#
# ● *5 min.* Start at zero and add 1, a thousand times, in bfloat16. Where do you end? And what does that say about keeping weights in
# bfloat16?

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# At 256 <!-- claim: ones-in-bfloat16 -->. A bfloat16 has 8 binary digits, so from 256 to 512 it knows the even numbers only. 257 lies
# half-way between 256 and 258, the tie goes to the even last digit, and the sum is stuck. A weight in bfloat16 that receives a step of less
# than about a 500th of itself stays where it is, however often the step comes. So weights, Adam's means and sums of losses stay in float32.
# Autocast leaves them there.
#
# </details>

# %% tags=["solution", "nbval-check-output"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
total = torch.tensor(0.0, dtype=torch.bfloat16)
for _ in range(1_000):
    total += 1
print(total.item())

# %% [markdown]
# ### Exercise 4: What Adam carries
#
# ●● *20 min.* MiniVGG has 29,773,354 parameters <!-- claim: A.6 --> in its full width. For each, a step of Adam reads the weight, its
# gradient and two running means, and writes the weight and both means. Four bytes each. How many megabytes is that a step? Memory that
# moves 20 GB a second would need how many milliseconds? Now time `optimizer.step()`, fused and not. How many GB a second does each reach?

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# Seven numbers of four bytes for 29.8 million parameters <!-- claim: A.6 -->: 834 MB <!-- claim: adam-bytes-a-step -->, or
# 42 ms <!-- claim: adam-time-a-step --> at 20 GB a second. There is hardly any arithmetic in it. So Adam does not stand under the roof of
# multiply-adds at all: it stands under the roof of memory, and no number format of the convolutions changes that. (Williams and others draw
# both roofs in one picture.) Unfused, each of Adam's operations goes through memory on its own, so more bytes travel than these, and the GB
# a second that *we* count come out lower. For LeNet-5 all of it fits into a cache, so expect little from the fused form. On this page
# MiniVGG's step moves 9.4 GB <!-- claim: adam-unfused --> a second unfused and 102.9 GB <!-- claim: adam-fused --> a second fused, so this
# machine's memory is far faster than the 20 that we assumed.
#
# </details>

# %% tags=["solution"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
network = minivgg().to(device)
count = analysis.count_parameters(network)
for weight in network.parameters():
    weight.grad = torch.full_like(weight, 1e-3)
optimizers = {
    name: torch.optim.Adam(network.parameters(), fused=fused)
    for name, fused in (("not fused", None), ("fused", fast.fused or None))
}


def adam_steps(optimizer, steps=3):
    synchronize(device)
    began = time.perf_counter()
    for _ in range(steps):
        optimizer.step()
    synchronize(device)
    return (time.perf_counter() - began) / steps


works = {name: partial(adam_steps, one) for name, one in optimizers.items()}
seconds = training.interleave(works, rounds).median()
print(f"{count:,} parameters: {7 * 4 * count / 1e6:,.0f} MB a step")
for name, spent in seconds.items():
    speed = 7 * 4 * count / spent / 1e9
    print(f"{name}: {1000 * spent:.1f} ms, {speed:.1f} GB a second")

# %% [markdown]
# ### Exercise 5: Take a rung out
#
# ●●● *30 min.* A ladder has an order, and a change may owe its step to the ones before it. So go the other way: start with every rung, and
# take out one at a time. Which single rung would LeNet-5 miss most? Is it the tallest step of the ladder? And do the factors multiply to
# that of the whole ladder?

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# On this page LeNet-5 misses the images in memory most, as in the ladder: without them it is slower by ×2.32. <!-- claim: missed-images -->
# The six factors multiply to ×4.9 <!-- claim: missed-product -->, and the whole ladder, which ends with `fit`, brings
# ×2.6. <!-- claim: ladder-lenet -->
#
# What is left of the time after all other changes is short, so a rung that takes away a fixed number of milliseconds counts for more at the
# end than at the start. Loading is one. Others depend on each other: half precision without channels last may be slower than having neither
# of the two. So factors of single changes do not multiply to the whole, and "this trick gives ×1.5" is a sentence about a trick *and*
# everything around it.
#
# </details>

# %% tags=["solution"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
usual = {"in_memory": False, "wait": True, "channels_last": False}
usual |= {"half": False, "fused": False, "keep": False}
works = {"every rung": partial(one_pass, split=many, **every_rung)}
for name, change in changes.items():
    (switch,) = change
    without = every_rung | {switch: usual[switch]}
    works[f"without {name}"] = partial(one_pass, split=many, **without)
works = {name: (lambda run=run: run(lenet())) for name, run in works.items()}
seconds = in_turn(works)
milliseconds = per_batch(seconds.median(), many)
missed = seconds.div(seconds["every rung"], axis=0)
pd.DataFrame(
    {
        "milliseconds": milliseconds.map("{:.2f}".format),
        "slower by": "×" + missed.median().map("{:.2f}".format),
        "missed": missed.min().gt(1).map({True: "yes", False: "not clearly"}),
    }
).drop(index="every rung")

# %% [markdown]
# ## What to remember
#
# 1. Measure the parts alone before you make any of them faster. What can be won is the part's share.
# 2. Work over time over roof says how far there is to go. Each number format has a roof of its own, and memory has one, too.
# 3. Time in turn, after a warm-up, with median and range. Time a loop against itself, and know how often your rule is wrong.
# 4. What a loop waits for depends on its network: a small one may wait for images, a large one for arithmetic and memory. So test advice on yours.
# 5. Seconds to an accuracy are seconds a step times steps. Work on both, and show that the faster training is as good.

# %% [markdown]
# ## Quiz
#
# Six questions. Each wrong choice is a common belief, and its answer names the place that refutes it.
#
# **Question 1.** Loading takes a hundredth of your loop's time. You make it ten times as fast. What do you win?
#
# 1. Nearly nothing.
# 2. The whole loop is ten times as fast.
# 3. A tenth of the time.
#
# <details><summary>Answer</summary>
#
# 1. **Right.** What can be won is the part's share.
# 2. Computing takes as long as before: goal 1.
# 3. The part's share is a hundredth, and no more can be won: goal 1.
#
# </details>
#
# **Question 2.** You time the old loop ten times, then the new one ten times. The new one is faster. What is missing?
#
# 1. More digits behind the decimal point.
# 2. Nothing: twenty runs are enough.
# 3. Turns: something may have disturbed the first ten only.
#
# <details><summary>Answer</summary>
#
# 1. The clock is exact. The machine is not: goal 3.
# 2. Ten runs in a row share what disturbs them. A loop against itself shows how large that is: goal 3.
# 3. **Right.** Time them in turn, and divide within each round.
#
# </details>
#
# **Question 3.** Images in memory made LeNet-5 twice as fast. What do you expect for MiniVGG?
#
# 1. The same factor: the images are the same.
# 2. Hardly anything, for it waits for arithmetic and memory.
# 3. A larger factor, for it is larger.
#
# <details><summary>Answer</summary>
#
# 1. The same milliseconds, which are a small part of a long step: goal 1.
# 2. **Right.**
# 3. A larger network makes the images' share smaller: goal 1.
#
# </details>
#
# **Question 4.** bfloat16 rounds each number to 8 binary digits. What did it cost LeNet-5?
#
# 1. Nothing that five seeds could see.
# 2. A point: rounding adds up.
# 3. It learned nothing, since small steps were lost.
#
# <details><summary>Answer</summary>
#
# 1. **Right.** And a small price is not excluded.
# 2. The interval of the paired difference excludes it: goal 5.
# 3. Weights stay in float32, so steps are not lost: exercise 3 shows what would happen otherwise.
#
# </details>
#
# **Question 5.** Somebody reports that more workers made training faster. On your two cores they make it slower. Who is wrong?
#
# 1. They are: processes cost time.
# 2. You are: workers always help.
# 3. Perhaps nobody: it depends on what an image costs, and on the machine.
#
# <details><summary>Answer</summary>
#
# 1. Where images are large JPEGs, the cost is worth it.
# 2. They did not, for digits on two cores: goal 6.
# 3. **Right.** Test it on yours.
#
# </details>
#
# **Question 6.** `mnist-99` does twice the arithmetic of LeNet-5 for an image, and gets to nearly 99 of a hundred in a third of the time.
# How?
#
# 1. It rounds more.
# 2. It needs fewer steps.
# 3. It reads more images a second.
#
# <details><summary>Answer</summary>
#
# 1. Both run in the same precision here: goal 7.
# 2. **Right.** Two epochs, with a high rate that comes to rest.
# 3. It reads fewer: its two epochs take longer than two of LeNet-5.
#
# </details>

# %% [markdown]
# ## References
#
# - The roof: [Williams et al., 2009](https://doi.org/10.1145/1498765.1498785).
# - Mixed precision: [Micikevicius et al., 2018](https://arxiv.org/abs/1710.03740).
# - One cycle: [Smith and Topin, 2018](https://arxiv.org/abs/1708.07120).
# - The whitened network: [Jordan, 2024](https://arxiv.org/abs/2404.00498).
