"""Assertions that say where two answers differ."""

from __future__ import annotations

from collections.abc import Collection
from itertools import islice
from typing import Any, Final

from envelope.answers.envelope import Envelope
from envelope.values.comparison import changes
from envelope.values.ignored import without

__all__ = ["assert_same_envelope"]

_SHOWN: Final = 50


def assert_same_envelope(a: Envelope[Any], b: Envelope[Any], *, ignore: Collection[str] = ()) -> None:
    """Fail if two envelopes are not the same (`envelope.same`: 1 is not 1.0), with a line for each difference.

    ``- $.path: value`` is only in *a*, ``+`` only in *b*, ``~`` in both but not the same. Not compared are notes, and
    what is at the paths in *ignore*: ``["$.request_id", "$.response.choices[*].id"]`` (`envelope.values.without`).
    """
    __tracebackhide__ = True
    for answer in (a, b):
        if not isinstance(answer, Envelope):
            raise TypeError(f"an Envelope, as envelope.decode reads it, not {type(answer).__name__}")
    one, other = (without(answer.to_value(), ignore) for answer in (a, b))
    lines = list(map(str, islice(changes(one, other), _SHOWN + 1)))
    if len(lines) > _SHOWN:
        lines[_SHOWN:] = ["… and more"]
    if lines:
        raise AssertionError("\n  ".join(["the envelopes are not the same (- only in a, + only in b):", *lines]))
