"""The cells that a reader is to write accept the finished cell behind them, and refuse common mistakes with a hint."""

import ast
import re
import time
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from course_lib import analysis, data, models, training

ROOT = Path(__file__).parents[2]
CODE = re.compile(r'(?m)^# %% tags=\["(your-turn|finished)"\].*\n((?:(?!# %%).*\n?)*)')
# In the finished cell: what is written instead, and a word of the hint.
MISTAKES = {
    ("01-mlp", "training_step"): [
        ("    network.zero_grad()\n", "", "zero_grad"),
        ("weight -= rate", "weight += rate", "minus"),
        ("weight -= rate * weight.grad", "weight = weight - rate * weight.grad", "no weight changed"),
        ("return loss.item()", "return loss", "loss.item()"),
        ("    return loss.item()\n", "", "loss.item()"),
    ],
    ("01-mlp", "train"): [
        ("            optimizer.zero_grad()\n", "", "zero_grad"),
        ("            optimizer.step()\n", "", "step()"),
        ("loss.item() * len(labels) / len(split)", "loss.item() / len(batches)", "len(labels)"),
        ("losses[epoch] += loss.item()", "losses[epoch] += loss.detach()", "plain numbers"),
        ("losses[epoch] += loss.item() * len(labels) / len(split)", "losses[epoch] = loss.item()", "len(split)"),
        ("    return losses\n", "", "plain numbers"),
    ],
    ("02-lenet", "conv2d"): [
        ("    return result\n", "", "return"),
        (" - height + 1", " - height", "3 × 3 places"),
        ("(window * kernel).sum()", "(window * kernel).mean()", ".sum()"),
        ("(window * kernel).sum()", "(window * kernel.flip(0, 1)).sum()", "don't turn"),
        (
            "image[row : row + height, column : column + width]",
            "image[(row + 1) // 2 : (row + 1) // 2 + height, column : column + width]",
            "one pixel",
        ),
    ],
    ("02-lenet", "lenet"): [
        ("6, 16, kernel_size=5)", "6, 16, kernel_size=5, padding=2)", "two blocks give (1, 16, 7, 7)"),
        ("        nn.Flatten(),\n", "", "MaxPool2d Linear"),
        (
            "nn.ReLU(),\n        nn.MaxPool2d(2),\n        nn.Flatten",
            "nn.Tanh(),\n        nn.MaxPool2d(2),\n        nn.Flatten",
            "Conv2d Tanh",
        ),
        ("        nn.Linear(84, 10),\n", "        nn.Linear(84, 10),\n        nn.Softmax(dim=1),\n", "Softmax"),
        ("120, 84),\n        nn.ReLU(),\n", "120, 84),\n", "Linear ReLU Linear Linear"),
        ("nn.Linear(16 * 5 * 5, 120)", "nn.Linear(16 * 10 * 10, 120)", "not 61,706"),
    ],
    ("03-alexnet", "use_tanh"): [
        ("isinstance(layer, nn.ReLU)", "False", "nothing changed"),
        ("(network.features, network.classifier)", "(network.features,)", "2 ReLUs are left"),
        ("isinstance(layer, nn.ReLU)", "not isinstance(layer, nn.Dropout)", "only the place of a ReLU"),
        (
            "        for place, layer",
            "        part[0] = nn.Conv2d(3, 16, 5) if len(part) > 9 else part[0]\n        for place, layer",
            "leave the other layers",
        ),
    ],
    ("03-alexnet", "respond"): [
        ("    return a / (k + alpha * sums) ** beta\n", "", "return the result"),
        ("alpha * sums) ** beta", "alpha * sums)", "100 alone"),
        ("alpha * sums", "alpha * sums / 5", "100 alone"),
        ("(2, 2))\n    sums = squares.unfold(0, 5", "(1, 1))\n    sums = squares.unfold(0, 3", "two maps away"),
        ("(2, 2))\n    sums = squares.unfold(0, 5", "(3, 3))\n    sums = squares.unfold(0, 7", "three maps away"),
    ],
    ("04-vgg", "vgg_block"): [
        ("    return nn.Sequential(*layers, nn.MaxPool2d(2))\n", "", "return nn.Sequential"),
        ("nn.Sequential(*layers, nn.MaxPool2d(2))", "[*layers, nn.MaxPool2d(2)]", "return nn.Sequential"),
        ("*layers, nn.MaxPool2d(2))", "*layers)", "one pool"),
        (
            "nn.Sequential(*layers, nn.MaxPool2d(2))",
            "nn.Sequential(nn.MaxPool2d(2), *layers)",
            "the pool ends the block",
        ),
        (", nn.ReLU()]", "]", "a ReLU after each"),
        ("before if number == 0 else after", "before", "the second has `after`"),
        ("3, padding=1", "3", "padding=1 keeps the side"),
    ],
    ("04-vgg", "start_well"): [
        ("(2 / n) ** 0.5", "2 / n", "0.05 times as wide"),
        ("(2 / n) ** 0.5", "(1 / n) ** 0.5", "0.71 times"),
        ("layer.weight[0].numel()", "layer.weight.shape[1]", "times as wide"),
        (
            "nn.init.normal_(layer.weight, 0, (2 / n) ** 0.5)",
            "torch.normal(0, (2 / n) ** 0.5, layer.weight.shape)",
            "in place",
        ),
        ("    nn.init.zeros_(layer.bias)\n", "", "zeros_"),
    ],
    ("04-vgg", "batch_norm"): [
        ("    return gain", "    gain", "return all maps"),
        ("correction=0", "correction=1", "correction=0"),
        ("maps - mean", "maps", "not the biases"),
        (".sqrt()", "", "divide by the root"),
        ("variance + epsilon", "variance", "epsilon?"),
        ("dim=(0, 2, 3)", "dim=(2, 3)", "dim?"),
        (" + bias.view(1, -1, 1, 1)", "", "not the biases"),
    ],
    ("05-minivgg", "cut"): [
        ("    return kept\n", "", "return a list"),
        ("    kept = []\n", "    kept = []\n    configuration[0] //= 2\n", "leave the old one"),
        ("entry // 2", "entry", "half of each number"),
        ('kept.count("M") == blocks', 'kept.count("M") == 2', "blocks says how many"),
        ('kept.count("M") == blocks', 'kept.count("M") > blocks', "3 blocks are left"),
        ("    return kept\n", "    return kept[:-1]\n", "1 blocks are left"),
    ],
    ("05-minivgg", "accuracy"): [
        ("    return right / len(split)\n", "", "return a number"),
        (".sum().item()", ".sum()", "return a number"),
        ("right / len(split)", "float(right)", "is not"),
        ("network.train(dropout)", "network.train()", "dropout=False"),
        ("network.train(dropout)", "network.eval()", "dropout=True"),
    ],
    ("06-resnet", "with_skip"): [
        ("return ", "", "return the result"),
        ("convolution(x) + x", "convolution(x)", "add x"),
        ("(convolution(x) + x).relu()", "convolution(x) + x", "the ReLU comes last"),
        ("(convolution(x) + x).relu()", "convolution(x).relu() + x", "the ReLU comes last"),
        ("(convolution(x) + x).relu()", "convolution(x).relu() + x.relu()", "add first"),
    ],
    ("06-resnet", "Block"): [
        ('"bias": False', '"bias": True', "and needs"),
        ("self.bn2 = nn.BatchNorm2d(channels)", "self.bn3 = nn.BatchNorm2d(channels)", "and needs"),
        ('"kernel_size": 3, "padding": 1', '"kernel_size": 1, "padding": 0', "3 × 3"),
        ('"padding": 1', '"padding": 0', "padding=1"),
        ("        return (residual + x).relu()\n", "", "forward returns"),
        ("(residual + x).relu()", "residual + x", "the last step is a ReLU"),
        ("(residual + x).relu()", "residual.relu()", "add x after bn2"),
        (
            "self.conv2(residual))\n        return (residual + x)",
            "self.conv2(residual) + x)\n        return residual",
            "add x after",
        ),
        ("self.bn1(self.conv1(x)).relu()", "self.bn1(self.conv1(x))", "conv1, bn1, ReLU"),
        ("self.bn1(self.conv1(x)).relu()", "self.bn1(self.conv1(x).relu())", "conv1, bn1, ReLU"),
    ],
    ("07-vgg-vs-resnet", "disagree"): [
        ("    return ", "    ", "return the two counts"),
        (".item()", "", ".sum().item()"),
        (
            "(first & ~second).sum().item(), (second & ~first).sum().item()",
            "first.sum().item(), second.sum().item()",
            "both",
        ),
        (
            "(first & ~second).sum().item(), (second & ~first)",
            "(second & ~first).sum().item(), (first & ~second)",
            "first",
        ),
        ("(first & ~second)", "(first & second)", "only one is right"),
    ],
    ("07-vgg-vs-resnet", "interval"): [
        ("    return ", "    ", "return two numbers"),
        (" / len(differences) ** 0.5", "", "divide by the root of n"),
        ("/ len(differences) ** 0.5", "/ len(differences)", "t * s / sqrt(n)"),
        ("differences.std()", "differences.std(correction=0)", "leave it so"),
        ("differences.mean()", "differences.sum()", "is not the mean"),
    ],
    ("08-transfer-failures", "fine_tune"): [
        ("rate / slower", "rate", "the backbone moves by `rate / slower`"),
        ('"lr": rate}', '"lr": rate / slower}', "the head moves by `rate`"),
        ('        {"params": network.features.parameters(), "lr": rate / slower},\n', "", "the backbone moves"),
        ("            optimizer.step()\n", "", "in a step of Adam"),
        ("            optimizer.zero_grad()\n", "", "zero_grad()"),
        ("    network.train()\n", "", "network.train()"),
        ("split(32)", "split(64)", "32 at once"),
        ("torch.randperm(len(labels))", "torch.arange(len(labels))", "a new order"),
        ("images[batch]", "images[batch.flip(0)]", "in step"),
        ('"lr": rate / slower', '"lr": rate / 10', "rate / slower"),
        ("for _ in range(epochs):", "for _ in range(1):", "all images, 32 at once"),
    ],
    ("08-transfer-failures", "levels_apart"): [
        (".mean().item()", ".mean()", ".item()"),
        (".abs().mean()", ".mean()", "against black"),
        ("digit.float()", "digit.float() / 255", "the same digit"),
        ("(shrunk[0] - digit.float()).abs().mean()", "(shrunk[0] - digit.float()).abs().sum()", "apart"),
    ],
    ("09-training-failures", "by_heart"): [
        ("        optimizer.zero_grad()\n", "", "zero_grad()"),
        ("        optimizer.step()\n", "", "it learns nothing"),
        ("        loss.backward()\n", "", "it learns nothing"),
        ("losses.append(loss.item())", "losses.append(loss)", "loss.item()"),
        ("range(steps)", "range(1, steps)", "one loss a step"),
        ("    return losses\n", "", "return a list"),
    ],
    ("09-training-failures", "gradients_in_pieces"): [
        (" * len(y) / len(labels)", "", "times too large"),
        (" / len(labels)", "", "times too large"),
        ("len(y) / len(labels)", "1 / pieces", "the share is"),
        ("    return torch", "    torch", "return the gradients"),
    ],
    ("10-speed", "tutorial_pass"): [
        ("    return time.perf_counter() - began\n", "", "return the seconds"),
        ("return time.perf_counter() - began", "return time.perf_counter()", "a difference"),
        ("        optimizer.step()\n", "", "it learns nothing"),
        ("lr=0.001", "lr=0.01", "three steps of Adam"),
        ("        optimizer.zero_grad()\n", "", "zero_grad()"),
        ("    network.train()\n", "", "network.train()"),
    ],
    ("11-assignment", "make_up"): [
        ("    return torch.where(right, labels, other)\n", "", "return one class"),
        (" % 10", "", "use % 10"),
        ("< accuracy", "> accuracy", "0.30 are right"),
        ("torch.randint(1, 10, labels.shape)", "torch.randint(0, 10, labels.shape)", "0.73 are right"),
        ("torch.randint(1, 10, labels.shape)", "1", "each wrong class"),
        ("torch.where(right, labels, other)", "torch.where(right, labels, other).float()", "whole numbers"),
    ],
    ("11-assignment", "top_pair"): [
        ("    return (mistakes.max() / mistakes.sum().clamp(min=1)).item()\n", "", "return the share"),
        ("matrix.clone()", "matrix", "clone it first"),
        (".clone().fill_diagonal_(0)", "", "3 of 6 mistakes"),
        (" / mistakes.sum().clamp(min=1)", "", "not a count"),
        ("mistakes.sum()", "matrix.sum()", "3 of 6 mistakes"),
        (".clamp(min=1)", "", "no mistakes: 0"),
    ],
}


def turns() -> dict[tuple[str, str], tuple[str, str]]:
    """Of each chapter and function that is to be written: the reader's cell and the finished one."""
    found = {}
    for file in sorted((ROOT / "notebooks").glob("*.py")):
        cells = CODE.findall(file.read_text(encoding="utf-8"))
        for (tag, yours), (next_tag, finished) in zip(cells[::2], cells[1::2], strict=True):
            assert (tag, next_tag) == ("your-turn", "finished"), file.name
            found[file.stem, ast.parse(yours).body[0].name] = yours, finished
    return found


TURNS = turns()


def check(key: tuple[str, str], finished: str) -> None:
    """Run what stands below the function in the reader's cell, with a function that somebody wrote."""
    digits = data.load("mnist", size="sample")
    images, labels = next(iter(data.Batches(digits.train, batch_size=128)))
    names = {
        "torch": torch,
        "nn": nn,
        "F": F,
        "analysis": analysis,
        "data": data,
        "models": models,
        "training": training,
        "time": time,
    }
    names |= {"device": "cpu", "digits": digits, "images": images, "labels": labels}
    exec(finished, names)
    tree = ast.parse(TURNS[key][0])
    exec(compile(ast.Module(tree.body[1:], []), "the checks", "exec"), names)


def test_each_turn_has_mistakes():
    assert set(TURNS) == set(MISTAKES)


@pytest.mark.parametrize("key", TURNS)
def test_the_finished_cell_passes(key):
    check(key, TURNS[key][1])


@pytest.mark.parametrize(
    ("key", "right", "wrong", "hint"),
    [
        pytest.param(key, *mistake, id=f"{key[1]}-{place}")
        for key in MISTAKES
        for place, mistake in enumerate(MISTAKES[key])
    ],
)
def test_a_common_mistake_gets_a_hint(key, right, wrong, hint):
    finished = TURNS[key][1]
    assert right in finished
    with pytest.raises(AssertionError, match=re.escape(hint)):
        check(key, finished.replace(right, wrong))


@pytest.mark.parametrize("key", TURNS)
def test_the_cell_as_it_stands_asks_for_the_work(key):
    with pytest.raises((AssertionError, TypeError)):
        check(key, ast.unparse(ast.parse(TURNS[key][0]).body[0]))
