"""An attack: the reference with hostile code in it, and which parts that costs."""

import textwrap
from dataclasses import dataclass

_CELL = '# %% tags=["answer", "task-{}"]\n'
_PLACES = {  # where the code goes, and what is called when it runs
    "output_size": (1, "def output_size(size, layers):"),
    "receptive_field": (1, "def receptive_field(layers):"),
    "confusion_matrix": (6, "def confusion_matrix(logits, labels, num_classes):"),
}
_BEFORE = """
import ctypes, json, os, sys, threading, time
import numpy as np
import torch

right = {name}
libc = ctypes.CDLL(None, use_errno=True)


def tried(*acts):
    done = []
    for i, act in enumerate(acts):
        try:
            done.append((i, act()))
        except BaseException:
            pass
    return done


def call(name, *arguments):
    if getattr(libc, name)(*arguments) == -1:
        raise OSError(ctypes.get_errno())


def bytes_of(content):
    return sys.modules["checks.messages"].pack(content)


{head}
"""
_RIGHT = "\nreturn right(size, layers)"


@dataclass(frozen=True)
class Attack:
    """``code`` is the body of the function ``place``, or what its cell begins with where ``at`` is "load".

    ``loses`` are the keys of the parts that earn nothing, and ``hint`` is what the first of them is told. The answer,
    or the cell, may take ``seconds``. In the code, ``@NAME@`` stands for something that the test has planted.
    """

    name: str
    code: str
    hint: str = ""
    place: str = "output_size"
    at: str = "call"
    loses: tuple[str, ...] | None = None
    seconds: float = 10

    @property
    def lost(self) -> set[str]:
        return {self.place} if self.loses is None else set(self.loses)

    def made_in(self, reference: str, planted: dict[str, object]) -> str:
        """The reference's text with the attack in it."""
        code = textwrap.dedent(self.code).strip()
        for name, value in planted.items():
            code = code.replace(f"@{name}@", repr(value))
        task, head = _PLACES[self.place]
        cell = _CELL.format(task)
        if self.at == "load":
            assert reference.count(cell) >= 1
            return reference.replace(cell, f"{cell}{code}\n\n", 1)
        added = _CELL.format(task) + _BEFORE.format(name=self.place, head=head) + textwrap.indent(code, "    ")
        return f"{reference}\n{added}\n"


def earns_nothing(*rows: tuple[str, str, str], **same) -> list[Attack]:
    """Attacks from rows of name, code, and what the hint says."""
    return [Attack(name, code, hint, **same) for name, code, hint in rows]


def harms_nothing(*rows: tuple[str, str]) -> list[Attack]:
    """Attacks beside a right answer, from rows of name and code."""
    return [Attack(name, textwrap.dedent(code).strip() + _RIGHT, loses=()) for name, code in rows]
