"""Make the embedded sample from the full data sets: ``python -m course_lib.data.sample.make``.

Training images of the sample come from the full training part, validation images from the full validation part, test
images from the full test set; each with every class in proportion.
"""

import json

import numpy as np
from PIL import Image

from course_lib.data import cache
from course_lib.data.catalog import CATALOG, DataSpec
from course_lib.data.sample import FOLDER, paste
from course_lib.data.splits import stratified_holdout

COUNTS = {
    "mnist": {"train": 4_000, "val": 1_000, "test": 1_000},
    "cifar10": {"train": 1_200, "val": 400, "test": 400},
}


def make(spec: DataSpec) -> dict:
    """Write the three pictures of one data set and return its entry for ``sample.json``."""
    cache.download(spec).ensure()
    images = {part: cache.read_array(spec, f"{part}_images") for part in ("train", "test")}
    labels = {part: cache.read_array(spec, f"{part}_labels") for part in ("train", "test")}
    train, val = stratified_holdout(labels["train"], spec.validation)
    pools = {"train": ("train", train), "val": ("train", val), "test": ("test", np.arange(spec.test))}
    entry = {}
    for part, (source, pool) in pools.items():
        _, chosen = stratified_holdout(labels[source][pool], COUNTS[spec.name][part])
        places = pool[chosen]
        file = f"{spec.name}-{part}.webp"
        Image.fromarray(paste(images[source][places])).save(FOLDER / file, lossless=True, quality=100, method=6)
        entry[part] = {
            "file": file,
            "of": source,
            "places": places.tolist(),
            "labels": "".join(str(label) for label in labels[source][places]),
            "sha256": cache.digest(images[source][places]),
        }
    return entry


if __name__ == "__main__":
    index = {name: make(spec) for name, spec in CATALOG.items()}
    (FOLDER / "sample.json").write_text(json.dumps(index, separators=(",", ":")) + "\n", encoding="utf-8")
    print(f"{sum(file.stat().st_size for file in FOLDER.glob('*.*')) / 1e6:.2f} MB in {FOLDER}")
