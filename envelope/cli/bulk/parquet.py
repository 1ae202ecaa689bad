"""`--parquet`: one column holds the documents; the other columns and the order of rows stay as they are.

A Parquet file cannot grow: it is incomplete until its footer is written. So a run writes an Arrow stream, which can be
cut off and resumed at any batch, and turns it into the Parquet file at the end.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import click

from envelope.cli.bulk.chunks import CHUNK, BadRecord, Chunk, Outcome, Position, RepairedRecord
from envelope.cli.bulk.compression import BadInput
from envelope.cli.bulk.plan import Plan
from envelope.cli.common.report import printable
from envelope.conversion.attempts import Report

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from envelope.cli.bulk.chunks import Record, SetAside
    from envelope.conversion.documents import Conversion

__all__ = ["parquet_plan"]

_START: Final = Position(0, 1)  # a Parquet record has a row, but no byte offset
_MAX_ROWS: Final = 1024  # in a chunk: pages may hold far more than their byte count suggests
_GROUP: Final = 64 * CHUNK  # bytes of an output row group, before compression


@dataclass(frozen=True, slots=True)
class ParquetTask:
    """Converts column number ``column`` of a batch of rows."""

    conversion: Conversion
    column: int

    def __call__(self, chunk: Chunk, set_aside: SetAside, /) -> Outcome:
        """The rows with the converted documents, as one Arrow message; bad ones are left out unless rows are kept."""
        import pyarrow as pa

        from envelope.adapters.arrow import as_column, documents_of, type_of

        batch = pa.ipc.open_stream(chunk.data).read_next_batch()
        column = batch.column(self.column)
        documents = documents_of(column)
        report = Report()
        bodies, faults, losses = self.conversion.convert(documents, report)
        made = batch.set_column(
            self.column, batch.schema.field(self.column).name, as_column(bodies, type_of(column.type, self.conversion))
        )
        told: list[Record] = []
        for line, (raw, fault) in enumerate(zip(documents, faults, strict=True)):
            if fault is not None:
                told.append(BadRecord(line, None, len(raw or b""), fault, raw))
            elif line in report.repairs:
                told.append(RepairedRecord(line, None, len(raw or b""), report.repairs[line]))
        if told:
            set_aside(told)
        if not self.conversion.keep_rows and any(faults):
            made = made.filter(pa.array([fault is None for fault in faults]))
        records = len(column) - column.null_count
        output = made.serialize().to_pybytes()
        return Outcome(output, 0, len(column), records, losses, report.counts, report.layers)


def parquet_plan(name: str, conversion: Conversion, column: str) -> Plan:
    """The plan of `--parquet`. Its line numbers are row numbers, from 1."""
    try:
        import pyarrow as pa
        from pyarrow import parquet as pq
    except ModuleNotFoundError as exc:
        raise click.UsageError(f"--parquet needs {exc.name}: pip install 'envelope-engine[parquet]'") from None
    try:
        file = pq.ParquetFile(pa.OSFile(os.fsencode(name)))
    except (OSError, pa.ArrowInvalid) as exc:
        raise click.UsageError(f"cannot read {printable(name)}: {printable(str(exc))}") from None
    schema = _plain(file.schema_arrow)
    place = schema.get_field_index(os.fsencode(column))
    if place < 0:
        known = ", ".join(map(printable, schema.names))
        raise click.UsageError(f"--parquet {printable(column)}: the columns are {known}")
    kind = schema.field(place).type
    if kind not in (pa.binary(), pa.string(), pa.large_binary(), pa.large_string()):
        raise click.UsageError(f"--parquet {printable(column)}: its type is {kind}, not binary or string")
    from envelope.adapters.arrow import type_of

    written = schema.set(place, schema.field(place).with_type(type_of(kind, conversion)))
    rows = max(file.metadata.num_rows, 1)
    size = os.path.getsize(name)

    return Plan(
        start=_START,
        chunks=lambda start: _chunks(file, schema, start),
        task=ParquetTask(conversion, place),
        done=lambda position: size * (position.line - 1) // rows,
        head=written.serialize().to_pybytes(),
        finish=lambda partial, output: _write(partial, output, _codec(file.metadata)),
    )


def _plain(schema: Any) -> Any:
    """*schema* without top-level dictionaries: a batch must be readable without those before it."""
    import pyarrow as pa

    for place, field in enumerate(schema):
        if pa.types.is_dictionary(field.type):
            schema = schema.set(place, field.with_type(field.type.value_type))
    return schema


def _chunks(file: Any, schema: Any, start: Position) -> Iterator[Chunk]:
    """Batches of rows from *start* on, never across row groups."""
    import pyarrow as pa

    line = 1
    for group in range(file.num_row_groups):
        shape = file.metadata.row_group(group)
        if line + shape.num_rows <= start.line:
            line += shape.num_rows
            continue
        rows = min(max(CHUNK * shape.num_rows // max(shape.total_byte_size, 1), 1), _MAX_ROWS)
        try:
            for batch in file.iter_batches(rows, row_groups=[group]):
                if line >= start.line:
                    sink = pa.BufferOutputStream()
                    with pa.ipc.new_stream(sink, schema) as stream:
                        stream.write_batch(batch.cast(schema))
                    yield Chunk(sink.getvalue().to_pybytes(), 0, 0)
                line += batch.num_rows
        except (OSError, pa.ArrowException) as exc:
            raise BadInput(f"its Parquet data is damaged: {exc}") from None


def _codec(metadata: Any) -> str:
    """The compression of the input, also used for the output."""
    if not metadata.num_row_groups or not metadata.num_columns:
        return "snappy"
    codec: str = metadata.row_group(0).column(0).compression.lower()
    return "none" if codec == "uncompressed" else codec


def _write(stream: Path, output: BinaryIO, codec: str) -> None:
    """Write the batches of *stream* to *output* as a Parquet file."""
    import pyarrow as pa
    from pyarrow import parquet as pq

    with pa.OSFile(os.fsencode(stream)) as source:
        reader = pa.ipc.open_stream(source)
        with pq.ParquetWriter(output, reader.schema, compression=codec) as writer:
            held: list[Any] = []
            for batch in reader:
                held.append(batch)
                if sum(each.nbytes for each in held) >= _GROUP:
                    writer.write_table(pa.Table.from_batches(held))
                    held = []
            if held:
                writer.write_table(pa.Table.from_batches(held))
