"""XML, both dialects: what is read, and every refusal with its place."""

from __future__ import annotations

from typing import Any

import pytest

from envelope.errors import DecodeError
from envelope.values.php_types import same
from tests.formats.xml.ways import dumps, loads, place, read_as_usual, read_exactly, refused

pytestmark = pytest.mark.usefixtures("impl")


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
        (b"<?xml version='1.0' encoding='utf9'?><root/>", ("forbidden", 30, "$")),
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
        # bytes that are not text
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
        # its values, and the position in them
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
def test_invalid_ints(text: str) -> None:
    error = refused(f'<root type="int">{text}</root>'.encode())
    assert (error.kind, error.path) == ("malformed", "$")


@pytest.mark.parametrize(
    "text", ["", ".5", "1.", "01", "+1", " 1", "1_0.0", "nan", "INF", "Infinity", "1e", "0x1p3", "١", "1,5"]
)
def test_invalid_floats(text: str) -> None:
    assert refused(f'<root type="float">{text}</root>'.encode()).kind == "malformed"


@pytest.mark.parametrize("text", ["", "1", "0", "True", "TRUE", "true ", "yes"])
def test_invalid_bools(text: str) -> None:
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
        (b"<!DOCTYPE html><r/>", ("forbidden", 0, "$")),
    ],
)
def test_plain_refusals(data: bytes, expected: tuple[str, int, str]) -> None:
    assert place(data, "plain") == expected


def test_hints() -> None:
    assert "plain" in str(refused(b"<think><a>1</a></think>").hint)
    assert "plain" in str(refused(b"<root><a>1</a></root>").hint)
    assert "typed" in str(refused(b'<root type="map"/>', "plain").hint)
    assert "gzip" in str(refused(b"\x1f\x8b\x08\0").hint)
    assert "&amp;" in str(refused(b"<root>a & b</root>").hint)
    assert "&amp;" in str(refused(b"<a><url>http://example.org/?a=1&bc=2</url></a>", "plain").hint)
    assert "&amp;" in str(refused(b"<root>&bc</root>").hint)
    assert "control" in str(refused(b"<root>&amp;\x02</root>").hint)
    assert "control" in str(refused(b"<root>\x02</root>").hint)
    assert "unwrap() takes off space" in str(refused(b"\n<?xml version='1.0'?><root/>").hint)
    assert "TINYTEXT" in str(refused(dumps("x" * 300)[:255]).hint)
    cut = b"<root>" + b"<a>" * 82
    assert "TINYTEXT" in str(refused(cut + b"<a" + b"b" * (255 - len(cut) - 2), "plain").hint)
    assert refused(b"<root></a></root>").hint is None


def test_names_are_those_that_both_parsers_know() -> None:
    """XML 1.0's fifth edition allows names that expat, which follows the fourth, does not."""
    assert loads('<root type="map"><名/></root>'.encode()) == {"名": ""}
    assert loads("<名><名/></名>".encode(), dialect="plain") == {"名": ""}
    assert place('<root type="map"><a\u200c/></root>'.encode()) == ("malformed", 19, "$")
    assert place("<a\u200c/>".encode(), "plain")[0] == "malformed"
