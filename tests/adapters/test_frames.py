"""Series and data frames of pandas and polars: what a column of Arrow gives, in a frame of the same kind."""

from __future__ import annotations

from typing import Any

import pytest

import envelope

pa = pytest.importorskip("pyarrow")

# After importorskip: without the extra parquet it cannot be imported.
from envelope.adapters.arrow import convert_column, convert_frame  # noqa: E402

CELLS = ["19.90", "", 'a:1:{s:1:"k";i:5;}', "a:1:{i:0;x}", None]
MIXED = ['"19.90"', '""', '{"k":5}', None, None]
IN_BYTES = [cell if cell is None else cell.encode() for cell in CELLS]


def series() -> list[Any]:
    """Columns of text in everything that has them."""
    pd, pl = pytest.importorskip("pandas"), pytest.importorskip("polars")
    kinds: list[Any] = [object, "string", "category", pd.ArrowDtype(pa.large_string())]
    made = [pd.Series(CELLS, dtype=kind) for kind in kinds]
    return [*made, pd.Series(CELLS).where(lambda cell: cell.notna(), float("nan")), pl.Series("doc", CELLS),
            pl.Series("doc", CELLS, dtype=pl.Categorical), pa.chunked_array([CELLS[:2], CELLS[2:]])]  # fmt: skip


def frames() -> list[Any]:
    pd, pl = pytest.importorskip("pandas"), pytest.importorskip("polars")
    data = {"id": [1, 2, 3, 4, 5], "doc": CELLS, "n": [0.5] * 5}
    frame = pd.DataFrame(data, index=[9, 7, 5, 3, 1])
    return [frame, frame.astype({"doc": "string"}), pl.DataFrame(data), pa.table(data), pa.record_batch(data)]


def listed(column: Any) -> list[Any]:
    values = column.to_pylist() if hasattr(column, "to_pylist") else list(column)
    return [value if isinstance(value, str | bytes | dict) else None for value in values]


def kind_of(column: Any) -> str:
    return str(column.dtype if hasattr(column, "dtype") else column.type)


def test_a_series_of_text_becomes_text() -> None:
    for column in series():
        bodies, errors = convert_column(column, "serialize", "json", mixed=True)
        assert bodies.to_pylist() == MIXED
        assert [error and error["kind"] for error in errors.to_pylist()] == [None, None, None, "malformed", None]
        assert str(bodies.type) in ("string", "large_string", "string_view")


def test_a_series_of_bytes_becomes_bytes() -> None:
    pd, pl = pytest.importorskip("pandas"), pytest.importorskip("polars")
    wanted = [cell and cell.encode() for cell in MIXED]
    for column in (pd.Series(IN_BYTES), pl.Series(IN_BYTES), IN_BYTES, pd.Series(["19.90", *IN_BYTES[1:]])):
        assert convert_column(column, "serialize", "json", mixed=True)[0].to_pylist() == wanted
    # what PHP serializes may be no text
    assert convert_column(pl.Series(["i:1;"]), "serialize", "serialize", values="php")[0].to_pylist() == [b"i:1;"]


def test_columns_without_documents() -> None:
    pd = pytest.importorskip("pandas")
    for column in (pd.Series([None, None]), pd.Series([], dtype=object), pa.nulls(2)):
        bodies, errors = convert_column(column, "serialize", "json")
        assert bodies.to_pylist() == errors.to_pylist() == [None] * len(column)
    for wrong in (pd.Series([1, 2]), pd.Series(["i:1;", 2.5]), [object()]):
        with pytest.raises(TypeError, match="a column of documents is"):
            convert_column(wrong, "serialize", "json")
    _, errors = convert_column(pd.Series(["\ud800"]), "json", "xml")
    assert errors[0].as_py()["kind"] == "malformed"


def test_a_frame_stays_what_it_was() -> None:
    for frame in frames():
        before = listed(frame["doc"])
        made = convert_frame(frame, "doc", "serialize", "json", mixed=True, error_column="fault")
        assert type(made) is type(frame)
        assert list(getattr(made, "column_names", made.columns)) == ["id", "doc", "n", "fault"]
        assert listed(made["doc"]) == MIXED
        assert [error and error["kind"] for error in listed(made["fault"])] == [None, None, None, "malformed", None]
        assert kind_of(made["doc"]) == kind_of(frame["doc"])
        assert listed(frame["doc"]) == before
        if hasattr(frame, "index"):
            assert list(made.index) == [9, 7, 5, 3, 1]
        kept = convert_frame(frame, "doc", "serialize", "json", keep_rows="as-is")
        assert listed(kept["doc"]) == [CELLS[0], CELLS[1], MIXED[2], CELLS[3], None]


def test_columns_that_are_not_there_or_there_already() -> None:
    for frame in frames():
        with pytest.raises(ValueError, match="no column 'body'; its columns are id, doc, n"):
            convert_frame(frame, "body", "serialize", "json")
        with pytest.raises(ValueError, match="a column 'n' already"):
            convert_frame(frame, "doc", "serialize", "json", error_column="n")
    with pytest.raises(ValueError, match="several columns 'doc'"):
        convert_frame(pa.table([[1], [2]], names=["doc", "doc"]), "doc", "serialize", "json")
    for other in (["i:1;"], {"doc": ["i:1;"]}, pytest.importorskip("polars").LazyFrame({"doc": ["i:1;"]})):
        with pytest.raises(TypeError, match="a frame is"):
            convert_frame(other, "doc", "serialize", "json")


def test_what_is_lost_is_told_where_the_call_is() -> None:
    table = pa.table({"doc": ["{}", "[]", "{}"]})
    with pytest.warns(envelope.LossWarning, match="serialize: lost in 2 places: dict → list") as told:
        made = convert_frame(table, "doc", "json", "serialize")
    assert [each.filename for each in told] == [__file__]
    assert made["error"].null_count == 3
    assert convert_frame(table, "doc", "json", "serialize", on_loss="error")["doc"].to_pylist() == [
        None,
        "a:0:{}",
        None,
    ]


def test_a_repaired_row_has_its_document_and_says_so() -> None:
    broken = 'a:1:{s:4:"site";s:10:"new.example.org";}'
    bodies, errors = convert_column([broken, "i:1;"], "serialize", "json", repair=True)
    assert bodies.to_pylist() == ['{"site":"new.example.org"}', "1"]
    error, none = errors.to_pylist()
    assert (error["kind"], error["offset"], error["path"]) == ("repaired", 18, "$.site")
    assert error["reason"] == "length 10 becomes 15"
    assert none is None
