# The answers that get full marks, in cells as those of answers.py. Never released. canary-5b1f0c9a7e3d2468

# %% tags=["answer"]
import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F


# %% tags=["answer", "task-1"]
def output_size(size, layers):
    """How many units lie along one side of the output, as an int."""
    for layer in layers:
        reach = layer["dilation"] * (layer["kernel"] - 1) + 1
        room = size + 2 * layer["padding"] - reach
        if size == 0 or room < 0:
            return 0
        steps = room // layer["stride"]
        one_more = layer["ceil"] and room % layer["stride"]
        if one_more and (steps + 1) * layer["stride"] < size + layer["padding"]:
            steps += 1
        size = steps + 1
    return size


def receptive_field(layers):
    """The receptive field and the jump of the last layer's units, two ints."""
    field, jump = 1, 1
    for layer in layers:
        field += layer["dilation"] * (layer["kernel"] - 1) * jump
        jump *= layer["stride"]
    return field, jump


# %% tags=["answer", "task-2"]
def build_alexnet(table, side, in_channels, num_classes):
    """A network from its table.

    Args:
        table: a list of rows, each a dictionary, in the order in which an
            image passes them.
        side: how many pixels lie along one side of an image.
        in_channels: channels of an image, 1 or more.
        num_classes: how many logits there are.

    Returns: an nn.Module; images (N, in_channels, side, side) in, logits
    (N, num_classes) out.
    """
    maps = [row for row in table if row["layer"] != "linear"]
    hidden = [row for row in table if row["layer"] == "linear"]
    alexnet, channels = [], in_channels
    for row in maps:
        kernel, stride = row["kernel"], row["stride"]
        padding = row.get("padding", 0)
        if row["layer"] == "conv":
            alexnet.append(nn.Conv2d(channels, row["channels"], kernel, stride, padding, groups=row["groups"]))
            alexnet.append(nn.ReLU())
            channels = row["channels"]
        else:
            alexnet.append(nn.MaxPool2d(kernel, stride))
        side = (side + 2 * padding - kernel) // stride + 1
    alexnet.append(nn.Flatten())
    inputs = channels * side**2
    for row in hidden:
        alexnet.append(nn.Dropout(row["dropout"]))
        alexnet.append(nn.Linear(inputs, row["units"]))
        alexnet.append(nn.ReLU())
        inputs = row["units"]
    alexnet.append(nn.Linear(inputs, num_classes))
    return nn.Sequential(*alexnet)


# %% tags=["answer", "task-3"]
def build_vgg(blocks, batch_norm, in_channels, num_classes):
    """A VGG with global average pooling and one linear layer as its head.

    Args:
        blocks: a list of [convs, channels], one pair a block.
        batch_norm: whether each convolution is followed by batch norm.
        in_channels: channels of an image, 1 or more.
        num_classes: how many logits there are.

    Returns: an nn.Module; images (N, in_channels, side, side) in, logits
    (N, num_classes) out.
    """
    vgg = []
    for convs, channels in blocks:
        for _ in range(convs):
            vgg.append(nn.Conv2d(in_channels, channels, 3, padding=1, bias=not batch_norm))
            if batch_norm:
                vgg.append(nn.BatchNorm2d(channels))
            vgg.append(nn.ReLU())
            in_channels = channels
        vgg.append(nn.MaxPool2d(2))
    vgg += [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    vgg.append(nn.Linear(in_channels, num_classes))
    return nn.Sequential(*vgg)


def count_parameters(blocks, batch_norm, in_channels, num_classes):
    """How many trained parameters build_vgg's network has.

    Args: as of build_vgg.

    Returns: {"conv": int, "norm": int, "linear": int}.
    """
    conv = norm = 0
    for convs, channels in blocks:
        for _ in range(convs):
            conv += 9 * in_channels * channels
            if batch_norm:
                norm += 2 * channels
            else:
                conv += channels
            in_channels = channels
    linear = in_channels * num_classes + num_classes
    return {"conv": conv, "norm": norm, "linear": linear}


# %% tags=["answer", "task-4"]
def train_step(network, optimizer, images, labels):
    """One step of training on one batch, in place.

    Args:
        network: an nn.Module; images (N, C, H, W) in, logits (N, K) out.
        optimizer: a torch optimizer that holds the network's parameters.
        images: float32, shape (N, C, H, W).
        labels: int64, shape (N,), from 0 to K - 1.

    Returns: the mean cross-entropy of the batch before the step, as a float.
    """
    network.train()
    optimizer.zero_grad()
    loss = F.cross_entropy(network(images), labels)
    loss.backward()
    optimizer.step()
    return loss.item()


def memorise(network, images, labels):
    """Train the network, in place, until it has the batch by heart.

    Args:
        network: an nn.Module; images (16, 1, H, W) in, logits (16, K) out.
        images: float32, shape (16, 1, H, W).
        labels: int64, shape (16,), from 0 to K - 1.
    """
    adam = torch.optim.Adam(network.parameters(), lr=0.01)
    for _ in range(500):
        error = torch.nn.CrossEntropyLoss()(network(images), labels)
        if error < 0.01:
            break
        adam.zero_grad()
        error.backward()
        adam.step()


# %% tags=["answer", "task-5"]
def chance_loss(num_classes):
    """The cross-entropy of a network that knows nothing, as a float."""
    return math.log(num_classes)


# %% tags=["answer", "task-5"]
def signal_strength(network, images):
    """The standard deviation of what leaves each convolution, before ReLU.

    Args:
        network: an nn.Module; it is left as it was.
        images: float32, shape (N, C, H, W).

    Returns: a list of floats, one for each nn.Conv2d, in the order in which
    an image passes them.
    """
    seen = []

    def note(layer, inputs, output):
        seen.append(output.std().item())

    convs = [m for m in network.modules() if isinstance(m, nn.Conv2d)]
    handles = [conv.register_forward_hook(note) for conv in convs]
    try:
        with torch.no_grad():
            network(images)
    finally:
        for handle in handles:
            handle.remove()
    return seen


# %% tags=["answer", "task-5"]
def gradient_strength(network, images, labels):
    """Root mean square of the loss's gradient by each convolution's weight.

    Args:
        network: an nn.Module; all but its gradients is left as it was.
        images: float32, shape (N, C, H, W).
        labels: int64, shape (N,).

    Returns: a list of floats, one for each nn.Conv2d, in the order in which
    network.modules() gives them.
    """
    weights = [part.weight for part in network.modules() if isinstance(part, nn.Conv2d)]
    loss = F.cross_entropy(network(images), labels)
    gradients = torch.autograd.grad(loss, weights)
    return [gradient.square().mean().sqrt().item() for gradient in gradients]


# %% tags=["answer", "task-5"]
def initialise(network):
    """Draw the weights of all nn.Conv2d and nn.Linear again, in place.

    Biases become 0.
    """
    for layer in network.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            fan = layer.weight[0].numel()
            nn.init.normal_(layer.weight, 0, math.sqrt(2 / fan))
            nn.init.zeros_(layer.bias)


# %% tags=["answer", "task-6"]
def accuracy(logits, labels):
    """The share of right predictions.

    Args:
        logits: float (N, K), a row an image.
        labels: int64 (N,), the true classes.

    Returns: a float from 0 to 1.
    """
    return (logits.argmax(dim=1) == labels).double().mean().item()


def confusion_matrix(logits, labels, num_classes):
    """How many images of each true class got each predicted class.

    Args:
        logits: float (N, K), a row an image.
        labels: int64 (N,), the true classes.
        num_classes: K.

    Returns: an int64 tensor (K, K); a row is a true class, a column a
    predicted one.
    """
    pairs = labels * num_classes + logits.argmax(dim=1)
    counts = torch.bincount(pairs, minlength=num_classes**2)
    return counts.reshape(num_classes, num_classes)


def macro_f1(logits, labels, num_classes):
    """The unweighted mean of F1 over all classes.

    Args: as of confusion_matrix.

    Returns: a float from 0 to 1.
    """
    predicted = logits.argmax(dim=1)
    scores = []
    for one in range(num_classes):
        right = ((predicted == one) & (labels == one)).sum().item()
        precision = right / max((predicted == one).sum().item(), 1)
        recall = right / max((labels == one).sum().item(), 1)
        both = precision + recall
        scores.append(2 * precision * recall / both if both else 0.0)
    return sum(scores) / num_classes


def generalisation_gap(train_logits, train_labels, val_logits, val_labels):
    """Training accuracy minus validation accuracy, in percentage points.

    Args:
        train_logits, train_labels: float (N, K) and int64 (N,), of training
            images.
        val_logits, val_labels: float (M, K) and int64 (M,), of validation
            images.

    Returns: a float, above zero where validation is worse.
    """
    train = (train_logits.argmax(1) == train_labels).double().mean()
    val = (val_logits.argmax(1) == val_labels).double().mean()
    return 100 * (train - val).item()


# %% tags=["answer", "task-6"]
RESULTS = {
    "accuracy_5": 0.4820,
    "accuracy_100": 0.7184,
    "macro_f1_5": 0.4589,
    "macro_f1_100": 0.7131,
    "gap_5": 44.56,
    "gap_100": 7.89,
}


# %% tags=["answer", "task-7"]
def filter_picture(weights, columns):
    """All filters of a first layer in one picture.

    Args:
        weights: float (N, 3, k, k).
        columns: how many tiles lie in a row, 1 or more.

    Returns: a float tensor (height, width, 3), from 0 to 1.
    """
    count, _, side, _ = weights.shape
    rows = -(-count // columns)
    height, width = rows * (side + 1) - 1, columns * (side + 1) - 1
    picture = torch.ones(height, width, 3)
    for place, one in enumerate(weights):
        low, high = one.min(), one.max()
        tile = (one - low) / (high - low) if high > low else torch.full_like(one, 0.5)
        row, column = divmod(place, columns)
        top, left = row * (side + 1), column * (side + 1)
        picture[top : top + side, left : left + side] = tile.permute(1, 2, 0)
    return picture


# %% tags=["answer", "task-7"]
def maps_of(network, name, images):
    """What one module of a network gives for these images.

    Args:
        network: an nn.Module that takes images.
        name: a convolution or norm, as network.named_modules() names it.
        images: float (N, C, H, W).

    Returns: a float tensor (N, channels, height, width), without gradient.
    """
    kept = []
    modes = {module: module.training for module in network.modules()}
    module = network.get_submodule(name)
    hook = module.register_forward_hook(lambda module, inputs, output: kept.append(output.clone()))
    network.eval()
    with torch.no_grad():
        network(images)
    hook.remove()
    for one, training in modes.items():
        one.training = training
    return kept[0]


# %% tags=["answer", "task-7"]
def worst_mistakes(logits, labels, count):
    """The wrong predictions in which the network was most sure.

    Args:
        logits: float (N, K), a row an image.
        labels: int64 (N,), the true classes.
        count: how many to give, 1 or more.

    Returns: a list of ints, places among the N images, the most confident
    first; fewer than count where there are fewer mistakes.
    """
    confidence, predicted = logits.softmax(dim=1).max(dim=1)
    wrong = (predicted != labels).nonzero().flatten()
    order = confidence[wrong].argsort(descending=True)
    return wrong[order][:count].tolist()


# %% tags=["answer", "task-8"]
WHY_STUCK = """
A loss of ln 10 = 2.303 is what equal chances for all ten classes cost. The network gives every image the same answer.
It is no lack of data, because the loss on training images stays there too. The network never learned anything.

At the default initialisation a weight has variance 1 / (3 n), for n inputs. ReLU keeps half of the squares, so a layer
multiplies the size of its signal by about 0.4. In my thirteen layers the standard deviation fell from 0.57 to 0.017, and
what is left comes from the biases, the same for every image. Gradients pass the same weights on their way back: 4e-8
arrives at the first convolution. It says next to nothing about the images, so no optimizer can follow it.

A variance of 2 / n makes up for the half that ReLU takes, so a layer hands on a signal about as large as it got. My last
layer then had 0.44 instead of 0.017, and the first gradient 0.02 instead of 4e-8.

Batch norm takes the mean off each channel and divides by its standard deviation over the batch, in every layer. However
small the weights are, the next layer gets numbers of size 1, and the differences between images are kept: 0.27 at the
last convolution. The way back divides by the same numbers, and the first gradient was 0.2.
"""

WHAT_DATA_BUYS = """
From 5 % to 100 % of the training images, validation accuracy rose from 48.2 % to 71.8 %, and macro F1 from
45.9 % to 71.3 %. The gap fell from 44.6 to 7.9 points.

Twenty passes over 2,250 images are enough to fit each of them by what is special about it. Little of that holds for
other images, so training accuracy is high and validation accuracy is not. 45,000 images cannot be fitted one by one in
five passes. What lowers the loss on them is what they share, and that holds for validation images too.

Accuracy counts images, macro F1 counts classes. Here all classes have 500 validation images, so the two stay close. At
5 % macro F1 is lower, because some classes are hardly found at all, and that shows more in a mean over classes.

To decide between two networks I would take validation accuracy, or macro F1 if a weak class matters. Not the gap: a
network that guesses has none. With 5,000 images chance alone moves accuracy by about 0.7 points, and another seed moves
it too. So with one seed each, less than about 2 points decides nothing, and I would train both with more seeds.
"""
