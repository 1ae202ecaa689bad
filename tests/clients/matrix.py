"""What every program is asked, and what it must have read: formats × languages × outcomes × settings of statuses."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from envelope import decode
from tests.clients.programs import FORMATS, Program
from tests.gateway.served import SECRET, Served, served

__all__ = ["CASES", "Case", "Gateways", "cases_of", "check", "gateways"]

PROMPT: Final = '地球 и Привет, "мир" <&> \' \\ 😀'
METHOD: Final = "v1/completions"


class Case(NamedTuple):
    """One call: its outcome is ``success``, ``nothing`` (2000, with the upstream's words) or ``refusal`` (4004)."""

    statuses: str
    outcome: str
    result_type: str
    lang: str


CASES: Final = (
    *(Case("registry", "success", result_type, "ru") for result_type in FORMATS),
    *(Case("registry", "nothing", result_type, "cn") for result_type in FORMATS),
    *(Case("registry", "refusal", result_type, lang) for result_type in FORMATS for lang in ("cn", "en", "ru")),
    *(Case("ok", outcome, result_type, "cn") for outcome in ("success", "refusal") for result_type in FORMATS),
)  # fmt: skip


@dataclass
class Gateways:
    """A gateway for each setting of ``statuses``, and the status and the envelope that it has for each case."""

    of: dict[str, Served]
    expected: dict[Case, tuple[int, dict[str, Any]]]


@contextmanager
def gateways(folder: Path) -> Iterator[Gateways]:
    """Both run until the block ends; their answers are cached, so all programs are told the same."""
    (folder / "registry").mkdir()
    (folder / "ok").mkdir()
    with served(folder / "registry") as strict, served(folder / "ok", statuses="ok") as lenient:
        running = Gateways({"registry": strict, "ok": lenient}, {})
        for case in CASES:
            _, key, secret, method, args, result_type, lang = arguments(running, case)
            got = running.of[case.statuses].call(
                method, args, key=key, secret=secret, result_type=result_type, lang=lang, cache="yes"
            )
            running.expected[case] = got.status, got.envelope.to_value()
        yield running


def arguments(running: Gateways, case: Case) -> Sequence[str]:
    """What a program is given."""
    args = {"prompt": PROMPT}
    if case.outcome == "nothing":
        args["model"] = "fault-404"
    key = "nobody" if case.outcome == "refusal" else "demo"
    address = f"{running.of[case.statuses].address}/openai/custom/"
    return [address, key, SECRET, METHOD, json.dumps(args), case.result_type, case.lang]


def cases_of(program: Program) -> list[Case]:
    """Those that a program is asked."""
    return [case for case in CASES if case.result_type in program.formats and case.statuses in program.statuses]


def check(program: Program, case: Case, running: Gateways, ask: Callable[[Sequence[str]], str]) -> str:
    """What the program did wrong with a case; empty if nothing."""
    status, envelope = running.expected[case]
    body, _, printed = ask(arguments(running, case)).rstrip("\n").rpartition("\n")
    if program.name == "PHP, an SDK":  # it posts to the script, all of whose answers have 200
        status = 200
    if printed != str(status):
        return f"status {printed}, not {status}"
    reads = program.reads.get(case.result_type, "bytes")
    try:
        got = decode(body.encode(), case.result_type).to_value() if reads == "bytes" else json.loads(body)
    except ValueError as error:
        return f"no {reads}: {error}: {body[:80]}"
    names = ("error_code", "error", "reason", "response")
    if reads == "texts":
        names = ("error_code", "error", "reason", "text")
        envelope = {**envelope, "text": _text(envelope["response"])}
    wrong = [name for name in names if got.get(name) != envelope[name]]
    return "".join(f"{name}: {got.get(name)!r}, not {envelope[name]!r}" for name in wrong)


def _text(response: Any) -> str:
    """What an answer says: the text of the first choice, or the upstream's words."""
    if not isinstance(response, dict):
        return ""
    said = response["error"]["message"] if "error" in response else response["choices"][0]["text"]
    return str(said)
