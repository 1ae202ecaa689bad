"""Columns of documents: Apache Arrow's, and those of data frames of pandas and polars.

Needs pyarrow: ``pip install 'envelope-engine[parquet]'``.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final, TypedDict

from envelope.conversion.attempts import Report
from envelope.conversion.documents import Conversion, Fault, KeepRows
from envelope.errors import LossWarning
from envelope.formats import get_format
from envelope.hints import in_words
from envelope.limits import DEFAULT_LIMITS, Limits
from envelope.options import Dialect, Maps, Objects, OnLoss, Values

if TYPE_CHECKING:
    from collections import Counter
    from typing import Unpack

    from envelope.conversion.documents import Converted
    from envelope.repairs.report import Repair

try:
    import pyarrow as pa
except ModuleNotFoundError as exc:
    raise ModuleNotFoundError(
        f"envelope.adapters.arrow needs {exc.name}: pip install 'envelope-engine[parquet]'", name=exc.name
    ) from None

__all__ = [
    "ERROR_TYPE",
    "ColumnOptions",
    "as_arrow",
    "as_column",
    "convert_column",
    "convert_frame",
    "convert_with",
    "documents_of",
    "type_of",
]

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


class ColumnOptions(TypedDict, total=False):
    """The options of `convert_column`, for what passes them on."""

    values: Values
    maps: Maps
    source_dialect: Dialect
    target_dialect: Dialect
    limits: Limits
    on_loss: OnLoss
    mixed: bool
    unwrap: str | Iterable[str] | None
    repair: bool
    keep_rows: KeepRows


def convert_column(
    column: Any,
    source: str,
    target: str,
    *,
    values: Values = "portable",
    maps: Maps = "array",
    source_dialect: Dialect = "typed",
    target_dialect: Dialect = "typed",
    limits: Limits = DEFAULT_LIMITS,
    on_loss: OnLoss = "warn",
    objects: Objects = "public",
    mixed: bool = False,
    unwrap: str | Iterable[str] | None = None,
    repair: bool = False,
    keep_rows: KeepRows = "empty",
) -> tuple[pa.Array, pa.Array]:
    """The documents of *column* converted, and the errors of the bad ones, as `ERROR_TYPE`.

    *column* has text or bytes: an Arrow array, a pandas or polars Series, or what else Arrow takes. A column of text
    stays one of text, unless what is written may be no text (serialize and var_export with ``values="php"``). Both
    results are as long as *column*. A bad document is null in the first, or as it was with ``keep_rows="as-is"``; a
    good one is null in the second; a null is null in both. A repaired document is converted, and has an error of the
    kind ``"repaired"``, which says what its first edit was.

    The options are those of `envelope.convert` and `envelope.conversion.Conversion`. As on the command line, losses
    only warn: a `LossWarning` for each kind of loss says in how many places; with ``on_loss="error"``, a document that
    would lose something is bad.
    """
    conversion = Conversion(
        source=source,
        target=target,
        reading=get_format(source).reading(values, source_dialect, limits),
        writing=get_format(target).writing(values, maps, target_dialect, limits),
        on_loss=on_loss,
        objects=objects,
        mixed=mixed,
        unwrap=unwrap,
        repair=repair,
        keep_rows=keep_rows,
    )
    bodies, errors, converted = convert_with(conversion, as_arrow(column))
    _warn(target, converted.losses)
    return bodies, errors


def convert_frame(
    frame: Any, column: str, source: str, target: str, *, error_column: str = "error", **options: Unpack[ColumnOptions]
) -> Any:
    """*frame* (of pandas, polars or pyarrow) with the documents of *column* converted, and a last column of errors.

    A frame of the same kind is returned, with the same rows; *frame* itself does not change. The results are those of
    `convert_column`, which has the *options*. `ValueError` if *column* is not there exactly once, or if *error_column*
    already is.
    """
    kind = type(frame).__module__.partition(".")[0]
    if kind not in ("pandas", "polars", "pyarrow") or hasattr(frame, "collect") or not hasattr(frame, "columns"):
        raise TypeError(f"a frame is pandas' or polars' DataFrame or pyarrow's Table, not {type(frame).__name__}")
    names = list(frame.column_names if kind == "pyarrow" else frame.columns)
    if names.count(column) != 1:
        what = "several columns" if column in names else "no column"
        raise ValueError(f"the frame has {what} {column!r}; its columns are {', '.join(map(str, names))}")
    if error_column in names:
        raise ValueError(f"the frame has a column {error_column!r} already: name another error_column")
    documents = as_arrow(frame[column])
    bodies, errors = convert_column(documents, source, target, **options)
    if kind == "pyarrow":
        return frame.set_column(names.index(column), column, bodies).append_column(error_column, errors)
    if kind == "polars":
        import polars

        return frame.with_columns(polars.Series(column, bodies), polars.Series(error_column, errors))
    import pandas

    dtype = frame[column].dtype
    if bodies.type != documents.type or isinstance(dtype, pandas.CategoricalDtype):
        dtype = object
    made = frame.copy(deep=False)
    made[column] = pandas.Series(bodies.to_pylist(), index=frame.index, dtype=dtype)
    made[error_column] = pandas.Series(errors.to_pylist(), index=frame.index, dtype=object)
    return made


def convert_with(
    conversion: Conversion, column: pa.Array | pa.ChunkedArray, report: Report | None = None
) -> tuple[pa.Array, pa.Array, Converted]:
    """`convert_column` with a ready-made *conversion*; returns the result as Python objects too, and fills *report*."""
    report = Report() if report is None else report
    converted = conversion.convert(documents_of(column), report)
    rows: list[dict[str, Any] | None] = [fault and _row(fault) for fault in converted.faults]
    for place, repair in report.repairs.items():
        rows[place] = _repaired(repair)
    return as_column(converted.bodies, type_of(column.type, conversion)), pa.array(rows, ERROR_TYPE), converted


def as_arrow(column: Any) -> pa.Array | pa.ChunkedArray:
    """*column* as an Arrow array of text or bytes; `TypeError` if it has anything else."""
    if not isinstance(column, pa.Array | pa.ChunkedArray):
        try:
            has_stream = hasattr(column, "__arrow_c_stream__")
            column = pa.chunked_array(column) if has_stream else pa.array(column, from_pandas=True)
        except UnicodeEncodeError:  # a lone surrogate, which the codec refuses
            texts = [text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text for text in column]
            column = pa.array(texts, pa.binary(), from_pandas=True).view(pa.string())
        except (pa.ArrowTypeError, pa.ArrowInvalid) as exc:
            raise TypeError(f"a column of documents is text or bytes: {exc}") from None
    if pa.types.is_dictionary(column.type):
        column = pa.array(column.to_pylist(), column.type.value_type)  # not every type of text can be cast from one
    return column.cast(pa.string()) if pa.types.is_null(column.type) else column


def documents_of(column: pa.Array | pa.ChunkedArray) -> list[bytes | None]:
    """The bytes of a binary or string column; `TypeError` if it is neither."""
    name = str(column.type)
    if name in _TEXTS:
        # The codec refuses bytes that are not UTF-8, and says where they are.
        column = column.cast(_TEXTS[name])
    elif column.type not in _TEXTS.values():
        raise TypeError(f"a column of documents is binary or string, not {column.type}")
    documents: list[bytes | None] = column.to_pylist()
    return documents


def type_of(kind: pa.DataType, conversion: Conversion) -> pa.DataType:
    """The type of a column of this *kind* once it is converted."""
    # PHP's formats hold strings that are no UTF-8; in the portable domain they are refused.
    is_text = conversion.writing.values == "portable" or not get_format(conversion.target).is_php
    return kind if is_text else _TEXTS.get(str(kind), kind)


def as_column(bodies: list[bytes | None], kind: pa.DataType) -> pa.Array:
    """*bodies* as a column of *kind*, binary or string."""
    column = pa.array(bodies, _TEXTS.get(str(kind), kind))
    # Not cast, which would refuse what was no UTF-8 and stays as it was.
    return column.view(kind) if str(kind) in _TEXTS else column


_TEXTS: Final[dict[str, pa.DataType]] = {
    "string": pa.binary(),
    "large_string": pa.large_binary(),
    **({"string_view": pa.binary_view()} if hasattr(pa, "binary_view") else {}),
}
"""The types of text that Arrow has, and those of the same bytes."""


def _warn(target: str, losses: Counter[str]) -> None:
    """Warn of *losses* where this module was called."""
    caller = sys._getframe(1)
    while caller.f_globals.get("__name__") == __name__ and caller.f_back:
        caller = caller.f_back
    for kind, count in sorted(losses.items()):
        places = "1 place" if count == 1 else f"{count} places"
        text = f"{target}: lost in {places}: {kind}"
        # With a registry of its own, because the caller's module would keep every text for good.
        warnings.warn_explicit(text, LossWarning, caller.f_code.co_filename, caller.f_lineno, registry={})


def _row(fault: Fault) -> dict[str, Any]:
    return {**fault._asdict(), "hint": in_words(fault.hint) or None}


def _repaired(repair: Repair) -> dict[str, Any]:
    first, *more = repair.edits
    before, after = (part[:_SHOWN].decode("utf-8", "backslashreplace") for part in (first.before, first.after))
    reason = f"{first.cause} {before} becomes {after}" + (f", and {len(more)} more" if more else "")
    fault = Fault("repaired", first.offset, first.path, reason)
    return {**fault._asdict(), "hint": first.hint or None}


_SHOWN: Final = 24  # bytes of what an edit changes
