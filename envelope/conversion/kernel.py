"""From format to format: the converted bytes, and what they lost of the value, place by place."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from envelope.errors import EncodeError
from envelope.formats import Format, ResultType, get_shortcut
from envelope.formats.common.input import as_bytes
from envelope.limits import Limits
from envelope.options import (
    DEFAULT_READING,
    DEFAULT_WRITING,
    OBJECTS,
    Default,
    Objects,
    ReadOptions,
    Unknown,
    WriteOptions,
    check_word,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envelope.options import MoreWriting
    from envelope.values.php_types import Loss

__all__ = ["between_php", "convert_and_compare", "for_objects", "holds_tags", "is_lossless", "lost"]

_LARGE: Final = 1024 * 1024  # bytes
_SPARSE: Final = 40  # bytes for each container

# The usual options with stdClass, which short documents need not wait for.
_STD_READING: Final = replace(DEFAULT_READING, std_class=True)
_STD_WRITING: Final = replace(DEFAULT_WRITING, values="php")


def between_php(
    source: Format, reading: ReadOptions, target: Format, writing: WriteOptions
) -> tuple[ReadOptions, WriteOptions]:
    """Return the options of a conversion; between PHP's formats, stdClass is kept in the portable domain, too.

    What is read is as portable as before but for that, so a writer of PHP's domain writes nothing else. ``maps`` has
    nothing to decide: no array is read as a map that looks like a list.
    """
    if not (source.is_php and target.is_php):
        return reading, writing
    if reading is DEFAULT_READING and writing is DEFAULT_WRITING:
        return _STD_READING, _STD_WRITING
    if reading.php or reading.std_class:
        return reading, writing
    return replace(reading, std_class=True), replace(writing, values="php")


def holds_tags(source: Format, target: Format) -> bool:
    """Whether ``objects="tagged"`` is for this pair: one of PHP's formats, and json or jsonu."""
    return (source.is_php and target.is_json) or (source.is_json and target.is_php)


def for_objects(
    objects: Objects, source: Format, reading: ReadOptions, target: Format, writing: WriteOptions
) -> tuple[ReadOptions, WriteOptions]:
    """Return the options of a conversion that shows *objects* so; `TypeError` if it does not tag between these formats.

    All but the public properties is in PHP's domain alone, and tags keep the references. They do not count in the
    limits, which are for PHP's value.
    """
    check_word("objects", objects, OBJECTS)
    if objects == "public":
        return reading, writing
    reading, writing = replace(reading, values="php"), replace(writing, values="php")
    if objects == "tagged":
        if not holds_tags(source, target):
            raise TypeError('objects="tagged" is between serialize or var_export and json or jsonu')
        if source.name == ResultType.SERIALIZE:
            reading = replace(reading, references="keep")
    return reading, writing


def is_lossless(reading: ReadOptions, target: Format, writing: WriteOptions) -> bool:
    """Whether nothing can be lost of what is read and written with these options, which are `between_php`'s."""
    return target.is_exact(writing) or (reading.std_class and writing.dialect == "typed")


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
    objects: Objects = "public",
) -> tuple[bytes, Iterator[Loss]]:
    """Return the converted document, and all that it lost: nothing unless *compare*.

    Both options have the same domain, unless *objects* decides on it (`for_objects`). Raises `DecodeError` and
    `EncodeError`; the caller decides what losses mean, and keeps as many as it needs: there may be as many as there
    are values. *in_parts* takes less memory for a large
    document, but ``becomes`` of a large map that became a list may then lack its members.
    """
    if objects != "public":
        reading, writing = for_objects(objects, source, reading, target, writing)
        if objects == "tagged":
            return _convert_tagged(data, source, reading, target, writing, default, unknown, compare=compare)
    shortcut = get_shortcut(source.name, reading, target.name, writing) if default is None else None
    if shortcut and (body := shortcut.convert(data, reading.limits)):
        return body, iter(())
    reading, writing = between_php(source, reading, target, writing)
    value = source.read(data, reading, unknown)
    if not writing.php or target.is_php:
        body = target.dumps(value, writing, default)
    else:
        from envelope.conversion.projection import project

        # Arrays were read as lists wherever possible, so the maps that look like lists are objects.
        more: MoreWriting = {"flags": writing.flags} if writing.flags else {}
        writing = target.writing(writing.values, "object", writing.dialect, writing.limits, **more)
        portable = target.writing("portable", "object", writing.dialect, writing.limits, **more)
        body = target.dumps(project(value, target.name, writing.limits, objects), portable, default)
    if not compare or (unknown is None and is_lossless(reading, target, writing)):
        return body, iter(())
    if target.is_php and reading.php and reading.references == "resolve" and source.name == "serialize":
        data = as_bytes(data, source.name, reading.limits)
        if b"R:" in data:
            value = source.read(data, replace(reading, references="keep"), unknown)
    return body, lost(target, writing, default, value, body, std_class=reading.std_class, in_parts=in_parts)


def _convert_tagged(
    data: str | bytes | bytearray | memoryview,
    source: Format,
    reading: ReadOptions,
    target: Format,
    writing: WriteOptions,
    default: Default | None,
    unknown: Unknown | None,
    *,
    compare: bool,
) -> tuple[bytes, Iterator[Loss]]:
    """Convert between PHP's domain and JSON with tags, which loses nothing but what var_export cannot hold."""
    if target.is_json:
        from envelope.conversion.tagged.write import tag

        tagged = tag(source.read(data, reading, unknown), target.name, writing.limits)
        return target.dumps(tagged, replace(writing, limits=_with_tags(writing.limits)), default), iter(())
    from envelope.conversion.tagged.read import untag

    reading = replace(reading, limits=_with_tags(reading.limits))
    value = untag(source.read(data, reading, unknown), data, reading, source.name)
    body = target.dumps(value, writing, default)
    if not compare or target.name == ResultType.SERIALIZE:
        return body, iter(())
    return body, lost(target, writing, default, value, body)


def _with_tags(limits: Limits) -> Limits:
    """The limits of a JSON document whose value, without the tags, is within *limits*."""
    # A value is at most a reference to an object with two more tags, and is named in the visibility of another.
    depth, items = min(2 * limits.max_depth + 2, sys.maxsize), min(8 * limits.max_items + 8, sys.maxsize)
    return Limits(max_bytes=limits.max_bytes, max_depth=depth, max_items=items)


def lost(
    row: Format,
    options: WriteOptions,
    default: Default | None,
    value: object,
    body: bytes,
    *,
    std_class: bool = False,
    in_parts: bool = False,
) -> Iterator[Loss]:
    """Return what *value* lost in *body*, which was written from it with *options*; *in_parts* as above.

    *std_class* says that *value* is portable but for stdClass. A reference is lost where it comes again: held in one
    place it is none. Formats that have no references at all, and do not say so either, lose nothing by that.
    """
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

    reading = row.reading("portable" if std_class else options.values, options.dialect, options.limits)
    if std_class:
        reading = replace(reading, std_class=True)
    elif options.php and row.name == "serialize" and b"R:" in body:
        reading = replace(reading, references="keep")
    is_tree = std_class or not (options.php and row.is_php)
    return _told(differences(value, row.loads(body, reading), is_tree=is_tree), row, std_class=std_class)


def _told(losses: Iterator[Loss], row: Format, *, std_class: bool) -> Iterator[Loss]:
    """*losses* without the first place of each reference; without all of them, if *row* is none of PHP's formats."""
    from envelope.values.php_types import NO_REFERENCE, PhpObject, PhpReference

    met = set()
    for loss in losses:
        if std_class and type(loss.becomes) is PhpObject and type(loss.was) is dict:
            continue  # a map that looks like a list, which maps="object" asks for
        if loss.note == NO_REFERENCE and type(loss.was) is PhpReference:
            is_first = id(loss.was) not in met
            met.add(id(loss.was))
            if is_first or not row.is_php:
                continue
        yield loss


def _exact_body(row: Format, options: WriteOptions, value: object) -> bytes | None:
    """The bytes that keep all of a portable *value*: writing them is far quicker than reading others to compare."""
    try:
        return row.dumps(value, row.writing("portable", "object", "typed", options.limits))
    except EncodeError:  # longer than the limit
        return None
