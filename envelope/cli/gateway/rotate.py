"""`envelope gateway rotate`: callers' secrets encrypted with the newest key."""

from __future__ import annotations

import sys

import click

from envelope.cli.common.report import printable
from envelope.cli.gateway.common import json_option, opened, show_json, store_option, vault_of

__all__ = ["rotate"]

_EXAMPLES = """\b
Examples:
  KEY=$(openssl rand -base64 32 | tr +/ -_)
  (umask 077; { echo "$KEY"; cat gateway.key; } > new.key && mv new.key gateway.key)
  envelope gateway rotate
"""

_COUNT = "SELECT count(*) FROM account"


@click.command(epilog=_EXAMPLES)
@store_option
@json_option
def rotate(*, store: str, as_json: bool) -> None:
    """Encrypt the secrets of all accounts with the newest key, which is the first line of the key file.

    Every gateway must have read the new key before: put it above the old one on each machine, and send each gateway a
    SIGHUP. It may be run again, and beside gateways and other commands. The exit status is 1 if there is a secret that
    none of the keys opens.
    """
    from envelope.gateway import rotation  # here, because it needs the extra, and help does not

    with opened(store) as books:
        vault = vault_of(store, books)
        [(number,)] = books.read_now(lambda db: db.execute(_COUNT))
        with click.progressbar(length=number, file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:
            rotated = rotation.rotate(books, vault, bar.update)
    if as_json:
        show_json({"rotated": rotated.count, "unopened": rotated.unopened})
    else:
        click.echo(f"{rotated.count} of {number} secrets were encrypted anew")
        if not rotated.unopened:
            click.echo(
                "Only the first key is needed now. Page tokens that callers got before need the old one: after a while "
                "remove it on each machine, and send each gateway a SIGHUP."
            )
    if rotated.unopened:
        names = printable(", ".join(rotated.unopened))
        raise click.ClickException(f"none of the keys opens the secrets of {names}: envelope gateway account renew")
