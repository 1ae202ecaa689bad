"""Apache Spark: archives too large for one machine, converted by the same kernel as everywhere else.

`register` adds SQL functions, `convert_frame` converts a column of a data frame, and as a job:

    python -m envelope.adapters.spark --in archive.ser --out converted --from serialize --to json

Needs pyspark: ``pip install 'envelope-engine[spark]'``, on the machines of the cluster too.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING, Any

from envelope.adapters.arrow import ERROR_TYPE, convert_column, convert_with
from envelope.conversion.documents import Conversion
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
    from pyspark.sql.types import BinaryType, LongType, StringType, StructField, StructType
    from pyspark.util import PythonEvalType
except ModuleNotFoundError as exc:
    raise ModuleNotFoundError(
        f"envelope.adapters.spark needs {exc.name}: pip install 'envelope-engine[spark]'", name=exc.name
    ) from None

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

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
    return convert_column(documents, *formats.pop(), objects=objects)


def convert_frame(frame: DataFrame, column: str, conversion: Conversion, *, error_column: str = "error") -> DataFrame:
    """*frame* with the documents of *column* converted to binary, and a struct column with the errors.

    A row whose document cannot be converted has null in *column*; its error says why. `ValueError` if *column* does
    not exist, or *error_column* already does.
    """
    # Spark itself would complain only when it runs.
    if column not in frame.columns:
        raise ValueError(f"the data frame has no column {column!r}, but {', '.join(frame.columns)}")
    if error_column.lower() in map(str.lower, frame.columns):
        raise ValueError(f"the data frame has a column {error_column!r} already: name another error_column")
    fields = [StructField(column, BinaryType()) if field.name == column else field for field in frame.schema.fields]
    schema = StructType([*fields, StructField(error_column, _ERROR_TYPE)])

    def convert(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            bodies, errors, _ = convert_with(conversion, batch.column(column))
            place = batch.schema.get_field_index(column)
            yield batch.set_column(place, column, bodies).append_column(error_column, errors)

    return frame.mapInArrow(convert, schema)


def convert_lines(
    spark: SparkSession, source: str, output: str, errors: str | None, conversion: Conversion
) -> tuple[int, int]:
    """Convert the lines of *source* into the directory *output*; returns how many there were, and how many were bad.

    The bad ones go to the directory *errors*, as JSON lines. `FileExistsError` if either directory exists.
    """
    for directory in filter(None, (output, errors)):  # Spark would check the second only once the first is written
        if _exists(spark, directory):
            raise FileExistsError(f"{directory} already exists")
    # Only a line feed ends a line: a document may contain a lone carriage return.
    lines = spark.read.text(source, lineSep="\n").select(sql.col("value").cast("binary"))
    raw = sql.expr("if(endswith(value, X'0D'), substring(value, 1, octet_length(value) - 1), value)")
    lines = lines.select(raw.alias("raw")).where(sql.octet_length("raw") > 0).withColumn("value", sql.col("raw"))
    # Kept on disk, so that nothing is converted again to write the bad ones or to count.
    done = convert_frame(lines, "value", conversion).persist(StorageLevel.DISK_ONLY)
    is_bad = sql.col("error").isNotNull()
    done.where(~is_bad).select(sql.col("value").cast("string")).write.text(output, lineSep="\n")
    bad = done.where(is_bad)
    if errors:
        text = sql.col("raw").cast("string")
        bad.select(
            "error.*",
            sql.when(sql.is_valid_utf8(text), text).alias("raw"),
            sql.when(~sql.is_valid_utf8(text), sql.base64("raw")).alias("raw_base64"),
        ).write.json(errors)
    return done.count(), bad.count()


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
    parser.add_argument("--allow-losses", action="store_true", help="do not set aside documents that lose something")
    parser.add_argument("--errors", help="directory to make for the documents set aside, as JSON lines")
    parser.add_argument("--master", default="local[*]", help="where it runs (default: %(default)s)")
    given = parser.parse_args(arguments)
    if given.errors == given.out:
        parser.error("--errors and --out are the same directory")
    source, target = get_format(given.source_format), get_format(given.to)
    if given.objects == "tagged" and not holds_tags(source, target):
        parser.error("--objects tagged is between serialize or var_export and json or jsonu")
    conversion = Conversion(
        source=given.source_format,
        target=given.to,
        reading=source.reading(given.values),
        writing=target.writing(given.values, given.maps),
        on_loss="ignore" if given.allow_losses else "error",
        objects=given.objects,
    )
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
