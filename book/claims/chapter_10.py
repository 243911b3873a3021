"""Chapter 10, speed."""

import math
import re

import pandas as pd
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
def minivgg_multiply_adds():
    """What a digit costs MiniVGG."""
    return analysis.count_multiply_adds(models.minivgg(), (1, 28, 28))


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
def recipe_validation():
    """Validation accuracy of the recipe `mnist-99`, five seeds, in chapter 10's published run."""
    return printed("10-speed", "\naccuracy: ")


@claim
def speed_recipe_accuracy():
    """Test accuracy of the recipe mnist-99."""
    return mean("10-speed/mnist-99")


@claim
def speed_recipe_seconds():
    """Its seconds."""
    return mean("10-speed/mnist-99", "seconds")


def _minivgg_steps() -> pd.DataFrame:
    """MiniVGG's rows of the benchmark on two cores, by loop."""
    steps = records.bench("step", "cpu")
    return steps[steps["network"] == "MiniVGG"].set_index("loop")


@claim
def bench_three_times():
    """In the benchmark the tutorial's loop takes about three times as long with MiniVGG as fit, auto."""
    steps = _minivgg_steps()
    return 2.9 < steps.loc["fit, auto", "speedup"]["median"] < 3.5


@claim
def bench_quarter():
    """There it reaches about a quarter of the float32 roof."""
    return 0.23 < _minivgg_steps().loc["beginner", "share_of_roof"] < 0.27


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


# ---- what the published page prints


def _line(start: str) -> str:
    """The one line of the page that begins like this, with single spaces."""
    lines = {" ".join(line.split()) for line in output("10-speed").splitlines()}
    (found,) = [line for line in lines if line.startswith(f"{start} ")]
    return found


def _ratio(start: str, place: int = 0) -> float:
    """The ×-number at this place of a line."""
    return float(re.findall(r"×([\d.]+)", _line(start))[place])


def _verdicts(start: str) -> list[str]:
    return re.findall("paid|cost|no clear difference", _line(start))


@claim
def speed_twins_least():
    """The smallest ratio of a loop against itself."""
    return float(_line("the same").split()[-2])


@claim
def speed_twins_most():
    """The largest."""
    return float(_line("the same").split()[-1])


@claim
def step_images_lenet():
    """What images in memory bring LeNet-5, on the ladder."""
    return _ratio("images in memory")


@claim
def step_half_minivgg():
    """What bfloat16 brings MiniVGG, on the ladder."""
    return _ratio("bfloat16", 1)


@claim
def step_adam_minivgg():
    """What the fused Adam brings MiniVGG, on the ladder."""
    return _ratio("fused Adam", 1)


@claim
def step_kept_minivgg():
    """What kept memory brings MiniVGG, on the ladder."""
    return _ratio("memory kept", 1)


@claim
def speed_verdicts():
    """For LeNet-5 images in memory are the tallest step, for MiniVGG the fused Adam; sums on the device bring at most a
    twentieth, and fit costs a little.
    """
    page = output("10-speed")
    tallest = "LeNet-5: tallest step 'images in memory'" in page and "MiniVGG: tallest step 'fused Adam'" in page
    sums = max(_ratio("sums on the device", place) for place in (0, 1)) < 1.05
    three = all(_verdicts(rung)[1] == "paid" for rung in ("bfloat16", "fused Adam", "memory kept"))
    return tallest and sums and three and _verdicts("training.fit") == ["cost", "cost"]


@claim
def bound_loading_lenet():
    """How much faster LeNet-5's loop could be by loading alone, as the page prints it before the ladder."""
    return _ratio("LeNet-5: at most", 1)


@claim
def computing_lenet():
    """Computing alone, for 128 digits and LeNet-5."""
    return float(re.search(r"LeNet-5 +[\d.]+ ms +([\d.]+) ms", output("10-speed"))[1]) / 1000


@claim
def rung_images_lenet():
    """The rung with images in memory, for 128 digits and LeNet-5."""
    page = output("10-speed")
    return float(re.search(r"Bars of LeNet-5: .*?images in memory: ([\d.]+) ms", page)[1]) / 1000


def _faults(way: str) -> list[int]:
    """Page faults of steps 1 to 5."""
    counts = _line(f"{way}:").removeprefix(f"{way}: ").split(", ")
    return [int(count.replace(",", "")) for count in counts]


@claim
def faults_least():
    """The fewest page faults of a step after the first, the usual way."""
    return min(_faults("as usual")[1:])


@claim
def faults_bytes():
    """What so many pages of 4 KB hold."""
    return 4096 * min(_faults("as usual")[1:])


@claim
def faults_kept():
    """The most page faults of a step from the third on, with memory kept."""
    return max(_faults("kept")[2:])


@claim
def faults_gradients():
    """Pages of 4 KB that the gradients of all weights of MiniVGG fill."""
    return round(4 * analysis.count_parameters(models.minivgg()) / 4096)


@claim
def speed_price_undecided():
    """Zero lies in the interval of auto less float32."""
    price = difference("10-speed/LeNet-5, auto", "10-speed/LeNet-5, float32", split="validation", mixed="precision")
    return abs(price.value) < price.spread


def _attempt(name: str, network: str = "LeNet-5") -> tuple[str, str]:
    """The lines of an attempt in the two halves of the table: its speed, and its verdict."""
    lines = [" ".join(line.split()) for line in output("10-speed").splitlines()]
    rows = []
    for place, line in enumerate(lines):
        if line.startswith(f"{name} LeNet-5 "):
            rows.append(line if network == "LeNet-5" else lines[place + 1])
    speed, verdict = rows
    return speed, verdict


def _speed(name: str, network: str = "LeNet-5") -> float:
    return float(re.search(r"×([\d.]+)", _attempt(name, network)[0])[1])


@claim
def advice_large_lenet():
    """How much faster LeNet-5 is with batches of 512."""
    return _speed("batches of 512")


@claim
def advice_large_minivgg():
    """The same for MiniVGG."""
    return _speed("batches of 512", "MiniVGG")


@claim
def advice_medium_minivgg():
    """How much faster MiniVGG is in float32 with matmul precision medium."""
    return _speed("matmul precision medium", "MiniVGG")


@claim
def advice_compile():
    """How much faster LeNet-5 is when compiled: less than once."""
    return _speed("torch.compile")


@claim
def speed_advice():
    """Batches of 512 paid for both networks, medium precision for MiniVGG, with no clear difference for LeNet-5; all
    else cost time.
    """
    ends = {
        (name, network): _attempt(name, network)[1].rpartition(f"{network} ")[2]
        for name in ("batches of 512", "matmul precision medium", "no channels last", "one thread", "two workers")
        for network in ("LeNet-5", "MiniVGG")
    }
    ends["torch.compile", "LeNet-5"] = _attempt("torch.compile")[1].rpartition("LeNet-5 ")[2]
    paid = {attempt for attempt, verdict in ends.items() if verdict == "paid"}
    unclear = [attempt for attempt, verdict in ends.items() if verdict == "no clear difference"]
    large, medium = "batches of 512", "matmul precision medium"
    return paid == {(large, "LeNet-5"), (large, "MiniVGG"), (medium, "MiniVGG")} and unclear == [(medium, "LeNet-5")]


def _microseconds(station: str) -> float:
    return float(_line(station).removeprefix(station).split()[0])


@claim
def digit_to_tensor():
    """Microseconds that a digit costs in ToTensor."""
    return _microseconds("ToTensor")


@claim
def digit_normalize():
    """The same in Normalize."""
    return _microseconds("Normalize")


@claim
def digit_in_all():
    """The same in all four stations."""
    return sum(map(_microseconds, ("to a picture", "ToTensor", "Normalize", "stacked")))


@claim
def digit_in_batches():
    """The same in data.Batches."""
    return _microseconds("data.Batches, everything")


@claim
def adam_unfused():
    """Bytes a second that MiniVGG's step of Adam moves, not fused."""
    return float(re.search(r"not fused: [\d.]+ ms, ([\d.]+) GB", output("10-speed"))[1]) * 1e9


@claim
def adam_fused():
    """The same, fused."""
    return float(re.search(r"(?m)^fused: [\d.]+ ms, ([\d.]+) GB", output("10-speed"))[1]) * 1e9


def _missed() -> list[float]:
    """By how much LeNet-5 is slower without each rung, in the ladder's order."""
    rungs = ("images in memory", "sums on the device", "channels last", "bfloat16", "fused Adam", "memory kept")
    return [_ratio(f"without {rung}") for rung in rungs]


@claim
def missed_images():
    """By how much LeNet-5 is slower without images in memory, which it misses most."""
    first, *others = _missed()
    return first if first > max(others) else "another rung is missed more"


@claim
def missed_product():
    """The product of all six factors."""
    return math.prod(_missed())


@claim
def ladder_lenet():
    """How much faster LeNet-5 is by the whole ladder."""
    return float(re.search(r"LeNet-5: tallest step .*?; ×([\d.]+) in all", output("10-speed"))[1])
