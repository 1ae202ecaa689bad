"""`python -m tests.gateway.hurried …`: the command `envelope`, whose gateway closes overdue calls after $GRACE seconds
instead of 60, and looks for them often."""

from __future__ import annotations

import os
from typing import Any

from envelope.gateway import upkeep
from envelope.gateway.books import recovery
from envelope_command import main


def hurry(grace: float) -> None:
    hurried: dict[Any, dict[str, float]] = {recovery: {"GRACE": grace}, upkeep: {"_RECOVERY": 0.2}}
    for module, constants in hurried.items():
        assert all(hasattr(module, name) for name in constants)
        vars(module).update(constants)


if __name__ == "__main__":
    hurry(float(os.environ["GRACE"]))
    main()
