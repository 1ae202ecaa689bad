"""Pages made of templates, in the language that is asked for. Whatever is put into one is text, never markup."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined

import envelope
from envelope.gateway.pages.asked import LANG_COOKIE
from envelope.gateway.pages.assets import address_of
from envelope.registry.languages import Lang

if TYPE_CHECKING:
    from envelope.gateway.pages.asked import Asked

__all__ = ["lang_cookies", "render", "texts_of"]

_NAMES: Final = {Lang.CN: "中文", Lang.EN: "English", Lang.RU: "Русский"}
_YEAR: Final = 366 * 86_400


@cache
def texts_of(lang: Lang) -> Mapping[str, Any]:
    """The words of the pages in *lang*."""
    return tomllib.loads((files("envelope.gateway.pages") / "texts" / f"{lang}.toml").read_text("utf-8"))


def render(name: str, asked: Asked, **shown: Any) -> str:
    """The template of that *name* with what is to be *shown*, in the language of *asked*."""
    words = texts_of(asked.lang)
    common = {
        "t": words,
        "lang": asked.lang,
        "langs": [(each, _NAMES[each], _address(asked, each)) for each in Lang],
        "path": asked.path.rstrip("/") or "/",
        "version": envelope.__version__,
        "has_console": False,
        "is_operator": False,
    }
    return _environment().get_template(name).render({**common, **shown})


def lang_cookies(asked: Asked) -> tuple[str, ...]:
    """The cookie that keeps the language that was chosen, if one was."""
    if asked.chosen is None:
        return ()
    return (f"{LANG_COOKIE}={asked.chosen}; Path=/; Max-Age={_YEAR}; SameSite=Lax",)


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("envelope.gateway.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.globals["address_of"] = address_of
    made.filters["spaced"] = lambda number: f"{number:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")
    return made


def _address(asked: Asked, lang: Lang) -> str:
    """The same page in *lang*."""
    path = asked.path if asked.method in ("GET", "HEAD") else "/" + asked.path.split("/")[1]
    if not path.startswith("/console/"):  # elsewhere, a query may have somebody's secret
        return f"{path}?lang={lang}"
    query = {name: value for name, value in asked.query.items() if name != "lang"}
    return f"?{urlencode({**query, 'lang': lang}, errors='replace')}"
