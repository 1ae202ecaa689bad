"""The official packages of OpenAI and LangChain against a gateway: what they are answered, and which error they raise."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from typing import Any

import pytest

openai = pytest.importorskip("openai")
langchain = pytest.importorskip("langchain_openai")

from tests.gateway.served import SECRET, Served, served  # noqa: E402

TEXT = "hello " * 38
SAID = f"You said: {TEXT}"
USER: Any = [{"role": "user", "content": TEXT}]
MODEL = "gpt-4o-mini"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("openai")
    with served(folder, times={"stall": 1.0, "first_byte": 2.0}, receipts=True) as world:
        yield world


@pytest.fixture(scope="module")
def client(world: Served) -> Iterator[Any]:
    with new_client(world) as client:
        yield client


def new_client(world: Served, api_key: str = f"demo.{SECRET}", **options: Any) -> Any:
    return openai.OpenAI(base_url=f"{world.address}/v1", api_key=api_key, **{"max_retries": 0, **options})


def test_chat(world: Served, client: Any) -> None:
    raw = client.chat.completions.with_raw_response.create(model=MODEL, messages=USER, max_tokens=100)
    chat = raw.parse()
    assert chat.choices[0].message.content == SAID
    assert (chat.usage.prompt_tokens, chat.usage.completion_tokens) == (57, 60)
    [record] = [row for row in world.records() if row.request_id == raw.headers["x-request-id"]]
    receipt = json.loads(raw.headers["x-receipt"])
    assert (receipt["last_id"], receipt["charge"]) == (str(record.id), record.charge) == (str(record.id), 277)
    assert (record.api_name, record.method, record.model) == ("custom", "v1/chat/completions", MODEL)


def test_a_chat_as_a_stream(client: Any) -> None:
    stream = client.chat.completions.create(model=MODEL, messages=USER, max_tokens=100, stream=True)
    chunks = list(stream)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == SAID
    assert all(chunk.usage is None for chunk in chunks)
    told = client.chat.completions.create(
        model=MODEL, messages=USER, max_tokens=100, stream=True, stream_options={"include_usage": True}
    )
    assert [chunk.usage.total_tokens for chunk in told if chunk.usage] == [117]


def test_completions(client: Any) -> None:
    whole = client.completions.create(model=MODEL, prompt=TEXT, max_tokens=100)
    assert whole.choices[0].text == SAID
    stream = client.completions.create(model=MODEL, prompt=TEXT, max_tokens=100, stream=True)
    assert "".join(chunk.choices[0].text for chunk in stream) == SAID


def test_embeddings(client: Any) -> None:
    as_floats = client.embeddings.create(model="text-embedding-3-small", input=["a", "b"], encoding_format="float")
    as_bytes = client.embeddings.create(model="text-embedding-3-small", input=["a", "b"])  # base64, on the wire
    assert [row.embedding for row in as_floats.data] == [row.embedding for row in as_bytes.data]


def test_images(client: Any) -> None:
    made = client.images.generate(prompt="地球", n=2, response_format="b64_json")
    assert len({row.b64_json for row in made.data}) == 2
    edited = client.images.edit(image=("a.png", b"\x89PNG", "image/png"), prompt="a sun")
    assert edited.data[0].url.endswith(".png")


def test_audio(client: Any) -> None:
    upload = ("a.mp3", b"x" * 2000, "audio/mpeg")
    assert client.audio.transcriptions.create(model="whisper-1", file=upload).text.startswith("2000 bytes")
    text = client.audio.transcriptions.create(model="whisper-1", file=upload, response_format="text")
    assert text.startswith("2000 bytes")
    with pytest.warns(DeprecationWarning, match="deprecated"):
        translated = client.audio.translations.create(model="whisper-1", file=upload)
    assert translated.text.startswith("2000 bytes")
    speech = client.audio.speech.create(model="tts-1", voice="alloy", input="hello")
    assert struct.unpack("<4sI4s", speech.content[:12]) == (b"RIFF", len(speech.content) - 8, b"WAVE")


def test_files(client: Any) -> None:
    made = client.files.create(file=("a.jsonl", b"{}\n" * 100), purpose="fine-tune")
    assert (made.bytes, made.filename) == (300, "a.jsonl")
    assert made.id in [row.id for row in client.files.list()]


def test_models_and_moderations(client: Any) -> None:
    assert MODEL in [model.id for model in client.models.list()]
    assert [row.flagged for row in client.moderations.create(input=["hello", "kill"]).results] == [False, True]


def test_an_async_client(world: Served) -> None:
    async def story() -> str:
        async with openai.AsyncOpenAI(base_url=f"{world.address}/v1", api_key=f"demo.{SECRET}") as client:
            stream = await client.chat.completions.create(model=MODEL, messages=USER, stream=True)
            return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

    assert world.run(story()) == SAID


@pytest.mark.parametrize("api_key", ["demo", "demo.wrong", f"none.{SECRET}", f".{SECRET}", "demo."])
def test_a_wrong_api_key(world: Served, api_key: str) -> None:
    with new_client(world, api_key) as client, pytest.raises(openai.AuthenticationError) as caught:
        client.models.list()
    assert (caught.value.status_code, caught.value.code) == (401, "invalid_api_key")
    assert caught.value.request_id


def test_what_the_books_refuse(world: Served) -> None:
    world.account("openai-poor", units=10)
    world.account("openai-none", api=None)
    world.account("openai-used", quota=0)
    wanted: list[tuple[str, type[Exception], str]] = [
        ("openai-poor", openai.RateLimitError, "insufficient_quota"),
        ("openai-none", openai.PermissionDeniedError, "api_not_granted"),
        ("openai-used", openai.RateLimitError, "insufficient_quota"),
    ]
    for name, error, code in wanted:
        with new_client(world, f"{name}.{SECRET}", max_retries=2) as client, pytest.raises(error) as caught:
            client.chat.completions.create(model=MODEL, messages=USER)
        assert (caught.value.code, caught.value.type in ("insufficient_quota", "permission_error")) == (code, True)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("model", "error", "code"),
    [
        ("fault-404", openai.NotFoundError, "model_not_found"),
        ("fault-context-length", openai.BadRequestError, "context_length_exceeded"),
        ("fault-content-filter", openai.BadRequestError, "content_filter"),
        ("fault-429", openai.RateLimitError, "rate_limit_exceeded"),
        ("fault-401", openai.InternalServerError, "upstream_error"),
        ("fault-503", openai.InternalServerError, "upstream_error"),
        ("fault-reset", openai.InternalServerError, "upstream_unreachable"),
        ("fault-silent", openai.InternalServerError, "timeout"),
        ("fault-error-in-200", openai.InternalServerError, None),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_what_upstreams_do_wrong(client: Any, model: str, error: Any, code: str | None, stream: bool) -> None:
    with pytest.raises(error) as caught:
        client.chat.completions.create(model=model, messages=USER, stream=stream)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("model", "code", "came"),
    [
        ("fault-cut", "upstream_unreachable", 40),
        ("fault-stall", "timeout", 30),
        ("fault-bad-chunk", "upstream_error", 30),
        ("fault-no-done", "upstream_unreachable", 62),
        ("fault-error-event", None, 30),
    ],
)
def test_a_stream_that_fails_raises_after_what_came(
    world: Served, client: Any, model: str, code: str, came: int
) -> None:
    chunks = []
    with pytest.raises(openai.APIError) as caught:  # noqa: PT012
        for chunk in client.chat.completions.create(model=model, messages=USER, stream=True):
            chunks.append(chunk)  # noqa: PERF402
    assert caught.value.code == code
    assert len(chunks) >= came
    assert "127.0.0.1" not in str(caught.value.body)
    assert world.records()[0].charge == 0


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/v1/chat/completions", b"{", 400, "invalid_value"),
        ("/v1/chat/completions", b"[]", 400, "invalid_value"),
        ("/v1/models/gpt-3.5-turbo", None, 404, "unknown_url"),
        ("/v1/../admin", None, 404, "unknown_url"),
        ("/v1/a%2f..%2fb", None, 404, "unknown_url"),
    ],
)
def test_a_call_that_is_none(world: Served, path: str, body: bytes | None, status: int, code: str) -> None:
    headers = {"Authorization": f"Bearer demo.{SECRET}", "Content-Type": "application/json"}
    got = world.send("GET" if body is None else "POST", path, body, headers)
    assert (got.status, json.loads(got.body)["error"]["code"]) == (status, code)


def test_another_verb(world: Served) -> None:
    got = world.send("DELETE", "/v1/files/x", headers={"Authorization": f"Bearer demo.{SECRET}"})
    assert (got.status, got.headers["allow"]) == (405, "GET, POST, OPTIONS")
    assert world.send("OPTIONS", "/v1/models").status == 204


def test_a_large_body_of_nobody_is_not_read(world: Served) -> None:
    got = world.send("POST", "/v1/files", b"x" * 200_000, {"Authorization": "Bearer x.y", "Content-Type": "text/plain"})
    assert got.status == 401


def test_an_idempotency_key(world: Served, client: Any) -> None:
    calls = len(world.records())
    headers = {"Idempotency-Key": "openai-1"}
    first, second = (
        client.chat.completions.create(model=MODEL, messages=USER, extra_headers=headers) for _ in range(2)
    )
    assert first.id == second.id
    assert len(world.records()) == calls + 1
    with pytest.raises(openai.BadRequestError):
        client.chat.completions.create(model=MODEL, messages=USER, n=2, extra_headers=headers)


def test_nothing_is_answered_from_the_cache(client: Any) -> None:
    first, second = (client.chat.completions.create(model=MODEL, messages=USER) for _ in range(2))
    assert first.id != second.id


def test_langchain(world: Served) -> None:
    chat = langchain.ChatOpenAI(model=MODEL, base_url=f"{world.address}/v1", api_key=f"demo.{SECRET}", max_retries=0)
    assert chat.invoke(TEXT).content == SAID
    chunks = list(chat.stream(TEXT))
    assert "".join(str(chunk.content) for chunk in chunks) == SAID
    broken = chat.model_copy(update={"model_name": "fault-cut"})
    with pytest.raises(openai.APIError):
        list(broken.stream(TEXT))
    embed = langchain.OpenAIEmbeddings(
        model="text-embedding-3-small",
        base_url=f"{world.address}/v1",
        api_key=f"demo.{SECRET}",
        check_embedding_ctx_length=False,
    )
    assert len(embed.embed_documents(["a", "b"])) == 2
