"""Languages: their names, what a header selects, and texts that fall back and say so."""

from __future__ import annotations

import gettext
import io
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envelope.calls.negotiation import negotiate_lang
from envelope.registry.codes import REGISTRY, Billing, ErrorCode
from envelope.registry.languages import Lang
from envelope.registry.messages import Messages, Text


@pytest.mark.parametrize(
    ("name", "lang"),
    [("cn", Lang.CN), ("CN", Lang.CN), ("zh", Lang.CN), ("zh-CN", Lang.CN), ("zh_CN", Lang.CN), ("zh-Hans", Lang.CN),
     ("zh-Hans-HK", Lang.CN), ("ZH-hans-sg", Lang.CN), ("en", Lang.EN), ("en-GB", Lang.EN), ("en_US.UTF-8", Lang.EN),
     ("ru", Lang.RU), ("ru-RU", Lang.RU), ("ru_RU.KOI8-R", Lang.RU)],
)  # fmt: skip
def test_a_language_has_many_names(name: str, lang: Lang) -> None:
    assert Lang(name) is lang


@pytest.mark.parametrize(
    "name", ["", "zh-Hant", "zh-TW", "zh_HK", "zh-MO", "fr", "english", "x-en", "-", "cn1", "x" * 1000]
)
def test_other_languages_are_not_ours(name: str) -> None:
    with pytest.raises(ValueError, match="is not a valid Lang") as caught:
        Lang(name)
    assert len(str(caught.value)) < 100


def test_a_language_is_text() -> None:
    wrong: Any = None
    with pytest.raises(TypeError, match="not NoneType"):
        Lang(wrong)


@pytest.mark.parametrize(
    ("header", "lang"),
    [
        ("", Lang.CN),
        ("fr", Lang.CN),
        ("ru", Lang.RU),
        ("en-GB,en;q=0.9,ru;q=0.8", Lang.EN),
        ("fr-CH, fr;q=0.9, ru;q=0.8, de;q=0.7, *;q=0.5", Lang.RU),
        ("en;q=0.2, zh-Hans ; q=0.8", Lang.CN),
        ("ru;q=0.5,en;q=0.5", Lang.RU),
        ("zh-TW, en;q=0.4", Lang.EN),
        ("en;q=0", Lang.CN),
        ("cn;q=0, *", Lang.EN),
        ("*", Lang.CN),
        ("*;q=0.1, ru;q=0", Lang.CN),
        ("cn;q=0, en;q=0, ru;q=0", Lang.CN),
        ("en;q=2, ru;q=0.1", Lang.RU),
        ("en;level=1, ru;q=0.1", Lang.RU),
        ("xx," * 200 + "ru", Lang.CN),
        (", ;q=1,ru;q=0.1" + ",x" * 3 + "," + "en" * 60, Lang.RU),
        ("en;q=0.1, en-US;q=0.7, ru;q=0.5", Lang.EN),
        ("en-US;q=0.7, en;q=0.1, ru;q=0.5", Lang.EN),
        (None, Lang.CN),
        ("ru;Q=0.300, en;q=0.2", Lang.RU),
    ],
)
def test_negotiation(header: str | None, lang: Lang) -> None:
    assert negotiate_lang(header) is lang


def test_the_default_is_the_callers() -> None:
    assert negotiate_lang("fr", Lang.RU) is Lang.RU
    assert negotiate_lang("*", "en-GB") is Lang.EN


@given(st.text("enruzhcq=;,.*01- \t", max_size=40) | st.text())
def test_any_header_picks_a_language(header: str) -> None:
    assert negotiate_lang(header) in Lang


def test_every_code_has_a_text_in_every_language() -> None:
    for row in REGISTRY:
        for lang in Lang:
            assert Messages().text(row.code, lang) == Text(row.text(lang), lang)


def test_what_is_missing_falls_back_and_says_so() -> None:
    bare = ErrorCode(
        code="4100",
        name="A",
        message="a message",
        billing=Billing.FREE,
        http_status=400,
        retryable=False,
        actor="caller",
    )
    chinese = ErrorCode(
        code="4101",
        name="B",
        message="b",
        cn="中文",
        billing=Billing.FREE,
        http_status=400,
        retryable=False,
        actor="caller",
    )
    messages = Messages(REGISTRY.with_codes(bare, chinese))
    assert messages.text("4100", "ru") == Text("a message", None, "no text in ru; no text in cn")
    assert messages.text("4100", "cn") == Text("a message", None, "no text in cn")
    assert messages.text("4101", "ru") == Text("中文", Lang.CN, "no text in ru")
    assert str(messages.text("4101", "zh-CN")) == "中文"
    assert messages.text("9999", "en").text == "This error code is unknown"
    with pytest.raises(ValueError, match="Lang"):
        messages.text("4003", "fr")


def catalogue(texts: dict[str, str]) -> gettext.GNUTranslations:
    """A real gettext catalogue, as msgfmt would write it."""
    entries = sorted({"": "Content-Type: text/plain; charset=UTF-8\n", **texts}.items())
    keys = [key.encode() + b"\0" for key, _ in entries]
    values = [value.encode() + b"\0" for _, value in entries]
    place = 28 + 16 * len(entries)
    tables = [b"", b""]
    for index, strings in enumerate((keys, values)):
        for string in strings:
            tables[index] += struct.pack("<2I", len(string) - 1, place)
            place += len(string)
    head = struct.pack("<7I", 0x950412DE, 0, len(entries), 28, 28 + 8 * len(entries), 0, 0)
    return gettext.GNUTranslations(io.BytesIO(head + tables[0] + tables[1] + b"".join(keys + values)))


@pytest.mark.parametrize(
    "hook",
    [
        {"4003": "свой текст"},
        {"4003": "свой текст"}.get,
        catalogue({"Param error": "свой текст"}),
    ],
    ids=["mapping", "function", "gettext"],
)
def test_an_operators_texts_come_first(hook: Any) -> None:
    messages = Messages(hooks={"ru-RU": hook})
    assert messages.text("4003", "ru") == Text("свой текст", Lang.RU)
    assert messages.text("4008", "ru") == Text(REGISTRY["4008"].ru, Lang.RU)
    assert messages.text("4003", "en") == Text(REGISTRY["4003"].en, Lang.EN)


def test_an_operators_chinese_is_a_fallback_too() -> None:
    bare = ErrorCode(
        code="4100", name="A", message="a", billing=Billing.FREE, http_status=400, retryable=False, actor="caller"
    )
    messages = Messages(REGISTRY.with_codes(bare), hooks={"cn": {"4100": "中文"}})
    assert messages.text("4100", "ru") == Text("中文", Lang.CN, "no text in ru")


def test_a_hook_that_fails_has_no_text() -> None:
    def fails(code: str) -> str:
        raise RuntimeError("the key of the translator is 123")

    for hook, name in ((fails, "RuntimeError"), (lambda code: 7, "TypeError"), ({"4003": b"x"}, "TypeError")):
        text = Messages(hooks={"ru": hook}).text("4003", "ru")  # type: ignore[dict-item]
        assert text == Text(REGISTRY["4003"].ru, Lang.RU, f"the hook for ru failed: {name}")
    assert (
        Messages(hooks={"ru": {"4003": "\ud800"}}).text("4003", "ru").note
        == "the hook for ru failed: UnicodeEncodeError"
    )
    assert Messages(hooks={"ru": {"4003": ""}}).text("4003", "ru") == Text(REGISTRY["4003"].ru, Lang.RU)


def test_a_hook_is_one_of_three_kinds() -> None:
    wrong: Any = {"ru": 7}
    with pytest.raises(TypeError, match="gettext object, a mapping or a function"):
        Messages(hooks=wrong)
    with pytest.raises(ValueError, match="Lang"):
        Messages(hooks={"fr": {}})
