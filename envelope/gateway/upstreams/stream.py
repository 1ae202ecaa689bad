"""`Stream`: an upstream's events, passed on as they come, and what is known of them when they end.

Nothing is read ahead of whoever passes them on but one chunk of the connection. Each event is looked at (is it JSON, an
error, the usage, the last one), none is kept.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from typing import Any, Final, Protocol

import orjson

from envelope.answers.verdicts import upstream_error
from envelope.calls.events import DONE, EventReader, TooLong, data_of, event_of
from envelope.gateway.upstreams.masks import Masks
from envelope.gateway.upstreams.outcome import Attempted, Outcome, What
from envelope.gateway.upstreams.usage import Usage, usage_of
from envelope.registry.codes import NETWORK_ERROR, NO_RESULT, SUCCESS, TARGET_SERVER_ERROR, TIMEOUT

__all__ = ["CODES", "Connection", "Stream"]

CODES: Final[dict[What, str]] = {
    "answer": SUCCESS,
    "left": SUCCESS,  # what was delivered is paid for
    "nothing": NO_RESULT,
    "error": NO_RESULT,
    "network": NETWORK_ERROR,
    "silent": TIMEOUT,
    "time": TIMEOUT,
    "limit": TARGET_SERVER_ERROR,
    "body": TARGET_SERVER_ERROR,
}
"""The code of a stream that ended so."""

# The last events of methods whose streams have no [DONE], by their "type".
_LAST: Final = frozenset(
    (
        "response.completed", "response.incomplete", "image_generation.completed", "image_edit.completed",
        "transcript.text.done", "speech.audio.done",
    )
)  # fmt: skip


class Connection(Protocol):
    """A connection over which a stream comes."""

    async def read(self) -> bytes:
        """The next bytes, as soon as there are some; none at the end. Any exception if it broke."""

    def close(self) -> None:
        """Read no more."""


class Stream:
    """The events of one call, of an upstream that has begun to send them.

    ``usage``      the tokens that it took, None if the upstream does not say.
    ``delivered``  how many bytes of text came, ``events`` in how many events.
    ``end``        what became of it, None while it runs.
    """

    def __init__(
        self, connection: Connection, *, max_bytes: int, masks: Masks, shows_usage: bool, deadline: float
    ) -> None:
        """*deadline* is that of the first event, by the loop's clock."""
        self._connection = connection
        self._reader = EventReader(max_bytes)
        self._masks = masks
        self._shows_usage = shows_usage
        self._ended: Callable[[What], None] | None = None
        self._first: list[bytes] = []
        self._silence = math.inf
        self._late: What = "silent"
        self._time: asyncio.Timeout | None = None
        self._is_last = False
        self.deadline = deadline
        self.usage: Usage | None = None
        self.delivered = 0
        self.events = 0
        self.error: Any = None
        self.end: What | None = None
        self.upstream = ""
        self.status: int | None = None
        self.attempts: tuple[Attempted, ...] = ()

    async def begin(self) -> What:
        """Wait for the first event: ``answer`` if it came, else why there is no stream. Nothing was passed on yet."""
        while not self.events and self.end is None:
            self._first.append(await self._read())
        return self.end or "answer"

    def run(self, *, stall: float, deadline: float, ended: Callable[[What], None]) -> None:
        """From now on, it may be silent for *stall* seconds, and ends at *deadline*; *ended* is told how, once."""
        self._silence, self._late, self.deadline = stall, "time", deadline
        self._ended = ended
        if self.end is not None:
            ended(self.end)

    async def next(self) -> bytes:
        """The next events to pass on, as they came; none at the end. What ends a stream is not passed on."""
        while self.end is None or self._first:
            passed = self._first.pop(0) if self._first else await self._read()
            if passed:
                return passed
        return b""

    def leave(self) -> None:
        """Nobody wants to hear more. What came is what was delivered."""
        self._finish("left")
        if self._time is not None and not self._time.expired():
            self._time.reschedule(asyncio.get_running_loop().time())

    def outcome(self) -> Outcome:
        """What came of the call."""
        what = self.end or "left"
        response: Any = []
        if what == "error":
            response = self.error
        elif CODES[what] == SUCCESS:
            response = {"events": self.events, "usage": _told(self.usage)}
        return Outcome(
            code=CODES[what],
            response=response,
            usage=self.usage,
            upstream=self.upstream,
            status=self.status,
            attempts=self.attempts,
        )

    async def _read(self) -> bytes:
        """One chunk, and what is to be passed on of it."""
        now = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout_at(min(now + self._silence, self.deadline)) as self._time:
                # Of an event that drips, the time is that of the whole.
                while not (events := self._reader.feed(chunk := await self._connection.read())) and chunk:
                    pass
        except TimeoutError:
            self._finish(self._late)
            return b""
        except TooLong:
            self._finish("limit")
            return b""
        except Exception:  # whatever it is, it holds the request
            self._finish("network")
            return b""
        finally:
            self._time = None
        passed = b"".join(filter(None, map(self._look, events)))
        if not chunk:
            self._finish("answer" if self._is_last else "network")
        return passed

    def _look(self, event: bytes) -> bytes:
        """What is passed on of one event."""
        if self.end is not None:
            return b""
        data = data_of(event)
        if data is None:
            return event if self.events else b""
        if data == DONE:
            self._finish("answer" if self.events else "nothing")
            return b""
        try:
            value = orjson.loads(data)
        except orjson.JSONDecodeError:
            self._finish("body")
            return b""
        if upstream_error(value) is not None:
            self.error = {"error": self._masks.value(value["error"])}
            self._finish("error")
            return b""
        if isinstance(value, dict):
            self.delivered += _text_of(value, data)
            self._is_last = value.get("type") in _LAST
            usage = usage_of(value) or usage_of(value.get("response"))
            if usage is not None:
                self.usage = usage
                if value.get("choices") == [] and not self._shows_usage:
                    return b""
        self.events += 1
        if self._masks.has_key(event):
            return event_of(orjson.dumps(self._masks.value(value)))
        return event

    def _finish(self, what: What) -> None:
        if self.end is None:
            self.end = what
            self._connection.close()
            if self._ended is not None:
                self._ended(what)


def _told(usage: Usage | None) -> dict[str, int] | None:
    if usage is None:
        return None
    total = usage.prompt + usage.completion
    return {"prompt_tokens": usage.prompt, "completion_tokens": usage.completion, "total_tokens": total}


def _text_of(value: dict[str, Any], data: bytes) -> int:
    """How many bytes of text an event brings: that of its choices, or of its delta; of any other, all of it."""
    choices = value.get("choices")
    if isinstance(choices, list):
        said = [choice.get("delta", choice.get("text")) for choice in choices if isinstance(choice, dict)]
        return sum(map(_bytes_in, said))
    if isinstance(value.get("type"), str):
        return _bytes_in(value.get("delta"))
    return len(data)


def _bytes_in(value: Any) -> int:
    """The bytes of the texts in *value*, without those that only name things."""
    if isinstance(value, str):
        return len(value.encode())
    if isinstance(value, dict):
        return sum(_bytes_in(member) for name, member in value.items() if name not in _NAMES)
    if isinstance(value, list):
        return sum(map(_bytes_in, value))
    return 0


_NAMES: Final = frozenset(("role", "id", "type"))
