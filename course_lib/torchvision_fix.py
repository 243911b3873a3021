"""Import torchvision, also where its compiled operators do not fit the installed torch.

The torchvision wheel on the package index is compiled for the CUDA build of torch. Beside a CPU-only torch its compiled
operators do not load, and the import stops with ``operator torchvision::nms does not exist``: a Python module describes
operators for detectors that are not registered. This course uses none of them. So on exactly that error the
half-imported modules are removed, the missing operator is declared without a body, and torchvision is imported again.
Where the first import succeeds, nothing changes.
"""

import re
import sys
from types import ModuleType

import torch

_MISSING_OPERATOR = re.compile(r"operator (torchvision::\w+) does not exist")
_SIGNATURE = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
_AT_MOST = 8  # two operators are missing today (nms and qnms); the bound ends the loop if that ever changes


def import_torchvision() -> ModuleType:
    """Import torchvision and return it, declaring operators that its compiled half failed to register.

    Returns: the ``torchvision`` module; later ``import torchvision`` statements find the same one.
    Raises: whatever the import raises, when it is any other error.
    """
    for _ in range(_AT_MOST):
        try:
            import torchvision

            return torchvision
        except RuntimeError as error:
            missing = _MISSING_OPERATOR.fullmatch(str(error).strip())
            if missing is None:
                raise
            for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
                del sys.modules[name]
            torch.library.define(missing[1], _SIGNATURE)
    raise ImportError("torchvision does not import beside this torch: install versions that belong together")
