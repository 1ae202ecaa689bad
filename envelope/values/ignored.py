"""What a comparison leaves out: the values at some paths."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from envelope.path import MAX_SHOWN, Step, parse_path, step_text
from envelope.values.php_types import PhpObject, PhpReference, referred

__all__ = ["check_paths", "without"]


def without(value: Any, paths: Iterable[str]) -> Any:
    """Return *value* without what is at *paths*, as `parse_path` reads them; *value* itself stays as it is.

    A path that leads nowhere leaves out nothing. A list's member becomes None, unless it is the last, so that those
    after it keep their places. `ValueError` for what is not a path, `TypeError` for a str in place of paths.
    """
    check_paths(paths)
    for steps in [parse_path(path) for path in paths]:
        value = _without(value, steps)
    return value


def check_paths(paths: Iterable[str]) -> None:
    """`TypeError` if *paths* is a str: its letters would be paths that mostly lead nowhere."""
    if isinstance(paths, str):
        raise TypeError(f"paths must be a collection of str, as in ({paths[:MAX_SHOWN]!r},)")


def _without(value: Any, steps: list[str | int | None]) -> Any:
    if not steps:
        return None
    root = [value]
    holders: list[Any] = [root]
    for step in (0, *steps[:-1]):
        # Only what is on the way is copied.
        holders = [copy for holder in holders for place in _places(holder, step) for copy in _copied(holder, place)]
    for holder in holders:
        _take_out(holder, _places(holder, steps[-1]))
    return root[0]


def _places(holder: Any, step: str | int | None) -> list[Any]:
    """What *step* means in a container: keys of a map, indices of a list or of an object's properties."""
    names: Iterable[tuple[Any, Step]]
    if isinstance(holder, PhpObject):
        names = enumerate(entry.name for entry in holder.properties)
    else:
        names = ((key, key) for key in (holder if isinstance(holder, dict) else range(len(holder))))
    # By their spelling: what is a list in one document may be a map in another.
    return [place for place, name in names if step is None or step_text(name) == str(step)]


def _copied(holder: Any, place: Any) -> list[Any]:
    """Put a copy in the place of a container, and return it; nothing if it is not a container."""
    held = holder.properties[place].value if isinstance(holder, PhpObject) else holder[place]
    found = referred(held)
    copy: Any
    if isinstance(found, PhpObject):
        copy = replace(found)
    elif isinstance(found, list | dict):
        copy = found.copy()
    else:
        return []
    kept = copy if found is held else PhpReference(copy)
    if isinstance(holder, PhpObject):
        entries = list(holder.properties)
        entries[place] = replace(entries[place], value=kept)
        object.__setattr__(holder, "properties", tuple(entries))
    else:
        holder[place] = kept
    return [copy]


def _take_out(holder: Any, places: list[Any]) -> None:
    if isinstance(holder, PhpObject):
        gone = set(places)
        kept = [entry for index, entry in enumerate(holder.properties) if index not in gone]
        object.__setattr__(holder, "properties", tuple(kept))
    elif isinstance(holder, dict):
        for place in places:
            del holder[place]
    else:
        for place in reversed(places):
            if place == len(holder) - 1:
                holder.pop()
            else:
                holder[place] = None
