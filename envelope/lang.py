"""`Lang`: the three languages of a gateway, their other names, and what a browser's `Accept-Language` picks."""

from __future__ import annotations

from enum import StrEnum

from envelope.accept import weighted

__all__ = ["Lang", "negotiate"]


class Lang(StrEnum):
    """A language, by the gateway's own name for it: ``cn`` is simplified Chinese, and the default.

    ``Lang("zh-Hans")``, ``Lang("en_US")`` and ``Lang("RU")`` find it by its other names; `ValueError` for any other
    language. Traditional Chinese (``zh-Hant``, ``zh-TW``, ``zh-HK``, ``zh-MO``) is another one.
    """

    CN = "cn"
    EN = "en"
    RU = "ru"

    @classmethod
    def _missing_(cls, value: object) -> Lang | None:
        if not isinstance(value, str):
            return None
        # A language tag (RFC 5646), or a locale of POSIX: ru_RU.UTF-8.
        language, *rest = value.partition(".")[0].replace("_", "-").lower().split("-")
        if language == "zh":
            return None if _TRADITIONAL.intersection(rest) and "hans" not in rest else cls.CN
        return cls.__members__.get(language.upper())


_TRADITIONAL = frozenset({"hant", "tw", "hk", "mo"})


def negotiate(accept_language: str, default: Lang = Lang.CN) -> Lang:
    """The language that an `Accept-Language` header asks for most; *default* where it asks for none of the three."""
    weights: dict[Lang, float] = {}
    others = 0.0
    for name, weight in weighted(accept_language):
        if name == "*":
            others = weight
            continue
        try:
            lang = Lang(name)
        except ValueError:
            continue
        weights[lang] = max(weight, weights.get(lang, 0.0))
    # Of equal weights the one named first counts; what only * stands for comes last, the default first of it.
    for lang in (default, *Lang):
        weights.setdefault(lang, others)
    best = max(weights, key=weights.__getitem__)
    return best if weights[best] > 0 else default
