"""The papermill engine of the course: a time limit and an output limit for a chapter as a whole."""

import ast
import asyncio
import json
import os
import time
from collections.abc import Callable

from jupyter_core.utils import ensure_async
from nbformat import NotebookNode
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, papermill_engines
from traitlets import Any, Float, Int

from course_tools.publishing import environment
from course_tools.publishing.computation import DRAWN

ENGINE = "course"
OUTPUT_LIMIT = 20_000_000  # bytes a run may print; what is published is held to a much tighter limit


class OutputLimitError(RuntimeError):
    """A chapter printed more than its share."""


class TimeLimitError(RuntimeError):
    """A chapter took longer than its share."""


class LimitedClient(PapermillNotebookClient):
    """Runs a notebook's cells until the chapter's deadline, and stops a kernel that prints without end."""

    deadline = Float(float("inf"))
    output_limit = Int(OUTPUT_LIMIT)
    on_cell = Any(None, allow_none=True)
    on_start = Any(None, allow_none=True)

    def __init__(self, nb_man, **options):
        super().__init__(nb_man, **options)
        self.timeout_func = lambda _cell: max(1, round(self.deadline - time.monotonic()))
        self.shutdown_kernel = "immediate"
        self.printed = 0

    def execute_cell(self, cell: NotebookNode, cell_index: int, **options) -> NotebookNode:
        if cell_index == 0 and self.on_start is not None:
            self.on_start(self.km)
        try:
            if DRAWN in cell.metadata.get("tags", []):  # shows records, and the site draws that: see drawing.py
                return cell
            return super().execute_cell(cell, cell_index, **options)
        finally:
            if self.on_cell is not None:
                self.on_cell()

    def papermill_execute_cells(self) -> None:
        super().papermill_execute_cells()
        self.nb.metadata.setdefault("course", {})["run"] = self.environment_report()

    def environment_report(self) -> dict:
        """Ask the kernel what it ran on; an empty answer if it cannot say."""
        self.timeout_func = lambda _cell: 60
        message = self.kc.execute("", silent=True, user_expressions={"report": environment.QUESTION})
        reply = self.wait_for_reply(message) or {}
        answer = reply.get("content", {}).get("user_expressions", {}).get("report", {})
        return json.loads(ast.literal_eval(answer["data"]["text/plain"])) if answer.get("status") == "ok" else {}

    def process_message(self, message: dict, cell: NotebookNode, cell_index: int) -> NotebookNode | None:
        content = message["content"]
        self.printed += len(content.get("text", "")) + sum(len(str(part)) for part in content.get("data", {}).values())
        if self.printed <= self.output_limit:
            return super().process_message(message, cell, cell_index)
        if self.printed != float("inf"):
            self.printed = float("inf")  # say so once; the dead kernel ends the cell
            cell.outputs = cell.outputs[:1]
            asyncio.ensure_future(ensure_async(self.km.shutdown_kernel(now=True)))  # noqa: RUF006
        return None


class CourseEngine(NBClientEngine):
    """Papermill's usual engine with :class:`LimitedClient` in place of its own client."""

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man,
        kernel_name: str,
        *,
        time_limit: float,
        folder: str,
        environment: dict[str, str],
        on_cell: Callable[[], None] | None = None,
        on_start: Callable | None = None,
        start_timeout: int = 60,
        **_options,
    ) -> None:
        """Run the notebook in ``folder``, with ``environment`` added to the kernel's own.

        Raises: TimeLimitError and OutputLimitError, besides nbclient's own errors.
        """
        began = time.monotonic()
        client = LimitedClient(
            nb_man,
            kernel_name=kernel_name,
            startup_timeout=start_timeout,
            deadline=began + time_limit,
            output_limit=OUTPUT_LIMIT,
            resources={"metadata": {"path": folder}},
            extra_arguments=["--IPKernelApp.log_level=40"],  # errors only: its chatter would tear the progress bar
            on_cell=on_cell,
            on_start=on_start,
        )
        try:
            client.execute(env={**os.environ, **environment})
        except Exception as error:
            if client.printed == float("inf"):
                raise OutputLimitError(f"it printed more than {OUTPUT_LIMIT / 1e6:,.1f} MB") from error
            if time.monotonic() - began >= time_limit - 1:
                raise TimeLimitError(f"it was not done after {time_limit:,.0f} s") from error
            raise


papermill_engines.register(ENGINE, CourseEngine)
