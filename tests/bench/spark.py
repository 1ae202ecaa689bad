"""An archive through Spark, on two executors that are processes of their own, and through `envelope convert --lines`.

python -m tests.bench.archive --size 1GiB --out archive.ser
python -m tests.bench.spark archive.ser
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from tests import spark
from tests.bench.bulk import convert

MEMORY = 2048


def seconds(command: list[str], environment: dict[str, str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, env=environment)
    return time.perf_counter() - started


def sorted_digest(paths: list[Path], folder: Path) -> str:
    """The SHA-256 of all their lines, sorted by their bytes."""
    command = ["sort", "--buffer-size=512M", f"--temporary-directory={folder}", *map(str, paths)]
    with subprocess.Popen(command, env={**os.environ, "LC_ALL": "C"}, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        digest = hashlib.sha256()
        while piece := process.stdout.read(1 << 20):
            digest.update(piece)
    assert process.returncode == 0
    return digest.hexdigest()


@click.command()
@click.argument("source", type=click.Path(path_type=Path, exists=True))
def main(source: Path) -> None:
    """Measure, and print a table; the exit status is 1 where the lines are not the same."""
    if why := spark.missing():
        raise click.ClickException(why)
    size = source.stat().st_size / 2**20
    with tempfile.TemporaryDirectory(dir=source.resolve().parent) as temporary:
        folder = Path(temporary)
        single, out, log = folder / "single.jsonl", folder / "spark", folder / "log"
        times = [
            seconds(convert(source, single, 1), dict(os.environ)),
            seconds(spark.job(source, out, folder / "errors", MEMORY), spark.environment(log, {})),
        ]
        digests = [sorted_digest(paths, folder) for paths in ([single], sorted(out.glob("part-*")))]
        tasks = spark.tasks_done(log)
    table = Table(title=f"{size:.0f} MiB of serialize to jsonu")
    for heading in ("", "seconds", "MiB/s", "sha256 of the sorted lines"):
        table.add_column(heading, justify="right" if heading in ("seconds", "MiB/s") else "left")
    for name, took, digest in zip(("1 job", f"local-cluster[2,1,{MEMORY}]"), times, digests, strict=True):
        table.add_row(name, f"{took:.1f}", f"{size / took:.1f}", digest[:32])
    Console().print(table)
    print("tasks done:", ", ".join(f"{count} by executor {name}" for name, count in sorted(tasks.items())))
    sys.exit(digests[0] != digests[1])


if __name__ == "__main__":
    main()
