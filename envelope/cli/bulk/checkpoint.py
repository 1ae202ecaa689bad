"""How far a run has come, in a file beside its output: enough to resume it, or to see that it was another run."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from envelope.cli.bulk.chunks import Position
from envelope.cli.common.files import open_own, replacing

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Progress", "input_identity", "read_checkpoint", "write_checkpoint"]

_HEAD = 64 * 1024


@dataclass(slots=True)
class Progress:
    """How much is done: the position in the input, and what was written up to there."""

    position: Position
    output: int = 0
    errors: int = 0
    records: int = 0
    bad: int = 0
    losses: Counter[str] = field(default_factory=Counter)
    repairs: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    layers: Counter[str] = field(default_factory=Counter)


def input_identity(name: str) -> dict[str, Any]:
    """What identifies an input: name, size, time of the last change, a hash of its head."""
    with open(name, "rb") as file:
        status = os.fstat(file.fileno())
        head = hashlib.sha256(file.read(_HEAD)).hexdigest()
    return {"name": os.path.realpath(name), "size": status.st_size, "changed": status.st_mtime_ns, "head": head}


def write_checkpoint(path: Path, run: dict[str, Any], progress: Progress) -> None:
    """Replace the checkpoint in one step. Everything it counts as written must already be on disk."""
    # Not asdict, which does not copy a Counter correctly.
    saved = {"run": run, "progress": {each.name: getattr(progress, each.name) for each in fields(progress)}}
    with replacing(str(path), 0o600) as file:
        # Not orjson: a name that is not UTF-8 contains surrogates.
        file.write(json.dumps(saved, indent=2).encode())


def read_checkpoint(path: Path, run: dict[str, Any]) -> Progress | str:
    """The saved progress of *run*, or how the checkpoint's run differs from it."""
    run = json.loads(json.dumps(run))  # as it was saved: with lists for tuples
    try:
        with open(path, "rb", opener=open_own) as file:
            saved = json.loads(file.read())
        other = sorted(key for key in saved["run"].keys() | run.keys() if saved["run"].get(key) != run.get(key))
        if other:
            return f"that run had a different {', '.join(other)}"
        progress = Progress(**saved["progress"])
        progress.position = Position(*progress.position)
        for name in ("losses", "counts", "layers"):
            setattr(progress, name, Counter(getattr(progress, name)))
    except OSError as exc:
        return str(exc.strerror)
    except (ValueError, TypeError, KeyError, AttributeError):
        return "it is damaged"
    return progress
