"""The client's own connections: who uses which."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from envelope import encode
from envelope.client import GatewayClient
from tests.client.servers import OK


@contextmanager
def keeping() -> Iterator[tuple[str, list[object]]]:
    """The address of a gateway that keeps connections open, and those that it got."""
    connections: list[object] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            connections.append(self.request)
            super().setup()

        def do_POST(self) -> None:  # as http.server has it
            self.rfile.read(int(self.headers["Content-Length"]))
            body = encode(OK, "json")
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", connections
        server.shutdown()


def test_a_connection_is_used_again() -> None:
    with keeping() as (url, connections), GatewayClient([url], key="k", secret="s") as client:
        assert [client.call(), client.call()] == [OK, OK]
        assert len(connections) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_child_process_has_connections_of_its_own() -> None:
    """On one that two processes share, each would read the other's answers."""
    with keeping() as (url, connections), GatewayClient([url], key="k", secret="s", timeout=20) as client:
        assert client.call() == OK
        if not (child := os.fork()):
            try:
                os._exit(0 if client.call() == OK else 1)
            finally:
                os._exit(2)
        assert os.waitpid(child, 0)[1] == 0
        assert len(connections) == 2
        assert client.call() == OK
        assert len(connections) == 2
