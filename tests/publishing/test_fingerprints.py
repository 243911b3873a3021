"""Proof both ways: an edit of the library that changes no result leaves pages fresh, and one that does is found.

Each edit is made in a copy of the library, which then runs a small chapter.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import course_lib
from course_tools.publishing import fingerprints

LIBRARY = Path(course_lib.__file__).parent


def swap(file: str, old: str, new: str):
    """An edit that puts some text in another's place."""

    def edit(library: Path) -> None:
        path = library / file
        text = path.read_text()
        assert text.count(old) == 1, f"{file} holds {old!r} {text.count(old)} times: fix this test"
        path.write_text(text.replace(old, new))

    return edit


def move_a_module(library: Path) -> None:
    """``models/lenet.py`` and ``training/schedules.py`` under other names, in another folder."""
    for old, new in (("models/lenet", "models/five_layers"), ("training/schedules", "factors")):
        (library / f"{old}.py").rename(library / f"{new}.py")
    for path in library.rglob("*.py"):
        text = path.read_text()
        text = text.replace("models.lenet ", "models.five_layers ").replace('"lenet":', '"five_layers":')
        path.write_text(text.replace("course_lib.training.schedules ", "course_lib.factors "))


def rename_a_function(library: Path) -> None:
    for path in library.rglob("*.py"):
        path.write_text(re.sub(r"\bcost_of_image\b", "work_of_image", path.read_text()))


NOTHING_CHANGED = {
    "a module is moved and renamed": move_a_module,
    "a function is renamed": rename_a_function,
    "a faster kernel gives equal numbers": swap(
        "data/batches.py",
        "yield self.split.normalize(images.index_select(0, here)), labels.index_select(0, here)",
        "yield self.split.normalize(torch.take_along_dim(images, here.view(-1, 1, 1, 1), 0)), labels[here]",
    ),
    "a function is added that nothing calls": swap(
        "models/lenet.py", "class LeNet5", "def unused() -> None:\n    raise SystemExit\n\n\nclass LeNet5"
    ),
}
SOMETHING_CHANGED = {
    "the order of images": swap(
        "data/batches.py",
        "return torch.randperm(len(self.split), generator=self.generator)",
        "return torch.randperm(len(self.split), generator=self.generator).flip(0)",
    ),
    "first weights": swap(
        "models/lenet.py",
        "        left = (side // 2 - 4) // 2\n",
        "        left = (side // 2 - 4) // 2\n        nn.init.normal_(self.features[0].weight, std=0.1)\n",
    ),
    "the loss": swap(
        "training/fit.py",
        "    loss: Loss = F.cross_entropy,",
        "    loss: Loss = lambda *pair: F.cross_entropy(*pair, label_smoothing=0.01),",
    ),
    "augmentation": swap("data/augmentation.py", "pixels: int = 2", "pixels: int = 3"),
    "normalisation": swap("data/splits.py", ".div_(whole).sub_(mean).div_(std)", ".div_(whole).sub_(mean)"),
    "a width": swap("models/perceptron.py", "for width in hidden:", "for width in [w + 1 for w in hidden]:"),
    "the learning rate, by 1 %": swap("training/run.py", "= peak * factor", "= 1.01 * peak * factor"),
    "the tail of a schedule": swap("training/schedules.py", "(progress - 0.2) / 0.8", "(progress - 0.2) / 0.82"),
    "a metric": swap("analysis/predictions.py", "self.logits.argmax(dim=1)", "self.logits.argmin(dim=1)"),
    "a count": swap("analysis/layers.py", "sum(parameter.numel() for", "sum(parameter.numel() + 1 for"),
}


@pytest.fixture(scope="module")
def computed(tmp_path_factory):
    """The fingerprint of the small chapter with the library as it is, ``""``, and after each edit."""
    folder = tmp_path_factory.mktemp("copies")
    edits = {"": lambda library: None} | NOTHING_CHANGED | SOMETHING_CHANGED
    places = {name: folder / f"{number}" for number, name in enumerate(edits)}
    for name, edit in edits.items():
        library = places[name] / "course_lib"
        shutil.copytree(LIBRARY, library, ignore=shutil.ignore_patterns("__pycache__", "cifar10-*.webp", "grading"))
        edit(library)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("COURSE_")}
    script = Path(__file__).with_name("compute_in_copies.py")
    done = subprocess.run(
        [sys.executable, script, *places.values()], env=environment, cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return {name: json.loads((place / "fingerprint.json").read_text()) for name, place in places.items()}


@pytest.mark.parametrize("edit", NOTHING_CHANGED)
def test_an_edit_that_changes_no_result_leaves_pages_fresh(edit, computed):
    assert fingerprints.differences(computed[""], computed[edit]) == []


@pytest.mark.parametrize("edit", SOMETHING_CHANGED)
def test_an_edit_that_changes_a_result_is_found(edit, computed):
    assert fingerprints.differences(computed[""], computed[edit]) != []


@pytest.mark.parametrize(("factor", "differs"), [(1.001, False), (1.05, True)])
def test_later_losses_are_compared_within_their_band(factor, differs, computed):
    changed = json.loads(json.dumps(computed[""]))
    changed["fits"][0]["loss"][2] *= factor
    assert bool(fingerprints.differences(computed[""], changed)) is differs
