"""Both ends of a call over HTTP: `HttpRequest` comes in, `Rendered` goes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, BinaryIO, Generic, cast

if TYPE_CHECKING:
    from typing_extensions import TypeVar  # checkers know it even uninstalled; Python's own has defaults from 3.13

    Query = TypeVar("Query", bound=str | bytes, default=str | bytes, covariant=True)
else:
    from typing import TypeVar

    Query = TypeVar("Query", bound=str | bytes, covariant=True)

__all__ = ["HttpRequest", "Rendered", "Upload"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file of a multipart form: the ``name`` of its field, its ``filename`` and type as sent, and its bytes to read.

    Neither name is to be trusted: a ``filename`` may be a path.
    """

    name: str
    filename: str = ""
    content_type: str = ""
    size: int = 0
    file: BinaryIO = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest(Generic[Query]):
    """A call as HTTP carries it. ``query`` is without its ``?``; missing headers are ``""`` or None.

    Type checkers know the type of ``query`` from that of the request: `ApiRequest.write` returns an
    ``HttpRequest[str]``, and a bare ``HttpRequest`` may have either.

    ``path`` ends in ``/<api_type>/<api_name>/`` and overrides parameters of these names; if yours does not, leave it
    out. A body is JSON or a urlencoded form, in UTF-8. Of a multipart form, whoever parses it passes the fields as the
    body of a urlencoded form, and the ``files`` as they are.
    """

    path: str = ""
    # Not in repr: it has the key, and may have the secret. The cast: no default fits every type that Query may be.
    query: Query = field(default=cast(Any, ""), repr=False)
    body: bytes = field(default=b"", repr=False)
    content_type: str | None = ""
    accept: str | None = ""
    accept_language: str | None = ""
    files: tuple[Upload, ...] = ()

    def __init__(
        self,
        *,
        path: str = "",
        query: Query = cast(Any, ""),  # noqa: B008  # a text
        body: bytes = b"",
        content_type: str | None = "",
        accept: str | None = "",
        accept_language: str | None = "",
        files: tuple[Upload, ...] = (),
    ) -> None:
        # What dataclass would generate, except that setting the fields is faster: see _set_path.
        _set_path(self, path)
        _set_query(self, query)
        _set_body(self, body)
        _set_content_type(self, content_type)
        _set_accept(self, accept)
        _set_accept_language(self, accept_language)
        _set_files(self, files)

    @property
    def verb(self) -> str:
        """``POST`` if there is a body, else ``GET``."""
        return "POST" if self.body else "GET"


@dataclass(frozen=True, slots=True)
class Rendered:
    """An answer ready for HTTP: the status, the headers by name, the body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        _set_status(self, status)
        _set_headers(self, headers)
        _set_answer(self, body)


# A frozen dataclass sets its fields with object.__setattr__, which looks each up by name.
(_set_path, _set_query, _set_body, _set_content_type, _set_accept, _set_accept_language, _set_files) = (
    getattr(HttpRequest, field.name).__set__ for field in fields(HttpRequest)
)
_set_status, _set_headers, _set_answer = (getattr(Rendered, field.name).__set__ for field in fields(Rendered))
