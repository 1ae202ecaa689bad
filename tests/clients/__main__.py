"""Runs every program and shows what each reads of the gateway's answers: `python -m tests.clients`.

With `--install`, what they need is installed first, by apt-get. The exit status is 1 if a program read anything wrong.
"""

from __future__ import annotations

import argparse
import logging
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from tests.clients.asking import ALL, asking
from tests.clients.matrix import CASES, Gateways, cases_of, check, gateways
from tests.clients.programs import FORMATS, LEFT_OUT, Program, forget_missing


def install() -> None:
    """Install what the programs need; a package that cannot be is left out."""
    apt = ["apt-get", "-y", "-qq", "-o", "Dpkg::Use-Pty=0"]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run([*apt, "update"], check=False, env=environment)
    # One after the other, so that a package that Debian does not have is no other's fault.
    for program in ALL:
        if program.missing():
            subprocess.run(
                [*apt, "install", "--no-install-recommends", *program.packages], check=False, env=environment
            )
    forget_missing()


def faults(program: Program, running: Gateways) -> dict[str, list[str]]:
    """What it read wrong, by format."""
    wrong: dict[str, list[str]] = {result_type: [] for result_type in program.formats}
    with tempfile.TemporaryDirectory() as folder, asking(program, Path(folder)) as ask:
        for case in cases_of(program):
            if fault := check(program, case, running, ask):
                wrong[case.result_type].append(f"{' '.join(case)}: {fault}")
    return wrong


def main() -> int:
    """Run them; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.clients", description=__doc__)
    parser.add_argument("--install", action="store_true", help="install what they need, by apt-get")
    if parser.parse_args().install:
        install()
    logging.disable(logging.WARNING)
    console = Console()
    table = Table("client", *FORMATS, "refusals", title=f"{len(CASES)} calls of each client, in cn, en and ru")
    notes = [f"{language}: {why}" for language, why in LEFT_OUT.items()]
    has_failed = False
    with tempfile.TemporaryDirectory() as folder, gateways(Path(folder)) as running:
        for program in track(ALL, "programs", console=console, transient=True):
            if why := program.missing():
                notes.append(f"{program.name}: {why}")
                continue
            wrong = faults(program, running)
            cells = [
                "–" if result_type not in wrong
                else f"{len(wrong[result_type])} wrong" if wrong[result_type]
                else program.reads.get(result_type, "bytes")
                for result_type in FORMATS
            ]  # fmt: skip
            table.add_row(program.name, *cells, "any status" if len(program.statuses) > 1 else "only HTTP 200")
            notes += [f"{program.name}: {fault}" for each in wrong.values() for fault in each]
            has_failed = has_failed or any(wrong.values())
        console.print(table)
        console.print(
            "value: the whole answer; texts: its code, error, reason and what was said; bytes: those that came"
        )
        for note in notes:
            console.print(note, markup=False)
    return int(has_failed)


if __name__ == "__main__":
    sys.exit(main())
