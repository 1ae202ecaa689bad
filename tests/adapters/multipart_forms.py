"""Multipart forms for tests: written by hand, so that they can also be wrong."""

from __future__ import annotations

from typing import NamedTuple

TYPE = "multipart/form-data; boundary=xYzZY"


class Part(NamedTuple):
    name: bytes
    value: bytes
    filename: bytes | None = None
    content_type: bytes = b""


def written(parts: list[Part]) -> bytes:
    """*parts* as a body of the type `TYPE`; quotes and backslashes in names are escaped."""
    body = bytearray()
    for part in parts:
        body += b'--xYzZY\r\nContent-Disposition: form-data; name="%b"' % escaped(part.name)
        if part.filename is not None:
            body += b'; filename="%b"' % escaped(part.filename)
        if part.content_type:
            body += b"\r\nContent-Type: " + part.content_type
        body += b"\r\n\r\n" + part.value + b"\r\n"
    return bytes(body + b"--xYzZY--\r\n")


def escaped(name: bytes) -> bytes:
    return name.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
