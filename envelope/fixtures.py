"""The fixture validator: names and bytes in, findings out.

A fixture is one of three things. A *case* is a folder with a `case.toml`: one value in every format, in bodies that
must be that value but for the losses that are stated. An *invalid* body has `<name>.toml` beside it, and must be
refused as that says. Any other body stands alone, and must be an envelope. Nothing here opens a file; `envelope
validate` does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, TypeAlias

from envelope._changes import describe_change, parting
from envelope._fixture_files import Case, Refusal, read_case, read_refusal
from envelope.api import Values, dumps, loads
from envelope.codes import REGISTRY, CodeRegistry
from envelope.errors import DecodeError, EncodeError, ValidationError
from envelope.formats import FORMATS, ResultType
from envelope.model import Envelope
from envelope.path import ROOT, short_path
from envelope.request_id import is_request_id
from envelope.values import Loss, PhpObject, differences
from envelope.verdicts import CONTRADICTIONS, ContradictionRule, lint

__all__ = [
    "ABOUT",
    "RULES",
    "SCHEMA",
    "Case",
    "Finding",
    "Refusal",
    "ResponseCheck",
    "Rule",
    "body_name",
    "canonical_bodies",
    "check_body",
    "check_case",
    "check_refusal",
    "decode_finding",
    "format_of",
    "read_case",
    "read_refusal",
]

ABOUT = "case.toml"
"""The file that makes a folder a case."""

SCHEMA = "response.schema.json"
"""A case's own JSON Schema for the payload."""

Rule = (
    Literal[
        "unreadable",
        "about",
        "malformed",
        "limit",
        "forbidden",
        "envelope",
        "string-ids",
        "error-code",
        "request-id",
        "schema",
        "canonical",
        "bodies",
        "value",
        "losses",
        "sha256",
        "unmet",
        "accepted",
        "other-fault",
    ]
    | ContradictionRule
)

_CONTRADICTIONS: dict[Rule, str] = {
    rule: text for rule, text in CONTRADICTIONS.items() if rule != "success-with-http-error"
}

RULES: Mapping[Rule, str] = MappingProxyType(
    {
        "unreadable": "a file or folder can be read",
        "about": "`case.toml`, and what stands beside an invalid body, has the known fields, each as it must be",
        "malformed": "a body is what the writer of its format writes",
        "limit": "a file is within the limits",
        "forbidden": "a body holds nothing that is refused, such as objects in a portable case",
        "envelope": "no field of the envelope is missing, null or of another type",
        "string-ids": "`error_code`, `request_id` and `last_id` are strings, not numbers",
        "error-code": "the registry holds the error code",
        "request-id": "`request_id` has the gateway's form: a node's prefix, 8 + 5 hexadecimal digits of the time",
        **{rule: f"it is not so that {text}" for rule, text in _CONTRADICTIONS.items()},
        "schema": "the payload is as the case's `response.schema.json` says",
        "canonical": "with `--canonical`: a body is byte for byte what this library writes",
        "bodies": "a portable case has a body in each format, one of PHP's domain in `serialize` (and `var_export`)",
        "value": "all bodies of a case are the same value, but for its losses",
        "losses": "what a format loses of a case's value is what `losses` states, no more and no less",
        "sha256": "a body has the digest that `case.toml` states",
        "unmet": "a case breaks each rule that its `findings` states",
        "accepted": "an invalid body is refused",
        "other-fault": "an invalid body is refused for the kind, offset and path that are stated",
    }
)
"""What holds for fixtures, by the name of the rule that a finding breaks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One breach: in ``file``, of which of `RULES`, what is wrong, where, and what may be the cause.

    ``offset`` counts bytes of the file; it is None where a fault is in the value, at ``path``.
    """

    file: str
    rule: Rule
    text: str
    path: str = ROOT
    offset: int | None = None
    hint: str = ""


ResponseCheck: TypeAlias = Callable[[Any], Iterable[tuple[Sequence[str | int], str]]]
"""Answers what is wrong in a payload: the steps to the place, and a text. `envelope validate` has JSON Schema's."""

_MAX_LISTED = 3  # places that one finding names
_MAX_COUNTED = 100  # places that one finding counts: of large bodies that share nothing there are millions


def format_of(name: str) -> ResultType | None:
    """The format of the body *name*, by its suffix; None where it is no body's."""
    rows = [row for row in FORMATS.values() if name.endswith(row.suffix)]
    # The longest suffix counts: `.jsonu.json` is `.json` as well.
    return max(rows, key=lambda row: len(row.suffix)).name if rows else None


def body_name(format: str) -> str:
    """The name of a case's body in *format*; a case may have other bodies beside, which need not be canonical."""
    return f"body{FORMATS[format].suffix}"


# ------------------------------------------------------------------------------------------------- one body alone


def check_body(
    name: str, data: bytes, *, payload: str = "response", registry: CodeRegistry = REGISTRY, canonical: bool = False
) -> list[Finding]:
    """What is wrong with a body that stands alone: it is to be an envelope, whose payload goes by the name *payload*.

    *name* says which format it is in (`format_of`).
    """
    body, found = _read(name, data, "portable", payload)
    if body is None or body.answer is None:
        return found
    found += _check_answer(name, body.answer, registry)
    if canonical:
        # Nothing says how this gateway writes the maps that a PHP array cannot tell from lists: either way is right.
        found += _check_canonical(body, "portable", "array") and _check_canonical(body, "portable", "object")
    return found


def check_refusal(name: str, data: bytes, refusal: Refusal) -> list[Finding]:
    """What is wrong with an invalid body: it is to be refused as *refusal* says."""
    try:
        loads(data, _format(name), values=refusal.values)
    except DecodeError as error:
        if (error.kind, error.offset, error.path) == (refusal.kind, refusal.offset, refusal.path):
            return []
        stated = f"{refusal.kind} at byte {refusal.offset}, {refusal.path}"
        text = f"refused, but not as stated ({stated}): {error.kind}, {error.reason}"
        return [Finding(file=name, rule="other-fault", text=text, path=error.path, offset=error.offset)]
    return [Finding(file=name, rule="accepted", text=f"it is read, but stated to be {refusal.kind}")]


# -------------------------------------------------------------------------------------------------------- a case


def check_case(
    case: Case,
    files: Mapping[str, bytes],
    *,
    registry: CodeRegistry = REGISTRY,
    canonical: bool = False,
    response_check: ResponseCheck | None = None,
) -> list[Finding]:
    """What is wrong with a case: *files* are its bodies, by their names in the folder.

    What an envelope says is checked once, in the body that most of the others agree with.
    """
    found = list(_check_files(case, files))
    bodies: list[_Body] = []
    for name, data in files.items():
        body, faults = _read(name, data, case.values, case.payload)
        found += faults
        if body is not None:
            bodies.append(body)
    if not bodies:
        return found
    reference, differing = _compared(case, bodies)
    found += differing
    if canonical:
        for body in bodies:
            found += _check_rewritten(case, body)
    if reference.answer is not None:
        found += _check_statement(case, reference.name, _check_answer(reference.name, reference.answer, registry))
        if response_check is not None:
            for steps, text in response_check(reference.answer.response):
                path = short_path([case.payload, *steps])
                found.append(Finding(file=reference.name, rule="schema", text=text, path=path))
    elif response_check is not None:
        found.append(Finding(file=ABOUT, rule="schema", text="a schema is for a payload, and none has a name here"))
    return found


def canonical_bodies(case: Case, name: str, data: bytes) -> dict[str, bytes]:
    """The five bodies of a portable case, by name, written anew from the body *name*.

    There are none where that is not sound (`check_case` says why), nor in PHP's domain, for there only a PHP writes
    them. `EncodeError` where one of them is beyond the limits.
    """
    body, found = _read(name, data, case.values, case.payload)
    if body is None or found or case.values == "php":
        return {}
    return {body_name(format): dumps(body.value, format, maps=case.maps) for format in FORMATS}


def _check_files(case: Case, files: Mapping[str, bytes]) -> Iterator[Finding]:
    """Whether there are the bodies that a case has, with the digests that are stated."""
    is_php = case.values == "php"
    for format in FORMATS:
        name = body_name(format)
        if name not in files and (not is_php or format == ResultType.SERIALIZE):
            hint = "" if is_php else "--update writes it"
            yield Finding(file=name, rule="bodies", text="the case has no such body", hint=hint)
    for name in files:
        if is_php and not FORMATS[_format(name)].is_php:
            yield Finding(file=name, rule="bodies", text="json and xml do not hold PHP's domain")
    for format, digest in case.sha256.items():
        data = files.get(body_name(format), b"")
        if (found := hashlib.sha256(data).hexdigest()) != digest:
            yield Finding(
                file=body_name(format), rule="sha256", text=f"other bytes than stated: their digest is {found}"
            )


def _compared(case: Case, bodies: Sequence[_Body]) -> tuple[_Body, list[Finding]]:
    """The body that the fewest differ from, of those whose format holds the whole value; and what differs from it."""
    whole = [body for body in bodies if body.format not in case.losses]
    exact = [body for body in whole if _is_exact(case, body.format)]
    order = list(FORMATS)
    best, *others = sorted(exact or whole or bodies, key=lambda body: order.index(body.format))
    fewest = _differing(case, best, bodies)
    for candidate in others:
        if not fewest:
            break
        found = _differing(case, candidate, bodies)
        if len(found) < len(fewest):
            best, fewest = candidate, found
    return best, fewest


def _differing(case: Case, reference: _Body, bodies: Iterable[_Body]) -> list[Finding]:
    return [finding for body in bodies if body is not reference for finding in _check_same(case, reference, body)]


def _is_exact(case: Case, format: str) -> bool:
    return FORMATS[format].is_exact(case.values, case.maps, "typed")


def _check_same(case: Case, reference: _Body, body: _Body) -> list[Finding]:
    """Whether *body* is the value of *reference*, as far as its format holds it."""
    stated = case.losses.get(body.format, ())
    if case.values == "php":
        # What the two formats ask of an object is its class's affair: only what is stated says what may differ.
        return _check_losses(body.name, stated, differences(reference.value, body.value))
    expected = reference.value
    if not _is_exact(case, body.format):
        try:
            expected = loads(dumps(expected, body.format, maps=case.maps), body.format)
        except EncodeError as error:
            text = f"{reference.name} cannot be written so: {error.reason}"
            return [Finding(file=body.name, rule="value", text=text, path=error.path)]
    if changed := list(islice(differences(expected, body.value), _MAX_COUNTED)):
        text = f"not the value of {reference.name}: {_listed(changed)}"
        return [Finding(file=body.name, rule="value", text=text, path=changed[0].short_path)]
    if not _is_exact(case, reference.format):
        return []  # it may have lost as much itself
    return _check_losses(body.name, stated, differences(reference.value, expected))


def _check_losses(name: str, stated: Iterable[str], lost: Iterator[Loss]) -> list[Finding]:
    """Whether what is *lost* is what is *stated*."""
    kept = dict.fromkeys(stated)
    met = set()
    unstated = []
    for loss in lost:
        if (path := loss.path) in kept:
            met.add(path)
            continue
        unstated.append(loss)
        if len(unstated) == _MAX_COUNTED:
            break
    if unstated:
        text = f"differs where no loss is stated: {_listed(unstated)}"
        return [Finding(file=name, rule="losses", text=text, path=unstated[0].short_path)]
    return [
        Finding(file=name, rule="losses", text="a loss is stated, but nothing is lost", path=path)
        for path in kept
        if path not in met
    ]


def _listed(losses: Sequence[Loss]) -> str:
    text = "; ".join(map(describe_change, losses[:_MAX_LISTED]))
    if (more := len(losses) - _MAX_LISTED) > 0:
        text += f"; and {more} more{' at least' if len(losses) == _MAX_COUNTED else ''}"
    return text


def _check_statement(case: Case, name: str, said: Sequence[Finding]) -> Iterator[Finding]:
    """What the envelope in the body *name* breaks and is not stated to; what it is stated to break, and does not."""
    yield from (finding for finding in said if finding.rule not in case.findings)
    met = {finding.rule for finding in said}
    for rule in case.findings:
        if rule not in met:
            yield Finding(file=name, rule="unmet", text=f"{rule} is stated in {ABOUT}, but does not break")


def _check_rewritten(case: Case, body: _Body) -> list[Finding]:
    """Whether a case's own body is as the library writes it; of PHP's domain, those that `rewrites` states are."""
    if body.name != body_name(body.format):
        return []
    found = _check_canonical(body, case.values, case.maps)
    if case.values == "portable" or body.format in case.rewrites:
        return found
    if found:
        return []
    return [Finding(file=body.name, rule="canonical", text="written again as it was, which rewrites does not state")]


# ----------------------------------------------------------------------------------------------------- the parts


class _Body(NamedTuple):
    """A body that was read: ``value`` is compared with other bodies, ``answer`` is there where it is an envelope."""

    name: str
    format: ResultType
    data: bytes
    value: Any
    answer: Envelope[Any] | None


def _format(name: str) -> ResultType:
    format = format_of(name)
    if format is None:
        raise ValueError("the name of a body ends in its format's suffix")
    return format


def _read(name: str, data: bytes, values: Values, payload: str) -> tuple[_Body | None, list[Finding]]:
    """The body, None where it is none; and what is wrong with its bytes and its shape."""
    format = _format(name)
    try:
        value = loads(data, format, values=values)
    except DecodeError as error:
        return None, [decode_finding(name, error)]
    if not payload:
        return _Body(name, format, data, value, None), []
    try:
        answer = Envelope.from_value(value, payload)
    except ValidationError as error:
        return None, [Finding(file=name, rule=_shape_rule(value, error.path), text=error.reason, path=error.path)]
    found = [
        Finding(file=name, rule=_shape_rule(value, note.path), text=note.text, path=note.path) for note in answer.notes
    ]
    # The order of the six fields is no part of an envelope. What a PHP wrote of its own stays as it is.
    compared = answer.to_value(payload) if values == "portable" else value
    return _Body(name, format, data, compared, answer), found


def _shape_rule(value: object, path: str) -> Rule:
    """Which rule a mistyped or missing field at *path* breaks."""
    name = path.removeprefix(f"{ROOT}.")
    field = value.get(name) if isinstance(value, dict | PhpObject) else None
    return "string-ids" if name in _IDS and isinstance(field, int | float) else "envelope"


_IDS = ("error_code", "request_id", "last_id")


def _check_answer(name: str, answer: Envelope[Any], registry: CodeRegistry) -> list[Finding]:
    """What an envelope says that it should not."""
    found = []
    if answer.error_code not in registry:
        hint = "--with FILE adds an operator's codes"
        text = "an error code that the registry does not hold"
        found.append(Finding(file=name, rule="error-code", text=text, path="$.error_code", hint=hint))
    if not is_request_id(answer.request_id):
        text, hint = "not the form of a request id", 'as "1.6403f86cd67f6": a prefix, then PHP\'s uniqid()'
        found.append(Finding(file=name, rule="request-id", text=text, path="$.request_id", hint=hint))
    found.extend(
        Finding(file=name, rule=contradiction.rule, text=contradiction.text, path=contradiction.path)
        for contradiction in lint(answer, registry=registry)
    )
    return found


def _check_canonical(body: _Body, values: Values, maps: Literal["array", "object"]) -> list[Finding]:
    try:
        written = dumps(body.value, body.format, values=values, maps=maps)
    except EncodeError as error:
        text = f"cannot be written again: {error.reason}"
        return [Finding(file=body.name, rule="canonical", text=text, path=error.path)]
    if written == body.data:
        return []
    text = "not written as this library writes it"
    return [Finding(file=body.name, rule="canonical", text=text, offset=parting(written, body.data))]


def decode_finding(name: str, error: DecodeError) -> Finding:
    """The finding that *error* is, in the terms of fixtures."""
    # The library's hints name its arguments.
    hint = (
        ""
        if error.hint.startswith("raise Limits")
        else error.hint.replace('values="php"', 'values = "php" in case.toml')
    )
    text = f"cannot read {error.format}: {error.reason}"
    return Finding(file=name, rule=error.kind, text=text, path=error.path, offset=error.offset, hint=hint)
