"""Calls that succeed: what is sent, how it is signed, what comes back, and what is told about it."""

from __future__ import annotations

import itertools
import logging
import math
import pickle
import secrets
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from envelope import EncodeError, Envelope, ResultType, encode
from envelope.calls.engine import Engine
from envelope.calls.request import Carrier
from envelope.calls.retry_after import seconds_to_wait
from envelope.client import Answer, AsyncGatewayClient, AttemptEvent, CallFailed, GatewayClient
from tests.client.conftest import KEY, SECRET, MakeCaller
from tests.client.servers import OK, Received, Reply, answers, dead, fine, http, says, serving

ACCOUNTS = {KEY: SECRET}.get
PAYLOAD = {"text": "地球", "n": [1, None, 2.5]}


@pytest.mark.parametrize("sign", ["md5", "secret", "strict"])
@pytest.mark.parametrize("carrier", ["form", "json", "query"])
def test_an_engine_takes_the_call(sign: Any, carrier: Carrier, fmt: ResultType, caller: MakeCaller) -> None:
    seen: set[str] = set()

    def remember(key: str, nonce: str, until: int) -> bool:
        is_new = nonce not in seen
        seen.add(nonce)
        return is_new

    engine = Engine(secrets=ACCOUNTS, clock=time.time_ns, remember_nonce=remember if sign == "strict" else None)
    with serving(answers(engine, PAYLOAD)) as server:
        answer = caller([server.url + "/mount/"], sign=sign, carrier=carrier).call(
            "v1/edits", {"prompt": "地球"}, params={"page": "2"}, result_type=fmt, lang="en", version="2"
        )
    assert (answer.response, answer.error_code, answer.format) == (PAYLOAD, "0000", fmt)
    (received,) = server.received
    request = received.request
    assert received.target.startswith("/mount/openai/custom/?key=")
    assert (request.method, request.args, request.params) == ("v1/edits", {"prompt": "地球"}, {"page": "2"})
    assert (request.result_type, request.lang, request.version) == (fmt, "en", "2")
    assert (SECRET in f"{received}") == (sign == "secret")


def test_what_a_client_is_told_once_and_what_a_call_is_told(caller: MakeCaller) -> None:
    with serving(fine) as server:
        client = caller([server.url], api_type="taobao", api_name="item_get", lang="ru", result_type="xml")
        client.call("")
        client.call("", api_name="item_search", result_type="serialize", cache=False)
    first, second = (received.request for received in server.received)
    assert (first.api_type, first.api_name, first.lang, first.result_type) == ("taobao", "item_get", "ru", "xml")
    assert (second.api_type, second.api_name, second.result_type) == ("taobao", "item_search", "serialize")
    assert (first.cache, second.cache) == (True, False)


def test_an_answer_is_an_envelope(caller: MakeCaller) -> None:
    sent = Envelope.ok({"id": 1}, extras={"receipt": {"charge": "20"}})
    with serving(says(sent)) as server:
        answer = caller([server.url]).call()
    assert isinstance(answer, Envelope)
    assert (answer == sent, sent == answer, answer == answer, answer == 1) == (True, True, True, False)
    assert encode(answer, "json") == encode(sent, "json") == answer.body
    assert (answer.receipt, answer.verdict.billable, answer.http_status) == ({"charge": "20"}, True, 200)


@pytest.mark.parametrize("content_type", ["text/html", "application/xml", "application/json", "nonsense"])
def test_a_content_type_that_lies_changes_nothing(content_type: str, fmt: ResultType, caller: MakeCaller) -> None:
    with serving(says(OK, content_type=content_type)) as server:
        assert caller([server.url]).call(result_type=fmt) == OK


def test_an_answer_in_another_format_is_read_by_its_content_type(caller: MakeCaller) -> None:
    body = encode(Envelope.fail("4005"), "json")
    with serving(lambda _: [http(401, body, content_type="application/json")]) as server:
        answer = caller([server.url]).call(result_type="serialize", check=False)
    assert (answer.error_code, answer.format, answer.http_status) == ("4005", "json", 401)


def test_another_payload_in_a_dialect(caller: MakeCaller) -> None:
    body = encode(Envelope.ok({"n": "5"}), "xml", payload="item", dialect="plain")
    with serving(lambda _: [http(200, body)]) as server:
        answer = caller([server.url], payload="item", dialects={"xml": "plain"}).call(result_type="xml")
    assert answer.response == {"n": "5"}


@pytest.mark.parametrize("sign", ["md5", "strict"])
def test_each_attempt_has_the_calls_key_and_a_signature_of_its_own(sign: str, caller: MakeCaller) -> None:
    ticks = itertools.count(1_700_000_000 * 10**9, 10**9)
    with serving(says(Envelope.fail("4000"))) as first, serving(says(Envelope.fail("4001"))) as second:
        client = caller([first.url, second.url], sign=sign, retries=1, clock=lambda: next(ticks))
        with pytest.raises(CallFailed):
            client.call()
        with pytest.raises(CallFailed):
            client.call(idempotency_key="mine")
    received = [*first.received, *second.received]
    keys = [one.headers["idempotency-key"] for one in received]
    assert (len(received), len(set(keys)), keys.count("mine")) == (8, 2, 4)
    assert len({one.request.sign for one in received}) == 8


@pytest.mark.parametrize("key", ["a\r\nSecret: 1", "ключ", "a b", "x" * 256])
def test_a_key_that_is_no_header_is_refused(key: str, caller: MakeCaller) -> None:
    with pytest.raises(ValueError, match="idempotency key"):
        caller([dead()]).call(idempotency_key=key)


@pytest.mark.parametrize("options", [{"params": {"x": None}}, {"params": {"price": 1.5}}])
def test_a_call_that_cannot_be_written(options: Any, caller: MakeCaller) -> None:
    with pytest.raises(EncodeError) as caught:
        caller([dead()]).call(**options)
    assert caught.value.path.startswith("$.")


# ---------------------------------------------------------------------------------------------------------------- pages


def test_pages_follow_the_token(caller: MakeCaller) -> None:
    def page(received: Received) -> Reply:
        token = received.request.params.get("pageToken", "")
        following = {"": "a", "a": "b"}.get(token, "")
        inside = {"pageToken": following} if token == "" else {}
        extras = {} if token == "" else {"pageToken": following}
        return says(Envelope.ok({"items": [token], **inside}, extras=extras))(received)

    with serving(page) as server:
        pages = caller([server.url]).pages("v1/files", params={"size": "1"})
    assert [answer.response["items"] for answer in pages] == [[""], ["a"], ["b"]]
    assert {received.request.params["size"] for received in server.received} == {"1"}


def test_pages_become_the_type_and_keep_their_token(caller: MakeCaller) -> None:
    pytest.importorskip("pydantic")

    @dataclass
    class Files:
        items: list[int]

    def page(received: Received) -> Reply:
        following = {"": "a", "a": "b"}.get(received.request.params.get("pageToken", ""))
        return says(Envelope.ok({"items": [1], "pageToken": following} if following else {"items": [2]}))(received)

    with serving(page) as server:
        client = caller([server.url])
        assert [answer.response for answer in client.pages(response=Files)] == [Files([1]), Files([1]), Files([2])]
        with pytest.raises(CallFailed) as caught:
            client.pages(response=list[Files])
        assert (caught.value.kind, caught.value.path, caught.value.address) == ("payload", "$.response", 0)
        with pytest.raises(TypeError, match="nothing that is installed makes"):
            client.pages(response=iter)
    assert len(server.received) == 4


def test_pages_end_when_a_token_repeats_or_is_wrong(caller: MakeCaller) -> None:
    with serving(says(Envelope.ok([], extras={"pageToken": 7}))) as server:
        assert len(caller([server.url]).pages()) == 2
    turns = itertools.cycle("abc")
    with serving(lambda received: says(Envelope.ok([], extras={"pageToken": next(turns)}))(received)) as server:
        assert len(caller([server.url]).pages()) == 4
    with serving(says(Envelope.fail("4015"))) as server, pytest.raises(CallFailed) as caught:
        caller([server.url]).pages(params={"pageToken": "x"})
    assert caught.value.code == "4015"


# --------------------------------------------------------------------------------------------------------------- events


def test_each_attempt_is_told(caller: MakeCaller, caplog: pytest.LogCaptureFixture) -> None:
    events: list[AttemptEvent] = []

    def tell(event: AttemptEvent) -> None:
        events.append(event)
        raise RuntimeError("a log that is full")

    nobody = dead()
    with serving(says(Envelope.fail("4008"), status=429)) as busy, serving(fine) as server:
        assert caller([nobody, busy.url, server.url], on_attempt=tell).call("v1/models") == OK
    assert [(event.number, event.index, event.failure) for event in events] == [
        (1, 0, "unreachable"),
        (2, 1, "verdict"),
        (3, 2, None),
    ]
    assert [(event.http_status, event.error_code) for event in events] == [(None, None), (429, "4008"), (200, "0000")]
    assert [event.address for event in events] == [nobody, busy.url, server.url]
    assert {(event.method, event.api_name) for event in events} == {("v1/models", "custom")}
    assert all(event.seconds >= 0 for event in events)
    assert [record.message for record in caplog.records if record.name == "envelope.client"] == [
        "on_attempt failed: RuntimeError"
    ] * 3


# --------------------------------------------------------------------------------------------------------- the clients


def test_a_client_that_was_handed_in_stays_open_and_may_be_a_mock(package: Any) -> None:
    body = encode(OK, "json")
    requests = []

    def handle(request: Any) -> Any:
        requests.append(request)
        return package.Response(200, content=body, headers={"Content-Type": "application/json"})

    with package.Client(transport=package.MockTransport(handle)) as http:
        with GatewayClient(["https://a.example"], key="k", secret="s", http=http) as client:
            assert client.call() == OK
        assert not http.is_closed
    assert requests[0].url.host == "a.example"
    assert str(requests[0].url) == "https://a.example/openai/custom/"
    assert requests[0].url.query == b"key=k"


def test_the_wrong_kind_of_client_is_a_type_error(package: Any) -> None:
    with package.Client() as http, pytest.raises(TypeError, match="is an AsyncClient"):
        AsyncGatewayClient(["https://a.example"], key="k", secret="s", http=http)
    with pytest.raises(TypeError, match="is a Client"):
        GatewayClient(["https://a.example"], key="k", secret="s", http=package.AsyncClient())


def test_a_proxy_of_the_environment_is_used(caller: MakeCaller, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(fine) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        assert caller(["http://gateway.invalid"]).call() == OK
    assert proxy.received[0].target.startswith("http://gateway.invalid/openai/custom/?key=")


@pytest.mark.parametrize("client", [GatewayClient, AsyncGatewayClient])
def test_without_the_extra_it_says_what_installs_it(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "httpx2", None)
    with pytest.raises(ImportError, match=r"pip install 'envelope-engine\[client\]'"):
        client(["https://a.example"], key="k", secret="s")


def test_an_http_client_is_imported_when_one_is_made() -> None:
    code = "import sys, envelope.client; envelope.client.GatewayClient; print({'httpx', 'httpx2', 'httpcore2'} & {*sys.modules})"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "set()\n"


@pytest.mark.parametrize(
    "addresses",
    ["https://a.example", [], [5], [""], ["a.example"], ["ftp://a.example"], ["https://"], ["https://a.example?key=1"],
     ["https://user:pass@a.example"], ["https://a.example:x"], ["https://a.example/\n"], ["https://пример.рф"], ["https://[::1"]],
)  # fmt: skip
def test_what_is_no_address(addresses: Any) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        GatewayClient(addresses, key="k", secret="s")
    assert "pass" not in str(caught.value)


@pytest.mark.parametrize(
    "options", [{"key": ""}, {"secret": ""}, {"secret": None}, {"sign": "sha1"}, {"failover": "never"}, {"nonsense": 1}]
)
def test_what_is_no_setting(options: Any) -> None:
    with pytest.raises(TypeError):
        GatewayClient(["https://a.example"], **{"key": "k", "secret": "s", **options})


@pytest.mark.parametrize("timeout", [math.inf, math.nan, 1e300])
def test_a_time_out_that_no_socket_can_wait_for(timeout: float, caller: MakeCaller) -> None:
    with pytest.raises(ValueError, match="timeout"):
        GatewayClient(["https://a.example"], key="k", secret="s", timeout=timeout)
    with pytest.raises(ValueError, match="timeout"):
        caller([dead()]).call(timeout=timeout)


def test_no_less_than_no_retries() -> None:
    with pytest.raises(ValueError, match="retries"):
        GatewayClient(["https://a.example"], key="k", secret="s", retries=-1)


def test_the_longest_time_out_is_one(caller: MakeCaller) -> None:
    with serving(fine) as server:
        assert caller([server.url], timeout=1e9).call() == OK


def test_an_unknown_option_of_a_call_is_a_type_error(caller: MakeCaller) -> None:
    with pytest.raises(TypeError, match="carrier"):
        caller([dead()]).call(carrier="json")


def test_a_failure_can_be_pickled() -> None:
    failed = CallFailed("reason", kind="status", http_status=502, address=1, attempts=3)
    again = pickle.loads(pickle.dumps(failed))
    assert (str(again), vars(again)) == (str(failed), vars(failed))
    assert str(failed) == "http: status: reason (3 attempts)"
    assert failed.receipt is None


def test_a_time_out_of_nothing_sends_nothing(caller: MakeCaller) -> None:
    with serving(fine) as server, pytest.raises(CallFailed, match="no time") as caught:
        caller([server.url]).call(timeout=0)
    assert (caught.value.address, caught.value.attempts, server.received) == (None, 0, [])


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0", 0.0), (" 120 ", 120.0), ("", None), ("soon", None), ("-1", None), ("9" * 400, None), ("1.5", None)],
)
def test_retry_after(text: str, seconds: float | None) -> None:
    assert seconds_to_wait(text, 0.0) == seconds


def test_retry_after_a_date() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    for seconds in (90, -90):
        text = format_datetime(now + timedelta(seconds=seconds), usegmt=True)
        assert seconds_to_wait(text, now.timestamp()) == max(seconds, 0)
    assert seconds_to_wait("Thu, 01 Jan 2026 00:00:05 -0000", now.timestamp()) == 5


def test_the_loggers_of_http_clients_are_told_no_key(
    sign_with: str, caller: MakeCaller, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with serving(fine) as server:
        caller([server.url], sign=sign_with, carrier="query").call()
    text = "\n".join(record.getMessage() + repr(record.args) for record in caplog.records)
    assert "request" in text.lower()
    assert not [secret for secret in (KEY, SECRET, server.received[0].request.sign or KEY) if secret in text]


@pytest.fixture(params=["md5", "strict", "secret"])
def sign_with(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_many_threads_share_a_client() -> None:
    with (
        serving(fine) as server,
        GatewayClient([server.url], key="k", secret="s") as client,
        ThreadPoolExecutor(8) as pool,
    ):
        found: list[Answer[Any]] = list(pool.map(lambda _: client.call(secrets.token_hex(4)), range(40)))
    assert found == [OK] * 40
    assert len({received.request.method for received in server.received}) == 40
