"""The gateway itself: its APIs' switches, and whether its books are right."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Final

from fastapi import APIRouter, Path

from envelope.gateway.admin.errors import Refusal
from envelope.gateway.admin.fields import Admin, ApiChange
from envelope.gateway.admin.shown import ApiShown, ApisShown, AuditShown, BreachShown
from envelope.gateway.books.accounts import api_states, switch_api
from envelope.gateway.books.auditing import audit

__all__ = ["router"]

router: Final = APIRouter(tags=["operation"])

_MOST: Final = 1000


@router.get("/apis")
def show_apis(admin: Admin) -> ApisShown:
    """The APIs of the settings, and whether they are open for calls."""
    states = admin.store.read_now(api_states)
    return ApisShown(apis=[ApiShown(name=name, state=states.get(name, "active")) for name in admin.settings.apis])


@router.put("/apis/{name}")
def put_api(admin: Admin, name: Annotated[str, Path(description="The API.")], body: ApiChange) -> ApiShown:
    """Close an API for maintenance (4009), or open it again. Calls that are open end as they would."""
    if name not in admin.settings.apis:
        raise Refusal(404, "the settings have no API of that name", "{name}")
    admin.store.write_now(lambda db: switch_api(db, name, body.state))
    return ApiShown(name=name, state=body.state)


@router.get("/audit")
def show_audit(admin: Admin) -> AuditShown:
    """Check every rule of the books. It reads all of them, which takes its time."""
    found = admin.store.read_now(lambda db: audit(db, admin.registry))
    breaches = [BreachShown.model_validate(asdict(breach)) for breach in found[:_MOST]]
    return AuditShown(is_right=not found, count=len(found), breaches=breaches)
