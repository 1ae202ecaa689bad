"""The relay passes everything on, or nothing."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from tests.relay import Relay


@pytest.fixture
def echo() -> Iterator[int]:
    """The port of a server that says what it hears."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        peer, _ = listener.accept()
        with peer:
            while data := peer.recv(100):
                peer.sendall(data)

    thread = threading.Thread(target=serve)
    thread.start()
    yield listener.getsockname()[1]
    thread.join()
    listener.close()


def test_a_cut_relay_is_silent_and_a_mended_one_is_as_before(echo: int) -> None:
    with Relay(echo) as relay, socket.create_connection(("127.0.0.1", relay.port), timeout=20) as peer:
        peer.sendall(b"one")
        assert peer.recv(100) == b"one"
        relay.cut()
        peer.sendall(b"two")
        peer.settimeout(0.1)
        with pytest.raises(TimeoutError):
            peer.recv(100)
        relay.mend()
        peer.settimeout(20)
        assert peer.recv(100) == b"two"
        peer.shutdown(socket.SHUT_WR)
        assert peer.recv(100) == b""


def test_who_connects_to_a_cut_relay_waits(echo: int) -> None:
    with Relay(echo) as relay:
        relay.cut()
        with socket.create_connection(("127.0.0.1", relay.port), timeout=20) as peer:
            peer.sendall(b"one")
            relay.mend()
            assert peer.recv(100) == b"one"
