"""What the console shows, read from the books."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from envelope.gateway.admin import accounts, calls, operation
from envelope.gateway.admin.fields import AccountsQuery, CallsQuery
from envelope.gateway.books.spending import spent_by_day
from envelope.gateway.pages.console.charts import DAYS, Charts, charts

if TYPE_CHECKING:
    from envelope.gateway.admin.desk import Desk
    from envelope.gateway.stores.store import Transaction

__all__ = ["VIEWS"]

Query = Mapping[str, str]

_DAY: Final = 86_400_000_000
_SEARCHED: Final = ("account", "code", "method", "since", "until")


def _overview(desk: Desk, _: Query) -> dict[str, Any]:
    return {"charts": _charts(desk, None), "apis": operation.show_apis(desk).apis}


def _accounts(desk: Desk, query: Query) -> dict[str, Any]:
    page = accounts.list_accounts(desk, AccountsQuery.model_validate(_given(query, "after")))
    return {"accounts": page.accounts, "next": page.next}


def _account(desk: Desk, query: Query) -> dict[str, Any]:
    account = accounts.show_account(desk, query.get("name", ""))
    return {
        "account": account,
        "apis": desk.settings.apis,
        "charts": _charts(desk, account.id),
        "created": _time(account.created),
    }


def _calls(desk: Desk, query: Query) -> dict[str, Any]:
    searched = _given(query, *_SEARCHED)
    page = calls.search_calls(desk, CallsQuery.model_validate({**searched, **_given(query, "before")}))
    older = urlencode({**searched, "before": page.next}, errors="replace") if page.next is not None else None
    return {"calls": [(call, _time(call.opened)) for call in page.calls], "searched": searched, "older": older}


VIEWS: Final[Mapping[str, Callable[[Desk, Query], dict[str, Any]]]] = {
    "": _overview,
    "accounts": _accounts,
    "account": _account,
    "calls": _calls,
}
"""By the last part of their paths, which is also the name of their template."""


def _charts(desk: Desk, account: int | None) -> Charts:
    def steps(db: Transaction) -> Charts:
        since = (db.now // _DAY - DAYS + 1) * _DAY
        return charts(spent_by_day(db, account, since=since), db.now)

    return desk.store.read_now(steps)


def _given(query: Query, *names: str) -> dict[str, str]:
    return {name: text for name in names if (text := query.get(name, "").strip())}


def _time(micros: int) -> str:
    return datetime.fromtimestamp(micros / 1_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S")
