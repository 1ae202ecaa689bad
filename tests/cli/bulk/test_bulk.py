"""`envelope convert --lines`: records, chunks, compression, and mistakes in the command line."""

from __future__ import annotations

import gzip
import io
import os
import subprocess
import sys
from pathlib import Path
from random import Random
from tempfile import TemporaryFile
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import envelope
from envelope import Limits

pytest.importorskip("rich")
pytest.importorskip("click")
zstandard = pytest.importorskip("zstandard")

# After importorskip: without the extra cli they cannot be imported.
from envelope.cli.bulk import chunks as chunks_module  # noqa: E402
from envelope.cli.bulk import ranges as ranges_module  # noqa: E402
from envelope.cli.bulk.chunks import cut  # noqa: E402
from envelope.cli.bulk.csv import CsvFraming  # noqa: E402
from envelope.cli.bulk.lines import LineFraming  # noqa: E402
from envelope.cli.bulk.ranges import InputFile, cut_file  # noqa: E402
from tests.cli.bulk.archives import (  # noqa: E402
    LINES,
    LINES_OUT,
    archive,
    errors_in,
    lines,
    run,
)

# ----------------------------------------------------------------------------------------------------------- records


@pytest.mark.parametrize(
    ("data", "output", "bad"),
    [
        (b"", b"", []),
        (LINES, LINES_OUT, []),
        (LINES[:-1], LINES_OUT, []),
        (LINES.replace(b"\n", b"\r\n"), LINES_OUT, []),
        (b"\n\r\n" + LINES + b"\n\n", LINES_OUT, []),
        (b"\n", b"", []),
        (b"bad\n" + LINES, LINES_OUT, [1]),
        (LINES + b"\nbad", LINES_OUT, [5]),
        (b" \n\r\ri:1;\r\r\n", b"", [1, 2]),
        (b"i:1;i:2;\n" + LINES, LINES_OUT, [1]),
    ],
)
def test_lines(tmp_path: Path, data: bytes, output: bytes, bad: list[int]) -> None:
    result = lines("--errors", str(tmp_path / "bad"), data=data)
    assert result.stdout_bytes == output
    assert result.exit_code == (1 if bad else 0)
    assert [row["line"] for row in errors_in(tmp_path / "bad")] == bad
    if bad:
        count = len([line for line in data.split(b"\n") if line.strip(b"\r")])
        assert f"{len(bad)} of {count} records could not be converted" in result.stderr
    else:
        assert result.stderr == ""


def test_a_bad_record_is_set_aside_with_its_place(tmp_path: Path) -> None:
    bad, raw = b'a:1:{s:1:"k";i:x;}', b's:2:"\xff\xfe";'
    data = LINES + bad + b"\r\n\n" + raw + b"\n" + LINES
    assert lines("--errors", str(tmp_path / "bad"), data=data).stdout_bytes == LINES_OUT * 2
    first, second = errors_in(tmp_path / "bad")
    with pytest.raises(envelope.DecodeError) as caught:
        envelope.loads(bad, "serialize")
    assert first == {
        "line": 4, "offset": len(LINES), "length": len(bad), "kind": "malformed", "record_offset": caught.value.offset,
        "path": "$.k", "reason": caught.value.reason, "hint": None, "raw": bad.decode(),
    }  # fmt: skip
    assert (second["line"], data[second["offset"] :][: second["length"]], second["kind"]) == (6, raw, "forbidden")
    assert second["raw_base64"] == "czoyOiL//iI7"
    assert "raw" not in second


def test_a_bad_record_has_the_hint_of_the_same_document_alone(tmp_path: Path) -> None:
    cut, forbidden = b's:300:"' + b"x" * 248, b's:1:"\xff";'
    result = lines("--errors", str(tmp_path / "bad"), data=cut + b"\n" + forbidden + b"\n")
    assert [row["hint"] for row in errors_in(tmp_path / "bad")] == [
        "exactly 255 bytes: cut by a TINYTEXT column",
        "--values php reads it as bytes, convert --encoding as text of another charset",
    ]
    assert result.exit_code == 1
    shown = lines(data=cut).stderr.splitlines()[0]
    assert shown.endswith(" bytes are left (exactly 255 bytes: cut by a TINYTEXT column)")


def test_without_a_file_for_them_the_first_20_bad_records_are_shown() -> None:
    result = lines(data=b"\x1b[31m\n" * 30)
    shown = result.stderr.splitlines()
    assert len(shown) == 21
    assert shown[0].startswith("error: line 1, byte 0: malformed at byte 0 of the record, $: ")
    assert shown[19].startswith("error: line 20, byte 114: ")
    assert shown[20] == (
        "error: 30 of 30 records could not be converted; --errors FILE keeps them; "
        "30 look like plain text, which --mixed converts as such"
    )
    assert "\x1b" not in result.stderr


@pytest.mark.parametrize(("delimiter", "text"), [(b"\0", r"\0"), (b"\r\n--\r\n", r"\r\n--\r\n"), (b"\n\n", "\n\n")])
def test_documents_with_line_feeds_have_another_delimiter(delimiter: bytes, text: str) -> None:
    values = [["a\nb", "\r"], {"k": [1]}, "\n"]
    data = delimiter.join(envelope.dumps(value, "serialize") for value in values) + delimiter
    result = run("--lines", "--from", "serialize", "--to", "var_export", "--delimiter", text, data=data)
    assert result.exit_code == 0
    assert result.stdout_bytes == b"".join(envelope.dumps(value, "var_export") + delimiter for value in values)


def test_a_document_that_would_hold_the_delimiter_is_set_aside(tmp_path: Path) -> None:
    data = b'[1]\n"a\\nb"\n2\n'
    result = run(
        "--lines", "--from", "json", "--to", "serialize", "--errors", str(tmp_path / "bad"), data=data
    )  # fmt: skip
    assert (result.exit_code, result.stdout_bytes) == (1, b"a:1:{i:0;i:1;}\ni:2;\n")
    (row,) = errors_in(tmp_path / "bad")
    assert (row["line"], row["kind"], row["record_offset"]) == (2, "unrepresentable", None)
    # Half of a two-byte delimiter may be the end of a document.
    result = run("--lines", "--from", "json", "--to", "jsonu", "--delimiter", "]]", data=b"1]][1] ]]2]]")
    assert (result.exit_code, result.stdout_bytes) == (1, b"1]]2]]")


def test_losses_are_reported_by_kind_or_set_aside(tmp_path: Path) -> None:
    data = b'{"a":{}}\n[1]\n{"0":{}}\n'
    result = run("--lines", "--from", "json", "--to", "serialize", data=data)
    assert (result.exit_code, result.stdout_bytes.count(b"\n")) == (0, 3)
    assert result.stderr == "warning: lost in 3 places: dict → list\n"
    strict = run(
        "--lines", "--from", "json", "--to", "serialize", "--strict", "--errors", str(tmp_path / "bad"), data=data
    )  # fmt: skip
    assert (strict.exit_code, strict.stdout_bytes) == (1, b"a:1:{i:0;i:1;}\n")
    assert [(row["line"], row["kind"], row["path"], row["reason"]) for row in errors_in(tmp_path / "bad")] == [
        (1, "loss", "$.a", "{} → []"), (3, "loss", "$", "map of 1 → list of 1"),
    ]  # fmt: skip


def test_objects_are_projected_as_they_are_one_by_one() -> None:
    body = b'O:3:"Foo":1:{s:1:"a";d:1;}'
    result = lines("--values", "php", data=body + b"\n")
    assert result.stdout_bytes == envelope.convert(body, "serialize", "jsonu", values="php", on_loss="ignore") + b"\n"
    assert result.stderr == "warning: lost in 1 place: PhpObject → dict\n"
    assert lines("--values", "php", "--strict", data=body).exit_code == 1


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_record_beyond_the_limit_is_set_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_chunks: None, jobs: str
) -> None:
    monkeypatch.setattr("envelope.cli.common.source.Limits", lambda: Limits(max_bytes=5000))
    long = b's:%d:"%s";' % (40_000, b"x" * 40_000)
    data = LINES + long + b"\n" + LINES + long[:5500] + b"\n" + LINES + long
    result = lines("--jobs", jobs, "--errors", str(tmp_path / "bad"), data=data)
    assert result.stdout_bytes == LINES_OUT * 3
    rows = errors_in(tmp_path / "bad")
    assert [(row["line"], row["kind"], row["length"], "raw" in row) for row in rows] == [
        (4, "limit", len(long) + 1, False), (8, "limit", 5500, True), (12, "limit", len(long), False),
    ]  # fmt: skip
    assert rows[2]["offset"] == len(data) - len(long)


# ------------------------------------------------------------------------------------------------------------ chunks


class Dribble:
    """A stream that returns as little at a time as a pipe may."""

    def __init__(self, data: bytes, seed: int) -> None:
        self.data = io.BytesIO(data)
        self.rng = Random(seed)

    def read(self, size: int) -> bytes:
        return self.data.read(self.rng.randrange(1, size + 1))


@given(st.lists(st.sampled_from([b"ab", b"\n", b'"', b"\n\n", b",", b'""', b"x" * 30, b"\r"])), st.integers(0, 99))
@pytest.mark.parametrize("framing", [LineFraming(b"\n"), LineFraming(b"\n\n"), LineFraming(b"ab"), CsvFraming()])
def test_chunks_depend_on_the_input_alone(framing: Any, pieces: list[bytes], seed: int) -> None:
    data = b"".join(pieces)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunks_module, "CHUNK", 16)
        found = list(cut(Dribble(data, seed), framing, 0, 1000))
        assert b"".join(chunk.data or b"" for chunk in found) == data
        for number, chunk in enumerate(found):
            end = chunk.offset + chunk.length
            assert list(cut(io.BytesIO(data[end:]), framing, end, 1000)) == found[number + 1 :]
    if isinstance(framing, LineFraming):
        records = [record for chunk in found for record in _records(chunk.data or b"", framing.delimiter)]
        assert records == _records(data, framing.delimiter)


@pytest.mark.skipif(not hasattr(os, "pread"), reason="no pread")
@given(st.lists(st.sampled_from([b"ab", b"\n", b"\n\n", b"x" * 14, b"x" * 60])), st.integers(0, 5))
def test_a_file_is_cut_like_a_stream(pieces: list[bytes], start: int) -> None:
    data = b"".join(pieces)
    with TemporaryFile() as file, pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunks_module, "CHUNK", 16)
        patch.setattr(ranges_module, "_REACH", 3)
        file.write(data)
        file.flush()
        source = InputFile(file.fileno(), "")
        found = list(cut_file(source, LineFraming(b"\n"), start, 40))
        streamed = list(cut(io.BytesIO(data[start:]), LineFraming(b"\n"), start, 40))
        read = [chunk._replace(data=source.read_all(chunk)) if chunk.data is None else chunk for chunk in found]
        # Whether a record was marked as too long does not matter here.
        assert [chunk[:3] for chunk in read] == [chunk[:3] for chunk in streamed]


def test_a_file_that_became_shorter_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "in").write_bytes(LINES)
    monkeypatch.setattr(InputFile, "size", len(LINES) + 1)
    result = lines(str(tmp_path / "in"), "-o", str(tmp_path / "out"))
    assert (result.exit_code, result.stderr) == (1, f"Error: cannot read {tmp_path / 'in'}: it became shorter\n")
    assert not (tmp_path / "out").exists()


def _records(data: bytes, delimiter: bytes) -> list[bytes]:
    found = data.split(delimiter)
    return found if found[-1] else found[:-1]


def test_a_record_beyond_the_limit_is_not_kept_in_memory() -> None:
    class Endless:
        left = 300

        def read(self, size: int) -> bytes:
            self.left -= 1
            return b"x" * size if self.left > 0 else b""

    import tracemalloc

    tracemalloc.start()
    (chunk,) = cut(Endless(), LineFraming(b"\n"), 0, 1024)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (chunk.data, chunk.length) == (b"", 299 * chunks_module.CHUNK)
    assert peak < 8 * chunks_module.CHUNK


# ------------------------------------------------------------------------------------------------------- compression


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_compressed_by_suffix_on_either_side(tmp_path: Path, small_chunks: None, suffix: str, jobs: str) -> None:
    wanted = archive(tmp_path / "in.ser")
    body = (tmp_path / "in.ser").read_bytes()
    pack = gzip.compress if suffix == ".gz" else zstandard.compress
    unpack = gzip.decompress if suffix == ".gz" else _unzstd
    # Two members, cut in the middle of a record, and an empty one.
    packed = tmp_path / f"in.ser{suffix}"
    packed.write_bytes(pack(body[:100_001]) + pack(b"") + pack(body[100_001:]))
    out = tmp_path / f"out.jsonl{suffix}"
    assert run("--lines", str(packed), "--to", "jsonu", "-o", str(out), "--jobs", jobs).exit_code == 0
    assert unpack(out.read_bytes()) == wanted
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["in.ser", packed.name, out.name])


def _unzstd(data: bytes) -> bytes:
    with zstandard.ZstdDecompressor().stream_reader(io.BytesIO(data), read_across_frames=True) as reader:
        body: bytes = reader.read()
    return body


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
@pytest.mark.parametrize("damage", ["cut", "changed", "garbage behind"])
def test_a_damaged_input_writes_nothing(tmp_path: Path, suffix: str, damage: str) -> None:
    body = b"".join(b"i:%d;\n" % number for number in range(50_000))
    packed = gzip.compress(body) if suffix == ".gz" else zstandard.ZstdCompressor(write_checksum=True).compress(body)
    if damage == "cut":
        packed = packed[:-3]
    elif damage == "changed":
        middle = len(packed) // 2
        packed = packed[:middle] + bytes([packed[middle] ^ 0x55]) + packed[middle + 1 :]
    else:
        packed += b"garbage, and more of it"
    source, out = tmp_path / f"in{suffix}", tmp_path / "out"
    source.write_bytes(packed)
    out.write_bytes(b"old")
    result = lines(str(source), "-o", str(out))
    assert result.exit_code == 1
    assert f"cannot read {source}: its {'gzip' if suffix == '.gz' else 'zstd'} data is " in result.stderr
    assert result.stderr.count("\n") == 1
    assert out.read_bytes() == b"old"
    assert sorted(tmp_path.iterdir()) == sorted([source, out])


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_an_empty_archive_is_compressed_too(tmp_path: Path, suffix: str) -> None:
    out = tmp_path / f"out{suffix}"
    assert lines("-o", str(out), data=b"").exit_code == 0
    assert (gzip.decompress if suffix == ".gz" else _unzstd)(out.read_bytes()) == b""
    assert len(out.read_bytes()) > 8


# ---------------------------------------------------------------------------------------------------- the command line


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--lines", "--csv", "a", "--from", "json"], "are mutually exclusive"),
        (["--jobs", "2"], "--jobs needs --lines"),
        (["--resume"], "--resume needs --lines"),
        (["--errors", "x"], "--errors needs --lines"),
        (["--max-errors", "0"], "--max-errors needs --lines"),
        (["--delimiter", "x"], "--delimiter needs --lines"),
        (["--lines"], "give it with --from"),
        (["--lines", "--from", "json", "--jobs", "0"], "--jobs"),
        (["--lines", "--from", "json", "--delimiter", ""], "empty"),
        (["--lines", "--from", "json", "--delimiter", "\\x"], "escapes"),
        (["--lines", "--from", "json", "--pretty"], "--pretty"),
        (["--lines", "--from", "json", "--resume"], "a stream cannot be resumed"),
        (["--lines", "nowhere.ser"], "No such file"),
        (["--lines", "--from", "json", "."], "directory"),
        (["--csv", "a", "--from", "json"], "the columns are doc, b"),
        (["--csv", "doc", "--from", "json", "--delimiter", "ab"], "one byte"),
    ],
)
def test_mistakes_in_the_command_line_exit_2(arguments: list[str], message: str) -> None:
    result = run("--to", "jsonu", *arguments, data=b"doc,b\n")
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr


def test_without_zstandard_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "zstandard", None)
    result = lines("-o", "out.zst", data=b"")
    assert result.exit_code == 2
    assert "pip install 'envelope-engine[cli]'" in result.stderr


@pytest.mark.php
def test_php_converts_the_archive_to_the_same_bytes(tmp_path: Path) -> None:
    from tests.bench.bulk import PHP

    archive(tmp_path / "in.ser")
    subprocess.run(["php", "-r", PHP, "--", str(tmp_path / "in.ser"), str(tmp_path / "php")], check=True, timeout=60)
    ours = lines(str(tmp_path / "in.ser"), "--to-dialect", "php", "-o", str(tmp_path / "ours"))
    assert ours.exit_code == 0
    assert (tmp_path / "ours").read_bytes() == (tmp_path / "php").read_bytes()
