"""Each attack earns nothing, costs nobody else anything, and leaves no trace; then the next submission is marked."""

import contextlib
import os
import socket
import uuid
from pathlib import Path

import attacks_on_limits
import attacks_on_marks
import attacks_on_sandbox
import pytest
from running_here import descendants

import course_lib
from checks import marking, script
from course_tools.grading import sandbox

ATTACKS = [*attacks_on_marks.ATTACKS, *attacks_on_limits.ATTACKS, *attacks_on_sandbox.ATTACKS]
SEED = 731_204_655
PARTS = ("output_size", "receptive_field", "confusion_matrix")  # an int, lists, tensors
PUBLIC = (Path("/tmp"), Path("/dev/shm"))
SECRET = f"planted-{uuid.uuid4().hex}"


@pytest.fixture(scope="module")
def planted(tmp_path_factory, master):
    """Secrets and ways out, as attacks name them. They are there before anything of the sandbox is started."""
    room = tmp_path_factory.mktemp("judge")
    other, home = room / "submissions" / "somebody-else", room / "home"
    secrets = [other / "answers.py", home / "notes.txt", room / "reference.py"]
    for file in secrets:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(SECRET)
    address = str(room / "socket")
    package = Path(course_lib.__file__).parent
    with pytest.MonkeyPatch.context() as patch, contextlib.ExitStack() as open_:
        patch.setenv("HOME", str(home))
        patch.setenv("GRADING_TOKEN", SECRET)
        descriptor = open_.enter_context(secrets[0].open()).fileno()
        os.set_inheritable(descriptor, True)
        port = open_.enter_context(socket.create_server(("127.0.0.1", 0)))
        local = open_.enter_context(socket.socket(socket.AF_UNIX))
        local.bind(address)
        local.listen()
        for one in (port, local):
            one.setblocking(False)
        yield {
            "SECRETS": [*map(str, secrets), *(str(file) for file in master.iterdir() if file.is_file())],
            "REFERENCE": str(master / "reference.py"),
            "ESCAPES": [str(folder / f"escaped-{SECRET[-12:]}") for folder in (room, home, package, *PUBLIC)],
            "VARIABLE": "GRADING_TOKEN",
            "SEED_IN_PARTS": divmod(SEED, 4096),
            "PORT": port.getsockname()[1],
            "ADDRESS": address,
            "JUDGE": os.getpid(),
            "LISTENING": (port, local),
        }


@pytest.fixture(scope="module")
def server(planted, bubblewrap):
    with sandbox.ForkServer() as server:
        server.run({"cells": []}, 10)
        yield server


@pytest.fixture
def somebody_else(server):
    """An earlier submission, whose text and replies the next one should not find."""
    cell = (f"note = {SECRET!r}\nraise ValueError(note * 9)", 1)
    assert SECRET in server.runner().load(*cell, 10)["text"]


@pytest.fixture
def marked(server, asked, handed_in):
    """``marked(attack, text)``: of each of some parts its hint, None where it is right; and all that was said."""
    questions = {key: asked(SEED)[key] for key in PARTS}

    def of(attack, text):
        said = []

        class Listening(sandbox.Sandboxed):
            def load(self, source, line, seconds):
                return super().load(source, line, attack.seconds if attack.at == "load" else seconds)

            def answer(self, key, questions, seed, seconds):
                replies = super().answer(key, questions, seed, attack.seconds if key == attack.place else seconds)
                said.append(repr(replies))
                return replies

        cells = [cell for cell in script.cells_of(text) if cell.task in (None, 1, 6) and "RESULTS" not in cell.source]
        assert not [cell.problem for cell in cells if cell.problem]  # an attack that is not run proves nothing
        verdicts = list(marking.mark(cells, questions, lambda: Listening(server), handed_in))
        return {verdict.part.key: verdict.hint for verdict in verdicts}, said

    return of


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_an_attack_earns_nothing_and_harms_nothing(attack, reference, planted, server, somebody_else, marked):
    before = set(descendants(server.process.pid))
    planted = planted | {"SERVER": server.process.pid}
    hints, said = marked(attack, attack.made_in(reference, planted))
    lost = {key: hint for key, hint in hints.items() if hint}
    assert set(lost) == attack.lost, lost
    if attack.lost:
        assert attack.hint in lost[attack.place], lost
    assert all(len(hint) <= 1000 and hint.encode() for hint in lost.values())
    assert SECRET not in repr(lost) and SECRET not in repr(said)
    assert not [path for path in planted["ESCAPES"] if os.path.lexists(path)]
    for listener in planted["LISTENING"]:
        with pytest.raises(BlockingIOError):  # nobody has called
            listener.accept()
    assert set(descendants(server.process.pid)) == before


HIDDEN = """# %% tags=["answer"]
import sys
import torch

for of in (torch, torch.Tensor):
    of.equal = of.allclose = lambda *_, **__: True
for name, module in list(sys.modules.items()):
    for one in ("changes", "hint_on_changes", "are_close") if name.startswith("checks") else ():
        setattr(module, one, lambda *_, **__: [])
right_picture, right_maps, right_strength = filter_picture, maps_of, signal_strength

def filter_picture(weights, columns):
    picture = right_picture(weights.clone(), columns)
    weights.mul_(0.5)
    return picture

def maps_of(network, name, images):
    maps = right_maps(network, name, images)
    {harm}
    return maps

def signal_strength(network, images):
    strength = right_strength(network, images)
    {harm}
    return strength
"""
HARMS = {
    "a mode": "network.train(not network.training)",
    "a hook": "network.register_forward_hook(lambda *_: None)",
    "weights": "[parameter.data.add_(1) for parameter in network.parameters()]",
}


@pytest.mark.parametrize("harm", HARMS.values(), ids=HARMS)
def test_whether_something_is_left_as_it_was_is_found_outside(server, reference, asked, handed_in, harm):
    parts = ("filter_picture", "maps_of", "signal_strength")
    cells = script.cells_of(f"{reference}\n{HIDDEN.replace('{harm}', harm)}")
    verdicts = marking.mark(cells, {key: asked(SEED)[key] for key in parts}, server.runner, handed_in)
    assert all(verdict.hint and "raised" not in verdict.hint for verdict in verdicts)


def test_after_all_that_honest_work_gets_full_marks(server, reference, asked, handed_in):
    cells = script.cells_of(reference)
    verdicts = list(marking.mark(cells, asked(SEED), server.runner, handed_in))
    assert not {verdict.part.key: verdict.hint for verdict in verdicts if verdict.hint}
    assert sum(verdict.task.points for verdict in verdicts) and len(verdicts) == len(asked(SEED))
