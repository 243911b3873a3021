"""Task 2, answered wrong in the ways in which it is answered wrong."""

from known_mistakes import mistakes_in

_MAPS, _LINEAR = "build_alexnet", "build_alexnet, classifier"
_CONV = 'nn.Conv2d(channels, row["channels"], kernel, stride, padding, groups=row["groups"])'
_DROPOUT = 'alexnet.append(nn.Dropout(row["dropout"]))'
_HIDDEN = """        alexnet.append(nn.Dropout(row["dropout"]))
        alexnet.append(nn.Linear(inputs, row["units"]))
        alexnet.append(nn.ReLU())
"""
_BEFORE_HIDDEN = """    alexnet.append(nn.Flatten())
    inputs = channels * side**2
    for row in hidden:
        alexnet.append(nn.Dropout(row["dropout"]))
"""
_LAST = "alexnet.append(nn.Linear(inputs, num_classes))"
_ALWAYS = """alexnet.append(type("Always", (nn.Module,), {
            "forward": lambda self, x, share=row["dropout"]: nn.functional.dropout(x, share)
        })())"""
_UNSCALED = """alexnet.append(type("Unscaled", (nn.Module,), {
            "forward": lambda self, x, share=row["dropout"]: x * (torch.rand_like(x) >= share) if self.training else x
        })())"""

MISTAKES = [
    *mistakes_in(
        _MAPS,
        (
            "no ReLU behind convolutions",
            '            alexnet.append(nn.ReLU())\n            channels = row["channels"]',
            '            channels = row["channels"]',
            "What follows each convolution",
        ),
        ("average pool", "nn.MaxPool2d(kernel", "nn.AvgPool2d(kernel", "keeps the largest"),
        (
            "pools that do not overlap",
            "kernel, stride = row",
            'kernel, stride = row["kernel"] if "padding" in row else row["stride"], row["stride"] #',
            "Windows may overlap",
        ),
        (
            "a pool's stride is its kernel",
            'row["kernel"], row["stride"]',
            'row["kernel"], row["stride"] if "padding" in row else row["kernel"]',
            "kernel and stride are two numbers",
        ),
        (
            "padded pools",
            "    maps = [row",
            '    table = [{**row, "padding": 1} if row["layer"] == "pool" else row for row in table]\n    maps = [row',
            "no padding",
        ),
        ("groups ignored", ', groups=row["groups"]', "", "sees its own share of the channels"),
        (
            "padding that keeps the side",
            'row.get("padding", 0)',
            'kernel // 2 if row["layer"] == "conv" else 0',
            "not every convolution keeps the side",
        ),
        (
            "a convolution's stride ignored",
            'row["kernel"], row["stride"]',
            'row["kernel"], 1 if "padding" in row else row["stride"]',
            "moves in steps of the row's stride",
        ),
        (
            "three channels always",
            "alexnet, channels = [], in_channels",
            "alexnet, channels = [], 3",
            "images can be grey",
        ),
        ("ten classes always", _LAST, _LAST.replace("num_classes", "10"), "How many logits"),
        ("a side of 32 always", "    maps = [row", "    side = 32\n    maps = [row", "the side of the image"),
    ),
    *mistakes_in(
        _LINEAR,
        ("ReLU behind the logits", _LAST, f"{_LAST}; alexnet.append(nn.ReLU())", "some of them are"),
        (
            "no ReLU between linear layers",
            _HIDDEN,
            _HIDDEN.replace("        alexnet.append(nn.ReLU())\n", ""),
            "Two linear layers with nothing between",
        ),
        ("no dropout", _DROPOUT, "pass", "nothing was dropped in training"),
        ("dropout in evaluation too", _DROPOUT, _ALWAYS, "what switches dropout off"),
        (
            "dropout behind the layer",
            _HIDDEN,
            "\n".join(_HIDDEN.splitlines()[i] for i in (1, 2, 0)) + "\n",
            "Dropout belongs in front of the layer",
        ),
        (
            "the share that is kept",
            _DROPOUT,
            'alexnet.append(nn.Dropout(1 - row["dropout"]))',
            "not the one that is kept",
        ),
        ("half, whatever the row says", _DROPOUT, "alexnet.append(nn.Dropout(0.5))", "were dropped"),
        ("not enlarged", _DROPOUT, _UNSCALED, "what is kept has the wrong size"),
        (
            "whole channels dropped",
            _BEFORE_HIDDEN,
            """    alexnet.append(nn.Dropout2d(hidden[0]["dropout"]) if hidden else nn.Identity())
    alexnet.append(nn.Flatten())
    inputs = channels * side**2
    for row in hidden:
        alexnet.append(nn.Dropout(row["dropout"]) if row is not hidden[0] else nn.Identity())
""",
            "Each one is dropped or kept on its own",
        ),
        (
            "the first row's dropout everywhere",
            _DROPOUT,
            _DROPOUT.replace("row[", "hidden[0]["),
            "a dropout of its own",
        ),
        (
            "dropout in front of the logits",
            _LAST,
            f"alexnet.append(nn.Dropout(0.5)); {_LAST}",
            "nor in front of the last layer",
        ),
        (
            "dropout in front of the logits where there are hidden layers",
            _LAST,
            f"alexnet.append(nn.Dropout(hidden[-1]['dropout'] if hidden else 0)); {_LAST}",
            "and not behind it",
        ),
        (
            "probabilities instead of logits",
            _LAST,
            f"{_LAST}; alexnet.append(nn.Softmax(dim=1) if hidden else nn.Identity())",
            "These are probabilities",
        ),
    ),
]
