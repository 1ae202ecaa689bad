"""The caller's bytes, as every decoder takes them; the compiled decoders import nothing else from this folder."""

from __future__ import annotations

from envelope.errors import DecodeError
from envelope.limits import Limits

__all__ = ["as_bytes"]


def as_bytes(data: object, format: str, limits: Limits) -> bytes:
    """Return the bytes of a bytes-like object; `DecodeError` if they are more than ``limits.max_bytes``."""
    if not isinstance(data, bytes | bytearray | memoryview):
        raise TypeError(f"input must be bytes-like, not {type(data).__name__}")
    size = data.nbytes if isinstance(data, memoryview) else len(data)
    if size > limits.max_bytes:
        from envelope.formats.common.budget import long_input

        reason, hint = long_input(size, limits)
        raise DecodeError(reason, kind="limit", format=format, offset=limits.max_bytes, hint=hint)
    return data if type(data) is bytes else bytes(data)
