"""Real clients against a real server on this machine: curl, PHP as the gateway's documents use it, and fetch of Node."""

from __future__ import annotations

import http.client
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from envelope.answers.envelope import Envelope
from envelope.testing import php
from tests.adapters.gateway_app import ENGINE

pytest.importorskip("uvicorn")

ROOT = Path(__file__).parent.parent.parent


@contextmanager
def served(app: str) -> Iterator[str]:
    """The address of a uvicorn process that serves *app*; it is ended by its own handle."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        command = [sys.executable, "-m", "uvicorn", app, "--fd", str(listening.fileno()), "--log-level", "warning"]
        server = subprocess.Popen(command, cwd=ROOT, pass_fds=[listening.fileno()], stderr=subprocess.DEVNULL)
        try:
            # Calls wait in the socket until it serves them.
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.terminate()
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait(10)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with served("tests.adapters.gateway_app:APP") as url:
        yield url


def run(*command: str, stdin: bytes = b"") -> bytes:
    done = subprocess.run(command, input=stdin, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def curl(*arguments: str, stdin: bytes = b"") -> tuple[str, str, bytes]:
    """The status, the content type and the body that curl got."""
    if shutil.which("curl") is None:
        pytest.skip("no curl on this machine")
    out = run("curl", "-sS", "--max-time", "30", "-w", "\n%{http_code} %{content_type}", *arguments, stdin=stdin)
    body, _, tail = out.rpartition(b"\n")
    status, _, content_type = tail.decode().partition(" ")
    return status, content_type, body


ACCOUNT = "key=mine&secret=s3cret"
EXPECTED = {"method": "v1/completions", "params": {"q": "连衣裙"}, "args": {"n": 1}, "files": []}


@pytest.mark.parametrize(
    ("query", "arguments", "files"),
    [
        ("", ["-G", "--data-urlencode", "method=v1/completions", "--data-urlencode", "q=连衣裙", "--data-urlencode", '_o_args={"n":1}'], []),
        ("", ["-H", "Content-Type: application/json", "-d", '{"method":"v1/completions","q":"连衣裙","_o_args":{"n":1}}'], []),
        ("", ["-H", "Content-Type: application/json", "-H", "Transfer-Encoding: chunked", "-d", '{"method":"v1/completions","q":"连衣裙","_o_args":{"n":1}}'], []),
        ("", ["--data-urlencode", "method=v1/completions", "--data-urlencode", "q=连衣裙", "--data-urlencode", '_o_args={"n":1}'], []),
        ("", ["-F", "method=v1/completions", "-F", "q=连衣裙", "-F", '_o_args={"n":1}', "-F", "image=@-;filename=a.txt"], [["a.txt", "abc"]]),
    ],
    ids=["GET", "POST JSON", "POST JSON chunked", "POST form", "multipart"],
)  # fmt: skip
def test_curl_in_every_carrier(address: str, query: str, arguments: list[str], files: list[Any]) -> None:
    url = f"{address}/openai/custom/?{ACCOUNT}&result_type=xml"
    status, content_type, body = curl(*arguments, url, stdin=b"abc")
    assert (status, content_type) == ("200", "application/xml; charset=utf-8")
    assert ENGINE.parse(body, content_type).response == EXPECTED | {"files": files}


def test_curl_is_refused_in_its_format_and_language(address: str) -> None:
    url = f"{address}/openai/custom/?{ACCOUNT}&result_type=serialize&lang=en"
    for arguments, code in (
        (["-d", "a=" + "x" * 100_001], "4003"),
        (["-H", "Expect: 100-continue", "-d", "a=" + "x" * 100_001], "4003"),
        (["-X", "PUT", "-d", "a=1"], "4010"),
        (["-d", "secret=wrong"], "4005"),
        (["-H", "Content-Type: image/png", "-d", "x"], "4003"),
    ):
        status, content_type, body = curl(*arguments, url)
        answer = ENGINE.parse(body, content_type)
        assert (status, answer.error_code, content_type.split(";")[0]) == (
            "200",
            code,
            "application/vnd.php.serialized",
        )
    assert curl("-I", url)[2].lower().count(b"content-length") == 1


def test_an_answer_that_is_cut_never_looks_whole() -> None:
    with served("tests.adapters.gateway_app:HALF") as url, pytest.raises(http.client.IncompleteRead) as info:
        urlopen(url, timeout=30).read()
    assert info.value.partial == b"half"


CLIENT = r"""
[$self, $url, $secret] = $argv;
$call = ["key" => "mine", "api_name" => "custom", "dateline" => $argv[3], "method" => "v1/models", "q" => "连衣裙"];
$text = $secret;
ksort($call);
foreach ($call as $name => $value) {
    if (substr($value, 0, 1) != "@") $text .= $name . $value;
}
$call["sign"] = strtoupper(md5($text . $secret));
$call["lang"] = "ru";
$call["result_type"] = "serialize";
$options = ["http" => ["method" => "POST", "header" => "Content-Type: application/x-www-form-urlencoded", "content" => http_build_query($call)]];
$answer = unserialize(file_get_contents($url, false, stream_context_create($options)));
echo json_encode($answer);
"""


@pytest.mark.php
@pytest.mark.parametrize(("secret", "code"), [("s3cret", "0000"), ("wrong", "4005")])
def test_php_signs_posts_and_unserializes(address: str, secret: str, code: str) -> None:
    if why := php.missing():
        pytest.skip(why)
    now = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(time.time() + 8 * 3600))
    out = run("php", "-d", "display_errors=stderr", "-r", CLIENT.strip(), f"{address}/openai/api_call.php", secret, now)
    answer: Envelope[Any] = ENGINE.parse(out, "application/json")
    assert answer.error_code == code
    if code == "0000":
        assert answer.response["params"] == {"q": "连衣裙"}
    else:
        assert answer.reason.endswith(": sign")


FETCH = """
const answer = await fetch(process.argv[1], {method: "POST", body: JSON.stringify({method: "v1/models", q: "连衣裙"})});
console.log(JSON.stringify([answer.status, answer.headers.get("content-type"), await answer.json()]));
"""


def test_fetch_posts_json(address: str) -> None:
    if shutil.which("node") is None:
        pytest.skip("no node on this machine")
    out = run("node", "--input-type=module", "-e", FETCH, f"{address}/openai/custom/?{ACCOUNT}")
    assert b'[200,"application/json",{"response":{"method":"v1/models","params":{"q":' in out
