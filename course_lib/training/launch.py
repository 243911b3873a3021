"""Start several processes that train together on this machine: ``python -m course_lib.training.launch N SCRIPT.py …``.

It is ``torchrun --standalone``, but prints the first process's output only, and one line where a process ends early.
"""

import contextlib
import logging
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs, SignalException, Std
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from course_lib.errors import CourseError, Parser, positive
from course_lib.training.distributed import RUN_ID
from course_lib.training.setup import usable_cores


def launch(count: int, words: Sequence[str]) -> None:
    """Run ``python WORDS`` in ``count`` processes, and return when all have ended.

    They share the cores, unless ``OMP_NUM_THREADS`` says how many threads each has.

    Raises: CourseError that names the process that failed first; SystemExit where rank 0 failed so, too, and
        printed the reason, and for a signal to this process.
    """
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, usable_cores() // count)))
    with tempfile.TemporaryDirectory() as folder, _without_logging():
        config = LaunchConfig(
            min_nodes=1,
            max_nodes=1,
            nproc_per_node=count,
            run_id=RUN_ID,
            rdzv_backend="c10d",
            rdzv_endpoint="localhost:0",
            local_addr="localhost",
            max_restarts=0,
            monitor_interval=1.0,  # so that rank 0, where all fail alike, has printed why before it is ended
            logs_specs=DefaultLogsSpecs(folder, redirects=dict.fromkeys(range(1, count), Std.ALL)),
        )
        try:
            elastic_launch(config, sys.executable)(*words)
        except SignalException as stopped:
            raise SystemExit(128 + stopped.sigval) from stopped
        except ChildFailedError as error:
            (rank, failure), shown = error.get_first_failure(), error.failures.get(0)
            if failure.exitcode > 0 and shown is not None and shown.exitcode > 0:
                raise SystemExit(shown.exitcode) from error
            if failure.exitcode > 0:
                last = _last_error_line(Path(folder), rank)
                raise CourseError(
                    f"Rank {rank} of {count} processes ended with status {failure.exitcode}: {last}"
                ) from error
            raise CourseError(
                f"Rank {rank} of {count} processes was killed (signal {-failure.exitcode}), perhaps out of memory, and "
                "the others were ended: run the same command again, and training goes on from its checkpoint."
            ) from error


@contextlib.contextmanager
def _without_logging() -> Iterator[None]:
    """Torch's launcher reports an ended process in 40 lines."""
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


def _last_error_line(folder: Path, rank: int) -> str:
    """What a process printed last on standard error, without torch's and our own beginning of such a line."""
    text = "".join(log.read_text(encoding="utf-8", errors="replace") for log in folder.glob(f"*/*/{rank}/stderr.log"))
    last = text.strip().rpartition("\n")[2].removeprefix(f"[rank{rank}]: ").removeprefix("course: ")
    return last or "it printed no reason"


def main(arguments: Sequence[str] | None = None) -> int:
    """Launch what the command line says. Returns the exit status."""
    summary = "Run a script in several processes that train together."
    parser = Parser(prog="python -m course_lib.training.launch", description=summary)
    parser.add_argument("count", type=positive(int), metavar="N", help="how many processes")
    parser.add_argument("words", nargs="...", metavar="SCRIPT", help="a script or -m MODULE, and its arguments")
    options = parser.parse_args(arguments)
    try:
        launch(options.count, options.words)
    except CourseError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
