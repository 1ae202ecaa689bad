"""`OpenAIFace`: answers as OpenAI's API writes them: what the upstream said, or an error object with a real status."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

import orjson

from envelope.answers.verdicts import upstream_error
from envelope.calls.http import Rendered
from envelope.errors import EncodeError
from envelope.formats import FORMATS, ResultType
from envelope.gateway.openai.errors import error_object, row_of, status_of_error
from envelope.gateway.receipts import RECEIPT
from envelope.gateway.told import Told
from envelope.registry.codes import SERVER_ERROR, UNKNOWN_ERROR
from envelope.registry.languages import Lang

if TYPE_CHECKING:
    from envelope.answers.envelope import Envelope
    from envelope.calls.engine import Asker
    from envelope.errors import RequestError
    from envelope.registry.messages import Messages

__all__ = ["REQUEST_ID", "OpenAIFace"]

REQUEST_ID: Final = "x-request-id"
_JSON: Final = FORMATS[ResultType.JSONU]
_OPTIONS: Final = _JSON.writing(dialect="typed", maps="object")
_FILES: Final = ("audio/", "image/", "video/", "application/octet-stream", "application/pdf", "application/zip")


class OpenAIFace:
    """Writes answers for clients of OpenAI, in English; *request_ids* makes the ids of calls that were not let in."""

    def __init__(
        self, messages: Messages, request_ids: Callable[[], str], on_error: Callable[[Exception], None]
    ) -> None:
        self._messages = messages
        self._request_ids = request_ids
        self._on_error = on_error

    def respond(self, asker: Asker, payload: Envelope[Any], /) -> Rendered:
        """What the upstream said, as it was: its error under its own status."""
        code, response = payload.error_code, payload.response
        if not self._messages.registry.get(code).is_success:
            return self.fail(asker, code, request_id=payload.request_id)
        headers = {REQUEST_ID: payload.request_id}
        if RECEIPT in payload.extras:
            headers["x-receipt"] = orjson.dumps(payload.extras[RECEIPT]).decode()
        error = upstream_error(response)
        if error is not None:
            status = payload.status if isinstance(payload, Told) else None
            if status is None or status < 400:
                status = status_of_error(error)
            return _rendered(status, response, headers)
        if isinstance(response, str):
            return Rendered(200, {"content-type": "text/plain; charset=utf-8", **_PLAIN, **headers}, response.encode())
        if (file := _file_of(response)) is not None:
            return Rendered(200, {"content-type": file[0], **_PLAIN, **headers}, file[1])
        return _rendered(200, response or {}, headers)

    def fail(self, asker: Asker, code: str, /, *, status: int = 0, about: str = "", request_id: str = "") -> Rendered:  # noqa: ARG002  # as in `Face`
        """An error object for *code*; *about* says what is wrong, and with which parameter if it names one."""
        own = self._messages.registry.get(code)
        row = row_of(code, own.http_status)
        text = str(self._messages.text(code, Lang.EN))
        told = error_object(f"{text}: {about}" if about else text, row)
        # The package tries again after any 429, unless it is told otherwise.
        return _rendered(
            status or row.status,
            told,
            {
                REQUEST_ID: request_id or self._request_ids(),
                "x-should-retry": "true" if own.retryable else "false",
            },
        )

    def refuse(self, error: RequestError, asker: Asker | None = None, /) -> Rendered:
        """The error object for an invalid call."""
        path = error.path.removeprefix("$").removeprefix(".").removeprefix("_o_args.")
        return self.fail(asker or error, error.code, about=f"{path}: {error.reason}" if path else error.reason)

    def recover(self, asker: Asker, error: Exception, /) -> Rendered:
        """An error object that says nothing of *error*."""
        self._on_error(error)
        return self.fail(asker, SERVER_ERROR if isinstance(error, EncodeError) else UNKNOWN_ERROR)


_PLAIN: Final = {"x-content-type-options": "nosniff", "cache-control": "no-store"}


def _rendered(status: int, value: Any, headers: Mapping[str, str]) -> Rendered:
    named = {"content-type": "application/json", **_PLAIN, **headers}
    return Rendered(status, named, _JSON.dumps(value, _OPTIONS, None))


def _file_of(response: Any) -> tuple[str, bytes] | None:
    """The type and the bytes of a response that is a file (`Outcome`); None if it is none."""
    if not isinstance(response, dict) or response.keys() != {"content_type", "b64"}:
        return None
    content_type = response["content_type"]
    if not (isinstance(content_type, str) and content_type.startswith(_FILES) and isinstance(response["b64"], str)):
        return None
    try:
        return content_type, b64decode(response["b64"], validate=True)
    except binascii.Error:
        return None
