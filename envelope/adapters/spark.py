"""Apache Spark: archives too large for one machine, converted by the same kernel as everywhere else.

`register` adds SQL functions, `convert_frame` converts a column of a data frame, and as a job:

    python -m envelope.adapters.spark --in archive.ser --out converted --from serialize --to json

Needs pyspark: ``pip install 'envelope-engine[spark]'``, on the machines of the cluster too.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING, Any, Final

from envelope.adapters.arrow import ERROR_TYPE, convert_column, convert_with, type_of
from envelope.conversion.attempts import Report
from envelope.conversion.documents import KEEP_ROWS, Conversion
from envelope.conversion.kernel import holds_tags
from envelope.formats import FORMATS, get_format
from envelope.options import MAPS, OBJECTS, VALUES

try:
    import pyarrow as pa
    from pyarrow import compute
    from pyspark import StorageLevel
    from pyspark.errors import AnalysisException
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql import functions as sql
    from pyspark.sql.pandas.functions import arrow_udf
    from pyspark.sql.types import BinaryType, DataType, LongType, MapType, StringType, StructField, StructType
    from pyspark.util import PythonEvalType
except ModuleNotFoundError as exc:
    raise ModuleNotFoundError(
        f"envelope.adapters.spark needs {exc.name}: pip install 'envelope-engine[spark]'", name=exc.name
    ) from None

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from envelope.options import Objects

__all__ = ["convert_frame", "convert_lines", "main", "register"]

_ERROR_TYPE = StructType(
    [
        StructField("kind", StringType()),
        StructField("offset", LongType()),
        StructField("path", StringType()),
        StructField("reason", StringType()),
        StructField("hint", StringType()),
    ]
)


def register(spark: SparkSession, *, objects: Objects = "public") -> None:
    """Add ``envelope_convert(document, from, to)`` and ``envelope_error(document, from, to)`` to the session's SQL.

    The first returns the document in the other format, as a string, or null if it cannot be converted without loss;
    the second says why (a struct of kind, offset, path, reason and hint), or is null if it can. *objects* is the option
    of `envelope.convert`; what serialize then writes may be no text, but Spark's strings hold any bytes.
    """

    def converted(documents: pa.Array, source: pa.Array, target: pa.Array) -> pa.Array:
        bodies, _ = _by_formats(documents, source, target, objects)
        return bodies.cast(options=compute.CastOptions(pa.string(), allow_invalid_utf8=True))

    def errors(documents: pa.Array, source: pa.Array, target: pa.Array) -> pa.Array:
        return _by_formats(documents, source, target, objects)[1]

    spark.udf.register("envelope_convert", arrow_udf(converted, StringType(), PythonEvalType.SQL_SCALAR_ARROW_UDF))
    spark.udf.register("envelope_error", arrow_udf(errors, _ERROR_TYPE, PythonEvalType.SQL_SCALAR_ARROW_UDF))


def _by_formats(documents: pa.Array, source: pa.Array, target: pa.Array, objects: Objects) -> tuple[pa.Array, pa.Array]:
    formats = set(zip(source.to_pylist(), target.to_pylist(), strict=True))
    if len(formats) > 1:
        raise ValueError("envelope_convert: the formats must be the same in every row")
    if not formats:
        return pa.array([], pa.binary()), pa.array([], ERROR_TYPE)
    return convert_column(documents, *formats.pop(), on_loss="error", objects=objects)


def convert_frame(frame: DataFrame, column: str, conversion: Conversion, *, error_column: str = "error") -> DataFrame:
    """*frame* with the documents of *column* converted, and a struct column with the errors.

    A column of strings stays one, unless what is written may be no text (`envelope.adapters.arrow.convert_column`); any
    other becomes binary. A row whose document cannot be converted has null in *column*, or what was there if the
    *conversion* keeps rows as they are; its error says why. A repaired one has an error of the kind ``"repaired"``.
    `ValueError` if *column* does not exist, or *error_column* already does.
    """
    return _convert_frame(frame, column, conversion, error_column)


def _convert_frame(
    frame: DataFrame, column: str, conversion: Conversion, error_column: str, counts_column: str | None = None
) -> DataFrame:
    """`convert_frame`; *counts_column* has how often what happened in a batch, in the first of its rows."""
    # Spark itself would complain only when it runs.
    if column not in frame.columns:
        raise ValueError(f"the data frame has no column {column!r}, but {', '.join(frame.columns)}")
    if error_column.lower() in map(str.lower, frame.columns):
        raise ValueError(f"the data frame has a column {error_column!r} already: name another error_column")
    fields = [
        StructField(column, _type_of(field.dataType, conversion)) if field.name == column else field
        for field in frame.schema.fields
    ]
    schema = StructType([*fields, StructField(error_column, _ERROR_TYPE)])
    if counts_column:
        schema = schema.add(counts_column, MapType(StringType(), LongType()))

    def convert(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            report = Report()
            bodies, errors, converted = convert_with(conversion, batch.column(column), report)
            place = batch.schema.get_field_index(column)
            made = batch.set_column(place, column, bodies).append_column(error_column, errors)
            if counts_column and len(bodies):
                counts = [list(_counts(converted.losses, report).items()), *[None] * (len(bodies) - 1)]
                made = made.append_column(counts_column, pa.array(counts, pa.map_(pa.string(), pa.int64())))
            yield made

    return frame.mapInArrow(convert, schema)


def _type_of(kind: DataType, conversion: Conversion) -> DataType:
    is_text = isinstance(kind, StringType) and type_of(pa.string(), conversion) == pa.string()
    return kind if is_text else BinaryType()


def _counts(losses: Mapping[str, int], report: Report) -> dict[str, int]:
    """What the job tells at its end, in words."""
    return {
        **{f"lost: {kind}": count for kind, count in losses.items()},
        **{f"{layer} taken off": count for layer, count in report.layers.items()},
        **{_COUNTS[name]: count for name, count in report.counts.items()},
    }


_COUNTS: Final = {
    "plain": "plain text",
    "begun": "plain text that begins as a document does, probably cut; --repair mends it or sets it aside",
    "looks-plain": "looks like plain text, which --mixed converts as such",
    "repaired": "repaired",
}


def convert_lines(
    spark: SparkSession, source: str, output: str, errors: str | None, conversion: Conversion
) -> tuple[int, int]:
    """Convert the lines of *source* into the directory *output*; returns how many there were, and how many were bad.

    Empty lines are left out, unless rows are kept or the archive is mixed. What was lost, and what else happened, is
    told on standard error. The bad ones go to the directory *errors*, as JSON lines. `FileExistsError` if either
    directory exists.
    """
    for directory in filter(None, (output, errors)):  # Spark would check the second only once the first is written
        if _exists(spark, directory):
            raise FileExistsError(f"{directory} already exists")
    # Only a line feed ends a line: a document may contain a lone carriage return.
    lines = spark.read.text(source, lineSep="\n").select(sql.col("value").cast("binary"))
    raw = sql.expr("if(endswith(value, X'0D'), substring(value, 1, octet_length(value) - 1), value)")
    lines = lines.select(raw.alias("raw"))
    has_document = sql.octet_length("raw") >= (0 if conversion.mixed else 1)
    if not conversion.keep_rows:
        lines = lines.where(has_document)
    lines = lines.withColumn("value", sql.when(has_document, sql.col("raw")))
    # Kept on disk, so that nothing is converted again to write the bad ones or to count.
    done = _convert_frame(lines, "value", conversion, "error", "counts").persist(StorageLevel.DISK_ONLY)
    is_bad = sql.col("error").isNotNull() & (sql.col("error.kind") != "repaired")
    kept = done if conversion.keep_rows else done.where(~is_bad)
    text = sql.coalesce(sql.col("value").cast("string"), sql.lit(""))
    kept.select(text.alias("value")).write.text(output, lineSep="\n")
    bad = done.where(is_bad)
    if errors:
        text = sql.col("raw").cast("string")
        bad.select(
            "error.*",
            sql.when(sql.is_valid_utf8(text), text).alias("raw"),
            sql.when(~sql.is_valid_utf8(text), sql.base64("raw")).alias("raw_base64"),
        ).write.json(errors)
    happened = done.select(sql.explode("counts").alias("what", "count")).groupBy("what").sum("count")
    for what, count in sorted(happened.collect()):
        sys.stderr.write(f"{'warning' if what.startswith('lost') else 'note'}: {what} ({count})\n")
    return done.where(has_document).count(), bad.count()


def _exists(spark: SparkSession, name: str) -> bool:
    jvm: Any = spark._jvm
    path = jvm.org.apache.hadoop.fs.Path(name)
    return bool(path.getFileSystem(spark._jsparkSession.sessionState().newHadoopConf()).exists(path))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the job; returns the exit status: 1 if records were set aside, 2 if a path is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m envelope.adapters.spark",
        description="Convert an archive, one document a line, on Apache Spark.",
        epilog="Documents that cannot be converted are set aside, and the exit status is 1.",
    )
    parser.add_argument("--in", dest="source", required=True, help="file, directory or pattern that Spark can read")
    parser.add_argument("--out", required=True, help="directory to make")
    parser.add_argument("--from", dest="source_format", choices=list(FORMATS), required=True)
    parser.add_argument("--to", choices=list(FORMATS), required=True)
    parser.add_argument("--values", choices=VALUES, default="portable")
    parser.add_argument("--maps", choices=MAPS, default="array")
    parser.add_argument("--objects", choices=OBJECTS, default="public", help="what json and xml show of objects")
    parser.add_argument("--strict", action="store_true", help="set aside documents that lose something")
    parser.add_argument("--mixed", action="store_true", help="what is not serialized, by WordPress's rule, is a text")
    parser.add_argument("--unwrap", metavar="auto|LAYER,…", help="take off what stands around the documents")
    parser.add_argument("--repair", action="store_true", help="repair documents that can then be read in one way only")
    parser.add_argument("--keep-rows", choices=KEEP_ROWS, help="what stands for a document that cannot be converted")
    parser.add_argument("--errors", help="directory to make for the documents set aside, as JSON lines")
    parser.add_argument("--master", default="local[*]", help="where it runs (default: %(default)s)")
    given = parser.parse_args(arguments)
    if given.errors == given.out:
        parser.error("--errors and --out are the same directory")
    source, target = get_format(given.source_format), get_format(given.to)
    if given.objects == "tagged" and not holds_tags(source, target):
        parser.error("--objects tagged is between serialize or var_export and json or jsonu")
    try:
        conversion = Conversion(
            source=given.source_format,
            target=given.to,
            reading=source.reading(given.values),
            writing=target.writing(given.values, given.maps),
            on_loss="error" if given.strict else "warn",
            objects=given.objects,
            mixed=given.mixed,
            unwrap=given.unwrap,
            repair=given.repair,
            keep_rows=given.keep_rows,
        )
    except TypeError as exc:
        parser.error(str(exc))
    if given.master.startswith("local"):  # on a cluster, Python may be somewhere else
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")  # nothing listens on the network
    spark = (
        SparkSession.builder.master(given.master)
        .appName("envelope")
        # Documents may be large: bound a batch by bytes, not only by rows.
        .config("spark.sql.execution.arrow.maxBytesPerBatch", "4m")
        .getOrCreate()
    )
    try:
        count, bad = convert_lines(spark, given.source, given.out, given.errors, conversion)
    except (AnalysisException, FileExistsError) as exc:
        sys.stderr.write(f"error: {exc}\n")
        return 2
    finally:
        spark.stop()
    if bad:
        where = f"they are in {given.errors}" if given.errors else "--errors DIRECTORY keeps them"
        sys.stderr.write(f"error: {bad} of {count} records could not be converted; {where}\n")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
