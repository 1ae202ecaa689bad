"""The connections to upstreams, by aiohttp: one request, one whole answer, in its time.

No redirects, cookies or proxies. An error of aiohttp holds the request, and so the key: none goes further than here.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from functools import lru_cache
from typing import Any, Final

import aiohttp
from yarl import URL

from envelope import __version__
from envelope.calls.reply_bodies import BodyError, BodyReader
from envelope.gateway.upstreams.forms import FormBody
from envelope.gateway.upstreams.hop import Fault, Reply
from envelope.gateway.upstreams.methods import Ask
from envelope.gateway.upstreams.outcome import What
from envelope.gateway.upstreams.plan import Attempt
from envelope.gateway.upstreams.settings import UpstreamSettings

__all__ = ["Connections"]

_AGENT: Final = f"envelope-engine/{__version__}"
_JSON: Final = {"Content-Type": "application/json"}
_BUFFER: Final = 256 * 1024

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
            read_bufsize=_BUFFER,
            skip_auto_headers=("Content-Type",),
        )

    async def aclose(self) -> None:
        """Close them."""
        await self._session.close()

    async def exchange(self, ask: Ask, attempt: Attempt) -> Reply | Fault:
        """Send *ask* to the upstream of *attempt*, and read the whole answer."""
        status: int | None = None
        retry_after = ""
        form = FormBody(ask) if ask.is_form else None
        silence = _Silence(attempt)
        try:
            async with silence.timeout, self._request(ask, form, attempt, silence) as response:
                status, headers = response.status, response.headers
                retry_after = headers.get("Retry-After", "")
                body = BodyReader(
                    headers.get("Content-Encoding", ""), headers.get("Content-Length", ""), self._max_bytes
                )
                content = response.content
                while chunk := await content.readany():
                    body.add(chunk)
                    if not content.at_eof():  # else nothing is waited for
                        silence.is_broken()
                return Reply(status, headers.get("Content-Type", ""), retry_after, body.whole())
        except TimeoutError as error:  # of aiohttp's, only the one for the connection is set
            what: What = "unreachable" if isinstance(error, aiohttp.ConnectionTimeoutError) else silence.what
        except BodyError as error:
            what = _WHATS[error.kind]
        except Exception as error:  # whatever it is, it holds the request
            what = "unreachable" if isinstance(error, aiohttp.ClientConnectorError) else "network"
        except asyncio.CancelledError as error:
            raise error.with_traceback(None) from None  # its frames hold the key
        finally:
            silence.end()
        return Fault(what, status, retry_after)

    def _request(
        self, ask: Ask, form: FormBody | None, attempt: Attempt, silence: _Silence
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        """A context with the answer, as soon as its headers are there."""
        door = self._doors[attempt.upstream]
        data: Any = ask.json
        headers: Mapping[str, str] = door.json_headers if ask.json is not None else door.headers
        if form is not None:
            data = form.chunks(silence.restart)
            headers = {**headers, "Content-Type": form.content_type, "Content-Length": str(form.length)}
        return self._session.request(
            ask.verb,
            door.url(ask.path),
            data=data,
            headers=headers,
            allow_redirects=False,
            ssl=door.tls,
            timeout=door.timeout(attempt.connect),
        )


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
