"""`python -m tests.cost`: the table of what each kind of input costs, as it doubles. Linux only."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from typing import Final

import orjson
from rich.console import Console

import envelope
from tests.bench.peers import BUILDS
from tests.bench.processes import environment
from tests.cost.bounds import MOST_GROWTH, growth_fault, memory_fault
from tests.cost.cases import CASES, Case
from tests.cost.measure import cost, steps
from tests.effort import some

MIB: Final = 1 << 20
KIB: Final = 1 << 10


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.cost", description=__doc__)
    parser.add_argument("--largest", type=int, default=8, metavar="MIB", help="from 1 MiB to this, in doublings")
    parser.add_argument("--only", default="", metavar="TEXT", help="the groups and cases that have it in their names")
    parser.add_argument("--json", type=Path, metavar="FILE", help="append the figures to it, a line for each case")
    parser.add_argument("--build", choices=BUILDS, help="this build only")
    parser.add_argument("--short", action="store_true", help="a sample, small inputs, and steps of Python for time")
    options = parser.parse_args()
    if options.build is None:
        runs = [[sys.executable, "-m", "tests.cost", *sys.argv[1:], "--build", build] for build in BUILDS]
        return max(subprocess.run(run, env=environment(run[-1]), check=False).returncode for run in runs)
    if (options.build == "compiled") != envelope.NATIVE:
        print(f"{options.build}: left out, envelope.NATIVE is {envelope.NATIVE} here")
        return 0
    cases = [case for case in CASES if options.only in str(case)]
    if options.short:
        return short(cases)
    return table(options.build, cases, [MIB << power for power in range(options.largest.bit_length())], options.json)


def table(build: str, cases: list[Case], sizes: list[int], file: Path | None) -> int:
    """Print a line for each case; the exit status is 1 if one takes too much."""
    console = Console(width=None if sys.stdout.isatty() else 200, highlight=False)
    console.print(f"{build}: ms, and MiB of memory, for inputs of {', '.join(str(size // MIB) for size in sizes)} MiB")
    bad = 0
    for case in cases:
        costs = [cost(case, size, at_least=0.1) for size in sizes]
        memory = [memory_fault(case.name, size, one) for size, one in zip(sizes, costs, strict=True)]
        faults = ", ".join(filter(None, (max(memory, key=len), growth_fault(costs))))
        bad += bool(faults)
        times = " ".join(f"{one.seconds * 1000:8.1f}" for one in costs)
        peaks = " ".join(f"{one.bytes / MIB:7.1f}" for one in costs)
        console.print(f"{case!s:72} {times}  {peaks}  {faults}")
        if file is not None:
            row = {"build": build, "group": case.group, "case": case.name, "sizes": sizes, "costs": costs}
            with file.open("ab") as out:
                out.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
    console.print(f"{build}: {bad} of {len(cases)} cases take too much")
    return int(bad > 0)


def short(cases: list[Case]) -> int:
    """Name the cases of a sample that take too much memory, or more steps than in proportion; 1 if there are any."""
    bad = 0
    for case in some(cases, 200):
        faults = [memory_fault(case.name, 256 * KIB, cost(case, 256 * KIB), spare=8 * MIB)]
        fewer, more = (steps(case, size) for size in (8 * KIB, 16 * KIB))
        if more > MOST_GROWTH * fewer:
            faults.append(f"STEPS {more / fewer:.1f} times for twice the input")
        if any(faults):
            bad += 1
            print(f"{case}: {', '.join(filter(None, faults))}")
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
