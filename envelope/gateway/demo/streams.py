"""The demo's answers as streams of events, as OpenAI sends them: a token each, the usage if asked for, ``[DONE]``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import orjson

from envelope.gateway.demo.answers import Answer
from envelope.gateway.demo.asked import Asked
from envelope.gateway.demo.texts import pieces

__all__ = ["events", "is_stream"]

_METHODS: Final = ("v1/chat/completions", "v1/completions")


def is_stream(asked: Asked) -> bool:
    """Whether the answer is to be a stream."""
    return asked.method in _METHODS and asked.args.get("stream") in (True, 1, "1", "true")


def events(asked: Asked, answer: Answer) -> Iterator[bytes]:
    """The events that stand for *answer*."""
    whole = answer.value
    is_chat = asked.method == "v1/chat/completions"
    head = {name: whole[name] for name in ("id", "object", "created", "model")}
    if is_chat:
        head["object"] = "chat.completion.chunk"
    options = asked.args.get("stream_options")
    with_usage = isinstance(options, dict) and options.get("include_usage") is True
    not_yet = {"usage": None} if with_usage else {}
    for choice in _choices(whole["choices"], is_chat=is_chat):
        yield _event({**head, "choices": [choice], **not_yet})
    if with_usage:
        yield _event({**head, "choices": [], "usage": whole["usage"]})
    yield b"data: [DONE]\n\n"


def _event(chunk: dict[str, Any]) -> bytes:
    return b"data: %b\n\n" % orjson.dumps(chunk)


def _choices(whole: list[dict[str, Any]], *, is_chat: bool) -> Iterator[dict[str, Any]]:
    """The choices of each event: a token of one of them, and at its end why it ends."""
    for choice in whole:
        index, why = choice["index"], choice["finish_reason"]
        text = choice["message"]["content"] if is_chat else choice["text"]
        if is_chat:
            yield {"index": index, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}
        for piece in pieces(text):
            said = {"delta": {"content": piece}} if is_chat else {"text": piece, "logprobs": None}
            yield {"index": index, **said, "finish_reason": None}
        yield {"index": index, **({"delta": {}} if is_chat else {"text": "", "logprobs": None}), "finish_reason": why}
