"""The body that an app and others read."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envelope.adapters.wsgi_input import WsgiInput
from envelope.errors import RequestError

READS: st.SearchStrategy[tuple[str, int]] = st.tuples(st.sampled_from(["read", "readline", "show"]), st.integers(-1, 9))


@given(st.lists(st.sampled_from([b"ab", b"\n", b"c\n"]), max_size=9).map(b"".join), st.lists(READS), st.integers(0, 20), st.booleans())  # fmt: skip
def test_an_input_is_read_as_a_file_whoever_looks_at_it(
    body: bytes, reads: list[tuple[str, int]], remembered: int, is_chunked: bool
) -> None:
    """Reading is as of any file, up to the declared length; what is shown is the whole body, or nothing."""
    end: dict[str, Any] = {"wsgi.input_terminated": True} if is_chunked else {"CONTENT_LENGTH": str(len(body))}
    beyond = b"" if is_chunked else b"the next call"
    own = WsgiInput({"wsgi.input": BytesIO(body + beyond), **end}, remembered=remembered)
    file = BytesIO(body)
    for how, size in reads:
        if how == "show":
            assert own.show() == (body if len(body) <= remembered else None)
        else:
            assert getattr(own, how)(size) == getattr(file, how)(size)
    assert own.readlines() == file.readlines()


@given(st.binary(max_size=30), st.integers(0, 40), st.booleans())
def test_an_input_is_replayed_from_its_beginning(body: bytes, read: int, shown: bool) -> None:
    environ: dict[str, Any] = {"wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body))}
    own = WsgiInput(environ, remembered=20)
    own.read(read)
    if shown:
        own.show()
    if min(read, len(body)) > 21:
        with pytest.raises(RuntimeError, match="too long to be remembered"):
            list(own.replay())
    else:
        assert b"".join(own.replay()) == body


def test_an_input_that_is_too_long_to_be_remembered_is_not_replayed() -> None:
    own = WsgiInput({"wsgi.input": BytesIO(b"abcdef"), "CONTENT_LENGTH": "6"}, remembered=3)
    own.read(5)
    with pytest.raises(RuntimeError, match="too long to be remembered"):
        list(own.replay())


@pytest.mark.parametrize("length", ["x", "-1", "１", "9" * 20])
def test_a_length_that_is_none(length: str) -> None:
    own = WsgiInput({"wsgi.input": BytesIO(b"abc"), "CONTENT_LENGTH": length}, remembered=9)
    assert (own.length, own.show(), list(own.replay()), own.read()) == (None, None, [], b"abc")


class Malformed(BytesIO):
    """Gives three bytes, then a fault; whoever reads on would wait for ever."""

    def __init__(self) -> None:
        super().__init__(b"abc")
        self.faults = 0

    def read(self, size: int | None = -1, /) -> bytes:
        if data := super().read(size):
            return data
        self.faults += 1
        raise OSError("not a chunk")


def test_a_body_that_cannot_be_read_is_the_callers_fault_and_is_not_read_on() -> None:
    source = Malformed()
    own = WsgiInput({"wsgi.input": source, "wsgi.input_terminated": True}, remembered=9)
    with pytest.raises(OSError, match="not a chunk"):
        own.show()
    with pytest.raises(OSError, match="could not be read"):
        own.read()
    with pytest.raises(RequestError, match="cannot be read to its end"):
        list(own.replay())
    assert source.faults == 1


def test_nothing_is_read_of_a_body_that_says_it_is_too_long_to_be_shown() -> None:
    source = BytesIO(b"abcdef")
    assert WsgiInput({"wsgi.input": source, "CONTENT_LENGTH": "6"}, remembered=5).show() is None
    assert source.tell() == 0
