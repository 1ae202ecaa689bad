"""`--mixed`, `--keep-rows`, `--unwrap` and `--repair`: the rows of a column stay, in their order, and all is told."""

from __future__ import annotations

import base64
import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.bulk.archives import errors_in, run

BROKEN = 'a:1:{s:4:"site";s:10:"new.example.org";}'
CELLS = ["19.90", "", "NULL", 'a:1:{s:5:"color";s:3:"red";}', "a:1:{i:0;x}", 's:14:"a:1:{i:0;i:5;}";', "é, ;", "\\N"]
MIXED = ['"19.90"', '""', '"NULL"', '{"color":"red"}', None, '"a:1:{i:0;i:5;}"', '"é, ;"', '"\\\\N"']


def table(cells: list[str]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([["id", "doc"], *([str(number), cell] for number, cell in enumerate(cells))])
    return text.getvalue().encode()


def cells_of(output: bytes) -> list[tuple[int, str]]:
    rows = csv.DictReader(io.StringIO(output.decode(), newline=""))
    return [(int(row["id"]), row["doc"]) for row in rows]


def convert(*arguments: str, data: bytes = b"") -> Any:
    return run("--from", "serialize", "--to", "jsonu", *arguments, data=data)


def test_plain_cells_are_texts() -> None:
    result = convert("--csv", "doc", "--mixed", data=table(CELLS))
    assert result.exit_code == 1
    assert cells_of(result.stdout_bytes) == [(row, cell) for row, cell in enumerate(MIXED) if cell is not None]
    assert "note: 5 of 8 records are not serialized: plain text" in result.stderr
    assert "error: 1 of 8 records could not be converted; --errors FILE keeps them\n" in result.stderr
    assert "begin" not in result.stderr
    plain = convert("--csv", "doc", data=table(CELLS))
    assert "6 of 8 records could not be converted; --errors FILE keeps them; 5 look like plain text" in plain.stderr


def test_a_cut_document_among_plain_cells_is_told_apart() -> None:
    cut = 'a:2:{s:1:"a";i:1;s:1:"b";s:9:"t'
    result = convert("--csv", "doc", "--mixed", data=table(["19.90", cut]))
    assert result.exit_code == 0
    told = "begins as a document does and was probably cut; --repair mends such a record or sets it aside"
    assert result.stderr == f"note: 2 of 2 records are not serialized: plain text\nnote: 1 of these texts {told}\n"
    result = convert("--csv", "doc", "--mixed", data=table([cut, cut]))
    assert "note: 2 of these texts begin as documents do and were probably cut; --repair mends" in result.stderr
    result = convert("--csv", "doc", data=table(["19.90", cut]))
    assert "; 1 looks like plain text, which --mixed converts as such\n" in result.stderr


def test_the_lines_about_a_record_have_one_path(tmp_path: Path) -> None:
    bad, edits = tmp_path / "bad", tmp_path / "edits"
    for inner, path in (("i:2", '$["2"].text'), ("i:0", "$[0].text")):
        data = table([f'a:1:{{{inner};a:1:{{s:4:"text";s:3:"longer";}}}}'])
        for php in ((), ("--values", "php")):
            convert("--csv", "doc", *php, "--errors", str(bad), data=data)
            convert("--csv", "doc", *php, "--repair", "--repairs", str(edits), data=data)
            (fault,), (row,) = errors_in(bad), errors_in(edits)
            assert fault["path"] == row["edits"][0]["path"] == (path.replace('"', "") if php else path)


@pytest.mark.parametrize(("keep", "kept"), [("empty", ""), ("as-is", "a:1:{i:0;x}")])
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_rows_are_kept_in_order(tmp_path: Path, small_chunks: None, keep: str, kept: str, jobs: str) -> None:
    (tmp_path / "in.csv").write_bytes(table(CELLS * 300))
    arguments = ["--csv", "doc", "--mixed", "--keep-rows", keep, "--jobs", jobs, "--errors", str(tmp_path / "bad")]
    arguments += [str(tmp_path / "in.csv"), "-o", str(tmp_path / "out.csv")]
    result = convert(*arguments)
    assert result.exit_code == 1
    wanted = [kept if cell is None else cell for cell in MIXED] * 300
    assert cells_of((tmp_path / "out.csv").read_bytes()) == list(enumerate(wanted))
    assert len(errors_in(tmp_path / "bad")) == 300
    rows = "empty" if keep == "empty" else "as they were"
    assert "300 of 2400 records could not be converted; their rows are kept" in result.stderr
    assert rows in result.stderr
    whole = (tmp_path / "out.csv").read_bytes()
    assert convert(*arguments, "--max-errors", "150").exit_code == 1
    other = convert(*arguments[:4], "empty" if keep == "as-is" else "as-is", *arguments[5:], "--resume")
    assert "that run had a different conversion" in other.stderr
    again = convert(*arguments, "--resume")
    assert (tmp_path / "out.csv").read_bytes() == whole
    assert "note: 1500 of 2400 records are not serialized" in again.stderr


def test_what_is_no_row_stays_as_it_was() -> None:
    data = b'id,doc\r\n1,"i:1;"\r\n2\r\n3,"i:5;"x\r\n4,no\r\n'
    for keep, kept in (("empty", b"4,\r\n"), ("as-is", b"4,no\r\n")):
        result = convert("--csv", "doc", "--keep-rows", keep, data=data)
        assert result.stdout_bytes == b'id,doc\r\n1,1\r\n2\r\n3,"i:5;"x\r\n' + kept


@pytest.mark.parametrize(
    ("option", "wanted"),
    [
        (["--keep-rows", "empty"], b"1\n\n\n2\n"),
        (["--keep-rows", "as-is"], b"1\n\nno\n2\n"),
        (["--mixed"], b'1\n""\n"no"\n2\n'),
        ([], b"1\n2\n"),
    ],
)
def test_lines_stay_where_they_were(option: list[str], wanted: bytes) -> None:
    result = convert("--lines", *option, data=b"i:1;\n\r\nno\ni:2;")
    assert result.stdout_bytes == wanted
    assert result.exit_code == (0 if option == ["--mixed"] else 1)


def test_a_record_beyond_the_limit_leaves_an_empty_row(monkeypatch: pytest.MonkeyPatch, small_chunks: None) -> None:
    from envelope import Limits

    monkeypatch.setattr("envelope.cli.common.source.Limits", lambda: Limits(max_bytes=5000))
    long = b"x" * 40_000
    result = convert("--lines", "--keep-rows", "as-is", data=b"i:1;\n" + long + b"\ni:2;\n")
    assert result.stdout_bytes == b"1\n\n2\n"
    result = convert("--csv", "b", "--keep-rows", "as-is", data=b"a,b\n1,i:1;\n2," + long + b"\n3,i:3;\n")
    assert result.stdout_bytes == b"a,b\n1,1\n,\n3,3\n"


@pytest.mark.parametrize("kind", ["binary", "string"])
def test_rows_of_parquet_are_kept(tmp_path: Path, kind: str) -> None:
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet as pq

    source, out = tmp_path / "in.parquet", tmp_path / "out.parquet"
    column = pa.array([*CELLS, None], pa.string()).cast(getattr(pa, kind)())
    pq.write_table(pa.table({"id": range(len(column)), "doc": column}), source)
    for option, kept in (("empty", None), ("as-is", "a:1:{i:0;x}")):
        arguments = ["--parquet", "doc", "--mixed", "--keep-rows", option, str(source), "-o", str(out)]
        assert convert(*arguments).exit_code == 1
        made = pq.read_table(out)
        assert made["doc"].type == column.type
        assert made["doc"].cast(pa.string()).to_pylist() == [kept if cell is None else cell for cell in MIXED] + [None]
        assert made["id"].to_pylist() == list(range(9))


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_layers_and_repairs_are_told(tmp_path: Path, small_chunks: None, jobs: str) -> None:
    wrapped = base64.b64encode(b"a:1:{i:0;i:1;}").decode()
    (tmp_path / "in").write_text(f"i:1;\n{wrapped}\n{BROKEN}\nno\n" * 200)
    arguments = ["--lines", "--unwrap", "auto", "--repair", "--repairs", str(tmp_path / "edits"), "--jobs", jobs]
    arguments += [str(tmp_path / "in"), "-o", str(tmp_path / "out")]
    result = convert(*arguments)
    assert result.exit_code == 1
    whole = (tmp_path / "out").read_bytes()
    assert whole == b'1\n[1]\n{"site":"new.example.org"}\n' * 200
    assert "note: base64 taken off 200 records" in result.stderr
    assert f"note: 200 records repaired; the edits are in {tmp_path / 'edits'}" in result.stderr
    edits = (tmp_path / "edits").read_bytes()
    rows = [json.loads(line) for line in edits.splitlines()]
    assert [row["line"] for row in rows] == list(range(3, 801, 4))
    body = (tmp_path / "in").read_bytes()
    assert {body[row["offset"] :][: row["length"]] for row in rows} == {BROKEN.encode()}
    edit = {"offset": 18, "before": "10", "after": "15", "path": "$.site", "cause": "length"}
    assert {**rows[0]["edits"][0], "hint": None} == {**edit, "hint": None}
    assert convert(*arguments, "--max-errors", "90").exit_code == 1
    assert convert(*arguments, "--resume").exit_code == 1
    assert ((tmp_path / "out").read_bytes(), (tmp_path / "edits").read_bytes()) == (whole, edits)


def test_repaired_rows_of_csv_and_parquet(tmp_path: Path) -> None:
    result = convert(
        "--csv", "doc", "--repair", "--repairs", str(tmp_path / "edits"), data=table(["i:1;", BROKEN])
    )  # fmt: skip
    assert (result.exit_code, cells_of(result.stdout_bytes)) == (0, [(0, "1"), (1, '{"site":"new.example.org"}')])
    (row,) = errors_in(tmp_path / "edits")
    assert (row["line"], row["edits"][0]["after"]) == (3, "15")
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet as pq

    pq.write_table(pa.table({"doc": [None, BROKEN]}), tmp_path / "in.parquet")
    names = ["--parquet", "doc", str(tmp_path / "in.parquet"), "-o", str(tmp_path / "out.parquet")]
    assert convert(*names, "--repair", "--repairs", str(tmp_path / "edits")).exit_code == 0
    assert pq.read_table(tmp_path / "out.parquet")["doc"].to_pylist() == [None, '{"site":"new.example.org"}']
    (row,) = errors_in(tmp_path / "edits")
    assert (row["line"], row["offset"]) == (2, None)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--mixed"], "--mixed needs --lines, --csv or --parquet"),
        (["--keep-rows", "empty"], "--keep-rows needs --lines"),
        (["--repair"], "--repair needs --lines"),
        (["--lines", "--repairs", "edits"], "--repairs needs --repair"),
        (["--lines", "--repair", "--repairs", "-"], "--repairs: repairs go to a file"),
        (["--lines", "--repair", "--repairs", "x", "--errors", "x"], "--repairs x is --errors"),
        (["--lines", "--mixed", "--from", "json"], "--mixed is for --from serialize"),
        (["--lines", "--mixed", "--from-dialect", "session"], "--mixed is for --from serialize"),
        (["--lines", "--repair", "--from", "var_export"], "--repair is for --from serialize"),
        (["--lines", "--at", "$.a"], "--at is for single documents"),
        (["--lines", "--unwrap", "auto,base64"], "auto is not auto or one of"),
    ],
)
def test_mistakes_exit_2(arguments: list[str], message: str) -> None:
    result = convert(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr
