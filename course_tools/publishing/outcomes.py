"""How chapters' runs ended, in words for the terminal."""

from dataclasses import dataclass
from pathlib import Path

from course_lib.errors import CourseError


@dataclass(frozen=True)
class Outcome:
    """How one chapter's run ended.

    ``problem`` is one line and ``details`` the failing cell with its traceback; both are empty on success. ``skipped``
    says that an earlier run was still fresh.
    """

    chapter: str
    seconds: float = 0.0
    problem: str = ""
    details: str = ""
    skipped: bool = False

    @property
    def ok(self) -> bool:
        return not self.problem

    @property
    def result(self) -> str:
        return self.problem or ("fresh, not run again" if self.skipped else "ok")


def summary(outcomes: list[Outcome], profile: str, folder: Path) -> str:
    """A table of how the chapters ran, then the failing cell of each that did not."""
    width = max((len(outcome.chapter) for outcome in outcomes), default=7)
    lines = [f"{'chapter':<{width}}  {'profile':<7}  {'seconds':>7}  result"]
    for one in outcomes:
        lines.append(f"{one.chapter:<{width}}  {profile:<7}  {one.seconds:>7.1f}  {one.result}")
    for one in outcomes:
        if one.details:
            lines += ["", f"--- {one.chapter}: the failing cell and its traceback ---", one.details]
    done = sum(one.ok for one in outcomes)
    lines.append(f"\n{done} of {len(outcomes)} chapters are done; their notebooks are in {folder}.")
    return "\n".join(lines)


def check(outcomes: list[Outcome]) -> None:
    """Raise CourseError where a chapter failed."""
    failed = [one.chapter for one in outcomes if not one.ok]
    if failed:
        raise CourseError(f"{', '.join(failed)} failed: mend the cell shown above and run `course run {failed[0]}`.")
