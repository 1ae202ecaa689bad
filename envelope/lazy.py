"""Doors: packages whose names are imported on first use (PEP 562)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module

__all__ = ["door"]


def door(package: str, names: Mapping[str, str]) -> tuple[Callable[[str], object], Callable[[], list[str]], list[str]]:
    """Return the ``__getattr__``, ``__dir__`` and ``__all__`` of *package*, which imports a name on first use.

    *names* is what it offers: for each of its modules, by the path from the package, the names that the module
    defines, separated by spaces; ``""`` offers the module itself.
    """
    homes = {name: module for module, listed in names.items() for name in listed.split() or [module]}

    def get(name: str) -> object:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module = import_module(f"{package}.{homes[name]}")
        found: object = module if name == homes[name] else getattr(module, name)
        setattr(sys.modules[package], name, found)
        return found

    def listed_names() -> list[str]:
        own = {*vars(sys.modules[package]), *homes}
        return sorted(own - {"TYPE_CHECKING", "door"})

    return get, listed_names, sorted(homes)
