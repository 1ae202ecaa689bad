"""What is measured: for each peer and format, the expression that writes and the one that reads.

The same expressions are checked and timed. Every writer makes bytes (texts are encoded) and every reader takes bytes:
the ones that `envelope` wrote, so that all readers of a format read the same document.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, Final, NamedTuple


class Way(NamedTuple):
    """Two Python expressions over the peer's functions and ``value``, ``tree`` (xmltodict's form of it), ``body``."""

    write: str
    read: str


@dataclass(frozen=True)
class Peer:
    """A library: the module whose functions the ways call (and whose name it is), and its ways by format."""

    name: str
    ways: Mapping[str, Way]
    distribution: str | None = None
    """The distribution that has its version, if named differently; none for what comes with Python."""

    def functions(self) -> dict[str, Any] | None:
        """The names that the expressions use; None if the module is not installed."""
        try:
            return dict(vars(importlib.import_module(self.name)))
        except ModuleNotFoundError:
            return None

    def version(self) -> str:
        distribution = self.name if self.distribution is None else self.distribution
        return version(distribution) if distribution else "of Python"


FORMATS: Final = ("serialize", "var_export", "json", "jsonu", "xml", "xml plain")
"""The five, and XML's second dialect, which is what PHP gateways and xmltodict know as XML."""

OTHERS: Final = (
    # phpserialize returns bytes unless told to decode; its lists come back as maps with keys 0 … n-1.
    Peer("phpserialize", {"serialize": Way("dumps(value)", "loads(body, decode_strings=True)")}),
    Peer("orjson", {"jsonu": Way("dumps(value)", "loads(body)")}),
    Peer("json", {"json": Way("dumps(value).encode()", "loads(body)")}, ""),
    # The tree has the shape that xmltodict wants, made beforehand; in the typed dialect, types are its attributes.
    Peer("xmltodict", dict.fromkeys(("xml", "xml plain"), Way("unparse(tree).encode()", "parse(body)"))),
)

ENVELOPE: Final = Peer(
    "envelope",
    {
        format: Way(f"dumps(value, {name!r}{dialect})", f"loads(body, {name!r}{dialect})")
        for format in FORMATS
        for name, dialect in [(format.split()[0], ", dialect='plain'" if format == "xml plain" else "")]
    },
    "envelope-engine",
)

WRAPPED: Final = {
    format: Way(f"encode(answer, {format!r})", f"decode(body, {format!r})")
    for format in FORMATS
    if format != "xml plain"
}
"""The same with the envelope around it."""

BUILDS: Final = ("compiled", "pure")
"""`envelope` as it is imported, and with ENVELOPE_PURE=1."""


def xmltodict_tree(value: Any, *, typed: bool) -> dict[str, Any]:
    """*value* in the shape of xmltodict, whose `unparse` then writes the document that we write."""
    return {"root": _xml_node(value, typed=typed)}


def _xml_node(value: Any, *, typed: bool) -> Any:
    inner: Any
    if isinstance(value, dict):
        kind, inner = "map", {key: _xml_node(child, typed=typed) for key, child in value.items()}
    elif isinstance(value, list):
        kind, inner = "list", {"item": [_xml_node(child, typed=typed) for child in value]}
    else:
        kind, inner = {bool: "bool", int: "int", float: "float", type(None): "null"}.get(type(value), ""), value
    if not typed or not kind:
        return inner
    return {"@type": kind, **(inner if isinstance(inner, dict) else {"#text": inner})}


def xmltodict_reading(tree: Any) -> Any:
    """What `xmltodict.parse` makes of the document of *tree*: texts, stripped; None for nothing; one child alone."""
    if isinstance(tree, dict):
        children = {key: xmltodict_reading(child) for key, child in tree.items()}
        kept = {key: child for key, child in children.items() if child != [] and (key != "#text" or child is not None)}
        return kept or None
    if isinstance(tree, list):
        return xmltodict_reading(tree[0]) if len(tree) == 1 else [xmltodict_reading(child) for child in tree]
    if isinstance(tree, bool):
        return str(tree).lower()
    return None if tree is None else str(tree).strip() or None
