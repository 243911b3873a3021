"""Task 3, answered wrong in the ways in which it is answered wrong."""

from known_mistakes import mistakes_in

_CONV = "nn.Conv2d(in_channels, channels, 3, padding=1, bias=not batch_norm)"
_NORM = """            if batch_norm:
                vgg.append(nn.BatchNorm2d(channels))
"""
_RELU = """            vgg.append(nn.ReLU())
"""
_BUILD_CHAIN = """            in_channels = channels
        vgg.append(nn.MaxPool2d(2))
"""
_POOL = "        vgg.append(nn.MaxPool2d(2))"
_GLOBAL = "nn.AdaptiveAvgPool2d(1)"
_LINEAR = "vgg.append(nn.Linear(in_channels, num_classes))"
_COUNTED = "conv += 9 * in_channels * channels"
_COUNT_START = "    conv = norm = 0\n"
_COUNT_CHAIN = """            in_channels = channels
    linear"""

MISTAKES = [
    *mistakes_in(
        "build_vgg",
        (_NORM + _RELU, _RELU + _NORM, "what ReLU has left of it"),
        (_RELU, "", "What follows each convolution"),
        (_RELU, _RELU.replace("vgg", "_ < convs - 1 and vgg"), "also the last one of a block"),
        (_RELU, _RELU.replace("vgg", "_ == convs - 1 and vgg"), "What follows each convolution"),
        (", bias=not batch_norm", "", "A norm has a bias of its own"),
        ("    vgg = []\n", "    batch_norm, vgg = False, []\n", "each convolution is followed by a norm"),
        ("    vgg = []\n", "    batch_norm, vgg = True, []\n", "Without batch_norm there is no norm"),
        ("nn.MaxPool2d(2)", "nn.AvgPool2d(2)", "keeps the largest number"),
        (_POOL, f"    {_POOL}", "A block has one pool"),
        ("3, padding=1,", "3,", "a map as large as the one it takes"),
        (_GLOBAL, "nn.AdaptiveMaxPool2d(1)", "the mean over all places"),
        ("range(convs):\n            vgg", "range(max(1, convs - 1)):\n            vgg", "how many convolutions"),
        (
            "    for convs, channels in blocks:\n        for _ in range(convs):\n            vgg",
            "    first = in_channels\n    for convs, channels in blocks:\n        in_channels = first\n"
            "        for _ in range(convs):\n            vgg",
            "takes the channels that the block in front",
        ),
        ("    vgg = []\n", "    in_channels, vgg = 3, []\n", "images can be grey"),
        (_LINEAR, _LINEAR.replace("num_classes", "10"), "How many logits"),
        ("MaxPool2d(2)", "MaxPool2d(2, ceil_mode=True)", "does not fit whole"),
        (_LINEAR, f"vgg.append(nn.Dropout(0.5)); {_LINEAR}", "no dropout"),
        ("BatchNorm2d(channels)", "BatchNorm2d(channels, track_running_stats=False)", "its running mean and variance"),
        (
            "vgg.append(nn.BatchNorm2d(channels))",
            "norm = nn.BatchNorm2d(channels); norm.train = lambda mode=True, norm=norm: norm\n"
            "                norm.training = False; vgg.append(norm)",
            "the mean and the variance of the batch",
        ),
    ),
    *mistakes_in(
        "count_parameters",
        ("conv += channels\n", "pass\n", "each filter has a bias too"),
        (_COUNTED, f"{_COUNTED} + batch_norm * channels", "a convolution has no bias"),
        ("norm += 2 *", "norm += 4 *", "are no parameters"),
        ("norm += 2 *", "norm +=", "a weight and a bias"),
        ("norm += 2 * channels", "norm += 2 * channels * (_ == 0)", "behind every convolution"),
        ("conv += channels", "conv += channels; norm += 2 * channels", "no norms to count"),
        (_COUNT_START, f"{_COUNT_START}    in_channels = 3\n", "takes in_channels channels"),
        (_COUNTED, _COUNTED.replace("9 * ", ""), "nine weights"),
        (_COUNT_CHAIN, "            pass\n        in_channels = channels\n    linear", "take the block's own channels"),
        (_COUNTED, f"{_COUNTED} * (_ == 0)", "the others take the block's own channels"),
        (_COUNTED, "conv += 9 * (in_channels if not conv else channels) * channels", "the block in front of"),
        ("in_channels * num_classes + num_classes", "in_channels * num_classes", "and a bias for each class"),
        (
            _COUNT_START,
            f"    build_vgg(blocks, batch_norm, in_channels, num_classes)\n{_COUNT_START}",
            "without building a layer",
        ),
    ),
]
