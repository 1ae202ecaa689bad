"""The configuration of a gateway: one TOML file, or the environment, checked as a whole before anything starts."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr
from pydantic import ValidationError as Invalid
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from envelope.answers.verdicts import UpstreamErrors
from envelope.calls.reading import is_name
from envelope.calls.statuses import Statuses
from envelope.errors import ValidationError
from envelope.gateway.browser.origins import check_origin
from envelope.gateway.logs import LogForm
from envelope.gateway.money import parse_amount
from envelope.gateway.prices import Price, Prices
from envelope.gateway.stores.addresses import is_postgresql
from envelope.gateway.upstreams.settings import UpstreamSettings, read_upstreams
from envelope.path import format_path
from envelope.registry.toml import parse_toml

__all__ = ["CacheSettings", "GatewaySettings", "LimitSettings", "PriceSettings", "read_settings"]

_STRICT: Final = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
_DAY: Final = 86_400
_LISTS: Final = ("upstreams", "prices")

Amount = Annotated[int, BeforeValidator(lambda text: parse_amount(text) if isinstance(text, str) else _not_a_text())]
"""Money: a text of units with up to six decimals in the file, micro-units here."""


def _not_a_text() -> int:
    raise ValueError('an amount is a text, like "0.002": a number would be a float')


class PriceSettings(BaseModel):
    """One row of ``[[prices]]`` (`envelope.gateway.prices.Price`), in units."""

    model_config = _STRICT

    method: str = "*"
    model: str = "*"
    call: Amount = 0
    cached: Amount = 0
    prompt: Amount = 0
    completion: Amount = 0
    max_completion: int = Field(default=4096, ge=1, le=1_000_000)


class CacheSettings(BaseModel):
    """``[cache]``: ``seconds`` that an answer is fresh, those of some ``methods`` (0 is never), and whether accounts
    share answers."""

    model_config = _STRICT

    seconds: int = Field(default=_DAY, ge=0, le=366 * _DAY)
    methods: dict[str, Annotated[int, Field(ge=0, le=366 * _DAY)]] = {}
    shared: bool = False


class LimitSettings(BaseModel):
    """``[limits]``, in bytes: a call's ``body`` without its ``files``, and an upstream's ``answer``."""

    model_config = _STRICT

    body: int = Field(default=2 * 1024**2, ge=1024, le=1024**3)
    files: int = Field(default=32 * 1024**2, ge=0, le=1024**4)
    answer: int = Field(default=10 * 1024**2, ge=1024, le=1024**3)


class GatewaySettings(BaseSettings):
    """All settings; a relative path in the file is relative to the file.

    ``store``            where the books are: the path of a SQLite file, or the address of a PostgreSQL database
                         (``postgresql://…``).
    ``key_file``         the key that encrypts callers' secrets; made if it is not there.
    ``codes``            an operator's own error codes (`envelope.registry.CodeRegistry.with_toml`).
    ``apis``             the names of the APIs.
    ``openai_api``       the one of ``apis`` that calls of ``/v1`` count under; None: the first.
    ``seconds``          how long a call may take, whatever is tried in that time; a stream, until it begins.
    ``retries``          how many more rounds over all upstreams follow the first.
    ``statuses``         ``registry``: a failure has its code's HTTP status; ``ok``: all are 200. Under
                         ``/<api_type>/api_call.php`` all are 200 unless ``script_statuses`` says otherwise.
    ``upstream_errors``  who pays for an answer with the upstream's error in it (`envelope.answers.who_pays`).
    ``json_dialect``     ``php``: json and jsonu are what PHP's ``json_encode`` writes of PHP's arrays, so ``{}`` is
                         ``[]`` and 1.0 is 1; ``typed``: they keep what the upstream said.
    ``receipts``         whether answers have a receipt among their extras.
    ``origins``          the sites whose pages may read the answers to their calls.
    ``keep_days``        how many days the records of calls are kept; None: for ever.
    ``admin_token``      what opens the admin API, the console and the metrics; None: there is neither.
    ``metrics``          ``token``: ``/metrics`` wants the admin token; ``open``: it is for everybody.
    """

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        env_prefix="ENVELOPE_GATEWAY_",
        env_nested_delimiter="__",
    )

    store: str = Field(default="gateway.db", min_length=1, repr=False)  # it may have a password
    key_file: Path = Path("gateway.key")
    codes: Path | None = None
    apis: Annotated[tuple[str, ...], Field(min_length=1)] = ("custom",)
    openai_api: str | None = None
    seconds: float = Field(default=60, gt=0, le=3600, allow_inf_nan=False)
    retries: int = Field(default=2, ge=0, le=10)
    statuses: Statuses = "registry"
    script_statuses: Statuses = "ok"
    upstream_errors: UpstreamErrors = "free"
    json_dialect: Literal["php", "typed"] = "php"
    receipts: bool = False
    origins: tuple[Annotated[str, AfterValidator(check_origin)], ...] = ()
    keep_days: Annotated[int, Field(ge=1, le=36_525)] | None = None
    admin_token: Annotated[SecretStr, Field(min_length=16)] | None = None
    metrics: Literal["open", "token"] = "token"
    log: LogForm = "json"
    upstreams: tuple[UpstreamSettings, ...] = Field(min_length=1)
    prices: tuple[PriceSettings, ...] = ()
    cache: CacheSettings = CacheSettings()
    limits: LimitSettings = LimitSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003  # pydantic's signature
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment goes before the file."""
        return env_settings, init_settings

    @property
    def tariff(self) -> Prices:
        """The prices, in micro-units."""
        return Prices(tuple(Price(**row.model_dump()) for row in self.prices))

    def beside(self, folder: Path) -> Self:
        """The same with paths that are relative to *folder*."""
        paths: dict[str, Any] = {name: folder / path for name in ("key_file", "codes") if (path := getattr(self, name))}
        if not is_postgresql(self.store):
            paths["store"] = str(folder / self.store)
        return self.model_copy(update=paths)


def read_settings(path: str | os.PathLike[str]) -> GatewaySettings:
    """The settings in the file at *path*.

    `DecodeError` if it is not TOML, `ValidationError` with the path of the first field that is wrong; its text has no
    value, which may be a secret. `OSError` if there is no such file.
    """
    file = Path(path)
    table = parse_toml(file.read_bytes())
    rows = table.get("upstreams")
    for row in rows if isinstance(rows, list) else ():
        _put_beside(file.parent, row)
    return made_settings(table).beside(file.parent)


def _put_beside(folder: Path, upstream: Any) -> None:
    """Make an upstream's files relative to *folder*."""
    for name in ("ca_file", "certificate"):
        if isinstance(upstream, dict) and isinstance(path := upstream.get(name), str):
            upstream[name] = str(folder / path)


def made_settings(table: dict[str, Any]) -> GatewaySettings:
    """The settings in *table*; errors are those of `read_settings`."""
    for name in table:  # some would be taken for arguments of the class's own
        if name not in GatewaySettings.model_fields:
            raise ValidationError("no such setting", path=format_path([name]))
        if name in _LISTS and not isinstance(table[name], list):
            raise ValidationError(f"not a list of tables: write [[{name}]]", path=format_path([name]))
    fault: tuple[str, list[int | str]] | None = None
    try:
        settings = GatewaySettings(**table)
    except Invalid as error:  # which holds the values
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        fault = first["msg"].removeprefix("Value error, "), list(first["loc"])
    except SettingsError as error:  # whose cause holds the value
        named = [name for name in GatewaySettings.model_fields if f'"{name}"' in str(error)]
        fault = "not JSON, in the environment", [*named]
    if fault is not None:
        raise ValidationError(fault[0], path=format_path(fault[1]))
    for index, name in enumerate(settings.apis):
        if not is_name(name):
            raise ValidationError("not a valid API name", path=format_path(["apis", index]))
    if settings.openai_api is not None and settings.openai_api not in settings.apis:
        raise ValidationError("not one of the APIs", path="$.openai_api")
    read_upstreams(settings.upstreams)  # for what is wrong with them together
    return settings
