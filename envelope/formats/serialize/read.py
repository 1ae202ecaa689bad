"""Reading serialize: one value, the first of several, or a session."""

from __future__ import annotations

import re
from typing import Any, Final

from envelope.errors import DecodeError
from envelope.formats.common.input import as_bytes
from envelope.formats.serialize.reader import FORMAT, HEAD, Reader
from envelope.hints import Hint
from envelope.options import DEFAULT_READING, ReadOptions
from envelope.path import ROOT

__all__ = ["loads", "loads_first"]

_SESSION: Final = re.compile(rb"[^|\x00-\x1f\x7f;]{1,255}\|(?:%b)" % HEAD.pattern)


def loads(data: object, options: ReadOptions = DEFAULT_READING) -> Any:
    """Return the value that PHP's `unserialize` reads from *data*; `DecodeError` if it is not exactly one value.

    In the dialects of sessions, it is what PHP's `session_decode` reads.
    """
    data = as_bytes(data, FORMAT, options.limits, options.encoding)
    if options.dialect != "typed":
        from envelope.formats.serialize.sessions import read_session

        return read_session(data, options)
    if options.open_payloads and b"C:" in data:
        from envelope.formats.serialize.payloads import PayloadReader

        reader: Reader = PayloadReader(data, options, refers=options.php and (b"R:" in data or b"r:" in data))
    else:
        # Slots cost a place each, so they are kept only if something may refer to one (always after a key's `;`).
        reader = Reader(data, options, refers=options.php and (b";R:" in data or b";r:" in data))
    try:
        value, end = reader.first(0)
    except DecodeError as error:
        if error.path == ROOT:
            error.hint = error.hint or _session_hint(data)
        raise
    if end < len(data):
        raise reader.trailing(end)
    return value


def loads_first(data: object, start: int, options: ReadOptions = DEFAULT_READING) -> tuple[Any, int]:
    """Return the value that begins at byte *start* of *data*, and the place after it, whatever follows."""
    data = as_bytes(data, FORMAT, options.limits, options.encoding)
    if not 0 <= start <= len(data):
        raise ValueError(f"start must be within 0 … {len(data)}, not {start}")
    # Whether something refers to a slot is not looked for: *data* may be long, and the value short.
    return Reader(data, options, refers=options.php).first(start)


def _session_hint(data: bytes) -> Hint | None:
    """Return the hint that *data* is a session, if it begins as one does."""
    if _SESSION.match(data):
        return Hint("session-dialect")
    size = data[0] if data else 0
    return Hint("session-binary-dialect") if HEAD.match(data, 1 + size) and 0 < size < 128 else None
