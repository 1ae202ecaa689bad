"""`/playground`: a value in all five formats, and a call. What is typed here is neither kept nor logged."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from envelope.formats import ResultType
from envelope.gateway.pages.answers import Answer, html
from envelope.gateway.pages.asked import Asked, TooLong, read_form
from envelope.gateway.pages.conversion import MOST, Converted, Style, convert_to_all
from envelope.gateway.pages.failures import failure
from envelope.gateway.pages.rendering import lang_cookies, render
from envelope.gateway.pages.snippets import snippets
from envelope.gateway.upstreams.methods import HOW

if TYPE_CHECKING:
    from envelope.adapters.asgi_wire import Receive
    from envelope.gateway.operation.generations import Generation
    from envelope.gateway.running import Running

__all__ = ["convert", "playground"]

_MOST_SENT: Final = 3 * MOST + 4096  # a form may write each byte as three
_SECONDS: Final = 5.0  # to wait for
_AT_ONCE: Final = 2  # calls need the processor more
_SAMPLE: Final = '{"城市": "Москва", "temp": -3.0, "days": [], "rain": null, "wind": {"0": 4, "1": 7}}'
_turns: Final[WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore]] = WeakKeyDictionary()


async def playground(_: Running, generation: Generation, asked: Asked, receive: Receive) -> Answer:
    """The page; with what came of its form, if that was sent without the script."""
    form: dict[str, str] = {}
    if asked.method == "POST":
        form = await read_form(receive, _MOST_SENT)
        form["text"] = form.get("text", "").replace("\r\n", "\n")  # as browsers send the ends of lines
    text = form.get("text", _SAMPLE)
    shown = await _result(generation, asked, {**form, "text": text})
    if shown is None:
        return failure(asked, 503, Retry_After="1")
    page = render(
        "playground.html",
        asked,
        text=_printable(text),
        source=form.get("source", "auto"),
        style=form.get("style", "typed"),
        formats=[*ResultType],
        apis=generation.settings.apis,
        methods=sorted(HOW),
        most=MOST,
        has_console=generation.settings.admin_token is not None,
        **shown,
    )
    return html(page, 200, lang_cookies(asked))


async def convert(_: Running, generation: Generation, asked: Asked, receive: Receive) -> Answer:
    """What came of the form, as a part of the page."""
    shown = await _result(generation, asked, await read_form(receive, _MOST_SENT))
    if shown is None:
        return failure(asked, 503, Retry_After="1")
    return html(render("result.html", asked, **shown))


async def _result(generation: Generation, asked: Asked, form: dict[str, str]) -> dict[str, Any] | None:
    data = form.get("text", "").encode("utf-8", "surrogateescape")
    if len(data) > MOST:
        raise TooLong
    source = ResultType(form["source"]) if form.get("source") in [*ResultType] else None
    style: Style = "php" if form.get("style") == "php" else "typed"
    converted = await _in_turn(partial(convert_to_all, data, source, style, undo=form.get("undo", "")))
    if converted is None:
        return None
    longest = max((each.size for each in converted.shown), default=0)
    apis = generation.settings.apis
    call = {"method": form["method"], "args": form.get("args", "")} if form.get("method") else {}
    lines = {each: snippets(each, asked.origin, apis[0] if apis else "custom", **call) for each in ResultType}
    return {"result": converted, "longest": max(longest, 1), "lines": lines}


async def _in_turn(work: partial[Converted]) -> Converted | None:
    """What *work* gives, done in a thread; None if that takes too long."""
    loop = asyncio.get_running_loop()
    turns = _turns.setdefault(loop, asyncio.Semaphore(_AT_ONCE))
    try:
        async with asyncio.timeout(_SECONDS):
            await turns.acquire()
            done = loop.run_in_executor(None, work)
            done.add_done_callback(lambda _: turns.release())  # a thread cannot be stopped: its turn lasts as long
            return await asyncio.shield(done)
    except TimeoutError:
        return None


def _printable(text: str) -> str:
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace").replace("\0", "\N{SYMBOL FOR NULL}")
