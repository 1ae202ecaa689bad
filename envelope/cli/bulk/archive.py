"""From the command line to a run: which plan to use, and what must be unchanged to resume a run."""

from __future__ import annotations

import json
import os
from contextlib import closing
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from envelope import __version__
from envelope.cli.bulk.compression import compression_of
from envelope.cli.bulk.output import is_same_file, partial_of, replaces_file
from envelope.cli.bulk.plan import Input, csv_plan, lines_plan
from envelope.cli.bulk.run import Run
from envelope.cli.bulk.workers import Workers
from envelope.cli.common.report import printable

if TYPE_CHECKING:
    from envelope.cli.bulk.options import BulkOptions
    from envelope.conversion.documents import Conversion

__all__ = ["convert_archive"]


def convert_archive(file: str, output: str, conversion: Conversion, bulk: BulkOptions) -> int:
    """Convert the archive *file* and return the exit status."""
    _check_names(file, output, bulk)
    is_stream = file == "-" or (os.path.exists(file) and not os.path.isfile(file))
    if bulk.parquet is not None and (is_stream or not replaces_file(output)):
        raise click.UsageError("--parquet: FILE and -o FILE must be files, because Parquet cannot be streamed")
    try:
        source = Input(file)
    except OSError as exc:
        raise click.UsageError(f"cannot read {printable(file)}: {exc.strerror}") from None
    with closing(source), Workers(bulk.jobs) as workers:
        return _run(source, output, conversion, bulk, workers)


def _run(source: Input, output: str, conversion: Conversion, bulk: BulkOptions, workers: Workers) -> int:
    compression = compression_of(output)
    run = Run(
        source=source.name,
        size=source.size,
        output=output,
        errors=bulk.errors,
        repairs=bulk.repairs,
        max_errors=bulk.max_errors,
        workers=workers,
        resume=bulk.resume,
        options={
            "library": __version__,
            "conversion": json.loads(json.dumps(asdict(conversion))),  # tuples become lists, as in the file
            "delimiter": (bulk.delimiter or b"").hex(),
            "columns": [bulk.csv, bulk.parquet],
            "compression": compression,
            "errors": os.path.realpath(bulk.errors) if bulk.errors else None,
            "repairs": os.path.realpath(bulk.repairs) if bulk.repairs else None,
        },
    )
    if bulk.parquet is not None:
        from envelope.cli.bulk.parquet import parquet_plan

        plan = parquet_plan(source.name, conversion, bulk.parquet)
    elif bulk.csv is not None:
        plan = csv_plan(source, conversion, bulk.csv, _separator(bulk.delimiter), compression)
    else:
        file = source.file if workers.share_files else None
        plan = lines_plan(source, conversion, bulk.delimiter or b"\n", compression, file)
    return run.run(plan)


def _check_names(file: str, output: str, bulk: BulkOptions) -> None:
    """Raise a usage error if a run would overwrite its input, or write two things to one file."""
    if bulk.errors == "-" or bulk.repairs == "-":
        option, what = ("--errors", "bad records") if bulk.errors == "-" else ("--repairs", "repairs")
        raise click.UsageError(f"{option}: {what} go to a file, like /dev/stderr")
    own = [str(partial_of(output, kind)) for kind in ("partial", "checkpoint")] if replaces_file(output) else []
    if any(is_same_file(file, name) for name in own):
        raise click.UsageError(f"FILE is a working file of a run to {printable(output)}: give another name with -o")
    taken = [("FILE", file), ("-o", output), *(("a working file of the run", name) for name in own)]
    for option, given in (("--errors", bulk.errors), ("--repairs", bulk.repairs)):
        if given is not None and replaces_file(given):
            for what, name in taken:
                if is_same_file(given, name):
                    raise click.UsageError(f"{option} {printable(given)} is {what}: give another name")
            taken.append((option, given))


def _separator(delimiter: bytes | None) -> str:
    separator = "," if delimiter is None else delimiter.decode("latin-1")
    if len(separator) != 1 or separator in '"\r\n':
        raise click.UsageError("--delimiter: CSV cells are separated by one byte, not a quote or a line end")
    return separator
