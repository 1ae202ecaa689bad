"""Content types: the one each format is sent as, and the format that a `Content-Type` means."""

from __future__ import annotations

from envelope.errors import DecodeError, UnknownFormat
from envelope.formats import FORMATS, ResultType
from envelope.path import MAX_SHOWN

__all__ = ["FORM_TYPE", "MEDIA_TYPES", "content_type_of", "format_of_content_type", "split_content_type"]

FORM_TYPE = "application/x-www-form-urlencoded"
"""The media type of a form."""

# json is ASCII, and the only one that needs no charset.
_CONTENT_TYPES = {row.name: f"{row.media_type}; charset=utf-8" for row in FORMATS.values()} | {
    ResultType.JSON: FORMATS[ResultType.JSON].media_type
}

# With the other names that servers and callers use.
MEDIA_TYPES = {row.media_type: row.name for row in FORMATS.values()} | {
    "application/json": ResultType.JSON,
    "text/json": ResultType.JSON,
    "text/xml": ResultType.XML,
    "application/x-php-serialized": ResultType.SERIALIZE,
    "application/x-httpd-php": ResultType.VAR_EXPORT,
}


def content_type_of(result_type: ResultType) -> str:
    """The `Content-Type` of an answer in this format: each of the five has its own."""
    return _CONTENT_TYPES[result_type]


def split_content_type(content_type: str) -> tuple[str, bool]:
    """The media type in a `Content-Type`, in lower case, and whether its charset is UTF-8 or not given."""
    media_type, *parameters = (part.strip() for part in content_type.lower().split(";"))
    charsets = [
        value.strip('" ') for name, _, value in (part.partition("=") for part in parameters) if name == "charset"
    ]
    return media_type, all(charset in ("utf-8", "utf8", "us-ascii") for charset in charsets)


def format_of_content_type(content_type: str) -> ResultType:
    """The format of a body with this `Content-Type`.

    `UnknownFormat` if it does not say (PHP calls everything text/html unless told otherwise); `DecodeError` of kind
    ``forbidden`` for a charset that is not UTF-8.
    """
    media_type, is_utf8 = split_content_type(content_type)
    suffix = media_type.rpartition("+")[2]
    result_type = MEDIA_TYPES.get(media_type) or MEDIA_TYPES.get(f"application/{suffix}")
    if result_type is None:
        raise UnknownFormat(f"the content type {media_type[:MAX_SHOWN]!r} names no format: give the result_type")
    if not is_utf8:
        raise DecodeError("a charset other than UTF-8", kind="forbidden", format=result_type)
    return result_type
