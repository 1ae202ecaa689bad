"""`envelope gateway account`: who may call."""

from __future__ import annotations

import secrets
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Literal

import click

from envelope.cli.common.report import printable
from envelope.cli.gateway.common import (
    AT_ONCE,
    BOUND_AT_ONCE,
    json_option,
    named,
    opened,
    show_json,
    show_table,
    store_option,
    vault_of,
)
from envelope.gateway.books.accounts import change_account, create_account, list_accounts
from envelope.gateway.money import shown_amount
from envelope.gateway.stores.errors import Conflict

if TYPE_CHECKING:
    from envelope.gateway.books.accounts import Account, ActiveState

__all__ = ["account"]

_EXAMPLES = """\b
Examples:
  envelope gateway account add alice --concurrency 10
  envelope gateway account list
  envelope gateway account change alice --state stopped
  envelope gateway account renew alice
"""

_concurrency_help = "How many calls may be open at once."


@click.group(epilog=_EXAMPLES)
def account() -> None:
    """Add accounts, list them, and change what they may.

    Their secrets are encrypted by the keys in ENVELOPE_GATEWAY_KEYS, separated by commas, else by those in the file
    that the settings name, gateway.key beside gateway.db by default; the first account makes it.
    """


@account.command()
@click.argument("name")
@click.option("--concurrency", type=click.IntRange(0, AT_ONCE), help=f"{_concurrency_help} [default: any number]")
@click.option("--strict-signature", is_flag=True, help="Take strictly signed calls only.")
@store_option
@json_option
def add(*, name: str, concurrency: int | None, strict_signature: bool, store: str, as_json: bool) -> None:
    """Add the account NAME, and show its key and its secret: the secret is not shown again."""
    key, secret = secrets.token_hex(12), secrets.token_hex(24)
    with opened(store, is_new=True) as books:
        sealed = vault_of(store, books).seal(secret)
        try:
            number = books.write_now(
                lambda db: create_account(
                    db,
                    name=name,
                    key=key,
                    secret=sealed,
                    concurrency=concurrency,
                    strict_signature=strict_signature,
                )
            )
        except Conflict:
            raise click.ClickException(f"there is an account {printable(name)} already") from None
    _show_secret(number, name, key, secret, as_json=as_json)


@account.command()
@click.argument("name")
@store_option
@json_option
def renew(*, name: str, store: str, as_json: bool) -> None:
    """Give the account NAME another secret, and show it: the old one opens nothing any more."""
    secret = secrets.token_hex(24)
    with opened(store) as books:
        found = books.read_now(lambda db: named(db, name))
        sealed = vault_of(store, books).seal(secret)
        books.write_now(lambda db: change_account(db, found.id, secret=sealed))
    _show_secret(found.id, name, found.key, secret, as_json=as_json)


@account.command()
@click.argument("name")
@click.option("--state", type=click.Choice(["active", "stopped"]), help="Whether it may call.")
@click.option("--concurrency", type=BOUND_AT_ONCE, help=_concurrency_help)
@click.option("--strict-signature/--any-signature", default=None, help="Whether to take strictly signed calls only.")
@store_option
def change(
    *,
    name: str,
    state: ActiveState | None,
    concurrency: int | Literal["unlimited"] | None,
    strict_signature: bool | None,
    store: str,
) -> None:
    """Change what the account NAME may; what is not given stays as it is."""
    with opened(store) as books:
        books.write_now(
            lambda db: change_account(
                db, named(db, name).id, state=state, concurrency=concurrency, strict_signature=strict_signature
            )
        )


@account.command("list")
@store_option
@json_option
def list_(*, store: str, as_json: bool) -> None:
    """Show all accounts, with what they have, hold, and may call."""
    with opened(store) as books:
        found = books.read_now(list_accounts)
    if as_json:
        show_json([_without_secret(row) for row in found])
    else:
        columns = ("name", "key", "state", "balance", "held", "at once", "may call")
        show_table(columns, [_row(row) for row in found])


def _row(row: Account) -> tuple[object, ...]:
    grants = ", ".join(
        f"{name} {grant.used}/{'∞' if grant.quota is None else grant.quota}{' stopped' * (grant.state == 'stopped')}"
        for name, grant in row.grants.items()
    )
    at_once = "∞" if row.concurrency is None else row.concurrency
    return row.name, row.key, row.state, shown_amount(row.balance), shown_amount(row.held), at_once, grants


def _without_secret(row: Account) -> dict[str, Any]:
    shown = asdict(row)
    del shown["secret"]
    return shown


def _show_secret(number: int, name: str, key: str, secret: str, *, as_json: bool) -> None:
    if as_json:
        show_json({"id": number, "name": name, "key": key, "secret": secret, "api_key": f"{key}.{secret}"})
    else:
        click.echo(f"key      {key}\nsecret   {secret}\nAPI key  {key}.{secret}")
