"""What the demo answers to each method: functions of the request alone, but for ids and the clock."""

from __future__ import annotations

import hashlib
import struct
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from envelope.gateway.demo.asked import Asked, DemoError, digest_of_file
from envelope.gateway.demo.pictures import png
from envelope.gateway.demo.texts import (
    ERROR_SAMPLE,
    ERROR_SAMPLE_MODEL,
    SAMPLE,
    SAMPLE_MODEL,
    SAMPLE_PROMPT,
    completion,
    tokens,
)

__all__ = ["ANSWERS", "Answer", "World"]

_MODELS: Final = (
    "text-davinci-003", "gpt-3.5-turbo", "gpt-4o-mini", "text-embedding-3-small", "dall-e-2", "whisper-1",
)  # fmt: skip
_MAX_FILES: Final = 1000
_MOST_TOKENS: Final = 1_000_000


@dataclass(slots=True)
class World:
    """What is not in a request: the clock, in seconds, new ids by their prefix, and the files uploaded so far."""

    clock: Callable[[], int]
    new_id: Callable[[str], str]
    files: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Answer:
    """A success: JSON, or bytes of another type; and the tokens it took."""

    value: Any
    prompt_tokens: int = 0
    completion_tokens: int = 0
    content_type: str = "application/json"


def _models(_asked: Asked, _world: World) -> Answer:
    rows = [{"id": name, "object": "model", "created": 1_677_610_602, "owned_by": "demo"} for name in _MODELS]
    return Answer({"object": "list", "data": rows})


def _completions(asked: Asked, world: World) -> Answer:
    model = asked.model or SAMPLE_MODEL
    prompt = _text(asked.needed("prompt"), "prompt")
    if model == SAMPLE_MODEL and prompt == SAMPLE_PROMPT:
        usage = SAMPLE["usage"]
        value = {**SAMPLE, "id": world.new_id("cmpl"), "created": world.clock()}
        return Answer(value, usage["prompt_tokens"], usage["completion_tokens"])
    return _said(
        asked,
        prompt,
        lambda index, text, why: {"text": text, "index": index, "logprobs": None, "finish_reason": why},
        {"id": world.new_id("cmpl"), "object": "text_completion", "created": world.clock(), "model": model},
    )


def _chat(asked: Asked, world: World) -> Answer:
    messages = asked.needed("messages")
    if not isinstance(messages, list) or not messages or not isinstance(messages[-1], dict):
        raise DemoError(400, "messages is a list of maps, and not empty", param="messages")
    parts = [_content(message) for message in messages if isinstance(message, dict)]
    model = asked.model or "gpt-3.5-turbo"
    return _said(
        asked,
        parts[-1],
        lambda index, text, why: {
            "index": index,
            "message": {"role": "assistant", "content": text},
            "logprobs": None,
            "finish_reason": why,
        },
        {"id": world.new_id("chatcmpl"), "object": "chat.completion", "created": world.clock(), "model": model},
        prompt_tokens=sum(map(tokens, parts)),
    )


def _edits(asked: Asked, world: World) -> Answer:
    text = f"{_text(asked.args.get('input', ''), 'input')} ({_text(asked.needed('instruction'), 'instruction')})"
    head = {"object": "edit", "created": world.clock()}
    return _said(asked, text, lambda index, text, _: {"text": text, "index": index}, head)


def _said(
    asked: Asked,
    prompt: str,
    choice: Callable[[int, str, str], dict[str, Any]],
    head: dict[str, Any],
    *,
    prompt_tokens: int | None = None,
) -> Answer:
    """The answer in words to *prompt*, ``n`` times."""
    most = asked.count("max_tokens", asked.count("max_completion_tokens", _MOST_TOKENS, _MOST_TOKENS), _MOST_TOKENS)
    text, why = completion(prompt, most)
    count = asked.count("n", 1, 128)
    took = tokens(prompt) if prompt_tokens is None else prompt_tokens
    made = count * tokens(text)
    usage = {"prompt_tokens": took, "completion_tokens": made, "total_tokens": took + made}
    choices = [choice(index, text, why) for index in range(count)]
    return Answer({**head, "choices": choices, "usage": usage}, took, made)


def _embeddings(asked: Asked, _world: World) -> Answer:
    inputs = asked.needed("input")
    if not isinstance(inputs, list) or (inputs and all(type(item) is int for item in inputs)):
        inputs = [inputs]
    size = asked.count("dimensions", 16, 3072)
    rows = []
    for index, item in enumerate(inputs):
        numbers = _numbers(str(item), size)
        vector: Any = numbers
        if asked.args.get("encoding_format") == "base64":  # of little-endian floats, as OpenAI's own client asks
            vector = b64encode(struct.pack(f"<{size}f", *numbers)).decode()
        rows.append({"object": "embedding", "index": index, "embedding": vector})
    took = sum(len(item) if isinstance(item, list) else tokens(str(item)) for item in inputs)
    usage = {"prompt_tokens": took, "total_tokens": took}
    model = asked.model or "text-embedding-3-small"
    return Answer({"object": "list", "data": rows, "model": model, "usage": usage}, took)


def _numbers(text: str, size: int) -> list[float]:
    """*size* numbers from -1 to 1 that depend on *text*, exact as 32-bit floats."""
    raw = hashlib.shake_128(text.encode()).digest(2 * size)
    return [number / 32768 for number in struct.unpack(f"<{size}h", raw)]


def _images(asked: Asked, world: World) -> Answer:
    if asked.method.endswith("generations"):
        asked.needed("prompt")
    else:
        asked.file("image")
    count = asked.count("n", 1, 10)
    names = [hashlib.sha256(asked.digest() + bytes([index])).digest() for index in range(count)]
    if asked.args.get("response_format") == "b64_json":
        rows = [{"b64_json": b64encode(png(name)).decode()} for name in names]
    else:
        rows = [{"url": f"{asked.address}/_images/{name.hex()}.png"} for name in names]
    return Answer({"created": world.clock(), "data": rows})


def _transcriptions(asked: Asked, _world: World) -> Answer:
    upload = asked.file("file")
    text = f"{upload.size} bytes, {digest_of_file(upload).hex()[:12]}"
    took, made = -(-upload.size // 1000), tokens(text)
    format = asked.args.get("response_format", "json")
    if format in ("text", "srt", "vtt"):
        lines = {"text": f"{text}\n", "srt": f"1\n00:00:00,000 --> 00:00:01,000\n{text}\n"}
        body = lines.get(format, f"WEBVTT\n\n00:00.000 --> 00:01.000\n{text}\n")
        return Answer(body.encode(), took, made, "text/plain; charset=utf-8")
    usage = {"type": "tokens", "input_tokens": took, "output_tokens": made, "total_tokens": took + made}
    return Answer({"text": text, "usage": usage}, took, made)


def _moderations(asked: Asked, world: World) -> Answer:
    inputs = asked.needed("input")
    flags = ["kill" in str(item) for item in (inputs if isinstance(inputs, list) else [inputs])]
    rows = [
        {"flagged": flag, "categories": {"violence": flag}, "category_scores": {"violence": float(flag)}}
        for flag in flags
    ]
    return Answer({"id": world.new_id("modr"), "model": asked.model or "omni-moderation-latest", "results": rows})


def _speech(asked: Asked, _world: World) -> Answer:
    """A tenth of a second of a tone, as WAV."""
    pitch = 20 + tokens(_text(asked.needed("input"), "input")) % 40
    samples = bytes(192 if step // pitch % 2 else 64 for step in range(800))
    head = struct.pack(
        "<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + 800, b"WAVE", b"fmt ", 16, 1, 1, 8000, 8000, 1, 8, b"data", 800
    )
    return Answer(head + samples, content_type="audio/wav")


def _files(asked: Asked, world: World) -> Answer:
    if asked.verb == "GET":
        return Answer({"object": "list", "data": list(world.files), "has_more": False})
    upload = asked.file("file")
    row = {
        "id": world.new_id("file"),
        "object": "file",
        "bytes": upload.size,
        "created_at": world.clock(),
        "filename": upload.filename,
        "purpose": _text(asked.needed("purpose"), "purpose"),
        "status": "processed",
    }
    if len(world.files) < _MAX_FILES:
        world.files.append(row)
    return Answer(row)


def _text(value: Any, name: str) -> str:
    if isinstance(value, list) and value and isinstance(value[0], str):
        value = value[0]
    if not isinstance(value, str):
        raise DemoError(400, f"{name} is a text", param=name)
    return value


def _content(message: dict[str, Any]) -> str:
    """The text of a chat's message, which may be in parts."""
    content = message.get("content")
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


def answer(asked: Asked, world: World) -> Answer:
    """The answer to *asked*; `DemoError` if there is none."""
    if asked.model == ERROR_SAMPLE_MODEL:
        error = DemoError(429, "")
        error.error = ERROR_SAMPLE
        raise error
    found = ANSWERS.get(asked.method)
    if found is None or asked.verb not in found[0]:
        raise DemoError(404, f"Unknown request URL: {asked.verb} /{asked.method}", code="unknown_url")
    return found[1](asked, world)


ANSWERS: Final[Mapping[str, tuple[tuple[str, ...], Callable[[Asked, World], Answer]]]] = {
    "v1/models": (("GET",), _models),
    "v1/completions": (("POST",), _completions),
    "v1/chat/completions": (("POST",), _chat),
    "v1/edits": (("POST",), _edits),
    "v1/images/generations": (("POST",), _images),
    "v1/images/edits": (("POST",), _images),
    "v1/images/variations": (("POST",), _images),
    "v1/embeddings": (("POST",), _embeddings),
    "v1/audio/transcriptions": (("POST",), _transcriptions),
    "v1/audio/translations": (("POST",), _transcriptions),
    "v1/audio/speech": (("POST",), _speech),
    "v1/moderations": (("POST",), _moderations),
    "v1/files": (("GET", "POST"), _files),
}
"""Each method's verbs, and what answers it."""
