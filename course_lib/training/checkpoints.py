"""Save a run so that it can continue exactly where it was, whatever killed it and whenever."""

import functools
import hashlib
import io
import os
import pickle
import time
import types
import zipfile
from pathlib import Path
from typing import Any

import torch

from course_lib import storage
from course_lib.data import Split
from course_lib.errors import CourseError
from course_lib.training.run import Run

_MARK, _DIGEST = b"course checkpoint 2\n", 32  # then the SHA-256 of the rest
_DAMAGED = (RuntimeError, pickle.UnpicklingError, EOFError, zipfile.BadZipFile, ValueError, KeyError)

_KINDS = {  # of files, by how they begin
    b"version https://git-lfs": "a pointer of Git LFS, in whose place `git lfs pull` puts the file",
    b"PK": "a zip file, as torch.save writes it (load weights into the network: model.load_state_dict)",
    b"\x80": "a pickle",
    b"<": "a page of HTML, as a server sends it for an error",
}


def checkpoint_path(name: str) -> Path:
    """The default place of a checkpoint: ``checkpoints/NAME.pt`` under ``COURSE_HOME`` or the user's cache."""
    return storage.home() / "checkpoints" / f"{name}.pt"


class Checkpoint:
    """The checkpoint file of a run. Made before the first step, it restores the run from the file, if there is one.

    Args:
        path: the file.
        seconds: how often :meth:`save_if_due` saves.
        run: the run, not yet trained.
        train: its training images. Their digest, that of the first weights and the recipe identify the run.

    Raises: CourseError as :func:`load_checkpoint` and :func:`save_checkpoint`.
    """

    def __init__(self, path: Path | str, seconds: float, run: Run, train: Split):
        self.path, self.seconds, self.run = storage.user_path(path), seconds, run
        recipe = run.recipe
        functions = {name: getattr(recipe, name) for name in ("optimizer", "schedule", "loss", "augment")}
        self.fingerprint = run.history.recipe | {
            "training images": digest_of_split(train),
            "first weights": digest_of_weights(run.model),
            "trained weights": [name for name, weight in run.model.named_parameters() if weight.requires_grad],
            "micro_batch": recipe.micro_batch,
            **{f"{name}'s settings": identity_of(function) for name, function in functions.items()},
        }
        self.processes = run.setup.processes
        state = self.processes.from_first(self._load)
        if state is not None:
            run.restore(state)
        self.saved_at = time.monotonic()

    def _load(self) -> dict[str, Any] | None:
        device = self.run.setup.device if self.processes.count == 1 else torch.device("cpu")  # others have another GPU
        with storage.writable_folder(self.path.parent):  # now, and not after an epoch of work
            return load_checkpoint(self.path, self.fingerprint, device)

    def save_if_due(self) -> None:
        if time.monotonic() - self.saved_at >= self.seconds:
            self.save()

    def save(self) -> None:
        if self.processes.is_first:
            save_checkpoint(self.path, {"fingerprint": self.fingerprint, **self.run.state()})
        self.saved_at = time.monotonic()


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write ``state`` to ``path``: flushed to disk beside it, then renamed, so that ``path`` is a whole file always.

    Raises: CourseError where the folder cannot be written.
    """
    content = io.BytesIO()
    torch.save(state, content)
    whole = content.getbuffer()
    with storage.writable_folder(path.parent), storage.atomic_file(path) as scratch, scratch.open("wb") as file:
        file.write(_MARK + hashlib.sha256(whole).digest())
        file.write(whole)
        file.flush()
        os.fsync(file.fileno())


def load_checkpoint(path: Path, fingerprint: dict[str, Any], device: torch.device) -> dict[str, Any] | None:
    """Read the checkpoint of the run that ``fingerprint`` identifies.

    Returns: the saved state, or None where there is no file yet.
    Raises: CourseError where the file cannot be read, is damaged, is no checkpoint, or belongs to a run with another
        recipe, data or first weights. The file stays: it may be the only copy of something.
    """
    for leftover in path.parent.glob(f".{path.name}.*.part"):
        leftover.unlink(missing_ok=True)  # half a checkpoint, from a run that was killed while it wrote
    try:
        with path.open("rb") as file:
            mark = file.read(len(_MARK))
            content = file.read() if mark == _MARK else b""
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CourseError(f"{path} cannot be read ({error.strerror}): give the checkpoint another path.") from error
    if mark != _MARK:
        raise CourseError(
            f"{path} is no checkpoint of fit but {kind_of(mark)}, or a checkpoint of an older version: give "
            "the checkpoint another path, or move the file away."
        )
    digest, whole = content[:_DIGEST], content[_DIGEST:]
    try:
        if hashlib.sha256(whole).digest() != digest:
            raise ValueError("its checksum is another")
        state = torch.load(io.BytesIO(whole), map_location=device, weights_only=True)
    except _DAMAGED as error:
        raise CourseError(f"The checkpoint {path} is damaged: move it away and start again.") from error
    changed = [key for key, value in fingerprint.items() if state["fingerprint"].get(key) != value]
    changed = [key for key in changed if key.removesuffix("'s settings") == key or key.split("'")[0] not in changed]
    if changed:
        raise CourseError(
            f"The checkpoint {path} belongs to another run (different {', '.join(changed)}): "
            "give this run a path of its own, or move the file away."
        )
    return state


def kind_of(content: bytes) -> str:
    """What a file is by its first bytes, in words, for a message about one that is not what it should be."""
    if not content:
        return "an empty file"
    return next((kind for start, kind in _KINDS.items() if content.lstrip().startswith(start)), "another file")


def identity_of(value: Any) -> str:
    """What decides the results of a function, loss or augmentation, in words: code, settings and tensors, all inside.

    Raises: CourseError for what cannot be described so, such as an open file.
    """
    if value is None or isinstance(value, bool | int | float | complex | str | bytes):
        return repr(value)
    if isinstance(value, torch.dtype | torch.device | torch.Size):
        return str(value)
    if isinstance(value, torch.Tensor):
        numbers = value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy()
        return f"{value.dtype} {tuple(value.shape)} {hashlib.sha256(numbers).hexdigest()}"
    if isinstance(value, list | tuple | set | frozenset):
        parts = [identity_of(one) for one in value]
        return f"{type(value).__name__}({', '.join(sorted(parts) if isinstance(value, set | frozenset) else parts)})"
    if isinstance(value, dict):
        return f"dict({', '.join(f'{identity_of(key)}: {identity_of(one)}' for key, one in value.items())})"
    if isinstance(value, functools.partial):
        return f"partial({identity_of(value.func)}, {identity_of(value.args)}, {identity_of(value.keywords)})"
    if isinstance(value, types.MethodType):
        return f"{identity_of(value.__func__)} of {identity_of(value.__self__)}"
    if isinstance(value, types.FunctionType):
        inside = [cell.cell_contents for cell in value.__closure__ or ()]
        defaults = [value.__defaults__, value.__kwdefaults__, inside]
        return f"{value.__module__}.{value.__qualname__} {_code(value.__code__)} {identity_of(defaults)}"
    if isinstance(value, type | types.BuiltinFunctionType | types.ModuleType):
        return f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', value.__name__)}"
    if hasattr(value, "__dict__") and not isinstance(value, io.IOBase):
        return f"{identity_of(type(value))} {identity_of(vars(value))}"
    raise CourseError(
        f"A checkpoint cannot tell one {type(value).__name__} from another: use a function, a functools.partial or an "
        "object whose attributes are numbers, texts and tensors, or train without a checkpoint."
    )


def _code(code: types.CodeType) -> str:
    inner = [_code(one) if isinstance(one, types.CodeType) else repr(one) for one in code.co_consts]
    return hashlib.sha256(repr((code.co_code, code.co_names, inner)).encode()).hexdigest()[:16]


def digest_of_weights(model: torch.nn.Module) -> str:
    """SHA-256 over every parameter and buffer with its name."""
    total = hashlib.sha256()
    for name, tensor in model.state_dict().items():
        total.update(name.encode())
        total.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    return total.hexdigest()


def digest_of_split(split: Split) -> str:
    """SHA-256 over a split's images and labels."""
    total = hashlib.sha256(split.images.cpu().contiguous().numpy())
    total.update(split.labels.cpu().contiguous().numpy())
    return total.hexdigest()
