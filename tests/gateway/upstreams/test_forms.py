"""Files are sent as they are, from their beginning in each attempt, and never as a whole in memory."""

from __future__ import annotations

import asyncio
import hashlib
import resource
import sys
import tempfile
from typing import Any, BinaryIO, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envelope import RequestError
from envelope.adapters.multipart import Form, MultipartReader
from envelope.calls import Upload, parse_query
from envelope.gateway.demo import DemoUpstream, demo_upstream
from envelope.gateway.upstreams import Outcome, UpstreamCall, Upstreams
from envelope.gateway.upstreams.forms import FormBody
from envelope.gateway.upstreams.methods import Ask
from tests.gateway.calls import KEY, upload, upstream, with_demo


def sent(fields: list[tuple[str, str]], *files: Upload) -> tuple[FormBody, bytes]:
    async def gathered(body: FormBody) -> bytes:
        return b"".join([chunk async for chunk in body.chunks(lambda: None)])

    body = FormBody(Ask(verb="POST", path="x", fields=tuple(fields), files=files))
    return body, asyncio.run(gathered(body))


def read(body: FormBody, data: bytes) -> Form:
    reader = MultipartReader(body.content_type)
    reader.feed(data)
    return reader.finish()


NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0[]. "), min_size=1, max_size=8)


@given(
    st.dictionaries(
        st.from_regex(r"[a-z_]{1,8}", fullmatch=True), st.text(st.characters(codec="utf-8"), max_size=30), max_size=3
    ),
    st.lists(st.binary(max_size=50), max_size=3),
)
def test_a_form_is_read_as_it_was_meant(fields: dict[str, str], files: list[bytes]) -> None:
    body, data = sent(list(fields.items()), *(upload(content, f"f{index}") for index, content in enumerate(files)))
    assert len(data) == body.length
    form = read(body, data)
    assert parse_query(form.body) == fields
    assert [(file.name, file.file.read(), file.content_type) for file in form.files] == [
        (f"f{index}", content, "audio/mpeg") for index, content in enumerate(files)
    ]
    for file in form.files:
        file.file.close()


TEXTS = st.text(st.characters(codec="utf-8"), max_size=300) | st.sampled_from(
    ['a"; filename="b', "a\r\nX: y", "../../etc/passwd", "C:\\a\\b.wav"]
)


@given(TEXTS, TEXTS, TEXTS)
def test_no_name_or_type_adds_a_header_or_a_path(name: str, filename: str, content_type: str) -> None:
    _, data = sent([], upload(b"content", name, filename, content_type))
    head, _, rest = data.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert len(lines) == 3
    assert [line.split(b":")[0] for line in lines[1:]] == [b"Content-Disposition", b"Content-Type"]
    assert lines[1].count(b'"') == 4
    shown = lines[1].rpartition(b'filename="')[2]
    assert b"/" not in shown
    assert b"\\" not in shown
    assert rest.startswith(b"content\r\n--")


@pytest.mark.parametrize(
    ("fields", "files"),
    [
        ([("a", "\ud800")], []),
        ([("\ud800", "a")], []),
        ([], [upload(b"", "\ud800")]),
        ([], [upload(b"", "a", "\ud800")]),
    ],
)
def test_what_has_no_utf8_is_refused(fields: Any, files: Any) -> None:
    with pytest.raises(RequestError) as caught:
        sent(fields, *files)
    assert caught.value.code == "4003"


TRANSCRIBE: Any = {"method": "v1/audio/transcriptions", "args": {"model": "whisper-1"}}


def test_each_attempt_sends_the_whole_file() -> None:
    data = bytes(range(256)) * 2000

    async def story(demo: DemoUpstream, upstreams: Upstreams) -> Outcome:
        call = UpstreamCall(method="v1/audio/transcriptions", args={"model": "fault-500-once"}, files=(upload(data),))
        return await upstreams.ask(call, seconds=30)

    outcome = with_demo(story)
    assert [attempt.what for attempt in outcome.attempts] == ["status", "answer"]
    assert outcome.response["text"] == f"{len(data)} bytes, {hashlib.sha256(data).hexdigest()[:12]}"


def test_an_upstream_that_answers_before_the_file_is_sent() -> None:
    async def story(demo: DemoUpstream, upstreams: Upstreams) -> list[str]:
        large = UpstreamCall(**TRANSCRIBE, files=(upload(bytes(80_000_000)),))  # the demo reads 64 MiB and refuses
        small = UpstreamCall(**TRANSCRIBE, files=(upload(b"x"),))
        return [(await upstreams.ask(call, seconds=30)).code for call in (large, small)]

    assert with_demo(story, retries=0)[1] == "0000"


def test_an_upload_is_not_silence() -> None:
    """While some of the body is being sent, the time until the first byte begins again."""

    async def story() -> Outcome:
        async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            # Much slower than the first byte of the answer may be.
            received = 0
            while received < 9_000_000:
                received += len(await reader.read(150_000))
                await asyncio.sleep(0.03)
            writer.write(
                b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 7\r\nConnection: close\r\n\r\n{"a":1}'
            )
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(trickle, "127.0.0.1", 0, limit=1000)
        async with server:
            address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            async with Upstreams([upstream("a", address, first_byte=1.0, total=30)], retries=0) as upstreams:
                return await upstreams.ask(UpstreamCall(**TRANSCRIBE, files=(upload(bytes(12_000_000)),)), seconds=30)

    outcome = asyncio.run(story())
    assert outcome.attempts[0].seconds > 1.0
    assert outcome.code == "0000"


@pytest.mark.memory
@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in KiB on Linux")
def test_a_large_file_is_not_in_memory() -> None:
    async def story() -> tuple[str, int]:
        size = 48 * 1024 * 1024
        with tempfile.TemporaryFile() as file:
            file.truncate(size)
            async with demo_upstream(key=KEY) as demo, Upstreams([demo.settings(first_byte=30)]) as upstreams:

                async def once() -> str:
                    call = UpstreamCall(
                        **TRANSCRIBE, files=(Upload(name="file", size=size, file=cast(BinaryIO, file)),)
                    )
                    return (await upstreams.ask(call, seconds=60)).code

                await upstreams.ask(UpstreamCall(**TRANSCRIBE, files=(upload(bytes(100_000)),)), seconds=60)
                before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
                code = await once()
                return code, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before

    code, grown = asyncio.run(story())
    assert code == "0000"
    assert grown < 12 * 1024
