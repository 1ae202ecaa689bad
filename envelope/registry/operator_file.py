"""The reader of a registry's file: TOML with the tables ``[[codes]]`` and ``[[overrides]]``."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

from envelope.errors import ValidationError
from envelope.hints import Hint
from envelope.path import MAX_SHOWN, format_path, short_path
from envelope.registry.toml import parse_toml

__all__ = ["Record", "read_records"]

_TABLES = ("codes", "overrides")


class Record(NamedTuple):
    """One table of the file: its kind, its path, its fields (all known, none missing)."""

    table: str
    path: str
    fields: dict[str, Any]


def read_records(data: str | bytes, known: Collection[str], required: Collection[str]) -> Iterator[Record]:
    """Yield the records in *data*, in order, the new codes first.

    *known* are all fields, *required* those that a new code must have. `DecodeError` if *data* is not TOML;
    `ValidationError` for a table or field that is unknown or missing, or is not a table.
    """
    if not isinstance(data, str | bytes):
        raise TypeError(f"a registry's file must be str or bytes, not {type(data).__name__}")
    tables = parse_toml(data)
    for name in tables:
        if name not in _TABLES:
            raise ValidationError("no such table", path=short_path([name]), hint=Hint("tables"))
    for name in _TABLES:
        records = tables.get(name, [])
        if not isinstance(records, list):
            raise ValidationError("not a list of tables", path=format_path([name]), hint=Hint("list-of-tables", name))
        for index, record in enumerate(records):
            path = format_path([name, index])
            _check_fields(record, path, known, required if name == "codes" else ["code"])
            yield Record(name, path, record)


def _check_fields(record: Any, path: str, known: Collection[str], required: Collection[str]) -> None:
    if not isinstance(record, dict):
        raise ValidationError("not a table", path=path)
    code = record.get("code")
    code = code[:MAX_SHOWN] if isinstance(code, str) else "?"
    for name, value in record.items():
        step = short_path([name]).removeprefix("$")
        if name not in known:
            raise ValidationError("no such field", path=path + step, hint=Hint("fields", ", ".join(known)))
        if isinstance(value, str) and not value.strip():
            raise ValidationError(f"{name} of code {code} is empty", path=path + step)
    for name in required:
        if name not in record:
            raise ValidationError(f"code {code} has no {name}", path=f"{path}.{name}")
    if len(record) < 2:
        raise ValidationError(f"code {code} is not changed", path=path, hint=Hint("override-fields"))
