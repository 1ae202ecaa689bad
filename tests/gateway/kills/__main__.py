"""`python -m tests.gateway.kills --store sqlite --kills 1000`: random kills under load, after which nothing is lost.

Two nodes share one store, in front of an upstream in a process of its own. Callers repeat each call, under its key,
until it is answered. A killer ends random nodes at random moments with SIGKILL, also while they start. In the end the
answers that were seen, the books and the upstream's log are compared; the exit status is 1 if they disagree.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from tests.gateway.kills.running import Disk, run, unsynced
from tests.gateway.kinds import KINDS

_SHOWN = 40


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.gateway.kills", description=__doc__)
    parser.add_argument("--store", choices=list(KINDS), default="sqlite")
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--callers", type=int, default=12)
    parser.add_argument("--pause", type=float, default=0.15, help="seconds between two kills, on average")
    parser.add_argument("--power", action="store_true", help="one node, whose kills lose what was not synced (sqlite)")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    console = Console()
    columns = (TextColumn("kills"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with tempfile.TemporaryDirectory() as folder, Progress(*columns, console=console) as progress:
        task = progress.add_task("kills", total=asked.kills)
        report = run(
            Path(folder),
            asked.store,
            kills=asked.kills,
            callers=asked.callers,
            pause=asked.pause,
            seed=asked.seed,
            disk=Disk(unsynced(Path(folder))) if asked.power else None,
            tell=lambda done: progress.update(task, completed=done),
        )
    table = Table(title=f"kills of nodes on {asked.store}", show_header=False)
    for name, figure in report.figures.items():
        table.add_row(name, figure)
    console.print(table)
    for breach in report.breaches[:_SHOWN]:
        console.print(breach, markup=False, highlight=False)
    if len(report.breaches) > _SHOWN:
        console.print(f"and {len(report.breaches) - _SHOWN} more")
    sys.exit(bool(report.breaches))


if __name__ == "__main__":
    main()
