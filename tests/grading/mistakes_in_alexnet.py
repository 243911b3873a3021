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
            '            alexnet.append(nn.ReLU())\n            channels = row["channels"]',
            '            channels = row["channels"]',
            "What follows each convolution",
        ),
        ("nn.MaxPool2d(kernel", "nn.AvgPool2d(kernel", "keeps the largest"),
        (
            "kernel, stride = row",
            'kernel, stride = row["kernel"] if "padding" in row else row["stride"], row["stride"] #',
            "Windows may overlap",
        ),
        (
            'row["kernel"], row["stride"]',
            'row["kernel"], row["stride"] if "padding" in row else row["kernel"]',
            "kernel and stride are two numbers",
        ),
        (
            "    maps = [row",
            '    table = [{**row, "padding": 1} if row["layer"] == "pool" else row for row in table]\n    maps = [row',
            "no padding",
        ),
        (', groups=row["groups"]', "", "sees its own share of the channels"),
        ('row.get("padding", 0)', 'kernel // 2 if row["layer"] == "conv" else 0', "every convolution keeps the side"),
        ('row["kernel"], row["stride"]', 'row["kernel"], 1 if "padding" in row else row["stride"]', "the row's stride"),
        ("alexnet, channels = [], in_channels", "alexnet, channels = [], 3", "images can be grey"),
        (_LAST, _LAST.replace("num_classes", "10"), "How many logits"),
        ("    maps = [row", "    side = 32\n    maps = [row", "the side of the image"),
    ),
    *mistakes_in(
        _LINEAR,
        (_LAST, f"{_LAST}; alexnet.append(nn.ReLU())", "some of them are"),
        (_HIDDEN, _HIDDEN.replace("        alexnet.append(nn.ReLU())\n", ""), "Two linear layers with nothing between"),
        (_DROPOUT, "pass", "nothing was dropped in training"),
        (_DROPOUT, _ALWAYS, "what switches dropout off"),
        (_HIDDEN, "\n".join(_HIDDEN.splitlines()[i] for i in (1, 2, 0)) + "\n", "Dropout belongs in front"),
        (_DROPOUT, 'alexnet.append(nn.Dropout(1 - row["dropout"]))', "not the one that is kept"),
        (_DROPOUT, "alexnet.append(nn.Dropout(0.5))", "were dropped"),
        (_DROPOUT, _UNSCALED, "what is kept has the wrong size"),
        (
            _BEFORE_HIDDEN,
            """    alexnet.append(nn.Dropout2d(hidden[0]["dropout"]) if hidden else nn.Identity())
    alexnet.append(nn.Flatten())
    inputs = channels * side**2
    for row in hidden:
        alexnet.append(nn.Dropout(row["dropout"]) if row is not hidden[0] else nn.Identity())
""",
            "Each one is dropped or kept on its own",
        ),
        (_DROPOUT, _DROPOUT.replace("row[", "hidden[0]["), "a dropout of its own"),
        (_LAST, f"alexnet.append(nn.Dropout(0.5)); {_LAST}", "nor in front of the last layer"),
        (_LAST, f"alexnet.append(nn.Dropout(hidden[-1]['dropout'] if hidden else 0)); {_LAST}", "and not behind it"),
        (_LAST, f"{_LAST}; alexnet.append(nn.Softmax(dim=1) if hidden else nn.Identity())", "These are probabilities"),
    ),
]
