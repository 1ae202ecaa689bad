"""The demo's texts: the documents' sample where it is asked for, else an echo; a token is four bytes of UTF-8."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from typing import Any, Final

import orjson

__all__ = [
    "ERROR_SAMPLE",
    "ERROR_SAMPLE_MODEL",
    "SAMPLE",
    "SAMPLE_MODEL",
    "SAMPLE_PROMPT",
    "completion",
    "pieces",
    "tokens",
]

_SAMPLES: Final = orjson.loads((files("envelope.calls") / "samples.json").read_bytes())

SAMPLE: Final[dict[str, Any]] = _SAMPLES["sample-success"]["response"]
SAMPLE_MODEL: Final[str] = SAMPLE["model"]
SAMPLE_PROMPT: Final = "中国最有钱的人是谁"
"""To this prompt, the model `SAMPLE_MODEL` answers as the documents' first sample does."""

ERROR_SAMPLE: Final[dict[str, Any]] = _SAMPLES["sample-upstream-error"]["response"]
ERROR_SAMPLE_MODEL: Final = "default-text-davinci-003"
"""This model has always reached its rate limit, in the words of the documents' second sample."""

_BYTES: Final = 4


def tokens(text: str) -> int:
    """How many tokens *text* is."""
    return -(-len(text.encode()) // _BYTES)


def completion(prompt: str, most: int) -> tuple[str, str]:
    """What is said to *prompt* in at most *most* tokens, and why it ends there (``finish_reason``)."""
    text = f"You said: {prompt}"
    if tokens(text) <= most:
        return text, "stop"
    return text.encode()[: most * _BYTES].decode(errors="ignore"), "length"


def pieces(text: str) -> Iterator[str]:
    """*text* in pieces of about a token each."""
    start = size = 0
    for index, char in enumerate(text):
        size += len(char.encode())
        if size >= _BYTES:
            yield text[start : index + 1]
            start, size = index + 1, 0
    if start < len(text):
        yield text[start:]
