"""Files: no link of somebody else's is written to, permissions stay, nothing unfinished does, and no pipe is waited for."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("rich")
pytest.importorskip("click")
pytest.importorskip("zstandard")

# After importorskip: without the extra cli they cannot be imported.
from envelope.cli.bulk.output import GrowingFile
from envelope.cli.bulk.run import Run
from tests.cli.bulk.archives import LINES, LINES_OUT, lines
from tests.cli.command import process, run

pytestmark = pytest.mark.skipif(not hasattr(os, "O_NOFOLLOW"), reason="no links, owners or named pipes here")

OTHERS = b"another's"


def permissions(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def loose() -> object:
    before = os.umask(0o022)
    yield
    os.umask(before)


def put(kind: str, path: Path, other: Path) -> None:
    other.write_bytes(OTHERS)
    if kind == "link":
        path.symlink_to(other)
    elif kind == "dangling":
        path.symlink_to(other.with_name("none"))
    elif kind == "hard link":
        os.link(other, path)
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()


@pytest.mark.parametrize("kind", ["link", "dangling", "hard link", "pipe", "folder"])
@pytest.mark.parametrize("suffix", ["partial", "checkpoint"])
@pytest.mark.parametrize("source", ["file", "resumed", "stream"])
def test_a_working_file_is_this_users_own(tmp_path: Path, kind: str, suffix: str, source: str) -> None:
    place, other, out = tmp_path / f"out.{suffix}", tmp_path / "other", tmp_path / "out"
    (tmp_path / "in").write_bytes(LINES)
    arguments = ["-o", str(out)] if source == "stream" else [str(tmp_path / "in"), "-o", str(out)]
    if source == "resumed":
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Run, "_take", lambda *_: os.kill(os.getpid(), signal.SIGINT))
            assert lines(*arguments).exit_code == 130
        arguments.append("--resume")
        place.unlink()
    put(kind, place, other)
    result = lines(*arguments, data=LINES)
    assert other.read_bytes() == OTHERS
    assert not (tmp_path / "none").exists()
    if result.exit_code:
        assert result.stderr.count("\n") <= 4  # with the usage
        assert str(place) in result.stderr
        assert not out.exists()
    else:  # a link was removed or replaced, as a checkpoint of an earlier run would be
        assert suffix == "checkpoint"
        assert out.read_bytes() == LINES_OUT


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o444])
@pytest.mark.parametrize("many", [False, True])
def test_what_replaces_a_file_has_its_permissions_from_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loose: object, mode: int, many: bool
) -> None:
    out, seen = tmp_path / "out", []
    out.write_bytes(b"old")
    out.chmod(mode)
    written = GrowingFile.write if many else None

    def write(self: GrowingFile, data: bytes | memoryview) -> None:
        seen.append(permissions(tmp_path / "out.partial"))
        assert written is not None
        written(self, data)

    def sync(descriptor: int) -> None:
        seen.append(stat.S_IMODE(os.fstat(descriptor).st_mode))

    monkeypatch.setattr(GrowingFile, "write", write)
    monkeypatch.setattr(os, "fsync", sync)
    if many:
        assert lines("-o", str(out), data=LINES).exit_code == 0
    else:
        assert run("convert", "--to", "jsonu", "-o", str(out), data=b"1").exit_code == 0
    assert permissions(out) == mode
    assert seen
    assert not any(each & ~(mode | 0o600) for each in seen)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_new_file_has_what_the_umask_allows(tmp_path: Path, loose: object) -> None:
    assert run("convert", "--to", "jsonu", "-o", str(tmp_path / "one"), data=b"1").exit_code == 0
    assert lines("-o", str(tmp_path / "many"), data=LINES).exit_code == 0
    assert [permissions(path) for path in tmp_path.iterdir()] == [0o644, 0o644]


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_nothing_stays_of_what_cannot_be_resumed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(os, "fsync", fail)
    (tmp_path / "out").write_bytes(b"old")
    for arguments in (["--to", "jsonu"], ["--lines", "--from", "serialize", "--to", "jsonu"]):
        data = LINES if "--lines" in arguments else b"1"
        assert run("convert", *arguments, "-o", str(tmp_path / "out"), data=data).exit_code in (1, 130)
        assert [path.name for path in tmp_path.iterdir()] == ["out"]
        assert (tmp_path / "out").read_bytes() == b"old"


def test_a_parquet_file_keeps_its_permissions_and_leaves_nothing(tmp_path: Path, loose: object) -> None:
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet as pq

    source, out = tmp_path / "in.parquet", tmp_path / "out.parquet"
    pq.write_table(pa.table({"d": [b"i:1;"]}), source)
    out.write_bytes(b"old")
    out.chmod(0o600)
    assert (
        run("convert", "--parquet", "d", "--from", "serialize", "--to", "json", str(source), "-o", str(out)).exit_code
        == 0
    )
    assert permissions(out) == 0o600
    assert pq.read_table(out).to_pylist() == [{"d": b"1"}]
    assert {path.name for path in tmp_path.iterdir()} == {"in.parquet", "out.parquet"}


# --------------------------------------------------------------------------------------------------- what is read


@pytest.mark.parametrize(
    "command",
    [
        ["inspect", "pipe.json"],
        ["diff", "pipe.json", "pipe.json"],
        ["diff", "file.json", "pipe.json"],
        ["codes", "--with", "pipe.json"],
        ["openapi", "--with", "pipe.json"],
        ["convert", "--parquet", "d", "--from", "json", "--to", "json", "pipe.json", "-o", "out"],
        ["validate", "pipe.json"],
        ["validate", "."],
    ],
)
def test_a_named_pipe_without_a_writer_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe.json")
    Path("file.json").write_bytes(b"1")
    ran = process(*command)
    assert ran.returncode == (1 if command[0] == "validate" else 2)
    assert re.search(rb"named pipe|not a regular file|must be files", ran.stderr)


@pytest.mark.skipif(not os.path.exists("/dev/fd"), reason="no /dev/fd")
@pytest.mark.parametrize(
    "script",
    [
        "{envelope} inspect <(sleep 0.1; echo 1)",
        "{envelope} diff <(sleep 0.1; echo 1) <(echo 1)",
        "echo 1 | {envelope} inspect /dev/stdin",
        "echo 1 | {envelope} inspect -",
        "{envelope} inspect - < pipe.json & echo 1 > pipe.json; wait $!",
        "{envelope} convert --to json pipe.json & echo 1 > pipe.json; wait $!",
        "{envelope} codes --with <(sleep 0.1; echo '#')",
    ],
)
def test_a_pipe_with_a_writer_is_read(tmp_path: Path, script: str) -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("no bash here")
    os.mkfifo(tmp_path / "pipe.json")
    written = script.format(envelope=f"{shlex.quote(sys.executable)} -m envelope")
    env = {**os.environ, "PYTHONPATH": os.getcwd()}
    ran = subprocess.run([bash, "-c", written], cwd=tmp_path, env=env, capture_output=True, timeout=60)
    assert (ran.returncode, ran.stderr) == (0, b"")


@pytest.mark.parametrize("command", [["inspect"], ["diff", "."], ["codes", "--with"], ["convert", "--to", "json"]])
def test_a_folder_is_not_read(tmp_path: Path, command: list[str]) -> None:
    result = run(*command, str(tmp_path))
    assert result.exit_code == 2
    assert "Is a directory" in result.stderr


@pytest.mark.parametrize("command", [["inspect"], ["convert", "--to", "xml"], ["validate"], ["codes", "--with"]])
def test_of_a_huge_file_no_more_is_read_than_the_limit(tmp_path: Path, command: list[str]) -> None:
    path = tmp_path / "a.json"
    path.touch()
    os.truncate(path, 1 << 40)
    result = run(*command, str(path))
    assert result.exit_code == 1
    assert "the input is longer than" in result.stderr


def test_a_link_that_takes_the_place_of_a_working_file_is_not_followed(tmp_path: Path) -> None:
    """Somebody else may do so in a shared folder, while the command works."""
    other, out = tmp_path / "other", tmp_path / "out"
    (tmp_path / "in").write_bytes(LINES)
    out.write_bytes(b"")
    out.chmod(0o666)
    put("file", other, other)
    other.chmod(0o600)

    replace = Run._replace

    def swap_and_replace(self: Run, plan: Any) -> None:
        (tmp_path / "out.partial").unlink()
        (tmp_path / "out.partial").symlink_to(other)
        replace(self, plan)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Run, "_replace", swap_and_replace)
        result = lines(str(tmp_path / "in"), "-o", str(out))
    assert result.exit_code == 1
    assert (permissions(other), other.read_bytes(), out.is_symlink()) == (0o600, OTHERS, False)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away")
@pytest.mark.parametrize("arguments", [["convert"], ["convert", "--lines"]])
def test_nobody_elses_file_decides_what_ours_may_do(tmp_path: Path, arguments: list[str]) -> None:
    out = tmp_path / "out"
    (tmp_path / "in").write_bytes(b"i:1;\n" if "--lines" in arguments else b"i:1;")
    for owner, mode, expected in ((65534, 0o6777, 0o755), (0, 0o6775, 0o775)):
        out.write_bytes(b"")
        os.chown(out, owner, owner)
        out.chmod(mode)
        result = run(*arguments, str(tmp_path / "in"), "--from", "serialize", "--to", "json", "-o", str(out))
        assert (result.exit_code, permissions(out), out.stat().st_uid) == (0, expected, 0)
