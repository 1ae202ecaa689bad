"""Rounds of jobs: each round times every peer once, so that whatever slows the machine down affects all alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from tests.bench.peers import BUILDS, ENVELOPE, FORMATS, OTHERS
from tests.bench.processes import Process, name_in_process

DIRECTIONS = ("write", "read")


class Job(NamedTuple):
    """One peer doing one thing: write, read, encode, decode; or first, which is a tree's first writing."""

    peer: str
    format: str
    direction: str
    document: str


def codec_jobs(peers: Iterable[str], documents: Sequence[str]) -> Iterator[Job]:
    """All that the peers can do; the jobs that are compared stand beside each other."""
    ways = {peer.name: peer.ways for peer in OTHERS} | dict.fromkeys(BUILDS, ENVELOPE.ways)
    peers = list(peers)
    for document in documents:
        for format in FORMATS:
            for direction in DIRECTIONS:
                for peer in peers:
                    if peer == "php" or format in ways[peer]:
                        yield Job(peer, format, direction, document)


def first_jobs(peers: Iterable[str]) -> Iterator[Job]:
    """Writing for the first time, and again, where texts are not ASCII: by `envelope`, and orjson beside it."""
    wanted = {**dict.fromkeys(BUILDS, ("serialize", "var_export", "jsonu", "xml")), "orjson": ("jsonu",)}
    for document in ("items", "long"):
        for peer in peers:
            for format in wanted.get(peer, ()):
                yield Job(peer, format, "first", document)
                yield Job(peer, format, "write", document)


def best_times(
    processes: Mapping[str, Process],
    jobs: Sequence[Job],
    *,
    rounds: int,
    seconds: float,
    progress: Callable[[str], None],
) -> dict[Job, float]:
    """The best time of each job in microseconds per call; a timing, the best of several, takes about *seconds*."""
    times: dict[Job, float] = {}
    for number in range(rounds):
        progress(f"round {number + 1} of {rounds}")
        for job in jobs:
            peer, format, direction, document = job
            what = {"peer": name_in_process(peer), "format": format, "document": document, "seconds": seconds}
            if direction == "first":
                answer = processes[peer].ask("first", **what)
            else:
                answer = processes[peer].ask("time", direction=direction, **what)
            times[job] = min(answer["microseconds"], times.get(job, answer["microseconds"]))
    return times


def nested(times: Mapping[Job, float]) -> dict[str, Any]:
    """The times as JSON holds them: by peer, format, direction, document."""
    tree: dict[str, Any] = {}
    for (peer, format, direction, document), time in times.items():
        tree.setdefault(peer, {}).setdefault(format, {}).setdefault(direction, {})[document] = time
    return tree
