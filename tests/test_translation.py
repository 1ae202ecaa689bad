"""Payload translation: the right texts in one call, and an answer that is never lost."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import envelope
from envelope import Envelope, PhpObject
from envelope.lang import Lang
from envelope.path import parse_path
from envelope.translation import translate, translate_async
from tests.bench.documents import documents
from tests.strategies import values

ITEMS = documents()["items"]
PATHS = ["items.item[*].title", "items.item[*].seller_nick", "items.item[*].detail_url"]


class Upper:
    """A translator that counts its calls, and says what it was asked."""

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
def test_a_failing_translator_leaves_the_answer_as_it_was_but_for_its_mark(
    translator: Any, name: str, is_async: bool
) -> None:
    original = Envelope.ok(ITEMS, request_id="1.6403f86cd67f6", extras={"cache": "no"})
    told: list[Exception] = []
    answer = run(original, PATHS, translator, is_async=is_async, on_error=told.append)
    assert [type(error).__name__ for error in told] == [name]
    mark = f',"translate_error":"{name}"'.encode()
    assert envelope.encode(answer, "json") == envelope.encode(original, "json")[:-1] + mark + b"}"


def test_what_a_translator_says_of_its_failure_is_not_told() -> None:
    def fails(texts: list[str], lang: Lang) -> list[str]:
        raise ConnectionError("https://user:password@translator.example")

    answer = translate(Envelope.ok(["x"]), "en", ["[*]"], fails)
    assert b"password" not in envelope.encode(answer, "json")
    assert answer.extras == {"translate_error": "ConnectionError"}


def test_being_cancelled_is_no_failure_of_the_translator() -> None:
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
    "path", ["$.a", ".a", "a.", "a..b", "a[", "a[x]", "a[-1]", "a[01]", "[*]a", 'a["x]', "a b", 'a["\\x"]', "*", "é"]
)
def test_what_is_no_path_is_told_at_once(path: str) -> None:
    with pytest.raises(ValueError, match="path"):
        translate(Envelope.ok([]), "en", [path], Upper())
    with pytest.raises(TypeError, match="list of paths"):
        translate(Envelope.ok([]), "en", "a", Upper())


def test_a_path_is_read_as_it_is_written() -> None:
    assert parse_path('$.a[3]["any key"][*]') == ["a", 3, "any key", None]
    assert parse_path("$") == []
    with pytest.raises(ValueError, match="character 1"):
        parse_path("$a")


@given(values(max_leaves=10), st.lists(st.sampled_from(["[*]", "[0]", "a"]), max_size=4))
def test_only_texts_change_and_only_at_the_paths(value: Any, steps: list[str]) -> None:
    path = "".join(f".{step}" if step == "a" else step for step in steps).removeprefix(".")
    translated = translate(Envelope.ok(value), "en", [path], Upper(), keep_original=True)
    lost = list(envelope.values.differences(value, translated.response))
    kept = [entry["path"] for entry in translated.extras.get("translate_original", [])]
    assert sorted(
        loss.path.replace("$", "$.response", 1).replace(".response[", ".response[") for loss in lost
    ) == sorted(kept)
    assert all(loss.becomes == f"<{loss.was}>" for loss in lost)
