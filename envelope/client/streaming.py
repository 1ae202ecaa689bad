"""A stream's bytes as events, and at its end the envelope, checked: without I/O, for both clients."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import orjson

from envelope.calls.events import EventReader, TooLong, data_of
from envelope.client.answer import Answer
from envelope.client.errors import CallFailed
from envelope.client.reading import failure_of_fault, failure_of_verdict, read_reply
from envelope.client.wire import Reply, fault_of
from envelope.formats import ResultType

if TYPE_CHECKING:
    from envelope.client.settings import CallOptions, Settings
    from envelope.client.wire import Flow

__all__ = ["Events"]

_ENVELOPE: Final = b"event: envelope\n"


class Events:
    """Takes one stream apart; `ended` says whether its envelope has come."""

    def __init__(self, settings: Settings, options: CallOptions, flow: Flow) -> None:
        self._settings = settings
        self._format = ResultType(options.get("result_type", settings.result_type))
        self._status = flow.http_status
        self._reader = EventReader(settings.limits.max_bytes)
        self.ended = False

    def of(self, chunk: bytes) -> Iterator[Any]:
        """The events that end in *chunk*: values of JSON, the last of all an `Answer`. `CallFailed` if that is none."""
        try:
            events = self._reader.feed(chunk)
        except TooLong:
            raise CallFailed("an event is longer than Limits.max_bytes", kind="limit") from None
        for event in events:
            data = data_of(event)
            if event.startswith(_ENVELOPE):
                self.ended = True
                yield self._answer(data or b"")
                return
            if data is not None:
                yield _value(data)

    def failure(self, error: Exception | None = None) -> CallFailed:
        """Why there is no envelope: the HTTP client's *error*, or that the stream just ended."""
        if error is not None:
            return failure_of_fault(fault_of(error), address=0, attempts=1)
        return CallFailed("the stream was cut: no envelope at its end", kind="network", retryable=True)

    def _answer(self, body: bytes) -> Answer[Any]:
        reply = Reply(status=self._status, content_type="", retry_after="", body=body)
        found = read_reply(reply, self._format, self._settings, address=0, attempts=1)
        if isinstance(found, CallFailed):
            raise found
        if not found.verdict.ok:
            raise failure_of_verdict(found, self._settings)
        return found


def _value(data: bytes) -> Any:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        pass
    raise CallFailed("an event that is not JSON", kind="no-envelope")
