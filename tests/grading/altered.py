"""Zygotes of another kind: ones that take no time to start, and ones in which a wall is missing."""

import sys

from course_tools.grading.walls import sandboxed

COLD = "zygote._warm_up = lambda: None"  # where it comes to nothing anyway, or no answer is wanted
LUKEWARM = "zygote._warm_up = lambda: zygote.importlib.import_module('checks.worker')"  # torch, and no more


def altered(*changes):
    """A zygote of another kind: ``changes`` are Python that runs before it begins."""

    class Altered(sandboxed.Zygote):
        command = (sys.executable, "-c", code_of(*changes))

    return Altered()


def code_of(*changes):
    """The program of such a zygote."""
    imports = "from course_tools.grading.walls import linux, sandbox, seccomp, visible, zygote"
    return "\n".join([imports, *changes, "zygote.main()"])
