"""A multipart form as it is sent: its length is known before, and its files are read while they are sent."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import AsyncIterator, Callable
from typing import Final

from envelope.calls.http import Upload
from envelope.errors import RequestError
from envelope.gateway.upstreams.methods import Ask
from envelope.path import format_path

__all__ = ["FormBody"]

_CHUNK: Final = 64 * 1024
_CONTROL: Final = re.compile(r"[\0-\x1f\x7f]")
_TYPE: Final = re.compile(r"[\w!#$&^.+-]{1,64}/[\w!#$&^.+-]{1,64}(?:; ?[\w-]{1,32}=[\w.-]{1,64})?", re.ASCII)
_MAX_NAME: Final = 255


class FormBody:
    """One sending of a form; a second attempt makes its own, which reads the files from their beginning."""

    def __init__(self, ask: Ask) -> None:
        self._boundary = secrets.token_hex(16)
        self._parts: list[tuple[bytes, Upload | None, int]] = []
        for name, text in ask.fields:
            value = _encoded(text, name)
            self._parts.append((self._head(name) + b"\r\n\r\n" + value, None, 0))
        for upload in ask.files:
            upload.file.seek(0, os.SEEK_END)
            self._parts.append((self._file_head(upload), upload, upload.file.tell()))
        self._end = f"--{self._boundary}--\r\n".encode()
        self.content_type = f"multipart/form-data; boundary={self._boundary}"
        self.length = len(self._end) + sum(len(head) + size + 2 for head, _, size in self._parts)

    async def chunks(self, sent: Callable[[], None]) -> AsyncIterator[bytes]:
        """The bytes to send; *sent* is called whenever some are gone."""
        for head, upload, size in self._parts:
            yield head
            if upload is not None:
                # Read in this thread: one that reads on after its attempt was given up would move the file under the
                # next attempt. A file that was just received is in memory, or in the system's cache.
                upload.file.seek(0)
                while size:
                    chunk = upload.file.read(min(size, _CHUNK))
                    if not chunk:
                        raise OSError("the file is shorter than it was")
                    size -= len(chunk)
                    yield chunk
                    sent()
            yield b"\r\n"
        yield self._end
        sent()

    def _head(self, name: str) -> bytes:
        quoted = _encoded(_CONTROL.sub("", name[:_MAX_NAME]).replace('"', "%22"), name)
        return b'--%b\r\nContent-Disposition: form-data; name="%b"' % (self._boundary.encode(), quoted)

    def _file_head(self, upload: Upload) -> bytes:
        """Of a name that may be a path only its end is sent, and no type that could be another header."""
        plain = re.split(r"[/\\]", upload.filename)[-1]
        filename = _encoded(_CONTROL.sub("", plain)[-_MAX_NAME:].replace('"', "%22") or "file", upload.name)
        type_ = upload.content_type if _TYPE.fullmatch(upload.content_type) else "application/octet-stream"
        return self._head(upload.name) + b'; filename="%b"\r\nContent-Type: %b\r\n\r\n' % (filename, type_.encode())


def _encoded(text: str, name: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        pass
    raise RequestError("a lone surrogate in the text or in its keys", path=format_path([name]))
