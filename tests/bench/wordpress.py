"""A table of WordPress's metadata, converted by the command, by PHP and by Spark: every row, in order, with its value.

python -m tests.bench.wordpress --rows 1000000

A third of the cells each are plain texts, empty or NULL, and serialized, half of these with objects.
"""

from __future__ import annotations

import csv
import os
import sys
import tempfile
from collections.abc import Iterator
from itertools import islice, zip_longest
from pathlib import Path
from random import Random

import click
import pyarrow as pa
from pyarrow import parquet as pq
from rich.console import Console
from rich.table import Table

import envelope
from envelope.values.php_types import PhpObject
from tests import php, spark
from tests.bench.bulk import Measured, measure

COLUMNS = ("meta_id", "post_id", "meta_key", "meta_value")
BATCH = 10_000

# maybe_unserialize, written from its description: what begins and ends like a document is one.
PHP = r"""
class ProductAttribute { public $name; protected $position; private $visible; public $options; }
function maybe_unserialize($cell) {
    $text = trim($cell);
    $size = strlen($text);
    if ($text !== 'N;' && ($size < 4 || $text[1] !== ':' || ($text[-1] !== ';' && $text[-1] !== '}'))) return $cell;
    if ($text[0] === 's' && $text[-2] !== '"') return $cell;
    return preg_match('/^(N;|[asOE]:[0-9]+:|[bid]:[0-9.E+-]+;$)/', $text) ? unserialize($text) : $cell;
}
$in = fopen($argv[1], 'rb');
$out = fopen($argv[2], 'wb');
fputcsv($out, fgetcsv($in, null, ',', '"', ''), ',', '"', '');
while (($row = fgetcsv($in, null, ',', '"', '')) !== false) {
    $row[3] = json_encode(maybe_unserialize($row[3]));
    fputcsv($out, $row, ',', '"', '');
}
"""

SPARK = """
import sys
from pyspark.sql import SparkSession
from envelope.adapters.spark import convert_frame
from envelope.conversion import Conversion
from envelope.formats import get_format

spark = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
reading = get_format("serialize").reading("php")
writing = get_format("json").writing("php", dialect="php")
conversion = Conversion(
    source="serialize", target="json", reading=reading, writing=writing, mixed=True, on_loss="ignore"
)
convert_frame(spark.read.parquet(sys.argv[1]), "meta_value", conversion).write.parquet(sys.argv[2])
"""


def cells(rows: int, seed: int = 1) -> Iterator[str | None]:
    """The cells of the column that is converted, in order; None is NULL."""
    rng = Random(seed)
    for number in range(rows):
        if number % 3 == 0:
            yield rng.choice(_TEXTS).format(number, rng.random())
        elif number % 3 == 1:
            yield None if number % 2 else ""
        else:
            yield envelope.dumps(_value(number, rng), "serialize", values="php").decode()


_TEXTS = ("{1:.2f}", "{0}:1", "default", "field_{0}", 'Ж, “{0}”\n"x"; 中', "a:{0}", "https://example.org/?p={0}", "{0}")


def _value(number: int, rng: Random) -> object:
    options = {
        "sizes": [number % 7, 2],
        "label": "größe",
        "price": round(rng.random() * 100, 2),
        "on": True,
        "none": None,
    }
    if number % 2:
        return {"pa_color": options, "ids": [number, number + 1]}
    hidden = {b"\0*\0position".decode(): number, b"\0ProductAttribute\0visible".decode(): False}
    attribute = PhpObject("ProductAttribute", {"name": "pa_color", **hidden, "options": PhpObject("stdClass", options)})
    return {"attribute": attribute}


def wanted(rows: int) -> Iterator[str | None]:
    """What becomes of `cells`, each converted alone."""
    for cell in cells(rows):
        if cell is None:
            yield None
            continue
        document = cell if cell.endswith("}") else envelope.dumps(cell, "serialize")
        made = envelope.convert(
            document, "serialize", "json", values="php", target_dialect="php", on_loss="ignore"
        )  # fmt: skip
        yield made.decode()


def rows_of(values: Iterator[str | None]) -> Iterator[tuple[str, ...]]:
    """The rows of a table with these cells; CSV has no NULL but its name."""
    for number, value in enumerate(values, 1):
        yield str(number), str(number // 20), "_attributes", "NULL" if value is None else value


def write_csv(path: Path, rows: int) -> None:
    """The table as CSV."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([COLUMNS])
        csv.writer(file, lineterminator="\n").writerows(rows_of(cells(rows)))


def write_parquet(path: Path, rows: int) -> None:
    """The table as Parquet."""
    schema = pa.schema([("meta_id", pa.int64()), ("meta_value", pa.string())])
    made, start = cells(rows), 1
    with pq.ParquetWriter(path, schema) as writer:
        while batch := list(islice(made, BATCH)):
            writer.write_table(
                pa.table([pa.array(range(start, start + len(batch))), pa.array(batch, pa.string())], schema)
            )
            start += len(batch)


def convert(option: str, source: Path, out: Path, *more: str) -> list[str]:
    """The command that converts the table."""
    return [sys.executable, "-m", "envelope", "convert", option, "meta_value", str(source), "-o", str(out), "--mixed",
            "--from", "serialize", "--values", "php", "--to", "json", "--to-dialect", "php", *more]  # fmt: skip


def differing_in_csv(path: Path, rows: int) -> int:
    """How many rows of the converted CSV are not what is wanted in their place."""
    values = ('"NULL"' if value is None else value for value in wanted(rows))
    with open(path, encoding="utf-8", newline="") as file:
        made = csv.reader(file)
        assert tuple(next(made)) == COLUMNS
        return sum(tuple(row or ()) != want for row, want in zip_longest(made, rows_of(values)))


def differing_in_parquet(paths: list[Path], rows: int) -> int:
    """The same of Parquet, whose parts need not be in order."""
    table = pa.concat_tables([pq.read_table(path, columns=["meta_id", "meta_value"]) for path in paths]).sort_by(
        "meta_id"
    )
    ids, values = table["meta_id"].to_pylist(), table["meta_value"].to_pylist()
    pairs = zip_longest(zip(ids, values, strict=True), enumerate(wanted(rows), 1))
    return sum(row != want for row, want in pairs)


@click.command()
@click.option("--rows", default=1_000_000, show_default=True, help="How many rows.")
def main(rows: int) -> None:
    """Measure, and print a table; the exit status is 1 if any row is missing or has another value."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as name:
        folder = Path(name)
        source, columns = folder / "in.csv", folder / "in.parquet"
        write_csv(source, rows)
        write_parquet(columns, rows)
        runs: list[tuple[str, Measured, int]] = []
        for jobs in ("1", "2"):
            ran = measure(convert("--csv", source, folder / "out.csv", "--jobs", jobs))
            runs.append((f"--csv, {jobs} jobs", ran, differing_in_csv(folder / "out.csv", rows)))
        ran = measure(convert("--parquet", columns, folder / "out.parquet", "--jobs", "2"))
        runs.append(("--parquet, 2 jobs", ran, differing_in_parquet([folder / "out.parquet"], rows)))
        if not php.missing():
            ran = measure(["php", "-r", PHP, "--", str(source), str(folder / "php.csv")])
            runs.append(("PHP, CSV", ran, differing_in_csv(folder / "php.csv", rows)))
        if not spark.missing():
            os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
            os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
            ran = measure([sys.executable, "-c", SPARK, str(columns), str(folder / "spark")])
            runs.append(
                ("Spark, Parquet, 2 cores", ran, differing_in_parquet(sorted((folder / "spark").glob("part-*")), rows))
            )
    table = Table(title=f"{rows} rows of metadata")
    for heading in ("", "seconds", "rows/s", "memory MiB", "rows that differ"):
        table.add_column(heading, justify="left" if heading == "" else "right")
    for title, run, differing in runs:
        memory = f"{run.memory / 1024:.0f}"
        table.add_row(title, f"{run.seconds:.1f}", f"{rows / run.seconds:,.0f}", memory, str(differing))
    Console(width=100).print(table)
    sys.exit(any(differing for _, _, differing in runs))


if __name__ == "__main__":
    main()
