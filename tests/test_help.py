"""What `help()` shows of a door: what is where, and defaults in a few words."""

from __future__ import annotations

import re
from importlib import import_module

import pytest

import envelope
from envelope.registry import REGISTRY
from tests.test_imports import DOORS

pydoc = import_module("pydoc")

LONGEST = 1_300  # characters of the longest signature: UpstreamSettings' fields, with what each may be


def shown(name: str) -> str:
    text: str = pydoc.plain(pydoc.render_doc(import_module(name)))
    return text


@pytest.mark.parametrize("name", DOORS)
def test_a_default_is_shown_in_a_few_words(name: str) -> None:
    for package in ("aiohttp", "httpx2", "sqlalchemy"):
        pytest.importorskip(package)
    text = shown(name)
    assert max(map(len, text.splitlines())) <= LONGEST
    assert not any(f"message={row.message!r}" in text for row in REGISTRY)


def test_the_help_of_the_library_is_short_but_for_what_python_says_of_its_own_classes() -> None:
    text = shown("envelope")
    inherited = re.compile(
        r"^ +\|  [\w ]+ inherited from [\w.]+:\n(?:(?! +\|  -{20}).*\n)*?(?= +\|  -{20}|\n)", re.MULTILINE
    )
    assert len(inherited.sub("", text).splitlines()) < 900
    assert all(
        f"`envelope.{room}`" in text for room in ("values", "registry", "calls", "client", "gateway", "adapters")
    )


def test_a_registry_says_how_many_codes_it_has() -> None:
    assert repr(REGISTRY) == "<CodeRegistry: 20 codes>"
    assert repr(envelope.registry.CodeRegistry()) == "<CodeRegistry: 0 codes>"
