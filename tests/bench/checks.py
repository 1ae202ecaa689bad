"""Before anything is timed: do all peers write and read the same value?"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import envelope
from tests.bench.peers import BUILDS, xmltodict_reading, xmltodict_tree
from tests.bench.processes import Process, name_in_process
from tests.bench.timing import Job

FAIRNESS: Final = (
    "All readers of a format read the same bytes: those that `envelope` writes (JSON's typed dialect).",
    "All writers make bytes; `json` and `xmltodict` make text, which is encoded.",
    "serialize, var_export: `envelope` writes byte for byte what PHP writes; its builds write the same everywhere.",
    "php: arrays for lists and maps; json_decode and eval make arrays, SimpleXML is walked into arrays.",
    "php, json and jsonu: json_encode keeps 1.0 a float (a flag), escapes slashes, and spells floats its own way.",
    "php, xml: our attributes of type, written and read; `xml plain` has none: all leaves are texts (0.00001 is 1.0E-5).",
    "phpserialize: decode_strings=True, or it would give bytes; its lists stay maps with keys 0 … n-1.",
    "xmltodict: no types: what it reads is texts, stripped, None for nothing, and no list around one item alone.",
    "orjson on the same tree stands for what any codec of Python values can reach; it writes jsonu, not PHP's formats.",
)
"""How each comparison is made fair; printed under the tables."""


class Disagreement(AssertionError):
    """A peer that wrote or read another value than the rest."""


def check(processes: Mapping[str, Process], jobs: Iterable[Job], values: Mapping[str, Any]) -> int:
    """How many jobs gave the document's own value: all, or `Disagreement` names the first that did not."""
    count = 0
    for job in jobs:
        process, name = processes[job.peer], name_in_process(job.peer)
        if job.direction == "write":
            agrees = _written_is(process.write(name, job.format, job.document), job, values[job.document])
        else:
            found, expected = process.read(name, job.format, job.document), _expected(job, values[job.document])
            agrees = envelope.same(spelled_alike(found), spelled_alike(expected))
        if not agrees:
            raise Disagreement(f"{job.peer}, {job.format}, {job.direction}, {job.document}: another value")
        count += 1
    return count


def _written_is(body: bytes, job: Job, value: Any) -> bool:
    format, _, plain = job.format.partition(" ")
    dialect: Any = plain or "typed"
    ours = envelope.dumps(value, format, dialect=dialect)
    if job.peer in BUILDS or (job.peer == "php" and format in ("serialize", "var_export")):
        return body == ours
    found, expected = (envelope.loads(each, format, dialect=dialect) for each in (body, ours))
    return envelope.same(spelled_alike(found), spelled_alike(expected))


_FLOAT: Final = re.compile(r"-?[0-9]+(\.[0-9]+([eE][+-]?[0-9]+)?|[eE][+-]?[0-9]+)")


def spelled_alike(value: Any) -> Any:
    """*value* with one spelling for the floats that are texts, as all numbers of `xml plain` are."""
    if isinstance(value, dict):
        return {key: spelled_alike(child) for key, child in value.items()}
    if isinstance(value, list):
        return [spelled_alike(child) for child in value]
    return str(float(value)) if isinstance(value, str) and _FLOAT.fullmatch(value) else value


def _expected(job: Job, value: Any) -> Any:
    """What a peer that reads the document should find."""
    if job.peer == "xmltodict":
        return xmltodict_reading(xmltodict_tree(value, typed=job.format == "xml"))
    if job.format == "xml plain":
        return envelope.loads(envelope.dumps(value, "xml", dialect="plain"), "xml", dialect="plain")
    return value
