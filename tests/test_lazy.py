import json
import subprocess
import sys

import pytest

from course_lib import models


def test_a_network_loads_its_own_module_and_no_other():
    """Freshness depends on it: an edit of one network must leave the chapters of the others fresh."""
    program = (
        "import json, sys\nfrom course_lib import models\nmodels.mlp\n"
        "print(json.dumps([name for name in sys.modules if name.startswith('course_lib.models.')]))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    base = {f"course_lib.models.{name}" for name in ("classifier", "meta", "modes")}
    assert set(json.loads(done.stdout)) == {"course_lib.models.perceptron", *base}


def test_every_name_is_really_there():
    import importlib

    for package in ("data", "models", "analysis", "training", "plots"):
        module = importlib.import_module(f"course_lib.{package}")
        assert dir(module) == sorted(module.__all__)
        for name in module.__all__:
            assert getattr(module, name) is not None


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match=r"'course_lib\.models' has no attribute 'lenet6'"):
        models.lenet6  # noqa: B018
