"""Accounts: made, shown and changed, what they may call, what they pay in, and what they spent."""

from __future__ import annotations

import secrets
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query

from envelope.gateway.admin.errors import Refusal
from envelope.gateway.admin.fields import (
    AccountName,
    AccountsQuery,
    Admin,
    Change,
    Deposit,
    GrantBody,
    NewAccount,
    SpendingQuery,
    named,
)
from envelope.gateway.admin.shown import (
    AccountShown,
    AccountsShown,
    DepositShown,
    GrantShown,
    SecretShown,
    SpendingShown,
    SpentShown,
)
from envelope.gateway.books import accounts
from envelope.gateway.books.spending import Spent, spent_by_day
from envelope.gateway.money import shown_amount
from envelope.gateway.stores.errors import Conflict
from envelope.gateway.stores.store import Transaction

__all__ = ["router"]

router: Final = APIRouter(prefix="/accounts", tags=["accounts"])

_MONTH: Final = 30 * 86_400_000_000


@router.get("")
def list_accounts(admin: Admin, query: Annotated[AccountsQuery, Query()]) -> AccountsShown:
    """A page of the accounts, oldest first."""
    found = admin.store.read_now(lambda db: accounts.list_accounts(db, after=query.after, limit=query.limit + 1))
    page = found[: query.limit]
    return AccountsShown(
        accounts=[AccountShown.of(account) for account in page], next=page[-1].id if len(found) > len(page) else None
    )


@router.post("", status_code=201)
def make_account(admin: Admin, body: NewAccount) -> SecretShown:
    """Make an account. Its secret is in this answer, and in no other."""
    key, secret = secrets.token_hex(12), secrets.token_hex(24)
    sealed = admin.seal(secret)
    try:
        number = admin.store.write_now(
            lambda db: accounts.create_account(
                db,
                name=body.name,
                key=key,
                secret=sealed,
                concurrency=body.concurrency,
                strict_signature=body.strict_signature,
            )
        )
    except Conflict:
        raise Refusal(409, "there is an account of that name already", "$.name") from None
    return SecretShown(id=number, name=body.name, key=key, secret=secret)


@router.get("/{name}")
def show_account(admin: Admin, name: AccountName) -> AccountShown:
    """One account, with what it has, holds, and may call."""
    return AccountShown.of(admin.store.read_now(lambda db: named(db, name)))


@router.patch("/{name}")
def change_account(admin: Admin, name: AccountName, body: Change) -> AccountShown:
    """Change what is given; what the account is now."""
    changes: dict[str, Any] = body.model_dump(exclude_unset=True)
    if "concurrency" in changes and changes["concurrency"] is None:
        changes["concurrency"] = "unlimited"

    def steps(db: Transaction) -> accounts.Account:
        accounts.change_account(db, named(db, name).id, **changes)
        return named(db, name)

    return AccountShown.of(admin.store.write_now(steps))


@router.post("/{name}/secret")
def renew_secret(admin: Admin, name: AccountName) -> SecretShown:
    """Give the account another secret, which is in this answer alone: the old one opens nothing any more."""
    secret = secrets.token_hex(24)
    sealed = admin.seal(secret)

    def steps(db: Transaction) -> accounts.Account:
        account = named(db, name)
        accounts.change_account(db, account.id, secret=sealed)
        return account

    account = admin.store.write_now(steps)
    return SecretShown(id=account.id, name=name, key=account.key, secret=secret)


@router.put("/{name}/grants/{api_name}")
def put_grant(
    admin: Admin, name: AccountName, api_name: Annotated[str, Path(description="The API.")], body: GrantBody
) -> GrantShown:
    """Let the account call an API, or change what it may; what was used counts on."""
    if api_name not in admin.settings.apis:
        raise Refusal(404, "the settings have no API of that name", "{api_name}")

    def steps(db: Transaction) -> accounts.Grant:
        accounts.grant(db, named(db, name).id, api_name, state=body.state, quota=body.quota)
        return named(db, name).grants[api_name]

    grant = admin.store.write_now(steps)
    return GrantShown(state=grant.state, quota=grant.quota, used=grant.used)


@router.post("/{name}/deposits")
def deposit(admin: Admin, name: AccountName, body: Deposit) -> DepositShown:
    """Pay in; the balance after it. With a reference, it can be sent again until there is an answer."""

    def steps(db: Transaction) -> int:
        return accounts.deposit(db, named(db, name).id, body.amount, body.note, body.reference)

    balance = admin.store.write_now(steps)
    return DepositShown(name=name, balance=shown_amount(balance), balance_micro=balance)


@router.get("/{name}/spending")
def show_spending(admin: Admin, name: AccountName, query: Annotated[SpendingQuery, Query()]) -> SpendingShown:
    """What the account's calls cost, by day and by code."""

    def steps(db: Transaction) -> list[Spent]:
        since = db.now - _MONTH if query.since is None else query.since
        return spent_by_day(db, named(db, name).id, since=since, until=query.until)

    return SpendingShown(name=name, spending=[SpentShown.of(spent) for spent in admin.store.read_now(steps)])
