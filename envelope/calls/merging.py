"""The query's parameters and the body's as one array, as PHP merges $_GET and $_POST into $_REQUEST.

PHP itself reads no JSON body, so it has no rule for one: the same is used.
"""

from __future__ import annotations

from typing import Any

from envelope.values.php_rules import is_ambiguous

__all__ = ["merge_params"]


def merge_params(query: dict[Any, Any], body: dict[Any, Any]) -> dict[Any, Any]:
    """*query* with *body* merged into it: an array merges into an array of its name, anything else replaces.

    A name keeps its place. Neither argument is changed; an array merged from two is a list if its keys are 0 … n-1 in
    order.
    """
    # No deeper than a query, whose nesting is limited.
    merged = dict(query)
    for name, value in body.items():
        mine = merged.get(name)
        if isinstance(mine, dict | list) and isinstance(value, dict | list):
            value = _as_array(merge_params(_by_key(mine), _by_key(value)))
        merged[name] = value
    return merged


def _by_key(array: dict[Any, Any] | list[Any]) -> dict[Any, Any]:
    """An array by its keys, integers as decimals."""
    return array if isinstance(array, dict) else {str(index): value for index, value in enumerate(array)}


def _as_array(members: dict[Any, Any]) -> dict[Any, Any] | list[Any]:
    return list(members.values()) if is_ambiguous(members) else members
