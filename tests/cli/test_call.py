"""`envelope call`, against a gateway of our own."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from envelope import Envelope, ResultType, decode, encode
from envelope.calls.engine import Engine
from envelope.fixtures import check_body
from envelope.formats import FORMATS
from tests.cli.command import run
from tests.client.servers import Received, Reply, answers, dead, http, says, serving

pytest.importorskip("httpx2", reason="the extra client is not installed")
KEY, SECRET = "key-0f8e", "secret-77aa"


@pytest.fixture(autouse=True)
def _secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVELOPE_SECRET", SECRET)


def gateway(payload: Any) -> Callable[[Received], Reply]:
    return answers(Engine(secrets={KEY: SECRET}.get, clock=time.time_ns), payload)


def test_the_examples_of_help_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = run("call", "--help").stdout
    examples = [line.strip() for line in text[text.index("Examples:") :].splitlines()[1:]]
    assert len(examples) == 3
    monkeypatch.chdir(tmp_path)
    with serving(gateway({"a": 1})) as server:
        for example in examples:
            line = example.replace("https://api.example.com", server.url).replace("KEY", KEY)
            ran = run(*shlex.split(line)[1:])
            assert (ran.exit_code, ran.stdout) == (0, '{\n  "a": 1\n}\n'), ran.stderr
    second, third = server.received[1].request, tmp_path / "models.serialize"
    assert second.args == {"prompt": "地球", "max_tokens": 200}
    assert decode(third.read_bytes(), "serialize").response == {"a": 1}


def test_a_call_shows_its_verdict_and_its_payload() -> None:
    answer = Envelope.ok(["地球", "\x1b[2J\u202e"], request_id="1.6403f86cd67f6")
    with serving(says(answer)) as server:
        ran = run("call", server.url, "--key", KEY, "--param", "page=2", "--lang", "ru", "--api-name", "item_get")
    assert (ran.exit_code, ran.stdout) == (0, '[\n  "地球",\n  "\\u001b[2J\\u202e"\n]\n')
    assert ran.stderr == "ok: 0000 · HTTP 200 · charged · 1.6403f86cd67f6\n"
    request = server.received[0].request
    assert (request.params, request.lang, request.api_name, request.method) == ({"page": "2"}, "ru", "item_get", "")


def test_a_failure_has_its_own_exit_status() -> None:
    with serving(says(Envelope.fail("4008", error="API rate limit exceeded", reason="slow\x1b"), status=429)) as server:
        ran = run("call", server.url, "v1/models", "--key", KEY)
    assert (ran.exit_code, ran.stdout) == (1, "[]\n")
    shown = "4008 API rate limit exceeded · slow\\x1b · HTTP 429 · ignored · may succeed later"
    assert ran.stderr == f"failed (gateway): {shown}\n"


def test_no_envelope_is_a_failure_too() -> None:
    with serving(lambda _: [http(200, b"<p>")]) as server:
        ran = run("call", server.url, "--key", KEY)
    assert (ran.exit_code, ran.stdout) == (1, "")
    assert ran.stderr.startswith("failed: http: no-envelope")
    ran = run("call", dead(), "--key", KEY)
    assert (ran.exit_code, ran.stderr.startswith("failed: http: unreachable")) == (1, True)


def test_an_answer_that_cannot_be_saved_is_still_shown(tmp_path: Path) -> None:
    with serving(gateway({"a": 1})) as server:
        ran = run("call", server.url, "--key", KEY, "--save", str(tmp_path / "nowhere" / "answer"))
    assert (ran.exit_code, ran.stdout) == (1, '{\n  "a": 1\n}\n')
    assert "cannot write" in ran.stderr


@pytest.mark.parametrize("name", ResultType)
def test_a_body_is_saved_as_a_fixture(name: ResultType, tmp_path: Path) -> None:
    answer = Envelope.ok({"a": [1]}, request_id="1.6403f86cd67f6", last_id="1593583206")
    path = tmp_path / f"answer{FORMATS[name].suffix}"
    with serving(says(answer)) as server:
        assert run("call", server.url, "--key", KEY, "--result-type", str(name), "--save", str(path)).exit_code == 0
    assert path.read_bytes() == encode(answer, name)
    assert check_body(path.name, path.read_bytes()) == []


def test_a_payload_is_shown_even_if_its_body_cannot_be_saved(tmp_path: Path) -> None:
    with serving(says(Envelope.ok({"a": [1]}))) as server:
        ran = run("call", server.url, "--key", KEY, "--save", str(tmp_path / "nowhere" / "answer.json"))
    assert (ran.exit_code, decode(b'{"response": %s}' % ran.stdout.encode(), "json").response) == (1, {"a": [1]})
    assert "cannot write" in ran.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["https://a.example"],
        ["ftp://a.example", "--key", "k"],
        ["https://a.example", "--key", "k", "--arg", "prompt"],
        ["https://a.example", "--key", "k", "--param", "=x"],
        ["https://a.example", "--key", "k", "--param", "\udcff=x"],
        ["https://a.example", "--key", "k", "--param", "a b=x"],
        ["https://a.example", "--key", "k", "--result-type", "yaml"],
        ["https://a.example", "--key", "k", "--api-name", "../x"],
    ],
)
def test_a_call_that_cannot_be_made_is_a_usage_error(arguments: list[str]) -> None:
    ran = run("call", *arguments)
    assert (ran.exit_code, ran.stdout) == (2, "")
    assert "Error" in ran.stderr


def test_without_the_extra_it_says_what_installs_it_and_asks_for_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ENVELOPE_SECRET")
    monkeypatch.setitem(sys.modules, "httpx2", None)
    ran = run("call", "https://a.example", "--key", KEY)
    assert (ran.exit_code, ran.stdout) == (2, "")
    assert ran.stderr.endswith("Error: envelope call needs httpx2: pip install 'envelope-engine[client]'\n")


def test_the_secret_is_asked_for_and_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ENVELOPE_SECRET")
    with serving(gateway([])) as server:
        ran = run("call", server.url, "v1/models", "--key", KEY, data=f"{SECRET}\n".encode())
    assert (ran.exit_code, ran.stdout) == (0, "[]\n")
    assert SECRET not in ran.output
    assert SECRET not in str(server.received)
