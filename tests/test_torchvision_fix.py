"""Each import runs in a fresh process, with a stand-in torchvision that fails as the real one does."""

import subprocess
import sys
from pathlib import Path

BROKEN = """
import torch
torch.library.register_fake("torchvision::{operator}")(lambda dets, scores, iou_threshold: dets)
"""


def imported(tmp_path: Path, init: str) -> subprocess.CompletedProcess:
    package = tmp_path / "torchvision"
    package.mkdir()
    (package / "__init__.py").write_text(init)
    program = (
        f"import sys\nsys.path.insert(0, {str(tmp_path)!r})\n"
        "from course_lib.torchvision_fix import import_torchvision\n"
        "print(import_torchvision().done)"
    )
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)


def test_missing_operators_are_declared_one_after_the_other(tmp_path):
    broken = BROKEN.format(operator="made_up_one") + BROKEN.format(operator="made_up_two").replace("import torch", "")
    done = imported(tmp_path, f"{broken}\ndone = 'fixed'")
    assert done.stdout == "fixed\n", done.stderr


def test_a_healthy_import_is_left_alone(tmp_path):
    assert imported(tmp_path, "done = 'healthy'").stdout == "healthy\n"


def test_any_other_error_is_not_hidden(tmp_path):
    done = imported(tmp_path, "raise RuntimeError('something else')")
    assert done.returncode != 0 and "RuntimeError: something else" in done.stderr
