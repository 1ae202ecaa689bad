"""What the admin API takes: fields, bodies and queries, each checked."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import Depends, Path, Request
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from envelope.gateway.admin.desk import Desk
from envelope.gateway.admin.errors import Refusal
from envelope.gateway.books.accounts import Account, ActiveState, ApiState, account_named
from envelope.gateway.money import parse_amount
from envelope.gateway.stores.store import Transaction
from envelope.gateway.times import parse_time

__all__ = [
    "AccountName",
    "AccountsQuery",
    "Admin",
    "ApiChange",
    "CallsQuery",
    "Change",
    "Deposit",
    "GrantBody",
    "NewAccount",
    "Refund",
    "SpendingQuery",
    "named",
]

_MOST: Final = 2**63 - 1
_AT_ONCE: Final = 2**31 - 1  # the column has 32 bits
_PAGE: Final = 50


async def _desk_of(request: Request) -> Desk:
    desk: Desk = request.scope["envelope.admin"]
    return desk


Admin = Annotated[Desk, Depends(_desk_of)]
"""What a route works on."""

AccountName = Annotated[str, Path(description="The account's name.")]


def named(db: Transaction, name: str) -> Account:
    """The account of that name; `Refusal` if there is none."""
    account = account_named(db, name) if "\0" not in name else None
    if account is None:
        raise Refusal(404, "there is no account of that name", "{name}")
    return account


def _plain(text: str) -> str:
    if not text.isprintable():
        raise ValueError("it has a character that cannot be printed")
    return text


def _name(text: str) -> str:
    if "/" in text or text in (".", ".."):
        raise ValueError("a name that stands in a URL has no /, and is neither . nor ..")
    return text


def _amount(text: Any) -> int:
    if not isinstance(text, str):
        raise ValueError('an amount is a text, like "0.002": a number would be a float')  # pydantic's
    if not (amount := parse_amount(text)):
        raise ValueError("a deposit is more than nothing")
    return amount


_Text = Annotated[str, Field(max_length=200), AfterValidator(_plain)]
_Amount = Annotated[
    int,
    BeforeValidator(_amount),
    WithJsonSchema({"type": "string", "pattern": r"^[0-9]{1,10}(\.[0-9]{1,6})?$", "examples": ["25", "0.002"]}),
]
_Time = Annotated[
    int,
    BeforeValidator(parse_time),
    WithJsonSchema({"type": "string", "examples": ["2026-11-01", "2026-11-01T12:30Z"]}),
]
_Concurrency = Annotated[int, Field(ge=0, le=_AT_ONCE)]


def _without_default(schema: dict[str, Any]) -> None:
    schema.pop("default", None)


_UNCHANGED: Final[Any] = Field(default=None, json_schema_extra=_without_default)


class _Body(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", hide_input_in_errors=True)


class _Query(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class NewAccount(_Body):
    """An account to be made. ``concurrency`` is how many calls may be open at once; null: any number."""

    name: Annotated[_Text, Field(min_length=1), AfterValidator(_name)]
    concurrency: _Concurrency | None = None
    strict_signature: bool = False


class Change(_Body):
    """What is to be changed of an account; what is not there stays as it is. ``concurrency`` null: any number."""

    state: ActiveState = _UNCHANGED
    concurrency: _Concurrency | None = _UNCHANGED
    strict_signature: bool = _UNCHANGED


class GrantBody(_Body):
    """What an account may call of an API: ``quota`` calls in all; null: any number."""

    state: ActiveState = "active"
    quota: Annotated[int, Field(ge=0, le=_MOST)] | None = None


class Deposit(_Body):
    """``amount`` units, paid in. The same ``reference`` again enters nothing more."""

    amount: _Amount
    note: _Text = ""
    reference: _Text = ""


class Refund(_Body):
    """The call whose charge is given back, by the ``last_id`` of its answer."""

    last_id: Annotated[str, Field(pattern=r"^[1-9][0-9]{0,17}$")]
    note: _Text = ""


class ApiChange(_Body):
    """Whether an API is open for calls."""

    state: ApiState


class AccountsQuery(_Query):
    """The accounts after the one with the number ``after``, in the order of their numbers."""

    after: Annotated[int, Field(ge=0, le=_MOST)] = 0
    limit: Annotated[int, Field(ge=1, le=1000)] = _PAGE


class CallsQuery(_Query):
    """Which calls; ``since`` and ``until`` are when they were opened, ``before`` is the number of one, for paging."""

    account: _Text | None = None
    code: _Text | None = None
    method: _Text | None = None
    since: _Time | None = None
    until: _Time | None = None
    before: Annotated[int, Field(ge=1, le=_MOST)] | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] = _PAGE


class SpendingQuery(_Query):
    """Which days: from ``since``, 30 days ago if it is not there, up to but without ``until``."""

    since: _Time | None = None
    until: _Time | None = None
