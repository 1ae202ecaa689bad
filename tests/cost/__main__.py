"""`python -m tests.cost`: the table of what each kind of input costs, as it doubles. Linux only."""

from __future__ import annotations

import argparse
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import orjson
from rich.console import Console

import envelope
from tests.bench.peers import BUILDS
from tests.bench.processes import environment
from tests.cost.cases import CASES
from tests.cost.measure import MOST_RATIO, Cost, cost

MIB = 1 << 20
# Growth of a time that is shorter is chance.
NOISE = 0.05


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.cost", description=__doc__)
    parser.add_argument("--largest", type=int, default=8, metavar="MIB", help="from 1 MiB to this, in doublings")
    parser.add_argument("--only", default="", metavar="TEXT", help="the groups and cases that have it in their names")
    parser.add_argument("--json", type=Path, metavar="FILE", help="append the figures to it, a line for each case")
    parser.add_argument("--build", choices=BUILDS, help="this build only")
    options = parser.parse_args()
    if options.build is None:
        runs = [[sys.executable, "-m", "tests.cost", *sys.argv[1:], "--build", build] for build in BUILDS]
        return max(subprocess.run(run, env=environment(run[-1]), check=False).returncode for run in runs)
    if (options.build == "compiled") != envelope.NATIVE:
        print(f"{options.build}: left out, envelope.NATIVE is {envelope.NATIVE} here")
        return 0
    return table(options.build, options.largest, options.only, options.json)


def table(build: str, largest: int, only: str, file: Path | None) -> int:
    """Print a line for each case; the exit status is 1 if one takes too much."""
    sizes = [MIB << power for power in range(largest.bit_length())]
    console = Console(width=None if sys.stdout.isatty() else 200)
    cases = [case for case in CASES if only in f"{case.group}, {case.name}"]
    console.print(f"{build}: ms and MiB for inputs of {', '.join(str(size // MIB) for size in sizes)} MiB")
    bad = 0
    for case in cases:
        costs = [cost(case, size) for size in sizes]
        faults = _faults(sizes, costs)
        bad += bool(faults)
        times = " ".join(f"{one.seconds * 1000:8.1f}" for one in costs)
        peaks = " ".join(f"{one.bytes / MIB:7.1f}" for one in costs)
        console.print(f"{case.group:24} {case.name:44} {times}  {peaks}  {faults}", highlight=False)
        if file is not None:
            row = {"build": build, "group": case.group, "case": case.name, "sizes": sizes, "costs": costs}
            with file.open("ab") as out:
                out.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
    console.print(f"{build}: {bad} of {len(cases)} cases take too much")
    return int(bad > 0)


def _faults(sizes: list[int], costs: list[Cost]) -> str:
    """What is wrong with these costs, if anything is."""
    faults = []
    if any(one.is_too_large(size) for size, one in zip(sizes, costs, strict=True)):
        faults.append(f"MEMORY {max(one.bytes / size for size, one in zip(sizes, costs, strict=True)):.0f}x")
    growth = [after.seconds / before.seconds for before, after in pairwise(costs) if after.seconds > NOISE]
    if growth and max(growth) > MOST_RATIO:
        faults.append(f"TIME {max(growth):.1f}")
    return " ".join(faults)


if __name__ == "__main__":
    sys.exit(main())
