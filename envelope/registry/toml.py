"""TOML that somebody else wrote: a table, or one error with the place of the fault."""

from __future__ import annotations

import re
import tomllib
from typing import Any

from envelope.errors import DecodeError
from envelope.hints import Hint

__all__ = ["parse_toml"]

_FORMAT = "toml"
_MAX_REASON = 120


def parse_toml(data: str | bytes) -> dict[str, Any]:
    """Return the table in *data*; `DecodeError` with the offset if it is not TOML."""
    text = data if isinstance(data, str) else _decode(data)
    try:
        return tomllib.loads(text)
    except RecursionError:
        pass
    except ValueError as error:  # TOMLDecodeError, and int's own error for thousands of digits
        # It quotes keys in full, and a key may look like a place.
        reason, _, place = str(error).rpartition(" (at ")
        reason = (reason or place)[:_MAX_REASON].encode("ascii", "backslashreplace").decode()
        hint = Hint("not-a-file-name") if text.endswith(".toml") else None
        raise DecodeError(reason, format=_FORMAT, offset=_offset(text, place), hint=hint) from None
    raise DecodeError("nested too deep", kind="limit", format=_FORMAT)


def _decode(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise DecodeError("TOML is UTF-8", format=_FORMAT, offset=error.start) from None


def _offset(text: str, place: str) -> int:
    """The byte that tomllib's ``line 3, column 7)`` means; the end if it says so."""
    if (match := re.fullmatch(r"line ([0-9]{1,9}), column ([0-9]{1,9})\)", place)) is None:
        return len(text.encode("utf-8", "surrogatepass")) if place == "end of document)" else 0
    # tomllib replaces \r\n by \n before it counts, which keeps the lines the same.
    *above, line = text.split("\n")[: int(match[1])]
    before = "\n".join([*above, line[: int(match[2]) - 1]])
    return len(before.encode("utf-8", "surrogatepass"))
