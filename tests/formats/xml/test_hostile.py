"""Hostile XML: limits, DOCTYPEs, long and deep documents."""

from __future__ import annotations

import socket

import pytest
from lxml import etree

from envelope.limits import Limits
from tests.formats.xml.ways import DECLARATION, dumps, loads, place, refused

pytestmark = pytest.mark.usefixtures("impl")


def nested(depth: int) -> bytes:
    return b'<root type="list">' + b'<item type="list">' * (depth - 1) + b"</item>" * (depth - 1) + b"</root>"


@pytest.mark.parametrize("padding", [0, 1 << 20])
def test_depth(padding: int) -> None:
    white = b" " * padding
    loads(nested(200) + white)
    assert refused(nested(201) + white).kind == "limit"
    assert refused(nested(201) + white).offset == 18 * 200
    assert refused(b"<a>" * 202 + b"</a>" * 202 + white, "plain").kind == "limit"
    loads(b"<a>" * 201 + b"</a>" * 201 + white, dialect="plain")
    unlimited = Limits.unlimited()
    loads(nested(2047) + white, limits=unlimited)
    for depth in (2048, 100_000):
        assert place(nested(depth) + white, limits=unlimited)[:2] == ("limit", 18 * 2047)
    assert refused(b"<a>" * 1_000_000, "plain", unlimited).kind == "limit"


@pytest.mark.parametrize("padding", [0, 1 << 20])
@pytest.mark.parametrize("dialect", ["typed", "plain"])
def test_items(padding: int, dialect: str) -> None:
    kind = b' type="list"' if dialect == "typed" else b""
    body = b"<root%b><item%b><item/><item/></item><item/></root>" % (kind, kind) + b" " * padding
    loads(body, dialect=dialect, limits=Limits(max_items=4))
    error = refused(body, dialect, Limits(max_items=3))
    assert (error.kind, error.offset) == ("limit", body.rindex(b"<item/>"))
    assert error.path == "$[1]"


def test_bytes() -> None:
    assert place(b"<root/>", limits=Limits(max_bytes=6)) == ("limit", 6, "$")


def test_large_documents() -> None:
    """Larger than libxml2 accepts by default, and read as events."""
    text = "é&\0" * 500_000 + "x" * 11_000_000
    assert loads(dumps(text)) == text
    value = [{"a": index, "b c": [str(index)]} for index in range(20_000)]
    body = dumps(value)
    assert len(body) > 1 << 20
    assert loads(body) == value
    assert loads(dumps(value, dialect="plain"), dialect="plain")[7] == {"a": "7", "b c": ["7"]}
    assert refused(body.replace(b">19999<", b">1999x<", 1)).path == "$[19999].a"


LAUGHS = b'<!DOCTYPE r [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><root>&b;</root>'


@pytest.mark.parametrize(
    "body",
    [
        LAUGHS,
        b'<!DOCTYPE r [<!ENTITY a SYSTEM "file:///etc/hostname">]><root>1&a;2</root>',
        b'<!DOCTYPE r [<!ENTITY % p SYSTEM "http://127.0.0.1:1/"> %p;]><root/>',
        b'<!DOCTYPE r [<!ATTLIST root type CDATA "int">]><root>1</root>',
        b"<!DOCTYPE r>",
    ],
)
@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf", DECLARATION, b" \n"])
def test_no_doctype_gets_to_a_parser(before: bytes, body: bytes) -> None:
    assert place(before + body) == ("forbidden", len(before), "$")
    assert place(before + body, "plain") == ("forbidden", len(before), "$")


def test_nothing_is_fetched() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        include = f'<root xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="{url}"/></root>'.encode()
        for body in (f'<!DOCTYPE r SYSTEM "{url}"><root/>'.encode(), include):
            assert refused(body, "plain").kind == "forbidden"
        loads(include, dialect="plain", attributes="keep", namespaces="keep")
        loads(f'<?xml-stylesheet href="{url}"?><root/>'.encode(), dialect="plain")
        with pytest.raises(TimeoutError):
            server.accept()


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<root " + b" ".join(b'a%d="1"' % index for index in range(100_000)) + b"/>", "malformed"),
        (b"<root " + b" ".join(b'xmlns:a%d="1"' % index for index in range(100_000)) + b"/>", "forbidden"),
        (b"<root " + b'a="1" ' * 100_000 + b"/>", "malformed"),
        (b"<" + b"a" * 1_000_000 + b"/>", "malformed"),
        (b"<root>" + b"&" * 1_000_000, "malformed"),
        (b"<root>" + b"&#" * 1_000_000, "malformed"),
        (b"<root>" + b"<" * 1_000_000, "malformed"),
        (b"<?xml version" + b" " * 1_000_000, "malformed"),
        (b"<?xml" + b" " * 1_000_000, "malformed"),
        (b"<root>" + b"<![CDATA[" * 300_000, "malformed"),
        (b"<root type='float'>" + b"1" * 1_000_000 + b"x</root>", "malformed"),
        (b"<root escaped='true'>" + b"\\" * 1_000_001 + b"</root>", "malformed"),
        (b"<root>" + b"<a>" * 150 + b"x" * 1_000_000, "malformed"),
        (b"<root type='list'>" + b"<item/> " * 200_000 + b"x</root>", "malformed"),
    ],
)
def test_hostile_input_fails(body: bytes, kind: str) -> None:
    assert refused(body).kind == kind


def test_errors_hold_no_input_but_short_keys() -> None:
    secret = "s3cret" * 100
    error = refused(f'<root type="map"><a>{secret}</a><{"k" * 1000} type="int">{secret}</{"k" * 1000}></root>'.encode())
    assert "s3cret" not in str(error)
    assert error.path == "$." + "k" * 32 + "…" or error.path == '$["' + "k" * 32 + '…"]'
    assert error.__context__ is None


def test_an_error_is_not_lost_if_expat_finds_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise etree.LxmlError("no")

    monkeypatch.setattr(etree, "fromstring", fail)
    assert place(b" <root></root >") == ("malformed", 1, "$")  # which the compiled reader leaves to it


def test_many_attributes_are_refused_in_linear_time() -> None:
    body = b"<root " + b" ".join(b'a%d="1"' % number for number in range(40_000)) + b"/>"
    for dialect in ("typed", "plain"):
        assert refused(body, dialect).kind == "malformed"
