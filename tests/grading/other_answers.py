"""Right answers in another style than the reference's, all but RESULTS: no part may depend on how it is written."""

# %% tags=["answer"]
import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


# %% tags=["answer", "task-1"]
def output_size(size, layers):
    """By pooling an image; PyTorch refuses a window that does not fit."""
    image = torch.zeros(1, 1, size)
    for layer in layers:
        sizes = {name: layer[name] for name in ("stride", "padding", "dilation")}
        try:
            image = F.max_pool1d(image, layer["kernel"], ceil_mode=layer["ceil"], **sizes)
        except RuntimeError:
            return 0
    return image.shape[2]


def receptive_field(layers):
    """From the last layer to the first."""
    field = 1
    for layer in reversed(layers):
        field = (field - 1) * layer["stride"] + layer["dilation"] * (layer["kernel"] - 1) + 1
    return [field, math.prod(layer["stride"] for layer in layers)]


# %% tags=["answer", "task-2"]
class AlexNet(nn.Module):
    """Pools and dropout are functions, and every side is found by passing an image through."""

    def __init__(self, table, side, in_channels, num_classes):
        super().__init__()
        self.table, self.learned = table, nn.ModuleList()
        shape = (1, in_channels, side, side)
        for row in table:
            if row["layer"] == "conv":
                sizes = {name: row[name] for name in ("stride", "padding", "groups")}
                self.learned.append(nn.Conv2d(shape[1], row["channels"], row["kernel"], **sizes))
            elif row["layer"] == "linear":
                self.learned.append(nn.Linear(math.prod(shape[1:]), row["units"]))
            shape = self.through(torch.zeros(*shape), [row], list(self.learned[-1:])).shape
        self.last = nn.Linear(math.prod(shape[1:]), num_classes)

    def through(self, x, rows, learned):
        learned = iter(learned)
        for row in rows:
            if row["layer"] == "pool":
                x = F.max_pool2d(x, row["kernel"], row["stride"])
            elif row["layer"] == "conv":
                x = next(learned)(x).clamp(min=0)
            else:
                x = F.relu(next(learned)(F.dropout(x.flatten(1), row["dropout"], self.training)))
        return x

    def forward(self, x):
        return self.last(self.through(x, self.table, self.learned).flatten(1))


def build_alexnet(table, side, in_channels, num_classes):
    return AlexNet(table, side, in_channels, num_classes)


# %% tags=["answer", "task-3"]
class VGG(nn.Module):
    """A module for each convolution with its norm, and the mean as a function."""

    def __init__(self, blocks, batch_norm, in_channels, num_classes):
        super().__init__()
        self.blocks = nn.ModuleList()
        for convs, channels in blocks:
            block = nn.ModuleList()
            for _ in range(convs):
                layer = nn.Sequential()
                layer.add_module("conv", nn.Conv2d(in_channels, channels, 3, 1, 1, bias=not batch_norm))
                if batch_norm:
                    layer.add_module("norm", nn.BatchNorm2d(channels))
                block.append(layer)
                in_channels = channels
            self.blocks.append(block)
        self.head = nn.Linear(in_channels, num_classes)

    def forward(self, x):
        for block in self.blocks:
            for layer in block:
                x = layer(x).relu()
            x = F.max_pool2d(x, 2)
        return self.head(x.mean(dim=(2, 3)))


def build_vgg(blocks, batch_norm, in_channels, num_classes):
    return VGG(blocks, batch_norm, in_channels, num_classes)


def count_parameters(blocks, batch_norm, in_channels, num_classes):
    gives = np.repeat([channels for _, channels in blocks], [convs for convs, _ in blocks])
    takes = np.concatenate([[in_channels], gives[:-1]])
    conv = 9 * takes @ gives + (0 if batch_norm else gives.sum())
    return {"linear": int(gives[-1] + 1) * num_classes, "conv": conv, "norm": 2 * gives.sum() * bool(batch_norm)}


# %% tags=["answer", "task-4"]
class Trainer:
    """An object that is called; the mode is set part by part, and gradients are cleared one by one."""

    def __call__(self, network, optimizer, images, labels):
        for module in network.modules():
            module.training = True
        for parameter in network.parameters():
            parameter.grad = None
        log_probabilities = network(images).log_softmax(dim=1)
        loss = -log_probabilities[torch.arange(len(labels)), labels].mean()
        loss.backward()
        optimizer.step()
        network.eval()
        return loss.detach().numpy().astype("float64")[()]


train_step = Trainer()


def memorise(network, images, labels):
    optimizer = torch.optim.LBFGS(network.parameters(), lr=0.5, max_iter=60)

    def closure():
        optimizer.zero_grad()
        loss = F.cross_entropy(network(images), labels)
        loss.backward()
        return loss

    optimizer.step(closure)


# %% tags=["answer", "task-5"]
def chance_loss(num_classes):
    return -math.log(1 / num_classes)


def signal_strength(network, images):
    """No hook: each convolution's forward is wrapped for one pass, and NumPy does the arithmetic."""
    strengths, convolutions = [], [module for module in network.modules() if type(module) is nn.Conv2d]
    for convolution in convolutions:

        def wrapped(inputs, forward=convolution.forward):
            outputs = forward(inputs)
            strengths.append(outputs.detach().numpy().std())
            return outputs

        convolution.forward = wrapped
    network(images)
    for convolution in convolutions:
        del convolution.forward
    return strengths


def gradient_strength(network, images, labels):
    network.zero_grad()
    (-network(images).log_softmax(1).gather(1, labels[:, None])).mean().backward()
    layers = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)]
    return [float(layer.weight.grad.norm() / math.sqrt(layer.weight.grad.numel())) for layer in layers]


def initialise(network):
    for name, parameter in network.named_parameters():
        if name.endswith("bias"):
            nn.init.zeros_(parameter)
        else:
            nn.init.kaiming_uniform_(parameter, nonlinearity="relu")


# %% tags=["answer", "task-6"]
def accuracy(logits, labels):
    return np.mean(logits.numpy().argmax(1) == labels.numpy())


def confusion_matrix(logits, labels, num_classes):
    matrix = np.zeros((num_classes, num_classes), int)
    np.add.at(matrix, (labels.numpy(), logits.numpy().argmax(1)), 1)
    return matrix


def macro_f1(logits, labels, num_classes):
    matrix = confusion_matrix(logits, labels, num_classes)
    both = matrix.sum(0) + matrix.sum(1)
    return np.float32(np.divide(2 * matrix.diagonal(), both, out=np.zeros(num_classes), where=both > 0).mean())


def generalisation_gap(train_logits, train_labels, val_logits, val_labels):
    train, val = (train_logits.argmax(1) == train_labels).float(), (val_logits.argmax(1) == val_labels).float()
    return (train.mean() - val.mean()) * 100


# %% tags=["answer", "task-7"]
def filter_picture(weights, columns):
    low, high = weights.amin((1, 2, 3), keepdim=True), weights.amax((1, 2, 3), keepdim=True)
    tiles = torch.where(high > low, (weights - low) / (high - low), torch.tensor(0.5))
    missing = -len(tiles) % columns
    tiles = F.pad(F.pad(tiles, (0, 1, 0, 1), value=1), (0, 0, 0, 0, 0, 0, 0, missing), value=1)
    rows = [torch.cat(tuple(row), 2) for row in tiles.split(columns)]
    return torch.cat(rows, 1)[:, :-1, :-1].permute(1, 2, 0)


class Stop(Exception):
    """Ends a network's run at the module that is asked for."""


def maps_of(network, name, images):
    kept, modes = {}, [module.training for module in network.modules()]

    def keep(module, inputs, output):
        kept["maps"] = output.detach()
        raise Stop

    hook = dict(network.named_modules())[name].register_forward_hook(keep)
    try:
        network.eval()(images)
    except Stop:
        pass
    finally:
        hook.remove()
        for module, mode in zip(network.modules(), modes, strict=True):
            module.training = mode
    return kept["maps"]


def worst_mistakes(logits, labels, count):
    best, guess = F.log_softmax(logits, 1).max(1)
    best = best.masked_fill(guess == labels, -math.inf)
    return best.topk(min(count, int((guess != labels).sum()))).indices.tolist()


# %% tags=["answer", "task-8"]
WHY_STUCK = "\n\nLoss, 2.303.  " + 78 * "word\n"
WHAT_DATA_BUYS = 250 * "word "
