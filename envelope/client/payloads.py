"""From a decoded payload to the type that the caller asks for, by the library that the type belongs to.

A `msgspec.Struct`, or a type with one in it, is msgspec's. All others (pydantic's own models, dataclasses, TypedDicts,
lists and unions of them) are pydantic's, or msgspec's where pydantic is not installed or does not know them (before
Python 3.12, it knows only the TypedDict of typing_extensions). Both read text as numbers where
a number is asked for: XML without types has nothing else.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from importlib.util import find_spec
from typing import Any, get_args

from envelope.errors import ValidationError
from envelope.path import format_path

__all__ = ["maker_of"]


def maker_of(wanted: Any) -> Callable[[Any], Any] | None:
    """What makes a *wanted* of a payload, None if nothing is wanted; it raises `ValidationError` with the path of what
    does not fit, and nothing of the payload.

    `TypeError` if nothing that is installed makes one: better now than after the call was paid for.
    """
    if wanted is None:
        return None
    if not _is_for_msgspec(wanted) and find_spec("pydantic") is not None:
        adapter = _adapter(wanted)
        if adapter is not None:
            return lambda value: _by_pydantic(value, wanted, adapter)
    if find_spec("msgspec") is not None:
        import msgspec

        with suppress(TypeError, NameError):  # a type that it does not know, a name that it does not find
            msgspec.json.Decoder(wanted)
            return lambda value: _by_msgspec(value, wanted)
    raise TypeError(f"nothing that is installed makes a {_name(wanted)}: pip install pydantic, or msgspec")


def _is_for_msgspec(wanted: Any) -> bool:
    # A Struct can only exist where msgspec is imported.
    msgspec = sys.modules.get("msgspec")
    if msgspec is None:
        return False
    if isinstance(wanted, type) and issubclass(wanted, msgspec.Struct):
        return True
    return any(_is_for_msgspec(part) for part in get_args(wanted))


def _by_pydantic(value: Any, wanted: Any, adapter: Any) -> Any:
    from pydantic import ValidationError as Misfit

    try:
        return adapter.validate_python(value)
    except Misfit as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        reason, path = first["type"], format_path([step for step in first["loc"] if isinstance(step, str | int)])
    # Outside the handler: the error holds the payload.
    raise ValidationError(f"not a {_name(wanted)}: {reason}", path=path)


@lru_cache(maxsize=256)
def _adapter(wanted: Any) -> Any:
    """What reads a *wanted* by pydantic; None if it does not know such types."""
    from pydantic import PydanticUserError, TypeAdapter

    try:
        adapter: Any = TypeAdapter(wanted)
    except PydanticUserError:
        return None
    return adapter if adapter.pydantic_complete else None


def _by_msgspec(value: Any, wanted: Any) -> Any:
    import msgspec

    try:
        return msgspec.convert(value, wanted, strict=False)
    except msgspec.ValidationError as error:
        # Its text ends with the place: "Expected `int`, got `str` - at `$.usage`".
        place = re.search(r" - at `(?:key in )?(\$[^`]*)`\Z", str(error))
        path = place[1] if place else "$"
    raise ValidationError(f"not a {_name(wanted)}", path=path)


def _name(wanted: Any) -> str:
    return getattr(wanted, "__name__", None) or str(wanted)
