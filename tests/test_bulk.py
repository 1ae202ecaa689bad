"""`envelope convert --lines` and `--csv`: records, chunks, processes, and runs that are stopped and go on."""

from __future__ import annotations

import csv
import errno
import gzip
import io
import json
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from random import Random
from tempfile import TemporaryFile
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import envelope
from envelope import Limits
from tests.bench.archive import records

pytest.importorskip("rich")
CliRunner = pytest.importorskip("click.testing").CliRunner
zstandard = pytest.importorskip("zstandard")

from envelope.cli.bulk import chunks as chunks_module  # noqa: E402
from envelope.cli.bulk import ranges as ranges_module  # noqa: E402
from envelope.cli.bulk import run as run_module  # noqa: E402
from envelope.cli.bulk.checkpoint import Progress, write_checkpoint  # noqa: E402
from envelope.cli.bulk.chunks import Chunk, Outcome, Position, cut  # noqa: E402
from envelope.cli.bulk.csv import CsvFraming  # noqa: E402
from envelope.cli.bulk.lines import LineFraming  # noqa: E402
from envelope.cli.bulk.output import GrowingFile  # noqa: E402
from envelope.cli.bulk.ranges import InputFile, cut_file  # noqa: E402
from envelope.cli.bulk.workers import WorkerDied, Workers  # noqa: E402
from envelope.cli.command import envelope as command  # noqa: E402

LINES = b"i:1;\n" + 's:3:"中";\n'.encode() + b"a:1:{i:0;N;}\n"
LINES_OUT = '1\n"中"\n[null]\n'.encode()


def run(*arguments: str, data: bytes = b"") -> Any:
    result = CliRunner().invoke(command, ["convert", *arguments], input=data, prog_name="envelope")
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result


def lines(*arguments: str, data: bytes = b"") -> Any:
    return run("--lines", "--from", "serialize", "--to", "jsonu", *arguments, data=data)


def errors_in(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks_module, "CHUNK", 4096)


def archive(path: Path, size: int = 400_000, *, bad_every: int = 0) -> bytes:
    """An archive of about *size* bytes, and what its conversion to jsonu is."""
    written, wanted = [], []
    for number, record in enumerate(records(1, size), 1):
        if bad_every and number % bad_every == 0:
            written.append(record[:-3] + b"\n")
        else:
            written.append(record)
            wanted.append(envelope.convert(record[:-1], "serialize", "jsonu") + b"\n")
    body = b"".join(written)
    path.write_bytes(gzip.compress(body) if path.suffix == ".gz" else body)
    return b"".join(wanted)


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
        "path": "$.k", "reason": caught.value.reason, "raw": bad.decode(),
    }  # fmt: skip
    assert (second["line"], data[second["offset"] :][: second["length"]], second["kind"]) == (6, raw, "forbidden")
    assert second["raw_base64"] == "czoyOiL//iI7"
    assert "raw" not in second


def test_without_a_file_for_them_the_first_20_bad_records_are_shown() -> None:
    result = lines(data=b"\x1b[31m\n" * 30)
    shown = result.stderr.splitlines()
    assert len(shown) == 21
    assert shown[0].startswith("error: line 1, byte 0: malformed at byte 0 of the record, $: ")
    assert shown[19].startswith("error: line 20, byte 114: ")
    assert shown[20] == "error: 30 of 30 records could not be converted; --errors FILE keeps them"
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
    # Of two bytes, half may be the document's end.
    result = run("--lines", "--from", "json", "--to", "jsonu", "--delimiter", "]]", data=b"1]][1] ]]2]]")
    assert (result.exit_code, result.stdout_bytes) == (1, b"1]]2]]")


def test_losses_are_told_by_kind_or_set_aside(tmp_path: Path) -> None:
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
    monkeypatch.setattr("envelope.cli.convert.Limits", lambda: Limits(max_bytes=5000))
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
    """A stream that hands over as little as a pipe may."""

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
def test_a_file_is_cut_as_a_stream_is(pieces: list[bytes], start: int) -> None:
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
        # Whether a record was found to be a long one is no part of what it is.
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


# ------------------------------------------------------------------------------------------------- runs and processes


@pytest.mark.parametrize("jobs", ["1", "2", "3"])
def test_order_and_bytes_are_the_same_whatever_the_jobs(tmp_path: Path, small_chunks: None, jobs: str) -> None:
    wanted = archive(tmp_path / "in.ser", bad_every=7)
    result = lines(str(tmp_path / "in.ser"), "--jobs", jobs, "--errors", str(tmp_path / "bad"))
    assert result.stdout_bytes == wanted
    found = [row["line"] for row in errors_in(tmp_path / "bad")]
    assert found
    assert found == [7 * number for number in range(1, len(found) + 1)]


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_too_many_bad_records_stop_the_run(tmp_path: Path, small_chunks: None, jobs: str) -> None:
    wanted = archive(tmp_path / "in.ser", bad_every=7)
    out, bad = tmp_path / "out", tmp_path / "bad"
    out.write_bytes(b"old")
    arguments = [str(tmp_path / "in.ser"), "-o", str(out), "--errors", str(bad), "--jobs", jobs]
    stopped = lines(*arguments, "--max-errors", "4")
    assert stopped.exit_code == 1
    assert stopped.stderr == "Error: stopped: more than 4 bad records; --resume goes on from here\n"
    assert out.read_bytes() == b"old"
    assert [row["line"] for row in errors_in(bad)] == [7, 14, 21, 28, 35]
    assert lines(*arguments, "--resume").exit_code == 1
    assert out.read_bytes() == wanted
    assert [row["line"] for row in errors_in(bad)][:6] == [7, 14, 21, 28, 35, 42]
    assert lines(*arguments, "--max-errors", str(len(errors_in(bad)))).exit_code == 1
    assert not (tmp_path / "out.partial").exists()


def test_losses_before_a_stop_are_told_in_the_end(tmp_path: Path, small_chunks: None) -> None:
    (tmp_path / "in.json").write_bytes(b"{}\n" * 3000 + b"bad\n" + b"{}\n" * 1000)
    arguments = [
        "--lines", str(tmp_path / "in.json"), "-o", str(tmp_path / "out"), "--from", "json", "--to", "serialize"
    ]  # fmt: skip
    assert run(*arguments, "--max-errors", "0").exit_code == 1
    assert 0 < (tmp_path / "out.partial").stat().st_size < 3000 * len(b"a:0:{}\n")
    resumed = run(*arguments, "--resume")
    assert "lost in 4000 places: dict → list" in resumed.stderr
    assert (tmp_path / "out").read_bytes() == b"a:0:{}\n" * 4000


def start(*arguments: str, interval: float = 0.05) -> subprocess.Popen[bytes]:
    """The command with small chunks, slowed down, and a checkpoint every *interval* seconds."""
    program = (
        "import time\nfrom envelope.cli.bulk import chunks, run\n"
        f"chunks.CHUNK, run._INTERVAL = 4096, {interval}\n"
        "take = run.Run._take\n"
        "run.Run._take = lambda *arguments: (time.sleep(0.01), take(*arguments))\n"
        "from envelope.cli import main\n"
        "main()\n"
    )
    return subprocess.Popen(
        [sys.executable, "-c", program, "convert", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def wait_for(condition: Any, seconds: float = 60) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with suppress(FileNotFoundError, ValueError):
            if found := condition():
                return found
        time.sleep(0.002)
    raise AssertionError("it did not come to that")


def processes_of(parent: int) -> list[int]:
    """Its children, by /proc."""
    children = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = path.read_text().rpartition(")")[2].split()
            if int(fields[1]) == parent and fields[0] != "Z":
                children.append(int(path.parent.name))
    return children


def is_alive(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


on_linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks at /proc")


@on_linux
@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize("suffix", ["", ".gz", ".zst"])
def test_killed_and_gone_on_with_the_bytes_are_the_same(tmp_path: Path, jobs: str, suffix: str) -> None:
    source = tmp_path / f"in.ser{'.gz' if suffix else ''}"
    archive(source, 1_500_000, bad_every=11)
    whole, out, checkpoint = (
        tmp_path / f"whole{suffix}",
        tmp_path / f"out{suffix}",
        tmp_path / f"out{suffix}.checkpoint",
    )
    for target in (whole, out):
        target.write_bytes(b"old")

    def arguments(target: Path) -> list[str]:
        errors = str(tmp_path / f"{target.name}.bad")
        return ["--lines", str(source), "--from", "serialize", "--to", "jsonu", "-o", str(target), "--errors", errors]

    with start(*arguments(whole)) as child:
        assert child.wait(120) == 1
    with start(*arguments(out), "--jobs", jobs) as child:
        wait_for(lambda: json.loads(checkpoint.read_bytes())["progress"]["position"][0] > 200_000)
        workers = processes_of(child.pid)
        assert len(workers) == (0 if jobs == "1" else 2)
        child.kill()
    assert out.read_bytes() == b"old"
    wait_for(lambda: not any(map(is_alive, workers)))
    # As if the disk had taken more than the checkpoint knows of.
    for name in (f"out{suffix}.partial", f"out{suffix}.bad"):
        with open(tmp_path / name, "ab") as file:
            file.write(b"what came after")
    done = json.loads(checkpoint.read_bytes())["progress"]["position"][0]
    assert 0 < done < 1_400_000
    with start(*arguments(out), "--jobs", jobs, "--resume") as child:
        assert child.wait(120) == 1
    assert out.read_bytes() == whole.read_bytes()
    assert (tmp_path / f"out{suffix}.bad").read_bytes() == (tmp_path / f"whole{suffix}.bad").read_bytes()
    assert not checkpoint.exists()
    assert not (tmp_path / f"out{suffix}.partial").exists()


@on_linux
@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_end_the_workers_and_leave_a_checkpoint(tmp_path: Path, jobs: str, number: int, status: int) -> None:
    wanted = archive(tmp_path / "in.ser", 2_000_000)
    out = tmp_path / "out"
    arguments = ["--lines", str(tmp_path / "in.ser"), "--to", "jsonu", "-o", str(out), "--jobs", jobs]
    # No checkpoint is due for an hour: that which is found was written at the end.
    with start(*arguments, interval=3600) as child:
        wait_for(lambda: (tmp_path / "out.partial").stat().st_size > 100_000)
        workers = processes_of(child.pid)
        child.send_signal(number)
        assert child.wait(60) == status
        assert child.stderr is not None
        said = child.stderr.read()
        assert said.startswith(b"stopped after ")
        assert said.count(b"\n") == 1
        assert said.endswith(b"; --resume goes on from here\n")
    assert not any(map(is_alive, workers))
    assert not out.exists()
    assert json.loads((tmp_path / "out.checkpoint").read_bytes())["progress"]["position"][0] > 0
    with start(*arguments, "--resume") as child:
        assert child.wait(120) == 0
    assert out.read_bytes() == wanted


def too_large_for_a_slot(chunk: Chunk) -> Outcome:
    return Outcome(bytes(100_000_000), chunk.length, 1, 1, [], Counter())


@on_linux
def test_a_worker_that_is_killed_amid_an_answer_is_not_waited_for() -> None:
    with Workers(2) as workers:
        outcomes = workers.in_order(too_large_for_a_slot, (Chunk(b"x", at, 1) for at in range(100)))
        next(outcomes)
        for process in multiprocessing.active_children():
            process.kill()
        with pytest.raises(WorkerDied):
            list(outcomes)


def test_a_run_stops_while_its_workers_send_what_no_pipe_holds(tmp_path: Path) -> None:
    (tmp_path / "in.ser").write_bytes((b"x" * 8_000_000 + b"\n") * 12)
    names = [str(tmp_path / "in.ser"), "-o", str(tmp_path / "out"), "--errors", str(tmp_path / "bad")]
    with start("--lines", *names, "--to", "jsonu", "--jobs", "2", "--max-errors", "0") as child:
        try:
            assert child.wait(60) == 1
        finally:
            child.kill()


@on_linux
def test_a_worker_that_is_killed_is_one_line_and_the_run_can_go_on(tmp_path: Path) -> None:
    wanted = archive(tmp_path / "in.ser", 2_000_000)
    out = tmp_path / "out"
    arguments = ["--lines", str(tmp_path / "in.ser"), "--to", "jsonu", "-o", str(out), "--jobs", "2"]
    with start(*arguments) as child:
        wait_for(lambda: (tmp_path / "out.checkpoint").exists())
        os.kill(processes_of(child.pid)[0], signal.SIGKILL)
        assert child.wait(60) == 1
        assert child.stderr is not None
        assert child.stderr.read() == (
            b"Error: a worker process was killed, or ran out of memory; --resume goes on from here\n"
        )
    with start(*arguments, "--resume") as child:
        assert child.wait(120) == 0
    assert out.read_bytes() == wanted


def test_a_slow_disk_does_not_hold_up_the_run(
    tmp_path: Path, small_chunks: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = archive(tmp_path / "in.ser")
    taken: list[Any] = []
    has_gone_on = threading.Event()
    take = run_module.Run._take

    def counted(*arguments: Any) -> None:
        take(*arguments)
        taken.append(arguments)
        if len(taken) == 3:
            has_gone_on.set()

    def slow(_: GrowingFile) -> None:
        # The first checkpoint is on its way after one chunk, and is not done before two more were taken.
        assert has_gone_on.wait(30)

    monkeypatch.setattr(run_module, "_INTERVAL", 0)
    monkeypatch.setattr(run_module.Run, "_take", counted)
    monkeypatch.setattr(GrowingFile, "sync", slow)
    assert lines(str(tmp_path / "in.ser"), "-o", str(tmp_path / "out")).exit_code == 0
    assert (tmp_path / "out").read_bytes() == wanted


def test_what_the_disk_lost_is_in_no_checkpoint(
    tmp_path: Path, small_chunks: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive(tmp_path / "in.ser")
    failures = [OSError(errno.EIO, "Input/output error")]

    def lost_once(_: GrowingFile) -> None:
        if failures:
            raise failures.pop()

    monkeypatch.setattr(run_module, "_INTERVAL", 0)
    monkeypatch.setattr(GrowingFile, "sync", lost_once)
    result = lines(str(tmp_path / "in.ser"), "-o", str(tmp_path / "out"))
    assert (result.exit_code, result.stderr) == (1, "Error: cannot write the output: Input/output error\n")
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "out.checkpoint").exists()


def stopped_run(tmp_path: Path) -> tuple[Path, list[str]]:
    """A run that was stopped, and its command."""
    archive(tmp_path / "in.ser", bad_every=7)
    arguments = [str(tmp_path / "in.ser"), "-o", str(tmp_path / "out"), "--errors", str(tmp_path / "bad")]
    assert lines(*arguments, "--max-errors", "9").exit_code == 1
    return tmp_path / "out", arguments


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("touch", "that run had another input"),
        ("strict", "that run had another conversion"),
        ("delimiter", "that run had another delimiter"),
        ("damage", "it is damaged"),
        ("shorten", "is shorter than the checkpoint says"),
    ],
)
def test_only_the_same_run_goes_on(tmp_path: Path, small_chunks: None, change: str, message: str) -> None:
    out, arguments = stopped_run(tmp_path)
    if change == "touch":
        os.utime(tmp_path / "in.ser", ns=(1, 1))
    elif change == "strict":
        arguments.append("--strict")
    elif change == "delimiter":
        arguments += ["--delimiter", "\\0"]
    elif change == "damage":
        saved = json.loads((tmp_path / "out.checkpoint").read_bytes())
        (tmp_path / "out.checkpoint").write_text(json.dumps({**saved, "progress": {"position": None}}))
    else:
        os.truncate(tmp_path / "out.partial", 10)
    result = lines(*arguments, "--resume")
    assert result.exit_code == 2
    assert message in result.stderr
    assert not out.exists()
    # Without --resume it begins anew.
    assert lines(*arguments).exit_code == 1
    assert out.exists()
    assert not (tmp_path / "out.checkpoint").exists()


def test_resume_with_nothing_to_resume_begins_at_the_beginning(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(LINES)
    assert lines(str(tmp_path / "in"), "-o", str(tmp_path / "out"), "--resume").exit_code == 0
    assert (tmp_path / "out").read_bytes() == LINES_OUT


def test_the_output_keeps_its_mode_and_its_link(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_bytes(b"old")
    target.chmod(0o640)
    link.symlink_to(target)
    assert lines("-o", str(link), data=LINES).exit_code == 0
    assert link.is_symlink()
    assert (target.read_bytes(), target.stat().st_mode & 0o777) == (LINES_OUT, 0o640)


def test_a_file_may_be_converted_in_place(tmp_path: Path) -> None:
    path = tmp_path / "in.ser"
    path.write_bytes(LINES)
    assert lines(str(path), "-o", str(path)).exit_code == 0
    assert path.read_bytes() == LINES_OUT


@pytest.mark.parametrize(
    ("source", "errors"),
    [
        ("in", "in"),
        ("in", "out"),
        ("in", "link"),
        ("in", "out.partial"),
        ("in", "out.checkpoint"),
        ("out.partial", "bad"),
        ("out.checkpoint", "bad"),
    ],
)
def test_a_run_never_writes_over_what_it_reads_nor_two_things_to_one_file(
    tmp_path: Path, source: str, errors: str
) -> None:
    (tmp_path / "out").write_bytes(b"old")
    (tmp_path / source).write_bytes(LINES + b"bad\n")
    (tmp_path / "link").symlink_to(tmp_path / source)
    result = lines(str(tmp_path / source), "-o", str(tmp_path / "out"), "--errors", str(tmp_path / errors))
    assert result.exit_code == 2
    assert "give another name" in result.stderr
    assert (tmp_path / source).read_bytes() == LINES + b"bad\n"
    assert (tmp_path / "out").read_bytes() == b"old"
    assert {path.name for path in tmp_path.iterdir()} == {source, "link", "out"}


def test_bad_records_go_to_a_file() -> None:
    result = lines("--errors", "-", data=LINES)
    assert result.exit_code == 2
    assert "--errors" in result.stderr


@pytest.mark.skipif(os.name == "nt", reason="named pipes")
@pytest.mark.parametrize("option", ["--lines", "--csv"])
def test_a_pipe_is_read_once_from_its_beginning(tmp_path: Path, option: str) -> None:
    source, out = tmp_path / "in", tmp_path / "out"
    os.mkfifo(source)
    head = [] if option == "--lines" else ["doc"]
    data = "\n".join([*head, *(f"i:{number};" for number in range(20_000))]).encode()
    feeder = threading.Thread(target=source.write_bytes, args=[data])
    feeder.start()
    result = run(option, *head, str(source), "--from", "serialize", "--to", "jsonu", "-o", str(out))
    feeder.join()
    assert (result.exit_code, result.stderr) == (0, "")
    assert out.read_text().split() == [*head, *map(str, range(20_000))]


@pytest.mark.skipif(os.name == "nt", reason="locks of POSIX systems")
def test_two_runs_do_not_write_to_one_output_at_once(tmp_path: Path) -> None:
    source, out, bad = tmp_path / "in", tmp_path / "out", tmp_path / "bad"
    os.mkfifo(source)
    arguments = ["-o", str(out), "--errors", str(bad)]
    with start("--lines", str(source), "--from", "serialize", "--to", "jsonu", *arguments) as child:
        with open(source, "wb") as pipe:
            wait_for(bad.exists)
            for taken in (arguments, ["--errors", str(bad)]):
                result = lines(*taken, data=b"i:2;\n")
                assert result.exit_code == 1
                assert "another run writes to it" in result.stderr
                assert result.stderr.count("\n") == 1
            pipe.write(LINES)
        assert child.wait(60) == 0
    assert out.read_bytes() == LINES_OUT


@on_linux
def test_names_need_not_be_utf8(tmp_path: Path, small_chunks: None) -> None:
    name = os.fsdecode(b"in\xff.ser")
    wanted = archive(tmp_path / name, bad_every=50)
    arguments = [str(tmp_path / name), "-o", str(tmp_path / f"{name}.out"), "--errors", str(tmp_path / f"{name}.bad")]
    stopped = lines(*arguments, "--max-errors", "2")
    assert (stopped.exit_code, stopped.stderr.count("\n")) == (1, 1)
    assert "--resume goes on from here" in stopped.stderr
    assert lines(*arguments, "--resume").exit_code == 1
    assert (tmp_path / f"{name}.out").read_bytes() == wanted


def test_a_column_need_not_be_named_in_utf8() -> None:
    data = b"\xff,doc\ni:1;,2\n"
    result = run("--csv", os.fsdecode(b"\xff"), "--from", "serialize", "--to", "jsonu", data=data)
    assert (result.exit_code, result.stdout_bytes) == (0, b"\xff,doc\n1,2\n")


def test_a_checkpoint_that_cannot_be_written_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_checkpoint(tmp_path / "out.checkpoint", {}, Progress(Position(0, 1)))
    assert list(tmp_path.iterdir()) == []


def test_a_device_takes_the_output() -> None:
    assert lines("-o", os.devnull, data=LINES).exit_code == 0
    assert not os.path.isfile(os.devnull)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
@pytest.mark.parametrize("option", ["-o", "--errors"])
def test_a_full_disk_is_one_line(option: str) -> None:
    result = lines(option, "/dev/full", data=LINES if option == "-o" else b"bad")
    assert result.exit_code == 1
    assert "No space left on device" in result.stderr
    assert result.stderr.count("\n") == 1


@on_linux
def test_memory_does_not_grow_with_the_archive(tmp_path: Path) -> None:
    program = (
        "import sys\nfrom envelope.cli import main\n"
        "try:\n    main()\nfinally:\n    sys.stderr.write(open('/proc/self/status').read())\n"
    )
    record = b's:100000:"' + b"x" * 100_000 + b'";\n'
    peaks = []
    for count in (100, 1000):
        path = tmp_path / "in.ser"
        path.write_bytes(record * count)
        command = [sys.executable, "-c", program, "convert", "--lines", str(path), "--to", "jsonu", "-o", os.devnull]
        ran = subprocess.run(command, capture_output=True, check=True, timeout=120)
        peaks.append(int(re.findall(rb"VmHWM:\s+(\d+) kB", ran.stderr)[0]))
    assert peaks[1] - peaks[0] < 8 * 1024


@pytest.mark.skipif(os.name == "nt", reason="terminals")
def test_a_terminal_gets_a_progress_bar(tmp_path: Path) -> None:
    import pty

    archive(tmp_path / "in.ser", 2_000_000)
    main_end, child_end = pty.openpty()
    shown = b""
    with subprocess.Popen(
        [sys.executable, "-m", "envelope", "convert", "--lines", str(tmp_path / "in.ser"), "--to", "jsonu", "-o", os.devnull],
        stderr=child_end, env={**os.environ, "TERM": "xterm", "COLUMNS": "120"},
    ) as child:  # fmt: skip
        os.close(child_end)
        with suppress(OSError):  # the other end is closed
            while piece := os.read(main_end, 10_000):
                shown += piece
        assert child.wait(60) == 0
    os.close(main_end)
    assert b" records" in shown
    assert b"MB" in shown


# --------------------------------------------------------------------------------------------------------------- csv


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


def test_csv_keeps_what_is_no_utf8_and_the_mark_before_the_header() -> None:
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
def test_csv_goes_on_where_it_was_stopped(tmp_path: Path, small_chunks: None, jobs: str) -> None:
    rows = [[str(number), f's:9:"a\n{number:07}";' if number % 100 else "bad"] for number in range(3000)]
    wanted = [[number, json.dumps(f"a\n{int(number):07}")] for number, document in rows if document != "bad"]
    source, out = tmp_path / "in.csv.gz", tmp_path / "out.csv"
    source.write_bytes(gzip.compress(table([["id", "doc"], *rows])))
    arguments = [str(source), "-o", str(out), "--jobs", jobs]
    assert csv_convert(*arguments, "--max-errors", "10", data=b"").exit_code == 1
    assert (tmp_path / "out.csv.partial").stat().st_size > 1000
    assert csv_convert(*arguments, "--resume", data=b"").exit_code == 1
    assert out.read_bytes() == table([["id", "doc"], *wanted])


def test_csv_has_its_header_once_where_a_run_stopped_before_the_first_row(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_bytes(table([["id", "doc"], ["1", "bad"], ["2", "N;"]]))
    arguments = [str(tmp_path / "in.csv"), "-o", str(tmp_path / "out.csv")]
    assert csv_convert(*arguments, "--max-errors", "0", data=b"").exit_code == 1
    assert (tmp_path / "out.csv.checkpoint").exists()
    assert csv_convert(*arguments, "--resume", data=b"").exit_code == 1
    assert (tmp_path / "out.csv").read_bytes() == table([["id", "doc"], ["2", "null"]])


# ---------------------------------------------------------------------------------------------------- the command line


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--lines", "--csv", "a", "--from", "json"], "exclude each other"),
        (["--jobs", "2"], "--jobs goes with"),
        (["--resume"], "--resume goes with"),
        (["--errors", "x"], "--errors goes with"),
        (["--max-errors", "0"], "--max-errors goes with"),
        (["--delimiter", "x"], "--delimiter goes with"),
        (["--lines"], "give it with --from"),
        (["--lines", "--from", "json", "--jobs", "0"], "--jobs"),
        (["--lines", "--from", "json", "--delimiter", ""], "empty"),
        (["--lines", "--from", "json", "--delimiter", "\\x"], "escapes"),
        (["--lines", "--from", "json", "--pretty"], "--pretty"),
        (["--lines", "--from", "json", "--resume"], "no place to go back to"),
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
