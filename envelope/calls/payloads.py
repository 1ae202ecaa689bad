"""Payloads as programs have them: dates, decimals, dataclasses, models, as values that every format holds."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

__all__ = ["plain"]


def plain(thing: Any) -> Any:
    """*thing* as a value: a function for ``default=``.

    Dates and times become their ISO 8601 text, decimals and UUIDs their text, enums what they stand for, tuples and
    sets lists, dataclasses and the models of pydantic, msgspec and attrs maps of their fields. `TypeError` for others.
    """
    if isinstance(thing, datetime | date | time):
        return thing.isoformat()
    if isinstance(thing, Decimal | UUID):
        return str(thing)
    if isinstance(thing, Enum):
        return thing.value
    if isinstance(thing, Mapping):
        return dict(thing)
    if isinstance(thing, tuple | set | frozenset):
        return list(thing)
    if dataclasses.is_dataclass(thing) and not isinstance(thing, type):
        return {field.name: getattr(thing, field.name) for field in dataclasses.fields(thing)}
    if callable(dump := getattr(thing, "model_dump", None)) and not isinstance(thing, type):  # pydantic
        return dump()
    for listing in ("__struct_fields__", "__attrs_attrs__"):  # msgspec, attrs
        if (fields := getattr(type(thing), listing, None)) is not None:
            names = [field if isinstance(field, str) else field.name for field in fields]
            return {name: getattr(thing, name) for name in names}
    raise TypeError(f"a {type(thing).__name__} is not a value")
