"""`envelope gateway serve` in a process of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

WAIT = 120  # seconds, within which whatever should happen has happened on the busiest machine


class Served:
    """A gateway that runs in *folder*."""

    def __init__(self, process: subprocess.Popen[str], told: str) -> None:
        self.process = process
        self.told = told
        match = re.search(r"http://(\[.*?\]|[\w.]+):\d+", told)
        assert match is not None, told
        self.address = match[0]

    @property
    def key(self) -> str:
        return self._of_demo("key")

    @property
    def secret(self) -> str:
        return self._of_demo("secret")

    def _of_demo(self, name: str) -> str:
        value: str
        [value] = {*re.findall(rf"[?&]{name}=(\w+)", self.told)}
        return value

    @property
    def lines(self) -> list[str]:
        """The lines for a shell."""
        return re.findall("^(?:curl|php|python|envelope) .*$", self.told, re.MULTILINE)

    def url(self, args: str = '{"prompt":"hello"}', **params: str) -> str:
        query = {"key": self.key, "secret": self.secret, "method": "v1/completions", "_o_args": args, **params}
        return f"{self.address}/openai/custom/?{urlencode(query, quote_via=quote)}"

    def stop(self, number: signal.Signals) -> tuple[int, str]:
        """Send it a signal, as a terminal does to all of its processes, or as a supervisor does to the first.

        Its exit status and what it said on standard error.
        """
        if number == signal.SIGINT:
            os.killpg(self.process.pid, number)
        else:
            self.process.send_signal(number)
        _, said = self.process.communicate(timeout=WAIT)
        return self.process.returncode, said


def get(url: str, **headers: str) -> tuple[str, bytes]:
    """The content type and the body of what is there."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=WAIT)
    try:
        connection.request("GET", f"{parts.path}?{parts.query}", headers=headers)
        answer = connection.getresponse()
        return answer.headers["Content-Type"], answer.read()
    finally:
        connection.close()


@contextmanager
def serving(folder: Path, *arguments: str) -> Iterator[Served]:
    """A gateway with these arguments, on any free port, until the block ends if it has not ended itself."""
    is_demo = "--demo" in arguments
    process = subprocess.Popen(
        [sys.executable, "-m", "envelope", "gateway", "serve", "--port", "0", *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    stream, last = (process.stdout, "Ctrl-C ends it.") if is_demo else (process.stderr, "serving on")
    assert stream is not None
    try:
        told = ""
        while last not in told and (line := stream.readline()):
            told += line
        yield Served(process, told)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
