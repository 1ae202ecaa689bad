"""The caller's document, as every decoder takes it; the compiled decoders import nothing else from this folder."""

from __future__ import annotations

from envelope.errors import DecodeError
from envelope.limits import Limits

__all__ = ["as_bytes"]


def as_bytes(data: object, format: str, limits: Limits, encoding: str = "utf-8") -> bytes:
    """Return the bytes of a bytes-like object, or of a text in UTF-8.

    `DecodeError` if they are more than ``limits.max_bytes``, or for a lone surrogate; `TypeError` for a text whose
    *encoding* is said to be another.
    """
    if isinstance(data, str):
        data = _encoded(data, format, limits, encoding)
    elif not isinstance(data, bytes | bytearray | memoryview):
        raise TypeError(f"input must be bytes-like or str, not {type(data).__name__}")
    size = data.nbytes if isinstance(data, memoryview) else len(data)
    if size > limits.max_bytes:
        raise _too_long(size, format, limits)
    return data if type(data) is bytes else bytes(data)


def _encoded(text: str, format: str, limits: Limits, encoding: str) -> bytes:
    if encoding != "utf-8":
        raise TypeError(f"a str is decoded already: with encoding={encoding!r}, pass the bytes")
    if len(text) > limits.max_bytes:  # a character takes a byte at least
        raise _too_long(len(text), format, limits, "characters")
    try:
        return str.encode(text)
    except UnicodeEncodeError as exc:
        offset = len(text[: exc.start].encode())
    # After the handler, because that error holds the text.
    from envelope.hints import Hint

    raise DecodeError("a lone surrogate", kind="malformed", format=format, offset=offset, hint=Hint("not-all-decoded"))


def _too_long(size: int, format: str, limits: Limits, unit: str = "bytes") -> DecodeError:
    from envelope.formats.common.budget import long_input

    reason, hint = long_input(size, limits, unit)
    return DecodeError(reason, kind="limit", format=format, offset=limits.max_bytes, hint=hint)
