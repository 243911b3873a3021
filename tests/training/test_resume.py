import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("killed_run.py")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="SIGKILL and fork are POSIX")
@pytest.mark.parametrize(("kills", "of_each_kind"), [(8, 3), pytest.param(25, 5, marks=pytest.mark.nightly)])
def test_kills_change_not_one_bit(tmp_path, kills, of_each_kind):
    """Killed in mid-epoch and in mid-write, a resumed run ends with the weights of an uninterrupted one."""
    done = subprocess.run(
        [sys.executable, SCRIPT, tmp_path, str(kills), "0"], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    happened = json.loads(done.stdout)
    assert sum(happened.values()) >= kills and min(happened.values()) >= of_each_kind
    whole, resumed = (json.loads((tmp_path / f"{name}.json").read_text()) for name in ("whole", "resumed"))
    assert resumed["weights"] == whole["weights"]
    assert resumed["history"] == whole["history"]
    assert [file.name for file in tmp_path.glob(".*.part")] == [], "no half-written checkpoint is left"
