"""The command itself: its subcommands, its version, and how it exits when interrupted."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import click

from envelope import NATIVE, __version__
from envelope.formats.common.memory import is_out_of_memory

__all__ = ["envelope"]

_EXAMPLES = """\b
Examples:
  printf '{"id": 7, "tags": []}' | envelope convert --to serialize -o page.ser
  envelope convert page.ser --to json --pretty
  envelope convert page.ser --to xml
  envelope codes --lang ru
"""


_INTERRUPTED = 130  # what shells report for SIGINT

# Each is in the module of the same name, imported on first use: converting does not need the registry.
_COMMANDS = ("call", "codes", "convert", "diff", "gateway", "inspect", "openapi", "repair", "validate")


class _Group(click.Group):
    # Both have click's signature.
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"envelope.cli.{cmd_name}"), cmd_name)
        return command

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        try:
            return super().make_context(*args, **extra)
        except KeyboardInterrupt:
            raise click.exceptions.Exit(_INTERRUPTED) from None  # click itself would exit with 1

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            ctx.exit(_INTERRUPTED)
        except MemoryError:
            pass  # raise outside the handler, so that whatever filled the memory can be freed
        except ValueError as exc:
            if not is_out_of_memory(exc):
                raise
        raise click.ClickException("not enough memory")


def _show_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:  # noqa: FBT001  # click's signature
    if not wanted or ctx.resilient_parsing:
        return
    click.echo(f"envelope-engine {__version__}, {'compiled' if NATIVE else 'pure Python'}")
    ctx.exit()


@click.group(cls=_Group, epilog=_EXAMPLES, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_show_version, help="Show the version."
)
def envelope() -> None:
    """One typed value in five formats: json, jsonu, xml, PHP serialize and PHP var_export."""
