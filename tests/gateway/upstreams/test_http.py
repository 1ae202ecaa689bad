"""One hop on real sockets: what an upstream can do wrong byte by byte, bodies and their bounds, TLS."""

from __future__ import annotations

import gzip
import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from envelope.gateway.upstreams import Outcome, UpstreamCall, Upstreams, UpstreamSettings
from tests.client.servers import Received, Reply, dead, http, serving
from tests.gateway.calls import KEY, QUICK, completion, upstream, with_upstreams

BODY = b'{"choices":[{"text":"Hello"}],"usage":{"prompt_tokens":1,"completion_tokens":2}}'
WHOLE = http(200, BODY)


def asked(
    reply: Callable[[Received], Reply], call: UpstreamCall | None = None, *, max_bytes: int = 10**6, **settings: Any
) -> tuple[Outcome, list[Received]]:
    with serving(reply) as server:
        outcome = ask_of([upstream("a", server.url, **settings)], call, max_bytes=max_bytes)
        return outcome, server.received


def ask_of(settings: list[UpstreamSettings], call: UpstreamCall | None = None, **options: Any) -> Outcome:
    async def story(upstreams: Upstreams) -> Outcome:
        return await upstreams.ask(call or completion(), seconds=20)

    return with_upstreams(settings, story, retries=0, **options)


def drips_its_headers(_: Received) -> Reply:
    for byte in WHOLE:
        yield bytes([byte])
        yield 0.05


REPLIES: dict[str, tuple[Callable[[Received], Reply], str]] = {
    "hangs up": (lambda _: [], "network"),
    "hangs up in the headers": (lambda _: [WHOLE[:20]], "network"),
    "is cut in the body": (lambda _: [WHOLE[:-20]], "network"),
    "is cut in a chunk": (lambda _: [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n50\r\n{"], "network"),
    "is cut where nobody can tell": (lambda _: [b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n", BODY[:-20]], "body"),
    "is cut in gzip": (lambda _: [http(200, gzip.compress(BODY)[:-4], "Content-Encoding: gzip")], "network"),
    "is no gzip": (lambda _: [http(200, BODY, "Content-Encoding: gzip")], "network"),
    "is brotli": (lambda _: [http(200, BODY, "Content-Encoding: br")], "type"),
    "speaks no HTTP": (lambda _: [b"SSH-2.0-OpenSSH_9.2\r\n"], "network"),
    "has a bad chunk": (lambda _: [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}"], "network"),
    "has headers without an end": (lambda _: [b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000], "network"),
    "drips its headers": (drips_its_headers, "silent"),
    "has headers and then nothing": (lambda _: [WHOLE[: -len(BODY)], 3600.0], "silent"),
    "has some bytes and then nothing": (lambda _: [WHOLE[:-20], 3600.0], "time"),
    "announces too much": (lambda _: [http(200, b"x" * 10)[:-10].replace(b"th: 10", b"th: 99999999"), 3600.0], "limit"),
}  # fmt: skip


@pytest.mark.parametrize("name", REPLIES)
def test_an_answer_that_is_not_whole(name: str) -> None:
    reply, what = REPLIES[name]
    # Only what falls silent is to be given up soon; a busy machine is silent for a while, too.
    outcome, received = asked(reply, **QUICK if what in ("silent", "time") else {})
    assert [attempt.what for attempt in outcome.attempts] == [what]
    assert outcome.code in ("4001", "4002", "4017")
    assert len(received) == 1


@pytest.mark.parametrize("address", ["dead", "http://name.invalid", "https"])
def test_without_a_connection_it_is_unreachable(address: str) -> None:
    with serving(lambda _: [WHOLE]) as server:
        # A server that speaks no TLS is as good as none.
        address = {"dead": dead(), "https": server.url.replace("http", "https")}.get(address, address)
        outcome = ask_of([upstream("a", address, connect=0.5)])
    assert (outcome.code, [attempt.what for attempt in outcome.attempts]) == ("4001", ["unreachable"])


def test_a_connection_that_is_not_accepted() -> None:
    with (
        socket.create_server(("127.0.0.1", 0), backlog=0) as listener,
        socket.create_connection(listener.getsockname()),
    ):
        port = listener.getsockname()[1]
        outcome = ask_of([upstream("a", f"http://127.0.0.1:{port}", connect=0.3, first_byte=5)])
    assert [attempt.what for attempt in outcome.attempts] == ["unreachable"]


def test_what_is_sent() -> None:
    outcome, [received] = asked(
        lambda _: [WHOLE], UpstreamCall(method="v1/chat/completions", args={"a": "地球"}, params={"a": 1, "b": "c"})
    )
    assert outcome.response == orjson.loads(BODY)
    assert (received.verb, received.target) == ("POST", "/v1/chat/completions")
    assert orjson.loads(received.body) == {"a": "地球", "b": "c"}
    assert received.headers["authorization"] == f"Bearer {KEY}"
    assert received.headers["content-type"] == "application/json"
    assert received.headers["content-length"] == str(len(received.body))
    assert "cookie" not in received.headers


def test_a_query_without_a_key_below_a_path() -> None:
    with serving(lambda _: [WHOLE]) as server:
        ask_of([upstream("a", server.url + "/base", None)], UpstreamCall(method="v1/models", args={"q": "a b&c"}))
        [received] = server.received
    assert (received.verb, received.target) == ("GET", "/base/v1/models?q=a+b%26c")
    assert "authorization" not in received.headers
    assert "content-type" not in received.headers


@pytest.mark.parametrize("is_chunked", [False, True])
@pytest.mark.parametrize("is_gzip", [False, True])
@pytest.mark.parametrize("over", [0, 1])
def test_a_body_of_exactly_the_limit_is_read(is_chunked: bool, is_gzip: bool, over: int) -> None:
    body = b'"' + b"x" * (100_000 - 2 + over) + b'"'
    sent = gzip.compress(body) if is_gzip else body
    encoding = "Content-Encoding: gzip" if is_gzip else "X: y"
    whole = http(200, sent, encoding)
    if is_chunked:
        whole = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{encoding}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
        whole += b"%x\r\n%b\r\n0\r\n\r\n" % (len(sent), sent)
    outcome, _ = asked(lambda _: [whole], max_bytes=100_000)
    assert [attempt.what for attempt in outcome.attempts] == ["limit" if over else "answer"]


def test_cookies_of_one_caller_are_not_anothers() -> None:
    async def story(upstreams: Upstreams) -> None:
        for _ in range(2):
            await upstreams.ask(completion(), seconds=20)

    with serving(lambda _: [http(200, BODY, "Set-Cookie: session=1")]) as server:
        # Cookies of bare addresses would be dropped anyway.
        with_upstreams([upstream("a", server.url.replace("127.0.0.1", "localhost"))], story)
        assert not [received for received in server.received if "cookie" in received.headers]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    with serving(lambda _: [WHOLE]) as other:
        outcome, _ = asked(lambda _: [http(status, b"", f"Location: {other.url}/v1/x")])
        assert other.received == []
    assert (outcome.code, outcome.status) == ("4002", status)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("openssl") is None:
        pytest.skip("no openssl here")
    path: Path = tmp_path_factory.mktemp("tls") / "both.pem"
    command = (
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost"
    )
    subprocess.run([*command.split(), "-keyout", path, "-out", f"{path}.crt"], check=True, capture_output=True)
    path.write_bytes(path.read_bytes() + Path(f"{path}.crt").read_bytes())
    return path


@pytest.mark.parametrize("has_own", [False, True])
@pytest.mark.parametrize("is_trusted", [False, True])
def test_tls(certificate: Path, is_trusted: bool, has_own: bool) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    if has_own:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(certificate)
    settings: dict[str, Any] = {"ca_file": str(certificate)} if is_trusted else {}
    if has_own:
        settings["certificate"] = str(certificate)
    with serving(lambda _: [WHOLE], context) as server:
        outcome = ask_of([upstream("a", server.url.replace("http://127.0.0.1", "https://localhost"), **settings)])
    assert outcome.code == ("0000" if is_trusted else "4001")
