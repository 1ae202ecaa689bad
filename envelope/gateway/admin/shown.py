"""What the admin API answers with: units as texts, the same in millionths under ``…_micro``, times in microseconds."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Self

from pydantic import BaseModel

from envelope.gateway.books.accounts import ActiveState, ApiState
from envelope.gateway.money import shown_amount

if TYPE_CHECKING:
    from envelope.gateway.books.accounts import Account
    from envelope.gateway.books.calls import CallRecord
    from envelope.gateway.books.spending import Spent

__all__ = [
    "AccountShown",
    "AccountsShown",
    "ApiShown",
    "ApisShown",
    "AuditShown",
    "BreachShown",
    "CallShown",
    "CallsShown",
    "DepositShown",
    "ErrorShown",
    "GrantShown",
    "RefundShown",
    "SecretShown",
    "SpendingShown",
    "SpentShown",
]


class ErrorDetail(BaseModel):
    """``path`` is that of a field: ``$.amount`` in the body, ``?limit`` in the query, ``{name}`` in the URL."""

    kind: str
    message: str
    path: str | None


class ErrorShown(BaseModel):
    """Why something is not done."""

    error: ErrorDetail


class GrantShown(BaseModel):
    """What an account may call of an API; ``quota`` null: any number of calls. ``used`` of them count."""

    state: ActiveState
    quota: int | None
    used: int


class AccountShown(BaseModel):
    """An account; ``concurrency`` null: any number of calls at once. ``grants`` are by the name of the API."""

    id: int
    name: str
    key: str
    state: ActiveState
    balance: str
    balance_micro: int
    held: str
    held_micro: int
    concurrency: int | None
    strict_signature: bool
    created: int
    grants: dict[str, GrantShown]

    @classmethod
    def of(cls, account: Account) -> Self:
        """The same without its secret."""
        return cls.model_validate(_with_units(asdict(account), "balance", "held"))


class AccountsShown(BaseModel):
    """A page of accounts; ``next`` is the ``after`` of the next one, null if there is none."""

    accounts: list[AccountShown]
    next: int | None


class SecretShown(BaseModel):
    """An account's key and its secret, which is not shown again."""

    id: int
    name: str
    key: str
    secret: str


class DepositShown(BaseModel):
    """The account's balance after the deposit."""

    name: str
    balance: str
    balance_micro: int


class RefundShown(BaseModel):
    """What was given back for a call."""

    call: int
    refunded: str
    refunded_micro: int


class CallShown(BaseModel):
    """A call; ``code``, ``verdict_ok``, ``billing`` and ``ended`` are null while it is open."""

    id: int
    request_id: str
    account: str
    api_type: str
    api_name: str
    method: str
    model: str
    state: str
    code: str | None
    verdict_ok: bool | None
    billing: str | None
    hold: str
    hold_micro: int
    charge: str
    charge_micro: int
    refunded: str
    refunded_micro: int
    prompt_tokens: int
    completion_tokens: int
    attempts: int
    upstream: str
    is_cached: bool
    lang: str
    result_type: str
    opened: int
    ended: int | None

    @classmethod
    def of(cls, call: CallRecord) -> Self:
        """The same, with its amounts in units, too."""
        return cls.model_validate(_with_units(asdict(call), "hold", "charge", "refunded"))


class CallsShown(BaseModel):
    """A page of calls, newest first; ``next`` is the ``before`` of the next one, null if there is none."""

    calls: list[CallShown]
    next: int | None


class SpentShown(BaseModel):
    """The calls of one day (UTC) that ended with one code."""

    day: str
    code: str
    calls: int
    charge: str
    charge_micro: int
    refunded: str
    refunded_micro: int
    prompt_tokens: int
    completion_tokens: int

    @classmethod
    def of(cls, spent: Spent) -> Self:
        """The same, with its amounts in units, too."""
        return cls.model_validate(_with_units(asdict(spent), "charge", "refunded"))


class SpendingShown(BaseModel):
    """What an account's calls cost, by day and code, oldest first."""

    name: str
    spending: list[SpentShown]


class ApiShown(BaseModel):
    """Whether an API is open for calls."""

    name: str
    state: ApiState


class ApisShown(BaseModel):
    """The APIs of the settings."""

    apis: list[ApiShown]


class BreachShown(BaseModel):
    """A row of the books that breaks a rule."""

    invariant: str
    table: str
    row: int | str
    text: str


class AuditShown(BaseModel):
    """Whether the books are right; ``count`` rows are not, and ``breaches`` are the first of them."""

    is_right: bool
    count: int
    breaches: list[BreachShown]


def _with_units(row: dict[str, Any], *names: str) -> dict[str, Any]:
    for name in names:
        row[f"{name}_micro"] = row[name]
        row[name] = shown_amount(row[name])
    return row
