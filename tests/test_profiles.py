import pytest
import torch

from course_lib.errors import CourseError
from course_lib.profiles import resolve_profile


@pytest.mark.parametrize(("gpu", "expected"), [(True, "full"), (False, "quick")])
def test_auto_looks_at_the_machine(gpu, expected, monkeypatch):
    monkeypatch.delenv("COURSE_PROFILE", raising=False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpu)
    assert resolve_profile("auto") == expected


@pytest.mark.parametrize(("gpu", "expected"), [(True, "full"), (False, "cpu")])
def test_a_chapter_that_is_quick_enough_gives_real_results_without_a_gpu(gpu, expected, monkeypatch):
    monkeypatch.delenv("COURSE_PROFILE", raising=False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpu)
    assert resolve_profile("auto", without_gpu="cpu") == expected
    monkeypatch.setenv("COURSE_PROFILE", "quick")
    assert resolve_profile("auto", without_gpu="cpu") == "quick"


def test_explicit_beats_environment_beats_machine(monkeypatch):
    monkeypatch.setenv("COURSE_PROFILE", "cpu")
    assert resolve_profile("quick") == "quick"
    assert resolve_profile("auto") == "cpu"


def test_no_such_profile():
    with pytest.raises(CourseError, match="PROFILE is 'slow', which is no profile: choose auto, quick"):
        resolve_profile("slow")
