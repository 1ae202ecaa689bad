"""Documents that come as text: each is read as its UTF-8, by every function that reads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import envelope
from envelope import DecodeError, Limits, ResultType
from envelope.hints import Hint
from envelope.options import Dialect
from envelope.testing.strategies import values

pytestmark = pytest.mark.usefixtures("impl")


class Text(str):
    """A driver's own text."""

    __slots__ = ()

    def encode(self, *_: object) -> bytes:
        raise NotImplementedError


def outcome(call: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    try:
        return call(*arguments, **options)
    except envelope.EnvelopeError as error:
        return type(error), str(error), vars(error)


READERS: dict[str, Callable[[Any, str], Any]] = {
    "loads": envelope.loads,
    "decode": envelope.decode,
    "convert": lambda data, fmt: envelope.convert(data, fmt, "json", on_loss="ignore"),
}


@pytest.mark.parametrize("name", READERS)
@given(data=st.data())
def test_a_text_is_its_utf8(name: str, fmt: ResultType, data: st.DataObject) -> None:
    body = envelope.dumps(data.draw(values(max_leaves=5)), fmt)
    if data.draw(st.booleans()):
        place = data.draw(st.integers(0, len(body)))
        body = body[:place] + data.draw(st.sampled_from([b"", b"\xc3\xa9", b"}", b"\0"])) + body[place + 1 :]
    text = body.decode(errors="replace")
    read = READERS[name]
    for given_text in (text, Text(text)):
        assert repr(outcome(read, given_text, fmt)) == repr(outcome(read, text.encode(), fmt))


OTHERS: list[tuple[str, Dialect, str]] = [
    ("xml", "plain", "<root><a>中</a></root>"),
    ("var_export", "file", "<?php return ['中' => 1];"),
    ("serialize", "session", '中|s:3:"中";'),
]


@pytest.mark.parametrize(("format", "dialect", "text"), OTHERS, ids=str)
def test_every_dialect_takes_text(format: str, dialect: Dialect, text: str) -> None:
    assert envelope.loads(text, format, dialect=dialect) == envelope.loads(text.encode(), format, dialect=dialect)


def test_the_first_of_several() -> None:
    assert envelope.loads_first('中s:3:"中";N;', "serialize", 3) == ("中", 13)


@pytest.mark.parametrize("unit", [0xD800, 0xDCFF])
def test_a_lone_surrogate_is_malformed(fmt: ResultType, unit: int) -> None:
    surrogate = chr(unit)
    for text, offset in ((f"é中{surrogate}", 5), (surrogate, 0)):
        with pytest.raises(DecodeError) as caught:
            envelope.loads(text, fmt)
        error = caught.value
        assert (error.kind, error.offset, error.path, error.format) == ("malformed", offset, "$", fmt)
        assert error.hint == Hint("not-all-decoded")
        assert error.__context__ is None


def test_the_limit_counts_bytes(fmt: ResultType) -> None:
    limits = Limits(max_bytes=10)
    for text, size in (
        ("é" * 6, "12 bytes long; the limit is 10"),
        ("é" * 11, "11 characters long; the limit is 10 bytes"),
    ):
        with pytest.raises(DecodeError) as caught:
            envelope.loads(text, fmt, limits=limits)
        assert (caught.value.kind, caught.value.offset, caught.value.reason) == ("limit", 10, f"the input is {size}")
    assert envelope.loads('"中中"', "json", limits=limits) == "中中"


def test_only_bytes_have_an_encoding() -> None:
    with pytest.raises(TypeError, match="with encoding='windows-1252', pass the bytes"):
        envelope.loads("[]", "json", encoding="cp1252")
    assert envelope.loads("[]", "json", encoding="utf-8") == []
