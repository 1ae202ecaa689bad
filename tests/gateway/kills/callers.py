"""Callers who have keys for their calls, and repeat each call until it is answered, at whichever address answers."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final, NamedTuple

import aiohttp

from tests.gateway.served import SECRET

__all__ = ["KINDS", "Call", "Callers", "Seen"]

KINDS: Final = ("fresh", "fresh", "cached", "cached", "fault", "job")
_AGAIN: Final = ("4000", "4008", "4017")  # the gateway's own fault, an earlier one that is open, one closed meanwhile
_FAULTS: Final = {"fault-404": "2000", "fault-503": "4002", "fault-500-once": "0000"}
_PATIENCE: Final = 60.0  # seconds until a key must be answered
_IN_A_CACHE: Final = 8  # calls with the same arguments


class Seen(NamedTuple):
    """An answer that a caller saw: whatever it says must be on the books."""

    code: str
    request_id: str
    last_id: str
    receipt: dict[str, Any] | None


@dataclass
class Call:
    """What is asked under one key, or without one, and what came; ``code`` is what must come in the end.

    A job that was killed too often has failed, which is 2000.
    """

    kind: str
    key: str
    method: str
    args: dict[str, Any]
    code: str = "0000"
    seen: list[Seen] = field(default_factory=list)

    @property
    def model(self) -> str:
        """What the books and the upstream's log know it by."""
        return str(self.args.get("model", ""))


class Callers:
    """All callers: what they asked, what they saw, and what they complain of."""

    def __init__(self, addresses: Sequence[str], *, seed: int, is_over: Callable[[], bool]) -> None:
        self._addresses = addresses
        self._seed = seed
        self._is_over = is_over
        self.calls: list[Call] = []
        self.cut = 0
        self.complaints: list[str] = []

    async def run(self, number: int) -> None:
        """One caller, from one call to the next, until it is over; the last one is still answered."""
        rng = Random(f"{self._seed} {number}")
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as session:
            count = 0
            while not self._is_over():
                count += 1
                call = _made(rng, f"{number}-{count}")
                self.calls.append(call)
                response = await self._answered(session, rng, call)
                if call.kind == "job" and isinstance(response, dict):
                    await self._fetched(session, rng, response)
                if call.seen[-1].code == "0000" and rng.random() < 0.3:
                    await self._repeated(session, rng, call, response)

    async def _answered(self, session: aiohttp.ClientSession, rng: Random, call: Call) -> Any:
        """The response, once the call is answered as it must be."""
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end:
            answer = await self._once(session, rng, call)
            if answer is None or answer["error_code"] in _AGAIN:
                await asyncio.sleep(rng.uniform(0.005, 0.05))
            elif answer["error_code"] == call.code or (call.kind == "image" and answer["error_code"] == "2000"):
                return answer["response"]
            elif call.args.get("model") != "fault-500-once" or answer["error_code"] != "4002":
                self.complaints.append(f"{call.key}: {answer['error_code']} instead of {call.code}")
                return answer["response"]
        self.complaints.append(f"{call.key}: not answered for {_PATIENCE:.0f} s")
        return None

    async def _repeated(self, session: aiohttp.ClientSession, rng: Random, call: Call, response: Any) -> None:
        """Once more: it must be the same answer."""
        first = call.seen[-1]
        again = await self._answered(session, rng, call)
        if (call.seen[-1].last_id, again) != (first.last_id, response):
            self.complaints.append(f"{call.key}: a repeat has another answer")

    async def _fetched(self, session: aiohttp.ClientSession, rng: Random, job: Any) -> None:
        """Until there is an image, or none will be."""
        get = Call("image", "", "images/get", job)
        self.calls.append(get)
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end:
            response = await self._answered(session, rng, get)
            if not isinstance(response, dict) or response["status"] != "running":  # the former was complained of
                return
            await asyncio.sleep(0.05)
        self.complaints.append(f"image {job}: not done for {_PATIENCE:.0f} s")

    async def _once(self, session: aiohttp.ClientSession, rng: Random, call: Call) -> Any:
        """The envelope; None if none came."""
        params = {"key": "demo", "secret": SECRET, "method": call.method, "_o_args": json.dumps(call.args)}
        if call.kind != "cached":
            params["cache"] = "no"
        headers = {"Idempotency-Key": call.key} if call.key else {}
        address = rng.choice(self._addresses)
        try:
            async with session.get(f"{address}/openai/custom/", params=params, headers=headers) as got:
                answer = json.loads(await got.read())
        except (aiohttp.ClientError, OSError, TimeoutError):
            self.cut += 1
            return None
        call.seen.append(Seen(answer["error_code"], answer["request_id"], answer["last_id"], answer.get("receipt")))
        return answer


def _made(rng: Random, key: str) -> Call:
    kind = rng.choice(KINDS)
    args: dict[str, Any] = {"model": f"{kind} {key}", "prompt": key}
    if kind == "fault":
        args["model"] = rng.choice(list(_FAULTS))
        return Call(kind, key, "v1/completions", args, _FAULTS[args["model"]])
    if kind == "cached":
        count = int(key.split("-")[1]) // _IN_A_CACHE
        args = {"model": f"cached {count}", "prompt": "hello"}
    return Call(kind, key, "images/submit" if kind == "job" else "v1/completions", args)
