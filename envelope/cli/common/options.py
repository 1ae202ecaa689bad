"""Options that several commands share: the language, an operator's own error codes, what is not compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from envelope.cli.common.files import check_size, read_input
from envelope.cli.common.report import printable, show_decode_error, show_validation_error
from envelope.errors import DecodeError, ValidationError
from envelope.path import parse_path
from envelope.registry.codes import REGISTRY, CodeRegistry
from envelope.registry.languages import Lang

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["ignore_option", "lang_option", "registry_option"]

_MAX_BYTES = 1024 * 1024  # of an operator's file


class _LangType(click.ParamType[Lang]):
    name = "language"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Lang:
        try:
            return Lang(value)
        except ValueError:
            self.fail(f"{printable(value)!r} is not one of {', '.join(Lang)}", param, ctx)


def lang_option(help: str) -> Callable[[Any], Any]:
    """The option `--lang`, which takes any name of a language and passes a `Lang`."""
    return click.option(
        "--lang", type=_LangType(), default=str(Lang.EN), show_default=True, metavar="[cn|en|ru]", help=help
    )


def _read_registry(ctx: click.Context, _: click.Parameter, name: str | None) -> CodeRegistry:
    if name is None or ctx.resilient_parsing:
        return REGISTRY
    data = read_input(name, _MAX_BYTES)
    try:
        check_size(data, "toml", _MAX_BYTES)
        return REGISTRY.with_toml(data)
    except DecodeError as error:
        show_decode_error(error, name, data)
    except ValidationError as error:
        show_validation_error(error, name)
    raise click.exceptions.Exit(1)


registry_option = click.option(
    "--with",
    "registry",
    metavar="FILE",
    callback=_read_registry,
    help="An operator's own file: codes to add, and overrides.",
)
"""The option `--with`, which passes a `CodeRegistry`: by default the gateway's own."""


def _check_paths(_: click.Context, __: click.Parameter, paths: Sequence[str]) -> Sequence[str]:
    for path in paths:
        try:
            parse_path(path)
        except ValueError as error:
            raise click.BadParameter(printable(str(error))) from None
    return paths


ignore_option = click.option(
    "--ignore",
    metavar="PATH",
    multiple=True,
    callback=_check_paths,
    help="Do not compare what is there ($.request_id, $.items[*].date); may be repeated.",
)
"""The option `--ignore`, which passes the paths of what is not compared."""
