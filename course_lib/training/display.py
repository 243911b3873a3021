"""The live table of a training run: redrawn while it runs, and on a static page simply a table.

In a notebook one HTML output is updated in place; in a terminal each finished epoch is a line above a progress bar.
"""

import sys
import time
import warnings
from html import escape

from tqdm import tqdm

from course_lib.errors import print_anything
from course_lib.training.history import History, help_link

REDRAW_SECONDS = 0.5


class TrainingWarning(UserWarning):
    """Something went wrong in a run and did not end it."""


class Display:
    """Shows nothing and issues warnings as Python does. ``done`` counts the steps of all epochs so far."""

    def __init__(self) -> None:
        self.shown: set[str] = set()

    def step(self, history: History, done: int) -> None:
        self.warn(history)

    def epoch(self, history: History) -> None:
        self.warn(history)

    def close(self, history: History, note: str) -> None:
        """The run has ended."""

    def warn(self, history: History) -> None:
        for text in self.new_warnings(history):
            warnings.warn(text, TrainingWarning, stacklevel=5)  # warn, step or epoch, train, fit, its caller

    def new_warnings(self, history: History) -> list[str]:
        """The warnings that were not shown yet."""
        new = {symptom: text for symptom, text in history.warnings.items() if text not in self.shown}
        self.shown |= set(new.values())
        return [f"{text} See {help_link(symptom)}" for symptom, text in new.items()]


class Silent(Display):
    """Shows nothing and issues no warnings: for a process beside the one that does."""

    def warn(self, history: History) -> None:
        pass


class Terminal(Display):
    """A tqdm bar over all batches; each finished epoch prints one line above it."""

    def __init__(self, epochs: int, steps: int):
        super().__init__()
        print_anything()
        self.bar = tqdm(total=epochs * steps, unit="batch", dynamic_ncols=True)
        self.has_header = False

    def step(self, history: History, done: int) -> None:
        self.bar.update(done - self.bar.n)
        self.warn(history)

    def epoch(self, history: History) -> None:
        headings, rows = history.to_rows()
        lines = [rows[-1]] if self.has_header else [headings, rows[-1]]
        self.has_header = True
        for line in lines:
            widths = [max(len(heading), 8) for heading in headings]
            self.bar.write("  ".join(text.rjust(width) for text, width in zip(line, widths, strict=True)))
        self.warn(history)

    def close(self, history: History, note: str) -> None:
        self.bar.close()
        tqdm.write(note)

    def warn(self, history: History) -> None:
        for text in self.new_warnings(history):
            self.bar.write(text)


class Notebook(Display):
    """One HTML output, updated in place: a table of epochs, and a progress bar until the run ends."""

    def __init__(self, epochs: int, steps: int):
        from IPython.display import display

        super().__init__()
        self.total, self.steps = epochs * steps, steps
        self.drawn = 0.0
        self.handle = display(self._page(History(), self._bar(0)), display_id=True)

    def step(self, history: History, done: int) -> None:
        if time.monotonic() - self.drawn > REDRAW_SECONDS:
            self.drawn = time.monotonic()
            self.handle.update(self._page(history, self._bar(done)))

    def epoch(self, history: History) -> None:
        self.handle.update(self._page(history, self._bar(len(history) * self.steps)))

    def close(self, history: History, note: str) -> None:
        self.handle.update(self._page(history, f"<p>{escape(note)}</p>"))

    def _bar(self, done: int) -> str:
        return f'<progress value="{done}" max="{self.total}"></progress> {done} of {self.total} batches'

    def _page(self, history: History, below: str):
        from IPython.display import HTML

        headings, rows = history.to_rows() if history.epochs else ([], [])
        head = "".join(f'<th scope="col">{heading}</th>' for heading in headings)
        body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
        table = f'<table class="dataframe"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>' if rows else ""
        messages = "".join(
            f'<p class="course-warning">⚠ {escape(text)} <a href="{help_link(symptom)}">Diagnosis card</a></p>'
            for symptom, text in history.warnings.items()
        )
        return HTML(f'<div class="course-run">{table}{messages}{below}</div>')


def choose_display(show: bool, epochs: int, steps: int, is_first: bool = True) -> Display:
    """The display that fits where the code runs: notebook, terminal, or none; of several processes the first shows."""
    if not is_first:
        return Silent()
    if not show:
        return Display()
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return (Notebook if hasattr(shell, "kernel") else Terminal)(epochs, steps)
