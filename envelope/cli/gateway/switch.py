"""`envelope gateway switch`: an API open for calls, or closed for maintenance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from envelope.cli.gateway.common import opened, store_option
from envelope.gateway.books.accounts import switch_api

if TYPE_CHECKING:
    from envelope.gateway.books.accounts import ApiState

__all__ = ["switch"]

_EXAMPLES = """\b
Examples:
  envelope gateway switch custom maintenance
  envelope gateway switch custom active
"""


@click.command(epilog=_EXAMPLES)
@click.argument("api_name")
@click.argument("state", type=click.Choice(["active", "maintenance"]))
@store_option
def switch(*, api_name: str, state: ApiState, store: str) -> None:
    """Close the API API_NAME for maintenance, or open it again. Calls that are open end as they would."""
    with opened(store) as books:
        books.write_now(lambda db: switch_api(db, api_name, state))
