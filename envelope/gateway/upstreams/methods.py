"""How a method is asked of an upstream: a path of a bounded grammar, and what is sent to it.

    method  = word *7( "/" segment )               at most 128 characters
    segment = word *( "." word )                   as the names of models have it
    word    = 1*( "A"-"Z" / "a"-"z" / "0"-"9" / "_" / "-" )

So a method can neither leave the upstream's address nor add anything to it: no segment is "." or "..".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal
from urllib.parse import urlencode

import orjson

from envelope.calls.http import Upload
from envelope.errors import RequestError
from envelope.gateway.upstreams.call import UpstreamCall
from envelope.path import format_path
from envelope.registry.codes import API_NOT_FOUND, MISSING_PARAM

__all__ = ["HOW", "MAX_METHOD", "MAX_SEGMENTS", "Ask", "asking_for_usage", "check_method", "how_to_ask"]

MAX_SEGMENTS: Final = 8
MAX_METHOD: Final = 128
_WORD: Final = "[A-Za-z0-9_-]+"
_METHOD: Final = re.compile(rf"{_WORD}(?:/{_WORD}(?:\.{_WORD})*){{0,{MAX_SEGMENTS - 1}}}")

How = Literal["query", "json", "form"]
"""``query``: GET. ``json``: POST, the arguments as a JSON object. ``form``: POST, a multipart form."""

HOW: Final[Mapping[str, How]] = {
    "v1/models": "query",
    "v1/completions": "json",
    "v1/chat/completions": "json",
    "v1/edits": "json",
    "v1/images/generations": "json",
    "v1/images/edits": "form",
    "v1/images/variations": "form",
    "v1/embeddings": "json",
    "v1/audio/transcriptions": "form",
}
"""The documents' methods. Any other, and v1/files, is a form if there are files, JSON if there are arguments, else a
query. ``images/submit`` and ``images/get`` are a gateway's own; passed on, they are asked by that rule too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One request to an upstream, before it is known to which: ``path`` is added to its address."""

    verb: Literal["GET", "POST"]
    path: str
    json: bytes | None = field(default=None, repr=False)
    fields: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    files: tuple[Upload, ...] = field(default=(), repr=False)

    @property
    def is_form(self) -> bool:
        """Whether it is a multipart form."""
        return self.verb == "POST" and self.json is None


def check_method(method: str) -> None:
    """`RequestError` if *method* keeps not to the grammar (4010), or is missing (4014)."""
    if not method:
        raise RequestError("missing", code=MISSING_PARAM, path="$.method")
    if len(method) > MAX_METHOD or _METHOD.fullmatch(method) is None:
        raise RequestError("no such method", code=API_NOT_FOUND, path="$.method")


def how_to_ask(call: UpstreamCall) -> Ask:
    """The request for *call*: its args, and those of its params that no argument has the name of.

    `RequestError` for a method as `check_method` says, and for arguments that JSON or a form cannot hold (4003).
    """
    check_method(call.method)
    args = {**call.params, **call.args} if call.args else call.params
    how = HOW.get(call.method) or ("query" if call.args is None else "json")
    if call.files or how == "form":
        return Ask(verb="POST", path=call.method, fields=tuple(_pairs(args)), files=call.files)
    if how == "json":
        return Ask(verb="POST", path=call.method, json=_json(args))
    return Ask(verb="GET", path=call.method + (f"?{_query(args)}" if args else ""))


_SAYS_USAGE: Final = frozenset(("v1/chat/completions", "v1/completions"))  # at the end of a stream, if it is asked to


def asking_for_usage(call: UpstreamCall) -> tuple[UpstreamCall, bool]:
    """The call of a stream as it is sent, so that its usage is told; and whether its caller wants to see that."""
    args = {**call.params, **(call.args or {})}
    options = args.get("stream_options")
    if call.method not in _SAYS_USAGE or not isinstance(options, dict | None):  # the upstream says what is wrong
        return call, True
    options = options or {}
    args["stream_options"] = {**options, "include_usage": True}
    return replace(call, args=args, params={}), bool(options.get("include_usage"))


def _json(args: Mapping[str, Any]) -> bytes:
    try:
        return orjson.dumps(args)
    except TypeError:
        reason = "arguments that JSON cannot hold"
    raise RequestError(reason, path="$._o_args")


def _query(args: Mapping[str, Any]) -> str:
    try:
        return urlencode(list(_pairs(args)))
    except UnicodeEncodeError:
        reason = "arguments that a query cannot hold"
    raise RequestError(reason, path="$._o_args")


def _pairs(args: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """*args* as a query or form has them: lists as ``name[]``, maps as ``name[key]``; None is left out."""
    pending = list(args.items())[::-1]
    while pending:
        name, value = pending.pop()
        if isinstance(value, Mapping):
            pending += [(f"{name}[{key}]", member) for key, member in list(value.items())[::-1]]
        elif isinstance(value, list):
            pending += [(f"{name}[]", member) for member in reversed(value)]
        elif isinstance(value, bool):
            yield name, "true" if value else "false"
        elif isinstance(value, str | int | float):
            yield name, str(value)
        elif value is not None:
            raise RequestError(f"a value of type {type(value).__name__}", path=format_path([name]))
