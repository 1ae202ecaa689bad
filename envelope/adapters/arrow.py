"""Columns of documents in Apache Arrow: conversion for Parquet files and data frames.

Needs pyarrow: ``pip install 'envelope-engine[parquet]'``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from envelope.conversion.documents import Conversion
from envelope.formats import get_format
from envelope.hints import in_words
from envelope.limits import DEFAULT_LIMITS, Limits
from envelope.options import Dialect, Maps, Objects, OnLoss, Values

if TYPE_CHECKING:
    from envelope.conversion.documents import Converted, Fault

try:
    import pyarrow as pa
except ModuleNotFoundError as exc:
    raise ModuleNotFoundError(
        f"envelope.adapters.arrow needs {exc.name}: pip install 'envelope-engine[parquet]'", name=exc.name
    ) from None

__all__ = ["ERROR_TYPE", "convert_column", "convert_with", "documents_of"]

ERROR_TYPE: Final = pa.struct(
    [
        ("kind", pa.string()),
        ("offset", pa.int64()),
        ("path", pa.string()),
        ("reason", pa.string()),
        ("hint", pa.string()),
    ]
)
"""The fields of `envelope.conversion.Fault`; ``offset`` is in bytes of the document, ``hint`` null if there is none."""


def convert_column(
    column: pa.Array | pa.ChunkedArray,
    source: str,
    target: str,
    *,
    values: Values = "portable",
    maps: Maps = "array",
    source_dialect: Dialect = "typed",
    target_dialect: Dialect = "typed",
    limits: Limits = DEFAULT_LIMITS,
    on_loss: OnLoss = "error",
    objects: Objects = "public",
) -> tuple[pa.Array, pa.Array]:
    """The documents of a binary or string column converted, as binary, and the errors of the bad ones, as `ERROR_TYPE`.

    Both are as long as *column*. A bad document is null in the first, a good one in the second; a null is null in
    both. The options are those of `envelope.convert`; with ``on_loss="error"``, a document that would lose something
    is bad.
    """
    conversion = Conversion(
        source=source,
        target=target,
        reading=get_format(source).reading(values, source_dialect, limits),
        writing=get_format(target).writing(values, maps, target_dialect, limits),
        on_loss=on_loss,
        objects=objects,
    )
    bodies, errors, _ = convert_with(conversion, column)
    return bodies, errors


def convert_with(conversion: Conversion, column: pa.Array | pa.ChunkedArray) -> tuple[pa.Array, pa.Array, Converted]:
    """`convert_column` with a ready-made *conversion*; returns the result as Python objects too."""
    converted = conversion.convert(documents_of(column))
    is_large = pa.types.is_large_binary(column.type) or pa.types.is_large_string(column.type)
    bodies = pa.array(converted.bodies, pa.large_binary() if is_large else pa.binary())
    errors: pa.Array = pa.array(map(_row, converted.faults), ERROR_TYPE, size=len(converted.faults))
    return bodies, errors, converted


def documents_of(column: pa.Array | pa.ChunkedArray) -> list[bytes | None]:
    """The bytes of a binary or string column; `TypeError` if it is neither."""
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        # The codec refuses bytes that are not UTF-8, and says where they are.
        column = column.cast(pa.large_binary() if pa.types.is_large_string(column.type) else pa.binary())
    elif not (pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type)):
        raise TypeError(f"a column of documents is binary or string, not {column.type}")
    documents: list[bytes | None] = column.to_pylist()
    return documents


def _row(fault: Fault | None) -> dict[str, Any] | None:
    return {**fault._asdict(), "hint": in_words(fault.hint) or None} if fault else None
