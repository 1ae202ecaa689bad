"""From format to format: the converted bytes, and all that they lost of the value."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from envelope.errors import EncodeError
from envelope.formats import Format, get_format, get_shortcut
from envelope.limits import DEFAULT_LIMITS, Limits
from envelope.options import Dialect, Maps, Values

if TYPE_CHECKING:
    from envelope.values.php import Loss

__all__ = ["convert_and_compare", "lost"]


def convert_and_compare(
    data: bytes | bytearray | memoryview,
    source: str,
    target: str,
    *,
    values: Values = "portable",
    maps: Maps = "array",
    source_dialect: Dialect = "typed",
    target_dialect: Dialect = "typed",
    default: Callable[[Any], Any] | None = None,
    limits: Limits = DEFAULT_LIMITS,
    compare: bool = True,
) -> tuple[bytes, list[Loss]]:
    """The converted document, and all that it lost: none unless *compare*. `convert` decides what losses mean."""
    reader, row = get_format(source), get_format(target)
    shortcut = get_shortcut(source, target, values, maps, source_dialect, target_dialect) if default is None else None
    if shortcut and (body := shortcut.convert(data, limits)):
        return body, []
    value = reader.loads(data, values, source_dialect, limits)
    is_projected = values == "php" and not row.is_php
    written = value
    if is_projected:
        from envelope.conversion.projection import project

        # Arrays were read as lists wherever they could be one, so the maps that look like lists are objects.
        written, maps = project(value, row.name, limits), "object"
    body = row.dumps(written, "portable" if is_projected else values, maps, target_dialect, default, limits)
    found = lost(row, value, body, values, maps, target_dialect, default, limits) if compare else []
    return body, found


def lost(
    row: Format,
    value: object,
    body: bytes,
    values: Values,
    maps: Maps,
    dialect: Dialect,
    default: Callable[[Any], Any] | None,
    limits: Limits,
) -> list[Loss]:
    """What *value* lost in *body*, which was written of it with these options."""
    if default is None and row.is_exact(values, maps, dialect):
        return []
    if default is None and row.is_exact(values, "object", dialect) and body == _exact_body(row, value, limits):
        return []
    from envelope.values.php import differences

    return list(differences(value, row.loads(body, values, dialect, limits)))


def _exact_body(row: Format, value: object, limits: Limits) -> bytes | None:
    """The bytes that keep all of a portable *value*: to write them is far quicker than to read others and compare."""
    try:
        return row.dumps(value, "portable", "object", "typed", None, limits)
    except EncodeError:  # longer than the limit
        return None
