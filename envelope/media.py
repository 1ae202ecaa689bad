"""Content types: which one each format is sent as, and which format a `Content-Type` or `Accept` header means."""

from __future__ import annotations

from envelope.accept import weighted
from envelope.errors import DecodeError, UnknownFormat
from envelope.formats import FORMATS, ResultType

__all__ = ["content_type_of", "format_of", "negotiate_format", "split_content_type"]

# json is ASCII, and the only one that needs no charset.
_CONTENT_TYPES = {row.name: f"{row.media_type}; charset=utf-8" for row in FORMATS.values()} | {
    ResultType.JSON: FORMATS[ResultType.JSON].media_type
}

# Other names that servers and callers have for them.
_MEDIA_TYPES = {row.media_type: row.name for row in FORMATS.values()} | {
    "application/json": ResultType.JSON,
    "text/json": ResultType.JSON,
    "text/xml": ResultType.XML,
    "application/x-php-serialized": ResultType.SERIALIZE,
    "application/x-httpd-php": ResultType.VAR_EXPORT,
}
_ACCEPTED = _MEDIA_TYPES | {
    "application/json;charset=utf-8": ResultType.JSONU,
    "application/*": ResultType.JSON,
    "*/*": ResultType.JSON,
}


def content_type_of(result_type: ResultType) -> str:
    """The `Content-Type` of an answer in this format: each of the five has its own."""
    return _CONTENT_TYPES[result_type]


def split_content_type(content_type: str) -> tuple[str, str]:
    """The media type and the charset in a `Content-Type`, both in lower case; ``""`` for what is not there."""
    media_type, *parameters = (part.strip() for part in content_type.lower().split(";"))
    charset = ""
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "charset":
            charset = value.strip().strip('"')
    return media_type, charset


def format_of(content_type: str) -> ResultType:
    """The format that a body with this `Content-Type` is in.

    `UnknownFormat` where that does not tell (PHP calls everything text/html unless told otherwise); `DecodeError` of
    kind ``forbidden`` for a charset that is not UTF-8.
    """
    media_type, charset = split_content_type(content_type)
    suffix = media_type.rpartition("+")[2]
    result_type = _MEDIA_TYPES.get(media_type) or _MEDIA_TYPES.get(f"application/{suffix}")
    if result_type is None:
        raise UnknownFormat(f"the content type {media_type[:40]!r} is none of a format's: give the result_type")
    if charset not in ("", "utf-8", "utf8", "us-ascii"):
        raise DecodeError(
            f"the charset {charset[:40]!r}", kind="forbidden", format=result_type, hint="only UTF-8 is read"
        )
    return result_type


def negotiate_format(accept: str) -> ResultType:
    """The format that an `Accept` header asks for most; json where it asks for none of the five."""
    weights: dict[ResultType, float] = {}
    for name, weight in weighted(accept):
        result_type = _ACCEPTED.get(name.replace(" ", "").replace('"', ""))
        if result_type is not None:
            weights[result_type] = max(weight, weights.get(result_type, 0.0))
    # Of equal weights the one named first counts.
    best = max(weights, key=weights.__getitem__, default=ResultType.JSON)
    return best if weights.get(best) else ResultType.JSON
