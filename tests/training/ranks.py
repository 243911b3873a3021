"""Ranks that train together, forked from a process that imported torch once. A program of ``test_distributed.py``.

``ranks.py FOLDER`` runs every case; each rank of it writes ``FOLDER/CASE-RANK.json``. Ranks end as torchrun's do.
"""

import dataclasses
import hashlib
import json
import os
import signal
import socket
import sys
from pathlib import Path

import torch
from torch import nn

from course_lib import data, models, training
from course_lib.data import flip_and_crop
from course_lib.training.checkpoints import digest_of_weights

DIGITS = data.load("mnist", size="sample")
FEW, VAL = DIGITS.train.select(range(257)), DIGITS.val.select(range(101))  # batches of 64: the last one is one image
AUGMENTED: list[str] = []  # digests of the batches so far
KILLED_AT: list[int] = []  # before this batch, counted from 1


class Double(nn.Module):
    """A network in float64 that takes float32 images."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network.double()

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.network(images.double())


class PartlyUsed(nn.Module):
    """A perceptron beside a layer that it does not use."""

    def __init__(self):
        super().__init__()
        self.used, self.unused = models.mlp(hidden=(8,)), nn.Linear(3, 3)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.used(images)


def normed() -> nn.Module:
    return nn.Sequential(nn.Conv2d(1, 4, 5, stride=4), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(144, 10))


def augment(images: torch.Tensor) -> torch.Tensor:
    AUGMENTED.append("")
    if len(AUGMENTED) in KILLED_AT:
        os.kill(os.getpid(), signal.SIGKILL)
    images = flip_and_crop(images)
    AUGMENTED[-1] = hashlib.sha256(images.numpy()).hexdigest()
    return images


def fit(network: nn.Module, train=FEW, val=VAL, **options) -> dict:
    """Train in float64. Returns what decides whether two runs are the same, and what was warned of."""
    model, masks = Double(network), []

    def keep_mask(layer: nn.Module, _, output: torch.Tensor) -> None:
        if layer.training:
            masks.append((output == 0).sum(dim=0).tolist())

    for layer in model.modules():
        if isinstance(layer, nn.Dropout):
            layer.register_forward_hook(keep_mask)
    options = {"epochs": 2, "batch_size": 64, "learning_rate": 0.05, "optimizer": torch.optim.SGD} | options
    history = training.fit(model, train, val, **{"device": "cpu", "show": False} | options)
    clock = ("seconds", "peak_memory_mb")
    rows = [
        {key: value for key, value in dataclasses.asdict(row).items() if key not in clock} for row in history.epochs
    ]
    return {
        "epochs": rows,
        "weights": digest_of_weights(model),
        "recipe": history.recipe,
        "setup": history.setup,
        "augmented": AUGMENTED,
        "masks": masks,
        "model": model,
        "history": history,
    }


def built(build, seed: int = 0) -> nn.Module:
    training.set_seed(seed)
    return build()


# ---- the cases: what each rank does


def perceptron() -> dict:
    return fit(built(models.mlp))


def lenet() -> dict:
    return fit(built(models.lenet5), augment=augment)


def unseeded() -> dict:
    return fit(built(models.mlp, seed=training.processes().rank))


def partly_used() -> dict:
    return fit(built(PartlyUsed), FEW.select(range(256)))


def dropout() -> dict:
    """The last batch has three images, two for the first rank: so the ranks draw differently many units."""
    network = nn.Sequential(models.mlp(hidden=(8,)), nn.Dropout(0.5))
    return fit(network, DIGITS.train.select(range(67)), augment=augment)


def norm(**options) -> dict:
    """One step of two ranks, whose shares are 32 and 31 images, and its record."""
    result = fit(built(normed), FEW.select(range(63)), epochs=1, batch_size=63, learning_rate=1.0, **options)
    model = result["model"]
    result["running_mean"] = model.network[1].running_mean.tolist()
    result["weights after"] = [weight.tolist() for weight in model.parameters()]
    training.record("norm", result["history"], training.predict(model, VAL), DIGITS)
    return result


def other_seed() -> dict:
    return fit(built(models.mlp), seed=training.processes().rank)


def checkpointed(folder: Path, name: str) -> dict:
    """A run with dropout, batch norm and augmentation. Rank 1 is on another machine: there is no such file there."""
    path = folder / ("here" if training.processes().is_first else "elsewhere") / f"{name}.pt"
    network = built(lambda: nn.Sequential(models.mlp(hidden=(24,), dropout=0.3), nn.BatchNorm1d(10)))
    few = FEW.select(range(256))
    return fit(network, few, augment=augment, checkpoint=path, checkpoint_seconds=0, epochs=3, seed=3)


def killed(folder: Path) -> dict:
    """Rank 1 dies before the third step of the second epoch."""
    if not training.processes().is_first:
        KILLED_AT.append(4 + 3)
    return checkpointed(folder, "killed")


CASES = {
    "perceptron": (perceptron, (2, 3)),
    "lenet": (lenet, (2, 3)),
    "unseeded": (unseeded, (2,)),
    "partly-used": (partly_used, (2,)),
    "dropout": (dropout, (2,)),
    "norm": (norm, (2,)),
    "norm-of-all": (lambda: norm(device="cuda", sync_batch_norm=True), (2,) if torch.cuda.device_count() > 1 else ()),
    "other-seed": (other_seed, (2,)),
    "whole": (lambda folder: checkpointed(folder, "whole"), (2,)),
    "killed": (killed, (2,)),
    "resumed": (lambda folder: checkpointed(folder, "killed"), (2,)),
}


def run(folder: Path, name: str, count: int) -> list[int]:
    """Fork ``count`` ranks. Returns their exit statuses, or minus the number of the signal that ended one."""
    act, _ = CASES[name]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free.getsockname()[1])}
    children = []
    for rank in range(count):
        children.append(os.fork())
        if children[-1]:
            continue
        os.environ |= place | {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(count)}
        os.environ["COURSE_RECORDS"] = str(folder / "records.jsonl")
        status = 1
        try:
            result = act(folder) if act.__code__.co_argcount else act()
            status = 0
        except Exception as error:
            result = {"error": str(error), "kind": type(error).__name__}
        result = {key: value for key, value in result.items() if key not in ("model", "history")}
        (folder / f"{name}-{count}-{rank}.json").write_text(json.dumps(result))
        os._exit(status)
    return [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]


if __name__ == "__main__":
    torch.set_num_threads(1)
    folder = Path(sys.argv[1])
    statuses = {f"{name}-{count}": run(folder, name, count) for name, (_, counts) in CASES.items() for count in counts}
    (folder / "statuses.json").write_text(json.dumps(statuses))
