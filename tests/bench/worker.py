"""A Python process that is asked for figures: `python -m tests.bench.worker FOLDER PEER...`, in JSON lines.

It says first what it has; then it answers each question (`do` names the function here, the rest are its arguments).
It never looks at a document before it is asked about one, so that a fresh process is fit for measuring memory.
"""

from __future__ import annotations

import gc
import math
import random
import sys
import time
from base64 import b64encode
from functools import cache, partial
from pathlib import Path
from timeit import Timer
from typing import Any

import orjson

from tests.bench.documents import shop_page
from tests.bench.peers import ENVELOPE, OTHERS, WRAPPED, xmltodict_tree

PEERS = {peer.name: peer for peer in (*OTHERS, ENVELOPE)}


class Worker:
    """The documents of a folder, and the peers that are installed."""

    def __init__(self, folder: Path, names: list[str]) -> None:
        self.folder = folder
        self.functions = {name: found for name in names if (found := PEERS[name].functions()) is not None}
        self.calls: dict[tuple[str, ...], int] = {}
        _keep()

    def hello(self) -> dict[str, Any]:
        native = self.functions.get("envelope", {}).get("NATIVE", False)
        return {"peers": {name: PEERS[name].version() for name in self.functions}, "native": native}

    def write(self, peer: str, format: str, document: str) -> dict[str, Any]:
        """The bytes that the peer writes."""
        return {"body": b64encode(self._run(peer, format, document, "write")).decode()}

    def read(self, peer: str, format: str, document: str) -> dict[str, Any]:
        """The value that the peer reads."""
        value = self._run(peer, format, document, "read")
        return {"value": _without_counted_maps(value) if peer == "phpserialize" else value}

    def time(self, peer: str, format: str, document: str, direction: str, seconds: float) -> dict[str, Any]:
        """The time of a call in microseconds: the best of several windows that together take about *seconds*.

        A window is about a millisecond, or one call where that takes longer; the time is the processor's, as PHP's
        is, so that other work on the machine counts little. Collections of garbage stay on, as they are in use.
        """
        statement, names = self._job(peer, format, document, direction)
        timer = Timer(statement, "import gc; gc.enable()", time.process_time, names)
        key = (peer, format, document, direction)
        calls, best, spent = self.calls.get(key, 1), math.inf, 0.0
        while spent < seconds:
            passed = timer.timeit(calls)
            spent += passed
            best = min(best, passed / calls)
            if passed < seconds / 20:
                calls *= 2
        self.calls[key] = calls
        return {"microseconds": best * 1e6}

    def first(self, peer: str, format: str, document: str, seconds: float) -> dict[str, Any]:
        """The time in microseconds of writing a tree that was never written before.

        Python keeps the UTF-8 of a text once that was asked for, so the second writing of a tree may be faster.
        """
        statement, names = self._job(peer, format, document, "write")
        code = compile(statement, peer, "eval")
        source = (self.folder / f"{document}.jsonu").read_bytes()
        best, spent = math.inf, 0.0
        while spent < seconds:
            trees = [orjson.loads(source) for _ in range(max(1, 100_000 // len(source)))]
            started = time.process_time()
            for names["value"] in trees:
                eval(code, names)
            passed = time.process_time() - started
            spent += passed
            best = min(best, passed / len(trees))
        return {"microseconds": best * 1e6}

    def grow(self, peer: str, format: str, records: list[int], repeats: int) -> dict[str, Any]:
        """The best times in seconds to write and to read documents of so many records each; the sizes take turns."""
        names = dict(self.functions[peer])
        if peer == "envelope":  # its limit is 64 MiB, which some documents slightly exceed
            limits = names["Limits"].unlimited()
            names |= {name: partial(names[name], limits=limits) for name in ("dumps", "loads")}
        write, read = (compile(expression, peer, "eval") for expression in PEERS[peer].ways[format])
        items = shop_page(random.Random(1), max(records))["items"]["item"]
        _keep()
        write_times, read_times = ([math.inf] * len(records) for _ in range(2))
        for _ in range(repeats):
            for place, count in enumerate(records):
                names["value"] = items[:count]
                until = time.process_time() + 0.2  # small ones repeatedly: the largest has left all caches cold
                ended = 0.0
                while ended < until:
                    started = time.process_time()
                    names["body"] = eval(write, names)
                    written = time.process_time()
                    eval(read, names)
                    ended = time.process_time()
                    write_times[place] = min(write_times[place], written - started)
                    read_times[place] = min(read_times[place], ended - written)
        return {"write": write_times, "read": read_times}

    def memory(self, peer: str, format: str, file: str) -> dict[str, Any]:
        """By how many bytes the process grew, at its largest, while it read *file*."""
        body = (self.folder / file).read_bytes()
        names = self.functions[peer] | {"body": body}
        code = compile(PEERS[peer].ways[format].read, peer, "eval")
        before = _resident("VmRSS")
        value = eval(code, names)
        peak = _resident("VmHWM")
        assert value is not None
        return {"bytes": peak - before}

    def _job(self, peer: str, format: str, document: str, direction: str) -> tuple[str, dict[str, Any]]:
        """The expression of a job and the names in it; *direction* may also be encode or decode."""
        value = _tree(self.folder / f"{document}.jsonu")
        names = self.functions[peer] | {"value": value}
        if direction in ("encode", "decode"):
            way, name = WRAPPED[format], "write" if direction == "encode" else "read"
            names["answer"] = self.functions[peer]["Envelope"].from_value(value)
        else:
            way, name = PEERS[peer].ways[format], direction
        if name == "read":
            names["body"] = (self.folder / f"{document}.{format}").read_bytes()
        elif peer == "xmltodict":
            names["tree"] = xmltodict_tree(value, typed=format == "xml")
        return getattr(way, name), names

    def _run(self, peer: str, format: str, document: str, direction: str) -> Any:
        statement, names = self._job(peer, format, document, direction)
        return eval(statement, names)


def _keep() -> None:
    """Hide all existing objects from the garbage collector, which a decoder triggers and which would walk them."""
    gc.collect()
    gc.freeze()


@cache
def _tree(file: Path) -> Any:
    tree = orjson.loads(file.read_bytes())
    _keep()
    return tree


def _without_counted_maps(value: Any) -> Any:
    """What phpserialize read, its maps with keys 0 … n-1 as the lists that they were."""
    if not isinstance(value, dict):
        return value
    children = [_without_counted_maps(child) for child in value.values()]
    if list(value) == list(range(len(value))):
        return children
    return dict(zip(value, children, strict=True))


def _resident(field: str) -> int:
    """The bytes of memory that this process has (VmRSS), or had at most (VmHWM).

    Not `getrusage`: its maximum is handed down by the parent process, however large that was.
    """
    for line in Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines():
        if line.startswith(field):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"no {field} in /proc/self/status")


def main(folder: str, *names: str) -> None:
    worker = Worker(Path(folder), list(names))
    answer = worker.hello()
    while True:
        sys.stdout.buffer.write(orjson.dumps(answer) + b"\n")
        sys.stdout.buffer.flush()
        line = sys.stdin.buffer.readline()
        if not line:
            return
        question = orjson.loads(line)
        answer = getattr(worker, question.pop("do"))(**question)


if __name__ == "__main__":
    main(*sys.argv[1:])
