"""The options of the commands that read a document; `SourceOptions` does what they say."""

from __future__ import annotations

import functools
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final

import click

from envelope import options
from envelope.cli.common.report import printable
from envelope.cli.common.source import SourceOptions
from envelope.formats import FORMATS
from envelope.path import parse_path

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["DIALECTS", "NAMES", "limits_option", "source_option", "source_options"]

NAMES = [str(name) for name in FORMATS]
DIALECTS = click.Choice(options.DIALECTS)


def source_option(flag: str, name: str, file: str) -> Callable[[Any], Any]:
    """The option for the format of the argument *file*."""
    return click.option(
        flag,
        name,
        type=click.Choice(["auto", *NAMES]),
        default="auto",
        show_default=True,
        help=f"Format of {file}; auto looks at its name, then at how it begins.",
    )


limits_option = click.option("--no-limits", is_flag=True, help="Accept documents of any size, depth and item count.")


def _split(_: click.Context, __: click.Parameter, given: str | Sequence[str] | None) -> tuple[str, ...]:
    """Names in one argument or several, with commas between them."""
    texts = [given] if isinstance(given, str) else given or ()
    return tuple(name for text in texts for name in text.split(",") if name)


def _check_layers(context: click.Context, option: click.Parameter, given: str | None) -> tuple[str, ...]:
    names = _split(context, option, given)
    if names and names != ("auto",):
        from envelope.layers import LAYERS

        for name in names:
            if name not in LAYERS:
                raise click.BadParameter(f"{printable(name)} is not auto or one of {', '.join(LAYERS)}")
    return names


def _check_path(_: click.Context, __: click.Parameter, path: str | None) -> str | None:
    if path is not None:
        try:
            steps = parse_path(path)
        except ValueError as error:
            raise click.BadParameter(printable(str(error))) from None
        if None in steps:
            raise click.BadParameter("one document is at a path without [*]")
    return path


_OPTIONS: Final = (
    click.option(
        "--values",
        type=click.Choice(options.VALUES),
        default="portable",
        show_default=True,
        help="php also reads objects, enums and bytes, as data.",
    ),
    click.option(
        "--from-dialect",
        type=DIALECTS,
        show_default="typed; file for a PHP file, session for a session",
        help="Dialect of what is read.",
    ),
    click.option(
        "--unwrap",
        metavar="auto|LAYER,…",
        callback=_check_layers,
        help="First take off what stands around the document: notices, base64, gzip, … (docs/how-to/unwrap.md); with "
        "--at, LAYERs are those of the string there, and auto unwraps both.",
    ),
    click.option(
        "--at",
        metavar="PATH",
        callback=_check_path,
        help="Read the document that is the string there ($.data.command).",
    ),
    limits_option,
)
_MORE: Final = (
    click.option("--encoding", metavar="CHARSET", default="utf-8", show_default=True, help="Charset of what is read."),
    click.option(
        "--references",
        type=click.Choice(options.REFERENCES),
        default="resolve",
        show_default=True,
        help="keep writes serialize's R: as it was read, with --values php.",
    ),
    click.option(
        "--attributes",
        type=click.Choice(options.FOREIGN),
        default="refuse",
        show_default=True,
        help="What to do about attributes of plain xml.",
    ),
    click.option(
        "--namespaces",
        type=click.Choice(options.FOREIGN),
        default="refuse",
        show_default=True,
        help="What to do about prefixes in plain xml.",
    ),
    click.option(
        "--lists",
        metavar="PATH,…|repeated",
        multiple=True,
        callback=_split,
        help="Paths of plain xml that are lists, even of one; repeated: as SimpleXML has it.",
    ),
)


def source_options(*, all: bool) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Add the options for reading, *all* or those that any reader has; the command gets them as ``reading``."""

    def add(command: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(command)
        def wrapped(**given: Any) -> None:
            names = [field.name for field in fields(SourceOptions) if field.name in given and field.name != "flags"]
            command(
                **{name: value for name, value in given.items() if name not in names},
                reading=SourceOptions(**{name: given[name] for name in names}),
            )

        for option in reversed(_OPTIONS + _MORE if all else _OPTIONS):
            wrapped = option(wrapped)
        return wrapped

    return add
