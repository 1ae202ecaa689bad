"""A demo's files and its account: made in a folder on the first start, found there on the next."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from envelope.errors import EnvelopeError
from envelope.gateway.books.accounts import account_named, create_account, deposit, grant
from envelope.gateway.money import UNIT
from envelope.gateway.running import open_vault
from envelope.gateway.settings import read_settings
from envelope.gateway.stores.opening import open_store

if TYPE_CHECKING:
    from envelope.gateway.stores.store import Transaction

__all__ = ["FILE", "Demo", "NotADemo", "set_up"]

FILE: Final = "gateway.toml"
_NAME: Final = "demo"
_BALANCE: Final = 100 * UNIT
_MARK: Final = "# Made by envelope gateway serve --demo, which writes it anew at each start: changes are lost.\n"
_TEXT: Final = (
    _MARK
    + """\

store = "gateway.db"
key_file = "gateway.key"
apis = ["custom"]
seconds = 30
receipts = false
log = "none"
admin_token = "{token}"

[[upstreams]]
name = "demo"
address = "{address}"
key = "{key}"

# The first row that names a call's method and model is its price: for the call, and for 1,000 tokens.
[[prices]]
method = "v1/models"

[[prices]]
method = "images/get"

[[prices]]
method = "v1/images/*"
call = "0.04"

[[prices]]
method = "images/submit"
call = "0.04"

[[prices]]
call = "0.0001"
cached = "0.0001"
prompt = "0.001"
completion = "0.002"
"""
)


class NotADemo(EnvelopeError):
    """The folder has a gateway that is not the demo's."""


@dataclass(frozen=True, slots=True)
class Demo:
    """What opens the demo: its account's key and secret, and the operator's token, a new one at each start."""

    key: str
    secret: str = field(repr=False)
    admin_token: str = field(repr=False)


def set_up(folder: Path, *, address: str, key: str) -> Demo:
    """Make the files of a demo in *folder*, whose upstream is at *address* under *key*.

    `NotADemo` if there is a gateway already, `StoreError` or `VaultError` if its files cannot be used.
    """
    file = folder / FILE
    if not (file.read_bytes().startswith(_MARK.encode()) if file.exists() else not (folder / "gateway.db").exists()):
        raise NotADemo("this folder has a gateway of its own: start the demo in an empty one, or leave --demo out")
    token = secrets.token_hex(16)
    _replace(file, _TEXT.format(address=address, key=key, token=token))
    settings = read_settings(file)
    with open_store(settings.store) as store:
        vault = open_vault(settings.key_file, store)
        known = store.read_now(lambda db: account_named(db, _NAME))
        if known is not None:
            return Demo(known.key, vault.open(known.secret), token)
        demo = Demo(_NAME, secrets.token_hex(16), token)
        sealed = vault.seal(demo.secret)

        def steps(db: Transaction) -> None:
            number = create_account(db, name=_NAME, key=demo.key, secret=sealed)
            grant(db, number, "custom", quota=None)
            deposit(db, number, _BALANCE, "the demo's")

        store.write_now(steps)
    return demo


def _replace(file: Path, text: str) -> None:
    """Replace *file* by one that its owner alone can read: it has a key."""
    new = file.with_name(f".{file.name}-{os.getpid()}")
    with open(os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as stream:
        stream.write(text)
    new.replace(file)
