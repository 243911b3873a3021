"""Draw the cover, ``book/_static/cover.png``: scrambled digits, and what chapter 1's perceptron reads in them.

``python book/cover.py`` trains the network by the recipe of that chapter (seed 0, MNIST) and prints the alt text.
"""

from dataclasses import replace
from pathlib import Path

import torch
from matplotlib.patches import Rectangle

from course_lib import data, models, plots, training

digits = data.load("mnist")
shuffle = torch.randperm(28 * 28, generator=torch.Generator().manual_seed(0))


def shuffled(split: data.Split) -> data.Split:
    """The same images, the pixels of all of them in one random order."""
    return replace(split, images=split.images.flatten(1)[:, shuffle].view_as(split.images))


training.set_seed(0)
network = models.mlp(dropout=0.2)
training.fit(network, shuffled(digits.train), epochs=12, schedule=training.cosine, seed=0)
eight = digits.val.select(range(8))
said = training.predict(network, shuffled(eight)).predicted.tolist()

figure, axes = plots.new_figure(2, 4, width=5.2, height=3.5)
for place, reading, label, image in zip(axes.flat, said, eight.labels.tolist(), shuffled(eight).images, strict=True):
    place.imshow(255 - image[0], cmap="gray", vmin=0, vmax=255)
    place.axis("off")
    place.add_patch(Rectangle((-1, -1), 29, 29, fill=False, edgecolor="#949494", clip_on=False))
    style = {"fontsize": 26, "weight": "bold", "color": plots.BLUE if reading == label else plots.ORANGE}
    place.text(13.5, 30, str(reading), ha="center", va="top", **style)
right = sum(reading == label for reading, label in zip(said, eight.labels.tolist(), strict=True))
alt = (
    f"Eight digits with scrambled pixels, like noise. The network reads {', '.join(map(str, said))}; {right} are right."
)
Path(__file__).with_name("_static").joinpath("cover.png").write_bytes(plots.finish(figure, alt).to_png())
print(alt)
