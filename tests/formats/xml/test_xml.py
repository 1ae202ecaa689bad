"""XML, both dialects: what holds for every value and for any bytes."""

from __future__ import annotations

import contextlib
import struct
import threading
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from lxml import etree

from envelope.errors import DecodeError, EncodeError
from envelope.limits import Limits
from envelope.testing.strategies import values
from envelope.values.php_types import same
from tests.formats.xml.ways import DECLARATION, dumps, loads, read_as_usual, read_exactly, refused

pytestmark = pytest.mark.usefixtures("impl")

finite = st.floats(allow_nan=False, allow_infinity=False)
nearly_xml = st.lists(
    st.sampled_from(
        [
            "<root>",
            "</root>",
            '<root type="map">',
            '<root type="list">',
            "<item>",
            "</item>",
            "<item/>",
            "<a>",
            "</a>",
            '<a type="int">',
            "1",
            '<item key="a" ',
            'escaped-key="true"',
            ">",
            "/>",
            "&amp;",
            "&x;",
            "&#0;",
            "<!--x-->",
            "<?p?>",
            "<![CDATA[",
            "]]>",
            "<!DOCTYPE r>",
            " ",
            "\n",
            "\0",
            "\ufeff",
            "é",
            'xmlns="u"',
            "xml:a='1'",
            '<?xml version="1.0"?>',
            "<a:b/>",
            '<a escaped="true">\\u00',
        ]
    ),
    max_size=12,
).map("".join)


@given(value=values())
@example(value=[{"\0": "\0", "a\r": "\r\n"}, "]]>", {"xmlns": "xmlns:a='b'", "xml:b": "<!-- <? -->"}])
def test_typed_is_read_back_the_same(value: object) -> None:
    body = dumps(value)
    assert body.startswith(DECLARATION + b"<root")
    assert same(loads(body), value)
    assert etree.fromstring(body).tag == "root"
    for limits in (Limits(max_bytes=len(body)), Limits.unlimited()):
        assert same(loads(bytearray(body), limits=limits), value)


@given(value=values())
def test_plain_is_well_formed_and_read(value: object) -> None:
    try:
        body = dumps(value, dialect="plain")
    except EncodeError:
        return
    assert etree.fromstring(body).tag == "root"
    loads(body, dialect="plain")


@pytest.mark.parametrize("dialect", ["typed", "plain"])
@given(
    data=st.binary(max_size=40)
    | nearly_xml.map(str.encode)
    | st.binary(max_size=9).map(lambda raw: b"<root>" + raw + b"</root>")
)
def test_any_bytes_are_a_value_or_a_decode_error(data: bytes, dialect: str) -> None:
    """… and the two ways to read a document agree."""
    results = []
    for read in (read_as_usual, read_exactly):
        try:
            results.append(repr(read(data, dialect)))
        except DecodeError as error:
            results.append(error.kind)
    assert len(set(results)) == 1


@pytest.mark.parametrize("read", [read_as_usual, read_exactly])
@given(value=values())
def test_each_way_to_read(read: Any, value: object) -> None:
    assert same(read(dumps(value), "typed"), value)


SAMPLE = {"a": [1, "é", None, {"x y": "\0", "t": "a&b"}], "b": 1.5, "c": True, "d": {}}


@pytest.mark.parametrize("dialect", ["typed", "plain"])
def test_every_truncation_is_refused(dialect: str) -> None:
    body = dumps(SAMPLE) if dialect == "typed" else dumps({"a": [1, "é&"], "x y": {"b": ""}}, dialect="plain")
    body += b"\n"
    for length in range(len(body) - 1):
        assert refused(body[:length], dialect).kind == "malformed"


@given(st.data())
def test_a_changed_byte_is_a_value_or_a_decode_error(data: st.DataObject) -> None:
    body = bytearray(dumps(SAMPLE))
    body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(DecodeError):
        loads(body)


def test_threads_do_not_share_parsers() -> None:
    bodies = {index: dumps([index] * 200) for index in range(8)}
    wrong: list[int] = []

    def work(index: int) -> None:
        wrong.extend(index for _ in range(40) if loads(bodies[index]) != [index] * 200)

    threads = [threading.Thread(target=work, args=(index,)) for index in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@given(finite)
def test_floats_keep_every_bit(number: float) -> None:
    assert struct.pack("d", loads(dumps(number))) == struct.pack("d", number)
