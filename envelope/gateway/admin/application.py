"""The admin API's routes, as one application of FastAPI's, and its own OpenAPI document."""

from __future__ import annotations

from typing import Any, Final

from fastapi import FastAPI, Security
from fastapi.exceptions import RequestValidationError
from fastapi.security import HTTPBearer
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from envelope.errors import EnvelopeError
from envelope.gateway.admin import ADMIN, accounts, calls, operation
from envelope.gateway.admin.errors import KINDS, Refusal, fault, refusal_of, refusal_of_fields
from envelope.gateway.admin.shown import ErrorShown

__all__ = ["application"]

_PREFIX: Final = ADMIN.rstrip("/")
_WORDS: Final = {
    400: "The body is not JSON.",
    401: "The token is missing or wrong.",
    404: "There is no such thing.",
    409: "The books do not allow it.",
    413: "The body is too long.",
    415: "The body is not said to be JSON.",
    422: "A field is wrong.",
    503: "The store cannot be used now.",
}


def application() -> FastAPI:
    """The application; each request's scope has the `Desk`, and the token was checked already."""
    responses: dict[int | str, dict[str, Any]] = {
        status: {"model": ErrorShown, "description": words} for status, words in _WORDS.items()
    }
    app = FastAPI(
        title="The gateway's admin API",
        version="1",
        description="Amounts are texts of units; `…_micro` has them in millionths. Times are microseconds, Unix time.",
        openapi_url=f"{_PREFIX}/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        responses=responses,
        # For the document: the token was checked before.
        dependencies=[Security(HTTPBearer(auto_error=False))],
    )
    for part in (accounts, calls, operation):
        app.include_router(part.router, prefix=_PREFIX)
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(EnvelopeError, _failed)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _not_routed)
    app.add_exception_handler(Exception, _fault)  # which is raised further, to whoever logs it
    return app


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)  # noqa: S101  # Starlette's types do not say so, here and below
    return _response(error)


async def _failed(_: Request, error: Exception) -> Response:
    assert isinstance(error, EnvelopeError)  # noqa: S101
    return _response(refusal_of(error))


async def _invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    return _response(refusal_of_fields(error.errors()))


async def _not_routed(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    status = error.status_code if error.status_code in KINDS else 400
    words = {404: "there is nothing at this path", 405: "not with this method"}
    return _response(Refusal(status, words.get(status, "the request cannot be read"), headers=error.headers))


async def _fault(*_: object) -> Response:
    return _response(fault())


def _response(refusal: Refusal) -> Response:
    return Response(refusal.body, refusal.status, refusal.headers, "application/json")
