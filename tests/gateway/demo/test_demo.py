"""The demo answers as the documents' samples and OpenAI do, the same to the same request, and keeps a log."""

from __future__ import annotations

import asyncio
import base64
import struct
import subprocess
import zlib
from collections.abc import Sequence
from dataclasses import asdict
from importlib.resources import files
from typing import Any

import aiohttp
import orjson
import pytest

from envelope import RequestError
from envelope.calls import METHODS, Upload
from envelope.gateway.demo import DemoUpstream, Served, demo_upstream
from envelope.gateway.demo.pictures import png
from envelope.gateway.demo.texts import ERROR_SAMPLE_MODEL, SAMPLE_MODEL, SAMPLE_PROMPT
from envelope.gateway.upstreams import Outcome, UpstreamCall, Upstreams
from tests.gateway.calls import KEY, QUICK, completion, upload, with_demo

SAMPLES = orjson.loads((files("envelope.calls") / "samples.json").read_bytes())
ID, CREATED = "cmpl-6qY0bIoPXYs7nCMME3g9buaZcxbf6", 1677981805


def ask(method: str, args: dict[str, Any] | None = None, *uploads: Upload, **params: Any) -> Outcome:
    async def story(demo: DemoUpstream, upstreams: Upstreams) -> Outcome:
        return await upstreams.ask(UpstreamCall(method=method, args=args, params=params, files=uploads), seconds=30)

    return with_demo(story, retries=0)


async def raw(demo: DemoUpstream, path: str, data: bytes | None = None, key: str = KEY) -> tuple[int, str, bytes]:
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    async with (
        aiohttp.ClientSession() as session,
        session.request("GET" if data is None else "POST", demo.address + path, data=data, headers=headers) as response,
    ):
        return response.status, response.content_type, await response.read()


def fetch(path: str, data: bytes | None = None, key: str = KEY) -> tuple[int, str, bytes]:
    async def story(demo: DemoUpstream, _: Upstreams) -> tuple[int, str, bytes]:
        return await raw(demo, path, data, key)

    return with_demo(story)


@pytest.mark.php
def test_the_first_sample_comes_byte_for_byte_as_php_writes_it() -> None:
    async def story() -> bytes:
        async with demo_upstream(key=KEY, clock=lambda: CREATED, new_id=lambda prefix: ID) as demo:
            args = {"model": SAMPLE_MODEL, "prompt": SAMPLE_PROMPT}
            return (await raw(demo, "/v1/completions", orjson.dumps(args)))[2]

    body = asyncio.run(story())
    sample = SAMPLES["sample-success"]["response"]
    assert orjson.loads(body) == sample
    again = "echo json_encode(json_decode(stream_get_contents(STDIN), true));"
    assert body == subprocess.run(["php", "-r", again], input=body, capture_output=True, check=True).stdout


def test_the_first_sample_through_the_upstreams() -> None:
    outcome = ask("v1/completions", {"prompt": SAMPLE_PROMPT})
    sample = SAMPLES["sample-success"]["response"]
    assert {**outcome.response, "id": ID, "created": CREATED} == sample
    assert outcome.usage is not None
    assert asdict(outcome.usage) == {"prompt": 16, "completion": 43}


def test_the_second_sample_through_the_upstreams() -> None:
    outcome = ask("v1/completions", {"model": ERROR_SAMPLE_MODEL, "prompt": "x"})
    sample = SAMPLES["sample-upstream-error"]
    assert outcome.response == sample["response"]
    assert outcome.code == sample["error_code"]


GOOD: dict[str, tuple[dict[str, Any] | None, tuple[tuple[bytes, str], ...]]] = {
    "v1/models": (None, ()),
    "v1/completions": ({"prompt": "中国队什么时候进世界杯", "max_tokens": 200}, ()),
    "v1/chat/completions": ({"messages": [{"role": "user", "content": "hello"}]}, ()),
    "v1/edits": ({"input": "helo", "instruction": "fix it"}, ()),
    "v1/images/generations": ({"prompt": "地球", "n": 10}, ()),
    "v1/images/edits": ({"prompt": "a hat"}, ((png(bytes(32)), "image"),)),
    "v1/images/variations": ({}, ((png(bytes(32)), "image"),)),
    "v1/embeddings": ({"input": ["a", "b"]}, ()),
    "v1/audio/transcriptions": ({"model": "whisper-1"}, ((b"RIFF", "file"),)),
    "v1/files": ({"purpose": "fine-tune"}, ((b'{"prompt": ""}\n', "file"),)),
}


def test_all_of_the_documents_methods_are_there() -> None:
    assert {*GOOD} == {method for method in METHODS if method.startswith("v1/")}


@pytest.mark.parametrize("method", GOOD)
def test_the_same_request_has_the_same_answer(method: str) -> None:
    args, uploads = GOOD[method]

    async def once() -> Outcome:
        async with demo_upstream(clock=lambda: CREATED) as demo, Upstreams([demo.settings()]) as upstreams:
            sent = tuple(upload(data, name) for data, name in uploads)
            outcome = await upstreams.ask(UpstreamCall(method=method, args=args, files=sent), seconds=30)
            [served] = demo.served
            assert (served.method, served.status, served.is_whole) == (method, 200, True)
            if outcome.usage is not None:
                assert asdict(outcome.usage) == {"prompt": served.prompt_tokens, "completion": served.completion_tokens}
            text = repr(outcome.response).replace(demo.address, "")
            return Outcome(code=outcome.code, response=text, usage=outcome.usage)

    first, second = asyncio.run(once()), asyncio.run(once())
    assert first.code == "0000"
    assert first.response == second.response


def test_answers_can_be_counted() -> None:
    response = ask("v1/completions", {"prompt": "hello " * 100, "max_tokens": 7, "n": 3}).response
    assert [choice["finish_reason"] for choice in response["choices"]] == ["length"] * 3
    assert response["usage"] == {"prompt_tokens": 150, "completion_tokens": 21, "total_tokens": 171}


def chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    """The chunks of a PNG, whose checksums are right."""
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    found, at = [], 8
    while at < len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        content = data[at + 8 : at + 8 + size]
        assert struct.unpack_from(">I", data, at + 8 + size)[0] == zlib.crc32(kind + content)
        found.append((kind, content))
        at += 12 + size
    return found


def test_pictures_are_pngs_under_their_url_and_inside_the_answer() -> None:
    async def story(demo: DemoUpstream, upstreams: Upstreams) -> list[bytes]:
        pictures = []
        for format in ("url", "b64_json"):
            call = UpstreamCall(
                method="v1/images/generations", args={"prompt": "地球", "n": 2, "response_format": format}
            )
            for row in (await upstreams.ask(call, seconds=30)).response["data"]:
                if format == "url":
                    status, content_type, body = await raw(demo, row["url"].removeprefix(demo.address), key="")
                    assert (status, content_type) == (200, "image/png")
                    pictures.append(body)
                else:
                    pictures.append(base64.b64decode(row["b64_json"]))
        return pictures

    pictures = with_demo(story)
    assert len({*pictures}) == 4  # the format is an argument, too
    for picture in pictures:
        (head, size), (_, data), (end, _) = chunks(picture)
        assert (head, end) == (b"IHDR", b"IEND")
        width, height = struct.unpack_from(">II", size)
        assert len(zlib.decompress(data)) == height * (1 + 3 * width)


def test_embeddings_are_the_same_in_both_encodings() -> None:
    args = {"input": "地球", "dimensions": 5}
    [plain] = ask("v1/embeddings", args).response["data"]
    [packed] = ask("v1/embeddings", {**args, "encoding_format": "base64"}).response["data"]
    assert list(struct.unpack("<5f", base64.b64decode(packed["embedding"]))) == plain["embedding"]


@pytest.mark.parametrize("format", ["text", "srt", "vtt"])
def test_transcriptions_as_text(format: str) -> None:
    text = ask("v1/audio/transcriptions", {"response_format": format}, upload(b"RIFF")).response
    assert "4 bytes" in text


def test_speech_is_a_file() -> None:
    response = ask("v1/audio/speech", {"input": "hello"}).response
    assert response["content_type"] == "audio/wav"
    assert base64.b64decode(response["b64"]).startswith(b"RIFF")


def test_files_that_were_uploaded_are_listed() -> None:
    async def story(demo: DemoUpstream, upstreams: Upstreams) -> tuple[Any, Any]:
        call = UpstreamCall(
            method="v1/files", params={"purpose": "fine-tune"}, files=(upload(b"{}", filename="a.jsonl"),)
        )
        made = await upstreams.ask(call, seconds=30)
        return made.response, (await upstreams.ask(UpstreamCall(method="v1/files"), seconds=30)).response["data"]

    made, listed = with_demo(story)
    assert (made["bytes"], made["filename"]) == (2, "a.jsonl")
    assert listed == [made]


WRONG: list[tuple[str, bytes | None, int]] = [
    ("/v1/nonsense", None, 404),
    ("/v1/completions", None, 404),  # a GET
    ("/v1/models", b"{}", 404),
    ("/", None, 404),
    ("/v1/completions", b"{", 400),
    ("/v1/completions", b"[]", 400),
    ("/v1/completions", b"{}", 400),
    ("/v1/completions", b'{"prompt": 1}', 400),
    ("/v1/completions", b'{"prompt": "x", "n": 0}', 400),
    ("/v1/completions", b'{"prompt": "x", "n": "many"}', 400),
    ("/v1/chat/completions", b'{"messages": []}', 400),
    ("/v1/chat/completions", b'{"messages": [1, {"content": [{"text": "x"}, 1]}]}', 200),
    ("/v1/images/edits", b"{}", 400),
    ("/v1/embeddings", b'{"input": "x", "dimensions": 100000}', 400),
    ("/v1/embeddings", b'{"input": [1, 2, 3]}', 200),
    ("/_images/00.png", None, 404),
]


@pytest.mark.parametrize(("path", "data", "expected"), WRONG)
def test_what_is_wrong_is_refused_as_openai_does(path: str, data: bytes | None, expected: int) -> None:
    status, content_type, body = fetch(path, data)
    assert (status, content_type) == (expected, "application/json")
    if status != 200:
        assert {*orjson.loads(body)["error"]} == {"message", "type", "param", "code"}


@pytest.mark.parametrize("path", ["/v1/models", "/_log.json"])
@pytest.mark.parametrize("key", ["", "other", KEY + "x", "ключ"])
def test_the_key_is_checked(path: str, key: str) -> None:
    assert fetch(path, key=key)[0] == 401


def test_the_log_says_what_was_served() -> None:
    async def story(demo: DemoUpstream, upstreams: Upstreams) -> tuple[Any, Sequence[Served]]:
        for model in ("gpt-4o-mini", "fault-503", "fault-silent", "fault-cut"):
            await upstreams.ask(completion(model), seconds=30)
        return orjson.loads((await raw(demo, "/_log.json"))[2]), [*demo.served]

    shown, served = with_demo(story, QUICK, retries=0)
    assert shown == [asdict(row) for row in served]
    assert [(row.number, row.model, row.status, row.is_whole) for row in served] == [
        (1, "gpt-4o-mini", 200, True),
        (2, "fault-503", 503, True),
        (3, "fault-silent", 0, False),
        (4, "fault-cut", 200, False),
    ]
    assert [bool(row.completion_tokens) for row in served] == [True, False, False, False]


def test_no_caller_of_a_gateway_reaches_the_log() -> None:
    for method in ("_log", "_log.json"):
        try:
            assert ask(method).status == 404
        except RequestError as error:
            assert error.code == "4010"
