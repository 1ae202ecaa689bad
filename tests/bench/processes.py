"""The processes that are measured: PHP, the Python peers, and `envelope` compiled and pure, each in its own."""

from __future__ import annotations

import os
import subprocess
import sys
from base64 import b64decode
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import orjson

from tests import php
from tests.bench.peers import BUILDS, OTHERS

ROOT: Final = Path(__file__).parent.parent.parent
PHP_PEER: Final = Path(__file__).with_name("php_peer.php")
# Without JIT and opcode cache, which PHP does not use on the command line by default.
PHP: Final = ("php", "-d", "opcache.enable_cli=0", "-d", "display_errors=stderr", str(PHP_PEER))


class Process:
    """One process that answers questions in JSON lines, one at a time; ``peers`` are the versions of what it has."""

    def __init__(self, command: Sequence[str], environment: dict[str, str] | None = None) -> None:
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, env=environment
        )
        hello = self._answer()
        self.peers: dict[str, str] = hello["peers"]
        self.native: bool = hello["native"]

    def ask(self, do: str, **arguments: Any) -> dict[str, Any]:
        assert self.process.stdin is not None
        self.process.stdin.write(orjson.dumps({"do": do, **arguments}) + b"\n")
        self.process.stdin.flush()
        return self._answer()

    def write(self, peer: str, format: str, document: str) -> bytes:
        return b64decode(self.ask("write", peer=peer, format=format, document=document)["body"])

    def read(self, peer: str, format: str, document: str) -> Any:
        return self.ask("read", peer=peer, format=format, document=document)["value"]

    def close(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(timeout=60)
        self.process.stdout.close()

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.process.args!r} ended")
        answer: dict[str, Any] = orjson.loads(line)
        return answer


def environment(build: str) -> dict[str, str]:
    """The environment in which `envelope` uses this build, if it is available."""
    kept = {name: text for name, text in os.environ.items() if name != "ENVELOPE_PURE"}
    return kept | ({"ENVELOPE_PURE": "1"} if build == "pure" else {})


@contextmanager
def worker(folder: Path, build: str, *peers: str) -> Iterator[Process]:
    """A fresh Python process with these peers."""
    command = (sys.executable, "-m", "tests.bench.worker", str(folder), *peers)
    process = Process(command, environment(build))
    try:
        yield process
    finally:
        process.close()


@contextmanager
def all_peers(folder: Path, notes: list[str]) -> Iterator[dict[str, Process]]:
    """Each peer that is here with its process, in the order of the tables; *notes* gets what is missing."""
    found: dict[str, Process] = {}
    with ExitStack() as stack:
        for build in BUILDS:
            process = stack.enter_context(worker(folder, build, "envelope"))
            if process.native == (build == "compiled"):
                found[build] = process
            elif build == "compiled":
                notes.append("compiled: left out, envelope.NATIVE is False here")
            else:
                raise RuntimeError("ENVELOPE_PURE=1 does not turn the compiled core off")
        if missing := php.missing():
            notes.append(f"php: left out, {missing}")
        else:
            found["php"] = Process((*PHP, str(folder)))
            stack.callback(found["php"].close)
        others = stack.enter_context(worker(folder, "pure", *(peer.name for peer in OTHERS)))
        for peer in OTHERS:
            if peer.name in others.peers:
                found[peer.name] = others
            else:
                notes.append(f"{peer.name}: left out, not installed")
        yield found


def name_in_process(peer: str) -> str:
    """The name of this peer in its own process."""
    return "envelope" if peer in BUILDS else peer
