"""Kernels that no other program can get in the way of.

Jupyter gives a kernel numbers of free TCP ports, which the kernel takes a second later. Whoever takes one in between,
another kernel or any connection, makes it die at its start. Sockets in a folder of its own cannot be taken.
"""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import zmq
from jupyter_client import AsyncKernelManager
from jupyter_core.utils import run_sync

from course_lib.errors import CourseError


@contextmanager
def private_kernel(environment: Mapping[str, str], argv: Sequence[str] = ()) -> Iterator[AsyncKernelManager]:
    """A manager whose kernel, once started, has ``environment`` on top of the own one, and is gone at the end.

    ``argv`` starts another Python than the one that runs this.

    Raises:
        CourseError: The folder for temporary files has a longer path than a socket can have.
    """
    with tempfile.TemporaryDirectory(prefix="kernel-") as folder:
        sockets = Path(folder) / "socket"  # Jupyter appends "-1" to "-5"
        if len(f"{sockets}-1") > zmq.IPC_PATH_MAX_LEN:
            raise CourseError(f"{tempfile.gettempdir()}: too long a path for a socket: set TMPDIR to a shorter one.")
        manager = AsyncKernelManager(kernel_name="python3", transport="ipc", ip=str(sockets))
        manager.kernel_spec.env |= environment
        if argv:
            manager.kernel_spec.argv = list(argv)
        try:
            yield manager
        finally:
            if manager.has_kernel:
                run_sync(manager.shutdown_kernel)(now=True)
