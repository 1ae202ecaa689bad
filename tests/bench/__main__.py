"""serialize beside phpserialize, both ways: time for each document, and how many times as fast we are."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import click
import phpserialize
from rich.console import Console
from rich.table import Table

import envelope
from tests.bench.documents import documents


def best(*jobs: Callable[[], Any], rounds: int) -> list[float]:
    """The best time of each job in microseconds; the jobs take turns, so that noise strikes all alike."""
    times = [math.inf] * len(jobs)
    for _ in range(rounds):
        for place, job in enumerate(jobs):
            calls, started = 0, time.perf_counter()
            while (passed := time.perf_counter() - started) < 0.02:
                job()
                calls += 1
            times[place] = min(times[place], passed / calls)
    return [seconds * 1e6 for seconds in times]


@click.command()
@click.option("--rounds", default=25, show_default=True, help="How often each job is timed; the best counts.")
@click.option("--seed", default=1, show_default=True, help="Where the documents come from.")
def main(rounds: int, seed: int) -> None:
    """Measure, and print a table."""
    table = Table(title=f"serialize, {'compiled' if envelope.NATIVE else 'pure Python'}, against phpserialize")
    for heading in ("document", "bytes", "dumps µs", "theirs", "ratio", "loads µs", "theirs", "ratio"):
        table.add_column(heading, justify="left" if heading == "document" else "right")
    ratios: tuple[list[float], list[float]] = ([], [])
    for name, value in documents(seed).items():
        body = envelope.dumps(value, "serialize")
        assert envelope.same(envelope.loads(body, "serialize"), value)
        ours, theirs = best(
            partial(envelope.dumps, value, "serialize"),
            partial(phpserialize.dumps, value),
            rounds=rounds,
        )
        ours_back, theirs_back = best(
            partial(envelope.loads, body, "serialize"),
            partial(phpserialize.loads, body, decode_strings=True),
            rounds=rounds,
        )
        ratios[0].append(theirs / ours)
        ratios[1].append(theirs_back / ours_back)
        numbers = (ours, theirs, theirs / ours, ours_back, theirs_back, theirs_back / ours_back)
        table.add_row(name, str(len(body)), *(f"{number:.{2 if number < 20 else 0}f}" for number in numbers))
    means = [math.prod(each) ** (1 / len(each)) for each in ratios]
    table.add_row("geometric mean", "", "", "", f"{means[0]:.2f}", "", "", f"{means[1]:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
