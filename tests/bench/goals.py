"""The goals as data, and how each is computed from the figures of a run. No measurements are stored here."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from tests.bench.documents import LARGER, MAIN
from tests.bench.peers import BUILDS

Report = Mapping[str, Any]
Measure = Callable[[Report, str], float | None]
"""The measured value for a build of `envelope`; None if the run lacks one of the figures."""


def geometric_mean(numbers: Iterable[float]) -> float:
    """The n-th root of the product of n positive numbers: the mean of ratios."""
    logarithms = [math.log(number) for number in numbers]
    return math.exp(math.fsum(logarithms) / len(logarithms))


@dataclass(frozen=True)
class Goal:
    """One row: the value is to be at least (or at most) ``bound``, for the builds named."""

    text: str
    at_least: bool
    bound: float
    measure: Measure
    builds: Sequence[str] = BUILDS
    unit: str = "×"

    @property
    def wanted(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.bound:g}{self.unit}"

    def met(self, value: float) -> bool:
        return value >= self.bound if self.at_least else value <= self.bound


def speed(
    format: str,
    direction: str,
    peer: str,
    *,
    of: str = "",
    documents: Sequence[str] = MAIN,
    mean: Callable[[Iterable[float]], float] = geometric_mean,
) -> Measure:
    """The peer's time over ours: how many times as fast we are; *of* is the peer's format where it is another."""

    def measure(report: Report, build: str) -> float | None:
        ours = at(report, "times", build, format, direction)
        theirs = at(report, "times", peer, of or format, direction)
        if ours is None or theirs is None:
            return None
        return mean(theirs[document] / ours[document] for document in documents)

    return measure


def slowness(format: str, direction: str, peer: str, *, of: str = "", documents: Sequence[str] = MAIN) -> Measure:
    """Our time over the peer's."""
    faster = speed(format, direction, peer, of=of, documents=documents)

    def measure(report: Report, build: str) -> float | None:
        ratio = faster(report, build)
        return None if ratio is None else 1 / ratio

    return measure


def wrapping(whole: str, bare: str, documents: Sequence[str]) -> Measure:
    """The time of encode (decode) over that of dumps (loads) of the same tree: the worst format and document."""

    def measure(report: Report, build: str) -> float | None:
        formats = at(report, "envelope", build)
        if formats is None:
            return None
        worst: float = max(
            directions[whole][document] / directions[bare][document]
            for directions in formats.values()
            for document in documents
        )
        return worst

    return measure


def importing(report: Report, build: str) -> float | None:
    """By how many milliseconds `import envelope` takes longer than `import orjson`."""
    ours, theirs = at(report, "import", build), at(report, "import", "orjson")
    return None if ours is None or theirs is None else ours - theirs


def calling(kind: str) -> Measure:
    """The time of a client's call over that of bare httpx2, in this process's build."""

    def measure(report: Report, build: str) -> float | None:
        times = at(report, "client", kind)
        return times["ours"] / times["bare"] if times and build == report["client"]["build"] else None

    return measure


def serving(report: Report, build: str) -> float | None:
    """The calls a second through `EnvelopeApp` over those of a raw ASGI application, in this process's own build."""
    rates = at(report, "server", "answers", "completion")
    if rates is None or build != report["builds"][0]:
        return None
    ratio: float = rates["gateway"] / rates["raw"]
    return ratio


def doubling(direction: str) -> Measure:
    """The time of 2n over that of n: the worst of all formats and sizes."""

    def measure(report: Report, build: str) -> float | None:
        formats = at(report, "growth", build)
        if formats is None:
            return None
        ratios: list[float] = []
        for directions in formats.values():
            seconds = [directions[direction][size] for size in sorted(directions[direction], key=int)]
            ratios += [after / before for before, after in pairwise(seconds)]
        return max(ratios, default=None)

    return measure


def peak(*formats: str) -> Measure:
    """The memory that reading takes over that of `orjson.loads` of the same tree: the worst of these formats."""

    def measure(report: Report, build: str) -> float | None:
        ours, theirs = at(report, "memory", "peaks", build), at(report, "memory", "peaks", "orjson", "jsonu")
        if ours is None or theirs is None:
            return None
        worst: float = max(ours[format] / theirs for format in formats)
        return worst

    return measure


def at(report: Report, *keys: str) -> Any:
    """What the report has under these nested keys; None if nothing."""
    found: Any = report
    for key in keys:
        found = found.get(key) if isinstance(found, Mapping) else None
    return found


_COMPILED: Final = ("compiled",)
_PURE: Final = ("pure",)

GOALS: Final = (
    Goal("serialize: encode against PHP", True, 2, speed("serialize", "write", "php")),
    Goal("serialize: encode against PHP, in every document", True, 1, speed("serialize", "write", "php", mean=min)),
    Goal("serialize: decode against PHP", True, 1.3, speed("serialize", "read", "php")),
    Goal("serialize: decode against PHP, in every document", True, 0.8, speed("serialize", "read", "php", mean=min)),
    Goal("var_export: encode against PHP", True, 3, speed("var_export", "write", "php")),
    Goal("var_export: decode against PHP's eval", True, 2, speed("var_export", "read", "php")),
    *(
        Goal(f"{format}: {verb} within orjson's time, same tree", False, bound, measure)
        for format in ("serialize", "var_export")
        for verb, bound, measure in (
            ("encode", 1.6, slowness(format, "write", "orjson", of="jsonu")),
            ("decode", 1.15, slowness(format, "read", "orjson", of="jsonu")),
        )
    ),
    Goal(
        "serialize: encode against phpserialize, compiled",
        True,
        45,
        speed("serialize", "write", "phpserialize"),
        _COMPILED,
    ),
    Goal(
        "serialize: decode against phpserialize, compiled",
        True,
        40,
        speed("serialize", "read", "phpserialize"),
        _COMPILED,
    ),
    Goal("serialize: encode against phpserialize, pure", True, 1.5, speed("serialize", "write", "phpserialize"), _PURE),
    Goal("serialize: decode against phpserialize, pure", True, 1.5, speed("serialize", "read", "phpserialize"), _PURE),
    Goal(
        "jsonu: encode within orjson's time, three larger documents",
        False,
        1.5,
        slowness("jsonu", "write", "orjson", documents=LARGER),
        _COMPILED,
    ),
    Goal(
        "jsonu: decode within orjson's time, three larger documents",
        False,
        1.25,
        slowness("jsonu", "read", "orjson", documents=LARGER),
        _COMPILED,
    ),
    Goal("EnvelopeApp: calls a second against raw ASGI with the same answer", True, 0.6, serving),
    Goal("json (ASCII): encode against stdlib json", True, 5, speed("json", "write", "json")),
    *(
        Goal(f"{format}: {verb} against {name}", True, bound, speed(format, direction, peer))
        for format in ("xml", "xml plain")
        for verb, name, bound, direction, peer in (
            ("encode", "PHP XMLWriter", 3, "write", "php"),
            ("encode", "xmltodict", 15, "write", "xmltodict"),
            ("decode", "PHP SimpleXML → array", 1, "read", "php"),
            ("decode", "xmltodict", 4, "read", "xmltodict"),
        )
    ),
    *(
        Goal(f"{whole} of an Envelope over {name}, {' and '.join(documents)}", False, bound, measure)
        for documents, bound in ((("models", "items"), 1.1), (("completion",), 3))
        for whole, name, measure in (
            ("encode", "dumps", wrapping("encode", "write", documents)),
            ("decode", "loads", wrapping("decode", "read", documents)),
        )
    ),
    Goal("import envelope over import orjson", False, 10, importing, unit=" ms"),
    *(Goal(f"client: a {kind} call over bare httpx2", False, 1.4, calling(kind)) for kind in ("sync", "async")),
    Goal("growth: encode, time of 2n over n, worst", False, 2.2, doubling("write")),
    Goal("growth: decode, time of 2n over n, worst", False, 2.2, doubling("read")),
    Goal("memory: decode of PHP's formats over orjson.loads", False, 1.3, peak("serialize", "var_export")),
    Goal("memory: decode of xml over orjson.loads", False, 2, peak("xml")),
)


def judged(report: Report) -> list[dict[str, Any]]:
    """The rows of the goals that the run measured, as JSON holds them.

    A goal is met (or not) by the compiled build, where that is here and the goal is about it.
    """
    rows = []
    for goal in GOALS:
        values = {build: goal.measure(report, build) for build in goal.builds}
        found = {build: value for build, value in values.items() if value is not None}
        if found:
            decisive = next(iter(found.values()))
            rows.append({"goal": goal.text, "wanted": goal.wanted, **found, "met": goal.met(decisive)})
    return rows
