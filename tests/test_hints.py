"""Hints: a closed set of names, all in use; the words of each front end mention only what it has."""

from __future__ import annotations

import ast
import copy
import inspect
import pickle
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from string import Formatter
from typing import Any, get_args

import pytest

import envelope
from envelope import DecodeError, fixtures
from envelope.fixtures.rules import CASE_WORDS
from envelope.hints import WORDS, Hint, HintName, in_words
from envelope.options import ReadOptions, WriteOptions
from envelope.testing import plugin

pytest.importorskip("rich")
click = pytest.importorskip("click")

# After importorskip: without the extra cli they cannot be imported.
from envelope.cli.command import envelope as command  # noqa: E402
from envelope.cli.common import hints  # noqa: E402
from envelope.cli.validation import findings  # noqa: E402

SOURCES = Path(envelope.__file__).parent
NAMES: tuple[HintName, ...] = get_args(HintName)

# What only a caller in Python has: an argument, a class, a function or method.
ARGUMENT = re.compile(r"(\w+)=|Limits\.|\b(?:canonical_bodies|to_value)\b|\bunwrap\(")
OF_PYTHON = {name for name, text in WORDS.items() if ARGUMENT.search(text)}

# Each front end's words, and the hints that it never has to show.
OF_WRITERS = {"give-default", "to-value"}  # they are about Python values: a document has none
OF_FIXTURES = {"operator-codes", "written-anew"}
OF_DOCUMENTS = {  # never arise for fixtures
    "raise-limit", "typed-dialect", "php-formats", "enum-backing", "unknown", "attributes", "namespaces", "keep-references",
}  # fmt: skip
FRONT_ENDS: dict[str, tuple[Mapping[HintName, str], set[str]]] = {
    "command": (hints.HINT_WORDS, OF_WRITERS | OF_FIXTURES),
    "validate": (findings.HINT_WORDS, OF_WRITERS | OF_DOCUMENTS),
    "plugin": (plugin.HINT_WORDS, OF_WRITERS | OF_DOCUMENTS),
}


def figures_in(text: str) -> set[str]:
    return {field for _, field, _, _ in Formatter().parse(text) if field is not None} - {"s"}


def options_of(name: str) -> dict[str, Any]:
    """The options of a command, by their flags."""
    found = command.get_command(click.Context(command), name)
    assert found is not None
    return {flag: option for option in found.params for flag in option.opts}


def nodes() -> Iterator[ast.AST]:
    """The library's syntax trees, except for the table of hints."""
    for path in SOURCES.rglob("*.py"):
        if path.name != "hints.py":
            yield from ast.walk(ast.parse(path.read_bytes()))


def test_each_name_has_words() -> None:
    assert sorted(WORDS) == sorted(NAMES)
    assert len(set(WORDS.values())) == len(NAMES)


def test_each_name_is_in_use() -> None:
    found = list(nodes())
    keys = {id(key) for node in found if isinstance(node, ast.Dict) for key in node.keys}  # the front ends' tables
    texts = {node.value for node in found if isinstance(node, ast.Constant) and id(node) not in keys}
    assert set(NAMES) <= texts


def test_each_hint_has_the_figures_that_its_words_need() -> None:
    words: Mapping[Any, str] = WORDS
    limits = {field.name for field in fields(envelope.Limits)}
    met = set()
    for node in nodes():
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Hint":
            name, *figures = node.args
            if isinstance(name, ast.Constant):  # otherwise it is chosen from hints with the same figures
                met.add(name.value)
                assert figures_in(words[name.value]) == {str(place) for place in range(len(figures))}
                if name.value == "raise-limit":
                    assert isinstance(figures[0], ast.Constant)
                    assert figures[0].value in limits
    assert len(met) > len(NAMES) / 2
    for own, _ in FRONT_ENDS.values():
        assert all(figures_in(text) <= figures_in(WORDS[name]) for name, text in own.items())


def test_the_librarys_words_name_existing_arguments() -> None:
    calls = (
        envelope.loads_first, envelope.loads, envelope.dumps, envelope.convert, fixtures.check_case, ReadOptions,
    )  # fmt: skip
    arguments = {name for call in calls for name in inspect.signature(call).parameters}
    arguments |= {field.name for options in (ReadOptions, WriteOptions) for field in fields(options)}
    named = {match[1] for text in WORDS.values() for match in ARGUMENT.finditer(text) if match[1]}
    options = {"values", "dialect", "default", "registry", "unknown", "flags", "attributes", "namespaces", "encoding"}
    assert named == (options | {"references"}) & arguments
    assert callable(fixtures.canonical_bodies)


@pytest.mark.parametrize("front_end", FRONT_ENDS)
def test_a_front_end_has_words_for_each_hint_that_names_what_only_python_has(front_end: str) -> None:
    own, never_met = FRONT_ENDS[front_end]
    assert own.keys() == OF_PYTHON - never_met
    assert not any(ARGUMENT.search(text) for text in own.values())


def test_the_command_has_the_options_that_its_words_name() -> None:
    for name in ("convert", "diff", "inspect"):
        options = options_of(name)
        for text in hints.HINT_WORDS.values():
            # Options that not all three have are named with their command.
            for command_name, flag, value in re.findall(r"(convert )?(--[\w-]+)(?: ([\w-]+))?", text):
                option = options_of("convert")[flag] if command_name else options[flag]
                assert option.is_flag or value in getattr(option.type, "choices", [value])
    named = set(re.findall(r"--[\w-]+", " ".join(findings.HINT_WORDS.values())))
    assert named == {"--update", "--with"} & options_of("validate").keys()


def test_the_plugin_has_the_options_that_its_words_name(pytestconfig: pytest.Config) -> None:
    text = " ".join(plugin.HINT_WORDS.values())
    for flag in re.findall(r"--[\w-]+", text):
        assert pytestconfig.getoption(flag) is not None
    for setting in re.findall(r"\benvelope_\w+", text):
        assert pytestconfig.getini(setting) is not None


def test_a_case_toml_has_the_options_that_its_words_name() -> None:
    named = {line for text in CASE_WORDS.values() for line in re.findall(r'\w+ = "\w+"', text)}
    assert named
    for line in named:
        fixtures.read_case(f'title = "a"\n{line}'.encode())


def test_a_hint_is_data() -> None:
    with pytest.raises(DecodeError) as caught:
        envelope.loads(b's:1:"abc";', "serialize")
    hint = caught.value.hint
    assert hint == Hint("re-encoded", 2, "longer than declared")
    assert (str(hint), f"{hint}") == (
        "2 bytes longer than declared: the text was re-encoded or edited after it was serialized",
    ) * 2
    assert str(caught.value).endswith(f"({hint})")
    assert {hint, pickle.loads(pickle.dumps(hint)), copy.deepcopy(hint)} == {hint}
    with pytest.raises(AttributeError):
        hint.name = "wrapped"  # type: ignore[misc]


def test_words_have_a_plural() -> None:
    assert [str(Hint("clocks", count)) for count in (0, 1, 2)] == [
        f"the clocks may differ by {count}" for count in ("0 seconds", "1 second", "2 seconds")
    ]


def test_no_hint_has_no_words() -> None:
    assert in_words(None) == in_words(None, hints.HINT_WORDS) == ""
    with pytest.raises(DecodeError) as caught:
        envelope.loads(b"[1 2]", "json")
    assert caught.value.hint is None
    assert "None" not in str(caught.value)
