"""XML of other hands in the plain dialect: comments, attributes, namespaces, and which elements are lists."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envelope.errors import DecodeError, EncodeError
from envelope.limits import Limits
from envelope.options import FOREIGN, ReadOptions
from envelope.testing.php import Php
from envelope.testing.strategies import values
from envelope.values.php_types import same
from tests.formats.xml import simplexml_run
from tests.formats.xml.documents import PASSED, random_document
from tests.formats.xml.ways import dumps, loads, place, refused

pytestmark = pytest.mark.usefixtures("impl")

KEEP = {"attributes": "keep", "namespaces": "keep"}
DROP = {"attributes": "drop", "namespaces": "drop"}
REPEATED = {**KEEP, "lists": "repeated"}


def read(data: bytes, **options: Any) -> Any:
    return loads(data, dialect="plain", **options)


def fault(data: bytes, **options: Any) -> DecodeError:
    with pytest.raises(DecodeError) as caught:
        read(data, **options)
    return caught.value


# ------------------------------------------------------------------------------ comments, processing instructions


@pytest.mark.parametrize("options", [{}, KEEP, REPEATED, {"lists": ["x"]}])
@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"<!-- a --><r>1</r>", "1"),
        (b'<?xml version="1.0"?>\n<!-- a -->\n<?p?> <r>1</r> <!-- b --> <?p q?>\n', "1"),
        (b"\xef\xbb\xbf<!----><r/>", ""),
        (b"<!-- <!DOCTYPE r> <?xml ?> --><r/>", ""),
        (b"<!--><!DOCTYPE r>--><r/>", ""),
        (b"<?xml-stylesheet href='a.xsl'?><r><a>1</a></r>", {"a": "1"}),
        (b"<r>a<!-- b -->c<?d?>e<![CDATA[<f>]]>g</r>", "ace<f>g"),
        (b"<r><!-- a --></r>", ""),
        (b"<r> <!-- a --> </r>", "  "),
        (b"<r>\n<!-- a -->\n<a/><?b?> </r>", {"a": ""}),
        (b"<r><a>1<!-- --></a><a><!-- -->2</a></r>", {"a": ["1", "2"]}),
        (b"<r><?php echo '<a/>'; ?></r>", ""),
        (b"<r><![CDATA[<!-- -->]]><![CDATA[]]></r>", "<!-- -->"),
        (b"<a><b><![CDATA[]]></b></a>", {"b": ""}),
    ],
)
def test_comments_and_the_like_are_passed_over(data: bytes, value: object, options: dict[str, Any]) -> None:
    assert same(read(data, **options), value)


@given(value=values(controls=False), choices=st.data())
def test_comments_anywhere_change_nothing(value: object, choices: st.DataObject) -> None:
    try:
        body = dumps(value, dialect="plain")
    except EncodeError:
        return
    passed = st.lists(st.sampled_from(PASSED[:-1]), max_size=2).map(lambda found: "".join(found).encode())
    with_them = re.sub(rb"<[^>]*>", lambda tag: tag[0] + choices.draw(passed), body)
    assert same(read(with_them), read(body))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"<!-- a --><!DOCTYPE r><r/>", ("forbidden", 10, "$")),
        (b"<?p?>\n<!DOCTYPE r [<!ENTITY a 'b'>]><r>&a;</r>", ("forbidden", 6, "$")),
        (b"<!-- > --><!-- --> <!DOCTYPE r>", ("forbidden", 19, "$")),
        (b"<!---><!DOCTYPE r><r/>", ("malformed", 0, "$")),
        (b"<!-- -- --><!DOCTYPE r><r/>", ("forbidden", 11, "$")),
        (b"<?p><!DOCTYPE r><r/>", ("malformed", 0, "$")),
        (b"<r/><!-- --><!DOCTYPE r>", ("malformed", 12, "$")),
        (b"<?php exit;?><r/>", ("forbidden", 0, "$")),
        (b"<!-- --><?PHP\nexit;?><r/>", ("forbidden", 8, "$")),
        (b"<!-- --><?xml version='1.0'?><r/>", ("malformed", 8, "$")),
        (b"<!-- a", ("malformed", 0, "$")),
        (b"<?p", ("malformed", 0, "$")),
        (b"<!-- a -->", ("malformed", 10, "$")),
        (b"<!-- a -->x", ("malformed", 10, "$")),
        (b"<r><!-- a -- b --></r>", ("malformed", 12, "$")),
        (b"<r><!-- x", ("malformed", 3, "$")),
        (b"<r><!-- a --> <?b?>x<a/></r>", ("malformed", 19, "$")),
        (b"<r><a/><?b ' >?>x</r>", ("malformed", 16, "$")),
        (b"<r><a/>x<!-- --></r>", ("malformed", 7, "$")),
    ],
)
def test_what_is_no_comment(data: bytes, expected: tuple[str, int, str]) -> None:
    for options in ({}, KEEP):
        error = fault(data, **options)
        if expected[0] == "malformed" and data.startswith((b"<!--->", b"<?p>")):
            assert error.kind == "malformed"  # wherever expat sees that it has no end
        else:
            assert (error.kind, error.offset, error.path) == expected


def test_the_typed_dialect_has_neither_and_says_what_reads_them() -> None:
    for before in (b"<!-- -->", b"<?p?>\n"):
        assert place(before + b"<root/>") == place(before + b"<rss/>") == ("forbidden", 0, "$")
        assert "plain" in str(refused(before + b"<rss><a/></rss>").hint)
        assert "plain" in str(refused(before + b"<roots/>").hint)
        for rest in (b"<root/>", b"<root type='map'/>", b"<!DOCTYPE r>", b"<?php", b"", b"<"):
            assert refused(before + rest).hint is None
    assert refused(b"<root>1<!-- -->2</root>").hint is None


# --------------------------------------------------------------------------------------------------- attributes


@pytest.mark.parametrize(
    ("data", "kept", "dropped"),
    [
        (b'<r x="1"/>', {"@attributes": {"x": "1"}}, ""),
        (b'<r x="1">t</r>', {"@attributes": {"x": "1"}, "0": "t"}, "t"),
        (b'<r x=""> </r>', {"@attributes": {"x": ""}, "0": " "}, " "),
        (b'<r x="1"><a>t</a></r>', {"@attributes": {"x": "1"}, "a": "t"}, {"a": "t"}),
        (b'<r><a x="1">t</a><a/></r>', {"a": [{"@attributes": {"x": "1"}, "0": "t"}, ""]}, {"a": ["t", ""]}),
        (b'<r key="1" type="x"/>', {"@attributes": {"key": "1", "type": "x"}}, ""),
        (b'<r><a key="1"/></r>', {"a": {"@attributes": {"key": "1"}}}, {"a": ""}),
        (b'<item key="1"/>', {"@attributes": {"key": "1"}}, ""),
        # a list of items, with attributes: as a map, in which items are a list even if there is one
        (b'<r x="1"><item>a</item></r>', {"@attributes": {"x": "1"}, "item": ["a"]}, ["a"]),
        (b'<r x="1"><item>a</item><item/></r>', {"@attributes": {"x": "1"}, "item": ["a", ""]}, ["a", ""]),
        (b'<r><item id="0">a</item></r>', [{"@attributes": {"id": "0"}, "0": "a"}], ["a"]),
        # an item's key stays its key
        (b'<r><item key="0" x="1">a</item></r>', {"0": {"@attributes": {"x": "1"}, "0": "a"}}, {"0": "a"}),
        (
            b'<r x="1"><item key="@attributes">a</item></r>',
            {"@attributes": [{"x": "1"}, "a"]},
            {"@attributes": "a"},
        ),
    ],
)
def test_attributes(data: bytes, kept: object, dropped: object) -> None:
    assert same(read(data, attributes="keep"), kept)
    assert same(read(data, attributes="drop"), dropped)
    assert list(read(data, attributes="keep")) == list(kept)  # type: ignore[call-overload]  # in order


def test_attributes_count() -> None:
    data = b'<r><a x="1" y="2">t</a></r>'
    limits = [Limits(max_items=count) for count in range(7)]
    for bound in limits[5:]:
        read(data, attributes="keep", limits=bound)
    for bound in limits[:5]:  # a, @attributes, x, y, and the text
        assert fault(data, attributes="keep", limits=bound).kind == "limit"
    error = fault(data, attributes="keep", limits=limits[4])
    assert (error.offset, error.path) == (18, "$.a")
    assert fault(data, attributes="keep", limits=limits[3]).offset == 3
    read(data, attributes="drop", limits=limits[1])
    read(data, attributes="keep", limits=Limits(max_depth=3))
    assert fault(data, attributes="keep", limits=Limits(max_depth=2)).kind == "limit"


@pytest.mark.parametrize("lists", [(), ["a.a"], "repeated"])
def test_limits_hold_with_options(lists: Any) -> None:
    options = {**KEEP, "lists": lists}
    assert fault(b"<a>" * 202 + b"</a>" * 202, **options).kind == "limit"
    assert fault(b"<a>" * 1_000_000, **options).kind == "limit"
    assert fault(b"<r>" + b"<a/>" * 11 + b"</r>", limits=Limits(max_items=10), **options).kind == "limit"
    assert fault(b"<r/>", limits=Limits(max_bytes=3), **options).kind == "limit"


# --------------------------------------------------------------------------------------------------- namespaces


@pytest.mark.parametrize(
    ("data", "kept", "dropped"),
    [
        (b"<r><image:loc>u</image:loc></r>", {"image:loc": "u"}, {"loc": "u"}),
        (b'<A xmlns:x="u" xmlns="v"><V><Id>1</Id></V></A>', {"V": {"Id": "1"}}, {"V": {"Id": "1"}}),
        (b'<p:r xmlns:p="u"><p:a/><a/><q:a/></p:r>', {"p:a": "", "a": "", "q:a": ""}, {"a": ["", "", ""]}),
        (b"<r><p:item>a</p:item></r>", {"p:item": "a"}, ["a"]),
        (b'<r><p:item key="b">a</p:item></r>', {"p:item": {"@attributes": {"key": "b"}, "0": "a"}}, {"b": "a"}),
        (b'<r xml:lang="en"/>', {"@attributes": {"xml:lang": "en"}}, {"@attributes": {"lang": "en"}}),
        (b'<r a="1" p:a="2"/>', {"@attributes": {"a": "1", "p:a": "2"}}, {"@attributes": {"a": ["1", "2"]}}),
        (b'<r><item p:key="a"/></r>', [{"@attributes": {"p:key": "a"}}], [{"@attributes": {"key": "a"}}]),
        (b"<r><a:/><:b/><c:d:e/></r>", {"a:": "", ":b": "", "c:d:e": ""}, {"a:": "", "b": "", "d:e": ""}),
        (b'<r xmlnsx="1"/>', {"@attributes": {"xmlnsx": "1"}}, {"@attributes": {"xmlnsx": "1"}}),
    ],
)
def test_namespaces(data: bytes, kept: object, dropped: object) -> None:
    assert same(read(data, attributes="keep", namespaces="keep"), kept)
    assert same(read(data, attributes="keep", namespaces="drop"), dropped)


@given(seed=st.integers(0, 10**6), lists=st.sampled_from([(), "repeated", ["a.b", "[*].item", "item.item[*].a"]]))
def test_without_prefixes_it_is_the_same_document(seed: int, lists: Any) -> None:
    for attributes in ("keep", "drop"):
        expected = read(random_document(seed, prefixes=False), attributes=attributes, lists=lists)
        found = read(random_document(seed), attributes=attributes, namespaces="drop", lists=lists)
        assert same(found, expected)


@given(value=values(controls=False), attributes=st.sampled_from(FOREIGN), namespaces=st.sampled_from(FOREIGN))
def test_what_needs_no_option_is_read_the_same_with_any(value: object, attributes: str, namespaces: str) -> None:
    try:
        body = dumps(value, dialect="plain")
    except EncodeError:
        return
    for lists in ((), ["nowhere.to.be.found"]):
        assert same(read(body, attributes=attributes, namespaces=namespaces, lists=lists), read(body))


@pytest.mark.parametrize(
    ("data", "options", "expected"),
    [
        (b'<r><a x="1"/></r>', {}, ("malformed", 3, "$.a", "attributes")),
        (b'<r><a type="integer"/></r>', {}, ("malformed", 3, "$.a", "attributes")),
        (b'<r><a type="int"/></r>', {}, ("malformed", 3, "$.a", "typed-dialect")),
        (b'<r><a key="1"/></r>', {"lists": ["b"]}, ("malformed", 3, "$.a", "attributes")),
        (b'<r><item key="1"/></r>', {"lists": "repeated"}, ("malformed", 3, "$.item", "attributes")),
        (b'<r><p:a q:x="1"/></r>', {"namespaces": "drop"}, ("malformed", 3, "$.a", "attributes")),
        (b"<r><p:a/></r>", {}, ("forbidden", 3, "$", "namespaces")),
        (b'<r xmlns="u"/>', {"attributes": "keep"}, ("forbidden", 0, "$", "namespaces")),
        (b'<r xmlns="u"/>', {"attributes": "drop"}, ("forbidden", 0, "$", "namespaces")),
        (b'<r xmlns:p="u"/>', {"attributes": "drop"}, ("forbidden", 0, "$", "namespaces")),
        (b'<r p:x="u"/>', {"attributes": "keep"}, ("forbidden", 0, "$", "namespaces")),
        (b"<r>t<a/></r>", KEEP, ("malformed", 3, "$", "text-or-elements")),
        (b'<r><a x="1">t<b/></a></r>', KEEP, ("malformed", 12, "$.a", "text-or-elements")),
        (b"<r><a/><a/><item>&b;</item></r>", REPEATED, ("malformed", 17, "$.item", "ampersand")),
        (b"<r><item/><item>&b;</item></r>", REPEATED, ("malformed", 16, "$.item[1]", "ampersand")),
    ],
)
def test_refusals(data: bytes, options: dict[str, Any], expected: tuple[str, int, str, str]) -> None:
    error = fault(data, **options)
    assert error.hint is not None
    assert (error.kind, error.offset, error.path, error.hint.name) == expected


def test_what_is_dropped_has_no_prefix_to_refuse() -> None:
    assert read(b'<r xml:lang="en"><a p:x="1">t</a></r>', attributes="drop") == {"a": "t"}


# --------------------------------------------------------------------------------------------------------- lists


@pytest.mark.parametrize(
    ("data", "lists", "value"),
    [
        (b"<r><ts><t>1</t></ts></r>", ["ts.t"], {"ts": {"t": ["1"]}}),
        (b"<r><ts><t>1</t></ts></r>", ["$.ts.t", "ts"], {"ts": [{"t": ["1"]}]}),
        (b"<r><ts><t>1</t><t>2</t></ts></r>", ["ts.t"], {"ts": {"t": ["1", "2"]}}),
        (b"<r><ts/><t/></r>", ["ts.t", "t"], {"ts": "", "t": [""]}),
        (b"<r><t><item>1</item></t></r>", ["t"], {"t": [["1"]]}),
        (b"<r><item><o><p>1</p></o></item></r>", ["[*].o.p"], [{"o": {"p": ["1"]}}]),
        (b"<r><item><item><a/></item></item></r>", ["[*][*].a"], [[{"a": [""]}]]),
        (b"<r><v><i/></v></r>", ["v[*].i"], {"v": {"i": [""]}}),
        (b"<r><v><i/></v><v/></r>", ["v[*].i"], {"v": [{"i": [""]}, ""]}),
        (b"<r><v><i/></v><v/></r>", ["v.i"], {"v": [{"i": [""]}, ""]}),
        (b"<r><v><item><i/></item></v></r>", ["v[*].i"], {"v": [{"i": [""]}]}),
        (b"<r><v><item><i/></item></v></r>", ["v[*][*].i", "v"], {"v": [[{"i": [""]}]]}),
        # items that are named are members of a map
        (b"<r><is><item>1</item></is></r>", ["is.item"], {"is": {"item": ["1"]}}),
        (b"<r><is><item><a/></item></is></r>", ["is.item", "is.item[*].a"], {"is": {"item": [{"a": [""]}]}}),
        (b"<r><a/><item><b/></item></r>", ["item.b"], {"a": "", "item": {"b": [""]}}),
        (b'<r><item key="a b">1</item></r>', ['["a b"]'], {"a b": ["1"]}),
        (b"<r><p:a/></r>", ['["p:a"]'], {"p:a": [""]}),
        (b"<r><a/></r>", {"a"}, {"a": [""]}),
        (b'<r x="1"><a/></r>', ["a", "nowhere"], {"@attributes": {"x": "1"}, "a": [""]}),
    ],
)
def test_lists(data: bytes, lists: Any, value: object) -> None:
    assert same(read(data, lists=lists, **KEEP), value)


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"<r><item>1</item></r>", {"item": "1"}),
        (b"<r><item>1</item><item>2</item></r>", {"item": ["1", "2"]}),
        (b"<r><item><item/></item></r>", {"item": {"item": ""}}),
        (b"<item>1</item>", "1"),
        (b"<r><item><a>5</a></item><b/></r>", {"item": {"a": "5"}, "b": ""}),
        (b'<r><item key="0">1</item></r>', {"item": {"@attributes": {"key": "0"}, "0": "1"}}),
        (b'<r x="1"><item>1</item></r>', {"@attributes": {"x": "1"}, "item": "1"}),
    ],
)
def test_only_what_is_repeated_is_a_list(data: bytes, value: object) -> None:
    assert same(read(data, **REPEATED), value)


def test_deep_items_have_as_many_places_as_paths() -> None:
    """… and not twice as many at each level."""
    paths = ["[*]" * depth + ".item[*]" * 20 + ".a" for depth in range(20)]
    body = b"<item>" * 150 + b"</item>" * 150
    assert same(read(body, lists=[path.removeprefix(".") for path in paths]), read(body))


@pytest.mark.parametrize(
    ("lists", "error", "message"),
    [
        ("a.b", TypeError, "lists must be 'repeated' or a collection of paths, as in"),
        ([1], TypeError, "a path of lists must be a str, not int"),
        (5, TypeError, "not iterable"),
        (None, TypeError, "not iterable"),
        (["a["], ValueError, "not a path from character 1 on"),
        (["p:a"], ValueError, "not a path from character 1 on"),
        ([""], ValueError, "ends in a name, unlike ''"),
        (["$"], ValueError, "ends in a name"),
        (["a[*]"], ValueError, "ends in a name"),
        (["a[0].b"], ValueError, "names and"),
        (["a." + "b" * 99 + "[1]"], ValueError, "b'$"),
    ],
)
def test_paths_are_checked_when_the_options_are_made(lists: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        ReadOptions(dialect="plain", lists=lists)
    with pytest.raises(error, match=message):
        read(b"<r/>", lists=lists)


def test_options_are_alike_if_their_paths_are() -> None:
    alike: list[Any] = [["a", "b.c"], ("a", "b.c"), iter(["a", "b.c"])]
    options = [ReadOptions(dialect="plain", lists=lists) for lists in alike]
    assert len(set(options)) == 1
    assert options[0] != ReadOptions(dialect="plain", lists="repeated") != ReadOptions(dialect="plain")


@pytest.mark.parametrize("option", [{"attributes": "drop"}, {"namespaces": "keep"}, {"lists": ["a"]}])
def test_the_typed_dialect_has_none_of_it(option: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match='in the dialect "plain"'):
        loads(b"<root/>", **option)


# ------------------------------------------------------------------------------------------------------ SimpleXML


@pytest.mark.php
def test_what_simplexml_reads(php: Php) -> None:
    assert simplexml_run.compare(php, seed=1, count=simplexml_run.COUNT_IN_TESTS) == []


@pytest.mark.php
def test_the_comparison_with_simplexml_can_fail(php: Php, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simplexml_run, "is_hidden", lambda _: False)
    assert simplexml_run.compare(php, seed=1, count=50)
