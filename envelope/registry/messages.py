"""Messages: what a code is called in the caller's language, an operator's own texts first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from envelope.registry.codes import REGISTRY, CodeRegistry, ErrorCode
from envelope.registry.languages import Lang

__all__ = ["GetText", "Hook", "Messages", "Text"]


class GetText(Protocol):
    """What `gettext.translation` returns: the translations of one language, by the English message."""

    def gettext(self, message: str, /) -> str:
        """The translation of *message*; *message* itself if there is none."""
        ...


Hook: TypeAlias = GetText | Mapping[str, str] | Callable[[str], str | None]
"""An operator's texts in one language: a gettext object (asked for a code's ``message``), a mapping or a function
(asked for the code)."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text, the language that it is in (None: a code's own message, the same in every language), and in ``note``
    what was missing or failed before it was found."""

    text: str
    lang: Lang | None
    note: str = ""

    def __str__(self) -> str:
        return self.text


class Messages:
    """The catalogue: ``messages.text("4003", "ru")``.

    *hooks* has an operator's own texts by language. A missing text falls back, and says so: the language asked for,
    then Chinese, then the code's message; in each language the hook is asked before *registry*. A hook that raises
    counts as having no text.
    """

    __slots__ = ("_hooks", "registry")

    def __init__(self, registry: CodeRegistry = REGISTRY, hooks: Mapping[Lang | str, Hook] | None = None) -> None:
        self.registry = registry
        self._hooks = {Lang(lang): _asker(hook) for lang, hook in (hooks or {}).items()}

    def text(self, code: str, lang: Lang | str) -> Text:
        """Return the description of *code* in *lang*, also for a code that the registry does not hold."""
        row = self.registry.get(code)
        asked = Lang(lang)
        notes: list[str] = []
        for tried in dict.fromkeys([asked, Lang.CN]):
            for text in self._texts(row, tried, notes):
                if text:
                    return Text(text, tried, "; ".join(notes))
            notes.append(f"no text in {tried}")
        return Text(row.message, None, "; ".join(notes))

    def _texts(self, row: ErrorCode, lang: Lang, notes: list[str]) -> Iterator[str | None]:
        if lang in self._hooks:
            try:
                text = self._hooks[lang](row)
                if text is not None:
                    _check_text(text)
            except Exception as error:  # an answer must not fail for lack of a translation
                notes.append(f"the hook for {lang} failed: {type(error).__name__}")
            else:
                yield text
        yield getattr(row, lang)


def _check_text(text: object) -> None:
    if type(text) is not str:
        raise TypeError(f"a text must be a str, not {type(text).__name__}")
    text.encode()  # a lone surrogate could not be written


def _asker(hook: Hook) -> Callable[[ErrorCode], str | None]:
    """One way to ask the three kinds of hook."""
    if isinstance(hook, Mapping):
        return lambda row: hook.get(row.code)
    if callable(hook):
        return lambda row: hook(row.code)
    if hasattr(hook, "gettext"):
        # Without a translation, gettext returns the message that it was given.
        return lambda row: None if (text := hook.gettext(row.message)) == row.message else text
    raise TypeError(f"a hook must be a gettext object, a mapping or a function, not {type(hook).__name__}")
