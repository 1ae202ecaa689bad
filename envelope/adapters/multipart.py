"""multipart/form-data as PHP reads it: the fields are a form ($_POST), the files are streams to read.

A server feeds the body to a `MultipartReader` as it arrives, and passes the `Form` on in an
`envelope.calls.HttpRequest`. What is not regular is refused, although PHP may guess: a form that is cut, a header that
is folded, a name in quotes that do not close. Needs python-multipart, the extra ``multipart``.
"""

from __future__ import annotations

import re
from contextlib import ExitStack, suppress
from functools import partial
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, Final, NamedTuple, cast

from envelope.adapters.extras import extra
from envelope.calls.bounds import MAX_NAMES, REQUEST_LIMITS
from envelope.calls.http import Upload
from envelope.calls.media import FORM_TYPE, split_content_type
from envelope.errors import RequestError
from envelope.limits import Limits

__all__ = ["MAX_FILES", "MAX_FILES_BYTES", "Form", "MultipartReader", "TooLarge", "is_multipart"]

MAX_FILES: Final = 20
"""How many files a form may have: as many as PHP takes (``max_file_uploads``)."""

MAX_FILES_BYTES: Final = 64 * 1024 * 1024
"""How long the files of a form may be together, by default."""

_MEDIA_TYPE: Final = "multipart/form-data"
_ROLLOVER: Final = 64 * 1024  # a longer file is on the disk

_BOUNDARY: Final = re.compile(r';\s*boundary=(?:"([^"\\]{1,70})"|([^\s;,"]{1,70}))\s*(?=;|$)', re.IGNORECASE)
# In quotes, a backslash escapes a quote or itself, and is else a character.
_PARAMETER: Final = re.compile(rb';[ \t]*([A-Za-z*]{1,20})=(?:"((?:[^"\\]|\\.)*)"|([^\s;"\']*))[ \t]*')
_CONTROL: Final = re.compile(rb"[\0-\x08\x0a-\x1f]")
_ESCAPED: Final = re.compile(rb'\\([\\"])')
# In a urlencoded form these mean something; any other byte may stand as it is.
_SPECIAL: Final = re.compile(rb"[%&+=\0]")


class TooLarge(RequestError):
    """A body is longer than a server reads: HTTP calls it 413."""


class Form(NamedTuple):
    """A multipart form that was read. Whoever answers the call closes the files of the ``uploads``."""

    body: bytes
    """The fields, as the body of a urlencoded form (``content_type``)."""
    files: tuple[Upload, ...]
    content_type: str = FORM_TYPE


class MultipartReader:
    """Reads a multipart form as it arrives: `feed` it the bytes, then `finish`; `close` it if anything fails.

    *content_type* is the header of the call, with the boundary. The names and values of fields are together at most
    ``max_bytes`` of *limits*, the files *max_files_bytes*, and the whole form as much as both; `TooLarge` for more,
    `RequestError` (4003) for what cannot be read. `ImportError` without python-multipart.
    """

    def __init__(
        self, content_type: str, *, limits: Limits = REQUEST_LIMITS, max_files_bytes: int = MAX_FILES_BYTES
    ) -> None:
        with extra("multipart"):
            from python_multipart import MultipartParser
            from python_multipart.exceptions import FormParserError
        found = _BOUNDARY.findall(content_type)
        if len(found) != 1:
            raise RequestError("the multipart form has no boundary")
        if not split_content_type(content_type)[1]:
            raise RequestError("the body is in a charset other than UTF-8")
        self._limits = limits
        self._max_files_bytes = max_files_bytes
        self._fault = FormParserError
        self._resources = ExitStack()
        self._pairs: list[bytes] = []
        self._files: list[Upload] = []
        self._bytes = self._fields_bytes = self._files_bytes = self._parts = 0
        self._is_complete = False
        self._parser = MultipartParser(
            "".join(found[0]).encode("latin-1", "replace"),
            {
                "on_part_begin": self._begin,
                "on_header_field": lambda data, start, end: self._header.append(data[start:end]),
                "on_header_value": lambda data, start, end: self._value.append(data[start:end]),
                "on_header_end": self._end_header,
                "on_headers_finished": self._open,
                "on_part_data": lambda data, start, end: self._write(data[start:end]),
                "on_part_end": self._end,
                "on_end": self._complete,
            },
        )

    def feed(self, data: bytes) -> None:
        """Read the next bytes of the body."""
        # Headers, and what belongs to no part, are bounded, too.
        self._bytes += len(data)
        if self._bytes > (longest := self._limits.max_bytes + self._max_files_bytes):
            raise TooLarge(f"the form is longer than {longest} bytes")
        with suppress(self._fault):  # it may hold some of the input, so the error that is raised must not hold it
            self._parser.write(data)
            return
        raise RequestError("the multipart form cannot be read")

    def finish(self) -> Form:
        """The whole form, after the last byte."""
        if not self._is_complete:
            raise RequestError("the multipart form ends before its last boundary")
        self._resources.pop_all()
        for upload in self._files:
            upload.file.seek(0)
        return Form(b"&".join(self._pairs), tuple(self._files))

    def close(self) -> None:
        """Close the files that were not handed on by `finish`."""
        self._resources.close()

    def _begin(self) -> None:
        self._parts += 1
        if self._parts > MAX_NAMES + MAX_FILES:
            raise RequestError(f"more than {MAX_NAMES} parameters")
        self._headers: dict[bytes, bytes] = {}
        self._header: list[bytes] = []
        self._value: list[bytes] = []

    def _end_header(self) -> None:
        name = b"".join(self._header).lower()
        if name in self._headers:
            raise RequestError("a part has two headers of one name")
        self._headers[name] = b"".join(self._value).strip(b" \t")
        self._header, self._value = [], []

    def _open(self) -> None:
        """The headers of a part are complete."""
        parameters = _disposition(self._headers.get(b"content-disposition", b""))
        self._name = parameters[b"name"]
        self._text = bytearray()
        self._file: BinaryIO | None = None
        content_type = self._headers.get(b"content-type", b"").decode("utf-8", "replace")
        filename = parameters.get(b"filename")
        self._is_skipped = filename == b""  # no file was chosen
        if self._is_skipped:
            return
        if filename is None:
            if not split_content_type(content_type)[1]:
                raise RequestError("a field is in a charset other than UTF-8")
            self._count_text(len(self._name))
            return
        if len(self._files) == MAX_FILES:
            raise RequestError(f"more than {MAX_FILES} files")
        spooled = self._resources.enter_context(SpooledTemporaryFile(_ROLLOVER))  # noqa: SIM115
        self._file = cast(BinaryIO, spooled)
        self._upload = partial(
            Upload,
            name=self._name.decode("utf-8", "replace"),
            filename=filename.decode("utf-8", "replace"),
            content_type=content_type,
            file=self._file,
        )

    def _write(self, data: bytes) -> None:
        if self._is_skipped:
            return
        if self._file is None:
            self._count_text(len(data))
            self._text += data
            return
        self._files_bytes += len(data)
        if self._files_bytes > self._max_files_bytes:
            raise TooLarge(f"the files are longer than {self._max_files_bytes} bytes")
        self._file.write(data)

    def _end(self) -> None:
        if self._is_skipped:
            return
        if self._file is not None:
            self._files.append(self._upload(size=self._file.tell()))
            return
        if len(self._pairs) == MAX_NAMES:
            raise RequestError(f"more than {MAX_NAMES} parameters")
        self._pairs.append(_escaped(self._name) + b"=" + _escaped(bytes(self._text)))

    def _complete(self) -> None:
        self._is_complete = True

    def _count_text(self, length: int) -> None:
        self._fields_bytes += length
        if self._fields_bytes > self._limits.max_bytes:
            raise TooLarge(f"the fields are longer than {self._limits.max_bytes} bytes")


def is_multipart(content_type: str) -> bool:
    """Whether a body of this type is for a `MultipartReader`."""
    return content_type[: len(_MEDIA_TYPE)].lower() == _MEDIA_TYPE


def _disposition(header: bytes) -> dict[bytes, bytes]:
    """The parameters of a part's Content-Disposition; it has a ``name``."""
    kind, semicolon, _ = header.partition(b";")
    parameters: dict[bytes, bytes] = {}
    at = len(kind)
    while match := _PARAMETER.match(header, at):
        name, quoted, token = match.groups()
        if name.lower() in parameters:
            break
        parameters[name.lower()] = token if quoted is None else _ESCAPED.sub(rb"\1", quoted)
        at = match.end()
    is_whole = kind.strip().lower() == b"form-data" and semicolon and at == len(header)
    if not is_whole or b"name" not in parameters or _CONTROL.search(header):
        raise RequestError("a part of the multipart form has no name that can be read")
    return parameters


def _escaped(raw: bytes) -> bytes:
    return _SPECIAL.sub(lambda match: b"%%%02X" % match[0][0], raw)
