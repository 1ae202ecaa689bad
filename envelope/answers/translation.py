"""Payload translation: chosen texts of an answer, in one call to the caller's own translator.

A failure never loses the answer. A translation adds ``translate_language`` (the gateway's own name for it) to the
extras; a failed one adds ``translate_error`` with the name of the exception, and leaves the response as it was.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, NamedTuple, TypeAlias

from envelope.answers.envelope import Envelope
from envelope.path import MAX_SHOWN, ROOT, Link, Step, format_path, link_steps, parse_path
from envelope.registry.languages import Lang

__all__ = ["AsyncTranslator", "Translator", "translate", "translate_async"]

Translator: TypeAlias = Callable[[list[str], Lang], Sequence[str]]
"""Returns the translations of all texts, in their order."""

AsyncTranslator: TypeAlias = Callable[[list[str], Lang], Awaitable[Sequence[str]]]
"""Returns, when awaited, the translations of all texts, in their order."""


def translate(
    answer: Envelope[Any],
    lang: Lang | str,
    paths: Iterable[str],
    translator: Translator,
    *,
    keep_original: bool = False,
    on_error: Callable[[Exception], None] | None = None,
) -> Envelope[Any]:
    """*answer* with the texts at *paths* in its response translated into *lang*, by one call to *translator*.

    A path is relative to the response, or begins with ``$.response``; ``[*]`` stands for every member of a list or
    map: ``choices[*].text``, ``items.item[*].title``. `ValueError` if it is not a valid path. Places that are missing,
    empty or not text are skipped; if there is no text, *translator* is not called and *answer* is returned as it is.
    With *keep_original* the extra ``translate_original`` lists each path and its text. If the translator raises, or
    returns anything but as many texts, the response stays untranslated, the answer is marked, and *on_error* gets the
    exception. The same happens if the paths lead to more than 100,000 places.
    """
    lang, patterns = Lang(lang), _patterns(paths)
    try:
        places = _find(answer.response, patterns)
        if not places:
            return answer
        texts = translator([place.text for place in places], lang)
        return _translated(answer, lang, places, texts, keep_original=keep_original)
    except Exception as error:  # whatever the translator does, the answer must go out
        return _marked(answer, error, on_error)


async def translate_async(
    answer: Envelope[Any],
    lang: Lang | str,
    paths: Iterable[str],
    translator: AsyncTranslator,
    *,
    keep_original: bool = False,
    on_error: Callable[[Exception], None] | None = None,
) -> Envelope[Any]:
    """The same as `translate`, with a *translator* that is awaited. Cancellation passes through."""
    lang, patterns = Lang(lang), _patterns(paths)
    try:
        places = _find(answer.response, patterns)
        if not places:
            return answer
        texts = await translator([place.text for place in places], lang)
        return _translated(answer, lang, places, texts, keep_original=keep_original)
    except Exception as error:  # whatever the translator does, the answer must go out
        return _marked(answer, error, on_error)


_MAX_PLACES = 100_000
_MAX_NAME = 64


class _Place(NamedTuple):
    """A text in the response, and the steps to it."""

    steps: tuple[Step, ...]
    text: str


def _patterns(paths: Iterable[str]) -> list[list[str | int | None]]:
    """The steps of each path, relative to the response."""
    if isinstance(paths, str):
        raise TypeError("paths are a list of paths, not one str")
    patterns = []
    for path in paths:
        if not isinstance(path, str):
            raise TypeError(f"a path is a str, not {type(path).__name__}")
        steps = parse_path(path)
        if path.startswith(ROOT) and steps[:1] != ["response"]:
            raise ValueError(f"the path {path[:MAX_SHOWN]!r} is not in the response")
        patterns.append(steps[path.startswith(ROOT) :])
    return patterns


def _find(response: object, patterns: Iterable[Iterable[str | int | None]]) -> list[_Place]:
    """The texts that *patterns* lead to, each place once: by pattern, then in document order."""
    found: dict[tuple[Step, ...], str] = {}
    for steps in patterns:
        level: list[tuple[Any, Link]] = [(response, None)]
        for step in steps:
            # Bounded, because a value that holds itself many times over has more places than members.
            members = ((child, (link, name)) for value, link in level for name, child in _members(value, step))
            level = list(islice(members, _MAX_PLACES + 1))
            if len(level) > _MAX_PLACES:
                raise ValueError(f"more than {_MAX_PLACES} places")
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


def _translated(
    answer: Envelope[Any], lang: Lang, places: Sequence[_Place], translations: Any, *, keep_original: bool
) -> Envelope[Any]:
    """*answer* with *translations* in its places, once they are checked."""
    if not isinstance(translations, Sequence) or isinstance(translations, str | bytes):
        raise TypeError(f"a translator returns a list of texts, not {type(translations).__name__}")
    texts = list(translations)
    if len(texts) != len(places):
        raise ValueError(f"{len(texts)} translations for {len(places)} texts")
    for text in texts:
        if type(text) is not str:
            raise TypeError(f"a translation is a str, not {type(text).__name__}")
        text.encode()  # fails on a lone surrogate, which could not be written
    # Only the containers on the way to a text are copied, each once: the caller's own value does not change.
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
    extras = {**_unmarked(answer), "translate_language": str(lang)}
    if keep_original:
        originals = [{"path": format_path(["response", *place.steps]), "text": place.text} for place in places]
        extras["translate_original"] = originals
    return replace(answer, response=root[0], extras=extras)


def _marked(answer: Envelope[Any], error: Exception, on_error: Callable[[Exception], None] | None) -> Envelope[Any]:
    if on_error is not None:
        with contextlib.suppress(Exception):  # a full log must not lose the answer either
            on_error(error)
    # Its name only: its message may hold the translator's address, or its key.
    return replace(answer, extras={**_unmarked(answer), "translate_error": type(error).__name__[:_MAX_NAME]})


def _unmarked(answer: Envelope[Any]) -> dict[str, Any]:
    """The extras without the mark of an earlier failure."""
    return {name: value for name, value in answer.extras.items() if name != "translate_error"}
