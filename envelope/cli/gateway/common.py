"""What the operator's commands share: the store, accounts by their names, tables and JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import click
import orjson
from rich.console import Console
from rich.table import Table

from envelope.cli.common.files import write_output
from envelope.cli.common.report import fault_block, place, printable, show, show_validation_error
from envelope.errors import DecodeError, ValidationError
from envelope.gateway.books.accounts import account_named
from envelope.gateway.books.errors import BooksError
from envelope.gateway.money import parse_amount
from envelope.gateway.stores.addresses import is_postgresql
from envelope.gateway.stores.errors import StoreError
from envelope.gateway.times import parse_time
from envelope.registry.codes import REGISTRY

if TYPE_CHECKING:
    from envelope.gateway.books.accounts import Account
    from envelope.gateway.settings import GatewaySettings
    from envelope.gateway.stores.store import Store, Transaction
    from envelope.gateway.vault import Vault
    from envelope.registry.codes import CodeRegistry

__all__ = [
    "AMOUNT",
    "AT_ONCE",
    "BOUND",
    "BOUND_AT_ONCE",
    "CONFIG",
    "TIME",
    "json_option",
    "key_file",
    "named",
    "opened",
    "registry_told",
    "settings",
    "show_json",
    "show_table",
    "shown_time",
    "store_option",
    "telling",
    "vault_of",
]

CONFIG = "gateway.toml"
"""The settings' file, unless the command says otherwise."""

_STORE = "gateway.db"
_WIDTH = 100_000
_NAME, _SETTINGS = "envelope.gateway.config", "envelope.gateway.settings"  # in the context of a command

C = TypeVar("C", bound=Callable[..., object])


def store_option(command: C) -> C:
    """The options `--config` and `--store`, passed as the address of the store."""
    config = click.option(
        "--config",
        metavar="FILE",
        is_eager=True,
        expose_value=False,
        callback=lambda ctx, _, name: ctx.meta.update({_NAME: name}),
        help=f"The gateway's settings.  [default: {CONFIG}, if it is there]",
    )
    store = click.option(
        "--store",
        metavar="FILE",
        callback=_store,
        help="The store: a file, or postgresql://…  [default: the settings', else gateway.db]",
    )
    return config(store(command))


def _store(ctx: click.Context, _: click.Parameter, store: str | None) -> str:
    name = ctx.meta.get(_NAME)
    if ctx.resilient_parsing or not (name or (store is None and Path(CONFIG).exists())):
        return store or _STORE
    with telling(name or CONFIG):
        from envelope.gateway.settings import read_settings

        ctx.meta[_SETTINGS] = read_settings(name or CONFIG)
    return store or str(ctx.meta[_SETTINGS].store)


def settings() -> GatewaySettings | None:
    """The settings that were read; None if the store was named, and they were not."""
    found: GatewaySettings | None = click.get_current_context().meta.get(_SETTINGS)
    return found


def key_file(store: str) -> Path:
    """The file with the keys of the accounts in *store*: the settings', or the one beside it."""
    found = settings()
    if found is not None:
        return found.key_file
    return Path("gateway.key") if is_postgresql(store) else Path(store).with_suffix(".key")


def vault_of(store: str, books: Store) -> Vault:
    """The vault of the secrets in *books*, which are the store at that address."""
    from envelope.gateway.running import open_vault

    return open_vault(key_file(store), books)


def registry_told(registry: CodeRegistry) -> CodeRegistry:
    """*registry*, which the option ``--with`` gave; the settings' if it did not."""
    found = settings()
    if registry is not REGISTRY or found is None:
        return registry
    with telling(str(found.codes)):
        from envelope.gateway.running import registry_of

        return registry_of(found)


@contextmanager
def telling(name: str) -> Iterator[None]:
    """What is wrong with the file *name*, which the block reads, goes to standard error, and ends the command."""
    try:
        yield
    except DecodeError as error:
        at, _ = place(name, Path(name).read_bytes(), error.offset)  # nothing of what is there: it may be a key
        show(fault_block(f"cannot read {error.format} ({error.kind}): {error.reason}", at=at, path=error.path))
    except ValidationError as error:
        show_validation_error(error, name)
    except OSError as error:
        raise click.UsageError(f"cannot read {printable(name)}: {error.strerror}") from None
    else:
        return
    raise click.exceptions.Exit(1)


json_option = click.option("--json", "as_json", is_flag=True, help="JSON on standard output, amounts in millionths.")
"""The option `--json`."""


@contextmanager
def opened(address: str, *, is_new: bool = False) -> Iterator[Store]:
    """The store at *address*, which must be there unless it may be *new*; what it says goes to standard error."""
    # Here, because these need the extra, and help does not.
    from envelope.gateway.stores.opening import open_store
    from envelope.gateway.vault import VaultError

    if not (is_new or is_postgresql(address) or Path(address).exists()):
        raise click.UsageError(f"there is no store {printable(address)}{_where_it_may_be(address)}")
    try:
        with open_store(address) as store:
            yield store
    except (BooksError, StoreError, VaultError) as error:
        raise click.ClickException(printable(str(error))) from None


def _where_it_may_be(address: str) -> str:
    if address == _STORE and settings() is None:  # whoever is in the wrong folder is not to make a second store
        return f", and no {CONFIG}, in this folder: go to the gateway's, or name its settings with --config"
    return "; envelope gateway account add makes one"


def named(db: Transaction, name: str) -> Account:
    """The account of that name, or a usage error."""
    account = account_named(db, name)
    if account is None:
        raise click.UsageError(f"there is no account {printable(name)}")
    return account


class _Amount(click.ParamType[int]):
    name = "units"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            return parse_amount(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


AMOUNT = _Amount()
"""A number of units, passed in micro-units."""


class _Bound(click.ParamType["int | Literal['unlimited']"]):
    name = "number|unlimited"

    def __init__(self, most: int) -> None:
        self._most = most

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | Literal["unlimited"]:
        if value == "unlimited":
            return "unlimited"
        if not (value.isascii() and value.isdigit() and len(value) < 20):
            self.fail("not a number, nor unlimited", param, ctx)
        if int(value) > self._most:
            self.fail(f"more than {self._most}, which is as good as unlimited", param, ctx)
        return int(value)


AT_ONCE = 2**31 - 1
"""How many calls at once a store has room for in a bound."""
BOUND = _Bound(2**63 - 1)
"""How many of something there may be."""
BOUND_AT_ONCE = _Bound(AT_ONCE)
"""The same for calls at once."""


class _Time(click.ParamType[int]):
    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            return parse_time(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


TIME = _Time()
"""A time as ISO 8601 has it, UTC unless it says otherwise, passed in microseconds."""


def shown_time(time: int | None) -> str:
    """Microseconds as a date and a time of day, UTC."""
    return "" if time is None else datetime.fromtimestamp(time // 1_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def show_json(value: object) -> None:
    """Show *value* as JSON, in which nothing can act on a terminal."""
    text = orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()
    safe = "".join(char if char.isprintable() or char == "\n" else json.dumps(char)[1:-1] for char in text)
    write_output("-", safe.encode())


def show_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Show *rows* under *columns*; numbers stand to the right."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    numeric = [bool(rows) and all(isinstance(row[place], int) for row in rows) for place in range(len(columns))]
    for column, is_numeric in zip(columns, numeric, strict=True):
        table.add_column(column, justify="right" if is_numeric else "left", no_wrap=True)
    for row in rows:
        table.add_row(*("" if cell is None else printable(str(cell)) for cell in row))
    # Wider than any terminal: a row is one line, to be searched and copied.
    console = Console(markup=False, emoji=False, highlight=False, width=_WIDTH)
    with console.capture() as capture:
        console.print(table)
    write_output("-", capture.get().encode("utf-8", "backslashreplace"))
