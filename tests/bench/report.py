"""The tables of a run, printed from what its JSON holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from tests.bench.documents import MAIN
from tests.bench.goals import Report, at, geometric_mean
from tests.bench.peers import BUILDS, FORMATS
from tests.bench.timing import DIRECTIONS

VERBS = {"write": "encode", "read": "decode"}


def show(report: Report, console: Console) -> None:  # one line a section
    """All that was measured: the goals first, then the figures behind them."""
    machine, versions = report["machine"], report["versions"]
    console.print(f"{machine['processor']}, {machine['cores']} cores, {machine['system']}; seed {report['seed']}")
    console.print(", ".join(f"{name} {version}" for name, version in versions.items()))
    for note in report["notes"]:
        console.print(f"note: {note}")
    builds = [build for build in BUILDS if build in report["builds"]]
    if rows := report["goals"]:
        table = _table(console, "Goals (ratios in this run)", "goal", "wanted", *builds, "met")
        for row in rows:
            values = [_number(row[build]) if build in row else "" for build in builds]
            table.add_row(row["goal"], row["wanted"], *values, "yes" if row["met"] else "no")
        console.print(table)
    if "times" in report:
        _show_times(report, console)
    if "first" in report:
        title = "Writing a tree for the first time / again, microseconds"
        _show_pairs(report["first"], console, title, lambda pair: " / ".join(map(_number, pair)), ("first", "write"))
    if "envelope" in report:
        title = "encode over dumps / decode over loads of the same tree"
        pairs = (("encode", "write"), ("decode", "read"))
        _show_pairs(report["envelope"], console, title, lambda pair: f"{pair[0] / pair[1]:.2f}", *pairs)
    if "growth" in report:
        _show_growth(report["growth"], console)
    if "memory" in report:
        _show_memory(report["memory"], console)
    _show_small(report, console)
    for line in report.get("fairness", ()):
        console.print(f"- {line}")


def _show_small(report: Report, console: Console) -> None:
    if "import" in report:
        table = _table(console, "import in a fresh process", "module", "ms")
        for name, milliseconds in report["import"].items():
            table.add_row(f"envelope, {name}" if name in BUILDS else name, _number(milliseconds))
        console.print(table)
    if "client" in report:
        table = _table(console, "A call beside bare httpx2, microseconds", "client", "envelope.client", "httpx2")
        for kind in ("sync", "async"):
            times = report["client"][kind]
            table.add_row(kind, _number(times["ours"]), _number(times["bare"]))
        console.print(table)
    if "server" in report:
        _show_server(report, console)
    for line in report.get("fairness", ()):
        console.print(f"- {line}")


def _show_server(report: Report, console: Console) -> None:
    title = f"Calls a second, called by {report['server']['caller']}"
    table = _table(console, title, "answer", "raw ASGI", "and parse_qsl", "EnvelopeApp", "ratios")
    for name, rates in report["server"]["answers"].items():
        ratios = f"{rates['parsing'] / rates['raw']:.2f}, {rates['gateway'] / rates['raw']:.2f}"
        table.add_row(name, *(_number(rates[app]) for app in ("raw", "parsing", "gateway")), ratios)
    console.print(table)


def _show_times(report: Report, console: Console) -> None:
    documents = list(report["documents"])
    sizes = {name: f"{name} {size / 1024:.1f} KB" for name, size in report["documents"].items()}
    title = "Microseconds, encode / decode (KB of jsonu); geometric mean of the goals' four documents"
    table = _table(console, title, "format", "peer", *sizes.values(), "mean")
    for format in FORMATS:
        for peer, formats in report["times"].items():
            if format not in formats:
                continue
            cells = (
                " / ".join(_number(formats[format][direction][document]) for direction in DIRECTIONS)
                for document in documents
            )
            means = (geometric_mean(formats[format][direction][name] for name in MAIN) for direction in DIRECTIONS)
            table.add_row(format, peer, *cells, " / ".join(map(_number, means)))
    console.print(table)


def _show_pairs(
    peers: Mapping[str, Any],
    console: Console,
    title: str,
    cell: Callable[[Sequence[float]], str],
    *pairs: tuple[str, str],
) -> None:
    """A row for each peer and format, a column for each document: in each cell all pairs of directions."""
    documents: list[str] = []
    for formats in peers.values():
        documents = list(next(iter(formats.values()))[pairs[0][0]])
    table = _table(console, title, "peer", "format", *documents)
    for peer, formats in peers.items():
        for format, times in formats.items():
            cells = (
                " / ".join(cell([times[direction][document] for direction in pair]) for pair in pairs)
                for document in documents
            )
            table.add_row(peer, format, *cells)
    console.print(table)


def _show_growth(builds: Mapping[str, Any], console: Console) -> None:
    sizes: Sequence[str] = ()
    for formats in builds.values():
        sizes = list(next(iter(formats.values()))["write"])
    heads = [f"{size} MiB" for size in sizes]
    table = _table(
        console,
        "Growth: milliseconds by size (and over half of it)",
        "peer",
        "format",
        "",
        *heads,
        "mean",
    )
    for build, formats in builds.items():
        for format, directions in formats.items():
            for direction, seconds in directions.items():
                cells, before = [], None
                for size in sizes:
                    ratio = "" if before is None else f" ({seconds[size] / before:.2f})"
                    cells.append(_number(seconds[size] * 1000) + ratio)
                    before = seconds[size]
                mean = (seconds[sizes[-1]] / seconds[sizes[0]]) ** (1 / max(len(sizes) - 1, 1))
                table.add_row(build, format, VERBS[direction], *cells, f"{mean:.2f}")
    console.print(table)


def _show_memory(memory: Mapping[str, Any], console: Console) -> None:
    table = _table(
        console, f"Peak memory of decode, {memory['mib']} MiB of jsonu", "peer", "format", "MiB", "over orjson"
    )
    bare = at(memory, "peaks", "orjson", "jsonu")
    for name, formats in memory["peaks"].items():
        for format, peak in formats.items():
            table.add_row(name, format, f"{peak / (1 << 20):.0f}", f"{peak / bare:.2f}")
    console.print(table)


def _table(console: Console, title: str, *heads: str) -> Table:
    """An empty table; as Markdown where it goes to a file or a pipe."""
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD if console.is_terminal else box.MARKDOWN)
    for number, head in enumerate(heads):
        text = number == 0 or head in ("peer", "format", "wanted", "")
        table.add_column(head, justify="left" if text else "right", no_wrap=True)
    return table


def _number(number: float) -> str:
    """Three digits that matter, without an exponent."""
    return f"{number:.0f}" if number >= 100 else f"{number:.1f}" if number >= 10 else f"{number:.2f}"
