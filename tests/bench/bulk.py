"""An archive through `envelope convert --lines`, in one run: one job, two jobs, killed and gone on with, and PHP.

python -m tests.bench.archive --size 1GiB --out archive.ser
python -m tests.bench.bulk archive.ser
"""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click
import orjson
from rich.console import Console
from rich.table import Table

PHP = """
$in = fopen($argv[1], 'rb');
$out = fopen($argv[2], 'wb');
while (($line = fgets($in)) !== false) {
    fwrite($out, json_encode(unserialize(rtrim($line, "\\n")), JSON_UNESCAPED_UNICODE) . "\\n");
}
"""


def measure(command: list[str]) -> tuple[float, float, int]:
    """Seconds by the clock and of processors (its children's too), and the most memory of one process in KiB."""
    started = time.perf_counter()
    process = subprocess.Popen(command)
    _, status, used = os.wait4(process.pid, 0)
    assert status == 0, command
    return time.perf_counter() - started, used.ru_utime + used.ru_stime, used.ru_maxrss


def convert(source: Path, out: Path, jobs: int) -> list[str]:
    return [sys.executable, "-m", "envelope", "convert", "--lines", str(source), "--from", "serialize",
            "--to", "jsonu", "-o", str(out), "--jobs", str(jobs)]  # fmt: skip


def digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def stop_at_half(command: list[str], source: Path, checkpoint: Path) -> int:
    """Kill the command when half of its input is done; answers where it was."""
    process = subprocess.Popen(command)
    done = 0
    while done < source.stat().st_size / 2:
        assert process.poll() is None
        time.sleep(0.1)
        if checkpoint.exists():
            done = orjson.loads(checkpoint.read_bytes())["progress"]["position"][0]
    process.send_signal(signal.SIGKILL)
    process.wait()
    return done


@click.command()
@click.argument("source", type=click.Path(path_type=Path, exists=True))
def main(source: Path) -> None:
    """Measure, and print a table."""
    size = source.stat().st_size
    with tempfile.TemporaryDirectory(dir=source.parent) as folder:
        out = Path(folder) / "out.jsonl"
        table = Table(title=f"{size / 2**20:.0f} MiB of serialize to jsonu")
        for heading in ("", "seconds", "MiB/s", "processor s", "memory MiB", "sha256"):
            table.add_column(heading, justify="left" if heading in ("", "sha256") else "right")
        rows = [("1 job", convert(source, out, 1)), ("2 jobs", convert(source, out, 2)),
                ("php", ["php", "-r", PHP, "--", str(source), str(out)])]  # fmt: skip
        for name, command in rows:
            seconds, processor, memory = measure(command)
            rate = size / 2**20 / seconds
            cells = (f"{seconds:.1f}", f"{rate:.1f}", f"{processor:.1f}", f"{memory / 1024:.0f}", digest(out)[:12])
            table.add_row(name, *cells)
        out.unlink()
        half = stop_at_half(convert(source, out, 2), source, out.with_name("out.jsonl.checkpoint"))
        assert not out.exists()
        measure([*convert(source, out, 2), "--resume"])
        table.add_row(f"killed at {half / size:.0%}", "", "", "", "", digest(out)[:12])
        Console().print(table)


if __name__ == "__main__":
    main()
