"""Git as nobody has set it up: what somebody's settings would change, or a variable lead elsewhere, does not happen."""

import os


def environment() -> dict[str, str]:
    """The environment in which to call git: without its own variables and without anybody's settings."""
    alone = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return alone | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, "GIT_TERMINAL_PROMPT": "0"}
