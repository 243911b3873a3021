"""Task 3, answered wrong in the ways in which it is answered wrong."""

from known_mistakes import Mistake

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
    Mistake(
        "batch norm behind ReLU", "build_vgg", old=_NORM + _RELU, new=_RELU + _NORM, hint="what ReLU has left of it"
    ),
    Mistake("no ReLU", "build_vgg", old=_RELU, new="", hint="What follows each convolution"),
    Mistake(
        "no ReLU behind a block's last convolution",
        "build_vgg",
        old=_RELU,
        new=_RELU.replace("vgg", "_ < convs - 1 and vgg"),
        hint="also the last one of a block",
    ),
    Mistake(
        "ReLU behind a block's last convolution alone",
        "build_vgg",
        old=_RELU,
        new=_RELU.replace("vgg", "_ == convs - 1 and vgg"),
        hint="What follows each convolution",
    ),
    Mistake(
        "bias beside batch norm", "build_vgg", old=", bias=not batch_norm", new="", hint="A norm has a bias of its own"
    ),
    Mistake(
        "batch norm ignored",
        "build_vgg",
        old="    vgg = []\n",
        new="    batch_norm, vgg = False, []\n",
        hint="each convolution is followed by a norm",
    ),
    Mistake(
        "batch norm always",
        "build_vgg",
        old="    vgg = []\n",
        new="    batch_norm, vgg = True, []\n",
        hint="Without batch_norm there is no norm",
    ),
    Mistake(
        "average pools", "build_vgg", old="nn.MaxPool2d(2)", new="nn.AvgPool2d(2)", hint="keeps the largest number"
    ),
    Mistake("a pool behind each convolution", "build_vgg", old=_POOL, new=f"    {_POOL}", hint="A block has one pool"),
    Mistake("no padding", "build_vgg", old="3, padding=1,", new="3,", hint="a map as large as the one it takes"),
    Mistake("global max", "build_vgg", old=_GLOBAL, new="nn.AdaptiveMaxPool2d(1)", hint="the mean over all places"),
    Mistake(
        "one convolution too few",
        "build_vgg",
        old="range(convs):\n            vgg",
        new="range(max(1, convs - 1)):\n            vgg",
        hint="how many convolutions it has",
    ),
    Mistake(
        "each block takes the image's channels",
        "build_vgg",
        old="    for convs, channels in blocks:\n        for _ in range(convs):\n            vgg",
        new="    first = in_channels\n    for convs, channels in blocks:\n        in_channels = first\n"
        "        for _ in range(convs):\n            vgg",
        hint="takes the channels that the block in front",
    ),
    Mistake(
        "three channels always",
        "build_vgg",
        old="    vgg = []\n",
        new="    in_channels, vgg = 3, []\n",
        hint="images can be grey",
    ),
    Mistake(
        "ten classes always", "build_vgg", old=_LINEAR, new=_LINEAR.replace("num_classes", "10"), hint="How many logits"
    ),
    Mistake(
        "pools that round up",
        "build_vgg",
        old="MaxPool2d(2)",
        new="MaxPool2d(2, ceil_mode=True)",
        hint="does not fit whole",
    ),
    Mistake(
        "dropout in the head",
        "build_vgg",
        old=_LINEAR,
        new=f"vgg.append(nn.Dropout(0.5)); {_LINEAR}",
        hint="no dropout",
    ),
    Mistake(
        "no running statistics",
        "build_vgg",
        old="BatchNorm2d(channels)",
        new="BatchNorm2d(channels, track_running_stats=False)",
        hint="uses its running mean and variance",
    ),
    Mistake(
        "running statistics in training too",
        "build_vgg",
        old="vgg.append(nn.BatchNorm2d(channels))",
        new="norm = nn.BatchNorm2d(channels); norm.train = lambda mode=True, norm=norm: norm\n"
        "                norm.training = False; vgg.append(norm)",
        hint="the mean and the variance of the batch",
    ),
    Mistake(
        "biases forgotten",
        "count_parameters",
        old="conv += channels\n",
        new="pass\n",
        hint="each filter has a bias too",
    ),
    Mistake(
        "biases counted beside batch norm",
        "count_parameters",
        old=_COUNTED,
        new=f"{_COUNTED} + batch_norm * channels",
        hint="a convolution has no bias",
    ),
    Mistake(
        "running statistics counted", "count_parameters", old="norm += 2 *", new="norm += 4 *", hint="are no parameters"
    ),
    Mistake("no bias in the norm", "count_parameters", old="norm += 2 *", new="norm +=", hint="a weight and a bias"),
    Mistake(
        "one norm a block",
        "count_parameters",
        old="norm += 2 * channels",
        new="norm += 2 * channels * (_ == 0)",
        hint="behind every convolution",
    ),
    Mistake(
        "norms counted where there are none",
        "count_parameters",
        old="                conv += channels",
        new="                conv += channels; norm += 2 * channels",
        hint="no norms to count",
    ),
    Mistake(
        "first layer takes three channels",
        "count_parameters",
        old=_COUNT_START,
        new=f"{_COUNT_START}    in_channels = 3\n",
        hint="takes in_channels channels",
    ),
    Mistake(
        "one weight a window", "count_parameters", old=_COUNTED, new=_COUNTED.replace("9 * ", ""), hint="nine weights"
    ),
    Mistake(
        "a block's convolutions all take what comes into it",
        "count_parameters",
        old=_COUNT_CHAIN,
        new="            pass\n        in_channels = channels\n    linear",
        hint="the others take the block's own channels",
    ),
    Mistake(
        "convolutions of a block counted once",
        "count_parameters",
        old=_COUNTED,
        new=f"{_COUNTED} * (_ == 0)",
        hint="the others take the block's own channels",
    ),
    Mistake(
        "blocks that take their own channels",
        "count_parameters",
        old=_COUNTED,
        new="conv += 9 * (in_channels if not conv else channels) * channels",
        hint="takes the channels that the block in front",
    ),
    Mistake(
        "no bias in the linear layer",
        "count_parameters",
        old="in_channels * num_classes + num_classes",
        new="in_channels * num_classes",
        hint="and a bias for each class",
    ),
    Mistake(
        "counted by building",
        "count_parameters",
        old=_COUNT_START,
        new=f"    build_vgg(blocks, batch_norm, in_channels, num_classes)\n{_COUNT_START}",
        hint="without building a layer",
    ),
]
