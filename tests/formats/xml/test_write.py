"""XML, both dialects: what is written byte for byte, and what cannot be."""

from __future__ import annotations

import math
import subprocess
import sys
from typing import Any

import orjson
import pytest
from hypothesis import given

from envelope.errors import EncodeError
from envelope.limits import DEFAULT_LIMITS, Limits
from envelope.testing.strategies import values
from envelope.values.php_rules import INT_MAX, INT_MIN
from envelope.values.php_types import same
from tests.formats.xml.ways import dumps, loads, plain, written

pytestmark = pytest.mark.usefixtures("impl")


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


def test_default_is_called() -> None:
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


def test_importing_does_not_import_lxml() -> None:
    code = "import sys, envelope.formats.xml.write as x; x.dumps([1]); assert 'lxml' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_what_libxml2_would_not_read_is_not_written() -> None:
    value: Any = []
    for _ in range(2047):
        value = [value]
    with pytest.raises(EncodeError, match="libxml2") as caught:
        dumps(value, limits=Limits.unlimited())
    assert caught.value.kind == "limit"
    assert dumps(value[0], limits=Limits.unlimited())
