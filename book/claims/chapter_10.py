"""Chapter 10, speed."""

import re

import torch
from torch.nn import functional as F

from course_lib import analysis, data, models, recipes, records
from course_tools.claims.ledger import claim
from course_tools.claims.measurements import difference, mean
from course_tools.claims.published import memory, output, printed, seconds


@claim
def speed_time():
    """How long chapter 10 takes on two cores."""
    return seconds("10-speed")


@claim
def speed_memory():
    """How much memory chapter 10 takes on two cores."""
    return memory("10-speed")


@claim
def benchmark_what_each_gains_from():
    """In the recorded benchmark LeNet-5 gains more by fit in float32 than by short numbers and the fused optimiser on
    top, and MiniVGG less.
    """
    times = records.bench("step", "cpu").set_index(["network", "loop"])["milliseconds"]
    gains = {}
    for name in ("LeNet-5", "MiniVGG"):
        first, second, third = (times[name, loop] for loop in ("beginner", "fit", "fit, auto"))
        gains[name] = first / second, second / third
    return bool(gains["LeNet-5"][0] > gains["LeNet-5"][1] and gains["MiniVGG"][0] < gains["MiniVGG"][1])


@claim
def mnist_99_target():
    """The accuracy that the recipe mnist-99 promises."""
    return recipes.take("mnist-99").TARGET


@claim
def mnist_99_work():
    """The network of mnist-99 costs twice the arithmetic of LeNet-5."""
    work = [
        analysis.count_multiply_adds(one, (1, 28, 28)) for one in (recipes.take("mnist-99").Strided(), models.lenet5())
    ]
    return 1.9 < work[0] / work[1] < 2.2


@claim(value="94 %", cite=["jordan2024"])
def cifar10_speed_record_accuracy():
    """The speed record's accuracy."""


@claim(value="3.29 seconds", cite=["jordan2024"])
def cifar10_speed_record():
    """The speed record on CIFAR-10, on one GPU."""


@claim
def patches_of_four_pixels():
    """Most of the variance of a patch of 2 × 2 pixels is brightness, and a colour against its opposite comes next."""
    with torch.device("cpu"):
        photos = data.load("cifar10", size="sample").train
        patches = F.unfold(photos.normalize(photos.images[:500]), 2).transpose(0, 1).flatten(1)
        variances, components = torch.linalg.eigh(torch.cov(patches.double()))
    share = (variances[-1] / variances.sum()).item()
    bright, colour = components[:, -1], components[:, -2].reshape(3, 4)
    one_sign = bool((bright > 0).all() or (bright < 0).all())
    one_colour = bool(
        colour.std(dim=1).max() < 0.05 and colour.mean(dim=1).max() > 0.2 and colour.mean(dim=1).min() < -0.2
    )
    return share > 0.8 and one_sign and one_colour


@claim
def speed_lenet5_work():
    """What a digit costs LeNet-5."""
    return analysis.count_multiply_adds(models.lenet5(), (1, 28, 28))


@claim
def lenet5_first_layer_work():
    """LeNet-5's first layer is more than a quarter of a pass, so three passes are a tenth too many."""
    work = analysis.layer_table(models.lenet5(), (1, 28, 28))["multiply-adds"]
    first, total = work.iloc[0].item(), work["total"].item()
    return 1 / 4 < first / total < 0.3 and round(3 * total / (3 * total - first), 1) == 1.1


@claim
def minivgg_first_layer_work():
    """What MiniVGG's first layer costs."""
    return analysis.layer_table(models.minivgg(), (1, 28, 28))["multiply-adds"].iloc[0].item()


@claim
def minivgg_first_layer_share():
    """MiniVGG's first layer is less than half a percent of a pass."""
    work = analysis.layer_table(models.minivgg(), (1, 28, 28))["multiply-adds"]
    return bool(work.iloc[0] / work["total"] < 0.005)


@claim
def ones_in_bfloat16():
    """A thousand ones add up to 256 in bfloat16."""
    with torch.device("cpu"):
        total = torch.tensor(0.0, dtype=torch.bfloat16)
        for _ in range(1_000):
            total += 1
    return total.item()


@claim
def adam_bytes_a_step():
    """What a step of Adam moves for MiniVGG."""
    return 7 * 4 * analysis.count_parameters(models.minivgg())


@claim
def adam_time_a_step():
    """How long that takes at 20 GB a second."""
    return 7 * 4 * analysis.count_parameters(models.minivgg()) / 20e9


@claim
def speed_loading_lenet():
    """Share of loading in loading and computing, LeNet-5, on the published page."""
    page = output("10-speed")
    return 0.01 * float(
        re.search(r"Share of loading in loading and computing: LeNet-5 (\d+)%", page)[1].replace(",", "")
    )


@claim
def speed_loading_minivgg():
    """The same, MiniVGG."""
    page = output("10-speed")
    return 0.01 * float(
        re.search(r"Share of loading in loading and computing: LeNet-5 \d+%, MiniVGG (\d+)%", page)[1].replace(",", "")
    )


@claim
def speed_roof_share_lenet():
    """Share of the float32 roof that the tutorial's loop reaches, LeNet-5, on the published page."""
    page = output("10-speed")
    return 0.01 * float(re.search(r"Share of the float32 roof: LeNet-5 ([\d.]+)%", page)[1].replace(",", ""))


@claim
def speed_roof_share_minivgg():
    """The same, MiniVGG."""
    page = output("10-speed")
    return 0.01 * float(
        re.search(r"Share of the float32 roof: LeNet-5 [\d.]+%; MiniVGG ([\d.]+)%", page)[1].replace(",", "")
    )


@claim
def speed_roof_float32():
    """The roof of a convolution in float32, on the published page."""
    page = output("10-speed")
    return 1e9 * float(re.search(r"roof in float32 (\d+) billion", page)[1].replace(",", ""))


@claim
def speed_roof_bfloat16():
    """The same in bfloat16."""
    page = output("10-speed")
    return 1e9 * float(re.search(r"roof in bfloat16 (\d+) billion", page)[1].replace(",", ""))


@claim
def speed_twins():
    """How far single rounds of one loop differ on the published page."""
    page = output("10-speed")
    lines = [" ".join(line.split()) for line in page.replace("\n", "\n").splitlines()]
    rows = [
        "the same 1.469 1.021 0.978 1.208",
    ]
    return all(any(row in line for line in lines) for row in rows)


@claim
def speed_tallest_steps():
    """The steps of the ladders on the published page, and the bounds printed before."""
    page = output("10-speed")
    lines = [" ".join(line.split()) for line in page.replace("\n", "\n").splitlines()]
    rows = [
        "images in memory ×2.29 paid ×1.05 paid",
        "channels last ×1.09 paid ×1.05 no clear difference",
        "bfloat16 ×1.20 paid ×1.34 paid",
        "fused Adam ×1.07 no clear difference ×1.69 paid",
        "memory kept ×1.00 no clear difference ×1.27 paid",
        "LeNet-5: at most ×2.4 by computing faster, ×1.7 by loading faster",
    ]
    return all(any(row in line for line in lines) for row in rows)


@claim
def speed_page_faults():
    """Page faults of each step on the published page."""
    page = output("10-speed")
    lines = [" ".join(line.split()) for line in page.replace("\n", "\n").splitlines()]
    rows = [
        "as usual 90,813, 13,976, 12,895, 12,545, 1; kept",
    ]
    return all(any(row in line for line in lines) for row in rows)


@claim
def speed_price_of_auto():
    """LeNet-5 with precision auto less LeNet-5 in float32, the same seeds."""
    return difference("10-speed/LeNet-5, auto", "10-speed/LeNet-5, float32", split="validation", mixed="precision")


@claim
def speed_lenet_float32_seconds():
    """Seconds of two epochs of LeNet-5 in float32."""
    return mean("10-speed/LeNet-5, float32", "seconds", split="validation")


@claim
def speed_lenet_auto_seconds():
    """The same with precision auto."""
    return mean("10-speed/LeNet-5, auto", "seconds", split="validation")


@claim
def speed_advice():
    """What paid and what cost on the published page."""
    page = output("10-speed")
    lines = [" ".join(line.split()) for line in page.replace("\n", "\n").splitlines()]
    rows = [
        "batches of 512 LeNet-5 every rung ×1.29 1.20 to 1.36 paid",
        "MiniVGG every rung ×1.43 1.40 to 1.50 paid",
        "matmul precision medium LeNet-5 float32 ×0.97 0.97 to 0.99 cost",
        "MiniVGG float32 ×1.21 1.20 to 1.26 paid",
        "no channels last LeNet-5 every rung ×0.86 0.84 to 0.90 cost",
        "MiniVGG every rung ×0.86 0.83 to 0.87 cost",
        "one thread LeNet-5 every rung ×0.67 0.65 to 0.69 cost",
        "MiniVGG every rung ×0.58 0.56 to 0.60 cost",
        "torch.compile LeNet-5 every rung ×0.60 0.56 to 0.61 cost",
        "two workers LeNet-5 tutorial ×0.61 0.58 to 0.71 cost",
        "MiniVGG tutorial ×0.89 0.87 to 0.91 cost",
    ]
    return all(any(row in line for line in lines) for row in rows)


@claim
def speed_compile_seconds():
    """Seconds of the first two steps of a compiled LeNet-5."""
    return printed("10-speed", "torch.compile: ", ("cpu",))


@claim
def race_tutorial():
    """Seconds of eight epochs of LeNet-5 at the tutorial's pace, one seed, in the published figure."""
    page = output("10-speed")
    return float(re.search(r"LeNet-5 at the tutorial's pace [\d.]+ % at ([\d.]+) s", page)[1].replace(",", ""))


@claim
def race_fit():
    """The same at the pace of fit."""
    page = output("10-speed")
    return float(re.search(r"LeNet-5, training\.fit [\d.]+ % at ([\d.]+) s", page)[1].replace(",", ""))


@claim
def race_recipe():
    """Seconds of the recipe, one seed, in the same figure."""
    page = output("10-speed")
    return float(re.search(r"mnist-99 [\d.]+ % at ([\d.]+) s", page)[1].replace(",", ""))


@claim
def speed_recipe_accuracy():
    """Test accuracy of the recipe mnist-99."""
    return mean("10-speed/mnist-99")


@claim
def speed_recipe_seconds():
    """Its seconds."""
    return mean("10-speed/mnist-99", "seconds")


@claim
def speed_rungs_taken_out():
    """How much slower LeNet-5 is without each rung, and how much faster with all of them, on the published page."""
    page = output("10-speed")
    lines = [" ".join(line.split()) for line in page.replace("\n", "\n").splitlines()]
    rows = [
        "without images in memory 13.34 ×2.69 yes",
        "without sums on the device 4.93 ×1.01 not clearly",
        "without channels last 5.81 ×1.19 yes",
        "without bfloat16 5.72 ×1.19 yes",
        "without fused Adam 5.09 ×1.05 yes",
        "without memory kept 4.88 ×1.01 not clearly",
        "×3.1 in all",
    ]
    return all(any(row in line for line in lines) for row in rows)


@claim
def bench_roof_float32():
    """The roof of a convolution in float32, when the benchmark ran."""
    rows = records.bench("roof", "cpu")
    return rows[rows["precision"] == "float32"]["convolution"].mean()


@claim
def bench_roof_bfloat16():
    """The same in bfloat16."""
    rows = records.bench("roof", "cpu")
    return rows[rows["precision"] == "bfloat16"]["convolution"].mean()


@claim
def bench_beginner_accuracy():
    """Mean test accuracy of the beginner's loop in the benchmark."""
    rows = records.bench("target", "cpu")
    return rows[rows["recipe"] == "beginner"]["accuracy"].mean()


@claim
def bench_beginner_hits():
    """Three of the beginner's five seeds reach 99 % of the test images; all five of mnist-99 do."""
    rows = records.bench("target", "cpu")
    hits = [(rows[rows["recipe"] == name]["accuracy"] >= 0.99).tolist() for name in ("beginner", "mnist-99")]
    return len(hits[0]) == 5 and sum(hits[0]) == 3 and len(hits[1]) == 5 and all(hits[1])


@claim
def bench_90_accuracy():
    """Mean test accuracy of the recipe cifar10-90, averaged with mirrored images."""
    rows = records.bench("target", "cpu")
    return rows[rows["recipe"] == "cifar10-90"]["accuracy"].mean()


@claim
def bench_90_alone():
    """The same without averaging."""
    rows = records.bench("target", "cpu")
    return rows[rows["recipe"] == "cifar10-90"]["alone"].mean()


@claim
def speed_a_digit():
    """What a digit costs on its way, on the published page."""
    page = output("10-speed")
    lines = [" ".join(line.split()) for line in page.replace("\n", "\n").splitlines()]
    rows = [
        "to a picture 8.32 µs a digit",
        "ToTensor 18.38 µs a digit",
        "Normalize 18.00 µs a digit",
        "stacked 0.83 µs a digit",
        "data.Batches, everything 0.84 µs a digit",
    ]
    return all(any(row in line for line in lines) for row in rows)


@claim
def speed_adam_bytes():
    """Bytes a second of Adam's step on the published page."""
    page = output("10-speed")
    lines = [" ".join(line.split()) for line in page.replace("\n", "\n").splitlines()]
    rows = [
        "not fused: 108.3 ms, 7.7 GB a second",
        "fused: 19.2 ms, 43.5 GB a second",
    ]
    return all(any(row in line for line in lines) for row in rows)
