"""`envelope gateway backup`: the books, saved in a file while the gateway runs."""

from __future__ import annotations

from pathlib import Path

import click

from envelope.cli.common.options import registry_option
from envelope.cli.common.report import printable
from envelope.cli.gateway.common import opened, registry_told, store_option
from envelope.cli.gateway.copying import progress, show_figures
from envelope.registry.codes import CodeRegistry

__all__ = ["backup"]

_EXAMPLES = """\b
Examples:
  envelope gateway backup /backups/gateway-2026-11-27.db

\b
Give them back, to books that are empty:
  envelope gateway move --store /backups/gateway-2026-11-27.db --to gateway.db
"""


@click.command(epilog=_EXAMPLES)
@click.argument("file")
@registry_option
@store_option
def backup(*, file: str, registry: CodeRegistry, store: str) -> None:
    """Save the books, as they are at one moment, in the new SQLite file FILE, while gateways run, and audit it.

    The keys of the accounts' secrets are not in it: keep the key file, too. The exit status is 1 if the books break a
    rule; the file is there nevertheless.
    """
    from envelope.gateway import moving  # here, because it needs the extra, and help does not

    codes = registry_told(registry)
    with opened(store) as source, progress("saved") as told:
        try:
            figures, breaches = moving.back_up(source, Path(file), registry=codes, told=told)
        except OSError as error:
            raise click.ClickException(f"cannot write {printable(file)}: {error.strerror}") from None
    show_figures(figures)
    if breaches:
        raise click.ClickException("the books break their rules: envelope gateway audit shows where")
    click.echo(f"the books are saved in {printable(file)}, and right")
