"""The options of calls: checked, shared between calls, and never another call's."""

from __future__ import annotations

import ast
import pickle
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest

import envelope
import envelope.options as options_module
from envelope import Limits, ResultType
from envelope.conversion import Conversion
from envelope.formats import get_format
from envelope.options import MORE_READING, ReadOptions, WriteOptions

pytestmark = pytest.mark.usefixtures("impl")

NOTHING: dict[str, Any] = {"values": None, "dialect": None, "limits": None}


def test_options_that_are_none_are_refused(fmt: ResultType) -> None:
    with pytest.raises(TypeError, match="dialect must be"):
        envelope.dumps([], fmt, **NOTHING, maps=None)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="dialect must be"):
        envelope.loads(b"N;", fmt, **NOTHING)


class Domain(StrEnum):
    PHP = "php"


def test_shared_options_hold_no_word_of_a_caller() -> None:
    """Equal words are accepted, but the first caller's object must not reach the others."""
    word: Any = Domain.PHP
    row = get_format("serialize")
    options: Any
    for options in (ReadOptions(values=word), row.reading(word), WriteOptions(values=word), row.writing(word)):
        assert type(options.values) is str
        assert pickle.loads(pickle.dumps(options)) == options


def test_a_call_inside_a_call_leaves_the_outer_ones_options_alone() -> None:
    class Word(str):
        __slots__ = ()

        def __del__(self) -> None:
            envelope.loads(b"N;", "serialize", limits=Limits(max_depth=3))

    word: Any
    for depth in range(5, 50):
        limits = Limits(max_depth=depth)
        word = Word("php")
        assert envelope.loads(b's:1:"\xff";', "serialize", values=word, limits=limits) == b"\xff"
        del word
        assert envelope.loads(b's:1:"\xff";', "serialize", values="php", limits=limits) == b"\xff"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"reading": ReadOptions(dialect="plain")},
            "dialect must be 'typed' or 'session' or 'session_binary', not 'plain'",
        ),
        ({"writing": WriteOptions(dialect="plain")}, "dialect must be 'typed' or 'php', not 'plain'"),
        ({"reading": ReadOptions(values="php")}, "values must be 'php', not 'portable'"),
        ({"on_loss": "raise"}, "on_loss must be 'error' or 'warn' or 'ignore', not 'raise'"),
        ({"reading": None}, "options must be ReadOptions, not NoneType"),
    ],
)
def test_a_conversion_has_options_of_its_formats(options: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        Conversion(source="serialize", target="json", **options)


@pytest.mark.parametrize(
    ("format", "options", "message"),
    [
        ("xml", {"encoding": "gbk"}, "encoding= is for any format but typed xml"),
        ("json", {"encoding": "declared"}, 'encoding="declared" is for xml'),
        ("serialize", {"encoding": "utf-16"}, "UTF-16 is a charset of whole documents"),
        ("json", {"encoding": 5}, "encoding must be a str"),
        ("serialize", {"references": "keep"}, 'references="keep" is for serialize, with values="php"'),
        ("json", {"references": "keep", "values": "php"}, 'references="keep" is for serialize'),
        ("serialize", {"references": "drop"}, "references must be"),
        ("serialize", {"flags": ["JSON_BIGINT_AS_STRING"]}, "flags= is for json and jsonu"),
        ("json", {"flags": ["JSON_PRETTY_PRINT"]}, "flags must be 'JSON_BIGINT_AS_STRING'"),
        ("json", {"flags": "JSON_BIGINT_AS_STRING"}, "flags must be a collection of names"),
        ("xml", {"attributes": "keep"}, "are for xml in the dialect"),
        ("xml", {"namespaces": "drop"}, "are for xml in the dialect"),
        ("json", {"lists": ["a"]}, "are for xml in the dialect"),
        ("xml", {"dialect": "plain", "attributes": "maybe"}, "attributes must be"),
        ("json", {"nonsense": 1}, "no option nonsense= here"),
        ("json", {"std_class": True}, "no option std_class= here"),
    ],
)
def test_options_of_reading_that_a_format_does_not_have(format: str, options: dict[str, Any], message: str) -> None:
    for read in (envelope.loads, envelope.decode):
        with pytest.raises(TypeError, match=message):
            read(b"1", format, **options)
    with pytest.raises(TypeError, match=message):
        get_format(format).reading(**options)


@pytest.mark.parametrize(
    ("format", "options", "message"),
    [
        ("json", {"flags": ["JSON_PRETTY_PRINT"]}, 'flags= is for json and jsonu in the dialect "php"'),
        ("serialize", {"flags": ["JSON_PRETTY_PRINT"]}, "flags= is for json and jsonu"),
        ("json", {"dialect": "php", "flags": ["JSON_BIGINT_AS_STRING"]}, "flags must be"),
        ("json", {"dialect": "php", "flags": 320}, "320"),
        ("json", {"dialect": "php", "flags": ["JSON_PARTIAL_OUTPUT_ON_ERROR"]}, "would write null"),
        ("json", {"encoding": "gbk"}, "unexpected keyword argument 'encoding'"),
        (
            "json",
            {"dialect": "php", "flags": "JSON_HEX_TAG"},
            "as in .'JSON_UNESCAPED_SLASHES', 'JSON_UNESCAPED_UNICODE'.",
        ),
    ],
)
def test_options_of_writing_that_a_format_does_not_have(format: str, options: dict[str, Any], message: str) -> None:
    for write in (envelope.dumps, envelope.losses):
        with pytest.raises(TypeError, match=message):
            write([1], format, **options)
    with pytest.raises(TypeError, match=message):
        get_format(format).writing(**options)


def test_the_names_of_the_options_are_those_of_their_types() -> None:
    tree = ast.parse(Path(options_module.__file__).read_bytes())
    typed = {
        node.name: tuple(
            line.target.id
            for line in node.body
            if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name)
        )
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    assert typed["MoreReading"] == MORE_READING


@pytest.mark.parametrize("name", ["dialect", "from_dialect", "to_dialect"])
def test_a_conversion_has_two_dialects(name: str) -> None:
    options: dict[str, Any] = {name: "php"}
    with pytest.raises(TypeError, match="source_dialect= and target_dialect="):
        envelope.convert(b"1", "json", "json", **options)
