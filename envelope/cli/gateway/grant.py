"""`envelope gateway grant`: what an account may call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import click

from envelope.cli.gateway.common import BOUND, named, opened, store_option
from envelope.gateway.books import accounts

if TYPE_CHECKING:
    from envelope.gateway.books.accounts import ActiveState
    from envelope.gateway.stores.store import Transaction

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
@click.option("--quota", type=BOUND, help="How many calls in all.  [default: as before, else unlimited]")
@click.option("--state", type=click.Choice(["active", "stopped"]), help="[default: as before, else active]")
@store_option
def grant(
    *, name: str, api_name: str, quota: int | Literal["unlimited"] | None, state: ActiveState | None, store: str
) -> None:
    """Let the account NAME call the API API_NAME, or change what it was granted.

    A call counts if it is charged, and while it is open. Those that were made count on if the quota changes.
    """

    def steps(db: Transaction) -> None:
        account = named(db, name)
        before = account.grants.get(api_name)
        kept = before.quota if before is not None and quota is None else quota
        accounts.grant(
            db,
            account.id,
            api_name,
            state=state or (before.state if before is not None else "active"),
            quota=None if kept == "unlimited" else kept,
        )

    with opened(store) as books:
        books.write_now(steps)
