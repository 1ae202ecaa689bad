"""`envelope gateway audit`: whether the books are right."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from envelope.cli.common.options import registry_option
from envelope.cli.gateway.common import json_option, opened, registry_told, show_json, show_table, store_option
from envelope.gateway.books import auditing

if TYPE_CHECKING:
    from envelope.registry.codes import CodeRegistry

__all__ = ["audit"]

_EXAMPLES = """\b
Examples:
  envelope gateway audit
  envelope gateway audit --store /srv/gateway.db --with codes.toml --json
"""


@click.command(epilog=_EXAMPLES)
@registry_option
@store_option
@json_option
def audit(*, registry: CodeRegistry, store: str, as_json: bool) -> None:
    """Show each row that breaks a rule of the books: balances, holds, charges, records, billing, what is kept.

    The exit status is 1 if there is one. It may run beside a gateway. Its codes are those of --with, else those that
    the settings name.
    """
    codes = registry_told(registry)
    with opened(store) as opened_store:
        found = opened_store.read_now(lambda db: auditing.audit(db, codes))
    if as_json:
        show_json([asdict(breach) for breach in found])
    elif found:
        rows = [(breach.invariant, breach.table, breach.row, breach.text) for breach in found]
        show_table(("invariant", "table", "row", "what is wrong"), rows)
    else:
        click.echo("the books are right")
    if found:
        raise click.exceptions.Exit(1)
