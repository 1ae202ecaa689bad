"""One deadline for the whole call, whatever is tried in it; a call that is given up leaves nothing behind."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from envelope.gateway.demo import DemoUpstream
from envelope.gateway.upstreams import Outcome, Upstreams
from tests.gateway.calls import completion, upstream, with_demo, with_upstreams

DEADLINE = 2.0

SERVE = """
import asyncio, sys
from envelope.gateway.demo import demo_upstream
async def main():
    async with demo_upstream() as demo:
        print(demo.address, flush=True)
        await asyncio.sleep(3600)
asyncio.run(main())
"""


@contextmanager
def process() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A demo in a process of its own, and its address."""
    running = subprocess.Popen([sys.executable, "-c", SERVE], stdout=subprocess.PIPE, text=True)
    try:
        assert running.stdout is not None
        yield running, running.stdout.readline().strip()
    finally:
        running.kill()
        running.communicate()


def test_the_deadline_holds_however_an_upstream_delays() -> None:
    async def took(upstreams: Upstreams, fault: str) -> float:
        began = time.monotonic()
        outcome = await upstreams.ask(completion(fault), seconds=DEADLINE)
        assert outcome.code in ("4017", "4001", "4002")
        return time.monotonic() - began

    async def all_at_once(demo: DemoUpstream, upstreams: Upstreams) -> list[float]:
        settings = [
            demo.settings(name, first_byte=each, total=each) for name, each in (("a", 0.7), ("b", 1.1), ("c", 9))
        ]
        async with Upstreams(settings, retries=9) as patient:
            faults = ("fault-silent", "fault-stall", "fault-drip", "fault-503", "fault-reset")
            return await asyncio.gather(*(took(patient, fault) for fault in faults))

    assert max(with_demo(all_at_once)) <= 1.1 * DEADLINE


def test_an_upstream_that_is_stopped_is_left_after_its_silence() -> None:
    with process() as (stopped, address), process() as (_, healthy):
        settings = [
            upstream("stopped", address, "demo-key", first_byte=1.5),
            upstream("healthy", healthy, "demo-key", order=1),
        ]

        async def story(upstreams: Upstreams) -> tuple[Outcome, Outcome]:
            before = await upstreams.ask(completion(), seconds=20)
            os.kill(stopped.pid, signal.SIGSTOP)
            return before, await upstreams.ask(completion(), seconds=20)

        before, after = with_upstreams(settings, story)
    assert [attempt.upstream for attempt in before.attempts] == ["stopped"]
    assert [(attempt.upstream, attempt.what) for attempt in after.attempts] == [
        ("stopped", "silent"),
        ("healthy", "answer"),
    ]
    assert after.code == "0000"


def test_an_upstream_that_is_killed_is_unreachable() -> None:
    with process() as (killed, address):
        settings = [upstream("killed", address, "demo-key")]

        async def story(upstreams: Upstreams) -> Outcome:
            await upstreams.ask(completion(), seconds=20)
            killed.kill()
            killed.wait()
            return await upstreams.ask(completion(), seconds=20)

        outcome = with_upstreams(settings, story, retries=0)
    assert outcome.code == "4001"
    assert [attempt.what for attempt in outcome.attempts] in (["unreachable"], ["network"])


def test_without_time_there_is_no_attempt() -> None:
    async def story(demo: DemoUpstream, upstreams: Upstreams) -> Outcome:
        return await upstreams.ask(completion(), seconds=0)

    assert with_demo(story) == Outcome(code="4017")


@pytest.mark.parametrize("fault", ["fault-silent", "fault-stall", "fault-endless"])
def test_a_call_that_is_cancelled_hangs_up(fault: str) -> None:
    async def story(demo: DemoUpstream, upstreams: Upstreams) -> str:
        asking = asyncio.create_task(upstreams.ask(completion(fault), seconds=30))
        while not demo.served:
            await asyncio.sleep(0.01)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        return (await upstreams.ask(completion(), seconds=30)).code

    assert with_demo(story) == "0000"


def test_calls_that_wait_do_not_make_others_wait() -> None:
    async def story(demo: DemoUpstream, upstreams: Upstreams) -> str:
        slow = [asyncio.create_task(upstreams.ask(completion("fault-silent"), seconds=300)) for _ in range(150)]
        async with asyncio.timeout(50):  # only where there is a queue
            while len(demo.served) < 150:
                await asyncio.sleep(0.01)
            outcome = await upstreams.ask(completion(), seconds=30)
        for task in slow:
            task.cancel()
        await asyncio.gather(*slow, return_exceptions=True)
        return outcome.code

    assert with_demo(story, {"first_byte": 300}) == "0000"
