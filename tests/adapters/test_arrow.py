"""Arrow columns and Parquet files: the same documents, errors and bytes as one by one."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

import envelope
from envelope.conversion.documents import Conversion
from tests.cli.bulk.archives import run

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

# After importorskip: without the extra parquet it cannot be imported.
from envelope.adapters.arrow import ERROR_TYPE, convert_column  # noqa: E402

VALUES = [["a", "中"], {"k": 1.5}, None, "x" * 300]
DOCUMENTS = [envelope.dumps(value, "serialize") for value in VALUES]
WANTED = [envelope.dumps(value, "jsonu") for value in VALUES]


@pytest.mark.parametrize("kind", [pa.binary(), pa.string(), pa.large_binary(), pa.large_string()])
def test_a_column(kind: Any) -> None:
    column = pa.array([*DOCUMENTS, None, b"i:x;"], pa.binary()).cast(kind)
    bodies, errors = convert_column(column, "serialize", "jsonu")
    assert bodies.type == kind
    assert bodies.cast(pa.large_binary()).to_pylist() == [*WANTED, None, None]
    assert errors.type == ERROR_TYPE
    with pytest.raises(envelope.DecodeError) as caught:
        envelope.loads(b"i:x;", "serialize")
    error = {
        "kind": "malformed",
        "offset": caught.value.offset,
        "path": "$",
        "reason": caught.value.reason,
        "hint": None,
    }
    assert errors.to_pylist() == [None] * 5 + [error]


def test_an_error_has_the_hint_of_the_same_document_alone() -> None:
    document = b's:300:"' + b"x" * 248
    _, errors = convert_column(pa.array([document]), "serialize", "jsonu")
    with pytest.raises(envelope.DecodeError) as caught:
        envelope.loads(document, "serialize")
    assert errors[0].as_py()["hint"] == str(caught.value.hint) == "exactly 255 bytes: cut by a TINYTEXT column"


def test_a_chunked_or_sliced_column() -> None:
    whole = pa.array([b"no", *DOCUMENTS])
    assert convert_column(whole[1:], "serialize", "jsonu")[0].to_pylist() == WANTED
    chunked = pa.chunked_array([whole[1:3], whole[3:]])
    assert convert_column(chunked, "serialize", "jsonu")[0].to_pylist() == WANTED


def test_options_of_a_column() -> None:
    column = pa.array([b"{}", b'{"a":1}'])
    with pytest.warns(envelope.LossWarning, match="serialize: lost in 1 place: dict → list") as told:
        assert convert_column(column, "json", "serialize")[0][0].as_py() == b"a:0:{}"
    assert told[0].filename == __file__
    bodies, errors = convert_column(column, "json", "serialize", on_loss="error")
    assert (bodies.to_pylist(), errors[0].as_py()["kind"]) == ([None, b'a:1:{s:1:"a";i:1;}'], "loss")
    assert errors[0].as_py()["offset"] is None
    assert convert_column(column, "json", "serialize", on_loss="ignore")[0][0].as_py() == b"a:0:{}"
    assert convert_column(column, "json", "serialize", maps="object")[0][0].as_py() == b'O:8:"stdClass":0:{}'
    with pytest.raises(envelope.UnknownFormat):
        convert_column(column, "json", "yaml")
    with pytest.raises(TypeError, match="binary or string, not int64"):
        convert_column(pa.array([1]), "json", "xml")


def test_tagged_columns_and_files(tmp_path: Path) -> None:
    body = b'O:4:"User":2:{s:1:"a";s:1:"\xff";s:4:"\0*\0b";r:1;}'
    tagged = b'{"@class":"User","@id":1,"@visibility":{"b":"protected"},"a":{"@base64":"/w=="},"b":{"@object":1}}'
    made, errors = convert_column(pa.array([body, None]), "serialize", "json", objects="tagged")
    assert (made.to_pylist(), errors.to_pylist()) == ([tagged, None], [None, None])
    back, errors = convert_column(pa.array([tagged, b'{"@":1}']), "json", "serialize", objects="tagged")
    assert (back.to_pylist(), errors[1].as_py()["offset"]) == ([body, None], 5)
    with pytest.raises(TypeError, match="is between serialize or var_export"):
        convert_column(made, "json", "xml", objects="tagged")
    pq.write_table(pa.table({"doc": [body]}), tmp_path / "in.parquet")
    options = ("--parquet", "doc", "--from", "serialize", "--to", "json", "--objects", "tagged", "--strict")
    result = run(*options, str(tmp_path / "in.parquet"), "-o", str(tmp_path / "out.parquet"))
    assert (result.exit_code, pq.read_table(tmp_path / "out.parquet")["doc"].to_pylist()) == (0, [tagged])


def test_bytes_that_are_not_utf8_are_an_error_in_their_row() -> None:
    column = pa.array([b's:1:"\xff";', b"i:1;"]).view(pa.string())
    bodies, errors = convert_column(column, "serialize", "jsonu")
    assert bodies.to_pylist() == [None, "1"]
    assert errors[0].as_py()["kind"] == "forbidden"
    kept, _ = convert_column(column, "serialize", "jsonu", keep_rows="as-is")
    assert kept.view(pa.binary()).to_pylist() == [b's:1:"\xff";', b"1"]


def test_without_pyarrow_the_message_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.delitem(sys.modules, "envelope.adapters.arrow")
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'envelope-engine\[parquet\]'"):
        __import__("envelope.adapters.arrow")
    result = run("--parquet", "doc", "--from", "json", "--to", "xml", __file__, "-o", "out.parquet")
    assert result.exit_code == 2
    assert "pip install 'envelope-engine[parquet]'" in result.stderr


# ----------------------------------------------------------------------------------------------------------- parquet


def parquet(path: Path, documents: list[bytes | None], kind: Any = None, **options: Any) -> Any:
    numbers = pa.array(range(len(documents)), pa.int32())
    tags = pa.array(["a", "b"] * (len(documents) // 2) + ["a"] * (len(documents) % 2)).dictionary_encode()
    column = pa.array(documents, pa.binary()).cast(kind or pa.binary())
    table = pa.table({"id": numbers, "doc": column, "tag": tags})
    pq.write_table(table, path, **options)
    return table


def convert(source: Path, out: Path, *arguments: str) -> Any:
    names = ["--parquet", "doc", "--from", "serialize", "--to", "jsonu", str(source), "-o", str(out)]
    return run(*names, *arguments)


@pytest.mark.parametrize("kind", [pa.binary(), pa.string()])
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_parquet(tmp_path: Path, kind: Any, jobs: str) -> None:
    source, out = tmp_path / "in.parquet", tmp_path / "out.parquet"
    table = parquet(source, [*DOCUMENTS, None] * 500, kind, row_group_size=700, compression="zstd")
    result = convert(source, out, "--jobs", jobs)
    assert (result.exit_code, result.stderr) == (0, "")
    made = pq.read_table(out)
    assert made["doc"].type == kind
    assert made["doc"].cast(pa.binary()).to_pylist() == [*WANTED, None] * 500
    assert made["id"].equals(table["id"])
    assert made["tag"].to_pylist() == table["tag"].to_pylist()
    assert pq.ParquetFile(out).metadata.row_group(0).column(0).compression == "ZSTD"
    assert sorted(tmp_path.iterdir()) == [source, out]


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_bad_rows_of_parquet_and_a_resumed_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jobs: str) -> None:
    monkeypatch.setattr("envelope.cli.bulk.parquet.CHUNK", 2000)
    documents: list[bytes | None] = [b"bad\xff" if row % 50 == 49 else b"i:%d;" % row for row in range(5000)]
    source, out, bad = tmp_path / "in.parquet", tmp_path / "out.parquet", tmp_path / "bad"
    parquet(source, documents, row_group_size=999)
    assert convert(source, tmp_path / "whole.parquet").exit_code == 1
    arguments = ["--jobs", jobs, "--errors", str(bad)]
    assert convert(source, out, *arguments, "--max-errors", "60").exit_code == 1
    assert not out.exists()
    assert json.loads((tmp_path / "out.parquet.checkpoint").read_bytes())["progress"]["position"][1] > 2000
    assert convert(source, out, *arguments, "--resume").exit_code == 1
    assert out.read_bytes() == (tmp_path / "whole.parquet").read_bytes()
    assert pq.read_table(out)["id"].to_pylist() == [row for row in range(5000) if row % 50 != 49]
    rows = [json.loads(line) for line in bad.read_bytes().splitlines()]
    assert [row["line"] for row in rows] == list(range(50, 5001, 50))
    assert {(row["offset"], row["raw_base64"], row["length"]) for row in rows} == {(None, "YmFk/w==", 4)}
    assert not (tmp_path / "out.parquet.checkpoint").exists()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="names are bytes on Linux only")
def test_names_of_parquet_files_and_columns_need_not_be_utf8(tmp_path: Path) -> None:
    parquet(tmp_path / "in.parquet", [b"i:1;"])
    name, out = (tmp_path / os.fsdecode(name) for name in (b"in\xff.parquet", b"out\xff.parquet"))
    os.rename(tmp_path / "in.parquet", name)
    assert convert(name, out).exit_code == 0
    with pa.OSFile(os.fsencode(out)) as file:
        assert pq.read_table(file).num_rows == 1
    missing = run("--parquet", os.fsdecode(b"\xff"), str(name), "--from", "serialize", "--to", "json", "-o", str(out))
    assert missing.exit_code == 2
    assert "the columns are" in missing.stderr


def test_an_empty_parquet_file(tmp_path: Path) -> None:
    parquet(tmp_path / "in.parquet", [])
    assert convert(tmp_path / "in.parquet", tmp_path / "out.parquet").exit_code == 0
    assert pq.read_table(tmp_path / "out.parquet").num_rows == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--parquet", "nope", "in.parquet", "-o", "out"], "the columns are id, doc, tag"),
        (["--parquet", "id", "in.parquet", "-o", "out"], "its type is int32"),
        (["--parquet", "doc", "in.parquet"], "FILE and -o FILE must be files"),
        (["--parquet", "doc", "-o", "out"], "FILE and -o FILE must be files"),
        (["--parquet", "doc", "text", "-o", "out"], "cannot read text"),
    ],
)
def test_mistakes_exit_2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str) -> None:
    monkeypatch.chdir(tmp_path)
    parquet(tmp_path / "in.parquet", [b"i:1;"])
    (tmp_path / "text").write_text("no parquet")
    result = run("--from", "serialize", "--to", "json", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr


def test_damaged_parquet_writes_nothing(tmp_path: Path) -> None:
    source = tmp_path / "in.parquet"
    parquet(source, [b's:20:"%020d";' % number for number in range(5000)], compression="gzip")
    body = bytearray(source.read_bytes())
    for place in range(len(body) // 3, len(body) // 3 + 200):
        body[place] ^= 0x5A
    source.write_bytes(body)
    result = convert(source, tmp_path / "out.parquet")
    assert result.exit_code == 1
    assert "its Parquet data is damaged" in result.stderr
    assert list(tmp_path.iterdir()) == [source]


def test_a_conversion_counts_and_keeps_order() -> None:
    bodies, faults, losses = Conversion(source="json", target="serialize", on_loss="warn").convert([b"{}", None, b"["])
    assert bodies == [b"a:0:{}", None, None]
    assert [fault and fault.kind for fault in faults] == [None, None, "malformed"]
    assert losses == {"dict → list": 1}
