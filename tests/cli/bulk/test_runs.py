"""Runs over an archive: processes, what stops them, how they resume, and what they leave behind."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("rich")
pytest.importorskip("click")
pytest.importorskip("zstandard")

# After importorskip: without the extra cli they cannot be imported.
from envelope.cli.bulk import run as run_module
from envelope.cli.bulk.checkpoint import Progress, write_checkpoint
from envelope.cli.bulk.chunks import Chunk, Outcome, Position, SetAside
from envelope.cli.bulk.output import GrowingFile
from envelope.cli.bulk.workers import WorkerDied, Workers
from tests.cli.bulk.archives import (
    LINES,
    LINES_OUT,
    archive,
    errors_in,
    is_alive,
    lines,
    on_linux,
    processes_of,
    run,
    start,
    wait_for,
)
from tests.cli.command import MIB, peak


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
    assert stopped.stderr == "Error: stopped: more than 4 bad records; --resume continues from here\n"
    assert out.read_bytes() == b"old"
    assert [row["line"] for row in errors_in(bad)] == [7, 14, 21, 28, 35]
    assert lines(*arguments, "--resume").exit_code == 1
    assert out.read_bytes() == wanted
    assert [row["line"] for row in errors_in(bad)][:6] == [7, 14, 21, 28, 35, 42]
    assert lines(*arguments, "--max-errors", str(len(errors_in(bad)))).exit_code == 1
    assert not (tmp_path / "out.partial").exists()


def test_losses_before_a_stop_are_reported_at_the_end(tmp_path: Path, small_chunks: None) -> None:
    (tmp_path / "in.json").write_bytes(b"{}\n" * 3000 + b"bad\n" + b"{}\n" * 1000)
    arguments = [
        "--lines", str(tmp_path / "in.json"), "-o", str(tmp_path / "out"), "--from", "json", "--to", "serialize"
    ]  # fmt: skip
    assert run(*arguments, "--max-errors", "0").exit_code == 1
    assert 0 < (tmp_path / "out.partial").stat().st_size < 3000 * len(b"a:0:{}\n")
    resumed = run(*arguments, "--resume")
    assert "lost in 4000 places: dict → list" in resumed.stderr
    assert (tmp_path / "out").read_bytes() == b"a:0:{}\n" * 4000


@on_linux
@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize("suffix", ["", ".gz", ".zst"])
def test_a_killed_and_resumed_run_writes_the_same_bytes(tmp_path: Path, jobs: str, suffix: str) -> None:
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
    # As if more had been written than the checkpoint records.
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
    # No checkpoint is due for an hour, so the one found was written at the end.
    with start(*arguments, interval=3600) as child:
        wait_for(lambda: (tmp_path / "out.partial").stat().st_size > 100_000)
        workers = processes_of(child.pid)
        child.send_signal(number)
        assert child.wait(60) == status
        assert child.stderr is not None
        said = child.stderr.read()
        assert said.startswith(b"stopped after ")
        assert said.count(b"\n") == 1
        assert said.endswith(b"; --resume continues from here\n")
    assert not any(map(is_alive, workers))
    assert not out.exists()
    assert json.loads((tmp_path / "out.checkpoint").read_bytes())["progress"]["position"][0] > 0
    with start(*arguments, "--resume") as child:
        assert child.wait(120) == 0
    assert out.read_bytes() == wanted


def too_large_for_a_slot(chunk: Chunk, set_aside: SetAside, /) -> Outcome:
    return Outcome(bytes(10_000_000), chunk.length, 1, 1, Counter())


@on_linux
def test_a_worker_killed_while_answering_is_not_waited_for() -> None:
    with Workers(2) as workers:
        outcomes = workers.in_order(too_large_for_a_slot, (Chunk(b"x", at, 1) for at in range(100)), print)
        next(outcomes)
        for process in multiprocessing.active_children():
            process.kill()
        with pytest.raises(WorkerDied):
            list(outcomes)


def divided_by_zero(chunk: Chunk, set_aside: SetAside, /) -> Outcome:
    return Outcome(b"", chunk.length // 0, 1, 1, Counter())


def test_an_unexpected_error_says_where_in_the_worker_it_was() -> None:
    with Workers(2) as workers, pytest.raises(ZeroDivisionError) as caught:
        list(workers.in_order(divided_by_zero, [Chunk(b"x", 0, 1)], print))
    assert "in divided_by_zero\n" in caught.value.__notes__[0]


def test_a_run_stops_while_its_workers_send_more_than_a_pipe_holds(tmp_path: Path) -> None:
    (tmp_path / "in.ser").write_bytes((b"x" * 8_000_000 + b"\n") * 12)
    names = [str(tmp_path / "in.ser"), "-o", str(tmp_path / "out"), "--errors", str(tmp_path / "bad")]
    with start("--lines", *names, "--to", "jsonu", "--jobs", "2", "--max-errors", "0") as child:
        try:
            assert child.wait(60) == 1
        finally:
            child.kill()


@on_linux
def test_a_killed_worker_is_one_line_and_the_run_can_be_resumed(tmp_path: Path) -> None:
    wanted = archive(tmp_path / "in.ser", 2_000_000)
    out = tmp_path / "out"
    arguments = ["--lines", str(tmp_path / "in.ser"), "--to", "jsonu", "-o", str(out), "--jobs", "2"]
    with start(*arguments) as child:
        wait_for(lambda: (tmp_path / "out.checkpoint").exists())
        os.kill(processes_of(child.pid)[0], signal.SIGKILL)
        assert child.wait(60) == 1
        assert child.stderr is not None
        assert child.stderr.read() == (
            b"Error: a worker process was killed, or ran out of memory; --resume continues from here\n"
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
        # The first checkpoint starts after one chunk, and does not finish before two more were taken.
        assert has_gone_on.wait(30)

    monkeypatch.setattr(run_module, "_INTERVAL", 0)
    monkeypatch.setattr(run_module.Run, "_take", counted)
    monkeypatch.setattr(GrowingFile, "sync", slow)
    assert lines(str(tmp_path / "in.ser"), "-o", str(tmp_path / "out")).exit_code == 0
    assert (tmp_path / "out").read_bytes() == wanted


def test_no_checkpoint_counts_what_the_disk_lost(
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
        ("touch", "that run had a different input"),
        ("strict", "that run had a different conversion"),
        ("delimiter", "that run had a different delimiter"),
        ("damage", "it is damaged"),
        ("shorten", "is shorter than the checkpoint says"),
    ],
)
def test_only_the_same_run_can_be_resumed(tmp_path: Path, small_chunks: None, change: str, message: str) -> None:
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
    # Without --resume it starts over.
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
            pipe.write(b"i:1;\n" * 8000)
            pipe.flush()
            # A file has a name before it is locked: only what is written afterwards shows that both are locked.
            wait_for(lambda: (tmp_path / "out.partial").stat().st_size)
            for taken in (arguments, ["--errors", str(bad)]):
                result = lines(*taken, data=b"i:2;\n")
                assert result.exit_code == 1
                assert "another run writes to it" in result.stderr
                assert result.stderr.count("\n") == 1
            pipe.write(LINES)
        assert child.wait(60) == 0
    assert out.read_bytes() == b"1\n" * 8000 + LINES_OUT


@on_linux
def test_names_need_not_be_utf8(tmp_path: Path, small_chunks: None) -> None:
    name = os.fsdecode(b"in\xff.ser")
    wanted = archive(tmp_path / name, bad_every=50)
    arguments = [str(tmp_path / name), "-o", str(tmp_path / f"{name}.out"), "--errors", str(tmp_path / f"{name}.bad")]
    stopped = lines(*arguments, "--max-errors", "2")
    assert (stopped.exit_code, stopped.stderr.count("\n")) == (1, 1)
    assert "--resume continues from here" in stopped.stderr
    assert lines(*arguments, "--resume").exit_code == 1
    assert (tmp_path / f"{name}.out").read_bytes() == wanted


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


@pytest.mark.parametrize("kind", ["lines", "csv"])
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_the_size_of_a_batch_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, jobs: str
) -> None:
    rows = [b"i:%d;" % number if number % 3 else b"\r" * (number % 2) + b"x" * (number % 5) for number in range(100)]
    (tmp_path / "in").write_bytes(b"d\n" * (kind == "csv") + b"\n".join(rows))
    option = ["--csv", "d", "--from", "serialize", "--to", "jsonu"]
    outcomes = []
    for size in (1, 2, 7, 1024):
        monkeypatch.setattr(f"envelope.cli.bulk.{kind}.BATCH", size)
        names = [str(tmp_path / "in"), "-o", str(tmp_path / "out"), "--errors", str(tmp_path / "bad")]
        ran = run(*option, *names, "--jobs", jobs) if kind == "csv" else lines(*names, "--jobs", jobs)
        outcomes.append((ran.stderr, (tmp_path / "out").read_bytes(), errors_in(tmp_path / "bad")))
    assert outcomes[0][2]
    assert all(outcome == outcomes[0] for outcome in outcomes)


@pytest.mark.memory
@on_linux
@pytest.mark.parametrize("pure", ["", "1"])
@pytest.mark.parametrize(
    ("option", "record"), [("--lines", b"x"), ("--lines", b"1"), ("--csv=c", b"x"), ("--lines --strict", b"{}")]
)
def test_memory_is_bounded_whatever_becomes_of_the_records(
    tmp_path: Path, option: str, record: bytes, pure: str
) -> None:
    path = tmp_path / "in"
    path.write_bytes(b"c\n" + (record + b"\n") * 100_000)
    names = ["--from", "json", "--to", "serialize", str(path), "-o", str(tmp_path / "out"), "--errors", os.devnull]
    assert peak("convert", *option.split(), *names, ENVELOPE_PURE=pure) < peak("--version") + 20 * MIB


@on_linux
def test_memory_does_not_grow_with_the_archive(tmp_path: Path) -> None:
    record = b's:100000:"' + b"x" * 100_000 + b'";\n'
    peaks = []
    for count in (100, 1000):
        path = tmp_path / "in.ser"
        path.write_bytes(record * count)
        peaks.append(peak("convert", "--lines", str(path), "--to", "jsonu", "-o", os.devnull))
    assert peaks[1] - peaks[0] < 8 * MIB


def shown_on_a_terminal(source: Path, environment: dict[str, str]) -> bytes:
    """What converting an archive writes to standard error if that is a terminal."""
    import pty

    main_end, child_end = pty.openpty()
    shown = b""
    with subprocess.Popen(
        [sys.executable, "-m", "envelope", "convert", "--lines", str(source), "--to", "jsonu", "-o", os.devnull],
        stderr=child_end, env={**os.environ, "TERM": "xterm", "COLUMNS": "120", **environment},
    ) as child:  # fmt: skip
        os.close(child_end)
        with suppress(OSError):  # the other end is closed
            while piece := os.read(main_end, 10_000):
                shown += piece
        assert child.wait(60) == 0
    os.close(main_end)
    return shown


@pytest.mark.skipif(os.name == "nt", reason="terminals")
def test_a_terminal_gets_a_progress_bar(tmp_path: Path) -> None:
    archive(tmp_path / "in.ser", 2_000_000)
    shown = shown_on_a_terminal(tmp_path / "in.ser", {})
    assert b" records" in shown
    assert b"MB" in shown


@pytest.mark.skipif(os.name == "nt", reason="terminals")
def test_an_empty_force_color_means_no_progress_bar(tmp_path: Path) -> None:
    (tmp_path / "in.ser").write_bytes(LINES)
    assert shown_on_a_terminal(tmp_path / "in.ser", {"FORCE_COLOR": ""}) == b""
