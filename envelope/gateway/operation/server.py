"""One process that serves: on SIGHUP it reads the settings again, on SIGTERM it answers what it took, and ends."""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from pathlib import Path
from types import FrameType
from typing import Final

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from envelope.gateway.app import GatewayApp
from envelope.gateway.operation.listening import has_callers, let_nobody_in
from envelope.gateway.operation.reloading import reload
from envelope.gateway.running import Running, running
from envelope.gateway.settings import read_settings

__all__ = ["Connection", "Server", "log_to_stderr", "made_server"]

_NEW_OBJECTS: Final = 20_000  # that are made before garbage is looked for: those of a few hundred calls
_ON_ITS_WAY: Final = 1.0  # seconds
_TICK: Final = 0.02
_CLOSING: Final = 1.0  # seconds of the time to end that are left when calls are given up
_LAST: Final = (b"connection", b"close")


class Connection(HttpToolsProtocol):
    """A caller's connection, which is not closed under a request that is on its way when the server ends."""

    def shutdown(self) -> None:
        """Close it after the request that it has; if it has none, a moment later.

        Whoever connected or was answered just now may have sent a request already.
        """
        if self.cycle is not None and not self.cycle.response_complete:
            super().shutdown()
        else:
            self.loop.call_later(_ON_ITS_WAY, super().shutdown)


class Server(uvicorn.Server):
    """Serves *app* on *listener*; *drain* is the seconds that calls have to end.

    ``is_alone``: no other process listens there. Then the listener is this one's to close, and a second signal ends it
    at once. Else whoever started it decides. ``told`` is called before the first call is taken.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        app: GatewayApp,
        path: Path,
        listener: socket.socket,
        drain: float,
        *,
        is_alone: bool,
    ) -> None:
        super().__init__(config)
        self._app = app
        self._path = path
        self._listener = listener
        self._drain = drain
        self._is_alone = is_alone
        self.told: Callable[[], None] = lambda: None
        self._is_reload_wanted = False
        self._reload: asyncio.Task[None] | None = None

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals end the server, but not the process, which has more to close."""
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        before[signal.SIGHUP] = signal.signal(signal.SIGHUP, self._handle_reload)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGHUP])
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002  # a handler's arguments
        """Begin to end; the second time, end at once."""
        if self.should_exit:
            if self._is_alone:
                signal.signal(sig, signal.SIG_DFL)
                signal.raise_signal(sig)
            return
        self.should_exit = True
        if self._app.running is not None:
            self._app.running.drain(self._drain)
        if self._is_alone:
            let_nobody_in(self._listener)

    def _handle_reload(self, *_: object) -> None:
        self._is_reload_wanted = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to serve, and say so."""
        await super().startup(sockets)
        self.told()

    async def on_tick(self, counter: int) -> bool:
        """What is done ten times a second."""
        if self._is_reload_wanted and (self._reload is None or self._reload.done()) and self._app.running is not None:
            self._is_reload_wanted = False
            self._reload = asyncio.create_task(reload(self._path, self._app.running))
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer whoever is here, and tell them that their connection ends."""
        for _ in range(50):  # elsewhere than on Linux, there may always be somebody
            if not (self._is_alone and has_callers(self._listener)):
                break
            await asyncio.sleep(_TICK)
        for server in self.servers:
            server.close()
        await asyncio.sleep(_TICK)  # whoever was accepted last is among the connections now
        self.server_state.default_headers.append(_LAST)
        await super().shutdown(sockets)


def made_server(path: Path, listener: socket.socket, drain: float, *, is_alone: bool) -> Server:
    """A server of the gateway of the settings in *path*, which it reads when it starts."""

    def made() -> AbstractAsyncContextManager[Running]:
        return running(read_settings(path))

    app = GatewayApp(made)
    config = uvicorn.Config(
        app,
        http=Connection,
        lifespan="on",
        log_level="warning",
        access_log=False,  # it would have the URL, and so the secret
        proxy_headers=False,
        server_header=False,
    )
    config.timeout_graceful_shutdown = max(drain - _CLOSING, 0)  # type: ignore[assignment]  # only its type wants an int
    # What is there by now stays: looking through it for garbage, as Python does after every few calls, finds none.
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS)
    return Server(config, app, path, listener, drain, is_alone=is_alone)


def log_to_stderr() -> None:
    """Have the server's own words on standard error, as `made_server` has them."""
    uvicorn.Config("", log_level="warning")
