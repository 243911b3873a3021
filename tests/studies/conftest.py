"""Studies in small: an empty checkout, workers that do as they are told, and records of runs that never were."""

import functools
import inspect
import json
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from course_lib import data, models, records, training
from course_tools.publishing.project import Project
from course_tools.studies import publish, run
from course_tools.studies.plan import plan


def give_few_digits(data):
    """From now on ``data.load`` gives 640 images to learn from, and 200 for each of the other purposes."""
    from dataclasses import replace

    whole = data.load

    def few(*words, **options):
        digits = whole(*words, **options)
        test = digits.open_test().select(range(200))
        return replace(
            digits, train=digits.train.select(range(640)), val=digits.val.select(range(200)), _read_test=lambda: test
        )

    data.load = few


WORKER = '''\
"""Python runs this file first, in each process that is started with its folder on PYTHONPATH."""
import json, os, pathlib, signal, sys, time

if "course_tools.studies.local" in sys.orig_argv:
    here, key = pathlib.Path(__file__).parent, sys.orig_argv[-2]
    orders = json.loads((here / "orders.json").read_text())
    order = orders.get(key, orders.get("all"))
    with (here / "started").open("a") as notes:
        note = {"key": key, "pid": os.getpid(), "parent": os.getppid(), "threads": os.environ["OMP_NUM_THREADS"]}
        notes.write(json.dumps(note) + "\\n")
    if order == "be killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if order == "hang":
        time.sleep(600)
    if isinstance(order, int):
        os._exit(order)
    if orders.get("few digits"):
        from course_lib import data

        give_few_digits(data)
    if order in ("raise", "stall"):
        from course_lib import training

        def fit(*words, **options):
            print("It came this far.")
            if order == "stall":
                time.sleep(600)
            raise ZeroDivisionError("no such luck")

        training.fit = fit
'''


class Orders:
    """What workers do, by key or ``all``: ``be killed``, ``hang``, ``stall`` or ``raise`` in ``fit``, or a status.

    With ``few digits`` the others learn from a few.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        (folder / "sitecustomize.py").write_text(f"{inspect.getsource(give_few_digits)}\n\n{WORKER}")
        self.give()

    def give(self, orders: dict | None = None):
        (self.folder / "started").unlink(missing_ok=True)
        self.change(orders or {})

    def change(self, orders: dict):
        """From now on, with what started before still in the notes."""
        (self.folder / "new").write_text(json.dumps(orders))
        (self.folder / "new").replace(self.folder / "orders.json")

    def started(self) -> list[dict]:
        notes = self.folder / "started"
        return [json.loads(line) for line in notes.read_text().splitlines()] if notes.exists() else []

    @property
    def path(self) -> str:
        return os.pathsep.join(filter(None, [str(self.folder), os.environ.get("PYTHONPATH")]))


def empty_checkout(folder: Path) -> Project:
    (folder / "notebooks").mkdir(parents=True)
    (folder / "_toc.yml").write_text("root: index\n")
    return Project(folder)


@pytest.fixture(scope="session")
def new_checkout(tmp_path_factory):
    """Make one more checkout without chapters, below a folder of this name."""
    return lambda name: empty_checkout(tmp_path_factory.mktemp(name) / "checkout")


@pytest.fixture(scope="session")
def new_orders(tmp_path_factory):
    """Make orders for a fixture that several tests share."""
    return lambda: Orders(tmp_path_factory.mktemp("orders"))


@pytest.fixture
def project(tmp_path):
    """A checkout without chapters, in which no study was run."""
    return empty_checkout(tmp_path / "checkout")


@pytest.fixture
def fingerprinted(monkeypatch):
    """A fingerprint in place of the studies' own, which takes seconds: test_study_fingerprints.py computes those."""
    fingerprint = {"code": "of the plan", "weights": [], "fits": [], "outputs": {"one": "same"}, "results": {}}
    for module in (run, publish):
        monkeypatch.setattr(module, "fingerprint_of", lambda study: fingerprint)
    return fingerprint


@pytest.fixture
def few_digits(monkeypatch):
    """In this process, too, there are as few digits as in the workers of the story."""
    monkeypatch.setattr(data, "load", data.load)  # so that it is put back
    give_few_digits(data)


@pytest.fixture
def orders(tmp_path_factory, monkeypatch):
    """Orders for the workers of this test; without any they do their work."""
    given = Orders(tmp_path_factory.mktemp("orders"))
    monkeypatch.setenv("PYTHONPATH", given.path)
    return given


@pytest.fixture(scope="session")
def cheap():
    """Three runs of mnist-six in size quick: two perceptrons and a LeNet."""
    perceptron, lenet, *_ = plan("mnist-six", "quick")
    again = next(one for one in plan("mnist-six", "quick") if (one.name, one.seed) == (perceptron.name, 1))
    return [perceptron, lenet, again]


@pytest.fixture(scope="session")
def story(new_checkout, new_orders, cheap):
    """Two calls of run_study. In the first, LeNet is killed and the second perceptron raises; in the second, nothing.

    Two runs at a time, on two cores, with few digits. What each call said and left behind is kept.
    """
    given, project = new_orders(), new_checkout("story")
    folder = project.build / "studies" / "quick" / "mnist-six"
    elsewhere = project.root / "elsewhere.jsonl"

    def call(told):
        given.give(told | {"few digits": True})
        outcomes = run.run_study(project, "mnist-six", "quick", cheap, jobs=2, show=False)
        left = {file.name: file.stat().st_mtime_ns for file in folder.iterdir()}
        logs = {file.stem: file.read_text() for file in folder.glob("*.log")}
        return SimpleNamespace(outcomes=outcomes, left=left, logs=logs, started=given.started())

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", given.path)
        patch.delenv("PYTHONUNBUFFERED", raising=False)
        patch.setenv("COURSE_COMMIT", "abc123+")
        patch.setenv("COURSE_RECORDS", str(elsewhere))
        patch.setattr(run, "usable_cores", lambda: 2)
        patch.setattr(run, "fingerprint_of", functools.cache(run.fingerprint_of))
        first = call({cheap[1].key: "be killed", cheap[2].key: "raise"})
        second = call({})
    return SimpleNamespace(
        project=project, planned=cheap, folder=folder, first=first, second=second, elsewhere=elsewhere
    )


@pytest.fixture(scope="session")
def template(digits, few):
    """A record of one real run: a few neurons, a few digits."""
    training.set_seed(0)
    model = models.mlp(hidden=(4,))
    history = training.fit(model, few, epochs=1, seed=0, show=False, device="cpu")
    return training.record("template", history, training.predict(model, digits.val), digits)


@pytest.fixture(scope="session")
def pretended(template):
    """Write the record that a run would leave, at a path, without the run. Takes changes to the record."""

    def write(path, study, size, planned, accuracy=0.5, **changes):
        record = template | {
            "chapter": f"study-{study}",
            "profile": size,
            "name": planned.name,
            "seed": planned.seed,
            "study_key": planned.key,
            "recipe": template["recipe"] | {"data": f"{planned.data} ({'sample' if planned.sample else 'full'})"},
            "final": template["final"] | {"accuracy": accuracy},
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        return records.append(path, record | changes)

    return write


@pytest.fixture
def run_before(project, pretended):
    """Pretend that these runs of a study were done."""

    def put(study, size, planned, accuracy=0.5):
        for one in planned:
            file = run.folder_of(project, study, size) / f"{one.key}.jsonl"
            file.unlink(missing_ok=True)
            pretended(file, study, size, one, accuracy)

    return put


@pytest.fixture
def done(project, run_before, cheap):
    """A checkout in which those three runs are done, as far as anybody can tell."""
    run_before("mnist-six", "quick", cheap)
    return project
