"""What a query string carries unchanged: names that PHP leaves alone, and values as text.

If a carrier changed a name, one call would have two meanings: what its signature or cache key covers, and what the
server does. So no request may have such names, whatever its carrier.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from envelope.calls.php_query import scalar_text
from envelope.errors import EncodeError
from envelope.formats import FORMATS, ResultType
from envelope.hints import Hint
from envelope.limits import DEFAULT_LIMITS
from envelope.path import Link, Step, link_steps, short_path
from envelope.values.php_rules import INT_MAX, INT_MIN, is_ambiguous

__all__ = ["canonical_json", "find_fault", "has_exact_text", "plain_text", "text_tree"]

_MAX_DEPTH = 200
_MANGLED = frozenset(" .[\0")
_MAX_ITEMS = DEFAULT_LIMITS.max_items
_SCALARS = (str, int, float, bool, type(None))


def find_fault(params: Mapping[Any, Any]) -> tuple[str, list[Step]] | None:
    """The first name or value in *params* that no carrier preserves: what is wrong with it, and the steps to it."""
    # The containers still to be checked, each with its place and depth.
    pending: list[tuple[Any, Link, int]] = [(params, None, 1)]
    items = 0
    while pending:
        container, link, depth = pending.pop()
        items += len(container)
        if items > _MAX_ITEMS:  # one container may be in many places
            return f"more than {_MAX_ITEMS} items", link_steps(link)
        if depth > _MAX_DEPTH:
            return f"nested deeper than {_MAX_DEPTH}", link_steps(link)
        is_map = isinstance(container, Mapping)
        for step, value in container.items() if is_map else enumerate(container):
            place = (link, step)
            if reason := (is_map and _name_fault(step, is_first=link is None)) or _value_fault(value):
                return reason, link_steps(place)
            if isinstance(value, list | dict):
                pending.append((value, place, depth + 1))
    return None


def _name_fault(name: Any, *, is_first: bool) -> str:
    if type(name) is not str:
        return "a name that is not UTF-8" if type(name) is bytes else f"a name of type {type(name).__name__}"
    if is_first:
        # PHP turns a space, a dot or a bracket into _, ends a name at NUL, and drops an empty one.
        is_changed = not name or not _MANGLED.isdisjoint(name)
    else:
        # PHP reads an empty key, or a single white space, as []; ] ends a key; hidden cookie prefixes are dropped.
        is_changed = name.strip(" \t\n\r\v\f") == "" and len(name) < 2
        is_changed = is_changed or "]" in name or "\0" in name or name.startswith(("__Host-", "__Secure-"))
    return "a name that PHP would change" if is_changed else ""


def _value_fault(value: Any) -> str:
    if type(value) is list or type(value) is dict or type(value) in _SCALARS:
        return ""
    return "a text that is not UTF-8" if type(value) is bytes else f"a value of type {type(value).__name__}"


def plain_text(name: str, value: Any) -> str:
    """The single text form of a parameter, a text or an integer; `EncodeError` for anything else, which has none."""
    if type(value) is not str and type(value) is not int:
        raise EncodeError(f"a {type(value).__name__} has no single text form", path=short_path([name]))
    return _scalar_text(value)


def has_exact_text(value: Any) -> bool:
    """Whether no other value has the same `text_tree` for being a float of more digits: PHP prints 14."""
    if isinstance(value, Mapping):
        return all(map(has_exact_text, value.values()))
    if isinstance(value, list):
        return all(map(has_exact_text, value))
    return type(value) is not float or float(scalar_text(value)) == value


def text_tree(value: Any) -> Any:
    """*value*, which has no fault, as a query string carries it: text, and lists for the maps that PHP reads as lists.

    What a query string cannot carry (None, empty containers) stays, so that different calls never look the same.
    """
    if isinstance(value, Mapping):
        members = {name: text_tree(member) for name, member in value.items()}
        return list(members.values()) if members and is_ambiguous(members) else members
    if isinstance(value, list):
        return [text_tree(member) for member in value]
    return None if value is None else _scalar_text(value)


def _scalar_text(value: Any) -> str:
    if type(value) is int and not INT_MIN <= value <= INT_MAX:
        raise EncodeError("an int beyond 64 bits", hint=Hint("as-str"))
    return scalar_text(value)


def canonical_json(value: Any) -> bytes:
    """*value* as JSON without spaces, in UTF-8, names in the order of their bytes. `EncodeError` if it has no JSON."""
    # The library's own writer checks the domain, so that orjson can then sort the keys.
    FORMATS[ResultType.JSONU].dumps(value)
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
