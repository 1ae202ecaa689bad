"""What an address can do wrong, on real sockets: the next one answers, in time, or the failure says what it was."""

from __future__ import annotations

import gzip
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from envelope import Envelope, Limits, encode
from envelope.client import AttemptEvent, CallFailed, MemoryCache
from tests.client.conftest import MakeCaller
from tests.client.servers import OK, Received, Reply, dead, fine, http, says, serving

BODY = encode(OK, "json")
WHOLE = http(200, BODY)


def silent(_: Received) -> Reply:
    return [3600.0]


def drips_its_body(_: Received) -> Reply:
    yield WHOLE[: -len(BODY)]
    for byte in BODY:
        yield bytes([byte])
        yield 0.4


def drips_its_headers(_: Received) -> Reply:
    for byte in WHOLE:
        yield bytes([byte])
        yield 0.2


FAULTS: dict[str, tuple[Callable[[Received], Reply], str]] = {
    "hangs up": (lambda _: [], "network"),
    "hangs up in the headers": (lambda _: [WHOLE[:20]], "network"),
    "is cut in the body": (lambda _: [WHOLE[:-20]], "network"),
    "is cut where nobody can tell": (lambda _: [b"HTTP/1.1 200 OK\r\n\r\n", BODY[:-20]], "network"),
    "is cut in a chunk": (lambda _: [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n50\r\n{"], "network"),
    "is cut in gzip": (lambda _: [http(200, gzip.compress(BODY)[:-4], "Content-Encoding: gzip")], "network"),
    "is no gzip": (lambda _: [http(200, BODY, "Content-Encoding: gzip")], "network"),
    "speaks no HTTP": (lambda _: [b"SSH-2.0-OpenSSH_9.2\r\n"], "network"),
    "500 without an envelope": (lambda _: [http(500, b"<h1>Oops</h1>", content_type="text/html")], "status"),
    "502 with other JSON": (lambda _: [http(502, b'{"message": "bad gateway"}')], "status"),
    "404 with nothing": (lambda _: [http(404, b"")], "status"),
    "redirects": (lambda _: [http(302, b"", "Location: /elsewhere")], "status"),
    "a success under 500": (says(OK, status=500), "verdict"),
    "is busy": (says(Envelope.fail("4008"), status=429), "verdict"),
    "is busy under 200": (says(Envelope.fail("4008")), "verdict"),
    "fails upstream": (says(Envelope(response={"error": {"type": "tokens"}}, error_code="2000")), "verdict"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_next_address_answers(fault: str, caller: MakeCaller) -> None:
    reply, kind = FAULTS[fault]
    events: list[AttemptEvent] = []
    with serving(reply) as first, serving(fine) as second:
        answer = caller([first.url, second.url], on_attempt=events.append).call()
    assert answer == OK
    assert (answer.address, answer.attempts, answer.verdict.ok) == (1, 2, True)
    assert [event.failure for event in events] == [kind, None]
    assert [len(server.received) for server in (first, second)] == [1, 1]


@pytest.mark.parametrize("fault", FAULTS)
def test_alone_it_says_what_it_was(fault: str, caller: MakeCaller) -> None:
    reply, kind = FAULTS[fault]
    with serving(reply) as server, pytest.raises(CallFailed) as caught:
        caller([server.url], retries=0).call()
    failed = caught.value
    assert (failed.kind, failed.address, failed.attempts) == (kind, 0, 1)
    assert failed.layer == ("http" if kind != "verdict" else failed.envelope and failed.envelope.verdict.layer)
    assert len(server.received) == 1


def test_nobody_there(caller: MakeCaller) -> None:
    with serving(fine) as second:
        assert caller([dead(), second.url]).call().address == 1
    with pytest.raises(CallFailed) as caught:
        caller([dead(), dead()], retries=1).call()
    assert (caught.value.kind, caught.value.attempts, caught.value.retryable) == ("unreachable", 4, True)


@pytest.mark.parametrize("fault", FAULTS)
def test_an_address_that_is_not_reached_hides_nothing_of_what_was_sent_to_others(
    fault: str, caller: MakeCaller
) -> None:
    reply, kind = FAULTS[fault]
    with serving(reply) as server:
        client = caller([server.url, dead()], retries=0)
        with pytest.raises(CallFailed) as caught:
            client.call()
        assert (caught.value.kind, caught.value.address, caught.value.attempts) == (kind, 0, 2)
        if kind == "verdict":
            answer = client.call(check=False)
            assert (answer.verdict.ok, answer.address, answer.attempts) == (False, 0, 2)


@pytest.mark.parametrize("reply", [silent, drips_its_body, drips_its_headers])
def test_the_deadline_holds_whatever_an_address_does(reply: Callable[[Received], Reply], caller: MakeCaller) -> None:
    with serving(reply) as server:
        client = caller([server.url])
        started = time.monotonic()
        with pytest.raises(CallFailed) as caught:
            client.call(timeout=1)
        elapsed = time.monotonic() - started
    assert caught.value.kind == "timeout"
    assert 0.9 < elapsed < 1.1 + 0.15


@pytest.mark.parametrize("reply", [silent, drips_its_body, drips_its_headers])
def test_who_is_silent_leaves_the_next_its_share(reply: Callable[[Received], Reply], caller: MakeCaller) -> None:
    with serving(reply) as first, serving(fine) as second:
        client = caller([first.url, second.url])
        assert client.call(timeout=1).address == 1
        # It rests then, and is not asked again.
        assert client.call(timeout=1).attempts == 1
    assert len(first.received) == 1


def test_a_name_that_is_looked_up_for_ever(caller: MakeCaller, monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()

    def look_up(*_: object, **__: object) -> list[object]:
        release.wait(60)
        return []

    client = caller(["http://slow.example"], retries=0)
    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    started = time.monotonic()
    try:
        with pytest.raises(CallFailed):
            client.call(timeout=0.5)
        assert time.monotonic() - started < 30
    finally:
        release.set()


def test_a_server_that_reads_nothing(caller: MakeCaller) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        client = caller([url], sign="secret", carrier="json")
        started = time.monotonic()
        with pytest.raises(CallFailed) as caught:
            client.call(params={"text": "x" * 16_000_000}, timeout=0.5)
        assert time.monotonic() - started < 30
    assert caught.value.kind == "timeout"


@contextmanager
def stopped_process() -> Iterator[str]:
    """The address of a server that is stopped: the system takes the connection, and nobody reads from it."""
    program = (
        "import socket, time; listener = socket.create_server(('127.0.0.1', 0));"
        "print(listener.getsockname()[1], flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        port = child.stdout.readline().strip()
        os.kill(child.pid, signal.SIGSTOP)
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            child.kill()


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_a_process_that_is_stopped(caller: MakeCaller) -> None:
    with stopped_process() as first, serving(fine) as second:
        assert caller([first, second.url]).call(timeout=2).address == 1


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl here")
def test_https_is_verified(tmp_path: Path, caller: MakeCaller, monkeypatch: pytest.MonkeyPatch) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = f"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout {key} -out {certificate}"
    subprocess.run([*command.split(), "-addext", "subjectAltName=DNS:localhost"], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with serving(fine, context) as server:
        url = server.url.replace("http://127.0.0.1", "https://localhost")
        with pytest.raises(CallFailed, match="unreachable"):
            caller([url], retries=0).call()
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert caller([url]).call() == OK
    with serving(silent) as server:
        started = time.monotonic()
        with pytest.raises(CallFailed, match="unreachable"):
            caller([server.url.replace("http:", "https:")], retries=0).call(timeout=0.5)
        assert time.monotonic() - started < 30


# ----------------------------------------------------------------------------------------------- what is not tried again


@pytest.mark.parametrize("code", ["4003", "4005", "4016", "9999"])
def test_what_no_other_address_can_mend_is_not_tried_there(code: str, caller: MakeCaller) -> None:
    with serving(says(Envelope.fail(code, reason="because"))) as first, serving(fine) as second:
        with pytest.raises(CallFailed) as caught:
            caller([first.url, second.url]).call()
        answer = caller([first.url, second.url]).call(check=False)
    failed = caught.value
    assert (failed.code, failed.layer, failed.retryable, failed.http_status) == (code, "gateway", False, 200)
    assert failed.envelope is not None
    assert (failed.envelope, failed.envelope.reason) == (answer, "because")
    assert (answer.verdict.ok, answer.address, answer.attempts) == (False, 0, 1)
    assert not second.received


@pytest.mark.parametrize("body", [b"<html>Sign in</html>", b"", b"[]", b"[1]", b'{"response":[]}'])
def test_200_without_an_envelope_says_so(body: bytes, caller: MakeCaller) -> None:
    with serving(lambda _: [http(200, body, content_type="text/html")]) as server, pytest.raises(CallFailed) as caught:
        caller([server.url]).call(check=False)
    failed = caught.value
    assert (failed.kind, failed.layer, failed.envelope, failed.attempts) == ("no-envelope", "http", None, 1)
    assert str(failed).startswith("http: no-envelope")


def test_a_redirect_is_not_followed(caller: MakeCaller, package: object) -> None:
    with serving(fine) as target:
        location = f"Location: {target.url}/openai/custom/"
        with serving(lambda _: [http(307, b"", location)]) as server, pytest.raises(CallFailed, match="HTTP 307"):
            caller([server.url], retries=0).call()
    assert not target.received


@pytest.mark.parametrize("fault", ["hangs up", "is cut in the body", "500 without an envelope", "is busy"])
def test_unsent_never_sends_twice(fault: str, caller: MakeCaller) -> None:
    with serving(FAULTS[fault][0]) as first, serving(fine) as second:
        with pytest.raises(CallFailed):
            caller([first.url, second.url], failover="unsent").call()
        assert (len(first.received), len(second.received)) == (1, 0)
        assert caller([dead(), second.url], failover="unsent").call().address == 1


# --------------------------------------------------------------------------------------------------------- Retry-After


def test_retry_after_is_obeyed(caller: MakeCaller) -> None:
    times: list[float] = []

    def busy_once(received: Received) -> Reply:
        times.append(time.monotonic())
        return (
            says(Envelope.fail("4008"), "Retry-After: 1", status=429)(received) if len(times) == 1 else fine(received)
        )

    with serving(busy_once) as server:
        assert caller([server.url]).call(timeout=10).attempts == 2
    assert times[1] - times[0] >= 1


def test_a_retry_after_beyond_the_deadline_ends_the_call_at_once(caller: MakeCaller) -> None:
    busy = says(Envelope.fail("4008"), "Retry-After: 3600", status=429)
    with serving(busy) as first, serving(busy) as second:
        client = caller([first.url, second.url])
        started = time.monotonic()
        with pytest.raises(CallFailed) as caught:
            client.call(timeout=60)
    assert (caught.value.code, caught.value.retryable, caught.value.attempts) == ("4008", True, 2)
    assert time.monotonic() - started < 30


# --------------------------------------------------------------------------------------------------------------- bodies


@pytest.mark.parametrize(
    "reply",
    [
        lambda _: [http(200, b'"' + b"x" * 5000 + b'"')],
        lambda _: [b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", 3600.0],
        lambda _: [b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 5000, 3600.0],
        lambda _: [http(200, gzip.compress(b'"' + b"x" * 3_000_000), "Content-Encoding: gzip")],  # 3 KB
    ],
)
def test_a_body_beyond_the_limits_is_not_read(reply: Callable[[Received], Reply], caller: MakeCaller) -> None:
    with serving(reply) as first, serving(fine) as second, pytest.raises(CallFailed) as caught:
        caller([first.url, second.url], limits=Limits(max_bytes=4096)).call()
    assert (caught.value.kind, caught.value.layer, caught.value.retryable) == ("limit", "http", False)
    assert not second.received


def test_an_encoding_that_nobody_asked_for(caller: MakeCaller) -> None:
    with serving(lambda _: [http(200, BODY, "Content-Encoding: br")]) as server, pytest.raises(CallFailed) as caught:
        caller([server.url]).call()
    assert caught.value.kind == "no-envelope"
    assert "encoding" in caught.value.reason


def test_what_follows_the_gzip_data_is_not_kept(caller: MakeCaller) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n"
    with (
        serving(lambda _: [head, gzip.compress(BODY), 0.1, b"x", 3600.0]) as server,
        pytest.raises(CallFailed, match="too late") as caught,
    ):
        caller([server.url], retries=0).call()
    assert caught.value.kind == "network"


def test_gzip_and_chunks_are_read(caller: MakeCaller) -> None:
    packed = gzip.compress(BODY)
    chunks = b"".join(b"%x\r\n%b\r\n" % (1, packed[at : at + 1]) for at in range(len(packed)))
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"
    with serving(lambda _: [head, chunks, b"0\r\n\r\n"]) as server:
        assert caller([server.url]).call() == OK
    assert server.received[0].headers["accept-encoding"] == "gzip"


# ------------------------------------------------------------------------------------------------------------ with a cache


@pytest.mark.parametrize("fault", ["hangs up", "500 without an envelope", "is busy", "fails upstream"])
def test_a_stale_answer_serves_while_every_address_fails(fault: str, caller: MakeCaller) -> None:
    cache, now = MemoryCache(), [1_700_000_000 * 10**9]
    options = {"cache": cache, "clock": lambda: now[0]}
    with serving(fine) as server:
        assert not caller([server.url], **options).call().cached
        now[0] += 86_399 * 10**9
        assert caller([server.url], **options).call().cached
        assert len(server.received) == 1
    now[0] += 2 * 10**9
    with serving(FAULTS[fault][0]) as first:
        stale = caller([first.url, dead()], **options).call()
    assert (stale, stale.cached, stale.stale, stale.address, stale.attempts) == (OK, True, True, None, 2)
    with serving(fine) as server:
        fresh = caller([dead(), server.url], **options).call()
        assert (fresh.cached, fresh.stale, fresh.address) == (False, False, 1)


def test_a_stale_answer_does_not_hide_a_refusal(caller: MakeCaller) -> None:
    options = {"cache": MemoryCache(), "fresh": 0.0}
    with serving(fine) as server:
        caller([server.url], **options).call()
    with serving(says(Envelope.fail("4007"))) as server, pytest.raises(CallFailed, match="4007 Account stopped"):
        caller([server.url], **options).call()
