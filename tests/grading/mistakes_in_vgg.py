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
        ("batch norm behind ReLU", _NORM + _RELU, _RELU + _NORM, "what ReLU has left of it"),
        ("no ReLU", _RELU, "", "What follows each convolution"),
        (
            "no ReLU behind a block's last convolution",
            _RELU,
            _RELU.replace("vgg", "_ < convs - 1 and vgg"),
            "also the last one of a block",
        ),
        (
            "ReLU behind a block's last convolution alone",
            _RELU,
            _RELU.replace("vgg", "_ == convs - 1 and vgg"),
            "What follows each convolution",
        ),
        ("bias beside batch norm", ", bias=not batch_norm", "", "A norm has a bias of its own"),
        (
            "batch norm ignored",
            "    vgg = []\n",
            "    batch_norm, vgg = False, []\n",
            "each convolution is followed by a norm",
        ),
        (
            "batch norm always",
            "    vgg = []\n",
            "    batch_norm, vgg = True, []\n",
            "Without batch_norm there is no norm",
        ),
        ("average pools", "nn.MaxPool2d(2)", "nn.AvgPool2d(2)", "keeps the largest number"),
        ("a pool behind each convolution", _POOL, f"    {_POOL}", "A block has one pool"),
        ("no padding", "3, padding=1,", "3,", "a map as large as the one it takes"),
        ("global max", _GLOBAL, "nn.AdaptiveMaxPool2d(1)", "the mean over all places"),
        (
            "one convolution too few",
            "range(convs):\n            vgg",
            "range(max(1, convs - 1)):\n            vgg",
            "how many convolutions it has",
        ),
        (
            "each block takes the image's channels",
            "    for convs, channels in blocks:\n        for _ in range(convs):\n            vgg",
            "    first = in_channels\n    for convs, channels in blocks:\n        in_channels = first\n"
            "        for _ in range(convs):\n            vgg",
            "takes the channels that the block in front",
        ),
        ("three channels always", "    vgg = []\n", "    in_channels, vgg = 3, []\n", "images can be grey"),
        ("ten classes always", _LINEAR, _LINEAR.replace("num_classes", "10"), "How many logits"),
        ("pools that round up", "MaxPool2d(2)", "MaxPool2d(2, ceil_mode=True)", "does not fit whole"),
        ("dropout in the head", _LINEAR, f"vgg.append(nn.Dropout(0.5)); {_LINEAR}", "no dropout"),
        (
            "no running statistics",
            "BatchNorm2d(channels)",
            "BatchNorm2d(channels, track_running_stats=False)",
            "uses its running mean and variance",
        ),
        (
            "running statistics in training too",
            "vgg.append(nn.BatchNorm2d(channels))",
            "norm = nn.BatchNorm2d(channels); norm.train = lambda mode=True, norm=norm: norm\n"
            "                norm.training = False; vgg.append(norm)",
            "the mean and the variance of the batch",
        ),
    ),
    *mistakes_in(
        "count_parameters",
        ("biases forgotten", "conv += channels\n", "pass\n", "each filter has a bias too"),
        (
            "biases counted beside batch norm",
            _COUNTED,
            f"{_COUNTED} + batch_norm * channels",
            "a convolution has no bias",
        ),
        ("running statistics counted", "norm += 2 *", "norm += 4 *", "are no parameters"),
        ("no bias in the norm", "norm += 2 *", "norm +=", "a weight and a bias"),
        ("one norm a block", "norm += 2 * channels", "norm += 2 * channels * (_ == 0)", "behind every convolution"),
        (
            "norms counted where there are none",
            "                conv += channels",
            "                conv += channels; norm += 2 * channels",
            "no norms to count",
        ),
        (
            "first layer takes three channels",
            _COUNT_START,
            f"{_COUNT_START}    in_channels = 3\n",
            "takes in_channels channels",
        ),
        ("one weight a window", _COUNTED, _COUNTED.replace("9 * ", ""), "nine weights"),
        (
            "a block's convolutions all take what comes into it",
            _COUNT_CHAIN,
            "            pass\n        in_channels = channels\n    linear",
            "the others take the block's own channels",
        ),
        (
            "convolutions of a block counted once",
            _COUNTED,
            f"{_COUNTED} * (_ == 0)",
            "the others take the block's own channels",
        ),
        (
            "blocks that take their own channels",
            _COUNTED,
            "conv += 9 * (in_channels if not conv else channels) * channels",
            "takes the channels that the block in front",
        ),
        (
            "no bias in the linear layer",
            "in_channels * num_classes + num_classes",
            "in_channels * num_classes",
            "and a bias for each class",
        ),
        (
            "counted by building",
            _COUNT_START,
            f"    build_vgg(blocks, batch_norm, in_channels, num_classes)\n{_COUNT_START}",
            "without building a layer",
        ),
    ),
]
