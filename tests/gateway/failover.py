"""`python -m tests.gateway.failover`: sixteen faults of upstreams, and what a caller of the gateway gets of each.

Each fault is met four times: over the envelope route and over ``/v1``, as a whole answer and as a stream. The first of two
upstreams has it, the second is well unless the fault is that it refuses. Both are demos, whose seconds are hundredths.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from envelope import decode
from envelope.calls.events import EventReader, data_of
from envelope.gateway.demo import DemoUpstream
from tests.gateway.served import SECRET, Got, Served, served

TEXT = "hello " * 38  # 60 tokens with what the demo says before
SAID = f"You said: {TEXT}"
TIMES: dict[str, Any] = {"rest": 0, "first_byte": 1.0, "stall": 1.0, "total": 5.0}
FACES = ("envelope", "envelope stream", "/v1", "/v1 stream")


class Fault(NamedTuple):
    """One fault: its number, what it is, the model that has it, and what a whole answer and a stream come to.

    ``code`` is 0000 if the caller is to get all of it. ``asked`` is how often the first upstream is asked. With
    ``is_alone``, there is no second one; with ``refuses``, that refuses the gateway's key.
    """

    number: int
    text: str
    model: str
    whole: str
    stream: str
    asked: int = 1
    asked_stream: int = 1
    is_alone: bool = False
    refuses: bool = False
    is_paid: bool = False


FAULTS = (
    Fault(1, "429 without Retry-After", "fault-429", "0000", "0000"),
    Fault(2, "429 with Retry-After", "fault-429-retry-after", "0000", "0000", 2, 2, is_alone=True),
    Fault(3, "500 once", "fault-500-once", "0000", "0000", 2, 2, is_alone=True),
    Fault(4, "503 for good", "fault-503", "0000", "0000"),
    Fault(5, "reset before headers", "fault-reset", "0000", "0000"),
    Fault(6, "silence", "fault-silent", "0000", "0000"),
    Fault(7, "first token after 20 s", "fault-slow-first", "0000", "0000", is_alone=True),
    Fault(8, "cut after 40 of 60 tokens", "fault-cut", "0000", "4001"),
    Fault(9, "stall", "fault-stall", "0000", "4017"),
    Fault(10, "bad chunk", "fault-bad-chunk", "0000", "4002"),
    Fault(11, "no [DONE]", "fault-no-done", "0000", "4001"),
    Fault(12, "context too long", "fault-context-length", "2000", "2000"),
    Fault(13, "content filter", "fault-content-filter", "2000", "2000"),
    Fault(14, "fall-back refuses", "fault-503", "4002", "4002", refuses=True),
    Fault(15, "down 60 s, then up", "fault-down-60", "0000", "0000", 0, 0, is_alone=True),
    Fault(16, "failed attempts are not billed", "fault-500-once", "0000", "0000", 2, 2, is_alone=True, is_paid=True),
)

# What a client of OpenAI is told for a code.
_V1 = {"4001": ("upstream_unreachable", 502), "4002": ("upstream_error", 502), "4017": ("timeout", 504)}


@dataclass(frozen=True)
class Result:
    """What came of a fault on one face: what the caller got, what the upstreams saw, and what is wrong with it."""

    fault: Fault
    face: str
    got: str
    seen: str
    wrong: list[str]


class Told(NamedTuple):
    """What a caller got: the text, and a code of ours, or the error's of OpenAI."""

    status: int
    text: str
    code: str
    is_stream: bool


def ask(world: Served, fault: Fault, face: str) -> Told:
    """One call."""
    args: dict[str, Any] = {"prompt": TEXT, "model": fault.model, "max_tokens": 100}
    if face.endswith("stream"):
        args["stream"] = True
    if face.startswith("envelope"):
        return _envelope(world.call(args=args))
    headers = {"Authorization": f"Bearer demo.{SECRET}", "Content-Type": "application/json"}
    return _openai(world.send("POST", "/v1/completions", json.dumps(args).encode(), headers))


def _text(value: Any) -> str:
    choices = value.get("choices", []) if isinstance(value, dict) else []
    return "".join(choice["text"] for choice in choices)


def _events(got: Got) -> list[bytes]:
    found = (data_of(event) for event in EventReader(2**20).feed(got.body))
    return [data for data in found if data is not None]


def _envelope(got: Got) -> Told:
    if got.headers["content-type"] != "text/event-stream":
        return Told(got.status, _text(got.envelope.response), got.code, is_stream=False)
    *events, last = _events(got)
    return Told(got.status, "".join(map(_text, map(json.loads, events))), decode(last, "json").error_code, True)


def _openai(got: Got) -> Told:
    if got.headers["content-type"] != "text/event-stream":
        value = json.loads(got.body)
        return Told(got.status, _text(value), value["error"]["code"] if "error" in value else "0000", is_stream=False)
    *events, last = _events(got)
    code = "0000" if last == b"[DONE]" else json.loads(last)["error"]["code"]
    return Told(got.status, "".join(map(_text, map(json.loads, events))), code, is_stream=True)


def judge(world: Served, second: DemoUpstream | None, fault: Fault, face: str) -> Result:
    """Meet *fault* on *face*."""
    first = world.upstream
    before, after = len(first.served), 0 if second is None else len(second.served)
    calls, balance = len(world.records()), world.balance()
    told = ask(world, fault, face)
    seen, others = len(first.served) - before, 0 if second is None else len(second.served) - after
    wanted = fault.stream if face.endswith("stream") else fault.whole
    is_v1 = face.startswith("/v1")
    wrong = []
    expected = wanted
    if is_v1 and wanted == "2000":
        expected = {"fault-context-length": "context_length_exceeded"}.get(fault.model, "content_filter")
    elif is_v1 and wanted in _V1:
        expected, status = _V1[wanted]
        if not told.is_stream and told.status != status:
            wrong.append(f"HTTP {told.status}")
    if told.code != expected:
        wrong.append(f"{expected} was wanted")
    if wanted == "0000" and told.text != SAID:
        wrong.append("not all of the text")
    if wanted != "0000" and told.is_stream and not (told.text and SAID.startswith(told.text)):
        wrong.append("not a part of the text")
    asked = fault.asked_stream if face.endswith("stream") else fault.asked
    if asked and seen != asked:
        wrong.append(f"the first was asked {seen} times")
    [record] = world.records()[: len(world.records()) - calls]
    paid = 277 if wanted == "0000" else 0
    if record.charge != paid or world.balance() != balance - paid:
        wrong.append(f"it cost {record.charge}")
    if record.attempts != seen + others:
        wrong.append(f"{record.attempts} attempts on the books")
    got = f"{told.code} {-(-len(told.text.encode()) // 4)} of 60 tokens" if told.text else told.code
    return Result(fault, face, got, f"{seen} + {others}", wrong)


@contextmanager
def scene(folder: Path, fault: Fault) -> Iterator[tuple[Served, DemoUpstream | None]]:
    """A gateway before a demo with faults, and a second one that is well or refuses."""
    folder.mkdir()
    retries = 10 if fault.model == "fault-down-60" else 1 if fault.is_alone else 0
    second = None if fault.is_alone else {"key": "another-key"} if fault.refuses else {}
    with served(folder, times=TIMES, second=second, retries=retries, seconds=10.0) as world:
        yield world, world.second


def results(folder: Path, faults: tuple[Fault, ...] = FAULTS, faces: tuple[str, ...] = FACES) -> Iterator[Result]:
    for fault in faults:
        for face in faces:
            with scene(folder / f"{fault.number}-{FACES.index(face)}", fault) as (world, second):
                yield judge(world, second, fault, face)


def main() -> int:
    print(f"{'fault':34} {'face':16} {'the caller got':34} asked: first + second")
    failed = set()
    with tempfile.TemporaryDirectory() as name:
        for result in results(Path(name)):
            fault = result.fault
            wrong = f"  WRONG: {', '.join(result.wrong)}" if result.wrong else ""
            print(f"{fault.number:2} {fault.text:31} {result.face:16} {result.got:34} {result.seen}{wrong}", flush=True)
            if result.wrong:
                failed.add(fault.number)
    print(f"{len(FAULTS) - len(failed)} of {len(FAULTS)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
