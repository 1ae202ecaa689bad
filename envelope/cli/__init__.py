"""The command `envelope`: files, terminals and processes around the library.

Only the modules in here import click, rich and tomli-w, which the extra ``cli`` installs.
"""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from click import Command

__all__ = ["load", "main", "run"]


def main() -> None:
    """Run the command."""
    run(load())


def load() -> Command:
    """Import the command, and the subcommand that is asked for.

    If the packages of the extra ``cli`` are missing, say in one line what installs them.
    """
    for name in ("click", "rich", "tomli_w"):  # checked up front, because some are only imported when needed
        if find_spec(name) is None:
            sys.exit(f"envelope: the command needs {name}: pip install 'envelope-engine[cli]'")
    import click

    from envelope.cli.command import envelope

    for name in sys.argv[1:2]:  # what Ctrl-C raises amid an import may be lost
        envelope.get_command(click.Context(envelope), name)
    return envelope


def run(command: Command) -> None:
    """Run *command* and exit with its status."""
    try:
        command(prog_name="envelope")
    except KeyboardInterrupt:  # while a subcommand is still being imported
        sys.exit(130)
    except OSError as exc:  # a help text that cannot be written to standard output
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the flush at exit would fail again
        sys.exit(f"envelope: cannot write standard output: {exc.strerror}")
