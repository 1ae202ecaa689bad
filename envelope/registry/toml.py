"""TOML that somebody else wrote: a table, or one error with the place of the fault."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from typing import Any, Final

from envelope.errors import DecodeError
from envelope.hints import Hint

__all__ = ["parse_toml"]

_FORMAT: Final = "toml"
_MAX_REASON: Final = 120

# tomllib takes quadratic time and memory for a key of many parts, a call for each level of brackets, and a kilobyte for
# each table, even one that only a dot in a key makes. The gateway's own codes, as a file, are 20 tables in 14 KB.
_MAX_BYTES: Final = 1024 * 1024
_MAX_PARTS: Final = 32
_MAX_DEPTH: Final = 64
_MAX_NESTED: Final = 20_000  # dots and opening brackets in all
_MAX_WORD: Final = 1000  # characters of a number or a bare name

# What counts, what ends a key, and what may hide all of these; then how such strings and comments go on.
_MARK: Final = re.compile(r"""[.\[\]{}]|[=,\n]+|"{3}|"|'{3}|'|\#|(?<![\w+-])[\w+-]{1001,}+""")
_REST: Final = {
    "#": re.compile(r"[^\n]*"),
    '"': re.compile(r'[^"\\\n]*+(?:\\.[^"\\\n]*+)*+"?'),
    "'": re.compile(r"[^'\n]*'?"),
    '"""': re.compile(r'(?:[^"\\]++|\\.|"{1,2}(?!"))*+"{0,5}', re.DOTALL),
    "'''": re.compile(r"(?:[^']++|'{1,2}(?!'))*+'{0,5}"),
}


def parse_toml(data: str | bytes) -> dict[str, Any]:
    """Return the table in *data*; `DecodeError` with the offset if it is not TOML.

    Also (kind ``limit``) if it has more than 1 MiB, a key of more than 32 parts, more than 64 levels of brackets, more
    than 20,000 opening brackets and dots in keys, or a number or bare name of more than 1000 characters.
    """
    if len(data) > _MAX_BYTES:
        raise _limit(f"longer than {_MAX_BYTES} bytes", _MAX_BYTES)
    text = data if isinstance(data, str) else _decode(data)
    _check_shape(text)
    try:
        return tomllib.loads(text)
    except RecursionError:
        reason, place = "", ""
    except ValueError as error:  # TOMLDecodeError, and int's own error for thousands of digits
        # It quotes keys in full, and a key may look like a place.
        reason, _, place = str(error).rpartition(" (at ")
        reason = (reason or place)[:_MAX_REASON].encode("ascii", "backslashreplace").decode()
    # After the handler, because that error may hold the text.
    if not reason:
        raise _limit("nested too deep", 0)  # for what is left of the stack
    hint = Hint("not-a-file-name") if text.endswith(".toml") else None
    raise DecodeError(reason, format=_FORMAT, offset=_offset(text, place), hint=hint)


def _check_shape(text: str) -> None:
    """Raise `DecodeError` for a key of too many parts, or too many brackets in each other or in all."""
    parts, depth, nested = 1, 0, 0
    for place, mark in _marks(text):
        if mark in "[{.":
            nested += 1
        if mark == ".":
            parts += 1
        else:
            parts = 1
            depth += (mark in "[{") - (mark in "]}")
        if len(mark) > _MAX_WORD:
            raise _limit(f"a number or a name of more than {_MAX_WORD} characters", _bytes_before(text, place))
        if parts > _MAX_PARTS:
            raise _limit(f"a key of more than {_MAX_PARTS} parts", _bytes_before(text, place))
        if depth > _MAX_DEPTH:
            raise _limit("nested too deep", _bytes_before(text, place))
        if nested > _MAX_NESTED:
            raise _limit(f"more than {_MAX_NESTED} brackets and dots", _bytes_before(text, place))


def _marks(text: str) -> Iterator[tuple[int, str]]:
    """Each dot, bracket and end of a key, with its place; none of those in strings and comments."""
    pos = 0
    while match := _MARK.search(text, pos):
        pos = match.end()
        if rest := _REST.get(match[0]):
            if found := rest.match(text, pos):
                pos = found.end()
        else:
            yield match.start(), match[0]


def _limit(reason: str, offset: int) -> DecodeError:
    return DecodeError(reason, kind="limit", format=_FORMAT, offset=offset, hint=Hint("plain-toml"))


def _decode(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise DecodeError("TOML is UTF-8", format=_FORMAT, offset=error.start) from None


def _offset(text: str, place: str) -> int:
    """The byte that tomllib's ``line 3, column 7)`` means; the end if it says so."""
    if (match := re.fullmatch(r"line ([0-9]{1,9}), column ([0-9]{1,9})\)", place)) is None:
        return _bytes_before(text, len(text)) if place == "end of document)" else 0
    # tomllib replaces \r\n by \n before it counts, which keeps the lines the same.
    *above, line = text.split("\n")[: int(match[1])]
    before = "\n".join([*above, line[: int(match[2]) - 1]])
    return _bytes_before(before, len(before))


def _bytes_before(text: str, place: int) -> int:
    return len(text[:place].encode("utf-8", "surrogatepass"))
