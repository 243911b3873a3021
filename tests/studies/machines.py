"""A Dask cluster on this machine: the scheduler in this process, and workers with a checkout each."""

import os
import subprocess
import sys
from pathlib import Path

from distributed import LocalCluster
from processes import until

ROOT = Path(__file__).parents[2]


class Machines:
    """``address`` is the scheduler's, ``workers`` are the processes that :meth:`start` started."""

    def __init__(self, new_checkout):
        self.new_checkout, self.workers = new_checkout, []
        self.dask = LocalCluster(n_workers=0, host="127.0.0.1", dashboard_address=":0", silence_logs="CRITICAL")
        self.address = self.dask.scheduler_address

    def start(self, library: Path = ROOT) -> subprocess.Popen:
        """One more worker, whose output goes to a file ``log`` in its checkout, ``home``."""
        home = self.new_checkout("worker").root
        path = os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH"), str(ROOT)]))
        command = [sys.executable, "-m", "distributed.cli.dask_worker", self.address, "--nthreads", "1"]
        with (home / "log").open("w") as log:
            process = subprocess.Popen(
                [*command, "--no-nanny", "--no-dashboard", "--local-directory", str(home / "scratch")],
                cwd=home,
                env=os.environ | {"PYTHONPATH": f"{library}{os.pathsep}{path}", "OMP_NUM_THREADS": "1"},
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        process.home = home
        self.workers.append(process)
        return process

    def wait_for(self, count: int) -> None:
        """Wait until the scheduler has so many workers."""
        until(lambda: len(self.dask.scheduler.workers) == count)

    def end(self) -> None:
        """End the workers, those included that were stopped, then the scheduler."""
        for process in self.workers:
            process.kill()
            process.wait()
        self.dask.close()
