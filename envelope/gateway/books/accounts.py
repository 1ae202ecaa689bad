"""Accounts: who may call, what they may call, and what they have paid in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from envelope.gateway.books.errors import BooksError
from envelope.gateway.books.texts import checked_name, is_storable, storable
from envelope.gateway.money import MAX_AMOUNT, shown_amount

if TYPE_CHECKING:
    from envelope.gateway.stores.store import Transaction

__all__ = [
    "Account",
    "ActiveState",
    "ApiState",
    "Grant",
    "account_named",
    "account_of",
    "api_states",
    "change_account",
    "create_account",
    "deposit",
    "grant",
    "list_accounts",
    "reseal_secret",
    "sealed_secrets",
    "switch_api",
]

ActiveState = Literal["active", "stopped"]
ApiState = Literal["active", "maintenance"]


@dataclass(frozen=True, slots=True)
class Grant:
    """What an account may call of one API. ``quota`` is a number of calls, None if unlimited; ``used`` of them count:
    those that are open, and those that ended charged."""

    state: ActiveState
    quota: int | None
    used: int


@dataclass(frozen=True, slots=True)
class Account:
    """An account. Money is in micro-units, ``created`` in microseconds of the Unix time.

    ``secret`` is encrypted. ``concurrency`` is how many calls may be open at once, None if unlimited; with
    ``strict_signature`` only strictly signed calls are taken. ``grants`` has the APIs that it may call, by name.
    """

    id: int
    name: str
    key: str
    secret: str = field(repr=False)
    state: ActiveState
    balance: int
    held: int
    concurrency: int | None
    strict_signature: bool
    created: int
    grants: Mapping[str, Grant]


_FIELDS: Final = "id, name, key, secret, state, balance, held, concurrency, strict_signature, created"
_BY_KEY: Final = f"SELECT {_FIELDS} FROM account WHERE key = :key"  # noqa: S608  # constants, as below
_BY_NAME: Final = f"SELECT {_FIELDS} FROM account WHERE name = :name"  # noqa: S608
_ALL: Final = f"SELECT {_FIELDS} FROM account WHERE id > :after ORDER BY id LIMIT :most"  # noqa: S608
_EVERY: Final = 2**62
_GRANTS: Final = "SELECT api_name, state, quota, used FROM grants WHERE account = :account ORDER BY api_name"
_CREATE: Final = """
INSERT INTO account (name, key, secret, state, balance, held, concurrency, strict_signature, created)
VALUES (:name, :key, :secret, 'active', 0, 0, :concurrency, :strict_signature, :now)
RETURNING id
"""
_STATE: Final = "UPDATE account SET state = :value WHERE id = :account RETURNING id"
_CONCURRENCY: Final = "UPDATE account SET concurrency = :value WHERE id = :account RETURNING id"
_STRICT: Final = "UPDATE account SET strict_signature = :value WHERE id = :account RETURNING id"
_SECRET: Final = "UPDATE account SET secret = :value WHERE id = :account RETURNING id"
_SECRETS: Final = "SELECT id, name, secret FROM account WHERE id > :after ORDER BY id LIMIT :most"
_RESEAL: Final = "UPDATE account SET secret = :new WHERE id = :account AND secret = :old RETURNING id"
_GRANT: Final = """
INSERT INTO grants (account, api_name, state, quota, used) VALUES (:account, :api_name, :state, :quota, 0)
ON CONFLICT (account, api_name) DO UPDATE SET state = excluded.state, quota = excluded.quota
"""
_DEPOSIT: Final = """
UPDATE account SET balance = balance + :amount WHERE id = :account AND balance <= :most - :amount RETURNING balance
"""
_ENTER: Final = """
INSERT INTO entry (account, call, kind, amount, note, at, reference)
VALUES (:account, NULL, 'deposit', :amount, :note, :now, :reference)
"""
# The account's row is locked by writing it: whoever enters the same reference at the same time waits, and then sees it.
_LOCK: Final = "UPDATE account SET held = held WHERE id = :account RETURNING balance"
_ENTERED: Final = "SELECT amount FROM entry WHERE account = :account AND reference = :reference"
_SWITCH: Final = """
INSERT INTO api (name, state) VALUES (:name, :state) ON CONFLICT (name) DO UPDATE SET state = excluded.state
"""
_STATES: Final = "SELECT name, state FROM api ORDER BY name"


def account_of(db: Transaction, key: str) -> Account | None:
    """The account with this key; None if there is none."""
    return _one(db, db.execute(_BY_KEY, key=key)) if is_storable(key) else None


def account_named(db: Transaction, name: str) -> Account | None:
    """The account with this name; None if there is none."""
    return _one(db, db.execute(_BY_NAME, name=name)) if is_storable(name) else None


def list_accounts(db: Transaction, *, after: int = 0, limit: int = _EVERY) -> list[Account]:
    """The accounts, oldest first; of those after the number *after*, at most *limit*."""
    return [_account(db, row) for row in db.execute(_ALL, after=after, most=limit)]


def create_account(
    db: Transaction,
    *,
    name: str,
    key: str,
    secret: str,
    concurrency: int | None = None,
    strict_signature: bool = False,
) -> int:
    """A new account, with nothing on it; its number. *secret* is encrypted (`envelope.gateway.vault`).

    Raises `BooksError` if the name or the key cannot be one, `envelope.gateway.stores.Conflict` if it is taken.
    """
    row = {
        "name": checked_name(name, "an account's name"),
        "key": checked_name(key, "an account's key"),
        "secret": secret,
        "concurrency": concurrency,
    }
    [(number,)] = db.execute(_CREATE, **row, strict_signature=strict_signature, now=db.now)
    return int(number)


def change_account(
    db: Transaction,
    account: int,
    *,
    state: ActiveState | None = None,
    concurrency: int | Literal["unlimited"] | None = None,
    strict_signature: bool | None = None,
    secret: str | None = None,
) -> None:
    """Change what is given; *secret* is encrypted. Raises `BooksError` if there is no such account."""
    bound = None if concurrency == "unlimited" else concurrency
    changes = (
        (_STATE, state is not None, state),
        (_CONCURRENCY, concurrency is not None, bound),
        (_STRICT, strict_signature is not None, strict_signature),
        (_SECRET, secret is not None, secret),
    )
    for sql, is_given, value in changes:
        if is_given and not db.execute(sql, account=account, value=value):
            raise BooksError(_NO_ACCOUNT)


def sealed_secrets(db: Transaction, after: int = 0, most: int = 100) -> list[tuple[int, str, str]]:
    """Number, name and encrypted secret of the *most* accounts after the number *after*."""
    return [(number, name, secret) for number, name, secret in db.execute(_SECRETS, after=after, most=most)]


def reseal_secret(db: Transaction, account: int, old: str, new: str) -> bool:
    """Put the same secret, encrypted anew, in place of *old*; False if the account has another by now."""
    return bool(db.execute(_RESEAL, account=account, old=old, new=new))


def grant(db: Transaction, account: int, api_name: str, *, state: ActiveState = "active", quota: int | None) -> None:
    """Let an account call an API, *quota* times in all (None: without end), or change what it may.

    What was used counts on. Raises `BooksError` if that cannot be the name of an API,
    `envelope.gateway.stores.Conflict` if there is no such account.
    """
    checked_name(api_name, _API_NAME)
    db.execute(_GRANT, account=account, api_name=api_name, state=state, quota=quota)


def deposit(db: Transaction, account: int, amount: int, note: str = "", reference: str = "") -> int:
    """Pay *amount* micro-units in; the balance after it.

    A *reference* is what the deposit is known by outside, as the number of an invoice is: the same again for this
    account enters nothing more. Raises `BooksError` if it was entered with another amount or cannot be one, if there
    is no such account, or a balance would be above `envelope.gateway.money.MAX_AMOUNT`.
    """
    if not 0 < amount <= MAX_AMOUNT:
        raise ValueError(f"a deposit is more than nothing, and at most {shown_amount(MAX_AMOUNT)}")
    if reference:
        checked_name(reference, "a reference")
        locked = db.execute(_LOCK, account=account)
        entered = db.execute(_ENTERED, account=account, reference=reference)
        if entered and entered[0][0] != amount:
            raise BooksError(f"that reference was entered before, with {shown_amount(entered[0][0])}")
        if entered:
            return int(locked[0][0])
    paid = db.execute(_DEPOSIT, account=account, amount=amount, most=MAX_AMOUNT)
    if not paid:
        raise BooksError(f"there is no such account, or its balance would be above {shown_amount(MAX_AMOUNT)}")
    entry = {"account": account, "amount": amount, "note": storable(note), "reference": reference or None}
    db.execute(_ENTER, **entry, now=db.now)
    return int(paid[0][0])


def switch_api(db: Transaction, name: str, state: ApiState) -> None:
    """Open an API for calls, or close it for maintenance; one that was never switched is open.

    Raises `BooksError` if that cannot be the name of an API.
    """
    db.execute(_SWITCH, name=checked_name(name, _API_NAME), state=state)


def api_states(db: Transaction) -> dict[str, ApiState]:
    """The APIs that were ever switched."""
    return dict(db.execute(_STATES))


_NO_ACCOUNT: Final = "there is no such account"
_API_NAME: Final = "an API's name"


def _one(db: Transaction, rows: list[tuple[Any, ...]]) -> Account | None:
    return _account(db, rows[0]) if rows else None


def _account(db: Transaction, row: tuple[Any, ...]) -> Account:
    number, name, key, secret, state, balance, held, concurrency, strict_signature, created = row
    return Account(
        id=number,
        name=name,
        key=key,
        secret=secret,
        state=state,
        balance=balance,
        held=held,
        concurrency=concurrency,
        strict_signature=bool(strict_signature),
        created=created,
        grants={api_name: Grant(*rest) for api_name, *rest in db.execute(_GRANTS, account=number)},
    )
