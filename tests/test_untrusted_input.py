"""What comes from elsewhere is read as data: no source of ours calls what could run code that lies in a file."""

import ast
from pathlib import Path

import pytest

from course_lib.errors import CourseError
from course_tools.publishing import repository

ROOT = Path(__file__).parents[1]
FILES = [
    file
    for folder in ("course_lib", "course_tools", "assignments", "studies", "notebooks", "book")
    for file in sorted((ROOT / folder).rglob("*.py"))
]
# Functions that run what they read, or write outside of where they were told to.
REFUSED = {
    *("eval", "exec", "pickle.load", "pickle.loads", "pickle.Unpickler", "marshal.load", "marshal.loads"),
    *("shelve.open", "dill.load", "dill.loads", "cloudpickle.load", "cloudpickle.loads", "joblib.load"),
    *("pandas.read_pickle", "torch.hub.load", "torch.jit.load", "torch.package.PackageImporter", "torch.export.load"),
    *("yaml.load", "yaml.load_all", "yaml.full_load", "yaml.full_load_all", "yaml.unsafe_load"),
    *("yaml.unsafe_load_all", "os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput"),
    *("shutil.unpack_archive", "tempfile.mktemp", "broadcast_object_list", "all_gather_object", "distributed.Client"),
}
METHODS = {"extractall", "extract", "read_pickle", "broadcast_object_list", "all_gather_object"}  # of any object
# Each use that there is, with the reason why it is none of these.
ALLOWED = {
    ("course_lib/weights/reading.py", "pickle.Unpickler"): "it allows three names, those that make an array",
    ("course_lib/training/distributed.py", "broadcast_object_list"): "processes of one torchrun, on trusted hosts",
    ("course_lib/training/distributed.py", "all_gather_object"): "processes of one torchrun, on trusted hosts",
    ("course_tools/studies/cluster.py", "distributed.Client"): "a Dask cluster of trusted hosts",
    ("assignments/cifar10/checks/worker.py", "exec"): "the student's own code, which grading runs in a sandbox",
}


def names_of(tree):
    """What each name of a module was imported from, in full."""
    names = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {one.asname: one.name for one in node.names if one.asname}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {one.asname or one.name: f"{node.module}.{one.name}" for one in node.names}
    return names | {"np": "numpy", "pd": "pandas"}


def uses(source):
    """Each use of a refused function in a source, with its line. A use is also to hand it on, or to inherit from it."""
    tree = ast.parse(source)
    names, found = names_of(tree), []

    def full(node):
        first, *rest = ast.unparse(node).split(".")
        return ".".join([names.get(first, first), *rest])

    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute):
            if (name := full(node)) in REFUSED:
                found.append((name, node.lineno))
            elif isinstance(node, ast.Attribute) and node.attr in METHODS:
                found.append((node.attr, node.lineno))
        if isinstance(node, ast.Call):
            options = {one.arg: one.value.value for one in node.keywords if isinstance(one.value, ast.Constant)}
            given, name = {one.arg for one in node.keywords}, full(node.func)
            if name == "torch.load" and options.get("weights_only") is not True:
                found.append((f"{name} without weights_only=True", node.lineno))
            if name == "numpy.load" and "allow_pickle" in given and options.get("allow_pickle") is not False:
                found.append((f"{name} with allow_pickle", node.lineno))
            if "shell" in given and options.get("shell") is not False:
                found.append(("shell=True", node.lineno))
    return found


def test_nothing_foreign_is_unpickled_executed_or_unpacked():
    found = {}
    for file in FILES:
        name = file.relative_to(ROOT).as_posix()
        found |= {(name, use): line for use, line in uses(file.read_text(encoding="utf-8"))}
    new = [f"{name}:{found[name, use]}: {use}" for name, use in found.keys() - ALLOWED.keys()]
    assert not new, f"read it as data, or give the reason in ALLOWED: {new}"
    assert found.keys() == ALLOWED.keys(), f"reasons without a use: {ALLOWED.keys() - found.keys()}"


@pytest.mark.parametrize(
    "source",
    [
        "import torch\ntorch.load(path)",
        "import torch\ntorch.load(path, weights_only=False)",
        "import torch\ntorch.load(path, weights_only=trusted)",
        "from torch import load\nload(path)",
        "import numpy as np\nnp.load(path, allow_pickle=True)",
        "import pickle\npickle.loads(content)",
        "import pickle as p\nread = p.load",
        "from pickle import Unpickler\nclass Reader(Unpickler): pass",
        "import pandas as pd\npd.read_pickle(path)",
        "import yaml\nyaml.load(text, Loader=yaml.Loader)",
        "from yaml import unsafe_load\nunsafe_load(text)",
        "import tarfile\ntarfile.open(path).extractall(folder)",
        "archive.extract(member)",
        "import shutil\nshutil.unpack_archive(path)",
        "import subprocess\nsubprocess.run(text, shell=True)",
        "import os\nos.system(text)",
        "eval(text)",
        "import torch.distributed as dist\ndist.broadcast_object_list(values)",
    ],
)
def test_each_way_to_run_what_is_read_is_seen(source):
    assert uses(source), source


@pytest.mark.parametrize(
    "source",
    [
        "import torch\ntorch.load(path, weights_only=True)",
        "import numpy as np\nnp.load(path)",  # pickles are refused by default
        "import pickle\npickle.UnpicklingError",
        "import yaml\nyaml.safe_load(text)",
        "network.eval()",
        "import ast\nast.literal_eval(text)",
    ],
)
def test_what_reads_data_is_not(source):
    assert not uses(source), source


@pytest.mark.parametrize("text", ["a\x1b]0;title\x07b", "a\x1b[2Jb", "a\x9b31mb", "a\u202eb", "a\x08\x08b", "a\udcffb"])
def test_an_error_steers_no_terminal(text):
    """A registry's client, a server or a file may have written what an error quotes."""
    assert str(CourseError(f"npm: {text}: try again.")).isprintable()


@pytest.mark.parametrize("text", ["a/b; rm", "a/b\nc", "$(id)/b", "../b", "a/..", "<b>/c", "a/b: x", "a/b'c"])
def test_an_address_that_is_written_into_yaml_html_and_code_is_plain(text):
    with pytest.raises(CourseError, match="is not a repository"):
        repository.parse(text)
