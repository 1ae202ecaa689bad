"""Sessions: a cookie that says who signed in, and until when; signed, so that no process need remember it."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from envelope.gateway.admin.desk import Desk
    from envelope.gateway.pages.asked import Asked

__all__ = ["COOKIE", "Session", "Sessions"]

COOKIE: Final = "console"

_PURPOSE: Final = "console sessions"
_IDLE: Final = 1800  # seconds after which a session that is not used has ended
_LONGEST: Final = 12 * 3600
_FORM: Final = re.compile(r"([0-9a-f]{32})\.([0-9]{1,12})\.([0-9]{1,12})\.([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Session:
    """One that is open; ``proof`` is what its forms carry, which no other site can know."""

    id: str
    began: int
    proof: str


class Sessions:
    """Makes and reads the cookie. Its keys are derived from the vault's and the token: either changed ends them all."""

    def __init__(self, desk: Desk, now: Callable[[], float]) -> None:
        token = desk.settings.admin_token.get_secret_value() if desk.settings.admin_token else ""
        self._keys = [hmac.digest(key, token.encode(), "sha256") for key in desk.vault.derive_all(_PURPOSE)]
        self._now = now

    def begin(self) -> Session:
        """A new one."""
        return self._session(secrets.token_hex(16), int(self._now()))

    def read(self, asked: Asked) -> Session | None:
        """That of the request's cookie; None if there is none, it has ended, or is not ours."""
        match = _FORM.fullmatch(asked.cookies.get(COOKIE, ""))
        if match is None:
            return None
        id, began, until, given = match.groups()
        told = f"{id}.{began}.{until}"
        is_ours = any(hmac.compare_digest(_mac(key, told), given) for key in self._keys)
        return self._session(id, int(began)) if is_ours and self._now() < int(until) else None

    def cookie(self, session: Session, asked: Asked) -> str:
        """The cookie that carries it on."""
        until = min(int(self._now()) + _IDLE, session.began + _LONGEST)
        told = f"{session.id}.{session.began}.{until}"
        return self._set(f"{told}.{_mac(self._keys[0], told)}", until - int(self._now()), asked)

    def end(self, asked: Asked) -> str:
        """The cookie that is none any more."""
        return self._set("", 0, asked)

    def _session(self, id: str, began: int) -> Session:
        return Session(id, began, _mac(self._keys[-1], f"proof {id}"))

    def _set(self, value: str, seconds: int, asked: Asked) -> str:
        secure = "; Secure" if asked.is_https else ""
        return f"{COOKIE}={value}; Path=/console; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}"


def _mac(key: bytes, text: str) -> str:
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
