"""Hypothesis strategies: one for portable values, with flags for what a format cannot carry; one for PHP's domain.

| format | what it carries unchanged |
| --- | --- |
| json, jsonu, xml; serialize, var_export with ``maps="object"`` | ``values()`` |
| serialize, var_export | ``values(ambiguous=False)`` |
| xml, plain: as text, and never an error | ``values(controls=False)`` |
| serialize with ``values="php"`` | ``php_values()`` |
| var_export with ``values="php"`` | ``php_values(var_export=True)`` |
"""

from __future__ import annotations

import re
from typing import Any, Final

from hypothesis import strategies as st

from envelope.answers.envelope import TEXT_FIELDS, Envelope
from envelope.values.php_rules import INT_MAX, INT_MIN, is_ambiguous
from envelope.values.php_types import PhpEnum, PhpObject, PhpProperty

__all__ = ["envelopes", "php_values", "scalars", "texts", "values"]

# Drawn often, because random text would hardly ever find them.
_ODD_TEXTS: Final = (
    "", "0", "1", "-1", "-0", "05", "0000", "4000", "1.5", "9223372036854775807", "9223372036854775808",
    "it's", 'quo"te', "back\\slash", "a\0b", "\0", "\x01\x1f\x7f", "\r\n\t", "中文", "Привет", "😀👩‍👧", "e\u0301",
    "\u2028\u2029", "\ufffe\uffff", "</root>&amp;]]>", "item", "xml", "a b", "1a", "a:b", " ", "ключ", "\\u0041",
    "key", "type", "XmlA", "-a", "<x>", "a" * 64, "a" * 65, "root",
)  # fmt: skip


_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_texts = (
    st.sampled_from(_ODD_TEXTS)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
    | st.text("\0\x01\t\n\r \x1f\x7f\x85\u2028\ufffe\uffff&<>\"'\\]a", max_size=8)
)
_numbers = st.integers(INT_MIN, INT_MAX) | st.floats(allow_nan=False, allow_infinity=False)
_constants = st.sampled_from([None, True, False])


# Composites, because Hypothesis prints other strategies in full, but a composite by its name.
@st.composite
def texts(draw: st.DrawFn, *, controls: bool = True) -> str:
    """Text without lone surrogates; control characters, NUL and noncharacters included unless told otherwise."""
    text = draw(_texts)
    return text if controls else _CONTROLS.sub("", text)


@st.composite
def scalars(draw: st.DrawFn, *, controls: bool = True) -> Any:
    """Portable values other than lists and maps; *controls* as in `texts`."""
    return draw(_constants | _numbers | texts(controls=controls))


def values(*, max_leaves: int = 25, ambiguous: bool = True, controls: bool = True) -> st.SearchStrategy[Any]:
    """Portable values of any shape.

    Without *ambiguous*, no maps that a PHP array cannot tell from lists; without *controls*, no characters that XML
    cannot hold (its plain dialect has no way around them).
    """

    def containers(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        lists = st.lists(children, max_size=5)
        maps = st.dictionaries(texts(controls=controls), children, max_size=5)
        if not ambiguous:
            return lists | maps.map(lambda items: {**items, "end": None} if is_ambiguous(items) else items)
        return lists | maps | lists.map(lambda items: {str(index): item for index, item in enumerate(items)})

    return st.recursive(scalars(controls=controls), containers, max_leaves=max_leaves)


def php_values(*, var_export: bool = False, max_leaves: int = 20) -> st.SearchStrategy[Any]:
    """Values of PHP's domain that serialize reads back the same; for *var_export*, all properties are public.

    Values with two spellings are left out: bytes that are UTF-8 (read as text), canonical decimals as text keys (read
    as int), maps that are lists. So are payloads: after one, serialize shares nothing.
    """
    leaves = (
        scalars()
        | st.sampled_from([float("nan"), float("inf"), float("-inf")])
        | _not_text()
        | st.builds(PhpEnum, _class_names(), st.sampled_from(["H", "Case_1", "Ж"]))
    )

    def containers(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        maps = st.dictionaries(_php_keys(), children, max_size=4).map(_not_a_list)
        return st.lists(children, max_size=4) | maps | _php_objects(children, var_export=var_export)

    return st.recursive(leaves, containers, max_leaves=max_leaves)


@st.composite
def _php_keys(draw: st.DrawFn) -> str | int | bytes:
    texts = st.sampled_from(["a", "b", "05", "", "it's", "n\0l", "ключ"])
    return draw(texts | st.integers(INT_MIN, INT_MAX) | _not_text())


def _not_a_list(items: dict[Any, Any]) -> dict[Any, Any]:
    return items if list(items) != list(range(len(items))) else {**items, "end": None}


@st.composite
def _not_text(draw: st.DrawFn) -> bytes:
    return draw(st.binary(max_size=6)) + b"\xff"


@st.composite
def _class_names(draw: st.DrawFn) -> str:
    return draw(st.sampled_from(["A", "App\\User", "Ключ", "_1"]))


@st.composite
def _property_heads(draw: st.DrawFn, *, visible: bool) -> tuple[str | bytes, str, str]:
    """The name of a property, its visibility, and the class that a private one belongs to."""
    visibility = "public" if visible else draw(st.sampled_from(["public", "protected", "private"]))
    name = draw(st.sampled_from(["a", "b", "5", "Ж"]) | _not_text())
    return name, visibility, draw(_class_names()) if visibility == "private" else ""


def _php_objects(children: st.SearchStrategy[Any], *, var_export: bool = False) -> st.SearchStrategy[PhpObject]:
    def build(class_name: str, members: dict[Any, Any]) -> PhpObject:
        properties = [PhpProperty(name, value, *head) for (name, *head), value in members.items()]
        return PhpObject(class_name, properties)

    members = st.dictionaries(_property_heads(visible=var_export), children, max_size=4)
    return st.tuples(_class_names() | st.just("stdClass"), members).map(lambda parts: build(*parts))


def envelopes(*, ambiguous: bool = True, controls: bool = True) -> st.SearchStrategy[Envelope[Any]]:
    """Envelopes with any payload, any texts and up to three extras; the flags are those of `values`."""
    text = texts(controls=controls)
    names = text.filter(lambda name: name not in {"response", *TEXT_FIELDS})
    extras = st.dictionaries(names, values(max_leaves=5, ambiguous=ambiguous, controls=controls), max_size=3)
    return st.builds(
        Envelope,
        response=values(ambiguous=ambiguous, controls=controls),
        extras=extras,
        **dict.fromkeys(TEXT_FIELDS, text),
    )
