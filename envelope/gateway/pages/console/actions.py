"""What the console's forms do, by the admin API's own functions: each takes a form, and says what was done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from envelope.gateway.admin import accounts, calls, operation
from envelope.gateway.admin.fields import ApiChange, Change, Deposit, GrantBody, NewAccount, Refund

if TYPE_CHECKING:
    from envelope.gateway.admin.desk import Desk
    from envelope.gateway.admin.shown import AuditShown, SecretShown

__all__ = ["ACTIONS", "Done"]

Form = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Done:
    """What was done, to whom, and what is shown of it once."""

    of: tuple[str, ...] = ()
    secret: SecretShown | None = None
    audit: AuditShown | None = None


def _make(desk: Desk, form: Form) -> Done:
    body = NewAccount(
        name=form.get("name", ""), concurrency=_number(form, "concurrency"), strict_signature="strict" in form
    )
    return Done((body.name,), secret=accounts.make_account(desk, body))


def _deposit(desk: Desk, form: Form) -> Done:
    fields: dict[str, Any] = {name: form.get(name, "").strip() for name in ("amount", "reference", "note")}
    accounts.deposit(desk, form.get("name", ""), Deposit(**fields))
    return Done((form["name"],))


def _grant(desk: Desk, form: Form) -> Done:
    state: Any = form.get("state")
    body = GrantBody(state=state, quota=_number(form, "quota"))
    accounts.put_grant(desk, form.get("name", ""), form.get("api", ""), body)
    return Done((form["name"], form["api"]))


def _state(desk: Desk, form: Form) -> Done:
    state: Any = form.get("state")
    accounts.change_account(desk, form.get("name", ""), Change(state=state))
    return Done((form["name"],))


def _secret(desk: Desk, form: Form) -> Done:
    return Done((form.get("name", ""),), secret=accounts.renew_secret(desk, form.get("name", "")))


def _refund(desk: Desk, form: Form) -> Done:
    calls.make_refund(desk, Refund(last_id=form.get("last_id", "")))
    return Done((form["last_id"],))


def _api(desk: Desk, form: Form) -> Done:
    state: Any = form.get("state")
    operation.put_api(desk, form.get("api", ""), ApiChange(state=state))
    return Done((form["api"],))


def _audit(desk: Desk, _: Form) -> Done:
    return Done(audit=operation.show_audit(desk))


def _number(form: Form, name: str) -> Any:
    """The field's number, None if it is empty; what is no number stays a text, which the field's own check refuses."""
    text = form.get(name, "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else text or None


ACTIONS: Final[Mapping[str, Callable[[Desk, Form], Done]]] = {
    "make": _make,
    "deposit": _deposit,
    "grant": _grant,
    "state": _state,
    "secret": _secret,
    "refund": _refund,
    "api": _api,
    "audit": _audit,
}
"""By the last part of their paths."""
