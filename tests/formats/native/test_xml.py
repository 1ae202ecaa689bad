"""Compiled XML beside the Python functions, its specification: the same bytes, the same values, the same errors."""

from __future__ import annotations

import contextlib
import enum
import gc
import math
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from lxml import etree

from envelope import same
from envelope.errors import DecodeError, EncodeError
from envelope.formats.xml import read, write
from envelope.limits import DEFAULT_LIMITS, Limits
from envelope.testing.strategies import values
from tests.effort import THOROUGH
from tests.native import by_words, extension, quick_refusals, resident
from tests.random_values import random_float, random_value

compiled_dumps = by_words(extension("xml._write").dumps)
compiled_loads = by_words(extension("xml._read").loads)
python_dumps = by_words(write.dumps)
python_loads = by_words(read.loads)  # kept for the tests in which the compiled functions cannot fall back on it

FIXTURES = Path(__file__).parents[3] / "fixtures"
DECLARATION = b'<?xml version="1.0" encoding="utf-8"?>'
MAP = b'<root type="map">'
LIST = b'<root type="list">'

both = pytest.mark.parametrize("dialect", ["typed", "plain"])


class Text(str):
    pass


class Number(enum.IntEnum):
    ONE = 1


limits = st.builds(
    Limits,
    max_bytes=st.sampled_from([0, 38, 45, 60, 100, 200, 2**20, sys.maxsize, 2**70]),
    max_depth=st.sampled_from([0, 1, 2, 3, 200, 600, 2**70]),
    max_items=st.sampled_from([0, 1, 2, 5, 10, 2**20, 2**70]),
)
irregular = st.sampled_from(
    [(1,), b"x", math.nan, math.inf, -math.inf, 2**63, -(2**63) - 1, "\ud800", "a\udfffb", "\0\ud800", "中\ud800",
     Text("a"), Number.ONE, {1: 2}, {Text("a"): 1}, {"\ud800": 1}, {"a\0\udc00": ""}, {"b": 1, None: 2}, {1, 2}, object]
)  # fmt: skip


def outcome(function: Callable[..., Any], *args: Any, **options: Any) -> tuple[Any, ...]:
    """The outcome of a call: ``("value", …)``, or everything about its error."""
    try:
        return "value", function(*args, **options)
    except DecodeError as error:
        assert error.__context__ is None
        return DecodeError, error.kind, error.format, error.offset, error.path, error.reason, error.hint
    except EncodeError as error:
        return EncodeError, error.kind, error.format, error.path, error.reason, error.hint
    except TypeError as error:
        return TypeError, str(error)


def assert_written_alike(value: object, **options: Any) -> None:
    assert outcome(compiled_dumps, value, **options) == outcome(python_dumps, value, **options)


def assert_read_alike(data: object, **options: Any) -> bool:
    """… and whether it was a document."""
    found, expected = outcome(compiled_loads, data, **options), outcome(python_loads, data, **options)
    if expected[0] != "value":
        assert found == expected
        return False
    assert found[0] == "value"
    assert same(found[1], expected[1])
    return True


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The compiled functions without the Python ones to fall back on."""

    def refuse(*_: object) -> None:
        raise AssertionError("this was left to the Python function")

    monkeypatch.setattr(write, "dumps", refuse)
    monkeypatch.setattr(read, "loads", refuse)


# ---------------------------------------------------------------------------------------------------- writing


@given(value=values())
@example(value=[{"\0": "\0", "a\r": "\r\n"}, "]]>", {"xmlns": "xmlns:a='b'", "xml:b": "<!-- <? -->"}])
@example(value=["é" * 2000 + "\x01", "中" * 2000, "😀&" * 2000, "&" * 5000, {"é\0" * 2000: 1}, {"k" * 5000: 1}])
def test_the_same_bytes(value: object) -> None:
    assert_written_alike(value, dialect="plain")
    body = compiled_dumps(value)
    assert body == python_dumps(value)
    assert etree.fromstring(body, etree.XMLParser(huge_tree=True)).tag == "root"
    assert same(python_loads(body), value)


def with_something_irregular(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(children, max_size=3) | st.dictionaries(st.sampled_from("ab\0"), children, max_size=3)


@both
@given(value=st.recursive(irregular | values(max_leaves=3), with_something_irregular, max_leaves=6))
def test_what_is_irregular_is_refused_the_same_way(dialect: str, value: object) -> None:
    assert_written_alike(value, dialect=dialect)
    assert_written_alike(value, dialect=dialect, default=lambda one: str(one).encode("ascii", "replace").decode())


@both
@given(value=values(max_leaves=12), bounds=limits)
def test_limits_of_writing(dialect: str, value: object, bounds: Limits) -> None:
    assert_written_alike(value, dialect=dialect, limits=bounds)


@both
@given(value=values(controls=False))
def test_limits_of_writing_are_exact(dialect: str, value: object) -> None:
    size = len(python_dumps(value, dialect=dialect))
    for bound in (size, size - 1):
        assert_written_alike(value, dialect=dialect, limits=Limits(max_bytes=bound))


@both
@pytest.mark.memory
def test_long_output_against_its_limit(dialect: str) -> None:
    for value in (["a"] * 1000, {f"k{number}": "é&" for number in range(1000)}, "\r" * 5000):
        size = len(python_dumps(value, dialect=dialect))
        for bound in (size, size - 1, size // 2):
            assert_written_alike(value, dialect=dialect, limits=Limits(max_bytes=bound))
    assert_written_alike(["&" * 1_000_000] * 20, dialect=dialect)


def nested(depth: int) -> Any:
    value: Any = "a"
    for _ in range(depth):
        value = {"a": value} if depth % 2 else [value]
    return value


@pytest.mark.parametrize("depth", [199, 200, 201, 510, 511, 512, 513, 2047, 2048])
def test_depth(depth: int) -> None:
    for bounds in (DEFAULT_LIMITS, Limits.unlimited(), Limits(max_depth=depth), Limits(max_depth=depth - 1)):
        for dialect in ("typed", "plain"):
            assert_written_alike(nested(depth), dialect=dialect, limits=bounds)
        body = LIST + b'<item type="list">' * (depth - 1) + b"</item>" * (depth - 1) + b"</root>"
        assert_read_alike(body, limits=bounds)
        assert_read_alike(b"<a>" * (depth + 1) + b"</a>" * (depth + 1), dialect="plain", limits=bounds)


def test_a_value_that_contains_itself() -> None:
    loop: list[Any] = []
    loop.append({"a": loop})
    for bounds in (DEFAULT_LIMITS, Limits.unlimited()):
        assert_written_alike(loop, limits=bounds)


def test_floats_are_spelled_as_orjson_spells_them() -> None:
    rng = Random(1)
    numbers = [random_float(rng) for _ in range(20_000)]
    numbers += [
        float(f"{rng.randrange(1, 10 ** rng.randrange(1, 18))}e{rng.randrange(-25, 25)}") for _ in range(20_000)
    ]
    numbers += [sign * 10.0**power for power in range(-323, 309) for sign in (1, -1)] + [5e-324, 0.0, -0.0, 2.0**53]
    pieces = compiled_dumps(numbers).removesuffix(b"</item></root>").split(b'<item type="float">')[1:]
    assert [piece.removesuffix(b"</item>") for piece in pieces] == orjson.dumps(numbers)[1:-1].split(b",")


# ---------------------------------------------------------------------------------------------------- reading


@given(value=values())
@example(value=["é" * 2000 + "\x01", "中" * 2000, "😀&" * 2000, "&" * 5000, {"é\0" * 2000: 1}, {"k" * 5000: 1}])
def test_what_was_written_is_read(value: object) -> None:
    body = python_dumps(value)
    for data in (body, bytearray(body), memoryview(body)):
        assert same(compiled_loads(data), value)


@pytest.mark.usefixtures("alone")
@given(value=values())
def test_regular_values_do_not_need_the_python_writer(value: object) -> None:
    body = compiled_dumps(value, values="php", maps="object")
    assert same(compiled_loads(body), value)
    assert same(compiled_loads(body.removeprefix(DECLARATION).replace(b"><", b">\n\t <")), value)


@pytest.mark.usefixtures("alone")
@given(value=values(controls=False))
@example(value=["中" * 2000, "😀&" * 2000, "&" * 5000, {"é" * 2000: 1}, {"k" * 5000: 1}, *"a" * 200])
def test_regular_plain_values_do_not_need_the_python_writer(value: object) -> None:
    body = compiled_dumps(value, values="php", maps="object", dialect="plain")
    for data in (body, body.removeprefix(DECLARATION).replace(b"><", b">\n\t <")):
        assert same(compiled_loads(data, dialect="plain"), python_loads(data, dialect="plain"))


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("seed", range(4))
def test_regular_documents_do_not_need_the_python_reader(seed: int) -> None:
    rng = Random(seed)
    for _ in range(1000):
        body = random_document(rng)
        for data in (body, bytearray(body), memoryview(body)):
            assert same(compiled_loads(data, dialect="plain"), python_loads(body, dialect="plain"))


def random_document(rng: Random) -> bytes:
    """A document as others write them: names that repeat, items among them, white space between elements."""
    name = rng.choice(("root", "r", "xml", "item"))
    return f"{random_space(rng)}<{name}{random_content(rng, 4)}</{name}>{random_space(rng)}".encode()


def random_space(rng: Random) -> str:
    return "".join(rng.choices(" \t\r\n", k=rng.randrange(3)))


def random_content(rng: Random, depth: int) -> str:
    """What stands behind an element's name, up to its end tag: text or elements."""
    if not depth or rng.random() < 0.4:
        return ">" + rng.choice(("", " ", "a", "中", "&amp;", "&#13;", "\n", "&#x1F600;", "é&lt;", "]] >"))
    names = rng.choice(
        (("item",), ("a",), ("a", "b", "c", "d"), ("a", "item", 'item key="a"'), ("item", 'item key="item"'))
    )
    pieces = [f"{random_space(rng)}>"]
    for _ in range(rng.choice((1, 2, 3, 9))):
        name = rng.choice(names)
        if rng.random() < 0.2:
            pieces.append(f"<{name}{random_space(rng)}/>")
        else:
            pieces.append(f"<{name}{random_content(rng, depth - 1)}</{name.split()[0]}>")
        pieces.append(random_space(rng))
    return "".join(pieces)


@both
@given(value=values(max_leaves=12, controls=False), bounds=limits)
def test_limits_of_reading(dialect: str, value: object, bounds: Limits) -> None:
    assert_read_alike(python_dumps(value, dialect=dialect), dialect=dialect, limits=bounds)


# What a body is broken with: tokens of the grammar, and subjects of XML's own rules.
FRAGMENTS = (
    b"<item>", b"</item>", b"<item/>", b"<a>", b"</a>", b"<a/>", b"</root>", b"<root/>", b' type="list"', b' type="map"',
    b' type="int"', b' type="float"', b' type="bool"', b' type="null"', b' type=""', b' key="a"', b' key=""',
    b' escaped="true"', b' escaped-key="true"', b' xmlns="a"', b" a:b='1'", b"&amp;", b"&lt;", b"&quot;", b"&apos;",
    b"&#10;", b"&#13;", b"&#x41;", b"&#0065;", b"&#x;", b"&#;", b"&#0;", b"&#xFFFE;", b"&#xD800;", b"&#x10FFFF;",
    b"&#x110000;", b"&#99999999999;", b"&nbsp;", b"&", b";", b" ", b"\n", b"\t", b"\r", b"\r\n", b"]]>", b"]]", b"]",
    b"<!-- -->", b"<?x?>", b"<![CDATA[x]]>", b"<!DOCTYPE r>", b"\\u0041", b"\\u00E9", b"\\ud83d\\ude00", b"\\ud83d",
    b"\\n", b"\\/", b"\\q", b"\\", b'"', b"'", b"<", b">", b"/", b"=", b"0", b"-", b".5", b"e5", b"E+1", b"1e400", b"true",
    b"\0", b"\x01", b"\x7f", b"\xc2\x85", b"\xe4\xb8\xad", b"\xf0\x9f\x98\x80", b"\xef\xbb\xbf", b"\xef\xbf\xbe",
    b"\xed\xa0\x80", b"\xc0\x80", b"\xff", b"\xe4\xb8", b"xml", b"xmlns",
)  # fmt: skip


def broken(rng: Random, body: bytes) -> bytes:
    """*body* with a few flips, cuts, splices and fragments, seldom in its declaration."""
    data = bytearray(body)
    for _ in range(rng.randrange(1, 4)):
        at = rng.randrange(0 if rng.random() < 0.1 else min(38, len(data)), len(data) + 1)
        match rng.randrange(5):
            case 0 | 1:
                data[at:at] = rng.choice(FRAGMENTS)
            case 2:
                del data[at : at + rng.randrange(1, 3)]
            case 3:
                data[at : at + 1] = bytes([rng.randrange(256)])
            case _:
                start = rng.randrange(len(data) + 1)
                data[at:at] = data[start : start + rng.randrange(25)]
    return bytes(data)


@pytest.mark.parametrize("seed", range(4))
def test_broken_documents(seed: int) -> None:
    rng = Random(seed)
    documents = sum(assert_read_alike(broken(rng, python_dumps(random_value(rng, 3)))) for _ in range(2000))
    assert documents > 50  # not all are broken by it


@pytest.mark.parametrize("seed", range(4))
def test_broken_plain_documents(seed: int) -> None:
    rng = Random(seed)
    documents = sum(assert_read_alike(broken(rng, random_document(rng)), dialect="plain") for _ in range(2000))
    assert documents > 50


@pytest.mark.parametrize("seed", range(2))
def test_broken_documents_against_small_limits(seed: int) -> None:
    rng = Random(seed)
    for _ in range(1000):
        bounds = Limits(max_bytes=rng.randrange(300), max_depth=rng.randrange(4), max_items=rng.randrange(9))
        assert_read_alike(broken(rng, python_dumps(random_value(rng, 3))), limits=bounds)
        assert_read_alike(broken(rng, random_document(rng)), dialect="plain", limits=bounds)


@given(data=st.binary(max_size=40) | st.lists(st.sampled_from(FRAGMENTS), max_size=12).map(b"".join))
def test_any_bytes(data: bytes) -> None:
    for body in (data, b"<root>" + data + b"</root>", MAP + data + b"</root>", LIST + data + b"</root>"):
        for dialect in ("typed", "plain"):
            assert_read_alike(body, dialect=dialect)


def test_every_cut() -> None:
    body = (
        python_dumps({"a": [1, "é&", None, {"x y": "\0", "t": "a&b"}], "b": 1.5, "c": True, "d": {}, "中": -1}) + b"\n"
    )
    for length in range(len(body)):
        assert assert_read_alike(body[:length]) == (length == len(body) - 1)
    body = b'<r> <a>1</a><item key="&lt;">&#10;</item>\n<a/>\t<b><item>\xe4\xb8\xad</item><item/></b></r>\n'
    for length in range(len(body)):
        assert assert_read_alike(body[:length], dialect="plain") == (length == len(body) - 1)


@pytest.mark.parametrize(
    "body",
    [
        b"<root type = 'list' />",
        b'<root\ttype="list"\n/>',
        b'<root type="list" ></root>',
        b'<root type="list"></root >',
        b'<root type="list"/ >',
        b'<root type="list"type="list"/>',
        b'<root type="list" type="list"/>',
        b'<root type="null"></root>',
        b'<root type="null"> </root>',
        b'<root type="int">-0</root>',
        b'<root type="int">&#49;</root>',
        b'<root type="float">-0</root>',
        b'<root type="float">1e-999</root>',
        b'<root type="float">4.9e-324</root>',
        b'<root type="float">1.5E+3</root>',
        b'<root type="float">' + b"9" * 300 + b"." + b"9" * 300 + b"</root>",
        b'<root type="bool">True</root>',
        b"<root>a]]&gt;b]]</root>",
        b'<root escaped="true"></root>',
        b'<root escaped="true"/>',
        b'<root escaped="true">&#92;u00e9\\/\\ud83d&#x5c;ude00</root>',
        b'<root escaped="true">\xef\xbf\xbe</root>',
        b'<root escaped="true">\xed\xa0\x80</root>',
        b'<root escaped="true">\t</root>',
        MAP + b'<a>1</a><b>2</b><a type="list"/></root>',
        MAP + b'<item>1</item><item key="item">2</item></root>',
        MAP + b'<item escaped-key="true" type="int" key="\\u0001">2</item></root>',
        MAP + b'<item key="a&#9;&#10;&#13;&quot;">2</item></root>',
        MAP + b'<item key="a\tb">2</item></root>',
        MAP + b'<item key="a\r\nb">2</item></root>',
        MAP + b'<item key="]]>">2</item></root>',
        MAP + b'<item key="<">2</item></root>',
        MAP + b'<a key="b"/></root>',
        MAP + b'<a escaped-key="true"/></root>',
        MAP + b"<xml/><xmlns/><xMl-a/></root>",
        MAP + b"<a>\r\n</a>\r\n<b>\r</b></root>",
        MAP + b"&#32;<a/></root>",
        MAP + "<é/><a\u200c/></root>".encode(),
        MAP + b"<" + b"n" * 5000 + b">1</" + b"n" * 5000 + b"></root>",
        LIST + b'<item key="a"/></root>',
        LIST + b"<items/></root>",
        b'<root key="a"/>',
        b'<?xml version="1.0" encoding="UTF-8"?><root/>',
        b'<?xml version="1.0"?><root/>',
        b'\n<?xml version="1.0" encoding="utf-8"?><root/>',
        b"\xef\xbb\xbf<root/>",
        b" <root/> ",
        DECLARATION + b"\r\n<root/>\r\n",
        b"<root/>\0",
        b"<root/><root/>",
        b"<root>\xe4\xb8\xad&#20013;&#x1F600;</root>",
        b"<root>" + b"&#x1F600;" * 300 + b"</root>",
        # for the plain dialect
        b"<r> </r>",
        b"<r> \r\n<a/> </r>",
        b"<r> \r\n</r>",
        b"<r> x<a/></r>",
        b"<r><a/>x</r>",
        b"<r>&#32;<a/></r>",
        b"<r><a/>&#32;</r>",
        b"<r><a> <!-- --></a></r>",
        b"<r> <![CDATA[x]]></r>",
        b"<r> <?x?></r>",
        b"<r><",
        b"<r> <",
        b'<item key="a"/>',
        b'<item key="a"><a/></item>',
        b"<item>a</item>",
        b"<item><item/></item>",
        b'<r><item key=""/><item key=""/></r>',
        b'<r><item key="item"/><item>1</item><a/></r>',
        b"<r><item>1</item><item/><a>2</a><item><item/></item></r>",
        b"<r><a><item/><item/></a><a/><b><item/></b></r>",
        b"<r><a><item/><item/></a></r>",
        b"<r><a/><a><a/><a/></a></r>",
        b"<r>" + b"<a/>" * 1000 + b"</r>",
        b"<r><b/>" + b"<a/>" * 1000 + b"<item/></r>",
        b"<r>" + b"<a>" * 100 + b"</a><a/>" * 100 + b"</r>",
        b"<r>" + b"".join(b"<a%d/><item/>" % number for number in range(2000)) + b"</r>",
    ],
)
def test_edge_cases(body: bytes) -> None:
    for dialect in ("typed", "plain"):
        assert_read_alike(body, dialect=dialect)
        assert_read_alike(body + b" " * (1 << 20), dialect=dialect)  # as large documents are read


@both
@pytest.mark.memory
def test_large_documents(dialect: str) -> None:
    value = [{"a": number, "b c": [str(number), "中\r", number / 7]} for number in range(20_000)]
    body = python_dumps(value, dialect=dialect)
    assert compiled_dumps(value, dialect=dialect) == body
    assert same(compiled_loads(body, dialect=dialect), python_loads(body, dialect=dialect))


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("valid/*/body.xml")), ids=lambda path: path.parent.name)
def test_golden_files(path: Path) -> None:
    body = path.read_bytes()
    assert assert_read_alike(body)
    assert_read_alike(body, dialect="plain")
    for dialect in ("typed", "plain"):
        assert_written_alike(compiled_loads(body), dialect=dialect)


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("invalid/xml/*.xml")), ids=lambda path: path.stem)
def test_golden_files_that_are_refused(path: Path) -> None:
    assert not assert_read_alike(path.read_bytes())
    assert_read_alike(path.read_bytes(), dialect="plain")


# ---------------------------------------------------------------------------------------------------- options


@pytest.mark.parametrize(
    "options",
    [
        {"dialect": "plain"},
        {"dialect": "php"},
        {"dialect": Text("typed")},
        {"dialect": Text("plain")},
        {"dialect": "plain", "values": "php"},
        {"dialect": "plain", "values": "all"},
        {"dialect": "plain", "limits": None},
        {"dialect": None},
        {"values": "php"},
        {"values": "all"},
        {"values": 1},
        {"limits": None},
    ],
)
def test_options(options: dict[str, Any]) -> None:
    assert_written_alike([1], **options)
    assert_read_alike(b"<root><a>1</a></root>", **options)
    assert_read_alike(b"<root/>", **options)


@pytest.mark.parametrize("maps", ["array", "object", "list", None])
def test_maps(maps: Any) -> None:
    assert_written_alike({}, maps=maps)


@pytest.mark.parametrize("data", ["<root/>", None, 1, [b"<root/>"], memoryview(b"<root/>")[::-1]])
def test_what_is_not_bytes(data: object) -> None:
    assert_read_alike(data)


# ----------------------------------------------------------------------------------------------------- memory


VALUE = [{"a": "x" * 2000, "b c": ["é", 1, 2.5, None, True, "\0", "中" * 300]}]
BODY = python_dumps(VALUE)
PLAIN_VALUE = [{"a": "x" * 2000, "b c": ["é", 1, 2.5, None, True, "中" * 300]}] * 2
PLAIN_BODY = b'<r><a>%b</a><item key="\xc3\xa9"/> <a><b/><b>2</b></a><item/><b><item>%b</item></b></r>' % (
    b"x" * 2000,
    "中".encode() * 300,
)
dumps_plain = partial(compiled_dumps, dialect="plain")
loads_plain = partial(compiled_loads, dialect="plain")


@pytest.mark.memory
@pytest.mark.parametrize(
    ("function", "argument"),
    [
        (compiled_dumps, VALUE),
        (compiled_dumps, [*VALUE, 2**70]),
        (compiled_dumps, [*VALUE, "\ud800"]),
        (compiled_loads, BODY),
        (compiled_loads, BODY[:-1]),
        (compiled_loads, BODY.replace(b"2.5", b"2,5")),
        (compiled_loads, BODY.replace(b'key="', b'key="\xff')),
        (compiled_loads, BODY.replace("中".encode() * 300, b"\xe4\xb8" * 300)),
        (dumps_plain, PLAIN_VALUE),
        (dumps_plain, [*PLAIN_VALUE, "\0"]),
        (dumps_plain, [*PLAIN_VALUE, {"\0": 1}]),
        (loads_plain, PLAIN_BODY),
        (loads_plain, PLAIN_BODY[:-1]),
        (loads_plain, PLAIN_BODY.replace(b'key="', b'key="\xff')),
        (loads_plain, PLAIN_BODY.replace(b"<b/>", b"<b/>x")),
        (loads_plain, PLAIN_BODY.replace("中".encode() * 300, b"\xe4\xb8" * 300)),
    ],
    ids=[
        "dumps",
        "dumps-int",
        "dumps-surrogate",
        "loads",
        "loads-cut",
        "loads-float",
        "loads-key",
        "loads-text",
        "plain-dumps",
        "plain-dumps-control",
        "plain-dumps-key",
        "plain-loads",
        "plain-loads-cut",
        "plain-loads-key",
        "plain-loads-beside",
        "plain-loads-text",
    ],
)
def test_nothing_leaks(function: Callable[..., Any], argument: object) -> None:
    def call(times: int) -> int:
        for _ in range(times):
            with contextlib.suppress(DecodeError, EncodeError):
                function(argument)
        gc.collect()
        return sys.getallocatedblocks()

    call(1000)
    blocks, size = call(100), resident()
    call(100)
    with quick_refusals(read, "loads"), quick_refusals(write, "dumps"):
        assert call(10_000 if THOROUGH else 4000) - blocks < 1000
    assert resident() - size < 1 << 20
