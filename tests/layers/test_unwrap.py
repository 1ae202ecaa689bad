"""Layers: what is taken off is what was put around, a document stays as it is, and nothing grows beyond its limits."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import envelope
from envelope import Limits
from envelope.layers import LAYERS, LayerName, Unwrapped
from envelope.layers.reading import reading_of
from envelope.testing.strategies import php_values, values
from tests.layers.wraps import WRAPS

DIALECTS = [
    (row.name, dialect) for row in envelope.formats.FORMATS.values() for dialect in row.dialects if row.name != "jsonu"
]  # fmt: skip


@st.composite
def documents(draw: st.DrawFn) -> tuple[bytes, str]:
    """What the library writes, in any format and in its typed dialect."""
    format = draw(st.sampled_from(list(envelope.ResultType)))
    if format in ("serialize", "var_export"):
        return envelope.dumps(draw(php_values(max_leaves=8)), format, values="php"), format
    return envelope.dumps(draw(values(max_leaves=8)), format), format


def unwrap(data: bytes, *layers: str) -> Unwrapped:
    """The result, checked against its report."""
    found = envelope.unwrap(data, layers or "auto")
    if found.reads:
        assert reading_of(found.data, Limits()) == ("reads", found.format, found.dialect)
    rest: bytes | None = data
    for layer in found.layers:
        if rest is not None:
            assert rest.startswith(layer.before)
            assert layer.before_size + layer.after_size <= len(rest)
            assert rest[len(rest) - layer.after_size :].startswith(layer.after)
            assert layer.offset in (0, len(rest) - layer.after_size)
            end = len(rest) - layer.after_size
            rest = None if layer.is_decoded else rest[layer.before_size : end]
    assert rest in (None, found.data)
    return found


def names(found: Unwrapped) -> list[LayerName]:
    return [layer.name for layer in found.layers]


@given(documents())
def test_a_document_stays_as_it_is(document: tuple[bytes, str]) -> None:
    data, format = document
    found = unwrap(data)
    assert (found.data, found.layers, found.reads) == (data, (), True)
    assert found.format is not None
    assert found.dialect is not None
    options: dict[str, Any] = {"values": "php"} if found.format in ("serialize", "var_export") else {}
    there = envelope.loads(data, found.format, dialect=found.dialect, **options)
    assert envelope.same(there, envelope.loads(data, format, values="php"))


@pytest.mark.parametrize(("format", "dialect"), DIALECTS)
@given(value=st.dictionaries(st.text("abc_xyz", min_size=1), values(max_leaves=5), min_size=1))
def test_a_document_in_another_dialect_stays_as_it_is(format: str, dialect: Any, value: Any) -> None:
    try:
        data = envelope.dumps(value, format, dialect=dialect)
    except envelope.EncodeError:
        assume(False)  # plain XML does not hold every character
    found = unwrap(data)
    assert (found.data, found.layers, found.reads) == (data, (), True)


def is_seen(name: str, body: bytes, wrapped: bytes) -> bool:
    """Whether anything shows that the layer is there, and what is in it."""
    if name == "lines" and body[:1] in b"-0123456789tfn":
        return False  # numbers and words are lines, too
    if name == "notice" and (b"<b>Notice" in body or body[-1:] in b"0123456789"):
        return False
    if name in ("slashes", "doubled-quotes") and not {*b"'\""} & {*body}:
        return False
    if name == "doubled-quotes" and b'"' not in body:
        return False
    return name == "deflate" or reading_of(wrapped, Limits()).rank != "reads"


ALL = [(name, wrap) for name in LAYERS for wrap in WRAPS[name]]
AUTO = [(name, wrap) for name, wrap in ALL if name != "deflate"]
VALUES = [
    {"a": 1},
    [1, "x\ny", None],
    "text",
    12,
    True,
    None,
    1.5,
    {},
    [],
    {"k": {"b": ["中"]}},
    "a'b\\c\"",
    "1234",
    "\0",
]
BODIES = [envelope.dumps(value, format) for value in VALUES for format in envelope.ResultType]


@pytest.mark.parametrize(("name", "wrap"), AUTO)
def test_each_layer_comes_off_usual_documents(name: LayerName, wrap: Any) -> None:
    seen = [body for body in BODIES if is_seen(name, body, wrap(body))]
    assert len(seen) > 10
    for body in seen:
        found = unwrap(wrap(body))
        assert (found.data, found.reads) == (body, True)
        assert name in names(found)


@pytest.mark.parametrize(("name", "wrap"), ALL)
def test_each_layer_comes_off_by_its_name(name: LayerName, wrap: Any) -> None:
    for body in BODIES:
        wrapped = wrap(body)
        if is_seen(name, body, wrapped):
            found = unwrap(wrapped, name)
            assert names(found) == [name]
            assert envelope.unwrap(wrapped, name) == found
            if name not in ("space", "bom"):
                assert found.data.strip() == body


@given(document=documents(), layer=st.sampled_from(AUTO))
def test_a_layer_comes_off(document: tuple[bytes, str], layer: tuple[LayerName, Any]) -> None:
    (body, _), (name, wrap) = document, layer
    wrapped = wrap(body)
    assume(is_seen(name, body, wrapped))
    found = unwrap(wrapped)
    assert (found.data, found.reads) == (body, True)
    assert name in names(found)


@given(document=documents(), layers=st.lists(st.sampled_from(AUTO), min_size=2, max_size=3))
def test_a_stack_of_layers_comes_off(document: tuple[bytes, str], layers: list[tuple[str, Any]]) -> None:
    body, _ = document
    wrapped = body
    for name, wrap in layers:
        assume(is_seen(name, wrapped, wrap(wrapped)))
        wrapped = wrap(wrapped)
    assert unwrap(wrapped).data == body
