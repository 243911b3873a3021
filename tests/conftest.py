"""What many tests share: an empty home directory for the course, and the embedded sample."""

from contextlib import contextmanager

import hypothesis
import pytest
import torch

from course_lib import data, runlog

# The same examples in every run, so that a red test is red again; no deadline, since machines differ.
hypothesis.settings.register_profile(
    "course",
    deadline=None,
    derandomize=True,
    max_examples=25,
    database=None,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture, hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("course")


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty COURSE_HOME."""
    folder = tmp_path / "home"
    monkeypatch.setenv("COURSE_HOME", str(folder))
    return folder


@pytest.fixture
def logged(tmp_path, monkeypatch):
    """What this process notes in a run log from here on: ``logged("weights")`` names the weights that were loaded."""
    log = tmp_path / "runlog"
    monkeypatch.setenv("COURSE_RUNLOG", str(log))
    return lambda kind: sorted(set(runlog.read(log)[kind]))


@pytest.fixture(scope="session")
def digits():
    """The embedded MNIST sample."""
    return data.load("mnist", size="sample")


@pytest.fixture(scope="session")
def few(digits):
    """300 training digits: 2 batches of 128 and a last one of 44."""
    return digits.train.select(range(300))


@pytest.fixture
def unchanged():
    """A context after which a network has the modes, weights, gradients and hooks that it had before."""

    @contextmanager
    def check(model):
        modes = [layer.training for layer in model.modules()]
        state = {key: tensor.clone() for key, tensor in model.state_dict().items()}
        weights = [(id(weight), weight.grad, weight.requires_grad) for weight in model.parameters()]
        generator = torch.get_rng_state()
        yield
        assert [layer.training for layer in model.modules()] == modes
        assert all(torch.equal(tensor, state[key]) for key, tensor in model.state_dict().items())
        for weight, before in zip(model.parameters(), weights, strict=True):
            assert (id(weight), weight.requires_grad) == before[::2] and weight.grad is before[1]
            assert not weight._post_accumulate_grad_hooks
        assert not any(layer._forward_hooks or layer._forward_pre_hooks for layer in model.modules())
        assert torch.equal(torch.get_rng_state(), generator)

    return check
