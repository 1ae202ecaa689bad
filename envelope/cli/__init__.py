"""The command `envelope`: files, terminals and processes around the library.

Only the modules in here import click, rich and tomli-w, which the extra ``cli`` installs.
"""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import click

__all__ = ["load", "main", "run"]


def main() -> None:
    """Run the command."""
    run(load())


def load() -> click.Command:
    """Import the command; if the packages of the extra ``cli`` are missing, say in one line what installs them."""
    for name in ("click", "rich", "tomli_w"):  # checked up front, because some are only imported when needed
        if find_spec(name) is None:
            sys.exit(f"envelope: the command needs {name}: pip install 'envelope-engine[cli]'")
    from envelope.cli.command import envelope

    return envelope


def run(command: click.Command) -> None:
    """Run *command* and exit with its status."""
    try:
        command(prog_name="envelope")
    except KeyboardInterrupt:  # while a subcommand is still being imported
        sys.exit(130)
    except OSError as exc:  # a help text that cannot be written to standard output
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the flush at exit would fail again
        sys.exit(f"envelope: cannot write standard output: {exc.strerror}")
