"""A learner's session in Colab ends at any time; what lies on the mounted drive outlives it."""

import os
import shutil
import subprocess
import sys


def test_data_and_checkpoints_survive_a_disconnect_on_a_mounted_drive(tmp_path):
    """The way that chapter 1 shows: the same cell, run again in a new session, goes on from the drive."""
    cell = (
        "import sys\nfrom course_lib import data, models, training\n"
        "digits = data.load('mnist', size='sample')\n"
        "training.set_seed(0)\nmine = models.mlp(dropout=0.2)\n"
        "if sys.argv[1] == 'cut off':\n"
        "    from course_lib.training import checkpoints\n"
        "    save = checkpoints.save_checkpoint\n"
        "    checkpoints.save_checkpoint = lambda *words: (save(*words), sys.exit(9))\n"
        "history = training.fit(mine, digits.train, epochs=2, show=False, device='cpu',\n"
        "    checkpoint=training.checkpoint_path('my-first-run'), checkpoint_seconds=1e9)\n"
        "print(len(history), training.evaluate(mine, digits.val).accuracy)"
    )
    environment = {**os.environ, "COURSE_HOME": str(tmp_path / "drive"), "OMP_NUM_THREADS": "1"}

    def session(kind: str) -> subprocess.CompletedProcess:
        return subprocess.run([sys.executable, "-c", cell, kind], env=environment, capture_output=True, text=True)

    assert session("cut off").returncode == 9
    assert (tmp_path / "drive" / "checkpoints" / "my-first-run.pt").exists()
    resumed = session("again")
    shutil.rmtree(tmp_path / "drive")
    assert resumed.stdout == session("again").stdout, resumed.stderr
    assert resumed.stdout.startswith("2 ")
