"""A wrong answer: the reference with one edit, and the hint that it should get."""

import re
from dataclasses import dataclass

from checks.tasks import TASKS


@dataclass(frozen=True)
class Mistake:
    """``part`` is the key of the part that it should lose; ``hint`` is in the hint that the student gets."""

    part: str
    old: str
    new: str
    hint: str

    @property
    def task(self) -> int:
        """The number of the task that the part belongs to."""
        return next(task.number for task in TASKS for part in task.parts if part.key == self.part)

    def made_in(self, reference: str) -> str:
        """The reference's text with the mistake in a cell of its task.

        Raises: ValueError where there is not just one place for it.
        """
        cells = re.split(r"(?m)^(?=# %%)", reference)
        mine = [at for at, cell in enumerate(cells) if f'"task-{self.task}"' in cell.partition("\n")[0]]
        places = [at for at in mine for _ in range(cells[at].count(self.old))]
        if len(places) != 1:
            raise ValueError(f"{self.part}: {len(places)} places for {self.old!r}")
        cells[places[0]] = cells[places[0]].replace(self.old, self.new)
        return "".join(cells)


def mistakes_in(part: str, *rows: tuple[str, str, str]) -> list[Mistake]:
    """The mistakes of one part, from rows of old text, new text and hint."""
    return [Mistake(part, *row) for row in rows]
