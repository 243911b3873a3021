"""A file that may be malicious yields tensors, arrays, or a CourseError."""

import io
import os
import pickle

import numpy as np
import pytest
import torch

from course_lib.errors import CourseError
from course_lib.weights import reading


def read_arrays(content):
    return reading.read_pickled_arrays(io.BytesIO(content))


class Evil:
    """Runs a command when it is unpickled without care."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return os.system, (f"touch {self.mark}",)


@pytest.mark.parametrize("old", [False, True])
def test_arrays_of_numpy_before_and_after_version_2_are_read(old):
    tree = {"a": {"b": np.arange(6, dtype=np.float32).reshape(2, 3)}, "c": np.ones(2)}
    content = pickle.dumps(tree, protocol=3)
    here, other = (b"numpy._core", b"numpy.core") if b"numpy._core" in content else (b"numpy.core", b"numpy._core")
    written = content.replace(here, other) if (other == b"numpy.core") == old else content
    assert (b"numpy.core" in written) == old
    for read in (read_arrays(written), read_arrays(pickle.dumps(tree, protocol=4))):
        assert np.array_equal(read["a"]["b"], tree["a"]["b"]) and read["a"]["b"].dtype == np.float32
        assert np.array_equal(read["c"], tree["c"])


@pytest.mark.parametrize("place", [lambda evil: evil, lambda evil: {"Conv_0": {"kernel": evil}}])
def test_a_malicious_pickle_runs_nothing(tmp_path, place):
    mark = tmp_path / "it ran".replace(" ", "-")
    content = pickle.dumps(place(Evil(mark)))
    pickle.loads(content)
    assert mark.exists(), "or this test proves nothing"
    mark.unlink()
    with pytest.raises(CourseError, match=r"names (posix|nt)\.system.*not trusted"):
        read_arrays(content)
    file = tmp_path / "evil.pth"
    file.write_bytes(content)
    with pytest.raises(CourseError, match="safe to read"):
        reading.read_torch(file)
    torch.save(place(Evil(mark)), file)
    with pytest.raises(CourseError, match="safe to read"):
        reading.read_torch(file)
    assert not mark.exists()


@pytest.mark.parametrize("name", ["frombuffer", "load", "save", "core.multiarray.array"])
def test_other_names_of_numpy_are_refused_too(name):
    module, _, function = f"numpy.{name}".rpartition(".")
    with pytest.raises(CourseError, match="not trusted"):
        read_arrays(f"c{module}\n{function}\n.".encode())


@pytest.mark.parametrize(
    "content",
    [
        {"a": "text"},
        [np.ones(2)],
        {"a": np.array([{}], dtype=object)},
        {"a": np.array(["text"])},
        {"a": np.ones(2, dtype=np.int64)},
    ],
)
def test_what_is_no_array_of_numbers_is_refused(content):
    with pytest.raises(CourseError, match="other things than arrays"):
        read_arrays(pickle.dumps(content, protocol=3))


def test_a_reference_to_the_outside_is_refused():
    with pytest.raises(CourseError, match="outside"):
        read_arrays(b"Pelsewhere\n.")


@pytest.mark.parametrize("content", [b"", b"rubbish", pickle.dumps({"a": np.ones(9)}, protocol=3)[:-20]])
def test_damaged_bytes(tmp_path, content):
    with pytest.raises(CourseError, match="not a pickle of arrays"):
        read_arrays(content)
    file = tmp_path / "damaged.pth"
    file.write_bytes(content)
    with pytest.raises(CourseError, match="safe to read"):
        reading.read_torch(file)


@pytest.mark.parametrize("zipped", [True, False])
def test_parameters_come_out_as_plain_tensors(zipped):
    """Torchvision's older files hold parameters, in torch's older format."""
    file = io.BytesIO()
    saved = {"weight": torch.nn.Parameter(torch.ones(2, 3)), "count": torch.tensor(7)}
    torch.save(saved, file, _use_new_zipfile_serialization=zipped)
    file.seek(0)
    found = reading.read_torch(file)
    assert type(found["weight"]) is torch.Tensor and not found["weight"].requires_grad
    assert found["weight"].shape == (2, 3) and found["count"] == 7


@pytest.mark.parametrize(
    "saved", [{"a": "text"}, [torch.ones(2)], {"a": torch.ones(2).half()}, {"a": torch.eye(2).to_sparse()}]
)
def test_what_is_no_plain_tensor_is_refused(saved):
    file = io.BytesIO()
    torch.save(saved, file)
    file.seek(0)
    with pytest.raises(CourseError, match="other things than float32 tensors"):
        reading.read_torch(file)
