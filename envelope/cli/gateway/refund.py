"""`envelope gateway refund`: what was charged for a call, given back."""

from __future__ import annotations

import click

from envelope.cli.gateway.common import json_option, opened, show_json, show_table, store_option
from envelope.gateway.books import refunds
from envelope.gateway.money import shown_amount

__all__ = ["refund"]

_EXAMPLES = """\b
Examples:
  envelope gateway refund 1593583206 --note 'an empty answer'
"""


@click.command(epilog=_EXAMPLES)
@click.argument("call", type=click.IntRange(1, 2**63 - 1))
@click.option("--note", default="", help="What the entry says.")
@store_option
@json_option
def refund(*, call: int, note: str, store: str, as_json: bool) -> None:
    """Give back what was charged for the call with the number CALL, which is the last_id of its answer; once."""
    with opened(store) as books:
        amount = books.write_now(lambda db: refunds.refund(db, call, note))
    if amount is None:
        raise click.ClickException(f"nothing was charged for call {call}, or it was given back before")
    if as_json:
        show_json({"call": call, "refunded": amount})
    else:
        show_table(("call", "refunded"), [(call, shown_amount(amount))])
