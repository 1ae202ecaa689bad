"""Payload translation: chosen texts of an answer, in one call of the caller's own translator.

The answer is never lost for it. A translation leaves ``translate_language`` in the extras (the gateway's own name for
it), a failed one ``translate_error`` with the name of what went wrong; the response is then as it was.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, TypeAlias

from envelope.lang import Lang
from envelope.model import Envelope
from envelope.path import Link, Step, format_path, link_steps, parse_path

__all__ = ["AsyncTranslator", "Translator", "translate", "translate_async"]

Translator: TypeAlias = Callable[[list[str], Lang], Sequence[str]]
"""Answers the translations of all texts, in their order."""

AsyncTranslator: TypeAlias = Callable[[list[str], Lang], Awaitable[Sequence[str]]]


def translate(
    answer: Envelope[Any],
    lang: Lang | str,
    paths: Iterable[str],
    translator: Translator,
    *,
    keep_original: bool = False,
    on_error: Callable[[Exception], None] | None = None,
) -> Envelope[Any]:
    """*answer* with the texts at *paths* of its response translated into *lang*, by one call of *translator*.

    A path is relative to the response, and ``[*]`` stands for every member of a list or map: ``choices[*].text``,
    ``items.item[*].title``; `ValueError` where it is none. What is not there, no text or empty is passed over; without
    any text *translator* is not called, and *answer* comes back as it is. With *keep_original* the extra
    ``translate_original`` lists each path and its text. A translator that raises, or answers anything but as many
    texts, leaves the response untranslated and the answer marked; *on_error* is then told what happened.
    """
    lang, places = Lang(lang), _find(answer.response, paths)
    if not places:
        return answer
    try:
        texts = _checked(translator([place.text for place in places], lang), places)
    except Exception as error:  # whatever a translator does, the answer goes out
        return _marked(answer, error, on_error)
    return _translated(answer, lang, places, texts, keep_original=keep_original)


async def translate_async(
    answer: Envelope[Any],
    lang: Lang | str,
    paths: Iterable[str],
    translator: AsyncTranslator,
    *,
    keep_original: bool = False,
    on_error: Callable[[Exception], None] | None = None,
) -> Envelope[Any]:
    """The same as `translate`, with a *translator* that is awaited. Being cancelled is no failure of its own."""
    lang, places = Lang(lang), _find(answer.response, paths)
    if not places:
        return answer
    try:
        texts = _checked(await translator([place.text for place in places], lang), places)
    except Exception as error:  # whatever a translator does, the answer goes out
        return _marked(answer, error, on_error)
    return _translated(answer, lang, places, texts, keep_original=keep_original)


class _Place(NamedTuple):
    """A text in the response, and the steps to it."""

    steps: tuple[Step, ...]
    text: str


def _find(response: object, paths: Iterable[str]) -> list[_Place]:
    """The texts at *paths*, each place once: path by path, within one in document order."""
    if isinstance(paths, str):
        raise TypeError("paths are a list of paths, not one str")
    found: dict[tuple[Step, ...], str] = {}
    for path in paths:
        if path.startswith("$"):
            raise ValueError(f"paths are relative to the response, as choices[*].text: {path[:80]!r}")
        level: list[tuple[Any, Link]] = [(response, None)]
        for step in parse_path(path):
            level = [(child, (link, name)) for value, link in level for name, child in _members(value, step)]
        for value, link in level:
            if type(value) is str and value:
                found[tuple(link_steps(link))] = value
    return [_Place(steps, text) for steps, text in found.items()]


def _members(value: Any, step: str | int | None) -> Iterable[tuple[Step, Any]]:
    """What *step* leads to from *value*: nothing, one member, or all of them."""
    if type(value) is list:
        if step is None:
            return enumerate(value)
        return [(step, value[step])] if type(step) is int and step < len(value) else []
    if type(value) is dict:
        if step is None:
            return value.items()
        return [(step, value[step])] if step in value else []
    return []


def _checked(texts: Any, places: Sequence[_Place]) -> list[str]:
    """What a translator answered, if it is what was asked for."""
    if not isinstance(texts, list | tuple):
        raise TypeError(f"a translator answers a list of texts, not {type(texts).__name__}")
    if len(texts) != len(places):
        raise ValueError(f"{len(texts)} translations of {len(places)} texts")
    for text in texts:
        if type(text) is not str:
            raise TypeError(f"a translation is a str, not {type(text).__name__}")
        text.encode()  # a lone surrogate could not be written
    return list(texts)


def _translated(
    answer: Envelope[Any], lang: Lang, places: Sequence[_Place], texts: Sequence[str], *, keep_original: bool
) -> Envelope[Any]:
    # Only the containers on the way to a text are copied, each once: the caller's own value stays as it is.
    root: list[Any] = [answer.response]
    copies = {id(root)}
    for place, text in zip(places, texts, strict=True):
        above: Any = root
        *way, last = (0, *place.steps)
        for step in way:
            if id(above[step]) not in copies:
                above[step] = above[step].copy()
                copies.add(id(above[step]))
            above = above[step]
        above[last] = text
    extras: dict[str, Any] = {**answer.extras, "translate_language": str(lang)}
    if keep_original:
        originals = [{"path": format_path(["response", *place.steps]), "text": place.text} for place in places]
        extras["translate_original"] = originals
    return replace(answer, response=root[0], extras=extras)


def _marked(answer: Envelope[Any], error: Exception, on_error: Callable[[Exception], None] | None) -> Envelope[Any]:
    if on_error is not None:
        on_error(error)
    # Its name only: what it says may hold the translator's address, or its key.
    return replace(answer, extras={**answer.extras, "translate_error": type(error).__name__})
