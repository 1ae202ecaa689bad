"""Streams through a gateway in a process of its own: many at once, when it ends, and when it is killed."""

from __future__ import annotations

import json
import os
import signal
import socket
from pathlib import Path
from urllib.parse import urlencode

from envelope.gateway.books import Watch, audit, recover
from envelope.gateway.stores import open_store
from envelope.registry import REGISTRY
from tests.gateway.soak import KEY, SECRET, free_ports, new_books
from tests.gateway.streams import SETTINGS, processes, run


def test_nothing_is_lost(tmp_path: Path) -> None:
    heard = run(tmp_path, callers=20, events=2000)
    assert (heard.whole, heard.wrong, heard.breaches) == (20, [], [])
    assert [(row.code, row.completion_tokens) for row in heard.records] == [("0000", 2000)] * 20
    # What passed is about as much as this.
    assert heard.growth < 16 * 2**20


def begin(port: int, model: str, events: int) -> socket.socket:
    """The connection of a caller that has a stream's first bytes."""
    args = {"prompt": "x" * (4 * events - 10), "stream": True, "model": model, "max_tokens": events}
    body = urlencode({"secret": SECRET, "method": "v1/completions", "_o_args": json.dumps(args)}).encode()
    caller = socket.create_connection(("127.0.0.1", port), timeout=60)
    head = f"POST /openai/custom/?key={KEY} HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    caller.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    began = caller.recv(10)
    assert began == b"HTTP/1.1 2", began + caller.recv(4096)
    return caller


def rest_of(caller: socket.socket) -> bytes:
    heard = b""
    while piece := caller.recv(65536):
        heard += piece
    return heard


def test_a_stream_is_finished_by_a_gateway_that_ends(tmp_path: Path) -> None:
    upstream, port = free_ports(2)
    new_books(tmp_path, SETTINGS.format(port=upstream))
    with processes(tmp_path, port, upstream) as process, begin(port, "gpt-4o-mini", 60_000) as caller:
        os.kill(process, signal.SIGTERM)
        heard = rest_of(caller)
    assert heard.count(b'"text":') == 60_001
    assert b'"error_code":"0000"' in heard


def test_a_kill_releases_what_a_stream_held_and_it_is_free(tmp_path: Path) -> None:
    upstream, port = free_ports(2)
    new_books(tmp_path, SETTINGS.format(port=upstream))
    with processes(tmp_path, port, upstream) as process, begin(port, "fault-stall", 1000) as caller:
        os.kill(process, signal.SIGKILL)
        try:
            heard = rest_of(caller)
        except ConnectionResetError:
            heard = b""
    assert b"event: envelope" not in heard
    with open_store(tmp_path / "gateway.db") as store:
        assert store.read_now(lambda db: db.execute("SELECT held > 0 FROM account")) == [(1,)]
        [closed] = store.write_now(lambda db: recover(db, store.is_gone, Watch()))
        assert closed.code == "4000"
        assert store.read_now(lambda db: db.execute("SELECT held FROM account")) == [(0,)]
        assert store.read_now(lambda db: db.execute("SELECT charge, billing FROM call")) == [(0, "free")]
        assert store.read_now(lambda db: audit(db, REGISTRY)) == []
