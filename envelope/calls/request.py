"""`ApiRequest`: one call of a gateway's API, read from HTTP and written back, the same in every carrier.

A call comes as a query string, as a form or as a JSON body; the query string goes with all three, and its ``key``
always does. What two of them name, the body has, as PHP's $_REQUEST has it. Errors name the code to answer with:
4014 for what is missing, 4003 for what is wrong, 4010 for an API that there is none of.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from envelope.calls.http import HttpRequest
from envelope.calls.media import FORM_TYPE
from envelope.calls.parameters import find_fault, text_tree
from envelope.calls.php_query import build_query, parse_query
from envelope.calls.reading import (
    is_name,
    member,
    read_body,
    read_path,
    read_query,
    salvage,
    take_args,
    take_text,
    wanted,
)
from envelope.errors import DecodeError, EncodeError, RequestError
from envelope.formats import FORMATS, ResultType
from envelope.limits import DEFAULT_LIMITS, Limits
from envelope.path import MAX_SHOWN, format_path, short_path
from envelope.registry.codes import API_NOT_FOUND, MISSING_PARAM
from envelope.registry.languages import Lang
from envelope.values.php import differences

__all__ = ["ApiRequest", "Carrier", "read_call"]

Carrier = Literal["query", "form", "json"]

# The names that are none of an API's own; `api` is another name of `method`.
_COMMON = frozenset(
    {"key", "secret", "api_name", "cache", "result_type", "lang", "version", "method", "_o_args", "dateline", "sign"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiRequest:
    """One call: the common parameters, ``method``, ``args`` (``_o_args``, a map), and the rest in order as ``params``.

    ``key``, ``secret`` and ``sign`` are not shown by ``repr``. The names of *params* are such as PHP leaves alone,
    for where one carrier changed a name, a call would have two meanings; `ValueError` for others.
    """

    key: str = field(repr=False)
    api_name: str
    api_type: str = ""
    method: str = ""
    args: dict[str, Any] | None = None
    params: dict[str, Any] = field(default_factory=dict)
    secret: str = field(default="", repr=False)
    cache: bool = True
    result_type: ResultType = ResultType.JSON
    lang: Lang = Lang.CN
    version: str = ""
    dateline: str = ""
    sign: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        for name in ("key", "api_name", "api_type", "method", "secret", "version", "dateline", "sign"):
            if type(getattr(self, name)) is not str:
                raise TypeError(f"{name} is a str, not {type(getattr(self, name)).__name__}")
        for kind, name in ((bool, "cache"), (dict, "params"), (dict if self.args is not None else type(None), "args")):
            if type(getattr(self, name)) is not kind:
                raise TypeError(f"{name} is a {kind.__name__}, not {type(getattr(self, name)).__name__}")
        if not self.key:
            raise ValueError("every call has a key")
        for name in (self.api_name, self.api_type or self.api_name):
            if not is_name(name):
                raise ValueError(f"no name of an API: {name[:MAX_SHOWN]!r}")
        own = _COMMON if self.method else _COMMON | {"api"}
        taken = sorted(own.intersection(self.params))
        if taken:
            raise ValueError(f"params are those beyond the common ones, which {', '.join(taken)} is of")
        if fault := find_fault(self.params):
            raise ValueError(f"{fault[0]} at {short_path(fault[1])}")
        object.__setattr__(self, "result_type", ResultType(self.result_type))
        object.__setattr__(self, "lang", Lang(self.lang))

    def to_params(self) -> dict[str, Any]:
        """All parameters as they are sent, in the order of the gateway's own client; defaults are left out."""
        own = {"dateline": self.dateline, "method": self.method, "_o_args": self._o_args()}
        options = {
            "version": self.version,
            "sign": self.sign,
            "secret": self.secret,
            "cache": "" if self.cache else "no",
            "lang": "" if self.lang is Lang.CN else str(self.lang),
            "result_type": "" if self.result_type is ResultType.JSON else str(self.result_type),
        }
        return {
            "key": self.key,
            "api_name": self.api_name,
            **{name: text for name, text in own.items() if text},
            **self.params,
            **{name: text for name, text in options.items() if text},
        }

    def _o_args(self) -> str:
        return "" if self.args is None else _jsonu(self.args).decode()

    def write(self, carrier: Carrier) -> HttpRequest:
        """The call as HTTP: everything in the query string, or the key there and the rest in a form or JSON body.

        In a query string and a form numbers and booleans become text. What these cannot carry (None, an empty
        container, more than PHP takes) is an `EncodeError` with its path.
        """
        params = self.to_params()
        path = ""
        if self.api_type:
            path = f"/{self.api_type}/{params.pop('api_name')}/"
        if carrier == "query":
            return HttpRequest(path=path, query=_text(params))
        query = _text({"key": params.pop("key")})
        if carrier == "form":
            return HttpRequest(path=path, query=query, body=_text(params).encode(), content_type=FORM_TYPE)
        if carrier != "json":
            raise TypeError(f"a carrier is query, form or json, not {carrier!r}")
        return HttpRequest(path=path, query=query, body=_jsonu(params), content_type=ResultType.JSON.media_type)

    @staticmethod
    def read(http: HttpRequest, *, apis: Collection[str] | None = None, limits: Limits = DEFAULT_LIMITS) -> ApiRequest:
        """The call in *http*. `RequestError`, with the code to answer with, where it is none.

        ``result_type`` and ``lang`` are the parameters', or what the headers accept most, or json and ``cn``; the
        error has them too. *apis* are the names that there are; any name is one without it.
        """
        return read_call(http, apis=apis, limits=limits)[0]

    @staticmethod
    def from_params(
        params: Mapping[str, Any],
        *,
        api_type: str = "",
        accepted: tuple[ResultType, Lang] = (ResultType.JSON, Lang.CN),
        apis: Collection[str] | None = None,
        limits: Limits = DEFAULT_LIMITS,
    ) -> ApiRequest:
        """The call that *params* are; *accepted* is how it is answered where they do not say.

        `RequestError` for the first that is missing or wrong, in the order of the gateway's documents.
        """
        rest = dict(params)
        key, secret, sign, api_name = (take_text(rest, name) for name in ("key", "secret", "sign", "api_name"))
        # A signed call need not show its secret.
        for name, text in (("key", key), ("secret", secret or sign), ("api_name", api_name)):
            if not text:
                raise RequestError("missing", code=MISSING_PARAM, path=format_path([name]))
        if not is_name(api_name) or (apis is not None and api_name not in apis):
            raise RequestError("no such API", code=API_NOT_FOUND, path="$.api_name")
        cache = take_text(rest, "cache")
        if cache not in ("", "yes", "no"):
            raise RequestError("neither yes nor no", path="$.cache")
        result_type = member(ResultType, take_text(rest, "result_type") or accepted[0], "result_type")
        lang = member(Lang, take_text(rest, "lang") or accepted[1], "lang")
        version, dateline = take_text(rest, "version"), take_text(rest, "dateline")
        method = take_text(rest, "method") or take_text(rest, "api")
        args = take_args(rest, limits)
        if fault := find_fault(rest):
            raise RequestError(fault[0], path=short_path(fault[1]))
        return ApiRequest(
            key=key,
            secret=secret,
            sign=sign,
            api_type=api_type,
            api_name=api_name,
            method=method,
            args=args,
            params=rest,
            cache=cache != "no",
            result_type=result_type,
            lang=lang,
            version=version,
            dateline=dateline,
        )


def read_call(
    http: HttpRequest, *, apis: Collection[str] | None = None, limits: Limits = DEFAULT_LIMITS
) -> tuple[ApiRequest, dict[str, Any]]:
    """The call in *http*, as `ApiRequest.read` has it, and its parameters as they came, which a signature is over."""
    params: dict[Any, Any] = {}
    try:
        params.update(read_query(http.query, limits))
        params.update(read_body(http, limits))
        api_type, api_name = read_path(http.path)
        if api_name:
            params["api_name"] = api_name
        accepted = wanted(params, http)
        return ApiRequest.from_params(params, api_type=api_type, accepted=accepted, apis=apis, limits=limits), params
    except RequestError as error:
        error.result_type, error.lang = wanted(params or salvage(http.query), http)
        raise


def _jsonu(value: dict[str, Any]) -> bytes:
    return FORMATS[ResultType.JSONU].dumps(value, "portable", "array", "typed", None, DEFAULT_LIMITS)


def _text(params: dict[str, Any]) -> str:
    """*params* as a query string that PHP reads back the same, but for types."""
    query = build_query(params)
    try:
        lost = next(differences(text_tree(params), parse_query(query)), None)
    except DecodeError as error:  # more than PHP takes
        raise EncodeError(error.reason, kind="limit", format=error.format, path=error.path, hint=error.hint) from None
    if lost is not None:
        raise EncodeError("a query string does not carry it", format="query", path=lost.path, hint="a JSON body does")
    return query
