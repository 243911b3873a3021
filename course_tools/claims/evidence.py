"""The evidence for a fact: what its function returns, with what it came from."""

import contextlib
import io
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import torch

from course_lib.errors import CourseError
from course_tools.claims.ledger import Fact
from course_tools.publishing.project import Project

UNDECIDED = "undecided"  # the value of an order that its runs do not settle
project_of_claims: ContextVar[Project] = ContextVar("project")


class NoEvidence(CourseError):
    """Nothing was recorded yet that could prove a fact."""


@dataclass(frozen=True)
class Evidence:
    """A number, with its ``spread`` over ``count`` runs, or whether a statement holds.

    Args:
        value: a number, a text, or True and False.
        spread: standard deviation over the runs; of a difference, half the width of its 95 % t interval.
        kind: ``mean``, ``setting``, ``difference``, ``order``, ``level``, ``figures``, ``run``, ``printed`` or
            ``calculation``.
        profiles: of the runs; empty where none was needed.
        devices: that ran them.
        printed: what a calculation printed, or the means that an order compares.
        note: where the evidence is to be seen.
        measure: of the records that a mean or a difference was computed from, such as ``accuracy``.
        runs: those records.
    """

    value: float | str | bool
    spread: float | None = None
    count: int = 0
    kind: str = "calculation"
    profiles: frozenset[str] = frozenset()
    devices: str = ""
    printed: str = ""
    note: str = ""
    measure: str = ""
    runs: tuple[dict, ...] = field(default=(), repr=False)

    @property
    def numbers(self) -> tuple[float, ...]:
        """Value and spread, as a literal takes them."""
        return (self.value,) if self.spread is None else (self.value, self.spread)


@cache
def look_up(project: Project, fact: Fact) -> Evidence | None:
    """The evidence for a fact; None where it has words or papers only.

    Raises: NoEvidence where nothing was recorded; CourseError, with Python's own words, for a claim that fails.
    """
    printed = io.StringIO()
    token = project_of_claims.set(project)
    try:
        with torch.device(fact.device), contextlib.redirect_stdout(printed):
            value = fact.evidence()
            value = value.item() if isinstance(value, torch.Tensor | np.generic) else value
    except CourseError as error:
        raise type(error)(f"{fact.title}: {error}") from error
    except Exception as error:
        raise CourseError(f"{fact.title}: its calculation raised {type(error).__name__}: {error}") from error
    finally:
        project_of_claims.reset(token)
    if isinstance(value, Evidence):
        return value
    if value is None and (fact.cite or fact.ours or fact.verdict in ("explained", "awaiting")):
        return None
    if not isinstance(value, bool | int | float | str):
        raise CourseError(f"{fact.title}: it returns a {type(value).__name__}, it has to be a number or a word.")
    return Evidence(value, printed=printed.getvalue())
