"""`envelope convert --csv`: one column is converted, the others stay as they are."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
from pathlib import Path
from typing import Any

import pytest

import envelope
from tests.cli.bulk.archives import errors_in, run


def table(rows: list[list[str]], separator: str = ",", line_end: str = "\r\n") -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=separator, lineterminator=line_end).writerows(rows)
    return text.getvalue().encode()


def csv_convert(*arguments: str, data: bytes) -> Any:
    return run("--csv", "doc", "--from", "serialize", "--to", "jsonu", *arguments, data=data)


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_csv(separator: str, line_end: str) -> None:
    values = [["a", "中"], {"k": 'say "hi"\n'}, 1.5]
    rows = [["1,", envelope.dumps(value, "serialize").decode(), 'x\n;"\t'] for value in values]
    wanted = [["1,", envelope.dumps(value, "jsonu").decode(), 'x\n;"\t'] for value in values]
    head = [["id", "doc", "nöte"]]
    result = csv_convert("--delimiter", separator, data=table(head + rows, separator, line_end))
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout_bytes == table(head + wanted, separator, line_end)


def test_csv_keeps_invalid_utf8_and_a_byte_order_mark() -> None:
    data = b'\xef\xbb\xbfdoc,"note"\ni:1;,\xff\xe9'
    assert csv_convert(data=data).stdout_bytes == b'\xef\xbb\xbfdoc,"note"\n1,\xff\xe9\n'
    assert csv_convert(data=b"doc").stdout_bytes == b"doc\n"


def test_csv_sets_bad_rows_aside(tmp_path: Path) -> None:
    rows = [
        b'1,"i:1;"',
        b'2,"bad\n\nrow"',
        b"3",
        b"",
        b"4,i:4;,4",
        b'5,"i:5;"x',
        b"6,",
        b'7,"s:3:""a\nb"";"',
        b'8,"i:8;',
    ]
    data = b"id,doc\n" + b"\r\n".join(rows)
    result = csv_convert("--errors", str(tmp_path / "bad"), data=data)
    assert result.exit_code == 1
    assert result.stdout_bytes == b'id,doc\n1,1\n7,"""a\\nb"""\n'
    found = [(row["line"], row["raw"].encode(), row["kind"]) for row in errors_in(tmp_path / "bad")]
    places = [(3, rows[1]), (6, rows[2]), (8, rows[4]), (9, rows[5]), (10, rows[6]), (13, rows[8])]
    assert found == [(line, raw, "malformed") for line, raw in places]
    for row in errors_in(tmp_path / "bad"):
        assert data[row["offset"] :][: row["length"]] == row["raw"].encode()
    assert "6 of 8 records" in result.stderr


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_csv_resumes_where_it_was_stopped(tmp_path: Path, small_chunks: None, jobs: str) -> None:
    rows = [[str(number), f's:9:"a\n{number:07}";' if number % 100 else "bad"] for number in range(3000)]
    wanted = [[number, json.dumps(f"a\n{int(number):07}")] for number, document in rows if document != "bad"]
    source, out = tmp_path / "in.csv.gz", tmp_path / "out.csv"
    source.write_bytes(gzip.compress(table([["id", "doc"], *rows])))
    arguments = [str(source), "-o", str(out), "--jobs", jobs]
    assert csv_convert(*arguments, "--max-errors", "10", data=b"").exit_code == 1
    assert (tmp_path / "out.csv.partial").stat().st_size > 1000
    assert csv_convert(*arguments, "--resume", data=b"").exit_code == 1
    assert out.read_bytes() == table([["id", "doc"], *wanted])


def test_csv_has_one_header_if_a_run_stopped_before_the_first_row(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_bytes(table([["id", "doc"], ["1", "bad"], ["2", "N;"]]))
    arguments = [str(tmp_path / "in.csv"), "-o", str(tmp_path / "out.csv")]
    assert csv_convert(*arguments, "--max-errors", "0", data=b"").exit_code == 1
    assert (tmp_path / "out.csv.checkpoint").exists()
    assert csv_convert(*arguments, "--resume", data=b"").exit_code == 1
    assert (tmp_path / "out.csv").read_bytes() == table([["id", "doc"], ["2", "null"]])


def test_a_column_need_not_be_named_in_utf8() -> None:
    data = b"\xff,doc\ni:1;,2\n"
    result = run("--csv", os.fsdecode(b"\xff"), "--from", "serialize", "--to", "jsonu", data=data)
    assert (result.exit_code, result.stdout_bytes) == (0, b"\xff,doc\n1,2\n")
