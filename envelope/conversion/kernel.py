"""From format to format: the converted bytes, and what they lost of the value, place by place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envelope.errors import EncodeError
from envelope.formats import Format, get_shortcut
from envelope.options import Default, ReadOptions, Unknown, WriteOptions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envelope.options import MoreWriting
    from envelope.values.php_types import Loss

__all__ = ["convert_and_compare", "lost"]

_LARGE: Final = 1024 * 1024  # bytes
_SPARSE: Final = 40  # bytes for each container


def convert_and_compare(
    data: str | bytes | bytearray | memoryview,
    source: Format,
    reading: ReadOptions,
    target: Format,
    writing: WriteOptions,
    *,
    default: Default | None = None,
    unknown: Unknown | None = None,
    compare: bool = True,
    in_parts: bool = False,
) -> tuple[bytes, Iterator[Loss]]:
    """Return the converted document, and all that it lost: nothing unless *compare*.

    Both options have the same domain. Raises `DecodeError` and `EncodeError`; the caller decides what losses mean, and
    keeps as many as it needs: there may be as many as there are values. *in_parts* takes less memory for a large
    document, but ``becomes`` of a large map that became a list may then lack its members.
    """
    shortcut = get_shortcut(source.name, reading, target.name, writing) if default is None else None
    if shortcut and (body := shortcut.convert(data, reading.limits)):
        return body, iter(())
    value = source.read(data, reading, unknown)
    if not writing.php or target.is_php:
        body = target.dumps(value, writing, default)
    else:
        from envelope.conversion.projection import project

        # Arrays were read as lists wherever possible, so the maps that look like lists are objects.
        more: MoreWriting = {"flags": writing.flags} if writing.flags else {}
        writing = target.writing(writing.values, "object", writing.dialect, writing.limits, **more)
        portable = target.writing("portable", "object", writing.dialect, writing.limits, **more)
        body = target.dumps(project(value, target.name, writing.limits), portable, default)
    if not compare:
        return body, iter(())
    return body, lost(target, writing, default, value, body, in_parts=in_parts)


def lost(
    row: Format,
    options: WriteOptions,
    default: Default | None,
    value: object,
    body: bytes,
    *,
    in_parts: bool = False,
) -> Iterator[Loss]:
    """Return what *value* lost in *body*, which was written from it with *options*; *in_parts* as above."""
    is_portable = default is None and not options.php
    is_typed = is_portable and options.dialect == "typed"
    if is_typed and row.is_exact(options):
        return iter(())
    # A plain document depends on more than one level: a repeated name is a list. No part of a session is one.
    in_parts = in_parts and is_portable and options.dialect in ("typed", "php") and len(body) > _LARGE
    # Of many small containers, the value is so large that there is no room for a second body.
    is_dense = in_parts and len(body) < _SPARSE * (body.count(b"{") + body.count(b"("))
    if is_typed and not is_dense and body == _exact_body(row, options, value):
        return iter(())
    if in_parts:
        from envelope.conversion.parts import differences_in_parts

        reading = row.reading(options.values, options.dialect, options.limits)
        return differences_in_parts(value, lambda part: row.loads(row.dumps(part, options), reading))
    from envelope.values.php_types import differences

    written = row.loads(body, row.reading(options.values, options.dialect, options.limits))
    return differences(value, written, is_tree=not (options.php and row.is_php))


def _exact_body(row: Format, options: WriteOptions, value: object) -> bytes | None:
    """The bytes that keep all of a portable *value*: writing them is far quicker than reading others to compare."""
    try:
        return row.dumps(value, row.writing("portable", "object", "typed", options.limits))
    except EncodeError:  # longer than the limit
        return None
