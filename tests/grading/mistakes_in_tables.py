"""Task 2, answered wrong in the ways in which it is answered wrong."""

from known_mistakes import Mistake

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
    Mistake(
        "no ReLU behind convolutions",
        part=_MAPS,
        old='            alexnet.append(nn.ReLU())\n            channels = row["channels"]',
        new='            channels = row["channels"]',
        hint="What follows each convolution",
    ),
    Mistake("average pool", part=_MAPS, old="nn.MaxPool2d(kernel", new="nn.AvgPool2d(kernel", hint="keeps the largest"),
    Mistake(
        "pools that do not overlap",
        part=_MAPS,
        old="kernel, stride = row",
        new='kernel, stride = row["kernel"] if "padding" in row else row["stride"], row["stride"] #',
        hint="Windows may overlap",
    ),
    Mistake(
        "a pool's stride is its kernel",
        part=_MAPS,
        old='row["kernel"], row["stride"]',
        new='row["kernel"], row["stride"] if "padding" in row else row["kernel"]',
        hint="kernel and stride are two numbers",
    ),
    Mistake(
        "padded pools",
        part=_MAPS,
        old="    maps = [row",
        new='    table = [{**row, "padding": 1} if row["layer"] == "pool" else row for row in table]\n    maps = [row',
        hint="no padding",
    ),
    Mistake(
        "groups ignored", part=_MAPS, old=', groups=row["groups"]', new="", hint="sees its own share of the channels"
    ),
    Mistake(
        "padding that keeps the side",
        part=_MAPS,
        old='row.get("padding", 0)',
        new='kernel // 2 if row["layer"] == "conv" else 0',
        hint="not every convolution keeps the side",
    ),
    Mistake(
        "a convolution's stride ignored",
        part=_MAPS,
        old='row["kernel"], row["stride"]',
        new='row["kernel"], 1 if "padding" in row else row["stride"]',
        hint="moves in steps of the row's stride",
    ),
    Mistake(
        "three channels always",
        part=_MAPS,
        old="alexnet, channels = [], in_channels",
        new="alexnet, channels = [], 3",
        hint="images can be grey",
    ),
    Mistake(
        "ten classes always", part=_MAPS, old=_LAST, new=_LAST.replace("num_classes", "10"), hint="How many logits"
    ),
    Mistake(
        "a side of 32 always",
        part=_MAPS,
        old="    maps = [row",
        new="    side = 32\n    maps = [row",
        hint="the side of the image",
    ),
    Mistake(
        "ReLU behind the logits",
        part=_LINEAR,
        old=_LAST,
        new=f"{_LAST}; alexnet.append(nn.ReLU())",
        hint="some of them are",
    ),
    Mistake(
        "no ReLU between linear layers",
        part=_LINEAR,
        old=_HIDDEN,
        new=_HIDDEN.replace("        alexnet.append(nn.ReLU())\n", ""),
        hint="Two linear layers with nothing between",
    ),
    Mistake("no dropout", part=_LINEAR, old=_DROPOUT, new="pass", hint="nothing was dropped in training"),
    Mistake("dropout in evaluation too", part=_LINEAR, old=_DROPOUT, new=_ALWAYS, hint="that training is over"),
    Mistake(
        "dropout behind the layer",
        part=_LINEAR,
        old=_HIDDEN,
        new="\n".join(_HIDDEN.splitlines()[i] for i in (1, 2, 0)) + "\n",
        hint="Dropout belongs in front of the layer",
    ),
    Mistake(
        "the share that is kept",
        part=_LINEAR,
        old=_DROPOUT,
        new='alexnet.append(nn.Dropout(1 - row["dropout"]))',
        hint="not the one that is kept",
    ),
    Mistake(
        "half, whatever the row says",
        part=_LINEAR,
        old=_DROPOUT,
        new="alexnet.append(nn.Dropout(0.5))",
        hint="were dropped",
    ),
    Mistake("not enlarged", part=_LINEAR, old=_DROPOUT, new=_UNSCALED, hint="what is kept has the wrong size"),
    Mistake(
        "whole channels dropped",
        part=_LINEAR,
        old=_BEFORE_HIDDEN,
        new="""    alexnet.append(nn.Dropout2d(hidden[0]["dropout"]) if hidden else nn.Identity())
    alexnet.append(nn.Flatten())
    inputs = channels * side**2
    for row in hidden:
        alexnet.append(nn.Dropout(row["dropout"]) if row is not hidden[0] else nn.Identity())
""",
        hint="Each one is dropped or kept on its own",
    ),
    Mistake(
        "the first row's dropout everywhere",
        part=_LINEAR,
        old=_DROPOUT,
        new=_DROPOUT.replace("row[", "hidden[0]["),
        hint="a dropout of its own",
    ),
    Mistake(
        "dropout in front of the logits",
        part=_LINEAR,
        old=_LAST,
        new=f"alexnet.append(nn.Dropout(0.5)); {_LAST}",
        hint="nor in front of the last layer",
    ),
    Mistake(
        "dropout in front of the logits where there are hidden layers",
        part=_LINEAR,
        old=_LAST,
        new=f"alexnet.append(nn.Dropout(hidden[-1]['dropout'] if hidden else 0)); {_LAST}",
        hint="and not behind it",
    ),
    Mistake(
        "probabilities instead of logits",
        part=_LINEAR,
        old=_LAST,
        new=f"{_LAST}; alexnet.append(nn.Softmax(dim=1) if hidden else nn.Identity())",
        hint="These are probabilities",
    ),
]
