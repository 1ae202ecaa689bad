"""`AdminApi`: who may come in; what is behind it is imported when somebody does."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from envelope.adapters.asgi_wire import Disconnected
from envelope.gateway.admin import ADMIN
from envelope.gateway.admin.bodies import read_body
from envelope.gateway.admin.errors import Refusal, fault, send_refusal

if TYPE_CHECKING:
    from envelope.adapters.asgi_wire import ASGIApp, Message, Receive, Scope, Send
    from envelope.gateway.admin.desk import Desk
    from envelope.gateway.logs import CallLog

__all__ = ["AdminApi"]

_NO_STORE: Final = (b"cache-control", b"no-store")  # some answers have a secret
_AT_ONCE: Final = 4
_CHALLENGE: Final = {"WWW-Authenticate": 'Bearer realm="admin"'}


class AdminApi:
    """An ASGI application for the paths under `ADMIN`, which works on *desk*."""

    def __init__(self, desk: Desk, log: CallLog) -> None:
        self.desk = desk
        self._log = log
        # Each has a thread, and a connection to the store: calls need both more.
        self.turns = asyncio.Semaphore(_AT_ONCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; whatever goes wrong, with an error of the one form."""
        told = _Told(send)
        try:
            self._check_token(scope)
            body = await read_body(scope, receive)
            inner = {**scope, "envelope.admin": self.desk}
            async with self.turns:
                application = await asyncio.to_thread(_application)  # imports it the first time, which takes long
                await application(inner, _replayed(body, receive), told)
        except Refusal as refusal:
            await send_refusal(told, refusal)
        except Disconnected:
            return
        except Exception as error:
            self._log.fault(error)
            if not told.status:
                await send_refusal(told, fault())
        else:
            if scope["method"] != "GET" and told.status < 300:
                of = [*map(str, inner.get("path_params", {}).values())]
                path = inner["route"].path.removeprefix(ADMIN.rstrip("/"))  # older versions of FastAPI have it there
                self._log.note("admin", did=f"{scope['method']} {path}", of=of)

    def _check_token(self, scope: Scope) -> None:
        token = self.desk.settings.admin_token
        if token is None:
            raise Refusal(404, "there is no admin API here: admin_token in gateway.toml opens it")
        given = [value for name, value in scope["headers"] if name == b"authorization"]
        scheme, _, rest = given[0].partition(b" ") if len(given) == 1 else (b"", b"", b"")
        is_right = hmac.compare_digest(rest.strip(), token.get_secret_value().encode())
        if scheme.lower() != b"bearer" or not is_right:
            raise Refusal(401, "this needs the admin token: Authorization: Bearer …", headers=_CHALLENGE)


class _Told:
    """Sends, without leave to store it, and remembers the status."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message = {**message, "headers": [*message["headers"], _NO_STORE]}
        await self._send(message)


@cache
def _application() -> ASGIApp:
    from envelope.adapters.extras import extra

    with extra("gateway"):
        from envelope.gateway.admin.application import application
    return application()


def _replayed(body: bytes, receive: Receive) -> Callable[[], Any]:
    """Receives what was received, once, then what comes."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return messages.pop() if messages else await receive()

    return replay
