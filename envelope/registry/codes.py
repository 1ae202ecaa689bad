"""The registry of error codes: what a code means, who pays for the call, and who must act.

`REGISTRY` holds the gateway's 20 codes, which are in ``codes.toml``; it is immutable, as every registry is, and
`CodeRegistry.with_codes`, `override` and `with_toml` return a new one. The constants (`PARAM_ERROR` is ``"4003"``) are
plain strings, as in an envelope.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from importlib.resources import files
from typing import Any, Final, Literal, TypedDict, Unpack, get_args

from envelope.errors import UnknownCode, ValidationError
from envelope.hints import Hint
from envelope.path import MAX_SHOWN, format_path
from envelope.registry.languages import Lang
from envelope.registry.operator_file import read_records

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
    """Who pays for a call: the caller (``charged``), nobody (``free``), nobody because it is not billed as a call at
    all (``ignored``), or not stated (``unknown``)."""

    CHARGED = "charged"
    FREE = "free"
    IGNORED = "ignored"
    UNKNOWN = "unknown"


BillingSource = Literal["printed", "inferred", "operator", "nobody"]
"""Who says how a code is billed: the gateway's documents, an inference from a sister API, the operator, or nobody."""

Actor = Literal["nobody", "caller", "operator", "upstream"]
"""Who must act before the call succeeds; ``nobody`` if it did succeed."""

_CODE = re.compile(r"[0-9]{4}")
_NAME = re.compile(r"(?!.*__)[A-Z][A-Z0-9_]*(?<!_)")


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
    later, ``actor`` who must act before it does; a code for which nobody must act is a success. Raises
    `ValidationError` with the path of a wrong field; a registry also wants codes of four digits.
    """

    code: str
    name: str
    message: str
    cn: str = ""
    en: str = ""
    ru: str = ""
    billing: Billing
    billing_source: BillingSource = "operator"
    http_status: int
    retryable: bool
    actor: Actor

    def __post_init__(self) -> None:
        for name in ("code", "name", "message", "cn", "en", "ru"):
            self._check(name, type(getattr(self, name)) is str, "a string")
        self._check("name", _NAME.fullmatch(self.name), 'capitals and digits, like "PARAM_ERROR"')
        self._check("message", self.message.strip(), "a string that is not blank")
        for lang in Lang:
            text = getattr(self, lang)
            self._check(lang, not text or text.strip(), "a string that is not blank")
        # Not StrEnum's own error, which repeats whatever it was given.
        self._check("billing", self.billing in list(Billing), f"one of {', '.join(Billing)}")
        object.__setattr__(self, "billing", Billing(self.billing))
        sources = get_args(BillingSource)
        self._check("billing_source", self.billing_source in sources, f"one of {', '.join(sources)}")
        is_status = type(self.http_status) is int and 200 <= self.http_status <= 599
        self._check("http_status", is_status, "an HTTP status from 200 to 599")
        self._check("retryable", type(self.retryable) is bool, "true or false")
        self._check("actor", self.actor in get_args(Actor), f"one of {', '.join(get_args(Actor))}")
        is_told = not self.is_success or self.http_status <= 299
        self._check("http_status", is_told, "2xx if nobody must act, because that is a success")

    def _check(self, name: str, is_right: object, wanted: str) -> None:
        if not is_right:
            raise ValidationError(f"{name} is {wanted} (code {_shown(self.code)})", path=format_path([name]))

    @property
    def is_success(self) -> bool:
        """Whether the gateway did what it was asked: then nobody has to act."""
        return self.actor == "nobody"

    def text(self, lang: Lang | str) -> str:
        """Return the description in *lang*; if there is none, the Chinese one, else the message.

        `envelope.registry.Messages` does the same, says which it was, and asks an operator's own texts first.
        """
        own: str = getattr(self, Lang(lang))
        return own or self.cn or self.message


def _shown(code: object) -> str:
    return code[:MAX_SHOWN] if isinstance(code, str) else f"of type {type(code).__name__}"


@dataclass(frozen=True, slots=True, repr=False)
class CodeRegistry:
    """An immutable table of `ErrorCode`, in order; ``registry["4003"]`` is a row, iteration gives all of them."""

    rows: tuple[ErrorCode, ...]
    _by_code: dict[str, ErrorCode] = field(init=False, repr=False, compare=False)

    def __init__(self, rows: Iterable[ErrorCode] = ()) -> None:
        table = _Table()
        for row in rows:
            table.add(row)
        object.__setattr__(self, "rows", tuple(table.by_code.values()))
        object.__setattr__(self, "_by_code", table.by_code)

    def __repr__(self) -> str:
        return f"<CodeRegistry: {len(self.rows)} codes>"

    def __getitem__(self, code: str) -> ErrorCode:
        """Return the row of *code*; `UnknownCode` if there is none."""
        _check_code_type(code)
        try:
            return self._by_code[code]
        except KeyError:
            raise UnknownCode(f"no code {code[:MAX_SHOWN]!r} in the registry") from None

    def get(self, code: str) -> ErrorCode:
        """Return the row of *code*; if there is none, a row that says so: its billing is ``unknown``, never guessed."""
        _check_code_type(code)
        return self._by_code.get(code) or replace(_UNHELD, code=str(code))

    def __contains__(self, code: object) -> bool:
        return isinstance(code, str) and code in self._by_code

    def __iter__(self) -> Iterator[ErrorCode]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def with_codes(self, *rows: ErrorCode) -> CodeRegistry:
        """Return this registry with *rows* added; `ValidationError` if a code or name already exists."""
        return CodeRegistry([*self.rows, *rows])

    def override(self, code: str, **changes: Unpack[_Changes]) -> CodeRegistry:
        """Return this registry with fields of *code*'s row changed, like ``billing="free"``; `UnknownCode` if none.

        A change of billing is then marked as the operator's (``billing_source``).
        """
        row = _changed(self[code], dict(changes))
        return CodeRegistry(row if other.code == code else other for other in self.rows)

    def with_toml(self, data: str | bytes) -> CodeRegistry:
        """Return this registry with what an operator's own file (TOML, not its name) adds to it or changes in it.

        ``[[codes]]`` are new rows, with all fields (``billing_source`` may be left out); ``[[overrides]]`` have a
        ``code`` and the fields that change. The form is in ``codes.schema.json``. `DecodeError` with the offset if
        *data* is not TOML; `ValidationError` with the path of a wrong, unknown or missing field, or of a repeated code.
        """
        table = _Table()
        for row in self.rows:
            table.add(row)
        for kind, path, record in read_records(data, _FIELDS, _REQUIRED):
            try:
                if kind == "codes":
                    table.add(ErrorCode(**record))
                else:
                    table.change(record)
            except ValidationError as error:
                place = path + error.path.removeprefix("$")
                raise ValidationError(error.reason, path=place, hint=error.hint) from None
        return CodeRegistry(table.by_code.values())


def _check_code_type(code: object) -> None:
    if not isinstance(code, str):
        raise TypeError(f'a code must be a str like "4003", not {type(code).__name__}')


def _changed(row: ErrorCode, changes: dict[str, Any]) -> ErrorCode:
    """*row* with *changes*; a change of billing is the operator's, unless they name another source."""
    if "billing" in changes:
        changes = {"billing_source": "operator", **changes}
    return replace(row, **changes)


class _Table:
    """Rows being gathered: each code and each name once."""

    def __init__(self) -> None:
        self.by_code: dict[str, ErrorCode] = {}
        self.owners: dict[str, str] = {}  # the code that has each name

    def add(self, row: ErrorCode) -> None:
        if not isinstance(row, ErrorCode):
            raise TypeError(f"a row must be an ErrorCode, not {type(row).__name__}")
        if _CODE.fullmatch(row.code) is None:
            raise ValidationError(f'code {_shown(row.code)} is not four digits, like "4003"', path="$.code")
        if row.code in self.by_code:
            raise ValidationError(f"code {row.code} already exists", path="$.code", hint=Hint("override-changes"))
        self._name(row)
        self.by_code[row.code] = row

    def change(self, record: dict[str, Any]) -> None:
        """Put the fields of *record* into the row of its code."""
        code = record["code"]
        row = self.by_code.get(code) if isinstance(code, str) else None
        if row is None:
            raise ValidationError(f"no code {_shown(code)} to override", path="$.code")
        changed = _changed(row, record)
        del self.owners[row.name]
        self._name(changed)
        self.by_code[row.code] = changed

    def _name(self, row: ErrorCode) -> None:
        owner = self.owners.setdefault(row.name, row.code)
        if owner != row.code:
            raise ValidationError(f"the name {row.name[:MAX_SHOWN]} already belongs to {owner}", path="$.name")


_FIELDS: Final = tuple(entry.name for entry in fields(ErrorCode))
_REQUIRED: Final = tuple(name for name in _FIELDS if name != "billing_source")

_UNHELD: Final = ErrorCode(
    code="",
    name="NOT_IN_REGISTRY",
    message="error code not in the registry",
    cn="未知错误码",
    en="This error code is unknown",
    ru="Неизвестный код ошибки",
    billing=Billing.UNKNOWN,
    billing_source="nobody",
    http_status=500,  # a server must send some status
    retryable=False,
    actor="operator",
)

REGISTRY: Final = CodeRegistry().with_toml((files("envelope.registry") / "codes.toml").read_bytes())
"""The gateway's own 20 codes."""
