"""`envelope gateway calls`: what was called, newest first."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from envelope.cli.gateway.common import TIME, json_option, opened, show_json, show_table, shown_time, store_option
from envelope.gateway.money import shown_amount

if TYPE_CHECKING:
    from envelope.gateway.books.calls import CallRecord

__all__ = ["calls"]

_EXAMPLES = """\b
Examples:
  envelope gateway calls --account alice
  envelope gateway calls --code 4017 --since 2026-11-01 --limit 200
  envelope gateway calls --before 1593583206 --json
"""


@click.command(epilog=_EXAMPLES)
@click.option("--account", metavar="NAME", help="Of this account.")
@click.option("--code", help="That ended with this code.")
@click.option("--method", help="Of this method.")
@click.option("--since", type=TIME, help="Opened then or later.")
@click.option("--until", type=TIME, help="Opened before.")
@click.option("--before", type=click.IntRange(1, 2**63 - 1), metavar="CALL", help="With a lower number: the next page.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="At most this many.")
@store_option
@json_option
def calls(
    *,
    account: str | None,
    code: str | None,
    method: str | None,
    since: int | None,
    until: int | None,
    before: int | None,
    limit: int,
    store: str,
    as_json: bool,
) -> None:
    """Show the newest calls of which all that is given holds. Times are UTC."""
    from envelope.gateway.books.calls import find_calls  # here, because it needs the extra, and help does not

    with opened(store) as books:
        found = books.read_now(
            lambda db: find_calls(
                db,
                account=account,
                code=code,
                method=method,
                since=since,
                until=until,
                before=before,
                limit=limit,
            )
        )
    if as_json:
        show_json([asdict(call) for call in found])
    else:
        columns = ("call", "request id", "account", "method", "code", "billing", "charge", "tokens", "opened", "s")
        show_table(columns, [_row(call) for call in found])


def _row(call: CallRecord) -> tuple[object, ...]:
    seconds = "" if call.ended is None else f"{(call.ended - call.opened) / 1_000_000:.3f}"
    charge = shown_amount(call.charge) + " given back" * bool(call.refunded)
    return (
        call.id,
        call.request_id,
        call.account,
        call.method,
        call.code or call.state,
        call.billing,
        charge,
        call.prompt_tokens + call.completion_tokens,
        shown_time(call.opened),
        seconds,
    )
