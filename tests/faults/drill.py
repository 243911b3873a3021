"""Kill a command at a seeded moment, run it again, and compare what is left with an undisturbed run.

``python tests/faults/drill.py 1000`` runs a thousand drills, and ``--write`` keeps what came out. One drill again:
``python tests/faults/drill.py --step publish --seed 17``.

This process imports everything once. Each command runs in a fork of it, and dies by SIGKILL in one of three ways: at
the n-th call that writes, at the n-th call of all, or after a share of its time. The first two are the same moment
whenever the seed is the same.
"""

import argparse
import contextlib
import importlib
import json
import math
import mmap
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

OUTCOME = Path(__file__).parents[2] / "results" / "fault-drill.json"
WAYS = ("write", "call", "clock")
_WRITERS = {"open", "rename", "replace", "unlink", "remove", "mkdir", "rmdir", "fsync", "write", "flush", "close"}
_WRITERS |= {"__exit__", "utime", "chmod", "sendfile", "truncate"}


@dataclass(frozen=True)
class Drill:
    """One drill: how often its command was killed (a kill may come too late), and what was wrong then, if anything."""

    step: str
    seed: int
    way: str
    kills: int
    problem: str = ""

    @property
    def command(self) -> str:
        """What runs this drill again."""
        return f"python tests/faults/drill.py --step {self.step} --seed {self.seed}"


@dataclass(frozen=True)
class Undisturbed:
    """How a command runs that nobody kills: the files before and after it, its calls, and its seconds."""

    before: dict[str, object]
    after: dict[str, object]
    moments: dict[str, int]
    seconds: float


class Stage:
    """Where steps are played, always in the same folder, so that paths in files are the same."""

    def __init__(self, steps: dict[str, object], folder: Path):
        self.steps, self.folder, self.here = steps, folder, folder / "here"
        self._undisturbed: dict[str, Undisturbed] = {}

    def undisturbed(self, name: str) -> Undisturbed:
        """The command without a kill, once to warm up and once to count its calls."""
        if name not in self._undisturbed:
            step = self.steps[name]
            shutil.rmtree(self.here, ignore_errors=True)
            self.here.mkdir()
            _in_fork(lambda: step.prepare(self.here))
            shutil.rmtree(self.folder / name, ignore_errors=True)
            self.here.rename(self.folder / name)
            self._reset(name)
            before = step.files(self.here)
            _in_fork(lambda: self._act_and_list_imports(step))
            for module in (self.folder / "imported").read_text().split():  # here, so that no later fork has to
                with contextlib.suppress(Exception):
                    importlib.import_module(module)
            self._reset(name)
            began, moments = time.monotonic(), _Moments()
            _in_fork(lambda: moments.watch(lambda: step.act(self.here)))
            seconds = time.monotonic() - began
            self._undisturbed[name] = Undisturbed(before, step.files(self.here), moments.counts(), seconds)
        return self._undisturbed[name]

    def _act_and_list_imports(self, step) -> None:
        step.act(self.here)
        (self.folder / "imported").write_text(" ".join(set(sys.modules) - {"__main__"}))

    def _reset(self, name: str) -> None:
        shutil.rmtree(self.here, ignore_errors=True)
        shutil.copytree(self.folder / name, self.here)

    def play(self, name: str, seed: int) -> Drill:
        """One drill."""
        step, whole = self.steps[name], self.undisturbed(name)
        draw = random.Random(f"{name} {seed}")
        way, killed, problem = draw.choice(WAYS), 0, ""
        self._reset(name)
        for _ in range(draw.choice((1, 1, 2))):
            killed += _killed(lambda: step.act(self.here), way, draw.random(), whole)
            now = step.files(self.here)
            half = [file for file in now if step.is_whole(file) and now[file] not in _both(whole, file)]
            lost = [file for file in whole.before if step.is_whole(file) and file not in now]
            if half or lost:
                problem = f"after the kill, half-written: {half}, lost: {lost}"
        try:
            _in_fork(lambda: step.act(self.here))
        except RuntimeError as error:
            problem = problem or f"the command does not run again: {error}"
        problem = problem or _difference(step.files(self.here), whole.after)
        return Drill(name, seed, way, killed, problem)


def _both(whole: Undisturbed, file: str) -> tuple[object, object]:
    return whole.before.get(file), whole.after.get(file)


def _difference(now: dict[str, object], expected: dict[str, object]) -> str:
    """The first files that are missing, left over or different, in words."""
    parts = {
        "missing": sorted(expected.keys() - now.keys()),
        "left over": sorted(now.keys() - expected.keys()),
        "different": sorted(file for file in now.keys() & expected.keys() if now[file] != expected[file]),
    }
    words = [f"{what}: {', '.join(files[:4])}" for what, files in parts.items() if files]
    for file in parts["different"][:1]:
        texts = str(now[file]), str(expected[file])
        place = next((place for place, (a, b) in enumerate(zip(*texts, strict=False)) if a != b), 0)
        words.append(" instead of ".join(repr(text[max(0, place - 20) : place + 40]) for text in texts))
    return "; ".join(words)


class _Moments:
    """Counts a command's calls in memory that its forks share, and kills the process that makes the chosen one."""

    def __init__(self, way: str = "clock", number: int = 0):
        self.way, self.number = WAYS.index(way), number
        self.shared = memoryview(mmap.mmap(-1, 16)).cast("q")

    def counts(self) -> dict[str, int]:
        return dict(zip(WAYS, self.shared, strict=False))

    def watch(self, act) -> None:
        sys.setprofile(self._count)
        try:
            act()
        finally:
            sys.setprofile(None)

    def _count(self, frame, event, called):
        kinds = (1, 0) if event in ("c_call", "c_return") and called.__name__ in _WRITERS else (1,)
        for kind in kinds:
            self.shared[kind] += 1
            if kind == self.way and self.shared[kind] == self.number:
                os.kill(os.getpid(), signal.SIGKILL)


def _killed(act, way: str, share: float, whole: Undisturbed) -> bool:
    """Run ``act`` in a fork that is killed after this share of it. Returns whether it was killed before its end."""
    moments = _Moments(way, 1 + int(share * whole.moments.get(way, 0)))
    child, report = _fork(lambda: moments.watch(act))
    if way == "clock":
        time.sleep(share * whole.seconds)
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    return _ended(child, report)[0] == -signal.SIGKILL


def _in_fork(act) -> None:
    """Run ``act`` in a fork. Raises RuntimeError where it does."""
    status, said = _ended(*_fork(act))
    if status != 0:
        raise RuntimeError(f"status {status}: {said[-1500:]}")


def _fork(act) -> tuple[int, int]:
    report, end = os.pipe()
    child = os.fork()
    if child:
        os.close(end)
        return child, report
    status = 1
    try:
        os.close(report)
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nothing, stream)
        act()
        status = 0
    except BaseException:
        os.write(end, traceback.format_exc()[-4000:].encode())
    os._exit(status)


def _ended(child: int, report: int) -> tuple[int, str]:
    """Wait for a fork and for all that it started: they hold the other end of the report."""
    with open(report, encoding="utf-8", errors="replace") as pipe:
        said = pipe.read()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), said


def play(count: int, seed: int = 0, names: list[str] | None = None, minutes: float = math.inf) -> list[Drill]:
    """So many drills, with the steps in turn and one seed after the other; fewer where the time is over."""
    from steps import steps

    drills, end = [], time.monotonic() + 60 * minutes
    with tempfile.TemporaryDirectory() as folder, steps(Path(folder)) as known:
        stage, names = Stage(known, Path(folder)), names or list(known)
        for number in range(count):
            if time.monotonic() > end:
                break
            drills.append(stage.play(names[number % len(names)], seed + number))
            if drills[-1].problem:
                print(f"{drills[-1].problem}\n  again: {drills[-1].command}", flush=True)
    return drills


def outcome(drills: list[Drill], seconds: float) -> dict:
    """What is kept of a recorded drill."""
    of = {name: [drill for drill in drills if drill.step == name] for name in dict.fromkeys(d.step for d in drills)}
    return {
        "drills": len(drills),
        "first_seed": drills[0].seed,
        "seconds": round(seconds),
        "ways": dict(sorted(Counter(drill.way for drill in drills).items())),
        "steps": {
            name: {
                "drills": len(own),
                "kills": sum(drill.kills for drill in own),
                "recovered": sum(not drill.problem for drill in own),
                "lost": sum(bool(drill.problem) for drill in own),
            }
            for name, own in of.items()
        },
        "failed": [asdict(drill) for drill in drills if drill.problem],
    }


if __name__ == "__main__":
    options = argparse.ArgumentParser(description="Kill commands at seeded moments, and see what they leave.")
    options.add_argument("drills", nargs="?", type=int, default=1)
    options.add_argument("--seed", type=int, default=0, help="of the first drill; each other one has the next")
    options.add_argument("--step", action="append", help="this step alone")
    options.add_argument("--minutes", type=float, default=math.inf, help="begin no drill after so many")
    options.add_argument("--write", action="store_true", help=f"keep the outcome in {OUTCOME.name}")
    options = options.parse_args()
    root = Path(__file__).parents[2]
    sys.path[:0] = [str(root), str(root / "assignments" / "cifar10")]
    began = time.monotonic()
    result = outcome(play(options.drills, options.seed, options.step, options.minutes), time.monotonic() - began)
    text = json.dumps(result, indent=1) + "\n"
    print(text)
    if options.write:
        OUTCOME.write_text(text, encoding="utf-8")
    sys.exit(bool(result["failed"]))
