"""`envelope gateway grant`: what an account may call."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from envelope.cli.gateway.common import named, opened, store_option
from envelope.gateway.books import accounts

if TYPE_CHECKING:
    from envelope.gateway.books.accounts import ActiveState

__all__ = ["grant"]

_EXAMPLES = """\b
Examples:
  envelope gateway grant alice custom
  envelope gateway grant alice custom --quota 10000
  envelope gateway grant alice custom --state stopped
"""


@click.command(epilog=_EXAMPLES)
@click.argument("name")
@click.argument("api_name")
@click.option("--quota", type=click.IntRange(0, 2**62), help="How many calls in all. [default: any number]")
@click.option("--state", type=click.Choice(["active", "stopped"]), default="active", show_default=True)
@store_option
def grant(*, name: str, api_name: str, quota: int | None, state: ActiveState, store: str) -> None:
    """Let the account NAME call the API API_NAME, or change what it was granted.

    A call counts if it is charged, and while it is open. Those that were made count on if the quota changes.
    """
    with opened(store) as books:
        books.write_now(lambda db: accounts.grant(db, named(db, name).id, api_name, state=state, quota=quota))
