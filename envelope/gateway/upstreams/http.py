"""The connections to upstreams, by aiohttp: one request, one whole answer, in its time.

No redirects, cookies or proxies. An error of aiohttp holds the request, and so the key: none goes further than here.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import aiohttp
from yarl import URL

from envelope import __version__
from envelope.calls.media import split_content_type
from envelope.calls.reply_bodies import BodyError, BodyReader
from envelope.gateway.upstreams.forms import FormBody
from envelope.gateway.upstreams.hop import Fault, Reply
from envelope.gateway.upstreams.methods import Ask
from envelope.gateway.upstreams.outcome import What
from envelope.gateway.upstreams.plan import Attempt
from envelope.gateway.upstreams.settings import UpstreamSettings

if TYPE_CHECKING:
    from aiohttp.client import _RequestContextManager

__all__ = ["Connections", "Flow"]

_AGENT: Final = f"envelope-engine/{__version__}"
_JSON: Final = {"Content-Type": "application/json"}
_BUFFER: Final = 256 * 1024
_STREAM_BUFFER: Final = 16 * 1024  # of which aiohttp reads twice as much ahead
_STREAM_HEADERS: Final = {"Accept-Encoding": "identity"}  # an event that waits in a compressor comes late

_WHATS: Final[dict[str, What]] = {"encoding": "type", "limit": "limit", "network": "network"}


class Connections:
    """Connections to each of some upstreams, kept while they are used; in one event loop."""

    def __init__(self, upstreams: Sequence[UpstreamSettings], *, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._doors = [_Door(upstream) for upstream in upstreams]
        self._session = aiohttp.ClientSession(
            auto_decompress=False,  # that is done within the bound
            # How many calls there are at once is bounded before: they must not wait for each other here.
            connector=aiohttp.TCPConnector(limit=0),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"Accept": "*/*", "Accept-Encoding": "gzip", "User-Agent": _AGENT},
            skip_auto_headers=("Content-Type",),
        )

    async def aclose(self) -> None:
        """Close them."""
        await self._session.close()

    async def exchange(self, ask: Ask, attempt: Attempt) -> Reply | Fault:
        """Send *ask* to the upstream of *attempt*, and read the whole answer."""
        got = _Got()
        form = FormBody(ask) if ask.is_form else None
        silence = _Silence(attempt)
        try:
            async with silence.timeout, self._request(ask, form, attempt, silence) as response:
                return await self._whole(response, got, silence)
        except Exception as error:  # whatever it is, it holds the request
            return Fault(silence.what_is(error), got.status, got.retry_after)
        except asyncio.CancelledError as error:
            raise error.with_traceback(None) from None  # its frames hold the key
        finally:
            silence.end()

    async def open(self, ask: Ask, attempt: Attempt) -> Flow | Reply | Fault:
        """Send *ask*, and read the answer; if that is a stream of events, only as far as its headers."""
        got = _Got()
        form = FormBody(ask) if ask.is_form else None
        silence = _Silence(attempt)
        response: aiohttp.ClientResponse | None = None
        try:
            async with silence.timeout:
                response = await self._request(ask, form, attempt, silence, is_stream=True)
                if not _is_stream(response):
                    return await self._whole(response, got, silence)
                flow, response = Flow(response), None
                return flow
        except Exception as error:
            return Fault(silence.what_is(error), got.status, got.retry_after)
        except asyncio.CancelledError as error:
            raise error.with_traceback(None) from None
        finally:
            silence.end()
            if response is not None:
                response.release()

    async def _whole(self, response: aiohttp.ClientResponse, got: _Got, silence: _Silence) -> Reply:
        headers = response.headers
        got.status, got.retry_after = response.status, headers.get("Retry-After", "")
        body = BodyReader(headers.get("Content-Encoding", ""), headers.get("Content-Length", ""), self._max_bytes)
        content = response.content
        while chunk := await content.readany():
            body.add(chunk)
            if not content.at_eof():  # else nothing is waited for
                silence.is_broken()
        return Reply(response.status, headers.get("Content-Type", ""), got.retry_after, body.whole())

    def _request(
        self, ask: Ask, form: FormBody | None, attempt: Attempt, silence: _Silence, *, is_stream: bool = False
    ) -> _RequestContextManager:
        """The answer, as soon as its headers are there."""
        door = self._doors[attempt.upstream]
        data: Any = ask.json
        headers: Mapping[str, str] = door.json_headers if ask.json is not None else door.headers
        if form is not None:
            data = form.chunks(silence.restart)
            headers = {**headers, "Content-Type": form.content_type, "Content-Length": str(form.length)}
        if is_stream:
            headers = {**headers, **_STREAM_HEADERS}
        return self._session.request(
            ask.verb,
            door.url(ask.path),
            data=data,
            headers=headers,
            allow_redirects=False,
            ssl=door.tls,
            timeout=door.timeout(attempt.connect),
            read_bufsize=_STREAM_BUFFER if is_stream else _BUFFER,
        )


class _Got:
    """What is known of an answer before it is whole."""

    status: int | None = None
    retry_after = ""


class Flow:
    """A stream of events that has begun: its connection."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self.status = response.status

    async def read(self) -> bytes:
        """The next bytes, as soon as there are some; none at the end."""
        return await self._response.content.readany()

    def close(self) -> None:
        """Read no more. If all was read, the connection is kept for another request."""
        self._response.release()


def _is_stream(response: aiohttp.ClientResponse) -> bool:
    headers = response.headers
    media_type, _ = split_content_type(headers.get("Content-Type", ""))
    encoding = headers.get("Content-Encoding", "identity").strip().lower()
    return response.status == 200 and media_type == "text/event-stream" and encoding in ("", "identity")


class _Door:
    """What all requests to one upstream have in common."""

    def __init__(self, upstream: UpstreamSettings) -> None:
        self._base = upstream.address
        self.headers: dict[str, str] = {}
        if upstream.key is not None:
            self.headers["Authorization"] = f"Bearer {upstream.key.get_secret_value()}"
        self.json_headers = {**self.headers, **_JSON}
        self.tls = _tls(upstream)
        self._timeout = aiohttp.ClientTimeout(connect=upstream.connect)

    def url(self, path: str) -> URL:
        return _url(f"{self._base}/{path}")

    def timeout(self, connect: float) -> aiohttp.ClientTimeout:
        """aiohttp's time-outs, of which only that for the connection is set."""
        return self._timeout if connect == self._timeout.connect else aiohttp.ClientTimeout(connect=connect)


# Of methods there are few, and yarl takes its time; whoever asks for others must not fill the memory.
@lru_cache(256)
def _url(text: str) -> URL:
    return URL(text, encoded=True)


def _tls(upstream: UpstreamSettings) -> ssl.SSLContext | bool:
    if upstream.ca_file is None and upstream.certificate is None:
        return True
    context = ssl.create_default_context(cafile=upstream.ca_file)
    if upstream.certificate is not None:
        context.load_cert_chain(upstream.certificate)
    return context


class _Silence:
    """The times of one attempt: until its first byte, begun again while a body is being sent; then until its end."""

    def __init__(self, attempt: Attempt) -> None:
        now = asyncio.get_running_loop().time()
        self._first_byte = attempt.first_byte
        self._end = now + attempt.total
        self.timeout = asyncio.timeout_at(min(now + attempt.first_byte, self._end))
        self.what: What = "silent"
        self._is_over = False

    def what_is(self, error: Exception) -> What:
        """Why no whole answer came."""
        if isinstance(error, TimeoutError):  # of aiohttp's, only the one for the connection is set
            return "unreachable" if isinstance(error, aiohttp.ConnectionTimeoutError) else self.what
        if isinstance(error, BodyError):
            return _WHATS[error.kind]
        return "unreachable" if isinstance(error, aiohttp.ClientConnectorError) else "network"

    def restart(self) -> None:
        """Some of the body was sent."""
        if self.what == "silent" and not self._is_over and not self.timeout.expired():
            self.timeout.reschedule(min(asyncio.get_running_loop().time() + self._first_byte, self._end))

    def end(self) -> None:
        """The attempt is over, whatever is still being sent."""
        self._is_over = True

    def is_broken(self) -> None:
        """Some of the answer is there."""
        if self.what == "silent":
            self.what = "time"
            self.timeout.reschedule(self._end)
