"""What httpx and httpx2 have in common, for both clients: requests whose URL is not logged, and what their errors mean.

Either package can be handed in, so nothing of them is imported here; their errors have the same names.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from inspect import iscoroutinefunction
from typing import Any, Final

from envelope.client.wire import BodyError, BodyReader, Fault, Reply, Send

__all__ = ["build_request", "check_client", "client_module", "fault_of", "new_body", "to_reply"]


def client_module() -> Any:
    """The package httpx2; `ImportError` with the command that installs it."""
    try:
        return import_module("httpx2")
    except ImportError:
        pass
    raise ImportError("the client needs httpx2: pip install 'envelope-engine[client]' (or hand in a client: http=)")


def check_client(http: Any, *, is_async: bool) -> Any:
    """*http*; `TypeError` if it is the wrong one of a package's two clients."""
    if iscoroutinefunction(getattr(http, "send", None)) != is_async:
        raise TypeError(f"http= is {'an AsyncClient' if is_async else 'a Client'} of httpx2 or httpx")
    return http


def build_request(http: Any, send: Send) -> Any:
    """The request of an httpx client *http*."""
    timeout = (send.connect, send.total, send.total, send.connect)  # connect, read, write, pool
    request = http.build_request(send.verb, send.url, content=send.body or None, headers=send.headers, timeout=timeout)
    # These packages log each URL, and the query has the key.
    url: Any = type(request.url)
    request.url = _without_query(url)(request.url)
    return request


@lru_cache(maxsize=8)
def _without_query(url: type) -> Any:
    """A subclass of the class *url* that is shown without its query."""

    def shown(self: Any) -> str:
        return f"{self.scheme}://{self.netloc.decode('ascii')}{self.path}"

    return type(url.__name__, (url,), {"__str__": shown, "__repr__": lambda self: f"URL({shown(self)!r})"})


def new_body(response: Any, max_bytes: int) -> BodyReader:
    """The reader of the body of *response*; `BodyError` if it will not be read."""
    # A client in a test may have the body already, decompressed.
    encoding = "" if response.is_stream_consumed else response.headers.get("content-encoding", "")
    length = response.headers.get("content-length", "")
    if length.isdecimal() and len(length) < 20 and int(length) > max_bytes:
        raise BodyError("limit", "the answer is longer than Limits.max_bytes")
    return BodyReader(encoding.strip().lower(), max_bytes)


def to_reply(response: Any, body: BodyReader) -> Reply:
    """The whole answer."""
    return Reply(
        status=response.status_code,
        content_type=response.headers.get("content-type", ""),
        retry_after=response.headers.get("retry-after", ""),
        body=body.whole(),
    )


# Before there is a connection.
_UNSENT: Final = frozenset({"ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError", "UnsupportedProtocol"})


def fault_of(error: Exception) -> Fault:
    """What *error* of an HTTP client means. Only its class is told: it holds the request."""
    if isinstance(error, BodyError):
        return Fault(error.kind, error.reason)
    names = {base.__name__ for base in type(error).__mro__}
    name = type(error).__name__
    if names & _UNSENT:
        return Fault("unreachable", f"no connection ({name})")
    if "TimeoutException" in names or isinstance(error, TimeoutError):
        return Fault("timeout", f"no answer in time ({name})")
    return Fault("network", f"no whole answer ({name})")
