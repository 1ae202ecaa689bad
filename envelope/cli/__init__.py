"""The command `envelope`: files, terminals and processes around the library.

Only the modules in here import click and rich, which the extra ``cli`` installs.
"""

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command; without click or rich, say in one line what installs them."""
    try:
        from envelope.cli.command import envelope
    except ModuleNotFoundError as exc:
        if (exc.name or "").partition(".")[0] not in ("click", "rich"):
            raise
        sys.exit("envelope: the command needs click and rich: pip install 'envelope-engine[cli]'")
    envelope(prog_name="envelope")
