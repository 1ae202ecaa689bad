"""Gateways of our own on loopback: what a reply is, byte by byte and pause by pause, is up to each test."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from envelope import Envelope, ResultType, encode
from envelope.calls.engine import Engine
from envelope.calls.http import HttpRequest
from envelope.calls.media import content_type_of
from envelope.calls.request import ApiRequest


@dataclass(frozen=True)
class Received:
    """One request."""

    verb: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def http(self) -> HttpRequest:
        """The same as an engine reads it."""
        path, _, query = self.target.partition("?")
        content_type = self.headers.get("content-type", "")
        return HttpRequest(path=path, query=query, body=self.body, content_type=content_type)

    @property
    def request(self) -> ApiRequest:
        return ApiRequest.read(self.http)


Reply = Iterable[bytes | float]
"""What is sent: bytes, and pauses in seconds. Then the connection is closed."""


@dataclass
class Server:
    url: str
    received: list[Received] = field(default_factory=list)


@contextmanager
def serving(reply: Callable[[Received], Reply], tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """A server that sends *reply* to each request, over TLS with a context."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = Server(f"http://127.0.0.1:{listener.getsockname()[1]}")
    is_over = threading.Event()

    def serve(connection: socket.socket) -> None:
        # Whoever hangs up is no failure here.
        with (
            suppress(OSError),
            connection,
            tls.wrap_socket(connection, server_side=True) if tls else connection as peer,
        ):
            received = read(peer)
            if received is None:
                return
            server.received.append(received)
            for part in reply(received):
                if isinstance(part, bytes):
                    peer.sendall(part)
                elif is_over.wait(part):
                    return

    def accept() -> None:
        with suppress(OSError):  # closed below
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield server
    finally:
        is_over.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def read(connection: socket.socket) -> Received | None:
    """The request that comes; None if it does not."""
    data = b""
    while b"\r\n\r\n" not in data:
        if not (more := connection.recv(65536)):
            return None
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    while len(body) < int(headers.get("content-length", 0)):
        body += connection.recv(65536)
    verb, target, _ = first.split(" ")
    return Received(verb, target, headers, body)


OK = Envelope.ok({"id": "cmpl-1", "n": 5}, request_id="1.6403f86cd67f6", last_id="1593583206")


def http(status: int, body: bytes, *headers: str, content_type: str = "application/json") -> bytes:
    """A whole HTTP answer."""
    lines = (f"HTTP/1.1 {status} Whatever", f"Content-Type: {content_type}", f"Content-Length: {len(body)}", *headers)
    return "\r\n".join((*lines, "Connection: close", "", "")).encode() + body


def says(
    answer: Envelope[object], *headers: str, status: int = 200, content_type: str = ""
) -> Callable[[Received], Reply]:
    """A reply with this envelope in the format that was asked for."""

    def reply(received: Received) -> Reply:
        format = ResultType(received.request.result_type)
        return [http(status, encode(answer, format), *headers, content_type=content_type or content_type_of(format))]

    return reply


def answers(engine: Engine, payload: object) -> Callable[[Received], Reply]:
    """A reply of this engine, with this payload if the call is right."""

    def reply(received: Received) -> Reply:
        rendered = engine.answer(received.http, lambda request: payload)
        return [http(rendered.status, rendered.body, content_type=rendered.headers["Content-Type"])]

    return reply


fine = says(OK)


def dead() -> str:
    """The address of nobody."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"
