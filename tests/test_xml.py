"""XML, both dialects: what is written byte for byte, what is read, and every refusal with its place."""

from __future__ import annotations

import contextlib
import math
import pickle
import socket
import struct
import subprocess
import sys
import threading
from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from lxml import etree

from envelope.errors import DecodeError, EncodeError
from envelope.formats import _xml_read, get_format
from envelope.limits import DEFAULT_LIMITS, Limits
from envelope.testing.strategies import values
from envelope.values import INT_MAX, INT_MIN, same

pytestmark = pytest.mark.usefixtures("impl")

DECLARATION = b'<?xml version="1.0" encoding="utf-8"?>'

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


def dumps(value: object, **options: Any) -> bytes:
    return get_format("xml").dumps(value, **options)  # of the implementation whose turn it is


def loads(data: Any, **options: Any) -> Any:
    return get_format("xml").loads(data, **options)


def written(value: object, **options: Any) -> bytes:
    """What stands behind the declaration."""
    body = dumps(value, **options)
    assert body.startswith(DECLARATION)
    return body.removeprefix(DECLARATION)


def plain(value: object) -> bytes:
    return written(value, dialect="plain")


def refused(data: bytes, dialect: str = "typed", limits: Limits = DEFAULT_LIMITS) -> DecodeError:
    with pytest.raises(DecodeError) as caught:
        loads(data, dialect=dialect, limits=limits)
    error = caught.value
    assert error.format == "xml"
    assert error.reason
    assert 0 <= error.offset <= len(data)
    assert len(error.path) < 700
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
    return error


def place(data: bytes, dialect: str = "typed", limits: Limits = DEFAULT_LIMITS) -> tuple[str, int, str]:
    error = refused(data, dialect, limits)
    return error.kind, error.offset, error.path


# ---------------------------------------------------------------------------------------------------- writing


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, '<root type="null"/>'),
        (True, '<root type="bool">true</root>'),
        (False, '<root type="bool">false</root>'),
        (0, '<root type="int">0</root>'),
        (INT_MIN, '<root type="int">-9223372036854775808</root>'),
        (INT_MAX, '<root type="int">9223372036854775807</root>'),
        (1.0, '<root type="float">1.0</root>'),
        (-0.0, '<root type="float">-0.0</root>'),
        (1e16, f'<root type="float">{orjson.dumps(1e16).decode()}</root>'),
        ("", "<root/>"),
        (" ", "<root> </root>"),
        ("中", "<root>中</root>"),
        ("a&<b>\"'", "<root>a&amp;&lt;b&gt;\"'</root>"),
        ("\t\n\r", "<root>\t\n&#13;</root>"),
        ("]]>", "<root>]]&gt;</root>"),
        ("\0", '<root escaped="true">\\u0000</root>'),
        ('\x01"\\\t\n\r<&', '<root escaped="true">\\u0001\\"\\\\\\t\\n\\r&lt;&amp;</root>'),
        ("\ufffe\uffff", '<root escaped="true">\\ufffe\\uffff</root>'),
        ("\x7f\x85\ufeff", "<root>\x7f\x85\ufeff</root>"),
        ([], '<root type="list"/>'),
        ({}, '<root type="map"/>'),
        ([1, [], ""], '<root type="list"><item type="int">1</item><item type="list"/><item/></root>'),
        (
            {"a": {"b": None}, "c": "d"},
            '<root type="map"><a type="map"><b type="null"/></a><c>d</c></root>',
        ),
        ({"_a.-9": ""}, '<root type="map"><_a.-9/></root>'),
        ({"item": "", "key": 1}, '<root type="map"><item/><key type="int">1</key></root>'),
        ({"a" * 64: ""}, f'<root type="map"><{"a" * 64}/></root>'),
        ({"a" * 65: ""}, f'<root type="map"><item key="{"a" * 65}"/></root>'),
        ({"": []}, '<root type="map"><item key="" type="list"/></root>'),
        ({"0": 1}, '<root type="map"><item key="0" type="int">1</item></root>'),
        ({"xml": "", "XMLa": ""}, '<root type="map"><item key="xml"/><item key="XMLa"/></root>'),
        ({"a:b": "", "a\n": ""}, '<root type="map"><item key="a:b"/><item key="a&#10;"/></root>'),
        ({"é": ""}, '<root type="map"><item key="é"/></root>'),
        ({"&<>\"\t\n\r'": ""}, '<root type="map"><item key="&amp;&lt;&gt;&quot;&#9;&#10;&#13;\'"/></root>'),
        (
            {'\0"\t': "\0"},
            '<root type="map"><item key="\\u0000\\&quot;\\t" escaped-key="true" escaped="true">\\u0000</item></root>',
        ),
        ({"\0": 1}, '<root type="map"><item key="\\u0000" escaped-key="true" type="int">1</item></root>'),
    ],
)
def test_typed_writes_and_reads_back(value: object, expected: str) -> None:
    assert written(value) == expected.encode()
    assert same(loads(expected.encode()), value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"a": None, "b": "", "c": [], "d": {}}, "<root><a/><b/><c/><d/></root>"),
        ([True, False, 1], "<root><item>true</item><item>false</item><item>1</item></root>"),
        ([1.5, "x&\r", ""], "<root><item>1.5</item><item>x&amp;&#13;</item><item/></root>"),
        ({"a b": {"c": [1]}}, '<root><item key="a b"><c><item>1</item></c></item></root>'),
        (None, "<root/>"),
        ("\x7f", "<root>\x7f</root>"),
    ],
)
def test_plain_writes(value: object, expected: str) -> None:
    assert plain(value) == expected.encode()


def test_the_same_names_are_written_however_many_there_are() -> None:
    value = {f"k {index}": index for index in range(5000)}
    assert loads(dumps([value, value])) == [value, value]


@pytest.mark.parametrize(
    ("value", "dialect", "path"),
    [
        ("\0", "plain", "$"),
        ({"a": ["\ufffe"]}, "plain", "$.a[0]"),
        ({"a": {"\x01": ""}}, "plain", "$.a"),
        ({"a": "\ud800"}, "typed", "$.a"),
        ({"\ud800": ""}, "typed", "$"),
        (["\0\ud800"], "typed", "$[0]"),
        ([2**63], "typed", "$[0]"),
        ([math.nan], "typed", "$[0]"),
        ([math.inf], "plain", "$[0]"),
        ([(1,)], "typed", "$[0]"),
        ([b"x"], "typed", "$[0]"),
        ({1: 2}, "typed", "$"),
    ],
)
def test_what_cannot_be_written(value: object, dialect: str, path: str) -> None:
    with pytest.raises(EncodeError) as caught:
        dumps(value, dialect=dialect)
    assert (caught.value.kind, caught.value.format, caught.value.path) == ("unrepresentable", "xml", path)


def test_a_default_is_asked() -> None:
    expected = b'<root type="list"><item type="list"><item type="int">1</item></item></root>'
    assert written([(1,)], default=list) == expected


def test_a_value_that_contains_itself() -> None:
    loop: list[Any] = []
    loop.append(loop)
    for limits in (DEFAULT_LIMITS, Limits.unlimited()):
        with pytest.raises(EncodeError):
            dumps(loop, limits=limits)


@pytest.mark.parametrize(
    ("value", "limits"),
    [
        ([[]], Limits(max_depth=1)),
        ([], Limits(max_depth=0)),
        ([1, [2, 3]], Limits(max_items=3)),
        ("x" * 1000, Limits(max_bytes=500)),
        (["é" * 300], Limits(max_bytes=500)),
        ([1] * 100, Limits(max_bytes=500)),
        ({"a" * 300: {}, "b": 1}, Limits(max_bytes=200)),
        (None, Limits(max_bytes=5)),
    ],
)
def test_limits_of_writing(value: object, limits: Limits) -> None:
    with pytest.raises(EncodeError) as caught:
        dumps(value, limits=limits)
    assert caught.value.kind == "limit"


@pytest.mark.parametrize("dialect", ["typed", "plain"])
@given(value=values())
def test_limits_are_exact(value: object, dialect: str) -> None:
    try:
        body = dumps(value, dialect=dialect)
    except EncodeError:
        assert dialect == "plain"
        return
    assert dumps(value, dialect=dialect, limits=Limits(max_bytes=len(body))) == body
    with pytest.raises(EncodeError):
        dumps(value, dialect=dialect, limits=Limits(max_bytes=len(body) - 1))


@pytest.mark.parametrize("value", [["a"] * 100, {"k" * 60 + str(index): "a" for index in range(100)}])
def test_tags_are_not_counted_twice_against_max_bytes(value: object) -> None:
    body = dumps(value)
    assert dumps(value, limits=Limits(max_bytes=len(body))) == body


def test_output_does_not_run_away() -> None:
    value: list[Any] = ["&" * 1_000_000] * 1000
    for shared in (value, [{"k" * 1_000_000: 1}] * 1000):
        with pytest.raises(EncodeError) as caught:
            dumps(shared)
        assert caught.value.kind == "limit"


@pytest.mark.parametrize("options", [{"dialect": "php"}, {"values": "all"}])
def test_unknown_options(options: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        dumps(1, **options)
    with pytest.raises(TypeError):
        loads(b"<root/>", **options)


def test_options_that_change_nothing() -> None:
    assert dumps([], values="php", maps="object") == dumps([])
    assert loads(b"<root/>", values="php") == ""
    with pytest.raises(TypeError):
        dumps(1, maps="list")
    with pytest.raises(TypeError):
        loads("<root/>")


def test_importing_does_not_import_lxml() -> None:
    code = "import sys, envelope.formats.xml as x; x.dumps([1]); assert 'lxml' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


# ------------------------------------------------------------------------------------------------------- laws


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


def read_as_usual(data: bytes, dialect: str) -> Any:
    return loads(data, dialect=dialect)


def read_exactly(data: bytes, dialect: str) -> Any:
    """As a large document is read."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_xml_read, "_LARGE", 0)
        return loads(data, dialect=dialect)


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


# ---------------------------------------------------------------------------------------------------- reading


@pytest.mark.parametrize("read", [read_as_usual, read_exactly])
@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"\xef\xbb\xbf<root>a</root>", "a"),
        (b"\xef\xbb\xbf<?xml version='1.0' encoding='UTF-8' standalone='no' ?>\r\n<root/>\n", ""),
        (b'<?xml version = "1.0"?><root/>', ""),
        (b'<?xml version="1.0" standalone="yes"?><root/>', ""),
        (b" \t\r\n<root/> \t\r\n", ""),
        (b'<root type="map">\n  <a type="list">\n <item>1</item>\t<item/>\r\n</a>\n</root>', {"a": ["1", ""]}),
        (b'<root type="list"> \n </root>', []),
        (b"<root> </root>", " "),
        (b"<root>a\r\nb\rc&#13;</root>", "a\nb\nc\r"),
        (b"<root>&lt;&gt;&amp;&quot;&apos;&#x41;&#66;</root>", "<>&\"'AB"),
        (b"<root>a<![CDATA[<&]]>b<![CDATA[]]></root>", "a<&b"),
        (b"<root><![CDATA[<!-- <? xmlns]]></root>", "<!-- <? xmlns"),
        (b'<root type="list"><![CDATA[ ]]><item/></root>', [""]),
        (b'<root type="float">1</root>', 1.0),
        (b'<root type="float">-0</root>', -0.0),
        (b'<root type="float">1.5E+3</root>', 1500.0),
        (b'<root type="float">1e-999</root>', 0.0),
        (b'<root type="int"><![CDATA[12]]></root>', 12),
        (b'<root type="null"></root>', None),
        (b'<root escaped="true">\\u00e9\\ud83d\\ude00\\/</root>', "é😀/"),
        (b'<root escaped="true"></root>', ""),
        (b'<root type="map"><a>1</a><b>2</b><a type="list"/></root>', {"a": [], "b": "2"}),
        (b'<root type="map"><item>1</item><item key="a">2</item></root>', {"item": "1", "a": "2"}),
        (b'<root type="map"><item escaped-key="true" type="int" key="\\u0001">2</item></root>', {"\x01": 2}),
        ('<root type="map"><é.中>1</é.中></root>'.encode(), {"é.中": "1"}),
    ],
)
def test_typed_reads(read: Any, data: bytes, value: object) -> None:
    assert same(read(data, "typed"), value)


@pytest.mark.parametrize("read", [read_as_usual, read_exactly])
@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"<xml/>", ""),
        (b"<item>a</item>", "a"),
        (b"<think> <a>1</a>\n<b> </b><c/> </think>", {"a": "1", "b": " ", "c": ""}),
        (b"<r><item>1</item><item><item/></item></r>", ["1", [""]]),
        (b"<r><a>1</a><b>2</b><a>3</a><a><c/></a></r>", {"a": ["1", "3", {"c": ""}], "b": "2"}),
        (b'<r><item key="a">1</item><item>2</item><a>3</a></r>', {"a": ["1", "3"], "item": "2"}),
        (b'<r><item key="0">1</item><item key="1">2</item></r>', {"0": "1", "1": "2"}),
        (b'<r><item key="item">1</item><item>2</item></r>', {"item": ["1", "2"]}),
        (b"<r><![CDATA[<x>]]></r>", "<x>"),
    ],
)
def test_plain_reads(read: Any, data: bytes, value: object) -> None:
    assert same(read(data, "plain"), value)


MAP = b'<root type="map">'


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        # the prolog
        (b"", ("malformed", 0, "$")),
        (b"   ", ("malformed", 3, "$")),
        (b"\xef\xbb\xbf", ("malformed", 3, "$")),
        (b"text", ("malformed", 0, "$")),
        (b"\x1f\x8b\x08", ("malformed", 0, "$")),
        (b"+ADw-root/+AD4-", ("malformed", 0, "$")),
        (b"\xff\xfe<\0r\0", ("forbidden", 0, "$")),
        (b"\xfe\xff\0<", ("forbidden", 0, "$")),
        (b"\0\0\xfe\xff", ("forbidden", 0, "$")),
        ("<root/>".encode("utf-16-le"), ("forbidden", 0, "$")),
        ("<root/>".encode("utf-32-be"), ("forbidden", 0, "$")),
        (b"<?xml?><root/>", ("malformed", 5, "$")),
        (b"<?xml version='1.1'?><root/>", ("malformed", 15, "$")),
        (b"<?xml version='2.0'?><root/>", ("malformed", 15, "$")),
        (b"<?xml version=''?><root/>", ("malformed", 15, "$")),
        (b"<?xml version='1.0\"?><root/>", ("malformed", 5, "$")),
        (b"<?xml encoding='utf-8'?><root/>", ("malformed", 5, "$")),
        (b"<?xml version='1.0' encoding='UTF-7'?>+ADw-root/+AD4-", ("forbidden", 30, "$")),
        (b"<?xml version='1.0' encoding='latin1'?><root/>", ("forbidden", 30, "$")),
        (b"<?xml version='1.0' encoding='utf8'?><root/>", ("forbidden", 30, "$")),
        (b"<?xml version='1.0' encoding='UTF-16'?><root/>", ("forbidden", 30, "$")),
        (b"\xef\xbb\xbf<?xml version='1.0' encoding='x'?><root/>", ("forbidden", 33, "$")),
        (b"<?xml version='1.0' standalone='x'?><root/>", ("malformed", 32, "$")),
        (b"<?xml version='1.0' standalone='no' encoding='utf-8'?><root/>", ("malformed", 36, "$")),
        (b"<?xml version='1.0' other='no'?><root/>", ("malformed", 20, "$")),
        (b"<?xml version='1.0'", ("malformed", 19, "$")),
        (b" <?xml version='1.0'?><root/>", ("malformed", 1, "$")),
        (b"<?xml-stylesheet href='x'?><root/>", ("forbidden", 0, "$")),
        (b"<!-- --><root/>", ("forbidden", 0, "$")),
        (b"<!DOCTYPE r><root/>", ("forbidden", 0, "$")),
        (b"<?xml version='1.0'?>\n<!DOCTYPE r SYSTEM 'http://127.0.0.1/'><root/>", ("forbidden", 22, "$")),
        # bytes that are no text
        (b"<root>\xff</root>", ("malformed", 6, "$")),
        (b"\xef\xbb\xbf<root>\xc3\xa9\xed\xa0\x80</root>", ("malformed", 11, "$")),
        (b"<root>\0</root>", ("malformed", 6, "$")),
        (MAP + b"<a>\x01</a></root>", ("malformed", 20, "$.a")),
        (b"<root>\xef\xbf\xbe</root>", ("malformed", 6, "$")),
        (b"<root>&#0;</root>", ("malformed", 6, "$")),
        (b"<root>&#xD800;</root>", ("malformed", 6, "$")),
        (b"<root>&#xFFFE;</root>", ("malformed", 6, "$")),
        (b"<root>&#x110000;</root>", ("malformed", 6, "$")),
        (b"<root>&nbsp;</root>", ("malformed", 6, "$")),
        (MAP + b"<a>x & y</a></root>", ("malformed", 23, "$.a")),
        (b"<root>]]></root>", ("malformed", 8, "$")),
        # form
        (b"<root><a></root>", ("malformed", 6, "$")),
        (b"<root>", ("malformed", 6, "$")),
        (b"<root><!DOCTYPE r></root>", ("malformed", 8, "$")),
        (b"<root/><root/>", ("malformed", 7, "$")),
        (b"<root/>x", ("malformed", 7, "$")),
        (b"<root/>\0", ("malformed", 7, "$")),
        (b'<root type="int" type="int">1</root>', ("malformed", 17, "$")),
        # forbidden anywhere
        (b"<root>1<!-- -->2</root>", ("forbidden", 7, "$")),
        (MAP + b"<a>1<?x?>2</a></root>", ("forbidden", 21, "$.a")),
        (b"<root/><!-- -->", ("forbidden", 7, "$")),
        (b"<root/> <?x?>", ("forbidden", 8, "$")),
        (b'<root xmlns=""/>', ("forbidden", 0, "$")),
        (b'<root xmlns:a="b"/>', ("forbidden", 0, "$")),
        (b'<root xmlns="http://www.w3.org/1999/xhtml"/>', ("forbidden", 0, "$")),
        (MAP + b'<a xml:space="preserve">1</a></root>', ("forbidden", 17, "$")),
        (MAP + b"<xml:a/></root>", ("forbidden", 17, "$")),
        (MAP + b"<a:b/></root>", ("forbidden", 17, "$")),
        (MAP + b'<b a:b="1"/></root>', ("forbidden", 17, "$")),
        (MAP + b'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="x"/></root>', ("forbidden", 17, "$")),
        # the rules of the typed dialect
        (b"<rooT/>", ("malformed", 0, "$")),
        (b'<root key="a"/>', ("malformed", 0, "$")),
        (b'<root type="str">a</root>', ("malformed", 0, "$")),
        (b'<root type="">a</root>', ("malformed", 0, "$")),
        (b'<root types="int">1</root>', ("malformed", 0, "$")),
        (b"<root>a<b/></root>", ("malformed", 7, "$")),
        (MAP + b"<a><b/></a></root>", ("malformed", 20, "$.a")),
        (MAP + b'<a type="null"><b/></a></root>', ("malformed", 32, "$.a")),
        (MAP + b" x<a/></root>", ("malformed", 17, "$")),
        (MAP + b"<a/>x<b/></root>", ("malformed", 21, "$")),
        (MAP + b"<a/>x</root>", ("malformed", 21, "$")),
        (MAP + b"\xc2\xa0</root>", ("malformed", 17, "$")),
        (b'<root type="list">x</root>', ("malformed", 18, "$")),
        (b'<root type="list">x<item/></root>', ("malformed", 18, "$")),
        (b'<root type="list"><item/><a/></root>', ("malformed", 25, "$[1]")),
        (b'<root type="list"><item key="a"/></root>', ("malformed", 18, "$[0]")),
        (MAP + b'<a key="b"/></root>', ("malformed", 17, "$.b")),
        (MAP + b'<a escaped-key="true"/></root>', ("malformed", 17, "$.a")),
        (MAP + b'<item key="a" escaped-key="1"/></root>', ("malformed", 17, "$.a")),
        (MAP + b'<item key="\\q" escaped-key="true"/></root>', ("malformed", 17, '$["\\\\q"]')),
        (MAP + b'<a escaped="false">b</a></root>', ("malformed", 17, "$.a")),
        (MAP + b'<a escaped="true" type="int">1</a></root>', ("malformed", 17, "$.a")),
        (MAP + b'<a escaped="true" type="map"/></root>', ("malformed", 17, "$.a")),
        (MAP + b'<a escaped="true">\\ud800</a></root>', ("malformed", 35, "$.a")),
        (MAP + b'<a escaped="true">"</a></root>', ("malformed", 35, "$.a")),
        (MAP + b'<a escaped="true">a", "b</a></root>', ("malformed", 35, "$.a")),
        (MAP + b'<a escaped="true">\\</a></root>', ("malformed", 35, "$.a")),
        (MAP + b'<a escaped="true">\t</a></root>', ("malformed", 35, "$.a")),
        (b'<root type="null"> </root>', ("malformed", 18, "$")),
        # its values, and where in them
        (b'<root type="list"><item>a</item><item type="map"><b c="d"/></item></root>', ("malformed", 49, "$[1].b")),
        (b'<root type="int">9223372036854775808</root>', ("limit", 17, "$")),
        (b'<root type="int">-9223372036854775809</root>', ("limit", 17, "$")),
        (b'<root type="int">' + b"9" * 100_000 + b"</root>", ("limit", 17, "$")),
        (b'<root type="float">1e309</root>', ("limit", 19, "$")),
        (b'<root type="float">' + b"9" * 100_000 + b"</root>", ("limit", 19, "$")),
        (b'<root type="int"/>', ("malformed", 0, "$")),
        (MAP + b"<a/><b type='bool'></b></root>", ("malformed", 21, "$.b")),
        (MAP + b"<a/> <![CDATA[x]]><b/></root>", ("malformed", 21, "$")),
        (MAP + b"<item key='>'/>x<b/></root>", ("malformed", 32, "$")),
        (MAP + b"<a/><![CDATA[x]]><b/></root>", ("malformed", 21, "$")),
        (MAP + b"<item key='/>'>1</item>x<b/></root>", ("malformed", 40, "$")),
    ],
)
def test_refusals(data: bytes, expected: tuple[str, int, str]) -> None:
    assert place(data) == expected
    with pytest.raises(DecodeError) as caught:
        read_exactly(data, "typed")
    assert (caught.value.kind, caught.value.offset, caught.value.path) == expected


@pytest.mark.parametrize("text", ["-0", "00", "01", "+1", " 1", "1 ", "1_0", "1.0", "1e2", "0x1", "", "a", "-", "١"])
def test_ints_that_are_none(text: str) -> None:
    error = refused(f'<root type="int">{text}</root>'.encode())
    assert (error.kind, error.path) == ("malformed", "$")


@pytest.mark.parametrize(
    "text", ["", ".5", "1.", "01", "+1", " 1", "1_0.0", "nan", "INF", "Infinity", "1e", "0x1p3", "١", "1,5"]
)
def test_floats_that_are_none(text: str) -> None:
    assert refused(f'<root type="float">{text}</root>'.encode()).kind == "malformed"


@pytest.mark.parametrize("text", ["", "1", "0", "True", "TRUE", "true ", "yes"])
def test_bools_that_are_none(text: str) -> None:
    assert refused(f'<root type="bool">{text}</root>'.encode()).kind == "malformed"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b'<r><a type="int">1</a></r>', ("malformed", 3, "$.a")),
        (b'<r><item id="0">1</item></r>', ("malformed", 3, "$[0]")),
        (b'<r key="a"/>', ("malformed", 0, "$")),
        (b'<item key="a"/>', ("malformed", 0, "$")),
        (b'<r><a key="b"/></r>', ("malformed", 3, "$.b")),
        (b"<r>x<a/></r>", ("malformed", 3, "$")),
        (b"<r><a/>x</r>", ("malformed", 7, "$")),
        (b"<r><a/>x<a/></r>", ("malformed", 7, "$")),
        (b"<r><a><b/>x</a></r>", ("malformed", 10, "$.a")),
        (b"<r><a/><a>&x;</a></r>", ("malformed", 10, "$.a[1]")),
        (b"<r><a/><item>&x;</item></r>", ("malformed", 13, "$.item")),
        (b"<r><item/><item>&x;</item></r>", ("malformed", 16, "$[1]")),
        (b'<r><item key="a b">&x;</item></r>', ("malformed", 19, '$["a b"]')),
        (b'<r xmlns="a"/>', ("forbidden", 0, "$")),
        (b"<r><!-- --></r>", ("forbidden", 3, "$")),
        (b"<r>a<?b?></r>", ("forbidden", 4, "$")),
        (b"<!DOCTYPE html><r/>", ("forbidden", 0, "$")),
    ],
)
def test_plain_refusals(data: bytes, expected: tuple[str, int, str]) -> None:
    assert place(data, "plain") == expected


def test_hints() -> None:
    assert "plain" in refused(b"<think><a>1</a></think>").hint
    assert "plain" in refused(b"<root><a>1</a></root>").hint
    assert "typed" in refused(b'<root type="map"/>', "plain").hint
    assert "gzip" in refused(b"\x1f\x8b\x08\0").hint or refused(b"\x1f\x8b\x08\0").kind == "forbidden"
    assert "&amp;" in refused(b"<root>a & b</root>").hint
    assert "control" in refused(b"<root>\x02</root>").hint
    assert "strip" in refused(b"\n<?xml version='1.0'?><root/>").hint
    assert "TINYTEXT" in refused(dumps("x" * 300)[:255]).hint
    cut = b"<root>" + b"<a>" * 82
    assert "TINYTEXT" in refused(cut + b"<a" + b"b" * (255 - len(cut) - 2), "plain").hint
    assert refused(b"<root></a></root>").hint == ""


# -------------------------------------------------------------------------------------------------- hostile input


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
    """Beyond what libxml2 takes by default, and read as events."""
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
        for body in (
            f'<!DOCTYPE r SYSTEM "{url}"><root/>',
            f'<root xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="{url}"/></root>',
            f'<?xml-stylesheet href="{url}"?><root/>',
        ):
            assert refused(body.encode(), "plain").kind == "forbidden"
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


def test_names_are_those_that_both_parsers_know() -> None:
    """XML 1.0's fifth edition has names that expat, which knows the fourth, has not."""
    assert loads('<root type="map"><名/></root>'.encode()) == {"名": ""}
    assert loads("<名><名/></名>".encode(), dialect="plain") == {"名": ""}
    assert place('<root type="map"><a\u200c/></root>'.encode()) == ("malformed", 19, "$")
    assert place("<a\u200c/>".encode(), "plain")[0] == "malformed"


def test_an_error_is_not_lost_where_expat_finds_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise etree.LxmlError("no")

    monkeypatch.setattr(etree, "fromstring", fail)
    assert place(b" <root></root >") == ("malformed", 1, "$")  # which the compiled reader leaves to it


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


def test_what_libxml2_would_not_read_is_not_written() -> None:
    value: Any = []
    for _ in range(2047):
        value = [value]
    with pytest.raises(EncodeError, match="libxml2") as caught:
        dumps(value, limits=Limits.unlimited())
    assert caught.value.kind == "limit"
    assert dumps(value[0], limits=Limits.unlimited())


def test_many_attributes_are_refused_in_linear_time() -> None:
    body = b"<root " + b" ".join(b'a%d="1"' % number for number in range(40_000)) + b"/>"
    for dialect in ("typed", "plain"):
        assert refused(body, dialect).kind == "malformed"
