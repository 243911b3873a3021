"""``python -m benchmarks``: measure, keep, and show a table."""

import argparse
import platform
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from benchmarks import steps, targets
from course_lib import recipes, records, training
from course_lib.training import usable_cores

ROOT = Path(__file__).parents[1]
AIRBENCH94 = 2.59  # seconds to 94 %, published for an A100
A100 = 156e12  # multiply-adds a second of an A100 in half precision, from its data sheet


def main(arguments: list[str] | None = None) -> None:
    """Run what was asked for; replace ``results/bench-*.jsonl`` only when all of it was measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often to time each loop (default: 5)")
    parser.add_argument("--seeds", type=int, default=5, help="how many runs to each accuracy, at most 5 (default: 5)")
    parser.add_argument("--recipes", nargs="*", choices=recipes.NAMES, help="default: what this machine can finish")
    options = parser.parse_args(arguments)
    device = str(training.best_device())
    kind = "cpu" if device == "cpu" else "gpu"
    names = options.recipes if options.recipes is not None else (targets.ON_A_CPU if kind == "cpu" else recipes.NAMES)
    scratch = ROOT / "_build" / f"bench-{kind}.jsonl"
    scratch.unlink(missing_ok=True)
    lines = []
    for line in measure(device, options.rounds, targets.FRESH[: options.seeds], names):
        lines.append(records.append(scratch, line))
        print(in_words(line), flush=True)
    shutil.move(scratch, ROOT / "results" / f"bench-{kind}.jsonl")
    print(f"\n{summary(lines)}\n\nKept in results/bench-{kind}.jsonl.")


def measure(device: str, rounds: int, seeds: range, names: list[str]) -> Iterator[dict[str, Any]]:
    """Every line: the machine, its roofs, the steps, the targets."""
    yield machine(device)
    roof = {}
    for line in steps.roofs(device):
        roof[line["precision"]] = line["convolution"]
        yield line
    yield from steps.measure(device, roof, rounds)
    yield from targets.measure(device, roof, seeds, names)


def machine(device: str) -> dict[str, Any]:
    """Where and when."""
    try:
        commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True)
        edited = subprocess.run(["git", "status", "--porcelain"], capture_output=True, text=True, check=True)
        name = commit.stdout.strip() + ("+" if edited.stdout else "")
    except (OSError, subprocess.CalledProcessError):
        name = "unknown"
    return {
        "kind": "machine",
        "device": training.describe_device(torch.device(device)),
        "cores": usable_cores(),
        "processor": platform.machine(),
        "torch": torch.__version__,
        "python": platform.python_version(),
        "commit": name,
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
    }


def in_words(line: dict[str, Any]) -> str:
    """A line for whoever waits."""
    if line["kind"] == "roof":
        convolution, matmul = line["convolution"] / 1e9, line["matmul"] / 1e9
        return (
            f"roof, {line['precision']}: {convolution:,.0f} G multiply-adds/s convolving, {matmul:,.0f} G in a product"
        )
    if line["kind"] == "step":
        speedup = "×{median:.2f} ({least:.2f} to {most:.2f})".format(**line["speedup"])
        share = f"{line['share_of_roof']:.0%} of the roof"
        return f"{line['network']}, {line['loop']}: {line['milliseconds']:.2f} ms for 128 images, {speedup}, {share}"
    if line["kind"] == "target":
        averaged = "" if line["views"] == "one" else f" ({line['views']}; alone {line['alone']:.2%})"
        return f"{line['recipe']}, seed {line['seed']}: {line['accuracy']:.2%}{averaged} in {line['seconds']:.1f} s"
    return f"{line['device']}, torch {line['torch']}, {line['commit']}"


def summary(lines: list[dict[str, Any]]) -> str:
    """The targets as a table, and what they mean beside each other."""
    runs = pd.DataFrame([line for line in lines if line["kind"] == "target"])
    if runs.empty:
        return "No recipe was run."
    groups = runs.groupby("recipe", sort=False)
    table = pd.DataFrame({"target": groups["target"].first(), "seeds": groups.size()})
    for column, digits in (("accuracy", "{:.2%}"), ("alone", "{:.2%}"), ("seconds", "{:.2f}")):
        table[column] = groups[column].mean().map(digits.format)
        table[f"± {column}"] = groups[column].std().map(digits.format)
    said = [table.to_string()]
    seconds = groups["seconds"].mean()
    if {"beginner", "mnist-99"} <= set(seconds.index):
        pairs = runs.pivot(index="seed", columns="recipe", values="seconds")
        ratio = (pairs["beginner"] / pairs["mnist-99"]).dropna()
        said.append(
            f"mnist-99 is there {seconds['beginner'] / seconds['mnist-99']:.1f} times sooner than the beginner "
            f"({ratio.min():.1f} to {ratio.max():.1f})."
        )
    roofs = [line for line in lines if line["kind"] == "roof"]
    if "cifar10-94" in seconds.index:
        scaled = AIRBENCH94 * A100 / max(line["matmul"] for line in roofs)
        said.append(
            f"airbench94's published {AIRBENCH94} s on an A100 are {scaled:.2f} s here, by the roofs of matrix "
            f"products; cifar10-94 takes {seconds['cifar10-94']:.2f} s."
        )
    return "\n".join(said)


if __name__ == "__main__":
    main()
