"""The parts of reading a call: from HTTP's pieces to parameters, and from parameters to the fields of a request."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import unquote

from envelope.calls.caller import Caller
from envelope.calls.media import FORM_TYPE, split_content_type
from envelope.calls.negotiation import negotiate_format, negotiate_lang
from envelope.calls.php_query import parse_query
from envelope.errors import DecodeError, RequestError
from envelope.formats import FORMATS, ResultType
from envelope.options import ReadOptions
from envelope.path import format_path, short_path
from envelope.registry.codes import API_NOT_FOUND
from envelope.registry.languages import Lang

if TYPE_CHECKING:
    from envelope.calls.http import HttpRequest
    from envelope.limits import Limits

__all__ = [
    "NAME_PATTERN",
    "is_name",
    "member",
    "read_body",
    "read_path",
    "read_query",
    "salvage",
    "take_map",
    "take_text",
    "wanted",
]

NAME_PATTERN = r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}"

_NAME = re.compile(NAME_PATTERN)

# /<api_type>/<api_name>/, after the gateway's mount point; the PHP client posts to /<api_type>/api_call.php.
_PATH = re.compile(r"(?:.*/)?([^/]+)/([^/]+)/?", re.DOTALL)
_SCRIPT = "api_call.php"
_MAX_PATH = 8192  # what servers let through

_E = TypeVar("_E", bound=StrEnum)


def is_name(text: str) -> bool:
    """Whether *text* can be the name or the type of an API: it is part of a path."""
    return _NAME.fullmatch(text) is not None and text != _SCRIPT


def read_query(query: str | bytes, limits: Limits) -> dict[Any, Any]:
    """The parameters in a query string."""
    try:
        return parse_query(query, limits)
    except DecodeError as error:
        raise _unreadable("query string", error) from None


def read_body(http: HttpRequest, limits: Limits) -> dict[str | bytes, Any]:
    """The parameters in a body: JSON or a form, by its content type, or by its first byte if that says neither."""
    if not http.body:
        return {}
    media_type, is_utf8 = split_content_type(http.content_type or "")
    if not is_utf8:
        raise RequestError("the body is in a charset other than UTF-8")
    if media_type in ("", "text/plain"):  # fetch() sends a JSON text as text/plain unless given a type
        media_type = ResultType.JSON.media_type if http.body.lstrip()[:1] == b"{" else FORM_TYPE
    try:
        if media_type == FORM_TYPE:
            return parse_query(http.body, limits)
        if media_type != ResultType.JSON.media_type:
            raise RequestError("the body is neither JSON nor a urlencoded form")
        value = FORMATS[ResultType.JSON].loads(http.body, _json_options(limits))
    except DecodeError as error:
        raise _unreadable("body", error) from None
    if type(value) is list and not value:  # an empty array of PHP
        return {}
    if type(value) is not dict:
        raise RequestError(f"the body is a map of parameters, not {type(value).__name__}")
    return value


@lru_cache(8)
def _json_options(limits: Limits) -> ReadOptions:
    return ReadOptions(limits=limits)


def _unreadable(part: str, error: DecodeError) -> RequestError:
    return RequestError(f"the {part} cannot be read at byte {error.offset}: {error.reason}", path=error.path)


def read_path(path: str) -> tuple[str, str]:
    """The type and the name of the API in a path; ``""`` for what it does not have."""
    if len(path) > _MAX_PATH:
        raise RequestError("no such API", code=API_NOT_FOUND, path="$.api_name")
    return _read_usual_path(path) if len(path) <= _USUAL_PATH else _read_path(path)


def _read_path(path: str) -> tuple[str, str]:
    match = _PATH.fullmatch(path)
    api_type, api_name = (unquote(match[1]), unquote(match[2])) if match else ("", "")
    if api_type and not is_name(api_type):
        raise RequestError("no such API", code=API_NOT_FOUND, path="$.api_type")
    return api_type, "" if api_name == _SCRIPT else api_name


# A gateway has few paths, and reads them again and again. Whoever sends others must not fill the memory.
_USUAL_PATH = 200
_read_usual_path = lru_cache(256)(_read_path)


_WANTED = re.compile(rb"(?:^|&)(result_type|lang)=([A-Za-z_-]{1,20})(?=&|$)")


def salvage(query: str | bytes) -> dict[Any, Any]:
    """The format and language the caller wants, from a query string that cannot be read."""
    raw = query if isinstance(query, bytes) else query.encode("utf-8", "replace")
    return {name.decode(): value.decode() for name, value in _WANTED.findall(raw)}


def wanted(params: dict[Any, Any], http: HttpRequest, fallback: Caller) -> Caller:
    """The format and language the caller wants, whatever else is wrong: from *params*, else from the headers.

    An unknown ``result_type`` is answered in json, whatever the headers say.
    """
    named = params.get("result_type")
    if not named:
        result_type = negotiate_format(http.accept, fallback.result_type)
    else:
        result_type = FORMATS[named].name if isinstance(named, str) and named in FORMATS else ResultType.JSON
    if named := params.get("lang"):
        try:
            return _caller(result_type, Lang(named))
        except (ValueError, TypeError):
            pass
    accepted = http.accept_language
    return _caller(result_type, negotiate_lang(accepted, fallback.lang) if accepted else fallback.lang)


@cache
def _caller(result_type: ResultType, lang: Lang) -> Caller:
    return Caller(result_type, lang)


def take_text(rest: dict[Any, Any], name: str) -> str:
    """Take the text of this name out of *rest*; ``""`` if there is none."""
    value = rest.pop(name, None)
    if value is None:
        return ""
    if type(value) is not str:
        kind = "a text that is not UTF-8" if type(value) is bytes else type(value).__name__
        raise RequestError(f"a text, not {kind}", path=format_path([name]))
    return value


def take_map(rest: dict[Any, Any], name: str, limits: Limits) -> dict[str, Any] | None:
    """Take the map of this name out of *rest*: given as JSON text, or, in a JSON body, as the map itself.

    None if there is none. Errors have a path inside it: ``$._o_args.prompt``.
    """
    value: Any = rest.pop(name, None)
    if value is None or (type(value) is str and not value):
        return None
    if type(value) is str:
        try:
            value = FORMATS[ResultType.JSON].loads(value.encode("utf-8", "surrogatepass"), _json_options(limits))
        except DecodeError as error:
            path = format_path([name]) + error.path.removeprefix("$")
            raise RequestError(f"not JSON at its byte {error.offset}: {error.reason}", path=path) from None
    if type(value) is list and not value:  # an empty array of PHP
        value = {}
    if type(value) is not dict:
        raise RequestError(f"a JSON object, not {type(value).__name__}", path=format_path([name]))
    return value


def member(kind: type[_E], text: str, name: str) -> _E:
    """The member of *kind* that *text* names."""
    try:
        return kind(text)
    except ValueError:
        pass  # it holds the text, so the error that is raised must not hold it
    raise RequestError(f"not one of {', '.join(kind)}", path=short_path([name]))
