"""Server-sent events: taken apart the same however the bytes are cut, and put together again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envelope.calls.events import EventReader, TooLong, data_of, event_of

ENDS = st.sampled_from([b"\n", b"\r\n", b"\r"])
LINES = st.lists(st.binary(min_size=0, max_size=6).filter(lambda line: not {10, 13} & {*line}), min_size=1, max_size=4)


@given(st.lists(LINES, max_size=5), ENDS, st.data())
def test_how_the_bytes_are_cut_changes_nothing(events: list[list[bytes]], end: bytes, data: st.DataObject) -> None:
    told = [end.join(b"data: " + line for line in lines) + end + end for lines in events]
    whole = b"".join(told)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=8)))
    reader = EventReader(1000)
    found = [
        event
        for start, stop in zip([0, *cuts], [*cuts, len(whole)], strict=True)
        for event in reader.feed(whole[start:stop])
    ]
    # A LF after the CR that ended it is no part of it.
    assert whole.removeprefix(b"".join(found)) in (b"", b"\n")
    assert [data_of(event) for event in found if event.strip()] == [b"\n".join(lines) for lines in events]


@given(st.binary().filter(lambda data: b"\r" not in data), st.sampled_from([b"", b"envelope"]))
def test_what_is_said_is_read(data: bytes, name: bytes) -> None:
    [event] = EventReader(10_000).feed(event_of(data, name))
    assert data_of(event) == data


def test_a_comment_says_nothing() -> None:
    assert EventReader(100).feed(b": awake\n\n:\n\n") == [b": awake\n\n", b":\n\n"]
    assert data_of(b": awake\n\n") is None
    assert data_of(b"event: x\ndata\n\n") == b""


def test_an_event_is_bounded() -> None:
    reader = EventReader(10)
    reader.feed(b"data: 1234\n\n" * 50)
    with pytest.raises(TooLong):
        reader.feed(b"data: 12345")
