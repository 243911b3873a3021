"""``python compute_in_copies.py FOLDER…``: run a small chapter with the library in each folder, keep its fingerprint.

A child process for each copy imports the library anew; what the library imports is imported once, before.
"""

import contextlib
import importlib
import io
import json
import os
import sys
import traceback
from pathlib import Path

import jupytext  # noqa: F401, imported once for all copies, as the next ones
import matplotlib
import nbformat
import pandas
import seaborn  # noqa: F401
import torch
import yaml  # noqa: F401
from torch.nn import functional

from course_lib.torchvision_fix import import_torchvision

CHAPTER = """
from course_lib import analysis, data, models, plots, training
digits = data.load("mnist", size="sample")
few, val = digits.train.select(range(300)), digits.val.select(range(100))
training.set_seed(0)
network = models.lenet5()
print(analysis.count_parameters(network))
history = training.fit(network, few, val, epochs=1, batch_size=64, augment=data.random_translate,
                       schedule=training.one_cycle, optimizer=torch.optim.SGD, learning_rate=0.05, show=False)
training.record("LeNet-5", history, training.predict(network, val), digits, split="validation")
training.set_seed(0)
network = models.mlp(hidden=(16,), dropout=0.2)
training.fit(network, few, epochs=1, batch_size=32, show=False)
plots.learning_curves(history)
"""


def compute(folder: Path) -> None:
    os.environ |= {
        "COURSE_PROFILE": "quick",
        "COURSE_RECORDS": str(folder / "records.jsonl"),
        "COURSE_RUNLOG": str(folder / "log"),
    }
    sys.path.insert(0, str(folder))
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(CHAPTER, {"torch": torch, "F": functional})
    fingerprints = importlib.import_module("course_tools.publishing.fingerprints")
    assert Path(sys.modules["course_lib"].__file__).is_relative_to(folder)
    output = nbformat.v4.new_output("stream", text=printed.getvalue())
    cell = nbformat.v4.new_code_cell(CHAPTER, outputs=[output], metadata={"tags": ["nbval-check-output"]})
    notebook = nbformat.v4.new_notebook(cells=[cell])
    found = fingerprints.of_run(notebook, folder / "log", folder / "records.jsonl")
    (folder / "fingerprint.json").write_text(json.dumps(found))


def main(folders: list[str]) -> None:
    import_torchvision()
    for name in [name for name in sys.modules if name.partition(".")[0] == "course_lib"]:
        del sys.modules[name]
    matplotlib.use("agg")
    pandas.DataFrame({"warm": [1]})
    torch.set_num_threads(1)
    for folder in folders:
        child = os.fork()
        if child == 0:
            status = 1
            try:
                compute(Path(folder))
                status = 0
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(status)
        _, status = os.waitpid(child, 0)
        if status:
            sys.exit(f"the chapter failed in {folder}")


if __name__ == "__main__":
    main(sys.argv[1:])
