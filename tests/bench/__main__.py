"""`python -m tests.bench`: measure, print the tables, and where asked write the figures and the chart."""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console

import envelope
from tests.bench.chart import draw
from tests.bench.checks import FAIRNESS, check
from tests.bench.client import client_times
from tests.bench.documents import documents
from tests.bench.goals import at, judged
from tests.bench.growth import growth, memory
from tests.bench.imports import import_times
from tests.bench.peers import BUILDS, FORMATS, WRAPPED
from tests.bench.processes import ROOT, Process, all_peers, name_in_process
from tests.bench.report import show
from tests.bench.server import has_wrk, server_rates
from tests.bench.timing import Job, best_times, codec_jobs, first_jobs, nested

SECTIONS = {
    "codecs": "write and read seven documents, beside PHP, phpserialize, orjson, json and xmltodict",
    "first": "writing a tree that was never written before, over writing it again",
    "envelope": "encode and decode of an Envelope, over dumps and loads of the same tree",
    "growth": "time from 1 to 64 MiB in doublings (--quick: to 4)",
    "memory": "peak memory while 16 MiB are read, over that of orjson.loads (--quick: 4; Linux)",
    "import": "the time of import envelope, over that of import orjson",
    "client": "a call of envelope.client, over bare httpx2 with the same bytes (this process's build)",
    "server": "calls a second through EnvelopeApp, beside a raw ASGI application with the same answer (by wrk)",
}
EPILOG = """\
sections:
{}

Documents are made from the seed. Before anything is timed, all peers must agree on every value. Every figure is the
best of several rounds, and in a round the peers take turns. Times are the processor's: nothing here waits, and other
work on the machine then counts little. The goals stand in tests/bench/goals.py. Needs the extra bench (pip install -e
'.[bench]') and PHP 8.2 with xml; what is missing is left out, with a note. BENCH_DATE, where it is set, is the date
that the JSON gets.
""".format("\n".join(f"  {name:9} {text}" for name, text in SECTIONS.items()))


def main() -> None:
    options = _arguments()
    console = Console(width=None if sys.stdout.isatty() else 200, highlight=False)
    report = orjson.loads(options.read.read_bytes()) if options.read else measure(options)
    show(report, console)
    if options.json:
        options.json.write_bytes(orjson.dumps(report, option=orjson.OPT_INDENT_2) + b"\n")
    if options.chart and at(report, "times", "php") is None:
        _say("chart: left out, the figures of PHP are missing")
    elif options.chart:
        # From the report as a reader of the JSON has it, so that the two cannot differ.
        options.chart.write_text(draw(orjson.loads(orjson.dumps(report))), encoding="utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench",
        description="How fast envelope is, beside its peers, in one run.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--quick", action="store_true", help="a short run: fewer rounds, smaller sizes, rougher figures"
    )
    parser.add_argument("--only", action="append", choices=SECTIONS, metavar="NAME", help="a section; may be repeated")
    parser.add_argument("--seed", type=int, default=1, help="where the documents come from (default: 1)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures here")
    parser.add_argument("--chart", type=Path, metavar="FILE.svg", help="draw the codecs beside PHP here")
    parser.add_argument("--read", type=Path, metavar="FILE", help="measure nothing: show the figures of a JSON file")
    return parser.parse_args()


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """All that the options ask for, as JSON holds it."""
    sections = options.only or list(SECTIONS)
    rounds, seconds = (4, 0.008) if options.quick else (15, 0.02)
    notes: list[str] = []
    report: dict[str, Any] = {
        "date": os.environ.get("BENCH_DATE", ""),
        "commit": _commit(),
        "seed": options.seed,
        "quick": options.quick,
        "machine": _machine(),
        "versions": {"python": platform.python_version()},
        "notes": notes,
    }
    values = documents(options.seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        answers = {f"answer {name}": _answer(values[name]) for name in ("completion", "models", "items")}
        for document, value in (values | answers).items():
            _write_bodies(folder, document, value)
        with all_peers(folder, notes) as processes:
            report["builds"] = builds = [build for build in BUILDS if build in processes]
            report["versions"] |= {peer: processes[peer].peers[name_in_process(peer)] for peer in processes}
            if "codecs" in sections:
                jobs = list(codec_jobs(processes, list(values)))
                _say(f"codecs: {check(processes, jobs, values)} values checked")
                report["fairness"] = FAIRNESS
                report["documents"] = {name: (folder / f"{name}.jsonu").stat().st_size for name in values}
                times = best_times(processes, jobs, rounds=rounds, seconds=seconds, progress=_said("codecs"))
                report["times"] = nested(times)
            if "first" in sections:
                jobs = list(first_jobs(processes))
                times = best_times(processes, jobs, rounds=rounds, seconds=seconds, progress=_said("first"))
                report["first"] = nested(times)
            if "envelope" in sections:
                report["envelope"] = _envelope_times(processes, builds, answers, rounds, seconds)
        if "growth" in sections:
            report["growth"] = growth(folder, builds, 4 if options.quick else 64, _said("growth"))
        if "memory" in sections and sys.platform != "linux":
            notes.append("memory: left out, it is measured on Linux only")
        elif "memory" in sections:
            report["memory"] = memory(folder, builds, 4 if options.quick else 16, _said("memory"))
        if "import" in sections:
            _say("import")
            report["import"] = import_times(builds, 7 if options.quick else 25)
        if "client" in sections:
            build = "compiled" if envelope.NATIVE else "pure"
            report["client"] = {"build": build, **client_times(rounds, _said("client"))}
        if "server" in sections:
            _say("server")
            pieces, seconds = 3 if options.quick else 10, 1.0 if has_wrk() else 0.2
            rates = {name: server_rates(values[name], pieces, seconds) for name in ("completion", "models")}
            report["server"] = {"caller": "wrk" if has_wrk() else "this process", "answers": rates}
    report["goals"] = judged(report)
    return report


def _envelope_times(
    processes: dict[str, Process], builds: Sequence[str], answers: dict[str, Any], rounds: int, seconds: float
) -> dict[str, Any]:
    jobs = [
        Job(build, format, direction, document)
        for document in answers
        for format in WRAPPED
        for direction in ("encode", "write", "decode", "read")
        for build in builds
    ]
    times = best_times(processes, jobs, rounds=rounds, seconds=seconds, progress=_said("envelope"))
    return nested({job._replace(document=job.document.removeprefix("answer ")): time for job, time in times.items()})


def _answer(value: dict[str, Any]) -> dict[str, Any]:
    """*value* as an envelope, which *completion* is already."""
    return value if "error_code" in value else envelope.Envelope.ok(value).to_value()


def _write_bodies(folder: Path, document: str, value: Any) -> None:
    """The document in every format, for the peers to read."""
    for format in FORMATS:
        name, _, plain = format.partition(" ")
        dialect: Any = plain or "typed"
        (folder / f"{document}.{format}").write_bytes(envelope.dumps(value, name, dialect=dialect))


def _machine() -> dict[str, Any]:
    processor = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                processor = line.partition(":")[2].strip()
                break
    return {"processor": processor, "cores": os.cpu_count(), "system": f"{platform.system()} {platform.machine()}"}


def _commit() -> str:
    """The commit that is measured, with a + where the files differ from it; empty without git."""
    try:
        done = subprocess.run(
            ["git", "describe", "--always", "--abbrev=12", "--dirty=+", "--exclude=*"],
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _said(section: str) -> Any:
    """A function that reports the progress of a section."""
    return lambda text: _say(f"{section}: {text}")


if __name__ == "__main__":
    main()
