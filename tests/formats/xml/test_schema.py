"""The RELAX NG of both dialects: what is written is valid, and what is read is what is valid, but for what it says."""

from __future__ import annotations

from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

import envelope
from envelope.options import Dialect
from envelope.testing import values

DIALECTS: list[Dialect] = ["typed", "plain"]
SCHEMAS = {
    name: etree.RelaxNG(etree.fromstring(files("envelope.formats.xml").joinpath(f"{name}.rng").read_bytes()))
    for name in DIALECTS
}


def is_valid(document: bytes, dialect: Dialect) -> bool:
    parser = etree.XMLParser(resolve_entities=False, huge_tree=True, remove_comments=dialect == "plain")
    return bool(SCHEMAS[dialect].validate(etree.fromstring(document, parser)))


@pytest.mark.parametrize("dialect", DIALECTS)
@given(value=values(controls=False))
def test_what_is_written_is_valid(value: object, dialect: Dialect) -> None:
    assert is_valid(envelope.dumps(value, "xml", dialect=dialect), dialect)


NAMES = st.sampled_from(["item", "root", "a", "b-c"])
ATTRIBUTES = st.dictionaries(
    st.sampled_from(["type", "key", "escaped", "escaped-key", "other"]),
    st.sampled_from(["map", "list", "int", "float", "bool", "null", "string", "true", ""]),
    max_size=2,
)
TEXTS = st.sampled_from(["", " ", "0", "-0", "7", " 7", "1.5", "1e3", "01", "true", "yes", "&amp;", "\n"])


@st.composite
def elements(draw: st.DrawFn, children: st.SearchStrategy[str]) -> str:
    name = draw(NAMES)
    attributes = "".join(f' {each}="{value}"' for each, value in draw(ATTRIBUTES).items())
    return f"<{name}{attributes}>{draw(children)}</{name}>"


CONTENT = st.recursive(TEXTS, lambda inner: st.lists(st.one_of(elements(inner), TEXTS), max_size=3).map("".join))


@pytest.mark.parametrize("dialect", DIALECTS)
@given(content=CONTENT, kind=st.sampled_from(["", ' type="map"', ' type="list"', ' type="int"', ' key="k"']))
def test_what_is_valid_is_read_and_nothing_else(content: str, kind: str, dialect: Dialect) -> None:
    document = f"<root{kind}>{content}</root>".encode()
    try:
        envelope.loads(document, "xml", dialect=dialect)
    except envelope.DecodeError as error:
        assert error.kind == "malformed"
        assert not is_valid(document, dialect), (document, str(error))
    else:
        assert is_valid(document, dialect), document


@pytest.mark.parametrize(
    ("document", "dialect"),
    [
        (b'<root type="int">99999999999999999999</root>', "typed"),
        (b'<root type="list"><thing/></root>', "typed"),
        (b'<root type="null"> </root>', "typed"),
        (b'<list type="list"/>', "typed"),
        (b'<root other="1"/>', "plain"),
        (b"<root>text<a/></root>", "plain"),
    ],
)
def test_what_is_refused_is_not_valid(document: bytes, dialect: Dialect) -> None:
    with pytest.raises(envelope.DecodeError):
        envelope.loads(document, "xml", dialect=dialect)
    assert not is_valid(document, dialect)
