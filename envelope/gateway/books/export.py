"""Export: the records of all calls that have ended, as JSON lines, CSV or Parquet, in constant memory."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import asdict, astuple, fields
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import orjson

from envelope.gateway.books.calls import CallRecord, ended_calls

if TYPE_CHECKING:
    from envelope.gateway.stores.store import Store

__all__ = ["export_calls", "write_csv", "write_jsonl", "write_parquet"]

_PAGE: Final = 1000
_NAMES: Final = [field.name for field in fields(CallRecord)]


def export_calls(store: Store, after: int = 0) -> Iterator[CallRecord]:
    """The calls that have ended, after the number *after*, oldest first; what ended does not change any more, but for a
    refund.

    Each page is a view of its own, so that the store's file does not grow meanwhile.
    """
    while page := store.read_now(lambda db, after=after: ended_calls(db, after, _PAGE)):  # type: ignore[misc]
        yield from page
        after = page[-1].id


def write_jsonl(calls: Iterable[CallRecord], output: BinaryIO) -> None:
    """A JSON object a line."""
    for call in calls:
        output.write(orjson.dumps(asdict(call), option=orjson.OPT_APPEND_NEWLINE))


def write_csv(calls: Iterable[CallRecord], output: BinaryIO) -> None:
    """A line of names, then one for each call, as RFC 4180 has it; what is unknown is empty."""
    text = io.TextIOWrapper(output, encoding="utf-8", newline="", write_through=True)
    try:
        writer = csv.writer(text)
        writer.writerow(_NAMES)
        writer.writerows(map(astuple, calls))
    finally:
        text.detach()


def write_parquet(calls: Iterable[CallRecord], output: BinaryIO) -> None:
    """A Parquet file, its columns named as the fields; needs the extra ``parquet``."""
    import pyarrow as pa
    from pyarrow import parquet as pq

    types = {"int": pa.int64(), "str": pa.string(), "bool": pa.bool_()}
    # Annotations are texts here: "int | None".
    schema = pa.schema([(field.name, types[str(field.type).partition(" ")[0]]) for field in fields(CallRecord)])
    with pq.ParquetWriter(output, schema, compression="zstd") as writer:
        rows: list[dict[str, Any]] = []
        for call in calls:
            rows.append(asdict(call))
            if len(rows) == 10 * _PAGE:
                writer.write_table(pa.Table.from_pylist(rows, schema))
                rows = []
        if rows:
            writer.write_table(pa.Table.from_pylist(rows, schema))
