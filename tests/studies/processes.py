"""Whether a process is alive, and waiting until something has come about."""

import subprocess
import time


def alive(pid):
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True).stdout.strip()
    return bool(state) and not state.startswith("Z")


def until(condition, seconds=120):
    """Wait until ``condition()`` is true, and return it. Fails after so many seconds."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.1)
    return value
