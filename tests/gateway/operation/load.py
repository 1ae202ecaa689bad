"""Callers who call one after the other, and note whatever is not answered."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlencode

from envelope import decode
from envelope.calls.media import format_of_content_type
from tests.gateway.served import SECRET, wait_until

TARGET = f"/openai/custom/?{urlencode({'key': 'demo', 'secret': SECRET, 'method': 'v1/completions', 'cache': 'no'})}"


class Load:
    """What *callers* saw on port *port*: codes of answers, what was not answered, and their ends of connections.

    A caller keeps its connection until it is told that it ends; then it makes a new one. Whoever cannot connect any
    more stops.
    """

    def __init__(self, port: int, callers: int, *, keep: bool = True) -> None:
        self.codes: list[str] = []
        self.failures: list[str] = []
        self.sockets: set[tuple[str, int]] = set()
        self._port = port
        self._keep = keep
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._call) for _ in range(callers)]

    def _call(self) -> None:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=60)
        while not self._stop.is_set():
            try:
                if connection.sock is None:
                    connection.connect()
                    self.sockets.add(connection.sock.getsockname())  # type: ignore[attr-defined]
            except OSError:
                break
            try:
                connection.request("GET", TARGET, headers={} if self._keep else {"Connection": "close"})
                answer = connection.getresponse()
                body = answer.read()
            except (OSError, HTTPException) as error:
                self.failures.append(repr(error))
                break
            self.codes.append(decode(body, format_of_content_type(answer.headers["content-type"])).error_code)
        connection.close()

    def more(self, calls: int = 50) -> None:
        """Wait for more answers."""
        wanted = len(self.codes) + calls
        wait_until(lambda: len(self.codes) >= wanted or not self.is_on, 60)

    @property
    def is_on(self) -> bool:
        return any(thread.is_alive() for thread in self._threads)

    @contextmanager
    def running(self) -> Iterator[Load]:
        for thread in self._threads:
            thread.start()
        try:
            yield self
        finally:
            self.stop()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
