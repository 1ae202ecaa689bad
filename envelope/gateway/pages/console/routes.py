"""`/console`: signing in and out, what is shown, and what is done. Whatever a form does, it proves where it is from."""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlencode

from pydantic import ValidationError

from envelope.errors import EnvelopeError
from envelope.gateway.admin.errors import Refusal, refusal_of
from envelope.gateway.pages.answers import Answer, html, to
from envelope.gateway.pages.asked import Asked, read_form
from envelope.gateway.pages.console.actions import ACTIONS, Done
from envelope.gateway.pages.console.sessions import Session, Sessions
from envelope.gateway.pages.console.views import VIEWS
from envelope.gateway.pages.failures import failure
from envelope.gateway.pages.rendering import lang_cookies, render
from envelope.gateway.pages.state import state_of

if TYPE_CHECKING:
    from envelope.adapters.asgi_wire import Receive
    from envelope.gateway.operation.generations import Generation
    from envelope.gateway.running import Running

__all__ = ["CONSOLE", "answer_console"]

CONSOLE: Final = "/console"

_LONGEST: Final = 16 * 1024
_NO_ROBOTS: Final = {"X_Robots_Tag": "noindex, nofollow"}
# Where an operator finds himself after each form.
_AFTER: Final = {"make": "account", "deposit": "account", "grant": "account", "state": "account", "secret": "account",
                 "refund": "calls", "api": "", "audit": ""}  # fmt: skip

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Visit:
    """One request of somebody who may have signed in."""

    running: Running
    generation: Generation
    asked: Asked
    sessions: Sessions

    @property
    def admin(self) -> Any:
        return self.generation.gateway.admin

    async def do(self, work: Callable[[], T]) -> T:
        """What *work* gives, in a thread, one of the few that the admin API has."""
        async with self.admin.turns:
            return await asyncio.to_thread(work)


async def answer_console(running: Running, generation: Generation, asked: Asked, receive: Receive) -> Answer:
    """A page of the console; there is none without an admin token."""
    if generation.settings.admin_token is None:
        return failure(asked, 404, "no_console", **_NO_ROBOTS)
    visit = _Visit(running, generation, asked, Sessions(generation.gateway.admin.desk, time.time))
    name = asked.path.removeprefix(CONSOLE).strip("/")
    session = visit.sessions.read(asked)
    if asked.method == "POST":
        form = await read_form(receive, _LONGEST)
        if not asked.is_same_origin:
            return failure(asked, 403, **_NO_ROBOTS)
        if name == "login":
            return _sign_in(visit, form.get("token", ""))
        if session is None:
            return to(CONSOLE)
        if not hmac.compare_digest(form.get("proof", "").encode("utf-8", "replace"), session.proof.encode()):
            return failure(asked, 403, **_NO_ROBOTS)
        if name == "logout":
            return to(CONSOLE, visit.sessions.end(asked))
        return await _act(visit, session, name, form) if name in ACTIONS else failure(asked, 404, **_NO_ROBOTS)
    if name not in VIEWS:
        return failure(asked, 404, **_NO_ROBOTS)
    if session is None:
        return _login_page(asked)
    return await _view(visit, session, name, dict(asked.query))


def _sign_in(visit: _Visit, given: str) -> Answer:
    asked, attempts = visit.asked, visit.running.attempts
    if seconds := attempts.seconds_to_wait(asked.client):
        return _login_page(asked, 429, "wait", Retry_After=str(int(seconds) + 1))
    token = visit.generation.settings.admin_token
    is_right = token is not None and hmac.compare_digest(
        given.strip().encode("utf-8", "surrogateescape"), token.get_secret_value().encode()
    )
    if not is_right:
        attempts.failed(asked.client)
        visit.generation.log.note("console", did="a wrong token")
        return _login_page(asked, 403, "wrong")
    return to(CONSOLE, visit.sessions.cookie(visit.sessions.begin(), asked))


def _login_page(asked: Asked, status: int = 200, wrong: str = "", **headers: str) -> Answer:
    page = render("console/login.html", asked, wrong=wrong, has_console=True)
    return html(page, status, lang_cookies(asked), **_NO_ROBOTS, **headers)


async def _act(visit: _Visit, session: Session, name: str, form: dict[str, str]) -> Answer:
    desk, log = visit.admin.desk, visit.generation.log
    page = _AFTER[name]
    query = {"name": form.get("name", "")} if page == "account" else {}
    try:
        done: Done = await visit.do(lambda: ACTIONS[name](desk, form))
    except (Refusal, ValidationError, EnvelopeError) as error:
        page, query = ("accounts", {}) if name == "make" else (page, query)
        return await _view(visit, session, page, query, refusal=_refusal(error))
    log.note("console", did=name, of=[*done.of])
    if done.secret is not None or done.audit is not None:
        return await _view(visit, session, page, query, secret=done.secret, audit=done.audit)
    return to(f"{CONSOLE}/{page}?{urlencode({**query, 'done': name}, errors='replace')}")


async def _view(
    visit: _Visit, session: Session, name: str, query: dict[str, str], *, refusal: Refusal | None = None, **shown: Any
) -> Answer:
    desk = visit.admin.desk
    status = 200 if refusal is None else refusal.status
    try:
        found = await visit.do(lambda: VIEWS[name](desk, query))
    except (Refusal, ValidationError, EnvelopeError) as error:
        refusal = refusal or _refusal(error)
        status, name, query = refusal.status, "calls" if name == "calls" else "accounts", {}
        if status == 503:
            return failure(visit.asked, 503, **_NO_ROBOTS, Retry_After="5")
        found = await visit.do(lambda: VIEWS[name](desk, query))
    page = render(
        f"console/{name or 'overview'}.html",
        visit.asked,
        is_operator=True,
        has_console=True,
        proof=session.proof,
        section={"account": "accounts"}.get(name, name),
        done=query.get("done", "") if query.get("done") in ACTIONS else "",
        refusal=refusal,
        state=await state_of(visit.running, visit.generation),
        **{"secret": None, "audit": None, **shown},
        **found,
    )
    cookies = (*lang_cookies(visit.asked), visit.sessions.cookie(session, visit.asked))
    return html(page, status, cookies, **_NO_ROBOTS)


def _refusal(error: Exception) -> Refusal:
    if isinstance(error, Refusal):
        return error
    if isinstance(error, ValidationError):
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        return Refusal(422, first["msg"].removeprefix("Value error, "), ".".join(map(str, first["loc"])))
    assert isinstance(error, EnvelopeError)  # noqa: S101  # nothing else is caught
    return refusal_of(error)
