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
from typing import NamedTuple

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


class Measured(NamedTuple):
    """Seconds by the clock and of processors (its children's too), and the most memory of one process in KiB."""

    seconds: float
    processor: float
    memory: int


def measure(command: list[str]) -> Measured:
    started = time.perf_counter()
    process = subprocess.Popen(command)
    _, status, used = os.wait4(process.pid, 0)
    assert status == 0, command
    return Measured(time.perf_counter() - started, used.ru_utime + used.ru_stime, used.ru_maxrss)


def convert(source: Path, out: Path, jobs: int) -> list[str]:
    return [sys.executable, "-m", "envelope", "convert", "--lines", str(source), "--from", "serialize",
            "--to", "jsonu", "-o", str(out), "--jobs", str(jobs)]  # fmt: skip


def digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def killed_and_resumed(source: Path, out: Path, whole: Path) -> str:
    """The outcome of a run that was killed halfway through its output, and resumed."""
    command = convert(source, out, 2)
    partial, checkpoint = out.with_name(f"{out.name}.partial"), out.with_name(f"{out.name}.checkpoint")
    size = whole.stat().st_size
    process = subprocess.Popen(command)
    while not checkpoint.exists() or partial.stat().st_size < size / 2:
        assert process.poll() is None, "the run ended before it could be killed: take a larger archive"
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    killed = partial.stat().st_size / size
    kept = orjson.loads(checkpoint.read_bytes())["progress"]["output"] / size
    assert not out.exists()
    measure([*command, "--resume"])
    verdict = "the same bytes" if digest(out) == digest(whole) else "OTHER BYTES"
    return f"killed at {killed:.0%}, gone on with from {kept:.0%}: {verdict}, sha256 {digest(out)[:12]}"


def memory_of_a_quarter(source: Path, folder: Path) -> int:
    """The most memory of a process, in KiB, where the archive is a quarter as long."""
    quarter = folder / "quarter.ser"
    with open(source, "rb") as whole, open(quarter, "wb") as file:
        left = source.stat().st_size // 4
        while left > 0:
            file.write(line := whole.readline())
            left -= len(line)
    return measure(convert(quarter, folder / "quarter.jsonl", 2)).memory


@click.command()
@click.argument("source", type=click.Path(path_type=Path, exists=True))
@click.option("--rounds", default=3, show_default=True, help="Each command runs so often, in turn; the fastest counts.")
def main(source: Path, rounds: int) -> None:
    """Measure, and print a table."""
    size = source.stat().st_size / 2**20
    print("load before:", *os.getloadavg())
    with tempfile.TemporaryDirectory(dir=source.parent) as name:
        folder = Path(name)
        out = folder / "out.jsonl"
        commands = {"php": ["php", "-r", PHP, "--", str(source), str(out)],
                    "1 job": convert(source, out, 1), "2 jobs": convert(source, out, 2)}  # fmt: skip
        runs: dict[str, list[Measured]] = {title: [] for title in commands}
        digests: dict[str, set[str]] = {title: set() for title in commands}
        for _ in range(rounds):
            for title, command in commands.items():
                out.unlink(missing_ok=True)  # replacing it would take time, too
                runs[title].append(measure(command))
                digests[title].add(digest(out))
        (wanted,) = digests["1 job"] | digests["2 jobs"]
        resumed = killed_and_resumed(source, folder / "resumed.jsonl", out)
        quarter = memory_of_a_quarter(source, folder)

    table = Table(title=f"{size:.0f} MiB of serialize to jsonu, best of {rounds}")
    for heading in ("", "MiB/s", "of each round", "processor s", "memory MiB"):
        table.add_column(heading, justify="left" if heading == "" else "right")
    for title, measured in runs.items():
        rates = [f"{size / run.seconds:.1f}" for run in measured]
        best = min(measured)
        least = min(run.processor for run in measured)
        memory = max(run.memory for run in measured) / 1024
        table.add_row(title, f"{size / best.seconds:.1f}", " ".join(rates), f"{least:.1f}", f"{memory:.0f}")
    Console(width=120).print(table)
    php, one, two = (min(measured).seconds for measured in runs.values())
    print(f"2 jobs over 1 job: {one / two:.2f} (goal 1.8)")
    print(f"2 jobs over PHP: {php / two:.2f} (goal 2)")
    largest = max(run.memory for run in runs["2 jobs"])
    print(f"memory of 2 jobs: {quarter / 1024:.0f} MiB for a quarter of the archive, {largest / 1024:.0f} MiB for all")
    print(f"1 job and 2 jobs: the same bytes, sha256 {wanted[:12]}")
    print(resumed)
    print("load after:", *os.getloadavg())


if __name__ == "__main__":
    main()
