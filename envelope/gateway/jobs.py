"""Image jobs: ``images/submit`` queues one, a worker asks the upstream for it, ``images/get`` says how far it is.

The call that submitted a job pays for it. If no image comes of it, that is given back.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import orjson

from envelope.errors import RequestError
from envelope.gateway.books.jobs import Job, add_job, finish_job, has_job, job_of, take_job
from envelope.gateway.books.refunds import refund
from envelope.gateway.upstreams.call import UpstreamCall
from envelope.gateway.upstreams.methods import how_to_ask
from envelope.gateway.upstreams.outcome import Outcome
from envelope.registry.codes import MISSING_PARAM, NO_RESULT, SUCCESS, TARGET_SERVER_ERROR, UNKNOWN_ERROR

if TYPE_CHECKING:
    from envelope.gateway.logs import CallLog
    from envelope.gateway.stores.store import Store, Transaction
    from envelope.gateway.upstreams.pool import Upstreams

__all__ = ["GET", "SUBMIT", "JobWorker", "found", "queued", "submitted"]

SUBMIT: Final = "images/submit"
GET: Final = "images/get"
_METHOD: Final = "v1/images/generations"
_ID: Final = "imgid"
_TRIES: Final = 3  # a job that ends its worker is not everybody's end
_MOST: Final = 2**63 - 1


def submitted(asked: UpstreamCall) -> Outcome:
    """What comes of submitting a job; `RequestError` for arguments that no upstream can be asked with."""
    if asked.files:
        raise RequestError("a job takes no files")
    how_to_ask(UpstreamCall(method=_METHOD, args=_args(asked)))
    return Outcome(code=SUCCESS)


def queued(db: Transaction, call: int, account: int, asked: UpstreamCall) -> dict[str, Any]:
    """Queue the job of a call; what the caller is told."""
    job = add_job(db, account=account, call=call, method=_METHOD, args=orjson.dumps(_args(asked)))
    return {_ID: str(job)}


def _args(asked: UpstreamCall) -> dict[str, Any]:
    return {**asked.params, **(asked.args or {})}


async def found(store: Store, account: int, asked: UpstreamCall) -> Outcome:
    """How far the account's own job is; `RequestError` if the call does not name one."""
    text = _args(asked).get(_ID)
    if text is None:
        raise RequestError("missing", code=MISSING_PARAM, path=f"$._o_args.{_ID}")
    number = int(text) if isinstance(text, str) and text.isdecimal() and text.isascii() and len(text) < 20 else 0
    job = await store.read(lambda db: job_of(db, account, number)) if number <= _MOST else None
    if job is None:
        raise RequestError("no such image", path=f"$._o_args.{_ID}")
    told = {_ID: str(job.id), "status": "running" if job.state == "queued" else job.state}
    if job.result is None:
        return Outcome(code=SUCCESS, response=told)
    result = orjson.loads(job.result)
    response = result["response"]
    more = response if isinstance(response, dict) else {"data": response}
    return Outcome(code=result["code"], response={**told, **more})


class JobWorker:
    """Does jobs, one after the other, until it is stopped or cancelled."""

    def __init__(self, store: Store, upstreams: Upstreams, *, log: CallLog, seconds: float, pause: float = 0.2) -> None:
        self._store = store
        self._upstreams = upstreams
        self._log = log
        self._seconds = seconds
        self._pause = pause
        self._is_stopped = False

    def stop(self) -> None:
        """Begin no further job."""
        self._is_stopped = True

    async def run(self) -> None:
        """Do jobs until it is stopped; looking for one when there is none takes *pause* seconds."""
        while not self._is_stopped:
            try:
                is_done = await self.do_one()
            except Exception as error:  # mostly the store's; whatever it is, others wait
                self._log.fault(error)
                is_done = False
            if not is_done:
                await asyncio.sleep(self._pause)

    async def do_one(self) -> bool:
        """Do one job; False if there is none."""
        # Looking does not write, so that an idle gateway's disk is idle as well.
        if not await self._store.read(has_job):
            return False
        node = self._store.node
        job = await self._store.write(lambda db: take_job(db, node, self._seconds + 60))
        if job is None:
            return False
        if job.tries > _TRIES:
            await self._finish(job, Outcome(code=TARGET_SERVER_ERROR))
            return True
        asked = UpstreamCall(method=job.method, args=orjson.loads(job.args))
        try:
            outcome = await self._upstreams.ask(asked, seconds=self._seconds)
        except Exception as error:  # a job that ends in a crash is paid back as any that fails
            self._log.fault(error)
            outcome = Outcome(code=UNKNOWN_ERROR)
        await self._finish(job, outcome)
        return True

    async def _finish(self, job: Job, outcome: Outcome) -> None:
        is_done = outcome.code == SUCCESS
        code, response = outcome.code, outcome.response
        if not is_done and code != NO_RESULT:  # what was not found, or the upstream's error, is told as it is
            error = {"message": "no image was made", "type": "server_error", "code": code}
            code, response = NO_RESULT, {"error": error}
        result = orjson.dumps({"code": code, "response": response})

        def steps(db: Transaction) -> None:
            if finish_job(db, job, "done" if is_done else "failed", result) and not is_done:
                refund(db, job.call, "no image was made")

        await self._store.write(steps)
