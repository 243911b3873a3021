"""How fast the library is, beside the loop of most tutorials: ``python -m studies.benchmark`` (``make bench``).

It measures a lone convolution and matrix product (peak throughput), milliseconds for 128 images with ``fit`` and with
the beginner's loop in turn, seconds with several processes and with one, and seconds to an accuracy with each recipe.
Lines go to ``results/bench-cpu.jsonl`` or
``bench-gpu.jsonl``, and replace what is there only when all of it was measured.

All choices were made on validation images with other seeds than the published ones. Here every loop trains on all
training images and is evaluated on test images, once per seed.
"""

import argparse
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader

from course_lib import data, models, recipes, records, training
from course_lib.data import DatasetView, Split
from course_lib.machine import processor
from course_lib.training import memory_kept, usable_cores
from course_tools.publishing.provenance import commit

ROOT = Path(__file__).parents[1]
BATCH = 128
# Name, network, data, and the steps of one measurement on a CPU and on a GPU.
NETWORKS: list[tuple[str, Callable[[], nn.Module], str, int, int]] = [
    ("LeNet-5", models.lenet5, "mnist", 300, 300),
    ("MiniVGG", models.minivgg, "mnist", 16, 300),
    ("VGG8-BN", lambda: models.vgg8_bn(num_classes=10), "cifar10", 16, 300),
    ("ResNet-18", lambda: models.resnet18(num_classes=10, stem="cifar"), "cifar10", 6, 100),
]
SEEDS = range(10, 15)
SEEDS_TO_CHOOSE_WITH = range(100, 105)  # for the beginner's number of epochs
MOST_EPOCHS = 12
ON_A_CPU = ("mnist-99", "cifar10-80", "cifar10-90")  # the others take ten minutes and more for each seed

Line = dict[str, Any]


def main(arguments: list[str] | None = None) -> None:
    """Measure, print each line as it comes, and replace the file in ``results/`` at the end."""
    parser = argparse.ArgumentParser(prog="python -m studies.benchmark", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="how often to time each loop (default: 5)")
    parser.add_argument("--seeds", type=int, default=5, help="how many runs to each accuracy, at most 5 (default: 5)")
    parser.add_argument("--recipes", nargs="*", choices=recipes.NAMES, help="default: what this machine can finish")
    options = parser.parse_args(arguments)
    device = str(training.best_device())
    kind = "cpu" if device == "cpu" else "gpu"
    names = options.recipes if options.recipes is not None else (ON_A_CPU if kind == "cpu" else recipes.NAMES)
    scratch = ROOT / "_build" / f"bench-{kind}.jsonl"
    scratch.unlink(missing_ok=True)
    for line in measure(device, options.rounds, SEEDS[: options.seeds], names):
        print(in_words(records.append(scratch, line)), flush=True)
    shutil.move(scratch, ROOT / "results" / f"bench-{kind}.jsonl")
    print(f"Kept in results/bench-{kind}.jsonl: `course draw` puts them into chapter 10.")


def measure(device: str, rounds: int, seeds: range, names: Iterable[str]) -> Iterator[Line]:
    """Every line: the machine, its peak throughput, the steps, the accuracies."""
    yield machine(device)
    peak = {}  # of a lone convolution, in multiply-adds per second, by precision
    for line in peak_throughput(device):
        peak[line["precision"]] = line["convolution"]
        yield line
    yield from measure_steps(device, peak, rounds)
    yield from measure_together(device, rounds)
    yield from measure_accuracies(device, peak, seeds, names)


def machine(device: str) -> Line:
    """Where and when."""
    return {
        "kind": "machine",
        "device": training.describe_device(torch.device(device)),
        "cores": usable_cores(),
        "processor": processor(),
        "torch": torch.__version__,
        "python": platform.python_version(),
        "commit": commit(ROOT),
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
    }


def peak_throughput(device: str) -> Iterator[Line]:
    """Throughput of a lone convolution and a lone matrix product, in float32 and in the precision of ``auto``."""
    chosen = training.choose_setup(models.lenet5(), device=device, precision="auto").precision
    for precision in dict.fromkeys(["float32", chosen]):
        dtype = getattr(torch, precision)
        yield {
            "kind": "roof",
            "precision": precision,
            "convolution": training.convolution_roof(device, dtype),
            "matmul": training.matmul_roof(device, dtype),
        }


# ---- milliseconds for 128 images


def train_as_beginner(model: nn.Module, split: Split, epochs: int = 1, device: str = "cpu") -> float:
    """The training loop of most tutorials: Adam at 0.001, batches of 128. Returns seconds."""
    from course_lib.torchvision_fix import import_torchvision

    transforms = import_torchvision().transforms
    prepare = transforms.Compose([transforms.ToTensor(), transforms.Normalize(split.mean, split.std)])
    dataset = DatasetView(split, transform=prepare)  # a PIL image at a time, as torchvision's own data sets
    loader = DataLoader(dataset, batch_size=BATCH, shuffle=True)
    model.to(device).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
    began = time.perf_counter()
    for _ in range(epochs):
        running_loss, correct = 0.0, 0
        for images, labels in loader:
            images, labels = images.to(device), labels.to(device)
            optimizer.zero_grad()
            logits = model(images)
            loss = F.cross_entropy(logits, labels)
            loss.backward()
            optimizer.step()
            running_loss += loss.item()
            correct += (logits.argmax(dim=1) == labels).sum().item()
    return time.perf_counter() - began


def measure_steps(device: str, peak: dict[str, float], rounds: int) -> Iterator[Line]:
    """One line per network and loop."""
    for name, build, source, cpu_steps, gpu_steps in NETWORKS:
        count = BATCH * (cpu_steps if device == "cpu" else gpu_steps)
        split = data.load(source, size="full").train.select(range(count))
        training.set_seed(0)
        networks = {loop: build() for loop in ("beginner", "fit", "fit, auto")}
        last: dict[str, training.History] = {}

        def fit(loop: str, split=split, networks=networks, last=last, **options) -> float:
            last[loop] = training.fit(networks[loop], split, epochs=1, show=False, device=device, **options)
            return last[loop].seconds

        seconds = training.interleave(
            {
                "beginner": cleared(partial(train_as_beginner, networks["beginner"], split, device=device)),
                "fit": cleared(partial(fit, "fit")),
                "fit, auto": cleared(partial(fit, "fit, auto", precision="auto")),
            },
            rounds,
        )
        cost = last["fit"].recipe["multiply_adds"]
        for loop, row in training.speedups(seconds).iterrows():
            history = last.get(loop)
            precision = history.precision if history else "float32"
            yield {
                "kind": "step",
                "network": name,
                "loop": loop,
                "setup": history.setup if history else "the beginner's",
                "milliseconds": 1000 * row["seconds"] * BATCH / count,
                "speedup": {key: row[key] for key in ("median", "least", "most")},
                "rounds": rounds,
                "multiply_adds": cost,
                "share_of_roof": training.share_of_roof(cost, count / row["seconds"], peak[precision]),
            }


def cleared(work: Callable[[], float]) -> Callable[[], float]:
    """The same work, begun without the free memory that the work before it left behind."""

    def begin() -> float:
        with memory_kept():  # on leaving, all free memory goes back to the system
            pass
        return work()

    return begin


# ---- one process with all cores, and one for each core

# Trains VGG8-BN on 64 batches; the first process prints its seconds.
TOGETHER = """
from course_lib import data, models, training

split = data.load("cifar10", size="full").train.select(range(64 * 128))
training.set_seed(0)
history = training.fit(models.vgg8_bn(num_classes=10), split, epochs=1, batch_size=128, show=False, device="cpu")
print(history.seconds)
"""


def measure_together(device: str, rounds: int) -> Iterator[Line]:
    """One line per number of processes that train VGG8-BN together; none on a GPU."""
    if device != "cpu":
        return
    seconds = training.interleave({f"{count}": partial(together, count) for count in (1, usable_cores())}, rounds)
    for count, row in training.speedups(seconds).iterrows():
        yield {
            "kind": "processes",
            "network": "VGG8-BN",
            "processes": int(count),
            "seconds": row["seconds"],
            "speedup": {key: row[key] for key in ("median", "least", "most")},
            "rounds": rounds,
        }


def together(count: int) -> float:
    """Seconds of ``TOGETHER`` in so many processes, which share the cores; their start is not counted."""
    environment = {key: value for key, value in os.environ.items() if key != "OMP_NUM_THREADS"}
    command = [sys.executable, "-m", "course_lib.training.launch", str(count), "-c", TOGETHER]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, encoding="utf-8", check=True)
    return float(done.stdout.split()[-1])


# ---- seconds to an accuracy


def measure_accuracies(device: str, peak: dict[str, float], seeds: range, names: Iterable[str]) -> Iterator[Line]:
    """One line per run: recipe by recipe, seed by seed; the beginner's loop in turn with ``mnist-99``."""
    for name in names:
        target = recipes.take(name).TARGET
        epochs = beginner_epochs(target, device) if name == "mnist-99" else 0
        for seed in seeds:
            if name == "mnist-99":
                yield beginner_run(seed, epochs, target, device)
            yield recipe_run(name, seed, peak, device)


def beginner_epochs(target: float, device: str, seeds: Iterable[int] = SEEDS_TO_CHOOSE_WITH, size: str = "full") -> int:
    """After how many epochs LeNet-5 has the mean validation accuracy ``target``, trained as beginners do.

    If it has not within 12: the epoch of its best accuracy. ``fit`` stands in for the beginner's loop here, for it does
    the same arithmetic.
    """
    digits = data.load("mnist", size=size)
    curves = []
    for seed in seeds:
        training.set_seed(seed)
        options = {"epochs": MOST_EPOCHS, "seed": seed, "device": device, "show": False}
        history = training.fit(models.lenet5(), digits.train, digits.val, **options)
        curves.append([epoch.val_accuracy for epoch in history.epochs])
    mean = torch.tensor(curves, dtype=torch.float64).mean(dim=0)
    reached = (mean >= target).nonzero().flatten().tolist()
    return 1 + (reached[0] if reached else int(mean.argmax()))


def beginner_run(seed: int, epochs: int, target: float, device: str, size: str = "full") -> Line:
    """One run of the beginner's loop with LeNet-5."""
    digits = data.load("mnist", size=size)
    images = digits.train_and_val()
    training.set_seed(seed)
    began = time.perf_counter()
    model = models.lenet5()
    train_as_beginner(model, images, epochs, device)
    seconds = time.perf_counter() - began
    accuracy = training.evaluate(model, digits.open_test()).accuracy
    line = {"kind": "target", "recipe": "beginner", "target": target, "seed": seed, "images": len(images)}
    line |= {"epochs": epochs, "seconds": seconds, "judged_on": "test", "accuracy": accuracy, "alone": accuracy}
    return line | {"views": "one", "setup": "the beginner's"}


def recipe_run(name: str, seed: int, peak: dict[str, float], device: str, size: str = "full") -> Line:
    """One run of a recipe."""
    result = recipes.run(name, seed=seed, test=True, size=size, device=device, show=False)
    precision = next(precision for precision in peak if precision in result.setup)
    speed = result.images * result.epochs / result.seconds
    share = training.share_of_roof(result.multiply_adds, speed, peak[precision])
    return {"kind": "target", "target": recipes.take(name).TARGET} | asdict(result) | {"share_of_roof": share}


# ---- in words


def in_words(line: Line) -> str:
    """A measured line for the terminal."""
    match line["kind"]:
        case "roof":
            convolution, matmul = line["convolution"] / 1e9, line["matmul"] / 1e9
            speeds = f"{convolution:,.0f} G multiply-adds/s in a convolution, {matmul:,.0f} G in a matrix product"
            return f"peak throughput, {line['precision']}: {speeds}"
        case "step":
            speedup = "×{median:.2f} ({least:.2f} to {most:.2f})".format(**line["speedup"])
            share = f"{line['share_of_roof']:.0%} of peak throughput"
            return (
                f"{line['network']}, {line['loop']}: {line['milliseconds']:.2f} ms for 128 images, {speedup}, {share}"
            )
        case "processes":
            speedup = "×{median:.2f} ({least:.2f} to {most:.2f})".format(**line["speedup"])
            return f"{line['network']}, {line['processes']} processes: {line['seconds']:.2f} s, {speedup}"
        case "target":
            averaged = "" if line["views"] == "one" else f" ({line['views']}; alone {line['alone']:.2%})"
            accuracy = f"{line['accuracy']:.2%}{averaged}"
            return f"{line['recipe']}, seed {line['seed']}: {accuracy} in {line['seconds']:.1f} s"
    return f"{line['device']}, {line['processor']}, torch {line['torch']}, {line['commit']}"


if __name__ == "__main__":
    main()
