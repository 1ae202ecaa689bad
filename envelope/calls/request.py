"""`ApiRequest`: one call to a gateway's API, read from HTTP or written to it, the same in every carrier.

The carrier is a query string, a form or a JSON body. The last two have a query string as well, with at least the
``key``; the body is merged into it, as in PHP's $_REQUEST. Errors have the code to answer with: 4014 if something is
missing, 4003 if it is wrong, 4010 for an unknown API.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from copy import copy
from dataclasses import dataclass, field, fields
from enum import StrEnum
from types import NoneType
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, cast

from envelope.calls.bounds import REQUEST_LIMITS, names_fault
from envelope.calls.caller import DEFAULT_CALLER, Caller
from envelope.calls.carriers import find_fault, text_tree
from envelope.calls.http import HttpRequest, Upload
from envelope.calls.media import FORM_TYPE
from envelope.calls.merging import merge_params
from envelope.calls.parameters import PARAMETERS
from envelope.calls.php_query import build_query, parse_query, plain_query
from envelope.calls.reading import (
    is_name,
    member,
    read_body,
    read_path,
    read_query,
    salvage,
    take_map,
    take_text,
    wanted,
)
from envelope.errors import DecodeError, EncodeError, RequestError
from envelope.formats import FORMATS, ResultType, ResultTypeName
from envelope.hints import Hint
from envelope.limits import Limits
from envelope.path import MAX_SHOWN, format_path, short_path
from envelope.registry.codes import API_NOT_FOUND, MISSING_PARAM
from envelope.registry.languages import Lang
from envelope.values.php_types import differences

__all__ = ["ApiRequest", "Carrier", "amended", "read_call", "read_caller", "read_params"]

Carrier = Literal["query", "form", "json"]
"""How a call's parameters are sent: in the query, as a form, or as a JSON body."""

_NAMES = frozenset(row.name for row in PARAMETERS)
_ALIASED = [row for row in PARAMETERS if row.alias]
_SENT = sorted(PARAMETERS, key=lambda row: row.sent)

_NAMES_HINT = Hint("php-setting", "max_input_vars")

_ENUMS = {row.field: type(row.default) for row in PARAMETERS if isinstance(row.default, StrEnum)}
# Read first: a call must have these, though either secret or sign is enough.
_NEEDED = ("key", "secret", "sign", "api_name")
_OTHERS = [
    (row.field, row.name, row.alias or row.name, row.default, row.field in _ENUMS)
    for row in PARAMETERS
    if row.name not in _NEEDED
]
# The exact types that a field may have; an enum's field takes whatever the enum does.
_TYPES: dict[str, tuple[type, ...]] = {"api_type": (str,), "params": (dict,)} | {
    row.field: (dict, NoneType) if row.default is None else (type(row.default),)
    for row in PARAMETERS
    if row.field not in _ENUMS
}


_Out = TypeVar("_Out")
_In = TypeVar("_In", contravariant=True)


class _Given(Generic[_Out, _In]):
    """To type checkers, a field that is set to anything that names an enum's member, and read as the member."""

    if TYPE_CHECKING:

        def __get__(self, instance: object, owner: type | None = None) -> _Out: ...

        def __set__(self, instance: object, value: _In) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiRequest:
    """One call: the common parameters, ``method``, ``args`` (``_o_args``, a map), and the rest in order as ``params``.

    ``result_type`` and ``lang`` become members of their enums (from ``result_type="serialize"``, ``lang="zh-Hans"``).
    ``key`` is ``""`` where there are no accounts. ``files`` are those of a multipart form, which is read but never
    written. ``repr`` does not show ``key``, ``secret`` and ``sign``. `ValueError` if PHP would change a name in
    *params*: in that carrier the call would mean something else.
    """

    key: str = field(repr=False)
    api_name: str
    api_type: str = ""
    method: str = ""
    args: dict[str, Any] | None = None
    params: dict[str, Any] = field(default_factory=dict)
    secret: str = field(default="", repr=False)
    cache: bool = True
    result_type: _Given[ResultType, ResultType | ResultTypeName] = field(default=cast(Any, ResultType.JSON))
    lang: _Given[Lang, Lang | str] = field(default=cast(Any, Lang.CN))
    version: str = ""
    dateline: str = ""
    sign: str = field(default="", repr=False)
    files: tuple[Upload, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        for name, types in _TYPES.items():
            if type(getattr(self, name)) not in types:
                raise TypeError(f"{name} is a {types[0].__name__}, not {type(getattr(self, name)).__name__}")
        for name in (self.api_name, self.api_type or self.api_name):
            if not is_name(name):
                raise ValueError(f"not a valid API name: {name[:MAX_SHOWN]!r}")
        # An alias would be read as its parameter if that is not sent.
        own = _NAMES.union(row.alias for row in _ALIASED if getattr(self, row.field) == row.default)
        taken = sorted(own.intersection(self.params))
        if taken:
            raise ValueError(f"params cannot hold common parameters: {', '.join(taken)}")
        if fault := find_fault(self.params):
            raise ValueError(f"{fault[0]} at {short_path(fault[1])}")
        for name, enum in _ENUMS.items():
            value = getattr(self, name)
            if not isinstance(value, str):
                raise TypeError(f"{name} is a str, not {type(value).__name__}")
            object.__setattr__(self, name, enum(value))

    def to_params(self) -> dict[str, Any]:
        """All parameters as they are sent, in the order of the gateway's own client; defaults are left out."""
        written = [(row, _written(value)) for row in _SENT if (value := getattr(self, row.field)) != row.default]
        return {
            **{row.name: text for row, text in written if row.sent < 0},
            **self.params,
            **{row.name: text for row, text in written if row.sent > 0},
        }

    def write(self, carrier: Carrier) -> HttpRequest[str]:
        """The call as HTTP: everything in the query string, or the key there and the rest in a form or JSON body.

        In a query string or form, numbers and booleans become text. What these cannot carry (None, an empty
        container, more than PHP accepts) is an `EncodeError` with its path, and so are more than 1000 parameters in
        any carrier.
        """
        params = self.to_params()
        if reason := names_fault(params):
            raise EncodeError(reason, kind="limit", hint=_NAMES_HINT)
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
    def read(http: HttpRequest, *, apis: Collection[str] | None = None, limits: Limits = REQUEST_LIMITS) -> ApiRequest:
        """The call in *http*; `RequestError`, with the code to answer with, if it is not a valid one.

        ``result_type`` and ``lang`` come from the parameters, else from what the headers prefer, else they are json
        and ``cn``; the error has them too. *apis* are the known names; without it, any name will do. *limits* hold for
        the query and the body each, and for the text of ``_o_args``; there are never more than 1000 parameters.
        """
        return read_call(http, apis=apis, limits=limits)[0]

    @staticmethod
    def from_params(
        params: Mapping[str, Any],
        *,
        api_type: str = "",
        accepted: Caller = DEFAULT_CALLER,
        apis: Collection[str] | None = None,
        has_accounts: bool = True,
        limits: Limits = REQUEST_LIMITS,
        files: tuple[Upload, ...] = (),
    ) -> ApiRequest:
        """The call with these *params*; *accepted* is the format and language if they do not give any.

        `RequestError` for the first that is missing or wrong, in the order of the gateway's documents. Unless it
        *has_accounts*, a gateway needs neither ``key`` nor ``secret``.
        """
        if type(api_type) is not str:
            raise TypeError(f"api_type is a str, not {type(api_type).__name__}")
        if api_type and not is_name(api_type):
            raise ValueError(f"not a valid API name: {api_type[:MAX_SHOWN]!r}")
        if reason := names_fault(params):
            raise RequestError(reason, hint=_NAMES_HINT)
        rest = dict(params)
        key = take_text(rest, "key")
        secret = take_text(rest, "secret")
        sign = take_text(rest, "sign")
        api_name = take_text(rest, "api_name")
        if has_accounts and not key:
            raise _missing("key")
        if has_accounts and not (secret or sign):  # a signed call need not show its secret
            raise _missing("secret")
        if not api_name:
            raise _missing("api_name")
        if not is_name(api_name) or (apis is not None and api_name not in apis):
            raise RequestError("no such API", code=API_NOT_FOUND, path="$.api_name")
        request: Any = _Unfrozen()
        request.key, request.secret, request.sign = key, secret, sign
        request.api_name, request.api_type = api_name, api_type
        for place, name, alias, usual, is_accepted in _OTHERS:
            default = getattr(accepted, place) if is_accepted else usual
            is_sent = name in rest or alias in rest
            setattr(request, place, _take(rest, name, alias, default, limits) if is_sent else default)
        if rest and (fault := find_fault(rest)):
            raise RequestError(fault[0], path=short_path(fault[1]))
        request.params, request.files = rest, files
        request.__class__ = ApiRequest  # whose checks were made on the way
        return cast(ApiRequest, request)


class _Unfrozen:
    """An `ApiRequest` whose fields are being set: that takes many times as long in a frozen one."""

    __slots__ = tuple(field.name for field in fields(ApiRequest))


def _missing(name: str) -> RequestError:
    return RequestError("missing", code=MISSING_PARAM, path=format_path([name]))


def amended(request: ApiRequest, **changes: str) -> ApiRequest:
    """*request* with other texts in some fields, which need no check: whoever makes them knows their form."""
    copied = copy(request)
    for name, text in changes.items():
        object.__setattr__(copied, name, text)
    return copied


def read_call(
    http: HttpRequest,
    *,
    apis: Collection[str] | None = None,
    has_accounts: bool = True,
    limits: Limits = REQUEST_LIMITS,
    fallback: Caller = DEFAULT_CALLER,
) -> tuple[ApiRequest, dict[str, Any]]:
    """The call in *http*, as from `ApiRequest.read`, and its parameters as they came, which a signature covers.

    *fallback* is the format and language for a caller who asks for none that is known.
    """
    params, api_type = read_params(http, limits=limits, fallback=fallback)
    asker = wanted(params, http, fallback)
    try:
        request = ApiRequest.from_params(
            params,
            api_type=api_type,
            accepted=asker,
            apis=apis,
            has_accounts=has_accounts,
            limits=limits,
            files=http.files,
        )
    except RequestError as error:
        error.result_type, error.lang = asker.result_type, asker.lang
        raise
    return request, params


def read_params(
    http: HttpRequest, *, limits: Limits = REQUEST_LIMITS, fallback: Caller = DEFAULT_CALLER
) -> tuple[dict[str, Any], str]:
    """The parameters in *http* as they came, with the ``api_name`` of its path; and the path's ``api_type``."""
    params: dict[Any, Any] = {}
    try:
        params = read_query(http.query, limits)
        if http.body:
            params = merge_params(params, read_body(http, limits))
        api_type, api_name = read_path(http.path)
    except RequestError as error:
        asker = wanted(params or salvage(http.query), http, fallback)
        error.result_type, error.lang = asker.result_type, asker.lang
        raise
    if api_name:
        # In its usual place: `ksort`, and so a signature, may depend on that.
        params = {"key": None, "api_name": None, **params}
        params["api_name"] = api_name
    return params, api_type


def read_caller(http: HttpRequest, *, limits: Limits = REQUEST_LIMITS, fallback: Caller = DEFAULT_CALLER) -> Caller:
    """The format and language that *http* asks for, whatever else is in it; `RequestError` for an unknown one."""
    params: dict[Any, Any] = {}
    try:
        params = read_query(http.query, limits)
        if http.body:
            params = merge_params(params, read_body(http, limits))
    except RequestError:
        params = params or salvage(http.query)
    asker = wanted(params, http, fallback)
    try:
        for name, kind in _ENUMS.items():
            if text := take_text(params, name):
                member(kind, text, name)
    except RequestError as error:
        error.result_type, error.lang = asker.result_type, asker.lang
        raise
    return asker


def _take(rest: dict[str, Any], name: str, alias: str, default: Any, limits: Limits) -> Any:
    """Take a parameter out of *rest*, as its field holds it; *default*, whose type says how, if it is empty."""
    if default is None:
        return take_map(rest, name, limits)
    text = take_text(rest, name) or (take_text(rest, alias) if alias != name else "")
    if not text or text == default:
        return default
    if isinstance(default, StrEnum):
        return member(type(default), text, name)
    if isinstance(default, bool):
        if text not in ("yes", "no"):
            raise RequestError("neither yes nor no", path=format_path([name]))
        return text == "yes"
    return text


def _written(value: Any) -> str:
    """The value of a parameter's field (a text, a bool, an enum or a map) as it is sent."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return _jsonu(value).decode() if isinstance(value, dict) else str(value)


def _jsonu(value: dict[str, Any]) -> bytes:
    return FORMATS[ResultType.JSONU].dumps(value)


def _text(params: dict[str, Any]) -> str:
    """*params* as a query string that PHP reads back the same, except for types."""
    if (plain := plain_query(params)) is not None:
        return plain
    query = build_query(params)
    try:
        lost = next(differences(text_tree(params), parse_query(query)), None)
    except DecodeError as error:  # more than PHP accepts
        raise EncodeError(error.reason, kind="limit", format=error.format, path=error.path, hint=error.hint) from None
    if lost is not None:
        raise EncodeError("a query string cannot carry it", format="query", path=lost.path, hint=Hint("json-body"))
    return query
