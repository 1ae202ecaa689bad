"""Payload translation: the right texts in one call, and an answer that is never lost."""

from __future__ import annotations

import asyncio
import copy
import json
import re
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import envelope
from envelope import Envelope, PhpObject
from envelope.answers.translation import translate, translate_async
from envelope.path import parse_path
from envelope.registry.languages import Lang
from envelope.testing.strategies import values
from envelope.values.php_types import differences
from tests.bench.documents import documents

ITEMS = documents()["items"]
PATHS = ["items.item[*].title", "items.item[*].seller_nick", "items.item[*].detail_url"]


class Upper:
    """A translator that records its calls."""

    def __init__(self) -> None:
        self.calls: list[tuple[list[str], Lang]] = []

    def __call__(self, texts: list[str], lang: Lang) -> list[str]:
        self.calls.append((texts, lang))
        return [f"<{text}>" for text in texts]


def run(answer: Envelope[Any], paths: list[str], translator: Any, *, is_async: bool, **options: Any) -> Envelope[Any]:
    if not is_async:
        return translate(answer, "ru", paths, translator, **options)

    async def awaited(texts: list[str], lang: Lang) -> Sequence[str]:
        await asyncio.sleep(0)
        result: Sequence[str] = translator(texts, lang)
        return result

    return asyncio.run(translate_async(answer, "ru", paths, awaited, **options))


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_the_items_are_translated_in_one_call(is_async: bool) -> None:
    before, upper = copy.deepcopy(ITEMS), Upper()
    answer = run(Envelope.ok(ITEMS), PATHS, upper, is_async=is_async, keep_original=True)
    ((texts, lang),) = upper.calls
    assert (len(texts), lang) == (600, Lang.RU)
    for index, (item, was) in enumerate(zip(answer.response["items"]["item"], before["items"]["item"], strict=True)):
        for part, path in enumerate(PATHS):
            name = path.rpartition(".")[2]
            assert item.pop(name) == f"<{was[name]}>"
            original = answer.extras["translate_original"][part * 200 + index]
            assert original == {"path": f"$.response.items.item[{index}].{name}", "text": was.pop(name)}
        assert item == was
    assert answer.extras["translate_language"] == "ru"
    assert documents()["items"] == ITEMS  # the caller's own value is as it was


FAILURES: list[tuple[Any, str]] = [
    (lambda texts, lang: texts[:-1], "ValueError"),
    (lambda texts, lang: [*texts, "one more"], "ValueError"),
    (lambda texts, lang: "x" * len(texts), "TypeError"),
    (lambda texts, lang: None, "TypeError"),
    (lambda texts, lang: dict.fromkeys(texts), "TypeError"),
    (lambda texts, lang: [None] * len(texts), "TypeError"),
    (lambda texts, lang: ["\ud800"] * len(texts), "UnicodeEncodeError"),
    (lambda texts, lang: 1 / 0, "ZeroDivisionError"),
]


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize(("translator", "name"), FAILURES)
def test_a_failing_translator_changes_nothing_but_adds_a_mark(translator: Any, name: str, is_async: bool) -> None:
    original = Envelope.ok(ITEMS, request_id="1.6403f86cd67f6", extras={"cache": "no"})
    told: list[Exception] = []
    answer = run(original, PATHS, translator, is_async=is_async, on_error=told.append)
    assert [type(error).__name__ for error in told] == [name]
    mark = f',"translate_error":"{name}"'.encode()
    assert envelope.encode(answer, "json") == envelope.encode(original, "json")[:-1] + mark + b"}"


def test_the_message_of_a_translators_error_is_not_shown() -> None:
    def fails(texts: list[str], lang: Lang) -> list[str]:
        raise ConnectionError("https://user:password@translator.example")

    answer = translate(Envelope.ok(["x"]), "en", ["[*]"], fails)
    assert b"password" not in envelope.encode(answer, "json")
    assert answer.extras == {"translate_error": "ConnectionError"}


def test_cancellation_is_not_a_failure_of_the_translator() -> None:
    async def cancelled(texts: list[str], lang: Lang) -> list[str]:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(translate_async(Envelope.ok(["x"]), "en", ["[*]"], cancelled))


@pytest.mark.parametrize(
    ("response", "paths", "texts"),
    [
        ({"choices": [{"text": "a"}, {"text": "b"}]}, ["choices[*].text"], ["a", "b"]),
        ({"choices": [{"text": "a"}, {"text": "b"}]}, ["choices[1].text"], ["b"]),
        ({"choices": [{"text": "a"}, {"text": "b"}]}, ["choices[7].text", "choices.text", "none[*]"], []),
        ({"m": {"x": "a", "y": "b"}}, ["m[*]"], ["a", "b"]),
        ({"m": {"x y": "a", "*": "b"}}, ['m["x y"]', 'm["*"]'], ["a", "b"]),
        ({"м": "a", 'q"': "b"}, ['["м"]', '["q\\""]'], ["a", "b"]),
        ({"标题": "a", "seller-nick": "b"}, ["标题", "$.response.seller-nick"], ["a", "b"]),
        ([["a", "b"], ["c", 1]], ["[*][*]"], ["a", "b", "c"]),
        ({"a": "x", "b": ["y"]}, ["b[*]", "a", "b[0]"], ["y", "x"]),
        ({"a": "", "b": None, "c": 1, "d": b"x", "e": ["t"]}, ["[*]"], []),
        ("text", [""], ["text"]),
        (PhpObject("A", {"x": "y"}), ["x", "[*]"], []),
        ({"0": "a"}, ["[0]"], []),
        ([], ["[*]"], []),
    ],
)
def test_paths(response: Any, paths: list[str], texts: list[str]) -> None:
    upper, answer = Upper(), Envelope.ok(response)
    translated = translate(answer, "en", paths, upper)
    assert [asked for asked, _ in upper.calls] == ([texts] if texts else [])
    if not texts:
        assert translated is answer


def test_a_list_that_stands_in_two_places_is_translated_where_it_was_asked_for() -> None:
    shared = ["x"]
    answer = translate(Envelope.ok({"a": shared, "b": shared}), "en", ["a[0]"], Upper())
    assert answer.response == {"a": ["<x>"], "b": ["x"]}


@pytest.mark.parametrize(
    "path",
    [
        "$.a",
        "$a",
        "$[0]",
        ".a",
        "a.",
        "a..b",
        "a[",
        "a[x]",
        "a[-1]",
        "a[01]",
        "[*]a",
        'a["x]',
        "a b",
        'a["\\x"]',
        "*",
        "5",
    ],
)
def test_an_invalid_path_is_reported_at_once(path: str) -> None:
    with pytest.raises(ValueError, match="path"):
        translate(Envelope.ok([]), "en", [path], Upper())
    with pytest.raises(TypeError, match="list of paths"):
        translate(Envelope.ok([]), "en", "a", Upper())
    wrong: Any = [7]
    with pytest.raises(TypeError, match="not int"):
        translate(Envelope.ok([]), "en", wrong, Upper())


def test_a_path_is_read_as_it_is_written() -> None:
    assert parse_path('$.a[3]["any key"][*]') == ["a", 3, "any key", None]
    assert parse_path("$") == []
    with pytest.raises(ValueError, match="character 1"):
        parse_path("$a")


@st.composite
def places(draw: st.DrawFn) -> tuple[Any, str]:
    """A value, and the path of one of its members, some of its steps as [*]."""
    value = draw(values(max_leaves=12))
    steps: list[str] = []
    member = value
    while isinstance(member, list | dict) and member:
        keys = list(member) if isinstance(member, dict) else list(range(len(member)))
        key = draw(st.sampled_from(keys))
        steps.append(draw(st.sampled_from(["[*]", f"[{json.dumps(key)}]"])))
        member = member[key]
    return value, "".join(steps)


@given(places())
def test_only_texts_change_and_only_at_the_path(place: tuple[Any, str]) -> None:
    value, path = place
    translated = translate(Envelope.ok(value), "en", [path], Upper(), keep_original=True)
    lost = list(differences({"response": value}, {"response": translated.response}))
    kept = translated.extras.get("translate_original", [])
    assert [{"path": loss.path, "text": loss.was} for loss in lost] == kept
    assert all(loss.becomes == f"<{loss.was}>" for loss in lost)
    wanted = [
        None if step == "[*]" else json.loads(step)[0]
        for step in re.findall(r'\[\*\]|\["(?:[^"\\]|\\.)*"\]|\[\d+\]', path)
    ]
    for entry in kept:
        steps = parse_path(entry["path"])[1:]
        assert len(steps) == len(wanted)
        assert all(want in (None, step) for want, step in zip(wanted, steps, strict=True))


def test_a_response_that_changes_meanwhile_is_not_lost() -> None:
    response = {"a": "x", "b": ["y"]}

    def clears(texts: list[str], lang: Lang) -> list[str]:
        response["b"].clear()  # type: ignore[attr-defined]
        return texts

    assert translate(Envelope.ok(response), "ru", ["b[*]"], clears).extras == {"translate_error": "IndexError"}


def test_places_are_bounded() -> None:
    value: Any = ["x"]
    for _ in range(30):
        value = [value, value]
    assert translate(Envelope.ok(value), "ru", ["[*]" * 31], Upper()).extras == {"translate_error": "ValueError"}


def test_the_mark_is_that_of_the_last_try() -> None:
    failed = translate(Envelope.ok(["x"]), "ru", ["[*]"], lambda texts, lang: [])
    assert failed.extras == {"translate_error": "ValueError"}
    assert translate(failed, "ru", ["[*]"], Upper()).extras == {"translate_language": "ru"}


def test_a_full_log_does_not_lose_the_answer() -> None:
    def full(error: Exception) -> None:
        raise OSError("disk full")

    failed = translate(Envelope.ok(["x"]), "ru", ["[*]"], lambda texts, lang: [], on_error=full)
    assert failed.extras == {"translate_error": "ValueError"}
