"""Hypothesis strategies: one for portable values, whose flags say what a format cannot carry; one for PHP's domain."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import strategies as st

from envelope import Envelope, Lang, PhpEnum, PhpObject, PhpProperty, ResultType
from envelope.request import ApiRequest
from envelope.values import INT_MAX, INT_MIN, is_ambiguous

# Drawn often, for random text would hardly find them.
ODD_TEXTS = (
    "", "0", "1", "-1", "-0", "05", "0000", "4000", "1.5", "9223372036854775807", "9223372036854775808",
    "it's", 'quo"te', "back\\slash", "a\0b", "\0", "\x01\x1f\x7f", "\r\n\t", "中文", "Привет", "😀👩‍👧", "e\u0301",
    "\u2028\u2029", "\ufffe\uffff", "</root>&amp;]]>", "item", "xml", "a b", "1a", "a:b", " ", "ключ", "\\u0041",
    "key", "type", "XmlA", "-a", "<x>", "a" * 64, "a" * 65, "root",
)  # fmt: skip


_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_texts = (
    st.sampled_from(ODD_TEXTS)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
    | st.text("\0\x01\t\n\r \x1f\x7f\x85\u2028\ufffe\uffff&<>\"'\\]a", max_size=8)
)
_numbers = st.integers(INT_MIN, INT_MAX) | st.floats(allow_nan=False, allow_infinity=False)
_constants = st.sampled_from([None, True, False])


# Composites, for Hypothesis prints a strategy in full, and a composite by its name.
@st.composite
def texts(draw: st.DrawFn, *, controls: bool = True) -> str:
    """Text without lone surrogates; control characters, NUL and noncharacters included unless told otherwise."""
    text = draw(_texts)
    return text if controls else _CONTROLS.sub("", text)


@st.composite
def scalars(draw: st.DrawFn, *, controls: bool = True) -> Any:
    return draw(_constants | _numbers | texts(controls=controls))


def values(*, max_leaves: int = 25, ambiguous: bool = True, controls: bool = True) -> st.SearchStrategy[Any]:
    """Portable values of any shape.

    Without *ambiguous*, none of the maps that a PHP array cannot tell from lists; without *controls*, none of the
    characters that XML cannot hold (its plain dialect has no way around them).
    """

    def containers(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        lists = st.lists(children, max_size=5)
        maps = st.dictionaries(texts(controls=controls), children, max_size=5)
        if not ambiguous:
            return lists | maps.map(lambda items: {**items, "end": None} if is_ambiguous(items) else items)
        return lists | maps | lists.map(lambda items: {str(index): item for index, item in enumerate(items)})

    return st.recursive(scalars(controls=controls), containers, max_leaves=max_leaves)


def php_values(*, var_export: bool = False, max_leaves: int = 20) -> st.SearchStrategy[Any]:
    """Values that PHP's domain reads back the same from serialize; *var_export* has no visibility.

    Left out is what two spellings stand for: bytes that are UTF-8 (read as text), canonical decimals as text keys
    (read as int), maps that are lists. No payloads either: behind one, serialize shares nothing.
    """
    leaves = (
        scalars()
        | st.sampled_from([float("nan"), float("inf"), float("-inf")])
        | _not_text()
        | st.builds(PhpEnum, class_names(), st.sampled_from(["H", "Case_1", "Ж"]))
    )

    def containers(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        maps = st.dictionaries(_php_keys(), children, max_size=4).map(_not_a_list)
        return st.lists(children, max_size=4) | maps | php_objects(children, var_export=var_export)

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
def class_names(draw: st.DrawFn) -> str:
    return draw(st.sampled_from(["A", "App\\User", "Ключ", "_1"]))


@st.composite
def _property_heads(draw: st.DrawFn, *, visible: bool) -> tuple[str | bytes, str, str]:
    """The name of a property, its visibility, and the class that a private one belongs to."""
    visibility = "public" if visible else draw(st.sampled_from(["public", "protected", "private"]))
    name = draw(st.sampled_from(["a", "b", "5", "Ж"]) | _not_text())
    return name, visibility, draw(class_names()) if visibility == "private" else ""


def php_objects(children: st.SearchStrategy[Any], *, var_export: bool = False) -> st.SearchStrategy[PhpObject]:
    def build(class_name: str, members: dict[Any, Any]) -> PhpObject:
        properties = [PhpProperty(name, value, *head) for (name, *head), value in members.items()]
        return PhpObject(class_name, properties)

    members = st.dictionaries(_property_heads(visible=var_export), children, max_size=4)
    return st.tuples(class_names() | st.just("stdClass"), members).map(lambda parts: build(*parts))


def envelopes() -> st.SearchStrategy[Envelope[Any]]:
    fields = {"response", "error", "reason", "error_code", "request_id", "last_id"}
    extras = st.dictionaries(texts().filter(lambda name: name not in fields), values(max_leaves=5), max_size=3)
    return st.builds(
        Envelope,
        response=values(),
        error=texts(),
        reason=texts(),
        error_code=texts(),
        request_id=texts(),
        last_id=texts(),
        extras=extras,
    )


# What a query carries is text and containers that are not empty; in a dict below the first, no keys of a list (it is
# read as one), none that is empty or one white space (`[]`), none with `]`; in the first, none that would be mangled.
# NUL ends any name.
_NESTED_KEYS = texts().filter(lambda key: not set(key) & set("]\0") and key not in {"", *" \t\n\r\v\f"})
_NAMES = texts().filter(lambda name: name != "" and not set(name) & set(" .[\0"))


def carried() -> st.SearchStrategy[dict[str, Any]]:
    """Parameters that a query string carries and gives back the same."""

    def containers(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        maps = st.dictionaries(_NESTED_KEYS, children, min_size=1, max_size=4)
        return st.lists(children, min_size=1, max_size=4) | maps.filter(lambda items: not is_ambiguous(items))

    return st.dictionaries(_NAMES, st.recursive(texts(), containers, max_leaves=15), max_size=4)


_COMMON = {
    "key",
    "secret",
    "api_name",
    "cache",
    "result_type",
    "lang",
    "version",
    "method",
    "api",
    "_o_args",
    "dateline",
    "sign",
}


@st.composite
def requests(draw: st.DrawFn, *, params: st.SearchStrategy[dict[str, Any]] | None = None) -> ApiRequest:
    """Calls that every carrier gives back the same; *params* are those beyond the common ones, text only by default."""
    options = draw(carried() if params is None else params)
    args = draw(st.none() | st.dictionaries(texts(), values(max_leaves=5), max_size=3))
    return ApiRequest(
        key=draw(texts().filter(bool)),
        secret=draw(texts().filter(bool)),
        api_name=draw(st.sampled_from(["custom", "item_get", "item_search-2"])),
        api_type=draw(st.sampled_from(["", "openai", "taobao"])),
        method=draw(st.sampled_from(["", "v1/models", "images/get", "my own"])),
        args=args,
        params={name: value for name, value in options.items() if name not in _COMMON},
        cache=draw(st.booleans()),
        result_type=draw(st.sampled_from(ResultType)),
        lang=draw(st.sampled_from(Lang)),
        version=draw(st.sampled_from(["", "1", "2.0"])),
        dateline=draw(st.sampled_from(["", "2023-03-05 10:03:24"])),
        sign=draw(st.sampled_from(["", "0" * 32])),
    )
