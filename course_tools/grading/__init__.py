"""Release the assignment, and grade what comes back.

What a student has of it, the package ``checks``, lies beside the assignment; it is imported from there.
"""

import sys
from pathlib import Path

_ASSIGNMENT = str(Path(__file__).parents[2] / "assignments" / "cifar10")
if _ASSIGNMENT not in sys.path:
    sys.path.append(_ASSIGNMENT)
