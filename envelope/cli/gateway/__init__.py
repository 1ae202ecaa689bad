"""`envelope gateway`: a gateway, and its books, for its operator."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import click

from envelope.adapters.extras import extra

__all__ = ["gateway"]

_EXAMPLES = """\b
Start with:
  envelope gateway serve --demo

\b
Examples:
  envelope gateway account add alice
  envelope gateway grant alice custom --quota 10000
  envelope gateway deposit alice 25
  envelope gateway calls --account alice --code 4017
"""

# Each is in the module of the same name, imported on first use.
_COMMANDS = (
    "account", "audit", "backup", "calls", "deposit", "export", "grant", "move", "refund", "rotate", "serve",
    "switch",
)  # fmt: skip


class _Group(click.Group):
    # Both have click's signature.
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"envelope.cli.gateway.{cmd_name}"), cmd_name)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Help is shown whatever is installed: commands import what the extra installs once they run."""
        try:
            with extra("gateway"):
                return super().invoke(ctx)
        except ModuleNotFoundError as error:
            raise click.ClickException(str(error)) from None


@click.group(cls=_Group, epilog=_EXAMPLES)
def gateway() -> None:
    """Serve a gateway, and look after its accounts, what they paid and what they called.

    Amounts are typed and shown in units, with up to six decimals; --json has them in millionths.
    """
