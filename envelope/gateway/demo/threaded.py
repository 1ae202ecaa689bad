"""The demo's upstream beside a program that does not await."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from envelope.gateway.demo.serving import DemoUpstream, demo_upstream

__all__ = ["demo_in_thread"]


@contextmanager
def demo_in_thread() -> Iterator[DemoUpstream]:
    """`demo_upstream` in a thread with an event loop of its own, for as long as the context lasts."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="demo upstream", daemon=True)
    thread.start()
    context = demo_upstream()
    try:
        upstream = asyncio.run_coroutine_threadsafe(context.__aenter__(), loop).result()
        try:
            yield upstream
        finally:
            asyncio.run_coroutine_threadsafe(context.__aexit__(None, None, None), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
