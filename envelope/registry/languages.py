"""`Lang`: the three languages of a gateway, and their other names."""

from __future__ import annotations

from enum import StrEnum

from envelope.path import MAX_SHOWN

__all__ = ["Lang"]


class Lang(StrEnum):
    """A language, by the gateway's own name for it: ``cn`` is simplified Chinese, and the default.

    ``Lang("zh-Hans")``, ``Lang("en_US")`` and ``Lang("RU")`` find it by its other names; `ValueError` for any other
    language. Traditional Chinese (``zh-Hant``, ``zh-TW``, ``zh-HK``, ``zh-MO``) is another one.
    """

    CN = "cn"
    EN = "en"
    RU = "ru"

    @property
    def tag(self) -> str:
        """The language tag (RFC 5646) for `Content-Language`: ``zh-Hans``, ``en`` or ``ru``."""
        return "zh-Hans" if self is Lang.CN else self.value

    @classmethod
    def _missing_(cls, value: object) -> Lang:
        if not isinstance(value, str):
            raise TypeError(f"a language must be a Lang or str, not {type(value).__name__}")
        # A language tag (RFC 5646), or a locale of POSIX: ru_RU.UTF-8.
        language, *rest = value.partition(".")[0].replace("_", "-").lower().split("-")
        is_traditional = not _TRADITIONAL.isdisjoint(rest) and "hans" not in rest
        name = "CN" if language == "zh" and not is_traditional else language.upper()
        if name not in cls.__members__:
            raise ValueError(f"{value[:MAX_SHOWN]!r} is not a valid Lang: cn, en, ru")  # Enum's own repeats all of it
        return cls[name]


_TRADITIONAL = frozenset({"hant", "tw", "hk", "mo"})
