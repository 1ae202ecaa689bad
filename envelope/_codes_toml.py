"""The reader of a registry's file: TOML with the tables ``[[codes]]`` and ``[[overrides]]``."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

from envelope.errors import DecodeError, ValidationError
from envelope.path import format_path, short_path

__all__ = ["Record", "read_records"]

_FORMAT = "toml"
_TABLES = ("codes", "overrides")
_MAX_SHOWN = 40
_MAX_REASON = 120


class Record(NamedTuple):
    """One table of the file: which kind it is of, its path, its fields (all known, none missing)."""

    table: str
    path: str
    fields: dict[str, Any]


def read_records(data: str | bytes, known: Collection[str], required: Collection[str]) -> Iterator[Record]:
    """The records in *data*, in order, the new codes first.

    *known* are the fields that there are, *required* those that a new code must have. `DecodeError` where *data* is no
    TOML; `ValidationError` for a table or field that is unknown, missing, or no table.
    """
    tables = _parse(data)
    for name in tables:
        if name not in _TABLES:
            raise ValidationError("no such table", path=short_path([name]), hint="the tables are codes and overrides")
    for name in _TABLES:
        records = tables.get(name, [])
        if not isinstance(records, list):
            raise ValidationError("not a list of tables", path=format_path([name]), hint=f"write [[{name}]]")
        for index, record in enumerate(records):
            path = format_path([name, index])
            _check_fields(record, path, known, required if name == "codes" else ["code"])
            yield Record(name, path, record)


def _check_fields(record: Any, path: str, known: Collection[str], required: Collection[str]) -> None:
    if not isinstance(record, dict):
        raise ValidationError("not a table", path=path)
    code = record.get("code")
    code = code[:_MAX_SHOWN] if isinstance(code, str) else "?"
    for name, value in record.items():
        step = short_path([name]).removeprefix("$")
        if name not in known:
            raise ValidationError("no such field", path=path + step, hint=f"the fields are {', '.join(known)}")
        if isinstance(value, str) and not value.strip():
            raise ValidationError(f"{name} of code {code} is empty", path=path + step)
    for name in required:
        if name not in record:
            raise ValidationError(f"code {code} has no {name}", path=f"{path}.{name}")
    if len(record) < 2:
        raise ValidationError(f"code {code} is not changed", path=path, hint="an override has the fields that change")


def _parse(data: str | bytes) -> dict[str, Any]:
    if not isinstance(data, str | bytes):
        raise TypeError(f"a registry's file is str or bytes, not {type(data).__name__}")
    text = data if isinstance(data, str) else _decode(data)
    try:
        return tomllib.loads(text)
    except RecursionError:
        pass
    except ValueError as error:  # TOMLDecodeError, and int's own for a number of thousands of digits
        # A key stands in it whole, and may have the words of a place in it.
        reason, _, place = str(error).rpartition(" (at ")
        reason = (reason or place)[:_MAX_REASON].encode("ascii", "backslashreplace").decode()
        hint = "that is the file's name: what it holds is wanted" if text.endswith(".toml") else ""
        raise DecodeError(reason, format=_FORMAT, offset=_offset(text, place), hint=hint) from None
    raise DecodeError("nested too deep", kind="limit", format=_FORMAT)


def _decode(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise DecodeError("TOML is UTF-8", format=_FORMAT, offset=error.start) from None


def _offset(text: str, place: str) -> int:
    """The byte that tomllib's ``line 3, column 7)`` means; the end where it says so."""
    if (match := re.fullmatch(r"line ([0-9]{1,9}), column ([0-9]{1,9})\)", place)) is None:
        return len(text.encode("utf-8", "surrogatepass")) if place == "end of document)" else 0
    # tomllib counts in the text that has \n for \r\n, where the lines are the same.
    *above, line = text.split("\n")[: int(match[1])]
    before = "\n".join([*above, line[: int(match[2]) - 1]])
    return len(before.encode("utf-8", "surrogatepass"))
