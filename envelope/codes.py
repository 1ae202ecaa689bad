"""The registry of error codes: what a code means, who pays for the call, and who must act.

`REGISTRY` holds the gateway's 20 codes, which stand in ``data/codes.toml``; it is immutable, as every registry is, and
`CodeRegistry.with_codes`, `override` and `with_toml` answer a new one. The constants (`PARAM_ERROR` is ``"4003"``) are
plain strings, as they go into an envelope.
"""

from __future__ import annotations

import pkgutil
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import Any, Final, Literal, TypedDict, Unpack, get_args

from envelope._codes_toml import read_records
from envelope.errors import UnknownCode, ValidationError
from envelope.lang import Lang
from envelope.path import format_path

__all__ = [
    "ACCOUNT_NOT_FOUND",
    "ACCOUNT_STOPPED",
    "API_MAINTENANCE",
    "API_NOT_ADDED",
    "API_NOT_FOUND",
    "API_STOPPED",
    "CALLS_EXCEEDED",
    "INSUFFICIENT_BALANCE",
    "INVALID_CREDENTIALS",
    "MISSING_PARAM",
    "NETWORK_ERROR",
    "NO_RESULT",
    "PARAM_ERROR",
    "RATE_LIMIT_EXCEEDED",
    "REGISTRY",
    "SERVER_ERROR",
    "SUCCESS",
    "TARGET_SERVER_ERROR",
    "TIMEOUT",
    "UNKNOWN_ERROR",
    "WRONG_PAGE_TOKEN",
    "Actor",
    "Billing",
    "BillingSource",
    "CodeRegistry",
    "ErrorCode",
]

SUCCESS: Final = "0000"
NO_RESULT: Final = "2000"
SERVER_ERROR: Final = "4000"
NETWORK_ERROR: Final = "4001"
TARGET_SERVER_ERROR: Final = "4002"
PARAM_ERROR: Final = "4003"
ACCOUNT_NOT_FOUND: Final = "4004"
INVALID_CREDENTIALS: Final = "4005"
API_STOPPED: Final = "4006"
ACCOUNT_STOPPED: Final = "4007"
RATE_LIMIT_EXCEEDED: Final = "4008"
API_MAINTENANCE: Final = "4009"
API_NOT_FOUND: Final = "4010"
API_NOT_ADDED: Final = "4012"
CALLS_EXCEEDED: Final = "4013"
MISSING_PARAM: Final = "4014"
WRONG_PAGE_TOKEN: Final = "4015"
INSUFFICIENT_BALANCE: Final = "4016"
TIMEOUT: Final = "4017"
UNKNOWN_ERROR: Final = "5000"


class Billing(StrEnum):
    """Who pays for a call: the caller (``charged``), nobody (``free``), nobody for it is no call at all to the bill
    (``ignored``), or nobody has said (``unknown``)."""

    CHARGED = "charged"
    FREE = "free"
    IGNORED = "ignored"
    UNKNOWN = "unknown"


BillingSource = Literal["printed", "inferred", "operator", "nobody"]
"""Who says how a code is billed: the gateway's documents, an inference from a sister API, the operator, or nobody."""

Actor = Literal["nobody", "caller", "operator", "upstream"]
"""Who must act before the call succeeds; ``nobody`` where it did succeed."""

_CODE = re.compile(r"[0-9]{4}")
_NAME = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*")


class _Changes(TypedDict, total=False):
    name: str
    message: str
    cn: str
    en: str
    ru: str
    billing: Billing | str
    http_status: int
    retryable: bool
    actor: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorCode:
    """One row: the code, its symbolic name, its message (the same in every language), its description in three.

    ``http_status`` is that of an answer with this code, ``retryable`` whether the same call may succeed a little
    later. `ValidationError` with the field's path where a field is not what it must be.
    """

    code: str
    name: str
    message: str
    cn: str = ""
    en: str = ""
    ru: str = ""
    billing: Billing
    billing_source: BillingSource = "operator"
    http_status: int = 500
    retryable: bool = False
    actor: Actor = "operator"

    def __post_init__(self) -> None:
        for name in ("code", "name", "message", "cn", "en", "ru"):
            _check(type(getattr(self, name)) is str, name, "a text")
        _check(_NAME.fullmatch(self.name), "name", 'capitals and digits, as "PARAM_ERROR"')
        _check(self.message.strip(), "message", "a text that says something")
        # Not StrEnum's own error, which repeats whatever it was given.
        _check(self.billing in list(Billing), "billing", f"one of {', '.join(Billing)}")
        object.__setattr__(self, "billing", Billing(self.billing))
        sources = get_args(BillingSource)
        _check(self.billing_source in sources, "billing_source", f"one of {', '.join(sources)}")
        is_status = type(self.http_status) is int and 200 <= self.http_status <= 599
        _check(is_status, "http_status", "an HTTP status from 200 to 599")
        _check(type(self.retryable) is bool, "retryable", "true or false")
        _check(self.actor in get_args(Actor), "actor", f"one of {', '.join(get_args(Actor))}")

    @property
    def is_success(self) -> bool:
        """Whether the gateway did what it was asked: then nobody has to act."""
        return self.actor == "nobody"

    def text(self, lang: Lang | str) -> str:
        """The description in *lang*; where it has none, the Chinese one, else the message.

        `envelope.messages.Messages` does the same, says which it was, and asks an operator's own texts first.
        """
        own: str = getattr(self, Lang(lang))
        return own or self.cn or self.message


def _check(is_right: object, name: str, wanted: str) -> None:
    if not is_right:
        raise ValidationError(f"{name} is {wanted}", path=format_path([name]))


@dataclass(frozen=True, slots=True)
class CodeRegistry:
    """An immutable table of `ErrorCode`, in order; ``registry["4003"]`` is a row, iteration gives all of them."""

    rows: tuple[ErrorCode, ...]
    _by_code: dict[str, ErrorCode] = field(init=False, repr=False, compare=False)

    def __init__(self, rows: Iterable[ErrorCode] = ()) -> None:
        by_code: dict[str, ErrorCode] = {}
        for row in rows:
            _put(by_code, row)
        object.__setattr__(self, "rows", tuple(by_code.values()))
        object.__setattr__(self, "_by_code", by_code)

    def __getitem__(self, code: str) -> ErrorCode:
        """The row of *code*; `UnknownCode` without one."""
        try:
            return self._by_code[code]
        except KeyError:
            _check_type(code)
            raise UnknownCode(f"no code {code[:40]!r} in the registry") from None

    def get(self, code: str) -> ErrorCode:
        """The row of *code*; without one, a row that says so: its billing is ``unknown``, never guessed."""
        row = self._by_code.get(code)
        if row is None:
            _check_type(code)
            return replace(_UNHELD, code=code)
        return row

    def __contains__(self, code: object) -> bool:
        return code in self._by_code

    def __iter__(self) -> Iterator[ErrorCode]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def with_codes(self, *rows: ErrorCode) -> CodeRegistry:
        """This registry and *rows*. A code or name that is there already is a `ValidationError`."""
        return CodeRegistry([*self.rows, *rows])

    def override(self, code: str, **changes: Unpack[_Changes]) -> CodeRegistry:
        """This registry with other fields in the row of *code*, as ``billing="free"``; `UnknownCode` without one.

        What is said of billing is then the operator's word (``billing_source``).
        """
        self[code]  # which raises without one
        rows = dict(self._by_code)
        _change(rows, code, **changes)
        return CodeRegistry(rows.values())

    def with_toml(self, data: str | bytes) -> CodeRegistry:
        """This registry, with what an operator's own file (TOML) adds to it or changes in it.

        ``[[codes]]`` are new rows, with every field but ``billing_source``; ``[[overrides]]`` have a ``code`` and the
        fields that change. The form is in ``data/codes.schema.json``. `DecodeError` with the offset where *data* is
        no TOML; `ValidationError` with the path of a wrong, unknown or missing field, or of a code that is there
        twice.
        """
        rows = dict(self._by_code)
        for table, path, record in read_records(data, _FIELDS, _REQUIRED):
            try:
                if table == "codes":
                    _put(rows, ErrorCode(**record))
                else:
                    _change(rows, **record)
            except ValidationError as error:
                place = path + error.path.removeprefix("$")
                raise ValidationError(error.reason, path=place, hint=error.hint) from None
        return CodeRegistry(rows.values())


def _check_type(code: object) -> None:
    if not isinstance(code, str):
        raise TypeError(f'a code is a str, as "4003", not {type(code).__name__}')


def _put(rows: dict[str, ErrorCode], row: ErrorCode) -> None:
    """Add *row*, unless its code or its name is there."""
    _check(_CODE.fullmatch(row.code), "code", 'four digits, as "4003"')
    if row.code in rows:
        raise ValidationError(f"code {row.code} is there already", path="$.code", hint="an override changes a row")
    _check_name(rows, row)
    rows[row.code] = row


def _change(rows: dict[str, ErrorCode], code: str, **changes: Any) -> None:
    """Put other fields into the row of *code*; what is said of its billing is now the operator's word."""
    row = rows.get(code) if isinstance(code, str) else None
    if row is None:
        raise ValidationError("no such code to override", path="$.code")
    if "billing" in changes:
        changes = {"billing_source": "operator", **changes}
    changed = replace(row, **changes)
    _check_name(rows, changed)
    rows[code] = changed


def _check_name(rows: dict[str, ErrorCode], row: ErrorCode) -> None:
    if any(row.name == other.name and row.code != other.code for other in rows.values()):
        raise ValidationError(f"the name {row.name} is there already", path="$.name")


_FIELDS: Final = tuple(entry.name for entry in fields(ErrorCode))
_REQUIRED: Final = tuple(name for name in _FIELDS if name != "billing_source")

_UNHELD: Final = ErrorCode(
    code="",
    name="UNKNOWN_CODE",
    message="unknown error code",
    cn="未知错误码",
    en="This error code is unknown",
    ru="Неизвестный код ошибки",
    billing=Billing.UNKNOWN,
    billing_source="nobody",
)

REGISTRY: Final = CodeRegistry().with_toml(pkgutil.get_data("envelope", "data/codes.toml") or b"")
"""The gateway's own 20 codes."""
