"""Archives, and runs of `envelope convert` over them, for several test modules."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import envelope
from tests.bench.archive import records
from tests.cli import command as cli

pytest.importorskip("zstandard")

LINES = b"i:1;\n" + 's:3:"中";\n'.encode() + b"a:1:{i:0;N;}\n"
LINES_OUT = '1\n"中"\n[null]\n'.encode()


def run(*arguments: str, data: bytes = b"") -> Any:
    return cli.run("convert", *arguments, data=data)


def lines(*arguments: str, data: bytes = b"") -> Any:
    return run("--lines", "--from", "serialize", "--to", "jsonu", *arguments, data=data)


def errors_in(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def archive(path: Path, size: int = 400_000, *, bad_every: int = 0) -> bytes:
    """An archive of about *size* bytes, and what its conversion to jsonu is."""
    written, wanted = [], []
    for number, record in enumerate(records(1, size), 1):
        if bad_every and number % bad_every == 0:
            written.append(record[:-3] + b"\n")
        else:
            written.append(record)
            wanted.append(envelope.convert(record[:-1], "serialize", "jsonu") + b"\n")
    body = b"".join(written)
    path.write_bytes(gzip.compress(body) if path.suffix == ".gz" else body)
    return b"".join(wanted)


def start(*arguments: str, interval: float = 0.05) -> subprocess.Popen[bytes]:
    """The command with small chunks, slowed down, and a checkpoint every *interval* seconds."""
    program = (
        "import time\nfrom envelope.cli.bulk import chunks, run\n"
        f"chunks.CHUNK, run._INTERVAL = 4096, {interval}\n"
        "take = run.Run._take\n"
        "run.Run._take = lambda *arguments: (time.sleep(0.01), take(*arguments))\n"
        "from envelope.cli import main\n"
        "main()\n"
    )
    return subprocess.Popen(
        [sys.executable, "-c", program, "convert", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def wait_for(condition: Any, seconds: float = 60) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with suppress(FileNotFoundError, ValueError):
            if found := condition():
                return found
        time.sleep(0.002)
    raise AssertionError("it did not come to that")


def processes_of(parent: int) -> list[int]:
    """Its children, by /proc."""
    children = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = path.read_text().rpartition(")")[2].split()
            if int(fields[1]) == parent and fields[0] != "Z":
                children.append(int(path.parent.name))
    return children


def is_alive(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


on_linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks at /proc")
