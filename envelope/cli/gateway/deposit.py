"""`envelope gateway deposit`: what an account pays in."""

from __future__ import annotations

import click

from envelope.cli.gateway.common import AMOUNT, json_option, named, opened, show_json, show_table, store_option
from envelope.gateway.books import accounts
from envelope.gateway.money import shown_amount

__all__ = ["deposit"]

_EXAMPLES = """\b
Examples:
  envelope gateway deposit alice 25
  envelope gateway deposit alice 0.5 --note 'for the tests'
  envelope gateway deposit alice 25 --reference invoice-1001
"""


@click.command(epilog=_EXAMPLES)
@click.argument("name")
@click.argument("amount", type=AMOUNT)
@click.option("--note", default="", help="What the entry says.")
@click.option("--reference", default="", help="What it is known by elsewhere: the same again is entered once.")
@store_option
@json_option
def deposit(*, name: str, amount: int, note: str, reference: str, store: str, as_json: bool) -> None:
    """Pay AMOUNT units into the account NAME, and show its balance."""
    if not amount:
        raise click.UsageError("a deposit is more than nothing")
    with opened(store) as books:
        balance = books.write_now(lambda db: accounts.deposit(db, named(db, name).id, amount, note, reference))
    if as_json:
        show_json({"name": name, "balance": balance})
    else:
        show_table(("name", "balance"), [(name, shown_amount(balance))])
