"""`CallFailed`: a call that did not succeed, and what is known about why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from envelope.errors import EnvelopeError
from envelope.path import ROOT

if TYPE_CHECKING:
    from envelope.answers.verdicts import Layer
    from envelope.client.answer import Answer

__all__ = ["CallFailed", "FailureKind"]

FailureKind = Literal["unreachable", "network", "timeout", "status", "no-envelope", "limit", "verdict", "payload"]
"""``unreachable``: no connection, so nothing was sent. ``network``: it broke. ``timeout``: no answer in time.
``status``: an HTTP status other than 200, without an envelope. ``no-envelope``: HTTP 200 with something else.
``limit``: a body beyond `envelope.Limits`. ``verdict``: an envelope that says so. ``payload``: a success whose payload
is not what ``response=`` asks for."""


class CallFailed(EnvelopeError):
    """A call failed, after all attempts; what is told is the last one's of which something was sent, if there is one.

    ``kind``         what happened (`FailureKind`), ``layer`` where: ``http``, ``gateway`` or ``upstream``.
    ``code``         the envelope's error code; ``""`` without an envelope.
    ``retryable``    whether the same call may succeed a little later.
    ``envelope``     the answer, None if there was no envelope; ``receipt`` what it says under that name, or None.
    ``path``         the place in the envelope, if that is what is wrong.
    ``http_status``  None if none came.
    ``address``      which of the client's addresses, from 0; None if no attempt was made. ``attempts`` were made.

    The text has nothing of the answer nor of the call, so it can be logged.
    """

    def __init__(
        self,
        reason: str,
        *,
        kind: FailureKind = "verdict",
        layer: Layer = "http",
        code: str = "",
        retryable: bool = False,
        envelope: Answer[Any] | None = None,
        path: str = ROOT,
        http_status: int | None = None,
        address: int | None = None,
        attempts: int = 0,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.kind: FailureKind = kind
        self.layer: Layer = layer
        self.code = code
        self.retryable = retryable
        self.envelope = envelope
        self.path = path
        self.http_status = http_status
        self.address = address
        self.attempts = attempts

    @property
    def receipt(self) -> Any:
        """The receipt in the answer; None if there is none."""
        return None if self.envelope is None else self.envelope.receipt

    def __str__(self) -> str:
        tried = "" if self.attempts <= 1 else f" ({self.attempts} attempts)"
        at = "" if self.path == ROOT else f" at {self.path}"
        return f"{self.layer}: {self.kind}{at}: {self.reason}{tried}"
