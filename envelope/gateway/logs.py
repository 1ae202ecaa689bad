"""Logs: a line for each call, of what the books know: no key, secret, argument, address or text of a caller's."""

from __future__ import annotations

import logging
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import structlog

if TYPE_CHECKING:
    from envelope.calls.request import ApiRequest
    from envelope.gateway.upstreams.outcome import Outcome

__all__ = ["CallLog", "Ended", "LogForm"]

LogForm = Literal["json", "text", "none"]

_LEVEL: Final = logging.INFO


class Ended(NamedTuple):
    """How a call ended that is on the books.

    ``charge`` is in micro-units, ``seconds`` are those of the whole call, ``asking`` those of them in which upstreams
    were asked. ``outcome`` is None if the answer came from the cache.
    """

    request_id: str
    code: str
    billing: str
    charge: int
    seconds: float
    asking: float = 0.0
    outcome: Outcome | None = None


class CallLog:
    """Says what became of calls, on standard error: as JSON lines, as text for people, or not at all."""

    def __init__(self, form: LogForm = "json") -> None:
        self._is_on = form != "none"
        renderer: Any = (
            structlog.processors.JSONRenderer()
            if form == "json"
            else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
        )
        self._log = structlog.wrap_logger(
            _Lines(),
            processors=[
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                renderer,
            ],
            wrapper_class=structlog.make_filtering_bound_logger(_LEVEL if form != "none" else logging.CRITICAL),
        )

    def ended(self, request: ApiRequest, ended: Ended) -> None:
        """A call is on the books."""
        if not self._is_on:
            return
        outcome = ended.outcome
        self._log.info(
            "call",
            request_id=ended.request_id,
            api=f"{request.api_type}/{request.api_name}",
            method=request.method,
            code=ended.code,
            charge=ended.charge,
            milliseconds=round(ended.seconds * 1000, 3),
            upstream=outcome.upstream if outcome is not None else "cache",
            attempts=[attempt.what for attempt in outcome.attempts] if outcome is not None else [],
        )

    def refused(self, code: str) -> None:
        """A call was not let in."""
        self._log.info("refused", code=code)

    def repeated(self) -> None:
        """A call got the answer of an earlier one, which the books have."""

    def unanswered(self, code: str) -> None:
        """A call got *code* in place of an answer, whatever the books have of it."""

    def closed(self, call: int, code: str) -> None:
        """Recovery closed a call."""
        self.note("closed", call=call, code=code)

    def fault(self, error: Exception) -> None:
        """Something of ours failed. Of an error only its type and place are told, as its text may hold a caller's."""
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace is not None else ""
        self._log.error("fault", error=type(error).__name__, place=place)

    def note(self, event: str, **told: Any) -> None:
        """Something that an operator may want to know."""
        self._log.info(event, **told)

    def alarm(self, event: str, **told: Any) -> None:
        """Something that an operator must know, even if nothing else is logged."""
        self._log.critical(event, **told)


class _Lines:
    """Standard error, which may be gone: no call fails since nobody can read about it any more."""

    def write(self, line: str) -> None:
        with suppress(OSError, ValueError):
            sys.stderr.write(f"{line}\n")
            sys.stderr.flush()

    info = error = critical = write
